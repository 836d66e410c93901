"""In which order a search answers: what ``_sort`` may name, and for whom.

What lives here: the keys of an order in the store's terms. What does not: SQL (``store.search_sql``).

An order tells something of the element it goes by. By an element that some who see a resource do not see, only the
caller's own rows are put in order, and no others are found.

Source: FHIR R4 search.html#sort; ``views.md`` 5; ``consent.md`` S-14.
"""

from collections.abc import Sequence
from functools import cache

from referral_hub.exchange.indexing import SUBJECTS, parameters
from referral_hub.exchange.search_plan import NEWEST_FIRST, Order
from referral_hub.fhir.search_query import SortKey
from referral_hub.resources.catalog import DEFINITIONS

_OF_EVERY_TYPE = {"_lastUpdated": "updated", "_id": "id"}
_BY_TYPE = {"date": "date", "string": "string", "number": "number", "quantity": "number"}
_SEEN_BY_SOME = frozenset({"business-status", "focus", "output"}) | SUBJECTS
"""Parameters of Task that some of its cards lack."""


@cache
def sortable(type_name: str) -> tuple[str, ...]:
    """Gives what ``_sort`` may name: times, texts and numbers, and the status; nothing that is kept as a digest.

    >>> "authored-on" in sortable("Task"), "birthdate" in sortable("Patient")
    (True, False)
    """
    return (*_OF_EVERY_TYPE, *(code for code in parameters(type_name) if _kind(type_name, code)))


def order_of(type_name: str, keys: Sequence[SortKey]) -> tuple[tuple[Order, ...], bool]:
    """Gives an order in the store's terms, and whether it is for the caller's own rows only."""
    if not keys:
        return NEWEST_FIRST, False
    codes = [key.parameter.code for key in keys]
    orders = tuple(
        Order(code, _OF_EVERY_TYPE.get(code) or _kind(type_name, code), key.descending)
        for code, key in zip(codes, keys, strict=True)
    )
    return orders, not all(_seen_by_all(type_name, code) for code in codes)


def _kind(type_name: str, code: str) -> str:
    searchable, parameter = parameters(type_name)[code]
    definition = DEFINITIONS[type_name]
    if searchable.identifying:
        return ""
    if code == "status" and definition.status_element == "status":
        return "status"
    return _BY_TYPE.get(parameter.type, "")


def _seen_by_all(type_name: str, code: str) -> bool:
    """Tells whether whoever sees a resource of the type sees this element of it."""
    if code in _OF_EVERY_TYPE:
        return True
    definition = DEFINITIONS[type_name]
    searchable = parameters(type_name)[code][0]
    if searchable.visibility != "notice":
        return False
    if type_name == "Task":
        return code not in _SEEN_BY_SOME
    # Of other records a caller may see no more than that they are there.
    return not definition.opened or type_name in ("Consent", "ServiceRequest")
