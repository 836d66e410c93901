"""A recipient without an account: a letter, a code read out, paper and phone; and what must not be possible so."""

import re
import socket
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message

from tests import builders as b
from tests.api.browsing import Browser, Office, office_of
from tests.api.referring import Asking, asking, text_of
from tests.world import World, parsed

_LINK = re.compile(r"(/link/[A-Za-z0-9_-]{43})")
CLOSED = "Nothing is open here"


class Post(Message):
    """Keeps every letter a real SMTP server took."""

    def __init__(self) -> None:
        super().__init__()
        self.letters: list[EmailMessage] = []

    def handle_message(self, message: object) -> None:
        self.letters.append(message_from_bytes(bytes(message), policy=policy.default))  # type: ignore[call-overload]


@pytest.fixture
def post() -> Iterator[tuple[Post, str]]:
    handler = Post()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Controller(handler, hostname="127.0.0.1", port=port)
    server.start()
    try:
        yield handler, f"smtp://127.0.0.1:{port}"
    finally:
        server.stop()


@pytest.fixture
def office(world: World) -> Office:
    return office_of(world)


@pytest.fixture
def it(office: Office) -> Asking:
    return asking(office)


def mailing(world: World, smtp_url: str) -> Office:
    """Gives the pages of a hub with a mail server."""
    kept = world.parts
    world.parts = replace(kept, settings=replace(kept.settings, smtp_url=smtp_url))
    try:
        return office_of(world)
    finally:
        world.parts = kept


def by_code(it: Asking, task: str) -> Browser:
    """Gives the browser of the recipient after it typed a code that was read out."""
    code = it.spoken(task)
    browser = it.office.browser("203.0.113.9")
    answer = browser.post("/link", page="/link", code=code.lower().replace("-", " "))
    assert answer.headers.get("Location") == "/link/here", text_of(answer)
    return browser


# --- the letter -------------------------------------------------------------------------------------------


def test_a_letter_says_nothing_and_its_link_is_answered_in_two_taps(
    world: World, post: tuple[Post, str]
) -> None:
    handler, url = post
    it = asking(mailing(world, url), address="mailto:desk@corner.example")
    it.permit()
    task = it.sent()
    page = f"/referrals/{task}/paper"
    answer = it.browser.post(page, page=page, act="letter")
    assert "The letter is on its way." in text_of(answer)
    (letter,) = handler.letters
    whole = letter.as_string()
    assert letter["To"] == "desk@corner.example"
    for telling in ("Lark", "clinic", "corner on", "House", "shelter", "health", "Health", task, it.patient):
        assert telling not in whole.replace("desk@corner.example", ""), telling
    link = _LINK.search(letter.get_content())
    assert link
    browser = it.office.browser("203.0.113.9")
    shown = text_of(browser.get(link[1]))
    assert "Lark" not in shown
    assert "Somebody asks" not in shown
    assert browser.post(link[1], page=link[1]).headers["Location"] == "/link/here"
    shown = text_of(browser.get("/link/here"))
    assert "Somebody asks for your help" in shown
    assert "Lark" not in shown, "a notice names nobody"
    answer = browser.post("/link/here", page="/link/here", act="accept")
    assert answer.status_code == 303, text_of(answer)
    shown = text_of(browser.get("/link/here"))
    assert "Lark" in shown
    assert it.tasks()[0]["status"] == "accepted"


def test_opening_a_link_uses_nothing_up_and_tells_nothing(world: World, post: tuple[Post, str]) -> None:
    handler, url = post
    it = asking(mailing(world, url), address="mailto:desk@corner.example")
    it.permit()
    page = f"/referrals/{it.sent()}/paper"
    it.browser.post(page, page=page, act="letter")
    link = _LINK.search(handler.letters[0].get_content())
    assert link
    never = "/link/" + "A" * 43
    gateway = it.office.browser("203.0.113.66")
    for _ in range(20):
        assert gateway.get(link[1]).status_code == 200
    real, unknown = text_of(gateway.get(link[1])), text_of(gateway.get(never))
    assert real.replace(link[1], never) == unknown, "the page with the button knows no code"
    assert gateway.get("/link/here").status_code == 404, "a button was not pressed"
    browser = it.office.browser("203.0.113.9")
    assert browser.post(link[1], page=link[1]).status_code == 303


