"""The journal of an embedded database stays short although no commit brings it over."""

import shutil
import time
from contextlib import closing
from pathlib import Path

import pytest

from referral_hub.store import sqlite_checkpoints
from referral_hub.store.database import open_sqlite
from referral_hub.store.sqlite_checkpoints import Checkpoints

PAGE = 4096


@pytest.fixture
def file(migrated_file: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy2(migrated_file, tmp_path / "hub.db"))


def _filled(file: Path, groups: int, *, keeps_short: bool) -> int:
    """Commits so many groups of some pages each; gives how long the journal became, in pages."""
    with closing(open_sqlite(file, writer=True)) as writer:
        writer.execute("PRAGMA wal_autocheckpoint=0")
        writer.execute("CREATE TABLE bulk (number INTEGER PRIMARY KEY, bytes BLOB)")
        beside = Checkpoints(file, pace_s=0.002)
        try:
            for number in range(groups):
                writer.execute("BEGIN IMMEDIATE")
                for part in range(10):
                    writer.execute("INSERT INTO bulk VALUES (?, ?)", (number * 10 + part, bytes(PAGE)))
                writer.execute("COMMIT")
                if keeps_short:
                    beside.wrote(writer)
                    time.sleep(0.001)
            longest = file.with_name(f"{file.name}-wal").stat().st_size // PAGE
        finally:
            beside.close()
    return longest


def test_the_journal_begins_anew_again_and_again(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_checkpoints, "LONG_PAGES", 200)
    assert _filled(file, 300, keeps_short=True) < 2_000


def test_it_would_grow_for_ever_otherwise(file: Path) -> None:
    assert _filled(file, 300, keeps_short=False) > 3_000


def test_everything_is_there_afterwards(file: Path) -> None:
    _filled(file, 50, keeps_short=True)
    with closing(open_sqlite(file)) as reader:
        assert reader.execute("SELECT COUNT(*) FROM bulk").fetchone() == (500,)
        assert reader.execute("PRAGMA integrity_check").fetchone() == ("ok",)
