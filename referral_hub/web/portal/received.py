"""One referral as the organisation that was asked has it: the notice, the answer, and what comes after a yes.

What lives here: showing it and taking an act. What does not: the list (``web.portal.inbox``), which acts there are
(``casework.moves``), what may be read when (the gate).

Source: ``referral-loop.md`` Part B; ``views.md`` 1, 3 and 9 (conditions, no-name referral, recall, Appointment).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Response

from referral_hub.auth.people.portal_tokens import Seat
from referral_hub.casework.moves import (
    RECIPIENT_ACTS,
    Act,
    Said,
    act_named,
    appointment,
    moved,
    offered,
    possible_of,
    recall_answered,
    unconfirmed,
)
from referral_hub.casework.person_file import called, is_child, is_nameless, language_of, needs_interpreter
from referral_hub.casework.records import Record, records_of
from referral_hub.casework.tracking import is_handoff, is_referral, permits_of, standing_of, timeline
from referral_hub.errors import Conflict, Forbidden, InvalidResource, NotFound, VersionConflict
from referral_hub.exchange.deciding import Said as Decision
from referral_hub.exchange.deciding import decide
from referral_hub.exchange.everything import everything
from referral_hub.fhir import json_codec
from referral_hub.fhir.elements import code_in, coded_value, reference_text, text_at
from referral_hub.resources.task import INPUT_TYPE, TASK_CODES
from referral_hub.web.portal.asking import Asking, Fields, Found, Resource, creating, updating, version_of
from referral_hub.web.portal.frame import Portal
from referral_hub.web.portal.rows import name_of, need_of, phone_of
from referral_hub.web.portal.sent import CHANGED, number_of, words_of
from referral_hub.web.portal.staff import Staff

ANSWERS = ("deleted", "kept-by-law", "never-opened")
"""What a recall is answered with."""
_RECORDS = (
    "Condition,Observation,DocumentReference,CarePlan,Goal,RelatedPerson,Flag,Procedure,Appointment,"
    "Communication"
)
_MOST_RECORDS = "60"
_WORDS_NEEDED = frozenset({"rejected", "failed", "cancelled", "on-hold"})


@dataclass(frozen=True, slots=True)
class Received:
    """The page of a referral that came in, and what its forms do.

    Args:
        portal: the frame.
        staff: who works here, and who works with whom.
    """

    portal: Portal
    staff: Staff

    def acted(self, seat: Seat, task_id: str, form: dict[str, str]) -> Response:
        """Takes a form of the page; what does not fit is shown again with what was typed."""
        asking = Asking(self.portal.hub, seat)
        if form.get("act") == "noted":
            decide(self.portal.hub, seat.token, task_id, Decision("noted"))
            return self.portal.to("/inbox?show=desk")
        task = _task(asking, task_id)
        patient = reference_text(task.get("for")).partition("/")[2]
        if form.get("staff"):
            problems = {} if self.staff.changed(seat, patient, form) else {"staff": "inbox.problem.staff"}
        elif code_in(task.get("code"), TASK_CODES) == "recall":
            problems = self._recalled(asking, task, form)
        else:
            problems = self._taken(asking, seat, task, form)
        if problems:
            return self.shown(seat, task_id, form, problems)
        if form.get("act") == "accept" and form.get("take") and patient:
            self._take(seat, patient)
        if not asking.find("Task", [("_id", task_id)]).matches:
            return self.portal.to(f"/inbox?done={form.get('act', '')}")
        return self.portal.to(f"/inbox/{task_id}")

    def _take(self, seat: Seat, patient: str) -> None:
        """Asks to work with her from now on; it is no reason to undo a yes where that cannot be."""
        try:
            self.staff.asked(seat, patient)
        except (Forbidden, InvalidResource, NotFound):
            return

    def _taken(self, asking: Asking, seat: Seat, task: Resource, form: dict[str, str]) -> dict[str, str]:
        acts = _offered(asking, seat, task)
        chosen = act_named(acts, form.get("act", ""))
        if chosen is None or form.get("version") != version_of(task):
            return CHANGED
        said, problems = self._said(chosen, task, form)
        if problems:
            return problems
        changed = moved(task, chosen, said)
        writes = [updating(changed, form["version"])]
        if chosen.name == "appointment" and reference_text(task.get("for")) and task.get("focus"):
            writes.append(creating(appointment(task, said.starts, said.ends)))
        try:
            asking.write(*writes)
        except (VersionConflict, Conflict):
            return CHANGED
        except InvalidResource:
            return {"act": "inbox.problem.refused"}
        return {}

    def _said(self, act: Act, task: Resource, form: dict[str, str]) -> tuple[Said, dict[str, str]]:
        """Reads a form for an act; gives what is said, and what does not fit."""
        problems: dict[str, str] = {}
        confirmed = tuple(
            code for code in unconfirmed(task) if f"{code}" in self.portal.pages.all_of("confirm")
        )
        if act.status == "accepted" and set(unconfirmed(task)) - set(confirmed):
            problems["confirm"] = "inbox.problem.confirm"
        if act.reasons and form.get("reason", "") not in act.reasons:
            problems["reason"] = "tracker.problem.reason"
        words = form.get("words", "").strip()
        if act.status in _WORDS_NEEDED and not words:
            problems["words"] = "tracker.problem.words"
        attendance = form.get("attendance", "")
        if act.status == "completed" and attendance not in ("came", "did-not-come"):
            problems["attendance"] = "inbox.problem.attendance"
        starts = ends = ""
        if act.name == "appointment":
            starts, ends = self._span(form)
            if not starts:
                problems["starts"] = "inbox.problem.starts"
        elif act.name in ("accept", "start") and form.get("promise"):
            ends = form["promise"] if _is_day(form["promise"]) else ""
            if not ends:
                problems["promise"] = "inbox.problem.day"
        next_date = form.get("next_date", "")
        if next_date and not _is_day(next_date):
            problems["next_date"] = "inbox.problem.day"
        more = form.get("needs_more", "")
        said = Said(
            reason=form.get("reason", ""),
            words=words,
            note=form.get("note", ""),
            confirmed=confirmed,
            attendance=attendance if act.status == "completed" else "",
            next_date=next_date if act.status == "completed" else "",
            needs_more={"yes": True, "no": False}.get(more) if act.status == "completed" else None,
            starts=starts,
            ends=ends,
        )
        return said, problems

    def _span(self, form: dict[str, str]) -> tuple[str, str]:
        """Gives when an appointment begins and ends, as instants; empty where the form does not say it."""
        try:
            begins = datetime.fromisoformat(form.get("starts", "")).replace(tzinfo=self.portal.now.tzinfo)
            minutes = int(form.get("minutes", "") or "60")
        except ValueError:
            return "", ""
        if begins <= self.portal.now or not 0 < minutes <= 1440:
            return "", ""
        ends = begins + timedelta(minutes=minutes)
        return begins.isoformat(timespec="seconds"), ends.isoformat(timespec="seconds")

    def _recalled(self, asking: Asking, task: Resource, form: dict[str, str]) -> dict[str, str]:
        answer, law = form.get("answer", ""), form.get("law", "")
        if answer not in ANSWERS:
            return {"answer": "inbox.problem.answer"}
        if answer == "kept-by-law" and not law.strip():
            return {"law": "inbox.problem.law"}
        if form.get("version") != version_of(task):
            return CHANGED
        try:
            asking.update(
                recall_answered(task, answer, law if answer == "kept-by-law" else ""), form["version"]
            )
        except (VersionConflict, Conflict):
            return CHANGED
        return {}

    def shown(self, seat: Seat, task_id: str, typed: dict[str, str], problems: dict[str, str]) -> Response:
        """Gives the page.

        Args:
            seat: who sits there.
            task_id: the Task.
            typed: what was typed before, where a form did not fit.
            problems: what did not fit, as keys of sentences by field.
        """
        asking, at_us = Asking(self.portal.hub, seat), self.portal.hub.clock()
        task = _task(asking, task_id)
        http_status = 422 if problems else 200
        common = {
            "task_id": task_id,
            "version": version_of(task),
            "typed": Fields(typed),
            "problems": Fields(problems),
        }
        if code_in(task.get("code"), TASK_CODES) == "recall":
            return self.portal.page(
                seat, "portal/inbox/recall.html", http_status, **common, **_recall_values(task)
            )
        along = _along(asking, task)
        person, asked = along.led_to(task, "for"), along.led_to(task, "focus")
        sender = along.led_to(task, "requester")
        standing = standing_of(task, at_us)
        patient = reference_text(task.get("for")).partition("/")[2]
        accepted = standing.status not in ("requested", "rejected", "cancelled", "entered-in-error")
        return self.portal.page(
            seat,
            "portal/inbox/one.html",
            http_status,
            **common,
            standing=standing,
            patient=patient,
            number=number_of(task),
            need=need_of(asked),
            need_words=words_of(asked),
            priority=str(task.get("priority", "")),
            until=text_at(task, "restriction.period.end"),
            since=text_at(task, "authoredOn"),
            child=None if person is None else is_child(person),
            interpreter=None if person is None else needs_interpreter(person),
            spoken=language_of(person or {}),
            region=text_at(person or {}, "address.state"),
            gender=str((person or {}).get("gender", "")),
            who=called(person),
            born=str((person or {}).get("birthDate", "")),
            nameless=person is not None and is_nameless(person),
            from_name=name_of(sender),
            phone=phone_of(sender),
            conditions=unconfirmed(task),
            handoff=is_handoff(task),
            card=not patient,
            period=Fields(task.get("executionPeriod") or {}),
            notes=[str(one.get("text", "")) for one in task.get("note") or ()],
            acts=_offered(asking, seat, task),
            moves=list(reversed(timeline(asking.versions("Task", task_id)))),
            accepted=accepted,
            records=self._records(asking, patient) if accepted and patient else (),
            until_permit=_permit_end(asking, patient, at_us) if accepted and patient else "",
            team=self.staff.team(seat, patient) if accepted and patient else None,
        )

    def _records(self, asking: Asking, patient: str) -> tuple[Record, ...]:
        """Gives what her permission lets this organisation have, told plainly."""
        pairs = [("_type", _RECORDS), ("_count", _MOST_RECORDS)]
        found = everything(asking.hub, asking.token, patient, pairs).found
        bodies = [json_codec.decode_own(one.body) for one in found if one.type != "Patient"]
        return records_of([dict(body) for body in bodies])


def _task(asking: Asking, task_id: str) -> Resource:
    """Gives a Task this organisation is asked by; what it sent itself has its page in the tracker."""
    pairs = [("_id", task_id), ("owner", f"Organization/{asking.organization}")]
    found = asking.find("Task", pairs).matches
    recall = bool(found) and code_in(found[0].get("code"), TASK_CODES) == "recall"
    if not found or not (recall or is_referral(found[0])):
        raise NotFound
    return found[0]


def _along(asking: Asking, task: Resource) -> Found:
    along: dict[str, Resource] = {}
    for name in ("for", "focus", "requester"):
        reference = reference_text(task.get(name))
        if reference:
            along.update(asking.many([reference]))
    return Found((task,), along)


def _offered(asking: Asking, seat: Seat, task: Resource) -> tuple[Act, ...]:
    possible = possible_of(asking.possible(str(task["id"])))
    acts = offered(RECIPIENT_ACTS, possible, str(task["status"]), kind=seat.organization_kind)
    if not reference_text(task.get("for")):
        return tuple(act for act in acts if act.name != "appointment")
    return acts


def _permit_end(asking: Asking, patient: str, at_us: int) -> str:
    """Gives when the permission this organisation reads by ends; empty where it is not told."""
    pairs = [("patient", f"Patient/{patient}"), ("status", "active"), ("_count", "20")]
    permits = permits_of(asking.find("Consent", pairs).matches, at_us)
    ends = [one.until for one in permits if one.recipient == asking.organization and one.until]
    return max(ends, default="")


def _recall_values(task: Resource) -> dict[str, object]:
    numbers, records = [], []
    for entry in task.get("input") or ():
        kind = code_in(entry.get("type"), INPUT_TYPE)
        value = str(entry.get("valueIdentifier", {}).get("value", ""))
        if kind == "recalled-referral":
            numbers.append(value)
        elif kind == "recalled-record":
            records.append(value)
    answer = next((coded_value(one) for one in task.get("output") or ()), "")
    return {
        "numbers": numbers,
        "records": records,
        "answer": answer,
        "open": task.get("status") == "requested",
        "until": text_at(task, "restriction.period.end"),
        "answers": ANSWERS,
    }


def _is_day(text: str) -> bool:
    try:
        datetime.strptime(text, "%Y-%m-%d")  # noqa: DTZ007
    except ValueError:
        return False
    return True
