"""Small faults, put into valid resources by a seed.

What lives here: one function per kind of fault. Each changes a resource in one place and says where. What does
not: which resources are broken and what the two validators say (``conformance.differential``).

A fault need not make the resource invalid: dropping an element or adding a code may be quite right. What is
looked for is that both validators think the same.

    >>> mutant = mutated({"resourceType": "Patient", "gender": "female"}, "code nobody knows", seed=1)
    >>> mutant.resource, mutant.place
    ({'resourceType': 'Patient', 'gender': 'no-such-code'}, 'Patient.gender')
"""

import copy
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from referral_hub.fhir.element_tables import (
    UNBOUNDED,
    ElementRow,
    index,
    is_primitive,
    json_name,
    part_table,
    properties,
)

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Node:
    """One property of an object in a resource: where it stands, what it may be, and how to name it."""

    owner: Json
    key: str
    row: ElementRow
    kind: str
    owner_kind: str
    path: str

    @property
    def value(self) -> Any:
        """Gives what stands there."""
        return self.owner[self.key]

    @property
    def required(self) -> bool:
        """Says whether R4 demands the element."""
        return self.row.min > 0

    def primitives(self) -> list[Any]:
        """Gives the values as a list, whether it is one or may repeat."""
        return self.value if isinstance(self.value, list) else [self.value]

    def put(self, value: Any) -> None:
        """Writes a value, as the only one of a list where the element repeats."""
        self.owner[self.key] = [value] if self.row.max == UNBOUNDED else value


@dataclass(frozen=True, slots=True)
class Mutant:
    """A resource with one fault, the kind of the fault, and where it is."""

    resource: Json
    kind: str
    place: str


def nodes(resource: Json) -> Iterator[Node]:
    """Gives every property of a resource that the tables know, the resources inside it included."""
    name = resource.get("resourceType")
    if isinstance(name, str) and name in index().resource_types:
        yield from _nodes(resource, name, name)


def _nodes(owner: Json, kind: str, path: str) -> Iterator[Node]:
    known = properties(kind)
    for key, value in owner.items():
        found = known.get(key)
        if found is None:
            continue
        place = f"{path}.{key}"
        yield Node(owner, key, found.row, found.type_name, kind, place)
        for item in value if isinstance(value, list) else [value]:
            if not isinstance(item, dict):
                continue
            if found.type_name == "Resource":
                inner = item.get("resourceType")
                if isinstance(inner, str) and inner in index().resource_types:
                    yield from _nodes(item, inner, place)
            elif not is_primitive(found.type_name):
                yield from _nodes(item, found.type_name, place)


def mutated(resource: Json, kind: str, seed: int) -> Mutant | None:
    """Gives the resource with one fault of a kind, or None where there is no place for it.

    Args:
        resource: decoded JSON; it is not altered.
        kind: a key of ``KINDS``.
        seed: chooses the place.
    """
    broken = copy.deepcopy(resource)
    chance = random.Random(seed)  # noqa: S311  nothing secret is drawn
    place = KINDS[kind](broken, chance)
    return Mutant(broken, kind, place) if place and broken != resource else None


Fault = Callable[[Json, random.Random], str]


def _at(*, when: Callable[[Node], bool], do: Callable[[Node, random.Random], None]) -> Fault:
    """Makes a fault that is put into one of the places where it can be."""

    def fault(resource: Json, chance: random.Random) -> str:
        possible = [node for node in nodes(resource) if when(node)]
        if not possible:
            return ""
        node = chance.choice(possible)
        do(node, chance)
        return node.path

    return fault


def _always(node: Node) -> bool:
    return True


def _is(*kinds: str) -> Callable[[Node], bool]:
    return lambda node: node.kind in kinds


def _simple(node: Node) -> bool:
    return is_primitive(node.kind) and node.kind != "xhtml"


def _text(node: Node) -> bool:
    return _simple(node) and all(isinstance(value, str) for value in node.primitives())


def _complex(node: Node) -> bool:
    return not is_primitive(node.kind) and node.kind != "Resource"


def _several(node: Node) -> bool:
    return isinstance(node.value, list)


def _values(*values: Any) -> Callable[[Node, random.Random], None]:
    return lambda node, chance: node.put(chance.choice(values))


