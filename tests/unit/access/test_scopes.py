"""SMART v2 scopes: grammar, narrowing, and what a token request is granted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_hub.access.scopes import LETTERS, LOOP_FLOOR, Scope, ScopeSet, granted_scopes
from referral_hub.errors import MalformedContent


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("system/Task.rs", "system/Task.rs"),
        ("system/Task.cruds", "system/Task.cruds"),
        ("user/Patient.r patient/Patient.s", "patient/Patient.s user/Patient.r"),
        ("system/*.rs", "system/*.rs"),
        ("system/Task.read", "system/Task.rs"),
        ("system/Task.write", "system/Task.cud"),
        ("system/Task.*", "system/Task.cruds"),
        ("system/*.*", "system/*.cruds"),
        ("system/Task.rs system/Task.u", "system/Task.rus"),
        ("system/Task.rs  system/Task.rs", "system/Task.rs"),
        ("openid fhirUser launch/patient", "fhirUser launch/patient openid"),
        ("launch system/Task.r", "system/Task.r launch"),
        ("", ""),
        (
            "system/ServiceRequest.rs?category=http://example.org/c|shelter",
            "system/ServiceRequest.rs?category=http://example.org/c|shelter",
        ),
        ("system/Observation.rs?status=final&category=a", "system/Observation.rs?category=a&status=final"),
        ("system/Observation.rs?_id=a%20b", "system/Observation.rs?_id=a%20b"),
        (
            "system/Observation.r system/Observation.rs?category=a",
            "system/Observation.r system/Observation.s?category=a",
        ),
    ],
)
def test_grammar(text: str, kept: str) -> None:
    assert ScopeSet.parse(text).text() == kept


@pytest.mark.parametrize(
    "text",
    [
        "system/Task.sr",
        "system/Task.rr",
        "system/Task.rx",
        "system/Task.",
        "system/Task",
        "system/task.rs",
        "system/.rs",
        "system/Task.rs?",
        "system/Task.rs?status",
        "system/Task.rs?status=",
        "system/Task.rs?code:in=x",
        "system/Task.rs?patient.name=x",
        "system/Task.rs?_filter=x",
        "system/Task.rs?_has=x",
        "system/Task.rs?_tag=x",
        "system/Task.read?status=x",
        "system/Task.rs?status=x&",
        'system/Task.rs?status="',
        "system/Task.rs\tsystem/Patient.rs",
        "openid\u00a0x",
        "system/Ta*k.rs",
        "system/Task.Read",
    ],
)
def test_what_breaks_the_grammar_is_refused(text: str) -> None:
    with pytest.raises(MalformedContent):
        ScopeSet.parse(text)


@pytest.mark.parametrize(
    ("text", "asked", "covered"),
    [
        ("system/Task.rs", ("Task", "r"), True),
        ("system/Task.rs", ("Task", "u"), False),
        ("system/Task.rs", ("Patient", "r"), False),
        ("system/*.cruds", ("Task", "r"), False),
        ("user/Task.rs", ("Task", "r"), False),
        ("user/Task.rs", ("Task", "r", "user"), True),
        ("system/Task.rs?status=x", ("Task", "r"), False),
        ("openid", ("Task", "r"), False),
        ("", ("Task", "r"), False),
    ],
)
def test_what_a_set_covers(text: str, asked: tuple[str, ...], covered: bool) -> None:
    assert ScopeSet.parse(text).covers(*asked) is covered  # type: ignore[arg-type]


def test_limits_tell_the_constraints() -> None:
    held = ScopeSet.parse("system/Observation.rs?category=a system/Observation.r?category=b&status=final")
    assert held.limits("Observation", "r") == (
        (("category", "b"), ("status", "final")),
        (("category", "a"),),
    )
    assert held.limits("Observation", "s") == ((("category", "a"),),)
    assert held.limits("Observation", "c") == ()
    assert held.limits("Task", "r") == ()
    assert ScopeSet.parse("system/Task.r").limits("Task", "r") == ((),)


def test_sets_are_equal_however_they_were_written() -> None:
    one = ScopeSet.parse("system/Task.rs openid system/Patient.rs")
    other = ScopeSet.parse("system/Patient.read openid system/Task.s system/Task.r openid")
    assert one == other
    assert hash(one) == hash(other)
    assert one != ScopeSet.parse("system/Task.rs system/Patient.rs")


def test_a_star_is_written_out_before_it_is_kept() -> None:
    kept = ScopeSet.parse("system/*.rs openid").expanded(["Task", "Patient"])
    assert kept.text() == "system/Patient.rs system/Task.rs openid"


REGISTERED = ScopeSet.parse(
    "system/Task.cruds system/ServiceRequest.rs system/Condition.cruds system/RiskAssessment.rs openid"
)


@pytest.mark.parametrize(
    ("requested", "backed", "granted"),
    [
        ("system/Task.rus", (), "system/Task.rus"),
        ("system/Task.cruds", (), "system/Task.crus"),
        ("system/Task.cruds", ("Task",), "system/Task.cruds"),
        ("system/ServiceRequest.cruds", (), "system/ServiceRequest.rs"),
        ("system/Condition.cruds", (), "system/Condition.crus"),
        ("system/RiskAssessment.rs", (), ""),
        ("system/RiskAssessment.rs", ("RiskAssessment",), "system/RiskAssessment.rs"),
        ("system/*.rs", (), "system/Condition.rs system/ServiceRequest.rs system/Task.rs"),
        ("system/Patient.rs", ("Patient",), ""),
        ("user/Task.rs", ("Task",), ""),
        ("openid launch", (), "openid"),
        ("system/Task.rs?status=requested", (), "system/Task.rs?status=requested"),
        ("", (), ""),
    ],
)
def test_what_is_granted(requested: str, backed: tuple[str, ...], granted: str) -> None:
    assert granted_scopes(REGISTERED, ScopeSet.parse(requested), backed_types=backed).text() == granted


def test_a_registered_star_counts_for_nothing() -> None:
    registered = ScopeSet.parse("system/*.cruds")
    assert granted_scopes(registered, ScopeSet.parse("system/Task.rs"), backed_types=["Task"]).opens_nothing


def test_constraints_of_both_sides_hold() -> None:
    registered = ScopeSet.parse("system/Observation.rs?category=a")
    requested = ScopeSet.parse("system/Observation.rs?status=final")
    granted = granted_scopes(registered, requested, backed_types=["Observation"])
    assert granted.text() == "system/Observation.rs?category=a&status=final"


def test_a_first_record_can_always_be_written() -> None:
    registered = ScopeSet.parse("system/Consent.cruds")
    assert granted_scopes(registered, ScopeSet.parse("system/*.cruds")).text() == "system/Consent.c"


def test_the_loop_can_always_be_closed() -> None:
    everything = ScopeSet.parse(" ".join(f"system/{name}.cruds" for name in LOOP_FLOOR))
    granted = granted_scopes(everything, everything)
    assert all(
        granted.covers(type_name, letter) for type_name, letters in LOOP_FLOOR.items() for letter in letters
    )


_scopes = st.builds(
    Scope,
    st.sampled_from(["system", "user"]),
    st.sampled_from(["Task", "Patient", "Condition", "*"]),
    st.sets(st.sampled_from(LETTERS), min_size=1).map(lambda kept: "".join(c for c in LETTERS if c in kept)),
    st.sampled_from([(), (("status", "a"),), (("category", "b"), ("status", "a"))]),
)
_sets = st.builds(ScopeSet, st.lists(_scopes, max_size=5).map(tuple))


@given(_sets)
def test_writing_and_reading_again_changes_nothing(held: ScopeSet) -> None:
    assert ScopeSet.parse(held.text()) == held


@given(_sets, _sets, st.sets(st.sampled_from(["Task", "Patient", "Condition"])))
def test_a_grant_never_allows_more_than_registration_or_request(
    registered: ScopeSet, requested: ScopeSet, backed: set[str]
) -> None:
    granted = granted_scopes(registered, requested, backed_types=backed)
    plain = requested.expanded(["Task", "Patient", "Condition"])
    for scope in granted.scopes:
        assert scope.type != "*"
        for letter in scope.letters:
            for source in (registered, plain):
                ways = source.limits(scope.type, letter, scope.context)  # type: ignore[arg-type]
                assert any(set(way) <= set(scope.constraints) for way in ways)
