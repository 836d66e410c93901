"""Conditional interactions: read, update, patch and delete under a condition, on both databases."""

import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from tests import builders as b
from tests.api.asking import UNKNOWN, operation, path_patch
from tests.api.network import story
from tests.world import World, parsed

FILE = "identifier=urn:example:shelter-file|file-"
OTHER_GENDER = path_patch(operation("replace", "Patient.gender", value={"valueCode": "other"}))


def _http(days: float) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(days=days), usegmt=True)


# --- conditional read ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "http_status"),
    [
        ({"If_None_Match": "{etag}"}, 304),
        ({"If_None_Match": '"another", {etag}'}, 304),
        ({"If_None_Match": "*"}, 304),
        ({"If_None_Match": 'W/"another"'}, 200),
        ({"If_Modified_Since": "{modified}"}, 304),
        ({"If_Modified_Since": "{tomorrow}"}, 304),
        ({"If_Modified_Since": "{yesterday}"}, 200),
        ({"If_Modified_Since": "the day before"}, 200),
        ({"If_None_Match": 'W/"another"', "If_Modified_Since": "{tomorrow}"}, 200),
    ],
)
def test_what_the_author_has_already_is_304(world: World, headers: dict[str, str], http_status: int) -> None:
    it = story(world)
    read = it.s.get(f"/{it.person}")
    known = {
        "etag": read.headers["ETag"],
        "modified": read.headers["Last-Modified"],
        "tomorrow": _http(1),
        "yesterday": _http(-1),
    }
    sent = {name: value.format(**known) for name, value in headers.items()}
    for method in ("GET", "HEAD"):
        answer = it.s.ask(method, f"/{it.person}", **sent)
        assert answer.status_code == http_status
        assert answer.headers["ETag"] == read.headers["ETag"]
        assert bool(answer.get_data()) == (http_status == 200 and method == "GET")


@pytest.mark.attack("S-03")
def test_a_304_never_hides_what_a_consent_changed(world: World) -> None:
    it = story(world)
    it.sign()
    it.refer()
    it.move("accepted")
    full = it.c.get(f"/{it.person}")
    assert "birthDate" in parsed(full)
    by_tag, by_time = {"If_None_Match": full.headers["ETag"]}, {"If_Modified_Since": _http(1)}
    assert it.c.get(f"/{it.person}", **by_tag).status_code == 304
    it.s.create(b.refusal(it.person, it.shelter, actor={"reference": f"Organization/{it.clinic}"}))
    for headers in (by_tag, by_time):
        assert it.c.get(f"/{it.person}", **headers).status_code == 404
        task = it.c.get(f"/{it.task}", **headers)
        assert (task.status_code, "for" in parsed(task)) == (200, False)


@pytest.mark.attack("S-03")
def test_by_time_alone_a_view_is_never_told_to_be_known(world: World) -> None:
    it = story(world)
    it.sign()
    it.refer()
    assert it.c.get(f"/{it.task}", If_Modified_Since=_http(1)).status_code == 200
    assert it.s.get(f"/{it.request}", If_Modified_Since=_http(1)).status_code == 304


def test_a_version_is_read_under_a_condition_too(world: World) -> None:
    it = story(world)
    read = it.s.get(f"/{it.person}")
    path = f"/{it.person}/_history/{parsed(read)['meta']['versionId']}"
    assert it.s.get(path, If_None_Match=read.headers["ETag"]).status_code == 304


# --- conditional update --------------------------------------------------------------------------------------


def test_an_update_that_matches_nothing_creates_once(world: World) -> None:
    it = story(world)
    person = b.patient("Dunnock")
    first = it.s.ask("PUT", f"/Patient?{FILE}dunnock", person)
    second = it.s.ask("PUT", f"/Patient?{FILE}dunnock", {**person, "gender": "other"})
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.headers["Location"].endswith(
        f"{parsed(first)['id']}/_history/{parsed(first)['meta']['versionId']}"
    )
    assert parsed(first)["id"] == parsed(second)["id"]
    assert it.s.read(f"Patient/{parsed(first)['id']}")["gender"] == "other"


