"""Tries every row against a hub and says what came of it: ``make attack``.

Use: ``python -m tests.attack [--write docs/attacks.md] [pytest arguments]``. A row whose test fails, or that no test
tries and no reason is given for, ends with exit code 1.

What lives here: running the tests that name rows, and the report. What does not: the tests (``tests/api``,
``tests/unit``, ``tests/attack``), the rows (``tests.attack.rows``).
"""

import argparse
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from tests.attack.rows import ROWS, Row

PLACES = ("tests/api", "tests/unit", "tests/attack")
LATER: dict[str, str] = {}
"""Rows that nothing can be tried against yet, each with its reason."""
PARTLY: dict[str, str] = {}
"""Rows of which a part is known not to hold; their tests try the rest, and bound what does not."""


class Tried:
    """What came of the tests of each row; a plugin of pytest."""

    def __init__(self) -> None:
        self.rows_of: dict[str, set[str]] = {}
        self.outcomes: dict[str, dict[str, str]] = defaultdict(dict)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keeps the tests that name a row, and leaves out the others."""
        kept = []
        for item in items:
            rows = {str(row) for mark in item.iter_markers("attack") for row in mark.args}
            if rows:
                self.rows_of[item.nodeid] = rows
                kept.append(item)
        items[:] = kept

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Notes how a test ended."""
        if report.when == "call" or report.outcome != "passed":
            for row in self.rows_of.get(report.nodeid, ()):
                before = self.outcomes[row].get(report.nodeid, "passed")
                worse = "failed" if "failed" in (before, report.outcome) else report.outcome
                self.outcomes[row][report.nodeid] = worse


def verdict(row: Row, outcomes: dict[str, str]) -> str:
    """Gives what is said of a row: ``held``, ``BROKEN``, ``not tried``, or the reason why nothing can be tried.

    >>> verdict(Row("S-01", ""), {"a": "passed", "b": "failed"})
    'BROKEN'
    """
    if not outcomes:
        return LATER.get(row.id, "not tried")
    if "failed" in outcomes.values():
        return "BROKEN"
    return PARTLY.get(row.id, "held") if "passed" in outcomes.values() else "not tried"


def report(outcomes: dict[str, dict[str, str]]) -> list[str]:
    """Gives the report as lines of Markdown."""
    lines = [
        "# Attacks",
        "",
        "Written by `make attack`, which tries every row against hubs on SQLite and on PostgreSQL. *Held*: every test",
        "that tries it passed. What no test tries stands here with its reason.",
        "",
        "| row | tried | tests | verdict |",
        "| --- | --- | --- | --- |",
    ]
    for row in ROWS:
        tests = outcomes.get(row.id, {})
        lines.append(f"| {row.id} | {row.tried} | {_places(tests)} | {verdict(row, tests)} |")
    return lines


def _places(tests: dict[str, str]) -> str:
    counted: dict[str, int] = defaultdict(int)
    for test in tests:
        counted[test.partition("::")[0]] += 1
    return "<br>".join(f"`{place}` ({number})" for place, number in sorted(counted.items()))


def main(arguments: list[str]) -> int:
    """Runs it and gives the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", type=Path, help="the page the report is written to")
    parser.add_argument(
        "--own",
        action="store_true",
        help="only tests/attack, in two processes: what `make test` does not run",
    )
    asked, rest = parser.parse_known_args(arguments)
    if asked.own:
        return int(pytest.main(["tests/attack", "-q", "-n", "2", *rest]))
    tried = Tried()
    code = pytest.main([*PLACES, "-q", "-p", "no:xdist", *rest], plugins=[tried])
    lines = report(tried.outcomes)
    verdicts = {row.id: verdict(row, tried.outcomes.get(row.id, {})) for row in ROWS}
    if asked.write:
        asked.write.write_text("\n".join(lines) + "\n", encoding="utf-8")
    for row in ROWS:
        print(f"{row.id}  {verdicts[row.id]:10}  {row.tried}")
    held = sum(found == "held" for found in verdicts.values())
    open_rows = [name for name, found in verdicts.items() if found in ("BROKEN", "not tried")]
    print(f"attack: {len(ROWS)} rows, {held} held, {len(open_rows)} open {' '.join(open_rows)}")
    return 1 if open_rows or code not in (0, 5) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
