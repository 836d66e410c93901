"""What stays true of an organisation and a person while the person's consent epoch stays the same.

What lives here: ``Standings``, which keeps compiled consent rows by (person, organisation, epoch) and puts
standings together. What does not: SQL (``store.standing_sql``) and every decision (``access``).

Nothing is kept by time. Each read brings the epoch and the referral_access rows of its own consistent state;
grants, refusals and exceptions change only together with the epoch, so those of the same epoch are the same.

Source: ``engine.md`` 2 (only immutable facts are cached).
"""

from dataclasses import dataclass
from threading import Lock

from referral_hub.access.rows import Grant, ReferralAccess, Refusal, RefusalException
from referral_hub.exchange.ports import Standing
from referral_hub.store import standing_sql

UNKNOWN = -1
"""The epoch of a person nothing is kept of: no real epoch equals it."""


@dataclass(frozen=True, slots=True)
class ConsentTexts:
    """Grants, refusals and exceptions as their columns bring them."""

    grants: str | None
    refusals: str | None
    exceptions: str | None


@dataclass(slots=True)
class _Kept:
    epoch: int
    grants: tuple[Grant, ...]
    refusals: tuple[Refusal, ...]
    exceptions: tuple[RefusalException, ...]
    made: tuple[str | None, tuple[str, ...], Standing] | None = None
    """The last standing and what it was made of, replaced as one so that threads never mix two."""


class Standings:
    """Puts standings together and remembers what an epoch fixes.

    Args:
        size: how many pairs of person and organisation are kept; the oldest goes first.
    """

    def __init__(self, size: int = 8192) -> None:
        self._size = size
        self._kept: dict[tuple[int, str], _Kept] = {}
        self._lock = Lock()

    def epoch(self, person: int | None, organization: str) -> int:
        """Gives the epoch whose rows are kept, or :data:`UNKNOWN`."""
        kept = self._kept.get((person, organization)) if person is not None else None
        return UNKNOWN if kept is None else kept.epoch

    def standing(
        self,
        person: int,
        organization: str,
        targets: tuple[str, ...],
        epoch: int,
        accesses: str | None,
        texts: ConsentTexts | None,
    ) -> Standing | None:
        """Gives the standing, or None where the consent rows of this epoch are neither given nor kept.

        Args:
            person: row id of the Patient.
            organization: id of the organisation.
            targets: the spellings under which a refusal reaches it.
            epoch: the person's epoch in the state that was read.
            accesses: its referral_access rows in that state, as ``standing_sql.accesses_column`` gives them.
            texts: the consent rows of that state, None where the statement left them out.
        """
        kept = self._kept.get((person, organization))
        if kept is not None and kept.epoch == epoch:
            return self._made(kept, person, targets, accesses)
        return None if texts is None else self.now(person, organization, targets, epoch, accesses, texts)

    def now(
        self,
        person: int,
        organization: str,
        targets: tuple[str, ...],
        epoch: int,
        accesses: str | None,
        texts: ConsentTexts,
    ) -> Standing:
        """Gives the standing of a state whose consent rows were read, as :meth:`standing` does."""
        kept = self._kept.get((person, organization))
        if kept is None or kept.epoch != epoch:
            kept = self._keep(person, organization, epoch, texts)
        return self._made(kept, person, targets, accesses)

    def _made(self, kept: _Kept, person: int, targets: tuple[str, ...], accesses: str | None) -> Standing:
        made = kept.made
        if made is not None and made[0] == accesses and made[1] == targets:
            return made[2]
        standing = Standing(
            person,
            kept.epoch,
            standing_sql.accesses(accesses),
            kept.grants,
            tuple(refusal for refusal in kept.refusals if _reaches(refusal, targets)),
            kept.exceptions,
        )
        kept.made = (accesses, targets, standing)
        return standing

    def _keep(self, person: int, organization: str, epoch: int, texts: ConsentTexts) -> _Kept:
        fresh = _Kept(
            epoch,
            standing_sql.grants(texts.grants),
            standing_sql.refusals(texts.refusals),
            standing_sql.exceptions(texts.exceptions),
        )
        with self._lock:
            self._kept[(person, organization)] = fresh
            while len(self._kept) > self._size:
                self._kept.pop(next(iter(self._kept)))
        return fresh


def _reaches(refusal: Refusal, targets: tuple[str, ...]) -> bool:
    return not targets or refusal.target == "*" or refusal.target in targets


def merged(first: Standing, accesses: tuple[ReferralAccess, ...]) -> Standing:
    """Gives a standing with further referral_access rows of the same state, each once."""
    known = {(access.task, access.organization, access.back): access for access in first.accesses}
    known.update({(access.task, access.organization, access.back): access for access in accesses})
    if len(known) == len(first.accesses):
        return first
    return Standing(
        first.person, first.epoch, tuple(known.values()), first.grants, first.refusals, first.exceptions
    )
