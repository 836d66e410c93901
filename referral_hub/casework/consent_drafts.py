"""A draft of a permission, from the template of its purpose: what is left is to talk, to tick and to sign.

What lives here: ``Consent/$template``. What does not: the table (``casework.consent_templates``), storing the draft
(an ordinary create), the rules of signing (``exchange.consent_signing``). Nothing is stored or told to anybody.

Source: ``practice.md`` 3, 4 and 17; ``consent.md`` F-07; ``views.md`` 9 (return release).
"""

from dataclasses import dataclass
from typing import Any

from referral_hub.casework.consent_templates import RETURN_CATEGORIES, template_of
from referral_hub.errors import InvalidResource, NotFound
from referral_hub.exchange.consent_policy import ConsentLimits
from referral_hub.exchange.consent_rules import longest_us
from referral_hub.exchange.hub import Hub
from referral_hub.exchange.state import Working
from referral_hub.fhir.canonical import ACT_CODE, CANONICAL, CONSENT_SCOPE, PARTICIPATION_TYPE, code_system
from referral_hub.fhir.dates import instant
from referral_hub.fhir.outcome import Issue
from referral_hub.resources.consent import CONSENT_KIND

DEFAULT_FORM = f"{CANONICAL.removesuffix('/fhir')}/policy/permission/v1"
"""The form a draft names in a network that registered none."""
CATEGORY = code_system("information-category")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose permission, to whom, for what; ``back`` for the way back to her own organisation."""

    patient: str
    recipient: str
    purpose: str
    back: bool = False


def draft_consent(hub: Hub, limits: ConsentLimits, token_digest: bytes, wanted: Wanted) -> dict[str, Any]:
    """Gives a Consent in draft with the least that the purpose needs.

    Args:
        hub: store, gate and clock.
        limits: the network's lengths and forms.
        token_digest: of the caller's token.
        wanted: whose, to whom, for what.

    Raises:
        NotFound: the person is not of the caller's own record (404).
        InvalidResource: there is no such recipient (422).
    """
    at_us = hub.clock()
    with hub.store.snapshot() as snapshot:
        caller = hub.identify(snapshot.token(token_digest), at_us)
        hub.gate.allow(caller, "Consent", "read")
        working = Working(snapshot)
        person = working.resource("Patient", wanted.patient)
        own = person is not None and person.author == caller.organization_id
        if person is None or not own or not hub.gate.sees(caller, person, working, at_us):
            raise NotFound
        recipient = working.organization(wanted.recipient)
        if recipient is None or not recipient.facts.active:
            place = "Parameters.parameter.where(name='recipient')"
            raise InvalidResource(
                [Issue("error", "not-found", "Name the recipient as Organization/id.", place)]
            )
    template = template_of(wanted.purpose)
    receiver, keeper = wanted.recipient, caller.organization_id
    if wanted.back:
        receiver, keeper = keeper, receiver
    until_us = at_us + longest_us(wanted.purpose, limits)
    return {
        "resourceType": "Consent",
        "status": "draft",
        "scope": _coded(CONSENT_SCOPE, "patient-privacy"),
        "category": [_coded(CONSENT_KIND, "release"), _coded(ACT_CODE, "IDSCL")],
        "patient": {"reference": f"Patient/{wanted.patient}"},
        "organization": [{"reference": f"Organization/{keeper}"}],
        "policy": [{"uri": form_in_use(limits)}],
        "provision": {
            "type": "deny",
            "provision": [
                {
                    "type": "permit",
                    "period": {"start": instant(at_us), "end": instant(until_us)},
                    "actor": [
                        {
                            "role": _coded(PARTICIPATION_TYPE, "IRCP"),
                            "reference": {"reference": f"Organization/{receiver}"},
                        }
                    ],
                    "purpose": [{"system": template.system, "code": template.purpose}],
                    "class": [
                        {"system": CATEGORY, "code": code}
                        for code in (RETURN_CATEGORIES if wanted.back else template.least)
                    ],
                }
            ],
        },
    }


def form_in_use(limits: ConsentLimits) -> str:
    """Gives the newest form that may be signed: the last one the network's file names as current."""
    current = [uri for uri, form in limits.policy.forms.items() if form.current]
    return current[-1] if current else DEFAULT_FORM


def _coded(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}
