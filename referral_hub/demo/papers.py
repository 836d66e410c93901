"""The papers of the story: invented people and needs as FHIR R4 resources.

What lives here: what is written down, as values. What does not: who sends it to whom (the chapters).

Source: HL7 FHIR R4; ``views.md`` 9; ``practice.md`` (the story).
"""

import base64
from collections.abc import Sequence
from typing import Any

from referral_hub.app import clock
from referral_hub.fhir.canonical import (
    ACT_REASON,
    CANONICAL,
    CONFIDENTIALITY,
    CONSENT_SCOPE,
    INTERPRETER_REQUIRED,
    PARTICIPATION_TYPE,
    TASK_CODE,
    code_system,
    structure,
)
from referral_hub.fhir.dates import instant

Resource = dict[str, Any]
CATEGORY = code_system("information-category")
SERVICE_DOMAIN = code_system("service-domain")
BUSINESS_STATUS = code_system("business-status")
STATUS_REASON = code_system("status-reason")
OUTPUT_TYPE = code_system("task-output-type")
INPUT_TYPE = code_system("task-input-type")
CARE_STAGE = code_system("care-stage")
ICD_10 = "http://hl7.org/fhir/sid/icd-10"
LOINC = "http://loinc.org"
DAY_US = 86_400_000_000
_RECIPIENT = {"coding": [{"system": PARTICIPATION_TYPE, "code": "IRCP"}]}
_AGENT_TYPE = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"


def now(*, days: float = 0, seconds: float = 0) -> str:
    """Gives a moment from now, as FHIR writes it."""
    return instant(clock() + round(days * DAY_US + seconds * 1_000_000))


def coded(system: str, *codes: str) -> Resource:
    """Gives a CodeableConcept of one system."""
    return {"coding": [{"system": system, "code": code} for code in codes]}


def to(type_name: str, public_id: str) -> Resource:
    """Gives a Reference."""
    return {"reference": f"{type_name}/{public_id}"}


def reason(code: str, text: str) -> Resource:
    """Gives why a referral moved, in a code and in words."""
    return {**coded(STATUS_REASON, code), "text": text}


def output(kind: str, **value: Any) -> Resource:
    """Gives one answer in a Task."""
    return {"type": coded(OUTPUT_TYPE, kind), **value}


def given(kind: str, **value: Any) -> Resource:
    """Gives one thing that goes along with a Task."""
    return {"type": coded(INPUT_TYPE, kind), **value}


# --- about her -------------------------------------------------------------------------------------------


def _flags() -> list[Resource]:
    return [
        {"url": structure("age-group"), "valueCode": "adult"},
        {"url": INTERPRETER_REQUIRED, "valueBoolean": True},
    ]


def opened_file() -> Resource:
    """Gives the file of the first night: what to call her, adult, interpreter, and no more."""
    return {
        "resourceType": "Patient",
        "extension": _flags(),
        "name": [{"use": "anonymous", "text": "Lark"}],
    }


def no_name_person() -> Resource:
    """Gives the Patient of a no-name referral."""
    named = {"url": structure("no-name-referral"), "valueBoolean": True}
    return {"resourceType": "Patient", "extension": [named, *_flags()]}


def safety_rules() -> Resource:
    """Gives how she may be reached: in person only, with a safe word, at a place that tells nothing."""
    return {
        "url": structure("safe-contact"),
        "extension": [
            {"url": "channel", "valueCode": "in-person"},
            {"url": "hours", "valueString": "10:00 to 16:00"},
            {"url": "safe-word", "valueString": "blue bicycle"},
            {"url": "meeting-point", "valueString": "reading room of the city library"},
        ],
    }


