"""The form itself: her language and the worker's side by side, what may be taken out or added, and signing it.

What lives here: the page of a form in draft, and renewing several in one sitting. What does not: beginning one
(``web.portal.permissions``), reading the fields (``web.portal.permission_fields``), what a form means
(``casework.permission_forms``), the rules of signing (``exchange``).

What she signs is the draft as it is stored and was shown: the choices are saved first, and the signature names the
version of the draft and the text of the form. A form that was shown before either changed signs nothing.

Source: ``practice.md`` 1 to 4 and 7; ``consent.md`` F-21 and F-22.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, request

from referral_hub.access.consent_life import DAY_US
from referral_hub.auth.people.portal_tokens import Seat
from referral_hub.casework.consent_drafts import Wanted, draft_consent, form_in_use
from referral_hub.casework.permission_forms import (
    categories_of,
    choices_of,
    chosen,
    days_of,
    in_language,
    lengths,
    on_form,
    purpose_of,
    receiver_of,
    renewed,
    signed,
)
from referral_hub.casework.permissions_told import SOON_US
from referral_hub.exchange.consent_rules import longest_us
from referral_hub.exchange.interactions import by_token, write_all
from referral_hub.exchange.permission_file import PermissionFile
from referral_hub.exchange.proposal import Proposal
from referral_hub.fhir.elements import text_at
from referral_hub.papers.permission_form import PermissionForm, form_digest, sentences
from referral_hub.texts.catalogs import LANGUAGES
from referral_hub.web.portal.permission_desk import FREE_LANGUAGE, PermissionDesk
from referral_hub.web.portal.permission_fields import (
    HOW,
    LANGUAGE_CODE,
    PRESENCES,
    by_field,
    kept_fields,
)
from referral_hub.web.portal.permissions import (
    after_signing,
    consent_of,
    form_address,
    off_page,
    permission_page,
    say_signing,
)
from referral_hub.web.portal.signed_forms import LARGEST_FORM, Signed, paper_of, read_signed

_SPOKEN_DAYS = 3


def signing_blueprint(desk: PermissionDesk) -> Blueprint:
    """Gives the routes.

    Args:
        desk: what the pages work with.
    """
    blueprint = Blueprint("signing", __name__)
    pages, staff = _Pages(desk), desk.portal.staff()
    blueprint.get("/people/<patient>/permissions/renew")(staff(pages.renewing))
    blueprint.post("/people/<patient>/permissions/renew")(staff(pages.renew))
    blueprint.get("/people/<patient>/permissions/<consent>")(staff(pages.one))
    blueprint.post("/people/<patient>/permissions/<consent>/choices")(staff(pages.choose))
    blueprint.post("/people/<patient>/permissions/<consent>/sign")(staff(pages.sign))
    return blueprint


@dataclass(frozen=True, slots=True)
class _Pages:
    desk: PermissionDesk

    # --- one form ----------------------------------------------------------------------------------------------

    def one(self, seat: Seat, patient: str, consent: str) -> Response:
        """Shows a form to sign, or a permission that was signed."""
        file = self.desk.file(seat, patient)
        if consent_of(file, consent).get("status") != "draft":
            return permission_page(self.desk, seat, patient, consent, {})
        return self._form_page(seat, patient, file, consent, {}, {})

    def choose(self, seat: Seat, patient: str, consent: str) -> Response:
        """Saves what is ticked, how long it runs and the language, and shows the words anew."""
        form = self.desk.portal.form()
        file = self.desk.file(seat, patient)
        draft = consent_of(file, consent)
        language = form.get("language", "")
        if language == FREE_LANGUAGE:
            language = form.get("tongue", "").strip()
        problems: dict[str, str] = {}
        if not LANGUAGE_CODE.fullmatch(language):
            problems["extension('language')"] = ""
        longest = self._longest(draft)
        days = int(form["days"]) if form.get("days", "").isdecimal() and len(form["days"]) < 4 else 0
        hub = self.desk.portal.hub
        with self.desk.portal.telling(problems):
            body = chosen(
                draft, self.desk.portal.pages.all_of("category"), days, language, longest, self.desk.now_us
            )
            if not problems:
                proposal = Proposal(
                    "update", "Consent", public_id=consent, body=body, if_match=form.get("version", "")
                )
                write_all(hub, by_token(hub, seat.token), (proposal,))
        if problems:
            return self._form_page(
                seat, patient, self.desk.file(seat, patient), consent, form, by_field(problems)
            )
        return self.desk.portal.to(form_address(patient, consent, form.get("draft", "")))

    def sign(self, seat: Seat, patient: str, consent: str) -> Response:
        """Signs the form as it was shown; a second tap changes nothing."""
        form = self.desk.portal.form(LARGEST_FORM)
        file = self.desk.file(seat, patient)
        draft = consent_of(file, consent)
        onward = after_signing(patient, form.get("draft", ""), consent)
        if draft.get("status") == "active":
            return self.desk.portal.to(onward)
        if form.get("now") == "no":
            say_signing(self.desk, seat, patient, off=True)
            return off_page(self.desk, seat, patient, self.desk.file(seat, patient), form.get("draft", ""))
        language = self.desk.her_language(file, draft)
        found = read_signed(self.desk, seat, patient, form, language)
        missing = found.missing
        if form.get("back", "") not in ("yes", "no") and self._may_tell_back(draft, seat):
            missing["back"] = "permission.wrong.back"
        problems: dict[str, str] = {}
        if not missing:
            drafts = [({**draft}, consent, form.get("version", ""))]
            if form.get("back") == "yes" and self._may_tell_back(draft, seat):
                drafts.append((self._back(seat, patient, draft), "", ""))
            with self.desk.portal.telling(problems):
                self._write(seat, patient, drafts, found)
            if not problems:
                return self.desk.portal.to(onward)
        told = {**by_field(problems), **missing}
        return self._form_page(seat, patient, self.desk.file(seat, patient), consent, form, told)

    def _form_page(
        self,
        seat: Seat,
        patient: str,
        file: PermissionFile,
        consent: str,
        typed: Mapping[str, str],
        problems: Mapping[str, str],
    ) -> Response:
        draft_id = typed.get("draft") or request.args.get("draft", "")
        if file.signing_off or file.unreachable:
            return off_page(self.desk, seat, patient, file, draft_id)
        draft = consent_of(file, consent)
        language = self.desk.her_language(file, draft)
        form = self.desk.form(seat, draft, language)
        purpose = purpose_of(draft)
        back = None
        if self._may_tell_back(draft, seat):
            back = self.desk.sheets(self.desk.form(seat, self._back(seat, patient, draft), language))
        return self.desk.portal.page(
            seat,
            "portal/permission/form.html",
            422 if problems else 200,
            patient=patient,
            consent=consent,
            version=text_at(draft, "meta.versionId"),
            recipient=self.desk.name_of(receiver_of(draft)),
            purpose=purpose,
            offer=choices_of(purpose),
            ticked=categories_of(draft),
            days=days_of(draft),
            lengths=self._lengths(draft),
            sheets=self.desk.sheets(form),
            back=back,
            draft=draft_id,
            **signing_values(self.desk, seat, file, language, typed, problems),
        )

    # --- several in one sitting ----------------------------------------------------------------------------------

    def renewing(self, seat: Seat, patient: str) -> Response:
        """Shows what ends soon; each is asked by itself and nothing is chosen."""
        return self._renew_page(seat, patient, {}, {})

    def renew(self, seat: Seat, patient: str) -> Response:
        """Signs anew what she said yes to, in one act; what she said no to ends on its day."""
        form = self.desk.portal.form(LARGEST_FORM)
        file = self.desk.file(seat, patient)
        if form.get("now") == "no":
            say_signing(self.desk, seat, patient, off=True)
            return self._renew_page(seat, patient, {}, {})
        offered = {one.id: one for one in self._renewable(file)}
        answers = {consent: form.get(f"renew-{consent}", "") for consent in offered}
        found = read_signed(self.desk, seat, patient, form, self._sitting_language(file))
        missing = found.missing
        wanted = [consent for consent, answer in answers.items() if answer == "yes"]
        if not wanted or any(answer not in ("yes", "no") for answer in answers.values()):
            missing["renewal"] = "permission.wrong.renewal"
        problems: dict[str, str] = {}
        if not missing:
            with self.desk.portal.telling(problems):
                self._write(seat, patient, [(self._renewal(file, one), "", "") for one in wanted], found)
            if not problems:
                return self.desk.portal.to(f"/people/{patient}/permissions")
        return self._renew_page(seat, patient, form, {**by_field(problems), **missing})

    def _renew_page(
        self, seat: Seat, patient: str, typed: Mapping[str, str], problems: Mapping[str, str]
    ) -> Response:
        file = self.desk.file(seat, patient)
        if file.signing_off or file.unreachable:
            return off_page(self.desk, seat, patient, file, "")
        offered = self._renewable(file)
        language = self._sitting_language(file)
        sheets = {
            one.id: self.desk.sheets(self.desk.form(seat, self._renewal(file, one.id), language))
            for one in offered
        }
        return self.desk.portal.page(
            seat,
            "portal/permission/renew.html",
            422 if problems else 200,
            patient=patient,
            offered=offered,
            sheets=sheets,
            names=self.desk.names(one.recipient for one in offered),
            own=seat.signed.organization,
            **signing_values(self.desk, seat, file, language, typed, problems),
        )

    def _renewable(self, file: PermissionFile) -> list[Any]:
        """Gives what may be renewed: what ends soon or has just ended, and was not renewed already."""
        all_of_hers = self.desk.permissions(file)
        renewed_already = {one.renews for one in all_of_hers if one.state != "stopped"}
        now_us = self.desk.now_us
        return [
            one
            for one in all_of_hers
            if one.id not in renewed_already
            and (one.state == "ending" or (one.state == "ended" and now_us - one.until_us < SOON_US))
        ]

    def _renewal(self, file: PermissionFile, consent: str) -> dict[str, Any]:
        old = consent_of(file, consent)
        days = min(max(days_of(old), 1), self._longest(old))
        draft = renewed(old, consent, days, self.desk.now_us)
        return in_language(on_form(draft, form_in_use(self.desk.limits)), self._sitting_language(file))

    def _sitting_language(self, file: PermissionFile) -> str:
        return self.desk.her_language(file, {})

    # --- what both share -----------------------------------------------------------------------------------------

    def _write(
        self, seat: Seat, patient: str, drafts: list[tuple[dict[str, Any], str, str]], found: Signed
    ) -> None:
        """Writes the paper and every permission that was signed on it, as one act."""
        hub, at_us = self.desk.portal.hub, self.desk.now_us
        shown = self.desk.shown_language(found.signature.language)
        lines: list[str] = []
        for body, _, _ in drafts:
            form = self.desk.form(seat, body, found.signature.language)
            lines += [*_words(form, shown), ""]
        lines += [found.mark] if found.mark else []
        paper, proposals = paper_of(self.desk, patient, lines, found)
        for body, consent, version in drafts:
            made = signed(body, found.signature, paper, at_us)
            if consent:
                proposals.append(
                    Proposal("update", "Consent", public_id=consent, body=made, if_match=version or "none")
                )
            else:
                proposals.append(Proposal("create", "Consent", body=made))
        write_all(hub, by_token(hub, seat.token), proposals)

    def _longest(self, consent: Mapping[str, Any]) -> int:
        return longest_us(purpose_of(consent), self.desk.limits) // DAY_US

    def _lengths(self, draft: Mapping[str, Any]) -> tuple[int, ...]:
        offered = lengths(self._longest(draft))
        if self.desk.limits.policy.spoken == "bridge":
            offered = (*(days for days in offered if days > _SPOKEN_DAYS), _SPOKEN_DAYS)
        return offered if days_of(draft) in offered else (days_of(draft), *offered)

    def _may_tell_back(self, draft: Mapping[str, Any], seat: Seat) -> bool:
        """Tells whether she is asked for the way back in the same sitting: it is a permission to others."""
        return receiver_of(draft) != seat.signed.organization

    def _back(self, seat: Seat, patient: str, draft: Mapping[str, Any]) -> dict[str, Any]:
        wanted = Wanted(patient, receiver_of(draft), purpose_of(draft), back=True)
        return draft_consent(self.desk.portal.hub, self.desk.limits, seat.token, wanted)


def signing_values(
    desk: PermissionDesk,
    seat: Seat,
    file: PermissionFile,
    language: str,
    typed: Mapping[str, str],
    problems: Mapping[str, str],
) -> dict[str, Any]:
    """Gives what the part of a page that is signed shows."""
    child = desk.is_child(file)
    spoken = desk.limits.policy.spoken == "bridge"
    return {
        "language_of_form": language,
        "own_form": language in LANGUAGES,
        "digest": form_digest(desk.shown_language(language)),
        "typed": kept_fields(typed),
        "problems": problems,
        "hows": HOW if spoken else HOW[:-1],
        "presences": PRESENCES,
        "needs_interpreter": desk.needs_interpreter(file) or language not in LANGUAGES,
        "child": child,
        "relatives": [_relative(one) for one in file.relatives] if child else [],
        "professionals": desk.professionals(seat) if child else [],
    }


def _words(form: PermissionForm, language: str) -> list[str]:
    return [text for kind, text in sentences(form, language) if kind not in ("line", "choice")]


def _relative(body: Mapping[str, Any]) -> tuple[str, str]:
    name = next((one for one in body.get("name") or () if isinstance(one, dict)), {})
    said = name.get("text") or " ".join([*name.get("given", ()), name.get("family", "")]).strip()
    return f"RelatedPerson/{body['id']}", str(said or body["id"])
