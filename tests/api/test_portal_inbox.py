"""The inbox of the portal: what the organisation that was asked sees and does, desk and recalls among it."""

import re

import pytest

from referral_hub.exchange.withdrawing import withdraw_by_code
from referral_hub.fhir.canonical import code_system
from tests import builders as b
from tests.api.callers import row_id_of
from tests.api.portal_sides import Two, act, shown, sides, version_in
from tests.world import World


@pytest.fixture
def two(world: World) -> Two:
    return sides(world)


def test_legal_aid_says_no_without_a_reason(two: Two, world: World) -> None:
    lawyers = world.add_organization("Open Door", "legal-aid")
    lawyer = two.office.staff("supervisor", lawyers).at(two.office.browser())
    two.sender.create(
        b.release(
            two.person,
            two.shelter,
            b.permit(lawyers, purpose="legal-representation", categories=("legal-needs",)),
        )
    )
    asked = two.sender.create(b.service_request(two.person, lawyers, category="legal-needs"))
    task = two.sender.create(b.task(two.person, f"ServiceRequest/{asked['id']}", lawyers))
    text = shown(lawyer.get(f"/inbox/{task['id']}"))
    offered = re.findall(r'name="reason" value="([^"]+)"', text)
    assert offered == ["cannot-take"]
    answer = act(lawyer, f"/inbox/{task['id']}", "cannot", reason="at-capacity", words="x")
    assert answer.status_code == 422


def test_an_outdated_form_answers_calmly_and_loses_nothing_typed(two: Two) -> None:
    page = f"/inbox/{two.task}"
    old = version_in(shown(two.boss.get(page)))
    two.receiver.changed(
        f"Task/{two.task}", businessStatus=b.coded(code_system("business-status"), "acknowledged")
    )
    answer = two.boss.post(page, page=page, version=old, act="cannot", reason="at-capacity", words="no bed")
    text = shown(answer, 422)
    assert "Somebody changed this a moment ago" in text
    assert "no bed" in text
    assert two.sender.read(f"Task/{two.task}")["status"] == "requested"
    again = two.boss.post(
        page, page=page, version=version_in(text), act="cannot", reason="at-capacity", words="no bed"
    )
    assert again.status_code == 303


def test_conditions_are_confirmed_before_a_yes(two: Two) -> None:
    kind, codes = code_system("task-input-type"), code_system("handling-condition")
    asked = two.sender.create(b.service_request(two.person, two.clinic))
    condition = {
        "type": b.coded(kind, "handling-condition"),
        "valueCodeableConcept": b.coded(codes, "no-letters"),
    }
    task = two.sender.create(
        b.task(two.person, f"ServiceRequest/{asked['id']}", two.clinic, input=[condition])
    )
    page = f"/inbox/{task['id']}"
    assert "no letters" in shown(two.boss.get(page))
    assert act(two.boss, page, "accept").status_code == 422
    assert act(two.boss, page, "accept", confirm="no-letters").status_code == 303
    assert two.receiver.read(f"Task/{task['id']}")["status"] == "accepted"


def test_a_second_person_confirms_who_works_with_her(two: Two) -> None:
    assert act(two.boss, f"/inbox/{two.task}", "accept").status_code == 303
    nurse = two.office.staff("clinician", two.clinic)
    at = nurse.at(two.office.browser())
    assert at.get(f"/inbox/{two.task}").status_code == 404
    page = f"/inbox/{two.task}"
    assert nurse.login in shown(two.boss.get(page))
    answer = two.boss.post(page, page=page, staff="assign", account=nurse.account)
    assert answer.status_code == 303
    assert "Lark" in shown(at.get(page))
    assert "Lark" in shown(at.get(f"/people/{two.patient}"))
    answer = two.boss.post(page, page=page, staff="unassign", account=nurse.account)
    assert answer.status_code == 303
    assert at.get(page).status_code == 404


def test_intake_says_yes_and_asks_to_work_with_her(two: Two) -> None:
    member = two.office.staff("intake", two.clinic)
    nurse = member.at(two.office.browser())
    page = f"/inbox/{two.task}"
    assert f"/inbox/{two.task}" in shown(nurse.get("/inbox"))
    answer = act(nurse, page, "accept", take="yes")
    assert answer.headers["Location"] == "/inbox?done=accept"
    assert "It is done." in shown(nurse.get(answer.headers["Location"]))
    assert nurse.get(page).status_code == 404, "until a second person confirms"
    assert "waits for a second person" in shown(two.boss.get(page))
    two.boss.post(page, page=page, staff="assign", account=member.account)
    assert "Lark" in shown(nurse.get(page))


def test_a_recall_is_answered_on_its_page(two: Two, world: World) -> None:
    assert act(two.boss, f"/inbox/{two.task}", "accept").status_code == 303
    two.receiver.read(two.person)
    world.parts.store.settle(two.office.at_us)
    consents = two.sender.get(f"/Consent?patient={two.person}&status=active").get_json()
    assert (
        two.sender.ask("POST", f"/Consent/{consents['entry'][0]['resource']['id']}/$revoke").status_code
        == 200
    )
    listed = shown(two.boss.get("/inbox?show=recall"))
    found = re.search(r'href="(/inbox/[0-9a-f-]{36})"', listed)
    assert found
    assert "Lark" not in listed
    assert two.patient not in shown(two.boss.get("/inbox"))
    answer = act(two.boss, found[1], "", answer="kept-by-law")
    assert "Name the law." in shown(answer, 422)
    assert act(two.boss, found[1], "", answer="deleted").status_code == 303
    assert "We deleted it" in shown(two.boss.get(found[1]))


def test_a_call_of_hers_is_noted_on_the_desk_by_who_works_with_her(two: Two, world: World) -> None:
    withdraw_by_code(world.parts.hub, row_id_of(world, two.person))
    desk = shown(two.worker.get("/inbox?show=desk"))
    found = re.search(r'action="(/inbox/[0-9a-f-]{36})"', desk)
    assert found
    other = two.office.staff("caseworker", two.shelter).at(two.office.browser())
    assert found[1] not in shown(other.get("/inbox?show=desk"))
    assert other.post(found[1], page="/inbox", act="noted").status_code == 404
    assert two.worker.post(found[1], page="/inbox?show=desk", act="noted").status_code == 303
    assert found[1] not in shown(two.worker.get("/inbox?show=desk"))
