"""``python -m tests.load``: how fast the hub is, beside a raw control and the bare database, in one run.

Exit code 0 whatever the figures are, since this is a measurement; 1 where an answer was wrong, a read left no
audit line, or an acknowledged write is not there.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from referral_hub.app import Parts, clock, open_hub
from referral_hub.settings import Settings
from referral_hub.store.database import PostgresDatabase
from tests.load import bare, budget, corpus, served, slow_disk
from tests.load.generator import Generators
from tests.load.lanes import Answered, Ask, Lane, request
from tests.load.report import Arm, Target, lane_table, quantile, ratio, target_table
from tests.postgres import PostgresServer, postgres_server
from tests.world import opened_world

ALONE = ("own read", "granted read", "notice read", "search inbox", "create", "bundle")
CONTROL_OF = {
    "own read": "control read",
    "granted read": "control read",
    "notice read": "control read",
    "search own": "control search",
    "search inbox": "control search",
    "search granted": "control search",
    "create": "control create",
    "bundle": "",
}
BARE_OF = {
    "own read": "bare read",
    "granted read": "bare read",
    "notice read": "bare read",
    "search own": "bare search",
    "search inbox": "bare search",
    "search granted": "bare search",
    "create": "bare create",
    "bundle": "bare bundle",
}
WORKERS = 2
GENERATORS = 2


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is measured."""

    persons: int
    seconds: float
    rounds: int
    starts: int
    connections: int


DEFAULT = Extent(persons=800, seconds=0.8, rounds=4, starts=3, connections=16)
QUICK = Extent(persons=240, seconds=0.4, rounds=1, starts=1, connections=16)


@dataclass(slots=True)
class Run:
    """One measurement: what runs, and what was seen so far."""

    extent: Extent
    hub: served.Served
    control: served.Served
    slow: served.Served | None
    generators: Generators
    database: bare.Bare
    slow_database: bare.Bare | None
    single_writer: bool
    arms: dict[str, Arm] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    asked: dict[str, int] = field(default_factory=dict)
    foreign: list[float] = field(default_factory=list)
    slice_s: list[float] = field(default_factory=list)

    def arm(self, name: str) -> Arm:
        return self.arms.setdefault(name, Arm(name))

    def ask(self, lane: str, server: served.Served, name: str = "", *, alone: bool = False) -> None:
        """Runs one slice against a server."""
        arm = self.arm(name or lane)
        seconds = self.extent.seconds * (0.5 if alone else 1)
        connections = 1 if alone else self.extent.connections
        pids = server.pids()
        before, others, begun = served.processor_s(pids), self._others(), time.monotonic()
        found = self.generators.run(lane, server.port, connections, seconds)
        later = served.wait_until_quiet(pids) if server is not self.control else 0.0
        used = served.processor_s(pids) - before
        self.foreign.append(max(0.0, self._others() - others))
        self.slice_s.append(time.monotonic() - begun)
        self.wrong += found.wrong
        if server is self.hub:
            self.asked[lane] = self.asked.get(lane, 0) + found.count
        if alone:
            arm.alone_us += found.latencies_us
            return
        # What is left to do when the slice ends (audit lines to be ingested) took this much of the machine.
        found.seconds += later / (os.cpu_count() or 1)
        self._add(arm, found)
        arm.served_cpu_s += used
        arm.asking_cpu_s += found.cpu_s

    def repeat(self, lane: str, database: bare.Bare, name: str) -> None:
        """Runs one slice of the bare database."""
        writes = lane in ("create", "bundle")
        processes = 1 if writes and self.single_writer else WORKERS
        self._add(self.arm(name), database.run(lane, self.extent.seconds, processes=processes))

    @staticmethod
    def _add(arm: Arm, found: Answered) -> None:
        arm.rates.append(found.count / found.seconds)
        arm.latencies_us += found.latencies_us
        arm.count += found.count

    def _others(self) -> float:
        """Gives the processor time used by everything that is not ours."""
        ours = [
            *served.tree(self.hub.process.pid),
            *served.tree(self.control.process.pid),
            *self.generators.pids,
        ]
        ours += self.database.pids
        if self.slow is not None and self.slow_database is not None:
            ours += [*served.tree(self.slow.process.pid), *self.slow_database.pids]
        return served.machine_s() - served.processor_s(ours)


