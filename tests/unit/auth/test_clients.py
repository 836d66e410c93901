"""Registering a client: what is refused, and that what is registered works."""

from typing import Any

import pytest

from referral_hub.auth.addresses import Addresses
from referral_hub.auth.changes import client_switched, forgotten
from referral_hub.auth.client_secrets import hash_secret, is_secret
from referral_hub.auth.clients import ClientKey, Registration, register
from referral_hub.auth.tokens import token_digest
from referral_hub.errors import ConfigurationError
from tests.unit.auth.hub import ADDRESSES, NOW_S, NOW_US, SECOND, Hub
from tests.unit.auth.memory import admitted, organization
from tests.unit.auth.partner import Partner, basic, ec_key, key_set, public_jwk

TYPES = frozenset({"Task", "ServiceRequest", "Patient", "Observation"})
CLINIC = organization("clinic")
JWKS = key_set(public_jwk(ec_key("new"), "n1"))


def made(**change: Any) -> Registration:
    given: dict[str, Any] = {
        "organization": CLINIC,
        "name": "Invented software",
        "key": ClientKey(jwks=JWKS),
        "scope": "system/Task.rus",
        "types": TYPES,
        "at_us": NOW_US,
        "purposes": ["TREAT"],
        **change,
    }
    return register(
        given.pop("organization"), given.pop("name"), given.pop("key"), given.pop("scope"), **given
    )


def columns(registration: Registration) -> dict[str, Any]:
    return dict(registration.change.rows[0].parameters)


