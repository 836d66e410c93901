"""Where the master key lies: the file, the environment, a program; and a program that misbehaves."""

import base64
import sys
from pathlib import Path

import pytest

from referral_hub.errors import ConfigurationError, Unavailable
from referral_hub.keyring import master as master_module
from referral_hub.keyring.master import (
    MasterKey,
    fingerprint,
    keys_of_file,
    make_master_key,
    renew_master_key,
    retire_master_keys,
)
from referral_hub.keyring.sources import MasterSource

KEY, OTHER = b"k" * 32, b"o" * 32


def line(key: bytes) -> str:
    return f"referral-hub-master-1:{base64.b64encode(key).decode()}"


def script(tmp_path: Path, text: str) -> str:
    path = tmp_path / "fetch.py"
    path.write_text(text)
    return f"{sys.executable} {path}"


def test_the_file_counts_where_nothing_else_is_set(tmp_path: Path):
    source = MasterSource(tmp_path / "secret.key")
    assert source.kind == "file"
    with pytest.raises(ConfigurationError, match="init"):
        source.read()
    assert source.make().name == source.read().name == fingerprint(source.keys()[0])


def test_the_environment_counts_before_the_file(tmp_path: Path):
    source = MasterSource(tmp_path / "secret.key", text=f"{line(KEY)}\n{line(OTHER)}")
    assert source.make().names == (fingerprint(KEY), fingerprint(OTHER))
    assert source.kind == "environment"
    assert not (tmp_path / "secret.key").exists()


def test_a_program_fetches_the_key_and_is_asked_again_for_a_newer_one(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(master_module, "PAUSE_S", 0.0)
    held = tmp_path / "held"
    held.write_text(line(OTHER))
    source = MasterSource(tmp_path / "no", command=script(tmp_path, f"print(open({str(held)!r}).read())"))
    running = source.read()
    assert running.name == fingerprint(OTHER)
    held.write_text(f"{line(KEY)} {line(OTHER)}")
    wrapped = source.read().wrap("hub", b"d" * 32)
    running.read_again(0.0)
    assert running.unwrap("hub", *wrapped) == b"d" * 32
    assert running.name == fingerprint(KEY)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import sys; sys.exit(3)", "failed"),
        ("print('nothing of use')", "damaged"),
        ("print('')", "no usable key"),
        ("import sys; sys.stdout.buffer.write(b'\\xff')", "failed"),
    ],
)
def test_a_program_that_gives_no_key_is_told_without_what_it_printed(tmp_path: Path, text: str, said: str):
    with pytest.raises(ConfigurationError, match=said) as refused:
        MasterSource(tmp_path / "no", command=script(tmp_path, text)).read()
    assert "nothing of use" not in str(refused.value)


def test_a_program_that_is_not_there_or_does_not_end_is_told(tmp_path: Path, monkeypatch):
    with pytest.raises(ConfigurationError, match="failed"):
        MasterSource(tmp_path / "no", command="/nowhere/at/all").read()
    monkeypatch.setattr("referral_hub.keyring.sources.COMMAND_S", 0.2)
    with pytest.raises(ConfigurationError, match="in time"):
        MasterSource(tmp_path / "no", command=script(tmp_path, "import time; time.sleep(30)")).read()


def test_two_places_at_once_are_refused(tmp_path: Path):
    with pytest.raises(ConfigurationError, match="both set"):
        MasterSource(tmp_path / "no", text=line(KEY), command="x").read()


def test_a_running_hub_finds_a_key_that_was_renewed_under_it(tmp_path: Path):
    path = tmp_path / "secret.key"
    running = make_master_key(path)
    running.read_again(0.0)
    renewed = renew_master_key(path)
    wrapped = renewed.wrap("person:1", b"d" * 32)
    running._asked_at -= 10
    assert running.unwrap("person:1", *wrapped) == b"d" * 32
    assert running.name == renewed.name


def test_a_hub_that_wraps_looks_for_a_newer_key_now_and_then(tmp_path: Path, monkeypatch):
    path = tmp_path / "secret.key"
    running = make_master_key(path)
    renewed = renew_master_key(path)
    assert running.wrap("person:1", KEY).master == running.name != renewed.name
    monkeypatch.setattr(master_module, "WRAPPING_S", 0.0)
    assert running.wrap("person:1", KEY).master == renewed.name


def test_earlier_keys_leave_the_file_only_when_nothing_lies_under_them(tmp_path: Path):
    path = tmp_path / "secret.key"
    first = make_master_key(path)
    second = renew_master_key(path)
    third = renew_master_key(path)
    assert retire_master_keys(path, {first.name}) == 1
    assert [fingerprint(key) for key in keys_of_file(path)] == [third.name, first.name]
    assert retire_master_keys(path, ()) == 1
    assert [fingerprint(key) for key in keys_of_file(path)] == [third.name]
    with pytest.raises(Unavailable):
        MasterKey(keys_of_file(path)).unwrap("hub", *second.wrap("hub", KEY))
