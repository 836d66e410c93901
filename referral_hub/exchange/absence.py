"""What she wants told, and to whom, if she dies or nobody knows where she is. Without her word: nothing, to nobody.

What lives here: writing her word down, and whether it covers a question from outside. What does not: what pauses
meanwhile (``exchange.contact_lost``), the register of questions (``exchange.outside_requests``).

Source: ``consent.md`` F-28; ``practice.md`` 9.
"""

from dataclasses import dataclass

from referral_hub.errors import InvalidResource
from referral_hub.exchange.building import Draft
from referral_hub.exchange.consent_rules import DAY_US
from referral_hub.exchange.contact_lost import CONTACT_LOST, OBSERVATION, has_died, is_lost
from referral_hub.exchange.desks import OPEN, Worker, close, lay_out, named
from referral_hub.exchange.outside_requests import ASKERS
from referral_hub.exchange.ports import ResourceRow
from referral_hub.fhir.outcome import Issue

KIND = "absence-instruction"


@dataclass(frozen=True, slots=True)
class Wish:
    """Her word for one kind of asker.

    Args:
        asker_kind: one of ``outside_requests.ASKERS``.
        after_days: how long nobody must have known where she is; 0 is at once.
        tell: what may be said, in her words.
    """

    asker_kind: str
    after_days: int
    tell: str


def write_down(patient: ResourceRow, wish: Wish, worker: Worker, draft: Draft) -> ResourceRow:
    """Writes her word down; it takes the place of what she said before for the same kind of asker.

    Raises:
        InvalidResource: something is missing (422).
    """
    issues = []
    if wish.asker_kind not in ASKERS:
        issues.append(_issue("asker-kind", f"For one of: {', '.join(ASKERS)}."))
    if not wish.tell:
        issues.append(_issue("tell", "Write down what may be said, in her words."))
    if wish.after_days < 0:
        issues.append(_issue("after-days", "A number of days, 0 for at once."))
    if issues:
        raise InvalidResource(issues)
    for before in in_force(patient, draft):
        if named(before, "asker-kind") == wish.asker_kind:
            close(before, "replaced", draft, worker=worker)
    return lay_out(
        KIND,
        draft,
        custodian=patient.author,
        person=patient,
        parts=[
            ("recorded-by", {"valueString": worker.account}),
            ("asker-kind", {"valueCode": wish.asker_kind}),
            ("after-days", {"valueString": str(wish.after_days)}),
            ("tell", {"valueString": wish.tell}),
        ],
    )


def in_force(patient: ResourceRow, draft: Draft) -> list[ResourceRow]:
    """Gives her words that she did not take back."""
    return [
        task
        for task in draft.working.tasks_of_person(patient.row_id)
        if task.kind == KIND and task.status == OPEN
    ]


def check_covered(patient: ResourceRow, asker_kind: str, draft: Draft) -> None:
    """Refuses any answer but the usual one about somebody who cannot be asked, unless her word covers it.

    Raises:
        InvalidResource: 422.
    """
    lost_us = _lost_since(patient, draft)
    if lost_us is None:
        return
    for task in in_force(patient, draft):
        days = int(named(task, "after-days") or "0")
        if named(task, "asker-kind") == asker_kind and draft.at_us >= lost_us + days * DAY_US:
            return
    raise InvalidResource(
        [_issue("decision", "She cannot be asked, and left no word that covers this. Nothing is revealed.")]
    )


def _lost_since(patient: ResourceRow, draft: Draft) -> int | None:
    """Gives since when she cannot be asked, microseconds UTC; None while she can."""
    if is_lost(patient, draft):
        token = f"{OBSERVATION}|{CONTACT_LOST}"
        found = draft.working.newest_observation(patient.row_id, token, patient.author)
        if found is not None:
            return found.updated_us
    return patient.updated_us if has_died(patient) else None


def _issue(name: str, text: str) -> Issue:
    return Issue("error", "required", text, f"Parameters.parameter.where(name='{name}')")
