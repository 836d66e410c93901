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

from referral_hub.resources.catalog import DEFINITIONS
from tests import builders as b
from tests.api.asking import bundle, entry, operation, path_patch
from tests.api.hidden import HIDDEN_NUMBER, hide
from tests.api.network import story
from tests.postgres import PostgresServer
from tests.world import Caller, World, opened_world, parsed

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z")
_HTTP_DATE = re.compile(r"[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT")
_VERSION = re.compile(
    r'(?<="versionId":")[0-9a-f]{16}|(?<=versionId value=")[0-9a-f]{16}|(?<=_history/)[0-9a-f]{16}'
    r'|W/\\?"[0-9a-f]{16}(?:-[0-9a-f]{16})?'
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


XML = "application/fhir+xml"
LATER = "Fri, 01 Jan 2100 00:00:00 GMT"
UNKNOWN = "00000000-0000-4000-8000-000000000000"


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


def _with(headers: dict[str, str], kind: str, suffix: str = "", method: str = "GET") -> Ask:
    return lambda caller, ids: caller.ask(method, f"/{kind}/{ids.get(kind, UNKNOWN)}{suffix}", **headers)


def _path_patch(caller: Caller, ids: dict[str, str]) -> TestResponse:
    patch = path_patch(operation("replace", "Patient.gender", value={"valueCode": "other"}))
    return caller.ask("PATCH", f"/Patient/{ids.get('Patient', UNKNOWN)}", patch)


def _where(method: str, kind: str, criteria: str = HIDDEN_NUMBER) -> Ask:
    """Asks under a condition that only something hidden meets."""

    def ask(caller: Caller, ids: dict[str, str]) -> TestResponse:
        patch = path_patch(operation("delete", f"{kind}.language"))
        body = {"PUT": b.patient("Mine"), "PATCH": patch, "DELETE": None}[method]
        return caller.ask(method, f"/{kind}?{criteria}", body, Prefer="return=minimal")

    return ask


def _everything_post(caller: Caller, ids: dict[str, str]) -> TestResponse:
    parameters = {"resourceType": "Parameters", "parameter": [{"name": "_count", "valueInteger": 2}]}
    return caller.ask("POST", f"/Patient/{ids.get('Patient', UNKNOWN)}/$everything", parameters)


def _visible(suffix: str, **headers: str) -> Ask:
    """Asks about the person the recipient may see; a stranger sees nothing of her in either world."""

    def ask(caller: Caller, ids: dict[str, str]) -> TestResponse:
        found = parsed(caller.get("/Patient?_count=1&_sort=_lastUpdated")).get("entry", [])
        own = found[0]["resource"]["id"] if found else UNKNOWN
        return caller.get(f"/Patient/{own}{suffix}", **headers)

    return ask


def _whole_batch(caller: Caller, ids: dict[str, str]) -> TestResponse:
    person = f"Patient/{ids.get('Patient', UNKNOWN)}"
    task = f"Task/{ids.get('Task', UNKNOWN)}"
    return caller.ask(
        "POST",
        "/",
        bundle(
            "batch",
            entry("GET", person, ifNoneMatch="*"),
            entry("HEAD", person),
            entry("GET", f"{person}/_history"),
            entry("GET", f"{person}/$everything"),
            entry("GET", "_history?_count=2"),
            entry("DELETE", task),
            entry("PATCH", person, path_patch(operation("delete", "Patient.photo"))),
            entry("PUT", f"Patient?{HIDDEN_NUMBER}-2", {"resourceType": "Patient", "id": "x"}),
        ),
    )


def _transaction(reference: str) -> Ask:
    def ask(caller: Caller, ids: dict[str, str]) -> TestResponse:
        text = reference.format(person=f"Patient/{ids.get('Patient', UNKNOWN)}")
        return caller.ask("POST", "/", bundle("transaction", entry("POST", "Condition", b.condition(text))))

    return ask


def _reference(caller: Caller, ids: dict[str, str]) -> TestResponse:
    return caller.ask("POST", "/Condition", b.condition(f"Patient/{ids.get('Patient', UNKNOWN)}"))


def _batch(caller: Caller, ids: dict[str, str]) -> TestResponse:
    entries = [
        {"request": {"method": "GET", "url": f"Patient/{ids.get('Patient', UNKNOWN)}"}},
        {"request": {"method": "GET", "url": "Task?_total=accurate"}},
    ]
    return caller.ask("POST", "/", {"resourceType": "Bundle", "type": "batch", "entry": entries})


KINDS = tuple(DEFINITIONS)
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
    "chain": _get("/Task?patient.identifier=urn:example:h|hidden-1"),
    "chain along the request": _get("/Task?focus.category=legal-needs"),
    "chain by name": _get("/Condition?patient.name=Hidden"),
    "chain not": _get("/Task?focus.status:not=draft"),
    "chain missing": _get("/Task?focus.identifier:missing=true"),
    "has": _get("/ServiceRequest?_has:Task:focus:status=requested"),
    "has not": _get("/ServiceRequest?_has:Task:focus:status:not=requested"),
    "has of a person": _get("/Patient?_has:Condition:patient:category=mental-health"),
    "has consent": _get("/Patient?_has:Consent:patient:status=active"),
    "revinclude": _get("/Patient?_revinclude=Condition:patient&_revinclude=Task:patient"),
    "revinclude requests": _get("/ServiceRequest?_revinclude=Task:focus&_revinclude=Provenance:target"),
    "iterate": _get(
        "/Task?_include=Task:focus&_include:iterate=ServiceRequest:patient&_revinclude:iterate=Condition:patient"
    ),
    "summary": _get("/Task?_summary=true"),
    "elements": _get("/Patient?_elements=name,birthDate"),
    "by exact": _get("/Patient?name:exact=Hidden"),
    "by birth date": _get("/Patient?birthdate=ge1900"),
    "by quantity": _get("/Observation?value-quantity=ge1"),
    "by composite": _get("/Observation?code-value-quantity=8310-5$ge1"),
    "by a code's absence": _get("/Condition?code:missing=true"),
    "sorted by several": _get("/Task?_sort=status,-authored-on,_id&_count=2"),
    "sorted by what others are not shown": _get("/Condition?_sort=recorded-date"),
    "sorted by a maskable date": _get("/Patient?_sort=birthdate"),
    **{f"known {kind}": _with({"If_None_Match": "*"}, kind) for kind in KINDS},
    **{f"known by time {kind}": _with({"If_Modified_Since": LATER}, kind) for kind in KINDS},
    **{f"head {kind}": _with({}, kind, method="HEAD") for kind in KINDS},
    **{f"options {kind}": _with({}, kind, method="OPTIONS") for kind in KINDS},
    **{f"as XML {kind}": _with({"Accept": XML}, kind) for kind in KINDS},
    "as bytes": _with({"Accept": "image/png"}, "Binary"),
    "as bytes, some version": _with({"Accept": "image/png"}, "Binary", "/_history/0000000000000000"),
    "consents by status": _get("/Consent?status=active&_total=accurate&_sort=-date"),
    "consents by category": _get("/Consent?category:not=x&scope=patient-privacy"),
    **{f"packed {kind}": _with({"Accept_Encoding": "gzip"}, kind) for kind in KINDS},
    **{f"some history {kind}": _with({}, kind, "/_history?_since=2020&_count=1") for kind in KINDS},
    **{f"history of all {kind}": _get(f"/{kind}/_history") for kind in KINDS},
    **{f"search as XML {kind}": _get(f"/{kind}?_format=xml") for kind in KINDS},
    "history of the hub": _get("/_history"),
    "history of the hub at a time": _get("/_history?_at=2026&_count=1"),
    "everything hidden": _one("Patient", "/$everything"),
    "everything hidden, as XML": _one("Patient", "/$everything?_format=xml"),
    "everything hidden, by type": _one("Patient", "/$everything?_type=Condition"),
    "everything hidden, by post": _everything_post,
    "everything seen": _visible("/$everything"),
    "everything seen, a page": _visible("/$everything?_count=2"),
    "everything seen, of one kind": _visible("/$everything?_type=Condition,Task,RiskAssessment"),
    "everything seen, since": _visible("/$everything?_since=2020-01-01"),
    "everything seen, as XML": _visible("/$everything", Accept=XML),
    "seen, as XML": _visible("", Accept=XML),
    "seen, head": lambda caller, ids: caller.ask("HEAD", "/Patient?_total=accurate"),
    "patched by path": _path_patch,
    "patched under a condition": _where("PATCH", "Patient"),
    "updated under a condition": _where("PUT", "Patient"),
    "deleted under a condition": _where("DELETE", "Task"),
    "a batch of all": _whole_batch,
    "a transaction about the hidden": _transaction("{person}"),
    "a transaction about whom a number means": _transaction(f"Patient?{HIDDEN_NUMBER}"),
    "conditional create": _conditional,
    "patch": _patch,
    "delete": _delete,
    "reference": _reference,
    "batch": _batch,
    "available actions": _one("Task", "/$available-actions"),
    "disclosures": _one("Patient", "/$disclosures"),
}


