"""History: of an instance, of a type, of the whole."""

from urllib.parse import quote

from conformance.doors import Resource
from conformance.lab import UNKNOWN_ID, Lab
from conformance.registry import check
from conformance.results import expect
from conformance.samples import address, changed, made, person


def _twice_written(lab: Lab) -> Resource:
    """Gives a resource of two versions, as the first of them."""

    def make() -> Resource:
        first = made(lab, "update", "history-instance")
        lab.author.update(changed(first)).must_be(200)
        return first

    return lab.once("twice-written", make)


@check("rest.history.instance", "R4-HIST-1")
def instance(lab: Lab) -> None:
    """The history of an instance is a Bundle of type history with its versions, the newest first."""
    first = _twice_written(lab)
    found = lab.author.get(f"{address(first)}/_history").must_be(200).resource
    expect(found.get("type") == "history", f"It is a Bundle of type {found.get('type')}.")
    entries = found.get("entry", [])
    expect(len(entries) == 2, f"It has {len(entries)} versions of 2.")
    versions = [one["resource"]["meta"]["versionId"] for one in entries if "resource" in one]
    expect(versions[-1:] == [first["meta"]["versionId"]], "The oldest is not the last.")
    moments = [str(one["resource"]["meta"].get("lastUpdated", "")) for one in entries if "resource" in one]
    expect(moments == sorted(moments, reverse=True), "They are not in order.")


@check("rest.history.entries", "R4-HIST-2")
def entries(lab: Lab) -> None:
    """Each entry of a history says by which request it came about, and where it is."""
    found = lab.author.get(f"{address(_twice_written(lab))}/_history").must_be(200).resource
    expect(found.get("entry"), "It is empty.")
    for one in found["entry"]:
        asked = one.get("request", {})
        expect(
            asked.get("method") in ("GET", "POST", "PUT", "PATCH", "DELETE"),
            "bdl-3: an entry lacks request.method.",
        )
        expect(asked.get("url"), "bdl-3: an entry lacks request.url.")
        expect(one.get("response", {}).get("status"), "bdl-4: an entry lacks response.status.")
        expect(one.get("fullUrl"), "An entry has no fullUrl.")


@check("rest.history.unknown", "R4-HIST-3")
def unknown(lab: Lab) -> None:
    """The history of an id that does not exist is 404."""
    lab.claims.need("Patient", "history-instance")
    lab.author.get(f"/Patient/{UNKNOWN_ID}/_history").must_be(404)


@check("rest.history.type", "R4-HIST-4")
def of_a_type(lab: Lab) -> None:
    """The history of a type is a Bundle of type history that holds what was just written."""
    lab.claims.need("Patient", "history-type")
    it = person(lab)
    found = lab.author.get("/Patient/_history?_count=200").must_be(200).resource
    expect(found.get("type") == "history", f"It is a Bundle of type {found.get('type')}.")
    ids = [one.get("resource", {}).get("id") for one in found.get("entry", [])]
    expect(it["id"] in ids, "What was just written is not in it.")
    expect(
        all(one["resource"]["resourceType"] == "Patient" for one in found["entry"] if "resource" in one),
        "Others are in it.",
    )


@check("rest.history.system", "R4-HIST-5")
def of_the_whole(lab: Lab) -> None:
    """The history of the whole is a Bundle of type history."""
    lab.claims.need_system("history-system")
    found = lab.author.get("/_history?_count=5").must_be(200).resource
    expect(found.get("type") == "history", f"It is a Bundle of type {found.get('type')}.")
    expect(found.get("entry"), "It is empty.")


@check("rest.history.since", "R4-HIST-6")
def since(lab: Lab) -> None:
    """A history with _since a later moment is empty, since an early one it is whole."""
    first = _twice_written(lab)
    later = (
        lab.author.get(f"{address(first)}/_history?_since={quote('2100-01-01T00:00:00Z')}")
        .must_be(200)
        .resource
    )
    expect(not later.get("entry"), "Versions before _since are in it.")
    early = (
        lab.author.get(f"{address(first)}/_history?_since={quote('2001-01-01T00:00:00Z')}")
        .must_be(200)
        .resource
    )
    expect(len(early.get("entry", [])) == 2, "Versions after _since are missing.")


@check("rest.history.count", "R4-HIST-7")
def count(lab: Lab) -> None:
    """A history with _count has no more entries than that on a page."""
    found = lab.author.get(f"{address(_twice_written(lab))}/_history?_count=1").must_be(200).resource
    expect(len(found.get("entry", [])) == 1, f"It has {len(found.get('entry', []))} entries.")
