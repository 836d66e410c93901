"""The pages of a hub, joined: which room of the portal gets what of the store.

What lives here: wiring, one line a room. What does not: pages (``web.portal``), the parts (``app``).
"""

from collections.abc import Callable
from functools import partial
from typing import Protocol

from flask import Blueprint

from referral_hub.adapters.mail import Mail, MailServer
from referral_hub.administration import administration_of
from referral_hub.auth.people.people import People
from referral_hub.auth.people.portal_tokens import PortalTokens
from referral_hub.auth.people.referral_links import ReferralLinks
from referral_hub.auth.people.referral_tokens import ReferralTokens
from referral_hub.auth.people.throttle import Throttle
from referral_hub.exchange.accounts import ACTIVE, REMOVED, STAFF
from referral_hub.exchange.change import Change
from referral_hub.exchange.hub import Hub
from referral_hub.exchange.ports import OrganizationRow, TokenRow
from referral_hub.exchange.referral_ways import ReferralWays
from referral_hub.keyring.ring import Keyring
from referral_hub.network_policy import consent_limits
from referral_hub.settings import Settings
from referral_hub.store import ending_permissions
from referral_hub.store.accounts import Accounts
from referral_hub.store.apply import PlanWriter
from referral_hub.store.bodies import Bodies
from referral_hub.store.database import Database
from referral_hub.store.portal_rows import PortalRows
from referral_hub.store.store import SqlStore
from referral_hub.web.browsers import Browsers
from referral_hub.web.lane import Lane
from referral_hub.web.pages import Pages
from referral_hub.web.portal.admin_audit import admin_audit_blueprint
from referral_hub.web.portal.admin_decisions import DecisionPages
from referral_hub.web.portal.admin_deliveries import admin_deliveries_blueprint
from referral_hub.web.portal.admin_desk import admin_desk_blueprint
from referral_hub.web.portal.admin_organizations import OrganizationPages
from referral_hub.web.portal.admin_people import PeoplePages
from referral_hub.web.portal.admin_software import SoftwarePages
from referral_hub.web.portal.disclosure_pages import disclosure_blueprint
from referral_hub.web.portal.frame import Portal, frame_blueprint
from referral_hub.web.portal.front import front_blueprint
from referral_hub.web.portal.handouts import handout_blueprint
from referral_hub.web.portal.home import Home
from referral_hub.web.portal.inbox import inbox_blueprint
from referral_hub.web.portal.kept_forms import KeptForms
from referral_hub.web.portal.link import link_blueprint
from referral_hub.web.portal.my import my_blueprint
from referral_hub.web.portal.never_pages import never_blueprint
from referral_hub.web.portal.own_list import own_list_blueprint
from referral_hub.web.portal.paper import PaperDesk, paper_blueprint
from referral_hub.web.portal.permission_desk import PermissionDesk
from referral_hub.web.portal.permissions import permissions_blueprint
from referral_hub.web.portal.persons import persons_blueprint
from referral_hub.web.portal.refer import refer_blueprint
from referral_hub.web.portal.refer_drafts import Drafts
from referral_hub.web.portal.setting_right import setting_right_blueprint
from referral_hub.web.portal.signing_pages import signing_blueprint
from referral_hub.web.portal.staff import Staff
from referral_hub.web.portal.stop_pages import stop_blueprint
from referral_hub.web.portal.tonight import tonight_blueprint
from referral_hub.web.portal.tracker import tracker_blueprint


class PortalParts(Protocol):
    """What the portal needs of a process; ``app.Parts`` is one."""

    @property
    def settings(self) -> Settings:
        """Gives the settings."""

    @property
    def database(self) -> Database:
        """Gives the database."""

    @property
    def writer(self) -> PlanWriter:
        """Gives who applies plans."""

    @property
    def bodies(self) -> Bodies:
        """Gives what seals and opens bodies."""

    @property
    def keyring(self) -> Keyring:
        """Gives the keys."""

    @property
    def store(self) -> SqlStore:
        """Gives the store."""

    @property
    def hub(self) -> Hub:
        """Gives store, gate and clock."""

    @property
    def lane(self) -> Lane:
        """Gives the lane of the worker."""

    @property
    def accounts(self) -> Accounts:
        """Gives the accounts of people."""

    @property
    def people(self) -> People:
        """Gives the rules of accounts."""


def portal_blueprints(parts: PortalParts, pages: Pages) -> tuple[Blueprint, ...]:
    """Gives the routes of the portal."""
    portal = _portal_of(parts, pages)
    staff = _staff_of(parts)
    ending = partial(ending_permissions.ending, parts.database)
    drafts = _drafts_of(parts)
    return (
        frame_blueprint(portal),
        *_administering(parts, portal),
        *_referring(parts, portal, drafts),
        *_permitting(parts, portal, drafts),
        my_blueprint(portal, parts.people.signing_in.sign_out),
        own_list_blueprint(portal),
        setting_right_blueprint(portal),
        front_blueprint(portal, Home(portal, ending)),
        tracker_blueprint(portal, staff.named),
        inbox_blueprint(portal, staff),
        persons_blueprint(portal, staff, ending),
    )


