"""Alerts: lines of the audit that ask a person to look.

What lives here: their reasons and their shape. What does not: showing them (``casework``, ``web``).

An alert carries a code and no words about anybody. It is no disclosure: it has no recipient.

Source: ``architecture.md`` 5 (portal: ``alert``); ``views.md`` 6 and 8.
"""

from typing import Literal

from referral_hub.exchange.audit import DONE, FAILED, REFUSED
from referral_hub.exchange.change import AuditEntry
from referral_hub.exchange.ports import ResourceRow
from referral_hub.fhir import json_codec

Reason = Literal[
    "partner-status-unknown",
    "partner-status-not-possible",
    "partner-reason-missing",
    "partner-condition-not-confirmed",
    "partner-output-missing",
    "partner-content-refused",
    "partner-copy-gone",
    "partner-copy-differs",
    "referral-overdue",
    "sharing-ending",
    "sharing-ended",
    "check-in-due",
    "recall-sent",
    "recall-reminded",
    "recall-unanswered",
    "emergency-review-overdue",
    "source-not-copied",
    "source-request-changed",
]
"""Why somebody should look. The first eight tell of a partner's own Task."""


def alert(row: ResourceRow, reason: Reason, at_us: int, *, to: str = "", **detail: str | int) -> AuditEntry:
    """Gives the line that asks the organisation of a referral or a consent to look.

    Args:
        row: the Task or Consent it is about.
        reason: why.
        at_us: now, microseconds UTC.
        to: id of the organisation that should look; its author where none is named.
        detail: codes and numbers, never words.
    """
    return AuditEntry(
        at_us=at_us,
        action="E",
        interaction="alert",
        outcome=DONE,
        organization=to or row.author,
        oauth_client="",
        user="",
        purpose="",
        person=row.person,
        entities=(f"{row.type}/{row.id}/{row.version}",),
        reason=reason,
        detail=json_codec.encode(detail) if detail else b"",
    )


def withheld(row: ResourceRow, recipient: str, kind: str, reason: str, at_us: int) -> AuditEntry:
    """Gives the line of a message that did not leave, because no release covered it at the moment of leaving."""
    return _unsent(row, recipient, kind, reason, REFUSED, at_us)


def undelivered(row: ResourceRow, recipient: str, kind: str, at_us: int) -> AuditEntry:
    """Gives the line of a message that was given up: somebody should look at the list of dead letters."""
    return _unsent(row, recipient, kind, "delivery-failed", FAILED, at_us)


def _unsent(row: ResourceRow, recipient: str, kind: str, reason: str, outcome: int, at_us: int) -> AuditEntry:
    return AuditEntry(
        at_us=at_us,
        action="E",
        interaction=kind,
        outcome=outcome,
        organization=row.author,
        oauth_client="",
        user="",
        purpose="",
        person=row.person,
        entities=(f"{row.type}/{row.id}/{row.version}",),
        recipient=recipient,
        reason=reason,
    )
