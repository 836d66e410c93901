"""A hub served by real processes, as an operator would start it, and a client that fetches its own tokens.

What lives here: starting ``referral-hub`` commands, and a SMART Backend Services client written from the
specification with PyJWT, a JOSE library the hub itself does not use.

Source: SMART App Launch 2.2, Backend Services; RFC 7523.
"""

import json
import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
import requests
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests import log_watch

DEADLINE_S = 30.0


def free_port() -> int:
    """Gives a port nobody listens on at this moment."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@dataclass
class Served:
    """A running hub: its address and how its commands are called."""

    base_url: str
    environment: dict[str, str]
    folder: Path

    def command(self, *words: str) -> dict[str, Any]:
        """Runs a command with ``--json`` and gives the object on its last line."""
        done = subprocess.run(
            [sys.executable, "-m", "referral_hub", *words, "--json"],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
        return found

    def partner(
        self, name: str, kind: str, *, algorithm: str = "ES384", scope: str, purpose: str = "TREAT"
    ) -> "Partner":
        """Registers an organisation and its software with a fresh key."""
        organization = self.command("organization", "add", "--name", name, "--type", kind)["id"]
        private: Any
        if algorithm == "ES384":
            private = ec.generate_private_key(ec.SECP384R1())
            public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(private.public_key()))
        else:
            private = rsa.generate_private_key(65537, 2048)
            public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(private.public_key()))
        public |= {"kid": f"{name}-1", "alg": algorithm, "use": "sig"}
        public.pop("key_ops", None)
        keys = self.folder / f"{name}.jwks"
        keys.write_text(json.dumps({"keys": [public]}))
        words = ("oauth-client", "add", "--organization", organization, "--name", f"{name} software")
        added = self.command(*words, "--jwks", str(keys), "--scope", scope, "--purpose", purpose)
        return Partner(
            self.base_url, organization, added["client_id"], private, f"{name}-1", algorithm, scope
        )


@dataclass
class Partner:
    """A partner's software: knows its key and asks for tokens by the book."""

    base_url: str
    organization: str
    client_id: str
    key: Any
    kid: str
    algorithm: str
    scope: str

    def token_endpoint(self) -> str:
        """Finds where tokens are given."""
        discovered = requests.get(f"{self.base_url}/fhir/.well-known/smart-configuration", timeout=10).json()
        return str(discovered["token_endpoint"])

    def assertion(self) -> str:
        """Signs a fresh client assertion."""
        return jwt.encode(
            {
                "iss": self.client_id,
                "sub": self.client_id,
                "aud": self.token_endpoint(),
                "exp": int(time.time()) + 240,
                "jti": str(uuid.uuid4()),
            },
            self.key,
            algorithm=self.algorithm,
            headers={"kid": self.kid, "typ": "JWT"},
        )

    def token(self) -> str:
        """Fetches a fresh access token."""
        answer = requests.post(
            self.token_endpoint(),
            data={
                "grant_type": "client_credentials",
                "scope": self.scope,
                "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                "client_assertion": self.assertion(),
            },
            timeout=10,
        )
        assert answer.status_code == 200, answer.text
        told = answer.json()
        assert told["token_type"].lower() == "bearer"
        assert told["expires_in"] <= 300
        return str(told["access_token"])


@contextmanager
def served_hub(folder: Path, *, workers: int = 2, database_url: str = "") -> Iterator[Served]:
    """Initialises and serves a hub until the block ends; fails where it does not answer in time."""
    port = free_port()
    base_url = f"http://127.0.0.1:{port}"
    environment = {
        **os.environ,
        "REFERRAL_HUB_DATA_DIR": str(folder / "hub"),
        "REFERRAL_HUB_BASE_URL": base_url,
        "REFERRAL_HUB_WORKERS": str(workers),
    }
    if database_url:
        environment["REFERRAL_HUB_DATABASE_URL"] = database_url
    served = Served(base_url, environment, folder)
    served.command("init")
    log = (folder / "serve.log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", "referral_hub", "serve", "--port", str(port)],
        env=environment,
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    try:
        wait_for(base_url, process)
        yield served
    finally:
        process.terminate()
        process.wait(timeout=30)
        log.close()
        log_watch.WATCH.look_into(folder / "serve.log")


def wait_for(base_url: str, process: "subprocess.Popen[bytes]") -> None:
    """Waits until the hub says it is ready."""
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end:
        assert process.poll() is None, "the hub ended by itself"
        try:
            if requests.get(f"{base_url}/health/ready", timeout=2).status_code == 200:
                return
        except requests.ConnectionError:
            pass
        time.sleep(0.05)
    raise AssertionError("the hub did not answer in time")
