"""Databases filled by hand for the tests of reads and searches; everybody in them is invented.

Rows are put straight into the tables, so that these tests say what reading does with rows, whoever wrote them.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from hashlib import sha256
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from referral_hub.access.principal import OrganizationFacts, refusal_targets
from referral_hub.access.rows import Grant, ReferralAccess, Refusal, RefusalException
from referral_hub.errors import Unavailable
from referral_hub.exchange.change import AuditEntry, ConsentRows, ResourceWrite, TokenIndex
from referral_hub.exchange.ports import Admitted
from referral_hub.exchange.search_plan import Criterion, Order, SearchPlan
from referral_hub.keyring.digests import IndexDigests
from referral_hub.keyring.own_file import OwnFileKeys
from referral_hub.store import schema
from referral_hub.store.bodies import SEALED, Bodies, Cipher, body_label, seal_under
from referral_hub.store.database import Database, open_database
from referral_hub.store.index_rows import TABLES, rows_of
from referral_hub.store.store import SqlStore
from tests.postgres import PostgresServer
from tests.unit.store.memory_keys import NobodyHolds

NOW = 1_795_000_000_000_000
DAY = 86_400_000_000
LATER = NOW + 30 * DAY
DIGEST = sha256(b"an access token").digest()

CLINIC = OrganizationFacts("clinic-1", ("clinic",), "clinic")
SHELTER = OrganizationFacts("shelter-1", (), "shelter")
OFFICE = OrganizationFacts("office-1", ("ministry",), "immigration", True, "PL")
OTHER = OrganizationFacts("clinic-2", (), "clinic")


class PersonKeys:
    """A key per person from her row id alone; ``gone`` are those whose key was destroyed."""

    def __init__(self) -> None:
        self.gone: set[int] = set()
        self.hub: Cipher = AESGCM(bytes(32))
        self.own_files = OwnFileKeys(NobodyHolds())

    def person(self, person: int) -> Cipher:
        if person in self.gone:
            raise Unavailable("A stored record cannot be opened; nothing of it is released.")
        return AESGCM(sha256(str(person).encode()).digest())

    def warm(self, persons: Iterable[int]) -> None:
        del persons

    def new_person(self, person: int) -> tuple[Cipher, str, tuple[bytes, str]]:
        return self.person(person), str(person), (b"", "")

    def remember(self, person: int, key: Cipher) -> None:
        del person, key


class _Elsewhere:
    """The write half is not asked here."""

    def apply(self, change: Admitted) -> None:
        raise AssertionError("these tests only read")

    def append(self, entries: Sequence[AuditEntry], *, durable: bool) -> None:
        raise AssertionError("these tests only read")

    def ingest(self, now_us: int) -> None:
        raise AssertionError("these tests only read")

    def close(self) -> None:
        return None


class World:
    """A database with the hub's tables, and a store that reads it."""

    def __init__(self, url: str) -> None:
        self.engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
        if self.engine.dialect.name == "sqlite":
            sa.event.listen(self.engine, "connect", _hasten)
        schema.METADATA.create_all(self.engine)
        self.dialect = self.engine.dialect.name
        self.digests = IndexDigests(bytes(32))
        self.keys = PersonKeys()
        self.database = open_database(url)
        self.store = self.another_process()

    def another_process(self, database: Database | None = None) -> SqlStore:
        """A store that remembers nothing yet."""
        elsewhere = _Elsewhere()
        return SqlStore(
            database or self.database,
            Bodies(self.keys),
            self.digests,
            writes=elsewhere,
            audit=elsewhere,
            segments=elsewhere,
        )

    def close(self) -> None:
        self.store.close()
        self.engine.dispose()

    # --- filling ------------------------------------------------------------------------------------------

    def put(self, table: sa.Table, rows: Sequence[dict[str, Any]]) -> None:
        if rows:
            with self.engine.begin() as connection:
                connection.execute(table.insert(), list(rows))

    def run(self, *statements: Any) -> None:
        with self.engine.begin() as connection:
            for statement in statements:
                connection.execute(statement)

    def clear(self) -> None:
        """Empties every table; the store forgets, because epochs begin anew."""
        with self.engine.begin() as connection:
            for table in reversed(schema.METADATA.sorted_tables):
                connection.execute(table.delete())
        self.keys.gone.clear()
        self.store = self.another_process()

    def resources(self, *writes: ResourceWrite, sealed: bool = False) -> None:
        rows = [self.row(write, sealed=sealed) for write in writes]
        made: dict[str, list[Any]] = {name: [] for name in TABLES}
        for write in writes:
            for name, found in rows_of(self.digests, write).items():
                made[name].extend(found)
            marks = {self.digests.token(write.type, index.parameter, "") for index in write.tokens}
            known = {(row["hash"], row["row_id"]) for row in made["index_token"]}
            made["index_token"].extend(
                {"hash": mark, "row_id": write.row_id} for mark in marks if (mark, write.row_id) not in known
            )
        self.put(schema.resource, rows)
        self.put(schema.resource_version, rows)
        for name in TABLES:
            self.put(schema.METADATA.tables[name], made[name])

    def row(self, write: ResourceWrite, *, sealed: bool = False) -> dict[str, Any]:
        made = asdict(write)
        for name in ("interaction", "tokens", "dates", "strings", "numbers", "links"):
            del made[name]
        body, body_format = write.body, 0
        if sealed:
            key = self.keys.hub if write.person is None else self.keys.person(write.person)
            body, body_format = seal_under(key, body, body_label(write.id, write.version)), SEALED
        return made | {
            "sensitivities": " ".join(write.sensitivities),
            "owner": write.owner or None,
            "requester": write.requester or None,
            "directory": int(write.directory),
            "never_release": int(write.never_release),
            "foreign_elements": int(write.foreign_elements),
            "deleted": int(write.interaction == "delete"),
            "body": body,
            "body_format": body_format,
        }

    def accesses(self, *rows: ReferralAccess) -> None:
        self.put(
            schema.referral_access,
            [
                asdict(row)
                | {"nameless": int(row.nameless), "back": int(row.back), "accepted": int(row.accepted)}
                for row in rows
            ],
        )

    def consents(self, *changes: ConsentRows) -> None:
        """Replaces the rows of each Consent and raises the person's epoch at once, as applying a Change does."""
        person = schema.person
        for change in changes:
            kinds = (
                (schema.consent_grant, change.grants),
                (schema.refusal, change.refusals),
                (schema.refusal_exception, change.exceptions),
            )
            with self.engine.begin() as connection:
                known = connection.execute(
                    sa.update(person).where(person.c.row_id == change.person).values(epoch=person.c.epoch + 1)
                )
                if not known.rowcount:
                    connection.execute(person.insert(), {"row_id": change.person, "epoch": 1, "key": None})
                for table, found in kinds:
                    connection.execute(table.delete().where(table.c.consent == change.consent))
                    rows = [_consent_row(row, place) for place, row in enumerate(found)]
                    if rows:
                        connection.execute(table.insert(), rows)

    def organizations(self, *facts: OrganizationFacts, hub: str = "") -> None:
        self.put(
            schema.organization,
            [
                {
                    "id": one.id,
                    "version": 1,
                    "part_of": one.ancestors[0] if one.ancestors else "",
                    "ancestors": " ".join(one.ancestors),
                    "kind": one.kind,
                    "governmental": int(one.governmental),
                    "country": one.country,
                    "active": int(one.active),
                    "neutral_name": "Intake point",
                    "name": one.id,
                    "fhir_endpoint": "",
                    "poll_seconds": 0,
                    "is_hub": int(one.id == hub),
                    "row_id": 9000 + place,
                }
                for place, one in enumerate(facts)
            ],
        )

    def token(self, holder: OrganizationFacts, *, digest: bytes = DIGEST, **changes: Any) -> None:
        oauth_client = f"software-of-{holder.id}"
        with self.engine.begin() as connection:
            known = sa.select(schema.oauth_client.c.client_id).where(
                schema.oauth_client.c.client_id == oauth_client
            )
            if connection.execute(known).first() is None:
                texts = {"name", "kind", "jwks", "jwks_url", "secret_hash", "scope", "purposes"}
                connection.execute(
                    schema.oauth_client.insert(),
                    dict.fromkeys(texts | {"redirect_uris"}, "")
                    | {"client_id": oauth_client, "version": 1, "organization": holder.id}
                    | {"require_dpop": 0, "very_restricted": 1, "active": 1, "created_us": 0},
                )
            connection.execute(
                schema.oauth_token.insert(),
                {
                    "digest": digest,
                    "version": 1,
                    "oauth_client": oauth_client,
                    "organization": holder.id,
                    "scope": "system/Task.rus",
                    "purpose": "TREAT",
                    "role": "",
                    "user_id": "",
                    "issued_us": NOW,
                    "expires_us": LATER,
                    "revoked": 0,
                    "very_restricted": 1,
                    "context": "system",
                    "person": None,
                }
                | dict.fromkeys(("account", "patient", "binding", "jkt", "family"), "")
                | changes,
            )


