"""JSON that comes back digit for digit.

What lives here: reading JSON bytes into plain dicts, lists, texts and numbers, and writing them again so that
nothing a partner stored is altered: ``1.50`` stays ``1.50``, key order stays, ``_birthDate`` and nulls in
parallel lists stay. What does not: FHIR XML, and any rule about which elements may be there (the validator).

How it is exact and fast: msgspec reads and writes. A decimal becomes a :class:`decimal.Decimal` where
Python writes that number the same way again, and an :class:`ExactDecimal` that remembers its text where it
would not (``1E2``). msgspec keeps the last of two equal keys without a word, so what was read is written
once more and compared with what came: equal bytes, apart from white space, prove that nothing was dropped.
Only where they differ (escaped letters, usually) a slower reader that sees every key looks again.

Source: RFC 8259 (JSON); RFC 7493 section 2.3 (no duplicate names); FHIR R4 ``json.html``; FHIR R4
``datatypes.html`` (the precision of a decimal is part of its value).
"""

import json
import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from itertools import accumulate
from typing import Any, NoReturn

import msgspec

from referral_hub.errors import MalformedContent

LEVELS = 64
"""How deep objects and lists may be nested unless the caller says otherwise."""

LONGEST_NUMBER = 1_000
"""The most characters a decimal may be written with; FHIR asks for 18 digits."""

LARGEST_EXPONENT = 9_999
"""The largest power of ten, up or down, that a number may be written with."""

_SMALL = 4_096
_WHITE_SPACE = b" \t\r\n"
_NOT_MARKS = bytes(code for code in range(256) if code not in b'"[]{}')
_STEPS = bytes(1 if code in b"[{" else 255 if code in b"]}" else 0 for code in range(256))
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"(\s*:)?|[{}]')
_LISTED_MINUS_ZERO = re.compile(rb"[\[,]\s*-0\s*[,\]]")
_BYTE_POSITION = re.compile(r"\(byte (\d+)\)")


class ExactDecimal(Decimal):
    """A decimal that is written with the very characters it was read with.

    It counts and compares like any Decimal.

    >>> encode({"value": ExactDecimal("1E2")})
    b'{"value":1E2}'
    >>> ExactDecimal("1E2") == 100
    True
    """

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> "ExactDecimal":
        """Makes the number and keeps the text, which must be a JSON number."""
        made = super().__new__(cls, text)
        made.text = text
        return made

    def __str__(self) -> str:
        """Gives the characters the number was read with."""
        return self.text

    def __reduce__(self) -> tuple[type["ExactDecimal"], tuple[str]]:
        """Copies and pickles by the text, so that a copy is written the same way too."""
        return ExactDecimal, (self.text,)

    def __copy__(self) -> "ExactDecimal":
        """Gives itself: a number never changes."""
        return self

    def __deepcopy__(self, memo: object) -> "ExactDecimal":
        """Gives itself: a number never changes."""
        return self


def decode(data: bytes, *, levels: int = LEVELS) -> Any:
    """Reads JSON that came from outside, and refuses whatever two readers could understand differently.

    Args:
        data: the body, UTF-8 without byte order mark.
        levels: how deep objects and lists may be nested.

    Returns:
        dict, list, str, int, Decimal, bool or None; key order as sent.

    Raises:
        MalformedContent: not JSON, not UTF-8, a key twice in one object, NaN or Infinity, a lone surrogate,
            nested too deep, something after the end, or a number no one needs. The text names the byte,
            never what stands there. 400 on the wire.

    Source: RFC 8259; RFC 7493 section 2.

    >>> decode(b'{"value":1.50}')
    {'value': Decimal('1.50')}
    """
    if _is_deeper(data, levels):
        raise MalformedContent(f"The JSON is nested more than {levels} levels deep.")
    try:
        value = _DECODER.decode(data)
        again = _ENCODER.encode(value)
    except (msgspec.MsgspecError, UnicodeError, RecursionError, _UnusableNumber) as problem:
        _refuse(data, problem, levels)
    if again == data or again.translate(None, _WHITE_SPACE) == data.translate(None, _WHITE_SPACE):
        return value
    return _decode_slowly(data)


def decode_object(data: bytes, *, levels: int = LEVELS) -> dict[str, Any]:
    """Reads JSON from outside that must be one object, as every FHIR resource is.

    Raises:
        MalformedContent: as :func:`decode`, or the JSON is something other than an object.

    >>> decode_object(b'{"resourceType":"Task"}')
    {'resourceType': 'Task'}
    """
    value = decode(data, levels=levels)
    if not isinstance(value, dict):
        raise MalformedContent("The JSON is not an object; a resource is one JSON object.")
    return value


def decode_own(data: bytes) -> Any:
    """Reads JSON that :func:`encode` wrote, as fast as can be: the checks were made when it came in.

    Only for bytes out of the hub's own store. Exact like :func:`decode`.

    >>> decode_own(encode({"value": ExactDecimal("1.0e5")}))["value"].text
    '1.0e5'
    """
    value = _DECODER.decode(data)
    # msgspec reads the integer -0 as 0; lists of -0 are refused when they come in.
    return _decode_slowly(data) if b":-0" in data else value


