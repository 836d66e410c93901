"""Is everything the hub emits valid FHIR R4 by HL7's own validator?

Run as ``python -m conformance.emitted``: a hub in this process plays every state and every exit, HL7's
validator judges every distinct body it answered with. The last line is
``conformance: N resources, N valid``; the exit code is 1 where one is not.

What lives here: which stories are played, and the report. What does not: the stories themselves
(``conformance.stories`` and its neighbours), the validator (``conformance.judge``).
"""

import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from conformance import (
    answer_stories,
    further_stories,
    profiled_stories,
    record_stories,
    sent_stories,
    stories,
)
from conformance.judge import CannotJudge, judge, missing_tools
from conformance.listening import Emitted, Heard
from conformance.own_verdict import hub_says
from conformance.verdicts import Verdict, excuse_for
from referral_hub.fhir import json_codec
from referral_hub.resources.catalog import DEFINITIONS
from tests.world import World, opened_world

STORIES: tuple[Callable[[Heard, World], None], ...] = (
    stories.play_states,
    stories.play_releases,
    stories.play_handling,
    stories.play_return,
    stories.play_nameless,
    stories.play_recall,
    record_stories.play_records,
    record_stories.play_named_records,
    record_stories.play_directory,
    record_stories.play_own_records,
    answer_stories.play_bundles,
    answer_stories.play_operations,
    answer_stories.play_refusals,
    sent_stories.play_sent,
    profiled_stories.play_profiled,
    further_stories.play_further,
)

FEWEST = 2000
"""Fewer bodies than this mean that a story fell silent, not that the hub became simple."""

_ANSWERS = frozenset({"Bundle", "CapabilityStatement", "OperationOutcome", "Parameters"})


def emitted() -> list[Emitted]:
    """Plays all stories on a fresh hub and gives every distinct body it answered with."""
    heard = Heard()
    with tempfile.TemporaryDirectory() as folder:
        database = f"sqlite:///{Path(folder, 'hub.db')}"
        with opened_world(database, Path(folder, "hub")) as world:
            for play in STORIES:
                play(heard, world)
    return list(heard)


def report(bodies: Sequence[Emitted], verdicts: Sequence[Verdict]) -> bool:
    """Prints what is wrong with which body, and the figures; says whether all is well.

    Args:
        bodies: what was emitted; the hub's own validator is asked about each as well.
        verdicts: what HL7's validator says of each, in the same order.
    """
    broken = 0
    for one, verdict in zip(bodies, verdicts, strict=True):
        told = [f"{fault.location}: {fault.message} ({fault.id})" for fault in verdict.errors]
        told += [f"by the hub's own validator: {text}" for text in hub_says(one.body)]
        if told:
            broken += 1
            print("\n    ".join((f"not valid: {one.name}", *told)))
    for line in external_lines(verdicts):
        print(line)
    silent = _silent(bodies)
    for line in silent:
        print(f"not enough: {line}")
    print(f"conformance: {len(bodies)} resources, {len(bodies) - broken} valid")
    return not broken and not silent


def _silent(bodies: Sequence[Emitted]) -> list[str]:
    """Gives what should have been heard and was not, and what should not have been."""
    heard = {json_codec.decode_object(one.body)["resourceType"] for one in bodies}
    found = [f"no {name} was emitted" for name in sorted((_ANSWERS | DEFINITIONS.keys()) - heard)]
    found += [f"the hub failed: {one.name}" for one in bodies if "-> 5" in one.name]
    if len(bodies) < FEWEST:
        found.append(f"{len(bodies)} bodies, at least {FEWEST} are expected; a story fell silent")
    return found


def external_lines(verdicts: Iterable[Verdict]) -> list[str]:
    """Gives one line per kind of thing the validator said it cannot know."""
    counted = Counter(
        row.key
        for verdict in verdicts
        for fault in verdict.external
        if (row := excuse_for(fault, "external")) is not None
    )
    return [f"not counted, external: {count} times {key}" for key, count in counted.most_common()]


def main() -> int:
    """Plays, judges and reports; gives the exit code."""
    if missing := missing_tools():
        print(f"conformance: {missing}")
        return 1
    try:
        bodies = emitted()
        verdicts = judge((one.name, one.body) for one in bodies)
    except CannotJudge as failed:
        print(f"conformance: {failed}")
        return 1
    return 0 if report(bodies, verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
