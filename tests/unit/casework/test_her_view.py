"""What her pages make of what the hub tells: plain, complete, and silent about what a person tells first."""

from typing import Any

import pytest

from referral_hub.casework.her_view import KINDS, disclosed_of, permissions_of, promises_of

CLINIC, LAWYER = "clinic-1", "lawyer-1"


def told(name: str, **parts: Any) -> dict[str, Any]:
    made = []
    for part, value in parts.items():
        for one in value if isinstance(value, list) else [value]:
            kind = "valueReference" if part in ("recipient", "by") else "valueString"
            said = {"reference": f"Organization/{one}"} if kind == "valueReference" else one
            made.append({"name": part.replace("_", "-"), kind: said})
    return {"name": name, "part": made}


def disclosed(*entries: dict[str, Any]) -> Any:
    return disclosed_of({"resourceType": "Parameters", "parameter": list(entries)})


def test_one_receiver_is_told_once_with_all_it_got_and_when_last() -> None:
    found = disclosed(
        told(
            "disclosure",
            when="2026-11-01",
            what="read",
            outcome="disclosed",
            recipient=CLINIC,
            resource="Task/1",
        ),
        told(
            "disclosure",
            when="2026-11-03",
            what="search-type",
            outcome="disclosed",
            recipient=CLINIC,
            resource=["Patient/1", "Condition/2", "Weather/3"],
        ),
    )
    (clinic,) = found.receivers
    assert (clinic.organization, clinic.last) == (CLINIC, "2026-11-03")
    assert clinic.kinds == {"request", "you", "health", "other"}
    assert clinic.kinds <= set(KINDS)


@pytest.mark.parametrize(
    "entry",
    [
        told("disclosure", when="1", what="read", outcome="refused", recipient=CLINIC),
        told("disclosure", when="1", what="assign-asked", outcome="disclosed", recipient=CLINIC),
        told("disclosure", when="1", what="read", outcome="disclosed"),
        told("external-request", when="1", status="ready", asker_kind="government", asked_by="an office"),
        told("compelled-disclosure", when="1", status="ready", order_kind="court-order"),
        told("compelled-disclosure", when="1", decision="confirm", notice="not-allowed"),
        told("compelled-disclosure", when="1", decision="refuse", notice="told"),
        told("held-recall", when="1", status="ready"),
        told("something-new", when="1", recipient=CLINIC),
        {"name": "disclosure"},
    ],
)
def test_what_a_person_tells_first_is_on_no_screen(entry: dict[str, Any]) -> None:
    found = disclosed(entry)
    assert (found.receivers, found.openings, found.orders, found.taken_out) == ((), (), (), ())


def test_an_order_she_was_told_of_by_a_person_is_shown_afterwards() -> None:
    found = disclosed(
        told("compelled-disclosure", when="1", order_kind="court-order", decision="confirm", notice="told")
    )
    assert [one.what for one in found.orders] == ["court-order"]


def test_openings_and_prints_are_told_newest_first() -> None:
    found = disclosed(
        told("emergency-opening", when="2026-11-01", recipient=CLINIC, decision="justified"),
        told("emergency-opening", when="2026-11-02", recipient=LAWYER),
        told("disclosure", when="2026-11-03", what="print", outcome="disclosed", by="house"),
    )
    assert [(one.organization, one.decision) for one in found.openings] == [
        (LAWYER, ""),
        (CLINIC, "justified"),
    ]
    assert [one.what for one in found.taken_out] == ["print"]
    assert found.receivers == ()


def test_the_newest_recall_is_told_with_its_answer_and_its_law() -> None:
    found = disclosed(
        told(
            "recall", recipient=CLINIC, asked="2026-11-02", answer="kept-by-law", law="Act 29", late="False"
        ),
        told("recall", recipient=CLINIC, asked="2026-11-01", answer="deleted"),
        {
            "name": "recall",
            "part": [{"name": "late", "valueBoolean": True}, {"name": "asked", "valueInstant": "1"}],
        },
    )
    (clinic,) = [one for one in found.receivers if one.organization == CLINIC]
    assert (clinic.asked, clinic.answer, clinic.law, clinic.late) == (
        "2026-11-02",
        "kept-by-law",
        "Act 29",
        False,
    )
    assert any(one.late for one in found.receivers)


def consent(public_id: str, end: str = "", status: str = "active", kind: str = "permit") -> dict[str, Any]:
    permit: dict[str, Any] = {
        "type": kind,
        "actor": [{"reference": {"reference": f"Organization/{CLINIC}"}}],
        "purpose": [{"code": "TREAT"}],
        "class": [{"code": "identity"}, {"code": "health"}],
    }
    if end:
        permit["period"] = {"end": end}
    return {"id": public_id, "status": status, "provision": {"type": "deny", "provision": [permit]}}


def test_only_permissions_that_run_are_hers_to_stop() -> None:
    found = permissions_of(
        [
            consent("b", "2027"),
            consent("a", "2026"),
            consent("x", status="inactive"),
            consent("r", kind="deny"),
            {},
        ]
    )
    assert [one.id for one in found] == ["a", "b"]
    assert found[0].recipients == (CLINIC,)
    assert (found[0].purposes, found[0].categories, found[0].until) == (
        ("TREAT",),
        ("identity", "health"),
        "2026",
    )


def test_what_is_promised_begins_with_the_soonest() -> None:
    tasks = [
        {"status": "accepted", "owner": {"reference": f"Organization/{LAWYER}"}},
        {
            "status": "requested",
            "owner": {"reference": f"Organization/{CLINIC}"},
            "focus": {"reference": "ServiceRequest/1"},
            "restriction": {"period": {"end": "2026-12-01"}},
        },
    ]
    first, second = promises_of(tasks, {"ServiceRequest/1": "health"})
    assert (first.organization, first.category, first.aim) == (CLINIC, "health", "2026-12-01")
    assert (second.status, second.aim) == ("accepted", "")
