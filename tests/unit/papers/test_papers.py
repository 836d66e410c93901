"""Each paper, read back: what it says, in which language, tagged, and what it never says."""

import time
from datetime import date
from hashlib import sha256
from pathlib import Path

import pytest

from referral_hub.access.categories import CATEGORIES
from referral_hub.casework.consent_templates import TEMPLATES
from referral_hub.errors import TooLarge
from referral_hub.papers import press as pressing
from referral_hub.papers.options_sheet import Option, OptionsSheet, options_sheet
from referral_hub.papers.permission_form import (
    FORM_URI,
    PURPOSES,
    PermissionForm,
    form_digest,
    form_text,
    permission_form,
    sentences,
)
from referral_hub.papers.press import press, printable
from referral_hub.papers.words import word
from referral_hub.texts.catalogs import LANGUAGES, catalog
from tests.unit.papers.papers import DAY, PAPERS
from tests.unit.papers.reading_back import read_back

HOSTILE = (
    '#panic("no") #read("/etc/passwd") = Title *b* _i_ $x^2$ @ref <label> `raw` // /* \\ "quoted" #{ } ]] '
    "\u202e\u2066\x00\x07\r\n\t \U0001f600 中文 Nguyễn Oleksandr"
)
DIGESTS = {
    "en": "6fe82a548bd85a041135e6043fcad88b7cfc2b0f3e42c0621bdadf4e593200fd",
    "pl": "2cf0a3f2b8e93f65c74db2335af2d4aadf9a9c0632e36500c21b71c666e15216",
    "uk": "1a624fde2cca3718747051a6c2b9f1eedaee53ee8689bd636362305a5e8aefaf",
    "es": "0c879c6b2ebfb6bae46eff29b9fa192627e9527cbe2eb350d996310157139e90",
    "ar": "04f18bfb3011b3337acaf0c4bbc244dc41aa0c789a925a94afec1fac119d7d9a",
}
"""A wording that changes is a new form: ``FORM_URI`` changes with it, once a version with it was released."""


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PAPERS)
def test_a_paper_is_tagged_and_says_its_language_and_title(name: str, language: str) -> None:
    paper = read_back(PAPERS[name](language))
    assert (paper.language, paper.is_marked, paper.part) == (language, True, "1")
    assert paper.title
    assert "/Document" in paper.tags
    assert {"/H1", "/P"} & paper.tags
    assert catalog(language).sentence("paper.copy.nobody") not in paper.title


@pytest.mark.parametrize("name", PAPERS)
def test_hostile_words_stay_words(name: str) -> None:
    paper = read_back(PAPERS[name]("en", HOSTILE))
    assert '#panic("no")' in paper.text
    assert "$x^2$" in paper.text
    assert "root:" not in paper.text
    assert "\u202e" not in paper.text


def test_the_form_says_both_languages_and_all_that_she_should_know() -> None:
    paper = read_back(PAPERS["signed"]("pl"))
    assert {"/Table", "/TH", "/TD"} <= paper.tags
    for language in ("pl", "en"):
        said = catalog(language)
        for key in (
            "help-stays",
            "who-only",
            "stop-any",
            "stop-past",
            "law",
            "ties",
            "no-ties",
            "explained-yes",
        ):
            words = said.text(f"paper.form.{key}")
            assert words.split(".")[0].split()[0] in paper.text, words
        assert word(said, "category", "health") in paper.text
        assert form_digest(language) in "".join(paper.text.split())
    assert FORM_URI in paper.text
    assert "24 listopada 2026" in paper.text
    assert "22 February 2027" in paper.text


def test_a_blank_form_offers_every_category_and_lines_to_write_on() -> None:
    paper = read_back(PAPERS["blank"]("en"))
    said = catalog("en")
    for code in CATEGORIES:
        assert word(said, "category", code).split()[-1] in paper.text
    for key in (
        "line-who",
        "line-why",
        "line-until",
        "line-sign",
        "line-date",
        "line-reader",
        "line-witness",
        "line-agency",
    ):
        assert said.text(f"paper.form.{key}") in paper.text
    assert said.text("paper.form.signed-mark") not in paper.text


