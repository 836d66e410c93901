"""Links for recipients without an account: given out by the sender, opened with a button, used up by the answer.

What lives here: their lives. What does not: pages (``web.portal.link``), letters (``adapters.mail``), the token they
act through (``auth.people.referral_tokens``), what a withdrawal ends (``exchange.revoked_tokens``).

Three kinds of code, each kept as a keyed digest only and good for one referral and its recipient. The one in a letter
has 256 bits; opening it gives the browser a cookie and uses nothing up, since gateways open what they carry. The one
read out by phone is shorter, lives two hours and opens once; guessing is slowed as guessing of passwords is. The
answer uses up every code but the cookie of the browser that gave it: with a yes it goes on to open what the permission
names, and nobody who finds the letter later opens anything. A code that is unknown, over, used or withdrawn is one
answer, None.

Source: ``practice.md`` 1 and 17; ``referral-loop.md`` Part A row 5; NIST SP 800-63B-4, 3.1.2.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from referral_hub.auth.people.codes import ALPHABET, GROUP, folded, new_code
from referral_hub.auth.people.ports import Apply
from referral_hub.auth.people.referral_tokens import ReferralTokens
from referral_hub.auth.people.throttle import Browser, Throttle
from referral_hub.errors import GuardFailed, NotFound
from referral_hub.exchange.audit import DONE
from referral_hub.exchange.change import AuditEntry, Change, Row
from referral_hub.exchange.portal_rows import BROWSER, CALL_BACK, LETTER, SPOKEN, LinkRow
from referral_hub.exchange.referral_ways import ReferralWays, Way

HOUR_US = 3600 * 1_000_000
DAY_US = 24 * HOUR_US
LIVES_US = {LETTER: 14 * DAY_US, SPOKEN: 2 * HOUR_US, BROWSER: 8 * HOUR_US, CALL_BACK: 120 * DAY_US}
"""How long each kind lasts at most."""
ANSWERED_US = 90 * DAY_US
"""How long the browser that said yes goes on at most; what it opens ends with the permission."""
SPOKEN_GROUPS = 3
"""Groups of a code read out by phone: 12 letters, 55 bits."""
CALL_BACK_GROUPS = 2

Digest = Callable[[str, str], str]
"""Gives the keyed digest of a text for a purpose."""


class LinkRows(Protocol):
    """The store as this room sees it."""

    def link(self, digest: str) -> LinkRow | None:
        """Gives the way of this digest, over or not."""

    def links(self, task: str, at_us: int) -> list[LinkRow]:
        """Gives the ways to a referral that are not over."""


@dataclass(frozen=True, slots=True)
class LinkSeat:
    """Somebody who opened a link, and the token digest by which the hub knows the caller.

    Args:
        link: the row of the browser.
        token: every interaction takes it like that of software.
        way: what the referral opens.
    """

    link: LinkRow
    token: bytes
    way: Way


class ReferralLinks:
    """Gives out, opens and ends links. Safe for threads and processes.

    Args:
        rows: the store.
        digest: keyed digests of codes.
        apply: applies a Change.
        ways: finds out what a referral opens.
        tokens: gives the token a link acts through.
        throttle: slows guessing.
    """

    def __init__(
        self,
        rows: LinkRows,
        digest: Digest,
        apply: Apply,
        ways: ReferralWays,
        tokens: ReferralTokens,
        throttle: Throttle,
    ) -> None:
        self._rows = rows
        self._digest = digest
        self._apply = apply
        self._ways = ways
        self._tokens = tokens
        self._throttle = throttle

    # --- what the sender does --------------------------------------------------------------------------------

    def give(self, task: str, kind: str, sender: str, account: str, at_us: int) -> str:
        """Gives a fresh code for the recipient of a referral; whoever calls has shown that it is the sender's own.

        Args:
            task: public id of the Task.
            kind: ``LETTER`` or ``SPOKEN``.
            sender: the organisation that gives it out; ``account`` who does.
            at_us: now, microseconds UTC.

        Raises:
            NotFound: the referral opens nothing to its recipient now.
        """
        way = self._ways.of(task, at_us)
        if way is None:
            raise NotFound
        code = secrets.token_urlsafe(32) if kind == LETTER else new_code(SPOKEN_GROUPS)
        row = self._row(kind, code, way, sender, account, at_us)
        self._apply(Change(secrets.token_hex(16), rows=(_insert(row),), audit=(_line(row, way, at_us),)))
        return code

    def drop(self, code: str) -> None:
        """Takes back a code whose letter did not leave."""
        digest = self._digest("referral-link", code)
        self._apply(Change(secrets.token_hex(16), rows=(Row("portal_link_use", {"digest": digest}),)))

    def call_back(self, task: str, person: int, recipient: str, sender: str, account: str, at_us: int) -> str:
        """Gives the code by which a recipient names a referral when it phones; the same whenever it is asked for.

        It opens nothing: it leads the sender's own staff to what they may see anyhow.
        """
        code = _letters(self._digest("call-back-code", f"{sender}/{task}"))
        way = Way(task, person, "", recipient)
        row = self._row(CALL_BACK, f"{sender}/{code}", way, sender, account, at_us)
        self._apply(Change(secrets.token_hex(16), rows=(_insert(row),)))
        return code

    def called_back(self, typed: str, sender: str, at_us: int) -> str:
        """Gives the Task that a code names to the organisation that gave it out; empty for any other."""
        letters = folded(typed)
        code = "-".join(letters[place : place + 4] for place in range(0, len(letters), 4))
        row = self._live(f"{sender}/{code}", CALL_BACK, at_us)
        return row.task if row is not None and row.sender == sender else ""

    # --- what the recipient does -------------------------------------------------------------------------------

    def opened(self, code: str, at_us: int) -> str | None:
        """Gives the secret of a browser that opened the link of a letter; the letter stays good until the answer."""
        row = self._live(code, LETTER, at_us)
        return None if row is None else self._begin(row, at_us)

    def opened_by_voice(self, typed: str, browser: Browser, at_us: int) -> str | None:
        """Gives the secret of a browser in which a code was typed that was read out by phone; the code is used up.

        Raises:
            Refused: too many wrong ones came from there: wait.
        """
        code = folded(typed)
        spelled = "-".join(code[place : place + 4] for place in range(0, len(code), 4))
        taken = self._throttle.take(self._throttle.keys(self._digest("spoken", code), browser, ""), at_us)
        row = self._live(spelled, SPOKEN, at_us)
        if row is None:
            return None
        used = Row("portal_link_use", {"digest": row.digest}, at_least_one=True)
        try:
            return self._begin(row, at_us, (used, *self._throttle.right(taken, at_us)))
        except GuardFailed:
            return None  # somebody else used it in the same moment

    def seat(self, secret: str, at_us: int) -> LinkSeat | None:
        """Gives the seat of a browser that opened a link; None where it is over, used up or withdrawn."""
        row = self._live(secret, BROWSER, at_us)
        way = None if row is None else self._ways.of(row.task, at_us)
        if row is None or way is None or (way.organization, way.person) != (row.organization, row.person):
            return None
        return LinkSeat(row, self._tokens.of(way, row.digest, at_us), way)

    def leave(self, secret: str) -> None:
        """Ends a browser's own way."""
        digest = self._digest("referral-link", secret)
        self._apply(Change(secrets.token_hex(16), rows=(Row("portal_link_use", {"digest": digest}),)))

    @staticmethod
    def answered(seat: LinkSeat, at_us: int, *, goes_on: bool) -> tuple[Row, ...]:
        """Gives the rows of the Change that answers: every other code is used up, and after a no this one too.

        Args:
            seat: who answered.
            at_us: now, microseconds UTC.
            goes_on: the answer was yes, or a question.
        """
        link = seat.link
        if not goes_on:
            return (Row("portal_link_end_others", {"task": link.task, "digest": ""}),)
        return (
            Row(
                "portal_link_last", {"digest": link.digest, "ends_us": at_us + ANSWERED_US}, at_least_one=True
            ),
            Row("portal_link_end_others", {"task": link.task, "digest": link.digest}),
        )

    # --- inside ----------------------------------------------------------------------------------------------

    def _live(self, code: str, kind: str, at_us: int) -> LinkRow | None:
        row = self._rows.link(self._digest("referral-link", code)) if code else None
        return row if row is not None and row.kind == kind and at_us < row.ends_us else None

    def _begin(self, row: LinkRow, at_us: int, rows: tuple[Row, ...] = ()) -> str | None:
        way = self._ways.of(row.task, at_us)
        if way is None or (way.organization, way.person) != (row.organization, row.person):
            return None
        secret = secrets.token_urlsafe(32)
        begun = self._row(BROWSER, secret, way, row.sender, row.account, at_us)
        self._apply(Change(secrets.token_hex(16), rows=(*rows, _insert(begun))))
        return secret

    def _row(self, kind: str, code: str, way: Way, sender: str, account: str, at_us: int) -> LinkRow:
        digest = self._digest("referral-link", code)
        ends_us = at_us + LIVES_US[kind]
        return LinkRow(digest, kind, way.task, way.person, way.organization, sender, account, at_us, ends_us)


def _insert(row: LinkRow) -> Row:
    return Row("portal_link_insert", {name: getattr(row, name) for name in LinkRow.__dataclass_fields__})


def _letters(digest: str) -> str:
    """Gives the letters of a code out of a digest, in groups of four."""
    number = int(digest.removeprefix("#"), 16)
    letters = []
    for _ in range(CALL_BACK_GROUPS * GROUP):
        number, place = divmod(number, len(ALPHABET))
        letters.append(ALPHABET[place])
    text = "".join(letters)
    return "-".join(text[place : place + GROUP] for place in range(0, len(text), GROUP))


def _line(row: LinkRow, way: Way, at_us: int) -> AuditEntry:
    return AuditEntry(
        at_us=at_us,
        action="E",
        interaction="oauth-token",
        outcome=DONE,
        organization=row.sender,
        oauth_client="link",
        user=row.account,
        purpose=way.purpose,
        person=row.person,
        consents=tuple(f"{consent}/{version}" for consent, version in way.consents),
        reason=row.kind,
    )
