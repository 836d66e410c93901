"""Asking a search and reading its answer; and the set of observations that searches are tried on.

What lives here: the Bundle of a search, and data whose right answers are known. What does not: what must hold
(``conformance.checks.search_*``).
"""

from typing import Any
from urllib.parse import quote, urlencode

from conformance.doors import Answer, Door, Resource
from conformance.invented import FILE_SYSTEM, LOINC, UCUM, coded, condition, observation, patient
from conformance.lab import Lab
from conformance.results import expect
from conformance.samples import type_with

STRICT = "handling=strict"
_SAFE = "|,:/$\\"


def query(*pairs: tuple[str, str]) -> str:
    """Gives the query of an address.

    >>> query(("code", "http://loinc.org|8310-5"), ("date", "ge2024"))
    'code=http://loinc.org|8310-5&date=ge2024'
    """
    return urlencode(pairs, quote_via=quote, safe=_SAFE)


def asked(door: Door, type_name: str, *pairs: tuple[str, str], **headers: str) -> Answer:
    """Sends a search by GET."""
    return door.get(f"/{type_name}?{query(*pairs)}", **headers)


def bundle(answer: Answer) -> Resource:
    """Gives the searchset an answer holds; else the check has failed."""
    found = answer.must_be(200).resource
    expect(found["resourceType"] == "Bundle", f"{answer.line} gave a {found['resourceType']}.")
    expect(found.get("type") == "searchset", f"{answer.line} gave a Bundle of type {found.get('type')}.")
    return found


def matches(found: Resource) -> list[Resource]:
    """Gives the resources of a searchset that match, without what was included."""
    return [
        one["resource"]
        for one in found.get("entry", [])
        if one.get("search", {}).get("mode", "match") == "match" and "resource" in one
    ]


def link(found: Resource, relation: str) -> str:
    """Gives a link of a Bundle, or an empty text."""
    return next(
        (str(one.get("url", "")) for one in found.get("link", []) if one.get("relation") == relation), ""
    )


def pages(door: Door, found: Resource, most: int = 50) -> list[Resource]:
    """Gives a Bundle and all that follow it by their next links."""
    all_pages = [found]
    while following := link(all_pages[-1], "next"):
        expect(len(all_pages) < most, "The next links do not come to an end.")
        all_pages.append(bundle(door.get(following)))
    return all_pages


def _values() -> dict[str, dict[str, Any]]:
    """Gives the observations by a name of ours: what differs from the usual temperature."""
    pulse = coded(LOINC, "8867-4")
    rate = {"value": 80, "unit": "/min", "system": UCUM, "code": "/min"}
    return {
        "january": {"effectiveDateTime": "2024-01-15"},
        "february": {"effectiveDateTime": "2024-02-20T10:30:00Z", "code": pulse, "valueQuantity": rate},
        "december": {"effectiveDateTime": "2023-12-31", "status": "preliminary"},
        "year": {"effectiveDateTime": "2024", "status": "amended"},
        "period": {
            "effectiveDateTime": None,
            "effectivePeriod": {"start": "2024-01-10", "end": "2024-01-20"},
            "code": coded("urn:example:conformance", "8310-5"),
        },
        "undated": {"effectiveDateTime": None, "code": {"text": "no code at all"}},
    }


class Observations:
    """One person's observations, each under a name of ours."""

    def __init__(self, lab: Lab) -> None:
        type_with(lab, "create", "search-type", among=("Observation",))
        lab.claims.need_parameter("Observation", "patient")
        self.lab = lab
        self.person, self.ids = lab.once("observations", self._make)

    def _make(self) -> tuple[str, dict[str, str]]:
        self.lab.claims.need("Patient", "create")
        named = [{"system": FILE_SYSTEM, "value": f"searched-{self.lab.run}"}]
        person = f"Patient/{self.lab.kept(patient(f'Zq{self.lab.run}Sanderling', identifier=named))['id']}"
        if self.lab.claims.has("Condition", "create"):
            self.lab.kept(condition(person))
        ids = {}
        for name, values in _values().items():
            body = {k: v for k, v in {**observation(person), **values}.items() if v is not None}
            ids[name] = str(self.lab.kept(body)["id"])
        return person, ids

    def pair(self) -> tuple[str, str]:
        """Gives the parameter that keeps to this person."""
        return ("patient", self.person)

    def found(self, *pairs: tuple[str, str]) -> set[str]:
        """Gives the names of what a search among this person's observations finds."""
        return self.names(bundle(asked(self.lab.author, "Observation", self.pair(), *pairs)))

    def names(self, found: Resource) -> set[str]:
        """Gives the names of the observations that match in a Bundle; what is not ours counts as ``other``."""
        by_id = {public_id: name for name, public_id in self.ids.items()}
        return {by_id.get(str(one.get("id")), "other") for one in matches(found)}

    def must_find(self, wanted: set[str], *pairs: tuple[str, str]) -> None:
        """Ends the check as failed unless a search finds just these."""
        found = self.found(*pairs)
        told = query(*pairs)
        expect(found == wanted, f"{told} found {_listed(found)}, expected {_listed(wanted)}.")


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"


def people(lab: Lab) -> dict[str, str]:
    """Gives the ids of some people by the end of their names, whose beginnings are this run's own."""
    lab.claims.need("Patient", "create", "search-type")

    def make() -> dict[str, str]:
        ends = ("Lark", "larkspur", "Müller")
        return {end: str(lab.kept(patient(f"Zq{lab.run}{end}"))["id"]) for end in ends}

    return lab.once("people", make)
