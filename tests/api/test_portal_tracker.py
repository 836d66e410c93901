"""The tracker and the persons of the portal: what a sender sees and does, and nobody else learns of."""

import re

import pytest

from referral_hub.outbound.timers import TimerWork
from referral_hub.store.timers import Timers
from tests import builders as b
from tests.api.portal_sides import Two, act, shown, sides
from tests.world import World


@pytest.fixture
def two(world: World) -> Two:
    return sides(world)


def test_the_tracker_says_who_acts_next_and_the_inbox_tells_the_notice_alone(two: Two) -> None:
    text = shown(two.worker.get("/referrals"))
    assert "Lark" in text
    assert "Bridge Clinic" in text
    assert "waiting for their answer" in text
    assert ">them" in text or "them<" in text
    asked = shown(two.boss.get("/inbox"))
    assert f"/inbox/{two.task}" in asked
    notice = shown(two.boss.get(f"/inbox/{two.task}"))
    for secret in ("Lark", "left hand", "1994", "Hidden Lane", "555 0100", "sleeps badly", "Linden"):
        assert secret not in asked + notice
    assert "adult" in notice
    assert "health" in notice


def test_a_whole_referral_by_pages_from_yes_to_done(two: Two) -> None:
    page = f"/inbox/{two.task}"
    assert act(two.boss, page, "accept").status_code == 303
    text = shown(two.boss.get(page))
    assert "Lark" in text
    assert "cut on the hand" not in text, "no such record was written"
    assert "they said yes" in shown(two.worker.get(f"/referrals/{two.task}"))
    answer = act(two.boss, page, "appointment", starts="2027-03-04T10:30", minutes="30")
    assert answer.status_code == 303, answer.get_data(as_text=True)
    assert "a meeting is booked" in shown(two.worker.get(f"/referrals/{two.task}"))
    assert shown(act(two.boss, page, "done"), 422).count("Say whether the person came.") == 1
    answer = act(two.boss, page, "done", attendance="came", next_date="2027-04-01", needs_more="no")
    assert answer.status_code == 303
    over = shown(two.worker.get(f"/referrals/{two.task}"))
    assert "done" in over
    assert "next date" not in over, "there is no permission to tell back"
    close = re.search(r'name="request_version" value="([^"]+)"', over)
    assert close
    answer = two.worker.post(
        f"/referrals/{two.task}", page=f"/referrals/{two.task}", act="close", request_version=close[1]
    )
    assert answer.status_code == 303
    assert two.sender.read(f"ServiceRequest/{two.request}")["status"] == "completed"


def test_a_no_needs_its_reason_and_waits_for_the_sender_until_somebody_else_is_asked(two: Two) -> None:
    page = f"/inbox/{two.task}"
    refused = shown(act(two.boss, page, "cannot", words="full until spring"), 422)
    assert "Choose one." in refused
    assert "full until spring" in refused, "nothing typed is lost"
    assert two.sender.read(f"Task/{two.task}")["status"] == "requested"
    assert act(two.boss, page, "cannot", reason="at-capacity", words="full").status_code == 303
    ours = shown(two.worker.get("/referrals?ball=ours"))
    assert f"/referrals/{two.task}" in ours
    home = shown(two.worker.get("/"))
    assert re.search(r'href="/referrals\?ball=ours"><span class="figure">1<', home)
    assert f"/refer?patient={two.patient}" in shown(two.worker.get(f"/referrals/{two.task}"))
    other = two.office.world.add_organization("Garden", "clinic")
    two.sender.changed(f"ServiceRequest/{two.request}", performer=[{"reference": f"Organization/{other}"}])
    assert f"/referrals/{two.task}" not in shown(two.worker.get("/referrals?ball=ours"))


def test_a_question_gives_the_ball_back_and_the_answer_returns_it(two: Two) -> None:
    page = f"/inbox/{two.task}"
    assert act(two.boss, page, "ask", note="Is a lift needed?").status_code == 303
    text = shown(two.worker.get(f"/referrals/{two.task}"))
    assert "they have a question" in text
    assert "Is a lift needed?" not in text, "the words come by telephone: no permission to tell back"
    assert f"/referrals/{two.task}" in shown(two.worker.get("/referrals?ball=ours"))
    assert f"/referrals/{two.task}" not in shown(two.worker.get("/referrals?ball=theirs"))
    assert act(two.worker, f"/referrals/{two.task}", "answered").status_code == 303
    assert f"/referrals/{two.task}" in shown(two.worker.get("/referrals?ball=theirs"))


