"""The stories that make a hub say everything it can say: each state, each view, each exit, each refusal.

What lives here: referrals with filled resources in every state of the view table, and what each side then
reads. What does not: the records beside a referral (``conformance.record_stories``), answers that need no
referral (``conformance.answer_stories``), the resources (``conformance.filling``).

Source: ``views.md`` 1, 2, 8 and 9.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from conformance.filling import Filler
from conformance.listening import Heard
from referral_hub.fhir.canonical import SDOHCC_ORDER_DETAIL, code_system, structure
from tests import builders as b
from tests.api.network import Story
from tests.api.test_view_table import STATES
from tests.world import World, parsed

Json = dict[str, Any]

EVERYTHING = ("identity", "contact", "health", "safety", "family", "plan", "outcome", "housing")
"""The categories of a wide release."""


@dataclass
class FilledStory(Story):
    """A referral whose Patient, ServiceRequest and Task have nearly every element filled."""

    filler: Filler = field(default_factory=lambda: Filler(0, {}))

    def refer(self, *, status: str = "requested", category: str = "health", **more: Any) -> str:
        """Writes a filled request and a filled Task; gives the Task's reference."""
        made = self.s.create(filled_request(self.filler, self.person, self.clinic, category))
        self.request = f"ServiceRequest/{made['id']}"
        made = self.s.create(filled_task(self.filler, self.person, self.request, self.clinic, status, **more))
        self.task = f"Task/{made['id']}"
        return self.task


def without_type(resource: Json) -> Json:
    """Gives the elements of a resource without its type, to fill the rest around them."""
    return {name: value for name, value in resource.items() if name != "resourceType"}


def filled_patient(filler: Filler, name: str = "Lark") -> Json:
    """Gives a filled Patient: everything ticked for the notice, safe contact and a family name to hide."""
    fixed = without_type(b.patient(name))
    fixed["extension"] += [
        {"url": structure("show-in-notice"), "valueCode": code}
        for code in ("language", "region", "gender", "age-band")
    ]
    fixed["extension"] += [
        {"url": structure("age-band"), "valueCode": "25-34"},
        {
            "url": structure("safe-contact"),
            "extension": [
                {"url": "channel", "valueCode": "in-person"},
                {"url": "hours", "valueString": "never at night"},
            ],
        },
    ]
    hub_number = {"system": f"{code_system('person')}/number", "value": "n-7"}
    fixed["identifier"] = [*fixed["identifier"], hub_number]
    return filler.resource(
        "Patient", **fixed, modifierExtension=None, deceasedBoolean=None, deceasedDateTime=None
    )


def filled_request(filler: Filler, person: str, performer: str, category: str = "health") -> Json:
    """Gives a filled ServiceRequest with a contained need, and orders of which one stays in the notice."""
    fixed = without_type(b.service_request(person, performer, category=category))
    return filler.resource(
        "ServiceRequest",
        **fixed,
        contained=[{"resourceType": "Condition", "id": "need", "subject": {"reference": person}}],
        reasonReference=[{"reference": "#need"}],
        orderDetail=[b.coded(SDOHCC_ORDER_DETAIL, "contacting-subject-prohibited"), {"text": "secret order"}],
        requester=None,
    )


def filled_task(filler: Filler, person: str, request: str, owner: str, status: str, **more: Any) -> Json:
    """Gives a filled Task as its author may write it: nothing of the owner's, inputs of many types."""
    fixed = without_type(b.task(person, request, owner, status=status, **more))
    task = filler.resource(
        "Task",
        **fixed,
        requester=None,
        output=None,
        statusReason=None,
        businessStatus=None,
        executionPeriod=None,
        lastModified=None,
        note=[{"authorString": "secret worker", "time": "2026-11-20T10:00:00Z", "text": "secret note"}],
    )
    if "input" not in more:
        task["input"] = [{"type": {"text": "secret"}, "valueString": "secret"}, *task.get("input", ())]
    return task


