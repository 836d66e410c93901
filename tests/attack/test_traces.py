"""What a hub leaves behind tells nothing: ids, headers, error texts, logs, files, tables, indexes after an end.

Both databases.

Source: ``consent.md`` 3.3, S-29, S-31, S-35, S-43 and S-44.
"""

import logging
import re
import uuid
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from referral_hub.rekeying import erase
from referral_hub.resources.catalog import DEFINITIONS
from tests import builders as b
from tests.api.asking import bundle, entry, link
from tests.api.network import Story, story
from tests.api.people import herself
from tests.api.test_keys_renewed import everything, fresh
from tests.world import World, parsed

__all__ = ["fresh"]

NAME, STREET, PHONE, WORDS = "Quetzalcotinga", "7 Hidden Lane", "+00 555 0100", "She sleeps badly."
SAYS = (NAME, STREET, PHONE, WORDS, "file-quetzal", "1994-03-02")


def told(world: World) -> Story:
    """A person with a rare name, referred and accepted, with records of every kind."""
    it = story(world, person=b.patient(NAME))
    it.categories = ("identity", "health", "plan")
    it.sign()
    it.refer()
    for name, definition in DEFINITIONS.items():
        if definition.opened and not definition.is_referral:
            it.record(name)
    it.move("accepted")
    return it


# --- ids (S-29) ----------------------------------------------------------------------------------------------


@pytest.mark.attack("S-29", "S-05")
def test_ids_and_versions_are_drawn_and_say_neither_number_nor_order(world: World) -> None:
    it = story(world)
    ids, versions = [], []
    for _ in range(24):
        made = it.s.create(b.condition(it.person))
        ids.append(uuid.UUID(made["id"]))
        for _ in range(2):
            versions.append(made["meta"]["versionId"])
            made = it.s.changed(f"Condition/{made['id']}", recordedDate="2026-11-21")
    assert {one.version for one in ids} == {4}
    assert {one.variant for one in ids} == {uuid.RFC_4122}
    for drawn in ([one.hex for one in ids], versions):
        assert len(set(drawn)) == len(drawn)
        assert drawn not in (sorted(drawn), sorted(drawn, reverse=True))
        for at in (0, 6, 15):  # no place that stays, as a moment's or a machine's would
            assert len({one[at] for one in drawn}) > 3
        rises = sum(one < other for one, other in pairwise(drawn))
        assert 0.1 < rises / (len(drawn) - 1) < 0.9


@pytest.mark.attack("S-29")
def test_an_id_is_the_same_before_and_after_and_of_nobody_elses_making(world: World) -> None:
    it = story(world)
    it.sign()
    it.refer()
    before = {it.c.read(one)["id"] for one in (it.task, it.request, it.person)}
    it.move("accepted")
    assert {it.c.read(one)["id"] for one in (it.task, it.request, it.person)} == before
    chosen = it.s.create({**b.patient("Chosen"), "id": "chosen"})
    assert chosen["id"] != "chosen"


# --- headers and texts (S-31, S-44) ----------------------------------------------------------------------------


HEADERS = {
    "Allow", "Connection", "Cache-Control",
    "Content-Encoding", "Content-Length", "Content-Type", "Date", "ETag", "Last-Modified",
    "Location", "Retry-After", "Vary", "WWW-Authenticate", "X-Content-Type-Options", "X-Request-Id", "DPoP-Nonce",
    "Content-Location", "Accept-Patch", "Accept-Post", "Content-Security-Policy", "X-Frame-Options", "Referrer-Policy",
}  # fmt: skip
INSIDE = re.compile(
    r"Traceback|File \"|\.py\b|sqlalchemy|psycopg|sqlite|SELECT |INSERT |/site-packages|werkzeug|flask|/tmp/|"
    r"referral_hub|Python/|KeyError|ValueError|row_id",
    re.IGNORECASE,
)
ASKED: tuple[tuple[str, str, Any], ...] = (
    ("GET", "/metadata", None),
    ("GET", "/Patient", None),
    ("GET", "/Patient/x", None),
    ("GET", "/Claim", None),
    ("GET", "/Task/1/$unknown", None),
    ("GET", "/Patient?_sort=name", None),
    ("GET", "/Patient?_cursor=AAAA", None),
    ("GET", "/Patient?_count=-1", None),
    ("GET", "/Patient?birthdate=%27%20OR%201=1--", None),
    ("GET", "/Patient?identifier=%27;DROP%20TABLE%20resource;--", None),
    ("GET", "/Observation?value-quantity=1e999", None),
    ("POST", "/Patient", b"{"),
    ("POST", "/Patient", b"\xff\xfe"),
    ("POST", "/Patient", {"resourceType": "Patient", "gender": "' OR 1=1"}),
    ("POST", "/Patient", {"resourceType": "Task"}),
    (
        "POST",
        "/",
        {"resourceType": "Bundle", "type": "batch", "entry": [{"request": {"method": "GET", "url": "\x7f"}}]},
    ),
    ("PUT", "/Patient/x", {"resourceType": "Patient", "id": "x"}),
    ("PATCH", "/Patient/x", [{"op": "test", "path": "/x"}]),
    ("DELETE", "/Patient/x", None),
    ("DELETE", "/metadata", None),
    ("GET", "/$export", None),
    ("POST", "/Patient/$export", {"resourceType": "Parameters"}),
)


