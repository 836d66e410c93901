"""The tracker: the shelter's own referrals, who has the ball, since when, and what is late.

What lives here: reading that from the Tasks themselves and from the permissions the shelter keeps; nothing of it
is stored twice. What does not: the Tasks.

Source: ``views.md`` 9 (Late: the tracker is the requester's own Tasks; Handoff); ``practice.md``, the words.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from referral_hub.demo.cast import Story, step_of
from referral_hub.demo.papers import CATEGORY, INPUT_TYPE, Resource
from referral_hub.fhir.elements import code_in

HEADS = ("asked", "for", "how it stands", "ball with", "since", "late")
NOBODY = "nobody"
_WORDS: Mapping[str, str] = {
    "draft": "not sent yet",
    "requested": "waiting for their answer",
    "accepted": "they said yes",
    "in-progress": "they are on it",
    "on-hold": "paused",
    "completed": "done",
    "rejected": "they cannot help this time",
    "failed": "it did not work out, we look for another way",
    "cancelled": "closed",
}
_STEPS: Mapping[str, str] = {
    "acknowledged": "they saw it",
    "appointment-scheduled": "a visit is booked",
    "contact-made": "they met",
    "overdue": "later than agreed",
    "awaiting-consent": "waiting for a permission",
    "sharing-ended": "permission has ended",
}
STOPPED = "sharing stopped"
_OVER = frozenset({"completed", "cancelled", "entered-in-error"})
_OURS = frozenset({"draft", "rejected", "failed"})


@dataclass(frozen=True, slots=True)
class Row:
    """One referral on the tracker; ``late`` is empty where nothing is."""

    asked: str
    need: str
    stands: str
    ball: str
    since: str
    late: str

    def cells(self) -> tuple[str, ...]:
        """Gives the row as it is printed, in the order of ``HEADS``."""
        return (self.asked, self.need, self.stands, self.ball, self.since, self.late)


def ball_of(task: Resource, *, mine: str) -> str:
    """Gives the id of the organisation that has the ball, or an empty text where nobody has.

    A handoff that was accepted stays with the one who asked until the owner is on it.

    Args:
        task: one of the asking organisation's own Tasks.
        mine: that organisation's id.

    >>> ball_of({"status": "requested", "owner": {"reference": "Organization/clinic"}}, mine="shelter")
    'clinic'
    >>> ball_of({"status": "rejected", "owner": {"reference": "Organization/clinic"}}, mine="shelter")
    'shelter'
    """
    status = task["status"]
    owner = str(task.get("owner", {}).get("reference", "")).partition("/")[2]
    if status in _OVER:
        return ""
    waits_for_us = step_of(task) in ("awaiting-information", "awaiting-consent", "sharing-ended")
    if status in _OURS or waits_for_us or (status == "accepted" and is_handoff(task)):
        return mine
    return owner


def is_handoff(task: Resource) -> bool:
    """Tells whether the owner is to take the whole case over."""
    return any(code_in(entry["type"], INPUT_TYPE) == "handoff" for entry in task.get("input", ()))


def tracker(story: Story) -> list[Row]:
    """Gives the shelter's tracker: its referrals about her, in the order they were written."""
    shelter = story.shelter
    names = {party.organization: party.name for party in story.parties.values()}
    names[story.clinic_two.organization] = story.clinic_two.name
    tasks = [
        task
        for task in shelter.search("Task", _count="200")
        if task["status"] != "entered-in-error" and "owner" in task
    ]
    allowed = {owner for owner, _ in permissions(shelter.kept("Consent", status="active", _count="200"))}
    rows = []
    for task in sorted(tasks, key=lambda one: str(one["authoredOn"])):
        owner = task["owner"]["reference"].partition("/")[2]
        need = code_in(shelter.read(task["focus"]["reference"])["category"], CATEGORY)
        ball = ball_of(task, mine=shelter.organization)
        step = step_of(task)
        stopped = ball == owner and owner not in allowed
        rows.append(
            Row(
                asked=names.get(owner, owner),
                need=need.replace("-", " "),
                stands=", ".join(
                    filter(None, (_WORDS[task["status"]], STOPPED if stopped else _STEPS.get(step, "")))
                ),
                ball="we" if stopped or ball == shelter.organization else names.get(ball, NOBODY),
                since=when(_since(story, task), story.times),
                late="late" if step == "overdue" else "",
            )
        )
    return rows


def permissions(consents: Iterable[Resource]) -> Iterator[tuple[str, str]]:
    """Gives (organisation id, purpose) of every permit in these Consents.

    >>> actor = {"reference": {"reference": "Organization/clinic"}}
    >>> permit = {"type": "permit", "actor": [actor], "purpose": [{"code": "TREAT"}]}
    >>> list(permissions([{"provision": {"type": "deny", "provision": [permit]}}]))
    [('clinic', 'TREAT')]
    """
    for consent in consents:
        for permit in consent["provision"].get("provision", ()):
            for actor in permit["actor"]:
                yield actor["reference"]["reference"].partition("/")[2], permit["purpose"][0]["code"]


def _since(story: Story, task: Resource) -> str:
    """Gives since when the Task has its status, from its own history."""
    history = story.shelter.read(f"Task/{task['id']}/_history")
    since = str(task["meta"]["lastUpdated"])
    for entry in history["entry"]:
        if entry["resource"]["status"] != task["status"]:
            break
        since = str(entry["resource"]["meta"]["lastUpdated"])
    return since


def when(moment: str, times: Sequence[tuple[str, str]]) -> str:
    """Gives the time of the story for a real moment: the step that was being played.

    >>> when("2026-11-24T10:00:05Z", [("2026-11-24T10:00:00Z", "day 2"), ("2026-11-24T10:00:09Z", "day 3")])
    'day 2'
    """
    found = [told for began, told in times if began <= moment]
    return found[-1] if found else ""
