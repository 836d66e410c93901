"""``python -m tests.load``: how fast the hub is, beside a raw control and the bare database, in one run.

Exit code 0 whatever the figures are, since this is a measurement; 1 where an answer was wrong, a read left no
audit line, or an acknowledged write is not there.
"""

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from referral_hub.app import clock
from tests.load import bare, budget, corpus, served, slow_disk
from tests.load.generator import Generators
from tests.load.lanes import Answered, Ask, Lane, request
from tests.load.report import Arm, Target, lane_table, quantile, ratio, target_table
from tests.postgres import postgres_server
from tests.world import World, opened_world

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


DEFAULT = Extent(persons=1_000, seconds=1.0, rounds=5, starts=3, connections=16)
QUICK = Extent(persons=280, seconds=0.35, rounds=1, starts=1, connections=16)


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

    def arm(self, name: str) -> Arm:
        return self.arms.setdefault(name, Arm(name))

    def ask(self, lane: str, server: served.Served, name: str = "", *, alone: bool = False) -> None:
        """Runs one slice against a server."""
        arm = self.arm(name or lane)
        seconds = self.extent.seconds * (0.5 if alone else 1)
        connections = 1 if alone else self.extent.connections
        pids = server.pids()
        before, others = served.processor_s(pids), self._others()
        found = self.generators.run(lane, server.port, connections, seconds)
        used = served.processor_s(pids) - before
        self.foreign.append(self._others() - others)
        self.wrong += found.wrong
        if server is self.hub:
            self.asked[lane] = self.asked.get(lane, 0) + found.count
        if alone:
            arm.alone_us += found.latencies_us
            return
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
        ours = [*served.tree(self.hub.process.pid), *served.tree(self.control.process.pid), *self.generators.pids]
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


_LINES = (
    "SELECT interaction, COUNT(DISTINCT origin) FROM audit WHERE origin <> '' AND outcome = 0 GROUP BY interaction"
)
_WRITTEN = "SELECT type, COUNT(*) FROM resource WHERE type IN ('Observation', 'Task') GROUP BY type"


def counts(world: World) -> tuple[dict[str, int], dict[str, int]]:
    """Gives how many responses the audit tells of, by interaction, and how many resources there are, by type."""
    world.parts.store.settle(clock())
    return _pairs(world, _LINES), _pairs(world, _WRITTEN)


def _pairs(world: World, text: str) -> dict[str, int]:
    database = world.parts.database
    if database.dialect == "sqlite":
        with database.reading() as connection:
            return dict(connection.driver.execute(text).fetchall())  # type: ignore[attr-defined]
    with database.connection() as driver:  # type: ignore[attr-defined]
        return dict(driver.execute(text).fetchall())


def left_behind(
    run: Run, before: tuple[dict[str, int], dict[str, int]], after: tuple[dict[str, int], dict[str, int]]
) -> list[str]:
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


def _run(
    kind: str, extent: Extent, home: Path, held: ExitStack, figures: Path | None, begun: float
) -> int:
    say = lambda text: print(text, file=sys.stderr, flush=True)  # noqa: E731
    folder = home / "hub"
    url, bare_url = held.enter_context(_databases(kind, home))
    with opened_world(url, folder) as world:
        steps = budget.steps(world, rounds=400 if extent is QUICK or extent.rounds < 3 else 2_000)
        filled = corpus.filled(world, persons=extent.persons, say=say)
        writing = corpus.writing_lanes(filled)
        reading = corpus.reading_lanes(filled)
        written = bare.recorded(world, filled, writing)
        before = counts(world)
        base_url = world.parts.settings.base_url
    lanes = {lane.name: lane for lane in (*reading, *writing)}
    lanes.update({lane.name: lane for lane in control_lanes(lanes)})
    slow_home = None
    library, why_not = slow_disk.library(home)
    if kind == "sqlite":
        shutil.copytree(folder, home / "bare")
        if library is not None:
            slow_home = shutil.copytree(folder, home / "slow")
            shutil.copytree(folder, home / "slow-bare")
    else:
        library, why_not = None, "the lane is for the embedded database"
        from tests.postgres import PostgresServer

        bare_url = PostgresServer(bare_url).new_database(template=url)
    settings = {
        "REFERRAL_HUB_DATA_DIR": str(folder),
        "REFERRAL_HUB_DATABASE_URL": url,
        "REFERRAL_HUB_BASE_URL": base_url,
    }
    starts = [_time_to_start(settings) for _ in range(extent.starts + 1)][1:]
    hub = served.start_hub("hub", settings, workers=WORKERS)
    held.enter_context(served.stopped_at_the_end(hub))
    control = served.start_control(workers=WORKERS)
    held.enter_context(served.stopped_at_the_end(control))
    slow = slow_database = None
    if slow_home is not None:
        slow_settings = {
            **settings,
            "REFERRAL_HUB_DATA_DIR": str(slow_home),
            "REFERRAL_HUB_DATABASE_URL": f"sqlite:///{slow_home / 'hub.db'}",
        }
        slow = served.start_hub("hub on a slow disk", slow_settings, workers=WORKERS, preload=library)
        held.enter_context(served.stopped_at_the_end(slow))
        slow_database = bare.Bare.start(
            bare.wanted(f"sqlite:///{home / 'slow-bare' / 'hub.db'}", filled, written), 1, preload=library
        )
        held.callback(slow_database.stop)
    database = bare.Bare.start(bare.wanted(bare_url, filled, written), WORKERS)
    held.callback(database.stop)
    generators = Generators.start(lanes, GENERATORS)
    held.callback(generators.stop)
    run = Run(extent, hub, control, slow, generators, database, slow_database, kind == "sqlite")
    idle = served.memory_mb(hub.pids())
    for lane in CONTROL_OF:  # every worker has seen everything once
        run.ask(lane, hub, "warm-up")
    run.arms.clear()
    measure(run)
    memory = served.memory_mb(served.answering(hub.process.pid)), served.memory_mb(hub.pids())
    hub.stop()
    with opened_again(url, folder) as world:
        after = counts(world)
    lines = left_behind(run, before, after)
    _print(run, kind, starts, idle, memory, steps, why_not, lines, begun)
    if figures is not None:
        figures.write_text(json.dumps(_figures(run, starts, memory), indent=1))
    for problem in run.wrong[:20]:
        print(f"WRONG: {problem}")
    return 1 if run.wrong else 0
