"""What the looks afterwards found: counts, and each wrong thing in a sentence.

What lives here: the small record. What does not: the looks (``tests.drill.verdict``).
"""

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Findings:
    """Counts by name, and what is lost or wrong.

    ``lost`` counts what was acknowledged and is not there; ``slowest_crossing_s`` is the longest time after an
    acknowledged withdrawal at which a message arrived that was on its way then.
    """

    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    lost: int = 0
    slowest_crossing_s: float = 0.0

    def is_wrong(self, text: str, *, lost: bool = False) -> None:
        """Notes one wrong thing."""
        self.wrong.append(text)
        self.lost += lost

    def line(self, kills: int, writes: int, *, chain: bool) -> str:
        """Gives the one line that sums the drill up."""
        return (
            f"drill: {kills} kills, {writes} writes acknowledged, {self.lost} lost, "
            f"{self.counts['deliveries']} deliveries, {self.counts['duplicates']} duplicates with the same key, "
            f"chain {'verifies' if chain else 'DOES NOT VERIFY'}"
        )
