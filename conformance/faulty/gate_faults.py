"""One fault for each check of tokens, consent and side channels.

What lives here: the table by the name of the check, and the commonest fault of a gate: that it stands open. What does
not: the other faults (``conformance.faulty.faults``).
"""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from conformance.faulty import bending as b
from conformance.faulty import changes as c
from conformance.faulty.proxy import Answered, Asked, Fault, Forward
from conformance.lab import Lab

Body = dict[str, Any]
_GET = b.on("GET")
_BASE = b.on("POST", r"^/fhir/?$")
_TOKEN = b.on("POST", "/oauth/token")
_A_TOKEN: Body = {
    "access_token": "x",
    "token_type": "bearer",
    "expires_in": 300,
    "scope": "system/Patient.rs",
}
_GIVEN = b.instead(200, _A_TOKEN, b.on("POST", "/oauth/token", status="4.."))
_WELL_KNOWN = b.on("GET", "smart-configuration")
_OPEN = b.status(200, b.on(status="401"))
_NOT_FOUND_DIFFERENTLY = b.status(410, b.on(known=True, status="4.."))
_FORBIDDEN = b.status(403, b.on(known=True, status="4.."))


def gate_open(lab: Lab) -> Fault:
    """Gives the fault of a gate that answers everybody as if the author asked."""

    def bend(asked: Asked, forward: Forward) -> Answered:
        reads = asked.method == "GET" or asked.path.endswith("_search") or "if-none-exist" in asked.headers
        told = asked.headers.get("authorization", "")
        if reads and told.lower().startswith("bearer") and "/oauth/" not in asked.path:
            return forward(asked.with_header("authorization", f"Bearer {lab.client('author').token()}"))
        return forward(asked)

    return Fault("everybody is answered as the author", bend)


def _configuration(**changed: Any) -> Fault:
    return b.body(f"{', '.join(changed)} differs", lambda found: {**found, **changed}, _WELL_KNOWN)


def hidden_order(lab: Lab) -> Fault:
    """Gives the fault of a search that sorts by an element which the caller does not see."""

    def bend(asked: Asked, forward: Forward) -> Answered:
        match = re.search(r"&_sort=(-?)birthdate", asked.path)
        if match is None:
            return forward(asked)
        answered = forward(replace(asked, path=asked.path.replace(match[0], "")))
        by_birth: list[str] = lab.once("side-sort", list)
        found = json.loads(answered.body)
        found["entry"].sort(key=lambda one: by_birth.index(one["resource"]["id"]), reverse=bool(match[1]))
        return replace(answered, body=json.dumps(found).encode())

    return Fault("it sorts by what is hidden", bend)


def _counted(found: Body) -> None:
    """Makes a subscription's state tell of one more event."""
    for one in found["entry"][0]["resource"]["parameter"]:
        if one["name"] == "events-since-subscription-start":
            one.clear()
            one.update(name="events-since-subscription-start", valueString="1")


