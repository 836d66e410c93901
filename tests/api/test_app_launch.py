"""SMART App Launch on a real hub: an app asks, somebody signs in and answers, and the token does what was allowed."""

import base64
import hashlib
import re
import time
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from referral_hub.app import clock
from tests import builders as b
from tests.api.network import Story, story
from tests.api.software import (
    Browser,
    Software,
    allowed,
    asked,
    boxes,
    browser,
    came_back,
    hidden,
    inputs,
    software,
)
from tests.api.test_oauth import resource_server
from tests.unit.auth.partner import ec_key
from tests.unit.auth.prover import Prover
from tests.world import World

HER_SCOPE = (
    "patient/Patient.rs patient/Condition.rs patient/Task.rs launch/patient openid fhirUser offline_access"
)


def practitioner(it: Story) -> str:
    """Gives the id of a Practitioner that the shelter wrote."""
    return str(it.s.create({"resourceType": "Practitioner", "active": True})["id"])


@pytest.mark.parametrize("secret", [True, False], ids=["confidential", "public"])
def test_a_member_of_staff_signs_in_with_an_app(world: World, secret: bool) -> None:
    it = story(world)
    app = software(world, it.shelter, secret=secret)
    given = app.signed_in(browser(world, it.shelter), "user/Patient.rs user/Task.rs openid")
    assert given["token_type"] == "bearer"
    assert given["expires_in"] == 300
    assert given["scope"] == "user/Patient.rs user/Task.rs openid"
    assert not {"patient", "refresh_token"} & given.keys()
    assert app.caller().get(f"/{it.person}").status_code == 200


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_page_says_who_asks_and_for_what(world: World, method: str) -> None:
    it = story(world)
    app, by = software(world, it.shelter), browser(world, it.shelter)
    page = asked(by, app.request("user/Task.rs openid offline_access"), method=method)
    text = page.get_data(as_text=True)
    assert page.status_code == 200
    for said in ("Invented app", "shelter", "Referrals", "Go on also when you are not signed in"):
        assert said in text
    ticked = {one["value"]: "checked" in one for one in inputs(text) if one.get("type") == "checkbox"}
    assert ticked == {"user/Task.rs": True, "offline_access": False}
    policy = page.headers["Content-Security-Policy"]
    assert "form-action 'self' https://app-of-ours.example" in policy
    assert "frame-ancestors 'none'" in policy
    assert (page.headers["Cache-Control"], page.headers["Referrer-Policy"]) == ("no-store", "same-origin")


def test_what_is_not_ticked_is_not_granted(world: World) -> None:
    it = story(world)
    app, by = software(world, it.shelter), browser(world, it.shelter)
    given = app.signed_in(by, "user/Patient.rs user/Task.rs openid", ticked=("user/Patient.rs",))
    assert given["scope"] == "user/Patient.rs openid"
    assert app.caller().get("/Patient").status_code == 200
    assert app.caller().get("/Task").status_code == 403


def test_a_box_that_the_page_never_had_grants_nothing(world: World) -> None:
    it = story(world)
    app, by = software(world, it.shelter), browser(world, it.shelter)
    given = app.signed_in(by, "user/Task.rs", ticked=("user/Task.rs", "user/Patient.rs", "offline_access"))
    assert given["scope"] == "user/Task.rs"


def test_who_says_no_is_heard(world: World) -> None:
    it = story(world)
    app, by = software(world, it.shelter), browser(world, it.shelter)
    for how in ({"answer": "deny"}, {"ticked": ()}):
        back = allowed(by, app.request("user/Task.rs"), **how)
        assert (back[""], back["error"], back["state"]) == (app.redirect_uri, "access_denied", app.state)
        assert "code" not in back


def test_about_one_person_whom_the_member_of_staff_chooses(world: World) -> None:
    it = story(world)
    other = it.s.create(b.patient())
    chosen = it.person.partition("/")[2]
    app, by = software(world, it.shelter), browser(world, it.shelter)
    page = asked(by, app.request("launch/patient patient/Patient.rs")).get_data(as_text=True)
    assert set(boxes(page, "patient")) == {chosen, other["id"]}
    given = app.signed_in(by, "launch/patient patient/Patient.rs user/Task.rs offline_access", patient=chosen)
    assert (given["patient"], given["need_patient_banner"]) == (chosen, True)
    assert "offline_access" not in given["scope"].split()
    assert app.caller().get(f"/{it.person}").status_code == 200
    assert app.caller().get(f"/Patient/{other['id']}").status_code == 404


