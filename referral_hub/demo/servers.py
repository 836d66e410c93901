"""The processes of the demo: the hub, as ``referral-hub serve`` runs it, and the second clinic's own server.

What lives here: starting, waiting until they answer, and ending them. What does not: what they do
(``demo.tethered``, ``demo.ehr``), what is asked of them (the chapters).

Both end when their standard input does: this process need only let go of them, or be gone.
"""

import contextlib
import os
import secrets
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import requests

from referral_hub.demo.ehr_desk import DESK_KEY
from referral_hub.errors import ConfigurationError
from referral_hub.settings import PREFIX, Settings

START_S = 30.0
END_S = 30.0
WORKERS = 2


def environment(settings_given: Mapping[str, str]) -> dict[str, str]:
    """Gives the environment of a process of the demo: this one's, without the settings of another hub."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return {**kept, **settings_given, "PYTHONUNBUFFERED": "1"}


def free_port() -> int:
    """Gives a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def log_file(settings: Settings) -> Path:
    """Gives where the hub of the demo writes its log."""
    return settings.data_dir / "serve.log"


@contextmanager
def running_ehr() -> Iterator[tuple[str, str]]:
    """Runs the second clinic's server; gives its address and the key of its desk.

    Raises:
        ConfigurationError: it did not start.
    """
    desk_key = secrets.token_urlsafe(24)
    process = subprocess.Popen(
        [sys.executable, "-m", "referral_hub.demo.ehr"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment({DESK_KEY: desk_key}),
    )
    try:
        yield _first_line(process), desk_key
    finally:
        _let_go(process)


@contextmanager
def running_hub(settings: Settings, given: Mapping[str, str], port: int) -> Iterator[None]:
    """Runs the hub on a loopback address until the block ends.

    Args:
        settings: of the hub, to know where its log goes.
        given: the same settings as environment variables.
        port: where it listens.

    Raises:
        ConfigurationError: it did not start, with what it said.
    """
    log = log_file(settings)
    command = [sys.executable, "-m", "referral_hub.demo.tethered", str(port), str(WORKERS)]
    with log.open("wb") as told:
        process = subprocess.Popen(  # noqa: S603 - our own module, no word of it from outside
            command, stdin=subprocess.PIPE, stdout=told, stderr=told, env=environment(given)
        )
        try:
            _wait_until_ready(process, settings.base_url, log)
            yield
        finally:
            _let_go(process)


def _wait_until_ready(process: subprocess.Popen[bytes], base_url: str, log: Path) -> None:
    until_s = time.monotonic() + START_S
    while time.monotonic() < until_s:
        if process.poll() is not None:
            break
        with contextlib.suppress(requests.RequestException):
            if requests.get(f"{base_url}/health/ready", timeout=2).status_code == 200:
                return
        time.sleep(0.05)
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    said = lines[-1] if lines else "it said nothing"
    raise ConfigurationError(f"The hub did not start: {said}")


def _first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None  # noqa: S101 - it was asked for
    with selectors.DefaultSelector() as waiting:
        waiting.register(process.stdout, selectors.EVENT_READ)
        line = process.stdout.readline().strip() if waiting.select(START_S) else ""
    if not line.startswith("http://127.0.0.1:"):
        raise ConfigurationError("The second clinic's own server did not start.")
    return line


def _let_go(process: subprocess.Popen[bytes] | subprocess.Popen[str]) -> None:
    """Lets go of a process, which then ends in order; by force where that takes too long."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
