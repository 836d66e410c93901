"""Where names come from: the canonical base of the hub's own definitions, and the standard systems it uses.

What lives here: URLs, each once. What does not: the codes themselves (the module that owns the rule).
"""

CANONICAL = "https://referral-hub.example/fhir"

PLACER = f"{CANONICAL}/placer"
"""System of the number the hub gives each referral, which both sides know it by (type PLAC)."""

V2_0203 = "http://terminology.hl7.org/CodeSystem/v2-0203"
CONSENT_SCOPE = "http://terminology.hl7.org/CodeSystem/consentscope"
ACT_REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
PARTICIPATION_TYPE = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
TASK_CODE = "http://hl7.org/fhir/CodeSystem/task-code"
INTERPRETER_REQUIRED = "http://hl7.org/fhir/StructureDefinition/patient-interpreterRequired"
SDOHCC_ORDER_DETAIL = "http://hl7.org/fhir/us/sdoh-clinicalcare/CodeSystem/SDOHCC-CodeSystemTemporaryCodes"


def code_system(name: str) -> str:
    """Gives the URL of one of the hub's own code systems.

    >>> code_system("information-category")
    'https://referral-hub.example/fhir/CodeSystem/information-category'
    """
    return f"{CANONICAL}/CodeSystem/{name}"


def structure(name: str) -> str:
    """Gives the URL of one of the hub's own extensions or profiles.

    >>> structure("age-group")
    'https://referral-hub.example/fhir/StructureDefinition/age-group'
    """
    return f"{CANONICAL}/StructureDefinition/{name}"