@pytest.mark.attack("S-31", "S-44", "E-12")
@pytest.mark.parametrize(
    ("method", "path", "body"), ASKED, ids=[f"{one[0]} {one[1]} {at}" for at, one in enumerate(ASKED)]
)
def test_an_answer_shows_nothing_of_the_inside(world: World, method: str, path: str, body: Any) -> None:
    it = story(world)
    traced = {
        "Traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "X_Request_Id": "mine-41",
    }
    for caller in (it.s, it.c):
        answer = caller.ask(method, path, body, **traced)
        assert answer.status_code != 500
        text = answer.get_data(as_text=True)
        assert not INSIDE.search(text), text
        assert {name for name, _ in answer.headers} <= HEADERS
        told = f"{answer.headers}{text}"
        assert "0af7651916cd43dd8448eb211c80319c" not in told
        assert answer.headers.get("X-Request-Id", "mine-41") == "mine-41"
        assert "mine-41" not in caller.ask(method, path, body).headers.get("X-Request-Id", "")
    nobody = world.client.open(f"/fhir{path}", method=method)
    assert not INSIDE.search(nobody.get_data(as_text=True))


@pytest.mark.attack("S-31", "S-30")
@pytest.mark.parametrize(
    "path",
    ["/fhir/metadata", "/.well-known/smart-configuration", "/fhir/.well-known/smart-configuration",
     "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server", "/fhir/CodeSystem", "/alive"],
)  # fmt: skip
def test_what_everybody_reads_names_nobody(world: World, path: str) -> None:
    it = told(world)
    text = world.client.get(path).get_data(as_text=True)
    assert not INSIDE.search(text.replace("referral_hub", ""))
    for word in (NAME, it.shelter, it.clinic, it.person.partition("/")[2], "House"):
        assert word not in text


@pytest.mark.attack("S-31", "E-12")
def test_a_fault_of_the_database_is_one_constant_sentence(
    fresh: World, caplog: pytest.LogCaptureFixture
) -> None:
    it = told(fresh)
    url = fresh.parts.settings.database_url.replace("postgresql://", "postgresql+psycopg://", 1)
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE resource RENAME TO resource_elsewhere"))
    engine.dispose()
    fresh.client.application.testing = False  # as in service: what nobody foresaw becomes an answer
    caplog.set_level(logging.DEBUG)
    for path in (f"/Condition?code={NAME}", f"/{it.request}/_history", f"/Patient?name={NAME}"):
        answer = it.c.get(path)
        assert answer.status_code in (500, 503), path
        assert not INSIDE.search(answer.get_data(as_text=True))
        assert NAME not in answer.get_data(as_text=True)
    assert NAME not in caplog.text


# --- logs and addresses (S-35) -----------------------------------------------------------------------------------


