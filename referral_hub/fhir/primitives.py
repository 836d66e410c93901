"""What a single value may look like.

What lives here: one check per primitive type of R4, and the sentence that tells how such a value is
written. What does not: whether the value is one of the allowed codes
(:mod:`referral_hub.fhir.code_tables`), and XHTML (:mod:`referral_hub.fhir.narrative`).

A check is called with whatever stands in the JSON. It gives something true for a good value; for a bad one
it gives something false or raises TypeError. Most checks are the ``fullmatch`` of a compiled pattern, so
that no Python code runs for a good value. The patterns are at least as strict as the published ones; where
prose in the standard is stricter than its pattern (days that exist, well-formed OIDs inside a uri, no
control characters), the prose is followed.

Source: FHIR R4 ``datatypes.html#primitive``, ``json.html#primitive``.
"""

import binascii
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

Check = Callable[[Any], object]

LONGEST_STRING = 1_048_576
"""The most characters a string may have (1 MB in the words of the standard)."""

_YEAR = r"(?:[1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])"
_LEAP_YEAR = r"(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?!0000)(?:[02468][048]|[13579][26])00)"
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?"
_ZONE = r"(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))"
_OID = r"urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+"
_HEX = "[0-9a-f]"
_UUID = rf"urn:uuid:{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}"
_URI = rf"(?!oid:|uuid:)(?:(?!urn:oid:|urn:uuid:)\S+|(?:{_OID}|{_UUID})(?:[#|]\S*)?)"
_ABSOLUTE = rf"(?=[A-Za-z][A-Za-z0-9+.\-]*:)(?:{_URI})"
_CONTROL_CHARACTER = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_BASE64_SPACE = re.compile(r"\s+")
_LARGEST = 2_147_483_647


def _pattern(text: str) -> Check:
    return re.compile(text).fullmatch


def _dates(after_day: str) -> str:
    """Gives the pattern of a year, month or day that exists, and of what may follow a day."""
    months = "|".join(
        rf"{month}(?:-{day}{after_day})?"
        for month, day in (
            ("(?:0[13578]|1[02])", "(?:0[1-9]|[12][0-9]|3[01])"),
            ("(?:0[469]|11)", "(?:0[1-9]|[12][0-9]|30)"),
            ("02", "(?:0[1-9]|1[0-9]|2[0-8])"),
        )
    )
    return rf"{_YEAR}(?:-(?:{months}))?|{_LEAP_YEAR}-02-29{after_day}"


