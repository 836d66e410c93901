"""Consents in the shapes of IHE PCF, which state no kind: read as far as they can be, and never further.

All examples are invented. Source: IHE PCF (basic, intermediate, advanced); ``consent.md`` 1.1, 1.2 and C-18.
"""

from typing import Any

import pytest

from tests import builders as b
from tests.api.network import Story, story
from tests.world import World, parsed

Body = dict[str, Any]
TREAT = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "TREAT"}
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"


def pcf(it: Story, root: Body, **more: Any) -> Body:
    """Gives a Consent as a PCF recorder writes it: no kind, a root that permits or denies."""
    made = b.release(it.person, it.shelter)
    made["category"] = made["category"][:1]
    return {**made, "provision": {"period": {"end": b.instant(20)}, **root}, **more}


def actor(organization: str) -> Body:
    return {"role": b.IRCP, "reference": {"reference": f"Organization/{organization}"}}


def basic(it: Story) -> Body:
    return {"type": "permit", "actor": [actor(it.clinic)], "purpose": [TREAT]}


def label(*codes: str) -> list[Body]:
    return [{"system": CONFIDENTIALITY if len(code) == 1 else ACT_CODE, "code": code} for code in codes]


def accepted(it: Story) -> None:
    it.refer()
    it.move("accepted")


def test_a_basic_consent_opens_what_its_root_permits(world: World) -> None:
    it = story(world)
    condition = it.s.create(b.condition(it.person))
    it.release = it.s.create(pcf(it, basic(it)))
    accepted(it)
    assert it.c.read(f"Condition/{condition['id']}")["code"]
    other = world.caller(it.clinic, purpose="HPAYMT")
    assert other.get(f"/Condition/{condition['id']}").status_code == 404
    it.revoke()
    assert it.c.get(f"/Condition/{condition['id']}").status_code == 404


def sent(it: Story) -> int:
    """Asks to send a referral; gives the status."""
    request = it.s.create(b.service_request(it.person, it.clinic))
    task = b.task(it.person, f"ServiceRequest/{request['id']}", it.clinic)
    return it.s.ask("POST", "/Task", task).status_code


@pytest.mark.parametrize("way", ["one thing denied", "a time of the data"])
def test_an_intermediate_consent_is_followed_one_level_deep(world: World, way: str) -> None:
    it = story(world)
    inside = it.s.create(b.condition(it.person))
    outside = it.s.create({**b.condition(it.person), "recordedDate": "2020-05-05"})
    one = {"meaning": "instance", "reference": {"reference": f"Condition/{outside['id']}"}}
    root = basic(it)
    if way == "one thing denied":
        root["provision"] = [{"type": "deny", "data": [one]}]
    else:
        root["dataPeriod"] = {"start": "2026-01-01", "end": "2026-12-31"}
    it.s.create(pcf(it, root))
    accepted(it)
    assert it.c.get(f"/Condition/{inside['id']}").status_code == 200
    assert it.c.get(f"/Condition/{outside['id']}").status_code == 404


@pytest.mark.parametrize(
    "provision",
    [
        {"type": "deny", "nested": {"type": "permit"}},
        {"type": "permit", "nested": {"type": "deny", "securityLabel": label("PSY")}},
        {"type": "permit", "nested": {"type": "deny", "code": [b.coded("http://loinc.org", "8310-5")]}},
    ],
)
def test_what_rows_cannot_say_of_an_import_stays_closed_and_is_no_alarm(
    world: World, provision: Body, caplog: pytest.LogCaptureFixture
) -> None:
    it = story(world)
    condition = it.s.create(b.condition(it.person))
    root = {**basic(it), "type": provision["type"]}
    nested = {**provision["nested"]}
    if nested["type"] == "permit":
        nested = {**basic(it), "period": {"end": b.instant(20)}}
    it.s.create(pcf(it, {**root, "provision": [nested]}))
    assert sent(it) == 422
    assert it.c.get(f"/Condition/{condition['id']}").status_code == 404
    assert it.c.get(f"/{it.person}").status_code == 404
    assert "differ" not in caplog.text


def test_an_advanced_normal_consent_opens_nothing_restricted(world: World) -> None:
    it = story(world)
    it.s.create(b.condition(it.person))
    it.s.create(pcf(it, {**basic(it), "securityLabel": label("N")}))
    assert sent(it) == 422


@pytest.mark.parametrize(
    "fault",
    [
        {"purpose": []},
        {"actor": []},
        {"extension": [{"url": "urn:example:only-on-mondays", "valueBoolean": True}]},
        {"code": [{"coding": [{"system": "http://loinc.org", "code": "8310-5"}]}]},
        {"class": [{"system": "urn:example", "code": "whatever"}]},
        {"provision": [{"type": "permit", "provision": [{"type": "deny"}]}]},
        {"period": {"end": "2020-01-01"}},
    ],
)
def test_what_cannot_be_computed_permits_nothing(world: World, fault: Body) -> None:
    it = story(world)
    root = {name: value for name, value in {**basic(it), **fault}.items() if value != []}
    it.s.create(pcf(it, root))
    assert sent(it) == 422
    assert it.c.get(f"/{it.person}").status_code == 404


def test_an_import_that_denies_outweighs_a_release(world: World) -> None:
    it = story(world)
    it.sign()
    accepted(it)
    assert it.c.get(f"/{it.person}").status_code == 200
    it.s.create(pcf(it, {"type": "deny", "actor": [actor(it.clinic)]}))
    assert it.c.get(f"/{it.person}").status_code == 404


def test_an_import_never_becomes_a_release_or_a_refusal(world: World) -> None:
    it = story(world)
    made = it.s.create(pcf(it, basic(it)))
    kinds = b.release(it.person, it.shelter, b.permit(it.clinic))["category"]
    answer = it.s.update({**made, "category": kinds})
    assert answer.status_code == 422
    assert "Consent.category" in {issue["expression"][0] for issue in parsed(answer)["issue"]}


def test_consents_are_found_and_read_in_every_version(world: World) -> None:
    it = story(world)
    made = it.s.create(pcf(it, basic(it)))
    query = f"patient={it.person}&status=active&actor=Organization/{it.clinic}"
    found = parsed(it.s.get(f"/Consent?{query}"))
    posted = parsed(
        it.s.ask("POST", "/Consent/_search", query.encode(), Content_Type="application/x-www-form-urlencoded")
    )
    assert [one["entry"][0]["resource"]["id"] for one in (found, posted)] == [made["id"]] * 2
    version = made["meta"]["versionId"]
    assert it.s.get(f"/Consent/{made['id']}/_history/{version}").status_code == 200
    assert it.c.get(f"/Consent/{made['id']}/_history/{version}").status_code == 404
