"""Something about the wrong person arrived, or went to the wrong place: what is done at once, by one button.

What lives here: who may say it, and what follows in the one Change. What does not: the move of the referral itself
(``exchange.task_writing``), the recall (``exchange.recalls``), what a supervisor does then (``exchange.deciding``).

Nobody is asked anything about either person: whoever says it closes her own door with it, so saying it by mistake costs
a phone call and saying it too late costs more. A recipient's referral is refused or cancelled, a sender's is entered in
error; both leave the recipient the bare card of a closed referral (``views.md`` 1). What was received is asked back.
Both organisations find a Task ``wrong-person`` on their desk. Saying it twice is the same as once.

Source: ``views.md`` 1, 8 and 9; ``practice.md`` 12 and 18; ``referral-loop.md`` Part B.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from referral_hub.access.principal import Principal
from referral_hub.access.rows import ReferralAccess
from referral_hub.errors import Busy, GuardFailed, NotFound
from referral_hub.exchange.assignments import ACTIVE, ENDED
from referral_hub.exchange.audit import DONE
from referral_hub.exchange.building import Draft, body_of
from referral_hub.exchange.desks import OPEN, Part, Worker, lay_out, named, worker_of
from referral_hub.exchange.hub import Hub
from referral_hub.exchange.interactions import TRIES
from referral_hub.exchange.ports import ResourceRow
from referral_hub.exchange.proposal import Proposal
from referral_hub.exchange.reaching import check_working
from referral_hub.exchange.recall_reach import Reach, Received
from referral_hub.exchange.recalls import write_recall
from referral_hub.exchange.state import Working
from referral_hub.fhir import json_codec
from referral_hub.fhir.canonical import PLACER
from referral_hub.resources.task import LIFECYCLE, STATUS_REASON

KIND = "wrong-person"
LOOK_AT_US = 24 * 3600 * 1_000_000
"""Within a day a supervisor looks at it."""

_BY_OWNER = {"requested": ("rejected", "data-issue"), "accepted": ("cancelled", "by-target")}
_BY_OWNER["in-progress"] = _BY_OWNER["on-hold"] = _BY_OWNER["accepted"]
_WORDS = "wrong person"
_BY_SENDER = ("entered-in-error", "sent-in-error")


@dataclass(frozen=True, slots=True)
class Reported:
    """What was done.

    Args:
        closed: ids of the referrals that were closed.
        unassigned: whoever said it works with the person no more.
        asked_back: the recipient was asked to stop using what it got.
        told_sender: it lies on the sender's desk.
    """

    closed: tuple[str, ...]
    unassigned: bool
    asked_back: bool
    told_sender: bool


@dataclass(slots=True)
class _Saying:
    hub: Hub
    caller: Principal
    worker: Worker
    draft: Draft
    closed: list[str]
    unassigned: bool = False
    asked_back: bool = False
    told_sender: bool = False
    changed: bool = False


def report_wrong_person(hub: Hub, token_digest: bytes, type_name: str, public_id: str) -> Reported:
    """Closes what is about the wrong person, or went to the wrong recipient, and tells those who must look.

    Args:
        hub: store, gate and clock.
        token_digest: of the member of staff who says it.
        type_name: ``Task`` for one referral, ``Patient`` for everything the caller's organisation got about a person.
        public_id: its id.

    Raises:
        Forbidden: it is software alone, the person herself, or a role that works with nobody (403).
        NotFound: absent, or not for this caller: the same answer (404).
        Busy: others kept changing the same records (503).
    """
    hub.store.settle(hub.clock())
    for _ in range(TRIES):
        at_us = hub.clock()
        with hub.store.snapshot() as snapshot:
            caller = hub.identify(snapshot.token(token_digest), at_us)
            check_working(caller)
            hub.gate.allow(caller, type_name, "read")
            worker = worker_of(caller)
            draft = Draft(Working(snapshot), hub.ids, at_us, hub.own_bases)
            row = draft.working.resource(type_name, public_id)
            if row is None or row.deleted or not hub.gate.sees(caller, row, draft.working, at_us):
                raise NotFound
            it = _Saying(hub, caller, worker, draft, [])
            _follow(it, row)
            change = hub.gate.seal(caller, draft, hub.ids.public_id())
        try:
            if it.changed:
                hub.store.apply(change)
        except GuardFailed:
            continue
        return Reported(tuple(it.closed), it.unassigned, it.asked_back, it.told_sender)
    raise Busy("Others are changing the same record. Try again in a moment.")


def _follow(it: _Saying, row: ResourceRow) -> None:
    me = it.caller.organization_id
    if row.type == "Task":
        if not _is_referral(row) or me not in (row.owner, row.author):
            raise NotFound
        if row.author == me:
            _take_back(it, row)
        else:
            _give_back(it, row)
    elif row.type == "Patient" and row.author == me:
        _leave(it, row.person)
        _tell(it, row, row.id, ())
    elif row.type == "Patient":
        for task in _received(it, row):
            _give_back(it, task)
    else:
        raise NotFound


def _is_referral(row: ResourceRow) -> bool:
    return not row.kind and not row.never_release


def _received(it: _Saying, person: ResourceRow) -> Iterator[ResourceRow]:
    """Gives the referrals about a person that came to the caller's organisation and that the caller sees."""
    for task in it.draft.working.tasks_of_person(person.row_id):
        if task.owner != it.caller.organization_id or task.author == task.owner or not _is_referral(task):
            continue
        if it.hub.gate.sees(it.caller, task, it.draft.working, it.draft.at_us):
            yield task


