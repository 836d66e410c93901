"""vread and the histories: of one resource, of a type, of all that an organisation wrote.

What lives here: which versions a caller may have, page by page. What does not: whether a body may leave
(``exchange.gate``), the parameters (``exchange.history_query``), HTTP (``web``).

The author's organisation has every version, and its deletions. Others have a Task since it was requested, each version
in the view of now, and anything else only as current. A history of a type or of the hub holds what the caller's
organisation wrote, and nothing else: so its pages have no gaps and its end tells nothing.

Source: FHIR R4 http.html#vread, #history; ``views.md`` 5; ``consent.md`` S-06.
"""

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from referral_hub.access.principal import Principal
from referral_hub.errors import Busy, Gone, InsufficientScope, NotFound
from referral_hub.exchange.audit import read_entry
from referral_hub.exchange.cursors import seal_cursor
from referral_hub.exchange.gate import Outcome
from referral_hub.exchange.history_query import HistoryQuery, Pairs, history_query
from referral_hub.exchange.hub import Hub
from referral_hub.exchange.made_by_hub import FILLER_KIND
from referral_hub.exchange.ports import Released, ResourceRow, Snapshot, Standing
from referral_hub.exchange.reaching import check_unbound, may_ask, of_herself
from referral_hub.exchange.reading import record_absence
from referral_hub.exchange.state import Working
from referral_hub.resources.catalog import DEFINITIONS

_MOVED = "Her permissions are changing right now. Try again in a moment."


@dataclass(frozen=True, slots=True)
class Version:
    """One entry of a history. ``released`` is the body as the caller may have it, None of a deletion."""

    released: Released | None
    type: str
    id: str
    method: str
    status: str
    updated_us: int


@dataclass(frozen=True, slots=True)
class History:
    """One page of a history, newest first; ``total`` is None where it was not counted, ``next`` empty at the end."""

    versions: tuple[Version, ...]
    total: int | None
    next: str
    self_pairs: tuple[tuple[str, str], ...]


Shown = tuple[ResourceRow, Outcome | None]
"""A version with its body as the caller may have it; None of a deletion of its own."""


def vread(hub: Hub, token_digest: bytes, type_name: str, public_id: str, version: str) -> Outcome:
    """Gives one version as this caller may have it now.

    Raises:
        Gone: the version is the deletion, by the caller's own organisation (410).
        NotFound: absent, or not for this caller (404).
    """
    at_us = hub.clock()
    with hub.store.snapshot() as snapshot:
        caller = hub.identify(snapshot.token(token_digest), at_us)
        hub.gate.allow(caller, type_name, "read")
        current = snapshot.resource(type_name, public_id)
        shown: list[Shown] = []
        standing = None
        if current is not None:
            row = snapshot.version(current.row_id, version)
            standing = _standing(snapshot, caller, current)
            rows = [] if row is None else _of_caller(hub, caller, current, [row], standing, snapshot, at_us)
            shown = _shown(hub, caller, rows, standing, snapshot, at_us)
    if current is None or not shown:
        record_absence(hub, caller, type_name, current, at_us)
        raise NotFound
    row, outcome = shown[0]
    if outcome is None:
        raise Gone
    _check_still(hub, [standing])
    _record(hub, caller, "vread", [(row, outcome)], at_us)
    return outcome


