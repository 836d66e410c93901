"""Does what a timer says when its time comes: a referral is late, sharing ends, a held recall goes out.

What lives here: one function per kind of timer, and ``TimerWork``, which runs them. What does not: the rows
(``store``), when a timer is set (``exchange.referrals``, ``exchange.consent_writing``).

A timer's work and its end are one Change: both are there or neither, so it fires once, also when the process
is killed in between. Each function looks at the state of now, not of when the timer was set, and does nothing
where nothing is to be done any more.

Source: ``engine.md`` 6; ``views.md`` 8 and 9; ``referral-loop.md`` Part A 31.
"""

import logging
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Generic

from referral_hub.access.consent_life import confirmed
from referral_hub.access.grants import compile_rows
from referral_hub.access.provisions import compile_consent
from referral_hub.errors import HubError
from referral_hub.exchange.audit import DONE
from referral_hub.exchange.building import Draft, body_of
from referral_hub.exchange.change import AuditEntry
from referral_hub.exchange.consent_policy import ADULT_YEARS
from referral_hub.exchange.consent_rules import DAY_US
from referral_hub.exchange.consent_writing import LAST_LOOK_US, MISSED, MISSED_AT_LAST, REMINDER_DAYS
from referral_hub.exchange.desks import OPEN, close
from referral_hub.exchange.early_ends import CAME_OF_AGE, end_permissions, remind_of_majority
from referral_hub.exchange.emergency import REVIEW_DUE
from referral_hub.exchange.held_recalls import HELD, held_for, is_silent
from referral_hub.exchange.hub import Hub
from referral_hub.exchange.interactions import hub_write
from referral_hub.exchange.judging import Judge
from referral_hub.exchange.minors import birthday_us, is_represented
from referral_hub.exchange.ports import ResourceRow
from referral_hub.exchange.recall_reach import ever_received
from referral_hub.exchange.recalls import DUE, REMINDER, is_recalled, recall_from
from referral_hub.exchange.review_tasks import ask_to_look, stop_asking
from referral_hub.exchange.stamping import business_status_of, with_business_status
from referral_hub.fhir.dates import span
from referral_hub.fhir.elements import text_at
from referral_hub.outbound.alerts import alert
from referral_hub.outbound.copying import copy_visit
from referral_hub.outbound.counting import Tally
from referral_hub.outbound.desk_timers import emergency_review_due
from referral_hub.outbound.patience import SECOND_US
from referral_hub.outbound.ports import DueTimers, T
from referral_hub.outbound.recall_timers import recall_due, recall_reminder
from referral_hub.resources.task import LIFECYCLE

log = logging.getLogger(__name__)

LEASE_US = 60 * SECOND_US
_LONGEST_PAUSE_US = 3600 * SECOND_US

Work = Callable[[Draft, int, Judge], bool]
"""Adds what a timer causes to the Draft; gives whether there was anything. Second argument: the row id."""


def task_overdue(draft: Draft, resource: int, judge: Judge) -> bool:
    """Marks a referral as late that nobody answered in time; its status and who sees what stay.

    While the recipient waits for an answer of the sender the clock is stopped: it is looked at again in a
    day. Where the sender gave more time meanwhile, then at the new end.

    Source: ``views.md`` 9 (Late); ``referral-loop.md`` Part B.
    """
    del judge
    row = draft.working.row(resource)
    if row is None or row.deleted or row.status != "requested":
        return False
    body = body_of(row)
    step = business_status_of(body)
    if step in ("overdue", "awaiting-consent", "sharing-ended"):
        return False
    end = text_at(body, "restriction.period.end")
    if end and (end_us := span(end)[1]) > draft.at_us:
        draft.remind("task-overdue", row.row_id, end_us)
        return True
    if step == "awaiting-information":
        draft.remind("task-overdue", row.row_id, draft.at_us + DAY_US)
        return True
    marked = _marked(row, "overdue", draft)
    draft.audit.append(alert(marked, "referral-overdue", draft.at_us))
    return True