def her_particulars() -> Resource:
    """Gives what she tells on the second day, as elements of her Patient."""
    return {
        "name": [
            {"use": "anonymous", "text": "Lark"},
            {"use": "official", "text": "Larissa Sparrow", "family": "Sparrow", "given": ["Larissa"]},
        ],
        "gender": "female",
        "birthDate": "1994",
        "telecom": [{"system": "phone", "value": "+00 555 0100"}],
        "address": [{"line": ["7 Hidden Lane"], "city": "Nowhere", "state": "North", "country": "XA"}],
    }


def cannot_sign(person: str, *, true: bool) -> Resource:
    """Gives the answer to "can she sign now"; ``true``: she cannot."""
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [coded(CATEGORY, "safety")],
        "code": coded(code_system("observation"), "cannot-sign-now"),
        "subject": {"reference": person},
        "effectiveDateTime": now(),
        "valueBoolean": true,
    }


def condition(person: str, category: str, icd_10: str, text: str) -> Resource:
    """Gives a need or a health problem."""
    return {
        "resourceType": "Condition",
        "clinicalStatus": coded("http://terminology.hl7.org/CodeSystem/condition-clinical", "active"),
        "category": [coded(CATEGORY, category)],
        "code": {**coded(ICD_10, icd_10), "text": text} if icd_10 else {"text": text},
        "subject": {"reference": person},
        "recordedDate": now()[:10],
    }


def episode(person: str, shelter: str) -> Resource:
    """Gives one stretch of help, begun now."""
    return {
        "resourceType": "EpisodeOfCare",
        "status": "active",
        "patient": {"reference": person},
        "managingOrganization": to("Organization", shelter),
        "period": {"start": now()},
    }


def care_plan(person: str, stage: str, words: str) -> Resource:
    """Gives her plan at a stage, with her own words."""
    return {
        "resourceType": "CarePlan",
        "status": "active",
        "intent": "plan",
        "category": [coded(CARE_STAGE, stage)],
        "description": words,
        "subject": {"reference": person},
    }


def told(person: str, medium: str, text: str, *, category: str = "") -> Resource:
    """Gives something told to her, or that somebody wants to tell her, by some channel."""
    message: Resource = {
        "resourceType": "Communication",
        "status": "completed",
        "medium": [coded("http://terminology.hl7.org/CodeSystem/v3-ParticipationMode", medium)],
        "subject": {"reference": person},
        "recipient": [{"reference": person}],
        "sent": now(),
        "payload": [{"contentString": text}],
    }
    if category:
        message["category"] = [coded(code_system("communication-category"), category)]
    return message


def letter(person: str, title: str, text: str) -> Resource:
    """Gives a letter about her."""
    data = base64.b64encode(text.encode()).decode()
    return {
        "resourceType": "DocumentReference",
        "status": "current",
        "category": [coded(CATEGORY, "immigration")],
        "subject": {"reference": person},
        "date": now(),
        "description": title,
        "content": [{"attachment": {"contentType": "text/plain", "data": data, "title": title}}],
    }


# --- referrals -------------------------------------------------------------------------------------------


def request(person: str, category: str, domain: str, performer: str = "", **more: Any) -> Resource:
    """Gives a request for one kind of help; ``more`` replaces or adds elements."""
    found: Resource = {
        "resourceType": "ServiceRequest",
        "status": "active",
        "intent": "order",
        "category": [coded(CATEGORY, category)],
        "priority": "urgent",
        "code": coded(SERVICE_DOMAIN, domain),
        "subject": {"reference": person},
        "authoredOn": now(),
    }
    if performer:
        found["performer"] = [to("Organization", performer)]
    return {**found, **more}


def task(
    person: str, service_request: str, owner: str = "", *, status: str = "requested", **more: Any
) -> Resource:
    """Gives a referral; an answer is asked for within three days unless ``more`` says otherwise."""
    found: Resource = {
        "resourceType": "Task",
        "status": status,
        "intent": "order",
        "priority": "urgent",
        "code": coded(TASK_CODE, "fulfill"),
        "focus": {"reference": service_request},
        "for": {"reference": person},
        "authoredOn": now(),
        "restriction": {"period": {"end": now(days=3)}},
    }
    if owner:
        found["owner"] = to("Organization", owner)
    return {**found, **more}


