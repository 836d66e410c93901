"""Wrapped keys on disk: they come back, survive a new master key, and are gone once destroyed."""

from pathlib import Path

import pytest

from referral_hub.errors import ConfigurationError, Unavailable
from referral_hub.keyring.master import make_master_key, renew_master_key
from referral_hub.keyring.ring import CHECKPOINT, HUB, INDEX, LINKS, Keyring, establish, rewrap
from referral_hub.store import schema
from referral_hub.store.bodies import Bodies, body_label
from referral_hub.store.key_rows import KeyRows
from tests.api.store.hubs import NOW, Hub, make_hub, patient, write


def opened(hub: Hub, keys: Keyring) -> list[bytes]:
    bodies = Bodies(keys)
    return [
        bodies.open(row["body"], row["body_format"], row["person"], body_label(row["id"], row["version"]))
        for row in hub.rows(schema.resource)
    ]


def test_another_process_with_the_same_master_key_opens_what_was_sealed(
    hub: Hub, hub_url: str, tmp_path: Path
):
    rows = [patient(), patient(), write("Organization")]
    hub.apply(resources=tuple(rows))
    rows.sort(key=lambda row: row.row_id)
    other = Keyring(make_master_key(tmp_path / "secret.key"), KeyRows(hub.database))
    other.warm(row.row_id for row in rows)
    assert opened(hub, other) == [row.body for row in rows]
    assert other.digests.token("Task", "status", "|x") == hub.keys.digests.token("Task", "status", "|x")
    assert other.verify(b"message", hub.keys.sign(b"message"))


def test_another_master_key_opens_nothing(hub: Hub, tmp_path: Path):
    stranger = make_master_key(tmp_path / "other.key")
    with pytest.raises(Unavailable):
        Keyring(stranger, KeyRows(hub.database))


def test_a_hub_without_keys_says_so(sqlite_hub_url: str, tmp_path: Path):
    made = make_hub(sqlite_hub_url, tmp_path)
    made.run(schema.wrapped_key.delete())
    with pytest.raises(ConfigurationError, match="init"):
        Keyring(make_master_key(tmp_path / "secret.key"), KeyRows(made.database))
    made.close()


def test_establishing_twice_keeps_the_first_keys(hub: Hub, tmp_path: Path):
    before = hub.rows(schema.wrapped_key)
    establish(make_master_key(tmp_path / "secret.key"), KeyRows(hub.database, hub.writer), NOW + 1)
    assert hub.rows(schema.wrapped_key) == before


def test_a_new_master_key_wraps_everything_anew_and_the_old_one_is_not_needed_any_more(
    hub: Hub, tmp_path: Path
):
    rows = [patient() for _ in range(7)]
    hub.apply(resources=tuple(rows))
    path = tmp_path / "secret.key"
    renewed = renew_master_key(path)
    keys = KeyRows(hub.database, hub.writer)
    changed = 0
    for name, wrapped, before in keys.below_other_masters(renewed.name, count=3):
        made = rewrap(renewed, name, (wrapped, before))
        keys.replace(name, made.wrapped, made.master, before, NOW)
        changed += 1
    assert changed == len((HUB, INDEX, CHECKPOINT, LINKS)) + len(rows)
    assert {row["master"] for row in hub.rows(schema.wrapped_key)} == {renewed.name}
    path.write_text(path.read_text().splitlines()[0] + "\n")
    alone = Keyring(make_master_key(path), KeyRows(hub.database))
    assert sorted(opened(hub, alone)) == sorted(row.body for row in rows)


def test_keys_opened_for_reading_only_cannot_be_changed(hub: Hub):
    with pytest.raises(RuntimeError):
        KeyRows(hub.database).add("name", b"", "", NOW)
