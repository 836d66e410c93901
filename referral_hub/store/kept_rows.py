"""Opened rows of resources, kept by their version: a version never changes, so nothing of it is read or opened twice.

What lives here: ``KeptRows``. What does not: which version is current, which every statement says anew
(``store.read``, ``store.searching``), opening (``store.bodies``), any decision.

A row is given only while the person's key can be had: where the key was destroyed, the row is gone with it.

Source: ``engine.md`` 2 (only immutable facts are cached).
"""

from collections.abc import Sequence
from threading import Lock

from referral_hub.exchange.ports import ResourceRow
from referral_hub.store.bodies import SEALED, Bodies
from referral_hub.store.row_making import BODY_FORMAT, PERSON, Found, resource_row

MOST_ROWS = 8_192
MOST_BYTES = 12_000_000
"""How much of bodies is kept, in bytes."""
LARGEST_BYTES = 64_000
"""A body larger than this is not kept: it would push out many others."""

Name = tuple[str, str]
"""Type and public id."""


class KeptRows:
    """Keeps opened rows; the ones kept longest make room. Safe to use from many threads.

    Args:
        bodies: whose keys the rows were opened with.
        most_rows: how many are kept.
        most_bytes: how many bytes their bodies have together at most.
    """

    def __init__(self, bodies: Bodies, *, most_rows: int = MOST_ROWS, most_bytes: int = MOST_BYTES) -> None:
        self._bodies = bodies
        self._most_rows = most_rows
        self._most_bytes = most_bytes
        self._rows: dict[int, ResourceRow] = {}
        self._names: dict[Name, int] = {}
        self._bytes = 0
        self._lock = Lock()

    def of(self, row_id: int, version: str) -> ResourceRow | None:
        """Gives this version of a row, None where it is not kept.

        Raises:
            Unavailable: the key of the person it is about was destroyed (503 on the wire).
        """
        row = self._rows.get(row_id)
        if row is None or row.version != version:
            return None
        # A key that this process no longer holds is looked for where it is stored, as if the body were opened.
        if row.person is not None and self._bodies.keys.person(row.person) is None:
            return None
        return row

    def named(self, type_name: str, public_id: str) -> ResourceRow | None:
        """Gives the version of a resource that is kept, which need not be the current one; None without one."""
        row_id = self._names.get((type_name, public_id))
        return None if row_id is None else self._rows.get(row_id)

    def opened(self, found: Found) -> ResourceRow:
        """Makes a row, opens its body and keeps it.

        Args:
            found: the values of ``row_making.resource_columns``, of the current version.

        Raises:
            Unavailable: where the body cannot be opened (503 on the wire).
        """
        row = resource_row(found, self._bodies)
        if found[BODY_FORMAT] == SEALED and len(row.body) <= LARGEST_BYTES:
            self._keep(row)
        return row

    def all_opened(self, found: Sequence[Found]) -> list[ResourceRow]:
        """Makes several rows, their keys opened with one look."""
        persons = {one[PERSON] for one in found if one[PERSON] is not None}
        if len(persons) > 1:
            self._bodies.warm(persons)
        return [self.opened(one) for one in found]

    def _keep(self, row: ResourceRow) -> None:
        with self._lock:
            self._drop(row.row_id)
            self._rows[row.row_id] = row
            self._names[row.type, row.id] = row.row_id
            self._bytes += len(row.body)
            while len(self._rows) > self._most_rows or self._bytes > self._most_bytes:
                self._drop(next(iter(self._rows)))

    def _drop(self, row_id: int) -> None:
        row = self._rows.pop(row_id, None)
        if row is not None:
            del self._names[row.type, row.id]
            self._bytes -= len(row.body)

    def __len__(self) -> int:
        return len(self._rows)
