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
    json_reply,
    resource_reply,
    searchset,
    written_reply,
)
from referral_hub.web.error_handlers import flask_response
from referral_hub.web.negotiation import (
    BodySizes,
    body_bytes,
    check_accepts,
    check_sends_json,
    check_sends_patch,
    preferences_of,
)
from referral_hub.web.parameters import preview_parameters, revocation_parameters
from referral_hub.web.wire import Asked, Reply

_FORM = "application/x-www-form-urlencoded"
Route = Callable[..., Response]


@dataclass(frozen=True, slots=True)
class FhirApi:
    """The interactions as routes; each reads a request, calls one interaction and answers."""

    hub: Hub
    sizes: BodySizes
    capability: bytes

    def capabilities(self, asked: Asked) -> Reply:
        """Gives the CapabilityStatement."""
        return json_reply(self.capability, pretty=preferences_of(asked).pretty)

    def bundle(self, asked: Asked) -> Reply:
        """Runs a transaction or batch."""
        check_sends_json(asked)
        digest = digest_of(asked.authorization)
        body = json_codec.decode_object(body_bytes(asked, self.sizes.resource), levels=self.sizes.levels)
        kind, answers = bundles.run(self.hub, digest, body)
        return json_reply(bundle_answer(kind, answers, preferences_of(asked), self.hub.base))

    def search_type(self, asked: Asked, type_name: str) -> Reply:
        """Searches one type."""
        return _search(self.hub, asked, type_name, asked.query)

    def search_by_post(self, asked: Asked, type_name: str) -> Reply:
        """Searches one type, the parameters in the body."""
        if asked.media_type()[0] != _FORM:
            raise MalformedContent(f"Send the search as {_FORM}.")
        form = asked.read(self.sizes.resource).decode("ascii", "replace")
        return _search(self.hub, asked, type_name, "&".join(part for part in (asked.query, form) if part))

    def create(self, asked: Asked, type_name: str) -> Reply:
        """Creates a resource."""
        _serves(type_name, "create")
        check_sends_json(asked)
        digest = digest_of(asked.authorization)
        proposal = Proposal(
            verb="create",
            type_name=type_name,
            body=self._resource(asked, type_name),
            if_none_exist=asked.header("HTTP_IF_NONE_EXIST"),
        )
        return written_reply(
            write(self.hub, by_token(self.hub, digest), proposal), preferences_of(asked), self.hub.base
        )

    def read_one(self, asked: Asked, type_name: str, public_id: str) -> Reply:
        """Gives a resource as this caller may have it."""
        _serves(type_name, "read")
        digest = digest_of(asked.authorization)
        outcome = read(self.hub, digest, type_name, public_id)
        return resource_reply(outcome.released, preferences_of(asked), asked.header("HTTP_IF_NONE_MATCH"))

    def update(self, asked: Asked, type_name: str, public_id: str) -> Reply:
        """Updates a resource, or this caller's view of it."""
        _serves(type_name, "update")
        check_sends_json(asked)
        digest = digest_of(asked.authorization)
        proposal = Proposal(
            verb="update",
            type_name=type_name,
            public_id=public_id,
            body=self._resource(asked, type_name),
            if_match=etag_version(asked.header("HTTP_IF_MATCH")),
        )
        return written_reply(
            write(self.hub, by_token(self.hub, digest), proposal), preferences_of(asked), self.hub.base
        )

    def patch(self, asked: Asked, type_name: str, public_id: str) -> Reply:
        """Patches a resource, or this caller's view of it."""
        _serves(type_name, "patch")
        check_sends_patch(asked)
        digest = digest_of(asked.authorization)
        proposal = Proposal(
            verb="patch",
            type_name=type_name,
            public_id=public_id,
            patch=json_patch.read(body_bytes(asked, self.sizes.resource)),
            if_match=etag_version(asked.header("HTTP_IF_MATCH")),
        )
        return written_reply(
            write(self.hub, by_token(self.hub, digest), proposal), preferences_of(asked), self.hub.base
        )

    def delete(self, asked: Asked, type_name: str, public_id: str) -> Reply:
        """Deletes a draft that was never released."""
        _serves(type_name, "delete")
        digest = digest_of(asked.authorization)
        proposal = Proposal(
            verb="delete",
            type_name=type_name,
            public_id=public_id,
            if_match=etag_version(asked.header("HTTP_IF_MATCH")),
        )
        return written_reply(
            write(self.hub, by_token(self.hub, digest), proposal), preferences_of(asked), self.hub.base
        )

    def history_instance(self, asked: Asked, type_name: str, public_id: str) -> Reply:
        """Gives the versions this caller may have."""
        _serves(type_name, "history-instance")
        digest = digest_of(asked.authorization)
        versions = history(self.hub, digest, type_name, public_id)
        body = history_bundle(versions, f"{self.hub.base}/{type_name}/{public_id}/_history", self.hub.base)
        return json_reply(body, pretty=preferences_of(asked).pretty)

    def read_version(self, asked: Asked, type_name: str, public_id: str, version: str) -> Reply:
        """Gives one version."""
        _serves(type_name, "vread")
        digest = digest_of(asked.authorization)
        outcome = vread(self.hub, digest, type_name, public_id, version)
        return resource_reply(outcome.released, preferences_of(asked))

    def available_actions(self, asked: Asked, public_id: str) -> Reply:
        """Gives the moves this caller may make of a Task."""
        digest = digest_of(asked.authorization)
        return json_reply(json_codec.encode(operations.available_actions(self.hub, digest, public_id)))

    def revoke(self, asked: Asked, public_id: str) -> Reply:
        """Ends a consent."""
        digest = digest_of(asked.authorization)
        revocation = revocation_parameters(asked, self.sizes)
        released = operations.revoke(self.hub, digest, public_id, revocation)
        return resource_reply(released, preferences_of(asked))

    def disclosures(self, asked: Asked, public_id: str) -> Reply:
        """Gives who received what of a person."""
        digest = digest_of(asked.authorization)
        return json_reply(json_codec.encode(operations.disclosures(self.hub, digest, public_id)))

    def preview(self, asked: Asked) -> Reply:
        """Gives what a recipient would see."""
        digest = digest_of(asked.authorization)
        shown = previews.preview(self.hub, digest, preview_parameters(asked, self.sizes))
        return json_reply(collection([(one.reference, one.body) for one in shown], self.hub.base))

    def _resource(self, asked: Asked, type_name: str) -> dict[str, Any]:
        most = self.sizes.binary if type_name in ("Binary", "DocumentReference") else self.sizes.resource
        return json_codec.decode_object(body_bytes(asked, most), levels=self.sizes.levels)


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
        view = lane(_in_flask(getattr(api, name)))
        blueprint.add_url_rule(rule, f"{name}-{number}", view, methods=list(methods))
    return blueprint


