"""Numbers too small to be told: which counts of a table stay hidden so that none is found by reckoning.

What lives here: one pure function. What does not: the counts, and the bound itself (a setting).

A small number of lines about one organisation can be one person. It is hidden, and so are the next smallest until what
is hidden together is large enough, or else the sum of the table would give it away.

Source: ``practice.md`` 12; ``consent.md`` F-24.
"""

from collections.abc import Hashable, Mapping
from typing import TypeVar

K = TypeVar("K", bound=Hashable)


def told(counts: Mapping[K, int], least: int) -> dict[K, int | None]:
    """Gives the counts with None in place of each that may not be told; nothing stays nothing.

    Args:
        counts: what there is.
        least: below this a number is not told.

    >>> told({"a": 40, "b": 2, "c": 9}, 5)
    {'a': 40, 'b': None, 'c': None}
    >>> told({"a": 40, "b": 0}, 5)
    {'a': 40, 'b': 0}
    """
    hidden = {key for key, number in counts.items() if 0 < number < least}
    rest = sorted((key for key in counts if counts[key] >= least), key=lambda key: counts[key])
    while hidden and rest and (len(hidden) < 2 or sum(counts[key] for key in hidden) < least):
        hidden.add(rest.pop(0))
    return {key: None if key in hidden else number for key, number in counts.items()}