def encode(value: Any) -> bytes:
    """Writes JSON without spaces, every number with the digits it was read with.

    Python's ``float`` has no place in a resource: use Decimal.

    >>> encode(decode(b'{"a": [1.50, null, 100.000000000000000001]}'))
    b'{"a":[1.50,null,100.000000000000000001]}'
    """
    return _ENCODER.encode(value)


def pretty(data: bytes) -> bytes:
    """Gives the same JSON with line breaks and two spaces per level, for people (``_pretty=true``).

    >>> print(pretty(b'{"value":1.50}').decode())
    {
      "value": 1.50
    }
    """
    return msgspec.json.format(data, indent=2)


class _UnusableNumber(Exception):
    """A number that is JSON, but longer or larger than the hub reads."""


def _number(text: str) -> Decimal:
    if len(text) > LONGEST_NUMBER:
        raise _UnusableNumber(text)
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise _UnusableNumber(text) from None
    if abs(number.adjusted()) > LARGEST_EXPONENT:
        raise _UnusableNumber(text)
    return number if str(number) == text else ExactDecimal(text)


def _integer(text: str) -> int | Decimal:
    return ExactDecimal(text) if text == "-0" else int(text)


def _write_exactly(value: Any) -> msgspec.Raw:
    if isinstance(value, ExactDecimal):
        return msgspec.Raw(value.text.encode("ascii"))
    raise TypeError(f"a {type(value).__name__} cannot be written as JSON")


_DECODER: msgspec.json.Decoder[Any] = msgspec.json.Decoder(float_hook=_number)
_ENCODER = msgspec.json.Encoder(decimal_format="number", enc_hook=_write_exactly)


def _outside(data: bytes) -> bytes:
    """Gives the JSON without its texts: what is left are brackets, commas, colons, numbers and words."""
    return b"".join(_without_escapes(data).split(b'"')[::2])


def _without_escapes(data: bytes) -> bytes:
    """Gives the JSON without escaped quotes and backslashes, so that every quote opens or closes a text."""
    return data.replace(b"\\\\", b"").replace(b'\\"', b"") if b"\\" in data else data


def _is_deeper(data: bytes, levels: int) -> bool:
    """Counts the levels of nesting without recursion, in time that grows with the length only.

    Of every text only its quotes are left, and a pair of quotes falls away; a quote that stays shows a text
    with brackets in it, and then the texts are cut out whole. Data that is no JSON gets any answer: it is
    refused later.
    """
    if len(data) < _SMALL and data.count(b"{") + data.count(b"[") <= levels:
        return False
    marks = _without_escapes(data).translate(None, _NOT_MARKS).replace(b'""', b"")
    if b'"' in marks:
        marks = _outside(data).translate(None, _NOT_MARKS)
    if len(marks) <= 2 * levels:
        return False
    return max(accumulate(memoryview(marks.translate(_STEPS)).cast("b"))) > levels


class _Twice(Exception):
    """An object names a key more than once."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _Twice
    return value


_SLOW_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_float=_number, parse_int=_integer)


def _decode_slowly(data: bytes) -> Any:
    """Reads JSON that msgspec has found well formed, seeing every key and every minus sign."""
    if _LISTED_MINUS_ZERO.search(_outside(data)):
        raise MalformedContent("A list of numbers holds the number -0: write it as 0.")
    try:
        return _SLOW_DECODER.decode(data.decode("utf-8"))
    except _Twice:
        raise MalformedContent(
            f"An object names the same property twice (at byte {_second_mention(data)}): name each once."
        ) from None


def _second_mention(data: bytes) -> int:
    """Finds the byte where a key is named for the second time in its object; 0 where there is none."""
    for position, key, seen in _keys(data):
        if key in seen:
            return position
        seen.add(key)
    return 0


def _keys(data: bytes) -> Iterator[tuple[int, str, set[str]]]:
    open_objects: list[set[str]] = []
    for token in _TOKEN.finditer(data):
        if token[0] == b"{":
            open_objects.append(set())
        elif token[0] == b"}":
            open_objects.pop()
        elif token[1] is not None:
            key = json.loads(token[0][: -len(token[1])])
            yield token.start(), key, open_objects[-1]


def _refuse(data: bytes, problem: Exception, levels: int) -> NoReturn:
    """Says what is wrong with bytes that cannot be read, by position only."""
    if isinstance(problem, UnicodeError):
        try:
            data.decode("utf-8")
        except UnicodeDecodeError as invalid:
            raise MalformedContent(f"The content is not UTF-8 at byte {invalid.start}.") from None
    if isinstance(problem, RecursionError):
        raise MalformedContent(f"The JSON is nested more than {levels} levels deep.") from None
    if isinstance(problem, _UnusableNumber):
        position = data.find(problem.args[0].encode("ascii"))
        raise MalformedContent(
            f"The number at byte {position} is too long or too large: at most {LONGEST_NUMBER} characters "
            f"and an exponent of at most {LARGEST_EXPONENT}."
        ) from None
    if isinstance(problem, msgspec.ValidationError):
        raise MalformedContent("The JSON holds a whole number of more than 4300 digits.") from None
    found = _BYTE_POSITION.search(str(problem))
    place = f"at byte {found[1]}" if found else f"at byte {len(data)}, where it ends too early"
    raise MalformedContent(f"The content is not JSON {place}.") from None
