"""A hub in real processes, for tests that kill them: who is whose child, and who is still there.

What lives here: starting ``serve`` and looking at its processes. What does not: commands and partners' software
(``tests.interop.served``).
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from tests import log_watch
from tests.interop.served import Served, free_port

DEADLINE_S = 40.0


def soon(look: Callable[[], object], *, within_s: float = DEADLINE_S) -> None:
    """Waits until a look gives something true; fails where it does not in time."""
    end = time.monotonic() + within_s
    while not look():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    """Tells whether a process runs; one that waits only to be reaped does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def children(pid: int) -> list[int]:
    """Gives the living children of a process."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and is_alive(int(entry.name)):
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            if parent == pid:
                found.append(int(entry.name))
    return found


def named(name: str, pids: list[int]) -> list[int]:
    """Gives those of the processes that carry this name."""
    return [pid for pid in pids if Path(f"/proc/{pid}/comm").read_text().strip() == name]


def megabytes(pids: list[int]) -> float:
    """Gives the memory of processes together, what they share counted once (PSS)."""
    kilobytes = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                kilobytes += int(line.split()[1])
    return kilobytes / 1024


@dataclass
class Running:
    """``serve``, running."""

    hub: Served
    process: "subprocess.Popen[bytes]"
    log: Path

    def child(self, name: str) -> int:
        """Gives the one child of this name."""
        (found,) = named(f"hub-{name}", children(self.process.pid))
        return found

    def workers(self) -> list[int]:
        """Gives the processes that answer."""
        return named("hub-worker", children(self.child("server")))

    def everybody(self) -> list[int]:
        """Gives every process of the tree but the parent."""
        found = []
        for pid in children(self.process.pid):
            found += [pid, *children(pid)]
        return found

    def answers(self, path: str = "/fhir/metadata") -> bool:
        """Tells whether an address answers with 200."""
        try:
            return requests.get(f"{self.hub.base_url}{path}", timeout=5).status_code == 200
        except requests.RequestException:
            return False

    def end(self) -> int:
        """Ends it in order and gives its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)


def founded(folder: Path, database_url: str = "") -> Served:
    """Makes a hub and gives how to work with it; nothing is served yet."""
    base_url = f"http://127.0.0.1:{free_port()}"
    environment = {name: held for name, held in os.environ.items() if not name.startswith("REFERRAL_HUB_")}
    environment |= {"REFERRAL_HUB_DATA_DIR": str(folder / "hub"), "REFERRAL_HUB_BASE_URL": base_url}
    if database_url:
        environment["REFERRAL_HUB_DATABASE_URL"] = database_url
    hub = Served(base_url, environment, folder)
    hub.command("init")
    return hub


@contextmanager
def running(hub: Served, *words: str, workers: int = 2) -> Iterator[Running]:
    """Serves a hub until the end of the block, and leaves nothing running."""
    log = hub.folder / "serve.log"
    with log.open("ab") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "referral_hub", "serve", "--workers", str(workers), *words],
            env=hub.environment,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    made = Running(hub, process, log)
    try:
        soon(lambda: process.poll() is not None or b"Referral Hub answers" in log.read_bytes())
        assert process.poll() is None, log.read_text()
        yield made
    finally:
        left = made.everybody() if process.poll() is None else []
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for pid in left:
            if is_alive(pid):
                os.kill(pid, signal.SIGKILL)
        log_watch.WATCH.look_into(log)
        log.unlink()
