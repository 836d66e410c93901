"""Stop sharing with the effect first, never share with, who has what, and the two sheets to take along."""

import re
from hashlib import sha256
from typing import Any

import pytest

from referral_hub.exchange.withdrawing import Wish, foresee
from referral_hub.fhir.canonical import code_system, structure
from referral_hub.papers.permission_form import form_digest
from referral_hub.texts.catalogs import LANGUAGES, catalog
from tests import builders as b
from tests.api.browsing import Office, office_of
from tests.api.referring import Asking, asking, text_of
from tests.world import World, parsed

CALM = re.compile(r"traffick|victim|ofiar|handl[a-z]* ludźmi|жертв|víctim|ضحي", re.IGNORECASE)


@pytest.fixture
def office(world: World) -> Office:
    return office_of(world)


@pytest.fixture
def it(office: Office) -> Asking:
    return asking(office)


def stop_page(it: Asking, query: str = "") -> str:
    return text_of(it.browser.get(f"/people/{it.patient}/stop{query}"))


def stop(it: Asking, **form: str) -> Any:
    page = f"/people/{it.patient}/stop"
    return it.browser.post(page, page=page, **form)


def read(it: Asking, consent: dict[str, Any]) -> dict[str, Any]:
    return it.shelter.read(f"Consent/{consent['id']}")


def classes(consent: dict[str, Any]) -> list[str]:
    return [one["code"] for permit in consent["provision"]["provision"] for one in permit["class"]]


# --- stop --------------------------------------------------------------------------------------------------


def test_everything_stops_with_the_second_tap_and_help_goes_on(it: Asking) -> None:
    release = it.permit()
    other = it.permit(
        "identity", receiver=it.world.add_organization("legal aid", "legal-aid"), purpose="compensation"
    )
    request = it.shelter.create(b.service_request(it.person, it.clinic))
    task = it.shelter.create(b.task(it.person, f"ServiceRequest/{request['id']}", it.clinic))
    shown = stop_page(it)  # the first tap: from her page
    assert "clinic on the corner gets no more of" in shown
    assert "Requests for help that go on: 1" in shown
    assert "Help and appointments stay as they are." in shown
    assert read(it, release)["status"] == "active", "looking stops nothing"
    answer = stop(it, what="all", how="in-person")  # the second
    assert answer.status_code == 303
    assert read(it, release)["status"] == read(it, other)["status"] == "inactive"
    assert it.shelter.read(f"Task/{task['id']}")["status"] == "requested"
    shown = text_of(it.browser.get(answer.headers["Location"]))
    assert "Sharing has stopped" in shown
    assert stop(it, what="all", how="in-person").status_code == 303, "the same wish again changes nothing"


def test_the_effect_shown_is_the_effect_done(it: Asking) -> None:
    release = it.permit("identity", "health", "contact")
    shown = stop_page(it)
    word = catalog("en").text("paper.category.health")
    assert f"clinic on the corner gets no more of: {word}" in shown
    answer = stop(it, what="some", category="health", how="in-person")
    assert answer.status_code == 303
    left = read(it, release)
    assert (left["status"], classes(left)) == ("active", ["identity", "contact"])


def test_foreseeing_stores_nothing(it: Asking) -> None:
    release = it.permit()
    digest = sha256(it.shelter.token.encode()).digest()
    (told,) = foresee(it.world.parts.hub, digest, it.patient, [Wish()])
    assert [one["valueReference"]["reference"] for one in told["parameter"] if one["name"] == "ended"] == [
        f"Consent/{release['id']}"
    ]
    assert read(it, release)["meta"]["versionId"] == release["meta"]["versionId"]
    assert (
        foresee(it.world.parts.hub, digest, it.patient, [Wish()])[0]["parameter"][1:] == told["parameter"][1:]
    )


def test_one_recipient_and_one_kind_of_one_recipient(it: Asking) -> None:
    first = it.permit("identity", "health", "contact")
    legal = it.world.add_organization("legal aid", "legal-aid")
    second = it.permit("identity", "legal-needs", receiver=legal, purpose="legal-representation")
    assert stop(it, what="some", recipient=it.clinic, category="contact").status_code == 303
    assert classes(read(it, first)) == ["identity", "health"]
    assert stop(it, what="some", recipient=legal).status_code == 303
    assert read(it, second)["status"] == "inactive"
    assert read(it, first)["status"] == "active"


