"""People who sign in with software, in memory: families, codes and refresh tokens beside the rows of the others."""

import base64
import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from referral_hub.auth.approving import Approvals
from referral_hub.auth.sign_in_ports import SignInParts
from referral_hub.errors import GuardFailed
from referral_hub.exchange.ports import Admitted
from referral_hub.exchange.sign_in import (
    ApprovedRow,
    AppRow,
    CodeRow,
    FamilyRow,
    LaunchableRow,
    LaunchRow,
    PersonInSight,
    PushedRow,
    RefreshRow,
)
from tests.unit.auth.memory import MemoryRows

_AT = 1_795_500_000_250_000
FAMILY = FamilyRow(
    family="f-1",
    oauth_client="c-app",
    organization="shelter",
    account="a-1",
    context="user",
    person=7,
    patient="p-7",
    scope="user/Task.rs",
    purpose="TREAT",
    role="supervisor",
    fhir_user="Practitioner/x",
    task="",
    very_restricted=False,
    auth_us=_AT,
    acr="https://hub.example/assurance/two-factors",
    amr="pwd otp",
    lasting="offline",
    jkt="",
    created_us=_AT,
    used_us=0,
    ends_us=_AT + 1,
    revoked=False,
)
CODE = CodeRow(b"c" * 32, "https://app.example/back", "x" * 43, "n", _AT + 1, used=False, family=FAMILY)
REFRESH = RefreshRow(b"r" * 32, _AT, _AT + 1, used=False, family=FAMILY)
PUSHED = PushedRow(b"p" * 32, "c-app", "{}", _AT + 1)
LAUNCH = LaunchRow(b"l" * 32, "c-app", "a-1", "shelter", 7, "p-7", "", _AT + 1)
_TABLES = ("families", "codes", "refreshes", "pushes", "launches", "approvals", "apps")


@dataclass
class SignInMemory(MemoryRows):
    """Implements ``SignInStore`` beside ``OAuthRows``."""

    families: dict[str, dict[str, Any]] = field(default_factory=dict)
    codes: dict[bytes, dict[str, Any]] = field(default_factory=dict)
    refreshes: dict[bytes, dict[str, Any]] = field(default_factory=dict)
    pushes: dict[bytes, dict[str, Any]] = field(default_factory=dict)
    launches: dict[bytes, dict[str, Any]] = field(default_factory=dict)
    approvals: dict[tuple[str, str], str] = field(default_factory=dict)
    apps: dict[str, AppRow] = field(default_factory=dict)

    def apply(self, change: Admitted) -> None:
        before = copy.deepcopy([getattr(self, name) for name in _TABLES])
        try:
            super().apply(change)
        except GuardFailed:
            for name, table in zip(_TABLES, before, strict=True):
                setattr(self, name, table)
            raise

    def family(self, family: str) -> FamilyRow | None:
        kept = self.families.get(family)
        return None if kept is None else FamilyRow(**kept)

    def code(self, digest: bytes) -> CodeRow | None:
        kept = self.codes.get(digest)
        if kept is None:
            return None
        found = self.family(kept["family"])
        assert found is not None
        return CodeRow(**{**kept, "family": found, "used": bool(kept["used"])})

    def refresh(self, digest: bytes) -> RefreshRow | None:
        kept = self.refreshes.get(digest)
        if kept is None:
            return None
        found = self.family(kept["family"])
        assert found is not None
        return RefreshRow(**{**kept, "family": found, "used": bool(kept["used"])})

    def pushed(self, digest: bytes) -> PushedRow | None:
        return PushedRow(**self.pushes[digest]) if digest in self.pushes else None

    def launch(self, digest: bytes) -> LaunchRow | None:
        return LaunchRow(**self.launches[digest]) if digest in self.launches else None

    def approved_scope(self, account: str, oauth_client: str) -> str | None:
        return self.approvals.get((account, oauth_client))

    def approved(self, account: str, at_us: int) -> list[ApprovedRow]:
        return []

    def app(self, client_id: str) -> AppRow | None:
        return self.apps.get(client_id)

    def launchable(self, organization: str) -> list[LaunchableRow]:
        return []

    def _oauth_app_insert(self, given: Mapping[str, Any]) -> bool:
        self.apps[given["client_id"]] = AppRow(given["launch_url"], bool(given["require_par"]))
        return True

    def _oauth_approval_put(self, given: Mapping[str, Any]) -> bool:
        self.approvals[given["account"], given["oauth_client"]] = given["scope"]
        return True

    def _oauth_family_insert(self, given: Mapping[str, Any]) -> bool:
        flags = {"very_restricted": bool(given["very_restricted"])}
        self.families[given["family"]] = {**given, **flags, "used_us": 0, "revoked": False}
        return True

    def _oauth_family_use(self, given: Mapping[str, Any]) -> bool:
        kept = self.families[given["family"]]
        if kept["revoked"] or kept["ends_us"] <= given["at_us"]:
            return False
        kept.update(used_us=given["at_us"], jkt=given["jkt"])
        return True

    def _oauth_code_insert(self, given: Mapping[str, Any]) -> bool:
        self.codes[given["digest"]] = {**given, "used": 0}
        return True

    def _oauth_code_use(self, given: Mapping[str, Any]) -> bool:
        return _used(self.codes, given)

    def _oauth_refresh_insert(self, given: Mapping[str, Any]) -> bool:
        self.refreshes[given["digest"]] = {**given, "used": 0}
        return True

    def _oauth_refresh_use(self, given: Mapping[str, Any]) -> bool:
        return _used(self.refreshes, given)

    def _oauth_pushed_insert(self, given: Mapping[str, Any]) -> bool:
        self.pushes[given["digest"]] = dict(given)
        return True

    def _oauth_pushed_take(self, given: Mapping[str, Any]) -> bool:
        return self.pushes.pop(given["digest"], None) is not None

    def _oauth_family_end(self, given: Mapping[str, Any]) -> int:
        self.families[given["family"]]["revoked"] = True
        return 1

    def _oauth_family_end_client(self, given: Mapping[str, Any]) -> int:
        for kept in self.families.values():
            kept["revoked"] = kept["revoked"] or kept["oauth_client"] == given["oauth_client"]
        return 1

    def _oauth_token_end_family(self, given: Mapping[str, Any]) -> int:
        for token in self.tokens.values():
            if token.get("family") == given["family"]:
                token.update(revoked=1, version=token["version"] + 1)
        return 1