def test_taking_back_needs_words_and_ends_it_for_the_other_side(two: Two) -> None:
    page = f"/referrals/{two.task}"
    assert act(two.worker, page, "withdraw", reason="by-source").status_code == 422
    assert act(two.worker, page, "withdraw", reason="client-declined", words="not now").status_code == 303
    text = shown(two.boss.get(f"/inbox/{two.task}"))
    assert "closed by who asked" in text
    assert "does not want" not in text
    assert "not now" not in text


def test_a_withdrawal_shows_that_they_read_nothing_any_more(two: Two) -> None:
    consents = two.sender.get(f"/Consent?patient={two.person}&status=active").get_json()
    consent = consents["entry"][0]["resource"]["id"]
    assert two.sender.ask("POST", f"/Consent/{consent}/$revoke").status_code == 200
    assert "sharing stopped" in shown(two.worker.get("/referrals"))
    assert "sharing stopped" in shown(two.worker.get(f"/referrals/{two.task}"))
    card = shown(two.boss.get(f"/inbox/{two.task}"))
    assert "Do not change or end care" in card
    assert two.patient not in card


def test_filters_sort_and_pages_hold_in_the_address(two: Two) -> None:
    for address, there in (
        ("/referrals?state=asked", True),
        ("/referrals?state=done", False),
        ("/referrals?late=answer", False),
        ("/referrals?late=promise", False),
        ("/referrals?ball=nobody", False),
        (f"/referrals?to={two.clinic}", True),
        (f"/referrals?to={two.shelter}", False),
        (f"/referrals?person={two.patient}", True),
        ("/referrals?person=nobody&sort=asked", False),
        ("/referrals?state=nonsense&sort=waiting&page=", True),
        ("/referrals?state=done&ball=ours", False),
    ):
        assert (f"/referrals/{two.task}" in shown(two.worker.get(address))) is there, address
    for _ in range(26):
        asked = two.sender.create(b.service_request(two.person, two.clinic))
        two.sender.create(b.task(two.person, f"ServiceRequest/{asked['id']}", two.clinic))
    text = shown(two.worker.get("/referrals"))
    first = set(re.findall(r'href="/referrals/([0-9a-f-]{36})"', text))
    following = re.search(r'href="(/referrals\?page=[^"]+)"', text)
    assert following
    second = set(re.findall(r'href="/referrals/([0-9a-f-]{36})"', shown(two.worker.get(following[1]))))
    assert (len(first), len(second), first & second) == (25, 2, set())


def test_strangers_find_the_page_of_what_is_not_there(two: Two, world: World) -> None:
    other = two.office.staff("caseworker", two.shelter).at(two.office.browser())
    elsewhere = two.office.staff("supervisor", world.add_organization("Far away", "clinic"))
    far = elsewhere.at(two.office.browser())
    nothing = "00000000-0000-4000-8000-000000000000"
    for seat in (other, far):
        for kind, real in (("referrals", two.task), ("people", two.patient), ("inbox", two.task)):
            hidden, absent = seat.get(f"/{kind}/{real}"), seat.get(f"/{kind}/{nothing}")
            assert hidden.status_code == absent.status_code == 404
            assert hidden.data.replace(real.encode(), b"") == absent.data.replace(nothing.encode(), b"")
        for address in ("/", "/referrals", "/inbox", "/people", "/people?show=ending"):
            assert two.patient not in shown(seat.get(address))
            assert "Lark" not in shown(seat.get(address))
    coordinator = two.office.staff("coordinator", two.shelter).at(two.office.browser())
    for address in ("/referrals", "/inbox", "/people", "/people/new", f"/referrals/{two.task}"):
        assert coordinator.get(address).status_code == 404
    assert two.worker.get(f"/inbox/{two.task}").status_code == 404, (
        "what was sent has its page in the tracker"
    )
    assert two.boss.get(f"/referrals/{two.task}").status_code == 404


