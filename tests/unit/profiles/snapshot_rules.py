"""A small reader of snapshots, the oracle of the examples: which rules of a profile does a resource break?

What lives here: cardinality, fixed and pattern values, required bindings to the hub's own value sets, types of
references and of choices, slices by value and by pattern, and the hub's invariants. What does not: anything that
R4 itself says (``referral_hub.fhir.validator``). It is slow and plain on purpose, and shares no code with the hub
but the FHIRPath of the invariants and the codes of R4's own systems.
"""

from collections.abc import Iterator
from typing import Any

from referral_hub.fhir.code_tables import defined_codes
from referral_hub.fhir.fhirpath.compiler import compile_expression
from referral_hub.fhir.fhirpath.nodes import Node, resource_node
from referral_hub.fhir.validation_run import Run
from tests.unit.profiles.generated import Resource, codes_of, of_type, resource

OWN = "https://referral-hub.example/fhir/"


def broken_rules(body: Resource, profile: Resource) -> set[str]:
    """Gives what a resource breaks, as texts ``path: rule``."""
    elements = [e for e in profile["snapshot"]["element"] if "." in e["path"]]
    found = set(_walk(body, profile["type"], profile["type"], elements))
    return found | set(_invariants(body, profile))


def _walk(value: Any, path: str, key: str, elements: list[Resource]) -> Iterator[str]:
    children = [e for e in elements if e["id"].rpartition(".")[0] == key]
    plain = [e for e in children if ":" not in e["id"].rpartition(".")[2]]
    for element in plain:
        items = _items(value, element)
        where = element["path"]
        yield from _count(items, element, where)
        slices = [e for e in children if e["id"].startswith(f"{element['id']}:")]
        taken: dict[str, list[Any]] = {e["id"]: [] for e in slices}
        for name, item in items:
            mine = next((e for e in slices if _belongs(item, e, element, elements)), None)
            if mine is not None:
                taken[mine["id"]].append((name, item))
            elif slices and element.get("slicing", {}).get("rules") == "closed":
                yield f"{where}: no slice"
            for one in filter(None, (element, mine)):
                yield from _value(name, item, one)
                if isinstance(item, dict):
                    yield from _walk(item, where, one["id"], elements)
        for one in slices:
            yield from _count(taken[one["id"]], one, one["id"])


def _items(value: Any, element: Resource) -> list[tuple[str, Any]]:
    if not isinstance(value, dict):
        return []
    last = element["path"].rpartition(".")[2]
    if last.endswith("[x]"):
        stem = last.removesuffix("[x]")
        return [
            (n, v) for n, v in value.items() if n.startswith(stem) and n[len(stem) : len(stem) + 1].isupper()
        ]
    found = value.get(last)
    return [(last, item) for item in (found if isinstance(found, list) else [] if found is None else [found])]


def _count(items: list[Any], element: Resource, where: str) -> Iterator[str]:
    if len(items) < element["min"]:
        yield f"{where}: min"
    if element["max"] != "*" and len(items) > int(element["max"]):
        yield f"{where}: max"


def _value(name: str, item: Any, element: Resource) -> Iterator[str]:
    where = element["path"]
    for key, wanted in element.items():
        if key.startswith("fixed") and item != wanted:
            yield f"{where}: fixed"
        if key.startswith("pattern") and not _contains(item, wanted):
            yield f"{where}: pattern"
    types = element.get("type", ())
    if where.endswith("[x]"):
        stem = where.rpartition(".")[2].removesuffix("[x]")
        if name.removeprefix(stem).lower() not in {t["code"].lower() for t in types}:
            yield f"{where}: type"
            return
    targets = {t.rsplit("/", 1)[1] for entry in types for t in entry.get("targetProfile", ())}
    pointed = item.get("reference") if isinstance(item, dict) else None
    if isinstance(pointed, str) and targets - {"Resource"} and pointed.split("/")[0] not in targets:
        yield f"{where}: target"
    if isinstance(item, dict) and where.endswith("extension") and str(item.get("url", "")).startswith(OWN):
        extension = resource(f"StructureDefinition-{item['url'].rsplit('/', 1)[1]}")
        inner = [e for e in extension["snapshot"]["element"] if "." in e["path"]]
        yield from _walk(item, "Extension", "Extension", inner)
    bound = element.get("binding", {})
    own = bound.get("strength") == "required" and str(bound.get("valueSet", "")).startswith(OWN)
    if own and not _in_value_set(item, bound["valueSet"].partition("|")[0]):
        yield f"{where}: binding"


def _in_value_set(item: Any, url: str) -> bool:
    (value_set,) = (v for v in of_type("ValueSet") if v["url"] == url)
    pairs = (
        [(None, item)]
        if isinstance(item, str)
        else [(c.get("system"), c.get("code")) for c in item.get("coding", [item])]
    )
    return any(_included(part, *pair) for part in value_set["compose"]["include"] for pair in pairs)


def _included(part: Resource, system: str | None, code: Any) -> bool:
    if system not in (None, part["system"]):
        return False
    if "concept" in part:
        return code in [concept["code"] for concept in part["concept"]]
    if part["system"].startswith(OWN):
        return code in codes_of(part["system"].rsplit("/", 1)[1])
    known = defined_codes(part["system"])
    return known is not None and code in known


def _belongs(item: Any, one: Resource, element: Resource, elements: list[Resource]) -> bool:
    return all(
        _discriminates(item, one, rule["path"], elements) for rule in element["slicing"]["discriminator"]
    )


def _discriminates(item: Any, one: Resource, path: str, elements: list[Resource]) -> bool:
    if path == "url":
        (target,) = (t for t in one["type"] if t["code"] == "Extension")
        if "profile" in target:
            return bool(item.get("url") == target["profile"][0])
        (url,) = (e for e in elements if e["id"] == f"{one['id']}.url")
        return bool(item.get("url") == url["fixedUri"])
    place = one["id"] if path == "$this" else f"{one['id']}.{path}"
    (rule,) = (e for e in elements if e["id"] == place)
    reached = [item]
    for step in () if path == "$this" else path.split("."):
        reached = [
            v for r in reached for v in (r[step] if isinstance(r.get(step), list) else [r.get(step)]) if v
        ]
    wanted = next(v for k, v in rule.items() if k.startswith(("fixed", "pattern")))
    return any(_contains(value, wanted) for value in reached)


def _contains(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict):
        return isinstance(value, dict) and all(_contains(value.get(k), v) for k, v in wanted.items())
    if isinstance(wanted, list):
        return isinstance(value, list) and all(any(_contains(v, w) for v in value) for w in wanted)
    return bool(value == wanted)


def _invariants(body: Resource, profile: Resource) -> Iterator[str]:
    run = Run(body, body)
    root = resource_node(body)
    assert root is not None
    for element in profile["snapshot"]["element"]:
        for rule in element.get("constraint", ()):
            if not rule["key"].startswith("hub-"):
                continue
            inside = element["path"].partition(".")[2]
            holds = f"{inside}.all({rule['expression']})" if inside else rule["expression"]
            answer = compile_expression(holds).values(run.scope(body, root.type_name))
            if [a.value if isinstance(a, Node) else a for a in answer] == [False]:
                yield f"{element['path']}: {rule['key']}"
