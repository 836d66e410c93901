"""What a member of staff decides about a Task of the desk: who may, what follows, and that two people are two.

What lives here: one rule for each kind. What does not: making such a Task (``exchange.desks`` and whoever needs one).

A supervisor lets a held recall go or drops it, and looks at what was opened in an emergency. Whoever began an order
of a court or another answer than the usual cannot be the one who confirms it.

Source: ``practice.md`` 1, 9 and 12; ``consent.md`` section 0 point 7, F-14; ``views.md`` 8.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from referral_hub.access.principal import Principal
from referral_hub.errors import Busy, Conflict, Forbidden, GuardFailed, InvalidResource, NotFound
from referral_hub.exchange.absence import check_covered
from referral_hub.exchange.building import Draft
from referral_hub.exchange.change import TokenGuard
from referral_hub.exchange.compelled import check_confirmable, copy_of, notice_parts
from referral_hub.exchange.consent_writing import MISSED
from referral_hub.exchange.desks import OPEN, Part, Worker, close, named, worker_of
from referral_hub.exchange.hub import Hub
from referral_hub.exchange.interactions import TRIES
from referral_hub.exchange.outside_requests import NEITHER
from referral_hub.exchange.ports import Released, ResourceRow
from referral_hub.exchange.state import Working
from referral_hub.fhir import json_codec
from referral_hub.fhir.outcome import Issue
from referral_hub.fhir.subsets import Part as Elements
from referral_hub.resources.task import DESK_CODES

SUPERVISOR = "supervisor"


@dataclass(frozen=True, slots=True)
class Said:
    """What is decided.

    Args:
        decision: one of the codes the kind of Task knows.
        reason: why, in words.
        counsel: what a lawyer advised.
        notice: whether the person was told beforehand (``exchange.compelled.NOTICES``).
        notice_note: how and when, or why not.
    """

    decision: str
    reason: str = ""
    counsel: str = ""
    notice: str = ""
    notice_note: str = ""


@dataclass(frozen=True, slots=True)
class Decided:
    """What came of it: the Task as it is now, and the copy for a hand where an order was confirmed."""

    task: Released
    copy: dict[str, Any] | None = None


@dataclass(slots=True)
class _Deciding:
    """One decision in the making."""

    hub: Hub
    caller: Principal
    worker: Worker
    task: ResourceRow
    said: Said
    draft: Draft
    copy: dict[str, Any] | None = None

    def close(self, decision: str, status: str = "completed", parts: list[Part] | None = None) -> ResourceRow:
        told = [*(parts or [])]
        if self.said.reason:
            told.append(("decision-reason", {"valueString": self.said.reason}))
        return close(self.task, decision, self.draft, worker=self.worker, status=status, parts=told)

    def check_supervisor(self) -> None:
        if self.worker.role != SUPERVISOR:
            raise Forbidden("A supervisor decides this.")

    def check_second(self) -> None:
        if self.worker.account == named(self.task, "recorded-by"):
            raise Forbidden("Whoever began this cannot be the one who decides it: a second person does.")

    def check_reason(self) -> None:
        if not self.said.reason:
            raise _wrong("reason", "Say why.")


def decide(hub: Hub, token_digest: bytes, public_id: str, said: Said) -> Decided:
    """Decides about a Task of the desk.

    Raises:
        Forbidden: no member of staff, no supervisor, or the same person again (403).
        NotFound: absent, or not for this caller (404).
        Conflict: it is decided already (409).
        InvalidResource: no such decision, or something is missing (422).
    """
    for _ in range(TRIES):
        at_us = hub.clock()
        with hub.store.snapshot() as snapshot:
            caller = hub.identify(snapshot.token(token_digest), at_us)
            hub.gate.allow(caller, "Task", "update")
            draft = Draft(Working(snapshot), hub.ids, at_us, hub.own_bases)
            row = draft.working.resource("Task", public_id)
            if row is None or row.author != caller.organization_id or row.kind not in DESK_CODES:
                raise NotFound
            if not hub.gate.sees(caller, row, draft.working, at_us):
                raise NotFound
            deciding = _Deciding(hub, caller, worker_of(caller), row, said, draft)
            rules = DECISIONS[row.kind]
            if said.decision not in rules:
                raise _wrong("decision", f"Decide one of: {', '.join(sorted(rules))}.")
            if row.status != OPEN:
                raise Conflict("This is decided already.")
            written = rules[said.decision](deciding)
            draft.working.guard(TokenGuard(bytes.fromhex(caller.token_key), at_us))
            change = hub.gate.admit_hub(draft, hub.ids.public_id())
            answer = hub.gate.answer(caller, written, draft.working, at_us)
        try:
            hub.store.apply(change)
        except GuardFailed:
            continue
        if answer is None:
            raise NotFound
        return Decided(answer.released, deciding.copy)
    raise Busy("Others are changing the same record. Try again in a moment.")


def _noted(it: _Deciding) -> ResourceRow:
    return it.close("noted")


def _settled(it: _Deciding) -> ResourceRow:
    """A recall that was not answered in time, or something about the wrong person, was settled by people."""
    it.check_supervisor()
    it.check_reason()
    return it.close("settled")


def _release_recall(it: _Deciding) -> ResourceRow:
    """The recipients are asked now; the delivery process writes the recalls."""
    it.check_supervisor()
    consent = it.draft.working.resource("Consent", named(it.task, "about"))
    if consent is not None:
        it.draft.remind(MISSED, consent.row_id, it.draft.at_us)
    return it.close("release")


def _drop_recall(it: _Deciding) -> ResourceRow:
    it.check_supervisor()
    it.check_reason()
    return it.close("drop", "cancelled")


def _confirm_order(it: _Deciding) -> ResourceRow:
    it.check_second()
    check_confirmable(it.task, it.said.counsel)
    told: list[Part] = []
    if not named(it.task, "notice") or it.said.notice:
        told += notice_parts(it.said.notice, it.said.notice_note)
    if it.said.counsel:
        told.append(("counsel", {"valueString": it.said.counsel}))
    it.copy, handed = copy_of(it.task, it.worker, it.draft, lambda row, names: _copied(it, row, names))
    return it.close("confirm", parts=[*told, *handed])


def _copied(it: _Deciding, row: ResourceRow, names: tuple[str, ...]) -> dict[str, Any] | None:
    outcome = it.hub.gate.answer(it.caller, row, it.draft.working, it.draft.at_us)
    if outcome is None:
        return None
    released = outcome.released
    if names:
        released = it.hub.gate.release_part(released, Elements(elements=names))
    return dict(json_codec.decode_own(released.body))


def _refuse_order(it: _Deciding) -> ResourceRow:
    """Anybody stops it, whoever began it too."""
    it.check_reason()
    return it.close("refuse", "rejected")


def _other_answer(it: _Deciding) -> ResourceRow:
    it.check_second()
    it.check_reason()
    patient = it.draft.working.row(it.task.person)
    if patient is not None:
        check_covered(patient, named(it.task, "asker-kind"), it.draft)
    return it.close("confirm", parts=[("answer", {"valueCode": "other"})])


def _taken_back(it: _Deciding) -> ResourceRow:
    """She says it no more."""
    return it.close("taken-back", "cancelled")


def _usual_answer(it: _Deciding) -> ResourceRow:
    return it.close("refuse", parts=[("answer", {"valueCode": NEITHER})])


def _review(decision: str) -> Callable[[_Deciding], ResourceRow]:
    def review(it: _Deciding) -> ResourceRow:
        """Somebody else than who opened it looks at it afterwards, never before."""
        it.check_supervisor()
        it.check_second()
        it.check_reason()
        return it.close(decision, "completed" if decision == "justified" else "rejected")

    return review


DECISIONS: Mapping[str, Mapping[str, Callable[[_Deciding], ResourceRow]]] = MappingProxyType(
    {
        "withdrawal": {"noted": _noted},
        "wrong-person": {"settled": _settled},
        "recall-unanswered": {"settled": _settled},
        "held-recall": {"release": _release_recall, "drop": _drop_recall},
        "compelled-disclosure": {"confirm": _confirm_order, "refuse": _refuse_order},
        "absence-instruction": {"taken-back": _taken_back},
        "external-request": {"confirm": _other_answer, "refuse": _usual_answer},
        "emergency-opening": {"justified": _review("justified"), "not-justified": _review("not-justified")},
    }
)
"""Kind of Task to what can be decided of it."""


def _wrong(name: str, text: str) -> InvalidResource:
    return InvalidResource([Issue("error", "required", text, f"Parameters.parameter.where(name='{name}')")])
