"""What the rooms above need from the outer rooms, as Protocols; and the proofs the gate makes.

What lives here: the store as ``exchange``, ``outbound`` and ``casework`` see it, and the types ``Admitted``
and ``Released``. What does not: SQL (``store``), decisions (``exchange.gate``).
"""

from collections.abc import Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import NewType, Protocol

import msgspec

from referral_hub.access.principal import OrganizationFacts
from referral_hub.access.reach import Reach
from referral_hub.access.rows import CaseAssignment, Grant, ReferralAccess, Refusal, RefusalException
from referral_hub.exchange.change import AuditEntry, Change, PageEntry
from referral_hub.exchange.history_bounds import HistoryBounds
from referral_hub.exchange.search_plan import Keyset, SearchPlan

Admitted = NewType("Admitted", Change)
"""A Change that ``gate.admit`` has seen; the only thing ``Store.apply`` takes."""


@dataclass(frozen=True, slots=True)
class ReleasedBytes:
    """One body as this caller may have it, with what the wire says about it. Only the gate makes ``Released``.

    ``voice`` is ``own`` where every word in it is the caller's organisation's own, ``public`` where everybody reads
    it, empty otherwise: words of several are never packed together (``web.packing``).
    """

    type: str
    id: str
    version: str
    etag: str
    updated_us: int
    body: bytes
    voice: str = ""