def test_a_person_whom_the_account_does_not_see_cannot_be_chosen(world: World) -> None:
    it, elsewhere = story(world), story(world)
    app, by = software(world, it.shelter), browser(world, it.shelter)
    for patient in (elsewhere.person.partition("/")[2], "", "nobody"):
        back = allowed(by, app.request("launch/patient patient/Patient.rs"), patient=patient)
        assert back["error"] == "access_denied"


def test_a_caseworker_chooses_among_those_she_works_with(world: World) -> None:
    it = story(world)
    app, by = software(world, it.shelter), browser(world, it.shelter, role="caseworker")
    page = asked(by, app.request("launch/patient patient/Patient.rs")).get_data(as_text=True)
    assert boxes(page, "patient") == []


def test_the_person_herself_is_her_own_context(world: World) -> None:
    it = story(world)
    app = software(world, it.shelter, HER_SCOPE)
    by = browser(world, it.shelter, kind="person", person=it.person)
    given = app.signed_in(by, HER_SCOPE)
    assert given["patient"] == it.person.partition("/")[2]
    assert "refresh_token" in given
    assert app.caller().get(f"/{it.person}").status_code == 200
    assert app.refreshed(given["refresh_token"]).get_json()["patient"] == given["patient"]


def test_the_person_herself_is_given_no_scope_of_staff(world: World) -> None:
    it = story(world)
    app, by = software(world, it.shelter), browser(world, it.shelter, kind="person", person=it.person)
    assert allowed(by, app.request("user/Task.rs user/Patient.rs"))["error"] == "invalid_scope"
    assert app.signed_in(by, "user/Task.rs patient/Patient.rs")["scope"] == "patient/Patient.rs"


def test_an_app_of_another_organisation_is_not_for_this_account(world: World) -> None:
    it = story(world)
    app = software(world, it.clinic)
    for by in (browser(world, it.shelter), browser(world, it.shelter, kind="person", person=it.person)):
        assert allowed(by, app.request("user/Task.rs patient/Patient.rs"))["error"] == "access_denied"


def test_refresh_tokens_take_turns(world: World) -> None:
    it = story(world)
    app, by = software(world, it.shelter, secret=True), browser(world, it.shelter)
    first = app.signed_in(by, "user/Task.rs user/Patient.rs offline_access openid")
    second = app.refreshed(first["refresh_token"], scope="user/Task.rs").get_json()
    assert second["scope"] == "user/Task.rs"
    assert second["refresh_token"] != first["refresh_token"]
    assert "id_token" not in second
    third = app.refreshed(second["refresh_token"])
    assert third.get_json()["scope"] == "user/Patient.rs user/Task.rs offline_access openid"
    assert third.headers["Cache-Control"] == "no-store"
    assert third.headers["Pragma"] == "no-cache"
    wider = app.refreshed(third.get_json()["refresh_token"], scope="user/Condition.rs")
    assert wider.get_json()["error"] == "invalid_scope"
    assert app.refreshed(third.get_json()["refresh_token"]).status_code == 200


def test_without_a_lasting_scope_there_is_no_refresh_token(world: World) -> None:
    it = story(world)
    app, by = software(world, it.shelter), browser(world, it.shelter)
    assert "refresh_token" not in app.signed_in(by, "user/Task.rs offline_access", ticked=("user/Task.rs",))


def test_signing_out_ends_what_holds_while_signed_in(world: World) -> None:
    from referral_hub.auth.sign_in_changes import ended_with_session
    from tests.api.software import applied

    it = story(world)
    app, by = software(world, it.shelter), browser(world, it.shelter)
    lasting = app.signed_in(by, "user/Task.rs offline_access")
    online = app.signed_in(by, "user/Task.rs online_access")
    applied(world, *ended_with_session(by.account))
    assert app.refreshed(online["refresh_token"]).status_code == 400
    assert app.caller(online["access_token"]).get("/Task").status_code == 401
    assert app.refreshed(lasting["refresh_token"]).status_code == 200


