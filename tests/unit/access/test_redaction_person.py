"""What of a Patient, a ServiceRequest and a release survives in which view."""

import copy
from typing import Any

import pytest

from referral_hub.access.redaction import render
from referral_hub.access.views import View
from referral_hub.errors import NotFound
from referral_hub.fhir.canonical import CANONICAL, code_system
from tests.unit.access.redaction_cases import (
    CLINIC,
    CONSENT,
    OTHER,
    PATIENT,
    SERVICE_REQUEST,
    actor,
    codes,
    concept,
    fresh,
    identifier,
    of,
    permit,
    plant,
    reference,
    texts,
    tick,
)

CONTACTS = frozenset({"identity", "contact"})
TAJIK = {"system": "urn:ietf:bcp:47", "code": "tg"}
AGE_GROUP = {"url": f"{CANONICAL}/StructureDefinition/age-group", "valueCode": "adult"}
AGE_BAND = {"url": f"{CANONICAL}/StructureDefinition/age-band", "valueCode": "25-34"}
INTERPRETER = {
    "url": "http://hl7.org/fhir/StructureDefinition/patient-interpreterRequired",
    "valueBoolean": True,
}


def head(type_name: str) -> set[str]:
    return of(type_name, "id", "meta.versionId", "meta.lastUpdated")


# ServiceRequest


def request_view(kind: str, **more: Any) -> View:
    return View(kind, CLINIC, **{"category": "health", **more})  # type: ignore[arg-type]


REQUEST_N = head("ServiceRequest") | of("ServiceRequest", "status", "intent", "priority", "subject.reference")
REQUEST_F = (
    REQUEST_N
    | codes(*(f"ServiceRequest.{name}" for name in (
        "category", "code", "orderDetail", "asNeededCodeableConcept", "performerType", "reasonCode", "bodySite",
        "occurrenceTiming.code",
    )))
    | of("ServiceRequest", "occurrenceDateTime", "authoredOn")
)  # fmt: skip


@pytest.mark.attack("S-21", "S-22")
def test_of_a_full_request_exactly_this_is_in_the_notice() -> None:
    planted = plant("ServiceRequest")
    assert planted.survivors(render(planted.resource, request_view("N"))) == REQUEST_N


def test_the_notice_tells_the_kind_of_help_in_the_hubs_own_words_only() -> None:
    finer = concept("sexual-assault-centre", "urn:example:services")
    own = concept("health", code_system("information-category"))
    shown = render(fresh(SERVICE_REQUEST, category=[finer, own]), request_view("N"))
    assert [item["coding"][0]["code"] for item in shown["category"]] == ["health"]


def test_a_number_of_the_senders_own_never_leaves() -> None:
    number = {**identifier("PLAC", "S-1"), "system": "urn:example:shelter-at-the-lake"}
    for kind in ("N", "F"):
        shown = render(
            fresh(SERVICE_REQUEST, identifier=[number, identifier("PLAC", "P-2")]),
            request_view(kind, categories=frozenset({"health"})),
        )
        assert [item["value"] for item in shown["identifier"]] == ["P-2"]


def test_full_adds_codes_and_measures_of_the_services_category() -> None:
    planted = plant("ServiceRequest")
    survive = planted.survivors(render(planted.resource, request_view("F", categories=frozenset({"health"}))))
    rest = survive - REQUEST_F
    assert survive >= REQUEST_F
    assert {place.split(".")[1] for place in rest} == {
        "quantityQuantity", "quantityRatio", "quantityRange", "occurrencePeriod", "occurrenceTiming",
    }  # fmt: skip
    assert not [place for place in rest if place.endswith((".display", ".text", ".id"))]


def test_v_and_free_text_of_a_request() -> None:
    planted = plant("ServiceRequest")
    categories = frozenset({"health"})
    very = planted.survivors(
        render(planted.resource, request_view("F", categories=categories, very_restricted=True))
    )
    assert {"ServiceRequest.note.text", "ServiceRequest.patientInstruction"} <= very
    assert "ServiceRequest.locationCode.coding.code" in very
    free = planted.survivors(
        render(planted.resource, request_view("F", categories=categories, from_shelter=False))
    )
    assert "ServiceRequest.note.text" in free
    assert "ServiceRequest.locationCode.coding.code" not in free
    for place in very:
        top = place.split(".")[1]
        assert top not in ("basedOn", "replaces", "requisition", "relevantHistory", "contained", "text")


