"""The table of who reads what at each state, cell by cell (views.md 1)."""

from itertools import product

import pytest

from referral_hub.access.levels import (
    CELLS,
    cells_of,
    patient_level,
    service_request_level,
    task_level,
)
from referral_hub.access.rows import ReferralAccess

UNTIL = 5_000


def row(level: str, **more: object) -> ReferralAccess:
    return ReferralAccess(1, "clinic-1", 7, 8, level, **more)  # type: ignore[arg-type]


NOTICE, FULL, HISTORY = row("notice"), row("full"), row("history")
CLOSED = row("full", until_us=UNTIL)
NAMELESS, NAMELESS_FULL = row("notice", nameless=True), row("full", nameless=True)
NAMELESS_CLOSED = row("history", nameless=True)
NAMELESS_DONE = row("full", nameless=True, until_us=UNTIL)
BACK = row("full", back=True)
TABLE = [
    # state of things, row, a release lives, at, then Task ServiceRequest Patient, and: other records, Consent
    ("draft or awaiting consent", None, False, 0, "absent absent absent", ""),
    ("draft, a release lives", None, True, 0, "absent absent absent", ""),
    ("requested", NOTICE, True, 0, "N N N", ""),
    ("requested, identity released at once", FULL, True, 0, "F F F", "other consent"),
    ("accepted, in-progress, on-hold", FULL, True, 0, "F F F", "other consent"),
    ("completed or failed, in its days", CLOSED, True, UNTIL - 1, "F F F", "other consent"),
    ("completed or failed, its days over", CLOSED, True, UNTIL, "H absent absent", ""),
    ("completed, days over, release ended", CLOSED, False, UNTIL, "H absent absent", ""),
    ("rejected, cancelled, entered-in-error", HISTORY, True, 0, "H absent absent", ""),
    ("closed, then the release withdrawn", HISTORY, False, 0, "H absent absent", ""),
    ("requested, release withdrawn or expired", NOTICE, False, 0, "K absent absent", ""),
    ("at once released, then withdrawn", FULL, False, 0, "K absent absent", ""),
    ("accepted, release withdrawn or expired", FULL, False, 0, "K absent absent", ""),
    ("completed in its days, release withdrawn", CLOSED, False, UNTIL - 1, "K absent absent", ""),
    ("no-name, requested", NAMELESS, False, 0, "F F F", ""),
    ("no-name, accepted", NAMELESS_FULL, False, 0, "F F F", ""),
    ("no-name, whatever release she gave later", NAMELESS_FULL, True, 0, "F F F", ""),
    ("no-name, closed", NAMELESS_CLOSED, False, 0, "H absent absent", ""),
    ("no-name, completed, days over", NAMELESS_DONE, False, UNTIL, "H absent absent", ""),
    ("the sender's own row, no return release", BACK, False, 0, "absent absent absent", ""),
    ("the sender's own row, a return release", BACK, True, 0, "absent absent absent", "other"),
]


@pytest.mark.parametrize(
    ("access", "notice_open", "at_us", "levels", "also"),
    [line[1:] for line in TABLE],
    ids=[str(line[0]) for line in TABLE],
)
def test_the_table(
    access: ReferralAccess | None, notice_open: bool, at_us: int, levels: str, also: str
) -> None:
    task, request, patient = levels.split()
    assert task_level(access, notice_open=notice_open, at_us=at_us) == task
    assert service_request_level(access, notice_open=notice_open, at_us=at_us) == request
    assert patient_level(access, notice_open=notice_open, at_us=at_us) == patient
    cells = cells_of(access, notice_open=notice_open, at_us=at_us)
    assert cells.other is ("other" in also)
    assert cells.consent is ("consent" in also)


ORDER = ("absent", "H", "K", "N", "F")


@pytest.mark.parametrize(("level", "until"), list(product(("notice", "full", "history"), (None, 0, UNTIL))))
def test_a_release_that_ends_never_opens_more(level: str, until: int | None) -> None:
    access = row(level, until_us=until)
    for at_us in (0, UNTIL - 1, UNTIL, UNTIL + 1):
        live = cells_of(access, notice_open=True, at_us=at_us)
        ended = cells_of(access, notice_open=False, at_us=at_us)
        for name in ("task", "service_request", "patient"):
            assert ORDER.index(getattr(ended, name)) <= ORDER.index(getattr(live, name))
        assert ended.other <= live.other
        assert ended.consent <= live.consent


def test_a_state_the_table_does_not_know_opens_nothing() -> None:
    unknown = cells_of(row("everything"), notice_open=True, at_us=0)
    assert (unknown.task, unknown.patient, unknown.other) == ("absent", "absent", False)


def test_the_table_has_a_line_for_every_level_and_release() -> None:
    assert set(CELLS) == set(product(("notice", "full", "history"), ("open", "ended", "nameless")))
