"""Watching over child processes: they are started in order, started again when they die, and ended in order.

What lives here: ``Child``, ``Lifeline`` and ``Watch``. What does not: what the processes of a hub do
(``referral_hub.serving``).

A child holds the read end of a pipe of which only the parent holds the write end: its lifeline. The parent ends
a child by cutting it, and a parent that is killed cuts all of them. So no child outlives its parent, whatever
ended it. Signals from a terminal or a service manager reach the parent alone: each child is a session of its own.

Source: ``engine.md`` 1 (one writer under ``serve``).
"""

import contextlib
import gc
import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import FrameType

from referral_hub.errors import ConfigurationError, HubError

log = logging.getLogger(__name__)

START_METHOD = "fork" if sys.platform == "linux" else "spawn"
"""A fork shares what the parent has imported, in time and memory. macOS forbids it to most of its libraries."""

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 10.0
SETTLED_S = 30.0
"""A child that lived this long starts again at once."""
READY_S = 20.0
MOST_FAILED_STARTS = 5
"""A child that never got ready in so many starts ends everything: then somebody has to look."""

_held: list[Connection] = []
"""The parent's ends; a forked child closes them, or it would hold its siblings' lifelines."""


@dataclass(frozen=True, slots=True)
class Lifeline:
    """A child's tie to its parent."""

    end: Connection

    def fileno(self) -> int:
        """Gives the descriptor that reads as ended once the line is cut."""
        return self.end.fileno()

    def is_cut(self) -> bool:
        """Tells whether the parent cut it or is gone."""
        return self.end.poll(0)

    def end_with_it(self, *, after_s: float = 0.0, at_the_latest_s: float = 15.0) -> None:
        """Ends this process in order once the line is cut, and by force where that takes too long.

        Args:
            after_s: how long somebody else is given to end it first.
            at_the_latest_s: how long ending in order may take.
        """

        def follow() -> None:
            self.end.poll(None)
            time.sleep(after_s)
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(at_the_latest_s)
            os._exit(1)

        threading.Thread(target=follow, name="lifeline", daemon=True).start()


@dataclass(frozen=True, slots=True)
class Told:
    """How a child tells its parent, once, that it is ready, or in one sentence why it cannot be."""

    end: Connection

    def ready(self) -> None:
        """Tells that it is ready."""
        self._send("")

    def failed(self, text: str) -> None:
        """Tells why it cannot be."""
        self._send(text or "It could not be started.")

    def _send(self, text: str) -> None:
        with contextlib.suppress(OSError):  # the parent asked only for the first answer
            self.end.send(text)


Work = Callable[[Lifeline, Told], None]


@dataclass(slots=True)
class Child:
    """One process that is kept running.

    Args:
        name: what it is called in the log.
        work: what it does; it returns when its lifeline is cut. A function of a module, or a partial of one.
        waits: True where the next one starts only when this one is ready.
        signalled: True where it is asked to end by SIGTERM before its lifeline is cut.
        grace_s: how long ending in order may take.
    """

    name: str
    work: Work
    waits: bool = False
    signalled: bool = False
    grace_s: float = 10.0
    process: BaseProcess | None = None
    lifeline: Connection | None = None
    told: Connection | None = None
    was_ready: bool = False
    failures: int = 0
    started_s: float = 0.0
    due_s: float = field(default=0.0)

    def start(self, context: BaseContext) -> None:
        """Starts it."""
        theirs, ours = context.Pipe(duplex=False)
        told, telling = context.Pipe(duplex=False)
        _held.extend((ours, told))
        self.lifeline, self.told = ours, told
        self.process = context.Process(  # type: ignore[attr-defined]
            target=_live, name=self.name, args=(self.name, self.work, Lifeline(theirs), Told(telling))
        )
        self.process.start()
        self.started_s = time.monotonic()
        theirs.close()
        telling.close()

    def end(self) -> None:
        """Ends it: in order, and by force where that takes too long."""
        process = self.process
        if process is None:
            return
        if self.signalled:
            process.terminate()
        self.cut()
        process.join(self.grace_s)
        if process.is_alive():
            log.error("%s did not end in order and was killed", self.name)
            process.kill()
            process.join()
        process.close()
        self.process = None

    def has_ended(self) -> bool:
        """Tells whether it ended by itself.

        The process is asked itself: what it started holds the descriptors of its sentinel too.
        """
        return self.process is not None and self.process.exitcode is not None

    def cut(self) -> None:
        """Cuts its lifeline, and stops listening to it."""
        for end in (self.lifeline, self.told):
            if end is not None and end in _held:
                _held.remove(end)
                end.close()
        self.lifeline = self.told = None

    def hear(self) -> str | None:
        """Gives what it told: '' for ready, a sentence for a failure; None where it fell silent."""
        assert self.told is not None  # noqa: S101 - asked only while it has not told
        try:
            text = str(self.told.recv())
        except (EOFError, OSError):
            text = None
        _held.remove(self.told)
        self.told.close()
        self.told = None
        if text == "":
            self.was_ready = True
        return text


