"""How the authorization server says no: the error codes of RFC 6749, each with the hub's own words.

What lives here: the refusals of the token, introspection and revocation endpoints. What does not: refusals of
the FHIR API (``errors``). Whoever fails to prove who they are reads one text, whatever the cause: the cause
is a short code for the operator's log.

Source: RFC 6749 5.2; SMART App Launch 2.2, client authentication (asymmetric).
"""

from typing import Any

from authlib.oauth2.rfc6749 import (
    InvalidClientError,
    InvalidGrantError,
    InvalidRequestError,
    InvalidScopeError,
    OAuth2Error,
    UnauthorizedClientError,
)

_CHALLENGES = {
    "Basic": 'Basic realm="referral-hub", charset="UTF-8"',
    "Bearer": 'Bearer realm="referral-hub", error="invalid_token"',
}


class InvalidClient(InvalidClientError):
    """Who is calling could not be established: one text for every cause, 400, or 401 with a challenge.

    Args:
        reason: the cause, for the log only; never sent.
        scheme: ``Basic`` or ``Bearer`` where the caller used the Authorization header, which RFC 6749 answers
            with 401 and a challenge; else empty.
    """

    def __init__(self, reason: str, *, scheme: str = "") -> None:
        super().__init__(
            description="The client could not be authenticated. Check its registration, keys and clock.",
            status_code=401 if scheme else 400,
        )
        self.reason = reason
        self.scheme = scheme

    def get_headers(self) -> list[tuple[str, str]]:
        """Gives the headers: never stored, and with a challenge where the header was used."""
        headers = OAuth2Error.get_headers(self)
        if self.scheme:
            headers.append(("WWW-Authenticate", _CHALLENGES[self.scheme]))
        return headers


class InvalidRequest(InvalidRequestError):
    """The request lacks something, repeats something or cannot be read: 400 on the wire."""


class InvalidScope(InvalidScopeError):
    """Nothing of the requested scope can be granted, or it cannot be read: 400 on the wire."""


class InvalidGrant(InvalidGrantError):
    """The token named belongs to another client: 400 on the wire."""


class UnauthorizedClient(UnauthorizedClientError):
    """The client is known but may not use this way of getting a token: 400 on the wire."""


class UnsupportedGrantType(OAuth2Error):
    """A grant type the hub does not offer: 400 on the wire; the caller's text is not repeated."""

    error = "unsupported_grant_type"

    def __init__(self) -> None:
        super().__init__(
            description="Tokens are given for client_credentials, authorization_code and refresh_token."
        )


class DpopRefused(OAuth2Error):
    """The proof of possession is missing or does not hold, or wants a nonce of the hub: 400 on the wire.

    Args:
        error: ``invalid_dpop_proof`` or ``use_dpop_nonce``.
        reason: the cause, for the log only; never sent.
        nonce: the nonce to use from now on.

    Source: RFC 9449 5 and 8.
    """

    def __init__(self, error: str, reason: str, nonce: str) -> None:
        super().__init__(
            description="Send one DPoP proof for this address: fresh, unused, with the nonce of the DPoP-Nonce header."
        )
        self.error = error
        self.reason = reason
        self.nonce = nonce

    def get_headers(self) -> list[Any]:
        """Gives the headers, with the nonce."""
        return [*super().get_headers(), ("DPoP-Nonce", self.nonce)]


class InvalidAuthorizationDetails(OAuth2Error):
    """What the token is to be bound to cannot be given: 400 on the wire.

    One text for a referral or grant that never was, is another's, has no release that runs, or whose release is
    narrower than what was asked.

    Source: RFC 9396 5; ``consent.md`` D-06.
    """

    error = "invalid_authorization_details"

    def __init__(
        self,
        text: str = "There is no such grant: ask for what a permission that runs now names, or for less.",
    ) -> None:
        super().__init__(description=text)


class TemporarilyUnavailable(OAuth2Error):
    """The hub cannot write just now, so no token exists: 503 with Retry-After on the wire."""

    error = "temporarily_unavailable"
    status_code = 503

    def __init__(self) -> None:
        super().__init__(description="The hub is busy. Try again in a moment.")

    def get_headers(self) -> list[Any]:
        """Gives the headers, with the time after which to try again."""
        return [*super().get_headers(), ("Retry-After", "1")]
