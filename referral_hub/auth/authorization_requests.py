"""What software asks for when it sends somebody's browser here: read strictly, checked whole.

What lives here: the parameters of an authorization request and every check that needs no person. What does not: who
signs in and what they allow (``auth.approving``), requests sent ahead (``auth.pushed_requests``).

Two kinds of no exist. Where the software or its address to return to is wrong, nobody is sent anywhere: a page says
so. Everything else goes back to the registered address as an error.

Source: SMART App Launch 2.2, obtain authorization code; RFC 6749 4.1 and 10.15; RFC 7636 4.3; RFC 9207; RFC 9700 2.1
and 4; OpenID Connect Core 3.1.2.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from referral_hub.access.scopes import ScopeSet
from referral_hub.auth.oauth_clients import OAuthClient
from referral_hub.auth.ports import OAuthClientRow
from referral_hub.errors import MalformedContent

KNOWN: Final = frozenset(
    {
        "acr_values",
        "aud",
        "authorization_details",
        "client_id",
        "code_challenge",
        "code_challenge_method",
        "dpop_jkt",
        "launch",
        "max_age",
        "nonce",
        "prompt",
        "redirect_uri",
        "request",
        "request_uri",
        "response_mode",
        "response_type",
        "scope",
        "state",
    }
)
"""Parameters that mean something here; others are ignored, as RFC 6749 3.1 asks."""

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_THUMBPRINT = _CHALLENGE
_WORD = re.compile(r"[\x20-\x7e]{1,1024}", re.ASCII)
_PROMPTS = frozenset({"none", "login", "consent", "select_account"})
_LONGEST_SCOPE = 4096


class Stopped(Exception):
    """The software or its address to return to is not known: nobody is sent anywhere.

    Args:
        sentence: the key of the sentence that the page says.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class SentBack(Exception):
    """The request is refused at the registered address to return to.

    Args:
        error: the error code.
        text: what is wrong, in words for the software's developer.
        redirect_uri: the registered address.
        state: the state of the request, where it had one.

    Source: RFC 6749 4.1.2.1.
    """

    def __init__(self, error: str, text: str, redirect_uri: str, state: str) -> None:
        super().__init__(error)
        self.error = error
        self.text = text
        self.redirect_uri = redirect_uri
        self.state = state


