"""Creating: what the server sets, what it ignores, what it refuses."""

import re
import secrets

from conformance.doors import Answer
from conformance.invented import FILE_SYSTEM, patient
from conformance.lab import Lab
from conformance.registry import check
from conformance.results import Omitted, advise, expect
from conformance.samples import address, draft, type_with, without

_OWN = ("id", "meta", "text")


def _created(lab: Lab, **more: object) -> Answer:
    lab.claims.need("Patient", "create")
    return lab.created(lab.author.create(patient(f"Zq{lab.run}Siskin", **more)))


@check("rest.create.status", "R4-CREATE-1")
def status(lab: Lab) -> None:
    """A create is answered with 201."""
    _created(lab).must_be(201)


@check("rest.create.location", "R4-CREATE-2")
def location(lab: Lab) -> None:
    """A create has a Location with the new id, and the version where versions are kept."""
    answer = _created(lab).must_be(201)
    found = answer.headers.get("Location", "")
    pattern = r"(?:.*/)?Patient/([A-Za-z0-9\-.]{1,64})(?:/_history/([A-Za-z0-9\-.]{1,64}))?"
    match = re.fullmatch(pattern, found)
    expect(match is not None, f"Location is {found or 'missing'}.")
    if lab.claims.has("Patient", "vread"):
        expect(match and match[2], "Location has no version.")
    lab.author.get(found.partition("/_history")[0]).must_be(200)


@check("rest.create.id", "R4-CREATE-3")
def own_id(lab: Lab) -> None:
    """An id in the body of a create is not taken."""
    answer = _created(lab, id="conformance-own-id")
    if 400 <= answer.http_status < 500:
        raise Omitted("The server refuses a create with an id, which is stricter.")
    found = answer.must_be(201).headers.get("Location", "")
    expect("/conformance-own-id" not in found, "The id of the body became the resource's.")


@check("rest.create.meta", "R4-CREATE-4")
def own_meta(lab: Lab) -> None:
    """Version and time of the last change are the server's, whatever the body says."""
    answer = _created(lab, meta={"versionId": "mine", "lastUpdated": "2001-01-01T00:00:00Z"}).must_be(201)
    found = lab.author.get(answer.headers.get("Location", "").partition("/_history")[0]).resource
    expect(found["meta"].get("versionId") not in (None, "mine"), "The version is the body's.")
    expect(not found["meta"].get("lastUpdated", "2001").startswith("2001"), "lastUpdated is the body's.")


@check("rest.create.etag", "R4-CREATE-5")
def etag(lab: Lab) -> None:
    """A create has an ETag and Last-Modified."""
    answer = _created(lab).must_be(201)
    expect(answer.headers.get("ETag"), "There is no ETag.")
    expect(answer.headers.get("Last-Modified"), "There is no Last-Modified.")


@check("rest.create.faithful", "R4-CREATE-6")
def faithful(lab: Lab) -> None:
    """What is read is what was created, beside id, meta and narrative."""
    sent = patient(
        f"Zq{lab.run}Wigeon",
        identifier=[{"system": FILE_SYSTEM, "value": f"faithful-{lab.run}"}],
        telecom=[{"system": "phone", "value": "+00 555 0101", "use": "mobile", "rank": 1}],
        communication=[
            {"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": "vi"}]}, "preferred": True}
        ],
        contact=[{"name": {"text": "Somebody invented"}, "gender": "unknown"}],
    )
    lab.claims.need("Patient", "create")
    found = lab.author.get(address(lab.kept(sent))).must_be(200).resource
    different = [name for name in sent if name not in _OWN and found.get(name) != sent[name]]
    expect(not different, f"Changed: {', '.join(different)}")


@check("rest.create.malformed", "R4-CREATE-7")
def malformed(lab: Lab) -> None:
    """A body that cannot be parsed is 400."""
    lab.claims.need("Patient", "create")
    lab.created(lab.author.ask("POST", "/Patient", '{"resourceType": "Patient", ')).must_be(400)


@check("rest.create.wrong-type", "R4-CREATE-8")
def wrong_type(lab: Lab) -> None:
    """A resource of another type than the address is refused with 400 or 422."""
    lab.claims.need("Patient", "create")
    answer = lab.author.ask("POST", "/Patient", {"resourceType": "Basic", "code": {"text": "x"}})
    lab.created(answer).must_be(400, 422)


@check("rest.create.bad-code", "R4-CREATE-9")
def bad_code(lab: Lab) -> None:
    """A code outside a required value set is refused with 400 or 422."""
    _created(lab, gender="banana").must_be(400, 422)


@check("rest.create.bad-date", "R4-CREATE-10")
def bad_date(lab: Lab) -> None:
    """A date that is none is refused with 400 or 422."""
    _created(lab, birthDate="1990-13-45").must_be(400, 422)