def _used(table: dict[bytes, dict[str, Any]], given: Mapping[str, Any]) -> bool:
    kept = table.get(given["digest"])
    if kept is None or kept["used"] or kept["expires_us"] <= given["at_us"]:
        return False
    kept["used"] = 1
    return True


@dataclass(frozen=True)
class Person:
    """Somebody who signed in, as ``SignedIn`` asks."""

    account: str = "a-1"
    organization: str = "shelter"
    kind: str = "staff"
    role: str = "supervisor"
    practitioner: str = "x"
    person: int | None = None
    patient: str = ""
    methods: tuple[str, ...] = ("pwd", "otp")
    signed_in_us: int = _AT - 60_000_000
    confirmed_us: int = _AT - 60_000_000


@dataclass
class MemoryAccounts:
    """Implements ``Accounts``: ``roles`` by account, and whom everybody sees."""

    roles: dict[str, str] = field(default_factory=lambda: {"a-1": "supervisor"})
    seen: list[PersonInSight] = field(default_factory=lambda: [PersonInSight(7, "p-7", "Invented (p-7)")])

    def role_of(self, account: str, at_us: int) -> str | None:
        return self.roles.get(account)

    def persons_for(
        self, account: str, organization: str, role: str, purpose: str, at_us: int
    ) -> Sequence[PersonInSight]:
        return self.seen

    def person(
        self, account: str, organization: str, role: str, purpose: str, patient: str, at_us: int
    ) -> int | None:
        return next((one.person for one in self.seen if one.patient == patient), None)


class OpenSeal:
    """A seal that hides nothing, so that a test can make what the hub never would."""

    def seal(self, plain: bytes) -> str:
        return base64.urlsafe_b64encode(plain).decode()

    def open(self, sealed: str) -> bytes | None:
        try:
            return base64.urlsafe_b64decode(sealed)
        except ValueError:
            return None


class PlainSigner:
    """Signs nothing: gives the claims back as text."""

    def signed(self, claims: dict[str, object], at_us: int) -> str:
        return repr(sorted(claims.items()))


def with_people(hub: Any) -> Approvals:
    """Makes a hub of ``tests.unit.auth.hub`` one that people sign in at, and gives its approvals."""
    rows = SignInMemory(
        clients=hub.rows.clients,
        organizations=hub.rows.organizations,
        backed={("shelter", "TREAT"): frozenset()},
    )
    hub.accounts = MemoryAccounts()
    parts = SignInParts(rows, hub.accounts, OpenSeal(), PlainSigner(), 30 * 24 * 3600 * 1_000_000)
    hub.rebuild(rows, parts)
    return Approvals(hub.server, parts)
