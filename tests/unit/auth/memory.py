"""A small store in memory: the rows of the authorization server, applied whole or not at all."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from referral_hub.access.principal import Binding, OrganizationFacts
from referral_hub.errors import GuardFailed, Unavailable
from referral_hub.exchange.bound_grants import BoundGrant, GrantNow
from referral_hub.exchange.change import AuditEntry, Change, EpochGuard, Row
from referral_hub.exchange.ports import Admitted, OrganizationRow, TokenRow


@dataclass(frozen=True, slots=True)
class ClientRow:
    client_id: str
    organization: str
    kind: str
    scope: str
    name: str = "Invented software"
    version: int = 1
    jwks: str = ""
    jwks_url: str = ""
    secret_hash: str = ""
    purposes: tuple[str, ...] = ()
    redirect_uris: tuple[str, ...] = ()
    require_dpop: bool = False
    very_restricted: bool = False
    active: bool = True


def organization(public_id: str, *, version: int = 1, is_hub: bool = False, **facts: Any) -> OrganizationRow:
    return OrganizationRow(
        facts=OrganizationFacts(public_id, **facts),
        version=version,
        part_of="",
        neutral_name="",
        name="An invented organisation",
        fhir_endpoint="",
        poll_seconds=0,
        is_hub=is_hub,
        row_id=1,
    )


@dataclass
class MemoryRows:
    """Implements ``OAuthRows`` and ``ScopeBacking``.

    ``failure`` stands for a writer that cannot write; ``lost_answers`` counts writes whose answer gets lost.
    """

    clients: dict[str, ClientRow] = field(default_factory=dict)
    organizations: dict[str, OrganizationRow] = field(default_factory=dict)
    tokens: dict[bytes, dict[str, Any]] = field(default_factory=dict)
    jti: dict[tuple[str, bytes], int] = field(default_factory=dict)
    audit: list[AuditEntry] = field(default_factory=list)
    backed: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    failure: Exception | None = None
    lost_answers: int = 0
    applied: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    epochs: dict[int, int] = field(default_factory=dict)

    def oauth_client(self, client_id: str) -> ClientRow | None:
        self.asked.append(client_id)
        return self.clients.get(client_id)

    def oauth_token(self, digest: bytes) -> TokenRow | None:
        kept = self.tokens.get(digest)
        if kept is None:
            return None
        client = self.clients[kept["oauth_client"]]
        return TokenRow(
            digest=digest,
            version=kept["version"],
            oauth_client=kept["oauth_client"],
            organization=kept["organization"],
            organization_version=self.organizations[kept["organization"]].version,
            scope=kept["scope"],
            purpose=kept["purpose"],
            role=kept["role"],
            user=kept["user_id"],
            expires_us=kept["expires_us"],
            revoked=bool(kept["revoked"]) or not client.active,
            very_restricted=bool(kept["very_restricted"]),
            issued_us=kept["issued_us"],
            context=kept.get("context", "system"),
            account=kept.get("account", ""),
            person=kept.get("person"),
            patient=kept.get("patient", ""),
            binding=kept.get("binding", ""),
            jkt=kept.get("jkt", ""),
            family=kept.get("family", ""),
        )

    def organization(self, organization_id: str) -> OrganizationRow | None:
        return self.organizations.get(organization_id)

    def hub_organization(self) -> OrganizationRow | None:
        return next((row for row in self.organizations.values() if row.is_hub), None)

    def backed_types(self, organization: str, purpose: str, at_us: int) -> frozenset[str]:
        return self.backed.get((organization, purpose), frozenset())

    def apply(self, change: Admitted) -> None:
        if self.failure is not None:
            raise self.failure
        if change.change_id in self.applied:
            return
        for guard in change.guards:
            if isinstance(guard, EpochGuard) and self.epochs.get(guard.person, guard.epoch) != guard.epoch:
                raise GuardFailed("A consent changed.")
        before = copy.deepcopy((self.clients, self.tokens, self.jti))
        for row in change.rows:
            if not self._applied(row) and row.at_least_one:
                self.clients, self.tokens, self.jti = before
                raise GuardFailed("A row that had to be touched was not.")
        self.audit.extend(change.audit)
        self.applied.add(change.change_id)
        if self.lost_answers:
            self.lost_answers -= 1
            raise Unavailable("The writer's answer was lost.")

    def _applied(self, row: Row) -> int:
        return int(getattr(self, f"_{row.statement}")(row.parameters))

    def _oauth_jti_insert(self, given: Mapping[str, Any]) -> bool:
        key = (given["oauth_client"], given["jti"])
        if key in self.jti:
            return False
        self.jti[key] = given["expires_us"]
        return True

    def _oauth_token_insert(self, given: Mapping[str, Any]) -> bool:
        self.tokens[given["digest"]] = {**given, "version": 1, "revoked": 0}
        return True

    _oauth_token_insert_bound = _oauth_token_insert

    def _oauth_family_end_client(self, given: Mapping[str, Any]) -> int:
        return 0  # nobody signs in here; tests.unit.auth.sign_in_memory knows families

    def _oauth_token_revoke(self, given: Mapping[str, Any]) -> bool:
        kept = self.tokens.get(given["digest"])
        if kept is None or kept["oauth_client"] != given["oauth_client"]:
            return False
        kept.update(revoked=1, version=kept["version"] + 1)
        return True

    def _oauth_client_insert(self, given: Mapping[str, Any]) -> bool:
        columns = {name: value for name, value in given.items() if name not in {"created_us", "purposes"}}
        purposes = tuple(given["purposes"].split())
        flags = {name: bool(columns.pop(name)) for name in ("require_dpop", "very_restricted")}
        columns["redirect_uris"] = tuple(columns["redirect_uris"].split())
        self.clients[given["client_id"]] = ClientRow(**columns, **flags, purposes=purposes)
        return True

    def _oauth_client_set_active(self, given: Mapping[str, Any]) -> bool:
        kept = self.clients.get(given["client_id"])
        if kept is None:
            return False
        self.clients[given["client_id"]] = replace(
            kept, active=bool(given["active"]), version=kept.version + 1
        )
        return True

    def _oauth_client_revoke_tokens(self, given: Mapping[str, Any]) -> int:
        held = [token for token in self.tokens.values() if token["oauth_client"] == given["oauth_client"]]
        for token in held:
            token.update(revoked=1, version=token["version"] + 1)
        return len(held)

    def _oauth_jti_prune(self, given: Mapping[str, Any]) -> int:
        gone = [key for key, expires_us in self.jti.items() if expires_us < given["before_us"]]
        for key in gone:
            del self.jti[key]
        return len(gone)

    def _oauth_token_prune(self, given: Mapping[str, Any]) -> int:
        gone = [digest for digest, token in self.tokens.items() if token["expires_us"] < given["before_us"]]
        for digest in gone:
            del self.tokens[digest]
        return len(gone)


@dataclass
class MemoryGrants:
    """Implements ``Grants``: by (organization, purpose, task), and what is left of every token's binding."""

    found: dict[tuple[str, str, str], BoundGrant] = field(default_factory=dict)
    left: GrantNow | None = None
    asked: list[tuple[str, str, str, str]] = field(default_factory=list)
    refused: list[tuple[str, str, str, str]] = field(default_factory=list)

    def of_referral(
        self, organization_id: str, purpose: str, role: str, task_id: str, at_us: int
    ) -> BoundGrant | None:
        self.asked.append((organization_id, purpose, role, task_id))
        return self.found.get((organization_id, purpose, task_id))

    def record_refusal(
        self, organization_id: str, oauth_client: str, user: str, purpose: str, task_id: str, at_us: int
    ) -> None:
        self.refused.append((organization_id, oauth_client, purpose, task_id))

    def now(self, token: TokenRow, binding: Binding, at_us: int) -> GrantNow | None:
        return self.left


@dataclass(frozen=True)
class Document:
    body: bytes
    max_age_s: int | None = None


@dataclass
class MemoryFetcher:
    """Implements ``JwksFetcher``: addresses and what they answer; anything else cannot be reached."""

    documents: dict[str, Document] = field(default_factory=dict)
    fetched: list[str] = field(default_factory=list)

    def fetch(self, url: str) -> Document:
        self.fetched.append(url)
        if url not in self.documents:
            raise Unavailable("The partner's address cannot be reached.")
        return self.documents[url]


def admitted(change: Change) -> Admitted:
    """Stands for the gate: every Change of these tests may be applied."""
    return Admitted(change)
