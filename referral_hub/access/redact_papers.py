"""What stays of papers about a person: QuestionnaireResponse, Composition, Basic.

What lives here: their allow-lists. What does not: how to read them, and who gets them
(``access.redact_granted``), DocumentReference and Binary (``access.redact_messages``).

Answers are what people wrote, codes and numbers included: a questionnaire shows its items only where free text
is open. Of a document the sections that point at something visible stay; what they say in words never does. The
extensions that a Basic consists of are in no view.

Source: ``views.md`` 4 and 9; FHIR R4 of each type.
"""

from typing import Any

from referral_hub.access.redact_rules import (
    ANY_VALUE,
    absent,
    absent_primitive,
    concept,
    concepts,
    groups,
    keep,
    masked_reference,
    plain,
    reference,
    references,
    text,
)
from referral_hub.access.redact_table import Reading, Table

# QuestionnaireResponse

_ANSWER_TYPES = (
    "Boolean", "Decimal", "Integer", "Date", "DateTime", "Time", "String", "Uri", "Attachment", "Coding",
    "Quantity", "Reference",
)  # fmt: skip


def _items(value: Any, reading: Reading) -> Any:
    """Lets answers stay where free text is open."""
    return groups(_ITEM)(value, reading) if reading.free else None


_ANSWER = Table(
    {**{f"value{name}": ANY_VALUE[f"value{name}"] for name in _ANSWER_TYPES}, "item": _items},
    one_of=(frozenset({*(f"value{name}" for name in _ANSWER_TYPES), "item"}),),
)
_ITEM = Table(
    {"linkId": text, "definition": text, "text": text, "answer": groups(_ANSWER), "item": _items},
    required={"linkId": None},
)

QUESTIONNAIRE_RESPONSE = Table(
    {
        "basedOn": references,
        "partOf": references,
        "questionnaire": text,
        "status": keep,
        "subject": reference,
        "encounter": reference,
        "authored": keep,
        "author": reference,
        "source": reference,
        "item": _items,
    },
    required={"status": absent_primitive},
)

# Composition


def _sections(value: Any, reading: Reading) -> Any:
    """Lets a section stay for what it points at, with the sections inside it."""
    return groups(_SECTION)(value, reading)


_SECTION = Table(
    {
        "title": text,
        "code": concept,
        "focus": reference,
        "mode": keep,
        "orderedBy": concept,
        "entry": references,
        "section": _sections,
    },
    one_of=(frozenset({"entry", "section"}),),
)


def _somebody(place: tuple[str, Any], reading: Reading) -> dict[str, Any]:
    """Fills a required list of references with one that stands for the hidden ones."""
    first = place[1][0] if isinstance(place[1], list) and place[1] else None
    return {place[0]: [masked_reference(first, reading)]}


_EVENT = Table({"code": concepts, "period": plain, "detail": references})
_RELATED = Table(
    {"code": keep, "targetReference": reference}, required={"code": None, "targetReference": None}
)

COMPOSITION = Table(
    {
        "status": keep,
        "type": concept,
        "category": concepts,
        "subject": reference,
        "encounter": reference,
        "date": keep,
        "author": references,
        "title": text,
        "custodian": reference,
        "relatesTo": groups(_RELATED),
        "event": groups(_EVENT),
        "section": _sections,
    },
    required={
        "status": absent_primitive,
        "type": absent,
        "date": absent_primitive,
        "author": _somebody,
        "title": absent_primitive,
    },
)

# Basic

BASIC = Table(
    {
        "code": concept,
        "subject": reference,
        "created": keep,
        "author": reference,
    },
    required={"code": absent},
)
