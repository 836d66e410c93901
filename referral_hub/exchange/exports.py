"""Bulk Data export: what is asked for, which rows it lists, and what a file of it shows.

What lives here: kicking off, walking (one piece at a time, so that a killed process goes on where it was),
looking, fetching a file, ending. What does not: the rows of jobs (``store.exports``), the process that walks
(``outbound.exporting``), HTTP (``web.export_api``), reading what was asked (``exchange.export_asking``).

A file is a list of rows, never of bodies. The walk lists what the caller may see at that moment; fetching asks the
gate again, row by row. So a permission that was withdrawn in between shows nothing, and no file with a person's
data ever lies anywhere.

Source: HL7 Bulk Data Access 2.0 (export); ``consent.md`` D-23, D-34.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import msgspec

from referral_hub.access.principal import Principal
from referral_hub.errors import Busy, Forbidden, GuardFailed, InsufficientScope, NotFound, SlowDown
from referral_hub.exchange.audit import page_entries
from referral_hub.exchange.building import Draft, body_of
from referral_hub.exchange.change import AuditEntry, Row
from referral_hub.exchange.export_asking import Asked
from referral_hub.exchange.hub import Hub
from referral_hub.exchange.interactions import TRIES, by_token
from referral_hub.exchange.ports import Released, ResourceRow, Snapshot, TokenRow
from referral_hub.exchange.reaching import check_lasting
from referral_hub.exchange.search import plan_of
from referral_hub.exchange.search_plan import Keyset
from referral_hub.exchange.state import Working
from referral_hub.fhir.elements import at_path

PIECE = 500
"""Rows of one search, and so of one file, at most."""
MOST_AT_ONCE = 4
"""Exports of one partner's software that may be under way."""
KEPT_US = 24 * 3_600_000_000
"""How long a finished export can be fetched."""


@dataclass(frozen=True, slots=True)
class Job:
    """One export as it stands.

    ``position`` is how far the walk came, ``state`` one of running, done, failed, cancelled; ``ended_us`` 0 while
    it runs. ``live`` tells whether the software and the organisation that asked may still be served.
    """

    id: str
    token: TokenRow
    asked: bytes
    position: str
    state: str
    reason: str
    files: int
    created_us: int
    ended_us: int
    attempts: int
    lease: str
    live: bool


@dataclass(frozen=True, slots=True)
class File:
    """One file of an export: its number, the type of its resources, how many rows it lists."""

    number: int
    type: str
    count: int


class ExportJobs(Protocol):
    """Where exports are kept."""

    def put_row(self, job: str, caller: Principal, scope: str, asked: bytes, at_us: int) -> Row:
        """Gives the row of a Change that notes a new export."""

    def cancel_row(self, job: str, at_us: int) -> Row:
        """Gives the row of a Change that ends an export and its files."""

    def of(self, job: str) -> Job | None:
        """Gives an export, whoever asked for it."""

    def under_way(self, oauth_client: str) -> int:
        """Gives how many exports of one software run."""

    def files(self, job: str) -> list[File]:
        """Gives the files of an export, in their order."""

    def rows(self, job: str, number: int) -> list[int]:
        """Gives the row ids one file lists."""


class Position(msgspec.Struct, frozen=True):
    """How far a walk came: the part it is at, and the key of the last row it saw there."""

    part: int = 0
    after: Keyset | None = None

    @property
    def text(self) -> str:
        """Gives it as it is kept."""
        return msgspec.json.encode(self).decode()


@dataclass(frozen=True, slots=True)
class Piece:
    """What one step of a walk found: rows of one type, and where it goes on (None: it is at its end)."""

    type: str
    rows: tuple[int, ...]
    following: Position | None


