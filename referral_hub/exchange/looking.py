"""A look beside the read: opened only when a view needs more than its own row.

What lives here: ``LazyLook``. When it was used, the reader checks the epoch again before anything leaves.

Source: ``engine.md`` 2 (the epoch is read again where more than one statement passes).
"""

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from types import TracebackType

from referral_hub.exchange.ports import ConsentRow, OrganizationRow, ResourceRow, Snapshot, Standing, Store


class LazyLook:
    """A snapshot that is opened by its first question. Use it in a ``with`` block."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._stack = ExitStack()
        self._snapshot: Snapshot | None = None

    def __enter__(self) -> "LazyLook":
        """Opens nothing yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends the read transaction, where one was begun."""
        self._stack.close()

    @property
    def used(self) -> bool:
        """Says whether a second statement was run."""
        return self._snapshot is not None

    @property
    def snapshot(self) -> Snapshot:
        """Gives the snapshot, opening it on first use."""
        if self._snapshot is None:
            self._snapshot = self._stack.enter_context(self._store.snapshot())
        return self._snapshot

    def consents(self, person: int) -> list[ConsentRow]:
        """Gives every Consent about the person."""
        return self.snapshot.consents(person)

    def resources(self, references: Iterable[str]) -> dict[str, ResourceRow]:
        """Gives current rows by ``Type/id``."""
        return self.snapshot.resources(references)

    def rows(self, row_ids: Sequence[int]) -> dict[int, ResourceRow]:
        """Gives current rows by row id."""
        return self.snapshot.rows(row_ids)

    def organization(self, organization_id: str) -> OrganizationRow | None:
        """Gives the hub's own row of an organisation."""
        return self.snapshot.organization(organization_id)

    def hub_organization(self) -> OrganizationRow | None:
        """Gives the network's own organisation."""
        return self.snapshot.hub_organization()

    def standing(self, person: int, organization: str, refusal_targets: Sequence[str]) -> Standing:
        """Gives how an organisation stands to a person."""
        return self.snapshot.standing(person, organization, refusal_targets)
