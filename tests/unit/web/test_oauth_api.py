"""The OAuth addresses over HTTP, and what the conformance checks of SMART ask of them."""

import json
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from referral_hub.access.scopes import LOOP_FLOOR, ScopeSet
from referral_hub.auth.app_registrations import check_app_scope
from referral_hub.auth.discovery import documents_of
from referral_hub.auth.signing_keys import SigningKeys
from referral_hub.web.oauth_api import oauth_blueprint
from tests.api import test_app_launch
from tests.unit.auth import test_sign_in
from tests.unit.auth.hub import ADDRESSES, NOW_S, NOW_US, SECRET, Hub
from tests.unit.auth.partner import Partner, basic, ec_key, key_set, public_jwk
from tests.unit.auth.test_signing_keys import Rows

WELL_KNOWN = ["/.well-known/smart-configuration", "/fhir/.well-known/smart-configuration"]
DOCUMENTS = documents_of(ADDRESSES, LOOP_FLOOR)
KEYS = Rows()


@pytest.fixture
def hub() -> Hub:
    return Hub()


@pytest.fixture
def http(hub: Hub) -> FlaskClient:
    app = Flask(__name__)
    app.register_blueprint(
        oauth_blueprint(hub.server, ADDRESSES, DOCUMENTS, SigningKeys(KEYS, KEYS, KEYS), lambda: NOW_US)
    )
    return app.test_client()


def path(url: str) -> str:
    return url.removeprefix(ADDRESSES.base_url)


# Discovery: shared/standards/checklists/smart-discovery-wellknown.md


@pytest.mark.parametrize("address", WELL_KNOWN)
@pytest.mark.parametrize("accept", ["application/json", "application/fhir+json", "text/html", "*/*"])
def test_the_configuration_is_json_for_everybody(http: FlaskClient, address: str, accept: str) -> None:
    answer = http.get(address, headers={"Accept": accept})
    assert answer.status_code == 200
    assert answer.content_type.startswith("application/json")
    assert isinstance(answer.get_json(), dict)


@pytest.mark.parametrize("address", WELL_KNOWN)
def test_the_configuration_answers_head_and_options_and_other_origins(
    http: FlaskClient, address: str
) -> None:
    assert http.head(address).status_code == 200
    assert http.options(address).status_code == 200
    answer = http.get(address, headers={"Origin": "https://app.example"})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "max-age" in answer.headers["Cache-Control"]
    assert http.post(address).status_code == 405


def test_the_configuration_has_what_is_required_and_right_types(http: FlaskClient) -> None:
    document = http.get(WELL_KNOWN[1]).get_json()
    assert document["token_endpoint"] == "https://hub.example/oauth/token"
    for name in (
        "capabilities",
        "grant_types_supported",
        "code_challenge_methods_supported",
        "scopes_supported",
    ):
        assert document[name]
        assert all(isinstance(value, str) for value in document[name])
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert "private_key_jwt" in document["token_endpoint_auth_methods_supported"]
    assert document["token_endpoint_auth_signing_alg_values_supported"] == ["ES384", "RS384"]
    assert all(
        value.startswith("https://hub.example/")
        for name, value in document.items()
        if "endpoint" in name and isinstance(value, str)
    )


def test_the_configuration_names_nothing_that_does_not_exist(http: FlaskClient) -> None:
    document = http.get(WELL_KNOWN[0]).get_json()
    addresses = {name: value for name, value in document.items() if isinstance(value, str)}
    posted = ("token", "introspection", "revocation", "pushed_authorization_request")
    pages = ("authorization", "management")  # tests/api/test_app_launch.py opens both
    assert addresses.keys() == {"issuer", "jwks_uri", *(f"{name}_endpoint" for name in (*posted, *pages))}
    for name in posted:
        answer = http.post(path(document[f"{name}_endpoint"]), data={"a": "b"})
        assert answer.status_code in (400, 401), name
    assert document["grant_types_supported"] == ["authorization_code", "client_credentials", "refresh_token"]


