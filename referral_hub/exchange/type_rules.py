"""The hub's own rules of single types, asked of every version that is written.

What lives here: which rule is asked of which type. What does not: FHIR's rules (``fhir.validator``), lifecycles
(``exchange.admission``), who sees what (``exchange.gate``).

Source: ``views.md`` 9; ``practice.md`` 1 to 5.
"""

from typing import Any

from referral_hub.access.principal import Principal
from referral_hub.errors import InvalidResource
from referral_hub.exchange.admission import free_text_issues, no_name_patient_issues
from referral_hub.exchange.building import Draft, body_of
from referral_hub.exchange.columns import Columns
from referral_hub.exchange.consent_rules import ConsentLimits, consent_issues
from referral_hub.exchange.consent_writing import check_signing
from referral_hub.exchange.directory_rules import directory_issues
from referral_hub.exchange.profiles_in_force import check_in_force
from referral_hub.exchange.safe_contact import contact_issues
from referral_hub.exchange.subscription_writing import check as check_subscription
from referral_hub.fhir.outcome import Issue
from referral_hub.resources.definition import ResourceDefinition

_NAMELESS = frozenset({"Task", "ServiceRequest"})


def check_rules(
    caller: Principal,
    definition: ResourceDefinition,
    body: dict[str, Any],
    stored: dict[str, Any] | None,
    columns: Columns,
    draft: Draft,
    limits: ConsentLimits,
) -> None:
    """Refuses what breaks the hub's own rules of a type; every problem at once.

    Raises:
        InvalidResource: one issue per rule broken (422).
        Forbidden: an Organization is written by the network's coordinator (403).
        SigningOff: an active release while she cannot sign (422).
    """
    working = draft.working
    person = working.row(columns.person) if definition.type_name != "Patient" else None
    issues: list[Issue] = []
    if definition.directory and (columns.directory or not definition.subject):
        network = working.hub_organization()

        def wrote(text: str) -> bool:
            found = working.resources([text]).get(text) if text.count("/") == 1 else None
            return found is not None and found.author == caller.organization_id

        issues.extend(
            directory_issues(
                definition,
                body,
                writer=caller.organization_id,
                network=network.facts.id if network is not None else "",
                wrote=wrote,
            )
        )
    if definition.type_name == "Patient" and columns.kind == "no-name":
        issues.extend(no_name_patient_issues(body))
    by_author = columns.owner != caller.organization_id or definition.type_name != "Task"
    if person is not None and person.kind == "no-name" and definition.type_name in _NAMELESS and by_author:
        issues.extend(free_text_issues(body, definition.type_name))
    if definition.type_name == "Subscription":
        check_subscription(body, working.registered_bases(caller.organization_id), draft.at_us)
    if definition.type_name == "Communication" and person is not None:
        issues.extend(contact_issues(body, body_of(person)))
    if definition.type_name == "Consent":
        issues.extend(consent_issues(body, stored, limits, draft.at_us))
        if person is not None and person.author != caller.organization_id:
            issues.append(
                Issue(
                    "error",
                    "business-rule",
                    "Consents are kept by the organisation that opened the person's file.",
                    "Consent.patient",
                )
            )
    if issues:
        raise InvalidResource(issues)
    if definition.type_name != "Consent":  # its rows say more exactly what is wrong, and are made later
        check_in_force(body, stored)
    signing = body.get("status") == "active" and (stored is None or stored.get("status") != "active")
    if definition.type_name == "Consent" and columns.kind == "release" and signing and person is not None:
        check_signing(person, draft)
