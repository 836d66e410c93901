"""Our own hub, started as an operator would start it, with an invented network to look at it through.

What lives here: ``referral-hub`` commands run as processes, and the clients registered by them. What does not:
anything of the hub itself; this module runs the command and imports nothing of the package.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import requests

from conformance.doors import ORIGIN
from conformance.target import ClientSettings, Target
from conformance.tokens import make_key

CLAIMS = frozenset({"sdohcc", "referral-hub"})
_START_S = 60.0
_TOLD = ("author", "outsider", "subscriber")
"""Whose software takes notifications at our listener. Not the recipient's: it would be sent Tasks there too."""
_NETWORK: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "author": ("shelter", "ES384"),
        "recipient": ("clinic", "RS384"),
        "outsider": ("legal-aid", "ES384"),
        "operator": ("coordinator", "ES384"),
        "subscriber": ("clinic", "ES384"),
    }
)


class DidNotStart(Exception):
    """A server that was to be looked at did not come up."""


def free_port() -> int:
    """Gives a port nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def own_hub(*, front_port: int = 0) -> Iterator[tuple[Target, int]]:
    """Serves a hub with an invented network until the block ends; gives how to look at it, and its own port.

    Args:
        front_port: the port of a proxy before it, whose address becomes the hub's public one; 0 for none.
    """
    with tempfile.TemporaryDirectory(prefix="conformance-hub-") as folder:
        port, callback_port = free_port(), free_port()
        callback = f"http://127.0.0.1:{callback_port}"
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("REFERRAL_HUB_")},
            "REFERRAL_HUB_DATA_DIR": str(Path(folder) / "hub"),
            "REFERRAL_HUB_BASE_URL": f"http://127.0.0.1:{front_port or port}",
            "REFERRAL_HUB_WORKERS": "2",
            "REFERRAL_HUB_INNER_ORIGINS": callback,
            "REFERRAL_HUB_BROWSER_ORIGINS": ORIGIN,
        }
        network = _command(environment, "init")["id"]
        served = subprocess.Popen(  # noqa: S603 - the hub's own command
            [sys.executable, "-m", "referral_hub", "serve", "--port", str(port)],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_for(f"http://127.0.0.1:{port}/health/ready", served)
            scope = _whole_scope(f"http://127.0.0.1:{port}")
            asked = _Registration(environment, Path(folder), scope, callback, network)
            with ThreadPoolExecutor(2) as pool:
                clients = dict(zip(_NETWORK, pool.map(asked.of, _NETWORK), strict=True))
            base = f"{environment['REFERRAL_HUB_BASE_URL']}/fhir"
            yield Target(base, clients, CLAIMS, callback_port=callback_port), port
        finally:
            served.terminate()
            served.wait(timeout=40)


def wait_for(address: str, process: "subprocess.Popen[bytes]", most_s: float = _START_S) -> None:
    """Waits until an address answers with 200.

    Raises:
        DidNotStart: the process ended, or did not answer in time.
    """
    end = time.monotonic() + most_s
    while time.monotonic() < end:
        if process.poll() is not None:
            raise DidNotStart(f"{address}: the process ended with {process.returncode}")
        try:
            if requests.get(address, timeout=2).status_code == 200:
                return
        except requests.RequestException:
            pass
        time.sleep(0.05)
    raise DidNotStart(f"{address} did not answer within {most_s:.0f} s")


def _whole_scope(hub: str) -> str:
    """Gives the scope of everything that a client can be registered for."""
    told = requests.get(f"{hub}/.well-known/smart-configuration", timeout=10).json()
    return " ".join(scope for scope in told["scopes_supported"] if scope.startswith("system/"))


@dataclass(frozen=True, slots=True)
class _Registration:
    """What registering a client of the invented network takes."""

    environment: Mapping[str, str]
    folder: Path
    scope: str
    callback: str
    network: str

    def of(self, role: str) -> ClientSettings:
        """Registers an organisation and its software with a fresh key."""
        kind, algorithm = _NETWORK[role]
        words = ["--name", f"{role} of the network", "--type", kind]
        if kind == "shelter":
            words += ["--neutral-name", "House"]
        if role in _TOLD:
            words += ["--fhir-endpoint", f"{self.callback}/{role}"]
        operator = (
            role == "operator"
        )  # exports the whole: the network's own organisation, which is there already
        organization = (
            self.network if operator else _command(self.environment, "organization", "add", *words)["id"]
        )
        key = make_key(algorithm, f"{role}-1")
        file = self.folder / f"{role}.jwks"
        file.write_text(json.dumps({"keys": [dict(key.as_dict(private=False))]}), "utf-8")
        words = ["--organization", organization, "--name", f"software of {role}", "--jwks", str(file)]
        words += ["--scope", self.scope, "--purpose", "TREAT"]
        added = _command(self.environment, "oauth-client", "add", *words)
        return ClientSettings(added["client_id"], key, self.scope, organization)


def _command(environment: Mapping[str, str], *words: str) -> dict[str, str]:
    """Runs a command of the hub with ``--json`` and gives the object on its last line."""
    done = subprocess.run(  # noqa: S603 - the hub's own command
        [sys.executable, "-m", "referral_hub", *words, "--json"],
        env=dict(environment),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode:
        raise DidNotStart(f"referral-hub {words[0]}: {done.stderr.strip()}")
    found: dict[str, str] = json.loads(done.stdout.strip().splitlines()[-1])
    return found