SHOWN_BY = {
    "authorize-post": test_app_launch.test_the_page_says_who_asks_and_for_what,
    "client-confidential-asymmetric": test_sign_in.test_while_the_store_cannot_write_a_code_is_not_used_up,
    "client-confidential-symmetric": test_app_launch.test_a_member_of_staff_signs_in_with_an_app,
    "client-public": test_app_launch.test_a_member_of_staff_signs_in_with_an_app,
    "context-banner": test_app_launch.test_about_one_person_whom_the_member_of_staff_chooses,
    "context-ehr-patient": test_app_launch.test_an_app_is_started_out_of_the_hub,
    "context-standalone-patient": test_app_launch.test_about_one_person_whom_the_member_of_staff_chooses,
    "launch-ehr": test_app_launch.test_an_app_is_started_out_of_the_hub,
    "launch-standalone": test_app_launch.test_a_member_of_staff_signs_in_with_an_app,
    "permission-offline": test_app_launch.test_refresh_tokens_take_turns,
    "permission-online": test_app_launch.test_signing_out_ends_what_holds_while_signed_in,
    "permission-patient": test_app_launch.test_the_person_herself_is_her_own_context,
    "permission-user": test_app_launch.test_a_member_of_staff_signs_in_with_an_app,
    "sso-openid-connect": test_app_launch.test_an_id_token_says_who_signed_in,
}
"""Each capability of sign-in, and the test that does it."""


def test_every_capability_is_true(hub: Hub, http: FlaskClient) -> None:
    shown = set(SHOWN_BY)
    assert all(callable(test) for test in SHOWN_BY.values())
    document = http.get(WELL_KNOWN[0]).get_json()
    for version, scope in (("v2", "system/Task.rs"), ("v1", "system/Task.read")):
        answer = http.post("/oauth/token", data=hub.clinic.form(NOW_S, scope)).get_json()
        if answer["scope"] == "system/Task.rs":
            shown.add(f"permission-{version}")
    assert set(document["capabilities"]) == shown


def test_every_scope_of_software_alone_can_be_granted(hub: Hub, http: FlaskClient) -> None:
    document = http.get(WELL_KNOWN[0]).get_json()
    asked = " ".join(document["scopes_supported"])
    hub.add("c-all", "clinic", "jwks", scope=asked, jwks=key_set(public_jwk(ec_key("all"), "a1")))
    partner = Partner("c-all", ec_key("all"), "a1", document["token_endpoint"])
    answer = http.post("/oauth/token", data=partner.form(NOW_S, asked)).get_json()
    systems = {scope for scope in document["scopes_supported"] if scope.startswith("system/")}
    assert set(answer["scope"].split()) == systems


def test_every_scope_of_people_can_be_registered() -> None:
    letters = dict(LOOP_FLOOR)
    scopes = [
        scope
        for scope in json.loads(documents_of(ADDRESSES, letters).smart)["scopes_supported"]
        if not scope.startswith("system/")
    ]
    for public in (True, False):
        check_app_scope(ScopeSet.parse(" ".join(scopes)), public=public)


def test_the_hubs_own_keys_hold_one_that_signs(http: FlaskClient) -> None:
    answer = http.get("/oauth/jwks")
    assert answer.status_code == 200
    assert [(key["kty"], key["alg"]) for key in answer.get_json()["keys"]] == [("RSA", "RS256")]


# Backend Services: shared/standards/checklists/smart-backend-services.md


@pytest.mark.parametrize("name", ["shelter", "clinic"])  # ES384 with keys kept here, RS384 with keys fetched
def test_a_token_as_the_kit_asks_for_it(hub: Hub, http: FlaskClient, name: str) -> None:
    partner: Partner = getattr(hub, name)
    form = partner.form(NOW_S)
    assert set(form) == {"grant_type", "scope", "client_assertion_type", "client_assertion"}
    answer = http.post("/oauth/token", data=form)
    assert answer.status_code == 200
    assert answer.content_type == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Pragma"] == "no-cache"
    body = answer.get_json()
    assert body["access_token"]
    assert body["token_type"].lower() == "bearer"
    assert 0 < body["expires_in"] <= 300
    assert body["scope"]
    assert "refresh_token" not in body


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"grant_type": "not_a_grant_type"}, "unsupported_grant_type"),
        ({"client_assertion_type": "not_an_assertion_type"}, "invalid_client"),
        ({"client_assertion": "not.a.jwt"}, "invalid_client"),
        ({"scope": "nothing/here"}, "invalid_scope"),
    ],
)
def test_an_error_has_the_shape_of_rfc_6749(
    hub: Hub, http: FlaskClient, change: dict[str, str], error: str
) -> None:
    answer = http.post("/oauth/token", data={**hub.shelter.form(NOW_S), **change})
    assert (answer.status_code, answer.get_json()["error"]) == (400, error)
    assert set(answer.get_json()) == {"error", "error_description"}
    assert answer.content_type == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"


