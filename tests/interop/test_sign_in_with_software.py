"""Apps built on others' libraries let people sign in at a served hub.

They are Authlib and fhirclient in Python, and fhirclient in JavaScript. The browser walks the hub's own pages, the
sign-in among them.
"""

import base64
import hashlib
import json
import os
import re
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session
from fhirclient import client

from tests import builders as b
from tests.api.software import boxes, hidden
from tests.interop.served import Partner, Served, served_hub

BACK = "http://127.0.0.1:9/back"
SCOPE = (
    "user/Patient.crus user/Task.rs patient/Patient.rs launch launch/patient openid fhirUser offline_access "
    "user/Practitioner.rs"
)
PASSWORD = "an invented pass phrase of some length"
JAVASCRIPT = Path(__file__).with_name("javascript")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A hub in processes of its own, whose staff may sign in with a password alone."""
    os.environ["REFERRAL_HUB_SECOND_FACTOR"] = "offered"
    try:
        with served_hub(tmp_path_factory.mktemp("sign-in")) as found:
            yield found
    finally:
        del os.environ["REFERRAL_HUB_SECOND_FACTOR"]


@pytest.fixture(scope="module")
def shelter(served: Served) -> Partner:
    """A shelter with software of its own, which wrote one person's record."""
    return served.partner("shelter", "shelter", scope="system/Patient.crus system/Practitioner.crs")


@pytest.fixture(scope="module")
def person(shelter: Partner) -> str:
    """The public id of the person."""
    return written(shelter, b.patient())


