"""Passkeys, with an authenticator of our own: registered, used, copied, stolen, sent from elsewhere."""

import json
import logging
from typing import Any

import pytest

from referral_hub.exchange.accounts import PASSKEY
from tests.api.browsing import Authenticator, Browser, Member, Office, office_of
from tests.world import World

ORIGIN = "http://localhost:8080"


@pytest.fixture
def office(world: World) -> Office:
    return office_of(world, base_url=ORIGIN)


def register(browser: Browser, authenticator: Authenticator, **changed: Any) -> Any:
    asked = json.loads(browser.post("/account/passkey/options").get_data())
    response = authenticator.make(asked["options"])
    form = {
        "ticket": asked["ticket"],
        "response": json.dumps(response),
        "label": "shelter computer",
        **changed,
    }
    return browser.post("/account/passkey", **form)


def use(browser: Browser, authenticator: Authenticator, **changed: Any) -> Any:
    asked = json.loads(browser.post("/sign-in/passkey/options").get_data())
    response = authenticator.use(asked["options"], **changed)
    return browser.post("/sign-in/passkey", ticket=asked["ticket"], response=json.dumps(response))


@pytest.fixture
def member(office: Office) -> Member:
    return office.staff()


@pytest.fixture
def authenticator(office: Office, member: Member) -> Authenticator:
    made = Authenticator(ORIGIN)
    browser = member.at(office.browser())
    assert register(browser, made).status_code == 303
    browser.post("/sign-out", page="/account")
    return made


def test_a_passkey_alone_is_a_whole_sign_in(
    office: Office, member: Member, authenticator: Authenticator
) -> None:
    browser = office.browser("192.0.2.20")
    assert use(browser, authenticator).headers["Location"] == "/"
    signed = browser.signed_in()
    assert signed is not None
    assert (signed.account, set(signed.methods)) == (member.account, {"hwk", "user", "mfa"})
    assert use(office.browser("192.0.2.21"), authenticator).status_code == 303, "and again elsewhere"


def test_an_account_has_several_and_each_works(
    office: Office, member: Member, authenticator: Authenticator
) -> None:
    second = Authenticator(ORIGIN)
    browser = member.at(office.browser())
    assert register(browser, second).status_code == 303
    kept = [factor for factor in office.people.rows.factors_of(member.account) if factor.kind == PASSKEY]
    assert [factor.label for factor in kept] == ["shelter computer"] * 2
    for one in (authenticator, second):
        assert use(office.browser(), one).status_code == 303
    browser.post("/account/factor/drop", page="/account", factor=kept[1].id)
    assert use(office.browser(), second).status_code == 403
    assert use(office.browser(), authenticator).status_code == 303


def test_the_name_an_authenticator_shows_tells_no_login(office: Office, member: Member) -> None:
    browser = member.at(office.browser())
    shown = browser.post("/account/passkey/options").get_data(as_text=True)
    assert member.login not in shown
    assert member.login.split("@")[0] not in shown


@pytest.mark.parametrize(
    "changed",
    [{"type": "webauthn.create"}, {"rp": "evil.example"}, {"user": b"somebody else"}, {"user": b""}],
)
def test_an_answer_to_something_else_is_refused(
    office: Office, authenticator: Authenticator, changed: dict[str, Any]
) -> None:
    browser = office.browser()
    assert use(browser, authenticator, **changed).status_code == 403
    assert browser.signed_in() is None


@pytest.mark.parametrize(
    "origin",
    [
        "http://localhost:8081",
        "https://localhost:8080",
        "http://sub.localhost:8080",
        "http://evil.example",
        "null",
    ],
)
def test_another_origin_is_refused_to_the_letter(
    office: Office, authenticator: Authenticator, origin: str
) -> None:
    authenticator.origin = origin
    assert use(office.browser(), authenticator).status_code == 403


def test_a_key_that_does_not_look_at_its_user_is_refused(
    office: Office, member: Member, authenticator: Authenticator
) -> None:
    authenticator.verifies = False
    assert use(office.browser(), authenticator).status_code == 403
    browser = member.at(office.browser())
    assert register(browser, Authenticator(ORIGIN, verifies=False)).status_code == 403


