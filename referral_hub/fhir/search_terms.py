"""Reading the values of search parameters.

What lives here: one reader per parameter type, the escapes of FHIR search, and what precision a date or
number leaves open. What does not: the parameters of a whole search (:mod:`.search_grammar`), comparing
(:mod:`.search_match`, ``store``).

A reader says what is wrong by raising :class:`Unreadable`, with a sentence about what is possible; the
value itself is never repeated, since it may name a person.

Source: FHIR R4 ``search.html#ptypes``, ``search.html#prefix``, ``search.html#escaping``.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from typing import cast

from referral_hub.fhir import references
from referral_hub.fhir.dates import EARLIEST_US, LATEST_US, search_span
from referral_hub.fhir.folding import fold
from referral_hub.fhir.ids import is_id
from referral_hub.fhir.search_parameters import SearchParameter
from referral_hub.fhir.search_query import (
    CompositeTerm,
    DateTerm,
    MissingTerm,
    NumberTerm,
    PlainTerm,
    Prefix,
    QuantityTerm,
    ReferenceTerm,
    StringTerm,
    Term,
    TokenTerm,
    UriTerm,
)

MODIFIERS: dict[str, tuple[str, ...]] = {
    "token": ("missing", "not"),
    "string": ("missing", "exact", "contains"),
    "reference": ("missing", "identifier"),
    "date": ("missing",),
    "number": ("missing",),
    "quantity": ("missing",),
    "uri": ("missing", "above", "below"),
    "composite": (),
}
"""The modifiers each parameter type understands; a reference also takes a type it may lead to."""

_PREFIXED = re.compile(r"(eq|ne|gt|lt|ge|le|sa|eb|ap)?(.+)", re.DOTALL)
_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(?:\.[0-9]{1,40})?(?:[eE]([+-]?[0-9]{1,3}))?", re.ASCII)
_ESCAPE = re.compile(r"\\([,|$\\])")
_EXACT = Context(prec=120)
"""More digits than a search may write, so that nothing is rounded."""
_NEAR = 10
"""``ap`` widens by a tenth: of the distance to now for dates, of the number for numbers."""


class Unreadable(ValueError):
    """A value that is not what the parameter takes; the message says what it takes."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a value is read against: the hub's own base URLs, and the time for ``ap`` in microseconds UTC."""

    base_urls: Collection[str] = ()
    at_us: int | None = None


def read_term(parameter: SearchParameter, modifier: str, text: str, around: Surroundings) -> Term:
    """Reads one alternative of a parameter's value.

    Args:
        parameter: the declared parameter.
        modifier: without the colon; empty for none. Must be possible for the type.
        text: the alternative, escapes still in it.
        around: base URLs and time.

    Raises:
        Unreadable: it is not such a value.
    """
    if modifier == "missing":
        return _missing(text)
    if parameter.type == "composite":
        return _composite(parameter, text, around)
    return _plain(parameter, modifier, text, around)


def _plain(parameter: SearchParameter, modifier: str, text: str, around: Surroundings) -> PlainTerm:
    match parameter.type:
        case "token":
            return _token(text)
        case "string":
            return _string(text)
        case "reference":
            return _token(text) if modifier == "identifier" else _reference(parameter, modifier, text, around)
        case "date":
            return _date(text, around.at_us)
        case "number":
            return _number(text)
        case "quantity":
            return _quantity(text)
        case "uri":
            return UriTerm(unescape(text))
        case "composite":
            raise Unreadable("a composite does not stand inside another one.")


def _composite(parameter: SearchParameter, text: str, around: Surroundings) -> CompositeTerm:
    parts = alternatives(text, "$")
    if len(parts) != 2 or not all(parts):
        named = "$".join(part.code for part in parameter.components)
        raise Unreadable(f"write {named}, two values joined by a dollar sign.")
    return CompositeTerm(_token(parts[0]), _plain(parameter.components[1], "", parts[1], around))


def alternatives(text: str, separator: str = ",") -> list[str]:
    r"""Cuts a value at separators that are not escaped; the escapes stay in the parts.

    Source: FHIR R4 ``search.html#escaping``.

    >>> alternatives(r"a,b\,c")
    ['a', 'b\\,c']
    """
    if "\\" not in text:
        return text.split(separator)
    parts: list[str] = [""]
    position = 0
    while position < len(text):
        step = 2 if text[position] == "\\" else 1
        piece = text[position : position + step]
        if piece == separator:
            parts.append("")
        else:
            parts[-1] += piece
        position += step
    return parts


