"""What everybody reads in the directory; of a shelter a neutral name and no place.

What lives here: the allow-lists of the directory types. What does not: which practitioners are listed (the
gate).

Source: ``views.md`` 9 (category by type); ``consent.md`` F-18, S-30.
"""

from collections.abc import Mapping
from typing import Any

from referral_hub.access.redact_rules import (
    absent,
    absent_list,
    absent_primitive,
    coding,
    concept,
    concepts,
    groups,
    keep,
    plain,
    written,
)
from referral_hub.access.redact_table import Reading, Rule, Table, copied
from referral_hub.errors import NotFound
from referral_hub.fhir.canonical import structure
from referral_hub.resources.catalog import DEFINITIONS

_DIRECTORY_TYPES = frozenset(
    name for name, definition in DEFINITIONS.items() if definition.directory or definition.listed
)
_CAPACITY = structure("service-capacity")
_OF_CAPACITY = {"status": "valueCode", "as-of": "valueDateTime"}
_OF_QUESTIONS = frozenset({"ValueSet", "CodeSystem"})
"""What a questionnaire may carry inside itself: the codes to answer with."""


def public(value: Any, reading: Reading) -> Any:
    """Lets a value stay as published, without extensions and without what references call their targets."""
    if isinstance(value, dict):
        if "reference" in value:
            return _entry(value)
        shown = {
            name: stays
            for name, inner in value.items()
            if name not in ("id", "extension", "modifierExtension", "assigner")
            and name[0] != "_"
            and (stays := public(inner, reading)) is not None
        }
        return shown or None
    if isinstance(value, list):
        return [stays for item in value if (stays := public(item, reading)) is not None] or None
    return value


def _entry(value: dict[str, Any]) -> dict[str, Any] | None:
    """Lets a reference to another directory entry of the hub stay."""
    text = value.get("reference")
    if isinstance(text, str) and text.partition("/")[0] in _DIRECTORY_TYPES:
        return {"reference": text.partition("/_history/")[0]}
    return None


def as_published(value: Any, reading: Reading) -> Any:
    """Lets a value stay as published, extensions included; references only to other directory entries."""
    if isinstance(value, dict):
        if "reference" in value:
            return _entry(value)
        stay = {name: as_published(inner, reading) for name, inner in value.items()}
        shown = {name: inner for name, inner in stay.items() if inner is not None}
        if "url" in value and len(value) > 1 and not shown.keys() - {"url", "id"}:
            return None  # an extension whose value is hidden
        return shown or None
    if isinstance(value, list):
        # A null in a list holds the place of what stands beside it.
        stays = [as_published(item, reading) for item in value]
        return [
            one for one, item in zip(stays, value, strict=True) if one is not None or item is None
        ] or None
    return value


def _codes_inside(value: Any, reading: Reading) -> Any:
    """Lets the code lists stay that a questionnaire carries inside itself."""
    inside = [one for one in value if one.get("resourceType") in _OF_QUESTIONS]
    return as_published(inside, reading)


def _capacity(value: Any, reading: Reading) -> Any:
    """Lets of a service's extensions stay whether it has a place and when that was said; no words."""
    del reading
    told = []
    for one in value if isinstance(value, list) else ():
        if not isinstance(one, dict) or one.get("url") != _CAPACITY:
            continue
        parts = one.get("extension")
        known = (
            {"url": part["url"], kind: part[kind]}
            for part in (parts if isinstance(parts, list) else ())
            if isinstance(part, dict) and (kind := _OF_CAPACITY.get(str(part.get("url")), "")) in part
        )
        shown = list(known)
        if shown:
            told.append({"url": _CAPACITY, "extension": shown})
    return told or None


def _public(*names: str) -> dict[str, Rule]:
    return dict.fromkeys(names, public)


_ORGANIZATION = Table(
    _public(
        "identifier", "active", "type", "name", "alias", "telecom", "address", "partOf", "contact", "endpoint"
    ),
    one_of=(frozenset({"identifier", "name"}),),
)  # fmt: skip
_HEALTHCARE_SERVICE = Table(
    _public(
        "identifier", "active", "providedBy", "category", "type", "specialty", "location", "name", "comment",
        "extraDetails", "photo", "telecom", "coverageArea", "serviceProvisionCode", "eligibility", "program",
        "characteristic", "communication", "referralMethod", "appointmentRequired", "availableTime",
        "notAvailable", "availabilityExceptions", "endpoint",
    )
    | {"extension": _capacity}
)  # fmt: skip
_LOCATION = Table(
    _public(
        "identifier", "status", "operationalStatus", "name", "alias", "description", "mode", "type",
        "telecom", "address", "physicalType", "position", "managingOrganization", "partOf",
        "hoursOfOperation", "availabilityExceptions", "endpoint",
    )
)  # fmt: skip
_ENDPOINT = Table(
    {
        **_public("identifier", "name", "managingOrganization", "contact", "period"),
        "status": keep,
        "connectionType": coding,
        "payloadType": concepts,
        "payloadMimeType": keep,
        "address": keep,
    },
    required={
        "status": absent_primitive,
        "connectionType": absent,
        "payloadType": absent_list,
        "address": absent_primitive,
    },
)
_QUALIFICATION = Table({"code": concept, "period": plain}, required={"code": absent})
_PRACTITIONER = Table(
    {"active": keep, "name": written, "qualification": groups(_QUALIFICATION), "communication": public}
)
_PRACTITIONER_ROLE = Table(
    _public(
        "active", "period", "practitioner", "organization", "code", "specialty", "healthcareService",
        "availableTime",
    )
)  # fmt: skip

