"""Every type by its declaration: who writes it, who reads it, how it moves. Both databases."""

from typing import Any

import pytest

from referral_hub.resources.catalog import DEFINITIONS
from tests import builders as b
from tests.api.network import Story, story
from tests.world import Caller, World, parsed, texts

DIRECTORY = sorted(
    name for name, definition in DEFINITIONS.items() if definition.directory or definition.listed
)
WRITTEN_BY_ANYBODY = sorted(name for name in DIRECTORY if not DEFINITIONS[name].by_coordinator)
WRITTEN = sorted(name for name, definition in DEFINITIONS.items() if "create" in definition.interactions)


def entry(who: Caller, type_name: str) -> dict[str, Any]:
    """Writes a directory entry of the caller's organisation, with what it stands on."""
    service = schedule = ""
    if type_name in ("Schedule", "Slot"):
        service = (
            "HealthcareService/" + who.create(b.in_directory("HealthcareService", who.organization))["id"]
        )
    if type_name == "Slot":
        made = who.create(b.in_directory("Schedule", who.organization, service=service))
        schedule = f"Schedule/{made['id']}"
    return who.create(b.in_directory(type_name, who.organization, service=service, schedule=schedule))


def found(who: Caller, path: str) -> list[str]:
    """Gives the ids a search finds, on all its pages, and checks that its total tells the same number."""
    bundle = parsed(who.get(f"{path}{'&' if '?' in path else '?'}_total=accurate&_count=500"))
    total = bundle["total"]
    shown = [one["resource"]["id"] for one in bundle.get("entry", ())]
    while onward := [link["url"] for link in bundle["link"] if link["relation"] == "next"]:
        bundle = parsed(who.get(onward[0].partition("/fhir")[2]))
        shown += [one["resource"]["id"] for one in bundle.get("entry", ())]
    assert total == len(shown) == len(set(shown))
    return shown


# ---- the directory ----


@pytest.mark.parametrize("type_name", WRITTEN_BY_ANYBODY)
def test_everybody_reads_and_finds_a_directory_entry(world: World, type_name: str) -> None:
    it = story(world)
    made = entry(it.c, type_name)
    stranger = world.caller(world.add_organization("stranger", "legal-aid"))
    shown = stranger.read(f"{type_name}/{made['id']}")
    assert "profile" not in shown["meta"]
    assert made["id"] in found(stranger, f"/{type_name}")
    assert stranger.update(made).status_code == 403


@pytest.mark.attack("S-30")
@pytest.mark.parametrize("type_name", WRITTEN_BY_ANYBODY)
def test_a_shelters_entry_is_its_own_where_it_has_no_neutral_copy(world: World, type_name: str) -> None:
    it = story(world)
    made = entry(it.s, type_name)
    public = DEFINITIONS[type_name].at_shelter
    assert it.s.get(f"/{type_name}/{made['id']}").status_code == 200
    assert (it.c.get(f"/{type_name}/{made['id']}").status_code == 200) is public
    assert (made["id"] in found(it.c, f"/{type_name}")) is public


@pytest.mark.parametrize("type_name", sorted(set(DIRECTORY) - set(WRITTEN_BY_ANYBODY)))
def test_what_the_coordinator_registers_nobody_else_writes(world: World, type_name: str) -> None:
    it = story(world)
    body = b.in_directory(type_name, it.clinic)
    answer = it.c.ask("POST", f"/{type_name}", body)
    assert answer.status_code == 403
    assert "coordinator" in texts(answer)[0]
    made = world.caller("network").create(body)
    assert it.c.read(f"{type_name}/{made['id']}")["id"] == made["id"]


@pytest.mark.parametrize("type_name", sorted(n for n in WRITTEN_BY_ANYBODY if DEFINITIONS[n].keeper))
def test_nobody_lists_what_is_anothers(world: World, type_name: str) -> None:
    it = story(world)
    other = world.caller(world.add_organization("other", "clinic"))
    stands_on = entry(other, {"Schedule": "HealthcareService", "Slot": "Schedule"}.get(type_name, "Location"))
    reference = f"{stands_on['resourceType']}/{stands_on['id']}"
    body = b.in_directory(type_name, other.organization, service=reference, schedule=reference)
    answer = it.c.ask("POST", f"/{type_name}", body)
    assert answer.status_code == 422
    [issue] = parsed(answer)["issue"]
    assert issue["expression"] == [f"{type_name}.{DEFINITIONS[type_name].keeper}"]


