"""Contact lost, as an Observation of her own organisation: it locks her code, her pages and her own tokens."""

import pytest

from referral_hub.fhir.canonical import code_system
from tests import builders as b
from tests.api.browsing import office_of
from tests.api.network import story
from tests.api.people import herself
from tests.api.test_sign_in_herself import Hers
from tests.world import World


@pytest.fixture
def hers(world: World) -> Hers:
    """A person with a worker, and the hub's pages."""
    it = story(world)
    office = office_of(world)
    worker = office.staff("supervisor", it.shelter)
    return Hers(office, it, worker, worker.at(office.browser()))


def test_lost_contact_locks_code_pages_and_tokens_in_the_same_change(hers: Hers) -> None:
    code, browser = hers.set_up()
    signed = browser.signed_in()
    assert signed is not None
    own = herself(hers.story.world, hers.story.shelter, hers.story.person, account=signed.account)
    assert own.get(f"/{hers.story.person}").status_code == 200
    lost = b.observation(
        hers.story.person,
        "safety",
        code=b.coded(code_system("observation"), "contact-lost"),
        valueBoolean=True,
    )
    del lost["valueQuantity"]
    hers.story.s.create(lost)
    assert browser.signed_in() is None
    assert own.get(f"/{hers.story.person}").status_code == 401
    stopped: list[int | None] = []
    hers.office.people.herself.withdraw(code, stopped.append)
    assert stopped == [None]
