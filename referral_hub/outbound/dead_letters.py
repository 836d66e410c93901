"""Messages that were given up: another try, or the end, by somebody who knows why.

What lives here: both acts, each one Change with its line of the audit. What does not: sending (``outbound.delivery``),
the queue (``store.outbox``), what is shown of it (``exchange.administration``).

Whoever does this learns to whom a message was to go and what kind it is, never about whom or what it says.

Source: ``practice.md`` 12; ``consent.md`` D-36.
"""

import json
import secrets
from collections.abc import Callable

from referral_hub.errors import Conflict, GuardFailed, InvalidResource
from referral_hub.exchange.administration import GivenUp
from referral_hub.exchange.audit import DONE
from referral_hub.exchange.change import AuditEntry, Change, Row
from referral_hub.fhir.outcome import Issue

TOLD, NOT_NEEDED, LEFT = "told-otherwise", "not-needed", "partner-left"
REASONS = (TOLD, NOT_NEEDED, LEFT)
"""Why a message is never sent: a word of a list, so that nothing about anybody is written here."""


class DeadLetters:
    """Acts on messages that were given up. Safe for threads and processes.

    Args:
        apply: applies a Change.
        clock: the process clock, microseconds UTC.
    """

    def __init__(self, apply: Callable[[Change], None], clock: Callable[[], int]) -> None:
        self._apply = apply
        self._clock = clock

    def retry(self, letter: GivenUp, *, organization: str, by: str) -> None:
        """Lets a message be tried again, at its old place; consent is asked again before it leaves.

        Raises:
            Conflict: it is not given up any more (409).
        """
        at_us = self._clock()
        row = Row("outbox_requeue", {"sequence": letter.sequence, "not_before_us": at_us}, at_least_one=True)
        self._acted(row, letter, {"how": "retry"}, organization, by, at_us)

    def give_up(self, letter: GivenUp, reason: str, *, organization: str, by: str) -> None:
        """Ends a message; what it says is dropped, that it was not delivered stays.

        A partner that has to close a record is told in some way: a recall ends so only once that was done, or the
        partner has left.

        Raises:
            Conflict: it is not given up any more (409).
            InvalidResource: no such reason, or none for this kind (422).
        """
        allowed = reasons_for(letter.kind)
        if reason not in allowed:
            text = f"Say why, as one of: {', '.join(allowed)}."
            raise InvalidResource([Issue("error", "value", text, "reason")])
        at_us = self._clock()
        named: dict[str, int | str | bytes | None] = {
            "sequence": letter.sequence,
            "reason": reason,
            "at_us": at_us,
            "nothing": b"",
        }
        row = Row("outbox_give_up", named, at_least_one=True)
        self._acted(row, letter, {"how": "give-up", "reason": reason}, organization, by, at_us)

    def _acted(
        self, row: Row, letter: GivenUp, said: dict[str, str], organization: str, by: str, at_us: int
    ) -> None:
        line = AuditEntry(
            at_us=at_us,
            action="U",
            interaction="update",
            outcome=DONE,
            organization=organization,
            oauth_client="",
            user=by,
            purpose="",
            person=None,
            detail=json.dumps({**said, "message": letter.sequence}).encode("ascii"),
        )
        try:
            self._apply(Change(secrets.token_hex(16), rows=(row,), audit=(line,)))
        except GuardFailed:
            raise Conflict("This message is not given up any more.") from None


def reasons_for(kind: str) -> tuple[str, ...]:
    """Gives why a message of this kind may end unsent.

    >>> reasons_for("recall")
    ('told-otherwise', 'partner-left')
    """
    return tuple(reason for reason in REASONS if reason != NOT_NEEDED or kind != "recall")
