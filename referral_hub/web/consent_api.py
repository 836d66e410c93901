"""Drafts of permissions, and how many stand on each form: routes of operations on Consent.

What lives here: reading the question and answering. What does not: the acts themselves (``casework``).

Source: FHIR R4 operations.html; ``practice.md`` 17.
"""

from dataclasses import dataclass

from referral_hub.auth.tokens import digest_of
from referral_hub.casework.consent_drafts import Wanted, draft_consent
from referral_hub.casework.form_counts import form_counts
from referral_hub.errors import InvalidResource
from referral_hub.exchange.consent_policy import ConsentLimits
from referral_hub.exchange.hub import Hub
from referral_hub.fhir import json_codec
from referral_hub.fhir.outcome import Issue
from referral_hub.fhir.search_grammar import query_pairs
from referral_hub.web.answers import json_reply
from referral_hub.web.wire import Asked, Reply


@dataclass(frozen=True, slots=True)
class ConsentApi:
    """The operations as routes."""

    hub: Hub
    limits: ConsentLimits
    small_cell: int

    def form_counts(self, asked: Asked) -> Reply:
        """Gives how many permissions stand on each version of the form; no person."""
        digest = digest_of(asked.authorization)
        forms = [value for name, value in query_pairs(asked.query) if name == "policy"]
        found = form_counts(self.hub, self.limits.policy, self.small_cell, digest, forms)
        return json_reply(json_codec.encode(found))

    def template(self, asked: Asked) -> Reply:
        """Gives a draft of a permission; stores nothing."""
        digest = digest_of(asked.authorization)
        given = dict(query_pairs(asked.query))
        issues = [
            Issue("error", "required", text, f"Parameters.parameter.where(name='{name}')")
            for name, text in (
                ("patient", "Name the person as Patient/id."),
                ("recipient", "Name the recipient as Organization/id."),
                ("purpose", "Name the purpose by its code."),
            )
            if not given.get(name)
        ]
        if given.get("return", "false") not in ("true", "false"):
            place = "Parameters.parameter.where(name='return')"
            issues.append(Issue("error", "value", "The way back is true or false.", place))
        if issues:
            raise InvalidResource(issues)
        wanted = Wanted(
            given["patient"].removeprefix("Patient/"),
            given["recipient"].removeprefix("Organization/"),
            given["purpose"],
            back=given.get("return") == "true",
        )
        return json_reply(json_codec.encode(draft_consent(self.hub, self.limits, digest, wanted)))
