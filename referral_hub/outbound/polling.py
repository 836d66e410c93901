"""Looks at partners' own Tasks, and lets what changed there enter as the owner's move.

What lives here: one look at one partner's Task, and what is noted of it. What does not: which moves follow
(``outbound.partner_status``), what is taken over (``outbound.partner_parts``), the write path
(``exchange.interactions``), HTTP (``adapters.fhir_rest``).

The move is made by the partner, as its own: with its organisation as the caller and the smallest scope. It
sees the hub's Task as the empty card, which is all a move needs. Whoever moves first, the partner's software
at the hub or the partner's own Task, has moved; the other finds the Task moved.

An alert is raised once for a version of the partner's Task, not at every look. What was seen last is noted as
the partner's ETag (or a digest of the body where its server has none), behind ``!`` and the hub's version
where it could not be followed: then a move at the hub lets it be tried again.

Source: ``views.md`` 6; ``referral-loop.md`` Part A 21, Part C 5, 16 and 19.
"""

import hashlib
import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

from referral_hub.access.principal import Principal, refusal_targets
from referral_hub.access.scopes import ScopeSet
from referral_hub.errors import Busy, DeliveryFailed, Forbidden, HubError, Unavailable, VersionConflict
from referral_hub.exchange.change import AuditEntry
from referral_hub.exchange.hub import Hub
from referral_hub.exchange.interactions import Caller, write
from referral_hub.exchange.ports import OrganizationRow, ResourceRow, Snapshot
from referral_hub.exchange.proposal import Proposal
from referral_hub.exchange.state import Working
from referral_hub.fhir import json_codec
from referral_hub.outbound.alerts import Reason, alert
from referral_hub.outbound.counting import Tally
from referral_hub.outbound.delivery import POLL_S
from referral_hub.outbound.partner_parts import Taken, taken_from
from referral_hub.outbound.partner_status import STATUSES, NoMove, StatusMap, moves_of
from referral_hub.outbound.patience import SECOND_US
from referral_hub.outbound.ports import (
    CopyGone,
    NotedCopy,
    PartnerChannel,
    PartnerCopies,
    PartnerCopy,
    PartnerTask,
    TryLater,
)
from referral_hub.resources.task import LIFECYCLE

log = logging.getLogger(__name__)

SCOPE = ScopeSet.parse("system/Task.ru")
SOFTWARE = "polling"
"""What the audit names as the software of a move that was fetched."""

_ROUNDS = 6
_GONE = "gone"


@dataclass(frozen=True, slots=True)
class _Place:
    """The hub's Task and its owner, as they are now."""

    row: ResourceRow
    owner: OrganizationRow
    bases: tuple[str, ...]


