"""FHIR XML says the same as the JSON, to the last digit; what it looks like was written by hand here."""

from decimal import Decimal
from typing import Any

import pytest

from referral_hub.errors import InvalidResource, NotAcceptable
from referral_hub.fhir import json_codec
from referral_hub.fhir.xml_codec import CONTENT_TYPE, decode, encode, pretty

DIV = '<div xmlns="http://www.w3.org/1999/xhtml">%s</div>'
START = '<?xml version="1.0" encoding="UTF-8"?>'


def xml(type_name: str, inner: str) -> bytes:
    return f'{START}<{type_name} xmlns="http://hl7.org/fhir">{inner}</{type_name}>'.encode()


# What stands in JSON, and the XML that says it: type, JSON without resourceType, XML without the root.
PAIRS: dict[str, tuple[str, str, str]] = {
    "single values": (
        "Patient",
        '"id":"a1","active":true,"gender":"female","birthDate":"1990-02","multipleBirthInteger":2',
        '<id value="a1"/><active value="true"/><gender value="female"/><birthDate value="1990-02"/>'
        '<multipleBirthInteger value="2"/>',
    ),
    "the id of a resource is an element, that of a part an attribute": (
        "Patient",
        '"id":"a1","name":[{"id":"n1","family":"Birch"}]',
        '<id value="a1"/><name id="n1"><family value="Birch"/></name>',
    ),
    "the url of an extension is an attribute, any other url an element": (
        "ValueSet",
        '"extension":[{"id":"e1","url":"urn:example:a","valueUri":"urn:example:b"}],"url":"urn:example:c","status":"draft"',
        '<extension id="e1" url="urn:example:a"><valueUri value="urn:example:b"/></extension>'
        '<url value="urn:example:c"/><status value="draft"/>',
    ),
    "a value with an id and extensions": (
        "Patient",
        '"birthDate":"1990","_birthDate":{"id":"b1","extension":[{"url":"urn:example:a","valueCode":"x"}]}',
        '<birthDate id="b1" value="1990"><extension url="urn:example:a"><valueCode value="x"/></extension></birthDate>',
    ),
    "a value with an id alone": (
        "Patient",
        '"birthDate":"1990","_birthDate":{"id":"b1"}',
        '<birthDate id="b1" value="1990"/>',
    ),
    "an extension in place of a value": (
        "Patient",
        '"_birthDate":{"extension":[{"url":"urn:example:a","valueCode":"unknown"}]}',
        '<birthDate><extension url="urn:example:a"><valueCode value="unknown"/></extension></birthDate>',
    ),
    "values of a list, some with an id, one without a value": (
        "Patient",
        '"name":[{"given":["Ada",null,"Bea","Cleo"],"_given":[null,{"extension":[{"url":"urn:example:a",'
        '"valueCode":"x"}]},{"id":"g3"},null]}]',
        '<name><given value="Ada"/><given><extension url="urn:example:a"><valueCode value="x"/></extension></given>'
        '<given id="g3" value="Bea"/><given value="Cleo"/></name>',
    ),
    "a list without any value": (
        "Patient",
        '"name":[{"_given":[{"extension":[{"url":"urn:example:a","valueBoolean":false}]}]}]',
        '<name><given><extension url="urn:example:a"><valueBoolean value="false"/></extension></given></name>',
    ),
    "an extension inside an extension inside a value inside an extension": (
        "Basic",
        '"extension":[{"url":"urn:example:a","extension":[{"url":"b","valueString":"c","_valueString":{"extension":'
        '[{"url":"urn:example:d","valueInteger":-1}]}}]}],"code":{"text":"e"}',
        '<extension url="urn:example:a"><extension url="b"><valueString value="c"><extension url="urn:example:d">'
        '<valueInteger value="-1"/></extension></valueString></extension></extension><code><text value="e"/></code>',
    ),
    "an element of several types, as a value and as an object": (
        "Observation",
        '"status":"final","code":{"text":"a"},"effectiveDateTime":"2026","valueQuantity":{"value":1.50,"unit":"h"}',
        '<status value="final"/><code><text value="a"/></code><effectiveDateTime value="2026"/>'
        '<valueQuantity><value value="1.50"/><unit value="h"/></valueQuantity>',
    ),
    "contained resources": (
        "Task",
        '"contained":[{"resourceType":"Organization","id":"o1","name":"House"},{"resourceType":"Patient","id":"p1"}],'
        '"status":"draft","intent":"order","requester":{"reference":"#o1"}',
        '<contained><Organization><id value="o1"/><name value="House"/></Organization></contained>'
        '<contained><Patient><id value="p1"/></Patient></contained>'
        '<status value="draft"/><intent value="order"/><requester><reference value="#o1"/></requester>',
    ),
    "resources in a Bundle, one of them with nothing in it": (
        "Bundle",
        '"type":"batch-response","entry":[{"fullUrl":"urn:example:1","resource":{"resourceType":"Patient"}},'
        '{"response":{"status":"404","outcome":{"resourceType":"OperationOutcome","issue":[{"severity":"error",'
        '"code":"not-found"}]}}}]',
        '<type value="batch-response"/><entry><fullUrl value="urn:example:1"/><resource><Patient/></resource></entry>'
        '<entry><response><status value="404"/><outcome><OperationOutcome><issue><severity value="error"/>'
        '<code value="not-found"/></issue></OperationOutcome></outcome></response></entry>',
    ),
    "parameters with a resource and parts": (
        "Parameters",
        '"parameter":[{"name":"a","resource":{"resourceType":"Basic","id":"b"}},{"name":"c","part":[{"name":"d",'
        '"valueDecimal":0.10}]}]',
        '<parameter><name value="a"/><resource><Basic><id value="b"/></Basic></resource></parameter>'
        '<parameter><name value="c"/><part><name value="d"/><valueDecimal value="0.10"/></part></parameter>',
    ),
    "a part that repeats itself": (
        "Questionnaire",
        '"status":"draft","item":[{"linkId":"1","type":"group","item":[{"linkId":"1.1","type":"string"}]}]',
        '<status value="draft"/><item><linkId value="1"/><type value="group"/><item><linkId value="1.1"/>'
        '<type value="string"/></item></item>',
    ),
    "a narrative": (
        "Patient",
        '"text":{"status":"generated","div":"<div xmlns=\\"http://www.w3.org/1999/xhtml\\"><p>1 &lt; 2 &amp; a</p>\\n'
        '<!-- b --><br/><a href=\\"#c\\" title=\\"&quot;\\">\u00e9</a></div>"}',
        '<text><status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml"><p>1 &lt; 2 &amp; a</p>\n'
        '<!-- b --><br/><a href="#c" title="&quot;">\u00e9</a></div></text>',
    ),
    "texts that XML must write another way": (
        "Basic",
        '"code":{"text":"a\\n\\tb\\r\\n <c> & \\"d\\" \'e\' ]]> \u00a0\u4e2d\U0001f600"}',
        "<code><text value=\"a&#10;&#9;b&#13;&#10; &lt;c&gt; &amp; &quot;d&quot; 'e' ]]&gt; "
        '\u00a0\u4e2d\U0001f600"/></code>',
    ),
    "blanks at the ends of a text": (
        "Basic",
        '"code":{"text":"  a  "}',
        '<code><text value="  a  "/></code>',
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_json_and_xml_say_the_same(name: str):
    type_name, json_part, inner = PAIRS[name]
    data = f'{{"resourceType":"{type_name}",{json_part}}}'.encode()
    assert encode(json_codec.decode(data)) == xml(type_name, inner)
    # Byte for byte: JSON keeps the order of its keys, and these are written in that of the standard.
    read = decode(xml(type_name, inner))
    assert read == json_codec.decode(data)
    assert encode(read) == xml(type_name, inner)


NUMBERS = [
    "1.50",
    "100.000000000000000001",
    "1E2",
    "1e2",
    "1.0e5",
    "1E+2",
    "1e-7",
    "0.0000001",
    "-0.0",
    "-0",
    "0.00",
]


@pytest.mark.parametrize("number", [*NUMBERS, "7", "-12", "123456789012345678901234567890"])
def test_a_decimal_keeps_its_digits_both_ways(number: str):
    data = b'{"resourceType":"Basic","extension":[{"url":"urn:a","valueDecimal":%b}]}' % number.encode()
    written = encode(json_codec.decode(data))
    assert f'<valueDecimal value="{number}"/>'.encode() in written
    assert json_codec.encode(decode(written)) == data


def test_a_whole_number_with_plus_is_that_number():
    # R4 lets an integer begin with +; JSON has no such number.
    assert decode(xml("Patient", '<multipleBirthInteger value="+2"/>'))["multipleBirthInteger"] == 2


def test_elements_stand_in_the_order_of_the_standard_whatever_the_order_of_the_keys():
    resource = {
        "birthDate": "1990",
        "_active": {"id": "x"},
        "name": [{"given": ["Ada"], "use": "official", "family": "Birch"}],
        "resourceType": "Patient",
        "active": True,
        "id": "a1",
        "meta": {"tag": [{"code": "t"}], "versionId": "1"},
    }
    assert encode(resource) == xml(
        "Patient",
        '<id value="a1"/><meta><versionId value="1"/><tag><code value="t"/></tag></meta><active id="x" value="true"/>'
        '<name><use value="official"/><family value="Birch"/><given value="Ada"/></name><birthDate value="1990"/>',
    )


# ---- what XML may look like ----

ADA = {"resourceType": "Patient", "active": True, "name": [{"given": ["Ada", "Bea"]}]}


@pytest.mark.parametrize(
    "data",
    [
        b'<Patient xmlns="http://hl7.org/fhir"><active value="true"/><name><given value="Ada"/><given value="Bea"/>'
        b"</name></Patient>",
        b'<?xml version="1.0"?>\n<Patient xmlns="http://hl7.org/fhir">\r\n  <active value="true"/>\n\n\t<name>\n'
        b'<given value="Ada"></given>\n<given value="Bea"/> </name>\n</Patient>\n',
        b"\xef\xbb\xbf<?xml version='1.0' encoding='utf-8' standalone='yes'?><Patient xmlns='http://hl7.org/fhir'>"
        b"<active value='true'/><name><given value='Ada'/><given value='Bea'/></name></Patient>",
        b'<f:Patient xmlns:f="http://hl7.org/fhir" xmlns:other="urn:example:other"><f:active value="true"/><f:name>'
        b'<f:given value="Ada"/><f:given value="Bea"/></f:name></f:Patient>',
        b'<!-- a --><?style b?><Patient xmlns="http://hl7.org/fhir"><!-- c --><active value="true"><!-- d --></active>'
        b'<?e f?><name><given value="Ada"/><!-- <g/> --><given value="&#66;&#x65;a"/></name></Patient><!-- h -->',
        b'<Patient xmlns="http://hl7.org/fhir" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        b'xsi:schemaLocation="http://hl7.org/fhir patient.xsd"><active value="true"/><name><given value="Ada"/>'
        b'<given value="Bea"/></name></Patient>',
        b'<Patient xmlns="http://hl7.org/fhir"><active value=" true&#10;"/><name><given value="Ada"/>'
        b'<given value="Bea"/></name></Patient>',
    ],
    ids=[
        "plain",
        "indented",
        "declared",
        "prefixed",
        "comments",
        "schema location",
        "blanks around a boolean",
    ],
)
def test_other_spellings_of_the_same(data: bytes):
    assert decode(data) == ADA


def narrative(inner: str) -> str:
    return decode(xml("Patient", f'<text><status value="generated"/>{inner}</text>'))["text"]["div"]


@pytest.mark.parametrize(
    ("inner", "text"),
    [
        (DIV % "a", DIV % "a"),
        (DIV % "a<br></br>b<p >c</p >", DIV % "a<br/>b<p>c</p>"),
        (DIV % "<p class='x' title='\"'>a</p>", DIV % '<p class="x" title="&quot;">a</p>'),
        (DIV % "&quot;a&quot; &#233; &gt; >", DIV % '"a" \u00e9 &gt; &gt;'),
        (DIV % "<![CDATA[<b>]]>", DIV % "&lt;b&gt;"),
        (DIV % "a<?b c?>d<!-- e -->f", DIV % "ad<!-- e -->f"),
        (DIV % '<p xml:lang="en">a</p>', DIV % '<p xml:lang="en">a</p>'),
        ('<h:div xmlns:h="http://www.w3.org/1999/xhtml" id="a"><h:p>b</h:p></h:div>', (DIV % "<p>b</p>").replace(
            'xhtml">', 'xhtml" id="a">')),
        (DIV % "a  b\n\n c", DIV % "a  b\n\n c"),
    ],
)  # fmt: skip
def test_a_narrative_is_spelled_one_way(inner: str, text: str):
    assert narrative(inner) == text
    resource = {"resourceType": "Patient", "text": {"status": "generated", "div": text}}
    assert decode(encode(resource)) == resource


def test_a_namespace_that_the_document_names_does_not_get_into_the_narrative():
    data = (
        b'<Patient xmlns="http://hl7.org/fhir" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><text>'
        b'<status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml">a</div></text></Patient>'
    )
    assert decode(data)["text"]["div"] == DIV % "a"


# ---- what cannot be written ----

REFUSED: dict[str, dict[str, Any]] = {
    "unknown type": {"resourceType": "Person2"},
    "data type": {"resourceType": "HumanName", "family": "a"},
    "no type": {"active": True},
    "unknown element": {"resourceType": "Patient", "nickname": "a"},
    "sibling of an object": {"resourceType": "Patient", "_name": [{"id": "a"}]},
    "sibling of an attribute": {"resourceType": "Patient", "name": [{"_id": {"id": "a"}, "family": "b"}]},
    "number for a text": {"resourceType": "Patient", "birthDate": 1990},
    "text for a boolean": {"resourceType": "Patient", "active": "true"},
    "boolean for a number": {"resourceType": "Patient", "multipleBirthInteger": True},
    "text for a number": {"resourceType": "Patient", "multipleBirthInteger": "2"},
    "float": {"resourceType": "Basic", "extension": [{"url": "urn:a", "valueDecimal": 1.5}]},
    "not a number": {
        "resourceType": "Basic",
        "extension": [{"url": "urn:a", "valueDecimal": Decimal("NaN")}],
    },
    "text for an object": {"resourceType": "Patient", "maritalStatus": "a"},
    "object for a list": {"resourceType": "Patient", "name": {"family": "a"}},
    "list for an object": {"resourceType": "Patient", "maritalStatus": [{"text": "a"}]},
    "list for a value": {"resourceType": "Patient", "birthDate": ["1990"]},
    "value for a list": {"resourceType": "Patient", "name": [{"given": "a"}]},
    "empty object": {"resourceType": "Patient", "maritalStatus": {}},
    "empty list": {"resourceType": "Patient", "name": []},
    "empty text": {"resourceType": "Patient", "name": [{"family": ""}]},
    "lonely null": {"resourceType": "Patient", "name": [{"given": ["a", None]}]},
    "null": {"resourceType": "Patient", "birthDate": None},
    "contained text": {"resourceType": "Patient", "contained": ["a"]},
    "contained without type": {"resourceType": "Patient", "contained": [{"id": "a"}]},
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_resource_is_not_written(name: str):
    with pytest.raises(InvalidResource) as caught:
        encode(REFUSED[name])
    assert caught.value.issues[0].is_error


@pytest.mark.parametrize(
    "div",
    [
        '<div xmlns="http://www.w3.org/1999/xhtml">a</div></text><active value="true"/><text>',
        '<div xmlns="http://www.w3.org/1999/xhtml">a</div><div xmlns="http://www.w3.org/1999/xhtml">b</div>',
        '<div xmlns="http://www.w3.org/1999/xhtml">a',
        '<div xmlns="http://www.w3.org/1999/xhtml">&nbsp;</div>',
        '<div xmlns="http://www.w3.org/1999/xhtml">&#1;</div>',
        '<!DOCTYPE div [<!ENTITY a "b">]><div xmlns="http://www.w3.org/1999/xhtml">&a;</div>',
        '<p xmlns="http://www.w3.org/1999/xhtml">a</p>',
        "<div>a</div>",
        "a",
        "",
        'a<div xmlns="http://www.w3.org/1999/xhtml">a</div>',
        '<div xmlns="http://www.w3.org/1999/xhtml">a</div>b',
        '<div xmlns="http://www.w3.org/1999/xhtml">\ud800</div>',
    ],
)
def test_a_narrative_cannot_change_what_is_around_it(div: str):
    with pytest.raises(InvalidResource):
        encode({"resourceType": "Patient", "text": {"status": "generated", "div": div}})


@pytest.mark.parametrize("character", ["\x00", "\x08", "\x0b", "\x1f", "\ufffe", "\uffff", "\ud800"])
def test_a_character_that_xml_lacks_leaves_json_as_the_way(character: str):
    with pytest.raises(NotAcceptable, match="ask for JSON"):
        encode({"resourceType": "Basic", "code": {"text": f"a{character}b"}})


# ---- for people ----


def test_pretty_indents_all_but_the_narrative():
    resource = {
        "resourceType": "Patient",
        "text": {"status": "generated", "div": DIV % "<p>a</p><p>b</p>"},
        "name": [{"text": "a\nb", "_text": {"id": "t"}}],
    }
    shown = pretty(encode(resource))
    assert shown.decode().splitlines() == [
        START,
        '<Patient xmlns="http://hl7.org/fhir">',
        "  <text>",
        '    <status value="generated"/>',
        f"    {DIV % '<p>a</p><p>b</p>'}",
        "  </text>",
        "  <name>",
        '    <text id="t" value="a&#10;b"/>',
        "  </name>",
        "</Patient>",
    ]
    assert decode(shown) == resource


def test_the_media_type():
    assert CONTENT_TYPE == "application/fhir+xml"
