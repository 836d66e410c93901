"""How one organisation sees one stored row: which view, or none.

What lives here: ``Sight``, which joins the state of referrals (``access.views``) with what the consents open
(``exchange.openings``) and chooses the view. What does not: making the copy, and the proof that it was made
(``exchange.gate``).

Source: ``views.md`` 1, 2, 4 and 9.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Protocol

import msgspec

from referral_hub.access.facts import references_of
from referral_hub.access.levels import cells_of
from referral_hub.access.rows import ReferralAccess
from referral_hub.access.views import (
    View,
    directory_view,
    granted_view,
    other_view,
    recall_view,
    referral_view,
    requester_shown,
    requester_view,
    stored_view,
)
from referral_hub.exchange.building import body_of
from referral_hub.exchange.kept_views import Chosen, KeptViews, key_of, until_us
from referral_hub.exchange.made_by_hub import is_open_to_author, led_home, owned, standing_to
from referral_hub.exchange.openings import CLOSED, Openings, Openness, Reader
from referral_hub.exchange.ports import ConsentRow, OrganizationRow, ResourceRow, Standing
from referral_hub.exchange.row_facts import facts_of, names_selves, own_elements, owner_elements
from referral_hub.exchange.sayings import Sayings

_REFERRAL_TYPES = frozenset({"Task", "ServiceRequest", "Patient"})


class Look(Protocol):
    """What may be looked up beside the row itself; a snapshot or the working state of a write."""

    def consents(self, person: int) -> list[ConsentRow]:
        """Gives every Consent about the person."""

    def resources(self, references: Iterable[str]) -> dict[str, ResourceRow]:
        """Gives current rows by ``Type/id``."""

    def rows(self, row_ids: Sequence[int]) -> dict[int, ResourceRow]:
        """Gives current rows by row id."""

    def organization(self, organization_id: str) -> OrganizationRow | None:
        """Gives the hub's own row of an organisation."""

    def hub_organization(self) -> OrganizationRow | None:
        """Gives the network's own organisation."""

    def standing(self, person: int, organization: str, refusal_targets: Sequence[str]) -> Standing:
        """Gives how an organisation stands to a person."""

    def assigned(self, account: str, persons: Collection[int]) -> frozenset[int]:
        """Gives which of these persons are assigned to an account."""


class Seen(msgspec.Struct, frozen=True):
    """The view of a row and the consents (id, version) it stands on."""

    view: View
    consents: tuple[tuple[str, str], ...] = ()


@lru_cache(maxsize=4096)
def _stored(reader: str) -> Seen:
    """Gives how an author's organisation sees what it wrote: always the same."""
    return Seen(stored_view(reader))


