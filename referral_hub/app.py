"""The one place that knows everybody: opens store, keys, gate and OAuth server, and joins them into an app.

What lives here: wiring. What does not: logic. Processes are started by ``serving``, commands by ``cli``.
"""

import logging
import secrets
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from flask import Flask

from referral_hub import __version__
from referral_hub.access.categories import CATEGORIES
from referral_hub.access.principal import Principal
from referral_hub.adapters.guarded_http import GuardedHttp
from referral_hub.auth.addresses import Addresses
from referral_hub.auth.client_keys import ClientKeys
from referral_hub.auth.discovery import smart_configuration
from referral_hub.auth.server import HubAuthorizationServer
from referral_hub.auth.tokens import Principals
from referral_hub.exchange.capabilities import capability_statement
from referral_hub.exchange.consent_rules import ConsentLimits
from referral_hub.exchange.gate import Gate
from referral_hub.exchange.hub import Hub, Limits
from referral_hub.exchange.indexing import warm
from referral_hub.exchange.ports import Admitted, OrganizationRow, TokenRow
from referral_hub.exchange.shelf import packaged_shelf, profiles_of
from referral_hub.exchange.writing import Writing
from referral_hub.fhir import json_codec
from referral_hub.fhir.validator import validate
from referral_hub.keyring.cursors import CursorKey
from referral_hub.keyring.master import MasterKey, read_master_key
from referral_hub.keyring.ring import Keyring
from referral_hub.resources.catalog import DEFINITIONS
from referral_hub.settings import Settings
from referral_hub.store.apply import Planner, PlanWriter, Writes
from referral_hub.store.backing import BackedTypes
from referral_hub.store.bodies import Bodies
from referral_hub.store.database import Away, Database, open_database
from referral_hub.store.exports import ExportJobs
from referral_hub.store.key_rows import KeyRows
from referral_hub.store.oauth_rows import OAuthClient, oauth_client
from referral_hub.store.segments import Segments
from referral_hub.store.spool import Spool
from referral_hub.store.sqlite_client import SocketWriter
from referral_hub.store.store import SqlStore
from referral_hub.store.subscriptions import Subscriptions
from referral_hub.store.writing import open_writer
from referral_hub.web import error_handlers
from referral_hub.web.cross_origin import CrossOrigin
from referral_hub.web.export_api import BulkApi
from referral_hub.web.fhir_api import FhirApi
from referral_hub.web.fhir_routes import fhir_blueprint
from referral_hub.web.finishing import finished_error
from referral_hub.web.front_door import FrontDoor
from referral_hub.web.incoming import Incoming
from referral_hub.web.lane import Lane
from referral_hub.web.negotiation import BodySizes
from referral_hub.web.oauth_api import oauth_blueprint
from referral_hub.web.operations_api import operations_blueprint
from referral_hub.web.subscription_api import SubscriptionApi

log = logging.getLogger(__name__)

RELEASE_DATE = "2026-11-24"
_EPOCH_2020_MS = 1_577_836_800_000
_RANDOM_BITS = 22
SKEW_MOST_US = 1_000_000


def clock() -> int:
    """Gives the process clock, microseconds since 1970 UTC."""
    return time.time_ns() // 1000


