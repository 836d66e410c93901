"""What the server owns in a body: id, version, time; and small edits the hub makes in its own name.

What lives here: pure functions over decoded JSON that never change their argument. What does not: deciding
when an edit is due (``exchange.referrals``).

Source: FHIR R4 Resource.meta; ``views.md`` 5 (opaque versions).
"""

from typing import Any

from referral_hub.errors import InvalidResource
from referral_hub.fhir import json_codec
from referral_hub.fhir.canonical import PLACER, V2_0203
from referral_hub.fhir.dates import instant
from referral_hub.fhir.elements import code_in
from referral_hub.fhir.outcome import Issue
from referral_hub.fhir.xml_codec import is_beyond_xml
from referral_hub.resources.task import BUSINESS_STATUS

_BEYOND_XML = "A text holds a character that XML does not have (a control character, U+FFFE or U+FFFF)."


def stamped(body: dict[str, Any], *, public_id: str, version: str, at_us: int) -> dict[str, Any]:
    """Gives the body with the server's id, version and time, in FHIR's order.

    >>> stamped({"resourceType": "Task", "meta": {"tag": []}}, public_id="a", version="v", at_us=0)["meta"]
    {'versionId': 'v', 'lastUpdated': '1970-01-01T00:00:00.000000Z', 'tag': []}
    """
    given = body.get("meta")
    meta: dict[str, Any] = {"versionId": version, "lastUpdated": instant(at_us)}
    if isinstance(given, dict):
        meta.update({key: value for key, value in given.items() if key not in ("versionId", "lastUpdated")})
    rest = {key: value for key, value in body.items() if key not in ("resourceType", "id", "meta")}
    return {"resourceType": body["resourceType"], "id": public_id, "meta": meta, **rest}


def encoded(body: dict[str, Any]) -> bytes:
    """Gives the bytes a body is stored and served as.

    Raises:
        InvalidResource: it holds a character that XML does not have: 422 on the wire.
    """
    written = json_codec.encode(body)
    if is_beyond_xml(written):
        raise InvalidResource([Issue("error", "value", _BEYOND_XML, str(body.get("resourceType", "")))])
    return written


def with_business_status(task: dict[str, Any], code: str) -> dict[str, Any]:
    """Gives the Task with this finer step, or without one for an empty code."""
    changed = {key: value for key, value in task.items() if key != "businessStatus"}
    if code:
        changed["businessStatus"] = {"coding": [{"system": BUSINESS_STATUS, "code": code}]}
    return changed


def business_status_of(task: dict[str, Any]) -> str:
    """Gives the hub's business status code of a Task, or an empty text."""
    return code_in(task.get("businessStatus"), BUSINESS_STATUS)


def placer_number(resource: dict[str, Any]) -> str:
    """Gives the hub's placer number of a stored Task or ServiceRequest, or an empty text."""
    for identifier in resource.get("identifier") or ():
        if isinstance(identifier, dict) and identifier.get("system") == PLACER:
            return str(identifier.get("value", ""))
    return ""


def with_placer_identifier(task: dict[str, Any], number: str) -> dict[str, Any]:
    """Gives a Task or ServiceRequest that has the hub's placer number (PLAC), which both sides know it by.

    A number the author gave stays beside it and is shown to nobody else: its system could name the author.

    Source: BSeR and 360X ORC-2 (the number both sides know a referral by).
    """
    kept = [
        identifier
        for identifier in task.get("identifier") or ()
        if not (isinstance(identifier, dict) and identifier.get("system") == PLACER)
    ]
    placer = {
        "type": {"coding": [{"system": V2_0203, "code": "PLAC"}]},
        "system": PLACER,
        "value": number,
    }
    return {**task, "identifier": [*kept, placer]}
