"""One Bulk Data export, from the first request to its files.

What lives here: starting, waiting, fetching. What does not: what must hold (``conformance.checks.bulk``).

Source: Bulk Data Access 2.0.0, export.
"""

import json
import time
from dataclasses import dataclass, field
from typing import Any

from conformance.doors import Answer, Door, Resource
from conformance.lab import Lab
from conformance.results import Failed, Omitted, Skipped, expect
from conformance.samples import person, person_reference

LEVELS = ("patient", "group", "system")
NDJSON = "application/fhir+ndjson"
_MOST_S = 90.0
_PACE_S = 0.2
_LONGEST_PAUSE_S = 5.0


def place(lab: Lab, level: str) -> str:
    """Gives where an export of a level is started; ends as omitted where it is not claimed."""
    if level == "system":
        _needs(lab, "")
        return "/$export"
    if level == "patient":
        _needs(lab, "Patient")
        return "/Patient/$export"
    _needs(lab, "Group")
    return f"/Group/{_group(lab)}/$export"


def _group(lab: Lab) -> str:
    """Gives the id of the Group that is exported: the one configured, else one of our own person."""
    if lab.target.export_group:
        return lab.target.export_group
    if not lab.claims.has("Group", "create"):
        raise Skipped("No Group to be exported is configured (export_group), and none can be created.")
    member = [{"entity": {"reference": person_reference(lab)}}]
    body = {"resourceType": "Group", "type": "person", "actual": True, "member": member}
    return str(lab.once("group-to-export", lambda: lab.kept(body))["id"])


def _needs(lab: Lab, type_name: str) -> None:
    named = lab.claims.operations(type_name)
    if not {"export", "patient-export", "group-export"} & set(named):
        raise Omitted(f"The server does not claim $export{f' of {type_name}' if type_name else ''}.")


def door_for(lab: Lab, level: str) -> Door:
    """Gives who exports: the operator the whole where one is configured, else the author."""
    return lab.door("operator" if level == "system" and "operator" in lab.target.clients else "author")


def kicked_off(door: Door, address: str, *, accept: str = "application/fhir+json", **headers: str) -> Answer:
    """Asks for an export."""
    return door.get(address, accept=accept, Prefer="respond-async", **headers)


def status_address(answer: Answer) -> str:
    """Gives where the state of an export is asked for."""
    found = answer.must_be(202).headers.get("Content-Location", "")
    expect(found.startswith(("http://", "https://")), f"Content-Location is {found or 'missing'}.")
    return found


def waited(door: Door, address: str) -> tuple[Answer, list[Answer]]:
    """Asks for the state until it is no longer 202; gives the last answer and those before it."""
    end = time.monotonic() + _MOST_S
    before: list[Answer] = []
    while time.monotonic() < end:
        answer = door.get(address, accept="application/json")
        if answer.http_status != 202:
            return answer, before
        before.append(answer)
        told = answer.headers.get("Retry-After", "")
        time.sleep(min(float(told), _LONGEST_PAUSE_S) if told.isdigit() else _PACE_S)
    raise Failed(f"The export was not done within {_MOST_S:.0f} s.")


@dataclass
class Export:
    """A finished export of one level."""

    door: Door
    address: str
    pending: list[Answer] = field(default_factory=list)

    @classmethod
    def done(cls, lab: Lab, level: str) -> "Export":
        """Gives a finished export, made once."""
        started = place(lab, level)

        def make() -> "Export":
            if lab.claims.has("Patient", "create"):
                person(lab)
            door = door_for(lab, level)
            address = status_address(kicked_off(door, started))
            answer, before = waited(door, address)
            answer.must_be(200)
            return cls(door, address, before)

        return lab.once(f"export-{level}", make)

    def manifest(self) -> dict[str, Any]:
        """Gives what the export made, asked again."""
        answer = self.door.get(self.address, accept="application/json").must_be(200)
        found: dict[str, Any] = answer.json
        return found

    def file(self, url: str, door: Door | None = None) -> Answer:
        """Fetches one file."""
        return (door or self.door).get(url, accept=NDJSON)


def rows(answer: Answer) -> list[Resource]:
    """Gives the resources of a file; ends as failed where a line is none."""
    found = []
    for line in answer.must_be(200).text.splitlines():
        if line.strip():
            try:
                one = json.loads(line)
            except ValueError:
                raise Failed(f"{answer.line}: a line is no JSON.") from None
            expect(isinstance(one, dict) and "resourceType" in one, f"{answer.line}: a line is no resource.")
            found.append(one)
    return found
