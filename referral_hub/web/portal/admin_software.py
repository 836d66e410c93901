"""Partner software on pages: the list, registering, what it may ask for in words, other keys, pausing.

What lives here: ``/admin/organizations/<id>/software…`` and ``/admin/software/<id>…``. What does not: the rules
(``auth.software_office``), what people allowed software (``web.manage_pages``).

A secret stands in one answer and nowhere else.

Source: ``consent.md`` O-01 to O-07; ``practice.md`` 12.
"""

from flask import Blueprint, Response

from referral_hub.access.scopes import ScopeSet
from referral_hub.auth.app_registrations import App
from referral_hub.auth.clients import ClientKey
from referral_hub.auth.offered_scopes import OTHER_SCOPES, OfferedScope
from referral_hub.auth.people.portal_tokens import Seat
from referral_hub.auth.software_office import Allowed, Software
from referral_hub.casework.consent_templates import TEMPLATES, template_of
from referral_hub.errors import MalformedContent, NotFound
from referral_hub.web.portal.admin_organizations import LIST
from referral_hub.web.portal.admin_room import OFFICE, Administration, number_of, shown_name, telling, tried
from referral_hub.web.portal.frame import Portal
from referral_hub.web.scope_words import spoken

SOFTWARE = "/admin/software"
KEYS = ("jwks_url", "jwks", "secret", "public")
"""How software can prove itself, the best first."""


