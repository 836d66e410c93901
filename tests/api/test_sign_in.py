"""Signing in as staff, through the pages: who gets in, who does not, and who can keep whom out."""

import secrets
import statistics
import time

import pytest

from referral_hub.auth.people.browser_sessions import Policy, cookie_digest
from referral_hub.auth.people.passwords import Passwords
from referral_hub.exchange.change import Row
from referral_hub.store.columns import BLOB
from referral_hub.store.schema import METADATA
from tests.api.browsing import PASSWORD, Office, office_of
from tests.world import World


@pytest.fixture
def office(world: World) -> Office:
    return office_of(world)


# --- the way in ----------------------------------------------------------------------------------------------


def test_first_sign_in_leads_through_password_and_second_step_to_the_account(office: Office) -> None:
    organization = office.world.add_organization("unit a", "shelter")
    login = f"{secrets.token_hex(4)}@unit.example"
    given = office.people.office.add(organization, "caseworker", login, office.at_us)
    browser = office.browser()
    answer = browser.sign_in(login, given.one_time_password)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/account/password")
    assert browser.signed_in() is None, "a one-time password alone opens nothing"
    answer = browser.post("/account/password", new=PASSWORD, again=PASSWORD)
    assert answer.headers["Location"] == "/account/second"
    assert browser.signed_in() is None, "a password alone opens nothing"
    before = browser.cookie()
    browser.add_app()
    assert browser.cookie() != before, "each step gets a new cookie"
    shown = browser.get("/account").get_data(as_text=True)
    assert "not authorised yet" in shown
    assert browser.signed_in() is None, "an untrained role opens nothing"
    office.people.office.train(given.account, office.at_us + 10**15, office.at_us)
    office.people.office.authorise(given.account, office._authority(), office.at_us, office._hub)
    signed = browser.signed_in()
    assert signed is not None
    assert (signed.account, signed.organization, signed.role) == (given.account, organization, "caseworker")
    assert set(signed.methods) == {"pwd", "otp"}


def test_a_whole_sign_in_goes_on_where_it_wanted_to_go(office: Office) -> None:
    member = office.staff()
    browser = office.browser()
    answer = browser.sign_in(member.login, PASSWORD, onward="/oauth/authorize?client_id=x")
    assert answer.headers["Location"] == "/sign-in/second?next=%2Foauth%2Fauthorize%3Fclient_id%3Dx"
    answer = browser.post("/sign-in/second", digits=member.digits(), next="/oauth/authorize?client_id=x")
    assert answer.headers["Location"] == "/oauth/authorize?client_id=x"


def test_an_app_that_sends_somebody_here_gets_its_page_after_the_sign_in(world: World) -> None:
    from urllib.parse import parse_qs, urlencode, urlsplit

    from tests.api.software import software

    office = office_of(world)
    member = office.staff("supervisor")
    app = software(world, member.organization, secret=True)
    wanted = f"/oauth/authorize?{urlencode(app.request('user/Patient.rs openid'))}"
    browser = office.browser()
    there = browser.get(wanted)
    while there.headers["Location"].startswith("/oauth/authorize"):
        there = browser.get(there.headers["Location"])
    assert there.headers["Location"].startswith("/sign-in?next="), there.headers["Location"]
    onward = parse_qs(urlsplit(there.headers["Location"]).query)["next"][0]
    answer = browser.sign_in(member.login, PASSWORD, onward=onward)
    onward = parse_qs(urlsplit(answer.headers["Location"]).query)["next"][0]
    answer = browser.post("/sign-in/second", digits=member.digits(), next=onward)
    shown = browser.get(answer.headers["Location"])
    assert shown.status_code == 200
    assert "Invented app" in shown.get_data(as_text=True)


@pytest.mark.parametrize(
    "onward",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/fhir/Patient",
        "/accounts",
        "javascript:1",
    ],
)
def test_nobody_is_sent_elsewhere(office: Office, onward: str) -> None:
    member = office.staff()
    browser = office.browser()
    browser.sign_in(member.login, PASSWORD, onward=onward)
    answer = browser.post("/sign-in/second", digits=member.digits(), next=onward)
    assert answer.headers["Location"] == "/"


def test_the_cookie_is_for_this_hub_and_no_script(office: Office) -> None:
    browser = office.browser()
    answer = browser.sign_in(office.staff().login, PASSWORD)
    made = [line for line in answer.headers.getlist("Set-Cookie") if line.startswith("hub=")]
    assert len(made) == 1
    assert "HttpOnly" in made[0]
    assert "SameSite=Lax" in made[0]
    assert "Domain" not in made[0]


