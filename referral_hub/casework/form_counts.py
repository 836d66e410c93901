"""How many permissions still stand on each version of the form, for whoever plans to replace one.

What lives here: ``Consent/$form-counts``. What does not: the number itself (``store.form_counts``), an organisation's
own list of old permissions (a search: ``Consent?policy=...``).

Source: ``consent.md`` C-34 and F-24; ``practice.md`` 12 (coordinators see counts, never people).
"""

from collections.abc import Iterable
from typing import Any

from referral_hub.errors import Forbidden
from referral_hub.exchange.consent_policy import ConsentPolicy
from referral_hub.exchange.hub import Hub


def form_counts(
    hub: Hub, policy: ConsentPolicy, small_cell: int, token_digest: bytes, asked: Iterable[str]
) -> dict[str, Any]:
    """Gives each version with how many Consents run under it, as Parameters; a small number is left out.

    Args:
        hub: store, gate and clock.
        policy: the network's forms.
        small_cell: below this a number is not told.
        token_digest: of the caller's token.
        asked: versions beside those of the policy.

    Raises:
        Forbidden: the caller is not of the network's own organisation, or no coordinator of it (403).
    """
    at_us = hub.clock()
    with hub.store.snapshot() as snapshot:
        caller = hub.identify(snapshot.token(token_digest), at_us)
        hub.gate.allow(caller, "Consent", "search")
        network = snapshot.hub_organization()
        ours = network is not None and network.facts.id == caller.organization_id
        if (
            not ours
            or caller.person is not None
            or not (caller.context == "system" or caller.role == "coordinator")
        ):
            raise Forbidden("The network's coordinator is told how many permissions stand on each form.")
        numbers = {uri: snapshot.form_count(uri) for uri in dict.fromkeys((*policy.forms, *asked))}
    parameter = []
    for uri, number in sorted(numbers.items()):
        form = policy.forms.get(uri)
        state = "unknown" if form is None else "current" if form.current else "retired"
        parts: list[dict[str, Any]] = [
            {"name": "policy", "valueUri": uri},
            {"name": "state", "valueCode": state},
        ]
        if number == 0 or number >= small_cell:
            parts.append({"name": "number", "valueInteger": number})
        parameter.append({"name": "form", "part": parts})
    return {"resourceType": "Parameters", **({"parameter": parameter} if parameter else {})}
