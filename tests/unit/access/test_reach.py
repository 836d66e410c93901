"""How far each caller sees within what its organisation sees, as tables."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_hub.access.principal import Binding, OrganizationFacts, Principal
from referral_hub.access.reach import ROLES, Reach, Ties, reach_of, within
from referral_hub.access.scopes import ScopeSet

HER, OTHER = 1, 2


@dataclass(frozen=True)
class Row:
    type: str = "Condition"
    person: int | None = HER
    directory: bool = False
    never_release: bool = False


@pytest.mark.parametrize(
    ("context", "role", "person", "bound", "kind"),
    [
        ("system", "", None, False, None),
        ("system", "supervisor", None, False, None),
        ("system", "", HER, False, "unit"),
        ("system", "", HER, True, "unit"),
        ("system", "", None, True, "nothing"),
        ("user", "supervisor", None, False, "unit"),
        ("user", "caseworker", None, False, "assigned"),
        ("user", "clinician", None, False, "assigned"),
        ("user", "lawyer", None, False, "assigned"),
        ("user", "intake", None, False, "intake"),
        ("user", "coordinator", None, False, "directory"),
        ("user", "evaluator", None, False, "directory"),
        ("user", "", None, False, "nothing"),
        ("user", "Supervisor", None, False, "nothing"),
        ("user", "supervisor", None, True, "nothing"),
        ("patient", "", HER, False, "herself"),
        ("patient", "supervisor", HER, False, "herself"),
        ("patient", "", None, False, "nothing"),
        ("patient", "", HER, True, "nothing"),
        ("", "", None, False, "nothing"),
        ("System", "", None, False, "nothing"),
    ],
)
def test_who_reaches_how_far(
    context: str, role: str, person: int | None, bound: bool, kind: str | None
) -> None:
    found = reach_of(context, role, person, bound=bound)
    assert (found.kind if found is not None else None) == kind


NO, ASSIGNED, ASKED, LIVE = Ties(), Ties(assigned=True), Ties(asked=True), Ties(live=True)


@pytest.mark.parametrize(
    ("reach", "row", "ties", "told"),
    [
        (Reach("unit"), Row(), NO, True),
        (Reach("unit"), Row("Group", None), NO, True),
        (Reach("unit", HER), Row(), NO, True),
        (Reach("unit", HER), Row(person=OTHER), NO, False),
        (Reach("unit", HER), Row("Group", None), NO, False),
        (Reach("unit", HER), Row("Practitioner", None), NO, True),
        (Reach("unit", HER, bound=True), Row(), NO, False),
        (Reach("unit", HER, bound=True), Row(), LIVE, True),
        (Reach("assigned"), Row(), NO, False),
        (Reach("assigned"), Row(), ASSIGNED, True),
        (Reach("assigned"), Row("Task"), ASKED, False),
        (Reach("assigned", HER), Row(person=OTHER), ASSIGNED, False),
        (Reach("assigned"), Row("Task", None), NO, False),
        (Reach("assigned"), Row("Group", None), NO, False),
        (Reach("assigned"), Row("Location", None), NO, True),
        (Reach("intake"), Row("Task"), ASKED, True),
        (Reach("intake"), Row("Patient"), ASKED, True),
        (Reach("intake"), Row("Condition"), ASKED, False),
        (Reach("intake"), Row("Condition"), ASSIGNED, True),
        (Reach("directory"), Row(), ASSIGNED, False),
        (Reach("directory"), Row("Organization", None, directory=True), NO, True),
        (Reach("directory"), Row("Location", None), NO, False),
        (Reach("directory"), Row("Device", HER, directory=True), NO, False),
        (Reach("herself", HER), Row(), NO, True),
        (Reach("herself", HER), Row(person=OTHER), ASSIGNED, False),
        (Reach("herself", HER), Row(never_release=True), NO, False),
        (Reach("herself", HER), Row("Organization", None, directory=True), NO, True),
        (Reach("herself", HER), Row("Location", None), NO, False),
        (Reach("nothing"), Row("Organization", None, directory=True), NO, False),
        (Reach("nothing"), Row(), ASSIGNED, False),
    ],
)
def test_what_lies_within_reach(reach: Reach, row: Row, ties: Ties, told: bool) -> None:
    assert within(reach, row, ties) is told


rows = st.builds(
    Row,
    st.sampled_from(("Task", "Patient", "Condition", "Group", "Location", "Organization")),
    st.sampled_from((None, HER, OTHER)),
    st.booleans(),
    st.booleans(),
)
ties = st.builds(Ties, st.booleans(), st.booleans(), st.booleans())
kinds = st.sampled_from(sorted({*ROLES.values(), "nothing"}))


@given(kinds, rows, ties)
def test_naming_a_person_or_binding_never_widens(kind: str, row: Row, tied: Ties) -> None:
    whole = within(Reach(kind), row, tied)  # type: ignore[arg-type]
    about = within(Reach(kind, HER), row, tied)  # type: ignore[arg-type]
    bound = within(Reach(kind, HER, bound=True), row, tied)  # type: ignore[arg-type]
    assert whole >= about >= bound


@given(rows, st.sampled_from(sorted(ROLES)), st.sampled_from((None, HER)))
def test_without_ties_only_a_supervisor_reads_about_a_person(row: Row, role: str, person: int | None) -> None:
    found = reach_of("user", role, person, bound=False)
    assert found is not None
    if row.person is not None and role != "supervisor":
        assert not within(found, row, Ties())


def _caller(scope: str, context: str, person: int | None = None, **more: object) -> Principal:
    return Principal(
        OrganizationFacts("o"),
        "software",
        ScopeSet.parse(scope),
        "TREAT",
        context=context,
        role="supervisor",
        person=person,
        **more,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("scope", "context", "person", "told"),
    [
        ("system/Task.rs", "system", None, True),
        ("user/Task.rs", "system", None, False),
        ("patient/Task.rs", "system", HER, False),
        ("user/Task.rs", "user", None, True),
        ("system/Task.rs", "user", None, False),
        ("patient/Task.rs", "user", None, False),
        ("patient/Task.rs", "user", HER, True),
        ("patient/Task.rs", "patient", HER, True),
        ("user/Task.rs", "patient", HER, False),
        ("user/Task.rs?code=x", "user", None, False),
    ],
)
def test_a_scope_counts_in_its_own_context(scope: str, context: str, person: int | None, told: bool) -> None:
    assert _caller(scope, context, person).covers("Task", "r") is told


@pytest.mark.parametrize(
    ("accepts", "confidentiality", "told"),
    [(True, "", True), (False, "", False), (False, "V", True), (True, "R", False)],
)
def test_which_tokens_what_is_very_restricted_comes_with(
    accepts: bool, confidentiality: str, told: bool
) -> None:
    binding = Binding("h", "", (), frozenset(), confidentiality, 9) if confidentiality else None
    caller = _caller("system/Task.rs", "system", HER, binding=binding, accepts_very_restricted=accepts)
    assert caller.opens_very_restricted is told