def test_after_the_yes_the_letter_opens_nothing_and_the_browser_goes_on(
    world: World, post: tuple[Post, str]
) -> None:
    handler, url = post
    it = asking(mailing(world, url), address="mailto:desk@corner.example")
    it.permit()
    page = f"/referrals/{it.sent()}/paper"
    it.browser.post(page, page=page, act="letter")
    link = _LINK.search(handler.letters[0].get_content())
    assert link
    browser, late = it.office.browser("203.0.113.9"), it.office.browser("203.0.113.10")
    browser.post(link[1], page=link[1])
    late.post(link[1], page=link[1])
    browser.post("/link/here", page="/link/here", act="accept")
    finder = it.office.browser("203.0.113.11")
    answer = finder.post(link[1], page=link[1])
    assert answer.status_code == 404
    assert CLOSED in text_of(answer)
    assert late.get("/link/here").status_code == 404, "whoever had it open and did not answer"
    assert browser.get("/link/here").status_code == 200


def test_a_letter_that_does_not_leave_leaves_no_link(world: World) -> None:
    it = asking(mailing(world, "smtp://127.0.0.1:9"), address="mailto:desk@corner.example")
    it.permit()
    page = f"/referrals/{it.sent()}/paper"
    answer = it.browser.post(page, page=page, act="letter")
    assert "The letter did not leave." in text_of(answer)
    task = page.split("/")[2]
    from referral_hub.store.portal_rows import PortalRows

    rows = PortalRows(it.world.parts.database, it.world.parts.bodies).links(task, it.office.at_us)
    assert {row.kind for row in rows} == {"call-back"}


# --- the code read out ---------------------------------------------------------------------------------------


def test_a_code_read_out_opens_once(it: Asking) -> None:
    it.permit()
    code = it.spoken(it.sent())
    first, second = it.office.browser("203.0.113.9"), it.office.browser("203.0.113.10")
    assert first.post("/link", page="/link", code=code).status_code == 303
    again = second.post("/link", page="/link", code=code)
    assert again.status_code == 404
    assert CLOSED in text_of(again)
    assert first.get("/link/here").status_code == 200


def test_a_code_read_out_is_over_after_two_hours(it: Asking) -> None:
    it.permit()
    code = it.spoken(it.sent())
    it.office.later(minutes=121)
    assert it.office.browser("203.0.113.9").post("/link", page="/link", code=code).status_code == 404


def test_guessing_is_slowed(it: Asking) -> None:
    browser = it.office.browser("203.0.113.99")
    statuses = [browser.post("/link", page="/link", code=f"AAAA-AAAA-{n:04}").status_code for n in range(53)]
    assert statuses[:50] == [404] * 50
    assert 429 in statuses[50:]
    it.permit()
    code = it.spoken(it.sent())
    assert browser.post("/link", page="/link", code=code).status_code == 429, "a right one as well"
    other = it.office.browser("203.0.113.100")
    assert other.post("/link", page="/link", code=code).status_code == 303, "nobody else waits"


@pytest.mark.parametrize("code", ["", "AAAA-AAAA-AAAA", "x" * 500, "ACDE\x00", "…"])
def test_every_wrong_code_is_one_answer(it: Asking, code: str) -> None:
    browser = it.office.browser(f"203.0.114.{len(code) % 250}")
    answer = browser.post("/link", page="/link", code=code)
    assert answer.status_code == 404
    assert CLOSED in text_of(answer)


