"""Signing in at an outside OpenID Connect provider that an organisation registered.

What lives here: the way there and back, the check of the ID token, the link between a name there and an account here.
What does not: registering a provider on the command line (``referral_hub.commands.people``), sessions.

A name at a provider (`sub`) opens an account only after its owner linked the two while she was signed in here. An
e-mail address that a provider tells links nothing: whoever can set it there would choose who she is here. A
provider's word counts as a password; a second factor of the hub is still asked for, unless the provider says that it
asked for one (``amr`` holds ``mfa`` or ``hwk``).

Source: OpenID Connect Core 1.0, 3.1; RFC 7636 (PKCE); RFC 9207 (issuer in the answer); RFC 9700 2.1.
"""

import hmac
import json
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from referral_hub.auth.people.outside_http import GuardedAdapter, Http
from referral_hub.auth.people.ports import Apply, PeopleRows, SeenSession
from referral_hub.auth.people.recording import REFUSED, change, line, unchanged
from referral_hub.auth.people.refusals import Refused
from referral_hub.auth.people.signing_in import Opened, SigningIn
from referral_hub.auth.people.standing import may_sign_in
from referral_hub.auth.people.throttle import Browser
from referral_hub.auth.people.tickets import new_ticket, opened
from referral_hub.errors import ConfigurationError, GuardFailed, Unavailable
from referral_hub.exchange.accounts import STAFF, IdentityProvider
from referral_hub.exchange.change import Row

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures of an ID token that are taken: asymmetric ones."""
SKEW_S = 60
LONGEST_SUBJECT = 255
_STRONG = frozenset({"mfa", "hwk"})
_FINE, _BROKEN = 200, 500
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


@dataclass(frozen=True, slots=True)
class Sent:
    """Where a browser is sent to sign in, and the ticket it keeps in a cookie meanwhile."""

    address: str
    ticket: str


@dataclass(frozen=True, slots=True)
class Told:
    """What a provider told in an ID token that holds."""

    subject: str
    methods: frozenset[str] = field(default_factory=frozenset)


class Outside:
    """Signs people in at outside providers. Safe for threads.

    Args:
        rows: the store.
        apply: applies a Change.
        http: the guarded client.
        signing_in: begins sessions.
        redirect_uri: the one address providers send browsers back to.
    """

    def __init__(
        self, rows: PeopleRows, apply: Apply, http: Http, signing_in: SigningIn, redirect_uri: str
    ) -> None:
        self._rows = rows
        self._apply = apply
        self._http = http
        self._signing_in = signing_in
        self.redirect_uri = redirect_uri

    # --- registering -----------------------------------------------------------------------------------------

    def register(
        self, organization: str, issuer: str, client_id: str, secret: str, name: str, at_us: int
    ) -> str:
        """Registers a provider for the people of one organisation; gives its id.

        Args:
            organization: id of the organisation.
            issuer: its exact issuer; nothing else counts as this provider.
            client_id: how the provider knows this hub.
            secret: the secret it gave, or an empty text for none.
            name: what the button on the sign-in page calls it.
            at_us: now, microseconds UTC.

        Raises:
            ConfigurationError: something of it cannot be used, or the provider does not answer as one.
        """
        parts = urlsplit(issuer)
        if parts.scheme not in ("https", "http") or not parts.hostname or parts.query or parts.fragment:
            raise ConfigurationError("An issuer is an https address without a query.")
        if not self._rows.is_organization_active(organization):
            raise ConfigurationError("There is no active organisation with this id.")
        if not client_id or not 0 < len(name.strip()) <= 60:
            raise ConfigurationError("A provider needs a client id and a name of 1 to 60 characters.")
        provider = IdentityProvider(
            str(uuid.uuid4()), organization, issuer, client_id, secret, name.strip(), "", active=True
        )
        try:
            origin = _origin(self._described(provider)["authorization_endpoint"])
        except Refused:
            raise ConfigurationError("The provider does not answer as the issuer it is said to be.") from None
        row = Row(
            "identity_provider_put",
            {
                "id": provider.id,
                "organization": organization,
                "issuer": issuer,
                "client_id": client_id,
                "secret": self._rows.seal(secret.encode(), f"provider/{provider.id}"),
                "name": provider.name,
                "origin": origin,
                "active": 1,
            },
        )
        self._apply(change((row,), line("account", None, at_us, how="provider-added")))
        return provider.id

    # --- there -------------------------------------------------------------------------------------------------

    def begin(
        self, provider_id: str, at_us: int, *, onward: str = "", seen: SeenSession | None = None
    ) -> Sent:
        """Gives where to send the browser.

        Args:
            provider_id: which provider.
            at_us: now, microseconds UTC.
            onward: where to go in the hub afterwards.
            seen: the session of who wants to link her account; None to sign in.

        Raises:
            Refused: there is no such provider, or it does not answer.
        """
        provider = self._provider(provider_id)
        described = self._described(provider)
        if _origin(described["authorization_endpoint"]) != provider.origin:
            raise Refused("outside.wrong")
        remembered: dict[str, Any] = {
            "provider": provider.id,
            "state": secrets.token_urlsafe(24),
            "nonce": secrets.token_urlsafe(24),
            "verifier": secrets.token_urlsafe(48),
            "onward": onward,
            "link": "" if seen is None else seen.session.digest.hex(),
        }
        address, _ = self._client(provider).create_authorization_url(
            described["authorization_endpoint"],
            state=remembered["state"],
            code_verifier=remembered["verifier"],
            nonce=remembered["nonce"],
        )
        return Sent(str(address), new_ticket(self._rows, "outside", remembered, at_us))

    # --- and back ----------------------------------------------------------------------------------------------

    def finish(
        self,
        ticket: str,
        answer: Mapping[str, str],
        browser: Browser,
        at_us: int,
        *,
        seen: SeenSession | None = None,
    ) -> tuple[Opened | None, str]:
        """Ends the way: signs in, or links where that was asked for.

        Args:
            ticket: from the browser's cookie.
            answer: the parameters the provider sent along.
            browser: where it ends.
            at_us: now, microseconds UTC.
            seen: the session of this browser, where there is one.

        Returns:
            the session that begins (None after a link), and where to go on.

        Raises:
            Refused: anything does not fit; ``outside.unlinked`` where nobody linked this name.
        """
        held = opened(self._rows, "outside", ticket, at_us)
        kept = held.remembered
        if not hmac.compare_digest(answer.get("state", "").encode(), kept["state"].encode()):
            raise Refused("outside.wrong")
        provider = self._provider(kept["provider"])
        told = self._told(provider, kept, answer, at_us)
        if kept["link"]:
            if seen is None or seen.session.digest.hex() != kept["link"]:
                raise Refused("outside.wrong")
            self._link(provider, told, seen, held.used, at_us)
            return None, kept["onward"]
        identity = self._rows.identity(provider.id, told.subject)
        account = None if identity is None else self._rows.account(identity.account)
        if (
            account is None
            or account.kind != STAFF
            or account.organization != provider.organization
            or not may_sign_in(
                account, organization_active=self._rows.is_organization_active(account.organization)
            )
        ):
            self._apply(change((held.used,), line("sign-in", account, at_us, outcome=REFUSED, how="outside")))
            raise Refused("outside.unlinked")
        methods = ("ext", "mfa") if _STRONG & told.methods else ("ext",)
        try:
            made = self._signing_in.open(account, methods, browser, at_us, rows=(held.used,))
        except GuardFailed:
            raise Refused("sign-in.begin-again") from None
        return made, kept["onward"]

    def _link(self, provider: IdentityProvider, told: Told, seen: SeenSession, used: Row, at_us: int) -> None:
        account = seen.account
        if account.kind != STAFF or account.organization != provider.organization:
            raise Refused("outside.wrong")
        row = Row(
            "account_identity_insert",
            {"provider": provider.id, "subject": told.subject, "account": account.id, "created_us": at_us},
            at_least_one=True,
        )
        try:
            self._apply(
                change((unchanged(account), used, row), line("second-factor", account, at_us, how="linked"))
            )
        except GuardFailed:
            raise Refused("outside.taken") from None

    def unlink(self, provider_id: str, seen: SeenSession, at_us: int) -> None:
        """Takes the link of an account away."""
        row = Row("account_identity_drop", {"provider": provider_id, "account": seen.account.id})
        self._apply(change((row,), line("second-factor", seen.account, at_us, how="unlinked")))

    # --- the provider's word -----------------------------------------------------------------------------------

    def _told(
        self, provider: IdentityProvider, kept: Mapping[str, Any], answer: Mapping[str, str], at_us: int
    ) -> Told:
        described = self._described(provider)
        said = answer.get("iss", "")
        needs = described.get("authorization_response_iss_parameter_supported") is True
        if (said or needs) and said != provider.issuer:
            raise Refused("outside.wrong")
        if not answer.get("code"):
            raise Refused("outside.refused")
        try:
            given = self._client(provider).fetch_token(
                described["token_endpoint"], code=answer["code"], code_verifier=kept["verifier"]
            )
            keys = json.loads(self._http.request("GET", described["jwks_uri"]).body)
            claims = _claims(str(given["id_token"]), keys)
        except Unavailable:
            raise Refused("outside.away") from None
        except Exception:  # noqa: BLE001 - whatever another server sends: it is no proof
            raise Refused("outside.wrong") from None
        return _checked(claims, provider, kept["nonce"], at_us // 1_000_000)

    def _provider(self, provider_id: str) -> IdentityProvider:
        provider = self._rows.provider(provider_id)
        if provider is None or not provider.active:
            raise Refused("outside.wrong")
        return provider

    def _described(self, provider: IdentityProvider) -> dict[str, Any]:
        """Gives the provider's own description, if it is the provider that was registered."""
        address = provider.issuer.rstrip("/") + "/.well-known/openid-configuration"
        try:
            answer = self._http.request("GET", address, headers={"Accept": "application/json"})
            described = json.loads(answer.body)
        except (Unavailable, ValueError):
            raise Refused("outside.away") from None
        if answer.http_status >= _BROKEN:
            raise Refused("outside.away")
        if (
            answer.http_status != _FINE
            or not isinstance(described, dict)
            or described.get("issuer") != provider.issuer
        ):
            raise Refused("outside.wrong")
        if not all(isinstance(described.get(name), str) for name in _ENDPOINTS):
            raise Refused("outside.wrong")
        return described

    def _client(self, provider: IdentityProvider) -> Any:
        from authlib.integrations.requests_client import OAuth2Session

        client = OAuth2Session(
            provider.client_id,
            provider.secret or None,
            token_endpoint_auth_method="client_secret_basic" if provider.secret else "none",
            scope="openid",
            redirect_uri=self.redirect_uri,
            code_challenge_method="S256",
        )
        client.trust_env = False
        client.mount("https://", GuardedAdapter(self._http))
        client.mount("http://", GuardedAdapter(self._http))
        return client


