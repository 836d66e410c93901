"""Accounts of staff on pages: adding, role, training, authorising, shifts, unlocking, a new password, removing.

What lives here: ``/admin/organizations/<id>/people`` and ``/admin/accounts/<id>…``. What does not: who may do it and
what it does (``auth.people.governing``, ``auth.people.office``), one's own account (``web.account``).

A one-time password stands in one answer and nowhere else: not in an address, not in the database.

Source: ``practice.md`` 12 and 17.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

from flask import Blueprint, Response

from referral_hub.auth.people.office import Given
from referral_hub.auth.people.portal_tokens import Seat
from referral_hub.auth.people.standing import role_standing
from referral_hub.errors import ConfigurationError, NotFound
from referral_hub.exchange.accounts import Account
from referral_hub.web.portal.admin_organizations import LIST
from referral_hub.web.portal.admin_room import OFFICE, Administration, number_of, shown_name, telling, tried
from referral_hub.web.portal.frame import Portal

ACCOUNTS = "/admin/accounts"
_DANGEROUS = frozenset({"remove", "role", "withdraw", "reset", "authorise", "unlock"})


class PeoplePages:
    """The pages of accounts."""

    def __init__(self, portal: Portal, room: Administration) -> None:
        self._portal = portal
        self._room = room

    def blueprint(self) -> Blueprint:
        """Gives the routes."""
        found = Blueprint("admin_people", __name__)
        staff = self._portal.staff(*OFFICE)
        found.add_url_rule(f"{LIST}/<organization_id>/people", "listed", staff(self.listed), methods=["GET"])
        found.add_url_rule(f"{LIST}/<organization_id>/people", "add", staff(self.add), methods=["POST"])
        found.add_url_rule(f"{ACCOUNTS}/<account_id>", "one", staff(self.one), methods=["GET"])
        found.add_url_rule(f"{ACCOUNTS}/<account_id>/<act>", "act", staff(self.act), methods=["POST"])
        return found

    def _people(self, seat: Seat, organization_id: str, wrong: list[str], form: dict[str, str]) -> Response:
        row = self._room.organization(seat.signed, organization_id)
        now_us = self._portal.hub.clock()
        staff = [
            (account, login, role_standing(account, now_us).reason)
            for account, login in self._room.governing.staff(seat.signed, organization_id)
        ]
        return self._portal.page(
            seat,
            "portal/admin/people.html",
            422 if wrong else 200,
            row=row,
            name=shown_name(seat.signed, row),
            staff=staff,
            roles=self._room.governing.roles(seat.signed),
            form=form,
            wrong=wrong,
        )

    def _account_page(self, seat: Seat, account: Account, wrong: list[str]) -> Response:
        row = self._room.organization(seat.signed, account.organization)
        standing = role_standing(account, self._portal.hub.clock())
        return self._portal.page(
            seat,
            "portal/admin/account.html",
            422 if wrong else 200,
            account=account,
            login=self._room.governing.login_of(account.id),
            row=row,
            name=shown_name(seat.signed, row),
            standing=standing,
            changeable=self._room.governing.may_change(seat.signed, account),
            given_by_me=account.given_by == seat.signed.account,
            roles=self._room.governing.roles(seat.signed),
            wrong=wrong,
        )

    def _handed(self, seat: Seat, given: Given, organization: str) -> Response:
        login = self._room.governing.login_of(given.account)
        return self._portal.page(
            seat,
            "portal/admin/handed.html",
            password=given.one_time_password,
            account_id=given.account,
            login=login,
            organization=organization,
        )

    def listed(self, seat: Seat, organization_id: str) -> Response:
        """Shows the staff of an organisation."""
        return self._people(seat, organization_id, [], {})

    def add(self, seat: Seat, organization_id: str) -> Response:
        """Adds an account, and shows its one-time password."""
        form = self._portal.form()
        wrong: list[str] = []
        self._room.organization(seat.signed, organization_id)
        again = self._portal.confirm(seat, f"{LIST}/{organization_id}/people")
        if again is not None:
            return again
        named = (organization_id, form.get("role", ""), form.get("login", ""))
        now_us = self._portal.hub.clock()
        given = tried(wrong, lambda: self._room.governing.add(seat.signed, *named, now_us))
        if given is None:
            return self._people(seat, organization_id, wrong, form)
        return self._handed(seat, given, organization_id)

    def one(self, seat: Seat, account_id: str) -> Response:
        """Shows one account."""
        return self._account_page(seat, self._room.governing.account(seat.signed, account_id), [])

    def act(self, seat: Seat, account_id: str, act: str) -> Response:
        """Does one thing with an account."""
        form = self._portal.form()
        wrong: list[str] = []
        account = self._room.governing.account(seat.signed, account_id)
        if act not in _ACTS and act != "reset":
            raise NotFound
        if act in _DANGEROUS:
            again = self._portal.confirm(seat, f"{ACCOUNTS}/{account_id}")
            if again is not None:
                return again
        now_us, given = self._portal.hub.clock(), None
        with telling(wrong):
            if act == "reset":
                if number_of(form.get("version", "")) != account.version:
                    raise ConfigurationError("This account was changed meanwhile: look at it again.")
                given = self._room.governing.reset(
                    seat.signed, account_id, now_us, factors=form.get("factors", "") == "yes"
                )
            else:
                _ACTS[act](self._room, seat, account_id, form, now_us)
        if wrong:
            return self._account_page(seat, account, wrong)
        if given is not None:
            return self._handed(seat, given, account.organization)
        if act == "remove":
            return self._portal.to(f"{LIST}/{account.organization}/people")
        return self._portal.to(f"{ACCOUNTS}/{account_id}")


Act = Callable[[Administration, Seat, str, dict[str, str], int], None]


def _remove(room: Administration, seat: Seat, account_id: str, form: dict[str, str], at_us: int) -> None:
    room.governing.remove(seat.signed, account_id, at_us)


def _role(room: Administration, seat: Seat, account_id: str, form: dict[str, str], at_us: int) -> None:
    room.governing.set_role(seat.signed, account_id, form.get("role", ""), at_us)


def _train(room: Administration, seat: Seat, account_id: str, form: dict[str, str], at_us: int) -> None:
    room.governing.train(seat.signed, account_id, _end_of(form.get("until", "")), at_us)


def _authorise(room: Administration, seat: Seat, account_id: str, form: dict[str, str], at_us: int) -> None:
    room.governing.authorise(seat.signed, account_id, at_us)


def _withdraw(room: Administration, seat: Seat, account_id: str, form: dict[str, str], at_us: int) -> None:
    room.governing.withdraw(seat.signed, account_id, at_us)


def _unlock(room: Administration, seat: Seat, account_id: str, form: dict[str, str], at_us: int) -> None:
    room.governing.unlock(seat.signed, account_id, number_of(form.get("hours", "")), at_us)


def _on_call(room: Administration, seat: Seat, account_id: str, form: dict[str, str], at_us: int) -> None:
    room.governing.on_call(seat.signed, account_id, number_of(form.get("hours", "")), at_us)


_ACTS: dict[str, Act] = {
    "remove": _remove,
    "role": _role,
    "train": _train,
    "authorise": _authorise,
    "withdraw": _withdraw,
    "unlock": _unlock,
    "on-call": _on_call,
}


def _end_of(day: str) -> int:
    """Gives the end of a day, microseconds UTC.

    Raises:
        ConfigurationError: it is no day.
    """
    try:
        parsed = date.fromisoformat(day)
    except ValueError:
        raise ConfigurationError("A date is written as year-month-day, such as 2027-11-30.") from None
    end = datetime.combine(parsed, time(), UTC) + timedelta(days=1)
    return int(end.timestamp()) * 1_000_000
