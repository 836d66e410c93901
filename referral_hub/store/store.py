"""The store: one-statement reads, searches, consistent states, whole Changes.

What lives here: ``SqlStore``, which is ``exchange.ports.Store`` on SQLite and on PostgreSQL alike. What does
not: each part's work (``store.read``, ``store.searching``, ``store.snapshot``, ``store.apply``,
``store.spool``), and any decision.

Source: ``engine.md`` 1 to 3.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from referral_hub.exchange.change import AuditEntry, PageEntry
from referral_hub.exchange.ports import Admitted, Beside, ReadAnswer, ResourceRow, SearchPage, TokenRow
from referral_hub.exchange.search_plan import SearchPlan
from referral_hub.store.beside import read_beside
from referral_hub.store.bodies import Bodies
from referral_hub.store.database import Database
from referral_hub.store.index_rows import Digests
from referral_hub.store.kept_rows import KeptRows
from referral_hub.store.read import Reader
from referral_hub.store.searching import Searcher
from referral_hub.store.snapshot import StoreSnapshot
from referral_hub.store.standings import Standings
from referral_hub.store.tokens import Tokens
from referral_hub.store.view_queries import EPOCH, EPOCHS


class Applies(Protocol):
    """The write half (``store.apply.Writes``)."""

    def apply(self, change: Admitted) -> None:
        """Applies a Change whole."""

    def close(self) -> None:
        """Gives back what the writer holds."""


class Spools(Protocol):
    """Where read audit lines go (``store.spool``)."""

    def append(self, entries: Sequence[AuditEntry | PageEntry], *, durable: bool) -> None:
        """Appends lines to this process's segment."""


class Ingests(Protocol):
    """Takes spooled lines into the database (``store.segments``)."""

    def ingest(self, now_us: int) -> object:
        """Ingests what the segments of this machine hold."""


class SqlStore:
    """The store of one process. Safe to use from many threads.

    Args:
        database: where it is read from.
        bodies: opens what lies sealed.
        digests: keyed digests of what is searched for.
        writes: applies Changes.
        audit: takes read audit lines.
        segments: ingests them.
    """

    def __init__(
        self,
        database: Database,
        bodies: Bodies,
        digests: Digests,
        writes: Applies,
        audit: Spools,
        segments: Ingests,
    ) -> None:
        self._database = database
        self._bodies = bodies
        self._digests = digests
        self._writes = writes
        self._audit = audit
        self._segments = segments
        self._tokens = Tokens()
        self._standings = Standings()
        kept = KeptRows(bodies)
        self._reader = Reader(database, kept, self._tokens, self._standings)
        self._searcher = Searcher(database, bodies, kept, self._tokens, self._standings, digests)

    def read(self, type_name: str, public_id: str, token_digest: bytes) -> ReadAnswer:
        """Gives token, resource and standing in one statement; see :meth:`store.read.Reader.read`."""
        return self._reader.read(type_name, public_id, token_digest)

    def search(self, plan: SearchPlan) -> SearchPage:
        """Gives one page; the filter by grants, refusals and referral_access runs in SQL before LIMIT.

        Raises:
            Unavailable: where a body cannot be opened or the database does not answer: 503 on the wire.
        """
        return self._searcher.search(plan)

    def kept_token(self, digest: bytes) -> TokenRow | None:
        """Gives what this process remembers of a token; it may have been revoked since."""
        kept = self._tokens.kept(digest)
        return None if kept is None else kept.token

    @contextmanager
    def snapshot(self) -> Iterator[StoreSnapshot]:
        """Opens one consistent state; closing it ends the read transaction."""
        with self._database.reading() as connection:
            yield StoreSnapshot(connection, self._bodies, self._tokens, self._standings, self._digests)

    def beside(self, references: Iterable[str], of: ResourceRow | None = None) -> Beside:
        """Gives what a row points at, of one state; see :func:`store.beside.read_beside`."""
        found = read_beside(self._database, self._bodies, references)
        if of is not None:
            self._reader.keep_beside(of, found)
        return found

    def epoch(self, person: int) -> int:
        """Gives the person's consent epoch as it is now; 0 before her first consent."""
        found = self._database.first(EPOCH, {"person": person})
        return 0 if found is None else int(found[0])

    def epochs(self, persons: Sequence[int]) -> dict[int, int]:
        """Gives several persons' consent epochs, of one state; 0 before a person's first consent."""
        found = dict.fromkeys(persons, 0)
        if found:
            found.update(self._database.run(EPOCHS, {"persons": list(found)}))
        return found

    def apply(self, change: Admitted) -> None:
        """Applies the Change whole.

        Raises:
            GuardFailed: a guard no longer holds: decide again.
            Busy: the writer cannot take it now.
        """
        self._writes.apply(change)

    def spool(self, entries: Sequence[AuditEntry | PageEntry], *, durable: bool) -> None:
        """Appends read audit lines to this process's segment; ``durable`` waits for a grouped fdatasync."""
        self._audit.append(entries, durable=durable)

    def settle(self, now_us: int) -> None:
        """Ingests the read lines of this machine, so that who read what is complete."""
        self._segments.ingest(now_us)

    def close(self) -> None:
        """Gives back what writer and readers hold."""
        self._writes.close()
        self._database.close()
