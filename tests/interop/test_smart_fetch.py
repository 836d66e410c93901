"""smart-fetch, a downloader of bulk data, fetches a group from the hub unchanged."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest
import requests

from tests import builders as b
from tests.interop.served import Partner, Served, served_hub


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A hub in processes of its own, its delivery process among them."""
    with served_hub(tmp_path_factory.mktemp("smart-fetch")) as found:
        yield found


def _made(partner: Partner, resource: object) -> str:
    """Creates a resource and gives ``Type/id``."""
    assert isinstance(resource, dict)
    answer = requests.post(
        f"{partner.base_url}/fhir/{resource['resourceType']}",
        json=resource,
        headers={"Authorization": f"Bearer {partner.token()}"},
        timeout=10,
    )
    assert answer.status_code == 201, answer.text
    return f"{resource['resourceType']}/{answer.json()['id']}"


def _private_keys(partner: Partner, folder: Path) -> Path:
    """Gives the partner's key in a file of its own, as this client reads it."""
    key = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(partner.key))
    key |= {"kid": partner.kid, "alg": partner.algorithm, "key_ops": ["sign"]}
    path = folder / "private.jwks"
    path.write_text(json.dumps({"keys": [key]}))
    return path


def test_smart_fetch_downloads_a_group(served: Served, tmp_path: Path) -> None:
    types = ("Patient", "Observation", "Condition", "Group")
    shelter = served.partner("shelter", "shelter", scope=" ".join(f"system/{name}.crus" for name in types))
    inside = [_made(shelter, b.patient(name)) for name in ("Sanderling", "Dotterel")]
    outside = _made(shelter, b.patient("Ruff"))
    seen = {_made(shelter, b.observation(person)) for person in inside}
    _made(shelter, b.observation(outside))
    members = [{"entity": {"reference": person}} for person in inside]
    group = _made(shelter, {"resourceType": "Group", "type": "person", "actual": True, "member": members})
    folder = tmp_path / "fetched"
    command = [sys.executable, "-m", "smart_fetch.cli.main", "bulk", str(folder)]
    options = {
        "--fhir-url": f"{served.base_url}/fhir",
        "--group": group.partition("/")[2],
        "--smart-client-id": shelter.client_id,
        "--smart-key": str(_private_keys(shelter, tmp_path)),
        "--type": "Patient,Observation",
    }
    done = subprocess.run(
        [*command, "--no-default-filters", *(word for pair in options.items() for word in pair)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    lines = [
        json.loads(line)
        for file in folder.glob("*.ndjson*")
        if "log" not in file.name
        for line in _opened(file).splitlines()
    ]
    assert {f"{one['resourceType']}/{one['id']}" for one in lines} == {*inside, *seen}


def _opened(file: Path) -> str:
    if file.suffix == ".gz":
        import gzip

        return gzip.decompress(file.read_bytes()).decode()
    return file.read_text()
