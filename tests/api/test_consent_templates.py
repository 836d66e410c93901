"""Drafts from templates, and how many permissions stand on each form. On both databases."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from referral_hub.casework.consent_templates import TEMPLATES
from tests import builders as b
from tests.api.network import Story, story
from tests.postgres import PostgresServer
from tests.world import World, opened_world, parsed

V1, V2 = "https://network.example/policy/release/v1", "https://network.example/policy/release/v2"


def asked(it: Story, purpose: str = "TREAT", **more: str) -> dict[str, Any]:
    return {"patient": it.person, "recipient": f"Organization/{it.clinic}", "purpose": purpose, **more}


def query(given: dict[str, Any]) -> str:
    return "/Consent/$template?" + "&".join(f"{name}={value}" for name, value in given.items())


@pytest.mark.parametrize("purpose", sorted(TEMPLATES))
def test_a_draft_becomes_a_permission_once_it_is_signed(world: World, purpose: str) -> None:
    it = story(world)
    draft = parsed(it.s.get(query(asked(it, purpose))))
    assert draft["status"] == "draft"
    made = it.s.create(draft)
    it.s.changed(
        f"Consent/{made['id']}",
        status="active",
        dateTime=b.instant(),
        performer=[{"reference": it.person}],
        sourceAttachment={"contentType": "text/plain", "data": "c2lnbmVk"},
    )
    [permit] = draft["provision"]["provision"]
    assert [one["code"] for one in permit["class"]] == list(TEMPLATES[purpose].least)
    assert "securityLabel" not in permit


def test_nothing_is_stored_or_told_by_a_draft(world: World) -> None:
    it = story(world)
    assert it.s.get(query(asked(it))).status_code == 200
    assert "entry" not in parsed(it.s.get(f"/Consent?patient={it.person}"))
    assert it.c.get(f"/{it.person}").status_code == 404


def test_the_way_back_tells_what_came_of_it_and_no_more(world: World) -> None:
    it = story(world)
    draft = parsed(it.s.get(query(asked(it, **{"return": "true"}))))
    [permit] = draft["provision"]["provision"]
    assert [one["code"] for one in permit["class"]] == ["outcome"]
    assert permit["actor"][0]["reference"]["reference"] == f"Organization/{it.shelter}"
    assert draft["organization"] == [{"reference": f"Organization/{it.clinic}"}]


def test_whose_draft_it_is_stays_with_her_own_organisation(world: World) -> None:
    it = story(world)
    hidden = it.c.get(query(asked(it)))
    absent = it.c.get(query({**asked(it), "patient": "Patient/00000000-0000-4000-8000-000000000000"}))
    assert (hidden.status_code, hidden.get_data()) == (absent.status_code, absent.get_data())
    assert hidden.status_code == 404
    it.sign()
    it.refer()
    it.move("accepted")
    assert it.c.get(query(asked(it))).status_code == 404


@pytest.mark.parametrize("name", ["patient", "recipient", "purpose"])
def test_what_is_missing_is_named(world: World, name: str) -> None:
    it = story(world)
    given = asked(it)
    del given[name]
    answer = it.s.get(query(given))
    assert answer.status_code == 422
    assert parsed(answer)["issue"][0]["expression"] == [f"Parameters.parameter.where(name='{name}')"]


@pytest.fixture(params=["sqlite", "postgresql"])
def counting(request: pytest.FixtureRequest, postgres: PostgresServer, tmp_path: Path) -> Iterator[World]:
    """A hub of its own, with a form that was retired, so that only its own permissions are counted."""
    file = tmp_path / "policy.toml"
    file.write_text(
        f'[forms."{V1}"]\nstate = "current"\n[forms."{V2}"]\nstate = "current"\n', encoding="utf-8"
    )
    settings = {"CONSENT_POLICY_FILE": str(file), "SMALL_CELL": "5"}
    if request.param == "sqlite":
        with opened_world(f"sqlite:///{tmp_path / 'hub.db'}", tmp_path, **settings) as world:
            yield world
    else:
        with postgres.database() as url, opened_world(url, tmp_path, **settings) as world:
            yield world


def numbers(world: World, *more: str) -> dict[str, tuple[str, int | None]]:
    """Gives state and number by version, as the network is told."""
    path = "/Consent/$form-counts" + ("?" + "&".join(f"policy={uri}" for uri in more) if more else "")
    answer = world.caller("network").get(path)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    found = {}
    for form in parsed(answer)["parameter"]:
        parts = {part["name"]: next(v for k, v in part.items() if k != "name") for part in form["part"]}
        found[parts["policy"]] = (parts["state"], parts.get("number"))
    return found


@pytest.mark.attack("S-42")
def test_the_network_is_told_numbers_and_small_ones_are_hidden(counting: World) -> None:
    it = story(counting)
    release = b.release(it.person, it.shelter, b.permit(it.clinic), policy=[{"uri": V1}])
    made = [it.s.create(release) for _ in range(5)]
    it.s.create({**release, "policy": [{"uri": V2}]})
    assert numbers(counting) == {V1: ("current", 5), V2: ("current", None)}
    assert numbers(counting, "https://x.example/v9")["https://x.example/v9"] == ("unknown", 0)
    it.release = made[0]
    it.revoke()
    assert numbers(counting)[V1] == ("current", None)
    assert it.s.get("/Consent/$form-counts").status_code == 403


def test_an_organisation_finds_its_own_permissions_of_an_old_form(world: World) -> None:
    it = story(world)
    it.sign()
    uri = it.release["policy"][0]["uri"]
    [entry] = parsed(it.s.get(f"/Consent?policy={uri}"))["entry"]
    assert entry["resource"]["id"] == it.release["id"]
    it.refer()
    it.move("accepted")
    assert "entry" not in parsed(it.c.get(f"/Consent?policy={uri}"))
