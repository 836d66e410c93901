"""Addresses for those who run the hub: is it alive, is it ready, how much does it do.

What lives here: health and counts; never a person, an organisation or a need.

Source: ``interfaces.md`` 4; ``engine.md`` 2 (ready fails beyond 1 s of skew to the database).
"""

from collections.abc import Callable

from flask import Blueprint, Response


def operations_blueprint(ready: Callable[[], str], metrics: Callable[[], str]) -> Blueprint:
    """Gives the routes.

    Args:
        ready: an empty text when the hub can serve, else what is missing in words without secrets.
        metrics: the counts, in the text form Prometheus reads.
    """
    blueprint = Blueprint("operations", __name__)

    @blueprint.get("/health/live")
    def live() -> Response:
        return Response("alive\n", mimetype="text/plain", headers={"Cache-Control": "no-store"})

    @blueprint.get("/health/ready")
    def is_ready() -> Response:
        missing = ready()
        return Response(
            f"{missing or 'ready'}\n",
            status=503 if missing else 200,
            mimetype="text/plain",
            headers={"Cache-Control": "no-store"},
        )

    @blueprint.get("/metrics")
    def counts() -> Response:
        return Response(metrics(), mimetype="text/plain", headers={"Cache-Control": "no-store"})

    return blueprint
