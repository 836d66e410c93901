"""Random worlds of consents and referrals, for comparing SQL with its pure model; everybody is invented.

``Random`` is the only source. Names, times and categories are few, so that rules meet and just miss each other.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from referral_hub.access.grants import compile_rows
from referral_hub.access.principal import OrganizationFacts, refusal_targets
from referral_hub.access.provisions import compile_consent
from referral_hub.access.rows import Grant, ReferralAccess, Refusal, RefusalException
from referral_hub.exchange.change import ConsentRows, ResourceWrite
from tests.api.store.read_worlds import DAY, resource, tokens
from tests.unit.access.worlds import (
    CATEGORIES,
    MOMENTS,
    ORGANIZATIONS,
    PURPOSES,
    draw_import,
    draw_refusal,
    draw_release,
)

SENDER = "shelter"
RENAMED = {
    "Observation/1": "Observation/observation-11",
    "DocumentReference/1": "DocumentReference/documentreference-13",
    "Patient/1": "Patient/patient-1",
}
MARK = "urn:mark|here"
STARTS = (MOMENTS[0] - 190 * DAY, MOMENTS[0] - 160 * DAY)


@dataclass(frozen=True)
class Drawn:
    """One world: what is stored, who asks, why and when."""

    rows: tuple[ResourceWrite, ...]
    accesses: tuple[ReferralAccess, ...]
    consents: tuple[ConsentRows, ...]
    caller: OrganizationFacts
    purpose: str
    at_us: int

    @property
    def grants(self) -> list[Grant]:
        return [row for consent in self.consents for row in consent.grants]

    @property
    def refusals(self) -> list[Refusal]:
        return [row for consent in self.consents for row in consent.refusals]

    @property
    def exceptions(self) -> list[RefusalException]:
        return [row for consent in self.consents for row in consent.exceptions]


def draw(chance: Random) -> Drawn:
    """Draws a world: of consents as people write them, or of bare rows that meet and just miss each other."""
    caller = chance.choice((ORGANIZATIONS[0], ORGANIZATIONS[0], *ORGANIZATIONS))
    purpose = chance.choice(("TREAT", "TREAT", "TREAT", "TREAT", *PURPOSES, ""))
    at_us = chance.choice(MOMENTS)
    rows: list[ResourceWrite] = []
    if chance.random() < 0.5:
        purpose = "TREAT"
        made: list[ConsentRows] = [_grants(chance, 41, caller, at_us, off=chance.random() < 0.2)]
        for number in range(42, 42 + chance.choice((0, 1, 1, 2))):
            made.append(
                _refusals(chance, number, caller, at_us)
                if chance.random() < 0.8
                else _grants(chance, number, caller, at_us, off=True)
            )
        consents = tuple(made)
        rows.extend(_stored_consent(chance, one.consent, one.person) for one in consents)
    else:
        count = chance.choice((0, 1, 2, 3, 4))
        consents = tuple(_consent(chance, 41 + place, rows) for place in range(count))
        aim = _aim(chance, consents) if chance.random() < 0.8 else None
        if aim is not None:
            caller = next(one for one in ORGANIZATIONS if one.id == aim.organization)
            purpose = aim.purpose
            at_us = chance.choice([at for at in MOMENTS if aim.valid_from_us <= at < aim.valid_until_us])
    likely = [grant.category for consent in consents for grant in consent.grants] * 2
    known = [category for category in likely if category not in ("", "notice")]
    categories = (*known, *CATEGORIES, "very-restricted", "own", "")
    for number, type_name, person in (
        (1, "Patient", 1),
        (2, "Patient", 2),
        (31, "ServiceRequest", 1),
        (32, "ServiceRequest", 1),
        (11, "Observation", 1),
        (12, "Observation", chance.choice((1, 2))),
        (13, "DocumentReference", 1),
        (15, "Binary", 1),
    ):
        rows.append(_row(chance, number, type_name, person, categories))
    listed = chance.random() < 0.7
    rows += [
        _row(chance, number, "Organization", None, ("directory",), directory=listed) for number in (51, 52)
    ]
    accesses: list[ReferralAccess] = []
    for number in (21, 22, 23):
        owner = chance.choice((caller, caller, caller, *ORGANIZATIONS)).id
        rows.append(_row(chance, number, "Task", chance.choice((1, 1, 1, 2)), categories, owner=owner))
        accesses.extend(_accesses(chance, rows[-1], at_us))
    return Drawn(tuple(rows), tuple(accesses), consents, caller, purpose, at_us)


def _aim(chance: Random, consents: tuple[ConsentRows, ...]) -> Grant | None:
    known = {one.id for one in ORGANIZATIONS}
    live = [
        grant
        for consent in consents
        for grant in consent.grants
        if grant.organization in known
        and any(grant.valid_from_us <= at < grant.valid_until_us for at in MOMENTS)
    ]
    return chance.choice(live) if live else None


def _row(
    chance: Random,
    number: int,
    type_name: str,
    person: int | None,
    categories: tuple[str, ...],
    **more: Any,
) -> ResourceWrite:
    start = chance.choice((None, *STARTS))
    return resource(
        number,
        type_name,
        chance.choice((SENDER, SENDER, SENDER, SENDER, ORGANIZATIONS[0].id, ORGANIZATIONS[-1].id)),
        person=person,
        category=chance.choice(categories),
        confidentiality=chance.choice(("R", "R", "R", "V")),
        data_from_us=start,
        data_until_us=None if start is None or chance.random() < 0.1 else start + DAY,
        never_release=chance.random() < 0.05,
        interaction="delete" if chance.random() < 0.05 else "create",
        tokens=tokens(mark=MARK, business_status=MARK, subject=f"Patient/patient-{person}"),
        **more,
    )


def _accesses(chance: Random, task: ResourceWrite, at_us: int) -> Iterator[ReferralAccess]:
    request = chance.choice((31, 31, 32))
    found = ReferralAccess(task.row_id, task.owner, task.person, request, "notice")
    if chance.random() < 0.9:
        yield replace(
            found,
            level=chance.choice(("notice", "full", "full", "full", "history")),
            until_us=chance.choice((None, None, at_us - 1, at_us, at_us + 1)),
            nameless=chance.random() < 0.1,
            accepted=chance.random() < 0.6,
        )
    if chance.random() < 0.4:
        yield replace(
            found,
            organization=chance.choice((task.author, ORGANIZATIONS[0].id)),
            level="full",
            back=True,
            nameless=chance.random() < 0.1,
        )


def _consent(chance: Random, number: int, rows: list[ResourceWrite]) -> ConsentRows:
    draw_one = chance.choice((draw_release, draw_release, draw_release, draw_refusal, draw_import))
    text = json.dumps(draw_one(chance, "drawn").body)
    for name, renamed in RENAMED.items():
        text = text.replace(f'"{name}"', f'"{renamed}"')
    person = chance.choice((1, 1, 1, 2))
    stored = _stored_consent(chance, number, person)
    rows.append(stored)
    compiled = compile_consent(stored.id, stored.version, json.loads(text), authored=False)
    return ConsentRows(number, person, *compile_rows(compiled, consent_row=number, person=person))


def _grants(chance: Random, number: int, caller: OrganizationFacts, at_us: int, *, off: bool) -> ConsentRows:
    """Grants to the caller; ``off``: in one respect, perhaps, not quite."""
    person, organization, purpose = 1, caller.id, "TREAT"
    window: tuple[int, int] = (at_us - DAY, at_us + DAY)
    data: tuple[int | None, int | None] = (None, None)
    if off:
        person = chance.choice((1, 1, 2))
        organization = chance.choice((caller, caller, ORGANIZATIONS[1])).id
        purpose = chance.choice(PURPOSES)
        window = (chance.choice((at_us - DAY, at_us, at_us + 1)), at_us + chance.choice((0, 1, DAY)))
    if chance.random() < 0.3:
        data = chance.choice(
            ((STARTS[0], None), (STARTS[1], None), (None, STARTS[1]), (STARTS[0], STARTS[0] + DAY))
        )
    kinds = [("notice", "")]
    for _ in range(3):
        name = chance.choice(("", "", *RENAMED.values()))
        kinds.append(("" if name else chance.choice(CATEGORIES), name))
    return ConsentRows(
        number,
        person,
        tuple(
            Grant(
                number,
                f"consent-{number}",
                f"v-{number}",
                person,
                organization,
                purpose,
                category,
                name,
                chance.random() < 0.5,
                *window,
                *((None, None) if category == "notice" else data),
            )
            for category, name in dict.fromkeys(kinds)
        ),
    )


def _refusals(chance: Random, number: int, caller: OrganizationFacts, at_us: int) -> ConsentRows:
    """Refusals that reach the caller, or in one respect just do not; and exceptions likewise."""
    names = tuple(RENAMED.values())
    lasting = ((None, None), (at_us, None), (None, at_us + 1), (at_us - 1, at_us + 1))
    over = ((at_us + 1, None), (None, at_us))
    refusals = []
    for _ in range(chance.choice((1, 1, 2))):
        data = chance.choice((("", ""), (chance.choice(CATEGORIES), ""), ("", chance.choice(names))))
        refusals.append(
            Refusal(
                number,
                1,
                chance.choice((*refusal_targets(caller), "org:elsewhere")),
                chance.choice(("", "", "TREAT", "TREAT", "shelter-placement")),
                *data,
                chance.choice(("", "", "R", "V")),
                *chance.choice((*lasting, *over)),
            )
        )
    exceptions = [
        RefusalException(
            number,
            1,
            chance.choice((caller, caller, caller, ORGANIZATIONS[1])).id,
            chance.choice(("TREAT", "TREAT", "shelter-placement")),
            chance.choice(names),
            *chance.choice((*lasting, *over)),
        )
        for _ in range(chance.choice((0, 1, 1, 2)))
    ]
    return ConsentRows(number, 1, (), tuple(refusals), tuple(exceptions))


def _stored_consent(chance: Random, number: int, person: int) -> ResourceWrite:
    return resource(
        number,
        "Consent",
        SENDER,
        person=person,
        category="own",
        custodian=chance.choice((SENDER, SENDER, ORGANIZATIONS[0].id)),
        tokens=tokens(mark=MARK),
    )
