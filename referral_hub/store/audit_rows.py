"""Audit rows: what an ``AuditEntry`` becomes, and the disclosure ledger beside it.

What lives here: rows of writes and of ingested reads, the ledger's folding, and reading an entry back. What
does not: the files reads are spooled to (``store.spool``), the chain (``store.sealer``).

A line that tells of a disclosure (done, about a person, with a recipient) is also counted in the ledger:
one row per person, recipient, user, purpose, consent version and hour.

Source: ``engine.md`` 3.
"""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from referral_hub.exchange.change import AuditEntry
from referral_hub.store import schema
from referral_hub.store.bodies import Bodies
from referral_hub.store.plan import Step, many
from referral_hub.store.sealing import Sealing

HOUR_US = 3_600_000_000
COLUMNS = [c.name for c in schema.audit.c]

Record = dict[str, Any]
"""One audit row without its id, its detail sealed."""


def detail_label(at_us: int, organization: str, action: str) -> str:
    """Gives the associated data of a sealed detail."""
    return f"audit/{at_us}/{organization}/{action}"


def record(sealing: Sealing, entry: AuditEntry, origin: str = "") -> Record:
    """Gives the row of an entry, its detail sealed under the person's key."""
    label = detail_label(entry.at_us, entry.organization, entry.action)
    detail_format, detail = sealing.seal(entry.detail, entry.person, label)
    return {
        "at_us": entry.at_us,
        "action": entry.action,
        "interaction": entry.interaction,
        "outcome": entry.outcome,
        "organization": entry.organization,
        "oauth_client": entry.oauth_client,
        "user_id": entry.user,
        "purpose": entry.purpose,
        "person": entry.person,
        "recipient": entry.recipient,
        "entities": " ".join(entry.entities),
        "consents": " ".join(entry.consents),
        "reason": entry.reason,
        "detail_format": detail_format,
        "detail": detail,
        "origin": origin,
    }


def ledger_rows(records: Iterable[Record]) -> list[Record]:
    """Gives what the ledger counts of these rows, in one order for everybody."""
    found = [
        {
            "person": row["person"],
            "recipient": row["recipient"],
            "user_id": row["user_id"],
            "purpose": row["purpose"],
            "consent": consent,
            "hour_us": row["at_us"] - row["at_us"] % HOUR_US,
            "at_us": row["at_us"],
        }
        for row in records
        if row["recipient"] and row["person"] is not None and row["outcome"] == 0
        for consent in (row["consents"].split() or [""])
    ]
    return sorted(found, key=lambda row: tuple(map(str, row.values())))


def record_steps(records: list[Record]) -> list[Step]:
    """Gives the steps that store audit rows and fold them into the ledger."""
    return [*many("audit_insert", records), *many("ledger_fold", ledger_rows(records))]


def audit_steps(sealing: Sealing, entries: Iterable[AuditEntry]) -> list[Step]:
    """Gives the steps of the audit entries of a Change."""
    return record_steps([record(sealing, entry) for entry in entries])


def entry_of(bodies: Bodies, row: sa.Row[Any] | tuple[Any, ...]) -> AuditEntry:
    """Reads an audit row back, its detail opened.

    Args:
        bodies: opens the detail.
        row: the columns of ``schema.audit`` in their order.

    Raises:
        Unavailable: where the detail cannot be opened.
    """
    found = dict(zip(COLUMNS, row, strict=True))
    label = detail_label(found["at_us"], found["organization"], found["action"])
    return AuditEntry(
        at_us=found["at_us"],
        action=found["action"],
        interaction=found["interaction"],
        outcome=found["outcome"],
        organization=found["organization"],
        oauth_client=found["oauth_client"],
        user=found["user_id"],
        purpose=found["purpose"],
        person=found["person"],
        entities=tuple(found["entities"].split()),
        consents=tuple(found["consents"].split()),
        recipient=found["recipient"],
        reason=found["reason"],
        detail=bodies.open(found["detail"], found["detail_format"], found["person"], label),
    )
