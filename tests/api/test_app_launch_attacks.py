"""What is tried against sign-in with software: each of these ends with nothing opened.

Source: ``consent.md`` 7; RFC 9700 4; the negative checks of the public conformance kits.
"""

import base64
import json
import re
import threading
from typing import Any

import pytest

from referral_hub.auth.changes import client_switched
from referral_hub.exchange.change import Row
from tests.api.network import story
from tests.api.software import (
    BACK,
    DROP,
    Browser,
    Software,
    allowed,
    applied,
    asked,
    browser,
    came_back,
    hidden,
    software,
)
from tests.api.test_app_launch import HER_SCOPE, launch_of
from tests.unit.auth.partner import b64, signature
from tests.world import World

SCOPE = "user/Task.rs user/Patient.rs offline_access"


def pair(world: World, **how: Any) -> tuple[Software, Browser]:
    """Gives an app and a browser of one organisation."""
    it = story(world)
    return software(world, it.shelter, **how), browser(world, it.shelter)


# --- nobody is sent anywhere -------------------------------------------------------------------------------


@pytest.mark.attack("T-33")
@pytest.mark.parametrize(
    "wrong",
    [
        "https://evil.example/back",
        BACK + "/",
        BACK + "?a=1",
        BACK + "/../back",
        BACK.upper(),
        "https://app-of-ours.example:443/back",
        "http://app-of-ours.example/back",
        "https://app-of-ours.example/back#x",
        "//app-of-ours.example/back",
        "javascript:alert(1)",
        "",
        DROP,
    ],
)
def test_an_address_that_is_not_registered_letter_by_letter(world: World, wrong: Any) -> None:
    app, by = pair(world)
    answer = asked(by, app.request(SCOPE, redirect_uri=wrong))
    assert answer.status_code == 400
    assert "Location" not in answer.headers
    assert not re.search(r"""(?:href|src|action)=["'][^"']*evil""", answer.get_data(as_text=True))


@pytest.mark.parametrize("wrong", ["c-0000000000000000", "", DROP, "../x", "x" * 300])
def test_software_that_nobody_knows(world: World, wrong: Any) -> None:
    app, by = pair(world)
    answer = asked(by, app.request(SCOPE, client_id=wrong))
    assert answer.status_code == 400
    assert "Location" not in answer.headers


def test_software_that_was_switched_off(world: World) -> None:
    app, by = pair(world)
    page = asked(by, app.request(SCOPE))
    row = world.parts.oauth.query_client(app.client_id)
    assert row is not None
    world.parts.store.apply(world.parts.gate.admit_token(client_switched(row.row, active=False, at_us=1)))
    form = {**hidden(page.get_data(as_text=True)), "answer": "allow", "scope": ["user/Task.rs"]}
    assert by.post("/oauth/authorize/answer", form).status_code == 400
    assert asked(by, app.request(SCOPE)).status_code == 400


@pytest.mark.attack("T-33")
def test_the_address_of_another_software_is_not_its_own(world: World) -> None:
    it = story(world)
    software(world, it.shelter, redirect_uris=("https://other.example/back",))
    app, by = software(world, it.shelter), browser(world, it.shelter)
    assert asked(by, app.request(SCOPE, redirect_uri="https://other.example/back")).status_code == 400


@pytest.mark.attack("T-33")
def test_a_parameter_that_came_twice(world: World) -> None:
    app, by = pair(world)
    good = list(app.request(SCOPE).items())
    for twice in (("redirect_uri", "https://evil.example/"), ("client_id", "c-1")):
        answer = by.client.get("/oauth/authorize", query_string=[*good, twice])
        assert (answer.status_code, "Location" in answer.headers) == (400, False)
    for twice in (("scope", "user/*.cruds"), ("state", "other"), ("code_challenge", "x" * 43)):
        back = came_back(by.client.get("/oauth/authorize", query_string=[*good, twice]))
        assert (back[""], back["error"]) == (BACK, "invalid_request")


# --- the request is sent back ------------------------------------------------------------------------------


