"""Who is asking: a frozen set of facts about the caller, made once per token.

What lives here: the caller's facts. What does not: how a token becomes them (``auth``), what they open
(``access.decision``), and how the store matches them (``store``).
"""

from dataclasses import dataclass

from referral_hub.access.scopes import ScopeSet


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
class Principal:
    """The caller of one request, as its token says; no field comes from the request body.

    ``purpose`` is exactly one v3-ActReason or hub purpose code; empty means none, and none opens nothing
    of other organisations. ``refusal_targets`` are the spellings under which a refusal can name this caller:
    ``*``, ``org:<id>`` for itself and every ancestor, ``kind:governmental``, ``kind:<type>``, ``gov:<CC>``.

    Source: SMART App Launch 2.2 (Backend Services); ``views.md`` 7.
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
