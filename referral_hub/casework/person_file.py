"""A person's file as a caseworker opens it: what to call her, how to reach her, and nothing of what happened.

What lives here: the Patient and the first EpisodeOfCare out of a form, what a Patient is called, and her safety rules
read back. What does not: storing (``exchange.interactions``), whether a message may go out
(``exchange.safe_contact``), pages (``web.portal``).

There is no place for a story: no field asks what happened, and none is read.

Source: ``practice.md`` 1 and 13; ``views.md`` 9 (Safe contact).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from referral_hub.fhir.canonical import INTERPRETER_REQUIRED, structure
from referral_hub.fhir.elements import codings, extension, extensions

Resource = dict[str, Any]
SAFE_CONTACT = structure("safe-contact")
AGE_GROUP = structure("age-group")
NO_NAME = structure("no-name-referral")
LANGUAGE = "urn:ietf:bcp:47"
CHANNELS = ("in-person", "PHONE", "SMSWRIT", "EMAILWRIT")
"""Channels a form offers: in person, a call, a text message, an e-mail. What is not ticked is not allowed."""
_NAME_USES = ("anonymous", "usual", "nickname", "official")
_MARK = 5


@dataclass(frozen=True, slots=True)
class Safety:
    """How she may be reached; empty means not at all.

    Args:
        channels: codes of v3-ParticipationMode, or ``in-person``.
        hours: when, in words.
        safe_word: the word by which she is known to be herself and alone.
        meeting_point: a place that tells nothing.
    """

    channels: tuple[str, ...] = ()
    hours: str = ""
    safe_word: str = ""
    meeting_point: str = ""


@dataclass(frozen=True, slots=True)
class Opening:
    """What a form says of somebody whose file is opened.

    Args:
        name: to use here; empty where she gives none.
        child: under age, or that is in doubt.
        interpreter: whether she needs one.
        language: BCP 47 tag, or empty.
        safety: how she may be reached.
    """

    name: str
    child: bool
    interpreter: bool
    language: str
    safety: Safety


def opened(opening: Opening) -> Resource:
    """Gives the Patient of a new file.

    >>> opened(Opening("Lark", False, True, "vi", Safety()))["name"]
    [{'use': 'anonymous', 'text': 'Lark'}]
    """
    found: Resource = {
        "resourceType": "Patient",
        "extension": [
            {"url": AGE_GROUP, "valueCode": "child" if opening.child else "adult"},
            {"url": INTERPRETER_REQUIRED, "valueBoolean": opening.interpreter},
        ],
    }
    rules = safety_extension(opening.safety)
    if rules is not None:
        found["extension"].append(rules)
    if opening.name:
        found["name"] = [{"use": "anonymous", "text": opening.name}]
    if opening.language:
        spoken = {"coding": [{"system": LANGUAGE, "code": opening.language}]}
        found["communication"] = [{"language": spoken, "preferred": True}]
    return found


def episode(patient: str, organization: str, starts: str) -> Resource:
    """Gives one stretch of help, begun now; ``patient`` and ``organization`` are ids."""
    return {
        "resourceType": "EpisodeOfCare",
        "status": "active",
        "patient": {"reference": f"Patient/{patient}"},
        "managingOrganization": {"reference": f"Organization/{organization}"},
        "period": {"start": starts},
    }


def safety_extension(safety: Safety) -> Resource | None:
    """Gives her safety rules as an extension of Patient; None where there are none."""
    parts: list[Resource] = [{"url": "channel", "valueCode": code} for code in safety.channels]
    words = (
        ("hours", safety.hours),
        ("safe-word", safety.safe_word),
        ("meeting-point", safety.meeting_point),
    )
    parts += [{"url": url, "valueString": text} for url, text in words if text]
    return {"url": SAFE_CONTACT, "extension": parts} if parts else None


def with_safety(patient: Resource, safety: Safety) -> Resource:
    """Gives the Patient with these safety rules in place of those before."""
    kept = [one for one in patient.get("extension") or () if one.get("url") != SAFE_CONTACT]
    rules = safety_extension(safety)
    extensions_now = [*kept, rules] if rules is not None else kept
    rest = {name: value for name, value in patient.items() if name != "extension"}
    return {**rest, "extension": extensions_now} if extensions_now else rest


def safety_of(patient: Mapping[str, Any]) -> Safety:
    """Gives her safety rules; none of them where the reader has none."""
    rules = extension(patient, SAFE_CONTACT)

    def word(url: str) -> str:
        return next((str(one.get("valueString", "")) for one in extensions(rules, url)), "")

    return Safety(
        tuple(str(one.get("valueCode", "")) for one in extensions(rules, "channel")),
        word("hours"),
        word("safe-word"),
        word("meeting-point"),
    )


def called(patient: Mapping[str, Any] | None) -> str:
    """Gives what this reader may call her: the name to use here before any other; empty without one.

    >>> called({"name": [{"use": "official", "text": "L. Sparrow"}, {"use": "anonymous", "text": "Lark"}]})
    'Lark'
    """
    names = [one for one in (patient or {}).get("name") or () if isinstance(one, dict)]
    for use in (*_NAME_USES, None):
        for name in names:
            if use is None or name.get("use") == use:
                given = name.get("given") or ()
                said = name.get("text") or " ".join([*given, name.get("family", "")]).strip()
                if said:
                    return str(said)
    return ""


def mark_of(patient_id: str) -> str:
    """Gives the short mark that tells two persons of one name apart.

    >>> mark_of("78070564-a680-4e60-8ada-5d4df5c58546")
    '78070'
    """
    return patient_id[:_MARK].upper()


def is_child(patient: Mapping[str, Any]) -> bool:
    """Tells whether she is under age, or presumed so."""
    return (extension(patient, AGE_GROUP) or {}).get("valueCode") == "child"


def needs_interpreter(patient: Mapping[str, Any]) -> bool | None:
    """Tells whether she needs an interpreter; None where the reader is not told."""
    found = (extension(patient, INTERPRETER_REQUIRED) or {}).get("valueBoolean")
    return found if isinstance(found, bool) else None


def is_nameless(patient: Mapping[str, Any]) -> bool:
    """Tells whether it stands for somebody whose name is not told."""
    return (extension(patient, NO_NAME) or {}).get("valueBoolean") is True


def language_of(patient: Mapping[str, Any]) -> str:
    """Gives the tag of the first language that is told, or an empty text."""
    for one in patient.get("communication") or ():
        for _, code in codings(one.get("language")):
            return code
    return ""
