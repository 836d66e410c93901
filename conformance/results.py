"""What a check can come to, and what it says.

What lives here: the six results, the exceptions that end a check early, and the record of one result. What does
not: running (``conformance.runner``), writing it down (``conformance.reports``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """The six results.

    ``pass``: what the requirement says was seen. ``fail``: the opposite was seen. ``warn``: something recommended
    (SHOULD) was not there. ``skip``: it could not be tried here (no client configured, no such resource).
    ``omit``: the server does not claim it. ``error``: the check itself could not be carried out.
    """

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    WARN = "warn"
    SKIP = "skip"
    OMIT = "omit"
    ERROR = "error"


class Ended(Exception):
    """A check ended before its last line."""

    verdict = Verdict.ERROR


class Failed(Ended):
    """The server does not do what the requirement says."""

    verdict = Verdict.FAIL


class Skipped(Ended):
    """It could not be tried here."""

    verdict = Verdict.SKIP


class Omitted(Ended):
    """The server does not claim it, so there is nothing to check."""

    verdict = Verdict.OMIT


class Advised(Ended):
    """A recommendation was not followed."""

    verdict = Verdict.WARN


def expect(condition: object, message: str) -> None:
    """Ends the check as failed unless the condition holds.

    >>> expect(True, "never said")
    """
    if not condition:
        raise Failed(message)


def advise(condition: object, message: str) -> None:
    """Ends the check with a warning unless the condition holds: for a SHOULD inside a check of a SHALL.

    >>> advise(True, "never said")
    """
    if not condition:
        raise Advised(message)


@dataclass(frozen=True, slots=True)
class Result:
    """The result of one check.

    Args:
        check: its name, such as ``rest.read.id``.
        title: what it shows, one sentence.
        requirements: the ids of what it proves, from ``requirements.csv``.
        verdict: one of six.
        message: why it is not ``pass``.
        told: the requests and answers of a check that did not pass, secrets cut.
        seconds: how long it took.
    """

    check: str
    title: str
    requirements: tuple[str, ...]
    verdict: Verdict
    message: str = ""
    told: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def area(self) -> str:
        """Gives the part of the suite it belongs to."""
        return self.check.partition(".")[0]


def counted(results: Sequence[Result]) -> dict[str, int]:
    """Gives how many results there are of each kind, all six kinds named.

    >>> counted([])["fail"]
    0
    """
    return {verdict.value: sum(one.verdict is verdict for one in results) for verdict in Verdict}
