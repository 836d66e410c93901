"""Time-based one-time passwords: the six digits of an authenticator app.

What lives here: making a secret, its address for the app, checking digits. What does not: where the secret is kept
(sealed, ``store.accounts``), how often one may try (``auth.people.throttle``).

Source: RFC 6238 and RFC 4226 5; the Key URI format of authenticator apps.
"""

import base64
import hmac
import secrets
from urllib.parse import quote

STEP_S = 30
DIGITS = 6
SECRET_BYTES = 20
ISSUER = "Referral Hub"
_STEP_US = STEP_S * 1_000_000


def new_secret() -> bytes:
    """Gives a fresh secret of 160 bits."""
    return secrets.token_bytes(SECRET_BYTES)


def shown(secret: bytes) -> str:
    """Gives a secret as people type it into an app: base32 in groups of four.

    >>> shown(bytes(20))
    'AAAA AAAA AAAA AAAA AAAA AAAA AAAA AAAA'
    """
    text = base64.b32encode(secret).decode().rstrip("=")
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def app_address(secret: bytes, label: str) -> str:
    """Gives the address that opens an authenticator app with this secret.

    Args:
        secret: the secret.
        label: what the app calls it; no name of a person or an organisation, since the screen may be seen.
    """
    name = quote(f"{ISSUER}:{label}")
    text = base64.b32encode(secret).decode().rstrip("=")
    return f"otpauth://totp/{name}?secret={text}&issuer={quote(ISSUER)}&digits={DIGITS}&period={STEP_S}"


def step_at(at_us: int) -> int:
    """Gives the number of the time step of a moment."""
    return at_us // _STEP_US


def matching_step(secret: bytes, typed: str, at_us: int, after: int) -> int | None:
    """Gives the time step the digits belong to; None where they are wrong or that step was used.

    Args:
        secret: the secret.
        typed: what was typed; blanks do not matter.
        at_us: now, microseconds UTC. One step before and after is taken, for clocks that are wrong.
        after: the last step that was used: it and all before it are refused.
    """
    from cryptography.hazmat.primitives.hashes import SHA1
    from cryptography.hazmat.primitives.twofactor.totp import TOTP

    digits = "".join(typed.split())
    if len(digits) != DIGITS or not (digits.isascii() and digits.isdigit()):
        return None
    password = TOTP(secret, DIGITS, SHA1(), STEP_S)  # noqa: S303 - what every app speaks; HMAC needs no more
    now = step_at(at_us)
    found = None
    for step in (now - 1, now, now + 1):
        right = hmac.compare_digest(password.generate(step * STEP_S), digits.encode())
        if right and step > after:
            found = step
    return found
