"""Bulk Data export: who gets what, what a withdrawal takes away, and that a killed walk goes on."""

import json
import secrets
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from referral_hub.app import clock
from referral_hub.exchange import exports as export_rules
from referral_hub.outbound.exporting import MOST_ATTEMPTS, ExportWork
from referral_hub.store.exports import ExportJobs
from tests import builders as b
from tests.world import Caller, World, parsed, texts

ASYNC = {"Prefer": "respond-async"}


def jobs_of(world: World) -> ExportJobs:
    """The exports as the delivery process sees them."""
    return ExportJobs(world.parts.database, world.parts.writer, world.parts.bodies)


def walked(world: World) -> None:
    """Walks every export to its end, as the delivery process does."""
    work = ExportWork(world.parts.hub, jobs_of(world))
    while work.walk_one(clock()):
        pass


def kicked_off(caller: Caller, path: str = "/Patient/$export", **headers: str) -> str:
    """Starts an export and gives the address where it is looked at, below the base."""
    answer = caller.get(path, **{**ASYNC, **headers})
    assert answer.status_code == 202, answer.get_data(as_text=True)
    return answer.headers["Content-Location"].partition("/fhir")[2]


def manifest_of(world: World, caller: Caller, path: str = "/Patient/$export") -> dict[str, Any]:
    """Exports, waits, and gives the manifest."""
    at = kicked_off(caller, path)
    walked(world)
    answer = caller.get(at, Accept="application/json")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert answer.content_type == "application/json"
    found: dict[str, Any] = json.loads(answer.get_data())
    return found


