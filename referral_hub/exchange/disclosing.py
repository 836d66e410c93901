"""Who got what of a person's record: what the person and the organisation that keeps it are told.

What lives here: $disclosures. What does not: the lines themselves (``exchange.audit``), pages.

Beside what left by her permission stands what did not: an order of a court, an opening in an emergency, and how far
recipients are with giving back what she took back. Whoever asked about her from outside is told to her by a person.

Source: ``interfaces.md`` 4; ``views.md`` 9; ``consent.md`` F-14 and F-26; ``practice.md`` 10.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from referral_hub.access.principal import Principal
from referral_hub.errors import NotFound
from referral_hub.exchange.audit import DONE, FAILED, REFUSED
from referral_hub.exchange.building import body_of
from referral_hub.exchange.change import AuditEntry
from referral_hub.exchange.desks import named, part, parts
from referral_hub.exchange.hub import Hub
from referral_hub.exchange.ports import ResourceRow, Snapshot
from referral_hub.exchange.reaching import of_herself
from referral_hub.exchange.recalls import answer_of, law_of
from referral_hub.exchange.state import Working
from referral_hub.exchange.taking_out import TAKEN_OUT
from referral_hub.fhir.dates import instant, span
from referral_hub.fhir.elements import text_at

_OUTCOMES = {DONE: "disclosed", REFUSED: "refused", FAILED: "failed"}
_BESIDE_PERMISSION = TAKEN_OUT | frozenset(
    {"compelled-disclosure", "emergency-opening", "assign", "unassign", "assign-asked"}
)
"""Interactions that are told though no organisation of the network received anything by them."""


def disclosures(hub: Hub, token_digest: bytes, public_id: str) -> dict[str, Any]:
    """Gives who received what of a person's record, as Parameters.

    Also who was refused, what recipients answered to recalls, and what was done with it beside her permission.

    Raises:
        NotFound: absent, or not the caller's own person (404).

    Source: ``interfaces.md`` 4; ``views.md`` 9 (Her own acts); FAST Consent ``sharing.md``.
    """
    at_us = hub.clock()
    hub.store.settle(at_us)
    with hub.store.snapshot() as snapshot:
        caller = hub.identify(snapshot.token(token_digest), at_us)
        hub.gate.allow(caller, "Patient", "read")
        row = snapshot.resource("Patient", public_id)
        if row is None or row.deleted or not _is_told(hub, caller, row, snapshot, at_us):
            raise NotFound
        entries = snapshot.disclosures(row.row_id)
        tasks = snapshot.of_person(row.row_id, "Task")
    parameter = [_disclosure(entry) for entry in entries if _tells(entry, caller)]
    told = [task for task in tasks if not of_herself(caller) or task.kind not in _TOLD_BY_A_PERSON]
    parameter += [_TELLING[task.kind](task, at_us) for task in told if task.kind in _TELLING]
    return (
        {"resourceType": "Parameters", "parameter": parameter}
        if parameter
        else {"resourceType": "Parameters"}
    )


def _is_told(hub: Hub, caller: Principal, row: ResourceRow, snapshot: Snapshot, at_us: int) -> bool:
    """Tells whether a caller is told who received what: whoever keeps the record, within its reach, and herself."""
    if of_herself(caller):
        return row.row_id == caller.person
    return row.author == caller.organization_id and hub.gate.reaches(caller, row, Working(snapshot), at_us)


def _tells(entry: AuditEntry, caller: Principal) -> bool:
    if entry.interaction in _BESIDE_PERMISSION:
        return True
    return entry.recipient not in ("", caller.organization_id) or entry.outcome != 0


def _disclosure(entry: AuditEntry) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [
        {"name": "when", "valueInstant": instant(entry.at_us)},
        {"name": "what", "valueCode": entry.interaction},
        {"name": "outcome", "valueCode": _OUTCOMES.get(entry.outcome, "failed")},
    ]
    if entry.recipient:
        parts.append(
            {"name": "recipient", "valueReference": {"reference": f"Organization/{entry.recipient}"}}
        )
    if entry.organization:
        parts.append({"name": "by", "valueReference": {"reference": f"Organization/{entry.organization}"}})
    if entry.purpose:
        parts.append({"name": "purpose", "valueCode": entry.purpose})
    if entry.reason:
        parts.append({"name": "reason", "valueString": entry.reason})
    parts += [{"name": "resource", "valueUri": "/".join(entity.split("/")[:2])} for entity in entry.entities]
    parts += [{"name": "consent", "valueUri": f"Consent/{text.partition('/')[0]}"} for text in entry.consents]
    return {"name": "disclosure", "part": parts}


def _recall(task: ResourceRow, at_us: int) -> dict[str, Any]:
    """Tells one recall: whom it asked and when, by when an answer was due, what was answered, and whether late."""
    body = body_of(task)
    answer, due = answer_of(body), text_at(body, "restriction.period.end")
    due_us = span(due)[1] if due else at_us
    told: list[dict[str, Any]] = [
        {"name": "recipient", "valueReference": {"reference": f"Organization/{task.owner}"}},
        {"name": "status", "valueCode": task.status},
        {"name": "asked", "valueInstant": text_at(body, "authoredOn")},
        {"name": "due", "valueInstant": due or instant(due_us)},
    ]
    if answer:
        told.append({"name": "answer", "valueCode": answer})
        told.append({"name": "answered", "valueInstant": instant(task.updated_us)})
    if answer == "kept-by-law" and law_of(body):
        told.append({"name": "law", "valueString": law_of(body)})
    told.append({"name": "late", "valueBoolean": (task.updated_us if answer else at_us) > due_us})
    return {"name": "recall", "part": told}


def _desk(name: str, *codes: str) -> Callable[[ResourceRow, int], dict[str, Any]]:
    """Gives what tells a Task of the desk: when, how far it is, and these parts of it."""

    def tell(task: ResourceRow, at_us: int) -> dict[str, Any]:
        del at_us
        body = body_of(task)
        told: list[dict[str, Any]] = [
            {"name": "when", "valueInstant": text_at(body, "authoredOn")},
            {"name": "status", "valueCode": task.status},
        ]
        due = text_at(body, "restriction.period.end")
        if due:
            told.append({"name": "due", "valueInstant": due})
        if named(task, "decision"):
            told.append({"name": "decision", "valueCode": named(task, "decision")})
            told.append({"name": "decided", "valueInstant": instant(task.updated_us)})
        told += [_told(code, value) for code in codes for value in parts(task, code)]
        if part(task, "recipient"):
            told.append({"name": "recipient", "valueReference": part(task, "recipient")})
        return {"name": name, "part": told}

    return tell


_AS_CODE = frozenset({"order-kind", "asker-kind", "answer", "notice"})


def _told(code: str, value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return {"name": code, "valueReference": value}
    return {"name": code, "valueCode" if code in _AS_CODE else "valueString": str(value)}


_TELLING: Mapping[str, Callable[[ResourceRow, int], dict[str, Any]]] = MappingProxyType(
    {
        "recall": _recall,
        "held-recall": _desk("held-recall"),
        "compelled-disclosure": _desk(
            "compelled-disclosure",
            "order-kind",
            "legal-basis",
            "asked-by",
            "notice",
            "notice-note",
            "handed-over",
        ),
        "emergency-opening": _desk("emergency-opening", "reason", "opened"),
        "external-request": _desk("external-request", "asker-kind", "asked-by", "answer"),
    }
)
"""How a Task is told that is no referral."""
_TOLD_BY_A_PERSON = frozenset({"external-request"})
"""What the person's own token is not told first by a screen (``practice.md`` 10)."""
