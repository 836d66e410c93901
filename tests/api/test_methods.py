"""HEAD, OPTIONS, Allow, CORS, compression and preferences, on both databases."""

import gzip
import json
from typing import Any

import pytest
from werkzeug.test import Client

from referral_hub.exchange.deleting import REMOVED
from referral_hub.web.addresses import ROUTES, allowed_methods
from referral_hub.web.cross_origin import CrossOrigin
from tests import builders as b
from tests.api.asking import UNKNOWN
from tests.api.network import story
from tests.world import World, parsed

APP = "https://app.example"


def _addresses(it: Any) -> list[str]:
    values = {
        "type_name": "Task",
        "public_id": UNKNOWN,
        "version": "0",
        "job": "0",
        "file": "0",
    }
    found = []
    for rule, _, _ in ROUTES:
        path = rule
        for name, value in values.items():
            path = path.replace(f"<{name}>", value)
        found.append(path)
    return sorted(set(found))


# --- HEAD and OPTIONS ----------------------------------------------------------------------------------------


def test_head_answers_as_get_without_a_body(world: World) -> None:
    it = story(world)
    it.sign()
    it.refer()
    for path in (
        it.person,
        "Patient/none",
        "Task?_total=accurate",
        f"{it.task}/_history",
        "_history",
        "metadata",
        f"{it.person}/$everything",
        "Claim/1",
        f"{it.task}/$available-actions",
    ):
        get, head = it.s.get(f"/{path}"), it.s.ask("HEAD", f"/{path}")
        assert head.status_code == get.status_code, path
        assert head.get_data() == b""
        named = [(name, value) for name, value in get.headers.items() if "_cursor" not in value]
        assert sorted(head.headers.items()) == sorted(named), path


def test_options_on_every_address_tell_what_allow_tells(world: World) -> None:
    it = story(world)
    for path in _addresses(it):
        answer = world.client.options(f"/fhir{path}")
        assert answer.status_code == 204, path
        assert answer.headers["Allow"] == ", ".join(allowed_methods(path))
        assert "OPTIONS" in answer.headers["Allow"]
        assert ("PATCH" in answer.headers["Allow"]) == ("Accept-Patch" in answer.headers)
        assert answer.get_data() == b""


@pytest.mark.attack("S-01", "T-25")
def test_options_are_the_same_for_hidden_and_absent(world: World) -> None:
    it = story(world)
    other = world.caller(world.add_organization("other", "clinic"))
    hidden, absent = (other.ask("OPTIONS", f"/{one}") for one in (it.person, f"Patient/{UNKNOWN}"))
    assert sorted(hidden.headers.items()) == sorted(absent.headers.items())
    assert world.client.options("/fhir/Task/1/2/3/4").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("DELETE", "/AuditEvent/1", "GET, HEAD, OPTIONS"),
        ("PATCH", "/AuditEvent/1", "GET, HEAD, OPTIONS"),
        ("POST", "/metadata", "GET, HEAD, OPTIONS"),
        ("PUT", "/metadata", "GET, HEAD, OPTIONS"),
        ("GET", "/Task/_search", "OPTIONS, POST"),
        ("GET", "/", "OPTIONS, POST"),
        ("POST", "/Patient/1", "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"),
        ("PUT", f"/Patient/{UNKNOWN}", "DELETE, GET, HEAD, OPTIONS, PATCH"),
        ("POST", "/Task/_history", "GET, HEAD, OPTIONS"),
        ("GET", "/Consent/1/$revoke", "OPTIONS, POST"),
        ("PUT", "/ServiceRequest/$preview", "OPTIONS, POST"),
        ("TRACE", "/Patient/1", "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"),
    ],
)
def test_405_says_what_is_allowed(world: World, method: str, path: str, allow: str) -> None:
    it = story(world)
    body = {"resourceType": "Patient", "id": UNKNOWN} if method in ("POST", "PUT", "PATCH") else None
    answer = it.s.ask(method, path, body)
    assert answer.status_code == 405, answer.get_data(as_text=True)
    assert answer.headers["Allow"] == allow
    assert parsed(answer)["resourceType"] == "OperationOutcome"