def lines_of(caller: Caller, manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """Fetches every file of a manifest."""
    found = []
    for one in manifest["output"]:
        answer = caller.get(one["url"].partition("/fhir")[2], Accept="application/fhir+ndjson")
        assert (answer.status_code, answer.content_type) == (200, "application/fhir+ndjson")
        made = [json.loads(line) for line in answer.get_data().splitlines()]
        assert {resource["resourceType"] for resource in made} <= {one["type"]}
        found += made
    return found


def names(resources: list[dict[str, Any]]) -> set[str]:
    """Gives ``Type/id`` of resources."""
    return {f"{one['resourceType']}/{one['id']}" for one in resources}


class Story:
    """A shelter, a clinic that accepted one person's referral, and a person the clinic knows nothing of."""

    def __init__(self, world: World) -> None:
        tag = secrets.token_hex(3)
        self.world = world
        self.shelter = world.caller(world.add_organization(f"shelter {tag}", "shelter"))
        self.clinic = world.caller(world.add_organization(f"clinic {tag}", "clinic"))
        self.shared = self._person("Redshank")
        self.hidden = self._person("Greenshank")
        self.consent = self.shelter.create(
            b.release(self.shared, self.shelter.organization, b.permit(self.clinic.organization))
        )
        asked = self.shelter.create(b.service_request(self.shared, self.clinic.organization))
        self.request = f"ServiceRequest/{asked['id']}"
        task = self.shelter.create(b.task(self.shared, self.request, self.clinic.organization))
        self.task = f"Task/{task['id']}"
        self.clinic.changed(self.task, status="accepted")

    def _person(self, name: str) -> str:
        person = f"Patient/{self.shelter.create(b.patient(name))['id']}"
        self.shelter.create(b.observation(person))
        return person

    def withdraw(self) -> None:
        """Ends the permission."""
        assert self.shelter.ask("POST", f"/Consent/{self.consent['id']}/$revoke").status_code == 200


@pytest.fixture
def story(world: World) -> Story:
    """Two persons, one of them shared with a clinic."""
    return Story(world)


def test_a_finished_export_says_until_when_its_files_are_there(world: World, story: Story) -> None:
    at = kicked_off(story.shelter)
    assert "Expires" not in story.shelter.get(at).headers
    walked(world)
    until = parsedate_to_datetime(story.shelter.get(at).headers["Expires"])
    assert abs(until.timestamp() - clock() / 1_000_000 - 24 * 3600) < 120


def test_the_author_exports_what_it_wrote(world: World, story: Story) -> None:
    manifest = manifest_of(world, story.shelter)
    assert manifest["requiresAccessToken"] is True
    assert manifest["request"].endswith("/fhir/Patient/$export")
    found = lines_of(story.shelter, manifest)
    assert {story.shared, story.hidden, story.request, story.task} <= names(found)
    assert sum(one["count"] for one in manifest["output"]) == len(found)
    assert not {one["resourceType"] for one in found} & {"Organization", "AuditEvent"}


@pytest.mark.attack("S-24", "E-05")
def test_a_recipient_exports_the_views_it_would_read(world: World, story: Story) -> None:
    found = lines_of(story.clinic, manifest_of(world, story.clinic))
    assert story.hidden not in names(found)
    assert {story.shared, story.request, story.task} <= names(found)
    for one in found:
        if one["resourceType"] in ("Patient", "ServiceRequest", "Task"):
            assert one == parsed(story.clinic.get(f"/{one['resourceType']}/{one['id']}"))


@pytest.mark.attack("S-43", "E-05")
def test_a_file_fetched_after_a_withdrawal_shows_nothing_of_her(world: World, story: Story) -> None:
    manifest = manifest_of(world, story.clinic)
    assert story.shared in names(lines_of(story.clinic, manifest))
    story.withdraw()
    left = lines_of(story.clinic, manifest)
    assert not names(left) & {story.shared, story.request}
    assert story.shared.partition("/")[2] not in json.dumps(left)


@pytest.mark.attack("S-43", "E-05")
def test_an_export_begun_before_a_withdrawal_lists_nothing_of_her(world: World, story: Story) -> None:
    at = kicked_off(story.clinic)
    story.withdraw()
    walked(world)
    manifest = json.loads(story.clinic.get(at).get_data())
    # What is left are the empty card and what the clinic itself wrote.
    assert {one["type"] for one in manifest["output"]} <= {"Task", "Provenance"}


def test_what_was_fetched_is_in_her_disclosures(world: World, story: Story) -> None:
    lines_of(story.clinic, manifest_of(world, story.clinic))
    told = parsed(story.shelter.get(f"/{story.shared}/$disclosures"))
    kinds = [
        part["valueCode"]
        for one in told["parameter"]
        if one["name"] == "disclosure"
        for part in one["part"]
        if part["name"] == "what"
    ]
    assert "export" in kinds


def test_under_way_it_says_how_far_and_when_to_look_again(world: World, story: Story) -> None:
    answer = story.shelter.get(kicked_off(story.shelter))
    assert (answer.status_code, answer.get_data()) == (202, b"")
    assert answer.headers["Retry-After"].isdigit()
    assert answer.headers["X-Progress"].endswith("0 files so far")
    walked(world)


@pytest.mark.attack("E-05")
@pytest.mark.parametrize("who", ["clinic", "outsider", "other software"])
def test_to_everybody_else_it_is_absent(world: World, story: Story, who: str) -> None:
    manifest = manifest_of(world, story.shelter)
    other = {
        "clinic": story.clinic,
        "outsider": world.caller(world.add_organization(f"o {secrets.token_hex(3)}", "legal-aid")),
        "other software": world.caller(story.shelter.organization),
    }[who]
    file = manifest["output"][0]["url"].partition("/fhir")[2]
    at = file.rpartition("/")[0]
    nowhere = other.get("/$export/00000000-0000-4000-8000-000000000000")
    for path, method in ((at, "GET"), (file, "GET"), (at, "DELETE")):
        answer = other.ask(method, path)
        assert (answer.status_code, answer.get_data()) == (404, nowhere.get_data())
    assert story.shelter.get(at).status_code == 200


def test_deleted_it_is_gone_with_its_files(world: World, story: Story) -> None:
    manifest = manifest_of(world, story.shelter)
    file = manifest["output"][0]["url"].partition("/fhir")[2]
    at = file.rpartition("/")[0]
    assert story.shelter.ask("DELETE", at).status_code == 202
    gone = story.shelter.get(at, Accept="application/json")
    assert (gone.status_code, parsed(gone)["resourceType"]) == (404, "OperationOutcome")
    assert story.shelter.get(file).status_code == 404
    assert story.shelter.ask("DELETE", at).status_code == 404


def test_deleted_under_way_it_is_walked_no_further(world: World, story: Story) -> None:
    at = kicked_off(story.shelter)
    assert story.shelter.ask("DELETE", at).status_code == 202
    walked(world)
    assert story.shelter.get(at).status_code == 404
    assert jobs_of(world).files(at.rpartition("/")[2]) == []


def test_since_takes_what_changed_after(world: World, story: Story) -> None:
    first = manifest_of(world, story.shelter)
    later = story.shelter.create(b.observation(story.shared))
    again = manifest_of(world, story.shelter, f"/Patient/$export?_since={first['transactionTime']}")
    found = names(lines_of(story.shelter, again))
    assert f"Observation/{later['id']}" in found
    assert story.hidden not in found


def test_types_and_filters_narrow(world: World, story: Story) -> None:
    person = story.shared.partition("/")[2]
    only = manifest_of(world, story.shelter, "/Patient/$export?_type=Patient,Task")
    assert {one["type"] for one in only["output"]} == {"Patient", "Task"}
    filtered = manifest_of(
        world,
        story.shelter,
        f"/Patient/$export?_type=Observation&_typeFilter=Observation%3Fpatient%3D{person}",
    )
    found = lines_of(story.shelter, filtered)
    assert {one["subject"]["reference"] for one in found} == {story.shared}


@pytest.mark.attack("S-23", "E-05")
def test_a_group_exports_its_members_only(world: World, story: Story) -> None:
    group = story.shelter.create(
        {
            "resourceType": "Group",
            "type": "person",
            "actual": True,
            "member": [{"entity": {"reference": story.shared}}],
        }
    )
    found = names(lines_of(story.shelter, manifest_of(world, story.shelter, f"/Group/{group['id']}/$export")))
    assert story.shared in found
    assert story.hidden not in found
    refused = story.clinic.get(f"/Group/{group['id']}/$export", **ASYNC)
    absent = story.clinic.get("/Group/00000000-0000-4000-8000-000000000000/$export", **ASYNC)
    assert (refused.status_code, refused.get_data()) == (404, absent.get_data())


def test_named_persons_by_post(world: World, story: Story) -> None:
    parameters = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "patient", "valueReference": {"reference": story.hidden}},
            {"name": "_type", "valueString": "Patient"},
        ],
    }
    answer = story.shelter.ask("POST", "/Patient/$export", parameters, **ASYNC)
    assert answer.status_code == 202
    walked(world)
    manifest = json.loads(
        story.shelter.get(answer.headers["Content-Location"].partition("/fhir")[2]).get_data()
    )
    assert names(lines_of(story.shelter, manifest)) == {story.hidden}


