"""A Change: everything one write does, decided beforehand and applied whole or not at all.

What lives here: frozen rows that a write consists of, and the guards under which it was decided. What does
not: SQL and sealing (``store``), and the decision itself (``exchange.gate``).

Times are integer microseconds since 1970 UTC. Row ids are made by ``Ids`` before the write, so that rows may
name each other; they never leave the hub.

Source: ``engine.md`` 1 (writes), ``views.md`` 1 (referral_access), ``consent.md`` D-20.
"""

from dataclasses import dataclass, field
from typing import Literal

import msgspec

from referral_hub.access.rows import Grant, ReferralAccess, Refusal, RefusalException


@dataclass(frozen=True, slots=True)
class VersionGuard:
    """Holds while the resource still has this version (and is not deleted)."""

    row_id: int
    version: str


@dataclass(frozen=True, slots=True)
class EpochGuard:
    """Holds while no Consent of this person changed since the decision."""

    person: int
    epoch: int


@dataclass(frozen=True, slots=True)
class TokenGuard:
    """Holds while the token row is live: not revoked, not expired at ``at_us``."""

    token_digest: bytes
    at_us: int


@dataclass(frozen=True, slots=True)
class AbsentGuard:
    """Holds while the organisation authored no live resource of this type with this identifier.

    Also the mutex of a conditional create: the ``conditional_key`` row is locked first.
    ``token`` is ``system|value``; ``parameter`` is the token parameter (``identifier``).
    """

    organization: str
    type: str
    parameter: str
    token: str


@dataclass(frozen=True, slots=True)
class OrganizationGuard:
    """Holds while the organisation's row has this version (its kind, country, place in the tree)."""

    organization: str
    version: int


Guard = VersionGuard | EpochGuard | TokenGuard | AbsentGuard | OrganizationGuard


class TokenIndex(msgspec.Struct, frozen=True, gc=False):
    """One value a token, reference or uri parameter finds; ``text`` is ``system|code``, ``Type/id`` or the uri.

    ``whole``: it is found by this text alone, not by its parts. ``under``: the first part of a composite.
    """

    parameter: str
    text: str
    whole: bool = False
    under: str = ""


class DateIndex(msgspec.Struct, frozen=True, gc=False):
    """One span a date parameter finds, half-open, microseconds UTC; ``under`` is the first part of a composite."""

    parameter: str
    low_us: int
    high_us: int
    under: str = ""


class StringIndex(msgspec.Struct, frozen=True, gc=False):
    """One folded text a string parameter finds; kept as a keyed digest of each word where it names a person.

    ``under`` is the first part of a composite.
    """

    parameter: str
    text: str
    identifying: bool = False
    under: str = ""


class NumberIndex(msgspec.Struct, frozen=True, gc=False):
    """One number or range, both ends in it, as texts that sort like numbers (``fhir.number_keys``).

    ``units`` are the spellings a search may name the unit by, an empty one for any. ``under`` is the first part of
    a composite.
    """

    parameter: str
    low: str
    high: str
    units: tuple[str, ...] = ("",)
    under: str = ""


class LinkIndex(msgspec.Struct, frozen=True, gc=False):
    """One reference that chains and ``_has`` follow: to the resource of this type and id."""

    parameter: str
    type: str
    id: str


@dataclass(frozen=True, slots=True)
class Indexes:
    """Everything searches find one version of a resource by."""

    tokens: tuple[TokenIndex, ...] = ()
    dates: tuple[DateIndex, ...] = ()
    strings: tuple[StringIndex, ...] = ()
    numbers: tuple[NumberIndex, ...] = ()
    links: tuple[LinkIndex, ...] = ()


