"""Random worlds with every kind of caller: software, staff in each role, the person herself, bound tokens.

``Random`` is the only source, so that a world can be drawn again from its seed. Consents are of the hub's own shapes,
as FHIR, so that the gate reads them as they are stored; everybody is invented.
"""

import json
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from referral_hub.access.grants import compile_rows
from referral_hub.access.principal import Binding, OrganizationFacts, Principal, refusal_targets
from referral_hub.access.provisions import compile_consent
from referral_hub.access.reach import ROLES
from referral_hub.access.rows import ReferralAccess
from referral_hub.access.scopes import LETTERS, Scope, ScopeSet
from referral_hub.exchange.change import ConsentRows, ResourceWrite
from tests.api.store.read_worlds import DAY, resource
from tests.unit.access.worlds import (
    CATEGORIES,
    MOMENTS,
    ORGANIZATIONS,
    PURPOSES,
    Drawn,
    draw_refusal,
    draw_release,
)

TYPES = (
    "Task",
    "ServiceRequest",
    "Patient",
    "Consent",
    "Observation",
    "DocumentReference",
    "Provenance",
    "Organization",
    "Practitioner",
    "Group",
)
SENDER = "shelter"
ACCOUNT, COLLEAGUE = "account-1", "account-2"
RENAMED = {
    "Observation/1": "Observation/observation-11",
    "DocumentReference/1": "DocumentReference/documentreference-13",
    "Patient/1": "Patient/patient-1",
}
_CODE = {"coding": [{"system": "http://loinc.org", "code": "8310-5"}], "text": "in her own words"}
_WRITTEN: dict[str, dict[str, Any]] = {
    "Task": {"status": "requested", "intent": "order", "description": "not before acceptance"},
    "ServiceRequest": {"status": "active", "intent": "order", "code": _CODE, "note": [{"text": "hidden"}]},
    "Patient": {"name": [{"text": "Lark"}], "gender": "female", "telecom": [{"value": "+00 555 0100"}]},
    "Observation": {"status": "final", "code": _CODE, "note": [{"text": "hidden"}]},
    "DocumentReference": {"status": "current", "content": [{"attachment": {"title": "Letter"}}]},
    "Organization": {"active": True, "name": "House"},
    "Practitioner": {"active": True, "name": [{"text": "Heron"}]},
    "Group": {"type": "person", "actual": True},
}
_ABOUT = {
    "Task": "for",
    "ServiceRequest": "subject",
    "Observation": "subject",
    "DocumentReference": "subject",
}
_STARTS = (MOMENTS[0] - 190 * DAY, MOMENTS[0] - 160 * DAY)


@dataclass(frozen=True)
class StoredConsent:
    """One Consent about a person: as it was drawn, and the row it is stored in."""

    drawn: Drawn
    write: ResourceWrite
    rows: ConsentRows


@dataclass(frozen=True)
class CallerWorld:
    """What is stored, who is assigned to whom, and who might ask, for one organisation at one moment."""

    rows: tuple[ResourceWrite, ...]
    accesses: tuple[ReferralAccess, ...]
    consents: tuple[StoredConsent, ...]
    assignments: frozenset[tuple[str, int, str]]
    organization: OrganizationFacts
    purpose: str
    at_us: int


def draw_world(chance: Random) -> CallerWorld:
    """Draws a world in which the asking organisation often has a live release, and always something of its own."""
    organization = chance.choice((ORGANIZATIONS[0], ORGANIZATIONS[0], ORGANIZATIONS[0], *ORGANIZATIONS))
    at_us = chance.choice(MOMENTS)
    no_name = (
        chance.random() < 0.15
    )  # then the second person has no name, no permission, and no record but the referral
    consents = tuple(
        _consent(chance, 41 + place, no_name=no_name) for place in range(chance.choice((1, 1, 2, 3)))
    )
    named = [one for one in consents for grant in one.rows.grants if grant.organization == organization.id]
    purpose = chance.choice(("TREAT", "TREAT", *PURPOSES, ""))
    if named and chance.random() < 0.8:
        grant = chance.choice(chance.choice(named).rows.grants)
        purpose = grant.purpose
        inside = [at for at in MOMENTS if grant.valid_from_us <= at < grant.valid_until_us]
        at_us = chance.choice(inside or MOMENTS)
    likely = [grant.category for one in consents for grant in one.rows.grants if grant.category != "notice"]
    categories = (*filter(None, likely), *CATEGORIES, "very-restricted")
    rows = [one.write for one in consents]
    for number, type_name, person in (
        (1, "Patient", 1),
        (2, "Patient", 2),
        (31, "ServiceRequest", 1),
        (32, "ServiceRequest", chance.choice((1, 2))),
        (11, "Observation", 1),
        (12, "Observation", chance.choice((1, 2))),
        (13, "DocumentReference", 1),
        (14, "DocumentReference", 2),
        (61, "Provenance", 1),
    ):
        rows.append(_row(chance, number, type_name, person, categories, organization))
    for number, type_name in ((51, "Organization"), (52, "Practitioner"), (53, "Group")):
        listed = type_name != "Group" and chance.random() < 0.6
        rows.append(_row(chance, number, type_name, None, ("directory",), organization, directory=listed))
    accesses: list[ReferralAccess] = []
    for number in (21, 22, 23):
        owner = chance.choice((organization, organization, organization, *ORGANIZATIONS)).id
        person = chance.choice((1, 1, 1, 2, None))
        task = _row(chance, number, "Task", person, categories, organization, owner=owner)
        requests = [one.row_id for one in rows if one.type == "ServiceRequest" and one.person == person]
        rows.append(task)
        if person is not None:
            nameless = no_name and person == 2
            accesses += _accesses(chance, task, chance.choice((*requests, None)), at_us, nameless=nameless)
    assignments = frozenset(
        (account, person, chance.choice(("active", "active", "active", "pending", "ended")))
        for account in (ACCOUNT, COLLEAGUE)
        for person in (1, 2)
        if chance.random() < 0.6
    )
    return CallerWorld(tuple(rows), tuple(accesses), consents, assignments, organization, purpose, at_us)


