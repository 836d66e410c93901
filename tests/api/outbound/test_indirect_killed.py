"""A delivery process that is killed in the middle of a visit to a source: one copy, one Task, nothing lost."""

import random
import signal
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from referral_hub.app import create_app, open_hub
from referral_hub.demo.ehr_records import Records
from referral_hub.demo.ehr_tasks import Kept
from referral_hub.store import schema
from tests import builders as b
from tests.api.outbound.indirect import Indirect, placed, records_system
from tests.api.outbound.partner_server import serving
from tests.api.outbound.test_loop import delivery_process, until
from tests.world import World, opened_world

READS = 5
"""Of one visit: request, person, three that go with it."""


class Counted(Records):
    """Records that answer slowly and count how often they were asked."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0
        self.guard = threading.Lock()

    def read(self, reference: str) -> Kept:
        with self.guard:
            self.reads += 1
        time.sleep(0.02)
        return super().read(reference)


def reopened(it: Indirect) -> World:
    """Opens the hub of a test again, as the next process finds it."""
    parts = open_hub(it.world.parts.settings)
    app = create_app(parts)
    app.testing = True
    return World(parts, app.test_client(), it.world.organizations)


@pytest.mark.slow
def test_killed_while_it_fetches_and_while_it_writes(hub_url: str, tmp_path: Path):
    chance = random.Random(11)
    with ExitStack() as stack:
        ehr = stack.enter_context(records_system())
        records = ehr.records = Counted()
        partner = stack.enter_context(serving())
        with opened_world(hub_url, tmp_path / "data") as world:
            it = placed(world, ehr, partner)
            it.fill(b.condition(""), b.observation(""), b.condition("", text="burn"))
            it.refer()
        origins = ",".join((ehr.base, partner.base.removesuffix("/fhir")))
        for goal in (1, READS, READS, READS):
            records.reads = 0
            process = stack.enter_context(delivery_process(hub_url, tmp_path / "data", origins))
            until(lambda goal=goal: records.reads >= goal)
            time.sleep(chance.uniform(0, 0.06))
            process.send_signal(signal.SIGKILL)
            process.communicate()
        process = stack.enter_context(delivery_process(hub_url, tmp_path / "data", origins))
        time.sleep(3.0)  # longer than the lease of the one that was killed last
        process.communicate(timeout=60)
        assert process.returncode == 0

        again = reopened(it)
        try:
            it.world, it.s.client, it.t.client = again, again.client, again.client
            for url in (it.person, it.request):
                assert len(it.copies(url)) == 1
            copied = it.copy(it.request)
            assert len(copied["supportingInfo"]) == len(
                {one["reference"] for one in copied["supportingInfo"]}
            )
            assert len(copied["supportingInfo"]) == READS - 2
            it.sign()
            (task,) = it.inbox(it.t)
            assert it.state() == ("requested", "hub-routing", "")
            states = [state for (state,) in it.rows(schema.outbox, "state")]
        finally:
            again.parts.close()
        assert sorted(states) == sorted([schema.OUTBOX_DONE, schema.OUTBOX_WAITING])
        process = stack.enter_context(delivery_process(hub_url, tmp_path / "data", origins))
        until(lambda: len(partner.tasks) == 1)
        process.communicate(timeout=60)
        assert partner.faults == []
        assert task["identifier"] == partner.tasks[partner.only()]["identifier"]
