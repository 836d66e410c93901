"""Media types: what is asked for is what comes, in JSON and in XML."""

import json
from xml.etree import ElementTree as ET

from conformance.doors import FHIR_JSON, FHIR_XML, Answer
from conformance.invented import observation
from conformance.lab import Lab
from conformance.registry import check
from conformance.results import expect
from conformance.samples import address, person, person_reference, type_with

_FHIR = "{http://hl7.org/fhir}"


def _xml(answer: Answer) -> ET.Element:
    """Gives the root of an XML answer; ends the check as failed where it is none."""
    expect(answer.media_type == FHIR_XML, f"{answer.line} came as {answer.media_type}.")
    try:
        return ET.fromstring(answer.body)  # noqa: S314 - the answer of the server we were asked to look at
    except ET.ParseError as fault:
        expect(condition=False, message=f"{answer.line}: no XML: {fault}")
        raise


@check("rest.formats.json", "R4-MIME-1")
def json_type(lab: Lab) -> None:
    """Asked for application/fhir+json, the server answers with that media type."""
    answer = lab.author.get(address(person(lab))).must_be(200)
    expect(answer.media_type == FHIR_JSON, f"It came as {answer.media_type}.")


@check("rest.formats.charset", "R4-MIME-2")
def charset(lab: Lab) -> None:
    """Resources travel in UTF-8, in both directions."""
    made = lab.kept(
        {**_somebody(), "name": [{"family": f"Zq{lab.run}Žluťoučký", "given": ["Ærø", "渡り鳥"]}]}
    )
    answer = lab.author.get(address(made)).must_be(200)
    expect(answer.resource["name"][0]["given"] == ["Ærø", "渡り鳥"], "The name came back changed.")
    told = answer.headers.get("Content-Type", "").lower()
    expect("charset" not in told or "utf-8" in told, f"The media type says {told}.")


def _somebody() -> dict[str, object]:
    return {"resourceType": "Patient", "gender": "female", "birthDate": "1990-06-15"}


@check("rest.formats.generic", "R4-MIME-3")
def generic(lab: Lab) -> None:
    """Asked for application/json, the server answers with JSON."""
    answer = lab.author.get(address(person(lab)), accept="application/json").must_be(200)
    expect(answer.media_type in ("application/json", FHIR_JSON), f"It came as {answer.media_type}.")
    expect(answer.resource["resourceType"] == "Patient", "It is no Patient.")


@check("rest.formats.parameter", "R4-MIME-4")
def parameter(lab: Lab) -> None:
    """The parameter _format wins over the Accept header."""
    for value in ("json", "application/json", "application/fhir%2Bjson"):
        answer = lab.author.get(f"{address(person(lab))}?_format={value}", accept="text/html").must_be(200)
        expect("json" in answer.media_type, f"_format={value} came as {answer.media_type}.")


@check("rest.formats.unacceptable", "R4-MIME-5")
def unacceptable(lab: Lab) -> None:
    """A form that the server does not speak is refused with 406."""
    lab.author.get(address(person(lab)), accept="image/png").must_be(406)


@check("rest.formats.unsupported", "R4-MIME-6")
def unsupported(lab: Lab) -> None:
    """A body in a form that the server does not read is refused with 415."""
    lab.claims.need("Patient", "create")
    answer = lab.author.ask("POST", "/Patient", b"\x89PNG", content_type="image/png")
    lab.created(answer).must_be(415)


@check("rest.formats.pretty", "R4-MIME-7")
def pretty(lab: Lab) -> None:
    """Asked for pretty output, the server gives the same resource."""
    made = person(lab)
    answer = lab.author.get(f"{address(made)}?_pretty=true").must_be(200)
    expect(answer.resource == lab.author.get(address(made)).resource, "It is not the same resource.")


@check("rest.formats.xml.read", "R4-XML-1")
def xml_read(lab: Lab) -> None:
    """Asked for application/fhir+xml, the server answers with the resource in XML."""
    lab.claims.need_xml()
    made = person(lab)
    root = _xml(lab.author.get(address(made), accept=FHIR_XML).must_be(200))
    expect(root.tag == f"{_FHIR}Patient", f"The root element is {root.tag}.")
    found = root.find(f"{_FHIR}id")
    expect(found is not None and found.get("value") == made["id"], "The id in it is another.")


