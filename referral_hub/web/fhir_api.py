"""The FHIR API: what answers at each address, for all types alike.

What lives here: reading a request, calling one interaction, answering. What does not: any rule; whether a
type is served and what may be done with it comes from the declarations and the gate. Addresses are in
``web.addresses``; the form of the answer is chosen afterwards (``web.finishing``).

Source: FHIR R4 http.html; ``interfaces.md`` 4.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from referral_hub.auth.tokens import digest_of
from referral_hub.errors import InteractionNotSupported, InvalidResource, MalformedContent, NotFound
from referral_hub.exchange import bundles, disclosing, operations, previews, published, validating
from referral_hub.exchange.bundle_entries import Entry, read_bundle
from referral_hub.exchange.etags import etag_version
from referral_hub.exchange.everything import everything
from referral_hub.exchange.histories import history_instance, history_of_own, vread
from referral_hub.exchange.hub import Hub
from referral_hub.exchange.interactions import by_token, write
from referral_hub.exchange.ports import Released
from referral_hub.exchange.proposal import Proposal
from referral_hub.exchange.published import is_published
from referral_hub.exchange.reading import read
from referral_hub.exchange.search import search
from referral_hub.fhir import json_codec
from referral_hub.fhir.outcome import Issue
from referral_hub.fhir.search_grammar import query_pairs
from referral_hub.resources.catalog import SERVED
from referral_hub.web.answers import (
    bundle_answer,
    collection,
    everything_bundle,
    history_bundle,
    json_reply,
    reply_entry,
    resource_reply,
    searchset,
    voice_of,
    written_reply,
)
from referral_hub.web.assignment_api import AssignmentApi
from referral_hub.web.batches import check_width, entry_reply, patch_of
from referral_hub.web.binary_content import content_reply, is_content, sent_binary
from referral_hub.web.consent_api import ConsentApi
from referral_hub.web.copies import CopyApi
from referral_hub.web.desk_api import DeskApi
from referral_hub.web.export_api import BulkApi
from referral_hub.web.forms import asks_for_content, note_form, sent_resource
from referral_hub.web.negotiation import BodySizes, known_of, preferences_of
from referral_hub.web.parameters import everything_parameters, preview_parameters, revocation_parameters
from referral_hub.web.patches import sent_patch
from referral_hub.web.subscription_api import SubscriptionApi
from referral_hub.web.validation_requests import is_type, outcome_of, problems_of, question_of
from referral_hub.web.wire import Asked, Reply

_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class FhirApi:
    """The interactions as routes; each reads a request, calls one interaction and answers."""

    hub: Hub
    sizes: BodySizes
    capability: bytes
    bulk: BulkApi
    notices: SubscriptionApi
    desk: DeskApi
    consents: ConsentApi
    assigning: AssignmentApi
    copies: CopyApi

    # --- the hub as a whole ---------------------------------------------------------------------------------

    def capabilities(self, asked: Asked) -> Reply:
        """Gives the CapabilityStatement."""
        reply = json_reply(self.capability)
        reply.voice = "public"
        return reply

    def bundle(self, asked: Asked) -> Reply:
        """Runs a transaction or batch."""
        digest = digest_of(asked.authorization)
        kind, entries = read_bundle(self.hub, sent_resource(asked, self.sizes))
        check_width(entries)
        replies: dict[int, Reply] = {}
        if kind == "transaction":
            refused = [entry for entry in entries if isinstance(entry, Issue)]
            if refused:
                raise InvalidResource(refused)
            writes = [entry for entry in entries if isinstance(entry, Entry) and entry.writes]
            written = bundles.transaction(self.hub, by_token(self.hub, digest), writes, patch_of)
            preferences = preferences_of(asked)
            replies = {
                index: written_reply(one, preferences, self.hub.base) for index, one in written.items()
            }
        told = sum(len(reply.body) for reply in replies.values())
        for index, entry in enumerate(entries):
            if index not in replies:
                replies[index] = entry_reply(self._answer, asked, entry, is_full=told > self.sizes.binary)
                told += len(replies[index].body)
        named: set[str] = set()
        made = [
            reply_entry(
                replies[index], self.hub.base, named, is_write=isinstance(entry, Entry) and entry.writes
            )
            for index, entry in enumerate(entries)
        ]
        return json_reply(bundle_answer(kind, made))

    def _answer(self, name: str, asked: Asked, values: dict[str, str]) -> Reply:
        if "." in name:
            raise InteractionNotSupported("This has no place in a Bundle; ask for it by itself.")
        reply: Reply = getattr(self, name)(asked, **values)
        return reply

    def history_system(self, asked: Asked) -> Reply:
        """Gives every version the caller's organisation wrote."""
        return self._history(asked, "")

    # --- one type -------------------------------------------------------------------------------------------

    def search_type(self, asked: Asked, type_name: str) -> Reply:
        """Searches one type."""
        return self._search(asked, type_name, asked.query)

    def search_by_post(self, asked: Asked, type_name: str) -> Reply:
        """Searches one type, the parameters in the body."""
        if asked.media_type()[0] != _FORM:
            raise MalformedContent(f"Send the search as {_FORM}.")
        form = asked.read(self.sizes.resource).decode("ascii", "replace")
        note_form(asked, form)
        return self._search(asked, type_name, "&".join(part for part in (asked.query, form) if part))

    def create(self, asked: Asked, type_name: str) -> Reply:
        """Creates a resource."""
        _serves(type_name, "create")
        digest_of(asked.authorization)  # without a token nothing of the body is read
        proposal = Proposal(
            verb="create",
            type_name=type_name,
            body=self._resource(asked, type_name),
            if_none_exist=asked.header("HTTP_IF_NONE_EXIST"),
        )
        return self._write(asked, proposal)

    def update_where(self, asked: Asked, type_name: str) -> Reply:
        """Updates the one resource of the caller's own that the address means, or creates it."""
        return self.update(asked, type_name, "")

    def patch_where(self, asked: Asked, type_name: str) -> Reply:
        """Patches the one resource of the caller's own that the address means."""
        return self.patch(asked, type_name, "")

    def delete_where(self, asked: Asked, type_name: str) -> Reply:
        """Deletes the one draft of the caller's own that the address means."""
        return self.delete(asked, type_name, "")

    def history_type(self, asked: Asked, type_name: str) -> Reply:
        """Gives every version of a type that the caller's organisation wrote."""
        _serves(type_name, "history-instance")
        return self._history(asked, type_name)

    # --- one resource ---------------------------------------------------------------------------------------

    def read_one(self, asked: Asked, type_name: str, public_id: str) -> Reply:
        """Gives a resource as this caller may have it."""
        _serves(type_name, "read")
        if published.stands(self.hub, type_name, public_id):
            return resource_reply(published.read(self.hub, type_name, public_id).released, known_of(asked))
        digest = digest_of(asked.authorization)
        reply = resource_reply(read(self.hub, digest, type_name, public_id).released, known_of(asked))
        return content_reply(reply) if type_name == "Binary" and asks_for_content(asked) else reply

    def update(self, asked: Asked, type_name: str, public_id: str) -> Reply:
        """Updates a resource, or this caller's view of it."""
        _serves(type_name, "update")
        digest_of(asked.authorization)  # without a token nothing of the body is read
        proposal = Proposal(
            verb="update",
            type_name=type_name,
            public_id=public_id,
            body=self._resource(asked, type_name, public_id),
            if_match=etag_version(asked.header("HTTP_IF_MATCH")),
            criteria=_criteria(asked, public_id),
        )
        return self._write(asked, proposal)

    def patch(self, asked: Asked, type_name: str, public_id: str) -> Reply:
        """Patches a resource, or this caller's view of it."""
        _serves(type_name, "patch")
        digest_of(asked.authorization)  # without a token nothing of the body is read
        proposal = Proposal(
            verb="patch",
            type_name=type_name,
            public_id=public_id,
            patch=sent_patch(asked, self.sizes),
            if_match=etag_version(asked.header("HTTP_IF_MATCH")),
            criteria=_criteria(asked, public_id),
        )
        return self._write(asked, proposal)

    def delete(self, asked: Asked, type_name: str, public_id: str) -> Reply:
        """Deletes a draft that was never released."""
        _serves(type_name, "delete")
        proposal = Proposal(
            verb="delete",
            type_name=type_name,
            public_id=public_id,
            if_match=etag_version(asked.header("HTTP_IF_MATCH")),
            criteria=_criteria(asked, public_id),
        )
        return self._write(asked, proposal)

    def history_instance(self, asked: Asked, type_name: str, public_id: str) -> Reply:
        """Gives the versions this caller may have."""
        _serves(type_name, "history-instance")
        pairs, general = _pairs(asked.query)
        digest, strict = digest_of(asked.authorization), preferences_of(asked).strict
        history = history_instance(self.hub, digest, type_name, public_id, pairs, strict=strict)
        body = history_bundle(history, self._address(asked), self.hub.base, general)
        return _page(body, [one.released for one in history.versions])

    def read_version(self, asked: Asked, type_name: str, public_id: str, version: str) -> Reply:
        """Gives one version."""
        _serves(type_name, "vread")
        outcome = vread(self.hub, digest_of(asked.authorization), type_name, public_id, version)
        reply = resource_reply(outcome.released, known_of(asked))
        return content_reply(reply) if type_name == "Binary" and asks_for_content(asked) else reply

    # --- operations -----------------------------------------------------------------------------------------

    def validate_new(self, asked: Asked, type_name: str) -> Reply:
        """Gives what is wrong with a resource that was sent; nothing is stored."""
        if not is_type(type_name):
            raise NotFound("R4 has no such type.")
        digest = digest_of(asked.authorization)
        validating.check_caller(self.hub, digest)
        try:
            question = question_of(asked, type_name, self.sizes)
        except InvalidResource as refused:
            return json_reply(problems_of(refused))
        return json_reply(outcome_of(validating.validate_new(self.hub, digest, type_name, question)))

    def validate_stored(self, asked: Asked, type_name: str, public_id: str) -> Reply:
        """Gives what is wrong with a new version of a stored resource, or with what the caller has of it."""
        _serves(type_name, "read")
        digest = digest_of(asked.authorization)
        validating.check_caller(self.hub, digest)
        try:
            question = question_of(asked, type_name, self.sizes)
        except InvalidResource as refused:
            return json_reply(problems_of(refused))
        issues = validating.validate_stored(self.hub, digest, type_name, public_id, question)
        return json_reply(outcome_of(issues))

    def available_actions(self, asked: Asked, public_id: str) -> Reply:
        """Gives the moves this caller may make of a Task."""
        digest = digest_of(asked.authorization)
        return json_reply(json_codec.encode(operations.available_actions(self.hub, digest, public_id)))

    def revoke(self, asked: Asked, public_id: str) -> Reply:
        """Ends a consent."""
        digest = digest_of(asked.authorization)
        revocation = revocation_parameters(asked, self.sizes)
        return resource_reply(operations.revoke(self.hub, digest, public_id, revocation))

    def disclosures(self, asked: Asked, public_id: str) -> Reply:
        """Gives who received what of a person."""
        digest = digest_of(asked.authorization)
        return json_reply(json_codec.encode(disclosing.disclosures(self.hub, digest, public_id)))

    def everything(self, asked: Asked, public_id: str) -> Reply:
        """Gives a person's record as this caller may have it."""
        digest, strict = digest_of(asked.authorization), preferences_of(asked).strict
        pairs, general = _pairs(asked.query)
        if asked.environ["REQUEST_METHOD"] == "POST" and asked.content_length:
            pairs = [*pairs, *everything_parameters(asked, self.sizes)]
        page = everything(self.hub, digest, public_id, pairs, strict=strict)
        return _page(everything_bundle(page, self._address(asked), self.hub.base, general), page.found)

    def preview(self, asked: Asked) -> Reply:
        """Gives what a recipient would see."""
        digest = digest_of(asked.authorization)
        shown = previews.preview(self.hub, digest, preview_parameters(asked, self.sizes))
        return json_reply(collection([(one.reference, one.body) for one in shown], self.hub.base))

    # --- what several share ---------------------------------------------------------------------------------

    def _write(self, asked: Asked, proposal: Proposal) -> Reply:
        written = write(self.hub, by_token(self.hub, digest_of(asked.authorization)), proposal)
        return written_reply(written, preferences_of(asked), self.hub.base)

    def _search(self, asked: Asked, type_name: str, query: str) -> Reply:
        _serves(type_name, "search-type")
        strict = preferences_of(asked).strict
        pairs, general = _pairs(query)
        if is_published(type_name):
            found = published.search(self.hub, type_name, pairs, strict=strict)
        else:
            digest = digest_of(asked.authorization)
            found = search(self.hub, digest, type_name, pairs, strict=strict)
            found = published.joined(self.hub, type_name, pairs, found, strict=strict)
        reply = json_reply(searchset(found, f"{self.hub.base}/{type_name}", self.hub.base, general))
        reply.voice = voice_of((found.matches, found.included))
        return reply

    def _history(self, asked: Asked, type_name: str) -> Reply:
        pairs, general = _pairs(asked.query)
        digest, strict = digest_of(asked.authorization), preferences_of(asked).strict
        history = history_of_own(self.hub, digest, type_name, pairs, strict=strict)
        body = history_bundle(history, self._address(asked), self.hub.base, general)
        return _page(body, [one.released for one in history.versions])

    def _address(self, asked: Asked) -> str:
        """Gives the address that was asked, without its query."""
        path: str = asked.environ["PATH_INFO"]
        return f"{self.hub.base}{path.removeprefix('/fhir')}"

    def _resource(self, asked: Asked, type_name: str, public_id: str = "") -> dict[str, Any]:
        if type_name == "Binary" and is_content(asked):
            return sent_binary(asked, self.sizes, public_id)
        large = type_name in ("Binary", "DocumentReference")
        return sent_resource(asked, self.sizes, self.sizes.binary if large else None)


