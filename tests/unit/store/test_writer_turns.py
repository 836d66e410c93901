"""What a person permits is written before what others write."""

from referral_hub.store.plan import Plan, Rule
from referral_hub.store.sqlite_writer import in_turn


class Caller:
    """Somebody who sent plans."""


def plan(name: str, *statements: str) -> Plan:
    return Plan(name, 1, (), tuple((statement, Rule.ANY, {}) for statement in statements))


CREATE = plan("create", "resource_insert", "audit_insert")
WITHDRAWAL = plan("withdrawal", "resource_update", "consent_grant_clear")
INGEST = plan("ingest", "segment_advance", "audit_insert")


def names(plans: list[tuple[Caller, Plan]]) -> list[list[str]]:
    return [[one.change_id for _, one in group] for group in in_turn(plans)]


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
