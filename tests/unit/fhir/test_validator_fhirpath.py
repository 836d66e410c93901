"""FHIRPath: expressions with their answers, and shortcuts that never answer otherwise."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from referral_hub.fhir import invariants
from referral_hub.fhir.element_tables import is_primitive, properties
from referral_hub.fhir.fhirpath.compiler import NotSupported, Scope, compile_expression
from referral_hub.fhir.fhirpath.grammar import BadExpression, parse
from referral_hub.fhir.fhirpath.nodes import Node, resource_node
from referral_hub.fhir.fhirpath.shortcuts import compile_test
from referral_hub.fhir.validation_run import Run

PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "p",
    "active": True,
    "name": [{"family": "Example", "given": ["Alex", "Sam"]}, {"text": "A. E."}],
    "birthDate": "1990-06",
    "_birthDate": {"extension": [{"url": "https://hub.example/x", "valueCode": "guess"}]},
    "deceasedBoolean": False,
    "multipleBirthInteger": 2,
    "contained": [{"resourceType": "Organization", "id": "o", "name": "Clinic"}],
    "managingOrganization": {"reference": "#o"},
    "generalPractitioner": [{"reference": "#o"}, {"display": "somebody"}],
}


def values(expression: str, resource: dict[str, Any] = PATIENT) -> list[Any]:
    run = Run(resource, resource)
    node = resource_node(resource)
    assert node is not None
    found = compile_expression(expression).values(run.scope(resource, node.type_name))
    return [item.value if isinstance(item, Node) else item for item in found]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("name.given", ["Alex", "Sam"]),
        ("Patient.name.family", ["Example"]),
        ("name[1].text", ["A. E."]),
        ("name.first().given.last()", ["Sam"]),
        ("name.given.tail() | name.text", ["Sam", "A. E."]),
        ("name.where(family = 'Example').given.count()", [2]),
        ("name.select(given.first() & family)", ["AlexExample", ""]),
        ("name.all(family.exists() or text.exists())", [True]),
        ("name.exists(text = 'A. E.')", [True]),
        ("deceased is boolean", [True]),
        ("deceased is Boolean", [True]),
        ("(multipleBirth as integer) > 1", [True]),
        ("multipleBirth.ofType(boolean).empty()", [True]),
        ("birthDate.extension('https://hub.example/x').value", ["guess"]),
        ("birthDate.extension.value = 'guess'", [True]),
        ("birthDate < @1990-07", [True]),
        ("birthDate < @1990-06-15", []),
        ("birthDate = @1990-06", [True]),
        ("photo.exists()", [False]),
        ("photo.url = 'x'", []),
        ("photo.url.empty() and active", [True]),
        ("{}.empty()", [True]),
        ("active implies photo.url = 'x'", []),
        ("active.not() or photo.exists()", [False]),
        ("active xor deceased", [True]),
        ("managingOrganization.resolve().name", ["Clinic"]),
        ("generalPractitioner.resolve().is(Organization)", [True]),
        ("contained.id", ["o"]),
        ("descendants().where($this = 'Sam').exists()", [True]),
        ("'abc'.substring(1)", ["bc"]),
        ("'abc'.substring(9)", []),
        ("'abc'.startsWith('ab') and 'abc'.endsWith('bc') and 'abc'.contains('b')", [True]),
        ("'a.b.c'.replaceMatches('\\\\..*', '')", ["a"]),
        ("'abc'.matches('^[a-c]+$')", [True]),
        ("'abc'.indexOf('c')", [2]),
        ("'12'.toInteger() + 1", [13]),
        ("'x'.toInteger()", []),
        ("1.50.toString()", ["1.50"]),
        ("7 div 2 + 7 mod 2 * 3", [6]),
        ("1 / 0", []),
        ("-3 < 2", [True]),
        ("'b' in ('a' | 'b')", [True]),
        ("('a' | 'b') contains 'c'", [False]),
        ("('a' | 'b' | 'a').count()", [2]),
        ("('a' | 'b').intersect('b' | 'c')", ["b"]),
        ("('a' | 'b').exclude('b')", ["a"]),
        ("name.given.combine(name.given).isDistinct()", [False]),
        ("name.given.combine(name.given).distinct().count()", [2]),
        ("iif(active, 'yes', 'no')", ["yes"]),
        ("name.given.take(1)", ["Alex"]),
        ("name.given.skip(1)", ["Sam"]),
        ("id.hasValue() and birthDate.hasValue()", [True]),
        ("%resource.id = %context.id", [True]),
        ("%rootResource.contained.id", ["o"]),
        ("%ucum", ["http://unitsofmeasure.org"]),
        ("name.repeat(given).count()", [2]),
        ("name.given.trace('x').count()", [2]),
        ("`name`.family", ["Example"]),
        ("'it\\'s \\u0041'", ["it's A"]),
        ("1 = 1.0", [True]),
        ("true = 1", [False]),
        ("name.given = name.given", [True]),
        ("name.given != ('Alex' | 'Kim')", [True]),
        ("name.given.subsetOf(name.given | 'Kim')", [True]),
        ("@T10:00 < @T10:30", [True]),
    ],
)
def test_the_answer(expression: str, expected: list[Any]):
    assert values(expression) == expected


def test_quantities_compare_in_the_same_unit_only():
    def observation(low: dict[str, Any], high: dict[str, Any]) -> dict[str, Any]:
        return {"resourceType": "Observation", "valueRange": {"low": low, "high": high}}

    one, two = {"value": Decimal("1.0"), "unit": "d"}, {"value": 2, "unit": "d"}
    assert values("(value as Range).low <= (value as Range).high", observation(one, two)) == [True]
    assert values("(value as Range).high <= (value as Range).low", observation(one, two)) == [False]
    assert values("value.low <= value.high", observation(one, two | {"unit": "h"})) == []


@pytest.mark.parametrize("text", ["", "a.", "a..b", "(a", "a b", "a['x'", "'open", "$index", "a is 1", "#"])
def test_this_is_no_expression(text: str):
    with pytest.raises(BadExpression):
        parse(text)


@pytest.mark.parametrize("text", ["now()", "a.conformsTo('x')", "%unknown", "a ~ b"])
def test_this_is_not_supported(text: str):
    with pytest.raises(NotSupported):
        compile_expression(text)


def test_every_rule_of_r4_is_asked():
    assert invariants.uncovered() == []


# ---- shortcuts ----

SHORT = [
    ("Patient.contact", "name.exists() or telecom.exists() or address.exists() or organization.exists()"),
    ("Extension", "extension.exists() != value.exists()"),
    ("Appointment", "start.exists() = end.exists()"),
    (
        "Appointment",
        "(start.exists() and end.exists()) or (status in ('proposed' | 'cancelled' | 'waitlist'))",
    ),
    ("Period", "start.hasValue().not() or end.hasValue().not() or (start <= end)"),
    ("Organization", "(identifier.count() + name.count()) > 0"),
    ("Bundle", "total.empty() or (type = 'searchset') or (type = 'history')"),
    ("Bundle", "entry.all(request.exists() = (%resource.type = 'batch' or %resource.type = 'history'))"),
    ("CapabilityStatement", "(kind != 'instance') or implementation.exists()"),
    ("Timing.repeat", "offset.empty() or (when.exists() and ((when in ('C' | 'CM' | 'CD' | 'CV')).not()))"),
    ("Task", "lastModified.exists().not() or authoredOn.exists().not() or lastModified >= authoredOn"),
    ("Parameters.parameter", "part.empty() xor (value.exists() xor resource.exists())"),
    ("Questionnaire.item", "type = 'group' implies item.empty().not()"),
]
SAMPLES: dict[str, list[Any]] = {
    "dateTime": ["2026", "2026-11-24", "2026-11-24T10:00:00Z", "2026-11-24T10:00:00+01:00"],
    "code": ["instance", "history", "searchset", "proposed", "C", "group"],
}


def objects(type_name: str) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with some of the properties of a type, filled with what the rules look for."""

    def filled(key: str, kind: str, repeats: bool) -> st.SearchStrategy[Any]:
        one: st.SearchStrategy[Any] = st.just(
            {"id": "x"} | ({"resourceType": "Basic"} if kind == "Resource" else {})
        )
        if is_primitive(kind):
            one = st.sampled_from(SAMPLES.get(kind, [1, "x"]))
        return st.lists(one, min_size=1, max_size=3) if repeats else one

    known = properties(type_name)
    wanted = {key: found for key, found in known.items() if len(known) < 30 or not found.row.choice}
    return st.fixed_dictionaries(
        {},
        optional={
            spelled: filled(key, found.type_name, found.row.max != 1)
            if spelled == key
            else st.just({"id": "x"})
            for key, found in wanted.items()
            for spelled in ((key, f"_{key}") if is_primitive(found.type_name) else (key,))
        },
    )


@pytest.mark.parametrize(("type_name", "expression"), SHORT)
def test_a_shortcut_answers_as_the_expression_does(type_name: str, expression: str):
    short, long = compile_test(expression, type_name), compile_expression(expression)

    @settings(max_examples=60, deadline=None)
    @given(objects(type_name))
    def ask(value: dict[str, Any]) -> None:
        resource = value | {"resourceType": type_name}
        around = Run(resource, resource)
        scope: Scope = around.scope(value, type_name)
        assert short(value, around) is long.answer(scope)

    ask()
