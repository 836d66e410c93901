"""Answers that are no single resource: Bundles, Parameters, the CapabilityStatement, every kind of refusal.

What lives here: asking for each of them once. What does not: referrals in their states
(``conformance.stories``), records (``conformance.record_stories``).

Source: ``views.md`` 5 and 9; FHIR R4 ``http.html``, ``bundle.html``, ``operationoutcome.html``.
"""

from typing import Any

from conformance.listening import Ear, Heard
from conformance.record_stories import write_records
from conformance.stories import EVERYTHING, FilledStory, filled_patient, look_around, open_story
from referral_hub.fhir.canonical import code_system
from tests import builders as b
from tests.api.test_bad_input import BODIES
from tests.world import Caller, World

Json = dict[str, Any]
NOBODY = "00000000-0000-4000-8000-000000000000"


def play_bundles(heard: Heard, world: World) -> None:
    """Plays searches with pages and includes, transactions, batches and what a write may answer with."""
    heard.scene = "Bundles"
    it = open_story(heard, world, seed=1000)
    it.sign(categories=EVERYTHING)
    it.refer()
    write_records(it, it.s, "health")
    it.move("accepted")
    for caller in (it.s, it.c):
        for query in (
            "/Task",
            "/Task?status=requested,accepted&_sort=-_lastUpdated&_count=1",
            f"/Task?_id={it.task.partition('/')[2]}&_include=Task:focus&_include=Task:patient&_include=Task:requester",
            f"/ServiceRequest?_include=ServiceRequest:patient&_include=ServiceRequest:performer&patient={it.person}",
            "/Patient?_id=none",
            "/Patient?shoe-size=44",
            "/Patient?_pretty=true",
            "/Observation?_count=0",
            "/Observation?_count=1",
            "/Binary",
        ):
            caller.get(query)
        caller.ask(
            "POST", "/Task/_search", b"status=accepted", Content_Type="application/x-www-form-urlencoded"
        )
        caller.get(f"/{it.person}/_history")
        caller.get(f"/{it.task}/_history")
    for prefer in ("return=minimal", "return=OperationOutcome", "return=representation"):
        it.s.ask("POST", "/Patient", b.patient("Finch"), Prefer=prefer)
    criteria = "identifier=urn:example:shelter-file|file-robin"
    for _ in range(2):
        it.s.ask("POST", "/Patient", b.patient("Robin"), If_None_Exist=criteria)
        it.s.ask(
            "POST", "/Patient", b.patient("Robin"), If_None_Exist=criteria, Prefer="return=OperationOutcome"
        )
    for prefer in ("return=representation", "return=minimal", "return=OperationOutcome"):
        it.s.ask("POST", "/", _transaction(it), Prefer=prefer)
        it.s.ask("POST", "/", _batch(it), Prefer=prefer)
        it.c.ask("POST", "/", _reads(it), Prefer=prefer)
    it.s.ask("POST", "/", {"resourceType": "Bundle", "type": "batch"})
    it.s.ask("POST", "/", {"resourceType": "Bundle", "type": "transaction"})


def _transaction(it: FilledStory) -> Json:
    person, request, release, task = (f"urn:uuid:00000000-0000-4000-8000-00000000000{n}" for n in range(4))
    entries = [
        (task, b.task(person, request, it.clinic)),
        (request, b.service_request(person, it.clinic)),
        (release, b.release(person, it.shelter, b.permit(it.clinic))),
        (person, filled_patient(it.filler, "Heron")),
    ]
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {"fullUrl": url, "resource": body, "request": {"method": "POST", "url": body["resourceType"]}}
            for url, body in entries
        ],
    }


def _batch(it: FilledStory) -> Json:
    return {
        "resourceType": "Bundle",
        "type": "batch",
        "entry": [
            *_reads(it)["entry"],
            {"request": {"method": "POST", "url": "Patient"}, "resource": b.patient("Swift")},
            {
                "request": {"method": "POST", "url": "Patient"},
                "resource": {"resourceType": "Patient", "x": 1},
            },
            {"request": {"method": "DELETE", "url": it.task}},
        ],
    }


def _reads(it: FilledStory) -> Json:
    urls = (it.person, it.task, f"Patient/{NOBODY}", "Task?status=accepted", "Condition?patient=" + it.person)
    return {
        "resourceType": "Bundle",
        "type": "batch",
        "entry": [{"request": {"method": "GET", "url": url}} for url in urls],
    }


