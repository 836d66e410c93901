"""The hub of the demo, as ``referral-hub serve`` runs it, tied to whoever started it.

What lives here: ending with the starter, whatever ended that one. What does not: serving
(``referral_hub.serving``).

Whoever starts this process holds the other end of its standard input. When that end is gone, so is the hub: a
demo that was killed leaves nothing behind.
"""

import os
import signal
import sys
import threading

from referral_hub.errors import HubError
from referral_hub.serving import Door, serve
from referral_hub.settings import Settings


def main() -> None:
    """Serves on the port of the first argument with as many workers as the second says."""
    port, workers = int(sys.argv[1]), int(sys.argv[2])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the demo, which then lets go of us
    threading.Thread(target=_end_with_starter, daemon=True).start()
    try:
        settings = Settings.from_environment(os.environ)
        serve(settings, Door("127.0.0.1", port), workers=workers, started=lambda: None)
    except HubError as problem:
        sys.exit(problem.text)


def _end_with_starter() -> None:
    # Not through sys.stdin: its lock would be held here while the others are forked.
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
