"""Mutants: valid resources with one small fault, the same for the same seed.

What lives here: breaking one resource. What does not: the faults (``conformance.faults``), and what the two
validators say (``conformance.differential``).

    >>> mutant = mutated({"resourceType": "Patient", "gender": "female"}, "code nobody knows", seed=1)
    >>> mutant.resource, mutant.place
    ({'resourceType': 'Patient', 'gender': 'no such code'}, 'Patient.gender')
"""

import copy
import random
from dataclasses import dataclass
from typing import Any

from conformance.faults import KINDS
from conformance.profile_faults import PROFILE_KINDS

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Mutant:
    """A resource with one fault, the kind of the fault, and where it is."""

    resource: Json
    kind: str
    place: str


def mutated(resource: Json, kind: str, seed: int) -> Mutant | None:
    """Gives the resource with one fault of a kind, or None where there is no place for it.

    Args:
        resource: decoded JSON; it is not altered.
        kind: a key of ``KINDS`` or ``PROFILE_KINDS``.
        seed: chooses the place.
    """
    broken = copy.deepcopy(resource)
    chance = random.Random(seed)  # noqa: S311  nothing secret is drawn
    place = _ALL[kind](broken, chance)
    return Mutant(broken, kind, place) if place and broken != resource else None


_ALL = {**KINDS, **PROFILE_KINDS}
