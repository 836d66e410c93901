"""Copies what a source's referral points at from the source's own server.

What lives here: one visit to a source for one Task, and what is written of it. What does not: what a copy looks
like (``exchange.sources``), what follows (``exchange.hosting``), telling the source (``outbound.source_reports``),
HTTP (``adapters.fhir_rest``), the queue and when it is tried again (``outbound.delivery``, ``outbound.patience``).

Nothing is fetched inside a transaction. Each copy is a write of the source itself, through the one write path,
known by its address: whoever is killed in the middle begins again and finds what is there already. The last
write joins the Task to its copies, lets it go on, and acknowledges the message, all or nothing.

While the referral lives, a timer asks for another visit: what the source changed since, such as a consent that
ended, is written as the source's own update.

Source: ``views.md`` 5 and 6; SDOHCC ``refer-1`` (copy; query for updates); ``referral-loop.md`` Part A 1 and 21.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from referral_hub.errors import Busy, DeliveryFailed, HubError, InvalidResource, Unavailable
from referral_hub.exchange.building import Draft, body_of
from referral_hub.exchange.change import Row
from referral_hub.exchange.filler_orders import can_be_passed_on
from referral_hub.exchange.hosting import advance, hosting, linked, renew_orders
from referral_hub.exchange.hub import Hub
from referral_hub.exchange.interactions import hub_write, write
from referral_hub.exchange.judging import Judge
from referral_hub.exchange.ports import ResourceRow
from referral_hub.exchange.proposal import Proposal
from referral_hub.exchange.reporting import give_back
from referral_hub.exchange.sources import (
    SOURCE_ID,
    as_copy,
    base_of,
    differs,
    is_external,
    listed,
    person_url,
    pointed_at,
    source_url,
    type_of,
    with_age_group,
)
from referral_hub.exchange.stamping import business_status_of
from referral_hub.exchange.state import Working
from referral_hub.fhir.elements import code_in, reference_text, text_at
from referral_hub.fhir.references import normalise
from referral_hub.outbound.alerts import alert
from referral_hub.outbound.patience import SECOND_US
from referral_hub.outbound.ports import Claimed, CopyGone, SourceChannel, TryLater
from referral_hub.outbound.source_places import COPY, REPORT, Place, as_source, caller_of, place_of
from referral_hub.outbound.source_reports import report
from referral_hub.resources.catalog import DEFINITIONS
from referral_hub.resources.consent import CONSENT_KIND
from referral_hub.resources.task import LIFECYCLE, STATUS_REASON

log = logging.getLogger(__name__)

KINDS = frozenset({COPY, REPORT})
MOST_BESIDE = 32
"""How many resources are copied beside one request; what is more stays with the source."""
LONGEST_US = 40 * SECOND_US
"""How long one visit may fetch: less than the lease of its message, with time left to write."""
SOON_S = 5
"""How soon a referral that waits for its release is looked at once more."""
VISIT_S = 900
"""How often a live referral's originals are looked at where the source's row does not say: SDOHCC's floor."""
AGAIN_S = 86_400
"""How soon after a visit that failed for good the originals of what was copied before are looked at again."""
_ENDS = {"revoked": ("cancelled", "by-source"), "entered-in-error": ("entered-in-error", "sent-in-error")}
"""How a source's ServiceRequest ended, and how its Task ends with it."""


_CONSENT_OVER = frozenset({"inactive", "rejected", "entered-in-error"})


class Unfit(DeliveryFailed):
    """What the source's server gave cannot be used: trying again cannot help."""

    def __init__(self, text: str) -> None:
        super().__init__(text, permanent=True)


@dataclass(slots=True)
class _Fetched:
    """What one visit brought: bodies by address; ``here`` fills as they are written.

    ``changed`` says that the source changed something since the last visit.
    """

    request: str
    changed: bool = False
    bodies: dict[str, dict[str, Any]] = field(default_factory=dict)
    here: dict[str, str] = field(default_factory=dict)


