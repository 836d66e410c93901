"""SDOHCC: what a Coordination Platform must do as a server, one check per line of its CapabilityStatement.

What lives here: turning the rows of ``requirements.csv`` that begin with ``SDOHCC-CPS`` into checks. What does
not: the papers they try it with (``conformance.invented_sdoh``).

Source: SDOHCC, CapabilityStatement SDOHCC-CoordinationPlatform (as server).
"""

import re
from collections.abc import Callable

from conformance.doors import Resource
from conformance.invented_sdoh import SAMPLES, organization_reference, sample, value
from conformance.lab import UNKNOWN_ID, Lab
from conformance.registry import Check, add, check
from conformance.requirements import requirements
from conformance.results import Failed, Omitted, expect
from conformance.samples import changed
from conformance.searching import STRICT, asked, bundle, matches

_ROW = re.compile(r"SDOHCC-CPS-([A-Za-z]+)-(read|create|update|search-type|search|include|profile)(?:-(.+))?")


def _offered(lab: Lab, type_name: str, level: str, *, offered: bool, what: str) -> None:
    """Ends the check unless something is offered: omitted where it is only allowed, failed where it is asked for."""
    lab.claims.need_sdohcc()
    if not offered:
        message = f"The server does not offer {what} of {type_name}."
        raise Omitted(message) if level == "MAY" else Failed(message)


def _at_hand(lab: Lab, type_name: str) -> Resource | None:
    """Gives a resource of a type to look at: ours, else the first that a search shows."""
    if lab.claims.has(type_name, "create"):
        return sample(lab, type_name)
    if lab.claims.has(type_name, "search-type"):
        found = matches(bundle(asked(lab.author, type_name, ("_count", "1"))))
        return found[0] if found else None
    return None


def _read(lab: Lab, type_name: str, _: str) -> None:
    it = _at_hand(lab, type_name)
    if it is None:
        lab.author.get(f"/{type_name}/{UNKNOWN_ID}").must_be(404)
        return
    found = lab.author.get(f"/{type_name}/{it['id']}").must_be(200).resource
    expect(found["resourceType"] == type_name and found["id"] == it["id"], "It is another resource.")


def _create(lab: Lab, type_name: str, _: str) -> None:
    made = lab.kept(SAMPLES[type_name].make(lab))
    expect(made["resourceType"] == type_name, f"It is a {made['resourceType']}.")


def _update(lab: Lab, type_name: str, _: str) -> None:
    lab.claims.need(type_name, "create")
    first = lab.kept(SAMPLES[type_name].make(lab))
    lab.author.update(changed(first)).must_be(200)
    now = lab.author.get(f"/{type_name}/{first['id']}").must_be(200).resource
    expect(now["meta"]["versionId"] != first["meta"]["versionId"], "There is no new version.")


def _search_type(lab: Lab, type_name: str, _: str) -> None:
    bundle(asked(lab.author, type_name, ("_count", "1")))


_NOTHING = {"date": "1901-01-01", "composite": "zq-nothing$zq-nothing"}


def _search(lab: Lab, type_name: str, name: str) -> None:
    found_by = SAMPLES[type_name].found_by.get(name)
    if name == "_lastUpdated":
        found_by = ("gt2020-01-01", "lt2020-01-01")
    it = sample(lab, type_name) if lab.claims.has(type_name, "create") else None
    if name == "_id":
        found_by = (str(it["id"]) if it else UNKNOWN_ID, UNKNOWN_ID)
    nothing = _NOTHING.get(lab.claims.parameters(type_name).get(name, ""), "zq-nothing")
    hit, miss = found_by or (nothing, nothing)
    not_found = bundle(asked(lab.author, type_name, (name, miss), Prefer=STRICT))
    expect(not matches(not_found), f"{name}={miss} finds something.")
    if it is not None and found_by is not None:
        pairs = [(name, value(lab, hit)), ("_id", str(it["id"]))]
        found = bundle(asked(lab.author, type_name, *(pairs[:1] if name == "_id" else pairs), Prefer=STRICT))
        expect([one["id"] for one in matches(found)] == [it["id"]], f"{name}={pairs[0][1]} does not find it.")


def _include(lab: Lab, type_name: str, name: str) -> None:
    _at_hand(lab, type_name)
    pairs = (("_id", UNKNOWN_ID), ("_include", f"{type_name}:{name}"))
    bundle(asked(lab.author, type_name, *pairs, Prefer=STRICT))
    if (type_name, name) in (
        ("Task", "focus"),
        ("Consent", "source-reference"),
        ("HealthcareService", "location"),
    ):
        it = sample(lab, type_name)
        found = bundle(asked(lab.author, type_name, ("_id", str(it["id"])), pairs[1], Prefer=STRICT))
        modes = [one.get("search", {}).get("mode") for one in found.get("entry", [])]
        expect("include" in modes, "What it refers to was not included.")


