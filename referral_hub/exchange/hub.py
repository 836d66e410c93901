"""What every interaction needs, carried together.

What lives here: ``Hub``, made once by ``app``. What does not: any rule.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from referral_hub.access.principal import Principal
from referral_hub.exchange.gate import Gate
from referral_hub.exchange.ports import Clock, Ids, Store, TokenRow
from referral_hub.exchange.shelf import Shelf

Identify = Callable[[TokenRow | None, int], Principal]
"""Turns a token row into its Principal, or raises ``Unauthenticated``."""


class CursorSeal(Protocol):
    """Seals and opens the text of a page link, so that nobody reads or makes one."""

    def seal(self, plain: bytes) -> str:
        """Gives a text fit for a URL."""

    def open(self, sealed: str) -> bytes | None:
        """Gives what was sealed, or None for anything this hub did not make."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes of pages and Bundles. Source: ``interfaces.md`` 5."""

    page_entries: int
    max_page_entries: int
    max_bundle_entries: int


@dataclass(frozen=True, slots=True)
class Hub:
    """Store, gate, clock and names, as the interactions use them.

    ``own_bases``: the hub's FHIR base URLs, the public one first. ``shelf`` gives the definitions it publishes.
    """

    store: Store
    gate: Gate
    identify: Identify
    clock: Clock
    ids: Ids
    cursors: CursorSeal
    own_bases: tuple[str, ...]
    limits: Limits
    shelf: Callable[[], Shelf] = Shelf

    @property
    def base(self) -> str:
        """Gives the public FHIR base URL."""
        return self.own_bases[0]