class Copying:
    """Visits sources. Safe for threads.

    Args:
        hub: store, gate and clock.
        channel: the way to partners' servers.
    """

    def __init__(self, hub: Hub, channel: SourceChannel) -> None:
        self._hub = hub
        self._channel = channel

    def visit(self, claimed: Claimed, done_row: Row) -> bool:
        """Does what one message says; False where there was nothing to do any more and nothing was written.

        Args:
            claimed: the message.
            done_row: its acknowledgement, as a row of the Change that does the work.

        Raises:
            DeliveryFailed: the source cannot be reached, or what it has cannot be used.
            HubError: the store cannot take it now.
        """
        place = place_of(self._hub, claimed)
        if place is None:
            return False
        if not place.source.facts.active:
            return self._later(place, done_row) if claimed.kind == COPY else False
        if claimed.kind == REPORT:
            return report(self._hub, self._channel, place, claimed, done_row)
        fetched = self._fetch(place)
        self._write_all(place, fetched)
        return self._join(place, fetched, done_row)

    def _later(self, place: Place, done_row: Row) -> bool:
        """Leaves a suspended source alone; its referral waits, and nothing else of it stands behind this message."""

        def decide(draft: Draft) -> bool:
            _next_visit(place.task, draft, VISIT_S)
            draft.settle(done_row)
            return True

        return hub_write(self._hub, decide)

    def give_up(self, claimed: Claimed) -> None:
        """Says no to a referral whose request could not be copied, and asks a person to look."""
        if claimed.kind != COPY:
            return

        def decide(draft: Draft) -> bool:
            row = draft.working.row(claimed.resource)
            if row is None or row.deleted or row.status not in LIFECYCLE.live:
                return False
            # What was copied before is still right: only a first visit that fails ends the referral.
            if row.focus is not None:
                draft.audit.append(alert(row, "source-not-copied", draft.at_us))
                _next_visit(row, draft, AGAIN_S)
                return True
            written = give_back(row, draft, self._hub.gate)
            draft.audit.append(alert(written or row, "source-not-copied", draft.at_us))
            return True

        hub_write(self._hub, decide)

    # --- fetching ----------------------------------------------------------------------------------------

    def _fetch(self, place: Place) -> _Fetched:
        """Reads the request and what it needs.

        Raises:
            Unfit: the Task does not name them, or they do not belong together.
            DeliveryFailed: the source's server does not give them now.
        """
        task, bases, begun_us = place.body, place.bases, self._hub.clock()
        self._channel.ready(place.source)
        request_url = source_url(reference_text(task.get("focus")), bases)
        if not request_url or type_of(request_url) != "ServiceRequest":
            raise Unfit("The request does not lie under a base registered for the source.")
        request = self._read(place, request_url)
        subject = person_url(request, base_of(request_url))
        found = _Fetched(request_url)
        wanted = reference_text(task.get("for"))
        if is_external(wanted, self._hub.own_bases):
            if not subject or subject != source_url(wanted, bases):
                raise Unfit("The request is about somebody else than the Task says.")
            found.bodies[subject] = self._read(place, subject)
        elif subject and wanted:
            found.here[subject] = normalise(wanted, self._hub.own_bases)
        for url in self._beside(place, request, request_url):
            if self._hub.clock() - begun_us > LONGEST_US:
                raise TryLater("The source's server takes too long.", answered=True)
            body = self._read_beside(place, url)
            if body is not None and person_url(body, base_of(url)) == subject:
                found.bodies[url] = body
        found.bodies[request_url] = request
        return found

    def _beside(self, place: Place, request: Mapping[str, Any], request_url: str) -> list[str]:
        asked = [one for name in ("supportingInfo", "reasonReference") for one in listed(request, name)]
        urls = pointed_at(asked, base_of(request_url), place.bases)
        brought = [one.get("valueReference") for one in place.body.get("input") or ()]
        urls += [url for url in pointed_at(brought, "", place.bases) if url not in urls]
        # What she said about sharing comes before everything else.
        return sorted(urls, key=lambda url: type_of(url) != "Consent")[:MOST_BESIDE]

    def _read(self, place: Place, url: str) -> dict[str, Any]:
        try:
            return self._channel.read(place.source, url, place.bases)
        except CopyGone:
            raise Unfit("The source's server does not give the hub what the Task points at.") from None

    def _read_beside(self, place: Place, url: str) -> dict[str, Any] | None:
        """Gives what goes with a request; None where the source keeps it to itself."""
        try:
            return self._channel.read(place.source, url, place.bases)
        except DeliveryFailed as failed:
            if failed.permanent:
                return None
            raise

    # --- writing -----------------------------------------------------------------------------------------

    def _write_all(self, place: Place, fetched: _Fetched) -> None:
        refusals_first = sorted(fetched.bodies.items(), key=_place_in_order)
        for url, body in refusals_first:
            needed = url == fetched.request or type_of(url) == "Patient"
            try:
                fetched.here[url] = self._write(place, url, body, fetched)
            except (Busy, Unavailable):
                raise
            except HubError as refused:
                if needed or _is_refusal(body):
                    raise Unfit(f"The hub cannot take what the source has: {refused.text}") from None
                log.warning("a %s that goes with a request was not copied", type_of(url))

    def _write(self, place: Place, url: str, body: dict[str, Any], fetched: _Fetched) -> str:
        """Writes one copy, or the source's newer version of it; gives its ``Type/id``."""
        made = as_copy(body, url, fetched.here, bases=place.bases, own_bases=self._hub.own_bases)
        if type_of(url) == "Patient":
            made = with_age_group(made, self._hub.clock())
        name, token = type_of(url), f"{SOURCE_ID}|{url}"
        caller = as_source(place.source.facts.id)
        with self._hub.store.snapshot() as snapshot:
            found: Sequence[ResourceRow] = snapshot.identified(place.source.facts.id, name, token)
        if not found:
            proposal = Proposal("create", name, body=made, if_none_exist=f"identifier={token}")
            written = write(self._hub, caller, proposal)
            return f"{name}/{written.id}"
        row = found[0]
        if not _is_over(row) and differs(made, body_of(row)):
            proposal = Proposal("update", name, row.id, body={**made, "id": row.id}, if_match=row.version)
            write(self._hub, caller, proposal)
            fetched.changed = True
        return f"{name}/{row.id}"

    def _join(self, place: Place, fetched: _Fetched, done_row: Row) -> bool:
        """Joins the Task to its copies and lets it go on; with it the message is acknowledged."""
        ended = str(fetched.bodies[fetched.request].get("status"))

        def decide(draft: Draft) -> bool:
            row = draft.working.row(place.task.row_id)
            if row is None or row.deleted or row.status not in LIFECYCLE.live or not hosting(row, draft):
                return False
            first = row.focus is None
            try:
                joined = linked(row, draft)
            except InvalidResource as refused:
                raise Unfit(refused.text) from None
            if joined is None:
                raise Busy("What was copied is being changed. The visit is made again.")
            request = draft.working.row(joined.focus)
            if first and request is not None and not can_be_passed_on(body_of(request)):
                raise Unfit("The request is not active, or says something the hub cannot say again.")
            advance(joined, draft, self._hub.gate)
            stay = renew_orders(joined, draft)
            if fetched.changed:
                draft.audit.extend(alert(one, "source-request-changed", draft.at_us) for one in stay)
            joined = draft.working.row(joined.row_id) or joined
            # A release may be signed in this very moment, by a write that does not know of the copies yet.
            waits = first and business_status_of(body_of(joined)) == "awaiting-consent"
            _next_visit(joined, draft, SOON_S if waits else place.source.poll_seconds or VISIT_S)
            draft.settle(done_row)
            return True

        if ended in _ENDS and place.task.focus is not None:
            self._take_back(place, _ENDS[ended])
        return hub_write(self._hub, decide)

    def _take_back(self, place: Place, ends: tuple[str, str]) -> None:
        """Ends the source's Task, as the source, where it ended its request.

        Source: SDOHCC (a source may cancel by changing its ServiceRequest).
        """
        status, reason = ends
        caller, at_us = caller_of(place.source), self._hub.clock()
        with self._hub.store.snapshot() as snapshot:
            row = snapshot.rows((place.task.row_id,)).get(place.task.row_id)
            if row is None or row.status not in LIFECYCLE.live:
                return
            shown = self._hub.gate.shown(caller, row, Working(snapshot), at_us)
        if shown is None:
            return
        body = {name: value for name, value in shown.items() if name != "businessStatus"}
        body["status"] = status
        body["statusReason"] = {
            "coding": [{"system": STATUS_REASON, "code": reason}],
            "text": "The request was ended at its source.",
        }
        proposal = Proposal("update", "Task", row.id, body=body, if_match=row.version)
        write(self._hub, as_source(place.source.facts.id), proposal)


