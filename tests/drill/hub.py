"""A hub that is killed: its founding, ``referral-hub serve`` kept running, and its processes by their names.

What lives here: what an operator and a service manager do. What does not: who kills (``tests.drill.killer``).
"""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from referral_hub.auth.clients import ClientKey
from referral_hub.founding import found_hub, opened_hub
from referral_hub.partners import NewOrganization, add_oauth_client, add_organization
from referral_hub.settings import Settings
from tests.interop.served import Partner, free_port, wait_for

WORKERS = 2
ROOT = Path(__file__).resolve().parents[2]
RESTART_S = 0.5
POLLED = "alder"
"""The clinic whose own copies of referrals the hub looks at, as often as it may."""
POLL_S = 10
_WAITING = (
    "SELECT (SELECT count(*) FROM outbox WHERE state = 0) "
    "+ (SELECT count(*) FROM due WHERE kind IN ('recall-missed', 'recall-missed-at-last')), "
    "(SELECT count(*) FROM outbox WHERE state = 2)"
)


@dataclass(frozen=True, slots=True)
class Network:
    """Who is in the drill: one shelter, and clinics that each have a server of their own."""

    shelter: Partner
    clinics: Mapping[str, Partner]


@dataclass
class DrilledHub:
    """A hub and the process that serves it, started again whenever it ends by itself."""

    folder: Path
    environment: dict[str, str]
    base_url: str
    database_url: str
    process: "subprocess.Popen[bytes]"
    restarts: int = 0
    _ending: threading.Event = field(default_factory=threading.Event)

    # --- its processes -------------------------------------------------------------------------------------

    def pids(self, role: str) -> list[int]:
        """Gives the processes of a role: serve, writer, server, worker or delivery."""
        first = self.process.pid
        if role == "serve":
            return [first] if self.process.poll() is None else []
        below = _below(first)
        # A fork bears its parent's name until it gives itself its own.
        return [
            pid
            for pid in below
            if _name(pid) == f"hub-{role}" and (role != "server" or _parent(pid) == first)
        ]

    def keep_running(self) -> None:
        """Starts ``serve`` again when it ended, until told otherwise: what a service manager does."""
        while not self._ending.wait(RESTART_S):
            if self.process.poll() is not None:
                self.restarts += 1
                self.process = _served(self.environment, self.base_url, self.folder)

    def end(self) -> None:
        """Ends it in order."""
        self._ending.set()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)

    # --- what an operator asks ------------------------------------------------------------------------------

    def command(self, *words: str) -> tuple[int, str]:
        """Runs a command of the hub; gives its exit code and what it said."""
        done = subprocess.run(
            [sys.executable, "-m", "referral_hub", *words],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        return done.returncode, (done.stdout + done.stderr).strip()

    def waiting(self) -> tuple[int, int]:
        """Gives how much waits to leave or to be looked at once more, and how much was given up."""
        if self.database_url.startswith("postgresql"):
            with psycopg.connect(self.database_url) as connection:
                row = connection.execute(_WAITING).fetchone()
        else:
            path = self.database_url.removeprefix("sqlite:///")
            with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as embedded:
                row = embedded.execute(_WAITING).fetchone()
        assert row is not None
        return int(row[0]), int(row[1])

    def cut_connections(self, count: int) -> int:
        """Ends some connections of the hub to PostgreSQL, whatever they are doing; gives how many."""
        asked = (
            "SELECT count(pg_terminate_backend(pid)) FROM (SELECT pid FROM pg_stat_activity "
            "WHERE datname = current_database() AND application_name = 'referral-hub' "
            "ORDER BY random() LIMIT %s) AS chosen"
        )
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            row = connection.execute(asked, (count,)).fetchone()
        return int(row[0]) if row else 0

    def log_tail(self, lines: int = 30) -> str:
        """Gives the end of the log of ``serve``."""
        text = (self.folder / "serve.log").read_text(errors="replace")
        return "\n".join(text.splitlines()[-lines:])


@contextmanager
def drilled_hub(
    folder: Path, database_url: str, clinics: Mapping[str, str]
) -> Iterator[tuple[DrilledHub, Network]]:
    """Founds a hub with one shelter and some clinics, and serves it until the block ends.

    Args:
        folder: an empty directory.
        database_url: an empty PostgreSQL database; empty for SQLite.
        clinics: the FHIR base address of each clinic's own server, by name.
    """
    base_url = f"http://127.0.0.1:{free_port()}"
    given = {
        "REFERRAL_HUB_DATA_DIR": str(folder / "hub"),
        "REFERRAL_HUB_BASE_URL": base_url,
        "REFERRAL_HUB_WORKERS": str(WORKERS),
        "REFERRAL_HUB_INNER_ORIGINS": " ".join({_origin(endpoint) for endpoint in clinics.values()}),
        "REFERRAL_HUB_LOG_LEVEL": "WARNING",
    }
    if database_url:
        given["REFERRAL_HUB_DATABASE_URL"] = database_url
    settings = Settings.from_environment(given)
    network = _founded(settings, clinics)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("REFERRAL_HUB_")}
    environment = {**kept, **given}
    process = _served(environment, base_url, folder)
    hub = DrilledHub(folder, environment, base_url, settings.database_url, process)
    try:
        wait_for(base_url, process)
        threading.Thread(target=hub.keep_running, name="service-manager", daemon=True).start()
        yield hub, network
    finally:
        hub.end()