class Poller:
    """Looks at the copies that are due.

    Args:
        hub: store, gate and clock.
        copies: where partners keep their copies.
        channel: the way to partners' servers.
        status_maps: a map of statuses for a partner whose server knows others, by organisation id.
        tally: counts what was found.
        at_once: how many partners are looked at in the same moment.
    """

    def __init__(
        self,
        hub: Hub,
        copies: PartnerCopies,
        channel: PartnerChannel,
        *,
        status_maps: Mapping[str, StatusMap] | None = None,
        tally: Tally | None = None,
        at_once: int = 8,
    ) -> None:
        self._hub = hub
        self._copies = copies
        self._channel = channel
        self._status_maps = status_maps or {}
        self._at_once = at_once
        self.tally = tally or Tally()

    def poll_due(self, at_us: int, count: int = 200) -> int:
        """Looks at the copies whose time came; gives at how many. One bad partner stops no other.

        Args:
            at_us: now, microseconds UTC.
            count: the most copies of one pass.
        """
        by_partner: defaultdict[str, list[PartnerCopy]] = defaultdict(list)
        for copy in self._copies.due(at_us, count):
            by_partner[copy.organization].append(copy)
        if len(by_partner) == 1:
            return self._poll_partner(*by_partner.values())
        if not by_partner:
            return 0
        with ThreadPoolExecutor(self._at_once, "poll") as pool:
            return sum(pool.map(self._poll_partner, by_partner.values()))

    def _poll_partner(self, copies: Iterable[PartnerCopy]) -> int:
        """Looks at one partner's Tasks in turn; once it cannot be reached, the rest waits for the next time."""
        reached, looked = True, 0
        for copy in copies:
            try:
                reached = self.poll_one(copy, fetch=reached) and reached
                looked += 1
            except HubError as failed:
                self._failed(copy, failed)
            except Exception as fault:  # noqa: BLE001 -- what one partner answers must not stop the others
                self._failed(copy, fault)
        return looked

    def _failed(self, copy: PartnerCopy, fault: Exception) -> None:
        """Puts a look that broke off to the next time, so that it stands in nobody's way."""
        self.tally.add("poll-failed")
        log.error("a look at a partner's Task failed: %s", type(fault).__name__)
        now_us = self._hub.clock()
        with suppress(HubError):
            self._copies.later(copy, now_us, now_us + POLL_S * SECOND_US)

    def poll_one(self, copy: PartnerCopy, *, fetch: bool = True) -> bool:
        """Looks at one partner's Task and lets what changed there enter; False where it could not be reached.

        Args:
            copy: where it is.
            fetch: False to put the look off to the next time.

        Raises:
            HubError: the store cannot take it now; the next look tries again.
        """
        place = self._place(copy)
        if place is None:
            self._note(copy, None)
            return True
        now_us = self._hub.clock()
        next_us = now_us + (place.owner.poll_seconds or POLL_S) * SECOND_US
        may_ask = place.owner.facts.active and place.owner.fhir_endpoint
        if not self._copies.later(copy, now_us, next_us) or not fetch or not may_ask:
            return True
        seen = NotedCopy(copy.resource, copy.organization, copy.url, copy.etag, next_us)
        try:
            found = self._channel.fetch(place.owner, copy.url, _asked(copy.etag, place.row))
        except CopyGone:
            self._gone(seen, place)
            return True
        except DeliveryFailed as failed:
            self.tally.add("poll-failed")
            return failed.permanent or (isinstance(failed, TryLater) and failed.answered)
        self.tally.add("polled")
        if found is not None:
            mark = _mark(found)
            if _last(copy.etag) != mark or _is_open_again(copy.etag, place.row):
                self._follow(seen, found, mark)
        return True

    # --- one change at a partner -----------------------------------------------------------------------

    def _follow(self, copy: NotedCopy, found: PartnerTask, mark: str) -> None:
        """Brings the hub's Task to where the partner's is, move by move, each on the state it finds."""
        refused: Reason | None = None
        for _ in range(_ROUNDS):
            place = self._place(copy)
            if place is None:
                self._note(copy, None)
                return
            taken = self._taken(found, place)
            body = self._next(place, taken)
            if isinstance(body, NoMove):
                self._cannot(copy, place, body.reason, body.status, mark)
                return
            if body is None:
                self._note(copy, mark)
                return
            if refused is not None:
                self._cannot(copy, place, refused, "other", mark)
                return
            try:
                self._move(place, body)
            except VersionConflict:
                continue
            except (Busy, Unavailable):
                raise
            except HubError:
                # What it was decided on may have changed under it: looked at once more before it counts.
                refused = "partner-content-refused"
            else:
                self.tally.add("moved")
        raise Busy("This Task keeps being changed. It is looked at again at the next poll.")

    def _next(self, place: _Place, taken: Taken) -> dict[str, object] | NoMove | None:
        """Gives the owner's view after its next move, or None where the hub's Task is there already."""
        row, owner = place.row, place.owner.facts.id
        shown = self._shown(place)
        if shown is None:
            return NoMove("partner-content-refused", "other")
        statuses = self._status_maps.get(owner, STATUSES)
        found = moves_of(shown, taken, owner=owner, recall=row.kind == "recall", statuses=statuses)
        if isinstance(found, NoMove):
            return found
        return found.bodies[0] if found.bodies else None

    def _shown(self, place: _Place) -> dict[str, object] | None:
        at_us = self._hub.clock()
        with self._hub.store.snapshot() as snapshot:
            return self._hub.gate.shown(caller_of(place.owner), place.row, Working(snapshot), at_us)

    def _taken(self, found: PartnerTask, place: _Place) -> Taken:
        base = place.owner.fhir_endpoint.rstrip("/")
        return taken_from(found.body, base=base, kept_bases=(*place.bases, *self._hub.own_bases))

    def _move(self, place: _Place, body: dict[str, object]) -> None:
        proposal = Proposal("update", "Task", place.row.id, body=body, if_match=place.row.version)
        write(self._hub, _as_owner(place.owner.facts.id), proposal)

    # --- what is noted ---------------------------------------------------------------------------------

    def _place(self, copy: PartnerCopy) -> _Place | None:
        """Gives the hub's Task and its owner while it lives; else the copy is looked at no more."""
        with self._hub.store.snapshot() as snapshot:
            row = snapshot.rows((copy.resource,)).get(copy.resource)
            owner = snapshot.organization(copy.organization)
            if row is None or row.deleted or row.type != "Task" or row.status not in LIFECYCLE.live:
                return None
            bases = tuple(snapshot.registered_bases(copy.organization))
        return _Place(row, owner, bases) if owner is not None and row.owner == owner.facts.id else None

    def _cannot(self, copy: NotedCopy, place: _Place, reason: Reason, status: str, mark: str) -> None:
        told = _last(copy.etag) == mark
        entries = () if told else (alert(place.row, reason, self._hub.clock(), status=status),)
        self._note(copy, f"!{place.row.version} {mark}", entries)
        self.tally.add("not-followed")

    def _gone(self, copy: NotedCopy, place: _Place) -> None:
        if _last(copy.etag) != _GONE:
            entry = alert(place.row, "partner-copy-gone", self._hub.clock())
            self._note(copy, f"!{place.row.version} {_GONE}", (entry,))
        self.tally.add("copy-gone")

    def _note(self, copy: PartnerCopy, etag: str | None, entries: tuple[AuditEntry, ...] = ()) -> None:
        """Writes down what was seen last; None: nothing is to be looked at any more."""
        if etag is None:
            row = self._copies.forget_row(copy.resource, copy.organization)
        else:
            row = self._copies.put_row(
                NotedCopy(copy.resource, copy.organization, copy.url, etag, copy.next_poll_us)
            )
        change_id = self._hub.ids.public_id()
        self._hub.store.apply(self._hub.gate.admit_delivery(change_id, entries, (row,)))


