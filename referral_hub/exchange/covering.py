"""Whether a release lets a notice about a person reach an organisation now, and if not, why.

What lives here: the answer a write needs before a referral leaves. What does not: the consent decision
(``exchange.openings``), what follows from the answer (``exchange.task_writing``).

Source: ``views.md`` 1 and 9.
"""

from referral_hub.access.principal import refusal_targets
from referral_hub.access.rows import Refusal
from referral_hub.exchange.judging import Coverage
from referral_hub.exchange.openings import Openings, Reader
from referral_hub.exchange.ports import OrganizationRow
from referral_hub.exchange.state import Working


def coverage_of(
    openings: Openings, owner: OrganizationRow, person: int, working: Working, at_us: int
) -> Coverage:
    """Tells whether a release lets a notice about the person reach the organisation now, and why not."""
    targets = refusal_targets(owner.facts)
    standing = working.standing(person, owner.facts.id, targets)
    fresh = working.changed_consents(person)
    for purpose in sorted({grant.purpose for grant in standing.grants}):
        found = openings.of(Reader(owner.facts, targets, purpose), standing, working, at_us, fresh=fresh)
        if "notice" in found.opened:
            ends = [
                g.valid_until_us for g in standing.grants if g.category == "notice" and g.purpose == purpose
            ]
            return Coverage(
                "live",
                identity="identity" in found.opened,
                until_us=max(ends, default=None),
                consents=found.consents,
            )
    if any(_in_force(refusal, at_us) for refusal in standing.refusals):
        return Coverage("refused")
    ended = any(grant.valid_until_us <= at_us for grant in standing.grants) or any(
        consent.status == "inactive" and f"Organization/{owner.facts.id}".encode() in consent.body
        for consent in working.consents(person)
    )
    return Coverage("ended" if ended else "none")


def _in_force(refusal: Refusal, at_us: int) -> bool:
    begun = refusal.valid_from_us is None or refusal.valid_from_us <= at_us
    return begun and (refusal.valid_until_us is None or at_us < refusal.valid_until_us)
