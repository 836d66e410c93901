"""Who of an organisation works with a person: the list a page shows, and the form that changes it.

What lives here: names of colleagues, reading and changing assignments. What does not: who may assign whom
(``exchange.assignments``), accounts (``auth.people``).

Source: ``practice.md`` 12 (self-assignment needs a second person); ``views.md`` 9 (Roles inside an organisation).
"""

from collections.abc import Callable
from dataclasses import dataclass

from referral_hub.access.reach import ROLES
from referral_hub.auth.people.portal_tokens import Seat
from referral_hub.errors import Forbidden, InvalidResource, NotFound
from referral_hub.exchange.assignments import ENDED, AccountLook, assign, assignments, unassign
from referral_hub.exchange.hub import Hub

Colleagues = Callable[[str], list[tuple[str, str, str]]]
"""Gives (account, name, role) of everybody who has an account at an organisation."""


@dataclass(frozen=True, slots=True)
class Worker:
    """One colleague as a page names her: account, name, role, and whether she works with the person.

    ``state`` is active, pending (she asked, a second person has to confirm), or empty.
    """

    account: str
    name: str
    role: str
    state: str = ""


@dataclass(frozen=True, slots=True)
class Team:
    """Who works with a person; ``may`` tells whether this seat may say so."""

    workers: tuple[Worker, ...] = ()
    others: tuple[Worker, ...] = ()
    may: bool = False


@dataclass(frozen=True, slots=True)
class Staff:
    """Reads and changes who works with whom.

    Args:
        hub: store, gate and clock.
        accounts: gives an account by its id.
        colleagues: names everybody of an organisation.
        named: gives the name of one account, or an empty text.
    """

    hub: Hub
    accounts: AccountLook
    colleagues: Colleagues
    named: Callable[[str], str]

    def team(self, seat: Seat, patient: str) -> Team:
        """Gives who works with a person; of somebody this seat does not work with nothing is told."""
        try:
            found = assignments(self.hub, seat.token, patient)
        except (Forbidden, NotFound):
            return Team()
        states: dict[str, str] = {}
        for entry in found.get("parameter") or ():
            parts = {one["name"]: one for one in entry["part"]}
            states[parts["account"]["valueString"]] = parts["state"]["valueCode"]
        everybody = [Worker(*one) for one in self.colleagues(seat.signed.organization)]
        working = [
            Worker(one.account, one.name, one.role, states[one.account])
            for one in everybody
            if states.get(one.account, ENDED) != ENDED
        ]
        taken = {one.account for one in working}
        others = [
            one
            for one in everybody
            if one.account not in taken and ROLES.get(one.role, "") in ("unit", "assigned", "intake")
        ]
        return Team(tuple(working), tuple(others), may=True)

    def changed(self, seat: Seat, patient: str, form: dict[str, str]) -> bool:
        """Takes the form; gives whether it could be done."""
        account = form.get("account", "")
        try:
            if form.get("staff") == "assign":
                assign(self.hub, self.accounts, seat.token, patient, account)
            elif form.get("staff") == "unassign":
                unassign(self.hub, seat.token, patient, account)
            else:
                return False
        except (Forbidden, InvalidResource, NotFound):
            return False
        return True

    def asked(self, seat: Seat, patient: str) -> None:
        """Writes down that this member of staff wants to work with a person; a second person confirms."""
        assign(self.hub, self.accounts, seat.token, patient, "")
