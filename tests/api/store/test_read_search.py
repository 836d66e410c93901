"""Criteria of a search on both databases: what each finds, and for whom."""

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from referral_hub.access.rows import ReferralAccess
from referral_hub.exchange.change import DateIndex, ResourceWrite, StringIndex, TokenIndex
from referral_hub.exchange.search_plan import Criterion
from referral_hub.store import schema
from tests.api.store.read_worlds import (
    CLINIC,
    NOW,
    OTHER,
    SHELTER,
    World,
    ids,
    module_world,
    patient,
    plan,
    referred,
    release,
    resource,
    token,
    tokens,
)

PERSON = 1
ME = f"Organization/{CLINIC.id}"

filled = pytest.fixture(scope="module", params=["sqlite", "postgresql"])(module_world)


@pytest.fixture
def world(filled: World) -> World:
    filled.clear()
    filled.organizations(CLINIC, SHELTER)
    filled.token(CLINIC)
    return filled


def own(row_id: int, type_name: str = "Observation", **columns: Any) -> ResourceWrite:
    return resource(row_id, type_name, CLINIC.id, person=PERSON, **columns)


# --- criteria ---------------------------------------------------------------------------------------------


def spans(*found: tuple[str, int, int], kind: str = "date") -> Criterion:
    return Criterion("date", kind, "notice", spans=found)


def string(*texts: str, **more: Any) -> Criterion:
    return Criterion("name", "string", "own", texts, **more)


MARKS = (
    own(11, tokens=tokens(code=("urn:a|x", "urn:b|y"), note="text"), status="final"),
    own(12, tokens=tokens(code="urn:a|z", identifier="urn:id|12"), status="amended"),
    own(13, tokens=tokens(code="|x"), status="final"),
    own(
        14,
        status="final",
        dates=(DateIndex("date", 100, 200), DateIndex("date", 900, 901)),
        tokens=(TokenIndex("name:exact", "Green House", whole=True),),
        strings=(
            StringIndex("name", "green house"),
            StringIndex("name", "50%_off"),
            StringIndex("given", "anna maria", identifying=True),
        ),
    ),
    own(
        15,
        strings=(StringIndex("name", "greenland"), StringIndex("given", "mariana", identifying=True)),
        tokens=(TokenIndex("name:exact", "greenland", whole=True),),
    ),
)


def given(*texts: str) -> Criterion:
    return Criterion("given", "string", "own", texts, identifying=True)


def missing(parameter: str, wanted: str, parameter_type: str) -> Criterion:
    return Criterion(parameter, "missing", "notice", (wanted,), parameter_type=parameter_type)


@pytest.mark.parametrize(
    ("criteria", "found"),
    [
        ([], {11, 12, 13, 14, 15}),
        ([token("code", "urn:a|x")], {11}),
        ([token("code", "x")], {11, 13}),
        ([token("code", "|x")], {13}),
        ([token("code", "urn:a|")], {11, 12}),
        ([token("code", "urn:a|z", "urn:b|y")], {11, 12}),
        ([token("code", "urn:a|x"), token("code", "urn:b|y")], {11}),
        ([token("code", "urn:a|x"), token("code", "z")], set()),
        ([token("other", "x")], set()),
        ([token("code", "x", negated=True)], {12, 14, 15}),
        ([token("code", "x", "z", negated=True)], {14, 15}),
        ([token("identifier", "urn:id|12")], {12}),
        ([token("identifier", "urn:id|12", negated=True)], {11, 13, 14, 15}),
        ([token("status", "final")], {11, 13, 14}),
        ([token("status", "final", "amended")], {11, 12, 13, 14}),
        ([token("status", "final"), token("code", "x")], {11, 13}),
        ([token("patient", "Patient/patient-1")], {11, 12, 13, 14, 15}),
        ([token("patient", "Patient/other", "Patient/patient-1")], {11, 12, 13, 14, 15}),
        ([token("patient", "Patient/other")], set()),
        ([Criterion("_id", "id", "notice", ("observation-12",))], {12}),
        ([Criterion("_id", "id", "notice", ("observation-12", "observation-13", "x"))], {12, 13}),
        ([Criterion("_id", "id", "notice", ("patient-1",))], set()),
        ([spans(("eq", 0, 1000))], {14}),
        ([spans(("eq", 100, 150))], set()),
        ([spans(("gt", 500, 600), ("eq", 1, 2))], {14}),
        ([spans(("eq", 1, 2), ("eq", 3, 4))], set()),
        ([spans(("sa", 0, 300)), spans(("eb", 300, 400))], {14}),
        ([spans(("eq", NOW + 12, NOW + 14), kind="updated")], {12, 13}),
        ([spans(("gt", NOW + 13, NOW + 14), kind="updated")], {14, 15}),
        ([spans(("lt", NOW + 13, NOW + 14), ("ge", NOW + 15, NOW + 16), kind="updated")], {11, 12, 15}),
        ([string("green")], {14, 15}),
        ([string("green h", "50")], {14}),
        ([string("house")], set()),
        ([token("name:exact", "Green House", visibility="own")], {14}),
        ([token("name:exact", "Green", "greenland", "green house", visibility="own")], {15}),
        ([string("house", modifier="contains")], {14}),
        ([string("reen", modifier="contains")], {14, 15}),
        ([string("0%_o", modifier="contains")], {14}),
        ([string("g%e", modifier="contains")], set()),
        ([string("gr_en", modifier="contains")], set()),
        ([string("50%_")], {14}),
        ([given("maria")], {14}),
        ([given("anna maria")], {14}),
        ([given("anna", "mariana")], {14, 15}),
        ([given("mar")], set()),
        ([missing("code", "true", "token")], {14, 15}),
        ([missing("code", "false", "token")], {11, 12, 13}),
        ([missing("note", "false", "uri")], {11}),
        ([missing("date", "true", "date")], {11, 12, 13, 15}),
        ([missing("date", "false", "date")], {14}),
        ([missing("name", "false", "string")], {14, 15}),
        ([missing("name", "true", "string"), token("code", "x")], {11, 13}),
    ],
    ids=str,
)
def test_criteria(world: World, criteria: list[Criterion], found: set[int]) -> None:
    world.resources(patient(PERSON, SHELTER.id), *MARKS, own(16, interaction="delete", status="final"))
    asked = plan("Observation", CLINIC, *criteria)
    assert set(ids(world, asked)) == {f"observation-{row}" for row in found}
    assert world.store.search(replace(asked, count_only=True)).total == len(found)


