"""A supervisor's desk: what waits for a second person or a look, deciding it, and writing down who asked from outside.

What lives here: ``/admin/decisions…`` and ``/admin/outside-request``. What does not: who may decide what
(``exchange.deciding``, which asks again each time), reading a Task (``casework.desk_lists``).

Source: ``practice.md`` 1, 9 and 12; ``consent.md`` F-11 and F-14.
"""

from flask import Blueprint, Response, request

from referral_hub.auth.people.portal_tokens import Seat
from referral_hub.casework.desk_lists import OnDesk, lines_of, on_desk
from referral_hub.errors import NotFound
from referral_hub.exchange.compelled import NOTICES
from referral_hub.exchange.deciding import DECISIONS, Said, decide
from referral_hub.exchange.exceptional import register_request
from referral_hub.exchange.outside_requests import ASKERS, Question
from referral_hub.exchange.reading import read
from referral_hub.exchange.search import search
from referral_hub.fhir import json_codec
from referral_hub.resources.task import TASK_CODES
from referral_hub.web.portal.admin_room import telling, tried
from referral_hub.web.portal.frame import WORKING, Portal

DECISIONS_PAGE = "/admin/decisions"
OUTSIDE = "/admin/outside-request"
SUPERVISOR = "supervisor"
_PAGE = 25


class DecisionPages:
    """The pages of the desk."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal

    def blueprint(self) -> Blueprint:
        """Gives the routes."""
        found = Blueprint("admin_decisions", __name__)
        supervisor, anyone = self._portal.staff(SUPERVISOR), self._portal.staff(*WORKING)
        found.add_url_rule(DECISIONS_PAGE, "listed", supervisor(self.listed), methods=["GET"])
        found.add_url_rule(f"{DECISIONS_PAGE}/<task>", "one", supervisor(self.one), methods=["GET"])
        found.add_url_rule(f"{DECISIONS_PAGE}/<task>", "decided", supervisor(self.decided), methods=["POST"])
        found.add_url_rule(OUTSIDE, "outside", anyone(self.outside), methods=["GET"])
        found.add_url_rule(OUTSIDE, "register", anyone(self.register), methods=["POST"])
        return found

    def listed(self, seat: Seat) -> Response:
        """Shows what waits, or what was decided."""
        status = "completed,cancelled,rejected" if request.args.get("show") == "decided" else "ready"
        codes = ",".join(f"{TASK_CODES}|{kind}" for kind in sorted(DECISIONS))
        pairs = [("code", codes), ("status", status), ("_count", str(_PAGE)), ("_sort", "-_lastUpdated")]
        after = request.args.get("next", "")
        found = search(
            self._portal.hub, seat.token, "Task", [("_cursor", after)] if after else pairs, own_only=True
        )
        desk = [on_desk(json_codec.decode_own(released.body)) for released in found.matches]
        return self._portal.page(
            seat,
            "portal/admin/decisions.html",
            rows=[one for one in desk if one is not None],
            next=found.next,
            decided=status != "ready",
        )

    def one(self, seat: Seat, task: str) -> Response:
        """Shows one, with what can be decided."""
        return self._task_page(seat, self._task(seat, task), [], {})

    def decided(self, seat: Seat, task: str) -> Response:
        """Decides about one."""
        form = self._portal.form()
        wrong: list[str] = []
        found = self._task(seat, task)
        again = self._portal.confirm(seat, f"{DECISIONS_PAGE}/{task}")
        if again is not None:
            return again
        said = Said(
            decision=form.get("decision", ""),
            reason=form.get("reason", "").strip(),
            counsel=form.get("counsel", "").strip(),
            notice=form.get("notice", ""),
            notice_note=form.get("notice_note", "").strip(),
        )
        done = tried(wrong, lambda: decide(self._portal.hub, seat.token, task, said))
        if done is None:
            return self._task_page(seat, found, wrong, form)
        if done.copy is not None:
            return self._portal.page(seat, "portal/admin/copy.html", task=found, lines=lines_of(done.copy))
        return self._portal.to(f"{DECISIONS_PAGE}/{task}")

    def outside(self, seat: Seat) -> Response:
        """Shows the form for somebody who asks from outside."""
        return self._asked(seat, [], {})

    def register(self, seat: Seat) -> Response:
        """Writes down who asked, and the one answer."""
        form = self._portal.form()
        wrong: list[str] = []
        question = Question(
            form.get("asker_kind", ""), form.get("asked_by", "").strip(), form.get("other_answer", "").strip()
        )
        done = False
        with telling(wrong):
            register_request(self._portal.hub, seat.token, "", question)
            done = True
        return self._asked(seat, wrong, form, done=done, waits=bool(question.other_answer))

    def _asked(
        self, seat: Seat, wrong: list[str], form: dict[str, str], *, done: bool = False, waits: bool = False
    ) -> Response:
        values = {
            "askers": ASKERS,
            "form": {} if done else form,
            "wrong": wrong,
            "done": done,
            "waits": waits,
        }
        return self._portal.page(seat, "portal/admin/outside.html", 422 if wrong else 200, **values)

    def _task(self, seat: Seat, task: str) -> OnDesk:
        body = json_codec.decode_own(read(self._portal.hub, seat.token, "Task", task).released.body)
        found = on_desk(body)
        if found is None:
            raise NotFound
        return found

    def _task_page(self, seat: Seat, task: OnDesk, wrong: list[str], form: dict[str, str]) -> Response:
        return self._portal.page(
            seat,
            "portal/admin/decision.html",
            422 if wrong else 200,
            task=task,
            decisions=task.waits_for(seat.signed.account),
            notices=NOTICES,
            form=form,
            wrong=wrong,
        )