def test_the_whole_hub_is_for_the_network_alone(world: World, story: Story) -> None:
    refused = story.shelter.get("/$export", **ASYNC)
    assert refused.status_code == 403
    network = world.caller("network")
    found = lines_of(network, manifest_of(world, network, "/$export"))
    assert f"Organization/{story.clinic.organization}" in names(found)
    assert not names(found) & {story.shared, story.hidden, story.request, story.task}


@pytest.mark.parametrize(
    ("query", "headers", "status", "says"),
    [
        ("", {}, 400, "respond-async"),
        ("?_outputFormat=text/csv", ASYNC, 400, "ndjson"),
        ("?_since=yesterday", ASYNC, 400, "instant"),
        ("?_since=2026-11-24", ASYNC, 400, "instant"),
        ("?_type=Claim", ASYNC, 400, "no Claim"),
        ("?_type=Organization", ASYNC, 400, "no Organization"),
        ("?_typeFilter=Patient", ASYNC, 400, "question mark"),
        ("?_typeFilter=Task%3F_include%3DTask:focus", ASYNC, 400, "_include"),
        ("?_typeFilter=Task%3Fnonsense%3D1", ASYNC, 400, "nonsense"),
        ("?_type=Task&_typeFilter=Patient%3F_id%3D1", ASYNC, 400, "not among"),
        ("?colour=blue", {"Prefer": "respond-async, handling=strict"}, 400, "_typeFilter"),
    ],
)
def test_what_cannot_be_exported_is_told_at_once(
    story: Story, query: str, headers: dict[str, str], status: int, says: str
) -> None:
    answer = story.shelter.get(f"/Patient/$export{query}", **headers)
    assert answer.status_code == status
    assert says in " ".join(texts(answer))


