"""Task: the referral itself, and the table of who may move it.

What lives here: the declaration and the state machine of ``referral-loop.md`` Part B as corrected by
``views.md``, as data. What a move causes elsewhere is ``exchange.referrals``.

Source: SDOHCC TaskForReferralManagement (statuses and edges); HL7 FHIR R4 Task.
"""

from referral_hub.fhir.canonical import code_system
from referral_hub.resources.definition import (
    BY_PATIENT,
    BY_SUBJECT,
    REMOVABLE,
    ResourceDefinition,
    Searchable,
)
from referral_hub.resources.lifecycle import Actor, Lifecycle, Move, Step

BUSINESS_STATUS = code_system("business-status")
STATUS_REASON = code_system("status-reason")
TASK_CODES = code_system("task-code")
INPUT_TYPE = code_system("task-input-type")
OUTPUT_TYPE = code_system("task-output-type")
HANDLING_CONDITION = code_system("handling-condition")

HANDLING_CODES = ("no-reminders", "no-portal", "no-letters", "no-onward-exchange")
DESK_CODES = frozenset(
    {
        "withdrawal",
        "held-recall",
        "recall-unanswered",
        "compelled-disclosure",
        "external-request",
        "emergency-opening",
        "absence-instruction",
        "wrong-person",
    }
)
"""Tasks an organisation has for its own people, written by operations only (``exchange.desks``)."""
NEVER_RELEASED_CODES = frozenset({"case-review", "complaint"}) | DESK_CODES

_S: frozenset[Actor] = frozenset({"requester"})
_T: frozenset[Actor] = frozenset({"owner"})
_ST: frozenset[Actor] = _S | _T
_H: frozenset[Actor] = frozenset({"hub"})
_TH: frozenset[Actor] = _T | _H

REJECTION_REASONS = frozenset({"at-capacity", "ineligible", "cannot-take", "data-issue", "redirect"})
CANCEL_BY_SOURCE = frozenset({"by-source", "client-declined", "not-selected", "claimed-by-other"})
CANCEL_BY_TARGET = frozenset({"by-target", "recipient-withdrew"})
FAILURE_REASONS = frozenset({"client-unreachable", "ineligible-after-start"})
HOLD_REASONS = frozenset({"waitlisted", "awaiting-client", "safety-hold"})
ERROR_REASONS = frozenset({"wrong-recipient", "sent-in-error"})
CLOSED_BY_SENDER = "closed-by-sender"

_HOLD_STEPS = frozenset({"waitlisted", "awaiting-client", "safety-hold"})
_WORK_STEPS = frozenset(
    {"appointment-scheduled", "no-show", "appointment-cancelled", "contact-made", "interim-outcome"}
)


def _to_cancelled(source: str, by_target: frozenset[str]) -> tuple[Move, Move]:
    return (
        Move(source, "cancelled", _S, CANCEL_BY_SOURCE),
        Move(source, "cancelled", _T, by_target),
    )


def _to_error(source: str) -> Move:
    return Move(source, "entered-in-error", _S, ERROR_REASONS)