def history_instance(
    hub: Hub, token_digest: bytes, type_name: str, public_id: str, pairs: Pairs = (), *, strict: bool = False
) -> History:
    """Gives the versions of one resource that this caller may have, newest first.

    Raises:
        NotFound: absent, or not for this caller (404).
        InvalidParameter, NotSupportedParameter: see :func:`history_query` (400).
    """
    at_us = hub.clock()
    place = f"{type_name}/{public_id}/_history"
    with hub.store.snapshot() as snapshot:
        caller = hub.identify(snapshot.token(token_digest), at_us)
        hub.gate.allow(caller, type_name, "read")
        query = history_query(hub, caller, place, pairs, at_us, strict=strict)
        current = snapshot.resource(type_name, public_id)
        shown: list[Shown] = []
        standing = None
        is_there = False
        if current is not None:
            standing = _standing(snapshot, caller, current)
            rows = snapshot.versions(current.row_id)
            rows = _of_caller(hub, caller, current, rows, standing, snapshot, at_us)
            is_there = bool(rows)
            rows = _asked_for(rows, query)
            total = len(rows)
            below = query.after[0] if query.after is not None else rows[0].number + 1 if rows else 0
            rows = [row for row in rows if row.number < below]
            more = len(rows) > query.count
            shown = _shown(hub, caller, rows[: query.count], standing, snapshot, at_us)
    if current is None or not is_there:
        record_absence(hub, caller, type_name, current, at_us)
        raise NotFound
    _check_still(hub, [standing])
    _record(hub, caller, "history-instance", shown, at_us)
    after = (shown[-1][0].number, 0) if more and shown else None
    return History(
        versions=tuple(_version(row, outcome) for row, outcome in shown),
        total=total,
        next=_link(hub, caller, place, query, after, at_us),
        self_pairs=query.pairs,
    )


def history_of_own(
    hub: Hub, token_digest: bytes, type_name: str, pairs: Pairs, *, strict: bool = False
) -> History:
    """Gives every version and deletion that the caller's organisation wrote of a type, newest first.

    Args:
        hub: store, gate and clock.
        token_digest: SHA-256 of the access token.
        type_name: a served type; empty for all types the token's scope opens to searches.
        pairs: the parameters.
        strict: refuse parameters that are not understood.

    Raises:
        InsufficientScope: the token's scope opens none (403).
        InvalidParameter, NotSupportedParameter: see :func:`history_query` (400).
    """
    at_us = hub.clock()
    place = f"{type_name}/_history" if type_name else "_history"
    with hub.store.snapshot() as snapshot:
        caller = hub.identify(snapshot.token(token_digest), at_us)
        check_unbound(caller)
        types = _types(hub, caller, type_name)
        query = history_query(hub, caller, place, pairs, at_us, strict=strict)
        found = heapq.merge(
            *(
                snapshot.history(caller.organization_id, one, query, caller.reach, caller.account)
                for one in types
            ),
            key=lambda row: (row.updated_us, row.row_id),
            reverse=True,
        )
        rows = [row for row, _ in zip(found, range(query.count + 1), strict=False)]
        more = len(rows) > query.count
        standings = {
            row.row_id: _standing(snapshot, caller, row)
            for row in rows
            if row.person is not None and row.foreign_elements
        }
        shown = [
            one
            for row in rows[: query.count]
            for one in _shown(hub, caller, [row], standings.get(row.row_id), snapshot, at_us)
        ]
    _check_still(hub, standings.values())
    _record(hub, caller, "history-type" if type_name else "history-system", shown, at_us)
    last = rows[query.count - 1] if more else None
    after = (last.updated_us, last.row_id) if last is not None else None
    return History(
        versions=tuple(_version(row, outcome) for row, outcome in shown),
        total=None,
        next=_link(hub, caller, place, query, after, at_us),
        self_pairs=query.pairs,
    )


# --- which versions ------------------------------------------------------------------------------------------


def _types(hub: Hub, caller: Principal, type_name: str) -> list[str]:
    if type_name:
        hub.gate.allow(caller, type_name, "search")
        return [type_name]
    kept = [name for name, one in DEFINITIONS.items() if "history-instance" in one.interactions]
    types = [name for name in kept if may_ask(caller, name, "search")]
    # An organisation whose access is paused, or a token that opens nothing, is told so.
    hub.gate.allow(caller, types[0] if types else kept[0], "search")
    if not types:
        raise InsufficientScope("The token's scope opens no type to searches.")
    return types


def _standing(snapshot: Snapshot, caller: Principal, row: ResourceRow) -> Standing | None:
    if row.person is None:
        return None
    return snapshot.standing(row.person, caller.organization_id, caller.refusal_targets)


