"""Stop sharing, with the person beside or on the telephone: the effect first, then one tap.

What lives here: the page and its act. What does not: the act itself and what it would do (``exchange.withdrawing``).

From her page it is two taps: to this page, and the button. Nothing asks for a password here: a door that closes needs
less than one that opens. The effect is the answer of the same act, run and not stored.

Source: ``practice.md`` 5; ``consent.md`` F-08 and 5.5; ``views.md`` 8.
"""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, request

from referral_hub.access.categories import CATEGORIES
from referral_hub.auth.people.portal_tokens import Seat
from referral_hub.casework.disclosures_told import Unit, told_of
from referral_hub.casework.permissions_told import Permission
from referral_hub.errors import NotFound
from referral_hub.exchange.consent_writing import Asking
from referral_hub.exchange.disclosing import disclosures
from referral_hub.exchange.withdrawing import Wish, foresee, withdraw
from referral_hub.fhir.dates import span
from referral_hub.fhir.elements import reference_text, text_at
from referral_hub.fhir.ids import is_id
from referral_hub.web.portal.permission_desk import PermissionDesk

_ACTIVE = frozenset({"running", "ending", "paused", "refused"})
_JUST_US = 15 * 60 * 1_000_000
_MOST_UNITS = 20
_HOWS = ("in-person", "phone")


@dataclass(frozen=True, slots=True)
class Effect:
    """What one wish would end.

    Args:
        recipient: id of the unit it is about; empty for all.
        category: the kind of information; empty for all.
        losing: permissions that end, or go on with less.
        goes_on: how many referrals stay as they are.
        asked_back: units that received something, and are asked to stop using it.
    """

    recipient: str
    category: str
    losing: tuple[Permission, ...]
    goes_on: int
    asked_back: tuple[Unit, ...]


def stop_blueprint(desk: PermissionDesk) -> Blueprint:
    """Gives the routes.

    Args:
        desk: what the pages work with.
    """
    blueprint = Blueprint("stop", __name__)
    pages, staff = _Pages(desk), desk.portal.staff()
    blueprint.get("/people/<patient>/stop")(staff(pages.shown))
    blueprint.post("/people/<patient>/stop")(staff(pages.stop))
    return blueprint


@dataclass(frozen=True, slots=True)
class _Pages:
    desk: PermissionDesk

    def shown(self, seat: Seat, patient: str) -> Response:
        """Shows what may be stopped, and for each what would happen and what would not."""
        return self._page(seat, patient)

    def stop(self, seat: Seat, patient: str) -> Response:
        """Stops it; the same wish again changes nothing."""
        form = self.desk.portal.form()
        how = form.get("how", "")
        recipient, category = form.get("recipient", ""), form.get("category", "")
        if form.get("what") not in ("all", "some") or (form["what"] == "some") != bool(recipient or category):
            return self._page(seat, patient, wrong="permission.stop.wrong")
        if (category and category not in CATEGORIES) or (recipient and not is_id(recipient)):
            return self._page(seat, patient, wrong="permission.stop.wrong")
        reason = " ".join(form.get("reason", "").split())[:200]
        hold = form.get("harm") == "yes"
        if hold and not reason:
            return self._page(seat, patient, wrong="permission.stop.wrong-reason")
        wish = Wish(
            recipient=recipient,
            category=category,
            how=how if how in _HOWS else "",
            identity_checked=how != "phone" or form.get("known") == "yes",
            asking=Asking(at_once=False, hold=hold, reason=reason),
        )
        if not is_id(patient):
            raise NotFound
        withdraw(self.desk.portal.hub, seat.token, patient, wish)
        return self.desk.portal.to(f"/people/{patient}/stop?done=1")

    def _blind(self, seat: Seat, patient: str, wrong: str) -> Response:
        """Gives the page of a worker who picks up the telephone and does not work with her: one button, no name.

        Raises:
            NotFound: she is not in the record of the worker's organisation (404).
        """
        if not is_id(patient):
            raise NotFound
        foresee(self.desk.portal.hub, seat.token, patient, ())
        return self.desk.portal.page(
            seat,
            "portal/permission/stop_blind.html",
            422 if wrong else 200,
            patient=patient,
            phone=request.args.get("how") != "here",
            asked=request.args.get("done") == "1",
            wrong=wrong,
        )

    def _page(self, seat: Seat, patient: str, wrong: str = "") -> Response:
        try:
            file = self.desk.file(seat, patient)
        except NotFound:
            return self._blind(seat, patient, wrong)
        permissions = self.desk.permissions(file)
        active = [one for one in permissions if one.state in _ACTIVE]
        known = {one.id: one for one in active}
        told = told_of(disclosures(self.desk.portal.hub, seat.token, patient), self.desk.now_us)
        received = {unit.id: unit for unit in told.units if unit.looked}
        units = list(dict.fromkeys(one.recipient for one in active))[:_MOST_UNITS]
        categories = [code for code in CATEGORIES if any(code in one.categories for one in active)]
        wishes = [Wish()] if active else []
        wishes += [Wish(recipient=unit) for unit in units]
        wishes += [Wish(category=code) for code in categories]
        effects = []
        for wish, answer in zip(
            wishes, foresee(self.desk.portal.hub, seat.token, patient, wishes), strict=True
        ):
            said: dict[str, list[str]] = {}
            for one in answer["parameter"]:
                said.setdefault(one["name"], []).append(
                    reference_text(one.get("valueReference")).rpartition("/")[2]
                )
            losing = [*said.get("ended", ()), *said.get("narrowed", ())]
            touched = tuple(known[one] for one in losing if one in known)
            asked = tuple(received[unit] for unit in {one.recipient for one in touched} if unit in received)
            still = len(said.get("still-open", ()))
            effects.append(Effect(wish.recipient, wish.category, touched, still, asked))
        stopped = [one for one in permissions if one.state == "stopped"]
        return self.desk.portal.page(
            seat,
            "portal/permission/stop.html",
            422 if wrong else 200,
            patient=patient,
            phone=request.args.get("how") == "phone",
            everything=next((one for one in effects if not one.recipient and not one.category), None),
            by_unit=[one for one in effects if one.recipient],
            by_category=[one for one in effects if one.category],
            names=self.desk.names([*units, *(one.recipient for one in permissions)]),
            own=seat.signed.organization,
            just_stopped=[one for one in stopped if self._just(file.consents, one.id)],
            asked=request.args.get("done") == "1",
            wrong=wrong,
        )

    def _just(self, consents: tuple[dict[str, Any], ...], consent: str) -> bool:
        """Tells whether a permission was stopped in the last minutes, by what is stored of it."""
        found = next((body for body in consents if body.get("id") == consent), None)
        if found is None:
            raise NotFound
        changed = text_at(found, "meta.lastUpdated")
        return bool(changed) and self.desk.now_us - span(changed)[0] < _JUST_US
