"""Her own pages: what they show, what they never show, stopping in two taps, and the way out. On both databases."""

import json
import re
from typing import Any

import pytest

from referral_hub.exchange.interactions import hub_write
from referral_hub.exchange.recalls import recall_from
from referral_hub.texts.catalogs import LANGUAGES, catalog
from referral_hub.web.portal.my import AWAY
from tests import builders as b
from tests.api.browsing import Browser, office_of
from tests.api.network import Story, story
from tests.api.test_sign_in_herself import SECRET, Hers
from tests.world import World, parsed

ADDRESSES = (
    "/my",
    "/my/permissions",
    "/my/stop",
    "/my/who",
    "/my/promises",
    "/my/correct",
    "/my/copy",
    "/my/languages",
)


@pytest.fixture
def hers(world: World) -> Hers:
    it = story(world)
    it.sign()
    it.refer()
    it.move("accepted")
    it.c.get(f"/{it.person}")
    office = office_of(world)
    worker = office.staff("supervisor", it.shelter)
    return Hers(office, it, worker, worker.at(office.browser()))


def text_of(browser: Browser, address: str) -> str:
    answer = browser.get(address)
    assert answer.status_code == 200, (address, answer.status_code)
    return answer.get_data(as_text=True)


def title_of(text: str) -> str:
    (found,) = re.findall(r"<title>(.*?)</title>", text)
    return str(found)


def release(hers: Hers) -> str:
    return str(hers.story.release["id"])


# --- every page ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_page_of_hers_begins_with_the_way_out_and_says_nothing_outside(
    hers: Hers, address: str
) -> None:
    _, browser = hers.set_up()
    answer = browser.get(address)
    text = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert title_of(text) == "Notes"
    assert "Referral Hub" not in text
    first = re.search(r"<(a|button|input(?![^>]*hidden)|select|textarea)\b[^>]*>", text.partition("<body")[2])
    assert first
    assert first[0] == '<button class="stop">', "the first thing the keyboard reaches"
    assert answer.headers["Refresh"] == f"600; url={AWAY}"
    assert answer.headers["Cache-Control"] == "no-store"
    assert len(answer.get_data()) < 60_000
    assert not re.search(r"\bsafe\b", text, re.IGNORECASE), "nothing is called safe"


@pytest.mark.parametrize("language", LANGUAGES)
def test_in_each_language_every_page_speaks_it(hers: Hers, language: str) -> None:
    _, browser = hers.set_up()
    browser.post("/language", page="/my", language=language, back="/my")
    for address in ADDRESSES:
        text = text_of(browser, address)
        assert f'lang="{language}"' in text
        assert catalog(language).sentence("my.leave") in text
    english = catalog("en").sentences
    if language != "en":
        for key in (key for key in english if key.startswith("my.") and key.split(".")[1] not in STAFF):
            assert catalog(language).sentences.get(key), key


STAFF = ("wrong", "csv", "out", "text")


# --- what she sees ---------------------------------------------------------------------------------------------


def test_she_sees_who_may_have_what_and_who_had_it(hers: Hers) -> None:
    _, browser = hers.set_up()
    allowed = text_of(browser, "/my/permissions")
    assert "clinic" in allowed
    assert f"/my/permissions/{release(hers)}/stop" in allowed
    who = text_of(browser, "/my/who")
    assert "clinic" in who
    assert "your name and who you are" in who
    assert "We aim for an answer by" not in text_of(browser, "/my/promises"), "they said yes already"
    hers.story.refer()
    assert "We aim for an answer by" in text_of(browser, "/my/promises")


def test_who_was_refused_is_told_by_a_person_and_not_by_a_screen(hers: Hers) -> None:
    world = hers.office.world
    curious = world.add_organization("curious office", "immigration", governmental=True)
    world.caller(curious).get(f"/{hers.story.person}")
    hers.story.s.ask(
        "POST",
        "/Task",
        b.task(hers.story.person, hers.story.request, curious),
    )
    told = json.dumps(parsed(hers.story.s.get(f"/{hers.story.person}/$disclosures")))
    assert curious in told, "her worker is told"
    _, browser = hers.set_up()
    for address in ADDRESSES:
        text = text_of(browser, address)
        assert curious not in text
        assert "curious" not in text


