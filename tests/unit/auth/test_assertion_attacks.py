"""Every way in which a client assertion can be wrong ends in one answer, and no token exists then."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from referral_hub.auth.request import OAuthRequest
from tests.unit.auth.hub import ADDRESSES, KEYS_URL, NOW_S, NOW_US, SECOND, Hub
from tests.unit.auth.memory import organization
from tests.unit.auth.partner import DROP, JWT_BEARER, b64, ec_key, key_set, public_jwk, rsa_key

SAME_TEXT = {
    "error": "invalid_client",
    "error_description": "The client could not be authenticated. Check its registration, keys and clock.",
}
INT_NOW = int(NOW_S)


def public_pem(key: Any) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


HEADERS: dict[str, dict[str, Any]] = {
    "kid missing": {"kid": DROP},
    "kid empty": {"kid": ""},
    "kid no text": {"kid": 1},
    "kid unknown": {"kid": "s2"},
    "kid of another client": {"kid": "k1"},
    "typ missing": {"typ": DROP},
    "typ other": {"typ": "at+jwt"},
    "typ in small letters": {"typ": "jwt"},
    "jku foreign": {"jku": "https://attacker.example/keys.json"},
    "jku of another client": {"jku": KEYS_URL},
    "jku null": {"jku": None},
    "crit": {"crit": ["exp"], "exp": INT_NOW + 300},
    "payload not encoded": {"crit": ["b64"], "b64": False},
    "b64 alone": {"b64": True},
}

CLAIMS: dict[str, dict[str, Any]] = {
    "exp one day ahead": {"exp": INT_NOW + 86_400},
    "exp beyond the leeway": {"exp": INT_NOW + 306},
    "exp missing": {"exp": DROP},
    "exp null": {"exp": None},
    "exp text": {"exp": str(INT_NOW + 300)},
    "exp true": {"exp": True},
    "exp no number": {"exp": float("nan")},
    "exp endless": {"exp": float("inf")},
    "exp huge": {"exp": 10**400},
    "expired": {"exp": INT_NOW - 6},
    "expired within Authlib's leeway of a minute": {"exp": INT_NOW - 30},
    "nbf in the future": {"nbf": INT_NOW + 30},
    "nbf text": {"nbf": "now"},
    "nbf true": {"nbf": True},
    "nbf no number": {"nbf": float("nan")},
    "iat no number": {"iat": float("nan")},
    "iat in the future": {"iat": INT_NOW + 30},
    "iat after exp": {"iat": INT_NOW + 4, "exp": INT_NOW + 2},
    "iat text": {"iat": "now"},
    "aud of another server": {"aud": "https://other.example/oauth/token"},
    "aud the base only": {"aud": "https://hub.example"},
    "aud with a slash more": {"aud": ADDRESSES.token + "/"},
    "aud one of two": {"aud": [ADDRESSES.token, "https://other.example/oauth/token"]},
    "aud empty list": {"aud": []},
    "aud object": {"aud": {"a": ADDRESSES.token}},
    "aud missing": {"aud": DROP},
    "iss of another client": {"iss": "c-clinic"},
    "iss missing": {"iss": DROP},
    "sub of another client": {"sub": "c-clinic"},
    "iss and sub of another client": {"iss": "c-clinic", "sub": "c-clinic"},
    "iss and sub unknown": {"iss": "c-nobody", "sub": "c-nobody"},
    "sub missing": {"sub": DROP},
    "sub no text": {"sub": 5, "iss": 5},
    "sub a list": {"sub": ["c-shelter"], "iss": ["c-shelter"]},
    "sub with a NUL": {"sub": "c-shelter\0", "iss": "c-shelter\0"},
    "sub with a lone surrogate": {"sub": "\ud800", "iss": "\ud800"},
    "jti missing": {"jti": DROP},
    "jti empty": {"jti": ""},
    "jti number": {"jti": 7},
    "jti too long": {"jti": "x" * 257},
    "jti with a lone surrogate": {"jti": "\ud800"},
}


def refused(hub: Hub, form: dict[str, str]) -> None:
    answer = hub.token(form)
    assert (answer.http_status, answer.body) == (400, SAME_TEXT)
    assert ("Cache-Control", "no-store") in answer.headers
    assert not hub.rows.tokens


def test_the_right_assertion_gets_a_token() -> None:
    # All the others differ from this one in one thing.
    answer = Hub().token(Hub().shelter.form(NOW_S))
    assert answer.http_status == 200


@pytest.mark.parametrize("name", HEADERS)
def test_wrong_header(name: str) -> None:
    hub = Hub()
    refused(hub, hub.shelter.form(NOW_S, header=HEADERS[name]))


@pytest.mark.parametrize("name", CLAIMS)
def test_wrong_claim(name: str) -> None:
    hub = Hub()
    refused(hub, hub.shelter.form(NOW_S, claims=CLAIMS[name]))


@pytest.mark.parametrize("alg", ["RS256", "RS512", "PS384", "PS256"])
def test_other_rsa_algorithms_are_refused_with_the_registered_key(alg: str) -> None:
    hub = Hub()
    refused(hub, hub.clinic.form(NOW_S, header={"alg": alg}))


@pytest.mark.parametrize("alg", ["ES256", "ES512"])
def test_other_curves_are_refused_even_if_such_a_key_is_stored(alg: str) -> None:
    hub = Hub()
    key = ec_key("other", alg)
    hub.rows.clients["c-shelter"] = replace(
        hub.rows.clients["c-shelter"], jwks=key_set(public_jwk(key, "s1"))
    )
    refused(hub, hub.shelter.form(NOW_S, header={"alg": alg}, key=key))


@pytest.mark.parametrize("spelling", ["none", "None", "NONE", "nOnE", ""])
def test_unsigned_assertions_are_refused(spelling: str) -> None:
    hub = Hub()
    header, claims, _ = hub.shelter.assertion(NOW_S).split(".")
    header = b64(json.dumps({"alg": spelling, "kid": "s1", "typ": "JWT"}).encode())
    for ending in ("", "AAAA"):
        form = {**hub.shelter.form(NOW_S), "client_assertion": f"{header}.{claims}.{ending}"}
        refused(hub, form)


@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
def test_a_public_key_is_no_shared_secret(alg: str) -> None:
    hub = Hub()
    for secret in (
        public_pem(hub.clinic.key),
        json.dumps(public_jwk(hub.clinic.key, "k1")).encode(),
        hub.fetcher.documents[KEYS_URL].body,
    ):
        refused(hub, hub.clinic.form(NOW_S, header={"alg": alg}, key=secret))


def test_a_key_in_the_header_proves_nothing() -> None:
    hub = Hub()
    attacker = ec_key("attacker")
    refused(hub, hub.shelter.form(NOW_S, header={"jwk": public_jwk(attacker, "s1")}, key=attacker))


def test_the_key_of_another_client_proves_nothing() -> None:
    hub = Hub()
    hub.add("c-other", "clinic", "jwks", jwks=key_set(public_jwk(ec_key("other"), "s1")))
    refused(hub, hub.shelter.form(NOW_S, key=ec_key("other")))


def test_the_assertion_of_one_client_with_the_name_of_another() -> None:
    hub = Hub()
    refused(hub, {**hub.shelter.form(NOW_S), "client_id": "c-clinic"})


def test_its_own_name_in_the_form_is_no_harm() -> None:
    hub = Hub()
    assert hub.token({**hub.shelter.form(NOW_S), "client_id": "c-shelter"}).http_status == 200


def test_two_keys_of_one_name_and_type_are_refused_whichever_signed() -> None:
    hub = Hub()
    mine, other = public_jwk(hub.shelter.key, "s1"), public_jwk(ec_key("second"), "s1")
    hub.rows.clients["c-shelter"] = replace(hub.rows.clients["c-shelter"], jwks=key_set(mine, other))
    refused(hub, hub.shelter.form(NOW_S))
    refused(hub, hub.shelter.form(NOW_S, key=ec_key("second")))


def test_two_keys_of_one_name_and_different_types_are_told_apart() -> None:
    hub = Hub()
    both = key_set(public_jwk(hub.shelter.key, "s1"), public_jwk(rsa_key("clinic"), "s1"))
    hub.rows.clients["c-shelter"] = replace(hub.rows.clients["c-shelter"], jwks=both)
    assert hub.token(hub.shelter.form(NOW_S)).http_status == 200
    form = hub.shelter.form(NOW_S, header={"alg": "RS384"}, key=rsa_key("clinic"))
    assert hub.token(form).http_status == 200


@pytest.mark.parametrize(
    "change",
    [
        lambda whole: whole.rpartition(".")[0],
        lambda whole: whole + ".AAAA.AAAA",
        lambda whole: whole[:-8] + "AAAAAAAA",
        lambda whole: whole.rpartition(".")[0] + ".",
        lambda whole: "." + whole.partition(".")[2],
        lambda whole: whole + "é",
        lambda whole: "\ud800" + whole,
        lambda whole: "not.a.token",
        lambda whole: b64(b"[1]") + "." + whole.partition(".")[2],
        lambda whole: b64(b"[" * 9000) + "." + whole.partition(".")[2],
        lambda whole: whole + "A" * 20_000,
    ],
)
def test_a_broken_assertion(change: Callable[[str], str]) -> None:
    hub = Hub()
    form = hub.shelter.form(NOW_S)
    refused(hub, {**form, "client_assertion": change(form["client_assertion"])})


def test_claims_that_were_not_signed_are_refused() -> None:
    hub = Hub()
    form = hub.shelter.form(NOW_S)
    header, claims, sign = form["client_assertion"].split(".")
    other = hub.shelter.assertion(NOW_S, claims={"exp": INT_NOW + 299}).split(".")[1]
    assert other != claims
    refused(hub, {**form, "client_assertion": f"{header}.{other}.{sign}"})


@pytest.mark.parametrize("payload", [b"[" * 5000 + b"]" * 5000, b"7", b"null", b'"c-shelter"', b"\xff"])
def test_a_signed_payload_that_is_no_object(payload: bytes) -> None:
    hub = Hub()
    header = hub.shelter.assertion(NOW_S).split(".")[0]
    refused(hub, {**hub.shelter.form(NOW_S), "client_assertion": f"{header}.{b64(payload)}.AAAA"})


def test_a_replayed_assertion_gets_no_second_token() -> None:
    hub = Hub()
    form = hub.shelter.form(NOW_S)
    assert hub.token(form).http_status == 200
    for _ in range(2):
        answer = hub.token(form, at_us=NOW_US + SECOND)
        assert (answer.http_status, answer.body) == (400, SAME_TEXT)
    assert len(hub.rows.tokens) == 1


def test_an_assertion_stays_used_for_as_long_as_it_could_be_taken() -> None:
    hub = Hub()
    hub.token(hub.shelter.form(NOW_S))
    (kept_until_us,) = hub.rows.jti.values()
    assert kept_until_us >= (INT_NOW + 300 + 5) * SECOND


def test_the_same_jti_of_two_clients_is_two_assertions() -> None:
    hub = Hub()
    for partner in (hub.shelter, hub.clinic):
        assert hub.token(partner.form(NOW_S, claims={"jti": "one"})).http_status == 200


def test_an_assertion_counts_as_used_when_the_rest_of_its_request_is_refused() -> None:
    hub = Hub()
    form = hub.shelter.form(NOW_S)
    assert hub.token({**form, "scope": "system/Task.sr"}).body["error"] == "invalid_scope"
    refused(hub, form)


@pytest.mark.parametrize("endpoint", ["introspect", "revoke"])
def test_an_assertion_is_used_up_at_every_endpoint(endpoint: str) -> None:
    hub = Hub()
    form = hub.shelter.form(NOW_S)
    assert getattr(hub, endpoint)({**form, "token": "unknown"}).http_status == 200
    refused(hub, form)
    answer = getattr(hub, endpoint)({**form, "token": "unknown"})
    assert (answer.http_status, answer.body) == (401 if endpoint == "introspect" else 400, SAME_TEXT)


@pytest.mark.parametrize("seconds", [0, 1, 300, 305])
def test_the_longest_life_is_300_seconds_and_a_leeway_of_5(seconds: int) -> None:
    hub = Hub()
    expires = INT_NOW + seconds if seconds else INT_NOW - 4
    assert hub.token(hub.shelter.form(NOW_S, claims={"exp": expires})).http_status == 200


@pytest.mark.parametrize(
    "claims",
    [
        {"iat": INT_NOW, "nbf": INT_NOW},
        {"iat": INT_NOW + 4},
        {"exp": INT_NOW + 250.5},
        {"aud": [ADDRESSES.token]},
        {"unknown": {"deep": [1]}},
    ],
)
def test_what_the_standard_leaves_open_is_taken(claims: dict[str, Any]) -> None:
    hub = Hub()
    assert hub.token(hub.shelter.form(NOW_S, claims=claims)).http_status == 200


@pytest.mark.parametrize(
    "header",
    [{"x-of-the-partner": 1}, {"x5t": "abc"}, {"cty": "JWT"}, {"jku": "https://clinic.example/keys.json"}],
)
def test_headers_that_mean_nothing_here_are_passed_over(header: dict[str, Any]) -> None:
    hub = Hub()
    assert hub.token(hub.clinic.form(NOW_S, header=header)).http_status == 200


def test_a_long_key_name_and_address_are_taken() -> None:
    # joserfc alone stops at a header of 512 bytes.
    hub = Hub()
    long_url = "https://clinic.example/" + "k" * 400
    hub.rows.clients["c-clinic"] = replace(hub.rows.clients["c-clinic"], jwks_url=long_url)
    hub.serve(long_url, public_jwk(hub.clinic.key, "k" * 250))
    form = hub.clinic.form(NOW_S, header={"jku": long_url, "kid": "k" * 250})
    assert hub.token(form).http_status == 200


def switched_off(hub: Hub) -> None:
    hub.rows.clients["c-shelter"] = replace(hub.rows.clients["c-shelter"], active=False)


def suspended(hub: Hub) -> None:
    hub.rows.organizations["shelter"] = organization("shelter", active=False)


def without_organization(hub: Hub) -> None:
    del hub.rows.organizations["shelter"]


def unknown(hub: Hub) -> None:
    del hub.rows.clients["c-shelter"]


def with_a_secret_instead(hub: Hub) -> None:
    hub.rows.clients["c-shelter"] = replace(hub.rows.clients["c-shelter"], kind="secret")


def public(hub: Hub) -> None:
    hub.rows.clients["c-shelter"] = replace(hub.rows.clients["c-shelter"], kind="public")


def without_keys(hub: Hub) -> None:
    hub.rows.clients["c-shelter"] = replace(hub.rows.clients["c-shelter"], jwks="")


def with_a_weak_key(hub: Hub) -> None:
    key = public_jwk(hub.shelter.key, "s1", use="enc")
    hub.rows.clients["c-shelter"] = replace(hub.rows.clients["c-shelter"], jwks=key_set(key))


@pytest.mark.parametrize(
    "fault",
    [
        switched_off,
        suspended,
        without_organization,
        unknown,
        with_a_secret_instead,
        public,
        without_keys,
        with_a_weak_key,
    ],
)
def test_a_client_that_may_not(fault: Callable[[Hub], None]) -> None:
    hub = Hub()
    fault(hub)
    refused(hub, hub.shelter.form(NOW_S))


@pytest.mark.parametrize(
    "form",
    [
        {"client_assertion_type": "not_an_assertion_type"},
        {"client_assertion_type": JWT_BEARER.upper()},
        {"client_assertion_type": ""},
        {"client_assertion": ""},
        {"client_assertion": "", "client_assertion_type": ""},
    ],
)
def test_no_assertion_or_one_of_another_type(form: dict[str, str]) -> None:
    hub = Hub()
    refused(hub, {**hub.shelter.form(NOW_S), **form})


def test_a_client_is_not_noted_on_the_request_before_its_signature_is_verified() -> None:
    # Authlib notes it first and verifies later.
    hub = Hub()
    form = hub.shelter.form(NOW_S, key=ec_key("attacker"))
    request = OAuthRequest(ADDRESSES.token, form.items(), None, NOW_US)
    assert hub.server.token(request).http_status == 400
    assert (request.client, request.verified) == (None, None)


def test_names_that_cannot_be_a_client_never_reach_the_store() -> None:
    hub = Hub()
    for name in ("c-shelter\0", "\ud800", "a" * 129, "c shelter"):
        hub.token(hub.shelter.form(NOW_S, claims={"iss": name, "sub": name}))
    assert hub.rows.asked == []
