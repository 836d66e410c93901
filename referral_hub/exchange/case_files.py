"""That whoever opens a person's file works with her from then on, in the same Change.

What lives here: that one consequence of a create. What does not: assigning others (``exchange.assignments``), what an
assignment opens (``access.reach``).

Source: ``views.md`` 9 (Roles inside an organisation).
"""

from referral_hub.access.principal import Principal
from referral_hub.access.rows import CaseAssignment
from referral_hub.exchange.building import Draft
from referral_hub.exchange.proposal import Built


def assign_creator(caller: Principal, built: Built, draft: Draft) -> None:
    """Lets the account that opened a person's file work with her, in the same Change."""
    if not built.created or built.row.type != "Patient" or built.row.person is None:
        return
    reach = caller.reach
    if reach is None or not caller.account or reach.person is not None:
        return
    if reach.kind not in ("unit", "assigned", "intake"):
        return
    draft.assign(
        CaseAssignment(
            account=caller.account,
            person=built.row.person,
            organization=caller.organization_id,
            state="active",
            version=0,
            asked_by=caller.account,
            asked_us=draft.at_us,
            confirmed_by="",
            changed_us=draft.at_us,
        )
    )