class SoftwarePages:
    """The pages of partner software."""

    def __init__(self, portal: Portal, room: Administration) -> None:
        self._portal = portal
        self._room = room

    def blueprint(self) -> Blueprint:
        """Gives the routes."""
        found = Blueprint("admin_software", __name__)
        staff = self._portal.staff(*OFFICE)
        found.add_url_rule(
            f"{LIST}/<organization_id>/software", "listed", staff(self.listed), methods=["GET"]
        )
        found.add_url_rule(f"{LIST}/<organization_id>/software/new", "new", staff(self.new), methods=["GET"])
        found.add_url_rule(f"{LIST}/<organization_id>/software/new", "add", staff(self.add), methods=["POST"])
        found.add_url_rule(f"{SOFTWARE}/<client_id>", "one", staff(self.one), methods=["GET"])
        found.add_url_rule(f"{SOFTWARE}/<client_id>/<act>", "act", staff(self.act), methods=["POST"])
        return found

    def _within(self, seat: Seat, client_id: str) -> Software:
        found = self._room.software.found(client_id)
        self._room.governing.check_reach(seat.signed, found.organization)
        return found

    def _one_page(
        self, seat: Seat, software: Software, wrong: list[str], form: dict[str, str] | None = None
    ) -> Response:
        row = self._room.organization(seat.signed, software.organization)
        return self._portal.page(
            seat,
            "portal/admin/software.html",
            422 if wrong else 200,
            software=software,
            row=row,
            name=shown_name(seat.signed, row),
            words=in_words(software.scope),
            last_us=self._room.software.rows.last_token_us(software.client_id),
            network=self._room.governing.is_network(seat.signed),
            form=form or {},
            choices=purpose_choices(software.purposes),
            wrong=wrong,
        )

    def _fresh(self, seat: Seat, organization_id: str, wrong: list[str], form: dict[str, str]) -> Response:
        row = self._room.organization(seat.signed, organization_id)
        return self._portal.page(
            seat,
            "portal/admin/new_software.html",
            422 if wrong else 200,
            row=row,
            name=shown_name(seat.signed, row),
            form=form,
            keys=KEYS,
            choices=purpose_choices(self._portal.pages.all_of("purpose")),
            wrong=wrong,
        )

    def _allowed(self, form: dict[str, str]) -> Allowed:
        chosen = self._portal.pages.all_of("purpose") + form.get("other_purposes", "").split()
        return Allowed(
            " ".join(form.get("scope", "").split()),
            tuple(dict.fromkeys(chosen)),
            very_restricted=form.get("very_restricted", "") == "yes",
            require_dpop=form.get("require_dpop", "") == "yes",
        )

    def listed(self, seat: Seat, organization_id: str) -> Response:
        """Shows the software of an organisation."""
        row = self._room.organization(seat.signed, organization_id)
        found = [
            (one, self._room.software.rows.last_token_us(one.client_id))
            for one in self._room.software.rows.software_of(organization_id)
        ]
        return self._portal.page(
            seat,
            "portal/admin/software_list.html",
            row=row,
            name=shown_name(seat.signed, row),
            found=found,
            network=self._room.governing.is_network(seat.signed),
        )

    def new(self, seat: Seat, organization_id: str) -> Response:
        """Shows the form for another one."""
        self._room.governing.check_network(seat.signed)
        return self._fresh(seat, organization_id, [], {})

    def add(self, seat: Seat, organization_id: str) -> Response:
        """Registers one, and shows its secret where it has one."""
        form = self._portal.form()
        wrong: list[str] = []
        self._room.governing.check_network(seat.signed)
        again = self._portal.confirm(seat, f"{LIST}/{organization_id}/software/new")
        if again is not None:
            return again
        app = App(
            tuple(form.get("redirect_uris", "").split()),
            form.get("launch_url", "").strip(),
            form.get("require_par", "") == "yes",
        )
        made = tried(
            wrong,
            lambda: self._room.software.register(
                organization_id,
                form.get("name", ""),
                _key(form),
                self._allowed(form),
                app,
                by=seat.signed.account,
            ),
        )
        if made is None:
            return self._fresh(seat, organization_id, wrong, form)
        if not made.secret:
            return self._portal.to(f"{SOFTWARE}/{made.client_id}")
        return self._portal.page(
            seat, "portal/admin/secret.html", client_id=made.client_id, secret=made.secret
        )

    def one(self, seat: Seat, client_id: str) -> Response:
        """Shows one."""
        return self._one_page(seat, self._within(seat, client_id), [])

    def act(self, seat: Seat, client_id: str, act: str) -> Response:
        """Does one thing with software."""
        form = self._portal.form()
        wrong: list[str] = []
        software, by = self._within(seat, client_id), seat.signed.account
        if act != "pause":
            self._room.governing.check_network(seat.signed)
        if act not in ("pause", "resume", "allow", "rotate"):
            raise NotFound
        again = self._portal.confirm(seat, f"{SOFTWARE}/{client_id}")
        if again is not None:
            return again
        version, secret = number_of(form.get("version", "")), ""
        with telling(wrong):
            if act == "allow":
                self._room.software.allow(client_id, version, self._allowed(form), by=by)
            elif act == "rotate":
                secret = self._room.software.rotate(
                    client_id, version, _key({**form, "key": software.kind}), by=by
                )
            else:
                self._room.software.switch(client_id, active=act == "resume", by=by)
        if wrong:
            return self._one_page(seat, software, wrong, form)
        if secret:
            return self._portal.page(seat, "portal/admin/secret.html", client_id=client_id, secret=secret)
        return self._portal.to(f"{SOFTWARE}/{client_id}")


def _key(form: dict[str, str]) -> ClientKey:
    chosen = form.get("key", "")
    return ClientKey(
        jwks=form.get("jwks", "").strip() if chosen == "jwks" else "",
        jwks_url=form.get("jwks_url", "").strip() if chosen == "jwks_url" else "",
        secret=chosen == "secret",
        public=chosen == "public",
    )


def purpose_choices(chosen: tuple[str, ...] | list[str]) -> list[tuple[str, str, bool]]:
    """Gives the purposes to choose among: code, key of its words, and whether it is chosen; then others' codes."""
    known = [(code, template_of(code).text_key, code in chosen) for code in TEMPLATES]
    return known + [(code, "", True) for code in chosen if code not in TEMPLATES]


def in_words(scope: str) -> list[dict[str, object]]:
    """Gives what scopes open, as keys of sentences, one line for each."""
    try:
        asked = ScopeSet.parse(scope)
    except MalformedContent:
        return []
    lines = [OfferedScope(one.text(), fixed=False, ticked=True, resource=one) for one in asked.scopes]
    lines += [
        OfferedScope(name, fixed=False, ticked=True) for name in sorted(asked.other) if name in OTHER_SCOPES
    ]
    return [{**spoken(line), "text": line.text} for line in lines]
