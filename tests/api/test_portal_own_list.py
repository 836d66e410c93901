"""A caseworker's own list in and out, the "wrong person" page, and a referral as text. On both databases."""

import csv
import io
import json
import re
import time
from dataclasses import dataclass

import pytest
from werkzeug.test import TestResponse

from referral_hub.casework.caseload_csv import read_list
from tests import builders as b
from tests.api.browsing import Browser, Member, Office, office_of
from tests.api.network import Story, story
from tests.world import World, parsed

_TOKEN = re.compile(r'name="form_token" value="([0-9a-f]+)"')
_SEALED = re.compile(r'name="sealed" value="([^"]+)"')
LIST = "mark,name,age,language,interpreter,born\n7,Lark,adult,vi,yes,1994-03-02\n8,=Wren(),,,,\n"


@dataclass
class Desk:
    """A caseworker at her browser."""

    office: Office
    member: Member
    browser: Browser
    house: str

    def send(self, content: bytes | str, name: str = "list.csv") -> TestResponse:
        token = _TOKEN.search(self.browser.get("/people/import").get_data(as_text=True))
        assert token
        sent = content.encode() if isinstance(content, str) else content
        return self.browser.client.post(
            "/people/import", data={"form_token": token[1], "list": (io.BytesIO(sent), name)}
        )

    def confirm(self, preview: TestResponse) -> TestResponse:
        sealed = _SEALED.search(preview.get_data(as_text=True))
        assert sealed, preview.get_data(as_text=True)
        return self.browser.post("/people/import/confirm", page="/people/import", sealed=sealed[1])

    def taken_out(self) -> bytes:
        answer = self.browser.post("/people/export", page="/people/export")
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return answer.get_data()

    def stored(self) -> list[dict[str, object]]:
        found = parsed(self.office.world.caller(self.house).get("/Patient?_count=200")).get("entry", [])
        return [one["resource"] for one in found]


@pytest.fixture
def house(world: World) -> str:
    return world.add_organization("shelter", "shelter")


@pytest.fixture
def office(world: World) -> Office:
    return office_of(world)


def desk_of(office: Office, house: str, role: str = "caseworker") -> Desk:
    member = office.staff(role, house)
    return Desk(office, member, member.at(office.browser()), house)


@pytest.fixture
def desk(office: Office, house: str) -> Desk:
    return desk_of(office, house)


def counts(answer: TestResponse) -> tuple[int, int, int, int]:
    text = answer.get_data(as_text=True)
    assert answer.status_code in (200, 409), text
    words = ("New files", "Here already, nothing changes", "left as they are", "cannot be taken")
    new, same, differ, refused = (int(re.findall(rf"{one}: (\d+)", text)[0]) for one in words)
    return new, same, differ, refused


# --- in --------------------------------------------------------------------------------------------------------


def test_nothing_is_stored_before_it_was_confirmed(desk: Desk) -> None:
    shown = desk.send(LIST)
    assert counts(shown) == (2, 0, 0, 0)
    assert desk.stored() == []
    answer = desk.confirm(shown)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/people/import?stored=2")
    assert "Stored: 2" in desk.browser.get("/people/import?stored=2").get_data(as_text=True)
    names = {one["name"][0]["text"] for one in desk.stored()}  # type: ignore[index]
    assert names == {"Lark", "=Wren()"}


def test_confirming_twice_stores_once(desk: Desk) -> None:
    shown = desk.send(LIST)
    desk.confirm(shown)
    again = desk.confirm(shown)
    assert again.status_code == 409
    assert counts(again) == (0, 2, 0, 0)
    assert len(desk.stored()) == 2


def test_each_refused_row_is_told_with_line_column_and_reason(desk: Desk) -> None:
    shown = desk.send("mark,name,born\n7,Lark,\n,Wren,\n8,Finch,31.01.1990\n")
    assert counts(shown) == (1, 0, 0, 2)
    text = shown.get_data(as_text=True)
    assert "<tr><td>3<td>mark<td>The mark is missing." in text
    assert "<tr><td>4<td>birth date<td>" in text


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00" * 1000,
        b"a,b\n1,2\n",
        b'mark,name\n7,"',
        b"mark,name\n" + b"9,L\n" * 600,
        b"x" * 100_000,
        bytes(range(256)) * 20,
        "mark,name\n".encode("utf-16") + b"\x00",
    ],
)
def test_a_file_that_cannot_be_read_is_told_so_and_stores_nothing(desk: Desk, content: bytes) -> None:
    answer = desk.send(content)
    assert answer.status_code == 422
    assert 'class="wrong"' in answer.get_data(as_text=True)
    assert desk.stored() == []


def test_a_file_far_too_large_is_not_even_read(desk: Desk) -> None:
    assert desk.send(b"mark,name\n" + b"7,L\n" * 75_000).status_code == 413
    assert desk.stored() == []


def test_odd_letters_are_refused_by_row_and_never_reach_the_database(desk: Desk) -> None:
    shown = desk.send(b"mark,name\n7,La\x00rk\n8,Wren\n9,<script>alert(1)</script>\n")
    assert counts(shown) == (2, 0, 0, 1)
    assert "<script>alert" not in shown.get_data(as_text=True)
    assert desk.confirm(shown).status_code == 303


