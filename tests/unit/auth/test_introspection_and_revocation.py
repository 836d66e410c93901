"""Who may ask what a token is, who may end it, and what everybody else is told."""

from dataclasses import replace
from typing import Any

import pytest

from referral_hub.auth.tokens import token_digest
from referral_hub.errors import Busy
from tests.unit.auth.hub import NOW_S, NOW_US, SECOND, SECRET, Hub
from tests.unit.auth.memory import organization
from tests.unit.auth.partner import basic, key_set, public_jwk

INACTIVE = {"active": False}
RESOURCE_SERVER = basic("c-network", SECRET)


def own(hub: Hub, token: str, at_us: int = NOW_US) -> Any:
    """The clinic asks about a token, with an assertion of its own."""
    return hub.introspect({**hub.clinic.form(at_us / SECOND), "token": token}, at_us=at_us).body


def test_a_live_token_told_to_the_networks_resource_server() -> None:
    hub = Hub()
    token = hub.given(hub.clinic, "system/Task.rus system/Patient.rs")
    answer = hub.introspect({"token": token}, authorization=RESOURCE_SERVER)
    assert answer.http_status == 200
    assert answer.body == {
        "active": True,
        "scope": "system/Patient.rs system/Task.rus",
        "client_id": "c-clinic",
        "token_type": "bearer",
        "exp": NOW_US // SECOND + 300,
        "iat": NOW_US // SECOND,
        "sub": "c-clinic",
        "aud": "https://hub.example/fhir",
        "iss": "https://hub.example",
    }
    assert ("Cache-Control", "no-store") in answer.headers


def test_a_live_token_told_to_its_own_client() -> None:
    hub = Hub()
    assert own(hub, hub.given(hub.clinic))["active"] is True


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_a_caller_may_prove_itself_with_a_live_token(scheme: str) -> None:
    hub = Hub()
    token, other = hub.given(hub.clinic), hub.given(hub.shelter)
    assert hub.introspect({"token": token}, authorization=f"{scheme} {token}").body["active"] is True
    assert hub.introspect({"token": other}, authorization=f"{scheme} {token}").body == INACTIVE


@pytest.mark.attack("S-36")
def test_the_token_of_another_client_is_inactive_and_nothing_more() -> None:
    hub = Hub()
    assert own(hub, hub.given(hub.shelter)) == INACTIVE


def test_another_client_of_the_same_organisation_is_another_client() -> None:
    hub = Hub()
    token = hub.given(hub.clinic)
    hub.add("c-second", "clinic", "jwks", jwks=key_set(public_jwk(hub.shelter.key, "s1")))
    second = replace(hub.shelter, client_id="c-second")
    assert hub.introspect({**second.form(NOW_S), "token": token}).body == INACTIVE


@pytest.mark.parametrize("token", ["invalid_token_value", "x" * 5000, "\ud800", "ein Schlüssel"])
def test_a_text_that_is_no_token_is_inactive(token: str) -> None:
    answer = Hub().introspect({"token": token}, authorization=RESOURCE_SERVER)
    assert (answer.http_status, answer.body) == (200, INACTIVE)


def expired(hub: Hub, token: str) -> int:
    return NOW_US + 300 * SECOND


def revoked(hub: Hub, token: str) -> int:
    assert hub.revoke({**hub.clinic.form(NOW_S), "token": token}).http_status == 200
    return NOW_US


def of_a_client_switched_off(hub: Hub, token: str) -> int:
    hub.rows.clients["c-clinic"] = replace(hub.rows.clients["c-clinic"], active=False)
    return NOW_US


def of_a_suspended_organisation(hub: Hub, token: str) -> int:
    hub.rows.organizations["clinic"] = organization("clinic", active=False)
    return NOW_US


@pytest.mark.attack("S-36")
@pytest.mark.parametrize("end", [expired, revoked, of_a_client_switched_off, of_a_suspended_organisation])
def test_a_token_that_ended_is_inactive_and_nothing_more(end: Any) -> None:
    hub = Hub()
    token = hub.given(hub.clinic)
    at_us = end(hub, token)
    answer = hub.introspect({"token": token}, authorization=RESOURCE_SERVER, at_us=at_us)
    assert (answer.http_status, answer.body) == (200, INACTIVE)


@pytest.mark.parametrize(
    ("endpoint", "authorization", "http_status", "scheme"),
    [
        ("introspect", None, 401, "Basic"),
        ("introspect", basic("c-network", "wrong"), 401, "Basic"),
        ("introspect", "Bearer unknown", 401, "Bearer"),
        ("introspect", "Bearer not a token", 401, "Bearer"),
        ("introspect", "DPoP x", 401, "Basic"),
        ("revoke", None, 400, ""),
        ("revoke", basic("c-network", "wrong"), 401, "Basic"),
        ("revoke", "Bearer unknown", 401, "Basic"),
        ("revoke", "DPoP x", 401, "Basic"),
    ],
)
def test_nobody_is_answered_without_a_proof(
    endpoint: str, authorization: str | None, http_status: int, scheme: str
) -> None:
    hub = Hub()
    token = hub.given(hub.clinic)
    answer = getattr(hub, endpoint)({"token": token}, authorization=authorization)
    assert (answer.http_status, answer.body["error"]) == (http_status, "invalid_client")
    assert dict(answer.headers).get("WWW-Authenticate", "").partition(" ")[0] == scheme
    assert hub.rows.oauth_token(token_digest(token)).revoked is False  # type: ignore[union-attr]


