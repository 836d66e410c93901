"""What each step of a request costs inside one process, in microseconds of processor time.

What lives here: asking the real application and each of its steps alone, many times, and the difference. What
does not: throughput (``tests.load.__main__``).

It is processor time, so waiting for the disk is not in it, and neighbours on the machine disturb it less than time
on a clock. ``python -m tests.load.budget`` prints it alone; ``--profile LANE`` prints where the time goes.
"""

import argparse
import cProfile
import io
import pstats
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask, Response

from referral_hub.auth.tokens import digest_of
from referral_hub.exchange.audit import read_entry
from referral_hub.exchange.interactions import by_token, write
from referral_hub.exchange.looking import LazyLook
from referral_hub.exchange.proposal import Proposal
from referral_hub.exchange.reading import read
from referral_hub.exchange.search import search
from referral_hub.fhir import json_codec
from referral_hub.fhir.validator import validate
from referral_hub.store import kept_rows, schema
from referral_hub.store.apply import Planner
from referral_hub.store.bodies import body_label
from referral_hub.store.statements import Statement, words
from tests import builders as b
from tests.api.network import Story, story
from tests.load.corpus import PAGE, bundle
from tests.world import Caller, World, opened_world

Act = Callable[[], Any]
_BATCHES = 21


@dataclass(frozen=True, slots=True)
class Step:
    """One step of one kind of request: processor time in microseconds."""

    request: str
    step: str
    cost_us: float


