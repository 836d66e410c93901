"""Exports as rows: who asked for what, how far the walk is, and which rows each file lists.

What lives here: the rows and their statements. What does not: what is listed (``exchange.exports``), the process
that walks (``outbound.exporting``).

A step of a walk writes its rows and its new position together, under its lease: a walk that was killed goes on
at the last position, and a row that was listed already is listed once.

Source: HL7 Bulk Data Access 2.0; ``engine.md`` 3.
"""

import secrets
from collections.abc import Sequence

import sqlalchemy as sa

from referral_hub.access.principal import Principal
from referral_hub.errors import GuardFailed
from referral_hub.exchange.change import Row
from referral_hub.exchange.exports import File, Job
from referral_hub.exchange.ports import TokenRow
from referral_hub.store import schema
from referral_hub.store.apply import PlanWriter
from referral_hub.store.bodies import SEALED, Bodies, seal_under
from referral_hub.store.database import Database
from referral_hub.store.plan import Rule, many, own_plan
from referral_hub.store.statements import WRITES, Statement, constant, whole, words
from referral_hub.store.write_statements import insert_ignoring

_JOB, _ENTRY = schema.export_job, schema.export_entry
_CLIENT, _ORGANIZATION = schema.oauth_client, schema.organization
_STATES = {
    schema.EXPORT_RUNNING: "running",
    schema.EXPORT_DONE: "done",
    schema.EXPORT_FAILED: "failed",
    schema.EXPORT_CANCELLED: "cancelled",
}
_RUNNING = _JOB.c.state == constant(schema.EXPORT_RUNNING)
_HELD = sa.and_(_JOB.c.id == words("id"), _JOB.c.lease == words("lease"), _RUNNING)
_NEVER_US = 2**62

_READ = (
    "id",
    "organization",
    "oauth_client",
    "user_id",
    "role",
    "purpose",
    "scope",
    "very_restricted",
    "asked_format",
    "asked",
    "position",
    "state",
    "reason",
    "files",
    "created_us",
    "ended_us",
    "attempts",
    "lease",
)
OF = Statement(
    "export_of",
    sa.select(
        *(_JOB.c[name] for name in _READ), _CLIENT.c.active, _ORGANIZATION.c.active, _ORGANIZATION.c.version
    )
    .select_from(
        _JOB.join(_CLIENT, _CLIENT.c.client_id == _JOB.c.oauth_client).join(
            _ORGANIZATION, _ORGANIZATION.c.id == _JOB.c.organization
        )
    )
    .where(_JOB.c.id == words("id")),
)
UNDER_WAY = Statement(
    "export_under_way",
    sa.select(sa.func.count()).where(_JOB.c.oauth_client == words("oauth_client"), _RUNNING),
)
OPEN = Statement(
    "export_open",
    sa.select(_JOB.c.id)
    .where(_RUNNING, _JOB.c.lease_until_us <= whole("now_us"))
    .order_by(_JOB.c.created_us, _JOB.c.id)
    .limit(constant(4)),
)
FILES = Statement(
    "export_files",
    sa.select(_ENTRY.c.file, _ENTRY.c.type, sa.func.count())
    .where(_ENTRY.c.job == words("job"))
    .group_by(_ENTRY.c.file, _ENTRY.c.type)
    .order_by(_ENTRY.c.file),
)
ROWS = Statement(
    "export_rows",
    sa.select(_ENTRY.c.resource)
    .where(_ENTRY.c.job == words("job"), _ENTRY.c.file == whole("file"))
    .order_by(_ENTRY.c.resource),
)
WRITES.add("export_insert", sa.insert(_JOB))
WRITES.add(
    "export_claim",
    sa.update(_JOB)
    .where(_JOB.c.id == words("id"), _RUNNING, _JOB.c.lease_until_us <= whole("now_us"))
    .values(lease=words("lease"), lease_until_us=whole("until_us"), attempts=_JOB.c.attempts + constant(1)),
)
WRITES.add(
    "export_step",
    sa.update(_JOB)
    .where(_HELD)
    .values(
        position=words("position"),
        files=whole("files"),
        lease_until_us=whole("until_us"),
        attempts=constant(0),
    ),
)
WRITES.add(
    "export_end",
    sa.update(_JOB)
    .where(_HELD)
    .values(
        state=whole("state"),
        reason=words("reason"),
        files=whole("files"),
        ended_us=whole("now_us"),
        lease=constant(""),
        lease_until_us=constant(0),
    ),
)
WRITES.add("export_later", sa.update(_JOB).where(_HELD).values(lease_until_us=whole("until_us")))
WRITES.add(
    "export_cancel",
    sa.update(_JOB)
    .where(_JOB.c.id == words("id"), _JOB.c.state != constant(schema.EXPORT_CANCELLED))
    .values(state=constant(schema.EXPORT_CANCELLED), ended_us=whole("now_us")),
)
WRITES.add("export_entry_add", insert_ignoring(_ENTRY, "job", "resource"))
_OVER = sa.and_(_JOB.c.state != constant(schema.EXPORT_RUNNING), _JOB.c.ended_us < whole("before_us"))
WRITES.add(
    "export_entry_prune",
    sa.delete(_ENTRY).where(
        _ENTRY.c.job.in_(
            sa.select(_JOB.c.id).where(sa.or_(_JOB.c.state == constant(schema.EXPORT_CANCELLED), _OVER))
        )
    ),
)
WRITES.add("export_prune", sa.delete(_JOB).where(_OVER))


