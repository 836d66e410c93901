"""The writer process of an embedded database: killed, starved and lied to, it loses nothing it acknowledged."""

import contextlib
import shutil
import signal
import socket
import sqlite3
import stat
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from referral_hub.errors import Busy, GuardFailed, HubError, Unavailable
from referral_hub.exchange.change import Change, VersionGuard
from referral_hub.store import schema
from referral_hub.store.database import open_sqlite
from referral_hub.store.frames import APPLIED, APPLY, ASK, HEADER, LARGEST, UNKNOWN, frame
from referral_hub.store.migrate import upgrade
from referral_hub.store.plan import Plan, Rule, encode
from referral_hub.store.sqlite_client import SocketWriter
from referral_hub.store.sqlite_group import Group, LocalWriter, WriterPaths
from tests.api.store.hubs import NOW, Hub, make_hub, next_version, write
from tests.api.store.writer_processes import Writer, running_writer


@pytest.fixture
def file(migrated_file: Path, tmp_path: Path) -> Path:
    """A migrated, empty database file."""
    return Path(shutil.copy2(migrated_file, tmp_path / "hub.db"))


@pytest.fixture
def writer(file: Path) -> Iterator[Writer]:
    with running_writer(file) as process:
        yield process


@pytest.fixture
def hub(file: Path, tmp_path: Path, writer: Writer) -> Iterator[Hub]:
    """A hub that writes through the writer process."""
    made = make_hub(f"sqlite:///{file}", tmp_path)
    assert isinstance(made.writer, SocketWriter)
    yield made
    made.close()


def mark(change_id: str) -> Plan:
    """Gives the smallest plan: it only leaves its mark."""
    return Plan(change_id, NOW, (), ())


def marks(file: Path) -> set[str]:
    with contextlib.closing(sqlite3.connect(file)) as connection:
        return {row[0] for row in connection.execute("SELECT change_id FROM applied_change")}


def test_changes_guards_and_refusals_come_back_over_the_socket(hub: Hub):
    first = write()
    hub.apply(resources=(first,))
    hub.apply(resources=(next_version(first),), guards=(VersionGuard(first.row_id, first.version),))
    with pytest.raises(GuardFailed):
        hub.apply(guards=(VersionGuard(first.row_id, first.version),))
    with pytest.raises(HubError) as refused:
        hub.writer.apply(Plan("x", NOW, (), (("no such statement", Rule.ANY, {}),)))
    assert not isinstance(refused.value, Unavailable)
    assert [row["number"] for row in hub.rows(schema.resource_version)] == [1, 2]


def test_socket_lock_and_database_are_closed_to_others(file: Path, tmp_path: Path, writer: Writer):
    paths = WriterPaths.of(file)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (paths.socket, paths.lock, file)}
    assert modes == {"writer.sock": 0o600, "hub.db.writer": 0o600, "hub.db": 0o600}


def test_nobody_else_writes_while_the_writer_runs(file: Path, writer: Writer):
    with pytest.raises(Busy):
        LocalWriter(WriterPaths.of(file), wait_s=0.1)
    with pytest.raises(Busy):
        upgrade(f"sqlite:///{file}")
    assert writer.stop() == 0
    LocalWriter(WriterPaths.of(file), wait_s=0.1).close()


def test_a_writer_without_its_parent_ends(writer: Writer):
    assert writer.leave() == 0


def test_a_second_writer_does_not_start(file: Path, writer: Writer):
    with pytest.raises(RuntimeError, match="did not start"):
        Writer(file, wait_s=0.1)


def test_changes_of_a_group_share_one_commit(file: Path):
    """Forty Changes in one group write fewer pages to the log than forty alone."""
    connection = open_sqlite(file, writer=True)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.execute("PRAGMA wal_autocheckpoint=0")
    group = Group(connection)
    before = frames_in_journal(file)
    assert set(group.apply([mark(f"c{position}") for position in range(40)])) == {None}
    together = frames_in_journal(file) - before
    before = frames_in_journal(file)
    for position in range(40):
        assert group.apply([mark(f"d{position}")]) == [None]
    alone = frames_in_journal(file) - before
    connection.close()
    assert together * 5 < alone


