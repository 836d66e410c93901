"""What an error of HL7's validator means for the hub.

What lives here: a verdict, and the two tables of ``exceptions.json``: errors that only say that the validator
cannot know something (``external``), and errors that the hub need not share (``accepted``). What does not:
running the validator (``conformance.judge``).

Source: FHIR R4 ``terminologies.html#strength``, ``extensibility.html``.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

Table = Literal["external", "accepted"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One error: the validator's own id of the message, the place in the resource, the sentence."""

    id: str
    location: str
    message: str


@dataclass(frozen=True, slots=True)
class Excuse:
    """One row of ``exceptions.json``.

    Args:
        key: a short name of the row.
        id: the message's id, whole; ``*`` for any.
        message: what must be found in the sentence, as a pattern.
        location: what must be found in the place, as a pattern.
        reason: why this error does not count, in words.
    """

    key: str
    id: str
    message: re.Pattern[str]
    location: re.Pattern[str]
    reason: str

    def covers(self, fault: Fault) -> bool:
        """Says whether an error is of this kind."""
        return (
            self.id in ("*", fault.id)
            and self.message.search(fault.message) is not None
            and self.location.search(fault.location) is not None
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What HL7's validator says of one resource: the errors that count, and what it cannot know."""

    name: str
    errors: tuple[Fault, ...]
    external: tuple[Fault, ...] = ()


def verdict_of(name: str, faults: Iterable[Fault]) -> Verdict:
    """Gives a verdict: errors about what the validator cannot know stand apart.

    >>> unknown = Fault("Terminology_PassThrough_TX_Message", "Patient.language",
    ...                 'Code "vi" is not in valueset: http://hl7.org/fhir/ValueSet/languages')
    >>> wrong = Fault("Terminology_TX_NoValid_16", "Patient.gender", "The value provided ('banana') was not found")
    >>> found = verdict_of("a patient", [unknown, wrong])
    >>> found.errors == (wrong,), found.external == (unknown,)
    (True, True)
    """
    told = tuple(faults)
    external = tuple(fault for fault in told if excuse_for(fault, "external") is not None)
    return Verdict(name, tuple(fault for fault in told if fault not in external), external)


def excuse_for(fault: Fault, table: Table) -> Excuse | None:
    """Gives the row of a table that covers an error, or None."""
    return next((row for row in excuses(table) if row.covers(fault)), None)


@cache
def excuses(table: Table) -> tuple[Excuse, ...]:
    """Gives the rows of one table of ``exceptions.json``."""
    told = json.loads(Path(__file__).with_name("exceptions.json").read_bytes())
    return tuple(
        Excuse(
            row["key"],
            row["id"],
            re.compile(row.get("message", "")),
            re.compile(row.get("location", "")),
            row["reason"],
        )
        for row in told[table]
    )
