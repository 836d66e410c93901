"""The master key file: made once, closed to others, and what it wrapped opens under its own name alone."""

import stat
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_hub.errors import ConfigurationError, Unavailable
from referral_hub.keyring.master import (
    MasterKey,
    Wrapped,
    make_master_key,
    read_master_key,
    renew_master_key,
)

ONE, OTHER = MasterKey((b"1" * 32,)), MasterKey((b"2" * 32,))


@given(st.binary(min_size=32, max_size=32), st.text())
def test_a_wrapped_key_opens_under_its_own_name_and_master_alone(key: bytes, name: str):
    wrapped = ONE.wrap(name, key)
    assert ONE.unwrap(name, *wrapped) == key
    assert key not in wrapped.wrapped
    for master, wrong_name in ((ONE, name + "x"), (OTHER, name)):
        with pytest.raises(Unavailable):
            master.unwrap(wrong_name, *wrapped)


@pytest.mark.parametrize("spoil", [lambda b: b[:-1], lambda b: b[:-1] + bytes([b[-1] ^ 1]), lambda _: b""])
def test_a_changed_wrapped_key_opens_nothing(spoil):
    wrapped = ONE.wrap("hub", b"k" * 32)
    with pytest.raises(Unavailable):
        ONE.unwrap("hub", *Wrapped(spoil(wrapped.wrapped), wrapped.master))


def test_the_file_is_made_once_and_closed_to_others(tmp_path: Path):
    path = tmp_path / "new" / "secret.key"
    made = make_master_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert make_master_key(path).name == read_master_key(path).name == made.name
    assert [child.name for child in path.parent.iterdir()] == ["secret.key"]


def test_starts_at_the_same_moment_end_with_one_key(tmp_path: Path):
    names: list[str] = []
    begin = threading.Barrier(8)

    def start() -> None:
        begin.wait()
        names.append(make_master_key(tmp_path / "secret.key").name)

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(names)) == 1


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666, 0o610])
def test_a_file_others_can_open_is_refused(tmp_path: Path, mode: int):
    path = tmp_path / "secret.key"
    make_master_key(path)
    path.chmod(mode)
    with pytest.raises(ConfigurationError, match="0600"):
        read_master_key(path)


@pytest.mark.parametrize("content", ["", "referral-hub-master-1:YWJj\n", "nonsense!\n", "é"])
def test_a_damaged_file_is_refused_and_never_replaced(tmp_path: Path, content: str):
    path = tmp_path / "secret.key"
    path.touch(mode=0o600)
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigurationError):
        make_master_key(path)
    assert path.read_text(encoding="utf-8") == content


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(ConfigurationError, match="init"):
        read_master_key(tmp_path / "secret.key")


def test_a_renewed_master_key_wraps_anew_and_still_opens_the_old(tmp_path: Path):
    path = tmp_path / "secret.key"
    before = make_master_key(path)
    wrapped = before.wrap("hub", b"k" * 32)
    after = renew_master_key(path)
    assert after.name != before.name
    assert after.unwrap("hub", *wrapped) == b"k" * 32
    assert after.wrap("hub", b"k" * 32).master == after.name
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(path.read_text().splitlines()) == 2