def test_a_copied_key_shows_by_its_count(office: Office, authenticator: Authenticator) -> None:
    copied = Authenticator(ORIGIN, key=authenticator.key, credential_id=authenticator.credential_id)
    copied.user, copied.count = authenticator.user, authenticator.count
    assert use(office.browser(), authenticator).status_code == 303
    assert use(office.browser(), copied).status_code == 403


def test_a_key_that_never_counts_is_taken(office: Office, member: Member) -> None:
    synced = Authenticator(ORIGIN, counts=False)
    assert register(member.at(office.browser()), synced).status_code == 303
    for _ in range(2):
        assert use(office.browser(), synced).status_code == 303


def test_a_challenge_is_good_once_and_for_ten_minutes(office: Office, authenticator: Authenticator) -> None:
    browser = office.browser()
    asked = json.loads(browser.post("/sign-in/passkey/options").get_data())
    form = {"ticket": asked["ticket"], "response": json.dumps(authenticator.use(asked["options"]))}
    assert browser.post("/sign-in/passkey", **form).status_code == 303
    again = {**form, "response": json.dumps(authenticator.use(asked["options"]))}
    assert office.browser().post("/sign-in/passkey", **again).status_code == 403
    late = office.browser()
    asked = json.loads(late.post("/sign-in/passkey/options").get_data())
    office.later(minutes=11)
    form = {"ticket": asked["ticket"], "response": json.dumps(authenticator.use(asked["options"]))}
    assert late.post("/sign-in/passkey", **form).status_code == 403


def test_a_registration_belongs_to_the_session_that_asked(office: Office, member: Member) -> None:
    other = office.staff()
    mine, theirs = member.at(office.browser()), other.at(office.browser("192.0.2.30"))
    asked = json.loads(theirs.post("/account/passkey/options").get_data())
    made = Authenticator(ORIGIN).make(asked["options"])
    answer = mine.post("/account/passkey", ticket=asked["ticket"], response=json.dumps(made), label="x")
    assert answer.status_code == 403
    assert not [f for f in office.people.rows.factors_of(member.account) if f.kind == PASSKEY]


def test_a_key_somebody_registered_cannot_be_registered_by_another(
    office: Office, authenticator: Authenticator
) -> None:
    other = office.staff()
    assert register(other.at(office.browser("192.0.2.31")), authenticator).status_code == 403
    assert use(office.browser(), authenticator).status_code == 403, "its user is another now"


def test_a_passkey_of_another_account_does_not_go_on_in_a_session(
    office: Office, authenticator: Authenticator
) -> None:
    other = office.staff()
    browser = office.browser("192.0.2.32")
    browser.sign_in(other.login, other.password)
    assert use(browser, authenticator).status_code == 403
    assert browser.signed_in() is None


def test_a_passkey_of_a_removed_account_opens_nothing(
    office: Office, member: Member, authenticator: Authenticator
) -> None:
    office.people.office.remove(member.account, office.at_us)
    assert use(office.browser(), authenticator).status_code == 403


@pytest.mark.parametrize(
    "response", ["", "[]", "{}", "null", "{", '{"id": 1}', '{"response": {"userHandle": 5}}']
)
def test_nonsense_is_refused_calmly(office: Office, response: str) -> None:
    browser = office.browser()
    asked = json.loads(browser.post("/sign-in/passkey/options").get_data())
    assert browser.post("/sign-in/passkey", ticket=asked["ticket"], response=response).status_code == 403
    assert browser.post("/sign-in/passkey", ticket="nonsense", response=response).status_code == 403


@pytest.mark.parametrize(
    ("base_url", "offered"),
    [
        ("https://hub.example", True),
        ("http://localhost:8080", True),
        ("http://127.0.0.1:8080", False),
        ("https://192.0.2.1", False),
        ("https://[2001:db8::1]", False),
        ("http://hub.example", False),
    ],
)
def test_passkeys_are_offered_where_browsers_take_them(world: World, base_url: str, offered: bool) -> None:
    from referral_hub.auth.people.passkeys import Passkeys

    assert Passkeys(world.parts.accounts, base_url).offered is offered


def test_no_log_line_names_a_credential(
    office: Office, member: Member, caplog: pytest.LogCaptureFixture
) -> None:
    made = Authenticator(ORIGIN)
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("fido2").setLevel(logging.WARNING)
        register(member.at(office.browser()), made)
        use(office.browser(), made)
    assert made.credential_id.hex() not in caplog.text
