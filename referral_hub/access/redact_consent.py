"""What the recipient of a release reads of it: what was allowed to it, until when, nothing of anybody else.

What lives here: the cut copy of a Consent. What does not: what a Consent permits (``access.provisions``,
``access.decision``), who reads it whole (``access.views``).

The copy never says more than the release: where leaving something out would make it wider, there is no
copy.

Source: ``views.md`` 1 (cut); FHIR R4 ``consent.html`` (ppc-1).
"""

from collections.abc import Mapping
from typing import Any

from referral_hub.access.redact_rules import (
    absent,
    absent_list,
    absent_primitive,
    codings,
    concept,
    concepts,
    groups,
    keep,
    local_reference,
    plain,
    reference,
)
from referral_hub.access.redact_table import Reading, Rule, Table, copied
from referral_hub.errors import NotFound
from referral_hub.fhir.elements import reference_text

_LIMITS = ("actor", "action", "securityLabel", "purpose", "class", "code", "dataPeriod", "data", "extension")
"""Conditions of a provision: one left out would make the copy say more than was allowed."""


def _own_actor(value: Any, reading: Reading) -> dict[str, Any] | None:
    stays = reference(value, reading)
    return stays if stays and stays["reference"] == reading.myself else None


_ACTOR = Table({"role": concept, "reference": _own_actor}, required={"role": absent, "reference": None})
_INSTANCE = Table({"meaning": keep, "reference": reference}, required={"meaning": None, "reference": None})
_CONDITIONS: Mapping[str, Rule] = {
    "type": keep,
    "period": plain,
    "actor": groups(_ACTOR),
    "action": concepts,
    "securityLabel": codings,
    "purpose": codings,
    "class": codings,
    "code": concepts,
    "dataPeriod": plain,
    "data": groups(_INSTANCE),
}
_PROVISION = Table(_CONDITIONS)


def _names_reader(provision: Any, reading: Reading) -> bool:
    actors = provision.get("actor") if isinstance(provision, dict) else None
    return any(
        reference_text(actor.get("reference")) == reading.myself
        for actor in (actors if isinstance(actors, list) else ())
        if isinstance(actor, dict)
    )


def _provision(provision: Mapping[str, Any], reading: Reading) -> dict[str, Any] | None:
    """Gives one provision without anybody else, or None where that would widen it."""
    shown = _PROVISION.apply(provision, reading)
    if shown is None or any(name in provision and name not in shown for name in _LIMITS):
        return None
    return shown


def _root(value: Any, reading: Reading) -> dict[str, Any] | None:
    if not isinstance(value, dict):
        return None
    nested = value.get("provision")
    permits = []
    for item in nested if isinstance(nested, list) else ():
        if not _names_reader(item, reading) or item.get("type") != "permit" or "provision" in item:
            continue
        permit = _provision(item, reading)
        if permit:
            permits.append(permit)
    root = _provision(value, reading)
    return {**root, "provision": permits} if root and permits else None


_POLICY = Table({"authority": keep, "uri": keep}, one_of=(frozenset({"authority", "uri"}),))

CUT = Table(
    {
        "status": keep,
        "scope": concept,
        "category": concepts,
        "patient": local_reference,
        "dateTime": keep,
        "policy": groups(_POLICY),
        "policyRule": concept,
        "provision": _root,
    },
    required={"status": absent_primitive, "scope": absent, "category": absent_list, "provision": None},
    one_of=(frozenset({"policy", "policyRule"}),),
)


def consent_cut(consent: Mapping[str, Any], reading: Reading) -> dict[str, Any]:
    """Gives the recipient's copy of a release.

    Raises:
        NotFound: it holds no permit for this reader, or none that can be shown without saying too much.
    """
    shown = copied(consent, CUT, reading)
    if not shown["provision"]["provision"]:
        raise NotFound
    return shown
