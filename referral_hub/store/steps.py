"""Running a plan: guards, then rows, inside a transaction that somebody else opened.

What lives here: one runner per driver with the same rules. What does not: what the steps are
(``store.apply``), when is committed (``store.sqlite_writer``, ``store.postgres_writer``).
"""

import sqlite3
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from referral_hub.errors import GuardFailed, HubError
from referral_hub.store.plan import Plan, Rule, Step
from referral_hub.store.statements import WRITES
from referral_hub.store.write_statements import MARK

if TYPE_CHECKING:
    import psycopg

STALE = "What this was decided on has changed; it is decided again."
_json = msgspec.json.Encoder().encode
_TAKEN = (sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)


def refused_row(problem: Exception) -> HubError:
    """Gives the error of a row that no retry can help; the kind of the problem tells nothing of its content."""
    return HubError(f"The database refused a row ({type(problem).__name__}); nothing of it was stored.")


def is_taken(problem: sqlite3.IntegrityError) -> bool:
    """Tells whether a row with this key is there already, as against a row that is wrong in itself."""
    return problem.sqlite_errorcode in _TAKEN


def _judge(rule: int, name: str, touched: int, *, found: bool) -> None:
    if (
        (rule == Rule.TOUCHES and touched < 1)
        or (rule == Rule.FOUND and not found)
        or (rule == Rule.ABSENT and found)
    ):
        raise GuardFailed(STALE, name)


def run_on_sqlite(connection: sqlite3.Connection, plan: Plan) -> bool:
    """Runs a plan; gives False where the same Change was applied before and nothing was done.

    Raises:
        GuardFailed: where a guard does not hold, or a key is taken.
    """
    mark = connection.execute(MARK.text["sqlite"], {"change_id": plan.change_id, "at_us": plan.at_us})
    if mark.rowcount == 0:
        return False
    try:
        for name, rule, parameters in (*plan.guards, *plan.steps):
            sql = WRITES[name].text["sqlite"]
            if rule == Rule.MANY:
                connection.executemany(sql, parameters)
                continue
            cursor = connection.execute(sql, parameters)
            if rule != Rule.ANY:
                looked = rule in (Rule.FOUND, Rule.ABSENT)
                _judge(rule, name, cursor.rowcount, found=looked and cursor.fetchone() is not None)
            cursor.close()
    except sqlite3.IntegrityError as problem:
        if is_taken(problem):
            raise GuardFailed(STALE) from problem
        raise
    return True


def run_on_postgres(connection: "psycopg.Connection[Any]", plan: Plan) -> bool:
    """Runs a plan inside an open transaction; gives False where the same Change was applied before.

    Guards are answered before the first row is written: two round trips for the whole plan.

    Raises:
        GuardFailed: where a guard does not hold.
    """
    with connection.pipeline() as pipeline:
        mark = connection.execute(MARK.text["postgresql"], {"change_id": plan.change_id, "at_us": plan.at_us})
        asked = _send(connection, plan.guards)
        pipeline.sync()
        if mark.rowcount == 0:
            return False
        _answer(asked)
        written = _send(connection, plan.steps)
        pipeline.sync()
        _answer(written)
    return True


Sent = list[tuple[str, int, "psycopg.Cursor[Any]"]]


def _send(connection: "psycopg.Connection[Any]", steps: Sequence[Step]) -> Sent:
    sent: Sent = []
    for name, rule, parameters in steps:
        statement = WRITES[name]
        sql = statement.text["postgresql"]
        if statement.takes_rows:
            connection.execute(sql, {"rows": _json(parameters).decode()})
        elif rule == Rule.MANY:
            connection.cursor().executemany(sql, parameters)
        else:
            sent.append((name, rule, connection.execute(sql, parameters)))
    return sent


def _answer(sent: Sent) -> None:
    for name, rule, cursor in sent:
        if rule != Rule.ANY:
            looked = rule in (Rule.FOUND, Rule.ABSENT)
            _judge(rule, name, cursor.rowcount, found=looked and cursor.fetchone() is not None)
