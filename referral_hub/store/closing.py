"""Closing, in the transaction of a restore, what must not come back alive.

What lives here: the statements. What does not: which they are about (``store.endings``), the order of a restore and
what is ended through the hub afterwards (``referral_hub.preserving``).

Source: ``views.md`` 8; ``engine.md`` 4; ADR 0042.
"""

import sqlalchemy as sa

from referral_hub.store import schema
from referral_hub.store.copying import Filling
from referral_hub.store.endings import Endings


def close_rights(into: Filling, since: Endings | None, hub: str) -> list[int]:
    """Closes rights in the same transaction that brings the rows; gives the persons whose permissions end.

    The network's coordinators keep their authorisation, since somebody has to authorise the others. They keep no
    password and no second factor: the operator gives each of those who still work a new one-time password.

    Args:
        into: the transaction.
        since: what ended after the backup; None where nobody knows, so that everything is closed.
        hub: id of the network's own organisation.
    """
    grants, people, account, software = (
        schema.consent_grant,
        schema.person,
        schema.account,
        schema.oauth_client,
    )
    granted = into.ids(sa.select(grants.c.person).distinct())
    closed = [person for person in granted if since is None or person in since.persons]
    for person in closed:
        into.run(sa.delete(grants).where(grants.c.person == person))
        into.run(sa.update(people).where(people.c.row_id == person).values(epoch=people.c.epoch + 1))
    first = (account.c.organization == hub) & (account.c.role == "coordinator")
    staff = sa.update(account).where(account.c.kind == "staff", ~first)
    coordinators = sa.update(account).where(account.c.kind == "staff", first)
    herself = sa.update(account).where(account.c.kind == "person", account.c.state == "active")
    clients = sa.update(software)
    if since is not None:
        staff = staff.where(account.c.organization.in_(since.organizations))
        herself = herself.where(account.c.organization.in_(since.organizations))
        coordinators = coordinators.where(account.c.organization.in_(since.organizations))
        clients = clients.where(software.c.client_id.in_(since.software))
    into.run(staff.values(authorised_by="", version=account.c.version + 1))
    into.run(coordinators.values(password_hash="", one_time=0, version=account.c.version + 1))
    if since is None or hub in since.organizations:
        firsts = sa.select(account.c.id).where(account.c.kind == "staff", first)
        for table in (schema.account_factor, schema.account_identity):
            into.run(sa.delete(table).where(table.c.account.in_(firsts)))
    into.run(herself.values(state="paused", version=account.c.version + 1))
    into.run(clients.values(active=0))
    return closed