def _origin(address: str) -> str:
    """Gives scheme, host and port of an address.

    >>> _origin("https://login.example:8443/authorize?x=1")
    'https://login.example:8443'
    """
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def _claims(id_token: str, keys: Any) -> dict[str, Any]:
    from joserfc import jwt
    from joserfc.jwk import KeySet

    found: dict[str, Any] = jwt.decode(
        id_token, KeySet.import_key_set(keys), algorithms=list(ALGORITHMS)
    ).claims
    return found


def _checked(claims: Mapping[str, Any], provider: IdentityProvider, nonce: str, at_s: int) -> Told:
    """Gives who an ID token names, if it is of this provider, for this hub, for this sign-in, and of now.

    Raises:
        Refused: it is not.

    Source: OpenID Connect Core 1.0, 3.1.3.7.
    """
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    subject, ends, issued = claims.get("sub"), claims.get("exp"), claims.get("iat")
    party = claims.get("azp", provider.client_id if len(audiences) == 1 else None)
    amr = claims.get("amr")
    holds = (
        claims.get("iss") == provider.issuer
        and provider.client_id in audiences
        and party == provider.client_id
        and isinstance(claims.get("nonce"), str)
        and hmac.compare_digest(claims["nonce"].encode(), nonce.encode())
        and isinstance(ends, int | float)
        and at_s < ends + SKEW_S
        and isinstance(issued, int | float)
        and issued <= at_s + SKEW_S
        and isinstance(subject, str)
        and 0 < len(subject) <= LONGEST_SUBJECT
    )
    if not holds:
        raise Refused("outside.wrong")
    methods = frozenset(one for one in amr if isinstance(one, str)) if isinstance(amr, list) else frozenset()
    return Told(str(subject), methods)