def kick_off(hub: Hub, jobs: ExportJobs, token_digest: bytes, asked: Asked) -> str:
    """Notes an export and gives its id; the work is done later, and the line in the audit is written now.

    Raises:
        NotFound: the group is absent, or not for this caller (404).
        Forbidden: only the network's own organisation exports the whole hub (403).
        InsufficientScope: the scope opens none of the types, or not one that was named (403).
        SlowDown: this software has several exports under way (429).
    """
    for _ in range(TRIES):
        at_us = hub.clock()
        with hub.store.snapshot() as snapshot:
            caller = by_token(hub, token_digest)(snapshot, at_us)
            token = snapshot.token(token_digest)
            draft = Draft(Working(snapshot), hub.ids, at_us, hub.own_bases)
            _allow(hub, caller, asked, draft, at_us)
            if jobs.under_way(caller.oauth_client) >= MOST_AT_ONCE:
                raise SlowDown("Several exports of this software are under way. Wait for one, or delete it.")
            for part in asked.parts:  # a filter that cannot be read is told now, not later
                plan_of(hub, caller, part.type, part.pairs, at_us)
            job = hub.ids.public_id()
            draft.settle(
                jobs.put_row(job, caller, token.scope if token else "", msgspec.json.encode(asked), at_us)
            )
            draft.audit.append(_line(caller, asked.level, at_us))
            change = hub.gate.seal(caller, draft, hub.ids.public_id())
        try:
            hub.store.apply(change)
        except GuardFailed:
            continue
        return job
    raise Busy("The hub is busy. Try again in a moment.")


def _allow(hub: Hub, caller: Principal, asked: Asked, draft: Draft, at_us: int) -> None:
    check_lasting(caller)
    if asked.level == "system":
        own = draft.working.hub_organization()
        if own is None or own.facts.id != caller.organization_id:
            raise Forbidden("The network's own organisation exports the whole hub; ask for Patient/$export.")
    if asked.level == "group":
        row = draft.working.resource("Group", asked.group)
        if row is None or not hub.gate.sees(caller, row, draft.working, at_us):
            raise NotFound
    opened = [part for part in asked.parts if _covers(hub, caller, part.type)]
    if asked.named:
        for part in asked.parts:
            hub.gate.allow(caller, part.type, "search")
    if not opened:
        raise InsufficientScope("The token's scope opens nothing that could be exported.")


def _covers(hub: Hub, caller: Principal, type_name: str) -> bool:
    try:
        hub.gate.allow(caller, type_name, "search")
    except InsufficientScope:
        return False
    return True


def job_of(hub: Hub, jobs: ExportJobs, token_digest: bytes, job_id: str) -> Job:
    """Gives an export of the caller's own; what others asked for is absent.

    Raises:
        NotFound: absent, ended by its owner, out of date, or of another software (404).
    """
    at_us = hub.clock()
    with hub.store.snapshot() as snapshot:
        return _own(hub.identify(snapshot.token(token_digest), at_us), jobs, job_id, at_us)


def _own(caller: Principal, jobs: ExportJobs, job_id: str, at_us: int) -> Job:
    check_lasting(caller)
    job = jobs.of(job_id)
    if (
        job is None
        or job.token.oauth_client != caller.oauth_client
        or job.token.organization != caller.organization_id
        or job.state == "cancelled"
        or (job.ended_us and at_us > job.ended_us + KEPT_US)
    ):
        raise NotFound
    return job


def delete(hub: Hub, jobs: ExportJobs, token_digest: bytes, job_id: str) -> None:
    """Ends an export, or takes away its files.

    Raises:
        NotFound: as ``job_of``.
    """
    at_us = hub.clock()
    with hub.store.snapshot() as snapshot:
        caller = by_token(hub, token_digest)(snapshot, at_us)
        _own(caller, jobs, job_id, at_us)
        draft = Draft(Working(snapshot), hub.ids, at_us, hub.own_bases)
        draft.settle(jobs.cancel_row(job_id, at_us))
        draft.audit.append(_line(caller, "cancelled", at_us))
        change = hub.gate.seal(caller, draft, hub.ids.public_id())
    try:
        hub.store.apply(change)
    except GuardFailed as changed:
        raise Busy("The export was just changing. Try again in a moment.") from changed


# --- the walk ------------------------------------------------------------------------------------------------