def test_on_https_the_cookie_has_a_name_no_sister_can_set(world: World) -> None:
    office = office_of(world, base_url="https://hub.example")
    answer = office.browser().get("/sign-in")
    assert all("Secure" in line for line in answer.headers.getlist("Set-Cookie"))
    from referral_hub.auth.people.browser_sessions import session_cookie_name

    assert session_cookie_name(secure=True) == "__Host-hub"


def test_a_form_from_elsewhere_signs_nobody_in(office: Office) -> None:
    member = office.staff()
    browser = office.browser()
    browser.get("/sign-in")
    bare = browser.client.post("/sign-in", data={"login": member.login, "password": PASSWORD})
    assert bare.status_code == 403
    browser.headers = {"Origin": "https://evil.example"}
    assert browser.sign_in(member.login, PASSWORD).status_code == 403
    assert browser.cookie() is None


# --- who is turned away ----------------------------------------------------------------------------------------


def _bare(text: str) -> str:
    import re

    return re.sub(r'value="[^"]*"', "", text)


@pytest.mark.attack("T-40")
def test_whatever_is_wrong_the_answer_is_the_same(office: Office) -> None:
    member, removed, suspended, stale = office.staff(), office.staff(), office.staff(), office.staff()
    office.people.office.remove(removed.account, office.at_us)
    given = office.people.office.reset(stale.account, office.at_us)
    office.world._apply(
        (Row("organization_set_active", {"organization": suspended.organization, "active": 0}),)
    )
    office.later(days=8)
    answers = [
        office.browser("203.0.113.1").sign_in("nobody@unit.example", PASSWORD),
        office.browser("203.0.113.2").sign_in(member.login, "wrong wrong wrong"),
        office.browser("203.0.113.3").sign_in(removed.login, PASSWORD),
        office.browser("203.0.113.4").sign_in(suspended.login, PASSWORD),
        office.browser("203.0.113.5").sign_in(stale.login, given.one_time_password),
        office.browser("203.0.113.6").sign_in("", ""),
    ]
    assert {answer.status_code for answer in answers} == {403}
    assert len({_bare(answer.get_data(as_text=True)) for answer in answers}) == 1
    assert all("hub=" not in line[:4] for answer in answers for line in answer.headers.getlist("Set-Cookie"))


@pytest.mark.attack("T-40")
def test_an_unknown_login_costs_the_same_work(world: World) -> None:
    office = office_of(world, passwords=Passwords(memory_kib=32 * 1024, passes=2, lanes=1))
    member = office.staff()
    known, unknown = [], []
    for turn in range(12):
        for login, spent in ((member.login, known), (f"nobody{turn}@unit.example", unknown)):
            browser = office.browser(f"203.0.113.{turn}")
            office.later(days=2)  # no attempt has to wait
            begun = time.perf_counter()
            browser.sign_in(login, "wrong wrong wrong")
            spent.append(time.perf_counter() - begun)
    slow, fast = statistics.median(known), statistics.median(unknown)
    assert 0.5 < slow / fast < 2, (slow, fast)


def test_digits_are_good_once(office: Office) -> None:
    member = office.staff()
    first, second = office.browser(), office.browser("192.0.2.11")
    first.sign_in(member.login, PASSWORD)
    second.sign_in(member.login, PASSWORD)
    digits = member.digits()
    assert first.post("/sign-in/second", digits=digits).status_code == 303
    assert second.post("/sign-in/second", digits=digits).status_code == 403
    assert second.signed_in() is None


def test_a_recovery_code_is_good_once_and_only_for_its_owner(office: Office) -> None:
    member, other = office.staff(), office.staff()
    browser = member.at(office.browser())
    seen = office.people.rows.session(cookie_digest(browser.cookie()) or b"")
    assert seen is not None
    codes = office.people.own.new_recovery_codes(seen, office.at_us)
    assert len(set(codes)) == 10
    thief = office.browser("192.0.2.12")
    thief.sign_in(other.login, PASSWORD)
    assert thief.post("/sign-in/second", code=codes[0]).status_code == 403
    again = office.browser("192.0.2.13")
    again.sign_in(member.login, PASSWORD)
    assert again.post("/sign-in/second", code=codes[0].lower().replace("-", " ")).status_code == 303
    assert again.signed_in() is not None
    third = office.browser("192.0.2.14")
    third.sign_in(member.login, PASSWORD)
    assert third.post("/sign-in/second", code=codes[0]).status_code == 403


