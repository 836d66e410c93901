"""Records beside a referral, filled, under every kind of release, and the directory as everybody reads it.

What lives here: writing one record of every type a release can open, and a directory, and reading them as the
recipient, the author and a stranger. What does not: the referral itself (``conformance.stories``).

Source: ``views.md`` 4 and 9.
"""

from typing import Any

from conformance.listening import Heard
from conformance.stories import EVERYTHING, FilledStory, filled_patient, look_around, open_story, without_type
from referral_hub.exchange.columns import LISTED
from referral_hub.fhir.canonical import code_system
from tests import builders as b
from tests.world import Caller, World, parsed

Json = dict[str, Any]
CATEGORY = code_system("information-category")
_DOCUMENT = {"contentType": "text/plain", "data": "c2VjcmV0", "title": "secret title"}


def write_directory(it: FilledStory, caller: Caller, organization: str) -> dict[str, list[str]]:
    """Writes one filled directory entry of every type an organisation keeps; gives their references by type."""
    own = {"reference": f"Organization/{organization}"}
    listed = [{"url": LISTED, "valueBoolean": True}]
    places: dict[str, list[str]] = {}

    def add(type_name: str, **fixed: Any) -> dict[str, str]:
        made = caller.create(it.filler.resource(type_name, **fixed))
        reference = f"{type_name}/{made['id']}"
        places.setdefault(type_name, []).append(reference)
        return {"reference": reference}

    location = add("Location", managingOrganization=own, partOf=None, endpoint=None)
    endpoint = add("Endpoint", managingOrganization=own)
    service = add("HealthcareService", providedBy=own, location=[location], endpoint=[endpoint])
    practitioner = add("Practitioner", extension=listed)
    add(
        "PractitionerRole",
        extension=listed,
        practitioner=practitioner,
        organization=own,
        healthcareService=[service],
        location=[location],
        endpoint=None,
    )
    add("Practitioner")
    return places


def write_records(it: FilledStory, caller: Caller, category: str) -> list[str]:
    """Writes one filled record of every type a release can open, of one category where the type has one."""
    subject = {"reference": it.person}
    kind = [b.coded(CATEGORY, category)]
    based = [{"reference": it.request}]
    found: list[str] = []

    def add(type_name: str, **fixed: Any) -> str:
        made = caller.create(it.filler.resource(type_name, **fixed))
        found.append(f"{type_name}/{made['id']}")
        return found[-1]

    condition = add("Condition", subject=subject, category=kind)
    observation = add("Observation", subject=subject, category=kind)
    add(
        "RiskAssessment",
        subject=subject,
        condition={"reference": condition},
        basis=[{"reference": observation}],
    )
    relative = add("RelatedPerson", patient=subject)
    team = add(
        "CareTeam",
        subject=subject,
        participant=[
            {"member": {"reference": relative}},
            {"member": {"reference": f"Organization/{it.clinic}"}, "role": [{"text": "secret role"}]},
        ],
    )
    add("CarePlan", subject=subject, addresses=[{"reference": condition}], careTeam=[{"reference": team}])
    add(
        "EpisodeOfCare",
        patient=subject,
        diagnosis=[{"condition": {"reference": condition}, "rank": 1}],
        referralRequest=based,
        managingOrganization={"reference": f"Organization/{it.shelter}"},
    )
    add("Procedure", subject=subject, basedOn=based, reasonReference=[{"reference": condition}])
    add(
        "Communication",
        subject=subject,
        basedOn=based,
        medium=[b.coded("http://terminology.hl7.org/CodeSystem/v3-ParticipationMode", "FACE")],
        recipient=[subject],
    )
    add(
        "Appointment",
        status="booked",
        cancelationReason=None,
        basedOn=based,
        start="2026-12-01T09:00:00Z",
        end="2026-12-01T09:30:00Z",
        participant=[
            {"actor": subject, "status": "accepted", "period": {"start": "2026-12-01"}},
            {"type": [{"text": "secret"}], "status": "tentative", "required": "optional"},
        ],
    )
    document = add(
        "DocumentReference",
        subject=subject,
        category=kind,
        content=[
            {"attachment": _DOCUMENT, "format": {"system": "urn:ietf:bcp:13", "code": "x"}},
            {
                "attachment": {
                    "contentType": "application/pdf",
                    "url": "https://secret.referral-hub.example/letter",
                }
            },
        ],
    )
    add("Binary", contentType="text/plain", data="c2VjcmV0", securityContext={"reference": document})
    return found


_RELEASES: dict[str, dict[str, Any]] = {
    "a wide release": {"categories": EVERYTHING},
    "a wide release with V": {"categories": EVERYTHING, "very_restricted": True},
    "a release of immigration without V": {"categories": ("immigration", "identity")},
    "a release of immigration with V": {"categories": ("immigration",), "very_restricted": True},
}