def test_prints_of_her_house_are_told_to_her(hers: Hers) -> None:
    task = hers.story.task.partition("/")[2]
    assert hers.desk.get(f"/referrals/{task}/text").status_code == 200
    _, browser = hers.set_up()
    assert "printed or copied by your house" in text_of(browser, "/my/who")


def test_stopping_takes_two_taps_from_the_list_and_shows_what_it_does_first(hers: Hers) -> None:
    _, browser = hers.set_up()
    allowed = text_of(browser, "/my/permissions")
    (stop,) = re.findall(r'href="(/my/permissions/[^"]+/stop)"', allowed)
    shown = text_of(browser, stop)
    assert "Your help goes on" in shown
    assert hers.story.s.read(f"Consent/{release(hers)}")["status"] == "active", "nothing stopped by looking"
    answer = browser.post(stop, page=stop)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/my/permissions?stopped=1")
    assert hers.story.s.read(f"Consent/{release(hers)}")["status"] == "inactive"
    assert hers.story.c.get(f"/{hers.story.person}").status_code == 404
    assert hers.story.s.read(hers.story.task)["status"] == "accepted", "her help goes on"
    assert browser.post(stop, page="/my").status_code == 303, "twice is once"


def test_another_permission_for_the_same_place_is_told_before_she_stops_one(hers: Hers) -> None:
    hers.story.sign(categories=("identity",))
    _, browser = hers.set_up()
    assert "other permissions too: 1" in text_of(browser, f"/my/permissions/{release(hers)}/stop")


def test_she_stops_everything(hers: Hers) -> None:
    _, browser = hers.set_up()
    assert "clinic" in text_of(browser, "/my/stop")
    assert browser.post("/my/stop", page="/my/stop").status_code == 303
    assert hers.story.s.read(f"Consent/{release(hers)}")["status"] == "inactive"
    assert "You allow nothing now" in text_of(browser, "/my/permissions")


def test_she_asks_for_a_correction(hers: Hers) -> None:
    _, browser = hers.set_up()
    assert browser.post("/my/correct", page="/my/correct", wish="  ").status_code == 422
    assert browser.post("/my/correct", page="/my/correct", wish="x" * 2001).status_code == 422
    answer = browser.post("/my/correct", page="/my/correct", wish="I was born <b>in</b> March.")
    assert answer.status_code == 303, answer.get_data(as_text=True)
    found = parsed(hers.story.s.get(f"/Communication?patient={hers.story.person}"))["entry"]
    assert [one["resource"]["payload"][0]["contentString"] for one in found] == [
        "I was born <b>in</b> March."
    ]
    assert "I was born &lt;b&gt;in&lt;/b&gt; March." in text_of(browser, "/my/correct")


def test_her_copy_is_a_bundle_of_what_is_hers_under_a_name_that_says_nothing(hers: Hers) -> None:
    _, browser = hers.set_up()
    answer = browser.post("/my/copy/file", page="/my/copy")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="notes.json"'
    bundle = json.loads(answer.get_data())
    assert bundle["resourceType"] == "Bundle"
    kinds = {one["resource"]["resourceType"] for one in bundle["entry"]}
    assert {"Patient", "Consent", "Task", "ServiceRequest"} <= kinds
    answer = browser.post("/my/copy/paper", page="/my/copy")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="notes.pdf"'
    assert answer.get_data().startswith(b"%PDF-")


# --- nobody else's ---------------------------------------------------------------------------------------------


def test_her_pages_are_the_same_bytes_whether_or_not_another_person_is_there(world: World) -> None:
    it = story(world)
    it.sign()
    it.refer()
    office = office_of(world)
    worker = office.staff("supervisor", it.shelter)
    hers = Hers(office, it, worker, worker.at(office.browser()))
    _, browser = hers.set_up()

    def all_of_it() -> list[str]:
        shown = [text_of(browser, address) for address in ADDRESSES]
        shown.append(browser.post("/my/copy/file", page="/my/copy").get_data(as_text=True))
        return [re.sub(r'name="form_owner" value="[^"]+"', "", one) for one in shown]

    before = all_of_it()
    other = it.s.create(b.patient("Wren"))
    person = f"Patient/{other['id']}"
    it.s.create(b.release(person, it.shelter, b.permit(it.clinic)))
    request = it.s.create(b.service_request(person, it.clinic))
    it.s.create(b.task(person, f"ServiceRequest/{request['id']}", it.clinic))
    it.s.create(b.condition(person))
    assert all_of_it() == before


