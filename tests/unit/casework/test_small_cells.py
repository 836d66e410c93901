"""Numbers too small to be told stay hidden, and nobody reckons them out."""

from hypothesis import given
from hypothesis import strategies as st

from referral_hub.casework.small_cells import told

COUNTS = st.dictionaries(st.integers(0, 20), st.integers(0, 60), max_size=12)


@given(COUNTS, st.integers(2, 20))
def test_no_small_number_is_told(counts: dict[int, int], least: int) -> None:
    shown = told(counts, least)
    assert shown.keys() == counts.keys()
    assert all(number is None or number == 0 or number >= least for number in shown.values())
    assert all(shown[key] in (None, counts[key]) for key in counts)


@given(COUNTS, st.integers(2, 20))
def test_the_sum_of_a_table_gives_no_hidden_number_away(counts: dict[int, int], least: int) -> None:
    shown = told(counts, least)
    hidden = [counts[key] for key, number in shown.items() if number is None]
    told_some = any(shown.values())
    assert not hidden or not told_some or (len(hidden) > 1 and sum(hidden) >= least)


def test_nothing_small_hides_nothing() -> None:
    assert told({"a": 11, "b": 0, "c": 400}, 11) == {"a": 11, "b": 0, "c": 400}
