"""A look beside the read: opened only when a view needs more than its own row.

What lives here: ``LazyLook``. When it was used, the reader checks the epoch again before anything leaves.

What a row points at comes in one statement, with its authors and the epochs of its persons, and with what the
other rows of a page will ask. Anything more opens a snapshot. Each question is asked of the store once.

Source: ``engine.md`` 2 (the epoch is read again where more than one statement passes).
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from types import TracebackType

from referral_hub.exchange.ports import (
    Beside,
    ConsentRow,
    OrganizationRow,
    ResourceRow,
    Snapshot,
    Standing,
    Store,
)


class LazyLook:
    """A snapshot that is opened by its first question. Use it in a ``with`` block.

    Args:
        store: whose state is looked at.
        also: gives the ``Type/id`` that will be asked for as well, on a page of several rows; it is called once,
            when the first resource is looked up.
        known: what the statement that read the row brought beside it.
        of: the row, where it is a single one.
        assigned: whether the person of that row is assigned to the token's account, as the same statement said.
    """

    def __init__(
        self,
        store: Store,
        also: Callable[[], Iterable[str]] | None = None,
        *,
        known: Beside | None = None,
        of: ResourceRow | None = None,
        assigned: bool = False,
    ) -> None:
        self._of = of
        self._assigned: dict[int, bool] = {}
        if of is not None and of.person is not None:
            self._assigned[of.person] = assigned
        self._store = store
        self._also = also
        self._open: AbstractContextManager[Snapshot] | None = None
        self._snapshot: Snapshot | None = None
        self._found: dict[str, ResourceRow | None] = {}
        self._rows: dict[int, ResourceRow | None] = {}
        self._organizations: dict[str, OrganizationRow | None] = {}
        self._epochs: dict[int, int] | None = None
        if known is not None:
            self._take(known)

    def __enter__(self) -> "LazyLook":
        """Opens nothing yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends the read transaction, where one was begun."""
        if self._open is not None:
            self._open.__exit__(kind, error, trace)

    def moved_on(self, standings: Iterable[Standing]) -> bool:
        """Tells whether a consent of these persons changed between the read and what was looked at beside it."""
        if self._snapshot is None and self._epochs is None:
            return False
        known = self._epochs if self._snapshot is None and self._epochs is not None else {}
        epochs = {standing.person: standing.epoch for standing in standings}
        unknown = [person for person in epochs if person not in known]
        now = {**known, **self._store.epochs(unknown)} if unknown else known
        return any(now[person] != epoch for person, epoch in epochs.items())

    @property
    def snapshot(self) -> Snapshot:
        """Gives the snapshot, opening it on first use."""
        if self._snapshot is None:
            opening = self._store.snapshot()
            self._snapshot = opening.__enter__()
            self._open = opening
        return self._snapshot

    def consents(self, person: int) -> list[ConsentRow]:
        """Gives every Consent about the person."""
        return self.snapshot.consents(person)

    def resources(self, references: Iterable[str]) -> dict[str, ResourceRow]:
        """Gives current rows by ``Type/id``."""
        wanted = set(references)
        missing = wanted - self._found.keys()
        if missing:
            if self._also is not None:
                missing.update(self._also())
                self._also = None
            self._look_up(missing)
        return {text: row for text in wanted if (row := self._found[text]) is not None}

    def _look_up(self, missing: set[str]) -> None:
        if self._snapshot is None and self._epochs is None:
            self._take(self._store.beside(missing, self._of))
            return
        found = self.snapshot.resources(missing)
        self._found.update({text: found.get(text) for text in missing})
        self._rows.update({row.row_id: row for row in found.values()})

    def _take(self, beside: Beside) -> None:
        self._epochs = beside.epochs
        self._organizations.update(beside.organizations)
        self._found.update({text: beside.rows.get(text) for text in beside.asked})
        self._rows.update({row.row_id: row for row in beside.rows.values()})

    def rows(self, row_ids: Sequence[int]) -> dict[int, ResourceRow]:
        """Gives current rows by row id."""
        missing = [row_id for row_id in row_ids if row_id not in self._rows]
        if missing:
            found = self.snapshot.rows(missing)
            self._rows.update({row_id: found.get(row_id) for row_id in missing})
        return {row_id: row for row_id in row_ids if (row := self._rows[row_id]) is not None}

    def organization(self, organization_id: str) -> OrganizationRow | None:
        """Gives the hub's own row of an organisation."""
        if organization_id not in self._organizations:
            self._organizations[organization_id] = self.snapshot.organization(organization_id)
        return self._organizations[organization_id]

    def hub_organization(self) -> OrganizationRow | None:
        """Gives the network's own organisation."""
        return self.snapshot.hub_organization()

    def assigned(self, account: str, persons: Collection[int]) -> frozenset[int]:
        """Gives which of these persons are assigned to the account that asks; each is looked up once."""
        missing = [person for person in persons if person not in self._assigned]
        if missing:
            found = self.snapshot.assigned(account, missing)
            self._assigned.update({person: person in found for person in missing})
        return frozenset(person for person in persons if self._assigned[person])

    def standing(self, person: int, organization: str, refusal_targets: Sequence[str]) -> Standing:
        """Gives how an organisation stands to a person."""
        return self.snapshot.standing(person, organization, refusal_targets)
