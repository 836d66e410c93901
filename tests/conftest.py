"""Fixtures that every kind of test may ask for: databases. And how hypothesis searches here."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import hypothesis
import pytest

from tests import log_watch
from tests.postgres import PostgresServer, postgres_server

# A slow machine is no failure; in CI the same examples every time, elsewhere new ones each run.
hypothesis.settings.register_profile(
    "house", deadline=None, print_blob=True, derandomize=os.environ.get("CI") == "true"
)
hypothesis.settings.load_profile("house")


def pytest_configure() -> None:
    """Every log line of the run is looked at: see ``tests.log_watch``."""
    log_watch.begin()


@pytest.fixture(autouse=True)
def _no_log_line_says_who() -> Iterator[None]:
    yield
    said = log_watch.WATCH.found()
    assert not said, f"a log line names a test person, or tells of her: {said[:3]}"


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A real PostgreSQL server, one per test process, started when the first test asks for it."""
    with postgres_server() as server:
        yield server


@pytest.fixture
def fresh_postgres_url(postgres: PostgresServer) -> Iterator[Callable[[], str]]:
    """Each call gives the address of another empty database; all are gone after the test."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(postgres.database())


@pytest.fixture
def postgres_url(fresh_postgres_url: Callable[[], str]) -> str:
    """The address of one empty PostgreSQL database, gone after the test."""
    return fresh_postgres_url()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The address of one SQLite database file that does not exist yet, gone after the test."""
    return f"sqlite:///{tmp_path / 'hub.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The address of an empty database: the test runs once on SQLite and once on PostgreSQL."""
    name = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    url: str = request.getfixturevalue(name)
    return url