def consent_ending(draft: Draft, resource: int, judge: Judge) -> bool:
    """Tells the caseworker that a release ends soon, or waits for a check-in; nothing leaves the organisation.

    Nobody is told where a newer release covers the same recipients beyond that end, nor by a timer that a check-in
    has made too early.

    Source: ``views.md`` 8 (14, 7 and 2 days before); ``practice.md`` 4.
    """
    row = draft.working.row(resource)
    if row is None or row.person is None or row.status != "active":
        return row is not None and stop_asking(row, draft)
    ends = [end for end in _ends(row).values() if end > draft.at_us]
    if not ends or min(ends) - draft.at_us > REMINDER_DAYS[0] * DAY_US:
        return False
    covered = [_covered_until(receiver, row.person, draft, judge) for receiver in _ends(row)]
    if all(until > max(ends) for until in covered):
        return stop_asking(row, draft)
    days = -(-(min(ends) - draft.at_us) // DAY_US)
    waits = _waits_for_check_in(row, draft.at_us)
    draft.audit.append(alert(row, "check-in-due" if waits else "sharing-ending", draft.at_us, days=days))
    ask_to_look(row, "check-in-due" if waits else "sharing-ending", min(ends), draft)
    return True


def consent_ended(draft: Draft, resource: int, judge: Judge) -> bool:
    """Marks the live referrals whose sharing has run out: ``sharing-ended``, and tells the caseworker.

    No referral is cancelled and no recall is sent: expiry is not withdrawal. What still waits in the outbox
    finds no release when it is about to leave; a new release tells it anew.

    Source: ``views.md`` 8 (Expiry is not withdrawal).
    """
    row = draft.working.row(resource)
    if row is None or row.person is None or row.status != "active":
        return row is not None and stop_asking(row, draft)
    ended = {
        receiver
        for receiver in _ends(row)
        if (owner := draft.working.organization(receiver)) is not None
        and judge.coverage(owner, row.person, draft.working, draft.at_us).reason == "ended"
    }
    if not ended:
        return stop_asking(row, draft)
    marked = False
    for task in draft.working.tasks_of_person(row.person):
        if (
            task.owner not in ended
            or task.deleted
            or task.status not in LIFECYCLE.live
            or task.kind == "recall"
        ):
            continue
        if task.author == task.owner or business_status_of(body_of(task)) in (
            "sharing-ended",
            "awaiting-consent",
        ):
            continue
        draft.audit.append(alert(_marked(task, "sharing-ended", draft), "sharing-ended", draft.at_us))
        marked = True
    if not marked:
        draft.audit.append(alert(row, "sharing-ended", draft.at_us))
    waits = _waits_for_check_in(row, draft.at_us)
    ask_to_look(row, "check-in-due" if waits else "sharing-ended", draft.at_us, draft)
    return True


def came_of_age(draft: Draft, resource: int, judge: Judge) -> bool:
    """Ends what others signed for her on the day she is eighteen; where the birth date was corrected, later.

    Source: ``practice.md`` 7.
    """
    del judge
    patient = draft.working.row(resource)
    if patient is None or patient.deleted:
        return False
    if patient.locked:  # no release covers her now; what is to begin later ends as it would
        return end_permissions(patient, draft, reason="came-of-age", which=is_represented)
    grown_us = birthday_us(body_of(patient), ADULT_YEARS)
    if grown_us is None:
        return False
    if grown_us > draft.at_us:
        remind_of_majority(patient, body_of(patient), draft)
        return True
    return end_permissions(patient, draft, reason="came-of-age", which=is_represented)


def recall_held(draft: Draft, resource: int, judge: Judge) -> bool:
    """Sends the recall that was held so that nobody's hearing of it harms her: 30 days are the most.

    Where a supervisor decided earlier, there is nothing to do. Recipients that a newer release covers by now are
    asked for nothing.

    Source: ``views.md`` 8 (held for a supervisor, at most 30 days); ``consent.md`` D-40.
    """
    row = draft.working.row(resource)
    task = held_for(row, draft) if row is not None else None
    if task is not None:
        if task.status != OPEN:
            return False
        close(task, "time-over", draft)
    return _recall_all(draft, resource, judge, again=True) or task is not None


def recall_missed(draft: Draft, resource: int, judge: Judge) -> bool:
    """Asks back what reached a recipient in the very moment of the withdrawal, which did not know of it yet.

    Who was asked with the withdrawal or since is not asked again.

    Source: ``views.md`` 8 (recipients who had received data get a recall).
    """
    _recall_all(draft, resource, judge, again=False)
    draft.remind(MISSED_AT_LAST, resource, draft.at_us + LAST_LOOK_US)
    return True


def recall_missed_at_last(draft: Draft, resource: int, judge: Judge) -> bool:
    """Looks once more, when everything that crossed the withdrawal has left its line."""
    return _recall_all(draft, resource, judge, again=False)


def _recall_all(draft: Draft, resource: int, judge: Judge, *, again: bool) -> bool:
    del judge
    row = draft.working.row(resource)
    if row is None or row.person is None or is_silent(row, draft):
        return False
    found = False
    for receiver in sorted(ever_received(row, draft)):
        if again or not is_recalled(row.person, receiver, row.updated_us, draft):
            found = recall_from(row, receiver, draft) or found
    if found:
        draft.audit.append(alert(row, "recall-sent", draft.at_us))
    return found


WORK: Mapping[str, Work] = MappingProxyType(
    {
        "task-overdue": task_overdue,
        "consent-ending": consent_ending,
        "consent-ended": consent_ended,
        CAME_OF_AGE: came_of_age,
        HELD: recall_held,
        REMINDER: recall_reminder,
        DUE: recall_due,
        REVIEW_DUE: emergency_review_due,
        MISSED: recall_missed,
        MISSED_AT_LAST: recall_missed_at_last,
        "copy-visit": copy_visit,
    }
)
"""Kind of timer to its work."""

_ASKS_WHO_READ = frozenset({MISSED, MISSED_AT_LAST, HELD})
"""Kinds whose work must know of every read so far."""


class TimerWork(Generic[T]):
    """Takes timers up as they become due. Safe for threads and processes.

    Args:
        hub: store, gate and clock.
        due: the timers.
        more: work for kinds of timers that other rooms set.
        tally: counts what was done.
    """

    def __init__(
        self,
        hub: Hub,
        due: DueTimers[T],
        *,
        more: Mapping[str, Work] | None = None,
        tally: Tally | None = None,
    ) -> None:
        self._hub = hub
        self._due = due
        self._work = {**WORK, **(more or {})}
        self.tally = tally or Tally()

    def fire_one(self, at_us: int) -> bool:
        """Does the work of the timer that has been due longest; False where none is.

        Args:
            at_us: now, microseconds UTC.
        """
        claimed = self._due.claim(at_us, LEASE_US)
        if claimed is None:
            return False
        try:
            self._fire(claimed)
        except HubError as failed:
            self._put_off(claimed, type(failed).__name__)
        except Exception as fault:  # noqa: BLE001 -- one timer that cannot be worked must not stop the others
            self._put_off(claimed, type(fault).__name__)
        return True

    def _fire(self, claimed: T) -> None:
        work = self._work.get(claimed.kind)
        if work is None:
            self._put_off(claimed, "there is no work for it")
            return

        if claimed.kind in _ASKS_WHO_READ:
            self._hub.store.settle(self._hub.clock())

        def decide(draft: Draft) -> bool:
            if not work(draft, claimed.resource, self._hub.gate):
                return False
            draft.settle(self._due.done_row(claimed))
            return True

        if hub_write(self._hub, decide):
            self.tally.add(claimed.kind)
        else:
            self._due.done(claimed, self._hub.clock())

    def _put_off(self, claimed: T, why: str) -> None:
        log.error("a timer of kind %s is put off: %s", claimed.kind, why)
        now_us = self._hub.clock()
        pause_us = min(SECOND_US << min(claimed.attempts, 12), _LONGEST_PAUSE_US)
        self._due.later(claimed, now_us, now_us + pause_us)
        self.tally.add("timer-put-off")


def _ends(consent: ResourceRow) -> dict[str, int]:
    """Gives the receivers of a release with the last moment each may read, as its rows say."""
    if consent.person is None:
        return {}
    compiled = compile_consent(consent.id, consent.version, body_of(consent), authored=False)
    grants, _, _ = compile_rows(compiled, consent_row=consent.row_id, person=consent.person)
    ends: dict[str, int] = {}
    for grant in grants:
        ends[grant.organization] = max(grant.valid_until_us, ends.get(grant.organization, 0))
    return ends


def _waits_for_check_in(consent: ResourceRow, at_us: int) -> bool:
    """Tells whether a release would run on if she were asked and confirmed it now."""
    body = body_of(consent)
    told = compile_consent(consent.id, consent.version, confirmed(body, at_us), authored=False).until_us
    now = compile_consent(consent.id, consent.version, body, authored=False).until_us
    return told is not None and now is not None and told > now


def _covered_until(receiver: str, person: int, draft: Draft, judge: Judge) -> int:
    owner = draft.working.organization(receiver)
    if owner is None:
        return 0
    return judge.coverage(owner, person, draft.working, draft.at_us).until_us or 0


def _marked(task: ResourceRow, step: str, draft: Draft) -> ResourceRow:
    """Gives the Task with a finer step that the hub itself set, with its Provenance and its line in the audit."""
    hub = draft.working.hub_organization()
    if hub is None:
        raise HubError("The network has no organisation of its own yet. Run referral-hub init.")
    marked = draft.revise(task, with_business_status(body_of(task), step), written_by=hub.facts.id)
    draft.record_move(marked, organization=hub.facts.id, user="", activity=f"{marked.status}.{step}")
    draft.audit.append(
        AuditEntry(
            at_us=draft.at_us,
            action="U",
            interaction="update",
            outcome=DONE,
            organization=hub.facts.id,
            oauth_client="",
            user="",
            purpose="",
            person=marked.person,
            entities=(f"{marked.type}/{marked.id}/{marked.version}",),
        )
    )
    return marked