class Sight:
    """Chooses views. Keeps what cannot change: what a version says, and which organisation is the network's own."""

    def __init__(self, openings: Openings) -> None:
        self._openings = openings
        self._references = Sayings(references_of)
        self._by_owner = Sayings(owner_elements)
        self._kept_views = KeptViews()
        self._network_id = ""

    def points_at(self, row: ResourceRow) -> frozenset[str]:
        """Gives what a row points at, as ``Type/id``."""
        return self._references.of(row) - {f"{row.type}/{row.id}"}

    def see(
        self,
        reader: Reader,
        row: ResourceRow,
        standing: Standing | None,
        look: Look,
        at_us: int,
        *,
        fresh: bool = False,
        deep: bool = True,
    ) -> Seen | None:
        """Gives how the reader sees a row, or None: absent for this reader.

        ``deep`` also judges what the row points at; without it the view is good for telling seen from absent.
        """
        me = reader.organization.id
        if row.deleted or (row.locked and row.author != me):
            return None
        standing = standing_to(row, standing, reader, look)
        openness = (
            CLOSED if standing is None else self._openings.of(reader, standing, look, at_us, fresh=fresh)
        )
        if row.author == me:
            if not is_open_to_author(row, standing, openness):
                return None
            if row.type == "Task" and row.foreign_elements:
                return self._requester(reader, row, standing, openness, look, at_us, fresh=fresh)
            return _stored(me)
        if row.directory:
            return Seen(
                directory_view(reader=me, shelter=row.kind == "shelter", neutral_name=neutral_name(row, look))
            )
        if row.kind == "recall":
            return Seen(recall_view(me)) if row.owner == me else None
        if row.never_release or standing is None or row.person is None:
            return None
        if row.type == "Consent":
            return self._consent(reader, row, standing, openness, look, at_us, fresh=fresh)
        if row.type in _REFERRAL_TYPES:
            return self._referral(reader, row, standing, openness, look, at_us, fresh=fresh, deep=deep)
        return self._other(reader, row, standing, openness, look, at_us, fresh=fresh, deep=deep)

    # --- the four ways in ---------------------------------------------------------------------------------

    def _requester(
        self,
        reader: Reader,
        row: ResourceRow,
        standing: Standing | None,
        openness: Openness,
        look: Look,
        at_us: int,
        *,
        fresh: bool,
    ) -> Seen:
        access = next((a for a in standing.accesses if a.task == row.row_id), None) if standing else None
        if access is not None and access.nameless:
            return Seen(stored_view(reader.organization.id))
        body = body_of(row)
        view = requester_view(
            reader=reader.organization.id,
            category=row.category,
            opened=openness.opened,
            own=own_elements(body, by_owner=False),
            visible=self._visible(reader, row, standing, look, at_us, fresh=fresh)
            if openness.opened
            else frozenset(),
            from_shelter=_is_shelter(row.owner, look),
        )
        return Seen(view, openness.consents)

    def _consent(
        self,
        reader: Reader,
        row: ResourceRow,
        standing: Standing,
        openness: Openness,
        look: Look,
        at_us: int,
        *,
        fresh: bool,
    ) -> Seen | None:
        me = reader.organization.id
        accesses = [a for a in standing.accesses if a.organization == me]
        if row.custodian == me:
            reached = any(a.accepted and a.level == "full" and not a.back for a in accesses)
            return Seen(stored_view(me)) if reached else None
        if (row.id, row.version) not in openness.consents or "notice" not in openness.opened:
            return None
        for access in accesses:
            view = referral_view(
                "Consent",
                access,
                reader=me,
                opened=openness.opened,
                at_us=at_us,
                category="",
                requester="",
                person=_person(row, look),
            )
            if view is not None:
                visible = self._visible(reader, row, standing, look, at_us, fresh=fresh)
                return Seen(replace(view, visible=visible), openness.consents)
        return None

    def _referral(
        self,
        reader: Reader,
        row: ResourceRow,
        standing: Standing,
        openness: Openness,
        look: Look,
        at_us: int,
        *,
        fresh: bool,
        deep: bool,
    ) -> Seen | None:
        me = reader.organization.id
        chosen = self._chosen(row, standing, openness, me, look, at_us, fresh=fresh, deep=deep)
        view, access = chosen.view, chosen.access
        if view is None or access is None:
            return None
        if deep and view.kind in ("F", "nameless") and row.type != "Patient":
            visible = self._visible(reader, row, standing, look, at_us, fresh=fresh)
            beside = (visible, _person(row, look), _is_shelter(row.author, look))
            whole = chosen.beside.get(beside)
            if whole is None:
                whole = (
                    referral_view(
                        row.type,
                        access,
                        reader=me,
                        opened=openness.opened,
                        at_us=at_us,
                        category=row.category,
                        requester=view.requester,
                        person=beside[1],
                        visible=visible,
                        selves=view.selves,
                        own=view.own,
                        from_shelter=beside[2],
                    )
                    or view
                )
                chosen.keep_beside(beside, whole)
            view = whole
        return Seen(led_home(view, row, look) if me == self._network_id else view, openness.consents)

    def _chosen(
        self,
        row: ResourceRow,
        standing: Standing,
        openness: Openness,
        me: str,
        look: Look,
        at_us: int,
        *,
        fresh: bool,
        deep: bool,
    ) -> Chosen:
        """Gives the strongest view that one of the reader's referrals opens, without what lies beside the row."""
        key = key_of(row, me, deep=deep)
        kept = None if fresh else self._kept_views.of(key, standing, openness, at_us)
        if kept is not None:
            return kept
        accesses = _accesses_to(row, standing, me)
        selves = self._selves(row, me, look) if deep and accesses else frozenset()
        network = self._network(look) if deep and accesses else ""
        is_tracked = deep and accesses and row.type == "Task"
        own = owned(self._by_owner.of(row), by_network=me == network) if is_tracked else frozenset()
        found: tuple[int, View | None, ReferralAccess | None] = (-1, None, None)
        for access in accesses:
            view = referral_view(
                row.type,
                access,
                reader=me,
                opened=openness.opened,
                at_us=at_us,
                category=row.category,
                requester=requester_shown(accepted=access.accepted, sender=row.author, network=network),
                selves=selves,
                own=own,
            )
            if view is not None and _strength(view) > found[0]:
                found = (_strength(view), view, access)
        _, view, access_of = found
        chosen = Chosen(standing, openness, at_us, until_us(accesses, at_us), view, access_of)
        if not fresh and not (deep and names_selves(row)):
            self._kept_views.keep(key, chosen)
        return chosen

    def _other(
        self,
        reader: Reader,
        row: ResourceRow,
        standing: Standing,
        openness: Openness,
        look: Look,
        at_us: int,
        *,
        fresh: bool,
        deep: bool,
    ) -> Seen | None:
        me = reader.organization.id
        if any(a.organization == me and a.back and a.nameless for a in standing.accesses):
            # The answer to a no-name referral names nobody: its requester reads all of it (views.md 9).
            return Seen(granted_view(reader=me, category=row.category, very_restricted=True, named=True))
        if "notice" not in openness.opened:
            return None
        for access in standing.accesses:
            cells = cells_of(access, notice_open=True, at_us=at_us)
            if access.organization != me or not cells.other:
                continue
            facts = facts_of(row)
            decision = self._openings.one(reader, standing, facts, look, at_us, fresh=fresh)
            if decision.outcome != "permit":
                return None
            named = decision.very_restricted and any(
                grant.resource in facts.names
                and grant.purpose == reader.purpose
                and grant.valid_from_us <= at_us < grant.valid_until_us
                for grant in standing.grants
                if grant.resource and reader.counts(grant)
            )
            view = other_view(
                cells,
                reader=me,
                category=row.category,
                opened={**openness.opened, row.category: decision.very_restricted},
                named=named,
                person=_person(row, look) if deep else "",
                visible=self._visible(reader, row, standing, look, at_us, fresh=fresh)
                if deep
                else frozenset(),
                from_shelter=_is_shelter(row.author, look) if deep else True,
            )
            return Seen(view, decision.consents) if view is not None else None
        return None

    def _visible(
        self,
        reader: Reader,
        row: ResourceRow,
        standing: Standing | None,
        look: Look,
        at_us: int,
        *,
        fresh: bool,
    ) -> frozenset[str]:
        """Gives which of the things a row points at the reader may see; judged without going further."""
        wanted = self.points_at(row)
        if not wanted:
            return frozenset()
        return frozenset(
            text
            for text, target in look.resources(wanted).items()
            if (target.person in (None, row.person))
            and self.see(reader, target, standing, look, at_us, fresh=fresh, deep=False) is not None
        )

    def _selves(self, row: ResourceRow, me: str, look: Look) -> frozenset[str]:
        """Gives what a row points at that means the reader itself: its own services and roles."""
        if not names_selves(row):
            return frozenset()
        wanted = [
            text
            for text in self._references.of(row)
            if text.startswith(("HealthcareService/", "PractitionerRole/"))
        ]
        return frozenset(text for text, target in look.resources(wanted).items() if target.author == me)

    def _network(self, look: Look) -> str:
        if not self._network_id:
            hub = look.hub_organization()
            self._network_id = hub.facts.id if hub is not None else ""
        return self._network_id


def _accesses_to(row: ResourceRow, standing: Standing, me: str) -> list[ReferralAccess]:
    mine = [access for access in standing.accesses if access.organization == me and not access.back]
    if row.type == "Task":
        return [access for access in mine if access.task == row.row_id]
    if row.type == "ServiceRequest":
        return [access for access in mine if access.service_request == row.row_id]
    return mine


def _strength(view: View) -> int:
    return {"H": 0, "K": 1, "N": 2, "F": 3, "nameless": 4}.get(view.kind, 0)


def _is_shelter(organization_id: str, look: Look) -> bool:
    found = look.organization(organization_id) if organization_id else None
    return found is None or found.facts.kind == "shelter"


def neutral_name(row: ResourceRow, look: Look) -> str:
    """Gives the name under which a shelter stands in the directory; empty for anything else."""
    if row.kind != "shelter" or row.type != "Organization":
        return ""
    found = look.organization(row.id)
    return found.neutral_name if found is not None else ""


def _person(row: ResourceRow, look: Look) -> str:
    person = look.rows((row.person,)).get(row.person) if row.person is not None else None
    return f"Patient/{person.id}" if person is not None else ""
