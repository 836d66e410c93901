"""Index values of the official examples, compared with a FHIRPath engine that we did not write.

The engine evaluates each official expression; the few lines below turn what it finds into plain pairs in
another way than the hub does (no element tables, no compiled functions).
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from referral_hub.fhir.dates import EARLIEST_US, EPOCH
from referral_hub.fhir.index_values import (
    DateValue,
    IndexValue,
    NumberValue,
    QuantityValue,
    ReferenceValue,
    StringValue,
    TokenValue,
    UriValue,
)
from referral_hub.fhir.json_codec import decode_object
from referral_hub.fhir.search_parameters import SearchParameter, official
from referral_hub.fhir.search_paths import NotUnderstood
from referral_hub.fhir.search_values import compile_extractor

EXAMPLES = Path(__file__).resolve().parents[4] / "shared" / "fhir" / "examples"

COORDINATION_PLATFORM = {
    "Task": "_id code patient requester status focus _lastUpdated owner output",
    "ServiceRequest": "_id category intent patient status _lastUpdated code occurrence performer requester "
    "supporting-info",
    "Procedure": "_id based-on category patient performer status",
    "DocumentReference": "_id",
    "Consent": "_id source-reference",
    "Condition": "_id category patient",
    "Goal": "_id category patient",
    "Observation": "_id category patient status",
    "Questionnaire": "url version",
    "QuestionnaireResponse": "_id author patient questionnaire status",
    "Group": "_id characteristic member",
    "Organization": "_id _lastUpdated",
    "Patient": "_id",
    "Practitioner": "_id",
    "PractitionerRole": "_id",
    "HealthcareService": "_id location",
    "Location": "_id",
    "CareTeam": "_id",
    "RelatedPerson": "_id",
    "Device": "_id",
}
"""What the Coordination Platform of SDOHCC shall or should search by. Source: its CapabilityStatement."""

OF_THE_GUIDE = {
    ("Task", "output"): SearchParameter("output", "reference", "Task.output.value.ofType(Reference)"),
    ("ServiceRequest", "supporting-info"): SearchParameter(
        "supporting-info", "reference", "ServiceRequest.supportingInfo"
    ),
}

SERVED = [
    "Patient",
    "RelatedPerson",
    "Practitioner",
    "PractitionerRole",
    "Organization",
    "HealthcareService",
    "Location",
    "Endpoint",
    "CareTeam",
    "EpisodeOfCare",
    "Appointment",
    "Condition",
    "Observation",
    "RiskAssessment",
    "CarePlan",
    "ServiceRequest",
    "Task",
    "Procedure",
    "Communication",
    "Consent",
    "DocumentReference",
    "Binary",
    "Provenance",
    "AuditEvent",
]

OUTSIDE = {"Observation": 5, "Patient": 1}
"""How many official parameters of a type are about extensions without a value type, and so not compiled."""

TYPED = {"CarePlan.activity.detail.scheduled": ".ofType(Period)"}
"""A choice that may be a text: three CarePlans write a date there, which stays a text to the hub."""

if not EXAMPLES.is_dir():
    pytest.skip(
        "the official FHIR examples are not beside the project (../shared/fhir/examples)",
        allow_module_level=True,
    )

fhirpathpy = pytest.importorskip("fhirpathpy")
models = pytest.importorskip("fhirpathpy.models").models


def parameter_of(type_name: str, code: str) -> SearchParameter:
    return OF_THE_GUIDE.get((type_name, code)) or official(type_name)[code]


@cache
def everything() -> list[dict[str, Any]]:
    return [decode_object(path.read_bytes()) for path in sorted(EXAMPLES.glob("*.json"))]


def examples(type_name: str) -> list[dict[str, Any]]:
    return [resource for resource in everything() if resource["resourceType"] == type_name]


def compared(parameter: SearchParameter, type_name: str) -> int:
    """Compares every example of the type and gives how many values were found."""
    extract = compile_extractor(parameter)
    # The engine knows no root but the type itself.
    expression, target = re.sub(r"^Resource\b", type_name, parameter.expression), ""
    if resolved := re.search(r"\.where\(resolve\(\) is ([A-Za-z]+)\)", expression):
        # Nor can it resolve: ask without the condition and look at the type in the reference.
        expression, target = expression.replace(resolved[0], ""), resolved[1]
    # And it takes ``as`` for one value only, as FHIRPath says; search parameters mean each.
    expression = re.sub(r"\(([A-Za-z.]+) as ([A-Za-z]+)\)", r"\1.ofType(\2)", expression)
    expression += TYPED.get(expression, "")
    evaluate = fhirpathpy.compile(expression, model=models["r4"])
    count = 0
    for resource in examples(type_name):
        found = [pair for node in evaluate(resource) for pair in facts(parameter.type, node, target)]
        ours = [fact(value) for value in extract(resource)]
        assert sorted(set(found)) == sorted(ours), (resource["id"], parameter.code)
        count += len(ours)
    return count


def fact(value: IndexValue) -> tuple[str, ...]:
    """Gives one of the hub's values as a plain tuple; bare codes without the system they imply."""
    match value:
        case TokenValue(system=system, code=code):
            return ("token", "" if system.startswith("http://hl7.org/fhir/") else system, code)
        case StringValue(exact=exact):
            return ("string", exact)
        case ReferenceValue(identifier=(_, text)):
            return ("identifier", text)
        case ReferenceValue(url=url) if url:
            return ("reference", url)
        case ReferenceValue(type=kind, id=key):
            return ("reference", f"{kind}/{key}")
        case DateValue(low_us=low):
            return ("date", str(low))
        case NumberValue(low=low_number) | QuantityValue(low=low_number):
            return ("number", str(low_number))
        case UriValue(uri=uri):
            return ("uri", uri)


