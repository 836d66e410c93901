"""The hub's signing keys: published before they sign, kept after they signed, one at a time."""

import json
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from referral_hub.auth.signing_keys import KEPT_US, LEAD_US, SigningKeys

NOW = 1_795_500_000_000_000
MINUTE = 60_000_000


class Rows:
    """Implements the rows and the wrapping in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, tuple[bytes, str, int]] = {}

    def signing_keys(self) -> list[tuple[str, bytes, str, int]]:
        rows = [(name, wrapped, master, at) for name, (wrapped, master, at) in self.kept.items()]
        return sorted(rows, key=lambda row: (row[3], row[0]))

    def add(self, name: str, wrapped: bytes, master: str, at_us: int) -> None:
        self.kept.setdefault(name, (wrapped, master, at_us))

    def wrap(self, name: str, key: bytes) -> tuple[bytes, str]:
        return name.encode() + b"|" + key[::-1], "m"

    def unwrap(self, name: str, wrapped: bytes, master: str) -> bytes:
        assert wrapped.startswith(name.encode() + b"|")
        return wrapped[len(name) + 1 :][::-1]


@pytest.fixture(scope="module")
def rows() -> Rows:
    """Rows with a first key and a second one that was made an hour later."""
    found = Rows()
    keys = SigningKeys(found, found, found)
    keys.published(NOW)
    keys.add(NOW + 60 * MINUTE)
    return found


def fresh(rows: Rows) -> SigningKeys:
    return SigningKeys(rows, rows, rows)


def kids(keys: SigningKeys, at_us: int) -> list[str]:
    return [key["kid"] for key in json.loads(keys.published(at_us))["keys"]]


def signer(keys: SigningKeys, at_us: int) -> str:
    token = keys.signed({"sub": "a"}, at_us)
    published = KeySet.import_key_set(json.loads(keys.published(at_us)))
    decoded: Any = jwt.decode(token, published, algorithms=["RS256"])
    assert decoded.claims == {"sub": "a"}
    return str(decoded.header["kid"])


def test_a_key_is_published_before_it_signs_and_after_it_signed(rows: Rows) -> None:
    keys = fresh(rows)
    first, second = kids(keys, NOW + 61 * MINUTE)
    assert signer(keys, NOW + 61 * MINUTE) == first
    assert signer(keys, NOW + 60 * MINUTE + LEAD_US) == second
    late = NOW + 60 * MINUTE + LEAD_US + KEPT_US
    assert kids(keys, late - 1) == [first, second]
    assert kids(keys, late + MINUTE) == [second]


def test_a_process_learns_of_a_key_that_another_made_before_it_signs(rows: Rows) -> None:
    other = Rows()
    one, two = fresh(other), fresh(other)
    assert kids(one, NOW) == kids(two, NOW)
    made = one.add(NOW + MINUTE)
    assert made in kids(two, NOW + 3 * MINUTE)
    assert signer(two, NOW + 3 * MINUTE) != made


def test_two_first_keys_are_one() -> None:
    found = Rows()
    assert kids(fresh(found), NOW) == kids(fresh(found), NOW)
    assert len(found.kept) == 1


def test_what_is_published_holds_nothing_private(rows: Rows) -> None:
    for key in json.loads(fresh(rows).published(NOW))["keys"]:
        assert key.keys() == {"kty", "kid", "use", "alg", "n", "e"}
        assert (key["alg"], key["use"]) == ("RS256", "sig")


def test_kept_keys_are_wrapped(rows: Rows) -> None:
    assert all(wrapped.startswith(name.encode()) for name, (wrapped, _, _) in rows.kept.items())
