"""A whole authorization server on the store in memory, with two partners and a resource server."""

from collections.abc import Mapping
from typing import Any

from referral_hub.auth.addresses import Addresses
from referral_hub.auth.client_keys import ClientKeys
from referral_hub.auth.client_secrets import hash_secret
from referral_hub.auth.dpop import Proofs
from referral_hub.auth.dpop_nonces import Nonces
from referral_hub.auth.grant_handles import GrantHandles
from referral_hub.auth.request import OAuthRequest
from referral_hub.auth.rich_requests import RichRequests
from referral_hub.auth.server import Answer, HubAuthorizationServer
from referral_hub.auth.sign_in_ports import SignInParts
from tests.unit.auth.memory import (
    ClientRow,
    Document,
    MemoryFetcher,
    MemoryGrants,
    MemoryRows,
    admitted,
    organization,
)
from tests.unit.auth.partner import Partner, ec_key, key_set, public_jwk, rsa_key

NOW_US = 1_795_500_000_250_000
NOW_S = NOW_US / 1_000_000
SECOND = 1_000_000
ADDRESSES = Addresses("https://hub.example")
NONCES = Nonces(b"an invented key of a hub")
HANDLES = GrantHandles(b"an invented key of a hub")
KEYS_URL = "https://clinic.example/keys.json"
SECRET = "an-invented-secret-of-the-hub-resource-server"
SECRET_HASH = hash_secret(SECRET)
SCOPE = "system/Task.crus system/ServiceRequest.rs system/Patient.rs system/Condition.rs"


class Hub:
    """``shelter`` signs with ES384 and keys kept here, ``clinic`` with RS384 and keys at its own address."""

    def __init__(self) -> None:
        self.shelter = Partner("c-shelter", ec_key("shelter"), "s1", ADDRESSES.token)
        self.clinic = Partner("c-clinic", rsa_key("clinic"), "k1", ADDRESSES.token, alg="RS384")
        self.fetcher = MemoryFetcher()
        self.grants = MemoryGrants()
        self.rows = MemoryRows(
            organizations={
                "network": organization("network", is_hub=True),
                "shelter": organization("shelter", kind="shelter"),
                "clinic": organization("clinic", kind="clinic", ancestors=("hospital",), country="CC"),
            }
        )
        self.add(
            "c-shelter",
            "shelter",
            "jwks",
            jwks=key_set(public_jwk(self.shelter.key, "s1")),
            purposes=("TREAT",),
        )
        self.add("c-clinic", "clinic", "jwks_url", jwks_url=KEYS_URL, purposes=("TREAT",))
        self.add("c-network", "network", "secret", secret_hash=SECRET_HASH)
        self.serve(KEYS_URL, public_jwk(self.clinic.key, "k1"))
        self.server = self._server(None)

    def rebuild(self, rows: MemoryRows, sign_in: SignInParts) -> None:
        """Puts other rows and people who sign in behind the same partners."""
        self.rows = rows
        self.server = self._server(sign_in)

    def _server(self, sign_in: SignInParts | None) -> HubAuthorizationServer:
        return HubAuthorizationServer(
            addresses=ADDRESSES,
            rows=self.rows,
            keys=ClientKeys(self.fetcher),
            backing=self.rows,
            admit=admitted,
            proofs=Proofs(ADDRESSES.base_url, NONCES),
            rich_requests=RichRequests(self.grants, HANDLES, ADDRESSES),
            sign_in=sign_in,
        )

    def add(self, client_id: str, organization_id: str, kind: str, scope: str = SCOPE, **more: Any) -> None:
        self.rows.clients[client_id] = ClientRow(client_id, organization_id, kind, scope, **more)

    def serve(self, url: str, *keys: dict[str, Any], max_age_s: int | None = None) -> None:
        self.fetcher.documents[url] = Document(key_set(*keys).encode(), max_age_s)

    def token(
        self,
        form: Mapping[str, str],
        *,
        authorization: str | None = None,
        at_us: int = NOW_US,
        dpop: str = "",
    ) -> Answer:
        return self.server.token(OAuthRequest(ADDRESSES.token, form.items(), authorization, at_us, dpop))

    def introspect(
        self, form: Mapping[str, str], *, authorization: str | None = None, at_us: int = NOW_US
    ) -> Answer:
        request = OAuthRequest(ADDRESSES.introspection, form.items(), authorization, at_us)
        return self.server.introspection(request)

    def revoke(
        self, form: Mapping[str, str], *, authorization: str | None = None, at_us: int = NOW_US
    ) -> Answer:
        return self.server.revocation(OAuthRequest(ADDRESSES.revocation, form.items(), authorization, at_us))

    def given(self, partner: Partner, scope: str = "system/Task.rs", at_us: int = NOW_US) -> str:
        answer = self.token(partner.form(at_us / SECOND, scope), at_us=at_us)
        assert answer.http_status == 200, answer.body
        return str(answer.body["access_token"])
