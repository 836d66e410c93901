"""The one write path: API, portal, adapters, imports and polling all come through here.

What lives here: deciding on one state, applying, deciding again where the state moved on. What does not: the
decision (``exchange.gate``), several entries at once (``exchange.bundles``), HTTP (``web``).

Source: FHIR R4 http.html#create, #update, #patch, #delete; ``engine.md`` 1.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from referral_hub.access.principal import Principal
from referral_hub.errors import Busy, ConsentMissing, GuardFailed, HubError, InvalidResource
from referral_hub.exchange.audit import refusal_entry
from referral_hub.exchange.building import Draft
from referral_hub.exchange.gate import Outcome
from referral_hub.exchange.hub import Hub
from referral_hub.exchange.ports import ResourceRow, Snapshot
from referral_hub.exchange.proposal import Built, Proposal
from referral_hub.exchange.state import Working
from referral_hub.fhir.elements import reference_text

TRIES = 5

Caller = Callable[[Snapshot, int], Principal]
"""Gives the caller of a write, from the same state the write is decided on."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a write came to: its answer for the caller (None after a delete), and what happened."""

    outcome: Outcome | None
    created: bool
    existing: bool
    type: str
    id: str
    version: str


def by_token(hub: Hub, token_digest: bytes) -> Caller:
    """Gives the caller a token stands for, read in the state of the write."""
    return lambda snapshot, at_us: hub.identify(snapshot.token(token_digest), at_us)


def write(hub: Hub, caller_of: Caller, proposal: Proposal) -> Written:
    """Decides and applies one write.

    Raises:
        HubError: whatever refuses it; nothing is stored then, but a refused sharing is audited.
        Busy: others kept changing the same things (503).
    """
    return write_all(hub, caller_of, (proposal,))[0]


def write_all(hub: Hub, caller_of: Caller, proposals: Sequence[Proposal]) -> list[Written]:
    """Decides and applies several writes as one Change, in the order given.

    Raises:
        HubError: the refusal of the first entry that is refused; nothing is stored.
        Busy: others kept changing the same things (503).
    """
    settles = any(proposal.verb == "delete" for proposal in proposals)
    return write_prepared(hub, caller_of, lambda caller, draft: proposals, settles=settles)


Prepare = Callable[[Principal, Draft], Sequence[Proposal]]
"""Gives what is to be written, from the same state it is decided on."""


def write_prepared(hub: Hub, caller_of: Caller, prepare: Prepare, *, settles: bool) -> list[Written]:
    """Decides and applies as one Change what was made ready in the state of the write.

    Args:
        hub: store, gate and clock.
        caller_of: gives the caller.
        prepare: gives the proposals, in the order they are decided.
        settles: the decision needs to know who read what until now: what somebody read is no draft any more. A
            withdrawal does not wait for it: who read her a moment ago is asked by a timer.

    Raises:
        HubError: the refusal of the first entry that is refused; nothing is stored.
        Busy: others kept changing the same things (503).
    """
    if settles:
        hub.store.settle(hub.clock())
    for _ in range(TRIES):
        at_us = hub.clock()
        with hub.store.snapshot() as snapshot:
            caller = caller_of(snapshot, at_us)
            draft = Draft(Working(snapshot), hub.ids, at_us, hub.own_bases)
            built: list[Built] = []
            for proposal in prepare(caller, draft):
                try:
                    built.append(hub.gate.admit(caller, proposal, draft))
                except ConsentMissing as refused:
                    record_refusal(hub, caller, proposal, draft, refused)
                    raise _placed(refused, proposal) from None
                except HubError as refused:
                    raise _placed(refused, proposal) from None
            change = hub.gate.seal(caller, draft, hub.ids.public_id())
            answers = [_answer(hub, caller, one, draft) for one in built]
        if all(one.existing for one in built):
            return answers
        try:
            hub.store.apply(change)
        except GuardFailed:
            continue
        return answers
    raise Busy("Others are changing the same record. Try again in a moment.")


def _placed(refused: HubError, proposal: Proposal) -> HubError:
    """Gives the refusal of one entry with its place in the Bundle."""
    if proposal.place:
        resource = f"{proposal.place}.resource"
        if isinstance(refused, InvalidResource):
            refused.issues = tuple(
                replace(issue, expression=f"{resource}{_below(issue.expression)}") for issue in refused.issues
            )
        else:
            refused.expression = (
                f"{resource}{_below(refused.expression)}" if refused.expression else proposal.place
            )
    return refused


def _below(expression: str) -> str:
    """Gives a path without the type it begins with.

    >>> _below("Patient.name[0]"), _below("Patient")
    ('.name[0]', '')
    """
    _, dot, rest = expression.partition(".")
    return f"{dot}{rest}"


def hub_write(hub: Hub, decide: Callable[[Draft], bool]) -> bool:
    """Applies what the hub does in its own name: a timer's move, a status read from a partner.

    Args:
        hub: store, gate and clock.
        decide: adds rows to the Draft; False when there is nothing to do.

    Returns:
        whether anything was written.
    """
    for _ in range(TRIES):
        at_us = hub.clock()
        with hub.store.snapshot() as snapshot:
            draft = Draft(Working(snapshot), hub.ids, at_us, hub.own_bases)
            if not decide(draft):
                return False
            change = hub.gate.admit_hub(draft, hub.ids.public_id())
        try:
            hub.store.apply(change)
        except GuardFailed:
            continue
        return True
    raise Busy("Others are changing the same record. Try again in a moment.")


def record_refusal(
    hub: Hub, caller: Principal, proposal: Proposal, draft: Draft, refused: ConsentMissing
) -> None:
    """Leaves the line of a refused sharing: shown in ``$disclosures``, told to her by a person."""
    person = None
    patient = reference_text(proposal.body.get("for")).partition("/")
    row: ResourceRow | None = None
    if patient[0] == "Patient":
        row = draft.working.resource("Patient", patient[2])
        person = row.row_id if row is not None else None
    owner = reference_text(proposal.body.get("owner")).partition("/")[2]
    entry = refusal_entry(caller, proposal.verb, person, owner, type(refused).__name__, draft.at_us)
    hub.store.apply(hub.gate.admit_record(hub.ids.public_id(), (entry,)))


def _answer(hub: Hub, caller: Principal, built: Built, draft: Draft) -> Written:
    outcome = None if built.deleted else hub.gate.answer(caller, built.row, draft.working, draft.at_us)
    return Written(
        outcome=outcome,
        created=built.created,
        existing=built.existing,
        type=built.row.type,
        id=built.row.id,
        version=built.row.version,
    )
