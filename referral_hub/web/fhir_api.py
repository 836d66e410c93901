"""The FHIR API: routes by interaction, for all types alike.

What lives here: reading a request, calling one interaction, answering. What does not: any rule; whether a
type is served and what may be done with it comes from the declarations and the gate.

Source: FHIR R4 http.html; ``interfaces.md`` 4.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
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
    """What the routes share."""

    hub: Hub
    sizes: BodySizes
    capability: bytes


def fhir_blueprint(api: FhirApi, lane: Callable[[Route], Route]) -> Blueprint:
    """Gives the routes of the FHIR API.

    Args:
        api: hub, sizes and the CapabilityStatement, made once.
        lane: wraps a route so that it computes only while it holds the worker's lane.
    """
    blueprint = Blueprint("fhir", __name__, url_prefix="/fhir")
    hub = api.hub

    def route(rule: str, *methods: str) -> Callable[[Route], Route]:
        def register(view: Route) -> Route:
            @wraps(view)
            def checked(**values: str) -> Response:
                check_accepts(request)
                return view(**values)

            blueprint.add_url_rule(rule, view.__name__, lane(checked), methods=list(methods))
            return view

        return register

    @route("/metadata", "GET")
    def capabilities() -> Response:
        return json_response(api.capability, pretty=preferences_of(request).pretty)

    @route("/", "POST")
    def bundle() -> Response:
        check_sends_json(request)
        digest = digest_of(request.headers.get("Authorization"))
        body = json_codec.decode_object(body_bytes(request, api.sizes.resource), levels=api.sizes.levels)
        kind, answers = bundles.run(hub, digest, body)
        return json_response(bundle_answer(kind, answers, preferences_of(request), hub.base))

    @route("/<type_name>", "GET")
    def search_type(type_name: str) -> Response:
        return _search(hub, type_name, request.query_string.decode("ascii", "replace"))

    @route("/<type_name>/_search", "POST")
    def search_by_post(type_name: str) -> Response:
        if request.mimetype != _FORM:
            raise MalformedContent(f"Send the search as {_FORM}.")
        form = request.stream.read(api.sizes.resource).decode("ascii", "replace")
        query = request.query_string.decode("ascii", "replace")
        return _search(hub, type_name, "&".join(part for part in (query, form) if part))

    @route("/<type_name>", "POST")
    def create(type_name: str) -> Response:
        _serves(type_name, "create")
        check_sends_json(request)
        digest = digest_of(request.headers.get("Authorization"))
        proposal = Proposal(
            verb="create",
            type_name=type_name,
            body=_resource(api, type_name),
            if_none_exist=request.headers.get("If-None-Exist", ""),
        )
        return written_response(
            write(hub, by_token(hub, digest), proposal), preferences_of(request), hub.base
        )

    @route("/<type_name>/<public_id>", "GET")
    def read_one(type_name: str, public_id: str) -> Response:
        _serves(type_name, "read")
        digest = digest_of(request.headers.get("Authorization"))
        outcome = read(hub, digest, type_name, public_id)
        return resource_response(
            outcome.released, preferences_of(request), request.headers.get("If-None-Match", "")
        )

    @route("/<type_name>/<public_id>", "PUT")
    def update(type_name: str, public_id: str) -> Response:
        _serves(type_name, "update")
        check_sends_json(request)
        digest = digest_of(request.headers.get("Authorization"))
        proposal = Proposal(
            verb="update",
            type_name=type_name,
            public_id=public_id,
            body=_resource(api, type_name),
            if_match=etag_version(request.headers.get("If-Match")),
        )
        return written_response(
            write(hub, by_token(hub, digest), proposal), preferences_of(request), hub.base
        )

    @route("/<type_name>/<public_id>", "PATCH")
    def patch(type_name: str, public_id: str) -> Response:
        _serves(type_name, "patch")
        check_sends_patch(request)
        digest = digest_of(request.headers.get("Authorization"))
        proposal = Proposal(
            verb="patch",
            type_name=type_name,
            public_id=public_id,
            patch=json_patch.read(body_bytes(request, api.sizes.resource)),
            if_match=etag_version(request.headers.get("If-Match")),
        )
        return written_response(
            write(hub, by_token(hub, digest), proposal), preferences_of(request), hub.base
        )

    @route("/<type_name>/<public_id>", "DELETE")
    def delete(type_name: str, public_id: str) -> Response:
        _serves(type_name, "delete")
        digest = digest_of(request.headers.get("Authorization"))
        proposal = Proposal(
            verb="delete",
            type_name=type_name,
            public_id=public_id,
            if_match=etag_version(request.headers.get("If-Match")),
        )
        return written_response(
            write(hub, by_token(hub, digest), proposal), preferences_of(request), hub.base
        )

    @route("/<type_name>/<public_id>/_history", "GET")
    def history_instance(type_name: str, public_id: str) -> Response:
        _serves(type_name, "history-instance")
        digest = digest_of(request.headers.get("Authorization"))
        versions = history(hub, digest, type_name, public_id)
        body = history_bundle(versions, f"{hub.base}/{type_name}/{public_id}/_history", hub.base)
        return json_response(body, pretty=preferences_of(request).pretty)

    @route("/<type_name>/<public_id>/_history/<version>", "GET")
    def read_version(type_name: str, public_id: str, version: str) -> Response:
        _serves(type_name, "vread")
        digest = digest_of(request.headers.get("Authorization"))
        outcome = vread(hub, digest, type_name, public_id, version)
        return resource_response(outcome.released, preferences_of(request))

    @route("/Task/<public_id>/$available-actions", "GET", "POST")
    def available_actions(public_id: str) -> Response:
        digest = digest_of(request.headers.get("Authorization"))
        return json_response(json_codec.encode(operations.available_actions(hub, digest, public_id)))

    @route("/Consent/<public_id>/$revoke", "POST")
    def revoke(public_id: str) -> Response:
        digest = digest_of(request.headers.get("Authorization"))
        revocation = revocation_parameters(request, api.sizes)
        released = operations.revoke(hub, digest, public_id, revocation)
        return resource_response(released, preferences_of(request))

    @route("/Patient/<public_id>/$disclosures", "GET", "POST")
    def disclosures(public_id: str) -> Response:
        digest = digest_of(request.headers.get("Authorization"))
        return json_response(json_codec.encode(operations.disclosures(hub, digest, public_id)))

    @route("/ServiceRequest/$preview", "POST")
    def preview() -> Response:
        digest = digest_of(request.headers.get("Authorization"))
        shown = previews.preview(hub, digest, preview_parameters(request, api.sizes))
        return json_response(collection([(one.reference, one.body) for one in shown], hub.base))

    blueprint.add_url_rule("", "bundle_at_base", lane(_checked(bundle)), methods=["POST"])
    return blueprint


def _checked(view: Route) -> Route:
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


def _resource(api: FhirApi, type_name: str) -> dict[str, object]:
    most = api.sizes.binary if type_name in ("Binary", "DocumentReference") else api.sizes.resource
    return json_codec.decode_object(body_bytes(request, most), levels=api.sizes.levels)


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