def test_a_preview_opens_for_nobody_else_and_not_after_an_hour(desk: Desk) -> None:
    sealed = _SEALED.search(desk.send(LIST).get_data(as_text=True))
    assert sealed
    other = desk_of(desk.office, desk.house)
    for how in (sealed[1], sealed[1][:-4] + "AAAA", "", "é"):
        answer = other.browser.post("/people/import/confirm", page="/people/import", sealed=how)
        assert answer.status_code == 422
    desk.office.later(minutes=61)
    desk.member.at(desk.browser)
    late = desk.browser.post("/people/import/confirm", page="/people/import", sealed=sealed[1])
    assert late.status_code == 422
    assert desk.stored() == []


def test_five_hundred_rows_are_stored_in_one_act(desk: Desk) -> None:
    rows = "".join(f"{number},Bird {number},adult,vi,yes,\n" for number in range(500))
    shown = desk.send(f"mark,name,age,language,interpreter,born\n{rows}")
    assert counts(shown) == (500, 0, 0, 0)
    begun = time.monotonic()
    assert desk.confirm(shown).status_code == 303
    assert time.monotonic() - begun < 30
    assert len(read_list(desk.taken_out()).rows) == 500


# --- whom it knows ---------------------------------------------------------------------------------------------


def test_the_mark_of_one_account_is_not_that_of_another(desk: Desk) -> None:
    desk.confirm(desk.send(LIST))
    supervisor = desk_of(desk.office, desk.house, "supervisor")
    assert counts(supervisor.send(LIST)) == (2, 0, 0, 0), "she sees these people, but the marks are not hers"


def test_a_hidden_person_is_told_by_no_duplicate(desk: Desk) -> None:
    """The same file gives the same bytes, whether or not a colleague's hidden person has that mark or that number."""
    colleague = desk_of(desk.office, desk.house)
    colleague.confirm(colleague.send("mark,name\n7,Hidden\n"))
    (hidden,) = (one["id"] for one in desk.stored())
    never = "00000000-0000-4000-8000-000000000000"
    shown = []
    for one in (hidden, never):
        text = desk.send(f"mark,name\nhub:{one},Hidden\n7,Hidden\n").get_data(as_text=True)
        shown.append(re.sub(r'name="(sealed|form_owner)" value="[^"]+"', "", text))
    assert shown[0] == shown[1]
    assert "New files: 1" in shown[0]


def test_a_person_of_another_house_is_not_known_by_her_number(world: World) -> None:
    it = story(world)
    it.sign()
    it.refer()
    it.move("accepted")
    office = office_of(world)
    nurse = desk_of(office, it.clinic, "supervisor")
    assert counts(nurse.send(f"mark,name\nhub:{it.person.partition('/')[2]},Lark\n")) == (0, 0, 0, 1)
    assert read_list(nurse.taken_out()).rows == ()


# --- out, and back ---------------------------------------------------------------------------------------------


def test_what_was_taken_out_comes_back_unchanged(desk: Desk) -> None:
    desk.confirm(desk.send(LIST))
    taken = desk.taken_out()
    assert counts(desk.send(taken)) == (0, 2, 0, 0)
    assert {one.row.name for one in read_list(taken).rows} == {"Lark", "=Wren()"}
    elsewhere = desk_of(desk.office, desk.office.world.add_organization("second", "shelter"))
    elsewhere.confirm(elsewhere.send(taken))
    assert elsewhere.taken_out() == taken


def test_people_without_a_mark_are_known_by_the_hubs_number(world: World, office: Office, house: str) -> None:
    made = world.caller(house).create(b.patient("Finch"))
    supervisor = desk_of(office, house, "supervisor")
    taken = supervisor.taken_out()
    assert [one.row.mark for one in read_list(taken).rows] == [f"hub:{made['id']}"]
    assert counts(supervisor.send(taken)) == (0, 1, 0, 0)


def test_a_caseworker_takes_out_her_own_people_only(desk: Desk) -> None:
    desk.confirm(desk.send(LIST))
    other = desk_of(desk.office, desk.house)
    assert read_list(other.taken_out()).rows == ()


def test_no_cell_of_the_file_is_a_formula(desk: Desk) -> None:
    desk.confirm(desk.send('mark,name\n1,=cmd|x\n2,+1\n3,-1\n4,@x\n5,"\'=x"\n'))
    text = desk.taken_out().decode("utf-8-sig")
    for cells in csv.reader(io.StringIO(text, newline="")):
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in cells)


def test_a_no_name_referrals_person_is_in_no_list(world: World, office: Office, house: str) -> None:
    world.caller(house).create(b.no_name_patient())
    assert read_list(desk_of(office, house, "supervisor").taken_out()).rows == ()


def test_everybody_in_a_list_is_told(desk: Desk) -> None:
    desk.confirm(desk.send(LIST))
    desk.taken_out()
    keeper = desk.office.world.caller(desk.house)
    for one in desk.stored():
        told = parsed(keeper.get(f"/Patient/{one['id']}/$disclosures"))
        assert "list-export" in json.dumps(told)


