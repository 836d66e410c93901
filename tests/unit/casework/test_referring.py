"""From a draft to what is written in one act."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_hub.access.categories import CATEGORIES
from referral_hub.casework.needs import NEEDS, TONIGHT, domains_of, purpose_of
from referral_hub.casework.referring import (
    MOST_WORDS,
    URGENCIES,
    ReferralDraft,
    answer_day,
    draft_of,
    draft_text,
    fitting,
    nameless_of,
    nameless_proposals,
    next_step,
    proposals,
    request_body,
    with_answer_by,
    with_conditions,
    with_need,
)
from referral_hub.casework.telling import need_words, told
from referral_hub.exchange.admission import free_text_issues, no_name_patient_issues
from referral_hub.fhir.dates import span
from referral_hub.texts.catalogs import catalog
from tests import builders as b

TODAY = date(2026, 11, 24)
NOW_US = span("2026-11-24T19:00:00Z")[0]
WHOLE = ReferralDraft("health-care", "left hand", "urgent", "2026-12-01", "clinic-1", answer_by="2026-11-27")

drafts = st.builds(
    ReferralDraft,
    kind=st.sampled_from(("", *NEEDS)),
    words=st.text(max_size=MOST_WORDS),
    urgency=st.sampled_from(tuple(URGENCIES)),
    recipient=st.sampled_from(("", "clinic-1")),
)


@given(drafts)
def test_a_draft_survives_being_kept(draft: ReferralDraft) -> None:
    assert draft_of(draft_text(draft)) == draft


@given(drafts)
def test_a_draft_goes_on_at_the_first_screen_that_lacks_something(draft: ReferralDraft) -> None:
    step = next_step(draft)
    assert (step == "need") == (draft.kind == "")
    assert (step == "see") == bool(draft.kind and draft.recipient)


@pytest.mark.parametrize("kind", sorted(NEEDS))
def test_every_need_has_a_category_words_a_purpose_and_services(kind: str) -> None:
    assert NEEDS[kind] in CATEGORIES
    assert domains_of(kind)
    for language in ("en", "pl"):
        assert catalog(language).text(f"refer.need.{kind}")
    assert purpose_of(kind, ())
    assert purpose_of(kind, ("therapy",)) == "therapy", "never for what the recipient does not work for"


def test_another_kind_of_need_forgets_who_was_chosen() -> None:
    form = {"kind": "legal-information", "urgency": "routine", "by": "", "words": ""}
    changed, problems = with_need(WHOLE, form, TODAY)
    assert not problems
    assert (changed.recipient, changed.service) == ("", "")
    same, _ = with_need(WHOLE, form | {"kind": "teeth"}, TODAY)
    assert same.recipient == "clinic-1"


@pytest.mark.parametrize(
    ("day", "wrong"),
    [("", False), ("2026-11-24", False), ("2026-11-23", True), ("2028-01-01", True), ("soon", True)],
)
def test_the_promised_day_lies_ahead(day: str, wrong: bool) -> None:
    draft, problems = with_answer_by(ReferralDraft("teeth"), day, TODAY)
    assert bool(problems) is wrong
    assert day or draft.answer_by == "2026-12-01"


def test_the_proposed_day_is_never_after_the_day_it_is_needed_by() -> None:
    assert answer_day(ReferralDraft("teeth", by="2026-11-26"), TODAY) == "2026-11-26"
    assert answer_day(ReferralDraft("teeth", urgency="stat", by="2026-12-26"), TODAY) == "2026-11-25"


def test_it_becomes_a_request_and_a_task_that_names_it() -> None:
    request, task = proposals(WHOLE, "p1", "r1", NOW_US)
    assert (request.reserved_id, request.type_name, task.type_name) == ("r1", "ServiceRequest", "Task")
    assert task.body["focus"] == {"reference": "ServiceRequest/r1"}
    assert request.body["subject"] == task.body["for"] == {"reference": "Patient/p1"}
    assert request.body["performer"] == [task.body["owner"]]
    assert task.body["restriction"]["period"]["end"].startswith("2026-11-27T23:59:59")
    assert len(task.body["input"]) == 4
    none = proposals(with_conditions(WHOLE, ()), "p1", "r1", NOW_US)[1]
    assert "input" not in none.body


@pytest.mark.parametrize("kind", TONIGHT)
@pytest.mark.parametrize("age", ["adult", "child"])
def test_without_a_name_nothing_is_said_of_her(kind: str, age: str) -> None:
    form = {"kind": kind, "recipient": "clinic-1", "age": age, "interpreter": "no"}
    asked, problems = nameless_of(form, TONIGHT)
    assert not problems
    person, request, task = nameless_proposals(asked, "p1", "r1", NOW_US, NOW_US + 1)
    assert not no_name_patient_issues(person.body)
    assert not free_text_issues(request.body, "ServiceRequest")
    assert not free_text_issues(task.body, "Task")
    assert "requester" not in task.body


def test_free_words_never_reach_a_request_without_a_name() -> None:
    form = {"kind": "food", "recipient": "c", "age": "adult", "interpreter": "yes", "words": "she was beaten"}
    asked, _ = nameless_of(form, TONIGHT)
    assert "beaten" not in str([one.body for one in nameless_proposals(asked, "p", "r", NOW_US, NOW_US)])


@pytest.mark.parametrize(
    ("changed", "fits"),
    [
        ({}, True),
        ({"status": "inactive"}, False),
        ({"status": "draft"}, False),
        ({"receiver": "clinic-2"}, False),
        ({"categories": ("identity",)}, False),
        ({"purpose": "therapy"}, False),
        ({"days": -0.1}, False),
    ],
)
def test_a_permission_fits_or_does_not(changed: dict[str, Any], fits: bool) -> None:
    how = dict(changed)
    status, receiver = how.pop("status", "active"), how.pop("receiver", "clinic-1")
    consent = b.release("Patient/p1", "shelter", b.permit(receiver, **how), status=status)
    now_us = span(b.instant())[0]
    found = fitting([{**consent, "id": "c1"}], "clinic-1", "health", ("TREAT",), now_us)
    assert found == (["c1"] if fits else [])


def test_a_refusal_is_no_permission() -> None:
    refusal = {**b.refusal("Patient/p1", "shelter", actor=None), "id": "c1"}
    refusal["provision"]["provision"] = [b.permit("clinic-1")]
    assert fitting([refusal], "clinic-1", "health", (), span(b.instant())[0]) == []


def test_what_is_told_comes_from_the_view_alone() -> None:
    shown = told([{"resourceType": "Patient", "id": "p1"}, {"resourceType": "Task", "note": [{"text": "x"}]}])
    assert shown == ()
    assert need_words(request_body(WHOLE, "p1", NOW_US)) == "refer.need.health-care"
    notice = {
        "resourceType": "ServiceRequest",
        "category": [b.coded(b.code_system("information-category"), "health")],
    }
    assert need_words(notice) == "paper.category.health"