def test_unknown_used_over_and_withdrawn_are_the_same_page(it: Asking) -> None:
    it.permit()
    task = it.sent()
    used, over = it.spoken(task), it.spoken(task)
    it.office.browser("203.0.113.9").post("/link", page="/link", code=used)
    it.office.later(minutes=121)
    it.member.at(it.browser)
    withdrawn = it.spoken(task)
    it.shelter.ask("POST", f"/{it.person}/$withdraw", {"resourceType": "Parameters"})
    browser = it.office.browser("203.0.113.12")
    pages = {
        text_of(browser.post("/link", page="/link", code=code))
        for code in ("ACDE-FGHJ-KMNP", used, over, withdrawn)
    }
    assert len(pages) == 1


# --- withdrawal and other ends --------------------------------------------------------------------------------


@pytest.mark.parametrize("answered", [False, True])
def test_a_withdrawal_closes_the_open_page_at_once(it: Asking, answered: bool) -> None:
    it.permit()
    task = it.sent()
    waiting = it.spoken(task)
    browser = by_code(it, task)
    if answered:
        assert browser.post("/link/here", page="/link/here", act="accept").status_code == 303
        assert "Lark" in text_of(browser.get("/link/here"))
    it.shelter.ask("POST", f"/{it.person}/$withdraw", {"resourceType": "Parameters"})
    for answer in (
        browser.get("/link/here"),
        browser.post("/link/here", page="/link", act="accept"),
        browser.post("/link", page="/link", code=waiting),
    ):
        assert answer.status_code == 404
        assert CLOSED in text_of(answer)
        assert "Lark" not in text_of(answer)
    assert it.tasks()[0]["status"] == ("accepted" if answered else "requested")


def test_a_new_permission_does_not_bring_an_old_link_back(it: Asking) -> None:
    it.permit()
    task = it.sent()
    browser = by_code(it, task)
    it.shelter.ask("POST", f"/{it.person}/$withdraw", {"resourceType": "Parameters"})
    it.permit()
    assert browser.get("/link/here").status_code == 404
    assert by_code(it, task).get("/link/here").status_code == 200, "a new code does"


def test_a_no_uses_everything_up(it: Asking) -> None:
    it.permit()
    task = it.sent()
    waiting = it.spoken(task)
    browser = by_code(it, task)
    wrong = browser.post("/link/here", page="/link/here", act="cannot", reason="she is difficult")
    assert wrong.status_code == 422
    assert "Choose why not." in text_of(wrong)
    answer = browser.post("/link/here", page="/link/here", act="cannot", reason="at-capacity")
    assert "Your answer has arrived." in text_of(answer)
    assert it.tasks()[0]["status"] == "rejected"
    assert browser.get("/link/here").status_code == 404
    assert browser.post("/link/here", page="/link", act="accept").status_code == 404
    assert browser.post("/link", page="/link", code=waiting).status_code == 404
    assert it.tasks()[0]["status"] == "rejected"


def test_a_question_asks_to_be_phoned(it: Asking) -> None:
    it.permit()
    browser = by_code(it, it.sent())
    assert browser.post("/link/here", page="/link/here", act="ask").status_code == 303
    assert it.tasks()[0]["businessStatus"]["coding"][0]["code"] == "awaiting-information"
    assert "You asked to be phoned." in text_of(browser.get("/link/here"))
    assert browser.post("/link/here", page="/link/here", act="accept").status_code == 303
    assert it.tasks()[0]["status"] == "accepted"


@pytest.mark.parametrize("act", ["", "done", "start", "back", "withdraw"])
def test_a_link_answers_and_does_nothing_else(it: Asking, act: str) -> None:
    it.permit()
    browser = by_code(it, it.sent())
    assert browser.post("/link/here", page="/link/here", act=act).status_code == 404
    assert it.tasks()[0]["status"] == "requested"