def standard(world: CallerWorld, *, very_restricted: bool = True) -> Principal:
    """Gives the software of the organisation itself."""
    return _principal(world, "system", accepts_very_restricted=very_restricted)


def draw_callers(chance: Random, world: CallerWorld) -> list[Principal]:
    """Draws one caller of each kind: software, a member of staff, the person, a bound token."""
    role = chance.choice((*ROLES, *ROLES, "", "boss"))
    bound = draw_binding(chance, world)
    return [
        standard(world, very_restricted=chance.random() < 0.5),
        _principal(world, "system", person=chance.choice((1, 2))),
        _principal(world, "user", account=ACCOUNT, role=role, person=chance.choice((None, None, None, 1))),
        _principal(world, "patient", account="account-9", person=1),
        _principal(
            world,
            chance.choice(("system", "system", "user")),
            account=ACCOUNT,
            role=chance.choice(("supervisor", "caseworker")),
            person=1,
            binding=bound,
            accepts_very_restricted=chance.random() < 0.5,
        ),
    ]


def draw_binding(chance: Random, world: CallerWorld) -> Binding:
    """Draws what a token is bound to: some Consents, as they are now or were, and some categories."""
    named = [one for one in world.consents if chance.random() < 0.8]
    return Binding(
        handle="handle",
        referral="task-21",
        consents=tuple((one.write.id, chance.choice((one.write.version, "older"))) for one in named),
        categories=frozenset(one for one in CATEGORIES if chance.random() < 0.7),
        confidentiality=chance.choice(("R", "V")),
        not_after_us=world.at_us + chance.choice((DAY, DAY, DAY, DAY, 1, 0)),
    )


def _principal(world: CallerWorld, context: str, **more: Any) -> Principal:
    scopes = ScopeSet(tuple(Scope(context, name, LETTERS) for name in TYPES))
    return Principal(
        world.organization,
        "software",
        scopes,
        world.purpose,
        refusal_targets=refusal_targets(world.organization),
        context=context,
        patient="patient-1" if more.get("person") == 1 else "",
        **more,
    )


def stored_consent(drawn: Drawn, number: int, person: int, author: str, version: str) -> StoredConsent:
    """Gives a Consent as it is stored, with the rows it compiles to."""
    written = {"patient": {"reference": f"Patient/patient-{person}"}, "policy": [{"uri": "urn:policy:v1"}]}
    text = json.dumps({**drawn.body, **written, "resourceType": "Consent", "id": f"consent-{number}"})
    for name, renamed in RENAMED.items():
        text = text.replace(f'"{name}"', f'"{renamed}"')
    body = json.loads(text)
    write = resource(
        number,
        "Consent",
        author,
        person=person,
        category="own",
        custodian=author,
        status=str(body.get("status", "")),
        version=version,
        body=text.encode(),
    )
    compiled = compile_consent(write.id, version, body, authored=False)
    rows = ConsentRows(number, person, *compile_rows(compiled, consent_row=number, person=person))
    return StoredConsent(drawn, write, rows)


def _consent(chance: Random, number: int, *, no_name: bool) -> StoredConsent:
    draw = chance.choice((draw_release, draw_release, draw_release, draw_refusal))
    person = 1 if no_name else chance.choice((1, 1, 1, 2))
    return stored_consent(draw(chance, f"consent-{number}"), number, person, SENDER, f"v-{number}")


def _row(
    chance: Random,
    number: int,
    type_name: str,
    person: int | None,
    categories: tuple[str, ...],
    organization: OrganizationFacts,
    **more: Any,
) -> ResourceWrite:
    start = chance.choice((None, *_STARTS))
    body = {"resourceType": type_name, "id": f"{type_name.lower()}-{number}", **_WRITTEN.get(type_name, {})}
    if person is not None and type_name in _ABOUT:
        body[_ABOUT[type_name]] = {"reference": f"Patient/patient-{person}"}
    return resource(
        number,
        type_name,
        chance.choice((SENDER, SENDER, SENDER, organization.id)),
        person=person,
        category=_category(chance, type_name, categories),
        confidentiality=chance.choice(("R", "R", "R", "V")),
        data_from_us=start,
        data_until_us=None if start is None else start + DAY,
        never_release=type_name == "Provenance" or (person is not None and chance.random() < 0.05),
        interaction="delete" if chance.random() < 0.03 else "create",
        status="requested" if type_name == "Task" else "",
        body=json.dumps(body).encode(),
        **more,
    )


def _category(chance: Random, type_name: str, categories: tuple[str, ...]) -> str:
    if type_name in ("Provenance", "Group"):
        return "own"
    return "identity" if type_name == "Patient" else chance.choice(categories)


def _accesses(
    chance: Random, task: ResourceWrite, request: int | None, at_us: int, *, nameless: bool
) -> list[ReferralAccess]:
    found = ReferralAccess(task.row_id, task.owner, task.person, request, "notice", nameless=nameless)
    made = []
    if chance.random() < 0.9 and task.owner != task.author:
        made.append(
            replace(
                found,
                level=chance.choice(("notice", "notice", "full", "full", "history")),
                until_us=chance.choice((None, None, at_us - 1, at_us + 1)),
                accepted=chance.random() < 0.5,
            )
        )
    if chance.random() < 0.4:
        made.append(replace(found, organization=task.author, level="full", back=True))
    return made