def _administering(parts: PortalParts, portal: Portal) -> tuple[Blueprint, ...]:
    room = administration_of(
        parts.settings, parts.database, parts.bodies, parts.keyring, parts.hub, parts.people
    )
    return (
        admin_desk_blueprint(portal, room),
        OrganizationPages(portal, room).blueprint(),
        PeoplePages(portal, room).blueprint(),
        SoftwarePages(portal, room).blueprint(),
        admin_deliveries_blueprint(portal, room),
        admin_audit_blueprint(portal, room),
        DecisionPages(portal).blueprint(),
    )


def _staff_of(parts: PortalParts) -> Staff:
    accounts = parts.accounts

    def colleagues(organization: str) -> list[tuple[str, str, str]]:
        found = accounts.accounts_of(organization)
        return [
            (one.id, login, one.role) for one, login in found if one.kind == STAFF and one.state != REMOVED
        ]

    def named(account: str) -> str:
        return accounts.login_of(account) if account and accounts.account(account) is not None else ""

    return Staff(parts.hub, accounts.account, colleagues, named)


def _portal_of(parts: PortalParts, pages: Pages) -> Portal:
    hub, settings = parts.hub, parts.settings

    def token(digest: bytes) -> TokenRow | None:
        with hub.store.snapshot() as snapshot:
            return snapshot.token(digest)

    def organization(organization_id: str) -> OrganizationRow | None:
        with hub.store.snapshot() as snapshot:
            return snapshot.organization(organization_id)

    def apply(change: Change) -> None:
        hub.store.apply(hub.gate.admit_token(change))

    key = parts.keyring.digests.word("Portal", "token", "key").encode()
    browsers = Browsers(parts.people.sessions, hub.clock, secure=pages.secure, proxies=settings.proxies)
    return Portal(
        pages,
        browsers,
        hub,
        PortalTokens(token, organization, apply, key),
        parts.lane,
        KeptForms(hub.cursors),
        settings.time_zone,
    )


# --- asking for help, with and without accounts -----------------------------------------------------------


def _drafts_of(parts: PortalParts) -> Drafts:
    rows = PortalRows(parts.database, parts.bodies)
    return Drafts(parts.hub, rows, _applying(parts.hub), _organizations(parts.hub))


def _referring(parts: PortalParts, portal: Portal, drafts: Drafts) -> tuple[Blueprint, ...]:
    hub, settings = parts.hub, parts.settings

    def token(digest: bytes) -> TokenRow | None:
        with hub.store.snapshot() as snapshot:
            return snapshot.token(digest)

    def letter_address(organization: str) -> str:
        with hub.store.snapshot() as snapshot:
            bases = snapshot.registered_bases(organization)
        return next((base.removeprefix("mailto:") for base in bases if base.startswith("mailto:")), "")

    def has_accounts(organization: str) -> bool:
        return any(account.state == ACTIVE for account, _ in parts.people.rows.accounts_of(organization))

    apply, people = _applying(hub), parts.people.rows
    key = parts.keyring.digests.word("Referral", "token", "key").encode()
    tokens = ReferralTokens(token, apply, key)
    ways = ReferralWays(hub.store, hub.gate)
    rows = PortalRows(parts.database, parts.bodies)
    links = ReferralLinks(rows, people.digest, apply, ways, tokens, Throttle(people, apply))
    server = MailServer.of(settings.smtp_url) if settings.smtp_url else None
    mail = Mail(server, settings.mail_from, settings.base_url)
    send = mail.send if server is not None else None
    find = _organizations(hub)
    desk = PaperDesk(portal, links, ways, tokens, find, letter_address, has_accounts, send, settings.base_url)
    return (
        refer_blueprint(portal, drafts, consent_limits(settings)),
        tonight_blueprint(portal, links),
        link_blueprint(portal, links, find),
        paper_blueprint(desk),
    )


def _applying(hub: Hub) -> Callable[[Change], None]:
    def apply(change: Change) -> None:
        hub.store.apply(hub.gate.admit_token(change))

    return apply


def _organizations(hub: Hub) -> Callable[[str], OrganizationRow | None]:
    def organization(organization_id: str) -> OrganizationRow | None:
        with hub.store.snapshot() as snapshot:
            return snapshot.organization(organization_id)

    return organization


# --- what she allows ----------------------------------------------------------------------------------------


def _permitting(parts: PortalParts, portal: Portal, drafts: Drafts) -> tuple[Blueprint, ...]:
    hub, settings = parts.hub, parts.settings

    def hub_organization() -> OrganizationRow | None:
        with hub.store.snapshot() as snapshot:
            return snapshot.hub_organization()

    desk = PermissionDesk(
        portal,
        consent_limits(settings),
        settings.consent_legal_note,
        _organizations(hub),
        hub_organization,
        f"{settings.base_url}/code",
    )
    return (
        permissions_blueprint(desk, drafts.wanted),
        signing_blueprint(desk),
        stop_blueprint(desk),
        never_blueprint(desk),
        disclosure_blueprint(desk),
        handout_blueprint(desk),
    )
