"""Permissions that end before their written end without a withdrawal: she comes of age, or she comes back.

What lives here: ending them, and the timer of her eighteenth birthday. What does not: how an early end is read
(``access.consent_life``), what the referrals of an ended permission look like (``outbound.timers``).

It is an end of sharing like any other: no Task is cancelled, nobody is recalled, the caseworker is told.

Source: ``practice.md`` 7 and 9; ``views.md`` 8 (expiry is not withdrawal).
"""

from collections.abc import Callable
from typing import Any

from referral_hub.access.consent_life import ENDED_EARLY
from referral_hub.access.grants import compile_rows
from referral_hub.access.provisions import compile_consent
from referral_hub.errors import HubError
from referral_hub.exchange.audit import DONE
from referral_hub.exchange.building import Draft, body_of
from referral_hub.exchange.change import AuditEntry, ConsentRows
from referral_hub.exchange.consent_policy import ADULT_YEARS
from referral_hub.exchange.minors import birthday_us
from referral_hub.exchange.ports import ResourceRow
from referral_hub.fhir.dates import instant
from referral_hub.fhir.elements import extension

CAME_OF_AGE = "came-of-age"


def end_permissions(
    patient: ResourceRow, draft: Draft, *, reason: str, which: Callable[[dict[str, Any]], bool]
) -> bool:
    """Ends the running permissions of a person that are meant; gives whether there was one.

    Args:
        patient: her row.
        draft: the Change in the making.
        reason: a code of sharing-ended-reason.
        which: tells of a Consent whether it is meant.
    """
    hub = draft.working.hub_organization()
    if hub is None:
        raise HubError("The network has no organisation of its own yet. Run referral-hub init.")
    ended = False
    for known in draft.working.consents(patient.row_id):
        row = draft.working.row(known.row_id)
        if row is None or row.deleted or row.status != "active" or row.kind != "release":
            continue
        body = body_of(row)
        if extension(body, ENDED_EARLY) is not None or not which(body):
            continue
        _end(row, body, patient, draft, reason=reason, hub=hub.facts.id)
        ended = True
    return ended


def _end(
    row: ResourceRow, body: dict[str, Any], patient: ResourceRow, draft: Draft, *, reason: str, hub: str
) -> None:
    mark = {
        "url": ENDED_EARLY,
        "extension": [
            {"url": "at", "valueDateTime": instant(draft.at_us)},
            {"url": "reason", "valueCode": reason},
        ],
    }
    ended = draft.revise(row, {**body, "extension": [*body.get("extension", ()), mark]}, written_by=hub)
    compiled = compile_consent(ended.id, ended.version, body_of(ended), authored=False)
    rows = compile_rows(compiled, consent_row=row.row_id, person=patient.row_id)
    draft.compile(ConsentRows(row.row_id, patient.row_id, *rows))
    draft.remind("consent-ended", row.row_id, draft.at_us)
    draft.audit.append(
        AuditEntry(
            at_us=draft.at_us,
            action="U",
            interaction="update",
            outcome=DONE,
            organization=hub,
            oauth_client="",
            user="",
            purpose="",
            person=patient.row_id,
            entities=(f"{ended.type}/{ended.id}/{ended.version}",),
            reason=reason,
        )
    )


def remind_of_majority(patient: ResourceRow, body: dict[str, Any], draft: Draft) -> None:
    """Sets the timer of the day she comes of age, where her birth date is known; at once where it has passed.

    Args:
        patient: her row.
        body: her file.
        draft: the Change in the making.
    """
    grown_us = birthday_us(body, ADULT_YEARS)
    if grown_us is not None:
        draft.remind(CAME_OF_AGE, patient.row_id, max(grown_us, draft.at_us))
