"""A suite for any FHIR R4 server: ``python -m conformance --base URL``.

What lives here: flags, the run, what is written, the exit code. What does not: the checks
(``conformance.checks``), HL7's validator beside the hub (``conformance.hl7``).

Exit code 0: nothing failed (with ``--expect``: everything came to what was expected). 1: something did not.
2: what was given cannot be used.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path

from requests import RequestException

from conformance import coverage, expected, reports
from conformance.hapi_server import hapi
from conformance.lab import Lab
from conformance.own_hub import DidNotStart, own_hub
from conformance.registry import Check, all_checks
from conformance.results import Result, Verdict
from conformance.runner import run
from conformance.target import (
    ROLES,
    ROLES_CLAIMED,
    BadConfiguration,
    ClientSettings,
    Target,
    client,
    from_file,
    target,
)


def _flags() -> argparse.ArgumentParser:
    flags = argparse.ArgumentParser(prog="python -m conformance", description=__doc__.partition("\n")[0])
    where = flags.add_argument_group("the server")
    where.add_argument("--base", default="", metavar="URL", help="its FHIR base URL")
    where.add_argument("--config", type=Path, metavar="FILE", help="a TOML file with base and clients")
    where.add_argument("--own-hub", action="store_true", help="start a hub of this project and look at it")
    where.add_argument("--hapi", action="store_true", help="start a plain HAPI server and look at it")
    where.add_argument(
        "--claim", action="append", default=[], choices=ROLES_CLAIMED, help="hold it to this role"
    )
    who = flags.add_argument_group("who we are to it; the file of --config can name more clients")
    who.add_argument("--client-id", default="", help="a client registered for SMART Backend Services")
    who.add_argument("--key", type=Path, metavar="FILE", help="its private key, a JWK")
    who.add_argument("--scope", default="", help="what it asks for; system/*.cruds where not given")
    who.add_argument("--organization", default="", metavar="ID", help="its Organization on the server")
    who.add_argument("--token", default="", help="a bearer token, for servers with another way to get one")
    what = flags.add_argument_group("what is run and written")
    what.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="checks or requirements, * allowed"
    )
    what.add_argument("--list", action="store_true", help="name the checks and run none")
    what.add_argument("--all", action="store_true", help="a line for every check, not only for what is wrong")
    what.add_argument("--json", type=Path, metavar="FILE", help="write the results as JSON")
    what.add_argument("--junit", type=Path, metavar="FILE", help="write the results as JUnit XML")
    what.add_argument("--expect", type=Path, metavar="FILE", help="what the run must come to")
    what.add_argument("--write-expect", type=Path, metavar="FILE", help="write what the run came to")
    what.add_argument("--coverage", type=Path, metavar="FILE", help="write the page of coverage and run none")
    what.add_argument("--keep", action="store_true", help="leave what was created")
    return flags


def main(words: Sequence[str] | None = None) -> int:
    """Runs the suite; gives the exit code."""
    told = _flags().parse_args(words)
    checks = chosen(told.only)
    if told.coverage:
        told.coverage.write_text(coverage.page(), "utf-8")
        return 0
    if told.list:
        for one in checks:
            print(f"{one.name:44} {', '.join(one.requirements):28} {one.title}")
        return 0
    if not checks:
        print("conformance: no check has such a name", file=sys.stderr)
        return 2
    try:
        with _server(told) as aim:
            return _looked_at(told, aim, checks)
    except BadConfiguration as fault:
        print(f"conformance: {fault}", file=sys.stderr)
        return 2
    except DidNotStart as fault:
        print(f"conformance: {fault}", file=sys.stderr)
        return 1


def chosen(names: Sequence[str]) -> list[Check]:
    """Gives the checks whose name, area or requirement is among some names; all where none is given."""
    if not names:
        return list(all_checks())
    return [
        one
        for one in all_checks()
        if any(
            fnmatch(one.name, name)
            or one.name.startswith(f"{name}.")
            or any(fnmatch(r, name) for r in one.requirements)
            for name in names
        )
    ]


@contextmanager
def _server(told: argparse.Namespace) -> Iterator[Target]:
    if told.own_hub:
        with own_hub() as (aim, _):
            yield aim
    elif told.hapi:
        with hapi() as port:
            yield target(f"http://127.0.0.1:{port}/fhir", {})
    elif told.config:
        yield from_file(told.config)
    else:
        clients: dict[str, ClientSettings] = {}
        if told.client_id or told.key:
            clients[ROLES[0]] = client(told.client_id, told.key or Path(), told.scope, told.organization)
        yield target(told.base, clients, claims=frozenset(told.claim), token=told.token, keep=told.keep)


def _looked_at(told: argparse.Namespace, aim: Target, checks: Sequence[Check]) -> int:
    began = time.monotonic()
    lab = Lab(aim)
    try:
        lab.anonymous.get("/metadata")
    except RequestException as fault:
        raise BadConfiguration(f"{aim.base} does not answer ({type(fault).__name__})") from None
    try:
        results = run(checks, lab)
        gone, left = lab.put_away()
    finally:
        lab.close()
    print(reports.text(results, base=aim.base, whole=told.all))
    print(f"{time.monotonic() - began:.1f} s; of what was created {gone} are deleted, {left} stay")
    for path, text in ((told.json, reports.as_json), (told.junit, reports.as_junit)):
        if path:
            path.write_text(text(results, base=aim.base), "utf-8")
    if told.write_expect:
        told.write_expect.write_text(expected.written(results), "utf-8")
    return _exit_code(told, results)


def _exit_code(told: argparse.Namespace, results: Sequence[Result]) -> int:
    if not told.expect:
        return int(any(one.verdict in (Verdict.FAIL, Verdict.ERROR) for one in results))
    different = expected.differences(expected.read(told.expect), results, partial=bool(told.only))
    for sentence in different:
        print(f"not as expected: {sentence}")
    if not different:
        print(f"all {len(results)} as expected by {told.expect.name}")
    return int(bool(different))


if __name__ == "__main__":
    sys.exit(main())
