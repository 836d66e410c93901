"""Sealing and opening: only the right key under the right name opens, and anything else opens nothing."""

import secrets

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from referral_hub.errors import Unavailable
from referral_hub.store.bodies import PLAIN, SEALED, Bodies
from referral_hub.store.sealing import Sealing
from tests.unit.store.memory_keys import MemoryKeys

KEYS = MemoryKeys()
KEYS.add(1)
KEYS.add(2)
BODIES = Bodies(KEYS)


def seal(body: bytes, person: int | None, label: str) -> tuple[int, bytes]:
    return Sealing(KEYS).seal(body, person, label)


@given(st.binary(), st.sampled_from([None, 1, 2]), st.text())
def test_what_is_sealed_opens_again(body: bytes, person: int | None, label: str):
    body_format, stored = seal(body, person, label)
    assert BODIES.open(stored, body_format, person, label) == body
    assert (body_format, stored) == (PLAIN, b"") if not body else body_format == SEALED


@given(st.binary(min_size=4))
def test_the_same_body_sealed_twice_looks_different(body: bytes):
    assert seal(body, 1, "x") != seal(body, 1, "x")


def spoilt(stored: bytes, position: int) -> bytes:
    return stored[:position] + bytes([stored[position] ^ 1]) + stored[position + 1 :]


BODY_FORMAT, STORED = seal(b'{"resourceType":"Patient"}', 1, "p/v1")
WRONG = {
    "another person's key": (STORED, SEALED, 2, "p/v1"),
    "the hub's key": (STORED, SEALED, None, "p/v1"),
    "nobody's key": (STORED, SEALED, 3, "p/v1"),
    "another version": (STORED, SEALED, 1, "p/v2"),
    "another resource": (STORED, SEALED, 1, "q/v1"),
    "a changed first byte": (spoilt(STORED, 0), SEALED, 1, "p/v1"),
    "a changed middle byte": (spoilt(STORED, 20), SEALED, 1, "p/v1"),
    "a changed last byte": (spoilt(STORED, len(STORED) - 1), SEALED, 1, "p/v1"),
    "a byte less": (STORED[:-1], SEALED, 1, "p/v1"),
    "nothing": (b"", SEALED, 1, "p/v1"),
    "a format nobody knows": (STORED, 7, 1, "p/v1"),
}


@pytest.mark.parametrize("name", WRONG)
def test_anything_else_opens_nothing_and_says_nothing(name: str):
    with pytest.raises(Unavailable) as refused:
        BODIES.open(*WRONG[name])
    assert "Patient" not in refused.value.text


def test_a_person_without_a_key_gets_one_to_be_stored_once():
    keys = MemoryKeys()
    sealing = Sealing(keys)
    first, second = sealing.seal(b"a", 9, "x"), sealing.seal(b"b", 9, "y")
    assert [step[0] for step in sealing.steps(0)] == ["wrapped_key_insert", "person_insert"]
    assert keys.person(9) is None, "it is remembered only once the Change was applied"
    keys.remember(9, sealing.made[9])
    assert [
        Bodies(keys).open(stored, kind, 9, label) for (kind, stored), label in ((first, "x"), (second, "y"))
    ] == [
        b"a",
        b"b",
    ]


def test_two_keys_differ():
    assert AESGCM(secrets.token_bytes(32)) is not KEYS.hub
    assert MemoryKeys().new_person(1)[2] != MemoryKeys().new_person(1)[2]