class ExportJobs:
    """The exports of the hub; safe in several processes at once.

    Args:
        database: where they are looked for.
        writer: applies claims and steps.
        bodies: seals what was asked for.
    """

    def __init__(self, database: Database, writer: PlanWriter, bodies: Bodies) -> None:
        self._database = database
        self._writer = writer
        self._bodies = bodies

    # --- what the interactions use -------------------------------------------------------------------------

    def put_row(self, job: str, caller: Principal, scope: str, asked: bytes, at_us: int) -> Row:
        """Gives the row of a Change that notes a new export."""
        return Row(
            "export_insert",
            {
                "id": job,
                "organization": caller.organization_id,
                "oauth_client": caller.oauth_client,
                "user_id": caller.user,
                "role": caller.role,
                "purpose": caller.purpose,
                "scope": scope,
                "very_restricted": int(caller.accepts_very_restricted),
                "asked_format": SEALED,
                "asked": seal_under(self._bodies.keys.hub, asked, f"export/{job}"),
                "position": "",
                "state": schema.EXPORT_RUNNING,
                "reason": "",
                "files": 0,
                "created_us": at_us,
                "ended_us": 0,
                "attempts": 0,
                "lease": "",
                "lease_until_us": 0,
            },
        )

    def cancel_row(self, job: str, at_us: int) -> Row:
        """Gives the row of a Change that ends an export; its files are gone with it."""
        return Row("export_cancel", {"id": job, "now_us": at_us}, at_least_one=True)

    def of(self, job: str) -> Job | None:
        """Gives an export, whoever asked for it, or None where there is none."""
        row = self._database.first(OF, {"id": job})
        if row is None:
            return None
        *columns, client_active, organization_active, organization_version = row
        found = dict(zip(_READ, columns, strict=True))
        token = TokenRow(
            digest=f"export/{job}".encode(),
            version=0,
            oauth_client=found["oauth_client"],
            organization=found["organization"],
            organization_version=organization_version,
            scope=found["scope"],
            purpose=found["purpose"],
            role=found["role"],
            user=found["user_id"],
            expires_us=_NEVER_US,
            revoked=not client_active,
            very_restricted=bool(found["very_restricted"]),
        )
        return Job(
            id=job,
            token=token,
            asked=self._bodies.open(found["asked"], found["asked_format"], None, f"export/{job}"),
            position=found["position"],
            state=_STATES[found["state"]],
            reason=found["reason"],
            files=found["files"],
            created_us=found["created_us"],
            ended_us=found["ended_us"],
            attempts=found["attempts"],
            lease=found["lease"],
            live=bool(client_active and organization_active),
        )

    def under_way(self, oauth_client: str) -> int:
        """Gives how many exports of one software run."""
        row = self._database.first(UNDER_WAY, {"oauth_client": oauth_client})
        return 0 if row is None else int(row[0])

    def files(self, job: str) -> list[File]:
        """Gives the files of an export, in their order."""
        return [File(*row) for row in self._database.run(FILES, {"job": job})]

    def rows(self, job: str, number: int) -> list[int]:
        """Gives the row ids one file lists."""
        return [row_id for (row_id,) in self._database.run(ROWS, {"job": job, "file": number})]

    # --- what the walk uses --------------------------------------------------------------------------------

    def claim(self, now_us: int, lease_us: int) -> Job | None:
        """Claims the export that waits longest, or gives None where none does."""
        for (job,) in self._database.run(OPEN, {"now_us": now_us}):
            lease = secrets.token_hex(8)
            parameters = {"id": job, "now_us": now_us, "until_us": now_us + lease_us, "lease": lease}
            if not self._done(now_us, ("export_claim", Rule.TOUCHES, parameters)):
                continue  # another process was first
            found = self.of(job)
            if found is not None and found.lease == lease:
                return found
        return None

    def step(
        self, job: Job, type_name: str, rows: Sequence[int], position: str, now_us: int, lease_us: int
    ) -> bool:
        """Writes what one step found, and where the walk goes on; False where the claim was lost."""
        files = job.files + bool(rows)
        parameters = {
            "id": job.id,
            "lease": job.lease,
            "position": position,
            "files": files,
            "until_us": now_us + lease_us,
        }
        return self._done(
            now_us, ("export_step", Rule.TOUCHES, parameters), *self._entries(job, type_name, rows)
        )

    def end(self, job: Job, type_name: str, rows: Sequence[int], now_us: int, *, failed: str = "") -> bool:
        """Ends a walk with its last rows, or with the reason it failed for; False where the claim was lost."""
        parameters = {
            "id": job.id,
            "lease": job.lease,
            "state": schema.EXPORT_FAILED if failed else schema.EXPORT_DONE,
            "reason": failed,
            "files": job.files + bool(rows),
            "now_us": now_us,
        }
        return self._done(
            now_us, ("export_end", Rule.TOUCHES, parameters), *self._entries(job, type_name, rows)
        )

    def later(self, job: Job, now_us: int, until_us: int) -> bool:
        """Lets a walk go on later; False where the claim was lost."""
        parameters = {"id": job.id, "lease": job.lease, "until_us": until_us}
        return self._done(now_us, ("export_later", Rule.TOUCHES, parameters))

    def _entries(self, job: Job, type_name: str, rows: Sequence[int]) -> list[tuple[str, int, object]]:
        return many(
            "export_entry_add",
            [{"job": job.id, "resource": row, "type": type_name, "file": job.files + 1} for row in rows],
        )

    def _done(self, now_us: int, *steps: tuple[str, int, object]) -> bool:
        try:
            self._writer.apply(own_plan(now_us, *steps))
        except GuardFailed:
            return False
        return True
