"""The audit spool: every line once in the database, whichever process died, and no changed line unseen."""

import json
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from referral_hub.errors import Unavailable
from referral_hub.store import schema
from referral_hub.store import segments as ingesting
from referral_hub.store import spool as spooling
from referral_hub.store.audit_rows import entry_of
from referral_hub.store.plan import Plan
from referral_hub.store.segments import Segments
from referral_hub.store.spool import Spool
from tests.api.store.hubs import NOW, Hub, entry, patient


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "audit"


@pytest.fixture
def spool(hub: Hub, folder: Path) -> Iterator[Spool]:
    made = Spool(folder, hub.keys)
    yield made
    made.close()


@pytest.fixture
def segments(hub: Hub, folder: Path) -> Segments:
    return Segments(folder, hub.database, hub.writer)


def told(position: int, **fields: object):
    return entry(at_us=NOW + position, entities=(f"Task/t{position}/v1",), **fields)


def test_a_line_of_a_read_becomes_audit_rows_with_their_details_sealed(
    hub: Hub, spool: Spool, segments: Segments, folder: Path
):
    her = patient()
    hub.apply(resources=(her,))
    first = told(1, person=her.row_id, recipient="clinic", consents=("c1/v1",), detail=b'{"query":"secret"}')
    second = told(2)
    spool.append((first, second), durable=True)
    (file,) = folder.glob("segment-*.jsonl")
    assert b"secret" not in file.read_bytes()
    assert (stat.S_IMODE(file.stat().st_mode), stat.S_IMODE(folder.stat().st_mode)) == (0o600, 0o700)
    assert segments.ingest(NOW).rows == 2
    assert [entry_of(hub.bodies, tuple(row.values())) for row in hub.rows(schema.audit)] == [first, second]
    assert hub.one(schema.ledger)["recipient"] == "clinic"
    assert {row["origin"] for row in hub.rows(schema.audit)} == {f"{file.stem}:0"}


def test_ingesting_again_brings_only_what_is_new(hub: Hub, spool: Spool, segments: Segments):
    for position in range(3):
        spool.append((told(position),), durable=position == 1)
        assert segments.ingest(NOW).rows == 1
        assert segments.ingest(NOW).rows == 0
    assert [row["at_us"] for row in hub.rows(schema.audit)] == [NOW, NOW + 1, NOW + 2]