def test_who_knows_only_the_password_changes_nothing(office: Office) -> None:
    member = office.staff()
    thief = office.browser()
    thief.sign_in(member.login, PASSWORD)
    before = office.people.rows.factors_of(member.account)
    for address, form in (
        (
            "/account/password",
            {"old": PASSWORD, "new": "another long sentence", "again": "another long sentence"},
        ),
        ("/account/codes", {}),
        ("/account/factor/drop", {"factor": before[0].id}),
        ("/account/second", {"ticket": "x", "digits": "123456"}),
        ("/account/sign-out-everywhere", {}),
        ("/account/passkey/options", {}),
    ):
        answer = thief.post(address, **form)
        assert answer.headers["Location"] == "/sign-in", address
    assert thief.get("/account").headers["Location"].startswith("/sign-in")
    assert office.people.rows.factors_of(member.account) == before
    assert office.people.signing_in._passwords.fits(
        office.people.rows.account(member.account).password_hash,
        PASSWORD,  # type: ignore[union-attr]
    )


def test_without_a_need_for_a_second_step_a_password_is_enough_until_one_is_set_up(world: World) -> None:
    office = office_of(world, policy=Policy(second_needed=False))
    member = office.staff()
    browser = office.browser()
    assert browser.sign_in(member.login, PASSWORD).headers["Location"] == "/sign-in/second"
    office.people.office.reset(member.account, office.at_us, factors=True)
    given = office.people.office.reset(member.account, office.at_us)
    browser = office.browser()
    browser.sign_in(member.login, given.one_time_password)
    browser.post("/account/password", new="another long sentence", again="another long sentence")
    assert browser.signed_in() is not None


# --- nobody keeps the owner out --------------------------------------------------------------------------------


@pytest.mark.attack("T-39")
def test_a_stranger_cannot_keep_the_owner_out_of_her_known_browser(office: Office) -> None:
    member = office.staff()
    home = member.at(office.browser("192.0.2.50"))
    home.post("/sign-out", page="/account")
    strangers = [office.browser(f"203.0.113.{number}") for number in range(8)]
    refused = 0
    for turn in range(120):
        answer = strangers[turn % 8].sign_in(member.login, f"guess number {turn}")
        refused += answer.status_code == 429
    assert refused > 50, "strangers are slowed down"
    answer = office.browser("203.0.113.99").sign_in(member.login, PASSWORD)
    assert answer.status_code == 429, "and so is every browser nobody knows"
    assert int(answer.headers["Retry-After"]) > 0
    # hers is not, at once, from the very network the strangers are in
    home.address = "203.0.113.1"
    office.later(seconds=60)
    assert home.sign_in(member.login, PASSWORD).status_code == 303
    assert home.post("/sign-in/second", digits=member.digits()).status_code == 303
    assert home.signed_in() is not None


def test_the_wait_of_an_unknown_browser_ends(office: Office) -> None:
    member = office.staff()
    for turn in range(60):
        office.browser("203.0.113.7").sign_in(member.login, f"guess number {turn}")
    assert office.browser("203.0.113.7").sign_in(member.login, PASSWORD).status_code == 429
    office.later(minutes=16)
    assert office.browser("203.0.113.7").sign_in(member.login, PASSWORD).status_code == 303


def test_a_known_browser_is_slowed_down_too(office: Office) -> None:
    member = office.staff()
    browser = member.at(office.browser())
    browser.post("/sign-out", page="/account")
    answers = [browser.sign_in(member.login, f"guess number {turn}").status_code for turn in range(12)]
    assert answers[:5] == [403] * 5
    assert 429 in answers[5:]
    other = office.browser("192.0.2.77")
    assert other.sign_in(member.login, PASSWORD).status_code == 303, "it has a budget of its own"


def test_somebody_elses_known_browser_is_a_strangers(office: Office) -> None:
    member, other = office.staff(), office.staff()
    browser = other.at(office.browser())
    browser.post("/sign-out", page="/account")
    answers = [browser.sign_in(member.login, f"guess number {turn}").status_code for turn in range(30)]
    assert 429 in answers
    assert not office.people.rows.device(cookie_digest(browser.cookie("hub-device")) or b"", member.account)


def test_one_network_cannot_try_many_logins(office: Office) -> None:
    member = office.staff()
    codes = [
        office.browser("203.0.113.40").sign_in(f"nobody{turn}@unit.example", "wrong wrong wrong").status_code
        for turn in range(70)
    ]
    assert 429 in codes
    assert office.browser("203.0.113.41").sign_in(member.login, PASSWORD).status_code == 303


def test_the_second_step_cannot_be_guessed(office: Office) -> None:
    member = office.staff()
    thief = office.browser()
    thief.sign_in(member.login, PASSWORD)
    answers = [thief.post("/sign-in/second", digits=f"{turn:06}").status_code for turn in range(20)]
    assert answers.count(429) >= 10


