"""Every other type the hub stores, filled: records that a release opens, and what an organisation publishes.

What lives here: one resource of each type that no other story writes, read as its author, as a recipient and as a
stranger. What does not: the records of a referral (``conformance.record_stories``).
"""

from typing import Any

from conformance.listening import Heard
from conformance.stories import EVERYTHING, FilledStory, open_story, without_type
from referral_hub.exchange.topics import TOPICS
from referral_hub.resources.catalog import DEFINITIONS
from tests import builders as b
from tests.world import Caller, World

Json = dict[str, Any]

RECORDS = (
    "Basic", "Composition", "Device", "Encounter", "Flag", "Goal", "MeasureReport", "QuestionnaireResponse",
)  # fmt: skip
PUBLISHED = ("Device", "Measure", "Questionnaire")
_BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition"


def play_further(heard: Heard, world: World) -> None:
    """Plays the further records under a narrow and a wide release, and an organisation's publications."""
    releases: dict[str, dict[str, Any]] = {
        "a wide release": {"categories": EVERYTHING},
        "a wide release with V": {"categories": EVERYTHING, "very_restricted": True},
        "identity alone": {"categories": ("identity",)},
    }
    for seed, (told, release) in enumerate(releases.items(), start=970):
        heard.scene = f"further records, {told} (granted)"
        it = open_story(heard, world, seed=seed)
        it.sign(**release)
        it.refer()
        written = _write_records(it)
        it.move("accepted")
        _read_all(it, written)
    heard.scene = "published by an organisation (directory)"
    it = open_story(heard, world, seed=980)
    _read_all(it, [*_publish(it), _affiliation(it, heard.ear(world.caller("network"), "network"))])
    heard.scene = "kept for oneself (stored)"
    _read_all(it, [_write(it, b.of_author("Group", it.person))])
    _listen(heard, world)


def _write(it: FilledStory, resource: Json) -> str:
    made = it.s.create(resource)
    return f"{made['resourceType']}/{made['id']}"


def _write_records(it: FilledStory) -> list[str]:
    document = _write(
        it, b.about_person("DocumentReference", it.person, category="health", request=it.request, document="")
    )
    found = []
    for name in RECORDS:
        known = b.about_person(name, it.person, category="health", request=it.request, document=document)
        found.append(
            _write(it, it.filler.resource(name, **{**_LEFT_OUT.get(name, {}), **without_type(known)}))
        )
    return found


_LEFT_OUT: dict[str, Json] = {
    "Measure": {"group": [{"code": {"text": "all"}, "description": "how long people wait"}]},
    "Encounter": {"serviceProvider": None, "partOf": None},
    "Flag": {"author": None},
    "Composition": {"custodian": None, "attester": None, "relatesTo": None, "event": None},
    "Device": {"parent": None, "owner": None, "location": None, "definition": None},
    "MeasureReport": {"reporter": None, "evaluatedResource": None},
    "QuestionnaireResponse": {"author": None, "source": None, "partOf": None},
    "Basic": {"author": None},
    "Goal": {"expressedBy": None},
}


def _publish(it: FilledStory) -> list[str]:
    service = _write(it, b.in_directory("HealthcareService", it.shelter))
    schedule = _write(it, b.in_directory("Schedule", it.shelter, service=service))
    found = [service, schedule, _write(it, b.in_directory("Slot", it.shelter, schedule=schedule))]
    for name in PUBLISHED:
        known = b.in_directory(name, it.shelter)
        found.append(
            _write(it, it.filler.resource(name, **{**_LEFT_OUT.get(name, {}), **without_type(known)}))
        )
    return found


def _affiliation(it: FilledStory, network: Caller) -> str:
    made = network.create(
        it.filler.resource(
            "OrganizationAffiliation",
            **without_type(b.in_directory("OrganizationAffiliation", it.clinic)),
            participatingOrganization={"reference": f"Organization/{it.shelter}"},
            network=None,
        )
    )
    return f"OrganizationAffiliation/{made['id']}"


def _listen(heard: Heard, world: World) -> None:
    """Plays an organisation that wants to be told: the Subscription and what the hub says of it."""
    inbox = "mailto:inbox@listener.example"
    listener = heard.ear(
        world.caller(world.add_organization("the listener", "clinic", bases=(inbox,))), "listener"
    )
    for topic in TOPICS:
        made = listener.create(_subscription(topic, inbox))
        for path in ("", "/_history", "/$status", "/$events"):
            listener.get(f"/Subscription/{made['id']}{path}")
    listener.get("/Subscription")


def _subscription(topic: str, endpoint: str) -> Json:
    content = {"url": f"{_BACKPORT}/backport-payload-content", "valueCode": "empty"}
    return {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": "our inbox",
        "criteria": topic,
        "channel": {
            "type": "email",
            "endpoint": endpoint,
            "payload": "application/fhir+json",
            "_payload": {"extension": [content]},
        },
    }


def _read_all(it: FilledStory, references: list[str]) -> None:
    for caller in (it.s, it.c):
        for reference in references:
            caller.get(f"/{reference}")
            caller.get(f"/{reference}/_history")
        for name in sorted({reference.partition("/")[0] for reference in references}):
            about = DEFINITIONS[name].about_person and name != "Composition"
            caller.get(f"/{name}?patient={it.person}" if about else f"/{name}?_count=5")
