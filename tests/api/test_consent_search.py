"""A recipient finds the release that names it by what its cut shows, and by nothing else of it.

Source: ``views.md`` 1 (cut: status, scope, category, patient, dateTime) and 5.
"""

from typing import Any

import pytest

from referral_hub.fhir.canonical import code_system
from referral_hub.resources.catalog import DEFINITIONS
from tests import builders as b
from tests.api.network import Story, story
from tests.api.test_twin_worlds import normalised
from tests.world import World, parsed

SHOWN = ("category", "date", "patient", "scope", "status")
KIND = code_system("consent-kind")


def _found(answer: Any) -> list[str]:
    return [entry["resource"]["id"] for entry in parsed(answer).get("entry", ())]


@pytest.fixture
def it(world: World) -> Story:
    """A person with a release to the clinic, a refusal and a release to somebody else; the referral is accepted."""
    found = story(world)
    other = world.add_organization("other", "legal-aid")
    found.sign()
    found.s.create(b.refusal(found.person, found.shelter, actor={"reference": f"Organization/{other}"}))
    found.s.create(b.release(found.person, found.shelter, b.permit(other, purpose="legal-representation")))
    found.refer()
    found.move("accepted")
    return found


def _asked(it: Story) -> list[str]:
    return [
        f"patient={it.person}",
        f"patient={it.person}&status=active",
        f"patient={it.person}&_sort=-date",
        "status=active",
        "status:not=draft",
        "scope=patient-privacy",
        f"category={KIND}|release",
        f"category:not={KIND}|refusal",
        "date=ge2020-01-01",
        "date:missing=false",
        "patient:missing=false",
    ]


@pytest.mark.attack("S-37")
def test_a_recipient_finds_its_release_by_what_the_cut_shows(it: Story) -> None:
    for query in _asked(it):
        assert _found(it.c.get(f"/Consent?{query}")) == [it.release["id"]], query
        assert parsed(it.c.get(f"/Consent?{query}&_summary=count"))["total"] == 1, query


@pytest.mark.attack("S-37")
@pytest.mark.parametrize(
    "query",
    ["status=inactive", "status:not=active", f"category={KIND}|refusal", "date=lt2020", "scope=treatment"],
)
def test_what_the_cut_does_not_say_finds_nothing(it: Story, query: str) -> None:
    assert _found(it.c.get(f"/Consent?{query}")) == []


@pytest.mark.attack("S-37", "S-43")
def test_it_finds_nothing_before_it_accepts_and_nothing_after_the_withdrawal(world: World) -> None:
    it = story(world)
    it.sign()
    it.refer()
    assert all(_found(it.c.get(f"/Consent?{query}")) == [] for query in _asked(it))
    it.move("accepted")
    assert all(_found(it.c.get(f"/Consent?{query}")) for query in _asked(it))
    it.revoke()
    assert all(_found(it.c.get(f"/Consent?{query}")) == [] for query in _asked(it))
    assert _found(it.s.get(f"/Consent?patient={it.person}")) == [it.release["id"]]


@pytest.mark.attack("S-37")
def test_a_stranger_finds_nothing(it: Story, world: World) -> None:
    stranger = world.caller(world.add_organization("stranger", "clinic"))
    assert all(_found(stranger.get(f"/Consent?{query}")) == [] for query in _asked(it))


def _told(world: World, *, more: bool) -> tuple[Story, dict[str, str]]:
    """Gives a story whose release says more than the recipient reads, or does not; and what to ask of it."""
    it = story(world)
    paper = it.s.create(
        b.about_person("DocumentReference", it.person, category="health", request="-", document="-")
    )
    named = f"DocumentReference/{paper['id']}"
    permits = [b.permit(it.clinic), b.permit(it.clinic, categories=(), instances=(named,))]
    hidden: dict[str, Any] = {}
    if more:
        hidden["identifier"] = [{"system": "urn:example:consent", "value": "paper-7"}]
        hidden["sourceAttachment"] = None
        hidden["sourceReference"] = {"reference": named}
    made = b.release(it.person, it.shelter, *permits, **hidden)
    it.release = it.s.create({name: value for name, value in made.items() if value is not None})
    it.refer()
    it.move("accepted")
    return it, {
        "actor": f"Organization/{it.clinic}",
        "data": named,
        "identifier": "urn:example:consent|paper-7",
        "organization": f"Organization/{it.shelter}",
        "period": "ge2020",
        "policy": "https://network.example/policy/release/v1",
        "purpose": "TREAT",
        "source-reference": named,
    }


@pytest.mark.attack("S-37", "S-13")
def test_what_the_cut_leaves_out_changes_no_search(world: World) -> None:
    (bare, asked_bare), (full, asked_full) = _told(world, more=False), _told(world, more=True)
    for one in DEFINITIONS["Consent"].search:
        queries = [f"{one.code}:missing=true", f"{one.code}:missing=false"]
        if one.code not in SHOWN:
            assert one.visibility == "own"
            by_author = _found(full.s.get(f"/Consent?{one.code}={asked_full[one.code]}"))
            of_root = ("actor", "data", "period", "purpose")  # R4 indexes the outermost provision alone
            assert by_author == ([] if one.code in of_root else [full.release["id"]])
            assert _found(full.c.get(f"/Consent?{one.code}={asked_full[one.code]}")) == []
            queries = [*queries, f"{one.code}="]
        for query in queries:
            answers = []
            for it, asked in ((bare, asked_bare), (full, asked_full)):
                value = asked[one.code] if query.endswith("=") else ""
                for rest in ("", "&_total=accurate", "&_summary=count"):
                    told = normalised(it.c.get(f"/Consent?{query}{value}{rest}"))
                    answers.append(told.replace(value, "VALUE") if value else told)
            assert answers[:3] == answers[3:], query
