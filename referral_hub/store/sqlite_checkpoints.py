"""Bringing the journal of an embedded database into its file beside the commits, so that no commit waits for it.

What lives here: the thread of the writer process that does it. What does not: commits (``store.sqlite_group``).

SQLite would do it inside a commit, once the journal has so many pages; whoever commits then waits for thousands of
pages to be written and synced. A second connection does most of it while others commit. The journal begins anew only
where nothing is left to bring over, so the writer does the last, small piece itself, between two groups.

Source: SQLite's documentation of WAL mode (checkpointing) and of ``PRAGMA wal_checkpoint``.
"""

import sqlite3
import threading
from pathlib import Path

from referral_hub.store.database import open_sqlite

PACE_S = 0.25
"""How long the thread lets pages gather."""
LONG_PAGES = 4_000
"""From so many pages on the journal is to begin anew, 16 MB."""
LARGEST_PAGES = 40_000
"""From so many pages on the writer waits for readers that keep the journal from beginning anew."""


class Checkpoints:
    """Keeps the journal short. Make it in the writer's process, tell it of every group, close it at the end.

    Args:
        path: the database file.
        pace_s: how long pages gather.
    """

    def __init__(self, path: Path, *, pace_s: float = PACE_S) -> None:
        self._connection = open_sqlite(path, writer=True)
        self._pace_s = pace_s
        self._written = threading.Event()
        self._ending = threading.Event()
        self._pages = 0
        self._thread = threading.Thread(target=self._follow, name="checkpoints", daemon=True)
        self._thread.start()

    def wrote(self, writer: sqlite3.Connection) -> None:
        """Takes notice of a group that was committed; brings the rest over where the journal has become long."""
        pages, self._pages = self._pages, 0
        if pages >= LONG_PAGES:
            how = "RESTART" if pages >= LARGEST_PAGES else "PASSIVE"
            writer.execute(f"PRAGMA wal_checkpoint({how})").fetchone()
        self._written.set()

    def _follow(self) -> None:
        while True:
            self._written.wait()
            self._ending.wait(self._pace_s)
            if self._ending.is_set():
                return
            self._written.clear()
            try:
                _, pages, _ = self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            except sqlite3.Error:
                continue  # a full disk: the pages stay in the journal, and the writer tells its callers
            self._pages = max(0, pages)

    def close(self) -> None:
        """Ends the thread and gives back its connection."""
        self._ending.set()
        self._written.set()
        self._thread.join()
        self._connection.close()
