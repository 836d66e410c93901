"""A person's permissions: what she allows whom and until when, beginning one, being asked again, and the printed form.

What lives here: the list, one permission, its first step and its end as a draft. What does not: signing
(``web.portal.signing_pages``), stopping (``web.portal.stop_pages``), rules (``casework``, ``exchange``).

Source: ``practice.md`` 1, 3 and 4; ``consent.md`` F-07 and F-26.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, request

from referral_hub.auth.people.portal_tokens import PURPOSES, Seat
from referral_hub.casework.consent_drafts import Wanted, draft_consent
from referral_hub.casework.consent_templates import TEMPLATES
from referral_hub.casework.permission_forms import (
    checked_in,
    in_language,
    language_of,
    purpose_of,
    receiver_of,
    says_back,
)
from referral_hub.casework.permissions_told import SOON_US
from referral_hub.errors import NotFound
from referral_hub.exchange.consent_evidence import evidence_of, part
from referral_hub.exchange.consent_rules import kind_of
from referral_hub.exchange.interactions import by_token, write
from referral_hub.exchange.permission_file import PermissionFile
from referral_hub.exchange.proposal import Proposal
from referral_hub.fhir.canonical import code_system
from referral_hub.fhir.dates import instant, span
from referral_hub.fhir.elements import extension, text_at
from referral_hub.fhir.ids import is_id
from referral_hub.papers.permission_form import Interpreter, PermissionForm, Signed, permission_form
from referral_hub.web.papers import paper_response
from referral_hub.web.portal.permission_desk import PermissionDesk
from referral_hub.web.portal.permission_fields import HOW

WantedBy = Callable[[Seat, str], tuple[str, str, str] | None]
"""Gives recipient, purpose and person of a referral that is being written, by its draft; None where there is none."""
CATEGORY = code_system("information-category")


def permissions_blueprint(desk: PermissionDesk, wanted_by: WantedBy) -> Blueprint:
    """Gives the routes.

    Args:
        desk: what the pages work with.
        wanted_by: what a referral that is being written needs.
    """
    blueprint = Blueprint("permissions", __name__)
    pages, staff = _Pages(desk, wanted_by), desk.portal.staff()
    blueprint.get("/people/<patient>/permissions")(staff(pages.listed))
    blueprint.get("/people/<patient>/permissions/new")(staff(pages.new))
    blueprint.post("/people/<patient>/permissions/new")(staff(pages.begin))
    blueprint.post("/people/<patient>/permissions/signing")(staff(pages.signing))
    blueprint.get("/people/<patient>/permissions/<consent>/paper")(staff(pages.paper))
    blueprint.post("/people/<patient>/permissions/<consent>/drop")(staff(pages.drop))
    blueprint.post("/people/<patient>/permissions/<consent>/check-in")(staff(pages.check_in))
    return blueprint


@dataclass(frozen=True, slots=True)
class _Pages:
    desk: PermissionDesk
    wanted_by: WantedBy

    def listed(self, seat: Seat, patient: str) -> Response:
        """Shows what she allows, what is begun, and what she never allows."""
        file = self.desk.file(seat, patient)
        permissions = self.desk.permissions(file)
        return self.desk.portal.page(
            seat,
            "portal/permission/list.html",
            patient=patient,
            file=file,
            permissions=[one for one in permissions if one.state != "draft"],
            drafts=[one for one in permissions if one.state == "draft"],
            nevers=self.desk.nevers(file),
            names=self.desk.names(one.recipient for one in permissions),
            own=seat.signed.organization,
            now_us=self.desk.now_us,
        )

    def new(self, seat: Seat, patient: str) -> Response:
        """Shows the first step: who is to have something, and what for."""
        draft = request.args.get("draft", "")
        wanted = self.wanted_by(seat, draft) if is_id(draft) else None
        values = {"draft": draft, "part": request.args.get("part", "")}
        if wanted is not None and wanted[2] == patient:
            values |= {"recipient": wanted[0], "purpose": wanted[1]}
        return self._first_step(seat, patient, self.desk.file(seat, patient), values, {})

    def _first_step(
        self,
        seat: Seat,
        patient: str,
        file: PermissionFile,
        values: Mapping[str, str],
        problems: Mapping[str, str],
    ) -> Response:
        if file.signing_off or file.unreachable:
            return off_page(self.desk, seat, patient, file, values.get("draft", ""))
        units = self.desk.units(seat, values.get("part", ""))
        chosen = values.get("recipient", "")
        if chosen and chosen not in dict(units):
            units = [(chosen, self.desk.name_of(chosen)), *units]
        return self.desk.portal.page(
            seat,
            "portal/permission/new.html",
            422 if problems else 200,
            patient=patient,
            units=units,
            purpose_codes=tuple(TEMPLATES),
            values=values,
            problems=problems,
        )

    def begin(self, seat: Seat, patient: str) -> Response:
        """Begins a form as a draft; a second tap comes to the same one."""
        form = self.desk.portal.form()
        file = self.desk.file(seat, patient)
        if file.signing_off or file.unreachable:
            return off_page(self.desk, seat, patient, file, form.get("draft", ""))
        recipient = form.get("recipient", "")
        purpose = form.get("purpose", "") or self._usual(recipient)
        problems: dict[str, str] = {}
        if not is_id(recipient):
            problems["recipient"] = "permission.wrong.recipient"
        if purpose not in TEMPLATES:
            problems["purpose"] = "permission.wrong.purpose"
        if not problems:
            told: dict[str, str] = {}
            begun = _begun(file, recipient, purpose)
            with self.desk.portal.telling(told):
                begun = begun or self._create(seat, patient, file, recipient, purpose)
            if begun:
                return self.desk.portal.to(form_address(patient, begun, form.get("draft", "")))
            problems["recipient"] = "permission.wrong.recipient"
        return self._first_step(seat, patient, file, form, problems)

    def _usual(self, unit: str) -> str:
        """Gives what an organisation usually does, so that nobody has to say it."""
        found = self.desk.organization(unit) if is_id(unit) else None
        return "" if found is None else next(iter(PURPOSES.get(found.facts.kind, ())), "")

    def _create(self, seat: Seat, patient: str, file: PermissionFile, recipient: str, purpose: str) -> str:
        hub = self.desk.portal.hub
        made = draft_consent(hub, self.desk.limits, seat.token, Wanted(patient, recipient, purpose))
        made = in_language(made, self.desk.her_language(file, made))
        return write(hub, by_token(hub, seat.token), Proposal("create", "Consent", body=made)).id

    def drop(self, seat: Seat, patient: str, consent: str) -> Response:
        """Throws away a form that was not signed."""
        form = self.desk.portal.form()
        body = consent_of(self.desk.file(seat, patient), consent)
        if body.get("status") == "draft":
            hub = self.desk.portal.hub
            version = text_at(body, "meta.versionId")
            proposal = Proposal("delete", "Consent", public_id=consent, if_match=version)
            write(hub, by_token(hub, seat.token), proposal)
        return self.desk.portal.to(after_signing(patient, form.get("draft", "")))

    def check_in(self, seat: Seat, patient: str, consent: str) -> Response:
        """Writes down that she was asked again and that it goes on as it is."""
        form = self.desk.portal.form()
        body = consent_of(self.desk.file(seat, patient), consent)
        problems: dict[str, str] = {}
        if form.get("answer") != "yes":
            problems["Consent.extension"] = ""
        else:
            hub = self.desk.portal.hub
            with self.desk.portal.telling(problems):
                proposal = Proposal(
                    "update",
                    "Consent",
                    public_id=consent,
                    body=checked_in(body, self.desk.now_us),
                    if_match=form.get("version", ""),
                )
                write(hub, by_token(hub, seat.token), proposal)
        if problems:
            return permission_page(self.desk, seat, patient, consent, problems)
        return self.desk.portal.to(f"/people/{patient}/permissions/{consent}")

    def paper(self, seat: Seat, patient: str, consent: str) -> Response:
        """Gives the form as a PDF: to be signed on paper, or as it was signed."""
        body = consent_of(self.desk.file(seat, patient), consent)
        form = self.desk.form(seat, body, language_of(body) or self.desk.language)
        if body.get("status") != "draft":
            form = _as_signed(form, body, self.desk)
        with self.desk.portal.lane.away():
            pdf = permission_form(form)
        return paper_response(pdf)

    def signing(self, seat: Seat, patient: str) -> Response:
        """Writes down whether she can sign now."""
        form = self.desk.portal.form()
        self.desk.file(seat, patient)
        if form.get("now") in ("yes", "no"):
            say_signing(self.desk, seat, patient, off=form["now"] == "no")
        draft = form.get("draft", "")
        onward = f"?draft={quote(draft, safe='')}" if draft else ""
        return self.desk.portal.to(f"/people/{patient}/permissions/new{onward}")


def off_page(desk: PermissionDesk, seat: Seat, patient: str, file: PermissionFile, draft: str) -> Response:
    """Gives the page that says calmly why nothing is signed now, and what is possible."""
    return desk.portal.page(seat, "portal/permission/off.html", patient=patient, file=file, draft=draft)


def after_signing(patient: str, draft: str, consent: str = "") -> str:
    """Gives the page to go on to: the referral this permission was for, else her permissions."""
    if draft:
        return f"/refer/{quote(draft, safe='')}/permission"
    return f"/people/{patient}/permissions" + (f"/{consent}" if consent else "")


def consent_of(file: PermissionFile, consent: str) -> dict[str, Any]:
    """Gives one of her permissions as stored.

    Raises:
        NotFound: it is none of hers (404).
    """
    found = next((body for body in file.consents if body.get("id") == consent), None)
    if found is None or kind_of(found) != "release":
        raise NotFound
    return found


def permission_page(
    desk: PermissionDesk, seat: Seat, patient: str, consent: str, problems: Mapping[str, str]
) -> Response:
    """Gives the page of one permission that was signed; with what was refused, 422."""
    file = desk.file(seat, patient)
    consent_of(file, consent)
    one = next(one for one in desk.permissions(file) if one.id == consent)
    return desk.portal.page(
        seat,
        "portal/permission/one.html",
        422 if problems else 200,
        patient=patient,
        one=one,
        names=desk.names((one.recipient,)),
        own=seat.signed.organization,
        draft=request.args.get("draft", ""),
        refused=bool(problems),
        check_in_due=0 < one.check_in_us < desk.now_us + SOON_US and one.state != "stopped",
    )


def say_signing(desk: PermissionDesk, seat: Seat, patient: str, *, off: bool) -> None:
    """Writes down whether she can sign now: alone, clear-headed, nobody official near.

    Source: ``practice.md`` 1; ``views.md`` 9 (Signing is off).
    """
    body = {
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [{"system": CATEGORY, "code": "safety"}]}],
        "code": {"coding": [{"system": code_system("observation"), "code": "cannot-sign-now"}]},
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": instant(desk.now_us),
        "valueBoolean": off,
    }
    hub = desk.portal.hub
    write(hub, by_token(hub, seat.token), Proposal("create", "Observation", body=body))


def _begun(file: PermissionFile, recipient: str, purpose: str) -> str:
    """Gives the id of a form that was begun already for the same unit and purpose, so that two taps begin one."""
    for body in file.consents:
        fits = receiver_of(body) == recipient and purpose_of(body) == purpose
        if fits and body.get("status") == "draft" and kind_of(body) == "release" and not says_back(body):
            return str(body["id"])
    return ""


def form_address(patient: str, consent: str, draft: str) -> str:
    """Gives the page of one permission, with the referral that waits for it."""
    return f"/people/{patient}/permissions/{consent}" + (f"?draft={quote(draft, safe='')}" if draft else "")


def _as_signed(form: PermissionForm, body: Mapping[str, Any], desk: PermissionDesk) -> PermissionForm:
    """Gives a form with how it was signed, as its evidence says."""
    evidence = evidence_of(dict(body), None)
    how, on = part(evidence, "signature"), text_at(body, "dateTime")
    if how not in HOW or not on:
        return form
    who = extension(evidence, "interpreter")
    back = part(evidence, "explained-back")
    witness = part(evidence, "witness")
    reader = text_at(part(evidence, "reader") or {}, "reference").partition("/")[2]
    return replace(
        form,
        signed=Signed(
            how=how,
            on=desk.day(span(on)[0]),
            reader=desk.name_of(reader),
            witness=str(witness.get("value", "")) if isinstance(witness, dict) else "",
            explained_back=back if isinstance(back, bool) else None,
            interpreter=Interpreter(
                agency=str(part(who, "agency") or ""),
                staff_number=str(part(who, "staff-number") or ""),
                mode=part(who, "mode") or "in-person",
                no_ties=part(who, "no-ties") is True,
            )
            if who
            else None,
        ),
    )
