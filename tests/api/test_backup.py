"""A whole hub into a file and back, on both databases and across them, and what must not come back alive."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from referral_hub.app import create_app, open_hub
from referral_hub.checks import check_audit
from referral_hub.cli import run
from referral_hub.errors import ConfigurationError
from referral_hub.preserving import (
    backup_hub,
    endings_file,
    keys_file_of,
    restore_hub,
    rows_to_keep,
)
from referral_hub.rekeying import erase
from referral_hub.settings import Settings
from referral_hub.store.copying import KEYS, NOT_COPIED, RECORDS, reading_all
from referral_hub.store.schema import METADATA
from tests import builders as b
from tests.api.network import Story, story
from tests.postgres import PostgresServer
from tests.world import World, opened_world

KINDS = ("sqlite", "postgresql")


@dataclass
class Places:
    """Where hubs of a test lie."""

    folder: Path
    postgres: PostgresServer
    stack: ExitStack

    def settings(self, name: str, kind: str, key_of: Settings | None = None) -> Settings:
        """Gives the settings of a hub that is not there yet; with the master key of another where one is named."""
        data = self.folder / name
        data.mkdir(mode=0o700)
        url = f"sqlite:///{data / 'hub.db'}"
        if kind == "postgresql":
            url = self.stack.enter_context(self.postgres.database())
        settings = Settings.from_environment(
            {"REFERRAL_HUB_DATA_DIR": str(data), "REFERRAL_HUB_DATABASE_URL": url}
        )
        if key_of is not None:
            settings.secret_key_file.write_bytes(key_of.secret_key_file.read_bytes())
            settings.secret_key_file.chmod(0o600)
        return settings


@pytest.fixture
def places(tmp_path: Path, postgres: PostgresServer) -> Iterator[Places]:
    with ExitStack() as stack:
        yield Places(tmp_path, postgres, stack)


def lived_in(places: Places, world: World) -> Story:
    it = story(world)
    it.s.create(b.condition(it.person))
    it.sign()
    it.refer()
    it.move("accepted")
    assert it.c.get(f"/{it.person}").status_code == 200
    return it


@contextmanager
def a_world(settings: Settings) -> Iterator[World]:
    with opened_world(settings.database_url, settings.data_dir) as world:
        yield world


@contextmanager
def reopened(settings: Settings, before: World) -> Iterator[World]:
    parts = open_hub(settings)
    try:
        app = create_app(parts)
        app.testing = True
        yield World(parts, app.test_client(), dict(before.organizations))
    finally:
        parts.close()


def contents(url: str) -> dict[str, list[tuple[object, ...]]]:
    found: dict[str, list[tuple[object, ...]]] = {}
    with reading_all(url) as read:
        for name, _, rows in read((*KEYS, *RECORDS)):
            found.setdefault(name, []).extend(tuple(row) for row in rows)
    return {name: sorted(rows, key=repr) for name, rows in found.items()}


def sealed(world: World) -> None:
    """Seals the audit, and so writes the list, as the delivery process does every second."""
    with _engine(world.parts.settings.database_url).begin() as connection:
        connection.execute(sa.delete(METADATA.tables["lease"]))  # of the sealer of a moment ago
    assert check_audit(world.parts).holds


def callers_again(it: Story, world: World) -> Story:
    shelter, clinic = world.caller(it.shelter), world.caller(it.clinic)
    return Story(world, it.shelter, it.clinic, shelter, clinic, it.person, it.release, it.request, it.task)


@pytest.mark.parametrize("target", KINDS)
@pytest.mark.parametrize("source", KINDS)
def test_everything_is_back_and_the_audit_verifies(places: Places, source: str, target: str) -> None:
    before = places.settings("before", source)
    file = places.folder / "monday.hub"
    with a_world(before) as world:
        it = lived_in(places, world)
        counted: list[int] = []
        kept = backup_hub(world.parts, file, counted.append)  # while it runs
        assert sum(counted) == kept.rows + kept.keys > 50
        there = contents(before.database_url)
        after = places.settings("after", target, key_of=before)
        brought = restore_hub(after, file, endings=endings_file(before))
        assert (brought.rows, brought.keys) == (kept.rows, kept.keys)
        assert (brought.permissions_of, brought.erased) == (0, 0)
        back = contents(after.database_url)
        for name in (
            "resource",
            "resource_version",
            "consent_grant",
            "refusal",
            "organization",
            "person",
            "wrapped_key",
        ):
            assert back.get(name) == there.get(name), name
        with reopened(after, world) as again:
            verdict = check_audit(again.parts)
            assert verdict.holds, verdict.broken
            assert verdict.links > 7
            told = callers_again(it, again)
            assert told.c.get(f"/{it.person}").status_code == 200
            assert told.s.read(it.person) == it.s.read(it.person)
            assert told.s.create(b.condition(it.person))


@pytest.mark.parametrize("kind", KINDS)
def test_tokens_and_sessions_are_in_no_backup(places: Places, kind: str) -> None:
    before = places.settings("before", kind)
    file = places.folder / "b"
    with a_world(before) as world:
        it = lived_in(places, world)
        backup_hub(world.parts, file)
        after = places.settings("after", "sqlite", key_of=before)
        restore_hub(after, file, endings=endings_file(before))
        with reopened(after, world) as again:
            stale = type(it.s)(it.s.organization, it.s.token, again.client)
            assert stale.get(f"/{it.person}").status_code == 401
    assert {"oauth_token", "oauth_refresh", "browser_session", "portal_link"} <= NOT_COPIED
    assert set(METADATA.tables) >= NOT_COPIED
    for token in (it.s.token, it.c.token):
        assert token.encode() not in file.read_bytes()


@pytest.mark.parametrize("kind", KINDS)
def test_what_she_took_back_after_the_backup_stays_closed(places: Places, kind: str) -> None:
    before = places.settings("before", kind)
    file = places.folder / "b"
    with a_world(before) as world:
        it, other = lived_in(places, world), lived_in(places, world)
        backup_hub(world.parts, file)
        it.revoke()
        sealed(world)
        after = places.settings("after", kind, key_of=before)
        brought = restore_hub(after, file, endings=endings_file(before))
        assert brought.permissions_of == 1
        with reopened(after, world) as again:
            told, untouched = callers_again(it, again), callers_again(other, again)
            assert told.c.get(f"/{it.person}").status_code == 404
            assert untouched.c.get(f"/{other.person}").status_code == 200
            assert "restored" in told.s.get(f"/Consent/{it.release['id']}").get_data(as_text=True)
            assert check_audit(again.parts).holds


@pytest.mark.parametrize("kind", KINDS)
def test_without_the_list_everything_is_closed(places: Places, kind: str) -> None:
    before = places.settings("before", kind)
    file = places.folder / "b"
    with a_world(before) as world:
        it = lived_in(places, world)
        backup_hub(world.parts, file)
        after = places.settings("after", kind, key_of=before)
        assert restore_hub(after, file).permissions_of == 1
        with reopened(after, world) as again:
            told = callers_again(it, again)
            assert told.c.get(f"/{it.person}").status_code == 404
            assert told.s.get(f"/{it.person}").status_code == 200  # her own organisation keeps working
            told.sign()
            told.refer()
            told.move("accepted")
            assert told.c.get(f"/{it.person}").status_code == 200  # a new permission opens again
        client = METADATA.tables["oauth_client"]
        account = METADATA.tables["account"]
        with _engine(after.database_url).connect() as connection:
            old = list(
                connection.execute(sa.select(client.c.active).order_by(client.c.created_us)).scalars()
            )[:2]
            assert set(old) == {0}
            assert set(connection.execute(sa.select(account.c.authorised_by)).scalars()) <= {""}


@pytest.mark.parametrize("kind", KINDS)
def test_who_was_erased_stays_erased(places: Places, kind: str) -> None:
    before = places.settings("before", kind)
    file = places.folder / "b"
    with a_world(before) as world:
        it = lived_in(places, world)
        backup_hub(world.parts, file)
        it.revoke()
        erase(world.parts, it.person.partition("/")[2], it.shelter, "asked")
        sealed(world)
        after = places.settings("after", kind, key_of=before)
        brought = restore_hub(after, file, endings=endings_file(before))
        assert brought.erased == 1
        with reopened(after, world) as again:
            told = callers_again(it, again)
            assert told.s.get(f"/{it.person}").status_code in (404, 410)
            assert check_audit(again.parts).holds
        # With the keys of a later day nothing of hers opens, even without the list.
        backup_hub(world.parts, places.folder / "later")
        third = places.settings("third", kind, key_of=before)
        restore_hub(third, file, keys=keys_file_of(places.folder / "later"))
        with reopened(third, world) as again:
            assert callers_again(it, again).s.get(f"/{it.person}").status_code != 200


def test_a_damaged_or_foreign_file_restores_nothing(places: Places) -> None:
    before = places.settings("before", "sqlite")
    file = places.folder / "b"
    with a_world(before) as world:
        lived_in(places, world)
        backup_hub(world.parts, file)
    whole = file.read_bytes()
    after = places.settings("after", "sqlite", key_of=before)
    damaged = places.folder / "damaged"
    keys = keys_file_of(file)
    changed = bytearray(whole)
    changed[len(whole) // 2] ^= 1
    for content in (
        whole[:-1],
        whole[: len(whole) // 2],
        whole[:400],
        bytes(changed),
        whole + b"x",
        b"",
        b"x" * 100,
    ):
        damaged.write_bytes(content)
        with pytest.raises(ConfigurationError):
            restore_hub(after, damaged, keys=keys, endings=endings_file(before))
    with pytest.raises(ConfigurationError, match="of records was expected"):
        restore_hub(after, keys, keys=keys)
    stale = places.folder / "stale.jsonl"
    stale.write_text('{"at_us": 1, "person": 7}\n')
    with pytest.raises(ConfigurationError, match="older than this backup"):
        restore_hub(after, file, endings=stale)
    foreign = places.settings("foreign", "sqlite")
    with a_world(foreign):
        pass
    empty = places.settings("empty", "sqlite", key_of=foreign)
    with pytest.raises(ConfigurationError, match="not the one this backup was made under"):
        restore_hub(empty, file)
    foreign.secret_key_file.write_bytes(before.secret_key_file.read_bytes())
    with pytest.raises(ConfigurationError, match="into an empty one"):
        restore_hub(foreign, file)
    assert restore_hub(after, file, endings=endings_file(before)).rows > 50  # still empty after all of that


@pytest.mark.parametrize("kind", KINDS)
def test_a_restore_that_is_killed_leaves_nothing_that_opens(places: Places, kind: str) -> None:
    before = places.settings("before", kind)
    file = places.folder / "b"
    with a_world(before) as world:
        lived_in(places, world)
        backup_hub(world.parts, file)
    after = places.settings("after", kind, key_of=before)
    environment = {
        **os.environ,
        "REFERRAL_HUB_DATA_DIR": str(after.data_dir),
        "REFERRAL_HUB_DATABASE_URL": after.database_url,
    }
    program = (
        "import sys, referral_hub.preserving as p\n"
        "from referral_hub.settings import Settings; from pathlib import Path; import os, time\n"
        "def stop(*_):\n    print('here', flush=True); time.sleep(60)\n"
        "p.{place} = stop\n"
        "p.restore_hub(Settings.from_environment(os.environ), Path(sys.argv[1]))\n"
    )
    for place in ("close_rights", "_end"):  # in the middle of the one transaction; between it and the end
        process = subprocess.Popen(
            [sys.executable, "-c", program.format(place=place), str(file)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == b"here\n"
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        if place == "close_rights":
            assert all(not rows for rows in contents(after.database_url).values())
    with pytest.MonkeyPatch.context() as patch:
        for name in ("REFERRAL_HUB_DATA_DIR", "REFERRAL_HUB_DATABASE_URL"):
            patch.setenv(name, environment[name])
        assert run(["doctor"]) == 1  # no hub opens it
        assert run(["restore", str(file)]) == 1  # and it is not gone on with
        assert run(["migrate"]) == 1


def test_the_commands_say_what_they_did(
    places: Places, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = places.settings("before", "sqlite")
    monkeypatch.setenv("REFERRAL_HUB_DATA_DIR", str(before.data_dir))
    monkeypatch.setenv("REFERRAL_HUB_DATABASE_URL", before.database_url)
    assert run(["init", "--name", "Harbour network"]) == 0
    capsys.readouterr()
    file = places.folder / "monday.hub"
    assert rows_to_keep(before) > 0
    assert run(["backup", str(file), "--json"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["rows"] > 0
    for one in (file, keys_file_of(file)):
        assert one.stat().st_mode & 0o777 == 0o600
    assert run(["backup", str(file)]) == 1
    assert "does not replace another" in capsys.readouterr().err
    assert run(["restore", str(file)]) == 1
    assert "into an empty one" in capsys.readouterr().err
    after = places.settings("after", "sqlite", key_of=before)
    monkeypatch.setenv("REFERRAL_HUB_DATA_DIR", str(after.data_dir))
    monkeypatch.setenv("REFERRAL_HUB_DATABASE_URL", after.database_url)
    assert run(["restore", str(file), "--endings", str(endings_file(before)), "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["ended"] == 0
    assert run(["verify-audit"]) == 0
    third = places.settings("third", "sqlite", key_of=before)
    monkeypatch.setenv("REFERRAL_HUB_DATA_DIR", str(third.data_dir))
    monkeypatch.setenv("REFERRAL_HUB_DATABASE_URL", third.database_url)
    assert run(["restore", str(file)]) == 0
    with _engine(third.database_url).connect() as connection:
        account = METADATA.tables["account"]
        ((first, kept, authorised),) = connection.execute(
            sa.select(account.c.id, account.c.password_hash, account.c.authorised_by)
        )
    assert (kept, authorised) == (
        "",
        "init",
    )  # she is authorised, and signs in once the operator says that it is she
    capsys.readouterr()
    assert run(["person", "reset", first, "--factors", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out.splitlines()[-1])["one_time_password"]) == 19
    assert "Harbour" not in file.read_bytes().decode("latin-1")


@pytest.mark.parametrize("kind", KINDS)
def test_a_write_meanwhile_is_in_whole_or_not_at_all(places: Places, kind: str) -> None:
    before = places.settings("before", kind)
    file = places.folder / "b"
    with a_world(before) as world:
        it = lived_in(places, world)
        made: list[str] = []

        def write(_: int) -> None:
            if len(made) < 5:
                body = b.condition(it.person)
                made.append(it.s.create(body)["id"])

        began = time.monotonic()
        backup_hub(world.parts, file, write)
        assert time.monotonic() - began < 30
        after = places.settings("after", "sqlite", key_of=before)
        restore_hub(after, file, endings=endings_file(before))
        assert len(made) == 5
        with reopened(after, world) as again:
            told = callers_again(it, again)
            assert [told.s.get(f"/Condition/{one}").status_code for one in made] == [404] * 5
            assert check_audit(again.parts).holds


def _engine(url: str) -> sa.Engine:
    return sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1), poolclass=NullPool)
