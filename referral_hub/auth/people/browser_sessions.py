"""Who sits at a browser: the session behind its cookie.

What lives here: the cookie and its digest, how long a session lives, what it is good for, its rows. What does not:
how somebody proves who she is (``auth.people.signing_in``), pages (``web``).

A session is read with every request; nothing of it is kept between two. So an account that was removed, paused or
lost its training has no session from that moment on.

Source: OWASP ASVS 5.0, V7 (sessions); NIST SP 800-63B-4, 5 (idle and absolute limits); ``practice.md`` 9, 10, 17.
"""

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from referral_hub.auth.people.ports import Apply, PeopleRows, SeenSession
from referral_hub.auth.people.standing import WHOLE, may_sign_in, role_standing, step_of
from referral_hub.errors import ConfigurationError
from referral_hub.exchange.accounts import PERSON, Account, BrowserSession
from referral_hub.exchange.change import Change, Row

MINUTE_US = 60_000_000
CONFIRMED_US = 5 * MINUTE_US
"""How long after a proof of identity a dangerous act needs no new one."""
SEEN_EVERY_US = MINUTE_US
"""A session is marked as used at most this often; so it ends up to a minute earlier, never later."""
PERSON_IDLE_MOST = 10
"""Minutes that her own session may rest at most, whatever a setting says."""

_COOKIE = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Lifetime:
    """How long a session lives, in minutes: without being used, and altogether."""

    idle: int
    most: int


