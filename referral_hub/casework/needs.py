"""What somebody can need, as a referral says it: a code, the kind of information it falls in, and for which purpose.

What lives here: one table. What does not: words (``texts``, ``refer.need.*``), the code system itself (``profiles``),
which services there are (the directory).

Source: ``views.md`` 9 (information categories); ``practice.md`` 3 and 13 (no field asks what happened).
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from referral_hub.access.categories import SERVICE_DOMAINS
from referral_hub.fhir.canonical import code_system

NEED_KIND = code_system("need-kind")

NEEDS: Mapping[str, str] = MappingProxyType(
    {
        "safe-place-tonight": "housing",
        "place-to-live": "housing",
        "health-care-now": "health",
        "health-care": "health",
        "medicines": "health",
        "teeth": "health",
        "reproductive-health": "health",
        "help-in-crisis": "mental-health",
        "someone-to-talk-to": "mental-health",
        "sleep-and-rest": "mental-health",
        "alcohol-and-drugs": "substance-use",
        "feeling-safe": "safety",
        "company-on-the-way": "safety",
        "legal-information": "legal-needs",
        "unpaid-wages": "legal-needs",
        "compensation": "legal-needs",
        "no-punishment": "legal-needs",
        "residence-status": "immigration",
        "identity-documents": "immigration",
        "safe-return": "immigration",
        "support-in-proceedings": "proceedings",
        "food": "material-aid",
        "clothes-and-care-items": "material-aid",
        "phone": "material-aid",
        "money": "material-aid",
        "transport": "material-aid",
        "language-help": "material-aid",
        "work": "work-and-education",
        "education": "work-and-education",
        "language-learning": "work-and-education",
        "independent-living": "work-and-education",
        "contact-with-family": "family",
        "finding-family": "family",
        "child-care": "family",
        "company-and-community": "plan",
        "culture-and-faith": "plan",
        "mentor": "plan",
        "support-after-the-end": "plan",
    }
)
"""Kinds of need in the order people read them, each with its information category."""

TONIGHT = ("safe-place-tonight", "health-care-now", "help-in-crisis", "feeling-safe", "food", "transport")
"""What cannot wait for a permission."""

_PURPOSES: Mapping[str, str] = MappingProxyType(
    {
        "housing": "shelter-placement",
        "health": "TREAT",
        "mental-health": "therapy",
        "substance-use": "TREAT",
        "legal-needs": "legal-representation",
        "immigration": "immigration-representation",
        "proceedings": "court-support",
    }
)
_ELSE = "CAREMGT"
_OF_A_NEED: Mapping[str, str] = MappingProxyType(
    {"safe-place-tonight": "first-night", "compensation": "compensation"}
)


def purpose_of(kind: str, works_for: Sequence[str]) -> str:
    """Gives the purpose a permission for this need is for.

    Args:
        kind: a need.
        works_for: the purposes for which the recipient works, the usual one first; empty where nothing is known.

    >>> purpose_of("health-care", ("TREAT", "therapy")), purpose_of("unpaid-wages", ("TREAT",))
    ('TREAT', 'TREAT')
    """
    wanted = _OF_A_NEED.get(kind) or _PURPOSES.get(NEEDS.get(kind, ""), _ELSE)
    if works_for and wanted not in works_for:
        usual = _PURPOSES.get(NEEDS.get(kind, ""), _ELSE)
        return usual if usual in works_for else works_for[0]
    return wanted


def domains_of(kind: str) -> tuple[str, ...]:
    """Gives the service domains that may meet a need: those of its information category.

    >>> domains_of("alcohol-and-drugs")
    ('substance-use-treatment',)
    """
    category = NEEDS.get(kind, "")
    return tuple(domain for domain, falls_in in SERVICE_DOMAINS.items() if falls_in == category)
