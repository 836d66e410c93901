"""Folding: what counts as the same name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_hub.fhir.folding import fold


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Ada", "ada"),
        ("  Ada \t  LOVELACE\n", "ada lovelace"),
        ("Jos\u00e9", "jose"),
        ("Jose\u0301", "jose"),
        ("M\u00fcller", "muller"),
        ("Stra\u00dfe", "strasse"),
        ("\u0141ukasz", "lukasz"),
        ("S\u00f8ren", "soren"),
        ("\u0130stanbul", "istanbul"),
        ("Nguy\u1ec5n", "nguyen"),
        ("\u1f0c\u03bd\u03bd\u03b1", "\u03b1\u03bd\u03bd\u03b1"),
        (
            "\u0627\u0644\u0652\u0639\u064e\u0631\u064e\u0628\u0650\u064a",
            "\u0627\u0644\u0639\u0631\u0628\u064a",
        ),
        ("\u05e9\u05b8\u05c1\u05dc\u05d5\u05b9\u05dd", "\u05e9\u05dc\u05d5\u05dd"),
        ("\u30ac\u30ae", "\u30ac\u30ae"),
        ("\uff76\uff9e", "\u30ac"),
        ("\u0915\u093f", "\u0915\u093f"),
        ("\ud55c\uae00", "\ud55c\uae00"),
        ("A\u200bda\u202e", "ada"),
        ("A\x00da", "ada"),
        ("\ufb01n", "fin"),
        ("\u0301", ""),
        ("", ""),
    ],
)
def test_names(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(st.text())
def test_folding_twice_changes_nothing_more(text: str) -> None:
    once = fold(text)
    assert fold(once) == once


@given(st.text())
def test_case_does_not_count_where_it_can_be_undone(text: str) -> None:
    if text.lower().upper() == text.upper():
        assert fold(text.casefold()) == fold(text)
