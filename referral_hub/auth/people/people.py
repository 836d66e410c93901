"""Everything about people's accounts, joined.

What lives here: which part of the room gets which. What does not: a rule.
"""

from dataclasses import dataclass

from referral_hub.auth.people.browser_sessions import BrowserSessions, Policy
from referral_hub.auth.people.herself import Herself
from referral_hub.auth.people.office import Office
from referral_hub.auth.people.outside import Outside
from referral_hub.auth.people.outside_http import Http
from referral_hub.auth.people.own_account import OwnAccount
from referral_hub.auth.people.passkeys import Passkeys
from referral_hub.auth.people.passwords import Passwords
from referral_hub.auth.people.ports import Apply, PeopleRows
from referral_hub.auth.people.signing_in import SigningIn
from referral_hub.auth.people.throttle import Throttle

OUTSIDE_ADDRESS = "/sign-in/outside/back"
"""Where outside providers send browsers back to."""


@dataclass(frozen=True, slots=True)
class People:
    """The parts of the room, for the pages and commands that use them."""

    rows: PeopleRows
    sessions: BrowserSessions
    signing_in: SigningIn
    passkeys: Passkeys
    own: OwnAccount
    office: Office
    herself: Herself
    outside: Outside


def people_of(
    rows: PeopleRows,
    apply: Apply,
    policy: Policy,
    http: Http,
    base_url: str,
    passwords: Passwords | None = None,
) -> People:
    """Joins the room.

    Args:
        rows: the store.
        apply: applies a Change through the gate.
        policy: what the network decided.
        http: the guarded client, for outside providers.
        base_url: the address others see.
        passwords: checks passwords; with the parameters of ADR 0030 by default.
    """
    passwords = passwords or Passwords()
    sessions = BrowserSessions(rows, apply, policy)
    throttle = Throttle(rows, apply)
    signing_in = SigningIn(rows, apply, sessions, passwords, throttle)
    passkeys = Passkeys(rows, base_url)
    return People(
        rows,
        sessions,
        signing_in,
        passkeys,
        OwnAccount(rows, apply, signing_in, passwords, passkeys),
        Office(rows, apply, passwords),
        Herself(rows, apply, passwords, throttle, signing_in),
        Outside(rows, apply, http, signing_in, base_url + OUTSIDE_ADDRESS),
    )
