"""Rows that are kept: by version, within bounds, and only while the person's key can be had."""

import pytest

from referral_hub.errors import Unavailable
from referral_hub.store.bodies import PLAIN, SEALED, Bodies, body_label, seal_under
from referral_hub.store.kept_rows import LARGEST_BYTES, KeptRows
from tests.unit.store.memory_keys import MemoryKeys

PERSON = 7


class Lost(MemoryKeys):
    """Keys of which one was destroyed."""

    lost: frozenset[int] = frozenset()

    def person(self, person: int) -> object:  # type: ignore[override]
        if person in self.lost:
            raise Unavailable("The key was destroyed.")
        return super().person(person)


@pytest.fixture
def keys() -> Lost:
    made = Lost()
    made.add(PERSON)
    return made


def columns(
    keys: Lost,
    row_id: int,
    version: str = "v1",
    *,
    person: int | None = PERSON,
    body: bytes = b"{}",
    plain: bool = False,
) -> tuple[object, ...]:
    name = f"id-{row_id}"
    key = keys.hub if person is None else MemoryKeys.person(keys, person)
    assert key is not None
    stored = body if plain else seal_under(key, body, body_label(name, version))
    return (
        *(row_id, "Task", name, version, 1, 5, "shelter", "shelter", person, "notice", "N", "", "draft"),
        *(None, None, None, None, None, None, 0, 0, 0, "", 0, "", "POST"),
        *(PLAIN if plain else SEALED, stored),
    )


def test_a_row_is_kept_by_its_version(keys: Lost) -> None:
    kept = KeptRows(Bodies(keys))
    row = kept.opened(columns(keys, 1))
    assert kept.of(1, "v1") is row
    assert kept.of(1, "v2") is None
    assert kept.of(2, "v1") is None
    assert kept.named("Task", "id-1") is row
    assert kept.named("Patient", "id-1") is None
    newer = kept.opened(columns(keys, 1, "v2", body=b"[]"))
    assert kept.of(1, "v1") is None
    assert kept.of(1, "v2") is newer
    assert kept.named("Task", "id-1") is newer
    assert len(kept) == 1


def test_a_row_goes_with_the_key_of_its_person(keys: Lost) -> None:
    kept = KeptRows(Bodies(keys))
    kept.opened(columns(keys, 1))
    nobodys = kept.opened(columns(keys, 2, person=None))
    keys.lost = frozenset({PERSON})
    with pytest.raises(Unavailable):
        kept.of(1, "v1")
    assert kept.of(2, "v1") is nobodys


def test_what_is_kept_is_bounded_by_number_and_by_bytes(keys: Lost) -> None:
    few = KeptRows(Bodies(keys), most_rows=2)
    for number in range(5):
        few.opened(columns(keys, number))
    assert [few.of(number, "v1") is not None for number in range(5)] == [False, False, False, True, True]
    assert few.named("Task", "id-0") is None
    small = KeptRows(Bodies(keys), most_bytes=10)
    small.opened(columns(keys, 1, body=b"123456"))
    small.opened(columns(keys, 1, "v2", body=b"12345"))
    small.opened(columns(keys, 2, body=b"12345"))
    assert len(small) == 2
    small.opened(columns(keys, 3, body=b"1"))
    assert len(small) == 2
    assert small.of(1, "v2") is None


def test_large_and_plain_bodies_are_not_kept(keys: Lost) -> None:
    kept = KeptRows(Bodies(keys))
    assert len(kept.opened(columns(keys, 1, body=b" " * (LARGEST_BYTES + 1))).body) > LARGEST_BYTES
    assert kept.opened(columns(keys, 2, plain=True)).body == b"{}"
    assert len(kept) == 0


def test_several_rows_are_opened_in_their_order(keys: Lost) -> None:
    keys.add(8)
    kept = KeptRows(Bodies(keys))
    made = kept.all_opened([columns(keys, 1), columns(keys, 2, person=8), columns(keys, 3, person=None)])
    assert [row.row_id for row in made] == [1, 2, 3]
    assert kept.of(2, "v1") is made[1]