@pytest.mark.attack("T-13", "T-14", "T-35")
@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_type": "id_token"}, "unsupported_response_type"),
        ({"response_type": DROP}, "invalid_request"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"response_mode": "form_post"}, "invalid_request"),
        ({"state": DROP}, "invalid_request"),
        ({"state": ""}, "invalid_request"),
        ({"state": "a\nb"}, "invalid_request"),
        ({"aud": DROP}, "invalid_request"),
        ({"aud": "https://other.example/fhir"}, "invalid_request"),
        ({"aud": "http://127.0.0.1:8080"}, "invalid_request"),
        ({"aud": "http://127.0.0.1:8080/fhir/x"}, "invalid_request"),
        ({"code_challenge": DROP}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge_method": DROP}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": "s256"}, "invalid_request"),
        ({"scope": DROP}, "invalid_scope"),
        ({"scope": "user/Task.sr"}, "invalid_scope"),
        ({"scope": "user/Task.read?x=y"}, "invalid_scope"),
        ({"scope": "system/Task.rs"}, "invalid_scope"),
        ({"scope": "user/Consent.rs"}, "invalid_scope"),
        ({"scope": "offline_access"}, "invalid_scope"),
        ({"request": "eyJhbGciOiJub25lIn0.e30."}, "request_not_supported"),
        ({"authorization_details": "[]"}, "invalid_authorization_details"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"dpop_jkt": "x"}, "invalid_request"),
    ],
)
@pytest.mark.parametrize("secret", [True, False], ids=["confidential", "public"])
def test_a_request_that_lacks_what_makes_it_safe(
    world: World, change: dict[str, Any], error: str, secret: bool
) -> None:
    app, by = pair(world, secret=secret)
    back = allowed(by, app.request(**{"scope": SCOPE, **change}))
    assert (back[""], back["error"]) == (BACK, error)
    assert "code" not in back
    assert back["iss"] == world.parts.addresses.base_url
    assert back.get("state", "") in (app.state, "")


def test_an_error_gives_the_state_back(world: World) -> None:
    app, by = pair(world)
    assert allowed(by, app.request(SCOPE, aud=DROP))["state"] == app.state


def test_a_request_address_of_elsewhere_is_never_fetched(world: World) -> None:
    app, by = pair(world)
    for address in ("https://evil.example/request.jwt", "urn:ietf:params:oauth:request_uri:invented"):
        answer = asked(by, {"client_id": app.client_id, "request_uri": address})
        assert (answer.status_code, "Location" in answer.headers) == (400, False)


# --- the page ----------------------------------------------------------------------------------------------


@pytest.mark.attack("T-37")
def test_another_site_cannot_answer_the_page(world: World) -> None:
    app, by = pair(world)
    page = asked(by, app.request(SCOPE)).get_data(as_text=True)
    form: dict[str, Any] = {**hidden(page), "answer": "allow", "scope": ["user/Task.rs"]}
    answer = "/oauth/authorize/answer"
    forged = {name: value for name, value in form.items() if name != "form_token"}
    assert by.post(answer, forged).status_code == 403
    assert by.post(answer, {**forged, "form_token": "0" * 64}).status_code == 403
    assert by.post(answer, form, Origin="https://evil.example").status_code == 403
    assert by.post(answer, form, **{"Sec-Fetch-Site": "cross-site"}).status_code == 403
    stranger = browser(world, by.organization)
    assert stranger.post(answer, form).status_code == 403  # the token of another browser
    assert "code" in came_back(by.post(answer, form))


@pytest.mark.attack("T-37")
def test_a_posted_request_changes_nothing_whoever_posts_it(world: World) -> None:
    app, by = pair(world)
    form = {**app.request(SCOPE), "answer": "allow", "form_token": "x", "ticket": "x"}
    answer = by.post("/oauth/authorize", form)
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/oauth/authorize?ticket=")


@pytest.mark.parametrize("ticket", ["x", "", "A" * 400, None])
def test_a_ticket_that_the_hub_did_not_make(world: World, ticket: str | None) -> None:
    app, by = pair(world)
    page = asked(by, app.request(SCOPE)).get_data(as_text=True)
    fields = hidden(page)
    changed = fields["ticket"][:-4] + "AAAA" if ticket is None else ticket
    answer = by.post("/oauth/authorize/answer", {**fields, "ticket": changed, "answer": "allow"})
    assert answer.status_code == 400
    if changed:
        assert by.get(f"/oauth/authorize?ticket={changed}").status_code == 400


def test_a_page_link_is_no_ticket(world: World) -> None:
    _, by = pair(world)
    sealed = world.parts.hub.cursors.seal(b'{"type":"Task"}')
    assert by.get(f"/oauth/authorize?ticket={sealed}").status_code == 400


@pytest.mark.parametrize(
    "following", ["https://evil.example", "//evil.example", "/oauth/authorize/../../evil", "/fhir/Patient"]
)
def test_the_sign_in_leads_nowhere_else(world: World, following: str) -> None:
    from referral_hub.web.pages import local_address

    assert local_address(following, "/oauth/authorize") == "/oauth/authorize"


