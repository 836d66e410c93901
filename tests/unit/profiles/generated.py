"""The committed JSON of the profiles, read once. What lives here: reading. What does not: what is right of it."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from referral_hub.fhir import json_codec

ROOT = Path(__file__).resolve().parents[3]
GENERATED = ROOT / "profiles" / "generated"
VALID = ROOT / "profiles" / "examples" / "valid"
BROKEN = ROOT / "profiles" / "examples" / "broken"
FILES = sorted(GENERATED.glob("*.json"))
VALID_FILES = sorted(VALID.glob("*.json"))
BROKEN_FILES = sorted(BROKEN.glob("*.json"))

Resource = dict[str, Any]


@cache
def resource(name: str) -> Resource:
    """Gives one generated resource by ``Type-id``."""
    found: Resource = json.loads((GENERATED / f"{name}.json").read_bytes())
    return found


def exact(file: Path) -> Resource:
    """Gives a file as the hub's own codec reads it: decimals as Decimal."""
    found = json_codec.decode(file.read_bytes())
    assert isinstance(found, dict)
    return found


def of_type(type_name: str) -> list[Resource]:
    """Gives every generated resource of a type."""
    return [resource(file.stem) for file in FILES if file.name.startswith(f"{type_name}-")]


def profiles() -> list[Resource]:
    """Gives the profiles: constraints on resource types."""
    return [s for s in of_type("StructureDefinition") if s["type"] != "Extension"]


def examples() -> list[Resource]:
    """Gives the valid examples: those made for the purpose, and the instruments."""
    return [json.loads(file.read_bytes()) for file in VALID_FILES] + of_type("Questionnaire")


def codes_of(system: str) -> list[str]:
    """Gives the codes of one of the hub's code systems, in its order."""
    return [concept["code"] for concept in resource(f"CodeSystem-{system}")["concept"]]


def codes_in(value_set: str) -> set[tuple[str, str]]:
    """Gives the codes a value set names one by one, with their systems."""
    return {
        (part["system"], concept["code"])
        for part in resource(f"ValueSet-{value_set}")["compose"]["include"]
        for concept in part.get("concept", ())
    }


def invariants_of(profile: Resource) -> dict[str, tuple[str, str]]:
    """Gives the hub's own invariants of a profile: the path they stand on and the expression, by key."""
    return {
        rule["key"]: (element["path"], rule["expression"])
        for element in profile["differential"]["element"]
        for rule in element.get("constraint", ())
        if rule["key"].startswith("hub-")
    }