def test_one_language_makes_one_column() -> None:
    form = PermissionForm("en", "en", DAY, "House 3")
    paper = read_back(permission_form(form))
    assert paper.text.count("Who gets it") == 2  # the heading and the line


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("way_back", [False, True])
def test_the_kinds_of_sentences_are_the_same_in_every_language(language: str, way_back: bool) -> None:
    form = PermissionForm("en", "pl", DAY, "House 3", "Clinic", "TREAT", ("health",), way_back=way_back)
    kinds = [kind for kind, _ in sentences(form, language)]
    assert kinds == [kind for kind, _ in sentences(form, "en")]
    assert all(text and "{" not in text for _, text in sentences(form, language))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_wording_of_a_version_stands(language: str) -> None:
    assert sha256(form_text(language).encode()).hexdigest() == form_digest(language)
    assert form_digest(language) == DIGESTS[language]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_category_and_purpose_has_words(language: str) -> None:
    sentences_of = catalog(language).sentences
    assert not [code for code in CATEGORIES if not sentences_of.get(f"paper.category.{code}")]
    assert not [code for code in PURPOSES if not sentences_of.get(f"paper.purpose.{code.lower()}")]
    assert set(TEMPLATES) == set(PURPOSES)


def test_an_option_is_told_with_the_age_of_its_number() -> None:
    text = read_back(PAPERS["options"]("en")).text
    assert "few places (as of 20 November 2026, 4 days ago)" in text
    assert "we do not know if there is room" in text
    with pytest.raises(ValueError, match="no choice"):
        options_sheet(OptionsSheet("en", DAY, "doctor", (Option("Only one"),)))
    today = Option("Clinic", capacity="free", capacity_on=DAY)
    sheet = OptionsSheet(
        "pl", DAY, "lekarz", (today, Option("Clinic", capacity="full", capacity_on=date(2026, 11, 23)))
    )
    assert "są miejsca (stan na 24 listopada 2026, dziś)" in read_back(options_sheet(sheet)).text


def test_the_printed_request_tells_what_to_say_and_never_to_call_her() -> None:
    paper = read_back(PAPERS["referral"]("en"))
    assert paper.pages == 2
    for words in (
        "RIVER-42",
        "R-4711",
        "+48 555 01 00",
        "Do not phone, write to or visit the person",
        "On the phone",
    ):
        assert words in paper.text


def test_the_card_is_small_and_harmless() -> None:
    paper = read_back(PAPERS["card"]("en"))
    assert (paper.pages, paper.size_mm) == (1, (86, 54))
    assert paper.title == "You can come back"


def test_arabic_is_set_from_right_to_left_in_shaped_letters() -> None:
    pdf = PAPERS["blank"]("ar")
    assert b"NotoSansArabic" in pdf
    paper = read_back(pdf)
    assert any("\u0600" <= letter <= "\u06ff" for letter in paper.text)


def test_the_same_values_give_the_same_bytes() -> None:
    assert PAPERS["card"]("uk") == PAPERS["card"]("uk")


def test_every_letter_that_counts_as_covered_can_be_set() -> None:
    lines = (Path(pressing.__file__).parent / "fonts" / "covered.txt").read_text().split("\n")
    spans = [tuple(int(end, 16) for end in line.split()) for line in lines if line]
    letters = "".join(chr(code) for first, last in spans for code in range(first, last + 1))
    shown = [printable(letter) for letter in letters]
    pieces = [{"kind": "text", "text": f"a {letter} b"} for letter in shown if letter]
    assert press("sheet", "en", "All", {"pieces": pieces})[:5] == b"%PDF-"
    assert sum(letter == "?" for letter in shown) == 1


def test_too_much_for_one_paper_is_refused_before_anything_is_set() -> None:
    began = time.monotonic()
    with pytest.raises(TooLarge):
        press(
            "sheet", "en", "Long", {"pieces": [{"kind": "text", "text": "a" * (pressing.MOST_LETTERS + 1)}]}
        )
    with pytest.raises(TooLarge):
        press(
            "sheet",
            "en",
            "Many",
            {"pieces": [{"kind": "items", "items": ["a"] * (pressing.MOST_VALUES + 1)}]},
        )
    assert time.monotonic() - began < 2


@pytest.mark.slow
def test_the_largest_paper_takes_a_bounded_time() -> None:
    words = "word " * (pressing.MOST_LETTERS // 5 // 4_000)
    pairs = [[str(number), words] for number in range(3_900)]
    began = time.monotonic()
    press("sheet", "en", "Long", {"pieces": [{"kind": "terms", "items": pairs}]})
    assert time.monotonic() - began < 20


def test_values_are_given_as_text_and_not_as_a_program() -> None:
    for layout in (Path(pressing.__file__).parent / "layouts").glob("*.typ"):
        source = layout.read_text(encoding="utf-8")
        assert "eval(" not in source
        assert "read(" not in source
        assert "@preview" not in source
