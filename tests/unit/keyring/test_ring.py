"""The ring: a key per person, remembered for a while, gone when it was destroyed."""

from collections.abc import Mapping, Sequence

import pytest

from referral_hub.errors import ConfigurationError, Unavailable
from referral_hub.keyring.cursors import CursorKey
from referral_hub.keyring.digests import IndexDigests
from referral_hub.keyring.master import MasterKey
from referral_hub.keyring.ring import CHECKPOINT, LINKS, Keyring, establish, renew

MASTER = MasterKey((b"m" * 32,))
NONCE = b"n" * 12


class Rows:
    """Wrapped keys in memory, counting how often they are looked for."""

    def __init__(self) -> None:
        self.kept: dict[str, tuple[bytes, str] | None] = {}
        self.looks = 0

    def find(self, names: Sequence[str]) -> Mapping[str, tuple[bytes, str] | None]:
        self.looks += 1
        return {name: self.kept[name] for name in names if name in self.kept}

    def generations(self, family: str) -> Sequence[tuple[str, bytes, str, int]]:
        self.looks += 1
        found = [
            (name, *kept, int(name.partition(":")[2] or 0))
            for name, kept in self.kept.items()
            if kept is not None and name.partition(":")[0] == family
        ]
        return sorted(found, key=lambda row: -row[3])

    def add(self, name: str, wrapped: bytes, master: str, at_us: int) -> None:
        del at_us
        self.kept.setdefault(name, (wrapped, master))


def ring(rows: Rows, *persons: int, remembered: int = 100) -> Keyring:
    establish(MASTER, rows, 0)
    made = Keyring(MASTER, rows, remembered=remembered)
    for person in persons:
        _, name, wrapped = made.new_person(person)
        rows.kept[name] = wrapped
    rows.looks = 0
    return made


def test_a_person_has_no_key_until_it_is_stored():
    rows = Rows()
    keys = ring(rows)
    key, name, wrapped = keys.new_person(1)
    assert keys.person(1) is None
    rows.kept[name] = wrapped
    found = keys.person(1)
    assert found is not None
    assert found.decrypt(NONCE, key.encrypt(NONCE, b"x", b""), b"") == b"x"


def test_an_open_key_is_looked_for_once():
    rows = Rows()
    keys = ring(rows, 1)
    assert keys.person(1) is keys.person(1)
    assert rows.looks == 1


def test_the_keys_of_a_page_are_opened_with_one_look():
    rows = Rows()
    keys = ring(rows, *range(50))
    keys.warm(range(60))
    assert all(keys.person(person) for person in range(50))
    assert rows.looks == 1


def test_no_more_keys_are_remembered_than_allowed_and_the_oldest_goes_first():
    rows = Rows()
    keys = ring(rows, *range(5), remembered=3)
    for person in range(5):
        keys.person(person)
    rows.looks = 0
    for person in (2, 3, 4):
        keys.person(person)
    assert rows.looks == 0
    keys.person(0)
    assert rows.looks == 1


def test_a_destroyed_key_opens_nothing_once_it_is_forgotten():
    rows = Rows()
    keys = ring(rows, 1)
    keys.person(1)
    rows.kept["person:1"] = None
    keys.forget(1)
    for _ in range(2):
        with pytest.raises(Unavailable):
            keys.person(1)
    keys.warm((1, 2, 3))
    with pytest.raises(Unavailable):
        keys.person(1)


@pytest.mark.parametrize("missing", ["hub", "index", "checkpoint"])
def test_a_ring_without_one_of_its_keys_is_refused(missing: str):
    rows = Rows()
    establish(MASTER, rows, 0)
    del rows.kept[missing]
    with pytest.raises(ConfigurationError):
        Keyring(MASTER, rows)


def test_checkpoints_are_signed_by_this_hub_alone():
    keys, others = ring(Rows()), ring(Rows())
    signature = keys.sign(b"message")
    assert keys.verify(b"message", signature)
    assert not keys.verify(b"another", signature)
    assert not others.verify(b"message", signature)
    assert not keys.verify(b"message", b"short")


@pytest.mark.parametrize(
    "other", [("Task", "status", "y"), ("Task", "code", "x"), ("Patient", "status", "x")]
)
def test_digests_differ_by_type_parameter_text_and_key(other: tuple[str, str, str]):
    digests = IndexDigests(b"k" * 32)
    one = digests.token("Task", "status", "x")
    assert one == digests.token("Task", "status", "x")
    assert one != digests.token(*other)
    assert one != IndexDigests(b"l" * 32).token("Task", "status", "x")
    assert digests.word("Task", "status", "x") != digests.word(*other)
    assert -(2**63) <= one < 2**63


def test_a_digest_of_one_kind_is_none_of_another():
    digests = IndexDigests(b"k" * 32)
    assert digests.parameter("Task", "status") != digests.token("Task", "status", "")


# ---- families: a key and those before it ----


@pytest.fixture
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("referral_hub.keyring.ring.FAMILY_PAUSE_S", 0.0)


@pytest.mark.usefixtures("_no_pause")
def test_what_was_signed_before_a_renewal_is_still_proved_and_the_newest_key_signs():
    rows = Rows()
    keys, other = ring(rows), ring(rows)
    before = keys.sign(b"one")
    renew(MASTER, rows, CHECKPOINT, 5)
    after = keys.sign(b"one")
    assert after != before
    for judge in (keys, other, ring(rows)):
        assert judge.verify(b"one", before)
        assert judge.verify(b"one", after)
        assert not judge.verify(b"two", after)


@pytest.mark.usefixtures("_no_pause")
def test_a_process_that_has_not_seen_the_new_key_opens_a_link_sealed_with_it():
    rows = Rows()
    late, early = CursorKey(ring(rows)), CursorKey(ring(rows))
    old = late.seal(b"page 2")
    renew(MASTER, rows, LINKS, 5)
    renewed = CursorKey(ring(rows)).seal(b"page 3")
    assert early.open(renewed) == b"page 3"
    assert early.open(old) == b"page 2"
    del rows.kept[LINKS]
    assert CursorKey(ring(rows)).open(renewed) == b"page 3"


def test_looking_for_newer_keys_has_a_pause_so_that_false_links_cost_no_query_each():
    rows = Rows()
    links = CursorKey(ring(rows))
    links.open("A" * 40)
    rows.looks = 0
    for _ in range(20):
        assert links.open("A" * 40) is None
    assert rows.looks <= 1


@pytest.mark.parametrize("text", ["", "A", "===", "é", "A" * 1000, "!!"])
def test_what_this_hub_did_not_seal_opens_to_nothing(text: str):
    assert CursorKey(ring(Rows())).open(text) is None


def test_a_hub_made_before_links_had_a_key_of_their_own_seals_with_its_key():
    rows = Rows()
    keys = ring(rows)
    before = CursorKey(keys)
    del rows.kept[LINKS]
    sealed = CursorKey(Keyring(MASTER, rows)).seal(b"page")
    assert before.open(sealed) == b"page"
