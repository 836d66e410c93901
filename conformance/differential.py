"""Do the hub's validator and HL7's think the same of thousands of small faults?

What lives here: choosing the mutants, comparing, the table of disagreements. What does not: the faults
(``conformance.faults``), the validators (``conformance.judge``, ``conformance.own_verdict``), running it all
(``conformance.hl7``).

What the hub takes and HL7's validator refuses must be covered by a row ``accepted`` of ``exceptions.json``.
"""

import random
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.faults import KINDS
from conformance.listening import Emitted
from conformance.mutations import mutated
from conformance.own_verdict import hub_says
from conformance.profile_faults import PROFILE_KINDS
from conformance.verdicts import Verdict, excuse_for
from referral_hub.fhir import json_codec
from referral_hub.fhir.canonical import CANONICAL
from referral_hub.resources.catalog import DEFINITIONS
from scripts import build_profiles

Json = dict[str, Any]
Source = tuple[str, Json]

EXAMPLES = Path(__file__).parents[2] / "shared/fhir/examples"
"""The official examples; where they are not at hand, what the hub emits is broken more often instead."""

MUTANTS = 5000
FEWEST = 3000
"""Fewer mutants than this mean that a kind of fault found no place any more."""

SEED = 20261124
LARGEST_SOURCE = 20_000
"""Bytes. In a larger Bundle one fault is a needle."""


@dataclass(frozen=True, slots=True)
class Case:
    """One mutant: its name, its bytes, and what the hub's validator says (empty: valid)."""

    name: str
    body: bytes
    told: tuple[str, ...]


def sources(bodies: Iterable[Emitted]) -> dict[str, list[Source]]:
    """Gives the valid resources that are broken, by type: what the hub emitted, its examples, the official ones.

    What claims a profile stands apart from the rest of its type, so that as many mutants are made of it.
    """
    found: dict[str, list[Source]] = defaultdict(list)
    for one in bodies:
        if len(one.body) <= LARGEST_SOURCE:
            _add(found, one.name, one.body, (*DEFINITIONS, "Bundle"))
    for name, body in build_profiles.committed().items():
        if name.startswith(build_profiles.EXAMPLES):
            _add(found, name, body, DEFINITIONS)
    for file in sorted(EXAMPLES.glob("*.json")) if EXAMPLES.is_dir() else ():
        _add(found, file.name, file.read_bytes(), DEFINITIONS)
    return dict(sorted(found.items()))


def _add(found: dict[str, list[Source]], name: str, body: bytes, types: Iterable[str]) -> None:
    resource = json_codec.decode_object(body)
    if resource["resourceType"] in types:
        found[_kind_of(resource)].append((name, resource))


def _kind_of(resource: Json) -> str:
    own = [url for url in resource.get("meta", {}).get("profile", ()) if url.startswith(CANONICAL)]
    return (
        f"{resource['resourceType']} ({own[0].rpartition('/')[2]})" if own else str(resource["resourceType"])
    )


def cases(found: Mapping[str, Sequence[Source]], wanted: int = MUTANTS, seed: int = SEED) -> list[Case]:
    """Gives about as many mutants as wanted, each kind of fault in each type alike; no two are the same."""
    chance = random.Random(seed)  # noqa: S311  nothing secret is drawn
    each = max(1, round(wanted / (len(KINDS) * max(1, len(found))) * _SOME_FIND_NO_PLACE))
    made: dict[bytes, Case] = {}
    for type_name, resources in found.items():
        under_a_profile = type_name.endswith(")")
        kinds = (*KINDS, *PROFILE_KINDS) if under_a_profile else KINDS
        for kind in kinds:
            for _ in range(each * _AS_OFTEN if kind in PROFILE_KINDS else each):
                name, resource = chance.choice(resources)
                mutant = mutated(resource, kind, chance.getrandbits(32))
                if mutant is not None:
                    body = json_codec.encode(mutant.resource)
                    told = f"{type_name}: {kind} at {mutant.place} (of {name})"
                    made.setdefault(body, Case(told, body, hub_says(body)))
    return list(made.values())


_SOME_FIND_NO_PLACE = 1.2
_AS_OFTEN = 5
"""A fault that only a profile minds is made this many times as often as one that R4 minds."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What both said of the mutants.

    ``stricter``: refused by the hub alone, by cause. ``excused``: refused by HL7's validator alone, by the row
    of ``exceptions.json`` that covers it. ``unexplained``: those no row covers.
    """

    both_refuse: int
    both_accept: int
    stricter: Mapping[str, Sequence[Case]]
    excused: Mapping[str, Sequence[Case]]
    unexplained: Sequence[tuple[Case, Verdict]]


def compare(judged: Iterable[tuple[Case, Verdict]]) -> Comparison:
    """Sorts mutants by who refuses them, and why."""
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
            rows = {excuse_for(fault, "accepted") for fault in verdict.errors}
            if None in rows:
                unexplained.append((case, verdict))
            for row in rows - {None}:
                if row is not None and None not in rows:
                    excused[row.key].append(case)
    return Comparison(both_refuse, both_accept, stricter, excused, unexplained)


_RULE = re.compile(r"[\w-]+: ([a-z]+-\d+):")
_VARIABLE = re.compile(r"(?:possible are|did you mean|leads to|code: write) .*|\S+ and _\S+|there: .*")


def _cause(told: str) -> str:
    """Gives the kind of a sentence: the rule it names, or the sentence without what differs by place."""
    rule = _RULE.match(told)
    return f"rule {rule[1]}" if rule else _VARIABLE.sub("…", told)


def report(compared: Comparison, total: int) -> bool:
    """Prints the table of disagreements and the figures; says whether all is well."""
    print("refused by the hub alone:")
    _print_table(compared.stricter)
    print("refused by HL7's validator alone, with the reason in exceptions.json:")
    _print_table(compared.excused)
    for case, verdict in compared.unexplained:
        print(f"taken by the hub, refused by HL7's validator: {case.name}")
        for fault in verdict.errors:
            print(f"    {fault.location}: {fault.message} ({fault.id})")
    stricter = sum(map(len, compared.stricter.values()))
    laxer = len({case.body for found in compared.excused.values() for case in found})
    print(
        f"differential: {total} mutants of {len(KINDS) + len(PROFILE_KINDS)} kinds; "
        f"refused by both {compared.both_refuse}, "
        f"taken by both {compared.both_accept}, refused by the hub alone {stricter}, "
        f"by HL7's validator alone {laxer} with a reason and {len(compared.unexplained)} without"
    )
    if total < FEWEST:
        print(f"not enough: at least {FEWEST} mutants are expected")
    return not compared.unexplained and total >= FEWEST


def _print_table(found: Mapping[str, Sequence[Case]]) -> None:
    for cause, those in sorted(found.items(), key=lambda row: (-len(row[1]), row[0])):
        print(f"  {len(those):5}  {cause}")
