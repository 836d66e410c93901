"""The page on which people see and end what they allowed software, and the one that starts software from here.

What lives here: ``/manage`` and ``/launch``. What does not: the rows that end something (``auth.sign_in_changes``),
what a launch says (``auth.launches``), accounts and their sign-in (``web.sign_in``).

Source: SMART App Launch 2.2, ``management_endpoint`` and EHR launch; ``consent.md`` F-26, O-09 and O-15.
"""

import re

from flask import Blueprint, Response, request

from referral_hub.auth.app_registrations import origin_of
from referral_hub.auth.approving import Approvals
from referral_hub.auth.launches import launched
from referral_hub.auth.people.browser_sessions import BrowserSessions
from referral_hub.auth.refusals import InvalidClient, TemporarilyUnavailable
from referral_hub.auth.server import HubAuthorizationServer
from referral_hub.auth.sign_in_changes import approval_ended
from referral_hub.auth.sign_in_ports import SignInParts
from referral_hub.errors import NotFound
from referral_hub.exchange.ports import Clock
from referral_hub.fhir.dates import instant
from referral_hub.web.authorize_pages import SIGN_IN, AuthorizePages, WhoIsThere, sent_on
from referral_hub.web.browsers import Browsers
from referral_hub.web.pages import Pages

MANAGE, LAUNCH = "/manage", "/launch"

_ID = re.compile(r"[A-Za-z0-9.-]{1,64}", re.ASCII)


class ManagePages:
    """Both pages; the arguments are those of ``web.authorize_pages``."""

    def __init__(
        self,
        server: HubAuthorizationServer,
        parts: SignInParts,
        pages: Pages,
        who_is_there: WhoIsThere,
        clock: Clock,
    ) -> None:
        self._server = server
        self._parts = parts
        self._pages = pages
        self._who_is_there = who_is_there
        self._clock = clock

    def blueprint(self) -> Blueprint:
        """Gives the routes."""
        found = Blueprint("manage", __name__)
        found.add_url_rule(MANAGE, "manage", self.approved, methods=["GET"])
        found.add_url_rule(MANAGE, "end", self.end, methods=["POST"])
        found.add_url_rule(LAUNCH, "software", self.software, methods=["GET"])
        found.add_url_rule(LAUNCH, "launch", self.launch, methods=["POST"])
        return found

    def approved(self) -> Response:
        """Shows what somebody allowed software."""
        who = self._who_is_there()
        if who is None:
            return sent_on(f"{SIGN_IN}?next={MANAGE}")
        found = [
            {
                "software": one.name,
                "organization": one.organization_name,
                "client_id": one.oauth_client,
                "since": instant(one.approved_us)[:10],
                "used": instant(one.used_us)[:10] if one.used_us else "",
                "live": one.live,
            }
            for one in self._parts.store.approved(who.account, self._clock())
        ]
        return self._pages.page("authorize/manage.html", approved=found, manage_to=MANAGE)

    def end(self) -> Response:
        """Ends all that one software was allowed, at once."""
        form, who = self._pages.form(), self._who_is_there()
        if who is None:
            return sent_on(f"{SIGN_IN}?next={MANAGE}")
        named = (who.account, who.organization, form.get("client_id", ""))
        try:
            self._server.applied(approval_ended(*named, at_us=self._clock()))
        except TemporarilyUnavailable:
            return self._pages.refused("error.busy", 503)
        return sent_on(MANAGE)

    def software(self) -> Response:
        """Shows the software that can be started out of the hub."""
        who = self._who_is_there()
        if who is None:
            return sent_on(f"{SIGN_IN}?next={LAUNCH}")
        if who.kind != "staff":
            return self._pages.refused("error.refused", 403)
        software = self._parts.store.launchable(who.organization)
        named = (who.account, who.organization, who.role, "")
        return self._pages.page(
            "authorize/launch.html",
            form_targets=[origin_of(one.launch_url) for one in software],
            software=software,
            persons=self._parts.accounts.persons_for(*named, self._clock()),
            launch_to=LAUNCH,
            chosen=request.args.get("patient", ""),
            task=request.args.get("task", ""),
        )

    def launch(self) -> Response:
        """Starts software: sends the browser there, with a handle that counts once."""
        form, who = self._pages.form(), self._who_is_there()
        if who is None:
            return sent_on(f"{SIGN_IN}?next={LAUNCH}")
        patient, task = form.get("patient", ""), form.get("task", "")
        if not all(_ID.fullmatch(text) for text in (patient or "-", task or "-")):
            return self._pages.refused("error.absent", 404)
        named = {"patient": patient, "task": task}
        try:
            address = launched(
                self._server, self._parts, who, form.get("client_id", ""), **named, at_us=self._clock()
            )
        except NotFound:
            return self._pages.refused("error.absent", 404)
        except (TemporarilyUnavailable, InvalidClient):
            return self._pages.refused("error.busy", 503)
        return sent_on(address)


def software_blueprints(
    server: HubAuthorizationServer, pages: Pages, sessions: BrowserSessions, clock: Clock
) -> tuple[Blueprint, ...]:
    """Gives the routes of every page on which people let software act for them, or end that.

    Args:
        server: the authorization server; without what it needs for people there are no such pages.
        pages: makes pages.
        sessions: knows who signed in.
        clock: the process clock, microseconds since 1970 UTC.
    """
    if server.sign_in is None:
        return ()
    parts = server.sign_in
    there = Browsers(sessions, clock, secure=pages.secure).signed_in
    asking = AuthorizePages(server, Approvals(server, parts), pages, there, clock)
    return asking.blueprint(), ManagePages(server, parts, pages, there, clock).blueprint()
