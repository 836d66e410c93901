"""What is taken over from a partner's own Task: what a referral's owner may write, in the hub's terms."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_hub.access.writeback import TASK_OWNER_WRITABLE
from referral_hub.fhir.canonical import V2_0203, code_system
from referral_hub.outbound.partner_parts import Taken, taken_from, with_parts

OUTPUT = code_system("task-output-type")
BASE = "https://ehr.example/fhir"
HUB = "https://hub.example/fhir"
KEPT = (BASE, HUB)


def concept(system: str, code: str, **more: Any) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code, "display": "said in their words"}], **more}


def taken(**elements: Any) -> Taken:
    return taken_from({"resourceType": "Task", "status": "accepted", **elements}, base=BASE, kept_bases=KEPT)


@pytest.mark.parametrize(
    ("entry", "kept"),
    [
        ({"type": concept(OUTPUT, "handling-confirmed"), "valueCode": "no-letters"}, "no-letters"),
        ({"type": concept(OUTPUT, "next-date"), "valueDate": "2026-12-01"}, "2026-12-01"),
        ({"type": concept(OUTPUT, "needs-more"), "valueBoolean": False}, False),
        (
            {"type": concept(OUTPUT, "attendance"), "valueCodeableConcept": concept("s", "came", text="late")},
            {"coding": [{"system": "s", "code": "came"}]},
        ),
        ({"type": concept(OUTPUT, "attendance"), "valueCoding": {"system": "s", "code": "came"}},
         {"system": "s", "code": "came"}),
        ({"type": concept(OUTPUT, "next-date"), "valueString": "on Monday, she is afraid"}, None),
        ({"type": concept(OUTPUT, "needs-more"), "valueBoolean": "yes"}, None),
        ({"type": concept(OUTPUT, "of-their-own"), "valueCode": "x"}, None),
        ({"type": concept("s", "letter"), "valueString": "Dear colleague"}, None),
        ({"type": concept(OUTPUT, "attendance"), "valueCode": "came", "modifierExtension": [{}]}, None),
        ("not an object", None),
    ],
)  # fmt: skip
def test_outputs_of_the_hubs_types_keep_their_codes_and_nothing_else(entry: Any, kept: Any):
    found = taken(output=[entry]).outputs
    if kept is None:
        assert found == ()
    else:
        assert [value for name, value in found[0].items() if name != "type"] == [kept]
        assert found[0]["type"]["coding"][0].keys() == {"system", "code"}


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (f"{BASE}/Procedure/7", f"{BASE}/Procedure/7"),
        ("Procedure/7", f"{BASE}/Procedure/7"),
        ("Procedure/7/_history/2", f"{BASE}/Procedure/7"),
        (f"{HUB}/Procedure/7", f"{HUB}/Procedure/7"),
        ("https://ehr.example.evil/fhir/Procedure/7", ""),
        ("https://ehr.example/other/Procedure/7", ""),
        ("http://169.254.169.254/fhir/Procedure/7", ""),
        ("#contained", ""),
        ("urn:uuid:8b5c1b1e-6a8e-4a4e-9a0a-4b8f0f8d1a11", ""),
        ("", ""),
    ],
)
def test_a_reference_is_kept_where_it_leads_to_the_partners_base_or_to_this_hub(text: str, kept: str):
    entry = {"type": concept("s", "letter"), "valueReference": {"reference": text, "display": "Her name"}}
    found = taken(output=[entry]).outputs
    assert [one["valueReference"] for one in found] == ([{"reference": kept}] if kept else [])


def test_a_relative_reference_is_dropped_where_the_endpoint_is_no_registered_base():
    entry = {"type": concept("s", "letter"), "valueReference": {"reference": "Procedure/7"}}
    assert taken_from({"output": [entry]}, base=BASE, kept_bases=(HUB,)).outputs == ()


def test_notes_numbers_and_times_come_without_who_wrote_or_assigned_them():
    filler = {
        "type": concept(V2_0203, "FILL"),
        "system": "urn:ehr",
        "value": "77",
        "assigner": {"reference": "x"},
    }
    placer = {"type": concept(V2_0203, "PLAC"), "value": "1"}
    found = taken(
        note=[
            {"text": "Bring papers.", "time": "2026-11-24T10:00:00Z", "authorString": "J. Doe"},
            {"text": ""},
            {},
        ],
        identifier=[filler, placer, {"value": "3"}],
        executionPeriod={"start": "2026-11-24", "extension": [{}]},
        description="left behind",
        owner={"reference": "Organization/somebody-else"},
    )
    assert found.notes == ({"time": "2026-11-24T10:00:00Z", "text": "Bring papers."},)
    assert [one["value"] for one in found.fillers] == ["77"]
    assert "assigner" not in found.fillers[0]
    assert found.period == {"start": "2026-11-24"}


SHOWN: dict[str, Any] = {
    "resourceType": "Task",
    "id": "t",
    "status": "accepted",
    "identifier": [{"type": {"coding": [{"system": V2_0203, "code": "PLAC"}]}, "value": "1"}],
    "output": [{"type": {"coding": [{"system": OUTPUT, "code": "next-date"}]}, "valueDate": "2026-12-01"}],
    "note": [{"authorReference": {"reference": "Organization/clinic"}, "text": "Told before."}],
}


def test_parts_are_added_once_and_a_newer_answer_replaces_the_older():
    said = taken(
        output=[
            {"type": concept(OUTPUT, "next-date"), "valueDate": "2026-12-08"},
            {"type": concept(OUTPUT, "handling-confirmed"), "valueCode": "no-letters"},
        ],
        note=[{"text": "Told before."}, {"text": "New."}],
        identifier=[{"type": concept(V2_0203, "FILL"), "value": "77"}],
    )
    once = with_parts(SHOWN, said, owner="clinic")
    assert [entry.get("valueDate") or entry.get("valueCode") for entry in once["output"]] == [
        "2026-12-08",
        "no-letters",
    ]
    assert [note["text"] for note in once["note"]] == ["Told before.", "New."]
    assert [number["value"] for number in once["identifier"]] == ["1", "77"]
    stored = {**once, "note": [*once["note"][:1], {"authorReference": {"reference": "Organization/clinic"},
                                                  "text": "New."}]}  # fmt: skip
    assert with_parts(stored, said, owner="clinic") == stored


def test_a_partner_that_says_nothing_changes_nothing():
    assert with_parts(SHOWN, taken(), owner="clinic") == SHOWN


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["coding", "system", "code", "text", "value", "type", "reference", "valueReference"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(
    st.dictionaries(
        st.sampled_from([*TASK_OWNER_WRITABLE.elements, "for", "focus", "id", "description", "meta"]),
        json_values,
    )
)
def test_whatever_a_partner_answers_only_the_owners_elements_change(task: dict[str, Any]):
    body = with_parts(SHOWN, taken_from(task, base=BASE, kept_bases=KEPT), owner="clinic")
    changed = {name for name in body if body[name] != SHOWN.get(name)}
    assert changed <= set(TASK_OWNER_WRITABLE.elements)
    assert SHOWN.keys() <= body.keys()
