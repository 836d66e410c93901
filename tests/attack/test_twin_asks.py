"""Further asks in twin worlds, one table: spellings, limits, answers of another form, addresses of another kind.

The hubs, the observers and what is hidden are those of ``tests.api.test_twin_worlds``; whatever is asked here, the
answer of the hub that has the hidden is the answer of the one that has not.
"""

import gzip
from urllib.parse import quote, urlencode

import pytest
from werkzeug.test import TestResponse

from tests import builders as b
from tests.api.asking import UNKNOWN, bundle, entry
from tests.api.hidden import HIDDEN_NUMBER
from tests.api.test_twin_worlds import Ask, normalised
from tests.world import Caller

Ids = dict[str, str]
ABSENT = "abcdefab-cdef-4abc-8def-abcdefabcdef"
BASE = "{base}"
"""Stands for the address under which the hub knows itself."""


def _of(caller: Caller) -> str:
    """Gives the hub's base as its capability statement tells it."""
    return str(caller.get("/metadata").get_json()["implementation"]["url"])


SPELLINGS = (
    "Patient/{id}",
    "{id}",
    "{base}/Patient/{id}",
    "{base}/Patient/{id}/_history/0000000000000000",
    "{base}//Patient/{id}",
    "Patient/{id}/_history/0000000000000000",
    "/Patient/{id}",
    "./Patient/{id}",
    "../fhir/Patient/{id}",
    "Patient//{id}",
    "Patient/{id}/",
    "Patient/{id}?_id={id}",
    "Patient/{id}#x",
    "patient/{id}",
    "Patient/{upper}",
    "%50atient/{id}",
    "urn:uuid:{id}",
    "urn:uuid:{upper}",
    "#{id}",
    "https://elsewhere.example/fhir/Patient/{id}",
    "Patient?_id={id}",
    "Patient?" + HIDDEN_NUMBER,
    " Patient/{id}",
    "Patient/{id},Patient/{id}",
)
"""Ways to spell a reference to the person who is hidden."""


def spelled(how: str, caller: Caller, ids: Ids) -> str:
    """Gives a spelling with the id of the hidden person, or with one that never was."""
    public_id = ids.get("Patient", ABSENT)
    return how.format(id=public_id, upper=public_id.upper(), base=_of(caller) if BASE in how else "")


def _search(parameter: str, how: str) -> Ask:
    def ask(caller: Caller, ids: Ids) -> TestResponse:
        return caller.get(f"/{parameter}={quote(spelled(how, caller, ids), safe='')}&_total=accurate")

    return ask


def _written(how: str) -> Ask:
    return lambda caller, ids: caller.ask("POST", "/Condition", b.condition(spelled(how, caller, ids)))


def _linked(how: str) -> Ask:
    """A reference in an element that needs none of the person's consents."""

    def ask(caller: Caller, ids: Ids) -> TestResponse:
        other = {"type": "seealso", "other": {"reference": spelled(how, caller, ids)}}
        return caller.ask("POST", "/Patient", b.patient("Mine", link=[other]), Prefer="return=minimal")

    return ask


def _in_bundle(kind: str, how: str) -> Ask:
    def ask(caller: Caller, ids: Ids) -> TestResponse:
        text = spelled(how, caller, ids)
        if kind == "batch":
            return caller.ask("POST", "/", bundle("batch", entry("GET", text), entry("HEAD", text)))
        made = entry("POST", "Condition", b.condition(text), f"urn:uuid:{UNKNOWN}")
        return caller.ask("POST", "/", bundle("transaction", made))

    return ask


def _path(how: str) -> Ask:
    return lambda caller, ids: caller.get("/" + spelled(how, caller, ids))


SPELLED: dict[str, Ask] = {
    **{f"found by {how}": _search("Condition?patient", how) for how in SPELLINGS},
    **{f"found with its type by {how}": _search("Task?subject:Patient", how) for how in SPELLINGS[:9]},
    **{f"chained by {how}": _search("Patient?_has:Task:patient:focus", how) for how in SPELLINGS[:3]},
    **{f"named by {how}": _search("Patient?_id", how) for how in SPELLINGS},
    **{f"a group of {how}": _search("Group?member", how) for how in SPELLINGS[:9]},
    **{f"written as {how}": _written(how) for how in SPELLINGS},
    **{f"linked as {how}": _linked(how) for how in SPELLINGS},
    **{f"a batch for {how}": _in_bundle("batch", how) for how in SPELLINGS},
    **{f"a transaction about {how}": _in_bundle("transaction", how) for how in SPELLINGS},
    **{
        f"the path {how}": _path(how)
        for how in (
            "Patient/{id}/",
            "/Patient/{id}",
            "./Patient/{id}",
            "patient/{id}",
            "Patient/{upper}",
            "%50atient/{id}",
            "Patient/{id}/.",
            "Patient/{id}%20",
            "Patient/{id};x=1",
            "Patient%2F{id}",
            "Patient/{id}/Task",
            "Patient/../Patient/{id}",
            "Patient/*/{id}",
        )
    },
}


