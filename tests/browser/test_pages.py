"""Every page a role is led to: accessible in light and dark, on a phone too, light over the wire, kept as a picture."""

import re

import pytest
from playwright.sync_api import BrowserContext

from referral_hub.demo.logins import PARTS
from tests.browser.looking import DESK, MOST_BYTES, PHONE, Looks, crawl, shape, wire_bytes

WHO = {part.login.partition("@")[0]: part.login for part in PARTS}
STRANGER = ("/", "/sign-in", "/code", "/link", "/sign-in/code", "/sign-in/code/choose")
NAMES = ("Lark", "Wren")


def told(wrong: dict[str, list[str]]) -> str:
    return "\n".join(f"{address}\n  " + "\n  ".join(lines) for address, lines in wrong.items())


def named(address: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", shape(address)).strip("-") or "front"


@pytest.mark.parametrize("who", ["nobody", *WHO])
def test_every_page_is_accessible_and_fits(looks: Looks, who: str) -> None:
    wrong: dict[str, list[str]] = {}
    opened = 0
    with looks.at(WHO.get(who, "")) as page:
        first = STRANGER if who == "nobody" else ("/",)
        for start in first:
            for address in crawl(page, start):
                opened += 1
                found = looks.violations(page)
                looks.picture(page, f"{who}-{named(address)}")
                page.set_viewport_size(PHONE)
                if page.evaluate("document.documentElement.scrollWidth") > PHONE["width"]:
                    found.append("wider than a phone")
                looks.picture(page, f"{who}-phone-{named(address)}")
                page.set_viewport_size(DESK)
                title = page.title()
                found += [f"the title says {name}" for name in NAMES if name in title]
                found += [f"the address says {name}" for name in NAMES if name in page.url]
                if found:
                    wrong[address] = found
    assert opened >= len(first)
    assert not wrong, told(wrong)


@pytest.mark.parametrize("who", ["nobody", "marta", "coordinator"])
def test_pages_are_accessible_in_the_dark_and_on_a_phone(looks: Looks, who: str) -> None:
    wrong: dict[str, list[str]] = {}
    with looks.at(WHO.get(who, ""), color_scheme="dark", viewport=PHONE) as page:
        for start in STRANGER if who == "nobody" else ("/",):
            for address in crawl(page, start):
                if found := looks.violations(page):
                    wrong[address] = found
    assert not wrong, told(wrong)


@pytest.mark.parametrize("who", ["marta", "coordinator"])
def test_pages_are_light_over_the_wire(looks: Looks, who: str) -> None:
    heavy = {}
    with looks.at(WHO[who]) as page:
        for address in list(crawl(page)):
            size = wire_bytes(page.context, address)
            if size > MOST_BYTES:
                heavy[address] = size
    assert not heavy


@pytest.mark.parametrize("language", ["pl", "ar"])
@pytest.mark.parametrize("who", ["marta", "desk"])
def test_pages_fit_in_other_languages(looks: Looks, who: str, language: str) -> None:
    wrong: dict[str, list[str]] = {}
    with looks.at(WHO[who], locale=language) as page:
        for address in crawl(page):
            found = looks.violations(page)
            if page.get_attribute("html", "dir") != ("rtl" if language == "ar" else "ltr"):
                found.append("the wrong direction")
            page.set_viewport_size(PHONE)
            if page.evaluate("document.documentElement.scrollWidth") > PHONE["width"]:
                found.append("wider than a phone")
            looks.picture(page, f"{who}-{language}-phone-{named(address)}")
            page.set_viewport_size(DESK)
            if found:
                wrong[address] = found
    assert not wrong, told(wrong)


def test_nothing_is_asked_of_another_host(context: BrowserContext) -> None:
    asked: list[str] = []
    page = context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    for address in STRANGER:
        page.goto(address)
    assert asked
    assert all(url.startswith(page.url[: page.url.index("/", 8)]) for url in asked)
