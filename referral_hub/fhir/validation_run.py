"""What one validation carries along.

What lives here: :class:`Run`, the problems found so far and the resources that stand around the place being
looked at, and paths that cost nothing until somebody has to read one. What does not: any rule.

Source: FHIR R4 ``operationoutcome-definitions.html#OperationOutcome.issue.expression``.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from referral_hub.fhir.fhirpath.compiler import Scope
from referral_hub.fhir.fhirpath.nodes import Node, resource_node
from referral_hub.fhir.outcome import Issue, Severity

Json = dict[str, Any]

MOST_ISSUES = 1_000
"""How many problems are told of one resource: a resource with more was not meant to be read."""


class Enough(Exception):
    """So many problems have been found that looking further helps nobody."""


class Spelling(str):
    """The JSON name of an element that may have several types: it knows the name the element has in paths.

    >>> told(((None, "Observation", -1), Spelling("valueQuantity", "value"), -1))
    'Observation.value'
    """

    __slots__ = ("element",)
    element: str

    def __new__(cls, key: str, element: str) -> "Spelling":
        """Makes the JSON name and keeps the name of the element."""
        made = super().__new__(cls, key)
        made.element = element
        return made


Path = tuple[Any, str, int]
"""A place: the place it is in (None for the resource itself), its name, its position in a list or -1."""


def told(path: Path | None) -> str:
    """Writes a place as FHIR's simple path.

    >>> told((((None, "Patient", -1), "name", 0), "given", 1))
    'Patient.name[0].given[1]'
    """
    parts: list[str] = []
    while path is not None:
        path, name, position = path
        name = name.element if isinstance(name, Spelling) else name
        parts.append(f"{name}[{position}]" if position >= 0 else name)
    return ".".join(reversed(parts))


@dataclass(slots=True)
class Run:
    """One validation.

    Args:
        root: the resource whose contained resources a ``#reference`` may name.
        resource: the resource being looked at: the root, or one contained in it.
        with_warnings: best practices are checked too.
        knows_extensions: an extension that nobody here defines is an error.
        bundle: the innermost Bundle around, with its entries by their address.
        issues: what was found so far.
    """

    root: Json
    resource: Json
    with_warnings: bool = False
    knows_extensions: bool = False
    bundle: Json | None = None
    issues: list[Issue] = field(default_factory=list)
    _element_ids: set[tuple[int, str]] = field(default_factory=set)
    _contained: dict[str, Json] | None = None
    _entries: dict[str, Json] | None = None
    _nodes: tuple[Node | None, Node | None] | None = None

    def add(self, code: str, text: str, path: Path | None, severity: Severity = "error") -> None:
        """Notes a problem at a place.

        Raises:
            Enough: so many have been noted that nobody reads further.
        """
        if len(self.issues) >= MOST_ISSUES:
            raise Enough
        self.issues.append(Issue(severity, code, text, told(path)))

    def is_first(self, element_id: str) -> bool:
        """Says whether no element of the present resource had this id before.

        A StructureDefinition names its elements twice, in its snapshot and in its differential.
        """
        known = (id(self.resource), element_id)
        if known in self._element_ids and self.resource.get("resourceType") != "StructureDefinition":
            return False
        self._element_ids.add(known)
        return True

    def contained(self) -> dict[str, Json]:
        """Gives the resources contained in the root by their id."""
        if self._contained is None:
            items = self.root.get("contained")
            self._contained = {
                item["id"]: item
                for item in (items if isinstance(items, list) else [])
                if isinstance(item, dict) and isinstance(item.get("id"), str)
            }
        return self._contained

    def entries(self) -> dict[str, Json]:
        """Gives the resources of the innermost Bundle by the address of their entry."""
        if self._entries is None:
            items = self.bundle.get("entry") if self.bundle else None
            self._entries = {
                item["fullUrl"]: resource
                for item in (items if isinstance(items, list) else [])
                if isinstance(item, dict) and isinstance(item.get("fullUrl"), str)
                if isinstance(resource := item.get("resource"), dict)
            }
        return self._entries

    def find(self, reference: str) -> Json | None:
        """Gives the resource a reference means, if it is contained here or in the same Bundle."""
        if reference.startswith("#"):
            return self.contained().get(reference[1:]) if len(reference) > 1 else self.root
        return self.entries().get(reference) if self.bundle is not None else None

    def scope(self, value: Json, type_name: str) -> Scope:
        """Gives what a FHIRPath expression may look at when it is asked about this value."""
        return Scope(
            Node(value, type_name), resource_node(self.resource), resource_node(self.root), self._node
        )

    def _node(self, reference: str) -> Node | None:
        found = self.find(reference)
        return None if found is None else resource_node(found)

    @contextmanager
    def inside(self, resource: Json, *, is_contained: bool) -> Iterator[None]:
        """Looks at a resource inside the present one, then comes back.

        Args:
            resource: the resource inside.
            is_contained: it may name the resources contained in the present root; a resource in an entry of a
                Bundle or in a Parameters may not.
        """
        before = self.root, self.resource, self.bundle, self._contained, self._entries
        self.resource, self._nodes = resource, None
        if not is_contained:
            if before[1].get("resourceType") == "Bundle" and before[1] is not self.bundle:
                self.bundle, self._entries = before[1], None
            self.root, self._contained = resource, None
        yield
        self.root, self.resource, self.bundle, self._contained, self._entries = before
        self._nodes = None
