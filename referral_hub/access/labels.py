"""The labels a resource carries in its columns: how confidential, and how sensitive.

What lives here: the two label columns of a whole resource. What does not: labels of single elements, which
remove the element and never the resource (``access.views``), and what labels do to a permit
(``access.decision``). Labels never stand in the bytes that leave.

The whole resource is R. Immigration, proceedings, contact and a shelter's free text are V element by
element (``views.md`` 4), so their resources are R as well; only a resource of unknown category, or one
whose author labelled it V as a whole, is V.

Source: ``views.md`` 4; ``consent.md`` 3.1 (L-02, L-04, L-07).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

from referral_hub.access.categories import DIRECTORY, VERY_RESTRICTED
from referral_hub.fhir.canonical import ACT_CODE, CONFIDENTIALITY, code_system
from referral_hub.fhir.elements import codings

HUB_SENSITIVITY = code_system("hub-sensitivity")
HUB_SENSITIVITIES = ("THB", "LOCATION", "IMMIGRATION", "PROCEEDINGS", "SAFE-CONTACT")
"""Tags that v3-ActCode lacks. THB stands on everything about a person: a record here tells as much."""

_STANDARD_SENSITIVITIES = frozenset(
    {
        "ETH",
        "ETHUD",
        "HIV",
        "LOCIS",
        "OPIOIDUD",
        "PSY",
        "PSYTHPN",
        "SDV",
        "SEX",
        "STD",
        "SUD",
        "VIO",
    }
)
_BY_CATEGORY: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "contact": ("LOCATION", "SAFE-CONTACT"),
        "mental-health": ("PSY",),
        "substance-use": ("ETH",),
        "safety": ("SDV", "VIO"),
        "legal-needs": ("PROCEEDINGS",),
        "immigration": ("IMMIGRATION",),
        "proceedings": ("PROCEEDINGS",),
    }
)


def confidentiality_of(
    resource: Mapping[str, Any], category: str
) -> tuple[Literal["R", "V"], tuple[str, ...]]:
    """Gives the confidentiality and the sensitivity tags of a resource as it is written.

    An author may raise the label (``meta.security``, DocumentReference.securityLabel, Composition.confidentiality),
    never lower it.

    Args:
        resource: decoded FHIR JSON.
        category: its information category.

    Returns:
        ``R`` or ``V``, and bare codes of v3-ActCode and of the hub's own list, sorted.

    Source: ``views.md`` 4; ``consent.md`` L-02 to L-04.

    >>> confidentiality_of({"resourceType": "Condition"}, "mental-health")
    ('R', ('PSY', 'THB'))
    >>> confidentiality_of({"resourceType": "Condition"}, "very-restricted")
    ('V', ('THB',))
    """
    meta = resource.get("meta")
    stated = {
        *(codings(meta.get("security")) if isinstance(meta, Mapping) else ()),
        *codings(resource.get("securityLabel")),
        (CONFIDENTIALITY, str(resource.get("confidentiality", ""))),
    }
    very = category == VERY_RESTRICTED or (CONFIDENTIALITY, "V") in stated
    tags = set(_BY_CATEGORY.get(category, ()))
    if category != DIRECTORY:
        tags.add("THB")
    for system, code in stated:
        if (system == ACT_CODE and code in _STANDARD_SENSITIVITIES) or (
            system == HUB_SENSITIVITY and code in HUB_SENSITIVITIES
        ):
            tags.add(code)
    return ("V" if very else "R"), tuple(sorted(tags))
