"""Whose part of a Task is whose."""

from typing import Any

import pytest

from referral_hub.access.task_parts import (
    is_note_of,
    is_others_note,
    is_owners_identifier,
    owned_after,
    owned_elements,
)
from tests.unit.access.redaction_cases import identifier, reference

CLINIC = "clinic-1"


@pytest.mark.parametrize(
    ("item", "mine"),
    [
        (identifier("FILL", "7"), True),
        (identifier("FILL", "7", assigner={"reference": "Organization/clinic-1"}), True),
        (identifier("FILL", "7", assigner=reference("Organization/other-9")), False),
        (identifier("FILL", "7", assigner={"display": "somebody"}), False),
        (identifier("PLAC", "7"), False),
        ({"system": "urn:x", "value": "7"}, False),
        ({"type": {"coding": [{"system": "urn:x", "code": "FILL"}]}, "value": "7"}, False),
        ("FILL", False),
    ],
)
def test_an_identifier_of_the_owner(item: Any, mine: bool) -> None:
    assert is_owners_identifier(item, CLINIC) is mine


@pytest.mark.parametrize(
    ("note", "mine", "theirs"),
    [
        ({"authorReference": {"reference": "Organization/clinic-1"}}, True, False),
        ({"authorReference": {"reference": "Organization/other-9"}}, False, True),
        ({"authorReference": {"reference": "Practitioner/x"}}, False, False),
        ({"authorString": "Organization/clinic-1"}, False, False),
        ({"text": "no author"}, False, False),
        (None, False, False),
    ],
)
def test_notes_are_told_apart_by_the_organisation_they_name(note: Any, mine: bool, theirs: bool) -> None:
    assert is_note_of(note, CLINIC) is mine
    assert is_others_note(note, CLINIC) is theirs


def test_who_wrote_last_owns_the_element() -> None:
    sent = {"status": "requested", "businessStatus": 1, "statusReason": 1}
    taken = {"status": "accepted", "statusReason": 1}
    own = owned_after(frozenset({"businessStatus"}), sent, taken, by_reader=True)
    assert own == {"status"}
    assert owned_after(own, taken, {**taken, "status": "cancelled"}, by_reader=False) == frozenset()
    assert owned_after(own, taken, taken, by_reader=False) == own


def test_outputs_stay_the_owners_whoever_touches_the_task_later() -> None:
    versions: list[tuple[bool, dict[str, Any]]] = [
        (False, {"status": "requested"}),
        (True, {"status": "completed", "output": [1], "statusReason": 1}),
        (False, {"status": "entered-in-error", "output": [1, 2], "statusReason": 2}),
    ]
    assert owned_elements(versions) == {"output"}
    assert owned_elements(versions[:2]) == {"status", "output", "statusReason"}
    assert owned_elements([]) == frozenset()
