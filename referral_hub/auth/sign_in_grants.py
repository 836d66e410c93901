"""Tokens for software that somebody let act for them: a code once, then refresh tokens, each of them once.

What lives here: the grants ``authorization_code`` and ``refresh_token``. What does not: the approval that made the
code (``auth.approving``), tokens of software alone (``auth.grants``).

Authlib's own grants would take a code with no ``code_verifier`` from a client with a secret, ``plain`` in place of
S256, a code twice in the same moment, a redirect address that is left out, and they write tokens to a log. So only
their place in the server is used; each check is made here and has a test. Whatever is wrong with a code or a refresh
token is answered with one text.

Source: RFC 6749 4.1.3 and 6; RFC 7636 4.6; RFC 9700 2.2.2 and 4.14; SMART App Launch 2.2, obtain access token.
"""

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import replace
from typing import Any

from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant, RefreshTokenGrant

from referral_hub.auth.id_tokens import id_claims
from referral_hub.auth.oauth_clients import (
    AUTH_METHODS,
    CODE_GRANT,
    PUBLIC_METHOD,
    REFRESH_GRANT,
    OAuthClient,
)
from referral_hub.auth.offered_scopes import narrowed, still_registered
from referral_hub.auth.refusals import (
    InvalidClient,
    InvalidGrant,
    InvalidRequest,
    InvalidScope,
    UnauthorizedClient,
)
from referral_hub.auth.request import OAuthRequest
from referral_hub.auth.sign_in_changes import GivenToken, exchanged, family_ended, rotated
from referral_hub.auth.sign_in_ports import SignInParts
from referral_hub.auth.tokens import TOKEN_LIFE_S, new_token
from referral_hub.errors import MalformedContent
from referral_hub.exchange.change import Change
from referral_hub.exchange.sign_in import CodeRow, FamilyRow, RefreshRow

CODE_LIFE_S = 60
"""Seconds between an approval and the request that makes a token of its code."""

_SECOND = 1_000_000
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}", re.ASCII)
_METHODS = (*AUTH_METHODS, PUBLIC_METHOD)


def new_handle() -> tuple[str, bytes]:
    """Gives a fresh code, refresh token or launch of 256 random bits, and the digest to keep of it."""
    text = secrets.token_urlsafe(32)
    return text, handle_digest(text)


def handle_digest(text: str) -> bytes:
    """Gives the digest under which a code, a refresh token, a launch or a request sent ahead is kept."""
    return hashlib.sha256(b"handle|" + text.encode("utf-8", "surrogatepass")).digest()


def is_verified(verifier: str, challenge: str) -> bool:
    """Tells whether a ``code_verifier`` is the one the S256 challenge was made of.

    >>> is_verified("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")
    True
    """
    if not _VERIFIER.fullmatch(verifier):
        return False
    made = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode("ascii")).digest()).rstrip(b"=")
    return hmac.compare_digest(made, challenge.encode("ascii"))


def no_such_grant() -> InvalidGrant:
    """Gives the one refusal for every code and refresh token that does not count."""
    return InvalidGrant("This code or refresh token does not count. Ask the person to approve again.")


class _OfPeople:
    """What both grants do."""

    request: OAuthRequest
    server: Any

    def _client(self, grant_type: str) -> OAuthClient:
        client: OAuthClient = self.server.authenticate_client(self.request, _METHODS)
        if not client.check_grant_type(grant_type):
            raise UnauthorizedClient(f"This client cannot use grant_type {grant_type}.")
        self.server.proven.demand(client.row, self.request)
        return client

    @property
    def _parts(self) -> SignInParts:
        parts: SignInParts = self.server.sign_in
        return parts

    def _check_family(self, family: FamilyRow, client: OAuthClient) -> None:
        """Checks that what was approved still holds: for this software, this account, this key, this person.

        Raises:
            InvalidGrant: it does not.
        """
        at_us, jkt = self.request.at_us, self.request.dpop_jkt
        if family.revoked or at_us >= family.ends_us or (family.jkt and family.jkt != jkt):
            raise no_such_grant()
        if self._parts.accounts.role_of(family.account, at_us) != family.role:
            raise no_such_grant()
        if family.context == "user" and family.person is not None:
            named = (family.account, family.organization, family.role, family.purpose, family.patient)
            if self._parts.accounts.person(*named, at_us) != family.person:
                raise no_such_grant()

    def _answer(
        self, family: FamilyRow, scope: str, used: CodeRow | RefreshRow
    ) -> tuple[int, dict[str, Any], Any]:
        """Gives the token response, once the tokens are written."""
        request, client = self.request, self._asking()
        at_us, jkt = request.at_us, request.dpop_jkt
        scope = still_registered(scope, client.row.scope)
        if not scope:
            raise no_such_grant()
        token, digest = new_token(jkt)
        expires_us = min(at_us + TOKEN_LIFE_S * _SECOND, family.ends_us)
        refresh, refresh_digest = new_handle() if family.lasting else ("", None)
        bound = jkt if client.row.kind == "public" else ""
        given = GivenToken(digest, scope, expires_us, jkt, refresh_digest)
        kept = replace(family, jkt=family.jkt or bound)
        if isinstance(used, CodeRow):
            change = exchanged(replace(used, family=kept), given, request.verified, at_us=at_us)
        else:
            change = rotated(replace(used, family=kept), given, request.verified, at_us=at_us)
        self._apply(change, used)
        body: dict[str, Any] = {
            "access_token": token,
            "token_type": "DPoP" if jkt else "bearer",
            "expires_in": (expires_us - at_us) // _SECOND,
            "scope": scope,
            **launch_context(family),
        }
        if refresh:
            body["refresh_token"] = refresh
        if isinstance(used, CodeRow):
            claims = id_claims(family, scope, self.server.addresses, token, used.nonce, at_us)
            if claims is not None:
                body["id_token"] = self._parts.signer.signed(claims, at_us)
        return 200, body, AuthorizationCodeGrant.TOKEN_RESPONSE_HEADER

    def _apply(self, change: Change, used: CodeRow | RefreshRow) -> None:
        """Applies the Change; where the code or token was used in the same moment, its family ends.

        Raises:
            InvalidGrant: it was used, or its family was ended.
            InvalidClient: the assertion of the request was used before.
        """
        request = self.request
        try:
            self.server.apply(change, request)
        except InvalidClient:
            request.jti_tried = False
            again = self._reread(used)
            if again is not None and again.used:
                self._end(again.family, "used-twice")
                raise no_such_grant() from None
            if again is None or again.family.revoked:
                raise no_such_grant() from None
            raise

    def _reread(self, used: CodeRow | RefreshRow) -> CodeRow | RefreshRow | None:
        store = self._parts.store
        return store.code(used.digest) if isinstance(used, CodeRow) else store.refresh(used.digest)

    def _end(self, family: FamilyRow, reason: str) -> None:
        """Ends a family whose code or refresh token came a second time; whoever holds its tokens loses them."""
        if family.revoked:
            return
        tried = self.request.jti_tried
        self.server.apply(family_ended(family, reason, at_us=self.request.at_us), self.request)
        self.request.jti_tried = tried

    def _asking(self) -> OAuthClient:
        if not isinstance(self.request.client, OAuthClient):
            raise InvalidClient("no-proof")
        return self.request.client


