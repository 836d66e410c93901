"""Starting software out of the hub: a handle that says with which person and which referral.

What lives here: making a launch. What does not: what becomes of it (``auth.approving``), pages (``web``).

The handle is random, counts once, for five minutes, for one software and one account; by itself it tells and opens
nothing.

Source: SMART App Launch 2.2, launch app: EHR launch.
"""

from typing import Any

from referral_hub.auth.approving import purpose_of, sent_to
from referral_hub.auth.sign_in_changes import launch_made
from referral_hub.auth.sign_in_grants import new_handle
from referral_hub.auth.sign_in_ports import SignedIn, SignInParts
from referral_hub.errors import NotFound
from referral_hub.exchange.sign_in import LaunchRow

LAUNCH_LIFE_S = 300
"""Seconds between starting the software and its request."""


def launched(
    server: Any,
    parts: SignInParts,
    who: SignedIn,
    client_id: str,
    *,
    patient: str = "",
    task: str = "",
    at_us: int,
) -> str:
    """Gives the address of a software, with this FHIR server and a launch in it.

    Args:
        server: the authorization server.
        parts: what it needs for people who sign in.
        who: the signed-in member of staff.
        client_id: the software.
        patient: public id of the person it is about; empty for none.
        task: public id of the referral; empty for none.
        at_us: now, microseconds since 1970 UTC.

    Raises:
        NotFound: the software cannot be started by this account, or the person is not one it may see.
    """
    found = server.query_client(client_id)
    app = parts.store.app(client_id) if found is not None else None
    if (
        found is None
        or app is None
        or not app.launch_url
        or who.kind != "staff"
        or found.row.organization != who.organization
    ):
        raise NotFound
    person = None
    if patient:
        named = (who.account, who.organization, who.role, purpose_of(found.row), patient)
        person = parts.accounts.person(*named, at_us)
        if person is None:
            raise NotFound
    handle, digest = new_handle()
    expires_us = at_us + LAUNCH_LIFE_S * 1_000_000
    row = LaunchRow(digest, client_id, who.account, who.organization, person, patient, task, expires_us)
    server.applied(launch_made(row, at_us=at_us))
    return sent_to(app.launch_url, iss=server.addresses.fhir, launch=handle)
