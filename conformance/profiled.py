"""The hub's profiles before HL7's validator: what they are made of, what meets them, and what breaks one rule.

What lives here: which files are judged (every definition, every valid example, every broken one), and whether a
broken one is refused for the very rule that ``profiles/examples/broken.json`` names. What does not: the validator
(``conformance.judge``), the profiles themselves (``profiles/``).
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from conformance.verdicts import Fault, Verdict
from scripts import build_profiles

BROKEN = build_profiles.PROFILES / "examples" / "broken"
RULES = BROKEN.with_suffix(".json")


@dataclass(frozen=True, slots=True)
class Profiled:
    """One file: its name, its bytes, and the rule it breaks (``Element.path: rule``; empty: it is valid)."""

    name: str
    body: bytes
    rule: str = ""


def profiled() -> list[Profiled]:
    """Gives every definition, every valid example, and every broken one with its rule."""
    sound = [Profiled(name, body) for name, body in build_profiles.committed().items()]
    rules: dict[str, str] = json.loads(RULES.read_bytes())
    return sound + [Profiled(f"broken/{name}", _broken(name), rule) for name, rule in rules.items()]


def _broken(name: str) -> bytes:
    return Path(BROKEN, f"{name}.json").read_bytes()


_IDS = {
    "min": r"Validation_VAL_Profile_Minimum(_SLICE(_EXT)?)?",
    "max": r"Validation_VAL_Profile_Maximum",
    "fixed": r"_DT_Fixed_Wrong",
    "pattern": r"TYPE_CHECKS_PATTERN_CC|_DT_Fixed_Wrong|TYPE_CHECKS_FIXED_CC",
    "binding": r"Terminology_TX_NoValid_\d+(_CC)?",
    "type": r"Extension_PROF_Type|Extension_EXT_Type|Validation_VAL_Profile_NoType",
    "target": r"Reference_REF_BadTargetType2?",
    "no slice": r"Validation_VAL_Profile_NotSlice",
}
"""The ids of the messages that HL7's validator has for each kind of rule."""


def refuses(rule: str, fault: Fault) -> bool:
    """Says whether an error is about this rule at this element.

    >>> missing = Fault("Validation_VAL_Profile_Minimum", "Task", "Task.focus: minimum required = 1, but only found 0")
    >>> refuses("Task.focus: min", missing), refuses("Task.focus: max", missing), refuses("Task.for: min", missing)
    (True, False, False)
    """
    path, _, kind = rule.rpartition(": ")
    if kind not in _IDS:
        return fault.id.endswith(f"#{kind}")
    if re.fullmatch(_IDS[kind], fault.id) is None:
        return False
    if kind in ("min", "max"):
        told = re.sub(r":[\w-]+(?=\.)", "", fault.message)
        return re.search(rf"(^|[\s'\"]){re.escape(path)}['\":]", told) is not None
    place = re.sub(r"\[[^\]]*\]|\.ofType\(\w+\)", "", fault.location)
    wanted = path.replace("[x]", "").removeprefix("Extension.")
    if kind == "type" and not fault.id.startswith("Extension_PROF"):
        return place.endswith(wanted.rpartition(".")[0])  # told of the element above
    return place.endswith(wanted) or f"{wanted}." in place  # a pattern is told of each of its parts


def broken_promises(files: Sequence[Profiled], verdicts: Sequence[Verdict]) -> Iterator[str]:
    """Gives a line for each file that is not judged as it should be."""
    for one, verdict in zip(files, verdicts, strict=True):
        told = "; ".join(f"{fault.location}: {fault.message} ({fault.id})" for fault in verdict.errors)
        if not one.rule and told:
            yield f"not valid: {one.name}: {told}"
        if one.rule and not any(refuses(one.rule, fault) for fault in verdict.errors):
            yield f"not refused for {one.rule}: {one.name}: {told or 'taken'}"


def report(files: Sequence[Profiled], verdicts: Sequence[Verdict]) -> bool:
    """Prints what is judged otherwise than it should be, and the figures; says whether all is well."""
    wrong = list(broken_promises(files, verdicts))
    for line in wrong:
        print(line)
    sound = sum(not one.rule for one in files)
    print(
        f"profiles: {sound} definitions and examples, {len(files) - sound} examples that break one rule each; "
        f"{len(wrong)} judged otherwise than they should be"
    )
    return not wrong
