"""The person herself: a code that stops everything and says nothing, a secret she chooses, contact lost."""

import re
import statistics
import time
from dataclasses import dataclass
from typing import Any

import pytest

from referral_hub.errors import ConfigurationError
from referral_hub.texts.catalogs import catalog
from referral_hub.web.her_pages import ANSWER_S
from tests.api.browsing import Browser, Member, Office, office_of
from tests.api.network import Story, story
from tests.world import World

SECRET = "seven quiet lamps"


@dataclass
class Hers:
    """A person with a worker, and the hub's pages."""

    office: Office
    story: Story
    worker: Member
    desk: Browser

    @property
    def patient(self) -> str:
        return self.story.person.partition("/")[2]

    def page(self) -> str:
        return f"/her-code?patient={self.patient}"

    def act(self, act: str) -> Any:
        return self.desk.post("/her-code", page=self.page(), patient=self.patient, act=act)

    def code(self) -> str:
        shown = self.act("code").get_data(as_text=True)
        found = re.search(r'<p class="codes">([A-Z0-9-]{14})</p>', shown)
        assert found, shown
        return found[1]

    def set_up(self) -> tuple[str, Browser]:
        """Hands over a code and sets up her pages with her; gives the code and her signed-in browser."""
        code = self.code()
        assert self.act("set-up").status_code == 200
        browser = self.office.browser("192.0.2.200")
        answer = browser.post("/sign-in/code/choose", code=code, secret=SECRET, again=SECRET)
        assert answer.status_code == 303, answer.get_data(as_text=True)
        return code, browser


@pytest.fixture
def hers(world: World) -> Hers:
    it = story(world)
    it.sign()
    it.refer()
    office = office_of(world)
    worker = office.staff("supervisor", it.shelter)
    return Hers(office, it, worker, worker.at(office.browser()))


# --- the code alone --------------------------------------------------------------------------------------------


def test_the_code_alone_stops_all_sharing_and_says_the_same_as_a_wrong_one(hers: Hers) -> None:
    code = hers.code()
    assert hers.story.c.get(f"/{hers.story.task}").status_code == 200
    stranger = hers.office.browser("203.0.113.200")
    wrong = stranger.post("/code", page="/code", code="ACDE-FGHJ-KMNP")
    assert hers.story.s.read(f"Consent/{hers.story.release['id']}")["status"] == "active"
    right = hers.office.browser("203.0.113.201").post(
        "/code", page="/code", code=code.lower().replace("-", " ")
    )
    again = hers.office.browser("203.0.113.202").post("/code", page="/code", code=code)
    answers = [wrong, right, again]
    assert {answer.status_code for answer in answers} == {200}
    assert len({re.sub(r'value="[^"]*"', "", answer.get_data(as_text=True)) for answer in answers}) == 1
    assert len({len(answer.get_data()) for answer in answers}) == 1
    assert hers.story.s.read(f"Consent/{hers.story.release['id']}")["status"] == "inactive"


def test_the_page_has_one_field_and_one_button_and_names_nobody(hers: Hers) -> None:
    shown = hers.office.browser().get("/code").get_data(as_text=True)
    form = re.search(r'<form method="post" action="/code">.*?</form>', shown, re.DOTALL)
    assert form
    assert form[0].count("<input") - form[0].count('type="hidden"') == 1
    assert form[0].count("<button") == 1
    assert "Referral Hub" not in shown, "the name of the product tells something, too"


@pytest.mark.parametrize("address", ["/code", "/sign-in/code", "/sign-in/code/choose"])
@pytest.mark.parametrize("language", ["en", "pl", "uk", "es", "ar"])
def test_the_title_in_her_browser_says_nothing(world: World, address: str, language: str) -> None:
    """It stays in a list of pages that others may look at (``practice.md`` 10)."""
    answer = world.client.get(address, headers={"Accept-Language": language})
    assert answer.status_code == 200
    found = re.search(r"<title>(.*?)</title>", answer.get_data(as_text=True))
    assert found
    assert found[1] == catalog(language).sentence("page.neutral")


@pytest.mark.attack("T-40")
def test_every_code_is_answered_after_the_same_time(hers: Hers) -> None:
    code = hers.code()
    browser = hers.office.browser("203.0.113.210")
    spent: dict[str, list[float]] = {"right": [], "wrong": []}
    for kind, typed in (("wrong", "ACDE-FGHJ-KMNP"), ("right", code), ("wrong", ""), ("right", code)):
        token = re.search(r'name="form_token" value="([^"]+)"', browser.get("/code").get_data(as_text=True))
        assert token
        begun = time.monotonic()
        browser.client.post("/code", data={"form_token": token[1], "code": typed})
        spent[kind].append(time.monotonic() - begun)
    assert min(spent["wrong"]) >= ANSWER_S
    assert abs(statistics.mean(spent["right"]) - statistics.mean(spent["wrong"])) < ANSWER_S / 4


