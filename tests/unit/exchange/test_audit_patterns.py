"""AuditEvents meet the IHE pattern they claim, and claim none where they meet none.

The constraints are those of the Basic Audit Log Patterns, written down once more as plain checks: nothing of the
rendering is used to check it.
"""

from typing import Any

import pytest
from msgspec.structs import replace

from referral_hub.exchange.audit_patterns import audit_event
from referral_hub.exchange.change import AuditEntry
from referral_hub.fhir.validator import validate

BALP = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."
DICOM = "http://dicom.nema.org/resources/ontology/DCM"
REST = "http://hl7.org/fhir/restful-interaction"
NOW = 1_790_000_000_000_000

READ = AuditEntry(
    at_us=NOW,
    action="R",
    interaction="read",
    outcome=0,
    organization="clinic",
    oauth_client="c-1",
    user="nurse-7",
    purpose="TREAT",
    person=5,
    entities=("Condition/c1/v1",),
    consents=("release/v3",),
    recipient="clinic",
)
SENT = AuditEntry(
    at_us=NOW,
    action="E",
    interaction="task-notice",
    outcome=0,
    organization="shelter",
    oauth_client="",
    user="",
    purpose="",
    person=5,
    entities=("Task/t1/v1",),
    consents=("release/v3",),
    recipient="clinic",
)


def event(entry: AuditEntry) -> dict[str, Any]:
    return {**audit_event("p1", entry, "network", "https://hub.example/fhir"), "id": "p1.0123456789abcdef"}


def codes(agent: dict[str, Any]) -> set[tuple[str, str]]:
    return {(coding["system"], coding["code"]) for coding in agent["type"]["coding"]}


def agents_of(found: dict[str, Any], system: str, code: str) -> list[dict[str, Any]]:
    return [agent for agent in found["agent"] if (system, code) in codes(agent)]


def entities_of(found: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [entity for entity in found["entity"] if entity.get("type", {}).get("code") == kind]


def patterns(found: dict[str, Any]) -> set[str]:
    return {one.removeprefix(BALP) for one in found["meta"]["profile"] if one.startswith(BALP)}


def check_rest(
    found: dict[str, Any], interaction: str, action: str, client: str, server: str, user: set[str]
) -> None:
    """The constraints that PatientRead, PatientCreate and PatientUpdate share."""
    assert found["type"]["code"] == "rest"
    assert {"system": REST, "code": interaction} in found["subtype"]
    assert (found["action"], found["outcome"]) == (action, "0")
    (asking,) = agents_of(found, DICOM, client)
    (answering,) = agents_of(found, DICOM, server)
    for agent in (asking, answering):
        assert agent["who"]
        assert agent["network"]
        assert "media" not in agent
    behalf = [agent for agent in found["agent"] if {code for _, code in codes(agent)} & user]
    assert len(behalf) <= 1
    for agent in behalf:
        assert agent["who"]
        assert agent["requestor"] is True
        assert "network" not in agent
    (record,) = entities_of(found, "2")
    assert record["role"]["code"] in {"3", "4", "20"}
    assert record["what"]["reference"]
    check_person(found)


def check_person(found: dict[str, Any]) -> None:
    (person,) = entities_of(found, "1")
    assert person["role"]["code"] == "1"
    assert person["what"]["reference"].startswith("Patient/")


@pytest.mark.parametrize("interaction", ["read", "vread"])
def test_a_read_meets_patient_read(interaction: str) -> None:
    found = event(replace(READ, interaction=interaction))
    assert patterns(found) == {"PatientRead"}
    check_rest(found, interaction, "R", client="110152", server="110153", user={"IRCP"})
    assert agents_of(found, "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "IRCP")


@pytest.mark.parametrize(
    ("interaction", "action", "pattern"),
    [("create", "C", "PatientCreate"), ("update", "U", "PatientUpdate"), ("patch", "U", "PatientUpdate")],
)
def test_a_write_meets_its_pattern(interaction: str, action: str, pattern: str) -> None:
    found = event(replace(READ, interaction=interaction, action=action))
    assert patterns(found) == {pattern}
    check_rest(found, interaction, action, client="110153", server="110152", user={"AUT", "INF", "CST"})


def test_what_the_hub_sends_is_a_disclosure_at_its_source() -> None:
    found = event(SENT)
    assert patterns(found) == {"PrivacyDisclosure.Source"}
    assert (found["type"]["system"], found["type"]["code"]) == (DICOM, "110106")
    assert found["action"] == "R"
    lifecycle = {"system": "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle", "code": "disclose"}
    assert lifecycle in found["subtype"]
    (source,) = agents_of(found, DICOM, "110153")
    (recipient,) = agents_of(found, DICOM, "110152")
    assert source["who"] == found["source"]["observer"]
    assert source["network"]
    assert recipient["network"]
    assert recipient["who"]["reference"] == "Organization/clinic"
    assert len(found["entity"]) >= 2
    check_person(found)


@pytest.mark.parametrize(
    "entry",
    [
        replace(READ, outcome=4),
        replace(READ, interaction="search-type"),
        replace(READ, interaction="preview"),
        replace(READ, entities=("Condition/c1/v1", "Condition/c2/v1")),
        replace(READ, entities=()),
        replace(READ, oauth_client=""),
        replace(SENT, outcome=8),
        replace(SENT, interaction="alert"),
    ],
)
def test_what_no_pattern_covers_claims_none(entry: AuditEntry) -> None:
    assert patterns(event(entry)) == set()


@pytest.mark.parametrize("entry", [READ, SENT, replace(READ, user=""), replace(READ, outcome=4, entities=())])
def test_every_shape_is_valid_and_one_agent_asked(entry: AuditEntry) -> None:
    found = event(entry)
    assert validate(found) == []
    assert sum(agent["requestor"] for agent in found["agent"]) == 1
    assert found["entity"][-1]["role"]["code"] == "13"


def test_no_network_address_but_the_hubs_own_is_told() -> None:
    for entry in (READ, SENT):
        told = [agent["network"].get("address") for agent in event(entry)["agent"] if "network" in agent]
        assert [one for one in told if one] == ["https://hub.example/fhir"]
