"""What is told of the grant a token is bound to: to its client next to nothing, to the hub's resource servers all.

What lives here: the ``authorization_details`` of answers, and the extensions of IHE beside them. What does not: how a
grant is found and narrowed (``auth.rich_requests``), who may ask (``auth.introspection``).

Source: RFC 9396 7 and 9.2; ``consent.md`` D-04, D-05 and P-04 to P-06; IHE PCF (ITI-71, consent extension); IHE IUA.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Protocol

from referral_hub.access.principal import Binding
from referral_hub.access.scopes import ScopeSet
from referral_hub.auth.addresses import Addresses
from referral_hub.exchange.ports import TokenRow
from referral_hub.fhir.canonical import ACT_REASON, code_system
from referral_hub.fhir.dates import instant

_CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"

ACTIONS: Mapping[str, str] = MappingProxyType({"create": "c", "read": "r", "search": "s", "update": "u"})
"""What a bound token may do, each with the letter of a scope that allows it."""


class ConsentTold(Protocol):
    """One consent a token is bound to (``exchange.bound_grants.ConsentFacts``)."""

    @property
    def id(self) -> str:
        """Gives its public id."""

    @property
    def version(self) -> str:
        """Gives its version when the token was given."""

    @property
    def sha256(self) -> str:
        """Gives the SHA-256 of that version, in hex."""

    @property
    def policies(self) -> tuple[str, ...]:
        """Gives the addresses of its policies."""


class GrantLeft(Protocol):
    """What is left of a binding (``exchange.bound_grants.GrantNow``)."""

    @property
    def patient(self) -> str:
        """Gives the person's public id."""

    @property
    def organization_name(self) -> str:
        """Gives the name of the organisation the token was given to."""

    @property
    def consents(self) -> tuple[ConsentTold, ...]:
        """Gives the consents it stands on."""

    @property
    def categories(self) -> frozenset[str]:
        """Gives the categories that are left."""

    @property
    def confidentiality(self) -> str:
        """Gives ``V`` or ``R``."""


def type_of(addresses: Addresses) -> str:
    """Gives the type of authorization details this hub knows.

    >>> type_of(Addresses("https://hub.example"))
    'https://hub.example/rar/consent-grant'
    """
    return f"{addresses.base_url}/rar/consent-grant"


def told(handle: str, scope: ScopeSet, addresses: Addresses) -> dict[str, object]:
    """Gives what the client is told of its grant: nothing about a person, nothing of a consent.

    Source: ``consent.md`` D-05.
    """
    letters = {letter for one in scope.scopes for letter in one.letters}
    return {
        "type": type_of(addresses),
        "identifier": handle,
        "actions": sorted(name for name, letter in ACTIONS.items() if letter in letters),
        "datatypes": sorted({one.type for one in scope.scopes}),
    }


def told_in_full(token: TokenRow, binding: Binding, left: GrantLeft, addresses: Addresses) -> dict[str, Any]:
    """Gives what a resource server of the network is told: whom the token is about and what it stands on.

    One object for each consent; what it says of categories and confidentiality is what is left of it now.

    Source: ``consent.md`` D-04, P-04 and P-05.
    """
    purpose = [{"system": _purpose_system(token.purpose), "code": token.purpose}]
    organization = f"Organization/{token.organization}"
    recipient: dict[str, Any] = {"organization": organization}
    if token.role:
        recipient["role"] = [token.role]
    if token.user:
        recipient["user"] = token.user
    common = {
        **told(binding.handle, ScopeSet.parse(token.scope), addresses),
        "locations": [addresses.fhir],
        "purpose": purpose,
        "referral": f"Task/{binding.referral}",
        "recipient": recipient,
        "categories": sorted(left.categories),
        "max_confidentiality": left.confidentiality,
        "not_after": instant(binding.not_after_us),
    }
    return {
        "patient": left.patient,
        "authorization_details": [{**common, **_of_consent(consent)} for consent in left.consents],
        "extensions": {
            "ihe_iua": {
                "subject_organization": left.organization_name,
                "subject_organization_id": f"{addresses.fhir}/{organization}",
                **({"subject_role": [{"code": token.role}]} if token.role else {}),
                "purpose_of_use": purpose,
            },
            "ihe_pcf": {
                "patient_id": f"Patient/{left.patient}",
                "doc_id": [f"Consent/{one.id}/_history/{one.version}" for one in left.consents],
                "acp": sorted({policy for one in left.consents for policy in one.policies}),
                "residual": [] if left.confidentiality == "V" else [_without_very_restricted()],
            },
        },
    }


def _of_consent(consent: ConsentTold) -> dict[str, Any]:
    found: dict[str, Any] = {
        "consent": f"Consent/{consent.id}",
        "consent_version": consent.version,
        "consent_sha256": consent.sha256,
    }
    if consent.policies:
        found["policy"] = consent.policies[0]
    return found


def _without_very_restricted() -> dict[str, Any]:
    return {"type": "forbid", "securityLabel": [{"system": _CONFIDENTIALITY, "code": "V"}]}


def _purpose_system(code: str) -> str:
    """Gives the system of a purpose code: those of v3-ActReason are written in capitals, the hub's are not."""
    return ACT_REASON if code.isupper() else code_system("purpose")