def test_threads_at_once_are_all_applied(file: Path, hub: Hub):
    plans = [mark(f"c{position}") for position in range(40)]
    begin = threading.Barrier(len(plans))

    def apply(plan: Plan) -> None:
        begin.wait()
        hub.writer.apply(plan)

    with ThreadPoolExecutor(len(plans)) as threads:
        list(threads.map(apply, plans))
    assert {plan.change_id for plan in plans} <= marks(file)


def frames_in_journal(file: Path) -> int:
    """Each commit adds at least one page to the write-ahead log."""
    return file.with_name(file.name + "-wal").stat().st_size


def test_a_group_keeps_the_good_ones_and_undoes_the_stale_one_alone(file: Path, tmp_path: Path):
    connection = open_sqlite(file, writer=True)
    group = Group(connection)
    stale = Plan("stale", NOW, (), (("lease_give", Rule.TOUCHES, {"name": "n", "holder": "h"}),))
    wrong = Plan("wrong", NOW, (), (("lease_give", Rule.ANY, {"name": "n"}),))
    outcomes = group.apply([mark("a"), stale, mark("b"), wrong, mark("c"), mark("a")])
    assert [type(outcome) for outcome in outcomes] == [
        type(None),
        GuardFailed,
        type(None),
        HubError,
        type(None),
        type(None),
    ]
    assert marks(file) == {"a", "b", "c"}
    connection.close()


def test_a_failing_disk_stores_nothing_of_the_group_and_says_so(file: Path):
    connection = open_sqlite(file, writer=True)
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count={pages + 4}")
    big = [Plan(f"big{position}" + "x" * 3000, NOW, (), ()) for position in range(40)]
    outcomes = Group(connection).apply([mark("small"), *big])
    assert [type(outcome) for outcome in outcomes] == [Unavailable] * (len(big) + 1)
    assert marks(file) == set()
    connection.execute("PRAGMA max_page_count=1000000")
    assert Group(connection).apply([mark("small")]) == [None]
    connection.close()


NONSENSE = {
    "nothing": b"",
    "half a header": b"\x00",
    "half a frame": frame(APPLY, encode(Plan("half", NOW, (), ())))[:-1],
    "another kind": frame(ord("x"), b"abc"),
    "too long": struct.pack(">IB", LARGEST + 1, APPLY),
    "no plan": frame(APPLY, b"\xc1 nonsense"),
    "no text": frame(ASK, b"\xff\xff"),
    "a whole request and then nothing": frame(APPLY, encode(Plan("whole", NOW, (), ()))),
}


@pytest.mark.parametrize("name", NONSENSE)
def test_a_client_that_talks_nonsense_or_vanishes_costs_only_itself(
    file: Path, hub: Hub, writer: Writer, name: str
):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.connect(str(WriterPaths.of(file).socket))
        client.sendall(NONSENSE[name])
    hub.writer.apply(mark("after it"))
    assert "after it" in marks(file)
    assert "half" not in marks(file)
    assert writer.process.poll() is None


def test_a_client_that_stalls_in_the_middle_of_a_frame_holds_nobody_up(file: Path, hub: Hub):
    whole = frame(APPLY, encode(mark("slow")))
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.connect(str(WriterPaths.of(file).socket))
        client.sendall(whole[:7])
        hub.writer.apply(mark("meanwhile"))
        client.sendall(whole[7:])
        assert client.recv(HEADER.size) == frame(ord("a"), b"")
    assert {"slow", "meanwhile"} <= marks(file)


def test_a_worker_killed_in_the_middle_of_a_change_never_ends_the_writer(
    file: Path, hub: Hub, writer: Writer
):
    program = """
import os, signal, socket, sys
client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
client.connect(sys.argv[1])
client.sendall(bytes.fromhex(sys.argv[2]))
os.kill(os.getpid(), signal.SIGKILL)
"""
    half = frame(APPLY, encode(mark("half done")))[:10]
    arguments = [sys.executable, "-c", program, str(WriterPaths.of(file).socket), half.hex()]
    assert subprocess.run(arguments, check=False).returncode == -signal.SIGKILL
    hub.writer.apply(mark("after it"))
    assert writer.process.poll() is None