def _consent_row(row: Grant | Refusal | RefusalException, place: int) -> dict[str, Any]:
    made = asdict(row) | {"position": place}
    if isinstance(row, Grant):
        made["very_restricted"] = int(row.very_restricted)
    return made


def _hasten(driver: Any, _record: Any) -> None:
    """What a test database loses in a power cut is no loss."""
    driver.execute("PRAGMA synchronous=OFF")


def module_world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world for the tests of one module, on the database the fixture's parameter names."""
    if request.param == "sqlite":
        with world_of(f"sqlite:///{tmp_path_factory.mktemp('read') / 'hub.db'}") as world:
            yield world
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.database() as url, world_of(url) as world:
        yield world


@contextmanager
def world_of(url: str) -> Iterator[World]:
    world = World(url)
    try:
        yield world
    finally:
        world.close()


def resource(row_id: int, type_name: str, author: str, **columns: Any) -> ResourceWrite:
    """One resource, its id and time made from its row id."""
    public_id = columns.pop("id", f"{type_name.lower()}-{row_id}")
    return ResourceWrite(
        columns.pop("interaction", "create"),
        row_id,
        type_name,
        public_id,
        columns.pop("version", f"v-{row_id}"),
        columns.pop("number", 1),
        columns.pop("updated_us", NOW + row_id),
        author,
        columns.pop("written_by", author),
        columns.pop("body", b'{"resourceType":"%s","id":"%s"}' % (type_name.encode(), public_id.encode())),
        **columns,
    )


