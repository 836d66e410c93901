"""Reads state tables: who may move which status to which, with which reason. Knows no type by name.

What lives here: the shape of a table and the questions asked of it. What does not: the tables (the type's own
module), what a move causes elsewhere (``exchange.referrals``).
"""

from dataclasses import dataclass
from typing import Literal

Actor = Literal["requester", "owner", "hub"]


@dataclass(frozen=True, slots=True)
class Move:
    """One edge: from one status to another, by these actors, with a reason out of these codes.

    Empty ``reasons`` means no reason is asked. ``business`` are the finer steps the mover may set with it;
    an empty tuple means the business status is cleared.
    """

    source: str
    target: str
    actors: frozenset[Actor]
    reasons: frozenset[str] = frozenset()
    business: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Step:
    """One finer step inside a status: these actors may set this business status, coming from any of ``after``.

    Empty ``after`` means from any business status.
    """

    status: str
    business_status: str
    actors: frozenset[Actor]
    after: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """The whole table of one type.

    >>> table = Lifecycle(frozenset({"draft"}), (Move("draft", "active", frozenset({"requester"})),))
    >>> table.moves("draft", {"requester"})
    ('active',)
    >>> table.move("draft", "done", {"requester"}) is None
    True
    """

    initial: frozenset[str]
    table: tuple[Move, ...]
    steps: tuple[Step, ...] = ()
    live: frozenset[str] = frozenset()
    terminal: frozenset[str] = frozenset()

    def move(self, source: str, target: str, actors: set[Actor] | frozenset[Actor]) -> Move | None:
        """Gives the edge one of these actors may take, or None."""
        for edge in self.table:
            if edge.source == source and edge.target == target and edge.actors & actors:
                return edge
        return None

    def known(self, source: str, target: str) -> bool:
        """Tells whether anybody may take this edge."""
        return any(edge.source == source and edge.target == target for edge in self.table)

    def moves(self, source: str, actors: set[Actor] | frozenset[Actor]) -> tuple[str, ...]:
        """Gives the statuses these actors may move to, in the table's order."""
        return tuple(edge.target for edge in self.table if edge.source == source and edge.actors & actors)

    def step(
        self, status: str, before: str, after: str, actors: set[Actor] | frozenset[Actor]
    ) -> Step | None:
        """Gives the finer step these actors may take inside a status, or None."""
        for step in self.steps:
            if (
                step.status == status
                and step.business_status == after
                and step.actors & actors
                and (not step.after or before in step.after)
            ):
                return step
        return None

    def steps_for(self, status: str, before: str, actors: set[Actor] | frozenset[Actor]) -> tuple[str, ...]:
        """Gives the business statuses these actors may set inside a status."""
        return tuple(
            step.business_status
            for step in self.steps
            if step.status == status and step.actors & actors and (not step.after or before in step.after)
        )
