"""The people of the story at their browsers: accounts that a visitor can use when the story is told.

What lives here: giving each part an account, its password chosen at the pages as anybody would, a second person's file
to try things with, and what each organisation offers. What does not: the rules of accounts (``auth.people``).

Accounts are added by the functions behind ``person add``; everything after that goes over HTTP.

Source: ``interfaces.md`` 1 (the demo prints the logins); ``practice.md`` 12 and 17.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import requests

from referral_hub.app import Parts, clock
from referral_hub.demo import papers
from referral_hub.demo.cast import Party, Story
from referral_hub.demo.network import COORDINATOR, Network
from referral_hub.demo.papers import Resource, coded, to
from referral_hub.demo.smart_partner import TIMEOUT_S
from referral_hub.demo.stage import Unexpected
from referral_hub.fhir.canonical import code_system, structure
from referral_hub.fhir.dates import instant
from referral_hub.founding import opened_hub
from referral_hub.settings import Settings

PASSWORD = "seven quiet lanterns"  # noqa: S105 - of invented people in a hub that is gone afterwards
YEAR_US = 365 * papers.DAY_US
_TOKEN = re.compile(r'name="form_token" value="([0-9a-f]+)"')
_CODE = re.compile(r'<p class="codes">([^<]+)</p>')


@dataclass(frozen=True, slots=True)
class Part:
    """A part a visitor can play: whose staff, in which role, under which login, and what there is to do."""

    partner: str
    role: str
    login: str
    to_do: str


PARTS: tuple[Part, ...] = (
    Part("shelter", "caseworker", "marta@night-house.example", "refer Wren, follow Lark's referrals"),
    Part("shelter", "supervisor", "sol@night-house.example", "see the unit, decide as the second person"),
    Part("clinic_one", "intake", "desk@bridge-clinic.example", "the clinic's inbox: say yes or no"),
    Part(
        "clinic_one", "supervisor", "lena@bridge-clinic.example", "confirm who works with whom at the clinic"
    ),
    Part("legal_aid", "lawyer", "ines@open-door.example", "Lark's case, as far as she allows it"),
    Part("", "coordinator", COORDINATOR, "organisations, accounts, delivery; never a person"),
)
"""Who can be played by hand; the second clinic's people have a system of their own."""

OFFERS: Mapping[str, tuple[tuple[str, str, str, int], ...]] = {
    "clinic_one": (
        ("Hands and bones, walk in until ten", "medical-care", "capacity", 1),
        ("A nurse in the evening, at the back door", "medical-care", "waitlist", 2),
        ("Talking with somebody, in six languages", "counselling", "waitlist", 12),
    ),
    "legal_aid": (
        ("Unpaid wages", "unpaid-wages", "capacity", 3),
        ("Legal aid", "legal-aid", "capacity", 3),
    ),
    "adviser": (("Staying in the country: advice", "immigration-advice", "no-capacity", 9),),
}
"""What each offers: words, domain, room, and how many days ago that was true."""


@dataclass(frozen=True, slots=True)
class Login:
    """A login that was tried: it led to the first page of its role."""

    organization: str
    role: str
    login: str
    password: str
    to_do: str


class AtBrowser:
    """Somebody at a browser, as far as the demo needs one: cookies, pages, forms."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self._http = requests.Session()
        self._http.trust_env = False
        self._http.headers["Accept"] = "text/html"

    def get(self, address: str) -> requests.Response:
        """Opens a page, and goes where it leads."""
        return self._http.get(f"{self.base_url}{address}", timeout=TIMEOUT_S)

    def send(self, page: str, address: str, **fields: str) -> requests.Response:
        """Fills in a form of a page and sends it."""
        token = _TOKEN.search(self.get(page).text)
        if token is None:
            raise Unexpected(f"a form on {page}", "one", "none")
        given = {"form_token": token[1], **fields}
        return self._http.post(f"{self.base_url}{address}", data=given, timeout=TIMEOUT_S)


def open_accounts(settings: Settings, network: Network, story: Story) -> list[Login]:
    """Gives every part an account with a password of its own, and tries each login.

    Args:
        settings: of the hub, which is running.
        network: the network's organisations.
        story: what was told; Lark's file is assigned to who works with her.

    Raises:
        Unexpected: a login does not lead where it must.
    """
    _offer(story)
    wren = story.shelter.create(_wren())
    given: dict[str, tuple[str, str]] = {}
    hub = network.hub_organization
    with opened_hub(settings) as parts:
        first = next(
            account for account, _ in parts.accounts.accounts_of(hub) if account.role == "coordinator"
        )
        given[COORDINATOR] = (first.id, network.one_time_password)
        for part in PARTS:
            if part.partner:
                organization = network.partners[part.partner].organization
                given[part.login] = _account(parts, organization, part, first.id, hub)
    patient = story.papers["person"]
    _assign(story.shelter, patient, given["marta@night-house.example"][0])
    _assign(story.shelter, f"Patient/{wren['id']}", given["marta@night-house.example"][0])
    _assign(story.party("legal_aid"), patient, given["ines@open-door.example"][0])
    return [_tried(settings.base_url, network, part, given[part.login][1]) for part in PARTS]


def _account(parts: Parts, organization: str, part: Part, by: str, hub: str) -> tuple[str, str]:
    office, at_us = parts.people.office, clock()
    given = office.add(organization, part.role, part.login, at_us)
    office.train(given.account, at_us + YEAR_US, at_us)
    office.authorise(given.account, by, at_us, hub)
    return given.account, given.one_time_password


def _tried(base_url: str, network: Network, part: Part, one_time: str) -> Login:
    browser = AtBrowser(base_url)
    browser.send("/sign-in", "/sign-in", login=part.login, password=one_time, next="")
    answer = browser.send("/account/password", "/account/password", new=PASSWORD, again=PASSWORD)
    if answer.status_code != 200:
        raise Unexpected(f"{part.login} chooses a password", 200, answer.status_code)
    answer = browser.get("/")
    if answer.status_code != 200 or "/sign-out" not in answer.text:
        raise Unexpected(f"the first page of {part.login}", "signed in", answer.status_code)
    called = network.partners[part.partner].partner.called if part.partner else "the network"
    return Login(called, part.role, part.login, PASSWORD, part.to_do)


def _assign(party: Party, patient: str, account: str) -> None:
    party.operation(
        f"{patient}/$assign",
        {"resourceType": "Parameters", "parameter": [{"name": "account", "valueString": account}]},
    )


def _wren() -> Resource:
    """Gives a second file, of which nobody else knows: something to try a referral with."""
    return {**papers.opened_file(), "name": [{"use": "anonymous", "text": "Wren"}]}


def _offer(story: Story) -> None:
    for name, offers in OFFERS.items():
        party = story.party(name)
        for words, domain, room, days in offers:
            party.create(
                {
                    "resourceType": "HealthcareService",
                    "active": True,
                    "providedBy": to("Organization", party.organization),
                    "name": words,
                    "type": [coded(code_system("service-domain"), domain)],
                    "communication": [{"coding": [{"system": "urn:ietf:bcp:47", "code": "en"}]}],
                    "extension": [_room(room, days)],
                }
            )


def _room(room: str, days: int) -> Resource:
    return {
        "url": structure("service-capacity"),
        "extension": [
            {"url": "status", "valueCode": room},
            {"url": "as-of", "valueDateTime": instant(clock() - days * papers.DAY_US)},
        ],
    }