def _first(change: Callable[[Any], Any]) -> Callable[[Node, random.Random], None]:
    """Changes the first value of a node."""

    def do(node: Node, chance: random.Random) -> None:
        if isinstance(node.value, list):
            node.value[0] = change(node.value[0])
        else:
            node.owner[node.key] = change(node.value)

    return do


def _in_object(change: Callable[[Json], None]) -> Callable[[Node, random.Random], None]:
    """Changes the object a node holds, the first one of a list."""

    def do(node: Node, chance: random.Random) -> None:
        first = node.primitives()[0]
        if isinstance(first, dict):
            change(first)

    return do


def _drop(node: Node, chance: random.Random) -> None:
    del node.owner[node.key]


def _unknown_element(node: Node, chance: random.Random) -> None:
    node.owner[chance.choice(("shoeSize", "Status", f"{node.key}X", "fhir_comments"))] = "x"


def _shape(node: Node, chance: random.Random) -> None:
    node.owner[node.key] = node.value[0] if isinstance(node.value, list) else [node.value]


def _second_choice(node: Node, chance: random.Random) -> None:
    others = [kind for kind in node.row.types if json_name(node.row, kind) not in node.owner and is_primitive(kind)]
    if others:
        kind = chance.choice(others)
        node.owner[json_name(node.row, kind)] = _SOUND.get(kind, "x")


def _other_choice(node: Node, chance: random.Random) -> None:
    value = node.owner.pop(node.key)
    node.owner[node.row.name + chance.choice(("Banana", "Meta", "Reference", "boolean"))] = value


def _wrong_kind(node: Node, chance: random.Random) -> None:
    node.put(chance.choice(("a text", 17, True, {"value": "x"}, ["x"])))


def _as_text(value: Any) -> Any:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _parallel(node: Node, chance: random.Random) -> None:
    beside = {"extension": [{"url": "https://referral-hub.example/fhir/x", "valueCode": "a"}]}
    count = len(node.value)
    node.owner[f"_{node.key}"] = chance.choice(([None] * count, [beside] * (count + 1), [], beside, [{}] * count))


def _beside(node: Node, chance: random.Random) -> None:
    absent = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
    sibling = chance.choice(
        (
            {"extension": [{"url": absent, "valueCode": "unknown"}]},
            {"extension": [{"url": absent, "valueCode": "banana"}]},
            {"extension": []},
            {"id": "a b"},
            {},
            {"value": "x"},
            "x",
            None,
        )
    )
    if chance.random() < 0.5:
        del node.owner[node.key]
    node.owner[f"_{node.key}"] = sibling


def _extension(node: Node, chance: random.Random) -> None:
    own = "https://referral-hub.example/fhir/StructureDefinition/x"
    core = "http://hl7.org/fhir/StructureDefinition/"
    made = chance.choice(
        (
            {"valueCode": "a"},
            {"url": own},
            {"url": own, "valueCode": "a", "extension": [{"url": own, "valueCode": "a"}]},
            {"url": own, "valueCode": "a", "valueString": "b"},
            {"url": "relative", "valueCode": "a"},
            {"url": own, "value": "a"},
            {"url": own, "valueBanana": "a"},
            {"url": f"{core}no-such-extension", "valueCode": "a"},
            {"url": f"{core}patient-birthTime", "valueDateTime": "2026-01-01T10:00:00Z"},
            {"url": f"{core}patient-interpreterRequired", "valueString": "yes"},
            {"url": f"{core}patient-interpreterRequired", "valueBoolean": True},
            {"url": f"{core}data-absent-reason", "valueCode": "unknown"},
            {"url": own, "extension": [{"url": "short", "valueString": "sound"}]},
            {"url": own, "valueReference": {"reference": "Patient/1"}},
        )
    )
    holder = node.primitives()[0]
    if isinstance(holder, dict):
        holder.setdefault("extension", []).append(made)


