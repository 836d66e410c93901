"""Every check of a proof of possession, one attack each, and the algorithms and spellings that hold."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_hub.auth.dpop import (
    AHEAD_S,
    INVALID,
    NONCE_WANTED,
    OLDEST_S,
    Proof,
    ProofRefused,
    Proofs,
    place_of,
)
from referral_hub.auth.dpop_keys import ALGORITHMS, proof_key
from referral_hub.auth.dpop_nonces import NONCE_LIFE_S, RENEWED_AFTER_S, Nonces
from tests.unit.auth.partner import DROP, b64, ec_key, public_jwk, rsa_key
from tests.unit.auth.prover import Prover, tampered

NOW_US = 1_795_500_000_250_000
NOW_S = NOW_US / 1_000_000
SECOND = 1_000_000
NONCES = Nonces(b"an invented key of a hub")
PROOFS = Proofs("https://hub.example", NONCES)
URL, PATH = "https://hub.example/fhir/Task", b"/fhir/Task"
TOKEN = "an-invented-token"


def prover(alg: str = "ES256", **more: Any) -> Prover:
    key = rsa_key("prover") if alg[:2] in ("RS", "PS") else ec_key("prover", alg)
    return Prover(**{"key": key, "alg": alg, "nonce": NONCES.fresh(NOW_US), **more})


def checked(
    text: str, *, at_us: int = NOW_US, method: str = "GET", path: bytes = PATH, token: str = TOKEN
) -> Proof:
    return PROOFS.check(text, method, path, at_us, token=token)


def good(**more: Any) -> str:
    return prover().proof("GET", URL, NOW_S, token=TOKEN, **more)


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_a_proof_of_each_algorithm_holds_and_names_its_key_as_others_do(alg: str) -> None:
    it = prover(alg)
    found = checked(it.proof("GET", URL, NOW_S, token=TOKEN))
    assert found.jkt == it.jkt
    assert found.next_nonce == ""
    assert found.expires_us > NOW_US + OLDEST_S * SECOND


PRIVATE = {"d": "AQAB"}
HEADERS: dict[str, Any] = {
    "another type": {"typ": "JWT"},
    "a type in capitals": {"typ": "DPOP+JWT"},
    "no type": {"typ": DROP},
    "no algorithm": {"alg": "none"},
    "an algorithm that is no text": {"alg": ["ES256"]},
    "no key": {"jwk": DROP},
    "a key that is a text": {"jwk": "key"},
    "a private key": {"jwk": {**Prover().jwk, **PRIVATE}},
    "a secret key": {"jwk": {"kty": "oct", "k": "AQAB"}},
    "a key on another curve": {"jwk": public_jwk(ec_key("other", "ES384"), None)},
    "a key for encryption": {"jwk": {**Prover().jwk, "use": "enc"}},
    "a key that may not verify": {"jwk": {**Prover().jwk, "key_ops": ["sign"]}},
    "a key for another algorithm": {"jwk": {**Prover().jwk, "alg": "ES384"}},
    "a key off the curve": {"jwk": {**Prover().jwk, "y": b64(b"\1" * 32)}},
    "a key with a short number": {"jwk": {**Prover().jwk, "x": "AQAB"}},
    "a critical extension": {"crit": ["exp"], "exp": 1},
    "a payload that is not encoded": {"b64": False},
    "another key than the one that signed": {"jwk": public_jwk(ec_key("stolen", "ES256"), None)},
}
CLAIMS: dict[str, Any] = {
    "another method": {"htm": "POST"},
    "the method in small letters": {"htm": "get"},
    "no method": {"htm": DROP},
    "another path": {"htu": "https://hub.example/fhir/Patient"},
    "a path below": {"htu": "https://hub.example/fhir/Task/1"},
    "another host": {"htu": "https://evil.example/fhir/Task"},
    "another port": {"htu": "https://hub.example:8443/fhir/Task"},
    "another scheme": {"htu": "http://hub.example/fhir/Task"},
    "a user in the address": {"htu": "https://a@hub.example/fhir/Task"},
    "no address": {"htu": DROP},
    "an address that is a number": {"htu": 5},
    "no moment": {"iat": DROP},
    "a moment that is a text": {"iat": str(int(NOW_S))},
    "a moment that is true": {"iat": True},
    "a moment without end": {"iat": 10**400},
    "too old": {"iat": int(NOW_S) - OLDEST_S - 1},
    "too far ahead": {"iat": int(NOW_S) + AHEAD_S + 2},
    "no name": {"jti": DROP},
    "an empty name": {"jti": ""},
    "a name that is a number": {"jti": 7},
    "a name without end": {"jti": "x" * 257},
    "no token": {"ath": DROP},
    "another token": {"ath": b64(b"\0" * 32)},
}


@pytest.mark.parametrize("name", HEADERS)
def test_a_header_that_is_refused(name: str) -> None:
    with pytest.raises(ProofRefused) as refused:
        checked(good(header=HEADERS[name]))
    assert refused.value.error == INVALID


@pytest.mark.parametrize("name", CLAIMS)
def test_a_claim_that_is_refused(name: str) -> None:
    with pytest.raises(ProofRefused) as refused:
        checked(good(claims=CLAIMS[name]))
    assert refused.value.error == INVALID


@pytest.mark.parametrize(("alg", "key"), [("HS256", b"a secret"), ("ES512", None), ("RS512", None)])
def test_an_algorithm_that_is_not_listed_is_refused(alg: str, key: bytes | None) -> None:
    signing = key or (ec_key("long", "ES512") if alg == "ES512" else rsa_key("prover"))
    jwk = Prover().jwk if key else public_jwk(signing, None)
    text = prover().proof("GET", URL, NOW_S, token=TOKEN, header={"alg": alg, "jwk": jwk}, key=signing)
    with pytest.raises(ProofRefused, match="alg"):
        checked(text)


@pytest.mark.parametrize("alg", ["RS256", "PS384"])
def test_a_weak_key_is_refused(alg: str) -> None:
    weak = rsa_key("weak", 1024)
    with pytest.raises(ProofRefused, match="jwk"):
        checked(prover(alg, key=weak).proof("GET", URL, NOW_S, token=TOKEN))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a.b",
        "a.b.c",
        "a.b.c.d",
        "é.b.c",
        "x" * 9000,
        f"{good()},{good()}",
        f"{good()} ",
        tampered(good()),
    ],
)
def test_a_text_that_is_no_proof_is_refused(text: str) -> None:
    with pytest.raises(ProofRefused) as refused:
        checked(text)
    assert refused.value.error == INVALID


@pytest.mark.parametrize(
    "nonce",
    [
        "",
        "x",
        "A" * 30,
        "é" * 30,
        Nonces(b"of another hub").fresh(NOW_US),
        NONCES.fresh(NOW_US)[:-1] + "?",
        5,
    ],
)
def test_a_nonce_that_is_not_ours_is_asked_for(nonce: Any) -> None:
    with pytest.raises(ProofRefused) as refused:
        checked(good(claims={"nonce": nonce}))
    assert refused.value.error == NONCE_WANTED


def test_a_nonce_lives_for_minutes_and_is_renewed_before_it_ends() -> None:
    def told(age_s: int) -> str:
        nonce = NONCES.fresh(NOW_US - age_s * SECOND)
        return checked(good(claims={"nonce": nonce})).next_nonce

    assert told(RENEWED_AFTER_S) == ""
    assert told(RENEWED_AFTER_S + 1) == told(NONCE_LIFE_S) == NONCES.fresh(NOW_US)
    for age_s in (NONCE_LIFE_S + 1, -10):
        with pytest.raises(ProofRefused, match="nonce"):
            told(age_s)


def test_a_nonce_is_asked_for_only_where_everything_else_holds() -> None:
    with pytest.raises(ProofRefused) as refused:
        checked(good(claims={"nonce": "x", "ath": "x"}))
    assert refused.value.error == INVALID


@pytest.mark.parametrize(
    "htu",
    [
        URL,
        "HTTPS://HUB.EXAMPLE/fhir/Task",
        "https://hub.example:443/fhir/Task",
        "https://hub.example/fhir/T%61sk",
        f"{URL}?status=requested",
        f"{URL}#top",
    ],
)
def test_spellings_of_one_address_are_the_same(htu: str) -> None:
    assert checked(good(claims={"htu": htu})).jkt == prover().jkt


def test_a_hub_below_a_path_takes_proofs_for_its_own_addresses() -> None:
    proofs = Proofs("https://many.example/hub", NONCES)
    it = prover()
    proofs.check(it.proof("GET", "https://many.example/hub/fhir/Task", NOW_S), "GET", PATH, NOW_US)
    with pytest.raises(ProofRefused, match="htu"):
        proofs.check(it.proof("GET", "https://many.example/fhir/Task", NOW_S), "GET", PATH, NOW_US)


@pytest.mark.parametrize(
    "change",
    [
        {"n": "AA" + public_jwk(rsa_key("prover"), None)["n"]},
        {"e": "AAEAAQ"},
        {"e": "AQ"},
        {"e": "AQAC"},
        {"e": "AQAB="},
    ],
)
def test_one_key_has_one_spelling(change: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"zeros|weak|base64url"):
        proof_key({**public_jwk(rsa_key("prover"), None), **change}, "RS256")


def test_further_members_of_a_key_do_not_change_what_it_is_called() -> None:
    it = prover()
    _, named = proof_key({**it.jwk, "kid": "k", "x5t": "y", "use": "sig", "key_ops": ["verify"]}, "ES256")
    assert named == it.jkt


@given(st.text(max_size=60))
def test_no_text_is_an_address_by_accident(text: str) -> None:
    found = place_of(text)
    assert found is None or text.lower().startswith(("http://", "https://"))


@given(st.binary(max_size=40))
def test_no_bytes_are_a_nonce_by_accident(raw: bytes) -> None:
    assert NONCES.age_s(b64(raw), NOW_US) is None
