"""A disk as slow as most: 2 ms more for every fsync, by a small library that is loaded before the C library.

What lives here: the library's source, and its making where a C compiler is there. What does not: who uses it.

The disk of a development machine may take 0.1 ms for an fsync, an ordinary one 2 to 5 ms. A store that commits
one by one hides this on the former and collapses on the latter.
"""

import shutil
import subprocess
import sys
from pathlib import Path

DELAY_MS = 2.0

_SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>

static void wait_for_the_disk(void) {
    struct timespec left = {0, DELAY_NS};
    nanosleep(&left, &left);
}

int fsync(int descriptor) {
    static int (*real)(int);
    if (!real) real = (int (*)(int)) dlsym(RTLD_NEXT, "fsync");
    wait_for_the_disk();
    return real(descriptor);
}

int fdatasync(int descriptor) {
    static int (*real)(int);
    if (!real) real = (int (*)(int)) dlsym(RTLD_NEXT, "fdatasync");
    wait_for_the_disk();
    return real(descriptor);
}
"""


def library(directory: Path) -> tuple[Path | None, str]:
    """Gives the library, or None and why there is none."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if not sys.platform.startswith("linux"):
        return None, "the library is for Linux"
    if compiler is None:
        return None, "there is no C compiler"
    source, made = directory / "slow_disk.c", directory / "slow_disk.so"
    source.write_text(_SOURCE)
    command = [compiler, "-shared", "-fPIC", "-O2", f"-DDELAY_NS={int(DELAY_MS * 1e6)}L"]
    done = subprocess.run([*command, "-o", made, source, "-ldl"], capture_output=True, check=False)
    if done.returncode:
        return None, f"{compiler} could not make it"
    return made, ""
