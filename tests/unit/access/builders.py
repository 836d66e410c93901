"""Consents, resources and requests for the tests of who may see what; everybody in them is invented."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from referral_hub.access.decision import decide
from referral_hub.access.facts import Action, Decision, Request, ResourceFacts
from referral_hub.access.principal import OrganizationFacts, refusal_targets
from referral_hub.access.provisions import compile_consent
from referral_hub.fhir.canonical import (
    ACT_CODE,
    ACT_REASON,
    CANONICAL,
    CONFIDENTIALITY,
    CONSENT_SCOPE,
    PARTICIPATION_TYPE,
    code_system,
)
from referral_hub.fhir.dates import microseconds

CLINIC = OrganizationFacts("clinic-emergency", ("clinic",), "clinic")
SISTER = OrganizationFacts("clinic-dental", ("clinic",), "clinic")
PARENT = OrganizationFacts("clinic", (), "clinic")
LEGAL_AID = OrganizationFacts("legal-aid", (), "legal-aid")
OFFICE = OrganizationFacts("office", ("ministry",), "immigration", True, "PL")
START = "2026-11-01T00:00:00Z"
END = "2026-12-01T00:00:00Z"


def us(text: str) -> int:
    """Microseconds of a time such as 2026-11-24T10:00:00Z."""
    return microseconds(datetime.fromisoformat(text).astimezone(UTC))


NOW = us("2026-11-24T10:00:00Z")


def organization(name: str, role: str = "IRCP") -> dict[str, Any]:
    return {
        "role": {"coding": [{"system": PARTICIPATION_TYPE, "code": role}]},
        "reference": {"reference": f"Organization/{name}"},
    }


def kind_of_organization(value: str, system: str = "organization-kind") -> dict[str, Any]:
    return {
        "role": {"coding": [{"system": PARTICIPATION_TYPE, "code": "IRCP"}]},
        "reference": {"identifier": {"system": f"{CANONICAL}/{system}", "value": value}},
    }


def purpose(code: str) -> dict[str, str]:
    hub = code.islower()
    return {"system": code_system("purpose") if hub else ACT_REASON, "code": code}


def category(code: str) -> dict[str, str]:
    return {"system": code_system("information-category"), "code": code}


def label(code: str) -> dict[str, str]:
    return {"system": CONFIDENTIALITY if len(code) == 1 else ACT_CODE, "code": code}


def instance(name: str, meaning: str = "instance") -> dict[str, Any]:
    return {"meaning": meaning, "reference": {"reference": name}}


def provision(
    type_name: str,
    *,
    who: Sequence[str | dict[str, Any]] = (),
    why: Sequence[str] = (),
    what: Sequence[str | dict[str, str]] = (),
    data: Sequence[str | dict[str, Any]] = (),
    labels: Sequence[str] = (),
    start: str = "",
    end: str = "",
    inside: Sequence[dict[str, Any]] = (),
    **more: Any,
) -> dict[str, Any]:
    """One provision; what is not given is left out."""
    found: dict[str, Any] = {"type": type_name}
    period = {name: text for name, text in (("start", start), ("end", end)) if text}
    for name, value in (
        ("period", period),
        ("actor", [organization(one) if isinstance(one, str) else one for one in who]),
        ("purpose", [purpose(one) for one in why]),
        ("class", [category(one) if isinstance(one, str) else one for one in what]),
        ("data", [instance(one) if isinstance(one, str) else one for one in data]),
        ("securityLabel", [label(one) for one in labels]),
        ("provision", list(inside)),
    ):
        if value:
            found[name] = value
    return {**found, **more}


def permit(
    *,
    who: Sequence[str | dict[str, Any]] = (CLINIC.id,),
    why: Sequence[str] = ("TREAT",),
    what: Sequence[str | dict[str, str]] = ("health",),
    start: str = START,
    end: str = END,
    **more: Any,
) -> dict[str, Any]:
    """A permit of health for the clinic in November 2026, unless said otherwise."""
    return provision("permit", who=who, why=why, what=what, start=start, end=end, **more)


def consent(kind: str, root: dict[str, Any] | None, *, status: str = "active", **more: Any) -> dict[str, Any]:
    """A Consent of a kind (empty: an import)."""
    found: dict[str, Any] = {
        "resourceType": "Consent",
        "status": status,
        "scope": {"coding": [{"system": CONSENT_SCOPE, "code": "patient-privacy"}]},
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
    }
    if kind:
        found["category"].append({"coding": [{"system": code_system("consent-kind"), "code": kind}]})
    if root is not None:
        found["provision"] = root
    return {**found, **more}


def release(*permits: dict[str, Any], **more: Any) -> dict[str, Any]:
    return consent("release", provision("deny", inside=permits or (permit(),)), **more)


def refusal(*exceptions: dict[str, Any], status: str = "active", **conditions: Any) -> dict[str, Any]:
    return consent("refusal", provision("deny", inside=exceptions, **conditions), status=status)


def imported(root: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
    return consent("", root, **more)


def facts(
    name: str = "Observation/1",
    category: str = "health",
    *,
    confidentiality: str = "R",
    sensitivities: Sequence[str] = (),
    codes: Sequence[str] = (),
    data_from: str = "",
    data_until: str = "",
    author: str = "shelter",
    refers_to: Sequence[str] = (),
) -> ResourceFacts:
    type_name, _, public_id = name.partition("/")
    return ResourceFacts(
        type_name,
        public_id,
        category,
        confidentiality,
        frozenset(sensitivities),
        frozenset(codes),
        us(data_from) if data_from else None,
        us(data_until) if data_until else None,
        author,
        frozenset(refers_to),
    )


def request(
    resource: ResourceFacts | None = None,
    *,
    organization: OrganizationFacts = CLINIC,
    purpose: str = "TREAT",
    action: Action = "access",
) -> Request:
    return Request(organization, refusal_targets(organization), purpose, action, "", resource or facts())


def answer(bodies: Sequence[dict[str, Any]], asked: Request | None = None, at_us: int = NOW) -> Decision:
    """What Consents as stored say to a request."""
    compiled = [compile_consent(f"c{index}", "1", body, authored=False) for index, body in enumerate(bodies)]
    return decide(compiled, asked or request(), at_us)