def _narrative(resource: Json, chance: random.Random) -> str:
    xhtml = '<div xmlns="http://www.w3.org/1999/xhtml">{}</div>'
    div = chance.choice(
        (
            "<div>no name space</div>",
            xhtml.format(""),
            xhtml.format("   "),
            xhtml.format("<script>x</script>"),
            xhtml.format('<p onclick="x">y</p>'),
            xhtml.format("<p>not closed"),
            xhtml.format("&nbsp;&eacute; sound"),
            xhtml.format("&banana;"),
            xhtml.format('<a href="javascript:x">y</a>'),
            xhtml.format('<img src="#a" alt="b"/>'),
            xhtml.format("<iframe>x</iframe>"),
            xhtml.format("<form><input/></form>"),
            xhtml.format("<!-- nothing but a note -->"),
            xhtml.format('<p style="color: red">sound</p>'),
            xhtml.format('<img src="https://elsewhere.test/a.png" alt="b"/>'),
            '<p xmlns="http://www.w3.org/1999/xhtml">no div</p>',
            "no mark-up",
            "",
        )
    )
    status = chance.choice(("generated", "additional", "empty", "banana"))
    if not any(row.name == "text" for row in part_table(resource["resourceType"]).elements):
        return ""
    resource["text"] = {"status": status, "div": div}
    return f"{resource['resourceType']}.text"


def _contained(resource: Json, chance: random.Random) -> str:
    if not any(row.name == "contained" for row in part_table(resource["resourceType"]).elements):
        return ""
    inner: list[Json] = chance.choice(
        (
            [{"resourceType": "Organization", "id": "nobody-points-here", "name": "x"}],
            [{"resourceType": "Organization", "name": "no id"}],
            [{"resourceType": "Banana", "id": "a"}],
            [{"id": "a"}],
            [{"resourceType": "Patient", "id": "a", "gender": "banana"}],
            [
                {
                    "resourceType": "Organization",
                    "id": "a",
                    "name": "x",
                    "contained": [{"resourceType": "Patient", "id": "b"}],
                }
            ],
            [{"resourceType": "Organization", "id": "a", "name": "x", "meta": {"versionId": "1"}}],
            [{"resourceType": "Organization", "id": "a", "name": "x", "meta": {"security": [{"code": "R"}]}}],
        )
    )
    resource["contained"] = inner
    return f"{resource['resourceType']}.contained"