class CodeGrant(_OfPeople, AuthorizationCodeGrant):
    """Makes tokens of an authorization code."""

    GRANT_TYPE = CODE_GRANT
    TOKEN_ENDPOINT_AUTH_METHODS = _METHODS
    request: OAuthRequest

    def validate_token_request(self) -> None:
        """Checks who is calling, and that the code is this client's, fresh, unused and proven by its verifier.

        Raises:
            InvalidClient: who is calling could not be established.
            UnauthorizedClient: the client is not registered for people who sign in.
            InvalidRequest: no code is named.
            InvalidGrant: the code does not count. One that was used before ends all that came of it.
        """
        client = self._client(CODE_GRANT)
        form, at_us = self.request.form, self.request.at_us
        if "code" not in form:
            raise InvalidRequest("code is missing.")
        code = self._parts.store.code(handle_digest(form["code"]))
        if code is None or code.family.oauth_client != client.row.client_id:
            raise no_such_grant()
        if code.used:
            self._end(code.family, "code-used-twice")
            raise no_such_grant()
        if (
            at_us >= code.expires_us
            or form.get("redirect_uri") != code.redirect_uri
            or not is_verified(form.get("code_verifier", ""), code.challenge)
        ):
            raise no_such_grant()
        self._check_family(code.family, client)
        self._code = code

    def create_token_response(self) -> tuple[int, Any, Any]:
        """Gives the answer, once the tokens are written; nothing of it is logged."""
        return self._answer(self._code.family, self._code.family.scope, self._code)


class RefreshGrant(_OfPeople, RefreshTokenGrant):
    """Puts new tokens in the place of a refresh token."""

    GRANT_TYPE = REFRESH_GRANT
    TOKEN_ENDPOINT_AUTH_METHODS = _METHODS
    INCLUDE_NEW_REFRESH_TOKEN = True
    request: OAuthRequest

    def validate_token_request(self) -> None:
        """Checks who is calling, and that the refresh token is this client's, live and unused.

        Raises:
            InvalidClient: who is calling could not be established.
            UnauthorizedClient: the client is not registered for people who sign in.
            InvalidRequest: no refresh token is named.
            InvalidGrant: it does not count. One that was used before ends all that came of it.
            InvalidScope: more is asked for than was granted.
        """
        client = self._client(REFRESH_GRANT)
        form = self.request.form
        if "refresh_token" not in form:
            raise InvalidRequest("refresh_token is missing.")
        refresh = self._parts.store.refresh(handle_digest(form["refresh_token"]))
        if refresh is None or refresh.family.oauth_client != client.row.client_id:
            raise no_such_grant()
        if refresh.used:
            self._end(refresh.family, "refresh-token-used-twice")
            raise no_such_grant()
        self._check_family(refresh.family, client)
        self._refresh = refresh
        self._scope = self._wanted(refresh.family.scope)

    def create_token_response(self) -> tuple[int, Any, Any]:
        """Gives the answer, once the tokens are written; nothing of it is logged."""
        return self._answer(self._refresh.family, self._scope, self._refresh)

    def _wanted(self, granted: str) -> str:
        wanted = self.request.form.get("scope", "")
        if not wanted:
            return granted
        try:
            found = narrowed(granted, wanted)
        except MalformedContent:
            found = None
        if not found:
            raise InvalidScope("A refresh can ask for what was granted, or for less.")
        return found


def launch_context(family: FamilyRow) -> dict[str, Any]:
    """Gives what a token response says of the person and the referral the token is about.

    Source: SMART App Launch 2.2, launch context arrives with the access token.
    """
    found: dict[str, Any] = {}
    if family.patient:
        found = {"patient": family.patient, "need_patient_banner": True}
    if family.task:
        found["fhirContext"] = [{"reference": f"Task/{family.task}"}]
    return found
