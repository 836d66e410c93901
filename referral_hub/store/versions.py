"""Which version of the schema a database has, asked without Alembic.

What lives here: the version this program needs, and whether a database has it. What does not: bringing it
there (``store.migrate``, for commands only: Alembic is never imported in a worker).
"""

import sqlite3

import sqlalchemy as sa

from referral_hub.store.database import Database
from referral_hub.store.statements import Statement

SCHEMA_VERSION = "0016"

_VERSIONS = sa.table("alembic_version", sa.column("version_num"))
CURRENT = Statement("schema_version", sa.select(_VERSIONS.c.version_num))
_THERE = Statement(
    "schema_version_there",
    {"postgresql": sa.select(sa.literal_column("to_regclass('alembic_version')::text"))},
)


def schema_version(database: Database) -> str:
    """Gives the version of the schema, or an empty text where there is none yet."""
    if database.dialect == "postgresql" and database.first(_THERE) == (None,):
        return ""
    try:
        row = database.first(CURRENT)
    except sqlite3.OperationalError:
        return ""
    return "" if row is None else str(row[0])


def is_current(database: Database) -> bool:
    """Tells whether the database has the schema this program works with."""
    return schema_version(database) == SCHEMA_VERSION
