"""Invented worlds: the Consents of one person, a request and a moment, drawn from one source of chance.

``Random`` is the only source, so that a world can be drawn again from its seed. The few names, purposes and
times are chosen so that rules meet, overlap and just miss each other.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from referral_hub.access.facts import Request, ResourceFacts
from referral_hub.access.principal import OrganizationFacts, refusal_targets
from referral_hub.access.provisions import CompiledConsent, compile_consent
from referral_hub.errors import InvalidResource
from referral_hub.fhir.canonical import CONFIDENTIALITY
from referral_hub.resources.catalog import DEFINITIONS
from tests.unit.access.builders import (
    CLINIC,
    LEGAL_AID,
    OFFICE,
    PARENT,
    SISTER,
    imported,
    instance,
    kind_of_organization,
    organization,
    permit,
    provision,
    refusal,
    release,
    us,
)

Body = dict[str, Any]

ORGANIZATIONS = (CLINIC, SISTER, PARENT, LEGAL_AID, OFFICE)
PURPOSES = ("TREAT", "shelter-placement")
CATEGORIES = ("health", "housing", "immigration")
INSTANCES = ("Observation/1", "DocumentReference/1", "Patient/1")
OPENED = tuple(sorted(name for name, definition in DEFINITIONS.items() if definition.opened))
STARTS = ("", "2026", "2026-11-10", "2026-11-10T00:00:00Z", "2026-11-24T10:00:00+01:00")
ENDS = ("2027", "2026-11-25", "2026-11-24T10:00:01Z", "2026-12-01T00:00:00Z")
DATA_PERIODS = ({"start": "2026-05"}, {"end": "2026-05-10"}, {"start": "2026-05-01", "end": "2026-05-31"})
MOMENTS = tuple(
    us(text)
    for text in (
        "2026-11-10T00:00:00Z",
        "2026-11-24T09:00:00Z",
        "2026-11-24T09:59:59Z",
        "2026-11-24T10:00:00Z",
        "2026-11-24T12:00:00Z",
        "2026-12-05T00:00:00Z",
    )
)


@dataclass(frozen=True)
class Drawn:
    """One Consent, as FHIR and as read."""

    body: Body
    consent: CompiledConsent


@dataclass(frozen=True)
class World:
    """The Consents of one person, what is asked, and when."""

    drawn: tuple[Drawn, ...]
    request: Request
    at_us: int


def draw_world(chance: Random, *, authored: bool) -> World:
    """Draws a world of Consents in the two shapes of the hub, or of Consents of every kind."""
    drawn: list[Drawn] = []
    for _ in range(chance.choice((0, 1, 1, 2, 2, 3))):
        draw = draw_release if authored or chance.random() < 0.3 else draw_import
        drawn.append(draw(chance, f"c{len(drawn)}"))
    for _ in range(chance.choice((0, 0, 1, 2))):
        drawn.append(draw_refusal(chance, f"c{len(drawn)}"))
    chance.shuffle(drawn)
    asked = draw_request(chance)
    if drawn and chance.random() < 0.75:
        asked = _aimed(chance, asked, chance.choice(drawn).body)
    return World(tuple(drawn), asked, chance.choice(MOMENTS))


def draw_release(chance: Random, consent_id: str) -> Drawn:
    """Draws a release that the hub takes."""
    return _taken(chance, _any_release, consent_id)


def draw_refusal(chance: Random, consent_id: str) -> Drawn:
    """Draws a refusal that the hub takes."""
    return _taken(chance, _any_refusal, consent_id)


def draw_import(chance: Random, consent_id: str) -> Drawn:
    """Draws a Consent that mixes everything FHIR offers, sense or not."""
    return as_stored(_any_import(chance), consent_id)


def as_stored(body: Body, consent_id: str) -> Drawn:
    """Reads a Consent as one that is already in the store."""
    return Drawn(body, compile_consent(consent_id, "1", body, authored=False))


def _taken(chance: Random, draw: Callable[[Random], Body], consent_id: str) -> Drawn:
    """Gives the first drawn Consent that the hub takes: some periods hold no time at all."""
    while True:
        body = draw(chance)
        try:
            return Drawn(body, compile_consent(consent_id, "1", body, authored=True))
        except InvalidResource:
            continue


def _any_release(chance: Random) -> Body:
    unit = chance.choice((CLINIC, CLINIC, OFFICE, PARENT)).id
    why = chance.choice(("TREAT", "TREAT", "shelter-placement"))
    permits = []
    for _ in range(chance.choice((1, 1, 2, 3))):
        named = chance.random() < 0.3
        more: Body = {"dataPeriod": chance.choice(DATA_PERIODS)} if chance.random() < 0.2 else {}
        permits.append(
            permit(
                who=[unit],
                why=[why],
                what=[] if named else _some(chance, CATEGORIES),
                data=_some(chance, INSTANCES) if named else [],
                labels=chance.choice(((), (), ("R",), ("V",), ("R", "V"))),
                start=chance.choice(STARTS),
                end=chance.choice(ENDS),
                **more,
            )
        )
    body = release(*permits, status=_status(chance))
    if chance.random() < 0.1:
        body["provision"]["period"] = {"end": chance.choice(ENDS)}
    return body


def _any_refusal(chance: Random) -> Body:
    exceptions = [
        provision(
            "permit",
            who=[chance.choice((CLINIC, OFFICE)).id],
            why=[chance.choice(PURPOSES)],
            data=_some(chance, INSTANCES),
            end=chance.choice(("", *ENDS)),
        )
        for _ in range(chance.choice((0, 0, 1, 1, 2)))
    ]
    return refusal(
        *exceptions,
        status=_status(chance),
        who=_few(chance, _TARGETS),
        why=_few(chance, PURPOSES),
        what=_few(chance, CATEGORIES),
        data=_few(chance, INSTANCES),
        labels=chance.choice(((), (), (), ("R",), ("V",), ("N",), ("R", "V"))),
        start=chance.choice(("", "", *STARTS)),
        end=chance.choice(("", "", "2027", "2026-11-24", "2026-12-01T00:00:00Z")),
    )


def _any_import(chance: Random) -> Body:
    children = [_any_provision(chance, deep=True) for _ in range(chance.choice((0, 1, 2)))]
    root = _any_provision(chance, deep=False)
    if children:
        root["provision"] = children
    body = imported(root, status=_status(chance))
    if chance.random() < 0.05:
        body["modifierExtension"] = [{"url": "urn:unknown"}]
    if chance.random() < 0.3:
        body["category"].extend(chance.choice((release, refusal))()["category"])
    return body


def draw_request(chance: Random) -> Request:
    who = chance.choice((CLINIC, CLINIC, CLINIC, *ORGANIZATIONS))
    return Request(
        who,
        refusal_targets(who),
        chance.choice(("TREAT", "TREAT", "TREAT", *PURPOSES, "")),
        chance.choice(("access", "access", "access", "access", "disclose")),
        "",
        draw_facts(chance),
    )


def _aimed(chance: Random, asked: Request, body: Body) -> Request:
    """Gives the request turned towards what a Consent speaks of, or most of it."""
    nodes = [body["provision"], *body["provision"].get("provision", ())]
    named = [node for node in nodes if node.get("actor") and node.get("purpose")]
    if not named:
        return asked
    node = chance.choice(named)
    reference = chance.choice(node["actor"])["reference"].get("reference", "")
    who = next((one for one in ORGANIZATIONS if reference == f"Organization/{one.id}"), asked.organization)
    resource = asked.resource
    if "data" in node and chance.random() < 0.9:
        type_name, _, public_id = chance.choice(node["data"])["reference"]["reference"].partition("/")
        resource = replace(resource, type=type_name, id=public_id)
    if "class" in node and chance.random() < 0.9 and resource.category != "notice":
        resource = replace(resource, category=chance.choice(node["class"])["code"])
    if chance.random() < 0.5:
        resource = replace(resource, confidentiality="R")
    why = chance.choice(node["purpose"])["code"]
    return Request(who, refusal_targets(who), why, asked.action, "", resource)


def draw_facts(chance: Random) -> ResourceFacts:
    name = chance.choice((*INSTANCES, "Binary/1", "Observation/2", f"{chance.choice(OPENED)}/1"))
    type_name, _, public_id = name.partition("/")
    start = chance.choice((None, us("2026-05-05T00:00:00Z"), us("2026-06-05T00:00:00Z")))
    return ResourceFacts(
        type_name,
        public_id,
        chance.choice((*CATEGORIES, *CATEGORIES, "notice", "very-restricted", "own", "")),
        chance.choice(("R", "R", "R", "V", "N", "?")),
        frozenset(_few(chance, ("PSY", "SDV"))),
        frozenset(_few(chance, ("urn:s|x", "urn:s|y"))),
        start,
        None if start is None else start + 86_400_000_000,
        chance.choice(("", "shelter", "clinic")),
        frozenset(_few(chance, ("DocumentReference/1", "Patient/1"))),
    )


def narrowed(chance: Random, drawn: Drawn) -> Body:
    """Gives a Consent of which one permit permits less: fewer actors, categories, instances, days, none.

    Only a permit that is understood can be narrowed: to take a part away that is not would widen it.
    """
    changed = copy.deepcopy(drawn.body)
    root = changed["provision"]
    placed = {f"Consent.provision.provision[{i}]": node for i, node in enumerate(root.get("provision", ()))}
    placed["Consent.provision"] = root
    paths = sorted({permit.path for permit in drawn.consent.permits})
    if not paths:
        return changed
    node = placed[chance.choice(paths)]
    way = chance.choice(
        ("actor", "purpose", "class", "data", "securityLabel", "period", "dataPeriod", "gone")
    )
    if way in ("actor", "purpose", "class", "data") and len(node.get(way, ())) > 1:
        node[way] = [chance.choice(node[way])]
    elif way == "securityLabel":
        node[way] = [{"system": CONFIDENTIALITY, "code": "N"}]
    elif way == "period" and node.get("period", {}).get("end", "") > "2026-11-24T10:00:00Z":
        node[way] = {**node[way], "end": "2026-11-24T10:00:00Z"}
    elif way == "dataPeriod" and way not in node:
        node[way] = {"start": "2026-06"}
    elif way == "gone" and node is not root:
        root["provision"].remove(node)
    return changed


def without_exceptions(body: Body) -> Body:
    """Gives a refusal without its exceptions."""
    kept = [node for node in body["provision"].get("provision", ()) if node.get("type") != "permit"]
    return {**body, "provision": {**body["provision"], "provision": kept}}


def labelled_very_restricted(request: Request) -> Request:
    """Gives the same request with the resource's label raised to V."""
    return replace(request, resource=replace(request.resource, confidentiality="V"))


