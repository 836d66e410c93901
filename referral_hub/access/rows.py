"""The rows that consents and referrals compile to: what SQL joins, and what its pure model reads.

What lives here: frozen row types. What does not: how a Consent becomes them (``access.grants``), how the
store keeps them (``store``). Times are integer microseconds since 1970 UTC; row ids never leave the hub.

Source: ``consent.md`` D-20, ``views.md`` 1 and 9.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class ReferralAccess:
    """What the state of one Task opens to one organisation: the row beside the Task (``views.md`` 1).

    ``level``: ``notice``, ``full``, ``history`` (closed). ``until_us``: when ``full`` of a closed Task becomes
    ``history``; None = no end of its own. ``nameless`` marks a no-name referral, which needs no release.
    ``back`` marks the requester's own row: what a return release opens to it. ``accepted`` tells whether the
    recipient ever accepted (the sender is shown under its own unit only then).
    """

    task: int
    organization: str
    person: int | None
    service_request: int | None
    level: Literal["notice", "full", "history"]
    until_us: int | None = None
    nameless: bool = False
    back: bool = False
    accepted: bool = False


@dataclass(frozen=True, slots=True)
class Grant:
    """One compiled line of a release: what one organisation may have of one person for one purpose.

    ``category`` is an information category, ``notice`` (every release has one such row) or empty where
    ``resource`` (``Type/id``) names a single instance. Valid in [valid_from_us, valid_until_us).
    """

    consent: int
    consent_id: str
    consent_version: str
    person: int
    organization: str
    purpose: str
    category: str
    resource: str
    very_restricted: bool
    valid_from_us: int
    valid_until_us: int
    data_from_us: int | None = None
    data_until_us: int | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """One compiled line of a refusal: whom it stops, and for what.

    ``target`` is a spelling of ``access.principal.refusal_targets`` (``*``, ``org:…``, ``kind:…``, ``gov:…``).
    Empty ``purpose``, ``category`` and ``resource`` mean any. ``at_least`` is the lowest confidentiality it
    stops (empty: all). Valid in [valid_from_us, valid_until_us); None = no bound.
    """

    consent: int
    person: int
    target: str
    purpose: str = ""
    category: str = ""
    resource: str = ""
    at_least: str = ""
    valid_from_us: int | None = None
    valid_until_us: int | None = None


@dataclass(frozen=True, slots=True)
class RefusalException:
    """One exception in a refusal: it silences that refusal for one organisation, purpose and instance.

    For the bare notice (category ``notice``) the instance does not matter: the notice goes with the letter.
    """

    consent: int
    person: int
    organization: str
    purpose: str
    resource: str
    valid_from_us: int | None = None
    valid_until_us: int | None = None


@dataclass(frozen=True, slots=True)
class CaseAssignment:
    """That an account works with a person: ``pending`` until a second person confirms it, ``active``, or ``ended``.

    ``asked_by`` and ``confirmed_by`` are accounts, or the OAuth client where an organisation's software did it.
    ``version`` counts its changes. Only an active one opens anything.
    """

    account: str
    person: int
    organization: str
    state: str
    version: int
    asked_by: str
    asked_us: int
    confirmed_by: str = ""
    changed_us: int = 0