# --- what she allows and forbids -------------------------------------------------------------------------


def permit(
    receiver: str,
    purpose: str,
    categories: Sequence[str] = (),
    *,
    instances: Sequence[str] = (),
    very_restricted: bool = False,
    days: float = 30,
) -> Resource:
    """Gives one permit: to one unit, for one purpose, of these categories or of these single things."""
    start_us = clock()
    found: Resource = {
        "type": "permit",
        "period": {"start": instant(start_us), "end": instant(start_us + round(days * DAY_US))},
        "actor": [{"role": _RECIPIENT, "reference": to("Organization", receiver)}],
        "purpose": [{"system": ACT_REASON if purpose.isupper() else code_system("purpose"), "code": purpose}],
    }
    if categories:
        found["class"] = [{"system": CATEGORY, "code": category} for category in categories]
    if instances:
        found["data"] = [{"meaning": "instance", "reference": {"reference": one}} for one in instances]
    if very_restricted:
        found["securityLabel"] = [{"system": CONFIDENTIALITY, "code": "V"}]
    return found


def release(person: str, keeper: str, allowed: Resource, *, status: str = "active") -> Resource:
    """Gives a permission, signed with a mark."""
    return _consent("release", person, keeper, status, {"type": "deny", "provision": [allowed]})


def refusal(person: str, keeper: str, *actors: Resource) -> Resource:
    """Gives a refusal of whoever the actors name."""
    root = {"type": "deny", "actor": [{"role": _RECIPIENT, "reference": actor} for actor in actors]}
    return _consent("refusal", person, keeper, "active", root)


def any_government() -> Resource:
    """Gives every governmental body, as the actor of a refusal."""
    return _logical("organization-kind", "governmental")


def government_of(country: str) -> Resource:
    """Gives the government of a country, as the actor of a refusal."""
    return _logical("government-of", country)


def _logical(system: str, value: str) -> Resource:
    return {"type": "Organization", "identifier": {"system": f"{CANONICAL}/{system}", "value": value}}


def exception(of: Resource) -> Resource:
    """Gives the exception in a refusal that makes room for a permit of single things."""
    return {name: of[name] for name in ("type", "actor", "purpose", "data")}


def _consent(kind: str, person: str, keeper: str, status: str, provision: Resource) -> Resource:
    form = base64.b64encode(b"Read aloud through an interpreter. Signed with a mark.").decode()
    return {
        "resourceType": "Consent",
        "status": status,
        "scope": coded(CONSENT_SCOPE, "patient-privacy"),
        "category": [coded(LOINC, "59284-0"), coded(code_system("consent-kind"), kind)],
        "patient": {"reference": person},
        "dateTime": now(),
        "performer": [{"reference": person}],
        "organization": [to("Organization", keeper)],
        "sourceAttachment": {"contentType": "text/plain", "data": form},
        "policy": [{"uri": "https://referral-hub.example/policy/permission/v1"}],
        "provision": provision,
    }


def her_act(target: str, person: str, shelter: str) -> Resource:
    """Gives that an act was hers, and that a worker of the shelter entered it."""
    return {
        "resourceType": "Provenance",
        "target": [{"reference": target}],
        "recorded": now(),
        "agent": [
            {"type": coded(_AGENT_TYPE, "author"), "who": {"reference": person}},
            {
                "type": coded(_AGENT_TYPE, "enterer"),
                "who": {"display": "worker on duty"},
                "onBehalfOf": to("Organization", shelter),
            },
        ],
    }


def parameters(**values: Resource) -> Resource:
    """Gives the Parameters of an operation; names take ``_`` for ``-``."""
    return {
        "resourceType": "Parameters",
        "parameter": [{"name": name.replace("_", "-"), **value} for name, value in values.items()],
    }
