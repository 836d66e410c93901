"""Each journey from the sign-in to the end: by mouse, by keyboard alone, on a phone, without JavaScript, in languages.

Every one opens a file of its own, so that none changes what another sees.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from referral_hub.auth.people.browser_sessions import session_cookie_name
from referral_hub.demo.logins import PASSWORD
from tests.browser.hands import Finger, Hand, Keys
from tests.browser.journeys import (
    CLINIC,
    DESK_OF_CLINIC,
    MARTA,
    MOST_ACTS_TO_SIGN,
    MOST_ACTS_TO_STOP,
    Trip,
)
from tests.browser.looking import PHONE, Looks, sign_in

LENA = "lena@bridge-clinic.example"
ADVISER = "Ferry Immigration Advice"
SECRET = "eleven green kettles"

VARIANTS: dict[str, tuple[type[Hand], str, dict[str, Any], str]] = {
    "mouse": (Hand, "en", {"color_scheme": "light"}, "Heron"),
    "dark": (Hand, "en", {"color_scheme": "dark"}, "Grebe"),
    "keyboard": (Keys, "en", {}, "Plover"),
    "phone": (Finger, "en", {"viewport": PHONE, "has_touch": True, "is_mobile": True}, "Dipper"),
    "no-script": (Hand, "en", {"java_script_enabled": False}, "Siskin"),
    "pl": (Hand, "pl", {"locale": "pl"}, "Linnet"),
    "ar": (Hand, "ar", {"locale": "ar"}, "Serin"),
}
CHECKED = {"mouse", "dark", "ar"}
"""Where each page of the journey is looked at by the accessibility checker as well."""


@pytest.fixture(scope="session")
def second_person(looks: Looks) -> Iterator[Page]:
    """Gives the browser of the clinic's second person, signed in."""
    with looks.at() as page:
        sign_in(page, LENA)
        expect(page.locator("form[action='/sign-out']")).to_have_count(1)
        yield page


def stepping(looks: Looks, page: Page, variant: str, wrong: list[str]) -> Callable[[str], None]:
    """Gives what is done at each step: a picture, and what the page says about itself."""

    def at_step(name: str) -> None:
        looks.picture(page, f"journey-{variant}-{name}")
        direction = "rtl" if variant == "ar" else "ltr"
        if page.locator("html").get_attribute("dir") != direction:
            wrong.append(f"{name}: not {direction}")
        if variant == "phone" and page.evaluate("document.documentElement.scrollWidth") > PHONE["width"]:
            wrong.append(f"{name}: wider than a phone")
        for about in VARIANTS[variant][3], "Wren":
            if about in page.title() or about in page.url:
                wrong.append(f"{name}: a name in the title or the address")
        if variant in CHECKED:
            wrong.extend(f"{name}: {one}" for one in looks.violations(page))

    return at_step


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_person_is_referred_accepted_and_stops(looks: Looks, second_person: Page, variant: str) -> None:
    """From the sign-in to the stop: five screens, a permission, a yes, and nothing left at the clinic."""
    kind, language, profile, name = VARIANTS[variant]
    wrong: list[str] = []
    with ExitStack() as open_tabs:
        here = open_tabs.enter_context(looks.at(**profile))
        there = open_tabs.enter_context(looks.at(**profile))
        marta = Trip(kind(here), language, stepping(looks, here, variant, wrong))
        desk = Trip(kind(there), language, stepping(looks, there, variant, wrong))

        marta.sign_in(MARTA)
        person = marta.new_person(name)
        marta.need()
        marta.option()
        marta.see()
        assert marta.permit() <= MOST_ACTS_TO_SIGN
        marta.send()
        number = marta.number()

        desk.sign_in(DESK_OF_CLINIC)
        address = desk.accept(number)
        assert name not in there.locator("body").inner_text()
        confirm(second_person, address)
        there.reload()
        desk.at_step("given")
        given = there.locator("main")
        expect(given.locator("h1")).to_contain_text(name)
        expect(given).to_contain_text(desk.t("inbox.given"))

        assert marta.stop(person) <= MOST_ACTS_TO_STOP
        expect(here.locator(".notice.good")).to_contain_text(CLINIC)
        there.reload()
        desk.at_step("nothing-left")
        expect(there.locator("h1")).to_have_text(desk.t("inbox.closed-card"))
        assert desk.t("inbox.given") not in there.content()
        assert name not in there.content()
        hers = there.goto(person)
        assert hers
        assert hers.status == 404
        for shelf in ("new", "taken", "over"):
            there.goto(f"/inbox?show={shelf}")
            assert name not in there.content()
    assert not wrong, "\n".join(wrong)


