"""What a token request is given: scope, purpose, life, and the words of a refusal."""

import hashlib
import json
import logging
from dataclasses import replace
from typing import Any

import pytest

from referral_hub.access.scopes import ScopeSet
from referral_hub.auth.grants import bearer_token
from referral_hub.auth.oauth_clients import OAuthClient
from referral_hub.auth.request import OAuthRequest
from referral_hub.errors import Busy, Unavailable
from tests.unit.auth.hub import ADDRESSES, NOW_S, NOW_US, SECOND, SECRET, Hub
from tests.unit.auth.memory import ClientRow, MemoryRows
from tests.unit.auth.partner import basic

B2B_OID = "urn:oid:2.16.840.1.113883.5.8#"


def b2b(**fields: Any) -> dict[str, Any]:
    return {"extensions": {"hl7-b2b": {"version": "1", **fields}}}


def test_the_answer_of_backend_services() -> None:
    hub = Hub()
    answer = hub.token(hub.clinic.form(NOW_S, "system/Task.rus system/Patient.rs"))
    assert answer.http_status == 200
    assert set(answer.body) == {"access_token", "token_type", "expires_in", "scope"}
    assert (answer.body["token_type"], answer.body["expires_in"]) == ("bearer", 300)
    assert answer.body["scope"] == "system/Patient.rs system/Task.rus"
    assert ("Cache-Control", "no-store") in answer.headers


def test_only_the_digest_of_a_token_is_kept() -> None:
    hub = Hub()
    text = hub.given(hub.shelter)
    (kept,) = hub.rows.tokens.values()
    assert kept["digest"] == hashlib.sha256(text.encode()).digest()
    assert text not in repr(hub.rows)


def test_a_token_has_256_random_bits() -> None:
    # 43 characters of base64url; Authlib's own 42 of 62 letters are 250 bits.
    hub = Hub()
    given = {hub.given(hub.shelter) for _ in range(20)}
    assert len(given) == 20
    assert {len(text) for text in given} == {43}


def test_the_row_says_who_for_what_and_until_when() -> None:
    hub = Hub()
    hub.given(hub.clinic)
    (kept,) = hub.rows.tokens.values()
    assert (kept["oauth_client"], kept["organization"], kept["purpose"]) == ("c-clinic", "clinic", "TREAT")
    assert (kept["issued_us"], kept["expires_us"]) == (NOW_US, NOW_US + 300 * SECOND)
    assert (kept["very_restricted"], kept["role"], kept["user_id"]) == (0, "", "")


def test_the_grant_is_audited_in_the_same_change_without_the_token() -> None:
    hub = Hub()
    text = hub.given(hub.clinic)
    (line,) = hub.rows.audit
    assert (line.interaction, line.outcome, line.organization, line.purpose) == (
        "oauth-token",
        0,
        "clinic",
        "TREAT",
    )
    assert line.person is None
    assert text.encode() not in line.detail
    assert json.loads(line.detail)["scope"] == "system/Task.rs"


def test_no_token_and_no_secret_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    # Authlib's own grant logs the whole token response when debugging.
    caplog.set_level(logging.DEBUG)
    hub = Hub()
    form = hub.clinic.form(NOW_S)
    text = hub.token(form).body["access_token"]
    hub.token(form)
    hub.introspect({"token": text}, authorization=basic("c-network", SECRET))
    hub.introspect({"token": text}, authorization=basic("c-network", "a-wrong-secret"))
    hub.revoke({"token": text}, authorization=f"Bearer {text}")
    assert "reason=jti-replayed client=c-clinic" in caplog.text
    for secret in (text, SECRET, "a-wrong-secret", form["client_assertion"]):
        assert secret not in caplog.text


def test_no_refresh_token_and_no_longer_life_whatever_is_asked() -> None:
    given = bearer_token(
        "client_credentials", None, scope="x", expires_in=864_000, include_refresh_token=True
    )
    assert set(given) == {"access_token", "token_type", "expires_in", "scope"}
    assert given["expires_in"] == 300


SCOPES = {
    # asked: given (None: invalid_scope). Registered: Task.crus ServiceRequest.rs Patient.rs Condition.rs
    "system/Task.rs": "system/Task.rs",
    "system/Task.cruds": "system/Task.crus",
    "system/*.rs": "system/Condition.rs system/Patient.rs system/ServiceRequest.rs system/Task.rs",
    "system/*.cruds": "system/Condition.rs system/Patient.rs system/ServiceRequest.rs system/Task.crus",
    "system/Task.read": "system/Task.rs",
    "system/Task.write": "system/Task.cu",
    "system/Task.rs system/Observation.rs": "system/Task.rs",
    "system/Task.rs openid fhirUser offline_access": "system/Task.rs",
    "system/Task.sr": None,
    "system/Task.r-s": None,
    "system/Task.": None,
    "system/Task": None,
    "system/Task.rs?_filter=x": None,
    "system/Task.rs?code:not=x": None,
    "user/Task.rs": None,
    "patient/Task.rs": None,
    "system/Observation.rs": None,
    "openid": None,
    "system/task.rs": None,
    "system/Tásk.rs": None,
    "": None,
    "   ": None,
}


