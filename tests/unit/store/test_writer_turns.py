"""What a person permits is written before what others write."""

from referral_hub.store.plan import Plan, Rule
from referral_hub.store.writer_turns import Turns


class Caller:
    """Somebody who sent plans."""


def plan(name: str, *statements: str) -> Plan:
    return Plan(name, 1, (), tuple((statement, Rule.ANY, {}) for statement in statements))


CREATE = plan("create", "resource_insert", "audit_insert")
WITHDRAWAL = plan("withdrawal", "resource_update", "consent_grant_clear")
INGEST = plan("ingest", "segment_advance", "audit_insert")


def names(plans: list[tuple[Caller, Plan]], *, later: dict[str, Plan] | None = None) -> list[list[str]]:
    """Gives the groups that are committed; ``later`` arrive when the plan they are named by was written."""
    turns = Turns[Caller]()
    for caller, one in plans:
        turns.add(caller, one)
    arriving = dict(later or {})
    groups: list[list[str]] = []
    while turns:
        groups.append([])
        taken: list[Caller] = []

        def look() -> None:
            arrived = arriving.pop(groups[-1][-1], None)
            if arrived is not None:
                turns.add(Caller(), arrived)

        for one in turns.group(look, taken):
            groups[-1].append(one.change_id)
        assert len(taken) == len(groups[-1])
    return groups


def test_a_withdrawal_is_committed_before_what_came_earlier() -> None:
    sent = [(Caller(), CREATE), (Caller(), INGEST), (Caller(), WITHDRAWAL), (Caller(), CREATE)]
    assert names(sent) == [["withdrawal"], ["create", "ingest", "create"]]


def test_without_one_everything_shares_a_commit() -> None:
    assert names([(Caller(), CREATE), (Caller(), INGEST)]) == [["create", "ingest"]]
    assert names([(Caller(), WITHDRAWAL), (Caller(), WITHDRAWAL)]) == [["withdrawal", "withdrawal"]]
    assert names([]) == []


def test_what_one_sends_stays_in_its_order() -> None:
    one = Caller()
    assert names([(one, CREATE), (one, WITHDRAWAL), (Caller(), WITHDRAWAL)]) == [
        ["withdrawal"],
        ["create", "withdrawal"],
    ]


def test_a_withdrawal_that_comes_while_others_are_written_is_written_next_and_committed() -> None:
    others = [(Caller(), plan(f"create {number}", "resource_insert")) for number in range(4)]
    assert names(others, later={"create 1": WITHDRAWAL}) == [
        ["create 0", "create 1", "withdrawal"],
        ["create 2", "create 3"],
    ]


def test_what_else_comes_meanwhile_waits_for_its_turn() -> None:
    others = [(Caller(), plan(f"create {number}", "resource_insert")) for number in range(2)]
    assert names(others, later={"create 0": INGEST}) == [["create 0", "create 1"], ["ingest"]]