def test_a_file_is_opened_with_safety_rules_and_no_story(two: Two) -> None:
    blank = shown(two.worker.get("/people/new"))
    assert set(re.findall(r'<(?:input|textarea|select)[^>]* name="([^"]+)"', blank)) >= {"name", "channel"}
    assert "<textarea" not in blank
    assert two.worker.post("/people/new", page="/people/new", name="Wren").status_code == 422
    answer = two.worker.post(
        "/people/new",
        page="/people/new",
        name="Wren",
        age="child",
        language="vi",
        interpreter="yes",
        channel="in-person",
        safe_word="blue bicycle",
    )
    assert answer.status_code == 303
    page = answer.headers["Location"]
    text = shown(two.worker.get(page))
    assert text.index('id="safety"') < text.index("No requests yet.")
    assert "blue bicycle" in text
    written = two.sender.read(f"Patient/{page.rpartition('/')[2]}")
    assert written["name"] == [{"use": "anonymous", "text": "Wren"}]
    assert act(two.worker, page, "safety", channel="PHONE", hours="10 to 12").status_code == 303
    text = shown(two.worker.get(page))
    assert "phone call" in text
    assert "blue bicycle" not in text
    other = two.office.staff("caseworker", two.shelter).at(two.office.browser())
    assert other.get(page).status_code == 404, "whoever opens a file works with her; nobody else yet"


def test_a_search_by_name_goes_by_form_and_finds_only_who_one_works_with(two: Two) -> None:
    assert f"/people/{two.patient}" in shown(two.worker.post("/people", page="/people", name="Lark"))
    assert "Nobody you work with" in shown(
        two.worker.post("/people", page="/people", name="Nobody, really$|")
    )
    other = two.office.staff("caseworker", two.shelter).at(two.office.browser())
    assert two.patient not in shown(other.post("/people", page="/people", name="Lark"))


def test_permissions_that_end_soon_are_told_to_who_works_with_her(two: Two) -> None:
    text = shown(two.worker.get("/people?show=ending"))
    assert "Lark" in text
    assert "Bridge Clinic" in text
    assert re.search(r'href="/people\?show=ending"><span class="figure">1<', shown(two.worker.get("/")))


def test_pages_are_small_and_carry_no_script_or_style_of_their_own(two: Two) -> None:
    for seat, addresses in (
        (
            two.worker,
            ("/", "/referrals", f"/referrals/{two.task}", "/people", "/people/new", f"/people/{two.patient}"),
        ),
        (two.boss, ("/", "/inbox", f"/inbox/{two.task}")),
    ):
        for address in addresses:
            for language in ("en", "pl"):
                seat.client.set_cookie("hub-language", language)
                text = shown(seat.get(address))
                assert len(text) < 60 * 1024, address
                assert not re.search(r"\sstyle=|\son[a-z]+=|<style|<script(?! src=)", text), address
                assert text.count("<h1") == 1, address
                title = re.search(r"<title>([^<]*)</title>", text)
                assert title
                assert "Lark" not in title[1]
    two.worker.client.set_cookie("hub-language", "en")


def test_a_late_answer_is_on_the_first_page_and_behind_its_number(two: Two, world: World) -> None:
    past = two.sender.create(b.service_request(two.person, two.clinic))
    task = two.sender.create(
        b.task(
            two.person,
            f"ServiceRequest/{past['id']}",
            two.clinic,
            restriction={"period": {"end": b.instant(-0.01)}},
        )
    )
    parts = world.parts
    timers = TimerWork(parts.hub, Timers(parts.database, parts.writer, parts.bodies))
    for _ in range(500):
        if not timers.fire_one(two.office.at_us):
            break
    assert two.sender.read(f"Task/{task['id']}")["businessStatus"]["coding"][0]["code"] == "overdue"
    home = shown(two.worker.get("/"))
    assert re.search(r'class="tile warn" href="/referrals\?late=answer"><span class="figure">1<', home)
    assert f"/referrals/{task['id']}" in home
    late = shown(two.worker.get("/referrals?late=answer"))
    assert f"/referrals/{task['id']}" in late
    assert f"/referrals/{two.task}" not in late
    assert "no answer in time" in late