def _give_back(it: _Saying, task: ResourceRow) -> None:
    """The recipient says it: the referral is refused or cancelled, and nobody there reads on."""
    move = _BY_OWNER.get(task.status)
    person = task.person
    if move is not None:
        _move(it, task, *move)
    elif task.status in ("completed", "failed"):
        _shut(it, task)
    _leave(it, person)
    it.closed.append(task.id)
    _ask_back(it, task)
    sender = it.draft.working.row(person)
    if _tell(
        it, sender, task.id, (("recipient", {"valueReference": _organization(task.owner)}),), task.author
    ):
        it.changed = True
    it.told_sender = True
    _tell(it, None, task.id, ())


def _take_back(it: _Saying, task: ResourceRow) -> None:
    """The sender says it: the referral is entered in error."""
    if task.status != "entered-in-error":
        _move(it, task, *_BY_SENDER)
    it.closed.append(task.id)
    if task.owner != task.author:
        _ask_back(it, task)
    recipient = (("recipient", {"valueReference": _organization(task.owner)}),) if task.owner else ()
    _tell(it, it.draft.working.row(task.person), task.id, recipient)


def _organization(public_id: str) -> dict[str, Any]:
    return {"reference": f"Organization/{public_id}"}


def _move(it: _Saying, task: ResourceRow, status: str, reason: str) -> None:
    """Moves the referral as any client of the caller would: the same rules, and the same consequences."""
    outcome = it.hub.gate.answer(it.caller, task, it.draft.working, it.draft.at_us)
    if outcome is None:
        raise NotFound
    body = dict(json_codec.decode_own(outcome.released.body))
    coding = {"system": STATUS_REASON, "code": reason}
    body |= {"status": status, "statusReason": {"coding": [coding], "text": _WORDS}}
    if status in LIFECYCLE.terminal:
        body.pop("businessStatus", None)
    it.hub.gate.admit(it.caller, Proposal("update", "Task", task.id, body, if_match=task.version), it.draft)
    it.changed = True


def _shut(it: _Saying, task: ResourceRow) -> None:
    """A referral that is over cannot move; what it still opens to its owner closes all the same."""
    for access in it.draft.working.accesses_of_task(task.row_id):
        if access.organization == task.owner and not access.back and access.level != "history":
            it.draft.open(replace(access, level="history", until_us=None))
            it.changed = True


def _leave(it: _Saying, person: int | None) -> None:
    """The worker who says it works with that person no more."""
    if person is None:
        return
    for held in it.draft.working.assignments(person):
        if held.account == it.worker.account and held.organization == it.worker.organization:
            if held.state != ACTIVE:
                continue
            it.draft.assign(replace(held, state=ENDED, version=held.version + 1, changed_us=it.draft.at_us))
            it.unassigned = it.changed = True


def _ask_back(it: _Saying, task: ResourceRow) -> None:
    """Asks the recipient to stop using what it got by this referral, where it got anything."""
    working = it.draft.working
    person, receiver, hub = (
        working.row(task.person),
        working.organization(task.owner),
        working.hub_organization(),
    )
    if person is None or receiver is None or hub is None:
        return
    mine = [one for one in working.accesses_of_task(task.row_id) if one.organization == task.owner]
    numbers = tuple(
        {name: value for name, value in identifier.items() if name != "assigner"}
        for identifier in body_of(task).get("identifier") or ()
        if isinstance(identifier, dict) and identifier.get("system") == PLACER
    )
    if not numbers or not any(not one.back and not one.nameless for one in mine):
        return
    if not _had(it, task, person, mine):
        return
    it.asked_back = True
    for asked in working.tasks_of_person(person.row_id):
        if asked.kind == "recall" and asked.owner == task.owner and _names(asked, numbers):
            return
    whole = Reach(frozenset(), frozenset(), whole=True)
    write_recall(person, receiver, hub, whole, Received(numbers), it.draft)
    it.changed = True


def _had(it: _Saying, task: ResourceRow, person: ResourceRow, accesses: list[ReferralAccess]) -> bool:
    """Tells whether a recipient read anything of a referral: who never did must not learn of it by a recall."""
    working = it.draft.working
    if any(one.accepted and not one.back for one in accesses):
        return True
    if task.owner in working.delivered_to(person.row_id):
        return True
    seen = {f"Task/{task.id}", f"Patient/{person.id}"}
    return any(
        entry.recipient == task.owner
        and entry.outcome == DONE
        and any("/".join(entity.split("/")[:2]) in seen for entity in entry.entities)
        for entry in working.disclosures(person.row_id)
    )


def _names(recall: ResourceRow, numbers: tuple[dict[str, str], ...]) -> bool:
    wanted = {number["value"] for number in numbers if "value" in number}
    return any(
        isinstance(entry, dict)
        and isinstance(entry.get("valueIdentifier"), dict)
        and entry["valueIdentifier"].get("value") in wanted
        for entry in body_of(recall).get("input") or ()
    )


def _tell(
    it: _Saying, person: ResourceRow | None, about: str, more: tuple[Part, ...], custodian: str = ""
) -> bool:
    """Lays it on an organisation's desk, once; gives whether it did.

    Who said it is told to her own organisation only.
    """
    mine = it.caller.organization_id
    custodian = custodian or mine
    if person is not None and person.author != custodian:
        person = None
    if person is not None and any(
        task.kind == KIND
        and task.status == OPEN
        and task.author == custodian
        and named(task, "about") == about
        for task in it.draft.working.tasks_of_person(person.row_id)
    ):
        return False
    if person is None and not it.changed:
        return False  # said before: its own organisation was told then
    said: list[Part] = [("about", {"valueString": about}), *more]
    if custodian == mine:
        said.append(("recorded-by", {"valueString": it.worker.account}))
    lay_out(
        KIND, it.draft, custodian=custodian, person=person, parts=said, until_us=it.draft.at_us + LOOK_AT_US
    )
    it.changed = True
    return True