def _of_caller(
    hub: Hub,
    caller: Principal,
    current: ResourceRow,
    rows: Sequence[ResourceRow],
    standing: Standing | None,
    snapshot: Snapshot,
    at_us: int,
) -> list[ResourceRow]:
    """Gives those versions the caller may have at all."""
    if current.author == caller.organization_id and current.kind != FILLER_KIND and not of_herself(caller):
        reached = hub.gate.reaches(caller, current, Working(snapshot), at_us)
        return list(rows) if reached else []
    if hub.gate.release(caller, current, standing, snapshot, at_us) is None:
        return []
    if of_herself(caller):
        return [row for row in rows if current.type == "Consent" or row.version == current.version]
    if current.type == "Task":
        return [row for row in rows if row.status != "draft" and not row.deleted]
    return [row for row in rows if row.version == current.version]


def _asked_for(rows: Sequence[ResourceRow], query: HistoryQuery) -> list[ResourceRow]:
    """Gives those versions that a query is about; ``rows`` are newest first, without gaps that matter."""
    low, high = query.bounds_us
    found = []
    replaced_us = None
    for row in rows:
        in_time = low <= row.updated_us < high
        gone_before = replaced_us is not None and replaced_us <= query.replaced_us
        ended_before = row.deleted and row.updated_us < query.replaced_us
        if in_time and not gone_before and not ended_before:
            found.append(row)
        replaced_us = row.updated_us
    return found


def _shown(
    hub: Hub,
    caller: Principal,
    rows: Iterable[ResourceRow],
    standing: Standing | None,
    snapshot: Snapshot,
    at_us: int,
) -> list[Shown]:
    found: list[Shown] = []
    for row in rows:
        if row.deleted:
            found.append((row, None))
            continue
        outcome = hub.gate.release(caller, row, standing, snapshot, at_us)
        if outcome is not None:
            found.append((row, outcome))
    return found


def _version(row: ResourceRow, outcome: Outcome | None) -> Version:
    status = "204 No Content" if outcome is None else "201 Created" if row.number == 1 else "200 OK"
    return Version(
        released=outcome.released if outcome is not None else None,
        type=row.type,
        id=row.id,
        method="DELETE" if outcome is None else row.method or "PUT",
        status=status,
        updated_us=row.updated_us,
    )


# --- what is left behind -------------------------------------------------------------------------------------


def _check_still(hub: Hub, standings: Iterable[Standing | None]) -> None:
    epochs = {standing.person: standing.epoch for standing in standings if standing is not None}
    if epochs and hub.store.epochs(list(epochs)) != epochs:
        raise Busy(_MOVED)


def _record(hub: Hub, caller: Principal, interaction: str, shown: Sequence[Shown], at_us: int) -> None:
    """Leaves one audit line per person of the page."""
    by_person: dict[int | None, list[Shown]] = {}
    for row, outcome in shown:
        by_person.setdefault(row.person, []).append((row, outcome))
    entries = [
        read_entry(
            caller,
            interaction,
            person,
            [f"{row.type}/{row.id}/{row.version}" for row, _ in group],
            dict.fromkeys(
                consent for _, outcome in group if outcome is not None for consent in outcome.consents
            ),
            at_us,
            own=not any(outcome is not None and outcome.discloses for _, outcome in group),
        )
        for person, group in by_person.items()
    ]
    foreign = any(
        row.person is not None
        and (row.author != caller.organization_id or (outcome is not None and outcome.discloses))
        for row, outcome in shown
    )
    hub.store.spool(entries or [read_entry(caller, interaction, None, (), (), at_us)], durable=foreign)


def _link(
    hub: Hub,
    caller: Principal,
    place: str,
    query: HistoryQuery,
    after: tuple[int, int] | None,
    at_us: int,
) -> str:
    return "" if after is None else seal_cursor(hub.cursors, caller, place, query.pairs, after, at_us)