Released = NewType("Released", ReleasedBytes)
"""A body that ``gate.release`` has seen; the only thing that may leave."""


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A live access token as stored: who holds it and what it may at most ask.

    ``organization_version`` changes when the organisation's kind, country or place in the tree changes.
    ``context`` is system, user or patient; ``account`` who signed in; ``person`` and ``patient`` the row id and
    public id of the one person it is about, where it is about one; ``binding`` what a consent-bound token is bound
    to (JSON); ``jkt`` the thumbprint of its DPoP key; ``family`` the approval it descends from.
    """

    digest: bytes
    version: int
    oauth_client: str
    organization: str
    organization_version: int
    scope: str
    purpose: str
    role: str
    user: str
    expires_us: int
    revoked: bool
    very_restricted: bool
    issued_us: int = 0
    context: str = "system"
    account: str = ""
    person: int | None = None
    patient: str = ""
    binding: str = ""
    jkt: str = ""
    family: str = ""


class ResourceRow(msgspec.Struct, frozen=True, gc=False):
    """One resource as stored, opened (its body is plain), with the columns decisions are made on.

    ``locked``: it is of its author's own file, sealed to a key that did not come with the request, and its body is
    empty: no copy of it can be made, and to everybody but its author it is absent. ``own_file``: sealed so, whether it
    could be opened or not.
    """

    row_id: int
    type: str
    id: str
    version: str
    number: int
    updated_us: int
    author: str
    custodian: str
    person: int | None
    category: str
    confidentiality: str
    sensitivities: tuple[str, ...]
    status: str
    owner: str
    requester: str
    focus: int | None
    based_on: int | None
    data_from_us: int | None
    data_until_us: int | None
    directory: bool
    never_release: bool
    foreign_elements: bool
    kind: str
    deleted: bool
    body: bytes
    written_by: str = ""
    method: str = ""
    locked: bool = False
    own_file: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """How one organisation stands to one person right now: the rows every decision of SQL is made on.

    ``refusals`` are those whose target reaches the organisation; ``grants`` those that name it;
    ``accesses`` its referral_access rows about this person. Nothing here is filtered by time.
    """

    person: int
    epoch: int
    accesses: tuple[ReferralAccess, ...] = ()
    grants: tuple[Grant, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    exceptions: tuple[RefusalException, ...] = ()


@dataclass(frozen=True, slots=True)
class ConsentRow:
    """One stored Consent of a person, for the second line of defence."""

    row_id: int
    id: str
    version: str
    status: str
    body: bytes
    custodian: str = ""


@dataclass(frozen=True, slots=True)
class OrganizationRow:
    """An organisation as the hub knows it, beside its FHIR Organization resource."""

    facts: OrganizationFacts
    version: int
    part_of: str
    neutral_name: str
    name: str
    fhir_endpoint: str
    poll_seconds: int
    is_hub: bool
    row_id: int


@dataclass(frozen=True, slots=True)
class ReadAnswer:
    """What one read statement found: token, resource and standing, all of one consistent state."""

    token: TokenRow | None
    resource: ResourceRow | None
    standing: Standing | None
    beside: "Beside | None" = None
    """What the resource points at, where this process knew it already and the same statement said nothing changed."""
    assigned: bool = False
    """Whether its person is assigned to the account of the token."""


@dataclass(frozen=True, slots=True)
class Beside:
    """What lies beside a row, of one consistent state.

    ``rows`` are what it points at, by ``Type/id``, deleted ones too; ``organizations`` those that wrote them, by
    id; ``epochs`` the consent epochs of the persons they are about, by row id; ``asked`` what was looked for.
    """

    rows: dict[str, ResourceRow]
    organizations: dict[str, OrganizationRow]
    epochs: dict[int, int]
    asked: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class SearchPage:
    """One page of rows in order, with the rows' standings by person, and whether more follow.

    ``last`` is the keyset of the last row, whatever the sort.
    """

    token: TokenRow | None
    rows: tuple[ResourceRow, ...]
    standings: dict[int, Standing]
    more: bool
    total: int | None = None
    last: Keyset | None = None


class Snapshot(Protocol):
    """One consistent state of the store, for decisions that need several looks."""

    def token(self, digest: bytes) -> TokenRow | None:
        """Gives the token row of this SHA-256 digest, live or not."""

    def resource(self, type_name: str, public_id: str) -> ResourceRow | None:
        """Gives the current row of ``type_name/public_id``, deleted ones too."""

    def rows(self, row_ids: Sequence[int]) -> dict[int, ResourceRow]:
        """Gives current rows by row id."""

    def resources(self, references: Iterable[str]) -> dict[str, ResourceRow]:
        """Gives current rows by ``Type/id``."""

    def identified(self, organization: str, type_name: str, token: str) -> list[ResourceRow]:
        """Gives the organisation's own live rows that carry this ``system|value`` identifier (at most 2)."""

    def standing(self, person: int, organization: str, refusal_targets: Sequence[str]) -> Standing:
        """Gives how the organisation stands to the person."""

    def accesses_of_task(self, task: int) -> list[ReferralAccess]:
        """Gives the referral_access rows of one Task."""

    def accesses_of_person(self, person: int) -> list[ReferralAccess]:
        """Gives every referral_access row about one person."""

    def consents(self, person: int) -> list[ConsentRow]:
        """Gives every Consent about the person, of every status."""

    def organization(self, organization_id: str) -> OrganizationRow | None:
        """Gives the hub's own row of an organisation."""

    def hub_organization(self) -> OrganizationRow | None:
        """Gives the network's own organisation."""

    def registered_bases(self, organization_id: str) -> list[str]:
        """Gives the FHIR base URLs registered for an organisation (its own, not its parents')."""

    def based_on(self, service_request: int, type_name: str) -> list[ResourceRow]:
        """Gives current rows of a type whose hot column ``based_on`` is this ServiceRequest."""

    def tasks_of(self, service_request: int) -> list[ResourceRow]:
        """Gives the Tasks whose focus is this ServiceRequest."""

    def of_person(self, person: int, type_name: str) -> list[ResourceRow]:
        """Gives every current, undeleted row of a type about one person, whoever authored it."""

    def versions(self, row_id: int) -> list[ResourceRow]:
        """Gives every stored version of a resource, newest first, with each version's own columns."""

    def version(self, row_id: int, version: str) -> ResourceRow | None:
        """Gives one stored version."""

    def history(
        self,
        author: str,
        type_name: str,
        asked: HistoryBounds,
        reach: Reach | None = None,
        account: str = "",
    ) -> list[ResourceRow]:
        """Gives one page, and one more, of an organisation's own versions of a type, newest first, deletions too.

        Those alone that lie within ``reach`` of the account, where one is given.
        """

    def assigned(self, account: str, persons: Collection[int]) -> frozenset[int]:
        """Gives which of these persons are assigned to an account."""

    def assignments(self, person: int) -> list[CaseAssignment]:
        """Gives who works with a person, or did."""

    def delivered_to(self, person: int) -> list[str]:
        """Gives the organisations that received or pulled data about the person (disclosure ledger)."""

    def disclosures(self, person: int) -> list[AuditEntry]:
        """Gives the audit entries about a person, oldest first: disclosures and refused attempts."""

    def desk_counts(self) -> list[tuple[str, str, str, int]]:
        """Gives (organisation id, kind, status, number) of Tasks of the desk and recalls; no person."""

    def form_count(self, uri: str) -> int:
        """Gives how many active Consents name this version of the form; no person."""

    def newest_observation(self, person: int, token: str, organization: str) -> ResourceRow | None:
        """Gives the organisation's newest live Observation about a person with this code ``system|code``."""


