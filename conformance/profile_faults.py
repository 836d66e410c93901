"""Faults that a profile of the hub may mind and R4 does not: one function per kind.

What lives here: small changes that stay valid R4, or nearly, put into a resource that claims a profile. What does
not: faults of R4 itself (``conformance.faults``), and which resources are broken (``conformance.differential``).

A change need not break the profile: what is looked for is that both validators think the same.
"""

import copy
import json
import random
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from conformance.filling import Filler
from conformance.resource_nodes import nodes
from referral_hub.fhir.canonical import CANONICAL, code_system, structure
from referral_hub.fhir.element_tables import part_table
from scripts import build_profiles

Json = dict[str, Any]
Fault = Callable[[Json, random.Random], str]


@cache
def _own(folder: str) -> tuple[Json, ...]:
    made = build_profiles.committed().items()
    return tuple(json.loads(body) for name, body in made if name.startswith(folder))


@cache
def _codes() -> Mapping[str, tuple[str, ...]]:
    """Gives the codes of the hub's own systems."""
    return {
        one["url"]: tuple(concept["code"] for concept in one["concept"])
        for one in _own(build_profiles.DEFINED)
        if one["resourceType"] == "CodeSystem"
    }


def _kin(resource: Json) -> list[Json]:
    return [one for one in _own(build_profiles.EXAMPLES) if one["resourceType"] == resource["resourceType"]]


def another_code(resource: Json, chance: random.Random) -> str:
    """Takes another code of the same system of the hub."""
    possible = [
        (node, coding)
        for node in nodes(resource)
        if node.kind == "Coding"
        for coding in node.primitives()
        if isinstance(coding, dict) and coding.get("system") in _codes()
    ]
    if not possible:
        return ""
    node, coding = chance.choice(possible)
    coding["code"] = chance.choice(_codes()[coding["system"]])
    coding.pop("display", None)
    return node.path


def another_display(resource: Json, chance: random.Random) -> str:
    """Gives a code of the hub other words than its own."""
    possible = [
        (node, coding)
        for node in nodes(resource)
        if node.kind == "Coding"
        for coding in node.primitives()
        if isinstance(coding, dict) and coding.get("system") in _codes()
    ]
    if not possible:
        return ""
    node, coding = chance.choice(possible)
    coding["display"] = "Other words"
    return node.path


def part_of_another(resource: Json, chance: random.Random) -> str:
    """Takes one element of another example of the same type."""
    others = _kin(resource)
    if not others:
        return ""
    other = chance.choice(others)
    name = chance.choice(sorted(other.keys() - {"resourceType", "id", "meta"}))
    resource[name] = copy.deepcopy(other[name])
    return f"{resource['resourceType']}.{name}"


def item_of_another(resource: Json, chance: random.Random) -> str:
    """Adds one item of a list of another example of the same type."""
    possible = [
        (name, item)
        for other in _kin(resource)
        for name, value in other.items()
        if isinstance(value, list) and isinstance(resource.get(name, []), list)
        for item in value
    ]
    if not possible:
        return ""
    name, item = chance.choice(possible)
    resource.setdefault(name, []).append(copy.deepcopy(item))
    return f"{resource['resourceType']}.{name}"


def element_more(resource: Json, chance: random.Random) -> str:
    """Fills one element that was absent."""
    kind = resource["resourceType"]
    filled = Filler(chance.getrandbits(32), {}).resource(kind)
    absent = sorted(filled.keys() - resource.keys() - {"text"})
    here = {row.name for row in part_table(kind).elements}
    absent = [name for name in absent if name in here]
    if not absent:
        return ""
    name = chance.choice(absent)
    resource[name] = filled[name]
    return f"{kind}.{name}"


def another_claim(resource: Json, chance: random.Random) -> str:
    """Claims another profile of the hub."""
    profiles = sorted({url for one in _own(build_profiles.EXAMPLES) for url in one["meta"]["profile"]})
    resource["meta"] = {"profile": [chance.choice(profiles)]}
    return f"{resource['resourceType']}.meta.profile"


def reference_to_another_type(resource: Json, chance: random.Random) -> str:
    """Points at something of another type."""
    possible = [
        (node, target)
        for node in nodes(resource)
        if node.kind == "Reference"
        for target in node.primitives()
        if isinstance(target, dict)
    ]
    if not possible:
        return ""
    node, target = chance.choice(possible)
    target.clear()
    kinds = ("Group", "Patient", "Practitioner", "PractitionerRole", "Organization", "Device", "CarePlan")
    target["reference"] = f"{chance.choice((*kinds, 'ServiceRequest', 'Task', 'Consent'))}/1"
    return node.path


def own_extension(resource: Json, chance: random.Random) -> str:
    """Adds an extension of the hub, rightly or wrongly made."""
    part: Json = {"url": "status", "valueCode": "capacity"}
    made = chance.choice(
        (
            {"url": structure("age-group"), "valueCode": "adult"},
            {"url": structure("age-group"), "valueString": "adult"},
            {"url": structure("age-group")},
            {"url": structure("age-band"), "valueCode": "25-34"},
            {"url": structure("age-band"), "valueInteger": 25},
            {"url": structure("no-name-referral"), "valueBoolean": False},
            {"url": structure("show-in-notice"), "valueCode": "name"},
            {"url": structure("safe-contact"), "valueString": "no"},
            {"url": structure("safe-contact"), "extension": [{"url": "channel", "valueCode": "in-person"}]},
            {"url": structure("safe-contact"), "extension": [{"url": "pigeon", "valueCode": "in-person"}]},
            {"url": structure("service-capacity"), "extension": [part]},
            {"url": structure("service-capacity"), "extension": [part, dict(part)]},
            {"url": structure("service-capacity"), "extension": [{"url": "note", "valueString": "a"}]},
            {"url": structure("directory-listed"), "valueBoolean": True},
        )
    )
    resource.setdefault("extension", []).append(made)
    return f"{resource['resourceType']}.extension"


def code_as_words(resource: Json, chance: random.Random) -> str:
    """Says in words what was a code."""
    possible = [node for node in nodes(resource) if node.kind == "CodeableConcept"]
    if not possible:
        return ""
    node = chance.choice(possible)
    node.put({"text": "in words"})
    return node.path


def code_beside(resource: Json, chance: random.Random) -> str:
    """Puts a second coding beside the first."""
    possible = [
        (node, found)
        for node in nodes(resource)
        if node.kind == "CodeableConcept"
        for found in node.primitives()
        if isinstance(found, dict) and isinstance(found.get("coding"), list)
    ]
    if not possible:
        return ""
    node, found = chance.choice(possible)
    system = chance.choice(
        ("urn:example:codes", code_system("care-stage"), code_system("information-category"))
    )
    code = chance.choice(_codes()[system]) if system.startswith(CANONICAL) else "a"
    found["coding"].insert(chance.randint(0, 1), {"system": system, "code": code})
    return node.path


PROFILE_KINDS: Mapping[str, Fault] = {
    "another code of the list": another_code,
    "other words for a code": another_display,
    "element of another example": part_of_another,
    "item of another example": item_of_another,
    "element more": element_more,
    "claim of another profile": another_claim,
    "reference to another type": reference_to_another_type,
    "extension of the hub": own_extension,
    "words for a code": code_as_words,
    "code beside a code": code_beside,
}
"""Every kind of fault by its name."""
