"""One referral as lines of text: what is there, in one order, each value on one line."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from referral_hub.casework.referral_text import lines_of
from referral_hub.texts.catalogs import catalog

TASK: dict[str, Any] = {
    "status": "requested",
    "priority": "urgent",
    "authoredOn": "2026-11-24",
    "requester": {"reference": "Organization/s"},
    "owner": {"reference": "Organization/c"},
    "restriction": {"period": {"end": "2026-11-27"}},
}
REQUEST: dict[str, Any] = {
    "category": [{"coding": [{"code": "health"}]}],
    "code": {"coding": [{"code": "1"}], "text": "wound\non the hand"},
    "note": [{"text": "one\n\ntwo"}],
    "orderDetail": [{"coding": [{"code": "contacting-subject-prohibited"}]}],
}


def test_all_of_it_in_one_order() -> None:
    patient = {"id": "p", "name": [{"text": "Lark"}], "birthDate": "1994-03-02"}
    lines = lines_of(TASK, REQUEST, patient, {"s": "House", "c": "Clinic"})
    assert [(line.label.rpartition(".")[2], line.text or line.key or line.day) for line in lines] == [
        ("status", "my.text.s-requested"),
        ("from", "House"),
        ("to", "Clinic"),
        ("written", "2026-11-24"),
        ("until", "2026-11-27"),
        ("urgency", "my.text.u-urgent"),
        ("kind", "tracker.need.health"),
        ("need", "wound on the hand"),
        ("note", "one two"),
        ("name", "Lark"),
        ("born", "1994-03-02"),
        ("contact", ""),
    ]


def test_what_the_reader_does_not_see_leaves_no_line() -> None:
    labels = {line.label for line in lines_of(TASK, {}, {}, {})}
    assert labels == {"my.text.status", "my.text.written", "my.text.until", "my.text.urgency"}
    assert "my.text.name" not in {line.label for line in lines_of(TASK, {}, {"id": "p"}, {})}


@given(st.text(), st.text())
def test_no_text_breaks_out_of_its_line(need: str, note: str) -> None:
    request = {"code": {"text": need}, "note": [{"text": note}]}
    for line in lines_of(TASK, request, {}, {}):
        assert len(line.text.splitlines()) <= 1


def test_every_label_and_word_is_said() -> None:
    sentences = catalog("en").sentences
    for line in lines_of(TASK, REQUEST, {"id": "p"}, {"s": "x"}):
        assert line.label in sentences
        assert not line.key or line.key in sentences
