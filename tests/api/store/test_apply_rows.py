"""What a Change leaves behind beside resources: consents, referrals, deliveries, timers, audit and ledger."""

from dataclasses import replace

import pytest

from referral_hub.access.rows import Grant, ReferralAccess, Refusal, RefusalException
from referral_hub.errors import GuardFailed
from referral_hub.exchange.change import AuditEntry, ConsentRows, Delivery, DropDeliveries, Due, EpochGuard
from referral_hub.store import schema
from referral_hub.store.audit_rows import entry_of
from referral_hub.store.statements import constant
from tests.api.store.hubs import HOUR, NOW, Hub, entry, patient

PERSON, CONSENT = 7, 9


def grant(**fields: object) -> Grant:
    found = Grant(
        consent=CONSENT,
        consent_id="c1",
        consent_version="v1",
        person=PERSON,
        organization="clinic",
        purpose="TREAT",
        category="health",
        resource="",
        very_restricted=False,
        valid_from_us=NOW,
        valid_until_us=NOW + HOUR,
    )
    return replace(found, **fields)  # type: ignore[arg-type]


def test_the_rows_of_a_consent_replace_all_earlier_ones_of_it_and_of_no_other(hub: Hub):
    refusal = Refusal(CONSENT, PERSON, "org:office")
    exception = RefusalException(CONSENT, PERSON, "office", "IMMIG", "DocumentReference/letter")
    first = ConsentRows(CONSENT, PERSON, (grant(), grant(category="notice")), (refusal,), (exception,))
    other = ConsentRows(10, PERSON, (grant(consent=10, category="safety"),))
    hub.apply(consents=(first, other))
    assert hub.one(schema.person)["epoch"] == 2
    assert (len(hub.rows(schema.refusal)), len(hub.rows(schema.refusal_exception))) == (1, 1)
    hub.apply(consents=(ConsentRows(CONSENT, PERSON, (grant(category="plan", very_restricted=True),)),))
    found = {
        (row["consent"], row["category"], row["very_restricted"]) for row in hub.rows(schema.consent_grant)
    }
    assert found == {(CONSENT, "plan", 1), (10, "safety", 0)}
    assert hub.rows(schema.refusal) == hub.rows(schema.refusal_exception) == []
    assert hub.one(schema.person)["epoch"] == 3


def test_two_like_grants_of_one_consent_for_two_spans_are_both_kept(hub: Hub):
    spans = (grant(), grant(valid_from_us=NOW + 2 * HOUR, valid_until_us=NOW + 3 * HOUR))
    hub.apply(consents=(ConsentRows(CONSENT, PERSON, spans),))
    assert [row["valid_from_us"] for row in hub.rows(schema.consent_grant)] == [NOW, NOW + 2 * HOUR]


def test_a_referral_access_row_is_replaced_by_the_one_of_the_next_state(hub: Hub):
    notice = ReferralAccess(1, "clinic", PERSON, 2, "notice")
    back = ReferralAccess(1, "shelter", PERSON, 2, "full", back=True)
    hub.apply(accesses=(notice, back))
    hub.apply(accesses=(replace(notice, level="full", until_us=NOW, accepted=True),))
    found = [
        (row["organization"], row["back"], row["level"], row["until_us"], row["accepted"])
        for row in hub.rows(schema.referral_access)
    ]
    assert found == [("clinic", 0, "full", NOW, 1), ("shelter", 1, "full", None, 0)]


def delivery(key: str, **fields: object) -> Delivery:
    found = Delivery(key, "clinic", "task-notice", 1, PERSON, NOW, b'{"id":"x"}')
    return replace(found, **fields)  # type: ignore[arg-type]


def test_a_delivery_is_queued_once_and_its_detail_is_sealed(hub: Hub):
    for _ in range(2):
        hub.apply(deliveries=(delivery("k1"),))
    row = hub.one(schema.outbox)
    assert (row["destination"], row["state"], row["attempts"]) == ("clinic", 0, 0)
    assert b"id" not in row["detail"]
    opened = hub.bodies.open(row["detail"], row["detail_format"], row["person"], "outbox/k1")
    assert opened == b'{"id":"x"}'


