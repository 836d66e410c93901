"""The token behind a link or an answer by phone: of the recipient's organisation, for one referral, for minutes.

What lives here: making its row. What does not: who may act through one (``auth.people.referral_links``,
``web.portal.paper``), what it reads (``exchange.gate``).

Nobody holds the text of such a token, and none exists: its digest is a keyed digest. It is bound to the releases the
referral stands on as tokens of partners' software are, so it never reads more than they name now, and it ends with
any withdrawal like those. A referral without a name has no release: its token is about the nameless person alone.

Source: ``consent.md`` D-04 to D-07; ``views.md`` 9.
"""

import hmac
import uuid
from collections.abc import Callable

from referral_hub.access.principal import Binding
from referral_hub.auth.bindings import binding_text
from referral_hub.auth.people.ports import Apply
from referral_hub.auth.rich_requests import BOUND_TYPES
from referral_hub.exchange.change import Change, Row
from referral_hub.exchange.ports import TokenRow
from referral_hub.exchange.referral_ways import Way

LINK = "link"
"""The OAuth client that links act as; it has no key, so no software can act as it."""
STEP_US = 5 * 60 * 1_000_000

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
        text = "|".join((*said, str(at_us // STEP_US)))
        digest = hmac.digest(self._key, text.encode(), "sha256")
        if self._token(digest) is None:
            self._apply(_minted(way, digest, at_us, user))
        return digest


def _minted(way: Way, digest: bytes, at_us: int, user: str) -> Change:
    ends_us = min((at_us // STEP_US + 2) * STEP_US, way.until_us)
    binding = None
    if not way.nameless:
        very = any(way.opened.values())
        binding = Binding(
            digest.hex()[:16], way.task, way.consents, frozenset(way.opened), "V" if very else "R", ends_us
        )
    client: dict[str, int | str | bytes | None] = {
        "client_id": LINK,
        "organization": "",
        "name": "Links of this hub",
        "kind": LINK,
        "require_dpop": 0,
        "very_restricted": 0,
        "created_us": at_us,
    }
    nothing = ("jwks", "jwks_url", "secret_hash", "scope", "purposes", "redirect_uris")
    token: dict[str, int | str | bytes | None] = {
        "digest": digest,
        "oauth_client": LINK,
        "organization": way.organization,
        "scope": _LOOP if way.nameless else _SCOPE,
        "purpose": way.purpose,
        "role": "",
        "user_id": user,
        "issued_us": at_us,
        "expires_us": ends_us,
        "very_restricted": 1,
        "context": "system",
        "account": "",
        "person": way.person,
        "patient": way.patient,
        "binding": binding_text(binding),
        "jkt": "",
        "family": "",
    }
    rows = (
        Row("oauth_client_insert_portal", {**client, **dict.fromkeys(nothing, "")}),
        Row("oauth_token_insert_portal", token),
    )
    return Change(str(uuid.uuid4()), rows=rows)
