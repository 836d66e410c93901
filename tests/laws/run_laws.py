"""Holds 50,000 seeded worlds against every law of access and prints what was seen.

Use: ``python -m tests.laws.run_laws [--worlds N] [--seed N]``. A broken law ends with exit code 1, the
    law's name and
the seed of the world.
"""

import argparse
import sys
import time
from collections import Counter
from random import Random

from tests.unit.access.laws import check_hub_world, check_mixed_world

LEAST_SHARE = 0.03
"""Less than this share of permits, denies or silences would mean that the worlds show nothing."""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=20_261_124)
    asked = parser.parse_args(arguments)
    seen: Counter[str] = Counter()
    started = time.perf_counter()
    for number in range(asked.worlds):
        # Two of three worlds are of the hub's own shapes, which must agree with their rows exactly.
        check = check_mixed_world if number % 3 == 2 else check_hub_world
        try:
            seen += check(Random(asked.seed + number))
        except AssertionError as broken:
            print(f"world {number}, seed {asked.seed + number}: {broken}")
            return 1
    for kind in sorted(seen):
        print(f"{kind:24} {seen[kind]:8}")
    rare = [
        f"{shape} {outcome}"
        for shape, share in (("hub", 2 / 3), ("mixed", 1 / 3))
        for outcome in ("permit", "deny", "no-consent")
        if seen[f"{shape} {outcome}"] < LEAST_SHARE * share * asked.worlds
    ]
    if rare:
        print(f"too few worlds with: {', '.join(rare)}")
        return 1
    took_s = time.perf_counter() - started
    print(f"laws: {asked.worlds} worlds, {seen['laws held']} laws held, 0 broken, {took_s:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
