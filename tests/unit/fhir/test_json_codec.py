"""Exact JSON: every digit comes back, and nothing two readers could understand differently gets in."""

import copy
import json
import pickle
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_hub.errors import MalformedContent
from referral_hub.fhir.json_codec import ExactDecimal, decode, decode_object, decode_own, encode, pretty

EXACT = [
    b'{"value":1.50}',
    b'{"value":100.000000000000000001}',
    b'{"value":1E2}',
    b'{"value":1e2}',
    b'{"value":1.0e5}',
    b'{"value":1E+2}',
    b'{"value":1e-7}',
    b'{"value":0.0000001}',
    b'{"value":-0.0}',
    b'{"value":-0}',
    b'{"value":0.00}',
    b'{"value":123456789012345678901234567890}',
    b'{"value":-9223372036854775809}',
    b'{"issued":"2026-11-24T10:00:00.123456789Z"}',
    b'{"_birthDate":{"extension":[{"url":"urn:x","valueCode":"unknown"}]},"birthDate":"1990"}',
    b'{"given":["Ada",null],"_given":[null,{"id":"a"}]}',
    b'{"z":1,"a":2,"m":3}',
    '{"text":"\u00e9 \u4e2d \U0001f600 \\" \\\\ / \\n \\t"}'.encode(),
    b"[]",
    b"{}",
    b"[true,false,null]",
    b'"text"',
]


@pytest.mark.parametrize("data", EXACT, ids=lambda data: data.decode()[:40])
def test_what_came_in_goes_out_byte_for_byte(data: bytes) -> None:
    assert encode(decode(data)) == data
    assert encode(decode_own(data)) == data


@pytest.mark.parametrize(
    ("data", "compact"),
    [
        (b' { "value" : 1.50 ,\r\n\t"a":[ 1E2 , -0.0 ] } ', b'{"value":1.50,"a":[1E2,-0.0]}'),
        (b'{"a":"\\u00e9","v":1E2,"i":-0,"b":12345678901234567890123}', None),
        (b'{"a":"\\/","\\u0062":1.10}', b'{"a":"/","b":1.10}'),
        (b'{"a":"x: 1, y","b":" two  blanks "}', b'{"a":"x: 1, y","b":" two  blanks "}'),
    ],
)
def test_other_spellings_of_texts_keep_the_digits(data: bytes, compact: bytes | None) -> None:
    expected = compact or '{"a":"\u00e9","v":1E2,"i":-0,"b":12345678901234567890123}'.encode()
    assert encode(decode(data)) == expected


REFUSED = [
    (b'{"a":1,"a":1}', "at byte 7"),
    (b'{"a":1,"\\u0061":2}', "at byte 7"),
    (b'{"x":{"a":1},"y":[{"b":1,"c":2,"b":3}]}', "at byte 31"),
    (b'{"a":{"b":1},"a":{"c":2}}', "at byte 13"),
    (b'{"value":NaN}', "at byte 9"),
    (b'{"value":Infinity}', "at byte 9"),
    (b'{"value":-Infinity}', "at byte"),
    (b'{"value":01}', "at byte"),
    (b'{"value":1.}', "at byte"),
    (b'{"value":.5}', "at byte"),
    (b'{"value":+1}', "at byte"),
    (b'{"value":0x10}', "at byte"),
    (b'{"a":"\xff"}', "not UTF-8 at byte 6"),
    (b'{"a":"\xed\xa0\x80"}', "not UTF-8 at byte 6"),
    (b'{"a":"\xc0\xaf"}', "not UTF-8 at byte 6"),
    (b'{"a":"\\ud800"}', "not JSON"),
    (b'{"a":"\\ud800 and more text after it"}', "not JSON"),
    (b'{"a":"\\udc00\\ud800 and more"}', "not JSON"),
    (b'{"a":1} x', "not JSON at byte 9"),
    (b'{"a":1}{"b":2}', "not JSON at byte 8"),
    (b'\xef\xbb\xbf{"a":1}', "not JSON at byte 0"),
    (b'{"a":1,}', "not JSON"),
    (b'{"a":"line\nbreak"}', "not JSON"),
    (b"{'a':1}", "not JSON"),
    (b'{"a":1 /* note */}', "not JSON"),
    (b'{"a":', "ends too early"),
    (b"", "ends too early"),
    (b"   ", "ends too early"),
    (b'{"a":[-0]}', "-0"),
    (b'{"a":1E99999}', "at byte 5"),
    (b'{"a":1E9999999999999999999999}', "at byte 5"),
    (b'{"a":0.' + b"1" * 1000 + b"}", "at byte 5"),
    (b'{"a":' + b"1" * 5000 + b"}", "4300"),
]


@pytest.mark.parametrize(("data", "says"), REFUSED, ids=lambda value: str(value)[:40])
def test_what_is_ambiguous_or_broken_is_refused(data: bytes, says: str) -> None:
    with pytest.raises(MalformedContent) as refusal:
        decode(data)
    assert says in refusal.value.text


@pytest.mark.parametrize(
    "data",
    [
        b'{"secret":1,"secret":2}',
        b'{"a":"secret\xff"}',
        b'{"secret":secret}',
        b'{"a":secretsecret}',
        b'{"a":"\\usecret"}',
    ],
)
def test_a_refusal_never_repeats_content(data: bytes) -> None:
    with pytest.raises(MalformedContent) as refusal:
        decode(data)
    assert "secret" not in refusal.value.text
    assert refusal.value.__suppress_context__ or refusal.value.__context__ is None


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_nesting_is_limited(opening: bytes) -> None:
    closing = b"]" if opening == b"[" else b"}"
    assert decode(opening * 63 + b"[]" + closing * 63) is not None
    with pytest.raises(MalformedContent, match="more than 64 levels"):
        decode(opening * 64 + b"[]" + closing * 64)
    with pytest.raises(MalformedContent, match="more than 3 levels"):
        decode(opening * 3 + b"[]" + closing * 3, levels=3)