def test_the_same_is_not_asked_twice_where_somebody_said_so(world: World) -> None:
    it = story(world)
    app, by = software(world, it.shelter, secret=True), browser(world, it.shelter)
    app.signed_in(by, "user/Task.rs openid")
    assert asked(by, app.request("user/Task.rs openid")).status_code == 200  # nobody said so yet
    app.signed_in(by, "user/Task.rs openid", remember=True)
    again = asked(by, app.request("user/Task.r openid"))
    assert "code" in came_back(again)
    assert "code" in came_back(
        asked(by, app.request("user/Task.rs openid"))
    )  # a smaller request forgot nothing
    assert asked(by, app.request("user/Task.rus openid")).status_code == 200  # more letters
    assert asked(by, app.request("user/Task.rs user/Patient.rs")).status_code == 200  # another type
    assert asked(by, app.request("user/Task.rs offline_access")).status_code == 200  # it would last
    assert asked(by, app.request("user/Task.rs openid", prompt="consent")).status_code == 200
    other = browser(world, it.shelter)
    assert asked(other, app.request("user/Task.rs openid")).status_code == 200  # another account


def test_an_app_that_proves_nothing_is_asked_about_each_time(world: World) -> None:
    it = story(world)
    app, by = software(world, it.shelter), browser(world, it.shelter)
    app.signed_in(by, "user/Task.rs", remember=True)
    assert asked(by, app.request("user/Task.rs")).status_code == 200


def test_the_page_of_programs_shows_and_ends_them(world: World) -> None:
    it = story(world)
    app, by = software(world, it.shelter, secret=True), browser(world, it.shelter)
    given = app.signed_in(by, "user/Task.rs offline_access", remember=True)
    stranger = world.client.application.test_client().get("/manage")
    assert (stranger.status_code, stranger.headers["Location"]) == (303, "/sign-in?next=/manage")
    page = by.get("/manage").get_data(as_text=True)
    assert "Invented app" in page
    assert "It can act now." in page
    assert by.post("/manage", {"client_id": app.client_id}).status_code == 403  # no token of the form
    assert app.caller().get("/Task").status_code == 200
    assert by.post("/manage", hidden(page)).status_code == 303
    assert "Invented app" not in by.get("/manage").get_data(as_text=True)
    assert app.caller().get("/Task").status_code == 401
    assert app.refreshed(given["refresh_token"]).get_json()["error"] == "invalid_grant"
    assert asked(by, app.request("user/Task.rs")).status_code == 200  # it has to ask again


def test_nobody_ends_what_another_account_allowed(world: World) -> None:
    it = story(world)
    app, by = software(world, it.shelter), browser(world, it.shelter)
    given = app.signed_in(by, "user/Task.rs offline_access")
    other = browser(world, it.shelter)
    own = software(world, it.shelter)
    own.signed_in(other, "user/Task.rs")
    form = hidden(other.get("/manage").get_data(as_text=True))
    assert other.post("/manage", {**form, "client_id": app.client_id}).status_code == 303
    assert app.refreshed(given["refresh_token"]).status_code == 200


def test_an_id_token_says_who_signed_in(world: World) -> None:
    it = story(world)
    app = software(world, it.shelter)
    by = browser(world, it.shelter, practitioner=practitioner(it))
    given = app.signed_in(by, "openid fhirUser user/Practitioner.rs")
    keys = world.client.get("/oauth/jwks").get_json()
    assert [key["kty"] for key in keys["keys"]] == ["RSA"]
    assert not {"d", "p", "q"} & keys["keys"][0].keys()
    token = jwt.decode(given["id_token"], KeySet.import_key_set(keys), algorithms=["RS256"])
    claims = token.claims
    assert token.header["kid"] == keys["keys"][0]["kid"]
    configuration = world.client.get("/.well-known/openid-configuration").get_json()
    assert claims["iss"] == configuration["issuer"]
    assert (claims["aud"], claims["sub"], claims["nonce"]) == (app.client_id, by.account, app.nonce)
    assert claims["iat"] <= time.time() < claims["exp"] <= time.time() + 300
    assert claims["amr"] == ["pwd", "otp"]
    assert claims["acr"].endswith("/two-factors")
    half = hashlib.sha256(given["access_token"].encode()).digest()[:16]
    assert claims["at_hash"] == base64.urlsafe_b64encode(half).rstrip(b"=").decode()
    who = claims["fhirUser"].removeprefix(world.parts.addresses.fhir)
    assert app.caller().get(who).status_code == 200