def control_lanes(lanes: dict[str, Lane]) -> list[Lane]:
    """Gives the control's lanes: answers of the same size, and for a create a body of the same size too."""
    granted, page, create = lanes["granted read"], lanes["search inbox"], lanes["create"]
    made = []
    for name, size in (("control read", granted.answer_bytes), ("control search", page.answer_bytes)):
        ask = Ask(request("GET", f"/{size}", "x" * 43), "body", b"x" * size)
        made.append(Lane(name, (ask,), size))
    body = create.asks[0].wire.partition(b"\r\n\r\n")[2]
    size = create.answer_bytes
    ask = Ask(request("POST", f"/{size}", "x" * 43, body), "body", b"x" * size)
    return [*made, Lane("control create", (ask,), size)]


def measure(run: Run) -> None:
    """Runs the arms forth and back, so many rounds; each forth also asks with one connection."""
    arms: list[tuple[str, ...]] = []
    for lane in CONTROL_OF:
        arms.append(("hub", lane))
        if lane in ("granted read", "search inbox", "create"):
            arms.append(("control", CONTROL_OF[lane]))
        if lane in ("granted read", "search inbox", "create", "bundle"):
            arms.append(("bare", lane, BARE_OF[lane]))
        if run.slow is not None and lane in ("create", "bundle"):
            arms += [("slow", lane), ("slow bare", lane)]
    for number in range(run.extent.rounds):
        for name in ALONE:
            run.ask(name, run.hub, alone=True)
        for arm in (*arms, *reversed(arms)):
            _one(run, arm)
        print(f"round {number + 1} of {run.extent.rounds} done", file=sys.stderr, flush=True)


def _one(run: Run, arm: tuple[str, ...]) -> None:
    match arm:
        case ("hub", lane):
            run.ask(lane, run.hub)
        case ("control", lane):
            run.ask(lane, run.control)
        case ("bare", lane, name):
            run.repeat(lane, run.database, name)
        case ("slow", lane) if run.slow is not None:
            run.ask(lane, run.slow, f"{lane} +2ms")
        case ("slow bare", lane) if run.slow_database is not None:
            run.repeat(lane, run.slow_database, f"bare {lane} +2ms")


# --- what was left behind -----------------------------------------------------------------------------------


Counts = tuple[dict[str, int], dict[str, int]]
_LINES = "SELECT interaction, COUNT(DISTINCT origin) FROM audit WHERE origin <> '' AND outcome = 0 GROUP BY interaction"
_WRITTEN = "SELECT type, COUNT(*) FROM resource WHERE type IN ('Observation', 'Task') GROUP BY type"


def counts(parts: Parts) -> Counts:
    """Gives how many responses the audit tells of, by interaction, and how many resources there are, by type."""
    parts.store.settle(clock())
    return _pairs(parts, _LINES), _pairs(parts, _WRITTEN)


def _pairs(parts: Parts, text: str) -> dict[str, int]:
    if isinstance(parts.database, PostgresDatabase):
        with parts.database.connection() as driver:
            return dict(driver.execute(text).fetchall())
    with parts.database.reading() as connection:
        return dict(connection.driver.execute(text).fetchall())


@contextmanager
def opened_again(settings: Mapping[str, str]) -> Iterator[Parts]:
    """Opens the hub in this process once its own processes have ended."""
    parts = open_hub(Settings.from_environment(settings))
    try:
        yield parts
    finally:
        parts.close()


