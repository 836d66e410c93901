"""The page of coverage: every requirement, the checks that prove it or why there is none, and the counts.

What lives here: writing ``docs/conformance-coverage.md`` from ``requirements.csv`` and the list of checks. What
does not: results of a run (``conformance.reports``).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import groupby

from conformance.registry import all_checks
from conformance.requirements import LEVELS, Requirement, requirements

_GROUPS = {
    "R4": "FHIR R4: REST and search",
    "SMART": "SMART App Launch: discovery, Backend Services, tokens",
    "BULK": "Bulk Data",
    "SUBS": "Subscriptions (R5 backport)",
    "SDOHCC": "SDOHCC, as a Coordination Platform",
    "HUB": "The referral hub's own: consent and side channels",
}
_HEAD = """# What the conformance suite covers

Written by `python -m conformance --coverage docs/conformance-coverage.md` from
[`conformance/requirements.csv`](../conformance/requirements.csv) and the checks; not edited by hand. How to run the
suite, and what a result means: [conformance.md](conformance.md).

A requirement is *tested* where a check of the suite proves it by asking a server from outside. Where none does, the
table says why.
"""


def unknown_requirements() -> list[str]:
    """Gives the ids that checks name and the table lacks."""
    return sorted({one for check in all_checks() for one in check.requirements} - set(requirements()))


def proofs() -> Mapping[str, Sequence[str]]:
    """Gives the names of the checks that prove each requirement."""
    found: dict[str, list[str]] = defaultdict(list)
    for check in all_checks():
        for one in check.requirements:
            found[one].append(check.name)
    return {one: sorted(names) for one, names in found.items()}


def contradictions() -> list[str]:
    """Gives the ids that are tested and say why not, or are neither tested nor say why."""
    proved = proofs()
    return [row.id for row in requirements().values() if bool(row.why_not_tested) is (row.id in proved)]


def page() -> str:
    """Gives the whole page."""
    proved = proofs()
    lines = [_HEAD, *_counts(proved)]
    for group, rows in groupby(requirements().values(), key=lambda row: row.group):
        lines += [
            "",
            f"## {_GROUPS[group]}",
            "",
            "| id | level | requirement | shown by, or why not |",
            "|---|---|---|---|",
        ]
        lines += [_row(row, proved.get(row.id, ())) for row in rows]
    return "\n".join(lines) + "\n"


def _counts(proved: Mapping[str, Sequence[str]]) -> list[str]:
    named = [f"{level} tested" for level in LEVELS]
    lines = [f"| | checks | requirements | {' | '.join(named)} |", f"|---|---|---|{'---|' * len(named)}"]
    rows = list(requirements().values())
    for group in (*_GROUPS, ""):
        some = [row for row in rows if not group or row.group == group]
        checks = {name for row in some for name in proved.get(row.id, ())}
        parts = []
        for level in LEVELS:
            of_level = [row for row in some if row.level == level]
            parts.append(f"{sum(row.id in proved for row in of_level)} of {len(of_level)}")
        title = _GROUPS.get(group, "**all**")
        lines.append(f"| {title} | {len(checks)} | {len(some)} | {' | '.join(parts)} |")
    return lines


def _row(row: Requirement, shown_by: Sequence[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in shown_by) if shown_by else f"*{row.why_not_tested}*"
    text = f"{row.text} <br>{row.source}" if row.group != "SDOHCC" else row.text
    return f"| {row.id} | {row.level} | {text.replace('|', chr(92) + '|')} | {shown} |"