def test_the_id_in_the_body_is_that_of_the_match(world: World) -> None:
    it = story(world)
    person = b.patient("Lark")
    nothing = it.s.ask("PUT", f"/Patient?{FILE}nobody", {**person, "id": UNKNOWN})
    another = it.s.ask("PUT", f"/Patient?{FILE}lark", {**person, "id": UNKNOWN})
    same = it.s.ask("PUT", f"/Patient?{FILE}lark", {**person, "id": it.person.partition("/")[2]})
    assert (nothing.status_code, another.status_code, same.status_code) == (400, 400, 200)
    assert len(parsed(it.s.get(f"/Patient?{FILE}nobody")).get("entry", [])) == 0


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "not-supported"),
        ("name=Lark", "not-supported"),
        ("identifier=file-lark", "not-supported"),
        ("identifier=|file-lark", "not-supported"),
        (f"{FILE}lark&gender=female", "not-supported"),
        (f"{FILE}lark,urn:x|y", "not-supported"),
        (f"{FILE}twin", "multiple-matches"),
    ],
)
def test_other_criteria_and_several_matches_are_412(world: World, method: str, query: str, code: str) -> None:
    it = story(world)
    for _ in range(2):
        it.s.create(b.patient("Twin"))
    body: Any = {"PUT": b.patient("Lark"), "PATCH": OTHER_GENDER, "DELETE": None}[method]
    answer = it.s.ask(method, f"/Patient?{query}" if query else "/Patient", body)
    assert (answer.status_code, parsed(answer)["issue"][0]["code"]) == (412, code)
    assert it.s.read(it.person)["gender"] == "female"


@pytest.mark.attack("S-17", "T-27")
def test_what_others_wrote_matches_nobody(world: World) -> None:
    it = story(world)
    it.sign()
    it.refer()
    it.move("accepted")
    criteria = f"{FILE}lark"
    assert it.c.ask("PATCH", f"/Patient?{criteria}", OTHER_GENDER).status_code == 404
    assert it.c.ask("DELETE", f"/Patient?{criteria}").status_code == 404
    made = it.c.ask("PUT", f"/Patient?{criteria}", b.patient("Lark"))
    assert made.status_code == 201
    assert parsed(made)["id"] != it.person.partition("/")[2]
    assert it.s.read(it.person)["gender"] == "female"


def test_a_conditional_update_that_creates_needs_the_scope_to_create(world: World) -> None:
    it = story(world)
    narrow = world.caller(it.shelter, scope="system/Patient.ru")
    assert narrow.ask("PUT", f"/Patient?{FILE}lark", b.patient("Lark")).status_code == 200
    assert narrow.ask("PUT", f"/Patient?{FILE}more", b.patient("More")).status_code == 403


def test_a_match_of_a_version_aware_type_still_names_its_version(world: World) -> None:
    it = story(world)
    it.sign()
    number = {"system": "urn:example:own", "value": it.person}
    it.refer(status="draft", identifier=[number])
    task = it.s.read(it.task)
    criteria = f"identifier=urn:example:own|{it.person}"
    missing = it.s.ask("PUT", f"/Task?{criteria}", {**task, "priority": "routine"})
    assert (missing.status_code, parsed(missing)["issue"][0]["code"]) == (400, "required")
    stale = it.s.ask("PUT", f"/Task?{criteria}", {**task, "priority": "routine"}, If_Match='W/"0"')
    assert stale.status_code == 412
    etag = f'W/"{task["meta"]["versionId"]}"'
    assert (
        it.s.ask("PUT", f"/Task?{criteria}", {**task, "priority": "routine"}, If_Match=etag).status_code
        == 200
    )


