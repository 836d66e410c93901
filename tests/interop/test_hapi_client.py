"""HAPI FHIR's client, which many EHRs are built on, works with the hub unchanged, in JSON and in XML.

What it does is in ``java/``; what it must have seen is here.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import builders as b
from tests.interop.served import Served, served_hub

PROJECT = Path(__file__).with_name("java")
SCOPE = "system/Patient.crus system/ServiceRequest.crus system/Task.crus system/Consent.crus system/Observation.crs"


@pytest.fixture(scope="module")
def classes() -> str:
    """The class path of the driver, built with Maven where it changed."""
    missing = [tool for tool in ("java", "javac", "mvn") if shutil.which(tool) is None]
    assert not missing, (
        f"missing: {missing}; Debian and Ubuntu: apt-get install openjdk-17-jdk-headless maven"
    )
    stamp = PROJECT / "target" / "built"
    newest = max(file.stat().st_mtime for file in (PROJECT / "pom.xml", *PROJECT.glob("src/**/*.java")))
    if not stamp.exists() or stamp.stat().st_mtime < newest:
        command = ["mvn", "-q", "-B", "-ntp", "-f", str(PROJECT / "pom.xml"), "compile"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (done.stdout + done.stderr)[-2000:]
        stamp.touch()
    return f"{PROJECT / 'target' / 'classes'}:{PROJECT / 'target' / 'lib'}/*"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A hub in processes of its own."""
    with served_hub(tmp_path_factory.mktemp("hapi")) as found:
        yield found


@pytest.mark.parametrize("encoding", ["JSON", "XML"])
def test_hapi_client(served: Served, classes: str, encoding: str, tmp_path: Path) -> None:
    shelter = served.partner(f"shelter-{encoding}", "shelter", scope=SCOPE)
    clinic = served.partner(f"clinic-{encoding}", "clinic", algorithm="RS384", scope="system/*.rus")
    person = "Patient/filled-by-the-driver"
    for name, resource in {
        "patient": b.patient("Avocet"),
        "observation": b.observation(person),
        "consent": b.release(person, shelter.organization, b.permit(clinic.organization)),
        "request": b.service_request(person, clinic.organization),
        "task": b.task(person, "ServiceRequest/filled-by-the-driver", clinic.organization),
    }.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(resource))
    driver = ["java", "-XX:TieredStopAtLevel=1", "-cp", classes, "interop.Drive"]
    asked = [encoding, f"{served.base_url}/fhir", shelter.token(), clinic.token(), str(tmp_path)]
    done = subprocess.run(
        [*driver, *asked],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    seen = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    assert seen == {
        "actions": "true",
        "fhirVersion": "4.0.1",
        "history": "2",
        "inbox": "[ServiceRequest include, Task match]",
        "moved": "accepted",
        "name": "Avocet",
        "nobody": "404",
        "pages": "[2, 2, 1]",
        "spoken": f"[application/fhir+{encoding.lower()}]",
        "stale": "412",
        "transaction": "[201, 201]",
    }
