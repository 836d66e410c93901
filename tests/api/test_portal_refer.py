"""Asking for help in five screens: saved on the way, shown as the recipient sees it, sent once; and its attacks."""

from datetime import UTC, datetime, timedelta

import pytest

from tests import builders as b
from tests.api.browsing import Office, office_of
from tests.api.callers import row_id_of
from tests.api.referring import Asking, asking, text_of
from tests.world import World, parsed


@pytest.fixture
def office(world: World) -> Office:
    return office_of(world)


@pytest.fixture
def it(office: Office) -> Asking:
    return asking(office)


def test_five_screens_from_need_to_sent(it: Asking) -> None:
    release = it.permit()
    draft = it.begin(by=(datetime.now(UTC) + timedelta(days=6)).date().isoformat())
    here = f"/refer/{draft}/options"
    shown = text_of(it.browser.post(here, page=here, look="yes", name="clinic on"))
    assert "clinic on the corner" in shown
    it.take(draft, "options", choice=f"{it.clinic}/")
    shown = text_of(it.browser.get(f"/refer/{draft}/see"))
    now, later = shown.split("Once they said yes")
    assert "Health care" in later
    assert "Lark" not in now
    assert "Lark" in later
    assert shown.count('name="condition"') == 4
    answer = it.take(draft, "see", condition="no-letters")
    shown = text_of(it.browser.get(answer.headers["Location"]))
    assert f"/people/{it.patient}/permissions/{release['id']}" in shown
    shown = text_of(it.browser.get(f"/refer/{draft}/send"))
    assert "Answer by" in shown
    answer = it.take(draft, "send")
    assert answer.status_code == 303, text_of(answer)
    (task,) = it.tasks()
    assert answer.headers["Location"] == f"/referrals/{task['id']}"
    assert (task["status"], task["owner"]["reference"]) == ("requested", f"Organization/{it.clinic}")
    assert [one["valueCodeableConcept"]["coding"][0]["code"] for one in task["input"]] == ["no-letters"]
    request = it.shelter.read(task["focus"]["reference"])
    assert request["code"]["coding"][0]["code"] == "health-care"
    moves = parsed(it.shelter.get(f"/Provenance?target=Task/{task['id']}"))
    assert len(moves["entry"]) == 1
    seen = it.world.caller(it.clinic).read(f"Task/{task['id']}")
    assert seen["restriction"] == task["restriction"], "the promised day is in the notice"


def test_the_first_screen_asks_nothing_about_what_happened(it: Asking) -> None:
    shown = text_of(it.browser.get(f"/refer?patient={it.patient}"))
    assert "Only what the next person needs. A court may read this." in shown
    assert shown.count("<textarea") == 1
    assert "<title>Referral Hub</title>" in shown, "no title holds personal data"


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"kind": "a story"}, "Choose what is needed."),
        ({"urgency": "panic"}, "Choose how soon."),
        ({"by": "yesterday"}, "A day from today on, within a year."),
        ({"by": "2020-01-01"}, "A day from today on, within a year."),
        ({"words": "x" * 301}, "At most 300 letters."),
    ],
)
def test_a_wrong_field_says_so_and_nothing_is_kept(it: Asking, form: dict[str, str], sentence: str) -> None:
    said = {"kind": "health-care", "urgency": "urgent", "by": "", "words": ""} | form
    answer = it.browser.post("/refer", page=f"/refer?patient={it.patient}", patient=it.patient, **said)
    assert answer.status_code == 422
    assert sentence in text_of(answer)
    assert "You are not writing any request." in text_of(it.browser.get("/refer"))


def test_a_draft_waits_where_it_was_left(it: Asking) -> None:
    draft = it.begin(words="bring the left shoe")
    assert f"/refer/{draft}" in text_of(it.browser.get("/refer"))
    answer = it.browser.get(f"/refer/{draft}")
    assert answer.headers["Location"] == f"/refer/{draft}/options"
    it.office.later(days=29)
    browser = it.member.at(it.office.browser("192.0.2.77"))
    assert "bring the left shoe" in text_of(browser.get(f"/refer/{draft}/need"))
    it.office.later(days=2)
    browser = it.member.at(it.office.browser("192.0.2.77"))
    assert browser.get(f"/refer/{draft}/need").status_code == 404, "it goes after thirty days"


