"""What a release came to.

What lives here: the value. What does not: making one (``exchange.gate``).
"""

import msgspec

from referral_hub.exchange.ports import Released


class Outcome(msgspec.Struct, frozen=True):
    """A released body with the consents it stands on, for the audit.

    ``discloses`` says whether something about a person went to an organisation that did not write it. An empty
    card, a closed referral or a recall tell nothing, so reading one is no reason for a recall.
    """

    released: Released
    consents: tuple[tuple[str, str], ...]
    own: bool
    discloses: bool
