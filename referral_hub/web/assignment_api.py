"""Who works with whom: the routes of assigning, ending, and listing.

What lives here: reading a request, calling one act, answering. What does not: any rule (``exchange.assignments``).

Source: ``practice.md`` 12; FHIR R4 operations.html.
"""

from dataclasses import dataclass
from typing import Any

from referral_hub.auth.tokens import digest_of
from referral_hub.exchange.assignments import AccountLook, assign, assignments, unassign
from referral_hub.exchange.hub import Hub
from referral_hub.fhir import json_codec
from referral_hub.web.answers import json_reply
from referral_hub.web.negotiation import BodySizes
from referral_hub.web.parameters import given_parameters
from referral_hub.web.wire import Asked, Reply


@dataclass(frozen=True, slots=True)
class AssignmentApi:
    """The operations as routes. ``accounts`` gives an account by its id."""

    hub: Hub
    sizes: BodySizes
    accounts: AccountLook

    def assign(self, asked: Asked, public_id: str) -> Reply:
        """Lets an account work with a person, confirms it, or asks to."""
        digest = digest_of(asked.authorization)
        return _reply(assign(self.hub, self.accounts, digest, public_id, self._account(asked)))

    def unassign(self, asked: Asked, public_id: str) -> Reply:
        """Ends that an account works with a person."""
        digest = digest_of(asked.authorization)
        return _reply(unassign(self.hub, digest, public_id, self._account(asked)))

    def listed(self, asked: Asked, public_id: str) -> Reply:
        """Gives who of the caller's organisation works with a person."""
        return _reply(assignments(self.hub, digest_of(asked.authorization), public_id))

    def _account(self, asked: Asked) -> str:
        given = dict(given_parameters(asked, self.sizes)).get("account")
        return given if isinstance(given, str) else ""


def _reply(parameters: dict[str, Any]) -> Reply:
    return json_reply(json_codec.encode(parameters))
