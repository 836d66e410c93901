"""Records of a person told plainly: what it is, in whose words, from when.

What lives here: one line out of each record, for pages. What does not: which records a reader has (the gate), sentences
(``texts``: ``inbox.record.*``).

Source: ``views.md`` 9 (F is N plus what the release names).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from referral_hub.fhir.elements import text_at

_WHEN = (
    "recordedDate",
    "effectiveDateTime",
    "date",
    "start",
    "performedDateTime",
    "sent",
    "period.start",
    "created",
)
_WORDS = ("code.text", "description", "description.text", "title", "content.attachment.title", "name.text")
_CODED = ("code.coding.display", "type.coding.display", "category.coding.display", "code.coding.code")


@dataclass(frozen=True, slots=True)
class Record:
    """One record: its FHIR type, what it says in a few words (empty where it says none), a date, and its status."""

    type: str
    id: str
    words: str
    when: str
    status: str


def records_of(bodies: Iterable[Mapping[str, Any]]) -> tuple[Record, ...]:
    """Gives the lines of records, in order of type, the newest of each first.

    >>> records_of([{"resourceType": "Condition", "id": "1", "code": {"text": "cut"}}])[0].words
    'cut'
    """
    found = [
        Record(
            str(body.get("resourceType", "")),
            str(body.get("id", "")),
            _first(body, _WORDS) or _value(body) or _first(body, _CODED),
            _first(body, _WHEN),
            str(body.get("status", "")),
        )
        for body in bodies
    ]
    found.sort(key=lambda one: one.when, reverse=True)
    return tuple(sorted(found, key=lambda one: one.type))


def _first(body: Mapping[str, Any], paths: Iterable[str]) -> str:
    return next((text for path in paths if (text := text_at(body, path))), "")


def _value(body: Mapping[str, Any]) -> str:
    """Gives the value of an Observation, in words."""
    quantity = body.get("valueQuantity")
    if isinstance(quantity, dict):
        return f"{quantity.get('value', '')} {quantity.get('unit', '')}".strip()
    return text_at(body, "valueString") or text_at(body, "valueCodeableConcept.text")
