"""Making a hub, bringing one to this version of the program, and opening one for a command.

What lives here: what ``init`` and ``migrate`` do, and the look at a hub before anything works with it. What
does not: the steps of the schema (``store/migrations``), adding partners (``referral_hub.partners``).

Source: ``interfaces.md`` 2; ``engine.md`` 4 (keys from the first migration).
"""

import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from referral_hub.app import Parts, RandomIds, clock, master_source, open_hub
from referral_hub.errors import ConfigurationError
from referral_hub.exchange.building import body_of
from referral_hub.exchange.indexing import index_rows
from referral_hub.keyring.ring import HUB, Keyring, establish
from referral_hub.resources.catalog import DEFINITIONS
from referral_hub.settings import Settings
from referral_hub.store.database import Database, open_database
from referral_hub.store.key_rows import KeyRows
from referral_hub.store.reindexing import Reindexer
from referral_hub.store.versions import SCHEMA_VERSION, schema_version
from referral_hub.store.writing import open_writer

CONNECT_S = 5
Step = Callable[[str], None]
"""Told what is done next, in a word or two."""

INDEXED_SINCE = "0010"
"""The schema since which resources are found by everything they are searched by; older ones are indexed anew."""
FOUNDING_STEPS = ("directory", "master key", "database", "keys", "organisation", "account")
FIRST_LOGIN = "coordinator@localhost"
"""The login of the first coordinator where nobody gives another."""


@dataclass(frozen=True, slots=True)
class Founded:
    """A hub that is there now: its own organisation, whether this call made it, and the first coordinator's login.

    ``one_time_password`` is empty where a coordinator was there already; it is kept nowhere.
    """

    organization: str
    fresh: bool
    login: str = ""
    one_time_password: str = ""


@dataclass(frozen=True, slots=True)
class Migrated:
    """Which version of the schema a database had ('' for none), and which it has."""

    before: str
    after: str


def found_hub(
    settings: Settings,
    *,
    name: str,
    country: str = "",
    login: str = FIRST_LOGIN,
    step: Step = lambda _: None,
) -> Founded:
    """Makes the database, the keys, the network's own organisation and its first coordinator; what is there stays.

    Args:
        settings: where the hub is to be.
        name: the name of the network's own organisation.
        country: its country, two letters, or empty.
        login: the e-mail address the first coordinator signs in with.
        step: told about each of ``FOUNDING_STEPS``.

    Raises:
        ConfigurationError: something of it cannot be made there.
    """
    from referral_hub.partners import NewOrganization, add_organization

    step("directory")
    own_directory(settings.data_dir)
    _refuse_lost_key(settings)
    step("master key")
    master = master_source(settings).make()
    step("database")
    migrate_hub(settings)
    step("keys")
    with opened_database(settings) as database:
        writer = open_writer(database, socket=settings.writer_socket)
        try:
            establish(master, KeyRows(database, writer), clock())
        finally:
            writer.close()
    step("organisation")
    with opened_hub(settings) as parts:
        with parts.store.snapshot() as snapshot:
            hub = snapshot.hub_organization()
        if hub is None:
            new = NewOrganization(name=name, kind="coordinator", country=country, is_hub=True)
            organization = add_organization(parts, new).id
        else:
            organization = hub.facts.id
        step("account")
        given = parts.people.office.first(organization, login, clock())
        if given is None:
            return Founded(organization, fresh=hub is None)
        return Founded(organization, hub is None, login, given.one_time_password)


def migrate_hub(settings: Settings) -> Migrated:
    """Brings the database to the schema of this program; nothing is lost on the way.

    Raises:
        ConfigurationError: the database belongs to a newer program, or refuses a step.
        Busy: ``serve`` is running on an embedded database.
    """
    from referral_hub.store.migrate import upgrade

    path = settings.sqlite_file
    before = ""
    if path is None or path.exists():
        with opened_database(settings) as database:
            before = schema_version(database)
    _refuse_newer(before)
    if before != SCHEMA_VERSION:
        try:
            upgrade(settings.database_url)
        except (sa.exc.SQLAlchemyError, sqlite3.Error, OSError) as problem:
            kind = type(problem).__name__
            raise ConfigurationError(
                f"The database could not be brought to this version ({kind}). Nothing of it was changed."
            ) from problem
    if before and before < INDEXED_SINCE:
        reindex_hub(settings)
    return Migrated(before, SCHEMA_VERSION)


