"""The authorization server: who is calling, and what it answers about tokens.

What lives here: authentication of clients, the order of the steps, and the one place where a used assertion
is kept. What does not: HTTP (``web.oauth_api``), the check of an assertion (``auth.assertion``), what a token
request is given (``auth.grants``).

It builds on Authlib's framework-neutral server. Authlib's Flask server would read parameters from the address
as well as from the form, and would know token generators for grants the hub does not offer.

Source: RFC 6749 2.3, 3.2 and 5; RFC 7009; RFC 7662; SMART App Launch 2.2 Backend Services.
"""

import base64
import binascii
import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote_plus

from authlib.oauth2 import AuthorizationServer, OAuth2Error, OAuth2Request

from referral_hub.access.scopes import LOOP_FLOOR
from referral_hub.auth.addresses import Addresses
from referral_hub.auth.assertion import SmartClientAssertion
from referral_hub.auth.changes import assertion_used, token_given
from referral_hub.auth.client_keys import ClientKeys
from referral_hub.auth.client_secrets import is_secret
from referral_hub.auth.dpop import Proofs
from referral_hub.auth.dpop_requests import ProvenRequests
from referral_hub.auth.grants import BackendServiceGrant, bearer_token
from referral_hub.auth.introspection import HubIntrospection
from referral_hub.auth.oauth_clients import (
    AUTH_METHODS,
    CODE_GRANT,
    GRANT_TYPE,
    KEY_METHOD,
    PUBLIC_METHOD,
    REFRESH_GRANT,
    SECRET_METHOD,
    OAuthClient,
    is_client_id,
)
from referral_hub.auth.ports import AdmitOAuth, OAuthRows, ScopeBacking
from referral_hub.auth.pushed_requests import push
from referral_hub.auth.refusals import (
    DpopRefused,
    InvalidAuthorizationDetails,
    InvalidClient,
    InvalidRequest,
    TemporarilyUnavailable,
    UnsupportedGrantType,
)
from referral_hub.auth.request import OAuthRequest
from referral_hub.auth.revocation import HubRevocation
from referral_hub.auth.rich_requests import RichRequests
from referral_hub.auth.sign_in_grants import CodeGrant, RefreshGrant
from referral_hub.auth.sign_in_ports import SignInParts
from referral_hub.auth.tokens import token_digest
from referral_hub.errors import Busy, GuardFailed, Unavailable
from referral_hub.exchange.change import Change
from referral_hub.exchange.ports import OrganizationRow

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server answers: an HTTP status, a JSON object and headers."""

    http_status: int
    body: Mapping[str, Any]
    headers: tuple[tuple[str, str], ...]


class HubAuthorizationServer(AuthorizationServer):
    """Gives tokens to partners' software, and answers what a token is. Safe for threads.

    Args:
        addresses: where this hub is found.
        rows: the store, as this room sees it.
        keys: the public keys of clients.
        backing: which resource types have something behind them.
        admit: the gate's word that a Change of this room may be applied.
        proofs: the checks of proofs of possession.
        rich_requests: decides what a token is bound to.
        floor: letters of scope by type that closing the loop needs.
        sign_in: what is needed for people who sign in with software; without it there is none of that.
    """

    def __init__(
        self,
        *,
        addresses: Addresses,
        rows: OAuthRows,
        keys: ClientKeys,
        backing: ScopeBacking,
        admit: AdmitOAuth,
        proofs: Proofs,
        rich_requests: RichRequests,
        floor: Mapping[str, str] = LOOP_FLOOR,
        sign_in: SignInParts | None = None,
    ) -> None:
        super().__init__()
        self.addresses = addresses
        self.sign_in = sign_in
        self.proven = ProvenRequests(proofs, rows, admit)
        self.rich_requests = rich_requests
        self.backing = backing
        self.floor = floor
        self._addresses = addresses
        self._rows = rows
        self._keys = keys
        self._admit = admit
        self.register_grant(BackendServiceGrant)
        if sign_in is not None:
            self.register_grant(CodeGrant)
            self.register_grant(RefreshGrant)
        self.register_token_generator(GRANT_TYPE, bearer_token)  # type: ignore[arg-type]  # any callable will do
        self._introspection = HubIntrospection(self, rows, addresses, rich_requests)
        self._revocation = HubRevocation(self, rows)

    def query_client(self, client_id: str) -> OAuthClient | None:  # type: ignore[override]
        """Gives the client of this name, if it is active and its organisation is not suspended."""
        row = self._rows.oauth_client(client_id) if is_client_id(client_id) else None
        if row is None or not row.active:
            return None
        organization = self._rows.organization(row.organization)
        if organization is None or not organization.facts.active:
            return None
        return OAuthClient(row)

    def authenticate_client(  # type: ignore[override]
        self, request: OAuthRequest, methods: Collection[str], endpoint: str = "token"
    ) -> OAuthClient:
        """Gives the client that made the request, by the one proof it brought.

        Raises:
            InvalidRequest: two proofs in one request.
            InvalidClient: no proof, or one that does not hold.

        Source: RFC 6749 2.3 (one method in each request) and 5.2.
        """
        request.client = None
        basic = (request.authorization or "")[:6].lower() == "basic "
        asserted = "client_assertion" in request.form or "client_assertion_type" in request.form
        if (basic and asserted) or "client_secret" in request.form:
            raise InvalidRequest("Prove who you are in one way: a client assertion, or HTTP Basic.")
        if basic and SECRET_METHOD in methods:
            client, method = self._by_secret(request), SECRET_METHOD
        elif asserted and KEY_METHOD in methods:
            also = (self._addresses.pushed, self._addresses.base_url) if endpoint == "par" else ()
            assertion = SmartClientAssertion(request, self._keys, self._addresses.token, also)
            client, method = assertion.check(self.query_client), KEY_METHOD
        elif PUBLIC_METHOD in methods and not (basic or asserted or request.authorization):
            client, method = self._by_name(request), PUBLIC_METHOD
        else:
            raise InvalidClient("no-proof", scheme="Basic" if request.authorization else "")
        if request.form.get("client_id", client.row.client_id) != client.row.client_id:
            raise InvalidClient("client-id-of-another", scheme="Basic" if basic else "")
        request.client, request.auth_method = client, method
        return client

    def token(self, request: OAuthRequest) -> Answer:
        """Answers a token request.

        Source: RFC 6749 4.4 and 5; SMART App Launch 2.2 Backend Services, obtain access token.
        """
        return self._answered(request, lambda: self._token(request))

    def introspection(self, request: OAuthRequest) -> Answer:
        """Answers what a token is, to those who may ask; whoever fails to prove that they may reads 401.

        Source: RFC 7662 2.3.
        """
        found = self._answered(request, lambda: self._asked(self._introspection, request))
        if found.http_status == 400 and found.body.get("error") == InvalidClient.error:
            return self.handle_response(*InvalidClient("", scheme="Basic")())
        return found

    def revocation(self, request: OAuthRequest) -> Answer:
        """Ends a token at the wish of the client it was given to."""
        return self._answered(request, lambda: self._asked(self._revocation, request))

    def pushed(self, request: OAuthRequest) -> Answer:
        """Keeps an authorization request that is sent ahead of the browser.

        Source: RFC 9126 2.
        """
        return self._answered(request, lambda: self._pushed(request))

    def organization(self, organization_id: str) -> OrganizationRow | None:
        """Gives the hub's own row of an organisation."""
        return self._rows.organization(organization_id)

    def hub_organization(self) -> OrganizationRow | None:
        """Gives the network's own organisation."""
        return self._rows.hub_organization()

    def get_token_grant(self, request: OAuth2Request) -> Any:
        """Gives the grant that was named.

        Raises:
            InvalidRequest: no grant type was named.
            UnsupportedGrantType: another grant type was named.
        """
        if not request.payload or not request.payload.grant_type:
            raise InvalidRequest("grant_type is missing.")
        known = (GRANT_TYPE,) if self.sign_in is None else (GRANT_TYPE, CODE_GRANT, REFRESH_GRANT)
        if request.payload.grant_type not in known:
            raise UnsupportedGrantType
        return super().get_token_grant(request)

    def save_token(self, token: dict[str, Any], request: OAuth2Request) -> None:
        """Writes the token's digest, the used assertion and the audit line in one Change.

        Raises:
            GuardFailed: the permissions it is bound to changed since it was decided.
        """
        if not isinstance(request, OAuthRequest) or request.decided is None or request.client is None:
            raise InvalidRequest("The request was not decided.")
        client, bound = _client(request).row, request.decided.bound
        if bound is not None:
            # Her permissions may change in this moment, which must not look like an assertion that was used before.
            self._keep_assertion(request)
        change = token_given(
            client,
            request.decided,
            token_digest(str(token["access_token"])),
            request.verified if bound is None else None,
            jkt=request.dpop_jkt,
            at_us=request.at_us,
            expires_us=request.at_us + request.decided.life_s * 1_000_000,
        )
        try:
            self.apply(change, request)
        except InvalidClient:
            if bound is None:
                raise
            raise GuardFailed("Her permissions are others than a moment ago.") from None

    def apply(self, change: Change, request: OAuthRequest) -> None:
        """Applies a Change that holds the request's assertion, if it came with one.

        Raises:
            InvalidClient: the assertion was used before.
            TemporarilyUnavailable: the store cannot write now: there is no token then.
        """
        request.jti_tried = True
        self.applied(change)

    def applied(self, change: Change) -> None:
        """Applies a Change whole.

        Raises:
            InvalidClient: something in it counts once, and was used before.
            TemporarilyUnavailable: the store cannot write now: nothing happened then.
        """
        try:
            admitted = self._admit(change)
            try:
                self._rows.apply(admitted)
            except Unavailable:
                # It is not known whether it was applied. The same Change again is the same as once.
                self._rows.apply(admitted)
        except GuardFailed:
            raise InvalidClient("jti-replayed") from None
        except (Busy, Unavailable):
            raise TemporarilyUnavailable from None

    def create_oauth2_request(self, request: Any) -> OAuth2Request:
        """Gives the request itself: it arrives here ready made."""
        if not isinstance(request, OAuth2Request):
            raise InvalidRequest("The request cannot be read.")
        return request

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Tells nobody: what follows from a token is in its Change."""

    def handle_response(self, status: int, body: Any, headers: Any) -> Answer:
        """Gives the answer as values, for the web to send."""
        return Answer(status, body, tuple(headers))

    def _token(self, request: OAuthRequest) -> Answer:
        self.proven.looked_at(request)
        grant: Any = self.get_token_grant(request)
        if "authorization_details" in request.form and grant.GRANT_TYPE != GRANT_TYPE:
            # Passed over, they would make a token that is wider than what was asked for.
            raise InvalidAuthorizationDetails("Tokens are bound to a consent for client_credentials alone.")
        grant.validate_token_request()
        self.proven.kept(request)
        found = self.handle_response(*grant.create_token_response())
        nonce = self.proven.nonce(request)
        return replace(found, headers=(*found.headers, ("DPoP-Nonce", nonce))) if nonce else found

    def _pushed(self, request: OAuthRequest) -> Answer:
        self.proven.looked_at(request, b"/oauth/par")
        client = self.authenticate_client(request, (*AUTH_METHODS, PUBLIC_METHOD), "par")
        self.proven.kept(request)
        http_status, body = push(self, request, client)
        return Answer(http_status, body, ())

    def _asked(self, endpoint: HubIntrospection | HubRevocation, request: OAuthRequest) -> Answer:
        found: tuple[int, Any, Any] = endpoint.create_endpoint_response(request)  # type: ignore[no-untyped-call]
        return self.handle_response(*found)

    def _answered(self, request: OAuthRequest, answer: Callable[[], Answer]) -> Answer:
        try:
            try:
                found = answer()
            except OAuth2Error:
                # An assertion that was met counts as used, also where the rest of the request is refused.
                self._keep_assertion(request)
                raise
            self._keep_assertion(request)
        except OAuth2Error as refusal:
            self._note(request, refusal)
            return self.handle_response(*refusal())
        return found

    def _keep_assertion(self, request: OAuthRequest) -> None:
        if request.verified is not None and not request.jti_tried:
            self.apply(assertion_used(request.verified), request)

    def _by_secret(self, request: OAuthRequest) -> OAuthClient:
        client_id, secret = _basic(request.authorization or "")
        client = self.query_client(client_id)
        if client is None:
            is_secret(secret, "")
            raise InvalidClient("client-unknown", scheme="Basic")
        request.named = client.row.client_id
        if not client.check_client_secret(secret):
            raise InvalidClient("secret", scheme="Basic")
        return client

    def _by_name(self, request: OAuthRequest) -> OAuthClient:
        """Gives a client that cannot keep a secret; one that could has to prove itself."""
        client = self.query_client(request.form.get("client_id", ""))
        if client is None or client.row.kind != "public":
            raise InvalidClient("no-proof")
        request.named = client.row.client_id
        return client

    def _note(self, request: OAuthRequest, refusal: OAuth2Error) -> None:
        reason = refusal.reason if isinstance(refusal, InvalidClient | DpopRefused) else "-"
        log.warning("refused: error=%s reason=%s client=%s", refusal.error, reason, request.named or "-")


def _client(request: OAuthRequest) -> OAuthClient:
    if not isinstance(request.client, OAuthClient):
        raise InvalidClient("no-proof")
    return request.client


def _basic(authorization: str) -> tuple[str, str]:
    try:
        pair = base64.b64decode(authorization[6:].strip(), validate=True).decode("utf-8")
    except (ValueError, binascii.Error):
        raise InvalidClient("basic-unreadable", scheme="Basic") from None
    client_id, colon, secret = (unquote_plus(part) for part in pair.partition(":"))
    if not colon or not client_id or not secret:
        raise InvalidClient("basic-unreadable", scheme="Basic")
    return client_id, secret
