"""What the OAuth server reads and writes, on the store.

What lives here: ``StoredOAuthRows``. What does not: statements (``store.oauth_rows``), OAuth (``auth``).
"""

from referral_hub.exchange.ports import Admitted, OrganizationRow, TokenRow
from referral_hub.store.database import Database
from referral_hub.store.oauth_rows import OAuthClient, oauth_client
from referral_hub.store.store import SqlStore


class StoredOAuthRows:
    """What the OAuth server reads and writes (``auth.ports.OAuthRows``), on the store."""

    def __init__(self, database: Database, store: SqlStore) -> None:
        self._database = database
        self._store = store

    def oauth_client(self, client_id: str) -> OAuthClient | None:
        """Gives a registration, active or not."""
        return oauth_client(self._database, client_id)

    def oauth_token(self, digest: bytes) -> TokenRow | None:
        """Gives a token row, live or not."""
        with self._store.snapshot() as snapshot:
            return snapshot.token(digest)

    def organization(self, organization_id: str) -> OrganizationRow | None:
        """Gives an organisation's row."""
        with self._store.snapshot() as snapshot:
            return snapshot.organization(organization_id)

    def hub_organization(self) -> OrganizationRow | None:
        """Gives the network's own organisation."""
        with self._store.snapshot() as snapshot:
            return snapshot.hub_organization()

    def apply(self, change: Admitted) -> None:
        """Applies a Change of the OAuth server."""
        self._store.apply(change)
