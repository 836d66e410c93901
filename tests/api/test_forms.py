"""FHIR XML over HTTP: in, out, in Bundles and errors, exact to the JSON; and what is refused. On both databases."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from referral_hub.fhir import json_codec, xml_codec
from referral_hub.fhir.canonical import V2_0203
from referral_hub.resources.catalog import DEFINITIONS
from tests import builders as b
from tests.api.asking import UNKNOWN, bundle, entry, link, urn
from tests.api.network import Story, story
from tests.world import Caller, World, parsed

XML = "application/fhir+xml"
EXAMPLES = Path(__file__).resolve().parents[3] / "shared" / "fhir" / "examples"


def from_xml(answer: Any) -> dict[str, Any]:
    """Gives what an answer in XML says, as JSON."""
    assert answer.headers["Content-Type"] == f"{XML}; charset=utf-8", answer.get_data(as_text=True)
    return xml_codec.decode(answer.get_data())


def exact(value: Any) -> Any:
    """Gives the same value with every number as its text."""
    if isinstance(value, dict):
        return {key: exact(item) for key, item in value.items()}
    if isinstance(value, list):
        return [exact(item) for item in value]
    return value if value is None or isinstance(value, bool | str) else (type(value).__name__, str(value))


# --- choosing the form ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", "json"),
        ("*/*", "json"),
        ("application/*", "json"),
        ("application/fhir+json", "json"),
        ("application/json", "json"),
        ("text/json", "json"),
        ("application/fhir+xml", "xml"),
        ("application/xml", "xml"),
        ("text/xml", "xml"),
        ("text/html, application/xml;q=0.9, */*;q=0.8", "xml"),
        ("application/fhir+xml;q=0.5, application/fhir+json;q=0.4", "xml"),
        ("application/fhir+xml;q=0.5, application/fhir+json", "json"),
        ("application/fhir+xml, application/fhir+json", "json"),
        ("application/fhir+json;q=0, */*", "xml"),
        ("application/fhir+xml; fhirVersion=4.0", "xml"),
        ("application/fhir+xml; fhirVersion=3.0", ""),
        ("application/fhir+json; q=0", ""),
        ("text/html", ""),
        ("text/turtle", ""),
    ],
)
def test_accept_chooses_the_form(world: World, accept: str, form: str) -> None:
    it = story(world)
    answer = it.s.get(f"/{it.person}", **({"Accept": accept} if accept else {}))
    assert answer.status_code == (200 if form else 406)
    assert answer.headers["Content-Type"] == f"application/fhir+{form or 'json'}; charset=utf-8"


@pytest.mark.parametrize(
    ("stated", "form"),
    [
        ("json", "json"),
        ("application/json", "json"),
        ("application/fhir+json", "json"),
        ("application/fhir%2Bjson", "json"),
        ("xml", "xml"),
        ("text/xml", "xml"),
        ("application/xml", "xml"),
        ("application/fhir+xml", "xml"),
        ("application/fhir%2Bxml", "xml"),
        ("html", ""),
        ("ttl", ""),
    ],
)
def test_format_comes_before_accept(world: World, stated: str, form: str) -> None:
    it = story(world)
    other = "application/fhir+json" if form == "xml" else XML
    answer = it.s.get(f"/{it.person}?_format={stated}", Accept=other)
    assert answer.status_code == (200 if form else 406)
    assert answer.headers["Content-Type"] == f"application/fhir+{form or 'json'}; charset=utf-8"


@pytest.mark.parametrize("form", ["json", "xml"])
def test_pretty_is_for_people(world: World, form: str) -> None:
    it = story(world)
    plain, pretty = (
        it.s.get(f"/{it.person}?_format={form}{more}").get_data() for more in ("", "&_pretty=true")
    )
    assert plain.count(b"\n") < 2 < pretty.count(b"\n")
    read = json_codec.decode if form == "json" else xml_codec.decode
    assert exact(read(plain)) == exact(read(pretty))


def test_links_keep_the_form_that_was_asked(world: World) -> None:
    it = story(world)
    it.s.changed(it.person, gender="other")
    it.s.create(b.patient("Other"))
    for path in ("/Patient?_count=1", "/Patient/_history?_count=1", f"/{it.person}/$everything?_count=1"):
        page = from_xml(it.s.get(f"{path}&_format=xml"))
        following = link(page)
        assert "_format=xml" in following
        assert from_xml(it.s.get(following))["resourceType"] == "Bundle"


# --- what is said in XML is what is said in JSON -------------------------------------------------------------


def _answers(it: Story, caller: Caller) -> list[str]:
    version = caller.read(it.task)["meta"]["versionId"]
    return [
        it.task,
        it.person,
        f"{it.task}/_history",
        f"{it.task}/_history/{version}",
        "Task?_include=Task:focus&_total=accurate",
        "Task/_history",
        "_history",
        f"{it.person}/$everything",
        f"{it.task}/$available-actions",
        f"{it.person}/$disclosures",
        f"Patient/{UNKNOWN}",
        "Patient?birthdate=yesterday",
        "Claim/1",
        "Task/1/$unknown",
        "metadata",
    ]


@pytest.mark.parametrize("side", ["s", "c"])
def test_every_answer_is_the_same_in_both_forms(world: World, side: str) -> None:
    it = story(world)
    it.sign()
    it.refer()
    it.move("accepted")
    caller: Caller = getattr(it, side)
    for path in _answers(it, caller):
        in_json, in_xml = caller.get(f"/{path}"), caller.get(f"/{path}", Accept=XML)
        assert in_json.status_code == in_xml.status_code, path
        assert in_json.headers.get("ETag") == in_xml.headers.get("ETag")
        if "$disclosures" not in path:
            assert exact(from_xml(in_xml)) == exact(parsed(in_json)), path
        assert caller.ask("HEAD", f"/{path}", Accept=XML).headers["Content-Type"].startswith(XML)


def test_digits_extensions_and_narrative_pass_through_the_store(world: World) -> None:
    it = story(world)
    div = '<div xmlns="http://www.w3.org/1999/xhtml"><p class="a">1 &lt; 2 &amp; <b>bold</b><br/></p></div>'
    whole = {
        **b.observation(it.person),
        "text": {"status": "additional", "div": div},
        "valueQuantity": {"value": json_codec.decode(b"1.50"), "unit": "kg"},
        "component": [
            {
                "code": {"text": "long"},
                "valueQuantity": {"value": json_codec.decode(b"100.000000000000000001")},
            }
        ],
        "_effectiveDateTime": {"extension": [{"url": "urn:example:about", "valueBoolean": True}]},
    }
    made = it.s.ask("POST", "/Observation", xml_codec.encode(whole), Content_Type=XML, Accept=XML)
    assert made.status_code == 201, made.get_data(as_text=True)
    kept = parsed(it.s.get(f"/Observation/{from_xml(made)['id']}"))
    for name in whole:
        if name != "meta":
            assert exact(kept[name]) == exact(whole[name]), name
    assert exact(from_xml(it.s.get(f"/Observation/{kept['id']}?_format=xml"))) == exact(kept)


def _without_links(value: Any) -> Any:
    """Gives a resource that points nowhere: its references become words."""
    if isinstance(value, dict):
        found = {key: _without_links(item) for key, item in value.items()}
        if isinstance(value.get("reference"), str) and not value["reference"].startswith("#"):
            return {"display": value.get("display", "somebody")}
        return found
    return [_without_links(item) for item in value] if isinstance(value, list) else value


def test_examples_of_the_standard_pass_through_the_store(world: World) -> None:
    if not EXAMPLES.is_dir():
        pytest.skip("the official examples are not beside this checkout")
    it = story(world)
    stored, differing = 0, []
    for path in sorted(EXAMPLES.glob("*.json")):
        if json.loads(path.read_bytes())["resourceType"] not in DEFINITIONS:
            continue
        example = _without_links(json_codec.decode(path.read_bytes()))
        example.pop("id", None)
        made = it.s.ask("POST", f"/{example['resourceType']}", xml_codec.encode(example), Content_Type=XML)
        if made.status_code != 201:
            continue  # a rule of the hub, such as the status a Task begins with
        stored += 1
        address = f"/{example['resourceType']}/{parsed(made)['id']}"
        in_json, in_xml = parsed(it.s.get(address)), from_xml(it.s.get(address, Accept=XML))
        same = exact(in_xml) == exact(in_json)
        for name in set(example) - {"meta", "identifier"}:
            same = same and exact(in_json.get(name)) == exact(
                xml_codec.decode(xml_codec.encode(example)).get(name)
            )
        if not same:
            differing.append(path.name)
    assert differing == []
    assert stored >= 25


def test_a_transaction_in_xml(world: World) -> None:
    it = story(world)
    asked = bundle(
        "transaction",
        entry("POST", "Condition", b.condition(urn(1))),
        entry("POST", "Patient", b.patient("Grebe"), urn(1)),
    )
    answer = it.s.ask("POST", "/", xml_codec.encode(asked), Content_Type="application/xml", Accept=XML)
    found = from_xml(answer)
    assert [one["response"]["status"] for one in found["entry"]] == ["201 Created"] * 2
    batch = xml_codec.encode(bundle("batch", entry("GET", it.person), entry("GET", "Patient?_format=json")))
    found = from_xml(it.s.ask("POST", "/", batch, Content_Type="text/xml", Accept=XML))
    assert [one["response"]["status"] for one in found["entry"]] == ["200 OK"] * 2


def test_an_operation_takes_parameters_in_xml(world: World) -> None:
    it = story(world)
    it.sign()
    parameters = {"resourceType": "Parameters", "parameter": [{"name": "how", "valueCode": "oral"}]}
    path = f"/Consent/{it.release['id']}/$revoke"
    answer = it.s.ask("POST", path, xml_codec.encode(parameters), Content_Type=XML, Accept=XML)
    assert from_xml(answer)["status"] == "inactive"


# --- writing back in XML -------------------------------------------------------------------------------------


def test_a_recipient_writes_its_view_back_in_xml(world: World) -> None:
    it = story(world)
    it.sign()
    it.refer(description="only ours")
    it.move("accepted")
    shown = it.c.get(f"/{it.task}", Accept=XML)
    document = etree.fromstring(shown.get_data())
    namespaces = {"f": "http://hl7.org/fhir"}
    document.find("f:status", namespaces).set("value", "in-progress")
    # A foreign library spells the same narrative another way, and indents as it likes.
    for div in document.iter("{http://www.w3.org/1999/xhtml}div"):
        div.set("class", "x")
        del div.attrib["class"]
    sent = etree.tostring(document, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    answer = it.c.ask("PUT", f"/{it.task}", sent, Content_Type=XML, If_Match=shown.headers["ETag"])
    assert answer.status_code == 200, answer.get_data(as_text=True)
    stored = it.s.read(it.task)
    assert (stored["status"], stored["description"]) == ("in-progress", "only ours")


def test_a_respelled_narrative_is_no_change(world: World) -> None:
    it = story(world)
    it.sign()
    spelled = '<div xmlns="http://www.w3.org/1999/xhtml"><p id="a" class="b">x<br/>&#160;</p></div>'
    answer_note = {
        "resourceType": "Basic",
        "id": "n",
        "code": {"text": "x"},
        "text": {"status": "generated", "div": spelled},
    }
    it.refer()
    it.move("accepted")
    it.move("in-progress", contained=None)
    kept = it.s.read(it.task)
    shown = it.c.read(it.task)
    assert shown["status"] == kept["status"] == "in-progress"
    from referral_hub.access.writeback import TASK_OWNER_WRITABLE, merge_update

    stored = {**kept, "contained": [answer_note]}
    other = spelled.replace('id="a" class="b"', "class='b' id='a'").replace("<br/>", "<br></br>")
    sent = {**stored, "contained": [{**answer_note, "text": {"status": "generated", "div": other}}]}
    assert merge_update(stored, stored, sent, TASK_OWNER_WRITABLE, writer=it.clinic) == stored


def test_a_filler_number_in_xml(world: World) -> None:
    it = story(world)
    it.sign()
    it.refer()
    filler = {"type": b.coded(V2_0203, "FILL"), "system": "urn:example:clinic", "value": "C-18"}
    shown = it.c.read(it.task)
    changed = {**shown, "status": "accepted", "identifier": [*shown["identifier"], filler]}
    etag = f'W/"{shown["meta"]["versionId"]}"'
    answer = it.c.ask(
        "PUT", f"/{it.task}", xml_codec.encode(changed), Content_Type=XML, If_Match=etag, Accept=XML
    )
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert "C-18" in answer.get_data(as_text=True)


# --- what is refused -----------------------------------------------------------------------------------------

START = b'<Patient xmlns="http://hl7.org/fhir">'
LAUGHS = b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10))
BODIES: dict[str, tuple[bytes, int]] = {
    "empty": (b"", 400),
    "not XML": (b"{}", 400),
    "an external entity": (
        b'<!DOCTYPE p [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
        + START
        + b'<language value="&e;"/></Patient>',
        400,
    ),
    "a billion laughs": (
        b'<!DOCTYPE p [<!ENTITY l0 "ha">' + LAUGHS + b"]>" + START + b'<language value="&l9;"/></Patient>',
        400,
    ),
    "a DTD elsewhere": (b'<!DOCTYPE p SYSTEM "http://elsewhere.example/p.dtd">' + START + b"</Patient>", 400),
    "an unknown entity": (START + b'<language value="&nbsp;"/></Patient>', 400),
    "another encoding": (b'<?xml version="1.0" encoding="UTF-16"?>' + START + b"</Patient>", 400),
    "too deep": (START + b'<extension url="a">' * 300 + b"</extension>" * 300 + b"</Patient>", 400),
    "too many elements": (START + b"<x/>" * 600_000 + b"</Patient>", 400),
    "no FHIR": (b"<html><body/></html>", 400),
    "another namespace": (b'<Patient xmlns="http://hl7.org/fhir" xmlns:x="urn:x"><x:a/></Patient>', 422),
    "an unknown element": (START + b'<shoeSize value="44"/></Patient>', 422),
    "text between elements": (START + b"Lark</Patient>", 422),
    "script in the narrative": (
        START
        + b'<text><status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml"><script>x</script></div></text></Patient>',
        422,
    ),
    "a wrong code": (START + b'<gender value="banana"/></Patient>', 422),
    "an include": (
        START
        + b'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd" parse="text"/></Patient>',
        422,
    ),
    "too large": (START + b"<!--" + b"a" * (4 * 1024 * 1024) + b"--></Patient>", 413),
}


@pytest.mark.parametrize("fault", BODIES)
def test_bad_xml_is_refused_in_xml_and_nothing_is_stored(world: World, fault: str) -> None:
    it = story(world)
    body, http_status = BODIES[fault]
    before = it.s.get("/Patient/_history").get_data()
    answer = it.s.ask("POST", "/Patient", body, Content_Type=XML, Accept=XML)
    assert answer.status_code == http_status, answer.get_data(as_text=True)
    told = from_xml(answer)
    assert told["resourceType"] == "OperationOutcome"
    assert "root:" not in answer.get_data(as_text=True)
    assert it.s.get("/Patient/_history").get_data() == before


def test_errors_of_headers_and_methods_are_in_the_form_asked(world: World) -> None:
    it = story(world)
    asks = [
        ("GET", f"/{it.person}", {"Authorization": "Bearer x"}, 401),
        ("PUT", "/Patient", {"Content_Type": "text/plain"}, 415),
        ("POST", "/Patient", {"Content_Type": "text/plain"}, 415),
        ("POST", "/Task/_search", {"Content_Type": "text/plain"}, 400),
        ("DELETE", "/metadata", {}, 405),
        ("GET", "/Task/1/2/3/4/5", {}, 404),
        ("GET", "/Patient?_cursor=x", {}, 400),
    ]
    for method, path, headers, http_status in asks:
        answer = it.s.ask(method, path, b"x" if method in ("POST", "PUT") else None, Accept=XML, **headers)
        assert answer.status_code == http_status, (method, path, answer.get_data(as_text=True))
        assert from_xml(answer)["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize(
    ("address", "body", "accept", "xml"),
    [
        ("", "_format=xml", "*/*", True),
        ("", "_format=json", XML, False),
        ("?_format=json", "_format=xml", "*/*", False),
        ("", "status=requested", XML, True),
    ],
)
def test_a_search_by_form_may_say_the_form_of_its_answer(
    world: World, address: str, body: str, accept: str, xml: bool
) -> None:
    it = story(world)
    form = "application/x-www-form-urlencoded"
    answer = it.s.ask("POST", f"/Task/_search{address}", body.encode(), Content_Type=form, Accept=accept)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith(XML) is xml
    read = from_xml if xml else parsed
    assert read(answer)["type"] == "searchset"
    refused = it.s.ask(
        "POST", f"/Task/_search{address}", f"{body}&_list=x".encode(), Content_Type=form, Accept=accept
    )
    assert refused.status_code == 400
    assert refused.headers["Content-Type"].startswith(XML) is xml


def test_a_form_of_an_answer_that_nobody_speaks_is_406(world: World) -> None:
    it = story(world)
    form = "application/x-www-form-urlencoded"
    assert it.s.ask("POST", "/Task/_search", b"_format=turtle", Content_Type=form).status_code == 406


def test_a_packed_body_is_refused(world: World) -> None:
    it = story(world)
    packed = gzip.compress(json_codec.encode(b.patient("Tern")))
    for form in ("application/fhir+json", XML):
        answer = it.s.ask("POST", "/Patient", packed, Content_Type=form, Content_Encoding="gzip")
        assert answer.status_code == 415


def test_a_character_that_xml_lacks_is_never_stored(world: World) -> None:
    it = story(world)
    for character in ("\x01", "\x0b", "\x0c", "\ufffe", "\uffff"):
        for more in (
            {"name": [{"text": f"a{character}b"}]},
            {"identifier": [{"system": f"urn:{character}"}]},
        ):
            body = json.dumps({**b.patient("Tern"), **more}).encode()
            answer = it.s.ask("POST", "/Patient", body, Content_Type="application/fhir+json")
            assert answer.status_code in (400, 422), repr(character)
