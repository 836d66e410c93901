"""One consistent state of the store, for decisions that need several looks.

What lives here: ``StoreSnapshot``, the ``Snapshot`` of ``exchange.ports`` over one read transaction. What
does not: its statements (``store.view_queries``), and reads and searches that need one statement only
(``store.read``, ``store.searching``).

Source: ``engine.md`` 1 and 2; ``exchange.ports.Snapshot``.
"""

from collections.abc import Collection, Iterable, Sequence

from referral_hub.access.reach import Reach
from referral_hub.access.rows import CaseAssignment, ReferralAccess
from referral_hub.exchange.change import AuditEntry
from referral_hub.exchange.history_bounds import HistoryBounds
from referral_hub.exchange.ports import (
    ConsentRow,
    OrganizationRow,
    ResourceRow,
    Standing,
    TokenRow,
)
from referral_hub.store import view_queries as asked
from referral_hub.store.assignment_statements import ASSIGNED, assignments_of
from referral_hub.store.audit_rows import entry_of
from referral_hub.store.bodies import Bodies
from referral_hub.store.database import Connection
from referral_hub.store.desk_counts import OVERDUE, counts
from referral_hub.store.form_counts import form_count
from referral_hub.store.history_sql import AUTHORED, authored_within
from referral_hub.store.index_rows import Digests
from referral_hub.store.reach_sql import lens_for, values_for
from referral_hub.store.row_making import consent_row, organization_row, resource_row
from referral_hub.store.searching import read_token
from referral_hub.store.standing_sql import accesses
from referral_hub.store.standings import ConsentTexts, Standings
from referral_hub.store.statements import Parameters, Statement
from referral_hub.store.tokens import Tokens


