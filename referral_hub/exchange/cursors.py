"""Page links: sealed, bound to their caller, ending after a while.

What lives here: what a link holds. What does not: the sealing itself (``keyring``).

Source: ``consent.md`` S-08 (opaque, encrypted, client-bound, expiring); FHIR R4 http.html#paging.
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from referral_hub.access.principal import Principal
from referral_hub.errors import InvalidParameter
from referral_hub.exchange.search_plan import Keyset

LINK_LIFE_US = 15 * 60 * 1_000_000


class Cursor(msgspec.Struct, frozen=True):
    """Where a search goes on: for whom, which type, which query, after which row, until when.

    ``asked_us`` is when the first page was asked for: what is near to now (``ap``) stays the same on every page.
    """

    organization: str
    oauth_client: str
    user: str
    purpose: str
    type: str
    pairs: tuple[tuple[str, str], ...]
    after: Keyset
    until_us: int
    asked_us: int
    account: str = ""
    person: int | None = None


class Seal(Protocol):
    """Seals and opens bytes as a text for a URL."""

    def seal(self, plain: bytes) -> str:
        """Gives the sealed text."""

    def open(self, sealed: str) -> bytes | None:
        """Gives the bytes, or None for anything not sealed here."""


def seal_cursor(
    seal: Seal,
    caller: Principal,
    type_name: str,
    pairs: Sequence[tuple[str, str]],
    after: Keyset,
    at_us: int,
    asked_us: int | None = None,
) -> str:
    """Gives the sealed text of the page after a row; ``asked_us`` where the first page was asked for earlier."""
    cursor = Cursor(
        caller.organization_id,
        caller.oauth_client,
        caller.user,
        caller.purpose,
        type_name,
        tuple(pairs),
        after,
        at_us + LINK_LIFE_US,
        at_us if asked_us is None else asked_us,
        caller.account,
        caller.person,
    )
    return seal.seal(msgspec.msgpack.encode(cursor))


def open_cursor(seal: Seal, caller: Principal, type_name: str, sealed: str, at_us: int) -> Cursor:
    """Gives what a page link holds.

    Raises:
        InvalidParameter: not this hub's, not this caller's, or ended: one text for all (400).
    """
    plain = seal.open(sealed)
    try:
        cursor = msgspec.msgpack.decode(plain, type=Cursor) if plain is not None else None
    except msgspec.MsgspecError:
        cursor = None
    if (
        cursor is None
        or cursor.organization != caller.organization_id
        or cursor.oauth_client != caller.oauth_client
        or cursor.user != caller.user
        or cursor.purpose != caller.purpose
        or (cursor.account, cursor.person) != (caller.account, caller.person)
        or cursor.type != type_name
        or cursor.until_us <= at_us
    ):
        raise InvalidParameter("_cursor", "This page link cannot be followed any more. Search again.")
    return cursor
