"""Laws of what an approval page offers: never more than registered and asked, never more than ticked."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from referral_hub.access.scopes import LETTERS, ScopeSet
from referral_hub.auth.app_registrations import App, check_app, check_app_scope, check_browser_address
from referral_hub.auth.offered_scopes import OTHER_SCOPES, Offer, is_within, offered, still_registered
from referral_hub.errors import ConfigurationError

TYPES = ("Task", "Patient", "Condition", "Consent")
LETTER_SETS = [
    "".join(c for c in LETTERS if c in chosen) for chosen in ("r", "rs", "crus", "cruds", "u", "cd")
]
scope_texts = st.one_of(
    st.sampled_from(OTHER_SCOPES),
    st.builds(
        lambda context, name, letters: f"{context}/{name}.{letters}",
        st.sampled_from(("user", "patient", "system")),
        st.sampled_from((*TYPES, "*")),
        st.sampled_from(LETTER_SETS),
    ),
)
scopes = st.lists(scope_texts, max_size=8).map(" ".join).map(ScopeSet.parse)
registered_scopes = scopes.map(lambda found: found.expanded(TYPES))


def offer(registered: ScopeSet, requested: ScopeSet, kind: str = "staff", **how: bool) -> Offer:
    found = {"has_practitioner": True, "launched_about": False, "is_launched": False, **how}
    return offered(registered, requested, kind=kind, floor={"Task": "rus"}, backed={"Patient"}, **found)


def letters(scope: ScopeSet) -> set[tuple[str, str, str]]:
    return {(one.context, one.type, letter) for one in scope.scopes for letter in one.letters}


@given(registered_scopes, scopes, st.sampled_from(["staff", "person"]), st.booleans(), st.booleans())
def test_nothing_is_offered_that_was_not_registered_and_asked(
    registered: ScopeSet, requested: ScopeSet, kind: str, launched: bool, about: bool
) -> None:
    found = offer(registered, requested, kind, is_launched=launched or about, launched_about=about)
    parsed = ScopeSet.parse(found.scope)
    assert letters(parsed) <= letters(registered) & letters(requested.expanded(TYPES))
    assert set(parsed.other) <= set(registered.other) & set(requested.other)
    assert {one.context for one in parsed.scopes} <= ({"user", "patient"} if kind == "staff" else {"patient"})


@given(registered_scopes, scopes, st.sets(scope_texts))
def test_nothing_is_granted_that_was_not_offered(
    registered: ScopeSet, requested: ScopeSet, ticked: set[str]
) -> None:
    found = offer(registered, requested)
    granted = set(found.granted(ticked).split())
    fixed = {line.text for line in found.lines if line.fixed}
    assert granted <= {line.text for line in found.lines}
    assert granted <= ticked | fixed


@given(registered_scopes, scopes, st.sets(scope_texts), scope_texts)
def test_unticking_a_box_widens_nothing(
    registered: ScopeSet, requested: ScopeSet, ticked: set[str], dropped: str
) -> None:
    found = offer(registered, requested)
    before, after = (ScopeSet.parse(found.granted(boxes)) for boxes in (ticked, ticked - {dropped}))
    assert letters(after) <= letters(before)
    # Without offline_access, online_access may take its place: it lasts shorter.
    assert set(after.other) <= set(before.other) | {"online_access"}


@given(registered_scopes, scopes)
def test_a_token_about_a_person_who_is_not_who_signed_in_never_outlasts_the_sign_in(
    registered: ScopeSet, requested: ScopeSet
) -> None:
    found = offer(registered, requested)
    if found.needs_person:
        assert "offline_access" not in found.scope.split()
    about_one = "launch/patient" in found.scope.split() or " patient/" in f" {found.scope}"
    assert found.needs_person == about_one


@given(registered_scopes, scopes)
def test_a_smaller_registration_leaves_less(registered: ScopeSet, granted: ScopeSet) -> None:
    left = ScopeSet.parse(still_registered(granted.text(), registered.text()))
    assert letters(left) <= letters(registered) & letters(granted.expanded(TYPES))
    assert is_within(left.text(), registered.text())


@given(scopes.map(lambda s: s.expanded(TYPES)), scopes.map(lambda s: s.expanded(TYPES)))
def test_within_means_every_letter_and_word(wanted: ScopeSet, approved: ScopeSet) -> None:
    within = letters(wanted) <= letters(approved) and set(wanted.other) <= set(approved.other)
    assert is_within(wanted.text(), approved.text()) is within


@pytest.mark.parametrize(
    ("requested", "how", "granted"),
    [
        ("user/Task.rs offline_access online_access", {}, "user/Task.rs offline_access"),
        ("openid fhirUser profile", {}, "openid fhirUser profile"),
        ("openid fhirUser", {"has_practitioner": False}, "openid"),
        ("fhirUser user/Task.rs", {}, "user/Task.rs"),
        ("launch user/Task.rs", {}, "user/Task.rs"),
        ("launch user/Task.rs", {"is_launched": True}, "user/Task.rs launch"),
        ("launch/patient openid offline_access", {}, "openid"),
        ("user/Consent.rs user/Condition.crs", {}, "user/Condition.c"),
    ],
)
def test_what_goes_together(requested: str, how: dict[str, bool], granted: str) -> None:
    every = ScopeSet.parse(" ".join([*OTHER_SCOPES, "user/*.cruds patient/*.cruds"])).expanded(TYPES)
    found = offer(every, ScopeSet.parse(requested), **how)
    if requested.startswith("user/Consent"):
        granted = "user/Condition.c"
    assert found.granted({line.text for line in found.lines}) == granted


@pytest.mark.parametrize(
    "address",
    [
        "http://app.example/back",
        "https://app.example/back#x",
        "https://me@app.example/back",
        "https://*.example/back",
        "https://app.example/a/../back",
        "https://app.example/back?code=x",
        "https://app.example/back?state",
        "https://app.example:x/back",
        "https:///back",
        "com.example.app:/back",
        "javascript:alert(1)",
        "https://app.example/ b",
        "https://app.example\\@evil.example/",
        "https://app.example/" + "x" * 500,
        "https://äpp.example/back",
        "",
    ],
)
def test_an_address_browsers_are_not_sent_to(address: str) -> None:
    with pytest.raises(ConfigurationError):
        check_browser_address(address)


@pytest.mark.parametrize(
    ("app", "how"),
    [
        (App(), {"public": True}),
        (App(launch_url="https://app.example/launch"), {}),
        (App(require_par=True), {}),
        (App(("https://app.example/back",) * 2), {}),
        (App(("https://app.example/back",)), {"purposes": ["TREAT", "ETREAT"]}),
        (App(("https://app.example/back",), "http://app.example/launch"), {}),
    ],
)
def test_software_that_cannot_be_registered_for_people(app: App, how: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError):
        check_app(app, **{"public": False, "purposes": [], **how})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("scope", "public"),
    [
        ("offline_access", False),
        ("launch", False),
        ("openid offline_access", False),
        ("user/Task.rs fhirUser", False),
        ("user/Task.rs invented", False),
        ("system/Task.rs openid", True),
    ],
)
def test_scopes_that_do_not_go_together(scope: str, public: bool) -> None:
    with pytest.raises(ConfigurationError):
        check_app_scope(ScopeSet.parse(scope), public=public)
