"""Removals: what vouches for audit rows that are gone because their time was over.

What lives here: what a removal's signature covers, and checking all of them. What does not: removing
(``store.retention``), the chain they leave gaps in (``store.verify``).

A row that goes leaves the digest that its link covers, so the links before and after it hold as they did. Whoever
takes a row away by hand would have to leave such a digest in the name of a removal, and a removal is signed over every
digest it left.

Source: ``engine.md`` 3.
"""

import hashlib
from dataclasses import dataclass, field

import sqlalchemy as sa

from referral_hub.store import schema
from referral_hub.store.audit_rows import HOUR_US
from referral_hub.store.database import Connection
from referral_hub.store.sealer import Signer
from referral_hub.store.statements import Statement

DISCLOSURES = "disclosures"
"""The kind whose rows the ledger counts, too."""

_REMOVAL = schema.audit_removal
REMOVALS = Statement("removals", sa.select(*_REMOVAL.c).order_by(_REMOVAL.c.id))


@dataclass(slots=True)
class Left:
    """The digests that one removal left, put together in the order of the chain."""

    count: int = 0
    _hash: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    def add(self, seq: int, digest: bytes) -> None:
        """Adds what is left of one link's row."""
        self.count += 1
        self._hash.update(seq.to_bytes(8, "big") + digest)

    @property
    def digest(self) -> bytes:
        """Gives the digest of them all."""
        return self._hash.digest()


@dataclass(frozen=True, slots=True)
class Removal:
    """So many rows of one kind that were taken away at one moment."""

    id: int
    kind: str
    at_us: int
    before_us: int
    reached: int
    count: int
    digest: bytes

    def message(self) -> bytes:
        """Gives what the signature covers."""
        numbers = (self.id, self.at_us, self.before_us, self.reached, self.count)
        told = b"".join(number.to_bytes(8, "big") for number in numbers)
        return b"referral-hub removal\0" + told + self.digest + self.kind.encode()


def check_removals(connection: Connection, signer: Signer, left: dict[int, Left]) -> tuple[str, int]:
    """Checks every removal against what it left.

    Args:
        connection: one consistent state.
        signer: checks signatures.
        left: what is left of rows that are gone, by removal.

    Returns:
        what is broken, or an empty text; and before which hour the ledger is over, microseconds UTC.
    """
    unclaimed = dict(left)
    ledger_from_us = 0
    for number, kind, at_us, before_us, reached, count, digest, signature in connection.run(REMOVALS):
        removal = Removal(number, kind, at_us, before_us, reached, count, bytes(digest))
        if not signer.verify(removal.message(), bytes(signature)):
            return f"removal {removal.id} of audit rows was not signed by this hub", 0
        found = unclaimed.pop(removal.id, Left())
        if (found.count, found.digest) != (removal.count, removal.digest):
            return f"removal {removal.id} tells of {removal.count} audit rows, others are gone", 0
        if removal.kind == DISCLOSURES:
            ledger_from_us = max(ledger_from_us, removal.before_us)
    for unknown in unclaimed:
        return f"audit rows are gone by removal {unknown}, which nobody signed", 0
    return "", ledger_from_us - ledger_from_us % HOUR_US
