"""Addresses at a source, and what a copy of a resource there looks like."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_hub.exchange.sources import (
    AGE_GROUP,
    SOURCE_ID,
    as_copy,
    differs,
    hosting_of,
    own_task_url,
    person_url,
    pointed_at,
    source_url,
    with_age_group,
)
from tests import builders as b

BASE, HUB = "https://ehr.example/fhir", "https://hub.example/fhir"
URL = f"{BASE}/ServiceRequest/7"


def copied(resource: dict[str, object], **here: str) -> dict[str, object]:
    found = {f"{BASE}/{name}/1": text for name, text in here.items()}
    return as_copy(resource, URL, found, bases=[BASE], own_bases=[HUB])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{BASE}/Patient/1", f"{BASE}/Patient/1"),
        (f"{BASE}/Patient/1/_history/3", f"{BASE}/Patient/1"),
        ("https://EHR.example:443/fhir/Patient/1", f"{BASE}/Patient/1"),
        ("http://ehr.example/fhir/Patient/1", ""),
        ("https://ehr.example/fhir/../admin/Patient/1", ""),
        ("https://ehr.example.evil.example/fhir/Patient/1", ""),
        ("https://ehr.example@evil.example/fhir/Patient/1", ""),
        ("https://ehr.example/fhir/Patient/1?x=1", ""),
        ("https://ehr.example/fhir/Patient/1#x", ""),
        ("Patient/1", ""),
        ("urn:uuid:5", ""),
        ("", ""),
    ],
)
def test_an_address_counts_under_a_registered_base_only(text: str, expected: str) -> None:
    assert source_url(text, [BASE]) == expected


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ({"reference": "Patient/1"}, {"reference": "Patient/p"}),
        ({"reference": "Patient/1/_history/2", "display": "D"}, {"reference": "Patient/p", "display": "D"}),
        ({"reference": f"{BASE}/Patient/1"}, {"reference": "Patient/p"}),
        (
            {"reference": "Practitioner/1", "display": "D"},
            {"identifier": {"system": SOURCE_ID, "value": f"{BASE}/Practitioner/1"}, "display": "D"},
        ),
        ({"reference": f"{HUB}/Organization/t"}, {"reference": "Organization/t"}),
        ({"reference": "#c"}, {"reference": "#c"}),
        (
            {"reference": "https://elsewhere.example/Patient/1"},
            {"identifier": {"system": SOURCE_ID, "value": "https://elsewhere.example/Patient/1"}},
        ),
        ({"identifier": {"system": "s", "value": "v"}}, {"identifier": {"system": "s", "value": "v"}}),
    ],
)
def test_where_a_reference_of_a_copy_leads(reference: dict[str, object], expected: dict[str, object]) -> None:
    body = copied({"resourceType": "ServiceRequest", "id": "7", "subject": reference}, Patient="Patient/p")
    assert body["subject"] == expected


def test_a_copy_is_known_by_its_address_and_keeps_what_is_not_the_servers() -> None:
    fetched = {
        **b.service_request("Patient/1", "x"),
        "id": "7",
        "meta": {"versionId": "3", "profile": ["https://elsewhere.example/profile"]},
        "text": {"status": "generated", "div": "<div/>"},
        "identifier": [
            {"system": "urn:example:s", "value": "1"},
            {"system": SOURCE_ID, "value": "https://lie"},
        ],
    }
    body = copied(fetched, Patient="Patient/p")
    assert body["identifier"] == [
        {"system": "urn:example:s", "value": "1"},
        {"system": SOURCE_ID, "value": URL},
    ]
    assert body["meta"] == {"source": URL}
    assert not body.keys() & {"id", "text"}
    assert body["code"] == fetched["code"]


def test_a_copy_differs_only_where_the_source_changed_something() -> None:
    body = copied(b.service_request("Patient/1", "x"), Patient="Patient/p")
    stored = {**body, "id": "a", "meta": {"versionId": "v"}}
    assert not differs(body, stored)
    assert differs({**body, "status": "revoked"}, stored)


def test_what_goes_with_a_request_is_asked_for_once_and_by_type() -> None:
    found = pointed_at(
        [
            {"reference": "Condition/1"},
            {"reference": f"{BASE}/Condition/1"},
            {"reference": "Practitioner/1"},
            {"reference": "https://elsewhere.example/fhir/Condition/2"},
            {"display": "nothing"},
            "junk",
        ],
        BASE,
        [BASE],
    )
    assert found == [f"{BASE}/Condition/1"]


def test_relative_references_of_a_task_here_lead_to_the_hub_and_not_to_the_source() -> None:
    assert pointed_at([{"reference": "Condition/1"}], "", [BASE]) == []


def test_whom_a_fetched_resource_is_about() -> None:
    assert person_url({"subject": {"reference": "Patient/1"}}, BASE) == f"{BASE}/Patient/1"
    assert person_url({"patient": {"reference": f"{BASE}/Patient/2"}}, BASE) == f"{BASE}/Patient/2"
    assert person_url({"subject": {"reference": "https://elsewhere.example/Patient/1"}}, BASE) == ""
    assert person_url({}, BASE) == ""


def test_the_sources_own_task_counts_under_its_base_only() -> None:
    task = {"partOf": [{"reference": "Task/here"}], "basedOn": [{"reference": f"{BASE}/Task/9"}]}
    assert own_task_url(task, [BASE]) == f"{BASE}/Task/9"
    assert own_task_url(task, ["https://other.example/fhir"]) == ""
    assert own_task_url({"basedOn": [{"reference": f"{BASE}/ServiceRequest/9"}]}, [BASE]) == ""


@given(st.text())
def test_any_text_is_an_address_or_none(text: str) -> None:
    found = source_url(text, [BASE])
    assert found == "" or found.startswith(f"{BASE}/")
    assert hosting_of({"focus": {"reference": text}}, None, [HUB]) in ("", "source")


def test_of_several_performers_none_is_kept() -> None:
    two = [{"reference": "Organization/1"}, {"reference": "Organization/2"}]
    assert "performer" not in copied({"resourceType": "ServiceRequest", "id": "7", "performer": two})
    assert "performer" in copied({"resourceType": "ServiceRequest", "id": "7", "performer": two[:1]})


@pytest.mark.parametrize(
    ("born", "expected"),
    [
        ("2008-11-24", "adult"),
        ("2008-11-25", "child"),
        ("2008", "child"),
        ("2007", "adult"),
        ("2008-10", "adult"),
        ("2008-11", "child"),
        ("2008-02-29", "adult"),
        ("2015-01-01", "child"),
    ],
)
def test_a_birth_date_says_adult_or_child_and_doubt_says_child(born: str, expected: str) -> None:
    found = with_age_group({"resourceType": "Patient", "birthDate": born}, TODAY_US)
    assert found["extension"] == [{"url": AGE_GROUP, "valueCode": expected}]


TODAY_US = int(datetime(2026, 11, 24, 12, tzinfo=UTC).timestamp()) * 1_000_000


def test_what_a_source_says_itself_stays_and_nothing_is_guessed() -> None:
    said = {"birthDate": "2015", "extension": [{"url": AGE_GROUP, "valueCode": "adult"}]}
    assert with_age_group(said, TODAY_US) is said
    for unknown in ({}, {"birthDate": "long ago"}, {"birthDate": 1990}):
        assert with_age_group(unknown, TODAY_US) is unknown


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["reference", "identifier", "performer", "x"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["identifier", "performer", "subject", "supportingInfo"]), JSON))
def test_whatever_a_source_answers_a_copy_is_made_or_refused_later(body: dict[str, object]) -> None:
    made = copied({"resourceType": "ServiceRequest", **body})
    assert made["meta"] == {"source": URL}
    person_url(body, BASE)
    differs(made, body)
