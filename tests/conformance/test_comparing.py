"""The comparison and the report: what fails a run, and what does not."""

import pytest

from conformance import differential, emitted
from conformance.differential import Case, cases, compare, report, sources
from conformance.judge import CannotJudge, _check_itself, missing_tools
from conformance.listening import Emitted
from conformance.profile_faults import PROFILE_KINDS
from conformance.verdicts import Fault, Verdict
from referral_hub.resources.catalog import DEFINITIONS

WRONG = Fault("Terminology_TX_NoValid_16", "Patient.gender", "not found")
EXCUSED = Fault("Extension_EXT_Unknown_NotHere", "Patient.extension[0]", "could not be found")
TAKEN, REFUSED = (), ("code-invalid: This code is not possible here: possible are a, b.",)


def _case(name: str, told: tuple[str, ...]) -> Case:
    return Case(name, name.encode(), told)


JUDGED = [
    (_case("both refuse", REFUSED), Verdict("", (WRONG,))),
    (_case("both take", TAKEN), Verdict("", ())),
    (_case("hub alone", REFUSED), Verdict("", ())),
    (_case("excused", TAKEN), Verdict("", (EXCUSED,))),
    (_case("half excused", TAKEN), Verdict("", (EXCUSED, WRONG))),
]


def test_each_mutant_is_sorted_by_who_refuses_it() -> None:
    found = compare(JUDGED)
    assert (found.both_refuse, found.both_accept) == (1, 1)
    assert [[case.name for case in those] for those in found.stricter.values()] == [["hub alone"]]
    assert {key: [case.name for case in those] for key, those in found.excused.items()} == {
        "extension that nobody here defines": ["excused"]
    }
    assert [case.name for case, _ in found.unexplained] == ["half excused"]


def test_one_unexplained_mutant_fails_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(compare(JUDGED[:4]), 4000) is True
    assert report(compare(JUDGED), 4000) is False
    told = capsys.readouterr().out
    assert "taken by the hub, refused by HL7's validator: half excused" in told
    assert "1 with a reason and 1 without" in told


def test_too_few_mutants_fail_the_run() -> None:
    assert report(compare(JUDGED[:4]), differential.FEWEST - 1) is False


def test_mutants_are_made_of_what_was_emitted(monkeypatch: pytest.MonkeyPatch) -> None:
    bodies = [
        Emitted("a patient", b'{"resourceType":"Patient","gender":"female","birthDate":"1990"}'),
        Emitted("an outcome", b'{"resourceType":"OperationOutcome","issue":[]}'),
        Emitted(
            "too large",
            b'{"resourceType":"Patient","language":"' + b"a" * differential.LARGEST_SOURCE + b'"}',
        ),
    ]
    monkeypatch.setattr(differential, "EXAMPLES", differential.EXAMPLES / "none")
    found = sources(bodies)
    own = {name for name in found if name.endswith(")")}
    assert {"Patient (person)", "Task (recall-task)", "Consent (consent-release)"} < own
    found = {name: those for name, those in found.items() if name not in own}
    assert {name: [source for source, _ in those] for name, those in found.items()} == {
        "Patient": ["a patient"]
    }
    made = cases(found, wanted=300)
    assert made == cases(found, wanted=300)
    assert len({case.body for case in made}) == len(made) > 20
    assert any(case.told for case in made)
    assert any(not case.told for case in made)


def test_what_claims_a_profile_gets_the_faults_that_only_a_profile_minds() -> None:
    claims = {name: those for name, those in sources([]).items() if name == "Task (referral-task)"}
    made = cases(claims, wanted=300)
    kinds = {case.name.partition(": ")[2].partition(" at ")[0] for case in made}
    assert set(PROFILE_KINDS) < kinds


def _all_types() -> list[Emitted]:
    types = [*DEFINITIONS, "Bundle", "CapabilityStatement", "OperationOutcome", "Parameters"]
    return [Emitted(name, f'{{"resourceType":"{name}"}}'.encode()) for name in types]


def test_a_silent_story_fails_the_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bodies = [one for one in _all_types() if one.name != "AuditEvent"]
    monkeypatch.setattr(emitted, "hub_says", lambda body: ())
    assert emitted.report(bodies, [Verdict(one.name, ()) for one in bodies]) is False
    told = capsys.readouterr().out
    assert "no AuditEvent was emitted" in told
    assert "at least" in told


def test_an_invalid_body_and_a_failure_of_the_hub_fail_the_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(emitted, "FEWEST", 1)
    bodies = [*_all_types(), Emitted("x | sender: GET /Task -> 500", b'{"resourceType":"Task"}')]
    verdicts = [Verdict(one.name, (WRONG,) if one.name == "Patient" else ()) for one in bodies]
    assert emitted.report(bodies, verdicts) is False
    told = capsys.readouterr().out
    assert "not valid: Patient\n    Patient.gender: not found" in told
    assert "by the hub's own validator: required" in told
    assert "the hub failed: x | sender: GET /Task -> 500" in told


@pytest.mark.parametrize(("name", "errors"), [("self-test: broken code", ()), ("self-test: sound", (WRONG,))])
def test_a_validator_that_cannot_tell_broken_from_sound_is_not_believed(
    name: str, errors: tuple[Fault, ...]
) -> None:
    with pytest.raises(CannotJudge, match=name):
        _check_itself([Verdict(name, errors)])


def test_what_is_missing_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    told = missing_tools()
    assert "mvn" in told
    assert "apt-get install" in told
    assert "\n" not in told