def open_story(
    heard: Heard,
    world: World,
    *,
    seed: int,
    sender: str = "shelter",
    receiver: str = "clinic",
    purpose: str = "TREAT",
    person: Json | None = None,
) -> FilledStory:
    """Opens a fresh sender and a fresh recipient with a filled person; both are listened to."""
    us = world.add_organization(f"the {sender}", sender)
    them = world.add_organization(f"the {receiver}", receiver)
    s = heard.ear(world.caller(us), "sender")
    c = heard.ear(world.caller(them, purpose=purpose), "recipient")
    filler = Filler(seed, {"Organization": [f"Organization/{us}", f"Organization/{them}"]})
    made = s.create(person or filled_patient(filler))
    places = {
        "Organization": [f"Organization/{us}", f"Organization/{them}"],
        "Patient": [f"Patient/{made['id']}"],
    }
    return FilledStory(world, us, them, s, c, f"Patient/{made['id']}", filler=Filler(seed, places))


def look_around(it: FilledStory) -> None:
    """Lets both sides ask for everything there is to read of a referral."""
    references = [text for text in (it.task, it.request, it.person) if text]
    if it.release:
        references.append(f"Consent/{it.release['id']}")
    for caller in (it.c, it.s):
        for reference in references:
            answer = caller.get(f"/{reference}")
            caller.get(f"/{reference}/_history")
            if answer.status_code == 200:
                version = parsed(answer)["meta"]["versionId"]
                caller.get(f"/{reference}/_history/{version}")
        if it.task:
            caller.get(f"/{it.task}/$available-actions")
        for query in (
            f"/Task?patient={it.person}&_include=Task:focus&_include=Task:patient&_include=Task:owner",
            f"/ServiceRequest?subject={it.person}&_include=ServiceRequest:patient",
            "/Patient",
            f"/Condition?patient={it.person}",
            f"/Consent?patient={it.person}",
            f"/Provenance?target={it.task}",
        ):
            caller.get(query)


# ---- every state of the view table ----


def _expired(it: Story) -> None:
    _signed_for_seconds(it)
    it.refer()
    it.move("accepted")
    time.sleep(_SECONDS + 0.5)


def _completed_and_over(it: Story) -> None:
    _signed_for_seconds(it)
    it.refer()
    it.move("accepted")
    it.move("completed", output=[b.output("attendance", valueCode="came")])
    time.sleep(_SECONDS + 0.5)


_SECONDS = 4


def _signed_for_seconds(it: Story) -> None:
    it.sign(days=_SECONDS / 86_400)


FURTHER_STATES: dict[str, tuple[Callable[[Story], None], str]] = {
    "release expired while accepted": (_expired, "Task K, ServiceRequest 404, Patient 404"),
    "completed, the permit is over": (_completed_and_over, "Task H, ServiceRequest 404, Patient 404"),
}


def play_states(heard: Heard, world: World) -> None:
    """Plays every state of the view table with filled resources, and reads as both sides."""
    told = {
        state: (reach, f"Task {task}, ServiceRequest {request}, Patient {patient}")
        for state, (reach, task, request, patient, _, _) in STATES.items()
    } | FURTHER_STATES
    for seed, (state, (reach, views)) in enumerate(told.items()):
        heard.scene = f"{state} ({views})"
        it = open_story(heard, world, seed=seed)
        it.s.create(it.filler.resource("Condition", **without_type(b.condition(it.person))))
        reach(it)
        look_around(it)


def play_releases(heard: Heard, world: World) -> None:
    """Plays the full view under releases that open more and less of it."""
    releases: dict[str, dict[str, Any]] = {
        "identity alone": {"categories": ("identity",)},
        "the service alone": {"categories": ("health",)},
        "contact with V": {"categories": ("contact", "health"), "very_restricted": True},
        "everything": {"categories": EVERYTHING},
        "everything with V": {"categories": EVERYTHING, "very_restricted": True},
    }
    for sender in ("shelter", "clinic"):
        for seed, (told, release) in enumerate(releases.items(), start=100):
            for extra in (0, 10):
                heard.scene = f"accepted, release of {told}, from a {sender} (F)"
                it = open_story(heard, world, seed=seed + extra, sender=sender)
                it.sign(**release)
                it.refer()
                it.move("accepted", output=[b.output("next-date", valueDate="2026-12-24")])
                look_around(it)


