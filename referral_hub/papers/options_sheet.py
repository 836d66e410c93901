"""The sheet of options: two or more ways to get help, each with what it offers, for her to choose from.

What lives here: what the sheet says. What does not: finding options (``HealthcareService/$find``).

One option is no choice, so fewer than two are refused. How many places there are is always told with its day: an
old number without its age is a false promise.

Source: ``mission.md`` (choice); ``practice.md`` 15 and 16.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from referral_hub.papers.press import press
from referral_hub.papers.words import ago, day, own_name, word
from referral_hub.texts.catalogs import Catalog, catalog


@dataclass(frozen=True, slots=True)
class Option:
    """One way to get help.

    Args:
        name: the name of the unit.
        offers: what it gives, in words.
        languages: in which it speaks; language codes or words.
        area: the part of town; never an address that is kept private.
        capacity: whether there is room.
        capacity_on: the day that was true; None is said as not known.
        cost: what it costs, in words.
        access: what matters for getting in, in words.
    """

    name: str
    offers: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    area: str = ""
    capacity: Literal["free", "few", "full", "unknown"] = "unknown"
    capacity_on: date | None = None
    cost: str = ""
    access: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OptionsSheet:
    """What one sheet says: her language, the day, the need, and the options."""

    language: str
    made: date
    need: str
    options: tuple[Option, ...]


def options_sheet(sheet: OptionsSheet) -> bytes:
    """Gives the sheet as a tagged PDF.

    Raises:
        ValueError: fewer than two options.
        TooLarge, Busy: see ``papers.press``.

    Source: ISO 14289-1.
    """
    if len(sheet.options) < 2:
        raise ValueError("one option is no choice: give two or more")
    said = catalog(sheet.language)
    title = said.text("paper.options.title")
    pieces: list[dict[str, Any]] = [
        {"kind": "title", "text": title},
        {"kind": "terms", "items": [(said.text("paper.options.need"), sheet.need)]},
        {"kind": "text", "text": said.text("paper.options.intro")},
    ]
    for place, option in enumerate(sheet.options, 1):
        heading = said.text("paper.options.option", place=place, name=option.name)
        pieces.append({"kind": "heading", "text": heading})
        pieces.append({"kind": "terms", "items": lines_of(said, option, sheet.made)})
    pieces.append({"kind": "strong", "text": said.text("paper.options.none")})
    pieces.append(
        {"kind": "text", "text": said.text("paper.options.day", day=day(sheet.language, sheet.made))}
    )
    return press("sheet", sheet.language, title, {"pieces": pieces})


def lines_of(said: Catalog, option: Option, made: date) -> list[tuple[str, str]]:
    """Gives the lines of one option, each a term and its words; the same for a page as for paper.

    Args:
        said: the sentences of her language.
        option: what is told.
        made: the day of the sheet, which says how old the number of places is.
    """
    pairs = (
        ("offers", ", ".join(option.offers)),
        ("languages", ", ".join(own_name(language) for language in option.languages)),
        ("area", option.area),
        ("room", _room(said, option, made)),
        ("cost", option.cost),
        ("access", ", ".join(option.access)),
    )
    return [(said.text(f"paper.options.{key}"), text) for key, text in pairs if text]


def _room(said: Catalog, option: Option, made: date) -> str:
    """Tells whether there is room, always with how old that is."""
    if option.capacity_on is None or option.capacity == "unknown":
        return word(said, "capacity", "unknown")
    days = max((made - option.capacity_on).days, 0)
    age = ago(said.language, days) if days else said.text("paper.options.today")
    known = said.text("paper.options.age", day=day(said.language, option.capacity_on), age=age)
    return f"{word(said, 'capacity', option.capacity)} ({known})"