@pytest.mark.attack("S-30")
def test_no_search_lists_the_shelters(world: World) -> None:
    it = story(world)
    organization = world.caller("network").read(f"Organization/{it.shelter}")
    kind = b.coded("https://referral-hub.example/fhir/CodeSystem/organization-type", "shelter")
    answer = world.caller("network").update({**organization, "type": [kind], "name": "Harbour House"})
    assert answer.status_code == 200, answer.get_data(as_text=True)
    shown = it.c.read(f"Organization/{it.shelter}")
    assert "type" not in shown, "a shelter stays one when its entry is written anew"
    assert shown["name"] == "House"
    for query in ("type=shelter", "type:missing=false", "name=Harbour", "name=House", "type:not=clinic"):
        assert it.shelter not in found(it.c, f"/Organization?{query}"), query
    assert it.shelter in found(world.caller("network"), "/Organization?type=shelter")


# ---- in the directory, or about a person ----


def test_a_schedule_of_a_person_and_its_slots_are_the_authors_alone(world: World) -> None:
    it = story(world)
    it.sign()
    it.refer()
    it.move("accepted")
    schedule = it.s.create(b.in_directory("Schedule", it.shelter, service=it.person))
    own = it.c.create(b.in_directory("Schedule", it.clinic, service=it.person))
    slot = it.c.create(b.in_directory("Slot", it.clinic, schedule=f"Schedule/{own['id']}"))
    stranger = world.caller(world.add_organization("stranger", "clinic"))
    assert it.c.get(f"/Schedule/{schedule['id']}").status_code == 404
    for caller in (it.s, stranger):
        assert caller.get(f"/Slot/{slot['id']}").status_code == 404
        assert caller.get(f"/Schedule/{own['id']}").status_code == 404
        assert slot["id"] not in found(caller, "/Slot")
        assert own["id"] not in found(caller, "/Schedule?actor:missing=false")


def test_a_schedule_of_somebody_unlisted_is_the_authors_alone(world: World) -> None:
    it = story(world)
    doctor = it.c.create({"resourceType": "Practitioner", "name": [{"text": "Unlisted"}]})
    made = it.c.create(b.in_directory("Schedule", it.clinic, service=f"Practitioner/{doctor['id']}"))
    assert it.s.get(f"/Schedule/{made['id']}").status_code == 404
    assert it.s.get(f"/Practitioner/{doctor['id']}").status_code == 404
    assert it.c.read(f"Schedule/{made['id']}")


def test_a_device_of_hers_is_no_directory_entry(world: World) -> None:
    it = story(world)
    hers = it.record("Device")
    stranger = world.caller(world.add_organization("stranger", "clinic"))
    assert stranger.get(f"/Device/{hers['id']}").status_code == 404
    assert it.c.get(f"/Device/{hers['id']}").status_code == 404
    assert hers["id"] not in found(stranger, "/Device")
    it.sign()
    it.refer()
    it.move("accepted")
    assert it.c.read(f"Device/{hers['id']}")["patient"] == {"reference": it.person}
    assert hers["id"] in found(it.c, f"/Device?patient={it.person}")
    answer = it.c.ask("POST", "/Device", {"resourceType": "Device", "patient": {"reference": "Patient/none"}})
    assert answer.status_code == 422


def test_a_device_that_becomes_hers_leaves_the_directory_only_as_a_new_one(world: World) -> None:
    it = story(world)
    made = entry(it.s, "Device")
    answer = it.s.update({**made, "patient": {"reference": it.person}})
    assert answer.status_code in (200, 422)
    assert it.c.get(f"/Device/{made['id']}").status_code == 404


# ---- small cells ----


def _accepted(world: World) -> Story:
    it = story(world)
    it.sign()
    it.refer()
    it.move("accepted")
    return it


@pytest.mark.parametrize("kind", ["summary", "subject-list", "data-collection"])
def test_a_report_that_counts_is_the_authors_alone_even_where_it_names_her(world: World, kind: str) -> None:
    it = _accepted(world)
    report = b.about_person("MeasureReport", it.person, category="health", request="-", document="-")
    if kind == "data-collection":
        report.pop("group")
    made = it.s.create({**report, "type": kind})
    individual = it.s.create(report)
    assert it.c.get(f"/MeasureReport/{made['id']}").status_code == 404
    assert it.c.read(f"MeasureReport/{individual['id']}")["type"] == "individual"
    assert found(it.c, "/MeasureReport") == [individual["id"]]