@pytest.mark.attack("T-39")
def test_nobody_keeps_her_code_from_working_by_trying_others(hers: Hers) -> None:
    code = hers.code()
    herself = hers.office.people.herself
    stopped: list[int | None] = []
    for turn in range(200):
        herself.withdraw(f"ACDE-FGHJ-{turn:04}", stopped.append)
    herself.withdraw(code, stopped.append)
    assert stopped[:200] == [None] * 200
    assert stopped[200] is not None


def test_a_new_code_ends_the_old_one(hers: Hers) -> None:
    old, new = hers.code(), hers.code()
    stopped: list[int | None] = []
    for code in (old, new):
        hers.office.people.herself.withdraw(code, stopped.append)
    assert stopped[0] is None
    assert stopped[1] is not None


# --- her own pages ---------------------------------------------------------------------------------------------


def test_her_pages_are_shut_until_they_are_set_up_with_her(hers: Hers) -> None:
    code = hers.code()
    browser = hers.office.browser("192.0.2.201")
    assert browser.post("/sign-in/code", code=code, secret="").status_code == 403
    assert browser.post("/sign-in/code/choose", code=code, secret=SECRET, again=SECRET).status_code == 403
    hers.act("set-up")
    assert browser.post("/sign-in/code/choose", code=code, secret=SECRET, again=SECRET).status_code == 303
    signed = browser.signed_in()
    assert signed is not None
    assert (signed.kind, signed.role, signed.patient) == ("person", "", hers.patient)
    with hers.office.world.parts.store.snapshot() as snapshot:
        row = snapshot.resource("Patient", hers.patient)
    assert row is not None
    assert signed.person == row.row_id


def test_the_half_hour_for_choosing_ends_and_a_secret_is_chosen_once(hers: Hers) -> None:
    code = hers.code()
    hers.act("set-up")
    browser = hers.office.browser("192.0.2.202")
    hers.office.later(minutes=30)
    assert browser.post("/sign-in/code/choose", code=code, secret=SECRET, again=SECRET).status_code == 403
    hers.desk = hers.worker.at(hers.office.browser())
    code, _ = hers.set_up()
    answer = browser.post("/sign-in/code/choose", code=code, secret="another one 77", again="another one 77")
    assert answer.status_code == 403, "whoever finds the code later chooses nothing"


@pytest.mark.parametrize("secret", ["short", "12345678", "password1", "aaaaaaaa"])
def test_her_secret_is_not_the_first_one_would_try(hers: Hers, secret: str) -> None:
    code = hers.code()
    hers.act("set-up")
    browser = hers.office.browser("192.0.2.203")
    assert browser.post("/sign-in/code/choose", code=code, secret=secret, again=secret).status_code == 403


def test_code_and_secret_together_sign_her_in_and_neither_alone(hers: Hers) -> None:
    code, browser = hers.set_up()
    for typed, secret in ((code, "wrong wrong"), ("ACDE-FGHJ-KMNP", SECRET), (code, ""), ("", SECRET)):
        assert (
            hers.office.browser("192.0.2.204").post("/sign-in/code", code=typed, secret=secret).status_code
            == 403
        )
    assert (
        hers.office.browser("192.0.2.205").post("/sign-in/code", code=code, secret=SECRET).status_code == 303
    )
    assert browser.signed_in() is not None


def test_she_goes_on_to_where_an_app_sent_her(hers: Hers) -> None:
    from urllib.parse import quote

    code, _ = hers.set_up()
    browser = hers.office.browser("192.0.2.210")
    wanted = "/oauth/authorize?client_id=x&scope=patient%2FPatient.rs"
    shown = browser.get(f"/sign-in?next={quote(wanted, safe='')}").get_data(as_text=True)
    found = re.search(r'href="(/sign-in/code\?next=[^"]+)"', shown)
    assert found
    page = found[1].replace("&amp;", "&")
    held = re.search(r'name="next" value="([^"]+)"', browser.get(page).get_data(as_text=True))
    assert held
    onward = held[1].replace("&amp;", "&")
    answer = browser.post("/sign-in/code", page=page, code=code, secret=SECRET, next=onward)
    assert answer.headers["Location"] == wanted


def test_her_session_rests_ten_minutes_at_most(hers: Hers) -> None:
    _, browser = hers.set_up()
    hers.office.later(minutes=9)
    assert browser.get("/account").status_code == 200
    hers.office.later(minutes=10)
    assert browser.signed_in() is None