def test_a_request_sent_ahead_counts_once_and_for_its_sender(world: World) -> None:
    it = story(world)
    app, by = software(world, it.shelter, secret=True, require_par=True), browser(world, it.shelter)
    refused = allowed(by, app.request("user/Task.rs"))
    assert refused["error"] == "invalid_request"
    pushed = world.client.post("/oauth/par", data=app.request("user/Task.rs"), headers=app.proof())
    assert pushed.status_code == 201, pushed.get_data(as_text=True)
    assert pushed.get_json()["expires_in"] == 60
    named = {"client_id": app.client_id, "request_uri": pushed.get_json()["request_uri"]}
    other = software(world, it.shelter, secret=True)
    assert asked(by, {**named, "client_id": other.client_id}).status_code == 400
    back = allowed(by, named)
    assert app.token(app.code_form(back["code"])).status_code == 200
    assert asked(by, named).status_code == 400


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"redirect_uri": "https://evil.example/back"}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"aud": "https://other.example/fhir"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"request_uri": "urn:ietf:params:oauth:request_uri:x"}, "invalid_request"),
        ({"scope": "user/Task.sr"}, "invalid_scope"),
    ],
)
def test_a_wrong_request_sent_ahead_is_told_to_the_software(
    world: World, change: dict[str, str], error: str
) -> None:
    app = software(world, story(world).shelter, secret=True)
    form = {**app.request("user/Task.rs"), **change}
    answer = world.client.post("/oauth/par", data=form, headers=app.proof())
    assert (answer.status_code, answer.get_json()["error"]) == (400, error)


def test_nobody_sends_a_request_ahead_without_a_proof(world: World) -> None:
    app = software(world, story(world).shelter, secret=True)
    answer = world.client.post("/oauth/par", data=app.request("user/Task.rs"))
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_client")


def launch_of(by: Browser, app: Software, patient: str, task: str = "") -> str:
    """Starts the app from the page of the hub and gives the handle it was started with."""
    page = by.get(f"/launch?patient={patient}&task={task}").get_data(as_text=True)
    answer = by.post("/launch", {**hidden(page), "client_id": app.client_id, "patient": patient})
    back = came_back(answer)
    assert back[""] == "https://app-of-ours.example/launch"
    assert back["iss"] == by.world.parts.addresses.fhir
    return back["launch"]


def test_an_app_is_started_out_of_the_hub(world: World) -> None:
    it = story(world)
    it.sign()
    task = it.refer().partition("/")[2]
    app = software(world, it.shelter, launch_url="https://app-of-ours.example/launch", secret=True)
    by, chosen = browser(world, it.shelter), it.person.partition("/")[2]
    handle = launch_of(by, app, chosen, task)
    given = app.signed_in(by, "launch patient/Patient.rs user/Task.rs openid", launch=handle)
    assert given["patient"] == chosen
    assert given["fhirContext"] == [{"reference": f"Task/{task}"}]
    assert app.caller().get(f"/Task/{task}").status_code == 200
    question = {"token": given["access_token"]}
    headers = {"Authorization": resource_server(world)}
    told = world.client.post("/oauth/introspect", data=question, headers=headers).get_json()
    assert (told["patient"], told["fhirContext"]) == (chosen, given["fhirContext"])


def test_a_launch_counts_once_for_its_account_and_software(world: World) -> None:
    it = story(world)
    app = software(world, it.shelter, launch_url="https://app-of-ours.example/launch")
    other = software(world, it.shelter, launch_url="https://app-of-ours.example/launch")
    by, chosen = browser(world, it.shelter), it.person.partition("/")[2]
    handle = launch_of(by, app, chosen)
    scope = "launch patient/Patient.rs"
    colleague = browser(world, it.shelter)
    assert allowed(colleague, app.request(scope, launch=handle))["error"] == "invalid_request"
    assert allowed(by, other.request(scope, launch=handle))["error"] == "invalid_request"
    assert allowed(by, app.request(scope, launch="invented"))["error"] == "invalid_request"
    assert app.signed_in(by, scope, launch=handle)["patient"] == chosen
    assert allowed(by, app.request(scope, launch=handle))["error"] == "invalid_request"


def test_only_staff_starts_software_and_only_about_those_they_see(world: World) -> None:
    it, elsewhere = story(world), story(world)
    app = software(world, it.shelter, launch_url="https://app-of-ours.example/launch")
    by = browser(world, it.shelter)
    form = hidden(by.get("/launch").get_data(as_text=True))
    for patient, client_id in (
        (elsewhere.person.partition("/")[2], app.client_id),
        ("", software(world, it.clinic, launch_url="https://app-of-ours.example/launch").client_id),
        ("", software(world, it.shelter).client_id),
        ("../x", app.client_id),
    ):
        assert by.post("/launch", {**form, "client_id": client_id, "patient": patient}).status_code == 404
    herself = browser(world, it.shelter, kind="person", person=it.person)
    assert herself.get("/launch").status_code == 403


