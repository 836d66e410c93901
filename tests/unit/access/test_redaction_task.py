"""What of a Task survives in which view: of one that holds everything, and of one as it comes in life."""

import copy
from typing import Any

import pytest

from referral_hub.access.redaction import render
from referral_hub.access.views import View
from referral_hub.errors import NotFound
from referral_hub.fhir.canonical import code_system
from tests.unit.access.redaction_cases import (
    CLINIC,
    SHELTER,
    TASK,
    codes,
    concept,
    entry,
    fresh,
    of,
    plant,
    reference,
    texts,
)

HEALTH = frozenset({"health"})
OWN = frozenset({"status", "statusReason", "businessStatus", "executionPeriod", "output"})
HEAD = of("Task", "id", "meta.versionId", "meta.lastUpdated")
CARD = HEAD | codes("Task.statusReason") | of(
    "Task", "status", "intent", "priority", "authoredOn", "lastModified", "restriction.period.start",
    "restriction.period.end",
)  # fmt: skip
K = CARD | codes("Task.businessStatus")
N = K | of("Task", "focus.reference", "for.reference")
F = N | codes("Task.code", "Task.performerType", "Task.reasonCode") | of("Task.code", "coding.system")
INPUT = "Task.input"
F_INPUT = codes(f"{INPUT}.type", f"{INPUT}.valueCodeableConcept") | of(
    f"{INPUT}",
    *(f"value{kind}" for kind in ("Code", "Date", "DateTime", "Instant", "Time", "Decimal", "Integer")),
    *("valuePositiveInt", "valueUnsignedInt"),
    *(f"valueCoding.{name}" for name in ("system", "version", "code")),
)
OWN_STATUS_PARTS = {"Task.statusReason", "Task.businessStatus"}


def view(kind: str, **more: Any) -> View:
    return View(kind, CLINIC, **{"category": "health", **more})  # type: ignore[arg-type]


@pytest.mark.attack("S-21", "S-28")
@pytest.mark.parametrize(("kind", "survive"), [("N", N), ("K", K), ("H", CARD - codes("Task.statusReason"))])
def test_of_a_full_task_exactly_this_survives(kind: str, survive: set[str]) -> None:
    planted = plant("Task")
    assert planted.survivors(render(planted.resource, view(kind))) == survive


def test_full_without_the_services_category_is_the_notice() -> None:
    task = fresh(TASK)
    notice = render(task, view("N"))
    assert render(task, view("F")) == notice
    assert render(task, view("F", categories=frozenset({"identity", "contact"}))) == notice
    assert render(task, view("F", category="immigration", categories=frozenset({"immigration"}))) == notice


def test_a_permit_that_names_instances_leaves_the_task_a_notice() -> None:
    assert render(fresh(TASK), view("F", named=True)) == render(fresh(TASK), view("N"))


def test_full_adds_codes_of_the_services_category_and_no_words_of_a_shelter() -> None:
    planted = plant("Task")
    survive = planted.survivors(render(planted.resource, view("F", categories=HEALTH)))
    measured = {place for place in survive if place.startswith("Task.input.value")} - F_INPUT
    assert survive - measured == F | F_INPUT
    allowed = [
        "Quantity",
        "Age",
        "Count",
        "Distance",
        "Duration",
        "Money",
        "Period",
        "Range",
        "Ratio",
        "Timing",
    ]
    assert {place.split(".")[2].removeprefix("value") for place in measured} == set(allowed)
    assert not [place for place in measured if place.endswith((".display", ".text", ".id", "extension"))]


def test_full_adds_free_text_of_others_than_shelters_and_v_elements_only_with_v() -> None:
    planted = plant("Task")
    open_text = planted.survivors(render(planted.resource, view("F", categories=HEALTH, from_shelter=False)))
    assert {
        "Task.description",
        "Task.note.text",
        "Task.reasonCode.text",
        "Task.input.valueString",
    } <= open_text
    assert not {place for place in open_text if place.startswith("Task.input.valueAddress")}
    very = planted.survivors(render(planted.resource, view("F", categories=HEALTH, very_restricted=True)))
    assert open_text < very
    assert "Task.input.valueAddress.city" in very
    for place in very:
        top = place.split(".")[1]
        assert top not in ("basedOn", "partOf", "groupIdentifier", "relevantHistory", "text", "contained"), (
            place
        )
        assert not place.endswith((".display", "extension")), place
        assert "_" not in place, place


@pytest.mark.parametrize("kind", ["N", "K", "F", "H"])
def test_what_the_reader_wrote_itself_stays_in_every_row(kind: str) -> None:
    task = fresh(
        TASK,
        status="cancelled",
        statusReason=concept("by-target", code_system("status-reason"), "we moved"),
        executionPeriod={"start": "2026-11-24"},
    )
    shown = render(task, view(kind, own=OWN))
    assert shown["output"] == task["output"]
    assert shown["statusReason"] == task["statusReason"]
    assert shown["executionPeriod"] == {"start": "2026-11-24"}
    assert {"text": "owner note", "authorReference": {"reference": "Organization/clinic-1"}} in shown["note"]
    assert [item["value"] for item in shown["identifier"]] == ["P-1", "F-1"]