def confirm(page: Page, address: str) -> None:
    """The clinic's second person confirms who asked to work with a person."""
    page.goto(address)
    page.locator("main button[name=staff][value=assign]", has_text="Confirm").click()
    page.wait_for_load_state()


def test_what_was_typed_outlives_the_session(looks: Looks) -> None:
    """The session ends in the middle of a long form; a second tab signs in; nothing is lost."""
    with looks.at() as page:
        marta = Trip(Hand(page))
        marta.sign_in(MARTA)
        marta.new_person("Dunlin")
        words = "She needs somebody who looks at her hand before the weekend."
        page.get_by_role("link", name=marta.t("people.refer")).click()
        page.locator("#f-kind").select_option("health-care-now")
        page.get_by_label(marta.t("refer.urgency.urgent")).check()
        page.locator("#f-words").fill(words)
        page.context.clear_cookies(name=session_cookie_name(secure=False))
        page.get_by_role("button", name=marta.t("refer.next")).click()
        expect(page.locator("h1")).to_have_text(marta.t("kept.title"))
        assert words not in page.content()
        looks.picture(page, "journey-session-1-waiting")
        assert not looks.violations(page)
        with page.context.expect_page() as opened:
            page.get_by_role("link", name=marta.t("kept.sign-in")).click()
        tab = opened.value
        tab.fill("#login", MARTA)
        tab.fill("#password", PASSWORD)
        tab.click("main form[action='/sign-in'] button")
        expect(tab.locator("form[action='/sign-out']")).to_have_count(1)
        tab.close()
        page.get_by_role("button", name=marta.t("kept.go-on")).click()
        looks.picture(page, "journey-session-2-kept")
        assert not looks.violations(page)
        page.get_by_role("button", name=marta.t("kept.do-send")).click()
        expect(page.locator("h1")).to_have_text(marta.t("refer.options-title"))
        page.locator(".steps a").first.click()
        expect(page.locator("#f-words")).to_have_value(words)
        expect(page.locator("#f-kind")).to_have_value("health-care-now")
        expect(page.get_by_label(marta.t("refer.urgency.urgent"))).to_be_checked()


@pytest.mark.parametrize("language", ["en", "pl", "ar"])
def test_she_reads_her_own_pages_and_leaves(looks: Looks, language: str) -> None:
    """A code from her worker, a secret of her own, her pages, and the way out."""
    with looks.at() as office, looks.at(locale=language, viewport=PHONE) as hers:
        marta, she = Trip(Hand(office)), Trip(Hand(hers), language)
        marta.sign_in(MARTA)
        marta.new_person(f"Avocet {language}")
        marta.hand.press("link", marta.t("people.code"))
        marta.press("her-code.do-code")
        code = office.locator("p.codes").inner_text()
        looks.picture(office, f"journey-her-{language}-1-code")
        marta.press("her-code.do-set-up")
        expect(office.locator(".notice")).to_contain_text(marta.t("her-code.standing-choosing"))

        hers.goto("/sign-in/code/choose")
        for field, words in (("code", code), ("secret", SECRET), ("again", SECRET)):
            she.hand.write_at(hers.locator(f"#{field}"), words)
        looks.picture(hers, f"journey-her-{language}-2-secret")
        she.press("her.choose")
        hers.goto("/my")
        expect(hers.locator("h1")).to_have_text(she.t("my.title"))
        assert hers.get_attribute("html", "dir") == ("rtl" if language == "ar" else "ltr")
        for part in ("", "/permissions", "/who", "/promises", "/correct", "/copy", "/languages"):
            hers.goto(f"/my{part}")
            assert hers.title() == she.t("page.neutral")
            looks.picture(hers, f"journey-her-{language}-3-my{part.replace('/', '-')}")
            assert not looks.violations(hers)
            assert hers.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        hers.keyboard.press("Tab")
        assert hers.evaluate("document.activeElement.textContent") == she.t("my.leave")
        hers.keyboard.press("Enter")
        hers.wait_for_url("**/notes")
        looks.picture(hers, f"journey-her-{language}-4-left")
        hers.go_back()
        assert "Avocet" not in hers.content()
        hers.goto("/my")
        assert hers.url.endswith("/notes")


