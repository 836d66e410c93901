"""In which information category a resource falls, and which labels it gets."""

from typing import Any

import pytest

from referral_hub.access.categories import (
    CATEGORIES,
    SERVICE_DOMAINS,
    category_of,
    service_category_coding,
)
from referral_hub.access.labels import confidentiality_of
from referral_hub.fhir.canonical import ACT_CODE, CONFIDENTIALITY, SDOHCC_ORDER_DETAIL, code_system
from referral_hub.resources.catalog import DEFINITIONS

OBSERVATION = "http://terminology.hl7.org/CodeSystem/observation-category"
CONDITION = "http://terminology.hl7.org/CodeSystem/condition-category"
ICD10 = "http://hl7.org/fhir/sid/icd-10"
FLAGS = "http://terminology.hl7.org/CodeSystem/flag-category"
GOALS = "http://terminology.hl7.org/CodeSystem/goal-category"
HUB = code_system("information-category")
DOMAIN = code_system("service-domain")


def coded(*pairs: tuple[str, str]) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code} for system, code in pairs]}


def resource(type_name: str, **elements: Any) -> dict[str, Any]:
    return {"resourceType": type_name, **elements}


@pytest.mark.parametrize(
    ("type_name", "inherited", "category"),
    [
        ("Patient", "", "identity"),
        ("RelatedPerson", "", "family"),
        ("RiskAssessment", "", "safety"),
        ("CarePlan", "", "plan"),
        ("CareTeam", "", "plan"),
        ("EpisodeOfCare", "", "plan"),
        ("Consent", "", "own"),
        ("AuditEvent", "", "own"),
        ("Provenance", "", "own"),
        ("Organization", "", "directory"),
        ("HealthcareService", "", "directory"),
        ("Location", "", "directory"),
        ("Endpoint", "", "directory"),
        ("Practitioner", "", "directory"),
        ("PractitionerRole", "", "directory"),
        ("Task", "housing", "housing"),
        ("Procedure", "health", "health"),
        ("Appointment", "legal-needs", "legal-needs"),
        ("Communication", "plan", "plan"),
        ("Binary", "immigration", "immigration"),
        ("Task", "", "very-restricted"),
        ("Binary", "very-restricted", "very-restricted"),
        ("Binary", "directory", "very-restricted"),
        ("Patient", "health", "identity"),
        ("Basic", "", "very-restricted"),
        ("", "", "very-restricted"),
    ],
)
def test_category_by_type(type_name: str, inherited: str, category: str) -> None:
    assert category_of(resource(type_name), inherited) == category


