"""Asking somebody for help in five screens: need, options, what they will see, her permission, check and send.

What lives here: the routes and what each screen shows. What does not: what a draft becomes (``casework.referring``),
keeping it (``web.portal.refer_drafts``), services (``web.portal.refer_options``), the form she signs
(``web.portal.signing_pages``), every decision.

Everything is saved as it is typed, screen by screen; what is sent is one act, and is sent once.

Source: ``practice.md`` 1, 13, 15 and 17.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from flask import Blueprint, Response, request

from referral_hub.auth.people.portal_tokens import Seat
from referral_hub.casework.consent_drafts import Wanted, draft_consent
from referral_hub.casework.needs import NEEDS
from referral_hub.casework.person_file import called
from referral_hub.casework.referring import (
    STEPS,
    URGENCIES,
    ReferralDraft,
    answer_day,
    fitting,
    next_step,
    proposals,
    with_answer_by,
    with_conditions,
    with_need,
)
from referral_hub.casework.telling import told
from referral_hub.errors import Busy, NotFound
from referral_hub.exchange.building import Draft
from referral_hub.exchange.consent_policy import ConsentLimits
from referral_hub.exchange.interactions import TRIES, by_token, write_prepared
from referral_hub.exchange.previews import Shown, preview_unsent
from referral_hub.exchange.proposal import Proposal
from referral_hub.fhir import json_codec
from referral_hub.fhir.canonical import code_system
from referral_hub.fhir.dates import instant
from referral_hub.resources.task import HANDLING_CODES
from referral_hub.web.portal.asking import Asking
from referral_hub.web.portal.frame import Portal
from referral_hub.web.portal.refer_drafts import Drafts, KeptDraft
from referral_hub.web.portal.refer_options import options_for, organizations_named

CANNOT_SIGN = code_system("observation")
BEFORE_SIGNING = ("alone", "clear", "understands", "no-officials")
"""What has to be so before she is asked to sign; one no, and signing is off."""


class _Again(Exception):
    """Somebody else wrote in the same moment: the draft is looked at anew before it is sent."""


def refer_blueprint(portal: Portal, drafts: Drafts, limits: ConsentLimits) -> Blueprint:
    """Gives the routes.

    Args:
        portal: the frame.
        drafts: keeps what is being written.
        limits: the network's lengths and forms of permissions.
    """
    blueprint = Blueprint("refer", __name__)
    screens = _Screens(portal, drafts, limits)

    @blueprint.get("/refer")
    @portal.staff()
    def begin(seat: Seat) -> Response:
        patient = request.args.get("patient", "")
        if not patient:
            return screens.waiting(seat)
        return screens.need(seat, patient, ReferralDraft(), {})

    @blueprint.post("/refer")
    @portal.staff()
    def begun(seat: Seat) -> Response:
        form = portal.form()
        patient = form.get("patient", "")
        draft, problems = with_need(ReferralDraft(), form, portal.now.date())
        if problems:
            return screens.need(seat, patient, draft, problems)
        return portal.to(f"/refer/{drafts.begin(seat, patient, draft)}/options")

    @blueprint.get("/refer/<draft_id>")
    @portal.staff()
    def resume(seat: Seat, draft_id: str) -> Response:
        kept = drafts.own(seat, draft_id)
        return portal.to(_address(kept, next_step(kept.draft)))

    @blueprint.get("/refer/<draft_id>/<step>")
    @portal.staff()
    def screen(seat: Seat, draft_id: str, step: str) -> Response:
        kept = drafts.own(seat, draft_id)
        if kept.row.task:
            return portal.to(f"/referrals/{kept.row.task}")
        return screens.show(seat, kept, step)

    @blueprint.post("/refer/<draft_id>/<step>")
    @portal.staff()
    def taken(seat: Seat, draft_id: str, step: str) -> Response:
        form = portal.form()
        kept = drafts.own(seat, draft_id)
        if kept.row.task:
            return portal.to(f"/referrals/{kept.row.task}")
        if form.get("act") == "drop":
            drafts.drop(seat, draft_id)
            return portal.to("/refer")
        return screens.take(seat, kept, step, form)

    return blueprint


class _Screens:
    """What each screen shows and takes."""

    def __init__(self, portal: Portal, drafts: Drafts, limits: ConsentLimits) -> None:
        self._portal = portal
        self._drafts = drafts
        self._limits = limits
        self._taking: dict[str, Callable[[Seat, KeptDraft, dict[str, str]], Response]] = {
            "need": self._take_need,
            "options": self._take_option,
            "see": self._take_conditions,
            "permission": self._take_answers,
            "send": self._send,
        }

    def waiting(self, seat: Seat) -> Response:
        asking = Asking(self._portal.hub, seat)
        rows = self._drafts.waiting(seat)
        people = asking.many([f"Patient/{one.patient}" for one in rows])
        listed = [(one, called(people.get(f"Patient/{one.patient}"))) for one in rows]
        return self._portal.page(seat, "portal/refer/drafts.html", drafts=listed)

    def need(
        self, seat: Seat, patient: str, draft: ReferralDraft, problems: dict[str, str], draft_id: str = ""
    ) -> Response:
        person = Asking(self._portal.hub, seat).one("Patient", patient)
        return self._page(
            seat,
            "need",
            422 if problems else 200,
            draft=draft,
            draft_id=draft_id,
            patient=patient,
            name=called(person),
            needs=list(NEEDS),
            urgencies=list(URGENCIES),
            problems=problems,
        )

    def show(self, seat: Seat, kept: KeptDraft, step: str) -> Response:
        if step == "need":
            return self.need(seat, kept.patient, kept.draft, {}, kept.id)
        if step not in STEPS:
            raise NotFound
        missing = next_step(kept.draft)
        if missing != "see" and STEPS.index(missing) < STEPS.index(step):
            return self._portal.to(_address(kept, missing))
        showing = {
            "options": self._options,
            "see": self._see,
            "permission": self._permission,
            "send": self._check,
        }
        return showing[step](seat, kept, {})

    def take(self, seat: Seat, kept: KeptDraft, step: str, form: dict[str, str]) -> Response:
        if step not in self._taking:
            raise NotFound
        return self._taking[step](seat, kept, form)

    # --- need and options --------------------------------------------------------------------------------------

    def _take_need(self, seat: Seat, kept: KeptDraft, form: dict[str, str]) -> Response:
        draft, problems = with_need(kept.draft, form, self._portal.now.date())
        if problems:
            return self.need(seat, kept.patient, draft, problems, kept.id)
        self._drafts.save(kept, draft)
        return self._portal.to(_address(kept, "options"))

    def _options(
        self,
        seat: Seat,
        kept: KeptDraft,
        problems: dict[str, str],
        looked_for: Mapping[str, str] = MappingProxyType({}),
    ) -> Response:
        asking = Asking(self._portal.hub, seat)
        language, name = looked_for.get("language", "").strip(), looked_for.get("name", "").strip()
        found = options_for(asking, kept.draft.kind, language)
        named = organizations_named(asking, name) if name else ()
        return self._page(
            seat,
            "options",
            422 if problems else 200,
            draft=kept.draft,
            draft_id=kept.id,
            options=found,
            named=named,
            wanted_language=language,
            name=name,
            problems=problems,
        )

    def _take_option(self, seat: Seat, kept: KeptDraft, form: dict[str, str]) -> Response:
        if form.get("look"):
            return self._options(seat, kept, {}, form)
        chosen, _, service = form.get("choice", "").partition("/")
        row = self._drafts.organization(chosen) if chosen else None
        if row is None or not row.facts.active or chosen == seat.signed.organization or row.is_hub:
            return self._options(seat, kept, {"choice": "refer.wrong-recipient"})
        self._drafts.save(kept, replace(kept.draft, recipient=chosen, service=service))
        return self._portal.to(_address(kept, "see"))

    # --- what they will see, her permission -----------------------------------------------------------------------

    def _see(self, seat: Seat, kept: KeptDraft, problems: dict[str, str]) -> Response:
        draft = kept.draft
        permissions = self._fitting(seat, kept)
        consent = None if permissions else self._template(seat, kept)
        portal = self._portal
        body = proposals(draft, kept.patient, "", portal.hub.clock())[0].body
        now: list[Shown] = []
        later: list[Shown] = []
        with portal.telling(problems):
            now, later = preview_unsent(portal.hub, seat.token, body, draft.recipient, consent)
        return self._page(
            seat,
            "see",
            422 if problems else 200,
            draft=draft,
            draft_id=kept.id,
            recipient=self._name(draft.recipient),
            now=told(_bodies(now)),
            later=told(_bodies(later)),
            supposed=consent is not None,
            conditions=HANDLING_CODES,
            problems=problems,
        )

    def _take_conditions(self, seat: Seat, kept: KeptDraft, form: dict[str, str]) -> Response:
        del seat, form
        draft = with_conditions(kept.draft, self._portal.pages.all_of("condition"))
        self._drafts.save(kept, draft)
        return self._portal.to(_address(kept, "permission"))

    def _permission(self, seat: Seat, kept: KeptDraft, problems: dict[str, str]) -> Response:
        return self._page(
            seat,
            "permission",
            422 if problems else 200,
            draft=kept.draft,
            draft_id=kept.id,
            patient=kept.patient,
            recipient=self._name(kept.draft.recipient),
            purpose=self._drafts.purpose(kept.draft),
            permissions=self._fitting(seat, kept),
            signing_off=self._signing_off(seat, kept.patient),
            spoken=self._limits.policy.spoken == "bridge",
            questions=BEFORE_SIGNING,
            problems=problems,
        )

    def _take_answers(self, seat: Seat, kept: KeptDraft, form: dict[str, str]) -> Response:
        """Takes the four answers before a signature; one no writes down that signing is off, four yes that it is on."""
        del form
        said = set(self._portal.pages.all_of("so"))
        off = not said.issuperset(BEFORE_SIGNING)
        if off != self._signing_off(seat, kept.patient):
            Asking(self._portal.hub, seat).write(
                Proposal("create", "Observation", body=self._cannot_sign(kept.patient, off=off))
            )
        if off:
            return self._portal.to(_address(kept, "permission"))
        return self._portal.to(f"/people/{kept.patient}/permissions/new?draft={kept.id}")

    def _cannot_sign(self, patient: str, *, off: bool) -> dict[str, Any]:
        return {
            "resourceType": "Observation",
            "status": "final",
            "code": {"coding": [{"system": CANNOT_SIGN, "code": "cannot-sign-now"}]},
            "subject": {"reference": f"Patient/{patient}"},
            "effectiveDateTime": instant(self._portal.hub.clock()),
            "valueBoolean": off,
        }

    def _signing_off(self, seat: Seat, patient: str) -> bool:
        found = Asking(self._portal.hub, seat).find(
            "Observation",
            [
                ("patient", f"Patient/{patient}"),
                ("code", f"{CANNOT_SIGN}|cannot-sign-now"),
                ("_sort", "-_lastUpdated"),
                ("_count", "1"),
            ],
            own=True,
        )
        return any(one.get("valueBoolean") is True for one in found.matches)

    def _fitting(self, seat: Seat, kept: KeptDraft) -> list[str]:
        asked = [("patient", f"Patient/{kept.patient}"), ("status", "active"), ("_count", "50")]
        consents = Asking(self._portal.hub, seat).find("Consent", asked, own=True).matches
        draft = kept.draft
        return fitting(
            consents,
            draft.recipient,
            draft.category,
            self._drafts.works_for(draft.recipient),
            self._portal.hub.clock(),
        )

    def _template(self, seat: Seat, kept: KeptDraft) -> dict[str, Any]:
        wanted = Wanted(kept.patient, kept.draft.recipient, self._drafts.purpose(kept.draft))
        return draft_consent(self._portal.hub, self._limits, seat.token, wanted)

    # --- check and send ------------------------------------------------------------------------------------------

    def _check(self, seat: Seat, kept: KeptDraft, problems: dict[str, str]) -> Response:
        person = Asking(self._portal.hub, seat).one("Patient", kept.patient)
        return self._page(
            seat,
            "send",
            422 if problems else 200,
            draft=kept.draft,
            draft_id=kept.id,
            patient=kept.patient,
            name=called(person),
            recipient=self._name(kept.draft.recipient),
            permissions=self._fitting(seat, kept),
            answer_by=answer_day(kept.draft, self._portal.now.date()),
            problems=problems,
        )

    def _send(self, seat: Seat, kept: KeptDraft, form: dict[str, str]) -> Response:
        portal = self._portal
        draft, problems = with_answer_by(kept.draft, form.get("answer_by", ""), portal.now.date())
        if problems or next_step(draft) != "see":
            return self._check(seat, kept, problems)
        for _ in range(TRIES):
            # What was sent, thrown away or withdrawn meanwhile is not sent.
            now = self._drafts.own(seat, kept.id)
            if now.row.task:
                return portal.to(f"/referrals/{now.row.task}")
            task = ""
            try:
                with portal.telling(problems):
                    task = self._sent(seat, now, draft)
            except _Again:
                continue
            return self._check(seat, kept, problems) if problems else portal.to(f"/referrals/{task}")
        raise Busy("Others are changing the same record. Try again in a moment.")

    def _sent(self, seat: Seat, kept: KeptDraft, draft: ReferralDraft) -> str:
        """Sends a draft in one act with what marks it as sent, and gives the Task."""
        hub = self._portal.hub
        task, asked = hub.ids.public_id(), hub.ids.public_id()
        decided: list[int] = []

        def prepare(_caller: object, change: Draft) -> tuple[Proposal, ...]:
            if decided:
                raise _Again
            decided.append(1)
            change.settle(self._drafts.sent(kept, task))
            request_of, task_of = proposals(draft, kept.patient, asked, hub.clock())
            return request_of, replace(task_of, reserved_id=task)

        write_prepared(hub, by_token(hub, seat.token), prepare, settles=False)
        return task

    # --- inside --------------------------------------------------------------------------------------------------

    def _name(self, organization: str) -> str:
        row = self._drafts.organization(organization)
        return "" if row is None else row.neutral_name or row.name

    def _page(self, seat: Seat, step: str, http_status: int, **values: Any) -> Response:
        return self._portal.page(
            seat, f"portal/refer/{step}.html", http_status, step=STEPS.index(step), steps=STEPS, **values
        )


def _address(kept: KeptDraft, step: str) -> str:
    return f"/refer/{kept.id}/{step}"


def _bodies(shown: list[Shown]) -> list[dict[str, Any]]:
    return [dict(json_codec.decode_own(one.body)) for one in shown]
