"""A broken example counts only where it is refused for its own rule."""

import pytest

from conformance.profiled import Profiled, broken_promises, profiled, refuses
from conformance.verdicts import Fault, Verdict

FOCUS = Fault(
    "Validation_VAL_Profile_Minimum", "Task", "Task.focus: minimum required = 1, but only found 0 (from x)"
)
SLICE = Fault(
    "Validation_VAL_Profile_Minimum_SLICE", "CarePlan", "Slice 'CarePlan.category:stage': a slice is needed"
)
INNER = Fault(
    "Validation_VAL_Profile_Maximum", "Task.input[0]", "Task.input:handoff.value: max allowed = 1 (from x)"
)
FIXED = Fault("_DT_Fixed_Wrong", "Task.intent", "Value is 'plan' but is fixed to 'order'")
CODING = Fault("_DT_Fixed_Wrong", "AuditEvent.type.system", "Value is 'a' but is fixed to 'b'")
BOUND = Fault(
    "Terminology_TX_NoValid_16", "Patient.extension[0].value.ofType(code)", "not found in the value set"
)
TYPED = Fault(
    "Validation_VAL_Profile_NoType", "Task.output[3]", "The type of element valueString is not known"
)
TARGET = Fault("Reference_REF_BadTargetType2", "Consent.provision.actor[0].reference", "not a valid Target")
OWN = Fault(
    "https://referral-hub.example/fhir/StructureDefinition/referral-task#hub-task-1", "Task", "Constraint"
)


@pytest.mark.parametrize(
    ("rule", "fault", "told"),
    [
        ("Task.focus: min", FOCUS, True),
        ("Task.focus: max", FOCUS, False),
        ("Task.for: min", FOCUS, False),
        ("CarePlan.category:stage: min", SLICE, True),
        ("Task.input.value: max", INNER, True),
        ("Task.intent: fixed", FIXED, True),
        ("Task.intent: binding", FIXED, False),
        ("Task.status: fixed", FIXED, False),
        ("AuditEvent.type: pattern", CODING, True),
        ("AuditEvent.subtype: pattern", CODING, False),
        ("Extension.value[x]: binding", BOUND, True),
        ("Task.output.value[x]: type", TYPED, True),
        ("Task.input.value[x]: type", TYPED, False),
        ("Consent.provision.actor.reference: target", TARGET, True),
        ("Task: hub-task-1", OWN, True),
        ("Task: hub-task-2", OWN, False),
    ],
)
def test_an_error_is_of_a_rule(rule: str, fault: Fault, told: bool) -> None:
    assert refuses(rule, fault) is told


def test_what_is_judged_otherwise_is_told() -> None:
    files = [Profiled("sound", b""), Profiled("broken", b"", "Task.focus: min")]
    assert list(broken_promises(files, [Verdict("a", ()), Verdict("b", (FOCUS,))])) == []
    assert len(list(broken_promises(files, [Verdict("a", (FOCUS,)), Verdict("b", ())]))) == 2
    assert len(list(broken_promises(files, [Verdict("a", ()), Verdict("b", (FIXED,))]))) == 1


def test_every_file_is_shown() -> None:
    files = profiled()
    assert len({one.name for one in files}) == len(files)
    assert sum(bool(one.rule) for one in files) > 250
    assert {one.name.partition("/")[0] for one in files} == {"broken", "examples", "generated"}
