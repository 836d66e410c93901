"""The lane: one request computes at a time in a worker; it is given up while a commit or PostgreSQL is waited for.

What lives here: the lock and its ways of use, a withdrawal's before the others among them. What does not: threads
and processes (``serving``), which requests go ahead (``web.incoming``).

Source: ``engine.md`` 1 (16 blocking threads behind one lane lock).
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import wraps
from threading import Event, Lock, local
from types import TracebackType

from flask import Response

HANDED_ON_S = 0.1
"""How long others wait at most for those who go ahead."""

Route = Callable[..., Response]


class _Mine(local):
    """What a thread knows of itself."""

    is_held = False
    is_ahead = False


class Lane:
    """A lock that a thread holds while it computes and gives up while it waits."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._mine = _Mine()
        self._counting = Lock()
        self._ahead = 0
        self._nobody_waits_ahead = Event()
        self._nobody_waits_ahead.set()

    def route(self, view: Route) -> Route:
        """Gives the route that runs inside the lane."""

        @wraps(view)
        def inside(**values: str) -> Response:
            with self.held():
                return view(**values)

        return inside

    def held(self) -> AbstractContextManager[None]:
        """Holds the lane for a block; a thread that has it already goes on."""
        return _Held(self)

    def away(self) -> AbstractContextManager[None]:
        """Gives up the lane for a block that waits; without the lane it does nothing."""
        return _Away(self)

    @contextmanager
    def ahead(self) -> Iterator[None]:
        """Lets this thread go before the others of the worker, wherever it waits for the lane."""
        self._mine.is_ahead = True
        try:
            yield
        finally:
            self._mine.is_ahead = False

    def enter(self) -> bool:
        """Takes the lane; False where this thread has it already."""
        mine = self._mine
        if mine.is_held:
            return False
        if mine.is_ahead:
            self._take_ahead()
        else:
            self._lock.acquire()
            if self._ahead:
                # A lock does not know who matters more. Whoever got it by chance hands it on, once: nobody is
                # kept out by a stream of others.
                self._lock.release()
                self._nobody_waits_ahead.wait(HANDED_ON_S)
                self._lock.acquire()
        mine.is_held = True
        return True

    def has_somebody_ahead(self) -> bool:
        """Tells whether somebody waits who goes before the others."""
        return self._ahead > 0

    def leave(self) -> bool:
        """Gives the lane back; False where this thread does not have it."""
        mine = self._mine
        if not mine.is_held:
            return False
        mine.is_held = False
        self._lock.release()
        return True

    def _take_ahead(self) -> None:
        with self._counting:
            self._ahead += 1
            self._nobody_waits_ahead.clear()
        self._lock.acquire()
        with self._counting:
            self._ahead -= 1
            if not self._ahead:
                self._nobody_waits_ahead.set()


class _Held:
    """One block inside the lane."""

    __slots__ = ("_is_mine", "_lane")

    def __init__(self, lane: Lane) -> None:
        self._lane = lane

    def __enter__(self) -> None:
        self._is_mine = self._lane.enter()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._is_mine:
            self._lane.leave()


class _Away:
    """One block outside the lane."""

    __slots__ = ("_lane", "_was_held")

    def __init__(self, lane: Lane) -> None:
        self._lane = lane

    def __enter__(self) -> None:
        self._was_held = self._lane.leave()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._was_held:
            self._lane.enter()
