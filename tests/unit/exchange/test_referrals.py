"""What a move causes elsewhere: a table of facts and consequences."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_hub.exchange.referrals import (
    HISTORY_AFTER_US,
    TAKEN_BACK,
    Fetch,
    Open,
    PassDown,
    RecordMove,
    ReferralFacts,
    Remind,
    Report,
    SetBusinessStatus,
    Tell,
    consequences,
)
from referral_hub.resources.task import LIFECYCLE

DAY_US = 24 * 3600 * 1_000_000
BASE = ReferralFacts(
    before="draft",
    after="requested",
    business_before="",
    business_after="",
    at_us=100 * DAY_US,
    by_owner=False,
    internal=False,
    live_release=True,
    nameless=False,
    immediate=False,
    opened=False,
    due_us=None,
    permit_end_us=120 * DAY_US,
)
OPENED = replace(BASE, opened=True)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (
            BASE,
            (SetBusinessStatus("sent"), Open("notice", accepted=False), Tell("task-notice"), RecordMove()),
        ),
        (
            replace(BASE, due_us=7),
            (
                SetBusinessStatus("sent"),
                Open("notice", accepted=False),
                Tell("task-notice"),
                Remind("task-overdue", 7),
                RecordMove(),
            ),
        ),
        (
            replace(BASE, immediate=True),
            (SetBusinessStatus("sent"), Open("full", accepted=False), Tell("task-notice"), RecordMove()),
        ),
        (replace(BASE, live_release=False), (SetBusinessStatus("awaiting-consent"), RecordMove())),
        (
            replace(BASE, live_release=False, nameless=True),
            (SetBusinessStatus("sent"), Open("notice", accepted=False), Tell("task-notice"), RecordMove()),
        ),
        (replace(BASE, internal=True), (RecordMove(),)),
        (
            replace(OPENED, before="requested", after="accepted", by_owner=True),
            (Open("full", accepted=True), RecordMove()),
        ),
        (
            replace(OPENED, before="in-progress", after="completed", by_owner=True),
            (Open("full", accepted=True, until_us=120 * DAY_US), RecordMove()),
        ),
        (
            replace(OPENED, before="in-progress", after="failed", by_owner=True, permit_end_us=500 * DAY_US),
            (Open("full", accepted=True, until_us=100 * DAY_US + HISTORY_AFTER_US), RecordMove()),
        ),
        (
            replace(OPENED, before="in-progress", after="completed", by_owner=True, nameless=True),
            (Open("history", accepted=True), RecordMove()),
        ),
        (
            replace(OPENED, before="requested", after="rejected", by_owner=True),
            (Open("history", accepted=False), RecordMove()),
        ),
        (
            replace(OPENED, before="accepted", after="cancelled"),
            (Open("history", accepted=True), Tell("task-update"), RecordMove()),
        ),
        (replace(BASE, before="draft", after="cancelled"), (RecordMove(),)),
        (
            replace(BASE, hosting="source"),
            (SetBusinessStatus("awaiting-consent"), Fetch(), RecordMove()),
        ),
        (
            replace(BASE, hosting="hub"),
            (
                SetBusinessStatus("hub-routing"),
                Open("notice", accepted=False),
                Tell("task-notice"),
                RecordMove(),
            ),
        ),
        (
            replace(BASE, hosting="hub", live_release=False),
            (SetBusinessStatus("awaiting-consent"), RecordMove()),
        ),
        (
            replace(BASE, hosting="source", before="requested", after="cancelled"),
            (RecordMove(), PassDown()),
        ),
        (
            replace(BASE, hosting="source", before="requested", after="rejected", by_owner=True),
            (RecordMove(),),
        ),
        (
            replace(
                BASE, hosting="hub", before="requested", after="requested", business_after="acknowledged"
            ),
            (RecordMove(), PassDown()),
        ),
        (
            replace(OPENED, child=True, before="requested", after="rejected", by_owner=True),
            (Open("history", accepted=False), RecordMove(), Report()),
        ),
    ],
)
def test_consequences(facts: ReferralFacts, expected: tuple[object, ...]) -> None:
    assert consequences(facts) == expected


FACTS = st.builds(
    ReferralFacts,
    before=st.sampled_from(sorted({edge.source for edge in LIFECYCLE.table})),
    after=st.sampled_from(sorted({edge.target for edge in LIFECYCLE.table})),
    business_before=st.sampled_from(["", "sent", "overdue"]),
    business_after=st.sampled_from(["", "sent", "overdue"]),
    at_us=st.just(BASE.at_us),
    by_owner=st.booleans(),
    internal=st.booleans(),
    live_release=st.booleans(),
    nameless=st.booleans(),
    immediate=st.booleans(),
    opened=st.booleans(),
    due_us=st.none() | st.integers(0, 200 * DAY_US),
    permit_end_us=st.none() | st.integers(0, 200 * DAY_US),
    hosting=st.sampled_from(["", "hub", "source"]),
    child=st.booleans(),
)


@given(FACTS)
def test_nothing_leaves_and_nothing_opens_without_a_release_or_a_door_that_was_open(
    facts: ReferralFacts,
) -> None:
    found = consequences(facts)
    if not facts.live_release and not facts.nameless and not facts.opened:
        assert not any(isinstance(one, Tell) for one in found)
        assert not any(isinstance(one, Open) for one in found)


@given(FACTS)
def test_full_of_a_closed_referral_ends_with_the_permit_and_after_thirty_days(facts: ReferralFacts) -> None:
    for one in consequences(facts):
        if isinstance(one, Open) and one.until_us is not None and facts.permit_end_us is not None:
            assert one.until_us <= facts.permit_end_us
            assert one.until_us <= facts.at_us + HISTORY_AFTER_US


@given(FACTS)
def test_an_internal_task_opens_and_tells_nothing(facts: ReferralFacts) -> None:
    found = consequences(replace(facts, internal=True))
    assert not any(isinstance(one, Open | Tell) for one in found)


@given(FACTS)
def test_a_request_that_lies_elsewhere_opens_and_tells_nothing_when_it_is_asked(facts: ReferralFacts) -> None:
    asked = replace(facts, hosting="source", before="draft", after="requested", internal=False, opened=False)
    found = consequences(asked)
    assert not any(isinstance(one, Open | Tell) for one in found)
    assert Fetch() in found


@given(FACTS)
def test_only_what_is_passed_on_is_passed_down_and_only_what_was_passed_on_reported(
    facts: ReferralFacts,
) -> None:
    found = consequences(facts)
    assert (Report() in found) <= facts.child
    assert (PassDown() in found) <= bool(facts.hosting)
    if PassDown() in found:
        assert not facts.by_owner
        assert facts.after in TAKEN_BACK or facts.before == facts.after
