"""The tables that are printed: lanes beside control and bare database, and the targets.

What lives here: medians, quantiles, lines of text. What does not: measuring.

Source of the targets: the project's performance goals, told in docs/performance.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median


@dataclass(slots=True)
class Arm:
    """Everything measured of one arm: a lane of the hub, of the control or of the bare database."""

    name: str
    rates: list[float] = field(default_factory=list)
    latencies_us: list[float] = field(default_factory=list)
    alone_us: list[float] = field(default_factory=list)
    """Latencies with one connection and nobody else."""
    served_cpu_s: float = 0.0
    asking_cpu_s: float = 0.0
    count: int = 0

    @property
    def rate(self) -> float:
        return median(self.rates) if self.rates else 0.0

    @property
    def cpu_us(self) -> float:
        """Processor time of the serving processes per answer."""
        return self.served_cpu_s / self.count * 1e6 if self.count else 0.0

    @property
    def whole_cpu_us(self) -> float:
        """Processor time of serving and asking processes per answer."""
        return (self.served_cpu_s + self.asking_cpu_s) / self.count * 1e6 if self.count else 0.0


@dataclass(frozen=True, slots=True)
class Target:
    """One target and what was measured; ``reached`` is None where it was not measured here."""

    what: str
    target: str
    measured: str
    reached: bool | None


def quantile(values: Sequence[float], part: float) -> float:
    """Gives the value below which this part of the values lies.

    >>> quantile([5, 1, 3], 0.5)
    3
    """
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))] if ordered else 0.0


def ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def lane_table(lanes: Sequence[tuple[Arm, Arm | None, Arm | None]]) -> list[str]:
    """Gives the table of lanes; each with its control and its bare database, where there is one."""
    head = (
        f"{'lane':<18} {'op/s median':>11} {'min':>7} {'max':>7} {'p50 ms':>7} {'p99 ms':>7} "
        f"{'alone p50':>9} {'p99':>7} {'CPU us':>7} {'of control':>10} {'by CPU':>7} {'of bare':>8}"
    )
    lines = [head, "-" * len(head)]
    for arm, control, bare in lanes:
        alone = (
            f"{quantile(arm.alone_us, 0.5) / 1e3:>9.2f} {quantile(arm.alone_us, 0.99) / 1e3:>7.2f}"
            if arm.alone_us
            else f"{'':>9} {'':>7}"
        )
        lines.append(
            f"{arm.name:<18} {arm.rate:>11,.0f} {min(arm.rates):>7,.0f} {max(arm.rates):>7,.0f} "
            f"{quantile(arm.latencies_us, 0.5) / 1e3:>7.2f} {quantile(arm.latencies_us, 0.99) / 1e3:>7.2f} "
            f"{alone} {arm.cpu_us:>7.0f} {_part(arm, control):>10} {_by_cpu(arm, control):>7} {_part(arm, bare):>8}"
        )
    return lines


def _part(arm: Arm, other: Arm | None) -> str:
    return f"{ratio(arm.rate, other.rate):.1%}" if other is not None and other.rate else ""


def _by_cpu(arm: Arm, control: Arm | None) -> str:
    """Gives the same ratio by processor time, which processes of others disturb less."""
    return f"{ratio(control.whole_cpu_us, arm.whole_cpu_us):.1%}" if control is not None else ""


def target_table(targets: Sequence[Target]) -> list[str]:
    """Gives the targets with what was measured."""
    width = max(len(one.what) for one in targets)
    lines = [f"{'target':<{width}}  {'wanted':>16}  {'measured':>16}  reached"]
    lines.append("-" * len(lines[0]))
    for one in targets:
        reached = "not measured" if one.reached is None else "yes" if one.reached else "NO"
        lines.append(f"{one.what:<{width}}  {one.target:>16}  {one.measured:>16}  {reached}")
    return lines