_ROWS: tuple[tuple[str, str], ...] = (
    ("read AuditEvent|search AuditEvent|search Provenance|search Communication|disclosures", "S-27 E-08"),
    ("search Consent|total Consent|has consent|consents", "S-37"),
    ("read Group|read CareTeam|read Composition|read CarePlan|search Group|search CareTeam", "S-23"),
    ("read Location|read Endpoint|read HealthcareService|search Location|search Endpoint", "S-30"),
    ("read|head|options|as XML|seen|as bytes", "S-01 E-01 E-12"),
    ("vread", "S-05 S-06 E-01 T-32"),
    ("history|some history", "S-05 S-06 E-03 T-32"),
    ("update |patch", "S-04 E-10 E-12"),
    ("update ", "T-26"),
    ("delete", "S-01 E-10 E-12"),
    ("known", "S-03"),
    ("count|total", "S-07 S-08"),
    ("include|revinclude|iterate", "S-09 E-02"),
    ("chain", "S-10 E-02"),
    ("has", "S-11 E-02"),
    ("by missing|by not|by exact|by a code's absence", "S-12"),
    ("by", "S-13"),
    ("oldest first|sorted", "S-14"),
    ("summary|elements", "S-15"),
    ("conditional create|updated under|patched under|deleted under", "S-17 S-18 T-27"),
    ("reference|a transaction about", "S-19"),
    ("everything", "S-24 E-04"),
    ("available actions", "E-09"),
    ("a transaction|a batch|batch", "S-25 E-10"),
    ("packed", "S-33"),
    ("search", "S-07 S-08 E-02"),
)
"""Which rows of ``tests.attack`` the asks of a name (its beginning) try; every entry that fits counts."""


