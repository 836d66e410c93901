"""The pages of sign-in and accounts, joined: which blueprint gets what.

What lives here: that, and which of their addresses answer a stranger. What does not: the pages (``web.sign_in``,
``web.account``, ``web.her_pages``).
"""

from flask import Blueprint

from referral_hub.auth.people.browser_sessions import SignedIn
from referral_hub.auth.people.people import People
from referral_hub.exchange.handing_over import HandingOver, InSight
from referral_hub.exchange.hub import Hub
from referral_hub.exchange.withdrawing import withdraw_by_code
from referral_hub.web import her_pages, sign_in
from referral_hub.web.account import account_blueprint
from referral_hub.web.browsers import Browsers
from referral_hub.web.her_pages import her_blueprint
from referral_hub.web.lane import Lane
from referral_hub.web.pages import Pages
from referral_hub.web.portal import link
from referral_hub.web.sign_in import sign_in_blueprint

OPEN_ADDRESSES = sign_in.ADDRESSES | her_pages.ADDRESSES | link.ADDRESSES
"""Addresses that answer a stranger, and hold nothing of a person; of a link only what its token reads at the gate."""


def people_blueprints(
    people: People,
    pages: Pages,
    hub: Hub,
    lane: Lane,
    persons: InSight | None,
    *,
    proxies: int = 0,
    answer_s: float = her_pages.ANSWER_S,
) -> tuple[Blueprint, ...]:
    """Gives the routes of sign-in, of one's account, and of the person.

    Args:
        people: the rules.
        pages: makes pages and checks forms.
        hub: store, gate and clock.
        lane: the lane of the worker; a withdrawal goes before the others in it.
        persons: tells whom an account may see; without it nobody hands over a code.
        proxies: how many proxies of the operator stand before the hub.
        answer_s: seconds after which a code is answered.
    """
    browsers = Browsers(people.sessions, hub.clock, secure=pages.secure, proxies=proxies)
    handing = None if persons is None else HandingOver(hub, persons)

    def withdraw(person: int | None) -> None:
        with lane.ahead(), lane.held():
            withdraw_by_code(hub, person)

    def may_hand(signed: SignedIn, patient: str, at_us: int) -> int | None:
        if handing is None:
            return None
        return handing.person(signed.account, signed.organization, signed.role, patient, at_us)

    def say_lost(signed: SignedIn, patient: str, at_us: int) -> None:
        if handing is not None:
            handing.contact_lost(signed.account, signed.organization, signed.role, patient, at_us)

    return (
        sign_in_blueprint(people, pages, browsers, hub.clock),
        account_blueprint(people, pages, browsers, hub.clock),
        her_blueprint(people, pages, browsers, hub.clock, withdraw, may_hand, say_lost, answer_s),
    )
