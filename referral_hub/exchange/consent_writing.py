"""What else is written when a Consent begins or ends: compiled rows, timers, waiting referrals, recalls.

What lives here: the rows that follow a Consent in its own transaction. What does not: its rules
(``exchange.consent_rules``), its evaluation (``access``).

A withdrawal closes the doors and moves no Task; recipients who had received data get a recall.

Source: ``consent.md`` 5.5 (D-30 to D-41) as corrected by ``views.md`` 8; ``practice.md`` 5.
"""

from dataclasses import dataclass
from typing import Any

from referral_hub.access.grants import compile_rows
from referral_hub.access.provisions import compile_consent
from referral_hub.errors import SigningOff
from referral_hub.exchange.building import Draft, body_of
from referral_hub.exchange.change import ConsentRows
from referral_hub.exchange.consent_rules import DAY_US, kind_of
from referral_hub.exchange.held_recalls import hold
from referral_hub.exchange.hosting import hosting, resume
from referral_hub.exchange.judging import Judge
from referral_hub.exchange.ports import ResourceRow
from referral_hub.exchange.recall_reach import receivers_of
from referral_hub.exchange.recalls import recall_from
from referral_hub.exchange.referrals import opening
from referral_hub.exchange.revoked_tokens import revoked_with
from referral_hub.exchange.stamping import business_status_of, with_business_status
from referral_hub.exchange.task_writing import MovedTask, facts_of_waiting, write_consequences
from referral_hub.fhir.canonical import code_system
from referral_hub.resources.task import LIFECYCLE

REMINDER_DAYS = (14, 7, 2)
MISSED = "recall-missed"
MISSED_AT_LAST = "recall-missed-at-last"
MISSED_US = 1_000_000
"""When it is looked for the first time at who else had received something, counted from the withdrawal."""
LAST_LOOK_US = 5_000_000
"""When it is looked at last, counted from the first look: by then what crossed the withdrawal has left its line.

The first look shows that the withdrawal is stored, however long storing it took; so the second one comes so long
after every read that was decided before it. A line that comes later still brings a look of its own
(``store.segments``).
"""
CANNOT_SIGN_NOW = f"{code_system('observation')}|cannot-sign-now"


@dataclass(frozen=True, slots=True)
class Asking:
    """When recipients are asked to stop using what they have.

    Args:
        at_once: in the Change of the withdrawal where that is quickly found out; else by the delivery process a
            moment later, so that a withdrawal of everything is acknowledged as fast as one of little.
        hold: not now: hearing of it could harm her, so a supervisor decides, within 30 days.
        reason: why it is held, in words for her own organisation.
    """

    at_once: bool = True
    hold: bool = False
    reason: str = ""


AT_ONCE = Asking()


def check_signing(patient: ResourceRow, draft: Draft) -> None:
    """Refuses an active release while signing is off for her.

    Raises:
        SigningOff: the newest answer of her own organisation to "can she sign now" is no: 422 on the wire.

    Source: ``views.md`` 9 (Signing is off), ``practice.md`` 1.
    """
    found = draft.working.newest_observation(patient.row_id, CANNOT_SIGN_NOW, patient.author)
    if found is not None and body_of(found).get("valueBoolean") is True:
        raise SigningOff(
            "Signing is off for now: she is not alone, not clear-headed, or somebody official is near. "
            "A no-name referral is possible tonight.",
            "Consent.status",
        )


