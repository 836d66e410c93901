"""The state a write is decided on: a snapshot with the rows of this same write laid over it.

What lives here: ``Working``, which lets the entries of one transaction see one another before they exist, and
remembers what was looked at, so that guards can be put on it. What does not: SQL (``store.snapshot``).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from referral_hub.access.rows import CaseAssignment, ReferralAccess
from referral_hub.exchange.change import (
    AuditEntry,
    Change,
    ConsentRows,
    EpochGuard,
    Guard,
    OrganizationGuard,
    ResourceWrite,
    Row,
    VersionGuard,
)
from referral_hub.exchange.ports import ConsentRow, OrganizationRow, ResourceRow, Snapshot, Standing
from referral_hub.fhir import json_codec


def row_of(write: ResourceWrite) -> ResourceRow:
    """Gives the row a write will leave, as the store would return it."""
    return ResourceRow(
        row_id=write.row_id,
        type=write.type,
        id=write.id,
        version=write.version,
        number=write.number,
        updated_us=write.updated_us,
        author=write.author,
        custodian=write.custodian,
        person=write.person,
        category=write.category,
        confidentiality=write.confidentiality,
        sensitivities=write.sensitivities,
        status=write.status,
        owner=write.owner,
        requester=write.requester,
        focus=write.focus,
        based_on=write.based_on,
        data_from_us=write.data_from_us,
        data_until_us=write.data_until_us,
        directory=write.directory,
        never_release=write.never_release,
        foreign_elements=write.foreign_elements,
        kind=write.kind,
        deleted=write.interaction == "delete",
        body=write.body,
        written_by=write.written_by,
        method=write.method,
    )


def assignment_row(assignment: CaseAssignment) -> Row:
    """Gives the row of an assignment: a new one, or the next version of one that is as it was when it was decided."""
    name = "assignment_update" if assignment.version else "assignment_insert"
    return Row(
        name,
        {
            "account": assignment.account,
            "person": assignment.person,
            "organization": assignment.organization,
            "state": assignment.state,
            "version": assignment.version,
            "asked_by": assignment.asked_by,
            "asked_us": assignment.asked_us,
            "confirmed_by": assignment.confirmed_by,
            "changed_us": assignment.changed_us,
        },
        at_least_one=True,
    )


def _identifiers(row: ResourceRow) -> set[str]:
    """Gives the ``system|value`` of a resource's own identifiers."""
    if row.locked:
        return set()
    decoded = json_codec.decode_own(row.body)
    given = decoded.get("identifier") or ()
    return {
        f"{one.get('system', '')}|{one.get('value', '')}"
        for one in (given if isinstance(given, list) else [given])
        if isinstance(one, dict)
    }


