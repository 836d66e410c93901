"""What a known server comes to, kept beside the suite: a change of the server or of the suite shows.

What lives here: reading, comparing and writing such an expectation. What does not: running.

A file names every check that does not pass, with its result and the reason in our words; the checks it does not
name must pass. ``*`` in a name stands for anything: ``"smart.*"``.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from conformance.results import Result


@dataclass(frozen=True, slots=True)
class Row:
    """One check, or several that begin alike: which results are expected, and why."""

    verdict: str
    reason: str


def read(path: Path) -> dict[str, Row]:
    """Gives the rows of a file by the name of the check.

    Raises:
        ValueError: a row lacks its reason.
    """
    found = {name: Row(**row) for name, row in json.loads(path.read_text("utf-8")).items()}
    if bare := [name for name, row in found.items() if not row.reason.strip()]:
        raise ValueError(f"{path.name}: without a reason: {', '.join(bare)}")
    return found


def row_for(rows: dict[str, Row], check: str) -> tuple[str, Row | None]:
    """Gives the row that stands for a check: its own, or the longest pattern it fits."""
    if check in rows:
        return check, rows[check]
    stars = [name for name in rows if "*" in name and fnmatchcase(check, name)]
    name = max(stars, key=len, default="")
    return name, rows.get(name)


def differences(rows: dict[str, Row], results: Sequence[Result], *, partial: bool = False) -> list[str]:
    """Gives one sentence for each result that is not as expected.

    Args:
        rows: the expectation.
        results: of one run.
        partial: only some checks ran, so rows that stand for none are no difference.
    """
    found = []
    used = set()
    for one in results:
        name, row = row_for(rows, one.check)
        used.add(name)
        wanted = row.verdict if row else "pass"
        if one.verdict.value != wanted:
            found.append(
                f"{one.check}: expected {wanted}, came to {one.verdict.value}. {one.message}".rstrip()
            )
    if not partial:
        found += [f"{name}: no check has this name" for name in rows if name not in used]
    return found


def written(results: Sequence[Result]) -> str:
    """Gives the expectation that some results would meet, reasons taken from what the checks said."""
    rows = {
        one.check: {"verdict": one.verdict.value, "reason": one.message}
        for one in results
        if one.verdict.value != "pass"
    }
    return json.dumps(rows, indent=1, ensure_ascii=False) + "\n"