REFUSED: dict[str, dict[str, Any]] = {
    "no organisation": {"organization": None},
    "suspended organisation": {"organization": organization("clinic", active=False)},
    "no name": {"name": " "},
    "a name of control characters": {"name": "a\nb"},
    "a name too long": {"name": "x" * 201},
    "a narrowed scope": {"scope": "system/Observation.rs?category=x"},
    "no key": {"key": ClientKey()},
    "two keys": {"key": ClientKey(jwks=JWKS, secret=True)},
    "a key set that is none": {"key": ClientKey(jwks="{}")},
    "a private key": {"key": ClientKey(jwks=key_set({**public_jwk(ec_key("new"), "n1"), "d": "AQAB"}))},
    "a weak key": {"key": ClientKey(jwks=key_set(public_jwk(ec_key("small", "ES256"), "n1")))},
    "keys over http": {"key": ClientKey(jwks_url="http://clinic.example/keys")},
    "keys of a private address over http": {"key": ClientKey(jwks_url="http://10.0.0.1/keys")},
    "keys over ftp": {"key": ClientKey(jwks_url="ftp://clinic.example/keys")},
    "keys in a file": {"key": ClientKey(jwks_url="file:///etc/passwd")},
    "keys with a password": {"key": ClientKey(jwks_url="https://me:secret@clinic.example/keys")},
    "keys with a fragment": {"key": ClientKey(jwks_url="https://clinic.example/keys#a")},
    "keys with a space": {"key": ClientKey(jwks_url="https://clinic.example/ keys")},
    "keys without a host": {"key": ClientKey(jwks_url="https:///keys")},
    "keys at port 0": {"key": ClientKey(jwks_url="https://clinic.example:0/keys")},
    "keys at no port": {"key": ClientKey(jwks_url="https://clinic.example:x/keys")},
    "keys with a broken host": {"key": ClientKey(jwks_url="https://[1/keys")},
    "no scope": {"scope": ""},
    "letters out of order": {"scope": "system/Task.sr"},
    "a modifier": {"scope": "system/Task.rs?code:not=x"},
    "a chain": {"scope": "system/Task.rs?patient.name=x"},
    "_filter": {"scope": "system/Task.rs?_filter=x"},
    "a user scope": {"scope": "user/Task.rs"},
    "a patient scope": {"scope": "patient/Task.rs"},
    "a login scope": {"scope": "system/Task.rs openid"},
    "a type the hub does not serve": {"scope": "system/Invoice.rs"},
    "a purpose that is no code": {"purposes": ["TREAT ETREAT"]},
    "a purpose that does not exist": {"purposes": ["INVENTED"], "known_purposes": {"TREAT"}},
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    with pytest.raises(ConfigurationError):
        made(**REFUSED[name])


@pytest.mark.parametrize("wanted", [False, True])
def test_what_its_tokens_need_and_may_carry_is_kept(wanted: bool) -> None:
    kept = columns(made(require_dpop=wanted, very_restricted=wanted))
    assert (kept["require_dpop"], kept["very_restricted"]) == (int(wanted), int(wanted))


def test_very_restricted_content_needs_a_bound_token_unless_it_is_said_otherwise() -> None:
    assert columns(made())["very_restricted"] == 0


def test_a_star_is_written_out_and_never_kept() -> None:
    kept = columns(made(scope="system/*.rs system/Task.u"))
    assert kept["scope"] == (
        "system/Observation.rs system/Patient.rs system/ServiceRequest.rs system/Task.rus"
    )


def test_a_scope_of_version_1_is_kept_in_version_2() -> None:
    assert columns(made(scope="system/Task.read system/Task.write"))["scope"] == "system/Task.cruds"


@pytest.mark.parametrize("url", ["https://clinic.example:8443/keys.json", "http://127.0.0.1:8081/keys"])
def test_an_address_of_keys(url: str) -> None:
    kept = columns(made(key=ClientKey(jwks_url=url)))
    assert (kept["kind"], kept["jwks_url"], kept["jwks"]) == ("jwks_url", url, "")


def test_what_is_registered_gets_tokens() -> None:
    hub = Hub()
    registration = made(purposes=["safety-planning", "TREAT"], scope="system/*.crus")
    hub.rows.apply(admitted(registration.change))
    partner = Partner(registration.client_id, ec_key("new"), "n1", ADDRESSES.token)
    claims = {"extensions": {"hl7-b2b": {"version": "1", "purpose_of_use": ["TREAT"]}}}
    answer = hub.token(partner.form(NOW_S, "system/*.rs", claims=claims))
    assert answer.body["scope"] == (
        "system/Observation.rs system/Patient.rs system/ServiceRequest.rs system/Task.rs"
    )
    assert (hub.rows.audit[0].interaction, hub.rows.audit[0].action) == ("oauth-client", "C")


def test_a_secret_is_shown_once_and_kept_as_a_hash() -> None:
    hub = Hub()
    registration = made(key=ClientKey(secret=True))
    assert registration.secret not in repr(registration)
    assert registration.secret not in repr(registration.change)
    hub.rows.apply(admitted(registration.change))
    form = {"grant_type": "client_credentials", "scope": "system/Task.rs"}
    answer = hub.token(form, authorization=basic(registration.client_id, registration.secret))
    assert answer.http_status == 200


def test_two_registrations_share_neither_name_nor_secret() -> None:
    first, second = made(key=ClientKey(secret=True)), made(key=ClientKey(secret=True))
    assert first.client_id != second.client_id
    assert first.secret != second.secret


def test_switching_a_client_off_ends_its_tokens_in_the_same_change() -> None:
    hub = Hub()
    token = hub.given(hub.clinic)
    hub.rows.apply(admitted(client_switched(hub.rows.clients["c-clinic"], active=False, at_us=NOW_US)))
    assert hub.rows.tokens[token_digest(token)]["revoked"] == 1
    assert hub.token(hub.clinic.form(NOW_S)).body["error"] == "invalid_client"
    hub.rows.apply(admitted(client_switched(hub.rows.clients["c-clinic"], active=True, at_us=NOW_US)))
    assert hub.rows.tokens[token_digest(token)]["revoked"] == 1
    assert hub.token(hub.clinic.form(NOW_S)).http_status == 200


def test_forgetting_keeps_what_a_request_could_still_name() -> None:
    hub = Hub()
    form = hub.clinic.form(NOW_S)
    hub.token(form)
    hub.rows.apply(admitted(forgotten(NOW_US + 304 * SECOND)))
    assert hub.token(form, at_us=NOW_US + 304 * SECOND).body["error"] == "invalid_client"
    assert len(hub.rows.jti) == 1
    hub.rows.apply(admitted(forgotten(NOW_US + 3600 * SECOND)))
    assert (hub.rows.jti, hub.rows.tokens) == ({}, {})


@pytest.mark.parametrize(
    "kept",
    [
        "",
        "x",
        "scrypt$14$8$1$AAAA",
        "scrypt$14$8$1$AAAA$AAAA",
        "scrypt$x$8$1$AAAA$AAAA",
        "scrypt$30$8$1$AAAA$" + "A" * 43 + "=",
        "scrypt$14$8$1$!$!",
        "plain$secret",
    ],
)
def test_a_hash_that_cannot_be_read_matches_nothing(kept: str) -> None:
    assert not is_secret("secret", kept)


@pytest.mark.parametrize("secret", ["", "a b", "é", "secret\0", "x" * 257])
def test_a_text_that_is_no_secret_matches_nothing(secret: str) -> None:
    assert not is_secret(secret, hash_secret("secret"))


@pytest.mark.parametrize(
    "base_url",
    [
        "http://hub.example",
        "http://10.0.0.1",
        "ftp://hub.example",
        "hub.example",
        "",
        "https://",
        "https://hub.example?a=b",
        "https://hub.example#a",
        "https://me@hub.example",
        "https://hub.example:x",
        "http://localhost.example",
        "https://[1",
    ],
)
def test_a_base_address_over_which_tokens_would_be_readable(base_url: str) -> None:
    with pytest.raises(ConfigurationError):
        Addresses(base_url)


@pytest.mark.parametrize(
    "base_url",
    ["https://hub.example/", "http://127.0.0.1:8080", "http://localhost:8080", "http://[::1]:8080"],
)
def test_a_safe_base_address(base_url: str) -> None:
    assert Addresses(base_url).token == base_url.rstrip("/") + "/oauth/token"