def test_the_permission_of_somebody_else_is_not_there(hers: Hers) -> None:
    other = hers.story.s.create(b.patient("Wren"))
    permit = b.permit(hers.story.clinic)
    foreign = hers.story.s.create(b.release(f"Patient/{other['id']}", hers.story.shelter, permit))["id"]
    _, browser = hers.set_up()
    never = "00000000-0000-4000-8000-000000000000"
    shown = []
    for one in (foreign, never):
        answer = browser.get(f"/my/permissions/{one}/stop")
        assert answer.status_code == 404
        shown.append(re.sub(one, "-", answer.get_data(as_text=True)))
        assert browser.post(f"/my/permissions/{one}/stop", page="/my").status_code == 404
    assert shown[0] == shown[1]
    assert hers.story.s.read(f"Consent/{foreign}")["status"] == "active"


@pytest.mark.parametrize("role", ["caseworker", "supervisor", "coordinator"])
def test_staff_find_nothing_there(hers: Hers, role: str) -> None:
    member = hers.office.staff(role, hers.story.shelter)
    browser = member.at(hers.office.browser())
    shown = set()
    for address in (*ADDRESSES, f"/my/permissions/{release(hers)}/stop"):
        answer = browser.get(address)
        assert answer.status_code == 404
        shown.add(re.sub(r'name="back" value="[^"]*"', "", answer.get_data(as_text=True)))
    assert len(shown) == 1
    assert browser.post("/my/stop", page="/account").status_code == 404
    assert hers.story.s.read(f"Consent/{release(hers)}")["status"] == "active"


def test_she_finds_no_page_of_staff(hers: Hers) -> None:
    _, browser = hers.set_up()
    task = hers.story.task.partition("/")[2]
    for address in (
        "/people/import",
        "/people/export",
        f"/wrong-person?referral={task}",
        f"/wrong-person?patient={hers.patient}",
        f"/referrals/{task}/text",
    ):
        assert browser.get(address).status_code == 404
    assert browser.post("/wrong-person", page="/my", referral=task).status_code == 404
    assert browser.post("/people/export", page="/my").status_code == 404
    assert hers.story.s.read(hers.story.task)["status"] == "accepted"


# --- the way out -----------------------------------------------------------------------------------------------


def assert_gone(browser: Browser, address: str, onward: str) -> None:
    answer = browser.get(address)
    assert (answer.status_code, answer.headers["Location"]) == (303, onward)
    assert answer.headers["Cache-Control"] == "no-store"


def test_leaving_ends_the_session_and_no_address_shows_anything_after_it(hers: Hers) -> None:
    _, browser = hers.set_up()
    cookie = browser.cookie()
    answer = browser.post("/my/leave", page="/my")
    assert (answer.status_code, answer.headers["Location"]) == (303, AWAY)
    for address in (*ADDRESSES, f"/my/permissions/{release(hers)}/stop"):
        assert_gone(browser, address, AWAY)
    shown = text_of(browser, AWAY)
    assert title_of(shown) == "Notes"
    assert "/my" not in re.sub(r'action="/language"', "", shown)
    browser.client.set_cookie("hub", cookie or "")
    assert_gone(browser, "/my", AWAY)


def test_leaving_works_with_any_form_and_without_one(hers: Hers) -> None:
    """Whoever must leave has no time for a page that is too old."""
    _, browser = hers.set_up()
    answer = browser.client.post("/my/leave", data={"form_token": "old"})
    assert (answer.status_code, answer.headers["Location"]) == (303, AWAY)
    assert browser.signed_in() is None
    assert browser.client.post("/my/leave").status_code == 303, "and nobody signed in is no fault"


def test_she_can_come_back_after_leaving(hers: Hers) -> None:
    code, browser = hers.set_up()
    browser.post("/my/leave", page="/my")
    answer = browser.post("/sign-in/code", code=code, secret=SECRET, next="/my")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/my")
    assert "What you allow" in text_of(browser, "/my")


