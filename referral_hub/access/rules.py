"""A Consent after it was read: permits, denies and exceptions as sets and numbers, ready to be compared.

What lives here: the frozen form and what each part matches. What does not: reading a Consent
(``access.provisions``), the rules for writing one (``access.authoring``), putting several together
(``access.decision``), and the rows in the store (``access.grants``).

Every condition of one rule must hold; inside a condition one of its values is enough; None means
unconstrained. Where a fact is missing a permit does not match and a deny does.

Source: ``consent.md`` 1.2 (matches), C-09 to C-20; ``views.md`` 9.
"""

from dataclasses import dataclass
from typing import Literal

from referral_hub.access.categories import NOTICE, OWN, VERY_RESTRICTED
from referral_hub.access.emergency import OPENING
from referral_hub.access.facts import RESTRICTED, VERY, Request

Kind = Literal["release", "refusal", ""]
"""The shape of a Consent; empty for an import, which has none."""

ACCESS_ONLY: frozenset[str] = frozenset({"access"})
_UNKNOWN_CATEGORIES = frozenset({"", VERY_RESTRICTED})


@dataclass(frozen=True, slots=True)
class Permit:
    """A nested permit: whom it lets have what, for which purposes, in [from_us, until_us).

    Args:
        path: the place of the provision in the Consent.
        organizations: ids of the units it names; never their parents or sisters.
        purposes: bare codes.
        from_us: microseconds since 1970 UTC.
        until_us: likewise; already one second before the written end.
        actions: codes of consentaction; a provision that names none permits ``access`` alone.
        ceiling: rank of the highest confidentiality it opens.
        sensitivities: where it lists any, all that a resource may carry.
        categories: information categories; with ``types`` empty and this None it is not limited by class.
        types: FHIR types (imports only).
        instances: ``Type/id`` of single instances.
        authors: organisation ids whose records it opens (imports only).
        data_from_us: where it is limited to a time that the data tell of, the beginning.
        data_until_us: likewise the end.
    """

    path: str
    organizations: frozenset[str]
    purposes: frozenset[str]
    from_us: int
    until_us: int
    actions: frozenset[str] = ACCESS_ONLY
    ceiling: int = RESTRICTED
    sensitivities: frozenset[str] | None = None
    categories: frozenset[str] | None = None
    types: frozenset[str] = frozenset()
    instances: frozenset[str] | None = None
    authors: frozenset[str] = frozenset()
    data_from_us: int | None = None
    data_until_us: int | None = None

    @property
    def opens_very_restricted(self) -> bool:
        """Tells whether V is named, or single instances are, which opens their V as well."""
        return self.ceiling >= VERY

    def matches(self, request: Request, at_us: int) -> bool:
        """Tells whether this permit covers the request at this moment.

        The bare notice is covered whatever the categories and instances: it goes with every release.
        """
        return self.from_us <= at_us < self.until_us and self.concerns(request)

    def concerns(self, request: Request) -> bool:
        """Tells whether it would cover the request were it in force."""
        if (
            request.organization.id not in self.organizations
            or request.purpose not in self.purposes
            or request.action not in self.actions
        ):
            return False
        resource = request.resource
        category = resource.category
        if category == NOTICE:
            return self.ceiling >= RESTRICTED and request.purpose != OPENING
        if category == OWN or resource.rank > self.ceiling:
            return False
        if (
            self.categories is not None
            and category not in self.categories
            and resource.type not in self.types
        ):
            return False
        if self.sensitivities is not None and not resource.sensitivities <= self.sensitivities:
            return False
        return self._data_matches(request)

    def _data_matches(self, request: Request) -> bool:
        resource = request.resource
        if (
            self.instances is not None
            and self.instances.isdisjoint(resource.names)
            and resource.author not in self.authors
        ):
            return False
        if self.data_from_us is None and self.data_until_us is None:
            return True
        start, end = resource.data_from_us, resource.data_until_us
        if start is None or end is None:
            return False
        return (self.data_from_us is None or self.data_from_us <= start) and (
            self.data_until_us is None or (start < self.data_until_us and end <= self.data_until_us)
        )