def test_introspection_says_what_the_token_response_said(world: World) -> None:
    it = story(world)
    app = software(world, it.shelter, secret=True)
    by = browser(world, it.shelter, practitioner=practitioner(it))
    chosen = it.person.partition("/")[2]
    scope = "launch/patient patient/Patient.rs openid fhirUser user/Practitioner.rs"
    given = app.signed_in(by, scope, patient=chosen)
    headers = {"Authorization": resource_server(world)}
    told = world.client.post("/oauth/introspect", data={"token": given["access_token"]}, headers=headers)
    found = told.get_json()
    claims: Any = jwt.decode(
        given["id_token"], KeySet.import_key_set(world.client.get("/oauth/jwks").get_json()), ["RS256"]
    ).claims
    assert found["active"] is True
    assert sorted(found["scope"].split()) == sorted(given["scope"].split())
    assert found["patient"] == chosen
    for name in ("iss", "sub", "fhirUser"):
        assert found[name] == claims[name]
    stranger = software(world, it.clinic, secret=True)
    answer = world.client.post(
        "/oauth/introspect", data={"token": given["access_token"]}, headers=stranger.proof()
    )
    assert answer.get_json() == {"active": False}
    by.remove()
    told = world.client.post("/oauth/introspect", data={"token": given["access_token"]}, headers=headers)
    assert told.get_json() == {"active": False}


@pytest.mark.parametrize("secret", [True, False], ids=["confidential", "public"])
def test_revoking_a_refresh_token_ends_all_that_came_of_the_approval(world: World, secret: bool) -> None:
    it = story(world)
    app, by = software(world, it.shelter, secret=secret), browser(world, it.shelter)
    given = app.signed_in(by, "user/Task.rs offline_access")
    other = software(world, it.shelter, secret=secret)
    form = {"token": given["refresh_token"], "client_id": other.client_id}
    answer = world.client.post("/oauth/revoke", data=form, headers=other.proof())
    assert answer.get_json()["error"] == "invalid_grant"
    assert app.caller().get("/Task").status_code == 200
    form = {"token": given["refresh_token"], "client_id": app.client_id, "token_type_hint": "refresh_token"}
    assert world.client.post("/oauth/revoke", data=form, headers=app.proof()).status_code == 200
    assert app.caller().get("/Task").status_code == 401
    assert app.refreshed(given["refresh_token"]).status_code == 400
    assert world.client.post("/oauth/revoke", data=form, headers=app.proof()).status_code == 200


def test_who_is_not_signed_in_signs_in_first_and_comes_back(world: World) -> None:
    it = story(world)
    app = software(world, it.shelter)
    nobody = world.client.application.test_client()
    arrived = nobody.get("/oauth/authorize", query_string=app.request("user/Task.rs"))
    to_sign_in = nobody.get(arrived.headers["Location"])
    address = to_sign_in.headers["Location"]
    assert re.fullmatch(r"/sign-in\?next=%2Foauth%2Fauthorize%3Fticket%3D[A-Za-z0-9_%-]+", address), address
    by = browser(world, it.shelter)
    assert by.get(arrived.headers["Location"]).status_code == 200  # the same ticket, after the sign-in


def test_a_request_may_want_nobody_asked_or_a_fresh_sign_in(world: World) -> None:
    it = story(world)
    app = software(world, it.shelter, secret=True)
    nobody = world.client.application.test_client()
    silent = nobody.get("/oauth/authorize", query_string=app.request("user/Task.rs", prompt="none"))
    assert came_back(nobody.get(silent.headers["Location"]))["error"] == "login_required"
    by = browser(world, it.shelter, signed_in_us=clock() - 120_000_000)
    assert allowed(by, app.request("user/Task.rs", prompt="none"))["error"] == "consent_required"
    chosen = app.request("launch/patient patient/Patient.rs", prompt="none")
    assert allowed(by, chosen)["error"] == "interaction_required"
    for more in ({"max_age": "60"}, {"prompt": "login"}):
        answer = asked(by, app.request("user/Task.rs", **more))
        assert answer.headers["Location"].startswith("/sign-in?confirm=1&next=")
    assert asked(by, app.request("user/Task.rs", max_age="600")).status_code == 200


