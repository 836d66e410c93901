"""What may be said of an organisation of the network, and its FHIR resource.

What lives here: a description, its rules, and the Organization made of it. What does not: writing it
(``exchange.member_organizations``), what refusals and units make of kind and government (``access``).

Source: ``interfaces.md`` 2; ``views.md`` 9 (a shelter's name, units, refusals by kind and government).
"""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from referral_hub.access.provision_elements import ORGANIZATION_KINDS
from referral_hub.errors import ConfigurationError
from referral_hub.exchange.building import body_of
from referral_hub.exchange.columns import ORGANIZATION_TYPE
from referral_hub.exchange.ports import ResourceRow
from referral_hub.fhir import json_codec
from referral_hub.setting_values import is_loopback, mailbox

KINDS = tuple(sorted(ORGANIZATION_KINDS - {"governmental"}))
"""What an organisation can be."""

ALWAYS_GOVERNMENTAL = frozenset({"law-enforcement"})
"""Kinds that are part of a government whatever is said."""
_LONGEST_NAME = 200
_LONGEST_ADDRESS = 500
_POLL_SECONDS = range(1, 86_401)
_COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)
_PHONE = re.compile(r"[+0-9][0-9 ()/.-]{2,39}", re.ASCII)
COUNTRY_NEEDED = "A body of a government needs its country: a refusal may name that government."


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
        phone: whom to telephone there; empty where it is not known.
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
    phone: str = ""


def resource_of(new: NewOrganization) -> dict[str, Any]:
    """Gives the FHIR Organization of a description.

    Source: HL7 FHIR R4 Organization.

    >>> resource_of(NewOrganization("Clinic", "clinic"))["name"]
    'Clinic'
    """
    # Organizations are seldom built: only then does a process load these classes.
    from fhir.resources.R4B.codeableconcept import CodeableConcept
    from fhir.resources.R4B.coding import Coding
    from fhir.resources.R4B.contactpoint import ContactPoint
    from fhir.resources.R4B.organization import Organization
    from fhir.resources.R4B.reference import Reference

    phone = new.phone.strip()
    typed = Organization(
        active=True,
        type=[CodeableConcept(coding=[Coding(system=ORGANIZATION_TYPE, code=new.kind)])],
        name=new.name.strip(),
        telecom=[ContactPoint(system="phone", value=phone)] if phone else None,
        partOf=Reference(reference=f"Organization/{new.part_of}") if new.part_of else None,
    )
    return json_codec.decode_object(typed.model_dump_json().encode())


def phone_of(resource: ResourceRow | None) -> str:
    """Gives the telephone number an Organization says; empty where it says none."""
    telecom = body_of(resource).get("telecom") if resource is not None else None
    for point in telecom or ():
        if isinstance(point, dict) and point.get("system") == "phone":
            return str(point.get("value") or "")
    return ""


def checked(new: NewOrganization) -> str:
    """Gives the endpoint in the form it is kept in, once everything about the description holds.

    Raises:
        ConfigurationError: the first reason why it cannot be used.
    """
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
        raise ConfigurationError(COUNTRY_NEEDED)
    if new.poll_seconds and not new.fhir_endpoint:
        raise ConfigurationError("Only an organisation with a FHIR endpoint can be polled.")
    if new.poll_seconds and new.poll_seconds not in _POLL_SECONDS:
        raise ConfigurationError("Copies are looked at every second to once a day.")
    if new.phone and not _PHONE.fullmatch(new.phone.strip()):
        raise ConfigurationError("A telephone number is written with digits, spaces and + ( ) / . -")
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