class RandomIds:
    """Fresh names: UUIDv4 outside, row ids in rough time order inside."""

    def public_id(self) -> str:
        """Gives a random UUIDv4."""
        return str(uuid.uuid4())

    def version(self) -> str:
        """Gives an opaque version token of 64 random bits."""
        return secrets.token_hex(8)

    def row_id(self, at_us: int) -> int:
        """Gives a positive 63-bit row id: milliseconds since 2020, then 22 random bits."""
        return (max(0, at_us // 1000 - _EPOCH_2020_MS) << _RANDOM_BITS) | secrets.randbits(_RANDOM_BITS)


class StoredOAuthRows:
    """What the OAuth server reads and writes (``auth.ports.OAuthRows``), on the store."""

    def __init__(self, database: Database, store: SqlStore) -> None:
        self._database = database
        self._store = store

    def oauth_client(self, client_id: str) -> OAuthClient | None:
        """Gives a registration, active or not."""
        return oauth_client(self._database, client_id)

    def oauth_token(self, digest: bytes) -> TokenRow | None:
        """Gives a token row, live or not."""
        with self._store.snapshot() as snapshot:
            return snapshot.token(digest)

    def organization(self, organization_id: str) -> OrganizationRow | None:
        """Gives an organisation's row."""
        with self._store.snapshot() as snapshot:
            return snapshot.organization(organization_id)

    def hub_organization(self) -> OrganizationRow | None:
        """Gives the network's own organisation."""
        with self._store.snapshot() as snapshot:
            return snapshot.hub_organization()

    def apply(self, change: Admitted) -> None:
        """Applies a Change of the OAuth server."""
        self._store.apply(change)


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything one process of a hub holds."""

    settings: Settings
    database: Database
    keyring: Keyring
    store: SqlStore
    gate: Gate
    hub: Hub
    http: GuardedHttp
    oauth: HubAuthorizationServer
    addresses: Addresses
    lane: Lane
    bodies: Bodies
    spool: Spool
    writer: PlanWriter

    def close(self) -> None:
        """Gives back connections, sockets and files."""
        self.spool.close()
        self.store.close()


def open_hub(
    settings: Settings,
    *,
    master: MasterKey | None = None,
    lane: Lane | None = None,
    writer: PlanWriter | None = None,
) -> Parts:
    """Opens a hub that was initialised.

    Args:
        settings: the settings of this process.
        master: the master key; read from its file by default.
        lane: the lane of a worker; a fresh one by default.
        writer: who applies Changes; by default the writer process where one runs, else this process.

    Raises:
        ConfigurationError: the database or the keys are not there, or cannot be used.
    """
    lane = lane or Lane()
    away: Away = lane.away
    database = open_database(settings.database_url, away=away)
    if writer is None:
        writer = open_writer(database, socket=settings.writer_socket, away=away)
    keyring = Keyring(master or read_master_key(settings.secret_key_file), KeyRows(database))
    bodies = Bodies(keyring)
    writes = Writes(Planner(bodies, keyring.digests, clock), writer, bodies)
    spool = Spool(settings.audit_spool_dir, bodies.keys, away=away)
    segments = Segments(settings.audit_spool_dir, database, writer)
    store = SqlStore(database, bodies, keyring.digests, writes, spool, segments)
    own_bases = (settings.fhir_base,)
    writing = Writing(
        validate, ConsentLimits(settings.consent_default_days, settings.consent_max_days), own_bases
    )
    gate = Gate(writing, _alarm, keyring.digests.word("View", "etag", "key").encode())
    principals = Principals()

    def organization(organization_id: str) -> OrganizationRow | None:
        with store.snapshot() as snapshot:
            return snapshot.organization(organization_id)

    def identify(token: TokenRow | None, at_us: int) -> Principal:
        return principals.of(token, at_us, organization)

    hub = Hub(
        store=store,
        gate=gate,
        identify=identify,
        clock=clock,
        ids=RandomIds(),
        cursors=CursorKey(keyring.hub),
        own_bases=own_bases,
        limits=Limits(settings.page_entries, settings.max_page_entries, settings.max_bundle_entries),
        shelf=cache(lambda: packaged_shelf(RELEASE_DATE).beside(capabilities(settings))),
    )
    http = GuardedHttp(inner_origins=settings.inner_origins)
    addresses = Addresses(settings.base_url)
    oauth = HubAuthorizationServer(
        addresses=addresses,
        rows=StoredOAuthRows(database, store),
        keys=ClientKeys(http),
        backing=BackedTypes(database),
        admit=gate.admit_token,
    )
    return Parts(
        settings, database, keyring, store, gate, hub, http, oauth, addresses, lane, bodies, spool, writer
    )


def open_served(settings: Settings) -> Parts:
    """Opens a hub in a process beside the writer process of ``serve``.

    On SQLite such a process never writes itself: while the writer is being started again it waits, and does
    not take the lock that the writer needs.

    Raises:
        ConfigurationError: the database or the keys are not there, or cannot be used.
    """
    lane = Lane()
    writer = SocketWriter(settings.writer_socket, away=lane.away) if settings.sqlite_file else None
    return open_hub(settings, lane=lane, writer=writer)


def checkpoints_file(settings: Settings) -> Path:
    """Gives the file of signed checkpoints, which lies outside the database."""
    return settings.audit_spool_dir / "checkpoints.jsonl"


def _alarm(text: str) -> None:
    log.critical("The consent rows and the consent decision differ; the row was not released: %s", text)


def create_app(parts: Parts) -> Flask:
    """Gives the WSGI application of one worker."""
    app = Flask("referral_hub", static_folder=None)
    app.url_map.strict_slashes = False
    error_handlers.register(app, finished_error)
    settings = parts.settings
    sizes = BodySizes(settings.max_body_bytes, settings.max_binary_bytes, settings.max_json_depth)
    warm()
    capability = json_codec.encode(capabilities(settings))
    notices = SubscriptionApi(parts.hub, sizes, Subscriptions(parts.database, parts.writer))
    jobs = ExportJobs(parts.database, parts.writer, parts.bodies)
    api = FhirApi(parts.hub, sizes, capability, BulkApi(parts.hub, sizes, jobs), notices)
    app.register_blueprint(fhir_blueprint(api, parts.lane.route))
    door = FrontDoor(api, parts.lane.held, app.wsgi_app, lambda: app.testing)
    app.wsgi_app = Incoming(door, parts.lane.away, parts.lane.ahead)  # type: ignore[method-assign]
    if settings.browser_origins:
        app.wsgi_app = CrossOrigin(app.wsgi_app, settings.browser_origins)  # type: ignore[method-assign]
    configuration = smart_configuration(
        parts.addresses, [f"system/{name}.{d.scope_letters}" for name, d in DEFINITIONS.items()]
    )
    app.register_blueprint(oauth_blueprint(parts.oauth, parts.addresses, configuration, clock))
    app.register_blueprint(operations_blueprint(lambda: ready(parts), _metrics))
    return app


def capabilities(settings: Settings) -> dict[str, Any]:
    """Gives the CapabilityStatement of this hub."""
    return capability_statement(
        base_url=settings.base_url,
        fhir_base=settings.fhir_base,
        version=__version__,
        date=RELEASE_DATE,
        profiles=profiles_of(packaged_shelf(RELEASE_DATE)),
        cors=bool(settings.browser_origins),
    )


def preload() -> None:
    """Does once, before a process divides, what every worker would do when it starts."""
    warm()
    packaged_shelf(RELEASE_DATE)


def ready(parts: Parts) -> str:
    """Gives an empty text when this process can serve, else what is missing."""
    try:
        skew_us = abs(parts.database.now_us() - clock())
    except Exception as error:  # noqa: BLE001 -- whatever it is, the hub is not ready
        return f"database: {type(error).__name__}"
    return "clock: more than a second away from the database" if skew_us > SKEW_MOST_US else ""


def _metrics() -> str:
    return f'referral_hub_build{{version="{__version__}"}} 1\nreferral_hub_categories {len(CATEGORIES)}\n'


@lru_cache(maxsize=1)
def _worker_parts() -> Parts:
    import os

    return open_served(Settings.from_environment(os.environ))


def worker() -> Callable[..., object]:
    """Gives the application of a worker process, from the environment; the server calls this."""
    return create_app(_worker_parts())