def test_401_carries_the_challenge(http: FlaskClient) -> None:
    form = {"grant_type": "client_credentials", "scope": "system/Task.rs"}
    answer = http.post("/oauth/token", data=form, headers={"Authorization": basic("c-network", "wrong")})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic realm=")


@pytest.mark.parametrize("where", ["all in the address", "scope in the address", "assertion in the address"])
def test_parameters_in_the_address_do_not_count(hub: Hub, http: FlaskClient, where: str) -> None:
    # Authlib's Flask request reads both; an address ends up in logs.
    form = hub.shelter.form(NOW_S)
    moved = {
        "all in the address": set(form),
        "scope in the address": {"scope"},
        "assertion in the address": {"client_assertion"},
    }[where]
    answer = http.post(
        "/oauth/token",
        query_string={name: form[name] for name in moved},
        data={name: value for name, value in form.items() if name not in moved},
        content_type="application/x-www-form-urlencoded",
    )
    assert answer.status_code == 400
    assert not hub.rows.tokens


def test_a_parameter_sent_twice_is_refused(hub: Hub, http: FlaskClient) -> None:
    form = {**hub.shelter.form(NOW_S), "scope": ["system/Task.rs", "system/Patient.rs"]}
    answer = http.post("/oauth/token", data=form)
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("address", ["/oauth/token", "/oauth/introspect", "/oauth/revoke"])
def test_the_endpoints_take_a_posted_form_only(hub: Hub, http: FlaskClient, address: str) -> None:
    for method in ("get", "put", "delete", "patch"):
        assert getattr(http, method)(address).status_code == 405
    answer = http.post(address, json=hub.shelter.form(NOW_S))
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request")
    answer = http.post(address, data=hub.shelter.form(NOW_S), content_type="multipart/form-data")
    assert answer.status_code == 400
    assert not hub.rows.tokens


def test_a_form_that_is_too_large_is_not_read(hub: Hub, http: FlaskClient) -> None:
    answer = http.post("/oauth/token", data={**hub.shelter.form(NOW_S), "filler": "x" * 70_000})
    assert (answer.status_code, answer.get_json()["error"]) == (413, "invalid_request")
    assert not hub.rows.tokens


def test_the_address_of_the_request_does_not_choose_the_audience(hub: Hub, http: FlaskClient) -> None:
    # Whoever sets the Host header does not set the aud that counts.
    evil = Partner("c-shelter", hub.shelter.key, "s1", "http://evil.example/oauth/token")
    answer = http.post("/oauth/token", data=evil.form(NOW_S), base_url="http://evil.example")
    assert answer.get_json()["error"] == "invalid_client"
    right = http.post("/oauth/token", data=hub.shelter.form(NOW_S), base_url="http://evil.example")
    assert right.status_code == 200


# Introspection: shared/standards/checklists/token-introspection.md


def test_introspection_as_the_kit_asks_for_it(hub: Hub, http: FlaskClient) -> None:
    given: Any = http.post(
        "/oauth/token", data=hub.clinic.form(NOW_S, "system/Task.rus system/Patient.rs")
    ).get_json()
    headers = {"Authorization": basic("c-network", SECRET)}
    answer = http.post("/oauth/introspect", data={"token": given["access_token"]}, headers=headers)
    body = answer.get_json()
    assert answer.status_code == 200
    assert body["active"] is True
    assert body["client_id"] == "c-clinic"
    assert sorted(body["scope"].split()) == sorted(given["scope"].split())
    assert body["exp"] == NOW_US // 1_000_000 + given["expires_in"]
    invalid = http.post("/oauth/introspect", data={"token": "invalid_token_value"}, headers=headers)
    assert (invalid.status_code, invalid.get_json()) == (200, {"active": False})
    assert http.post("/oauth/introspect", data={"token": given["access_token"]}).status_code == 401


def test_a_token_revoked_is_a_token_inactive(hub: Hub, http: FlaskClient) -> None:
    token = http.post("/oauth/token", data=hub.clinic.form(NOW_S)).get_json()["access_token"]
    answer = http.post("/oauth/revoke", data={**hub.clinic.form(NOW_S), "token": token})
    assert answer.status_code == 200
    headers = {"Authorization": basic("c-network", SECRET)}
    after = http.post("/oauth/introspect", data={"token": token}, headers=headers)
    assert after.get_json() == {"active": False}


def test_every_answer_is_json_of_its_length(hub: Hub, http: FlaskClient) -> None:
    answer = http.post("/oauth/token", data=hub.clinic.form(NOW_S))
    assert json.loads(answer.data)
    assert int(answer.headers["Content-Length"]) == len(answer.data)
