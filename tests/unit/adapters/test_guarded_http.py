"""Which addresses the hub calls at all; no connection is made here (see tests/api/test_guarded_http.py)."""

import socket
from typing import Any

import pytest

from referral_hub.adapters.guarded_http import Fetched, GuardedHttp
from referral_hub.errors import Unavailable
from tests.unit.adapters.test_reach import DISGUISED, LOOPBACK, NEVER, OTHER, PRIVATE


class _Resolver:
    """Answers every name with these addresses, and counts."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses
        self.asked: list[tuple[str, int]] = []

    def __call__(self, host: str, port: int) -> list[tuple[Any, ...]]:
        self.asked.append((host, port))
        return [(2, 1, 6, "", (address, port)) for address in self.addresses]


@pytest.fixture(autouse=True)
def _no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    def connecting(*_: object, **__: object) -> None:
        raise AssertionError("a connection was about to be made")

    monkeypatch.setattr(socket, "socket", connecting)


def test_a_public_address_would_be_called() -> None:
    guard = GuardedHttp(resolve=_Resolver("93.184.216.34"))
    with pytest.raises(AssertionError, match="about to be made"):
        guard.fetch("https://partner.example/keys")


def refused(url: str, *addresses: str, inner: str = "") -> _Resolver:
    resolver = _Resolver(*addresses)
    guard = GuardedHttp(inner_origins=frozenset({inner} - {""}), timeout_s=2, resolve=resolver)
    with pytest.raises(Unavailable) as caught:
        guard.fetch(url)
    assert "example" not in caught.value.text
    return resolver


@pytest.mark.parametrize("address", [*LOOPBACK, *PRIVATE, *NEVER, *DISGUISED, *OTHER])
def test_a_name_that_points_inside_is_refused(address: str) -> None:
    assert refused("https://partner.example/keys", address).asked == [("partner.example", 443)]


def test_one_bad_address_among_good_ones_refuses_the_name() -> None:
    refused("https://partner.example/keys", "93.184.216.34", "10.0.0.1")


def test_a_name_without_an_address_is_refused() -> None:
    refused("https://partner.example/keys")


@pytest.mark.parametrize("address", NEVER)
def test_an_allowed_origin_is_not_allowed_everything(address: str) -> None:
    refused("https://partner.example/keys", address, inner="https://partner.example:443")


def test_an_allowed_origin_is_one_scheme_host_and_port() -> None:
    inner = "https://partner.example:8443"
    refused("https://partner.example/keys", "10.0.0.1", inner=inner)
    refused("https://partner.example:8444/keys", "10.0.0.1", inner=inner)
    refused("https://other.example:8443/keys", "10.0.0.1", inner=inner)


def test_http_to_a_private_address_is_refused_even_where_the_origin_is_allowed() -> None:
    refused("http://partner.example/keys", "10.0.0.1", inner="http://partner.example:80")
    refused("http://partner.example/keys", "93.184.216.34", inner="http://partner.example:80")


@pytest.mark.parametrize(
    "url",
    [
        "http://partner.example/keys",
        "ftp://partner.example/keys",
        "file:///etc/passwd",
        "partner.example/keys",
        "",
        "https://",
        "https:///keys",
        "https://me:secret@partner.example/keys",
        "https://@partner.example/keys",
        "https://partner.example/keys#a",
        "https://partner.example:0/keys",
        "https://partner.example:99999/keys",
        "https://partner.example\\@10.0.0.1/keys",
        "https://partner.example/ keys",
        "https://partner.example/\nkeys",
        "https://pärtner.example/keys",
        "https://[::1/keys",
    ],
)
def test_an_address_that_is_refused_before_anything_is_looked_up(url: str) -> None:
    assert refused(url, "93.184.216.34").asked == []


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "017700000001", "127.1"])
def test_spellings_of_loopback_are_judged_by_what_they_resolve_to(host: str) -> None:
    refused(f"https://{host}/keys", "127.0.0.1")


@pytest.mark.parametrize(
    ("control", "seconds"),
    [
        ("max-age=60", 60),
        ("public, max-age=60", 60),
        ("Max-Age=60", 60),
        ('max-age="60"', 60),
        ("s-maxage=60", None),
        ("x-max-age=60", None),
        ("no-store", 0),
        ("no-cache, max-age=60", 0),
        ("private,no-store", 0),
        ('no-cache="Set-Cookie"', 0),
        ("max-age=-1", None),
        ("", None),
    ],
)
def test_how_long_an_answer_may_be_kept(control: str, seconds: int | None) -> None:
    assert Fetched(200, {"cache-control": control}, b"").max_age_s == seconds
