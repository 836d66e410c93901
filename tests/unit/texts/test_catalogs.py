"""Every language says what English says, with the same values, and in every plural form of its own."""

import re
import string
from pathlib import Path

import pytest

from referral_hub.texts.catalogs import DEFAULT, LANGUAGES, catalog, chosen

COMPLETE = ("en", "pl")
PACKAGE = Path(__file__).parents[3] / "referral_hub"
_KEY = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z0-9]+(?:-[a-z0-9]+)*)+")
_USED = re.compile(r"""\bt\(\s*["']([^"']+)["']""")
CALM = re.compile(r"traffick|victim|ofiar|handl[a-z]* ludźmi|жертв|víctim|ضحي", re.IGNORECASE)
"""No page for a person says these words (``practice.md``, words on pages)."""


def values_of(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


def forms_of(language: str, key: str) -> tuple[str, ...]:
    said = catalog(language).sentences[key]
    return (said,) if isinstance(said, str) else said


@pytest.mark.parametrize("language", COMPLETE)
def test_a_complete_language_says_everything(language: str) -> None:
    english = set(catalog(DEFAULT).sentences)
    spoken = catalog(language).sentences
    assert not {key for key in english if key not in spoken or not all(forms_of(language, key))}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_adds_no_keys_and_loses_no_values(language: str) -> None:
    english = catalog(DEFAULT)
    for key, said in catalog(language).sentences.items():
        assert key in english.sentences, f"{key} is not in English"
        assert _KEY.fullmatch(key), key
        wanted = set().union(*(values_of(form) for form in forms_of(DEFAULT, key))) - {"number"}
        for form in forms_of(language, key):
            if form:
                assert values_of(form) - {"number"} == wanted, f"{language}: {key}"
        assert isinstance(said, str) == isinstance(english.sentences[key], str), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_are_calm(language: str) -> None:
    for key in catalog(language).sentences:
        for form in forms_of(language, key):
            assert not CALM.search(form), f"{language}: {key}"


def test_every_key_a_template_uses_is_said() -> None:
    used = {
        (key, path.name)
        for path in PACKAGE.glob("web/templates/**/*.html")
        for key in _USED.findall(path.read_text(encoding="utf-8"))
    }
    assert used
    said = catalog(DEFAULT).sentences
    # A key that ends with a dot is put together with a code: some key begins with it.
    begun = {key for key in used_beginnings(used) if not any(one.startswith(key) for one in said)}
    assert not begun
    assert not {(key, name) for key, name in used if not key.endswith(".") and key not in said}


def used_beginnings(used: set[tuple[str, str]]) -> set[str]:
    return {key for key, _ in used if key.endswith(".")}


def test_templates_hold_no_sentence_of_their_own() -> None:
    bare = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}|<[^>]*>", re.DOTALL)
    found = {}
    for path in PACKAGE.glob("web/templates/**/*.html"):
        left = bare.sub(" ", path.read_text(encoding="utf-8"))
        words = re.findall(r"[^\W\d_]{2,}", left)
        if words:
            found[path.name] = words
    assert not found


@pytest.mark.parametrize(
    ("wanted", "language"),
    [
        ([], "en"),
        (["de"], "en"),
        (["de", "uk-UA"], "uk"),
        (["pl"], "pl"),
        (["ar_EG", "pl"], "ar"),
        (["EN-gb"], "en"),
    ],
)
def test_the_first_wanted_language_that_is_spoken(wanted: list[str], language: str) -> None:
    assert chosen(wanted) == language


def test_an_unknown_key_is_a_fault_and_a_missing_sentence_is_english() -> None:
    with pytest.raises(KeyError):
        catalog("pl").sentence("no.such-key")
    polish = catalog("pl")
    lacking = type(polish)("pl", {}, polish._plural, catalog(DEFAULT))
    assert lacking.sentence("page.skip") == catalog(DEFAULT).sentence("page.skip")
