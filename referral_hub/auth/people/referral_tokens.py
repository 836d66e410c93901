"""The token behind a link or an answer by phone: of the recipient's organisation, for one referral, for minutes.

What lives here: making its row. What does not: who may act through one (``auth.people.referral_links``,
``web.portal.paper``), what it reads (``exchange.gate``).

It is a token nobody holds (``auth.people.keyless_tokens``). It is bound to the releases the
referral stands on as tokens of partners' software are, so it never reads more than they name now, and it ends with
any withdrawal like those. A referral without a name has no release: its token is about the nameless person alone.

Source: ``consent.md`` D-04 to D-07; ``views.md`` 9.
"""

from collections.abc import Callable

from referral_hub.access.principal import Binding
from referral_hub.auth.bindings import binding_text
from referral_hub.auth.people.keyless_tokens import digest_for, ends_us, minted
from referral_hub.auth.people.ports import Apply
from referral_hub.auth.rich_requests import BOUND_TYPES
from referral_hub.exchange.change import Change
from referral_hub.exchange.ports import TokenRow
from referral_hub.exchange.referral_ways import Way

LINK = "link"
"""The OAuth client that links act as; it has no key, so no software can act as it."""
_LOOP = "system/Task.rus system/ServiceRequest.rs system/Patient.rs"
_SCOPE = " ".join((_LOOP, *(f"system/{name}.rs" for name in sorted(BOUND_TYPES - {"Task"}))))


class ReferralTokens:
    """Gives the token through which one referral is read and answered. Safe for threads and processes.

    Args:
        token: reads a token row by its digest.
        apply: applies a Change.
        key: secret of this hub.
    """

    def __init__(self, token: Callable[[bytes], TokenRow | None], apply: Apply, key: bytes) -> None:
        self._token = token
        self._apply = apply
        self._key = key

    def of(self, way: Way, holder: str, at_us: int, user: str = "") -> bytes:
        """Gives the digest of a live token.

        Args:
            way: what the referral opens to its recipient now.
            holder: who acts through it: the digest of a link, or of an answer by phone.
            at_us: now, microseconds UTC.
            user: who sits there, as the audit and Provenance say it; empty where nobody is known.
        """
        said = (
            holder,
            way.task,
            way.organization,
            user,
            *(f"{one}/{version}" for one, version in way.consents),
        )
        digest = digest_for(self._key, said, at_us)
        if self._token(digest) is None:
            self._apply(_minted(way, digest, at_us, user))
        return digest


def _minted(way: Way, digest: bytes, at_us: int, user: str) -> Change:
    until_us = min(ends_us(at_us), way.until_us)
    binding = None
    if not way.nameless:
        very = any(way.opened.values())
        binding = Binding(
            digest.hex()[:16], way.task, way.consents, frozenset(way.opened), "V" if very else "R", until_us
        )
    return minted(
        LINK,
        "Links of this hub",
        at_us,
        digest=digest,
        organization=way.organization,
        scope=_LOOP if way.nameless else _SCOPE,
        purpose=way.purpose,
        role="",
        user_id=user,
        expires_us=until_us,
        context="system",
        account="",
        person=way.person,
        patient=way.patient,
        binding=binding_text(binding),
    )
