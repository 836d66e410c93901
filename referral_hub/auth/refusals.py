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
    """A grant type other than ``client_credentials``: 400 on the wire; the caller's text is not repeated."""

    error = "unsupported_grant_type"

    def __init__(self) -> None:
        super().__init__(description="Tokens are given for grant_type client_credentials.")


class TemporarilyUnavailable(OAuth2Error):
    """The hub cannot write just now, so no token exists: 503 with Retry-After on the wire."""

    error = "temporarily_unavailable"
    status_code = 503

    def __init__(self) -> None:
        super().__init__(description="The hub is busy. Try again in a moment.")

    def get_headers(self) -> list[Any]:
        """Gives the headers, with the time after which to try again."""
        return [*super().get_headers(), ("Retry-After", "1")]
