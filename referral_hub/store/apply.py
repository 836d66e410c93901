"""From a Change to a plan: sealed bodies, index rows and statements, guards first.

What lives here: ``Planner``, and ``Writes``, the write half of the store. What does not: any decision (the
Change is ``Admitted``), SQL (``store.write_statements``), running and committing (``store.sqlite_writer``,
``store.postgres_writer``).

Source: ``engine.md`` 1 (writes) and 4 (keys).
"""

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from referral_hub.exchange.change import (
    AbsentGuard,
    Change,
    ConsentRows,
    Delivery,
    Due,
    EpochGuard,
    Guard,
    OrganizationGuard,
    ResourceWrite,
    Row,
    TokenGuard,
    VersionGuard,
)
from referral_hub.exchange.ports import Admitted
from referral_hub.store.audit_rows import audit_steps
from referral_hub.store.bodies import Bodies, body_label
from referral_hub.store.index_rows import TABLES, Digests, rows_of
from referral_hub.store.own_file_plan import OwnFilePlan
from referral_hub.store.plan import Plan, Rule, Step, many
from referral_hub.store.sealing import Sealing, person_key_name
from referral_hub.store.statements import WRITES

_LOCK_ORDER = {
    "guard_token": 0,
    "guard_organization": 1,
    "own_file_lock": 2,
    "guard_epoch": 3,
    "guard_epoch_written": 3,
    "guard_absent_lock": 4,
    "guard_version": 5,
    "guard_version_written": 5,
    "guard_absent": 6,
}


class PlanWriter(Protocol):
    """Whoever applies plans to the database."""

    def apply(self, plan: Plan) -> None:
        """Applies a plan whole, or raises GuardFailed, Busy or Unavailable."""

    def close(self) -> None:
        """Gives back what it holds."""


