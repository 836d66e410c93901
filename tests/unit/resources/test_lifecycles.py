"""The state tables against lists written independently of them, from the standards' own texts."""

import itertools

import pytest

from referral_hub.resources import consent, service_request, task
from referral_hub.resources.lifecycle import Actor, Lifecycle

STATUSES = (
    "draft",
    "requested",
    "accepted",
    "rejected",
    "in-progress",
    "on-hold",
    "completed",
    "failed",
    "cancelled",
    "entered-in-error",
)
R, T = "requester", "owner"
SDOHCC: dict[tuple[str, str], set[str]] = {
    # SDOHCC TaskForReferralManagement, the state diagram and its introduction: who sets which edge.
    ("draft", "requested"): {R},
    ("requested", "accepted"): {T},
    ("requested", "rejected"): {T},
    ("requested", "cancelled"): {R, T},
    ("accepted", "in-progress"): {T},
    ("accepted", "on-hold"): {T},
    ("accepted", "completed"): {T},
    ("accepted", "failed"): {T},
    ("accepted", "cancelled"): {R, T},
    ("in-progress", "on-hold"): {T},
    ("in-progress", "completed"): {T},
    ("in-progress", "failed"): {T},
    ("in-progress", "cancelled"): {R, T},
    ("on-hold", "in-progress"): {T},
    ("on-hold", "completed"): {T},
    ("on-hold", "failed"): {T},
    ("on-hold", "cancelled"): {R, T},
    **{(status, "entered-in-error"): {R} for status in STATUSES if status != "entered-in-error"},
}
HUB_ADDITIONS = {("draft", "cancelled"): {R}}


def _actors(table: Lifecycle, source: str, target: str) -> set[str]:
    actors: tuple[Actor, ...] = ("requester", "owner", "hub")
    return {actor for actor in actors if table.move(source, target, {actor})}


@pytest.mark.parametrize(("source", "target"), list(itertools.product(STATUSES, STATUSES)))
def test_every_edge_of_a_task_is_the_standards_or_a_named_addition(source: str, target: str) -> None:
    expected = (SDOHCC | HUB_ADDITIONS).get((source, target), set())
    assert _actors(task.LIFECYCLE, source, target) == expected


def test_a_task_never_leaves_what_is_closed_but_as_an_error() -> None:
    for status in ("rejected", "cancelled", "completed", "failed"):
        everybody: set[Actor] = {"requester", "owner", "hub"}
        assert task.LIFECYCLE.moves(status, everybody) == ("entered-in-error",)


def test_the_wire_knows_no_status_that_sdohcc_excludes() -> None:
    used = {status for edge in task.LIFECYCLE.table for status in (edge.source, edge.target)}
    assert used == set(STATUSES)


@pytest.mark.parametrize("target", ["rejected", "cancelled", "on-hold", "failed"])
def test_a_negative_move_has_its_reasons(target: str) -> None:
    edges = [edge for edge in task.LIFECYCLE.table if edge.target == target]
    assert edges
    assert all(edge.reasons for edge in edges)


def test_a_withdrawal_is_no_reason_of_any_move() -> None:
    reasons = {reason for edge in task.LIFECYCLE.table for reason in edge.reasons}
    assert not {reason for reason in reasons if "consent" in reason or "withdrawn" in reason}


@pytest.mark.parametrize(
    ("status", "before", "after", "actor", "allowed"),
    [
        ("requested", "sent", "acknowledged", T, True),
        ("requested", "sent", "awaiting-information", T, True),
        ("requested", "awaiting-information", "acknowledged", R, True),
        ("requested", "sent", "acknowledged", R, False),
        ("requested", "sent", "overdue", "hub", True),
        ("requested", "sent", "overdue", T, False),
        ("requested", "", "sent", R, False),
        ("in-progress", "", "no-show", T, True),
        ("in-progress", "", "no-show", R, False),
        ("in-progress", "", "cancellation-requested", R, True),
        ("on-hold", "waitlisted", "safety-hold", "hub", True),
        ("accepted", "", "sharing-ended", "hub", True),
        ("accepted", "", "sharing-ended", T, False),
    ],
)
def test_finer_steps(status: str, before: str, after: str, actor: Actor, allowed: bool) -> None:
    assert (task.LIFECYCLE.step(status, before, after, {actor}) is not None) is allowed


def test_a_consent_that_ended_never_comes_back() -> None:
    for status in ("inactive", "rejected", "entered-in-error"):
        assert "active" not in consent.LIFECYCLE.moves(status, {"requester"})


def test_a_request_is_changed_by_its_author_only() -> None:
    assert all(edge.actors == {"requester"} for edge in service_request.LIFECYCLE.table)
