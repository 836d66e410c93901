"""A search plan becomes one statement of its shape: kept, bound, and never made of a caller's words."""

import dataclasses
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_hub.access.principal import OrganizationFacts, refusal_targets
from referral_hub.exchange.search_plan import Criterion, Order, SearchPlan
from referral_hub.keyring.digests import IndexDigests
from referral_hub.resources.catalog import DEFINITIONS
from referral_hub.store.search_sql import COUNT_LIMIT, statement_of
from referral_hub.store.statements import Statement

DIGESTS = IndexDigests(bytes(32))
CLINIC = OrganizationFacts("clinic-1", (), "clinic")
ME = "Organization/clinic-1"
TYPES = tuple(sorted(DEFINITIONS))


def plan(type_name: str, *criteria: Criterion, **more: Any) -> SearchPlan:
    if "sort" in more:
        code, descending = more["sort"]
        kind = {"_lastUpdated": "updated", "_history": "versions", "versions": "versions"}.get(code, "date")
        more |= {"sort": (Order(code, kind, descending),), "own_only": kind != "updated"}
    found: dict[str, Any] = {"purpose": "TREAT", "refusal_targets": refusal_targets(CLINIC), "at_us": 5}
    return SearchPlan(type_name, CLINIC.id, criteria=criteria, count=20, **found | more)


def made(asked: SearchPlan, dialect: Any = "sqlite") -> tuple[Statement, dict[str, Any]]:
    return statement_of(asked, DIGESTS, dialect)


def sql(asked: SearchPlan) -> str:
    return made(asked)[0].text["sqlite"]


def criterion(kind: str, texts: tuple[str, ...], **more: Any) -> Criterion:
    return Criterion(more.pop("parameter", "code"), kind, more.pop("visibility", "notice"), texts, **more)


SPANS = st.lists(
    st.tuples(
        st.sampled_from(("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")),
        st.integers(0, 9),
        st.integers(10, 20),
    ),
    min_size=1,
    max_size=3,
).map(tuple)
TEXTS = st.lists(st.text(max_size=12), min_size=1, max_size=3).map(tuple)
CRITERIA = st.one_of(
    st.builds(
        criterion,
        st.sampled_from(("token", "string", "id")),
        TEXTS,
        parameter=st.sampled_from(("code", "status", "owner", "patient", "identifier", "business-status")),
        visibility=st.sampled_from(("notice", "accepted", "full", "self", "own")),
        negated=st.booleans(),
        modifier=st.sampled_from(("", "exact", "contains")),
        identifying=st.booleans(),
    ),
    st.builds(
        criterion,
        st.just("missing"),
        st.sampled_from((("true",), ("false",))),
        parameter_type=st.sampled_from(("token", "reference", "uri", "date", "string")),
    ),
    st.builds(criterion, st.sampled_from(("date", "updated")), st.just(()), spans=SPANS),
)


@given(
    st.sampled_from(TYPES),
    st.lists(CRITERIA, max_size=3),
    st.sampled_from((("_lastUpdated", True), ("_lastUpdated", False), ("authored-on", True))),
    st.sampled_from((None, (7, 8))),
    st.booleans(),
    st.sampled_from(("sqlite", "postgresql")),
)
def test_every_statement_is_given_all_it_asks_for(
    type_name: str, criteria: list[Criterion], sort: Any, after: Any, counting: bool, dialect: Any
) -> None:
    asked = plan(type_name, *criteria, sort=sort, after=after, count_only=counting)
    statement, parameters = made(asked, dialect)
    assert statement.parameters <= parameters.keys()
    assert statement.lists <= {name for name, value in parameters.items() if isinstance(value, list)}


@given(st.text(min_size=1, max_size=20).filter(lambda text: "/" not in text and "|" not in text))
def test_what_a_caller_typed_is_bound_and_never_written(typed: str) -> None:
    def asked(text: str) -> SearchPlan:
        return plan(
            "Task",
            criterion("token", (text,), parameter="status"),
            criterion("token", (f"Organization/{text}", ME), parameter="owner"),
            criterion("token", (f"Patient/{text}",), parameter="patient"),
            criterion("token", (f"{text}|{text}",)),
            criterion("string", (text,), modifier="contains"),
            criterion("id", (text,)),
        )

    statement, parameters = made(asked(typed))
    assert statement is made(asked("harmless"))[0]
    assert parameters["c0"] == typed


