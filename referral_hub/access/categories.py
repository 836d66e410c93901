"""In which information category a resource falls, in the words she saw on the form.

What lives here: the categories, the service domains of the practice guide, and the tables from codes to a
category. What does not: which elements of a type are asked (``resources``, one declaration each), labels
(``access.labels``), which category an element of a view has (``access.views``), and what a category opens
(``access.decision``).

The table is used when a resource is written. What it does not know is very restricted, and so is a resource
that claims two categories at once: a release for one of them must not open the other. A code table is never
complete: who keeps notes about the mind, addiction or proceedings states the hub's own category code, which
always comes first.

Source: ``views.md`` 9; ``consent.md`` D-14 and L-07; ``mission.md`` 2 (what the practice guide asks for).
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from referral_hub.fhir.canonical import SDOHCC_ORDER_DETAIL, code_system
from referral_hub.fhir.elements import at_path, codings
from referral_hub.resources.catalog import DEFINITIONS

INFORMATION_CATEGORY = code_system("information-category")
SERVICE_DOMAIN = code_system("service-domain")

CATEGORIES: tuple[str, ...] = (
    "identity",
    "contact",
    "health",
    "mental-health",
    "substance-use",
    "safety",
    "housing",
    "legal-needs",
    "immigration",
    "proceedings",
    "work-and-education",
    "family",
    "material-aid",
    "plan",
    "outcome",
)
"""What a release can name."""

VERY_RESTRICTED = "very-restricted"
"""What the table does not know: no category of a release opens it, and it counts as V."""
NOTICE = "notice"
"""The bare notice of a referral: every release opens it to its recipient."""
DIRECTORY = "directory"
"""Organisations, services and places: every OAuth client reads them."""
OWN = "own"
"""Consents, audit and provenance: no permit covers them."""

SERVICE_DOMAINS: Mapping[str, str] = MappingProxyType(
    {
        "emergency-accommodation": "housing",
        "transitional-housing": "housing",
        "long-term-housing": "housing",
        "medical-care": "health",
        "emergency-medical-care": "health",
        "dental-care": "health",
        "reproductive-health-care": "health",
        "counselling": "mental-health",
        "psychological-therapy": "mental-health",
        "psychiatric-care": "mental-health",
        "crisis-support": "mental-health",
        "substance-use-treatment": "substance-use",
        "safety-planning": "safety",
        "accompaniment": "safety",
        "legal-aid": "legal-needs",
        "compensation": "legal-needs",
        "unpaid-wages": "legal-needs",
        "immigration-advice": "immigration",
        "identity-documents": "immigration",
        "criminal-proceedings-support": "proceedings",
        "employment-support": "work-and-education",
        "education": "work-and-education",
        "language-course": "work-and-education",
        "independent-living-skills": "work-and-education",
        "family-support": "family",
        "family-tracing": "family",
        "child-care": "family",
        "interpretation": "material-aid",
        "material-aid": "material-aid",
        "financial-aid": "material-aid",
        "food-and-clothing": "material-aid",
        "transport": "material-aid",
        "case-management": "plan",
        "community-activities": "plan",
        "mentoring": "plan",
        "aftercare": "plan",
    }
)
"""Services of the practice guide, each with the category that a request for it falls in."""

_OBSERVATION_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
_FLAG_CATEGORY = "http://terminology.hl7.org/CodeSystem/flag-category"
_GOAL_CATEGORY = "http://terminology.hl7.org/CodeSystem/goal-category"
_SNOMED = "http://snomed.info/sct"
_LOINC = "http://loinc.org"

_UNDECIDED = frozenset({(_OBSERVATION_CATEGORY, "social-history"), (_OBSERVATION_CATEGORY, "survey")})
"""Kinds that may hold anything: only the hub's own coding says what."""

