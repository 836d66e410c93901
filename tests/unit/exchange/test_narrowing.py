"""Taking one kind of information out of a release only ever takes away."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from referral_hub.access.categories import CATEGORIES, INFORMATION_CATEGORY
from referral_hub.access.grants import compile_rows
from referral_hub.access.provisions import compile_consent
from referral_hub.exchange.narrowing import names_category, without_category
from tests import builders as b

NAMES = sorted(CATEGORIES)[:6]
RECORDS = {f"Condition/c{index}": category for index, category in enumerate(NAMES)}

permits = st.builds(
    lambda categories, instances, days: (
        b.permit("clinic", categories=tuple(categories), days=days)
        if categories
        else b.permit("clinic", categories=(), instances=tuple(instances), days=days)
    ),
    st.lists(st.sampled_from(NAMES), max_size=4, unique=True),
    st.lists(st.sampled_from(sorted(RECORDS)), min_size=1, max_size=4, unique=True),
    st.integers(1, 30),
)
junk = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.sampled_from(["permit", "deny", "health"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "class", "data", "provision", "reference", "code"]), inner, max_size=3
        )
    ),
    max_leaves=12,
)


def category_of(name: str) -> str:
    return RECORDS.get(name, "")


def rows(consent: dict[str, Any]) -> set[tuple[Any, ...]]:
    compiled = compile_consent("c", "1", consent, authored=True)
    grants, refusals, _ = compile_rows(compiled, consent_row=1, person=2)
    assert not refusals
    return {
        (g.organization, g.purpose, g.category, g.resource, g.valid_from_us, g.valid_until_us) for g in grants
    }


@given(st.lists(permits, min_size=1, max_size=3), st.sampled_from(NAMES))
def test_what_is_left_is_what_was_without_that_kind(found: list[dict[str, Any]], category: str):
    release = b.release("Patient/p", "shelter", *found)
    before = json.dumps(release)
    left = without_category(release, category, category_of)
    assert json.dumps(release) == before
    kept = rows(left) if left is not None else set()
    assert {row for row in kept if row[2] != "notice"} == {
        row for row in rows(release) if row[2] not in ("notice", category) and category_of(row[3]) != category
    }
    named = any(row[2] == category or category_of(row[3]) == category for row in rows(release))
    assert names_category(release, category, category_of) is named


@given(junk, st.sampled_from(NAMES))
def test_whatever_is_stored_it_does_not_stumble_and_leaves_no_such_kind(provision: Any, category: str):
    consent = {**b.release("Patient/p", "shelter"), "provision": provision}
    left = without_category(consent, category, category_of)
    names_category(consent, category, category_of)
    if left is not None:
        for permit in left["provision"]["provision"]:
            codes = [one["code"] for one in permit.get("class", ())]
            assert category not in codes
            assert all(one["system"] == INFORMATION_CATEGORY for one in permit.get("class", ()))


def test_a_record_whose_kind_is_not_known_goes_too():
    release = b.release("Patient/p", "s", b.permit("clinic", categories=(), instances=("Condition/gone",)))
    assert without_category(release, "plan", category_of) is None