def _pairs(query: str) -> tuple[Sequence[tuple[str, str]], list[tuple[str, str]]]:
    """Gives the parameters of a request, and apart from them those that only say in which form to answer."""
    pairs = query_pairs(query)
    if "_format" not in query and "_pretty" not in query:
        return pairs, []
    general = [pair for pair in pairs if pair[0] in ("_format", "_pretty")]
    return [pair for pair in pairs if pair not in general], general


def _page(body: bytes, shown: Iterable[Released | None]) -> Reply:
    reply = json_reply(body)
    reply.voice = voice_of(([one for one in shown if one is not None],))
    return reply


def _criteria(asked: Asked, public_id: str) -> str:
    """Gives the criteria of a conditional interaction; without any it would mean everything, so it means nothing."""
    return "" if public_id else asked.query or "identifier="


def _serves(type_name: str, interaction: str) -> None:
    definition = SERVED.get(type_name)
    if definition is None:
        raise NotFound("This hub does not serve this type.")
    if definition.published and interaction not in definition.interactions:
        raise InteractionNotSupported(
            f"Each {type_name} comes with the hub: it is read and searched here, never written, and has one version."
        )
    if interaction not in definition.interactions:
        raise InteractionNotSupported(f"This hub has no {interaction} for {type_name}.")