_KINDS: dict[str, Callable[[Lab, str, str], None]] = {
    "read": _read,
    "create": _create,
    "update": _update,
    "search-type": _search_type,
    "search": _search,
    "include": _include,
}


def _is_offered(lab: Lab, type_name: str, kind: str, name: str) -> bool:
    claims = lab.fresh_claims() if kind == "profile" else lab.claims
    if kind == "profile":
        told = [
            str(one).partition("|")[0] for one in claims.types.get(type_name, {}).get("supportedProfile", [])
        ]
        told.append(str(claims.types.get(type_name, {}).get("profile", "")).partition("|")[0])
        return any(one.rpartition("/")[2].lower() == name.lower() for one in told)
    if kind == "include":
        return bool({f"{type_name}:{name}", "*"} & set(claims.includes(type_name)))
    if kind == "search":
        return name in claims.parameters(type_name)
    return claims.has(type_name, kind)


def _check_of(requirement_id: str, type_name: str, kind: str, name: str) -> Check:
    row = requirements()[requirement_id]

    def run(lab: Lab) -> None:
        what = f"{kind} {name}".strip()
        offered = _is_offered(lab, type_name, kind, name)
        _offered(lab, type_name, row.level, offered=offered, what=what)
        if kind != "profile":
            _KINDS[kind](lab, type_name, name)

    end = f"{kind}.{name}" if name else kind
    return Check(f"sdohcc.{type_name}.{end}", row.text, (requirement_id,), run)


for _id, _requirement in requirements().items():
    _match = _ROW.fullmatch(_id)
    if _match is not None and not _requirement.why_not_tested:
        add(_check_of(_id, _match[1], _match[2], _match[3] or ""))


@check("sdohcc.formats", "SDOHCC-task-5")
def formats(lab: Lab) -> None:
    """The server speaks JSON and XML."""
    lab.claims.need_sdohcc()
    claims = lab.fresh_claims()
    expect(claims.speaks("json", "application/fhir+json"), "It does not claim JSON.")
    expect(claims.speaks("xml", "application/fhir+xml"), "It does not claim XML.")


@check("sdohcc.batch", "SDOHCC-CPS-system-batch")
def batch(lab: Lab) -> None:
    """The server takes batches."""
    lab.claims.need_sdohcc()
    expect("batch" in lab.fresh_claims().system_interactions, "It does not claim batch.")


@check("sdohcc.security", "SDOHCC-CPS-security")
def security(lab: Lab) -> None:
    """The server says that it is secured by SMART on FHIR."""
    lab.claims.need_sdohcc()
    expect(lab.fresh_claims().smart, "rest.security.service does not say SMART-on-FHIR.")


@check("sdohcc.task.versions", "SDOHCC-CPS-Task-versioning")
def task_versions(lab: Lab) -> None:
    """Updates of Task are made for a version (versioned-update)."""
    lab.claims.need_sdohcc()
    said = lab.fresh_claims().types.get("Task", {}).get("versioning")
    expect(said == "versioned-update", f"versioning of Task is {said}.")


@check("sdohcc.task.conditional-read", "SDOHCC-CPS-Task-conditionalRead")
def task_conditional_read(lab: Lab) -> None:
    """A Task is read under If-Modified-Since."""
    lab.claims.need_sdohcc()
    said = lab.fresh_claims().types.get("Task", {}).get("conditionalRead")
    expect(said in ("modified-since", "full-support"), f"conditionalRead of Task is {said}.")


@check("sdohcc.task.statuses", "SDOHCC-task-status")
def task_statuses(lab: Lab) -> None:
    """A Task takes the statuses of a referral only: received and ready are refused."""
    lab.claims.need_sdohcc()
    lab.claims.need("Task", "create")
    for status in ("received", "ready"):
        body = {**SAMPLES["Task"].make(lab), "status": status}
        lab.created(lab.author.create(body)).must_be(400, 422)


@check("sdohcc.task.by-requester", "SDOHCC-poll-1")
def task_by_requester(lab: Lab) -> None:
    """A source asks for its Tasks by requester and time of the last change."""
    lab.claims.need_sdohcc()
    lab.claims.need_parameter("Task", "requester")
    it = sample(lab, "Task")
    pairs = (("requester", organization_reference(lab)), ("_lastUpdated", "gt2020-01-01"))
    found = {one["id"] for one in matches(bundle(asked(lab.author, "Task", *pairs, ("_count", "200"))))}
    expect(it["id"] in found, "Its Task is not found.")
