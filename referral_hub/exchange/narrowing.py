"""A release without one kind of information: what is left of it, or nothing.

What lives here: a pure function over the decoded Consent. What does not: who may ask, and writing it
(``exchange.withdrawing``).

It can only take away. What it cannot take apart with certainty it takes away whole.

Source: ``consent.md`` 5.5 (one category); ``views.md`` 9 (information categories).
"""

from collections.abc import Callable
from typing import Any

from referral_hub.access.categories import INFORMATION_CATEGORY
from referral_hub.exchange.recall_reach import permits_of
from referral_hub.fhir.elements import reference_text

CategoryOf = Callable[[str], str]
"""Gives the information category of ``Type/id``; an empty text where it is not known."""


def names_category(consent: dict[str, Any], category: str, category_of: CategoryOf) -> bool:
    """Tells whether any permit of a Consent may open a kind of information."""
    return any(_left(permit, category, category_of) != permit for permit in permits_of(consent))


def without_category(
    consent: dict[str, Any], category: str, category_of: CategoryOf
) -> dict[str, Any] | None:
    """Gives a release that opens everything it did but one kind of information; None where nothing is left.

    Args:
        consent: the decoded Consent as stored; it is not altered.
        category: the information category she takes back.
        category_of: of a single record it names.

    >>> health = {"system": INFORMATION_CATEGORY, "code": "health"}
    >>> legal = {"system": INFORMATION_CATEGORY, "code": "legal-needs"}
    >>> permit = {"type": "permit", "class": [health, legal]}
    >>> release = {"provision": {"type": "deny", "provision": [permit]}}
    >>> without_category(release, "health", str)["provision"]["provision"][0]["class"] == [legal]
    True
    >>> without_category({"provision": {"type": "deny", "provision": [{**permit, "class": [health]}]}}, "health", str)
    """
    root = consent.get("provision")
    nested = root.get("provision") if isinstance(root, dict) else None
    if not isinstance(root, dict) or root.get("type") != "deny" or not isinstance(nested, list):
        return None
    if not all(isinstance(permit, dict) and permit.get("type") == "permit" for permit in nested):
        return None
    left = [kept for permit in nested if (kept := _left(permit, category, category_of)) is not None]
    if not left:
        return None
    return {**consent, "provision": {**root, "provision": left}}


def _left(permit: dict[str, Any], category: str, category_of: CategoryOf) -> dict[str, Any] | None:
    kept = dict(permit)
    classes, data = permit.get("class"), permit.get("data")
    if classes:
        if not isinstance(classes, list):
            return None
        kept["class"] = [one for one in classes if _stays(one, category)]
        if not kept["class"]:
            return None
    if data:
        if not isinstance(data, list):
            return None
        kept["data"] = [one for one in data if _category(one, category_of) not in ("", category)]
        if not kept["data"]:
            return None
    return kept if classes or data else None


def _stays(coding: Any, category: str) -> bool:
    """Tells whether a class is surely something else than what she takes back."""
    if not isinstance(coding, dict) or coding.get("system") != INFORMATION_CATEGORY:
        return False
    return isinstance(coding.get("code"), str) and coding["code"] != category


def _category(item: Any, category_of: CategoryOf) -> str:
    name = reference_text(item.get("reference")) if isinstance(item, dict) else ""
    return category_of("/".join(name.split("/")[:2])) if name else ""
