"""What Consents say together: the vectors of the design, rules C-01 to C-20, the two shapes of the hub."""

from dataclasses import replace
from typing import Any

import pytest

from referral_hub.access.facts import Request
from referral_hub.access.principal import OrganizationFacts, refusal_targets
from tests.unit.access.builders import (
    CLINIC,
    END,
    LEGAL_AID,
    NOW,
    OFFICE,
    PARENT,
    SISTER,
    answer,
    consent,
    facts,
    imported,
    instance,
    kind_of_organization,
    organization,
    permit,
    provision,
    refusal,
    release,
    request,
    us,
)

ROOT_PERMIT = {
    "who": [CLINIC.id],
    "why": ["TREAT"],
    "start": "2026-01-01T00:00:00Z",
    "end": "2027-01-01T00:00:00Z",
}
EXPIRED = {"start": "2019-01-01T00:00:00Z", "end": "2020-01-01T00:00:00Z"}
OBSERVATION_1 = facts("Observation/1")
OBSERVATION_2 = facts("Observation/2")
IN_2022 = facts(data_from="2022-05-01T00:00:00Z", data_until="2022-05-02T00:00:00Z")
IN_2023 = facts(data_from="2023-05-01T00:00:00Z", data_until="2023-05-02T00:00:00Z")


def root(type_name: str, **more: Any) -> dict[str, Any]:
    return imported(provision(type_name, **(ROOT_PERMIT | more)))


# consent.md 1.3, one row each: what a widely cited open engine gets wrong or right, and what is right.
VECTORS: list[tuple[str, list[dict[str, Any]], Request, str]] = [
    ("permit TREAT, request HMARKT", [root("permit")], request(purpose="HMARKT"), "no-consent"),
    ("permit TREAT, request omits purpose", [root("permit")], request(purpose=""), "no-consent"),
    (
        "full deny in January, permit in February",
        [
            imported(provision("deny"), dateTime="2024-01-01T00:00:00Z"),
            imported(provision("permit", **ROOT_PERMIT), dateTime="2024-02-01T00:00:00Z"),
        ],
        request(),
        "deny",
    ),
    (
        "permit in February, full deny in March",
        [
            imported(provision("permit", **ROOT_PERMIT), dateTime="2024-02-01T00:00:00Z"),
            imported(provision("deny"), dateTime="2024-03-01T00:00:00Z"),
        ],
        request(),
        "deny",
    ),
    (
        "root deny, nested permit expired 2020",
        [imported(provision("deny", inside=[permit(what=[], **EXPIRED)]))],
        request(),
        "deny",
    ),
    (
        "root deny, nested permit for one instance: that one",
        [imported(provision("deny", inside=[permit(what=[], data=["Observation/1"])]))],
        request(OBSERVATION_1),
        "permit",
    ),
    (
        "root deny, nested permit for one instance: another",
        [imported(provision("deny", inside=[permit(what=[], data=["Observation/1"])]))],
        request(OBSERVATION_2),
        "deny",
    ),
    (
        "root deny, permit, depth-3 deny",
        [imported(provision("deny", inside=[permit(what=[], inside=[provision("deny")])]))],
        request(),
        "deny",
    ),
    (
        "root permit, actor is another organisation",
        [root("permit", who=["elsewhere"])],
        request(),
        "no-consent",
    ),
    ("root permit, label N only: R", [root("permit", labels=["N"])], request(), "no-consent"),
    (
        "root permit, label N only: N",
        [root("permit", labels=["N"])],
        request(facts(confidentiality="N")),
        "permit",
    ),
    (
        "root permit, dataPeriod 2022 only: 2022",
        [root("permit", dataPeriod={"start": "2022", "end": "2022"})],
        request(IN_2022),
        "permit",
    ),
    (
        "root permit, dataPeriod 2022 only: 2023",
        [root("permit", dataPeriod={"start": "2022", "end": "2022"})],
        request(IN_2023),
        "no-consent",
    ),
    (
        "root permit, nested permit (union): nested",
        [root("permit", inside=[permit(why=["HRESCH"], what=[])])],
        request(purpose="HRESCH"),
        "permit",
    ),
    (
        "root permit, nested permit (union): root",
        [root("permit", inside=[permit(why=["HRESCH"], what=[])])],
        request(),
        "permit",
    ),
    (
        "root permit, nested deny expired 2020",
        [root("permit", inside=[provision("deny", **EXPIRED)])],
        request(),
        "permit",
    ),
    (
        "root permit, nested deny for one instance: another",
        [root("permit", inside=[provision("deny", data=["Observation/1"])])],
        request(OBSERVATION_2),
        "permit",
    ),
    (
        "root permit, nested deny for one instance: that one",
        [root("permit", inside=[provision("deny", data=["Observation/1"])])],
        request(OBSERVATION_1),
        "deny",
    ),
    (
        "root permit, nested deny label R: N",
        [root("permit", inside=[provision("deny", labels=["R"])])],
        request(facts(confidentiality="N")),
        "permit",
    ),
    (
        "root permit, nested deny label R: R",
        [root("permit", inside=[provision("deny", labels=["R"])])],
        request(),
        "deny",
    ),
    (
        "root permit with V, nested deny label R: V",
        [root("permit", labels=["V"], inside=[provision("deny", labels=["R"])])],
        request(facts(confidentiality="V")),
        "deny",
    ),
]


