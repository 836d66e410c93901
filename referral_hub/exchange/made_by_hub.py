"""What the hub's own organisation reads of the referrals it passes on.

What lives here: the mark of what the hub made by itself, and the questions about reading that only its organisation
brings up. What does not: making it (``exchange.hub_moves``), every other view (``exchange.sight``).

The hub's organisation authors the filler order, but no person of it wrote it: what it says was told by the person
to the source. So its people read it as they read the original, as far as a release that names them goes.

Source: ``views.md`` 6 and 9 (coordinators and operators read counts); ``practice.md`` 12.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from referral_hub.access.views import View
from referral_hub.exchange.openings import Openness, Reader
from referral_hub.exchange.ports import ResourceRow, Standing

FILLER_KIND = "filler"
"""``kind`` of a filler order and its Task that the hub made by itself."""

_OUTPUT = frozenset({"output"})
_ELSEWHERE = b'"reference":"http'
"""What stands in every body with an absolute reference, and in hardly any other."""


class Beside(Protocol):
    """What may be looked up beside a row."""

    def rows(self, row_ids: Sequence[int]) -> dict[int, ResourceRow]:
        """Gives current rows by row id."""

    def standing(self, person: int, organization: str, refusal_targets: Sequence[str]) -> Standing:
        """Gives how an organisation stands to a person."""


def standing_to(row: ResourceRow, standing: Standing | None, reader: Reader, look: Beside) -> Standing | None:
    """Gives the standing a row is judged by; of what the hub made, its own organisation's too."""
    if standing is not None or row.kind != FILLER_KIND or row.person is None:
        return standing
    return look.standing(row.person, reader.organization.id, reader.refusal_targets)


def is_open_to_author(row: ResourceRow, standing: Standing | None, openness: Openness) -> bool:
    """Tells whether its author's people may read a row: what the hub made, where a release names that to them.

    Everything else an author may read. A no-name referral that the hub's organisation owns needs no release.
    """
    if row.kind != FILLER_KIND or row.category in openness.opened:
        return True
    return standing is not None and any(one.nameless and not one.back for one in standing.accesses)


def owned(elements: frozenset[str], *, by_network: bool) -> frozenset[str]:
    """Gives which elements of a Task its owner wrote itself; answers that the hub passes on are the recipient's.

    >>> sorted(owned(frozenset({"output", "status"}), by_network=True))
    ['status']
    """
    return elements - _OUTPUT if by_network else elements


def led_home(view: View, row: ResourceRow, look: Beside) -> View:
    """Gives the view of a source's Task with the copies it leads to, where its own addresses lead elsewhere."""
    if row.type != "Task" or view.kind not in ("N", "F") or row.focus is None or row.person is None:
        return view
    if _ELSEWHERE not in row.body:
        return view
    found = look.rows((row.focus, row.person))
    request, person = found.get(row.focus), found.get(row.person)
    if request is None or person is None:
        return view
    return replace(view, request=f"ServiceRequest/{request.id}", person=f"Patient/{person.id}")