class Store(Protocol):
    """The store as the inner rooms see it: one-statement reads, consistent snapshots, whole Changes."""

    def read(self, type_name: str, public_id: str, token_digest: bytes) -> ReadAnswer:
        """Gives token, resource and standing in ONE statement (``engine.md`` 2)."""

    def search(self, plan: SearchPlan) -> SearchPage:
        """Gives one page; the filter by grants, refusals and referral_access runs in SQL before LIMIT."""

    def kept_token(self, digest: bytes) -> TokenRow | None:
        """Gives what this process remembers of a token, to prepare a question whose answer brings it afresh.

        It may have been revoked since: nothing is decided on it.
        """

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """Opens one consistent state; closing it ends the read transaction."""

    def beside(self, references: Iterable[str], of: ResourceRow | None = None) -> Beside:
        """Gives what a row points at in ONE statement, with its authors and the persons' epochs.

        ``of`` is the row, where the next read of it may bring the same.
        """

    def epoch(self, person: int) -> int:
        """Gives the person's consent epoch as it is now."""

    def epochs(self, persons: Sequence[int]) -> dict[int, int]:
        """Gives several persons' consent epochs, of one state; 0 before a person's first consent."""

    def apply(self, change: Admitted) -> None:
        """Applies the Change whole.

        Raises:
            GuardFailed: a guard no longer holds: decide again.
            Busy: the writer cannot take it now.
        """

    def spool(self, entries: Sequence[AuditEntry | PageEntry], *, durable: bool) -> None:
        """Appends read audit lines to this process's segment; ``durable`` waits for a grouped fdatasync."""

    def settle(self, now_us: int) -> None:
        """Ingests the read lines of this machine, so that who read what is complete (``engine.md`` 3)."""


class Clock(Protocol):
    """The process clock, in microseconds since 1970 UTC."""

    def __call__(self) -> int:
        """Gives the time now."""


class Ids(Protocol):
    """Fresh names: public ids, versions, row ids and change ids."""

    def public_id(self) -> str:
        """Gives a random UUIDv4."""

    def version(self) -> str:
        """Gives an opaque random version token (a legal FHIR id)."""

    def row_id(self, at_us: int) -> int:
        """Gives a positive 63-bit row id, roughly in time order, unlikely to be taken."""


class Channel(Protocol):
    """One way out to a partner (an adapter)."""

    def send(self, destination: OrganizationRow, released: Released, *, key: str) -> str:
        """Sends one released body; gives the partner's own URL for it, or an empty text.

        Raises:
            DeliveryFailed: with ``permanent`` True where trying again cannot help.
        """