@pytest.mark.parametrize("form", ["application/fhir+ndjson", "application/ndjson", "ndjson"])
def test_every_name_of_the_format_is_taken(world: World, story: Story, form: str) -> None:
    at = kicked_off(story.shelter, f"/Patient/$export?_outputFormat={form.replace('+', '%2B')}")
    assert story.shelter.ask("DELETE", at).status_code == 202


def test_a_scope_narrows_an_export(world: World, story: Story) -> None:
    narrow = world.caller(story.shelter.organization, scope="system/Patient.rs")
    assert {one["type"] for one in manifest_of(world, narrow)["output"]} == {"Patient"}
    assert narrow.get("/Patient/$export?_type=Task", **ASYNC).status_code == 403
    nothing = world.caller(story.shelter.organization, scope="system/Organization.rs")
    assert nothing.get("/Patient/$export", **ASYNC).status_code == 403


def test_without_a_token_nothing(world: World, story: Story) -> None:
    at = kicked_off(story.shelter)
    for path in ("/fhir/Patient/$export", "/fhir/$export", f"/fhir{at}", f"/fhir{at}/1.ndjson"):
        assert world.client.get(path, headers=ASYNC).status_code == 401
    walked(world)


def test_several_at_once_are_enough(world: World, story: Story) -> None:
    for _ in range(export_rules.MOST_AT_ONCE):
        kicked_off(story.shelter)
    answer = story.shelter.get("/Patient/$export", **ASYNC)
    assert answer.status_code == 429
    assert answer.headers["Retry-After"].isdigit()
    walked(world)
    kicked_off(story.shelter)
    walked(world)


def test_a_killed_walk_goes_on_and_lists_each_row_once(
    world: World, story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_rules, "PIECE", 2)
    for _ in range(5):
        story.shelter.create(b.observation(story.shared))
    at = kicked_off(story.shelter, "/Patient/$export?_type=Observation,Patient")
    jobs, at_us = jobs_of(world), clock()
    dead = jobs.claim(at_us, 1_000)  # a process that took it up and was killed
    assert dead is not None
    piece = export_rules.step(world.parts.hub, dead)
    assert piece.following is not None
    assert jobs.step(
        dead, piece.type, piece.rows, "", clock(), 1_000
    )  # its rows are there, its position is not
    while (again := jobs.of(at.rpartition("/")[2])) is not None and again.state == "running":
        walked(world)
    found = lines_of(story.shelter, json.loads(story.shelter.get(at).get_data()))
    assert len(found) == len(names(found)) == 7 + 2
    assert not jobs.step(dead, piece.type, piece.rows, "", clock(), 1_000)  # the dead one writes no more


def test_software_that_was_taken_away_exports_nothing(world: World, story: Story) -> None:
    at = kicked_off(story.shelter)
    job = jobs_of(world).of(at.rpartition("/")[2])
    assert job is not None
    from referral_hub.exchange.change import Row

    world._apply((Row("oauth_client_set_active", {"client_id": job.token.oauth_client, "active": 0}),))
    walked(world)
    ended = jobs_of(world).of(job.id)
    assert ended is not None
    assert (ended.state, jobs_of(world).files(job.id)) == ("failed", [])


def test_a_walk_that_never_succeeds_is_given_up(
    world: World, story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = kicked_off(story.shelter)
    jobs = jobs_of(world)
    for _ in range(MOST_ATTEMPTS):
        assert jobs.claim(clock(), 0) is not None
    walked(world)
    answer = story.shelter.get(at)
    assert (answer.status_code, texts(answer)) == (500, ["The export could not be finished. Start it again."])