# --- the code ----------------------------------------------------------------------------------------------


def code_of(app: Software, by: Browser, scope: str = SCOPE, **how: Any) -> str:
    """Gives a fresh code."""
    return allowed(by, app.request(scope), **how)["code"]


@pytest.mark.attack("T-33", "T-35")
@pytest.mark.parametrize("secret", [True, False], ids=["confidential", "public"])
@pytest.mark.parametrize(
    "change",
    [
        {"code_verifier": DROP},
        {"code_verifier": ""},
        {"code_verifier": "x" * 64},
        {"code_verifier": "the challenge"},
        {"redirect_uri": DROP},
        {"redirect_uri": "https://app-of-ours.example/other"},
        {"code": "BAD_CODE"},
    ],
)
def test_a_code_with_something_wrong_beside_it(world: World, change: dict[str, Any], secret: bool) -> None:
    it = story(world)
    both = (BACK, "https://app-of-ours.example/other")
    app, by = software(world, it.shelter, secret=secret, redirect_uris=both), browser(world, it.shelter)
    parameters = app.request(SCOPE)
    code = allowed(by, parameters)["code"]
    if change.get("code_verifier") == "the challenge":
        change = {"code_verifier": parameters["code_challenge"]}
    form = {name: value for name, value in {**app.code_form(code), **change}.items() if value is not DROP}
    answer = app.token(form)
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_grant")
    assert answer.headers["Cache-Control"] == "no-store"
    assert app.token(app.code_form(code)).status_code == 200  # the rightful one is not hurt by the attempt


@pytest.mark.attack("T-34")
@pytest.mark.parametrize("secret", [True, False], ids=["confidential", "public"])
def test_a_code_that_comes_twice_ends_all_that_came_of_it(world: World, secret: bool) -> None:
    app, by = pair(world, secret=secret)
    code = code_of(app, by)
    given = app.token(app.code_form(code)).get_json()
    assert app.caller(given["access_token"]).get("/Task").status_code == 200
    assert app.token(app.code_form(code, code_verifier=DROP)).get_json()["error"] == "invalid_grant"
    assert app.caller(given["access_token"]).get("/Task").status_code == 401
    assert app.refreshed(given["refresh_token"]).get_json()["error"] == "invalid_grant"


@pytest.mark.attack("T-34")
def test_a_code_that_comes_four_times_at_once_is_good_for_nothing(world: World) -> None:
    app, by = pair(world)
    form = app.code_form(code_of(app, by))
    barrier, answers = threading.Barrier(4), []

    def ask() -> None:
        client = world.client.application.test_client()
        barrier.wait()
        answers.append(client.post("/oauth/token", data=form))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400]
    (won,) = [answer.get_json() for answer in answers if answer.status_code == 200]
    assert app.caller(won["access_token"]).get("/Task").status_code == 401


@pytest.mark.attack("T-34")
def test_the_code_of_another_software(world: World) -> None:
    it = story(world)
    by = browser(world, it.shelter)
    app, other = software(world, it.shelter), software(world, it.shelter, secret=True)
    code = code_of(app, by)
    other.verifier = app.verifier
    assert other.token(other.code_form(code)).get_json()["error"] == "invalid_grant"
    assert app.token(app.code_form(code)).status_code == 200


def test_a_client_that_has_a_secret_cannot_leave_it_out(world: World) -> None:
    app, by = pair(world, secret=True)
    form = app.code_form(code_of(app, by))
    answer = world.client.post("/oauth/token", data=form)
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_client")
    wrong = world.client.post("/oauth/token", data={**form, "client_id": "BAD_CLIENT_ID"})
    assert wrong.status_code in (400, 401)
    assert world.client.post("/oauth/token", data={**form, "client_secret": "x"}).status_code == 400


def test_a_code_is_no_access_token_and_no_refresh_token(world: World) -> None:
    app, by = pair(world)
    code = code_of(app, by)
    assert app.caller(code).get("/Task").status_code == 401
    assert app.refreshed(code).get_json()["error"] == "invalid_grant"


def test_a_code_lives_a_minute(world: World) -> None:
    app, by = pair(world)
    code = code_of(app, by)
    from referral_hub.auth.sign_in_grants import handle_digest

    kept = world.parts.oauth.sign_in
    assert kept is not None
    row = kept.store.code(handle_digest(code))
    assert row is not None
    assert row.expires_us - row.family.created_us == 60_000_000
    assert code not in str(row)