@pytest.mark.attack("S-23")
def test_a_group_is_seen_by_its_author_alone(world: World) -> None:
    it = _accepted(world)
    made = it.s.create(b.of_author("Group", it.person))
    assert found(it.s, f"/Group?member={it.person}") == [made["id"]]
    assert it.c.get(f"/Group/{made['id']}").status_code == 404
    for query in ("", f"?member={it.person}", "?type=person", "?_id=" + made["id"]):
        assert found(it.c, f"/Group{query}") == []
    naming = b.permit(it.clinic, categories=(), instances=(f"Group/{made['id']}",))
    answer = it.s.ask("POST", "/Consent", b.release(it.person, it.shelter, naming))
    assert answer.status_code == 422, "no release opens a group by naming it"


# ---- what a recipient reads ----


def test_answers_stay_home_until_v_is_named(world: World) -> None:
    it = story(world)
    made = it.record("QuestionnaireResponse")
    it.sign()
    it.refer()
    it.move("accepted")
    shown = it.c.read(f"QuestionnaireResponse/{made['id']}")
    assert set(shown) == {"resourceType", "id", "meta", "status", "subject", "authored"}
    assert "tag" not in shown["meta"]
    it.s.create(b.release(it.person, it.shelter, b.permit(it.clinic, very_restricted=True)))
    opened = it.c.read(f"QuestionnaireResponse/{made['id']}")
    assert opened["item"] == [{"linkId": "1", "answer": [{"valueString": "not well"}]}]


@pytest.mark.attack("S-13")
def test_when_and_where_she_was_met_is_v(world: World) -> None:
    it = story(world)
    place = entry(it.c, "Location")
    body = b.about_person("Encounter", it.person, category="health", request="-", document="-")
    made = it.s.create({**body, "location": [{"location": {"reference": f"Location/{place['id']}"}}]})
    it.sign()
    it.refer()
    it.move("accepted")
    shown = it.c.read(f"Encounter/{made['id']}")
    assert set(shown) == {"resourceType", "id", "meta", "status", "class", "type", "subject"}
    assert found(it.c, "/Encounter?date=2026-11-20") == []
    assert found(it.c, f"/Encounter?location=Location/{place['id']}") == []
    assert found(it.s, "/Encounter?date=2026-11-20") == [made["id"]]


@pytest.mark.attack("S-20", "S-23")
def test_a_section_shows_what_it_points_at_where_that_is_visible(world: World) -> None:
    it = story(world)
    seen, hidden = it.record("Condition"), it.record("Condition", "mental-health")
    body = b.about_person("Composition", it.person, category="health", request="-", document="-")
    entries = [{"reference": f"Condition/{one['id']}"} for one in (seen, hidden)]
    made = it.s.create({**body, "section": [{"title": "All", "entry": entries}, {"entry": entries[1:]}]})
    it.sign()
    it.refer()
    it.move("accepted")
    assert it.c.read(f"Composition/{made['id']}")["section"] == [{"entry": entries[:1]}]


@pytest.mark.attack("S-07")
@pytest.mark.parametrize("more", [{"modifierExtension": [{"url": "urn:x", "valueBoolean": True}]}])
def test_what_no_copy_can_show_is_counted_by_nobody_else(world: World, more: dict[str, Any]) -> None:
    it = story(world)
    body = b.about_person("Goal", it.person, category="health", request="-", document="-")
    made = it.s.create({**body, **more})
    service = it.c.create({**b.in_directory("HealthcareService", it.clinic), **more})
    it.sign()
    it.refer()
    it.move("accepted")
    assert it.c.get(f"/Goal/{made['id']}").status_code == 404
    assert found(it.c, "/Goal") == []
    assert found(it.s, "/Goal") == [made["id"]]
    assert service["id"] not in found(it.s, "/HealthcareService")
    assert it.s.get(f"/HealthcareService/{service['id']}").status_code == 404


@pytest.mark.parametrize(
    "type_name", sorted(n for n, one in DEFINITIONS.items() if one.opened and not one.is_referral)
)
def test_a_recipient_changes_nothing_of_a_record_it_reads(world: World, type_name: str) -> None:
    it = story(world)
    fixed = DEFINITIONS[type_name].category
    it.categories = ("identity", "health", *([fixed] if fixed else []))
    made = it.record(type_name)
    reference = f"{type_name}/{made['id']}"
    it.sign()
    it.refer()
    it.move("accepted")
    shown = it.c.read(reference)
    for body in (shown, {**shown, "language": "en"}, {**made, "language": "en"}):
        assert it.c.update(body).status_code in (403, 422)
    patch = [{"op": "add", "path": "/language", "value": "en"}]
    answer = it.c.ask("PATCH", f"/{reference}", patch, Content_Type="application/json-patch+json")
    assert answer.status_code in (400, 403, 405)
    assert it.c.ask("DELETE", f"/{reference}").status_code == 403
    assert it.s.read(reference) == made


