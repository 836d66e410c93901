"""The CapabilityStatement, made from the declarations: what is not declared is not claimed.

Where tokens are had stands in ``.well-known/smart-configuration``; the extension oauth-uris says it once more, for
client libraries of SMART's first days.

Source: FHIR R4 CapabilityStatement; SMART App Launch 2.2 (smart-configuration); SDOHCC Coordination
Platform; ``referral-loop.md`` Part D 0.1; IHE PCF (Policy-deny).
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from referral_hub.exchange.deleting import DRAFTED, REMOVED
from referral_hub.exchange.indexing import parameters
from referral_hub.exchange.subscription_asking import PROFILE
from referral_hub.exchange.topics import TOPICS
from referral_hub.fhir.canonical import CANONICAL
from referral_hub.fhir.search_parameters import official
from referral_hub.resources.catalog import SERVED
from referral_hub.resources.definition import ResourceDefinition

SERVER = "server"
"""The id of the CapabilityStatement of the hub that is asked."""
POLICY_DENY = "https://profiles.ihe.net/ITI/PCF/Policy-deny"
_SECURITY_SERVICE = "http://terminology.hl7.org/CodeSystem/restful-security-service"
_OAUTH_URIS = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
_BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport"
_TOPIC = f"{_BACKPORT}/StructureDefinition/capabilitystatement-subscriptiontopic-canonical"
_BULK = "http://hl7.org/fhir/uv/bulkdata"
_OPERATIONS = {
    "Task": (
        ("available-actions", "OperationDefinition/Task-available-actions"),
        ("decide", "OperationDefinition/Task-decide"),
    ),
    "Consent": (
        ("template", "OperationDefinition/Consent-template"),
        ("form-counts", "OperationDefinition/Consent-form-counts"),
        ("revoke", "OperationDefinition/Consent-revoke"),
    ),
    "Patient": (
        ("disclosures", "OperationDefinition/Patient-disclosures"),
        ("copy", "OperationDefinition/Patient-copy"),
        ("assign", "OperationDefinition/Patient-assign"),
        ("unassign", "OperationDefinition/Patient-unassign"),
        ("assignments", "OperationDefinition/Patient-assignments"),
        ("withdraw", "OperationDefinition/Patient-withdraw"),
        ("emergency", "OperationDefinition/Patient-emergency"),
        ("compelled-disclosure", "OperationDefinition/Patient-compelled-disclosure"),
        ("instruction", "OperationDefinition/Patient-instruction"),
        ("everything", "http://hl7.org/fhir/OperationDefinition/Patient-everything"),
        ("export", "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/patient-export"),
    ),
    "Group": (("export", "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/group-export"),),
    "Subscription": (
        ("status", f"{_BACKPORT}/OperationDefinition/backport-subscription-status"),
        ("events", f"{_BACKPORT}/OperationDefinition/backport-subscription-events"),
    ),
    "ServiceRequest": (("preview", "OperationDefinition/ServiceRequest-preview"),),
}
_SDOHCC_CANONICAL = "http://hl7.org/fhir/us/sdoh-clinicalcare/StructureDefinition"
SDOHCC = {
    "Consent": f"{_SDOHCC_CANONICAL}/SDOHCC-Consent",
    "Task": f"{_SDOHCC_CANONICAL}/SDOHCC-TaskForReferralManagement",
}
"""Profiles of SDOHCC that are claimed: docs/profiles-sdohcc.md shows, constraint by constraint, that nothing stands
against them, and why the others are not."""
_WHOLE_VALUE = "Kept as keyed digests: found by the whole value."
_DIGESTS = {
    "string": (
        "Kept as keyed digests: found by one whole word or by the whole text, in capitals or not, with accents or "
        "without; with :exact by the whole text as it is written. The beginning or a part of a word finds nothing, "
        ":contains is 400."
    ),
    "date": "Kept as keyed digests: found with every prefix, by at most ten values.",
}
"""How a parameter finds that the hub keeps as digests, so that nobody reads names out of its indexes."""
_VALIDATE = ("validate", "http://hl7.org/fhir/OperationDefinition/Resource-validate")


def capability_statement(
    *,
    base_url: str,
    fhir_base: str,
    version: str,
    date: str,
    profiles: Mapping[str, Sequence[str]] = MappingProxyType({}),
    cors: bool = False,
) -> dict[str, Any]:
    """Gives the CapabilityStatement of this hub.

    Args:
        base_url: the public address of the hub.
        fhir_base: its FHIR base URL.
        version: the software's version.
        date: when this software was released, a FHIR date.
        profiles: urls of the hub's own profiles, by type.
        cors: whether the operator named origins of browser apps.
    """
    return {
        "resourceType": "CapabilityStatement",
        "id": SERVER,
        "url": f"{fhir_base}/CapabilityStatement/{SERVER}",
        "version": version,
        "name": "ReferralHub",
        "title": "What this hub does",
        "status": "active",
        "date": date,
        "kind": "instance",
        "instantiates": [f"{_BULK}/CapabilityStatement/bulk-data"],
        "software": {"name": "Referral Hub", "version": version},
        "implementation": {"description": "A referral hub", "url": fhir_base},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "application/fhir+xml", "json", "xml"],
        "patchFormat": ["application/json-patch+json", "application/fhir+json", "application/fhir+xml"],
        "rest": [
            {
                "mode": "server",
                "documentation": (
                    "What a caller may not see looks absent. Without a consent nothing is shared: "
                    + POLICY_DENY
                ),
                "security": _security(base_url, cors=cors),
                "resource": [
                    _resource(definition, profiles.get(definition.type_name, ()))
                    for definition in SERVED.values()
                ],
                "interaction": [{"code": code} for code in ("transaction", "batch", "history-system")],
                "operation": [
                    {"name": "export", "definition": f"{_BULK}/OperationDefinition/export"},
                    *(
                        {"name": name, "definition": f"{CANONICAL}/OperationDefinition/{name}"}
                        for name in ("external-request", "desk-counts")
                    ),
                ],
            }
        ],
    }


def _security(base_url: str, *, cors: bool) -> dict[str, Any]:
    """Gives where tokens come from; the extension is how client libraries of SMART's first days find it."""
    return {
        "extension": [
            {
                "url": _OAUTH_URIS,
                "extension": [
                    {"url": "token", "valueUri": f"{base_url}/oauth/token"},
                    {"url": "authorize", "valueUri": f"{base_url}/oauth/authorize"},
                    {"url": "manage", "valueUri": f"{base_url}/manage"},
                ],
            }
        ],
        "cors": cors,
        "service": [
            {"coding": [{"system": _SECURITY_SERVICE, "code": "SMART-on-FHIR"}], "text": "SMART-on-FHIR"}
        ],
        "description": (
            "SMART App Launch and Backend Services. Scopes only narrow consent. "
            f"The addresses are in {base_url}/.well-known/smart-configuration"
        ),
    }


