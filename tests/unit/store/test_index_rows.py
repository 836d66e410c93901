"""Index rows: each spelling a search may use, each once, and no name in the clear."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_hub.exchange.change import (
    DateIndex,
    LinkIndex,
    NumberIndex,
    ResourceWrite,
    StringIndex,
    TokenIndex,
)
from referral_hub.keyring.digests import IndexDigests
from referral_hub.store.index_rows import pair_text, rows_of, spellings, string_rows, token_rows

DIGESTS = IndexDigests(b"k" * 32)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("urn:sys|code", {"urn:sys|code", "code", "urn:sys|"}),
        ("|code", {"|code", "code"}),
        ("urn:sys|", {"urn:sys|"}),
        ("urn:sys|a|b", {"urn:sys|a|b", "a|b", "urn:sys|"}),
        ("Patient/1", {"Patient/1"}),
        ("http://example.org/profile", {"http://example.org/profile"}),
    ],
)
def test_a_token_is_found_by_every_spelling(text: str, expected: set[str]):
    assert set(spellings(text)) == expected


@given(st.text(min_size=1), st.text(min_size=1).filter(lambda code: "|" not in code))
def test_one_look_finds_a_code_with_its_system_and_without(system: str, code: str):
    system = system.replace("|", "")
    found = {row["hash"] for row in token_rows(DIGESTS, "Task", 1, [TokenIndex("code", f"{system}|{code}")])}
    assert DIGESTS.token("Task", "code", f"{system}|{code}") in found
    assert DIGESTS.token("Task", "code", code) in found
    assert (DIGESTS.token("Task", "code", f"|{code}") in found) == (system == "")


def test_equal_rows_are_kept_once():
    tokens = [TokenIndex("code", "a|x"), TokenIndex("code", "b|x"), TokenIndex("code", "a|x")]
    rows = token_rows(DIGESTS, "Task", 1, tokens)
    assert len(rows) == len({row["hash"] for row in rows}) == len({"", "a|x", "b|x", "x", "a|", "b|"})


@given(st.lists(st.text(alphabet="abcdefgh ", min_size=1), min_size=1))
def test_no_word_of_a_name_lies_in_an_index_row(texts: list[str]):
    rows = string_rows(DIGESTS, "Patient", 1, [StringIndex("name", text, identifying=True) for text in texts])
    for row in rows:
        assert str(row["text"]).startswith("#")
        assert len(str(row["text"])) == 33
    assert {row["text"] for row in rows} >= {
        DIGESTS.word("Patient", "name", word) for text in texts for word in text.split()
    }


def test_a_text_that_names_nobody_is_kept_for_prefixes():
    assert (
        string_rows(DIGESTS, "Organization", 1, [StringIndex("name", "north house")])[0]["text"]
        == "north house"
    )


WRITE = ResourceWrite(
    "create",
    1,
    "Task",
    "t",
    "v",
    1,
    0,
    "shelter",
    "shelter",
    b"{}",
    tokens=(TokenIndex("status", "|requested"),),
    dates=(DateIndex("authored-on", 1, 2), DateIndex("authored-on", 1, 2)),
    strings=(StringIndex("name", "x"),),
    numbers=(NumberIndex("weight", "2", "2", ("", "urn:u|kg", "|kg", "|kilo")),),
    links=(LinkIndex("focus", "ServiceRequest", "s"),),
)


def test_a_deleted_resource_is_found_by_nothing():
    assert {name: len(rows) for name, rows in rows_of(DIGESTS, WRITE).items()} == {
        "index_token": 3,
        "index_date": 1,
        "index_string": 1,
        "index_number": 4,
        "index_link": 1,
    }
    assert not any(rows_of(DIGESTS, replace(WRITE, interaction="delete")).values())


def test_a_composite_is_found_by_every_spelling_of_both_its_parts():
    pair = TokenIndex("pair", "urn:b|2", under="urn:a|1")
    found = {row["hash"] for row in token_rows(DIGESTS, "Observation", 1, [pair])}
    firsts, seconds = ("urn:a|1", "1", "urn:a|"), ("urn:b|2", "2", "urn:b|")
    asked = {DIGESTS.token("Observation", "pair", pair_text(a, b)) for a in firsts for b in seconds}
    assert found == asked
    assert DIGESTS.token("Observation", "pair", "") not in found


def test_a_whole_text_is_found_by_itself_alone():
    written = TokenIndex("name:exact", "a|b", whole=True)
    [row] = token_rows(DIGESTS, "Organization", 1, [written])
    assert row["hash"] == DIGESTS.token("Organization", "name:exact", "a|b")
