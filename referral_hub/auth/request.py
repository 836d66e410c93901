"""One request to the authorization server: a form, an Authorization header, and the moment it came.

What lives here: reading the form strictly, and what was found out about the request on its way. What does
not: HTTP (``web.oauth_api``). Parameters are taken from the form body only: in an address they would end in
logs.

Source: RFC 6749 3.2: a parameter without a value counts as left out, one sent twice is an error, unknown ones
are ignored.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from authlib.oauth2 import OAuth2Request
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload

from referral_hub.access.principal import Binding
from referral_hub.auth.authorization_requests import KNOWN
from referral_hub.auth.dpop import Proof
from referral_hub.auth.purposes import Assertion
from referral_hub.auth.refusals import InvalidRequest

_KNOWN = KNOWN | frozenset(
    {
        "code",
        "code_verifier",
        "refresh_token",
        "grant_type",
        "scope",
        "client_id",
        "client_secret",
        "client_assertion",
        "client_assertion_type",
        "token",
        "token_type_hint",
        "authorization_details",
    }
)


@dataclass(frozen=True, slots=True)
class Verified:
    """An assertion whose signature and claims were verified: what is left to do with it, and what it asks.

    ``jti`` is the SHA-256 of the assertion's name; ``expires_us`` when that name may be forgotten.
    """

    client_id: str
    jti: bytes
    expires_us: int
    claims: dict[str, object] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Bound:
    """What a consent-bound token is bound to, as it was when it was decided.

    ``person`` and ``patient`` are row id and public id; ``epoch`` her consent epoch, under which the token is written;
    ``details`` what the client is told.
    """

    binding: Binding
    person: int
    patient: str
    epoch: int
    details: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Decided:
    """What a token request is given: the scope granted, for one purpose, on whose behalf, bound to what.

    ``life_s`` is how long it lives at most: a permit that ends sooner ends it.
    """

    scope: str
    purpose: str
    asserted: Assertion
    bound: Bound | None = None
    life_s: int = 300


class OAuthRequest(OAuth2Request):
    """One request, with what is known about it; every fact starts as absent.

    Args:
        url: the endpoint's own absolute address, from the settings and not from the request.
        form: name and value of each form parameter, in order.
        authorization: the ``Authorization`` header; None where there is none.
        at_us: the moment of the request, microseconds since 1970 UTC.
        dpop: the ``DPoP`` header; empty where there is none.

    Raises:
        InvalidRequest: a known parameter came twice.
    """

    def __init__(
        self,
        url: str,
        form: Iterable[tuple[str, str]],
        authorization: str | None,
        at_us: int,
        dpop: str = "",
    ) -> None:
        super().__init__("POST", url, headers={"Authorization": authorization} if authorization else {})
        self._fields = _fields(form)
        self.payload = BasicOAuth2Payload(self._fields)
        self.authorization = authorization
        self.at_us = at_us
        self.named = ""  # a registered client that the request named, proved or not: for the log only
        self.verified: Verified | None = None
        self.jti_tried = False  # a Change that keeps the assertion was sent to the store
        self.decided: Decided | None = None
        self.dpop = dpop
        self.proof: Proof | None = None

    @property
    def dpop_jkt(self) -> str:
        """Gives the thumbprint of the key whose possession the request proved; empty without a proof."""
        return self.proof.jkt if self.proof is not None else ""

    @property
    def form(self) -> dict[str, str]:
        """Gives the form parameters that carry a value."""
        return self._fields


def _fields(form: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    seen: set[str] = set()
    for name, value in form:
        if name in _KNOWN and name in seen:
            raise InvalidRequest("A parameter of the request came more than once.")
        seen.add(name)
        if name in _KNOWN and value:
            found[name] = value
    return found