def _in_flask(answer: Callable[..., Reply]) -> Route:
    @wraps(answer)
    def view(**values: str) -> Response:
        asked = Asked(request.environ)
        check_accepts(asked)
        return flask_response(answer(asked, **values))

    return view


def _serves(type_name: str, interaction: str) -> None:
    definition = DEFINITIONS.get(type_name)
    if definition is None:
        raise NotFound("This hub does not serve this type.")
    if interaction not in definition.interactions:
        raise InteractionNotSupported(f"This hub has no {interaction} for {type_name}.")


def _search(hub: Hub, asked: Asked, type_name: str, query: str) -> Reply:
    _serves(type_name, "search-type")
    digest = digest_of(asked.authorization)
    preferences = preferences_of(asked)
    pairs = query_pairs(query)
    found = search(hub, digest, type_name, pairs, strict=preferences.strict)
    body = searchset(found, _self_link(hub, type_name, found), _next_link(hub, type_name, found), hub.base)
    return json_reply(body, pretty=preferences.pretty)


def _self_link(hub: Hub, type_name: str, found: Found) -> str:
    query = urlencode(found.self_pairs, quote_via=quote, safe="|,:/")
    return f"{hub.base}/{type_name}?{query}" if query else f"{hub.base}/{type_name}"


def _next_link(hub: Hub, type_name: str, found: Found) -> str:
    return f"{hub.base}/{type_name}?_cursor={quote(found.next)}" if found.next else ""
