"""Recalls that wait, because hearing of the withdrawal could harm her: a supervisor lets them go or drops them.

What lives here: laying the wait before a supervisor, and reading how it stands. What does not: the recall
(``exchange.recalls``), what a supervisor decides (``exchange.deciding``), the end of thirty days (timers).

Source: ``views.md`` 8 ("Could it harm you if they hear?").
"""

from referral_hub.exchange.building import Draft
from referral_hub.exchange.consent_rules import DAY_US
from referral_hub.exchange.desks import OPEN, lay_out, named
from referral_hub.exchange.ports import ResourceRow

HELD_DAYS = 30
HELD = "recall-held"
KIND = "held-recall"


def hold(consent: ResourceRow, draft: Draft, reason: str = "") -> None:
    """Holds the recalls that the end of a consent causes: a Task for a supervisor, and a timer of thirty days."""
    person = draft.working.row(consent.person)
    if person is None:
        return
    until_us = draft.at_us + HELD_DAYS * DAY_US
    parts = [("about", {"valueString": consent.id})]
    if reason:
        parts.append(("reason", {"valueString": reason}))
    lay_out(KIND, draft, custodian=person.author, person=person, parts=parts, until_us=until_us)
    draft.remind(HELD, consent.row_id, until_us)


def held_for(consent: ResourceRow, draft: Draft) -> ResourceRow | None:
    """Gives the newest such Task of a consent, decided or not; None where nothing was ever held."""
    if consent.person is None:
        return None
    found = [
        task
        for task in draft.working.tasks_of_person(consent.person)
        if task.kind == KIND and named(task, "about") == consent.id
    ]
    return max(found, key=lambda task: task.row_id, default=None)


def is_silent(consent: ResourceRow, draft: Draft) -> bool:
    """Tells whether no recall may be written for a consent now: it is held, or a supervisor dropped it."""
    task = held_for(consent, draft)
    return task is not None and (task.status == OPEN or named(task, "decision") == "drop")
