"""What is asked when a permission begins, beside its form: the evidence, who agreed, renewal, speech, contact.

What lives here: gathering what those rules look at from the state of the write, and the rules that need several
Consents. What does not: rules of one Consent alone (``exchange.consent_rules``), of its evidence
(``exchange.consent_evidence``), of who agrees (``exchange.minors``).

Source: ``practice.md`` 2, 4, 7 and 9.
"""

from collections.abc import Iterator
from typing import Any

from referral_hub.access.consent_life import DAY_US, ENDED_EARLY, check_ins, narrower_or_equal
from referral_hub.access.provisions import compile_consent
from referral_hub.exchange.building import Draft, body_of
from referral_hub.exchange.consent_evidence import (
    SPOKEN,
    evidence_issues,
    evidence_of,
    form_issues,
    part,
    place,
)
from referral_hub.exchange.consent_policy import ADULT_YEARS, ConsentLimits
from referral_hub.exchange.contact_lost import RENEWAL_OF, follow, release_issues
from referral_hub.exchange.early_ends import remind_of_majority
from referral_hub.exchange.minors import Signing, birthday_us, is_represented, who_signs_issues
from referral_hub.exchange.ports import ResourceRow
from referral_hub.exchange.review_tasks import stop_asking
from referral_hub.fhir.canonical import INTERPRETER_REQUIRED
from referral_hub.fhir.dates import span
from referral_hub.fhir.elements import at_path, codings, extension, reference_text
from referral_hub.fhir.outcome import Issue
from referral_hub.fhir.references import normalise

SPOKEN_US = 3 * DAY_US
_CLOCKS_US = 600 * 1_000_000
_DAY_AHEAD_US = 14 * 3600 * 1_000_000
"""How far a date without a time may lie ahead of UTC: it is tomorrow already in the east."""


def begins(consent: dict[str, Any], before: dict[str, Any] | None) -> bool:
    """Tells whether a Consent becomes active with this version."""
    return consent.get("status") == "active" and (before is None or before.get("status") != "active")


def asked_again(consent: dict[str, Any], before: dict[str, Any] | None) -> bool:
    """Tells whether this version tells of a check-in that the one before did not have."""
    return before is not None and before.get("status") == "active" and check_ins(consent) != check_ins(before)


def signing_issues(
    consent: dict[str, Any], patient: ResourceRow, row_id: int | None, draft: Draft, limits: ConsentLimits
) -> Iterator[Issue]:
    """Gives what keeps a release from beginning, each with its element.

    Args:
        consent: the release, about to be active.
        patient: the row of the person.
        row_id: the row of the Consent where it is stored already.
        draft: the Change in the making.
        limits: what the network decided.
    """
    policy = limits.policy
    source, source_issue = _source(consent, patient, draft)
    yield from source_issue
    evidence = evidence_of(consent, source)
    file = body_of(patient)
    yield from _signed_when(consent, draft.at_us)
    yield from evidence_issues(
        consent,
        evidence,
        policy,
        readers_in_question=_receiving(consent, evidence, patient, draft),
        needs_interpreter=(extension(file, INTERPRETER_REQUIRED) or {}).get("valueBoolean") is True,
    )
    yield from form_issues(consent, evidence, policy)
    if part(evidence, "signature") == SPOKEN:
        yield from _spoken_once(consent, patient, row_id, draft)
    author = draft.working.organization(patient.author)
    performers = tuple(_local(one, draft) for one in at_path(consent, "performer"))
    relatives = _relatives(performers, patient, draft)
    ages = policy.ages_in(author.facts.country if author is not None else "")
    yield from who_signs_issues(
        Signing(
            consent,
            file,
            f"Patient/{patient.id}",
            performers,
            relatives,
            ages,
            draft.at_us,
            says_age=policy.evidence == "full",
        )
    )
    yield from _renewal_issues(consent, patient, draft)
    yield from release_issues(consent, patient, draft)


def follow_life(row: ResourceRow, body: dict[str, Any], before: dict[str, Any] | None, draft: Draft) -> None:
    """Writes what a new version means for her permissions: her majority known or changed, her return.

    Args:
        row: what was written.
        body: its content.
        before: the version before, or None.
        draft: the Change in the making.
    """
    if row.type == "Observation":
        patient = draft.working.row(row.person)
        if patient is not None:
            follow(row, body, patient, draft)
    elif row.type == "Consent" and row.kind == "release":
        _follow_release(row, body, before, draft)
    elif (
        row.type == "Patient"
        and before is not None
        and birthday_us(body, ADULT_YEARS) != birthday_us(before, ADULT_YEARS)
    ):
        remind_of_majority(row, body, draft)


def _follow_release(
    row: ResourceRow, body: dict[str, Any], before: dict[str, Any] | None, draft: Draft
) -> None:
    """Sets the timer of her majority where somebody else signed, and closes what was asked and is answered now."""
    if row.status == "active" and is_represented(body):
        patient = draft.working.row(row.person)
        if patient is not None:
            remind_of_majority(patient, body_of(patient), draft)
    if before is not None and (row.status != "active" or asked_again(body, before)):
        stop_asking(row, draft)


