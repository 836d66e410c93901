"""Numbers as texts: they sort as the numbers do, and equal numbers are equal texts."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from referral_hub.fhir.number_keys import HIGHEST, LOWEST, number_key

NUMBERS = st.one_of(
    st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-1000, max_value=1000),
    st.builds(
        lambda digits, exponent: Decimal(digits).scaleb(exponent),
        st.integers(-(10**20), 10**20),
        st.integers(-40, 40),
    ),
)


@given(NUMBERS, NUMBERS)
def test_texts_sort_as_the_numbers_do(one: Decimal, other: Decimal) -> None:
    first, second = number_key(one), number_key(other)
    assert (first < second, first == second) == (one < other, one == other)
    assert first.encode() < second.encode() or not one < other


@given(NUMBERS)
def test_open_ends_are_beyond_every_number(number: Decimal) -> None:
    assert LOWEST < number_key(number) < HIGHEST


@given(NUMBERS, st.integers(0, 9))
def test_zeros_behind_the_digits_do_not_count(number: Decimal, zeros: int) -> None:
    written = f"{number:f}"
    padded = Decimal(written + ("" if "." in written else ".") + "0" * zeros)
    assert number_key(padded) == number_key(number)
