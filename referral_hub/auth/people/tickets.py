"""Tickets: what a step of a sign-in has to remember, sealed and handed to the browser, worth something once.

What lives here: making, opening and using up a ticket. What does not: what it remembers (a challenge of a passkey, a
secret for an app, the state of a sign-in elsewhere).

Nothing is written until the answer comes, so asking for a thousand challenges leaves no row.

Source: W3C WebAuthn 3, 13.4.3 (a challenge is used once); OpenID Connect Core 3.1.2.1 (state, nonce).
"""

import base64
import binascii
import hashlib
import json
import secrets
from dataclasses import dataclass
from typing import Any

from referral_hub.auth.people.ports import PeopleRows
from referral_hub.auth.people.refusals import Refused
from referral_hub.errors import Unavailable
from referral_hub.exchange.change import Row

LIFE_US = 10 * 60 * 1_000_000
"""How long a step may take."""
_MOST = 8192


@dataclass(frozen=True, slots=True)
class Ticket:
    """An opened ticket: what it remembers, and the row that uses it up."""

    remembered: dict[str, Any]
    used: Row


def new_ticket(rows: PeopleRows, kind: str, remembered: dict[str, Any], at_us: int) -> str:
    """Gives a ticket, as text fit for a form or a cookie."""
    content = {**remembered, "ends": at_us + LIFE_US, "once": secrets.token_urlsafe(16)}
    return base64.urlsafe_b64encode(rows.seal(json.dumps(content).encode(), f"ticket|{kind}")).decode()


def opened(rows: PeopleRows, kind: str, text: str, at_us: int) -> Ticket:
    """Gives what a ticket remembers.

    Raises:
        Refused: it is none of this hub and kind, or it has ended. Whether it was used already shows when the row
            that uses it up is applied.
    """
    try:
        if len(text) > _MOST:
            raise ValueError
        sealed = base64.urlsafe_b64decode(text.encode("ascii"))
        content: dict[str, Any] = json.loads(rows.open(sealed, f"ticket|{kind}"))
    except (ValueError, binascii.Error, Unavailable):
        raise Refused("sign-in.begin-again") from None
    if at_us >= content["ends"]:
        raise Refused("sign-in.begin-again")
    digest = hashlib.sha256(f"{kind}|{content['once']}".encode()).digest()
    used = Row("sign_in_ticket_use", {"digest": digest, "expires_us": content["ends"]}, at_least_one=True)
    return Ticket(content, used)
