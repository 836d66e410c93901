"""A shelter whose caseworker asks a clinic for help at a browser: for the tests of the pages about that.

What lives here: the people of such a test, and filling in the five screens. What does not: what is tested.
"""

import re
from dataclasses import dataclass
from html import unescape
from typing import Any

from tests import builders as b
from tests.api.browsing import Browser, Member, Office
from tests.api.callers import assigned
from tests.world import Caller, World

_WRITTEN = re.compile(r"/refer/([0-9a-f-]{36})/")
CODE = re.compile(r'<p class="codes">([A-Z0-9-]+)</p>')


@dataclass
class Asking:
    """A caseworker of a shelter, somebody she works with, and a clinic."""

    office: Office
    member: Member
    browser: Browser
    shelter: Caller
    clinic: str
    person: str
    """``Patient/id``"""

    @property
    def world(self) -> World:
        return self.office.world

    @property
    def patient(self) -> str:
        return self.person.partition("/")[2]

    def permit(self, *categories: str, receiver: str = "", **how: Any) -> dict[str, Any]:
        """Has her sign a release for the clinic."""
        named = b.permit(receiver or self.clinic, categories=categories or ("identity", "health"), **how)
        return self.shelter.create(b.release(self.person, self.shelter.organization, named))

    def begin(self, **form: str) -> str:
        """Fills in the first screen and gives the draft's id."""
        said = {"kind": "health-care", "urgency": "urgent", "by": "", "words": ""} | form
        answer = self.browser.post(
            "/refer", page=f"/refer?patient={self.patient}", patient=self.patient, **said
        )
        assert answer.status_code == 303, answer.get_data(as_text=True)
        found = _WRITTEN.search(answer.headers["Location"])
        assert found, answer.headers["Location"]
        return found[1]

    def filled(self, **form: str) -> str:
        """Gives a draft that is ready to be sent."""
        draft = self.begin(**form)
        answer = self.take(draft, "options", choice=f"{self.clinic}/")
        assert answer.headers["Location"] == f"/refer/{draft}/see"
        answer = self.take(draft, "see")
        assert answer.headers["Location"] == f"/refer/{draft}/permission"
        return draft

    def take(self, draft: str, step: str, **form: str) -> Any:
        return self.browser.post(f"/refer/{draft}/{step}", page=f"/refer/{draft}/{step}", **form)

    def sent(self, **form: str) -> str:
        """Sends a referral through all screens and gives the Task's id."""
        draft = self.filled(**form)
        answer = self.take(draft, "send")
        assert answer.status_code == 303, text_of(answer)
        return str(answer.headers["Location"].partition("/referrals/")[2])

    def tasks(self) -> list[dict[str, Any]]:
        """Gives the Tasks her organisation sent about her."""
        from tests.world import parsed

        found = parsed(self.shelter.get(f"/Task?patient={self.person}"))
        return [entry["resource"] for entry in found.get("entry", ())]

    def spoken(self, task: str) -> str:
        """Has the caseworker make a code to read out."""
        page = f"/referrals/{task}/paper"
        found = CODE.search(text_of(self.browser.post(page, page=page, act="spoken")))
        assert found
        return found[1]


def asking(office: Office, *, address: str = "") -> Asking:
    """Gives a caseworker at her browser, a person in her care, and a clinic without accounts or software."""
    world = office.world
    member = office.staff("caseworker")
    clinic = world.add_organization("clinic on the corner", "clinic", bases=(address,) if address else ())
    shelter = world.caller(member.organization, purpose="shelter-placement")
    person = f"Patient/{shelter.create(b.patient())['id']}"
    assigned(world, member.account, person, organization=member.organization)
    browser = member.at(office.browser())
    return Asking(office, member, browser, shelter, clinic, person)


def text_of(answer: Any) -> str:
    return unescape(answer.get_data(as_text=True))


__all__ = ["CODE", "Asking", "asking", "text_of"]
