"""Registering software that people sign in with: where their browser may be sent, and what it may ask for.

What lives here: the rules of addresses and scopes that such software has beside the others. What does not: the rest of
a registration (``auth.clients``).

Source: SMART App Launch 2.2, app registration; RFC 9700 2.1 and 4.1; RFC 8252 7.3; ``consent.md`` O-14.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from referral_hub.access.scopes import ScopeSet
from referral_hub.auth.offered_scopes import FHIR_USER, OFFLINE, ONLINE, OPENID, OTHER_SCOPES, PROFILE
from referral_hub.errors import ConfigurationError

_LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
_LONGEST_ADDRESS = 500
_MOST_ADDRESSES = 10
_ANSWERS = frozenset({"code", "error", "error_description", "iss", "state"})


@dataclass(frozen=True, slots=True)
class App:
    """What only software has that people sign in with.

    Args:
        redirect_uris: the addresses a browser may be sent back to; none for software that nobody signs in with.
        launch_url: where it is started out of the hub; empty where it cannot be.
        require_par: its requests have to be sent ahead (RFC 9126).
    """

    redirect_uris: tuple[str, ...] = ()
    launch_url: str = ""
    require_par: bool = False


def check_app(app: App, *, public: bool, purposes: Sequence[str]) -> None:
    """Checks the addresses of such software.

    Raises:
        ConfigurationError: with the first rule that does not hold.
    """
    if not app.redirect_uris:
        if public or app.launch_url or app.require_par:
            raise ConfigurationError("Software that people sign in with needs an address to return to.")
        return
    if len(set(app.redirect_uris)) != len(app.redirect_uris) or len(app.redirect_uris) > _MOST_ADDRESSES:
        raise ConfigurationError(f"Up to {_MOST_ADDRESSES} addresses to return to, each of them once.")
    for address in app.redirect_uris:
        check_browser_address(address)
    if app.launch_url:
        check_browser_address(app.launch_url)
    if len(set(purposes)) > 1:
        raise ConfigurationError(
            "Software that people sign in with has one purpose of use: register one for each."
        )


def check_browser_address(address: str) -> None:
    """Checks an address that browsers of people are sent to.

    Raises:
        ConfigurationError: it could lead elsewhere than it says, or the answer would travel in the clear.

    >>> check_browser_address("https://app.example/back")
    """
    try:
        parts = urlsplit(address)
        host, port_reads = parts.hostname or "", parts.port is None or parts.port > 0
        names = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
    except ValueError:
        host, port_reads, parts, names = "", False, urlsplit(""), set()
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK_HOSTS)
    is_plain = (
        address.isascii()
        and address.isprintable()
        and not set(" \\*<>\"'") & set(address)
        and len(address) <= _LONGEST_ADDRESS
        and parts.username is None
        and "#" not in address
        and not {".", ".."} & set(parts.path.split("/"))
        and not names & _ANSWERS
    )
    if not (host and port_reads and is_safe and is_plain):
        raise ConfigurationError(
            "An address of software that people sign in with is a whole https address without a user name, a fragment "
            "or a wildcard (http only on a loopback address)."
        )


def check_app_scope(scope: ScopeSet, *, public: bool) -> None:
    """Checks the scopes of software that people sign in with.

    Raises:
        ConfigurationError: a scope that does not exist, or does not go together with the others.
    """
    unknown = sorted(set(scope.other) - set(OTHER_SCOPES))
    if unknown:
        raise ConfigurationError(
            f"{unknown[0]!r} is no scope. Beside those of resources: {', '.join(OTHER_SCOPES)}."
        )
    if scope.opens_nothing and OPENID not in scope.other:
        raise ConfigurationError("Register resource scopes such as user/Task.rs, or openid.")
    if OPENID not in scope.other and {FHIR_USER, PROFILE} & set(scope.other):
        raise ConfigurationError("fhirUser and profile come with openid.")
    if scope.opens_nothing and {OFFLINE, ONLINE} & set(scope.other):
        raise ConfigurationError("Tokens that last need a resource scope to be for.")
    if public and any(found.context == "system" for found in scope.scopes):
        raise ConfigurationError("Software that cannot keep a secret has no system scopes.")


def origin_of(address: str) -> str:
    """Gives the origin of an address, as a Content-Security-Policy and CORS spell it.

    >>> origin_of("https://app.example:8443/back?a=1")
    'https://app.example:8443'
    """
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"
