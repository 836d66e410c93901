"""Keys that organisations hold: what is sealed to one opens with its secret, under its name, and in no other way."""

import threading

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from referral_hub.errors import InvalidParameter
from referral_hub.keyring import own_file
from referral_hub.keyring.own_file import (
    OwnFileKeys,
    given,
    key_id,
    make_own_key,
    public_of,
    read_public,
    seal_to,
)
from tests.unit.store.memory_keys import NobodyHolds

PAIR, OTHER = make_own_key(), make_own_key()
PUBLIC = read_public(PAIR.public)


def keys() -> OwnFileKeys:
    return OwnFileKeys(NobodyHolds())


@drawn(st.binary(max_size=500), st.text(max_size=40))
def test_what_is_sealed_opens_with_the_secret_and_under_its_name(body: bytes, label: str) -> None:
    sealed = seal_to(PUBLIC, body, label)
    assert keys().open(sealed, label) is None
    with given(PAIR.secret):
        assert keys().open(sealed, label) == body
        assert keys().open(sealed, label + "x") is None
    with given(OTHER.secret):
        assert keys().open(sealed, label) is None
    assert keys().open(sealed, label) is None


@drawn(st.binary(min_size=1, max_size=60), st.data())
def test_a_changed_bit_opens_nothing(body: bytes, data: st.DataObject) -> None:
    sealed = bytearray(seal_to(PUBLIC, body, "a"))
    place = data.draw(st.integers(0, len(sealed) * 8 - 1))
    if 8 * 40 > place >= 8 * 8 and place == 8 * 40 - 1:
        return  # the top bit of a public key is not read (RFC 7748 5), yet it is part of what the key is made of
    sealed[place // 8] ^= 1 << (place % 8)
    with given(PAIR.secret):
        assert keys().open(bytes(sealed), "a") is None


@pytest.mark.parametrize(
    "stored",
    [b"", b"short", bytes(8), key_id(PUBLIC), key_id(PUBLIC) + bytes(60)],
    ids=["empty", "short", "zeros", "name alone", "name and zeros"],
)
def test_what_was_never_sealed_opens_nothing(stored: bytes) -> None:
    with given(PAIR.secret):
        assert keys().open(stored, "a") is None


def test_the_same_body_never_lies_twice_in_the_same_bytes() -> None:
    assert len({seal_to(PUBLIC, b"body", "a") for _ in range(20)}) == 20


@pytest.mark.parametrize(
    "header",
    [
        "",
        ",",
        "nonsense",
        PAIR.public,
        PAIR.secret[:-1],
        PAIR.secret + "A",
        PAIR.secret.upper(),
        PAIR.secret[:-1] + "\u0141",
        f"{PAIR.secret} {OTHER.secret}",
        ", ".join([OTHER.secret] * 4 + [PAIR.secret]),
    ],
    ids=["empty", "comma", "word", "public", "cut", "longer", "capitals", "letter", "space", "fifth"],
)
def test_a_header_that_holds_no_such_secret_opens_nothing(header: str) -> None:
    sealed = seal_to(PUBLIC, b"body", "a")
    with given(header):
        assert keys().open(sealed, "a") is None


@pytest.mark.parametrize(
    "header",
    [PAIR.secret, f"{OTHER.secret},{PAIR.secret}", f" {OTHER.secret} , {PAIR.secret} "],
    ids=["one", "second", "spaces"],
)
def test_one_of_a_few_secrets_is_enough(header: str) -> None:
    sealed = seal_to(PUBLIC, b"body", "a")
    with given(header):
        assert keys().open(sealed, "a") == b"body"


def test_a_key_is_at_hand_in_the_thread_of_its_request_alone_and_gone_after_a_fault() -> None:
    sealed = seal_to(PUBLIC, b"body", "a")
    seen: list[bytes | None] = []
    with given(PAIR.secret):
        assert keys().is_given()
        other = threading.Thread(target=lambda: seen.append(keys().open(sealed, "a")))
        other.start()
        other.join()
        with given(OTHER.secret):
            assert keys().open(sealed, "a") is None
        assert keys().open(sealed, "a") == b"body"
    assert seen == [None]
    with pytest.raises(RuntimeError), given(PAIR.secret):
        raise RuntimeError
    assert not keys().is_given()


def test_texts_of_keys_are_told_apart() -> None:
    assert public_of(PAIR.secret) == PUBLIC
    for wrong in (PAIR.secret, "", "hub-own-public-1.", PAIR.public + "AA"):
        with pytest.raises(InvalidParameter) as refused:
            read_public(wrong)
        assert not wrong or wrong not in refused.value.text or len(wrong) < 20
    with pytest.raises(InvalidParameter):
        public_of(PAIR.public)


def test_the_list_of_holders_is_looked_up_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    now = [100.0]

    class Rows(NobodyHolds):
        def own_keys(self) -> list[tuple[str, bytes]]:
            asked.append(1)
            return [("a", PUBLIC)]

    monkeypatch.setattr(own_file.time, "monotonic", lambda: now[0])
    found = OwnFileKeys(Rows())
    for moment in (100.0, 100.5, 100.9, 101.1, 101.2):
        now[0] = moment
        assert found.holders() == {"a": PUBLIC}
    assert len(asked) == 2
    found.forget()
    assert found.holders() == {"a": PUBLIC}
    assert len(asked) == 3