GATE_FAULTS: Mapping[str, Fault] = {
    "smart.discovery.there": b.header("Content-Type", "text/html", _WELL_KNOWN),
    "smart.discovery.json": b.header("Content-Type", "application/fhir+xml", _WELL_KNOWN),
    "smart.discovery.whole": _configuration(token_endpoint=""),
    "smart.discovery.s256": _configuration(code_challenge_methods_supported=["S256", "plain"]),
    "smart.discovery.authorize": _configuration(authorization_endpoint=None),
    "smart.discovery.openid": _configuration(jwks_uri=None),
    "smart.discovery.no-issuer": _configuration(issuer="https://x.example"),
    "smart.discovery.addresses": _configuration(token_endpoint="/oauth/token"),  # noqa: S106
    "smart.discovery.backend": _configuration(token_endpoint_auth_methods_supported=["client_secret_basic"]),
    "smart.discovery.grant": _configuration(grant_types_supported=["password"]),
    "smart.discovery.recommended": _configuration(introspection_endpoint=None),
    "smart.discovery.cors": b.header("Access-Control-Allow-Origin", None),
    "smart.discovery.capability-statement": b.body("no security", c.security_gone, b.on("GET", "/metadata")),
    "smart.discovery.endpoints": b.status(404, _TOKEN),
    "smart.token.given": b.body("a text for a number", lambda found: {**found, "expires_in": "300"}, _TOKEN),
    "smart.token.short": b.body("it lives an hour", lambda found: {**found, "expires_in": 3600}, _TOKEN),
    "smart.token.no-refresh": b.body(
        "a refresh token", lambda found: {**found, "refresh_token": "x"}, _TOKEN
    ),
    "smart.token.not-kept": b.header("Cache-Control", None, _TOKEN),
    "smart.token.works": _OPEN,
    "smart.token.scope": b.body(
        "more is granted", lambda found: {**found, "scope": f"{found['scope']} system/Patient.rs"}, _TOKEN
    ),
    "smart.token.narrow": b.status(200, b.on("GET", "/Patient")),
    "smart.token.letters": b.status(201, b.on("POST", "/Patient")),
    "smart.token.insufficient-scope": b.header("WWW-Authenticate", None),
    "smart.token.wildcard": b.status(403, b.on("GET", "/Patient")),
    "smart.token.v1": b.status(400, _TOKEN),
    "smart.token.no-iat": b.status(400, _TOKEN),
    "smart.token.both-algorithms": b.status(400, _TOKEN),
    "smart.token.*": _GIVEN,
    "smart.bearer.*": _OPEN,
    "smart.revocation": _OPEN,
    "smart.introspection.active": b.body(
        "not active", lambda found: {**found, "active": False}, b.on("POST", "introspect")
    ),
    "smart.introspection.inactive": b.body(
        "it tells more", lambda found: {**found, "client_id": "x"}, b.on("POST", "introspect")
    ),
    "smart.introspection.revoked": b.body("active", lambda _: {"active": True}, b.on("POST", "introspect")),
    "smart.introspection.*": b.instead(200, {"active": True, "client_id": "x"}, b.on("POST", "introspect")),
    "consent.accepted.named": b.status(404, b.on("GET", "/Condition/")),
    "consent.author": b.body("telecom is lost", lambda found: found.pop("telecom", 1) and None, _GET),
    "consent.labels": b.body("no labels", lambda found: found["meta"].pop("security", 1) and None, _GET),
    "consent.return": b.body("words are there", c.with_(statusReason={"text": "in short words"}), _GET),
    "consent.write.hidden": b.body("it changes", c.unlike("authoredOn"), b.on("GET", "/Task/")),
    "consent.write.*": b.status(200, b.on("PUT", status="4..")),
    "consent.release.none": b.status(201, b.on("POST", "/Task")),
    "consent.release.ends": b.status(201, b.on("POST", "/Consent")),
    "consent.refusal.outweighs": b.status(201, b.on("POST", "/Task")),
    "consent.revoke": b.text('"inactive"', '"active"', b.on("GET", "/Consent/")),
    "consent.revoke.others": b.status(200, b.on("POST", "revoke")),
    "consent.preview": b.text("urgent", "routine", b.on("POST", "preview")),
    "consent.disclosures": b.body(
        "nobody is named", lambda _: {"resourceType": "Bundle"}, b.on("POST", "disclosures")
    ),
    "consent.disclosures.others": b.status(200, b.on("POST", "disclosures")),
    "consent.no-name": b.status(200, b.on("PUT", status="4..")),
    "consent.conditions": b.status(200, b.on("PUT", status="4..")),
    "subs.consent": b.body("it counts one more", _counted, b.on("GET", "status")),
    "consent.search": b.text("urgent", "routine", b.on("GET", r"\?")),
    "side.deleted": _NOT_FOUND_DIFFERENTLY,
    "side.update": b.status(412, b.on(known=True, status="4..")),
    "side.versions": b.body("a number", c.meta(versionId="7"), _GET),
    "side.history": b.status(403, b.on("GET", "_history", known=True, status="4..")),
    "side.totals": b.body("it counts one more", b.counted_wrong, _GET),
    "side.chain": b.status(422, b.on("GET", "Bunting")),
    "side.has": b.status(422, b.on("GET", "199999001")),
    "side.label-search": b.status(200, b.on("GET", "_tag")),
    "side.duplicate": b.status(409, b.on("POST")),
    "side.reference": b.status(409, b.on("POST", known=True)),
    "side.hidden-references": b.body(
        "a hidden reference", c.with_(note=[{"authorReference": {"reference": "Practitioner/none"}}]), _GET
    ),
    "side.operations": _FORBIDDEN,
    "side.batch": b.body(
        "the first entry is another", lambda found: found["entry"][0]["response"].update(status="403"), _BASE
    ),
    "side.transaction": b.status(409, b.on("POST", known=True)),
    "side.ids": b.body("another id each time", c.unlike("for"), b.on("GET", "/Task/")),
    "side.directory": b.body("a place", lambda found: {**found, "address": [{"city": "Nowhere"}]}, _GET),
    "side.token-errors": b.body("another text each time", c.unlike("error_description"), _TOKEN),
    "side.headers": b.header("Server-Timing", "db;dur=53", _GET),
    "side.not-stored": b.header("Cache-Control", None, _GET),
    "side.members": b.body("it counts one more", b.counted_wrong, _GET),
    "side.errors": b.text("}", "} Bunting", b.on("POST")),
}