def _resource(definition: ResourceDefinition, profiles: Sequence[str]) -> dict[str, Any]:
    name = definition.type_name
    by_identifier = "identifier" in parameters(name)
    topics = [{"url": _TOPIC, "valueCanonical": url} for url in TOPICS] if name == "Subscription" else []
    claimed = [*profiles, PROFILE] if name == "Subscription" else list(profiles)
    claimed += [SDOHCC[name]] if name in SDOHCC else []
    found: dict[str, Any] = {
        **({"extension": topics} if topics else {}),
        "type": name,
        **({"supportedProfile": claimed} if claimed else {}),
        "interaction": [{"code": code} for code in _ordered(definition)],
        "versioning": _versioning(definition),
        "readHistory": "vread" in definition.interactions,
        "updateCreate": False,
        "conditionalCreate": by_identifier and "create" in definition.interactions,
        "conditionalRead": "full-support",
        "conditionalUpdate": by_identifier and "update" in definition.interactions,
        "conditionalDelete": "single" if by_identifier and _is_removed(definition) else "not-supported",
        "referencePolicy": ["literal", "logical", "enforced", "local"],
    }
    if definition.includes:
        found["searchInclude"] = list(definition.includes)
    if definition.revincludes:
        found["searchRevInclude"] = list(definition.revincludes)
    told = _told(definition)
    if told:
        found["documentation"] = " ".join(told)
    found["searchParam"] = [
        {
            "name": code,
            "type": parameter.type,
            **({"definition": parameter.url} if parameter.url else {}),
            **_documented(definition, code),
        }
        for code, parameter in (
            *((code, official(name)[code]) for code in ("_id", "_lastUpdated")),
            *((code, parameter) for code, (_, parameter) in parameters(name).items()),
        )
    ]
    found["operation"] = [
        {"name": operation, "definition": path if "://" in path else f"{CANONICAL}/{path}"}
        for operation, path in (*_OPERATIONS.get(name, ()), _VALIDATE)
    ]
    return found


def _is_removed(definition: ResourceDefinition) -> bool:
    return "delete" in definition.interactions and definition.type_name in REMOVED


def _told(definition: ResourceDefinition) -> list[str]:
    """Gives what of a type R4 has no element for, in words."""
    told = []
    if _is_removed(definition) and definition.type_name in DRAFTED:
        told.append("Deleted is only a draft of your own that nobody else received or was shown; else 409.")
    if definition.type_name in SDOHCC:
        told.append(
            "SDOHCC's profile is taken and kept as written, its constraints are not checked here, and a copy "
            "made for another organisation claims no profile."
        )
    if definition.has:
        told.append("Reverse chains: " + ", ".join(f"_has:{one}" for one in definition.has))
    return told


def _documented(definition: ResourceDefinition, code: str) -> dict[str, str]:
    """Gives how a parameter finds, and what may be asked along a reference: R4 has no element for either."""
    told = []
    if code in parameters(definition.type_name):
        searchable, parameter = parameters(definition.type_name)[code]
        if searchable.identifying:
            told.append(_DIGESTS.get(parameter.type, _WHOLE_VALUE))
    along = [one.split(".", 2) for one in definition.chains]
    chains = [f"{parameter}:{target}.{of}" for parameter, target, of in along if parameter == code]
    if chains:
        told.append("Chains: " + ", ".join(chains))
    return {"documentation": " ".join(told)} if told else {}


def _versioning(definition: ResourceDefinition) -> str:
    if "vread" not in definition.interactions:
        return "no-version"
    return "versioned-update" if definition.version_aware else "versioned"


def _ordered(definition: ResourceDefinition) -> list[str]:
    order = ("read", "vread", "update", "patch", "delete", "history-instance", "create", "search-type")
    found: list[str] = [
        code
        for code in order
        if code in definition.interactions and (code != "delete" or _is_removed(definition))
    ]
    if "history-instance" in found:
        found.insert(found.index("history-instance") + 1, "history-type")
    return found
