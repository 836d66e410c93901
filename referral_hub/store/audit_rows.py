"""Audit rows: what an ``AuditEntry`` becomes, and the disclosure ledger beside it.

What lives here: rows of writes and of ingested reads, the ledger's folding, and reading an entry back. What
does not: the files reads are spooled to (``store.spool``), the chain (``store.sealer``).

A page of a search tells of many persons. It is one row, one link of the chain, and names each of them with what is
hers; ``audit_subject`` finds it by person, and whoever asks about her is given her part alone.

A line that tells of a disclosure (done, about a person, with a recipient) is also counted in the ledger:
one row per person, recipient, user, purpose, consent version and hour.

Source: ``engine.md`` 3.
"""

from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any

import msgspec
import sqlalchemy as sa

from referral_hub.exchange.change import AuditEntry
from referral_hub.store import schema
from referral_hub.store.bodies import Bodies
from referral_hub.store.plan import Rule, Step, many
from referral_hub.store.sealing import Sealing

HOUR_US = 3_600_000_000
COLUMNS = [c.name for c in schema.audit.c]
LEDGER_COLUMNS = (
    "person",
    "recipient",
    "user_id",
    "purpose",
    "consent",
    "hour_us",
    "count",
    "first_us",
    "last_us",
)
_FIRST = itemgetter(0)

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


# --- several persons in one row --------------------------------------------------------------------------

Subject = tuple[int, str, str]
"""What a row about several persons says of one: the person, her entities and her consents as texts."""
PAGE_FORMAT = 2
"""The format of a detail that says whose the entities and consents of a row are."""
_parts = msgspec.json.Decoder(list[tuple[int, int, list[int]]])


class PageRecord(dict[str, Any]):
    """A row about several persons that was made here, with what it says of each: nobody has to read it back."""

    __slots__ = ("subjects",)

    def __init__(self, columns: Record, subjects: Sequence[Subject]) -> None:
        super().__init__(columns)
        self.subjects = subjects


def page_record(shared: Record, subjects: Sequence[Subject]) -> PageRecord:
    """Gives one row that tells of several persons, each named once.

    Args:
        shared: the columns that are the same for all of them.
        subjects: what differs.

    >>> page = page_record({"person": None}, [(7, "Task/a/1", "c/1"), (8, "Task/b/1", "c/1 d/2")])
    >>> page["entities"], page["consents"], page["detail"]
    ('Task/a/1 Task/b/1', 'c/1 d/2', b'[[7,1,[0]],[8,1,[0,1]]]')
    >>> [(one["person"], one["entities"], one["consents"]) for one in persons_of(page)]
    [(7, 'Task/a/1', 'c/1'), (8, 'Task/b/1', 'c/1 d/2')]
    """
    consents: dict[str, int] = {}
    places_of: dict[str, list[int]] = {}
    parts = []
    for person, entities, stood_on in subjects:
        places = places_of.get(stood_on)
        if places is None:
            places = [consents.setdefault(text, len(consents)) for text in stood_on.split()]
            places_of[stood_on] = places
        parts.append((person, entities.count(" ") + 1 if entities else 0, places))
    columns = {
        **shared,
        "person": None,
        "entities": " ".join([entities for _, entities, _ in subjects if entities]),
        "consents": " ".join(consents),
        "detail_format": PAGE_FORMAT,
        "detail": msgspec.json.encode(parts),
    }
    return PageRecord(columns, subjects)


def subjects_of(row: Record) -> list[Subject]:
    """Gives what a row about several persons says of each."""
    if isinstance(row, PageRecord):
        return list(row.subjects)
    entities, consents = row["entities"].split(), row["consents"].split()
    found: list[Subject] = []
    start = 0
    for person, count, places in _parts.decode(row["detail"]):
        own = entities[start : start + count]
        start += count
        found.append((person, " ".join(own), " ".join(consents[place] for place in places)))
    return found


def persons_of(row: Record) -> list[Record]:
    """Gives a row as one row for each person it tells of; a row about one person or nobody is itself."""
    if row["detail_format"] != PAGE_FORMAT:
        return [row]
    alone = {**row, "detail_format": 0, "detail": b""}
    return [
        {**alone, "person": person, "entities": entities, "consents": consents}
        for person, entities, consents in subjects_of(row)
    ]


# --- the ledger ------------------------------------------------------------------------------------------


LedgerKey = tuple[int, str, str, str, str, int]
"""Person, recipient, user, purpose, consent and hour."""


def ledger_counts(records: Iterable[Record]) -> dict[LedgerKey, list[int]]:
    """Gives what the ledger counts of these rows: how many, the first moment and the last."""
    found: dict[LedgerKey, list[int]] = {}
    for row in records:
        recipient = row["recipient"]
        if not recipient or row["outcome"] != 0:
            continue
        if row.get("detail_format") == PAGE_FORMAT:
            subjects = row.subjects if isinstance(row, PageRecord) else subjects_of(row)
        elif row["person"] is not None:
            subjects = ((row["person"], "", row["consents"]),)
        else:
            continue
        at_us, user, purpose = row["at_us"], row["user_id"], row["purpose"]
        hour_us = at_us - at_us % HOUR_US
        for person, _, consents in subjects:
            for consent in (consents,) if " " not in consents else consents.split():
                key = (person, recipient, user, purpose, consent, hour_us)
                counted = found.get(key)
                if counted is None:
                    found[key] = [1, at_us, at_us]
                else:
                    counted[0] += 1
                    if at_us < counted[1]:
                        counted[1] = at_us
                    elif at_us > counted[2]:
                        counted[2] = at_us
    return found


def ledger_rows(records: Iterable[Record]) -> list[Record]:
    """Gives what is folded into the ledger for these rows, in one order for everybody."""
    return [
        dict(zip(LEDGER_COLUMNS, (*key, *counted), strict=True))
        for key, counted in sorted(ledger_counts(records).items(), key=_FIRST)
    ]


def record_steps(records: list[Record]) -> list[Step]:
    """Gives the steps that store audit rows and fold them into the ledger."""
    steps = many("audit_insert", [row for row in records if row["detail_format"] != PAGE_FORMAT])
    for row in records:
        if row["detail_format"] == PAGE_FORMAT:
            persons = msgspec.json.encode([part[0] for part in subjects_of(row)]).decode()
            steps += many("audit_insert", [row])
            steps.append(("audit_subject_insert", Rule.ANY, {"persons": persons}))
    return [*steps, *many("ledger_fold", ledger_rows(records))]


def audit_steps(sealing: Sealing, entries: Iterable[AuditEntry]) -> list[Step]:
    """Gives the steps of the audit entries of a Change."""
    return record_steps([record(sealing, entry) for entry in entries])


def entry_of(bodies: Bodies, row: sa.Row[Any] | tuple[Any, ...], person: int | None = None) -> AuditEntry:
    """Reads an audit row back, its detail opened.

    Args:
        bodies: opens the detail.
        row: the columns of ``schema.audit`` in their order.
        person: whose part of it is wanted, where it may tell of several.

    Raises:
        Unavailable: where the detail cannot be opened.
    """
    found = dict(zip(COLUMNS, row, strict=True))
    if found["detail_format"] == PAGE_FORMAT:
        found = next(one for one in persons_of(found) if one["person"] == person)
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
