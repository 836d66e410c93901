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
from referral_hub.auth.discovery import documents_of
from referral_hub.auth.dpop import Proofs
from referral_hub.auth.dpop_nonces import Nonces
from referral_hub.auth.grant_handles import GrantHandles
from referral_hub.auth.people.browser_sessions import BrowserSessions, policy_of
from referral_hub.auth.people.people import People, people_of
from referral_hub.auth.rich_requests import RichRequests
from referral_hub.auth.server import HubAuthorizationServer
from referral_hub.auth.sign_in_ports import SignInParts
from referral_hub.auth.signing_keys import SigningKeys
from referral_hub.auth.tokens import Principals
from referral_hub.exchange.bound_grants import BoundGrants
from referral_hub.exchange.capabilities import capability_statement
from referral_hub.exchange.change import Change
from referral_hub.exchange.gate import Gate
from referral_hub.exchange.hub import Hub, Limits
from referral_hub.exchange.indexing import warm
from referral_hub.exchange.persons_in_sight import PersonsInSight
from referral_hub.exchange.ports import OrganizationRow, TokenRow
from referral_hub.exchange.shelf import packaged_shelf, profiles_of
from referral_hub.exchange.writing import Writing
from referral_hub.fhir import json_codec
from referral_hub.fhir.validator import validate
from referral_hub.keyring.cursors import CursorKey
from referral_hub.keyring.master import MasterKey
from referral_hub.keyring.ring import Keyring
from referral_hub.keyring.sources import MasterSource
from referral_hub.network_policy import consent_limits
from referral_hub.portal import portal_blueprints
from referral_hub.resources.catalog import DEFINITIONS
from referral_hub.settings import Settings
from referral_hub.store.accounts import Accounts
from referral_hub.store.apply import Planner, PlanWriter, Writes
from referral_hub.store.backing import BackedTypes
from referral_hub.store.bodies import Bodies
from referral_hub.store.database import Away, Database, open_database
from referral_hub.store.exports import ExportJobs
from referral_hub.store.key_rows import KeyRows
from referral_hub.store.segments import Segments
from referral_hub.store.sign_in import SignInRows
from referral_hub.store.spool import Spool
from referral_hub.store.sqlite_client import SocketWriter
from referral_hub.store.store import SqlStore
from referral_hub.store.stored_oauth import StoredOAuthRows
from referral_hub.store.subscriptions import Subscriptions
from referral_hub.store.writing import open_writer
from referral_hub.web import error_handlers
from referral_hub.web.assignment_api import AssignmentApi
from referral_hub.web.beat import Beat
from referral_hub.web.consent_api import ConsentApi
from referral_hub.web.copies import CopyApi
from referral_hub.web.cross_origin import CrossOrigin, RegisteredOrigins
from referral_hub.web.desk_api import DeskApi
from referral_hub.web.export_api import BulkApi
from referral_hub.web.fhir_api import FhirApi
from referral_hub.web.fhir_routes import fhir_blueprint
from referral_hub.web.finishing import finished_error
from referral_hub.web.front_door import FrontDoor
from referral_hub.web.incoming import Incoming
from referral_hub.web.lane import Lane
from referral_hub.web.manage_pages import software_blueprints
from referral_hub.web.negotiation import BodySizes
from referral_hub.web.oauth_api import oauth_blueprint
from referral_hub.web.operations_api import operations_blueprint
from referral_hub.web.pages import Pages, pages_blueprint
from referral_hub.web.people_pages import people_blueprints
from referral_hub.web.proving import Proving
from referral_hub.web.subscription_api import SubscriptionApi

log = logging.getLogger(__name__)

RELEASE_DATE = "2026-11-24"
_EPOCH_2020_MS = 1_577_836_800_000
_RANDOM_BITS = 22
SKEW_MOST_US = 1_000_000
DAY_US = 24 * 3600 * 1_000_000


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
    accounts: Accounts
    sessions: BrowserSessions
    people: People
    signing: SigningKeys

    def close(self) -> None:
        """Gives back connections, sockets and files."""
        self.spool.close()
        self.store.close()


