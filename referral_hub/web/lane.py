"""The lane: one request computes at a time in a worker; it is given up while a commit or PostgreSQL is waited for.

What lives here: the lock and its two ways of use. What does not: threads and processes (``serving``).

Source: ``engine.md`` 1 (16 blocking threads behind one lane lock).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from threading import Lock, local

from flask import Response

Route = Callable[..., Response]


class Lane:
    """A lock that a thread holds while it computes and gives up while it waits."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._mine = local()

    def route(self, view: Route) -> Route:
        """Gives the route that runs inside the lane."""

        @wraps(view)
        def inside(**values: str) -> Response:
            with self.held():
                return view(**values)

        return inside

    @contextmanager
    def held(self) -> Iterator[None]:
        """Holds the lane for a block; a thread that has it already goes on."""
        if getattr(self._mine, "held", False):
            yield
            return
        self._lock.acquire()
        self._mine.held = True
        try:
            yield
        finally:
            self._mine.held = False
            self._lock.release()

    @contextmanager
    def away(self) -> Iterator[None]:
        """Gives up the lane for a block that waits; without the lane it does nothing."""
        if not getattr(self._mine, "held", False):
            yield
            return
        self._mine.held = False
        self._lock.release()
        try:
            yield
        finally:
            self._lock.acquire()
            self._mine.held = True
