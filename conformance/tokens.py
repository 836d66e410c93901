"""A client's own key, its assertions and its tokens: SMART Backend Services by the book.

What lives here: signing and asking. What does not: judging the answers (``conformance.checks.smart_*``).

Source: SMART App Launch 2.2, Backend Services and client-confidential-asymmetric; RFC 7523.
"""

import json
import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin

from joserfc import jwt
from joserfc.jwk import ECKey, Key, KeyParameters, RSAKey
from joserfc.jws import JWSRegistry

from conformance.doors import FORM, Answer, Door
from conformance.results import Failed, Omitted

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LIFE_S = 240
_EARLY_S = 15
_ALGORITHMS = ("RS256", "RS384", "ES256", "ES384")
_REGISTRY = JWSRegistry(algorithms=list(_ALGORITHMS))


def make_key(algorithm: str, kid: str) -> Key:
    """Gives a fresh private key.

    >>> make_key("ES384", "k").kid
    'k'
    """
    named: KeyParameters = {"kid": kid, "alg": algorithm, "use": "sig"}
    if algorithm.startswith("RS"):
        return RSAKey.generate_key(2048, named)
    return ECKey.generate_key("P-384" if algorithm == "ES384" else "P-256", named)


def read_key(path: Path) -> Key:
    """Gives the private key of a file: a JWK, or a JWK Set with one private key.

    Raises:
        ValueError: the file holds no private key.
    """
    told = json.loads(path.read_text("utf-8"))
    for one in told.get("keys", [told]):
        if "d" in one and one.get("kty") in ("RSA", "EC"):
            kind = RSAKey if one["kty"] == "RSA" else ECKey
            return kind.import_key(one)
    raise ValueError(f"{path.name} holds no private key (JWK of kty RSA or EC)")


def algorithm_of(key: Key) -> str:
    """Gives the algorithm a key signs with: what it says itself, else RS384 or ES384."""
    said = key.as_dict(private=False).get("alg")
    return str(said) if said else ("RS384" if key.key_type == "RSA" else "ES384")


@dataclass
class BackendClient:
    """A registered client: who it is, its key, and what it asks for.

    Args:
        client_id: as the server's operator gave it.
        key: the private key whose public half is registered.
        scope: what it asks for.
        organization: the id of its own Organization on the server, for checks of consent.
        door: asks without a token.
    """

    client_id: str
    key: Key
    scope: str
    organization: str
    door: Door
    _configuration: dict[str, Any] = field(default_factory=dict)
    _token: str = ""
    _ends: float = 0.0
    told: dict[str, Any] = field(default_factory=dict)

    @property
    def configuration(self) -> dict[str, Any]:
        """Gives the server's SMART configuration, fetched once."""
        if not self._configuration:
            address = f"{self.door.base}/.well-known/smart-configuration"
            answer = self.door.get(address, accept="application/json")
            if answer.http_status != 200:
                raise Omitted("The server has no SMART configuration.")
            self._configuration = answer.json
        return self._configuration

    def endpoint(self, name: str) -> str:
        """Gives an address of the SMART configuration, absolute; ends as omitted where it is not named."""
        found = self.configuration.get(name)
        if not isinstance(found, str) or not found:
            raise Omitted(f"The SMART configuration names no {name}.")
        return urljoin(f"{self.door.base}/", found)

    def claims(self, **changed: Any) -> dict[str, Any]:
        """Gives the claims of a good assertion, some changed; None leaves one out."""
        found = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.endpoint("token_endpoint"),
            "exp": int(time.time()) + LIFE_S,
            "jti": secrets.token_hex(32),
            **changed,
        }
        return {name: value for name, value in found.items() if value is not None}

    def assertion(
        self, *, key: Key | None = None, header: dict[str, Any] | None = None, **changed: Any
    ) -> str:
        """Gives a signed assertion, in parts changed."""
        signed_by = key or self.key
        named = {
            "alg": algorithm_of(signed_by),
            "kid": self.key.kid,
            "typ": "JWT",
            **(header or {}),
        }
        named = {name: value for name, value in named.items() if value is not None}
        return jwt.encode(named, self.claims(**changed), signed_by, registry=_REGISTRY)

    def form(self, **changed: str | None) -> dict[str, str]:
        """Gives the form of a good token request, some fields changed; None leaves one out."""
        found: dict[str, str | None] = {
            "grant_type": "client_credentials",
            "scope": self.scope,
            "client_assertion_type": JWT_BEARER,
            **changed,
        }
        if "client_assertion" not in found:
            found["client_assertion"] = self.assertion()
        return {name: value for name, value in found.items() if value is not None}

    def ask(self, **changed: str | None) -> Answer:
        """Asks for a token, some fields of the form changed."""
        return self.post("token_endpoint", self.form(**changed))

    def post(self, endpoint: str, form: dict[str, str], **headers: str) -> Answer:
        """Sends a form to an endpoint of the SMART configuration."""
        return self.door.ask(
            "POST",
            self.endpoint(endpoint),
            urlencode(form),
            accept="application/json",
            content_type=FORM,
            **headers,
        )

    def proof(self, **changed: Any) -> dict[str, str]:
        """Gives the form fields that prove who asks, for other endpoints than the token endpoint."""
        return {"client_assertion_type": JWT_BEARER, "client_assertion": self.assertion(**changed)}

    def fetched(self, scope: str | None = None) -> dict[str, Any]:
        """Gives the answer to a fresh token request; ends the check as failed where it is refused."""
        answer = self.ask(scope=scope or self.scope)
        if answer.http_status not in (200, 201):
            raise Failed(f"No token: {answer.http_status} {answer.text[:200]}")
        told: dict[str, Any] = answer.json
        return told

    def token(self) -> str:
        """Gives a live token, a fresh one where the last has ended."""
        if not self._token or time.monotonic() >= self._ends:
            self.told = self.fetched()
            self._token = str(self.told["access_token"])
            self._ends = time.monotonic() + float(self.told.get("expires_in", 60)) - _EARLY_S
        return self._token

    def forget(self) -> None:
        """Forgets the token, so that the next request brings a fresh one."""
        self._token = ""
