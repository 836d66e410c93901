"""Two sides of a referral at their browsers, for tests of the portal.

What lives here: the invented shelter and clinic, reading a page, sending its form. What does not: what is tested.
"""

import re
from dataclasses import dataclass

from werkzeug.test import TestResponse

from tests import builders as b
from tests.api.browsing import Browser, Office, office_of
from tests.api.callers import assigned
from tests.world import Caller, World

_VERSION = re.compile(r'name="version" value="([^"]+)"')


@dataclass
class Two:
    """A shelter and a clinic, one referral between them, and who sits where."""

    office: Office
    shelter: str
    clinic: str
    sender: Caller
    receiver: Caller
    worker: Browser
    boss: Browser
    patient: str
    request: str
    task: str
    account: str

    @property
    def person(self) -> str:
        return f"Patient/{self.patient}"


def sides(world: World) -> Two:
    """Makes a shelter and a clinic with one referral, and signs a caseworker and a supervisor in."""
    office = office_of(world)
    shelter = world.add_organization("Linden office", "shelter")
    clinic = world.add_organization("Bridge Clinic", "clinic")
    sender = world.caller(shelter, purpose="shelter-placement")
    receiver = world.caller(clinic)
    person = sender.create({**b.patient("Lark"), "name": [{"use": "anonymous", "text": "Lark"}]})
    patient = f"Patient/{person['id']}"
    sender.create(b.release(patient, shelter, b.permit(clinic, days=5)))
    asked = sender.create(b.service_request(patient, clinic))
    task = sender.create(b.task(patient, f"ServiceRequest/{asked['id']}", clinic))
    worker = office.staff("caseworker", shelter)
    assigned(world, worker.account, patient, organization=shelter)
    boss = office.staff("supervisor", clinic)
    return Two(
        office,
        shelter,
        clinic,
        sender,
        receiver,
        worker.at(office.browser()),
        boss.at(office.browser()),
        person["id"],
        asked["id"],
        task["id"],
        worker.account,
    )


def shown(answer: TestResponse, http_status: int = 200) -> str:
    """Gives the page; fails the test where the answer is another."""
    text = answer.get_data(as_text=True)
    assert answer.status_code == http_status, text
    return text


def version_in(text: str) -> str:
    """Gives the version the forms of a page are about."""
    found = _VERSION.search(text)
    assert found, text
    return found[1]


def act(browser: Browser, page: str, name: str, **form: str) -> TestResponse:
    """Sends a form of a page."""
    version = version_in(shown(browser.get(page)))
    return browser.post(page, page=page, **{"version": version, "act": name, **form})
