"""On SQLite a statement is prepared once and run many times: a partial index must not undo that.

SQLite prepares a statement anew each time a value is bound that could decide whether a partial index fits, as one
with the condition ``type = 'Task'`` does for every statement that asks for a type.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from referral_hub.store import read, view_queries
from referral_hub.store.migrate import upgrade
from referral_hub.store.statements import Statement

ASKED = [
    read.READ,
    read.READ_ASSIGNED,
    *read.AGAIN.values(),
    *(one for one in vars(view_queries).values() if isinstance(one, Statement)),
]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("prepared") / "hub.db"
    upgrade(f"sqlite:///{found}")
    return found


def prepared(connection: sqlite3.Connection, text: str, values: dict[str, object]) -> int:
    """Gives how much SQLite looked at to prepare a statement that has run twice before."""
    seen: list[int] = []

    def note(*_: object) -> int:
        seen.append(1)
        return sqlite3.SQLITE_OK

    connection.set_authorizer(note)
    for _ in range(3):
        seen.clear()
        connection.execute(text, values).fetchall()
    return len(seen)


@pytest.mark.parametrize("statement", ASKED, ids=lambda one: one.name)
def test_it_is_not_prepared_again(file: Path, statement: Statement) -> None:
    values = {name: "x" if name in ("type", "id") else "[]" for name in statement.parameters}
    with closing(sqlite3.connect(file)) as connection:
        assert prepared(connection, statement.text["sqlite"], values) == 0


def test_such_an_index_is_noticed(file: Path) -> None:
    statement = read.READ
    values = dict.fromkeys(statement.parameters, "x")
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("BEGIN")
        connection.execute("CREATE INDEX undoing ON resource (kind) WHERE type = 'Task'")
        assert prepared(connection, statement.text["sqlite"], values) > 0
        connection.execute("ROLLBACK")
