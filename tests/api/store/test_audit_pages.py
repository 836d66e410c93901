"""A page of a search is one row of the audit, and everybody on it still finds what is hers, and nothing else."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from referral_hub.exchange.change import AuditEntry
from referral_hub.store import schema
from referral_hub.store.audit_rows import entry_of, page_record, persons_of
from referral_hub.store.sealer import Sealer
from referral_hub.store.segments import Segments
from referral_hub.store.spool import Spool
from referral_hub.store.statements import constant
from referral_hub.store.verify import verify_audit
from referral_hub.store.view_queries import DISCLOSURES, RECIPIENTS
from tests.api.store.hubs import HOUR, NOW, Hub, entry

PERSONS = (11, 12, 13)
table = schema.audit_subject


@pytest.fixture
def spool(hub: Hub, tmp_path: Path) -> Iterator[Spool]:
    made = Spool(tmp_path / "audit", hub.keys)
    yield made
    made.close()


@pytest.fixture
def segments(hub: Hub, tmp_path: Path) -> Segments:
    return Segments(tmp_path / "audit", hub.database, hub.writer)


def line(person: int | None, **fields: object) -> AuditEntry:
    told = {
        "interaction": "search-type",
        "person": person,
        "recipient": "clinic",
        "entities": (f"Task/t{person}/v1", f"Task/u{person}/v2"),
        "consents": ("all/v1", f"c{person}/v1"),
    }
    return entry(**{**told, **fields})


def told_of(hub: Hub, person: int) -> list[AuditEntry]:
    rows = hub.database.run(DISCLOSURES, {"person": person})
    return [entry_of(hub.bodies, row, person) for row in rows]


def counted(hub: Hub) -> dict[tuple[int, str], int]:
    return {(row["person"], row["consent"]): row["count"] for row in hub.rows(schema.ledger)}


def test_a_page_is_one_row_and_each_person_finds_her_part(hub: Hub, spool: Spool, segments: Segments) -> None:
    page = [line(person) for person in PERSONS]
    spool.append(page, durable=True)
    assert segments.ingest(NOW).rows == 1
    (row,) = hub.rows(schema.audit)
    assert (row["person"], row["recipient"]) == (None, "clinic")
    for one in page:
        assert one.person is not None
        assert told_of(hub, one.person) == [one]
        assert list(hub.database.run(RECIPIENTS, {"person": one.person})) == [("clinic",)]
    assert told_of(hub, 99) == []
    assert counted(hub) == {(p, c): 1 for p in PERSONS for c in ("all/v1", f"c{p}/v1")}


def test_the_same_page_again_and_her_own_lines_stay_in_their_order(
    hub: Hub, spool: Spool, segments: Segments
) -> None:
    earlier, later = line(11, at_us=NOW - 2, interaction="read"), line(11, at_us=NOW + 2, interaction="read")
    pages = [[line(person, at_us=NOW + moment) for person in PERSONS] for moment in (0, 1)]
    for entries in ([earlier], *pages, [later]):
        spool.append(entries, durable=False)
    segments.ingest(NOW)
    assert told_of(hub, 11) == [earlier, pages[0][0], pages[1][0], later]
    assert counted(hub)[(11, "all/v1")] == 4
    assert counted(hub)[(12, "all/v1")] == 2


@pytest.mark.parametrize(
    ("entries", "rows"),
    [
        ([line(11), line(12, recipient="")], 2),
        ([line(11), line(11, entities=("Task/x/v1",))], 2),
        ([line(11), line(None)], 2),
        ([line(11), line(12, outcome=4, reason="Forbidden")], 2),
        ([line(11), line(12), line(13, recipient=""), line(14, recipient="")], 2),
        ([line(11), line(12, user="somebody")], 2),
        ([line(11, recipient=""), line(12, recipient="")], 1),
    ],
)
def test_what_differs_is_not_told_together(
    hub: Hub, spool: Spool, segments: Segments, entries: list[AuditEntry], rows: int
) -> None:
    spool.append(entries, durable=False)
    assert segments.ingest(NOW).rows == rows
    for person in {one.person for one in entries if one.person is not None}:
        mine = [one for one in entries if one.person == person]
        assert sorted(told_of(hub, person), key=repr) == sorted(mine, key=repr)


def test_a_page_that_disclosed_nothing_is_not_in_the_ledger(
    hub: Hub, spool: Spool, segments: Segments
) -> None:
    spool.append([line(person, recipient="") for person in PERSONS], durable=False)
    segments.ingest(NOW)
    assert hub.rows(schema.ledger) == []
    assert len(told_of(hub, 11)) == 1


def test_the_audit_with_pages_holds_and_each_falsification_is_named(
    hub: Hub, spool: Spool, segments: Segments, tmp_path: Path
) -> None:
    file = tmp_path / "checkpoints.jsonl"
    sealer = Sealer(hub.database, hub.writer, hub.keys, file)
    for moment in (0, HOUR):
        spool.append([line(person, at_us=NOW + moment) for person in PERSONS], durable=False)
    segments.ingest(NOW)
    assert sealer.seal(NOW) == 2
    assert verify_audit(hub.database, hub.keys, file).holds
    first, second = sorted(row["id"] for row in hub.rows(schema.audit))
    removed = sa.delete(table).where(table.c.person == constant(12), table.c.audit == constant(first))
    slipped_in = sa.delete(table).where(table.c.person == constant(99))
    for falsify, undo in (
        (removed, _found(12, first)),
        (_found(99, second), slipped_in),
        (_found(99, second + 100), slipped_in),
    ):
        hub.run(falsify)
        assert "found by" in verify_audit(hub.database, hub.keys, file).broken
        hub.run(undo)
        assert verify_audit(hub.database, hub.keys, file).holds
    hub.run(sa.update(schema.audit).where(schema.audit.c.id == constant(first)).values(entities=constant("")))
    assert "was changed" in verify_audit(hub.database, hub.keys, file).broken


def _found(person: int, audit: int) -> sa.Insert:
    return sa.insert(table).values(person=constant(person), audit=constant(audit))


_NAMES = st.text("abcdef123/-", min_size=1, max_size=12)
_SUBJECTS = st.lists(
    st.tuples(st.integers(1, 2**62), st.lists(_NAMES, max_size=4), st.lists(_NAMES, max_size=4, unique=True)),
    max_size=6,
    unique_by=lambda one: one[0],
)


@given(_SUBJECTS)
def test_nothing_is_lost_or_mixed_between_persons(subjects: list[tuple[int, list[str], list[str]]]) -> None:
    told = [(person, " ".join(entities), " ".join(consents)) for person, entities, consents in subjects]
    page = page_record({"person": None, "at_us": 1}, told)
    assert [(one["person"], one["entities"], one["consents"]) for one in persons_of(page)] == told