@pytest.mark.attack("T-38")
@pytest.mark.parametrize("what", ["removed", "suspended", "switched off"])
def test_what_ends_an_account_ends_its_codes_and_tokens(world: World, what: str) -> None:
    app, by = pair(world)
    given = app.signed_in(by, SCOPE)
    code = code_of(app, by)
    if what == "removed":
        by.remove()
    elif what == "suspended":
        applied(world, Row("organization_set_active", {"organization": by.organization, "active": 0}))
    else:
        row = world.parts.oauth.query_client(app.client_id)
        assert row is not None
        change = client_switched(row.row, active=False, at_us=1)
        world.parts.store.apply(world.parts.gate.admit_token(change))
    assert app.token(app.code_form(code)).status_code == 400
    assert app.refreshed(given["refresh_token"]).status_code == 400
    form = {"grant_type": "refresh_token", "refresh_token": given["refresh_token"]}
    assert world.client.post("/oauth/token", data=form).status_code == 400
    from tests.world import Caller

    caller = Caller(by.organization, given["access_token"], world.client)
    assert caller.get("/Task").status_code in (401, 403)


@pytest.mark.attack("T-17", "T-18")
def test_a_withdrawal_ends_codes_tokens_and_launches_about_the_person_at_the_recipient(world: World) -> None:
    it = story(world)
    it.sign()
    it.refer()
    it.move("accepted")
    app = software(world, it.clinic, secret=True, launch_url="https://app-of-ours.example/launch")
    by, chosen = browser(world, it.clinic), it.person.partition("/")[2]
    scope = "launch/patient patient/Patient.rs online_access"
    given = app.signed_in(by, scope, patient=chosen, ticked=("patient/Patient.rs", "online_access"))
    assert app.caller().get(f"/{it.person}").status_code == 200
    code = code_of(app, by, scope, patient=chosen)
    form = app.code_form(code)
    handle = launch_of(by, app, chosen)
    it.revoke()
    assert app.token(form).get_json()["error"] == "invalid_grant"
    assert app.refreshed(given["refresh_token"]).get_json()["error"] == "invalid_grant"
    assert app.caller().get(f"/{it.person}").status_code in (401, 404)
    assert allowed(by, app.request("launch patient/Patient.rs", launch=handle))["error"] == "invalid_request"


def test_a_withdrawal_leaves_her_own_tokens_alone(world: World) -> None:
    it = story(world)
    it.sign()
    app = software(world, it.shelter, HER_SCOPE)
    given = app.signed_in(browser(world, it.shelter, kind="person", person=it.person), HER_SCOPE)
    it.revoke()
    assert app.caller().get(f"/{it.person}").status_code == 200
    assert app.refreshed(given["refresh_token"]).status_code == 200


# --- refresh tokens ----------------------------------------------------------------------------------------


@pytest.mark.attack("T-36")
def test_a_refresh_token_that_comes_twice_ends_all_that_came_of_the_approval(world: World) -> None:
    app, by = pair(world)
    first = app.signed_in(by, SCOPE)
    second = app.refreshed(first["refresh_token"]).get_json()
    assert app.caller(second["access_token"]).get("/Task").status_code == 200
    assert app.refreshed(first["refresh_token"]).get_json()["error"] == "invalid_grant"
    for given in (first, second):
        assert app.caller(given["access_token"]).get("/Task").status_code == 401
    assert app.refreshed(second["refresh_token"]).get_json()["error"] == "invalid_grant"


def test_the_refresh_token_of_another_software(world: World) -> None:
    app, by = pair(world)
    given = app.signed_in(by, SCOPE)
    other = software(world, by.organization)
    assert other.refreshed(given["refresh_token"]).get_json()["error"] == "invalid_grant"
    assert app.refreshed(given["refresh_token"]).status_code == 200


@pytest.mark.attack("T-13")
@pytest.mark.parametrize(
    "scope", ["user/Task.sr", "user/*.cruds", "user/Task.cruds", "openid", "system/Task.rs", "x"]
)
def test_a_refresh_never_widens(world: World, scope: str) -> None:
    app, by = pair(world)
    given = app.signed_in(by, SCOPE)
    answer = app.refreshed(given["refresh_token"], scope=scope)
    assert answer.get_json()["error"] == "invalid_scope"