def test_a_call_is_obeyed_first_and_checked_afterwards(it: Asking) -> None:
    release = it.permit()
    assert "I am sure that it was she" in stop_page(it, "?how=phone")
    stop(it, what="all", how="phone")
    assert read(it, release)["status"] == "inactive"
    found = parsed(it.shelter.get(f"/Task?code={code_system('task-code')}|withdrawal&status=ready"))
    tasks = [one["resource"] for one in found.get("entry", ())]
    mine = [one for one in tasks if one["for"]["reference"] == it.person]
    assert len(mine) == 1
    again = it.permit()
    stop(it, what="all", how="phone", known="yes")
    assert read(it, again)["status"] == "inactive"


def test_hearing_of_it_could_harm_her(it: Asking) -> None:
    release = it.permit()
    answer = stop(it, what="all", harm="yes")
    assert answer.status_code == 422
    assert "why they should not hear of it now" in text_of(answer)
    assert read(it, release)["status"] == "active"
    assert stop(it, what="all", harm="yes", reason="knows the driver").status_code == 303
    assert read(it, release)["status"] == "inactive"
    assert "knows the driver" not in it.browser.get(f"/people/{it.patient}/permissions").get_data(
        as_text=True
    )


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"what": "some"},
        {"what": "some", "category": "everything"},
        {"what": "all", "category": "health"},
        {"what": "everything"},
    ],
)
def test_a_form_that_says_nothing_stops_nothing(it: Asking, form: dict[str, str]) -> None:
    release = it.permit()
    assert stop(it, **form).status_code == 422
    assert read(it, release)["status"] == "active"


def test_whoever_picks_up_the_telephone_has_one_button_and_no_name(it: Asking, office: Office) -> None:
    release = it.permit()
    colleague = office.staff("caseworker", it.member.organization).at(office.browser())
    page = f"/people/{it.patient}/stop"
    shown = text_of(colleague.get(page))
    assert "You do not work with this person" in shown
    assert "clinic on the corner" not in shown
    assert "Lark" not in shown
    assert colleague.post(page, page=page, what="all", how="phone").status_code == 303
    assert read(it, release)["status"] == "inactive"


# --- never ---------------------------------------------------------------------------------------------------


def never(it: Asking, **form: Any) -> Any:
    page = f"/people/{it.patient}/never"
    return it.browser.post(page, page=page, **form)


def refusals(it: Asking) -> list[dict[str, Any]]:
    kind = f"{code_system('consent-kind')}|refusal"
    found = parsed(it.shelter.get(f"/Consent?patient={it.person}&category={kind}&status=active"))
    return [one["resource"] for one in found.get("entry", ())]


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"who": "any-government"}, "Any government office"),
        ({"who": "government", "country": "UA"}, "Government of: Ukraine"),
        ({"who": "kind", "kind": "law-enforcement"}, "Police and border guards"),
        ({"who": "everyone"}, "Everybody"),
        ({"who": "everyone", "category": ["immigration"]}, "right to stay"),
    ],
)
def test_each_kind_of_never_is_told_back_in_plain_words(it: Asking, form: dict[str, Any], told: str) -> None:
    assert never(it, **form).status_code == 303
    assert len(refusals(it)) == 1
    shown = text_of(it.browser.get(f"/people/{it.patient}/never"))
    above = shown[: shown.index("Add to the list")]
    assert told in above or "category" in form
    assert never(it, **form).status_code == 303
    assert len(refusals(it)) == 1, "the same no twice is one"


def test_a_never_closes_a_permission_at_once_and_says_so(it: Asking) -> None:
    it.permit()
    assert never(it, who="unit", unit=it.clinic).status_code == 303
    assert "closed: on the never list" in text_of(it.browser.get(f"/people/{it.patient}/permissions"))
    assert "Her never closes these permissions now" in text_of(it.browser.get(f"/people/{it.patient}/never"))


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"who": "unit"},
        {"who": "unit", "unit": "00000000-0000-4000-8000-000000000000"},
        {"who": "kind", "kind": "governmental"},
        {"who": "government", "country": "xx"},
        {"who": "everyone", "category": ["everything"]},
    ],
)
def test_a_never_that_names_nobody_is_refused(it: Asking, form: dict[str, Any]) -> None:
    assert never(it, **form).status_code == 422
    assert refusals(it) == []


