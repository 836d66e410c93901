"""What her own pages show of what the hub tells her: permissions, who received what, promises, emergency openings.

What lives here: pure functions over decoded resources and ``$disclosures``. What does not: asking for them
(``exchange``), words (``texts``), pages (``web.portal.my``).

Left out on purpose: who was refused, and who asks about her. A person tells that first, not a screen.

Source: ``practice.md`` 10 and 15; ``consent.md`` F-26.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from referral_hub.exchange.recall_reach import permits_of, receivers_of
from referral_hub.exchange.taking_out import TAKEN_OUT
from referral_hub.fhir.elements import codings, reference_text, text_at

_KINDS: Mapping[str, str] = {
    "Patient": "you",
    "Task": "request",
    "ServiceRequest": "request",
    "Condition": "health",
    "Observation": "health",
    "Procedure": "health",
    "Appointment": "appointment",
    "DocumentReference": "paper",
    "Binary": "paper",
    "CarePlan": "plan",
    "Goal": "plan",
    "Consent": "permission",
}
KINDS = (*dict.fromkeys(_KINDS.values()), "other")
"""In how many plain words she is told what somebody read."""
ANSWERS = ("deleted", "kept-by-law", "never-opened")


@dataclass(frozen=True, slots=True)
class Permission:
    """One permission of hers that runs: who gets what, for what, and until when (empty: no end is written)."""

    id: str
    recipients: tuple[str, ...]
    purposes: tuple[str, ...]
    categories: tuple[str, ...]
    until: str


@dataclass(slots=True)
class Receiver:
    """One organisation that received something: when last, what in plain words, and whether it was asked to stop."""

    organization: str
    last: str = ""
    kinds: set[str] = field(default_factory=set)
    asked: str = ""
    answer: str = ""
    law: str = ""
    late: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """Something that was done: when, what (a code), by or for whom, and how it was judged afterwards."""

    when: str
    what: str
    organization: str
    decision: str = ""


@dataclass(frozen=True, slots=True)
class Disclosed:
    """All that her pages tell of who received what."""

    receivers: tuple[Receiver, ...]
    openings: tuple[Told, ...]
    orders: tuple[Told, ...]
    taken_out: tuple[Told, ...]


@dataclass(frozen=True, slots=True)
class Promise:
    """One request for help that is under way: whom we asked, how far it is, and by when we aim for an answer."""

    organization: str
    category: str
    status: str
    aim: str


def permissions_of(consents: Iterable[Mapping[str, Any]]) -> tuple[Permission, ...]:
    """Gives her permissions that run, those that end first at the beginning."""
    found = []
    for consent in consents:
        body = dict(consent)
        permits = permits_of(body)
        if body.get("status") != "active" or not permits:
            continue
        ends = [end for permit in permits if (end := text_at(permit, "period.end"))]
        found.append(
            Permission(
                id=str(body.get("id", "")),
                recipients=tuple(sorted(receivers_of(body))),
                purposes=_codes(permits, "purpose"),
                categories=_codes(permits, "class"),
                until=min(ends, default=""),
            )
        )
    return tuple(sorted(found, key=lambda one: (one.until or "9", one.id)))


def disclosed_of(told: Mapping[str, Any]) -> Disclosed:
    """Gives what her pages tell of ``$disclosures`` (FHIR Parameters)."""
    receivers: dict[str, Receiver] = {}
    openings, orders, taken_out = [], [], []
    for parameter in told.get("parameter") or ():
        parts = _parts(parameter)
        name, when = parameter.get("name"), _one(parts, "when")
        if name == "disclosure":
            what, organization = _one(parts, "what"), _id(parts, "recipient")
            if what in TAKEN_OUT:
                taken_out.append(Told(when, what, _id(parts, "by")))
            elif _one(parts, "outcome") == "disclosed" and organization and what not in _NOT_FIRST:
                _received(receivers, organization, when, parts.get("resource", ()))
        elif name == "recall":
            _recalled(receivers, parts)
        elif name == "emergency-opening":
            openings.append(Told(when, "emergency", _id(parts, "recipient"), _one(parts, "decision")))
        elif name == "compelled-disclosure" and _may_tell(parts):
            orders.append(Told(when, _one(parts, "order-kind"), "", _one(parts, "decision")))
    newest = {"key": lambda one: one.when, "reverse": True}
    return Disclosed(
        tuple(sorted(receivers.values(), key=lambda one: one.last or one.asked, reverse=True)),
        tuple(sorted(openings, **newest)),  # type: ignore[call-overload]  # key and order are the same for all three
        tuple(sorted(orders, **newest)),  # type: ignore[call-overload]
        tuple(sorted(taken_out, **newest)),  # type: ignore[call-overload]
    )


def promises_of(tasks: Iterable[Mapping[str, Any]], requests: Mapping[str, str]) -> tuple[Promise, ...]:
    """Gives what is under way for her, the soonest aim first.

    Args:
        tasks: her referrals that run.
        requests: the information category of each request, by ``ServiceRequest/id``.
    """
    found = [
        Promise(
            organization=reference_text(task.get("owner")).partition("/")[2],
            category=requests.get(reference_text(task.get("focus")), ""),
            status=str(task.get("status", "")),
            aim=text_at(dict(task), "restriction.period.end"),
        )
        for task in tasks
    ]
    return tuple(sorted(found, key=lambda one: one.aim or "9"))


_NOT_FIRST = frozenset({"assign", "unassign", "assign-asked", "compelled-disclosure", "emergency-opening"})
"""Lines that are told in another place of the page, or by a person."""


def _may_tell(parts: Mapping[str, list[Any]]) -> bool:
    """Tells whether a screen may speak of an order: it was carried out, and she was told by a person before."""
    return _one(parts, "decision") == "confirm" and _one(parts, "notice") == "told"


def _received(receivers: dict[str, Receiver], organization: str, when: str, resources: Iterable[Any]) -> None:
    receiver = receivers.setdefault(organization, Receiver(organization))
    receiver.last = max(receiver.last, when)
    receiver.kinds |= {_KINDS.get(str(one).partition("/")[0], "other") for one in resources}


def _recalled(receivers: dict[str, Receiver], parts: Mapping[str, list[Any]]) -> None:
    organization, asked = _id(parts, "recipient"), _one(parts, "asked")
    receiver = receivers.setdefault(organization, Receiver(organization))
    if asked < receiver.asked:
        return
    answer = _one(parts, "answer")
    receiver.asked, receiver.answer = asked, answer if answer in ANSWERS else ""
    receiver.law, receiver.late = _one(parts, "law"), _one(parts, "late") == "True"


def _parts(parameter: Mapping[str, Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for one in parameter.get("part") or ():
        value = next((value for key, value in one.items() if key.startswith("value")), "")
        found.setdefault(one.get("name", ""), []).append(value)
    return found


def _one(parts: Mapping[str, list[Any]], name: str) -> str:
    return str(next(iter(parts.get(name, ())), ""))


def _id(parts: Mapping[str, list[Any]], name: str) -> str:
    found = next(iter(parts.get(name, ())), None)
    return reference_text(found).partition("/")[2] if isinstance(found, dict) else ""


def _codes(permits: Iterable[Mapping[str, Any]], name: str) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for permit in permits:
        for one in permit.get(name) or ():
            if isinstance(one, dict) and isinstance(one.get("code"), str):
                found[one["code"]] = None
    return tuple(found)


def category_of(request: Mapping[str, Any]) -> str:
    """Gives the information category of a request; empty where none is named."""
    return next((code for _, code in codings(request.get("category"))), "")