@pytest.mark.attack("S-35")
def test_what_is_searched_for_stands_in_no_log_and_in_no_further_address(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    it = told(world)
    it.s.create(b.patient(NAME))
    caplog.set_level(logging.DEBUG)
    form = "application/x-www-form-urlencoded"
    answers = [
        it.s.get(f"/Patient?name={NAME}&_count=1"),
        it.s.get(f"/Patient?name={NAME}&birthdate={NAME}"),
        it.s.get(f"/Patient/{NAME}"),
        it.s.get(f"/Task?patient.name={NAME}"),
        it.s.ask("POST", "/Patient/_search?_count=1", f"name={NAME}".encode(), Content_Type=form),
        it.s.ask("POST", "/", bundle("batch", entry("GET", f"Patient?name={NAME}"))),
        it.s.ask("PUT", f"/Patient?name={NAME}", b.patient()),
    ]
    assert NAME not in caplog.text
    for answer in answers:
        assert "no-store" in answer.headers["Cache-Control"]
        assert NAME not in str(answer.headers)
    for page in (answers[0], answers[4]):
        assert link(parsed(page)), "there is a further page"
        assert NAME not in link(parsed(page))


@pytest.mark.attack("S-35", "S-43")
def test_no_table_and_no_file_of_the_hub_says_who_somebody_is(fresh: World) -> None:
    it = told(fresh)
    it.s.get(f"/Patient?name={NAME}&identifier=urn:example:shelter-file|file-{NAME.lower()}")
    it.c.get(f"/{it.person}/$everything")
    rows = repr(everything(fresh))
    assert [says for says in SAYS if says in rows] == []
    settings = fresh.parts.settings
    places = [Path(settings.data_dir)]
    if settings.database_url.startswith("sqlite"):
        places.append(Path(settings.database_url.removeprefix("sqlite:///")).parent)
    looked = 0
    for place in places:
        for file in place.rglob("*"):
            if file.is_file():
                looked += 1
                data = file.read_bytes()
                assert [says for says in SAYS if says.encode() in data] == [], file.name
    assert looked


# --- after an end (S-43) -------------------------------------------------------------------------------------------


@pytest.mark.attack("S-43", "S-03", "T-17")
def test_after_a_withdrawal_neither_cache_nor_index_gives_anything(world: World) -> None:
    it = told(world)
    kept = {}
    for name, definition in DEFINITIONS.items():
        if definition.opened or definition.is_referral or name in ("Patient", "Consent"):
            for one in parsed(it.c.get(f"/{name}?_count=50")).get("entry", []):
                reference = f"{name}/{one['resource']['id']}"
                kept[reference] = it.c.get(f"/{reference}").headers["ETag"]  # warm
    assert len({reference.partition("/")[0] for reference in kept}) > 15
    it.revoke()
    for reference, etag in kept.items():
        if reference == it.task:
            continue
        for headers in ({}, {"If_None_Match": etag}, {"If_None_Match": "*"}, {"Accept_Encoding": "gzip"}):
            assert it.c.get(f"/{reference}", **headers).status_code == 404, reference
        assert it.c.get(f"/{reference}/_history").status_code == 404
    hers = {reference.partition("/")[2] for reference in kept} - {it.task.partition("/")[2]}
    for name, definition in DEFINITIONS.items():
        asks = [
            "",
            *(f"{one.code}:missing=false" for one in definition.search),
            f"_id={','.join(sorted(hers)[:20])}",
        ]
        for query in asks:
            answer = it.c.get(f"/{name}?{query}&_total=accurate")
            if answer.status_code == 200:
                entries = parsed(answer).get("entry", [])
                assert not hers & {one["resource"]["id"] for one in entries}, (name, query)


@pytest.mark.attack("S-43", "S-02", "E-06")
def test_after_erasure_neither_index_nor_queue_nor_token_knows_her(fresh: World) -> None:
    it = told(fresh)
    her = herself(fresh, it.shelter, it.person)
    assert her.get(f"/{it.person}").status_code == 200
    page = link(parsed(it.s.get("/Condition?_count=1"))) or f"/{it.person}"
    it.revoke()
    erase(fresh.parts, it.person.partition("/")[2], it.shelter, "asked")
    assert her.get(f"/{it.person}").status_code in (401, 404)
    for caller in (it.s, it.c):
        assert caller.get(page).status_code in (200, 400, 404)
        for name, definition in DEFINITIONS.items():
            if not (definition.opened or definition.is_referral or name in ("Patient", "Consent")):
                continue
            for query in ("", f"_id={it.person.partition('/')[2]}", "_summary=count"):
                found = parsed(caller.get(f"/{name}?{query}"))
                rest = [one["resource"] for one in found.get("entry", []) if caller is it.s or name != "Task"]
                assert [one for one in rest if not _recall(one)] == [], (name, query)
    person = it.person.partition("/")[2]
    left = {name for name, rows in everything(fresh).items() if any(person in map(str, row) for row in rows)}
    assert left <= {"audit", "audit_chain", "ledger", "applied_change"}, left


def _recall(resource: dict[str, Any]) -> bool:
    codes = [one.get("code") for one in resource.get("code", {}).get("coding", [])]
    return "recall" in codes or resource["resourceType"] == "Provenance"
