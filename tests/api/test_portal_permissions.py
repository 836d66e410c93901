"""The permission form at a browser: begun, read, signed by each way, refused beside its field; and its attacks."""

import base64
import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from werkzeug.test import TestResponse

from referral_hub.fhir.canonical import INTERPRETER_REQUIRED, structure
from referral_hub.fhir.elements import codings, extension
from referral_hub.papers.permission_form import FORM_URI, form_digest
from tests import builders as b
from tests.api.browsing import Office, office_of
from tests.api.callers import assigned
from tests.api.referring import Asking, asking, text_of
from tests.world import World, opened_world, parsed

_HIDDEN = re.compile(r'name="(version|text)" value="([^"]*)"')
READ = {"now": "yes", "back": "no", "explained": "yes"}
PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\n%%EOF\n"


def png(width: int = 60, height: int = 20) -> bytes:
    """Gives a small white picture."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = b"".join(b"\0" + b"\xff" * width for _ in range(height))
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


@pytest.fixture
def office(world: World) -> Office:
    return office_of(world)


@pytest.fixture
def it(office: Office) -> Asking:
    return asking(office)


def begin(it: Asking, **more: str) -> str:
    """Begins a form for the clinic and gives its address."""
    page = f"/people/{it.patient}/permissions/new"
    answer = it.browser.post(page, page=page, recipient=it.clinic, **more)
    assert answer.status_code == 303, text_of(answer)
    return str(answer.headers["Location"])


def hidden(it: Asking, page: str) -> dict[str, str]:
    shown = text_of(it.browser.get(page))
    return dict(_HIDDEN.findall(shown.split("/sign", 1)[1]))


def sign(it: Asking, page: str, scan: tuple[bytes, str] | None = None, **form: Any) -> TestResponse:
    """Sends the signing form as the page has it."""
    fields = {**READ, "how": "mark", "mark": "X", **form}
    given = {**hidden(it, page), **{name: value for name, value in fields.items() if value is not None}}
    if scan is not None:
        given["scan"] = (BytesIO(scan[0]), scan[1])  # type: ignore[assignment]
    return it.browser.post(f"{page.partition('?')[0]}/sign", page=page, **given)


def stored(it: Asking, page: str) -> dict[str, Any]:
    return it.shelter.read(f"Consent/{page.partition('?')[0].rpartition('/')[2]}")


def consents(it: Asking, status: str = "active") -> list[dict[str, Any]]:
    found = parsed(it.shelter.get(f"/Consent?patient=Patient/{it.patient}&status={status}"))
    return [one["resource"] for one in found.get("entry", ())]


# --- the way through ---------------------------------------------------------------------------------------


def test_a_permission_with_a_template_takes_eight_actions(it: Asking) -> None:
    """Each line is one thing a hand does; a key costs 0.28 s, a choice 1.1 s, a look 5 s."""
    actions: list[tuple[str, float]] = []

    def act(what: str, seconds: float = 1.1) -> None:
        actions.append((what, seconds))

    act("choose who gets it")
    act("go on", 1.1 + 5)
    page = begin(it)
    act("now: yes")
    act("the way back: no")
    act("how: with a mark")
    act("her mark", 1.1 + 0.28)
    act("she said it back: yes")
    act("sign", 1.1 + 5)
    answer = sign(it, page)
    assert answer.status_code == 303, text_of(answer)
    assert stored(it, page)["status"] == "active"
    assert len(actions) <= 8
    assert sum(seconds for _, seconds in actions) <= 60


def test_what_is_signed_is_the_least_with_all_its_evidence(it: Asking) -> None:
    page = begin(it)
    draft = stored(it, page)
    assert draft["status"] == "draft"
    shown = text_of(it.browser.get(page))
    assert "<title>Referral Hub</title>" in shown
    assert shown.count('class="paper"') >= 1
    assert sign(it, page, agency="Bridges", number="B-417", presence="phone", ties="yes").status_code == 303
    consent = stored(it, page)
    (permit,) = consent["provision"]["provision"]
    assert [code for _, code in codings(permit["class"])] == ["identity", "health"]
    assert permit["actor"][0]["reference"]["reference"] == f"Organization/{it.clinic}"
    evidence = extension(consent, structure("signing-evidence"))
    told = {one["url"]: one for one in evidence["extension"]}
    assert told["signature"]["valueCode"] == "mark"
    assert told["text-digest"]["valueString"] == form_digest("en")
    assert told["reader"]["valueReference"]["reference"].startswith("Organization/")
    assert told["explained-back"]["valueBoolean"] is True
    who = {one["url"]: one for one in told["interpreter"]["extension"]}
    assert (who["staff-number"]["valueString"], who["line-held"]["valueBoolean"]) == ("B-417", True)
    paper = it.shelter.read(consent["sourceReference"]["reference"])
    words = base64.b64decode(paper["content"][0]["attachment"]["data"]).decode()
    assert "You decide. You can say no." in words
    assert words.rstrip().endswith("X"), "her mark stands below"
    assert it.world.caller(it.clinic).get(f"/{consent['sourceReference']['reference']}").status_code == 404


@pytest.mark.parametrize(("how", "kind"), [("paper", "application/pdf"), ("drawn", "image/png")])
def test_a_scan_and_a_drawing_are_kept_beside_the_words(it: Asking, how: str, kind: str) -> None:
    page = begin(it)
    if how == "paper":
        answer = sign(it, page, scan=(PDF, "whatever.exe"), how=how, mark="")
    else:
        drawn = "data:image/png;base64," + base64.b64encode(png()).decode()
        answer = sign(it, page, how=how, mark="", drawing=drawn)
    assert answer.status_code == 303, text_of(answer)
    paper = it.shelter.read(stored(it, page)["sourceReference"]["reference"])
    attachment = paper["content"][1]["attachment"]
    assert attachment["contentType"] == kind
    held = it.shelter.read(attachment["url"])
    assert base64.b64decode(held["data"]) == (PDF if how == "paper" else png())
    assert it.world.caller(it.clinic).get(f"/{attachment['url']}").status_code == 404


def test_the_way_back_is_a_second_yes_in_the_same_act(it: Asking) -> None:
    page = begin(it)
    assert sign(it, page, back="yes").status_code == 303
    found = consents(it)
    assert len(found) == 2
    back = next(one for one in found if one["id"] != stored(it, page)["id"])
    (permit,) = back["provision"]["provision"]
    assert [code for _, code in codings(permit["class"])] == ["outcome"]
    assert back["organization"][0]["reference"] == f"Organization/{it.clinic}"
    assert back["sourceReference"] == stored(it, page)["sourceReference"]


def test_both_languages_stand_side_by_side_in_all_five(it: Asking) -> None:
    page = begin(it)
    for language, direction in (("pl", "ltr"), ("uk", "ltr"), ("es", "ltr"), ("ar", "rtl")):
        choose(it, page, language=language)
        shown = text_of(it.browser.get(page))
        assert f'class="paper" lang="{language}" dir="{direction}"' in shown
        assert 'class="paper" lang="en" dir="ltr"' in shown
        assert hidden(it, page)["text"] == form_digest(language)
        assert len(shown.encode()) < 60_000
    assert sign(it, page).status_code == 303
    told = extension(stored(it, page), structure("signing-evidence"))["extension"]
    assert {one["url"]: one for one in told}["language"]["valueCode"] == "ar"


def test_a_further_language_is_read_out_by_an_interpreter(it: Asking) -> None:
    page = begin(it)
    choose(it, page, language="other", tongue="vi")
    answer = sign(it, page)
    assert answer.status_code == 422
    assert "The script is read out by an interpreter" in text_of(answer)
    assert (
        sign(it, page, agency="Bridges", number="B-417", presence="in-person", ties="yes").status_code == 303
    )
    told = {
        one["url"]: one for one in extension(stored(it, page), structure("signing-evidence"))["extension"]
    }
    assert told["language"]["valueCode"] == "vi"
    assert told["text-digest"]["valueString"] == form_digest("en")


def choose(it: Asking, page: str, status: int = 303, **form: Any) -> TestResponse:
    """Saves choices of a form; what is not named stays as the page has it."""
    body = stored(it, page)
    permit = body["provision"]["provision"][0]
    ticked = [code for _, code in codings(permit["class"])]
    fields: dict[str, Any] = {
        "version": body["meta"]["versionId"],
        "category": ticked,
        "days": "60",
        "language": "en",
        **form,
    }
    answer = it.browser.post(f"{page.partition('?')[0]}/choices", page=page, **fields)
    assert answer.status_code == status, text_of(answer)
    return answer


def test_she_takes_a_line_out_and_shortens_it(it: Asking) -> None:
    page = begin(it)
    choose(it, page, category=["identity"], days="30")
    assert sign(it, page).status_code == 303
    (permit,) = stored(it, page)["provision"]["provision"]
    assert [code for _, code in codings(permit["class"])] == ["identity"]


def test_the_printed_form_is_a_pdf_before_and_after(it: Asking) -> None:
    page = begin(it)
    for _ in range(2):
        answer = it.browser.get(f"{page}/paper")
        assert answer.status_code == 200, text_of(answer)
        assert answer.get_data().startswith(b"%PDF-")
        assert answer.headers["Cache-Control"] == "no-store"
        sign(it, page)


def test_the_list_tells_who_gets_what_until_when(it: Asking) -> None:
    page = begin(it)
    listed = f"/people/{it.patient}/permissions"
    assert "Begun, not signed" in text_of(it.browser.get(listed))
    sign(it, page)
    shown = text_of(it.browser.get(listed))
    assert "in force" in shown
    assert "clinic" in shown
    assert "Begun, not signed" not in shown
    assert it.browser.get(page).status_code == 200


# --- what is refused, beside its field -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"now": None}, "First say whether she is alone with you"),
        ({"back": None}, "Ask about the way back too"),
        ({"how": None}, "Say how she signs"),
        ({"how": "fingerprint"}, "Say how she signs"),
        ({"how": "spoken"}, "In this network a permission is signed, not spoken."),
        ({"mark": ""}, "She makes her mark here."),
        ({"explained": None}, "Say whether she said it back"),
        ({"explained": "no"}, "She could not explain it back."),
        ({"agency": "Bridges"}, "Give the staff number of the interpreter"),
        (
            {"agency": "Bridges", "number": "Anna Nowak", "presence": "phone", "ties": "yes"},
            "a name is not recorded",
        ),
        ({"agency": "Bridges", "number": "B-1", "presence": "phone"}, "no ties to her"),
        (
            {"agency": "Bridges", "number": "B-1", "presence": "line-lost", "ties": "yes"},
            "The line was not held to the end",
        ),
        ({"how": "paper", "mark": ""}, "Choose the scan or photo"),
        ({"how": "drawn", "mark": ""}, "Nothing is drawn yet"),
        ({"how": "drawn", "drawing": "data:image/png;base64,AAAA"}, "did not arrive whole"),
        ({"text": "0" * 64}, "The words of the form have changed"),
    ],
)
def test_every_rule_has_its_sentence_and_nothing_is_signed(
    it: Asking, form: dict[str, Any], sentence: str
) -> None:
    page = begin(it)
    answer = sign(it, page, **form)
    assert answer.status_code == 422
    assert sentence in text_of(answer)
    assert stored(it, page)["status"] == "draft"
    assert not consents(it)


@pytest.mark.parametrize("language", ["en", "pl"])
def test_what_was_typed_stands_there_again(it: Asking, language: str) -> None:
    it.browser.client.set_cookie("hub-language", language)
    page = begin(it)
    answer = sign(
        it, page, explained="no", mark="o-o", agency="Bridges", number="B-1", presence="phone", ties="yes"
    )
    shown = text_of(answer)
    assert 'value="o-o"' in shown
    assert 'value="Bridges"' in shown
    assert ("explain it back" in shown) == (language == "en"), "no English beside Polish fields"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html><script>1</script></html>",
        b"%PDF-1.4 cut",
        b"MZ" + bytes(200),
        b"%PDF-1.4\n/JavaScript (x)\n%%EOF",
    ],
)
def test_a_scan_that_is_no_scan_is_not_kept(it: Asking, content: bytes) -> None:
    page = begin(it)
    answer = sign(it, page, scan=(content, "scan.pdf"), how="paper", mark="")
    assert answer.status_code == 422
    assert stored(it, page)["status"] == "draft"
    assert "entry" not in parsed(it.shelter.get(f"/DocumentReference?patient=Patient/{it.patient}"))


# --- signing off ---------------------------------------------------------------------------------------------


def test_a_no_to_the_first_question_switches_signing_off_calmly(it: Asking) -> None:
    page = begin(it)
    answer = sign(it, page, now="no", how=None, mark=None, explained=None)
    shown = text_of(answer)
    assert answer.status_code == 200
    assert f"/tonight?patient={it.patient}" in shown
    assert stored(it, page)["status"] == "draft"
    assert f"/tonight?patient={it.patient}" in text_of(
        it.browser.get(f"/people/{it.patient}/permissions/new")
    )
    newest = parsed(it.shelter.get(f"/Observation?patient=Patient/{it.patient}"))["entry"][0]["resource"]
    assert (newest["code"]["coding"][0]["code"], newest["valueBoolean"]) == ("cannot-sign-now", True)
    off = f"/people/{it.patient}/permissions/signing"
    it.office.later(seconds=2)
    assert it.browser.post(off, page=f"/people/{it.patient}/permissions/new", now="yes").status_code == 303
    assert sign(it, page).status_code == 303


# --- attacks -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"category": ["identity", "health", "immigration"]}, "not offered"),
        ({"category": ["identity", "proceedings"]}, "not offered"),
        ({"category": ["everything"]}, "not offered"),
        ({"category": []}, "nothing ticked"),
        ({"days": "91"}, "at most 90 days"),
        ({"days": "0"}, "at most 90 days"),
        ({"days": "-1"}, "at most 90 days"),
        ({"days": "9" * 30}, "at most 90 days"),
        ({"language": "other", "tongue": "<b>"}, "Choose a language"),
    ],
)
def test_a_form_says_no_more_than_the_template_offers(
    it: Asking, form: dict[str, Any], sentence: str
) -> None:
    page = begin(it)
    before = stored(it, page)
    answer = choose(it, page, 422, **form)
    assert sentence in text_of(answer)
    assert stored(it, page)["meta"]["versionId"] == before["meta"]["versionId"]


def test_fields_of_the_signing_form_change_nothing_of_what_was_shown(it: Asking) -> None:
    page = begin(it)
    before = stored(it, page)["provision"]
    assert (
        sign(it, page, category="immigration", days="3650", recipient=it.shelter.organization).status_code
        == 303
    )
    assert stored(it, page)["provision"] == before


def test_a_page_that_was_shown_before_a_change_signs_nothing(it: Asking) -> None:
    page = begin(it)
    old = hidden(it, page)
    choose(it, page, category=["identity", "health", "contact"])
    answer = it.browser.post(f"{page}/sign", page=page, **READ, how="mark", mark="X", **old)
    assert answer.status_code == 422
    assert stored(it, page)["status"] == "draft"


def test_two_taps_sign_once(it: Asking) -> None:
    page = begin(it)
    assert begin(it) == page, "and begin once"
    given = hidden(it, page)
    first = it.browser.post(
        f"{page}/sign", page=page, **{**READ, "back": "yes"}, how="mark", mark="X", **given
    )
    second = it.browser.post(
        f"{page}/sign", page=page, **{**READ, "back": "yes"}, how="mark", mark="X", **given
    )
    assert (first.status_code, second.status_code) == (303, 303)
    assert len(consents(it)) == 2


def test_the_person_of_others_is_not_there(it: Asking, office: Office) -> None:
    page = begin(it)
    absent = text_of(it.browser.get("/people/00000000-0000-4000-8000-000000000000/permissions"))
    other = office.staff("caseworker")
    colleague = office.staff("caseworker", it.shelter.organization)
    clinic = office.staff("clinician", it.clinic)
    sign(it, page)
    for member in (other, colleague, clinic):
        browser = member.at(office.browser())
        addresses = ["permissions", "permissions/new", "permissions/renew", "never", "who"]
        for address in [*addresses, *(["stop"] if member is not colleague else [])]:
            answer = browser.get(f"/people/{it.patient}/{address}")
            assert answer.status_code == 404, address
        answer = browser.get(page)
        assert answer.status_code == 404
        assert browser.get(f"{page}/paper").status_code == 404
        strip = re.compile(r'(name="(?:form_token|back)" value=")[^"]*')
        same = browser.get("/people/00000000-0000-4000-8000-000000000000/permissions")
        shown = browser.get(f"/people/{it.patient}/permissions")
        assert strip.sub(r"\1", text_of(shown)) == strip.sub(r"\1", text_of(same))
        if member is not colleague:  # any worker of her organisation may write down that she says stop
            answer = browser.post(f"/people/{it.patient}/stop", page="/options", what="all")
            assert answer.status_code == 404
        answer = browser.post(f"/people/{it.patient}/never", page="/options", who="everyone")
        assert answer.status_code == 404
    assert absent
    assert stored(it, page)["status"] == "active"
    assert len(consents(it)) == 1


@pytest.mark.parametrize("role", ["coordinator", "evaluator"])
def test_who_counts_sees_nobody(it: Asking, office: Office, role: str) -> None:
    organization = it.world.organizations["network"] if role == "coordinator" else it.shelter.organization
    browser = office.staff(role, organization).at(office.browser())
    for address in (f"/people/{it.patient}/permissions", f"/people/{it.patient}/stop", "/options", "/card"):
        assert browser.get(address).status_code == 404


def test_another_persons_consent_does_not_open_below_hers(it: Asking) -> None:
    page = begin(it)
    other = it.shelter.create(b.patient("Wren"))
    consent = page.rpartition("/")[2]
    assert it.browser.get(f"/people/{other['id']}/permissions/{consent}").status_code == 404


@pytest.mark.parametrize("recipient", ["", "00000000-0000-4000-8000-000000000000", "../x", "\0"])
def test_a_form_begins_for_a_unit_of_the_network_only(it: Asking, recipient: str) -> None:
    page = f"/people/{it.patient}/permissions/new"
    answer = it.browser.post(page, page=page, recipient=recipient, purpose="TREAT")
    assert answer.status_code == 422
    assert "Choose an organisation of this network." in text_of(answer)
    assert not consents(it, "draft")


def test_an_ended_session_loses_nothing_typed(it: Asking, office: Office) -> None:
    page = begin(it)
    shown = text_of(it.browser.get(page))
    owner = re.findall(r'name="form_owner" value="([^"]+)"', shown)[-1]
    given = {**hidden(it, page), **READ, "how": "mark", "mark": "o-o", "form_owner": owner}
    it.browser.client.delete_cookie("hub")
    given["scan"] = (BytesIO(PDF + bytes(100_000)), "scan.pdf")  # type: ignore[assignment]
    answer = it.browser.post(f"{page}/sign", page="/sign-in", **given)
    assert answer.status_code == 401, text_of(answer)
    assert stored(it, page)["status"] == "draft"
    kept = re.search(r'name="form_kept" value="([^"]+)"', text_of(answer))
    assert kept
    it.member.at(it.browser)
    again = it.browser.post("/kept", page="/", form_kept=kept[1])
    shown = text_of(again)
    assert 'name="mark" value="o-o"' in shown
    assert f'action="{page}/sign"' in shown
    inside = shown[shown.index("<main") : shown.index("</main>")]
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', inside))
    fields.pop("form_token")
    answer = it.browser.post(f"{page}/sign", page=page, **fields)
    assert answer.status_code == 303, text_of(answer)
    assert stored(it, page)["status"] == "active"


# --- children --------------------------------------------------------------------------------------------------


def child() -> dict[str, Any]:
    return b.patient(
        "Finch", birthDate="2012-05-01", extension=[{"url": INTERPRETER_REQUIRED, "valueBoolean": False}]
    )


def with_child(it: Asking) -> Asking:
    person = f"Patient/{it.shelter.create(child())['id']}"
    assigned(it.world, it.member.account, person, organization=it.member.organization)
    return replace(it, person=person)


def test_a_child_is_signed_for_by_her_guardian_with_her_own_view(office: Office) -> None:
    it = with_child(asking(office))
    made = it.shelter.create(
        {
            "resourceType": "RelatedPerson",
            "patient": {"reference": f"Patient/{it.patient}"},
            "name": [{"text": "Aunt"}],
        }
    )
    page = begin(it)
    assert "Guardian: Aunt" in text_of(it.browser.get(page))
    assert "counts as a child" in text_of(sign(it, page))
    guardian = f"RelatedPerson/{made['id']}"
    answer = sign(it, page, agreed=guardian, suspect="yes", refuses="yes")
    assert "Record what she herself says" in text_of(answer)
    answer = sign(it, page, agreed=guardian, suspect="yes", refuses="yes", view="no")
    assert "her no stands" in text_of(answer)
    answer = sign(it, page, agreed=guardian, view="yes")
    assert "nobody suspected of harming her" in text_of(answer)
    stranger = "RelatedPerson/00000000-0000-4000-8000-000000000000"
    assert sign(it, page, agreed=stranger, suspect="yes", refuses="yes", view="yes").status_code == 422
    answer = sign(it, page, agreed=guardian, suspect="yes", refuses="yes", view="yes")
    assert answer.status_code == 303, text_of(answer)
    assert stored(it, page)["performer"] == [{"reference": guardian}]


def test_two_professionals_decide_for_seven_days(office: Office) -> None:
    it = with_child(asking(office))
    made = [
        it.shelter.create(
            {**b.in_directory("Practitioner", it.shelter.organization), "name": [{"text": name}]}
        )
        for name in ("A. Nurse", "B. Doctor")
    ]
    for one in made:
        role = b.in_directory("PractitionerRole", it.shelter.organization)
        it.shelter.create({**role, "practitioner": {"reference": f"Practitioner/{one['id']}"}})
    first, second = (f"Practitioner/{one['id']}" for one in made)
    page = begin(it)
    shown = text_of(it.browser.get(page))
    assert first in shown
    decided = {
        "agreed": "professionals",
        "first": first,
        "second": second,
        "view": "too-young",
        "urgent": "yes",
    }
    assert "two different professionals" in text_of(sign(it, page, **{**decided, "second": first}))
    assert "seven days at most" in text_of(sign(it, page, **decided))
    choose(it, page, days="7")
    answer = sign(it, page, **decided)
    assert answer.status_code == 303, text_of(answer)


# --- renewing ----------------------------------------------------------------------------------------------------


def ending(it: Asking) -> None:
    permit = b.permit(it.clinic)
    permit["period"] = {"start": b.instant(-25), "end": b.instant(5)}
    it.shelter.create(b.release(it.person, it.shelter.organization, permit, dateTime=b.instant(-25)))


def test_each_renewal_is_a_yes_or_no_of_its_own(it: Asking, office: Office) -> None:
    ending(it)
    (old,) = consents(it)
    page = f"/people/{it.patient}/permissions/renew"
    assert "Permissions that end soon: 1." in text_of(it.browser.get(f"/people/{it.patient}/permissions"))
    shown = text_of(it.browser.get(page))
    assert f'name="renew-{old["id"]}" value="yes"' in shown
    assert not re.search(rf'name="renew-{old["id"]}" value="\w+" checked', shown), (
        "nothing is chosen beforehand"
    )
    form = {**READ, "how": "mark", "mark": "X", "text": form_digest("en")}
    answer = it.browser.post(page, page=page, **form)
    assert "Ask about each one" in text_of(answer)
    answer = it.browser.post(page, page=page, **form, **{f"renew-{old['id']}": "yes"})
    assert answer.status_code == 303, text_of(answer)
    new = next(one for one in consents(it) if one["id"] != old["id"])
    assert extension(new, structure("renewal-of"))["valueReference"]["reference"] == f"Consent/{old['id']}"
    assert "Nothing ends soon." in text_of(it.browser.get(page)), "and not twice"


def test_a_draft_of_a_referral_leads_there_and_back(it: Asking) -> None:
    draft = it.begin()
    it.take(draft, "options", choice=f"{it.clinic}/")
    page = f"/people/{it.patient}/permissions/new?draft={draft}"
    shown = text_of(it.browser.get(page))
    assert f'value="{it.clinic}" selected' in shown
    answer = it.browser.post(
        page.partition("?")[0], page=page, recipient=it.clinic, purpose="TREAT", draft=draft
    )
    form = answer.headers["Location"]
    assert form.endswith(f"?draft={draft}")
    answer = sign(it, form, draft=draft)
    assert answer.headers["Location"] == f"/refer/{draft}/permission"


def test_a_form_she_says_no_to_is_not_kept(it: Asking) -> None:
    page = begin(it)
    assert it.browser.post(f"{page}/drop", page=page).status_code == 303
    assert it.browser.get(page).status_code == 404
    assert not consents(it, "draft")


# --- a network that demands everything, and takes a spoken bridge ---------------------------------------------


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("strict-portal")
    policy = folder / "policy.toml"
    policy.write_text(
        f'[forms."{FORM_URI}"]\nstate = "current"\ntexts = {{ en = "{form_digest("en")}" }}\n', "utf-8"
    )
    settings = {
        "CONSENT_EVIDENCE": "full",
        "SPOKEN_RELEASE": "bridge",
        "CONSENT_POLICY_FILE": str(policy),
        "CONSENT_MAX_DAYS": "180",
        "CONSENT_LEGAL_NOTE": "Courts take half a year; see the network's note 3.",
    }
    with opened_world(f"sqlite:///{folder / 'hub.db'}", folder, **settings) as world:
        yield world


def test_a_spoken_bridge_has_a_witness_and_three_days(strict: World) -> None:
    it = asking(office_of(strict))
    page = begin(it)
    who = {"agency": "Bridges", "number": "B-417", "presence": "phone", "ties": "yes"}
    answer = sign(it, page, how="spoken", mark="", **who)
    shown = text_of(answer)
    assert "A spoken permission has a witness" in shown
    assert "A spoken permission lasts 72 hours at most" in shown
    choose(it, page, days="3")
    answer = sign(it, page, how="spoken", mark="", witness="W-12", **who)
    assert answer.status_code == 303, text_of(answer)
    told = {
        one["url"]: one for one in extension(stored(it, page), structure("signing-evidence"))["extension"]
    }
    assert told["witness"]["valueIdentifier"]["value"] == "W-12"


def test_full_evidence_names_an_interpreter_where_her_file_asks_for_one(strict: World) -> None:
    it = asking(office_of(strict))
    page = begin(it)
    answer = sign(it, page)
    assert answer.status_code == 422
    assert "say who it was" in text_of(answer)
    assert sign(it, page, agency="Bridges", number="B-417", presence="video", ties="yes").status_code == 303


def test_a_long_permission_shows_its_note_and_is_confirmed_at_its_check_in(strict: World) -> None:
    it = asking(office_of(strict))
    legal = strict.add_organization("legal aid", "legal-aid")
    new = f"/people/{it.patient}/permissions/new"
    page = it.browser.post(new, page=new, recipient=legal, purpose="compensation").headers["Location"]
    assert "see the network's note 3" in text_of(it.browser.get(page))
    who = {"agency": "Bridges", "number": "B-417", "presence": "video", "ties": "yes"}
    assert sign(it, page, **who).status_code == 303
    it.office.later(days=85)
    it.member.at(it.browser)
    shown = text_of(it.browser.get(page))
    assert "Does she want it to go on as it is?" in shown
    version = dict(_HIDDEN.findall(shown))["version"]
    assert it.browser.post(f"{page}/check-in", page=page, version="old", answer="yes").status_code == 422
    assert it.browser.post(f"{page}/check-in", page=page, version=version, answer="no").status_code == 422
    answer = it.browser.post(f"{page}/check-in", page=page, version=version, answer="yes")
    assert answer.status_code == 303, text_of(answer)
    assert "Does she want it to go on as it is?" not in text_of(it.browser.get(page))
