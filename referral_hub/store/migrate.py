"""Bringing a database to the schema of this program.

What lives here: ``upgrade``, for the commands ``init`` and ``migrate``. What does not: the steps
(``store/migrations``), asking for the version (``store.versions``). Only commands import this module: Alembic
costs memory that a worker does not have.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.pool import NullPool

from referral_hub.store.database import open_sqlite, sqlite_path
from referral_hub.store.sqlite_group import WriterPaths, writing_lock

MIGRATIONS = Path(__file__).with_name("migrations")


def upgrade(url: str, revision: str = "head") -> None:
    """Brings the database of an address to this program's schema; creates it where there is none.

    Args:
        url: ``sqlite:///path`` or ``postgresql://…``.
        revision: how far; the newest by default.

    Raises:
        Busy: where a writer works on the embedded database: stop `serve` first.
    """
    path = sqlite_path(url)
    with nullcontext() if path is None else writing_lock(WriterPaths.of(path).lock, wait_s=1.0):
        if path is not None:
            open_sqlite(path, writer=True).close()  # makes the file, for its owner alone
        with _connected(url) as connection:
            config = Config()
            config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
            config.attributes["connection"] = connection
            command.upgrade(config, revision)


@contextmanager
def _connected(url: str) -> Iterator[sa.Connection]:
    scheme, rest = url.split("://", 1)
    driver = "sqlite" if scheme == "sqlite" else "postgresql+psycopg"
    engine = sa.create_engine(f"{driver}://{rest}", poolclass=NullPool)
    try:
        with engine.connect() as connection:
            yield connection
            connection.commit()
    finally:
        engine.dispose()
