"""Who has what, in rows: the answer of $disclosures by organisation, by day and by kind."""

from typing import Any

from referral_hub.access.consent_life import DAY_US
from referral_hub.casework.disclosures_told import WEEKS, told_of
from referral_hub.fhir.dates import instant

NOW_US = 1_795_000_000_000_000


def disclosure(
    days: float, unit: str, outcome: str = "disclosed", what: str = "read", kind: str = "Patient"
) -> Any:
    return {
        "name": "disclosure",
        "part": [
            {"name": "when", "valueInstant": instant(NOW_US - int(days * DAY_US))},
            {"name": "what", "valueCode": what},
            {"name": "outcome", "valueCode": outcome},
            {"name": "recipient", "valueReference": {"reference": f"Organization/{unit}"}},
            {"name": "purpose", "valueCode": "TREAT"},
            {"name": "resource", "valueUri": f"{kind}/x"},
        ],
    }


def recall(late: bool) -> Any:
    return {
        "name": "recall",
        "part": [
            {"name": "recipient", "valueReference": {"reference": "Organization/c"}},
            {"name": "status", "valueCode": "completed"},
            {"name": "asked", "valueInstant": instant(NOW_US)},
            {"name": "due", "valueInstant": instant(NOW_US)},
            {"name": "answer", "valueCode": "kept-by-law"},
            {"name": "answered", "valueInstant": instant(NOW_US)},
            {"name": "law", "valueString": "section 29"},
            {"name": "late", "valueBoolean": late},
        ],
    }


def test_lines_are_counted_by_organisation_and_week() -> None:
    given = [
        disclosure(0, "c"),
        disclosure(8, "c", kind="Task"),
        disclosure(400, "c"),
        disclosure(1, "d", "refused"),
    ]
    told = told_of({"parameter": given}, NOW_US)
    first, second = told.units
    assert (first.id, first.looked, first.refused, first.types) == ("c", 3, 0, {"Patient", "Task"})
    assert (first.last_us, first.first_us) == (NOW_US, NOW_US - 400 * DAY_US)
    assert first.weeks == [0] * (WEEKS - 2) + [1, 1]
    assert (second.looked, second.refused) == (0, 1)
    assert [line.unit for line in told.refused] == ["d"]
    assert told.lines[0].at_us == NOW_US, "newest first"
    assert told.lines[0].act == "looked"


def test_a_recall_tells_its_answer_and_its_law() -> None:
    (told,) = told_of({"parameter": [recall(late=True)]}, NOW_US).recalls
    assert (told.unit, told.answer, told.law, told.late) == ("c", "kept-by-law", "section 29", True)


def test_what_was_beside_permission_is_told_apart() -> None:
    given = {
        "name": "compelled-disclosure",
        "part": [
            {"name": "when", "valueInstant": instant(NOW_US)},
            {"name": "status", "valueCode": "completed"},
            {"name": "decision", "valueCode": "confirm"},
            {"name": "order-kind", "valueCode": "court-order"},
        ],
    }
    told = told_of({"parameter": [given]}, NOW_US)
    assert [(one.kind, one.decision, one.said) for one in told.beside] == [
        ("compelled-disclosure", "confirm", ("court-order",))
    ]
    assert told_of({}, NOW_US).lines == ()
