"""The tracker: every referral of the persons this seat works with, across all agencies.

What lives here: the list. What does not: one referral (``web.portal.sent``), the inbox (``web.portal.inbox``), rules
(``casework.tracking``), the search (``casework.filters``).

Source: ``referral-loop.md`` Part A row 22; ``views.md`` 2 and 9; ``practice.md``, words on pages.
"""

from flask import Blueprint, Response, request

from referral_hub.auth.people.portal_tokens import Seat
from referral_hub.casework.filters import BALLS, LATES, SORTS, Filters, filters_of, searched, unanswered_no
from referral_hub.casework.person_file import called
from referral_hub.casework.tracking import STATES
from referral_hub.fhir.dates import instant
from referral_hub.web.portal.asking import Asking, Found
from referral_hub.web.portal.frame import Portal
from referral_hub.web.portal.rows import ALONG, Row, name_of, rows_of, with_stops
from referral_hub.web.portal.sent import Sent, StaffName


def tracker_blueprint(portal: Portal, staff_name: StaffName) -> Blueprint:
    """Gives the routes.

    Args:
        portal: the frame.
        staff_name: says who moved a referral, where it was a colleague.
    """
    blueprint = Blueprint("portal_tracker", __name__)
    hub = portal.hub

    @blueprint.get("/referrals")
    @portal.staff()
    def referrals(seat: Seat) -> Response:
        filters = filters_of(request.args)
        asking, at_us = Asking(hub, seat), hub.clock()
        pairs = searched(filters, instant(at_us))
        found = Found(())
        if pairs is not None:
            found = asking.find("Task", [*pairs, *ALONG], own=True, following=filters.page)
        rows = rows_of(found, at_us)
        more_no = False
        if filters.ball == "ours" and not filters.page and not filters.late and _asks_for_no(filters):
            no, more_no = unanswered(asking, filters, at_us)
            rows = [*no, *rows]
        rows = with_stops(rows, asking, at_us)
        person = asking.maybe("Patient", filters.person)
        return portal.page(
            seat,
            "portal/tracker/list.html",
            rows=rows,
            filters=filters,
            next=filters.address(page=found.next) if found.next else "",
            more_no=more_no,
            states=tuple(STATES),
            balls=BALLS,
            lates=LATES,
            sorts=tuple(SORTS),
            recipients=_recipients(asking, rows, filters),
            person=called(person) if person is not None else "",
        )

    sent = Sent(portal, staff_name)

    @blueprint.get("/referrals/<task_id>")
    @portal.staff()
    def referral(seat: Seat, task_id: str) -> Response:
        return sent.shown(seat, task_id, {}, {})

    @blueprint.post("/referrals/<task_id>")
    @portal.staff()
    def act(seat: Seat, task_id: str) -> Response:
        return sent.acted(seat, task_id, portal.form())

    return blueprint


def unanswered(asking: Asking, filters: Filters, at_us: int, most: int = 50) -> tuple[list[Row], bool]:
    """Gives referrals that ended without help and wait for the sender, and whether there are more than looked at."""
    pairs = [*unanswered_no(filters), ("_sort", "-_lastUpdated"), ("_count", str(most)), *ALONG]
    found = asking.find("Task", pairs, own=True)
    rows = [row for row in rows_of(found, at_us) if row.standing.ball == "sender"]
    return rows, bool(found.next)


def _recipients(asking: Asking, rows: list[Row], filters: Filters) -> list[tuple[str, str]]:
    """Gives who can be chosen in the filter: whoever is on this page, and who is chosen already."""
    named = {row.to: row.to_name for row in rows if row.to}
    if filters.to and filters.to not in named:
        named[filters.to] = name_of(asking.maybe("Organization", filters.to))
    return sorted(named.items(), key=lambda one: one[1].casefold())


def _asks_for_no(filters: Filters) -> bool:
    return filters.state in ("", "no", "failed")
