"""How a permission is told: its state, its end, and when she is asked again."""

from typing import Any

import pytest

from referral_hub.access.consent_life import DAY_US, ENDED_EARLY
from referral_hub.casework.permission_forms import checked_in
from referral_hub.casework.permissions_told import permissions_of
from referral_hub.fhir.dates import instant
from tests.unit.casework.test_permission_forms import NOW_US, draft


def running(begun: float, days: int, **more: Any) -> dict[str, Any]:
    body = draft(days=days, status="active", **more)
    start = NOW_US - int(begun * DAY_US)
    body["provision"]["provision"][0]["period"] = {
        "start": instant(start),
        "end": instant(start + days * DAY_US),
    }
    body["dateTime"] = instant(start)
    return body


def ended_early() -> list[dict[str, Any]]:
    return [{"url": ENDED_EARLY, "extension": [{"url": "at", "valueDateTime": instant(NOW_US)}]}]


@pytest.mark.parametrize(
    ("body", "closed", "state"),
    [
        (draft(), (), "draft"),
        (running(1, 90), (), "running"),
        (running(80, 90), (), "ending"),
        (running(1, 7), (), "running"),
        (running(5, 7), (), "ending"),
        (running(91, 90), (), "ended"),
        (running(1, 90), ("c-9",), "refused"),
        (running(91, 90), ("c-9",), "ended"),
        ({**running(1, 90), "status": "inactive"}, (), "stopped"),
        (running(91, 180), (), "paused"),
        (checked_in(running(91, 180), NOW_US), (), "running"),
        (running(1, 90, extension=ended_early()), (), "gone"),
    ],
)
def test_a_permission_is_told_as_it_stands(body: dict[str, Any], closed: tuple[str, ...], state: str) -> None:
    (told,) = permissions_of([body], closed, NOW_US)
    assert told.state == state
    assert told.runs == (state in ("running", "ending"))


def test_a_long_permission_waits_for_her_and_says_when() -> None:
    (told,) = permissions_of([running(80, 180)], (), NOW_US)
    assert told.check_in_us == told.until_us == NOW_US + 10 * DAY_US
    (short,) = permissions_of([running(80, 90)], (), NOW_US)
    assert short.check_in_us == 0


def test_those_that_need_somebody_come_first() -> None:
    bodies = [running(1, 90), {**running(1, 90), "status": "inactive"}, running(80, 90), draft()]
    assert [one.state for one in permissions_of(bodies, (), NOW_US)] == [
        "ending",
        "running",
        "draft",
        "stopped",
    ]
