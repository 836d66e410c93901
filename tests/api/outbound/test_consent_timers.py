"""A permission as time passes: the caseworker is told, a long one waits for her, she comes of age, she comes back."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from referral_hub.exchange.building import Draft
from referral_hub.fhir.canonical import code_system, structure
from referral_hub.fhir.elements import code_in, extension
from referral_hub.store import schema
from tests import builders as b
from tests.api.outbound.conftest import DAY_US, Place, placed
from tests.api.outbound.partner_server import PartnerServer
from tests.world import Caller, opened_world, parsed, texts

REASON = code_system("review-reason")


@pytest.fixture
def long_place(hub_url: str, tmp_path: Path, partner: PartnerServer) -> Iterator[Place]:
    """A fresh hub of a network with a written legal note for half a year."""
    note = {"CONSENT_MAX_DAYS": "180", "CONSENT_LEGAL_NOTE": "Courts take half a year."}
    with opened_world(hub_url, tmp_path / "data", **note) as world:
        yield placed(world, partner)


def reviews(caller: Caller, status: str = "requested") -> list[str]:
    """Gives why somebody should look, of the Tasks that say so."""
    found = parsed(caller.get(f"/Task?code=case-review&status={status}")).get("entry", [])
    return sorted(code_in(entry["resource"]["reasonCode"], REASON) for entry in found)


def step(place: Place) -> str:
    return code_in(place.hub_task().get("businessStatus"), code_system("business-status"))


def signed_long_ago(place: Place, days: int, **more: Any) -> dict[str, Any]:
    """Gives a release of half a year that was signed some days ago, written as if it were then."""
    permit = b.permit(place.clinic, purpose="court-support", categories=("identity", "proceedings"))
    permit["period"] = {"start": b.instant(-days), "end": b.instant(180 - days - 0.01)}
    return b.release(place.person, place.shelter, permit, dateTime=b.instant(-days), **more)


def open_to_court(place: Place) -> bool:
    helper = place.world.caller(place.clinic, purpose="court-support")
    return "for" in helper.read(place.task)


# --- telling the caseworker ------------------------------------------------------------------------------


def test_the_caseworker_finds_one_task_inside_her_organisation(place: Place):
    place.sign(days=20)
    place.refer(restriction=None)
    place.deliver()
    for days, reason, closed in (
        (7, "sharing-ending", 0),
        (7, "sharing-ending", 1),
        (5, "sharing-ending", 2),
    ):
        place.wait(days)
        place.fire()
        assert reviews(place.s) == [reason]
        assert len(reviews(place.s, "cancelled")) == closed
    place.wait(2)
    place.fire()
    assert reviews(place.s) == ["sharing-ended"]
    assert reviews(place.c) == []
    assert len(place.partner.requests) == 1, "nothing about it may leave"
    [entry] = parsed(place.s.get("/Task?code=case-review&status=requested"))["entry"]
    task = entry["resource"]
    assert task["focus"]["reference"] == f"Consent/{place.release['id']}"
    assert task["owner"] == task["requester"] == {"reference": f"Organization/{place.shelter}"}
    assert "description" not in task
    assert place.c.get(f"/Task/{task['id']}").status_code == 404
    assert "note" not in task


def test_the_caseworker_is_told_of_an_end_that_no_referral_waits_for(place: Place):
    place.sign(days=1)
    place.wait(1.5)
    place.fire()
    assert reviews(place.s) == ["sharing-ended"]
    assert [reason for _, _, reason in place.audited("alert")] == ["sharing-ended"]


def test_a_renewal_closes_what_asked_to_look(place: Place):
    place.sign(days=10)
    place.wait(4)
    place.fire()
    assert reviews(place.s) == ["sharing-ending"]
    place.sign(days=25)
    place.wait(5)
    place.fire()
    assert reviews(place.s) == []


def test_a_timer_of_an_end_that_is_killed_half_way_tells_once(place: Place, monkeypatch: pytest.MonkeyPatch):
    place.sign(days=10)
    place.wait(4)
    whole = Draft.change

    def killed(self: Draft, change_id: str) -> Any:
        raise SystemExit

    monkeypatch.setattr(Draft, "change", killed)
    with pytest.raises(SystemExit):
        place.fire()
    monkeypatch.setattr(Draft, "change", whole)
    assert reviews(place.s) == []
    place.later_us += DAY_US
    place.fire()
    assert reviews(place.s) == ["sharing-ending"]
    assert place.fire() == 0


# --- check-in --------------------------------------------------------------------------------------------


def test_a_long_permission_pauses_at_ninety_days_until_she_confirms(long_place: Place):
    place = long_place
    place.release = place.s.create(signed_long_ago(place, 80))
    place.refer(restriction=None)
    assert open_to_court(place)
    place.wait(8.5)
    place.fire()
    assert reviews(place.s) == ["check-in-due"]
    place.wait(2)
    place.fire()
    assert step(place) == "sharing-ended"
    assert reviews(place.s) == ["check-in-due"]
    place.later_us = 0
    mark = {"url": structure("consent-check-in"), "valueDateTime": b.instant()}
    place.s.changed(f"Consent/{place.release['id']}", extension=[mark])
    assert step(place) == "sent"
    assert place.hub_task()["status"] == "requested"
    place.wait(11)
    place.fire()
    assert step(place) == "sent"
    assert reviews(place.s) == []
    place.wait(80)
    place.fire()
    assert step(place) == "sharing-ended"


def test_a_permission_whose_check_in_passed_opens_nothing(long_place: Place):
    place = long_place
    place.release = place.s.create(signed_long_ago(place, 95))
    request = place.s.create(b.service_request(place.person, place.clinic, category="proceedings"))
    answer = place.s.ask(
        "POST", "/Task", b.task(place.person, f"ServiceRequest/{request['id']}", place.clinic)
    )
    assert answer.status_code == 422
    assert "has ended" in texts(answer)[0]


@pytest.mark.parametrize("when", [1.0, -100.0])
def test_a_check_in_is_after_the_signature_and_not_in_the_future(long_place: Place, when: float):
    place = long_place
    made = place.s.create(signed_long_ago(place, 80))
    mark = {"url": structure("consent-check-in"), "valueDateTime": b.instant(when)}
    answer = place.s.update({**made, "extension": [mark]})
    assert answer.status_code == 422
    [issue] = parsed(answer)["issue"]
    assert issue["expression"] == [f"Consent.extension('{structure('consent-check-in')}')"]


def test_a_check_in_confirms_narrows_or_ends_and_never_widens(long_place: Place):
    place = long_place
    made = place.s.create(signed_long_ago(place, 80))
    mark = {"url": structure("consent-check-in"), "valueDateTime": b.instant()}
    made["provision"]["provision"][0]["class"].append(
        {"system": code_system("information-category"), "code": "health"}
    )
    answer = place.s.update({**made, "extension": [mark]})
    assert answer.status_code == 422
    assert parsed(answer)["issue"][0]["expression"] == ["Consent.provision"]
    made["provision"]["provision"][0]["class"] = made["provision"]["provision"][0]["class"][:1]
    assert place.s.update({**made, "extension": [mark]}).status_code == 200
    later = place.s.read(f"Consent/{made['id']}")
    assert place.s.update({**later, "extension": []}).status_code == 422
    del later["extension"]
    answer = place.s.update(later)
    assert answer.status_code == 422, "a check-in that was written down stays"


def test_above_ninety_days_the_network_has_a_written_note(place: Place):
    answer = place.s.ask("POST", "/Consent", signed_long_ago(place, 0))
    assert answer.status_code == 422
    assert "at most 90 days" in texts(answer)[0]


# --- eighteen --------------------------------------------------------------------------------------------


def a_child(born: str = "") -> dict[str, Any]:
    found = b.patient("Pip")
    found["extension"][0]["valueCode"] = "child"
    del found["birthDate"]
    return {**found, "birthDate": born} if born else found


def eighteen_in(days: float) -> str:
    day = b.instant(days)[:10]
    return f"{int(day[:4]) - 18:04d}{day[4:]}".replace("-02-29", "-03-01")


def signed_by_guardian(place: Place) -> None:
    kin = place.s.create({"resourceType": "RelatedPerson", "patient": {"reference": place.person}})
    agreed = [
        {"url": "own-view", "valueCode": "yes"},
        {"url": "guardian-no-suspect", "valueBoolean": True},
        {"url": "guardian-not-refused", "valueBoolean": True},
    ]
    place.release = place.s.create(
        b.release(
            place.person,
            place.shelter,
            b.permit(place.clinic, days=20),
            performer=[{"reference": f"RelatedPerson/{kin['id']}"}],
            extension=[{"url": structure("agreed-for-her"), "extension": agreed}],
        )
    )


def test_at_eighteen_what_others_signed_ends_that_day_and_is_no_withdrawal(place: Place):
    place.person = f"Patient/{place.s.create(a_child())['id']}"
    signed_by_guardian(place)
    place.refer(restriction=None)
    place.deliver()
    place.c.changed(place.task, status="accepted")
    place.s.changed(place.person, birthDate=eighteen_in(5))
    place.wait(3)
    place.fire()
    assert step(place) == ""
    place.wait(3)
    place.fire()
    assert step(place) == "sharing-ended"
    assert place.hub_task()["status"] == "accepted"
    ended = place.s.read(f"Consent/{place.release['id']}")
    assert ended["status"] == "active"
    mark = extension(ended, structure("sharing-ended"))
    assert {"url": "reason", "valueCode": "came-of-age"} in mark["extension"]
    assert [row for row in place.rows(schema.resource, "kind") if row[0] == "recall"] == []
    assert reviews(place.s) == ["sharing-ended"]
    before = ended["meta"]["versionId"]
    place.wait(1)
    place.fire()
    assert place.s.read(f"Consent/{place.release['id']}")["meta"]["versionId"] == before


def test_a_birth_date_corrected_to_a_later_one_moves_the_day(place: Place):
    place.person = f"Patient/{place.s.create(a_child())['id']}"
    signed_by_guardian(place)
    place.s.changed(place.person, birthDate=eighteen_in(3))
    place.s.changed(place.person, birthDate=eighteen_in(9))
    place.wait(5)
    place.fire()
    assert "extension" in place.s.read(f"Consent/{place.release['id']}")
    assert extension(place.s.read(f"Consent/{place.release['id']}"), structure("sharing-ended")) is None
    place.wait(6)
    place.fire()
    assert extension(place.s.read(f"Consent/{place.release['id']}"), structure("sharing-ended"))


def test_a_birth_date_that_makes_her_grown_up_ends_it_at_once(place: Place):
    place.person = f"Patient/{place.s.create(a_child())['id']}"
    signed_by_guardian(place)
    place.s.changed(place.person, birthDate=eighteen_in(-400))
    place.fire()
    assert extension(place.s.read(f"Consent/{place.release['id']}"), structure("sharing-ended"))


def test_nobody_takes_an_early_end_away(place: Place):
    place.person = f"Patient/{place.s.create(a_child())['id']}"
    signed_by_guardian(place)
    place.s.changed(place.person, birthDate=eighteen_in(-400))
    place.fire()
    ended = place.s.read(f"Consent/{place.release['id']}")
    kept = [one for one in ended["extension"] if one["url"] != structure("sharing-ended")]
    answer = place.s.update({**ended, "extension": kept})
    assert answer.status_code == 422


def test_what_she_signed_herself_goes_on_at_eighteen(place: Place):
    place.sign()
    place.s.changed(place.person, birthDate=eighteen_in(-1))
    place.fire()
    assert "extension" not in place.s.read(f"Consent/{place.release['id']}")


# --- contact lost ----------------------------------------------------------------------------------------


def contact(place: Place, *, lost: bool, by: str = "") -> dict[str, Any]:
    found = b.observation(
        place.person, "safety", code=b.coded(code_system("observation"), "contact-lost"), valueBoolean=lost
    )
    del found["valueQuantity"]
    if by:
        found["method"] = b.coded(code_system("recognised-by"), by)
    return found


def test_while_contact_is_lost_nothing_goes_to_her_and_nothing_new_tells_who_she_is(place: Place):
    place.sign()
    place.refer(restriction=None)
    place.s.create(contact(place, lost=True))
    assert place.c.get(f"/{place.person}").status_code == 200, "what runs goes on"
    message = {
        "resourceType": "Communication",
        "status": "preparation",
        "subject": {"reference": place.person},
        "recipient": [{"reference": place.person}],
        "medium": [b.coded("http://terminology.hl7.org/CodeSystem/v3-ParticipationMode", "EMAILWRIT")],
    }
    safe = {"url": structure("safe-contact"), "extension": [{"url": "channel", "valueCode": "EMAILWRIT"}]}
    person = place.s.read(place.person)
    place.s.changed(place.person, extension=[*person["extension"], safe])
    answer = place.s.ask("POST", "/Communication", message)
    assert answer.status_code == 422
    assert any("Contact with her is lost" in text for text in texts(answer))
    answer = place.s.ask("POST", "/Consent", b.release(place.person, place.shelter, b.permit(place.clinic)))
    assert parsed(answer)["issue"][0]["expression"] == ["Consent.status"]
    renewal = {
        "url": structure("renewal-of"),
        "valueReference": {"reference": f"Consent/{place.release['id']}"},
    }
    again = b.release(place.person, place.shelter, b.permit(place.clinic, categories=("health",)))
    answer = place.s.ask("POST", "/Consent", {**again, "extension": [renewal]})
    assert answer.status_code == 422
    place.s.create(b.refusal(place.person, place.shelter, actor=None))
    place.revoke()


def test_her_return_begins_a_new_episode_and_revives_nothing(place: Place):
    place.sign()
    place.refer(restriction=None)
    place.deliver()
    place.s.create(contact(place, lost=True))
    answer = place.s.ask("POST", "/Observation", contact(place, lost=False))
    assert parsed(answer)["issue"][0]["expression"] == ["Observation.method"]
    place.s.create(contact(place, lost=False, by="safe-word"))
    [entry] = parsed(place.s.get(f"/EpisodeOfCare?patient={place.person}"))["entry"]
    assert entry["resource"]["status"] == "active"
    assert place.c.get(f"/{place.person}").status_code == 404
    place.fire()
    assert step(place) == "sharing-ended"
    assert place.hub_task()["status"] == "requested"
    assert [row for row in place.rows(schema.resource, "kind") if row[0] == "recall"] == []
    place.sign()
    assert step(place) == "sent"
    place.s.create(contact(place, lost=False, by="face"))
    assert len(parsed(place.s.get(f"/EpisodeOfCare?patient={place.person}"))["entry"]) == 1


def test_nobody_else_reads_or_says_that_contact_is_lost(place: Place):
    place.sign(categories=("identity", "health", "safety"), very_restricted=True)
    place.refer(restriction=None)
    place.c.changed(place.task, status="accepted")
    made = place.s.create(contact(place, lost=True))
    assert place.c.get(f"/Observation/{made['id']}").status_code == 404
    assert place.c.ask("POST", "/Observation", contact(place, lost=True)).status_code == 422
