"""SQL finds exactly the rows that the pure model opens, in random worlds of consents and referrals."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from referral_hub.access.facts import Request, ResourceFacts
from referral_hub.access.grants import compile_rows, opened
from referral_hub.access.principal import OrganizationFacts, refusal_targets
from referral_hub.access.provisions import compile_consent
from referral_hub.access.rows import Grant, ReferralAccess, Refusal, RefusalException
from referral_hub.access.views import VERY_RESTRICTED_CATEGORIES, Cells, cells_of
from referral_hub.exchange.change import ConsentRows, ResourceWrite
from referral_hub.exchange.ports import Criterion
from tests.api.store.read_worlds import DAY, World, plan, resource, token, tokens, world_of
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
TYPES = (
    "Task",
    "ServiceRequest",
    "Patient",
    "Consent",
    "Observation",
    "DocumentReference",
    "Binary",
    "Organization",
)
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


# --- the model -----------------------------------------------------------------------------------------------

NOTICE = ResourceFacts("", "", "notice", "R", frozenset(), frozenset(), None, None, "")


def permitted(drawn: Drawn, row: ResourceWrite, facts: ResourceFacts, grants: list[Grant]) -> bool:
    targets = refusal_targets(drawn.caller)
    request = Request(drawn.caller, targets, drawn.purpose, "access", "", facts)
    return (
        opened(
            [g for g in grants if g.person == row.person],
            [r for r in drawn.refusals if r.person == row.person],
            [e for e in drawn.exceptions if e.person == row.person],
            request,
            drawn.at_us,
        ).outcome
        == "permit"
    )


def facts_of(row: ResourceWrite, *, dated: bool = True) -> ResourceFacts:
    return ResourceFacts(
        row.type,
        row.id,
        row.category,
        row.confidentiality,
        frozenset(),
        frozenset(),
        row.data_from_us if dated else None,
        row.data_until_us if dated else None,
        row.author,
    )


def notice_open(drawn: Drawn, row: ResourceWrite) -> bool:
    return permitted(drawn, row, NOTICE, drawn.grants)


def cells(drawn: Drawn, row: ResourceWrite) -> list[tuple[ReferralAccess, Cells]]:
    """What each of the caller's referrals that lead to this row opens."""
    leads: dict[str, Callable[[ReferralAccess], bool]] = {
        "Task": lambda access: access.task == row.row_id and not access.back,
        "ServiceRequest": lambda access: access.service_request == row.row_id and not access.back,
        "Patient": lambda access: access.person == row.row_id and not access.back,
    }
    leads_here = leads.get(row.type, lambda access: access.person == row.person)
    open_now = notice_open(drawn, row)
    return [
        (access, cells_of(access, notice_open=open_now, at_us=drawn.at_us))
        for access in drawn.accesses
        if access.organization == drawn.caller.id and leads_here(access)
    ]


def visible(drawn: Drawn, row: ResourceWrite) -> bool:
    me = drawn.caller.id
    if row.interaction == "delete" or row.author == me:
        return row.interaction != "delete"
    if row.type == "Organization":
        return row.directory
    found = cells(drawn, row)
    if row.type == "Consent" and row.custodian == me:
        return any(a.accepted and a.level == "full" and not a.back for a, _ in found)
    if row.never_release or row.type == "Binary":
        return False
    if row.type == "Task":
        return any(cell.task != "absent" for _, cell in found) or any(not access.back for access, _ in found)
    if row.type in ("ServiceRequest", "Patient"):
        level = "service_request" if row.type == "ServiceRequest" else "patient"
        return any(getattr(cell, level) != "absent" for _, cell in found)
    if row.type == "Consent":
        mine = [g for g in drawn.grants if g.consent == row.row_id]
        return any(cell.consent for _, cell in found) and permitted(drawn, row, NOTICE, mine)
    if row.category != "own" and any(a.back and a.nameless for a, _ in found):
        return not refused(drawn, row)
    return any(cell.other for _, cell in found) and permitted(drawn, row, facts_of(row), drawn.grants)


def refused(drawn: Drawn, row: ResourceWrite) -> bool:
    """Whether a refusal alone stops the row."""
    targets = refusal_targets(drawn.caller)
    request = Request(drawn.caller, targets, drawn.purpose, "access", "", facts_of(row))
    return (
        opened(
            (),
            [r for r in drawn.refusals if r.person == row.person],
            [e for e in drawn.exceptions if e.person == row.person],
            request,
            drawn.at_us,
        ).outcome
        == "deny"
    )


