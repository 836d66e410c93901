"""Who may agree for whom: the person herself, a child, her guardian, two professionals.

What lives here: her age as far as it is known, and the rules of who signs. What does not: the ages of the law
(``exchange.consent_policy``), what happens at eighteen (``exchange.early_ends``).

Where nothing says that she is grown up she is presumed a child. A birth date is never demanded; of a year or a month
the latest day counts.

Source: ``practice.md`` 7; ``consent.md`` C-03 and F-13.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from referral_hub.access.consent_life import DAY_US
from referral_hub.exchange.consent_evidence import part, place
from referral_hub.exchange.consent_policy import ADULT_YEARS, Ages
from referral_hub.fhir.canonical import structure
from referral_hub.fhir.dates import span
from referral_hub.fhir.elements import at_path, codings, extension, reference_text
from referral_hub.fhir.outcome import Issue

AGE_GROUP = structure("age-group")
REPRESENTED = structure("agreed-for-her")
"""Extension of a release: who agreed for her or with her, and what she herself said."""
URGENT_PURPOSES = frozenset({"TREAT", "ETREAT", "health-care", "first-night", "shelter-placement"})
"""Health and shelter: what two professionals may decide, and what a child's no does not stop where it is urgent."""
OWN_VIEWS = frozenset({"yes", "no", "too-young"})
PROFESSIONALS = 2
BEST_INTERESTS_US = 7 * DAY_US
_FULL_DATE = 10


@dataclass(frozen=True, slots=True)
class Signing:
    """What the rules look at: the release, her file, the purposes and the ages of the place, and the moment.

    ``performers`` are those who agreed, as ``Type/id``; ``relatives`` those of them that are a RelatedPerson of hers in
    the writer's own record. ``says_age``: the network demands that a file says whether she is grown up.
    """

    consent: dict[str, Any]
    patient: dict[str, Any]
    herself: str
    performers: tuple[str, ...]
    relatives: frozenset[str]
    ages: Ages
    at_us: int
    says_age: bool = True


def birthday_us(patient: Mapping[str, Any], years: int) -> int | None:
    """Gives when she turns so many years old at the latest; None where no birth date is known.

    >>> birthday_us({"birthDate": "1952-01-01"}, 18)
    0
    >>> birthday_us({"birthDate": "1952"}, 18) // DAY_US
    364
    """
    born = patient.get("birthDate")
    if not isinstance(born, str):
        return None
    try:
        span(born)
        day = _last_day(born) if len(born) == len("2026-11") else born + "-12-31"[len(born) - 4 :]
        year, rest = int(day[:4]) + years, day[4:]
        return span(f"{year:04d}-03-01" if rest == "-02-29" else f"{year:04d}{rest}")[0]
    except ValueError:
        return None


def is_child(patient: Mapping[str, Any], at_us: int) -> bool:
    """Tells whether she counts as a child: by her birth date, else unless her file says adult.

    >>> is_child({}, 0)
    True
    >>> is_child({"birthDate": "1951"}, 0)
    False
    """
    grown_us = birthday_us(patient, ADULT_YEARS)
    if grown_us is not None:
        return at_us < grown_us
    return (extension(patient, AGE_GROUP) or {}).get("valueCode") != "adult"


def age_is_told(patient: Mapping[str, Any]) -> bool:
    """Tells whether her file says anything of her age: a birth date, or an age group.

    >>> age_is_told({"birthDate": "1951"}), age_is_told({})
    (True, False)
    """
    return "birthDate" in patient or extension(patient, AGE_GROUP) is not None


def is_represented(consent: Mapping[str, Any]) -> bool:
    """Tells whether somebody else agreed for her or with her."""
    performers = [reference_text(one) for one in at_path(consent, "performer")]
    return any("/Patient/" not in f"/{text}" for text in performers)


