"""For what a token may be used: one purpose, the registered one or the one chosen in the assertion.

What lives here: reading the ``hl7-b2b`` extension of a client assertion and choosing among registered
purposes. What does not: what a purpose opens (``access.decision``). No purpose implies another.

Source: ``views.md`` 7; ``consent.md`` D-12 and O-13; HL7 UDAP Security, B2B Authorization Extension Object.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from referral_hub.auth.refusals import InvalidRequest
from referral_hub.fhir.canonical import ACT_REASON, code_system

ACT_REASON_OID = "urn:oid:2.16.840.1.113883.5.8"
"""The v3-ActReason code system as UDAP spells it in front of a purpose code."""

_SYSTEMS = frozenset({ACT_REASON_OID, ACT_REASON, code_system("purpose")})
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}", re.ASCII)
_WORD = re.compile(r"[\x21-\x7e]{1,128}", re.ASCII)
_MOST_PURPOSES = 16


@dataclass(frozen=True, slots=True)
class Assertion:
    """What a client said of this request in its signed assertion: purposes, and on whose behalf.

    The client's organisation vouches for ``role`` and ``user``; both may be empty.
    """

    purposes: tuple[str, ...] = ()
    role: str = ""
    user: str = ""


def is_purpose_code(code: str) -> bool:
    """Tells whether a text can be a purpose code at all.

    >>> is_purpose_code("safety-planning"), is_purpose_code("TREAT ETREAT")
    (True, False)
    """
    return _CODE.fullmatch(code) is not None


def read_b2b(claims: Mapping[str, object]) -> Assertion:
    """Reads the ``hl7-b2b`` extension of a verified assertion; without one, nothing was said.

    Args:
        claims: the claims, after the signature was verified.

    Raises:
        InvalidRequest: the extension is there and cannot be read: 400 ``invalid_request``. What cannot be
            read must not become a wider purpose.

    >>> read_b2b({"extensions": {"hl7-b2b": {"version": "1", "purpose_of_use": [ACT_REASON_OID + "#TREAT"]}}})
    Assertion(purposes=('TREAT',), role='', user='')
    """
    extensions = claims.get("extensions")
    if extensions is None:
        return Assertion()
    if not isinstance(extensions, dict):
        raise InvalidRequest("The extensions of the client assertion have to be an object.")
    b2b = extensions.get("hl7-b2b")
    if b2b is None:
        return Assertion()
    if not isinstance(b2b, dict) or b2b.get("version", "1") != "1":
        raise InvalidRequest("The hl7-b2b extension has to be an object of version 1.")
    return Assertion(
        purposes=_purposes(b2b.get("purpose_of_use")),
        role=_word(b2b.get("subject_role"), "subject_role"),
        user=_word(b2b.get("subject_id"), "subject_id"),
    )


def choose_purpose(registered: tuple[str, ...], asserted: tuple[str, ...]) -> str:
    """Gives the one purpose a token is for.

    Args:
        registered: the purposes of the client's registration.
        asserted: the purposes its assertion names; none where it names none.

    Returns:
        the purpose code, or an empty text for a client without purposes, whose token opens nothing of others.

    Raises:
        InvalidRequest: several registered and none stated, more than one stated, or one that is not
            registered: 400 ``invalid_request``.

    Source: ``views.md`` 7.

    >>> choose_purpose(("TREAT",), ()), choose_purpose((), ())
    ('TREAT', '')
    >>> choose_purpose(("TREAT", "safety-planning"), ("TREAT",))
    'TREAT'
    """
    if len(asserted) > 1:
        raise InvalidRequest("One token is for one purpose of use: ask for one token for each.")
    if asserted:
        if asserted[0] not in registered:
            raise InvalidRequest("The purpose of use asked for is not registered for this client.")
        return asserted[0]
    if len(registered) > 1:
        raise InvalidRequest(
            "Several purposes of use are registered: state one in the hl7-b2b extension of the assertion."
        )
    return registered[0] if registered else ""


def _purposes(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not value or len(value) > _MOST_PURPOSES:
        raise InvalidRequest("purpose_of_use has to be an array of codes.")
    return tuple(dict.fromkeys(_purpose(entry) for entry in value))


def purpose_code(entry: object) -> str:
    """Gives the code of a purpose as software spells it, with or without its system; empty for anything else.

    >>> purpose_code(ACT_REASON_OID + "#TREAT"), purpose_code("urn:other#TREAT")
    ('TREAT', '')
    """
    if isinstance(entry, str):
        system, mark, code = entry.rpartition("#")
        if _CODE.fullmatch(code) and (not mark or system in _SYSTEMS):
            return code
    return ""


def _purpose(entry: object) -> str:
    code = purpose_code(entry)
    if not code:
        raise InvalidRequest(
            "A purpose of use is a code of v3-ActReason or of this hub, with or without its system."
        )
    return code


def _word(value: object, name: str) -> str:
    if value is None:
        return ""
    if isinstance(value, str) and _WORD.fullmatch(value):
        return value
    raise InvalidRequest(f"{name} has to be a text of 1 to 128 printable ASCII characters without spaces.")
