"""A referral whose every resource claims its profile of the hub, and the hub's own records judged by theirs.

What lives here: writing one resource of every profile as the organisation that owns it, and reading it back with
the claim. What does not: referrals without claims (``conformance.stories``), the files under ``profiles/``
(``conformance.profiled``).

A copy that shows less than its original claims nothing; what a recipient reads here is judged as plain R4.
"""

from typing import Any

from conformance.listening import Heard
from conformance.stories import FilledStory, look_around, open_story
from referral_hub.fhir import json_codec
from referral_hub.fhir.canonical import ACT_CODE, CANONICAL, code_system, structure
from tests import builders as b
from tests.world import World, parsed

Json = dict[str, Any]

_PLAN_STAGES = ("crisis", "transitional", "exit", "aftercare")
_ENOUGH = 20
"""So many of the hub's own records are judged by their profile: they are much alike."""
_MADE_BY_THE_HUB = {"AuditEvent": "disclosure", "Provenance": "move"}


def claiming(profile: str, resource: Json) -> Json:
    """Gives the resource with the claim to meet a profile of the hub."""
    return {**resource, "meta": {**resource.get("meta", {}), "profile": [structure(profile)]}}


def play_profiled(heard: Heard, world: World) -> None:
    """Plays a referral from the first night to its result, everything under a profile."""
    heard.scene = "under the hub's profiles (N)"
    it = open_story(heard, world, seed=950, person=claiming("person", b.patient("Robin")))
    _write_directory(it)
    _write_record(it)
    consent = b.release(it.person, it.shelter, b.permit(it.clinic, categories=("identity", "health", "plan")))
    consent["category"].append(b.coded(ACT_CODE, "IDSCL"))
    it.release = it.s.create(claiming("consent-release", consent))
    asked = b.service_request(it.person, it.clinic)
    made = it.s.create(claiming("referral-request", asked))
    it.request = f"ServiceRequest/{made['id']}"
    task = b.task(
        it.person, it.request, it.clinic, requester={"reference": f"Organization/{it.shelter}"}, input=_INPUTS
    )
    it.task = f"Task/{it.s.create(claiming('referral-task', task))['id']}"
    look_around(it)
    heard.scene = "under the hub's profiles (F)"
    confirmed = [b.output("handling-confirmed", valueCode="no-letters")]
    it.move("accepted", output=confirmed)
    look_around(it)
    it.move("in-progress", businessStatus=b.coded(code_system("business-status"), "appointment-scheduled"))
    look_around(it)
    it.move("completed", businessStatus=None, output=[*confirmed, b.output("attendance", valueCode="came")])
    look_around(it)
    _made_by_the_hub(heard, it)
    heard.scene = "under the hub's profiles (recall)"
    it.revoke()
    look_around(it)
    _recalls(heard, it)


_INPUTS = [
    {"type": b.coded(code_system("task-input-type"), "handling-condition"), "valueCode": "no-letters"},
    {"type": b.coded(code_system("task-input-type"), "handoff"), "valueBoolean": True},
]


def _write_directory(it: FilledStory) -> None:
    own = {"reference": f"Organization/{it.clinic}"}
    place = it.s.create(
        claiming(
            "confidential-location",
            {
                "resourceType": "Location",
                "status": "active",
                "name": "The third door",
                "managingOrganization": {"reference": f"Organization/{it.shelter}"},
            },
        )
    )
    service = it.c.create(
        claiming(
            "healthcare-service",
            {
                "resourceType": "HealthcareService",
                "extension": [
                    {
                        "url": structure("service-capacity"),
                        "extension": [
                            {"url": "status", "valueCode": "waitlist"},
                            {"url": "as-of", "valueDateTime": b.instant()},
                        ],
                    }
                ],
                "active": True,
                "providedBy": own,
                "type": [b.coded(code_system("service-domain"), "medical-care")],
                "name": "Wound care",
            },
        )
    )
    for reference in (f"Location/{place['id']}", f"HealthcareService/{service['id']}"):
        it.s.get(f"/{reference}")
        it.c.get(f"/{reference}")


def _write_record(it: FilledStory) -> None:
    subject = {"reference": it.person}
    need = {
        **b.condition(it.person),
        "code": {**b.coded(code_system("need"), "health-care-now"), "text": "cut on the hand"},
    }
    condition = it.s.create(claiming("need", need))
    written = [
        claiming("outcome", {**b.observation(it.person, "outcome"), "code": {"text": "wellbeing"}}),
        claiming(
            "risk-assessment",
            {
                "resourceType": "RiskAssessment",
                "status": "final",
                "subject": subject,
                "occurrenceDateTime": b.instant(),
                "prediction": [{"outcome": {"text": "somebody waits at the gate"}}],
                "mitigation": "Leave by the other door.",
            },
        ),
        claiming(
            "consent-refusal",
            b.refusal(
                it.person,
                it.shelter,
                actor={
                    "type": "Organization",
                    "identifier": {"system": f"{CANONICAL}/organization-kind", "value": "governmental"},
                },
            ),
        ),
        claiming(
            "answers",
            {
                "resourceType": "QuestionnaireResponse",
                "questionnaire": f"{CANONICAL}/Questionnaire/rapid-intake|1.0.0",
                "status": "in-progress",
                "subject": subject,
                "item": [
                    {
                        "linkId": "you",
                        "item": [{"linkId": "name-to-use", "answer": [{"valueString": "Robin"}]}],
                    }
                ],
            },
        ),
    ]
    written += [
        claiming(
            "care-plan",
            {
                "resourceType": "CarePlan",
                "status": "active",
                "intent": "plan",
                "category": [b.coded(code_system("care-stage"), stage)],
                "subject": subject,
                "addresses": [{"reference": f"Condition/{condition['id']}"}],
            },
        )
        for stage in _PLAN_STAGES
    ]
    for resource in written:
        made = it.s.create(resource)
        it.s.get(f"/{made['resourceType']}/{made['id']}")
        it.c.get(f"/{made['resourceType']}/{made['id']}")


def _made_by_the_hub(heard: Heard, it: FilledStory) -> None:
    """Keeps what the hub wrote itself, with the claim that it does not make there."""
    for query in (f"/AuditEvent?patient={it.person}", f"/Provenance?target={it.task}"):
        for entry in parsed(it.s.get(query)).get("entry", ())[:_ENOUGH]:
            _keep_claimed(heard, entry["resource"], _MADE_BY_THE_HUB[entry["resource"]["resourceType"]])


def _recalls(heard: Heard, it: FilledStory) -> None:
    for entry in parsed(it.c.get("/Task?status=requested")).get("entry", ()):
        if "focus" not in entry["resource"]:
            _keep_claimed(heard, entry["resource"], "recall-task")


def _keep_claimed(heard: Heard, resource: Json, profile: str) -> None:
    heard.keep(f"made by the hub, judged as {profile}", json_codec.encode(claiming(profile, resource)))