def relative_of(organization: OrganizationFacts) -> OrganizationFacts:
    """Gives another unit of the same body."""
    return SISTER if organization is not SISTER else PARENT


_TARGETS: tuple[str | Body, ...] = (
    CLINIC.id,
    PARENT.id,
    LEGAL_AID.id,
    kind_of_organization("governmental"),
    kind_of_organization("shelter"),
    kind_of_organization("PL", "government-of"),
)


def _any_provision(chance: Random, *, deep: bool) -> Body:
    hub = "https://referral-hub.example/fhir/CodeSystem/information-category"
    found = provision(
        chance.choice(("permit", "permit", "deny")),
        who=_few(chance, (CLINIC.id, OFFICE.id, PARENT.id)) or [CLINIC.id],
        why=_few(chance, PURPOSES) or ["TREAT"],
        labels=chance.choice(((), (), ("R",), ("N",), ("V",), ("R", "PSY"), ("R", "PSY", "SDV"))),
        data=[instance(name, chance.choice(_MEANINGS)) for name in _few(chance, INSTANCES)],
        start=chance.choice(STARTS),
        end=chance.choice(("", *ENDS)),
    )
    if chance.random() < 0.3:
        found["class"] = [
            chance.choice(
                (
                    {"system": hub, "code": "health"},
                    {"system": "http://hl7.org/fhir/resource-types", "code": "Observation"},
                    {"system": "urn:other", "code": "health"},
                )
            )
        ]
    if chance.random() < 0.1:
        found["code"] = [{"coding": [{"system": "urn:s", "code": "x"}]}]
    if chance.random() < 0.2:
        found["dataPeriod"] = chance.choice(DATA_PERIODS)
    if chance.random() < 0.05:
        found["extension"] = [{"url": "urn:unknown"}]
    if chance.random() < 0.1:
        found["actor"] = [*found["actor"], organization("elsewhere", "CST")]
    if deep and chance.random() < 0.03:
        found["provision"] = [provision("deny")]
    return found


_MEANINGS = ("instance", "instance", "related", "dependents", "authoredby")


def _status(chance: Random) -> str:
    return chance.choice(("active", "active", "active", "active", "active", "inactive", "draft"))


def _some(chance: Random, names: tuple[str, ...]) -> list[str]:
    return chance.sample(names, chance.choice((1, 1, 2)))


def _few(chance: Random, names: tuple[Any, ...]) -> list[Any]:
    return chance.sample(names, chance.choice((0, 0, 0, 1, 2)))