def test_an_ended_token_is_no_proof() -> None:
    hub = Hub()
    token = hub.given(hub.clinic)
    later = NOW_US + 300 * SECOND
    answer = hub.introspect({"token": token}, authorization=f"Bearer {token}", at_us=later)
    assert (answer.http_status, answer.body["error"]) == (401, "invalid_client")


def test_a_wrong_assertion_is_401_where_a_token_is_asked_about() -> None:
    hub = Hub()
    form = {**hub.clinic.form(NOW_S, claims={"aud": "x"}), "token": hub.given(hub.clinic)}
    assert (hub.introspect(form).http_status, hub.revoke(form).http_status) == (401, 400)


def test_a_token_of_a_suspended_organisation_is_no_proof() -> None:
    hub = Hub()
    token = hub.given(hub.clinic)
    of_a_suspended_organisation(hub, token)
    answer = hub.introspect({"token": token}, authorization=f"Bearer {token}")
    assert answer.body["error"] == "invalid_client"


def test_a_bearer_token_does_not_revoke() -> None:
    hub = Hub()
    token = hub.given(hub.clinic)
    assert hub.revoke({"token": token}, authorization=f"Bearer {token}").body["error"] == "invalid_client"


@pytest.mark.parametrize("endpoint", ["introspect", "revoke"])
def test_a_token_has_to_be_named(endpoint: str) -> None:
    answer = getattr(Hub(), endpoint)({}, authorization=RESOURCE_SERVER)
    assert (answer.http_status, answer.body["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("endpoint", ["introspect", "revoke"])
@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "of-the-future"])
def test_a_hint_is_only_a_hint(endpoint: str, hint: str) -> None:
    # Authlib answers an unknown hint with 401.
    hub = Hub()
    form = {**hub.clinic.form(NOW_S), "token": "x", "token_type_hint": hint}
    assert getattr(hub, endpoint)(form).http_status == 200


def test_a_revoked_token_has_ended_and_that_is_audited() -> None:
    hub = Hub()
    token = hub.given(hub.clinic)
    answer = hub.revoke({**hub.clinic.form(NOW_S), "token": token})
    assert answer.http_status == 200
    assert hub.rows.oauth_token(token_digest(token)).revoked is True  # type: ignore[union-attr]
    assert [line.interaction for line in hub.rows.audit] == ["oauth-token", "oauth-revoke"]
    assert token.encode() not in hub.rows.audit[1].detail


def test_a_revocation_changes_the_version_of_the_token() -> None:
    # Whatever was worked out from the token is kept under its version.
    hub = Hub()
    token = hub.given(hub.clinic)
    before = hub.rows.oauth_token(token_digest(token))
    hub.revoke({**hub.clinic.form(NOW_S), "token": token})
    after = hub.rows.oauth_token(token_digest(token))
    assert before is not None
    assert after is not None
    assert after.version > before.version


def test_an_unknown_or_ended_token_is_revoked_without_an_error() -> None:
    hub = Hub()
    token = hub.given(hub.clinic)
    for _ in range(2):
        assert hub.revoke({**hub.clinic.form(NOW_S), "token": token}).http_status == 200
    assert hub.revoke({**hub.clinic.form(NOW_S), "token": "unknown"}).http_status == 200


@pytest.mark.parametrize("caller", ["c-shelter", "c-network"])
def test_nobody_ends_the_token_of_another_client(caller: str) -> None:
    hub = Hub()
    token = hub.given(hub.clinic)
    if caller == "c-shelter":
        answer = hub.revoke({**hub.shelter.form(NOW_S), "token": token})
    else:
        answer = hub.revoke({"token": token}, authorization=RESOURCE_SERVER)
    assert (answer.http_status, answer.body["error"]) == (400, "invalid_grant")
    assert hub.rows.oauth_token(token_digest(token)).revoked is False  # type: ignore[union-attr]


@pytest.mark.attack("S-36")
def test_an_ended_token_of_another_client_looks_like_an_unknown_one() -> None:
    hub = Hub()
    token = hub.given(hub.clinic)
    revoked(hub, token)
    assert hub.revoke({**hub.shelter.form(NOW_S), "token": token}).http_status == 200


def test_a_revocation_that_could_not_be_written_says_so() -> None:
    hub = Hub()
    token = hub.given(hub.clinic)
    hub.rows.failure = Busy("busy")
    answer = hub.revoke({**hub.clinic.form(NOW_S), "token": token})
    assert (answer.http_status, answer.body["error"]) == (503, "temporarily_unavailable")


def test_an_answer_names_no_person() -> None:
    hub = Hub()
    claims = {"extensions": {"hl7-b2b": {"version": "1", "subject_id": "u-17"}}}
    token = hub.token(hub.clinic.form(NOW_S, claims=claims)).body["access_token"]
    answer = hub.introspect({"token": token}, authorization=RESOURCE_SERVER)
    assert not {"patient", "encounter", "fhirUser", "username"} & set(answer.body)
    assert "u-17" not in repr(answer.body)