@check("rest.formats.xml.create", "R4-XML-2")
def xml_create(lab: Lab) -> None:
    """A resource sent as XML is the same when it is read as JSON."""
    lab.claims.need_xml()
    lab.claims.need("Patient", "create")
    sent = (
        f'<Patient xmlns="http://hl7.org/fhir"><name><family value="Zq{lab.run}Avocet"/><given value="Kim"/></name>'
        '<gender value="female"/><birthDate value="1990-06-15"/></Patient>'
    )
    answer = lab.author.ask("POST", "/Patient", sent, content_type=FHIR_XML)
    lab.created(answer).must_be(201)
    found = lab.author.get(answer.headers.get("Location", "").partition("/_history")[0]).must_be(200).resource
    expect(found["name"] == [{"family": f"Zq{lab.run}Avocet", "given": ["Kim"]}], "The name is another.")
    expect(found.get("birthDate") == "1990-06-15", "The birth date is another.")


@check("rest.formats.xml.bundle", "R4-XML-3")
def xml_bundle(lab: Lab) -> None:
    """A search answered in XML is a Bundle with resources in it."""
    lab.claims.need_xml()
    lab.claims.need("Patient", "search-type")
    root = _xml(lab.author.get(f"/Patient?_id={person(lab)['id']}", accept=FHIR_XML).must_be(200))
    expect(root.tag == f"{_FHIR}Bundle", f"The root element is {root.tag}.")
    expect(
        root.find(f"{_FHIR}entry/{_FHIR}resource/{_FHIR}Patient") is not None, "There is no Patient in it."
    )


@check("rest.formats.xml.parameter", "R4-XML-4")
def xml_parameter(lab: Lab) -> None:
    """The values xml, text/xml, application/xml and application/fhir+xml of _format all mean XML."""
    lab.claims.need_xml()
    for value in ("xml", "text/xml", "application/xml", "application/fhir%2Bxml"):
        answer = lab.author.get(f"{address(person(lab))}?_format={value}").must_be(200)
        expect("xml" in answer.media_type, f"_format={value} came as {answer.media_type}.")


@check("rest.formats.xml.doctype", "R4-XML-5")
def xml_doctype(lab: Lab) -> None:
    """XML with a document type and entities is refused, and no entity is resolved."""
    lab.claims.need_xml()
    lab.claims.need("Patient", "create")
    sent = (
        '<?xml version="1.0"?><!DOCTYPE Patient [<!ENTITY e "expanded">]>'
        '<Patient xmlns="http://hl7.org/fhir"><name><family value="&e;"/></name></Patient>'
    )
    answer = lab.author.ask("POST", "/Patient", sent, content_type=FHIR_XML)
    lab.created(answer).must_be_refused()
    expect("expanded" not in answer.text, "The entity was resolved.")


@check("rest.formats.decimal", "R4-JSON-1")
def decimals(lab: Lab) -> None:
    """A decimal keeps its digits: 37.10 does not become 37.1."""
    type_with(lab, "create", among=("Observation",))
    sent = observation(person_reference(lab))
    sent["valueQuantity"] = {**sent["valueQuantity"], "value": 37.5}
    body = json.dumps(sent).replace('"value": 37.5', '"value": 37.10')
    answer = lab.created(lab.author.ask("POST", "/Observation", body)).must_be(201)
    found = lab.author.get(answer.headers.get("Location", "").partition("/_history")[0]).must_be(200)
    expect("37.10" in found.text, "The value lost a digit.")


@check("rest.formats.extension", "R4-JSON-2")
def primitive_extension(lab: Lab) -> None:
    """An extension on a primitive element is kept."""
    lab.claims.need("Patient", "create")
    beside = {
        "extension": [
            {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "masked"}
        ]
    }
    sent = {
        **_somebody(),
        "name": [{"family": f"Zq{lab.run}Sora", "given": [None, "Kim"], "_given": [beside, None]}],
    }
    found = lab.author.get(address(lab.kept(sent))).must_be(200).resource
    expect(found["name"][0].get("_given") == [beside, None], "It is gone or has moved.")
    expect(found["name"][0].get("given") == [None, "Kim"], "The values beside it changed.")


@check("rest.binary", "R4-BIN-1")
def binary(lab: Lab) -> None:
    """A Binary comes as it is where its own media type is asked for, and as a resource where FHIR is."""
    lab.claims.need("Binary", "create", "read")
    made = lab.kept({"resourceType": "Binary", "contentType": "text/plain", "data": "aW52ZW50ZWQ="})
    plain = lab.author.get(address(made), accept="text/plain").must_be(200)
    expect(plain.body == b"invented" and plain.media_type == "text/plain", f"It came as {plain.media_type}.")
    found = lab.author.get(address(made)).must_be(200)
    expect(
        found.media_type == FHIR_JSON and found.resource.get("data") == "aW52ZW50ZWQ=", "It is no resource."
    )
