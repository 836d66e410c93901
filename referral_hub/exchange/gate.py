"""The one gate: ``admit`` before a write, ``release`` before anything leaves. Nothing else decides.

What lives here: the order of the questions and the proofs ``Admitted`` and ``Released``, which only this file
makes. What does not: the arithmetic it asks (``access``), the rows (``exchange.building``), SQL (``store``).

Every question that cannot be answered is a no, and a no of ``release`` looks like absence.

Source: ``architecture.md`` 4, ``views.md`` whole, ``consent.md`` 1.2, 3.2 and 5.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from referral_hub.access.categories import DIRECTORY
from referral_hub.access.decision import decide
from referral_hub.access.grants import opened
from referral_hub.access.principal import Principal, refusal_targets
from referral_hub.access.redaction import render
from referral_hub.access.views import View
from referral_hub.errors import Forbidden, NotFound
from referral_hub.exchange.building import Draft, body_of, stored_bytes
from referral_hub.exchange.case_files import assign_creator
from referral_hub.exchange.change import AuditEntry, Change, Row, TokenGuard
from referral_hub.exchange.conditional import resolved
from referral_hub.exchange.covering import coverage_of
from referral_hub.exchange.emergency_view import seen_in_emergency
from referral_hub.exchange.judging import Coverage
from referral_hub.exchange.kept_copies import KeptCopies
from referral_hub.exchange.openings import Openings, Openness, Reader
from referral_hub.exchange.outcomes import Outcome as Outcome
from referral_hub.exchange.ports import (
    Admitted,
    OrganizationRow,
    Released,
    ReleasedBytes,
    ResourceRow,
    Standing,
)
from referral_hub.exchange.proposal import Built, Proposal
from referral_hub.exchange.reaching import (
    Reaching,
    check_asking,
    check_writing,
    check_written,
    reader_of,
    seen_by_herself,
    standing_of,
)
from referral_hub.exchange.sight import Look, Seen, Sight
from referral_hub.exchange.state import Working
from referral_hub.exchange.writing import Writing
from referral_hub.fhir import json_codec
from referral_hub.fhir.dates import instant
from referral_hub.fhir.subsets import Part, shortened
from referral_hub.resources.catalog import SERVED

_TELLS_NOTHING = frozenset({"K", "H", "recall", "directory"})


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
        self._reaching = Reaching(self._openings)
        self._view_key = view_key
        self._views = KeptCopies(size)

    # --- what leaves -----------------------------------------------------------------------------------

    def allow(self, caller: Principal, type_name: str, interaction: str) -> None:
        """Lets a caller ask at all: the scope names the type and the interaction, the organisation is active.

        Raises:
            Forbidden: the organisation is suspended, or the account opens nothing (403).
            InsufficientScope: the token's scope lacks it (403): fetch a token with more.
        """
        check_asking(caller, type_name, interaction)

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
        return self._to_caller(caller, reader_of(caller), row, standing, look, at_us)

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
        if caller.reach is not None and caller.reach.by_assignment:
            rows = list(rows)
            look.assigned(caller.account, {row.person for row in rows if row.person is not None})
        for row in rows:
            standing = standings.get(row.person) if row.person is not None else None
            if standing is None and row.foreign_elements and row.person is not None:
                standing = look.standing(row.person, caller.organization_id, caller.refusal_targets)
            outcome = self._to_caller(caller, reader, row, standing, look, at_us)
            if outcome is not None:
                found.append((row, outcome))
        return found

    def _to_caller(
        self,
        caller: Principal,
        reader: Reader,
        row: ResourceRow,
        standing: Standing | None,
        look: Look,
        at_us: int,
    ) -> Outcome | None:
        if caller.reach is None:
            return self._release(reader, row, standing, look, at_us)
        seen = self._seen_within(caller, reader, row, standing, look, at_us)
        return None if seen is None else self._outcome(reader, row, seen)

    def _seen_within(
        self,
        caller: Principal,
        reader: Reader,
        row: ResourceRow,
        standing: Standing | None,
        look: Look,
        at_us: int,
        *,
        fresh: bool = False,
        deep: bool = True,
    ) -> Seen | None:
        """Gives how a caller sees a row that lies within its reach; None where it does not, or is absent."""
        if caller.reach is not None:
            if caller.reach.kind == "herself":
                return seen_by_herself(caller, row, look)
            if not self._reaching.reaches(caller, reader, row, standing, look, at_us, fresh=fresh):
                return None
        return self._sight.see(reader, row, standing, look, at_us, fresh=fresh, deep=deep)

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
        made = None if row.locked and reader.herself else self._made(row, seen.view)
        if made is None:
            return None
        body, etag = made
        own = row.author == reader.organization.id
        voice = ""
        if own and seen.view.kind == "stored" and not row.foreign_elements:
            voice = "own"
        elif seen.view.kind == "directory":
            voice = "public"
        if row.person is not None and reader.herself:
            own, voice = True, ""  # what she reads of her own record is disclosed to nobody
        released = Released(ReleasedBytes(row.type, row.id, row.version, etag, row.updated_us, body, voice))
        tells = seen.view.kind not in _TELLS_NOTHING and (not own or bool(seen.consents))
        return Outcome(released, seen.consents, own=own, discloses=tells)

    def _made(self, row: ResourceRow, view: View) -> tuple[bytes, str] | None:
        """Gives the bytes of a view and its ETag; None where a type has no such copy."""
        if view.kind == "stored":
            return stored_bytes(row), f'W/"{row.version}"'
        key = (row.row_id, row.version, view)
        kept = self._views.of(key)
        if kept is not None:
            return kept
        try:
            body = json_codec.encode(render(body_of(row), view))
        except NotFound:
            # A type that has no such copy cannot be shown at all.
            return None
        made = body, f'W/"{row.version}-{view.digest(self._view_key)}"'
        self._views.keep(key, made)
        return made

    def release_part(self, released: Released, part: Part) -> Released:
        """Gives a part of what was released, tagged SUBSETTED: made of the view, so it never shows more.

        Source: ``views.md`` 3; ``consent.md`` S-15 (mask before projection).
        """
        body = json_codec.encode(shortened(json_codec.decode_own(released.body), part))
        return Released(replace(released, body=body))

    def opening(self, reader: Reader, standing: Standing, look: Look, at_us: int) -> Openness:
        """Gives what the consents open to a reader now, to bind a token to it (``consent.md`` D-06)."""
        return self._openings.of(reader, standing, look, at_us, fresh=True)

    def in_emergency(
        self, caller: Principal, row: ResourceRow, working: Working, at_us: int
    ) -> Outcome | None:
        """Gives one record as her permission for emergencies opens it; asked by ``exchange.emergency`` alone."""
        seen = seen_in_emergency(self._openings, caller, row, working, at_us)
        return None if seen is None else self._outcome(reader_of(caller), row, seen)

    def release_audit(self, event: dict[str, Any], entry: AuditEntry) -> Released:
        """Gives an AuditEvent that was rendered for the custodian of the person it is about.

        The caller has shown that the person is its own; nobody else is answered from the audit.
        """
        version = f"{entry.at_us:x}"
        meta = {"versionId": version, "lastUpdated": instant(entry.at_us), **event.get("meta", {})}
        body = json_codec.encode({"resourceType": "AuditEvent", "id": event["id"], **event, "meta": meta})
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
        check_writing(caller, proposal)
        if proposal.criteria:
            proposal = resolved(caller, proposal, draft, self)
            self.allow(caller, proposal.type_name, proposal.verb)
        built = self._writing.write(caller, proposal, draft, self)
        if caller.reach is not None:
            assign_creator(caller, built, draft)
            reached = self.reaches(caller, built.row, draft.working, draft.at_us)
            check_written(caller, built, reached=reached)
        return built

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
        standing, fresh = standing_of(caller, row, working)
        return self._seen_within(
            caller, reader_of(caller), row, standing, working, at_us, fresh=fresh, deep=deep
        )

    def reaches(self, caller: Principal, row: ResourceRow, working: Working, at_us: int) -> bool:
        """Tells whether a row of the organisation's own lies within this caller's reach, a deleted one too."""
        if caller.reach is None:
            return True
        standing, fresh = standing_of(caller, row, working)
        return self._reaching.reaches(caller, reader_of(caller), row, standing, working, at_us, fresh=fresh)

    def coverage(self, owner: OrganizationRow, person: int, working: Working, at_us: int) -> Coverage:
        """Tells whether a release lets a notice about the person reach the organisation now, and why not."""
        return coverage_of(self._openings, owner, person, working, at_us)