@check("rest.create.missing", "R4-CREATE-11")
def missing_element(lab: Lab) -> None:
    """A resource without an element that must be there is refused with 400 or 422."""
    name = type_with(lab, "create", among=("Observation", "Task", "CarePlan", "ServiceRequest"))
    answer = lab.author.ask("POST", f"/{name}", without(draft(lab, name), "status"))
    lab.created(answer).must_be(400, 422)


@check("rest.create.unknown-element", "R4-CREATE-12")
def unknown_element(lab: Lab) -> None:
    """A property that FHIR does not know is refused."""
    _created(lab, banana="yes").must_be(400, 422)


@check("rest.create.unknown-type", "R4-CREATE-13")
def unknown_type(lab: Lab) -> None:
    """A create of a type that is not served is 404."""
    answer = lab.author.ask("POST", "/NoSuchType", {"resourceType": "NoSuchType"})
    lab.created(answer).must_be(404)


@check("rest.create.refusal-stores-nothing", "R4-CREATE-14")
def refusal_stores_nothing(lab: Lab) -> None:
    """What was refused is not stored."""
    lab.claims.need_parameter("Patient", "identifier")
    value = f"refused-{lab.run}"
    answer = _created(lab, gender="banana", identifier=[{"system": FILE_SYSTEM, "value": value}])
    answer.must_be(400, 422)
    found = lab.author.get(f"/Patient?identifier={FILE_SYSTEM}|{value}").must_be(200).resource
    expect(not found.get("entry"), "It was stored all the same.")


@check("rest.prefer.minimal", "R4-PREFER-1")
def prefer_minimal(lab: Lab) -> None:
    """Prefer: return=minimal brings no body."""
    lab.claims.need("Patient", "create")
    answer = lab.author.create(patient(f"Zq{lab.run}Knot"), Prefer="return=minimal")
    expect(not lab.created(answer).must_be(201).body, "There is a body.")


@check("rest.prefer.representation", "R4-PREFER-2")
def prefer_representation(lab: Lab) -> None:
    """Prefer: return=representation brings the resource as it was stored."""
    lab.claims.need("Patient", "create")
    answer = lab.author.create(patient(f"Zq{lab.run}Knot"), Prefer="return=representation")
    found = lab.created(answer).must_be(201).resource
    expect(found["resourceType"] == "Patient" and found.get("id"), "It is not the stored Patient.")


@check("rest.prefer.outcome", "R4-PREFER-3")
def prefer_outcome(lab: Lab) -> None:
    """Prefer: return=OperationOutcome brings an OperationOutcome."""
    lab.claims.need("Patient", "create")
    answer = lab.author.create(patient(f"Zq{lab.run}Knot"), Prefer="return=OperationOutcome")
    found = lab.created(answer).must_be(201).resource
    expect(found["resourceType"] == "OperationOutcome", f"It is a {found['resourceType']}.")


def _needs_conditional_create(lab: Lab) -> None:
    lab.claims.need("Patient", "create")
    if not lab.claims.types["Patient"].get("conditionalCreate"):
        raise Omitted("The server does not claim conditionalCreate of Patient.")


def _identified(lab: Lab, value: str) -> dict[str, object]:
    return patient(f"Zq{lab.run}Teal", identifier=[{"system": FILE_SYSTEM, "value": value}])


@check("rest.conditional-create.none", "R4-COND-1")
def conditional_create_without_a_match(lab: Lab) -> None:
    """If-None-Exist without a match creates."""
    _needs_conditional_create(lab)
    value = f"cond-none-{secrets.token_hex(4)}"
    answer = lab.author.create(_identified(lab, value), If_None_Exist=f"identifier={FILE_SYSTEM}|{value}")
    lab.created(answer).must_be(201)


@check("rest.conditional-create.one", "R4-COND-2")
def conditional_create_with_one_match(lab: Lab) -> None:
    """If-None-Exist with one match creates nothing and is 200."""
    _needs_conditional_create(lab)
    value = f"cond-one-{lab.run}"
    first = lab.once("cond-one", lambda: lab.kept(_identified(lab, value)))
    answer = lab.author.create(_identified(lab, value), If_None_Exist=f"identifier={FILE_SYSTEM}|{value}")
    lab.created(answer).must_be(200)
    place = answer.headers.get("Location") or answer.headers.get("Content-Location") or answer.text
    advise(first["id"] in place, "The answer does not say which resource there is.")


@check("rest.conditional-create.many", "R4-COND-3")
def conditional_create_with_several_matches(lab: Lab) -> None:
    """If-None-Exist with several matches is 412."""
    _needs_conditional_create(lab)
    value = f"cond-many-{lab.run}"
    lab.once("cond-many", lambda: [lab.kept(_identified(lab, value)) for _ in range(2)])
    answer = lab.author.create(_identified(lab, value), If_None_Exist=f"identifier={FILE_SYSTEM}|{value}")
    lab.created(answer).must_be(412)