def test_twenty_conditional_updates_at_once_make_one_resource(world: World) -> None:
    it = story(world)
    person = b.patient("Stilt")
    answers: list[int] = []
    ready = threading.Barrier(20)

    def update() -> None:
        ready.wait()
        answers.append(it.s.ask("PUT", f"/Patient?{FILE}stilt", person).status_code)

    threads = [threading.Thread(target=update) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.count(201) == 1
    assert set(answers) <= {200, 201, 503}
    assert len(parsed(it.s.get(f"/Patient?{FILE}stilt"))["entry"]) == 1


# --- conditional patch and delete ----------------------------------------------------------------------------


def test_a_conditional_patch_changes_the_one_match(world: World) -> None:
    it = story(world)
    assert it.s.ask("PATCH", f"/Patient?{FILE}lark", OTHER_GENDER).status_code == 200
    assert it.s.read(it.person)["gender"] == "other"
    assert it.s.ask("PATCH", f"/Patient?{FILE}nobody", OTHER_GENDER).status_code == 404


def test_a_conditional_delete_ends_the_one_draft(world: World) -> None:
    it = story(world)
    it.sign()
    number = {"system": "urn:example:own", "value": f"draft of {it.person}"}
    it.refer(status="draft", identifier=[number])
    path = f"/Task?identifier=urn:example:own|draft of {it.person}".replace(" ", "%20")
    assert it.s.ask("DELETE", path).status_code == 204
    assert it.s.get(f"/{it.task}").status_code == 410
    assert it.s.ask("DELETE", path).status_code == 404
    assert it.s.ask("DELETE", f"/Patient?{FILE}lark").status_code == 409


# --- delete --------------------------------------------------------------------------------------------------


@pytest.mark.attack("S-02")
def test_what_was_deleted_is_gone_to_its_author_and_never_was_to_others(world: World) -> None:
    it = story(world)
    it.sign()
    it.refer(status="draft")
    version = it.s.read(it.task)["meta"]["versionId"]
    assert it.s.ask("DELETE", f"/{it.task}").status_code == 204
    gone = it.s.get(f"/{it.task}")
    assert (gone.status_code, parsed(gone)["issue"][0]["code"]) == (410, "deleted")
    never, unknown = it.c.get(f"/{it.task}"), it.c.get(f"/Task/{UNKNOWN}")
    assert (never.status_code, never.get_data()) == (404, unknown.get_data())
    assert it.s.ask("DELETE", f"/{it.task}").status_code == 204
    assert it.s.get(f"/{it.task}/_history/{version}").status_code == 200
    versions = parsed(it.s.get(f"/{it.task}/_history"))["entry"]
    assert [one["request"]["method"] for one in versions] == ["DELETE", "POST"]
    assert "resource" not in versions[0]
    assert it.c.get(f"/{it.task}/_history").status_code == 404
    body = {**b.task(it.person, it.request, it.clinic), "id": it.task.partition("/")[2]}
    assert it.s.ask("PUT", f"/{it.task}", body, If_Match=f'W/"{version}"').status_code == 405
    assert it.s.get(f"/{it.task}").status_code == 410


def test_a_request_whose_task_was_sent_is_no_draft_any_more(world: World) -> None:
    it = story(world)
    it.sign()
    made = it.s.create(b.service_request(it.person, it.clinic, status="draft"))
    it.request = f"ServiceRequest/{made['id']}"
    free = it.s.create(b.service_request(it.person, it.clinic, status="draft"))
    it.s.create(b.task(it.person, it.request, it.clinic))
    assert it.s.ask("DELETE", f"/{it.request}").status_code == 409
    assert it.s.ask("DELETE", f"/ServiceRequest/{free['id']}").status_code == 204


def test_a_draft_that_somebody_was_shown_is_not_deleted(world: World) -> None:
    it = story(world)
    it.sign(categories=("identity", "health", "plan"))
    it.refer()
    it.move("accepted")
    plan = {
        "resourceType": "CarePlan",
        "status": "draft",
        "intent": "plan",
        "subject": {"reference": it.person},
    }
    shown, unseen = (it.s.create(plan)["id"] for _ in range(2))
    assert it.c.get(f"/CarePlan/{shown}").status_code == 200
    assert it.s.ask("DELETE", f"/CarePlan/{shown}").status_code == 409
    assert it.s.ask("DELETE", f"/CarePlan/{unseen}").status_code == 204