def test_a_yes_confirms_every_condition_and_is_the_recipients_move(it: Asking) -> None:
    it.permit()
    task = it.sent()
    stored = it.tasks()[0]
    browser = by_code(it, task)
    browser.post("/link/here", page="/link/here", act="accept")
    clinic = it.world.caller(it.clinic)
    outputs = clinic.read(f"Task/{task}").get("output", [])
    asked = [one["valueCodeableConcept"]["coding"][0]["code"] for one in stored.get("input", ())]
    assert [one["valueCode"] for one in outputs] == asked
    moves = [one["resource"] for one in parsed(clinic.get("/Provenance")).get("entry", ())]
    assert [one["agent"][0]["who"]["reference"] for one in moves] == [f"Organization/{it.clinic}"]


def test_the_disclosures_tell_her_what_a_link_showed(it: Asking) -> None:
    it.permit()
    browser = by_code(it, it.sent())
    browser.get("/link/here")
    it.world.parts.store.settle(it.office.at_us)
    told = it.shelter.get(f"/{it.person}/$disclosures").get_data(as_text=True)
    assert it.clinic in told


# --- one referral alone -----------------------------------------------------------------------------------------


def test_a_link_of_one_referral_opens_no_other(it: Asking) -> None:
    it.permit("identity", "health", "mental-health")
    mine = it.sent()
    other = it.shelter.create(b.service_request(it.person, it.clinic, note=[{"text": "the other request"}]))
    hers = it.shelter.create(b.patient("Wren"))
    hidden = f"Patient/{hers['id']}"
    it.shelter.create(b.release(hidden, it.shelter.organization, b.permit(it.clinic)))
    request = it.shelter.create(b.service_request(hidden, it.clinic))
    it.shelter.create(b.task(hidden, f"ServiceRequest/{request['id']}", it.clinic))
    browser = by_code(it, mine)
    browser.post("/link/here", page="/link/here", act="accept")
    shown = text_of(browser.get("/link/here"))
    assert "Lark" in shown
    assert "Wren" not in shown
    assert "the other request" not in shown
    assert other["id"] not in shown


def test_what_no_permission_names_is_not_in_the_page(it: Asking) -> None:
    it.permit("identity", "health")
    it.shelter.create(b.condition(it.person, "health", "cut on the hand"))
    it.shelter.create(b.condition(it.person, "legal-needs", "wages withheld"))
    browser = by_code(it, it.sent())
    assert "Condition" not in text_of(browser.get("/link/here"))
    browser.post("/link/here", page="/link/here", act="accept")
    shown = text_of(browser.get("/link/here"))
    assert "Condition" in shown
    assert "wages withheld" not in shown
    assert "7 Hidden Lane" not in shown
    assert "+00 555 0100" not in shown


def test_no_software_presents_the_token_of_a_link(it: Asking) -> None:
    it.permit()
    browser = by_code(it, it.sent())
    browser.get("/link/here")
    for presented in (browser.cookie("hub-link") or "", "link", "A" * 43):
        answer = browser.client.get("/fhir/Task", headers={"Authorization": f"Bearer {presented}"})
        assert answer.status_code == 401


def test_leaving_ends_the_browsers_way(it: Asking) -> None:
    it.permit()
    browser = by_code(it, it.sent())
    cookie = browser.cookie("hub-link")
    assert "Finished" in text_of(browser.post("/link/here", page="/link/here", act="leave"))
    browser.client.set_cookie("hub-link", cookie or "")
    assert browser.get("/link/here").status_code == 404


def test_codes_are_nowhere_in_the_database(it: Asking) -> None:
    it.permit()
    code = it.spoken(it.sent())
    import sqlalchemy as sa

    from referral_hub.store import schema
    from referral_hub.store.statements import Statement

    rows = it.world.parts.database.run(Statement("links_whole", sa.select(schema.portal_link)))
    assert rows
    assert code not in str(rows)
    assert code.replace("-", "") not in str(rows)


# --- paper and phone ---------------------------------------------------------------------------------------------


