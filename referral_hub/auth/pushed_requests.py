"""Authorization requests that software sends ahead of the browser (RFC 9126).

What lives here: the endpoint's answer. What does not: the request's own checks (``auth.authorization_requests``) and
what becomes of it (``auth.approving``).

The request is checked whole when it arrives, so that its mistakes are told to the software and not to a person. The
address it gets in return counts once, for sixty seconds, for the same software.

Source: RFC 9126 2; RFC 9449 10.1.
"""

import json
from typing import Any

from authlib.oauth2.rfc6749 import OAuth2Error

from referral_hub.auth.authorization_requests import KNOWN, SentBack, Stopped, checked_request
from referral_hub.auth.oauth_clients import CODE_GRANT, OAuthClient
from referral_hub.auth.refusals import InvalidRequest, UnauthorizedClient
from referral_hub.auth.request import OAuthRequest
from referral_hub.auth.sign_in_changes import request_pushed
from referral_hub.auth.sign_in_grants import new_handle
from referral_hub.exchange.sign_in import PushedRow

PREFIX = "urn:ietf:params:oauth:request_uri:"
PUSHED_LIFE_S = 60
"""Seconds between sending a request ahead and the browser that brings its address."""


class RequestRefused(OAuth2Error):
    """A request sent ahead is refused for what it asks: 400 on the wire, with a code of RFC 6749 4.1.2.1."""

    def __init__(self, error: str, text: str) -> None:
        super().__init__(description=text)
        self.error = error


def push(server: Any, request: OAuthRequest, client: OAuthClient) -> tuple[int, dict[str, Any]]:
    """Gives the answer to a request sent ahead, once it is kept.

    Args:
        server: the authorization server.
        request: the request; its client proved itself as at the token endpoint.
        client: that client.

    Raises:
        UnauthorizedClient: nobody signs in with this software.
        InvalidRequest: the address to return to is not a registered one.
        RequestRefused: anything else is wrong with it.
    """
    if not client.check_grant_type(CODE_GRANT):
        raise UnauthorizedClient("This client is not registered for people who sign in.")
    given = {name: value for name, value in request.form.items() if name in KNOWN}
    given["client_id"] = client.row.client_id
    if request.dpop_jkt:
        if given.get("dpop_jkt", request.dpop_jkt) != request.dpop_jkt:
            raise InvalidRequest("dpop_jkt is another key than the one that was proved.")
        given["dpop_jkt"] = request.dpop_jkt
    try:
        checked_request(given, frozenset(), client, server.addresses.fhir)
    except Stopped:
        raise InvalidRequest("redirect_uri has to be one of the registered addresses.") from None
    except SentBack as refusal:
        raise RequestRefused(refusal.error, refusal.text) from None
    handle, digest = new_handle()
    expires_us = request.at_us + PUSHED_LIFE_S * 1_000_000
    pushed = PushedRow(digest, client.row.client_id, json.dumps(given), expires_us)
    server.apply(request_pushed(pushed, request.verified), request)
    return 201, {"request_uri": f"{PREFIX}{handle}", "expires_in": PUSHED_LIFE_S}
