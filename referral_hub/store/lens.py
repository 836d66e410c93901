"""What of a caller the text of a statement depends on.

What lives here: the value alone, so that every module with conditions can take it. What does not: the conditions
(``store.reach_sql``, ``store.consent_filter``).
"""

from dataclasses import dataclass

from referral_hub.access.reach import Kind


@dataclass(frozen=True, slots=True)
class Lens:
    """The shape of a caller. ``kind`` as in ``access.reach``; the plain one acts for its whole organisation.

    ``person``: about one person only. ``bound``: bound to consents and categories. ``very``: what is very restricted
    may come with its token.
    """

    kind: Kind = "unit"
    person: bool = False
    bound: bool = False
    very: bool = True

    @property
    def herself(self) -> bool:
        """Tells whether the person reads her own record."""
        return self.kind == "herself"

    @property
    def by_person(self) -> bool:
        """Tells whether persons lead to what is seen, so that an organisation's rows need not be walked."""
        return self.person or self.kind in ("assigned", "herself")


PLAIN = Lens()
