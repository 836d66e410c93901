"""What a Consent written here must be: every problem is told at once, each with its place."""

from typing import Any

import pytest

from referral_hub.access.provisions import compile_consent
from referral_hub.errors import InvalidResource
from tests.unit.access.builders import (
    CLINIC,
    LEGAL_AID,
    OFFICE,
    consent,
    instance,
    kind_of_organization,
    organization,
    permit,
    provision,
    refusal,
    release,
)

P = "Consent.provision"
N = "Consent.provision.provision[0]"


def problems(body: dict[str, Any]) -> list[str]:
    """The places of everything wrong with a Consent."""
    try:
        compile_consent("c", "1", body, authored=True)
    except InvalidResource as refused:
        return [issue.expression for issue in refused.issues if issue.text and issue.is_error]
    return []


EXCEPTION = permit(who=[OFFICE.id], what=[], data=["DocumentReference/letter"])


@pytest.mark.parametrize(
    "body",
    [
        release(),
        release(permit(what=["health", "outcome"]), permit(what=[], data=["DocumentReference/1"])),
        release(permit(labels=["R", "V"])),
        release(permit(dataPeriod={"start": "2026"})),
        release(permit(why=["shelter-placement"])),
        release(status="draft"),
        release(status="inactive"),
        {**release(), "provision": provision("deny", end="2026-12-01", inside=[permit()])},
        release(
            policyRule={
                "coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "OPTIN"}]
            }
        ),
        refusal(),
        refusal(
            who=[CLINIC.id, kind_of_organization("governmental"), kind_of_organization("PL", "government-of")]
        ),
        refusal(what=["immigration"], why=["TREAT", "HRESCH"], labels=["V"], start="2026", end="2027"),
        refusal(data=["DocumentReference/1", "Observation/2"]),
        refusal(EXCEPTION, who=[OFFICE.id]),
        refusal(
            provision("permit", who=[OFFICE.id], why=["TREAT"], data=["DocumentReference/letter"]),
            who=[OFFICE.id],
        ),
        refusal(status="inactive"),
    ],
)
def test_the_two_shapes_are_taken(body: dict[str, Any]) -> None:
    assert problems(body) == []


