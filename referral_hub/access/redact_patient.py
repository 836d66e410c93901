"""What of a Patient the recipient of a referral reads: the notice, who she is, and how to reach her.

What lives here: the allow-lists N and F of ``views.md`` 1, and which further facts the sender ticked for
the notice. What does not: which of them applies (``access.views``).

In no list: ``link`` (it would tie her record to others), photo, the practitioners and the organisation that
look after her, where she may safely be contacted, whether the record is a no-name one.

Source: ``views.md`` 1, 4 and 9; ``consent.md`` F-16, S-39; core extension patient-interpreterRequired.
"""

from collections.abc import Mapping
from typing import Any

from referral_hub.access.redact_rules import (
    coding,
    concept,
    concepts,
    groups,
    keep,
    plain,
    reference,
    very,
    written,
)
from referral_hub.access.redact_table import Reading, Rule, Table, copied
from referral_hub.access.views import CONTACT, IDENTITY
from referral_hub.fhir.canonical import CANONICAL, INTERPRETER_REQUIRED, structure
from referral_hub.fhir.elements import extensions

AGE_GROUP = structure("age-group")
AGE_BAND = structure("age-band")
SHOW_IN_NOTICE = structure("show-in-notice")
HUB_IDENTIFIER = f"{CANONICAL}/"
"""What the system of a hub identifier begins with; identifiers of organisations and states never leave."""

_AGE_GROUPS = frozenset({"adult", "child"})


def ticked(patient: Mapping[str, Any]) -> frozenset[str]:
    """Gives which facts the sender ticked for the notice: language, region, gender, age-band; default none.

    >>> ticked({"extension": [{"url": SHOW_IN_NOTICE, "valueCode": "region"}]})
    frozenset({'region'})
    """
    found = (item.get("valueCode") for item in extensions(patient, SHOW_IN_NOTICE))
    return frozenset(code for code in found if isinstance(code, str))


def _notice_extensions(
    patient: Mapping[str, Any], chosen: frozenset[str], reading: Reading
) -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = []
    for item in extensions(patient, AGE_GROUP):
        if item.get("valueCode") in _AGE_GROUPS:
            shown.append({"url": AGE_GROUP, "valueCode": item["valueCode"]})
    for item in extensions(patient, INTERPRETER_REQUIRED):
        if isinstance(item.get("valueBoolean"), bool):
            shown.append({"url": INTERPRETER_REQUIRED, "valueBoolean": item["valueBoolean"]})
    if "age-band" in chosen:
        for item in extensions(patient, AGE_BAND):
            if isinstance(item.get("valueCode"), str):
                shown.append({"url": AGE_BAND, "valueCode": item["valueCode"]})
            elif band := coding(item.get("valueCoding"), reading):
                shown.append({"url": AGE_BAND, "valueCoding": band})
    return shown


def _languages(patient: Mapping[str, Any], reading: Reading) -> list[dict[str, Any]]:
    found = patient.get("communication")
    shown = []
    for item in found if isinstance(found, list) else ():
        language = concept(item.get("language"), reading) if isinstance(item, dict) else None
        if language:
            shown.append({"language": language})
    return shown


def _region(patient: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Gives the state alone, of the first address that is in use."""
    found = patient.get("address")
    for item in found if isinstance(found, list) else ():
        if isinstance(item, dict) and item.get("use") != "old" and isinstance(item.get("state"), str):
            return [{"state": item["state"]}]
    return []


def _finish_notice(shown: dict[str, Any], original: Mapping[str, Any], reading: Reading) -> None:
    chosen = ticked(original)
    for name, stays in (
        ("extension", _notice_extensions(original, chosen, reading)),
        ("communication", _languages(original, reading) if "language" in chosen else None),
        ("address", _region(original) if "region" in chosen and "address" not in shown else None),
    ):
        if stays:
            shown[name] = stays
    if "gender" in chosen and isinstance(original.get("gender"), str):
        shown["gender"] = original["gender"]


def _hub_identifiers(value: Any, reading: Reading) -> list[dict[str, Any]] | None:
    shown = []
    for item in value if isinstance(value, list) else ():
        system = item.get("system") if isinstance(item, dict) else None
        if (
            isinstance(system, str)
            and system.startswith(HUB_IDENTIFIER)
            and isinstance(item.get("value"), str)
        ):
            shown.append({"system": system, "value": item["value"]})
    return shown or None


_CONTACT_PERSON = Table(
    {
        "relationship": concepts,
        "name": written,
        "telecom": written,
        "gender": keep,
        "organization": reference,
        "period": plain,
    },
    one_of=(frozenset({"name", "telecom", "organization"}),),
)
"""Without an address: where a parent lives is in no copy of a child's file (``practice.md`` 8)."""


_IDENTITY_RULES: Mapping[str, Rule] = {
    "identifier": _hub_identifiers,
    "name": written,
    "gender": keep,
    "birthDate": keep,
}
_CONTACT_RULES: Mapping[str, Rule] = {
    "telecom": very(written),
    "address": very(written),
    "contact": very(groups(_CONTACT_PERSON)),
}

NOTICE = Table({}, finish=_finish_notice)
_BY_RELEASE = {
    (False, False): NOTICE,
    (True, False): Table(_IDENTITY_RULES, finish=_finish_notice),
    (False, True): Table(_CONTACT_RULES, finish=_finish_notice),
    (True, True): Table({**_IDENTITY_RULES, **_CONTACT_RULES}, finish=_finish_notice),
}


def patient_notice(patient: Mapping[str, Any], reading: Reading) -> dict[str, Any]:
    """Gives N: adult or child, interpreter or not, and what the sender ticked."""
    return copied(patient, NOTICE, reading)


def patient_full(patient: Mapping[str, Any], reading: Reading) -> dict[str, Any]:
    """Gives F: who she is where the release names identity; how to reach her where it names contact and V."""
    opened = reading.view.categories
    return copied(patient, _BY_RELEASE[IDENTITY in opened, CONTACT in opened], reading)
