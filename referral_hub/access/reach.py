"""How far one caller sees within what its organisation sees: by role, by person, by binding.

What lives here: the kinds of reach, which role has which, and the one question whether a row lies within it. What
does not: what the organisation itself sees (``access.views``, ``exchange.sight``), the same question in SQL
(``store.reach_sql``, which must say the same row by row), who is assigned to whom (``exchange.assignments``).

Reach only narrows. Software that acts for its whole organisation has none, and nothing is asked of it here.

Source: ``views.md`` 9 (Roles inside an organisation); ``practice.md`` 12; ``consent.md`` D-03 and D-07.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, Protocol

from referral_hub.access.categories import DIRECTORY
from referral_hub.resources.catalog import DEFINITIONS

Kind = Literal["unit", "assigned", "intake", "directory", "herself", "nothing"]

ROLES: Mapping[str, Kind] = MappingProxyType(
    {
        "supervisor": "unit",
        "caseworker": "assigned",
        "clinician": "assigned",
        "lawyer": "assigned",
        "intake": "intake",
        "coordinator": "directory",
        "evaluator": "directory",
    }
)
"""What the role of an account lets a member of staff see. A role that is not here sees nothing."""

REFERRAL_TYPES = frozenset({"Task", "ServiceRequest", "Patient"})
"""What a referral shows while it is asked."""
_STAFF_TYPES = frozenset(name for name, one in DEFINITIONS.items() if one.category == DIRECTORY)


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a caller sees within what its organisation sees.

    ``kind``: ``unit`` everything; ``assigned`` persons assigned to the account; ``intake`` these, and what referrals
    to the organisation show while they are asked; ``directory`` nobody's record; ``herself`` the person's own record;
    ``nothing``. ``person``: nothing about another person. ``bound``: nothing where what the token is bound to has
    ended.
    """

    kind: Kind
    person: int | None = None
    bound: bool = False

    @property
    def by_assignment(self) -> bool:
        """Says whether it matters who is assigned to whom."""
        return self.kind in ("assigned", "intake")


class Placed(Protocol):
    """What of a row reach depends on."""

    @property
    def type(self) -> str:
        """Gives the FHIR type."""

    @property
    def person(self) -> int | None:
        """Gives the row id of the person it is about."""

    @property
    def directory(self) -> bool:
        """Tells whether it is an entry of the directory."""

    @property
    def never_release(self) -> bool:
        """Tells whether it is of the class that never leaves its author."""


@dataclass(frozen=True, slots=True)
class Ties:
    """What ties a caller to one row: an assignment to its person, a referral still asked, a binding still live."""

    assigned: bool = False
    asked: bool = False
    live: bool = False


def reach_of(context: str, role: str, person: int | None, *, bound: bool) -> Reach | None:
    """Gives how far a caller sees; None for software that acts for the whole organisation.

    Args:
        context: of the token's scopes: system, user or patient; with any other nothing is seen.
        role: of the account, where a member of staff signed in.
        person: row id of the one person the token is about.
        bound: the token is bound to consents; then it is about one person, or sees nothing.

    >>> reach_of("system", "", None, bound=False) is None
    True
    >>> reach_of("user", "caseworker", None, bound=False).kind, reach_of("user", "", None, bound=False).kind
    ('assigned', 'nothing')
    """
    if bound and person is None:
        return Reach("nothing")
    if context == "system":
        return Reach("unit", person, bound) if bound or person is not None else None
    if context == "user":
        return Reach(ROLES.get(role, "nothing"), person, bound)
    if context == "patient" and person is not None and not bound:
        return Reach("herself", person)
    return Reach("nothing")


def about_nobody(reach: Reach, type_name: str, *, directory: bool) -> bool:
    """Tells whether a row about no person lies within reach: the directory, and for staff what belongs to it."""
    if reach.kind == "nothing":
        return False
    if reach.kind == "unit" and reach.person is None:
        return True
    return directory or (reach.kind not in ("directory", "herself") and type_name in _STAFF_TYPES)


def within(reach: Reach, row: Placed, ties: Ties) -> bool:
    """Tells whether a row that the organisation sees lies within this caller's reach.

    For ``herself`` it is the whole answer: she reads what is about her whoever wrote it, and what everybody reads.
    """
    if row.person is None:
        return about_nobody(reach, row.type, directory=row.directory)
    if reach.kind in ("nothing", "directory"):
        return False
    if reach.person is not None and row.person != reach.person:
        return False
    if reach.bound and not ties.live:
        return False
    if reach.kind == "herself":
        return reach.person is not None and not row.never_release
    if reach.kind == "assigned":
        return ties.assigned
    if reach.kind == "intake":
        return ties.assigned or (ties.asked and row.type in REFERRAL_TYPES)
    return True


def is_staff_type(type_name: str) -> bool:
    """Tells whether a type belongs to the directory, listed or not: an organisation's own staff and places."""
    return type_name in _STAFF_TYPES
