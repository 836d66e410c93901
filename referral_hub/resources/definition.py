"""What the hub declares of a FHIR type: once, as data.

What lives here: the shape of a declaration. What does not: the declarations (one module per type), SQL, HTTP.
From a declaration follow index rows, SQL, CapabilityStatement, the documentation table and parametrised tests.
"""

from dataclasses import dataclass
from typing import Literal

from referral_hub.resources.lifecycle import Lifecycle

Visibility = Literal["notice", "public", "accepted", "full", "self", "own"]
"""For whom a search parameter may match, beside the author's own rows.

``notice``: whoever sees the resource sees the element. ``public``: the same, but not on a shelter's entry.
``accepted``: only once the recipient accepted. ``full``: only where the release names the resource's category.
``self``: only values naming the caller itself. ``own``: the author's rows only. Source: ``views.md`` 5.
"""

Interaction = Literal[
    "read", "vread", "create", "update", "patch", "delete", "history-instance", "search-type"
]

READ_ONLY: frozenset[Interaction] = frozenset({"read", "vread", "history-instance", "search-type"})
WRITABLE: frozenset[Interaction] = READ_ONLY | {"create", "update", "patch"}
REMOVABLE: frozenset[Interaction] = WRITABLE | {"delete"}


BY_PATIENT = ("patient.Patient.identifier", "patient.Patient.name")
BY_SUBJECT = ("subject.Patient.identifier", "subject.Patient.name")
"""Chains along the reference to the person, by what only her own organisation finds her by."""


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
    """One type the hub serves. Every default hides and refuses.

    Args:
        type_name: its FHIR name.
        subject: elements that lead to the Patient; the first that does counts.
        subject_named: what the first of them names must be a person of this hub (422 otherwise).
        based_on: elements that lead to the ServiceRequest.
        category: the information category of every resource of the type (``access.categories``); empty where
            it is found in the resource.
        coded_by: elements whose codes tell the category, dotted paths.
        inherits: without a code of the hub's own it has the category of what it is based on.
        opened: a release can open it to others. What no release opens is its author's alone.
        directory: every client reads it, unless its subject elements lead to anything outside the directory.
        listed: the same, only where its author listed it.
        at_shelter: a shelter's entry has a neutral copy; without one it is its author's alone.
        keeper: the element of a directory entry that names its writer, or an entry of its writer.
        by_coordinator: only the network's own organisation writes it.
        published: comes with the hub and is never written; whoever asks reads it.
        search: parameters; includes, revincludes: ``Source:parameter`` as they are asked for.
        chains: what may be asked along a reference: ``parameter.Type.code``; has: ``Source:parameter:code``.
        version_aware: an update names the version it was made from (If-Match).
        status_element: where the status of the lifecycle stands; date_elements: when what it tells happened.
    """

    type_name: str
    subject: tuple[str, ...] = ()
    subject_named: bool = False
    based_on: tuple[str, ...] = ()
    category: str = ""
    coded_by: tuple[str, ...] = ()
    inherits: bool = False
    opened: bool = False
    search: tuple[Searchable, ...] = ()
    includes: tuple[str, ...] = ()
    revincludes: tuple[str, ...] = ()
    chains: tuple[str, ...] = ()
    has: tuple[str, ...] = ()
    interactions: frozenset[Interaction] = WRITABLE
    lifecycle: Lifecycle | None = None
    directory: bool = False
    listed: bool = False
    at_shelter: bool = False
    keeper: str = ""
    by_coordinator: bool = False
    published: bool = False
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
    def is_referral(self) -> bool:
        """Tells whether the state of a referral decides what others read of it, and not its category alone."""
        return self.type_name in ("Consent", "Patient", "ServiceRequest", "Task")

    @property
    def about_person(self) -> bool:
        """Tells whether resources of this type are about a person."""
        return self.type_name == "Patient" or (bool(self.subject) and (self.opened or not self.directory))