@pytest.mark.parametrize(
    ("bodies", "asked", "outcome"), [row[1:] for row in VECTORS], ids=[r[0] for r in VECTORS]
)
def test_vectors(bodies: list[dict[str, Any]], asked: Request, outcome: str) -> None:
    assert answer(bodies, asked).outcome == outcome
    assert answer(list(reversed(bodies)), asked).outcome == outcome


RELEASE_ROWS: list[tuple[str, list[dict[str, Any]], Request, str]] = [
    ("nothing at all", [], request(), "no-consent"),
    ("a release", [release()], request(), "permit"),
    ("C-10 parent of the named unit", [release()], request(organization=PARENT), "no-consent"),
    ("C-10 sister of the named unit", [release()], request(organization=SISTER), "no-consent"),
    (
        "C-10 unit below the named one",
        [release(permit(who=["clinic"]))],
        request(organization=CLINIC),
        "no-consent",
    ),
    ("C-12 other purpose", [release()], request(purpose="HPAYMT"), "no-consent"),
    ("C-12 no purpose", [release()], request(purpose=""), "no-consent"),
    ("C-11 onward", [release()], request(action="disclose"), "no-consent"),
    ("C-14 other category", [release()], request(facts(category="housing")), "no-consent"),
    ("C-14 missing category", [release()], request(facts(category="")), "no-consent"),
    (
        "V is not named",
        [release()],
        request(facts(confidentiality="V")),
        "no-consent",
    ),
    ("V is named", [release(permit(labels=["R", "V"]))], request(facts(confidentiality="V")), "permit"),
    ("unknown label", [release()], request(facts(confidentiality="?")), "no-consent"),
    (
        "unknown category, V named",
        [release(permit(labels=["V"]))],
        request(facts(category="very-restricted", confidentiality="V")),
        "no-consent",
    ),
    (
        "unknown category, the instance named",
        [release(permit(what=[], data=["Observation/1"]))],
        request(facts(category="very-restricted", confidentiality="V")),
        "permit",
    ),
    (
        "an instance opens its V",
        [release(permit(what=[], data=["Observation/1"]))],
        request(facts(confidentiality="V")),
        "permit",
    ),
    (
        "an instance opens no other",
        [release(permit(what=[], data=["Observation/1"]))],
        request(OBSERVATION_2),
        "no-consent",
    ),
    (
        "a named document opens its Binary",
        [release(permit(what=[], data=["DocumentReference/d"]))],
        request(facts("Binary/b", refers_to=["DocumentReference/d"])),
        "permit",
    ),
    (
        "a named document opens nothing else that refers to it",
        [release(permit(what=[], data=["DocumentReference/d"]))],
        request(facts("Observation/9", refers_to=["DocumentReference/d"])),
        "no-consent",
    ),
    (
        "consents are covered by no permit",
        [release(permit(what=[], data=["Consent/1"]))],
        request(facts("Consent/1", "own")),
        "no-consent",
    ),
    (
        "C-16 without a date",
        [release(permit(dataPeriod={"start": "2022"}))],
        request(),
        "no-consent",
    ),
    ("C-16 with a date", [release(permit(dataPeriod={"start": "2022"}))], request(IN_2022), "permit"),
    (
        "two releases do not cancel each other",
        [release(), release(permit(who=[LEGAL_AID.id], what=["legal-needs"]))],
        request(),
        "permit",
    ),
    ("notice", [release()], request(facts("Task/1", "notice")), "permit"),
    (
        "notice of an instance release",
        [release(permit(what=[], data=["Observation/1"]))],
        request(facts("Task/1", "notice")),
        "permit",
    ),
    (
        "notice for another purpose",
        [release()],
        request(facts("Task/1", "notice"), purpose="HPAYMT"),
        "no-consent",
    ),
    (
        "notice for another organisation",
        [release()],
        request(facts("Task/1", "notice"), organization=SISTER),
        "no-consent",
    ),
    ("C-01 draft", [release(status="draft")], request(), "no-consent"),
    ("C-01 proposed", [release(status="proposed")], request(), "no-consent"),
    ("C-01 rejected", [release(status="rejected")], request(), "no-consent"),
    ("C-01 inactive", [release(status="inactive")], request(), "no-consent"),
    ("C-01 entered in error", [release(status="entered-in-error")], request(), "no-consent"),
    ("C-01 unknown status denies", [release(status="on")], request(), "deny"),
    (
        "C-02 research",
        [
            release(
                scope={
                    "coding": [
                        {"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "research"}
                    ]
                }
            )
        ],
        request(),
        "no-consent",
    ),
    ("C-02 unreadable scope", [release(scope={"text": "sharing"})], request(), "no-consent"),
    ("C-18 deeper", [release(permit(inside=[provision("permit")]))], request(), "deny"),
    ("C-18 a deny in a release", [release(permit(), provision("deny", why=["TREAT"]))], request(), "deny"),
    (
        "C-20 extension in a permit",
        [release(permit(extension=[{"url": "urn:x", "valueBoolean": True}]))],
        request(),
        "no-consent",
    ),
    (
        "C-20 extension inside an actor",
        [release(permit(who=[organization(CLINIC.id) | {"extension": [{"url": "urn:x"}]}]))],
        request(),
        "no-consent",
    ),
    (
        "C-20 modifierExtension anywhere",
        [release(modifierExtension=[{"url": "urn:x", "valueBoolean": True}])],
        request(),
        "no-consent",
    ),
    ("C-20 implicitRules", [release(implicitRules="urn:rules")], request(), "no-consent"),
    ("C-20 unknown class", [release(permit(what=["shoes"]))], request(), "no-consent"),
    ("C-08 nested without type", [release({**permit(), "type": ""})], request(), "deny"),
]


@pytest.mark.parametrize(
    ("bodies", "asked", "outcome"), [row[1:] for row in RELEASE_ROWS], ids=[row[0] for row in RELEASE_ROWS]
)
def test_releases(bodies: list[dict[str, Any]], asked: Request, outcome: str) -> None:
    assert answer(bodies, asked).outcome == outcome


LETTER = permit(who=[OFFICE.id], what=[], data=["DocumentReference/letter"])
LETTER_RELEASE = release(LETTER)
LETTER_FACTS = facts("DocumentReference/letter", "immigration")
NO_GOVERNMENT = {"who": [kind_of_organization("governmental")]}
HEALTH_FOR_OFFICE = release(permit(who=[OFFICE.id]))

REFUSAL_ROWS: list[tuple[str, list[dict[str, Any]], Request, str]] = [
    ("a refusal alone denies", [refusal()], request(), "deny"),
    ("everybody", [release(), refusal()], request(), "deny"),
    ("the unit itself", [release(), refusal(who=[CLINIC.id])], request(), "deny"),
    ("a unit below the one it names", [release(), refusal(who=["clinic"])], request(), "deny"),
    ("another organisation", [release(), refusal(who=["elsewhere"])], request(), "permit"),
    ("its own kind", [release(), refusal(who=[kind_of_organization("clinic")])], request(), "deny"),
    ("another kind", [release(), refusal(who=[kind_of_organization("shelter")])], request(), "permit"),
    (
        "a kind the hub does not know reaches everybody",
        [release(), refusal(who=[kind_of_organization("police")])],
        request(),
        "deny",
    ),
    (
        "governmental bodies",
        [HEALTH_FOR_OFFICE, refusal(**NO_GOVERNMENT)],
        request(organization=OFFICE),
        "deny",
    ),
    ("governmental bodies: a clinic", [release(), refusal(**NO_GOVERNMENT)], request(), "permit"),
    (
        "the government of her country",
        [HEALTH_FOR_OFFICE, refusal(who=[kind_of_organization("PL", "government-of")])],
        request(organization=OFFICE),
        "deny",
    ),
    (
        "the government of another country",
        [HEALTH_FOR_OFFICE, refusal(who=[kind_of_organization("DE", "government-of")])],
        request(organization=OFFICE),
        "permit",
    ),
    ("an actor that cannot be read", [release(), refusal(who=[{"role": {}}])], request(), "deny"),
    (
        "an actor elsewhere",
        [release(), refusal(who=[{"reference": {"reference": "https://ehr.example/fhir/Organization/1"}}])],
        request(),
        "deny",
    ),
    ("this purpose", [release(), refusal(why=["TREAT"])], request(), "deny"),
    ("another purpose", [release(), refusal(why=["HRESCH"])], request(), "permit"),
    ("a purpose, none stated", [refusal(why=["HRESCH"])], request(purpose=""), "deny"),
    ("a purpose that cannot be read", [release(), refusal(purpose=[{"display": "x"}])], request(), "deny"),
    ("this category", [release(), refusal(what=["health"])], request(), "deny"),
    ("another category", [release(), refusal(what=["housing"])], request(), "permit"),
    (
        "a category, of a record of unknown category",
        [release(permit(what=[], data=["Observation/1"])), refusal(what=["housing"])],
        request(facts(category="very-restricted", confidentiality="V")),
        "deny",
    ),
    ("a category it does not know", [release(), refusal(what=["shoes"])], request(), "deny"),
    (
        "label R stops V too",
        [release(permit(labels=["V"])), refusal(labels=["R"])],
        request(facts(confidentiality="V")),
        "deny",
    ),
    ("label V leaves R", [release(permit(labels=["V"])), refusal(labels=["V"])], request(), "permit"),
    (
        "label V stops V",
        [release(permit(labels=["V"])), refusal(labels=["V"])],
        request(facts(confidentiality="V")),
        "deny",
    ),
    ("a sensitivity", [release(), refusal(labels=["PSY"])], request(facts(sensitivities=["PSY"])), "deny"),
    (
        "another sensitivity",
        [release(), refusal(labels=["PSY"])],
        request(facts(sensitivities=["HIV"])),
        "permit",
    ),
    (
        "a code it has",
        [release(), refusal(code=[{"coding": [{"system": "urn:s", "code": "x"}]}])],
        request(facts(codes=["urn:s|x"])),
        "deny",
    ),
    (
        "a code it has not",
        [release(), refusal(code=[{"coding": [{"system": "urn:s", "code": "x"}]}])],
        request(facts(codes=["urn:s|y"])),
        "permit",
    ),
    (
        "a code, and nothing is known of its codes",
        [release(), refusal(code=[{"coding": [{"system": "urn:s", "code": "x"}]}])],
        request(),
        "deny",
    ),
    (
        "a dataPeriod, without a date",
        [release(), refusal(dataPeriod={"start": "2022", "end": "2022"})],
        request(),
        "deny",
    ),
    (
        "a dataPeriod, another time",
        [release(), refusal(dataPeriod={"start": "2022", "end": "2022"})],
        request(IN_2023),
        "permit",
    ),
    (
        "a dataPeriod it touches",
        [release(), refusal(dataPeriod={"start": "2022-05-01", "end": "2022-05-01"})],
        request(IN_2022),
        "deny",
    ),
    ("an instance", [release(), refusal(data=["Observation/1"])], request(OBSERVATION_1), "deny"),
    ("another instance", [release(), refusal(data=["Observation/1"])], request(OBSERVATION_2), "permit"),
    (
        "C-17 dependents: the instance",
        [release(), refusal(data=[instance("Observation/1", "dependents")])],
        request(OBSERVATION_1),
        "deny",
    ),
    (
        "C-17 dependents: what refers to it",
        [release(), refusal(data=[instance("Observation/1", "dependents")])],
        request(facts("Observation/2", refers_to=["Observation/1"])),
        "deny",
    ),
    (
        "C-17 dependents: what does not",
        [release(), refusal(data=[instance("Observation/1", "dependents")])],
        request(OBSERVATION_2),
        "permit",
    ),
    (
        "C-17 related: what it refers to is not known",
        [release(), refusal(data=[instance("Observation/1", "related")])],
        request(OBSERVATION_2),
        "deny",
    ),
    (
        "C-17 authoredby",
        [release(), refusal(data=[instance("Organization/shelter", "authoredby")])],
        request(),
        "deny",
    ),
    (
        "C-17 authoredby another",
        [release(), refusal(data=[instance("Organization/elsewhere", "authoredby")])],
        request(),
        "permit",
    ),
    (
        "C-17 authoredby, author not known",
        [release(), refusal(data=[instance("Organization/elsewhere", "authoredby")])],
        request(facts(author="")),
        "deny",
    ),
    (
        "an extension is a condition that holds",
        [release(), refusal(why=["TREAT"], extension=[{}])],
        request(),
        "deny",
    ),
    ("not in force yet", [release(), refusal(start="2026-12-01")], request(), "permit"),
    ("over", [release(), refusal(end="2026-11-01")], request(), "permit"),
    ("a period that cannot be read", [release(), refusal(start="soon")], request(), "deny"),
    ("withdrawn", [release(), refusal(status="inactive")], request(), "permit"),
    ("without a provision", [release(), consent("refusal", None)], request(), "deny"),
    (
        "two kinds at once",
        [release(), {**refusal(), "category": [*release()["category"], *refusal()["category"]]}],
        request(),
        "deny",
    ),
    ("notice, any refusal", [release(), refusal()], request(facts("Task/1", "notice")), "deny"),
    (
        "notice, a category",
        [release(), refusal(what=["health"])],
        request(facts("Task/1", "notice")),
        "permit",
    ),
    (
        "notice, an instance",
        [release(), refusal(data=["Task/1"])],
        request(facts("Task/1", "notice")),
        "permit",
    ),
    ("notice, a label", [release(), refusal(labels=["R"])], request(facts("Task/1", "notice")), "deny"),
    (
        "notice, another purpose",
        [release(), refusal(why=["HRESCH"])],
        request(facts("Task/1", "notice")),
        "permit",
    ),
    (
        "exception: silences",
        [LETTER_RELEASE, refusal(LETTER, **NO_GOVERNMENT)],
        request(LETTER_FACTS, organization=OFFICE),
        "permit",
    ),
    (
        "exception: never permits",
        [refusal(LETTER, **NO_GOVERNMENT)],
        request(LETTER_FACTS, organization=OFFICE),
        "no-consent",
    ),
    (
        "exception: another instance",
        [HEALTH_FOR_OFFICE, LETTER_RELEASE, refusal(LETTER, **NO_GOVERNMENT)],
        request(organization=OFFICE),
        "deny",
    ),
    (
        "exception: another purpose",
        [release(permit(who=[OFFICE.id], why=["HRESCH"])), refusal(LETTER, **NO_GOVERNMENT)],
        request(LETTER_FACTS, organization=OFFICE, purpose="HRESCH"),
        "deny",
    ),
    (
        "exception: the notice goes with the letter",
        [LETTER_RELEASE, refusal(LETTER, **NO_GOVERNMENT)],
        request(facts("Task/1", "notice"), organization=OFFICE),
        "permit",
    ),
    (
        "exception: the notice for another purpose",
        [release(permit(who=[OFFICE.id], why=["HRESCH"])), refusal(LETTER, **NO_GOVERNMENT)],
        request(facts("Task/1", "notice"), organization=OFFICE, purpose="HRESCH"),
        "deny",
    ),
    (
        "exception: of one refusal does not silence another",
        [LETTER_RELEASE, refusal(LETTER, **NO_GOVERNMENT), refusal(who=[OFFICE.id])],
        request(LETTER_FACTS, organization=OFFICE),
        "deny",
    ),
    (
        "exception: without an end",
        [
            LETTER_RELEASE,
            refusal(
                provision("permit", who=[OFFICE.id], why=["TREAT"], data=["DocumentReference/letter"]),
                **NO_GOVERNMENT,
            ),
        ],
        request(LETTER_FACTS, organization=OFFICE),
        "permit",
    ),
    (
        "exception: over",
        [LETTER_RELEASE, refusal({**LETTER, "period": {"end": "2026-11-20"}}, **NO_GOVERNMENT)],
        request(LETTER_FACTS, organization=OFFICE),
        "deny",
    ),
    (
        "exception: with an extension",
        [LETTER_RELEASE, refusal({**LETTER, "extension": [{}]}, **NO_GOVERNMENT)],
        request(LETTER_FACTS, organization=OFFICE),
        "deny",
    ),
    (
        "a deny inside a refusal",
        [LETTER_RELEASE, refusal(LETTER, provision("deny"), **NO_GOVERNMENT)],
        request(LETTER_FACTS, organization=OFFICE),
        "deny",
    ),
]


@pytest.mark.parametrize(
    ("bodies", "asked", "outcome"), [row[1:] for row in REFUSAL_ROWS], ids=[row[0] for row in REFUSAL_ROWS]
)
def test_refusals(bodies: list[dict[str, Any]], asked: Request, outcome: str) -> None:
    assert answer(bodies, asked).outcome == outcome
    assert answer(list(reversed(bodies)), asked).outcome == outcome


IMPORT_ROWS: list[tuple[str, dict[str, Any], Request, str]] = [
    ("no provision: SDOHCC", imported(None), request(), "no-consent"),
    (
        "no provision, opted out",
        imported(
            None,
            policyRule={
                "coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "OPTOUT"}]
            },
        ),
        request(),
        "deny",
    ),
    (
        "no provision, opted in: opens nothing",
        imported(
            None,
            policyRule={
                "coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "OPTIN"}]
            },
        ),
        request(),
        "no-consent",
    ),
    (
        "a policy rule nobody knows",
        {**root("permit"), "policyRule": {"text": "see paper"}},
        request(),
        "no-consent",
    ),
    ("C-08 root without type", imported({}), request(), "deny"),
    ("a provision that is a list", imported(None, provision=[]), request(), "deny"),
    (
        "C-09 permit without an end",
        imported(provision("permit", who=[CLINIC.id], why=["TREAT"])),
        request(),
        "no-consent",
    ),
    (
        "C-09 permit that ends with its root",
        imported(provision("deny", end=END, inside=[provision("permit", who=[CLINIC.id], why=["TREAT"])])),
        request(),
        "permit",
    ),
    ("C-10 permit for everybody", root("permit", who=[]), request(), "no-consent"),
    (
        "C-10 permit for a care team",
        root("permit", who=[{"reference": {"reference": "CareTeam/1"}}]),
        request(),
        "no-consent",
    ),
    ("C-10 permit for a kind", root("permit", who=[kind_of_organization("clinic")]), request(), "no-consent"),
    (
        "C-10 permit in another role",
        root("permit", who=[organization(CLINIC.id, "CST")]),
        request(),
        "no-consent",
    ),
    ("C-12 permit for every purpose", root("permit", why=[]), request(), "no-consent"),
    (
        "C-13 every sensitivity is listed",
        root("permit", labels=["R", "SDV"]),
        request(facts(sensitivities=["SDV"])),
        "permit",
    ),
    (
        "C-13 one sensitivity is not listed",
        root("permit", labels=["R", "SDV"]),
        request(facts(sensitivities=["SDV", "PSY"])),
        "no-consent",
    ),
    (
        "C-14 a type",
        root(
            "permit", **{"class": [{"system": "http://hl7.org/fhir/resource-types", "code": "Observation"}]}
        ),
        request(),
        "permit",
    ),
    (
        "C-14 another type",
        root("permit", **{"class": [{"system": "http://hl7.org/fhir/resource-types", "code": "Condition"}]}),
        request(),
        "no-consent",
    ),
    (
        "C-15 permit by code",
        root("permit", code=[{"coding": [{"code": "x"}]}]),
        request(facts(codes=["|x"])),
        "no-consent",
    ),
    (
        "C-17 permit related: itself",
        root("permit", data=[instance("Observation/1", "related")]),
        request(),
        "permit",
    ),
    (
        "C-17 permit related: what refers to it",
        root("permit", data=[instance("Observation/1", "related")]),
        request(facts("Observation/2", refers_to=["Observation/1"])),
        "no-consent",
    ),
    (
        "C-17 permit dependents",
        root("permit", data=[instance("Observation/1", "dependents")]),
        request(),
        "no-consent",
    ),
    (
        "C-17 permit authoredby",
        root("permit", data=[instance("Organization/shelter", "authoredby")]),
        request(),
        "permit",
    ),
    (
        "C-17 permit authoredby another",
        root("permit", data=[instance("Organization/elsewhere", "authoredby")]),
        request(),
        "no-consent",
    ),
    (
        "an instance of an import does not open V",
        root("permit", data=["Observation/1"]),
        request(facts(confidentiality="V")),
        "no-consent",
    ),
    (
        "an instance of an import with V",
        root("permit", data=["Observation/1"], labels=["V"]),
        request(facts(confidentiality="V")),
        "permit",
    ),
    ("a version of an instance", root("permit", data=["Observation/1/_history/2"]), request(), "no-consent"),
]


@pytest.mark.parametrize(
    ("body", "asked", "outcome"), [row[1:] for row in IMPORT_ROWS], ids=[row[0] for row in IMPORT_ROWS]
)
def test_imports(body: dict[str, Any], asked: Request, outcome: str) -> None:
    assert answer([body], asked).outcome == outcome


@pytest.mark.parametrize(
    ("at", "outcome"),
    [
        ("2026-10-31T23:59:59.999999Z", "no-consent"),
        ("2026-11-01T00:00:00Z", "permit"),
        ("2026-11-30T23:59:58.999999Z", "permit"),
        ("2026-11-30T23:59:59Z", "no-consent"),
        ("2026-12-01T00:00:00Z", "no-consent"),
    ],
)
def test_a_permit_is_half_open_and_ends_a_second_early(at: str, outcome: str) -> None:
    assert answer([release()], at_us=us(at)).outcome == outcome


@pytest.mark.parametrize(
    ("start", "end", "first", "last"),
    [
        ("2026-11-10", "2026-11-20", "2026-11-11T00:00:00Z", "2026-11-19T23:59:58Z"),
        ("2026-10", "2026-12", "2026-11-01T00:00:00Z", "2026-11-30T23:59:58Z"),
        (
            "2026-11-10T01:00:00+01:00",
            "2026-11-20T01:00:00+01:00",
            "2026-11-10T00:00:00Z",
            "2026-11-19T23:59:58Z",
        ),
    ],
)
def test_partial_dates_of_a_permit_mean_the_narrowest_time(
    start: str, end: str, first: str, last: str
) -> None:
    body = release(permit(start=start, end=end))
    expected = ["no-consent", "permit", "permit", "no-consent"]
    times = [us(first) - 1, us(first), us(last), us(last) + 1_000_000]
    assert [answer([body], at_us=at).outcome for at in times] == expected


def test_partial_dates_of_a_refusal_mean_the_widest_time() -> None:
    body = refusal(start="2026-11-10", end="2026-11-20")
    times = ["2026-11-09T23:59:59Z", "2026-11-10T00:00:00Z", "2026-11-20T23:59:59Z", "2026-11-21T00:00:00Z"]
    assert [answer([release(), body], at_us=us(at)).outcome for at in times] == [
        "permit",
        "deny",
        "deny",
        "permit",
    ]


def test_an_inactive_organisation_gets_nothing() -> None:
    suspended = replace(CLINIC, active=False)
    assert answer([release()], request(organization=suspended)).reason == "organization-inactive"


def test_a_refusal_reaches_a_caller_whose_spellings_are_not_known() -> None:
    asked = replace(request(), refusal_targets=())
    assert answer([release(), refusal(who=["elsewhere"])], asked).outcome == "deny"


@pytest.mark.parametrize(
    ("bodies", "reason"),
    [
        ([], "none"),
        ([release(permit(end="2026-11-20T00:00:00Z"))], "ended"),
        ([release(status="inactive")], "withdrawn"),
        ([release(permit(end="2026-11-20T00:00:00Z")), release(status="inactive")], "withdrawn"),
        ([release(permit(start="2026-11-30T00:00:00Z"))], "none"),
        ([release(status="draft")], "none"),
        ([release(status="entered-in-error")], "none"),
        ([release(permit(what=["housing"], end="2026-11-20T00:00:00Z"))], "none"),
        ([refusal(LETTER, who=["elsewhere"], status="inactive")], "none"),
        ([refusal()], "refused"),
        ([release()], "permitted"),
    ],
)
def test_the_reason(bodies: list[dict[str, Any]], reason: str) -> None:
    assert answer(bodies).reason == reason


def test_the_reason_without_a_purpose() -> None:
    assert answer([release()], request(purpose="")).reason == "no-purpose"


def test_what_the_answer_stands_on() -> None:
    bodies = [release(permit(what=["housing"])), release(), release(permit(labels=["V"]))]
    found = answer(bodies)
    assert found.consents == (("c1", "1"), ("c2", "1"))
    assert found.very_restricted
    assert answer([*bodies, refusal(who=[CLINIC.id])]).consents == (("c3", "1"),)


@pytest.mark.parametrize(
    ("body", "resource", "opens_very"),
    [
        (release(), facts(), False),
        (release(permit(labels=["R"])), facts(), False),
        (release(permit(labels=["V"])), facts(), True),
        (release(permit(what=[], data=["Observation/1"])), facts(), True),
        (release(permit(labels=["V"])), facts("Task/1", "notice"), False),
    ],
)
def test_whether_v_is_opened(body: dict[str, Any], resource: Any, opens_very: bool) -> None:
    found = answer([body], request(resource))
    assert (found.outcome, found.very_restricted) == ("permit", opens_very)


def test_a_unit_two_levels_below_is_refused_and_a_sister_is_not() -> None:
    ward = OrganizationFacts("ward", ("clinic-emergency", "clinic"), "clinic")
    asked = Request(ward, refusal_targets(ward), "TREAT", "access", "", facts())
    allowed = release(permit(who=["ward"]))
    assert answer([allowed, refusal(who=["clinic"])], asked, NOW).outcome == "deny"
    assert answer([allowed, refusal(who=["clinic-dental"])], asked, NOW).outcome == "permit"
