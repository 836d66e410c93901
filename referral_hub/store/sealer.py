"""The sealer: it puts audit rows into one order and chains them, so that nothing can vanish or change unseen.

What lives here: the digest of a row, the links, the sealer's pass and its signed checkpoints. What does
not: checking the chain (``store.verify``), audit rows (``store.audit_rows``).

One leased process seals each second. It takes rows only up to an id below which no transaction can still
add one, in id order. A link covers the row as it is stored, details sealed: destroying a person's key
leaves the chain whole. A chain alone does not show a cut tail, so checkpoints are signed and also written
to a file outside the database.

Source: ``engine.md`` 3.
"""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import msgspec
import sqlalchemy as sa

from referral_hub.errors import GuardFailed
from referral_hub.store import schema
from referral_hub.store.apply import PlanWriter
from referral_hub.store.database import Database
from referral_hub.store.endings import FILE as ENDINGS
from referral_hub.store.endings import add_lines, lines_of
from referral_hub.store.leases import Lease
from referral_hub.store.plan import Rule, Step, many, own_plan
from referral_hub.store.statements import WRITES, Statement, constant, many_rows, octets, whole, words
from referral_hub.store.write_statements import insert_ignoring

CHAIN = "audit"
GENESIS = hashlib.sha256(b"referral-hub audit chain").digest()
CHECKPOINT_US = 60_000_000
LEASE_US = 10_000_000
BATCH = 250

_snapshot = {
    "sqlite": ("0", "0"),
    "postgresql": (
        "pg_snapshot_xmin(pg_current_snapshot())::text::bigint",
        "pg_snapshot_xmax(pg_current_snapshot())::text::bigint",
    ),
}
HORIZON = Statement(
    "audit_horizon",
    {
        dialect: sa.select(
            sa.func.coalesce(sa.func.max(schema.audit.c.id), constant(0)), *map(sa.literal_column, running)
        )
        for dialect, running in _snapshot.items()
    },
)
TIP = Statement(
    "chain_tip",
    sa.select(schema.chain.c.seq, schema.chain.c.hash, schema.chain.c.horizon).where(
        schema.chain.c.name == words("name")
    ),
)
UNSEALED = Statement(
    "audit_unsealed",
    sa.select(*schema.audit.c)
    .where(schema.audit.c.id > whole("after"), schema.audit.c.id <= whole("horizon"))
    .order_by(schema.audit.c.id)
    .limit(whole("count")),
)
LAST_CHECKPOINT = Statement(
    "checkpoint_last",
    sa.select(schema.checkpoint.c.seq, schema.checkpoint.c.at_us)
    .order_by(schema.checkpoint.c.seq.desc())
    .limit(constant(1)),
)

WRITES.add("chain_begin", insert_ignoring(schema.chain, "name"))
WRITES.add(
    "chain_advance",
    sa.update(schema.chain)
    .where(
        schema.chain.c.name == words("name"),
        schema.chain.c.seq == whole("before"),
        schema.chain.c.horizon == whole("from_horizon"),
    )
    .values(seq=whole("seq"), hash=octets("hash"), horizon=whole("horizon")),
)
WRITES.add("audit_seal_insert", many_rows(schema.audit_seal))
WRITES.add("checkpoint_insert", insert_ignoring(schema.checkpoint, "seq"))

_encode = msgspec.msgpack.Encoder().encode


