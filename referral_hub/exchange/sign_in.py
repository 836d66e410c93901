"""Rows of people who let software act for them: approvals, codes, refresh tokens, requests sent ahead, launches.

What lives here: what the store gives and the authorization server reads. What does not: SQL (``store.sign_in``),
who gets what (``auth``).

An approval that somebody gave at one moment is a *family*: the code, the access tokens and the refresh tokens that
come of it end with it. Times are microseconds since 1970 UTC.

Source: SMART App Launch 2.2; RFC 6749; RFC 9126; ``consent.md`` D-32 and D-33.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FamilyRow:
    """What one person allowed one software at one moment, and everything that came of it.

    ``context`` is user or patient. ``person`` and ``patient`` are row id and public id of the one person it is about.
    ``fhir_user`` is ``Practitioner/id`` or ``Patient/id``. ``task`` is the referral it was launched with. ``lasting``
    is empty, ``online`` or ``offline``. ``jkt`` is the thumbprint of the key it is bound to.
    """

    family: str
    oauth_client: str
    organization: str
    account: str
    context: str
    person: int | None
    patient: str
    scope: str
    purpose: str
    role: str
    fhir_user: str
    task: str
    very_restricted: bool
    auth_us: int
    acr: str
    amr: str
    lasting: str
    jkt: str
    created_us: int
    used_us: int
    ends_us: int
    revoked: bool


@dataclass(frozen=True, slots=True)
class CodeRow:
    """An authorization code: what it was bound to when it was given, and whether it was used."""

    digest: bytes
    redirect_uri: str
    challenge: str
    nonce: str
    expires_us: int
    used: bool
    family: FamilyRow


@dataclass(frozen=True, slots=True)
class RefreshRow:
    """A refresh token, and whether another one took its place."""

    digest: bytes
    issued_us: int
    expires_us: int
    used: bool
    family: FamilyRow


@dataclass(frozen=True, slots=True)
class PushedRow:
    """An authorization request that software sent ahead (RFC 9126); ``request`` is its parameters as JSON."""

    digest: bytes
    oauth_client: str
    request: str
    expires_us: int


@dataclass(frozen=True, slots=True)
class LaunchRow:
    """A launch out of the hub: for whom, with which person and referral."""

    digest: bytes
    oauth_client: str
    account: str
    organization: str
    person: int | None
    patient: str
    task: str
    expires_us: int


@dataclass(frozen=True, slots=True)
class ApprovedRow:
    """A software that an account approved, as the page that ends approvals shows it.

    ``used_us`` is when it last got a token; None where it never did. ``live`` counts approvals still in force.
    """

    oauth_client: str
    name: str
    organization: str
    organization_name: str
    scope: str
    approved_us: int
    used_us: int | None
    live: int


@dataclass(frozen=True, slots=True)
class AppRow:
    """What only software has that people sign in with; ``require_par``: its requests have to be sent ahead."""

    launch_url: str
    require_par: bool


@dataclass(frozen=True, slots=True)
class LaunchableRow:
    """A software that can be started out of the hub."""

    client_id: str
    name: str
    launch_url: str


@dataclass(frozen=True, slots=True)
class PersonInSight:
    """One person a member of staff may choose: row id, public id, and the words to recognise her by."""

    person: int
    patient: str
    label: str
