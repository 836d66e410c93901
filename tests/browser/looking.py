"""Looking at pages as people do: signing in, opening, checking, keeping a picture.

What lives here: ``Demo`` and ``Looks``. What does not: which pages (the tests).
"""

import json
import re
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page

from referral_hub.demo.logins import PASSWORD

HERE = Path(__file__).parent
MOST_BYTES = 60_000
PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 900}
STANDARD = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]
_LEFT_OUT = re.compile(r"/static/|/sign-out|\.(pdf|csv|json)$|/manage|^/fhir|/link/|[?&]format=")
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")


@dataclass(frozen=True, slots=True)
class Demo:
    """The running demo."""

    base_url: str
    folder: Path


@dataclass(frozen=True, slots=True)
class Looks:
    """What pages are looked at with."""

    demo: Demo
    chromium: Browser
    axe: str
    screenshots: Path

    @contextmanager
    def at(self, login: str = "", **profile: Any) -> Iterator[Page]:
        """Gives a tab in which somebody signed in; nobody where no login is given."""
        context = self.chromium.new_context(
            base_url=self.demo.base_url, **{"locale": "en", "viewport": DESK, **profile}
        )
        try:
            page = context.new_page()
            if login:
                sign_in(page, login)
            yield page
        finally:
            context.close()

    def violations(self, page: Page) -> list[str]:
        """Gives what breaks WCAG 2.2 A or AA on a page, one line each."""
        session = page.context.new_cdp_session(page)
        session.send("Page.setBypassCSP", {"enabled": True})
        page.evaluate(self.axe)
        found = page.evaluate(
            "async (tags) => (await axe.run(document, {runOnly: {type: 'tag', values: tags}, resultTypes: "
            "['violations']})).violations.map((one) => ({id: one.id, nodes: one.nodes.map((n) => n.html + ' ' + "
            "n.failureSummary)}))",
            STANDARD,
        )
        return [f"{one['id']}: {json.dumps(one['nodes'])[:600]}" for one in found]

    def picture(self, page: Page, name: str) -> None:
        """Keeps a picture of a page for a person to look at."""
        page.screenshot(path=self.screenshots / f"{name}.png", full_page=True)


def sign_in(page: Page, login: str, password: str = PASSWORD) -> None:
    """Signs somebody in as she would."""
    page.goto("/sign-in")
    page.fill("#login", login)
    page.fill("#password", password)
    page.click("main form[action='/sign-in'] button")
    page.wait_for_load_state()


def addresses(page: Page) -> list[str]:
    """Gives the addresses of the hub a page leads to, without what only downloads or signs out."""
    found = page.eval_on_selector_all("a[href]", "all => all.map((one) => one.href)")
    here = urlsplit(page.url)
    inside = []
    for one in found:
        parts = urlsplit(one)
        address = parts.path + (f"?{parts.query}" if parts.query else "")
        if parts.netloc == here.netloc and not _LEFT_OUT.search(address):
            inside.append(address)
    return list(dict.fromkeys(inside))


def shape(address: str) -> str:
    """Gives an address without the ids in it: pages of one shape are one page to look at."""
    parts = urlsplit(address)
    names = sorted({part.split("=")[0] for part in parts.query.split("&") if part})
    return _ID.sub("*", parts.path) + (f"?{'&'.join(names)}" if names else "")


def crawl(page: Page, first: str = "/", most: int = 80) -> Iterator[str]:
    """Opens page after page that links lead to, one of each shape; gives each address when it is open."""
    waiting, seen = deque([first]), {shape(first)}
    opened = 0
    while waiting and opened < most:
        address = waiting.popleft()
        response = page.goto(address)
        opened += 1
        assert response is not None, address
        assert response.status < 500, f"{address}: {response.status}"
        if not response.headers.get("content-type", "").startswith("text/html"):
            continue
        yield address
        for one in addresses(page):
            if shape(one) not in seen:
                seen.add(shape(one))
                waiting.append(one)


def wire_bytes(context: BrowserContext, address: str) -> int:
    """Gives how many bytes a page and what it needs take over the wire."""
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    received: list[float] = []
    session.on("Network.loadingFinished", lambda told: received.append(told["encodedDataLength"]))
    page.goto(address, wait_until="load")
    page.close()
    return int(sum(received))
