"""Search strings, bodies and headers that nobody would send: never a server error, always FHIR, always soon.

schemathesis, which knows nothing of this hub, makes them from a description of its API.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests import builders as b
from tests.interop.fuzz.openapi import described
from tests.interop.served import Served, served_hub

TYPES = ("Patient", "Task", "ServiceRequest", "Consent", "Observation", "Subscription", "Group", "Slot")
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "10"))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A hub in processes of its own."""
    with served_hub(tmp_path_factory.mktemp("fuzz")) as found:
        yield found


def test_no_input_breaks_the_api(served: Served, tmp_path: Path) -> None:
    shelter = served.partner("shelter", "shelter", scope="system/*.cruds")
    base = f"{served.base_url}/fhir"
    headers = {"Authorization": f"Bearer {shelter.token()}"}
    patient = requests.post(f"{base}/Patient", json=b.patient("Oriole"), headers=headers, timeout=10).json()
    capability = requests.get(f"{base}/metadata", timeout=10).json()
    document = tmp_path / "openapi.json"
    document.write_text(json.dumps(described(capability, {"Patient": patient["id"]}, TYPES)))
    command = [str(Path(sys.executable).with_name("schemathesis")), "run", str(document), "--url", base]
    options = [
        "--checks=not_a_server_error,an_error_is_an_operation_outcome",
        "--phases=fuzzing",
        f"--max-examples={EXAMPLES}",
        "--seed=1",
        "--continue-on-failure",
        "--no-shrink",
        "--suppress-health-check=all",
        "--warnings=off",
        f"--header=Authorization:{headers['Authorization']}",
    ]
    done = subprocess.run(
        [*command, *options],
        env={**os.environ, "SCHEMATHESIS_HOOKS": "tests.interop.fuzz.hooks", "PYTHONPATH": os.getcwd()},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
    assert "No issues found" in done.stdout
    log = (served.folder / "serve.log").read_text()
    assert "Unforeseen" not in log