def left_behind(run: Run, before: Counts, after: Counts) -> list[str]:
    """Compares what was answered with what is stored; gives the lines to print, and adds what is wrong."""
    reads = sum(run.asked.get(lane, 0) for lane in ("own read", "granted read", "notice read"))
    searches = sum(run.asked.get(lane, 0) for lane in ("search own", "search inbox", "search granted"))
    creates, bundles = run.asked.get("create", 0), run.asked.get("bundle", 0)
    lines = []
    for what, answered, kind, place in (
        ("reads answered", reads, "read", 0),
        ("searches answered", searches, "search-type", 0),
        ("creates acknowledged", creates, "Observation", 1),
        ("referral bundles acknowledged", bundles, "Task", 1),
    ):
        stored = after[place].get(kind, 0) - before[place].get(kind, 0)
        told = "audit lines ingested" if place == 0 else "stored"
        lines.append(f"{answered:>9,} {what}, {stored:,} {told}")
        if stored != answered:
            run.wrong.append(lines[-1].strip())
    return lines


# --- a run ----------------------------------------------------------------------------------------------------


@contextmanager
def _databases(kind: str, home: Path) -> Iterator[tuple[str, str]]:
    """Gives the address of the hub's database and of a place for the bare copy."""
    if kind == "sqlite":
        yield f"sqlite:///{home / 'hub' / 'hub.db'}", f"sqlite:///{home / 'bare' / 'hub.db'}"
        return
    with postgres_server(durable=True) as server, server.database() as url:
        yield url, f"{server.admin_url}"


def main() -> int:
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="under a minute; the figures are rough")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--rounds", type=int, help="how often all arms run forth and back")
    parser.add_argument("--seconds", type=float, help="length of one slice")
    parser.add_argument("--json", type=Path, help="where the figures are written too")
    options = parser.parse_args()
    extent = QUICK if options.quick else DEFAULT
    extent = Extent(
        extent.persons,
        options.seconds or extent.seconds,
        options.rounds or extent.rounds,
        extent.starts,
        extent.connections,
    )
    begun = time.monotonic()
    home = Path(tempfile.mkdtemp(prefix="hub-load-"))
    try:
        with ExitStack() as held:
            return _run(options.database, extent, home, held, options.json, begun)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _run(kind: str, extent: Extent, home: Path, held: ExitStack, figures: Path | None, begun: float) -> int:
    folder = home / "hub"
    url, bare_url = held.enter_context(_databases(kind, home))
    with opened_world(url, folder) as world:
        filled = corpus.filled(world, persons=extent.persons, say=_say)
        writing = corpus.writing_lanes(filled)
        reading = corpus.reading_lanes(filled)
        written = bare.recorded(world, filled, writing)
        base_url = world.parts.settings.base_url
    settings = {
        "REFERRAL_HUB_DATA_DIR": str(folder),
        "REFERRAL_HUB_DATABASE_URL": url,
        "REFERRAL_HUB_BASE_URL": base_url,
    }
    with opened_again(settings) as parts:
        before = counts(parts)
    lanes = {lane.name: lane for lane in (*reading, *writing)}
    lanes.update({lane.name: lane for lane in control_lanes(lanes)})
    library, why_not = slow_disk.library(home)
    if kind == "sqlite":
        shutil.copytree(folder, home / "bare")
    else:
        library, why_not = None, "it slows the embedded database only"
        bare_url = held.enter_context(PostgresServer(bare_url).database(template=url))
    slow, slow_database = _slow(settings, filled, written, home, held, library)
    starts = [_time_to_start(settings) for _ in range(extent.starts + 1)][1:]
    hub = served.start_hub("hub", settings, workers=WORKERS)
    held.callback(hub.stop)
    control = served.start_control(workers=WORKERS)
    held.callback(control.stop)
    database = bare.Bare.start(bare.wanted(bare_url, filled, written), WORKERS)
    held.callback(database.stop)
    generators = Generators.start(lanes, GENERATORS)
    held.callback(generators.stop)
    run = Run(extent, hub, control, slow, generators, database, slow_database, kind == "sqlite")
    idle = served.memory_mb(hub.pids())
    for lane in CONTROL_OF:  # every worker has seen everything once
        run.ask(lane, hub, "warm-up")
    run.arms.clear()
    run.foreign.clear()
    measure(run)
    memory = Memory(
        idle,
        served.memory_mb(served.answering(hub.process.pid)),
        served.memory_mb(hub.pids()),
        served.memory_mb(hub.pids(), "Pss_Anon"),
    )
    hub.stop()
    with opened_again(settings) as parts:
        after = counts(parts)
    kept = left_behind(run, before, after)
    steps = _budget(home, extent)
    for line in _report(run, kind, starts, memory, steps, why_not, kept):
        print(line)
    print(f"\n{time.monotonic() - begun:.0f} s in all")
    if figures is not None:
        figures.write_text(json.dumps(_figures(run, starts, memory), indent=1))
    for problem in list(dict.fromkeys(run.wrong))[:20]:
        print(f"WRONG: {problem}")
    return 1 if run.wrong else 0


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _slow(
    settings: Mapping[str, str],
    filled: corpus.Corpus,
    written: Mapping[str, bare.Written],
    home: Path,
    held: ExitStack,
    library: Path | None,
) -> tuple[served.Served | None, bare.Bare | None]:
    """Starts a second hub and a second bare database that wait 2 ms more for each fsync, where that is possible."""
    if library is None:
        return None, None
    for name in ("slow", "slow-bare"):
        shutil.copytree(home / "hub", home / name)
    slow_settings = {
        **settings,
        "REFERRAL_HUB_DATA_DIR": str(home / "slow"),
        "REFERRAL_HUB_DATABASE_URL": f"sqlite:///{home / 'slow' / 'hub.db'}",
    }
    slow = served.start_hub("hub on a slow disk", slow_settings, workers=WORKERS, preload=library)
    held.callback(slow.stop)
    address = f"sqlite:///{home / 'slow-bare' / 'hub.db'}"
    database = bare.Bare.start(bare.wanted(address, filled, written), 1, preload=library)
    held.callback(database.stop)
    return slow, database


