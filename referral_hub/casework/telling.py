"""What a resource says, in lines a person reads: for a preview, a link without an account, and a printed request.

What lives here: reading what was released, element by element. What does not: what may be released
(``exchange.gate``), the words (``texts``), pages (``web.portal``).

A line is a label and a value; both are keys of ``texts`` where they are words of the hub.

Source: ``views.md`` 1 and 9 (what each view holds).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from referral_hub.access.categories import INFORMATION_CATEGORY, SERVICE_DOMAIN
from referral_hub.casework.needs import NEED_KIND, NEEDS
from referral_hub.fhir.canonical import INTERPRETER_REQUIRED, structure
from referral_hub.fhir.elements import code_in, codings, extension, text_at

Resource = Mapping[str, Any]
_QUIET = frozenset({"Task", "Provenance", "Consent", "AuditEvent", "Organization"})


@dataclass(frozen=True, slots=True)
class Line:
    """One line: ``label`` is a text key; the value is a text key (``word``), a day or moment, or a text as it is."""

    label: str
    text: str = ""
    word: str = ""
    day: str = ""


def told(resources: Iterable[Resource]) -> tuple[Line, ...]:
    """Gives the lines of what somebody would read, the request first, then the person, then the rest.

    >>> told([{"resourceType": "Patient", "gender": "female"}])
    (Line(label='refer.line.gender', text='', word='refer.gender.female', day=''),)
    """
    order = {"ServiceRequest": 0, "Patient": 1}
    rest = len(order)
    found = sorted(resources, key=lambda one: order.get(str(one.get("resourceType")), rest))
    return tuple(line for one in found for line in _lines(one))


def _lines(resource: Resource) -> Iterator[Line]:
    type_name = str(resource.get("resourceType", ""))
    if type_name == "ServiceRequest":
        yield from _request(resource)
    elif type_name == "Patient":
        yield from _patient(resource)
    elif type_name not in _QUIET:
        yield from _other(type_name, resource)


def need_words(request: Resource) -> str:
    """Gives the text key that says what is asked for: the need where it is told, else its category; may be empty."""
    code = request.get("code")
    kind = code_in(code, NEED_KIND)
    if kind in NEEDS:
        return f"refer.need.{kind}"
    category = code_in(code, INFORMATION_CATEGORY) or next(
        (found for one in request.get("category") or () if (found := code_in(one, INFORMATION_CATEGORY))), ""
    )
    return f"paper.category.{category}" if category else ""


def _request(request: Resource) -> Iterator[Line]:
    key = need_words(request)
    if key:
        yield Line("refer.line.need", word=key)
    elif code_in(request.get("code"), SERVICE_DOMAIN):
        yield Line("refer.line.need", text=code_in(request.get("code"), SERVICE_DOMAIN).replace("-", " "))
    if request.get("priority"):
        yield Line("refer.line.urgency", word=f"refer.urgency.{request['priority']}")
    words = text_at(request, "code.text")
    if words:
        yield Line("refer.line.words", text=words)
    if request.get("occurrenceDateTime"):
        yield Line("refer.line.by", day=str(request["occurrenceDateTime"]))
    for note in request.get("note") or ():
        yield Line("refer.line.note", text=str(note.get("text", "")))


def _patient(patient: Resource) -> Iterator[Line]:
    name = next((_name(one) for one in patient.get("name") or ()), "")
    if name:
        yield Line("refer.line.name", text=name)
    if patient.get("birthDate"):
        yield Line("refer.line.born", day=str(patient["birthDate"]))
    age = extension(patient, structure("age-group"))
    if isinstance(age, dict) and age.get("valueCode") in ("adult", "child"):
        yield Line("refer.line.age", word=f"refer.age.{age['valueCode']}")
    band = extension(patient, structure("age-band"))
    if isinstance(band, dict) and band.get("valueCode"):
        yield Line("refer.line.age", text=str(band["valueCode"]))
    if patient.get("gender"):
        yield Line("refer.line.gender", word=f"refer.gender.{patient['gender']}")
    interpreter = extension(patient, INTERPRETER_REQUIRED)
    if isinstance(interpreter, dict) and "valueBoolean" in interpreter:
        said = "yes" if interpreter["valueBoolean"] else "no"
        yield Line("refer.line.interpreter", word=f"refer.{said}")
    for one in patient.get("communication") or ():
        language = next((code for _, code in codings(one.get("language"))), "")
        if language:
            yield Line("refer.line.language", text=language)
    for one in patient.get("address") or ():
        parts = (*(one.get("line") or ()), one.get("city"), one.get("state"), one.get("country"))
        yield Line("refer.line.address", text=", ".join(str(part) for part in parts if part))
    for one in patient.get("telecom") or ():
        yield Line("refer.line.contact", text=str(one.get("value", "")))


def _other(type_name: str, resource: Resource) -> Iterator[Line]:
    text = next(
        (
            found
            for path in ("code.text", "description", "description.text", "title", "type.text")
            if (found := text_at(resource, path))
        ),
        "",
    )
    if not text:
        concept = resource.get("code") or resource.get("type") or {}
        first = next(codings(concept if isinstance(concept, dict) else {}), ("", ""))
        text = first[1]
    value = resource.get("valueQuantity")
    if isinstance(value, dict):
        text = f"{text}: {value.get('value', '')} {value.get('unit', '')}".strip()
    if isinstance(resource.get("valueString"), str):
        text = f"{text}: {resource['valueString']}"
    yield Line("refer.line.record", text=f"{text} ({type_name})" if text else type_name)


def _name(name: Resource) -> str:
    if name.get("text"):
        return str(name["text"])
    return " ".join(str(part) for part in (*(name.get("given") or ()), name.get("family")) if part)