def test_a_criterion_of_the_author_alone_finds_only_its_own(world: World) -> None:
    marked = tokens(code="urn:a|x")
    world.resources(
        patient(PERSON, SHELTER.id),
        own(11, tokens=marked),
        resource(12, "Observation", SHELTER.id, person=PERSON, category="health", tokens=marked),
    )
    world.accesses(ReferralAccess(2, CLINIC.id, PERSON, None, "full"))
    world.consents(release(PERSON, CLINIC.id, "health"))
    asked = token("code", "x")
    assert set(ids(world, plan("Observation", CLINIC, asked))) == {"observation-11", "observation-12"}
    assert ids(world, plan("Observation", CLINIC, replace(asked, visibility="own"))) == ["observation-11"]
    assert ids(world, plan("Observation", CLINIC, asked, own_only=True)) == ["observation-11"]
    assert ids(world, plan("Observation", CLINIC, asked, refusal_targets=())) == ["observation-11"]


def test_a_parameter_about_the_caller_itself_finds_nothing_about_third_ones(world: World) -> None:
    """``performer`` of a ServiceRequest: the caller sees itself there and nobody else."""
    world.resources(
        patient(PERSON, SHELTER.id),
        resource(
            3, "ServiceRequest", SHELTER.id, person=PERSON, tokens=tokens(performer=(ME, "Organization/x"))
        ),
    )
    world.accesses(ReferralAccess(2, CLINIC.id, PERSON, 3, "notice"))
    world.consents(release(PERSON, CLINIC.id))

    def found(*texts: str, **more: Any) -> list[str]:
        asked = token("performer", *texts, visibility="self", **more)
        return ids(world, plan("ServiceRequest", CLINIC, asked))

    assert found(ME) == ["servicerequest-3"]
    assert found("Organization/x") == []
    assert found(ME, "Organization/x") == []
    assert found("Organization/y", negated=True) == []


def test_output_is_found_by_its_requester_only_while_it_wrote_everything(world: World) -> None:
    output = tokens(output="Procedure/p")
    task = resource(2, "Task", SHELTER.id, owner=CLINIC.id, tokens=output, foreign_elements=True)
    world.resources(task, replace(task, row_id=3, id="task-3", foreign_elements=False))
    asked = token("output", "Procedure/p", visibility="own")
    assert ids(world, plan("Task", SHELTER, asked)) == ["task-3"]
    assert ids(world, plan("Task", SHELTER)) == ["task-3", "task-2"]


def test_a_consent_is_found_by_its_custodian_from_accepted_on(world: World) -> None:
    world.resources(
        resource(
            40,
            "Consent",
            SHELTER.id,
            person=PERSON,
            custodian=CLINIC.id,
            category="own",
            status="active",
            tokens=tokens(scope="urn:s|p"),
        )
    )
    asked = plan("Consent", CLINIC, token("status", "active", visibility="own"))
    world.accesses(ReferralAccess(2, CLINIC.id, PERSON, None, "full"))
    assert ids(world, asked) == []
    world.run(sa.update(schema.referral_access).values(accepted=1))
    assert ids(world, asked) == ["consent-40"]
    assert ids(world, plan("Consent", CLINIC)) == ["consent-40"]
    assert ids(world, plan("Consent", CLINIC, token("scope", "p", visibility="own"))) == ["consent-40"]
    assert ids(world, replace(asked, own_only=True)) == []
    assert ids(world, plan("Consent", OTHER)) == []


def test_whom_a_task_is_owned_by_is_found_once(world: World) -> None:
    referred(world, 1, 2)
    world.resources(own(30, "Task", owner=CLINIC.id, status="requested"))
    both = ["task-30", "task-20", "task-10"]
    assert ids(world, plan("Task", CLINIC, token("owner", ME))) == both
    assert ids(world, plan("Task", CLINIC, token("owner", ME, "Organization/x"))) == both
    assert ids(world, plan("Task", CLINIC, token("owner", ME), token("status", "requested"))) == both
    assert ids(world, plan("Task", CLINIC, token("owner", "Organization/x"))) == []
    assert ids(world, plan("Task", CLINIC)) == both
    assert ids(world, plan("Task", SHELTER, token("owner", ME))) == ["task-20", "task-10"]
