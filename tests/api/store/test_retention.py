"""Retention of the audit: what is over its time goes, the chain holds, and no other removal passes for one."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from referral_hub.exchange.change import AuditEntry
from referral_hub.setting_values import AUDIT_DAYS, audit_days
from referral_hub.store import schema
from referral_hub.store.audit_rows import page_record, record, record_steps
from referral_hub.store.leases import Lease
from referral_hub.store.plan import own_plan
from referral_hub.store.retention import BATCH, DAY_US, KINDS, Retention
from referral_hub.store.sealer import Sealer
from referral_hub.store.sealing import Sealing
from referral_hub.store.statements import constant
from referral_hub.store.verify import Verdict, verify_audit
from tests.api.store.hubs import HOUR, NOW, Hub, entry

AUDIT, GONE, REMOVAL, SEAL = schema.audit, schema.audit_gone, schema.audit_removal, schema.audit_seal
DAYS = dict.fromkeys(AUDIT_DAYS, 100)
OLD = NOW - 101 * DAY_US
LINES: dict[str, dict[str, Any]] = {
    "disclosures": {"person": 7, "recipient": "clinic", "action": "R"},
    "changes": {"person": 7, "recipient": "", "action": "U"},
    "refusals": {"person": 7, "recipient": "clinic", "action": "E", "outcome": 4},
    "reads": {"person": 7, "recipient": "", "action": "R"},
    "others": {"person": None, "recipient": "", "action": "E"},
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "audit" / "checkpoints.jsonl"


@pytest.fixture
def sealer(hub: Hub, file: Path) -> Sealer:
    return Sealer(hub.database, hub.writer, hub.keys, file)


def retention(hub: Hub, days: dict[str, int] | None = None, directory: Path | None = None) -> Retention:
    return Retention(hub.database, hub.writer, hub.keys, days or DAYS, directory)


def tell(hub: Hub, at_us: int, *kinds: str, count: int = 1) -> None:
    lines = [entry(at_us=at_us + place, **LINES[kind]) for kind in kinds for place in range(count)]
    hub.apply(audit=tuple(lines))


def page(hub: Hub, at_us: int) -> None:
    """One answered search that told of three persons."""
    shared = record(Sealing(hub.bodies.keys), AuditEntry(**{**_plain(at_us), "recipient": "clinic"}))
    row = page_record(shared, [(7, "Task/a/1", "c/1"), (8, "Task/b/1", ""), (9, "Task/d/1", "")])
    hub.writer.apply(own_plan(at_us, *record_steps([row])))


def _plain(at_us: int) -> dict[str, Any]:
    found = entry(at_us=at_us, person=None)
    return {name: getattr(found, name) for name in found.__struct_fields__}


def verified(hub: Hub, file: Path) -> Verdict:
    return verify_audit(hub.database, hub.keys, file)


@pytest.fixture
def removed(hub: Hub, sealer: Sealer, file: Path) -> Hub:
    """A hub with a removal behind it, and lines of each kind from before and from after."""
    tell(hub, OLD, *LINES, count=2)
    page(hub, OLD)
    tell(hub, NOW, *LINES)
    sealer.seal(NOW, checkpoint=True)
    assert verified(hub, file).holds
    retention(hub).remove(NOW)
    sealer.seal(NOW + HOUR, checkpoint=True)
    return hub


def test_what_is_over_its_time_goes_and_the_audit_holds(removed: Hub, file: Path):
    verdict = verified(removed, file)
    assert (verdict.broken, verdict.links) == ("", 5 * 2 + 1 + 5 + 5)
    rows = removed.rows(AUDIT)
    assert min(row["at_us"] for row in rows) >= NOW
    assert [row["reason"] for row in rows if row["interaction"] == "retention"] == [
        "disclosures 3",
        "changes 2",
        "refusals 2",
        "reads 2",
        "others 2",
    ]
    assert len(removed.rows(GONE)) == 11
    assert removed.rows(schema.audit_subject) == []
    assert all(row["hour_us"] >= NOW - HOUR for row in removed.rows(schema.ledger))


def test_each_kind_has_its_own_time(hub: Hub, sealer: Sealer, file: Path):
    tell(hub, OLD, *LINES)
    sealer.seal(NOW)
    days = {**dict.fromkeys(KINDS, 0), "reads": 90, "changes": 102}
    assert retention(hub, days).over(NOW) == {**dict.fromkeys(KINDS, 0), "reads": 1}
    assert retention(hub, days).remove(NOW).rows == {**dict.fromkeys(KINDS, 0), "reads": 1}
    assert verified(hub, file).holds
    assert len(hub.rows(schema.ledger)) == 1


def test_every_line_is_of_one_kind(hub: Hub, sealer: Sealer):
    tell(hub, OLD, *LINES)
    page(hub, OLD)
    assert sum(retention(hub).over(NOW).values()) == len(hub.rows(AUDIT)) == 6
    assert retention(hub).over(NOW)["disclosures"] == 2


def test_more_than_a_batch_goes_in_one_pass_and_a_second_finds_nothing(hub: Hub, sealer: Sealer, file: Path):
    tell(hub, OLD, "disclosures", count=BATCH + 3)
    sealer.seal(NOW)
    assert retention(hub).remove(NOW).rows["disclosures"] == BATCH + 3
    assert sum(retention(hub).remove(NOW + DAY_US).rows.values()) == 0
    assert len(hub.rows(REMOVAL)) == 2
    assert verified(hub, file).holds


def test_the_ledger_holds_while_a_removal_is_half_done(
    hub: Hub, sealer: Sealer, file: Path, monkeypatch: Any
):
    monkeypatch.setattr("referral_hub.store.retention.MOST", 1)
    tell(hub, OLD, "disclosures", count=BATCH + 3)
    sealer.seal(NOW)
    assert retention(hub).remove(NOW).rows["disclosures"] == BATCH
    assert verified(hub, file).holds


def test_a_line_that_is_not_sealed_yet_stays(hub: Hub, sealer: Sealer, file: Path):
    tell(hub, OLD, "reads")
    assert retention(hub).remove(NOW).rows["reads"] == 0
    sealer.seal(NOW)
    assert retention(hub).remove(NOW).rows["reads"] == 1


def test_a_younger_line_keeps_what_came_after_it(hub: Hub, sealer: Sealer):
    tell(hub, NOW, "reads")
    tell(hub, OLD, "reads")
    sealer.seal(NOW)
    assert retention(hub).remove(NOW).rows["reads"] == 0


def test_only_one_process_removes(hub: Hub, sealer: Sealer):
    tell(hub, OLD, "reads")
    sealer.seal(NOW)
    other = Lease(hub.writer, "retention")
    assert other.take(NOW, HOUR)
    assert retention(hub).remove(NOW).rows["reads"] == 0
    other.give_back(NOW)
    assert retention(hub).remove(NOW).rows["reads"] == 1


def test_files_of_reads_go_with_the_shortest_kind(hub: Hub, tmp_path: Path):
    kept = tmp_path / "ingested"
    kept.mkdir()
    for name, at_us in (("segment-1-old", OLD), ("segment-2-new", NOW)):
        (kept / f"{name}.jsonl").write_text("{}")
        os.utime(kept / f"{name}.jsonl", (at_us / 1e6, at_us / 1e6))
    assert retention(hub, {**DAYS, "others": 90}, tmp_path).remove(NOW).files == 1
    assert [path.stem for path in kept.iterdir()] == ["segment-2-new"]
    assert retention(hub, dict.fromkeys(KINDS, 0), tmp_path).remove(NOW + 500 * DAY_US).files == 0


Tamper = Callable[[Hub], object]


def by_hand(hub: Hub) -> None:
    hub.run(AUDIT.delete().where(AUDIT.c.id == constant(_young(hub))))


def by_hand_with_a_digest(hub: Hub) -> None:
    young = _young(hub)
    seq = hub.one(SEAL, SEAL.c.audit == constant(young))["seq"]
    values = {"seq": constant(seq), "removal": constant(1), "digest": GONE.c.digest}
    copied = GONE.select().with_only_columns(*values.values()).where(GONE.c.seq == constant(1))
    hub.run(GONE.insert().from_select(list(values), copied))
    hub.run(AUDIT.delete().where(AUDIT.c.id == constant(young)))


def _young(hub: Hub) -> int:
    return int(min(row["id"] for row in hub.rows(AUDIT)))


TAMPERS: dict[str, tuple[Tamper, str]] = {
    "a row taken away by hand": (by_hand, "its audit row .* was deleted"),
    "a row taken away, a digest left": (by_hand_with_a_digest, "its audit row .* was changed"),
    "a digest taken away": (lambda hub: hub.run(GONE.delete().where(GONE.c.seq == constant(1))), "deleted"),
    "all digests and removals taken away": (
        lambda hub: (hub.run(GONE.delete()), hub.run(REMOVAL.delete())),
        "deleted",
    ),
    "a digest given to another removal": (
        lambda hub: hub.run(GONE.update().where(GONE.c.seq == constant(1)).values(removal=constant(2))),
        "removal 1 tells of 3 audit rows, others are gone",
    ),
    "a digest given to no removal": (
        lambda hub: (hub.run(REMOVAL.delete().where(REMOVAL.c.id == constant(5))),),
        "by removal 5, which nobody signed",
    ),
    "a removal that says more": (
        lambda hub: hub.run(REMOVAL.update().values(before_us=constant(NOW))),
        "was not signed by this hub",
    ),
    "a removal made by hand": (
        lambda hub: hub.run(
            REMOVAL.insert().from_select(
                [c.name for c in REMOVAL.c],
                REMOVAL.select()
                .with_only_columns(constant(9), *(c for c in REMOVAL.c if c.name != "id"))
                .where(REMOVAL.c.id == constant(1)),
            )
        ),
        "removal 9 of audit rows was not signed by this hub",
    ),
    "the ledger emptied": (lambda hub: hub.run(schema.ledger.delete()), "ledger lacks"),
}


@pytest.mark.parametrize("name", TAMPERS)
def test_what_was_done_beside_the_removals_is_named(removed: Hub, file: Path, name: str):
    assert verified(removed, file).holds
    tamper, named = TAMPERS[name]
    tamper(removed)
    assert re.search(named, verified(removed, file).broken)


def test_a_row_that_came_back_is_named(hub: Hub, sealer: Sealer, file: Path):
    tell(hub, OLD, "reads")
    tell(hub, NOW, "reads")
    sealer.seal(NOW, checkpoint=True)
    retention(hub).remove(NOW)
    old = _young(hub)
    columns = [c for c in AUDIT.c if c.name != "id"]
    copied = AUDIT.select().with_only_columns(constant(1), *columns).where(AUDIT.c.id == constant(old))
    hub.run(AUDIT.insert().from_select([c.name for c in AUDIT.c], copied))
    assert "is said to be gone, and is there" in verified(hub, file).broken


@pytest.mark.parametrize(
    "value", ["reads", "reads=x", "reads=89", "reads=365.0", "writes=365", "reads=999999"]
)
def test_a_length_that_cannot_be_meant_is_refused(value: str):
    with pytest.raises(ValueError, match="is a list such as"):
        audit_days(value)


def test_lengths_that_are_not_named_keep_their_default():
    assert audit_days("reads=90 refusals=0") == {**AUDIT_DAYS, "reads": 90, "refusals": 0}
