"""From a form that was filled in with her to the Consent it means, and to the paper that shows it was signed.

What lives here: choosing within a draft, signing it, going on with one that ends, and the signed paper. What does not:
the draft itself (``casework.consent_drafts``), the rules of signing (``exchange.consent_signing``), reading a request
(``web.portal``), files that were handed in (``casework.scans``).

What a form can say is what the template of its purpose offers: the least, less than that, and what may be ticked. A
form that says more was not made by a page of this hub, and is refused.

Source: ``practice.md`` 1 to 4 and 7; ``consent.md`` F-01, F-04, F-07, F-21, F-22.
"""

import base64
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from referral_hub.access.consent_life import CHECK_IN, DAY_US
from referral_hub.casework.consent_drafts import CATEGORY
from referral_hub.casework.consent_templates import RETURN_CATEGORIES, Template, template_of
from referral_hub.errors import InvalidResource
from referral_hub.exchange.consent_evidence import EVIDENCE, part
from referral_hub.exchange.contact_lost import RENEWAL_OF
from referral_hub.exchange.minors import REPRESENTED
from referral_hub.fhir.canonical import code_system
from referral_hub.fhir.dates import instant, span
from referral_hub.fhir.elements import at_path, codings, extension, reference_text, text_at
from referral_hub.fhir.outcome import Issue

LOINC = "http://loinc.org"
CONSENT_FORM = "59284-0"
PERMIT = "Consent.provision.provision[0]"


@dataclass(frozen=True, slots=True)
class Interpreted:
    """Who interpreted: an agency and a staff number. A line that was lost is no permission."""

    agency: str
    staff_number: str
    mode: str
    no_ties: bool
    line_held: bool = True


@dataclass(frozen=True, slots=True)
class Agreed:
    """Who agreed for a child, or with her, and what she herself says."""

    own_view: str = ""
    no_suspect: bool = False
    not_refused: bool = False
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Signature:
    """How a permission was given.

    Args:
        how: ``drawn``, ``mark``, ``paper`` or ``spoken``.
        language: in which she was shown or read it.
        digest: SHA-256 of the text she was shown.
        reader: id of the organisation that read it to her.
        performers: who agreed, as ``Type/id``.
        explained_back: she explained it in her own words; None where nobody said.
        witness: a staff number of her organisation; empty for none.
        interpreter: who interpreted; None where nobody did.
        agreed: for a child; None where she agrees alone.
    """

    how: str
    language: str
    digest: str
    reader: str
    performers: tuple[str, ...]
    explained_back: bool | None = None
    witness: str = ""
    interpreter: Interpreted | None = None
    agreed: Agreed | None = None


@dataclass(frozen=True, slots=True)
class Attached:
    """One piece of the signed paper: its media type, its bytes, and the id of the Binary that is to hold them."""

    media_type: str
    content: bytes
    binary: str = ""


def permit_of(consent: Mapping[str, Any]) -> dict[str, Any]:
    """Gives the one permit of a release; an empty one where there is none."""
    return next((one for one in at_path(consent, "provision.provision") if isinstance(one, dict)), {})


def receiver_of(consent: Mapping[str, Any]) -> str:
    """Gives the id of the unit that a release is for."""
    found = next(at_path(permit_of(consent), "actor.reference"), None)
    return reference_text(found).partition("/")[2]


def purpose_of(consent: Mapping[str, Any]) -> str:
    """Gives the purpose of a release."""
    return next((code for _, code in codings(permit_of(consent).get("purpose"))), "")


def categories_of(consent: Mapping[str, Any]) -> tuple[str, ...]:
    """Gives the kinds of information a release names, in its own order, of all its permits."""
    return tuple(
        dict.fromkeys(
            code
            for permit in at_path(consent, "provision.provision")
            for system, code in codings(permit.get("class") if isinstance(permit, dict) else None)
            if system == CATEGORY
        )
    )


def language_of(consent: Mapping[str, Any]) -> str:
    """Gives the language the form is or was shown in; empty where nobody said."""
    found = part(extension(consent, EVIDENCE), "language")
    return found if isinstance(found, str) else ""


