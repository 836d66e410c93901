"""Whom a caller may begin something about: a person of its own organisation's record, within its reach.

What lives here: that one look. What does not: what is begun (``web.portal.refer``).

Source: ``views.md`` 2 and 9 (Roles inside an organisation).
"""

from referral_hub.errors import NotFound
from referral_hub.exchange.hub import Hub
from referral_hub.exchange.reaching import check_working
from referral_hub.exchange.state import Working


def own_person(hub: Hub, token_digest: bytes, patient: str) -> int:
    """Gives the row id of a person's record that the caller's organisation keeps and the caller may see.

    Raises:
        NotFound: there is none such for this caller (404).
    """
    at_us = hub.clock()
    with hub.store.snapshot() as snapshot:
        caller = hub.identify(snapshot.token(token_digest), at_us)
        check_working(caller)
        row = snapshot.resource("Patient", patient)
        own = row is not None and not row.deleted and row.author == caller.organization_id
        if row is None or not own or not hub.gate.sees(caller, row, Working(snapshot), at_us):
            raise NotFound
        return row.row_id