@pytest.mark.parametrize("scripted", [True, False])
def test_a_code_that_was_read_out_is_answered_in_two_taps(looks: Looks, *, scripted: bool) -> None:
    """The adviser has no account: a code by telephone, one tap to open, one to answer."""
    phone: dict[str, Any] = {
        "viewport": PHONE,
        "has_touch": True,
        "is_mobile": True,
        "java_script_enabled": scripted,
    }
    with looks.at() as office, looks.at(**phone) as away:
        marta, adviser = Trip(Hand(office)), Trip(Finger(away))
        marta.sign_in(MARTA)
        marta.new_person(f"Curlew {scripted}")
        marta.need("residence-status")
        marta.option("Staying in the country")
        marta.see()
        for one in ("alone", "clear", "understands", "no-officials"):
            marta.hand.tick(marta.t(f"refer.before.{one}"))
        marta.press("refer.sign-now")
        marta.press("permission.do-go-on")
        marta.sign(ADVISER)
        marta.hand.press("link", marta.t("refer.next"))
        marta.send()
        marta.hand.press("link", marta.t("tracker.paper"))
        marta.press("refer.spoken-make")
        code = office.locator(".notice .codes").inner_text()
        looks.picture(office, f"journey-link-{scripted}-1-paper")
        if scripted:
            assert not looks.violations(office)

        away.goto("/link")
        adviser.hand.write_at(away.locator("#f-code"), code)
        looks.picture(away, f"journey-link-{scripted}-2-code")
        before = adviser.hand.acts
        adviser.press("link.open")
        assert "Curlew" not in away.content()
        looks.picture(away, f"journey-link-{scripted}-3-asked")
        adviser.press("link.accept-so")
        assert adviser.hand.acts - before == 2
        expect(away.locator(".notice.good")).to_have_text(adviser.t("link.accepted"))
        expect(away.locator("main")).to_contain_text("Curlew")
        looks.picture(away, f"journey-link-{scripted}-4-answered")
        if scripted:
            assert not looks.violations(away)


@pytest.mark.parametrize("language", ["en", "pl", "ar"])
def test_the_sheet_and_the_card_are_made(looks: Looks, language: str) -> None:
    """Two papers that ask nothing about anybody."""
    with looks.at(MARTA) as page:
        trip = Trip(Hand(page))
        page.goto("/options")
        page.locator("form[action='/options'] select").select_option("medical-care")
        boxes = page.locator("input[name=service]")
        expect(boxes.nth(1)).to_be_visible()
        for place in range(2):
            boxes.nth(place).check()
        page.locator("form[action='/options/sheet'] select").select_option(language)
        trip.press("permission.options.do-make")
        sheet = page.locator("article.paper")
        expect(sheet).to_have_attribute("lang", language)
        expect(sheet).to_have_attribute("dir", "rtl" if language == "ar" else "ltr")
        looks.picture(page, f"journey-sheet-{language}")
        assert not looks.violations(page)
        page.goto(f"/card?language={language}")
        expect(page.locator("article.paper")).to_have_attribute("lang", language)
        looks.picture(page, f"journey-card-{language}")
        assert not looks.violations(page)
        answer = page.request.get(f"/card/pdf?language={language}")
        assert answer.status == 200
        assert answer.body().startswith(b"%PDF-")
        assert not re.search(r"Wren|Lark", page.content())