def play_handling(heard: Heard, world: World) -> None:
    """Plays a referral with conditions to confirm, and the owner's own parts of the Task."""
    heard.scene = "conditions to confirm (N, F)"
    it = open_story(heard, world, seed=200)
    it.sign()
    kind = b.coded(code_system("task-input-type"), "handling-condition")
    codes = ("no-reminders", "no-letters")
    it.refer(input=[{"type": kind, "valueCode": code} for code in codes])
    look_around(it)
    it.c.update({**it.c.read(it.task), "status": "accepted"})
    filler_number = {
        "type": b.coded("http://terminology.hl7.org/CodeSystem/v2-0203", "FILL"),
        "system": "urn:example:clinic",
        "value": "C-17",
    }
    shown = it.c.read(it.task)
    it.move(
        "accepted",
        output=[b.output("handling-confirmed", valueCode=code) for code in codes],
        note=[
            *shown.get("note", ()),
            {"authorReference": {"reference": f"Organization/{it.clinic}"}, "text": "Ring twice."},
        ],
        identifier=[*shown["identifier"], filler_number],
    )
    look_around(it)
    it.move("on-hold", "waitlisted", executionPeriod={"start": "2026-11-24"})
    look_around(it)


def play_return(heard: Heard, world: World) -> None:
    """Plays what the sender reads of the recipient's part: without, with and with a wide return release."""
    for seed, (told, how) in enumerate(
        {
            "no return release": None,
            "the ordinary return release": {"categories": ("outcome",)},
            "a return release of the service": {"categories": ("outcome", "health")},
            "a return release with V": {"categories": ("outcome", "health"), "very_restricted": True},
        }.items(),
        start=300,
    ):
        heard.scene = f"completed, {told} (requester)"
        it = open_story(heard, world, seed=seed)
        it.sign()
        it.refer()
        it.move("accepted")
        finding = it.c.create(
            it.filler.resource(
                "Observation", **without_type(b.observation(it.person)), basedOn=[{"reference": it.request}]
            )
        )
        it.move(
            "completed",
            output=[
                b.output("attendance", valueCode="came"),
                b.output("next-date", valueDate="2026-12-08"),
                b.output("needs-more", valueBoolean=True),
                {
                    "type": {"text": "secret report"},
                    "valueReference": {"reference": f"Observation/{finding['id']}"},
                },
                {"type": {"text": "secret words"}, "valueString": "secret"},
                {"type": {"text": "secret code"}, "valueCodeableConcept": {"text": "secret"}},
            ],
            note=[
                *it.c.read(it.task).get("note", ()),
                {"authorReference": {"reference": f"Organization/{it.clinic}"}, "text": "She was afraid."},
            ],
            executionPeriod={"start": "2026-11-20", "end": "2026-11-24"},
        )
        if how is not None:
            it.s.create(b.release(it.person, it.clinic, b.permit(it.shelter, **how)))
        look_around(it)
        it.s.get(f"/Observation/{finding['id']}")


def play_nameless(heard: Heard, world: World) -> None:
    """Plays a no-name referral from asking to closing."""
    heard.scene = "no-name referral (nameless)"
    it = open_story(heard, world, seed=400, person=b.no_name_patient())
    request = b.service_request(it.person, it.clinic)
    it.s.ask("POST", "/ServiceRequest", request)
    del request["note"]
    del request["code"]["text"]
    it.request = f"ServiceRequest/{it.s.create(request)['id']}"
    it.task = f"Task/{it.s.create(b.task(it.person, it.request, it.clinic))['id']}"
    look_around(it)
    it.move("accepted", output=[b.output("attendance", valueCode="came")])
    look_around(it)
    it.move("completed")
    heard.scene = "no-name referral, closed (H)"
    look_around(it)


def play_recall(heard: Heard, world: World) -> None:
    """Plays a withdrawal after the recipient had data: the recall, its answer, and who saw what."""
    heard.scene = "withdrawn after data were read (recall)"
    it = open_story(heard, world, seed=500)
    it.sign(categories=EVERYTHING)
    it.refer()
    it.move("accepted")
    look_around(it)
    it.revoke()
    found = parsed(it.c.get("/Task?status=requested")).get("entry", [])
    recalls = [entry["resource"] for entry in found if "focus" not in entry["resource"]]
    recall = next(task for task in recalls if f"Task/{task['id']}" != it.task)
    reference = f"Task/{recall['id']}"
    it.c.get(f"/{reference}/_history")
    it.c.get(f"/{reference}/$available-actions")
    it.c.changed(
        reference,
        status="completed",
        output=[b.output("recall-answer", valueCodeableConcept=b.kept_by_law())],
    )
    it.c.get(f"/{reference}")
    it.s.get(f"/{it.person}/$disclosures")
    look_around(it)
