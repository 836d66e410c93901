"""The search grammar: what each spelling means, and how every misspelling is told."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_hub.errors import HubError, InvalidParameter, MalformedContent, NotSupportedParameter
from referral_hub.fhir.dates import microseconds, span
from referral_hub.fhir.search_criteria import MOST_VALUES
from referral_hub.fhir.search_grammar import (
    LARGEST_PAGE,
    MOST_LINKS,
    MOST_PARAMETERS,
    MOST_TERMS,
    REFUSED,
    Possible,
    parse_query,
    query_pairs,
    read_query,
    refuse_unknown,
)
from referral_hub.fhir.search_parameters import SearchParameter, official
from referral_hub.fhir.search_query import (
    CompositeTerm,
    Criterion,
    DateTerm,
    Include,
    Link,
    MissingTerm,
    NumberTerm,
    QuantityTerm,
    Query,
    ReferenceTerm,
    StringTerm,
    TokenTerm,
    UriTerm,
)
from referral_hub.fhir.search_terms import Surroundings, alternatives, unescape

NOW = microseconds(datetime(2026, 11, 24, 12, tzinfo=UTC))
DECLARED = {
    **official("Task"),
    "name": SearchParameter("name", "string", "Patient.name"),
    "probability": SearchParameter("probability", "number", "RiskAssessment.prediction.probability"),
    "value-quantity": SearchParameter("value-quantity", "quantity", "Observation.value as Quantity"),
    "url": SearchParameter("url", "uri", "Questionnaire.url"),
    "questionnaire": SearchParameter("questionnaire", "reference", "QuestionnaireResponse.questionnaire"),
    "pair": replace(official("Observation")["code-value-concept"], code="pair"),
    "amount": replace(official("Observation")["component-code-value-quantity"], code="amount"),
}
CHAINS = (
    "subject.Patient.gender",
    "subject.Patient.birthdate",
    "subject.Group.identifier",
    "subject.Patient.identifier",
)
HAS = ("Task:focus:status", "Observation:subject:code")
INCLUDES = ("Task:focus", "Task:patient")


def parse(text: str) -> Query:
    possible = Possible(
        DECLARED,
        INCLUDES,
        ["Provenance:target"],
        iterated=INCLUDES,
        chains=CHAINS,
        has=HAS,
        elsewhere=official,
    )
    return read_query(query_pairs(text), possible, Surroundings(["https://hub.example/fhir"], NOW))


def only(text: str) -> Criterion:
    [criterion] = parse(text).criteria
    return criterion


def day(text: str, prefix: Any = "eq") -> DateTerm:
    return DateTerm(prefix, *span(text))


def number(text: str, low: str, high: str, prefix: Any = "eq") -> NumberTerm:
    return NumberTerm(prefix, Decimal(text), Decimal(low), Decimal(high))


@pytest.mark.parametrize(
    ("text", "modifier", "terms"),
    [
        # tokens
        ("status=requested", "", [TokenTerm(None, "requested")]),
        ("status=requested,accepted", "", [TokenTerm(None, "requested"), TokenTerm(None, "accepted")]),
        ("identifier=urn:x|7", "", [TokenTerm("urn:x", "7")]),
        ("identifier=%7C7", "", [TokenTerm("", "7")]),
        ("identifier=urn:x%7C", "", [TokenTerm("urn:x", None)]),
        (r"identifier=urn:x|a\|b\,c\$d\\e", "", [TokenTerm("urn:x", r"a|b,c$d\e")]),
        (r"identifier=a\|b", "", [TokenTerm(None, "a|b")]),
        ("status:not=draft", "not", [TokenTerm(None, "draft")]),
        ("owner:missing=true", "missing", [MissingTerm(True)]),
        ("owner:missing=false", "missing", [MissingTerm(False)]),
        ("_id=a,b", "", [TokenTerm(None, "a"), TokenTerm(None, "b")]),
        # strings
        ("name=%C3%89ve", "", [StringTerm("eve", "\u00c9ve")]),
        ("name:exact=Eve", "exact", [StringTerm("eve", "Eve")]),
        ("name:contains=v", "contains", [StringTerm("v", "v")]),
        ("name=a+b", "", [StringTerm("a b", "a b")]),
        # references
        ("patient=7", "", [ReferenceTerm("Patient", "7")]),
        ("patient=Patient/7", "", [ReferenceTerm("Patient", "7")]),
        ("owner=7", "", [ReferenceTerm("", "7")]),
        ("owner=Organization/7", "", [ReferenceTerm("Organization", "7")]),
        ("owner:Organization=7", "", [ReferenceTerm("Organization", "7")]),
        ("owner:Organization=Organization/7", "", [ReferenceTerm("Organization", "7")]),
        ("patient=https://hub.example/fhir/Patient/7", "", [ReferenceTerm("Patient", "7")]),
        (
            "patient=https://ehr.example/Patient/7",
            "",
            [ReferenceTerm("Patient", url="https://ehr.example/Patient/7")],
        ),
        ("patient:identifier=urn:x|7", "identifier", [TokenTerm("urn:x", "7")]),
        ("questionnaire=https://q.example/a|1", "", [ReferenceTerm(url="https://q.example/a|1")]),
        (
            "focus=ServiceRequest/7,Observation/8",
            "",
            [ReferenceTerm("ServiceRequest", "7"), ReferenceTerm("Observation", "8")],
        ),
        # dates
        ("authored-on=2026-11", "", [day("2026-11")]),
        ("authored-on=gt2026-11-24", "", [day("2026-11-24", "gt")]),
        ("_lastUpdated=le2026-11-24T10:00:00%2B02:00", "", [day("2026-11-24T10:00:00+02:00", "le")]),
        ("_lastUpdated=le2026-11-24T10:00:00+02:00", "", [day("2026-11-24T10:00:00+02:00", "le")]),
        ("authored-on=sa2026,eb2020", "", [day("2026", "sa"), day("2020", "eb")]),
        # numbers: the digits say how exact it is meant
        ("probability=0.8", "", [number("0.8", "0.75", "0.85")]),
        ("probability=100", "", [number("100", "99.5", "100.5")]),
        ("probability=100.00", "", [number("100.00", "99.995", "100.005")]),
        ("probability=1e2", "", [number("1e2", "95", "105")]),
        ("probability=5.4e-1", "", [number("0.54", "0.535", "0.545")]),
        ("probability=lt-1", "", [number("-1", "-1.5", "-0.5", "lt")]),
        ("probability=ap100", "", [number("100", "90", "110", "ap")]),
        # amounts
        ("value-quantity=5.4", "", [QuantityTerm(number("5.4", "5.35", "5.45"))]),
        ("value-quantity=5.4||mg", "", [QuantityTerm(number("5.4", "5.35", "5.45"), None, "mg")]),
        (
            "value-quantity=ge5.4|http://unitsofmeasure.org|mg",
            "",
            [QuantityTerm(number("5.4", "5.35", "5.45", "ge"), "http://unitsofmeasure.org", "mg")],
        ),
        ("url=https://q.example/a", "", [UriTerm("https://q.example/a")]),
        ("url:below=https://q.example/a", "below", [UriTerm("https://q.example/a")]),
        ("url:above=https://q.example/a", "above", [UriTerm("https://q.example/a")]),
        # composites
        ("pair=urn:a|1$urn:b|2", "", [CompositeTerm(TokenTerm("urn:a", "1"), TokenTerm("urn:b", "2"))]),
        (r"pair=a\$b$c", "", [CompositeTerm(TokenTerm(None, "a$b"), TokenTerm(None, "c"))]),
        (
            "amount=8480-6$gt5.4||mmHg",
            "",
            [
                CompositeTerm(
                    TokenTerm(None, "8480-6"), QuantityTerm(number("5.4", "5.35", "5.45", "gt"), None, "mmHg")
                )
            ],
        ),
    ],
)
def test_each_spelling_means_one_thing(text: str, modifier: str, terms: list[Any]) -> None:
    criterion = only(text)
    assert criterion.modifier == modifier
    assert list(criterion.terms) == terms
    assert criterion.parameter.code == text.partition("=")[0].partition(":")[0]


@pytest.mark.parametrize(
    ("text", "parameter", "says"),
    [
        ("status=", "status", "no value"),
        ("status=a,,b", "status", "empty"),
        ("status=,", "status", "empty"),
        ("identifier=|", "identifier", "system|code"),
        ("identifier=a|b|c", "identifier", r"\|"),
        ("status:text=a", "status", ":missing, :not"),
        ("status:in=a", "status", ":missing, :not"),
        ("status:Patient=a", "status", ":missing, :not"),
        ("name:not=a", "name", ":missing, :exact, :contains"),
        ("name=%CC%81", "name", "at least one letter"),
        ("url:exact=a", "url", ":missing, :above, :below"),
        ("pair=a", "pair", "code$value-concept"),
        ("pair=a$b$c", "pair", "code$value-concept"),
        ("pair=$b", "pair", "code$value-concept"),
        ("pair:missing=true", "pair", "possible are none"),
        ("pair=" + ",".join(["a$b"] * 21), "pair", "20"),
        ("_sort=status,-status", "_sort", "each once"),
        ("_sort=status,code,intent,priority,focus,owner", "_sort", "at most 5"),
        ("_summary=true&_elements=status", "_elements", "_summary"),
        ("_include:exact=Task:focus", "_include", "or with :iterate"),
        ("_revinclude:iterate=Task:owner", "_revinclude", "Task:focus, Task:patient"),
        ("subject:Patient.gender=", "subject", "no value"),
        ("subject.birthdate=yesterday", "birthdate", "2026-11-24"),
        ("subject.gender:exact=male", "gender", ":missing, :not"),
        ("_has:Task:focus:status:exact=draft", "status", ":missing, :not"),
        ("owner:missing=yes", "owner", "true or false"),
        ("owner:missing=true,false", "owner", "one value"),
        ("owner:Task=7", "owner", ":Organization"),
        ("owner:above=7", "owner", ":identifier"),
        ("owner=Task/7", "owner", "Organization"),
        ("patient:Patient=Group/7", "patient", "another type"),
        ("patient=Patient/7/_history/2", "patient", "without a version"),
        ("patient=a%20b", "patient", "an id, Type/id"),
        ("patient=%237", "patient", "an id, Type/id"),
        ("authored-on=yesterday", "authored-on", "2026-11-24"),
        ("authored-on=gt", "authored-on", "2026-11-24"),
        ("authored-on=xx2026", "authored-on", "gt"),
        ("authored-on:exact=2026", "authored-on", ":missing"),
        ("probability=many", "probability", "a number"),
        ("probability=1e9999", "probability", "a number"),
        ("probability=" + "9" * 41, "probability", "a number"),
        ("value-quantity=5|mg", "value-quantity", "number||unit"),
        ("value-quantity=5|urn:x|", "value-quantity", "number||unit"),
        ("value-quantity=|urn:x|mg", "value-quantity", "empty"),
        ("_count=-1", "_count", "whole number"),
        ("_count=many", "_count", "whole number"),
        ("_count=1&_count=2", "_count", "twice"),
        ("_count:exact=1", "_count", "without a modifier"),
        ("_sort=name2", "_sort", "authored-on"),
        ("_sort=", "_sort", "no value"),
        ("_sort=-", "_sort", "possible"),
        ("_summary=short", "_summary", "true, text, data, count, false"),
        ("_total=some", "_total", "none, estimate, accurate"),
        ("_pretty=yes", "_pretty", "true, false"),
        ("_elements=a b", "_elements", "names of elements"),
        ("_include=*", "_include", "Task:focus, Task:patient"),
        ("_include=Task:owner", "_include", "Task:focus, Task:patient"),
        ("_include=Task:focus:x", "_include", "Task:focus, Task:patient"),
        ("_include:iterate=Task:output", "_include", "Task:focus"),
        ("_revinclude=Task:focus", "_revinclude", "Provenance:target"),
        ("status=a%00b", "status", "control characters"),
        ("status=a%0Ab", "status", "control characters"),
        ("status=" + "a" * 2001, "status", "overlong"),
        ("status=" + ",".join("a" * (MOST_VALUES + 1)), "status", str(MOST_VALUES)),
    ],
)
def test_a_misspelling_names_the_parameter_and_what_is_possible(text: str, parameter: str, says: str) -> None:
    with pytest.raises(InvalidParameter) as refusal:
        parse(text)
    assert refusal.value.parameter == parameter
    assert parameter in refusal.value.text
    assert says in refusal.value.text


@pytest.mark.parametrize("code", sorted(REFUSED))
@pytest.mark.parametrize("suffix", ["", ":x", ":Observation:patient:code"])
def test_some_parameters_are_refused_for_everyone(code: str, suffix: str) -> None:
    declared = {**DECLARED, code: SearchParameter(code, "token", "Task.code")}
    with pytest.raises(NotSupportedParameter) as refusal:
        parse_query([(code + suffix, "a")], declared)
    assert refusal.value.parameter == code


def gender(value: str, modifier: str = "") -> Criterion:
    return Criterion(official("Patient")["gender"], modifier, (TokenTerm(None, value),))


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("subject.gender=male", [Link(False, "subject", "Patient", gender("male"))]),
        ("subject:Patient.gender=male", [Link(False, "subject", "Patient", gender("male"))]),
        ("subject:Patient.gender:not=male", [Link(False, "subject", "Patient", gender("male", "not"))]),
        (
            "_has:Task:focus:status=draft",
            [
                Link(
                    True,
                    "focus",
                    "Task",
                    Criterion(official("Task")["status"], "", (TokenTerm(None, "draft"),)),
                )
            ],
        ),
    ],
)
def test_a_chain_is_a_condition_on_another_resource(text: str, links: list[Link]) -> None:
    query = parse(text)
    assert [list(group) for group in query.links] == [links]
    assert (query.criteria, query.unknown) == ((), ())


def test_a_chain_without_a_type_holds_along_any_type_of_the_list() -> None:
    [group] = parse("subject.identifier=urn:x|1").links
    assert sorted(link.type for link in group) == ["Group", "Patient"]


@pytest.mark.parametrize(
    ("name", "parameter"),
    [
        ("patient.name", "patient"),
        ("subject:Patient.name", "subject"),
        ("subject:Device.gender", "subject"),
        ("subject:Patient.name:exact", "subject"),
        ("subject.managingOrganization.name", "subject"),
        ("owner.partof.name", "owner"),
        ("status.x", "status"),
        ("_has:Task:focus:code", "_has"),
        ("_has:Task:patient:status", "_has"),
        ("_has:Task:focus", "_has"),
        ("_has", "_has"),
        ("_has:Task:focus:_has:Task:part-of:status", "_has"),
    ],
)
def test_outside_the_list_chains_are_refused_with_the_list(name: str, parameter: str) -> None:
    with pytest.raises(NotSupportedParameter, match="published list") as refusal:
        parse(f"{name}=x")
    assert refusal.value.parameter == parameter
    assert "Task:focus:status" in refusal.value.text or "subject.Patient.gender" in refusal.value.text


def test_a_search_has_a_bound_of_values_and_links() -> None:
    values = ",".join("a" * MOST_VALUES)
    with pytest.raises(MalformedContent, match=str(MOST_TERMS)):
        parse("&".join([f"status={values}"] * (MOST_TERMS // MOST_VALUES + 1)))
    with pytest.raises(MalformedContent, match=str(MOST_LINKS)):
        parse("&".join(["subject.gender=male"] * (MOST_LINKS + 1)))


def test_what_iterates_is_marked() -> None:
    assert parse("_include:iterate=Task:focus").includes == (Include("Task", "focus", iterate=True),)
    assert parse("_revinclude:iterate=Task:patient").revincludes == (
        Include("Task", "patient", iterate=True),
    )


def test_unknown_parameters_are_named_for_the_caller_to_decide() -> None:
    query = parse("colour=red&status=requested&colour=blue&shape:exact=round&_unknown=1&Mar%C3%ADa+L=1")
    assert query.unknown == ("colour", "shape", "_unknown", "(unreadable name)")
    assert [criterion.parameter.code for criterion in query.criteria] == ["status"]
    with pytest.raises(NotSupportedParameter) as refusal:
        refuse_unknown(query)
    assert refusal.value.parameter == "colour"
    refuse_unknown(parse("status=requested"))


def test_a_repeated_parameter_must_hold_twice() -> None:
    first, second = parse("_lastUpdated=ge2026-01&_lastUpdated=lt2026-02").criteria
    assert (first.terms, second.terms) == ((day("2026-01", "ge"),), (day("2026-02", "lt"),))


def test_the_parameters_of_the_answer() -> None:
    query = parse(
        "_count=20&_sort=status,-_lastUpdated&_include=Task:focus&_include=Task:patient:Patient&_include=Task:focus"
        "&_revinclude=Provenance:target&_elements=status,code&_elements=code,owner&_total=none"
        "&_format=application/fhir%2Bjson&_pretty=true&_summary=false"
    )
    assert query.count == 20
    assert [(key.parameter.code, key.descending) for key in query.sort] == [
        ("status", False),
        ("_lastUpdated", True),
    ]
    assert query.includes == (Include("Task", "focus"), Include("Task", "patient", "Patient"))
    assert query.revincludes == (Include("Provenance", "target"),)
    assert query.elements == ("status", "code", "owner")
    assert (query.total, query.summary, query.pretty) == ("none", "false", True)
    assert query.format == "application/fhir+json"
    assert query.criteria == ()


def test_an_empty_search_asks_for_everything_in_the_callers_way() -> None:
    assert parse("") == Query()


@pytest.mark.parametrize(
    ("text", "count", "summary"),
    [
        ("_count=0", None, "count"),
        ("_count=1", 1, None),
        ("_count=500", 500, None),
        ("_count=100000", LARGEST_PAGE, None),
    ],
)
def test_page_sizes(text: str, count: int | None, summary: str | None) -> None:
    query = parse(text)
    assert (query.count, query.summary) == (count, summary)


def test_sorting_can_be_limited() -> None:
    assert parse_query([("_sort", "-status")], DECLARED, sortable=["status"]).sort[0].descending
    with pytest.raises(InvalidParameter, match="possible: status"):
        parse_query([("_sort", "owner")], DECLARED, sortable=["status"])


def test_near_a_date_means_a_tenth_of_the_way_to_now() -> None:
    [term] = only("authored-on=ap2026-11-14").terms
    low, high = span("2026-11-14")
    gap = (NOW - high) // 10
    assert term == DateTerm("ap", low - gap, high + gap)
    assert only("authored-on=ap2026-11-24").terms == (DateTerm("ap", *span("2026-11-24")),)
    with pytest.raises(InvalidParameter, match="ap is not possible"):
        parse_query([("authored-on", "ap2026")], DECLARED)


@pytest.mark.parametrize("text", ["status=%ff", "%ff=a"])
def test_what_is_not_utf8_is_refused(text: str) -> None:
    with pytest.raises(MalformedContent, match="UTF-8"):
        query_pairs(text)


def test_too_many_parameters_are_refused() -> None:
    text = "&".join(["status=a"] * (MOST_PARAMETERS + 1))
    with pytest.raises(MalformedContent, match=str(MOST_PARAMETERS)):
        query_pairs(text)
    with pytest.raises(MalformedContent, match=str(MOST_PARAMETERS)):
        parse_query([("status", "a")] * (MOST_PARAMETERS + 1), DECLARED)


# ---- laws ----


def escaped(text: str) -> str:
    for character in "\\,|$":
        text = text.replace(character, f"\\{character}")
    return text


VISIBLE = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=20)


@given(st.lists(VISIBLE, min_size=1, max_size=5))
def test_escaped_values_come_back(values: list[str]) -> None:
    text = ",".join(map(escaped, values))
    assert [unescape(part) for part in alternatives(text)] == values
    [criterion] = parse_query([("status", text)], DECLARED).criteria
    assert list(criterion.terms) == [TokenTerm(None, value) for value in values]


@given(VISIBLE, VISIBLE)
def test_system_and_code_come_back(system: str, code: str) -> None:
    [criterion] = parse_query([("identifier", f"{escaped(system)}|{escaped(code)}")], DECLARED).criteria
    assert criterion.terms == (TokenTerm(system, code),)


@given(
    st.lists(
        st.tuples(st.sampled_from([*DECLARED, "_count", "_sort", "_include", "x"]), st.text(max_size=12))
    )
)
def test_any_search_is_read_or_refused_without_its_values(pairs: list[tuple[str, str]]) -> None:
    secret = "Zoraida8"
    told = ""
    try:
        parse_query([(name, value + secret) for name, value in pairs], DECLARED, includes=INCLUDES)
    except HubError as refusal:
        told = refusal.text
    assert secret not in told