class Planner:
    """Turns Changes into plans.

    Args:
        bodies: seals what the rows hold.
        digests: the keyed digests of index rows.
        clock: the process clock, microseconds UTC; it only dates the mark of an applied Change.
    """

    def __init__(self, bodies: Bodies, digests: Digests, clock: Callable[[], int]) -> None:
        self._bodies = bodies
        self._digests = digests
        self._clock = clock

    def plan(self, change: Change) -> Plan:
        """Gives the plan of a Change.

        Raises:
            Unavailable: where something cannot be sealed.
            ValueError: where a row names a statement that is not there, or gives it other parameters.
        """
        sealing = Sealing(self._bodies.keys, _new_persons(change.resources))
        at_us = self._clock()
        own_files = self._bodies.own_files
        holders = own_files.holders()
        own_file = OwnFilePlan(own_files, holders, change, at_us) if holders else None
        steps: list[Step] = []
        steps += self._resources(sealing, change.resources, own_file)
        for rows in change.consents:
            steps += _consent(rows)
        for access in change.accesses:
            steps.append(
                (
                    "referral_access_put",
                    Rule.ANY,
                    {
                        "task": access.task,
                        "organization": access.organization,
                        "back": int(access.back),
                        "person": access.person,
                        "service_request": access.service_request,
                        "level": access.level,
                        "until_us": access.until_us,
                        "nameless": int(access.nameless),
                        "accepted": int(access.accepted),
                    },
                )
            )
        for dropped in change.dropped:
            parameters = {"person": dropped.person, "destination": dropped.destination, "nothing": b""}
            steps.append(("outbox_drop", Rule.ANY, parameters))
        steps += [_delivery(sealing, delivery) for delivery in change.deliveries]
        steps += [_timer(sealing, due) for due in change.due]
        steps += audit_steps(sealing, change.audit)
        steps += [_row(row) for row in change.rows]
        written = {write.row_id for write in change.resources}
        raised = {rows.person for rows in change.consents}
        held: list[Step] = []
        if own_file is not None:
            held, last = own_file.work()
            steps += last
        return Plan(
            change.change_id,
            at_us,
            tuple(self._guards(change.guards, written, raised, held)),
            (*sealing.steps(at_us), *steps),
            sealing.made,
        )

    def _guards(
        self, guards: Iterable[Guard], written: set[int], raised: set[int], held: Iterable[Step]
    ) -> list[Step]:
        """Locks are taken in one order by everybody, so that two Changes do not wait for each other."""
        found = [*held, *(step for guard in guards for step in self._guard(guard, written, raised))]
        return sorted(found, key=lambda step: (_LOCK_ORDER[step[0]], repr(sorted(step[2].items()))))

    def _guard(self, guard: Guard, written: set[int], raised: set[int]) -> list[Step]:
        match guard:
            case VersionGuard(row_id, version):
                name = "guard_version_written" if row_id in written else "guard_version"
                return [(name, Rule.FOUND, {"row_id": row_id, "version": version})]
            case EpochGuard(person, epoch):
                name = "guard_epoch_written" if person in raised else "guard_epoch"
                return [(name, Rule.FOUND, {"person": person, "epoch": epoch})]
            case TokenGuard(digest, at_us):
                return [("guard_token", Rule.FOUND, {"digest": digest, "at_us": at_us})]
            case OrganizationGuard(organization, version):
                parameters = {"organization": organization, "version": version}
                return [("guard_organization", Rule.FOUND, parameters)]
            case AbsentGuard():
                return self._absent(guard)

    def _absent(self, guard: AbsentGuard) -> list[Step]:
        token = self._digests.token
        key = token(guard.type, f"if-none-exist {guard.parameter}", f"{guard.organization} {guard.token}")
        found = token(guard.type, guard.parameter, guard.token)
        return [
            ("guard_absent_lock", Rule.ANY, {"digest": key}),
            (
                "guard_absent",
                Rule.ABSENT,
                {"hash": found, "organization": guard.organization, "type": guard.type},
            ),
        ]

    def _resources(
        self, sealing: Sealing, writes: Iterable[ResourceWrite], own_file: OwnFilePlan | None
    ) -> list[Step]:
        steps: list[Step] = []
        created: list[dict[str, Any]] = []
        cleared: list[dict[str, int]] = []
        last: dict[int, ResourceWrite] = {}
        for write in writes:
            columns = _columns(sealing, write, own_file)
            if write.interaction == "create":
                created.append(columns)
            else:
                steps += _created(created)
                created = []
                steps.append(("resource_update", Rule.TOUCHES, {**columns, "before": write.number - 1}))
                steps += many("resource_version_copy", [{"row_id": write.row_id}])
                if write.row_id not in last:
                    cleared.append({"row_id": write.row_id})
            last[write.row_id] = write
        steps += _created(created)
        rows = [rows_of(self._digests, write) for write in last.values()]
        for table in TABLES:
            steps += many(f"{table}_clear", cleared)
            steps += many(f"{table}_insert", [row for found in rows for row in found[table]])
        return steps


def _created(created: list[dict[str, Any]]) -> list[Step]:
    copies = [{"row_id": columns["row_id"]} for columns in created]
    return [*many("resource_insert", created), *many("resource_version_copy", copies)]


def _new_persons(writes: Iterable[ResourceWrite]) -> list[int]:
    """Gives the row ids of the persons whose records are made here: a Patient is about herself.

    Their keys are made in the same Change, and their ``person`` rows with them (``Sealing.steps``).
    """
    return [
        write.row_id
        for write in writes
        if write.interaction == "create" and write.type == "Patient" and write.person == write.row_id
    ]


def _columns(sealing: Sealing, write: ResourceWrite, own_file: OwnFilePlan | None) -> dict[str, Any]:
    body_format, body = sealing.seal(write.body, write.person, body_label(write.id, write.version))
    if own_file is not None:
        body_format, body = own_file.sealed(write, body_format, body)
    return {
        "row_id": write.row_id,
        "type": write.type,
        "id": write.id,
        "version": write.version,
        "number": write.number,
        "updated_us": write.updated_us,
        "author": write.author,
        "written_by": write.written_by,
        "method": write.method,
        "custodian": write.custodian,
        "person": write.person,
        "category": write.category,
        "confidentiality": write.confidentiality,
        "sensitivities": " ".join(write.sensitivities),
        "status": write.status,
        "owner": write.owner or None,
        "requester": write.requester or None,
        "focus": write.focus,
        "based_on": write.based_on,
        "data_from_us": write.data_from_us,
        "data_until_us": write.data_until_us,
        "directory": int(write.directory),
        "never_release": int(write.never_release),
        "foreign_elements": int(write.foreign_elements),
        "kind": write.kind,
        "deleted": int(write.interaction == "delete"),
        "body_format": body_format,
        "body": body,
    }


