"""Registering a partner's software: checked whole, then one Change.

What lives here: the rules for a registration, and the Change that makes it. What does not: the command that
asks for it (``cli``), and self-registration, which does not exist: an operator registers each client after an
agreement.

Source: ``consent.md`` O-01, O-02, O-04, O-07 and O-14; ``views.md`` 7; ``interfaces.md`` 2.
"""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from referral_hub.access.scopes import ScopeSet
from referral_hub.auth.app_registrations import App, check_app, check_app_scope
from referral_hub.auth.changes import client_registered
from referral_hub.auth.client_secrets import hash_secret, new_secret
from referral_hub.auth.keys import KeyRefused, check_key_set
from referral_hub.auth.purposes import is_purpose_code
from referral_hub.errors import ConfigurationError, MalformedContent
from referral_hub.exchange.change import Change, Row
from referral_hub.exchange.ports import OrganizationRow

_LONGEST_NAME = 200
_LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class ClientKey:
    """How the software will prove itself: exactly one of the four.

    Args:
        jwks: its public keys, as the text of a JWK Set.
        jwks_url: the address of its public keys; preferred, since its owner can change keys there.
        secret: True for a secret the hub makes.
        public: True for an app that cannot keep a secret, and so proves nothing.
    """

    jwks: str = ""
    jwks_url: str = ""
    secret: bool = False
    public: bool = False


@dataclass(frozen=True, slots=True)
class Registration:
    """A registration ready to be written; ``secret`` is shown once and kept nowhere."""

    client_id: str
    change: Change
    secret: str = ""

    def __repr__(self) -> str:
        return f"Registration(client_id={self.client_id!r})"


def register(
    organization: OrganizationRow | None,
    name: str,
    key: ClientKey,
    scope: str,
    *,
    types: Collection[str],
    at_us: int,
    purposes: Sequence[str] = (),
    known_purposes: Collection[str] | None = None,
    require_dpop: bool = False,
    very_restricted: bool = False,
    app: App | None = None,
    by: str = "",
) -> Registration:
    """Gives the registration of a client, if everything about it holds.

    Args:
        organization: the organisation it acts for, as the hub knows it.
        name: its name for people.
        key: how it will prove itself.
        scope: what it may ever ask for; ``*`` is written out as ``types`` here and never kept.
        types: the resource types the hub serves.
        at_us: the moment, microseconds since 1970 UTC.
        purposes: its purposes of use; none opens nothing of other organisations.
        known_purposes: the codes that exist; None checks their spelling only.
        require_dpop: every token of it is bound to a key, and a request for one without a proof is refused.
        very_restricted: whether very restricted content may go to its ordinary token; without it, only to one that is
            bound to a consent.
        app: what software has that people sign in with; None where nobody does.
        by: the account that registers it; empty for the command line.

    Raises:
        ConfigurationError: with the first rule that does not hold; exit code 1 of the command.
    """
    if organization is None or not organization.facts.active:
        raise ConfigurationError("There is no such organisation, or it is suspended.")
    if not 0 < len(name.strip()) <= _LONGEST_NAME or not name.isprintable():
        raise ConfigurationError("The name of a client has 1 to 200 printable characters.")
    app = app or App()
    kind = kind_of(key)
    check_app(app, public=key.public, purposes=purposes)
    secret = new_secret() if key.secret else ""
    client_id = f"c-{secrets.token_hex(8)}"
    parameters: dict[str, int | str | bytes | None] = {
        "client_id": client_id,
        "organization": organization.facts.id,
        "name": name.strip(),
        "kind": kind,
        "jwks": key.jwks,
        "jwks_url": key.jwks_url,
        "secret_hash": hash_secret(secret) if secret else "",
        "scope": registered_scope(scope, types, key, app),
        "purposes": " ".join(registered_purposes(purposes, known_purposes)),
        "redirect_uris": " ".join(app.redirect_uris),
        "require_dpop": int(require_dpop),
        "very_restricted": int(very_restricted),
    }
    change = client_registered(parameters, at_us=at_us, by=by)
    if app.redirect_uris:
        columns: dict[str, int | str | bytes | None] = {"client_id": client_id, "launch_url": app.launch_url}
        columns["require_par"] = int(app.require_par)
        change = replace(change, rows=(*change.rows, Row("oauth_app_insert", columns, at_least_one=True)))
    return Registration(client_id, change, secret)


def kind_of(key: ClientKey) -> str:
    """Gives how software proves itself, once its keys can be used.

    Raises:
        ConfigurationError: not exactly one way, or keys that cannot be used.
    """
    if sum((bool(key.jwks), bool(key.jwks_url), key.secret, key.public)) != 1:
        raise ConfigurationError(
            "A client proves itself in exactly one way: a key set, its address, or a secret; or it is a public app."
        )
    if key.public:
        return "public"
    if key.secret:
        return "secret"
    if key.jwks:
        try:
            check_key_set(key.jwks)
        except KeyRefused as refusal:
            raise ConfigurationError(refusal.text) from None
        return "jwks"
    _check_address(key.jwks_url)
    return "jwks_url"


def _check_address(url: str) -> None:
    try:
        parts = urlsplit(url)
        host, port_reads = parts.hostname or "", parts.port is None or parts.port > 0
    except ValueError:
        host, port_reads, parts = "", False, urlsplit("")
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK_HOSTS)
    is_plain = (
        url.isascii()
        and url.isprintable()
        and " " not in url
        and parts.username is None
        and not parts.fragment
    )
    if not (host and port_reads and is_safe and is_plain):
        raise ConfigurationError(
            "The address of a key set is an https address without a user name "
            "(http only on a loopback address, for trying out)."
        )


def registered_scope(text: str, types: Collection[str], key: ClientKey, app: App) -> str:
    """Gives the scopes of a registration in the form they are kept in.

    Raises:
        ConfigurationError: with the first that cannot be registered.
    """
    try:
        asked = ScopeSet.parse(text)
    except MalformedContent as fault:
        raise ConfigurationError(fault.text) from None
    registered = asked.expanded(sorted(types))
    if app.redirect_uris:
        check_app_scope(registered, public=key.public)
    elif registered.opens_nothing or registered.other:
        raise ConfigurationError(
            "Register resource scopes such as system/Task.rs, at least one, and no others."
        )
    for scope in registered.scopes:
        if scope.context != "system" and not app.redirect_uris:
            raise ConfigurationError("Software without a person logging in has system scopes only.")
        if scope.type not in types:
            raise ConfigurationError(f"The hub does not serve {scope.type}.")
        if scope.constraints:
            # A constraint that no query keeps would open more than it says; none is better than one ignored.
            raise ConfigurationError(
                "Scopes narrowed by a search parameter (?name=value) are not offered yet."
            )
    return registered.text()


def registered_purposes(purposes: Sequence[str], known: Collection[str] | None) -> list[str]:
    """Gives the purposes of a registration, each once.

    Raises:
        ConfigurationError: one that is none.
    """
    for code in purposes:
        if not is_purpose_code(code) or (known is not None and code not in known):
            raise ConfigurationError(f"{code!r} is no purpose of use this hub knows.")
    return sorted(set(purposes))
