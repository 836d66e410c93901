"""What the hub declares of a FHIR type: once, as data.

What lives here: the shape of a declaration. What does not: the declarations (one module per type), SQL, HTTP.
From a declaration follow index rows, SQL, CapabilityStatement, the documentation table and parametrised tests.
"""

from dataclasses import dataclass
from typing import Literal

from referral_hub.resources.lifecycle import Lifecycle

Visibility = Literal["notice", "accepted", "full", "self", "own"]
"""For whom a search parameter may match, beside the author's own rows.

``notice``: whoever sees the resource sees the element. ``accepted``: only once the recipient accepted.
``full``: only where the release names the resource's category. ``self``: only values naming the caller itself.
``own``: the author's rows only. Source: ``views.md`` 5.
"""

Interaction = Literal[
    "read", "vread", "create", "update", "patch", "delete", "history-instance", "search-type"
]

READ_ONLY: frozenset[Interaction] = frozenset({"read", "vread", "history-instance", "search-type"})
WRITABLE: frozenset[Interaction] = READ_ONLY | {"create", "update"}
REMOVABLE: frozenset[Interaction] = WRITABLE | {"delete"}


@dataclass(frozen=True, slots=True)
class Searchable:
    """One search parameter of a type: an official R4 code, or one of an implementation guide with its own path.

    ``identifying`` values are indexed as keyed digests. ``expression`` is given only where R4 has no such
    parameter; ``kind`` and ``targets`` then say what it finds.
    """

    code: str
    visibility: Visibility = "notice"
    identifying: bool = False
    expression: str = ""
    kind: str = ""
    targets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ResourceDefinition:
    """One type the hub serves.

    ``subject`` names the elements that lead to the Patient, the first present one counts. ``category`` says
    how the information category is found: ``own`` table, or ``inherited`` from what it is based on.
    ``based_on`` names the elements that lead to the ServiceRequest. ``version_aware`` types demand If-Match.
    """

    type_name: str
    subject: tuple[str, ...] = ()
    based_on: tuple[str, ...] = ()
    search: tuple[Searchable, ...] = ()
    includes: tuple[str, ...] = ()
    interactions: frozenset[Interaction] = WRITABLE
    lifecycle: Lifecycle | None = None
    directory: bool = False
    version_aware: bool = False
    status_element: str = ""
    date_elements: tuple[str, ...] = ()
    profile: str = ""

    @property
    def scope_letters(self) -> str:
        """Gives the letters of a SMART scope that have an interaction behind them, in SMART's order.

        Source: SMART App Launch 2.2, scopes (c r u d s).
        """
        behind = {"c": "create", "r": "read", "u": "update", "d": "delete", "s": "search-type"}
        return "".join(letter for letter, interaction in behind.items() if interaction in self.interactions)

    @property
    def about_person(self) -> bool:
        """Tells whether resources of this type are about a person."""
        return bool(self.subject) or self.type_name == "Patient"