class StoreSnapshot:
    """Looks at one state.

    Args:
        connection: inside a read transaction.
        bodies: opens what lies sealed.
        tokens: what is kept of tokens.
        standings: what is kept of standings.
        digests: keyed digests of what is searched for.
    """

    def __init__(
        self, connection: Connection, bodies: Bodies, tokens: Tokens, standings: Standings, digests: Digests
    ) -> None:
        self._connection = connection
        self._bodies = bodies
        self._tokens = tokens
        self._standings = standings
        self._digests = digests

    # --- resources ----------------------------------------------------------------------------------------

    def resource(self, type_name: str, public_id: str) -> ResourceRow | None:
        """Gives the current row of ``type_name/public_id``, deleted ones too."""
        return self._one(asked.RESOURCE, {"type": type_name, "id": public_id})

    def rows(self, row_ids: Sequence[int]) -> dict[int, ResourceRow]:
        """Gives current rows by row id."""
        wanted = list(dict.fromkeys(row_ids))
        found = self._many(asked.ROWS, {"rows": wanted}) if wanted else []
        return {row.row_id: row for row in found}

    def resources(self, references: Iterable[str]) -> dict[str, ResourceRow]:
        """Gives current rows by ``Type/id``."""
        wanted = set(references)
        ids = sorted({reference.partition("/")[2] for reference in wanted} - {""})
        found = self._many(asked.BY_IDS, {"ids": ids}) if ids else []
        return {name: row for row in found if (name := f"{row.type}/{row.id}") in wanted}

    def identified(self, organization: str, type_name: str, token: str) -> list[ResourceRow]:
        """Gives the organisation's own live rows that carry this ``system|value`` identifier (at most 2)."""
        digest = self._digests.token(type_name, "identifier", token)
        return self._many(asked.IDENTIFIED, {"organization": organization, "type": type_name, "hash": digest})

    def based_on(self, service_request: int, type_name: str) -> list[ResourceRow]:
        """Gives current rows of a type whose hot column ``based_on`` is this ServiceRequest."""
        return self._many(asked.BASED_ON, {"request": service_request, "type": type_name})

    def tasks_of(self, service_request: int) -> list[ResourceRow]:
        """Gives the Tasks whose focus is this ServiceRequest."""
        return self._many(asked.TASKS, {"request": service_request})

    def of_person(self, person: int, type_name: str) -> list[ResourceRow]:
        """Gives every current undeleted row of a type about one person, whoever authored it, oldest first."""
        return self._many(asked.OF_PERSON, {"person": person, "type": type_name})

    def newest_observation(self, person: int, token: str, organization: str) -> ResourceRow | None:
        """Gives the organisation's newest live Observation about a person with this code ``system|code``."""
        digest = self._digests.token("Observation", "code", token)
        return self._one(
            asked.NEWEST_OBSERVATION, {"person": person, "hash": digest, "organization": organization}
        )

    def versions(self, row_id: int) -> list[ResourceRow]:
        """Gives every stored version of a resource, newest first, with each version's own columns."""
        return self._many(asked.VERSIONS, {"row": row_id})

    def version(self, row_id: int, version: str) -> ResourceRow | None:
        """Gives one stored version."""
        return self._one(asked.VERSION, {"row": row_id, "version": version})

    def history(
        self,
        author: str,
        type_name: str,
        asked: HistoryBounds,
        reach: Reach | None = None,
        account: str = "",
    ) -> list[ResourceRow]:
        """Gives one page, and one more, of an organisation's own versions of a type, newest first."""
        low, high = asked.bounds_us
        key, row = asked.below
        parameters: Parameters = {
            "author": author,
            "type": type_name,
            "since_us": low,
            "before_us": high,
            "replaced_us": asked.replaced_us,
            "key": key,
            "row": row,
            "limit": asked.count + 1,
        }
        if reach is None:
            return self._many(AUTHORED, parameters)
        lens = lens_for(reach, None, 0, very_restricted=True)
        parameters = {**parameters, "organization": author, **values_for(lens, reach, account, None)}
        return self._many(authored_within(type_name, lens), parameters)

    # --- consents and referrals ---------------------------------------------------------------------------

    def standing(self, person: int, organization: str, refusal_targets: Sequence[str]) -> Standing:
        """Gives how the organisation stands to the person; without targets every refusal reaches it."""
        found = self._connection.first(asked.STANDING, {"person": person, "organization": organization})
        epoch, accesses_text, *texts = found or (None, None, None, None, None)
        return self._standings.now(
            person, organization, tuple(refusal_targets), epoch or 0, accesses_text, ConsentTexts(*texts)
        )

    def accesses_of_task(self, task: int) -> list[ReferralAccess]:
        """Gives the referral_access rows of one Task."""
        return self._accesses(asked.ACCESSES_OF_TASK, {"task": task})

    def accesses_of_person(self, person: int) -> list[ReferralAccess]:
        """Gives every referral_access row about one person."""
        return self._accesses(asked.ACCESSES_OF_PERSON, {"person": person})

    def consents(self, person: int) -> list[ConsentRow]:
        """Gives every Consent about the person, of every status."""
        found = self._connection.run(asked.CONSENTS, {"person": person})
        return [consent_row(row, self._bodies) for row in found]

    # --- who works with whom ------------------------------------------------------------------------------

    def assigned(self, account: str, persons: Collection[int]) -> frozenset[int]:
        """Gives which of these persons are assigned to an account."""
        found = self._connection.run(ASSIGNED, {"account": account, "persons": sorted(persons)})
        return frozenset(person for (person,) in found)

    def assignments(self, person: int) -> list[CaseAssignment]:
        """Gives who works with a person, or did."""
        return assignments_of(self._connection, person)

    # --- who is who ---------------------------------------------------------------------------------------

    def token(self, digest: bytes) -> TokenRow | None:
        """Gives the token row of this SHA-256 digest, live or not."""
        return read_token(self._connection, self._tokens, digest)

    def organization(self, organization_id: str) -> OrganizationRow | None:
        """Gives the hub's own row of an organisation."""
        found = self._connection.first(asked.ORGANIZATION, {"id": organization_id})
        return None if found is None else organization_row(found)

    def hub_organization(self) -> OrganizationRow | None:
        """Gives the network's own organisation."""
        found = self._connection.first(asked.HUB_ORGANIZATION)
        return None if found is None else organization_row(found)

    def registered_bases(self, organization_id: str) -> list[str]:
        """Gives the FHIR base URLs registered for an organisation (its own, not its parents')."""
        return [base for (base,) in self._connection.run(asked.BASES, {"id": organization_id})]

    # --- what left ----------------------------------------------------------------------------------------

    def delivered_to(self, person: int) -> list[str]:
        """Gives the organisations that received or pulled data about the person (disclosure ledger)."""
        return [recipient for (recipient,) in self._connection.run(asked.RECIPIENTS, {"person": person})]

    def disclosures(self, person: int) -> list[AuditEntry]:
        """Gives the audit entries about a person, oldest first: disclosures and refused attempts."""
        found = self._connection.run(asked.DISCLOSURES, {"person": person})
        return [entry_of(self._bodies, row, person) for row in found]

    def desk_counts(self) -> list[tuple[str, str, str, int]]:
        """Gives (organisation id, kind, status, number) of Tasks of the desk and recalls; no person."""
        return counts(self._connection, self._digests.token("Task", "business-status", OVERDUE))

    def form_count(self, uri: str) -> int:
        """Gives how many active Consents name this version of the form; no person."""
        return form_count(self._connection, self._digests.token("Consent", "policy", uri))

    # --- making rows --------------------------------------------------------------------------------------

    def _one(self, statement: Statement, parameters: Parameters) -> ResourceRow | None:
        found = self._connection.first(statement, parameters)
        return None if found is None else resource_row(found, self._bodies)

    def _many(self, statement: Statement, parameters: Parameters) -> list[ResourceRow]:
        bodies = self._bodies
        return [resource_row(found, bodies) for found in self._connection.run(statement, parameters)]

    def _accesses(self, statement: Statement, parameters: Parameters) -> list[ReferralAccess]:
        found = self._connection.first(statement, parameters)
        return [] if found is None else list(accesses(found[0]))
