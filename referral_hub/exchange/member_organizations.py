"""Organisations of the network: adding one, changing what is known of it, pausing it.

What lives here: the one Change that holds both the FHIR resource and the hub's own row. What does not: what may be
said of an organisation (``exchange.organization_descriptions``), reading a command (``referral_hub.commands``) or a
page (``web.portal``), SQL (``store.organizations``).

Source: ``interfaces.md`` 2; ``views.md`` 9 (a refusal by government reaches every unit).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from referral_hub.access.principal import OrganizationFacts
from referral_hub.errors import ConfigurationError, InvalidResource, NotFound
from referral_hub.exchange.audit import DONE
from referral_hub.exchange.building import Draft, body_of
from referral_hub.exchange.change import AuditEntry, Row
from referral_hub.exchange.columns import ORGANIZATION_TYPE, columns_of
from referral_hub.exchange.hub import Hub
from referral_hub.exchange.interactions import hub_write
from referral_hub.exchange.organization_descriptions import (
    ALWAYS_GOVERNMENTAL,
    COUNTRY_NEEDED,
    NewOrganization,
    checked,
    notified_at,
    resource_of,
)
from referral_hub.exchange.ports import OrganizationRow, ResourceRow
from referral_hub.fhir.validator import validate
from referral_hub.resources.catalog import DEFINITIONS

OrganizationRows = Callable[[OrganizationRow, Iterable[str] | None], tuple[Row, ...]]
"""Gives the rows of a Change that keep an organisation (``store.organizations``); None leaves its addresses."""


@dataclass(frozen=True, slots=True)
class Added:
    """An organisation that was added, with what the hub made of the description."""

    id: str
    governmental: bool
    country: str


class MemberOrganizations:
    """Adds and changes organisations. Safe for threads and processes.

    Args:
        hub: store, gate and clock.
        rows: what the store keeps of one.
        below: gives the ids of every unit below an organisation.
        is_named: tells whether a body has a unit of a name (an empty id: the network a body of its own).
    """

    def __init__(
        self,
        hub: Hub,
        rows: OrganizationRows,
        below: Callable[[str], list[str]],
        is_named: Callable[[str, str], bool],
    ) -> None:
        self._is_named = is_named
        self._hub = hub
        self._rows = rows
        self._below = below

    def add(self, new: NewOrganization, *, by: str = "") -> Added:
        """Adds an organisation: its FHIR resource and the hub's own row of it, in one Change.

        Args:
            new: what is said of it.
            by: the account that adds it; empty for the command line.

        Raises:
            ConfigurationError: the description cannot be used, with the first reason.
        """
        endpoint = checked(new)
        if by and self._is_named(new.part_of, new.name.strip()):
            raise ConfigurationError("There is an organisation of this name here already.")
        added: list[Added] = []

        def decide(draft: Draft) -> bool:
            added[:] = [self._lay(draft, new, endpoint, by)]
            return True

        self._written(decide)
        return added[0]

    def change(self, organization_id: str, told: NewOrganization, *, by: str) -> None:
        """Changes what is known of an organisation; where it stands in the tree stays.

        It counts as part of a government where its parent does, and what counts so counts for every unit below it.

        Args:
            organization_id: which.
            told: everything as it is to be, but ``part_of``, ``notify`` and ``is_hub``, which stay; an empty name
                stays too.
            by: the account that does it.

        Raises:
            ConfigurationError: the description cannot be used, with the first reason.
            NotFound: there is no such organisation (404).
        """

        def changed(draft: Draft, row: OrganizationRow) -> OrganizationRow:
            asked = replace(told, part_of=row.part_of, name=told.name or row.name)
            endpoint = checked(asked)
            parent = draft.working.organization(row.part_of) if row.part_of else None
            country = asked.country or (parent.facts.country if parent is not None else "")
            governmental = _is_governmental(asked, parent)
            if governmental and not country:
                raise ConfigurationError(COUNTRY_NEEDED)
            facts = replace(row.facts, kind=asked.kind, governmental=governmental, country=country)
            return replace(
                row,
                facts=facts,
                name=asked.name.strip(),
                neutral_name=asked.neutral_name.strip(),
                fhir_endpoint=endpoint,
                poll_seconds=asked.poll_seconds,
            )

        self._change(organization_id, changed, by, told)

    def set_active(self, organization_id: str, *, active: bool, by: str) -> None:
        """Pauses an organisation, or lets it work again. Paused, nobody of it signs in and no token of it counts.

        Raises:
            ConfigurationError: it is the network's own.
            NotFound: there is no such organisation (404).
        """

        def changed(draft: Draft, row: OrganizationRow) -> OrganizationRow:
            if row.is_hub and not active:
                raise ConfigurationError("The network's own organisation cannot be paused.")
            return replace(row, facts=replace(row.facts, active=active))

        self._change(organization_id, changed, by, None)

    # --- one Change ----------------------------------------------------------------------------------------

    def _written(self, decide: Callable[[Draft], bool]) -> None:
        try:
            hub_write(self._hub, decide)
        except InvalidResource as refused:
            raise ConfigurationError(refused.text) from None

    def _lay(self, draft: Draft, new: NewOrganization, endpoint: str, by: str) -> Added:
        working = draft.working
        hub = working.hub_organization()
        if hub is None and not new.is_hub:
            raise ConfigurationError(
                "The network has no organisation of its own yet: run `referral-hub init`."
            )
        parent = working.organization(new.part_of) if new.part_of else None
        if new.part_of and parent is None:
            raise ConfigurationError(
                "There is no organisation with the id of the body it is to be a unit of."
            )
        # A unit of a government office is one too: a refusal by kind must not miss it.
        governmental = _is_governmental(new, parent)
        country = new.country or (parent.facts.country if parent is not None else "")
        public_id = draft.ids.public_id()
        author = hub.facts.id if hub is not None else public_id
        body = resource_of(new)
        row_id = draft.ids.row_id(draft.at_us)
        _refuse_invalid(body)
        columns, _ = columns_of(DEFINITIONS["Organization"], body, {}, own_row=row_id, author_kind=new.kind)
        resource = draft.create(body, columns, row_id=row_id, public_id=public_id, author=author)
        bases = (*((endpoint,) if endpoint else ()), *(notified_at(address) for address in new.notify))
        row = OrganizationRow(
            facts=OrganizationFacts(public_id, (), new.kind, governmental, country),
            version=0,
            part_of=new.part_of,
            neutral_name=new.neutral_name.strip(),
            name=new.name.strip(),
            fhir_endpoint=endpoint,
            poll_seconds=new.poll_seconds,
            is_hub=new.is_hub,
            row_id=row_id,
        )
        for one in self._rows(row, bases):
            draft.settle(one)
        draft.audit.append(_line(draft, author, by, resource, "C", "create"))
        return Added(public_id, governmental, country)

    def _change(
        self,
        organization_id: str,
        made: Callable[[Draft, OrganizationRow], OrganizationRow],
        by: str,
        told: NewOrganization | None,
    ) -> None:
        def decide(draft: Draft) -> bool:
            before = draft.working.organization(organization_id)
            resource = draft.working.resource("Organization", organization_id)
            if before is None or resource is None or resource.deleted:
                raise NotFound
            row = made(draft, before)
            body = _revised(body_of(resource), row, told)
            _refuse_invalid(body)
            columns, _ = columns_of(
                DEFINITIONS["Organization"], body, {}, own_row=resource.row_id, author_kind=row.facts.kind
            )
            written = draft.next_version(resource, body, columns, written_by=resource.author)
            for one in self._rows(row, self._bases(before, row)):
                draft.settle(one)
            if row.facts.governmental and not before.facts.governmental:
                self._below_too(draft, row)
            draft.audit.append(_line(draft, resource.author, by, written, "U", "update"))
            return True

        self._written(decide)

    def _bases(self, before: OrganizationRow, row: OrganizationRow) -> list[str] | None:
        if before.fhir_endpoint == row.fhir_endpoint:
            return None
        with self._hub.store.snapshot() as snapshot:
            kept = [one for one in snapshot.registered_bases(row.facts.id) if one != before.fhir_endpoint]
        return [*([row.fhir_endpoint] if row.fhir_endpoint else []), *kept]

    def _below_too(self, draft: Draft, row: OrganizationRow) -> None:
        for unit_id in self._below(row.facts.id):
            unit = draft.working.organization(unit_id)
            if unit is None or unit.facts.governmental:
                continue
            facts = replace(unit.facts, governmental=True, country=unit.facts.country or row.facts.country)
            for one in self._rows(replace(unit, facts=facts), None):
                draft.settle(one)


def _revised(body: dict[str, Any], row: OrganizationRow, told: NewOrganization | None) -> dict[str, Any]:
    """Gives a body with what changed; what others wrote into it stays."""
    body = {**body, "active": row.facts.active}
    if told is None:
        return body
    fresh = resource_of(replace(told, part_of=row.part_of, name=row.name))
    others = [one for one in body.get("type") or () if not _says_kind(one)]
    # Of a shelter the form shows neither name nor number: what is left empty there stays as it is.
    stays = row.facts.kind == "shelter" and not told.phone
    points = [one for one in body.get("telecom") or () if stays or one.get("system") != "phone"]
    body["type"] = [*fresh["type"], *others]
    body["name"] = fresh["name"]
    body["telecom"] = [*fresh.get("telecom", ()), *points]
    if not body["telecom"]:
        del body["telecom"]
    return body


def _says_kind(concept: dict[str, Any]) -> bool:
    return any(coding.get("system") == ORGANIZATION_TYPE for coding in concept.get("coding") or ())


def _refuse_invalid(body: dict[str, Any]) -> None:
    problems = [issue for issue in validate(body) if issue.is_error]
    if problems:
        raise InvalidResource(problems)


def _is_governmental(new: NewOrganization, parent: OrganizationRow | None) -> bool:
    inherited = parent is not None and parent.facts.governmental
    return new.governmental or new.kind in ALWAYS_GOVERNMENTAL or inherited


def _line(
    draft: Draft, organization: str, by: str, resource: ResourceRow, action: str, interaction: str
) -> AuditEntry:
    return AuditEntry(
        at_us=draft.at_us,
        action=action,
        interaction=interaction,
        outcome=DONE,
        organization=organization,
        oauth_client="",
        user=by,
        purpose="",
        person=None,
        entities=(f"Organization/{resource.id}/{resource.version}",),
    )
