"""Client libraries of the npm registry work with the hub unchanged: fhir-kit-client, fhirclient and openid-client.

What they do is in ``javascript/``; what they must have seen is here.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests

from tests import builders as b
from tests.interop.served import Partner, Served, served_hub

HERE = Path(__file__).with_name("javascript")
SCOPE = "system/Patient.crus system/ServiceRequest.crus system/Task.crus system/Consent.crus system/Observation.crs"


@pytest.fixture(scope="module")
def installed() -> None:
    """The libraries, at the versions of the lock file."""
    assert shutil.which("npm"), "Node.js and npm are missing; Debian and Ubuntu: apt-get install nodejs npm"
    stamp = HERE / "node_modules" / ".installed"
    lock = (HERE / "package-lock.json").read_text()
    if stamp.exists() and stamp.read_text() == lock:
        return
    # Peers of one of them are for other surroundings, such as a phone.
    command = ["npm", "ci", "--legacy-peer-deps", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    stamp.write_text(lock)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A hub in processes of its own."""
    with served_hub(tmp_path_factory.mktemp("javascript")) as found:
        yield found


@pytest.fixture(scope="module")
def shelter(served: Served) -> Partner:
    """The one who refers."""
    return served.partner("shelter", "shelter", scope=SCOPE)


@pytest.fixture
def clinic(served: Served, request: pytest.FixtureRequest) -> Partner:
    """The one referred to, with an inbox of its own for each test."""
    return served.partner(f"clinic of {request.node.name}", "clinic", algorithm="RS384", scope="system/*.rus")


def _driven(script: str, shelter: Partner, clinic: Partner) -> dict[str, Any]:
    person = "Patient/filled-by-the-script"
    asked = {
        "base": f"{shelter.base_url}/fhir",
        "shelter": shelter.token(),
        "clinic": clinic.token(),
        "patient": b.patient("Curlew"),
        "observation": b.observation(person),
        "consent": b.release(person, shelter.organization, b.permit(clinic.organization)),
        "request": b.service_request(person, clinic.organization),
        "task": b.task(person, "ServiceRequest/filled-by-the-script", clinic.organization),
    }
    return _run(script, asked)


def _run(script: str, asked: dict[str, Any]) -> dict[str, Any]:
    done = subprocess.run(
        ["node", script],
        cwd=HERE,
        env={**os.environ, "ASKED": json.dumps(asked)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    seen: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return seen


@pytest.mark.usefixtures("installed")
def test_fhir_kit_client(shelter: Partner, clinic: Partner) -> None:
    seen = _driven("kit_client.js", shelter, clinic)
    assert seen.pop("types") >= 24
    assert seen.pop("inbox") == [seen.pop("task")]
    assert seen == {
        "tokenUrl": f"{shelter.base_url}/oauth/token",
        "pages": [2, 2, 1],
        "posted": 5,
        "hidden": 404,
        "withoutVersion": 400,
        "moved": "accepted",
        "patched": "in-progress",
        "history": 3,
        "vread": "requested",
        "focus": "ServiceRequest",
        "batch": ["200", "404"],
        "actions": "Parameters",
    }


@pytest.mark.usefixtures("installed")
def test_fhirclient(shelter: Partner, clinic: Partner) -> None:
    seen = _driven("fhirclient_js.cjs", shelter, clinic)
    assert seen.pop("inbox") == [seen.pop("task")]
    assert seen == {
        "token": f"{shelter.base_url}/oauth/token",
        "pages": [2, 2, 1],
        "focus": "ServiceRequest",
        "moved": "accepted",
        "patched": "in-progress",
        "missing": 404,
    }


@pytest.mark.usefixtures("installed")
def test_openid_client(served: Served, shelter: Partner) -> None:
    clinic = served.partner("clinic of openid-client", "clinic", scope="system/*.rus")
    sender = _Sender(shelter)
    person = f"Patient/{sender.create(b.patient('Wren'))}"
    sender.create(b.release(person, shelter.organization, b.permit(clinic.organization)))
    request = f"ServiceRequest/{sender.create(b.service_request(person, clinic.organization))}"
    task = f"Task/{sender.create(b.task(person, request, clinic.organization))}"
    seen = _run(
        "openid_client.js",
        {
            "base": f"{clinic.base_url}/fhir",
            "origin": clinic.base_url,
            "client": clinic.client_id,
            "kid": clinic.kid,
            "key": {
                name: value
                for name, value in json.loads(jwt.algorithms.ECAlgorithm.to_jwk(clinic.key)).items()
                if name in ("kty", "crv", "x", "y", "d")
            },
            "task": task,
        },
    )
    assert {"ES256", "PS256", "RS256"} <= set(seen.pop("algorithms"))
    assert seen.pop("types") == [f"{clinic.base_url}/rar/consent-grant"]
    assert seen == {
        # Two reads with proofs, then as Bearer, then with the proof of another key.
        **{algorithm: ["dpop", 200, 200, 401, 401] for algorithm in ("ES256", "PS256", "RS256")},
        "bound": ["actions", "datatypes", "identifier", "type"],
        "read": [200, "Task"],
        "never": "invalid_authorization_details",
        "plain": ["bearer", 200],
    }


class _Sender:
    """Writes resources as one partner."""

    def __init__(self, partner: Partner) -> None:
        self._base = f"{partner.base_url}/fhir"
        self._headers = {
            "Authorization": f"Bearer {partner.token()}",
            "Content-Type": "application/fhir+json",
        }

    def create(self, resource: dict[str, Any]) -> str:
        url = f"{self._base}/{resource['resourceType']}"
        answer = requests.post(url, data=json.dumps(resource), headers=self._headers, timeout=10)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])
