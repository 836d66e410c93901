"""How a clinic sees one clinical record that the person allowed for an emergency.

What lives here: the decision and the view, for the gate. What does not: who may ask (``exchange.emergency``), what
such a permission may name (``access.emergency``).

Source: ``consent.md`` section 0 point 7 and P-08; ``views.md`` 4.
"""

from referral_hub.access.emergency import OPENING
from referral_hub.access.principal import Principal
from referral_hub.access.views import granted_view
from referral_hub.exchange.openings import Openings, Reader
from referral_hub.exchange.ports import ResourceRow
from referral_hub.exchange.row_facts import facts_of
from referral_hub.exchange.sight import Seen
from referral_hub.exchange.state import Working


def seen_in_emergency(
    openings: Openings, caller: Principal, row: ResourceRow, working: Working, at_us: int
) -> Seen | None:
    """Gives the view, or None where no permission for emergencies opens it or a refusal stops it.

    Nothing very restricted is in it, nothing it points at, and no place of a shelter.
    """
    if row.person is None or row.locked or row.author == caller.organization_id:
        return None
    standing = working.standing(row.person, caller.organization_id, caller.refusal_targets)
    reader = Reader(caller.organization, caller.refusal_targets, OPENING, caller.role)
    decision = openings.one(reader, standing, facts_of(row), working, at_us, fresh=True)
    if decision.outcome != "permit":
        return None
    return Seen(granted_view(reader=caller.organization_id, category=row.category), decision.consents)
