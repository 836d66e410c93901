"""How the story is told and how each step is proved.

What lives here: a step, what it must show (``Evidence``), the lines on the screen, waiting for something with a
deadline. What does not: the story itself (its chapters, beside this file).

A step is told only after it was verified. The first thing that is not as it must be ends the story, with what
was expected and what was seen.
"""

import shutil
import sys
import textwrap
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TextIO, TypeVar

from referral_hub.demo.smart_partner import Answer

T = TypeVar("T")
PATIENCE_S = 30.0
"""How long anything may take that the story waits for."""
_LOOK_S = 0.05
_WIDEST = 116


class Unexpected(Exception):
    """Something is not as the story tells it.

    Args:
        what: what was looked at.
        expected: what it must be.
        seen: what it is.
    """

    def __init__(self, what: str, expected: object, seen: object) -> None:
        super().__init__(what)
        self.what = what
        self.expected = expected
        self.seen = seen


class Evidence:
    """What a step shows. Each look counts; the first that fails ends the story.

    Args:
        nothing: the body that answers a question for something that never existed.
    """

    def __init__(self, nothing: bytes) -> None:
        self.count = 0
        self._nothing = nothing

    def same(self, what: str, seen: object, expected: object) -> None:
        """Two things are the same."""
        self.count += 1
        if seen != expected:
            raise Unexpected(what, expected, seen)

    def true(self, what: str, held: bool, seen: object = "") -> None:  # noqa: FBT001 - the verdict itself
        """Something holds."""
        self.count += 1
        if not held:
            raise Unexpected(what, "yes", seen or "no")

    def answered(self, what: str, answer: Answer, http_status: int, words: str = "") -> None:
        """A request was answered with this status, and with these words in it."""
        self.same(what, answer.http_status, http_status)
        if words:
            told = " ".join(answer.texts)
            self.true(f"{what}: says why", words in told, told)

    def absent(self, what: str, answers: Iterable[Answer]) -> None:
        """Each of these is answered, to the byte, like a question for something that never existed."""
        for answer in answers:
            self.same(what, (answer.http_status, answer.body), (404, self._nothing))

    def nothing_but(self, what: str, resource: Mapping[str, Any], elements: Iterable[str]) -> None:
        """A resource has no elements beside these."""
        extra = sorted(set(resource) - {"resourceType", "id", "meta", *elements})
        self.same(f"{what}: no further elements", extra, [])


@dataclass(frozen=True, slots=True)
class Step(Generic[T]):
    """One step: its number, when it happens in the story, its name, and how it is played and proved.

    ``play`` gives the line that is printed.
    """

    number: int
    when: str
    name: str
    play: Callable[[T], str]


@dataclass(slots=True)
class Stage:
    """Where the story is told: lines to a terminal or a file, without colours."""

    out: TextIO = field(default_factory=lambda: sys.stdout)
    width: int = 0

    def __post_init__(self) -> None:
        self.width = self.width or min(_WIDEST, max(60, shutil.get_terminal_size((100, 24)).columns))

    def say(self, text: str = "") -> None:
        """Prints one plain sentence, folded to the width."""
        for line in textwrap.wrap(text, self.width) or [""]:
            self._line(line)

    def step(self, number: int, when: str, text: str, *, when_width: int) -> None:
        """Prints the line of a step, folded under itself."""
        head = f"{number:>2}  {when:<{when_width}}  "
        for line in textwrap.wrap(text, self.width, initial_indent=head, subsequent_indent=" " * len(head)):
            self._line(line)

    def failure(self, number: int, name: str, told: Unexpected) -> None:
        """Prints which step failed, what was looked at, what was expected and what was seen."""
        self._line(f"{number:>2}  FAILED: {name}")
        for label, value in (("looked at", told.what), ("expected", told.expected), ("seen", told.seen)):
            text = str(value)
            self._line(f"    {label:<10}{text if len(text) <= 2000 else text[:2000] + ' …'}")

    def table(self, title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Prints a table, each column as wide as what is in it."""
        self._line(title)
        widths = [max(len(row[column]) for row in (heads, *rows)) for column in range(len(heads))]
        for row in (heads, ["-" * width for width in widths], *rows):
            cells = [f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)]
            self._line("  ".join(cells).rstrip())

    def _line(self, text: str) -> None:
        self.out.write(f"{text}\n")
        self.out.flush()


def wait_for(what: str, look: Callable[[], T], good: Callable[[T], bool], *, patience_s: float = 0.0) -> T:
    """Looks again and again until what is seen is good, and gives it.

    Args:
        what: in a few words, for the case that it never is.
        look: gives what is seen now.
        good: tells whether that is enough.
        patience_s: how many seconds to go on; 30 by default.

    Raises:
        Unexpected: it was not good in time.
    """
    until_s = time.monotonic() + (patience_s or PATIENCE_S)
    while True:
        seen = look()
        if good(seen):
            return seen
        if time.monotonic() >= until_s:
            raise Unexpected(what, f"within {patience_s or PATIENCE_S:.0f} seconds", seen)
        time.sleep(_LOOK_S)
