"""What the CapabilityStatement claims of SDOHCC: such resources are taken, kept as written, and worked with.

Source: SDOHCC 3.0.0, SDOHCC-TaskForReferralManagement and SDOHCC-Consent; docs/profiles-sdohcc.md.
"""

from typing import Any

from referral_hub.exchange.capabilities import SDOHCC
from tests import builders as b
from tests.api.network import story
from tests.world import World, parsed

CODES = "http://hl7.org/fhir/us/sdoh-clinicalcare/CodeSystem/SDOHCC-CodeSystemTemporaryCodes"


def _kept(sent: dict[str, Any], read: dict[str, Any]) -> bool:
    return all(read[name] == value for name, value in sent.items() if name not in ("meta", "identifier"))


def test_a_consent_of_sdohcc_is_kept_as_written_and_shares_nothing(world: World) -> None:
    it = story(world)
    sent = {
        "resourceType": "Consent",
        "meta": {"profile": [SDOHCC["Consent"]]},
        "status": "active",
        "scope": b.coded("http://terminology.hl7.org/CodeSystem/consentscope", "patient-privacy"),
        "category": [b.coded("http://terminology.hl7.org/CodeSystem/v3-ActCode", "IDSCL")],
        "patient": {"reference": it.person},
        "dateTime": "2026-11-24",
        "organization": [{"reference": f"Organization/{it.shelter}"}],
        "sourceAttachment": {"contentType": "text/plain", "data": "c2lnbmVk"},
        "policy": [{"uri": "https://network.example/policy"}],
    }
    made = it.s.create(sent)
    read = it.s.read(f"Consent/{made['id']}")
    assert _kept(sent, read)
    assert read["meta"]["profile"] == [SDOHCC["Consent"]]
    assert [e["resource"]["id"] for e in parsed(it.s.get(f"/Consent?patient={it.person}"))["entry"]] == [
        made["id"]
    ]
    assert it.c.get(f"/Consent/{made['id']}").status_code == 404


def test_a_task_of_sdohcc_is_kept_as_written_and_goes_its_way(world: World) -> None:
    it = story(world)
    it.sign()
    request = it.s.create(b.service_request(it.person, it.clinic))
    sent = {
        "resourceType": "Task",
        "meta": {"profile": [SDOHCC["Task"]]},
        "status": "requested",
        "intent": "order",
        "priority": "urgent",
        "code": b.coded("http://hl7.org/fhir/CodeSystem/task-code", "fulfill"),
        "focus": {"reference": f"ServiceRequest/{request['id']}"},
        "for": {"reference": it.person},
        "authoredOn": "2026-11-24T10:00:00Z",
        "requester": {"reference": f"Organization/{it.shelter}"},
        "owner": {"reference": f"Organization/{it.clinic}"},
        "input": [{"type": b.coded(CODES, "additional-content"), "valueReference": {"reference": it.person}}],
    }
    made = it.s.create(sent)
    it.task = f"Task/{made['id']}"
    read = it.s.read(it.task)
    assert _kept(sent, read)
    assert read["meta"]["profile"] == [SDOHCC["Task"]]
    shown = it.c.read(it.task)
    assert "profile" not in shown["meta"]
    it.move("accepted")
    done = {
        "type": b.coded(CODES, "resulting-activity"),
        "valueCodeableConcept": b.coded("http://snomed.info/sct", "1"),
    }
    it.move("in-progress")
    it.move("completed", output=[done])
    assert it.s.read(it.task)["status"] == "completed"