def name_this_process(name: str) -> None:
    """Gives this process a name that ``ps`` and ``top`` show, where the system allows it (Linux, 15 letters)."""
    with contextlib.suppress(OSError):
        Path("/proc/self/comm").write_text(name, encoding="ascii")


def _live(name: str, work: Work, lifeline: Lifeline, told: Told) -> None:
    """The first thing a child does."""
    name_this_process(f"hub-{name}")
    for one in (signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(one, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.enable()  # the parent may have started this one while it did without
    os.setsid()
    while _held:
        _held.pop().close()
    try:
        work(lifeline, told)
    except HubError as problem:
        log.error("%s", problem.text)
        told.failed(problem.text)
        sys.exit(1)


class Watch:
    """Keeps children running until it is told to end.

    Args:
        children: in the order they are started in.
        ending: the same ones, in the order they are ended in.
        meanwhile: done once by this process, while the first child that the others wait for gets ready; before the
            first one where none is waited for.
    """

    def __init__(
        self,
        children: Sequence[Child],
        ending: Sequence[Child],
        meanwhile: Callable[[], None] = lambda: None,
    ) -> None:
        self._children = tuple(children)
        self._ending = tuple(ending)
        self._meanwhile: Callable[[], None] | None = meanwhile
        self._context = multiprocessing.get_context(START_METHOD)
        self._wake, self._waking = os.pipe()
        os.set_blocking(self._waking, False)
        self._stopping = False
        self._announced = False

    def run(self, ready: Callable[[], None]) -> None:
        """Starts all, and returns after SIGTERM, SIGINT or SIGHUP ended all.

        Args:
            ready: called once, when every child is ready.

        Raises:
            ConfigurationError: one of them cannot be started at all; everything has ended then.
        """
        ending = [signal.SIGTERM, signal.SIGINT, signal.SIGHUP]
        if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
            ending.remove(signal.SIGHUP)  # started by nohup: it is to outlive its terminal
        before = {one: signal.signal(one, self._stop) for one in ending}
        before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, self._wake_up)
        try:
            for child in self._children:
                if self._stopping:
                    break
                self._start(child)
            while not self._stopping:
                self._look(ready)
        finally:
            for child in self._ending:
                child.end()
            for one, handler in before.items():
                signal.signal(one, handler)
            os.close(self._wake)
            os.close(self._waking)

    def _stop(self, _signal: int, _frame: FrameType | None) -> None:
        self._stopping = True
        self._wake_up()

    def _wake_up(self, _signal: int = 0, _frame: FrameType | None = None) -> None:
        with contextlib.suppress(OSError):  # full: it wakes up anyway
            os.write(self._waking, b"!")

    def _start(self, child: Child) -> None:
        meanwhile, self._meanwhile = self._meanwhile, None
        if meanwhile is not None and not child.waits:
            meanwhile()
        child.start(self._context)
        if meanwhile is not None and child.waits:
            meanwhile()
        end_s = time.monotonic() + READY_S
        while child.waits and child.told is not None and not self._stopping:
            happened = wait([self._wake, child.told], timeout=max(0.0, end_s - time.monotonic()))
            if child.told in happened:
                self._heard(child)
            elif not happened or child.has_ended():
                return
            else:
                os.read(self._wake, 4096)

    def _look(self, ready: Callable[[], None]) -> None:
        """Waits until something happens, and does what follows from it."""
        if not self._announced and all(child.was_ready for child in self._children):
            self._announced = True
            ready()
        now_s = time.monotonic()
        waiting = [child for child in self._children if child.process is None]
        for child in waiting:
            if child.due_s <= now_s:
                self._start(child)
        pauses = [child.due_s - now_s for child in waiting if child.process is None]
        tellers = {child.told: child for child in self._children if child.told is not None}
        happened = wait([self._wake, *tellers], timeout=min(pauses, default=None))
        if self._wake in happened:
            os.read(self._wake, 4096)
        for thing in happened:
            if thing in tellers:
                self._heard(tellers[thing])
        for child in self._children:
            if child.has_ended() and not self._stopping:
                self._died(child)

    def _heard(self, child: Child) -> None:
        text = child.hear()
        if text and not child.was_ready:
            raise ConfigurationError(text)

    def _died(self, child: Child) -> None:
        if child.told is not None and child.told.poll(0):
            self._heard(child)
        lived_s = time.monotonic() - child.started_s
        child.failures = 1 if lived_s >= SETTLED_S else child.failures + 1
        if not child.was_ready and child.failures >= MOST_FAILED_STARTS:
            raise ConfigurationError(f"The {child.name} could not be started; the log says more.")
        pause_s = min(FIRST_PAUSE_S * 2 ** (child.failures - 1), LONGEST_PAUSE_S)
        code = child.process.exitcode if child.process is not None else None
        log.error("the %s ended by itself (%s) and is started again in %.1f s", child.name, code, pause_s)
        child.end()
        child.due_s = time.monotonic() + pause_s
