"""The ear: every distinct FHIR body once, by a name without ids."""

from pathlib import Path

from conformance import stories
from conformance.listening import Heard
from conformance.stories import look_around, open_story
from tests.world import opened_world


def test_a_story_is_heard_from_both_sides(tmp_path: Path) -> None:
    heard = Heard()
    with opened_world(f"sqlite:///{tmp_path / 'hub.db'}", tmp_path / "data") as world:
        heard.scene = "accepted"
        it = open_story(heard, world, seed=1)
        it.sign(categories=stories.EVERYTHING)
        it.refer()
        it.move("accepted")
        look_around(it)
        count = len(heard.bodies)
        look_around(it)
    names = [one.name for one in heard]
    assert "accepted | sender: POST /Patient -> 201" in names
    assert "accepted | recipient: GET /Patient/* -> 200" in names
    assert "accepted | recipient: GET /Task/*/_history -> 200" in names
    assert len(heard.bodies) == count, "reading again gives the same bytes"
    assert all(one.body.startswith(b"{") for one in heard)
    assert not any(it.person.partition("/")[2] in name for name in names)
