"""From a form to a Consent: what a form can say, and that it never says more than its template offers."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_hub.access.categories import CATEGORIES
from referral_hub.access.consent_life import DAY_US, narrower_or_equal
from referral_hub.access.provisions import compile_consent
from referral_hub.casework.consent_drafts import CATEGORY
from referral_hub.casework.consent_templates import TEMPLATES
from referral_hub.casework.permission_forms import (
    Agreed,
    Attached,
    Interpreted,
    Signature,
    binary_of,
    categories_of,
    checked_in,
    chosen,
    days_of,
    evidence,
    in_language,
    language_of,
    lengths,
    on_form,
    purpose_of,
    receiver_of,
    renewed,
    represented,
    says_back,
    signed,
    signed_paper,
)
from referral_hub.errors import InvalidResource
from referral_hub.fhir.canonical import structure
from referral_hub.fhir.dates import instant
from referral_hub.fhir.elements import extension

NOW_US = 1_795_000_000_000_000


def draft(purpose: str = "TREAT", days: int = 90, **more: Any) -> dict[str, Any]:
    template = TEMPLATES[purpose]
    return {
        "resourceType": "Consent",
        "id": "c-1",
        "status": "draft",
        "policy": [{"uri": "https://network.example/policy/permission/v1"}],
        "scope": {
            "coding": [
                {"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}
            ]
        },
        "category": [
            {
                "coding": [
                    {"system": "https://referral-hub.example/fhir/CodeSystem/consent-kind", "code": "release"}
                ]
            }
        ],
        "patient": {"reference": "Patient/p-1"},
        "organization": [{"reference": "Organization/s-1"}],
        "provision": {
            "type": "deny",
            "provision": [
                {
                    "type": "permit",
                    "period": {"start": instant(NOW_US), "end": instant(NOW_US + days * DAY_US)},
                    "actor": [
                        {
                            "role": {
                                "coding": [
                                    {
                                        "system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType",
                                        "code": "IRCP",
                                    }
                                ]
                            },
                            "reference": {"reference": "Organization/c-9"},
                        }
                    ],
                    "purpose": [{"system": template.system, "code": purpose}],
                    "class": [{"system": CATEGORY, "code": code} for code in template.least],
                }
            ],
        },
        **more,
    }


def signature(**more: Any) -> Signature:
    given: dict[str, Any] = {
        "how": "mark",
        "language": "uk",
        "digest": "a" * 64,
        "reader": "s-1",
        "performers": ("Patient/p-1",),
        "explained_back": True,
        **more,
    }
    return Signature(**given)


def test_what_a_draft_says_is_read_back() -> None:
    body = draft()
    assert (receiver_of(body), purpose_of(body), days_of(body)) == ("c-9", "TREAT", 90)
    assert categories_of(body) == ("identity", "health")
    assert language_of(body) == ""
    assert language_of(in_language(body, "ar")) == "ar"
    assert not says_back(body)


@pytest.mark.parametrize(
    ("categories", "days", "path"),
    [
        (["identity", "immigration"], 30, "class"),
        ([], 30, "class"),
        (["identity"], 0, "period.end"),
        (["identity"], 91, "period.end"),
    ],
)
def test_what_the_form_did_not_offer_is_refused(categories: list[str], days: int, path: str) -> None:
    with pytest.raises(InvalidResource) as refused:
        chosen(draft(), categories, days, "", 90, NOW_US)
    assert [(issue.expression or "").endswith(path) for issue in refused.value.issues] == [True]


def test_what_was_signed_is_not_chosen_anew() -> None:
    with pytest.raises(InvalidResource):
        chosen({**draft(), "status": "active"}, ["identity"], 30, "", 90, NOW_US)


@given(
    purpose=st.sampled_from(sorted(TEMPLATES)),
    ticked=st.sets(st.sampled_from([*CATEGORIES, "everything", ""])),
    days=st.integers(-5, 400),
)
def test_no_form_says_more_than_its_template(purpose: str, ticked: set[str], days: int) -> None:
    """Law: whatever is sent, the result names only what is offered, to the same unit and purpose, no longer."""
    template = TEMPLATES[purpose]
    offered = {*template.least, *template.offered}
    body = draft(purpose)
    try:
        made = chosen(body, ticked, days, "", 90, NOW_US)
    except InvalidResource:
        assert not ticked <= offered or not ticked or not 1 <= days <= 90
        return
    assert set(categories_of(made)) == ticked <= offered
    assert (receiver_of(made), purpose_of(made)) == ("c-9", purpose)
    assert days_of(made) == days <= 90
    assert made["status"] == "draft"


def test_a_signature_is_the_draft_with_its_evidence_and_nothing_else() -> None:
    body = in_language(draft(), "uk")
    made = signed(body, signature(), "DocumentReference/d-1", NOW_US)
    assert made["provision"] == body["provision"]
    assert (made["status"], made["dateTime"]) == ("active", instant(NOW_US))
    assert made["performer"] == [{"reference": "Patient/p-1"}]
    assert len(made["extension"]) == 1, "the language of the draft is part of the evidence now"
    assert language_of(made) == "uk"


def test_evidence_holds_what_was_said_and_leaves_out_what_was_not() -> None:
    parts = {one["url"]: one for one in evidence(signature(explained_back=None, witness=""))["extension"]}
    assert set(parts) == {"language", "text-digest", "signature", "reader"}
    who = Interpreted("Bridges", "B-1", "phone", no_ties=True, line_held=False)
    parts = {one["url"]: one for one in evidence(signature(interpreter=who, witness="7"))["extension"]}
    inside = {one["url"]: one for one in parts["interpreter"]["extension"]}
    assert inside["line-held"]["valueBoolean"] is False
    assert parts["witness"]["valueIdentifier"]["value"] == "7"
    here = Interpreted("Bridges", "B-1", "in-person", no_ties=True)
    parts = {one["url"]: one for one in evidence(signature(interpreter=here))["extension"]}
    assert "line-held" not in {one["url"] for one in parts["interpreter"]["extension"]}


def test_who_agrees_for_a_child_attests_only_what_was_ticked() -> None:
    assert represented(None) == []
    (found,) = represented(Agreed(own_view="yes", no_suspect=True))
    assert {one["url"] for one in found["extension"]} == {"own-view", "guardian-no-suspect"}


@given(
    categories=st.sets(st.sampled_from(["identity", "health", "contact"]), min_size=1),
    days=st.integers(1, 90),
)
def test_a_renewal_says_the_same_or_less(categories: set[str], days: int) -> None:
    """Law: what a renewal permits, the permission it goes on from permitted."""
    old = {**chosen(draft(), categories, 30, "", 90, NOW_US), "status": "active"}
    new = renewed(old, "c-1", days, NOW_US)
    assert new["status"] == "draft"
    assert "id" not in new
    assert "dateTime" not in new
    assert extension(new, structure("renewal-of"))["valueReference"]["reference"] == "Consent/c-1"
    first, second = (compile_consent("", "", one, authored=False) for one in (old, new))
    assert narrower_or_equal(first, second, times=False)
    assert on_form(new, "urn:v2")["policy"] == [{"uri": "urn:v2"}]


def test_a_check_in_adds_one_line_and_changes_nothing() -> None:
    body = {**draft(), "status": "active"}
    made = checked_in(body, NOW_US)
    assert {**made, "extension": []} == {**body, "extension": []}
    assert made["extension"][-1]["valueDateTime"] == instant(NOW_US)


def test_the_signed_paper_states_no_kind_of_information() -> None:
    attached = Attached("image/png", b"png", "b-1")
    paper = signed_paper("Patient/p-1", ["Dozwalam", ""], signature(), attached, NOW_US)
    assert "category" not in paper
    assert paper["content"][1]["attachment"]["url"] == "Binary/b-1"
    held = binary_of(attached, "DocumentReference/d-1")
    assert held["securityContext"]["reference"] == "DocumentReference/d-1"
    assert len(signed_paper("Patient/p-1", [], signature(), None, NOW_US)["content"]) == 1


@pytest.mark.parametrize(
    ("longest", "offered"), [(7, (7, 3)), (30, (30, 7)), (90, (90, 60, 30, 7)), (3, (3,))]
)
def test_lengths_begin_with_the_longest(longest: int, offered: tuple[int, ...]) -> None:
    assert lengths(longest) == offered
