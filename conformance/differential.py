"""Do the hub's validator and HL7's think the same of thousands of small faults?

Run as ``python -m conformance.differential``: what the hub emits and the official examples of served types are
broken in one place each, by a seed; both validators judge every mutant. What the hub takes and HL7's validator
refuses must be covered by a row of ``exceptions.json``, else the exit code is 1.

What lives here: choosing the mutants, comparing, the table of disagreements. What does not: the faults
(``conformance.mutations``), the validators.
"""

import random
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.emitted import emitted
from conformance.judge import CannotJudge, judge, missing_tools
from conformance.listening import Emitted
from conformance.mutations import KINDS, mutated
from conformance.verdicts import Verdict, excuse_for
from referral_hub.errors import MalformedContent
from referral_hub.fhir import json_codec
from referral_hub.fhir.validator import validate
from referral_hub.resources.catalog import DEFINITIONS

Json = dict[str, Any]

EXAMPLES = Path(__file__).parents[1].parent / "shared/fhir/examples"
PER_KIND_AND_TYPE = int(__import__("os").environ.get("PER", 4))
FEWEST = 3000
SEED = int(__import__("os").environ.get("SEED", 20261124))


@dataclass(frozen=True, slots=True)
class Case:
    """One mutant: its name, its bytes, the kind of fault, and what the hub's validator says (empty: valid)."""

    name: str
    body: bytes
    kind: str
    told: tuple[str, ...]


def sources(bodies: Iterable[Emitted]) -> dict[str, list[tuple[str, Json]]]:
    """Gives the valid resources that are broken, by type: those the hub emitted, and official examples."""
    found: dict[str, list[tuple[str, Json]]] = defaultdict(list)
    for one in bodies:
        resource = json_codec.decode_object(one.body)
        if resource["resourceType"] in (*DEFINITIONS, "Bundle") and len(one.body) < 20_000:
            found[resource["resourceType"]].append((one.name, resource))
    for file in sorted(EXAMPLES.glob("*.json")) if EXAMPLES.is_dir() else ():
        resource = json_codec.decode_object(file.read_bytes())
        if resource["resourceType"] in DEFINITIONS:
            found[resource["resourceType"]].append((file.name, resource))
    return dict(sorted(found.items()))


def cases(found: Mapping[str, Sequence[tuple[str, Json]]], per_kind: int = PER_KIND_AND_TYPE) -> list[Case]:
    """Gives the mutants: the same for the same sources, no two alike."""
    chance = random.Random(SEED)  # noqa: S311  nothing secret is drawn
    made: dict[bytes, Case] = {}
    for type_name, resources in found.items():
        for kind in KINDS:
            for _ in range(per_kind):
                name, resource = chance.choice(resources)
                mutant = mutated(resource, kind, chance.getrandbits(32))
                if mutant is None:
                    continue
                body = json_codec.encode(mutant.resource)
                told = f"{type_name}: {kind} at {mutant.place} (of {name})"
                made.setdefault(body, Case(told, body, kind, hub_says(body)))
    return list(made.values())


def hub_says(body: bytes) -> tuple[str, ...]:
    """Gives what the hub's validator finds wrong with a body, each as ``code: text``; empty for nothing."""
    try:
        resource = json_codec.decode_object(body)
    except MalformedContent as refused:
        return (f"{refused.issue_code}: {refused.text}",)
    return tuple(f"{issue.code}: {issue.text}" for issue in validate(resource) if issue.is_error)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What both said of the mutants."""

    both_refuse: int
    both_accept: int
    stricter: Mapping[str, Sequence[Case]]
    excused: Mapping[str, Sequence[Case]]
    unexplained: Sequence[tuple[Case, Verdict]]


def compare(judged: Sequence[tuple[Case, Verdict]]) -> Comparison:
    """Sorts mutants by who refuses what, and why."""
    stricter: dict[str, list[Case]] = defaultdict(list)
    excused: dict[str, list[Case]] = defaultdict(list)
    unexplained: list[tuple[Case, Verdict]] = []
    both_refuse = both_accept = 0
    for case, verdict in judged:
        if case.told and verdict.errors:
            both_refuse += 1
        elif case.told:
            stricter[_cause(case.told[0])].append(case)
        elif not verdict.errors:
            both_accept += 1
        else:
            rows = [excuse_for(fault, "accepted") for fault in verdict.errors]
            if any(row is None for row in rows):
                unexplained.append((case, verdict))
            else:
                for key in {row.key for row in rows if row is not None}:
                    excused[key].append(case)
    return Comparison(both_refuse, both_accept, stricter, excused, unexplained)


_VARIABLE = re.compile(r"\d+|possible (?:are|is) .*|: .*(?= and )")


def _cause(told: str) -> str:
    """Gives the kind of a sentence: without what differs from place to place."""
    rule = re.match(r"(?:\w|-)+: ([a-z]{2,4}-\d+):", told)
    return f"rule {rule[1]}" if rule else _VARIABLE.sub("…", told)[:110]


def report(compared: Comparison, total: int) -> bool:
    """Prints the table of disagreements and the figures; says whether all is well."""
    print("the hub is stricter than HL7's validator:")
    for cause, found in sorted(compared.stricter.items(), key=lambda row: -len(row[1])):
        print(f"  {len(found):5}  {cause}")
    print("HL7's validator is stricter, and the hub need not be:")
    for key, found in sorted(compared.excused.items(), key=lambda row: -len(row[1])):
        print(f"  {len(found):5}  {key}")
    for case, verdict in compared.unexplained:
        print(f"not explained: {case.name}")
        for fault in verdict.errors:
            print(f"    {fault.location}: {fault.message} ({fault.id})")
    stricter = sum(map(len, compared.stricter.values()))
    laxer = len({case.body for found in compared.excused.values() for case in found})
    print(
        f"differential: {total} mutants of {len(KINDS)} kinds: {compared.both_refuse} refused by both, "
        f"{compared.both_accept} accepted by both, {stricter} refused by the hub alone, "
        f"{laxer} by HL7's validator alone with a reason, {len(compared.unexplained)} without"
    )
    if total < FEWEST:
        print(f"not enough: at least {FEWEST} mutants are expected")
    return not compared.unexplained and total >= FEWEST


def main() -> int:
    """Breaks, judges and reports; gives the exit code."""
    if missing := missing_tools():
        print(f"conformance: {missing}")
        return 1
    made = cases(sources(emitted()))
    try:
        verdicts = judge((case.name, case.body) for case in made)
    except CannotJudge as failed:
        print(f"conformance: {failed}")
        return 1
    compared = compare(list(zip(made, verdicts, strict=True)))
    return 0 if report(compared, len(made)) else 1


if __name__ == "__main__":
    sys.exit(main())
