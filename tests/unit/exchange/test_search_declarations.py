"""What a search of each type may say: the declarations hang together, and from them follow rows and orders."""

from decimal import Decimal
from typing import Any

import pytest

from referral_hub.exchange.change import Indexes, LinkIndex, NumberIndex, TokenIndex
from referral_hub.exchange.criteria import criteria_of, declared
from referral_hub.exchange.indexing import HIDDEN, index_rows, joined_by, linked, parameters
from referral_hub.exchange.ordering import order_of, sortable
from referral_hub.exchange.search import iterated, possible_of
from referral_hub.exchange.search_plan import NEWEST_FIRST, Criterion, Order
from referral_hub.fhir.json_codec import decode_object
from referral_hub.fhir.number_keys import number_key
from referral_hub.fhir.search_grammar import parse_query, read_query
from referral_hub.fhir.search_terms import Surroundings
from referral_hub.resources.catalog import DEFINITIONS

BASE = "https://hub.example/fhir"


@pytest.mark.parametrize("type_name", sorted(DEFINITIONS))
def test_lists_name_declared_parameters(type_name: str) -> None:
    definition = DEFINITIONS[type_name]
    for entry in definition.chains:
        parameter, target, code = entry.split(".", 2)
        assert declared(type_name)[parameter].type == "reference"
        assert target in (declared(type_name)[parameter].targets or DEFINITIONS)
        assert code in declared(target)
        assert parameter in linked(type_name) or joined_by(type_name, parameter, target)
    for entry in definition.has:
        source, parameter, code = entry.split(":")
        assert type_name in (declared(source)[parameter].targets or DEFINITIONS)
        assert code in declared(source)
        assert parameter in linked(source) or joined_by(source, parameter, type_name)
    for include in definition.includes:
        source, parameter = include.split(":")
        assert source == type_name
        assert declared(source)[parameter].type == "reference"
    for include in definition.revincludes:
        source, parameter = include.split(":")
        assert type_name in (declared(source)[parameter].targets or DEFINITIONS)
        assert include in iterated()


@pytest.mark.parametrize("type_name", sorted(DEFINITIONS))
def test_nothing_that_is_kept_as_digests_gives_an_order(type_name: str) -> None:
    for code, (searchable, _) in parameters(type_name).items():
        if searchable.identifying:
            assert code not in sortable(type_name)


def test_an_order_by_what_everybody_sees_is_for_all_rows() -> None:
    def order(type_name: str, text: str) -> tuple[tuple[Order, ...], bool]:
        keys = parse_query([("_sort", text)], declared(type_name), sortable=sortable(type_name)).sort
        return order_of(type_name, keys)

    assert order_of("Task", ()) == (NEWEST_FIRST, False)
    assert order("Task", "status,-authored-on") == (
        (Order("status", "status", descending=False), Order("authored-on", "date")),
        False,
    )
    assert order("Condition", "_lastUpdated,_id")[1] is False
    assert order("Condition", "recorded-date")[1] is True
    assert order("ServiceRequest", "authored")[1] is True
    assert order("Patient", "-_id") == ((Order("_id", "id"),), False)


# --- rows -------------------------------------------------------------------------------------------------


def rows(body: str) -> Indexes:
    decoded: dict[str, Any] = decode_object(body.encode())
    return index_rows(DEFINITIONS[decoded["resourceType"]], decoded, (BASE,))


def texts(found: Indexes, parameter: str) -> set[str]:
    return {token.text for token in found.tokens if token.parameter == parameter}


def test_a_birth_date_is_kept_as_digests_alone() -> None:
    found = rows('{"resourceType":"Patient","birthDate":"1994-03-02"}')
    assert found.dates == ()
    assert {"1994-03-02", "1994-03", "1994", "=1994-03-02"} <= texts(found, "birthdate")


