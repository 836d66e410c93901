"""Who has what: who got what when, who looked and why, who was refused, and what those said who were asked back.

What lives here: the page. What does not: what is told to whom (``exchange.disclosing``), its rows
(``casework.disclosures_told``).

It is read with her: "who tried to look" is told by a person first, so it stands on the worker's page and is opened by
a tap.

Source: ``practice.md`` 10 and 12; ``consent.md`` F-26.
"""

from flask import Blueprint, Response

from referral_hub.auth.people.portal_tokens import Seat
from referral_hub.casework.disclosures_told import told_of
from referral_hub.exchange.disclosing import disclosures
from referral_hub.web.portal.permission_desk import PermissionDesk

_MOST_LINES = 100


def disclosure_blueprint(desk: PermissionDesk) -> Blueprint:
    """Gives the route.

    Args:
        desk: what the page works with.
    """
    blueprint = Blueprint("who_has_what", __name__)

    @blueprint.get("/people/<patient>/who")
    @desk.portal.staff()
    def who(seat: Seat, patient: str) -> Response:
        file = desk.file(seat, patient)
        told = told_of(disclosures(desk.portal.hub, seat.token, patient), desk.now_us)
        permissions = [one for one in desk.permissions(file) if one.runs]
        lines = [line for line in told.lines if line.outcome != "refused"]
        units = {one.recipient for one in permissions} | {line.unit for line in told.lines}
        units |= {recall.unit for recall in told.recalls}
        return desk.portal.page(
            seat,
            "portal/permission/who.html",
            patient=patient,
            told=told,
            lines=lines[:_MOST_LINES],
            more=max(len(lines) - _MOST_LINES, 0),
            permissions=permissions,
            names=desk.names(units),
            own=seat.signed.organization,
            most=max((max(unit.weeks) for unit in told.units), default=0),
        )

    return blueprint
