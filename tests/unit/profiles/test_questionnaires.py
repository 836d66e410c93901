"""The instruments: voluntary, in two languages, and never asking what happened."""

import re
from collections.abc import Iterator

import pytest

from referral_hub.fhir.canonical import CANONICAL
from tests.unit.profiles.generated import Resource, of_type, resource

INSTRUMENTS = {found["id"]: found for found in of_type("Questionnaire")}


def items(part: Resource) -> Iterator[Resource]:
    """Gives every item of an instrument, those inside others as well."""
    for item in part.get("item", ()):
        yield item
        yield from items(item)


def _polish(extended: Resource | None) -> str:
    (translation,) = extended["extension"] if extended else ()
    told = {part["url"]: part.get("valueCode", part.get("valueString")) for part in translation["extension"]}
    assert translation["url"] == "http://hl7.org/fhir/StructureDefinition/translation"
    assert told["lang"] == "pl"
    return str(told["content"])


def test_the_instruments_of_the_practice_guide_are_there() -> None:
    expected = {"rapid-intake", "comprehensive-needs", "risk", "wellbeing", "exit", "feedback"}
    assert set(INSTRUMENTS) == expected


@pytest.mark.parametrize("name", sorted(INSTRUMENTS))
def test_every_question_may_be_skipped(name: str) -> None:
    found = list(items(INSTRUMENTS[name]))
    assert [item["linkId"] for item in found if "required" in item or "enableWhen" in item] == []
    assert found[0]["linkId"] == "voluntary"


@pytest.mark.parametrize("name", sorted(INSTRUMENTS))
def test_every_word_is_told_in_polish_as_well(name: str) -> None:
    instrument = INSTRUMENTS[name]
    told = [(instrument["title"], instrument.get("_title"))]
    told += [(item["text"], item.get("_text")) for item in items(instrument)]
    for english, extended in told:
        assert _polish(extended) != english
        assert re.search(r"\\", english + _polish(extended)) is None


@pytest.mark.parametrize("name", sorted(INSTRUMENTS))
def test_every_question_has_a_number_of_its_own_and_a_known_list_of_answers(name: str) -> None:
    found = list(items(INSTRUMENTS[name]))
    numbers = [item["linkId"] for item in found]
    assert sorted(set(numbers)) == sorted(numbers)
    for item in found:
        assert ("answerValueSet" in item) == (item["type"] == "choice")
        if item["type"] == "choice":
            assert resource(f"ValueSet-{item['answerValueSet'].rsplit('/', 1)[1]}")["url"].startswith(
                CANONICAL
            )


@pytest.mark.parametrize("name", sorted(INSTRUMENTS))
def test_no_page_for_the_person_names_what_was_done_to_her(name: str) -> None:
    instrument = INSTRUMENTS[name]
    told = " ".join([instrument["title"], *(item["text"] for item in items(instrument))]).lower()
    told += " ".join(_polish(item.get("_text")) for item in items(instrument)).lower()
    for word in ("traffick", "victim", "handel", "ofiar"):
        assert word not in told


def test_the_first_look_is_short() -> None:
    asked = [item for item in items(INSTRUMENTS["rapid-intake"]) if item["type"] not in ("group", "display")]
    assert len(asked) <= 20


def test_feedback_is_about_nobody() -> None:
    assert "subjectType" not in INSTRUMENTS["feedback"]


def test_the_answers_have_polish_words() -> None:
    for concept in resource("CodeSystem-answer")["concept"]:
        assert [part["language"] for part in concept["designation"]] == ["pl"]
