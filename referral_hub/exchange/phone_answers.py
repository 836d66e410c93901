"""An answer that a recipient without software gave by phone, entered by the sender's worker in the recipient's name.

What lives here: for which referrals that may be, and the one Change of the move and of who said it when. What does
not: which moves there are (``resources.task``), the page (``web.portal.paper``).

The move is the recipient's own, made through a token of the recipient for that one referral, so the same rules hold
as if it had typed the answer itself. A recipient that can type it is asked to: this way is closed for it.

Source: ``referral-loop.md`` Part B (the hub moves on the recipient's behalf); ``views.md`` 6.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from referral_hub.errors import NotFound
from referral_hub.exchange.building import Draft
from referral_hub.exchange.change import Row
from referral_hub.exchange.columns import private_columns
from referral_hub.exchange.hub import Hub
from referral_hub.exchange.interactions import by_token, write_prepared
from referral_hub.exchange.proposal import Proposal
from referral_hub.exchange.reaching import check_working
from referral_hub.exchange.reading import read
from referral_hub.exchange.stamping import business_status_of
from referral_hub.exchange.state import Working
from referral_hub.fhir import json_codec
from referral_hub.fhir.canonical import code_system
from referral_hub.fhir.dates import instant

Move = Callable[[dict[str, Any]], dict[str, Any]]
"""Gives the Task as it is to be, from the one the recipient sees."""


@dataclass(frozen=True, slots=True)
class Told:
    """Who said it, in words such as a post ("nurse on call"), and when, microseconds UTC."""

    by: str
    at_us: int


@dataclass(frozen=True, slots=True)
class Asked:
    """A referral of the caller's own that waits for a recipient which is asked on paper."""

    task: str
    person: int
    recipient: str
    sender: str


def asked_on_paper(
    hub: Hub, token_digest: bytes, task_id: str, status: tuple[str, ...] = ("requested",)
) -> Asked:
    """Gives a referral that the caller's organisation sent and that waits for an answer.

    Raises:
        NotFound: there is none such for this caller (404).
    """
    at_us = hub.clock()
    with hub.store.snapshot() as snapshot:
        caller = hub.identify(snapshot.token(token_digest), at_us)
        check_working(caller)
        row = snapshot.resource("Task", task_id)
        own = row is not None and not row.deleted and row.author == caller.organization_id
        if row is None or not own or row.person is None or row.owner in ("", row.author) or row.focus is None:
            raise NotFound
        if row.status not in status or not hub.gate.sees(caller, row, Working(snapshot), at_us):
            raise NotFound
        return Asked(row.id, row.person, row.owner, row.author)


def answer_by_phone(
    hub: Hub,
    recipient_token: bytes,
    asked: Asked,
    move: Move,
    told: Told,
    *,
    entered_by: str,
    rows: tuple[Row, ...] = (),
) -> None:
    """Moves a referral as its recipient said by phone.

    Args:
        hub: store, gate and clock.
        recipient_token: a token of the recipient for this referral.
        asked: what :func:`asked_on_paper` gave.
        move: the answer.
        told: who said it, when.
        entered_by: id of the account that enters it.
        rows: what ends with the answer, in the same Change.

    Raises:
        HubError: whatever refuses the move; nothing is stored.
    """
    seen = read(hub, recipient_token, "Task", asked.task).released
    body = move(dict(json_codec.decode_own(seen.body)))

    def prepare(_caller: object, draft: Draft) -> tuple[Proposal, ...]:
        for row in rows:
            draft.settle(row)
        _write_down(asked, told, entered_by, _activity(body), draft)
        return (Proposal("update", "Task", asked.task, body=body, if_match=seen.version),)

    write_prepared(hub, by_token(hub, recipient_token), prepare, settles=False)


def _activity(body: dict[str, Any]) -> str:
    step = business_status_of(body)
    return f"{body.get('status')}.{step}" if step else str(body.get("status"))


def _write_down(asked: Asked, told: Told, entered_by: str, activity: str, draft: Draft) -> None:
    """Adds the Provenance of the sender: who said it, for whom, when, and who entered it."""
    agent = [
        {"who": {"display": told.by}, "onBehalfOf": {"reference": f"Organization/{asked.recipient}"}},
        {"who": {"display": entered_by}, "onBehalfOf": {"reference": f"Organization/{asked.sender}"}},
    ]
    body = {
        "resourceType": "Provenance",
        "target": [{"reference": f"Task/{asked.task}"}],
        "occurredDateTime": instant(told.at_us),
        "recorded": instant(draft.at_us),
        "activity": {"coding": [{"system": code_system("activity"), "code": activity}]},
        "agent": agent,
    }
    draft.create(
        body,
        private_columns(asked.person),
        row_id=draft.ids.row_id(draft.at_us),
        public_id=draft.ids.public_id(),
        author=asked.sender,
    )
