"""Results written down: as text for people, as JSON and JUnit for programs.

What lives here: three forms of one list of results. What does not: the page of coverage
(``conformance.coverage``).
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from xml.sax.saxutils import escape, quoteattr

from conformance.results import Result, Verdict, counted

_QUIET = (Verdict.PASS, Verdict.SKIP, Verdict.OMIT)
_NOT_XML = {code: None for code in range(32) if code not in (9, 10, 13)}


def line(result: Result) -> str:
    """Gives one result as a line.

    >>> line(Result("rest.read", "A read", ("R-1",), Verdict.PASS))
    'pass   rest.read [R-1]'
    """
    message = f": {result.message}" if result.message else ""
    return f"{result.verdict.value:6} {result.check} [{', '.join(result.requirements)}]{message}"


def text(results: Sequence[Result], *, base: str, whole: bool) -> str:
    """Gives the results as text: what is wrong with its exchanges, then the counts.

    Args:
        results: of one run.
        base: the server they are about.
        whole: every result has its line; else only those that are no pass, and omissions are counted.
    """
    lines = [f"Conformance of {base}", ""]
    for result in results:
        if whole or result.verdict not in _QUIET:
            lines.append(line(result))
            if result.verdict not in _QUIET:
                lines.append(f"       {result.title}")
            for told in result.told:
                lines += [f"       | {one}" for one in told.splitlines()]
    lines += ["", sentence(results)]
    return "\n".join(lines)


def sentence(results: Sequence[Result]) -> str:
    """Gives the counts in one line.

    >>> sentence([])
    '0 checks: 0 pass, 0 fail, 0 warn, 0 skip, 0 omit, 0 error'
    """
    return f"{len(results)} checks: " + ", ".join(f"{n} {name}" for name, n in counted(results).items())


def as_json(results: Sequence[Result], *, base: str) -> str:
    """Gives the results as one JSON object."""
    found = {"base": base, "counts": counted(results), "results": [asdict(one) for one in results]}
    return json.dumps(found, indent=1, default=str)


def as_junit(results: Sequence[Result], *, base: str) -> str:
    """Gives the results as JUnit XML, one suite per area; a warning is a passed case that says something."""
    counts = counted(results)
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<testsuites name={quoteattr(base)} tests="{len(results)}" failures="{counts["fail"]}" '
        f'errors="{counts["error"]}" skipped="{counts["skip"] + counts["omit"]}">',
    ]
    for area in dict.fromkeys(one.area for one in results):
        some = [one for one in results if one.area == area]
        counts = counted(some)
        lines.append(
            f'<testsuite name={quoteattr(area)} tests="{len(some)}" failures="{counts["fail"]}" '
            f'errors="{counts["error"]}" skipped="{counts["skip"] + counts["omit"]}" '
            f'time="{sum(one.seconds for one in some):.3f}">'
        )
        lines += [_case(one) for one in some]
        lines.append("</testsuite>")
    lines.append("</testsuites>")
    return "\n".join(lines) + "\n"


def _case(result: Result) -> str:
    name = f"{result.check} [{', '.join(result.requirements)}]"
    opened = (
        f'<testcase classname={quoteattr(result.area)} name={quoteattr(name)} time="{result.seconds:.3f}">'
    )
    message = quoteattr(result.message.translate(_NOT_XML))
    told = escape("\n\n".join(result.told).translate(_NOT_XML))
    inside = {
        Verdict.PASS: "",
        Verdict.FAIL: f"<failure message={message}>{told}</failure>",
        Verdict.ERROR: f"<error message={message}>{told}</error>",
        Verdict.SKIP: f"<skipped message={message}/>",
        Verdict.OMIT: f"<skipped message={message}/>",
        Verdict.WARN: f"<system-out>{escape(result.message.translate(_NOT_XML))}\n{told}</system-out>",
    }[result.verdict]
    return f"{opened}{inside}</testcase>"