@pytest.mark.parametrize("role", ["coordinator", "evaluator"])
def test_those_who_count_have_no_lists(office: Office, house: str, role: str) -> None:
    member = office.staff(role, house)
    browser = member.at(office.browser())
    for address in ("/people/import", "/people/export", "/wrong-person?patient=x"):
        assert browser.get(address).status_code == 404
    assert browser.post("/people/export", page="/account").status_code == 404


# --- wrong person, and text ------------------------------------------------------------------------------------


@pytest.fixture
def it(world: World) -> Story:
    told = story(world)
    told.sign()
    told.refer()
    told.move("accepted")
    return told


def test_the_button_asks_nothing_and_closes(it: Story, office: Office) -> None:
    nurse = desk_of(office, it.clinic, "supervisor")
    task = it.task.partition("/")[2]
    shown = nurse.browser.get(f"/wrong-person?referral={task}").get_data(as_text=True)
    form = re.search(r'<form method="post" action="/wrong-person">.*?</form>', shown, re.DOTALL)
    assert form
    assert not re.search(r'<(input(?![^>]*type="hidden")|textarea|select)', form[0])
    assert "Lark" not in shown
    answer = nurse.browser.post("/wrong-person", page=f"/wrong-person?referral={task}", referral=task)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/wrong-person/done")
    assert "Destroy what was printed" in nurse.browser.get("/wrong-person/done").get_data(as_text=True)
    assert it.c.get(f"/{it.person}").status_code == 404
    assert it.s.read(it.task)["status"] == "cancelled"


def test_the_sender_reads_another_sentence_than_the_recipient(it: Story, office: Office) -> None:
    task = it.task.partition("/")[2]
    sender, nurse = desk_of(office, it.shelter, "supervisor"), desk_of(office, it.clinic, "supervisor")
    address = f"/wrong-person?referral={task}"
    assert "The request is taken back." in sender.browser.get(address).get_data(as_text=True)
    assert "The request closes." in nurse.browser.get(address).get_data(as_text=True)


@pytest.mark.parametrize("named", ["referral", "patient"])
def test_a_stranger_is_told_the_same_as_about_nothing(it: Story, office: Office, named: str) -> None:
    other = desk_of(office, office.world.add_organization("other", "clinic"), "supervisor")
    there = {"referral": it.task, "patient": it.person}[named].partition("/")[2]
    never = "00000000-0000-4000-8000-000000000000"
    shown = []
    for one in (there, never):
        answer = other.browser.get(f"/wrong-person?{named}={one}")
        assert answer.status_code == 404
        shown.append(answer.get_data(as_text=True).replace(one, "-"))
        closed = other.browser.post("/wrong-person", page="/account", **{named: one})
        assert closed.status_code == 404
        shown.append(closed.get_data(as_text=True))
    assert shown[:2] == shown[2:]
    assert other.browser.get("/wrong-person").status_code == 404
    assert other.browser.get(f"/wrong-person?{named}=%00").status_code == 404
    assert it.s.read(it.task)["status"] == "accepted"


def test_one_referral_as_text_is_what_this_reader_sees(it: Story, office: Office) -> None:
    task = it.task.partition("/")[2]
    sender, nurse = desk_of(office, it.shelter, "supervisor"), desk_of(office, it.clinic, "supervisor")
    own = sender.browser.get(f"/referrals/{task}/text").get_data(as_text=True)
    theirs = nurse.browser.get(f"/referrals/{task}/text").get_data(as_text=True)
    for text in (own, theirs):
        assert 'data-copies="referral-text"' in text
        assert re.search(r"Status: they said yes\n", text)
    assert "Name: Lark" in own
    assert "Note: She sleeps badly." in own
    assert "7 Hidden Lane" not in own
    hidden = office.world.add_organization("third", "clinic")
    stranger = desk_of(office, hidden, "supervisor")
    gone = stranger.browser.get(f"/referrals/{task}/text")
    never = stranger.browser.get("/referrals/00000000-0000-4000-8000-000000000000/text")
    assert (gone.status_code, never.status_code) == (404, 404)
    assert gone.get_data(as_text=True).replace(task, "") == never.get_data(as_text=True).replace(
        "00000000-0000-4000-8000-000000000000", ""
    )
    told = json.dumps(parsed(it.s.get(f"/{it.person}/$disclosures")))
    assert told.count('"print"') == 2


def test_before_acceptance_the_text_holds_no_name(world: World, office: Office) -> None:
    it = story(world)
    it.sign()
    it.refer()
    nurse = desk_of(office, it.clinic, "supervisor")
    text = nurse.browser.get(f"/referrals/{it.task.partition('/')[2]}/text").get_data(as_text=True)
    assert "Lark" not in text
    assert "Adult or child: adult" in text
    assert "Kind of help:" in text


def test_the_longest_preview_is_one_page_of_bounded_size(desk: Desk) -> None:
    rows = "".join(f"{number},Bird {number},adult,vi,yes,\n" for number in range(500))
    assert len(desk.send(f"mark,name,age,language,interpreter,born\n{rows}").get_data()) < 60_000
