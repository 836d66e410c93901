"""Reading one criterion of a search: a parameter with its modifier, or a chain along a reference.

What lives here: modifiers, alternatives, chains and ``_has``. What does not: values (:mod:`.search_terms`), the
parameters of the answer and the whole search (:mod:`.search_grammar`).

Errors name the parameter and what is possible, never the value: it may name a person.

Source: FHIR R4 ``search.html#modifiers``, ``search.html#chaining``, ``search.html#has``.
"""

import re
from collections.abc import Callable, Collection, Mapping

from referral_hub.errors import InvalidParameter, NotSupportedParameter
from referral_hub.fhir.search_parameters import SearchParameter
from referral_hub.fhir.search_query import Criterion, Link
from referral_hub.fhir.search_terms import MODIFIERS, Surroundings, Unreadable, alternatives, read_term

MOST_VALUES = 200
MOST_COMPOSITES = 20
"""The most values of one composite parameter: each is a look of its own."""
LONGEST_VALUE = 2_000

TYPE_NAME = re.compile(r"[A-Z][A-Za-z]{1,63}", re.ASCII)

Elsewhere = Callable[[str], Mapping[str, SearchParameter]]
"""Gives the search parameters of a type by code."""


def nowhere(_type_name: str) -> Mapping[str, SearchParameter]:
    """Gives no parameters: where nothing is asked along references."""
    return {}


def listed(possible: Collection[str]) -> str:
    """Gives what is possible, for a message.

    >>> listed(["b", "a"]), listed([])
    ('a, b', 'none for this type')
    """
    return ", ".join(sorted(possible)) or "none for this type"


def criterion_of(parameter: SearchParameter, modifier: str, value: str, around: Surroundings) -> Criterion:
    """Reads one parameter of a search.

    Args:
        parameter: as declared.
        modifier: without its colon; empty for none.
        value: decoded, escapes still in it.
        around: what it is read against.

    Raises:
        InvalidParameter: value or modifier cannot be read. 400 on the wire.
    """
    code = parameter.code
    _check_modifier(parameter, modifier)
    parts = alternatives(value)
    most = MOST_COMPOSITES if parameter.type == "composite" else MOST_VALUES
    if len(parts) > most:
        raise InvalidParameter(code, f"{code} has more than {most} values: ask in several searches.")
    terms = []
    for part in parts:
        if not part or len(part) > LONGEST_VALUE:
            raise InvalidParameter(code, f"{code} has an empty or overlong value between its commas.")
        try:
            terms.append(read_term(parameter, modifier, part, around))
        except Unreadable as problem:
            raise InvalidParameter(code, f"The value of {code} cannot be read: {problem}") from None
    if modifier == "missing" and len(terms) > 1:
        raise InvalidParameter(code, f"{code}:missing takes one value, true or false.")
    is_plain = TYPE_NAME.fullmatch(modifier) is not None
    return Criterion(parameter, "" if is_plain else modifier, tuple(terms))


def chained(
    name: str, value: str, possible: Collection[str], elsewhere: Elsewhere, around: Surroundings
) -> tuple[Link, ...]:
    """Reads a chain: ``subject.identifier`` or ``subject:Patient.identifier``, perhaps with a modifier.

    Args:
        name: the whole name of the parameter.
        value: decoded, escapes still in it.
        possible: the published list, as ``subject.Patient.identifier``.
        elsewhere: the parameters of other types.
        around: what the value is read against.

    Returns:
        one link for each type the reference may lead to, as far as the list goes; any of them may hold.

    Raises:
        NotSupportedParameter: it is not on the list. 400 on the wire.
        InvalidParameter: value or modifier cannot be read. 400 on the wire.

    Source: FHIR R4 ``search.html#chaining``.
    """
    reference, _, rest = name.partition(".")
    parameter, _, only = reference.partition(":")
    code, _, modifier = rest.partition(":")
    wanted = [
        (type_name, of_type)
        for entry in possible
        for along, type_name, of_type in (entry.split(".", 2),)
        if along == parameter and of_type == code and only in ("", type_name)
    ]
    if not wanted:
        raise NotSupportedParameter(
            parameter, f"Chained search is possible along a published list only: {listed(possible)}."
        )
    return tuple(
        Link(
            backwards=False,
            parameter=parameter,
            type=type_name,
            criterion=criterion_of(elsewhere(type_name)[of_type], modifier, value, around),
        )
        for type_name, of_type in wanted
    )


def reversed_chain(
    name: str, value: str, possible: Collection[str], elsewhere: Elsewhere, around: Surroundings
) -> Link:
    """Reads ``_has:Source:parameter:code``, perhaps with a modifier.

    Raises:
        NotSupportedParameter: it is not on the list. 400 on the wire.
        InvalidParameter: value or modifier cannot be read. 400 on the wire.

    Source: FHIR R4 ``search.html#has``.
    """
    parts = name.split(":", 4)
    if ":".join(parts[1:4]) not in possible:
        raise NotSupportedParameter(
            "_has", f"_has is possible along a published list only: {listed(possible)}."
        )
    _, source, parameter, code = parts[:4]
    modifier = parts[4] if len(parts) > 4 else ""
    criterion = criterion_of(elsewhere(source)[code], modifier, value, around)
    return Link(backwards=True, parameter=parameter, type=source, criterion=criterion)


def _check_modifier(parameter: SearchParameter, modifier: str) -> None:
    possible = MODIFIERS[parameter.type]
    if not modifier or modifier in possible:
        return
    if parameter.type == "reference" and TYPE_NAME.fullmatch(modifier):
        if not parameter.targets or modifier in parameter.targets:
            return
        possible = (*possible, *parameter.targets)
    told = ", ".join(f":{one}" for one in possible) or "none"
    raise InvalidParameter(parameter.code, f"{parameter.code} has no such modifier; possible are {told}.")