def who_signs_issues(signing: Signing) -> Iterator[Issue]:
    """Gives what is wrong with who agreed.

    Args:
        signing: the release about to begin.

    Source: ``practice.md`` 7.
    """
    performers = signing.performers
    agreed = extension(signing.consent, REPRESENTED)
    alone = [text for text in performers if text == signing.herself]
    guardians = [text for text in performers if text.startswith("RelatedPerson/")]
    professionals = [text for text in performers if text.startswith(("Practitioner/", "PractitionerRole/"))]
    if len(alone) + len(guardians) + len(professionals) < len(performers):
        yield _issue(
            "Consent.performer", "Who agrees is she herself, her guardian, or the professionals who decide."
        )
    if any(text not in signing.relatives for text in guardians):
        yield _issue("Consent.performer", "A guardian is a RelatedPerson of hers in your own record.")
    if guardians:
        yield from _guardian_issues(agreed)
    child = is_child(signing.patient, signing.at_us)
    if child and alone and not (guardians or professionals or signing.says_age):
        # A plain FHIR client knows no age group. Its file is silent, which is not yet a doubt.
        child = age_is_told(signing.patient)
    if not child:
        if professionals:
            yield _issue(
                "Consent.performer", "Nobody decides for somebody who is grown up: she signs herself."
            )
        elif performers and not alone and not guardians:
            yield _issue("Consent.performer", "She signs herself.")
        return
    yield from _child_issues(signing, agreed, alone, guardians, professionals)


def _child_issues(
    signing: Signing, agreed: Any, alone: list[str], guardians: list[str], professionals: list[str]
) -> Iterator[Issue]:
    purposes = {code for _, code in codings(list(at_path(signing.consent, "provision.provision.purpose")))}
    urgent = part(agreed, "urgent") is True and bool(purposes) and purposes <= URGENT_PURPOSES
    if not guardians and not professionals:
        if not (alone and _may_sign_alone(signing, purposes)):
            yield _issue(
                "Consent.performer",
                "She counts as a child: her guardian signs with her, or two professionals decide for seven days. "
                "If she is grown up, say so in her file.",
            )
            return
    else:
        view = part(agreed, "own-view")
        if view not in OWN_VIEWS:
            yield _issue(place("own-view", REPRESENTED), "Record what she herself says to it: always.")
        elif view == "no" and not urgent:
            yield _issue(place("own-view", REPRESENTED), "She says no, and it is not urgent: her no stands.")
        yield from _ends_by_majority(signing)
    if professionals and not guardians:
        yield from _best_interests_issues(signing, professionals, urgent=urgent)


def _may_sign_alone(signing: Signing, purposes: set[str]) -> bool:
    """Tells whether the law of the place lets her agree alone to all of these purposes at her age."""
    ages = [signing.ages.alone.get(purpose) for purpose in purposes]
    if not ages or any(years is None for years in ages):
        return False
    grown_us = birthday_us(signing.patient, max(years for years in ages if years is not None))
    return grown_us is not None and grown_us <= signing.at_us


def _guardian_issues(agreed: Any) -> Iterator[Issue]:
    for name, text in (
        ("guardian-no-suspect", "Attest that the guardian is nobody suspected of harming her."),
        ("guardian-not-refused", "Attest that the guardian is none of those she refuses."),
    ):
        if part(agreed, name) is not True:
            yield _issue(place(name, REPRESENTED), text)


def _best_interests_issues(signing: Signing, professionals: list[str], *, urgent: bool) -> Iterator[Issue]:
    if len(set(professionals)) < PROFESSIONALS:
        yield _issue("Consent.performer", "Without a guardian two professionals decide together.")
    if not urgent:
        yield _issue(
            place("urgent", REPRESENTED),
            "Without a guardian only urgent health or shelter can be decided for her.",
        )
    for index, end in _ends(signing.consent):
        if span(end)[0] > signing.at_us + BEST_INTERESTS_US:
            yield _issue(
                f"Consent.provision.provision[{index}].period.end",
                "What two professionals decide lasts seven days at most.",
            )


def _ends_by_majority(signing: Signing) -> Iterator[Issue]:
    born = signing.patient.get("birthDate")
    grown_us = birthday_us(signing.patient, ADULT_YEARS)
    if grown_us is None or not isinstance(born, str) or len(born) < _FULL_DATE:
        return
    for index, end in _ends(signing.consent):
        if span(end)[0] > grown_us:
            yield _issue(
                f"Consent.provision.provision[{index}].period.end",
                "What somebody else signed for her ends on the day she comes of age. Choose an earlier end.",
            )


def _ends(consent: dict[str, Any]) -> Iterator[tuple[int, str]]:
    for index, permit in enumerate(at_path(consent, "provision.provision")):
        for end in at_path(permit, "period.end"):
            if isinstance(end, str):
                yield index, end


def _last_day(month: str) -> str:
    """Gives the last day of a month, as a date.

    >>> _last_day("2024-02")
    '2024-02-29'
    """
    days = (span(month)[1] - span(month)[0]) // DAY_US
    return f"{month}-{days:02d}"


def _issue(path: str, text: str) -> Issue:
    return Issue("error", "business-rule", text, path)