def test_a_worker_that_lost_its_answer_asks_and_does_not_write_twice(file: Path, hub: Hub, writer: Writer):
    made = write()
    plan = hub.planner.plan(Change("once", resources=(made,)))
    hub.writer.apply(plan)
    # The answer was lost: the worker sends it again on another connection, to a writer that was started anew.
    writer.kill()
    with running_writer(file):
        hub.writer.apply(plan)
    assert len(hub.rows(schema.resource)) == 1


def test_without_a_writer_nothing_is_stored_and_the_worker_knows(tmp_path: Path):
    client = SocketWriter(tmp_path / "nobody.sock", patience_s=0.2)
    assert not client.answers()
    with pytest.raises(Busy):
        client.apply(mark("x"))


def test_a_writer_lost_before_its_answer_leaves_it_open_whether_it_was_stored(tmp_path: Path):
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(tmp_path / "w.sock"))
    listener.listen()

    def take_and_vanish() -> None:
        connection, _ = listener.accept()
        connection.recv(5)
        connection.close()
        listener.close()
        (tmp_path / "w.sock").unlink()

    thread = threading.Thread(target=take_and_vanish)
    thread.start()
    client = SocketWriter(tmp_path / "w.sock", patience_s=0.3)
    with pytest.raises(Unavailable, match="not known"):
        client.apply(mark("x"))
    thread.join()


@pytest.mark.parametrize(("known", "kinds"), [(True, [APPLY, ASK]), (False, [APPLY, ASK, APPLY])])
def test_after_a_lost_answer_the_worker_asks_first(tmp_path: Path, known: bool, kinds: list[int]):
    heard: list[int] = []

    def serve(listener: socket.socket) -> None:
        while len(heard) < len(kinds):
            connection, _ = listener.accept()
            with connection:
                while len(heard) < len(kinds):
                    length, kind = HEADER.unpack(connection.recv(HEADER.size, socket.MSG_WAITALL))
                    connection.recv(length, socket.MSG_WAITALL)
                    heard.append(kind)
                    if len(heard) == 1:
                        break  # the answer is lost
                    answer = UNKNOWN if kind == ASK and not known else APPLIED
                    connection.sendall(frame(answer, b""))

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(tmp_path / "w.sock"))
        listener.listen()
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        client = SocketWriter(tmp_path / "w.sock", patience_s=5)
        client.apply(mark("x"))
        thread.join()
        client.close()
    assert heard == kinds


@pytest.mark.parametrize("kills", [6])
def test_kill_9_again_and_again_loses_nothing_that_was_acknowledged(file: Path, tmp_path: Path, kills: int):
    """Sixteen threads write while the writer is killed and started again; what was told is what is there."""
    first = Writer(file)
    hub = make_hub(f"sqlite:///{file}", tmp_path)
    stop = threading.Event()
    told: list[str] = []
    tried: list[str] = []

    def work(worker: int) -> None:
        position = 0
        while not stop.is_set():
            position += 1
            made = write(row_id=worker * 1_000_000 + position)
            tried.append(made.id)
            try:
                hub.apply(change_id=f"{worker}/{position}", resources=(made,))
            except (Busy, Unavailable):
                continue
            told.append(made.id)

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(1, 17)]
    for thread in threads:
        thread.start()
    process = first
    for _ in range(kills):
        threading.Event().wait(0.4)
        process.kill()
        process = Writer(file)
    stop.set()
    for thread in threads:
        thread.join()
    process.kill()
    with contextlib.closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        stored = {row[0] for row in connection.execute("SELECT id FROM resource")}
        versions = {row[0] for row in connection.execute("SELECT id FROM resource_version")}
    hub.close()
    assert len(told) > kills
    assert set(told) <= stored
    assert stored == versions
    assert stored <= set(tried)
