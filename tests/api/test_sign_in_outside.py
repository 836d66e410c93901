"""Signing in at an outside OpenID Connect provider, and every way such a provider or a stranger could lie."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest
from joserfc.jwk import ECKey, OctKey
from werkzeug.test import TestResponse

from referral_hub.adapters.guarded_http import GuardedHttp
from referral_hub.errors import ConfigurationError
from tests.api.browsing import Browser, Member, Office, office_of
from tests.api.outside_provider import CLIENT_ID, SECRET, Provider, provider_running
from tests.world import World

BACK = "/sign-in/outside/back"


@pytest.fixture(scope="module")
def running() -> Iterator[Provider]:
    with provider_running() as provider:
        yield provider


@dataclass
class Way:
    """A hub, a provider registered for one organisation, and a member of staff."""

    office: Office
    provider: Provider
    member: Member
    id: str

    def begin(self, browser: Browser, onward: str = "") -> str:
        answer = browser.post("/sign-in/outside", provider=self.id, next=onward)
        assert answer.status_code == 303, answer.get_data(as_text=True)
        return str(answer.headers["Location"])

    def back(self, browser: Browser, answer: dict[str, str]) -> TestResponse:
        return browser.get(f"{BACK}?{urlencode(answer)}")

    def sign_in(
        self, browser: Browser, subject: str = "sub-1", onward: str = "", **answer: str
    ) -> TestResponse:
        return self.back(browser, self.provider.signed_in(self.begin(browser, onward), subject, **answer))

    def link(self, member: Member, browser: Browser, subject: str = "sub-1") -> TestResponse:
        member.at(browser)
        there = browser.post("/account/outside", page="/account", provider=self.id, act="link")
        assert there.status_code == 303, there.get_data(as_text=True)
        return self.back(browser, self.provider.signed_in(there.headers["Location"], subject))


@pytest.fixture
def way(world: World, running: Provider) -> Way:
    http = GuardedHttp(inner_origins=frozenset({running.issuer}))
    office = office_of(world, http=http)
    running.claims, running.description, running.signing_key = {}, {}, None
    running.algorithm, running.is_away, running.codes = "ES256", False, {}
    running.at_s = office.at_us // 1_000_000
    member = office.staff("supervisor")
    made = office.people.outside.register(
        member.organization, running.issuer, CLIENT_ID, SECRET, "Unit sign-in", office.at_us
    )
    return Way(office, running, member, made)


def test_a_linked_name_signs_in_and_the_second_step_is_still_asked(way: Way) -> None:
    linked = way.link(way.member, way.office.browser())
    assert linked.headers["Location"] == "/account"
    way.office.later(seconds=60)
    browser = way.office.browser("192.0.2.70")
    answer = way.sign_in(browser, onward="/oauth/authorize?x=1")
    assert answer.headers["Location"].startswith("/sign-in/second?next=")
    assert browser.signed_in() is None
    answer = browser.post("/sign-in/second", digits=way.member.digits(), next="/oauth/authorize?x=1")
    assert answer.headers["Location"] == "/oauth/authorize?x=1"
    signed = browser.signed_in()
    assert signed is not None
    assert (signed.account, signed.methods) == (way.member.account, ("ext", "otp"))


def test_the_way_there_carries_pkce_state_and_nonce_and_nothing_else(way: Way) -> None:
    from urllib.parse import parse_qs, urlsplit

    asked = parse_qs(urlsplit(way.begin(way.office.browser())).query)
    assert set(asked) == {
        *("response_type", "client_id", "redirect_uri", "scope", "state", "nonce"),
        *("code_challenge", "code_challenge_method"),
    }
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["redirect_uri"] == [f"{way.office.world.parts.settings.base_url}{BACK}"]
    again = parse_qs(urlsplit(way.begin(way.office.browser())).query)
    for name in ("state", "nonce", "code_challenge"):
        assert again[name] != asked[name]


def test_a_provider_that_asked_for_two_factors_is_believed(way: Way) -> None:
    way.link(way.member, way.office.browser())
    way.provider.claims = {"amr": ["pwd", "mfa"]}
    browser = way.office.browser("192.0.2.71")
    assert way.sign_in(browser).headers["Location"] == "/"
    assert browser.signed_in() is not None


def test_a_name_nobody_linked_opens_nothing_whatever_address_it_tells(way: Way) -> None:
    way.provider.claims = {"email": way.member.login, "email_verified": True}
    browser = way.office.browser("192.0.2.72")
    answer = way.sign_in(browser, "sub-of-a-stranger")
    assert answer.status_code == 403
    assert browser.cookie() is None


LIES: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "http://127.0.0.1:1"},
    "the issuer with a slash": {"iss": "ISSUER/"},
    "no issuer": {"iss": None},
    "for somebody else": {"aud": "another-client"},
    "for several, of another": {"aud": [CLIENT_ID, "another-client"], "azp": "another-client"},
    "for several, of nobody": {"aud": [CLIENT_ID, "another-client"]},
    "for nobody": {"aud": None},
    "of another party": {"azp": "another-client"},
    "another nonce": {"nonce": "guessed"},
    "no nonce": {"nonce": None},
    "a nonce that is no text": {"nonce": 5},
    "long over": {"exp": 1_000_000},
    "never over": {"exp": None},
    "over in words": {"exp": "tomorrow"},
    "of the future": {"iat": 99_999_999_999},
    "without a time": {"iat": None},
    "without a name": {"sub": None},
    "an empty name": {"sub": ""},
    "a name that is no text": {"sub": 7},
    "a name without end": {"sub": "x" * 300},
}


@pytest.mark.parametrize("lie", LIES)
def test_an_id_token_that_lies_is_refused(way: Way, lie: str) -> None:
    way.link(way.member, way.office.browser())
    way.provider.claims = {
        name: value.replace("ISSUER", way.provider.issuer) if isinstance(value, str) else value
        for name, value in LIES[lie].items()
    }
    browser = way.office.browser("192.0.2.73")
    assert way.sign_in(browser).status_code == 403
    assert browser.cookie() is None


@pytest.mark.parametrize("how", ["another key", "no signature", "a shared secret"])
def test_a_signature_that_is_not_the_providers_is_refused(way: Way, how: str) -> None:
    way.link(way.member, way.office.browser())
    if how == "another key":
        way.provider.signing_key = ECKey.generate_key("P-256")
    elif how == "no signature":
        way.provider.algorithm = "none"
    else:
        way.provider.algorithm = "HS256"
        way.provider.signing_key = OctKey.import_key(SECRET)  # type: ignore[assignment]
    assert way.sign_in(way.office.browser("192.0.2.74")).status_code == 403


def test_an_answer_to_another_browser_or_another_time_is_refused(way: Way) -> None:
    way.link(way.member, way.office.browser())
    mine, theirs = way.office.browser("192.0.2.75"), way.office.browser("192.0.2.76")
    answer = way.provider.signed_in(way.begin(theirs), "sub-1")
    assert way.back(mine, answer).status_code == 403, "no way was begun here"
    way.begin(mine)
    assert way.back(mine, answer).status_code == 403, "another one was begun here"
    answer = way.provider.signed_in(way.begin(mine), "sub-1")
    assert way.back(mine, {**answer, "state": ""}).status_code == 403
    answer = way.provider.signed_in(way.begin(mine), "sub-1")
    way.office.later(minutes=11)
    assert way.back(mine, answer).status_code == 403


def test_a_way_is_gone_once(way: Way) -> None:
    way.link(way.member, way.office.browser())
    browser = way.office.browser("192.0.2.77")
    answer = way.provider.signed_in(way.begin(browser), "sub-1")
    ticket = browser.cookie("hub-outside")
    assert ticket
    assert way.back(browser, answer).status_code == 303
    browser.client.set_cookie("hub-outside", ticket)
    way.provider.codes["again"] = {**_asked(way, answer), "sub": "sub-1"}
    assert way.back(browser, {**answer, "code": "again"}).status_code == 403


def _asked(way: Way, answer: dict[str, str]) -> dict[str, str]:
    other = way.office.browser("192.0.2.78")
    made = way.provider.signed_in(way.begin(other), "sub-1")
    return way.provider.codes.pop(made["code"])


@pytest.mark.parametrize(
    ("description", "answer", "http_status"),
    [
        ({}, {"iss": "http://evil.example"}, 403),
        ({"authorization_response_iss_parameter_supported": True}, {}, 403),
        ({"authorization_response_iss_parameter_supported": True}, {"iss": "ISSUER"}, 303),
        ({}, {"iss": "ISSUER"}, 303),
        ({}, {"code": ""}, 403),
    ],
)
def test_the_issuer_in_the_answer_counts(
    way: Way, description: dict[str, Any], answer: dict[str, str], http_status: int
) -> None:
    way.link(way.member, way.office.browser())
    way.provider.description = description
    said = {name: value.replace("ISSUER", way.provider.issuer) for name, value in answer.items()}
    assert way.sign_in(way.office.browser("192.0.2.79"), **said).status_code == http_status


@pytest.mark.parametrize(
    "description",
    [{"issuer": "http://127.0.0.1:1"}, {"issuer": None}, {"token_endpoint": None}, {"jwks_uri": 5}],
)
def test_a_description_of_somebody_else_begins_nothing(way: Way, description: dict[str, Any]) -> None:
    way.provider.description = description
    assert way.office.browser().post("/sign-in/outside", provider=way.id).status_code == 403
    with pytest.raises(ConfigurationError):
        way.office.people.outside.register(
            way.member.organization, way.provider.issuer, CLIENT_ID, SECRET, "Again", way.office.at_us
        )


def test_a_description_cannot_lead_the_hub_to_an_address_inside(way: Way) -> None:
    way.link(way.member, way.office.browser())
    way.provider.description = {"token_endpoint": "http://127.0.0.1:9/token"}
    browser = way.office.browser("192.0.2.80")
    assert way.sign_in(browser).status_code == 403


def test_browsers_are_sent_to_the_registered_origin_only(way: Way) -> None:
    shown = way.office.browser().get("/sign-in")
    assert way.provider.issuer in shown.headers["Content-Security-Policy"].partition("form-action")[2]
    way.provider.description = {"authorization_endpoint": "https://evil.example/authorize"}
    assert way.office.browser().post("/sign-in/outside", provider=way.id).status_code == 403


def test_a_provider_that_is_away_is_said(way: Way) -> None:
    way.provider.is_away = True
    answer = way.office.browser().post("/sign-in/outside", provider=way.id)
    assert answer.status_code == 403
    assert "does not answer now" in answer.get_data(as_text=True)
    assert way.office.browser().post("/sign-in/outside", provider="none").status_code == 403


def test_a_name_is_linked_to_one_account_and_by_its_own_session_only(way: Way) -> None:
    assert way.link(way.member, way.office.browser()).status_code == 303
    peer = way.office.staff("caseworker", way.member.organization)
    assert way.link(peer, way.office.browser("192.0.2.81")).status_code == 403
    assert not way.office.people.rows.identities_of(peer.account)
    # an attacker's half-gone way does not link in the victim's browser
    attacker, victim = way.office.browser("192.0.2.82"), peer.at(way.office.browser("192.0.2.83"))
    other = way.office.staff("caseworker", way.member.organization)
    other.at(attacker)
    there = attacker.post("/account/outside", page="/account", provider=way.id, act="link").headers[
        "Location"
    ]
    answer = way.provider.signed_in(there, "sub-of-attacker")
    victim.client.set_cookie("hub-outside", attacker.cookie("hub-outside") or "")
    assert way.back(victim, answer).status_code == 403
    assert not way.office.people.rows.identities_of(peer.account)


def test_linking_needs_a_fresh_proof_and_the_right_organisation(way: Way) -> None:
    browser = way.member.at(way.office.browser())
    way.office.later(minutes=6)
    answer = browser.post("/account/outside", page="/account", provider=way.id, act="link")
    assert answer.headers["Location"].startswith("/sign-in?confirm=1")
    foreign = way.office.staff("supervisor")
    assert way.link(foreign, way.office.browser("192.0.2.84"), "sub-foreign").status_code == 403


def test_an_unlinked_or_removed_account_is_not_opened_any_more(way: Way) -> None:
    browser = way.office.browser()
    way.link(way.member, browser)
    browser.post("/account/outside", page="/account", provider=way.id, act="unlink")
    assert way.sign_in(way.office.browser("192.0.2.85")).status_code == 403
    way.office.later(seconds=60)
    way.link(way.member, way.office.browser("192.0.2.86"))
    way.office.people.office.remove(way.member.account, way.office.at_us)
    assert way.sign_in(way.office.browser("192.0.2.87")).status_code == 403


@pytest.mark.parametrize(
    ("issuer", "client_id", "name"),
    [("ftp://x.example", "c", "n"), ("https://x.example/?a=1", "c", "n"), ("ISSUER", "", "n"), ("ISSUER", "c", " "),
     ("https://127.0.0.1", "c", "n")],
)  # fmt: skip
def test_a_registration_that_cannot_work_is_refused(way: Way, issuer: str, client_id: str, name: str) -> None:
    with pytest.raises(ConfigurationError):
        way.office.people.outside.register(
            way.member.organization,
            issuer.replace("ISSUER", way.provider.issuer),
            client_id,
            "",
            name,
            way.office.at_us,
        )
