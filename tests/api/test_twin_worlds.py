"""Twin worlds: two hubs that differ only in what is hidden answer an observer with the same bytes.

World A lacks the hidden resources, world B has them. The same caller asks the same things in both; status,
headers and body must be the same once ``normalised`` has replaced what is fresh in every world: ids, versions,
moments, page links. Both databases.

Source: ``consent.md`` 3.3 (S-01 to S-28), ``views.md`` 5.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from referral_hub.fhir.canonical import code_system
from referral_hub.resources.catalog import DEFINITIONS
from tests import builders as b
from tests.api.network import Story, story
from tests.postgres import PostgresServer
from tests.world import Caller, World, opened_world, parsed

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z")
_HTTP_DATE = re.compile(r"[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT")
_VERSION = re.compile(
    r'(?<="versionId":")[0-9a-f]{16}|(?<=_history/)[0-9a-f]{16}|W/\\?"[0-9a-f]{16}(?:-[0-9a-f]{16})?'
)
_CURSOR = re.compile(r"(?<=_cursor=)[\w%-]+")


def normalised(answer: TestResponse) -> str:
    """Gives status, headers and body of an answer with everything that is fresh in each world named by order."""
    headers = sorted((name, value) for name, value in answer.headers.items() if name != "Date")
    text = f"{answer.status_code}\n{headers}\n{answer.get_data(as_text=True)}"
    text = _CURSOR.sub("CURSOR", _HTTP_DATE.sub("HTTP-DATE", _MOMENT.sub("MOMENT", text)))
    for pattern, word in ((_VERSION, "version"), (_UUID, "id")):
        seen: dict[str, str] = {}
        text = pattern.sub(lambda found: seen.setdefault(found[0], f"{word}-{len(seen)}"), text)  # noqa: B023
    # A link's length is part of Content-Length, and a cursor's length is the same in both worlds.
    return text


class Twins:
    """Two hubs of one database kind."""

    def __init__(self, without: World, with_hidden: World) -> None:
        self.without = without
        self.with_hidden = with_hidden


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def twins(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twins]:
    """Two hubs on each database in turn."""
    folders: list[Path] = [tmp_path_factory.mktemp("twin-a"), tmp_path_factory.mktemp("twin-b")]
    if request.param == "sqlite":
        urls = [f"sqlite:///{folder / 'hub.db'}" for folder in folders]
        with opened_world(urls[0], folders[0]) as one, opened_world(urls[1], folders[1]) as two:
            yield Twins(one, two)
        return
    postgres: PostgresServer = request.getfixturevalue("postgres")
    with (
        postgres.database() as url_one,
        postgres.database() as url_two,
        opened_world(url_one, folders[0]) as one,
        opened_world(url_two, folders[1]) as two,
    ):
        yield Twins(one, two)


UNKNOWN = "00000000-0000-4000-8000-000000000000"


def _hidden(it: Story, other: str) -> dict[str, str]:
    """Writes, beside the visible story, what the clinic and strangers must not notice; gives the ids by type."""
    found: dict[str, str] = {}

    def keep(resource: dict[str, object]) -> str:
        made = it.s.create(resource)
        found[made["resourceType"]] = made["id"]
        return f"{made['resourceType']}/{made['id']}"

    person = keep(b.patient("Hidden", identifier=[{"system": "urn:example:h", "value": "hidden-1"}]))
    keep(b.condition(it.person, "mental-health"))
    keep(b.observation(person))
    keep({"resourceType": "RelatedPerson", "patient": {"reference": it.person}})
    keep(
        {
            "resourceType": "RiskAssessment",
            "status": "final",
            "subject": {"reference": it.person},
        }
    )
    keep(
        {
            "resourceType": "CarePlan",
            "status": "active",
            "intent": "plan",
            "subject": {"reference": it.person},
        }
    )
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


Ask = Callable[[Caller, dict[str, str]], TestResponse]


def _one(kind: str, suffix: str = "") -> Ask:
    return lambda caller, ids: caller.get(f"/{kind}/{ids.get(kind, UNKNOWN)}{suffix}")


def _get(path: str) -> Ask:
    return lambda caller, ids: caller.get(path)


def _conditional(caller: Caller, ids: dict[str, str]) -> TestResponse:
    return caller.ask(
        "POST",
        "/Patient",
        b.patient("Mine"),
        If_None_Exist="identifier=urn:example:h|hidden-1",
        Prefer="return=minimal",
    )


def _put(kind: str) -> Ask:
    def ask(caller: Caller, ids: dict[str, str]) -> TestResponse:
        public_id = ids.get(kind, UNKNOWN)
        body = {"resourceType": kind, "id": public_id}
        return caller.ask("PUT", f"/{kind}/{public_id}", body, If_Match='W/"0000000000000000"')

    return ask


def _patch(caller: Caller, ids: dict[str, str]) -> TestResponse:
    patch = [{"op": "replace", "path": "/status", "value": "accepted"}]
    return caller.ask(
        "PATCH",
        f"/Task/{ids.get('Task', UNKNOWN)}",
        patch,
        If_Match='W/"0000000000000000"',
        Content_Type="application/json-patch+json",
    )


def _delete(caller: Caller, ids: dict[str, str]) -> TestResponse:
    return caller.ask("DELETE", f"/Task/{ids.get('Task', UNKNOWN)}")


def _reference(caller: Caller, ids: dict[str, str]) -> TestResponse:
    return caller.ask("POST", "/Condition", b.condition(f"Patient/{ids.get('Patient', UNKNOWN)}"))


def _batch(caller: Caller, ids: dict[str, str]) -> TestResponse:
    entries = [
        {"request": {"method": "GET", "url": f"Patient/{ids.get('Patient', UNKNOWN)}"}},
        {"request": {"method": "GET", "url": "Task?_total=accurate"}},
    ]
    return caller.ask("POST", "/", {"resourceType": "Bundle", "type": "batch", "entry": entries})


KINDS = (
    "Patient",
    "Task",
    "ServiceRequest",
    "Condition",
    "Observation",
    "Consent",
    "CarePlan",
    "RiskAssessment",
    "RelatedPerson",
)
ASKS: dict[str, Ask] = {
    **{f"read {kind}": _one(kind) for kind in KINDS},
    **{f"history {kind}": _one(kind, "/_history") for kind in KINDS},
    **{f"vread {kind}": _one(kind, "/_history/0000000000000000") for kind in KINDS},
    **{f"update {kind}": _put(kind) for kind in KINDS},
    **{f"search {kind}": _get(f"/{kind}") for kind in DEFINITIONS},
    **{f"count {kind}": _get(f"/{kind}?_summary=count") for kind in DEFINITIONS},
    **{f"total {kind}": _get(f"/{kind}?_total=accurate&_count=1") for kind in DEFINITIONS},
    "by identifier": _get("/Patient?identifier=urn:example:h|hidden-1"),
    "by name": _get("/Patient?name=Hidden"),
    "by missing": _get("/Patient?birthdate:missing=false"),
    "by not": _get("/Task?status:not=draft"),
    "by category": _get("/Condition?category=mental-health"),
    "by code": _get("/Task?code=case-review"),
    "include": _get("/Task?_include=Task:focus&_include=Task:patient&_include=Task:requester"),
    "include requests": _get(
        "/ServiceRequest?_include=ServiceRequest:patient&_include=ServiceRequest:supporting-info"
    ),
    "oldest first": _get("/Task?_sort=_lastUpdated"),
    "sorted by a maskable date": _get("/Patient?_sort=birthdate"),
    "conditional create": _conditional,
    "patch": _patch,
    "delete": _delete,
    "reference": _reference,
    "batch": _batch,
    "available actions": _one("Task", "/$available-actions"),
    "disclosures": _one("Patient", "/$disclosures"),
}


def _setting(world: World, *, hidden: bool, observer: str) -> tuple[Caller, dict[str, str]]:
    it = story(world)
    stranger = world.caller(world.add_organization("stranger", "clinic"))
    it.s.create(b.condition(it.person))
    it.sign()
    it.refer()
    it.move("accepted")
    stranger.create(b.patient("Own"))
    other = world.add_organization("other recipient", "legal-aid")
    ids = _hidden(it, other) if hidden else {}
    return (it.c if observer == "recipient" else stranger), ids


@pytest.fixture(scope="module", params=["stranger", "recipient"])
def observed(request: pytest.FixtureRequest, twins: Twins) -> list[tuple[Caller, dict[str, str]]]:
    """The same observer in both worlds, with the ids of what is hidden."""
    return [
        _setting(twins.without, hidden=False, observer=request.param),
        _setting(twins.with_hidden, hidden=True, observer=request.param),
    ]


@pytest.mark.parametrize("ask", ASKS)
def test_the_hidden_changes_no_answer(observed: list[tuple[Caller, dict[str, str]]], ask: str) -> None:
    first, second = (normalised(ASKS[ask](caller, ids)) for caller, ids in observed)
    assert first == second


def test_pages_hold_no_gap_where_something_is_hidden(observed: list[tuple[Caller, dict[str, str]]]) -> None:
    walks = []
    for caller, _ in observed:
        path, walk = "/Task?_count=1", []
        while path:
            answer = caller.get(path)
            walk.append(normalised(answer))
            links = {link["relation"]: link["url"] for link in parsed(answer)["link"]}
            path = links.get("next", "").rpartition("/fhir")[2]
        walks.append(walk)
    assert walks[0] == walks[1]


def test_the_normaliser_hides_no_difference_of_content() -> None:
    def answer(body: str) -> TestResponse:
        return TestResponse([body.encode()], "200 OK", [], request=None)  # type: ignore[arg-type]

    assert normalised(answer('{"a":1}')) != normalised(answer('{"a":2}'))
    one, two = f'"{UNKNOWN}","{UNKNOWN}"', f'"{UNKNOWN}","{UNKNOWN[:-1]}1"'
    assert normalised(answer(one)) != normalised(answer(two))