def test_the_paper_says_what_the_notice_says(it: Asking) -> None:
    it.permit()
    task = it.sent(words="bring the left shoe")
    shown = text_of(it.browser.get(f"/referrals/{task}/paper"))
    for hidden in ("Lark", "1994", "left shoe", "Hidden Lane"):
        assert hidden not in shown
    answer = it.browser.get(f"/referrals/{task}/paper/pdf")
    assert answer.mimetype == "application/pdf"
    assert answer.get_data().startswith(b"%PDF")
    assert b"Lark" not in answer.get_data()


def test_others_find_no_paper(it: Asking) -> None:
    it.permit()
    task = it.sent()
    for member in (it.office.staff("caseworker"), it.office.staff("caseworker", it.member.organization)):
        browser = member.at(it.office.browser())
        for address in (f"/referrals/{task}/paper", f"/referrals/{task}/paper/pdf"):
            assert browser.get(address).status_code == 404
        for act in ("spoken", "letter", "answer"):
            assert browser.post(f"/referrals/{task}/paper", page="/account", act=act).status_code == 404


def test_a_call_back_code_leads_its_own_sender_to_the_referral(it: Asking) -> None:
    it.permit()
    task = it.sent()
    shown = text_of(it.browser.get(f"/referrals/{task}/paper"))
    code = re.search(r'<dd class="codes">([A-Z0-9-]+)</dd>', shown)
    assert code
    assert code[1] in text_of(it.browser.get(f"/referrals/{task}/paper")), "the same each time"
    answer = it.browser.post("/refer/call-back", page="/refer", code=code[1].lower().replace("-", ""))
    assert answer.headers["Location"] == f"/referrals/{task}/paper"
    stranger = it.office.staff("caseworker").at(it.office.browser())
    assert stranger.post("/refer/call-back", page="/refer", code=code[1]).status_code == 404
    assert it.office.browser().post("/link", page="/link", code=code[1]).status_code == 404, (
        "it opens nothing"
    )


def phoned(it: Asking, task: str, **form: str) -> object:
    said = {"act": "answer", "said_by": "nurse on call", "when": "2026-11-24T10:05", "answer": "accept"}
    page = f"/referrals/{task}/paper"
    return it.browser.post(page, page=page, **(said | {"confirmed": "yes"} | form))


def test_an_answer_by_phone_is_the_recipients_move_with_who_said_it(it: Asking) -> None:
    it.permit()
    task = it.sent()
    waiting = it.spoken(task)
    answer = phoned(it, task)
    assert answer.status_code == 303, text_of(answer)  # type: ignore[attr-defined]
    assert it.tasks()[0]["status"] == "accepted"
    moves = [one["resource"] for one in parsed(it.shelter.get(f"/Provenance?target=Task/{task}"))["entry"]]
    (entered,) = [one for one in moves if "occurredDateTime" in one]
    assert entered["agent"][0]["who"]["display"] == "nurse on call"
    assert entered["agent"][0]["onBehalfOf"]["reference"] == f"Organization/{it.clinic}"
    assert entered["agent"][1]["who"]["display"] == it.member.account
    assert it.office.browser().post("/link", page="/link", code=waiting).status_code == 404, (
        "codes are used up"
    )
    assert phoned(it, task, answer="cannot", reason="at-capacity").status_code == 404  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"said_by": ""}, "Say who answered, in a few words."),
        ({"when": "2031-01-01T10:00"}, "A day and time that is over."),
        ({"when": "noon"}, "A day and time that is over."),
        ({"answer": "maybe"}, "Choose one."),
        ({"answer": "cannot", "reason": ""}, "Choose why not."),
    ],
)
def test_an_answer_by_phone_is_whole_or_not_taken(it: Asking, form: dict[str, str], sentence: str) -> None:
    it.permit()
    task = it.sent()
    answer = phoned(it, task, **form)
    assert answer.status_code == 422  # type: ignore[attr-defined]
    assert sentence in text_of(answer)
    assert it.tasks()[0]["status"] == "requested"