def step(hub: Hub, job: Job) -> Piece:
    """Gives the next rows of a walk that the caller may see now.

    Raises:
        Unauthenticated, Forbidden: the software or organisation that asked is served no more.
    """
    asked = msgspec.json.decode(job.asked, type=Asked)
    position = msgspec.json.decode(job.position, type=Position) if job.position else Position()
    at_us = hub.clock()
    caller = hub.identify(job.token, at_us)
    for _ in range(TRIES):
        if position.part >= len(asked.parts):
            return Piece("", (), None)
        part = asked.parts[position.part]
        if not _covers(hub, caller, part.type):
            return Piece(part.type, (), Position(position.part + 1))
        plan = plan_of(hub, caller, part.type, part.pairs, at_us, after=position.after, count=PIECE)
        page = hub.store.search(plan)
        with hub.store.snapshot() as snapshot:
            members = _members(hub, caller, asked, snapshot, at_us)
            rows = [row for row in page.rows if _belongs(row, asked, members)]
            # Its own file under a key of its own is listed here and opened when the file is fetched, with the key.
            working = Working(snapshot)
            own = [row for row in rows if row.locked and hub.gate.sees(caller, row, working, at_us)]
            opened = [row for row in rows if not row.locked]
            found = hub.gate.release_page(caller, opened, page.standings, snapshot, at_us)
        if _moved(hub, {person: standing.epoch for person, standing in page.standings.items()}):
            at_us = hub.clock()
            continue
        following = (
            Position(position.part, page.last)
            if page.more and page.last is not None
            else Position(position.part + 1)
        )
        end = following.part >= len(asked.parts)
        listed = (*(row.row_id for row, _ in found), *(row.row_id for row in own))
        return Piece(part.type, listed, None if end else following)
    raise Busy("Permissions are changing.")


def _belongs(row: ResourceRow, asked: Asked, members: frozenset[int] | None) -> bool:
    if asked.level == "system":
        return True
    return row.person is not None and (members is None or row.person in members)


def _members(
    hub: Hub, caller: Principal, asked: Asked, snapshot: Snapshot, at_us: int
) -> frozenset[int] | None:
    """Gives the persons an export is limited to, None where to none; one the caller cannot see is nobody."""
    wanted = list(asked.persons)
    if asked.level == "group":
        group = snapshot.resource("Group", asked.group)
        if group is None or not hub.gate.sees(caller, group, Working(snapshot), at_us):
            return frozenset()
        members = [str(one) for one in at_path(body_of(group), "member.entity.reference")]
        wanted = [one for one in members if not wanted or one in wanted]
    elif not wanted:
        return None
    named = snapshot.resources(one for one in wanted if one.startswith("Patient/"))
    return frozenset(row.row_id for row in named.values())


def _moved(hub: Hub, epochs: Mapping[int, int]) -> bool:
    now = hub.store.epochs(list(epochs))
    return any(now[person] != epoch for person, epoch in epochs.items())


# --- a file --------------------------------------------------------------------------------------------------


def fetched(hub: Hub, jobs: ExportJobs, token_digest: bytes, job_id: str, number: int) -> list[Released]:
    """Gives what a file shows this caller now; the audit line of each person is on the disk before.

    Raises:
        NotFound: no such file of an export of the caller's own (404).
        InsufficientScope: the token does not open the type (403).
    """
    for _ in range(TRIES):
        at_us = hub.clock()
        with hub.store.snapshot() as snapshot:
            caller = hub.identify(snapshot.token(token_digest), at_us)
            job = _own(caller, jobs, job_id, at_us)
            listed = {file.number: file for file in jobs.files(job.id)} if job.state == "done" else {}
            file = listed.get(number)
            if file is None:
                raise NotFound
            hub.gate.allow(caller, file.type, "read")
            rows = snapshot.rows(jobs.rows(job.id, number))
            ordered = [row for _, row in sorted(rows.items()) if not row.deleted]
            standings = {
                person: snapshot.standing(person, caller.organization_id, caller.refusal_targets)
                for person in {
                    r.person for r in ordered if r.person is not None and r.author != caller.organization_id
                }
            }
            found = hub.gate.release_page(caller, ordered, standings, snapshot, at_us)
        if _moved(hub, {person: standing.epoch for person, standing in standings.items()}):
            continue
        hub.store.spool(
            page_entries(caller, "export", found, at_us),
            durable=any(not outcome.own and row.person is not None for row, outcome in found),
        )
        return [outcome.released for _, outcome in found]
    raise Busy("Permissions are changing right now. Try again in a moment.")


def _line(caller: Principal, what: str, at_us: int) -> AuditEntry:
    return AuditEntry(
        at_us=at_us,
        action="E",
        interaction="export",
        outcome=0,
        organization=caller.organization_id,
        oauth_client=caller.oauth_client,
        user=caller.user,
        purpose=caller.purpose,
        person=None,
        reason=what,
    )
