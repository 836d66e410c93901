"""ServiceRequest: what is asked for, one per service; changed by its author only.

Source: HL7 FHIR R4 ServiceRequest; SDOHCC ServiceRequest; ``referral-loop.md`` Part B.
"""

from referral_hub.resources.definition import (
    BY_PATIENT,
    BY_SUBJECT,
    REMOVABLE,
    ResourceDefinition,
    Searchable,
)
from referral_hub.resources.lifecycle import Actor, Lifecycle, Move

_AUTHOR: frozenset[Actor] = frozenset({"requester"})

LIFECYCLE = Lifecycle(
    initial=frozenset({"draft", "active"}),
    table=(
        Move("draft", "active", _AUTHOR),
        Move("draft", "revoked", _AUTHOR),
        Move("draft", "entered-in-error", _AUTHOR),
        Move("active", "on-hold", _AUTHOR),
        Move("active", "revoked", _AUTHOR),
        Move("active", "completed", _AUTHOR),
        Move("active", "entered-in-error", _AUTHOR),
        Move("on-hold", "active", _AUTHOR),
        Move("on-hold", "revoked", _AUTHOR),
        Move("on-hold", "completed", _AUTHOR),
        Move("on-hold", "entered-in-error", _AUTHOR),
        Move("revoked", "entered-in-error", _AUTHOR),
        Move("completed", "entered-in-error", _AUTHOR),
    ),
    live=frozenset({"draft", "active", "on-hold"}),
    terminal=frozenset({"revoked", "completed", "entered-in-error"}),
)

DEFINITION = ResourceDefinition(
    type_name="ServiceRequest",
    coded_by=("category", "code"),
    opened=True,
    subject=("subject",),
    status_element="status",
    date_elements=("occurrenceDateTime", "occurrencePeriod", "authoredOn"),
    search=(
        Searchable("authored", "full"),
        Searchable("based-on", "own"),
        Searchable("category"),
        Searchable("code", "full"),
        Searchable("identifier", "own"),
        Searchable("intent"),
        Searchable("occurrence", "full"),
        Searchable("patient"),
        Searchable("performer", "self"),
        Searchable("priority"),
        Searchable("replaces", "own"),
        Searchable("requester", "own"),
        Searchable("requisition", "own"),
        Searchable("status"),
        Searchable("subject"),
        Searchable("body-site", "own"),
        Searchable("encounter", "own"),
        Searchable("performer-type", "own"),
        Searchable("specimen", "own"),
        Searchable("supporting-info", "own", expression="ServiceRequest.supportingInfo", kind="reference"),
    ),
    includes=(
        "ServiceRequest:patient",
        "ServiceRequest:subject",
        "ServiceRequest:performer",
        "ServiceRequest:requester",
        "ServiceRequest:supporting-info",
    ),
    chains=(
        *BY_PATIENT,
        *BY_SUBJECT,
    ),
    has=(
        "Task:focus:status",
        "Task:focus:business-status",
        "Task:focus:code",
        "Task:focus:owner",
        "Task:focus:priority",
    ),
    revincludes=(
        "Task:focus",
        "Procedure:based-on",
        "Appointment:based-on",
        "Provenance:target",
    ),
    interactions=REMOVABLE,
    lifecycle=LIFECYCLE,
    version_aware=True,
)