def test_ingesting_ends_while_others_write_on(
    hub: Hub, spool: Spool, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(ingesting, "BATCH_ROWS", 1)

    class ReadOnMeanwhile:
        """The writer; before each batch is stored, somebody reads again."""

        written = 0

        def apply(self, plan: Plan) -> None:
            ReadOnMeanwhile.written += 1
            assert ReadOnMeanwhile.written < 20, "it follows the end of the file for ever"
            spool.append((told(100 + self.written),), durable=False)
            hub.writer.apply(plan)

        def close(self) -> None:
            """Nothing is held."""

    for position in range(3):
        spool.append((told(position),), durable=False)
    assert Segments(folder, hub.database, ReadOnMeanwhile()).ingest(NOW).rows == 3
    assert Segments(folder, hub.database, hub.writer).ingest(NOW).rows == 3


def test_many_threads_append_and_several_ingest_and_each_line_counts_once(
    hub: Hub, spool: Spool, folder: Path
):
    stop = threading.Event()

    def ingest() -> None:
        mine = Segments(folder, hub.database, hub.writer)
        while not stop.is_set():
            mine.ingest(NOW)

    ingesting = [threading.Thread(target=ingest) for _ in range(3)]
    for thread in ingesting:
        thread.start()
    with ThreadPoolExecutor(16) as threads:
        list(
            threads.map(
                lambda position: spool.append((told(position),), durable=position % 2 == 0), range(400)
            )
        )
    stop.set()
    for thread in ingesting:
        thread.join()
    Segments(folder, hub.database, hub.writer).ingest(NOW)
    found = sorted(row["at_us"] - NOW for row in hub.rows(schema.audit))
    assert found == list(range(400))


def test_a_full_segment_is_closed_ingested_and_kept(
    hub: Hub, folder: Path, segments: Segments, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(spooling, "SEGMENT_BYTES", 600)
    small = Spool(folder, hub.keys)
    for position in range(20):
        small.append((told(position),), durable=True)
    small.close()
    names = {path.name for path in folder.glob("segment-*.jsonl")}
    assert len(names) > 3
    report = segments.ingest(NOW)
    assert (report.rows, report.broken) == (20, ())
    assert {path.name for path in (folder / "ingested").iterdir()} == names
    assert list(folder.glob("segment-*.jsonl")) == []


def test_the_segment_of_a_killed_process_is_ingested_up_to_its_last_whole_line(
    hub: Hub, folder: Path, segments: Segments
):
    program = """
import os, signal, sys
from pathlib import Path
from referral_hub.exchange.change import AuditEntry
from referral_hub.store.spool import Spool
theirs = Spool(Path(sys.argv[1]), None)
for at_us, durable in ((1, True), (2, False)):
    theirs.append((AuditEntry(at_us, "R", "read", 0, "clinic", "ehr", "", "TREAT", None),), durable=durable)
os.kill(os.getpid(), signal.SIGKILL)
"""
    killed = subprocess.run([sys.executable, "-c", program, str(folder)], check=False)
    assert killed.returncode == -signal.SIGKILL
    (file,) = folder.glob("segment-*.jsonl")
    with file.open("ab") as end:
        end.write(b'{"previous":"cut in the mid')
    assert segments.ingest(NOW).rows == 2
    assert [row["at_us"] for row in hub.rows(schema.audit)] == [1, 2]
    assert list(folder.glob("segment-*.jsonl")) == []


def test_the_segment_of_a_living_process_stays(spool: Spool, segments: Segments, folder: Path):
    spool.append((told(1),), durable=True)
    segments.ingest(NOW)
    assert len(list(folder.glob("segment-*.jsonl"))) == 1


def changed(lines: list[bytes]) -> list[bytes]:
    found = json.loads(lines[1])
    found["rows"][0]["organization"] = "somebody else"
    return [lines[0], json.dumps(found).encode() + b"\n", lines[2]]


BREAKS = {
    "changed": (changed, 2),
    "taken out": (lambda lines: [lines[0], lines[2]], 1),
    "swapped": (lambda lines: [lines[1], lines[0], lines[2]], 0),
    "no line": (lambda lines: [lines[0], b"nonsense\n", lines[2]], 1),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_line_changed_or_taken_out_is_named_and_nothing_after_it_is_believed(
    hub: Hub, folder: Path, segments: Segments, name: str
):
    theirs = Spool(folder, hub.keys)
    for position in range(3):
        theirs.append((told(position),), durable=True)
    theirs.close()
    (file,) = folder.glob("segment-*.jsonl")
    lines = file.read_bytes().splitlines(keepends=True)[:3]
    tamper, believed = BREAKS[name]
    file.write_bytes(b"".join(tamper(lines)))
    report = segments.ingest(NOW)
    assert [segment for segment, _ in report.broken] == [file.stem]
    assert len(hub.rows(schema.audit)) <= believed
    assert file.exists()


def test_a_read_whose_audit_cannot_be_written_fails(hub: Hub, tmp_path: Path):
    folder = tmp_path / "gone"
    theirs = Spool(folder, hub.keys)
    folder.rmdir()
    with pytest.raises(Unavailable):
        theirs.append((told(1),), durable=True)
    folder.mkdir()
    theirs.append((told(2),), durable=True)
    theirs.close()


def test_a_detail_about_a_person_without_a_key_is_not_spooled(spool: Spool):
    with pytest.raises(Unavailable):
        spool.append((told(1, person=404, detail=b"{}"),), durable=True)
