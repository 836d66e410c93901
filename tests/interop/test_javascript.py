"""Client libraries of the npm registry work with the hub unchanged: fhir-kit-client and fhirclient.

What they do is in ``javascript/``; what they must have seen is here.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

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