@pytest.mark.parametrize(
    ("body", "places"),
    [
        (consent("", provision("deny", inside=[permit()])), ["Consent.category"]),
        ({**release(), "category": release()["category"] + refusal()["category"]}, ["Consent.category"]),
        ({**release(), "category": consent("permission", None)["category"]}, ["Consent.category"]),
        (release(status="on"), ["Consent.status"]),
        (release(scope={"text": "x"}), ["Consent.scope"]),
        (release(implicitRules="urn:x"), ["Consent.implicitRules"]),
        (release(modifierExtension=[{}]), ["Consent.modifierExtension"]),
        (release(permit(modifierExtension=[{}])), ["Consent", f"{N}.modifierExtension"]),
        (release(policyRule={"text": "see paper"}), ["Consent.policyRule"]),
        (consent("release", None), [P]),
        (consent("refusal", None), [P]),
        (consent("release", provision("deny")), [f"{P}.provision"]),
        (consent("release", provision("permit", inside=[permit()])), [f"{P}.type"]),
        (consent("refusal", provision("permit")), [f"{P}.type"]),
        (consent("release", {"provision": [permit()]}), [f"{P}.type"]),
        (consent("release", provision("deny", who=["x"], inside=[permit()])), [f"{P}.actor"]),
        (consent("release", provision("deny", extension=[{}], inside=[permit()])), [f"{P}.extension"]),
        (release(permit(), provision("deny")), [f"{P}.provision[1]"]),
        (refusal(provision("deny")), [N]),
        (release({**permit(), "type": "allow"}), [f"{N}.type", N]),
        (release(permit(inside=[provision("permit")])), [f"{P}.provision"]),
        (release(permit(who=[])), [f"{N}.actor"]),
        (release(permit(who=["a", "b"])), [P]),
        (release(permit(), permit(who=[LEGAL_AID.id])), [P]),
        (release(permit(who=[organization("a", "CST")])), [f"{N}.actor[0].role"]),
        (release(permit(who=[kind_of_organization("clinic")])), [f"{N}.actor[0].reference"]),
        (
            release(permit(who=[{**organization("a"), "reference": {"reference": "CareTeam/1"}}])),
            [f"{N}.actor[0].reference"],
        ),
        (
            release(
                permit(
                    who=[
                        {
                            **organization("a"),
                            "reference": {"reference": "https://ehr.example/Organization/1"},
                        }
                    ]
                )
            ),
            [f"{N}.actor[0].reference"],
        ),
        (release(permit(why=[])), [f"{N}.purpose"]),
        (release(permit(why=["TREAT", "HRESCH"])), [P]),
        (release(permit(), permit(why=["HRESCH"])), [P]),
        (release(permit(purpose=[{"system": "urn:x", "code": "TREAT"}])), [f"{N}.purpose[0]"]),
        (release(permit(end="")), [f"{N}.period.end"]),
        (release(permit(end="tomorrow")), [f"{N}.period.end", f"{N}.period.end"]),
        (release(permit(start="2026-11-30", end="2026-12-01")), [f"{N}.period"]),
        (release(permit(what=[])), [N]),
        (release(permit(data=["Observation/1"])), [N]),
        (release(permit(what=["shoes"])), [f"{N}.class[0]"]),
        (release(permit(what=["very-restricted"])), [f"{N}.class[0]"]),
        (release(permit(what=["notice"])), [f"{N}.class[0]"]),
        (
            release(permit(what=[{"system": "http://hl7.org/fhir/resource-types", "code": "Condition"}])),
            [f"{N}.class"],
        ),
        (release(permit(labels=["N"])), [f"{N}.securityLabel"]),
        (release(permit(labels=["R", "PSY"])), [f"{N}.securityLabel"]),
        (release(permit(securityLabel=[{"code": "R"}])), [f"{N}.securityLabel[0]"]),
        (release(permit(code=[{"coding": [{"code": "x"}]}])), [f"{N}.code"]),
        (
            release(
                permit(
                    action=[
                        {
                            "coding": [
                                {
                                    "system": "http://terminology.hl7.org/CodeSystem/consentaction",
                                    "code": "disclose",
                                }
                            ]
                        }
                    ]
                )
            ),
            [f"{N}.action"],
        ),
        (release(permit(what=[], data=[instance("Observation/1", "dependents")])), [f"{N}.data[0].meaning"]),
        (release(permit(what=[], data=[instance("Organization/1", "authoredby")])), [f"{N}.data"]),
        (release(permit(what=[], data=["Consent/1"])), [f"{N}.data"]),
        (release(permit(what=[], data=["Location/1"])), [f"{N}.data"]),
        (release(permit(what=[], data=["Observation/1/_history/1"])), [f"{N}.data[0].reference"]),
        (release(permit(extension=[{}])), [f"{N}.extension"]),
        (release(permit(_type={"id": "x"})), [f"{N}._type"]),
        (
            refusal(who=[{"reference": {"identifier": {"system": "urn:x", "value": "PL"}}}]),
            [f"{P}.actor[0].reference.identifier"],
        ),
        (refusal(who=[kind_of_organization("police")]), [f"{P}.actor[0].reference.identifier"]),
        (refusal(who=[kind_of_organization("pl", "government-of")]), [f"{P}.actor[0].reference.identifier"]),
        (refusal(labels=["PSY"]), [f"{P}.securityLabel"]),
        (refusal(dataPeriod={"start": "2026"}), [f"{P}.dataPeriod"]),
        (refusal(code=[{"coding": [{"code": "x"}]}]), [f"{P}.code"]),
        (refusal(data=[instance("Observation/1", "dependents")]), [f"{P}.data"]),
        (refusal(data=[instance("Observation/1", "related")]), [f"{P}.data[0].meaning"]),
        (refusal(start="2027", end="2026"), [f"{P}.period"]),
        (refusal({**EXCEPTION, "actor": [organization("a"), organization("b")]}), [f"{N}.actor"]),
        (refusal(permit(who=["a"], why=["TREAT", "HRESCH"], what=[], data=["Task/1"])), [f"{N}.purpose"]),
        (refusal(permit(who=["a"], what=[])), [f"{N}.data"]),
        (refusal(permit(who=["a"], what=["health"], data=["Task/1"])), [f"{N}.class"]),
        (refusal({**EXCEPTION, "dataPeriod": {"start": "2026"}}), [f"{N}.dataPeriod"]),
    ],
)
def test_what_breaks_a_shape_is_told_with_its_place(body: dict[str, Any], places: list[str]) -> None:
    assert problems(body) == places


def test_every_problem_is_told_at_once() -> None:
    body = release(permit(who=[], why=[], end="", what=["shoes"]), status="on")
    assert problems(body) == [
        "Consent.status",
        f"{N}.period.end",
        f"{N}.class[0]",
        f"{N}.actor",
        f"{N}.purpose",
    ]


def test_a_consent_that_names_too_much_at_once_is_refused() -> None:
    body = refusal(
        who=[f"o{number}" for number in range(40)], data=[f"Task/{number}" for number in range(40)]
    )
    assert problems(body) == [P]


@pytest.mark.parametrize("status", ["inactive", "rejected", "entered-in-error"])
def test_nothing_stands_in_the_way_of_an_end(status: str) -> None:
    assert problems({**release(permit(who=[])), "status": status}) == []
