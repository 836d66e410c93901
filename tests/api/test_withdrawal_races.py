"""What crosses a withdrawal in the very moment it is made: it is asked back, and what still may leave does."""

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from referral_hub.app import clock, open_hub
from referral_hub.exchange.audit import delivery_entry
from referral_hub.exchange.change import AuditEntry
from referral_hub.exchange.consent_writing import LAST_LOOK_US, MISSED_US
from referral_hub.exchange.ports import ResourceRow
from referral_hub.outbound.timers import TimerWork
from referral_hub.settings import Settings
from referral_hub.store import schema
from referral_hub.store.outbox import Outbox
from referral_hub.store.segments import LATE_US
from referral_hub.store.statements import Statement, constant, words
from referral_hub.store.timers import Timers
from tests import builders as b
from tests.api.network import Story, story
from tests.world import World, parsed

LATER_US = MISSED_US + LAST_LOOK_US + 1_000_000
MINUTE_US = 60_000_000
_RECALLS = Statement(
    "test_recalls",
    sa.select(schema.resource.c.id).where(
        schema.resource.c.type == constant("Task"),
        schema.resource.c.kind == constant("recall"),
        schema.resource.c.owner == words("owner"),
    ),
)


def _row(it: Story, reference: str) -> ResourceRow:
    with it.world.parts.store.snapshot() as snapshot:
        row = snapshot.resource(*reference.split("/"))
    assert row is not None
    return row


def _arrived(it: Story) -> None:
    """What the delivery process writes of a message whose withdrawal was committed while it was on its way."""
    entry = delivery_entry(it.shelter, it.clinic, _row(it, it.task), (), "task-notice", clock())
    parts = it.world.parts
    parts.store.apply(parts.gate.admit_delivery(f"delivered/{it.task}", (entry,), ()))


def _later(it: Story) -> None:
    """Works every timer that is due by the moment of the second look."""
    parts = it.world.parts
    work = TimerWork(parts.hub, Timers(parts.database, parts.writer, parts.bodies))
    while work.fire_one(clock() + LATER_US):
        pass


def _recalls(it: Story) -> list[dict[str, Any]]:
    found = parsed(it.c.get(f"/Task?owner=Organization/{it.clinic}&_count=50")).get("entry", ())
    tasks = [entry["resource"] for entry in found]
    return [task for task in tasks if task["code"]["coding"][0]["code"] == "recall"]


def _ended(it: Story, how: str) -> None:
    if how == "operation":
        it.revoke()
    else:
        it.s.changed(f"Consent/{it.release['id']}", status="inactive")


@pytest.mark.parametrize("how", ["operation", "update"])
def test_what_arrived_in_the_moment_of_the_withdrawal_is_asked_back(world: World, how: str) -> None:
    it = story(world)
    it.sign()
    it.refer()
    _ended(it, how)
    _arrived(it)
    assert _recalls(it) == []
    _later(it)
    (recall,) = _recalls(it)
    assert not {"for", "focus"} & recall.keys()
    _later(it)
    assert len(_recalls(it)) == 1


def test_who_heard_nothing_is_asked_nothing(world: World) -> None:
    it = story(world)
    it.sign()
    it.refer()
    it.revoke()
    _later(it)
    assert _recalls(it) == []


def test_who_was_asked_with_the_withdrawal_is_not_asked_again(world: World) -> None:
    it = story(world)
    it.sign()
    it.refer()
    _arrived(it)
    it.revoke()
    assert len(_recalls(it)) == 1
    _later(it)
    assert len(_recalls(it)) == 1


def test_who_is_covered_again_by_then_is_asked_nothing(world: World) -> None:
    it = story(world)
    it.sign()
    it.refer()
    it.revoke()
    _arrived(it)
    it.sign()
    _later(it)
    assert _recalls(it) == []


def _waiting(it: Story) -> list[str]:
    """Gives the kinds of messages that may leave to this clinic, in order."""
    parts = it.world.parts
    outbox = Outbox(parts.database, parts.writer, parts.bodies)
    now_us, kinds = clock(), []
    while (claimed := outbox.claim(now_us, MINUTE_US)) is not None:
        outbox.done(claimed, now_us)
        if claimed.destination == it.clinic:
            kinds.append(claimed.kind)
    return kinds