def play_operations(heard: Heard, world: World) -> None:
    """Plays the hub's own operations in each of their shapes, and the CapabilityStatement."""
    heard.scene = "operations"
    anybody: Any = Ear(heard, world.client, "anybody")
    for path in ("/fhir/metadata", "/fhir/metadata?_pretty=true"):
        anybody.open(path, method="GET")
    it = open_story(heard, world, seed=1100)
    draft = it.s.create(
        b.release(it.person, it.shelter, b.permit(it.clinic, categories=EVERYTHING), status="draft")
    )
    it.request = f"ServiceRequest/{it.s.create(b.service_request(it.person, it.clinic))['id']}"
    write_records(it, it.s, "health")
    it.s.get(f"/{it.person}/$disclosures")
    for state in ("requested", "accepted", "completed"):
        for consent in (f"Consent/{draft['id']}", ""):
            it.s.ask("POST", "/ServiceRequest/$preview", _supposition(it, state, consent))
    it.s.ask("POST", "/ServiceRequest/$preview", {"resourceType": "Parameters"})
    it.c.ask("POST", "/ServiceRequest/$preview", _supposition(it, "requested", ""))
    it.release = it.s.changed(f"Consent/{draft['id']}", status="active")
    it.task = f"Task/{it.s.create(b.task(it.person, it.request, it.clinic, status='draft'))['id']}"
    look_around(it)
    it.s.changed(it.task, status="requested")
    look_around(it)
    it.move("accepted")
    look_around(it)
    it.s.get(f"/{it.person}/$disclosures")
    how = {"resourceType": "Parameters", "parameter": [{"name": "how", "valueCode": "oral"}]}
    it.s.ask("POST", f"/Consent/{it.release['id']}/$revoke", how)
    it.s.ask("POST", f"/Consent/{it.release['id']}/$revoke")
    it.s.get(f"/{it.person}/$disclosures")
    it.c.get(f"/{it.person}/$disclosures")


def _supposition(it: FilledStory, state: str, consent: str) -> Json:
    parameters: list[Json] = [
        {"name": "service-request", "valueReference": {"reference": it.request}},
        {"name": "recipient", "valueReference": {"reference": f"Organization/{it.clinic}"}},
        {"name": "state", "valueCode": state},
    ]
    if consent:
        parameters.append({"name": "consent", "valueReference": {"reference": consent}})
    return {"resourceType": "Parameters", "parameter": parameters}


def play_refusals(heard: Heard, world: World) -> None:
    """Plays every kind of refusal: form, content, rules, consent, scope, absence, conflict."""
    heard.scene = "refusals"
    it = open_story(heard, world, seed=1200)
    anybody = heard.ear(Caller("", "nonsense", world.client), "anybody")
    narrow = heard.ear(world.caller(it.shelter, scope="system/Task.rs"), "narrow scope")
    _refused_forms(it)
    for caller in (anybody, narrow):
        caller.get(f"/{it.person}")
        caller.ask("POST", "/Task", {"resourceType": "Task"})
    _refused_searches(it)
    _refused_rules(it)
    _refused_moves(it)


def _refused_forms(it: FilledStory) -> None:
    for body, _, _ in BODIES.values():
        it.s.ask("POST", "/Patient", body, Content_Type="application/fhir+json")
    for headers in (
        {"Content_Type": "text/plain"},
        {"Content_Type": "application/fhir+json; charset=latin1"},
        {"Accept": "text/html"},
    ):
        it.s.ask("POST", "/Patient", b.patient("Tern"), **headers)
    entry = {"request": {"method": "GET", "url": "Patient"}}
    it.s.ask("POST", "/", {"resourceType": "Bundle", "type": "batch", "entry": [entry] * 501})
    it.s.ask("POST", "/", {"resourceType": "Bundle", "type": "searchset"})
    large = b'{"resourceType":"Patient","language":"' + b"a" * (4 * 1024 * 1024) + b'"}'
    it.s.ask("POST", "/Patient", large, Content_Type="application/fhir+json")
    for method, path in (
        ("GET", "/Claim/1"),
        ("POST", "/Claim"),
        ("DELETE", "/AuditEvent/1"),
        ("PATCH", "/Patient/1"),
        ("GET", "/Task/1/$unknown"),
        ("PUT", "/Task"),
        ("GET", f"/Patient/{NOBODY}"),
        ("GET", f"/Patient/{NOBODY}/_history"),
        ("PUT", f"/Patient/{NOBODY}"),
    ):
        body = {"resourceType": "Patient", "id": NOBODY} if method in ("POST", "PUT", "PATCH") else None
        it.s.ask(method, path, body)
    patch = [{"op": "replace", "path": "/status", "value": "accepted"}]
    kind = "application/json-patch+json"
    it.s.ask("PATCH", f"/Task/{NOBODY}", patch, If_Match='W/"x"', Content_Type=kind)
    it.s.ask("PATCH", f"/Task/{NOBODY}", b"{", If_Match='W/"x"', Content_Type=kind)


