"""A form whose session ended while it was being written: nothing typed is lost, and nobody else reads it.

What lives here: sealing what was typed into the page that asks for a new sign-in, and opening it for the same account.
What does not: signing in (``web.sign_in``).

Nothing is stored. What was typed travels sealed in the page itself; it opens only for who began it, within a day.

Source: WCAG 2.2, 2.2.5 (re-authenticating); practice: a shift is full of interruptions.
"""

import json
from dataclasses import dataclass
from typing import Any

from flask import Response, request

from referral_hub.auth.people.browser_sessions import SignedIn
from referral_hub.exchange.hub import CursorSeal
from referral_hub.web.browsers import Browsers
from referral_hub.web.pages import FORM_FIELD, Pages

OWNER_FIELD = "form_owner"
KEPT_FIELD = "form_kept"
LARGEST_KEPT = 5_000_000
"""Bytes of a form that are taken: a scan in it is let go, what was typed beside it is kept."""
_DAY_US = 24 * 3600 * 1_000_000
_KIND = "kept-form"


@dataclass(frozen=True, slots=True)
class Kept:
    """A form that waited: where it was sent to, and its fields in order."""

    address: str
    fields: tuple[tuple[str, str], ...]


class KeptForms:
    """Seals and opens forms. Safe for threads.

    Args:
        seal: seals and opens texts.
    """

    def __init__(self, seal: CursorSeal) -> None:
        self._seal = seal

    def owner_field(self, signed: SignedIn | None) -> Any:
        """Gives the function that writes the hidden field by which a form knows who writes it."""
        from markupsafe import Markup

        def field() -> Markup:
            if signed is None:
                return Markup()
            sealed = self._seal.seal(json.dumps([_KIND, signed.account]).encode())
            return Markup('<input type="hidden" name="{}" value="{}">').format(OWNER_FIELD, sealed)

        return field

    def keep(self, pages: Pages, browsers: Browsers, at_us: int) -> Response:
        """Gives the answer to a form without a session: the page that keeps it, or the sign-in page."""
        pages.form(LARGEST_KEPT)
        owner = self._opened(request.form.get(OWNER_FIELD, ""))
        if len(owner) != 2:
            return browsers.to("/sign-in")
        fields = [
            [name, value]
            for name in request.form
            if name not in (FORM_FIELD, OWNER_FIELD)
            for value in request.form.getlist(name)
        ]
        sealed = self._seal.seal(json.dumps([_KIND, owner[1], request.path, fields, at_us]).encode())
        return pages.page("portal/waiting.html", 401, kept=sealed, field=KEPT_FIELD)

    def opened(self, sealed: str, signed: SignedIn, at_us: int) -> Kept | None:
        """Gives the form that waited; None for another account, after a day, or for what this hub did not seal."""
        found = self._opened(sealed)
        if len(found) != 5:
            return None
        _, account, address, fields, kept_us = found
        if account != signed.account or at_us - kept_us > _DAY_US:
            return None
        return Kept(address, tuple((name, value) for name, value in fields))

    def _opened(self, sealed: str) -> list[Any]:
        plain = self._seal.open(sealed) if sealed else None
        if plain is None:
            return []
        try:
            found = json.loads(plain)
        except ValueError:
            return []
        return found if isinstance(found, list) and found and found[0] == _KIND else []
