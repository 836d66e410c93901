"""Which public keys are fit, which one is meant, and how long a fetched set counts."""

import json
import threading
from dataclasses import dataclass, field
from typing import Any

import pytest

from referral_hub.auth.client_keys import ClientKeys
from referral_hub.auth.keys import LARGEST_KEY_SET, KeyRefused, check_key_set, choose_key, read_key_set
from tests.unit.auth.hub import KEYS_URL, NOW_US, SECOND
from tests.unit.auth.memory import ClientRow, Document, MemoryFetcher
from tests.unit.auth.partner import b64, ec_key, integer, key_set, public_jwk, rsa_key

EC = public_jwk(ec_key("a"), "e1")
RSA = public_jwk(rsa_key("a"), "r1")


def without(jwk: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in jwk.items() if name not in names}


UNFIT: dict[str, dict[str, Any]] = {
    "private RSA part": {**RSA, "d": "AQAB"},
    "private EC part": {**EC, "d": "AQAB"},
    "prime": {**RSA, "p": "AQAB"},
    "shared secret": {"kty": "oct", "k": "c2VjcmV0", "kid": "o1"},
    "kid missing": without(EC, "kid"),
    "kid empty": {**EC, "kid": ""},
    "kid number": {**EC, "kid": 5},
    "kid too long": {**EC, "kid": "k" * 256},
    "kty missing": without(EC, "kty"),
    "kty a list": {**EC, "kty": ["EC"]},
    "kty OKP": {"kty": "OKP", "crv": "Ed25519", "x": b64(b"x" * 32), "kid": "e1"},
    "curve P-256": public_jwk(ec_key("small", "ES256"), "e1"),
    "curve P-521": public_jwk(ec_key("large", "ES512"), "e1"),
    "curve named wrongly": {**public_jwk(ec_key("small", "ES256"), "e1"), "crv": "P-384"},
    "point off the curve": {**EC, "y": EC["x"]},
    "x missing": without(EC, "x"),
    "x of many bytes": {**EC, "x": b64(b"\1" * 49)},
    "RSA of 1024 bits": {**RSA, "n": integer((1 << 1023) + 1)},
    "RSA of 2047 bits": {**RSA, "n": integer((1 << 2046) + 1)},
    "RSA of 8200 bits": {**RSA, "n": integer((1 << 8199) + 1)},
    "exponent 3": {**RSA, "e": integer(3)},
    "exponent even": {**RSA, "e": integer(65538)},
    "exponent huge": {**RSA, "e": integer((1 << 64) - 1)},
    "n missing": without(RSA, "n"),
    "n no base64url": {**RSA, "n": "!!!"},
    "n number": {**RSA, "n": 5},
    "use enc": {**EC, "use": "enc"},
    "key_ops without verify": {**EC, "key_ops": ["sign"]},
    "key_ops a text": {**EC, "key_ops": "verify"},
    "alg ES256": {**EC, "alg": "ES256"},
    "alg RS256": {**RSA, "alg": "RS256"},
    "alg RS384 of an EC key": {**EC, "alg": "RS384"},
    "alg number": {**EC, "alg": 5},
}


@pytest.mark.parametrize("name", UNFIT)
def test_an_unfit_key_is_refused_at_registration_and_unused_when_fetched(name: str) -> None:
    jwk = UNFIT[name]
    with pytest.raises(KeyRefused) as caught:
        check_key_set(key_set(jwk))
    assert "Key 1 of the set" in caught.value.text
    assert str(jwk.get("n", "-" * 9)) not in caught.value.text
    for alg in ("RS384", "ES384"):
        with pytest.raises(KeyRefused):
            choose_key(read_key_set(key_set(jwk)), str(jwk.get("kid")), alg)


@pytest.mark.parametrize(
    "jwk",
    [
        EC,
        RSA,
        {**EC, "use": "sig", "alg": "ES384", "key_ops": ["verify"], "ext": True},
        {**RSA, "alg": "RS384", "x5c": ["not looked at"], "unknown": {"a": 1}},
        public_jwk(rsa_key("b", 3072), "r2"),
    ],
)
def test_a_fit_key_is_taken(jwk: dict[str, Any]) -> None:
    (key,) = check_key_set(key_set(jwk))
    assert key.key is not None


def test_an_unfit_key_beside_a_fit_one_does_not_hinder_a_fetched_set() -> None:
    keys = read_key_set(key_set(UNFIT["kty OKP"], EC))
    assert choose_key(keys, "e1", "ES384")


def test_an_unfit_key_of_the_same_name_still_makes_it_two() -> None:
    keys = read_key_set(key_set({**EC, "use": "enc"}, EC))
    with pytest.raises(KeyRefused, match="key-ambiguous"):
        choose_key(keys, "e1", "ES384")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "{}",
        '{"keys": {}}',
        '{"keys": [5]}',
        "[" * 60_000,
        key_set(*([EC] * 65)),
        json.dumps({"keys": [], "filler": "x" * LARGEST_KEY_SET}),
    ],
)
def test_a_document_that_is_no_key_set(text: str) -> None:
    with pytest.raises(KeyRefused):
        read_key_set(text)


def test_registration_refuses_an_empty_set_and_two_of_one_name() -> None:
    with pytest.raises(KeyRefused, match="holds no key"):
        check_key_set(key_set())
    with pytest.raises(KeyRefused, match="share kid and kty"):
        check_key_set(key_set(EC, public_jwk(ec_key("b"), "e1")))


# Fetched sets


CLINIC = ClientRow("c-clinic", "clinic", "jwks_url", "", jwks_url=KEYS_URL)