# --- browser apps --------------------------------------------------------------------------------------------


def _browser(world: World, *origins: str) -> Client:
    return Client(CrossOrigin(world.client.application.wsgi_app, frozenset(origins)))


def test_without_the_setting_no_browser_app_reads_anything(world: World) -> None:
    it = story(world)
    preflight = {"Origin": APP, "Access-Control-Request-Method": "GET"}
    for answer in (
        it.s.get(f"/{it.person}", Origin=APP),
        world.client.options(f"/fhir/{it.person}", headers=preflight),
    ):
        assert not [name for name, _ in answer.headers if name.startswith("Access-Control")]


def test_a_named_app_reads_answers_and_their_headers(world: World) -> None:
    it = story(world)
    browser = _browser(world, f"{APP}:443")
    headers = {"Origin": APP, "Authorization": f"Bearer {it.s.token}"}
    for path, http_status in (
        (f"/fhir/{it.person}", 200),
        ("/fhir/Patient/none", 404),
        ("/fhir/Claim/1/2/3/4", 404),
    ):
        answer = browser.get(path, headers=headers)
        assert answer.status_code == http_status
        assert answer.headers["Access-Control-Allow-Origin"] == APP
        assert answer.headers["Vary"] == "Origin"
        exposed = {name.strip() for name in answer.headers["Access-Control-Expose-Headers"].split(",")}
        assert {"ETag", "Location", "Content-Location", "Last-Modified", "Link"} <= exposed
        assert "Access-Control-Allow-Credentials" not in answer.headers
    discovery = browser.get("/.well-known/smart-configuration", headers={"Origin": APP})
    assert discovery.headers.getlist("Access-Control-Allow-Origin") == ["*"]


def test_a_preflight_is_answered_for_named_apps_only(world: World) -> None:
    browser = _browser(world, f"{APP}:443")
    asked = {
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "authorization,if-match",
    }
    for path in ("/fhir/Task/1", "/oauth/token"):
        answer = browser.options(path, headers={"Origin": APP, **asked})
        assert answer.status_code == 204
        assert "PUT" in answer.headers["Access-Control-Allow-Methods"]
        sent = {name.strip().lower() for name in answer.headers["Access-Control-Allow-Headers"].split(",")}
        assert {"authorization", "if-match", "prefer", "content-type", "if-none-exist"} <= sent
    for origin in ("https://app.example.evil", "http://app.example", "https://app.example:8443", "null", "x"):
        answer = browser.options("/fhir/Task/1", headers={"Origin": origin, **asked})
        assert not [name for name, _ in answer.headers if name.startswith("Access-Control")], origin


# --- compression ---------------------------------------------------------------------------------------------


def test_an_answer_in_one_voice_is_packed_for_those_who_take_it(world: World) -> None:
    it = story(world)
    for number in range(12):
        it.s.create(b.patient(f"Bird{number}"))
    for path in ("/metadata", "/Patient", "/Patient/_history", "/_history"):
        plain = it.s.get(path)
        assert "Content-Encoding" not in plain.headers
        assert plain.headers["Vary"] == "Accept-Encoding"
        packed = it.s.get(path, Accept_Encoding="gzip")
        assert packed.headers["Content-Encoding"] == "gzip", path
        assert int(packed.headers["Content-Length"]) == len(packed.get_data()) < len(plain.get_data())
        body = json.loads(gzip.decompress(packed.get_data()))
        assert body["resourceType"] == json.loads(plain.get_data())["resourceType"]
        assert "Content-Encoding" not in it.s.get(path, Accept_Encoding="gzip;q=0, br").headers
    in_xml = it.s.get("/Patient", Accept_Encoding="gzip", Accept="application/fhir+xml")
    assert gzip.decompress(in_xml.get_data()).startswith(b"<?xml")


