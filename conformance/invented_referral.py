"""A referral as the referral hub keeps it: an invented person, her permission, the request and its Task.

What lives here: those papers, and the story that moves them. What does not: what must hold
(``conformance.checks.consent``, ``conformance.checks.side_channels``). Every name is invented.

Source: the hub's profiles (``docs/profiles.md``); FHIR R4 Consent, Task, ServiceRequest.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from conformance.claims import HUB
from conformance.doors import Door, Resource
from conformance.invented import FILE_SYSTEM, LOINC, coded
from conformance.lab import Lab
from conformance.results import expect

ACT_REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
_RECEIVER = coded("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "IRCP")
HIDDEN_WORDS = ("Hidden Lane", "555 0100", "Bunting", "sleeps badly", "1994-03-02")
"""What stands in the papers and must not reach somebody it was not released to."""


def system(name: str) -> str:
    """Gives a code system of the hub.

    >>> system("purpose")
    'https://referral-hub.example/fhir/CodeSystem/purpose'
    """
    return f"{HUB}/CodeSystem/{name}"


def moment(days: float = 0) -> str:
    """Gives a moment some days from now."""
    return (datetime.now(UTC) + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def her(run: str) -> Resource:
    """Gives an invented person with a phone and an address."""
    return {
        "resourceType": "Patient",
        "extension": [{"url": f"{HUB}/StructureDefinition/age-group", "valueCode": "adult"}],
        "identifier": [{"system": FILE_SYSTEM, "value": f"her-{run}"}],
        "name": [{"use": "usual", "text": "Wren Bunting", "family": f"Zq{run}Bunting", "given": ["Wren"]}],
        "gender": "female",
        "birthDate": "1994-03-02",
        "telecom": [{"system": "phone", "value": "+00 555 0100"}],
        "address": [{"line": ["7 Hidden Lane"], "city": "Nowhere", "state": "North", "country": "XX"}],
    }


def no_name_patient() -> Resource:
    """Gives the person of a request without a name: adult, and nothing else."""
    return {
        "resourceType": "Patient",
        "extension": [
            {"url": f"{HUB}/StructureDefinition/no-name-referral", "valueBoolean": True},
            {"url": f"{HUB}/StructureDefinition/age-group", "valueCode": "adult"},
        ],
    }


def request(person: str, performer: str, category: str = "health") -> Resource:
    """Gives an active request for a service."""
    return {
        "resourceType": "ServiceRequest",
        "status": "active",
        "intent": "order",
        "category": [coded(system("information-category"), category)],
        "priority": "urgent",
        "code": coded("http://snomed.info/sct", "125643001", "wound on the left hand"),
        "subject": {"reference": person, "display": "Wren Bunting"},
        "performer": [{"reference": f"Organization/{performer}"}],
        "note": [{"text": "She sleeps badly."}],
    }


def referral_task(person: str, focus: str, requester: str, owner: str, status: str = "requested") -> Resource:
    """Gives the Task by which one organisation asks another."""
    return {
        "resourceType": "Task",
        "status": status,
        "intent": "order",
        "priority": "urgent",
        "code": coded("http://hl7.org/fhir/CodeSystem/task-code", "fulfill"),
        "focus": {"reference": focus},
        "for": {"reference": person, "display": "Wren Bunting"},
        "authoredOn": moment(),
        "requester": {"reference": f"Organization/{requester}"},
        "owner": {"reference": f"Organization/{owner}"},
        "restriction": {"period": {"end": moment(3)}},
    }


def permit(receiver: str, *categories: str, days: float = 20, purpose: str = "TREAT") -> dict[str, Any]:
    """Gives one nested permission: who, for what, how long, which kinds of information."""
    return {
        "type": "permit",
        "period": {"start": moment(-1), "end": moment(days)},
        "actor": [{"role": _RECEIVER, "reference": {"reference": f"Organization/{receiver}"}}],
        "purpose": [{"system": ACT_REASON, "code": purpose}],
        "class": [{"system": system("information-category"), "code": one} for one in categories],
    }


def release(person: str, custodian: str, *permits: dict[str, Any]) -> Resource:
    """Gives a signed permission."""
    return _consent("release", person, custodian, {"type": "deny", "provision": list(permits)})


def refusal(person: str, custodian: str, organization: str) -> Resource:
    """Gives a refusal of one organisation."""
    actor = {"role": _RECEIVER, "reference": {"reference": f"Organization/{organization}"}}
    return _consent("refusal", person, custodian, {"type": "deny", "actor": [actor]})


def _consent(kind: str, person: str, custodian: str, provision: dict[str, Any]) -> Resource:
    return {
        "resourceType": "Consent",
        "status": "active",
        "scope": coded("http://terminology.hl7.org/CodeSystem/consentscope", "patient-privacy"),
        "category": [coded(LOINC, "59284-0"), coded(system("consent-kind"), kind)],
        "patient": {"reference": person},
        "dateTime": moment(),
        "performer": [{"reference": person}],
        "organization": [{"reference": f"Organization/{custodian}"}],
        "sourceAttachment": {"contentType": "text/plain", "data": "c2lnbmVkIHdpdGggYSBtYXJr"},
        "policy": [{"uri": "https://conformance.example/policy"}],
        "provision": provision,
    }


def finding(person: str, category: str) -> Resource:
    """Gives a condition of one kind of information."""
    return {
        "resourceType": "Condition",
        "clinicalStatus": coded("http://terminology.hl7.org/CodeSystem/condition-clinical", "active"),
        "category": [coded(system("information-category"), category)],
        "code": coded("http://snomed.info/sct", "283371005", "cut on the hand"),
        "subject": {"reference": person},
    }


@dataclass
class Referral:
    """One referral from the author to the recipient, and the doors of all three.

    Args:
        lab: of the run.
        shared: what the permission names.
    """

    lab: Lab
    shared: tuple[str, ...] = ("identity", "health")
    status: str = "requested"
    made: dict[str, Resource] = field(default_factory=dict)

    @classmethod
    def new(
        cls,
        lab: Lab,
        *,
        status: str = "requested",
        shared: tuple[str, ...] = ("identity", "health"),
        to: str = "recipient",
    ) -> "Referral":
        """Writes a fresh referral as its author, to one of the other clients."""
        lab.claims.need_hub()
        it = cls(lab, shared, status)
        person = f"Patient/{it._keep('Patient', her(lab.run))}"
        us, them = lab.organization("author"), lab.organization(to)
        it._keep("Consent", release(person, us, permit(them, *shared)))
        focus = f"ServiceRequest/{it._keep('ServiceRequest', request(person, them))}"
        it._keep("Task", referral_task(person, focus, us, them, status))
        return it

    @classmethod
    def shared_one(cls, lab: Lab, status: str) -> "Referral":
        """Gives a referral in a state that checks only look at, made once."""

        def make() -> "Referral":
            it = cls.new(lab)
            if status != "requested":
                it.moved(status="accepted")
            return it

        lab.claims.need_hub()
        return lab.once(f"referral-{status}", make)

    def _keep(self, name: str, resource: Resource) -> str:
        self.made[name] = self.lab.kept(resource)
        return str(self.made[name]["id"])

    def address(self, type_name: str) -> str:
        """Gives the address of one of its papers."""
        return f"/{type_name}/{self.made[type_name]['id']}"

    @property
    def person(self) -> str:
        """Gives the reference of the person."""
        return self.address("Patient").lstrip("/")

    def seen(self, type_name: str, door: Door | None = None) -> Resource:
        """Gives what the recipient, or another, reads of one of its papers."""
        return (door or self.lab.recipient).get(self.address(type_name)).must_be(200).resource

    def moved(self, door: Door | None = None, **elements: Any) -> Resource:
        """Reads the Task as its owner, or another, changes elements and sends it back."""
        asking = door or self.lab.recipient
        task = {**asking.get(self.address("Task")).must_be(200).resource, **elements}
        return asking.update(task).must_be(200).resource

    def beside(self, category: str) -> Resource:
        """Writes a finding of one kind of information about the person."""
        return self.lab.kept(finding(self.person, category))

    def withdrawn(self) -> None:
        """Ends the permission."""
        self.lab.author.ask("POST", f"{self.address('Consent')}/$revoke").must_be(200)


def reason(code: str) -> dict[str, Any]:
    """Gives a reason of a negative state."""
    return coded(system("status-reason"), code, "in short words")


def holds_nothing_hidden(text: str, *allowed: str) -> None:
    """Ends the check as failed where a text holds words that were not released."""
    found = [word for word in HIDDEN_WORDS if word in text and word not in allowed]
    expect(not found, f"It holds what was not released ({len(found)} of {len(HIDDEN_WORDS)} marks).")
