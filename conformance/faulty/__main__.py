"""Each check against its own fault: ``python -m conformance.faulty``.

What lives here: the run, first sound, then bent, and what it says. What does not: the faults
(``conformance.faulty.faults``), the servers.

A check has proved itself where it passes on a sound server and no longer passes once the one behaviour it looks at is
bent. One that fails on a sound server has shown that it can fail, and is looked for on the next server to show that it
can pass. Exit code 1: a check did not notice its fault, or has none.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

from conformance import expected, reports
from conformance.faulty.faults import fault_for
from conformance.faulty.little import KNOWN_TO_LITTLE, LittleServer
from conformance.faulty.proxy import Proxy
from conformance.hapi_server import hapi
from conformance.lab import Lab
from conformance.own_hub import free_port, own_hub
from conformance.registry import Check, all_checks
from conformance.results import Result, Verdict
from conformance.runner import run, run_one
from conformance.subscribing import listener
from conformance.target import Target, target

_NOTICED = (Verdict.FAIL, Verdict.WARN)
_WAIT_S = 1.5


@contextmanager
def _hub() -> Iterator[tuple[Target, Proxy]]:
    front = free_port()
    with own_hub(front_port=front) as (aim, port):
        yield aim, Proxy(front, f"http://127.0.0.1:{port}")


@contextmanager
def _hapi() -> Iterator[tuple[Target, Proxy]]:
    front = free_port()
    with hapi(front_port=front) as port:
        yield target(f"http://127.0.0.1:{front}/fhir", {}), Proxy(front, f"http://127.0.0.1:{port}")


@contextmanager
def _little() -> Iterator[tuple[Target, Proxy]]:
    front = free_port()
    server = LittleServer(f"http://127.0.0.1:{front}")
    try:
        server.proxy = Proxy(front, server.address)
        yield server.target(), server.proxy
    finally:
        server.close()


SERVERS: dict[str, Callable[[], "contextmanager[tuple[Target, Proxy]]"]] = {  # type: ignore[type-arg]
    "hub": _hub,
    "little": _little,
    "hapi": _hapi,
}


class Proved:
    """What has been seen of each check: whether it passed, and whether it noticed something."""

    def __init__(self, checks: Sequence[Check]) -> None:
        self.checks = checks
        self.passed: dict[str, str] = {}
        self.noticed: dict[str, str] = {}
        self.missed: list[str] = []

    def open(self) -> list[Check]:
        """Gives the checks of which not both have been seen."""
        return [one for one in self.checks if one.name not in self.passed or one.name not in self.noticed]

    def on(self, name: str, aim: Target, proxy: Proxy) -> list[Result]:
        """Runs the checks on one server, sound and then bent; gives the results of the sound one."""
        lab = Lab(aim)
        try:
            results = run([one for one in self.checks if name != "little" or _known_to_little(one)], lab)
            for result in results:
                if result.verdict is Verdict.PASS:
                    self.passed.setdefault(result.check, name)
                elif result.verdict in _NOTICED:
                    self.noticed.setdefault(result.check, f"{name}: {result.message}")
            passing = {result.check for result in results if result.verdict is Verdict.PASS}
            for one in self.open():
                if one.name in passing and (name == "little") is _bent_on_little(one):
                    self._bent(name, one, lab, proxy)
            return results
        finally:
            proxy.fault = None
            lab.put_away()
            lab.close()
            proxy.close()

    def _bent(self, name: str, one: Check, lab: Lab, proxy: Proxy) -> None:
        fault = fault_for(one.name, lab)
        if fault is None:
            self.missed.append(f"{one.name} has no fault")
            return
        looking = Lab(replace(lab.target, wait_s=_WAIT_S)) if name == "little" else lab
        looking.claims  # noqa: B018 - fetched while the server is still sound
        proxy.fault = fault
        if fault.arrive is not None:
            listener(looking).bend = fault.arrive
        result = run_one(one, looking)
        proxy.fault = None
        if fault.arrive is not None:
            listener(looking).bend = None
        looking.look_again()
        if looking is not lab:
            looking.close()
        if result.verdict in _NOTICED:
            self.noticed[one.name] = f"{name}, where {fault.what}: {result.message}"
        else:
            told = f"{result.verdict.value} {result.message}".strip()
            self.missed.append(f"{one.name} did not notice that {fault.what}: {told}")


def _known_to_little(one: Check) -> bool:
    return any(fnmatchcase(one.name, known) for known in KNOWN_TO_LITTLE)


def _bent_on_little(one: Check) -> bool:
    """Tells whether a check is bent on the little server alone, whose addresses the faults know."""
    return _known_to_little(one) and not any(name.startswith("HUB-") for name in one.requirements)


def main(words: Sequence[str] | None = None) -> int:
    """Runs the checks on sound and on bent servers; gives the exit code."""
    flags = argparse.ArgumentParser(
        prog="python -m conformance.faulty", description=__doc__.partition("\n")[0]
    )
    flags.add_argument(
        "--on", action="append", default=[], choices=SERVERS, help="the servers; all where not given"
    )
    flags.add_argument("--only", action="append", default=[], metavar="NAME", help="checks or requirements")
    flags.add_argument("--all", action="store_true", help="say of each check what it noticed")
    flags.add_argument(
        "--expected", type=Path, metavar="FOLDER", help="hub.json, hapi.json: what they must come to"
    )
    told = flags.parse_args(words)
    from conformance.__main__ import chosen

    began = time.monotonic()
    different: list[str] = []
    proved = Proved(chosen(told.only) if told.only else all_checks())
    for name in told.on or SERVERS:
        with SERVERS[name]() as (aim, proxy):
            results = proved.on(name, aim, proxy)
        print(f"{name}: {reports.sentence(results)}", flush=True)
        kept = told.expected / f"{name}.json" if told.expected else None
        if kept and kept.exists():
            different += expected.differences(expected.read(kept), results, partial=bool(told.only))
    for sentence in different:
        print(f"not as expected: {sentence}")
    return int(bool(_report(proved, time.monotonic() - began, whole=told.all) or different))


def _report(proved: Proved, seconds: float, *, whole: bool) -> int:
    if whole:
        for name, what in sorted(proved.noticed.items()):
            print(f"noticed  {name}: on {what}")
    for one in proved.checks:
        if one.name not in proved.passed:
            print(f"not seen passing on any server here: {one.name}")
    for sentence in proved.missed:
        print(f"MISSED  {sentence}")
    both = [one for one in proved.checks if one.name in proved.passed and one.name in proved.noticed]
    print(
        f"{len(proved.checks)} checks: {len(both)} pass on a sound server and notice their fault, "
        f"{len(proved.missed)} do not notice it, {len(proved.checks) - len(proved.passed)} were not seen passing; "
        f"{seconds:.0f} s"
    )
    return int(bool(proved.missed))


if __name__ == "__main__":
    sys.exit(main())