@pytest.mark.attack("S-33")
def test_words_of_several_are_never_packed_together(world: World) -> None:
    it = story(world)
    it.sign()
    it.refer()
    note = [{"text": "x" * 3000}]
    it.move("accepted", note=note)
    for _ in range(4):
        it.s.create(b.condition(it.person))
        made = it.s.create(b.service_request(it.person, it.clinic, note=[{"text": "y" * 3000}]))
        it.s.create(b.task(it.person, f"ServiceRequest/{made['id']}", it.clinic, note=[{"text": "z" * 3000}]))
    asks = [
        (it.c, "/Task"),
        (it.c, "/ServiceRequest"),
        (it.c, f"/{it.task}/_history"),
        (it.c, f"/{it.person}/$everything"),
        (it.s, f"/{it.task}/_history"),
        (it.s, "/Task/_history"),
    ]
    for caller, path in asks:
        answer = caller.get(path, Accept_Encoding="gzip")
        assert answer.status_code == 200
        assert "Content-Encoding" not in answer.headers, path
    bundle = {
        "resourceType": "Bundle",
        "type": "batch",
        "entry": [{"request": {"method": "GET", "url": url}} for url in ("Patient", "Task", "metadata")],
    }
    assert "Content-Encoding" not in it.s.ask("POST", "/", bundle, Accept_Encoding="gzip").headers


# --- preferences ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prefer", "kind"),
    [
        ("return=minimal", ""),
        ("return=representation", "Patient"),
        ("return=OperationOutcome", "OperationOutcome"),
        ('return="minimal"; handling=lenient', ""),
        ("respond-async, return=minimal", ""),
        ("return=everything", "Patient"),
    ],
)
def test_each_write_is_answered_as_preferred(world: World, prefer: str, kind: str) -> None:
    it = story(world)
    patch = [{"op": "replace", "path": "/gender", "value": "other"}]
    answers = [
        it.s.ask("POST", "/Patient", b.patient("Finch"), Prefer=prefer),
        it.s.ask("PUT", f"/{it.person}", it.s.read(it.person), Prefer=prefer),
        it.s.ask("PATCH", f"/{it.person}", patch, Content_Type="application/json-patch+json", Prefer=prefer),
        it.s.ask(
            "PUT",
            "/Patient?identifier=urn:example:shelter-file|file-finch",
            b.patient("Finch"),
            Prefer=prefer,
        ),
    ]
    for answer in answers:
        assert answer.status_code in (200, 201), answer.get_data(as_text=True)
        assert (parsed(answer)["resourceType"] if answer.get_data() else "") == kind
        assert answer.headers["ETag"]
        assert answer.headers["Last-Modified"]


# --- what is claimed -----------------------------------------------------------------------------------------

METHODS = {
    "read": ("GET", "/1"),
    "update": ("PUT", "/1"),
    "patch": ("PATCH", "/1"),
    "delete": ("DELETE", "/1"),
    "create": ("POST", ""),
    "search-type": ("GET", ""),
    "vread": ("GET", "/1/_history/1"),
    "history-instance": ("GET", "/1/_history"),
    "history-type": ("GET", "/_history"),
}


def test_the_capability_statement_claims_what_answers_and_nothing_else(world: World) -> None:
    it = story(world)
    told = parsed(it.s.get("/metadata"))
    assert {"application/fhir+json", "application/fhir+xml"} <= set(told["format"])
    (rest,) = told["rest"]
    assert {one["code"] for one in rest["interaction"]} == {"batch", "transaction", "history-system"}
    for resource in rest["resource"]:
        name = resource["type"]
        claimed = {one["code"] for one in resource["interaction"]}
        for code, (method, path) in METHODS.items():
            if code == "delete" and name not in REMOVED:
                assert "delete" not in claimed  # it is answered, with the reason why nothing of it is deleted
                continue
            assert (method in allowed_methods(f"/{name}{path}")) == (code in claimed), (name, code)
        for claim, method in (("conditionalUpdate", "PUT"), ("conditionalDelete", "DELETE")):
            if method == "DELETE" and name not in REMOVED:
                assert resource[claim] == "not-supported"
                continue
            body = {"resourceType": name} if method == "PUT" else None
            answer = it.s.ask(method, f"/{name}?identifier=urn:x|{UNKNOWN}", body, If_Match='W/"0"')
            unknown = answer.status_code in (405, 412)
            assert unknown == (resource[claim] in (False, "not-supported")), (name, claim, answer.status_code)
