"""What the hub keeps of those who sign in: accounts, browser sessions, and what they sign in with.

What lives here: the rows, as the store reads them and the sign-in works with them. What does not: the rules
(``auth.people``), SQL and sealing (``store.accounts``), what an account may see (``exchange.gate``).

Times are integer microseconds since 1970 UTC; 0 means never.

Source: ``interfaces.md`` 2 (accounts, roles); ``practice.md`` 10, 12 and 17.
"""

from dataclasses import dataclass

STAFF, PERSON = "staff", "person"
ROLES = ("caseworker", "supervisor", "coordinator", "clinician", "lawyer", "intake", "evaluator")
"""The roles of staff, as the command line names them; the account of a person has none."""

ACTIVE, PAUSED, REMOVED = "active", "paused", "removed"
TOTP, PASSKEY, RECOVERY = "totp", "passkey", "recovery"


@dataclass(frozen=True, slots=True)
class Account:
    """One human's account: of a member of staff in one role, or of the person herself.

    ``login`` is kept sealed and found by its keyed digest; it is never in the database in clear. ``state`` is
    active, paused (contact with her is lost) or removed. ``one_time``: the password was handed over and has to be
    changed; it ends at ``one_time_until_us``; ``given_by`` is the account that handed it over, if one did.
    """

    id: str
    version: int
    organization: str
    kind: str
    role: str
    practitioner: str
    person: int | None
    patient: str
    state: str
    password_hash: str
    password_us: int
    one_time: bool
    one_time_until_us: int
    trained_until_us: int
    authorised_by: str
    on_call_from_us: int
    on_call_until_us: int
    unlocked_until_us: int
    my_set_up_us: int
    created_us: int
    removed_us: int
    given_by: str = ""


@dataclass(frozen=True, slots=True)
class BrowserSession:
    """One browser in which somebody signed in, wholly or in part.

    ``methods`` are codes of RFC 8176 (``pwd``, ``otp``, ``hwk``, ``user``, …). ``idle_us`` is how long it may rest,
    ``ends_us`` when it ends whatever is done, ``confirmed_us`` when who sits there was last proven.
    """

    digest: bytes
    account: str
    created_us: int
    signed_in_us: int
    confirmed_us: int
    seen_us: int
    idle_us: int
    ends_us: int
    methods: tuple[str, ...]
    device: str


@dataclass(frozen=True, slots=True)
class Factor:
    """Something an account proves itself with beside its password, its secret opened.

    ``counter``: the last time step of a TOTP, the signature count of a passkey. ``used_us`` of a recovery code is
    not 0 once it was spent. ``label`` is what the owner called it.
    """

    id: str
    account: str
    kind: str
    handle: bytes
    secret: bytes
    counter: int
    label: str
    created_us: int
    used_us: int


@dataclass(frozen=True, slots=True)
class KnownDevice:
    """A browser in which this account signed in wholly once, known by the digest of its cookie."""

    digest: bytes
    account: str
    created_us: int
    used_us: int
    expires_us: int


@dataclass(frozen=True, slots=True)
class Attempts:
    """How often somebody failed under one key, and when the next attempt is let through."""

    key: str
    failures: int
    last_us: int
    next_us: int


@dataclass(frozen=True, slots=True)
class IdentityProvider:
    """An outside OpenID Connect provider of one organisation, as it was registered; its secret opened.

    ``origin`` is where its sign-in page is: browsers are sent nowhere else.
    """

    id: str
    organization: str
    issuer: str
    client_id: str
    secret: str
    name: str
    origin: str
    active: bool


@dataclass(frozen=True, slots=True)
class Identity:
    """An account's name at an outside provider, linked by an explicit act."""

    provider: str
    subject: str
    account: str
    created_us: int
