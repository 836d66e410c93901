"""What the pages of the administration stand on: offices, reads and acts, joined for one process.

What lives here: wiring. What does not: pages (``web.portal``), rules (``auth``, ``exchange``, ``outbound``).
"""

from collections.abc import Iterable, Sequence

from referral_hub.auth.people.governing import Governing
from referral_hub.auth.people.people import People
from referral_hub.auth.software_office import SoftwareOffice
from referral_hub.exchange.change import Change, Row
from referral_hub.exchange.hub import Hub
from referral_hub.exchange.member_organizations import MemberOrganizations
from referral_hub.exchange.ports import OrganizationRow
from referral_hub.keyring.ring import CHECKPOINT, HUB, INDEX, LINKS, Keyring
from referral_hub.network_policy import consent_limits
from referral_hub.outbound.dead_letters import DeadLetters
from referral_hub.resources.catalog import DEFINITIONS
from referral_hub.settings import Settings
from referral_hub.store.accounts import Accounts
from referral_hub.store.bodies import Bodies
from referral_hub.store.database import Database
from referral_hub.store.oauth_rows import OAuthClient, last_token_us, oauth_client, oauth_clients_of
from referral_hub.store.office_reads import StoredOffice
from referral_hub.store.organizations import below, is_named, organization_rows
from referral_hub.web.portal.admin_room import Administration


class StoredSoftware:
    """Partner software (``auth.software_office.SoftwareRows``), on the store."""

    def __init__(self, database: Database, hub: Hub) -> None:
        self._database = database
        self._hub = hub

    def software(self, client_id: str) -> OAuthClient | None:
        """Gives one software, active or not."""
        return oauth_client(self._database, client_id)

    def software_of(self, organization: str) -> Sequence[OAuthClient]:
        """Gives the software of an organisation, active or not."""
        return oauth_clients_of(self._database, organization)

    def last_token_us(self, client_id: str) -> int:
        """Gives when it last got a token that is still kept; 0 where none is."""
        return last_token_us(self._database, client_id)

    def organization(self, organization_id: str) -> OrganizationRow | None:
        """Gives an organisation."""
        with self._hub.store.snapshot() as snapshot:
            return snapshot.organization(organization_id)


def member_organizations(hub: Hub, database: Database) -> MemberOrganizations:
    """Gives what adds and changes organisations."""

    def rows(row: OrganizationRow, bases: Iterable[str] | None) -> tuple[Row, ...]:
        return organization_rows(database, row, bases)

    return MemberOrganizations(
        hub,
        rows,
        lambda organization_id: below(database, organization_id),
        lambda part_of, name: is_named(database, part_of, name),
    )


def administration_of(
    settings: Settings, database: Database, bodies: Bodies, keyring: Keyring, hub: Hub, people: People
) -> Administration:
    """Gives everything the pages of the administration stand on."""

    def hub_organization() -> str:
        with hub.store.snapshot() as snapshot:
            found = snapshot.hub_organization()
        return "" if found is None else found.facts.id

    def apply(change: Change) -> None:
        hub.store.apply(hub.gate.admit_token(change))

    accounts = Accounts(database, bodies, keyring.digests)
    return Administration(
        Governing(people.office, accounts, hub_organization),
        member_organizations(hub, database),
        SoftwareOffice(StoredSoftware(database, hub), apply, DEFINITIONS, hub.clock),
        StoredOffice(database, keyring, (HUB, INDEX, CHECKPOINT, LINKS)),
        DeadLetters(apply, hub.clock),
        settings,
        consent_limits(settings).policy,
    )
