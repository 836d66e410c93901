"""How much of a referral its recipient reads at each state: the table of ``views.md`` 1 as data.

What lives here: the table, and reading it. What does not: the view that follows (``access.views``), whether
a release is live (``access.grants``, ``access.decision``), and the row beside the Task
(``exchange.referrals``).

Source: ``views.md`` 1 and 9.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from referral_hub.access.rows import ReferralAccess

Level = Literal["absent", "N", "F", "K", "H"]


@dataclass(frozen=True, slots=True)
class Cells:
    """One row of the table of ``views.md`` 1: what the state opens of each thing."""

    task: Level
    service_request: Level
    patient: Level
    other: bool
    consent: bool


_ABSENT = Cells("absent", "absent", "absent", other=False, consent=False)
_NOTICE = Cells("N", "N", "N", other=False, consent=False)
_FULL = Cells("F", "F", "F", other=True, consent=True)
_NAMELESS = Cells("F", "F", "F", other=False, consent=False)
_CARD = Cells("K", "absent", "absent", other=False, consent=False)
_HISTORY = Cells("H", "absent", "absent", other=False, consent=False)
_BACK = Cells("absent", "absent", "absent", other=True, consent=False)

CELLS: Mapping[tuple[str, str], Cells] = {
    ("notice", "open"): _NOTICE,
    ("notice", "ended"): _CARD,
    ("notice", "nameless"): _NAMELESS,
    ("full", "open"): _FULL,
    ("full", "ended"): _CARD,
    ("full", "nameless"): _NAMELESS,
    ("history", "open"): _HISTORY,
    ("history", "ended"): _HISTORY,
    ("history", "nameless"): _HISTORY,
}
"""(state of the access row, state of the release) to what is read. What is not here reads nothing.

``notice``: requested. ``full``: accepted and live, closed with a result and still in its days, or requested
with immediate identity release. ``history``: closed. ``ended``: the release was withdrawn or its time is
over.
"""


def cells_of(access: ReferralAccess | None, *, notice_open: bool, at_us: int) -> Cells:
    """Gives what one referral opens to its recipient now.

    No row means: a draft, or a referral that never had a release; all of it is absent. A row of a Task that
    once had a release and has none now is the empty card. The row's ``until_us`` must not lie beyond the
    end of the grant, or a release that merely ran out shows the card for the time between. The sender's own
    row (``back``) opens what the recipient recorded while a return release lives; its Task and request the
    sender authored itself.

    Args:
        access: the recipient's referral_access row, None where there is none.
        notice_open: a live release opens the notice to this recipient for its purpose, and no refusal stops
        it.
        at_us: the moment, microseconds since 1970 UTC.

    Returns:
        the row of the table.

    Source: ``views.md`` 1, its two release rows included.

    >>> cells_of(ReferralAccess(1, "clinic-1", 7, 8, "notice"), notice_open=True, at_us=0).task
    'N'
    >>> cells_of(ReferralAccess(1, "clinic-1", 7, 8, "full"), notice_open=False, at_us=0).task
    'K'
    """
    if access is None:
        return _ABSENT
    if access.back:
        return _BACK if notice_open else _ABSENT
    level: str = access.level
    if level != "history" and access.until_us is not None and at_us >= access.until_us:
        level = "history"
    release = "nameless" if access.nameless else "open" if notice_open else "ended"
    return CELLS.get((level, release), _ABSENT)


def task_level(access: ReferralAccess | None, *, notice_open: bool, at_us: int) -> Level:
    """Gives how much of a Task its recipient reads: ``absent``, ``N``, ``F``, ``K`` or ``H``.

    >>> task_level(None, notice_open=True, at_us=0)
    'absent'
    """
    return cells_of(access, notice_open=notice_open, at_us=at_us).task


def service_request_level(access: ReferralAccess | None, *, notice_open: bool, at_us: int) -> Level:
    """Gives how much of the ServiceRequest the recipient reads: ``absent``, ``N`` or ``F``."""
    return cells_of(access, notice_open=notice_open, at_us=at_us).service_request


def patient_level(access: ReferralAccess | None, *, notice_open: bool, at_us: int) -> Level:
    """Gives how much of the Patient the recipient reads: ``absent``, ``N`` or ``F``."""
    return cells_of(access, notice_open=notice_open, at_us=at_us).patient
