"""Where a source's referral stands: a table of parents and children, and laws of the rule."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_hub.exchange.rolling_up import Standing, rolled_up
from referral_hub.resources.task import ACCEPTED_STATUSES, LIFECYCLE

ROUTED = Standing("requested", "hub-routing")
OWNER = frozenset({"owner"})


@pytest.mark.parametrize(
    ("parent", "children", "expected"),
    [
        (ROUTED, [], ROUTED),
        (ROUTED, [Standing("requested", "sent")], ROUTED),
        (ROUTED, [Standing("requested", "acknowledged")], ROUTED),
        (
            ROUTED,
            [Standing("requested", "awaiting-information")],
            Standing("requested", "awaiting-information"),
        ),
        (Standing("requested", "awaiting-information"), [Standing("requested", "acknowledged")], ROUTED),
        (ROUTED, [Standing("accepted")], Standing("accepted")),
        (ROUTED, [Standing("accepted"), Standing("rejected", "", "at-capacity")], Standing("accepted")),
        (
            Standing("accepted"),
            [Standing("accepted"), Standing("in-progress", "no-show")],
            Standing("in-progress", "no-show"),
        ),
        (
            Standing("accepted"),
            [Standing("on-hold", "waitlisted", "waitlisted")],
            Standing("on-hold", "waitlisted", "waitlisted"),
        ),
        (
            Standing("accepted"),
            [Standing("on-hold", "", "waitlisted"), Standing("requested")],
            Standing("accepted"),
        ),
        (Standing("in-progress"), [Standing("accepted")], Standing("in-progress")),
        (Standing("in-progress"), [Standing("completed")], Standing("completed")),
        (
            Standing("in-progress"),
            [Standing("completed"), Standing("rejected", "", "ineligible")],
            Standing("completed", "partial"),
        ),
        (Standing("in-progress"), [Standing("completed"), Standing("in-progress")], Standing("in-progress")),
        (
            Standing("accepted"),
            [Standing("failed", "", "client-unreachable"), Standing("rejected", "", "redirect")],
            Standing("failed", "", "client-unreachable"),
        ),
        (
            Standing("accepted"),
            [Standing("cancelled", "", "recipient-withdrew")],
            Standing("cancelled", "", "recipient-withdrew"),
        ),
        (ROUTED, [Standing("rejected", "", "at-capacity")], Standing("rejected", "", "at-capacity")),
        (ROUTED, [Standing("cancelled", "", "by-target")], Standing("cancelled", "", "by-target")),
        (ROUTED, [Standing("entered-in-error", "", "sent-in-error")], ROUTED),
        (
            Standing("cancelled", "", "by-source"),
            [Standing("accepted")],
            Standing("cancelled", "", "by-source"),
        ),
        (Standing("accepted"), [Standing("in-progress", "sharing-ended")], Standing("in-progress")),
    ],
)
def test_roll_up(parent: Standing, children: list[Standing], expected: Standing) -> None:
    assert rolled_up(parent, children, may_retry=False) == expected


def test_where_the_hub_may_name_another_recipient_a_no_does_not_end_it() -> None:
    no = [Standing("rejected", "", "at-capacity")]
    assert rolled_up(ROUTED, no, may_retry=True) == ROUTED
    assert rolled_up(ROUTED, [*no, Standing("requested", "sent")], may_retry=True) == ROUTED


STATUSES = st.sampled_from(sorted(LIFECYCLE.live | LIFECYCLE.terminal))
STANDINGS = st.builds(
    Standing, STATUSES, st.sampled_from(["", "sent", "no-show"]), st.sampled_from(["", "x"])
)


@given(STANDINGS, st.lists(STANDINGS, max_size=4), st.booleans())
def test_every_move_is_one_the_owner_may_make(
    parent: Standing, children: list[Standing], may_retry: bool
) -> None:
    found = rolled_up(parent, children, may_retry=may_retry)
    assert found.status == parent.status or LIFECYCLE.move(parent.status, found.status, OWNER) is not None


@given(STANDINGS, st.lists(STANDINGS, max_size=4), st.booleans())
def test_the_hub_never_says_yes_for_an_agency_that_has_not(
    parent: Standing, children: list[Standing], may_retry: bool
) -> None:
    found = rolled_up(parent, children, may_retry=may_retry)
    if found.status in ACCEPTED_STATUSES and found.status != parent.status:
        assert any(child.status == found.status for child in children)
    if found.status == "completed" and found.status != parent.status:
        assert any(child.status == "completed" for child in children)


@given(STANDINGS, st.lists(STANDINGS, max_size=4), st.booleans())
def test_while_somebody_is_asked_nothing_ends(
    parent: Standing, children: list[Standing], may_retry: bool
) -> None:
    found = rolled_up(parent, children, may_retry=may_retry)
    if any(child.status in LIFECYCLE.live for child in children) and parent.status in LIFECYCLE.live:
        assert found.status in LIFECYCLE.live


@given(st.sampled_from(sorted(LIFECYCLE.terminal)), st.lists(STANDINGS, max_size=4), st.booleans())
def test_what_is_closed_stays_closed(status: str, children: list[Standing], may_retry: bool) -> None:
    parent = Standing(status)
    assert rolled_up(parent, children, may_retry=may_retry) == parent


@given(STANDINGS, st.lists(STANDINGS, max_size=4), st.booleans())
def test_twice_is_once(parent: Standing, children: list[Standing], may_retry: bool) -> None:
    found = rolled_up(parent, children, may_retry=may_retry)
    assert rolled_up(found, children, may_retry=may_retry).status in (
        found.status,
        *LIFECYCLE.moves(found.status, OWNER),
    )