def written(partner: Partner, resource: dict[str, Any]) -> str:
    """Writes a resource as the partner's own software and gives its id."""
    answer = requests.post(
        f"{partner.base_url}/fhir/{resource['resourceType']}",
        data=json.dumps(resource),
        headers={"Authorization": f"Bearer {partner.token()}", "Content-Type": "application/fhir+json"},
        timeout=10,
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


class Browser:
    """A browser in which a supervisor of the shelter signed in through the pages."""

    def __init__(self, served: Served, shelter: Partner) -> None:
        self.base_url = served.base_url
        self.session = requests.Session()
        people = served.command("person", "list", "--organization", self._hub(served))["accounts"]
        coordinator = people[0]["id"]
        practitioner = written(shelter, {"resourceType": "Practitioner", "active": True})
        email = f"{secrets.token_hex(4)}@shelter.example"
        words = ("person", "add", "--organization", shelter.organization, "--role", "supervisor")
        more = (
            "--trained-until",
            "2030-01-01",
            "--authorised-by",
            coordinator,
            "--practitioner",
            practitioner,
        )
        made = served.command(*words, "--email", email, *more)
        self.account = made["id"]
        self.send("/sign-in", "/sign-in", login=email, password=made["one_time_password"])
        self.send("/account/password", "/account/password", new=PASSWORD, again=PASSWORD)

    @staticmethod
    def _hub(served: Served) -> str:
        found = requests.get(f"{served.base_url}/health/ready", timeout=10)
        assert found.status_code == 200
        return str(served.command("init")["id"])

    def send(self, page: str, address: str, **form: Any) -> requests.Response:
        """Sends the form of a page."""
        shown = self.session.get(f"{self.base_url}{page}", timeout=10).text
        token = re.search(r'name="form_token" value="([0-9a-f]+)"', shown)
        assert token, shown
        answer = self.session.post(
            f"{self.base_url}{address}",
            data={"form_token": token[1], **form},
            allow_redirects=False,
            timeout=10,
        )
        assert answer.status_code in (200, 303), answer.text
        return answer

    def allow(self, address: str, patient: str = "") -> str:
        """Opens an app's authorization request, allows all of it, and gives the address it is sent back to."""
        shown = self.session.get(address, timeout=10)
        assert shown.status_code == 200, shown.text
        assert "<form" in shown.text
        form: dict[str, Any] = {**hidden(shown.text), "scope": boxes(shown.text, "scope"), "answer": "allow"}
        if patient:
            form["patient"] = patient
        answer = self.session.post(
            f"{self.base_url}/oauth/authorize/answer", data=form, allow_redirects=False, timeout=10
        )
        assert answer.status_code == 303, answer.text
        return answer.headers["Location"]


@pytest.fixture(scope="module")
def browser(served: Served, shelter: Partner) -> Browser:
    """Somebody who signed in."""
    return Browser(served, shelter)


def registered(served: Served, organization: str, *key: str) -> dict[str, Any]:
    """Registers an app."""
    words = ("oauth-client", "add", "--organization", organization, "--name", "An app", "--purpose", "TREAT")
    return served.command(*words, "--redirect-uri", BACK, "--scope", SCOPE, *key)


@pytest.mark.parametrize("key", ["--public", "--secret"])
def test_authlib_signs_somebody_in(
    served: Served, shelter: Partner, person: str, browser: Browser, key: str
) -> None:
    app = registered(served, shelter.organization, key)
    found = requests.get(f"{served.base_url}/.well-known/openid-configuration", timeout=10).json()
    session = OAuth2Session(
        app["client_id"],
        app.get("client_secret"),
        scope="user/Patient.rs openid fhirUser offline_access user/Practitioner.rs",
        redirect_uri=BACK,
        code_challenge_method="S256",
        token_endpoint_auth_method="client_secret_basic" if key == "--secret" else "none",
    )
    verifier, nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(8)
    address, state = session.create_authorization_url(
        found["authorization_endpoint"], code_verifier=verifier, nonce=nonce, aud=f"{served.base_url}/fhir"
    )
    back = browser.allow(address)
    assert parse_qs(urlsplit(back).query)["iss"] == [found["issuer"]]
    token = session.fetch_token(
        found["token_endpoint"], authorization_response=back, code_verifier=verifier, state=state
    )
    keys = jwt.PyJWKClient(found["jwks_uri"])
    claims = jwt.decode(
        token["id_token"],
        keys.get_signing_key_from_jwt(token["id_token"]).key,
        algorithms=["RS256"],
        audience=app["client_id"],
        issuer=found["issuer"],
    )
    assert (claims["nonce"], claims["sub"]) == (nonce, browser.account)
    assert session.get(claims["fhirUser"], timeout=10).status_code == 200
    assert session.get(f"{served.base_url}/fhir/Patient/{person}", timeout=10).status_code == 200
    fresh = session.refresh_token(found["token_endpoint"], refresh_token=token["refresh_token"])
    assert fresh["refresh_token"] != token["refresh_token"]
    assert session.get(f"{served.base_url}/fhir/Patient/{person}", timeout=10).status_code == 200


def test_fhirclient_signs_somebody_in(
    served: Served, shelter: Partner, person: str, browser: Browser
) -> None:
    app = registered(served, shelter.organization, "--public")
    smart = client.FHIRClient(
        settings={
            "app_id": app["client_id"],
            "api_base": f"{served.base_url}/fhir",
            "redirect_uri": BACK,
            "scope": "patient/Patient.rs launch/patient openid fhirUser",
        }
    )
    assert not smart.ready
    back = browser.allow(smart.authorize_url, patient=person)
    smart.handle_callback(back)
    assert smart.ready
    assert smart.patient_id == person
    assert smart.patient.id == person


def test_fhirclient_of_javascript_signs_somebody_in(
    served: Served, shelter: Partner, person: str, browser: Browser
) -> None:
    if not shutil.which("node") or not (JAVASCRIPT / "node_modules" / "fhirclient").is_dir():
        pytest.skip(
            "Node.js or its libraries are not installed: tests/interop/test_javascript.py installs them"
        )
    app = registered(served, shelter.organization, "--public")
    asked = {
        "base": f"{served.base_url}/fhir",
        "client": app["client_id"],
        "back": BACK,
        "scope": "patient/Patient.rs launch/patient openid fhirUser offline_access online_access",
    }
    process = subprocess.Popen(
        ["node", "sign_in.cjs"],
        cwd=JAVASCRIPT,
        env={**os.environ, "ASKED": json.dumps(asked)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        address = process.stdout.readline().strip()
        assert address.startswith(f"{served.base_url}/oauth/authorize?"), address
        told, _ = process.communicate(browser.allow(address, patient=person) + "\n", timeout=60)
    finally:
        process.kill()
    seen = json.loads(told)
    assert seen["patient"] == person
    assert seen["read"] == person
    assert seen["fhirUser"].startswith("Practitioner/")


def test_an_app_is_told_why_it_may_not(served: Served, shelter: Partner, browser: Browser) -> None:
    app = registered(served, shelter.organization, "--public")
    challenge = base64.urlsafe_b64encode(hashlib.sha256(b"v" * 43).digest()).rstrip(b"=").decode()
    query = {
        "response_type": "code",
        "client_id": app["client_id"],
        "redirect_uri": BACK,
        "scope": "openid",
        "state": "s",
        "aud": "https://another.example/fhir",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    answer = browser.session.get(
        f"{served.base_url}/oauth/authorize?{urlencode(query)}", allow_redirects=False, timeout=10
    )
    told = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert (told["error"], told["state"], told["iss"]) == (["invalid_request"], ["s"], [served.base_url])