def test_a_million_brackets_are_refused_and_not_walked_into() -> None:
    with pytest.raises(MalformedContent, match="levels"):
        decode(b"[" * 1_000_000)


def test_brackets_inside_texts_do_not_count_and_do_not_hide_depth() -> None:
    flat = b"[" + b",".join([b'"[[[[{{\\"[["'] * 200) + b"]"
    assert len(decode(flat)) == 200
    hidden = b'["]\\\\",' * 100 + b"1" + b"]" * 100
    with pytest.raises(MalformedContent, match="levels"):
        decode(hidden)


@pytest.mark.parametrize("data", [b"[]", b'"a"', b"1", b"null", b"true"])
def test_a_resource_is_an_object(data: bytes) -> None:
    with pytest.raises(MalformedContent, match="one JSON object"):
        decode_object(data)


def test_numbers_still_count() -> None:
    value = decode(b'{"a":1E2,"b":1.50,"c":7}')
    assert value == {"a": 100, "b": Decimal("1.5"), "c": 7}
    assert value["a"] + value["c"] == 107
    assert hash(value["a"]) == hash(Decimal(100))


def test_copies_keep_the_text() -> None:
    number = ExactDecimal("1.0e5")
    for again in (copy.copy(number), copy.deepcopy([number])[0], pickle.loads(pickle.dumps(number))):
        assert encode(again) == b"1.0e5"


def test_what_is_no_json_is_not_written() -> None:
    with pytest.raises(TypeError, match="cannot be written"):
        encode({"a": object()})


def test_pretty_keeps_the_digits() -> None:
    assert pretty(b'{"a":[1E2,-0,1.50]}').split() == [
        b"{",
        b'"a":',
        b"[",
        b"1E2,",
        b"-0,",
        b"1.50",
        b"]",
        b"}",
    ]


# ---- laws ----


@dataclass(frozen=True)
class Number:
    """A number as its text, so that the test never computes with it."""

    text: str


NUMBERS = st.from_regex(r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?", fullmatch=True).map(
    Number
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), TEXTS, NUMBERS.filter(lambda number: number.text != "-0")),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=20,
)


def written(value: Any, gap: str, *, escape: bool) -> str:
    """Writes JSON by hand: the independent other side of the round trip."""
    match value:
        case Number():
            return value.text
        case None | True | False:
            return json.dumps(value)
        case str():
            return json.dumps(value, ensure_ascii=escape)
        case list():
            items = f"{gap},{gap}".join(written(item, gap, escape=escape) for item in value)
            return f"[{gap}{items}{gap}]"
        case _:
            pairs = (
                f"{json.dumps(key, ensure_ascii=escape)}{gap}:{gap}{written(item, gap, escape=escape)}"
                for key, item in value.items()
            )
            return f"{{{gap}{f'{gap},{gap}'.join(pairs)}{gap}}}"


def numbers_of(value: Any) -> list[str]:
    match value:
        case Number():
            return [value.text]
        case list():
            return [text for item in value for text in numbers_of(item)]
        case dict():
            return [text for item in value.values() for text in numbers_of(item)]
        case _:
            return []


@given(VALUES, st.sampled_from(["", " ", "\n\t", "\r\n  "]), st.booleans())
def test_any_json_survives_digit_for_digit(value: Any, gap: str, escape: bool) -> None:
    data = written(value, gap, escape=escape).encode()
    once = encode(decode(data))
    texts: list[str] = []

    def keep(text: str) -> str:
        texts.append(text)
        return text

    json.loads(once, parse_float=keep, parse_int=keep)
    assert texts == numbers_of(value)
    assert json.loads(once) == json.loads(data)
    assert encode(decode(once)) == once
    assert encode(decode_own(once)) == once


def depth(value: Any) -> int:
    if isinstance(value, (list, dict)):
        inner = value.values() if isinstance(value, dict) else value
        return 1 + max(map(depth, inner), default=0)
    return 0


MARKS = st.text('[]{}"\\ :,a', max_size=6)
MARKED = st.recursive(
    MARKS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(MARKS, inner, max_size=3)),
    max_leaves=15,
)


@given(MARKED, st.integers(1, 6))
def test_nesting_is_counted_exactly(value: Any, levels: int) -> None:
    data = written(value, "", escape=False).encode()
    padded = b" " * 5000 + data
    for one in (data, padded):
        if depth(value) <= levels:
            assert decode(one, levels=levels) == value
        else:
            with pytest.raises(MalformedContent, match="levels"):
                decode(one, levels=levels)


@given(st.dictionaries(TEXTS, VALUES, min_size=1, max_size=5), st.data(), st.booleans())
def test_a_key_named_twice_is_always_found(value: dict[str, Any], data: st.DataObject, escape: bool) -> None:
    twice = data.draw(st.sampled_from(sorted(value)))
    text = written(value, "", escape=False)
    extra = f"{json.dumps(twice, ensure_ascii=escape)}:{written(value[twice], '', escape=False)}"
    nested = f'{{"list":[{text[:-1]},{extra}}}]}}'
    with pytest.raises(MalformedContent, match="twice"):
        decode(nested.encode())


@given(st.binary(max_size=60))
def test_bytes_of_any_kind_are_read_or_refused(data: bytes) -> None:
    try:
        value = decode(data)
    except MalformedContent:
        return
    assert json.loads(data) == json.loads(encode(value))
