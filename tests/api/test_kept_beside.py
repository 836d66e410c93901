"""What a granted read keeps of the things its row points at counts only while each of them is as it was."""

import json
from typing import Any

import msgspec

from referral_hub.auth.tokens import digest_of
from referral_hub.store.beside import KeptBeside
from referral_hub.store.read import Reader
from tests import builders as b
from tests.api.network import Story, story
from tests.world import World, parsed


def _accepted(world: World) -> Story:
    """A request that names a need; the clinic has accepted it and read it twice."""
    it = story(world)
    it.sign()
    condition = it.s.create(b.condition(it.person))
    it.refer()
    it.s.changed(it.request, reasonReference=[{"reference": f"Condition/{condition['id']}"}])
    it.move("accepted")
    it.c.read(it.request)
    it.c.read(it.request)
    return it


def _reasons(it: Story) -> list[str]:
    return [one["reference"] for one in it.c.read(it.request).get("reasonReference", ())]


def _answer(it: Story) -> Any:
    reader: Reader = it.world.parts.store._reader
    type_name, _, public_id = it.request.partition("/")
    return reader.read(type_name, public_id, digest_of(f"Bearer {it.c.token}"))


def test_a_read_again_brings_it_in_the_same_statement(world: World) -> None:
    it = _accepted(world)
    known = _answer(it).beside
    assert known is not None
    assert it.person in known.rows
    first = it.c.get(f"/{it.request}")
    assert it.c.get(f"/{it.request}").get_data() == first.get_data()


def test_its_author_reads_without_it(world: World) -> None:
    it = _accepted(world)
    it.c, it.s = it.s, it.c
    assert _answer(it).beside is None


def test_a_thing_that_changed_is_looked_up_again(world: World) -> None:
    it = _accepted(world)
    assert len(_reasons(it)) == 1
    condition = _reasons(it)[0]
    it.s.changed(condition, verificationStatus=None)
    assert _answer(it).beside is None
    assert _reasons(it) == [condition]
    assert _answer(it).beside is not None


def test_any_other_state_ends_it(world: World) -> None:
    it = _accepted(world)
    answer = _answer(it)
    row, beside = answer.resource, answer.beside
    states = [
        [
            one.id,
            one.version,
            None if one.person is None else beside.epochs[one.person],
            beside.organizations[one.author].version if one.author in beside.organizations else None,
        ]
        for one in beside.rows.values()
    ]

    def holds(told: list[Any] | None) -> bool:
        return KeptBeside(row, beside).holds(row, None if told is None else json.dumps(told))

    assert len(states) >= 2
    assert holds(states)
    assert holds(states[::-1])
    assert not holds(states[1:])
    assert not holds([*states, ["another", "1", None, None]])
    assert not holds([])
    assert not holds(None)
    for place in range(4):
        other = [list(one) for one in states]
        other[0][place] = 999 if place > 1 else "another"
        assert not holds(other)
    assert not KeptBeside(row, beside).holds(
        msgspec.structs.replace(row, version="another"), json.dumps(states)
    )


def test_a_permission_that_ends_ends_it_at_once(world: World) -> None:
    it = _accepted(world)
    it.revoke()
    assert it.c.get(f"/{it.request}").status_code == 404
    assert _answer(it).beside is None
    it.sign()
    assert it.c.get(f"/{it.request}").status_code == 200
    assert parsed(it.c.get(f"/{it.request}"))["subject"]["reference"] == it.person
