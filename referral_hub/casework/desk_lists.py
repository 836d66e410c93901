"""What waits on the desk of a supervisor, read out of Tasks: kinds, parts in words, and what can be decided.

What lives here: pure reading of a Task of the desk for a page. What does not: deciding (``exchange.deciding``), pages
(``web.portal``).

Source: ``practice.md`` 1, 9 and 12; ``consent.md`` F-14.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from referral_hub.exchange.deciding import DECISIONS
from referral_hub.exchange.desks import DESK_PART, OPEN
from referral_hub.fhir.elements import code_in, text_at
from referral_hub.resources.task import TASK_CODES

BY_SOMEBODY_ELSE = frozenset({("compelled-disclosure", "confirm"), ("external-request", "confirm")})
"""Decisions a second person takes, whoever it is."""
_NO_WORDS = frozenset({"recorded-by", "decided-by", "about"})
_SAID = frozenset(
    {
        *("after-days", "answer", "asked-by", "asker-kind", "category"),
        *("counsel", "decided-as", "decision", "decision-reason", "handed-over"),
        *("how", "identity-check-needed", "legal-basis", "notice", "notice-note"),
        *("opened", "order-kind", "other-answer", "reason", "recipient"),
        *("record", "tell"),
    }
)
"""Parts a page has words for; any other is shown under one heading."""


@dataclass(frozen=True, slots=True)
class OnDesk:
    """A Task of the desk as a page shows it.

    Args:
        id: of the Task.
        kind: its code.
        status: ``ready`` while it waits.
        patient: id of the Patient it is about; empty where nobody is named.
        since: when it was made; ``until`` by when it is to be done, or empty.
        recorded_by: the account that began it; empty where the hub did.
        parts: codes of the hub's ``desk-part`` with their texts.
        decisions: what can be decided of it, none once it was.
    """

    id: str
    kind: str
    status: str
    patient: str
    since: str
    until: str
    recorded_by: str
    parts: tuple[tuple[str, str], ...]
    decisions: tuple[str, ...]

    def waits_for(self, account: str) -> tuple[str, ...]:
        """Gives the decisions this account may take: a second person confirms what another began."""
        if self.recorded_by != account:
            return self.decisions
        second = self.kind == "emergency-opening"
        return tuple(one for one in self.decisions if not second and (self.kind, one) not in BY_SOMEBODY_ELSE)


def on_desk(body: Mapping[str, Any]) -> OnDesk | None:
    """Gives a Task of the desk; None for any other.

    Args:
        body: the Task as its organisation reads it.
    """
    kind = code_in(body.get("code"), TASK_CODES)
    if kind not in DECISIONS:
        return None
    entries = [
        one for one in (*(body.get("input") or ()), *(body.get("output") or ())) if isinstance(one, dict)
    ]
    found = [(code_in(one.get("type"), DESK_PART) or "", _text(one)) for one in entries]
    status = str(body.get("status") or "")
    return OnDesk(
        id=str(body.get("id") or ""),
        kind=kind,
        status=status,
        patient=text_at(body, "for.reference").partition("Patient/")[2],
        since=str(body.get("authoredOn") or ""),
        until=text_at(body, "restriction.period.end"),
        recorded_by=next((text for code, text in found if code == "recorded-by"), ""),
        parts=tuple(
            (code if code in _SAID else "other", text)
            for code, text in found
            if code and text and code not in _NO_WORDS
        ),
        decisions=tuple(sorted(DECISIONS[kind])) if status == OPEN else (),
    )


def _text(entry: Mapping[str, Any]) -> str:
    for name, value in entry.items():
        if not name.startswith("value"):
            continue
        if isinstance(value, dict):
            return str(value.get("reference") or "")
        return str(value)
    return ""


def lines_of(value: Any, path: str = "") -> list[tuple[str, str]]:
    """Gives a copy for a hand as lines: where something stands, and what.

    >>> lines_of({"code": {"text": "Sprain"}, "note": [{"text": "left"}]})
    [('code.text', 'Sprain'), ('note[0].text', 'left')]
    """
    if isinstance(value, dict):
        inner = [(f"{path}.{name}" if path else name, held) for name, held in value.items()]
    elif isinstance(value, list):
        inner = [(f"{path}[{place}]", held) for place, held in enumerate(value)]
    else:
        return [(path, str(value))]
    return [line for where, held in inner for line in lines_of(held, where)]