@pytest.mark.parametrize("kind", ["N", "K", "F", "H"])
def test_what_others_wrote_there_does_not(kind: str) -> None:
    task = fresh(
        TASK,
        statusReason=concept("by-source", code_system("status-reason"), "secret reason"),
        executionPeriod={"start": "2026-11-24"},
    )
    shown = render(task, view(kind, categories=HEALTH))
    assert "output" not in shown
    assert "executionPeriod" not in shown
    assert "secret reason" not in set(texts(shown))


def test_nothing_secret_is_in_the_notice_of_a_task_as_it_comes() -> None:
    shown = render(fresh(TASK), view("N", requester="Organization/network"))
    told = " ".join(texts(shown))
    for word in ("secret", "shelter", "name of", "shown as", "Fulfil", "urn:x"):
        assert word not in told, word
    assert shown["requester"] == {"reference": "Organization/network"}
    assert shown["owner"] == {"reference": "Organization/clinic-1"}
    assert shown["restriction"] == {"period": {"end": "2026-12-01T00:00:00Z"}}
    assert shown["code"] == {
        "coding": [{"system": "http://hl7.org/fhir/CodeSystem/task-code", "code": "fulfill"}]
    }
    assert len(shown["input"]) == 1
    assert shown["input"][0]["valueCodeableConcept"]["coding"][0]["code"] == "no-reminders"