@pytest.mark.parametrize(
    ("body", "category"),
    [
        (resource("Condition", category=[coded((HUB, "immigration"))]), "immigration"),
        (resource("Condition", code=coded((HUB, "mental-health"))), "mental-health"),
        (resource("Condition", category=[coded((CONDITION, "problem-list-item"))]), "health"),
        (
            resource(
                "Condition",
                category=[coded((CONDITION, "encounter-diagnosis"))],
                code=coded((ICD10, "S61.0")),
            ),
            "health",
        ),
        (
            resource(
                "Condition", category=[coded((CONDITION, "problem-list-item"))], code=coded((ICD10, "F32.1"))
            ),
            "mental-health",
        ),
        (resource("Condition", code=coded((ICD10, "F11.2"))), "substance-use"),
        (resource("Condition", code=coded((ICD10, "Z59.0"))), "housing"),
        (resource("Condition", code=coded((ICD10, "Z59.5"))), "material-aid"),
        (resource("Condition", code=coded((ICD10, "Z65.1"))), "proceedings"),
        (
            resource(
                "Condition", category=[coded((CONDITION, "problem-list-item"))], code=coded((ICD10, "T74.2"))
            ),
            "very-restricted",
        ),
        (
            resource(
                "Condition",
                category=[coded((CONDITION, "problem-list-item"), (SDOHCC_ORDER_DETAIL, "homelessness"))],
            ),
            "housing",
        ),
        (resource("Condition", category=[coded((HUB, "health"))], code=coded((ICD10, "F32.1"))), "health"),
        (resource("Condition", category=[coded((HUB, "health"), (HUB, "mental-health"))]), "very-restricted"),
        (resource("Condition", category=[coded((HUB, "health"))], code=coded((HUB, "health"))), "health"),
        (resource("Condition", category=[coded((HUB, "shoes"))]), "very-restricted"),
        (
            resource(
                "Condition",
                category=[coded((SDOHCC_ORDER_DETAIL, "homelessness"), (SDOHCC_ORDER_DETAIL, "stress"))],
            ),
            "very-restricted",
        ),
        (resource("Condition", category=[{"text": "health"}]), "very-restricted"),
        (resource("Condition", category="health"), "very-restricted"),
        (resource("Condition"), "very-restricted"),
        *(
            (resource("Observation", category=[coded((OBSERVATION, code))]), "health")
            for code in ("vital-signs", "laboratory", "exam", "imaging", "procedure", "therapy", "activity")
        ),
        *(
            (resource("Observation", category=[coded((OBSERVATION, code))]), "very-restricted")
            for code in ("survey", "social-history")
        ),
        (resource("Observation", category=[coded((OBSERVATION, "survey"), (HUB, "outcome"))]), "outcome"),
        (
            resource(
                "Observation",
                category=[coded((OBSERVATION, "survey"), (SDOHCC_ORDER_DETAIL, "homelessness"))],
            ),
            "very-restricted",
        ),
        (
            resource("Observation", category=[coded((OBSERVATION, "survey"), (OBSERVATION, "exam"))]),
            "very-restricted",
        ),
        (resource("Observation", code=coded(("http://loinc.org", "8867-4"))), "very-restricted"),
        (resource("DocumentReference", type=coded(("http://loinc.org", "34133-9"))), "health"),
        (resource("DocumentReference", type=coded(("http://loinc.org", "59284-0"))), "very-restricted"),
        (
            resource(
                "DocumentReference",
                category=[coded((HUB, "legal-needs"))],
                type=coded(("http://loinc.org", "34133-9")),
            ),
            "legal-needs",
        ),
        (resource("DocumentReference", code=coded((HUB, "legal-needs"))), "very-restricted"),
        (resource("ServiceRequest", category=[coded((HUB, "housing"))]), "housing"),
        (resource("ServiceRequest", category=[coded((DOMAIN, "legal-aid"))]), "legal-needs"),
        (resource("ServiceRequest", code=coded((DOMAIN, "emergency-accommodation"))), "housing"),
        (
            resource(
                "ServiceRequest",
                category=[coded((HUB, "housing"))],
                code=coded((DOMAIN, "emergency-accommodation")),
            ),
            "housing",
        ),
        (
            resource(
                "ServiceRequest", category=[coded((HUB, "health"))], code=coded((DOMAIN, "counselling"))
            ),
            "very-restricted",
        ),
        (resource("ServiceRequest", category=[coded((DOMAIN, "juggling"))]), "very-restricted"),
        (
            resource("ServiceRequest", category=[coded((SDOHCC_ORDER_DETAIL, "food-insecurity"))]),
            "material-aid",
        ),
        (
            resource("ServiceRequest", category=[coded((SDOHCC_ORDER_DETAIL, "sdoh-category-unspecified"))]),
            "very-restricted",
        ),
        (
            resource("ServiceRequest", category=[coded(("http://snomed.info/sct", "409063005"))]),
            "mental-health",
        ),
        (resource("ServiceRequest", category=[coded(("http://snomed.info/sct", "363679005"))]), "health"),
        (
            resource("ServiceRequest", category=[coded(("http://snomed.info/sct", "409073007"))]),
            "very-restricted",
        ),
    ],
)
def test_category_by_code(body: dict[str, Any], category: str) -> None:
    assert category_of(body) == category
    assert category_of(body, "housing") == category


@pytest.mark.parametrize("type_name", sorted(DEFINITIONS))
def test_every_type_is_declared_with_a_category_or_where_to_find_it(type_name: str) -> None:
    definition = DEFINITIONS[type_name]
    alone = category_of(resource(type_name))
    if definition.category:
        assert alone == definition.category
        assert alone in (*CATEGORIES, "own", "directory")
        assert not definition.coded_by
        assert not definition.inherits
    else:
        assert definition.coded_by or definition.inherits
        assert alone == "very-restricted", "a resource that says nothing of its category"
        assert category_of(resource(type_name), "immigration") == (
            "immigration" if definition.inherits else "very-restricted"
        )


@pytest.mark.parametrize("type_name", [name for name, one in DEFINITIONS.items() if one.coded_by])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_the_hubs_own_code_comes_first_in_every_coded_type(type_name: str, place: int) -> None:
    coded_by = DEFINITIONS[type_name].coded_by
    path = coded_by[place % len(coded_by)]
    made: Any = {"coding": [{"system": HUB, "code": "housing"}]}
    if path == "meta.tag":
        made, path = {"tag": made["coding"]}, "meta"
    body = {"resourceType": type_name, path: made}
    assert category_of(body) == category_of(body, "health") == "housing"
    two = {**body, "meta": {"tag": [{"system": HUB, "code": "health"}]}}
    if path != "meta" and "meta.tag" in coded_by:
        assert category_of(two) == "very-restricted", "two categories at once"