LIFETIMES: Mapping[str, Lifetime] = {
    "caseworker": Lifetime(30, 600),
    "supervisor": Lifetime(30, 600),
    "clinician": Lifetime(30, 600),
    "lawyer": Lifetime(30, 600),
    "intake": Lifetime(30, 720),
    "coordinator": Lifetime(15, 480),
    "evaluator": Lifetime(15, 480),
    PERSON: Lifetime(10, 60),
}
"""By role; a setting may name others. What a role lacks here has the shortest."""
_SHORTEST = Lifetime(10, 60)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody who signed in wholly, and may be shown what the gate opens to her.

    Args:
        account: id of the account.
        organization: id of its organisation.
        kind: ``staff`` or ``person``.
        role: the active role; empty for a person.
        practitioner: public id of the Practitioner, or empty.
        person: row id of her own record, None for staff.
        patient: public id of her own record, empty for staff.
        methods: how she was proven, codes of RFC 8176 (the ``amr`` of an ID token).
        signed_in_us: when she signed in.
        confirmed_us: when she was last proven; a dangerous act wants it younger than ``CONFIRMED_US``.
    """

    account: str
    organization: str
    kind: str
    role: str
    practitioner: str
    person: int | None
    patient: str
    methods: tuple[str, ...]
    signed_in_us: int
    confirmed_us: int

    def is_confirmed(self, at_us: int) -> bool:
        """Tells whether who sits there was proven just now, as a dangerous act needs it."""
        return at_us - self.confirmed_us < CONFIRMED_US


@dataclass(frozen=True, slots=True)
class Policy:
    """What a network decided about sessions and second factors.

    Args:
        second_needed: staff need a second factor before anything of a person is shown.
        lifetimes: of the sessions, by role.
    """

    second_needed: bool = True
    lifetimes: Mapping[str, Lifetime] = field(default_factory=dict)

    def lifetime(self, account: Account) -> Lifetime:
        """Gives how long sessions of this account live."""
        name = PERSON if account.kind == PERSON else account.role
        found = self.lifetimes.get(name) or LIFETIMES.get(name, _SHORTEST)
        return Lifetime(min(found.idle, PERSON_IDLE_MOST), found.most) if name == PERSON else found


def session_cookie_name(*, secure: bool) -> str:
    """Gives the name of the session cookie: on https a name that no sister domain can set.

    >>> session_cookie_name(secure=True)
    '__Host-hub'
    """
    return "__Host-hub" if secure else "hub"


def policy_of(session_minutes: Mapping[str, tuple[int, int]], *, second_needed: bool) -> Policy:
    """Gives the policy that two settings say.

    Raises:
        ConfigurationError: a lifetime is given for something that is no role.
    """
    unknown = sorted(session_minutes.keys() - LIFETIMES.keys())
    if unknown:
        raise ConfigurationError(
            f"REFERRAL_HUB_SESSION_MINUTES names {unknown[0]!r}, which is none of {', '.join(LIFETIMES)}."
        )
    lifetimes = {role: Lifetime(idle, most) for role, (idle, most) in session_minutes.items()}
    return Policy(second_needed=second_needed, lifetimes=lifetimes)


def new_cookie() -> tuple[str, bytes]:
    """Gives a fresh cookie value of 256 random bits, and the digest to keep of it.

    >>> value, digest = new_cookie()
    >>> cookie_digest(value) == digest, cookie_digest("x")
    (True, None)
    """
    value = secrets.token_urlsafe(32)
    return value, hashlib.sha256(value.encode()).digest()


def cookie_digest(value: str | None) -> bytes | None:
    """Gives the digest of a cookie value; None for what is none of ours."""
    if value is None or not _COOKIE.fullmatch(value):
        return None
    return hashlib.sha256(value.encode()).digest()


def is_live(seen: SeenSession | None, at_us: int) -> bool:
    """Tells whether a session may still be used at all, whole or not."""
    if seen is None or not may_sign_in(seen.account, organization_active=seen.organization_active):
        return False
    session = seen.session
    return at_us < session.ends_us and at_us < session.seen_us + session.idle_us


class BrowserSessions:
    """Finds out who sits at a browser.

    Args:
        rows: the store.
        apply: applies a Change.
        policy: what the network decided.
    """

    def __init__(self, rows: PeopleRows, apply: Apply, policy: Policy) -> None:
        self._rows = rows
        self._apply = apply
        self.policy = policy

    def signed_in(self, cookie_value: str | None, at_us: int, *, used: bool = True) -> SignedIn | None:
        """Gives who signed in wholly in this browser; None for nobody, or while a step is missing.

        Args:
            cookie_value: the value of the session cookie, or None.
            at_us: now, microseconds UTC.
            used: somebody does something; a page that refreshes itself keeps no session alive.
        """
        seen = self.seen(cookie_value, at_us, used=used)
        if seen is None or self.step(seen, at_us) != WHOLE:
            return None
        account, session = seen.account, seen.session
        return SignedIn(
            account.id,
            account.organization,
            account.kind,
            account.role,
            account.practitioner,
            account.person,
            account.patient,
            session.methods,
            session.signed_in_us,
            session.confirmed_us,
        )

    def is_active(self, account_id: str, at_us: int) -> bool:
        """Tells whether an account may still act: not removed or paused, and a member of staff in an active role.

        Asked again where software acts for somebody who is not at the browser any more (code exchange, refresh).
        """
        account = self._rows.account(account_id)
        if account is None:
            return False
        active = self._rows.is_organization_active(account.organization)
        if not may_sign_in(account, organization_active=active):
            return False
        return account.kind == PERSON or (not account.one_time and role_standing(account, at_us).active)

    def seen(self, cookie_value: str | None, at_us: int, *, used: bool = True) -> SeenSession | None:
        """Gives the live session of this browser, whole or not, and marks it as used where somebody does something."""
        digest = cookie_digest(cookie_value)
        seen = None if digest is None else self._rows.session(digest)
        if seen is None or not is_live(seen, at_us):
            return None
        if used and at_us - seen.session.seen_us >= SEEN_EVERY_US:
            row = Row("browser_session_seen", {"digest": seen.session.digest, "seen_us": at_us})
            self._apply(Change(secrets.token_hex(16), rows=(row,)))
        return seen

    def step(self, seen: SeenSession, at_us: int) -> str:
        """Gives the step this sign-in still lacks (``auth.people.standing``)."""
        return step_of(
            seen.account,
            seen.session.methods,
            at_us,
            has_second=seen.has_second,
            second_needed=self.policy.second_needed,
        )

    def session_row(
        self, account: Account, digest: bytes, methods: tuple[str, ...], device: bytes, at_us: int
    ) -> Row:
        """Gives the row of a fresh session."""
        lifetime = self.policy.lifetime(account)
        return Row(
            "browser_session_insert",
            {
                "digest": digest,
                "account": account.id,
                "created_us": at_us,
                "signed_in_us": at_us,
                "confirmed_us": at_us,
                "seen_us": at_us,
                "idle_us": lifetime.idle * MINUTE_US,
                "ends_us": at_us + lifetime.most * MINUTE_US,
                "methods": " ".join(methods),
                "device": device.hex(),
            },
        )


def ended(session: BrowserSession) -> Row:
    """Gives the row that ends one session."""
    return Row("browser_session_end", {"digest": session.digest})