def days_of(consent: Mapping[str, Any]) -> int:
    """Gives how many days a release runs, rounded up."""
    start, end = (text_at(permit_of(consent), f"period.{name}") for name in ("start", "end"))
    return -((span(start)[0] - span(end)[0]) // DAY_US) if start and end else 0


def choices_of(purpose: str) -> Template:
    """Gives what a form for a purpose shows: what is on, and what may be ticked."""
    return template_of(purpose)


def lengths(longest: int) -> tuple[int, ...]:
    """Gives the lengths a form offers, in days, the longest first.

    >>> lengths(90), lengths(7)
    ((90, 60, 30, 7), (7, 3))
    """
    return (longest, *(days for days in (60, 30, 7, 3) if days < longest and (days > 3 or longest <= 7)))


def chosen(
    draft: Mapping[str, Any], categories: Collection[str], days: int, language: str, longest: int, at_us: int
) -> dict[str, Any]:
    """Gives a draft with what was chosen on the form.

    Args:
        draft: the Consent in draft, as stored; it is not altered.
        categories: what stays ticked.
        days: how long it is to run.
        language: of the form; empty leaves the one it has.
        longest: the longest for its purpose, in days.
        at_us: now: what is chosen runs from here.

    Raises:
        InvalidResource: something that the form did not offer (422).
    """
    template = choices_of(purpose_of(draft))
    offered = (*template.least, *template.offered)
    issues = []
    if draft.get("status") != "draft":
        issues.append(_issue("Consent.status", "What was signed is not changed. Make a new form."))
    if not set(categories) <= set(offered):
        issues.append(
            _issue(f"{PERMIT}.class", "For this purpose that is not offered. It is a form of its own.")
        )
    elif not categories:
        issues.append(_issue(f"{PERMIT}.class", "With nothing ticked there is nothing to allow."))
    if not 1 <= days <= longest:
        issues.append(
            _issue(f"{PERMIT}.period.end", f"For this purpose a permission lasts at most {longest} days.")
        )
    if issues:
        raise InvalidResource(issues)
    permit = {
        **permit_of(draft),
        "period": {"start": instant(at_us), "end": instant(at_us + days * DAY_US)},
        "class": [{"system": CATEGORY, "code": code} for code in offered if code in categories],
    }
    return {
        **in_language(draft, language or language_of(draft)),
        "provision": {"type": "deny", "provision": [permit]},
    }


def in_language(draft: Mapping[str, Any], language: str) -> dict[str, Any]:
    """Gives a draft that remembers in which language its form is shown."""
    kept = [one for one in draft.get("extension") or () if one.get("url") != EVIDENCE]
    if language:
        kept.append(
            {"url": EVIDENCE, "extension": [{"url": "language", "valueCode": language}]},
        )
    found = {name: value for name, value in draft.items() if name != "extension"}
    return {**found, "extension": kept} if kept else found


def signed(draft: Mapping[str, Any], signature: Signature, paper: str, at_us: int) -> dict[str, Any]:
    """Gives a draft as the permission that it is once she signed.

    Args:
        draft: the Consent in draft.
        signature: how it was given.
        paper: ``DocumentReference/id`` of what she signed.
        at_us: now.
    """
    kept = [one for one in draft.get("extension") or () if one.get("url") not in (EVIDENCE, REPRESENTED)]
    found = {
        **draft,
        "status": "active",
        "dateTime": instant(at_us),
        "performer": [{"reference": one} for one in signature.performers],
        "sourceReference": {"reference": paper},
        "extension": [*kept, evidence(signature), *represented(signature.agreed)],
    }
    found.pop("sourceAttachment", None)
    return found


def renewed(old: Mapping[str, Any], consent_id: str, days: int, at_us: int) -> dict[str, Any]:
    """Gives the draft of a permission that goes on from another: the same unit, purpose and things, from now.

    Args:
        old: the permission that ends; it is not altered.
        consent_id: its id.
        days: how long the new one runs.
        at_us: now.

    Source: ``practice.md`` 4 (renewal: same or narrower).
    """
    period = {"start": instant(at_us), "end": instant(at_us + days * DAY_US)}
    permits = [
        {**permit, "period": period}
        for permit in at_path(old, "provision.provision")
        if isinstance(permit, dict)
    ]
    names = ("resourceType", "scope", "category", "patient", "organization", "policy")
    return {
        **{name: old[name] for name in names if name in old},
        "status": "draft",
        "extension": [{"url": RENEWAL_OF, "valueReference": {"reference": f"Consent/{consent_id}"}}],
        "provision": {"type": "deny", "provision": permits},
    }


def on_form(consent: Mapping[str, Any], form_uri: str) -> dict[str, Any]:
    """Gives a draft that names the version of the form it is signed on."""
    return {**consent, "policy": [{"uri": form_uri}]}


def checked_in(consent: Mapping[str, Any], at_us: int) -> dict[str, Any]:
    """Gives a permission with the check-in of today: she was asked again, and it goes on as it is.

    Source: ``practice.md`` 4 (a check-in can only confirm, narrow or end).
    """
    known = list(consent.get("extension") or ())
    return {**consent, "extension": [*known, {"url": CHECK_IN, "valueDateTime": instant(at_us)}]}


def evidence(signature: Signature) -> dict[str, Any]:
    """Gives the extension that tells how a permission was given."""
    parts: list[dict[str, Any]] = [
        {"url": "language", "valueCode": signature.language},
        {"url": "text-digest", "valueString": signature.digest},
        {"url": "signature", "valueCode": signature.how},
        {"url": "reader", "valueReference": {"reference": f"Organization/{signature.reader}"}},
    ]
    if signature.explained_back is not None:
        parts.append({"url": "explained-back", "valueBoolean": signature.explained_back})
    if signature.witness:
        parts.append(
            {
                "url": "witness",
                "valueIdentifier": {"system": code_system("staff-number"), "value": signature.witness},
            }
        )
    who = signature.interpreter
    if who is not None:
        told: list[dict[str, Any]] = [
            {"url": "agency", "valueString": who.agency},
            {"url": "staff-number", "valueString": who.staff_number},
            {"url": "mode", "valueCode": who.mode},
            {"url": "no-ties", "valueBoolean": who.no_ties},
        ]
        if who.mode != "in-person":
            told.append({"url": "line-held", "valueBoolean": who.line_held})
        parts.append({"url": "interpreter", "extension": [one for one in told if _says(one)]})
    return {"url": EVIDENCE, "extension": [one for one in parts if _says(one)]}


def represented(agreed: Agreed | None) -> list[dict[str, Any]]:
    """Gives the extension that tells who agreed for a child; nothing where she agrees alone."""
    if agreed is None:
        return []
    parts: list[dict[str, Any]] = [
        {"url": "own-view", "valueCode": agreed.own_view},
        {"url": "guardian-no-suspect", "valueBoolean": agreed.no_suspect},
        {"url": "guardian-not-refused", "valueBoolean": agreed.not_refused},
        {"url": "urgent", "valueBoolean": agreed.urgent},
    ]
    return [
        {
            "url": REPRESENTED,
            "extension": [one for one in parts if _says(one) and one.get("valueBoolean", True)],
        }
    ]


def signed_paper(
    person: str, lines: Sequence[str], signature: Signature, attached: Attached | None, at_us: int
) -> dict[str, Any]:
    """Gives the DocumentReference of what she signed: the words of the form, and the scan or drawing.

    It states no kind of information, so no permission ever opens it to anybody.

    Args:
        person: ``Patient/id``.
        lines: what the form said, in her language.
        signature: how it was given.
        attached: the scan or the drawing; None for a mark or a spoken permission.
        at_us: now.
    """
    text = "\n".join(lines).encode()
    content: list[dict[str, Any]] = [
        {
            "attachment": {
                "contentType": "text/plain; charset=utf-8",
                "language": signature.language,
                "data": base64.b64encode(text).decode(),
                "creation": instant(at_us),
            }
        }
    ]
    if attached is not None:
        content.append(
            {"attachment": {"contentType": attached.media_type, "url": f"Binary/{attached.binary}"}}
        )
    return {
        "resourceType": "DocumentReference",
        "status": "current",
        "type": {"coding": [{"system": LOINC, "code": CONSENT_FORM}]},
        "subject": {"reference": person},
        "date": instant(at_us),
        "content": content,
    }


def binary_of(attached: Attached, document: str) -> dict[str, Any]:
    """Gives the Binary of a scan or a drawing; it is seen as its document is."""
    return {
        "resourceType": "Binary",
        "contentType": attached.media_type,
        "securityContext": {"reference": document},
        "data": base64.b64encode(attached.content).decode(),
    }


def says_back(consent: Mapping[str, Any]) -> bool:
    """Tells whether a release is the way back: it tells what came of it and nothing else."""
    return categories_of(consent) == RETURN_CATEGORIES


def _says(one: Mapping[str, Any]) -> bool:
    return all(value != "" for value in one.values())


def _issue(path: str, text: str) -> Issue:
    return Issue("error", "business-rule", text, path)
