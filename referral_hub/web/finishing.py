"""The last steps of every answer of the FHIR API: its form, its packing, its Allow header, and errors in the same form.

What lives here: what happens around each interaction, whichever door it came through. What does not: the
interactions (``web.fhir_api``), the doors (``web.front_door``, ``web.fhir_routes``).

A plain answer in FHIR JSON passes untouched.

Source: FHIR R4 http.html; RFC 9110 sections 10.2.1, 12 and 15.5.6.
"""

from collections.abc import Callable

from referral_hub.errors import HubError, NotAcceptable
from referral_hub.web.addresses import allowed_methods
from referral_hub.web.error_handlers import error_reply
from referral_hub.web.forms import JSON, NOTED_FORM, Form, form_of
from referral_hub.web.packing import packed
from referral_hub.web.patches import PATCH_TYPES
from referral_hub.web.wire import Asked, Reply

_BASE = "/fhir"


def answered(asked: Asked, answer: Callable[[Asked], Reply]) -> Reply:
    """Gives the finished answer of an interaction, or of the error it ended with.

    Args:
        asked: the request.
        answer: the interaction; errors of the hub become an OperationOutcome, any other is raised.
    """
    form = JSON
    try:
        form = form_of(asked)
        reply = answer(asked)
    except HubError as error:
        reply = error_reply(error)
    form = asked.environ.get(NOTED_FORM, form)
    if form is JSON and reply.voice == "" and reply.http_status != 405:
        return reply
    return finished(asked, form, reply)


def finished(asked: Asked, form: Form, reply: Reply) -> Reply:
    """Gives the answer in the form asked for, packed where that is safe, with Allow where the method was wrong."""
    if reply.http_status == 405 and not any(name == "Allow" for name, _ in reply.headers):
        reply.headers.append(("Allow", ", ".join(_allowed(asked))))
    if form is not JSON:
        reply = _in_form(form, reply)
    return packed(asked, reply) if reply.voice else reply


def finished_error(asked: Asked, reply: Reply) -> Reply:
    """Gives the answer to an error that no interaction made, in the form asked for."""
    try:
        form = form_of(asked)
    except HubError:
        form = JSON
    return finished(asked, form, reply)


def options_reply(asked: Asked) -> Reply:
    """Gives the methods an address takes; the same for everybody, whatever is stored there."""
    methods = _allowed(asked)
    reply = Reply(204, b"", [("Allow", ", ".join(methods)), ("Cache-Control", "no-store")])
    if "PATCH" in methods:
        reply.headers.append(("Accept-Patch", ", ".join(PATCH_TYPES)))
    return reply


def _allowed(asked: Asked) -> tuple[str, ...]:
    path: str = asked.environ["PATH_INFO"]
    methods = allowed_methods(path.removeprefix(_BASE))
    # What was just refused is not offered in the same breath: PUT to an id that only the server could give.
    refused = asked.environ["REQUEST_METHOD"]
    return tuple(method for method in methods if method != refused or method == "OPTIONS")


def _in_form(form: Form, reply: Reply) -> Reply:
    if not reply.body or not reply.is_fhir:
        return reply
    try:
        body = form.written(reply.body)
    except NotAcceptable as error:
        reply = error_reply(error)
        body = form.written(reply.body)
    headers = [(name, value) for name, value in reply.headers if name != "Content-Type"]
    changed = Reply(reply.http_status, body, [("Content-Type", form.content_type), *headers])
    changed.voice = reply.voice
    return changed