def copy_visit(draft: Draft, resource: int, judge: Judge) -> bool:
    """Lets a live referral's originals be looked at again.

    Source: SDOHCC ``refer-1`` (where copies are kept, the source is queried for updates).
    """
    del judge
    row = draft.working.row(resource)
    if row is None or row.deleted or row.status not in LIFECYCLE.live or hosting(row, draft) != "source":
        return False
    draft.tell(row.author, COPY, row, person=None)
    return True


def _next_visit(row: ResourceRow, draft: Draft, seconds: int) -> None:
    draft.remind("copy-visit", row.row_id, draft.at_us + seconds * SECOND_US)


def _place_in_order(fetched: tuple[str, dict[str, Any]]) -> int:
    """Gives when a copy is written: the person, what she refused, what goes along, the request last."""
    url, body = fetched
    if type_of(url) == "ServiceRequest":
        return 3
    return 0 if type_of(url) == "Patient" else 1 if _is_refusal(body) else 2


def _is_over(row: ResourceRow) -> bool:
    """Tells whether a copy was ended here: a consent that she withdrew here does not begin again at a visit."""
    lifecycle = DEFINITIONS[row.type].lifecycle
    ended = lifecycle.terminal if lifecycle is not None else frozenset()
    return row.status in ended or (row.type == "Consent" and row.status in _CONSENT_OVER)


def _is_refusal(body: Mapping[str, Any]) -> bool:
    """Tells whether a Consent stops something: one that cannot be taken must not be lost."""
    if body.get("resourceType") != "Consent":
        return False
    kind = code_in(body.get("category"), CONSENT_KIND)
    return kind != "release" and (kind == "refusal" or text_at(body, "provision.type") == "deny")
