"""Which network addresses the hub may call: the open internet, and inside only what a setting names.

What lives here: the judgement of one address and of one origin, without any connection. What does not:
looking names up and calling (``adapters.guarded_http``).

Source: ``consent.md`` O-07; the IANA registries of special-purpose IPv4 and IPv6 addresses.
"""

import ipaddress
from urllib.parse import urlsplit

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_PRIVATE = tuple(
    ipaddress.ip_network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def is_public(address: str) -> bool:
    """Tells whether an IP address is of the open internet; an IPv4 one inside an IPv6 one counts as itself.

    >>> is_public("93.184.216.34"), is_public("10.0.0.1"), is_public("::ffff:127.0.0.1")
    (True, False, False)
    """
    return all(_is_public(part) for part in _parts(ipaddress.ip_address(address)))


def is_inner(address: str) -> bool:
    """Tells whether an IP address is a loopback or private one, such as an operator may allow by name.

    Link-local addresses are never inner: the metadata services of hosting providers live there.

    >>> is_inner("127.0.0.1"), is_inner("10.0.0.1"), is_inner("169.254.169.254"), is_inner("93.184.216.34")
    (True, True, False, False)
    """
    found = ipaddress.ip_address(address)
    return found.is_loopback or any(
        found in network for network in _PRIVATE if network.version == found.version
    )


def may_reach(address: str, scheme: str, *, allowed: bool) -> bool:
    """Tells whether a connection to this address may be made.

    Args:
        address: an IP address a name resolved to.
        scheme: ``https`` or ``http``; without TLS only this machine itself may be called.
        allowed: True where a setting names the origin as one that may be inside.

    >>> may_reach("10.0.0.1", "https", allowed=False), may_reach("10.0.0.1", "https", allowed=True)
    (False, True)
    """
    address = address.partition("%")[0]
    if not allowed:
        return scheme == "https" and is_public(address)
    if scheme == "http":
        return ipaddress.ip_address(address).is_loopback
    return is_inner(address) or is_public(address)


def origin(url: str) -> str:
    """Gives scheme, host and port of an absolute URL, the port always written.

    >>> origin("https://Partner.example/keys")
    'https://partner.example:443'
    """
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return f"{parts.scheme}://{in_url(parts.hostname or '')}:{port}"


def in_url(host: str) -> str:
    """Gives a host as it is written in a URL: an IPv6 address in brackets.

    >>> in_url("::1"), in_url("partner.example")
    ('[::1]', 'partner.example')
    """
    return f"[{host.strip('[]')}]" if ":" in host else host


def _is_public(address: IPAddress) -> bool:
    return address.is_global and not (
        address.is_multicast
        or address.is_reserved
        or address.is_unspecified
        or address.is_loopback
        or address.is_link_local
        or getattr(address, "is_site_local", False)
    )


def _parts(address: IPAddress) -> list[IPAddress]:
    """Gives the address with every IPv4 address it carries inside: mapped, 6to4, Teredo, NAT64."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped]
    if address in _NAT64:
        return [ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)]
    if address.sixtofour is not None:
        return [address, address.sixtofour]
    if address.teredo is not None:
        return [address, *address.teredo]
    return [address]