def _refused_searches(it: FilledStory) -> None:
    for query in (
        "_filter=name eq x",
        "_text=x",
        "birthdate=yesterday",
        "_count=many",
        "_sort=birthdate,name",
        "_has:Task:patient:status=x",
        "_cursor=abc",
    ):
        it.s.get(f"/Patient?{query}")
    it.s.get("/Patient?shoe-size=44", Prefer="handling=strict")
    it.s.get("/Task?patient.name=x")
    it.s.ask("POST", "/Patient", b.patient("Robin"), If_None_Exist="name=Robin")
    for _ in range(2):
        it.s.create(b.patient("Dove"))
    twice = "identifier=urn:example:shelter-file|file-dove"
    it.s.ask("POST", "/Patient", b.patient("Dove"), If_None_Exist=twice)


def _refused_rules(it: FilledStory) -> None:
    request = it.s.create(b.service_request(it.person, it.clinic))
    it.request = f"ServiceRequest/{request['id']}"
    it.s.create(b.task(it.person, it.request, it.clinic, status="draft"))
    it.s.ask("POST", "/Task", b.task(it.person, it.request, it.clinic))
    it.sign()
    it.revoke()
    it.s.ask("POST", "/Task", b.task(it.person, it.request, it.clinic))
    it.s.create(b.refusal(it.person, it.shelter, actor={"reference": f"Organization/{it.clinic}"}))
    it.s.ask("POST", "/Task", b.task(it.person, it.request, it.clinic))
    unsigned = b.release(it.person, it.shelter, b.permit(it.clinic, days=900), b.permit(it.shelter))
    for element in ("sourceAttachment", "organization", "performer"):
        unsigned.pop(element)
    it.s.ask("POST", "/Consent", unsigned)
    cannot = b.observation(it.person, "safety", code=b.coded(code_system("observation"), "cannot-sign-now"))
    cannot.pop("valueQuantity")
    it.s.create({**cannot, "valueBoolean": True})
    it.s.ask("POST", "/Consent", b.release(it.person, it.shelter, b.permit(it.clinic)))
    it.s.ask("POST", "/Organization", {"resourceType": "Organization", "name": "X"})
    it.s.ask("POST", "/HealthcareService", {"resourceType": "HealthcareService", "name": "X"})
    it.s.ask("POST", "/Communication", _message(it.person))


def _message(person: str) -> Json:
    return {
        "resourceType": "Communication",
        "status": "in-progress",
        "subject": {"reference": person},
        "recipient": [{"reference": person}],
        "medium": [b.coded("http://terminology.hl7.org/CodeSystem/v3-ParticipationMode", "PHONE")],
    }


def _refused_moves(it: FilledStory) -> None:
    fresh = open_story(it.s.client.heard, it.world, seed=1201)  # type: ignore[attr-defined]
    fresh.sign()
    fresh.refer()
    task = fresh.c.read(fresh.task)
    for changed in (
        {"status": "completed"},
        {"status": "rejected"},
        {"status": "accepted", "priority": "stat"},
        {"businessStatus": b.coded(code_system("business-status"), "no-such-step")},
        {"meta": {**task["meta"], "tag": [b.coded("http://x.test", "y")["coding"][0]]}},
    ):
        fresh.c.update({**task, **changed})
    fresh.c.ask("PUT", f"/{fresh.task}", task)
    fresh.c.ask("PUT", f"/{fresh.task}", task, If_Match='W/"stale"')
    fresh.c.ask("PUT", f"/{fresh.person}", {**fresh.c.read(fresh.person)}, If_Match='W/"x"')
    fresh.c.ask("DELETE", f"/{fresh.task}")
    fresh.s.ask("DELETE", f"/{fresh.task}")
    patches: tuple[list[Json], ...] = (
        [{"op": "replace", "path": "/nowhere/0", "value": 1}],
        [{"op": "test", "path": "/status", "value": "draft"}],
        [{"op": "replace", "path": "/status", "value": "banana"}],
    )
    for patch in patches:
        version = f'W/"{fresh.c.read(fresh.task)["meta"]["versionId"]}"'
        fresh.c.ask(
            "PATCH", f"/{fresh.task}", patch, If_Match=version, Content_Type="application/json-patch+json"
        )
