"""One referral as lines of plain text, to be pasted into another system: what this reader sees of it, and no more.

What lives here: a pure function over the decoded resources as they were released. What does not: words (``texts``: a
label is a key, a value may be one), counting that it was taken out (``exchange.taking_out``), the page.

Source: ``practice.md`` 17 (double entry kills such systems).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from referral_hub.access.categories import CATEGORIES
from referral_hub.casework.caseload import row_of
from referral_hub.casework.her_view import category_of
from referral_hub.fhir.canonical import PLACER
from referral_hub.fhir.elements import codings, reference_text, text_at

_URGENCIES = frozenset({"routine", "urgent", "asap", "stat"})
_NO_CONTACT = "contacting-subject-prohibited"


@dataclass(frozen=True, slots=True)
class Line:
    """One line: the key of its label, and its value as text, as a key of words, or as a day to be said."""

    label: str
    text: str = ""
    key: str = ""
    day: str = ""


def lines_of(
    task: Mapping[str, Any],
    request: Mapping[str, Any],
    patient: Mapping[str, Any],
    names: Mapping[str, str],
) -> tuple[Line, ...]:
    """Gives the lines of a referral.

    Args:
        task: the Task as this reader sees it.
        request: its request, or nothing.
        patient: its person, or nothing.
        names: of organisations, by id.

    >>> [line.label for line in lines_of({"status": "requested"}, {}, {}, {})]
    ['my.text.status']
    """
    placer = next(
        (one.get("value", "") for one in task.get("identifier") or () if one.get("system") == PLACER), ""
    )
    priority = str(request.get("priority") or task.get("priority") or "")
    category = category_of(request)
    found = [
        Line("my.text.number", text=str(placer)),
        Line("my.text.status", key=f"my.text.s-{task.get('status')}" if task.get("status") else ""),
        Line("my.text.from", text=names.get(_organization(task, "requester"), "")),
        Line("my.text.to", text=names.get(_organization(task, "owner"), "")),
        Line("my.text.written", day=str(task.get("authoredOn") or "")),
        Line("my.text.until", day=text_at(dict(task), "restriction.period.end")),
        Line("my.text.urgency", key=f"my.text.u-{priority}" if priority in _URGENCIES else ""),
        Line("my.text.kind", key=f"tracker.need.{category}" if category in CATEGORIES else ""),
        Line("my.text.need", text=_concept(request.get("code"))),
        *(Line("my.text.note", text=_line(note.get("text"))) for note in request.get("note") or ()),
        *_of_person(patient),
    ]
    if any(code == _NO_CONTACT for one in request.get("orderDetail") or () for _, code in codings(one)):
        found.append(Line("my.text.contact"))
    return tuple(
        line for line in found if line.text or line.key or line.day or line.label == "my.text.contact"
    )


def _of_person(patient: Mapping[str, Any]) -> list[Line]:
    if not patient:
        return []
    row = row_of(patient, "")
    needed = {None: "", True: "my.csv.yes", False: "my.csv.no"}[row.interpreter]
    return [
        Line("my.text.name", text=row.name if row.name != "-" else ""),
        Line("my.text.born", text=row.born),
        Line("my.text.age", key=f"my.csv.{row.age}" if row.age else ""),
        Line("my.text.language", text=row.language),
        Line("my.text.interpreter", key=needed),
    ]


def _organization(task: Mapping[str, Any], name: str) -> str:
    kind, _, public_id = reference_text(task.get(name)).partition("/")
    return public_id if kind == "Organization" else ""


def _concept(concept: Any) -> str:
    if not isinstance(concept, dict):
        return ""
    coded = next((code for _, code in codings(concept)), "")
    return _line(concept.get("text")) or coded


def _line(text: Any) -> str:
    return " ".join(str(text or "").split())
