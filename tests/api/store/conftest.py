"""Hubs for the tests of the store: each test runs on SQLite and on PostgreSQL.

The schema is made once per database kind; every test begins with an empty one.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from referral_hub.store.migrate import upgrade
from referral_hub.store.schema import METADATA
from tests.api.store.hubs import Hub, make_hub
from tests.postgres import PostgresServer


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the schema and nothing in it, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "hub.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def migrated_database(postgres: PostgresServer) -> Iterator[str]:
    """A PostgreSQL database with the schema, shared by the tests, which leave it empty."""
    with postgres.database() as url:
        upgrade(url)
        yield url


@pytest.fixture
def sqlite_hub_url(migrated_file: Path, tmp_path: Path) -> str:
    """The address of a migrated, empty SQLite database."""
    shutil.copy2(migrated_file, tmp_path / "hub.db")
    return f"sqlite:///{tmp_path / 'hub.db'}"


@pytest.fixture
def postgres_hub_url(migrated_database: str) -> Iterator[str]:
    """The address of a migrated, empty PostgreSQL database."""
    yield migrated_database
    tables = ", ".join(table.name for table in METADATA.sorted_tables)
    with psycopg.connect(migrated_database, autocommit=True) as connection:
        connection.execute(f"TRUNCATE {tables} RESTART IDENTITY")


@pytest.fixture(params=["sqlite", "postgresql"])
def hub_url(request: pytest.FixtureRequest) -> str:
    """The address of a migrated, empty database: the test runs once on each kind."""
    name = "sqlite_hub_url" if request.param == "sqlite" else "postgres_hub_url"
    url: str = request.getfixturevalue(name)
    return url


@pytest.fixture
def hub(hub_url: str, tmp_path: Path) -> Iterator[Hub]:
    """A migrated, empty hub with its keys."""
    made = make_hub(hub_url, tmp_path)
    yield made
    made.close()


@pytest.fixture
def postgres_hub(postgres_hub_url: str, tmp_path: Path) -> Iterator[Hub]:
    """A hub on PostgreSQL, for what only it can do."""
    made = make_hub(postgres_hub_url, tmp_path)
    yield made
    made.close()