def test_attempts_at_the_same_moment_are_all_counted(office: Office) -> None:
    from concurrent.futures import ThreadPoolExecutor

    member = office.staff()
    throttle = office.people.signing_in._throttle
    from referral_hub.auth.people.refusals import Refused
    from referral_hub.auth.people.throttle import Browser as Place

    place = Place(None, "203.0.113.60")
    keys = throttle.keys(office.people.rows.digest("login", member.login), place, member.account)

    def attempt(_: int) -> bool:
        try:
            throttle.take(keys, office.at_us)
        except Refused:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        let_through = sum(pool.map(attempt, range(24)))
    assert let_through <= 5


def test_a_flood_of_strangers_leaves_room_for_known_browsers(office: Office) -> None:
    from contextlib import ExitStack

    from referral_hub.auth.people.passwords import WAITING
    from referral_hub.auth.people.refusals import Refused

    member = office.staff()
    home = member.at(office.browser())
    home.post("/sign-out", page="/account")
    passwords = office.people.signing_in._passwords
    with ExitStack() as flood:
        for _ in range(WAITING[False]):
            flood.enter_context(passwords.turn(known=False))
        with pytest.raises(Refused), passwords.turn(known=False):
            pytest.fail("no stranger more")
        assert office.browser("203.0.113.80").sign_in(member.login, PASSWORD).status_code == 429
        assert home.sign_in(member.login, PASSWORD).status_code == 303
    assert office.browser("203.0.113.80").sign_in(member.login, PASSWORD).status_code == 303


@pytest.mark.parametrize(
    ("proxies", "told", "address"),
    [
        (0, "203.0.113.5", "192.0.2.1"),
        (1, "198.51.100.7, 203.0.113.5", "203.0.113.5"),
        (2, "198.51.100.7, 203.0.113.5", "198.51.100.7"),
        (2, "203.0.113.5", ""),
        (1, "", ""),
    ],
)
def test_the_address_is_what_our_own_proxies_saw(
    office: Office, proxies: int, told: str, address: str
) -> None:
    from referral_hub.web.browsers import Browsers

    browsers = Browsers(office.people.sessions, office.now, secure=False, proxies=proxies)
    environ = {"REMOTE_ADDR": "192.0.2.1", "HTTP_X_FORWARDED_FOR": told}
    with office.app.test_request_context("/sign-in", environ_overrides=environ):
        assert browsers.here().network == address


# --- what is kept ----------------------------------------------------------------------------------------------


def test_the_database_shows_no_login_password_code_or_cookie(office: Office) -> None:
    member = office.staff()
    browser = member.at(office.browser())
    code = office.people.herself.hand_code(987654, "p-x", member.organization, member.account, office.at_us)
    told = [
        member.login,
        PASSWORD,
        browser.cookie() or "",
        browser.cookie("hub-device") or "",
        code,
        code.replace("-", ""),
    ]
    wanted = [text.encode() for text in told] + [member.secret, member.secret.hex().encode()]
    import sqlalchemy as sa

    from referral_hub.store.statements import Statement

    names = [
        name
        for name in METADATA.tables
        if name.startswith(("account", "browser", "known", "sign_in", "audit"))
    ]
    assert len(names) >= 8
    for name in names:
        table = METADATA.tables[name]
        rows = office.world.parts.database.run(Statement(f"all_{name}", sa.select(table)))
        for row in rows:
            for column, value in zip(table.c, row, strict=True):
                held = value if column.type is BLOB else str(value).encode()
                for secret in wanted:
                    assert secret not in bytes(held or b""), f"{name}.{column.name}"


def test_an_account_is_found_by_how_people_write_its_address(office: Office) -> None:
    member = office.staff()
    answer = office.browser().sign_in(f" {member.login.upper()} ", PASSWORD)
    assert answer.status_code == 303


def test_a_hash_of_earlier_parameters_is_made_anew_at_sign_in(office: Office) -> None:
    member = office.staff()
    before = office.people.rows.account(member.account)
    dearer = office_of(office.world, passwords=Passwords(memory_kib=16, passes=1, lanes=1))
    dearer.at_us = office.at_us
    dearer.browser().sign_in(member.login, PASSWORD)
    after = office.people.rows.account(member.account)
    assert before is not None
    assert after is not None
    assert "m=8," in before.password_hash
    assert "m=16," in after.password_hash
    assert dearer.browser("192.0.2.99").sign_in(member.login, PASSWORD).status_code == 303