def _source(
    consent: dict[str, Any], patient: ResourceRow, draft: Draft
) -> tuple[dict[str, Any] | None, list[Issue]]:
    """Gives the paper a Consent names as its source, which is about her as well."""
    text = _local(consent.get("sourceReference"), draft)
    row = draft.working.resources([text]).get(text) if text else None
    if row is None or row.deleted:
        return None, []  # the reference itself is judged where all references are
    if row.person != patient.row_id:
        return None, [_issue("Consent.sourceReference", "The signed form is about the same person.")]
    return body_of(row), []


def _signed_when(consent: dict[str, Any], at_us: int) -> Iterator[Issue]:
    text = consent.get("dateTime")
    if not isinstance(text, str):
        return
    ahead_us = _CLOCKS_US if "T" in text else _DAY_AHEAD_US
    if span(text)[0] > at_us + ahead_us:
        yield _issue("Consent.dateTime", "She cannot have signed in the future: say when she did.")


def _receiving(
    consent: dict[str, Any], evidence: dict[str, Any], patient: ResourceRow, draft: Draft
) -> frozenset[str]:
    """Gives the receiving unit and all above it, and the reader's own where it is below one of them.

    Her own organisation may read the way back to her: there it is the one that receives.
    """
    found: set[str] = set()
    reader = _local(part(evidence, "reader"), draft).partition("/")[2]
    reading = draft.working.organization(reader) if reader else None
    for reference in at_path(consent, "provision.provision.actor.reference"):
        unit = reference_text(reference).partition("/")[2]
        receiver = draft.working.organization(unit) if unit and unit != patient.author else None
        if receiver is None:
            continue
        found.update((unit, *receiver.facts.ancestors))
        if reading is not None and unit in reading.facts.ancestors:
            found.add(reader)
    return frozenset(found)


def _local(reference: Any, draft: Draft) -> str:
    """Gives ``Type/id`` of a reference to a resource of this hub, however it is spelt."""
    return normalise(reference_text(reference), draft.own_bases).partition("/_history/")[0]


def _relatives(performers: tuple[str, ...], patient: ResourceRow, draft: Draft) -> frozenset[str]:
    rows = draft.working.resources([text for text in performers if text.startswith("RelatedPerson/")])
    return frozenset(
        text
        for text, row in rows.items()
        if row.person == patient.row_id and row.author == patient.author and not row.deleted
    )


def _spoken_once(
    consent: dict[str, Any], patient: ResourceRow, row_id: int | None, draft: Draft
) -> Iterator[Issue]:
    """Gives what is wrong with a spoken permission's length, and with one that was given before."""
    for index, permit in enumerate(at_path(consent, "provision.provision")):
        for end in at_path(permit, "period.end"):
            if isinstance(end, str) and span(end)[0] > draft.at_us + SPOKEN_US:
                yield _issue(
                    f"Consent.provision.provision[{index}].period.end",
                    "A spoken permission lasts 72 hours at most. Until then it is signed, or it ends.",
                )
    wanted = _what_for(consent)
    for known in draft.working.consents(patient.row_id):
        if known.row_id == row_id or known.status not in ("active", "inactive"):
            continue
        row = draft.working.row(known.row_id)
        if row is None or row.kind != "release" or row.deleted:
            continue
        other = body_of(row)
        spoken = part(evidence_of(other, _source(other, patient, draft)[0]), "signature") == SPOKEN
        if spoken and not wanted.isdisjoint(_what_for(other)):
            yield _issue(
                place("signature"), "A permission is not renewed by word of mouth. Have this one signed."
            )
            return


def _what_for(consent: dict[str, Any]) -> set[tuple[str, str]]:
    """Gives the pairs of receiving unit and purpose of a release."""
    return {
        (reference_text(reference), code)
        for permit in at_path(consent, "provision.provision")
        for reference in at_path(permit, "actor.reference")
        for _, code in codings(permit.get("purpose"))
    }


def _renewal_issues(consent: dict[str, Any], patient: ResourceRow, draft: Draft) -> Iterator[Issue]:
    """Gives what a renewal says beyond the permission it goes on from.

    Source: ``practice.md`` 4 (same or narrower; wider is a new form).
    """
    mark = extension(consent, RENEWAL_OF)
    if mark is None:
        return
    path = f"Consent.extension('{RENEWAL_OF}')"
    text = _local(mark.get("valueReference"), draft)
    row = draft.working.resources([text]).get(text)
    if row is None or row.kind != "release" or row.person != patient.row_id or row.deleted:
        yield _issue(path, "Name the permission of hers that is renewed, as Consent/id.")
        return
    old_body = body_of(row)
    if row.status != "active" or extension(old_body, ENDED_EARLY) is not None:
        yield _issue(path, "What she ended, or what never began, is not renewed. Have a new form signed.")
        return
    old = compile_consent(row.id, row.version, old_body, authored=False)
    new = compile_consent("", "", consent, authored=False)
    if not narrower_or_equal(old, new, times=False):
        yield _issue(path, "A renewal says the same or less. What is wider is a new form of its own.")


def _issue(path: str, text: str) -> Issue:
    return Issue("error", "business-rule", text, path)
