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

_DIRECTORY_TYPES = frozenset(
    {"Organization", "HealthcareService", "Location", "Endpoint", "Practitioner", "PractitionerRole"}
)


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

DIRECTORY: Mapping[str, Table] = {
    "Organization": _ORGANIZATION,
    "HealthcareService": _HEALTHCARE_SERVICE,
    "Location": _LOCATION,
    "Endpoint": _ENDPOINT,
    "Practitioner": _PRACTITIONER,
    "PractitionerRole": _PRACTITIONER_ROLE,
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
        ),
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
