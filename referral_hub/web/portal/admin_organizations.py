"""Organisations and units on pages: the list, one of them, adding, changing, pausing with the effect shown first.

What lives here: ``/admin/organizations…``. What does not: the rules (``exchange.member_organizations``), people and
software of an organisation (neighbours).

Source: ``views.md`` 9; ``practice.md`` 12.
"""

from collections.abc import Callable
from dataclasses import replace

from flask import Blueprint, Response, request

from referral_hub.auth.people.browser_sessions import SignedIn
from referral_hub.auth.people.portal_tokens import Seat
from referral_hub.errors import NotFound
from referral_hub.exchange.organization_descriptions import KINDS, NewOrganization, phone_of
from referral_hub.exchange.ports import OrganizationRow
from referral_hub.web.portal.admin_room import OFFICE, Administration, number_of, shown_name, telling, tried
from referral_hub.web.portal.frame import Portal

LIST = "/admin/organizations"
AT_ONCE = 50
"""Organisations that one page shows."""


class OrganizationPages:
    """The pages of organisations."""

    def __init__(self, portal: Portal, room: Administration) -> None:
        self._portal = portal
        self._room = room

    def blueprint(self) -> Blueprint:
        """Gives the routes."""
        found = Blueprint("admin_organizations", __name__)
        staff = self._portal.staff(*OFFICE)
        found.add_url_rule(LIST, "listed", staff(self.listed), methods=["GET"])
        found.add_url_rule(f"{LIST}/new", "new", staff(self.new), methods=["GET"])
        found.add_url_rule(f"{LIST}/new", "add", staff(self.add), methods=["POST"])
        found.add_url_rule(f"{LIST}/<organization_id>", "one", staff(self.one), methods=["GET"])
        found.add_url_rule(f"{LIST}/<organization_id>", "change", staff(self.change), methods=["POST"])
        found.add_url_rule(f"{LIST}/<organization_id>/active", "effect", staff(self.effect), methods=["GET"])
        found.add_url_rule(f"{LIST}/<organization_id>/active", "switch", staff(self.switch), methods=["POST"])
        return found

    def _phone(self, organization_id: str) -> str:
        with self._portal.hub.store.snapshot() as snapshot:
            return phone_of(snapshot.resource("Organization", organization_id))

    def _page(
        self,
        seat: Seat,
        row: OrganizationRow,
        form: NewOrganization | None = None,
        wrong: list[str] | None = None,
        poll: str | None = None,
    ) -> Response:
        known = self._room.reads.organizations()
        found = form or _told(seat.signed, row, self._phone(row.facts.id))
        return self._portal.page(
            seat,
            "portal/admin/organization.html",
            422 if wrong else 200,
            row=row,
            name=shown_name(seat.signed, row),
            form=found,
            poll=poll if poll is not None else str(found.poll_seconds or ""),
            kinds=KINDS,
            hidden=_is_hidden(seat.signed, row),
            network=self._room.governing.is_network(seat.signed),
            parent=next(iter(_named(seat.signed, known, lambda one: one.facts.id == row.part_of)), None),
            units=_named(seat.signed, known, lambda one: one.part_of == row.facts.id)[:AT_ONCE],
            wrong=wrong or [],
        )

    def listed(self, seat: Seat) -> Response:
        """Shows the organisations of the network."""
        if not self._room.governing.is_network(seat.signed):
            return self._portal.to(f"{LIST}/{seat.signed.organization}")
        rows = self._room.reads.organizations()
        names = {row.facts.id: shown_name(seat.signed, row) for row in rows}
        begins = request.args.get("name", "").strip().casefold()
        found = [row for row in rows if begins in names[row.facts.id].casefold()]
        found.sort(key=lambda row: (names[row.facts.id].casefold(), row.facts.id))
        page = max(number_of(request.args.get("page", "")), 1)
        shown = found[(page - 1) * AT_ONCE : page * AT_ONCE]
        return self._portal.page(
            seat,
            "portal/admin/organizations.html",
            rows=shown,
            names=names,
            name=request.args.get("name", ""),
            page=page,
            pages=-(-len(found) // AT_ONCE) or 1,
        )

    def new(self, seat: Seat) -> Response:
        """Shows the form for another one."""
        self._room.governing.check_network(seat.signed)
        above = request.args.get("part_of", "")
        return self._fresh(seat, NewOrganization("", "shelter", part_of=above), [], "")

    def _fresh(self, seat: Seat, form: NewOrganization, wrong: list[str], poll: str) -> Response:
        rows = self._room.reads.organizations()
        above = next((row for row in rows if row.facts.id == form.part_of), None)
        return self._portal.page(
            seat,
            "portal/admin/new_organization.html",
            422 if wrong else 200,
            form=form,
            poll=poll,
            kinds=KINDS,
            above=None if above is None else (above.facts.id, shown_name(seat.signed, above)),
            wrong=wrong,
        )

    def add(self, seat: Seat) -> Response:
        """Adds one."""
        given = self._portal.form()
        self._room.governing.check_network(seat.signed)
        told = _asked(given)
        wrong: list[str] = []
        added = tried(wrong, lambda: self._room.organizations.add(told, by=seat.signed.account))
        if added is None:
            return self._fresh(seat, told, wrong, given.get("poll_seconds", ""))
        return self._portal.to(f"{LIST}/{added.id}")

    def one(self, seat: Seat, organization_id: str) -> Response:
        """Shows one."""
        return self._page(seat, self._room.organization(seat.signed, organization_id))

    def change(self, seat: Seat, organization_id: str) -> Response:
        """Changes what is known of one."""
        given = self._portal.form()
        self._room.governing.check_network(seat.signed)
        row = self._room.organization(seat.signed, organization_id)
        told = _asked(given)
        wrong: list[str] = []
        with telling(wrong):
            self._room.organizations.change(organization_id, told, by=seat.signed.account)
        if wrong:
            return self._page(seat, row, told, wrong, given.get("poll_seconds", ""))
        return self._portal.to(f"{LIST}/{organization_id}")

    def effect(self, seat: Seat, organization_id: str) -> Response:
        """Shows what pausing one, or letting it work again, does."""
        self._room.governing.check_network(seat.signed)
        row = self._room.organization(seat.signed, organization_id)
        queues = {queue.destination: queue.waiting for queue in self._room.reads.queues()}
        return self._portal.page(
            seat,
            "portal/admin/pause.html",
            row=row,
            name=shown_name(seat.signed, row),
            accounts=len(self._room.governing.staff(seat.signed, organization_id)),
            software=sum(one.active for one in self._room.software.rows.software_of(organization_id)),
            queued=queues.get(organization_id, 0),
        )

    def switch(self, seat: Seat, organization_id: str) -> Response:
        """Pauses one, or lets it work again."""
        wanted = self._portal.form().get("active", "")
        self._room.governing.check_network(seat.signed)
        row = self._room.organization(seat.signed, organization_id)
        if wanted not in ("yes", "no"):
            raise NotFound
        again = self._portal.confirm(seat, f"{LIST}/{organization_id}/active")
        if again is not None:
            return again
        wrong: list[str] = []
        with telling(wrong):
            self._room.organizations.set_active(
                organization_id, active=wanted == "yes", by=seat.signed.account
            )
        return self._page(seat, row, None, wrong) if wrong else self._portal.to(f"{LIST}/{organization_id}")


def _named(
    signed: SignedIn, rows: list[OrganizationRow], wanted: Callable[[OrganizationRow], bool]
) -> list[tuple[str, str]]:
    return [(row.facts.id, shown_name(signed, row)) for row in rows if wanted(row)]


def _is_hidden(signed: SignedIn, row: OrganizationRow) -> bool:
    """Tells that name and telephone of an organisation are not this reader's: she may only write them anew."""
    return row.facts.kind == "shelter" and row.facts.id != signed.organization


def _told(signed: SignedIn, row: OrganizationRow, phone: str) -> NewOrganization:
    facts = row.facts
    told = NewOrganization(
        row.name,
        facts.kind,
        row.part_of,
        row.neutral_name,
        facts.country,
        facts.governmental,
        row.fhir_endpoint,
        (),
        row.poll_seconds,
        phone=phone,
    )
    return replace(told, name="", phone="") if _is_hidden(signed, row) else told


def _asked(given: dict[str, str]) -> NewOrganization:
    poll = given.get("poll_seconds", "").strip()
    return NewOrganization(
        name=given.get("name", "").strip(),
        kind=given.get("kind", ""),
        part_of=given.get("part_of", ""),
        neutral_name=given.get("neutral_name", "").strip(),
        country=given.get("country", "").strip().upper(),
        governmental=given.get("governmental", "") == "yes",
        fhir_endpoint=given.get("fhir_endpoint", "").strip(),
        poll_seconds=number_of(poll) if poll else 0,
        phone=given.get("phone", "").strip(),
    )