def _is_text(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    # Most texts are printable, which the interpreter finds out faster than a pattern does.
    return (value.isprintable() or not _CONTROL_CHARACTER.search(value)) and 0 < len(value) <= LONGEST_STRING


def _is_instant(value: str) -> bool:
    return bool(_DATE_TIME(value)) and "T" in value


def _is_boolean(value: Any) -> bool:
    return value is True or value is False


def _is_integer(value: Any) -> bool:
    return type(value) is int and -_LARGEST - 1 <= value <= _LARGEST


def _is_unsigned(value: Any) -> bool:
    return type(value) is int and 0 <= value <= _LARGEST


def _is_positive(value: Any) -> bool:
    return type(value) is int and 1 <= value <= _LARGEST


def _is_decimal(value: Any) -> bool:
    return type(value) is int or (isinstance(value, Decimal) and value.is_finite())


def _is_base64(value: str) -> bool:
    try:
        binascii.a2b_base64(_BASE64_SPACE.sub("", value), strict_mode=True)
    except ValueError:
        return False
    return not value.isspace() and value != ""


_DATE_TIME = _pattern(_dates(f"(?:T{_TIME}{_ZONE})?"))

CHECKS: dict[str, Check] = {
    "base64Binary": _is_base64,
    "boolean": _is_boolean,
    # Relative canonical URLs stand in many of the standard's own examples.
    "canonical": _pattern(_URI),
    "code": _pattern(r"\S+(?: \S+)*"),
    "date": _pattern(_dates("")),
    "dateTime": _DATE_TIME,
    "decimal": _is_decimal,
    "id": _pattern(r"[A-Za-z0-9\-.]{1,64}"),
    "instant": _is_instant,
    "integer": _is_integer,
    "markdown": _is_text,
    "oid": _pattern(_OID),
    "positiveInt": _is_positive,
    "string": _is_text,
    "time": _pattern(_TIME),
    "unsignedInt": _is_unsigned,
    "uri": _pattern(_URI),
    "url": _pattern(_URI),
    "uuid": _pattern(_UUID),
}
"""The check of every primitive type but xhtml."""

ELEMENT_ID: Check = _pattern(r"[^\s\x00-\x1f]+")
"""The check of the id of an element inside a resource: any text without blanks."""

ABSOLUTE_URI: Check = _pattern(_ABSOLUTE)
"""The check of a URI that means the same wherever it is read: it starts with a scheme."""

MEDIA_TYPE: Check = _pattern(r"[A-Za-z0-9][\w!#$&^.+\-]*/[A-Za-z0-9*][\w!#$&^.+\-]*(?: ?; ?[^\s;]+)*")
"""The check of a media type: its grammar; which types exist is for others to know."""

CURRENCY: Check = _pattern(r"[A-Z]{3}")
"""The check of a currency: three capital letters; which currencies exist is for others to know."""

_SUBTAGS = (
    "(?:-[A-Za-z]{3}){0,3}"  # extended language
    "(?:-[A-Za-z]{4})?"  # script
    "(?:-(?:[A-Za-z]{2}|[0-9]{3}))?"  # region
    "(?:-(?:[A-Za-z0-9]{5,8}|[0-9][A-Za-z0-9]{3}))*"  # variants
    "(?:-[0-9A-WY-Za-wy-z](?:-[A-Za-z0-9]{2,8})+)*"  # extensions
)
_PRIVATE = "[xX](?:-[A-Za-z0-9]{1,8})+"
LANGUAGE_TAG: Check = _pattern(
    rf"[A-Za-z]{{2,3}}{_SUBTAGS}(?:-{_PRIVATE})?|{_PRIVATE}|[iI](?:-[A-Za-z0-9]{{2,8}})+"
)
"""The check of a language code: the grammar of BCP 47; which languages exist is for others to know."""

EXPECTED: dict[str, str] = {
    "base64Binary": "base64 text, its length a multiple of four",
    "boolean": "true or false, without quotes",
    "canonical": "the canonical URL of a definition, without blanks",
    "code": "a code: text without blanks at its ends or two in a row",
    "date": "a date that exists, as YYYY, YYYY-MM or YYYY-MM-DD",
    "dateTime": "a date that exists, as YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss+zz:zz",
    "decimal": "a number, without quotes",
    "id": "1 to 64 letters, digits, hyphens and dots",
    "instant": "a moment with seconds and time zone, as YYYY-MM-DDThh:mm:ss+zz:zz",
    "integer": "a whole number from -2147483648 to 2147483647, without quotes",
    "markdown": "text in markdown of 1 to 1048576 characters, without control characters",
    "oid": "an OID, as urn:oid:1.2.3",
    "positiveInt": "a whole number from 1 to 2147483647, without quotes",
    "string": "text of 1 to 1048576 characters, without control characters",
    "time": "a time of day, as hh:mm:ss",
    "unsignedInt": "a whole number from 0 to 2147483647, without quotes",
    "uri": "a URI without blanks; OIDs and UUIDs start with urn:oid: and urn:uuid:, UUIDs in lower case",
    "url": "a URL without blanks",
    "uuid": "a UUID in lower case, as urn:uuid:00000000-0000-0000-0000-000000000000",
    "xhtml": "XHTML text in one div",
}
"""How a value of each primitive type is written, to end the sentence "Write ..."."""

_NUMBERS = frozenset({"decimal", "integer", "positiveInt", "unsignedInt"})


def json_type(type_name: str) -> str:
    """Gives the kind of JSON value a primitive type is written as: ``boolean``, ``number`` or ``string``.

    >>> json_type("boolean"), json_type("decimal"), json_type("instant")
    ('boolean', 'number', 'string')
    """
    if type_name == "boolean":
        return "boolean"
    return "number" if type_name in _NUMBERS else "string"


def has_json_type(value: Any, type_name: str) -> bool:
    """Says whether a JSON value is of the kind that a primitive type is written as.

    >>> has_json_type("1", "integer"), has_json_type(1, "integer"), has_json_type(True, "integer")
    (False, True, False)
    """
    expected = json_type(type_name)
    if isinstance(value, bool):
        return expected == "boolean"
    if isinstance(value, int | float | Decimal):
        return expected == "number"
    return isinstance(value, str) and expected == "string"


def holds(check: Check, value: Any) -> bool:
    """Says whether a value passes a check, whatever kind of JSON value it is.

    >>> holds(CHECKS["date"], "2024-02-29"), holds(CHECKS["date"], "2023-02-29"), holds(CHECKS["date"], 2024)
    (True, False, False)
    """
    try:
        return bool(check(value))
    except TypeError:
        return False
