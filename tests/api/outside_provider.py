"""A small OpenID Connect provider on this machine, for tests: honest unless it is told to lie.

What lives here: discovery, token endpoint, keys, and who signed in there. What does not: what the hub makes of it.
"""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey

SECRET = "a secret of the provider"
CLIENT_ID = "hub-at-provider"


@dataclass
class Provider:
    """What the provider is and does.

    ``claims`` are put over those of an honest ID token (None drops one), ``description`` over its description.
    """

    port: int
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256"))
    signing_key: ECKey | None = None
    algorithm: str = "ES256"
    claims: dict[str, Any] = field(default_factory=dict)
    description: dict[str, Any] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)
    is_away: bool = False
    at_s: int = 0

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def signed_in(self, address: str, subject: str, **answer: str) -> dict[str, str]:
        """Signs somebody in: gives the parameters with which the browser comes back."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert address.startswith(f"{self.issuer}/authorize?")
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert asked["scope"] == "openid"
        code = secrets.token_urlsafe(16)
        self.codes[code] = {**asked, "sub": subject}
        return {"code": code, "state": asked["state"], **answer}

    def described(self) -> dict[str, Any]:
        base = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
        }
        return {**base, **self.description}

    def token(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        self.asked.append(form)
        proof = base64.b64encode(f"{CLIENT_ID}:{SECRET}".encode()).decode()
        kept = self.codes.pop(form.get("code", ""), None)
        if (
            kept is None
            or authorization != f"Basic {proof}"
            or form.get("redirect_uri") != kept["redirect_uri"]
        ):
            return 400, {"error": "invalid_grant"}
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != kept["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        now = self.at_s or int(time.time())
        honest = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "sub": kept["sub"],
            "nonce": kept["nonce"],
            "iat": now,
            "exp": now + 300,
            "email": "owner@unit.example",
            "email_verified": True,
        }
        claims = {name: value for name, value in {**honest, **self.claims}.items() if value is not None}
        if self.algorithm == "none":
            id_token = ".".join((*(_part(one) for one in ({"alg": "none"}, claims)), ""))
        else:
            id_token = jwt.encode({"alg": self.algorithm}, claims, self.signing_key or self.key)
        return 200, {"access_token": "x", "token_type": "Bearer", "id_token": id_token}


def _part(content: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


@contextmanager
def provider_running() -> Iterator[Provider]:
    """Runs a provider on a free port of this machine until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/.well-known/openid-configuration":
                self._send(200, provider.described())
            elif self.path == "/jwks":
                self._send(200, {"keys": [provider.key.as_dict(private=False)]})
            else:
                self._send(404, {})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            self._send(*provider.token(form, self.headers.get("Authorization", "")))

        def _send(self, http_status: int, content: dict[str, Any]) -> None:
            if provider.is_away:
                http_status = 503
            body = json.dumps(content).encode()
            self.send_response(http_status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider = Provider(server.server_port)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
