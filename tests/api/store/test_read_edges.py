"""One rule at a time, at its edge, on both databases: what a search finds just inside and just outside of it."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from referral_hub.access.rows import Grant, ReferralAccess, Refusal, RefusalException
from referral_hub.exchange.change import ConsentRows
from tests.api.store.read_worlds import (
    CLINIC,
    DAY,
    NOW,
    OTHER,
    SHELTER,
    World,
    grant,
    ids,
    module_world,
    patient,
    plan,
    resource,
    token,
)

PERSON = 1
DATA = (NOW - 20 * DAY, NOW - 19 * DAY)
NOTICE = grant(PERSON, CLINIC.id, "notice")
HEALTH = grant(PERSON, CLINIC.id, "health")
FULL = ReferralAccess(2, CLINIC.id, PERSON, 3, "full", accepted=True)

filled = pytest.fixture(scope="module", params=["sqlite", "postgresql"])(module_world)


@dataclass(frozen=True)
class Case:
    """What differs from a release of health to a clinic that accepted the referral."""

    name: str
    record: bool
    """Whether the Observation of category health is found."""
    patient: bool = True
    """Whether the Patient is found."""
    access: ReferralAccess = FULL
    grants: tuple[Grant, ...] = (NOTICE, HEALTH)
    refusals: tuple[Refusal, ...] = ()
    exceptions: tuple[RefusalException, ...] = ()
    row: dict[str, Any] = field(default_factory=dict)
    asked: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name


def to(category: str = "health", **columns: Any) -> tuple[Grant, ...]:
    """The notice, and one grant that differs."""
    return NOTICE, grant(PERSON, CLINIC.id, category, **columns)


def both(**columns: Any) -> tuple[Grant, ...]:
    """The notice and health, differing alike."""
    return grant(PERSON, CLINIC.id, "notice", **columns), grant(PERSON, CLINIC.id, "health", **columns)


def refusal(**columns: Any) -> tuple[Refusal, ...]:
    return (Refusal(950, PERSON, columns.pop("target", "org:clinic-1"), **columns),)


def exception(**columns: Any) -> tuple[RefusalException, ...]:
    found = {"organization": CLINIC.id, "purpose": "TREAT", "resource": "Observation/observation-11"}
    return (RefusalException(columns.pop("consent", 950), PERSON, **found | columns),)


def access(**columns: Any) -> ReferralAccess:
    return ReferralAccess(
        **{"task": 2, "organization": CLINIC.id, "person": PERSON, "service_request": 3, "level": "full"}
        | columns
    )


V = {"confidentiality": "V"}
DATED = {"data_from_us": DATA[0], "data_until_us": DATA[1]}

CASES = [
    Case("released", True),
    # --- the grant
    Case("nothing granted", False, False, grants=()),
    Case("the notice alone", False, grants=(NOTICE,)),
    Case("another category", False, grants=to("housing")),
    Case("another organisation's grant", False, False, grants=(grant(PERSON, OTHER.id, "health"),)),
    Case("another person's grant", False, False, grants=(grant(9, CLINIC.id, "health"),)),
    Case("another purpose", False, False, grants=both(purpose="shelter-placement")),
    Case("asked for another purpose", False, False, asked={"purpose": "shelter-placement"}),
    Case("asked for no purpose", False, False, asked={"purpose": ""}),
    Case("begins now", True, grants=both(valid_from_us=NOW)),
    Case("begins in a microsecond", False, False, grants=both(valid_from_us=NOW + 1)),
    Case("ends in a microsecond", True, grants=both(valid_until_us=NOW + 1)),
    Case("ends now", False, False, grants=both(valid_until_us=NOW)),
    Case("very restricted", False, row=V),
    Case("very restricted, and V granted", True, row=V, grants=to(very_restricted=True)),
    Case("of unknown category", False, row={"category": "very-restricted"}),
    Case(
        "of unknown category, by name",
        True,
        row={"category": "very-restricted"},
        grants=to("", resource="Observation/observation-11", very_restricted=True),
    ),
    Case("by name", True, grants=to("", resource="Observation/observation-11")),
    Case("by another's name", False, grants=to("", resource="Observation/observation-12")),
    Case("by a name of another type", False, grants=to("", resource="Condition/observation-11")),
    Case("an own record of consent or audit", False, row={"category": "own"}),
    Case("never released", False, row={"never_release": True}),
    # --- the time the data tell of
    Case("data begin as the grant does", True, grants=to(data_from_us=DATA[0]), row=DATED),
    Case("data begin before", False, grants=to(data_from_us=DATA[0] + 1), row=DATED),
    Case("data end as the grant does", True, grants=to(data_until_us=DATA[1]), row=DATED),
    Case("data end after", False, grants=to(data_until_us=DATA[1] - 1), row=DATED),
    Case("data of no known time", False, grants=to(data_from_us=DATA[0])),
    Case("data of no known end", False, grants=to(data_from_us=0), row={"data_from_us": DATA[0]}),
    # --- the referral
    Case("no referral of hers", False, False, access=access(person=9, task=9, service_request=None)),
    Case("another's referral", False, False, access=access(organization=OTHER.id)),
    Case("only requested", False, True, access=access(level="notice")),
    Case("closed", False, False, access=access(level="history")),
    Case("open for a microsecond", True, access=access(until_us=NOW + 1)),
    Case("over now", False, False, access=access(until_us=NOW)),
    Case("the way back", True, False, access=access(back=True)),
    Case("the way back, nothing granted", False, False, access=access(back=True), grants=()),
    Case("no name", False, True, access=access(nameless=True), grants=()),
    Case("no name, only requested", False, True, access=access(nameless=True, level="notice"), grants=()),
    Case("no name, closed", False, False, access=access(nameless=True, level="history"), grants=()),
    Case("no name, the way back", True, False, access=access(nameless=True, back=True), grants=()),
    # --- the refusal
    Case("refused", False, False, refusals=refusal()),
    Case("everybody refused", False, False, refusals=refusal(target="*")),
    Case("the whole house refused", False, False, refusals=refusal(target="org:clinic")),
    Case("clinics refused", False, False, refusals=refusal(target="kind:clinic")),
    Case("somebody else refused", True, refusals=refusal(target="org:clinic-2")),
    Case("another person's refusal", True, refusals=(Refusal(950, 9, "*"),)),
    Case("governments refused", True, refusals=refusal(target="kind:governmental")),
    Case("refused for this purpose", False, False, refusals=refusal(purpose="TREAT")),
    Case("refused for another purpose", True, refusals=refusal(purpose="shelter-placement")),
    Case("health refused", False, refusals=refusal(category="health")),
    Case("housing refused", True, refusals=refusal(category="housing")),
    Case(
        "housing refused, category unknown",
        False,
        refusals=refusal(category="housing"),
        row={"category": "very-restricted"},
        grants=to("", resource="Observation/observation-11", very_restricted=True),
    ),
    Case("refused by name", False, refusals=refusal(resource="Observation/observation-11")),
    Case("another refused by name", True, refusals=refusal(resource="Observation/observation-12")),
    Case("V refused", True, refusals=refusal(at_least="V")),
    Case("V refused and V", False, refusals=refusal(at_least="V"), row=V, grants=to(very_restricted=True)),
    Case("R and above refused", False, False, refusals=refusal(at_least="R")),
    Case("refused from now", False, False, refusals=refusal(valid_from_us=NOW)),
    Case("refused in a microsecond", True, refusals=refusal(valid_from_us=NOW + 1)),
    Case("refused for a microsecond", False, False, refusals=refusal(valid_until_us=NOW + 1)),
    Case("refused until now", True, refusals=refusal(valid_until_us=NOW)),
    # --- the exception
    Case("excepted", True, refusals=refusal(), exceptions=exception()),
    Case("another excepted", False, True, refusals=refusal(), exceptions=exception(resource="Patient/x")),
    Case(
        "excepted for another", False, False, refusals=refusal(), exceptions=exception(organization=OTHER.id)
    ),
    Case(
        "excepted for another purpose",
        False,
        False,
        refusals=refusal(),
        exceptions=exception(purpose="shelter-placement"),
    ),
    Case("excepted from now", True, refusals=refusal(), exceptions=exception(valid_from_us=NOW)),
    Case(
        "excepted in a microsecond",
        False,
        False,
        refusals=refusal(),
        exceptions=exception(valid_from_us=NOW + 1),
    ),
    Case(
        "excepted for a microsecond", True, refusals=refusal(), exceptions=exception(valid_until_us=NOW + 1)
    ),
    Case("excepted until now", False, False, refusals=refusal(), exceptions=exception(valid_until_us=NOW)),
    Case(
        "excepted in another refusal",
        False,
        False,
        refusals=refusal(),
        exceptions=exception(consent=951),
    ),
    Case("an exception permits nothing", False, False, grants=(), refusals=refusal(), exceptions=exception()),
    Case(
        "a second refusal stands",
        False,
        False,
        refusals=(*refusal(), Refusal(951, PERSON, "*")),
        exceptions=exception(),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_edges(filled: World, case: Case) -> None:
    world = filled
    world.clear()
    row: dict[str, Any] = {"person": PERSON, "category": "health"}
    world.resources(
        patient(PERSON, SHELTER.id),
        resource(2, "Task", SHELTER.id, person=PERSON, owner=CLINIC.id),
        resource(3, "ServiceRequest", SHELTER.id, **row),
        resource(11, "Observation", SHELTER.id, **row | case.row),
    )
    world.accesses(case.access)
    world.consents(
        ConsentRows(900, PERSON, grants=case.grants),
        *(
            ConsentRows(
                consent,
                PERSON,
                refusals=tuple(one for one in case.refusals if one.consent == consent),
                exceptions=tuple(one for one in case.exceptions if one.consent == consent),
            )
            for consent in (950, 951)
        ),
    )
    for lead in ("", "Patient/patient-1"):  # each as a union of ways, and led by the person
        criteria = [token("subject", lead)] if lead else []
        found = ids(world, plan("Observation", CLINIC, *criteria, **case.asked))
        assert found == (["observation-11"] if case.record else [])
        found = ids(world, plan("ServiceRequest", CLINIC, *criteria, **case.asked))
        assert found == (["servicerequest-3"] if case.patient else [])
    assert ids(world, plan("Patient", CLINIC, **case.asked)) == (["patient-1"] if case.patient else [])
    assert ids(world, plan("Observation", SHELTER)) == ["observation-11"]