def caller_of(owner: OrganizationRow) -> Principal:
    """Gives the owner as the caller of its own move: no purpose, so it sees the empty card and no more."""
    facts = owner.facts
    return Principal(
        organization=facts,
        oauth_client=SOFTWARE,
        scopes=SCOPE,
        purpose="",
        refusal_targets=refusal_targets(facts),
    )


def _as_owner(organization_id: str) -> Caller:
    def caller(snapshot: Snapshot, at_us: int) -> Principal:
        del at_us
        owner = snapshot.organization(organization_id)
        if owner is None:
            raise Forbidden("This organisation is not part of the network any more.")
        return caller_of(owner)

    return caller


def _mark(found: PartnerTask) -> str:
    """Gives what names this version of a partner's Task."""
    return found.etag or f"digest:{hashlib.sha256(json_codec.encode(found.body)).hexdigest()[:32]}"


def _last(noted: str) -> str:
    """Gives the mark of the version seen last, followed or not."""
    return noted.partition(" ")[2] if noted.startswith("!") else noted


def _is_open_again(noted: str, row: ResourceRow) -> bool:
    """Says whether what could not be followed may be tried again, since the hub's Task moved meanwhile."""
    return noted.startswith("!") and noted[1:].partition(" ")[0] != row.version


def _asked(noted: str, row: ResourceRow) -> str:
    """Gives the ETag to ask with: none where the answer is wanted whatever it is."""
    last = _last(noted)
    is_etag = last.startswith(('"', 'W/"'))
    return last if is_etag and not _is_open_again(noted, row) else ""
