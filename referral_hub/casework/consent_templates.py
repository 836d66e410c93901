"""What a permission for each kind of service asks for: the least that the service needs, and no more.

What lives here: one table. What does not: making a draft of it (``casework.consent_drafts``), the longest time of a
purpose (``exchange.consent_rules``), words (``texts``).

What is in ``least`` stands in the draft; what is in ``offered`` may be ticked and is off. Nothing else is offered:
it is a permission of its own.

Source: ``practice.md`` 2 to 4, 11 and 16; ``consent.md`` F-04 and F-07; ``views.md`` 9 (the return release).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from referral_hub.fhir.canonical import ACT_REASON, code_system

PURPOSE = code_system("purpose")


@dataclass(frozen=True, slots=True)
class Template:
    """One kind of service: its purpose, the categories that are on and those that may be ticked."""

    purpose: str
    least: tuple[str, ...]
    offered: tuple[str, ...]

    @property
    def system(self) -> str:
        """Gives the code system of the purpose."""
        return ACT_REASON if self.purpose.isupper() else PURPOSE

    @property
    def text_key(self) -> str:
        """Gives the key of the sentence that tells her what this permission is for."""
        return f"permission.for.{self.purpose.lower()}"


RETURN_CATEGORIES = ("outcome",)
"""What the way back tells: came or did not come, next date, needs more."""

TEMPLATES: Mapping[str, Template] = MappingProxyType(
    {
        template.purpose: template
        for template in (
            Template("first-night", ("identity", "housing"), ("health", "family")),
            Template("shelter-placement", ("identity", "housing"), ("health", "family", "safety", "plan")),
            Template("TREAT", ("identity", "health"), ("mental-health", "contact", "plan")),
            Template("health-care", ("identity", "health"), ("mental-health", "contact", "plan")),
            Template("therapy", ("identity", "mental-health"), ("health", "contact", "plan")),
            Template("court-support", ("identity", "proceedings"), ("legal-needs", "safety", "contact")),
            Template(
                "legal-representation",
                ("identity", "legal-needs"),
                ("proceedings", "immigration", "work-and-education", "family", "contact"),
            ),
            Template(
                "immigration-representation",
                ("identity", "immigration"),
                ("legal-needs", "family", "contact"),
            ),
            Template(
                "compensation",
                ("identity", "legal-needs"),
                ("proceedings", "work-and-education", "material-aid", "contact"),
            ),
        )
    }
)
"""By purpose. A purpose without a row (one a network registered) asks for identity alone."""


def template_of(purpose: str) -> Template:
    """Gives the template of a purpose.

    >>> template_of("TREAT").least
    ('identity', 'health')
    >>> template_of("residence-permit").least
    ('identity',)
    """
    return TEMPLATES.get(purpose) or Template(purpose, ("identity",), ())
