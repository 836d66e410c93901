"""The narrative where it stands in a resource.

What lives here: the check of ``Narrative.div`` and of its links into the resource. What does not: which
XHTML is allowed (:mod:`referral_hub.fhir.narrative`).

Source: FHIR R4 ``narrative.html``.
"""

from collections.abc import Iterator
from typing import Any

from referral_hub.fhir import narrative
from referral_hub.fhir.object_rules import Expectation, report_value
from referral_hub.fhir.validation_run import Json, Path, Run

_XHTML = Expectation("xhtml")


def div(value: Any, owner: Json, path: Path, run: Run) -> None:
    """Checks a div: a field of a Narrative."""
    place: Path = (path, "div", -1)
    if not isinstance(value, str) or not value:
        report_value(value, _XHTML, place, run)
        return
    found = narrative.problem(value)
    if found is not None:
        run.add("invariant", f"txt-1: {found}", place)
    elif '"#' in value or "'#" in value:
        known = set(_ids(run.root))
        if any(fragment not in known for fragment in narrative.open_fragments(value)):
            run.add("not-found", "A link in the narrative leads to an id that is not in the resource.", place)


def _ids(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("id"), str):
            yield value["id"]
        for item in value.values():
            yield from _ids(item)
    elif isinstance(value, list):
        for item in value:
            yield from _ids(item)