def reindex_hub(settings: Settings, step: Callable[[int], None] = lambda _: None) -> int:
    """Makes the index rows of every stored resource anew; gives of how many.

    Args:
        settings: which hub.
        step: called after each batch with how many resources it held.

    Raises:
        ConfigurationError: the hub is not there, or is of another version.
    """
    with opened_hub(settings) as parts:
        work = Reindexer(
            parts.database,
            parts.bodies,
            parts.keyring.digests,
            parts.writer,
            index=lambda row: index_rows(DEFINITIONS[row.type], body_of(row), parts.hub.own_bases),
            clock=clock,
            change_id=RandomIds().public_id,
        )
        done = 0
        for count in work.run():
            done += count
            step(count)
        return done


def refuse_unready(settings: Settings) -> None:
    """Refuses a hub that cannot be worked with, before any process of it is started.

    Raises:
        ConfigurationError: with what is missing and which command makes it.
    """
    with opened_database(settings) as database:
        version = schema_version(database)
        if not version:
            raise ConfigurationError("There is no hub in this database yet: run `referral-hub init`.")
        _refuse_newer(version)
        if version != SCHEMA_VERSION:
            raise ConfigurationError(
                f"The database has version {version}, this program works with {SCHEMA_VERSION}: "
                "run `referral-hub migrate`."
            )
        Keyring(master_source(settings).read(), KeyRows(database))


@contextmanager
def opened_hub(settings: Settings) -> Iterator[Parts]:
    """Opens a hub for the length of a command, beside ``serve`` or alone.

    Raises:
        ConfigurationError: the hub is not there, or is of another version.
    """
    refuse_unready(settings)
    parts = open_hub(settings)
    try:
        yield parts
    finally:
        parts.close()


@contextmanager
def opened_database(settings: Settings) -> Iterator[Database]:
    """Opens the database for the length of a block, or says calmly that it does not answer.

    Raises:
        ConfigurationError: it is not there, or does not answer.
    """
    if settings.sqlite_file is None:
        _refuse_silent_server(settings.database_url)
    database = open_database(settings.database_url)
    try:
        yield database
    except sqlite3.DatabaseError as problem:
        raise ConfigurationError(
            f"The database file cannot be used ({type(problem).__name__}); "
            "see whether REFERRAL_HUB_DATABASE_URL names the right one."
        ) from problem
    finally:
        database.close()


def own_directory(path: Path) -> None:
    """Makes a directory that only its owner may look into, or closes one to others.

    Raises:
        ConfigurationError: it cannot be made there.
    """
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            path.chmod(0o700)
    except OSError as problem:
        raise ConfigurationError(
            f"The data directory cannot be made or closed to others ({problem.strerror}); "
            "set REFERRAL_HUB_DATA_DIR to a place that is yours."
        ) from problem


def _refuse_newer(version: str) -> None:
    if version > SCHEMA_VERSION:
        raise ConfigurationError(
            f"The database has version {version}, which a newer program made; "
            f"this one knows {SCHEMA_VERSION}. Use the newer program."
        )


def _refuse_lost_key(settings: Settings) -> None:
    """A fresh master key beside a database full of keys under the old one would only hide the loss."""
    path = settings.sqlite_file
    if master_source(settings).kind != "file":
        return  # another key than the hub's opens nothing, and says so
    if settings.secret_key_file.exists() or (path is not None and not path.exists()):
        return
    with opened_database(settings) as database:
        if schema_version(database) and KeyRows(database).find([HUB]):
            raise ConfigurationError(
                "This database belongs to a hub whose master key file is gone. Put your copy of it back "
                "(REFERRAL_HUB_SECRET_KEY_FILE); without it nothing in the database can be read."
            )


def _refuse_silent_server(url: str) -> None:
    import psycopg

    try:
        psycopg.connect(url, connect_timeout=CONNECT_S).close()
    except psycopg.Error as problem:
        raise ConfigurationError(
            f"The database server cannot be used ({type(problem).__name__}); "
            "see whether it runs and REFERRAL_HUB_DATABASE_URL is right."
        ) from problem