@pytest.mark.attack("T-39")
def test_strangers_cannot_keep_her_out_of_her_own_browser(hers: Hers) -> None:
    code, browser = hers.set_up()
    browser.post("/sign-out", page="/account")
    stranger = hers.office.browser("203.0.113.220")
    answers = [
        stranger.post("/sign-in/code", code=code, secret=f"guess {turn}").status_code for turn in range(40)
    ]
    assert 429 in answers
    assert browser.post("/sign-in/code", code=code, secret=SECRET).status_code == 303


def test_closing_shuts_her_pages_at_once_and_leaves_the_code(hers: Hers) -> None:
    code, browser = hers.set_up()
    hers.act("close")
    assert browser.signed_in() is None
    assert (
        hers.office.browser("192.0.2.206").post("/sign-in/code", code=code, secret=SECRET).status_code == 403
    )
    stopped: list[int | None] = []
    hers.office.people.herself.withdraw(code, stopped.append)
    assert stopped != [None]


def test_contact_lost_locks_the_code_and_her_pages_until_a_new_code(hers: Hers) -> None:
    code, browser = hers.set_up()
    hers.act("contact-lost")
    assert browser.signed_in() is None
    assert (
        hers.office.browser("192.0.2.207").post("/sign-in/code", code=code, secret=SECRET).status_code == 403
    )
    stopped: list[int | None] = []
    hers.office.people.herself.withdraw(code, stopped.append)
    assert stopped == [None]
    assert hers.act("set-up").status_code == 409, "first she has to be recognised and get a new code"
    new = hers.code()
    hers.office.people.herself.withdraw(new, stopped.append)
    assert stopped[1] is not None
    assert (
        hers.office.browser("192.0.2.208").post("/sign-in/code", code=new, secret=SECRET).status_code == 403
    )


def test_contact_lost_is_written_into_her_file_by_her_worker(hers: Hers) -> None:
    from referral_hub.fhir.canonical import code_system

    hers.act("contact-lost")  # also where she has no code yet
    found = hers.story.s.get(
        f"/Observation?patient={hers.patient}&code={code_system('observation')}|contact-lost"
    )
    (entry,) = found.get_json()["entry"]
    assert entry["resource"]["valueBoolean"] is True
    assert hers.act("set-up").status_code == 409


def test_the_rows_of_contact_lost_do_the_same_in_another_rooms_change(hers: Hers) -> None:
    from referral_hub.exchange.change import Row

    code, browser = hers.set_up()
    signed = browser.signed_in()
    assert signed is not None
    names = ("account_pause_person", "browser_session_end_person", "oauth_token_end_own")
    hers.office.world._apply(tuple(Row(name, {"person": signed.person}) for name in names))
    assert browser.signed_in() is None
    stopped: list[int | None] = []
    hers.office.people.herself.withdraw(code, stopped.append)
    assert stopped == [None]


# --- who may hand a code over ----------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["coordinator", "evaluator", "caseworker"])
def test_who_does_not_work_with_her_hands_over_nothing(hers: Hers, role: str) -> None:
    other = hers.office.staff(role, hers.story.shelter)
    browser = other.at(hers.office.browser("192.0.2.60"))
    assert browser.get(hers.page()).status_code == 404
    answer = browser.post("/her-code", patient=hers.patient, act="code")
    assert answer.status_code == 404


def test_nobody_of_another_organisation_hands_over_a_code(hers: Hers) -> None:
    other = hers.office.staff("supervisor", hers.story.clinic)
    browser = other.at(hers.office.browser("192.0.2.61"))
    absent = browser.get("/her-code?patient=never-used")
    there = browser.get(hers.page())
    assert absent.status_code == there.status_code == 404
    assert re.sub(r'value="[^"]*"', "", absent.get_data(as_text=True)) == re.sub(
        r'value="[^"]*"', "", there.get_data(as_text=True)
    )


def test_handing_over_needs_a_fresh_proof(hers: Hers) -> None:
    hers.office.later(minutes=6)
    answer = hers.desk.post("/her-code", patient=hers.patient, act="code")
    assert answer.headers["Location"].startswith("/sign-in?confirm=1")


def test_nothing_that_signs_her_in_is_left_on_a_telephone(hers: Hers) -> None:
    _, browser = hers.set_up()
    assert browser.get("/account/second").status_code == 403
    assert browser.post("/account/codes", page="/account").status_code == 403
    assert not hers.office.people.rows.factors_of(browser.signed_in().account)  # type: ignore[union-attr]


def test_she_herself_is_no_worker(hers: Hers) -> None:
    _, browser = hers.set_up()
    assert browser.get(hers.page()).status_code == 404


def test_an_account_that_is_not_there_cannot_be_set_up(hers: Hers) -> None:
    assert hers.act("set-up").status_code == 409
    with pytest.raises(ConfigurationError, match="no code yet"):
        hers.office.people.herself.close(1, "x", hers.office.at_us)