@pytest.mark.parametrize("asked", SCOPES)
def test_scope(asked: str) -> None:
    hub = Hub()
    answer = hub.token(hub.shelter.form(NOW_S, asked))
    if SCOPES[asked] is None:
        assert (answer.http_status, answer.body["error"]) == (400, "invalid_scope")
        assert not hub.rows.tokens
    else:
        assert answer.body["scope"] == SCOPES[asked]


def test_a_scope_that_is_left_out_is_not_everything() -> None:
    # Authlib takes an absent scope for no condition at all.
    hub = Hub()
    form = hub.shelter.form(NOW_S)
    del form["scope"]
    answer = hub.token(form)
    assert answer.body["error"] == "invalid_scope"
    assert answer.body["error_description"].startswith("scope is missing")


def test_a_registration_with_a_star_counts_for_nothing() -> None:
    hub = Hub()
    hub.rows.clients["c-shelter"] = replace(hub.rows.clients["c-shelter"], scope="system/*.cruds")
    assert hub.token(hub.shelter.form(NOW_S, "system/*.cruds")).body["error"] == "invalid_scope"


def test_a_type_outside_the_floor_needs_something_behind_it_for_this_purpose() -> None:
    hub = Hub()
    hub.rows.clients["c-shelter"] = replace(
        hub.rows.clients["c-shelter"], scope="system/Task.rs system/CarePlan.crs"
    )
    asked = "system/CarePlan.rs"
    assert hub.token(hub.shelter.form(NOW_S, asked)).body["error"] == "invalid_scope"
    hub.rows.backed["shelter", "HOUSING"] = frozenset({"CarePlan"})
    assert hub.token(hub.shelter.form(NOW_S, asked)).body["error"] == "invalid_scope"
    hub.rows.backed["shelter", "TREAT"] = frozenset({"CarePlan"})
    assert hub.token(hub.shelter.form(NOW_S, asked)).body["scope"] == asked


def test_the_scope_of_the_answer_is_the_scope_of_the_token() -> None:
    hub = Hub()
    answer = hub.token(hub.shelter.form(NOW_S, "system/*.read"))
    (kept,) = hub.rows.tokens.values()
    assert kept["scope"] == answer.body["scope"]
    assert ScopeSet.parse(kept["scope"]).text() == kept["scope"]


PURPOSES: list[tuple[tuple[str, ...], dict[str, Any], str | None]] = [
    # registered, what the assertion says, the purpose of the token (None: invalid_request)
    ((), {}, ""),
    (("TREAT",), {}, "TREAT"),
    (("TREAT",), b2b(purpose_of_use=["TREAT"]), "TREAT"),
    (("TREAT",), b2b(), "TREAT"),
    (("TREAT",), {"extensions": {}}, "TREAT"),
    (("TREAT",), {"extensions": {"of-another-guide": {}}}, "TREAT"),
    (("TREAT", "safety-planning"), b2b(purpose_of_use=["safety-planning"]), "safety-planning"),
    (("TREAT", "safety-planning"), b2b(purpose_of_use=[B2B_OID + "TREAT"]), "TREAT"),
    (("TREAT", "ETREAT"), b2b(purpose_of_use=["TREAT", B2B_OID + "TREAT"]), "TREAT"),
    (("TREAT", "ETREAT"), {}, None),
    (("TREAT", "ETREAT"), b2b(), None),
    (("TREAT", "ETREAT"), b2b(purpose_of_use=["TREAT", "ETREAT"]), None),
    (("TREAT",), b2b(purpose_of_use=["ETREAT"]), None),
    (("TREAT",), b2b(purpose_of_use=["treat"]), None),
    ((), b2b(purpose_of_use=["TREAT"]), None),
    (("TREAT",), b2b(purpose_of_use=[]), None),
    (("TREAT",), b2b(purpose_of_use="TREAT"), None),
    (("TREAT",), b2b(purpose_of_use=[5]), None),
    (("TREAT",), b2b(purpose_of_use=["urn:oid:1.2.3#TREAT"]), None),
    (("TREAT",), b2b(purpose_of_use=["TREAT ETREAT"]), None),
    (("TREAT",), b2b(purpose_of_use=["TREAT"] * 17), None),
    (("TREAT",), b2b(version="2"), None),
    (("TREAT",), {"extensions": []}, None),
    (("TREAT",), {"extensions": {"hl7-b2b": []}}, None),
]


