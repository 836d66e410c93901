"""The CapabilityStatement, made from the declarations: what is not declared is not claimed.

The extension oauth-uris is not in it: R4 demands an address for ``authorize`` there, and this hub gives
tokens to software alone. Where tokens are had stands in ``.well-known/smart-configuration``.

Source: FHIR R4 CapabilityStatement; SMART App Launch 2.2 (smart-configuration); SDOHCC Coordination
Platform; ``referral-loop.md`` Part D 0.1; IHE PCF (Policy-deny).
"""

from typing import Any

from referral_hub.exchange.indexing import parameters
from referral_hub.fhir.canonical import CANONICAL
from referral_hub.fhir.search_parameters import official
from referral_hub.resources.catalog import DEFINITIONS
from referral_hub.resources.definition import ResourceDefinition

POLICY_DENY = "https://profiles.ihe.net/ITI/PCF/Policy-deny"
_SECURITY_SERVICE = "http://terminology.hl7.org/CodeSystem/restful-security-service"
_OPERATIONS = {
    "Task": (("available-actions", "OperationDefinition/Task-available-actions"),),
    "Consent": (("revoke", "OperationDefinition/Consent-revoke"),),
    "Patient": (("disclosures", "OperationDefinition/Patient-disclosures"),),
    "ServiceRequest": (("preview", "OperationDefinition/ServiceRequest-preview"),),
}


def capability_statement(*, base_url: str, fhir_base: str, version: str, date: str) -> dict[str, Any]:
    """Gives the CapabilityStatement of this hub.

    Args:
        base_url: the public address of the hub.
        fhir_base: its FHIR base URL.
        version: the software's version.
        date: when this software was released, a FHIR date.
    """
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": date,
        "kind": "instance",
        "software": {"name": "Referral Hub", "version": version},
        "implementation": {"description": "A referral hub", "url": fhir_base},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "json"],
        "patchFormat": ["application/json-patch+json"],
        "rest": [
            {
                "mode": "server",
                "documentation": (
                    "What a caller may not see looks absent. Without a consent nothing is shared: "
                    + POLICY_DENY
                ),
                "security": _security(base_url),
                "resource": [_resource(definition) for definition in DEFINITIONS.values()],
                "interaction": [{"code": "transaction"}, {"code": "batch"}],
            }
        ],
    }


def _security(base_url: str) -> dict[str, Any]:
    return {
        "cors": False,
        "service": [
            {"coding": [{"system": _SECURITY_SERVICE, "code": "SMART-on-FHIR"}], "text": "SMART-on-FHIR"}
        ],
        "description": (
            "SMART Backend Services with private_key_jwt (RS384, ES384). Scopes only narrow consent. "
            f"The addresses are in {base_url}/.well-known/smart-configuration"
        ),
    }


def _resource(definition: ResourceDefinition) -> dict[str, Any]:
    name = definition.type_name
    found: dict[str, Any] = {
        "type": name,
        "interaction": [{"code": code} for code in _ordered(definition)],
        "versioning": "versioned-update" if definition.version_aware else "versioned",
        "readHistory": True,
        "updateCreate": False,
        "conditionalCreate": "create" in definition.interactions,
        "conditionalRead": "not-supported",
        "conditionalUpdate": False,
        "conditionalDelete": "not-supported",
        "referencePolicy": ["literal", "logical", "enforced", "local"],
    }
    if definition.includes:
        found["searchInclude"] = list(definition.includes)
    found["searchParam"] = [
        {"name": code, "type": parameter.type, **({"definition": parameter.url} if parameter.url else {})}
        for code, parameter in (
            *((code, official(name)[code]) for code in ("_id", "_lastUpdated")),
            *((code, parameter) for code, (_, parameter) in parameters(name).items()),
        )
    ]
    if name in _OPERATIONS:
        found["operation"] = [
            {"name": operation, "definition": f"{CANONICAL}/{path}"} for operation, path in _OPERATIONS[name]
        ]
    return found


def _ordered(definition: ResourceDefinition) -> list[str]:
    order = ("read", "vread", "update", "patch", "delete", "history-instance", "create", "search-type")
    return [code for code in order if code in definition.interactions]
