"""The hub's own rules for writing a Consent, beside what its evaluation demands.

What lives here: how long a permit may run, what a signature needs, what of a signed consent may still change.
What does not: what cannot be computed (``access.provisions``), rows (``access.grants``).

Source: ``practice.md`` 3, 4 and 5; ``views.md`` 9; ``consent.md`` 1.1.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from referral_hub.fhir.canonical import CONSENT_SCOPE
from referral_hub.fhir.dates import span
from referral_hub.fhir.elements import at_path, code_in, codings
from referral_hub.fhir.outcome import Issue
from referral_hub.resources.consent import CONSENT_KIND

DAY_US = 24 * 3600 * 1_000_000

PURPOSE_DAYS: Mapping[str, int] = MappingProxyType(
    {
        "first-night": 7,
        "shelter-placement": 30,
        "TREAT": 90,
        "health-care": 90,
        "therapy": 180,
        "court-support": 180,
        "legal-representation": 180,
        "immigration-representation": 180,
        "compensation": 180,
    }
)
"""The longest permit per purpose, in days; a purpose without a row has the hub's default length."""


@dataclass(frozen=True, slots=True)
class ConsentLimits:
    """How long a permit may run in this network: the default, and the most without a legal note, in days."""

    default_days: int
    most_days: int


def kind_of(consent: dict[str, Any]) -> str:
    """Gives ``release``, ``refusal`` or an empty text for an imported Consent."""
    return code_in(consent.get("category"), CONSENT_KIND)


def longest_us(purpose: str, limits: ConsentLimits) -> int:
    """Gives the longest permit of a purpose, in microseconds.

    >>> longest_us("TREAT", ConsentLimits(30, 90)) // DAY_US
    90
    >>> longest_us("compensation", ConsentLimits(30, 90)) // DAY_US
    90
    """
    return min(PURPOSE_DAYS.get(purpose, limits.default_days), limits.most_days) * DAY_US


def consent_issues(
    consent: dict[str, Any], before: dict[str, Any] | None, limits: ConsentLimits, at_us: int
) -> list[Issue]:
    """Gives every hub rule a Consent breaks, each with its element.

    Args:
        consent: the decoded, valid Consent as it is to be.
        before: the Consent as stored, or None for a new one.
        limits: the network's lengths.
        at_us: now, microseconds UTC.
    """
    issues: list[Issue] = []
    kind = kind_of(consent)
    status = consent.get("status")
    if before is not None:
        issues.extend(_unchanged(consent, before, kind))
    if kind and not any(
        s == CONSENT_SCOPE and c == "patient-privacy" for s, c in codings(consent.get("scope"))
    ):
        issues.append(
            Issue(
                "error",
                "business-rule",
                "A release or refusal has the scope patient-privacy.",
                "Consent.scope",
            )
        )
    if kind and not consent.get("organization"):
        issues.append(
            Issue(
                "error",
                "required",
                "Name the organisation that keeps this consent: Consent.organization as Organization/id.",
                "Consent.organization",
            )
        )
    signing = status == "active" and (before is None or before.get("status") != "active")
    if kind == "release" and signing:
        issues.extend(_signature(consent))
        issues.extend(_lengths(consent, limits, at_us))
    return issues


def _signature(consent: dict[str, Any]) -> list[Issue]:
    issues = []
    if not consent.get("sourceAttachment") and not consent.get("sourceReference"):
        issues.append(
            Issue(
                "error",
                "required",
                "A release is signed in writing: give the signed form as sourceAttachment or sourceReference.",
                "Consent.source[x]",
            )
        )
    issues.extend(
        Issue("error", "required", text, f"Consent.{element}")
        for element, text in (
            ("performer", "Say who agreed: Consent.performer."),
            ("dateTime", "Say when it was signed: Consent.dateTime."),
        )
        if not consent.get(element)
    )
    return issues


def _lengths(consent: dict[str, Any], limits: ConsentLimits, at_us: int) -> list[Issue]:
    issues = []
    root = consent.get("provision")
    nested = root.get("provision") if isinstance(root, dict) else None
    for index, permit in enumerate(nested if isinstance(nested, list) else ()):
        end = next(at_path(permit, "period.end"), None)
        if not isinstance(end, str):
            continue
        start = next(at_path(permit, "period.start"), None)
        from_us = span(start)[0] if isinstance(start, str) else at_us
        for _system, purpose in codings(permit.get("purpose")):
            longest = longest_us(purpose, limits)
            # The end is a whole day, so that a permit signed in the afternoon may name the last day itself.
            if span(end)[0] - min(from_us, at_us) > longest:
                issues.append(
                    Issue(
                        "error",
                        "business-rule",
                        f"For this purpose a permission lasts at most {longest // DAY_US} days.",
                        f"Consent.provision.provision[{index}].period.end",
                    )
                )
        if span(end)[1] <= at_us:
            issues.append(
                Issue(
                    "error",
                    "business-rule",
                    "This permission would have ended already. Choose an end in the future.",
                    f"Consent.provision.provision[{index}].period.end",
                )
            )
    return issues


def _unchanged(consent: dict[str, Any], before: dict[str, Any], kind: str) -> list[Issue]:
    issues = []
    if kind != kind_of(before):
        issues.append(
            Issue(
                "error",
                "business-rule",
                "The kind of a consent is fixed when it is made.",
                "Consent.category",
            )
        )
    if consent.get("patient") != before.get("patient"):
        issues.append(
            Issue("error", "business-rule", "Whose consent it is cannot change.", "Consent.patient")
        )
    if before.get("status") == "active" and kind != "refusal":
        issues.extend(
            Issue(
                "error",
                "business-rule",
                "What was signed cannot be changed. End this consent and have a new one signed.",
                f"Consent.{element}",
            )
            for element in ("provision", "policy", "policyRule", "scope", "organization")
            if consent.get(element) != before.get(element)
        )
    return issues
