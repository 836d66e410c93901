"""Audit entries: what was done to what, by whom, standing on which consents. No names, no content.

Source: IHE BALP (patterns), ``engine.md`` 3, ``consent.md`` P-16.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Protocol

import msgspec

from referral_hub.access.principal import Principal
from referral_hub.exchange.change import AuditEntry, PageEntry
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


class Told(Protocol):
    """What of a row's release the audit tells."""

    @property
    def consents(self) -> tuple[tuple[str, str], ...]:
        """Gives the consents it stands on, id and version."""

    @property
    def discloses(self) -> bool:
        """Tells whether something about a person went to an organisation that did not write it."""


def page_entries(
    caller: Principal, interaction: str, rows: Iterable[tuple[ResourceRow, Told]], at_us: int
) -> list[AuditEntry | PageEntry]:
    """Gives the lines of one answered page: one for all persons of whom something was disclosed, one for the others.

    A page about one person or nobody has plain lines.
    """
    groups: dict[int | None, list[Any]] = {}
    for row, told in rows:
        entity = f"{row.type}/{row.id}/{row.version}"
        group = groups.get(row.person)
        if group is None:
            groups[row.person] = [entity, _consents_text(told.consents), told.discloses]
            continue
        group[0] += f" {entity}"
        more = _consents_text(told.consents)
        if more and more != group[1]:
            group[1] = " ".join(dict.fromkeys(f"{group[1]} {more}".split()))
        group[2] = group[2] or told.discloses
    found: list[AuditEntry | PageEntry] = []
    for disclosed in (True, False):
        some = tuple(
            [
                (person, entities, consents)
                for person, (entities, consents, discloses) in groups.items()
                if discloses is disclosed and person is not None
            ]
        )
        if not some:
            continue
        shared = read_entry(caller, interaction, None, (), (), at_us, own=not disclosed)
        if len(some) > 1:
            found.append(PageEntry(shared, some))
        else:
            ((person, entities, consents),) = some
            found.append(_about(shared, person, entities, consents))
    if None in groups or not groups:
        entities, consents, discloses = groups.get(None, ("", "", True))
        shared = read_entry(caller, interaction, None, (), (), at_us, own=not discloses)
        found.append(_about(shared, None, entities, consents))
    return found


def _about(shared: AuditEntry, person: int | None, entities: str, consents: str) -> AuditEntry:
    return msgspec.structs.replace(
        shared, person=person, entities=tuple(entities.split()), consents=tuple(consents.split())
    )


@lru_cache(maxsize=4096)
def _consents_text(consents: tuple[tuple[str, str], ...]) -> str:
    return " ".join([f"{consent}/{version}" for consent, version in consents])


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