def patient(row_id: int, author: str, **columns: Any) -> ResourceWrite:
    return resource(row_id, "Patient", author, person=row_id, category="identity", **columns)


def grant(person: int, organization: str, category: str, **columns: Any) -> Grant:
    """A live grant for treatment."""
    found: dict[str, Any] = {
        "consent": 900,
        "consent_id": "consent-900",
        "consent_version": "v-900",
        "person": person,
        "organization": organization,
        "purpose": "TREAT",
        "category": category,
        "resource": "",
        "very_restricted": False,
        "valid_from_us": NOW - DAY,
        "valid_until_us": LATER,
    }
    return Grant(**found | columns)


def release(person: int, organization: str, *categories: str, **columns: Any) -> ConsentRows:
    """A live release for treatment: the bare notice and these categories."""
    consent = columns.get("consent", 900)
    return ConsentRows(
        consent,
        person,
        grants=tuple(
            grant(person, organization, category, **columns) for category in ("notice", *categories)
        ),
    )


def refuse(person: int, target: str, *exceptions: RefusalException, **columns: Any) -> ConsentRows:
    consent = columns.pop("consent", 950)
    return ConsentRows(
        consent, person, refusals=(Refusal(consent, person, target, **columns),), exceptions=exceptions
    )


def referred(world: World, *persons: int, sealed: bool = False) -> None:
    """Somebody referred to the clinic, by Task 10 times her number."""
    for person in persons:
        world.resources(
            patient(person, SHELTER.id),
            resource(person * 10, "Task", SHELTER.id, person=person, owner=CLINIC.id, status="requested"),
            sealed=sealed,
        )
        world.accesses(ReferralAccess(person * 10, CLINIC.id, person, None, "full", accepted=True))
        world.consents(release(person, CLINIC.id, "health", consent=900 + person))


def plan(
    type_name: str, caller: OrganizationFacts, *criteria: Criterion, count: int = 100, **more: Any
) -> SearchPlan:
    """A search for treatment, now; ``sort`` as (date parameter or ``_lastUpdated``, descending)."""
    if "sort" in more:
        more |= order(*more["sort"])
    found: dict[str, Any] = {
        "purpose": "TREAT",
        "refusal_targets": refusal_targets(caller),
        "at_us": NOW,
    }
    return SearchPlan(type_name, caller.id, criteria=criteria, count=count, **found | more)


def order(code: str, descending: bool) -> dict[str, Any]:
    """The order by one parameter; by a date, it is one of own rows only."""
    kind = {"_lastUpdated": "updated", "_history": "versions", "versions": "versions"}.get(code, "date")
    return {"sort": (Order(code, kind, descending),), **({"own_only": True} if kind == "date" else {})}


def ids(world: World, asked: SearchPlan) -> list[str]:
    """The public ids of a page, in its order."""
    return [row.id for row in world.store.search(asked).rows]


def tokens(**values: str | Sequence[str]) -> tuple[TokenIndex, ...]:
    """Token index rows; an underscore in a name stands for a dash."""
    return tuple(
        TokenIndex(name.replace("_", "-"), text)
        for name, texts in values.items()
        for text in ((texts,) if isinstance(texts, str) else texts)
    )


def token(parameter: str, *texts: str, visibility: str = "notice", **more: Any) -> Criterion:
    return Criterion(parameter, "token", visibility, texts, **more)
