"""The hub's own order and Task: they say what the source asked, are valid FHIR, and name no source."""

from typing import Any

import pytest

from referral_hub.exchange.filler_orders import Order, can_be_passed_on, filler_order, onward_task
from referral_hub.fhir.validator import validate
from tests import builders as b

ORDER = Order("network", "clinic", "p1", "original", "parent", "number", 0, in_words=True)


def request(**more: Any) -> dict[str, Any]:
    return b.service_request(
        "Patient/p1",
        "shelter",
        identifier=[{"system": "urn:example:source", "value": "7"}],
        supportingInfo=[
            {"reference": "Condition/c1", "display": "a cut"},
            {"reference": "https://e.example/x/Goal/1"},
        ],
        patientInstruction="Ring twice.",
        **more,
    )


def errors(resource: dict[str, Any]) -> list[str]:
    return [issue.text for issue in validate({**resource, "id": "x"}) if issue.is_error]


def test_the_order_says_the_same_in_the_hubs_name() -> None:
    made = filler_order(request(), ORDER, ["Observation/o1", "Condition/c1"])
    assert errors(made) == []
    assert made["intent"] == "filler-order"
    assert made["basedOn"] == [{"reference": "ServiceRequest/original"}]
    assert made["code"] == request()["code"]
    assert made["note"] == request()["note"]
    assert made["performer"] == [{"reference": "Organization/clinic"}]
    assert made["supportingInfo"] == [{"reference": "Condition/c1"}, {"reference": "Observation/o1"}]
    assert "urn:example:source" not in repr(made)


def test_a_shelters_words_stay_behind_and_its_codes_do_not() -> None:
    order = Order("network", "clinic", "p1", "original", "parent", "number", 0, in_words=False)
    made = filler_order(request(reasonCode=[{"text": "told in confidence"}]), order, [])
    assert errors(made) == []
    assert made["code"] == b.coded("http://snomed.info/sct", "125643001")
    assert not made.keys() & {"note", "patientInstruction", "reasonCode"}
    for words in ("wound", "sleeps", "Ring", "confidence", "a cut"):
        assert words not in repr(made)


def test_of_a_request_in_words_only_the_kind_of_help_stays() -> None:
    order = Order("network", "clinic", "p1", "original", "parent", "number", 0, in_words=False)
    asked = request(orderDetail=[b.coded("urn:example:details", "x")])
    asked["code"] = {"text": "in words"}
    made = filler_order(asked, order, [])
    assert errors(made) == []
    assert [one["code"] for one in made["code"]["coding"]] == ["health"]


@pytest.mark.parametrize(
    "more",
    [
        {"status": "revoked"},
        {"status": "on-hold"},
        {"doNotPerform": True},
        {"implicitRules": "https://elsewhere.example/rules"},
        {"modifierExtension": [{"url": "https://elsewhere.example/not", "valueBoolean": True}]},
        {"note": [{"text": "x", "modifierExtension": []}]},
    ],
)
def test_what_cannot_be_said_again_is_not_passed_on(more: dict[str, Any]) -> None:
    assert not can_be_passed_on(request(**more))


def test_the_task_carries_conditions_and_dates_and_no_words() -> None:
    condition = {"type": b.coded("https://referral-hub.example/fhir/CodeSystem/task-input-type", "handoff")}
    parent = b.task(
        "Patient/p1",
        "ServiceRequest/original",
        "network",
        description="told in confidence",
        note=[{"text": "x"}],
        input=[{**condition, "valueBoolean": True}, {"type": {"text": "letter"}, "valueString": "words"}],
    )
    made = onward_task(parent, ORDER, "order")
    assert errors(made) == []
    assert made["partOf"] == [{"reference": "Task/parent"}]
    assert made["restriction"] == {"period": parent["restriction"]["period"]}
    assert made["input"] == [{**condition, "valueBoolean": True}]
    assert not made.keys() & {"description", "note"}