def test_who_never_left_is_led_to_where_the_code_is_asked(hers: Hers) -> None:
    assert_gone(hers.office.browser(), "/my", "/sign-in/code?next=/my")


def test_after_ten_minutes_nothing_is_shown(hers: Hers) -> None:
    _, browser = hers.set_up()
    text_of(browser, "/my")
    hers.office.later(minutes=10.5)
    assert_gone(browser, "/my/permissions", "/sign-in/code?next=/my")


@pytest.mark.parametrize("act", ["contact-lost", "close"])
def test_contact_lost_or_pages_closed_end_her_session_at_once(hers: Hers, act: str) -> None:
    _, browser = hers.set_up()
    text_of(browser, "/my")
    assert hers.act(act).status_code == 200
    for address in ADDRESSES:
        assert_gone(browser, address, "/sign-in/code?next=/my")
    stopped = browser.post("/my/stop", page="/sign-in/code")
    assert stopped.status_code in (303, 401)
    assert hers.story.s.read(f"Consent/{release(hers)}")["status"] == "active"


def test_her_account_page_has_the_way_out_and_a_title_that_says_nothing(hers: Hers) -> None:
    _, browser = hers.set_up()
    for address in ("/account", "/account/password"):
        text = text_of(browser, address)
        assert 'action="/my/leave"' in text
        assert title_of(text) == "Notes"
    assert 'action="/my/leave"' not in text_of(hers.desk, "/account")


def test_a_form_from_elsewhere_stops_nothing(hers: Hers) -> None:
    _, browser = hers.set_up()
    sent: dict[str, Any] = {"data": {"form_token": "0" * 64}}
    assert browser.client.post("/my/stop", **sent).status_code == 403
    assert hers.story.s.read(f"Consent/{release(hers)}")["status"] == "active"


@pytest.mark.parametrize("odd", ["%00", "a%20b", "%f0%9f%90%a6", "x" * 300])
def test_odd_ids_are_not_there(hers: Hers, odd: str) -> None:
    _, browser = hers.set_up()
    assert browser.get(f"/my/permissions/{odd}/stop").status_code == 404
    assert browser.post(f"/my/permissions/{odd}/stop", page="/my").status_code == 404
    assert hers.desk.get(f"/referrals/{odd}/text").status_code == 404


def test_what_she_wrote_is_not_lost_when_the_page_closed_and_is_in_no_byte_meanwhile(hers: Hers) -> None:
    code, browser = hers.set_up()
    (owner,) = re.findall(r'name="form_owner" value="([^"]+)"', text_of(browser, "/my/correct"))
    hers.office.later(minutes=11)
    waiting = browser.post("/my/correct", page="/sign-in/code", wish="It was in March.", form_owner=owner)
    text = waiting.get_data(as_text=True)
    assert (waiting.status_code, title_of(text)) == (401, "Notes")
    assert "March" not in text
    (kept,) = re.findall(r'name="form_kept" value="([^"]+)"', text)
    browser.post("/sign-in/code", code=code, secret=SECRET)
    shown = browser.post("/kept", page="/my", form_kept=kept).get_data(as_text=True)
    assert 'name="wish" value="It was in March."' in shown
    assert title_of(shown) == "Notes"
    assert "Referral Hub" not in shown
    assert 'action="/my/leave"' in shown


def test_an_unanswered_recall_is_told_plainly(hers: Hers) -> None:
    _, browser = hers.set_up()
    it: Story = hers.story
    browser.post("/my/stop", page="/my/stop")
    with it.world.parts.store.snapshot() as snapshot:
        row = snapshot.resource("Consent", release(hers))
    assert row is not None
    assert hub_write(it.world.parts.hub, lambda draft: recall_from(row, it.clinic, draft))
    who = text_of(browser, "/my/who")
    assert "We asked them to stop using it" in who
    assert "We wait for their answer" in who


def test_what_is_not_for_her_says_nothing_of_the_product(hers: Hers) -> None:
    _, browser = hers.set_up()
    for address in ("/people", "/admin", "/inbox", f"/people/{hers.patient}"):
        answer = browser.get(address)
        text = answer.get_data(as_text=True)
        assert answer.status_code == 404, address
        assert f"<title>{catalog('en').sentence('error.title')}</title>" in text
        assert "Referral" not in text, address
