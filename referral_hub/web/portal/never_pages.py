"""Never share with: whom she refuses, room for single things in it, and taking one back.

What lives here: the list and its forms. What does not: the refusal (``casework.refusals``), who is reached by it
(``access.principal``), the signature (``web.portal.permission_fields``).

Saying no needs no signature and no password. Taking a no back opens doors: it is signed like a permission, by a worker
who has just shown who she is.

Source: ``practice.md`` 5; ``consent.md`` F-08 and F-11; ``views.md`` 9.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from flask import Blueprint, Response

from referral_hub.access.categories import CATEGORIES
from referral_hub.auth.people.portal_tokens import Seat
from referral_hub.casework.consent_templates import TEMPLATES
from referral_hub.casework.permission_forms import evidence
from referral_hub.casework.refusals import (
    KINDS,
    WHO,
    Refused,
    lifted,
    refusal_of,
    with_exception,
    without_exceptions,
)
from referral_hub.errors import NotFound
from referral_hub.exchange.consent_evidence import EVIDENCE
from referral_hub.exchange.consent_rules import kind_of
from referral_hub.exchange.interactions import by_token, write, write_all
from referral_hub.exchange.permission_file import PermissionFile, known_unit
from referral_hub.exchange.proposal import Proposal
from referral_hub.exchange.search import search
from referral_hub.fhir import json_codec
from referral_hub.fhir.elements import text_at
from referral_hub.fhir.ids import is_id
from referral_hub.web.portal.permission_desk import PermissionDesk
from referral_hub.web.portal.permission_fields import by_field
from referral_hub.web.portal.signed_forms import LARGEST_FORM, paper_of, read_signed
from referral_hub.web.portal.signing_pages import signing_values

_MOST_THINGS = "50"
RESIDENCE = "residence-permit"


def never_blueprint(desk: PermissionDesk) -> Blueprint:
    """Gives the routes.

    Args:
        desk: what the pages work with.
    """
    blueprint = Blueprint("never", __name__)
    pages, staff = _Pages(desk), desk.portal.staff()
    blueprint.get("/people/<patient>/never")(staff(pages.listed))
    blueprint.post("/people/<patient>/never")(staff(pages.add))
    blueprint.get("/people/<patient>/never/<consent>")(staff(pages.one))
    blueprint.post("/people/<patient>/never/<consent>/except")(staff(pages.make_room))
    blueprint.post("/people/<patient>/never/<consent>/whole")(staff(pages.make_whole))
    blueprint.post("/people/<patient>/never/<consent>/lift")(staff(pages.lift))
    return blueprint


@dataclass(frozen=True, slots=True)
class _Pages:
    desk: PermissionDesk

    def listed(self, seat: Seat, patient: str) -> Response:
        """Shows whom she refuses, and the form for one more."""
        return self._list_page(seat, patient, {}, {})

    def add(self, seat: Seat, patient: str) -> Response:
        """Writes down whom she never allows; the same no twice is one."""
        form = self.desk.portal.form()
        file = self.desk.file(seat, patient)
        who = form.get("who", "")
        given = form.get({"unit": "unit", "kind": "kind", "government": "country"}.get(who, ""), "")
        refused = Refused(who, given, tuple(self.desk.portal.pages.all_of("category")))
        problems: dict[str, str] = {}
        hub = self.desk.portal.hub
        with self.desk.portal.telling(problems):
            body = refusal_of(patient, seat.signed.organization, refused, self.desk.now_us)
            if who == "unit":
                known_unit(hub, seat.token, given if is_id(given) else "")
            if not _is_said(file, body):
                write(hub, by_token(hub, seat.token), Proposal("create", "Consent", body=body))
        if problems:
            return self._list_page(seat, patient, form, by_field(problems))
        return self.desk.portal.to(f"/people/{patient}/never")

    def _list_page(
        self, seat: Seat, patient: str, typed: Mapping[str, str], problems: Mapping[str, str]
    ) -> Response:
        file = self.desk.file(seat, patient)
        nevers = self.desk.nevers(file)
        named = {value for one in nevers for kind, value in one.targets if kind == "unit"}
        closed = [one for one in self.desk.permissions(file) if one.state == "refused"]
        return self.desk.portal.page(
            seat,
            "portal/permission/never.html",
            422 if problems else 200,
            patient=patient,
            nevers=nevers,
            closed=closed,
            names=self.desk.names([*named, *(one.recipient for one in closed)]),
            countries=dict(_countries(self.desk.language)),
            whos=WHO,
            units=self.desk.units(seat),
            kinds=KINDS,
            categories=CATEGORIES,
            typed=typed,
            ticked=self.desk.portal.pages.all_of("category") if typed else [],
            problems=problems,
        )

    def one(self, seat: Seat, patient: str, consent: str) -> Response:
        """Shows one refusal: room for single things in it, and taking it back."""
        return self._one_page(seat, patient, consent, {}, {})

    def make_room(self, seat: Seat, patient: str, consent: str) -> Response:
        """Lets one organisation have single things all the same; a permission must still allow them."""
        form = self.desk.portal.form()
        things = self.desk.portal.pages.all_of("thing")
        again = self.desk.portal.confirm(seat, f"/people/{patient}/never/{consent}")
        if again is not None:
            return again
        body = self._refusal(self.desk.file(seat, patient), consent)
        problems: dict[str, str] = {}
        hub = self.desk.portal.hub
        with self.desk.portal.telling(problems):
            known_unit(hub, seat.token, form.get("unit", "") if is_id(form.get("unit", "")) else "")
            made = with_exception(body, form.get("unit", ""), form.get("purpose", ""), things)
            self._update(seat, consent, made, form.get("version", ""))
        if problems:
            return self._one_page(seat, patient, consent, form, by_field(problems))
        return self.desk.portal.to(f"/people/{patient}/never")

    def make_whole(self, seat: Seat, patient: str, consent: str) -> Response:
        """Takes the room for single things away again: the refusal is whole, which needs nothing."""
        form = self.desk.portal.form()
        body = self._refusal(self.desk.file(seat, patient), consent)
        self._update(seat, consent, without_exceptions(body), form.get("version", ""))
        return self.desk.portal.to(f"/people/{patient}/never")

    def lift(self, seat: Seat, patient: str, consent: str) -> Response:
        """Takes a refusal back, signed by her."""
        form = self.desk.portal.form(LARGEST_FORM)
        again = self.desk.portal.confirm(seat, f"/people/{patient}/never/{consent}")
        if again is not None:
            return again
        file = self.desk.file(seat, patient)
        body = self._refusal(file, consent)
        language = self.desk.her_language(file, {})
        found = read_signed(self.desk, seat, patient, form, language)
        missing = found.missing
        if form.get("now") != "yes":
            missing["now"] = "permission.wrong.now"
        if file.signing_off or file.unreachable:
            missing["status"] = "permission.wrong.status"
        if form.get("explained") == "no":
            missing["explained"] = "permission.wrong.explained"
        if form.get("how") == "spoken":
            missing["how"] = "permission.wrong.how"
        hub = self.desk.portal.hub
        problems: dict[str, str] = {}
        if not missing:
            paper, proposals = paper_of(self.desk, patient, [f"Consent/{consent}", found.mark], found)
            kept = [one for one in body.get("extension") or () if one.get("url") != EVIDENCE]
            ended = {**lifted(body), "extension": [*kept, evidence(found.signature)]}
            ended["sourceReference"] = {"reference": paper}
            ended.pop("sourceAttachment", None)
            version = form.get("version", "") or "none"
            proposals.append(Proposal("update", "Consent", public_id=consent, body=ended, if_match=version))
            with self.desk.portal.telling(problems):
                write_all(hub, by_token(hub, seat.token), proposals)
            if not problems:
                return self.desk.portal.to(f"/people/{patient}/never")
        return self._one_page(seat, patient, consent, form, {**by_field(problems), **missing})

    def _one_page(
        self,
        seat: Seat,
        patient: str,
        consent: str,
        typed: Mapping[str, str],
        problems: Mapping[str, str],
    ) -> Response:
        file = self.desk.file(seat, patient)
        self._refusal(file, consent)
        one = next((one for one in self.desk.nevers(file) if one.id == consent), None)
        if one is None:
            raise NotFound
        named = {value for kind, value in one.targets if kind == "unit"} | {
            unit for _, unit in one.exceptions
        }
        return self.desk.portal.page(
            seat,
            "portal/permission/never_one.html",
            422 if problems else 200,
            patient=patient,
            one=one,
            names=self.desk.names(named),
            countries=dict(_countries(self.desk.language)),
            units=self.desk.units(seat),
            purpose_codes=(*TEMPLATES, RESIDENCE),
            things=self._things(seat, patient),
            file=file,
            **signing_values(self.desk, seat, file, self.desk.her_language(file, {}), typed, problems),
        )

    def _things(self, seat: Seat, patient: str) -> list[tuple[str, str, str]]:
        """Gives her documents, to name single ones: reference, title and day."""
        pairs = [("patient", f"Patient/{patient}"), ("status", "current"), ("_count", _MOST_THINGS)]
        found = search(self.desk.portal.hub, seat.token, "DocumentReference", pairs)
        rows = [json_codec.decode_own(one.body) for one in found.matches]
        return [
            (f"DocumentReference/{row['id']}", str(row["description"]), text_at(row, "date"))
            for row in rows
            if row.get("description")
        ]

    def _refusal(self, file: PermissionFile, consent: str) -> dict[str, Any]:
        found = next((body for body in file.consents if body.get("id") == consent), None)
        if found is None or kind_of(found) != "refusal" or found.get("status") != "active":
            raise NotFound
        return found

    def _update(self, seat: Seat, consent: str, body: dict[str, Any], version: str) -> None:
        hub = self.desk.portal.hub
        proposal = Proposal("update", "Consent", public_id=consent, body=body, if_match=version or "none")
        write(hub, by_token(hub, seat.token), proposal)


def _is_said(file: PermissionFile, body: Mapping[str, Any]) -> bool:
    """Tells whether the same no stands already, word for word."""
    return any(
        kind_of(one) == "refusal"
        and one.get("status") == "active"
        and one.get("provision") == body["provision"]
        for one in file.consents
    )


@lru_cache(maxsize=8)
def _countries(language: str) -> tuple[tuple[str, str], ...]:
    """Gives countries by their two letters, with the names a language has for them, by name."""
    from babel import Locale

    names = Locale.parse(language).territories
    found = [(code, str(name)) for code, name in names.items() if len(code) == 2 and code.isalpha()]
    return tuple(sorted((one for one in found if one[0] not in _NO_COUNTRY), key=lambda one: one[1]))


_NO_COUNTRY = frozenset({"EU", "EZ", "UN", "QO", "XA", "XB", "ZZ", "AC", "CP", "CQ", "DG", "EA", "IC", "TA"})
"""Codes of the Unicode CLDR that are no country."""