def cost_us(act: Act, rounds: int) -> float:
    """Gives the processor time of one call: the cheapest of some batches, since neighbours only add."""
    for _ in range(max(5, rounds // 20)):
        act()
    size = max(1, rounds // _BATCHES)
    best = float("inf")
    for _ in range(_BATCHES):
        begun = time.thread_time_ns()
        for _ in range(size):
            act()
        best = min(best, (time.thread_time_ns() - begun) / size / 1000)
    return best


def wsgi(world: World, caller: Caller, method: str, address: str, body: bytes = b"") -> Act:
    """Gives a call of the whole application, as the server makes it."""
    app = world.client.application
    path, _, query = address.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8080",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
        "wsgi.version": (1, 0),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "HTTP_HOST": "127.0.0.1",
        "HTTP_ACCEPT": "application/fhir+json",
        "HTTP_AUTHORIZATION": f"Bearer {caller.token}",
    }
    if body:
        environ.update({"CONTENT_TYPE": "application/fhir+json", "CONTENT_LENGTH": str(len(body))})

    def call() -> bytes:
        status: list[str] = []
        given = {**environ, "wsgi.input": io.BytesIO(body)}
        answer = app(given, lambda said, _headers, _problem=None: status.append(said))
        text = b"".join(answer)
        if hasattr(answer, "close"):
            answer.close()
        assert status[0][0] == "2", (status, text[:300])
        return text

    return call


@dataclass(slots=True)
class Scene:
    """What the steps are measured on: a shelter's request, seen by a clinic."""

    world: World
    accepted: Story
    requested: Story
    observation: bytes


def scene(world: World) -> Scene:
    """Gives a shelter with a page full of accepted and of requested referrals."""
    first = story(world)
    made: list[Story] = []
    for number in range(2 * PAGE):
        person = first.s.create(b.patient(f"Budget{number}"))
        one = Story(world, first.shelter, first.clinic, first.s, first.c, f"Patient/{person['id']}")
        one.sign()
        one.refer()
        if number % 2:
            one.move("accepted")
        made.append(one)
    return Scene(world, made[1], made[0], json_codec.encode(b.observation(made[0].person)))


def calls(of: Scene) -> dict[str, Act]:
    """Gives every kind of request as a call of the whole application."""
    accepted, requested = of.accepted, of.requested
    return {
        "own read": wsgi(of.world, accepted.s, "GET", f"/fhir/{accepted.request}"),
        "granted read": wsgi(of.world, accepted.c, "GET", f"/fhir/{accepted.request}"),
        "notice read": wsgi(of.world, accepted.c, "GET", f"/fhir/{requested.request}"),
        "search own": wsgi(of.world, accepted.s, "GET", f"/fhir/ServiceRequest?_count={PAGE}"),
        "search inbox": wsgi(of.world, accepted.c, "GET", f"/fhir/Task?status=requested&_count={PAGE}"),
        "search granted": wsgi(of.world, accepted.c, "GET", f"/fhir/ServiceRequest?_count={PAGE}"),
        "create": wsgi(of.world, accepted.s, "POST", "/fhir/Observation", of.observation),
        "bundle": wsgi(
            of.world,
            accepted.s,
            "POST",
            "/fhir/",
            json_codec.encode(bundle(accepted.shelter, accepted.clinic, "Lark")),
        ),
    }


def steps(world: World, *, rounds: int = 2_000) -> list[Step]:
    """Gives the cost of each step of reads, searches and creates."""
    of = scene(world)
    found = [Step("any", "Flask and Werkzeug (an empty answer)", _live(of, rounds))]
    whole = calls(of)
    for name in ("own read", "notice read", "granted read"):
        story = of.requested if name == "notice read" else of.accepted
        found += _read(name, whole[name], story, story.s if name == "own read" else story.c, rounds)
    for name, path in (
        ("search own", f"ServiceRequest?_count={PAGE}"),
        ("search inbox", f"Task?status=requested&_count={PAGE}"),
        ("search granted", f"ServiceRequest?_count={PAGE}"),
    ):
        caller = of.accepted.s if name == "search own" else of.accepted.c
        found += _search(name, whole[name], of, caller, path, max(40, rounds // 20))
    return found + _create(of, whole["create"], rounds // 4)


def _live(of: Scene, rounds: int) -> float:
    return cost_us(wsgi(of.world, of.accepted.s, "GET", "/health/live"), rounds)


_BARE = Statement(
    "budget_bare",
    sa.select(schema.resource.c.body_format, schema.resource.c.person, schema.resource.c.body).where(
        schema.resource.c.id == words("id"), schema.resource.c.type == words("type")
    ),
)


def _read(name: str, whole: Act, of: Story, caller: Caller, rounds: int) -> list[Step]:
    hub = of.world.parts.hub
    database, bodies = of.world.parts.database, of.world.parts.bodies
    type_name, _, public_id = of.request.partition("/")
    header = f"Bearer {caller.token}"
    digest = digest_of(header)
    at_us = hub.clock()
    answer = hub.store.read(type_name, public_id, digest)
    principal = hub.identify(answer.token, at_us)
    row = answer.resource
    assert row is not None
    label = body_label(row.id, row.version)

    def bare() -> bytes:
        found = database.first(_BARE, {"id": public_id, "type": type_name})
        assert found is not None
        return bodies.open(found[2], found[0], found[1], label)

    def unopened() -> Any:
        return database.first(_BARE, {"id": public_id, "type": type_name})

    def release() -> Any:
        with LazyLook(hub.store, known=answer.beside, of=row) as look:
            found = hub.gate.release(principal, row, answer.standing, look, at_us)
            assert found is not None
            if answer.standing is not None:
                assert not look.moved_on((answer.standing,))
        return found

    outcome = release()
    answer = hub.store.read(type_name, public_id, digest)  # now it brings what lies beside the row as well
    entity = f"{row.type}/{row.id}/{row.version}"

    def audit() -> None:
        entry = read_entry(principal, "read", row.person, (entity,), outcome.consents, at_us)
        hub.store.spool((entry,), durable=False)

    total = cost_us(whole, rounds)
    interaction = cost_us(lambda: read(hub, digest, type_name, public_id), rounds)
    alone = cost_us(bare, rounds)
    parts = {
        "the row itself: shortest statement, body opened": alone,
        "authentication: digest of the token, facts of the caller, scope": cost_us(
            lambda: (
                digest_of(header),
                hub.identify(answer.token, at_us),
                hub.gate.allow(principal, type_name, "read"),
            ),
            rounds,
        ),
        STATEMENT: cost_us(lambda: hub.store.read(type_name, public_id, digest), rounds) - alone,
        "consent and view": cost_us(release, rounds),
        "audit line": cost_us(audit, rounds),
    }
    found = [Step(name, "whole request, without the server", total)]
    found.append(Step(name, "HTTP: Flask, headers, negotiation", total - interaction))
    found += [Step(name, step, cost) for step, cost in parts.items()]
    # The row is kept opened, so nothing is opened in the steps above, and nothing in what they are measured beside.
    nothing_opened = cost_us(unopened, rounds)
    found.append(Step(name, CHECKS, sum(parts.values()) - nothing_opened))
    with nothing_kept():
        opened_each_time = cost_us(lambda: hub.store.read(type_name, public_id, digest), rounds)
    kept = alone + parts[STATEMENT]
    found.append(Step(name, SEALED_CHECKS, sum(parts.values()) - kept + opened_each_time - nothing_opened))
    return found


@contextmanager
def nothing_kept() -> Iterator[None]:
    """Lets no opened row be kept in a block, so that each read opens what lies sealed."""
    before, kept_rows.LARGEST_BYTES = kept_rows.LARGEST_BYTES, -1
    named, kept_rows.KeptRows.named = kept_rows.KeptRows.named, lambda *_: None  # type: ignore[method-assign]
    try:
        yield
    finally:
        kept_rows.LARGEST_BYTES, kept_rows.KeptRows.named = before, named  # type: ignore[method-assign]


def _search(name: str, whole: Act, of: Scene, caller: Caller, path: str, rounds: int) -> list[Step]:
    hub = of.world.parts.hub
    type_name, _, query = path.partition("?")
    pairs = [tuple(part.split("=", 1)) for part in query.split("&")]
    digest = digest_of(f"Bearer {caller.token}")
    total = cost_us(whole, rounds)
    interaction = cost_us(lambda: search(hub, digest, type_name, pairs), rounds)  # type: ignore[arg-type]
    plans = []
    asked = hub.store.search

    class Kept:
        """The store, keeping the plan of the search."""

        def __getattr__(self, called: str) -> Any:
            return getattr(hub.store, called)

        def search(self, plan: Any) -> Any:
            plans.append(plan)
            return asked(plan)

    search(replace(hub, store=Kept()), digest, type_name, pairs)  # type: ignore[arg-type]
    store = cost_us(lambda: asked(plans[0]), rounds)
    return [
        Step(name, "whole request, without the server", total),
        Step(name, "HTTP: Flask, headers, the page joined", total - interaction),
        Step(name, f"statement with the consent filter, {PAGE} rows made and opened", store),
        Step(name, f"query read, {PAGE} decisions and views, audit", interaction - store),
    ]


def _create(of: Scene, whole: Act, rounds: int) -> list[Step]:
    hub, parts = of.world.parts.hub, of.world.parts
    digest = digest_of(f"Bearer {of.accepted.s.token}")
    body = json_codec.decode_object(of.observation)
    applied: list[Any] = []

    class Kept:
        """The store, keeping Changes instead of applying them."""

        def __getattr__(self, called: str) -> Any:
            return getattr(hub.store, called)

        def apply(self, change: Any) -> None:
            applied[:] = [change]

    without = replace(hub, store=Kept())  # type: ignore[arg-type]
    proposal = Proposal(verb="create", type_name="Observation", body=body)
    total = cost_us(whole, rounds)
    decided = cost_us(lambda: write(without, by_token(hub, digest), proposal), rounds)
    interaction = cost_us(lambda: write(hub, by_token(hub, digest), proposal), rounds)
    planner = Planner(parts.bodies, parts.keyring.digests, hub.clock)
    return [
        Step("create", "whole request, without the server", total),
        Step("create", "HTTP: Flask, headers, JSON", total - interaction),
        Step("create", "validation", cost_us(lambda: validate(body), rounds)),
        Step("create", "everything decided, validation included", decided),
        Step("create", "sealing, index rows, plan", cost_us(lambda: planner.plan(applied[0]), rounds)),
        Step("create", "plan and commit (in this process)", interaction - decided),
    ]


CHECKS = "authentication, consent and audit together"
"""Beside the same read without them, of a row that is kept opened: nothing is opened on either side."""
SEALED_CHECKS = "the same and the opening of a sealed body"
"""Of a row that is not kept: beside a read that would give the body as it lies."""
STATEMENT = "token, standing and columns in the same statement"


def plain_flask_us() -> float:
    """Gives what an empty answer of plain Flask takes here: how fast this machine is, beside another one."""
    app = Flask("plain")
    app.add_url_rule("/x", view_func=lambda: Response("x", mimetype="text/plain"))
    environ = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/x",
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8080",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
        "HTTP_HOST": "127.0.0.1",
    }

    def call() -> None:
        answer = app({**environ, "wsgi.input": io.BytesIO()}, lambda *_: None)
        b"".join(answer)
        answer.close()

    return cost_us(call, 4_000)


def validator_share() -> float:
    """Gives what validating a resource takes, of what fhir.resources takes to read and write the same one."""
    from fhir.resources.R4B.servicerequest import ServiceRequest

    body = {**b.service_request("Patient/a", "b"), "id": "c"}
    text = json_codec.encode(body)
    ours = cost_us(lambda: validate(json_codec.decode_object(text)), 700)
    theirs = cost_us(lambda: ServiceRequest.model_validate_json(text).model_dump_json(), 700)
    return ours / theirs


def lines(steps: Sequence[Step]) -> list[str]:
    """Gives the table of steps."""
    width = max(len(step.step) for step in steps)
    found = [f"{'request':<16} {'step':<{width}} {'CPU us':>8}"]
    found.append("-" * len(found[0]))
    found += [f"{step.request:<16} {step.step:<{width}} {step.cost_us:>8.1f}" for step in steps]
    return found


def main() -> None:
    """Prints the table, or a profile."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.budget", description=__doc__)
    parser.add_argument("--rounds", type=int, default=1_400)
    parser.add_argument("--profile", help="a lane: own read, granted read, notice read, search ..., create")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hub-budget-") as folder:
        home = Path(folder) / "hub"
        with opened_world(f"sqlite:///{home / 'hub.db'}", home) as world:
            if not options.profile:
                print("\n".join(lines(steps(world, rounds=options.rounds))))
                return
            act = calls(scene(world))[options.profile]
            for _ in range(20):
                act()
            profile = cProfile.Profile(time.thread_time)
            profile.enable()
            for _ in range(options.rounds):
                act()
            profile.disable()
            pstats.Stats(profile).sort_stats("tottime").print_stats(60)


if __name__ == "__main__":
    main()
