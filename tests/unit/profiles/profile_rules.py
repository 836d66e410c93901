"""Which rules does a profile add to R4, and which of them can a resource break alone?

What lives here: reading rules off a differential. What does not: judging a resource (``snapshot_rules``).
"""

from collections.abc import Iterator

from tests.unit.profiles.generated import Resource


def breakable_rules(profile: Resource) -> set[str]:
    """Gives the rules of a profile that a resource can break without breaking another, as ``path: rule``."""
    snapshot = {element["id"]: element for element in profile["snapshot"]["element"]}
    entailed = set(_entailed(snapshot))
    return {
        rule
        for element in profile["differential"]["element"]
        for rule in _rules(element, snapshot[element["id"]])
        if (element["id"], rule.rpartition(": ")[2]) not in entailed
    }


def _rules(element: Resource, whole: Resource) -> Iterator[str]:
    path = element["path"]
    sliced = ":" in element["id"].rpartition(".")[2]
    base = {"min": 0, "max": "*"} if sliced else whole["base"]
    counted = element["id"] if sliced else path
    if element.get("min", 0) > base["min"]:
        yield f"{counted}: min"
    if element.get("max", "*") not in ("*", base["max"]):
        yield f"{counted}: max"
    for key in element:
        for kind in ("fixed", "pattern"):
            if key.startswith(kind):
                yield f"{path}: {kind}"
    if element.get("binding", {}).get("strength") == "required":
        yield f"{path}: binding"
    if "type" in element and path.endswith("[x]"):
        yield f"{path}: type"
    elif any("targetProfile" in entry for entry in element.get("type", ())):
        yield f"{path}: target"
    if element.get("slicing", {}).get("rules") == "closed":
        yield f"{path}: no slice"
    for rule in element.get("constraint", ()):
        yield f"{path}: {rule['key']}"


def _entailed(snapshot: dict[str, Resource]) -> Iterator[tuple[str, str]]:
    """Gives what no resource breaks alone: what makes an item a member of its slice, and what another rule says."""
    for key, element in snapshot.items():
        parent, _, last = key.rpartition(".")
        sliced = key.rpartition(":")[0] if ":" in last else ""
        if sliced:
            for rule in snapshot[sliced]["slicing"]["discriminator"]:
                steps = [] if rule["path"] == "$this" else rule["path"].split(".")
                for depth in range(len(steps) + 1):
                    # Without this value it would not be in the slice; a pattern or a fixed value says what it is.
                    yield ".".join((key, *steps[:depth])), "min" if depth else "pattern"
                yield ".".join((key, *steps)), "pattern"
                yield ".".join((key, *steps)), "fixed"
            if element["min"]:
                yield sliced, "min"  # the list has one because the slice has one
        if last == "code" and "required" in _strengths(snapshot, parent):
            yield key, "min"  # without a code it is in no list


def _strengths(snapshot: dict[str, Resource], key: str) -> set[str]:
    above = {key, key.rpartition(".")[0]}
    return {snapshot[one].get("binding", {}).get("strength", "") for one in above if one in snapshot}