def test_the_same_shape_is_compiled_once() -> None:
    first = made(plan("Task", criterion("token", ("a", "b"))))[0]
    again = made(plan("Task", criterion("token", ("c", "d", "e")), at_us=9, purpose="x"))[0]
    other = made(plan("Task", criterion("token", ("a",))))[0]
    assert first is again
    assert first is not other


def test_alternatives_are_one_list_and_not_a_chain() -> None:
    text = sql(plan("Observation", criterion("token", ("a", "b", "c"))))
    assert text.count("json_each(:c0)") == 2  # own rows, and rows of others
    assert ":c0_" not in text


@pytest.mark.parametrize(
    ("asked", "branches"),
    [
        (plan("Observation"), 2),
        (plan("Organization"), 2),
        (plan("Task"), 2),
        (plan("Consent"), 3),
        (plan("Observation", own_only=True), 1),
        (plan("Observation", criterion("token", ("a",), visibility="own")), 1),
        (plan("Observation", sort=("date", True)), 1),
        (plan("Observation", refusal_targets=()), 1),
        (plan("ServiceRequest", criterion("token", ("Organization/x",), visibility="self")), 1),
        (plan("ServiceRequest", criterion("token", (ME,), visibility="self")), 2),
        (plan("Task", criterion("token", ("Organization/x",), parameter="owner")), 1),
        (plan("Task", criterion("token", (ME,), parameter="owner")), 1),
        (plan("Task", criterion("token", ("Patient/p",), parameter="patient")), 1),
        (plan("Task", criterion("id", ("x", "y"))), 1),
        (plan("HealthcareService", criterion("token", ("a",), visibility="full")), 1),
    ],
    ids=str,
)
def test_how_many_ways_lead_to_rows(asked: SearchPlan, branches: int) -> None:
    assert sql(asked).count("UNION ALL") == branches - 1


@pytest.mark.parametrize(
    ("asked", "looks"),
    [
        (plan("Task", own_only=True), 1),
        (plan("Task", criterion("token", (ME,), parameter="owner")), 1),
        (plan("Task", own_only=True, sort=("_history", True)), 1),
        (plan("Task"), 3),  # each of the two ways, and the rows themselves
        (plan("Task", own_only=True, sort=("authored-on", True)), 2),
    ],
    ids=str,
)
def test_rows_are_fetched_where_they_are_found_if_an_index_orders_them(asked: SearchPlan, looks: int) -> None:
    assert len(re.findall("(?:FROM|JOIN) resource(?:_version)? AS ", sql(asked))) == looks


@pytest.mark.parametrize(
    "asked",
    [
        plan("Observation", own_only=True),
        plan("Observation", criterion("token", ("a",), visibility="own")),
        plan("Task", criterion("token", ("Organization/x",), parameter="owner")),
        plan("Provenance", refusal_targets=()),
    ],
    ids=str,
)
def test_where_others_cannot_match_their_rows_are_not_looked_at(asked: SearchPlan) -> None:
    text = sql(asked).partition("FROM (")[2]  # behind the columns: what finds the page
    for table in ("referral_access", "consent_grant", "refusal"):
        assert table not in text


def test_a_count_is_bounded_and_reads_no_body() -> None:
    statement, parameters = made(plan("Task", count_only=True, after=(1, 2), sort=("authored-on", False)))
    assert parameters["limit"] == COUNT_LIMIT == 1_001
    assert "body" not in statement.text["sqlite"]
    assert "after_key" not in statement.parameters


def test_star_refusals_reach_everybody_who_is_reached_at_all() -> None:
    assert made(plan("Task", refusal_targets=("org:clinic-1",)))[1]["targets"] == ["*", "org:clinic-1"]


def test_type_history_pages_over_versions_of_own_rows() -> None:
    text = sql(plan("Task", own_only=True, sort=("_history", True)))
    assert "FROM resource_version AS r" in text
    assert "deleted = 0" not in text


def test_a_page_asks_for_one_row_more() -> None:
    assert made(dataclasses.replace(plan("Task"), count=50))[1]["limit"] == 51


def test_an_unknown_kind_of_criterion_is_an_error() -> None:
    with pytest.raises(ValueError, match="unknown kind"):
        made(plan("Task", criterion("quantity", ("5",))))
