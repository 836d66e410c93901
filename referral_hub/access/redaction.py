"""Makes the copy of a resource that one reader may have: pure, never touching what is stored.

What lives here: which list makes which copy. What does not: the lists (``access.redact_task`` and its
neighbours), the choice of the view (``access.views``), and asking for it (``exchange.gate``, the only
caller).

Source: ``views.md`` 1, 2, 4 and 9; ``engine.md`` 2.
"""

from collections.abc import Callable, Mapping
from typing import Any

from referral_hub.access.redact_consent import consent_cut
from referral_hub.access.redact_directory import DIRECTORY, directory
from referral_hub.access.redact_granted import GRANTED, granted
from referral_hub.access.redact_patient import patient_full, patient_notice
from referral_hub.access.redact_requester import task_requester
from referral_hub.access.redact_service_request import service_request_full, service_request_notice
from referral_hub.access.redact_table import Reading
from referral_hub.access.redact_task import (
    task_card,
    task_full,
    task_history,
    task_notice,
    task_recall,
)
from referral_hub.access.views import Kind, View
from referral_hub.errors import NotFound

Renderer = Callable[[Mapping[str, Any], Reading], dict[str, Any]]

RENDERERS: Mapping[tuple[str, Kind], Renderer] = {
    ("Task", "N"): task_notice,
    ("Task", "F"): task_full,
    ("Task", "K"): task_card,
    ("Task", "H"): task_history,
    ("Task", "nameless"): task_full,
    ("Task", "requester"): task_requester,
    ("Task", "recall"): task_recall,
    ("ServiceRequest", "N"): service_request_notice,
    ("ServiceRequest", "F"): service_request_full,
    ("ServiceRequest", "nameless"): service_request_full,
    ("Patient", "N"): patient_notice,
    ("Patient", "F"): patient_full,
    ("Patient", "nameless"): patient_notice,
    ("Consent", "cut"): consent_cut,
    **{(type_name, "granted"): granted for type_name in GRANTED},
    **{(type_name, "directory"): directory for type_name in DIRECTORY},
}
"""What can be shown at all. A pair that is not here is absent for the reader."""


def render(resource: dict[str, Any], view: View) -> dict[str, Any]:
    """Gives the copy of a resource that this view allows.

    The copy is valid base R4, claims no profile, carries the same two labels as every copy, and shares
    parts with
    the resource given: neither may be changed afterwards.

    Args:
        resource: the decoded stored resource; it is not altered.
        view: what the reader may have.

    Returns:
        the copy; the resource itself for ``stored``.

    Raises:
        NotFound: nothing of it can be shown to this reader; the same answer as for an absent resource.

    Source: ``views.md`` 1 and 4.

    >>> task = {"resourceType": "Task", "id": "t1", "status": "requested", "intent": "order",
    ...         "description": "not before acceptance"}
    >>> sorted(render(task, View("N", "clinic-1")))
    ['id', 'intent', 'meta', 'resourceType', 'status']
    """
    if view.kind == "stored":
        return resource
    renderer = RENDERERS.get((resource["resourceType"], view.kind))
    if renderer is None:
        raise NotFound
    return renderer(resource, Reading(resource, view))
