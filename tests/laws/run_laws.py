"""Holds seeded worlds against every law of access and prints what was seen.

Use: ``python -m tests.laws.run_laws [--worlds N] [--callers N] [--processes N] [--seed N]``. ``--worlds`` (50,000) are
worlds of consents alone; ``--callers`` (500) are worlds with every kind of caller through the real gate and SQL, about
0.03 s each: 200,000 take about 90 minutes of one processor. A broken law ends with exit code 1, the law's name and the
seed of the world.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from random import Random

from tests.api.store.read_worlds import world_of
from tests.laws.caller_laws import Differs, check_caller_world
from tests.unit.access.laws import check_hub_world, check_mixed_world

LEAST_SHARE = 0.03
"""Less than this share of permits, denies or silences would mean that the worlds show nothing."""
_CALLERS = (
    "system",
    "system about one",
    "user supervisor",
    "user caseworker",
    "user intake",
    "patient",
    "bound system",
)
_PIECE = 500


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=50_000)
    parser.add_argument("--callers", type=int, default=500)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--seed", type=int, default=20_261_124)
    asked = parser.parse_args(arguments)
    return consent_worlds(asked.worlds, asked.seed) or caller_worlds(
        asked.callers, asked.seed, asked.processes
    )


def consent_worlds(worlds: int, seed: int) -> int:
    """Worlds of consents: decision and rows, without a database."""
    seen: Counter[str] = Counter()
    started = time.perf_counter()
    for number in range(worlds):
        # Two of three worlds are of the hub's own shapes, which must agree with their rows exactly.
        check = check_mixed_world if number % 3 == 2 else check_hub_world
        try:
            seen += check(Random(seed + number))
        except AssertionError as broken:
            print(f"world {number}, seed {seed + number}: {broken}")
            return 1
    for kind in sorted(seen):
        print(f"{kind:40} {seen[kind]:9}")
    rare = [
        f"{shape} {outcome}"
        for shape, share in (("hub", 2 / 3), ("mixed", 1 / 3))
        for outcome in ("permit", "deny", "no-consent")
        if seen[f"{shape} {outcome}"] < LEAST_SHARE * share * worlds
    ]
    if rare:
        print(f"too few worlds with: {', '.join(rare)}")
        return 1
    took_s = time.perf_counter() - started
    print(f"laws: {worlds} worlds, {seen['laws held']} laws held, 0 broken, {took_s:.0f} s")
    return 0


def caller_worlds(worlds: int, seed: int, processes: int) -> int:
    """Worlds of callers: the gate and SQL, on a database of its own in each process."""
    seen: Counter[str] = Counter()
    started = time.perf_counter()
    pieces = [range(seed + at, seed + min(at + _PIECE, worlds)) for at in range(0, worlds, _PIECE)]
    with ProcessPoolExecutor(max_workers=processes) as pool:
        for found, broken in pool.map(caller_piece, pieces):
            if broken:
                print(broken)
                pool.shutdown(cancel_futures=True)
                return 1
            seen += found
    for kind in sorted(seen):
        print(f"{kind:40} {seen[kind]:9}")
    silent = [kind for kind in _CALLERS if worlds >= _PIECE and seen[f"{kind}, rows"] < worlds / 100]
    if silent:
        print(f"callers that saw next to nothing: {', '.join(silent)}")
        return 1
    took_s = time.perf_counter() - started
    print(f"callers: {worlds} worlds, {seen['laws held']} laws held, 0 broken, {took_s:.0f} s")
    return 0


def caller_piece(seeds: range) -> tuple[Counter[str], str]:
    """Some worlds in one database; gives what was seen, and what broke."""
    seen: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder, world_of(f"sqlite:///{folder}/hub.db") as store:
        check = partial(check_caller_world, store)
        for seed in seeds:
            try:
                seen += check(Random(seed))
            except (AssertionError, Differs) as broken:
                return seen, f"seed {seed}: {broken}"
    return seen, ""


if __name__ == "__main__":
    sys.exit(main())
