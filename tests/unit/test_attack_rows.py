"""The list of attacks: every row once, and every test that names a row names one that is there."""

import re
from pathlib import Path

from tests.attack.rows import ROWS

ROOT = Path(__file__).parents[2]
_MARK = re.compile(r"mark\.attack\(([^)]*)\)")


def test_rows_are_numbered_without_gaps() -> None:
    for kind in "STE":
        numbers = [int(row.id[2:]) for row in ROWS if row.id.startswith(kind)]
        assert numbers == list(range(1, len(numbers) + 1))
    assert sum(row.id.startswith("S") for row in ROWS) == 44


def test_a_test_names_only_rows_that_are_there() -> None:
    known = {row.id for row in ROWS}
    named: set[str] = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        for given in _MARK.findall(path.read_text(encoding="utf-8")):
            named |= set(re.findall(r"[STE]-\d\d", given))
    assert named <= known
