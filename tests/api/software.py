"""Software that people sign in with, and the people: a registered app, an account in a browser, and the walk between.

What lives here: the steps of SMART App Launch as an app and a browser make them, written from the standard. What does
not: signing in itself (the session is put there as if it had happened), attacks (``tests/api/test_app_launch*``).
"""

import base64
import hashlib
import re
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from referral_hub.app import RandomIds, clock
from referral_hub.auth.app_registrations import App
from referral_hub.auth.clients import ClientKey, Registration
from referral_hub.auth.people.browser_sessions import new_cookie, session_cookie_name
from referral_hub.exchange.change import Change, Row
from referral_hub.partners import add_oauth_client
from tests.unit.auth.partner import basic
from tests.world import Caller, World

BACK = "https://app-of-ours.example/back"
STAFF_SCOPE = (
    "user/Task.rus user/ServiceRequest.rs user/Patient.rs user/Practitioner.rs user/Condition.rs patient/Patient.rs "
    "patient/Condition.rs patient/Task.rs launch launch/patient openid fhirUser profile offline_access online_access"
)
YEAR_US = 365 * 24 * 3600 * 1_000_000
DROP = object()
"""A parameter with this value is left out."""


def applied(world: World, *rows: Row) -> None:
    """Applies rows as a Change of the authorization server."""
    world.parts.store.apply(world.parts.gate.admit_token(Change(RandomIds().public_id(), rows=rows)))


@dataclass
class Browser:
    """Somebody's browser, signed in."""

    world: World
    client: FlaskClient
    account: str
    organization: str

    def get(self, address: str) -> TestResponse:
        """Opens an address of the hub."""
        return self.client.get(address)

    def post(self, address: str, form: dict[str, Any], **headers: str) -> TestResponse:
        """Sends a form as the page of the hub would."""
        return self.client.post(address, data=form, headers=headers)

    def remove(self) -> None:
        """Has the account removed, as the office does it."""
        from referral_hub.auth.sign_in_changes import ended_with_account

        found = self.world.parts.accounts.account(self.account)
        assert found is not None
        columns = {name: getattr(found, name) for name in found.__dataclass_fields__}
        columns |= {"state": "removed", "removed_us": clock(), "seen_version": columns.pop("version")}
        names = ("kind", "person", "patient", "created_us")
        put = {name: int(v) if isinstance(v, bool) else v for name, v in columns.items() if name not in names}
        applied(self.world, Row("account_put", put, at_least_one=True), *ended_with_account(self.account))


def browser(
    world: World,
    organization: str,
    *,
    kind: str = "staff",
    role: str = "supervisor",
    practitioner: str = "",
    person: str = "",
    methods: str = "pwd otp",
    signed_in_us: int = 0,
) -> Browser:
    """Opens a browser in which an account of this organisation signed in; ``person`` is ``Patient/id``."""
    at_us = clock()
    account, patient = f"a-{secrets.token_hex(6)}", person.partition("/")[2]
    row_id = None
    if patient:
        with world.parts.store.snapshot() as snapshot:
            found = snapshot.resource("Patient", patient)
        assert found is not None
        row_id = found.row_id
    value, digest = new_cookie()
    applied(
        world,
        Row(
            "account_insert",
            {
                "id": account,
                "organization": organization,
                "kind": kind,
                "role": role if kind == "staff" else "",
                "practitioner": practitioner,
                "person": row_id,
                "patient": patient,
                "state": "active",
                "password_hash": "",
                "password_us": at_us,
                "one_time": 0,
                "one_time_until_us": 0,
                "trained_until_us": at_us + YEAR_US,
                "authorised_by": "a-0",
                "on_call_from_us": 0,
                "on_call_until_us": 0,
                "unlocked_until_us": 0,
                "my_set_up_us": at_us,
                "created_us": at_us,
                "removed_us": 0,
                "login_digest": secrets.token_hex(8),
                "login": b"",
                "code_digest": "",
                "given_by": "",
            },
            at_least_one=True,
        ),
        Row(
            "browser_session_insert",
            {
                "digest": digest,
                "account": account,
                "created_us": at_us,
                "signed_in_us": signed_in_us or at_us,
                "confirmed_us": signed_in_us or at_us,
                "seen_us": at_us,
                "idle_us": 600_000_000,
                "ends_us": at_us + 3_600_000_000,
                "methods": methods,
                "device": "",
            },
            at_least_one=True,
        ),
    )
    client = world.client.application.test_client()
    secure = world.parts.settings.base_url.startswith("https")
    client.set_cookie(session_cookie_name(secure=secure), value)
    return Browser(world, client, account, organization)


