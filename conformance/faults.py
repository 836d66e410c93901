"""Small faults of single elements: one function per kind, each puts it into one place that a seed chooses.

What lives here: the kinds. What does not: the values (``conformance.fault_values``), faults of a whole resource
(``conformance.whole_faults``), and which resources are broken (``conformance.differential``).

A fault need not make the resource invalid: dropping an element or adding a code may be quite right. What is
looked for is that both validators think the same.
"""

import copy
import random
from collections.abc import Callable, Mapping
from typing import Any

from conformance import fault_values as values
from conformance import whole_faults
from conformance.filling import UCUM
from conformance.resource_nodes import Node, nodes
from referral_hub.fhir.element_tables import is_primitive, json_name, properties

Json = dict[str, Any]
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
    others = [
        kind for kind in node.row.types if json_name(node.row, kind) not in node.owner and is_primitive(kind)
    ]
    if others:
        kind = chance.choice(others)
        node.owner[json_name(node.row, kind)] = values.SOUND.get(kind, "x")


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
    node.owner[f"_{node.key}"] = chance.choice(
        ([None] * count, [beside] * (count + 1), [], beside, [{}] * count)
    )


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


def _wrong_coding(coding: Json) -> None:
    coding["code"] = "no-such-code"


def _change_reference(node: Node, chance: random.Random) -> None:
    target = node.primitives()[0]
    if isinstance(target, dict):
        target["reference"] = chance.choice(values.BAD_REFERENCES)


def _change_reference_type(node: Node, chance: random.Random) -> None:
    target = node.primitives()[0]
    if isinstance(target, dict):
        target["type"] = chance.choice(("Patient", "Organization", "Banana", "Task", "patient", ""))


def _turn_period(period: Json) -> None:
    period["start"], period["end"] = "2026-12-31", "2026-01-01"


def _turn_range(found: Json) -> None:
    found["low"] = {"value": 9, "unit": "mg", "system": UCUM, "code": "mg"}
    found["high"] = {"value": 1, "unit": "mg", "system": UCUM, "code": "mg"}


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
                lambda: found.update(code="banana", system=UCUM),
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
    "code with blanks": _at(
        when=_is("code"), do=_values(" active", "active ", "a  b", "", "a\tb", "ac tive")
    ),
    "coding with a wrong code": _at(when=_is("Coding"), do=_in_object(_wrong_coding)),
    "coding without a system": _at(
        when=_is("Coding"), do=_in_object(lambda coding: coding.pop("system", None) and None)
    ),
    "coding of another system": _at(
        when=_is("Coding"),
        do=_in_object(lambda coding: coding.update(system="http://hl7.org/fhir/administrative-gender")),
    ),
    "system that is relative": _at(
        when=_is("Coding"), do=_in_object(lambda coding: coding.update(system="x"))
    ),
    "value of a wrong kind": _at(when=_always, do=_wrong_kind),
    "primitive of a wrong kind": _at(when=_simple, do=_wrong_kind),
    "number or boolean as text": _at(
        when=lambda node: _simple(node) and not _text(node), do=_first(_as_text)
    ),
    "text as number": _at(when=_text, do=_values(*values.NO_TEXTS)),
    "list for one, one for a list": _at(when=_always, do=_shape),
    "empty list": _at(when=_several, do=lambda node, chance: node.owner.update({node.key: []})),
    "empty object": _at(when=_complex, do=lambda node, chance: node.put({})),
    "null": _at(when=_always, do=lambda node, chance: node.owner.update({node.key: None})),
    "null in a list": _at(when=_several, do=_null_item),
    "bad text": _at(when=_is("string", "markdown"), do=_values(*values.BAD_TEXTS)),
    "bad date": _at(when=_is("date", "dateTime", "instant"), do=_values(*values.BAD_DATES)),
    "bad time": _at(
        when=_is("time"),
        do=_values("10:00", "25:00:00", "10:00:00Z", "10:00:00.5", "24:00:00", "1:00:00", "10:00:60"),
    ),
    "bad number": _at(
        when=_is("integer", "positiveInt", "unsignedInt", "decimal"), do=_values(*values.BAD_NUMBERS)
    ),
    "bad uri": _at(when=_is("uri", "url", "canonical", "oid", "uuid"), do=_values(*values.BAD_URIS)),
    "bad id": _at(when=_is("id"), do=_values("a b", "", "x" * 65, "a_b", "ü")),
    "bad base64": _at(
        when=_is("base64Binary"), do=_values("a", "====", "c2Vj cmV0", "ü", "c2VjcmV0\n", "-_==", "")
    ),
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
    "narrative": whole_faults.narrative,
    "contained": whole_faults.contained,
    "head of the resource": whole_faults.head,
    "another resource type": whole_faults.other_type,
    "value of another element": _from_elsewhere,
}
"""Every kind of fault by its name."""
