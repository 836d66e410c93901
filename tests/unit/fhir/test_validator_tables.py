"""The generated tables: that they hold all of R4 and say what R4 says."""

import runpy
import shutil
from pathlib import Path

import pytest

from referral_hub.fhir import code_tables, element_tables
from referral_hub.fhir.element_tables import UNBOUNDED, index, part_table, properties, type_entry
from referral_hub.fhir.extension_tables import known_extension
from referral_hub.fhir.field_rules import type_rule

ROOT = Path(__file__).resolve().parents[3]
PACKAGE = ROOT.parent / "shared" / "fhir" / "hl7.fhir.r4.core-4.0.1.tgz"
DEFINITIONS = ROOT / "referral_hub" / "fhir" / "definitions"


def test_all_of_r4_is_there():
    assert len(index().resource_types) == 146
    assert len(index().primitives) == 20
    assert {"Patient", "Task", "Consent", "SubstanceSpecification"} <= index().resource_types
    assert {"Resource", "DomainResource"}.isdisjoint(index().resource_types)


def test_the_source_is_named():
    assert (index().package, index().licence) == ("hl7.fhir.r4.core#4.0.1", "CC0-1.0")


@pytest.mark.parametrize(
    ("part", "name", "expected"),
    [
        ("ServiceRequest", "subject", (1, 1, ("Reference",), ("Patient", "Group", "Location", "Device"))),
        ("Task", "input", (0, UNBOUNDED, ("Task.input",), ())),
        ("Task", "focus", (0, 1, ("Reference",), ())),
        ("Patient", "deceased", (0, 1, ("boolean", "dateTime"), ())),
        ("Questionnaire.item", "item", (0, UNBOUNDED, ("Questionnaire.item",), ())),
        ("Range", "low", (0, 1, ("SimpleQuantity",), ())),
        ("Extension", "url", (1, 1, ("uri",), ())),
        ("Patient", "id", (0, 1, ("id",), ())),
        ("HumanName", "id", (0, 1, ("string",), ())),
        ("Bundle.entry", "resource", (0, 1, ("Resource",), ())),
    ],
)
def test_a_row(part: str, name: str, expected: tuple[object, ...]):
    (row,) = [row for row in part_table(part).elements if row.name == name]
    assert (row.min, row.max, row.types, row.targets) == expected


def test_only_required_bindings_are_bindings():
    bound = {row.name for row in part_table("ServiceRequest").elements if row.binding}
    assert bound == {"status", "intent", "priority"}


def test_value_sets_that_need_others_are_open():
    assert code_tables.value_set("http://hl7.org/fhir/ValueSet/currencies") is None
    assert code_tables.value_set("https://nobody.example/ValueSet/x") is None
    statuses = code_tables.codes_of("http://hl7.org/fhir/ValueSet/task-status")
    assert statuses is not None
    assert len(statuses) == 12


def test_inherited_rules_are_not_repeated():
    assert [rule.key for rule in part_table("ServiceRequest").invariants] == ["prr-1"]
    assert "dom-6" in {rule.key for rule in part_table("DomainResource").invariants}
    assert [rule.key for rule in part_table("Patient.contact").invariants] == ["pat-1"]


def test_extensions_know_their_parts():
    nationality = known_extension("http://hl7.org/fhir/StructureDefinition/patient-nationality")
    assert nationality is not None
    assert (nationality.contexts, set(nationality.nested)) == (("Patient",), {"code", "period"})


def test_every_type_can_be_compiled():
    names = sorted(element_tables.all_part_names())
    assert len(names) > 600
    for name in names:
        type_rule(name).check({}, (None, name, -1), _Deaf())  # type: ignore[arg-type]


class _Deaf:
    """A run that nobody listens to."""

    def add(self, *_: object) -> None:
        """Takes no notice."""


def test_every_property_belongs_to_a_known_type():
    for name in ("Patient", "Extension", "ElementDefinition"):
        for key, found in properties(name).items():
            assert key.startswith(found.row.name)
            assert element_tables.is_known(found.type_name) or found.type_name in type_entry(name).parts


@pytest.mark.slow
def test_the_tables_are_what_the_script_makes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    if not PACKAGE.is_file():
        pytest.skip("the R4 package is not beside this checkout")
    script = runpy.run_path(str(ROOT / "scripts" / "compile_definitions.py"))
    shutil.copytree(DEFINITIONS, tmp_path / "before")
    monkeypatch.setitem(script["main"].__globals__, "TARGET", tmp_path / "after")
    script["main"](PACKAGE)
    core = [path for path in sorted((tmp_path / "before").iterdir()) if not path.name.startswith("hub_")]
    assert len(core) > 5
    for path in core:
        assert (tmp_path / "after" / path.name).read_bytes() == path.read_bytes(), path.name
