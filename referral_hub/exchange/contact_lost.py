"""Contact lost: what pauses while nobody knows where she is, and what happens when she comes back.

What lives here: the state, its rules and the return. What does not: messages to her in general
(``exchange.safe_contact``), ending permissions (``exchange.early_ends``).

The state is the newest Observation ``contact-lost`` of her own organisation; it never leaves it. While it says yes
nothing is sent to her, nothing is renewed and her identity is not released anew; what runs goes on to its end. She
is known again by her safe word or her face: then a new EpisodeOfCare begins, and no permission of before runs on.

Source: ``practice.md`` 9.
"""

from collections.abc import Iterator
from typing import Any

from referral_hub.exchange.audit import DONE
from referral_hub.exchange.building import Draft, body_of
from referral_hub.exchange.change import AuditEntry, Row
from referral_hub.exchange.columns import columns_of
from referral_hub.exchange.early_ends import end_permissions
from referral_hub.exchange.ports import ResourceRow
from referral_hub.exchange.safe_contact import IN_PERSON
from referral_hub.fhir.canonical import code_system, structure
from referral_hub.fhir.dates import instant
from referral_hub.fhir.elements import at_path, code_in, codings, extension, reference_text
from referral_hub.fhir.outcome import Issue
from referral_hub.resources.catalog import DEFINITIONS

OBSERVATION = code_system("observation")
CONTACT_LOST = "contact-lost"
RECOGNISED_BY = code_system("recognised-by")
_LOCKS = ("account_pause_person", "browser_session_end_person", "oauth_token_end_own")
"""Rows that lock her code and her own pages (``store.account_statements``)."""
RENEWAL_OF = structure("renewal-of")
"""Extension of a release: the permission that it goes on from."""


def is_lost(patient: ResourceRow, draft: Draft) -> bool:
    """Tells whether contact with her is lost, as her own organisation said last."""
    found = draft.working.newest_observation(patient.row_id, f"{OBSERVATION}|{CONTACT_LOST}", patient.author)
    return found is not None and body_of(found).get("valueBoolean") is True


def has_died(patient: ResourceRow) -> bool:
    """Tells whether her own organisation wrote that she died."""
    body = body_of(patient)
    return body.get("deceasedBoolean") is True or bool(body.get("deceasedDateTime"))


def cannot_be_asked(patient: ResourceRow, draft: Draft) -> bool:
    """Tells whether everything pauses that takes her word: contact is lost, or she died."""
    return has_died(patient) or is_lost(patient, draft)


def says_contact(observation: dict[str, Any]) -> bool:
    """Tells whether an Observation is about contact with her being lost or found again."""
    return code_in(observation.get("code"), OBSERVATION) == CONTACT_LOST


def observation_issues(
    observation: dict[str, Any], patient: ResourceRow, writer: str, draft: Draft
) -> Iterator[Issue]:
    """Gives what is wrong with saying that contact is lost, or that she is back.

    Args:
        observation: the Observation to be.
        patient: her row.
        writer: the organisation that writes.
        draft: the Change in the making.
    """
    if not says_contact(observation):
        return
    if writer != patient.author:
        yield _issue("Observation.subject", "Only the organisation that opened her file says this.")
        return
    lost = observation.get("valueBoolean")
    if not isinstance(lost, bool):
        yield _issue("Observation.valueBoolean", "Say yes (contact is lost) or no (she is back).")
    elif not lost and not _recognised(observation) and is_lost(patient, draft):
        yield _issue("Observation.method", "Say how she was recognised: by her safe word or by her face.")


def message_issues(communication: dict[str, Any], patient: ResourceRow, draft: Draft) -> Iterator[Issue]:
    """Gives one issue where a message to her would go out while contact is lost; speaking in person may."""
    to_her = any(reference_text(one).startswith("Patient/") for one in communication.get("recipient") or ())
    media = {code for _, code in codings(communication.get("medium"))}
    if to_her and not (media and media <= IN_PERSON) and cannot_be_asked(patient, draft):
        yield _issue(
            "Communication.medium",
            "Contact with her is lost, so nothing is sent to her. Follow only what she planned for this.",
        )


def release_issues(consent: dict[str, Any], patient: ResourceRow, draft: Draft) -> Iterator[Issue]:
    """Gives what a permission cannot do while contact is lost: be renewed, or release who she is."""
    if not cannot_be_asked(patient, draft):
        return
    named = {code for _, code in codings(list(at_path(consent, "provision.provision.class")))}
    if extension(consent, RENEWAL_OF) is not None:
        path = f"Consent.extension('{RENEWAL_OF}')"
        yield _issue(path, "Contact with her is lost: nothing is renewed until she is back.")
    elif "identity" in named or next(at_path(consent, "provision.provision.data"), None) is not None:
        yield _issue("Consent.status", "Contact with her is lost: who she is is told to nobody new.")


def check_in_issues(patient: ResourceRow, draft: Draft) -> Iterator[Issue]:
    """Gives one issue where she cannot have been asked, because contact with her is lost."""
    if cannot_be_asked(patient, draft):
        yield _issue("Consent.extension", "Contact with her is lost: nothing is confirmed until she is back.")


def follow(row: ResourceRow, body: dict[str, Any], patient: ResourceRow, draft: Draft) -> None:
    """Does in the same Change what lost contact and her return bring.

    Lost: her code, her pages and her own tokens are locked, until a new code is handed over. Back: a new EpisodeOfCare
    begins, and what was signed before ends.
    """
    if not says_contact(body) or row.author != patient.author:
        return
    if body.get("valueBoolean") is True:
        for name in _LOCKS:
            draft.settle(Row(name, {"person": patient.row_id}))
    elif is_lost(patient, draft):
        _return(row, patient, draft)


def _return(row: ResourceRow, patient: ResourceRow, draft: Draft) -> None:
    episode = {
        "resourceType": "EpisodeOfCare",
        "status": "active",
        "patient": {"reference": f"Patient/{patient.id}"},
        "managingOrganization": {"reference": f"Organization/{patient.author}"},
        "period": {"start": instant(draft.at_us)},
    }
    row_id = draft.ids.row_id(draft.at_us)
    named = {f"Patient/{patient.id}": patient}
    columns, _ = columns_of(DEFINITIONS["EpisodeOfCare"], episode, named, own_row=row_id, author_kind="")
    begun = draft.create(
        episode, columns, row_id=row_id, public_id=draft.ids.public_id(), author=patient.author
    )
    draft.audit.append(
        AuditEntry(
            at_us=draft.at_us,
            action="C",
            interaction="create",
            outcome=DONE,
            organization=row.author,
            oauth_client="",
            user="",
            purpose="",
            person=patient.row_id,
            entities=(f"{begun.type}/{begun.id}/{begun.version}",),
        )
    )
    end_permissions(patient, draft, reason="returned", which=lambda _: True)


def _recognised(observation: dict[str, Any]) -> bool:
    return code_in(observation.get("method"), RECOGNISED_BY) in ("safe-word", "face")


def _issue(path: str, text: str) -> Issue:
    return Issue("error", "business-rule", text, path)
