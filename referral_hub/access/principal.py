"""Who is asking: a frozen set of facts about the caller, made once per token.

What lives here: the caller's facts. What does not: how a token becomes them (``auth``), what they open
(``access.decision``), and how the store matches them (``store``).
"""

from dataclasses import dataclass, field
from typing import cast

from referral_hub.access.reach import Reach, reach_of
from referral_hub.access.scopes import Context, ScopeSet


@dataclass(frozen=True, slots=True)
class OrganizationFacts:
    """What the hub knows of an organisation where sharing is decided.

    ``ancestors`` are the ids above it, nearest first (a refusal reaches every unit below the one it names;
    a permit only the one unit). ``kind`` is the organisation type of the command line (shelter, clinic, …).
    """

    id: str
    ancestors: tuple[str, ...] = ()
    kind: str = ""
    governmental: bool = False
    country: str = ""
    active: bool = True


@dataclass(frozen=True, slots=True)
class Binding:
    """What a consent-bound token is bound to; it narrows what the live consents say, and never opens anything.

    Args:
        handle: the opaque name of the grant, a different one for every OAuth client.
        referral: id of the Task whose release it stands on.
        consents: (id, version) of the Consents that opened it when it was given.
        categories: information categories it names; nothing of another category is read with it.
        confidentiality: the highest code of v3-Confidentiality it reaches, ``R`` or ``V``.
        not_after_us: when it ends whatever the consents say, microseconds since 1970 UTC.

    Source: RFC 9396; ``consent.md`` D-03 to D-07.
    """

    handle: str
    referral: str
    consents: tuple[tuple[str, str], ...]
    categories: frozenset[str]
    confidentiality: str
    not_after_us: int


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller of one request, as its token says; no field comes from the request body.

    ``purpose`` is exactly one v3-ActReason or hub purpose code; empty means none, and none opens nothing
    of other organisations. ``refusal_targets`` are the spellings under which a refusal can name this caller:
    ``*``, ``org:<id>`` for itself and every ancestor, ``kind:governmental``, ``kind:<type>``, ``gov:<CC>``.

    ``context`` says for whom the software acts: ``system`` for the organisation, ``user`` for the signed-in member
    of staff ``account`` in the ``role`` of that account, ``patient`` for the signed-in person herself. ``person`` and
    ``patient`` (row id and public id) name the one person the token is about; with it nothing about another person is
    read or written. ``binding`` narrows further. ``reach`` is worked out of these: how far within what its organisation
    sees the caller sees, None for software that acts for the whole of it.

    Source: SMART App Launch 2.2 (Backend Services, App Launch); ``views.md`` 7 and 9.
    """

    organization: OrganizationFacts
    oauth_client: str
    scopes: ScopeSet
    purpose: str
    token_key: str = ""
    role: str = ""
    user: str = ""
    accepts_very_restricted: bool = True
    refusal_targets: tuple[str, ...] = ()
    context: str = "system"
    account: str = ""
    person: int | None = None
    patient: str = ""
    binding: Binding | None = None
    reach: Reach | None = field(init=False, repr=False, compare=False, default=None)

    def __post_init__(self) -> None:
        found = reach_of(self.context, self.role, self.person, bound=self.binding is not None)
        object.__setattr__(self, "reach", found)

    def covers(self, type_name: str, letter: str) -> bool:
        """Tells whether a scope of the caller's own context allows this interaction with every resource of a type.

        A member of staff whose token is about one person may hold scopes of the context ``patient`` for her as well.
        """
        if self.scopes.covers(type_name, letter, cast(Context, self.context)):
            return True
        about_one = self.context == "user" and self.person is not None
        return about_one and self.scopes.covers(type_name, letter, "patient")

    @property
    def opens_very_restricted(self) -> bool:
        """Tells whether what is very restricted may come with this token, where a permit names it.

        An ordinary token: as its software was registered. A bound one: as far as it is bound.
        Source: ``views.md`` 9 (V and token kinds).
        """
        return self.accepts_very_restricted if self.binding is None else self.binding.confidentiality == "V"

    @property
    def organization_id(self) -> str:
        """Gives the caller's organisation id, the one every row is compared with."""
        return self.organization.id


def refusal_targets(organization: OrganizationFacts) -> tuple[str, ...]:
    """Gives every spelling under which a refusal can reach this organisation.

    >>> refusal_targets(OrganizationFacts("u1", ("o1",), "immigration", True, "PL"))
    ('*', 'org:u1', 'org:o1', 'kind:immigration', 'kind:governmental', 'gov:PL')
    """
    found = ["*", f"org:{organization.id}", *(f"org:{above}" for above in organization.ancestors)]
    if organization.kind:
        found.append(f"kind:{organization.kind}")
    if organization.governmental:
        found.append("kind:governmental")
        if organization.country:
            found.append(f"gov:{organization.country}")
    return tuple(found)
