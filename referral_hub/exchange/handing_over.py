"""Who may hand a code over to a person: those who work with her, in the organisation that opened her file.

What lives here: that one question, and what her worker says when contact with her is lost. What does not: the code
and her account (``auth.people.herself``), who works with whom (``exchange.assignments``), what lost contact brings
(``exchange.contact_lost``).

Source: ``practice.md`` 10 (set up with her, by her worker) and 12.
"""

from typing import Protocol

from referral_hub.access.categories import INFORMATION_CATEGORY
from referral_hub.access.principal import Principal, refusal_targets
from referral_hub.access.scopes import ScopeSet
from referral_hub.errors import NotFound
from referral_hub.exchange.contact_lost import CONTACT_LOST, OBSERVATION
from referral_hub.exchange.hub import Hub
from referral_hub.exchange.interactions import write
from referral_hub.exchange.ports import Snapshot
from referral_hub.exchange.proposal import Proposal
from referral_hub.fhir.dates import instant

HANDING = frozenset({"caseworker", "supervisor", "clinician", "lawyer", "intake"})
"""Roles that meet persons."""


_SCOPES = ScopeSet.parse("user/Observation.crs user/Patient.rs")


class InSight(Protocol):
    """Tells whom an account may see (``exchange.persons_in_sight``)."""

    def person(
        self, account: str, organization: str, role: str, purpose: str, patient: str, at_us: int
    ) -> int | None:
        """Gives the row id of one person by her public id; None where the account may not see her now."""


class HandingOver:
    """Answers who may hand over a code. Safe for threads.

    Args:
        hub: the store and the gate.
        persons: whom an account may see.
    """

    def __init__(self, hub: Hub, persons: InSight) -> None:
        self._hub = hub
        self._persons = persons

    def person(self, account: str, organization: str, role: str, patient: str, at_us: int) -> int | None:
        """Gives the row id of a person's record if this member of staff may hand a code over to her, else None.

        Args:
            account: id of the account.
            organization: its organisation.
            role: its active role.
            patient: public id of the person's record.
            at_us: now, microseconds UTC.
        """
        if role not in HANDING:
            return None
        with self._hub.store.snapshot() as snapshot:
            row = snapshot.resource("Patient", patient)
        if row is None or row.author != organization:
            return None
        return self._persons.person(account, organization, role, "", patient, at_us)

    def contact_lost(self, account: str, organization: str, role: str, patient: str, at_us: int) -> None:
        """Writes in a member of staff's name that contact with a person is lost; her code and pages lock with it.

        Args:
            account: id of the account; it was asked before whether it works with her.
            organization: its organisation.
            role: its active role.
            patient: public id of the person's record.
            at_us: now, microseconds UTC.

        Raises:
            HubError: the gate refuses it; nothing is written then.
        """
        body = {
            "resourceType": "Observation",
            "status": "final",
            "category": [{"coding": [{"system": INFORMATION_CATEGORY, "code": "safety"}]}],
            "code": {"coding": [{"system": OBSERVATION, "code": CONTACT_LOST}]},
            "subject": {"reference": f"Patient/{patient}"},
            "effectiveDateTime": instant(at_us),
            "valueBoolean": True,
        }

        def caller_of(snapshot: Snapshot, _at_us: int) -> Principal:
            found = snapshot.organization(organization)
            if found is None:
                raise NotFound
            return Principal(
                organization=found.facts,
                oauth_client="",
                scopes=_SCOPES,
                purpose="",
                role=role,
                user=account,
                refusal_targets=refusal_targets(found.facts),
                context="user",
                account=account,
            )

        write(self._hub, caller_of, Proposal("create", "Observation", body=body))
