"""What a search finds a resource by: values taken out of it, each of a type of its own.

What lives here: the eight kinds of values. What does not: taking them out (:mod:`.search_values`),
comparing them with a search (:mod:`.search_match`), keeping them (``store``).

They are msgspec structs because one is made for every value of every write: a tenth of the time of a frozen
dataclass, and just as immutable.

Source: FHIR R4 ``search.html#ptypes``.
"""

from decimal import Decimal

import msgspec


class TokenValue(msgspec.Struct, frozen=True, gc=False):
    """A code or identifier; ``system`` is empty where none is said."""

    system: str
    code: str

    @property
    def text(self) -> str:
        """Gives ``system|code``.

        >>> TokenValue("http://loinc.org", "1-8").text
        'http://loinc.org|1-8'
        """
        return f"{self.system}|{self.code}"


class StringValue(msgspec.Struct, frozen=True, gc=False):
    """A text: ``folded`` for ordinary search, ``exact`` as written for ``:exact``."""

    folded: str
    exact: str


class ReferenceValue(msgspec.Struct, frozen=True, gc=False):
    """Where a reference leads: ``type`` and ``id``, a ``url`` elsewhere, or ``identifier`` (system, value).

    ``type`` is also filled beside a url or an identifier where the reference says it. A reference with a
    target and an identifier makes two values.
    """

    type: str = ""
    id: str = ""
    url: str = ""
    identifier: tuple[str, str] | None = None

    @property
    def text(self) -> str:
        """Gives ``Type/id``, the url, or ``system|value``.

        >>> ReferenceValue("Task", "7").text
        'Task/7'
        """
        if self.identifier is not None:
            return "|".join(self.identifier)
        return self.url or f"{self.type}/{self.id}"


class DateValue(msgspec.Struct, frozen=True, gc=False):
    """A span of time, half-open, in microseconds since 1970 UTC.

    Open ends are ``dates.EARLIEST_US`` and ``dates.LATEST_US``.
    """

    low_us: int
    high_us: int


class NumberValue(msgspec.Struct, frozen=True, gc=False):
    """A number, or a range of numbers with both ends in it; None for an open end."""

    low: Decimal | None
    high: Decimal | None


class QuantityValue(msgspec.Struct, frozen=True, gc=False):
    """A measured amount or range with both ends in it (None: open), its unit as code and as text."""

    low: Decimal | None
    high: Decimal | None
    system: str = ""
    code: str = ""
    unit: str = ""


class UriValue(msgspec.Struct, frozen=True, gc=False):
    """An address or other URI, compared character by character."""

    uri: str


PlainValue = TokenValue | StringValue | ReferenceValue | DateValue | NumberValue | QuantityValue | UriValue


class CompositeValue(msgspec.Struct, frozen=True, gc=False):
    """Two values that stand in one element, such as what was measured and how much of it."""

    first: TokenValue
    second: PlainValue


IndexValue = PlainValue | CompositeValue