@pytest.mark.parametrize(("registered", "claims", "expected"), PURPOSES)
def test_purpose(registered: tuple[str, ...], claims: dict[str, Any], expected: str | None) -> None:
    hub = Hub()
    hub.rows.clients["c-shelter"] = replace(hub.rows.clients["c-shelter"], purposes=registered)
    answer = hub.token(hub.shelter.form(NOW_S, claims=claims))
    if expected is None:
        assert (answer.http_status, answer.body["error"]) == (400, "invalid_request")
        assert not hub.rows.tokens
    else:
        assert [kept["purpose"] for kept in hub.rows.tokens.values()] == [expected]


def test_a_purpose_in_the_form_is_not_a_purpose() -> None:
    hub = Hub()
    hub.rows.clients["c-shelter"] = replace(hub.rows.clients["c-shelter"], purposes=("TREAT", "ETREAT"))
    form = {**hub.shelter.form(NOW_S), "purpose_of_use": "ETREAT", "purpose": "ETREAT"}
    assert hub.token(form).body["error"] == "invalid_request"


def test_role_and_user_come_from_the_signed_assertion() -> None:
    hub = Hub()
    claims = b2b(purpose_of_use=["TREAT"], subject_role="nurse", subject_id="u-17", subject_name="Not kept")
    assert hub.token(hub.clinic.form(NOW_S, claims=claims)).http_status == 200
    (kept,) = hub.rows.tokens.values()
    assert (kept["role"], kept["user_id"]) == ("nurse", "u-17")
    assert "Not kept" not in repr(hub.rows)


@pytest.mark.parametrize(
    "fields",
    [{"subject_role": "two words"}, {"subject_id": "x" * 129}, {"subject_id": ""}, {"subject_role": 1}],
)
def test_a_role_or_user_that_cannot_be_read_refuses(fields: dict[str, Any]) -> None:
    hub = Hub()
    assert hub.token(hub.clinic.form(NOW_S, claims=b2b(**fields))).body["error"] == "invalid_request"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"grant_type": "not_a_grant_type"}, "unsupported_grant_type"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, "unsupported_grant_type"),
        ({"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer"}, "unsupported_grant_type"),
        ({"grant_type": '"><script>'}, "unsupported_grant_type"),
        ({"grant_type": ""}, "invalid_request"),
        ({"client_secret": "x"}, "invalid_request"),
    ],
)
def test_requests_of_another_kind(change: dict[str, str], error: str) -> None:
    hub = Hub()
    answer = hub.token({**hub.shelter.form(NOW_S), **change})
    assert (answer.http_status, answer.body["error"]) == (400, error)
    assert "<script" not in json.dumps(answer.body)
    assert not hub.rows.tokens


def test_a_parameter_sent_twice_is_refused() -> None:
    hub = Hub()
    for name in ("scope", "grant_type", "client_assertion", "client_id"):
        form = [*hub.shelter.form(NOW_S).items(), (name, "x"), (name, "y")]
        with pytest.raises(Exception, match="more than once"):
            OAuthRequest(ADDRESSES.token, form, None, NOW_US)


def test_unknown_parameters_are_passed_over() -> None:
    form = [*Hub().shelter.form(NOW_S).items(), ("resource", "a"), ("resource", "b")]
    assert Hub().server.token(OAuthRequest(ADDRESSES.token, form, None, NOW_US)).http_status == 200


def test_a_client_that_must_use_dpop_gets_no_plain_token() -> None:
    hub = Hub()
    hub.rows.clients["c-shelter"] = replace(hub.rows.clients["c-shelter"], require_dpop=True)
    answer = hub.token(hub.shelter.form(NOW_S))
    assert (answer.http_status, answer.body["error"]) == (400, "invalid_dpop_proof")
    assert not hub.rows.tokens


@pytest.mark.parametrize("failure", [Busy("busy"), Unavailable("no key")])
def test_a_writer_that_cannot_write_gives_no_token(failure: Exception) -> None:
    hub = Hub()
    hub.rows.failure = failure
    answer = hub.token(hub.shelter.form(NOW_S))
    assert (answer.http_status, answer.body["error"]) == (503, "temporarily_unavailable")
    assert ("Retry-After", "1") in answer.headers
    assert ("Cache-Control", "no-store") in answer.headers


@pytest.mark.parametrize("endpoint", ["token", "introspect", "revoke"])
def test_a_write_whose_answer_was_lost_is_asked_again_and_counts_once(endpoint: str) -> None:
    hub = Hub()
    token = hub.given(hub.clinic)
    hub.rows.lost_answers = 1
    form = {**hub.clinic.form(NOW_S), "token": token}
    assert getattr(hub, endpoint)(form).http_status == 200
    assert len(hub.rows.jti) == 2
    assert len(hub.rows.tokens) == (2 if endpoint == "token" else 1)
    assert getattr(hub, endpoint)(form).body["error"] == "invalid_client"


