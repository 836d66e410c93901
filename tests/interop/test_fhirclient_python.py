"""The SMART project's Python library ``fhirclient`` works with the hub unchanged.

It finds the token endpoint only by the extension ``oauth-uris`` of the CapabilityStatement, which it parses as
strictly as everything else: a missing mandatory element is an error there.
"""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from fhirclient import client
from fhirclient.models.consent import Consent
from fhirclient.models.fhirreference import FHIRReference
from fhirclient.models.observation import Observation
from fhirclient.models.patient import Patient
from fhirclient.models.servicerequest import ServiceRequest
from fhirclient.models.task import Task
from fhirclient.server import FHIRNotFoundException, FHIRPermissionDeniedException

from tests import builders as b
from tests.interop.served import Partner, Served, served_hub

SCOPE = "system/Patient.crus system/ServiceRequest.crus system/Task.crus system/Consent.crus system/Observation.crs"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A hub in processes of its own."""
    with served_hub(tmp_path_factory.mktemp("fhirclient")) as found:
        yield found


@pytest.fixture(scope="module")
def shelter(served: Served) -> Partner:
    """A shelter whose software is built on this library."""
    return served.partner("shelter", "shelter", scope=SCOPE)


def _server(partner: Partner) -> Any:
    """The library, authorised as a system with a signed assertion (SMART Backend Services)."""
    smart = client.FHIRClient(
        settings={
            "app_id": partner.client_id,
            "api_base": f"{partner.base_url}/fhir",
            "scope": partner.scope,
            "jwt_token": partner.assertion(),
        }
    )
    smart.wants_patient = False  # a system has no person in context
    assert not smart.ready
    smart.prepare()
    smart.authorize()
    assert smart.ready
    return smart.server


def test_the_capability_statement_is_read_strictly(shelter: Partner) -> None:
    found = _server(shelter).capabilityStatement
    assert found.fhirVersion == "4.0.1"
    assert {"Task", "ServiceRequest", "Consent"} <= {one.type for one in found.rest[0].resource}


def test_what_it_creates_it_reads_again(shelter: Partner) -> None:
    server = _server(shelter)
    made = Patient(b.patient("Whimbrel")).create(server)
    read = Patient.read(made["id"], server)
    assert read.name[0].text == "Whimbrel"
    assert read.as_json()["meta"]["versionId"] == made["meta"]["versionId"]
    with pytest.raises(FHIRNotFoundException):
        Patient.read("00000000-0000-4000-8000-000000000000", server)


def test_it_searches_page_by_page(shelter: Partner) -> None:
    server = _server(shelter)
    person = f"Patient/{Patient(b.patient('Turnstone')).create(server)['id']}"
    wanted = {Observation(b.observation(person)).create(server)["id"] for _ in range(5)}
    search = Observation.where({"patient": person, "_count": "2"})
    assert {one.id for one in search.perform_resources_iter(server)} == wanted
    assert len(next(iter(search.perform_iter(server))).entry) == 2


def test_it_follows_a_referral(served: Served, shelter: Partner) -> None:
    clinic = served.partner("clinic", "clinic", algorithm="RS384", scope="system/*.rs")
    ours, theirs = _server(shelter), _server(clinic)
    person = f"Patient/{Patient(b.patient('Godwit')).create(ours)['id']}"
    request = ServiceRequest(b.service_request(person, clinic.organization)).create(ours)
    task = Task(b.task(person, f"ServiceRequest/{request['id']}", clinic.organization))
    task.for_fhir = FHIRReference({"reference": person})
    found = Task.where({"owner": f"Organization/{clinic.organization}"})
    with pytest.raises(requests.HTTPError, match="422"):  # she has not agreed yet
        task.create(ours)
    assert list(found.perform_resources_iter(theirs)) == []
    Consent(b.release(person, shelter.organization, b.permit(clinic.organization))).create(ours)
    made = task.create(ours)
    assert [one.id for one in found.perform_resources_iter(theirs)] == [made["id"]]
    with pytest.raises((FHIRPermissionDeniedException, FHIRNotFoundException)):
        Patient(b.patient("Knot")).create(theirs)