def test_the_notice_of_a_request_names_the_kind_of_help_only() -> None:
    shown = render(fresh(SERVICE_REQUEST), request_view("N", requester="Organization/network"))
    assert shown["code"] == {"coding": [{"system": code_system("information-category"), "code": "health"}]}
    assert [item["coding"][0]["code"] for item in shown["orderDetail"]] == ["contacting-subject-prohibited"]
    assert shown["performer"] == [{"reference": "Organization/clinic-1"}]
    assert shown["subject"] == {"reference": "Patient/p1"}
    assert shown["requester"] == {"reference": "Organization/network"}
    told = " ".join(texts(shown))
    for word in ("secret", "shelter", "need-1", "detail-1", "reason-1", "name of", "shown as", "other-9"):
        assert word not in told, word


@pytest.mark.attack("S-28")
def test_the_reader_is_shown_as_performer_by_its_own_service_too() -> None:
    service = frozenset({"HealthcareService/h1"})
    request = fresh(SERVICE_REQUEST, performer=[reference("HealthcareService/h1"), reference("Device/x")])
    visible = frozenset({"Device/x"})
    shown = render(request, request_view("N", selves=service, visible=visible))
    assert shown["performer"] == [{"reference": "HealthcareService/h1"}]


@pytest.mark.parametrize("category", ["", "very-restricted"])
def test_an_unknown_kind_of_help_says_nothing_and_the_contact_rule_stands(category: str) -> None:
    shown = render(fresh(SERVICE_REQUEST), request_view("N", category=category))
    assert "coding" not in shown["code"]
    assert shown["orderDetail"]


def test_supporting_references_are_the_visible_ones() -> None:
    visible = frozenset({"Condition/c1", "DocumentReference/d1"})
    shown = render(
        fresh(SERVICE_REQUEST), request_view("F", categories=frozenset({"health"}), visible=visible)
    )
    assert shown["reasonReference"] == [{"reference": "Condition/c1"}]
    assert shown["supportingInfo"] == [{"reference": "DocumentReference/d1"}]
    assert shown["code"] == {"coding": [{"system": "http://snomed.info/sct", "code": "need-1"}]}


def test_an_immigration_request_stays_a_notice_without_v() -> None:
    categories = frozenset({"immigration"})
    asked = {"category": "immigration", "categories": categories}
    notice = render(fresh(SERVICE_REQUEST), request_view("N", category="immigration"))
    assert render(fresh(SERVICE_REQUEST), request_view("F", **asked)) == notice
    assert render(fresh(SERVICE_REQUEST), request_view("F", **asked, very_restricted=True)) != notice


def test_a_no_name_request_may_name_the_exact_need() -> None:
    shown = render(fresh(SERVICE_REQUEST), request_view("nameless"))
    assert shown["code"]["coding"][0]["code"] == "need-1"
    assert "requisition" not in shown


def test_do_not_perform_is_never_left_out() -> None:
    assert render(fresh(SERVICE_REQUEST, doNotPerform=True), request_view("N"))["doNotPerform"] is True


# Patient


def patient_view(kind: str, **more: Any) -> View:
    return View(kind, CLINIC, **more)  # type: ignore[arg-type]


@pytest.mark.attack("S-21", "S-22")
def test_of_a_full_patient_nothing_is_in_the_notice() -> None:
    planted = plant("Patient")
    assert planted.survivors(render(planted.resource, patient_view("N"))) == head("Patient")


