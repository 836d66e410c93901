"""A real writer process for tests, to be killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PROGRAM = """
import sys
from pathlib import Path
from referral_hub.store.writing import run_writer
run_writer(Path(sys.argv[1]), ready=lambda: print("ready", flush=True), lifeline=0, wait_s=float(sys.argv[2]))
"""


class Writer:
    """A running writer of one database file; it waits ``wait_s`` for another one to end."""

    def __init__(self, database: Path, wait_s: float = 10.0) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, str(database), str(wait_s)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        )
        assert self.process.stdout is not None
        if self.process.stdout.readline() != b"ready\n":
            self._over()
            raise RuntimeError("the writer did not start")

    def kill(self) -> None:
        """Ends it as a power cut would, and waits."""
        self.process.send_signal(signal.SIGKILL)
        self._over()

    def stop(self) -> int:
        """Asks it to end and gives its exit code."""
        self.process.terminate()
        return self._over()

    def leave(self) -> int:
        """Lets go of its lifeline and gives its exit code."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self._over()

    def _over(self) -> int:
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
        return self.process.wait(timeout=20)


@contextmanager
def running_writer(database: Path) -> Iterator[Writer]:
    """Gives a writer that is gone at the end of the block."""
    writer = Writer(database)
    try:
        yield writer
    finally:
        if writer.process.poll() is None:
            writer.kill()
