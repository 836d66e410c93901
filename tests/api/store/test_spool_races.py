"""Ingesting while another process ingests: whoever asks for it finds afterwards what was written before."""

from pathlib import Path

from referral_hub.store import schema
from referral_hub.store.apply import PlanWriter
from referral_hub.store.plan import Plan
from referral_hub.store.segments import Segments
from referral_hub.store.spool import Spool
from tests.api.store.hubs import NOW, Hub, entry


class Slow:
    """A writer that takes plans and applies them when it is told to."""

    def __init__(self, writer: PlanWriter) -> None:
        self._writer = writer
        self._taken: list[Plan] = []

    def apply(self, plan: Plan) -> None:
        self._taken.append(plan)

    def go_on(self) -> None:
        while self._taken:
            self._writer.apply(self._taken.pop(0))

    def close(self) -> None:
        """Holds nothing."""


class Behind:
    """A writer whose plans are applied after those of a slow one."""

    def __init__(self, writer: PlanWriter, slow: Slow) -> None:
        self._writer = writer
        self._slow = slow

    def apply(self, plan: Plan) -> None:
        self._slow.go_on()
        self._writer.apply(plan)

    def close(self) -> None:
        """Holds nothing."""


def test_a_line_that_another_process_did_not_see_is_there_afterwards(hub: Hub, tmp_path: Path):
    folder = tmp_path / "audit"
    spool = Spool(folder, hub.keys)
    slow = Slow(hub.writer)
    spool.append((entry(at_us=NOW),), durable=True)
    Segments(folder, hub.database, slow).ingest(NOW)
    spool.append((entry(at_us=NOW + 1),), durable=True)
    Segments(folder, hub.database, Behind(hub.writer, slow)).ingest(NOW)
    assert [row["at_us"] for row in hub.rows(schema.audit)] == [NOW, NOW + 1]
    spool.close()