def _founded(settings: Settings, clinics: Mapping[str, str]) -> Network:
    found_hub(settings, name="Harbour Network")
    with opened_hub(settings) as parts:

        def joined(name: str, kind: str, scope: str, endpoint: str = "") -> Partner:
            polled_s = POLL_S if name == POLLED else 0
            new = NewOrganization(name=name, kind=kind, fhir_endpoint=endpoint, poll_seconds=polled_s)
            added = add_organization(parts, new)
            key = ec.generate_private_key(ec.SECP384R1())
            public = json.loads(ECAlgorithm.to_jwk(key.public_key()))
            public = {name: value for name, value in public.items() if name != "key_ops"}
            jwks = json.dumps({"keys": [{**public, "kid": f"{name}-1", "alg": "ES384", "use": "sig"}]})
            registered = add_oauth_client(
                parts, added.id, f"{name} software", ClientKey(jwks=jwks), scope, purposes=("TREAT",)
            )
            return Partner(
                settings.base_url, added.id, registered.client_id, key, f"{name}-1", "ES384", scope
            )

        shelter = joined(
            "shelter",
            "shelter",
            "system/Patient.crus system/ServiceRequest.crus system/Task.crus system/Consent.crus",
        )
        scope = "system/Task.rus system/ServiceRequest.rs system/Patient.rs"
        return Network(
            shelter, {name: joined(name, "clinic", scope, endpoint) for name, endpoint in clinics.items()}
        )


def _served(environment: Mapping[str, str], base_url: str, folder: Path) -> "subprocess.Popen[bytes]":
    words: Sequence[str] = ("serve", "--port", base_url.rpartition(":")[2])
    with (folder / "serve.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "referral_hub", *words],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )


def _origin(endpoint: str) -> str:
    return "/".join(endpoint.split("/")[:3])


# --- the process tree, on Linux -----------------------------------------------------------------------------


def _below(first: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        children.setdefault(_parent(int(entry.name)), []).append(int(entry.name))
    found = list(children.get(first, ()))
    for pid in found:
        found.extend(children.get(pid, ()))
    return found


def _parent(pid: int) -> int:
    """Gives the parent of a living process; 0 of one that is gone or only waits to be buried."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return 0 if fields[0] == "Z" else int(fields[1])


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def now_s() -> float:
    """Gives the one clock of the drill: hub answers, kills and arrivals at partners are all dated by it."""
    return time.monotonic()
