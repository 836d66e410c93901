"""Starting what is measured, as its own processes, and what they use: memory, processor time, time to begin.

What lives here: the hub under ``referral-hub serve``, the control, their process trees. What does not: asking
them (``tests.load.generator``).

Memory is PSS: of a page that several processes share, each counts its part, so the sum counts it once.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.load.generator import Broken, ask_once

ROOT = Path(__file__).resolve().parents[2]
TICKS = os.sysconf("SC_CLK_TCK")
_START_S = 60.0
_LOOK_S = 0.002
_QUIET_S = 0.025


@dataclass(slots=True)
class Served:
    """A running server: its first process, its port, and how long it took to the first 200."""

    name: str
    process: "subprocess.Popen[bytes]"
    port: int
    start_s: float

    def pids(self) -> list[int]:
        """Gives all its processes."""
        return tree(self.process.pid)

    def stop(self) -> None:
        """Ends it in order; a second time is nothing."""
        if self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(40)
        except subprocess.TimeoutExpired:
            for pid in self.pids():
                os.kill(pid, signal.SIGKILL)
            self.process.wait(10)


def free_port() -> int:
    """Gives a port nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """Gives this process's environment without settings of another hub; compiled modules are kept as usual."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("REFERRAL_HUB_") and name != "PYTHONDONTWRITEBYTECODE"
    }
    return {**kept, **more}


def start_hub(name: str, settings: Mapping[str, str], *, workers: int, preload: Path | None = None) -> Served:
    """Starts ``referral-hub serve`` and waits for its first 200.

    Args:
        name: what it is called in messages.
        settings: the hub's variables.
        workers: processes that answer.
        preload: a shared library every process of it loads first.
    """
    more = dict(settings)
    if preload is not None:
        more["LD_PRELOAD"] = str(preload)
    port = free_port()
    command = [sys.executable, "-m", "referral_hub", "serve", "--port", str(port), "--workers", str(workers)]
    return _started(name, command, more, port, "/health/ready")


def start_control(*, workers: int) -> Served:
    """Starts the raw WSGI application under the same server and waits for its first 200."""
    port = free_port()
    command = [sys.executable, "-m", "tests.load.control", str(port), str(workers)]
    return _started("control", command, {}, port, "/16")


def _started(name: str, command: Sequence[str], more: Mapping[str, str], port: int, path: str) -> Served:
    begun = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment(more), stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL
    )
    wire = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    while True:
        try:
            if ask_once(port, wire)[0] == 200:
                return Served(name, process, port, time.perf_counter() - begun)
        except (OSError, Broken):
            pass
        if process.poll() is not None or time.perf_counter() - begun > _START_S:
            process.kill()
            raise RuntimeError(f"{name} did not start")
        time.sleep(_LOOK_S)


# --- what processes use -------------------------------------------------------------------------------------


def tree(first: int) -> list[int]:
    """Gives a process and everything below it, on Linux."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended meanwhile
        children.setdefault(int(fields[1]), []).append(int(entry.parent.name))
    found = [first]
    for pid in found:
        found.extend(children.get(pid, ()))
    return found


def answering(first: int) -> list[int]:
    """Gives the HTTP server and its workers of a hub: the one child that has children itself."""
    for pid in tree(first)[1:]:
        below = tree(pid)
        if len(below) > 1:
            return below
    return [first]


def memory_mb(pids: Sequence[int], field: str = "Pss") -> float:
    """Gives the PSS of some processes, in MB of a million bytes; 0 where the system does not tell.

    ``Pss_Anon`` leaves out files, such as the mapped pages of an embedded database.
    """
    total = 0
    for pid in pids:
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        total += next(int(line.split()[1]) for line in text.splitlines() if line.startswith(f"{field}:"))
    return total * 1024 / 1e6


def processor_s(pids: Sequence[int]) -> float:
    """Gives the processor time some processes have used so far."""
    total = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def wait_until_quiet(pids: Sequence[int], *, pace_s: float = 1.1, most_s: float = 4.0) -> float:
    """Waits until a hub has done what it does later, such as ingesting audit lines; gives the processor time of it.

    Args:
        pids: its processes.
        pace_s: how long it may sleep between two looks at what is to be done.
        most_s: how long is waited at most.
    """
    before = used = processor_s(pids)
    end = time.monotonic() + most_s
    time.sleep(pace_s)
    while time.monotonic() < end:
        time.sleep(0.1)
        last, used = used, processor_s(pids)
        if used - last < _QUIET_S:
            break
    return used - before


def machine_s() -> float:
    """Gives the processor time the whole machine has used so far, whoever used it."""
    try:
        fields = Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    except OSError:
        return 0.0
    user, nice, system, _, _, irq, softirq, steal = (int(one) for one in fields[:8])
    return (user + nice + system + irq + softirq + steal) / TICKS


def connections_of(ports: Sequence[int], pids: Sequence[int]) -> list[int]:
    """Gives how many of some connections each process holds, by the local ports of their other ends; on Linux."""
    inodes = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if int(fields[2].rpartition(":")[2], 16) in ports:
            inodes.add(f"socket:[{fields[9]}]")
    found = []
    for pid in pids:
        try:
            held = {os.readlink(one) for one in Path(f"/proc/{pid}/fd").iterdir()}
        except OSError:
            continue
        if held & inodes:
            found.append(len(held & inodes))
    return found
