"""The chain: every row has its link, and every way to falsify the audit is named."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from referral_hub.exchange.change import Change
from referral_hub.store import schema
from referral_hub.store.key_rows import destroy_rows
from referral_hub.store.sealer import BATCH, CHECKPOINT_US, LEASE_US, Sealer
from referral_hub.store.statements import constant
from referral_hub.store.steps import run_on_postgres
from referral_hub.store.verify import verify_audit
from tests.api.store.hubs import HOUR, NOW, SECOND, Hub, entry, patient


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "audit" / "checkpoints.jsonl"


@pytest.fixture
def sealer(hub: Hub, file: Path) -> Sealer:
    return Sealer(hub.database, hub.writer, hub.keys, file)


def tell(hub: Hub, count: int, **fields: object) -> None:
    for position in range(count):
        hub.apply(audit=(entry(at_us=NOW + position, **fields),))


def test_rows_are_chained_in_the_order_of_their_ids_and_only_once(hub: Hub, sealer: Sealer, file: Path):
    tell(hub, 3)
    assert sealer.seal(NOW) == 3
    assert sealer.seal(NOW + SECOND) == 0
    tell(hub, 2)
    assert sealer.seal(NOW + 2 * SECOND) == 2
    links = hub.rows(schema.audit_seal)
    assert [link["seq"] for link in links] == [1, 2, 3, 4, 5]
    assert [link["audit"] for link in links] == [row["id"] for row in hub.rows(schema.audit)]
    assert [link["previous"] for link in links[1:]] == [link["hash"] for link in links[:-1]]
    verdict = verify_audit(hub.database, hub.keys, file)
    assert (verdict.holds, verdict.links) == (True, 5)


def test_an_empty_audit_holds(hub: Hub, sealer: Sealer, file: Path):
    assert sealer.seal(NOW, checkpoint=True) == 0
    assert verify_audit(hub.database, hub.keys, file).holds


def test_more_rows_than_a_batch_are_sealed_in_one_pass(hub: Hub, sealer: Sealer, file: Path):
    hub.apply(audit=tuple(entry(at_us=NOW + position) for position in range(BATCH + 7)))
    assert sealer.seal(NOW) == BATCH + 7
    assert verify_audit(hub.database, hub.keys, file).links == BATCH + 7


def test_one_sealer_works_and_another_takes_over_when_it_is_gone(hub: Hub, sealer: Sealer, file: Path):
    other = Sealer(hub.database, hub.writer, hub.keys, file)
    tell(hub, 1)
    assert sealer.seal(NOW) == 1
    tell(hub, 1)
    assert other.seal(NOW + SECOND) == 0
    assert other.seal(NOW + LEASE_US) == 1


def test_checkpoints_are_signed_once_a_minute_and_when_asked_for(hub: Hub, sealer: Sealer, file: Path):
    for at_us in (NOW, NOW + SECOND, NOW + CHECKPOINT_US):
        tell(hub, 1)
        sealer.seal(at_us)
    sealer.seal(NOW + CHECKPOINT_US + SECOND, checkpoint=True)
    assert [row["seq"] for row in hub.rows(schema.checkpoint)] == [1, 3]
    assert [json.loads(line)["seq"] for line in file.read_text().splitlines()] == [1, 3]


def test_destroying_a_persons_key_leaves_the_chain_whole(hub: Hub, sealer: Sealer, file: Path):
    her = patient()
    hub.apply(resources=(her,), audit=(entry(person=her.row_id, detail=b"{}"),))
    sealer.seal(NOW, checkpoint=True)
    hub.apply(rows=destroy_rows(her.row_id, NOW))
    assert verify_audit(hub.database, hub.keys, file).holds


def test_a_row_of_a_transaction_that_still_runs_holds_back_what_came_after_it(postgres_hub: Hub, file: Path):
    """PostgreSQL gives ids before commits: a late commit must not end up behind its turn."""
    hub = postgres_hub
    sealer = Sealer(hub.database, hub.writer, hub.keys, file)
    late = hub.planner.plan(Change("late", audit=(entry(at_us=NOW),)))
    with psycopg.connect(hub.url) as running:
        run_on_postgres(running, late)
        tell(hub, 2)
        for position in range(3):
            assert sealer.seal(NOW + position * SECOND) == 0
        running.commit()
    assert sealer.seal(NOW + 5 * SECOND) == 3
    assert [link["audit"] for link in hub.rows(schema.audit_seal)] == [1, 2, 3]


AUDIT, SEAL = schema.audit, schema.audit_seal


def cut(hub: Hub, from_seq: int) -> None:
    """Takes away the end as somebody with the database in hand would: rows, links, tip and checkpoints."""
    kept = hub.rows(SEAL)[from_seq - 2]
    hub.run(AUDIT.delete().where(AUDIT.c.id > constant(kept["audit"])))
    hub.run(SEAL.delete().where(SEAL.c.seq >= constant(from_seq)))
    hub.run(schema.checkpoint.delete().where(schema.checkpoint.c.seq >= constant(from_seq)))
    before = hub.rows(SEAL)[-1]
    hub.run(schema.chain.update().values(seq=constant(before["seq"]), horizon=constant(before["audit"])))
    spliced = SEAL.alias()
    tip = sa.select(spliced.c.hash).where(spliced.c.seq == constant(before["seq"])).scalar_subquery()
    hub.run(schema.chain.update().values(hash=tip))


def audit_of(hub: Hub, seq: int):
    return AUDIT.c.id == constant(hub.rows(SEAL)[seq - 1]["audit"])


def slip_in(hub: Hub) -> None:
    hub.run(AUDIT.delete().where(audit_of(hub, 3)))
    hub.apply(audit=(entry(at_us=NOW + 2),))
    last = hub.rows(AUDIT)[-1]["id"]
    hub.run(AUDIT.update().where(AUDIT.c.id == constant(last)).values(id=constant(3)))


TAMPERS: dict[str, tuple[Callable[[Hub], None], str]] = {
    "a row deleted": (lambda hub: hub.run(AUDIT.delete().where(audit_of(hub, 3))), "link 3: .* deleted"),
    "a row changed": (
        lambda hub: hub.run(AUDIT.update().where(audit_of(hub, 2)).values(organization=constant("other"))),
        "link 2: .* changed",
    ),
    "a time changed": (
        lambda hub: hub.run(AUDIT.update().where(audit_of(hub, 5)).values(at_us=constant(1))),
        "link 5: .* changed",
    ),
    "a link taken out": (
        lambda hub: hub.run(SEAL.delete().where(SEAL.c.seq == constant(4))),
        "link 4 is missing",
    ),
    "a link and its row taken out": (
        lambda hub: (
            hub.run(AUDIT.delete().where(audit_of(hub, 4))),
            hub.run(SEAL.delete().where(SEAL.c.seq == constant(4))),
        ),
        "link 4 is missing",
    ),
    "the last link taken out": (
        lambda hub: hub.run(SEAL.delete().where(SEAL.c.seq == constant(6))),
        "ends at link 5",
    ),
    "a row replaced": (slip_in, "link 3: .* changed"),
    "the end cut": (lambda hub: cut(hub, 5), "chain was cut: a checkpoint in the file tells of link 6"),
    "the ledger changed": (
        lambda hub: hub.run(schema.ledger.update().values(count=constant(1))),
        "ledger of hour .* other than the audit",
    ),
    "the ledger emptied": (lambda hub: hub.run(schema.ledger.delete()), "ledger lacks"),
}


@pytest.mark.parametrize("name", TAMPERS)
def test_what_was_done_to_the_audit_is_named(hub: Hub, sealer: Sealer, file: Path, name: str):
    tell(hub, 6, person=7, recipient="clinic")
    sealer.seal(NOW, checkpoint=True)
    assert verify_audit(hub.database, hub.keys, file).holds
    tamper, named = TAMPERS[name]
    tamper(hub)
    assert re.search(named, verify_audit(hub.database, hub.keys, file).broken)


def test_a_row_added_behind_the_sealers_back_has_no_link(hub: Hub, sealer: Sealer, file: Path):
    tell(hub, 3)
    hub.run(AUDIT.update().where(AUDIT.c.id == constant(3)).values(id=constant(30)))
    sealer.seal(NOW, checkpoint=True)
    copied = sa.select(constant(4), *(c for c in AUDIT.c if c.name != "id")).where(AUDIT.c.id == constant(1))
    hub.run(AUDIT.insert().from_select([c.name for c in AUDIT.c], copied))
    assert "audit row 4 was slipped in" in verify_audit(hub.database, hub.keys, file).broken


FILE_TAMPERS: dict[str, tuple[Callable[[str], str], str]] = {
    "a line changed": (lambda text: text.replace('"seq": 3', '"seq": 2'), "was not signed by this hub"),
    "the end cut": (lambda text: text.splitlines(keepends=True)[0], "the file of checkpoints was cut"),
    "nonsense": (lambda text: text + "nonsense\n", "line 3 .* cannot be read"),
    "emptied": (lambda text: "", "the file of checkpoints was cut"),
}


@pytest.mark.parametrize("name", FILE_TAMPERS)
def test_what_was_done_to_the_file_of_checkpoints_is_named(hub: Hub, sealer: Sealer, file: Path, name: str):
    for at_us in (NOW, NOW + HOUR):
        tell(hub, 1 if at_us == NOW else 2)
        sealer.seal(at_us)
    tamper, named = FILE_TAMPERS[name]
    file.write_text(tamper(file.read_text()))
    assert re.search(named, verify_audit(hub.database, hub.keys, file).broken)


def test_a_lost_file_of_checkpoints_is_named(hub: Hub, sealer: Sealer, file: Path):
    tell(hub, 1)
    sealer.seal(NOW)
    file.unlink()
    assert "gone" in verify_audit(hub.database, hub.keys, file).broken


def test_a_checkpoint_of_another_hub_is_not_believed(hub: Hub, sealer: Sealer, file: Path):
    tell(hub, 2)
    sealer.seal(NOW)

    class Stranger:
        def sign(self, message: bytes) -> bytes:
            return b""

        def verify(self, message: bytes, signature: bytes) -> bool:
            return False

    assert "not signed by this hub" in verify_audit(hub.database, Stranger(), file).broken
