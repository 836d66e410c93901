"""The browser behind a request: its cookies, where it comes from, and where it may go on to.

What lives here: names and lives of the cookies of sign-in, the address of a browser behind proxies, the next page.
What does not: what a cookie is worth (``auth.people``), pages (``web.sign_in`` and its neighbours).

Source: OWASP ASVS 5.0, V3.3 (cookies); RFC 6265bis, 4.1.3 (``__Host-``).
"""

from urllib.parse import quote

from flask import Response, redirect, request

from referral_hub.auth.people.browser_sessions import (
    BrowserSessions,
    SignedIn,
    cookie_digest,
    session_cookie_name,
)
from referral_hub.auth.people.ports import SeenSession
from referral_hub.auth.people.signing_in import DEVICE_LIFE_US, Opened
from referral_hub.auth.people.standing import CHANGE, ENROL, INACTIVE, SECOND_STEP
from referral_hub.auth.people.throttle import Browser
from referral_hub.exchange.ports import Clock
from referral_hub.web.pages import local_address

OWN_PAGE = "/account"
HOME = "/"
ONWARD = (
    "/account",
    "/admin",
    "/card",
    "/her-code",
    "/inbox",
    "/launch",
    "/manage",
    "/my",
    "/oauth/authorize",
    "/options",
    "/people",
    "/refer",
    "/referrals",
    "/tonight",
    "/wrong-person",
)
"""The parts of the hub a sign-in may lead on to, beside its home."""
_STEPS = {
    SECOND_STEP: "/sign-in/second",
    CHANGE: "/account/password",
    ENROL: "/account/second",
    INACTIVE: OWN_PAGE,
}


class Browsers:
    """Reads and writes the cookies of sign-in.

    Args:
        sessions: finds out who sits at a browser.
        clock: the process clock, microseconds since 1970 UTC.
        secure: whether the hub is reached by https.
        proxies: how many proxies of the operator stand before the hub.
    """

    def __init__(self, sessions: BrowserSessions, clock: Clock, *, secure: bool, proxies: int = 0) -> None:
        self._sessions = sessions
        self._clock = clock
        self._secure = secure
        self._proxies = proxies
        self._session_name = session_cookie_name(secure=secure)
        self._device_name = "__Host-hub-device" if secure else "hub-device"
        self._outside_name = "__Host-hub-outside" if secure else "hub-outside"

    # --- who asks ----------------------------------------------------------------------------------------------

    @property
    def cookie(self) -> str | None:
        """Gives the value of the session cookie."""
        return request.cookies.get(self._session_name)

    @property
    def outside(self) -> str:
        """Gives the ticket of a sign-in at an outside provider."""
        return request.cookies.get(self._outside_name, "")

    def here(self) -> Browser:
        """Gives where an attempt comes from."""
        return Browser(cookie_digest(request.cookies.get(self._device_name)), self._address())

    def seen(self) -> SeenSession | None:
        """Gives the live session of this browser, whole or not."""
        return self._sessions.seen(self.cookie, self._clock(), used=_by_hand())

    def signed_in(self) -> SignedIn | None:
        """Gives who signed in wholly in this browser."""
        return self._sessions.signed_in(self.cookie, self._clock(), used=_by_hand())

    def step(self, seen: SeenSession) -> str:
        """Gives the step a session still lacks."""
        return self._sessions.step(seen, self._clock())

    def _address(self) -> str:
        if not self._proxies:
            return request.remote_addr or ""
        told = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",")]
        # Each proxy of ours adds the address it saw at the end; what stands before these anybody may have written.
        return told[-self._proxies] if len(told) >= self._proxies else ""

    # --- where it goes on --------------------------------------------------------------------------------------

    def to(self, address: str) -> Response:
        """Gives the answer that leads on to an address of this hub."""
        response: Response = redirect(address, 303)  # type: ignore[assignment]  # Werkzeug's own, which Flask takes
        response.headers["Cache-Control"] = "no-store"
        response.headers["Referrer-Policy"] = "same-origin"
        return response

    def to_sign_in(self) -> Response:
        """Gives the answer that leads to the sign-in page and back here."""
        back = request.full_path.rstrip("?") if request.method == "GET" else request.path
        return self.to(f"/sign-in?next={quote(back, safe='')}")

    def onward(self, step: str, wanted: str) -> Response:
        """Gives the answer that leads to the missing step, or to where the browser wanted to go."""
        address = onward_address(wanted)
        missing = _STEPS.get(step)
        if missing is None:
            return self.to(address)
        return self.to(missing if address == HOME else f"{missing}?next={quote(address, safe='')}")

    def begun(self, opened: Opened, response: Response) -> Response:
        """Gives an answer the cookies of a session that begins."""
        self._set(response, self._session_name, opened.cookie, None)
        if opened.device:
            self._set(response, self._device_name, opened.device, DEVICE_LIFE_US // 1_000_000)
        return response

    def ended(self, response: Response) -> Response:
        """Takes the session cookie away."""
        self._set(response, self._session_name, "", 0)
        return response

    def away(self, ticket: str, response: Response) -> Response:
        """Gives an answer the ticket of a sign-in at an outside provider; an empty one takes it away."""
        self._set(response, self._outside_name, ticket, 600 if ticket else 0)
        return response

    def _set(self, response: Response, name: str, value: str, max_age: int | None) -> None:
        response.set_cookie(
            name, value, max_age=max_age, secure=self._secure, httponly=True, samesite="Lax", path="/"
        )


def _by_hand() -> bool:
    """Tells whether somebody asked: parts of a page that refresh themselves come with a header of htmx."""
    return request.method != "GET" or "HX-Request" not in request.headers


def onward_address(wanted: str) -> str:
    """Gives where a sign-in leads, out of what an address asked for: one of few parts of this hub.

    >>> onward_address("/oauth/authorize?x=1"), onward_address("https://evil.example"), onward_address("/fhir/Task")
    ('/oauth/authorize?x=1', '/', '/')
    """
    for below in ONWARD:
        found = local_address(wanted, below)
        if found == wanted:
            return found
    return HOME