def test_discovery_names_what_works(world: World) -> None:
    base = world.parts.addresses.base_url
    smart = world.client.get("/fhir/.well-known/smart-configuration").get_json()
    openid = world.client.get("/.well-known/openid-configuration")
    assert openid.mimetype == "application/json"
    assert {name: smart[name] for name in openid.get_json().keys() & smart.keys()} == {
        name: value for name, value in openid.get_json().items() if name in smart
    }
    assert smart["code_challenge_methods_supported"] == ["S256"]
    assert smart["management_endpoint"] == f"{base}/manage"
    assert smart["pushed_authorization_request_endpoint"] == f"{base}/oauth/par"
    assert "authorization_code" in smart["grant_types_supported"]
    assert "registration_endpoint" not in smart
    assert "none" not in smart["introspection_endpoint_auth_methods_supported"]
    assert "RS256" in openid.get_json()["id_token_signing_alg_values_supported"]
    for name in ("jwks_uri", "issuer", "authorization_endpoint", "token_endpoint"):
        assert smart[name].startswith(base)


def test_an_app_in_a_browser_reads_tokens_and_records(world: World) -> None:
    from werkzeug.test import Client

    from referral_hub.store.sign_in import SignInRows
    from referral_hub.web.cross_origin import CrossOrigin, RegisteredOrigins

    it = story(world)
    addresses = ("https://in-a-browser.example/back",)
    app = software(world, it.shelter, redirect_uris=addresses)
    confidential = software(
        world, it.shelter, secret=True, redirect_uris=("https://with-a-server.example/back",)
    )
    assert confidential.client_id
    registered = RegisteredOrigins(SignInRows(world.parts.database).browser_addresses)
    over = Client(CrossOrigin(world.client.application.wsgi_app, frozenset(), registered))
    code = allowed(browser(world, it.shelter), app.request("user/Patient.rs"))["code"]
    mine = {"Origin": "https://in-a-browser.example"}
    answer = over.post("/oauth/token", data=app.code_form(code), headers=mine)
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == mine["Origin"]
    assert "Access-Control-Allow-Credentials" not in answer.headers
    preflight = {**mine, "Access-Control-Request-Method": "GET"}
    assert over.options(f"/fhir/{it.person}", headers=preflight).status_code == 204
    for other in ("https://with-a-server.example", "https://evil.example", "null"):
        headers = {"Origin": other, "Authorization": f"Bearer {answer.get_json()['access_token']}"}
        read = over.get(f"/fhir/{it.person}", headers=headers)
        assert (read.status_code, "Access-Control-Allow-Origin" in read.headers) == (200, False)


def test_the_capability_statement_says_where_people_sign_in(world: World) -> None:
    security = world.client.get("/fhir/metadata").get_json()["rest"][0]["security"]
    base = world.parts.addresses.base_url
    told = {one["url"]: one["valueUri"] for one in security["extension"][0]["extension"]}
    assert told == {
        "token": f"{base}/oauth/token",
        "authorize": f"{base}/oauth/authorize",
        "manage": f"{base}/manage",
    }
    assert security["cors"] is True


@pytest.mark.attack("T-08")
def test_a_public_app_binds_its_tokens_to_a_key(world: World) -> None:
    it = story(world)
    app, by = software(world, it.shelter), browser(world, it.shelter)
    key = Prover(ec_key("app in a browser", "ES256"))
    address = world.parts.addresses.token
    form = app.code_form(allowed(by, app.request("user/Patient.rs"))["code"])
    asked_for = app.token(form, DPoP=key.proof("POST", address, time.time()))
    assert asked_for.get_json()["error"] == "use_dpop_nonce"
    key.nonce = asked_for.headers["DPoP-Nonce"]
    given = app.token(form, DPoP=key.proof("POST", address, time.time())).get_json()
    assert given["token_type"] == "DPoP"
    url = f"{world.parts.addresses.fhir}/{it.person}"
    proof = key.proof("GET", url, time.time(), token=given["access_token"])
    headers = {"Authorization": f"DPoP {given['access_token']}", "DPoP": proof}
    assert world.client.get(f"/fhir/{it.person}", headers=headers).status_code == 200
    plain = {"Authorization": f"Bearer {given['access_token']}"}
    assert world.client.get(f"/fhir/{it.person}", headers=plain).status_code == 401
    told = world.client.post(
        "/oauth/introspect",
        data={"token": given["access_token"]},
        headers={"Authorization": resource_server(world)},
    ).get_json()
    assert (told["cnf"], told["token_type"]) == ({"jkt": key.jkt}, "DPoP")
