"""Partner software as a coordinator keeps it on pages: registered, given other keys, allowed more or less, paused.

What lives here: these acts, each one Change. What does not: the rules of a registration (``auth.clients``), who may do
it (``auth.people.governing``), pages (``web.portal``).

Source: ``consent.md`` O-01 to O-07; ``interfaces.md`` 2.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from referral_hub.auth.app_registrations import App
from referral_hub.auth.changes import client_allowed, client_rotated, client_switched
from referral_hub.auth.client_secrets import hash_secret, new_secret
from referral_hub.auth.clients import (
    ClientKey,
    Registration,
    kind_of,
    register,
    registered_purposes,
    registered_scope,
)
from referral_hub.auth.people.ports import Apply
from referral_hub.auth.ports import OAuthClientRow
from referral_hub.errors import ConfigurationError, GuardFailed, NotFound
from referral_hub.exchange.change import Change
from referral_hub.exchange.ports import OrganizationRow

_CHANGED = "This software was changed meanwhile: look at it again."


@dataclass(frozen=True, slots=True)
class Allowed:
    """What software may ask for: scopes, purposes of use, very restricted content, tokens bound to a key only."""

    scope: str
    purposes: tuple[str, ...] = ()
    very_restricted: bool = False
    require_dpop: bool = False


class Software(OAuthClientRow, Protocol):
    """Software as the hub registered it, with the version a change is decided on."""

    @property
    def version(self) -> int:
        """Gives how often it was changed."""

    @property
    def created_us(self) -> int:
        """Gives when it was registered."""


class SoftwareRows(Protocol):
    """The store as this module sees it."""

    def software(self, client_id: str) -> Software | None:
        """Gives one software, active or not."""

    def software_of(self, organization: str) -> Sequence[Software]:
        """Gives the software of an organisation, active or not."""

    def last_token_us(self, client_id: str) -> int:
        """Gives when it last got a token that is still kept; 0 where none is."""

    def organization(self, organization_id: str) -> OrganizationRow | None:
        """Gives an organisation."""


class SoftwareOffice:
    """Keeps partner software. Safe for threads and processes.

    Args:
        rows: the store.
        apply: applies a Change.
        types: the resource types the hub serves.
        clock: the process clock, microseconds UTC.
    """

    def __init__(
        self,
        rows: SoftwareRows,
        apply: Apply,
        types: Collection[str],
        clock: Callable[[], int],
    ) -> None:
        self.rows = rows
        self._apply = apply
        self._types = types
        self._clock = clock

    def found(self, client_id: str) -> Software:
        """Gives one software of a partner.

        Raises:
            NotFound: there is none (404); the hub's own pages are none.
        """
        software = self.rows.software(client_id)
        if software is None or not software.organization:
            raise NotFound
        return software

    def register(
        self,
        organization: str,
        name: str,
        key: ClientKey,
        allowed: Allowed,
        app: App | None = None,
        *,
        by: str,
    ) -> Registration:
        """Registers software; its secret, where it has one, is in the answer and kept nowhere.

        Raises:
            ConfigurationError: the first rule that does not hold.
        """
        if any(one.name == name.strip() for one in self.rows.software_of(organization)):
            raise ConfigurationError("This organisation has software of this name already.")
        made = register(
            self.rows.organization(organization),
            name,
            key,
            allowed.scope,
            types=self._types,
            at_us=self._clock(),
            purposes=allowed.purposes,
            require_dpop=allowed.require_dpop,
            very_restricted=allowed.very_restricted,
            app=app,
            by=by,
        )
        self._applied(made.change)
        return made

    def allow(self, client_id: str, version: int, allowed: Allowed, *, by: str) -> None:
        """Changes what software may ask for; its tokens end, and fresh ones are of the new measure.

        Raises:
            ConfigurationError: the first rule that does not hold.
            NotFound: there is none (404).
        """
        software = self._unchanged(client_id, version)
        key = ClientKey(public=software.kind == "public")
        app = App(software.redirect_uris)
        scope = registered_scope(allowed.scope, self._types, key, app)
        purposes = registered_purposes(allowed.purposes, None)
        if app.redirect_uris and len(purposes) > 1:
            raise ConfigurationError(
                "Software that people sign in with has one purpose of use: register one for each."
            )
        columns: dict[str, int | str | bytes | None] = {
            "scope": scope,
            "purposes": " ".join(purposes),
            "require_dpop": int(allowed.require_dpop),
            "very_restricted": int(allowed.very_restricted),
        }
        self._applied(client_allowed(software, columns, at_us=self._clock(), by=by))

    def rotate(self, client_id: str, version: int, key: ClientKey, *, by: str) -> str:
        """Gives software other keys, of the kind it has; its tokens end. Gives the fresh secret, or an empty text.

        Raises:
            ConfigurationError: the keys cannot be used, or are of another kind.
            NotFound: there is none (404).
        """
        software = self._unchanged(client_id, version)
        if kind_of(key) != software.kind or key.public:
            raise ConfigurationError("Software keeps the way it proves itself: register it anew for another.")
        secret = new_secret() if key.secret else ""
        columns: dict[str, int | str | bytes | None] = {
            "jwks": key.jwks,
            "jwks_url": key.jwks_url,
            "secret_hash": hash_secret(secret) if secret else "",
        }
        self._applied(client_rotated(software, columns, at_us=self._clock(), by=by))
        return secret

    def switch(self, client_id: str, *, active: bool, by: str) -> None:
        """Pauses software, with all its tokens, or lets it work again.

        Raises:
            NotFound: there is none (404).
        """
        self._applied(client_switched(self.found(client_id), active=active, at_us=self._clock(), by=by))

    def _unchanged(self, client_id: str, version: int) -> Software:
        software = self.found(client_id)
        if software.version != version:
            raise ConfigurationError(_CHANGED)
        return software

    def _applied(self, change: Change) -> None:
        try:
            self._apply(change)
        except GuardFailed:
            raise ConfigurationError(
                "Somebody else changed this software meanwhile: look at it again."
            ) from None
