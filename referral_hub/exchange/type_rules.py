"""The hub's own rules of single types, asked of every version that is written.

What lives here: which rule is asked of which type. What does not: FHIR's rules (``fhir.validator``), lifecycles
(``exchange.admission``), who sees what (``exchange.gate``).

Source: ``views.md`` 9; ``practice.md`` 1 to 5.
"""

from collections.abc import Iterator
from typing import Any

from referral_hub.access.principal import Principal
from referral_hub.errors import InvalidResource
from referral_hub.exchange import contact_lost
from referral_hub.exchange.admission import free_text_issues, no_name_patient_issues
from referral_hub.exchange.building import Draft, body_of
from referral_hub.exchange.columns import Columns
from referral_hub.exchange.consent_rules import ConsentLimits, consent_issues
from referral_hub.exchange.consent_signing import asked_again, begins, signing_issues
from referral_hub.exchange.consent_writing import check_signing
from referral_hub.exchange.directory_rules import directory_issues
from referral_hub.exchange.ports import ResourceRow
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
    row_id: int | None = None,
) -> None:
    """Refuses what breaks the hub's own rules of a type; every problem at once. ``row_id``: of what is stored already.

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
    issues.extend(_life_issues(caller, definition, body, stored, columns, person, draft, limits, row_id))
    if issues:
        raise InvalidResource(issues)
    if definition.type_name != "Consent":  # its rows say more exactly what is wrong, and are made later
        check_in_force(body, stored)
    signing = begins(body, stored) or asked_again(body, stored)
    if definition.type_name == "Consent" and columns.kind == "release" and signing and person is not None:
        check_signing(person, draft)


def _life_issues(
    caller: Principal,
    definition: ResourceDefinition,
    body: dict[str, Any],
    stored: dict[str, Any] | None,
    columns: Columns,
    person: ResourceRow | None,
    draft: Draft,
    limits: ConsentLimits,
    row_id: int | None,
) -> Iterator[Issue]:
    """Gives what a message to her, word about contact with her, or a consent of hers breaks."""
    type_name = definition.type_name
    if type_name == "Consent":
        yield from consent_issues(body, stored, limits, draft.at_us)
    if person is None:
        return
    if type_name == "Communication":
        yield from contact_issues(body, body_of(person))
        yield from contact_lost.message_issues(body, person, draft)
    elif type_name == "Observation":
        yield from contact_lost.observation_issues(body, person, caller.organization_id, draft)
    elif type_name == "Consent" and person.author != caller.organization_id:
        text = "Consents are kept by the organisation that opened the person's file."
        yield Issue("error", "business-rule", text, "Consent.patient")
    elif type_name == "Consent" and columns.kind == "release":
        if begins(body, stored):
            yield from signing_issues(body, person, row_id, draft, limits)
        elif asked_again(body, stored):
            yield from contact_lost.check_in_issues(person, draft)