def serving(*keys: dict[str, Any], max_age_s: int | None = None) -> tuple[MemoryFetcher, ClientKeys]:
    fetcher = MemoryFetcher({KEYS_URL: Document(key_set(*keys).encode(), max_age_s)})
    return fetcher, ClientKeys(fetcher)


def test_a_set_is_fetched_once_for_its_life() -> None:
    fetcher, keys = serving(EC)
    for second in (0, 1, 299):
        keys.key_of(CLINIC, "e1", "ES384", NOW_US + second * SECOND)
    assert len(fetcher.fetched) == 1
    keys.key_of(CLINIC, "e1", "ES384", NOW_US + 300 * SECOND)
    assert len(fetcher.fetched) == 2


@pytest.mark.parametrize(("max_age_s", "life_s"), [(None, 300), (60, 60), (86_400, 300), (0, 0)])
def test_a_set_is_kept_no_longer_than_its_owner_allows(max_age_s: int | None, life_s: int) -> None:
    fetcher, keys = serving(EC, max_age_s=max_age_s)
    keys.key_of(CLINIC, "e1", "ES384", NOW_US)
    fetcher.documents[KEYS_URL] = Document(key_set().encode())
    if life_s:
        assert keys.key_of(CLINIC, "e1", "ES384", NOW_US + life_s * SECOND - 1)
    with pytest.raises(KeyRefused, match="key-unknown"):
        keys.key_of(CLINIC, "e1", "ES384", NOW_US + life_s * SECOND + 1)


def test_a_new_key_is_found_at_once() -> None:
    fetcher, keys = serving(EC)
    keys.key_of(CLINIC, "e1", "ES384", NOW_US)
    fetcher.documents[KEYS_URL] = Document(key_set(EC, RSA).encode())
    assert keys.key_of(CLINIC, "r1", "RS384", NOW_US + 31 * SECOND)


def test_unknown_keys_make_one_fetch_in_thirty_seconds() -> None:
    fetcher, keys = serving(EC)
    keys.key_of(CLINIC, "e1", "ES384", NOW_US)
    for second in range(1, 91):
        with pytest.raises(KeyRefused, match="key-unknown"):
            keys.key_of(CLINIC, f"nonsense-{second}", "ES384", NOW_US + second * SECOND)
    assert len(fetcher.fetched) == 1 + 3


def test_an_address_that_does_not_answer_is_left_alone_for_a_while() -> None:
    fetcher = MemoryFetcher()
    keys = ClientKeys(fetcher)
    for second in range(30):
        with pytest.raises(KeyRefused, match="keys-unreachable"):
            keys.key_of(CLINIC, "e1", "ES384", NOW_US + second * SECOND)
    assert len(fetcher.fetched) == 1
    fetcher.documents[KEYS_URL] = Document(key_set(EC).encode())
    assert keys.key_of(CLINIC, "e1", "ES384", NOW_US + 30 * SECOND)


def test_a_set_that_still_counts_survives_a_failed_fetch_and_one_that_ended_does_not() -> None:
    fetcher, keys = serving(EC)
    keys.key_of(CLINIC, "e1", "ES384", NOW_US)
    fetcher.documents.clear()
    with pytest.raises(KeyRefused):
        keys.key_of(CLINIC, "unknown", "ES384", NOW_US + 31 * SECOND)
    assert keys.key_of(CLINIC, "e1", "ES384", NOW_US + 32 * SECOND)
    with pytest.raises(KeyRefused, match="keys-unreachable"):
        keys.key_of(CLINIC, "e1", "ES384", NOW_US + 300 * SECOND)


@pytest.mark.parametrize("body", [b"\xff\xfe", b"<html>", b"x" * (LARGEST_KEY_SET + 1)])
def test_an_answer_that_is_no_key_set_gives_no_key(body: bytes) -> None:
    keys = ClientKeys(MemoryFetcher({KEYS_URL: Document(body)}))
    with pytest.raises(KeyRefused, match="keys-unreachable"):
        keys.key_of(CLINIC, "e1", "ES384", NOW_US)


def test_the_number_of_addresses_kept_is_bounded() -> None:
    document = Document(key_set(EC).encode())
    urls = [f"https://c{number}.example/keys" for number in range(50)]
    keys = ClientKeys(MemoryFetcher(dict.fromkeys(urls, document)), most=4)
    for url in urls:
        keys.key_of(ClientRow("c", "o", "jwks_url", "", jwks_url=url), "e1", "ES384", NOW_US)
    assert len(keys._kept) == 4


@pytest.mark.parametrize("kind", ["secret", "public", "", "jwks_url"])
def test_a_client_without_keys_has_no_key(kind: str) -> None:
    row = ClientRow("c", "o", kind, "", jwks=key_set(EC))
    with pytest.raises(KeyRefused, match="client-has-no-keys"):
        ClientKeys(MemoryFetcher()).key_of(row, "e1", "ES384", NOW_US)


@dataclass
class _SlowFetcher:
    document: Document
    began: threading.Event = field(default_factory=threading.Event)
    may_end: threading.Event = field(default_factory=threading.Event)
    times: int = 0

    def fetch(self, url: str) -> Document:
        self.times += 1
        self.began.set()
        assert self.may_end.wait(5)
        return self.document


def test_many_requests_at_once_make_one_fetch() -> None:
    fetcher = _SlowFetcher(Document(key_set(EC).encode(), 0))
    keys = ClientKeys(fetcher)
    found: list[Any] = []
    threads = [
        threading.Thread(target=lambda: found.append(keys.key_of(CLINIC, "e1", "ES384", NOW_US)))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    assert fetcher.began.wait(5)
    fetcher.may_end.set()
    for thread in threads:
        thread.join(5)
    assert (len(found), fetcher.times) == (6, 1)
