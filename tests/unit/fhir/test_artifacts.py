"""The hub's own definitions are found in the tree, and an installed hub carries the same folder."""

import json
import tomllib
from pathlib import Path

from referral_hub.fhir import artifacts

ROOT = Path(__file__).resolve().parents[3]
DEFINING = {
    "Basic", "CapabilityStatement", "CodeSystem", "ConceptMap", "OperationDefinition", "Questionnaire",
    "SearchParameter", "StructureDefinition", "ValueSet",
}  # fmt: skip


def test_every_file_defines_what_its_name_says() -> None:
    found = artifacts.artifact_files()
    for file in found:
        told = json.loads(file.read_bytes())
        assert file.name == f"{told['resourceType']}-{told['id']}.json"
    assert {file.name.partition("-")[0] for file in found} == DEFINING
    assert list(found) == sorted(found)


def test_the_wheel_carries_the_folder_where_the_code_looks_first() -> None:
    told = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    carried = told["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    in_the_package = artifacts._IN_THE_PACKAGE.relative_to(ROOT).as_posix()
    assert {value: ROOT / key for key, value in carried.items()} == {in_the_package: artifacts._IN_THE_TREE}