@pytest.mark.parametrize("token", ["invented", "", "x" * 5000])
def test_a_refresh_token_that_never_was(world: World, token: str) -> None:
    app, _ = pair(world)
    assert app.refreshed(token).status_code in (400, 401)


def test_software_alone_never_gets_a_refresh_token_or_a_scope_of_people(world: World) -> None:
    it = story(world)
    app = software(world, it.shelter, "system/Task.rs user/Task.rs openid offline_access", secret=True)
    form = {"grant_type": "client_credentials", "scope": "system/Task.rs user/Task.rs openid offline_access"}
    answer = app.token(form).get_json()
    assert answer["scope"] == "system/Task.rs"
    assert not {"refresh_token", "id_token", "patient"} & answer.keys()
    assert app.token({**form, "scope": "user/Task.rs offline_access"}).get_json()["error"] == "invalid_scope"


# --- proofs of the client ----------------------------------------------------------------------------------


@pytest.mark.attack("T-03", "T-04")
@pytest.mark.parametrize("alg", ["none", "HS256", "RS256"])
def test_an_assertion_that_is_not_signed_as_demanded(world: World, alg: str) -> None:
    app, by = pair(world, secret=True)
    header, claims = (
        b64(json.dumps(part).encode())
        for part in (
            {"alg": alg, "kid": "k", "typ": "JWT"},
            {
                "iss": app.client_id,
                "sub": app.client_id,
                "aud": world.parts.addresses.token,
                "exp": 9999999999,
                "jti": "j",
            },
        )
    )
    signed = b"" if alg != "HS256" else signature("HS256", b"k" * 32, f"{header}.{claims}".encode())
    form = app.code_form(code_of(app, by)) | {
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": f"{header}.{claims}.{b64(signed) or 'x'}",
    }
    assert world.client.post("/oauth/token", data=form).get_json()["error"] == "invalid_client"


def test_a_public_app_cannot_use_the_flow_of_software_alone(world: World) -> None:
    app, _ = pair(world)
    form = {"grant_type": "client_credentials", "scope": "system/Task.rs", "client_id": app.client_id}
    assert world.client.post("/oauth/token", data=form).get_json()["error"] == "invalid_client"


@pytest.mark.parametrize(
    "grant", ["password", "implicit", "urn:ietf:params:oauth:grant-type:device_code", "x"]
)
def test_no_other_way_to_a_token(world: World, grant: str) -> None:
    app, _ = pair(world, secret=True)
    answer = app.token({"grant_type": grant, "username": "a", "password": "b"})
    assert (answer.status_code, answer.get_json()["error"]) == (400, "unsupported_grant_type")


def test_parameters_in_the_address_of_the_token_endpoint_count_for_nothing(world: World) -> None:
    app, by = pair(world)
    form = app.code_form(code_of(app, by))
    answer = world.client.post("/oauth/token", query_string=form, data={"client_id": app.client_id})
    assert answer.status_code == 400
    assert app.token(form).status_code == 200


@pytest.mark.attack("S-35")
def test_no_answer_of_the_token_endpoint_is_written_to_the_log(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    app, by = pair(world)
    code = code_of(app, by)
    given = app.token(app.code_form(code)).get_json()
    fresh = app.refreshed(given["refresh_token"]).get_json()
    app.token(app.code_form(code))
    secrets = (code, given["access_token"], given["refresh_token"], fresh["access_token"], app.verifier)
    assert not [secret for secret in secrets if secret in caplog.text]
    assert not [secret for secret in secrets if base64.b64encode(secret.encode()).decode() in caplog.text]


def test_an_app_of_the_network_is_no_resource_server(world: World) -> None:
    it = story(world)
    network = world.organizations["network"]
    scope = "patient/Patient.rs system/Task.rs openid"
    app = software(world, network, scope, secret=True)
    by = browser(world, it.shelter, kind="person", person=it.person)
    hers = app.signed_in(by, "patient/Patient.rs")
    assert app.caller().get(f"/{it.person}").status_code == 200
    question = {"token": it.s.token}
    answer = world.client.post("/oauth/introspect", data=question, headers=app.proof())
    assert answer.get_json() == {"active": False}
    bearer = {"Authorization": f"Bearer {hers['access_token']}"}
    for token in (it.s.token, hers["access_token"]):
        assert (
            world.client.post("/oauth/introspect", data={"token": token}, headers=bearer).status_code == 401
        )
    public = {
        "token": hers["access_token"],
        "client_id": software(world, network, scope.split()[0]).client_id,
    }
    assert world.client.post("/oauth/introspect", data=public).status_code == 401