def test_a_draft_lies_sealed_in_the_database(it: Asking) -> None:
    it.begin(words="bring the left shoe")
    import sqlalchemy as sa

    from referral_hub.store import schema
    from referral_hub.store.statements import Statement

    chosen = Statement("drafts_whole", sa.select(schema.portal_draft))
    rows = it.world.parts.database.run(chosen)
    assert rows
    assert "left shoe" not in str(
        [[bytes(c) if isinstance(c, memoryview) else c for c in row] for row in rows]
    )


def test_nobody_else_opens_a_draft(it: Asking) -> None:
    draft = it.begin()
    never = "00000000-0000-4000-8000-000000000000"
    for member in (it.office.staff("supervisor", it.member.organization), it.office.staff("caseworker")):
        browser = member.at(it.office.browser())
        for step in ("", "/need", "/send"):
            answer = browser.get(f"/refer/{draft}{step}")
            absent = browser.get(f"/refer/{never}{step}")
            assert answer.status_code == absent.status_code == 404
            assert text_of(answer).replace(draft, never) == text_of(absent), "the page of what is not there"
        answer = browser.post(f"/refer/{draft}/send", page="/account", answer_by="")
        assert answer.status_code == 404
    assert it.tasks() == []


def test_a_person_of_others_begins_nothing(it: Asking) -> None:
    stranger = it.office.staff("caseworker").at(it.office.browser())
    for patient in (it.patient, "none-such"):
        answer = stranger.get(f"/refer?patient={patient}")
        assert answer.status_code == 404
        answer = stranger.post("/refer", page="/account", patient=patient, kind="teeth", urgency="urgent")
        assert answer.status_code == 404
    coordinator = it.office.staff("coordinator").at(it.office.browser())
    assert coordinator.get(f"/refer?patient={it.patient}").status_code == 404
    assert coordinator.get("/refer").status_code == 404


def test_a_withdrawal_of_hers_throws_the_draft_away(it: Asking) -> None:
    it.permit()
    draft = it.filled()
    answer = it.shelter.ask("POST", f"/{it.person}/$withdraw", {"resourceType": "Parameters"})
    assert answer.status_code == 200, text_of(answer)
    assert it.browser.get(f"/refer/{draft}/send").status_code == 404
    assert it.browser.post(f"/refer/{draft}/send", page="/account", answer_by="").status_code == 404
    assert it.tasks() == []


def test_an_erased_person_leaves_no_draft(it: Asking) -> None:
    draft = it.begin()
    from referral_hub.store.erasing import erasing_rows

    it.world._apply(erasing_rows(row_id_of(it.world, it.person), it.office.at_us))
    assert it.browser.get(f"/refer/{draft}/need").status_code == 404
    assert draft not in text_of(it.browser.get("/refer"))


def test_sent_twice_is_sent_once(it: Asking) -> None:
    it.permit()
    draft = it.filled()
    page = it.browser.get(f"/refer/{draft}/send").get_data(as_text=True)
    assert "Send the request" in page
    first = it.take(draft, "send")
    second = it.browser.post(f"/refer/{draft}/send", page="/account", answer_by="")
    assert first.headers["Location"] == second.headers["Location"]
    assert len(it.tasks()) == 1
    assert it.browser.get(f"/refer/{draft}/need").headers["Location"] == first.headers["Location"]
    assert draft not in text_of(it.browser.get("/refer"))


def test_without_a_permission_nothing_is_sent_and_the_page_says_why(it: Asking) -> None:
    draft = it.filled()
    assert "There is no permission" in text_of(it.browser.get(f"/refer/{draft}/permission"))
    answer = it.take(draft, "send")
    assert answer.status_code == 422
    assert "No release of this person covers this recipient" in text_of(answer)
    assert it.tasks() == []
    assert it.browser.get(f"/refer/{draft}/send").status_code == 200, "the draft is kept"


