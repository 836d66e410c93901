"""What is written beside a visible story and must change no answer to others: one of every kind there is."""

from referral_hub.fhir.canonical import code_system
from referral_hub.resources.catalog import DEFINITIONS
from tests import builders as b
from tests.api.network import Story

HIDDEN_NUMBER = "identifier=urn:example:h|hidden-1"


def _of_hidden_person(it: Story, name: str, person: str) -> dict[str, object]:
    request = it.s.create(b.service_request(person, it.shelter))
    document = it.s.create(
        b.about_person("DocumentReference", person, category="health", request="-", document="-")
    )
    return b.about_person(
        name,
        person,
        category="health",
        request=f"ServiceRequest/{request['id']}",
        document=f"DocumentReference/{document['id']}",
    )


def _counted(person: str) -> dict[str, object]:
    """Gives a report that counts few: about one person by name, and still nobody else's."""
    report = b.about_person("MeasureReport", person, category="health", request="-", document="-")
    return {**report, "type": "summary", "group": [{"population": [{"count": 1}]}]}


def hide(it: Story, other: str) -> dict[str, str]:
    """Writes, beside the visible story, what the clinic and strangers must not notice; gives the ids by type."""
    found: dict[str, str] = {}

    def keep(resource: dict[str, object]) -> str:
        made = it.s.create(resource)
        found[made["resourceType"]] = made["id"]
        return f"{made['resourceType']}/{made['id']}"

    person = keep(b.patient("Hidden", identifier=[{"system": "urn:example:h", "value": "hidden-1"}]))
    for name, definition in DEFINITIONS.items():
        if definition.opened and not definition.is_referral:
            it.record(name, "mental-health")
            found[name] = it.s.create(_of_hidden_person(it, name, person))["id"]
    for name in ("Group", "Provenance"):
        keep(b.of_author(name, it.person))
    it.s.create(_counted(person))
    unshowable = {"modifierExtension": [{"url": "urn:x", "valueBoolean": True}]}
    it.s.create(
        {**b.about_person("Goal", it.person, category="health", request="-", document="-"), **unshowable}
    )
    it.s.create({**b.in_directory("HealthcareService", it.shelter), **unshowable})
    place = keep(b.in_directory("Location", it.shelter))
    keep(b.in_directory("Endpoint", it.shelter))
    keep(b.in_directory("Practitioner", it.shelter))
    keep(b.in_directory("Device", it.shelter))
    keep(b.in_directory("Questionnaire", it.shelter))
    keep(b.in_directory("Measure", it.shelter))
    schedule = keep(b.in_directory("Schedule", it.shelter, service=person))
    keep(b.in_directory("Slot", it.shelter, schedule=schedule))
    it.s.create(b.in_directory("Schedule", it.shelter, service=place))
    keep(b.refusal(it.person, it.shelter, actor={"reference": "Organization/" + other}))
    it.s.create(
        b.release(
            person,
            it.shelter,
            b.permit(other, purpose="legal-representation", categories=("identity", "legal-needs")),
        )
    )
    request = keep(b.service_request(person, other, category="legal-needs"))
    keep(b.task(person, request, other))
    sibling = it.s.create(b.service_request(it.person, it.clinic, category="legal-needs"))
    it.s.create(b.task(it.person, f"ServiceRequest/{sibling['id']}", it.clinic, status="draft"))
    keep(
        {
            "resourceType": "Task",
            "status": "requested",
            "intent": "order",
            "code": b.coded(code_system("task-code"), "case-review"),
            "for": {"reference": it.person},
            "owner": {"reference": f"Organization/{it.shelter}"},
        }
    )
    return found
