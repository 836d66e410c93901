"""A server that others wrote, to try the suite on: plain HAPI in memory.

What lives here: building the Java program under ``conformance/hapi`` with Maven and running it. What does not:
what the suite finds there (``conformance/expected/hapi.json``).
"""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from conformance.own_hub import DidNotStart, free_port, wait_for

_PROJECT = Path(__file__).with_name("hapi")
_TARGET = _PROJECT / "target"
_STAMP = _TARGET / "built"


def missing_tools() -> str:
    """Gives in one line what the server needs and this machine lacks; empty for nothing."""
    absent = [tool for tool in ("javac", "java", "mvn") if shutil.which(tool) is None]
    if not absent:
        return ""
    return f"missing: {', '.join(absent)}; Debian and Ubuntu: apt-get install openjdk-17-jdk-headless maven"


def build() -> None:
    """Compiles the server and fetches what it needs, unless that was done since it last changed.

    Raises:
        DidNotStart: a tool is missing, or Maven failed.
    """
    if missing := missing_tools():
        raise DidNotStart(missing)
    sources = [*_PROJECT.glob("src/**/*.java"), _PROJECT / "pom.xml"]
    if _STAMP.exists() and _STAMP.stat().st_mtime > max(one.stat().st_mtime for one in sources):
        return
    command = ["mvn", "-q", "-B", "-ntp", "-f", str(_PROJECT / "pom.xml"), "compile"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
    if done.returncode:
        raise DidNotStart(f"Maven could not build the HAPI server:\n{(done.stdout + done.stderr)[-2000:]}")
    _STAMP.touch()


@contextmanager
def hapi(*, front_port: int = 0) -> Iterator[int]:
    """Serves HAPI until the block ends; gives its port. Its FHIR base is ``/fhir`` there.

    Args:
        front_port: the port of a proxy before it, which it names as its own address; 0 for none.
    """
    build()
    port = free_port()
    command = [
        "java",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-cp",
        f"{_TARGET / 'classes'}:{_TARGET / 'lib'}/*",
        "conformance.PlainServer",
        str(port),
        str(front_port or port),
    ]
    served = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 - fixed words
    try:
        wait_for(f"http://127.0.0.1:{port}/fhir/metadata", served)
        yield port
    finally:
        served.terminate()
        served.wait(timeout=20)
