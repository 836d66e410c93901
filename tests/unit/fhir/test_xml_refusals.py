"""XML that is unsafe or no FHIR: each file has one fault, which is found at its place and told without content."""

import contextlib
import json
import time
from pathlib import Path

import pytest

from referral_hub.errors import InvalidResource, MalformedContent
from referral_hub.fhir import xml_parser
from referral_hub.fhir.xml_codec import decode

FILES = Path(__file__).resolve().parents[2] / "data" / "xml"
EXPECTED: dict[str, dict] = json.loads((FILES / "index.json").read_text(encoding="utf-8"))
NS = b'xmlns="http://hl7.org/fhir"'


def refusal(data: bytes, **limits: int) -> MalformedContent | InvalidResource:
    with pytest.raises((MalformedContent, InvalidResource)) as caught:
        decode(data, **limits)
    return caught.value


def test_the_index_lists_every_file():
    assert {path.name for path in FILES.glob("*.xml")} == set(EXPECTED)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_the_one_fault_is_refused_at_its_place(name: str):
    refused = refusal((FILES / name).read_bytes())
    found = [[issue.expression, issue.code] for issue in getattr(refused, "issues", ())]
    assert (type(refused).__name__, found) == (EXPECTED[name]["error"], EXPECTED[name]["issues"])


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_no_refusal_repeats_what_stood_there(name: str):
    refused = refusal((FILES / name).read_bytes())
    told = [refused.text, *(issue.text for issue in getattr(refused, "issues", ()))]
    # UNSAID is what the files hold where a person's words would stand.
    assert all(text and "UNSAID" not in text and "hostname" not in text for text in told)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("document-type.xml", "leave it out"),
        ("encoding-utf-16.xml", "UTF-8"),
        ("encoding-bytes-that-are-not-utf-8.xml", "not UTF-8 at line 1"),
        ("entity-of-html.xml", "write the character itself"),
        ("not-closed.xml", "line 1, column"),
        ("depth-of-extensions.xml", "64 levels"),
        ("element-unknown.xml", "did you mean name?"),
        ("element-unknown-in-data-type.xml", "possible are extension, family, given"),
        ("element-without-namespace.xml", "http://hl7.org/fhir"),
        ("narrative-in-fhir-namespace.xml", "http://www.w3.org/1999/xhtml"),
        ("attribute-unknown-beside-value.xml", "possible are value, and id"),
        ("boolean-as-digit.xml", "write true or false"),
        ("extension-with-url-as-element.xml", "as an attribute"),
    ],
)
def test_a_refusal_says_what_is_possible(name: str, words: str):
    refused = refusal((FILES / name).read_bytes())
    assert words in refused.text


def test_every_problem_is_told_at_once():
    refused = refusal(
        b'<Patient %b><nickname value="a"/><active value="yes"/><name><surname value="b"/></name></Patient>'
        % NS
    )
    assert isinstance(refused, InvalidResource)
    assert [issue.expression for issue in refused.issues] == [
        "Patient.nickname",
        "Patient.active",
        "Patient.name[0].surname",
        "Patient.name[0]",
    ]


def test_a_document_of_nothing_but_faults_is_not_told_to_its_end():
    refused = refusal(b"<Patient %b>%b</Patient>" % (NS, b"<a/>" * 20_000))
    assert isinstance(refused, InvalidResource)
    assert len(refused.issues) == 1_001


def extensions(depth: int) -> bytes:
    inner = b'<valueCode value="a"/>'
    for _ in range(depth):
        inner = b'<extension url="urn:a">%b</extension>' % inner
    return b"<Basic %b>%b</Basic>" % (NS, inner)


@pytest.mark.parametrize("levels", [1, 3, 9, 64])
def test_depth_is_counted_as_in_json(levels: int):
    from referral_hub.fhir import json_codec

    deepest = (levels - 1) // 2
    as_json = json_codec.encode(decode(extensions(deepest), levels=levels)) if deepest else b'{"a":1}'
    assert json_codec.decode(as_json, levels=levels)
    assert f"{levels} levels" in refusal(extensions(deepest + 1), levels=levels).text


@pytest.mark.parametrize(
    "data",
    [
        b"<Patient %b>%b</Patient>" % (NS, b"<photo/>" * 100),
        b"<Patient %b %b/>" % (NS, b" ".join(b'a%d="1"' % n for n in range(120))),
        b"<Patient %b %b/>" % (NS, b" ".join(b"xmlns:a%d='urn:%d'" % (n, n) for n in range(120))),
    ],
    ids=["elements", "attributes", "namespaces"],
)
def test_more_nodes_than_allowed_are_refused_before_parsing(data: bytes):
    # The document also ends too early: the parser would have told that.
    assert "100 are possible" in refusal(data[:-1], most_nodes=100).text
    assert "well-formed" in refusal(data[:-1]).text


