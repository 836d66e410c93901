"""Consent: what the person allows (release) and what she never allows (refusal).

What lives here: the declaration and its state table. What does not: how it is evaluated
(``access.decision``), how it is compiled (``access.grants``), what a change of it causes (``exchange.consents``).

Source: HL7 FHIR R4 Consent; ``consent.md`` 1; ``views.md`` 9.
"""

from referral_hub.fhir.canonical import code_system
from referral_hub.resources.definition import BY_PATIENT, REMOVABLE, ResourceDefinition, Searchable
from referral_hub.resources.lifecycle import Actor, Lifecycle, Move

CONSENT_KIND = code_system("consent-kind")

_AUTHOR: frozenset[Actor] = frozenset({"requester"})

LIFECYCLE = Lifecycle(
    initial=frozenset({"draft", "proposed", "active"}),
    table=(
        Move("draft", "proposed", _AUTHOR),
        Move("draft", "active", _AUTHOR),
        Move("draft", "rejected", _AUTHOR),
        Move("draft", "entered-in-error", _AUTHOR),
        Move("proposed", "active", _AUTHOR),
        Move("proposed", "rejected", _AUTHOR),
        Move("proposed", "inactive", _AUTHOR),
        Move("proposed", "entered-in-error", _AUTHOR),
        Move("active", "inactive", _AUTHOR),
        Move("active", "entered-in-error", _AUTHOR),
        Move("inactive", "entered-in-error", _AUTHOR),
        Move("rejected", "entered-in-error", _AUTHOR),
    ),
    live=frozenset({"active"}),
    terminal=frozenset({"rejected", "inactive", "entered-in-error"}),
)
"""A consent that ended never comes back: a new one is signed."""

DEFINITION = ResourceDefinition(
    type_name="Consent",
    category="own",
    opened=True,
    subject=("patient",),
    subject_named=True,
    status_element="status",
    date_elements=("dateTime",),
    # What the cut shows, others find; whom and what else it names, its author and its custodian alone.
    search=(
        Searchable("category"),
        Searchable("date"),
        Searchable("identifier", "own"),
        Searchable("organization", "own"),
        Searchable("patient"),
        Searchable("scope"),
        Searchable("source-reference", "own"),
        Searchable("status"),
        Searchable("actor", "own"),
        Searchable("data", "own"),
        Searchable("period", "own"),
        Searchable("purpose", "own"),
        Searchable("policy", "own", expression="Consent.policy.uri", kind="uri"),
    ),
    includes=("Consent:source-reference", "Consent:patient"),
    chains=BY_PATIENT,
    interactions=REMOVABLE,
    lifecycle=LIFECYCLE,
    version_aware=True,
)
