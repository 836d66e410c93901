"""Is a value what a profile fixes?

What lives here: comparing JSON values with the fixed values and patterns of profiles. What does not: which
value a profile wants where (:mod:`referral_hub.fhir.profile_tables`).

Source: FHIR R4 ``elementdefinition-definitions.html#ElementDefinition.fixed[x]`` and ``pattern[x]``.
"""

from decimal import Decimal
from typing import Any


def is_same(value: Any, wanted: Any) -> bool:
    """Says whether a value is exactly a fixed one: nothing is missing and nothing is more.

    >>> is_same({"code": "a"}, {"code": "a"}), is_same({"code": "a", "display": "A"}, {"code": "a"})
    (True, False)
    """
    if isinstance(wanted, dict):
        return (
            isinstance(value, dict)
            and value.keys() == wanted.keys()
            and all(is_same(value[key], item) for key, item in wanted.items())
        )
    if isinstance(wanted, list):
        return isinstance(value, list) and len(value) == len(wanted) and all(map(is_same, value, wanted))
    return _is_equal(value, wanted)


def holds_pattern(value: Any, wanted: Any) -> bool:
    """Says whether a value holds at least what a pattern names; each item of a list must be there once.

    >>> holds_pattern({"coding": [{"code": "b"}, {"code": "a", "display": "A"}]}, {"coding": [{"code": "a"}]})
    True
    """
    if isinstance(wanted, dict):
        return isinstance(value, dict) and all(
            key in value and holds_pattern(value[key], item) for key, item in wanted.items()
        )
    if isinstance(wanted, list):
        return isinstance(value, list) and all(
            any(holds_pattern(item, one) for item in value) for one in wanted
        )
    return _is_equal(value, wanted)


def _is_equal(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, bool) or isinstance(value, bool):
        return value is wanted
    if isinstance(wanted, float):
        # The tables are read without exact decimals; Python writes a float as it was read.
        return isinstance(value, int | Decimal) and value == Decimal(repr(wanted))
    return bool(value == wanted)
