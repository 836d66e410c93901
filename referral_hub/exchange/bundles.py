"""A transaction: several writes that are one Change, all or nothing.

What lives here: giving ids before the entries refer to one another, what conditional entries and references mean, and
the order. What does not: reading the entries (``exchange.bundle_entries``), one entry's own walk
(``exchange.writing``), a batch (``web.batches``).

Everything conditional is looked up among what the caller's organisation wrote, in the same state the writes are
decided on, and decided anew with them where that state moved on.

Source: FHIR R4 http.html#transaction (rules for ids, order and conditional references); ``consent.md`` S-25.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from referral_hub.access.principal import Principal
from referral_hub.errors import ConditionalConflict, ConditionalNotSupported, InvalidResource
from referral_hub.exchange.building import Draft
from referral_hub.exchange.bundle_entries import Entry
from referral_hub.exchange.conditional import identifier_of, match
from referral_hub.exchange.etags import etag_version
from referral_hub.exchange.hub import Hub
from referral_hub.exchange.interactions import Caller, Written, write_prepared
from referral_hub.exchange.ports import ResourceRow
from referral_hub.exchange.proposal import Patch, Proposal, Verb
from referral_hub.fhir.outcome import Issue
from referral_hub.fhir.references import iter_references, rewrite_references
from referral_hub.resources.catalog import DEFINITIONS

_VERBS: dict[str, Verb] = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_ORDER = {"DELETE": 0, "POST": 1, "PUT": 2, "PATCH": 2}
_FIRST = ("Organization", "Patient", "Practitioner", "DocumentReference", "Binary")
_LAST = ("Consent", "ServiceRequest", "Procedure", "Appointment", "Communication", "Task", "Provenance")
"""Inside a transaction what is pointed at comes first: persons, consents, requests, then Tasks."""
_RESTFUL = re.compile(r"https?://[^\s?#]+/([A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64})")

_SEVERAL = "A conditional reference matches several of your own resources."

PatchOf = Callable[[Entry], Patch]


def transaction(
    hub: Hub, caller_of: Caller, entries: Sequence[Entry], patch_of: PatchOf
) -> dict[int, Written]:
    """Runs the writes of a transaction as one Change.

    Args:
        hub: store, gate and clock.
        caller_of: gives the caller.
        entries: the entries that write.
        patch_of: reads the patch an entry carries.

    Returns:
        what each entry came to, by its place in the Bundle.

    Raises:
        HubError: the refusal of the first refused entry; nothing is stored. Its ``expression`` names the entry.
    """
    if not entries:
        return {}
    issues = [issue for entry in entries for issue in _shape_issues(entry)]
    if issues:
        raise InvalidResource(issues)
    patches = {entry.index: patch_of(entry) for entry in entries if entry.method == "PATCH"}
    order: list[int] = []

    def prepare(caller: Principal, draft: Draft) -> list[Proposal]:
        made = _Transaction(hub, caller, draft, entries, patches).proposals()
        order[:] = [index for index, _ in made]
        return [proposal for _, proposal in made]

    settles = any(entry.method == "DELETE" or entry.type_name == "Consent" for entry in entries)
    written = write_prepared(hub, caller_of, prepare, settles=settles)
    return dict(zip(order, written, strict=True))


def _shape_issues(entry: Entry) -> Iterator[Issue]:
    """Gives what is wrong with an entry by itself."""
    has_id = "/" in entry.path
    url = f"{entry.place}.request.url"
    if entry.type_name not in DEFINITIONS or "/" in entry.public_id or entry.public_id[:1] in ("$", "_"):
        text = "In a transaction request.url is Type, Type?identifier=… or Type/id of a type this hub serves."
        yield Issue("error", "not-supported", text, url)
    elif entry.method == "POST" and (has_id or entry.query):
        yield Issue("error", "value", "POST goes to a Type.", url)
    elif entry.method != "POST" and has_id == bool(entry.query):
        text = "PUT, PATCH and DELETE go to Type/id, or to Type?identifier=system|value."
        yield Issue("error", "value", text, url)
    if entry.method == "POST" and entry.body is None:
        yield Issue("error", "required", "This entry needs a resource.", f"{entry.place}.resource")


class _Transaction:
    """The entries of one transaction in one state.

    Args:
        hub: ids and gate.
        caller: who writes.
        draft: the Change in the making, with the state it is decided on.
        entries: those that write.
        patches: what PATCH entries carry, by place.
    """

    def __init__(
        self,
        hub: Hub,
        caller: Principal,
        draft: Draft,
        entries: Sequence[Entry],
        patches: dict[int, Patch],
    ) -> None:
        self._hub = hub
        self._caller = caller
        self._working = draft.working
        self._at_us = draft.at_us
        self._entries = entries
        self._patches = patches
        self._reserved: dict[int, str] = {}
        self._targets: dict[int, str] = {}
        self._issues: list[Issue] = []
        self._makers = _makers(entries)

    def proposals(self) -> list[tuple[int, Proposal]]:
        """Gives each entry as a proposal, with what it refers to resolved, in the order they are decided.

        Source: FHIR R4 http.html#trules (DELETE, POST, PUT and PATCH); an update that creates comes with the creates,
        so that others may refer to it.

        Raises:
            HubError: an entry may not be asked for, or its condition cannot be answered.
            InvalidResource: entries contradict one another, or a reference means nothing (422).
        """
        for entry in self._entries:
            self._hub.gate.allow(self._caller, entry.type_name, _VERBS[entry.method])
            self._find_target(entry)
        self._check_targets()
        mapping = self._mapping()
        for entry in self._entries:
            for place, text in _conditional_references(entry):
                if text not in mapping:
                    found = self._meant(text, place)
                    if found:
                        mapping[text] = found
        if self._issues:
            raise InvalidResource(self._issues)
        ordered = sorted(self._entries, key=self._rank)
        return [(entry.index, self._proposal(entry, mapping)) for entry in ordered]

    def _find_target(self, entry: Entry) -> None:
        """Finds what an entry is about: ``Type/id`` of what is there, or an id for what will be."""
        if entry.public_id:
            self._targets[entry.index] = f"{entry.type_name}/{entry.public_id}"
            return
        criteria = entry.if_none_exist if entry.method == "POST" else entry.query
        found = None
        if criteria:
            try:
                found = self._match(entry.type_name, criteria)
            except ConditionalConflict as several:
                raise ConditionalConflict(several.text, entry.place) from None
        if found is not None:
            self._targets[entry.index] = f"{found.type}/{found.id}"
            self._working.guard_row(found)
        elif entry.method in ("POST", "PUT"):
            self._reserved[entry.index] = self._hub.ids.public_id()
            self._targets[entry.index] = f"{entry.type_name}/{self._reserved[entry.index]}"
            if criteria:
                self._check_alone(entry, identifier_of(criteria))

    def _match(self, type_name: str, criteria: str) -> ResourceRow | None:
        return match(self._caller, type_name, criteria, self._working, self._hub.gate, self._at_us)

    def _check_alone(self, entry: Entry, token: str) -> None:
        """Refuses two entries that make what only one of them may make."""
        if self._makers[entry.type_name, token] - {entry.index}:
            text = "Another entry of this transaction has the identifier that this one is conditional on."
            self._refuse(entry.place, text)

    def _check_targets(self) -> None:
        seen: dict[str, Entry] = {}
        for entry in self._entries:
            target = self._targets.get(entry.index)
            if target is None:
                continue
            before = seen.setdefault(target, entry)
            if before is not entry and not (entry.method == before.method == "POST"):
                self._refuse(entry.place, "One transaction changes a resource once.")

    def _mapping(self) -> dict[str, str]:
        """Gives what each ``fullUrl`` of the Bundle means on this hub."""
        mapping: dict[str, str] = {}
        for entry in self._entries:
            target = self._targets.get(entry.index)
            if not entry.full_url or target is None or entry.method in ("DELETE", "PATCH"):
                continue
            names = [entry.full_url]
            restful = _RESTFUL.fullmatch(entry.full_url)
            if restful is not None and restful[1].startswith(f"{entry.type_name}/"):
                names.append(restful[1])
            for name in names:
                if mapping.setdefault(name, target) != target:
                    self._refuse(entry.place, "Two entries have the same fullUrl.")
        return mapping

    def _meant(self, text: str, place: str) -> str:
        """Gives what a conditional reference means: one of the caller's own, or one that this Bundle makes."""
        type_name, _, query = text.partition("?")
        if type_name not in DEFINITIONS:
            self._refuse(place, "A conditional reference names a type this hub serves.", "not-supported")
            return ""
        self._hub.gate.allow(self._caller, type_name, "search")
        try:
            token = identifier_of(query)
            row = self._match(type_name, query)
        except ConditionalNotSupported as unknown:
            self._refuse(place, unknown.text, "not-supported")
            return ""
        except ConditionalConflict:
            self._refuse(place, _SEVERAL, "multiple-matches")
            return ""
        makers = self._makers[type_name, token]
        meant = {self._targets[index] for index in makers if index in self._reserved}
        if row is not None:
            meant.add(f"{row.type}/{row.id}")
            self._working.guard_row(row)
        if len(meant) == 1:
            return meant.pop()
        if meant:
            self._refuse(place, _SEVERAL, "multiple-matches")
        else:
            self._refuse(place, "A conditional reference matches none of your own resources.", "not-found")
        return ""

    def _proposal(self, entry: Entry, mapping: dict[str, str]) -> Proposal:
        body: dict[str, Any] = {}
        if entry.method in ("POST", "PUT"):
            body = rewrite_references(entry.body or {}, mapping)
        made = Proposal(
            verb=_VERBS[entry.method],
            type_name=entry.type_name,
            public_id=entry.public_id,
            body=body,
            if_match=etag_version(entry.if_match),
            criteria=entry.query if entry.method != "POST" else "",
            if_none_exist=entry.if_none_exist if entry.method == "POST" else "",
            reserved_id=self._reserved.get(entry.index, ""),
            place=entry.place,
        )
        return replace(made, patch=self._patches[entry.index]) if entry.method == "PATCH" else made

    def _rank(self, entry: Entry) -> tuple[int, int, int]:
        if entry.type_name in _FIRST:
            place = _FIRST.index(entry.type_name)
        elif entry.type_name in _LAST:
            place = 100 + _LAST.index(entry.type_name)
        else:
            place = 50
        return (_ORDER["POST" if entry.index in self._reserved else entry.method], place, entry.index)

    def _refuse(self, place: str, text: str, code: str = "business-rule") -> None:
        self._issues.append(Issue("error", code, text, place))


def _conditional_references(entry: Entry) -> Iterator[tuple[str, str]]:
    """Gives the references of an entry that name what they mean by a search, each with its place."""
    for path, reference in iter_references(entry.body or {}):
        text = reference.get("reference")
        if isinstance(text, str) and "?" in text and "://" not in text:
            yield f"{entry.place}.resource.{path.partition('.')[2]}.reference", text


def _makers(entries: Sequence[Entry]) -> dict[tuple[str, str], set[int]]:
    """Gives which entries make or change what carries an identifier, or are conditional on it, by type and token."""
    found: dict[tuple[str, str], set[int]] = defaultdict(set)
    for entry in entries:
        if entry.method not in ("POST", "PUT"):
            continue
        tokens = _identifiers(entry.body or {})
        criteria = entry.if_none_exist if entry.method == "POST" else entry.query
        if criteria:
            tokens.add(identifier_of(criteria))
        for token in tokens:
            found[entry.type_name, token].add(entry.index)
    return found


def _identifiers(body: dict[str, Any]) -> set[str]:
    given = body.get("identifier")
    return {
        f"{one.get('system', '')}|{one.get('value', '')}"
        for one in (given if isinstance(given, list) else [given])
        if isinstance(one, dict)
    }
