"""How a copy is made: one table per type names what may stay, everything else does not exist for the reader.

What lives here: :class:`Reading`, one copy being made, and :class:`Table`, an allow-list of elements with
their rules. What does not: the rules (``access.redact_rules``), the lists of each type
(``access.redact_task`` and its neighbours), and which view applies (``access.views``).

An element no table names does not exist for the reader, and neither do narrative, contained resources,
element ids and what stands beside a primitive (``_status``). An element with a ``modifierExtension`` is
left out whole, because without it the rest would say something else; a whole resource with one cannot be
shown at all.

Source: ``views.md`` 4; ``consent.md`` 3.1 (L-06, L-08) and 3.3 (S-20, S-22); FHIR R4
``extensibility.html``.
"""

from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any

from referral_hub.access.task_parts import organization
from referral_hub.access.views import OUTCOME, VERY_RESTRICTED_CATEGORIES, View
from referral_hub.errors import NotFound
from referral_hub.fhir.canonical import ACT_CODE, CANONICAL, CONFIDENTIALITY

OPAQUE = f"{CANONICAL}/opaque"
"""System of the identifier that stands in a required reference to something hidden; it tells nothing."""

_LABELS = [
    {"system": CONFIDENTIALITY, "code": "R"},
    {"system": ACT_CODE, "code": "NOREUSE"},
]

Rule = Callable[[Any, "Reading"], Any]
Finish = Callable[[dict[str, Any], Mapping[str, Any], "Reading"], None]


class Reading:
    """One copy being made: the view, and what follows from it, worked out once.

    ``content``: the elements that have the deciding category are open. ``very``: V elements are. ``free``:
    free text is.
    """

    __slots__ = ("_masked", "_resource", "content", "free", "myself", "very", "view")

    def __init__(self, resource: Mapping[str, Any], view: View) -> None:
        self.view = view
        self._resource = resource
        self.myself = organization(view.reader)
        self._masked = 0
        kind = view.kind
        if kind == "nameless":
            self.content = self.very = self.free = True
        elif kind in ("F", "granted", "requester"):
            named = view.named and kind == "granted"  # naming a record opens that record and nothing else
            self.very = very = view.very_restricted or named
            self.content = content = named or (
                view.category in view.categories
                and (very or view.category not in VERY_RESTRICTED_CATEGORIES)
                and (kind != "requester" or OUTCOME in view.categories)
            )
            self.free = content and (very or not view.from_shelter)
        else:
            self.content = self.very = self.free = False

    def sees(self, reference: str) -> bool:
        """Says whether the reader may know of this ``Type/id``."""
        view = self.view
        return (
            reference in view.visible
            or reference == self.myself
            or reference in view.selves
            or (reference == view.person and bool(reference))
        )

    def opaque(self) -> str:
        """Gives the next opaque value: made from the place in this copy alone, never from what is hidden."""
        self._masked += 1
        place = f"{self._resource['resourceType']}/{self._resource.get('id', '')}#{self._masked}"
        return blake2b(place.encode(), digest_size=8).hexdigest()

    def opaque_identifier(self) -> dict[str, Any]:
        """Gives the next opaque identifier."""
        return {"system": OPAQUE, "value": self.opaque()}


class Table:
    """An allow-list: the elements that may stay, each with its rule.

    Args:
        rules: element name (choice types spelled out, as in JSON) to rule.
        required: what R4 demands at least once, with the rule that fills it where nothing could stay; None
            means that the whole element goes instead.
        one_of: groups of names; where none of a group stayed, the whole element goes.
        finish: a last touch: (copy so far, original, reading).

    Source: FHIR R4 ``conformance-rules.html#cardinality``.

    >>> from referral_hub.access.redact_rules import keep
    >>> table = Table({"status": keep}, required={"status": None})
    >>> reading = Reading({"resourceType": "Task"}, View("N", "clinic-1"))
    >>> table.apply({"status": "requested", "note": [{"text": "x"}]}, reading)
    {'status': 'requested'}
    >>> table.apply({"note": []}, reading) is None
    True
    """

    __slots__ = ("finish", "one_of", "required", "rules")

    def __init__(
        self,
        rules: Mapping[str, Rule],
        *,
        required: Mapping[str, Rule | None] | None = None,
        one_of: tuple[frozenset[str], ...] = (),
        finish: Finish | None = None,
    ) -> None:
        self.rules = dict(rules)
        self.required = tuple((required or {}).items())
        self.one_of = one_of
        self.finish = finish

    def only(self, *names: str) -> "Table":
        """Gives the table with these elements alone; what R4 requires is filled as before."""
        rules = {name: rule for name, rule in self.rules.items() if name in names}
        return Table(rules, required=dict(self.required), one_of=self.one_of, finish=self.finish)

    def apply(self, element: Mapping[str, Any], reading: Reading) -> dict[str, Any] | None:
        """Gives what may stay of an element, or None where it cannot stand without what is hidden."""
        if "modifierExtension" in element:
            return None
        shown: dict[str, Any] = {}
        rules = self.rules
        for name, value in element.items():
            rule = rules.get(name)
            if rule is not None:
                stays = rule(value, reading)
                if stays is not None:
                    shown[name] = stays
        for name, filler in self.required:
            if name not in shown:
                if filler is None:
                    return None
                shown.update(filler((name, element.get(name)), reading))
        if self.finish is not None:
            self.finish(shown, element, reading)
        for group in self.one_of:
            if not group & shown.keys():
                return None
        return shown


def copied(resource: Mapping[str, Any], table: Table, reading: Reading) -> dict[str, Any]:
    """Gives a copy of a resource by its table: type, id, constant labels, and what the table lets stay.

    Raises:
        NotFound: it says something (a modifierExtension, implicitRules) that no copy may leave out: absent.
    """
    if "implicitRules" in resource:
        raise NotFound
    shown = table.apply(resource, reading)
    if shown is None:
        raise NotFound
    head: dict[str, Any] = {"resourceType": resource["resourceType"]}
    if "id" in resource:
        head["id"] = resource["id"]
    head["meta"] = meta(resource.get("meta"))
    head.update(shown)
    return head


def meta(stored: Any) -> dict[str, Any]:
    """Gives the meta of a copy: version, time, and the same two labels on every copy there is.

    Source: ``views.md`` 4; ``consent.md`` L-06, L-09.
    """
    shown: dict[str, Any] = {}
    if isinstance(stored, dict):
        for name in ("versionId", "lastUpdated"):
            if name in stored:
                shown[name] = stored[name]
    shown["security"] = _LABELS
    return shown