@dataclass(frozen=True, slots=True)
class Deny:
    """A deny: whom it stops from what. With no condition at all it stops everybody from everything.

    Args:
        path: the place of the provision in the Consent.
        targets: spellings of ``access.principal.refusal_targets``; None for everybody.
        purposes: bare codes.
        from_us: microseconds since 1970 UTC; None for no beginning.
        until_us: likewise for no end.
        actions: codes of consentaction.
        at_least: rank of the lowest confidentiality it stops.
        sensitivities: tags of which any one is enough.
        categories: information categories.
        types: FHIR types (imports only).
        codes: ``system|code`` of which any one is enough (imports only).
        instances: ``Type/id`` of single instances.
        dependents: ``Type/id`` whose referrers are stopped too (imports only).
        authors: organisation ids whose records it stops (imports only).
        data_from_us: where it is limited to a time that the data tell of, the beginning.
        data_until_us: likewise the end.
    """

    path: str
    targets: frozenset[str] | None = None
    purposes: frozenset[str] | None = None
    from_us: int | None = None
    until_us: int | None = None
    actions: frozenset[str] | None = None
    at_least: int | None = None
    sensitivities: frozenset[str] | None = None
    categories: frozenset[str] | None = None
    types: frozenset[str] = frozenset()
    codes: frozenset[str] | None = None
    instances: frozenset[str] | None = None
    dependents: frozenset[str] = frozenset()
    authors: frozenset[str] = frozenset()
    data_from_us: int | None = None
    data_until_us: int | None = None

    @property
    def narrows_data(self) -> bool:
        """Tells whether it stops some of the data only; such a deny leaves the bare notice alone."""
        return self.categories is not None or self.instances is not None

    def matches(self, request: Request, at_us: int) -> bool:
        """Tells whether this deny stops the request at this moment."""
        if (self.from_us is not None and at_us < self.from_us) or (
            self.until_us is not None and at_us >= self.until_us
        ):
            return False
        reached = request.refusal_targets
        if self.targets is not None and reached and self.targets.isdisjoint(reached):
            return False
        if (
            self.purposes is not None
            and request.purpose not in ("", OPENING)  # a refusal for any purpose holds in an emergency too
            and request.purpose not in self.purposes
        ):
            return False
        if self.actions is not None and request.action not in self.actions:
            return False
        if request.resource.category == NOTICE:
            return not self.narrows_data and self._labels_match(request)
        return (
            self._class_matches(request)
            and self._labels_match(request)
            and self._data_matches(request)
            and self._time_matches(request)
        )

    def _class_matches(self, request: Request) -> bool:
        resource = request.resource
        unknown = resource.category in _UNKNOWN_CATEGORIES
        if (
            self.categories is not None
            and not unknown
            and resource.category not in self.categories
            and resource.type not in self.types
        ):
            return False
        return (
            self.codes is None or unknown or not resource.codes or not self.codes.isdisjoint(resource.codes)
        )

    def _labels_match(self, request: Request) -> bool:
        if self.at_least is None and self.sensitivities is None:
            return True
        resource = request.resource
        if resource.category in _UNKNOWN_CATEGORIES:
            return True
        if self.at_least is not None and resource.rank >= self.at_least:
            return True
        return self.sensitivities is not None and not self.sensitivities.isdisjoint(resource.sensitivities)

    def _data_matches(self, request: Request) -> bool:
        if self.instances is None:
            return True
        resource = request.resource
        return (
            not self.instances.isdisjoint(resource.names)
            or not self.dependents.isdisjoint(resource.refers_to)
            or (bool(self.authors) and (not resource.author or resource.author in self.authors))
        )

    def _time_matches(self, request: Request) -> bool:
        start, end = request.resource.data_from_us, request.resource.data_until_us
        if start is None or end is None:
            return True
        if self.data_until_us is not None and start >= self.data_until_us:
            return False
        return self.data_from_us is None or start >= self.data_from_us or end > self.data_from_us


@dataclass(frozen=True, slots=True)
class CompiledConsent:
    """One version of one Consent, read once and then only compared.

    Args:
        id: public id of the Consent.
        version: its version.
        status: as written.
        kind: ``release``, ``refusal``, or empty for an import.
        active: whether it counts now; no other permits or denies.
        permits: nested permits; of a refusal: its exceptions, which silence it and never permit.
        denies: denies that stop whatever else the Consent says.
        root: the deny it falls back to when no permit matches: a refusal's conditions, or an import's root.
            A release has none: its root only says that nothing is open without a permit.
    """

    id: str
    version: str
    status: str
    kind: Kind
    active: bool
    permits: tuple[Permit, ...] = ()
    denies: tuple[Deny, ...] = ()
    root: Deny | None = None

    @property
    def organizations(self) -> frozenset[str]:
        """Gives the ids of the organisations its permits name; of a hub release: the one receiving unit."""
        return frozenset(name for permit in self.permits for name in permit.organizations)

    @property
    def purposes(self) -> frozenset[str]:
        """Gives the purposes its permits name; of a hub release: the one purpose."""
        return frozenset(code for permit in self.permits for code in permit.purposes)

    @property
    def until_us(self) -> int | None:
        """Gives when its last permit ends, microseconds since 1970 UTC; None where it permits nothing."""
        return max((permit.until_us for permit in self.permits), default=None)
