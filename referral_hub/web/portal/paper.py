"""Asking somebody who has no software: a printed referral, a letter with a link, a code read out, an answer by phone.

What lives here: the routes. What does not: the paper (``papers.printed_referral``), links
(``auth.people.referral_links``), the move that an answer by phone is (``exchange.phone_answers``).

What the paper says is what the preview gives the recipient now, and nothing else. A letter holds no name, no need and
no organisation. An answer by phone is entered only for a recipient that cannot enter it itself.

Source: ``practice.md`` 1, 11 and 17; ``referral-loop.md`` Part A row 5, Part B.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask import Blueprint, Response

from referral_hub.auth.people.portal_tokens import Seat
from referral_hub.auth.people.referral_links import ReferralLinks
from referral_hub.auth.people.referral_tokens import ReferralTokens
from referral_hub.casework.moves import conditions, moved
from referral_hub.casework.telling import Line, need_words, told
from referral_hub.errors import DeliveryFailed, NotFound
from referral_hub.exchange.change import Row
from referral_hub.exchange.phone_answers import Asked, Told, answer_by_phone, asked_on_paper
from referral_hub.exchange.portal_rows import LETTER, SPOKEN
from referral_hub.exchange.ports import OrganizationRow
from referral_hub.exchange.previews import Supposition, preview
from referral_hub.exchange.referral_ways import ReferralWays
from referral_hub.exchange.taking_out import record_taking_out
from referral_hub.fhir import json_codec
from referral_hub.fhir.elements import reference_text
from referral_hub.papers.printed_referral import PrintedReferral, printed_referral
from referral_hub.texts.catalogs import catalog
from referral_hub.web.papers import paper_response
from referral_hub.web.portal.asking import Asking
from referral_hub.web.portal.frame import Portal
from referral_hub.web.portal.link import ANSWERS, answer_act, said_of

Resource = dict[str, Any]
MOST_WORDS = 80
_LIVE = ("requested", "accepted", "in-progress", "on-hold")


@dataclass(frozen=True, slots=True)
class PaperDesk:
    """What the pages work with.

    Args:
        portal: the frame.
        links: gives out codes.
        ways: finds out what a referral opens; ``tokens`` the token it is answered through.
        organization: reads an organisation's row.
        letter_address: the mail address the network registered for an organisation; empty without one.
        has_accounts: whether somebody of an organisation can sign in.
        send_letter: gives a letter to the mail server (address, subject, text); None where there is none.
        base_url: where the hub is found.
    """

    portal: Portal
    links: ReferralLinks
    ways: ReferralWays
    tokens: ReferralTokens
    organization: Callable[[str], OrganizationRow | None]
    letter_address: Callable[[str], str]
    has_accounts: Callable[[str], bool]
    send_letter: Callable[[str, str, str], None] | None
    base_url: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """One referral as its paper says it."""

    asked: Asked
    task: Resource
    need: str
    lines: tuple[Line, ...]
    code: str
    number: str

    @property
    def answer_by(self) -> str:
        """Gives until when an answer is hoped for."""
        return str(self.task.get("restriction", {}).get("period", {}).get("end", ""))


def paper_blueprint(desk: PaperDesk) -> Blueprint:
    """Gives the routes."""
    blueprint = Blueprint("paper", __name__)
    portal = desk.portal
    pages = _Pages(desk)

    @blueprint.get("/referrals/<task_id>/paper")
    @portal.staff()
    def paper(seat: Seat, task_id: str) -> Response:
        return pages.page(seat, task_id, {})

    @blueprint.post("/referrals/<task_id>/paper")
    @portal.staff()
    def taken(seat: Seat, task_id: str) -> Response:
        form = portal.form()
        acts = {"letter": pages.send_letter, "spoken": pages.speak, "answer": pages.answer}
        act = acts.get(form.get("act", ""))
        if act is None:
            raise NotFound
        return act(seat, task_id, form)

    @blueprint.get("/referrals/<task_id>/paper/pdf")
    @portal.staff()
    def pdf(seat: Seat, task_id: str) -> Response:
        return pages.pdf(seat, task_id)

    @blueprint.post("/refer/call-back")
    @portal.staff()
    def call_back(seat: Seat) -> Response:
        typed = portal.form().get("code", "")
        task = desk.links.called_back(typed, seat.signed.organization, portal.hub.clock())
        if not task:
            raise NotFound
        asked_on_paper(portal.hub, seat.token, task, _LIVE)
        return portal.to(f"/referrals/{task}/paper")

    return blueprint


class _Pages:
    """What each page shows and takes."""

    def __init__(self, desk: PaperDesk) -> None:
        self._desk = desk
        self._portal = desk.portal

    def page(self, seat: Seat, task_id: str, problems: dict[str, str], **more: Any) -> Response:
        sheet = self._sheet(seat, task_id)
        desk, recipient = self._desk, sheet.asked.recipient
        row = desk.organization(recipient)
        kind = row.facts.kind if row is not None else ""
        values: dict[str, Any] = {"code": "", "letter": "", **more}
        return self._portal.page(
            seat,
            "portal/paper/paper.html",
            422 if problems else 200,
            sheet=sheet,
            task_id=task_id,
            recipient=_name(row),
            by_phone=self._may_answer(sheet),
            address=desk.letter_address(recipient) if desk.send_letter is not None else "",
            answers=ANSWERS,
            reasons=answer_act("cannot", kind).reasons,
            conditions=conditions(sheet.task),
            problems=problems,
            **values,
        )

    def pdf(self, seat: Seat, task_id: str) -> Response:
        sheet = self._sheet(seat, task_id)
        portal = self._portal
        said = catalog(portal.pages.language())
        references = [f"Task/{task_id}", *(reference_text(sheet.task.get(name)) for name in ("focus", "for"))]
        record_taking_out(portal.hub, seat.token, "print", references)
        sender = self._desk.organization(sheet.asked.sender)
        made = PrintedReferral(
            language=said.language,
            made=portal.now.date(),
            sender=_name(sender),
            recipient=_name(self._desk.organization(sheet.asked.recipient)),
            number=sheet.number,
            need=said.text(sheet.need) if sheet.need else "",
            urgency=_urgency(sheet.task),
            facts=tuple(
                (said.text(line.label), said.text(line.word) if line.word else line.text or line.day)
                for line in sheet.lines
                if line.label not in ("refer.line.need", "refer.line.urgency")
            ),
            answer_by=_day(sheet.answer_by),
            call_back_code=sheet.code,
        )
        with portal.lane.away():
            made_pdf = printed_referral(made)
        return paper_response(made_pdf)

    def send_letter(self, seat: Seat, task_id: str, form: dict[str, str]) -> Response:
        """Sends the link by mail; where the letter does not leave, the link is worth nothing."""
        del form
        desk, portal = self._desk, self._portal
        asked = asked_on_paper(portal.hub, seat.token, task_id, _LIVE)
        address = desk.letter_address(asked.recipient)
        if desk.send_letter is None or not address:
            raise NotFound
        said = catalog(portal.pages.language())
        signed = seat.signed
        code = desk.links.give(task_id, LETTER, signed.organization, signed.account, portal.hub.clock())
        text = said.text("link.letter-text", address=f"{desk.base_url}/link/{code}")
        try:
            with portal.lane.away():
                desk.send_letter(address, said.text("link.letter-subject"), text)
        except DeliveryFailed:
            desk.links.drop(code)
            return self.page(seat, task_id, {"letter": said.text("refer.letter-failed")})
        return self.page(seat, task_id, {}, letter="sent")

    def speak(self, seat: Seat, task_id: str, form: dict[str, str]) -> Response:
        """Shows a code to be read out by phone, this once."""
        del form
        portal = self._portal
        asked_on_paper(portal.hub, seat.token, task_id, _LIVE)
        signed = seat.signed
        code = self._desk.links.give(task_id, SPOKEN, signed.organization, signed.account, portal.hub.clock())
        return self.page(seat, task_id, {}, code=code)

    def answer(self, seat: Seat, task_id: str, form: dict[str, str]) -> Response:
        """Enters what the recipient said by phone."""
        desk, portal = self._desk, self._portal
        said = catalog(portal.pages.language())
        sheet = self._sheet(seat, task_id)
        if not self._may_answer(sheet):
            raise NotFound
        row = desk.organization(sheet.asked.recipient)
        by, reason = form.get("said_by", "").strip(), form.get("reason", "")
        at_us = _moment(form.get("when", ""), portal)
        problems: dict[str, str] = {}
        if not by or len(by) > MOST_WORDS:
            problems["said_by"] = said.text("refer.wrong-said-by")
        if at_us is None or at_us > portal.hub.clock() + 60_000_000:
            problems["when"] = said.text("refer.wrong-when")
        if form.get("answer") not in ANSWERS:
            problems["answer"] = said.text("refer.wrong-choice")
        if problems or at_us is None:
            return self.page(seat, task_id, problems)
        act = answer_act(form["answer"], row.facts.kind if row is not None else "")
        if act.reasons and reason not in act.reasons:
            return self.page(seat, task_id, {"reason": said.text("link.wrong-reason")})
        if act.name == "accept" and conditions(sheet.task) and form.get("confirmed") != "yes":
            return self.page(seat, task_id, {"confirmed": said.text("refer.wrong-confirmed")})
        way = desk.ways.of(task_id, portal.hub.clock())
        if way is None:
            raise NotFound
        account = seat.signed.account
        token = desk.tokens.of(way, f"phone/{account}", portal.hub.clock(), f"phone:{account}")
        language = portal.pages.language()
        ended = () if act.name == "ask" else (_all_ended(task_id),)
        with portal.telling(problems):
            answer_by_phone(
                portal.hub,
                token,
                sheet.asked,
                lambda task: moved(task, act, said_of(task, act, reason, language)),
                Told(by, at_us),
                entered_by=account,
                rows=ended,
            )
        if problems:
            return self.page(seat, task_id, problems)
        return portal.to(f"/referrals/{task_id}")

    # --- inside --------------------------------------------------------------------------------------------------

    def _sheet(self, seat: Seat, task_id: str) -> Sheet:
        portal = self._portal
        asked = asked_on_paper(portal.hub, seat.token, task_id, _LIVE)
        task = Asking(portal.hub, seat).one("Task", task_id)
        request = reference_text(task.get("focus")).partition("/")[2]
        supposed = Supposition(request, asked.recipient, "requested")
        shown = [dict(json_codec.decode_own(one.body)) for one in preview(portal.hub, seat.token, supposed)]
        seen = next((one for one in shown if one["resourceType"] == "ServiceRequest"), {})
        code = self._desk.links.call_back(
            task_id, asked.person, asked.recipient, asked.sender, seat.signed.account, portal.hub.clock()
        )
        number = next((str(one.get("value", ""))[:8] for one in task.get("identifier") or ()), "")
        return Sheet(asked, task, need_words(seen), told(shown), code, number)

    def _may_answer(self, sheet: Sheet) -> bool:
        """Tells whether an answer by phone may be entered: it waits, and the recipient cannot enter it itself."""
        row = self._desk.organization(sheet.asked.recipient)
        return (
            sheet.task.get("status") == "requested"
            and row is not None
            and not row.fhir_endpoint
            and not self._desk.has_accounts(sheet.asked.recipient)
            and self._desk.ways.of(sheet.asked.task, self._portal.hub.clock()) is not None
        )


def _all_ended(task: str) -> Row:
    return Row("portal_link_end_others", {"task": task, "digest": ""})


def _name(row: OrganizationRow | None) -> str:
    return "" if row is None else row.neutral_name or row.name


def _urgency(task: Resource) -> Any:
    priority = str(task.get("priority", "routine"))
    return priority if priority in ("routine", "urgent", "asap", "stat") else "routine"


def _day(moment: str) -> date | None:
    try:
        return datetime.fromisoformat(moment).date()
    except ValueError:
        return None


def _moment(text: str, portal: Portal) -> int | None:
    """Gives a moment of a form (``2026-11-24T19:05``, in the time zone people read), microseconds UTC."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=portal.now.tzinfo)
    return int(at.timestamp() * 1_000_000)