def test_a_withdrawal_cancels_what_waits_and_what_died_but_no_recall_and_nobody_elses(hub: Hub):
    hub.apply(
        deliveries=(
            delivery("hers"),
            delivery("dead"),
            delivery("recall", kind="recall"),
            delivery("elsewhere", destination="lawyer"),
            delivery("somebody else", person=8),
        )
    )
    dead = next(row["sequence"] for row in hub.rows(schema.outbox) if row["key"] == "dead")
    hub.run(
        schema.outbox.update().where(schema.outbox.c.sequence == constant(dead)).values(state=constant(2))
    )
    hub.apply(dropped=(DropDeliveries(PERSON, "clinic"),))
    states = {row["key"]: row["state"] for row in hub.rows(schema.outbox)}
    assert states == {
        "hers": schema.OUTBOX_CANCELLED,
        "dead": schema.OUTBOX_CANCELLED,
        "recall": schema.OUTBOX_WAITING,
        "elsewhere": schema.OUTBOX_WAITING,
        "somebody else": schema.OUTBOX_WAITING,
    }
    assert {row["detail"] for row in hub.rows(schema.outbox) if row["state"] == schema.OUTBOX_CANCELLED} == {
        b""
    }


def test_a_timer_written_again_under_its_key_moves(hub: Hub):
    hub.apply(due=(Due("late/1", "late", 1, NOW, b"{}"),))
    hub.apply(due=(Due("late/1", "late", 1, NOW + HOUR),))
    row = hub.one(schema.due)
    assert (row["at_us"], row["detail"]) == (NOW + HOUR, b"")


def test_an_audit_line_comes_back_as_it_was_and_its_detail_is_sealed(hub: Hub):
    her = patient()
    told = entry(
        person=her.row_id,
        entities=("Task/1/v1", "Patient/2/v2"),
        consents=("c1/v1",),
        recipient="clinic",
        detail=b'{"query":"name=x"}',
        reason="why",
    )
    hub.apply(resources=(her,), audit=(told,))
    row = hub.one(schema.audit)
    assert b"query" not in row["detail"]
    assert entry_of(hub.bodies, tuple(row.values())) == told


def test_the_ledger_counts_disclosures_by_person_recipient_consent_and_hour(hub: Hub):
    def told(at_us: int, *consents: str) -> AuditEntry:
        return entry(person=PERSON, recipient="clinic", consents=consents, at_us=at_us)

    hub.apply(audit=(told(NOW, "c1/v1", "c2/v1"), told(NOW + 5, "c1/v1", "c2/v1")))
    hub.apply(audit=(told(NOW - 5, "c1/v1", "c2/v1"), told(NOW + 2 * HOUR)))
    hour = NOW - NOW % HOUR
    found = {
        (row["consent"], row["hour_us"]): (row["count"], row["first_us"], row["last_us"])
        for row in hub.rows(schema.ledger)
    }
    earlier = NOW - 5 - (NOW - 5) % HOUR
    if earlier == hour:
        whole = (3, NOW - 5, NOW + 5)
        expected = {("c1/v1", hour): whole, ("c2/v1", hour): whole}
    else:
        expected = {(c, hour): (2, NOW, NOW + 5) for c in ("c1/v1", "c2/v1")} | {
            (c, earlier): (1, NOW - 5, NOW - 5) for c in ("c1/v1", "c2/v1")
        }
    assert found == expected | {("", hour + 2 * HOUR): (1, NOW + 2 * HOUR, NOW + 2 * HOUR)}


@pytest.mark.parametrize(
    "told",
    [
        entry(person=PERSON),
        entry(person=PERSON, recipient="clinic", outcome=4),
        entry(recipient="clinic"),
    ],
)
def test_what_disclosed_nothing_is_in_no_ledger(hub: Hub, told):
    hub.apply(audit=(told,))
    assert len(hub.rows(schema.audit)) == 1
    assert hub.rows(schema.ledger) == []


def test_a_failed_guard_leaves_no_delivery_no_timer_and_no_audit(hub: Hub):
    with pytest.raises(GuardFailed):
        hub.apply(
            guards=(EpochGuard(PERSON, 3),),
            consents=(ConsentRows(CONSENT, PERSON, (grant(),)),),
            accesses=(ReferralAccess(1, "clinic", PERSON, 2, "notice"),),
            deliveries=(delivery("k"),),
            due=(Due("t", "late", 1, NOW),),
            audit=(entry(person=PERSON, recipient="clinic"),),
        )
    for table in (
        schema.consent_grant,
        schema.referral_access,
        schema.outbox,
        schema.due,
        schema.audit,
        schema.ledger,
        schema.person,
    ):
        assert hub.rows(table) == []
