"""Rows of what pages keep: referrals in the making, and ways to a referral for who has no account.

What lives here: frozen shapes. What does not: storing and sealing (``store.portal_rows``), the rules
(``casework.referral_drafts``, ``auth.people.referral_links``).
"""

from dataclasses import dataclass

LETTER, SPOKEN, BROWSER, CALL_BACK = "letter", "spoken", "browser", "call-back"
"""Kinds of ways: written in a letter, read out by phone, the cookie of a browser; and what names it to its sender."""


@dataclass(frozen=True, slots=True)
class DraftRow:
    """A referral that an account is writing.

    Args:
        id: random.
        account: whose it is; nobody else opens it.
        organization: of the account.
        person: row id of the Patient; ``patient`` her public id.
        version: counts saves, so that two windows do not overwrite each other.
        body: what was written, as JSON; empty once it was sent.
        task: public id of the Task it became; empty until then.
        changed_us: when it was saved last, microseconds UTC; ``ends_us`` when it goes.
    """

    id: str
    account: str
    organization: str
    person: int
    patient: str
    version: int
    body: bytes
    task: str
    changed_us: int
    ends_us: int


@dataclass(frozen=True, slots=True)
class LinkRow:
    """A way to one referral: only its keyed digest is kept.

    Args:
        digest: keyed digest of the code.
        kind: ``LETTER``, ``SPOKEN``, ``BROWSER`` or ``CALL_BACK``.
        task: public id of the Task; ``person`` row id of whom it is about.
        organization: the recipient, for whom it opens.
        sender: the organisation that gave it out; ``account`` who did.
        made_us: when; ``ends_us`` when it is worth nothing any more, microseconds UTC.
    """

    digest: str
    kind: str
    task: str
    person: int
    organization: str
    sender: str
    account: str
    made_us: int
    ends_us: int
