"""A partner's software at a hub in this process: it signs assertions and proofs, and asks for bound tokens.

What lives here: the software. What does not: the network it works in (``tests.api.network``), the attacks
(``tests.api.test_token_attacks``).
"""

import json
import time
from dataclasses import dataclass, field
from typing import Any

from werkzeug.test import TestResponse

from referral_hub.app import clock
from referral_hub.auth.clients import ClientKey, register
from referral_hub.resources.catalog import DEFINITIONS
from referral_hub.store.stored_oauth import StoredOAuthRows
from tests.unit.auth.partner import Partner, basic, ec_key, key_set, public_jwk
from tests.unit.auth.prover import Prover
from tests.world import Caller, World

JSON = dict[str, Any]
SCOPE = "system/*.crus"


@dataclass
class Software:
    """One registered client of one organisation, with a key for assertions and one for proofs."""

    world: World
    organization: str
    partner: Partner
    prover: Prover = field(default_factory=Prover)

    @property
    def addresses(self) -> Any:
        return self.world.parts.addresses

    def form(self, scope: str = SCOPE, **more: Any) -> dict[str, str]:
        """A right token request; ``more`` changes the assertion."""
        return self.partner.form(time.time(), scope, **more)

    def post(self, form: dict[str, str], *, dpop: str = "", **headers: str) -> TestResponse:
        """Sends a request to the token endpoint."""
        sent = {"DPoP": dpop, **headers} if dpop else headers
        return self.world.client.post("/oauth/token", data=form, headers=sent)

    def proof(self, method: str, url: str, **more: Any) -> str:
        """A right proof with a nonce of the hub; ``more`` changes it."""
        self.learn_nonce()
        return self.prover.proof(method, url, time.time(), **more)

    def learn_nonce(self) -> None:
        """Asks once without a nonce, as a client does that has none yet."""
        if not self.prover.nonce:
            bare = self.prover.proof("POST", self.addresses.token, time.time())
            answer = self.post(self.form(), dpop=bare)
            assert answer.get_json()["error"] == "use_dpop_nonce"
            self.prover.nonce = answer.headers["DPoP-Nonce"]

    def granted(self, scope: str = SCOPE, *, details: Any = None, proved: bool = False, **more: Any) -> JSON:
        """A token response; fails the test where it is refused."""
        answer = self.asked(scope, details=details, proved=proved, **more)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        found: JSON = answer.get_json()
        return found

    def asked(
        self, scope: str = SCOPE, *, details: Any = None, proved: bool = False, **more: Any
    ) -> TestResponse:
        """Asks for a token, bound to a grant with ``details`` and to the key with ``proved``."""
        form = self.form(scope, **more)
        if details is not None:
            form["authorization_details"] = json.dumps([{"type": self.details_type, **details}])
        return self.post(form, dpop=self.proof("POST", self.addresses.token) if proved else "")

    @property
    def details_type(self) -> str:
        return f"{self.addresses.base_url}/rar/consent-grant"

    def bearer(self, token: str) -> Caller:
        """The software asking with a Bearer token."""
        return Caller(self.organization, token, self.world.client)

    def get(self, path: str, token: str, *, proof: str | None = None, scheme: str = "DPoP") -> TestResponse:
        """Reads with a token bound to the key; the proof is right unless given."""
        url = f"{self.addresses.fhir}{path}"
        proof = self.proof("GET", url, token=token) if proof is None else proof
        headers = {"Authorization": f"{scheme} {token}", **({"DPoP": proof} if proof else {})}
        return self.world.client.get(f"/fhir{path}", headers=headers)


def software(
    world: World, organization: str, *, name: str = "software", scope: str = SCOPE, **more: Any
) -> Software:
    """Registers software of an organisation with a fresh key."""
    key = ec_key(f"{organization} {name}")
    rows = StoredOAuthRows(world.parts.database, world.parts.store)
    made = register(
        rows.organization(organization),
        name,
        ClientKey(jwks=key_set(public_jwk(key, "k1"))),
        scope,
        types=frozenset(DEFINITIONS),
        at_us=clock(),
        **{"purposes": ["TREAT"], **more},
    )
    world.parts.store.apply(world.parts.gate.admit_token(made.change))
    return Software(world, organization, Partner(made.client_id, key, "k1", world.parts.addresses.token))


def introspected(world: World, token: str) -> JSON:
    """What a resource server of the network is told of a token."""
    rows = StoredOAuthRows(world.parts.database, world.parts.store)
    made = register(
        rows.hub_organization(),
        "resource server",
        ClientKey(secret=True),
        "system/Task.rs",
        types={"Task"},
        at_us=clock(),
    )
    world.parts.store.apply(world.parts.gate.admit_token(made.change))
    answer = world.client.post(
        "/oauth/introspect",
        data={"token": token},
        headers={"Authorization": basic(made.client_id, made.secret)},
    )
    found: JSON = answer.get_json()
    return found
