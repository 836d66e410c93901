"""A hub of its own for each test of what leaves and what is fetched, on each database, with one partner's server."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from referral_hub.adapters.fhir_rest import FhirRestChannel
from referral_hub.adapters.guarded_http import GuardedHttp
from referral_hub.exchange.hub import Hub
from referral_hub.outbound.delivery import Delivery
from referral_hub.outbound.patience import Patience
from referral_hub.outbound.polling import Poller
from referral_hub.outbound.timers import TimerWork
from referral_hub.store import schema
from referral_hub.store.migrate import upgrade
from referral_hub.store.outbox import Outbox
from referral_hub.store.partner_copies import PartnerCopies
from referral_hub.store.timers import Timers
from tests import builders as b
from tests.api.outbound.partner_server import PartnerServer, serving
from tests.postgres import PostgresServer
from tests.world import Caller, World, opened_world

SECOND_US = 1_000_000
DAY_US = 86_400 * SECOND_US


@dataclass
class Place:
    """A hub, a shelter with one person, and a clinic with a server of its own; and an hour hand."""

    world: World
    partner: PartnerServer
    shelter: str
    clinic: str
    s: Caller
    c: Caller
    person: str
    hub: Hub
    channel: FhirRestChannel
    later_us: int = 0
    request: str = ""
    task: str = ""
    release: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        parts = self.world.parts
        real = parts.hub.clock
        self.hub = replace(parts.hub, clock=lambda: real() + self.later_us)
        self.outbox = Outbox(parts.database, parts.writer, parts.bodies)
        self.copies = PartnerCopies(parts.database, parts.writer)
        self.delivery = Delivery(
            self.hub, self.outbox, self.copies, self.channel, patience=Patience(first_s=2, tries_answered=3)
        )
        self.poller = Poller(self.hub, self.copies, self.channel)
        self.timers = TimerWork(self.hub, Timers(parts.database, parts.writer, parts.bodies))

    # --- what people do ---------------------------------------------------------------------------------------

    def sign(self, receiver: str = "", **how: Any) -> dict[str, Any]:
        """Signs a release to the clinic, or to another receiver."""
        permit = b.permit(receiver or self.clinic, **how)
        self.release = self.s.create(b.release(self.person, self.shelter, permit))
        return self.release

    def refer(self, **more: Any) -> str:
        """Writes request and Task (None leaves an element out); gives the Task's reference."""
        made = self.s.create(b.service_request(self.person, self.clinic))
        self.request = f"ServiceRequest/{made['id']}"
        body = b.task(self.person, self.request, self.clinic, **more)
        made = self.s.create({name: value for name, value in body.items() if value is not None})
        self.task = f"Task/{made['id']}"
        return self.task

    def revoke(self, **parameters: Any) -> None:
        """Ends the release."""
        body = None
        if parameters:
            given = [{"name": name.replace("_", "-"), **value} for name, value in parameters.items()]
            body = {"resourceType": "Parameters", "parameter": given}
        answer = self.s.ask("POST", f"/Consent/{self.release['id']}/$revoke", body)
        assert answer.status_code == 200, answer.get_data(as_text=True)

    # --- what the delivery process does -----------------------------------------------------------------------

    def deliver(self) -> int:
        """Delivers until nothing may leave now; gives how many messages were settled."""
        count = 0
        while self.delivery.deliver_one(self.hub.clock()):
            count += 1
        return count

    def poll(self) -> int:
        """Looks at the partner's Tasks one interval later."""
        self.later_us += 901 * SECOND_US
        return self.poller.poll_due(self.hub.clock())

    def fire(self) -> int:
        """Works the timers that are due."""
        count = 0
        while self.timers.fire_one(self.hub.clock()):
            count += 1
        return count

    def wait(self, days: float) -> None:
        """Lets time pass for the delivery process."""
        self.later_us += round(days * DAY_US)

    # --- what is stored ---------------------------------------------------------------------------------------

    def rows(self, table: sa.Table, *columns: str) -> list[tuple[Any, ...]]:
        """Gives columns of a table, in the order of its first column."""
        from referral_hub.store.statements import Statement

        chosen = [table.c[name] for name in columns]
        return self.world.parts.database.run(
            Statement(f"test_{table.name}_{'_'.join(columns)}", sa.select(*chosen).order_by(*chosen[:1])), {}
        )

    def audited(self, interaction: str) -> list[tuple[Any, ...]]:
        """Gives (recipient, outcome, reason) of the audit lines of one interaction."""
        found = self.rows(schema.audit, "id", "interaction", "recipient", "outcome", "reason")
        return [row[2:] for row in found if row[1] == interaction]

    def ledger(self) -> list[tuple[Any, ...]]:
        """Gives (recipient, count) of the disclosures that are no reads of the clinic itself."""
        return self.rows(schema.ledger, "recipient", "count")

    def hub_task(self) -> dict[str, Any]:
        """Gives the Task as its author sees it."""
        return self.s.read(self.task)


@pytest.fixture
def partner() -> Iterator[PartnerServer]:
    """A partner's own FHIR server."""
    with serving() as found:
        yield found


@pytest.fixture(scope="session")
def _migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("migrated") / "hub.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def _migrated_database(postgres: PostgresServer) -> Iterator[str]:
    with postgres.database() as url:
        upgrade(url)
        yield url


@pytest.fixture
def _sqlite_hub(_migrated_file: Path, tmp_path: Path) -> str:
    shutil.copy2(_migrated_file, tmp_path / "hub.db")
    return f"sqlite:///{tmp_path / 'hub.db'}"


@pytest.fixture
def _postgresql_hub(_migrated_database: str, postgres: PostgresServer) -> Iterator[str]:
    with postgres.database(template=_migrated_database) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def hub_url(request: pytest.FixtureRequest) -> str:
    """The address of a database with the schema and nothing in it, on each kind."""
    url: str = request.getfixturevalue(f"_{request.param}_hub")
    return url


@pytest.fixture
def place(hub_url: str, tmp_path: Path, partner: PartnerServer) -> Iterator[Place]:
    """A fresh hub with a shelter, a person and a clinic."""
    with opened_world(hub_url, tmp_path / "data") as world:
        yield placed(world, partner)


def placed(world: World, partner: PartnerServer) -> Place:
    """Puts a shelter with one person and a clinic with this server into a hub."""
    shelter = world.add_organization("shelter", "shelter")
    clinic = world.add_organization("clinic", "clinic", fhir_endpoint=partner.base, bases=(partner.base,))
    s, c = world.caller(shelter), world.caller(clinic)
    person = f"Patient/{s.create(b.patient())['id']}"
    origin = partner.base.removesuffix("/fhir")
    http = GuardedHttp(inner_origins=frozenset({origin}), timeout_s=2.0)
    channel = FhirRestChannel(http, world.parts.hub.base, world.parts.hub.clock)
    return Place(world, partner, shelter, clinic, s, c, person, world.parts.hub, channel)
