"""What one referral opens to its recipient now, where nobody of it has an account: for a link, or an answer by phone.

What lives here: finding out. What does not: who holds a link (``auth.people.referral_links``), the token it acts
through (``auth.people.referral_tokens``), what that token reads (``exchange.gate``).

A link is a delivery on paper: like a delivery it has no purpose of its own, so each purpose that a live permit names
is tried. Whatever cannot be opened is one answer, None.

Source: ``views.md`` 1, 6 and 9 (no-name referral).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from referral_hub.access.principal import refusal_targets
from referral_hub.exchange.bound_grants import BoundGrants
from referral_hub.exchange.gate import Gate
from referral_hub.exchange.ports import OrganizationRow, ResourceRow, Snapshot, Store

_NEVER_US = 2**62


@dataclass(frozen=True, slots=True)
class Way:
    """What a referral opens to its recipient.

    Args:
        task: public id of the Task; ``person`` row id of whom it is about, ``patient`` her public id.
        organization: the recipient.
        purpose: the one it is read for; empty for a referral without a name.
        consents: (id, version) of the releases it stands on; none for a referral without a name.
        opened: by information category, whether very restricted elements of it are open too.
        until_us: when that may change, microseconds UTC.
    """

    task: str
    person: int
    patient: str
    organization: str
    purpose: str = ""
    consents: tuple[tuple[str, str], ...] = ()
    opened: Mapping[str, bool] = field(default_factory=lambda: MappingProxyType({}))
    until_us: int = _NEVER_US

    @property
    def nameless(self) -> bool:
        """Tells that it is a referral without a name."""
        return not self.consents


class ReferralWays:
    """Finds out what a referral opens. Safe for threads.

    Args:
        store: where it is looked up.
        gate: decides what the consents open.
    """

    def __init__(self, store: Store, gate: Gate) -> None:
        self._store = store
        self._grants = BoundGrants(store, gate)

    def of(self, task_id: str, at_us: int) -> Way | None:
        """Gives what a referral opens to its owner; None where it opens nothing, or nothing any more."""
        with self._store.snapshot() as snapshot:
            task = snapshot.resource("Task", task_id)
            owner = snapshot.organization(task.owner) if task is not None else None
            if task is None or task.deleted or task.person is None or owner is None:
                return None
            if not owner.facts.active or task.author == task.owner:
                return None
            nameless = _nameless(task, snapshot, at_us)
            purposes = _purposes(task.person, owner, snapshot, at_us)
        if nameless is not None:
            return Way(task.id, task.person, nameless, task.owner)
        for purpose in purposes:
            found = self._grants.of_referral(task.owner, purpose, "", task.id, at_us)
            if found is not None:
                return Way(
                    task.id,
                    found.person,
                    found.patient,
                    task.owner,
                    purpose,
                    found.consents,
                    found.opened,
                    found.until_us,
                )
        return None


def _nameless(task: ResourceRow, snapshot: Snapshot, at_us: int) -> str | None:
    """Gives the public id of the Patient of a referral without a name that is still open; None for all others."""
    for access in snapshot.accesses_of_task(task.row_id):
        is_owners = access.organization == task.owner and not access.back and access.level != "history"
        if is_owners and access.nameless and (access.until_us is None or at_us < access.until_us):
            person = snapshot.rows((task.person,)).get(task.person) if task.person is not None else None
            return person.id if person is not None and person.kind == "no-name" else None
    return None


def _purposes(person: int, owner: OrganizationRow, snapshot: Snapshot, at_us: int) -> list[str]:
    standing = snapshot.standing(person, owner.facts.id, refusal_targets(owner.facts))
    live = (one for one in standing.grants if one.valid_from_us <= at_us < one.valid_until_us)
    return sorted({grant.purpose for grant in live})