def _root(resource: Json, chance: random.Random) -> str:
    name, value = chance.choice(
        (
            ("resourceType", "Banana"),
            ("resourceType", "patient"),
            ("resourceType", 1),
            ("resourceType", None),
            ("id", "a b"),
            ("id", "x" * 65),
            ("id", ""),
            ("id", 7),
            ("language", ""),
            ("language", "de DE"),
            ("implicitRules", "not a url"),
            ("implicitRules", "https://rules.referral-hub.example/x"),
            ("meta", {}),
            ("meta", {"lastUpdated": "2026-11-24"}),
            ("meta", {"profile": ["a b"]}),
            ("meta", {"tag": [{"system": "relative", "code": "a"}]}),
            ("meta", {"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "Q"}]}),
            ("contained", {}),
        )
    )
    resource[name] = value
    return f"{resource['resourceType']}.{name}"


def _other_type(resource: Json, chance: random.Random) -> str:
    resource["resourceType"] = chance.choice(("Task", "Patient", "Condition", "Location", "Basic"))
    return f"{resource['resourceType']}.resourceType"


def _from_elsewhere(resource: Json, chance: random.Random) -> str:
    """Puts a value under the name of another element of the same object."""
    possible = [node for node in nodes(resource) if node.key not in ("id", "extension")]
    if not possible:
        return ""
    node = chance.choice(possible)
    others = [name for name in properties(node.owner_kind) if name not in node.owner and name != "contained"]
    if not others:
        return ""
    name = chance.choice(sorted(others))
    node.owner[name] = copy.deepcopy(node.value)
    return f"{node.path} as {name}"


_SOUND: Mapping[str, Any] = {
    "boolean": True,
    "integer": 1,
    "positiveInt": 1,
    "unsignedInt": 1,
    "decimal": Decimal("1.5"),
    "date": "2026-11-24",
    "dateTime": "2026-11-24",
    "instant": "2026-11-24T10:00:00Z",
    "time": "10:00:00",
    "uri": "urn:x:y",
    "url": "https://a.referral-hub.example/x",
    "oid": "urn:oid:1.2.3",
    "uuid": "urn:uuid:2f0a3f4c-6a3c-4c55-9a0e-0f3b0f7d5a11",
    "base64Binary": "eA==",
}
_BAD_DATES: Sequence[Any] = (
    "2026-02-30", "2026-13-01", "2026-1-1", "26-01-01", "2026-11-24T10:00:00", "2026-11-24T25:00:00Z",
    "2026-11-24 10:00:00Z", "2026-11-24T10:00Z", "tomorrow", "2026/11/24", "2026-00-10", "0000", "2026-",
    "2026-11-24T10:00:00+15:00", "2026-11-24T10:00:60Z", "2026-02-29", "2024-02-29", "2026-11-24Z", "20261124",
    "2026-11-24T24:00:00Z", "12026-01-01", "2026-11-24T10:00:00.Z", " 2026-11-24", 20261124,
)  # fmt: skip
_BAD_TEXTS = (
    "", " ", "\n", " in blanks ", "two  blanks", "a\tb", "a\x00b", "a\x0bb", "line\nline", "  ", "x" * 20_000,
    "<b>html</b>", "zero​width",
)  # fmt: skip
_BAD_URIS = (
    "a b", "", "urn:oid:1.2.banana", "urn:oid:01.2.3", "urn:uuid:not-a-uuid", "http://", "relative", "http://a b/c",
    "urn:uuid:2F0A3F4C-6A3C-4C55-9A0E-0F3B0F7D5A11", "oid:1.2.3", "HTTP://A.test/x", "http://a.test/x|1.0", "#here",
    "urn:banana", "://x",
)  # fmt: skip
_BAD_REFERENCES = (
    "Patient/1", "Organization/1", "Banana/1", "Patient", "Patient/", "/Patient/1", "Patient/1/2", "Patient/a b",
    "#nothing", "#", "", "https://ehr.test/fhir/Patient/1", "urn:uuid:2f0a3f4c-6a3c-4c55-9a0e-0f3b0f7d5a11",
    "patient/1", "Patient/1/_history/2", "Patient/1/_history/", "Patient?identifier=x|y", "Location/1",
    "Medication/1", "https://ehr.test/Patient", "Patient/" + "x" * 65, "urn:uuid:x", "Task/1#a",
)  # fmt: skip
_BAD_NUMBERS = (-1, 0, 2_147_483_648, Decimal("1.5"), "7", True, Decimal("1E400"), Decimal("-0.0"), 10**20)
_UCUM = "http://unitsofmeasure.org"


def _wrong_coding(coding: Json) -> None:
    coding["code"] = "no-such-code"


def _change_reference(node: Node, chance: random.Random) -> None:
    target = node.primitives()[0]
    if isinstance(target, dict):
        target["reference"] = chance.choice(_BAD_REFERENCES)


def _change_reference_type(node: Node, chance: random.Random) -> None:
    target = node.primitives()[0]
    if isinstance(target, dict):
        target["type"] = chance.choice(("Patient", "Organization", "Banana", "Task", "patient", ""))


def _turn_period(period: Json) -> None:
    period["start"], period["end"] = "2026-12-31", "2026-01-01"


def _turn_range(found: Json) -> None:
    found["low"] = {"value": 9, "unit": "mg", "system": _UCUM, "code": "mg"}
    found["high"] = {"value": 1, "unit": "mg", "system": _UCUM, "code": "mg"}


def _break_quantity(node: Node, chance: random.Random) -> None:
    found = node.primitives()[0]
    if isinstance(found, dict):
        chance.choice(
            (
                lambda: found.pop("system", None),
                lambda: found.pop("value", None),
                lambda: found.pop("code", None),
                lambda: found.update(comparator="~"),
                lambda: found.update(comparator="<"),
                lambda: found.update(code="banana", system=_UCUM),
                lambda: found.update(value="1.5"),
                lambda: found.update(system="relative", code="x"),
            )
        )()


def _repeat(node: Node, chance: random.Random) -> None:
    node.value.append(copy.deepcopy(node.value[0]))


def _null_item(node: Node, chance: random.Random) -> None:
    node.value.insert(0, None)


QUANTITIES = ("Quantity", "SimpleQuantity", "Age", "Count", "Distance", "Duration")

KINDS: Mapping[str, Fault] = {
    "required element missing": _at(when=lambda node: node.required, do=_drop),
    "element missing": _at(when=_always, do=_drop),
    "unknown element": _at(when=_always, do=_unknown_element),
    "code nobody knows": _at(when=_is("code"), do=_values("no-such-code", "No-Such-Code", "no such code")),
    "code in capitals": _at(when=_is("code"), do=_first(lambda code: str(code).upper())),
    "code with blanks": _at(when=_is("code"), do=_values(" active", "active ", "a  b", "", "a\tb", "ac tive")),
    "coding with a wrong code": _at(when=_is("Coding"), do=_in_object(_wrong_coding)),
    "coding without a system": _at(when=_is("Coding"), do=_in_object(lambda coding: coding.pop("system", None) and None)),
    "coding of another system": _at(
        when=_is("Coding"),
        do=_in_object(lambda coding: coding.update(system="http://hl7.org/fhir/administrative-gender")),
    ),
    "system that is relative": _at(when=_is("Coding"), do=_in_object(lambda coding: coding.update(system="x"))),
    "value of a wrong kind": _at(when=_always, do=_wrong_kind),
    "primitive of a wrong kind": _at(when=_simple, do=_wrong_kind),
    "number or boolean as text": _at(
        when=lambda node: _simple(node) and not _text(node), do=_first(_as_text)
    ),
    "text as number": _at(when=_text, do=_values(1, Decimal("1.0"), False)),
    "list for one, one for a list": _at(when=_always, do=_shape),
    "empty list": _at(when=_several, do=lambda node, chance: node.owner.update({node.key: []})),
    "empty object": _at(when=_complex, do=lambda node, chance: node.put({})),
    "null": _at(when=_always, do=lambda node, chance: node.owner.update({node.key: None})),
    "null in a list": _at(when=_several, do=_null_item),
    "bad text": _at(when=_is("string", "markdown"), do=_values(*_BAD_TEXTS)),
    "bad date": _at(when=_is("date", "dateTime", "instant"), do=_values(*_BAD_DATES)),
    "bad time": _at(
        when=_is("time"), do=_values("10:00", "25:00:00", "10:00:00Z", "10:00:00.5", "24:00:00", "1:00:00", "10:00:60")
    ),
    "bad number": _at(
        when=_is("integer", "positiveInt", "unsignedInt", "decimal"), do=_values(*_BAD_NUMBERS)
    ),
    "bad uri": _at(when=_is("uri", "url", "canonical", "oid", "uuid"), do=_values(*_BAD_URIS)),
    "bad id": _at(when=_is("id"), do=_values("a b", "", "x" * 65, "a_b", "ü")),
    "bad base64": _at(when=_is("base64Binary"), do=_values("a", "====", "c2Vj cmV0", "ü", "c2VjcmV0\n", "-_==", "")),
    "bad boolean": _at(when=_is("boolean"), do=_values("true", 1, "True", "", 0)),
    "bad reference": _at(when=_is("Reference"), do=_change_reference),
    "type of a reference": _at(when=_is("Reference"), do=_change_reference_type),
    "second choice": _at(when=lambda node: node.row.choice, do=_second_choice),
    "choice of no such type": _at(when=lambda node: node.row.choice, do=_other_choice),
    "period that ends before it starts": _at(when=_is("Period"), do=_in_object(_turn_period)),
    "range from high to low": _at(when=_is("Range"), do=_in_object(_turn_range)),
    "broken quantity": _at(when=_is(*QUANTITIES), do=_break_quantity),
    "more than one": _at(when=_several, do=_repeat),
    "list beside a list": _at(when=lambda node: _simple(node) and _several(node), do=_parallel),
    "beside a primitive": _at(when=lambda node: _simple(node) and not _several(node), do=_beside),
    "extension": _at(when=_complex, do=_extension),
    "narrative": _narrative,
    "contained": _contained,
    "head of the resource": _root,
    "another resource type": _other_type,
    "value of another element": _from_elsewhere,
}
"""Every kind of fault by its name."""
