"""The audit in numbers: by day, interaction, organisation and outcome; and whether its chain holds.

What lives here: ``/admin/audit``. What does not: counting (``store.audit_looks``), which numbers are too small to be
told (``casework.small_cells``), checking the whole audit (``referral-hub verify-audit``). No person is ever in it.

Source: ``practice.md`` 12 (coordinators see counts, never people); ``engine.md`` 3.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from flask import Blueprint, Response, request

from referral_hub.auth.people.portal_tokens import Seat
from referral_hub.casework.small_cells import told
from referral_hub.exchange.administration import AuditLines, Looked
from referral_hub.web.portal.admin_room import OFFICE, Administration, by_name, number_of
from referral_hub.web.portal.frame import Portal

K = TypeVar("K", bound=Hashable)

AUDIT = "/admin/audit"
SPANS = (7, 30, 90)
"""Days that can be looked at."""
DAY_US = 24 * 3_600_000_000
_WIDTH, _HEIGHT = 640, 160


@dataclass(frozen=True, slots=True)
class Bar:
    """One day of the chart: where its bar stands, how high it is, and its number; None where it is not told."""

    day_us: int
    number: int | None
    x: float
    width: float
    y: float
    height: float


MOST_ORGANIZATIONS = 50
"""Organisations that the page tells: those with most lines."""


def admin_audit_blueprint(portal: Portal, room: Administration) -> Blueprint:
    """Gives the routes."""
    blueprint = Blueprint("admin_audit", __name__)

    def page(seat: Seat, looked: Looked | None) -> Response:
        asked = number_of(request.args.get("days", ""))
        span = asked if asked in SPANS else SPANS[0]
        today_us = portal.hub.clock() // DAY_US * DAY_US
        days = [today_us - back * DAY_US for back in reversed(range(span))]
        lines, bounded = room.reads.audit_lines(days[0])
        least = room.settings.small_cell
        names = room.names(seat.signed)
        organizations = told(_sums(lines, lambda line: line.organization), least)
        most = sorted(organizations, key=lambda one: (-(organizations[one] or 0), one))[:MOST_ORGANIZATIONS]
        return portal.page(
            seat,
            "portal/admin/audit.html",
            span=span,
            spans=SPANS,
            least=least,
            bounded=bounded,
            bars=bars_of({**dict.fromkeys(days, 0), **_sums(lines, lambda line: line.day_us)}, least),
            interactions=sorted(told(_sums(lines, lambda line: line.interaction), least).items()),
            organizations=[(one, organizations[one]) for one in by_name(names, most)],
            others=len(organizations) - len(most),
            outcomes=sorted(told(_sums(lines, lambda line: line.outcome), least).items()),
            names=names,
            chain=room.reads.chain(),
            looked=looked,
            chart=(_WIDTH, _HEIGHT),
        )

    @blueprint.get(AUDIT)
    @portal.staff(*OFFICE)
    def counts(seat: Seat) -> Response:
        room.governing.check_network(seat.signed)
        return page(seat, None)

    @blueprint.post(AUDIT)
    @portal.staff(*OFFICE)
    def look(seat: Seat) -> Response:
        portal.form()
        room.governing.check_network(seat.signed)
        return page(seat, room.reads.look_at_chain())

    return blueprint


def _sums(lines: Iterable[AuditLines], key: Callable[[AuditLines], K]) -> dict[K, int]:
    counted: Counter[K] = Counter()
    for line in lines:
        counted[key(line)] += line.number
    return dict(counted)


def bars_of(counts: Mapping[int, int], least: int) -> list[Bar]:
    """Gives the bars of a chart, the earliest day first; a day that is not told has none.

    Args:
        counts: numbers by day (microseconds UTC).
        least: below this a number is not told.
    """
    shown = told(counts, least)
    most = max((number for number in shown.values() if number), default=1)
    step = _WIDTH / max(1, len(shown))
    found = []
    for place, day in enumerate(sorted(shown)):
        number = shown[day]
        height = round((number or 0) / most * (_HEIGHT - 4), 1)
        x = round(place * step + step * 0.1, 1)
        found.append(Bar(day, number, x, round(step * 0.8, 1), round(_HEIGHT - height, 1), height))
    return found
