"""Units of UCUM: what can be read, and what is not even written like one."""

import pytest

from referral_hub.fhir.ucum_units import LONGEST, is_unit, is_written
from referral_hub.fhir.validator import judge, validate


@pytest.mark.parametrize(
    "code",
    "mg/dL mm[Hg] Cel % 1 10*9/L /min {score} mL/min/{1.73_m2} kg.m/s2 mg/(kg.d) (m.s)/(kg.K) u[IU]/mL '' [degF] "
    "g/(8.h) [in_i'Hg] da kPa umol/L m[H2O] mo d a wk [arb'U]/mL 10^-6 L{total} dB[SPL]".replace(
        " da ", " "
    ).split(),
)
def test_is_a_unit(code: str):
    assert (is_unit(code), is_written(code)) == (True, True)


@pytest.mark.parametrize("code", ["mcg", "banana", "mmHg", "ml/hr", "TAB", "Kg", "kmo", "da"])
def test_is_written_like_a_unit_and_is_none(code: str):
    assert (is_unit(code), is_written(code)) == (False, True)


@pytest.mark.parametrize(
    "code", ["", " ", "mg / dL", "mg//dL", "mg/", "(mg", "mg)", "[x", "x]", "{a", "a}", "mg\n", "µg"]
)
def test_is_not_even_written_like_one(code: str):
    assert (is_unit(code), is_written(code)) == (False, False)


@pytest.mark.parametrize(
    "code", ["m" * LONGEST, "(" * 90 + "m" + ")" * 90, "m/" * 99 + "m", "[a]" * 60, "'" * 200]
)
def test_long_codes_are_read_at_once(code: str):
    assert is_unit(code) <= is_written(code)  # whatever is a unit is written like one


def test_a_longer_code_is_none():
    assert not is_written("m/" * LONGEST + "m")


def quantity(code: str) -> dict[str, object]:
    value = {"value": 1, "system": "http://unitsofmeasure.org", "code": code}
    return {"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "valueQuantity": value}


def test_a_unit_ucum_does_not_know_is_a_warning():
    assert validate(quantity("mcg")) == []
    told = [i for i in judge(quantity("mcg")) if i.expression == "Observation.value.code"]
    assert [(issue.severity, issue.code) for issue in told] == [("warning", "code-invalid")]


def test_what_ucum_cannot_write_is_an_error():
    assert [(i.expression, i.code) for i in validate(quantity("mg / d"))] == [
        ("Observation.value.code", "code-invalid")
    ]