LIFECYCLE = Lifecycle(
    initial=frozenset({"draft", "requested"}),
    table=(
        Move("draft", "requested", _S),
        Move("draft", "cancelled", _S, CANCEL_BY_SOURCE),
        _to_error("draft"),
        Move("requested", "accepted", _T),
        Move("requested", "rejected", _T, REJECTION_REASONS),
        *_to_cancelled("requested", frozenset({"by-target"})),
        _to_error("requested"),
        Move("accepted", "in-progress", _T, business=_WORK_STEPS),
        Move("accepted", "on-hold", _T, HOLD_REASONS, _HOLD_STEPS),
        Move("accepted", "completed", _T),
        Move("accepted", "failed", _T, FAILURE_REASONS),
        *_to_cancelled("accepted", CANCEL_BY_TARGET),
        _to_error("accepted"),
        Move("in-progress", "on-hold", _T, HOLD_REASONS, _HOLD_STEPS),
        Move("in-progress", "completed", _T),
        Move("in-progress", "failed", _T, FAILURE_REASONS),
        *_to_cancelled("in-progress", CANCEL_BY_TARGET),
        _to_error("in-progress"),
        Move("on-hold", "in-progress", _T, business=_WORK_STEPS),
        Move("on-hold", "completed", _T),
        Move("on-hold", "failed", _T, FAILURE_REASONS),
        *_to_cancelled("on-hold", CANCEL_BY_TARGET),
        _to_error("on-hold"),
        _to_error("rejected"),
        _to_error("cancelled"),
        _to_error("completed"),
        _to_error("failed"),
    ),
    steps=(
        Step("requested", "sent", _H, frozenset({"", "awaiting-consent", "sharing-ended"})),
        Step("requested", "awaiting-consent", _H, frozenset({""})),
        Step("requested", "hub-routing", _H, frozenset({"", "awaiting-consent", "sharing-ended"})),
        Step(
            "requested",
            "acknowledged",
            _T,
            frozenset({"sent", "awaiting-information", "overdue", "acknowledged"}),
        ),
        Step("requested", "acknowledged", _S, frozenset({"awaiting-information"})),
        Step("requested", "awaiting-information", _T, frozenset({"sent", "acknowledged", "overdue"})),
        Step("requested", "overdue", _H),
        *(Step("in-progress", step, _T) for step in sorted(_WORK_STEPS)),
        Step("in-progress", "cancellation-requested", _S),
        Step("on-hold", "waitlisted", _T),
        Step("on-hold", "awaiting-client", _T),
        Step("on-hold", "safety-hold", _TH),
        Step("completed", "partial", _H, frozenset({""})),
        *(
            Step(status, "sharing-ended", _H)
            for status in ("requested", "accepted", "in-progress", "on-hold")
        ),
    ),
    live=frozenset({"requested", "accepted", "in-progress", "on-hold"}),
    terminal=frozenset({"rejected", "cancelled", "completed", "failed", "entered-in-error"}),
)
"""Draft may be entered in error too: a hub addition, nothing of it was ever released."""

ACCEPTED_STATUSES = frozenset({"accepted", "in-progress", "on-hold"})
CLOSED_WITH_RESULT = frozenset({"completed", "failed"})

DEFINITION = ResourceDefinition(
    type_name="Task",
    inherits=True,
    opened=True,
    subject=("for",),
    based_on=("focus",),
    status_element="status",
    date_elements=("authoredOn",),
    search=(
        Searchable("authored-on"),
        Searchable("business-status"),
        Searchable("code"),
        Searchable("focus"),
        Searchable("group-identifier", "own"),
        Searchable("identifier", "own"),
        Searchable("intent"),
        Searchable("modified"),
        Searchable("owner"),
        Searchable("part-of", "own"),
        Searchable("patient"),
        Searchable("priority"),
        Searchable("requester", "accepted"),
        Searchable("status"),
        Searchable("subject"),
        Searchable("based-on", "own"),
        Searchable("encounter", "own"),
        Searchable("performer", "own"),
        Searchable("period", "own"),
        Searchable(
            "output",
            "own",
            expression="(Task.output.value as Reference)",
            kind="reference",
        ),
    ),
    includes=("Task:focus", "Task:patient", "Task:owner", "Task:requester", "Task:output"),
    chains=(
        *BY_PATIENT,
        *BY_SUBJECT,
        "focus.ServiceRequest.category",
        "focus.ServiceRequest.code",
        "focus.ServiceRequest.identifier",
        "focus.ServiceRequest.priority",
        "focus.ServiceRequest.status",
        "owner.Organization.name",
        "owner.Organization.type",
    ),
    revincludes=("Provenance:target",),
    interactions=REMOVABLE | {"patch"},
    lifecycle=LIFECYCLE,
    version_aware=True,
)
