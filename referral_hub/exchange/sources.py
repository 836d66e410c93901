"""What lies on a source's own FHIR server: its addresses, and how a copy of it is written here.

What lives here: pure functions over decoded JSON, and the look at which copies are here already. What does not:
fetching (``outbound.copying``), what is passed on (``exchange.hosting``).

A copy is authored by the source, like everything it sends itself. It is known by the address it came from: an
identifier of the system ``urn:ietf:rfc:3986``, so that a second fetch finds the first copy, and ``meta.source``.

Source: ``views.md`` 5 and 6; SDOHCC ``refer-1`` (copies of what a referral refers to); FHIR R4
``datatypes.html#Identifier`` (an identifier that is itself a URI).
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from referral_hub.exchange.ports import OrganizationRow, ResourceRow
from referral_hub.exchange.referrals import Hosting
from referral_hub.exchange.state import Working
from referral_hub.fhir.canonical import PLACER, structure
from referral_hub.fhir.dates import instant
from referral_hub.fhir.elements import extension, reference_text
from referral_hub.fhir.references import is_under, normalise, parse, written

SOURCE_ID = "urn:ietf:rfc:3986"
"""System of an identifier whose value is an address."""

BESIDE = frozenset({"Condition", "Consent", "DocumentReference", "Goal", "Observation"})
"""Types of what is copied with a request, where it or the Task points at it."""

AGE_GROUP = structure("age-group")
ADULT_YEARS = 18
_DATE = re.compile(r"\d{4}(?:-\d{2}){0,2}", re.ASCII)
_SERVERS_OWN = frozenset({"id", "meta", "text", "resourceType"})
_PERSON = ("subject", "patient")
_REFERENCE_KEYS = frozenset({"reference", "type", "identifier", "display", "id", "extension"})


def is_external(text: str, own_bases: Collection[str]) -> bool:
    """Says whether a reference leads to another FHIR server than this hub.

    >>> is_external("https://ehr.example/fhir/Patient/1", ["https://hub.example/fhir"])
    True
    >>> is_external("https://hub.example/fhir/Patient/1", ["https://hub.example/fhir"])
    False
    """
    try:
        return parse(normalise(text, own_bases)).kind == "absolute"
    except ValueError:
        return False


def hosting_of(task: Mapping[str, Any], owner: OrganizationRow | None, own_bases: Collection[str]) -> Hosting:
    """Gives whether the hub passes a referral on: its request lies elsewhere, or the hub's organisation owns it.

    >>> hosting_of({"focus": {"reference": "https://ehr.example/fhir/ServiceRequest/1"}}, None, [])
    'source'
    """
    if is_external(reference_text(task.get("focus")), own_bases):
        return "source"
    return "hub" if owner is not None and owner.is_hub else ""


def source_url(text: str, bases: Collection[str]) -> str:
    """Gives an address in the one spelling it is known by here, without a version; '' where no base fits.

    Args:
        text: an absolute reference.
        bases: the FHIR base URLs registered for the source.

    >>> source_url("HTTPS://EHR.example:443/fhir/Patient/1/_history/2", ["https://ehr.example/fhir"])
    'https://ehr.example/fhir/Patient/1'
    >>> source_url("https://elsewhere.example/fhir/Patient/1", ["https://ehr.example/fhir"])
    ''
    """
    try:
        found = parse(text)
    except ValueError:
        return ""
    if found.kind != "absolute":
        return ""
    base = next((base for base in bases if is_under(found.base, (base,))), "")
    return f"{base.rstrip('/')}/{written(found.type, found.id)}" if base else ""


def type_of(url: str) -> str:
    """Gives the resource type an address names.

    >>> type_of("https://ehr.example/fhir/Patient/1")
    'Patient'
    """
    return parse(url).type


def base_of(url: str) -> str:
    """Gives the FHIR base an address lies under.

    >>> base_of("https://ehr.example/fhir/Patient/1")
    'https://ehr.example/fhir'
    """
    return parse(url).base


def copies_of(texts: Iterable[str], author: str, working: Working) -> dict[str, ResourceRow]:
    """Gives the copies that are here already, by the reference text that leads to the original.

    Args:
        texts: absolute references of a body.
        author: the organisation that wrote it: only its own copies count.
        working: the state of this write.
    """
    found: dict[str, ResourceRow] = {}
    wanted = tuple(texts)
    bases = working.registered_bases(author) if wanted else ()
    for text in wanted:
        url = source_url(text, bases)
        rows = working.identified(author, type_of(url), f"{SOURCE_ID}|{url}") if url else []
        if len(rows) == 1:
            found[text.partition("/_history/")[0]] = rows[0]
    return found


def listed(resource: Mapping[str, Any], name: str) -> list[Any]:
    """Gives the items of an element that repeats; none where something else stands there.

    >>> listed({"note": "x"}, "note")
    []
    """
    found = resource.get(name)
    return found if isinstance(found, list) else []


def person_url(resource: Mapping[str, Any], base: str) -> str:
    """Gives the address of the person a fetched resource is about, or ''."""
    for name in _PERSON:
        text = reference_text(resource.get(name))
        if text:
            return source_url(_absolute(text, base), (base,))
    return ""


def pointed_at(references: Iterable[Any], base: str, bases: Collection[str]) -> list[str]:
    """Gives the addresses of what is copied beside a request, each once, in order.

    Args:
        references: Reference elements of the request or the Task; anything may be in them.
        base: the base a relative one leads to, or '' where relative ones lead to this hub.
        bases: the FHIR base URLs registered for the source.
    """
    urls = (source_url(_absolute(reference_text(one), base), bases) for one in references)
    return list(dict.fromkeys(url for url in urls if url and type_of(url) in BESIDE))


def as_copy(
    resource: Mapping[str, Any],
    url: str,
    here: Mapping[str, str],
    *,
    bases: Collection[str],
    own_bases: Collection[str],
) -> dict[str, Any]:
    """Gives a fetched resource as it is written here, in the source's name.

    What the source's server owns (id, version) and the narrative stay behind. References to what was copied
    lead to the copies; of all others the address is kept as an identifier, so that nobody follows it.

    Args:
        resource: as the source's server answered; it is not altered.
        url: where it came from.
        here: addresses at the source to ``Type/id`` here.
        bases: the FHIR base URLs registered for the source.
        own_bases: the hub's own FHIR base URLs.

    >>> at = "https://ehr.example/fhir"
    >>> fetched = {"resourceType": "Condition", "id": "7", "subject": {"reference": "Patient/1"}}
    >>> here = {f"{at}/Patient/1": "Patient/p"}
    >>> as_copy(fetched, f"{at}/Condition/7", here, bases=[at], own_bases=[])["subject"]
    {'reference': 'Patient/p'}
    """
    base = base_of(url)

    def led(text: str) -> dict[str, Any]:
        home = normalise(text, own_bases)
        if text.startswith("#") or home != text:
            return {"reference": home}
        at_source = source_url(_absolute(text, base), bases)
        if at_source in here:
            return {"reference": here[at_source]}
        return {"identifier": {"system": SOURCE_ID, "value": at_source or text}}

    body = {name: _led(value, led) for name, value in resource.items() if name not in _SERVERS_OWN}
    if len(listed(body, "performer")) > 1 and resource["resourceType"] == "ServiceRequest":
        del body["performer"]  # whom the hub asks, its own order says
    kept = [one for one in listed(body, "identifier") if not _is_ours(one)]
    body["identifier"] = [*kept, {"system": SOURCE_ID, "value": url}]
    return {"resourceType": resource["resourceType"], "meta": {"source": url}, **body}


def with_age_group(patient: dict[str, Any], at_us: int) -> dict[str, Any]:
    """Gives a Patient that says adult or child, as a notice tells, where it states a birth date and not that.

    In doubt it is a child: of a year or a month, the last day counts.

    Args:
        patient: the copy; it is not altered.
        at_us: now, microseconds UTC.

    Source: ``views.md`` 1 (the notice); ``practice.md`` 7 (presumed child while age is in doubt).

    >>> with_age_group({"birthDate": "1994"}, 0)["extension"][0]["valueCode"]
    'child'
    """
    born = patient.get("birthDate")
    if not isinstance(born, str) or not _DATE.fullmatch(born) or extension(patient, AGE_GROUP) is not None:
        return patient
    latest = born + "-12-31"[len(born) - 4 :]
    grown_up = f"{int(latest[:4]) + ADULT_YEARS:04d}{latest[4:]}"
    code = "adult" if grown_up <= instant(at_us)[:10] else "child"
    known = patient.get("extension")
    extensions = [*(known if isinstance(known, list) else ()), {"url": AGE_GROUP, "valueCode": code}]
    return {**patient, "extension": extensions}


def differs(copy: Mapping[str, Any], stored: Mapping[str, Any]) -> bool:
    """Says whether the source changed something since the copy that is stored was made."""
    return _content(copy) != _content(stored)


def own_task_url(task: Mapping[str, Any], bases: Collection[str]) -> str:
    """Gives the address of the source's own Task that a referral here belongs to, or ''.

    The source names it in ``partOf`` or ``basedOn``.
    """
    for name in ("partOf", "basedOn"):
        for one in listed(task, name):
            url = source_url(reference_text(one), bases)
            if url and type_of(url) == "Task":
                return url
    return ""


def _content(body: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: value for name, value in body.items() if name not in _SERVERS_OWN}
    found["identifier"] = [one for one in listed(body, "identifier") if not _is_ours(one)]
    return found


def _is_ours(identifier: Any) -> bool:
    return isinstance(identifier, dict) and identifier.get("system") in (PLACER, SOURCE_ID)


def _led(value: Any, led: Callable[[str], dict[str, Any]]) -> Any:
    """Gives a value with each Reference in it led to where it leads for a copy."""
    if isinstance(value, list):
        return [_led(one, led) for one in value]
    if not isinstance(value, dict):
        return value
    found = {name: _led(one, led) for name, one in value.items()}
    text = value.get("reference")
    if not isinstance(text, str) or not value.keys() <= _REFERENCE_KEYS:
        return found
    return {**led(text), **{name: one for name, one in found.items() if name != "reference"}}


def _absolute(text: str, base: str) -> str:
    try:
        found = parse(text)
    except ValueError:
        return ""
    return f"{base}/{found.local}" if found.kind == "relative" and base else text