def unescape(text: str) -> str:
    r"""Takes the escapes out: ``\,`` ``\|`` ``\$`` ``\\``; another backslash is a backslash.

    >>> unescape(r"a\,b\|c")
    'a,b|c'
    """
    return _ESCAPE.sub(r"\1", text) if "\\" in text else text


def _missing(text: str) -> MissingTerm:
    if text not in ("true", "false"):
        raise Unreadable("write true or false.")
    return MissingTerm(text == "true")


def _token(text: str) -> TokenTerm:
    parts = [unescape(part) for part in alternatives(text, "|")]
    if len(parts) == 1:
        return TokenTerm(None, parts[0])
    if len(parts) == 2 and any(parts):
        return TokenTerm(parts[0], parts[1] or None)
    raise Unreadable(r"write code, system|code, |code or system|; a bar inside a code is written \|.")


def _string(text: str) -> StringTerm:
    exact = unescape(text)
    folded = fold(exact)
    if not folded:
        raise Unreadable("write at least one letter or digit.")
    return StringTerm(folded, exact)


def _reference(parameter: SearchParameter, modifier: str, text: str, around: Surroundings) -> ReferenceTerm:
    written = references.normalise(unescape(text), around.base_urls)
    if is_id(written):
        only = parameter.targets[0] if len(parameter.targets) == 1 else ""
        return ReferenceTerm(modifier or only, written)
    try:
        found = references.parse(written)
    except ValueError:
        raise Unreadable("write an id, Type/id or an absolute URL.") from None
    if found.kind not in ("relative", "absolute", "url", "urn") or found.version:
        raise Unreadable("write an id, Type/id or an absolute URL, without a version.")
    if modifier and found.type and found.type != modifier:
        raise Unreadable(f"the modifier says {modifier}, the value another type.")
    if found.kind != "relative":
        url = f"{found.base}/{found.type}/{found.id}" if found.kind == "absolute" else written
        return ReferenceTerm(found.type or modifier, url=url)
    if parameter.targets and found.type not in parameter.targets:
        raise Unreadable(f"it may lead to {', '.join(parameter.targets)}.")
    return ReferenceTerm(found.type, found.id)


def _prefixed(text: str) -> tuple[Prefix, str]:
    found = _PREFIXED.fullmatch(text)
    if found is None:
        raise Unreadable("it is empty.")
    return cast(Prefix, found[1] or "eq"), found[2]


def _date(text: str, at_us: int | None) -> DateTerm:
    prefix, written = _prefixed(text)
    try:
        low, high = search_span(written)
    except ValueError:
        raise Unreadable(
            "write 2026, 2026-11, 2026-11-24 or 2026-11-24T10:00:00Z, after eq, ne, gt, lt, ge, le, sa, eb, "
            "ap or nothing."
        ) from None
    if prefix == "ap":
        if at_us is None:
            raise Unreadable("ap is not possible here.")
        nearest = min(max(at_us, low), high)
        gap = abs(at_us - nearest) // _NEAR
        low, high = max(low - gap, EARLIEST_US), min(high + gap, LATEST_US)
    return DateTerm(prefix, low, high)


def _number(text: str) -> NumberTerm:
    prefix, written = _prefixed(text)
    found = _NUMBER.fullmatch(written)
    if found is None:
        raise Unreadable("write a number such as 0.80, after eq, ne, gt, lt, ge, le, sa, eb, ap or nothing.")
    with localcontext(_EXACT):
        value = Decimal(written)
        if prefix == "ap":
            half = abs(value) / _NEAR
        else:
            unit = Decimal(1).scaleb(int(value.as_tuple().exponent))
            # Half of the last digit; the standard reads 1e2 as 95 to 105, a tenth of that.
            half = unit / 20 if found[1] and int(found[1]) > 0 else unit / 2
        return NumberTerm(prefix, value, value - half, value + half)


def _quantity(text: str) -> QuantityTerm:
    parts = [unescape(part) for part in alternatives(text, "|")]
    if len(parts) not in (1, 3) or (len(parts) == 3 and parts[1] and not parts[2]):
        raise Unreadable("write number, number||unit or number|system|code.")
    number = _number(parts[0])
    if len(parts) == 1:
        return QuantityTerm(number)
    return QuantityTerm(number, parts[1] or None, parts[2] or None)
