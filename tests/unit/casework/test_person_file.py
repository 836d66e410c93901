"""A person's file out of a form: no story, what is not ticked is not allowed, and rules that read back as written."""

from hypothesis import given
from hypothesis import strategies as st

from referral_hub.casework.filters import Filters, filters_of, searched, unanswered_no
from referral_hub.casework.person_file import (
    CHANNELS,
    Opening,
    Safety,
    called,
    is_child,
    is_nameless,
    language_of,
    mark_of,
    needs_interpreter,
    opened,
    safety_of,
    with_safety,
)
from referral_hub.casework.tracking import LIVE, STATES

words = st.text(alphabet="abc xyz", max_size=12).map(str.strip)
safeties = st.builds(
    Safety,
    st.lists(st.sampled_from(CHANNELS), unique=True).map(tuple),
    words,
    words,
    words,
)


@given(safety=safeties, later=safeties, name=words, child=st.booleans())
def test_what_is_written_is_read_back(safety: Safety, later: Safety, name: str, child: bool) -> None:
    made = opened(Opening(name, child, True, "vi", safety))
    assert (safety_of(made), called(made), is_child(made), language_of(made)) == (safety, name, child, "vi")
    assert needs_interpreter(made) is True
    assert not is_nameless(made)
    changed = with_safety(made, later)
    assert safety_of(changed) == later
    assert is_child(changed) is child
    assert safety_of(made) == safety


def test_without_rules_no_way_is_allowed() -> None:
    assert safety_of({}) == Safety()
    assert safety_of(opened(Opening("", False, False, "", Safety()))).channels == ()
    assert needs_interpreter({}) is None


def test_a_new_file_holds_no_story() -> None:
    made = opened(Opening("Wren", False, False, "", Safety(("in-person",), "10 to 12", "pear", "library")))
    assert made.keys() == {"resourceType", "extension", "name"}


def test_she_is_called_by_the_name_to_use_here() -> None:
    official = {"use": "official", "given": ["L."], "family": "Sparrow"}
    assert called({"name": [official]}) == "L. Sparrow"
    assert called({"name": [official, {"use": "anonymous", "text": "Lark"}]}) == "Lark"
    assert called({"name": [{"use": "maiden", "text": "Once"}]}) == "Once"
    assert called(None) == called({}) == called({"name": [{}]}) == ""
    assert mark_of("abcdef") == "ABCDE"


def pairs(**given_: str) -> dict[str, str]:
    return dict(searched(filters_of(given_), "2026-11-24T10:00:00Z") or ())


def test_filters_become_searches() -> None:
    assert pairs(state="no")["status"] == "rejected"
    assert pairs(ball="theirs")["status"] == ",".join(LIVE)
    assert "business-status:not" in pairs(ball="theirs")
    assert pairs(late="promise")["period"] == "eb2026-11-24T10:00:00Z"
    assert "requested" not in pairs(late="promise")["status"]
    assert pairs(to="a", person="b")["owner"] == "Organization/a"
    assert pairs(sort="waiting")["_sort"] == "_lastUpdated"
    assert searched(Filters(state="done", ball="ours"), "") is None
    assert dict(unanswered_no(Filters(to="a")))["owner"] == "Organization/a"


@given(
    given_=st.dictionaries(st.sampled_from(["state", "ball", "late", "to", "person", "sort", "x"]), st.text())
)
def test_any_address_is_read(given_: dict[str, str]) -> None:
    found = filters_of(given_)
    assert found.state in ("", *STATES)
    assert found.address().startswith("/referrals")
    assert not set(found.to) & set(" /,|$&")
    assert filters_of({}) == Filters()
