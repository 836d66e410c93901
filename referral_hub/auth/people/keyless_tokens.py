"""Tokens that nobody holds: rows through which pages of the hub ask as software does.

What lives here: making such a row, and its life. What does not: what the token stands for: whoever signed in
(``auth.people.portal_tokens``), a link or an answer by phone (``auth.people.referral_tokens``).

The digest of such a token is a keyed digest, not the digest of a text: no text leads to it, so no request of software
presents it. The OAuth client it names has no key, so no software acts as it.

Source: ``architecture.md`` 4 (pages take the one write path); ``views.md`` 7.
"""

import hmac
import uuid

from referral_hub.exchange.change import Change, Row

STEP_US = 5 * 60 * 1_000_000
"""A token begins with such a step of time and ends with the next."""

Value = int | str | bytes | None
_NOTHING = ("jwks", "jwks_url", "secret_hash", "scope", "purposes", "redirect_uris")
_PLAIN: dict[str, Value] = {"very_restricted": 1, "jkt": "", "family": "", "binding": ""}


def digest_for(key: bytes, said: tuple[str, ...], at_us: int) -> bytes:
    """Gives the digest of the token that stands for something in this step of time.

    Args:
        key: secret of this hub.
        said: everything the token stands for; another word is another token.
        at_us: now, microseconds UTC.
    """
    return hmac.digest(key, "|".join((*said, str(at_us // STEP_US))).encode(), "sha256")


def ends_us(at_us: int) -> int:
    """Gives when a token of this step ends: with the step after it, so that a request at its end has time."""
    return (at_us // STEP_US + 2) * STEP_US


def minted(client_id: str, client_name: str, at_us: int, **columns: Value) -> Change:
    """Gives the Change that makes the row of a token, and of the OAuth client it names where there is none yet.

    Args:
        client_id: the OAuth client, one without a key.
        client_name: its name for people.
        at_us: now, microseconds UTC.
        columns: of the token's row; ``expires_us`` is the end of the step unless given.
    """
    client: dict[str, Value] = {
        "client_id": client_id,
        "organization": "",
        "name": client_name,
        "kind": client_id,
        "require_dpop": 0,
        "very_restricted": 0,
        "created_us": at_us,
        **dict.fromkeys(_NOTHING, ""),
    }
    token = {
        **_PLAIN,
        "oauth_client": client_id,
        "issued_us": at_us,
        "expires_us": ends_us(at_us),
        **columns,
    }
    rows = (Row("oauth_client_insert_keyless", client), Row("oauth_token_insert_keyless", token))
    return Change(str(uuid.uuid4()), rows=rows)