@dataclass
class Software:
    """A registered app, with what it remembers of one sign-in."""

    world: World
    registration: Registration
    redirect_uri: str = BACK
    verifier: str = ""
    state: str = ""
    nonce: str = ""
    given: dict[str, Any] = field(default_factory=dict)

    @property
    def client_id(self) -> str:
        return self.registration.client_id

    def request(self, scope: str, **more: Any) -> dict[str, str]:
        """Gives the parameters of a fresh authorization request."""
        self.verifier, self.state, self.nonce = (secrets.token_urlsafe(48) for _ in range(3))
        challenge = base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=")
        found: dict[str, Any] = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": scope,
            "state": self.state,
            "nonce": self.nonce,
            "aud": self.world.parts.addresses.fhir,
            "code_challenge": challenge.decode(),
            "code_challenge_method": "S256",
            **more,
        }
        return {name: value for name, value in found.items() if value is not DROP}

    def proof(self) -> dict[str, str]:
        """Gives the headers by which it proves itself."""
        if not self.registration.secret:
            return {}
        return {"Authorization": basic(self.client_id, self.registration.secret)}

    def code_form(self, code: str, **more: Any) -> dict[str, str]:
        """Gives the form that makes a token of a code."""
        found: dict[str, Any] = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": self.verifier,
            "client_id": self.client_id,
            **more,
        }
        return {name: value for name, value in found.items() if value is not DROP}

    def token(self, form: dict[str, str], **headers: str) -> TestResponse:
        """Sends a form to the token endpoint."""
        return self.world.client.post("/oauth/token", data=form, headers={**self.proof(), **headers})

    def refreshed(self, refresh_token: str, **more: str) -> TestResponse:
        """Uses a refresh token."""
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token, "client_id": self.client_id}
        return self.token({**form, **more})

    def signed_in(self, by: Browser, scope: str, launch: Any = DROP, **how: Any) -> dict[str, Any]:
        """Walks the whole way and gives the token response; fails the test where a step is refused."""
        answer = allowed(by, self.request(scope, launch=launch), **how)
        assert "code" in answer, answer
        assert answer["state"] == self.state
        assert answer["iss"] == self.world.parts.addresses.base_url
        response = self.token(self.code_form(answer["code"]))
        assert response.status_code == 200, response.get_data(as_text=True)
        self.given = response.get_json()
        return self.given

    def caller(self, token: str = "") -> Caller:
        """Gives the app as it asks the FHIR API."""
        row = self.world.parts.oauth.query_client(self.client_id)
        assert row is not None
        return Caller(row.row.organization, token or self.given["access_token"], self.world.client)


def software(
    world: World,
    organization: str,
    scope: str = STAFF_SCOPE,
    *,
    secret: bool = False,
    redirect_uris: tuple[str, ...] = (BACK,),
    launch_url: str = "",
    require_par: bool = False,
    **more: Any,
) -> Software:
    """Registers an app: with a secret, or public."""
    made = add_oauth_client(
        world.parts,
        organization,
        "Invented app",
        ClientKey(secret=secret, public=not secret),
        scope,
        app=App(redirect_uris, launch_url, require_par),
        **{"purposes": ["TREAT"], **more},
    )
    return Software(world, made, redirect_uris[0])


def asked(by: Browser, parameters: dict[str, str], *, method: str = "GET") -> TestResponse:
    """Sends a browser with a request, and follows it as far as the hub itself sends it on."""
    if method == "GET":
        answer = by.client.get("/oauth/authorize", query_string=parameters)
    else:
        answer = by.client.post("/oauth/authorize", data=parameters)
    while answer.status_code == 303 and answer.headers["Location"].startswith("/oauth/authorize?ticket="):
        answer = by.client.get(answer.headers["Location"])
    return answer


def inputs(page: str) -> list[dict[str, str]]:
    """Gives the inputs of a page, each with its attributes."""
    found = []
    for tag in re.findall(r"<input\b[^>]*>", page):
        found.append(dict(re.findall(r'([\w-]+)(?:="([^"]*)")?', tag[6:])))
    return found


def boxes(page: str, name: str) -> list[str]:
    """Gives the values of the boxes of this name."""
    return [one["value"] for one in inputs(page) if one.get("name") == name and one.get("type") != "hidden"]


def hidden(page: str) -> dict[str, str]:
    """Gives the hidden fields of the form about software."""
    part = page[page.index("<main") : page.index("</main>")]
    return {one["name"]: one["value"] for one in inputs(part) if one.get("type") == "hidden"}


def came_back(answer: TestResponse) -> dict[str, str]:
    """Gives what a browser brings back to an app, with the address under an empty name."""
    assert answer.status_code == 303, answer.get_data(as_text=True)
    location = answer.headers["Location"]
    parts = urlsplit(location)
    found = {name: values[0] for name, values in parse_qs(parts.query).items()}
    return {"": f"{parts.scheme}://{parts.netloc}{parts.path}", **found}


def allowed(
    by: Browser,
    parameters: dict[str, str],
    *,
    ticked: tuple[str, ...] | None = None,
    patient: str = "",
    remember: bool = False,
    answer: str = "allow",
    method: str = "GET",
) -> dict[str, str]:
    """Has somebody answer the page, and gives what the browser brings back; all boxes unless told otherwise."""
    page = asked(by, parameters, method=method)
    if page.status_code == 303:
        return came_back(page)
    text = page.get_data(as_text=True)
    assert page.status_code == 200, text
    form: dict[str, Any] = {**hidden(text), "answer": answer}
    form["scope"] = list(boxes(text, "scope") if ticked is None else ticked)
    if patient:
        form["patient"] = patient
    if remember:
        form["remember"] = "yes"
    return came_back(by.post("/oauth/authorize/answer", form))
