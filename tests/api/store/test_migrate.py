"""Migrations: they end at the schema the program works with, on both databases, and stay out of workers."""

import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from referral_hub.errors import ConfigurationError
from referral_hub.store.database import open_database
from referral_hub.store.migrate import MIGRATIONS, upgrade
from referral_hub.store.schema import METADATA
from referral_hub.store.versions import SCHEMA_VERSION, is_current, schema_version


def test_the_migrations_end_at_the_declared_schema(database_url: str):
    upgrade(database_url)
    upgrade(database_url)
    engine = sa.create_engine(database_url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []
    engine.dispose()


def test_a_migrated_table_is_made_as_the_schema_declares_it(sqlite_url: str, tmp_path: Path):
    """What a comparison does not see: WITHOUT ROWID, partial indexes, counted keys."""

    def declared(url: str) -> dict[str, str]:
        engine = sa.create_engine(url)
        with engine.connect() as connection:
            rows = connection.exec_driver_sql(
                "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'alembic%'"
            ).all()
        engine.dispose()
        return {name: " ".join(sql.split()) for name, sql in rows}

    upgrade(sqlite_url)
    made = sa.create_engine(f"sqlite:///{tmp_path / 'made.db'}")
    METADATA.create_all(made)
    made.dispose()
    assert declared(sqlite_url) == declared(f"sqlite:///{tmp_path / 'made.db'}")


def test_the_program_knows_the_newest_migration(database_url: str):
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_current_head() == SCHEMA_VERSION
    upgrade(database_url)
    database = open_database(database_url)
    assert is_current(database)
    database.close()


def test_a_database_without_a_schema_has_no_version(postgres_url: str, tmp_path: Path):
    sqlite = tmp_path / "empty.db"
    sqlite.touch()
    for url in (postgres_url, f"sqlite:///{sqlite}"):
        database = open_database(url)
        assert (schema_version(database), is_current(database)) == ("", False)
        database.close()


def test_a_database_that_is_not_there_is_named(tmp_path: Path):
    database = open_database(f"sqlite:///{tmp_path / 'none.db'}")
    with pytest.raises(ConfigurationError, match="init"):
        schema_version(database)
    with pytest.raises(ConfigurationError):
        open_database("mysql://somewhere")


def test_alembic_is_never_loaded_by_what_a_worker_imports():
    program = (
        "import sys, referral_hub.store.writing, referral_hub.store.store, referral_hub.store.versions\n"
        "print(sorted(name for name in sys.modules if name.split('.')[0] in ('alembic', 'mako', 'fhir')))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
