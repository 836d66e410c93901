"""The PostgreSQL of the tests is a real one, closed to others; its databases do not mix."""

import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from tests.postgres import PostgresServer

started_here = pytest.mark.skipif(
    "TEST_POSTGRES_URL" in os.environ, reason="the server of TEST_POSTGRES_URL is somebody else's to set up"
)


def test_each_call_gives_another_empty_database(fresh_postgres_url: Callable[[], str]):
    first, second = fresh_postgres_url(), fresh_postgres_url()
    with psycopg.connect(first) as one, psycopg.connect(second) as other:
        one.execute("CREATE TABLE here (id BIGINT)")
        row = other.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    assert row == (0,)


def test_a_database_is_gone_after_its_block_whoever_is_connected(postgres: PostgresServer):
    with postgres.database() as url:
        left_open = psycopg.connect(url)
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(url)
    left_open.close()


def test_a_copy_of_a_template_holds_its_tables(postgres: PostgresServer):
    with postgres.database() as template:
        with psycopg.connect(template) as connection:
            connection.execute("CREATE TABLE here (id BIGINT)")
        with postgres.database(template) as copy, psycopg.connect(copy) as connection:
            assert connection.execute("SELECT count(*) FROM here").fetchone() == (0,)


@started_here
def test_the_server_has_no_address_on_a_network_and_a_closed_folder(postgres: PostgresServer):
    with psycopg.connect(postgres.admin_url) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
    folder = Path(parse_qs(urlsplit(postgres.admin_url).query)["host"][0])
    assert folder.stat().st_mode & 0o077 == 0


@started_here
def test_the_server_never_runs_as_root(postgres: PostgresServer):
    folder = Path(parse_qs(urlsplit(postgres.admin_url).query)["host"][0])
    # The server made this file itself, so its owner is the server's user.
    assert (folder / "cluster" / "postmaster.pid").stat().st_uid != 0


def test_a_test_can_run_on_both_databases(database_url: str):
    assert database_url.startswith(("sqlite:///", "postgresql://"))