@pytest.mark.parametrize(
    "start", [b"<!DOCTYPE Patient>", b'<!DOCTYPE a [<!ENTITY b "c">]>', b"<!-- a --><!DOCTYPE Patient>"]
)
def test_a_document_type_is_refused_before_parsing(start: bytes):
    assert "DOCTYPE" in refusal(start + b"<Patient").text


def test_as_many_nodes_as_allowed_are_read():
    data = b'<Patient %b><active value="true"/></Patient>' % NS
    assert decode(data, most_nodes=5) == {"resourceType": "Patient", "active": True}
    assert "4 are possible" in refusal(data, most_nodes=4).text


@pytest.mark.parametrize(
    "data",
    [
        b"<Patient %b %b/>" % (NS, b" ".join(b'a%d="1"' % n for n in range(40_000))),
        b"<Patient %b %b><active value='true'/></Patient>"
        % (NS, b" ".join(b"xmlns:a%d='urn:%d'" % (n, n) for n in range(20_000))),
        b"<Patient %b><name %b/></Patient>" % (NS, b" ".join(b'a%d="1"' % n for n in range(40_000))),
        b'<Patient %b><text><div xmlns="http://www.w3.org/1999/xhtml" %b>a</div></text></Patient>'
        % (NS, b" ".join(b'a%d="1"' % n for n in range(40_000))),
        b"<Patient %b>%b" % (NS, b"<name>" * 100_000),
        b'<Patient %b><active value="%b' % (NS, b"x" * 1_000_000),
        b"<Patient" + b" " * 1_000_000,
        b"<Patient %b>" % NS + b"> " * 200_000,
        b"<?xml" + b" encoding" * 100_000,
        b"<!--" * 200_000,
        b"&#x26;" * 200_000,
    ],
    ids=[
        "attributes",
        "namespaces",
        "attributes-inside",
        "attributes-in-narrative",
        "open",
        "value",
        "blanks",
        "marks",
        "declaration",
        "comments",
        "references",
    ],
)
def test_hostile_size_is_answered_soon(data: bytes):
    started = time.process_time()
    with contextlib.suppress(MalformedContent, InvalidResource):
        decode(data)
    assert time.process_time() - started < 20


@pytest.mark.parametrize(
    ("data", "ordinary"),
    [
        (b'<Patient %b><name>\n  <family value="a &lt; b"/>\r\n    </name> </Patient>' % NS, True),
        (b'<?xml version="1.0" encoding="UTF-8"?>\n<Patient %b/>' % NS, True),
        (b"<Patient %b><name><given value='a'/></name></Patient>" % NS, True),
        (b'<Patient %b><name id="1"><use value="official" /></name></Patient>' % NS, True),
        (b"<Patient %b><invented/></Patient>" % NS, False),
        (b'<Patient %b invented="a"/>' % NS, False),
        (b'<Patient %b><active value=" value=" invented=" value="/></Patient>' % NS, False),
        (b'<Patient xmlns="urn:invented"/>', False),
        (b'<Patient %b xmlns:invented="http://hl7.org/fhir"/>' % NS, False),
        (b"<Patient %b><!--invented--></Patient>" % NS, False),
        (b"<Patient %b><?invented a?></Patient>" % NS, False),
        (b"<Patient %b>\n \n  \n <name/></Patient>" % NS, False),
    ],
)
def test_only_ordinary_documents_are_parsed_in_the_callers_thread(data: bytes, ordinary: bool):
    assert xml_parser._is_ordinary(data) is ordinary


def test_names_that_were_invented_do_not_stay_in_memory():
    statm = Path("/proc/self/statm")
    if not statm.exists():
        pytest.skip("this system does not tell how much memory a process has")

    def resident() -> int:
        return int(statm.read_text().split()[1]) * 4096

    def hostile(turn: int) -> bytes:
        return b"<Basic %b>%b</Basic>" % (NS, b"".join(b"<x%d_%d/>" % (turn, n) for n in range(30_000)))

    def refuse(turns: range) -> None:
        for turn in turns:
            with contextlib.suppress(InvalidResource):
                decode(hostile(turn))

    refuse(range(3))
    before = resident()
    refuse(range(3, 23))
    # Kept for good, these 600,000 names would take some 30 MB.
    assert resident() - before < 12_000_000
