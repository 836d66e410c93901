"""Referrals that somebody is still writing: begun, saved, taken up again by the same account, and sent once.

What lives here: their lives. What does not: what is in one (``casework.referring``), keeping it sealed
(``store.portal_rows``), the screens (``web.portal.refer``).

A draft opens for the account that began it, while that account works with the person; for anybody else it is not
there. It goes after 30 days, and with any withdrawal of hers.
"""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from referral_hub.auth.people.portal_tokens import Seat, purposes_of
from referral_hub.casework.needs import purpose_of
from referral_hub.casework.referring import LIFE_DAYS, ReferralDraft, draft_of, draft_text
from referral_hub.errors import GuardFailed, HubError, NotFound, VersionConflict
from referral_hub.exchange.change import Change, Row
from referral_hub.exchange.hub import Hub
from referral_hub.exchange.own_person import own_person
from referral_hub.exchange.portal_rows import DraftRow
from referral_hub.exchange.ports import OrganizationRow

DAY_US = 24 * 3600 * 1_000_000
_MOST = 20


class DraftRows(Protocol):
    """The store as this room sees it."""

    def draft(self, draft_id: str, account: str) -> DraftRow | None:
        """Gives an account's own draft, sent or not."""

    def drafts(self, account: str, at_us: int, count: int) -> list[DraftRow]:
        """Gives what an account has not sent yet, the newest first."""

    def new_draft(self, draft: DraftRow) -> Row:
        """Gives the row of a draft that begins."""

    def saved_draft(self, draft: DraftRow) -> Row:
        """Gives the row of a draft that was written on."""


@dataclass(frozen=True, slots=True)
class KeptDraft:
    """A draft with its row."""

    row: DraftRow
    draft: ReferralDraft

    @property
    def id(self) -> str:
        """Gives its id."""
        return self.row.id

    @property
    def patient(self) -> str:
        """Gives the public id of whom it is about."""
        return self.row.patient


class Drafts:
    """Keeps drafts. Safe for threads and processes.

    Args:
        hub: store, gate and clock.
        rows: keeps them sealed.
        apply: applies a Change.
        organization: reads an organisation's row.
    """

    def __init__(
        self,
        hub: Hub,
        rows: DraftRows,
        apply: Callable[[Change], None],
        organization: Callable[[str], OrganizationRow | None],
    ) -> None:
        self._hub = hub
        self._rows = rows
        self._apply = apply
        self.organization = organization

    def begin(self, seat: Seat, patient: str, draft: ReferralDraft) -> str:
        """Begins a draft and gives its id.

        Raises:
            NotFound: the person is not in this seat's reach.
        """
        person = own_person(self._hub, seat.token, patient)
        at_us = self._hub.clock()
        signed = seat.signed
        row = DraftRow(
            str(uuid.uuid4()),
            signed.account,
            signed.organization,
            person,
            patient,
            1,
            draft_text(draft),
            "",
            at_us,
            at_us + LIFE_DAYS * DAY_US,
        )
        self._write(self._rows.new_draft(row))
        return row.id

    def own(self, seat: Seat, draft_id: str) -> KeptDraft:
        """Gives a draft of this account, sent or not.

        Raises:
            NotFound: never was, another's, over, or about somebody who is not in this seat's reach any more.
        """
        row = self._rows.draft(draft_id, seat.signed.account)
        if row is None or row.ends_us <= self._hub.clock() or row.organization != seat.signed.organization:
            raise NotFound
        own_person(self._hub, seat.token, row.patient)
        return KeptDraft(row, draft_of(row.body))

    def save(self, kept: KeptDraft, draft: ReferralDraft) -> None:
        """Saves a draft.

        Raises:
            VersionConflict: another window saved it meanwhile, it was sent, or it is gone (412).
        """
        at_us = self._hub.clock()
        row = replace(kept.row, body=draft_text(draft), changed_us=at_us, ends_us=at_us + LIFE_DAYS * DAY_US)
        try:
            self._write(self._rows.saved_draft(row))
        except GuardFailed:
            raise VersionConflict("It was changed meanwhile. Open it again.") from None

    def drop(self, seat: Seat, draft_id: str) -> None:
        """Throws an account's own draft away."""
        self._write(Row("portal_draft_drop", {"id": draft_id, "account": seat.signed.account}))

    def waiting(self, seat: Seat) -> Sequence[KeptDraft]:
        """Gives what this account has not sent yet, the newest first; only about persons in its reach."""
        found = []
        for row in self._rows.drafts(seat.signed.account, self._hub.clock(), _MOST):
            try:
                own_person(self._hub, seat.token, row.patient)
            except HubError:
                continue
            found.append(KeptDraft(row, draft_of(row.body)))
        return found

    @staticmethod
    def sent(kept: KeptDraft, task: str) -> Row:
        """Gives the row of the Change that sends it: it is sent once."""
        row = kept.row
        parameters: dict[str, int | str | bytes | None] = {
            "id": row.id,
            "account": row.account,
            "seen_version": row.version,
            "task": task,
        }
        return Row("portal_draft_sent", parameters, at_least_one=True)

    def works_for(self, organization: str) -> tuple[str, ...]:
        """Gives the purposes for which a recipient works."""
        return purposes_of(self.organization(organization))

    def purpose(self, draft: ReferralDraft) -> str:
        """Gives the purpose a permission for this referral is for."""
        return purpose_of(draft.kind, self.works_for(draft.recipient))

    def wanted(self, seat: Seat, draft_id: str) -> tuple[str, str, str] | None:
        """Gives what a permission is needed for: (recipient id, purpose, the person's public id); None without one.

        Raises:
            NotFound: see :meth:`own`.
        """
        kept = self.own(seat, draft_id)
        if not kept.draft.recipient or not kept.draft.category:
            return None
        return kept.draft.recipient, self.purpose(kept.draft), kept.patient

    def _write(self, row: Row) -> None:
        self._apply(Change(str(uuid.uuid4()), rows=(row,)))