def test_every_copy_carries_the_same_two_labels_and_nothing_else_of_meta() -> None:
    metas = [render(fresh(TASK), view(kind))["meta"] for kind in "NKFH"]
    assert metas[0] == {
        "versionId": "v1",
        "lastUpdated": "2026-11-24T09:00:00Z",
        "security": [
            {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"},
            {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "NOREUSE"},
        ],
    }
    assert all(found == metas[0] for found in metas)


@pytest.mark.attack("S-38")
@pytest.mark.parametrize("reason", ["by-source", "client-declined", "not-selected", "claimed-by-other"])
@pytest.mark.parametrize("business", ["cancel-unconfirmed", "awaiting-client", None])
def test_every_cause_of_a_cancellation_looks_the_same(reason: str, business: str | None) -> None:
    def history(code: str, step: str | None) -> dict[str, Any]:
        task = fresh(
            TASK, status="cancelled", statusReason=concept(code, code_system("status-reason"), "why")
        )
        task["businessStatus"] = concept(step, code_system("business-status")) if step else None
        return render(fresh(task), view("H", own=frozenset({"output"})))

    assert history(reason, business) == history("by-source", None)
    told = history(reason, business)["statusReason"]
    assert told == {"coding": [{"system": code_system("status-reason"), "code": "closed-by-sender"}]}


@pytest.mark.attack("S-38")
def test_history_of_a_task_without_any_reason_looks_like_any_other() -> None:
    bare = fresh(TASK, status="cancelled", statusReason=None, businessStatus=None)
    told = fresh(TASK, status="cancelled", statusReason=concept("by-source"), businessStatus=None)
    assert render(bare, view("H")) == render(told, view("H"))


@pytest.mark.attack("S-20")
def test_references_of_the_full_view_are_only_the_visible_ones() -> None:
    shown = render(fresh(TASK), view("F", categories=HEALTH, visible=frozenset({"Condition/c1"})))
    assert shown["reasonReference"] == {"reference": "Condition/c1"}
    assert "encounter" not in shown
    assert "insurance" not in shown


@pytest.mark.attack("S-40")
def test_absolute_addresses_do_not_name_a_server_in_the_notice() -> None:
    task = fresh(TASK, focus=reference("https://shelter.example/fhir/ServiceRequest/1"))
    assert "focus" not in render(task, view("N"))
    known = frozenset({"https://shelter.example/fhir/ServiceRequest/1"})
    assert "focus" in render(task, view("N", visible=known))


def test_a_handling_condition_is_shown_in_codes_of_the_hub_only() -> None:
    odd = entry("handling-condition", valueCodeableConcept=concept("secret-need"))
    text = entry("handling-condition", valueString="secret wish")
    plain = entry("handling-condition", valueCode="no-letters")
    changed = {**plain, "modifierExtension": [{"url": "urn:x"}]}
    shown = render(fresh(TASK, input=[odd, text, plain, changed]), view("N"))
    assert [item["valueCode"] for item in shown["input"]] == ["no-letters"]


def test_a_task_that_no_copy_may_shorten_is_absent() -> None:
    for extra in ({"modifierExtension": [{"url": "urn:x"}]}, {"implicitRules": "urn:x"}):
        with pytest.raises(NotFound):
            render(fresh(TASK, **extra), view("N"))


def test_a_no_name_referral_is_read_whole_but_for_who_asks_and_siblings() -> None:
    shown = render(fresh(TASK), view("nameless", requester="Organization/network"))
    told = set(texts(shown))
    assert "secret description" in told
    assert shown["requester"] == {"reference": "Organization/network"}
    for name in ("basedOn", "partOf", "groupIdentifier", "relevantHistory", "text", "extension"):
        assert name not in shown
    assert not [text for text in told if text.startswith(("name of", "shown as"))]


def test_the_requester_reads_status_step_code_and_times_and_no_more_of_the_recipient() -> None:
    task = fresh(
        TASK,
        status="on-hold",
        statusReason=concept("waitlisted", code_system("status-reason"), "secret clinic text"),
        executionPeriod={"start": "2026-11-24"},
    )
    shown = render(task, View("requester", SHELTER, "health"))
    assert shown["status"] == "on-hold"
    assert shown["businessStatus"]["coding"][0]["code"] == "sent"
    assert shown["statusReason"]["coding"] == [{"system": code_system("status-reason"), "code": "waitlisted"}]
    assert "text" not in shown["statusReason"]
    assert shown["executionPeriod"] == {"start": "2026-11-24"}
    assert "output" not in shown
    assert [item["text"] for item in shown["note"]] == ["secret author note"]
    assert [item["value"] for item in shown["identifier"]] == ["P-1", "secret-number"]
    theirs = {"status", "businessStatus", "statusReason", "executionPeriod", "output", "note", "identifier"}
    theirs.add("meta")  # its claim of a profile: test_claims
    assert {name: shown[name] for name in task if name not in theirs} == {
        name: task[name] for name in task if name not in theirs
    }


OUTPUTS = [
    entry("attendance", "task-output-type", valueCode="came"),
    entry("next-date", "task-output-type", valueDate="2026-12-08"),
    entry("needs-more", "task-output-type", valueBoolean=False),
    entry("attendance", "task-output-type", valueCodeableConcept=concept("secret-finding")),
    entry("attendance", "task-output-type", valueString="secret words"),
    entry("handling-confirmed", "task-output-type", valueCode="no-letters"),
    {"type": concept("result"), "valueReference": reference("DocumentReference/d9")},
    {"type": concept("result"), "valueReference": reference("DocumentReference/secret")},
    {"type": concept("result"), "valueString": "secret result"},
]


@pytest.mark.parametrize(
    ("categories", "visible", "count"),
    [
        (set(), {"DocumentReference/d9"}, 0),
        ({"health"}, {"DocumentReference/d9"}, 0),
        ({"outcome"}, {"DocumentReference/d9"}, 3),
        ({"outcome", "health"}, set(), 5),
        ({"outcome", "health"}, {"DocumentReference/d9"}, 6),
    ],
)
def test_the_return_release_opens_the_answer(categories: set[str], visible: set[str], count: int) -> None:
    asked = View(
        "requester", SHELTER, "health", frozenset(categories), visible=frozenset(visible), from_shelter=True
    )
    shown = render(fresh(TASK, output=OUTPUTS), asked)
    outputs = shown.get("output", [])
    assert len(outputs) == count
    assert not [text for text in texts(outputs) if "secret " in text or text == "secret"]
    if categories == {"outcome"}:
        assert [next(name for name in item if name != "type") for item in outputs] == [
            "valueCode", "valueDate", "valueBoolean",
        ]  # fmt: skip


def test_a_wider_return_release_opens_notes_and_words_of_others_than_shelters() -> None:
    wide = frozenset({"outcome", "health"})
    task = fresh(TASK, statusReason=concept("waitlisted", text="full until May"))
    closed = render(task, View("requester", SHELTER, "health", wide))
    assert [item["text"] for item in closed["note"]] == ["secret author note"]
    shown = render(task, View("requester", SHELTER, "health", wide, from_shelter=False))
    assert [item["text"] for item in shown["note"]] == ["secret author note", "owner note"]
    assert shown["statusReason"]["text"] == "full until May"


def test_without_outcome_a_return_release_opens_nothing() -> None:
    task = fresh(TASK, statusReason=concept("waitlisted", text="full until May"))
    narrow = View("requester", SHELTER, "health", frozenset({"health"}), from_shelter=False)
    assert render(task, narrow) == render(task, View("requester", SHELTER, "health"))


def test_a_recall_is_read_whole_by_its_owner() -> None:
    recall = fresh(TASK, code=concept("recall", code_system("task-code")))
    shown = render(recall, view("recall"))
    assert {name: value for name, value in shown.items() if name != "meta"} == {
        name: value for name, value in recall.items() if name != "meta"
    }
    assert shown["meta"]["security"][0]["code"] == "R"


@pytest.mark.parametrize(
    "kind", ["N", "K", "H", "F", "nameless", "requester", "recall", "stored", "cut", "granted", "directory"]
)
def test_rendering_alters_nothing_and_is_the_same_twice(kind: str) -> None:
    task = fresh(TASK)
    before = copy.deepcopy(task)
    asked = view(kind, categories=HEALTH, own=OWN, requester="Organization/network")
    if kind in ("cut", "granted", "directory"):
        with pytest.raises(NotFound):
            render(task, asked)
        return
    once = render(task, asked)
    assert task == before
    assert render(once, asked) == once
