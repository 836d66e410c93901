"""What people do at the pages, from the sign-in to the end: each journey step by step, with any hand.

What lives here: the steps. What does not: who does them with what (``test_journeys``), and the hands (``hands``).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import expect

from referral_hub.demo.logins import PASSWORD
from referral_hub.texts.catalogs import catalog
from tests.browser.hands import Hand

MARTA = "marta@night-house.example"
DESK_OF_CLINIC = "desk@bridge-clinic.example"
CLINIC = "Bridge Clinic"
CONDITIONS = ("no-reminders", "no-portal", "no-letters", "no-onward-exchange")
BEFORE = ("alone", "clear", "understands", "no-officials")
MOST_ACTS_TO_SIGN = 8
MOST_ACTS_TO_STOP = 2


@dataclass
class Trip:
    """One journey: a hand, the language of the pages, and what is done at each step (a picture, a check)."""

    hand: Hand
    language: str = "en"
    at_step: Callable[[str], None] = field(default=lambda _: None)

    def t(self, key: str, **values: object) -> str:
        """Gives a sentence as the page says it."""
        return catalog(self.language).sentence(key).format(**values)

    def press(self, key: str) -> None:
        """Presses the button of a sentence."""
        self.hand.press("button", self.t(key))

    def path(self) -> str:
        """Gives the address without the host."""
        return urlsplit(self.hand.page.url).path

    def sign_in(self, login: str) -> None:
        """Signs in from the front page."""
        self.hand.page.goto("/")
        self.at_step("front")
        self.hand.press_at(self.hand.page.locator("main a[href='/sign-in']"))
        self.hand.write_at(self.hand.page.locator("#login"), login)
        self.hand.write_at(self.hand.page.locator("#password"), PASSWORD)
        self.at_step("sign-in")
        self.press("sign-in.do")
        expect(self.hand.page.locator("form[action='/sign-out']")).to_have_count(1)
        self.at_step("home")

    def go(self, way: str) -> None:
        """Follows one of the ways at the head of each page."""
        self.hand.press_at(self.hand.page.locator(f"header nav a[href='/{way}']"))

    def new_person(self, name: str) -> str:
        """Opens a file and gives the address of the person's page."""
        self.go("people")
        self.hand.press("link", self.t("people.new"))
        self.hand.write(self.t("people.name"), name)
        self.hand.pick(self.t("inbox.adult"), self.t("people.age"))
        self.at_step("new-person")
        self.press("people.do-new")
        expect(self.hand.page.locator("h1")).to_contain_text(name)
        self.at_step("person")
        return self.path()

    def need(self, kind: str = "health-care-now", words: str = "") -> None:
        """The first of five screens."""
        self.hand.press("link", self.t("people.refer"))
        self.hand.choose(self.t("refer.kind"), kind)
        self.hand.pick(self.t("refer.urgency.urgent"), self.t("refer.urgency"))
        if words:
            self.hand.write(self.t("refer.words"), words)
        self.at_step("refer-1-need")
        self.press("refer.next")

    def option(self, name: str = "Hands and bones") -> None:
        """The second screen: who could help."""
        self.hand.pick(re.compile(name), self.t("refer.whom"))
        self.at_step("refer-2-options")
        self.press("refer.next")

    def see(self) -> None:
        """The third screen: what they will see, and what the person asks of them."""
        for one in CONDITIONS:
            box = self.hand.find("checkbox", self.t(f"refer.condition.{one}"))
            if not box.is_checked():
                self.hand.tick(self.t(f"refer.condition.{one}"))
        self.at_step("refer-3-see")
        self.press("refer.next")

    def permit(self) -> int:
        """The fourth screen, and the permission; gives how many acts the permission itself took."""
        for one in BEFORE:
            self.hand.tick(self.t(f"refer.before.{one}"))
        self.at_step("refer-4-permission")
        self.press("refer.sign-now")
        self.at_step("permission-new")
        before = self.hand.acts
        self.press("permission.do-go-on")
        self.sign()
        took = self.hand.acts - before
        self.at_step("refer-4-permission-there")
        self.hand.press("link", self.t("refer.next"))
        return took

    def sign(self, name: str = CLINIC) -> None:
        """Signs the sheet with a mark."""
        self.at_step("permission-sheet")
        self.hand.pick(self.t("permission.yes"), self.t("permission.back-ask", name=name))
        self.hand.pick(self.t("permission.now-yes"), self.t("permission.now-ask"))
        self.hand.pick(self.t("permission.how.mark"), self.t("permission.how-ask"))
        self.hand.write(self.t("permission.mark"), "x")
        self.hand.pick(self.t("permission.explained-yes"), self.t("permission.explained-ask"))
        self.at_step("permission-filled-in")
        self.press("permission.do-sign")

    def send(self) -> str:
        """The fifth screen; gives the address of the referral."""
        self.at_step("refer-5-send")
        self.press("refer.send")
        self.at_step("referral")
        assert re.fullmatch(r"/referrals/[0-9a-f-]{36}", self.path()), self.path()
        return self.path()

    def number(self) -> str:
        """Gives the number of a referral that is open at the sender's, as both sides say it on the telephone."""
        said = self.t("tracker.say-number", number="([A-Z0-9-]{4,})")
        found = re.search(said, self.hand.page.locator("main").inner_text())
        assert found, said
        return found[1]

    def accept(self, number: str) -> str:
        """Finds a referral in the inbox by its number and says yes; gives its address."""
        self.go("inbox")
        row = self.hand.page.locator("main tr", has_text=number)
        expect(row).to_have_count(1)
        self.at_step("inbox")
        self.hand.press_at(row.locator("th a"))
        self.at_step("asked")
        address = self.path()
        for one in CONDITIONS:
            self.hand.tick(self.t(f"inbox.condition.{one}"))
        self.hand.tick(self.t("inbox.take"))
        self.press("inbox.do.accept")
        self.hand.page.goto(address)
        self.at_step("accepted")
        return address

    def stop(self, person: str, name: str = CLINIC) -> int:
        """Stops sharing with one organisation from the person's page; gives how many acts that took."""
        self.hand.page.goto(person)
        before = self.hand.acts
        self.hand.press("link", self.t("people.stop"))
        self.at_step("stop-effect")
        self.hand.press("button", self.t("permission.stop.do-unit", name=name))
        took = self.hand.acts - before
        self.at_step("stopped")
        return took
