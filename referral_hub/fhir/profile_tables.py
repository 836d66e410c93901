"""What profiles ask beyond R4, as tables.

What lives here: the shape of the generated tables of profiles and the lazy reading of them: the hub's own
(``definitions/hub_profiles.json``) and those that R4 publishes itself, such as the vital signs
(``definitions/profiles.json``). What does not: making the tables (:mod:`referral_hub.fhir.profile_rows` and the
scripts), and judging a resource by them (:mod:`referral_hub.fhir.profile_rules`).

A table holds only what a profile adds: an element that is asked for no more than its type asks is not in it.

Source: FHIR R4 ``profiling.html``, ``elementdefinition.html``.
"""

from functools import cache
from typing import Any, Literal

import msgspec

from referral_hub.fhir.element_tables import UNBOUNDED, Invariant, definitions_file


class Demand(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a profile asks of one element beyond what the type of the element asks.

    Args:
        name: the name without ``[x]``.
        min: how many there must be, where that is more than the type asks.
        max: how many there may be, where that is less; else :data:`UNBOUNDED`.
        types: the only types it may have; empty for those of the base.
        targets: the only resource types a Reference may lead to; empty for those of the base.
        fixed: the value it must have, exactly.
        pattern: what its value must hold at least.
        binding: the value set its code must be from.
        preferred: the value set its code should be from, where that fits (extensible).
        longest: the most characters it may have; 0 for no limit.
        profiles: profiles of its data type, or of the resource that stands there; one of them must hold.
        invariants: rules that are asked of each value.
        children: what is asked of the elements inside it.
        slices: the groups its values fall into.
        closed: a value that falls into no group is not allowed.
        ordered: the groups come in the order of their definition.
    """

    name: str = ""
    min: int = 0
    max: int = UNBOUNDED
    types: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    fixed: Any = None
    pattern: Any = None
    binding: str = ""
    preferred: str = ""
    longest: int = 0
    profiles: tuple[str, ...] = ()
    invariants: tuple[Invariant, ...] = ()
    children: tuple["Demand", ...] = ()
    slices: tuple["Slice", ...] = ()
    closed: bool = False
    ordered: bool = False


class Mark(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing by which the values of a group are told from others.

    Args:
        kind: how: by a value, by being there, by the type, or by following a profile.
        path: the steps from the value to what is looked at; none for the value itself. ``resolve()`` goes
            from a Reference to its target.
        demand: what is found there must meet this (``value``, ``type``, ``profile``).
        exists: it must be there, or must not (``exists``).
    """

    kind: Literal["value", "exists", "type", "profile"]
    path: tuple[str, ...] = ()
    demand: Demand = Demand()
    exists: bool = True


class Slice(msgspec.Struct, frozen=True, omit_defaults=True):
    """A group of the values of an element, and what is asked of its members.

    Args:
        name: the name of the group, as the profile calls it.
        marks: what all its members have; a group without marks takes nobody.
        demand: how many members, and what each must be.
    """

    name: str
    marks: tuple[Mark, ...]
    demand: Demand


class ProfileTable(msgspec.Struct, frozen=True, omit_defaults=True):
    """One profile of a resource or data type.

    Args:
        type_name: the type it is a profile of.
        version: the version of its definition.
        demand: what it asks of the resource as a whole.
    """

    type_name: str
    demand: Demand
    version: str = ""


@cache
def _own() -> dict[str, msgspec.Raw]:
    return msgspec.json.decode(definitions_file("hub_profiles.json"), type=dict[str, msgspec.Raw])


@cache
def _core() -> dict[str, msgspec.Raw]:
    return msgspec.json.decode(definitions_file("profiles.json"), type=dict[str, msgspec.Raw])


def own_profiles() -> tuple[str, ...]:
    """Gives the URLs of the hub's own profiles.

    >>> "https://referral-hub.example/fhir/StructureDefinition/referral-task" in own_profiles()
    True
    """
    return tuple(_own())


def core_profiles() -> tuple[str, ...]:
    """Gives the URLs of the profiles that R4 publishes itself.

    >>> "http://hl7.org/fhir/StructureDefinition/vitalsigns" in core_profiles()
    True
    """
    return tuple(_core())


def profile(url: str) -> ProfileTable | None:
    """Gives a profile by its canonical URL (without version); None for one that is not known here.

    >>> profile("http://hl7.org/fhir/StructureDefinition/bodyweight").type_name
    'Observation'
    """
    # Claims come from outside: only what is known is kept.
    return _table(url) if url in _own() or url in _core() else None


@cache
def _table(url: str) -> ProfileTable:
    return msgspec.json.decode(_own().get(url) or _core()[url], type=ProfileTable)
