"""What a subscriber is sent does not tell of what it may not see: how many, how numbered, how large, how alive.

Two subscribers in one hub, each with a referral of its own; at the second one's shelter much happens beside it.
Both databases.

Source: ``consent.md`` 3.3, S-26 and S-33; ``views.md`` 8.
"""

import json
from typing import Any

import pytest

from tests import builders as b
from tests.api.test_subscriptions import Hook, Referral, Story, hook, status_of
from tests.api.test_twin_worlds import normalised
from tests.world import World

__all__ = ["hook"]


def _beside(story: Story, referral: Referral) -> None:
    """Does, at the shelter, what this clinic may not notice."""
    shelter, world = story.shelter, story.world
    other = world.add_organization(f"other of {shelter.organization}", "legal-aid")
    person = referral.person
    for _ in range(3):
        shelter.create(b.condition(person, "mental-health"))
    shelter.create(b.refusal(person, shelter.organization, actor={"reference": f"Organization/{other}"}))
    shelter.create(b.release(person, shelter.organization, b.permit(other, purpose="legal-representation")))
    hidden = f"Patient/{shelter.create(b.patient('Hidden'))['id']}"
    request = shelter.create(b.service_request(hidden, other, category="legal-needs"))
    shelter.create(
        b.release(
            hidden,
            shelter.organization,
            b.permit(other, purpose="legal-representation", categories=("identity", "legal-needs")),
        )
    )
    task = shelter.create(b.task(hidden, f"ServiceRequest/{request['id']}", other))
    shelter.changed(f"Task/{task['id']}", priority="stat")
    drafted = shelter.create(b.task(person, referral.request, story.clinic.organization, status="draft"))
    shelter.changed(f"Task/{drafted['id']}", priority="stat")
    shelter.ask("DELETE", f"/Task/{drafted['id']}")


def _told(story: Story, content: str, *, more: bool, name: str = "Redshank") -> list[Any]:
    """Subscribes, lets things happen, and gives everything the subscriber was sent and can ask."""
    made = story.subscribe(content=content, heartbeat_s=60)
    referral = story.refer(name, accepted=False)
    if more:
        _beside(story, referral)
    story.work()
    story.clinic.changed(referral.task, status="accepted")
    if more:
        story.shelter.create(b.condition(referral.person, "mental-health"))
    story.work()
    if more:
        story.shelter.changed(referral.person, address=None)
    story.work(later_s=90)
    came = Hook(came=[one for one in story.hook.came if f"Subscription/{made['id']}" in json.dumps(one[1])])
    assert came.of_kind("heartbeat")
    asked = [
        normalised(story.clinic.get(f"/Subscription/{made['id']}{path}"))
        for path in ("/$status", "/$events", "/$events?eventsSinceNumber=2", "/$events?eventsSinceNumber=3")
    ]
    sent = [
        (
            sorted(headers),
            [one["name"] for one in status_of(bundle)],
            len(bundle["entry"]),
            len(json.dumps(bundle)),
        )
        for headers, bundle in came.came
    ]
    return [sent, came.numbers(), *asked]


@pytest.mark.attack("S-26", "E-06")
@pytest.mark.parametrize("content", ["empty", "id-only", "full-resource"])
def test_what_happens_beside_it_changes_no_notice(world: World, hook: Hook, content: str) -> None:
    plain = _told(Story(world, hook), content, more=False)
    assert _told(Story(world, hook), content, more=True) == plain
    assert plain[1] == [1, 2]


@pytest.mark.attack("S-33", "S-26", "E-06")
@pytest.mark.parametrize("content", ["empty", "id-only"])
def test_a_notice_is_as_large_whoever_it_is_about(world: World, hook: Hook, content: str) -> None:
    sizes = []
    for name in ("Wren", "Yellow-browed Warbler of a very long name indeed"):
        sizes.append(_told(Story(world, hook), content, more=False, name=name)[0])
    assert sizes[0] == sizes[1]