def _time_to_start(settings: Mapping[str, str]) -> float:
    hub = served.start_hub("hub", settings, workers=WORKERS)
    hub.stop()
    return hub.start_s


def _budget(home: Path, extent: Extent) -> list[budget.Step]:
    with opened_world(f"sqlite:///{home / 'budget' / 'hub.db'}", home / "budget") as world:
        return budget.steps(world, rounds=140 if extent.rounds == 1 else 1_400)


# --- what is printed ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Memory:
    """PSS in MB: everything before the first request; HTTP server with its workers, and everything, at the end.

    ``anonymous`` is the last without files, which are the program itself and the mapped pages of the database.
    """

    idle: float
    answering: float
    everything: float
    anonymous: float


def _report(
    run: Run,
    kind: str,
    starts: Sequence[float],
    memory: Memory,
    steps: Sequence[budget.Step],
    why_not: str,
    kept: Sequence[str],
) -> list[str]:
    arms = run.arms
    lanes = [
        (arms[name], arms.get(CONTROL_OF[name]), arms.get(BARE_OF[name]))
        for name in CONTROL_OF
        if name in arms
    ]
    lanes += [
        (arms[f"{name} +2ms"], None, arms.get(f"bare {name} +2ms"))
        for name in ("create", "bundle")
        if f"{name} +2ms" in arms
    ]
    others = [(arm, None, None) for name, arm in arms.items() if name.startswith(("control", "bare"))]
    slices = len(arms["own read"].rates)
    asking = sum(arm.asking_cpu_s for arm in arms.values())
    serving = sum(arm.served_cpu_s for arm in arms.values())
    found = [
        f"Referral Hub under granian with {WORKERS} workers on {kind}; {run.extent.persons} persons; "
        f"{run.extent.connections} connections in a closed loop from {GENERATORS} processes;",
        f"{slices} slices of {run.extent.seconds} s for each arm, forth and back; every answer checked. "
        "'alone' is one connection.",
        "",
        *lane_table(lanes),
        "",
        *lane_table(others),
        "",
        f"of all processor time the generators used {ratio(asking, asking + serving):.0%}; "
        f"processes of others used {_foreign(run):.0%} of the machine while it was measured",
        *kept,
        f"start to first 200: {median(starts):.2f} s ({min(starts):.2f} to {max(starts):.2f}), "
        f"the control {run.control.start_s:.2f} s",
        f"PSS: {memory.answering:.0f} MB server with {WORKERS} workers, {memory.everything:.0f} MB everything under "
        f"serve ({memory.idle:.0f} MB before the first request; {memory.anonymous:.0f} MB without mapped files)",
    ]
    if run.slow is None:
        found.append(f"the lane with 2 ms more for each fsync was skipped: {why_not}")
    flask_us = budget.plain_flask_us()
    slower = flask_us / REFERENCE_FLASK_US
    found += [
        "",
        *budget.lines(steps),
        "",
        f"An empty answer of plain Flask takes {flask_us:.0f} us of processor time here and took "
        f"{REFERENCE_FLASK_US:.0f} on the machine the absolute targets were set on:",
        f"what is marked 'scaled' is multiplied (rates) or divided (times) by {slower:.2f}. Ratios are not.",
        *target_table(_targets(run, starts, memory, steps, slower)),
    ]
    return found


