"""What stays of findings and of what was done: Condition, Observation, RiskAssessment, Procedure.

What lives here: their allow-lists. What does not: how to read them, and who gets them
(``access.redact_granted``).

A forecast of risk is in no list: partners get what to do, never how likely the worst is.

Source: ``views.md`` 4; ``practice.md`` 13; FHIR R4 of each type.
"""

from collections.abc import Mapping

from referral_hub.access.redact_rules import (
    absent,
    absent_primitive,
    choice,
    concept,
    concepts,
    groups,
    keep,
    masked,
    notes,
    plain,
    reference,
    references,
    text,
    very,
)
from referral_hub.access.redact_table import Rule, Table

_MEASURED = choice(
    "value", Quantity=plain, CodeableConcept=concept, String=text, Boolean=keep, Integer=keep, Range=plain,
    Ratio=plain, SampledData=plain, Time=keep, DateTime=keep, Period=plain,
)  # fmt: skip
_WHEN = {"DateTime": keep, "Age": plain, "Period": plain, "Range": plain, "String": text}

# Condition

_STAGE = Table(
    {"summary": concept, "assessment": references, "type": concept},
    one_of=(frozenset({"summary", "assessment"}),),
)
_EVIDENCE = Table({"code": concepts, "detail": references}, one_of=(frozenset({"code", "detail"}),))

CONDITION = Table(
    {
        "clinicalStatus": concept,
        "verificationStatus": concept,
        "category": concepts,
        "severity": concept,
        "code": concept,
        "bodySite": concepts,
        "subject": reference,
        "encounter": reference,
        **choice("onset", **_WHEN),
        **choice("abatement", **_WHEN),
        "recordedDate": keep,
        "recorder": reference,
        "asserter": reference,
        "stage": groups(_STAGE),
        "evidence": groups(_EVIDENCE),
        "note": notes,
    },
    required={"subject": masked},
)

# Observation

_RANGE = Table(
    {"low": plain, "high": plain, "type": concept, "appliesTo": concepts, "age": plain, "text": text},
    one_of=(frozenset({"low", "high", "text"}),),
)
_RESULT: Mapping[str, Rule] = {
    "code": concept,
    **_MEASURED,
    "dataAbsentReason": concept,
    "interpretation": concepts,
    "referenceRange": groups(_RANGE),
}

OBSERVATION = Table(
    {
        "basedOn": references,
        "partOf": references,
        "status": keep,
        "category": concepts,
        "subject": reference,
        "focus": references,
        "encounter": reference,
        **choice("effective", DateTime=keep, Period=plain, Timing=plain, Instant=keep),
        "issued": keep,
        "performer": references,
        **_RESULT,
        "note": notes,
        "bodySite": concept,
        "method": concept,
        "specimen": reference,
        "device": reference,
        "hasMember": references,
        "derivedFrom": references,
        "component": groups(Table(_RESULT, required={"code": absent})),
    },
    required={"status": absent_primitive, "code": absent},
)

# RiskAssessment: what to do, never how likely the worst is.

RISK_ASSESSMENT = Table(
    {
        "basedOn": reference,
        "status": keep,
        "method": concept,
        "code": concept,
        "subject": reference,
        "encounter": reference,
        **choice("occurrence", DateTime=keep, Period=plain),
        "condition": reference,
        "performer": reference,
        "reasonCode": concepts,
        "reasonReference": references,
        "mitigation": text,
    },
    required={"status": absent_primitive, "subject": masked},
)

# Procedure

_PERFORMER = Table(
    {"function": concept, "actor": reference, "onBehalfOf": reference}, required={"actor": None}
)
_DEVICE = Table({"action": concept, "manipulated": reference}, required={"manipulated": None})

PROCEDURE = Table(
    {
        "basedOn": references,
        "partOf": references,
        "status": keep,
        "statusReason": concept,
        "category": concept,
        "code": concept,
        "subject": reference,
        "encounter": reference,
        **choice("performed", **_WHEN),
        "recorder": reference,
        "asserter": reference,
        "performer": groups(_PERFORMER),
        "location": very(reference),
        "reasonCode": concepts,
        "reasonReference": references,
        "bodySite": concepts,
        "outcome": concept,
        "report": references,
        "complication": concepts,
        "complicationDetail": references,
        "followUp": concepts,
        "note": notes,
        "focalDevice": groups(_DEVICE),
        "usedReference": references,
        "usedCode": concepts,
    },
    required={"status": absent_primitive, "subject": masked},
)
