"""Plans: what travels to the writer arrives as it was, open keys stay behind, guards come in one order."""

from itertools import permutations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_hub.exchange.change import (
    AbsentGuard,
    AuditEntry,
    Change,
    EpochGuard,
    OrganizationGuard,
    ResourceWrite,
    TokenGuard,
    VersionGuard,
)
from referral_hub.keyring.digests import IndexDigests
from referral_hub.store.apply import Planner
from referral_hub.store.audit_rows import HOUR_US, ledger_rows
from referral_hub.store.bodies import Bodies
from referral_hub.store.plan import Plan, Rule, decode, encode
from tests.unit.store.memory_keys import MemoryKeys

VALUES = st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1), st.text(), st.binary())
PARAMETERS = st.dictionaries(st.text(), VALUES)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.text(), st.sampled_from([int(rule) for rule in Rule]), PARAMETERS),
        st.tuples(st.text(), st.just(int(Rule.MANY)), st.lists(PARAMETERS)),
    )
).map(tuple)


@given(st.text(), st.integers(0, 2**62), STEPS, STEPS)
def test_a_plan_arrives_as_it_was_sent(change_id: str, at_us: int, guards, steps):
    assert decode(encode(Plan(change_id, at_us, guards, steps))) == Plan(change_id, at_us, guards, steps)


@pytest.mark.parametrize("frame", [b"", b"\xc1", b"\x94", encode(Plan("a", 1, (), ()))[:-1], b"\x91\xa1a"])
def test_what_is_no_plan_is_refused(frame: bytes):
    with pytest.raises(msgspec.MsgspecError):
        decode(frame)


def planner(keys: MemoryKeys | None = None) -> Planner:
    return Planner(Bodies(keys or MemoryKeys()), IndexDigests(bytes(32)), lambda: 7)


GUARDS = (
    VersionGuard(5, "v"),
    VersionGuard(3, "v"),
    EpochGuard(9, 1),
    TokenGuard(b"t", 0),
    OrganizationGuard("o", 1),
)


def test_everybody_takes_locks_in_one_order():
    plan = planner().plan
    orders = [plan(Change("c", guards=guards)).guards for guards in permutations(GUARDS)]
    assert all(order == orders[0] for order in orders)


def test_what_is_written_is_locked_whole_and_what_is_only_stood_on_is_shared():
    write = ResourceWrite("update", 5, "Task", "t", "w", 2, 0, "a", "a", b"{}")
    plan = planner().plan(Change("c", guards=GUARDS, resources=(write,)))
    names = {(step[0], step[2].get("row_id")) for step in plan.guards if step[0].startswith("guard_version")}
    assert names == {("guard_version_written", 5), ("guard_version", 3)}


def test_a_conditional_create_locks_before_it_looks():
    plan = planner().plan(Change("c", guards=(AbsentGuard("o", "Patient", "identifier", "s|1"),)))
    assert [step[:2] for step in plan.guards] == [
        ("guard_absent_lock", Rule.ANY),
        ("guard_absent", Rule.ABSENT),
    ]


def test_two_conditional_creates_lock_before_they_look():
    guards = (
        AbsentGuard("o", "Patient", "identifier", "s|1"),
        AbsentGuard("o", "Patient", "identifier", "s|2"),
    )
    plans = [planner().plan(Change("c", guards=order)).guards for order in (guards, guards[::-1])]
    locks = [[step[2]["digest"] for step in plan if step[0] == "guard_absent_lock"] for plan in plans]
    assert locks[0] == locks[1]
    assert max(i for i, step in enumerate(plans[0]) if step[0] == "guard_absent_lock") < min(
        i for i, step in enumerate(plans[0]) if step[0] == "guard_absent"
    )


def test_open_keys_do_not_travel():
    write = ResourceWrite("create", 5, "Patient", "p", "v", 1, 0, "a", "a", b"{}", person=5)
    plan = planner().plan(Change("c", resources=(write,)))
    assert list(plan.keys) == [5]
    assert decode(encode(plan)).keys == {}


def test_the_hour_of_the_ledger_holds_its_first_and_no_last_microsecond():
    def hours(*times: int) -> set[int]:
        rows = [
            {
                "person": 1,
                "recipient": "clinic",
                "user_id": "",
                "purpose": "TREAT",
                "consents": "",
                "outcome": 0,
                "at_us": at_us,
            }
            for at_us in times
        ]
        return {row["hour_us"] for row in ledger_rows(rows)}

    assert hours(HOUR_US, 2 * HOUR_US - 1) == {HOUR_US}
    assert hours(2 * HOUR_US) == {2 * HOUR_US}


def test_an_audit_line_without_a_detail_needs_no_key():
    entry = AuditEntry(1, "R", "read", 0, "clinic", "ehr", "", "TREAT", 404)
    assert planner().plan(Change("c", audit=(entry,))).keys == {}
