"""What every page of the administration shares: the room it stands in, and how others' names are shown.

What lives here: ``Administration``, names of organisations as a reader may have them, a refusal beside a form. What
does not: pages (its neighbours), rules (``auth.people.governing`` and what it names).

Source: ``practice.md`` 12; ``views.md`` 9 (of a shelter nobody else reads the name).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from referral_hub.auth.people.browser_sessions import SignedIn
from referral_hub.auth.people.governing import COORDINATOR, SUPERVISOR, Governing
from referral_hub.auth.software_office import SoftwareOffice
from referral_hub.errors import ConfigurationError, InvalidResource, NotFound
from referral_hub.exchange.administration import OfficeReads
from referral_hub.exchange.consent_policy import ConsentPolicy
from referral_hub.exchange.member_organizations import MemberOrganizations
from referral_hub.exchange.ports import OrganizationRow
from referral_hub.outbound.dead_letters import DeadLetters
from referral_hub.settings import Settings

T = TypeVar("T")

OFFICE = (COORDINATOR, SUPERVISOR)
"""Roles that have pages here."""


@dataclass(frozen=True, slots=True)
class Administration:
    """What the pages stand on."""

    governing: Governing
    organizations: MemberOrganizations
    software: SoftwareOffice
    reads: OfficeReads
    letters: DeadLetters
    settings: Settings
    consent_policy: ConsentPolicy

    def organization(self, signed: SignedIn, organization_id: str) -> OrganizationRow:
        """Gives an organisation within reach.

        Raises:
            NotFound: there is none, or it is none of hers (404).
        """
        self.governing.check_reach(signed, organization_id)
        row = self.software.rows.organization(organization_id)
        if row is None:
            raise NotFound
        return row

    def names(self, signed: SignedIn) -> Mapping[str, str]:
        """Gives the names of all organisations by id, as this reader may have them."""
        return {row.facts.id: shown_name(signed, row) for row in self.reads.organizations()}


def shown_name(signed: SignedIn, row: OrganizationRow) -> str:
    """Gives the name under which a reader knows an organisation; of another's shelter the neutral one, or none."""
    if row.facts.kind != "shelter" or row.facts.id == signed.organization:
        return row.name
    return row.neutral_name


def by_name(names: Mapping[str, str], ids: Iterable[str]) -> list[str]:
    """Gives ids in the order of their names."""
    return sorted(ids, key=lambda one: (names.get(one, "").casefold(), one))


@contextmanager
def telling(said: list[str]) -> Iterator[None]:
    """Catches why an act was refused, as a sentence for the page to show."""
    try:
        yield
    except (ConfigurationError, InvalidResource) as refused:
        said.append(refused.text)


def tried(said: list[str], act: Callable[[], T]) -> T | None:
    """Gives what an act gives; None where it was refused, and then why is among what is said."""
    try:
        return act()
    except (ConfigurationError, InvalidResource) as refused:
        said.append(refused.text)
    return None


def number_of(text: str) -> int:
    """Gives a whole number out of a form; -1 where it is none.

    >>> number_of("12"), number_of("1e3"), number_of("")
    (12, -1, -1)
    """
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else -1