@pytest.mark.attack("S-40", "S-19", "T-25", "T-30")
@pytest.mark.parametrize("ask", SPELLED)
def test_a_reference_spelled_otherwise_tells_nothing(observed: list[tuple[Caller, Ids]], ask: str) -> None:
    told = []
    for caller, ids in observed:
        answer = SPELLED[ask](caller, ids)
        assert answer.status_code < 500, answer.get_data(as_text=True)
        public_id = ids.get("Patient", ABSENT)
        told.append(normalised(answer).replace(public_id.upper(), "UPPER"))
    assert told[0] == told[1]


def _posted(path: str, **criteria: str) -> Ask:
    """Searches by a form."""
    form = "application/x-www-form-urlencoded"
    return lambda caller, ids: caller.ask(
        "POST",
        path,
        urlencode({name.replace("__", ":"): value for name, value in criteria.items()}).encode(),
        Content_Type=form,
    )


def _get(path: str) -> Ask:
    return lambda caller, ids: caller.get(path.format(**{"Patient": UNKNOWN, "Task": UNKNOWN, **ids}))


def _graph(method: str, path: str) -> Ask:
    return lambda caller, ids: caller.ask(
        method,
        path.format(**{"Patient": UNKNOWN, **ids}),
        {"resourceType": "Parameters"} if method == "POST" else None,
    )


OFF = (
    "/$graphql",
    "/Patient/{Patient}/$graphql",
    "/Patient/$match",
    "/Observation/$lastn",
    "/Observation/$stats",
    "/Patient/{Patient}/$meta",
    "/$meta",
    "/$convert",
    "/Patient/{Patient}/$expunge",
    "/Patient/{Patient}/$merge",
    "/Composition/{Patient}/$document",
    "/Patient/{Patient}/$purge",
    "/Task/{Patient}/$apply",
    "/List/$find",
    "/Patient/{Patient}/Condition",
    "/Patient/{Patient}/*",
)
"""Operations and compartments the hub does not have."""

