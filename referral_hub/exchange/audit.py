"""Audit entries: what was done to what, by whom, standing on which consents. No names, no content.

Source: IHE BALP (patterns), ``engine.md`` 3, ``consent.md`` P-16.
"""

from collections.abc import Iterable

from referral_hub.access.principal import Principal
from referral_hub.exchange.change import AuditEntry
from referral_hub.exchange.ports import ResourceRow

DONE, REFUSED, FAILED = 0, 4, 8


def write_entry(caller: Principal, interaction: str, row: ResourceRow, at_us: int) -> AuditEntry:
    """Gives the line of one write."""
    return AuditEntry(
        at_us=at_us,
        action={"create": "C", "update": "U", "delete": "D"}[interaction],
        interaction=interaction,
        outcome=DONE,
        organization=caller.organization_id,
        oauth_client=caller.oauth_client,
        user=caller.user,
        purpose=caller.purpose,
        person=row.person,
        entities=(f"{row.type}/{row.id}/{row.version}",),
    )


def read_entry(
    caller: Principal,
    interaction: str,
    person: int | None,
    entities: Iterable[str],
    consents: Iterable[tuple[str, str]],
    at_us: int,
    *,
    own: bool = False,
) -> AuditEntry:
    """Gives the line of one answered read about one person (None: about nobody).

    With ``own`` the caller learnt nothing that its organisation did not write or know: the line discloses to nobody.
    """
    return AuditEntry(
        at_us=at_us,
        action="R",
        interaction=interaction,
        outcome=DONE,
        organization=caller.organization_id,
        oauth_client=caller.oauth_client,
        user=caller.user,
        purpose=caller.purpose,
        person=person,
        entities=tuple(entities),
        consents=tuple(f"{consent}/{version}" for consent, version in consents),
        recipient="" if own else caller.organization_id,
    )


def refusal_entry(
    caller: Principal, interaction: str, person: int | None, recipient: str, reason: str, at_us: int
) -> AuditEntry:
    """Gives the line of a refused attempt: nothing was stored, but she and her custodian may know of it."""
    return AuditEntry(
        at_us=at_us,
        action="E",
        interaction=interaction,
        outcome=REFUSED,
        organization=caller.organization_id,
        oauth_client=caller.oauth_client,
        user=caller.user,
        purpose=caller.purpose,
        person=person,
        recipient=recipient,
        reason=reason,
    )


def delivery_entry(
    organization: str,
    recipient: str,
    row: ResourceRow,
    consents: Iterable[tuple[str, str]],
    kind: str,
    at_us: int,
) -> AuditEntry:
    """Gives the line of one delivery that left."""
    return AuditEntry(
        at_us=at_us,
        action="E",
        interaction=kind,
        outcome=DONE,
        organization=organization,
        oauth_client="",
        user="",
        purpose="",
        person=row.person,
        entities=(f"{row.type}/{row.id}/{row.version}",),
        consents=tuple(f"{consent}/{version}" for consent, version in consents),
        recipient=recipient,
    )
