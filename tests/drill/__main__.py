"""``python -m tests.drill``: kill -9 while the story runs, then look whether everything is as it must be."""

import argparse
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path

from tests.drill import verdict
from tests.drill.asking import Asking, GaveUp, Memory
from tests.drill.findings import Findings
from tests.drill.hub import POLLED, DrilledHub, Network, drilled_hub, now_s
from tests.drill.killer import Killer
from tests.drill.partners import Partners, partners_serving
from tests.drill.story import Referral, Teller
from tests.postgres import postgres_server

CLINICS = (POLLED, "birch", "cedar", "elm", "fir", "hazel")
TELLERS = 4
ANSWER_S = 90.0
"""How long after the last kill every request must have been answered."""
DRAIN_S = 240.0
"""How long after that the outbox may take to become empty: a lease that a killed process left ends by itself."""


def main() -> int:
    """Runs the drill; gives 0 where nothing was lost."""
    words = argparse.ArgumentParser(prog="python -m tests.drill", description=__doc__)
    words.add_argument("--seconds", type=float, default=60.0, help="how long processes are killed")
    words.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    words.add_argument("--seed", type=int, default=None, help="makes the same choices again")
    words.add_argument("--drain", type=float, default=DRAIN_S, help="how long the outbox may take afterwards")
    words.add_argument("--keep", action="store_true", help="leave the hub's directory there")
    given = words.parse_args()
    seed = given.seed if given.seed is not None else time.time_ns() % 1_000_000
    print(f"drill: {given.database}, {given.seconds:.0f} s, seed {seed}", flush=True)
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="drill-", dir="/tmp"))
        if not given.keep:
            stack.callback(_removed, folder)
        url = ""
        if given.database == "postgresql":
            url = stack.enter_context(stack.enter_context(postgres_server()).database())
        partners = stack.enter_context(partners_serving(list(CLINICS), seed))
        hub, network = stack.enter_context(drilled_hub(folder, url, partners.endpoints()))
        return drill(hub, network, partners, seconds=given.seconds, drain_s=given.drain, seed=seed)


def drill(
    hub: DrilledHub, network: Network, partners: Partners, *, seconds: float, drain_s: float, seed: int
) -> int:
    """Plays and kills, then looks. Gives the exit code."""
    memory, findings = Memory(), Findings()
    until_s = now_s() + seconds
    tellers = [
        Teller(number, network, partners, memory, seed, until_s, until_s + ANSWER_S)
        for number in range(TELLERS)
    ]
    killer = Killer(hub, until_s, seed)
    for thread in (killer, *tellers):
        thread.start()
    for thread in (killer, *tellers):
        thread.join()
    partners.calm = True
    drained_s = _drained(hub, findings, drain_s)
    referrals = [referral for teller in tellers for referral in teller.referrals]
    try:
        _look(network, memory, referrals, partners, findings)
    except GaveUp as wrong:
        findings.is_wrong(f"the hub does not answer afterwards: {wrong}")
    chain, audit_said = hub.command("verify-audit")
    well, doctor_said = hub.command("doctor")
    for code, said in ((chain, audit_said), (well, doctor_said)):
        if code:
            findings.is_wrong(said)
    _report(hub, killer, memory, findings, drained_s=drained_s, chain=chain == 0)
    return 1 if findings.wrong or memory.complaints else 0


def _drained(hub: DrilledHub, findings: Findings, drain_s: float) -> float:
    """Waits until the outbox is empty; gives how long it took, in seconds."""
    begun_s = now_s()
    while True:
        waiting, dead = hub.waiting()
        took_s = now_s() - begun_s
        if not waiting:
            break
        if took_s > drain_s:
            findings.is_wrong(f"{waiting} messages and timers still wait after {took_s:.0f} s", lost=True)
            break
        threading.Event().wait(0.25)
    if dead:
        findings.is_wrong(f"{dead} messages were given up", lost=True)
    return took_s


def _look(
    network: Network, memory: Memory, referrals: list[Referral], partners: Partners, findings: Findings
) -> None:
    shelter = Asking(network.shelter, memory, now_s() + ANSWER_S)
    verdict.everything_is_there(shelter, memory, findings)
    verdict.nothing_is_doubled(shelter, memory, findings)
    arrivals = list(partners.arrivals)
    verdict.everything_arrived(referrals, partners, findings)
    verdict.answers_entered(shelter, referrals, findings)
    verdict.in_order(referrals, arrivals, findings)
    verdict.one_key_each(arrivals, findings)
    verdict.nothing_after_a_withdrawal(referrals, arrivals, findings)
    organizations = {name: clinic.organization for name, clinic in network.clinics.items()}
    verdict.everything_is_told(shelter, organizations, referrals, partners, findings)


def _report(
    hub: DrilledHub, killer: Killer, memory: Memory, findings: Findings, *, drained_s: float, chain: bool
) -> None:
    killed = ", ".join(f"{count} {role}" for role, count in sorted(killer.kills.items()))
    print(
        f"killed: {killed}; serve was started again {hub.restarts} times; outbox empty after {drained_s:.1f} s"
    )
    counted = sorted((memory.counts + findings.counts).items())
    print("counted: " + ", ".join(f"{count} {name}" for name, count in counted))
    if findings.slowest_crossing_s:
        print(f"latest arrival after an acknowledged withdrawal: {findings.slowest_crossing_s * 1000:.0f} ms")
    wrong = [*memory.complaints, *findings.wrong]
    for text in wrong[:40]:
        print(f"WRONG: {text}")
    if wrong:
        print(f"{len(wrong)} things are wrong; the end of the hub's log:\n{hub.log_tail()}")
    print(findings.line(sum(killer.kills.values()), memory.counts["writes acknowledged"], chain=chain))


def _removed(folder: Path) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