def write_rows(
    row: ResourceRow,
    body: dict[str, Any],
    draft: Draft,
    judge: Judge,
    *,
    was_active: bool,
    asking: Asking = AT_ONCE,
) -> None:
    """Writes what a new version of a Consent causes, after the Consent itself was laid into the Draft.

    ``was_active`` is a fact of the version before; ``asking`` says when recipients are asked to stop using what
    they have.
    """
    if row.person is None:
        return
    active = row.status == "active"
    if not active and not was_active:
        return
    rows = ConsentRows(row.row_id, row.person)
    if active:
        compiled = compile_consent(row.id, row.version, body, authored=bool(row.kind))
        rows = ConsentRows(
            row.row_id, row.person, *compile_rows(compiled, consent_row=row.row_id, person=row.person)
        )
    draft.compile(rows)
    grants = rows.grants
    receivers = sorted({grant.organization for grant in grants} or receivers_of(body))
    if active and kind_of(body) == "release":
        for ends_us in sorted({grant.valid_until_us for grant in grants}):
            _set_timers(row, ends_us, draft)
        for receiver in receivers:
            _resume(row.person, receiver, draft, judge)
    elif was_active and not active:
        end_sharing(row, row.person, receivers, draft, judge, asking=asking)


def end_sharing(
    row: ResourceRow,
    person: int,
    receivers: list[str],
    draft: Draft,
    judge: Judge,
    *,
    asking: Asking = AT_ONCE,
) -> None:
    """Cancels what waits to leave, ends what is bound to her at the recipients, and asks back what left.

    Also after a consent was narrowed: only what nothing covers any more is asked back.
    """
    for receiver in receivers:
        owner = draft.working.organization(receiver)
        # Another release may still cover this recipient: whatever waits for it is judged when it leaves.
        if owner is None or not judge.coverage(owner, person, draft.working, draft.at_us).live:
            draft.drop_deliveries(person, receiver)
    for bound in revoked_with(person, receivers):
        draft.settle(bound)
    if asking.hold:
        hold(row, draft, asking.reason)
        return
    asked = [asking.at_once and recall_from(row, receiver, draft, parts=False) for receiver in receivers]
    if not all(asked):
        # The lines of what was read just now are not in the database yet, and a message or a read may be on its
        # way in this very moment. Nobody waits for them here: the doors close first, and it is looked once more.
        draft.remind(MISSED, row.row_id, draft.at_us + (MISSED_US if asking.at_once else 0))


def _set_timers(row: ResourceRow, ends_us: int, draft: Draft) -> None:
    for days in REMINDER_DAYS:
        moment = ends_us - days * DAY_US
        if moment > draft.at_us:
            draft.remind("consent-ending", row.row_id, moment)
    draft.remind("consent-ended", row.row_id, ends_us)


def _resume(person: int, receiver: str, draft: Draft, judge: Judge) -> None:
    """Lets referrals that waited for this release leave, and those whose sharing had ended go on."""
    working = draft.working
    owner = working.organization(receiver)
    hub = working.hub_organization()
    if owner is None or hub is None:
        return
    for task in _tasks_to(person, receiver, draft):
        body = body_of(task)
        step = business_status_of(body)
        if step not in ("awaiting-consent", "sharing-ended"):
            continue
        coverage = judge.coverage(owner, person, working, draft.at_us)
        if not coverage.live:
            continue
        if hosting(task, draft):
            resume(task, draft, judge)
            continue
        body = with_business_status(body, "sent" if task.status == "requested" else "")
        revised = draft.revise(task, body, written_by=hub.facts.id)
        waited = step == "awaiting-consent"
        found = tuple(opening(facts_of_waiting(body, draft, until_us=coverage.until_us))) if waited else ()
        write_consequences(
            MovedTask(body, found, owner, nameless=False), revised, mover=hub.facts.id, user="", draft=draft
        )
        if not waited and owner.fhir_endpoint:
            # What was held at departure is told anew; a partner that has it answers with its own Task.
            draft.tell(receiver, "task-notice", revised, person=person)
        draft.record_move(
            revised,
            organization=hub.facts.id,
            user="",
            activity=f"{revised.status}.{business_status_of(body)}".rstrip("."),
        )


def _tasks_to(person: int, receiver: str, draft: Draft) -> list[ResourceRow]:
    return [
        task
        for task in draft.working.tasks_of_person(person)
        if task.owner == receiver and task.status in LIFECYCLE.live and not task.deleted
    ]