_DEVICE = Table(
    _public(
        "identifier", "definition", "status", "statusReason", "manufacturer", "modelNumber", "deviceName", "type",
        "version", "owner", "contact", "location", "url", "safety",
    )
)  # fmt: skip
_SCHEDULE = Table(
    _public(
        "identifier", "active", "serviceCategory", "serviceType", "specialty", "actor", "planningHorizon"
    ),
    required={"actor": None},
)
_SLOT = Table(
    _public(
        "identifier", "serviceCategory", "serviceType", "specialty", "appointmentType", "schedule", "status",
        "start", "end", "overbooked",
    ),
    required={
        "schedule": None, "status": absent_primitive, "start": absent_primitive, "end": absent_primitive
    },
)  # fmt: skip
_ORGANIZATION_AFFILIATION = Table(
    _public(
        "identifier", "active", "period", "organization", "participatingOrganization", "network", "code",
        "specialty", "healthcareService", "telecom", "endpoint",
    )
)  # fmt: skip


def _published(*names: str) -> dict[str, Rule]:
    """Gives the rules of something that is written to be read by everybody: as it is, extensions too."""
    of_every = (
        "extension", "url", "identifier", "version", "name", "title", "derivedFrom", "status", "experimental",
        "date", "publisher", "contact", "description", "useContext", "jurisdiction", "purpose", "copyright",
        "approvalDate", "lastReviewDate", "effectivePeriod",
    )  # fmt: skip
    return dict.fromkeys((*of_every, *names), as_published)


_QUESTIONNAIRE = Table(
    {**_published("subjectType", "code", "item"), "contained": _codes_inside},
    required={"status": absent_primitive},
)
_MEASURE = Table(
    _published(
        "subtitle", "subjectCodeableConcept", "usage", "topic", "author", "editor", "reviewer", "endorser",
        "relatedArtifact", "library", "disclaimer", "scoring", "compositeScoring", "type", "riskAdjustment",
        "rateAggregation", "rationale", "clinicalRecommendationStatement", "improvementNotation", "definition",
        "guidance", "group", "supplementalData",
    ),
    required={"status": absent_primitive},
)  # fmt: skip

DIRECTORY: Mapping[str, Table] = {
    "Organization": _ORGANIZATION,
    "HealthcareService": _HEALTHCARE_SERVICE,
    "Location": _LOCATION,
    "Endpoint": _ENDPOINT,
    "Practitioner": _PRACTITIONER,
    "PractitionerRole": _PRACTITIONER_ROLE,
    "Device": _DEVICE,
    "Schedule": _SCHEDULE,
    "Slot": _SLOT,
    "OrganizationAffiliation": _ORGANIZATION_AFFILIATION,
    "Questionnaire": _QUESTIONNAIRE,
    "Measure": _MEASURE,
}


def _neutral(shown: dict[str, Any], original: Mapping[str, Any], reading: Reading) -> None:
    """Gives a shelter's entry its neutral name; without one an identifier that tells nothing (org-1)."""
    if reading.view.neutral_name:
        shown["name"] = reading.view.neutral_name
    elif original.get("resourceType") == "Organization":
        shown["identifier"] = [reading.opaque_identifier()]


SHELTER: Mapping[str, Table] = {
    "Organization": Table(_public("active"), finish=_neutral),
    "HealthcareService": Table(
        _public(
            "active", "providedBy", "category", "type", "specialty", "serviceProvisionCode", "program",
            "characteristic", "communication", "referralMethod", "appointmentRequired", "availableTime",
        )
        | {"extension": _capacity},
        finish=_neutral,
    ),
}  # fmt: skip
"""A shelter's entries: an intake point and what it offers. Its Location and Endpoint are in no list."""


def directory(resource: Mapping[str, Any], reading: Reading) -> dict[str, Any]:
    """Gives everybody's copy of a directory entry.

    Raises:
        NotFound: it is a place of a shelter.
    """
    table = (SHELTER if reading.view.shelter else DIRECTORY).get(resource["resourceType"])
    if table is None:
        raise NotFound
    return copied(resource, table, reading)
