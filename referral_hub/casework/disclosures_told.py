"""Who has what of a person's record, and who looked when and why: the answer of ``$disclosures``, told in rows.

What lives here: sorting the answer by organisation and by day. What does not: who is told what
(``exchange.disclosing``), words (``texts``).

Source: ``consent.md`` F-14 and F-26; ``practice.md`` 10 and 12.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from referral_hub.access.consent_life import DAY_US
from referral_hub.fhir.dates import span

WEEKS = 12
_WEEK_US = 7 * DAY_US
_LOOKS = frozenset(
    {"read", "vread", "search-type", "history-instance", "history-type", "everything", "export", "page"}
)


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened: when, what kind, to or by whom, why, and of which types it was.

    ``act`` is ``looked``, ``sent`` or an interaction beside her permission; ``outcome`` as ``$disclosures`` gives it.
    """

    at_us: int
    act: str
    outcome: str
    unit: str
    purpose: str
    reason: str
    types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Recalled:
    """One unit that was asked to stop using what it has: when, by when it owed an answer, what it said."""

    unit: str
    asked_us: int
    due_us: int
    answer: str
    answered_us: int
    law: str
    late: bool


@dataclass(frozen=True, slots=True)
class Beside:
    """One thing that was done with her record beside her permission, and what became of it."""

    kind: str
    at_us: int
    status: str
    decision: str
    said: tuple[str, ...]


@dataclass(slots=True)
class Unit:
    """What one organisation got altogether."""

    id: str
    first_us: int = 0
    last_us: int = 0
    looked: int = 0
    refused: int = 0
    types: set[str] = field(default_factory=set)
    weeks: list[int] = field(default_factory=lambda: [0] * WEEKS)


@dataclass(frozen=True, slots=True)
class Told:
    """All of it: lines newest first, organisations by name of their id, recalls, and what was beside permission."""

    lines: tuple[Line, ...]
    units: tuple[Unit, ...]
    recalls: tuple[Recalled, ...]
    beside: tuple[Beside, ...]

    @property
    def refused(self) -> tuple[Line, ...]:
        """Gives the attempts that were refused."""
        return tuple(line for line in self.lines if line.outcome == "refused")


def told_of(parameters: Mapping[str, Any], now_us: int) -> Told:
    """Gives the answer of ``$disclosures`` in rows.

    Args:
        parameters: the decoded Parameters.
        now_us: now; the chart goes back twelve weeks from here.
    """
    lines: list[Line] = []
    recalls: list[Recalled] = []
    beside: list[Beside] = []
    for one in parameters.get("parameter", ()):
        parts = one.get("part", ())
        if one["name"] == "disclosure":
            lines.append(_line(parts))
        elif one["name"] == "recall":
            recalls.append(_recall(parts))
        else:
            beside.append(_beside(one["name"], parts))
    lines.sort(key=lambda line: line.at_us, reverse=True)
    recalls.sort(key=lambda recall: recall.asked_us, reverse=True)
    beside.sort(key=lambda one: one.at_us, reverse=True)
    return Told(tuple(lines), tuple(_units(lines, now_us)), tuple(recalls), tuple(beside))


def _line(parts: Sequence[Mapping[str, Any]]) -> Line:
    what = _value(parts, "what")
    types = {str(one["valueUri"]).partition("/")[0] for one in parts if one["name"] == "resource"}
    return Line(
        at_us=_us(_value(parts, "when")),
        act="looked" if what in _LOOKS else what,
        outcome=_value(parts, "outcome"),
        unit=_value(parts, "recipient") or _value(parts, "by"),
        purpose=_value(parts, "purpose"),
        reason=_value(parts, "reason"),
        types=tuple(sorted(types)),
    )


def _recall(parts: Sequence[Mapping[str, Any]]) -> Recalled:
    return Recalled(
        unit=_value(parts, "recipient"),
        asked_us=_us(_value(parts, "asked")),
        due_us=_us(_value(parts, "due")),
        answer=_value(parts, "answer"),
        answered_us=_us(_value(parts, "answered")),
        law=_value(parts, "law"),
        late=_value(parts, "late") == "true",
    )


_HEAD = frozenset({"when", "status", "due", "decision", "decided", "recipient"})


def _beside(kind: str, parts: Sequence[Mapping[str, Any]]) -> Beside:
    said = [_value((one,), one["name"]) for one in parts if one["name"] not in _HEAD]
    return Beside(
        kind=kind,
        at_us=_us(_value(parts, "when")),
        status=_value(parts, "status"),
        decision=_value(parts, "decision"),
        said=tuple(text for text in said if text),
    )


def _units(lines: Sequence[Line], now_us: int) -> list[Unit]:
    found: dict[str, Unit] = {}
    for line in reversed(lines):
        if not line.unit:
            continue
        unit = found.setdefault(line.unit, Unit(line.unit))
        if line.outcome == "refused":
            unit.refused += 1
            continue
        if line.outcome != "disclosed":
            continue
        unit.first_us = unit.first_us or line.at_us
        unit.last_us = line.at_us
        unit.looked += 1
        unit.types.update(line.types)
        week = (now_us - line.at_us) // _WEEK_US
        if 0 <= week < WEEKS:
            unit.weeks[WEEKS - 1 - week] += 1
    return sorted(found.values(), key=lambda unit: (-unit.last_us, unit.id))


def _value(parts: Sequence[Mapping[str, Any]], name: str) -> str:
    for one in parts:
        if one["name"] == name:
            for key, value in one.items():
                if key.startswith("value"):
                    return _text(value)
    return ""


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return str(value.get("reference", "")).rpartition("/")[2]
    return str(value)


def _us(text: str) -> int:
    return span(text)[0] if text else 0
