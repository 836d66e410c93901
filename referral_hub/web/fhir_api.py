"""The FHIR API: routes by interaction, for all types alike.

What lives here: reading a request, calling one interaction, answering. What does not: any rule; whether a
type is served and what may be done with it comes from the declarations and the gate.

Source: FHIR R4 http.html; ``interfaces.md`` 4.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any
from urllib.parse import quote, urlencode

from flask import Blueprint, Response, request

from referral_hub.auth.tokens import digest_of
from referral_hub.errors import InteractionNotSupported, MalformedContent, NotFound
from referral_hub.exchange import bundles, operations, previews
from referral_hub.exchange.bundles import etag_version
from referral_hub.exchange.hub import Hub
from referral_hub.exchange.interactions import by_token, write
from referral_hub.exchange.proposal import Proposal
from referral_hub.exchange.reading import history, read, vread
from referral_hub.exchange.search import Found, search
from referral_hub.fhir import json_codec
from referral_hub.fhir import patch as json_patch
from referral_hub.fhir.search_grammar import query_pairs
from referral_hub.resources.catalog import DEFINITIONS
from referral_hub.web.answers import (
    bundle_answer,
    collection,
    history_bundle,
    json_response,
    resource_response,
    searchset,
    written_response,
)
from referral_hub.web.negotiation import (
    BodySizes,
    body_bytes,
    check_accepts,
    check_sends_json,
    check_sends_patch,
    preferences_of,
)
from referral_hub.web.parameters import preview_parameters, revocation_parameters

_FORM = "application/x-www-form-urlencoded"
Route = Callable[..., Response]


@dataclass(frozen=True, slots=True)
class FhirApi:
    """The interactions as routes; each reads a request, calls one interaction and answers."""

    hub: Hub
    sizes: BodySizes
    capability: bytes

    def capabilities(self) -> Response:
        """Gives the CapabilityStatement."""
        return json_response(self.capability, pretty=preferences_of(request).pretty)

    def bundle(self) -> Response:
        """Runs a transaction or batch."""
        check_sends_json(request)
        digest = digest_of(request.headers.get("Authorization"))
        body = json_codec.decode_object(body_bytes(request, self.sizes.resource), levels=self.sizes.levels)
        kind, answers = bundles.run(self.hub, digest, body)
        return json_response(bundle_answer(kind, answers, preferences_of(request), self.hub.base))

    def search_type(self, type_name: str) -> Response:
        """Searches one type."""
        return _search(self.hub, type_name, request.query_string.decode("ascii", "replace"))

    def search_by_post(self, type_name: str) -> Response:
        """Searches one type, the parameters in the body."""
        if request.mimetype != _FORM:
            raise MalformedContent(f"Send the search as {_FORM}.")
        form = request.stream.read(self.sizes.resource).decode("ascii", "replace")
        query = request.query_string.decode("ascii", "replace")
        return _search(self.hub, type_name, "&".join(part for part in (query, form) if part))

    def create(self, type_name: str) -> Response:
        """Creates a resource."""
        _serves(type_name, "create")
        check_sends_json(request)
        digest = digest_of(request.headers.get("Authorization"))
        proposal = Proposal(
            verb="create",
            type_name=type_name,
            body=self._resource(type_name),
            if_none_exist=request.headers.get("If-None-Exist", ""),
        )
        return written_response(
            write(self.hub, by_token(self.hub, digest), proposal), preferences_of(request), self.hub.base
        )

    def read_one(self, type_name: str, public_id: str) -> Response:
        """Gives a resource as this caller may have it."""
        _serves(type_name, "read")
        digest = digest_of(request.headers.get("Authorization"))
        outcome = read(self.hub, digest, type_name, public_id)
        return resource_response(
            outcome.released, preferences_of(request), request.headers.get("If-None-Match", "")
        )

    def update(self, type_name: str, public_id: str) -> Response:
        """Updates a resource, or this caller's view of it."""
        _serves(type_name, "update")
        check_sends_json(request)
        digest = digest_of(request.headers.get("Authorization"))
        proposal = Proposal(
            verb="update",
            type_name=type_name,
            public_id=public_id,
            body=self._resource(type_name),
            if_match=etag_version(request.headers.get("If-Match")),
        )
        return written_response(
            write(self.hub, by_token(self.hub, digest), proposal), preferences_of(request), self.hub.base
        )

    def patch(self, type_name: str, public_id: str) -> Response:
        """Patches a resource, or this caller's view of it."""
        _serves(type_name, "patch")
        check_sends_patch(request)
        digest = digest_of(request.headers.get("Authorization"))
        proposal = Proposal(
            verb="patch",
            type_name=type_name,
            public_id=public_id,
            patch=json_patch.read(body_bytes(request, self.sizes.resource)),
            if_match=etag_version(request.headers.get("If-Match")),
        )
        return written_response(
            write(self.hub, by_token(self.hub, digest), proposal), preferences_of(request), self.hub.base
        )

    def delete(self, type_name: str, public_id: str) -> Response:
        """Deletes a draft that was never released."""
        _serves(type_name, "delete")
        digest = digest_of(request.headers.get("Authorization"))
        proposal = Proposal(
            verb="delete",
            type_name=type_name,
            public_id=public_id,
            if_match=etag_version(request.headers.get("If-Match")),
        )
        return written_response(
            write(self.hub, by_token(self.hub, digest), proposal), preferences_of(request), self.hub.base
        )

    def history_instance(self, type_name: str, public_id: str) -> Response:
        """Gives the versions this caller may have."""
        _serves(type_name, "history-instance")
        digest = digest_of(request.headers.get("Authorization"))
        versions = history(self.hub, digest, type_name, public_id)
        body = history_bundle(versions, f"{self.hub.base}/{type_name}/{public_id}/_history", self.hub.base)
        return json_response(body, pretty=preferences_of(request).pretty)

    def read_version(self, type_name: str, public_id: str, version: str) -> Response:
        """Gives one version."""
        _serves(type_name, "vread")
        digest = digest_of(request.headers.get("Authorization"))
        outcome = vread(self.hub, digest, type_name, public_id, version)
        return resource_response(outcome.released, preferences_of(request))

    def available_actions(self, public_id: str) -> Response:
        """Gives the moves this caller may make of a Task."""
        digest = digest_of(request.headers.get("Authorization"))
        return json_response(json_codec.encode(operations.available_actions(self.hub, digest, public_id)))

    def revoke(self, public_id: str) -> Response:
        """Ends a consent."""
        digest = digest_of(request.headers.get("Authorization"))
        revocation = revocation_parameters(request, self.sizes)
        released = operations.revoke(self.hub, digest, public_id, revocation)
        return resource_response(released, preferences_of(request))

    def disclosures(self, public_id: str) -> Response:
        """Gives who received what of a person."""
        digest = digest_of(request.headers.get("Authorization"))
        return json_response(json_codec.encode(operations.disclosures(self.hub, digest, public_id)))

    def preview(self) -> Response:
        """Gives what a recipient would see."""
        digest = digest_of(request.headers.get("Authorization"))
        shown = previews.preview(self.hub, digest, preview_parameters(request, self.sizes))
        return json_response(collection([(one.reference, one.body) for one in shown], self.hub.base))

    def _resource(self, type_name: str) -> dict[str, Any]:
        most = self.sizes.binary if type_name in ("Binary", "DocumentReference") else self.sizes.resource
        return json_codec.decode_object(body_bytes(request, most), levels=self.sizes.levels)


