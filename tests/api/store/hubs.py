"""A whole write half of a hub on one database, for tests of the store; everybody in it is invented."""

import secrets
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg

from referral_hub.exchange.change import AuditEntry, Change, ResourceWrite
from referral_hub.exchange.ports import Admitted
from referral_hub.keyring.master import make_master_key
from referral_hub.keyring.ring import Keyring, establish
from referral_hub.store.apply import Planner, PlanWriter, Writes
from referral_hub.store.bodies import Bodies
from referral_hub.store.database import Database, open_database
from referral_hub.store.key_rows import KeyRows
from referral_hub.store.statements import Statement
from referral_hub.store.writing import open_writer

NOW = 1_795_000_000_000_000
SECOND = 1_000_000
HOUR = 3600 * SECOND


@dataclass(slots=True)
class Hub:
    """Database, writer, keys and the write half that uses them."""

    url: str
    directory: Path
    database: Database
    writer: PlanWriter
    keys: Keyring
    bodies: Bodies
    planner: Planner
    writes: Writes

    def apply(self, **rows: Any) -> str:
        """Applies a Change of these rows and gives its id."""
        change = Change(**({"change_id": secrets.token_hex(8)} | rows))
        self.writes.apply(Admitted(change))
        return change.change_id

    def rows(self, table: Any, *conditions: Any) -> list[dict[str, Any]]:
        """Gives the rows of a table as they are stored."""
        order = list(table.primary_key.columns) or [table.c.row_id, table.c.number]
        statement = Statement("test", table.select().where(*conditions).order_by(*order))
        found = self.database.run(statement)
        return [dict(zip(table.c.keys(), row, strict=True)) for row in found]

    def one(self, table: Any, *conditions: Any) -> dict[str, Any]:
        """Gives the only row."""
        (row,) = self.rows(table, *conditions)
        return row

    def run(self, expression: Any) -> None:
        """Changes rows behind the hub's back."""
        statement = Statement("behind its back", expression)
        if self.database.dialect == "postgresql":
            with psycopg.connect(self.url, autocommit=True) as connection:
                connection.execute(statement.text["postgresql"])
            return
        with closing(sqlite3.connect(self.directory / "hub.db")) as file:
            file.execute(statement.text["sqlite"])
            file.commit()

    def close(self) -> None:
        self.writes.close()
        self.database.close()


def make_hub(url: str, directory: Path, writer: PlanWriter | None = None) -> Hub:
    """Opens the write half on a migrated database; its keys are made where there are none."""
    database = open_database(url)
    writer = writer or open_writer(database)
    rows = KeyRows(database, writer)
    master = make_master_key(directory / "secret.key")
    establish(master, rows, NOW)
    keys = Keyring(master, rows)
    bodies = Bodies(keys)
    planner = Planner(bodies, keys.digests, lambda: time.time_ns() // 1000)
    return Hub(url, directory, database, writer, keys, bodies, planner, Writes(planner, writer, bodies))


def new_row() -> int:
    return secrets.randbits(62) + 1


def write(type_name: str = "Task", **fields: Any) -> ResourceWrite:
    """Gives the first version of a resource of the shelter's."""
    row_id = fields.pop("row_id", None) or new_row()
    defaults: dict[str, Any] = {
        "interaction": "create",
        "row_id": row_id,
        "type": type_name,
        "id": f"{type_name.lower()}-{row_id}",
        "version": secrets.token_hex(8),
        "number": 1,
        "updated_us": NOW,
        "author": "shelter",
        "written_by": "shelter",
        "body": f'{{"resourceType":"{type_name}","id":"{row_id}"}}'.encode(),
    }
    return ResourceWrite(**(defaults | fields))


def patient(**fields: Any) -> ResourceWrite:
    """Gives the first version of a Patient, about herself."""
    row_id = new_row()
    return write("Patient", row_id=row_id, person=row_id, category="identity", **fields)


def next_version(before: ResourceWrite, **fields: Any) -> ResourceWrite:
    """Gives the version after this one."""
    defaults: dict[str, Any] = {
        "interaction": "update",
        "version": secrets.token_hex(8),
        "number": before.number + 1,
        "updated_us": before.updated_us + SECOND,
        "method": "PUT",
    }
    return replace(before, **(defaults | fields))


def entry(**fields: Any) -> AuditEntry:
    """Gives an audit line of the clinic."""
    defaults: dict[str, Any] = {
        "at_us": NOW,
        "action": "R",
        "interaction": "read",
        "outcome": 0,
        "organization": "clinic",
        "oauth_client": "clinic-ehr",
        "user": "",
        "purpose": "TREAT",
        "person": None,
    }
    return AuditEntry(**(defaults | fields))
