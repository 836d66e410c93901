"""The register of who asks from outside: a government, a court, a journalist, family. One answer for everybody.

What lives here: writing an entry down. What does not: who confirms another answer (``exchange.deciding``), orders
that must be obeyed (``exchange.compelled``).

The answer is "we neither confirm nor deny", whether the person is known or not, and nothing here looks whether she is.
One person may give that answer; any other takes two.

Source: ``practice.md`` 9 and 14; ``consent.md`` F-11, F-14 and F-28.
"""

from dataclasses import dataclass

from referral_hub.errors import InvalidResource
from referral_hub.exchange.building import Draft
from referral_hub.exchange.desks import OPEN, Part, Worker, lay_out
from referral_hub.exchange.ports import ResourceRow
from referral_hub.fhir.outcome import Issue

KIND = "external-request"
ASKERS = ("government", "court", "police", "consulate", "family", "journalist", "other")
NEITHER = "neither-confirm-nor-deny"


@dataclass(frozen=True, slots=True)
class Question:
    """Who asks, and what somebody would answer instead of the usual.

    Args:
        asker_kind: one of ``ASKERS``.
        asked_by: who it is, in words; never whom they ask about.
        other_answer: what else is to be answered, and why; empty for the usual answer.
    """

    asker_kind: str
    asked_by: str
    other_answer: str = ""


def register(question: Question, worker: Worker, person: ResourceRow | None, draft: Draft) -> ResourceRow:
    """Writes an entry: answered at once with the usual answer, or waiting for a second person.

    Args:
        question: who asks.
        worker: who takes it down.
        person: whom it is about, where the worker says that it is somebody of this organisation's.
        draft: the Change in the making.

    Raises:
        InvalidResource: something is missing (422).
    """
    issues = []
    if question.asker_kind not in ASKERS:
        issues.append(_issue("asker-kind", f"Say who asks: {', '.join(ASKERS)}."))
    if not question.asked_by:
        issues.append(_issue("asked-by", "Write down who asks; never about whom."))
    if issues:
        raise InvalidResource(issues)
    said: list[Part] = [
        ("recorded-by", {"valueString": worker.account}),
        ("asker-kind", {"valueCode": question.asker_kind}),
        ("asked-by", {"valueString": question.asked_by}),
    ]
    if question.other_answer:
        said.append(("other-answer", {"valueString": question.other_answer}))
    else:
        said.append(("answer", {"valueCode": NEITHER}))
    status = OPEN if question.other_answer else "completed"
    return lay_out(KIND, draft, custodian=worker.organization, person=person, parts=said, status=status)


def _issue(name: str, text: str) -> Issue:
    return Issue("error", "required", text, f"Parameters.parameter.where(name='{name}')")
