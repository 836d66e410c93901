"""Her copy: her record in plain words, beside the FHIR Bundle that holds every detail of it.

What lives here: what the copy looks like. What does not: making its lines out of resources (``papers.her_record``),
who may have it (the gate, in ``web.copies``).

Source: ``practice.md`` 12 and 20; ``consent.md`` F-10 (a readable copy).
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from referral_hub.papers.press import press
from referral_hub.papers.words import day, own
from referral_hub.texts.catalogs import catalog

Line = tuple[str, str]
"""What something is called, and what is said of it."""


@dataclass(frozen=True, slots=True)
class Group:
    """Lines that belong together; ``heading`` may be empty."""

    heading: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the copy. ``nothing`` is said where it has no groups."""

    heading: str
    groups: tuple[Group, ...]
    nothing: str


@dataclass(frozen=True, slots=True)
class HerCopy:
    """What one copy says.

    Args:
        language: hers; a key of ``LANGUAGES``.
        made: the day it is made.
        custodian: who keeps the record, by the name she knows.
        sections: its parts, in order.
        is_part: not everything could be put on paper.
    """

    language: str
    made: date
    custodian: str
    sections: tuple[Section, ...]
    is_part: bool = False


def her_copy(copy: HerCopy) -> bytes:
    """Gives the copy as a tagged PDF.

    Raises:
        TooLarge, Busy: see ``papers.press``.

    Source: ISO 14289-1.
    """
    said = catalog(copy.language)
    title = said.text("paper.copy.title")
    intro = said.text("paper.copy.intro", custodian=own(copy.custodian), day=day(copy.language, copy.made))
    pieces: list[dict[str, Any]] = [
        {"kind": "title", "text": title},
        {"kind": "text", "text": intro},
        {"kind": "text", "text": said.text("paper.copy.care")},
        {"kind": "text", "text": said.text("paper.copy.wrong")},
    ]
    if copy.is_part:
        pieces.append({"kind": "strong", "text": said.text("paper.copy.part")})
    for section in copy.sections:
        pieces.append({"kind": "heading", "text": section.heading})
        if not section.groups:
            pieces.append({"kind": "text", "text": section.nothing})
        for group in section.groups:
            if group.heading:
                pieces.append({"kind": "part", "text": group.heading})
            if group.lines:
                pieces.append({"kind": "terms", "items": list(group.lines)})
    return press("sheet", copy.language, title, {"pieces": pieces})
