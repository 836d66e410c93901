"""Flask's routes of the FHIR API, made from the table of addresses.

What lives here: one Flask view for each address. What does not: the table (``web.addresses``), what answers
(``web.fhir_api``).
"""

from collections.abc import Callable
from functools import wraps
from operator import attrgetter

from flask import Blueprint, Response, request

from referral_hub.errors import InteractionNotSupported
from referral_hub.web.addresses import ROUTES, matched
from referral_hub.web.error_handlers import flask_response
from referral_hub.web.fhir_api import FhirApi
from referral_hub.web.finishing import answered, options_reply
from referral_hub.web.wire import Asked, Reply

Route = Callable[..., Response]


def fhir_blueprint(api: FhirApi, lane: Callable[[Route], Route]) -> Blueprint:
    """Gives the routes of the FHIR API.

    Args:
        api: hub, sizes and the CapabilityStatement, made once.
        lane: wraps a route so that it computes only while it holds the worker's lane.
    """
    blueprint = Blueprint("fhir", __name__, url_prefix="/fhir")
    for number, (rule, methods, name) in enumerate(ROUTES):
        view = lane(_in_flask(attrgetter(name)(api)))
        blueprint.add_url_rule(
            rule,
            f"{name.replace('.', '-')}-{number}",
            view,
            methods=[*methods, "OPTIONS"],
            provide_automatic_options=False,
        )
    return blueprint


def _in_flask(answer: Callable[..., Reply]) -> Route:
    @wraps(answer)
    def view(**values: str) -> Response:
        asked = Asked(request.environ)
        if request.method == "OPTIONS":
            return flask_response(options_reply(asked))
        return flask_response(answered(asked, lambda asked: _routed(answer, asked, values)))

    return view


def _routed(answer: Callable[..., Reply], asked: Asked, values: dict[str, str]) -> Reply:
    """Answers, unless the address is a more exact one that does not take the method: ``PUT /fhir/metadata``.

    Raises:
        InteractionNotSupported: 405 on the wire.
    """
    method = "GET" if request.method == "HEAD" else request.method
    if matched(method, request.path.removeprefix("/fhir")) is None:
        raise InteractionNotSupported("This address does not take this method.")
    return answer(asked, **values)
