"""What is written down of a withdrawal, and what is answered to whoever said it.

What lives here: the Provenance of an ended consent, and the Parameters of the answer. What does not: the act
(``exchange.withdrawing``).

Source: ``consent.md`` D-30, D-42; ``views.md`` 8 and 9 (Her own acts); FHIR R4 Provenance.
"""

from dataclasses import dataclass, field
from typing import Any, Protocol

from referral_hub.exchange.building import Draft
from referral_hub.exchange.columns import private_columns
from referral_hub.exchange.ports import ResourceRow
from referral_hub.fhir.canonical import CANONICAL, CONSENT_SCOPE, code_system
from referral_hub.fhir.dates import instant
from referral_hub.resources.consent import CONSENT_KIND

_PART = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
_LOINC = "http://loinc.org"
ACTIVITY = f"{CANONICAL}/CodeSystem/activity"


@dataclass(slots=True)
class Withdrawn:
    """What came of a wish: ids of Consents, recipients, and of referrals that stay as they are.

    ``mixed``: a document that also forbade something ended, so a refusal is offered in its place.
    """

    everything: bool = False
    held: bool = False
    ended: list[str] = field(default_factory=list)
    narrowed: list[str] = field(default_factory=list)
    receivers: set[str] = field(default_factory=set)
    still_open: list[str] = field(default_factory=list)
    mixed: bool = False
    changed_elsewhere: bool = False

    @property
    def changed(self) -> bool:
        """Tells whether there is anything to store."""
        return bool(self.ended or self.narrowed or self.changed_elsewhere)


class Sayer(Protocol):
    """Who says it."""

    @property
    def organization(self) -> str:
        """Gives the organisation through which it is said."""

    @property
    def user(self) -> str:
        """Gives who enters it for her; an empty text for software."""

    @property
    def herself(self) -> bool:
        """Tells whether nobody enters it for her."""


def provenance(consent: ResourceRow, patient: ResourceRow, draft: Draft, *, by: Sayer, activity: str) -> None:
    """Writes who took back a permission and how: the person is its author, whoever typed it the one who entered it."""
    organization = {"reference": f"Organization/{by.organization}"}
    agents: list[dict[str, Any]] = [
        {"type": _agent("author"), "who": {"reference": f"Patient/{patient.id}"}},
    ]
    if not by.herself:
        entered = (
            {"who": {"display": by.user}, "onBehalfOf": organization} if by.user else {"who": organization}
        )
        agents.append({"type": _agent("enterer"), **entered})
    body: dict[str, Any] = {
        "resourceType": "Provenance",
        "target": [{"reference": f"Consent/{consent.id}/_history/{consent.version}"}],
        "recorded": instant(draft.at_us),
        "activity": {"coding": [{"system": ACTIVITY, "code": activity}]},
        "agent": agents,
    }
    draft.create(
        body,
        private_columns(consent.person),
        row_id=draft.ids.row_id(draft.at_us),
        public_id=draft.ids.public_id(),
        author=patient.author,
    )


def _agent(code: str) -> dict[str, Any]:
    return {"coding": [{"system": _PART, "code": code}]}


def answer(patient: ResourceRow, found: Withdrawn, draft: Draft) -> dict[str, Any]:
    """Gives what was stopped, what stays as it is, and what she may do besides, as Parameters."""
    parameter: list[dict[str, Any]] = [{"name": "acknowledged", "valueInstant": instant(draft.at_us)}]
    for name, ids in (("ended", found.ended), ("narrowed", found.narrowed)):
        parameter += [{"name": name, "valueReference": {"reference": f"Consent/{one}"}} for one in ids]
    if found.receivers:
        parameter.append({"name": "asking-back", "valueCode": "held" if found.held else "soon"})
    # No referral ends by this. Whether she still wants to go there is asked separately, and answered separately.
    parameter += [
        {"name": "still-open", "valueReference": {"reference": f"Task/{one}"}} for one in found.still_open
    ]
    if found.everything or found.mixed:
        parameter.append({"name": "offered-refusal", "resource": offered_refusal(patient)})
    return {"resourceType": "Parameters", "parameter": parameter}


def offered_refusal(patient: ResourceRow) -> dict[str, Any]:
    """Gives a refusal of everybody as a draft that nobody stored: it is hers to say, never said for her."""
    return {
        "resourceType": "Consent",
        "status": "draft",
        "scope": {"coding": [{"system": CONSENT_SCOPE, "code": "patient-privacy"}]},
        "category": [
            {"coding": [{"system": _LOINC, "code": "59284-0"}]},
            {"coding": [{"system": CONSENT_KIND, "code": "refusal"}]},
        ],
        "patient": {"reference": f"Patient/{patient.id}"},
        "organization": [{"reference": f"Organization/{patient.author}"}],
        "policy": [{"uri": code_system("consent-kind")}],
        "provision": {"type": "deny"},
    }
