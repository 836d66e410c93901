"""The frame of the portal: seats, refusals, and a form whose session ended."""

import re

import pytest
import sqlalchemy as sa

from referral_hub.auth.people.portal_tokens import PORTAL
from referral_hub.store import schema
from referral_hub.store.statements import Statement, words
from referral_hub.web.portal.kept_forms import KeptForms
from tests.api.browsing import Office, office_of
from tests.world import World

_KEPT = re.compile(r'name="form_kept" value="([^"]+)"')


@pytest.fixture
def office(world: World) -> Office:
    return office_of(world)


def tokens_of(office: Office, account: str) -> list[tuple[str, str, str]]:
    token = schema.oauth_token
    chosen = sa.select(token.c.oauth_client, token.c.context, token.c.purpose)
    rows = office.world.parts.database.run(
        Statement("portal_tokens_of", chosen.where(token.c.account == words("account"))), {"account": account}
    )
    return [(row[0], row[1], row[2]) for row in rows]


def test_a_stranger_finds_three_doors_and_nothing_else(office: Office) -> None:
    answer = office.browser().get("/")
    assert answer.status_code == 200
    text = answer.get_data(as_text=True)
    assert re.findall(r'class="door" href="([^"]+)"', text) == ["/sign-in", "/link", "/code"]
    assert "/admin" not in text


def test_whoever_signed_in_is_led_to_her_own_first_page(office: Office) -> None:
    member = office.staff("caseworker")
    assert member.at(office.browser()).get("/").status_code == 200
    coordinator = office.staff("coordinator")
    answer = coordinator.at(office.browser()).get("/")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/admin")


def test_a_seat_acts_through_one_token_of_its_account_and_role(office: Office) -> None:
    member = office.staff("caseworker")
    browser = member.at(office.browser())
    for _ in range(3):
        browser.get("/")
    assert tokens_of(office, member.account) == [(PORTAL, "user", "shelter-placement")]
    office.later(minutes=6)
    browser.get("/")
    assert len(tokens_of(office, member.account)) == 2


def test_no_software_presents_the_token_of_a_seat(office: Office) -> None:
    member = office.staff("caseworker")
    browser = member.at(office.browser())
    browser.get("/")
    for presented in (browser.cookie() or "", "portal", "A" * 43):
        answer = browser.client.get("/fhir/Task", headers={"Authorization": f"Bearer {presented}"})
        assert answer.status_code == 401


def test_a_purpose_of_others_is_not_taken(office: Office) -> None:
    member = office.staff("caseworker")
    browser = member.at(office.browser())
    browser.post("/purpose", page="/", purpose="first-night")
    browser.client.set_cookie("hub-purpose", "TREAT")
    browser.get("/")
    assert {purpose for _, _, purpose in tokens_of(office, member.account)} == {"shelter-placement"}


def test_removing_the_account_ends_the_seat_at_once(office: Office) -> None:
    member = office.staff("caseworker")
    browser = member.at(office.browser())
    assert browser.get("/").status_code == 200
    office.people.office.remove(member.account, office.at_us)
    answer = browser.get("/")
    assert answer.status_code in (200, 303)
    assert "/sign-out" not in answer.get_data(as_text=True)


def test_a_form_whose_session_ended_waits_sealed_for_the_same_account(office: Office) -> None:
    member, other = office.staff("caseworker"), office.staff("caseworker")
    browser = member.at(office.browser())
    owner = KeptForms(office.world.parts.hub.cursors).owner_field(browser.signed_in())()
    owner = re.search(r'value="([^"]+)"', owner)[1]
    browser.client.delete_cookie("hub")
    answer = browser.post("/purpose", page="/", purpose="first-night", back="/", form_owner=owner)
    text = answer.get_data(as_text=True)
    assert answer.status_code == 401
    assert "first-night" not in text
    kept = _KEPT.search(text)
    assert kept
    stranger = other.at(office.browser())
    assert stranger.post("/kept", page="/", form_kept=kept[1]).status_code == 303, "opens for nobody else"
    member.at(browser)
    shown = browser.post("/kept", page="/", form_kept=kept[1]).get_data(as_text=True)
    assert 'name="purpose" value="first-night"' in shown
    assert 'action="/purpose"' in shown
    office.later(days=1.1)
    member.at(browser)
    assert browser.post("/kept", page="/", form_kept=kept[1]).status_code == 303, "and not for ever"


def test_a_page_that_refreshes_itself_keeps_no_session_alive(office: Office) -> None:
    browser = office.staff("caseworker").at(office.browser())
    browser.headers = {"HX-Request": "true"}
    for _ in range(4):
        office.later(minutes=9)
        browser.get("/")
    assert browser.signed_in() is None
