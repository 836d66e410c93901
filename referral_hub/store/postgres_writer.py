"""Writing on PostgreSQL: each Change in a transaction of its own, guards as row locks.

What lives here: ``PostgresWriter``. What does not: plans (``store.apply``), their running (``store.steps``).

Source: ``engine.md`` 1.
"""

import contextlib
from typing import Any

import psycopg

from referral_hub.errors import Busy, GuardFailed, Unavailable
from referral_hub.store.database import PostgresDatabase
from referral_hub.store.plan import Plan
from referral_hub.store.statements import WRITES
from referral_hub.store.steps import STALE, refused_row, run_on_postgres

_APPLIED = "SELECT 1 FROM applied_change WHERE change_id = %s"
_DECIDE_AGAIN = (
    psycopg.errors.UniqueViolation,
    psycopg.errors.SerializationFailure,
    psycopg.errors.DeadlockDetected,
)


class PostgresWriter:
    """Applies plans on PostgreSQL. Safe to use from many threads, in many processes.

    Args:
        database: whose pool is used, and whose lane is given up while PostgreSQL works.
    """

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database
        if "change_mark" not in WRITES:
            raise RuntimeError("the statements of writes are not loaded")

    def apply(self, plan: Plan) -> None:
        """Applies a plan in one transaction.

        Where the connection is lost before the answer, the Change is looked up by its id: it is never
        guessed.

        Raises:
            GuardFailed: a guard no longer holds.
            Busy: another Change holds what this one needs for too long.
            HubError: the database refuses a row; no retry helps.
            Unavailable: the server does not answer, and it is not known whether the Change was applied.
        """
        try:
            self._apply(plan)
        except psycopg.OperationalError as lost:
            self._ask(plan, lost)

    def _apply(self, plan: Plan) -> None:
        with self._database.connection() as driver, self._database.away():
            try:
                driver.execute("BEGIN")
                run_on_postgres(driver, plan)
                driver.execute("COMMIT")
            except _DECIDE_AGAIN as problem:
                raise GuardFailed(STALE) from problem
            except psycopg.errors.LockNotAvailable as problem:
                raise Busy("Others keep changing the same thing; try again in a moment.") from problem
            except (psycopg.DataError, psycopg.IntegrityError, psycopg.ProgrammingError) as problem:
                raise refused_row(problem) from problem
            finally:
                _end(driver)

    def _ask(self, plan: Plan, lost: psycopg.OperationalError) -> None:
        try:
            with self._database.connection() as driver:
                found = driver.execute(_APPLIED, (plan.change_id,)).fetchone()
        except (psycopg.OperationalError, Unavailable) as problem:
            raise Unavailable(
                "The database does not answer; it is not known whether this was stored. Send it again."
            ) from problem
        if found is None:
            raise Busy("The database was lost for a moment and nothing was stored; try again.") from lost

    def close(self) -> None:
        """Holds nothing of its own; the pool belongs to the database."""


def _end(driver: "psycopg.Connection[Any]") -> None:
    """Leaves the connection outside any transaction, whatever happened in it."""
    if not driver.closed and driver.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
        with contextlib.suppress(psycopg.OperationalError):
            driver.rollback()