@pytest.mark.parametrize("type_name", ["Encounter", "QuestionnaireResponse"])
def test_what_is_based_on_a_request_has_its_category(type_name: str) -> None:
    body = resource(type_name, type=[coded(("http://snomed.info/sct", "409063005"))])
    assert category_of(body, "housing") == "housing"
    assert category_of(body, "very-restricted") == "very-restricted"


@pytest.mark.parametrize(
    ("body", "category"),
    [
        (resource("Flag", category=[coded((FLAGS, "safety"))]), "safety"),
        (resource("Flag", category=[coded((FLAGS, "drug"))]), "health"),
        (resource("Flag", category=[coded((FLAGS, "contact"))]), "very-restricted"),
        (
            resource("Flag", category=[coded((FLAGS, "safety"))], code=coded((HUB, "legal-needs"))),
            "legal-needs",
        ),
        (resource("Goal", category=[coded((GOALS, "dietary"))]), "health"),
        (resource("Goal", category=[coded((GOALS, "behavioral"))]), "very-restricted"),
        (resource("Goal", category=[coded((SDOHCC_ORDER_DETAIL, "homelessness"))]), "housing"),
        (resource("Composition", type=coded(("http://loinc.org", "57133-1"))), "health"),
        (resource("Composition", type=coded(("http://loinc.org", "99999-9"))), "very-restricted"),
        (resource("Device", type=coded(("http://snomed.info/sct", "86184003"))), "very-restricted"),
        (
            resource(
                "Basic", code=coded(("http://terminology.hl7.org/CodeSystem/basic-resource-type", "diet"))
            ),
            "very-restricted",
        ),
        (resource("MeasureReport", type="individual"), "very-restricted"),
        (resource("Group", code=coded((HUB, "health"))), "own"),
    ],
)
def test_category_of_the_later_types(body: dict[str, Any], category: str) -> None:
    assert category_of(body) == category


def test_every_service_domain_leads_to_a_category() -> None:
    assert set(SERVICE_DOMAINS.values()) <= set(CATEGORIES)
    assert len(CATEGORIES) == len(set(CATEGORIES)) == 15


@pytest.mark.parametrize("category", [*CATEGORIES, "very-restricted", "own", "directory", ""])
def test_a_need_at_category_level(category: str) -> None:
    coding = service_category_coding(category)
    if category in CATEGORIES:
        assert coding == {"system": HUB, "code": category}
    else:
        assert coding["code"] == "masked"


@pytest.mark.parametrize(
    ("security", "category", "labels"),
    [
        ([], "health", ("R", ("THB",))),
        ([], "immigration", ("R", ("IMMIGRATION", "THB"))),
        ([], "proceedings", ("R", ("PROCEEDINGS", "THB"))),
        ([], "legal-needs", ("R", ("PROCEEDINGS", "THB"))),
        ([], "mental-health", ("R", ("PSY", "THB"))),
        ([], "substance-use", ("R", ("ETH", "THB"))),
        ([], "safety", ("R", ("SDV", "THB", "VIO"))),
        ([], "very-restricted", ("V", ("THB",))),
        ([], "directory", ("R", ())),
        ([(CONFIDENTIALITY, "V")], "health", ("V", ("THB",))),
        ([(CONFIDENTIALITY, "N")], "health", ("R", ("THB",))),
        ([(ACT_CODE, "HIV")], "health", ("R", ("HIV", "THB"))),
        ([(ACT_CODE, "NOREUSE")], "health", ("R", ("THB",))),
        ([(code_system("hub-sensitivity"), "LOCATION")], "housing", ("R", ("LOCATION", "THB"))),
        ([("urn:x", "HIV")], "health", ("R", ("THB",))),
    ],
)
def test_labels(security: list[tuple[str, str]], category: str, labels: tuple[str, tuple[str, ...]]) -> None:
    body = resource("Condition", meta={"security": coded(*security)["coding"]})
    assert confidentiality_of(body, category) == labels


@pytest.mark.parametrize(
    "more",
    [
        {"securityLabel": [coded((CONFIDENTIALITY, "V"))]},
        {"confidentiality": "V"},
        {"meta": {"security": [{"system": CONFIDENTIALITY, "code": "V"}]}},
    ],
)
def test_every_place_where_an_author_may_raise_the_label_counts(more: dict[str, Any]) -> None:
    assert confidentiality_of(resource("Composition", **more), "health")[0] == "V"
    assert confidentiality_of(resource("Composition", confidentiality="N"), "health")[0] == "R"