def test_who_can_answer_itself_is_not_answered_for(it: Asking) -> None:
    it.permit()
    task = it.sent()
    it.office.staff("intake", it.clinic)
    assert "They answered by phone" not in text_of(it.browser.get(f"/referrals/{task}/paper"))
    assert phoned(it, task).status_code == 404  # type: ignore[attr-defined]
    assert it.tasks()[0]["status"] == "requested"


# --- tonight -----------------------------------------------------------------------------------------------------


def tonight(it: Asking, **form: str) -> object:
    said = {
        "act": "send",
        "kind": "health-care-now",
        "age": "adult",
        "interpreter": "yes",
        "recipient": it.clinic,
        "patient": it.patient,
    }
    return it.browser.post("/tonight", page=f"/tonight?patient={it.patient}", **(said | form))


def test_tonight_without_a_name(it: Asking) -> None:
    answer = tonight(it, once="11111111-1111-4111-8111-111111111111")
    assert answer.status_code == 303, text_of(answer)  # type: ignore[attr-defined]
    again = tonight(it, once="11111111-1111-4111-8111-111111111111")
    assert again.headers["Location"] == answer.headers["Location"]  # type: ignore[attr-defined]
    task = answer.headers["Location"].rpartition("/")[2]  # type: ignore[attr-defined]
    shown = text_of(it.browser.get(f"/tonight/{task}"))
    assert "Show this code. You need not say your name." in shown
    assert "Lark" not in shown
    clinic = it.world.caller(it.clinic)
    seen = clinic.read(f"Task/{task}")
    person = clinic.read(seen["for"]["reference"])
    assert set(person) == {"resourceType", "id", "meta", "extension"}
    assert seen["for"]["reference"] != it.person
    links = it.shelter.read(it.person)["link"]
    assert links == [{"other": {"reference": seen["for"]["reference"]}, "type": "seealso"}]
    assert it.patient not in clinic.get(f"/Task/{task}").get_data(as_text=True)
    browser = by_code(it, task)
    shown = text_of(browser.get("/link/here"))
    assert "Health care now" in shown
    assert browser.post("/link/here", page="/link/here", act="accept").status_code == 303
    assert it.shelter.read(f"Task/{task}")["status"] == "accepted"
    assert "Lark" not in text_of(browser.get("/link/here")), "it can never be widened"


@pytest.mark.parametrize(
    "form",
    [{"kind": "unpaid-wages"}, {"age": ""}, {"interpreter": ""}, {"recipient": ""}, {"age": "she is 30"}],
)
def test_tonight_asks_four_things_and_needs_them(it: Asking, form: dict[str, str]) -> None:
    answer = tonight(it, **form)
    assert answer.status_code == 422  # type: ignore[attr-defined]
    assert "link" not in it.shelter.read(it.person)


def test_tonight_is_possible_while_signing_is_off(it: Asking) -> None:
    code = {"coding": [{"system": b.code_system("observation"), "code": "cannot-sign-now"}]}
    it.shelter.create(
        {
            "resourceType": "Observation",
            "status": "final",
            "code": code,
            "subject": {"reference": it.person},
            "effectiveDateTime": b.instant(),
            "valueBoolean": True,
        }
    )
    assert tonight(it, patient="").status_code == 303  # type: ignore[attr-defined]


def test_tonight_about_somebody_elses_person_is_nothing(it: Asking) -> None:
    stranger = it.office.staff("caseworker").at(it.office.browser())
    assert stranger.get(f"/tonight?patient={it.patient}").status_code == 404
    said = {"act": "send", "kind": "food", "age": "adult", "interpreter": "no", "recipient": it.clinic}
    answer = stranger.post("/tonight", page="/tonight", patient=it.patient, **said)
    assert answer.status_code == 404
    assert "link" not in it.shelter.read(it.person)
