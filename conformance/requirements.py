"""The requirements: one row each in ``requirements.csv``, in our own words.

What lives here: reading the table and saying which of its rows contradict themselves. What does not: the checks
(``conformance.checks``), the page that counts (``conformance.coverage``).

A row: ``id``; ``source`` with its section; ``level`` (SHALL, SHOULD, MAY); ``actor`` who must do it; ``text``;
``why_not_tested``, filled exactly where no check proves it.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

TABLE = Path(__file__).with_name("requirements.csv")
COLUMNS = ("id", "source", "level", "actor", "text", "why_not_tested")
LEVELS = ("SHALL", "SHOULD", "MAY")


@dataclass(frozen=True, slots=True)
class Requirement:
    """One thing a standard asks for."""

    id: str
    source: str
    level: str
    actor: str
    text: str
    why_not_tested: str

    @property
    def group(self) -> str:
        """Gives the first part of the id, which names the standard."""
        return self.id.partition("-")[0]


@cache
def requirements() -> Mapping[str, Requirement]:
    """Gives all requirements by id.

    Raises:
        ValueError: the table has a row twice, an unknown level or an empty cell.
    """
    found: dict[str, Requirement] = {}
    with TABLE.open(encoding="utf-8", newline="") as table:
        rows = csv.DictReader(table)
        if tuple(rows.fieldnames or ()) != COLUMNS:
            raise ValueError(f"the columns of {TABLE.name} are {rows.fieldnames}")
        for row in rows:
            if row["id"] in found:
                raise ValueError(f"{row['id']} is there twice")
            if row["level"] not in LEVELS or not all(row[name] for name in COLUMNS[:-1]):
                raise ValueError(f"{row['id']} lacks something or has an unknown level")
            found[row["id"]] = Requirement(**row)
    return MappingProxyType(found)


def strength(ids: tuple[str, ...]) -> str:
    """Gives the strongest level among some requirements: what a broken one counts for."""
    levels = {requirements()[one].level for one in ids}
    return next(level for level in LEVELS if level in levels)
