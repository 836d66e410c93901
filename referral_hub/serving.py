"""Serving a hub: the writer, the workers that answer, the delivery process, and who watches over them.

What lives here: which processes there are, in which order, and what each one runs. What does not: watching
(``referral_hub.watching``), the application (``referral_hub.app``), the writer's and the delivery's work
(``store.writing``, ``outbound``).

    serve ─┬─ writer      SQLite only: the one that writes (a lock says so)
           ├─ server ─┬─ worker     16 threads, one computing at a time
           │          └─ worker
           └─ delivery    what leaves later, timers, the audit's chain

Settings travel by the environment. Ending goes the other way round: the server answers what it has begun, the
delivery process finishes its message, the writer goes last.

Source: ``interfaces.md`` 2; ``engine.md`` 1; ``performance.md`` 2a (start, memory).
"""

import gc
import logging
import multiprocessing
import os
import signal
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from referral_hub.errors import ConfigurationError, HubError
from referral_hub.settings import Settings
from referral_hub.watching import START_METHOD, Child, Lifeline, Told, Watch, name_this_process

log = logging.getLogger(__name__)

MOST_WORKERS = 4
"""Workers where nobody chose a number; one per processor up to so many."""
DRAIN_S = 20
"""How long a worker may take for the answers it has begun, in seconds."""
CONNECTIONS = 1024
"""Connections that one worker holds open, and that wait at the door, at most."""
IDLE_S = 120
"""How long a connection may be silent before a worker closes it, and how long a request's head may take, in seconds.

Longer than clients and proxies keep connections in their pools (60 to 90 s as a rule), so that it is they who close:
a request sent on a connection that the other side closes in that moment is lost. The server knows one time for both.
"""
DELIVERY_GRACE_S = 20
"""How long the delivery process may take for the messages on their way, in seconds."""
_LISTENING_S = 10.0