def test_the_preview_without_a_permission_supposes_the_least(it: Asking) -> None:
    draft = it.begin()
    it.take(draft, "options", choice=f"{it.clinic}/")
    shown = text_of(it.browser.get(f"/refer/{draft}/see"))
    assert "There is no permission yet." in shown
    assert "Lark" in shown.split("Once they said yes")[1]
    assert parsed(it.shelter.get(f"/Consent?patient={it.person}")).get("entry") is None, "nothing was stored"
    assert parsed(it.shelter.get(f"/ServiceRequest?patient={it.person}")).get("entry") is None


def test_one_no_and_signing_is_off(it: Asking) -> None:
    draft = it.filled()
    answer = it.take(draft, "permission", so="alone")
    assert answer.headers["Location"] == f"/refer/{draft}/permission"
    shown = text_of(it.browser.get(f"/refer/{draft}/permission"))
    assert "Signing is off" in shown
    assert f"/tonight?patient={it.patient}" in shown
    signing = it.shelter.ask(
        "POST", "/Consent", b.release(it.person, it.shelter.organization, b.permit(it.clinic))
    )
    assert signing.status_code == 422
    it.office.later(seconds=5)
    answer = it.browser.client.post(
        f"/refer/{draft}/permission",
        data={
            "form_token": _token(it, f"/refer/{draft}/permission"),
            "so": ["alone", "clear", "understands", "no-officials"],
        },
        environ_overrides={"REMOTE_ADDR": it.browser.address},
    )
    assert answer.headers["Location"] == f"/people/{it.patient}/permissions/new?draft={draft}"
    assert "Signing is off" not in text_of(it.browser.get(f"/refer/{draft}/permission"))


@pytest.mark.parametrize("choice", ["", "none-such/", "{own}/", "{hub}/"])
def test_who_cannot_be_asked_is_not_chosen(it: Asking, choice: str) -> None:
    named = {"own": it.member.organization, "hub": it.world.organizations["network"]}
    draft = it.begin()
    answer = it.take(draft, "options", choice=choice.format(**named))
    assert answer.status_code == 422
    assert "Choose who is asked." in text_of(answer)


def test_two_windows_do_not_overwrite_each_other(it: Asking) -> None:
    draft = it.begin()
    from referral_hub.errors import VersionConflict
    from referral_hub.portal import _drafts_of

    drafts = _drafts_of(it.world.parts)
    row = drafts._rows.draft(draft, it.member.account)
    assert row is not None
    from referral_hub.casework.referring import ReferralDraft, draft_of
    from referral_hub.web.portal.refer_drafts import KeptDraft

    kept = KeptDraft(row, draft_of(row.body))
    drafts.save(kept, ReferralDraft("teeth"))
    with pytest.raises(VersionConflict):
        drafts.save(kept, ReferralDraft("food"))


def test_services_come_with_the_age_of_their_capacity(it: Asking) -> None:
    kinds = (("capacity", "One with a place"), ("no-capacity", "One that is full"))
    software = it.world.caller(it.clinic)
    for code, name in kinds:
        software.create(
            {
                "resourceType": "HealthcareService",
                "active": True,
                "name": name,
                "providedBy": {"reference": f"Organization/{it.clinic}"},
                "type": [b.coded(b.code_system("service-domain"), "medical-care")],
                "communication": [b.coded("urn:ietf:bcp:47", "vi")],
                "extension": [
                    {
                        "url": b.structure("service-capacity"),
                        "extension": [
                            {"url": "status", "valueCode": code},
                            {"url": "as-of", "valueDateTime": b.instant(-2)},
                        ],
                    }
                ],
            }
        )
    draft = it.begin()
    shown = text_of(it.browser.get(f"/refer/{draft}/options"))
    assert shown.index("One with a place") < shown.index("One that is full")
    assert "Said 2 days ago." in shown
    here = f"/refer/{draft}/options"
    asked = text_of(it.browser.post(here, page=here, look="yes", language="fr"))
    assert "Not in the language you look for." in asked
    told = text_of(it.browser.get(f"{here}?language=fr"))
    assert "Not in the language you look for." not in told, "her language stands in no address"


def _token(it: Asking, page: str) -> str:
    import re

    found = re.search(r'name="form_token" value="([0-9a-f]+)"', it.browser.get(page).get_data(as_text=True))
    assert found
    return found[1]
