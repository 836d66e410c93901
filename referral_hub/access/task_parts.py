"""Whose part of a Task is whose: what the recipient writes into a Task that somebody else authored.

What lives here: how an identifier, a note or an output is known to be the owner's or the author's, and
which elements an organisation wrote last. What does not: who reads them (``access.redact_task``), how an
update is put together (``access.writeback``).

The rules stand on what each side may write: outputs and the executionPeriod are the owner's only, an
identifier of type FILL is the owner's, every other the author's, and a note that somebody else added names
that organisation.

Source: ``views.md`` 1 to 3; FHIR R4 ``task.html``; HL7 v2 table 0203 (PLAC, FILL).
"""

from collections.abc import Iterable, Mapping
from typing import Any

from referral_hub.fhir.canonical import V2_0203
from referral_hub.fhir.elements import reference_text

TRACKED = ("status", "statusReason", "businessStatus", "executionPeriod", "output")
"""Elements both sides may find changed by the other; who wrote the present value decides how it is shown."""


def organization(organization_id: str) -> str:
    """Gives the reference to an organisation.

    >>> organization("clinic-1")
    'Organization/clinic-1'
    """
    return f"Organization/{organization_id}"


def identifier_type(identifier: Any) -> str:
    """Gives ``PLAC`` or ``FILL`` as the identifier says, or an empty text.

    >>> identifier_type({"type": {"coding": [{"system": V2_0203, "code": "FILL"}]}, "value": "7"})
    'FILL'
    """
    if not isinstance(identifier, dict):
        return ""
    kind = identifier.get("type")
    found = kind.get("coding") if isinstance(kind, dict) else None
    for coding in found if isinstance(found, list) else ():
        if (
            isinstance(coding, dict)
            and coding.get("system") == V2_0203
            and coding.get("code") in ("PLAC", "FILL")
        ):
            return str(coding["code"])
    return ""


def is_owners_identifier(identifier: Any, owner: str) -> bool:
    """Says whether an identifier of a Task is the owner's own: type FILL, assigned by nobody else."""
    if identifier_type(identifier) != "FILL":
        return False
    assigner = identifier.get("assigner")
    return assigner is None or reference_text(assigner) == organization(owner)


def note_writer(note: Any) -> str:
    """Gives the ``Organization/id`` a note is signed with, or an empty text.

    >>> note_writer({"authorReference": {"reference": "Organization/clinic-1"}, "text": "Ring twice."})
    'Organization/clinic-1'
    """
    text = reference_text(note.get("authorReference")) if isinstance(note, dict) else ""
    return text if text.startswith("Organization/") else ""


def is_note_of(note: Any, organization_id: str) -> bool:
    """Says whether a note is signed by this organisation."""
    return note_writer(note) == organization(organization_id)


def is_others_note(note: Any, organization_id: str) -> bool:
    """Says whether a note is signed by another organisation than this one."""
    writer = note_writer(note)
    return bool(writer) and writer != organization(organization_id)


def owned_after(
    own: frozenset[str], before: Mapping[str, Any], after: Mapping[str, Any], *, by_reader: bool
) -> frozenset[str]:
    """Gives which elements of a Task an organisation wrote last, after one more version.

    Args:
        own: what it was before; empty at the start.
        before: the Task as it was; empty for the first version.
        after: the Task as written now.
        by_reader: this organisation wrote the version.

    Returns:
        names out of ``TRACKED``.

    Source: ``views.md`` 1 (what the recipient authored itself stays readable to it), 2.

    >>> sorted(owned_after(frozenset(), {"status": "requested"}, {"status": "rejected"}, by_reader=True))
    ['status']
    """
    found = set(own)
    for name in TRACKED:
        if before.get(name) == after.get(name):
            continue
        if by_reader and name in after:
            found.add(name)
        elif name != "output":  # outputs are one side's only: nobody else's change makes them another's
            found.discard(name)
    return frozenset(found)


def owned_elements(versions: Iterable[tuple[bool, Mapping[str, Any]]]) -> frozenset[str]:
    """Gives which elements of a Task an organisation wrote last, from all its versions, oldest first.

    Args:
        versions: for each version whether the organisation wrote it, and the Task.

    >>> versions = [(False, {"status": "requested"}), (True, {"status": "accepted", "output": [1]})]
    >>> sorted(owned_elements(versions))
    ['output', 'status']
    """
    own: frozenset[str] = frozenset()
    before: Mapping[str, Any] = {}
    for by_reader, after in versions:
        own = owned_after(own, before, after, by_reader=by_reader)
        before = after
    return own
