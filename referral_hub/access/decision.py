"""What the person's consents say to one request.

What lives here: putting the Consents of one person together. What does not: what each of them matches
(``access.rules``), reading them (``access.provisions``), which view a permit leads to (``access.views``),
and facts that come before any consent, such as scopes and the state of a referral (``exchange.gate``, its
only caller).

Any deny wins over every permit; without a permit the answer is no.

Source: ``consent.md`` 1.2, C-30 to C-33; ``views.md`` 9.
"""

from collections.abc import Sequence

from referral_hub.access.categories import NOTICE
from referral_hub.access.facts import Decision, Reason, Request
from referral_hub.access.rules import CompiledConsent


def decide(consents: Sequence[CompiledConsent], request: Request, at_us: int) -> Decision:
    """Gives what all Consents of one person together say to a request.

    Args:
        consents: every Consent of the person, of every status; the order does not matter.
        request: who asks, for what, with which purpose.
        at_us: the moment, microseconds since 1970 UTC.

    Returns:
        permit with the Consents it stands on; deny with those that deny; or no-consent with the reason why.

    Source: ``consent.md`` 1.2 as corrected by ``views.md`` 9.
    """
    if not request.organization.active:
        return Decision("deny", "organization-inactive")
    permitting: list[tuple[str, str]] = []
    denying: list[tuple[str, str]] = []
    very_restricted = False
    for consent in consents:
        if not consent.active:
            continue
        if consent.denies and any(deny.matches(request, at_us) for deny in consent.denies):
            denying.append((consent.id, consent.version))
            continue
        hits = [permit for permit in consent.permits if permit.matches(request, at_us)]
        if not hits:
            if consent.root is not None and consent.root.matches(request, at_us):
                denying.append((consent.id, consent.version))
        elif consent.kind != "refusal":
            permitting.append((consent.id, consent.version))
            very_restricted = very_restricted or any(permit.opens_very_restricted for permit in hits)
    if denying:
        return Decision("deny", "refused", tuple(denying))
    if permitting:
        opens_very = very_restricted and request.resource.category != NOTICE
        return Decision("permit", "permitted", tuple(permitting), opens_very)
    return Decision("no-consent", _why_nothing(consents, request, at_us))


def _why_nothing(consents: Sequence[CompiledConsent], request: Request, at_us: int) -> Reason:
    """Gives why nothing permits: withdrawn, ended, or never there. Only her custodian is told."""
    if not request.purpose:
        return "no-purpose"
    reason: Reason = "none"
    for consent in consents:
        if consent.kind == "refusal" or not any(permit.concerns(request) for permit in consent.permits):
            continue
        if consent.status == "inactive":
            return "withdrawn"
        if consent.active and any(
            permit.until_us <= at_us and permit.concerns(request) for permit in consent.permits
        ):
            reason = "ended"
    return reason
