"""Partners of the network: an organisation, a unit of one, and the software that speaks for it.

What lives here: the checked addition of each, through the one write path, for the command line. What does not:
reading a command (``referral_hub.commands``), the rules of a registration (``auth.clients``), SQL (``store``).

Source: ``interfaces.md`` 2; ``views.md`` 9 (a shelter's name, units, refusals by kind and government).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from referral_hub.access.principal import OrganizationFacts
from referral_hub.access.provision_elements import ORGANIZATION_KINDS
from referral_hub.app import Parts, clock
from referral_hub.auth.app_registrations import App
from referral_hub.auth.clients import ClientKey, Registration, register
from referral_hub.errors import ConfigurationError, InvalidResource
from referral_hub.exchange.audit import DONE
from referral_hub.exchange.building import Draft
from referral_hub.exchange.change import AuditEntry
from referral_hub.exchange.columns import columns_of
from referral_hub.exchange.interactions import hub_write
from referral_hub.exchange.ports import OrganizationRow
from referral_hub.fhir import json_codec
from referral_hub.fhir.canonical import code_system
from referral_hub.fhir.validator import validate
from referral_hub.resources.catalog import DEFINITIONS
from referral_hub.setting_values import is_loopback, mailbox
from referral_hub.store.organizations import organization_rows

KINDS = tuple(sorted(ORGANIZATION_KINDS - {"governmental"}))
"""What an organisation can be."""

_ALWAYS_GOVERNMENTAL = frozenset({"law-enforcement"})
_LONGEST_NAME = 200
_LONGEST_ADDRESS = 500
_COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class NewOrganization:
    """An organisation as an operator describes it.

    Args:
        name: its name; of a shelter nobody else ever reads it.
        kind: one of ``KINDS``.
        part_of: id of the body it is a unit of; empty for a body of its own.
        neutral_name: the name under which others see a shelter.
        country: two letters (ISO 3166-1); of a unit, empty means its parent's.
        governmental: True for any body or unit of a government; a parent's counts for its units too.
        fhir_endpoint: base address of its own FHIR server; empty where it has none.
        notify: other addresses its software may be notified at: https addresses, or mailto:name@host.
        poll_seconds: how often its own copies of referrals are looked at; 0 for the hub's default.
        is_hub: True for the network's own organisation, which there is once.
    """

    name: str
    kind: str
    part_of: str = ""
    neutral_name: str = ""
    country: str = ""
    governmental: bool = False
    fhir_endpoint: str = ""
    notify: tuple[str, ...] = ()
    poll_seconds: int = 0
    is_hub: bool = False


@dataclass(frozen=True, slots=True)
class Added:
    """An organisation that was added, with what the hub made of the description."""

    id: str
    governmental: bool
    country: str


def add_organization(parts: Parts, new: NewOrganization) -> Added:
    """Adds an organisation: its FHIR resource and the hub's own row of it, in one Change.

    Raises:
        ConfigurationError: the description cannot be used, with the first reason.
    """
    endpoint = _checked(new)
    added: list[Added] = []

    def decide(draft: Draft) -> bool:
        added[:] = [_lay(parts, draft, new, endpoint)]
        return True

    try:
        hub_write(parts.hub, decide)
    except InvalidResource as refused:
        raise ConfigurationError(refused.text) from None
    return added[0]


def _lay(parts: Parts, draft: Draft, new: NewOrganization, endpoint: str) -> Added:
    working = draft.working
    hub = working.hub_organization()
    if hub is None and not new.is_hub:
        raise ConfigurationError("The network has no organisation of its own yet: run `referral-hub init`.")
    parent = working.organization(new.part_of) if new.part_of else None
    if new.part_of and parent is None:
        raise ConfigurationError("There is no organisation with the id given in --part-of.")
    governmental = new.governmental or new.kind in _ALWAYS_GOVERNMENTAL
    country = new.country
    if parent is not None:
        # A unit of a government office is one too: a refusal by kind must not miss it.
        governmental = governmental or parent.facts.governmental
        country = country or parent.facts.country
    public_id = draft.ids.public_id()
    author = hub.facts.id if hub is not None else public_id
    body = _resource(new)
    problems = [issue for issue in validate(body) if issue.is_error]
    if problems:
        raise InvalidResource(problems)
    row_id = draft.ids.row_id(draft.at_us)
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
    for one in organization_rows(parts.database, row, bases):
        draft.settle(one)
    draft.audit.append(
        AuditEntry(
            at_us=draft.at_us,
            action="C",
            interaction="create",
            outcome=DONE,
            organization=author,
            oauth_client="",
            user="",
            purpose="",
            person=None,
            entities=(f"Organization/{public_id}/{resource.version}",),
        )
    )
    return Added(public_id, governmental, country)


def _resource(new: NewOrganization) -> dict[str, Any]:
    """Gives the FHIR Organization of a description.

    Source: HL7 FHIR R4 Organization.
    """
    # Only commands build Organizations; a worker never loads these classes.
    from fhir.resources.R4B.codeableconcept import CodeableConcept
    from fhir.resources.R4B.coding import Coding
    from fhir.resources.R4B.organization import Organization
    from fhir.resources.R4B.reference import Reference

    kind = Coding(system=code_system("organization-type"), code=new.kind)
    typed = Organization(
        active=True,
        type=[CodeableConcept(coding=[kind])],
        name=new.name.strip(),
        partOf=Reference(reference=f"Organization/{new.part_of}") if new.part_of else None,
    )
    return json_codec.decode_object(typed.model_dump_json().encode())


def _checked(new: NewOrganization) -> str:
    """Gives the endpoint in the form it is kept in, once everything about the description holds."""
    if new.kind not in KINDS:
        raise ConfigurationError(f"An organisation is one of: {', '.join(KINDS)}.")
    for name, what in ((new.name, "The name"), (new.neutral_name or "-", "The neutral name")):
        if not 0 < len(name.strip()) <= _LONGEST_NAME or not name.isprintable():
            raise ConfigurationError(
                f"{what} of an organisation has 1 to {_LONGEST_NAME} printable characters."
            )
    if new.country and not _COUNTRY.fullmatch(new.country):
        raise ConfigurationError("A country is two capital letters, such as PL.")
    if new.governmental and not (new.country or new.part_of):
        raise ConfigurationError(
            "A body of a government needs its country: a refusal may name that government."
        )
    if new.poll_seconds and not new.fhir_endpoint:
        raise ConfigurationError("Only an organisation with a FHIR endpoint can be polled.")
    return endpoint_of(new.fhir_endpoint) if new.fhir_endpoint else ""


def endpoint_of(url: str) -> str:
    """Gives a partner's FHIR base address without a slash at its end.

    Raises:
        ConfigurationError: it is no https address (http only for a server on this machine).

    >>> endpoint_of("https://ehr.example/fhir/")
    'https://ehr.example/fhir'
    """
    try:
        parts = urlsplit(url)
        host, port_reads = parts.hostname or "", parts.port is None or parts.port > 0
    except ValueError:
        host, port_reads, parts = "", False, urlsplit("")
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))
    is_plain = (
        url.isascii()
        and url.isprintable()
        and " " not in url
        and len(url) <= _LONGEST_ADDRESS
        and parts.username is None
        and not parts.query
        and not parts.fragment
    )
    if not (host and port_reads and is_safe and is_plain):
        raise ConfigurationError(
            "A FHIR endpoint is an https address without a user name or a query "
            "(http only on a loopback address, for trying out)."
        )
    return url.rstrip("/")


def notified_at(address: str) -> str:
    """Gives an address that Subscriptions may name, in the form it is kept in.

    Raises:
        ConfigurationError: it is neither an https address (http only for this machine) nor mailto:name@host.

    >>> notified_at("mailto:desk@clinic.example")
    'mailto:desk@clinic.example'
    """
    if address.startswith("mailto:"):
        try:
            return f"mailto:{mailbox(address.removeprefix('mailto:'))}"
        except ValueError as problem:
            raise ConfigurationError(f"An address to notify {problem}.") from None
    return endpoint_of(address)


def add_oauth_client(
    parts: Parts,
    organization: str,
    name: str,
    key: ClientKey,
    scope: str,
    *,
    purposes: Sequence[str] = (),
    require_dpop: bool = False,
    very_restricted: bool = False,
    app: App | None = None,
) -> Registration:
    """Registers a partner's software; the secret in the answer, where it has one, is kept nowhere.

    Args:
        parts: the opened hub.
        organization: id of the organisation it acts for.
        name: its name for people.
        key: how it proves itself.
        scope: what it may ever ask for; ``*`` stands for every type the hub serves.
        purposes: its purposes of use; none opens nothing of other organisations.
        require_dpop: see ``auth.clients.register``.
        very_restricted: whether very restricted content may go to its ordinary token.
        app: what software has that people sign in with; None where nobody does.

    Raises:
        ConfigurationError: the first rule that does not hold.
    """
    with parts.store.snapshot() as snapshot:
        known = snapshot.organization(organization)
    registration = register(
        known,
        name,
        key,
        scope,
        types=DEFINITIONS,
        at_us=clock(),
        purposes=purposes,
        require_dpop=require_dpop,
        very_restricted=very_restricted,
        app=app,
    )
    parts.store.apply(parts.gate.admit_token(registration.change))
    return registration
