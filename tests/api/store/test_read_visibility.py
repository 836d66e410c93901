"""SQL finds exactly the rows that the pure model opens, in random worlds of consents and referrals."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from referral_hub.access.facts import Request, ResourceFacts
from referral_hub.access.grants import opened
from referral_hub.access.principal import refusal_targets
from referral_hub.access.rows import Grant, ReferralAccess
from referral_hub.access.views import VERY_RESTRICTED_CATEGORIES, Cells, cells_of
from referral_hub.exchange.change import ResourceWrite
from referral_hub.exchange.search_plan import Criterion
from tests.api.store.drawn_worlds import MARK, Drawn, draw
from tests.api.store.read_worlds import World, plan, token, world_of

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
