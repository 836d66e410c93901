"""A copy that shows less than its original claims no profile, so that nobody judges it by rules it cannot meet."""

from referral_hub.access.redaction import render
from referral_hub.access.views import View
from referral_hub.fhir.canonical import code_system, structure
from tests.unit.access.redaction_cases import SHELTER, entry

CLAIM = {"versionId": "1", "profile": [structure("referral-task")], "tag": [{"code": "kept"}]}
TASK = {
    "resourceType": "Task",
    "id": "t1",
    "meta": CLAIM,
    "status": "completed",
    "intent": "order",
    "output": [entry("attendance", "task-output-type", valueCode="came")],
}


def test_the_requester_keeps_its_claim_where_all_is_shown() -> None:
    whole = {name: value for name, value in TASK.items() if name != "output"}
    assert render(whole, View("requester", SHELTER, "health"))["meta"] == CLAIM


def test_the_requester_reads_no_claim_where_the_answer_is_left_out() -> None:
    shown = render(TASK, View("requester", SHELTER, "health"))
    assert "output" not in shown
    assert shown["meta"] == {"versionId": "1", "tag": [{"code": "kept"}]}


def test_a_reason_without_its_words_claims_nothing_either() -> None:
    reason = {"coding": [{"system": code_system("status-reason"), "code": "at-capacity"}], "text": "secret"}
    shown = render({**TASK, "statusReason": reason, "output": []}, View("requester", SHELTER, "health"))
    assert "profile" not in shown["meta"]