def test_an_assertion_is_not_used_up_by_a_hub_that_is_busy() -> None:
    hub = Hub()
    form = hub.clinic.form(NOW_S)
    hub.rows.failure = Busy("busy")
    assert hub.token(form).http_status == 503
    hub.rows.failure = None
    assert hub.token(form).http_status == 200


def test_a_change_the_gate_does_not_admit_is_not_applied() -> None:
    hub = Hub()
    rows = MemoryRows(clients=hub.rows.clients, organizations=hub.rows.organizations)

    def refuses(change: object) -> Any:
        raise Unavailable("not admitted")

    hub.server._admit = refuses
    assert hub.token(hub.shelter.form(NOW_S)).http_status == 503
    assert not rows.tokens


# Secrets


def test_a_simple_tool_gets_a_token_with_its_secret() -> None:
    hub = Hub()
    form = {"grant_type": "client_credentials", "scope": "system/Task.rs"}
    answer = hub.token(form, authorization=basic("c-network", SECRET))
    assert (answer.http_status, answer.body["scope"]) == (200, "system/Task.rs")


@pytest.mark.parametrize(
    "authorization",
    [
        basic("c-network", "wrong"),
        basic("c-network", ""),
        basic("c-nobody", SECRET),
        basic("c-shelter", SECRET),
        basic("", SECRET),
        basic("c-network\0", SECRET),
        basic("c-network", SECRET + "\0"),
        basic("c-network", "x" * 5000),
        "Basic !!!",
        "Basic ",
        "basic " + "gA==",
    ],
)
def test_a_wrong_secret_is_401_with_a_challenge(authorization: str) -> None:
    hub = Hub()
    form = {"grant_type": "client_credentials", "scope": "system/Task.rs"}
    answer = hub.token(form, authorization=authorization)
    assert (answer.http_status, answer.body["error"]) == (401, "invalid_client")
    assert ("WWW-Authenticate", 'Basic realm="referral-hub", charset="UTF-8"') in answer.headers
    assert not hub.rows.tokens


def test_the_words_are_the_same_for_secrets_and_assertions() -> None:
    hub = Hub()
    form = {"grant_type": "client_credentials", "scope": "system/Task.rs"}
    by_secret = hub.token(form, authorization=basic("c-network", "wrong"))
    by_key = hub.token(hub.shelter.form(NOW_S, claims={"aud": "x"}))
    assert by_secret.body == by_key.body == hub.token(form).body


def test_a_secret_in_the_form_is_refused() -> None:
    hub = Hub()
    form = {"grant_type": "client_credentials", "scope": "system/Task.rs"}
    answer = hub.token({**form, "client_id": "c-network", "client_secret": SECRET})
    assert (answer.http_status, answer.body["error"]) == (400, "invalid_request")


def test_two_proofs_in_one_request_are_refused() -> None:
    hub = Hub()
    answer = hub.token(hub.shelter.form(NOW_S), authorization=basic("c-network", SECRET))
    assert (answer.http_status, answer.body["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    ("kind", "method"),
    [
        ("jwks", "private_key_jwt"),
        ("jwks_url", "private_key_jwt"),
        ("secret", "client_secret_basic"),
        ("public", "none"),
    ],
)
def test_each_client_proves_itself_in_one_way(kind: str, method: str) -> None:
    client = OAuthClient(ClientRow("c", "o", kind, ""))
    for other in ("private_key_jwt", "client_secret_basic", "client_secret_post", "none"):
        assert client.check_endpoint_auth_method(other, "token") is (other == method)


def test_a_public_client_without_an_address_can_do_nothing() -> None:
    client = OAuthClient(ClientRow("c", "o", "public", ""))
    for grant in ("client_credentials", "authorization_code", "refresh_token"):
        assert not client.check_grant_type(grant)
    assert not client.check_redirect_uri("https://app.example/back")
    assert not client.check_redirect_uri("")
    assert not client.check_response_type("code")
    assert not client.check_client_secret("")


def test_the_name_alone_proves_nothing() -> None:
    hub = Hub()
    hub.add("c-public", "clinic", "public")
    form = {"grant_type": "client_credentials", "scope": "system/Task.rs", "client_id": "c-public"}
    assert hub.token(form).body["error"] == "invalid_client"


def test_a_tool_with_a_secret_and_several_purposes_cannot_choose() -> None:
    hub = Hub()
    hub.rows.clients["c-network"] = replace(hub.rows.clients["c-network"], purposes=("TREAT", "ETREAT"))
    form = {"grant_type": "client_credentials", "scope": "system/Task.rs"}
    answer = hub.token(form, authorization=basic("c-network", SECRET))
    assert answer.body["error"] == "invalid_request"
