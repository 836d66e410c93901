"""What she never allows, from a form to the Consent that says it.

What lives here: making a refusal, an exception in it, and its end. What does not: the permissions
(``casework.permission_forms``), who is reached by a refusal (``access.principal``), words (``texts``).

A refusal needs no signature: saying no takes less than saying yes. Taking one away opens doors, so it is signed like a
permission. Where an exception is made, a permission of hers must still allow what it names.

Source: ``practice.md`` 5; ``consent.md`` F-08 and F-11; ``views.md`` 7 and 9 (a refusal with exceptions).
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from referral_hub.access.categories import CATEGORIES, INFORMATION_CATEGORY
from referral_hub.access.provision_elements import GOVERNMENT_OF, ORGANIZATION_KIND, ORGANIZATION_KINDS
from referral_hub.casework.permission_forms import CONSENT_FORM, LOINC
from referral_hub.errors import InvalidResource
from referral_hub.fhir.canonical import ACT_REASON, CONSENT_SCOPE, PARTICIPATION_TYPE, code_system
from referral_hub.fhir.dates import instant
from referral_hub.fhir.outcome import Issue
from referral_hub.resources.consent import CONSENT_KIND

ACTOR = "Consent.provision.actor"
CLASS = "Consent.provision.class"
DATA = "Consent.provision.provision.data"
KINDS = tuple(sorted(ORGANIZATION_KINDS - {"governmental"}))
"""The kinds a form offers; every government is a choice of its own."""
WHO = ("unit", "kind", "any-government", "government", "everyone")
_COUNTRY = re.compile(r"[A-Z]{2}")
_ROLE = {"coding": [{"system": PARTICIPATION_TYPE, "code": "IRCP"}]}


@dataclass(frozen=True, slots=True)
class Refused:
    """Whom she refuses, and what: all of it, or some kinds of information.

    Args:
        who: one of ``WHO``.
        value: the id of the unit, the kind, or the two letters of the country.
        categories: kinds of information; none: everything.
    """

    who: str
    value: str = ""
    categories: tuple[str, ...] = ()


def refusal_of(person: str, keeper: str, refused: Refused, at_us: int) -> dict[str, Any]:
    """Gives the Consent in which she refuses somebody.

    Args:
        person: public id of the Patient.
        keeper: id of the organisation that keeps it.
        refused: whom and what.
        at_us: now, when she said it.

    Raises:
        InvalidResource: it names nobody the hub knows, or no kind of information (422).
    """
    issues = []
    reference = _reference(refused)
    if reference is None and refused.who != "everyone":
        issues.append(Issue("error", "business-rule", "Choose who is never to have anything.", ACTOR))
    if not set(refused.categories) <= set(CATEGORIES):
        issues.append(Issue("error", "business-rule", "There is no such kind of information.", CLASS))
    if issues:
        raise InvalidResource(issues)
    provision: dict[str, Any] = {"type": "deny"}
    if reference is not None:
        provision["actor"] = [{"role": _ROLE, "reference": reference}]
    if refused.categories:
        provision["class"] = [{"system": INFORMATION_CATEGORY, "code": code} for code in refused.categories]
    return {
        **_head(person, keeper),
        "status": "active",
        "dateTime": instant(at_us),
        "performer": [{"reference": f"Patient/{person}"}],
        "provision": provision,
    }


def _reference(refused: Refused) -> dict[str, Any] | None:
    if refused.who == "unit" and refused.value:
        return {"reference": f"Organization/{refused.value}"}
    if refused.who == "kind" and refused.value in KINDS:
        return _logical(ORGANIZATION_KIND, refused.value)
    if refused.who == "any-government":
        return _logical(ORGANIZATION_KIND, "governmental")
    if refused.who == "government" and _COUNTRY.fullmatch(refused.value):
        return _logical(GOVERNMENT_OF, refused.value)
    return None


def with_exception(
    refusal: Mapping[str, Any], unit: str, purpose: str, things: Collection[str]
) -> dict[str, Any]:
    """Gives a refusal that makes room for single things to one organisation, for one purpose.

    Args:
        refusal: the Consent as stored; it is not altered.
        unit: id of the organisation.
        purpose: a code.
        things: records as ``Type/id``.

    Raises:
        InvalidResource: it names nobody or nothing (422).
    """
    issues = []
    if not unit:
        place = "Consent.provision.provision.actor"
        issues.append(Issue("error", "business-rule", "Choose who may have it all the same.", place))
    if not purpose:
        place = "Consent.provision.provision.purpose"
        issues.append(Issue("error", "business-rule", "Choose what it is for.", place))
    if not things:
        issues.append(Issue("error", "business-rule", "Choose the single thing it is about.", DATA))
    if issues:
        raise InvalidResource(issues)
    root = dict(refusal["provision"])
    exception = {
        "type": "permit",
        "actor": [{"role": _ROLE, "reference": {"reference": f"Organization/{unit}"}}],
        "purpose": [{"system": ACT_REASON if purpose.isupper() else code_system("purpose"), "code": purpose}],
        "data": [{"meaning": "instance", "reference": {"reference": one}} for one in sorted(things)],
    }
    root["provision"] = [*root.get("provision", ()), exception]
    return {**refusal, "provision": root}


def without_exceptions(refusal: Mapping[str, Any]) -> dict[str, Any]:
    """Gives a refusal that makes room for nothing any more."""
    root = {name: value for name, value in refusal["provision"].items() if name != "provision"}
    return {**refusal, "provision": root}


def lifted(refusal: Mapping[str, Any]) -> dict[str, Any]:
    """Gives a refusal that she takes back."""
    return {**refusal, "status": "inactive"}


def _head(person: str, keeper: str) -> dict[str, Any]:
    return {
        "resourceType": "Consent",
        "scope": {"coding": [{"system": CONSENT_SCOPE, "code": "patient-privacy"}]},
        "category": [
            {"coding": [{"system": LOINC, "code": CONSENT_FORM}]},
            {"coding": [{"system": CONSENT_KIND, "code": "refusal"}]},
        ],
        "patient": {"reference": f"Patient/{person}"},
        "organization": [{"reference": f"Organization/{keeper}"}],
        "policy": [{"uri": CONSENT_KIND}],
    }


def _logical(system: str, value: str) -> dict[str, Any]:
    return {"type": "Organization", "identifier": {"system": system, "value": value}}
