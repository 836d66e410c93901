"""Whom a member of staff may choose when software wants to know which person it is about.

What lives here: the list of persons, and the question about one. What does not: the decision itself (``exchange.gate``,
which is asked about every row), pages (``web``).

The list is a search for Patients in the name of the account, so it shows what such a search would show, and is in the
audit like one.

Source: SMART App Launch 2.2, launch/patient; ``views.md`` 1 and 9.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from referral_hub.access.principal import Principal, refusal_targets
from referral_hub.access.scopes import ScopeSet
from referral_hub.exchange.audit import page_entries
from referral_hub.exchange.hub import Hub
from referral_hub.exchange.looking import LazyLook
from referral_hub.exchange.reaching import may_ask
from referral_hub.exchange.search import plan_of
from referral_hub.exchange.search_plan import NEWEST_FIRST
from referral_hub.exchange.sign_in import PersonInSight
from referral_hub.exchange.state import Working
from referral_hub.fhir import json_codec

MOST_PERSONS = 200
"""Persons that one page lets choose among: those written about last."""

_SCOPES = ScopeSet.parse("user/Patient.rs")


class PersonsInSight:
    """Answers for whom an account works. Safe for threads.

    Args:
        hub: store, gate and clock.
        role_of: gives the active role of an account, None where it may not work now.
    """

    def __init__(self, hub: Hub, role_of: Callable[[str, int], str | None]) -> None:
        self._hub = hub
        self._role_of = role_of

    def role_of(self, account: str, at_us: int) -> str | None:
        """Gives the active role of an account, empty for a person; None where it may not work now."""
        return self._role_of(account, at_us)

    def persons_for(
        self, account: str, organization: str, role: str, purpose: str, at_us: int
    ) -> Sequence[PersonInSight]:
        """Gives the persons this member of staff may see, those written about last first."""
        caller = self._caller(account, organization, role, purpose)
        if caller is None:
            return ()
        hub = self._hub
        plan = replace(plan_of(hub, caller, "Patient", (), at_us, count=MOST_PERSONS), sort=NEWEST_FIRST)
        page = hub.store.search(plan)
        with LazyLook(hub.store) as look:
            found = hub.gate.release_page(caller, page.rows, page.standings, look, at_us)
        foreign = any(not outcome.own for _, outcome in found)
        hub.store.spool(page_entries(caller, "search-type", found, at_us), durable=foreign)
        return [
            PersonInSight(row.person, row.id, _label(outcome.released.body))
            for row, outcome in found
            if row.person is not None
        ]

    def person(
        self, account: str, organization: str, role: str, purpose: str, patient: str, at_us: int
    ) -> int | None:
        """Gives the row id of one person by her public id; None where the account may not see her now."""
        caller = self._caller(account, organization, role, purpose)
        if caller is None:
            return None
        with self._hub.store.snapshot() as snapshot:
            row = snapshot.resource("Patient", patient)
            if row is None or row.deleted or row.person is None:
                return None
            seen = self._hub.gate.sees(caller, row, Working(snapshot), at_us)
        return row.person if seen else None

    def _caller(self, account: str, organization: str, role: str, purpose: str) -> Principal | None:
        """Gives the account as the gate knows callers; None where its organisation or role opens nothing."""
        with self._hub.store.snapshot() as snapshot:
            found = snapshot.organization(organization)
        if found is None or not found.facts.active:
            return None
        caller = Principal(
            organization=found.facts,
            oauth_client="",
            scopes=_SCOPES,
            purpose=purpose,
            role=role,
            user=account,
            refusal_targets=refusal_targets(found.facts),
            context="user",
            account=account,
        )
        return caller if may_ask(caller, "Patient", "search") else None


def _label(body: bytes) -> str:
    """Gives the words to recognise a person by: her name where this account sees it, and the first part of her id."""
    patient: dict[str, Any] = json_codec.decode_own(body)
    mark = str(patient.get("id", ""))[:8]
    for name in patient.get("name", ()):
        words = name.get("text") or " ".join([*name.get("given", ()), name.get("family", "")]).strip()
        if words:
            return f"{words} ({mark})"
    return mark
