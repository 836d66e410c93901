"""How much waits on the desks: what a coordinator is told instead of anything about anybody.

What lives here: $desk-counts. What does not: the numbers themselves (``store.desk_counts``).

Source: ``practice.md`` 12 and 18; ``views.md`` 9 (Coordinators and operators read counts).
"""

from typing import Any

from referral_hub.errors import Forbidden
from referral_hub.exchange.hub import Hub
from referral_hub.exchange.reaching import check_staff

READERS = frozenset({"coordinator", "supervisor"})


def desk_counts(hub: Hub, token_digest: bytes) -> dict[str, Any]:
    """Gives how many recalls, orders, requests and openings wait or were decided, as Parameters.

    Coordinators and supervisors are told of their own organisation; a coordinator of the network itself of every
    organisation.

    Raises:
        Forbidden: an account of another role, or software alone (403).
    """
    at_us = hub.clock()
    with hub.store.snapshot() as snapshot:
        caller = hub.identify(snapshot.token(token_digest), at_us)
        check_staff(caller)
        if caller.context != "user" or caller.role not in READERS or caller.person is not None:
            raise Forbidden("Coordinators and supervisors are told how much waits.")
        network = snapshot.hub_organization()
        of_all = (
            network is not None
            and network.facts.id == caller.organization_id
            and caller.role == "coordinator"
        )
        found = snapshot.desk_counts()
    parameter = [
        {
            "name": "count",
            "part": [
                {"name": "organization", "valueReference": {"reference": f"Organization/{organization}"}},
                {"name": "kind", "valueCode": kind},
                {"name": "status", "valueCode": status},
                {"name": "number", "valueInteger": number},
            ],
        }
        for organization, kind, status, number in sorted(found)
        if of_all or organization == caller.organization_id
    ]
    return {"resourceType": "Parameters", **({"parameter": parameter} if parameter else {})}
