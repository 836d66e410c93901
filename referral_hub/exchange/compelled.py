"""Orders of courts and duties to report: copies handed over by two people, never sent by the hub.

What lives here: beginning such a disclosure, and confirming it. What does not: who may confirm
(``exchange.deciding``), what she is told of it (``exchange.disclosing``).

The first person records who asks, on what ground, with what kind of paper, and names every single record and element.
The second confirms or refuses. Only then is there a copy, for a hand: the hub has no way to send it anywhere. A
subpoena is not the order of a court: confirming one takes the word of counsel.

Source: ``consent.md`` F-14 and F-15; ``practice.md`` 12; NNEDV and WSCADV on compelled disclosure.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from referral_hub.errors import InvalidResource
from referral_hub.exchange.audit import DONE
from referral_hub.exchange.building import Draft
from referral_hub.exchange.change import AuditEntry
from referral_hub.exchange.desks import Part, Worker, lay_out, named, parts
from referral_hub.exchange.ports import ResourceRow
from referral_hub.fhir.outcome import Issue

KIND = "compelled-disclosure"
ORDERS = ("court-order", "warrant", "statute", "mandatory-report", "subpoena", "authority-request")
NEED_COUNSEL = frozenset({"subpoena", "authority-request"})
"""Papers that are no order of a judge and no law: many need not be obeyed."""
NOTICES = ("told", "attempted", "not-safe", "not-allowed")
"""Whether she was told beforehand: told; tried in vain; it would have put her in danger; the order forbids it."""
NEVER = frozenset({"Consent", "AuditEvent", "Provenance", "Subscription"})
"""What is handed over by its own rules or not at all."""


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody demands, and what of it is to be handed over.

    Args:
        kind: one of ``ORDERS``.
        legal_basis: the law and paragraph, in words.
        asked_by: who asks, in words.
        records: ``Type/id`` of every single record, each with the elements to be copied; none: the whole record.
        notice: one of ``NOTICES``, or empty while nobody tried yet.
        notice_note: how and when she was told, or why not.
    """

    kind: str
    legal_basis: str
    asked_by: str
    records: tuple[tuple[str, tuple[str, ...]], ...]
    notice: str = ""
    notice_note: str = ""


def begin(patient: ResourceRow, order: Order, worker: Worker, draft: Draft) -> ResourceRow:
    """Writes down what is demanded; nothing is copied yet.

    Raises:
        InvalidResource: something is missing, or a record is not one this organisation wrote of her (422).
    """
    issues = _issues(patient, order, draft)
    if issues:
        raise InvalidResource(issues)
    said: list[Part] = [
        ("recorded-by", {"valueString": worker.account}),
        ("order-kind", {"valueCode": order.kind}),
        ("legal-basis", {"valueString": order.legal_basis}),
        ("asked-by", {"valueString": order.asked_by}),
        *(("record", {"valueString": " ".join((name, *elements))}) for name, elements in order.records),
        *_notice(order.notice, order.notice_note),
    ]
    return lay_out(KIND, draft, custodian=patient.author, person=patient, parts=said)


def notice_parts(notice: str, note: str) -> list[Part]:
    """Gives the parts that say whether she was told.

    Raises:
        InvalidResource: it is said in no way there is, or without when and how, or why not (422).
    """
    if notice not in NOTICES or not note:
        raise InvalidResource(
            [
                _issue(
                    "notice",
                    f"Say whether she was told ({', '.join(NOTICES)}), and when and how, or why not.",
                )
            ]
        )
    return _notice(notice, note)


def _notice(notice: str, note: str) -> list[Part]:
    if not notice:
        return []
    return [("notice", {"valueCode": notice}), ("notice-note", {"valueString": note})]


def _issues(patient: ResourceRow, order: Order, draft: Draft) -> list[Issue]:
    issues = []
    if order.kind not in ORDERS:
        issues.append(_issue("order-kind", f"Say what paper it is: {', '.join(ORDERS)}."))
    issues.extend(
        _issue(name, "This has to be written down.")
        for name, value in (("legal-basis", order.legal_basis), ("asked-by", order.asked_by))
        if not value
    )
    if order.notice and (order.notice not in NOTICES or not order.notice_note):
        issues.append(
            _issue("notice", f"One of {', '.join(NOTICES)}, with notice-note: when and how, or why not.")
        )
    if not order.records:
        issues.append(_issue("record", "Name every single record. There is no way to hand over all of it."))
    issues.extend(
        _issue("record", f"{name} is no record that your organisation wrote of this person.")
        for name, _ in order.records
        if _record(patient, name, draft) is None
    )
    return issues


def _record(patient: ResourceRow, name: str, draft: Draft) -> ResourceRow | None:
    row = draft.working.resources((name,)).get(name)
    if row is None or row.deleted or row.person != patient.row_id or row.author != patient.author:
        return None
    return None if row.type in NEVER or row.foreign_elements or row.kind == KIND else row


def check_confirmable(task: ResourceRow, counsel: str) -> None:
    """Refuses to confirm what a lawyer has to look at first.

    Raises:
        InvalidResource: 422.
    """
    if named(task, "order-kind") in NEED_COUNSEL and not counsel:
        raise InvalidResource(
            [
                _issue(
                    "counsel",
                    "This paper is not the order of a court. Write down what counsel advised before it is obeyed.",
                )
            ]
        )


Copy = Callable[[ResourceRow, tuple[str, ...]], dict[str, Any] | None]
"""Gives a record, or these elements of it, as whoever confirms may have it; None: not at all."""


def copy_of(
    task: ResourceRow, worker: Worker, draft: Draft, copied: Copy
) -> tuple[dict[str, Any], list[Part]]:
    """Gives the copy for a hand, as a Bundle, and the parts that say which versions it holds; leaves the line of it.

    Args:
        task: what was begun.
        worker: who confirms it.
        draft: the Change in the making.
        copied: gives a record through the gate.

    Raises:
        InvalidResource: a record is not there any more (422).
    """
    patient = draft.working.row(task.person)
    entries: list[dict[str, Any]] = []
    handed: list[Part] = []
    entities: list[str] = []
    for text in parts(task, "record"):
        name, *elements = str(text).split()
        row = _record(patient, name, draft) if patient is not None else None
        body = copied(row, tuple(elements)) if row is not None else None
        if row is None or body is None:
            raise InvalidResource([_issue("record", f"{name} is not there any more. Begin anew without it.")])
        entries.append({"fullUrl": f"{draft.own_bases[0]}/{name}", "resource": body})
        handed.append(("handed-over", {"valueReference": {"reference": f"{name}/_history/{row.version}"}}))
        entities.append(f"{name}/{row.version}")
    draft.audit.append(
        AuditEntry(
            at_us=draft.at_us,
            action="R",
            interaction=KIND,
            outcome=DONE,
            organization=task.author,
            oauth_client="",
            user=worker.name,
            purpose="",
            person=task.person,
            entities=tuple(entities),
            reason=named(task, "order-kind"),
        )
    )
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}, handed


def _issue(name: str, text: str) -> Issue:
    return Issue("error", "required", text, f"Parameters.parameter.where(name='{name}')")