@dataclass(frozen=True, slots=True)
class ResourceWrite:
    """One version of one resource: its row, its history row and its index rows.

    ``number`` counts the versions inside (it never leaves); 1 is a create. ``body`` is what the author is
    served, byte for byte; empty for a delete. ``person`` is the row id of the Patient it is about, None for
    resources about nobody. Hot columns (``status``, ``owner``, ``requester``, ``focus``, ``based_on``) are
    filled where the type has them. ``author`` is fixed at create. ``written_by`` is who made this version.
    """

    interaction: Literal["create", "update", "delete"]
    row_id: int
    type: str
    id: str
    version: str
    number: int
    updated_us: int
    author: str
    written_by: str
    body: bytes
    person: int | None = None
    custodian: str = ""
    category: str = ""
    confidentiality: str = "R"
    sensitivities: tuple[str, ...] = ()
    status: str = ""
    owner: str = ""
    requester: str = ""
    focus: int | None = None
    based_on: int | None = None
    data_from_us: int | None = None
    data_until_us: int | None = None
    directory: bool = False
    never_release: bool = False
    foreign_elements: bool = False
    kind: str = ""
    method: str = "POST"
    tokens: tuple[TokenIndex, ...] = ()
    dates: tuple[DateIndex, ...] = ()
    strings: tuple[StringIndex, ...] = ()
    numbers: tuple[NumberIndex, ...] = ()
    links: tuple[LinkIndex, ...] = ()


@dataclass(frozen=True, slots=True)
class ConsentRows:
    """The compiled rows of one Consent, replacing all earlier rows of it and raising the person's epoch by 1."""

    consent: int
    person: int
    grants: tuple[Grant, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    exceptions: tuple[RefusalException, ...] = ()


@dataclass(frozen=True, slots=True)
class Delivery:
    """Something that must leave later: an outbox row, in order per destination.

    ``destination`` is an organisation id; ``kind`` says what to do (``task-notice``, ``task-update``,
    ``recall``; to a source ``task-copy``, ``task-report``); ``resource`` is the row id of what is sent.
    ``person`` lets a withdrawal drop it. The key makes duplicates recognisable to the recipient.
    """

    key: str
    destination: str
    kind: str
    resource: int
    person: int | None
    not_before_us: int
    detail: bytes = b""


@dataclass(frozen=True, slots=True)
class DropDeliveries:
    """Cancels every unsent delivery that would tell this organisation about this person.

    A ``recall`` and a ``task-update`` still leave: they name nobody and go to a Task that is there already.
    """

    person: int
    destination: str


@dataclass(frozen=True, slots=True)
class Due:
    """A timer written with what it follows: at ``at_us`` delivery claims it once (``engine.md`` 6)."""

    key: str
    kind: str
    resource: int
    at_us: int
    detail: bytes = b""


class AuditEntry(msgspec.Struct, frozen=True, gc=False):
    """One line of the audit, written in the transaction of what it tells (or spooled, for reads).

    ``entities`` are ``Type/id/version`` texts, ``consents`` ``id/version`` texts; ``outcome`` is 0 for done,
    4 for refused, 8 for failed. ``detail`` is small JSON without names.
    """

    at_us: int
    action: str
    interaction: str
    outcome: int
    organization: str
    oauth_client: str
    user: str
    purpose: str
    person: int | None
    entities: tuple[str, ...] = ()
    consents: tuple[str, ...] = ()
    recipient: str = ""
    reason: str = ""
    detail: bytes = b""


class PageEntry(msgspec.Struct, frozen=True, gc=False):
    """One line of the audit about several persons: a page of a search.

    ``shared`` names no person, entities and consents; ``subjects`` are of each person her row id, her entities and
    her consents, as texts with spaces between.
    """

    shared: AuditEntry
    subjects: tuple[tuple[int, str, str], ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A row of another room (tokens, OAuth clients, jti, organisations): a named statement with parameters.

    With ``at_least_one`` the Change fails (``GuardFailed``) when the statement touches no row.
    """

    statement: str
    parameters: dict[str, int | str | bytes | None]
    at_least_one: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """One write, whole: guards, then rows. ``change_id`` is unique; applying it twice gives the first answer."""

    change_id: str
    guards: tuple[Guard, ...] = ()
    resources: tuple[ResourceWrite, ...] = ()
    accesses: tuple[ReferralAccess, ...] = ()
    consents: tuple[ConsentRows, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    dropped: tuple[DropDeliveries, ...] = ()
    due: tuple[Due, ...] = ()
    audit: tuple[AuditEntry, ...] = ()
    rows: tuple[Row, ...] = field(default=())
