"""A plan: a Change turned into statements with parameters, ready to run as one piece.

What lives here: ``Step``, ``Plan``, and how a plan travels to the writer. What does not: how a Change
becomes one (``store.apply``), and running it (``store.steps``).
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import msgspec

from referral_hub.store.bodies import Cipher


class Rule(IntEnum):
    """What the outcome of a step must be."""

    ANY = 0
    """Whatever it touches is right."""
    TOUCHES = 1
    """It touches at least one row, or the Change fails."""
    FOUND = 2
    """It finds a row, or the Change fails."""
    ABSENT = 3
    """It finds no row, or the Change fails."""
    MANY = 4
    """The same statement for a list of parameters; whatever it touches is right."""


Step = tuple[str, int, Any]
"""Name of the statement, rule, parameters (a list of them for ``Rule.MANY``)."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything one Change does to the database.

    ``guards`` run first; ``steps`` only when every guard holds. ``keys`` are the open keys of persons that
    this plan makes: they stay in this process and are remembered once the plan was applied.
    """

    change_id: str
    at_us: int
    guards: tuple[Step, ...]
    steps: tuple[Step, ...]
    keys: Mapping[int, Cipher] = field(default_factory=dict)


Wire = tuple[str, int, list[Step], list[Step]]

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Wire)


def encode(plan: Plan) -> bytes:
    """Gives a plan as the writer receives it; open keys stay behind."""
    return _encoder.encode((plan.change_id, plan.at_us, plan.guards, plan.steps))


def decode(frame: bytes | bytearray | memoryview) -> Plan:
    """Reads a plan.

    Raises:
        msgspec.MsgspecError: where the bytes are no plan.
    """
    change_id, at_us, guards, steps = _decoder.decode(frame)
    return Plan(change_id, at_us, tuple(guards), tuple(steps))


def own_plan(at_us: int, *steps: Step) -> Plan:
    """Gives a plan of the store's own: claims, seals, leases, which no rule decides on."""
    return Plan(f"own/{secrets.token_hex(16)}", at_us, (), steps)


def many(name: str, parameters: Sequence[Mapping[str, Any]]) -> list[Step]:
    """Gives one step for a list of parameters, or none where the list is empty."""
    return [(name, Rule.MANY, parameters)] if parameters else []
