"""What people change of their own account, how long they stay signed in, and what ends them at once."""

import secrets
from hashlib import sha256

import pytest

from referral_hub.auth.people.standing import DAY_US, GRACE_US, HOUR_US
from referral_hub.errors import ConfigurationError
from referral_hub.exchange.change import Row
from tests.api.browsing import PASSWORD, Browser, Member, Office, digits_of, office_of
from tests.world import World


@pytest.fixture
def office(world: World) -> Office:
    return office_of(world)


# --- how long ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "idle", "most"), [("caseworker", 30, 600), ("intake", 30, 720), ("coordinator", 15, 480)]
)
def test_a_session_ends_by_rest_and_altogether(office: Office, role: str, idle: int, most: int) -> None:
    member = office.staff(role)
    browser = member.at(office.browser())
    office.later(minutes=idle - 1.1)
    assert browser.get("/account").status_code == 200
    office.later(minutes=idle - 1.1)
    assert browser.get("/account").status_code == 200, "use keeps it alive"
    office.later(minutes=idle)
    assert browser.signed_in() is None
    browser = member.at(office.browser())
    for _ in range(most // (idle - 5)):
        office.later(minutes=idle - 5)
        browser.get("/account")
    office.later(minutes=idle - 5)
    assert browser.signed_in() is None, "nothing keeps it alive for ever"


def test_signing_out_ends_it_here_and_a_kept_cookie_is_worth_nothing(office: Office) -> None:
    browser = office.staff().at(office.browser())
    kept = browser.cookie()
    browser.post("/sign-out", page="/account")
    assert browser.cookie() in (None, "")
    assert office.people.sessions.signed_in(kept, office.at_us) is None


@pytest.mark.parametrize("value", [None, "", "x", "A" * 43, "é" * 43, "A" * 4000])
def test_a_cookie_of_nobody_is_nobody(office: Office, value: str | None) -> None:
    assert office.people.sessions.signed_in(value, office.at_us) is None


def test_a_cookie_set_before_signing_in_is_not_the_one_after(office: Office) -> None:
    member = office.staff()
    browser = office.browser()
    browser.client.set_cookie("hub", "A" * 43)
    browser.sign_in(member.login, PASSWORD)
    assert browser.cookie() != "A" * 43
    half = browser.cookie()
    browser.post("/sign-in/second", digits=member.digits())
    assert office.people.sessions.seen(half, office.at_us) is None, (
        "the cookie of the first step ends with it"
    )


# --- what one changes ----------------------------------------------------------------------------------------


def test_a_new_password_signs_out_every_other_browser(office: Office) -> None:
    member = office.staff()
    here, there = member.at(office.browser()), member.at(office.browser("192.0.2.40"))
    new = "another long sentence"
    answer = here.post("/account/password", page="/account", old=PASSWORD, new=new, again=new)
    assert answer.status_code == 303
    assert here.signed_in() is not None
    assert there.signed_in() is None
    assert office.browser("192.0.2.41").sign_in(member.login, PASSWORD).status_code == 403
    assert office.browser("192.0.2.41").sign_in(member.login, new).status_code == 303


@pytest.mark.parametrize(
    ("old", "new", "again"),
    [
        ("wrong wrong wrong", "another long sentence", "another long sentence"),
        (PASSWORD, "short", "short"),
        (PASSWORD, "Password2026!!", "Password2026!!"),
        (PASSWORD, PASSWORD, PASSWORD),
        (PASSWORD, "another long sentence", "another long sentense"),
        (PASSWORD, "", ""),
        (PASSWORD, "x" * 300, "x" * 300),
    ],
)
def test_a_password_that_cannot_be_taken_changes_nothing(
    office: Office, old: str, new: str, again: str
) -> None:
    member = office.staff()
    browser = member.at(office.browser())
    answer = browser.post("/account/password", page="/account", old=old, new=new, again=again)
    assert answer.status_code == 403
    assert office.browser("192.0.2.42").sign_in(member.login, PASSWORD).status_code == 303


def test_a_dangerous_act_needs_a_proof_younger_than_five_minutes(office: Office) -> None:
    member = office.staff()
    browser = member.at(office.browser())
    signed = browser.signed_in()
    assert signed is not None
    assert signed.is_confirmed(office.at_us)
    office.later(minutes=5)
    assert not signed.is_confirmed(office.at_us)
    answer = browser.post("/account/codes", page="/account")
    assert answer.headers["Location"] == "/sign-in?confirm=1&next=%2Faccount"
    assert browser.get("/account/second").headers["Location"].startswith("/sign-in?confirm=1")
    page = "/sign-in?confirm=1&next=/account"
    assert browser.post("/sign-in/confirm", page=page, password="wrong wrong wrong").status_code == 403
    assert browser.post("/account/codes", page="/account").status_code == 303
    answer = browser.post("/sign-in/confirm", page=page, password=PASSWORD, next="/account")
    assert answer.headers["Location"] == "/account"
    assert browser.post("/account/codes", page="/account").status_code == 200


def test_the_last_second_step_stays_and_a_new_app_takes_the_place_of_the_old(office: Office) -> None:
    member = office.staff()
    browser = member.at(office.browser())
    (app,) = [one for one in office.people.rows.factors_of(member.account) if one.kind == "totp"]
    assert browser.post("/account/factor/drop", page="/account", factor=app.id).status_code == 403
    office.later(seconds=60)
    secret = browser.add_app()
    office.later(seconds=60)
    other = office.browser("192.0.2.43")
    other.sign_in(member.login, PASSWORD)
    assert other.post("/sign-in/second", digits=member.digits()).status_code == 403
    assert other.post("/sign-in/second", digits=digits_of(secret, office.at_us)).status_code == 303


def test_nobody_drops_what_is_somebody_elses(office: Office) -> None:
    member, other = office.staff(), office.staff()
    browser = other.at(office.browser())
    (app,) = [one for one in office.people.rows.factors_of(member.account) if one.kind == "totp"]
    browser.post("/account/factor/drop", page="/account", factor=app.id)
    assert [one.id for one in office.people.rows.factors_of(member.account) if one.kind == "totp"] == [app.id]


def test_new_recovery_codes_end_the_old_ones(office: Office) -> None:
    member = office.staff()
    browser = member.at(office.browser())
    first = _codes(browser.post("/account/codes", page="/account").get_data(as_text=True))
    second = _codes(browser.post("/account/codes", page="/account").get_data(as_text=True))
    assert len(first) == len(second) == 10
    assert not set(first) & set(second)
    other = office.browser("192.0.2.44")
    other.sign_in(member.login, PASSWORD)
    assert other.post("/sign-in/second", code=first[0]).status_code == 403
    assert other.post("/sign-in/second", code=second[0]).status_code == 303


def _codes(page: str) -> list[str]:
    import re

    return re.findall(r"<li>([A-Z0-9-]{14})</li>", page)


def test_one_browser_or_all_can_be_signed_out_from_here(office: Office) -> None:
    member = office.staff()
    here, there, third = (member.at(office.browser(f"192.0.2.{number}")) for number in (45, 46, 47))
    import re

    names = re.findall(r'name="session" value="([0-9a-f]+)"', here.get("/account").get_data(as_text=True))
    assert len(names) == 2
    here.post("/account/sessions/end", page="/account", session=names[0])
    assert sorted(one.signed_in() is not None for one in (there, third)) == [False, True]
    here.post("/account/sign-out-everywhere", page="/account")
    assert not any(one.signed_in() for one in (here, there, third))
    assert not office.people.rows.devices_of(member.account)


def test_other_browsers_can_be_forgotten(office: Office) -> None:
    member = office.staff()
    here, there = member.at(office.browser()), member.at(office.browser("192.0.2.90"))
    from referral_hub.auth.people.browser_sessions import cookie_digest

    assert len(office.people.rows.devices_of(member.account)) == 3
    here.post("/account/devices/forget", page="/account")
    (left,) = office.people.rows.devices_of(member.account)
    assert left.digest == cookie_digest(here.cookie("hub-device"))
    assert there.signed_in() is not None, "it is no longer trusted with a budget, but nothing ends"


def test_nobody_ends_the_session_of_another_account(office: Office) -> None:
    mine, theirs = office.staff().at(office.browser()), office.staff().at(office.browser("192.0.2.48"))
    from referral_hub.auth.people.browser_sessions import cookie_digest
    from referral_hub.auth.people.own_account import session_name

    name = session_name(cookie_digest(theirs.cookie()) or b"")
    mine.post("/account/sessions/end", page="/account", session=name)
    assert theirs.signed_in() is not None


# --- what ends at once ---------------------------------------------------------------------------------------


def _with_token(office: Office, member: Member) -> str:
    """Gives the account a token of software, as an approval would."""
    caller = office.world.caller(member.organization)
    digest = sha256(caller.token.encode()).digest()
    family = secrets.token_hex(8)
    row = Row(
        "oauth_token_insert_bound",
        {
            "digest": sha256(f"{caller.token}2".encode()).digest(),
            "oauth_client": _client_of(office, digest),
            "organization": member.organization,
            "scope": "user/Patient.rs user/Organization.rs",
            "purpose": "TREAT",
            "role": "supervisor",
            "user_id": member.account,
            "issued_us": office.at_us,
            "expires_us": office.at_us + 10**15,
            "very_restricted": 0,
            "context": "user",
            "account": member.account,
            "person": None,
            "patient": "",
            "binding": "",
            "jkt": "",
            "family": family,
        },
        at_least_one=True,
    )
    office.world._apply((row,))
    return f"{caller.token}2"


def _client_of(office: Office, digest: bytes) -> str:
    with office.world.parts.store.snapshot() as snapshot:
        token = snapshot.token(digest)
    assert token is not None
    return token.oauth_client


def _opens(office: Office, token: str) -> bool:
    answer = office.app.test_client().get(
        "/fhir/Organization/x", headers={"Authorization": f"Bearer {token}"}
    )
    assert answer.status_code in (404, 401), answer.get_data(as_text=True)
    return answer.status_code == 404


ENDINGS = {
    "removed": lambda office, member: office.people.office.remove(member.account, office.at_us),
    "reset": lambda office, member: office.people.office.reset(member.account, office.at_us),
    "other role": lambda office, member: office.people.office.set_role(
        member.account, "lawyer", office.at_us
    ),
    "not authorised": lambda office, member: office.people.office.withdraw_authorisation(
        member.account, office.at_us
    ),
}


@pytest.mark.attack("T-38")
@pytest.mark.parametrize("ending", ENDINGS)
def test_an_end_takes_sessions_and_tokens_in_the_same_moment(office: Office, ending: str) -> None:
    member, other = office.staff("supervisor"), office.staff("supervisor")
    browser, theirs = member.at(office.browser()), other.at(office.browser("192.0.2.49"))
    token, their_token = _with_token(office, member), _with_token(office, other)
    assert _opens(office, token)
    ENDINGS[ending](office, member)
    assert browser.signed_in() is None
    assert browser.get("/account").status_code == 303
    assert not _opens(office, token)
    assert theirs.signed_in() is not None, "nobody else is touched"
    assert _opens(office, their_token)


def test_a_removed_account_frees_its_address_and_stays_named_for_the_audit(office: Office) -> None:
    member = office.staff()
    with pytest.raises(ConfigurationError, match="has an account in the network already"):
        office.people.office.add(member.organization, "lawyer", member.login.upper(), office.at_us)
    office.people.office.remove(member.account, office.at_us)
    with pytest.raises(ConfigurationError, match="no account of staff"):
        office.people.office.remove(member.account, office.at_us)
    again = office.people.office.add(member.organization, "lawyer", member.login, office.at_us)
    assert again.account != member.account
    assert office.people.rows.login_of(member.account) == member.login
    assert not office.people.rows.factors_of(member.account)


@pytest.mark.attack("T-38")
def test_an_account_removed_between_two_steps_gets_no_session(office: Office) -> None:
    member = office.staff()
    account = office.people.rows.account(member.account)
    assert account is not None
    office.people.office.remove(member.account, office.at_us)
    from referral_hub.auth.people.throttle import Browser as Place
    from referral_hub.errors import GuardFailed

    with pytest.raises(GuardFailed):  # what was read before the removal is not written after it
        office.people.signing_in.open(account, ("pwd", "otp"), Place(None), office.at_us)
    assert not office.people.rows.sessions_of(member.account)


def test_a_suspended_organisation_has_nobody_signed_in(office: Office) -> None:
    member = office.staff()
    browser = member.at(office.browser())
    office.world._apply((Row("organization_set_active", {"organization": member.organization, "active": 0}),))
    assert browser.signed_in() is None
    assert not office.people.sessions.is_active(member.account, office.at_us)


def test_training_that_runs_out_ends_the_role_and_a_shift_or_supervisor_carries_it(office: Office) -> None:
    member = office.staff()
    supervisor = office.staff("supervisor", member.organization)
    browser = member.at(office.browser())
    office.people.office.train(member.account, office.at_us - GRACE_US + 10 * 60_000_000, office.at_us)
    assert browser.signed_in() is not None
    assert "training has run out" in browser.get("/account").get_data(as_text=True)
    office.people.office.on_call(member.account, office.at_us, office.at_us + HOUR_US, office.at_us)
    office.later(minutes=20)
    assert browser.signed_in() is not None, "a shift is never cut"
    office.people.office.train(member.account, office.at_us - 60 * DAY_US, office.at_us)
    office.people.office.on_call(member.account, office.at_us, office.at_us + HOUR_US, office.at_us)
    assert browser.signed_in() is None, "a shift that begins after the grace carries nothing"
    assert not office.people.sessions.is_active(member.account, office.at_us)
    hub = office._hub
    with pytest.raises(ConfigurationError, match="nobody does it for herself"):
        office.people.office.unlock(member.account, member.account, 5, office.at_us, hub)
    office.people.office.unlock(member.account, supervisor.account, 5, office.at_us, hub)
    assert browser.signed_in() is not None


@pytest.mark.parametrize("hours", [0, -1, 73])
def test_an_unlock_is_short(office: Office, hours: int) -> None:
    member = office.staff()
    supervisor = office.staff("supervisor", member.organization)
    with pytest.raises(ConfigurationError, match="1 to 72"):
        office.people.office.unlock(member.account, supervisor.account, hours, office.at_us, office._hub)


def test_only_a_supervisor_or_coordinator_who_is_near_authorises(office: Office) -> None:
    member, peer = office.staff(), office.staff()
    same = office.staff("caseworker", member.organization)
    foreign = office.staff("supervisor")
    gone = office.staff("supervisor", member.organization)
    office.people.office.remove(gone.account, office.at_us)
    for by in (member, peer, same, foreign, gone):
        with pytest.raises(ConfigurationError):
            office.people.office.authorise(member.account, by.account, office.at_us, office._hub)
    near = office.staff("supervisor", member.organization)
    office.people.office.authorise(member.account, near.account, office.at_us, office._hub)


def test_the_audit_tells_who_signed_in_and_never_what_was_typed(office: Office) -> None:
    member = office.staff()
    typed = f"{secrets.token_hex(6)}@typed.example"
    office.browser("203.0.113.77").sign_in(typed, "wrong wrong wrong")
    member.at(office.browser())
    import sqlalchemy as sa

    from referral_hub.store import schema
    from referral_hub.store.statements import Statement

    rows = office.world.parts.database.run(
        Statement(
            "people_audit",
            sa.select(schema.audit.c.interaction, schema.audit.c.user_id, schema.audit.c.outcome),
        )
    )
    assert ("sign-in", member.account, 0) in rows
    assert ("sign-in", "", 4) in rows
    assert not any(typed in str(value) for row in rows for value in row)


def test_a_browser_that_is_not_signed_in_is_led_to_the_door(office: Office) -> None:
    browser: Browser = office.browser()
    for address in ("/account", "/account/password", "/account/second", "/her-code?patient=x"):
        assert browser.get(address).headers["Location"].startswith("/sign-in?next=")