def play_records(heard: Heard, world: World) -> None:
    """Plays every record under every kind of release, written by a shelter and by a clinic."""
    for sender in ("shelter", "clinic"):
        for seed, (told, release) in enumerate(_RELEASES.items(), start=600):
            category = "immigration" if "immigration" in told else "health"
            heard.scene = f"records of {category} from a {sender}, {told} (granted)"
            it = open_story(heard, world, seed=seed, sender=sender)
            it.sign(**release)
            it.refer(category=category)
            records = write_records(it, it.s, category)
            it.move("accepted")
            _read_all(it, records)


def play_named_records(heard: Heard, world: World) -> None:
    """Plays permits that name single records."""
    heard.scene = "records named one by one (granted, named)"
    it = open_story(heard, world, seed=700)
    it.request = f"ServiceRequest/{it.s.create(b.service_request(it.person, it.clinic))['id']}"
    records = write_records(it, it.s, "health")
    it.sign(categories=(), instances=tuple(records))
    it.task = f"Task/{it.s.create(b.task(it.person, it.request, it.clinic))['id']}"
    it.move("accepted")
    _read_all(it, records)
    look_around(it)


def _read_all(it: FilledStory, records: list[str]) -> None:
    for reference in records:
        it.c.get(f"/{reference}")
        it.s.get(f"/{reference}")
        it.c.get(f"/{reference}/_history")
    for type_name in sorted({reference.partition("/")[0] for reference in records} - {"Binary"}):
        element = "patient" if type_name != "Appointment" else "actor"
        it.c.get(f"/{type_name}?{element}={it.person}")
        it.c.get(f"/{type_name}?_count=1")
    for query in (
        "/Procedure?_include=Procedure:based-on&_include=Procedure:patient",
        f"/Consent?patient={it.person}&_include=Consent:patient",
        "/Condition?_count=1",
    ):
        it.c.get(query)


def play_directory(heard: Heard, world: World) -> None:
    """Plays the directory of a shelter and of a clinic, as each other and the network read it."""
    heard.scene = "directory"
    it = open_story(heard, world, seed=800)
    network = heard.ear(world.caller("network"), "network")
    theirs = {
        it.shelter: write_directory(it, it.s, it.shelter),
        it.clinic: write_directory(it, it.c, it.clinic),
    }
    for organization in theirs:
        reference = f"Organization/{organization}"
        shown = network.read(reference)
        filled = it.filler.resource("Organization", **without_type(shown), partOf=None, endpoint=None)
        answer = network.update(filled)
        assert answer.status_code == 200, answer.get_data(as_text=True)
    bare = it.filler.resource("Organization", partOf=None, endpoint=None)
    network.create(bare)
    for caller in (it.s, it.c, network):
        for organization, entries in theirs.items():
            for reference in (
                f"Organization/{organization}",
                *(r for found in entries.values() for r in found),
            ):
                caller.get(f"/{reference}")
                caller.get(f"/{reference}/_history")
        for query in (
            "/Organization",
            "/HealthcareService?_include=HealthcareService:organization&_include=HealthcareService:location",
            "/Location?_include=Location:organization",
            "/Endpoint",
            "/Practitioner",
            "/PractitionerRole?_include=PractitionerRole:practitioner&_include=PractitionerRole:organization",
        ):
            caller.get(query)
    heard.scene = "a person whose workers are in the directory (N, F)"
    it.filler = type(it.filler)(801, {**theirs[it.shelter], "Patient": [it.person]})
    person = it.s.create(filled_patient(it.filler, "Wren"))
    it.person = f"Patient/{person['id']}"
    it.filler = type(it.filler)(802, {**theirs[it.shelter], "Patient": [it.person]})
    it.sign(categories=EVERYTHING)
    it.refer()
    look_around(it)
    it.move("accepted")
    look_around(it)


def play_own_records(heard: Heard, world: World) -> None:
    """Plays what an organisation keeps for itself: Provenance of its own, audit, its drafts."""
    heard.scene = "kept for oneself (stored)"
    it = open_story(heard, world, seed=900)
    it.sign()
    it.refer()
    it.s.create(it.filler.resource("Provenance", target=[{"reference": it.person}], entity=None))
    it.s.create(b.refusal(it.person, it.shelter, actor={"reference": f"Organization/{it.clinic}"}))
    it.s.create(b.refusal(it.person, it.shelter, actor=None))
    for caller in (it.s, it.c):
        for query in ("/AuditEvent", f"/AuditEvent?patient={it.person}", "/Provenance", "/Consent"):
            answer = caller.get(query)
            for entry in parsed(answer).get("entry", ())[:5]:
                resource = entry["resource"]
                caller.get(f"/{resource['resourceType']}/{resource['id']}")
    look_around(it)