@pytest.mark.parametrize(
    ("facts", "added"),
    [
        ((), {}),
        (("language",), {"communication": [{"language": {"coding": [TAJIK]}}]}),
        (("region",), {"address": [{"state": "North"}]}),
        (("gender",), {"gender": "female"}),
        (("age-band",), {"extension": [AGE_GROUP, INTERPRETER, AGE_BAND]}),
        (("name", "telecom", "birthDate"), {}),
        (("gender", "region"), {"gender": "female", "address": [{"state": "North"}]}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["N", "F"])
def test_the_notice_of_a_patient_adds_what_the_sender_ticked(
    kind: str, facts: tuple[str, ...], added: dict[str, Any]
) -> None:
    patient = fresh(PATIENT)
    patient["extension"] = [*patient["extension"], *tick(*facts)]
    shown = render(patient, patient_view(kind))
    shown.pop("meta")
    assert shown == {
        "resourceType": "Patient", "id": "p1", "extension": [AGE_GROUP, INTERPRETER], **added,
    }  # fmt: skip


def test_full_adds_who_she_is_where_identity_is_named() -> None:
    shown = render(fresh(PATIENT), patient_view("F", categories=frozenset({"identity"})))
    assert set(shown) == {
        "resourceType", "id", "meta", "extension", "name", "birthDate", "gender", "identifier",
    }  # fmt: skip
    assert shown["identifier"] == [{"system": f"{CANONICAL}/person", "value": "hub-7"}]
    assert shown["name"] == [{"use": "anonymous", "text": "Lark"}]


@pytest.mark.parametrize(
    ("categories", "very", "reachable"),
    [
        (frozenset({"contact"}), True, True),
        (frozenset({"contact"}), False, False),
        (frozenset({"identity"}), True, False),
        (CONTACTS, True, True),
        (CONTACTS, False, False),
    ],
)
def test_how_to_reach_her_needs_contact_and_v(
    categories: frozenset[str], very: bool, reachable: bool
) -> None:
    shown = render(fresh(PATIENT), patient_view("F", categories=categories, very_restricted=very))
    for name in ("telecom", "address", "contact"):
        assert (name in shown) is reachable, name
    assert ("name" in shown) is ("identity" in categories)


@pytest.mark.attack("S-22", "S-39")
def test_with_everything_open_these_places_of_a_patient_survive() -> None:
    planted = plant("Patient")
    survive = planted.survivors(
        render(planted.resource, patient_view("F", categories=CONTACTS, very_restricted=True))
    ) - head("Patient")
    assert {place.split(".")[1] for place in survive} == {
        "name", "birthDate", "gender", "telecom", "address", "contact",
    }  # fmt: skip
    assert not [place for place in survive if "extension" in place or "_" in place or place.endswith(".id")]
    assert not [place for place in survive if "organization" in place or "display" in place]


@pytest.mark.attack("S-39")
def test_her_link_to_a_no_name_record_is_in_no_view() -> None:
    for kind in ("N", "F", "nameless"):
        shown = render(
            fresh(PATIENT), patient_view(kind, categories=CONTACTS, very_restricted=True, named=True)
        )
        told = " ".join(texts(shown))
        for word in ("secret", "shelter", "maritalStatus", "generalPractitioner", "link"):
            assert word not in told, (kind, word)


def test_a_no_name_patient_is_adult_or_child_interpreter_or_not() -> None:
    shown = render(fresh(PATIENT), patient_view("nameless"))
    assert shown == render(fresh(PATIENT), patient_view("N"))


def test_age_group_and_interpreter_hold_nothing_else() -> None:
    odd = [
        {"url": AGE_GROUP["url"], "valueString": "secret"},
        {"url": AGE_GROUP["url"], "valueCode": "secret-code"},
        {"url": INTERPRETER["url"], "valueString": "secret"},
        {**INTERPRETER, "extension": [{"url": "urn:x", "valueString": "secret"}]},
    ]
    assert render(fresh(PATIENT, extension=odd), patient_view("N"))["extension"] == [INTERPRETER]


# Consent


def cut(**more: Any) -> View:
    return View("cut", CLINIC, person="Patient/p1", **more)


def test_the_cut_copy_of_a_release() -> None:
    shown = render(fresh(CONSENT), cut())
    told = " ".join(texts(shown))
    for word in ("secret", "shelter", "other-9", "name of", "shown as"):
        assert word not in told, word
    assert set(shown) == {
        "resourceType", "id", "meta", "status", "scope", "category", "patient", "dateTime", "policy",
        "provision",
    }  # fmt: skip
    assert shown["provision"]["type"] == "deny"
    (permitted,) = shown["provision"]["provision"]
    assert [item["reference"] for item in permitted["actor"]] == [{"reference": "Organization/clinic-1"}]
    assert [item["code"] for item in permitted["class"]] == ["identity", "health"]
    assert permitted["period"]["end"] == "2026-12-01T00:00:00Z"


@pytest.mark.attack("S-37")
def test_other_actors_of_the_same_permit_are_cut() -> None:
    shared = permit(CLINIC, "health")
    shared["actor"].append(actor(OTHER))
    shown = render(fresh(CONSENT, provision={"type": "deny", "provision": [shared]}), cut())
    assert OTHER not in " ".join(texts(shown))


def data(*references: str) -> list[dict[str, Any]]:
    return [{"meaning": "instance", "reference": reference(text)} for text in references]


def test_of_named_instances_the_visible_ones_are_told() -> None:
    named = permit(CLINIC, "health", data=data("Condition/c1", "Condition/secret"))
    consent = fresh(CONSENT, provision={"type": "deny", "provision": [named]})
    shown = render(consent, cut(visible=frozenset({"Condition/c1"})))
    (permitted,) = shown["provision"]["provision"]
    assert [item["reference"]["reference"] for item in permitted["data"]] == ["Condition/c1"]


@pytest.mark.parametrize(
    "provision",
    [
        {"type": "deny"},
        {"type": "deny", "provision": [permit(OTHER, "health")]},
        {"type": "deny", "provision": [{**permit(CLINIC, "health"), "type": "deny"}]},
        {"type": "deny", "provision": [permit(CLINIC, "health", data=data("Condition/secret"))]},
        {"type": "deny", "provision": [permit(CLINIC, "health", extension=[{"url": "urn:x"}])]},
        {"type": "deny", "provision": [permit(CLINIC, "health", provision=[permit(OTHER)])]},
        {"type": "deny", "actor": [actor(OTHER)], "provision": [permit(CLINIC, "health")]},
        {"type": "deny", "provision": [{**permit(CLINIC, "health"), "actor": []}]},
        {"type": "deny", "provision": [{k: v for k, v in permit(CLINIC, "health").items() if k != "actor"}]},
        {"type": "permit", "actor": [actor(CLINIC)]},
        None,
    ],
)
def test_where_leaving_out_would_widen_there_is_no_copy(provision: dict[str, Any] | None) -> None:
    with pytest.raises(NotFound):
        render(fresh(CONSENT, provision=provision), cut())


@pytest.mark.attack("S-37")
def test_of_a_full_consent_nobody_survives() -> None:
    planted = plant("Consent")
    provision = {"type": "deny", "provision": [permit(CLINIC, "health")]}
    shown = render({**planted.resource, "provision": provision}, cut())
    assert planted.survivors(shown) == head("Consent") | codes(
        "Consent.scope", "Consent.category", "Consent.policyRule"
    ) | of("Consent", "status", "dateTime", "policy.authority", "policy.uri", "patient.reference")


@pytest.mark.parametrize(
    "resource", [PATIENT, SERVICE_REQUEST, CONSENT], ids=lambda r: str(r["resourceType"])
)
@pytest.mark.parametrize("kind", ["N", "F", "nameless", "cut"])
def test_rendering_alters_nothing_and_is_the_same_twice(resource: dict[str, Any], kind: str) -> None:
    mine = fresh(resource)
    asked = View(
        kind,  # type: ignore[arg-type]
        CLINIC,
        "health",
        CONTACTS | {"health"},
        very_restricted=True,
        requester="Organization/network",
        visible=frozenset({"Condition/c1"}),
    )
    if (kind == "cut") is not (resource is CONSENT):
        with pytest.raises(NotFound):
            render(mine, asked)
        return
    before = copy.deepcopy(mine)
    once = render(mine, asked)
    assert mine == before
    assert render(once, asked) == once


def test_a_trafficking_code_leaves_in_no_concept() -> None:
    icd = "http://hl7.org/fhir/sid/icd-10-cm"
    told = concept("T74.51XA", icd)
    told["coding"] += [
        {"system": icd, "code": "Z0482"},
        {"system": "urn:oid:2.16.840.1.113883.6.90", "code": "Z91.42"},
        {"system": code_system("hub-sensitivity"), "code": "THB"},
        {"system": icd, "code": "S61.0"},
    ]
    request = fresh(SERVICE_REQUEST, reasonCode=[told], category=[told])
    for asked in (
        request_view("N"),
        request_view("F", categories=frozenset({"health"}), very_restricted=True, named=True),
    ):
        shown = render(request, asked)
        kept = [[{"system": icd, "code": "S61.0"}]] if asked.kind == "F" else []
        assert [item["coding"] for item in shown.get("category", [])] == kept
        assert not {"T74.51XA", "Z0482", "Z91.42", "THB"} & set(texts(shown))
