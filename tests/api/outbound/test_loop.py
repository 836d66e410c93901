"""The delivery process as a whole: it delivers soon, stops soon, and loses nothing when it is killed."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from referral_hub.outbound.loop import Pace
from referral_hub.store import schema
from referral_hub.store.statements import Statement
from tests import builders as b
from tests.api.outbound.conftest import Place, placed
from tests.api.outbound.delivering import loop_of
from tests.api.outbound.partner_server import PartnerServer, as_usual, failing, hanging_up, serving
from tests.world import World, opened_world

ROOT = Path(__file__).resolve().parents[3]


@contextmanager
def running(place: Place, **pace: float) -> Iterator[Callable[[], dict[str, int]]]:
    """Runs the delivery loop of a hub in this process."""
    stop = threading.Event()
    found = Pace(polling_s=0.05, timers_s=0.05, sealing_s=0.05, **pace)  # type: ignore[arg-type]
    loop = loop_of(place.world.parts, place.partner.base.removesuffix("/fhir"), pace=found)
    thread = threading.Thread(target=loop.run, args=(stop.is_set,))
    thread.start()
    try:
        yield loop.counts
    finally:
        asked = time.monotonic()
        stop.set()
        thread.join()
        assert time.monotonic() - asked < 15


def until(holds: Callable[[], object], seconds: float = 60) -> None:
    ends = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < ends, "it did not happen in time"
        time.sleep(0.005)


def test_a_referral_is_delivered_followed_and_sealed_by_itself(place: Place):
    with running(place) as counts:
        place.sign()
        place.refer()
        until(lambda: place.partner.tasks)
        until(lambda: counts().get("delivered") == 1)
        until(lambda: len(place.rows(schema.audit_seal, "seq")) >= len(place.rows(schema.audit, "id")))
        place.s.changed(place.task, status="cancelled", statusReason=b.reason("by-source"))
        until(lambda: place.partner.tasks[place.partner.only()]["status"] == "cancelled")
    assert place.partner.faults == []


def test_a_delivery_starts_soon_after_the_write(place: Place):
    place.sign()
    with running(place):
        place.refer()
        until(lambda: len(place.partner.tasks) == 1)
        waits = []
        for count in range(2, 12):
            place.refer()
            written = time.monotonic()
            until(lambda count=count: len(place.partner.tasks) == count)
            waits.append(time.monotonic() - written)
    assert min(waits) < 0.5


def test_a_fault_of_the_store_ends_one_round_only(place: Place, monkeypatch: pytest.MonkeyPatch):
    place.sign()
    place.refer()
    claims = 0
    claim = type(place.outbox).claim

    def failing_first(self: object, *arguments: int) -> object:
        nonlocal claims
        claims += 1
        if claims < 3:
            raise OSError("the database went away")
        return claim(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(type(place.outbox), "claim", failing_first)
    with running(place, after_fault_s=0.02):
        until(lambda: place.partner.tasks)
    assert claims >= 3


# --- killed while it delivers ---------------------------------------------------------------------------------

PARTNERS, MESSAGES, KILLS = 3, 12, 4


def queued(world: World, partners: list[PartnerServer]) -> dict[str, list[str]]:
    """Writes referrals to several partners; gives the numbers for each, in the order they were written."""
    first = placed(world, partners[0])
    clinics = [first.clinic] + [
        world.add_organization(f"clinic-{n}", "clinic", fhir_endpoint=partner.base, bases=(partner.base,))
        for n, partner in enumerate(partners[1:])
    ]
    written: dict[str, list[str]] = defaultdict(list)
    for clinic in clinics:
        first.sign(clinic)
    request = first.s.create(b.service_request(first.person, clinics[0]))
    for _ in range(MESSAGES):
        for clinic, partner in zip(clinics, partners, strict=True):
            made = first.s.create(b.task(first.person, f"ServiceRequest/{request['id']}", clinic))
            written[partner.base].append(made["identifier"][-1]["value"])
    return written


@contextmanager
def delivery_process(url: str, data_dir: Path, origins: str) -> Iterator["subprocess.Popen[bytes]"]:
    env = {
        "PATH": os.environ["PATH"],
        "REFERRAL_HUB_DATABASE_URL": url,
        "REFERRAL_HUB_DATA_DIR": str(data_dir),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.api.outbound.delivering", origins],
        cwd=ROOT,
        env=env,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


@pytest.mark.slow
def test_a_process_that_is_killed_again_and_again_delivers_everything_once_and_in_order(
    hub_url: str, tmp_path: Path
):
    chance = random.Random(7)
    with ExitStack() as stack:
        partners = [stack.enter_context(serving()) for _ in range(PARTNERS)]
        with opened_world(hub_url, tmp_path / "data") as world:
            written = queued(world, partners)
        for partner in partners:
            partner.before = lambda request: time.sleep(0.03)
            partner.script = [chance.choice((as_usual, hanging_up, failing(503))) for _ in range(6)]
        origins = ",".join(partner.base.removesuffix("/fhir") for partner in partners)

        def arrived() -> int:
            return sum(len(partner.tasks) for partner in partners)

        for kill in range(KILLS):
            process = stack.enter_context(delivery_process(hub_url, tmp_path / "data", origins))
            goal = (kill + 1) * PARTNERS * MESSAGES // (KILLS + 2)
            until(lambda goal=goal: arrived() >= goal, 240)
            time.sleep(chance.uniform(0, 0.05))
            process.send_signal(signal.SIGKILL)
            process.communicate()
        process = stack.enter_context(delivery_process(hub_url, tmp_path / "data", origins))
        until(lambda: arrived() == PARTNERS * MESSAGES, 240)
        process.communicate(timeout=60)
        assert process.returncode == 0

        for partner in partners:
            numbers = [task["identifier"][-1]["value"] for task in partner.tasks.values()]
            assert numbers == written[partner.base]
            assert partner.faults == []
        with opened_world(hub_url, tmp_path / "data") as world:
            states = place_rows(world, "outbox", "sequence", "state")
            told = place_rows(world, "audit", "id", "interaction", "entities")
    assert {state for _, state in states} == {schema.OUTBOX_DONE}
    lines = [entities for _, interaction, entities in told if interaction == "task-notice"]
    assert len(lines) == len(set(lines)) == PARTNERS * MESSAGES


def place_rows(world: World, table: str, *columns: str) -> list[tuple[object, ...]]:
    found = getattr(schema, table)
    chosen = [found.c[name] for name in columns]
    return world.parts.database.run(Statement(f"test_{table}", sa.select(*chosen).order_by(chosen[0])), {})