@dataclass(frozen=True, slots=True)
class Door:
    """Where the hub is served: an address of this machine, a port, and TLS where the hub itself speaks it."""

    host: str
    port: int
    tls_cert: Path | None = None
    tls_key: Path | None = None

    @property
    def url(self) -> str:
        """Gives the address as somebody on this machine would type it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls_cert else 'http'}://{host}:{self.port}"


def worker_count(settings: Settings, asked: int | None = None) -> int:
    """Gives how many workers there will be: as asked, as set, or one per processor up to four."""
    return asked or settings.workers or min(MOST_WORKERS, os.cpu_count() or 1)


def serve(settings: Settings, door: Door, *, workers: int, started: Callable[[], None]) -> None:
    """Serves a hub until this process gets SIGTERM, SIGINT or SIGHUP.

    Args:
        settings: as read from the environment, which the other processes read again.
        door: where to listen.
        workers: how many processes answer.
        started: called once everything runs.

    Raises:
        ConfigurationError: the hub, the address or the certificate cannot be used; nothing runs then.
    """
    from referral_hub.founding import refuse_unready  # a spawned child reads this module and needs none of it

    settings.refuse_open_door(door.host)
    address = _own_address(door)
    _refuse_bad_certificate(door)
    refuse_unready(settings)
    log_to_stderr(settings.log_level)
    name_this_process("hub-serve")
    server = Child(
        "server",
        partial(run_server, settings, door, address, workers),
        signalled=True,
        grace_s=DRAIN_S + 5,
    )
    delivery = Child("delivery", partial(run_delivery, settings), grace_s=DELIVERY_GRACE_S)
    writer: list[Child] = []
    if settings.sqlite_file is not None:
        writer.append(Child("writer", partial(run_writer, settings), waits=True))
    gc.freeze()
    shared = _share_what_all_need if START_METHOD == "fork" else _nothing
    Watch([*writer, server, delivery], [server, delivery, *writer], meanwhile=shared).run(started)


def log_to_stderr(level: str) -> None:
    """Sends the log of this process to standard error, times in UTC."""
    handler = logging.StreamHandler()
    form = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%SZ")
    form.converter = time.gmtime
    handler.setFormatter(form)
    logging.basicConfig(level=level, handlers=[handler], force=True)


def _nothing() -> None:
    """Is all there is to share where a process is not a copy of its parent."""


def _share_what_all_need() -> None:
    """Imports once, before the forks, and keeps the garbage collector from touching what is shared.

    The writer needs none of it: it opens the database while this goes on.
    """
    import granian.server.mp  # noqa: F401 - shared by the forks

    import referral_hub.app

    referral_hub.app.preload()
    gc.freeze()
    gc.enable()


# --- what each process runs ---------------------------------------------------------------------------


def run_writer(settings: Settings, lifeline: Lifeline, told: Told) -> None:
    """Runs the one writer of an embedded database. It ends with its lifeline and takes no signal: it goes last."""
    from referral_hub.store.writing import run_writer as write_until_cut

    def ready() -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        told.ready()

    assert settings.sqlite_file is not None  # noqa: S101 - there is a writer on SQLite only
    write_until_cut(settings.sqlite_file, settings.writer_socket, ready=ready, lifeline=lifeline.fileno())


def run_delivery(settings: Settings, lifeline: Lifeline, told: Told) -> None:
    """Runs the delivery process beside the others; it ends with its lifeline."""
    from referral_hub.app import open_served
    from referral_hub.delivering import open_delivery

    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    parts = open_served(settings)
    try:
        told.ready()
        open_delivery(parts).run(lifeline.is_cut)
    finally:
        parts.close()


def deliver_until(settings: Settings, stopped: Callable[[], bool]) -> None:
    """Delivers in this process, for the command ``deliver``.

    Raises:
        ConfigurationError: the hub cannot be worked with.
    """
    from referral_hub.delivering import open_delivery
    from referral_hub.founding import opened_hub

    with opened_hub(settings) as parts:
        log_to_stderr(settings.log_level)
        open_delivery(parts).run(stopped)


def run_server(
    settings: Settings, door: Door, address: str, workers: int, lifeline: Lifeline, told: Told
) -> None:
    """Runs the HTTP server, which starts the workers and starts one again that dies."""
    from granian import Granian
    from granian.constants import HTTPModes, Interfaces, SSLProtocols
    from granian.http import HTTP1Settings
    from granian.log import LogLevels

    multiprocessing.set_start_method(START_METHOD, force=True)
    lifeline.end_with_it(at_the_latest_s=DRAIN_S + 5)
    server = Granian(
        "referral_hub.app:worker",
        address=address,
        port=door.port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=IDLE_S * 1000),
        websockets=False,
        workers=workers,
        blocking_threads=settings.worker_threads,
        backlog=CONNECTIONS,
        backpressure=CONNECTIONS,
        ssl_cert=door.tls_cert,
        ssl_key=door.tls_key,
        ssl_protocol_min=SSLProtocols.tls12,
        respawn_failed_workers=True,
        respawn_interval=0.1,
        workers_kill_timeout=DRAIN_S,
        factory=True,
        log_access=False,
        log_level=LogLevels.error,
        log_dictconfig={"handlers": {}, "loggers": {"_granian": {"handlers": [], "propagate": True}}},
    )
    place = (address, door.port)
    load = partial(load_worker, settings.log_level, place, lifeline, told)
    server.serve(target_loader=load, wrap_loader=False)


def load_worker(log_level: str, place: tuple[str, int], lifeline: Lifeline, told: Told) -> Callable[..., Any]:
    """Gives the application inside a worker process, or ends the process with a sentence in the log."""
    name_this_process("hub-worker")
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # until it answers, there is nothing to end in order
    log_to_stderr(log_level)
    # The server ends its workers in order; only where it is gone too does a worker end itself.
    lifeline.end_with_it(after_s=1.0, at_the_latest_s=DRAIN_S + 5)
    from referral_hub.app import worker

    try:
        application = worker()
    except HubError as problem:
        log.error("a worker could not be started: %s", problem.text)
        told.failed(problem.text)
        sys.exit(1)
    threading.Thread(target=_tell_when_answering, args=(place, told), daemon=True).start()
    return application


def _tell_when_answering(place: tuple[str, int], told: Told) -> None:
    """The server opens the worker's socket only after this process gave it the application."""
    end_s = time.monotonic() + _LISTENING_S
    while time.monotonic() < end_s:
        try:
            socket.create_connection(place, timeout=1).close()
        except OSError:
            time.sleep(0.005)
        else:
            break
    told.ready()


# --- what is asked before anything starts -------------------------------------------------------------


def _own_address(door: Door) -> str:
    """Gives the IP address to listen on, once it is known that nobody else does.

    The server's own sockets may share a port with others of the same user, so that workers can share it. Two
    hubs must not.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            door.host, door.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except OSError as problem:
        raise ConfigurationError(
            f"Nothing can be served at {door.host} port {door.port} ({problem.strerror}); "
            "choose others with --host and --port."
        ) from problem
    return str(address[0])


def _refuse_bad_certificate(door: Door) -> None:
    if (door.tls_cert is None) != (door.tls_key is None):
        raise ConfigurationError("A certificate needs its key, and a key its certificate.")
    if door.tls_cert is None:
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(door.tls_cert, door.tls_key)
    except (OSError, ValueError) as problem:  # ssl.SSLError is an OSError
        raise ConfigurationError(
            f"The TLS certificate and key cannot be used ({type(problem).__name__}): "
            "both in PEM, and the key without a password."
        ) from problem
