"""Gathers the rows of one Change while a proposal is being decided.

What lives here: ``Draft``, which makes versions, index rows and everything beside them. What does not: checks
(``exchange.admission``), decisions (``exchange.gate``), SQL (``store``).
"""

from dataclasses import replace
from typing import Any

from referral_hub.access.rows import CaseAssignment, ReferralAccess
from referral_hub.errors import OwnKeyNeeded
from referral_hub.exchange.change import (
    AuditEntry,
    Change,
    ConsentRows,
    Delivery,
    DropDeliveries,
    Due,
    ResourceWrite,
    Row,
)
from referral_hub.exchange.columns import Columns, private_columns
from referral_hub.exchange.indexing import index_rows
from referral_hub.exchange.ports import Ids, ResourceRow
from referral_hub.exchange.stamping import encoded, stamped
from referral_hub.exchange.state import Working, assignment_row, row_of
from referral_hub.exchange.subscription_writing import feed_rows
from referral_hub.fhir import json_codec
from referral_hub.fhir.canonical import CANONICAL
from referral_hub.fhir.dates import instant
from referral_hub.resources.catalog import DEFINITIONS


class Draft:
    """The Change in the making: everything added here is seen at once by the working state."""

    def __init__(self, working: Working, ids: Ids, at_us: int, own_bases: tuple[str, ...]) -> None:
        self.working = working
        self.ids = ids
        self.at_us = at_us
        self.own_bases = own_bases
        self.audit: list[AuditEntry] = []
        self._resources: dict[int, ResourceWrite] = {}
        self._accesses: list[ReferralAccess] = []
        self._consents: list[ConsentRows] = []
        self._deliveries: list[Delivery] = []
        self._dropped: list[DropDeliveries] = []
        self._due: list[Due] = []
        self._rows: list[Row] = []

    # --- resources -------------------------------------------------------------------------------------

    def create(
        self,
        body: dict[str, Any],
        columns: Columns,
        *,
        row_id: int,
        public_id: str,
        author: str,
        foreign_elements: bool = False,
    ) -> ResourceRow:
        """Adds the first version of a resource and gives its row."""
        return self._put(
            body,
            columns,
            row_id=row_id,
            public_id=public_id,
            number=1,
            author=author,
            written_by=author,
            method="POST",
            foreign_elements=foreign_elements,
        )

    def next_version(
        self,
        row: ResourceRow,
        body: dict[str, Any],
        columns: Columns,
        *,
        written_by: str,
        method: str = "PUT",
        foreign_elements: bool | None = None,
    ) -> ResourceRow:
        """Adds the next version of a resource, guarded by its present version, and gives its row."""
        self.working.guard_row(row)
        return self._put(
            body,
            columns,
            row_id=row.row_id,
            public_id=row.id,
            number=row.number + 1,
            author=row.author,
            written_by=written_by,
            method=method,
            foreign_elements=row.foreign_elements if foreign_elements is None else foreign_elements,
        )

    def revise(
        self,
        row: ResourceRow,
        body: dict[str, Any],
        *,
        written_by: str,
        foreign_elements: bool | None = None,
    ) -> ResourceRow:
        """Adds a version that changes nothing a column shows but the status (the hub's own small edits)."""
        status = body.get("status")
        columns = columns_of_row(row, status if isinstance(status, str) else "")
        return self.next_version(row, body, columns, written_by=written_by, foreign_elements=foreign_elements)

    def delete(self, row: ResourceRow, *, written_by: str) -> ResourceRow:
        """Adds the end of a resource: its current row is gone, its history stays for its author."""
        self.working.guard_row(row)
        write = ResourceWrite(
            interaction="delete",
            row_id=row.row_id,
            type=row.type,
            id=row.id,
            version=self.ids.version(),
            number=row.number + 1,
            updated_us=self.at_us,
            author=row.author,
            written_by=written_by,
            body=b"",
            person=row.person,
            custodian=row.custodian,
            category=row.category,
            status=row.status,
            kind=row.kind,
            method="DELETE",
        )
        return self._lay(write)

    def _put(
        self,
        body: dict[str, Any],
        columns: Columns,
        *,
        row_id: int,
        public_id: str,
        number: int,
        author: str,
        written_by: str,
        method: str,
        foreign_elements: bool,
    ) -> ResourceRow:
        type_name = str(body["resourceType"])
        version = self.ids.version()
        whole = stamped(body, public_id=public_id, version=version, at_us=self.at_us)
        indexes = index_rows(DEFINITIONS[type_name], whole, self.own_bases)
        return self._lay(
            ResourceWrite(
                interaction="create" if number == 1 else "update",
                row_id=row_id,
                type=type_name,
                id=public_id,
                version=version,
                number=number,
                updated_us=self.at_us,
                author=author,
                written_by=written_by,
                body=encoded(whole),
                person=columns.person,
                custodian=columns.custodian,
                category=columns.category,
                confidentiality=columns.confidentiality,
                sensitivities=columns.sensitivities,
                status=columns.status,
                owner=columns.owner,
                requester=columns.requester,
                focus=columns.focus,
                based_on=columns.based_on,
                data_from_us=columns.data_from_us,
                data_until_us=columns.data_until_us,
                directory=columns.directory,
                never_release=columns.never_release,
                foreign_elements=foreign_elements,
                kind=columns.kind,
                method=method,
                tokens=indexes.tokens,
                dates=indexes.dates,
                strings=indexes.strings,
                numbers=indexes.numbers,
                links=indexes.links,
            )
        )

    def _lay(self, write: ResourceWrite) -> ResourceRow:
        before = self._resources.get(write.row_id)
        if before is not None:
            # One Change holds one version per resource: a later edit of the same write replaces the earlier.
            write = replace(write, number=before.number, interaction=before.interaction)
        self._resources[write.row_id] = write
        self.working.lay(Change("", resources=(write,)))
        return row_of(write)

    # --- what stands beside them ----------------------------------------------------------------------

    def open(self, access: ReferralAccess) -> None:
        """Adds what a Task opens to its owner."""
        self._accesses.append(access)
        self.working.lay(Change("", accesses=(access,)))

    def compile(self, rows: ConsentRows) -> None:
        """Adds the compiled rows of a Consent."""
        self._consents.append(rows)
        self.working.lay(Change("", consents=(rows,)))

    def tell(self, destination: str, kind: str, row: ResourceRow, *, person: int | None) -> None:
        """Adds something that must leave later."""
        self._deliveries.append(
            Delivery(self.ids.public_id(), destination, kind, row.row_id, person, self.at_us)
        )

    def drop_deliveries(self, person: int, destination: str) -> None:
        """Cancels what is still waiting to leave about this person to this organisation."""
        self._dropped.append(DropDeliveries(person, destination))

    def remind(self, kind: str, row_id: int, at_us: int) -> None:
        """Adds a timer."""
        self._due.append(Due(f"{kind}/{row_id}/{at_us}", kind, row_id, at_us))

    def settle(self, row: Row) -> None:
        """Adds a row of another room that belongs to this Change, such as the end of the timer it answers."""
        self._rows.append(row)

    def assign(self, assignment: CaseAssignment) -> None:
        """Adds that an account works with a person, or that this changed."""
        self.settle(assignment_row(assignment))
        self.working.lay_assignment(assignment)

    def record_move(self, task: ResourceRow, *, organization: str, user: str, activity: str) -> ResourceRow:
        """Adds the Provenance of one move, authored by the organisation that made it.

        Source: HL7 FHIR R4 Provenance; ``referral-loop.md`` Part A row 50.
        """
        reference = f"{task.type}/{task.id}/_history/{task.version}"
        agent: dict[str, Any] = {"who": {"reference": f"Organization/{organization}"}}
        if user:
            agent = {"who": {"display": user}, "onBehalfOf": {"reference": f"Organization/{organization}"}}
        body: dict[str, Any] = {
            "resourceType": "Provenance",
            "target": [{"reference": reference}],
            "recorded": instant(self.at_us),
            "activity": {"coding": [{"system": f"{CANONICAL}/CodeSystem/activity", "code": activity}]},
            "agent": [agent],
        }
        columns = private_columns(task.person)
        row_id = self.ids.row_id(self.at_us)
        return self.create(body, columns, row_id=row_id, public_id=self.ids.public_id(), author=organization)

    def change(self, change_id: str) -> Change:
        """Gives the whole Change with the guards of everything it stands on."""
        return Change(
            change_id=change_id,
            guards=self.working.guards(),
            resources=tuple(self._resources.values()),
            accesses=tuple(self._accesses),
            consents=tuple(self._consents),
            deliveries=tuple(self._deliveries),
            dropped=tuple(self._dropped),
            due=tuple(self._due),
            audit=tuple(self.audit),
            rows=(*self._rows, *self.working.held_rows(), *feed_rows(self._resources.values())),
        )


def stored_bytes(row: ResourceRow) -> bytes:
    """Gives the body of a row as its author wrote it.

    Raises:
        OwnKeyNeeded: it is locked: its author's own key did not come with the request (403).
    """
    if row.locked:
        raise OwnKeyNeeded
    return row.body


def body_of(row: ResourceRow) -> dict[str, Any]:
    """Gives the decoded body of a row.

    Raises:
        OwnKeyNeeded: it is locked: its author's own key did not come with the request (403).
    """
    decoded = json_codec.decode_own(stored_bytes(row))
    return decoded if isinstance(decoded, dict) else {}


def columns_of_row(row: ResourceRow, status: str) -> Columns:
    """Gives the columns of a row, in another status where one is given."""
    return Columns(
        person=row.person,
        category=row.category,
        confidentiality=row.confidentiality,
        sensitivities=row.sensitivities,
        status=status or row.status,
        owner=row.owner,
        requester=row.requester,
        focus=row.focus,
        based_on=row.based_on,
        data_from_us=row.data_from_us,
        data_until_us=row.data_until_us,
        directory=row.directory,
        never_release=row.never_release,
        kind=row.kind,
        custodian=row.custodian,
    )