class Signer(Protocol):
    """Signs and checks checkpoints (``keyring``)."""

    def sign(self, message: bytes) -> bytes:
        """Gives the hub's signature."""

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Tells whether this hub signed the message."""


def row_digest(row: Any) -> bytes:
    """Gives the digest of an audit row as it is stored: all columns of ``schema.audit`` in their order."""
    return hashlib.sha256(_encode(list(row))).digest()


def link(seq: int, previous: bytes, digest: bytes) -> bytes:
    """Gives the hash of one link of the chain.

    >>> link(1, GENESIS, bytes(32)) == link(2, GENESIS, bytes(32))
    False
    """
    return hashlib.sha256(b"link" + seq.to_bytes(8, "big") + previous + digest).digest()


def checkpoint_message(seq: int, tip: bytes, at_us: int) -> bytes:
    """Gives what a checkpoint's signature covers."""
    return b"referral-hub checkpoint\0" + seq.to_bytes(8, "big") + tip + at_us.to_bytes(8, "big")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The tip of the chain at one moment, signed."""

    seq: int
    hash: bytes
    at_us: int
    signature: bytes

    def line(self) -> str:
        """Gives the checkpoint as a line of the file outside the database."""
        return json.dumps(
            {
                "seq": self.seq,
                "hash": self.hash.hex(),
                "at_us": self.at_us,
                "signature": self.signature.hex(),
            }
        )

    @classmethod
    def of_line(cls, line: str) -> "Checkpoint":
        """Reads a line of the file.

        Raises:
            ValueError: where it is no checkpoint.
        """
        try:
            found = json.loads(line)
            return cls(
                int(found["seq"]),
                bytes.fromhex(found["hash"]),
                int(found["at_us"]),
                bytes.fromhex(found["signature"]),
            )
        except (KeyError, TypeError) as problem:
            raise ValueError("not a checkpoint") from problem


class Sealer:
    """Seals audit rows. Run ``seal`` once a second; only the holder of the lease does anything.

    Args:
        database: where rows are read.
        writer: applies the links.
        signer: signs checkpoints.
        checkpoints: the file outside the database; None where none is kept (tests).
    """

    def __init__(
        self, database: Database, writer: PlanWriter, signer: Signer, checkpoints: Path | None
    ) -> None:
        self._database = database
        self._writer = writer
        self._signer = signer
        self._file = checkpoints
        self._lease = Lease(writer, "sealer")
        self._seen: tuple[int, int] | None = None

    def seal(self, now_us: int, *, checkpoint: bool = False) -> int:
        """Seals what can be sealed; gives how many rows that were.

        Args:
            now_us: the time now, microseconds UTC.
            checkpoint: True to write a checkpoint whenever the last one is not of the tip.
        """
        horizon = self._horizon()
        if horizon <= self._tip()[2] and not self._checkpoint_is_due(now_us, always=checkpoint):
            return 0
        if not self._lease.take(now_us, LEASE_US):
            return 0
        sealed = more = self._batch(horizon, now_us)
        while more == BATCH:
            more = self._batch(horizon, now_us)
            sealed += more
        if self._checkpoint_is_due(now_us, always=checkpoint):
            self._checkpoint(now_us)
        return sealed

    def _horizon(self) -> int:
        """Gives the id up to which no transaction can still add a row.

        On PostgreSQL ids are given before their rows are seen. The greatest id seen while transaction X was
        the next to begin is safe once every transaction older than X has ended.
        """
        row = self._database.first(HORIZON)
        assert row is not None  # noqa: S101 - an aggregate gives one row
        greatest, oldest, following = row
        seen, self._seen = self._seen, (greatest, following)
        if oldest == following:
            return int(greatest)
        return int(seen[0]) if seen is not None and oldest >= seen[1] else 0

    def _tip(self) -> tuple[int, bytes, int]:
        row = self._database.first(TIP, {"name": CHAIN})
        return (0, GENESIS, 0) if row is None else (row[0], bytes(row[1]), row[2])

    def _batch(self, horizon: int, now_us: int) -> int:
        seq, tip, after = self._tip()
        if horizon <= after:
            return 0
        rows = self._database.run(UNSEALED, {"after": after, "horizon": horizon, "count": BATCH})
        links = []
        before = seq
        for row in rows:
            seq += 1
            previous, tip = tip, link(seq, tip, row_digest(row))
            links.append({"seq": seq, "audit": row[0], "previous": previous, "hash": tip})
        if self._file is not None:  # the list first: a line too many closes, one too few would open
            add_lines(self._file.with_name(ENDINGS), lines_of(rows))
        reached = rows[-1][0] if len(rows) == BATCH else horizon
        begin: Step = (
            "chain_begin",
            Rule.ANY,
            {"name": CHAIN, "seq": 0, "hash": GENESIS, "horizon": 0},
        )
        advance: Step = (
            "chain_advance",
            Rule.TOUCHES,
            {
                "name": CHAIN,
                "before": before,
                "from_horizon": after,
                "seq": seq,
                "hash": tip,
                "horizon": reached,
            },
        )
        try:
            self._writer.apply(own_plan(now_us, begin, advance, *many("audit_seal_insert", links)))
        except GuardFailed:
            return 0  # another sealer took over
        return len(links)

    def _checkpoint_is_due(self, now_us: int, *, always: bool) -> bool:
        last = self._database.first(LAST_CHECKPOINT) or (0, 0)
        return self._tip()[0] != last[0] and (always or now_us - last[1] >= CHECKPOINT_US)

    def _checkpoint(self, now_us: int) -> None:
        seq, tip, _ = self._tip()
        signature = self._signer.sign(checkpoint_message(seq, tip, now_us))
        made = Checkpoint(seq, tip, now_us, signature)
        # The file first: a checkpoint the database has and the file lacks would prove less.
        if self._file is not None:
            _append(self._file, made.line())
        parameters = {"seq": seq, "hash": tip, "at_us": now_us, "signature": signature}
        self._writer.apply(own_plan(now_us, ("checkpoint_insert", Rule.ANY, parameters)))


def _append(path: Path, line: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(descriptor, line.encode() + b"\n")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
