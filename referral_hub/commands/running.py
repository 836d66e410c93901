"""``serve``, ``deliver`` and ``demo``: what keeps running."""

import gc
import os
import signal
import threading
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from referral_hub.commands.telling import settings_here

if TYPE_CHECKING:
    from referral_hub.settings import Settings

_BASE_URL = "REFERRAL_HUB_BASE_URL"
_PORT = 8080
_HOST = "127.0.0.1"
_FILE = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)


@click.command("serve")
@click.option("--host", default=_HOST, show_default=True, help="Address of this machine to listen on.")
@click.option(
    "--port",
    type=click.IntRange(1, 65_535),
    default=None,
    help="Port to listen on; 8080, or the port of a base URL on this machine.",
)
@click.option("--workers", type=click.IntRange(1, 256), default=None, help="Processes that answer.")
@click.option("--tls-cert", type=_FILE, metavar="FILE", help="Certificate chain in PEM; needs --tls-key.")
@click.option("--tls-key", type=_FILE, metavar="FILE", help="Its private key in PEM, without a password.")
def serve(
    host: str, port: int | None, workers: int | None, tls_cert: Path | None, tls_key: Path | None
) -> None:
    """Serve the FHIR API and the OAuth server, with the writer and the delivery process beside them.

    Ctrl-C or SIGTERM ends all of them in order. Without https in the base URL only this machine is served.
    """
    if (tls_cert is None) != (tls_key is None):
        raise click.UsageError("Give --tls-cert and --tls-key together.")
    chosen = _agree_on_address(host, port, tls=tls_cert is not None)
    settings = settings_here()
    gc.disable()  # what is imported now stays; looking for garbage in it would cost a tenth of the start
    try:
        _serve(settings, host, chosen, workers, tls_cert, tls_key)
    finally:
        gc.enable()


def _serve(
    settings: "Settings",
    host: str,
    port: int,
    workers: int | None,
    tls_cert: Path | None,
    tls_key: Path | None,
) -> None:
    from referral_hub.serving import Door, worker_count
    from referral_hub.serving import serve as keep_serving

    door = Door(host, port, tls_cert, tls_key)
    count = worker_count(settings, workers)

    def started() -> None:
        click.echo(
            f"Referral Hub answers at {door.url} as {settings.base_url} with {count} workers. Ctrl-C ends it."
        )
        if not settings.is_protected:
            click.echo("Without https in the base URL it serves this machine only.")

    keep_serving(settings, door, workers=count, started=started)


def _agree_on_address(host: str, port: int | None, *, tls: bool) -> int:
    """Gives the port, and lets the base URL follow where nobody has set one."""
    base_url = os.environ.get(_BASE_URL)
    if not base_url:
        chosen = port or _PORT
        shown = f"[{host}]" if ":" in host else host
        if not tls:  # with TLS the name in the certificate counts, which has to be said
            os.environ[_BASE_URL] = f"http://{shown}:{chosen}"
        return chosen
    if port is not None:
        return port
    try:
        parts = urlsplit(base_url)
        behind = parts.scheme == "https" and not tls
        return _PORT if behind or not parts.port else parts.port
    except ValueError:
        return _PORT  # the settings will say what is wrong with it


@click.command("deliver")
def deliver() -> None:
    """Run the delivery process alone: what leaves later, timers, the audit's chain.

    `serve` runs one already. A second one, on another machine, shares the work.
    """
    settings = settings_here()
    from referral_hub.serving import deliver_until

    stopped = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopped.set()

    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, stop)
    deliver_until(settings, stopped.is_set)


@click.command("demo")
@click.option("--check", is_flag=True, help="Play it, verify every step, and end.")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=_PORT,
    show_default=True,
    help="Port to serve on; 0 takes any that is free.",
)
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    metavar="DIR",
    help="Where the invented hub is kept; by default a directory that is gone afterwards.",
)
@click.pass_context
def demo(context: click.Context, port: int, data_dir: Path | None, *, check: bool) -> None:
    """Play the story of an invented network through the real interfaces, then keep serving."""
    from referral_hub import demo as story

    context.exit(story.run(check=check, port=port, data_dir=data_dir))