def _consent(rows: ConsentRows) -> list[Step]:
    steps: list[Step] = [
        (f"{table}_clear", Rule.ANY, {"consent": rows.consent})
        for table in ("consent_grant", "refusal", "refusal_exception")
    ]
    steps += many(
        "consent_grant_insert",
        [
            {
                "organization": grant.organization,
                "person": grant.person,
                "purpose": grant.purpose,
                "category": grant.category,
                "resource": grant.resource,
                "consent": rows.consent,
                "position": position,
                "consent_id": grant.consent_id,
                "consent_version": grant.consent_version,
                "very_restricted": int(grant.very_restricted),
                "valid_from_us": grant.valid_from_us,
                "valid_until_us": grant.valid_until_us,
                "data_from_us": grant.data_from_us,
                "data_until_us": grant.data_until_us,
            }
            for position, grant in enumerate(rows.grants)
        ],
    )
    steps += many(
        "refusal_insert",
        [
            {
                "person": refusal.person,
                "target": refusal.target,
                "consent": rows.consent,
                "position": position,
                "purpose": refusal.purpose,
                "category": refusal.category,
                "resource": refusal.resource,
                "at_least": refusal.at_least,
                "valid_from_us": refusal.valid_from_us,
                "valid_until_us": refusal.valid_until_us,
            }
            for position, refusal in enumerate(rows.refusals)
        ],
    )
    steps += many(
        "refusal_exception_insert",
        [
            {
                "person": exception.person,
                "organization": exception.organization,
                "consent": rows.consent,
                "position": position,
                "purpose": exception.purpose,
                "resource": exception.resource,
                "valid_from_us": exception.valid_from_us,
                "valid_until_us": exception.valid_until_us,
            }
            for position, exception in enumerate(rows.exceptions)
        ],
    )
    parameters = {"row_id": rows.person, "epoch": 1, "key": person_key_name(rows.person)}
    steps.append(("person_raise_epoch", Rule.ANY, parameters))
    return steps


def _delivery(sealing: Sealing, delivery: Delivery) -> Step:
    detail_format, detail = sealing.seal(delivery.detail, delivery.person, f"outbox/{delivery.key}")
    parameters = {
        "key": delivery.key,
        "destination": delivery.destination,
        "kind": delivery.kind,
        "resource": delivery.resource,
        "person": delivery.person,
        "not_before_us": delivery.not_before_us,
        "detail_format": detail_format,
        "detail": detail,
    }
    return ("outbox_insert", Rule.ANY, parameters)


def _timer(sealing: Sealing, due: Due) -> Step:
    detail_format, detail = sealing.seal(due.detail, None, f"due/{due.key}")
    parameters = {
        "key": due.key,
        "kind": due.kind,
        "resource": due.resource,
        "at_us": due.at_us,
        "detail_format": detail_format,
        "detail": detail,
    }
    return ("due_put", Rule.ANY, parameters)


def _row(row: Row) -> Step:
    if row.statement not in WRITES or WRITES[row.statement].takes_rows:
        raise ValueError(f"{row.statement}: there is no statement of this name for a single row")
    if row.parameters.keys() != WRITES[row.statement].parameters:
        raise ValueError(f"{row.statement}: takes {sorted(WRITES[row.statement].parameters)}")
    return (row.statement, Rule.TOUCHES if row.at_least_one else Rule.ANY, row.parameters)


class Writes:
    """The write half of the store: the one way in for every Change.

    Args:
        planner: turns a Change into a plan.
        writer: applies plans.
        bodies: whose keyring remembers the keys a Change made.
    """

    def __init__(self, planner: Planner, writer: PlanWriter, bodies: Bodies) -> None:
        self._planner = planner
        self._writer = writer
        self._bodies = bodies

    def apply(self, change: Admitted) -> None:
        """Applies a Change whole; applying it a second time is the same as once.

        Raises:
            GuardFailed: a guard no longer holds: decide again.
            Busy: the writer cannot take it now.
            Unavailable: it is not known whether it was applied; the same Change may be applied again.
        """
        plan = self._planner.plan(change)
        self._writer.apply(plan)
        for person, key in plan.keys.items():
            self._bodies.keys.remember(person, key)

    def close(self) -> None:
        """Gives back what the writer holds."""
        self._writer.close()
