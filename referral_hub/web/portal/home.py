"""The first page of staff who work with persons: numbers that open lists, and the few things to do today.

What lives here: that page. What does not: the lists behind the numbers.

Source: ``practice.md`` 17; ``views.md`` 9 (Late).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import Response

from referral_hub.auth.people.portal_tokens import Seat
from referral_hub.casework.filters import OURS_STEPS, Filters
from referral_hub.casework.tracking import LIVE
from referral_hub.fhir.dates import instant
from referral_hub.web.portal.asking import MOST, Asking
from referral_hub.web.portal.frame import Portal
from referral_hub.web.portal.inbox import inbox_pairs
from referral_hub.web.portal.persons import SOON_DAYS, Ending
from referral_hub.web.portal.rows import ALONG, Row, rows_of
from referral_hub.web.portal.tracker import unanswered

TODAY = 6
"""So many things to do are told on the first page; the lists have the others."""
_DAY_US = 86_400_000_000
_LOOKED_AT = 50
_LIVE = ",".join(LIVE)
_ORDER = ("intent", "order")
"""Named behind what holds for few: a search asks it of each row that is left."""
_CHARTED = (("asked", "requested"), ("yes", "accepted"), ("working", "in-progress"), ("paused", "on-hold"))


@dataclass(frozen=True, slots=True)
class Tile:
    """One number: the key of its words, how many (None: more than is counted), where it leads, and its tone."""

    text_key: str
    number: int | None
    address: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Home:
    """The first page.

    Args:
        portal: the frame.
        ending: finds permissions that end soon.
    """

    portal: Portal
    ending: Ending

    def __call__(self, seat: Seat) -> Response:
        """Gives the page."""
        asking, at_us = Asking(self.portal.hub, seat), self.portal.hub.clock()
        counts = {state: self._sent(asking, status) for state, status in _CHARTED}
        steps = asking.count("Task", [("business-status", OURS_STEPS), _ORDER, ("status", _LIVE)], own=True)
        late = asking.count(
            "Task", [("business-status", "overdue"), _ORDER, ("status", "requested")], own=True
        )
        slipped = asking.count(
            "Task",
            [("period", f"eb{instant(at_us)}"), _ORDER, ("status", "accepted,in-progress,on-hold")],
            own=True,
        )
        no, more = unanswered(asking, Filters(), at_us, _LOOKED_AT)
        theirs = _sum(list(counts.values()))
        soon = self.ending(seat.signed.account, at_us, at_us + SOON_DAYS * _DAY_US)
        mine = asking.organization
        tiles = [
            Tile("home.ours", None if more or steps is None else steps + len(no), "/referrals?ball=ours"),
            Tile(
                "home.theirs",
                None if theirs is None or steps is None else max(theirs - steps, 0),
                "/referrals?ball=theirs",
            ),
            Tile("home.late", late, "/referrals?late=answer", "warn"),
            Tile("home.slipped", slipped, "/referrals?late=promise", "warn"),
            Tile("home.inbox", asking.count("Task", _new(mine)), "/inbox"),
            Tile("home.working", asking.count("Task", inbox_pairs(mine, "working")), "/inbox?show=working"),
            Tile("home.ending", len(soon), "/people?show=ending"),
        ]
        recalls = asking.count("Task", inbox_pairs(mine, "recall"))
        desk = asking.count("Task", inbox_pairs(mine, "desk"), own=True)
        if recalls != 0:
            tiles.append(Tile("home.recalls", recalls, "/inbox?show=recall", "warn"))
        if desk != 0:
            supervises = seat.signed.role == "supervisor"
            tiles.append(
                Tile("home.desk", desk, "/admin/decisions" if supervises else "/inbox?show=desk", "warn")
            )
        return self.portal.page(
            seat,
            "portal/home.html",
            tiles=[_toned(one) for one in tiles],
            today=self._today(asking, no, steps, late, at_us),
            bars=_bars(counts),
            most=MOST,
        )

    def _sent(self, asking: Asking, status: str) -> int | None:
        return asking.count("Task", [_ORDER, ("status", status)], own=True)

    def _today(
        self, asking: Asking, no: list[Row], steps: int | None, late: int | None, at_us: int
    ) -> list[Row]:
        """Gives the few referrals to look at first: what nobody answered, what waits for us, then each no."""
        rows: list[Row] = []
        for number, pairs in (
            (late, [("business-status", "overdue"), ("status", "requested")]),
            (steps, [("business-status", OURS_STEPS), ("status", _LIVE)]),
        ):
            if number != 0 and len(rows) < TODAY:
                wanted = [_ORDER, *pairs, ("_sort", "_lastUpdated"), ("_count", str(TODAY // 2)), *ALONG]
                rows += rows_of(asking.find("Task", wanted, own=True), at_us)
        return [*rows, *no][:TODAY]


def _new(organization: str) -> list[tuple[str, str]]:
    return inbox_pairs(organization, "new")


def _toned(tile: Tile) -> Tile:
    """Gives a tile without its tone where nothing is wrong."""
    return Tile(tile.text_key, tile.number, tile.address) if tile.number == 0 else tile


def _sum(numbers: list[int | None]) -> int | None:
    known = [one for one in numbers if one is not None]
    return sum(known) if len(known) == len(numbers) and sum(known) <= MOST else None


def _bars(counts: Mapping[str, int | None]) -> list[tuple[str, int, int]]:
    """Gives (state, number, width in hundredths) of the bars; nothing where one is beyond what is counted."""
    known = [one for one in counts.values() if one is not None]
    if len(known) < len(counts) or not any(known):
        return []
    return [(state, number or 0, round(100 * (number or 0) / max(known))) for state, number in counts.items()]
