"""What a write asks of the gate, as a Protocol: who sees what, and whether sharing is covered.

What lives here: the questions and the shape of their answers. What does not: the answers (``exchange.gate``).
"""

from dataclasses import dataclass
from typing import Any, Literal, Protocol

from referral_hub.access.principal import Principal
from referral_hub.exchange.ports import OrganizationRow, ResourceRow
from referral_hub.exchange.state import Working

CoverageReason = Literal["live", "none", "ended", "refused"]


@dataclass(frozen=True, slots=True)
class Coverage:
    """Whether a release lets a notice about one person reach one organisation now.

    ``identity`` says the release names identity too; ``until_us`` when its last permit ends.
    """

    reason: CoverageReason
    identity: bool = False
    until_us: int | None = None
    consents: tuple[tuple[str, str], ...] = ()

    @property
    def live(self) -> bool:
        """Says whether the notice may leave."""
        return self.reason == "live"


class Judge(Protocol):
    """The gate, as the writing modules see it."""

    def reaches(self, caller: Principal, row: ResourceRow, working: Working, at_us: int) -> bool:
        """Tells whether a row of the organisation's own lies within the caller's reach, a deleted one too."""

    def sees(self, caller: Principal, row: ResourceRow, working: Working, at_us: int) -> bool:
        """Tells whether the caller may see a row at all."""

    def shown(
        self, caller: Principal, row: ResourceRow, working: Working, at_us: int
    ) -> dict[str, Any] | None:
        """Gives the row as the caller sees it, decoded; None where it is absent for this caller."""

    def coverage(self, owner: OrganizationRow, person: int, working: Working, at_us: int) -> Coverage:
        """Tells whether a release lets a notice about the person reach the organisation."""