def test_a_quantity_is_found_by_every_spelling_of_its_unit() -> None:
    found = rows(
        '{"resourceType":"Observation","status":"final","code":{"coding":[{"system":"urn:a","code":"x"}]},'
        '"valueQuantity":{"value":5.40,"unit":"milligram","system":"urn:u","code":"mg"}}'
    )
    key = number_key(Decimal("5.4"))
    units = ("", "urn:u|mg", "|mg", "|milligram")
    assert NumberIndex("value-quantity", key, key, units) in found.numbers
    assert NumberIndex("code-value-quantity", key, key, units, "urn:a|x") in found.numbers


def test_a_reference_that_chains_follow_has_a_link() -> None:
    found = rows(
        f'{{"resourceType":"HealthcareService","providedBy":{{"reference":"{BASE}/Organization/o1"}},'
        '"location":[{"reference":"Location/l1"},{"reference":"https://ehr.example/Location/l2"}]}'
    )
    assert set(found.links) == {
        LinkIndex("organization", "Organization", "o1"),
        LinkIndex("location", "Location", "l1"),
    }


@pytest.mark.parametrize(
    ("body", "marked", "hidden"),
    [
        ('"code":{"coding":[{"system":"urn:a","code":"x"}]}', True, False),
        ('"code":{"text":"in words"}', True, True),
        ('"code":{"coding":[{"system":"http://hl7.org/fhir/sid/icd-10-cm","code":"T74.51XA"}]}', True, True),
        ('"recordedDate":"2026"', False, False),
    ],
)
def test_what_is_there_is_marked_and_what_is_hidden_too(body: str, marked: bool, hidden: bool) -> None:
    found = rows(f'{{"resourceType":"Condition",{body}}}')
    assert (TokenIndex("code", "", whole=True) in found.tokens) is marked
    assert (TokenIndex("code" + HIDDEN, "", whole=True) in found.tokens) is hidden


# --- criteria ---------------------------------------------------------------------------------------------


def criterion(type_name: str, name: str, value: str) -> Criterion:
    query = read_query([(name, value)], possible_of(type_name), Surroundings((BASE,), 0))
    [found] = criteria_of(type_name, query)
    return found


@pytest.mark.parametrize(
    ("type_name", "name", "value", "visibility"),
    [
        ("Task", "status", "draft", "notice"),
        ("Task", "requester", "Organization/a", "accepted"),
        ("Task", "identifier", "x", "own"),
        ("Task", "owner:identifier", "x", "own"),
        ("Organization", "name:contains", "x", "own"),
        ("Condition", "code", "http://hl7.org/fhir/sid/icd-10-cm|T74.51XA", "own"),
        ("Condition", "code", "T74.51XA", "own"),
        ("Condition", "code", "http://snomed.info/sct|1", "notice"),
    ],
)
def test_for_whom_a_parameter_matches(type_name: str, name: str, value: str, visibility: str) -> None:
    assert criterion(type_name, name, value).visibility == visibility


def test_others_find_a_code_only_where_nothing_of_it_is_hidden() -> None:
    for name, value in (("code:missing", "false"), ("code:not", "urn:a|x"), ("code", "x")):
        found = criterion("Condition", name, value)
        assert found.others is not None
        assert found.others.parts[1] == Criterion("code" + HIDDEN, "token", "notice", ("",), negated=True)
    assert criterion("Condition", "code", "urn:a|x").others is None


def test_others_find_a_reference_only_where_they_see_what_it_leads_to() -> None:
    found = criterion("Procedure", "based-on", "ServiceRequest/s1")
    assert found.others is not None
    assert (found.others.kind, found.others.target) == ("chain", "ServiceRequest")
    assert criterion("Task", "patient", "p1").others is None


def test_others_find_no_code_of_a_task_beyond_the_two_lists() -> None:
    found = criterion("Task", "code", "urn:other|x")
    assert found.others is not None
    assert found.others.texts == ()
    bare = criterion("Task", "code", "fulfill")
    assert bare.others is not None
    assert bare.texts == ("fulfill",)
    assert all(text.endswith("|fulfill") for text in bare.others.texts)
