"""Kill -9 at random moments: of one process, of the whole tree's head, or of connections to PostgreSQL."""

import os
import random
import signal
import threading
from collections import Counter

from tests.drill.hub import DrilledHub, now_s

SHORTEST_S = 0.8
LONGEST_S = 3.0
COMMON = {"writer": 3, "delivery": 3, "worker": 3, "server": 2, "serve": 1}
"""How often each is chosen, as weights. ``serve`` is the head: a service manager starts it again."""


class Killer(threading.Thread):
    """Kills until its time is over.

    Args:
        hub: whose processes.
        until_s: when to stop, on the drill's clock.
        seed: makes the choices, and the pauses, the same again.
    """

    def __init__(self, hub: DrilledHub, until_s: float, seed: int) -> None:
        super().__init__(name="killer", daemon=True)
        self.kills: Counter[str] = Counter()
        self._hub = hub
        self._until_s = until_s
        self._choice = random.Random(f"{seed}/killer")
        weights = dict(COMMON)
        if hub.database_url.startswith("postgresql"):
            del weights["writer"]
            weights["connection"] = 3
        self._roles, self._weights = list(weights), list(weights.values())
        self._pause = threading.Event()

    def run(self) -> None:
        while now_s() < self._until_s:
            self._pause.wait(self._choice.uniform(SHORTEST_S, LONGEST_S))
            (role,) = self._choice.choices(self._roles, self._weights)
            if role == "connection":
                self.kills[role] += self._hub.cut_connections(self._choice.randint(1, 4))
                continue
            pids = self._hub.pids(role)
            if pids:
                os.kill(self._choice.choice(pids), signal.SIGKILL)
                self.kills[role] += 1
