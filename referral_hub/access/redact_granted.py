"""What of the person's other records a reader gets whose release names their category, or the record itself.

What lives here: the list of every type (made in ``redact_findings``, ``redact_plans``, ``redact_messages``,
``redact_encounters``, ``redact_papers`` and here). What does not: whether the record is opened at all
(``access.decision`` and the row of the referral), the rules of the vocabulary (``access.redact_rules``).

How to read a list: free text and what people wrote by hand stays only where free text is open (not a
shelter's, or V is named); an element marked ``very`` only where V is named; a reference only where its
target is visible. Records of a category that is very restricted as a whole show their skeleton without V:
that they are there.

In no list: identifiers of others; a forecast of risk (partners get actions, never a level of risk); how
people are related and a child's address with a parent; her own words in a plan; who else is in a team.

Source: ``views.md`` 4 and 9; ``practice.md`` 8, 13; ``consent.md`` F-18, S-20 to S-23; FHIR R4 of each
type.
"""

from collections.abc import Mapping
from typing import Any

from referral_hub.access.redact_encounters import DEVICE, ENCOUNTER, FLAG, GOAL, MEASURE_REPORT
from referral_hub.access.redact_findings import CONDITION, OBSERVATION, PROCEDURE, RISK_ASSESSMENT
from referral_hub.access.redact_messages import BINARY, COMMUNICATION, DOCUMENT_REFERENCE
from referral_hub.access.redact_papers import BASIC, COMPOSITION, QUESTIONNAIRE_RESPONSE
from referral_hub.access.redact_plans import APPOINTMENT, CARE_PLAN, CARE_TEAM, EPISODE_OF_CARE
from referral_hub.access.redact_rules import (
    concept,
    groups,
    keep,
    masked,
    plain,
    reference,
    very,
    written,
)
from referral_hub.access.redact_table import Reading, Table, copied

# RelatedPerson

_LANGUAGE = Table({"language": concept, "preferred": keep}, required={"language": None})

RELATED_PERSON = Table(
    {
        "active": keep,
        "patient": reference,
        "name": written,
        "telecom": very(written),
        "gender": keep,
        "birthDate": keep,
        "period": plain,
        "communication": groups(_LANGUAGE),
    },
    required={"patient": masked},
)

GRANTED: Mapping[str, Table] = {
    "Appointment": APPOINTMENT,
    "Basic": BASIC,
    "Binary": BINARY,
    "CarePlan": CARE_PLAN,
    "CareTeam": CARE_TEAM,
    "Communication": COMMUNICATION,
    "Composition": COMPOSITION,
    "Condition": CONDITION,
    "Device": DEVICE,
    "DocumentReference": DOCUMENT_REFERENCE,
    "Encounter": ENCOUNTER,
    "EpisodeOfCare": EPISODE_OF_CARE,
    "Flag": FLAG,
    "Goal": GOAL,
    "MeasureReport": MEASURE_REPORT,
    "Observation": OBSERVATION,
    "Procedure": PROCEDURE,
    "QuestionnaireResponse": QUESTIONNAIRE_RESPONSE,
    "RelatedPerson": RELATED_PERSON,
    "RiskAssessment": RISK_ASSESSMENT,
}
"""The types a release can open beside Task, ServiceRequest and Patient; others are their author's only."""

_BONES = (
    "status", "docStatus", "lifecycleStatus", "intent", "active", "subject", "patient", "basedOn", "contentType",
)  # fmt: skip
SKELETONS: Mapping[str, Table] = {name: table.only(*_BONES) for name, table in GRANTED.items()}


def granted(resource: Mapping[str, Any], reading: Reading) -> dict[str, Any]:
    """Gives the copy of one record of the person, by the list of its type."""
    type_name = resource["resourceType"]
    return copied(resource, (GRANTED if reading.content else SKELETONS)[type_name], reading)
