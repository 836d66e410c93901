"""OAuth over HTTP: token, requests sent ahead, introspection, revocation, the hub's keys, and the configurations.

What lives here: the routes, the reading of a form, and headers. What does not: who gets what (``auth``), and
the FHIR API (``web.fhir_api``). Errors here have the shape of RFC 6749, as OAuth clients expect, not of an
OperationOutcome.

Source: ``interfaces.md`` 4; RFC 6749 3.2 and 5; SMART App Launch 2.2, conformance.
"""

import json
from collections.abc import Callable

from flask import Blueprint, Response, request
from werkzeug.exceptions import HTTPException

from referral_hub.auth.addresses import Addresses
from referral_hub.auth.discovery import Documents
from referral_hub.auth.refusals import InvalidRequest
from referral_hub.auth.request import OAuthRequest
from referral_hub.auth.server import Answer, HubAuthorizationServer
from referral_hub.auth.signing_keys import SigningKeys
from referral_hub.exchange.ports import Clock

LARGEST_FORM = 64 * 1024
"""Bytes of a form that are read at most: 413 beyond."""

_NEVER_STORED = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_DISCOVERY = {"Cache-Control": "public, max-age=300", "Access-Control-Allow-Origin": "*"}


def oauth_blueprint(
    server: HubAuthorizationServer,
    addresses: Addresses,
    documents: Documents,
    signing: SigningKeys,
    clock: Clock,
) -> Blueprint:
    """Gives the routes of the authorization server.

    Args:
        server: the authorization server.
        addresses: where this hub is found.
        documents: the configurations (``auth.discovery``).
        signing: the hub's own keys.
        clock: the process clock, microseconds since 1970 UTC.
    """
    blueprint = Blueprint("oauth", __name__)

    def posted(url: str, respond: Callable[[OAuthRequest], Answer]) -> Response:
        try:
            asked = OAuthRequest(
                url, _form(), request.headers.get("Authorization"), clock(), request.headers.get("DPoP", "")
            )
            return _sent(respond(asked))
        except InvalidRequest as refusal:
            http_status, body, headers = refusal()
            return _sent(Answer(http_status, body, tuple(headers)))

    @blueprint.post("/oauth/token")
    def token() -> Response:
        return posted(addresses.token, server.token)

    @blueprint.post("/oauth/par")
    def pushed() -> Response:
        return posted(addresses.pushed, server.pushed)

    @blueprint.post("/oauth/introspect")
    def introspect() -> Response:
        return posted(addresses.introspection, server.introspection)

    @blueprint.post("/oauth/revoke")
    def revoke() -> Response:
        return posted(addresses.revocation, server.revocation)

    @blueprint.get("/oauth/jwks")
    def keys() -> Response:
        return Response(signing.published(clock()), mimetype="application/json", headers=_DISCOVERY)

    @blueprint.get("/.well-known/smart-configuration")
    @blueprint.get("/fhir/.well-known/smart-configuration")
    def smart_configuration() -> Response:
        return Response(documents.smart, mimetype="application/json", headers=_DISCOVERY)

    @blueprint.get("/.well-known/openid-configuration")
    def openid_configuration() -> Response:
        return Response(documents.openid, mimetype="application/json", headers=_DISCOVERY)

    return blueprint


def _form() -> list[tuple[str, str]]:
    """Gives the form as it was posted: the body only, never the address.

    Raises:
        InvalidRequest: it is no form, is too large, or is not UTF-8.
    """
    if request.mimetype != "application/x-www-form-urlencoded":
        raise InvalidRequest("Send the parameters as application/x-www-form-urlencoded in the body.")
    request.max_content_length = LARGEST_FORM
    request.max_form_memory_size = LARGEST_FORM
    try:
        return [(name, value) for name, values in request.form.lists() for value in values]
    except HTTPException as fault:
        raise InvalidRequest("The form cannot be read, or is too large.", status_code=fault.code) from None


def _sent(answer: Answer) -> Response:
    response = Response(json.dumps(answer.body), status=answer.http_status, mimetype="application/json")
    response.headers.update(_NEVER_STORED)
    for name, value in answer.headers:
        if name.lower() not in {"content-type", "cache-control", "pragma"}:
            response.headers[name] = value
    return response