Refusing = Callable[[str, str], SentBack]
"""Makes the refusal of a request from error code and words."""


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A request that holds by itself; ``scopes`` is what was asked for, nothing of it granted.

    ``max_age_s`` is None where the request does not care how long ago the sign-in was.
    """

    client: OAuthClientRow
    redirect_uri: str
    state: str
    scopes: ScopeSet
    challenge: str
    nonce: str = ""
    launch: str = ""
    prompt: frozenset[str] = frozenset()
    max_age_s: int | None = None
    dpop_jkt: str = ""

    def refused(self, error: str, text: str) -> SentBack:
        """Gives the refusal of this request, to be raised."""
        return SentBack(error, text, self.redirect_uri, self.state)


def parameters_of(pairs: Iterable[tuple[str, str]]) -> tuple[dict[str, str], frozenset[str]]:
    """Gives the parameters that mean something and carry a value, and the names of those that came twice.

    >>> parameters_of([("state", "a"), ("state", "b"), ("x", "y")])
    ({'state': 'a'}, frozenset({'state'}))
    """
    found: dict[str, str] = {}
    seen: set[str] = set()
    twice: set[str] = set()
    for name, value in pairs:
        if name not in KNOWN:
            continue
        if name in seen:
            twice.add(name)
        seen.add(name)
        if value and name not in found:
            found[name] = value
    return found, frozenset(twice)


def checked_request(
    given: Mapping[str, str], twice: frozenset[str], client: OAuthClient | None, fhir_base: str
) -> AuthorizationRequest:
    """Gives the request, once everything about it holds.

    Args:
        given: the parameters.
        twice: names of parameters that came more than once.
        client: the client of ``client_id``, if it is known, active, and its organisation is not suspended.
        fhir_base: the one audience there is.

    Raises:
        Stopped: the client is unknown, or ``redirect_uri`` is not exactly one of its registered addresses.
        SentBack: anything else that is wrong.
    """
    if client is None or twice & {"client_id", "redirect_uri"}:
        raise Stopped("authorize.unknown-software")
    redirect_uri = given.get("redirect_uri", "")
    if not client.check_redirect_uri(redirect_uri):
        raise Stopped("authorize.wrong-return")
    state = given.get("state", "")
    told = state if _WORD.fullmatch(state) else ""

    def refused(error: str, text: str) -> SentBack:
        return SentBack(error, text, redirect_uri, told)

    prompt = frozenset(given.get("prompt", "").split())
    faults = (
        *_shape_faults(given, twice, client),
        *_safety_faults(given, fhir_base),
        (
            bool(prompt - _PROMPTS) or ("none" in prompt and len(prompt) > 1),
            "invalid_request",
            "prompt cannot be read.",
        ),
    )
    for is_wrong, error, text in faults:
        if is_wrong:
            raise refused(error, text)
    return AuthorizationRequest(
        client=client.row,
        redirect_uri=redirect_uri,
        state=state,
        scopes=_scopes(given.get("scope", ""), refused),
        challenge=given["code_challenge"],
        nonce=given.get("nonce", ""),
        launch=given.get("launch", ""),
        prompt=prompt,
        max_age_s=_seconds(given.get("max_age"), refused),
        dpop_jkt=given.get("dpop_jkt", ""),
    )


def _shape_faults(
    given: Mapping[str, str], twice: frozenset[str], client: OAuthClient
) -> Iterator[tuple[bool, str, str]]:
    """Gives what can be wrong with the form of a request: whether it is, and how it is refused."""
    wrong = "invalid_request"
    yield bool(twice), wrong, "A parameter of the request came more than once."
    yield "response_type" not in given, wrong, "response_type is missing: it is code."
    is_code = client.check_response_type(given.get("response_type", ""))
    yield not is_code, "unsupported_response_type", "The only response_type is code."
    yield given.get("response_mode", "query") != "query", wrong, "The only response_mode is query."
    yield (
        "request" in given,
        "request_not_supported",
        "Send the parameters as they are, or ahead of the browser (RFC 9126).",
    )
    yield "request_uri" in given, wrong, "A request that is sent ahead names no other one."
    yield (
        "authorization_details" in given,
        "invalid_authorization_details",
        "authorization_details are for software that fetches its token by itself.",
    )
    for name in ("state", "nonce", "launch"):
        yield (
            not _WORD.fullmatch(given.get(name, "-")),
            wrong,
            f"{name} has 1 to 1024 printable ASCII characters.",
        )


def _safety_faults(given: Mapping[str, str], fhir_base: str) -> Iterator[tuple[bool, str, str]]:
    """Gives what a request lacks of what makes it safe."""
    wrong = "invalid_request"
    yield "state" not in given, wrong, "state is missing."
    is_here = given.get("aud", "").removesuffix("/") == fhir_base
    yield not is_here, wrong, "aud has to be the address of this FHIR server."
    proved = given.get("code_challenge_method") == "S256" and bool(
        _CHALLENGE.fullmatch(given.get("code_challenge", ""))
    )
    yield not proved, wrong, "A code_challenge with code_challenge_method S256 is demanded."
    thumbprint = _THUMBPRINT.fullmatch(given.get("dpop_jkt", "A" * 43))
    yield not thumbprint, wrong, "dpop_jkt is a SHA-256 thumbprint in base64url."


def _scopes(text: str, refused: Refusing) -> ScopeSet:
    if not text.strip() or len(text) > _LONGEST_SCOPE:
        raise refused("invalid_scope", "scope is missing, or too long.")
    try:
        return ScopeSet.parse(text)
    except MalformedContent as fault:
        raise refused("invalid_scope", fault.text) from None


def _seconds(text: str | None, refused: Refusing) -> int | None:
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise refused("invalid_request", "max_age is a number of seconds.")
    return int(text)
