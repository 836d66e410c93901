"""Errors on the wire: the only file that knows both the errors and the HTTP statuses.

Source: FHIR R4 http.html (status codes); ``views.md`` 5; ``consent.md`` 0, point 4.
"""

import logging
from collections.abc import Callable, Sequence

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from referral_hub import errors
from referral_hub.auth.dpop_keys import ALGORITHMS
from referral_hub.auth.tokens import ProofNeeded
from referral_hub.fhir.outcome import Issue, outcome_bytes
from referral_hub.web.forms import FHIR_JSON, JSON
from referral_hub.web.wire import Asked, Reply

log = logging.getLogger(__name__)

_DPOP = f'DPoP realm="fhir", algs="{" ".join(ALGORITHMS)}"'
"""How software is told that a token bound to a key comes with a proof. Source: RFC 9449 7.1."""

HTTP_STATUS: tuple[tuple[type[errors.HubError], int], ...] = (
    (errors.MalformedContent, 400),
    (errors.InvalidResource, 422),
    (errors.PatchFailed, 422),
    (errors.NotSupportedParameter, 400),
    (errors.InvalidParameter, 400),
    (errors.Unauthenticated, 401),
    (errors.InsufficientScope, 403),
    (errors.Forbidden, 403),
    (errors.NotFound, 404),
    (errors.Gone, 410),
    (errors.UpdateAsCreate, 405),
    (errors.InteractionNotSupported, 405),
    (errors.PreconditionRequired, 400),
    (errors.VersionConflict, 412),
    (errors.ConditionalConflict, 412),
    (errors.ConditionalNotSupported, 412),
    (errors.IllegalMove, 422),
    (errors.ConsentMissing, 422),
    (errors.SigningOff, 422),
    (errors.Conflict, 409),
    (errors.NotAcceptable, 406),
    (errors.UnsupportedMedia, 415),
    (errors.TooLarge, 413),
    (errors.TooMany, 422),
    (errors.SlowDown, 429),
    (errors.Busy, 503),
    (errors.Unavailable, 503),
)


def http_status_of(error: errors.HubError) -> int:
    """Gives the HTTP status an error has on the wire; what is not listed is the hub's own fault: 500."""
    return next((status for kind, status in HTTP_STATUS if isinstance(error, kind)), 500)


def issues_of(error: errors.HubError) -> tuple[Issue, ...]:
    """Gives the issues of an error's OperationOutcome."""
    if isinstance(error, errors.InvalidResource) and error.issues:
        return error.issues
    return (Issue("error", error.issue_code, error.text, error.expression),)


def error_reply(error: errors.HubError) -> Reply:
    """Gives the answer to an error, as an OperationOutcome."""
    http_status = http_status_of(error)
    if http_status == 500:
        log.error("A part of the hub failed: %s", type(error).__name__)
        return unexpected()
    reply = _outcome(http_status, issues_of(error))
    if isinstance(error, ProofNeeded):
        reply.headers.append(("WWW-Authenticate", f'{_DPOP}, error="{error.error}"'))
        if error.nonce:
            reply.headers.append(("DPoP-Nonce", error.nonce))
    elif http_status == 401:
        reply.headers += [("WWW-Authenticate", 'Bearer realm="fhir"'), ("WWW-Authenticate", _DPOP)]
    if isinstance(error, errors.InsufficientScope):
        reply.headers.append(("WWW-Authenticate", 'Bearer realm="fhir", error="insufficient_scope"'))
    if http_status in (429, 503):
        reply.headers.append(("Retry-After", "1"))
    return reply


def unexpected() -> Reply:
    """Gives the answer to a fault nobody foresaw: no trace, no name."""
    text = "The hub failed to answer. Nothing was stored. Try again, or tell its operator."
    return _outcome(500, (Issue("fatal", "exception", text),))


def unforeseen_reply(error: Exception) -> Reply:
    """Gives the answer to an error nobody foresaw, and leaves its kind in the log: its text may hold anything."""
    log.error("Unforeseen %s", type(error).__name__)
    return unexpected()


def _outcome(http_status: int, issues: Sequence[Issue]) -> Reply:
    return Reply(
        http_status,
        outcome_bytes(issues),
        [("Content-Type", JSON.content_type), ("Cache-Control", "no-store")],
    )


_WERKZEUG = {
    400: ("structure", "The request cannot be read."),
    404: ("not-found", "There is no such resource."),
    405: ("not-supported", "This address does not take this method."),
    413: ("too-long", "The body is larger than this hub takes."),
    414: ("too-long", "The address is longer than this hub takes. Search with POST."),
    415: ("not-supported", f"Send {FHIR_JSON}."),
}


def register(
    app: Flask,
    finished: Callable[[Asked, Reply], Reply],
    page: Callable[[int], Response | None] = lambda _http_status: None,
) -> None:
    """Registers the handlers: every error of every route ends here.

    Args:
        app: the application.
        finished: gives the answer in the form asked for (``web.finishing``).
        page: gives the page of an error where a person's browser asks, else None (``web.pages``).
    """

    def answered(reply: Reply) -> Response:
        shown = page(reply.http_status)
        if shown is not None:
            return shown
        return flask_response(finished(Asked(request.environ), reply))

    @app.errorhandler(errors.HubError)
    def hub_error(error: errors.HubError) -> Response:
        return answered(error_reply(error))

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response:
        http_status = error.code or 500
        if http_status not in _WERKZEUG:
            return answered(unexpected())
        code, text = _WERKZEUG[http_status]
        return answered(_outcome(http_status, (Issue("error", code, text),)))

    @app.errorhandler(Exception)
    def any_error(error: Exception) -> Response:
        if app.testing:
            raise error
        return answered(unforeseen_reply(error))


def flask_response(reply: Reply) -> Response:
    """Gives an answer as Flask takes it."""
    response = Response(reply.body, status=reply.http_status)
    del response.headers["Content-Type"]
    response.headers.extend(reply.headers)
    return response
