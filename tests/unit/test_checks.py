"""The doctor's look at the gate: it finds a door that somebody left open."""

import pytest
from flask import Flask, Response

from referral_hub.checks import WITHOUT_GATE, open_doors


def app_with(*routes: tuple[str, str, int]) -> Flask:
    app = Flask("doors", static_folder=None)
    for position, (method, rule, http_status) in enumerate(routes):

        def view(answer: int = http_status, **_values: str) -> Response:
            return Response(status=answer)

        app.add_url_rule(rule, f"view{position}", view, methods=[method])
    return app


@pytest.mark.parametrize(
    ("method", "rule", "http_status", "is_open"),
    [
        ("GET", "/fhir/<type_name>/<public_id>", 401, False),
        ("GET", "/fhir/<type_name>/<public_id>", 200, True),
        ("POST", "/fhir/<type_name>", 201, True),
        ("PATCH", "/fhir/<type_name>/<public_id>", 401, False),
        ("DELETE", "/fhir/<type_name>/<public_id>", 204, True),
        ("GET", "/fhir/<type_name>/<public_id>", 404, True),  # it looked before it asked who is there
        ("GET", "/fhir/Patient/$export", 202, True),
        ("GET", "/anything/else", 200, True),
        ("GET", "/health/live", 200, False),
        ("GET", "/fhir/metadata", 200, False),
    ],
)
def test_a_route_that_answers_without_a_token_is_found(
    method: str, rule: str, http_status: int, is_open: bool
) -> None:
    found = open_doors(app_with((method, rule, http_status)))
    assert found == ([f"{method} {rule}: {http_status}"] if is_open else [])


def test_only_these_addresses_answer_without_a_token() -> None:
    assert sorted(rule for rule in WITHOUT_GATE if rule.startswith("/fhir")) == [
        "/fhir/.well-known/smart-configuration",
        "/fhir/metadata",
    ]