ROUTES: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("", ("POST",), "bundle"),
    ("/metadata", ("GET",), "capabilities"),
    ("/", ("POST",), "bundle"),
    ("/<type_name>", ("GET",), "search_type"),
    ("/<type_name>/_search", ("POST",), "search_by_post"),
    ("/<type_name>", ("POST",), "create"),
    ("/<type_name>/<public_id>", ("GET",), "read_one"),
    ("/<type_name>/<public_id>", ("PUT",), "update"),
    ("/<type_name>/<public_id>", ("PATCH",), "patch"),
    ("/<type_name>/<public_id>", ("DELETE",), "delete"),
    ("/<type_name>/<public_id>/_history", ("GET",), "history_instance"),
    ("/<type_name>/<public_id>/_history/<version>", ("GET",), "read_version"),
    ("/Task/<public_id>/$available-actions", ("GET", "POST"), "available_actions"),
    ("/Consent/<public_id>/$revoke", ("POST",), "revoke"),
    ("/Patient/<public_id>/$disclosures", ("GET", "POST"), "disclosures"),
    ("/ServiceRequest/$preview", ("POST",), "preview"),
)
"""Address below /fhir, methods, and the interaction that answers: every way in, in one table."""


def fhir_blueprint(api: FhirApi, lane: Callable[[Route], Route]) -> Blueprint:
    """Gives the routes of the FHIR API.

    Args:
        api: hub, sizes and the CapabilityStatement, made once.
        lane: wraps a route so that it computes only while it holds the worker's lane.
    """
    blueprint = Blueprint("fhir", __name__, url_prefix="/fhir")
    for number, (rule, methods, name) in enumerate(ROUTES):
        view = lane(_checked(getattr(api, name)))
        blueprint.add_url_rule(rule, f"{name}-{number}", view, methods=list(methods))
    return blueprint


def _checked(view: Route) -> Route:
    @wraps(view)
    def checked(**values: str) -> Response:
        check_accepts(request)
        return view(**values)

    return checked


def _serves(type_name: str, interaction: str) -> None:
    definition = DEFINITIONS.get(type_name)
    if definition is None:
        raise NotFound("This hub does not serve this type.")
    if interaction not in definition.interactions:
        raise InteractionNotSupported(f"This hub has no {interaction} for {type_name}.")


def _search(hub: Hub, type_name: str, query: str) -> Response:
    _serves(type_name, "search-type")
    digest = digest_of(request.headers.get("Authorization"))
    preferences = preferences_of(request)
    pairs = query_pairs(query)
    found = search(hub, digest, type_name, pairs, strict=preferences.strict)
    body = searchset(found, _self_link(hub, type_name, found), _next_link(hub, type_name, found), hub.base)
    return json_response(body, pretty=preferences.pretty)


def _self_link(hub: Hub, type_name: str, found: Found) -> str:
    query = urlencode(found.self_pairs, quote_via=quote, safe="|,:/")
    return f"{hub.base}/{type_name}?{query}" if query else f"{hub.base}/{type_name}"


def _next_link(hub: Hub, type_name: str, found: Found) -> str:
    return f"{hub.base}/{type_name}?_cursor={quote(found.next)}" if found.next else ""
