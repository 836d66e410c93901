"""The table of views.md section 1: what the owner of a referral reads at each state, every cell."""

from collections.abc import Callable
from typing import Any

import pytest

from referral_hub.fhir.canonical import code_system
from referral_hub.resources.catalog import DEFINITIONS
from tests import builders as b
from tests.api.network import Story, story
from tests.world import World

Step = Callable[[Story], None]
BUSINESS = code_system("business-status")
REASON = code_system("status-reason")


def _draft(it: Story) -> None:
    it.sign()
    it.refer(status="draft")


def _requested(it: Story) -> None:
    it.sign()
    it.refer()


def _acknowledged(it: Story) -> None:
    _requested(it)
    it.move("requested", businessStatus=b.coded(BUSINESS, "acknowledged"))


def _immediate(it: Story) -> None:
    it.sign()
    it.refer(
        input=[
            {"type": b.coded(code_system("task-input-type"), "identity-release"), "valueCode": "immediate"}
        ]
    )


def _immediate_not_covered(it: Story) -> None:
    it.sign(categories=("health",))
    it.refer(
        input=[
            {"type": b.coded(code_system("task-input-type"), "identity-release"), "valueCode": "immediate"}
        ]
    )


def _accepted(it: Story) -> None:
    _requested(it)
    it.move("accepted")


def _in_progress(it: Story) -> None:
    _accepted(it)
    it.move("in-progress")


def _on_hold(it: Story) -> None:
    _in_progress(it)
    it.move("on-hold", "waitlisted")


def _completed(it: Story) -> None:
    _in_progress(it)
    it.move("completed", output=[b.output("attendance", valueCode="came")])


def _failed(it: Story) -> None:
    _in_progress(it)
    it.move("failed", "client-unreachable")


def _rejected(it: Story) -> None:
    _requested(it)
    it.move("rejected", "at-capacity")


def _cancelled_by_sender(it: Story) -> None:
    _accepted(it)
    it.s.changed(it.task, status="cancelled", statusReason=b.reason("client-declined"))


def _cancelled_by_owner(it: Story) -> None:
    _accepted(it)
    it.move("cancelled", "recipient-withdrew")


def _entered_in_error(it: Story) -> None:
    _accepted(it)
    it.s.changed(it.task, status="entered-in-error", statusReason=b.reason("wrong-recipient"))


def _withdrawn(it: Story) -> None:
    _accepted(it)
    it.revoke()


def _withdrawn_before_acceptance(it: Story) -> None:
    _requested(it)
    it.revoke()


def _withdrawn_after_completion(it: Story) -> None:
    _completed(it)
    it.revoke()


def _withdrawn_draft(it: Story) -> None:
    _draft(it)
    it.revoke()


def _withdrawn_after_rejection(it: Story) -> None:
    _rejected(it)
    it.revoke()


STATES: dict[str, tuple[Step, str, str, str, bool, bool]] = {
    # state: how it is reached, Task, ServiceRequest, Patient, other data, release
    "draft": (_draft, "404", "404", "404", False, False),
    "requested": (_requested, "N", "N", "N", False, False),
    "requested/acknowledged": (_acknowledged, "N", "N", "N", False, False),
    "requested, immediate identity": (_immediate, "F", "F", "F", True, True),
    "requested, immediate identity not covered": (_immediate_not_covered, "N", "N", "N", False, False),
    "accepted": (_accepted, "F", "F", "F", True, True),
    "in-progress": (_in_progress, "F", "F", "F", True, True),
    "on-hold": (_on_hold, "F", "F", "F", True, True),
    "completed, within 30 days": (_completed, "F", "F", "F", True, True),
    "failed, within 30 days": (_failed, "F", "F", "F", True, True),
    "rejected": (_rejected, "H", "404", "404", False, False),
    "cancelled by the sender": (_cancelled_by_sender, "H", "404", "404", False, False),
    "cancelled by the owner": (_cancelled_by_owner, "H", "404", "404", False, False),
    "entered-in-error": (_entered_in_error, "H", "404", "404", False, False),
    "release withdrawn while requested": (_withdrawn_before_acceptance, "K", "404", "404", False, False),
    "release withdrawn while accepted": (_withdrawn, "K", "404", "404", False, False),
    "release withdrawn after completion": (_withdrawn_after_completion, "K", "404", "404", False, False),
    "release withdrawn, draft stays absent": (_withdrawn_draft, "404", "404", "404", False, False),
    "release withdrawn, history stays": (_withdrawn_after_rejection, "H", "404", "404", False, False),
}


@pytest.mark.attack("E-01")
@pytest.mark.parametrize("state", STATES)
def test_each_cell_of_the_view_table(world: World, state: str) -> None:
    reach, task, request, patient, other, release = STATES[state]
    it = story(world)
    condition = it.s.create(b.condition(it.person))
    reach(it)
    assert (
        _seen(it, it.task, "Task"),
        _seen(it, it.request, "ServiceRequest"),
        _seen(it, it.person, "Patient"),
    ) == (
        task,
        request,
        patient,
    )
    assert (it.c.get(f"/Condition/{condition['id']}").status_code == 200) is other
    assert (it.c.get(f"/Consent/{it.release['id']}").status_code == 200) is release


RECORDS = sorted(
    name for name, definition in DEFINITIONS.items() if definition.opened and not definition.is_referral
)
FIXED = tuple(sorted({DEFINITIONS[name].category for name in RECORDS} - {""}))


@pytest.mark.attack("E-01")
@pytest.mark.parametrize("state", STATES)
def test_every_type_a_release_opens_is_read_in_the_states_that_open_data(world: World, state: str) -> None:
    reach, *_, other, _ = STATES[state]
    it = story(world)
    it.categories = ("identity", "health", *FIXED)
    opened = [it.record(name) for name in RECORDS]
    closed = [it.record(name, "immigration") for name in RECORDS if not DEFINITIONS[name].category]
    author_only = [it.s.create(b.of_author(name, it.person)) for name in ("Group", "Provenance")]
    reach(it)

    def read(resource: dict[str, Any]) -> bool:
        answer = it.c.get(f"/{resource['resourceType']}/{resource['id']}")
        assert answer.status_code in (200, 404)
        return answer.status_code == 200

    assert {one["resourceType"]: read(one) for one in opened} == dict.fromkeys(RECORDS, other)
    assert [one["resourceType"] for one in (*closed, *author_only) if read(one)] == []


def _seen(it: Story, reference: str, kind: str) -> str:
    answer = it.c.get(f"/{reference}")
    if answer.status_code != 200:
        assert answer.status_code == 404
        return "404"
    shown = it.c.read(reference)
    if kind == "Patient":
        return "F" if "name" in shown else "N"
    if kind == "ServiceRequest":
        codes = [coding["code"] for coding in shown["code"]["coding"]]
        return "F" if "125643001" in codes else "N"
    if "for" in shown:
        # F of a Task adds nothing where the sender wrote nothing more; the other two cells tell N from F.
        return _seen(it, it.request, "ServiceRequest")
    return "H" if shown["status"] in ("rejected", "cancelled", "entered-in-error") else "K"
