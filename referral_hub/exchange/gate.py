"""The one gate: ``admit`` before a write, ``release`` before anything leaves. Nothing else decides.

What lives here: the order of the questions and the proofs ``Admitted`` and ``Released``, which only this file
makes. What does not: the arithmetic it asks (``access``), the rows (``exchange.building``), SQL (``store``).

Every question that cannot be answered is a no, and a no of ``release`` looks like absence.

Source: ``architecture.md`` 4, ``views.md`` whole, ``consent.md`` 1.2, 3.2 and 5.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from threading import Lock
from typing import Any

import msgspec

from referral_hub.access.categories import DIRECTORY
from referral_hub.access.decision import decide
from referral_hub.access.grants import opened
from referral_hub.access.principal import Principal, refusal_targets
from referral_hub.access.redaction import render
from referral_hub.access.views import View
from referral_hub.errors import Forbidden, InsufficientScope, NotFound
from referral_hub.exchange.building import Draft, body_of
from referral_hub.exchange.change import AuditEntry, Change, Row, TokenGuard
from referral_hub.exchange.conditional import resolved
from referral_hub.exchange.judging import Coverage
from referral_hub.exchange.openings import Openings, Reader
from referral_hub.exchange.ports import (
    Admitted,
    OrganizationRow,
    Released,
    ReleasedBytes,
    ResourceRow,
    Standing,
)
from referral_hub.exchange.proposal import Built, Proposal
from referral_hub.exchange.sight import Look, Seen, Sight
from referral_hub.exchange.state import Working
from referral_hub.exchange.writing import Writing
from referral_hub.fhir import json_codec
from referral_hub.fhir.dates import instant
from referral_hub.fhir.subsets import Part, shortened
from referral_hub.resources.catalog import SERVED

_LETTERS = {"create": "c", "update": "u", "patch": "u", "delete": "d", "read": "r", "search": "s"}


_TELLS_NOTHING = frozenset({"K", "H", "recall", "directory"})


class Outcome(msgspec.Struct, frozen=True):
    """A released body with the consents it stands on, for the audit.

    ``discloses`` says whether something about a person went to an organisation that did not write it. An empty
    card, a closed referral or a recall tell nothing, so reading one is no reason for a recall.
    """

    released: Released
    consents: tuple[tuple[str, str], ...]
    own: bool
    discloses: bool


class Gate:
    """Admits writes and releases bodies.

    Args:
        writing: builds what an admitted write consists of.
        alarm: told, without personal data, when SQL and the decision differ.
        view_key: a secret of this hub that ETags of views are keyed with, so that nobody tests guesses on them.
        size: how many views are kept by (row, version, obligations).
    """

    def __init__(
        self, writing: Writing, alarm: Callable[[str], None], view_key: bytes = b"", size: int = 8192
    ) -> None:
        self._writing = writing
        self._openings = Openings(decide, opened, alarm)
        self._sight = Sight(self._openings)
        self._view_key = view_key
        self._size = size
        self._lock = Lock()
        self._views: OrderedDict[tuple[int, str, View], tuple[bytes, str]] = OrderedDict()

    # --- what leaves -----------------------------------------------------------------------------------

    def allow(self, caller: Principal, type_name: str, interaction: str) -> None:
        """Lets a caller ask at all: the scope names the type and the interaction, the organisation is active.

        Raises:
            Forbidden: the organisation is suspended (403).
            InsufficientScope: the token's scope lacks it (403): fetch a token with more.
        """
        if not caller.organization.active:
            raise Forbidden("This organisation's access is paused. Ask the network's coordinator.")
        if not caller.scopes.covers(type_name, _LETTERS[interaction]):
            raise InsufficientScope(
                f"The token's scope does not open {interaction} on {type_name}. "
                "Ask for a token whose scope names it."
            )

    def release(
        self, caller: Principal, row: ResourceRow, standing: Standing | None, look: Look, at_us: int
    ) -> Outcome | None:
        """Gives the body as this caller may have it now, or None: absent for this caller.

        Args:
            caller: who asks.
            row: the stored row, current or of an earlier version.
            standing: how the caller's organisation stands to the person, of the same state as the row.
            look: where what the row points at is looked up, of the same state.
            at_us: now, microseconds UTC.
        """
        if standing is None and row.foreign_elements and row.person is not None:
            # Its author sees what the recipient wrote only under a return release.
            standing = look.standing(row.person, caller.organization_id, caller.refusal_targets)
        return self._release(reader_of(caller), row, standing, look, at_us)

    def release_page(
        self,
        caller: Principal,
        rows: Iterable[ResourceRow],
        standings: Mapping[int, Standing],
        look: Look,
        at_us: int,
    ) -> list[tuple[ResourceRow, Outcome]]:
        """Gives those rows of a page that this caller may have, each with its body, as ``release`` would.

        ``standings`` are by person, of the same state as the rows.
        """
        reader = reader_of(caller)
        found = []
        for row in rows:
            standing = standings.get(row.person) if row.person is not None else None
            if standing is None and row.foreign_elements and row.person is not None:
                standing = look.standing(row.person, caller.organization_id, caller.refusal_targets)
            outcome = self._release(reader, row, standing, look, at_us)
            if outcome is not None:
                found.append((row, outcome))
        return found

    def points_at(
        self, caller: Principal, rows: Iterable[ResourceRow], standings: Mapping[int, Standing]
    ) -> set[str]:
        """Gives what those rows of others point at that may be seen in full, so that a page looks it up once.

        It is a guess that saves statements and opens nothing: what it leaves out is looked up when it is needed.
        """
        full = {
            person
            for person, standing in standings.items()
            if any(access.level == "full" or access.nameless for access in standing.accesses)
        }
        return {
            text
            for row in rows
            if row.author != caller.organization_id and row.person in full
            for text in self._sight.points_at(row)
        }

    def release_to(
        self, receiver: OrganizationRow, row: ResourceRow, look: Look, at_us: int
    ) -> Outcome | None:
        """Gives the body as a receiving organisation may have it at the moment of departure, or None.

        For a Task whose release has ended this is the empty card, not None: it was released once.

        A delivery has no token and so no purpose of its own: each purpose a live permit names is tried.
        """
        targets = refusal_targets(receiver.facts)
        standing = look.standing(row.person, receiver.facts.id, targets) if row.person is not None else None
        purposes = sorted({grant.purpose for grant in standing.grants}) if standing else []
        for purpose in purposes or [""]:
            reader = Reader(receiver.facts, targets, purpose)
            found = self._release(reader, row, standing, look, at_us)
            if found is not None:
                return found
        return None

    def preview(
        self, receiver: OrganizationRow, row: ResourceRow, working: Working, purpose: str, at_us: int
    ) -> bytes | None:
        """Gives what a named recipient would see of a row in a supposed state, byte for byte; stores nothing.

        Source: ``views.md`` 9 ($preview).
        """
        targets = refusal_targets(receiver.facts)
        standing = (
            working.standing(row.person, receiver.facts.id, targets) if row.person is not None else None
        )
        seen = self._sight.see(
            Reader(receiver.facts, targets, purpose), row, standing, working, at_us, fresh=True
        )
        made = None if seen is None else self._made(row, seen.view)
        return None if made is None else made[0]

    def _release(
        self, reader: Reader, row: ResourceRow, standing: Standing | None, look: Look, at_us: int
    ) -> Outcome | None:
        seen = self._sight.see(reader, row, standing, look, at_us)
        return None if seen is None else self._outcome(reader, row, seen)

    def _outcome(self, reader: Reader, row: ResourceRow, seen: Seen) -> Outcome | None:
        made = self._made(row, seen.view)
        if made is None:
            return None
        body, etag = made
        own = row.author == reader.organization.id
        voice = ""
        if own and seen.view.kind == "stored" and not row.foreign_elements:
            voice = "own"
        elif seen.view.kind == "directory":
            voice = "public"
        released = Released(ReleasedBytes(row.type, row.id, row.version, etag, row.updated_us, body, voice))
        tells = seen.view.kind not in _TELLS_NOTHING and (not own or bool(seen.consents))
        return Outcome(released, seen.consents, own=own, discloses=tells)

    def _made(self, row: ResourceRow, view: View) -> tuple[bytes, str] | None:
        """Gives the bytes of a view and its ETag; None where a type has no such copy."""
        if view.kind == "stored":
            return row.body, f'W/"{row.version}"'
        key = (row.row_id, row.version, view)
        kept = self._views.get(key)
        if kept is not None:
            return kept
        try:
            body = json_codec.encode(render(body_of(row), view))
        except NotFound:
            # A type that has no such copy cannot be shown at all.
            return None
        made = body, f'W/"{row.version}-{view.digest(self._view_key)}"'
        with self._lock:
            self._views[key] = made
            while len(self._views) > self._size:
                self._views.popitem(last=False)
        return made

    def release_part(self, released: Released, part: Part) -> Released:
        """Gives a part of what was released, tagged SUBSETTED: made of the view, so it never shows more.

        Source: ``views.md`` 3; ``consent.md`` S-15 (mask before projection).
        """
        body = json_codec.encode(shortened(json_codec.decode_own(released.body), part))
        return Released(replace(released, body=body))

    def release_audit(self, event: dict[str, Any], entry: AuditEntry) -> Released:
        """Gives an AuditEvent that was rendered for the custodian of the person it is about.

        The caller has shown that the person is its own; nobody else is answered from the audit.
        """
        version = f"{entry.at_us:x}"
        meta = {"versionId": version, "lastUpdated": instant(entry.at_us)}
        body = json_codec.encode({"resourceType": "AuditEvent", "id": event["id"], "meta": meta, **event})
        return Released(
            ReleasedBytes("AuditEvent", event["id"], version, f'W/"{version}"', entry.at_us, body)
        )

    def release_published(self, definition: ReleasedBytes) -> Released:
        """Gives a definition that comes with the hub to whoever asks: it tells nothing of any person.

        Raises:
            NotFound: it is of a type that may tell of persons; such a thing never leaves this way.
        """
        declared = SERVED.get(definition.type)
        if declared is None or not (declared.published or declared.category == DIRECTORY):
            raise NotFound
        return Released(definition)

    # --- what is written -------------------------------------------------------------------------------

    def admit(self, caller: Principal, proposal: Proposal, draft: Draft) -> Built:
        """Decides one proposal and builds its rows into the Draft; several make one Change in a transaction.

        Asked in this order: organisation and scope, what the caller may see, FHIR and hub rules, lifecycle,
        consent. Source: ``architecture.md`` 2, step 3.

        Raises:
            HubError: whatever refuses it; nothing of the Draft may then be applied.
        """
        self.allow(caller, proposal.type_name, proposal.verb)
        if proposal.criteria:
            proposal = resolved(caller, proposal, draft)
            self.allow(caller, proposal.type_name, proposal.verb)
        return self._writing.write(caller, proposal, draft, self)

    def seal(self, caller: Principal, draft: Draft, change_id: str) -> Admitted:
        """Gives the whole decided Change, guarded by the caller's token."""
        if caller.token_key:
            draft.working.guard(TokenGuard(bytes.fromhex(caller.token_key), draft.at_us))
        return Admitted(draft.change(change_id))

    def admit_hub(self, draft: Draft, change_id: str) -> Admitted:
        """Gives a Change the hub makes in its own name: a timer, a recall, what a withdrawal causes."""
        return Admitted(draft.change(change_id))

    def admit_token(self, change: Change) -> Admitted:
        """Gives a Change of the OAuth server, which touches no resource of a person.

        Raises:
            Forbidden: the Change touches more than OAuth rows and audit.
        """
        if change.resources or change.accesses or change.consents or change.deliveries or change.dropped:
            raise Forbidden("A Change of the OAuth server holds token rows only.")
        return Admitted(change)

    def admit_delivery(
        self, change_id: str, entries: tuple[AuditEntry, ...], rows: tuple[Row, ...]
    ) -> Admitted:
        """Gives a Change that tells what left: audit lines and rows of the outbox, nothing of a person."""
        return Admitted(Change(change_id, audit=entries, rows=rows))

    def admit_record(self, change_id: str, entries: tuple[AuditEntry, ...]) -> Admitted:
        """Gives a Change that only leaves lines in the audit, such as a refused attempt."""
        return Admitted(Change(change_id, audit=entries))

    # --- what writing asks (exchange.judging.Judge) --------------------------------------------------

    def sees(self, caller: Principal, row: ResourceRow, working: Working, at_us: int) -> bool:
        """Tells whether the caller may see a row at all."""
        return self._seen(caller, row, working, at_us, deep=False) is not None

    def shown(
        self, caller: Principal, row: ResourceRow, working: Working, at_us: int
    ) -> dict[str, Any] | None:
        """Gives the row as the caller sees it, decoded; None where it is absent for this caller."""
        seen = self._seen(caller, row, working, at_us, deep=True)
        if seen is None:
            return None
        if seen.view.kind == "stored":
            return body_of(row)
        made = self._made(row, seen.view)
        return None if made is None else dict(json_codec.decode_own(made[0]))

    def answer(self, caller: Principal, row: ResourceRow, working: Working, at_us: int) -> Outcome | None:
        """Gives what a writer is answered with: its own view of what it wrote."""
        seen = self._seen(caller, row, working, at_us, deep=True)
        return None if seen is None else self._outcome(reader_of(caller), row, seen)

    def _seen(
        self, caller: Principal, row: ResourceRow, working: Working, at_us: int, *, deep: bool
    ) -> Seen | None:
        reader = reader_of(caller)
        standing = None
        if row.person is not None:
            standing = working.standing(row.person, caller.organization_id, caller.refusal_targets)
        fresh = row.person is not None and working.changed_consents(row.person)
        return self._sight.see(reader, row, standing, working, at_us, fresh=fresh, deep=deep)

    def coverage(self, owner: OrganizationRow, person: int, working: Working, at_us: int) -> Coverage:
        """Tells whether a release lets a notice about the person reach the organisation now, and why not."""
        targets = refusal_targets(owner.facts)
        standing = working.standing(person, owner.facts.id, targets)
        fresh = working.changed_consents(person)
        for purpose in sorted({grant.purpose for grant in standing.grants}):
            found = self._openings.of(
                Reader(owner.facts, targets, purpose), standing, working, at_us, fresh=fresh
            )
            if "notice" in found.opened:
                ends = [
                    g.valid_until_us
                    for g in standing.grants
                    if g.category == "notice" and g.purpose == purpose
                ]
                return Coverage(
                    "live",
                    identity="identity" in found.opened,
                    until_us=max(ends, default=None),
                    consents=found.consents,
                )
        if any(_in_force(refusal, at_us) for refusal in standing.refusals):
            return Coverage("refused")
        ended = any(grant.valid_until_us <= at_us for grant in standing.grants) or any(
            consent.status == "inactive" and f"Organization/{owner.facts.id}".encode() in consent.body
            for consent in working.consents(person)
        )
        return Coverage("ended" if ended else "none")


def reader_of(caller: Principal) -> Reader:
    """Gives what a decision needs of a caller."""
    return Reader(caller.organization, caller.refusal_targets, caller.purpose, caller.role)


def _in_force(refusal: Any, at_us: int) -> bool:
    begun = refusal.valid_from_us is None or refusal.valid_from_us <= at_us
    return begun and (refusal.valid_until_us is None or at_us < refusal.valid_until_us)