def master_source(settings: Settings) -> MasterSource:
    """Gives where the master key of this hub lies."""
    return MasterSource(settings.secret_key_file, settings.secret_key, settings.secret_key_command)


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
    master = master or master_source(settings).read()
    keyring = Keyring(master, KeyRows(database))
    bodies = Bodies(keyring)
    writes = Writes(Planner(bodies, keyring.digests, clock), writer, bodies)
    spool = Spool(settings.audit_spool_dir, bodies.keys, away=away)
    segments = Segments(settings.audit_spool_dir, database, writer)
    store = SqlStore(database, bodies, keyring.digests, writes, spool, segments)
    own_bases = (settings.fhir_base,)
    writing = Writing(validate, consent_limits(settings), own_bases)
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
        cursors=CursorKey(keyring),
        own_bases=own_bases,
        limits=Limits(settings.page_entries, settings.max_page_entries, settings.max_bundle_entries),
        shelf=cache(lambda: packaged_shelf(RELEASE_DATE).beside(capabilities(settings))),
    )
    http = GuardedHttp(inner_origins=settings.inner_origins)
    addresses = Addresses(settings.base_url)
    accounts = Accounts(database, bodies, keyring.digests)

    def apply_accounts(change: Change) -> None:
        store.apply(gate.admit_token(change))

    people = people_of(
        accounts,
        apply_accounts,
        policy_of(settings.session_minutes, second_needed=settings.second_factor_needed),
        http,
        settings.base_url,
    )
    sign_in_rows = SignInRows(database)

    def role_of(account: str, at_us: int) -> str | None:
        found = accounts.account(account)
        return found.role if found is not None and people.sessions.is_active(account, at_us) else None

    signing = SigningKeys(sign_in_rows, KeyRows(database, writer), master)
    oauth = HubAuthorizationServer(
        addresses=addresses,
        rows=StoredOAuthRows(database, store),
        keys=ClientKeys(http),
        backing=BackedTypes(database),
        admit=gate.admit_token,
        proofs=Proofs(settings.base_url, Nonces(keyring.digests.word("OAuth", "dpop", "nonce").encode())),
        rich_requests=RichRequests(
            BoundGrants(store, gate),
            GrantHandles(keyring.digests.word("OAuth", "grant", "handle").encode()),
            addresses,
        ),
        sign_in=SignInParts(
            sign_in_rows,
            PersonsInSight(hub, role_of),
            CursorKey(keyring),
            signing,
            settings.refresh_token_days * DAY_US,
        ),
    )
    return Parts(
        settings,
        database,
        keyring,
        store,
        gate,
        hub,
        http,
        oauth,
        addresses,
        lane,
        bodies,
        spool,
        writer,
        accounts,
        people.sessions,
        people,
        signing,
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
    settings = parts.settings
    pages = Pages(settings.base_url, parts.keyring.digests.word("Page", "form", "key").encode())
    error_handlers.register(app, finished_error, pages.error_page)
    app.register_blueprint(pages_blueprint(pages))
    sizes = BodySizes(settings.max_body_bytes, settings.max_binary_bytes, settings.max_json_depth)
    warm()
    capability = json_codec.encode(capabilities(settings))
    notices = SubscriptionApi(parts.hub, sizes, Subscriptions(parts.database, parts.writer))
    jobs = ExportJobs(parts.database, parts.writer, parts.bodies)
    desk = DeskApi(parts.hub, sizes)
    consents = ConsentApi(parts.hub, consent_limits(parts.settings), parts.settings.small_cell)
    assigning = AssignmentApi(parts.hub, sizes, parts.accounts.account)
    bulk = BulkApi(parts.hub, sizes, jobs)
    copies = CopyApi(parts.hub, parts.lane.away)
    api = FhirApi(parts.hub, sizes, capability, bulk, notices, desk, consents, assigning, copies)
    app.register_blueprint(fhir_blueprint(api, parts.lane.route))
    door = FrontDoor(api, parts.lane.held, app.wsgi_app, lambda: app.testing, Beat(settings.absence_beat_ms))
    proving = Proving(parts.oauth.proven, parts.lane.held, clock)
    app.wsgi_app = Incoming(door, parts.lane.away, parts.lane.ahead, proving)  # type: ignore[method-assign]
    registered = RegisteredOrigins(SignInRows(parts.database).browser_addresses)
    app.wsgi_app = CrossOrigin(app.wsgi_app, settings.browser_origins, registered)  # type: ignore[method-assign]
    documents = documents_of(parts.addresses, {name: d.scope_letters for name, d in DEFINITIONS.items()})
    app.register_blueprint(oauth_blueprint(parts.oauth, parts.addresses, documents, parts.signing, clock))
    for software in software_blueprints(parts.oauth, pages, parts.sessions, clock):
        app.register_blueprint(software)
    persons = parts.oauth.sign_in.accounts if parts.oauth.sign_in else None
    for room in people_blueprints(
        parts.people, pages, parts.hub, parts.lane, persons, proxies=settings.proxies
    ):
        app.register_blueprint(room)
    for room in portal_blueprints(parts, pages):
        app.register_blueprint(room)
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
        cors=True,
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
