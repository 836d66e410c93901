"""Which scopes an approval page offers, and what is left of them when the boxes were ticked.

What lives here: arithmetic of scopes for people who sign in with software. What does not: the arithmetic of software
alone (``auth.grants``), the words on the page (``texts``).

Nothing is ever added: what is offered is a part of what was registered and asked for, what is granted a part of what
was offered.

Source: SMART App Launch 2.2, scopes and launch context; ``views.md`` 7; ``consent.md`` 0.3, O-03 and 10.7.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from referral_hub.access.scopes import Scope, ScopeSet, granted_scopes

OFFLINE, ONLINE = "offline_access", "online_access"
LAUNCH, LAUNCH_PATIENT = "launch", "launch/patient"
OPENID, FHIR_USER, PROFILE = "openid", "fhirUser", "profile"
OTHER_SCOPES = (OPENID, FHIR_USER, PROFILE, LAUNCH, LAUNCH_PATIENT, OFFLINE, ONLINE)
"""Every scope beside those of resources that a software can be registered for."""

_FIXED = frozenset({OPENID, LAUNCH, LAUNCH_PATIENT})


@dataclass(frozen=True, slots=True)
class OfferedScope:
    """One line of the approval page.

    Args:
        text: the scope as the token would carry it.
        fixed: it comes with the approval and cannot be left out.
        ticked: whether its box is ticked before anybody touches it.
        resource: the scope in parts, None for the others.
    """

    text: str
    fixed: bool
    ticked: bool
    resource: Scope | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """What one person is offered to allow.

    ``needs_person`` tells that a person has to be chosen, because the token is about one.
    """

    lines: tuple[OfferedScope, ...]
    needs_person: bool

    @property
    def opens_nothing(self) -> bool:
        """Tells that neither data nor a sign-in would come of it."""
        return not any(line.resource is not None or line.text == OPENID for line in self.lines)

    @property
    def scope(self) -> str:
        """Gives the whole offer as a scope text."""
        return " ".join(line.text for line in self.lines)

    def granted(self, ticked: Collection[str]) -> str:
        """Gives the scope that is granted: what is fixed, and what was ticked; never more than the offer.

        Left alone, ``fhirUser`` and ``profile`` fall with ``openid``, and the words that make a token last fall
        where nothing is left for it to open.
        """
        kept = [line for line in self.lines if line.fixed or line.text in ticked]
        texts = {line.text for line in kept}
        opens = any(line.resource is not None for line in kept)
        dropped = set() if OPENID in texts else {FHIR_USER, PROFILE}
        if not opens:
            dropped |= {OFFLINE, ONLINE, LAUNCH, LAUNCH_PATIENT}
        if OFFLINE in texts:
            dropped.add(ONLINE)
        return " ".join(line.text for line in kept if line.text not in dropped)


def offered(
    registered: ScopeSet,
    requested: ScopeSet,
    *,
    kind: str,
    has_practitioner: bool,
    launched_about: bool,
    is_launched: bool,
    floor: Mapping[str, str],
    backed: Collection[str],
) -> Offer:
    """Gives what a signed-in account may be offered.

    Args:
        registered: the registration of the software.
        requested: what it asks for.
        kind: ``staff`` or ``person``.
        has_practitioner: there is a resource that says who the member of staff is.
        launched_about: the launch out of the hub names a person.
        is_launched: the software was started out of the hub.
        floor: letters by type that closing the loop needs.
        backed: types with something behind them for the organisation.

    ``user/`` scopes are for staff. ``patient/`` scopes are for the person herself, and for staff about one person whom
    they choose; a token that is about one person other than who signed in never outlasts the sign-in.
    """
    is_staff = kind == "staff"
    every = {scope.type for scope in registered.scopes}
    granted = granted_scopes(registered, requested, floor=floor, backed_types=backed if is_staff else every)
    contexts = {"user", "patient"} if is_staff else {"patient"}
    resources = [scope for scope in granted.scopes if scope.context in contexts and not scope.constraints]
    about_one = any(scope.context == "patient" for scope in resources) or LAUNCH_PATIENT in granted.other
    chosen = is_staff and (about_one or launched_about)
    other = set(granted.other) & set(OTHER_SCOPES)
    if not is_launched:
        other.discard(LAUNCH)
    if OPENID not in other or (is_staff and not has_practitioner):
        other -= {FHIR_USER, PROFILE}
    if chosen:
        other.discard(OFFLINE)
    lines = [
        *(OfferedScope(scope.text(), fixed=False, ticked=True, resource=scope) for scope in resources),
        *(
            OfferedScope(name, fixed=name in _FIXED, ticked=name not in (OFFLINE, ONLINE))
            for name in OTHER_SCOPES
            if name in other
        ),
    ]
    return Offer(tuple(lines), needs_person=chosen and not launched_about)


def is_within(wanted: str, approved: str) -> bool:
    """Tells whether everything wanted was approved before.

    >>> is_within("user/Task.rs openid", "openid user/Task.rus"), is_within("user/Task.cruds", "user/Task.rs")
    (True, False)
    """
    asked, held = ScopeSet.parse(wanted), ScopeSet.parse(approved)
    return set(asked.other) <= set(held.other) and all(
        held.covers(scope.type, letter, scope.context)  # type: ignore[arg-type]  # the grammar knows three
        for scope in asked.scopes
        for letter in scope.letters
    )


def still_registered(scope: str, registered: str) -> str:
    """Gives what is left of a granted scope when the registration of the software became smaller.

    >>> still_registered("user/Task.rus offline_access", "user/Task.rs offline_access")
    'user/Task.rs offline_access'
    """
    kept = ScopeSet.parse(registered)
    every = {found.type for found in kept.scopes}
    return granted_scopes(kept, ScopeSet.parse(scope), floor={}, backed_types=every).text()


def narrowed(scope: str, wanted: str) -> str | None:
    """Gives the part of a granted scope that a refresh asks for; None where it asks for more than was granted.

    Source: RFC 6749 6.

    >>> narrowed("user/Task.rus openid", "user/Task.rs"), narrowed("user/Task.rs", "user/Patient.rs")
    ('user/Task.rs', None)
    """
    if not is_within(wanted, scope):
        return None
    return ScopeSet.parse(wanted).text()


def lasting_of(scope: str) -> str:
    """Gives ``offline``, ``online``, or an empty text: how long refresh tokens of this scope are given.

    >>> lasting_of("user/Task.rs offline_access"), lasting_of("openid")
    ('offline', '')
    """
    names = scope.split(" ")
    return "offline" if OFFLINE in names else "online" if ONLINE in names else ""