def _foreign(run: Run) -> float:
    seconds = sum(run.slice_s)
    return ratio(sum(run.foreign), seconds * (os.cpu_count() or 1))


REFERENCE_FLASK_US = 33.0
"""What an empty answer of plain Flask took on the machine the absolute targets were set on."""


def _targets(
    run: Run, starts: Sequence[float], memory: Memory, steps: Sequence[budget.Step], slower: float
) -> list[Target]:
    arms = run.arms

    def part(what: str, lane: str, other: str, wanted: float) -> Target:
        if lane not in arms or other not in arms:
            return Target(what, f">= {wanted:.0%}", "", None)
        measured = ratio(arms[lane].rate, arms[other].rate)
        return Target(what, f">= {wanted:.0%}", f"{measured:.1%}", measured >= wanted)

    def rate(what: str, lane: str, wanted: float) -> Target:
        if lane not in arms:
            return Target(what, f">= {wanted:,.0f}/s", "", None)
        measured = arms[lane].rate * slower
        return Target(what, f">= {wanted:,.0f}/s", f"{measured:,.0f}/s scaled", measured >= wanted)

    def most(what: str, measured: float, wanted: float, unit: str, digits: int = 0) -> Target:
        return Target(what, f"<= {wanted:g} {unit}", f"{measured:.{digits}f} {unit}", measured <= wanted)

    checks = {step.request: step.cost_us / slower for step in steps if step.step == budget.CHECKS}
    return [
        part("own reads, of the raw control", "own read", "control read", 0.25),
        part(
            "search of 50 (inbox, under consent), of the raw control", "search inbox", "control search", 0.15
        ),
        part("search of 50 (own), of the raw control", "search own", "control search", 0.15),
        part("creates with 2 ms more per fsync, of those without", "create +2ms", "create", 0.48),
        part("referral bundles with 2 ms more per fsync, of those without", "bundle +2ms", "bundle", 0.40),
        rate("own reads", "own read", 8_000),
        rate("validated creates", "create", 2_500),
        rate("validated creates with 2 ms more per fsync", "create +2ms", 1_200),
        rate("referral bundles of 5 resources", "bundle", 500),
        *(most(f"{budget.CHECKS}, {name}, scaled", cost, 25, "us", 1) for name, cost in checks.items()),
        most("validator, of what fhir.resources takes", budget.validator_share(), 0.4, "x", 2),
        most("start to first 200", median(starts), 0.8, "s", 2),
        most("PSS of the server with two workers", memory.answering, 200, "MB"),
        most("PSS of everything under serve", memory.everything, 300, "MB"),
    ]


def _figures(run: Run, starts: Sequence[float], memory: Memory) -> dict[str, Any]:
    return {
        "arms": {
            name: {
                "rates": [round(rate, 1) for rate in arm.rates],
                "p50_us": quantile(arm.latencies_us, 0.5),
                "p99_us": quantile(arm.latencies_us, 0.99),
                "alone_p50_us": quantile(arm.alone_us, 0.5),
                "alone_p99_us": quantile(arm.alone_us, 0.99),
                "cpu_us": arm.cpu_us,
            }
            for name, arm in run.arms.items()
        },
        "starts_s": list(starts),
        "pss_mb": {"idle": memory.idle, "answering": memory.answering, "everything": memory.everything},
    }


if __name__ == "__main__":
    sys.exit(main())