TABLE: dict[str, tuple[Ask, tuple[str, ...]]] = {
    **{
        f"{method} {path}": (_graph(method, path), ("T-29", "S-24"))
        for path in OFF
        for method in ("GET", "POST")
    },
    "include the place": (_get("/HealthcareService?_include=HealthcareService:location"), ("T-28", "S-30")),
    "include the place of a visit": (_get("/Encounter?_include=Encounter:location"), ("T-28", "S-09")),
    "places by address": (_get("/Location?address=Hidden"), ("S-30", "S-13")),
    "places by city": (_get("/Location?address-city:missing=false&_total=accurate"), ("S-30",)),
    "places near": (_get("/Location?near=0|0|20000|km"), ("S-30",)),
    "places by name": (_get("/Location?name=Front"), ("S-30",)),
    "places of organisations": (_get("/Location?organization:missing=false&_total=accurate"), ("S-30",)),
    "endpoints of organisations": (_get("/Endpoint?organization:missing=false&_total=accurate"), ("S-30",)),
    "services of organisations": (
        _get("/HealthcareService?organization.name=House&_total=accurate"),
        ("S-30",),
    ),
    "organisations by endpoint": (_get("/Organization?_include=Organization:endpoint"), ("S-30", "T-28")),
    **{
        f"by {name}": (_get(f"/Condition?{name}=x"), ("S-16",))
        for name in ("_security", "_tag", "_profile", "_source", "_list", "_security:not", "_tag:missing")
    },
    **{
        f"by {name} among tasks": (_get(f"/Task?{name}"), ("S-12",))
        for name in (
            "_filter=x",
            "_query=x",
            "_text=hidden",
            "_content=hidden",
            "code:text=x",
            "status:in=x",
            "patient:contains=x",
            "patient.name:contains=Hid",
            "focus:missing=false",
            "focus:above=x",
        )
    },
    "posted search": (_posted("/Patient/_search", identifier="urn:example:h|hidden-1"), ("T-31", "S-13")),
    "posted search by name": (
        _posted("/Patient/_search", name="Hidden", _total="accurate"),
        ("T-31", "S-07"),
    ),
    "posted search of conditions": (
        _posted("/Condition/_search", category="mental-health"),
        ("T-31", "S-13"),
    ),
    "posted backwards": (
        _posted("/Patient/_search", _has__Condition__patient__category="mental-health"),
        ("T-31", "S-11"),
    ),
    "posted search with more in the address": (
        _posted("/Patient/_search?identifier=urn:example:h|hidden-1", _total="accurate"),
        ("T-31",),
    ),
    "posted search of all": (_posted("/_search", _type="Patient,Condition"), ("T-31",)),
    "sorted by a hidden day": (_get("/Encounter?_sort=date"), ("S-14",)),
    "sorted by a hidden name": (_get("/Patient?_sort=name"), ("S-14",)),
    "a part of persons": (_get("/Patient?_elements=address,telecom,identifier"), ("S-15",)),
    "the data of persons": (_get("/Patient?_summary=data"), ("S-15",)),
    "the text of persons": (_get("/Patient?_summary=text"), ("S-15", "S-22")),
    "duplicate number": (
        lambda caller, ids: caller.ask(
            "POST",
            "/Patient",
            b.patient("Twin", identifier=[{"system": "urn:example:h", "value": "hidden-1"}]),
            Prefer="return=minimal",
        ),
        ("S-18",),
    ),
    "links between patients": (_get("/Patient?link:missing=false&_total=accurate"), ("S-39",)),
    "linked to the hidden": (_get("/Patient?link=Patient/{Patient}"), ("S-39",)),
    "persons above patients": (_get("/Person?patient=Patient/{Patient}"), ("S-39",)),
    "siblings by group": (_get("/Task?group-identifier:missing=false&_total=accurate"), ("S-28",)),
    "siblings by plan": (_get("/Task?based-on:missing=false&part-of:missing=false"), ("S-28",)),
    "siblings by number": (_get("/ServiceRequest?requisition:missing=false&_total=accurate"), ("S-28",)),
    "other owners": (_get("/Task?owner:missing=false&_total=accurate"), ("S-28", "S-07")),
    "other performers": (_get("/ServiceRequest?performer:missing=false&_total=accurate"), ("S-28", "S-07")),
    "audit of the hidden": (_get("/AuditEvent?patient=Patient/{Patient}"), ("S-27",)),
    "audit of anybody": (_get("/AuditEvent?date=ge2020&_total=accurate"), ("S-27",)),
    "provenance of the hidden": (_get("/Provenance?target=Patient/{Patient}"), ("S-27",)),
    "messages about the hidden": (
        _get("/Communication?subject=Patient/{Patient}&_total=accurate"),
        ("S-27",),
    ),
    "one of many": (_get("/Patient?_count=1&_total=accurate"), ("S-34", "S-08")),
    "more than are given": (_get("/Task?_count=100000&_total=accurate"), ("S-34", "S-08")),
    "as many as are sent along": (
        _get("/Patient?_revinclude=Condition:patient&_revinclude=Task:patient&_count=1"),
        ("S-34", "S-09"),
    ),
    "a batch of wide searches": (
        lambda caller, ids: caller.ask("POST", "/", bundle("batch", *[entry("GET", "Task?_count=500")] * 20)),
        ("S-34", "S-25"),
    ),
    "count of withdrawn forms": (_get("/Consent/$form-counts"), ("S-42",)),
    "consents by whom they name": (_get("/Consent?actor:missing=false&_total=accurate"), ("S-37",)),
    "refusals": (_get("/Consent?category=refusal&_total=accurate"), ("S-37",)),
    "consents of the hidden": (_get("/Consent?patient=Patient/{Patient}"), ("S-37",)),
}


@pytest.mark.parametrize(
    "ask", [pytest.param(name, marks=pytest.mark.attack(*rows)) for name, (_, rows) in TABLE.items()]
)
def test_further_asks_tell_nothing(observed: list[tuple[Caller, Ids]], ask: str) -> None:
    told = []
    for caller, ids in observed:
        answer = TABLE[ask][0](caller, ids)
        assert answer.status_code < 500, answer.get_data(as_text=True)
        told.append(normalised(answer))
    assert told[0] == told[1]


GUESSES = (
    ("/Patient?name=", "Hidden", "Hxqzwv"),
    ("/Patient?_has:Condition:patient:category=", "mental-health", "mxqzal-hzalth"),
    ("/Condition?category=", "mental-health", "mxqzal-hzalth"),
    ("/Task?code=", "case-review", "cxqz-rzview"),
    ("/Consent?category=", "refusal", "rxqusal"),
)


@pytest.mark.attack("S-33")
@pytest.mark.parametrize(("path", "right", "wrong"), GUESSES, ids=lambda one: one)
def test_an_answer_has_one_size_for_every_guess(
    observed: list[tuple[Caller, Ids]], path: str, right: str, wrong: str
) -> None:
    """What comes back of a guess is packed with nothing that it could be found beside."""
    assert len(right) == len(wrong)
    sizes = []
    for caller, _ in observed:
        for guess in (right, wrong):
            answer = caller.get(f"{path}{guess}", Accept_Encoding="gzip")
            whole = answer.get_data()
            if answer.headers.get("Content-Encoding") == "gzip":
                whole = gzip.decompress(whole)
            sizes.append((answer.status_code, answer.headers.get("Content-Encoding"), len(whole)))
    assert len(set(sizes)) == 1, sizes
