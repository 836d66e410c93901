"""One hub per database for all API tests; each test makes its own organisations and people in it."""

from collections.abc import Iterator

import pytest

from tests.postgres import PostgresServer
from tests.world import World, opened_world


@pytest.fixture(scope="session")
def _sqlite_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("hub-sqlite")
    with opened_world(f"sqlite:///{folder / 'hub.db'}", folder) as world:
        yield world


@pytest.fixture(scope="session")
def _postgres_world(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with (
        postgres.database() as url,
        opened_world(url, tmp_path_factory.mktemp("hub-postgres")) as world,
    ):
        yield world


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest) -> World:
    """A hub on each database in turn."""
    name = "_sqlite_world" if request.param == "sqlite" else "_postgres_world"
    found: World = request.getfixturevalue(name)
    return found
