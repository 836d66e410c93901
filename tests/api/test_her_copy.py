"""Patient/[id]/$copy: her record in plain words as a tagged PDF, for her and her own organisation only."""

import base64

import pytest

from tests import builders as b
from tests.api.callers import signed_in
from tests.api.network import Story, story
from tests.unit.papers.reading_back import Paper, read_back
from tests.world import Caller, World, parsed

PDF = "application/pdf"


def _lived(world: World) -> Story:
    it = story(world)
    it.s.create({**b.condition(it.person), "code": {"text": "broken thumb #read(1)"}})
    it.sign()
    it.refer()
    it.move("accepted")
    assert it.c.get(f"/{it.person}").status_code == 200
    stranger = world.caller(world.add_organization("office", "social-services"))
    assert stranger.get(f"/{it.person}").status_code == 404
    return it


def _copy(caller: Caller, person: str, query: str = "", **headers: str) -> Paper:
    answer = caller.ask("GET", f"/{person}/$copy{query}", Accept=PDF, **headers)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return read_back(answer.get_data())


def test_her_own_organisation_gets_the_whole_record_in_words(world: World) -> None:
    it = _lived(world)
    paper = _copy(it.s, it.person, "?language=en")
    for words in (
        "broken thumb #read(1)",
        "What you allow",
        "Who looked, who got what",
        "Who asked and got nothing",
        "clinic",
        "your health",
        "medical care",
    ):
        assert words in paper.text, paper.text
    assert "/H2" in paper.tags
    assert it.person.partition("/")[2] not in paper.text


def test_the_answer_is_kept_by_nobody_and_named_neutrally(world: World) -> None:
    it = _lived(world)
    answer = it.s.ask("GET", f"/{it.person}/$copy", Accept=PDF)
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="notes.pdf"'
    assert answer.headers["Cache-Control"] == "no-store"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    binary = parsed(it.s.get(f"/{it.person}/$copy"))
    assert (binary["resourceType"], binary["contentType"]) == ("Binary", "application/pdf")
    assert read_back(base64.b64decode(binary["data"])).is_marked


def test_she_reads_it_herself_in_her_language(world: World) -> None:
    it = _lived(world)
    her = signed_in(world, it.shelter, "patient", person=it.person)
    paper = _copy(her, it.person, Accept_Language="uk, pl;q=0.5")
    assert paper.language == "uk"
    assert "Що ви дозволяєте" in paper.text
    assert _copy(her, it.person, "?language=ar").language == "ar"
    assert her.get(f"/{it.person}/$copy?language=xx").status_code == 400


@pytest.mark.attack("S-24")
def test_to_all_others_it_is_absent(world: World) -> None:
    it = _lived(world)
    stranger = world.caller(world.add_organization("another", "clinic"))
    other = it.s.create(b.patient("Other"))
    her = signed_in(world, it.shelter, "patient", person=it.person)
    absent = stranger.ask("GET", "/Patient/00000000-0000-4000-8000-000000000000/$copy", Accept=PDF)
    assert absent.status_code == 404
    for caller, person in ((stranger, it.person), (it.c, it.person), (her, f"Patient/{other['id']}")):
        answer = caller.ask("GET", f"/{person}/$copy", Accept=PDF)
        assert (answer.status_code, answer.get_data()) == (404, absent.get_data())


def test_a_copy_that_staff_print_is_told_to_her(world: World) -> None:
    it = _lived(world)
    her = signed_in(world, it.shelter, "patient", person=it.person)
    assert "a print was made" not in _copy(her, it.person, "?language=en").text
    _copy(it.s, it.person)
    assert "House · a print was made" in _copy(her, it.person, "?language=en").text


def test_what_she_took_back_is_told_as_stopped(world: World) -> None:
    it = _lived(world)
    it.revoke()
    text = _copy(it.s, it.person, "?language=en").text
    assert "stopped" in text
    assert "We asked them to stop using it" in text
    assert "no answer yet" in text
