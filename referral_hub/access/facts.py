"""What a consent decision is made from, and what comes out of it.

What lives here: frozen facts about a resource and about a request, the order of confidentiality, and the
answer. What does not: the decision (``access.decision``), facts about the caller's organisation
(``access.principal``), and where the facts of a stored resource come from (``access.categories``,
``access.labels`` and the store's columns).

Source: ``consent.md`` 1.2 and 5.3.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from referral_hub.access.categories import VERY_RESTRICTED
from referral_hub.access.principal import OrganizationFacts
from referral_hub.fhir import references

Action = Literal["access", "collect", "use", "correct", "disclose"]
"""A code of FHIR's consentaction: read, search, delivery and the update of a view are ``access``; passing
on to others is ``disclose``."""

RANKS: Mapping[str, int] = MappingProxyType({"U": 0, "L": 1, "M": 2, "N": 3, "R": 4, "V": 5})
"""Confidentiality as a total order (``consent.md`` L-01)."""
RESTRICTED = RANKS["R"]
VERY = RANKS["V"]


@dataclass(frozen=True, slots=True)
class ResourceFacts:
    """One resource, or the part of it that belongs to one information category, as decisions see it.

    Args:
        type: FHIR type.
        id: public id.
        category: an information category, ``notice`` for the bare notice, ``very-restricted`` where the
            table does not know it; empty means missing.
        confidentiality: a code of v3-Confidentiality; anything else counts as ``V``.
        sensitivities: bare codes of v3-ActCode and of the hub's own list.
        codes: ``system|code`` of every coding found in it; empty means not known.
        data_from_us: when what it tells begins, microseconds since 1970 UTC; None where it has no usable
            date.
        data_until_us: when that ends (the microsecond after), likewise.
        author: id of the organisation that wrote it.
        refers_to: ``Type/id`` of what it refers to.
    """

    type: str
    id: str
    category: str
    confidentiality: str
    sensitivities: frozenset[str]
    codes: frozenset[str]
    data_from_us: int | None
    data_until_us: int | None
    author: str
    refers_to: frozenset[str] = frozenset()

    @property
    def rank(self) -> int:
        """Gives the place in the order of confidentiality; what is not known is very restricted."""
        return VERY if self.category == VERY_RESTRICTED else RANKS.get(self.confidentiality, VERY)

    @property
    def names(self) -> frozenset[str]:
        """Gives the ``Type/id`` spellings under which a consent can name this single instance.

        A Binary is also named by the DocumentReference it belongs to (``views.md`` 9).

        >>> named_by = frozenset({"DocumentReference/d"})
        >>> none = frozenset()
        >>> sorted(ResourceFacts("Binary", "b", "health", "R", none, none, None, None, "o", named_by).names)
        ['Binary/b', 'DocumentReference/d']
        """
        own = f"{self.type}/{self.id}"
        if self.type != "Binary":
            return frozenset((own,))
        return frozenset((own, *(name for name in self.refers_to if name.startswith("DocumentReference/"))))


@dataclass(frozen=True, slots=True)
class Request:
    """Who wants what, and why: what the consents are asked.

    ``refusal_targets`` are the spellings under which a refusal reaches the organisation
    (``access.principal.refusal_targets``). ``purpose`` is one bare code; empty opens nothing. ``role`` is
    carried for the audit: consents name organisations, and inside one assigned staff need no release
    (``practice.md`` 3).
    """

    organization: OrganizationFacts
    refusal_targets: tuple[str, ...]
    purpose: str
    action: Action
    role: str
    resource: ResourceFacts


Outcome = Literal["permit", "deny", "no-consent"]
Reason = Literal["permitted", "refused", "organization-inactive", "no-purpose", "none", "ended", "withdrawn"]


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer of a person's consents to one request.

    Args:
        outcome: ``permit``; ``deny`` where something forbids it; ``no-consent`` where nothing allows it.
        reason: why, for the audit and for the custodian of her consents; told to nobody else.
        consents: (id, version) of the Consents it stands on.
        very_restricted: whether what is very restricted (V) in it is opened too.
    """

    outcome: Outcome
    reason: Reason
    consents: tuple[tuple[str, str], ...] = ()
    very_restricted: bool = False


def codes_of(resource: Mapping[str, Any]) -> frozenset[str]:
    """Gives every coding found anywhere in a resource as ``system|code``.

    Source: FHIR R4 ``Consent.provision.code`` (found in an instance).

    >>> sorted(codes_of({"code": {"coding": [{"system": "urn:s", "code": "a"}, {"code": "b"}]}}))
    ['urn:s|a', '|b']
    """
    found: set[str] = set()
    _collect_codes(resource, found)
    return frozenset(found)


def references_of(resource: Mapping[str, Any]) -> frozenset[str]:
    """Gives every resource this one refers to, as ``Type/id`` without base or version.

    >>> sorted(references_of({"subject": {"reference": "Patient/1/_history/2"}}))
    ['Patient/1']
    """
    found: set[str] = set()
    for _, element in references.iter_references(resource):
        try:
            local = references.of(element).local
        except ValueError:
            continue
        if local:
            found.add(local)
    return frozenset(found)


def _collect_codes(value: object, found: set[str]) -> None:
    if isinstance(value, Mapping):
        code = value.get("code")
        if isinstance(code, str):
            found.add(f"{value.get('system', '')}|{code}")
        for child in value.values():
            _collect_codes(child, found)
    elif isinstance(value, list):
        for child in value:
            _collect_codes(child, found)
