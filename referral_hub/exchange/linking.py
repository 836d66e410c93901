"""What a body points at: every reference of a write, normalised and looked up once.

What lives here: finding, normalising and judging the references of a body. What does not: who may see the
target (the gate tells it by an argument), parsing of reference texts (``fhir.references``).

Source: ``views.md`` 5 (absolute references to a registered base are kept, all others 422), ``consent.md`` S-19
(the same 422 for hidden and missing).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from referral_hub.exchange.ports import ResourceRow
from referral_hub.exchange.state import Working
from referral_hub.fhir.outcome import Issue
from referral_hub.fhir.references import is_under, iter_references, normalise, parse

UNKNOWN_TARGET = (
    "The reference leads to nothing this organisation may use. Point at a resource of this hub that you may "
    "read, or at a FHIR base registered for your organisation."
)
UNREADABLE = (
    "The reference has none of the forms FHIR knows. Write Type/id, or the absolute URL of a registered base."
)


@dataclass(frozen=True, slots=True)
class Links:
    """The targets of one body, by ``Type/id`` text, and the problems found."""

    targets: Mapping[str, ResourceRow]
    external: frozenset[str]
    issues: tuple[Issue, ...]


def external_texts(body: dict[str, Any]) -> list[str]:
    """Gives the reference texts of a body that lead outside the hub.

    >>> external_texts({"resourceType": "Task", "focus": {"reference": "https://ehr.example/ServiceRequest/1"}})
    ['https://ehr.example/ServiceRequest/1']
    """
    return [
        text
        for _, reference in iter_references(body)
        for text in (reference.get("reference"),)
        if isinstance(text, str) and "://" in text
    ]


def link(
    body: dict[str, Any],
    working: Working,
    own_bases: tuple[str, ...],
    registered: tuple[str, ...],
    may_use: Callable[[ResourceRow], bool],
    stays: frozenset[str] = frozenset(),
) -> Links:
    """Finds and judges every reference of a body.

    Args:
        body: the decoded resource; absolute references to the hub itself are looked up as relative ones.
        working: the state of this write.
        own_bases: the hub's own FHIR base URLs.
        registered: FHIR base URLs registered for the writer's organisation.
        may_use: whether the writer sees a row.
        stays: reference texts the stored version already has; they stay whoever writes.

    Returns:
        the targets and one issue per reference that leads nowhere; the texts never tell hidden from absent.
    """
    wanted: dict[str, list[str]] = {}
    external: set[str] = set()
    issues: list[Issue] = []
    for path, reference in iter_references(body):
        text = reference.get("reference")
        if not isinstance(text, str) or text.startswith("#"):
            continue
        local = normalise(text, own_bases)
        try:
            parsed = parse(local)
        except ValueError:
            issues.append(Issue("error", "value", UNREADABLE, f"{path}.reference"))
            continue
        if parsed.kind == "relative":
            wanted.setdefault(parsed.local, []).append(path)
        elif text in stays or (parsed.kind == "absolute" and is_under(parsed.base, registered)):
            external.add(text)
        else:
            issues.append(Issue("error", "not-found", UNKNOWN_TARGET, f"{path}.reference"))
    found = working.resources(wanted)
    targets: dict[str, ResourceRow] = {}
    for text, paths in wanted.items():
        row = found.get(text)
        if row is None or row.deleted or not may_use(row):
            issues.extend(Issue("error", "not-found", UNKNOWN_TARGET, f"{path}.reference") for path in paths)
        else:
            targets[text] = row
    return Links(targets, frozenset(external), tuple(issues))