def facts(kind: str, node: Any, target: str) -> Iterator[tuple[str, ...]]:
    """Gives the same facts of what the engine found, by the shape of the JSON alone."""
    match kind:
        case "token":
            yield from tokens(node)
        case "string":
            parts = node.values() if isinstance(node, dict) else [node]
            texts = [text for part in parts for text in (part if isinstance(part, list) else [part])]
            is_code = isinstance(node, dict)
            hidden = {node.get("use"), node.get("type")} if is_code else set()
            yield from (("string", text) for text in texts if isinstance(text, str) and text not in hidden)
        case "reference":
            yield from links(node, target)
        case "date":
            yield from (("date", low) for low in lows(node))
        case "uri":
            yield ("uri", node)
        case _:
            amount = node.get("value") if isinstance(node, dict) else node
            if amount is not None:
                yield ("number", str(amount))


def tokens(node: Any) -> Iterator[tuple[str, ...]]:
    if isinstance(node, bool):
        yield ("token", "", str(node).lower())
    elif isinstance(node, str):
        yield ("token", "", node)
    elif "coding" in node:
        for coding in node["coding"]:
            yield from tokens(coding)
    elif "code" in node or ("value" in node and "rank" not in node):
        # Identifier, Coding; a ContactPoint's system is no code system.
        system = node.get("system", "")
        plain = (
            ""
            if ("/" not in system and ":" not in system) or system.startswith("http://hl7.org/fhir/")
            else system
        )
        yield ("token", plain, node.get("code", node.get("value")))
    elif "value" in node:
        yield ("token", "", node["value"])


def links(node: Any, target: str) -> Iterator[tuple[str, ...]]:
    if isinstance(node, str):
        yield ("reference", node)
        if "|" in node:
            yield ("reference", node.split("|")[0])
        return
    text = node.get("reference", "")
    if text and not text.startswith("#") and (not target or f"{target}/" in text):
        yield ("reference", text.split("/_history/")[0])
    if "identifier" in node and "value" in node["identifier"] and (not target or node.get("type") == target):
        yield ("identifier", node["identifier"]["value"])


def lows(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "start" in node or "end" in node:
            yield str(low(node["start"]) if "start" in node else EARLIEST_US)
        elif "event" in node or "repeat" in node:
            moments = [low(event) for event in node.get("event", ())]
            bounds = node.get("repeat", {}).get("boundsPeriod", {})
            moments += (
                [low(bounds["start"])] if "start" in bounds else [EARLIEST_US] if "end" in bounds else []
            )
            if moments:
                yield str(min(moments))
    elif re.match(r"\d{4}", str(node)):
        yield str(low(str(node)))


def low(text: str) -> int:
    """Gives the first microsecond of a date, by the standard library."""
    padded = text + "0001-01-01"[len(text) :] if len(text) < 10 else text
    moment = datetime.fromisoformat(padded)
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    passed = aware - EPOCH
    return (passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds


@pytest.mark.parametrize(
    ("type_name", "code"),
    [(type_name, code) for type_name, codes in COORDINATION_PLATFORM.items() for code in codes.split()],
)
def test_coordination_platform(type_name: str, code: str) -> None:
    compared(parameter_of(type_name, code), type_name)


@pytest.mark.parametrize("type_name", SERVED)
def test_every_official_parameter_of_a_served_type(type_name: str) -> None:
    outside, count = 0, 0
    for code, parameter in official(type_name).items():
        if code == "deceased" or parameter.type == "composite":
            continue  # a truth and no place, and pairs of the others: tests/api/test_search_oracle
        try:
            count += compared(parameter, type_name)
        except NotUnderstood:
            outside += 1
    assert outside == OUTSIDE.get(type_name, 0)
    assert count > 0 or not examples(type_name)