def test_a_never_is_said_while_signing_is_off(it: Asking) -> None:
    it.shelter.create(
        {
            "resourceType": "Observation",
            "status": "final",
            "category": [b.coded(code_system("information-category"), "safety")],
            "code": b.coded(code_system("observation"), "cannot-sign-now"),
            "subject": {"reference": it.person},
            "effectiveDateTime": b.instant(),
            "valueBoolean": True,
        }
    )
    assert never(it, who="any-government").status_code == 303
    (refusal,) = refusals(it)
    assert "Nothing is signed right now" in text_of(
        it.browser.get(f"/people/{it.patient}/never/{refusal['id']}")
    )


def test_taking_a_never_back_is_signed_and_proven(it: Asking, office: Office) -> None:
    never(it, who="any-government")
    (refusal,) = refusals(it)
    page = f"/people/{it.patient}/never/{refusal['id']}"
    form = {
        "version": refusal["meta"]["versionId"],
        "text": form_digest("en"),
        "now": "yes",
        "how": "mark",
        "mark": "X",
        "explained": "yes",
    }
    office.later(minutes=6)
    answer = it.browser.post(f"{page}/lift", page=page, **form)
    assert "/sign-in?confirm=1" in answer.headers["Location"]
    assert len(refusals(it)) == 1
    it.member.at(it.browser)
    for missing in ("now", "how", "mark", "explained", "text"):
        answer = it.browser.post(f"{page}/lift", page=page, **{**form, missing: ""})
        assert answer.status_code == 422, missing
        assert len(refusals(it)) == 1
    assert it.browser.post(f"{page}/lift", page=page, **{**form, "version": "old"}).status_code == 422
    answer = it.browser.post(f"{page}/lift", page=page, **form)
    assert answer.status_code == 303, text_of(answer)
    assert refusals(it) == []
    ended = read(it, refusal)
    assert ended["status"] == "inactive"
    assert ended["sourceReference"]["reference"].startswith("DocumentReference/")


def test_room_for_one_letter_and_whole_again(it: Asking) -> None:
    office_id = it.world.add_organization("office of stay", "immigration", governmental=True, country="XB")
    letter = it.shelter.create(
        {
            **b.about_person("DocumentReference", it.person, category="immigration", request="", document=""),
            "description": "Letter about the stay",
        }
    )
    never(it, who="any-government")
    (refusal,) = refusals(it)
    page = f"/people/{it.patient}/never/{refusal['id']}"
    shown = text_of(it.browser.get(page))
    assert "Letter about the stay" in shown
    form = {
        "version": refusal["meta"]["versionId"],
        "unit": office_id,
        "purpose": "residence-permit",
        "thing": f"DocumentReference/{letter['id']}",
    }
    for broken in ({"unit": ""}, {"thing": ""}, {"thing": "Consent/x"}, {"purpose": ""}, {"unit": "nobody"}):
        assert it.browser.post(f"{page}/except", page=page, **{**form, **broken}).status_code == 422, broken
    answer = it.browser.post(f"{page}/except", page=page, **form)
    assert answer.status_code == 303, text_of(answer)
    (refusal,) = refusals(it)
    assert len(refusal["provision"]["provision"]) == 1
    assert "office of stay: Letter about the stay" in text_of(it.browser.get(page))
    assert (
        it.browser.post(f"{page}/whole", page=page, version=refusal["meta"]["versionId"]).status_code == 303
    )
    assert "provision" not in refusals(it)[0]["provision"]


# --- who has what ----------------------------------------------------------------------------------------------


def test_who_has_what_tells_readers_refusals_and_recalls(it: Asking, office: Office) -> None:
    it.permit()
    assert "Nobody got anything." in text_of(it.browser.get(f"/people/{it.patient}/who"))
    request = it.shelter.create(b.service_request(it.person, it.clinic))
    task = it.shelter.create(b.task(it.person, f"ServiceRequest/{request['id']}", it.clinic))
    clinic = it.world.caller(it.clinic)
    clinic.read(f"Task/{task['id']}")
    clinic.changed(f"Task/{task['id']}", status="accepted")
    clinic.read(it.person)
    it.world.caller(it.world.add_organization("nosy", "clinic")).get(f"/{it.person}")
    page = f"/people/{it.patient}/who"
    shown = text_of(it.browser.get(page))
    assert "Who got something" in shown
    assert shown.count("<svg") == 1
    assert "clinic on the corner" in shown
    assert re.search(r"Who was refused: [1-9]", shown)
    assert len(shown.encode()) < 60_000
    stop(it, what="all")
    assert "They are asked to stop using it" not in stop_page(it)
    assert "clinic on the corner" in text_of(it.browser.get(page)), "what was read stays told"


