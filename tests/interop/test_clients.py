"""Client libraries that know nothing of this hub work with it unchanged."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from fhirpy import SyncFHIRClient
from fhirpy.base.exceptions import MultipleResourcesFound, OperationOutcome, ResourceNotFound

from tests import builders as b
from tests.interop.served import Partner, Served, served_hub

SCOPE = (
    "system/Patient.crus system/ServiceRequest.crus system/Task.crus system/Consent.crus "
    "system/Observation.crs system/Organization.rs"
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A hub in processes of its own."""
    with served_hub(tmp_path_factory.mktemp("interop")) as found:
        yield found


@pytest.fixture(scope="module")
def shelter(served: Served) -> Partner:
    """A shelter whose software signs with ES384."""
    return served.partner("shelter", "shelter", scope=SCOPE)


@pytest.fixture(scope="module")
def clinic(served: Served) -> Partner:
    """A clinic whose software signs with RS384."""
    return served.partner(
        "clinic",
        "clinic",
        algorithm="RS384",
        scope="system/Task.rus system/ServiceRequest.rs system/Patient.rs",
    )


def _client(partner: Partner, version: str = "") -> SyncFHIRClient:
    """A client of the library; with a version its updates carry If-Match."""
    return SyncFHIRClient(
        f"{partner.base_url}/fhir",
        authorization=f"Bearer {partner.token()}",
        extra_headers={"If-Match": f'W/"{version}"'} if version else {},
    )


def _saved(client: SyncFHIRClient, resource: dict[str, Any]) -> Any:
    made = client.resource(
        resource["resourceType"], **{k: v for k, v in resource.items() if k != "resourceType"}
    )
    made.save()
    return made


def _moved(partner: Partner, task_id: str, **elements: Any) -> None:
    """Reads a Task and saves it changed, with the library and the version it was read at."""
    version = _client(partner).reference("Task", task_id).to_resource()["meta"]["versionId"]
    task = _client(partner, version).reference("Task", task_id).to_resource()
    for name, value in elements.items():
        task[name] = value
    task.save()


@pytest.mark.parametrize("algorithm", ["ES384", "RS384"])
def test_an_independent_smart_client_gets_a_token_and_is_served(served: Served, algorithm: str) -> None:
    partner = served.partner(f"by-{algorithm}", "clinic", algorithm=algorithm, scope="system/Patient.crs")
    headers = {"Authorization": f"Bearer {partner.token()}", "Accept": "application/fhir+json"}
    answer = requests.get(f"{partner.base_url}/fhir/Patient", headers=headers, timeout=10)
    assert answer.status_code == 200
    assert answer.json()["type"] == "searchset"


def test_fhirpy_creates_reads_and_updates_with_the_version(shelter: Partner) -> None:
    client = _client(shelter)
    patient = _saved(client, b.patient("Plover"))
    assert patient.id
    draft = b.task(f"Patient/{patient.id}", "ServiceRequest/x", shelter.organization, status="draft")
    del draft["focus"]
    task = _saved(client, draft)
    _moved(shelter, task.id, priority="asap")
    assert client.reference("Task", task.id).to_resource()["priority"] == "asap"
    with pytest.raises(OperationOutcome, match="version it was made from"):
        client.reference("Task", task.id).to_resource().save()
    with pytest.raises(MultipleResourcesFound, match="changed meanwhile"):  # the name fhirpy has for 412
        _client(shelter, "0123456789abcdef").reference("Task", task.id).to_resource().save()


def test_fhirpy_pages_through_a_search(shelter: Partner) -> None:
    client = _client(shelter)
    patient = _saved(client, b.patient("Dunlin"))
    wanted = set()
    for _ in range(7):
        observation = _saved(client, b.observation(f"Patient/{patient.id}"))
        wanted.add(observation.id)
    found = client.resources("Observation").search(patient=f"Patient/{patient.id}").limit(3)
    assert {one.id for one in found.fetch_all()} == wanted
    assert found.fetch_raw().link[-1]["relation"] == "next"


def test_fhirpy_follows_a_referral_from_shelter_to_clinic(shelter: Partner, clinic: Partner) -> None:
    ours, theirs = _client(shelter), _client(clinic)
    patient = _saved(ours, b.patient("Lapwing"))
    person = f"Patient/{patient.id}"
    with pytest.raises(ResourceNotFound):
        theirs.reference("Patient", patient.id).to_resource()
    _saved(ours, b.release(person, shelter.organization, b.permit(clinic.organization)))
    request = _saved(ours, b.service_request(person, clinic.organization))
    task = _saved(ours, b.task(person, f"ServiceRequest/{request.id}", clinic.organization))
    inbox = theirs.resources("Task").search(owner=f"Organization/{clinic.organization}", status="requested")
    assert [one.id for one in inbox.fetch()] == [task.id]
    assert "name" not in theirs.reference("Patient", patient.id).to_resource()
    _moved(clinic, task.id, status="accepted")
    assert theirs.reference("Patient", patient.id).to_resource()["name"][0]["text"] == "Lapwing"
    assert ours.reference("Task", task.id).to_resource()["status"] == "accepted"
