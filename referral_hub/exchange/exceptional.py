"""What is begun beside the person's permission: an order that must be obeyed, a question from outside.

What lives here: the two operations that begin one, with who may. What does not: what is written down
(``exchange.compelled``, ``exchange.outside_requests``), what is decided (``exchange.deciding``).

Source: ``consent.md`` F-14; ``practice.md`` 9.
"""

from collections.abc import Callable
from typing import Any

from referral_hub.access.principal import Principal
from referral_hub.errors import Busy, GuardFailed, NotFound
from referral_hub.exchange.absence import Wish, write_down
from referral_hub.exchange.building import Draft
from referral_hub.exchange.change import TokenGuard
from referral_hub.exchange.compelled import Order, begin
from referral_hub.exchange.desks import worker_of
from referral_hub.exchange.hub import Hub
from referral_hub.exchange.interactions import TRIES
from referral_hub.exchange.outside_requests import NEITHER, Question, register
from referral_hub.exchange.ports import Released, ResourceRow
from referral_hub.exchange.state import Working


def begin_compelled(hub: Hub, token_digest: bytes, public_id: str, order: Order) -> Released:
    """Writes down what an order or a duty to report demands; a second person confirms it before anything is copied.

    Raises:
        Forbidden: no member of staff (403).
        NotFound: absent, or not for this caller (404).
        InvalidResource: something is missing or cannot be handed over (422).
    """

    def built(caller: Principal, draft: Draft) -> ResourceRow:
        worker = worker_of(caller)
        return begin(_own(hub, caller, public_id, draft), order, worker, draft)

    _, released = _begun(hub, token_digest, built)
    if released is None:
        raise NotFound
    return released


def write_instruction(hub: Hub, token_digest: bytes, public_id: str, wish: Wish) -> Released:
    """Writes down what she wants told, and to whom, if she dies or nobody knows where she is.

    Raises:
        Forbidden: no member of staff (403).
        NotFound: absent, or not for this caller (404).
        InvalidResource: something is missing (422).
    """

    def built(caller: Principal, draft: Draft) -> ResourceRow:
        worker = worker_of(caller)
        return write_down(_own(hub, caller, public_id, draft), wish, worker, draft)

    _, released = _begun(hub, token_digest, built)
    if released is None:
        raise NotFound
    return released


def register_request(hub: Hub, token_digest: bytes, public_id: str, question: Question) -> dict[str, Any]:
    """Writes down that somebody outside asked, and gives what is to be answered, as Parameters.

    It is the usual answer, also while another one waits for a second person. Every worker may take it down, also one
    who reads nobody's record.

    Args:
        hub: store, gate and clock.
        token_digest: SHA-256 of the access token.
        public_id: of the Patient it is about, where that is somebody of this organisation's; else empty.
        question: who asks.

    Raises:
        Forbidden: no member of staff (403).
        NotFound: the person named is absent, or not for this caller (404).
        InvalidResource: something is missing (422).
    """

    def built(caller: Principal, draft: Draft) -> ResourceRow:
        worker = worker_of(caller)
        person = _own(hub, caller, public_id, draft) if public_id else None
        return register(question, worker, person, draft)

    task, _ = _begun(hub, token_digest, built)
    return {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "answer", "valueCode": NEITHER},
            {"name": "entry", "valueReference": {"reference": f"Task/{task.id}"}},
            {"name": "status", "valueCode": task.status},
        ],
    }


def _own(hub: Hub, caller: Principal, public_id: str, draft: Draft) -> ResourceRow:
    row = draft.working.resource("Patient", public_id)
    if row is None or row.deleted or row.author != caller.organization_id:
        raise NotFound
    if not hub.gate.sees(caller, row, draft.working, draft.at_us):
        raise NotFound
    return row


def _begun(
    hub: Hub, token_digest: bytes, built: Callable[[Principal, Draft], ResourceRow]
) -> tuple[ResourceRow, Released | None]:
    for _ in range(TRIES):
        at_us = hub.clock()
        with hub.store.snapshot() as snapshot:
            caller = hub.identify(snapshot.token(token_digest), at_us)
            hub.gate.allow(caller, "Task", "create")
            draft = Draft(Working(snapshot), hub.ids, at_us, hub.own_bases)
            task = built(caller, draft)
            draft.working.guard(TokenGuard(bytes.fromhex(caller.token_key), at_us))
            change = hub.gate.admit_hub(draft, hub.ids.public_id())
            answer = hub.gate.answer(caller, task, draft.working, at_us)
        try:
            hub.store.apply(change)
        except GuardFailed:
            continue
        return task, None if answer is None else answer.released
    raise Busy("Others are changing the same record. Try again in a moment.")
