"""Single criteria: which way they are found, and what each comparison means, run on SQLite in memory."""

import sqlite3
from typing import Any

import pytest
import sqlalchemy as sa

from referral_hub.exchange.search_plan import Criterion, NumberSpan
from referral_hub.keyring.digests import IndexDigests
from referral_hub.store.columns import INTEGER
from referral_hub.store.criteria_sql import (
    ByColumn,
    ById,
    ByPerson,
    ByStatuses,
    ByText,
    ByToken,
    ByUpdated,
    ByWord,
    Finder,
    Missing,
    finder,
)
from referral_hub.store.span_sql import ByDate, ByNumber, compared
from referral_hub.store.statements import Statement

DIGESTS = IndexDigests(bytes(32))


def token(parameter: str, *texts: str, **more: Any) -> Criterion:
    return Criterion(parameter, "token", "notice", texts, **more)


@pytest.mark.parametrize(
    ("type_name", "criterion", "found"),
    [
        ("Task", token("owner", "Organization/a"), ByColumn("owner", False)),
        ("Task", token("owner", "Organization/a", "Organization/b"), ByColumn("owner", True)),
        ("Task", token("owner", "Practitioner/a"), ByToken(False)),
        ("Task", token("owner", "Organization/a", "Practitioner/b"), ByToken(True)),
        ("Task", token("owner:identifier", "urn:x|1"), ByToken(False)),
        ("Task", token("requester", "Organization/a"), ByColumn("requester", False)),
        ("ServiceRequest", token("requester", "Organization/a"), ByColumn("requester", False)),
        ("Location", token("owner", "Organization/a"), ByToken(False)),
        ("Task", token("status", "requested"), ByColumn("status", False)),
        ("Task", token("status", "requested", "accepted"), ByStatuses(2)),
        ("Task", token("status", "requested", "requested"), ByColumn("status", True)),
        ("Task", token("status", *"abcdefghi"), ByColumn("status", True)),
        ("Observation", token("value", "x", under="a"), ByToken(False)),
        (
            "Observation",
            Criterion("v", "number", "own", numbers=(NumberSpan("ge", "1", "", ""),)),
            ByNumber(("ge",)),
        ),
        ("Task", token("status", "|requested"), ByToken(False)),
        ("Task", token("status", "http://hl7.org/fhir/task-status|requested"), ByToken(False)),
        ("Patient", token("status", "x"), ByToken(False)),
        ("Task", token("patient", "Patient/a"), ByPerson(False)),
        ("ServiceRequest", token("subject", "Patient/a", "Patient/b"), ByPerson(True)),
        ("ServiceRequest", token("subject", "Group/a"), ByToken(False)),
        ("Appointment", token("patient", "Patient/a"), ByToken(False)),
        ("Binary", token("patient", "Patient/a"), ByToken(False)),
        ("Task", token("identifier", "urn:x|1"), ByToken(False, "rows")),
        ("Task", token("identifier", "urn:x|1", negated=True), ByToken(False)),
        ("Task", Criterion("_id", "id", "notice", ("a",)), ById(False)),
        ("Task", Criterion("_id", "id", "notice", ("a", "b")), ById(True)),
        ("Patient", Criterion("name", "string", "own", ("maria",), identifying=True), ByWord()),
        ("Organization", Criterion("name", "string", "own", ("cl", "sh")), ByText("", 2)),
        ("Task", Criterion("x", "missing", "own", ("true",), parameter_type="date"), Missing("date", True)),
        ("Task", Criterion("x", "missing", "own", ("false",), parameter_type="uri"), Missing("uri", False)),
        ("Task", Criterion("x", "updated", "own", spans=(("ge", 1, 2),)), ByUpdated(("ge",))),
        ("Task", Criterion("x", "date", "own", spans=(("ge", 1, 2), ("lt", 3, 4))), ByDate(("ge", "lt"))),
    ],
    ids=str,
)
def test_a_hot_column_where_it_says_the_same_else_the_index(
    type_name: str, criterion: Criterion, found: Finder
) -> None:
    assert finder(type_name, criterion) == found


BEFORE, STARTS, INSIDE, SAME, AROUND, ENDS, AFTER = (
    (0, 10),
    (5, 15),
    (12, 18),
    (10, 20),
    (5, 25),
    (15, 25),
    (20, 30),
)


@pytest.mark.parametrize(
    ("operator", "matching"),
    [
        ("eq", {INSIDE, SAME}),
        ("ne", {BEFORE, STARTS, AROUND, ENDS, AFTER}),
        ("gt", {AROUND, ENDS, AFTER}),
        ("lt", {BEFORE, STARTS, AROUND}),
        ("ge", {INSIDE, SAME, AROUND, ENDS, AFTER}),
        ("le", {BEFORE, STARTS, INSIDE, SAME, AROUND}),
        ("sa", {AFTER}),
        ("eb", {BEFORE}),
        ("ap", {STARTS, INSIDE, SAME, AROUND, ENDS}),
    ],
)
def test_prefixes_compare_spans_as_the_standard_says(operator: str, matching: set[tuple[int, int]]) -> None:
    """The searched span is [10, 20)."""
    low, high = sa.column("low", INTEGER), sa.column("high", INTEGER)
    spans = sa.table("spans", low, high)
    asked = sa.select(low, high).select_from(spans).where(compared(operator, low, high, "v"))
    text = Statement(f"doc_{operator}", asked).text["sqlite"]
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE spans (low INTEGER, high INTEGER)")
    database.executemany(
        "INSERT INTO spans VALUES (?, ?)", [BEFORE, STARTS, INSIDE, SAME, AROUND, ENDS, AFTER]
    )
    assert set(database.execute(text, {"v_low": 10, "v_high": 20})) == matching
    database.close()


def test_an_unknown_prefix_is_an_error() -> None:
    with pytest.raises(KeyError):
        compared("about", sa.column("low", INTEGER), sa.column("high", INTEGER), "v")


def test_only_the_bounds_a_prefix_needs_are_bound() -> None:
    criterion = Criterion("date", "date", "notice", spans=(("gt", 1, 2), ("eb", 3, 4), ("eq", 5, 6)))
    values = finder("Observation", criterion).values("Observation", criterion, "c0", DIGESTS)
    del values["c0"]
    assert values == {"c0_0_high": 2, "c0_1_low": 3, "c0_2_low": 5, "c0_2_high": 6}


def test_wildcards_of_a_text_stand_for_themselves() -> None:
    criterion = Criterion("name", "string", "own", ("50%_a/b",), modifier="contains")
    values = finder("Organization", criterion).values("Organization", criterion, "c0", DIGESTS)
    assert values["c0_0"] == "%50/%/_a//b%"


def test_a_name_leaves_this_process_as_a_digest_only() -> None:
    criterion = Criterion("name", "string", "own", ("maria", "maria anna"), identifying=True)
    values = finder("Patient", criterion).values("Patient", criterion, "c0", DIGESTS)
    assert values["c0_words"] == [DIGESTS.word("Patient", "name", text) for text in criterion.texts]
    assert "maria" not in str(values)