class Working:
    """A snapshot plus the writes decided so far in this Change.

    What the snapshot says stays the same while it is open, so it is asked once.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._rows: dict[int, ResourceRow] = {}
        self._references: dict[str, int] = {}
        self._unsaid: list[int] = []
        self._saying: dict[tuple[str, str, str], set[int]] = {}
        self._accesses: dict[tuple[int, str], ReferralAccess] = {}
        self._consents: dict[int, ConsentRows] = {}
        self._guards: dict[Guard, None] = {}
        self._fresh_persons: set[int] = set()
        self._found: dict[str, ResourceRow | None] = {}
        self._found_rows: dict[int, ResourceRow | None] = {}
        self._organizations: dict[str, OrganizationRow | None] = {}
        self._bases: dict[str, list[str]] = {}
        self._standings: dict[tuple[int, str, tuple[str, ...]], Standing] = {}
        self._assignments: dict[tuple[str, int], CaseAssignment] = {}
        self._held: dict[tuple[str, int], None] = {}

    # --- what was looked at ---------------------------------------------------------------------------

    def guards(self) -> tuple[Guard, ...]:
        """Gives the guards for everything the decision stood on."""
        return tuple(self._guards)

    def guard(self, guard: Guard) -> None:
        """Adds a guard for a fact the decision stands on."""
        self._guards[guard] = None

    def guard_row(self, row: ResourceRow) -> None:
        """Adds a guard on a row's version, unless this write itself made the row."""
        if row.row_id not in self._rows:
            self.guard(VersionGuard(row.row_id, row.version))

    def let_go(self) -> None:
        """Drops the guards on consents as a whole; what is written itself stays guarded, version by version."""
        self._guards = {guard: None for guard in self._guards if not isinstance(guard, EpochGuard)}

    def lay(self, change: Change) -> None:
        """Lays the rows of a decided part over the snapshot."""
        for write in change.resources:
            row = row_of(write)
            self._rows[row.row_id] = row
            self._unsaid.append(row.row_id)
            self._references[f"{row.type}/{row.id}"] = row.row_id
            if write.type == "Patient" and write.interaction == "create":
                self._fresh_persons.add(row.row_id)
        for access in change.accesses:
            self._accesses[(access.task, access.organization)] = access
        for rows in change.consents:
            self._consents[rows.consent] = rows

    # --- the snapshot, with this write in it ----------------------------------------------------------

    def resource(self, type_name: str, public_id: str) -> ResourceRow | None:
        """Gives the current row of ``type_name/public_id``."""
        laid = self._references.get(f"{type_name}/{public_id}")
        if laid is not None:
            return self._rows[laid]
        reference = f"{type_name}/{public_id}"
        if reference not in self._found:
            self._remember({reference: self._snapshot.resource(type_name, public_id)})
        return self._found[reference]

    def _remember(self, found: Mapping[str, ResourceRow | None]) -> None:
        self._found.update(found)
        self._found_rows.update({row.row_id: row for row in found.values() if row is not None})

    def resources(self, references: Iterable[str]) -> dict[str, ResourceRow]:
        """Gives current rows by ``Type/id``."""
        wanted = set(references)
        found = {text: self._rows[self._references[text]] for text in wanted if text in self._references}
        missing = wanted - found.keys()
        asked = missing - self._found.keys()
        if asked:
            stored = self._snapshot.resources(asked)
            self._remember({text: stored.get(text) for text in asked})
        found.update({text: row for text in missing if (row := self._found[text]) is not None})
        return found

    def rows(self, row_ids: Sequence[int]) -> dict[int, ResourceRow]:
        """Gives current rows by row id."""
        found = {row_id: self._rows[row_id] for row_id in row_ids if row_id in self._rows}
        missing = [row_id for row_id in row_ids if row_id not in found]
        asked = [row_id for row_id in missing if row_id not in self._found_rows]
        if asked:
            stored = self._snapshot.rows(asked)
            self._found_rows.update({row_id: stored.get(row_id) for row_id in asked})
        found.update({row_id: row for row_id in missing if (row := self._found_rows[row_id]) is not None})
        return found

    def row(self, row_id: int | None) -> ResourceRow | None:
        """Gives one current row by row id."""
        if row_id is None:
            return None
        return self.rows((row_id,)).get(row_id)

    def identified(self, organization: str, type_name: str, token: str) -> list[ResourceRow]:
        """Gives the organisation's own live rows with this identifier, this write included."""
        found = {row.row_id: row for row in self._snapshot.identified(organization, type_name, token)}
        for row_id in self._unsaid:
            row = self._rows[row_id]
            for said in () if row.deleted else _identifiers(row):
                self._saying.setdefault((row.author, row.type, said), set()).add(row_id)
        self._unsaid.clear()
        saying = self._saying.get((organization, type_name, token), set())
        kept = {row_id: row for row_id, row in found.items() if row_id not in self._rows}
        kept.update({row_id: self._rows[row_id] for row_id in saying if not self._rows[row_id].deleted})
        return list(kept.values())

    def standing(self, person: int, organization: str, refusal_targets: Sequence[str]) -> Standing:
        """Gives how the organisation stands to the person, this write included, and guards the epoch."""
        if person in self._fresh_persons:
            base = Standing(person, 0)
        else:
            base = self._stored_standing(person, organization, tuple(refusal_targets))
            self.guard(EpochGuard(person, base.epoch))
            if not self._accesses and not self._consents:
                return base
        replaced = {consent for consent, rows in self._consents.items() if rows.person == person}
        fresh = [rows for rows in self._consents.values() if rows.person == person]
        accesses = {(access.task, access.organization): access for access in base.accesses}
        accesses.update(
            {
                key: access
                for key, access in self._accesses.items()
                if access.person == person and access.organization == organization
            }
        )
        return replace(
            base,
            accesses=tuple(accesses.values()),
            grants=tuple(
                [grant for grant in base.grants if grant.consent not in replaced]
                + [g for rows in fresh for g in rows.grants if g.organization == organization]
            ),
            refusals=tuple(
                [refusal for refusal in base.refusals if refusal.consent not in replaced]
                + [r for rows in fresh for r in rows.refusals if r.target in refusal_targets]
            ),
            exceptions=tuple(
                [exception for exception in base.exceptions if exception.consent not in replaced]
                + [e for rows in fresh for e in rows.exceptions if e.organization == organization]
            ),
        )

    def _stored_standing(self, person: int, organization: str, targets: tuple[str, ...]) -> Standing:
        key = (person, organization, targets)
        found = self._standings.get(key)
        if found is None:
            found = self._standings[key] = self._snapshot.standing(person, organization, targets)
        return found

    def consents(self, person: int) -> list[ConsentRow]:
        """Gives every Consent about the person, this write included."""
        stored = [] if person in self._fresh_persons else self._snapshot.consents(person)
        found = {row.row_id: row for row in stored}
        for row in self._rows.values():
            if row.type == "Consent" and row.person == person:
                found[row.row_id] = ConsentRow(
                    row.row_id, row.id, row.version, row.status, row.body, row.custodian
                )
        return list(found.values())

    def versions(self, row_id: int) -> list[ResourceRow]:
        """Gives every stored version of a resource, newest first; this write's own is not among them."""
        return self._snapshot.versions(row_id)

    def changed_consents(self, person: int) -> bool:
        """Tells whether this write itself changes a Consent of the person."""
        return any(row.type == "Consent" and row.person == person for row in self._rows.values())

    def accesses_of_task(self, task: int) -> list[ReferralAccess]:
        """Gives the referral_access rows of one Task, this write included."""
        found = {access.organization: access for access in self._snapshot.accesses_of_task(task)}
        for (of_task, organization), access in self._accesses.items():
            if of_task == task:
                found[organization] = access
        return list(found.values())

    def accesses_of_person(self, person: int) -> list[ReferralAccess]:
        """Gives every referral_access row about one person, this write included."""
        found = {(a.task, a.organization): a for a in self._snapshot.accesses_of_person(person)}
        found.update({key: access for key, access in self._accesses.items() if access.person == person})
        return list(found.values())

    def organization(self, organization_id: str) -> OrganizationRow | None:
        """Gives the hub's own row of an organisation, and guards it."""
        if organization_id not in self._organizations:
            self._organizations[organization_id] = self._snapshot.organization(organization_id)
        found = self._organizations[organization_id]
        if found is not None:
            self.guard(OrganizationGuard(organization_id, found.version))
        return found

    def hub_organization(self) -> OrganizationRow | None:
        """Gives the network's own organisation."""
        return self._snapshot.hub_organization()

    def registered_bases(self, organization_id: str) -> list[str]:
        """Gives the FHIR base URLs registered for an organisation."""
        if organization_id not in self._bases:
            self._bases[organization_id] = self._snapshot.registered_bases(organization_id)
        return self._bases[organization_id]

    def tasks_of(self, service_request: int) -> list[ResourceRow]:
        """Gives the Tasks whose focus is this ServiceRequest, this write included."""
        found = {row.row_id: row for row in self._snapshot.tasks_of(service_request)}
        found.update(
            {r.row_id: r for r in self._rows.values() if r.type == "Task" and r.focus == service_request}
        )
        return list(found.values())

    def tasks_of_person(self, person: int) -> list[ResourceRow]:
        """Gives the live Tasks about one person, this write included."""
        found = {row.row_id: row for row in self._snapshot.of_person(person, "Task")}
        found.update({r.row_id: r for r in self._rows.values() if r.type == "Task" and r.person == person})
        return list(found.values())

    def delivered_to(self, person: int) -> list[str]:
        """Gives the organisations that received data about the person."""
        return self._snapshot.delivered_to(person)

    def disclosures(self, person: int) -> list[AuditEntry]:
        """Gives the audit entries about the person, as far as they are stored."""
        return [] if person in self._fresh_persons else self._snapshot.disclosures(person)

    def newest_observation(self, person: int, token: str, organization: str) -> ResourceRow | None:
        """Gives the organisation's newest live Observation about a person with this code."""
        stored = None
        if person not in self._fresh_persons:
            stored = self._snapshot.newest_observation(person, token, organization)
        return stored

    # --- who works with whom --------------------------------------------------------------------------

    def lay_assignment(self, assignment: CaseAssignment) -> None:
        """Lays an assignment of this write over the snapshot."""
        self._assignments[assignment.account, assignment.person] = assignment

    def assigned(self, account: str, persons: Collection[int]) -> frozenset[int]:
        """Gives which of these persons are assigned to an account, this write included; the write stands on it."""
        laid = {p: self._assignments[account, p] for p in persons if (account, p) in self._assignments}
        asked = [p for p in persons if p not in laid and p not in self._fresh_persons]
        found = set(self._snapshot.assigned(account, asked)) if asked else set()
        self._held.update(dict.fromkeys((account, person) for person in sorted(found)))
        return frozenset(found | {p for p, one in laid.items() if one.state == "active"})

    def held_rows(self) -> list[Row]:
        """Gives the rows by which a Change fails where an assignment it stands on has ended meanwhile."""
        return [
            Row("assignment_holds", {"account": account, "person": person}, at_least_one=True)
            for account, person in self._held
            if (account, person) not in self._assignments
        ]

    def assignments(self, person: int) -> list[CaseAssignment]:
        """Gives who works with a person, or did, this write included."""
        stored = [] if person in self._fresh_persons else self._snapshot.assignments(person)
        found = {one.account: one for one in stored}
        found.update({account: one for (account, of), one in self._assignments.items() if of == person})
        return list(found.values())
