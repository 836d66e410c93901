"""Who could help: services of the directory for a need, with whether they have a place and how old that is.

What lives here: the search and its lines. What does not: the directory itself. Nothing of a person is asked or sent.

Source: ``practice.md`` 16 and 17; ``referral-loop.md`` Part A rows 35 and 36.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from referral_hub.access.categories import SERVICE_DOMAIN
from referral_hub.casework.needs import domains_of
from referral_hub.fhir.canonical import structure
from referral_hub.fhir.elements import codings, extension, reference_text, text_at
from referral_hub.web.portal.asking import Asking

CAPACITY = structure("service-capacity")
ORDER = ("capacity", "additional-assessment-required", "waitlist", "", "no-capacity")
_MOST = "50"


@dataclass(frozen=True, slots=True)
class Option:
    """One service that may be asked.

    Args:
        organization: id of who would be asked; ``service`` id of the HealthcareService, where it is one.
        name: of the service, ``provider`` of the organisation.
        languages: codes in which it can be had.
        capacity: code of ``capacity``, empty where nothing is known; ``as_of`` when that was so.
        note: for whom it is, in words of the service.
        speaks: it can be had in the language that was asked for.
    """

    organization: str
    service: str
    name: str
    provider: str
    languages: tuple[str, ...] = ()
    capacity: str = ""
    as_of: str = ""
    note: str = ""
    speaks: bool = True


def options_for(asking: Asking, kind: str, language: str = "") -> tuple[Option, ...]:
    """Gives the services of the directory that may meet a need, those with a place first.

    Args:
        asking: for whom it is searched; the search says nothing of anybody.
        kind: a need; empty for every service.
        language: a code; services that are had in it come before others.
    """
    pairs = [("active", "true"), ("_include", "HealthcareService:organization"), ("_count", _MOST)]
    domains = domains_of(kind)
    if domains:
        pairs.append(("service-type", ",".join(f"{SERVICE_DOMAIN}|{one}" for one in domains)))
    found = asking.find("HealthcareService", pairs)
    options = []
    for one in found.matches:
        provider = found.led_to(one, "providedBy") or {}
        option = _option(one, str(provider.get("name", "")), language)
        if option.organization and option.organization != asking.organization:
            options.append(option)
    return tuple(sorted(options, key=lambda one: (not one.speaks, ORDER.index(one.capacity), one.name)))


def organizations_named(asking: Asking, name: str) -> tuple[Option, ...]:
    """Gives organisations whose name begins so, for who knows whom she wants to ask."""
    found = asking.find("Organization", [("name", name), ("_count", "20")])
    return tuple(
        Option(one["id"], "", str(one.get("name", "")), "")
        for one in found.matches
        if one["id"] != asking.organization and one.get("active", True)
    )


def _option(service: dict[str, Any], provider: str, language: str) -> Option:
    told = extension(service, CAPACITY)
    parts = {one.get("url"): one for one in told.get("extension") or ()} if isinstance(told, dict) else {}
    capacity = str(parts.get("status", {}).get("valueCode", ""))
    languages = tuple(code for one in service.get("communication") or () for _, code in codings(one))
    note = next(
        (text for one in service.get("eligibility") or () if (text := str(one.get("comment", "")))), ""
    )
    return Option(
        organization=reference_text(service.get("providedBy")).partition("/")[2],
        service=service["id"],
        name=text_at(service, "name") or provider,
        provider=provider,
        languages=languages,
        capacity=capacity if capacity in ORDER else "",
        as_of=str(parts.get("as-of", {}).get("valueDateTime", "")),
        note=note,
        speaks=not language or language in languages,
    )


def chosen(options: Sequence[Option], organization: str) -> Option | None:
    """Gives the option of an organisation."""
    return next((one for one in options if one.organization == organization), None)
