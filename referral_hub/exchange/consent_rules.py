"""The hub's own rules for writing a Consent, beside what its evaluation demands.

What lives here: how long a permit may run, what a signature needs, what of a signed consent may still change.
What does not: what cannot be computed (``access.provisions``), rows (``access.grants``).

Source: ``practice.md`` 3, 4 and 5; ``views.md`` 9; ``consent.md`` 1.1.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from referral_hub.access.consent_life import (
    CHECK_IN,
    DAY_US,
    ENDED_EARLY,
    check_ins,
    confirmed,
    narrower_or_equal,
)
from referral_hub.access.provisions import compile_consent
from referral_hub.exchange.consent_evidence import EVIDENCE
from referral_hub.exchange.consent_policy import ConsentLimits
from referral_hub.exchange.minors import REPRESENTED
from referral_hub.fhir.canonical import CONSENT_SCOPE, structure
from referral_hub.fhir.dates import span
from referral_hub.fhir.elements import at_path, code_in, codings, extensions
from referral_hub.fhir.outcome import Issue
from referral_hub.resources.consent import CONSENT_KIND

__all__ = ["DAY_US", "ConsentLimits", "consent_issues", "kind_of", "longest_us"]

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


_SIGNED = ("policy", "policyRule", "scope", "organization")
"""What of a Consent never changes once it was active."""
_SIGNED_WHILE_IT_RUNS = ("dateTime", "performer", "sourceAttachment", "sourceReference")
"""What does not change either as long as it goes on; an end is never held up by it."""
_SIGNED_EXTENSIONS = (EVIDENCE, REPRESENTED, ENDED_EARLY, structure("renewal-of"))
_CLOCKS_US = 600 * 1_000_000


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
        issues.extend(_unchanged(consent, before, kind, at_us))
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
    # A form signed in the evening and written down the next morning loses nothing by it: a day is left for that.
    for index, permit in enumerate(nested if isinstance(nested, list) else ()):
        end = next(at_path(permit, "period.end"), None)
        if not isinstance(end, str):
            continue
        start = next(at_path(permit, "period.start"), None)
        from_us = min(
            span(start)[0] if isinstance(start, str) else at_us, at_us, _signed_us(consent, at_us) + DAY_US
        )
        for _system, purpose in codings(permit.get("purpose")):
            longest = longest_us(purpose, limits)
            # The end is a whole day, so that a permit signed in the afternoon may name the last day itself.
            if span(end)[0] - from_us > longest:
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


def _signed_us(consent: dict[str, Any], at_us: int) -> int:
    """Gives when it was signed; of a date without a time the end of that day."""
    signed = consent.get("dateTime")
    if not isinstance(signed, str):
        return at_us
    return span(signed)[0 if "T" in signed else 1]


def _unchanged(consent: dict[str, Any], before: dict[str, Any], kind: str, at_us: int) -> Iterator[Issue]:
    if kind != kind_of(before):
        yield _fixed("The kind of a consent is fixed when it is made.", "category")
    if consent.get("patient") != before.get("patient"):
        yield _fixed("Whose consent it is cannot change.", "patient")
    if before.get("status") != "active" or kind == "refusal":
        return
    goes_on = consent.get("status") == "active"
    for element in (*_SIGNED, *(_SIGNED_WHILE_IT_RUNS if goes_on else ())):
        if consent.get(element) != before.get(element):
            yield _fixed(_CHANGED, element)
    if consent.get("provision") != before.get("provision") and not _narrower(consent, before, kind, at_us):
        yield _fixed(_CHANGED, "provision")
    if goes_on:
        yield from _extensions_issues(consent, before, at_us)


_CHANGED = (
    "What was signed cannot be changed, but for saying less. End this consent and have a new one signed."
)


def _narrower(consent: dict[str, Any], before: dict[str, Any], kind: str, at_us: int) -> bool:
    """Tells whether the new version of a release allows no more than the one she signed, a check-in aside."""
    if kind != "release":
        return False
    old, new = (compile_consent("", "", confirmed(one, at_us), authored=False) for one in (before, consent))
    return narrower_or_equal(old, new)


def _extensions_issues(consent: dict[str, Any], before: dict[str, Any], at_us: int) -> Iterator[Issue]:
    """Gives what is wrong with what the hub reads beside the provision: only a check-in may be added.

    Source: ``practice.md`` 4 (check-in: confirm, narrow or end).
    """
    for url in _SIGNED_EXTENSIONS:
        if list(extensions(consent, url)) != list(extensions(before, url)):
            yield _fixed(_CHANGED, f"extension('{url}')")
    known, told = check_ins(before), check_ins(consent)
    path = f"extension('{CHECK_IN}')"
    if told[: len(known)] != known:
        yield _fixed("A check-in that was written down stays as it is.", path)
    signed_us = _signed_us(before, at_us)
    for text in told[len(known) :]:
        if not signed_us <= span(text)[0] <= at_us + _CLOCKS_US:
            yield _fixed("A check-in is after the signature and not in the future.", path)


def _fixed(text: str, element: str) -> Issue:
    return Issue("error", "business-rule", text, f"Consent.{element}")