_SPECIFIC: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        **{
            (SDOHCC_ORDER_DETAIL, code): category
            for code, category in (
                ("homelessness", "housing"),
                ("housing-instability", "housing"),
                ("inadequate-housing", "housing"),
                ("utility-insecurity", "housing"),
                ("financial-insecurity", "material-aid"),
                ("food-insecurity", "material-aid"),
                ("language-access", "material-aid"),
                ("material-hardship", "material-aid"),
                ("medical-cost-burden", "material-aid"),
                ("transportation-insecurity", "material-aid"),
                ("digital-access", "material-aid"),
                ("digital-literacy", "work-and-education"),
                ("educational-attainment", "work-and-education"),
                ("employment-status", "work-and-education"),
                ("health-insurance-coverage-status", "health"),
                ("personal-health-literacy", "health"),
                ("stress", "mental-health"),
                ("elder-abuse", "safety"),
                ("intimate-partner-violence", "safety"),
                ("incarceration-status", "proceedings"),
                ("sdoh-category-unspecified", VERY_RESTRICTED),
                ("social-connection", VERY_RESTRICTED),
                ("veteran-status", VERY_RESTRICTED),
            )
        },
        (_FLAG_CATEGORY, "safety"): "safety",
        (_GOAL_CATEGORY, "safety"): "safety",
        (_SNOMED, "409063005"): "mental-health",  # counselling
    }
)
_BROAD: Mapping[tuple[str, str], str] = MappingProxyType(
    dict.fromkeys(
        (
            *(
                (_OBSERVATION_CATEGORY, code)
                for code in (
                    "activity",
                    "exam",
                    "imaging",
                    "laboratory",
                    "procedure",
                    "therapy",
                    "vital-signs",
                )
            ),
            *((_FLAG_CATEGORY, code) for code in ("clinical", "diet", "drug", "lab")),
            *((_GOAL_CATEGORY, code) for code in ("dietary", "nursing", "physiotherapy")),
            ("http://terminology.hl7.org/CodeSystem/condition-category", "encounter-diagnosis"),
            ("http://terminology.hl7.org/CodeSystem/condition-category", "problem-list-item"),
            ("http://hl7.org/fhir/us/core/CodeSystem/condition-category", "health-concern"),
            ("http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category", "clinical-note"),
            (_SNOMED, "108252007"),  # laboratory procedure
            (_SNOMED, "363679005"),  # imaging
            (_SNOMED, "387713003"),  # surgical procedure
            (_LOINC, "11488-4"),  # consult note
            (_LOINC, "11506-3"),  # progress note
            (_LOINC, "18842-5"),  # discharge summary
            (_LOINC, "34117-2"),  # history and physical note
            (_LOINC, "34133-9"),  # summary of episode note
            (_LOINC, "57133-1"),  # referral note
            (_LOINC, "60591-5"),  # patient summary
        ),
        "health",
    )
)
_ICD10 = frozenset({"http://hl7.org/fhir/sid/icd-10", "http://hl7.org/fhir/sid/icd-10-cm"})
_ICD10_CHAPTERS: tuple[tuple[str, str], ...] = (
    ("F1", "substance-use"),
    ("F", "mental-health"),
    ("Z55", "work-and-education"),
    ("Z56", "work-and-education"),
    ("Z590", "housing"),
    ("Z591", "housing"),
    *((f"Z59{digit}", "material-aid") for digit in "4567"),
    *((f"Z65{digit}", "proceedings") for digit in "0123"),
    *((prefix, VERY_RESTRICTED) for prefix in ("T74", "T76", "Y07", "Z04", "Z59", "Z60", "Z65", "Z69")),
)
"""Prefixes, the first that fits counts: addiction, the mind, and what tells of violence, money or courts."""

_MASKED = MappingProxyType(
    {"system": "http://terminology.hl7.org/CodeSystem/data-absent-reason", "code": "masked"}
)


def category_of(resource: Mapping[str, Any], inherited: str = "") -> str:
    """Gives the information category of a resource as it is written.

    Args:
        resource: decoded FHIR JSON.
        inherited: the category of what it is based on (Procedure, Appointment, Encounter), focused on (Task)
            or named by (Binary); empty where there is none. A type that is coded too is asked for the hub's
            own code first.

    Returns:
        one of :data:`CATEGORIES`, :data:`DIRECTORY`, :data:`OWN`, or :data:`VERY_RESTRICTED` for what is
        not known.

    Source: ``views.md`` 9 (information categories, category by type).

    >>> category_of({"resourceType": "RiskAssessment"}), category_of({"resourceType": "Task"}, "housing")
    ('safety', 'housing')
    >>> category_of({"resourceType": "Condition", "code": {"text": "something"}})
    'very-restricted'
    """
    definition = DEFINITIONS.get(str(resource.get("resourceType", "")))
    if definition is None:
        return VERY_RESTRICTED
    if definition.category:
        return definition.category
    found = [
        pair
        for path in definition.coded_by
        for element in at_path(resource, path)
        for pair in codings(element)
    ]
    stated = _only(_hub_categories(found))
    if stated:
        return stated
    if definition.inherits and inherited:
        return inherited if inherited in CATEGORIES else VERY_RESTRICTED
    return _standard_category(found)


def service_category_coding(category: str) -> dict[str, str]:
    """Gives the coding that stands for the exact need where only its category may be told.

    A category that the table does not know is not told either.

    Source: ``views.md`` 1 (N: ``code`` at category level).

    >>> service_category_coding("housing")["code"], service_category_coding("very-restricted")["code"]
    ('housing', 'masked')
    """
    if category in CATEGORIES:
        return {"system": INFORMATION_CATEGORY, "code": category}
    return dict(_MASKED)


def _hub_categories(found: Iterable[tuple[str, str]]) -> set[str]:
    categories: set[str] = set()
    for system, code in found:
        if system == INFORMATION_CATEGORY:
            categories.add(code if code in CATEGORIES else VERY_RESTRICTED)
        elif system == SERVICE_DOMAIN:
            categories.add(SERVICE_DOMAINS.get(code, VERY_RESTRICTED))
    return categories


def _standard_category(found: Iterable[tuple[str, str]]) -> str:
    """Gives the category that codes of others say: a precise code before a broad one."""
    precise: set[str] = set()
    broad: set[str] = set()
    for pair in found:
        if pair in _UNDECIDED:
            return VERY_RESTRICTED
        if pair in _SPECIFIC:
            precise.add(_SPECIFIC[pair])
        elif pair in _BROAD:
            broad.add(_BROAD[pair])
        elif pair[0] in _ICD10:
            chapter = _icd10_category(pair[1])
            if chapter:
                precise.add(chapter)
    return _only(precise) or _only(broad) or VERY_RESTRICTED


def _icd10_category(code: str) -> str:
    plain = code.replace(".", "").upper()
    return next((category for prefix, category in _ICD10_CHAPTERS if plain.startswith(prefix)), "")


def _only(categories: set[str]) -> str:
    """Gives the one category; nothing where there is none; very restricted where they disagree."""
    if len(categories) > 1:
        return VERY_RESTRICTED
    return next(iter(categories), "")