# ---- lifecycles ----


@pytest.mark.parametrize(
    ("type_name", "before", "after", "possible"),
    [
        ("QuestionnaireResponse", "in-progress", "completed", True),
        ("QuestionnaireResponse", "completed", "amended", True),
        ("QuestionnaireResponse", "completed", "in-progress", False),
        ("QuestionnaireResponse", "amended", "stopped", False),
        ("Goal", "proposed", "active", True),
        ("Goal", "active", "completed", True),
        ("Goal", "completed", "active", False),
        ("Goal", "rejected", "entered-in-error", True),
        ("Encounter", "planned", "in-progress", True),
        ("Encounter", "in-progress", "planned", False),
        ("Encounter", "finished", "in-progress", False),
        ("Composition", "preliminary", "final", True),
        ("Composition", "final", "preliminary", False),
        ("Composition", "final", "entered-in-error", True),
    ],
)
def test_moves(world: World, type_name: str, before: str, after: str, possible: bool) -> None:
    it = story(world)
    element = DEFINITIONS[type_name].status_element
    body = b.about_person(type_name, it.person, category="health", request="-", document="-")
    body.pop("section", None)
    made = it.s.create({**body, element: before})
    answer = it.s.update({**made, element: after})
    assert answer.status_code == (200 if possible else 422), answer.get_data(as_text=True)
    if not possible:
        [issue] = parsed(answer)["issue"]
        assert issue["expression"] == [f"{type_name}.{element}"]


@pytest.mark.parametrize("type_name", sorted(n for n, one in DEFINITIONS.items() if one.version_aware))
def test_a_change_of_a_version_aware_type_names_its_version(world: World, type_name: str) -> None:
    it = story(world)
    if type_name in ("Task", "ServiceRequest", "Consent"):
        it.sign()
        it.refer(status="draft")
        reference = {"Task": it.task, "ServiceRequest": it.request}.get(
            type_name, f"Consent/{it.release['id']}"
        )
        made = it.s.read(reference)
    else:
        made = it.record(type_name)
    answer = it.s.ask("PUT", f"/{type_name}/{made['id']}", made)
    assert answer.status_code == 400
    assert parsed(answer)["issue"][0]["code"] == "required"


# ---- bad input, type by type ----


@pytest.mark.parametrize("type_name", WRITTEN)
@pytest.mark.parametrize(
    "more",
    [
        {"shoeSize": 44},
        {"language": ["en"]},
        {"meta": {"tag": {"system": "urn:x"}}},
        {"text": {"status": "generated", "div": "<div><script>x</script></div>"}},
        {"contained": [{"resourceType": "Patient", "id": "#p", "birthDate": "x"}]},
        {"extension": [{"url": "urn:x", "valueReference": {"reference": "Patient/none"}}]},
        {"identifier": [{"assigner": {"reference": "https://elsewhere.example/fhir/Organization/1"}}]},
    ],
    ids=lambda more: next(iter(more)),
)
def test_a_bad_body_of_any_type_is_refused(world: World, type_name: str, more: dict[str, Any]) -> None:
    it = story(world)
    before = found(it.s, f"/{type_name}") if type_name != "Organization" else []
    answer = it.s.ask("POST", f"/{type_name}", {"resourceType": type_name, **more})
    assert answer.status_code in (403, 422), answer.get_data(as_text=True)
    assert parsed(answer)["resourceType"] == "OperationOutcome"
    after = found(it.s, f"/{type_name}") if type_name != "Organization" else []
    assert after == before


@pytest.mark.parametrize("type_name", sorted(n for n, one in DEFINITIONS.items() if one.subject_named))
def test_the_person_of_a_record_is_a_person_the_writer_may_see(world: World, type_name: str) -> None:
    it = story(world)
    stranger = world.caller(world.add_organization("stranger", "clinic"))
    for hidden in (it.person, "Patient/00000000-0000-4000-8000-000000000000"):
        if type_name == "Consent":
            body = b.release(hidden, stranger.organization, b.permit(it.clinic))
        else:
            body = b.about_person(type_name, hidden, category="health", request="-", document="-")
            for element in ("basedOn", "section"):
                body.pop(element, None)
        answer = stranger.ask("POST", f"/{type_name}", body)
        assert answer.status_code == 422
        assert any("leads to nothing this organisation may use" in text for text in texts(answer))
