"""Where this hub's authorization server is found, as absolute addresses.

What lives here: the addresses, each once. What does not: the routes behind them (``web.oauth_api``).

Source: ``interfaces.md`` 3 and 4.
"""

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from referral_hub.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Addresses:
    """The absolute addresses of the authorization server and of the FHIR API it protects.

    Args:
        base_url: the address others see, without a slash at the end.

    Raises:
        ConfigurationError: the base is not ``https`` and not a loopback address, so tokens would travel in
            the clear.

    >>> Addresses("https://hub.example").token
    'https://hub.example/oauth/token'
    """

    base_url: str

    def __post_init__(self) -> None:
        if self.base_url.endswith("/"):
            object.__setattr__(self, "base_url", self.base_url.rstrip("/"))
        if not _is_safe(self.base_url):
            raise ConfigurationError(
                "The base address of the hub starts with https://, or with http:// on a loopback address."
            )

    @property
    def token(self) -> str:
        """Gives the token endpoint: the one ``aud`` a client assertion may carry."""
        return f"{self.base_url}/oauth/token"

    @property
    def authorization(self) -> str:
        """Gives the authorization endpoint, where browsers of people are sent."""
        return f"{self.base_url}/oauth/authorize"

    @property
    def pushed(self) -> str:
        """Gives the endpoint for requests that are sent ahead."""
        return f"{self.base_url}/oauth/par"

    @property
    def keys(self) -> str:
        """Gives the address of the hub's public keys."""
        return f"{self.base_url}/oauth/jwks"

    @property
    def management(self) -> str:
        """Gives the page on which people end what they allowed software."""
        return f"{self.base_url}/manage"

    @property
    def introspection(self) -> str:
        """Gives the introspection endpoint."""
        return f"{self.base_url}/oauth/introspect"

    @property
    def revocation(self) -> str:
        """Gives the revocation endpoint."""
        return f"{self.base_url}/oauth/revoke"

    @property
    def fhir(self) -> str:
        """Gives the FHIR base: the one audience of every access token."""
        return f"{self.base_url}/fhir"


def _is_safe(base_url: str) -> bool:
    try:
        parts = urlsplit(base_url)
        host = parts.hostname or ""
        port_reads = parts.port is None or parts.port > 0
    except ValueError:
        return False
    if not host or not port_reads or parts.query or parts.fragment or parts.username is not None:
        return False
    if parts.scheme == "https":
        return True
    if parts.scheme != "http":
        return False
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