def rows_of(ask: str) -> list[str]:
    """Gives the rows an ask tries.

    >>> rows_of("chain not")
    ['E-02', 'S-10', 'T-25']
    """
    found = {
        row for begins, rows in _ROWS if ask.startswith(tuple(begins.split("|"))) for row in rows.split()
    }
    return sorted({*found, "T-25"})


def _setting(world: World, *, hidden: bool, observer: str) -> tuple[Caller, dict[str, str]]:
    it = story(world)
    stranger = world.caller(world.add_organization("stranger", "clinic"))
    it.s.create(b.condition(it.person))
    it.sign()
    it.refer()
    it.move("accepted")
    stranger.create(b.patient("Own"))
    other = world.add_organization("other recipient", "legal-aid")
    ids = hide(it, other) if hidden else {}
    return (it.c if observer == "recipient" else stranger), ids


@pytest.fixture(scope="module", params=["stranger", "recipient"])
def observed(request: pytest.FixtureRequest, twins: Twins) -> list[tuple[Caller, dict[str, str]]]:
    """The same observer in both worlds, with the ids of what is hidden."""
    return [
        _setting(twins.without, hidden=False, observer=request.param),
        _setting(twins.with_hidden, hidden=True, observer=request.param),
    ]


@pytest.mark.parametrize("ask", [pytest.param(ask, marks=pytest.mark.attack(*rows_of(ask))) for ask in ASKS])
def test_the_hidden_changes_no_answer(observed: list[tuple[Caller, dict[str, str]]], ask: str) -> None:
    first, second = (normalised(ASKS[ask](caller, ids)) for caller, ids in observed)
    assert first == second


@pytest.mark.attack("S-09", "S-12", "S-13", "E-02")
@pytest.mark.parametrize("kind", KINDS)
def test_the_hidden_changes_no_search_by_any_parameter(
    observed: list[tuple[Caller, dict[str, str]]], kind: str
) -> None:
    definition = DEFINITIONS[kind]
    queries = [
        *(f"{one.code}:missing=false&_total=accurate" for one in definition.search),
        *(f"_include={include}" for include in definition.includes),
        *(f"_revinclude={include}" for include in definition.revincludes),
    ]
    for query in queries:
        first, second = (normalised(caller.get(f"/{kind}?{query}")) for caller, _ in observed)
        assert first == second, query


@pytest.mark.attack("S-08")
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