# --- the two sheets ----------------------------------------------------------------------------------------------


def service(it: Asking, name: str, **more: Any) -> str:
    """Adds a dentist with room."""
    organization = it.world.add_organization(f"{name} house", "clinic")
    made = it.world.caller(organization).create(
        {
            "resourceType": "HealthcareService",
            "active": True,
            "name": name,
            "providedBy": {"reference": f"Organization/{organization}"},
            "type": [b.coded(code_system("service-domain"), "dental-care")],
            "communication": [b.coded("urn:ietf:bcp:47", "uk")],
            "extension": [
                {
                    "url": structure("service-capacity"),
                    "extension": [
                        {"url": "status", "valueCode": "capacity"},
                        {"url": "as-of", "valueDateTime": b.instant(-2)},
                    ],
                }
            ],
            **more,
        }
    )
    return str(made["id"])


def test_the_options_sheet_is_in_her_language_and_asks_nothing_of_her(it: Asking) -> None:
    name = it.member.login[:6]
    first, second = service(it, f"Tooth {name}"), service(it, f"Molar {name}", appointmentRequired=True)
    shown = text_of(it.browser.post("/options", page="/options", need="dental-care"))
    assert f"Tooth {name}" in shown
    assert "there is room" in shown
    for language in LANGUAGES:
        asked = {"need": "dental-care", "language": language, "service": [first, second]}
        shown = text_of(it.browser.post("/options/sheet", page="/options", **asked))
        said = catalog(language)
        assert f'lang="{language}"' in shown
        assert said.text("permission.domain.dental-care") in shown
        assert said.text("permission.access.appointment") in shown
        assert said.text("paper.capacity.free") in shown
        answer = it.browser.post("/options/sheet/pdf", page="/options", **asked)
        assert answer.get_data().startswith(b"%PDF-")
    assert "Lark" not in shown
    for few in ([first], [first, first], ["x", "y"], []):
        answer = it.browser.post("/options/sheet", page="/options", need="dental-care", service=few)
        assert answer.status_code == 422
        assert "One option is no choice" in text_of(answer)


def test_the_card_is_harmless_in_all_five_languages(it: Asking) -> None:
    it.permit()
    for language in LANGUAGES:
        answer = it.browser.get(f"/card?language={language}")
        shown = text_of(answer)
        card = shown[shown.index("<article") : shown.index("</article>")]
        assert f'lang="{language}"' in card
        assert catalog(language).text("paper.card.title") in card
        assert not CALM.search(card)
        assert "Lark" not in shown
        assert "shelter" not in card.lower()
        pdf = it.browser.get(f"/card/pdf?language={language}")
        assert pdf.get_data().startswith(b"%PDF-")
        assert 'filename="notes.pdf"' in pdf.headers["Content-Disposition"]
    assert it.browser.get("/card?language=xx").status_code == 200


def test_an_id_that_cannot_be_one_never_reaches_the_store(it: Asking) -> None:
    for address in ("permissions", "permissions/new", "permissions/renew", "stop", "never", "who"):
        assert it.browser.get(f"/people/%00/{address}").status_code == 404, address
    for address in ("permissions/%00", "permissions/%00/paper", "never/%00"):
        assert it.browser.get(f"/people/{it.patient}/{address}").status_code == 404, address
    assert it.browser.get(f"/people/{it.patient}/permissions/new?draft=%00&part=%00").status_code == 200
    assert stop(it, what="some", recipient="\0").status_code == 422
    assert never(it, who="unit", unit="\0").status_code == 422
    assert it.browser.get("/card?language=%00").status_code == 200
    assert it.browser.post("/options", page="/options", need="\0").status_code == 200
    asked = {"need": "dental-care", "service": ["\0", "a"]}
    assert it.browser.post("/options/sheet", page="/options", **asked).status_code == 422


def test_no_address_of_the_sheet_says_what_is_needed(it: Asking) -> None:
    name = it.member.login[:6]
    service(it, f"Tooth {name}")
    for address in ("/options/sheet?need=dental-care", "/options/sheet/pdf?need=dental-care"):
        assert it.browser.get(address).status_code == 405, address
    assert f"Tooth {name}" not in text_of(it.browser.get("/options?need=dental-care"))
    assert f"Tooth {name}" in text_of(it.browser.post("/options", page="/options", need="dental-care"))