def shown(drawn: Drawn, row: ResourceWrite, parameter: str, visibility: str) -> bool:
    """Whether the caller sees the element behind a parameter on a row it sees."""
    if row.author == drawn.caller.id:
        return True
    if row.type == "Organization":
        return visibility == "notice"
    found = cells(drawn, row)
    if visibility == "accepted" and row.type in ("Task", "ServiceRequest", "Patient"):
        return any(a.accepted and a.level == "full" for a, _ in found)
    if visibility == "full" and row.type in ("Task", "ServiceRequest", "Patient"):
        level = {"Task": "task", "ServiceRequest": "service_request", "Patient": "patient"}[row.type]
        full = [access for access, cell in found if getattr(cell, level) == "F"]
        if any(access.nameless for access in full):
            return True
        categories = [grant for grant in drawn.grants if not grant.resource]
        asked = facts_of(row, dated=False)
        if row.category in VERY_RESTRICTED_CATEGORIES:
            asked = replace(asked, confidentiality="V")
        return bool(full) and permitted(drawn, row, asked, categories)
    bare = row.category in VERY_RESTRICTED_CATEGORIES
    if row.type not in ("Task", "ServiceRequest", "Patient", "Consent") and bare and parameter != "subject":
        return permitted(drawn, row, replace(facts_of(row), confidentiality="V"), drawn.grants)
    if row.type == "Task" and parameter == "subject":
        return any(cell.task in ("N", "F") for _, cell in found)
    if row.type == "Task" and parameter == "business-status":
        return any(cell.task in ("N", "F", "K") for _, cell in found)
    return True


# --- the comparison ------------------------------------------------------------------------------------------


def compare(world: World, drawn: Drawn) -> None:
    world.clear()
    world.resources(*drawn.rows)
    world.accesses(*drawn.accesses)
    world.consents(*drawn.consents)
    for type_name in TYPES:
        rows = [row for row in drawn.rows if row.type == type_name]
        seen = [row for row in rows if visible(drawn, row)]
        assert found(world, drawn, type_name) == {row.id for row in seen}, type_name
        for criterion in criteria():
            subject = criterion.parameter == "subject"
            matching = {
                row.id
                for row in seen
                if shown(drawn, row, criterion.parameter, criterion.visibility)
                and (not subject or row.person == 1)
                and (not criterion.negated)
                and (row.type != "Consent" or criterion.parameter != "business-status")
            }
            assert found(world, drawn, type_name, criterion) == matching, (type_name, criterion)


def criteria() -> list[Criterion]:
    return [
        token("mark", MARK),
        token("mark", MARK, visibility="full"),
        token("mark", MARK, visibility="accepted"),
        token("mark", MARK, negated=True),
        token("business-status", MARK),
        token("subject", "Patient/patient-1"),
    ]


def found(world: World, drawn: Drawn, type_name: str, *criterion: Criterion) -> set[str]:
    asked = plan(type_name, drawn.caller, *criterion, purpose=drawn.purpose, at_us=drawn.at_us)
    page = world.store.search(asked)
    counted = world.store.search(replace(asked, count_only=True)).total
    assert counted == len(page.rows)
    assert not page.more
    return {row.id for row in page.rows}


@pytest.fixture(scope="module")
def sqlite_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world_of(f"sqlite:///{tmp_path_factory.mktemp('visibility') / 'hub.db'}") as world:
        yield world


@settings(max_examples=300, deadline=None, phases=[Phase.reuse, Phase.generate])
@given(seed=st.integers(0, 2**32))
def test_sql_finds_what_the_model_opens(sqlite_world: World, seed: int) -> None:
    compare(sqlite_world, draw(Random(seed)))


def test_both_databases_find_the_same(postgres_url: str) -> None:
    with world_of(postgres_url) as world:
        for seed in range(60):
            compare(world, draw(Random(seed)))


def test_the_worlds_hold_what_they_should() -> None:
    """The comparison says something only where rows are seen and rows are hidden, for many reasons."""
    kinds: dict[tuple[str, bool], int] = {}
    for seed in range(300):
        drawn = draw(Random(seed))
        for row in drawn.rows:
            if row.author != drawn.caller.id:
                key = (row.type, visible(drawn, row))
                kinds[key] = kinds.get(key, 0) + 1
    for type_name in TYPES:
        assert kinds[type_name, False] > 20
        assert type_name == "Binary" or kinds[type_name, True] > 20, (type_name, kinds)