@pytest.mark.parametrize(("releases", "waiting"), [(1, []), (2, ["task-notice"])])
def test_a_message_that_another_release_covers_still_leaves(
    world: World, releases: int, waiting: list[str]
) -> None:
    it = story(world)
    it.clinic = world.add_organization("clinic", "clinic", fhir_endpoint="https://ehr.example/fhir")
    for days in range(20, 20 + releases):
        it.release = it.s.create(b.release(it.person, it.shelter, b.permit(it.clinic, days=days)))
    it.refer()
    it.revoke()
    assert _waiting(it) == waiting


# --- whose lines are not in the database yet -----------------------------------------------------------------


def _read_by_the_clinic(it: Story) -> None:
    """The line of it lies in the spool; nobody brings it into the database here."""
    it.c.read(it.request)


@pytest.mark.parametrize("how", ["operation", "update"])
def test_who_read_a_moment_ago_is_asked_although_the_withdrawal_waited_for_no_line(
    world: World, how: str
) -> None:
    it = story(world)
    it.sign()
    it.refer()
    _read_by_the_clinic(it)
    _ended(it, how)
    assert _recalls(it) == []
    _later(it)
    assert len(_recalls(it)) == 1
    _later(it)
    assert len(_recalls(it)) == 1


def _line(it: Story, at_us: int) -> None:
    """The line of a read of the clinic's, as a machine writes it that stood still since."""
    row = _row(it, it.request)
    entry = AuditEntry(
        at_us=at_us,
        action="R",
        interaction="read",
        outcome=0,
        organization=it.clinic,
        oauth_client="",
        user="",
        purpose="TREAT",
        person=row.person,
        recipient=it.clinic,
        entities=(f"{row.type}/{row.id}/{row.version}",),
    )
    it.world.parts.spool.append((entry,), durable=True)


def test_a_line_that_comes_after_the_last_look_brings_a_look_of_its_own(world: World) -> None:
    it = story(world)
    it.sign()
    it.refer()
    it.revoke()
    _later(it)
    _line(it, clock() - LATE_US - 1_000_000)
    world.parts.store.settle(clock())
    assert _recalls(it) == []
    _later(it)
    assert len(_recalls(it)) == 1


def test_an_old_line_about_somebody_whose_permission_runs_asks_nothing(world: World) -> None:
    it = story(world)
    it.sign()
    it.refer()
    _line(it, clock() - LATE_US - 1_000_000)
    world.parts.store.settle(clock())
    _later(it)
    assert _recalls(it) == []


_KILLED = """
import os, signal, sys
from pathlib import Path
from tests.api.network import story
from tests.api.test_withdrawal_races import _later, _looked_once
from tests.world import opened_world

with opened_world(sys.argv[1], Path(sys.argv[2])) as world:
    it = story(world)
    it.sign()
    it.refer()
    it.c.read(it.request)
    it.revoke()
    if sys.argv[3] == "looked once":
        _looked_once(it)
    print(it.clinic, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def _looked_once(it: Story) -> None:
    """Takes the first look up without its end: the process dies while it works."""
    parts = it.world.parts
    assert Timers(parts.database, parts.writer, parts.bodies).claim(clock() + LATER_US, 1) is not None


@pytest.mark.parametrize("killed", ["acknowledged", "looked once"])
def test_everybody_who_read_is_told_although_the_hub_is_killed(tmp_path: Path, killed: str) -> None:
    url = f"sqlite:///{tmp_path / 'hub.db'}"
    child = subprocess.run(
        [sys.executable, "-c", _KILLED, url, str(tmp_path), killed],
        capture_output=True,
        text=True,
        check=False,
    )
    assert child.returncode == -signal.SIGKILL, child.stderr
    clinic = child.stdout.strip()
    settings = Settings.from_environment(
        {"REFERRAL_HUB_DATA_DIR": str(tmp_path), "REFERRAL_HUB_DATABASE_URL": url}
    )
    parts = open_hub(settings)
    try:
        work = TimerWork(parts.hub, Timers(parts.database, parts.writer, parts.bodies))
        while work.fire_one(clock() + LATER_US):
            pass
        found = parts.database.run(_RECALLS, {"owner": clinic})
    finally:
        parts.close()
    assert len(list(found)) == 1
