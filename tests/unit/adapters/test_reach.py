"""Which IP addresses are of the open internet, which are inside, and which are never called."""

import pytest

from referral_hub.adapters.reach import is_inner, is_public, may_reach

PUBLIC = [
    "93.184.216.34",
    "8.8.8.8",
    "2606:2800:220:1:248:1893:25c8:1946",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
]
LOOPBACK = ["127.0.0.1", "127.8.8.8", "::1"]
PRIVATE = ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fc00::1", "fd12::1"]
NEVER = [
    "0.0.0.0",
    "::",
    "169.254.169.254",
    "fe80::1",
    "224.0.0.1",
    "ff02::1",
    "255.255.255.255",
    "240.0.0.1",
    "fec0::1",
]
DISGUISED = [
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::127.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "2002:a00:1::",
    "::127.0.0.1",
    "2001:0:7f00:1::",
]
OTHER = ["100.64.0.1", "192.0.2.1", "198.51.100.1", "203.0.113.1", "198.18.0.1", "2001:db8::1"]


@pytest.mark.parametrize("address", PUBLIC)
def test_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", [*LOOPBACK, *PRIVATE, *NEVER, *DISGUISED, *OTHER])
def test_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", [*LOOPBACK, *PRIVATE])
def test_inner(address: str) -> None:
    assert is_inner(address)


@pytest.mark.parametrize("address", [*PUBLIC, *NEVER])
def test_never_inner(address: str) -> None:
    assert not is_inner(address)


@pytest.mark.parametrize(
    ("address", "scheme", "allowed", "expected"),
    [
        ("93.184.216.34", "https", False, True),
        ("93.184.216.34", "http", False, False),
        ("93.184.216.34", "https", True, True),
        ("93.184.216.34", "http", True, False),
        ("10.0.0.1", "https", False, False),
        ("10.0.0.1", "https", True, True),
        ("10.0.0.1", "http", True, False),
        ("127.0.0.1", "https", False, False),
        ("127.0.0.1", "http", False, False),
        ("127.0.0.1", "http", True, True),
        ("::1", "http", True, True),
        ("169.254.169.254", "https", True, False),
        ("fe80::1%eth0", "https", True, False),
        ("fe80::1%eth0", "https", False, False),
    ],
)
def test_may_reach(address: str, scheme: str, allowed: bool, expected: bool) -> None:
    assert may_reach(address, scheme, allowed=allowed) is expected
