"""search-type: from a query string to one page of released bodies.

What lives here: one page, its total, and pages that continue. What does not: the grammar
(``fhir.search_grammar``), the store's terms (``exchange.criteria``), what is sent along (``exchange.including``), SQL
(``store.search_sql``), what may leave (``exchange.gate``).

Everything is filtered in SQL before counts, pages and sorts exist, and each row passes the gate again.

Source: FHIR R4 search.html; ``views.md`` 5; ``consent.md`` 3.3 (S-07 to S-14).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial

from referral_hub.access.principal import Principal
from referral_hub.errors import Busy, HubError, InvalidParameter
from referral_hub.exchange.audit import page_entries
from referral_hub.exchange.audit_events import search_events
from referral_hub.exchange.criteria import criteria_of, declared
from referral_hub.exchange.cursors import Cursor, open_cursor, seal_cursor
from referral_hub.exchange.gate import Outcome
from referral_hub.exchange.hub import Hub
from referral_hub.exchange.including import Along
from referral_hub.exchange.looking import LazyLook
from referral_hub.exchange.ordering import order_of, sortable
from referral_hub.exchange.ports import Released, ResourceRow, SearchPage, TokenRow
from referral_hub.exchange.search_plan import OLDEST_FIRST, Keyset, SearchPlan
from referral_hub.fhir import search_query
from referral_hub.fhir.search_grammar import Possible, read_query, refuse_unknown
from referral_hub.fhir.search_terms import Surroundings
from referral_hub.fhir.subsets import Part
from referral_hub.resources.catalog import DEFINITIONS

TRIES = 5
COUNT_BOUND = 1_000
_OF_THE_ANSWER = frozenset({"_format", "_pretty"})


@dataclass(frozen=True, slots=True)
class Found:
    """One page of a search.

    ``matches`` and ``included`` are released bodies; ``total`` is None where it was not asked for or is above
    what is counted; ``next`` is the sealed text of the next page, empty on the last. ``self_pairs`` is what of the
    search was understood. ``more_included``: there was more to send along than is sent.
    """

    matches: tuple[Released, ...]
    included: tuple[Released, ...]
    total: int | None
    next: str
    self_pairs: tuple[tuple[str, str], ...]
    more_included: bool = False


@dataclass(frozen=True, slots=True)
class _Asked:
    """A search that was read: what was asked and when at first, and what the store is asked."""

    pairs: tuple[tuple[str, str], ...]
    query: search_query.Query
    plan: SearchPlan
    asked_us: int


def search(
    hub: Hub,
    token_digest: bytes,
    type_name: str,
    pairs: Sequence[tuple[str, str]],
    *,
    strict: bool = False,
    own_only: bool = False,
) -> Found:
    """Gives one page of what this caller may see and asked for.

    Args:
        hub: store, gate and clock.
        token_digest: SHA-256 of the access token.
        type_name: a stored type.
        pairs: decoded names and values, or the one pair of a page link.
        strict: refuse parameters that are not understood (``Prefer: handling=strict``).
        own_only: only what the caller's organisation wrote; said again with the link of the next page.

    Raises:
        NotSupportedParameter, InvalidParameter: 400 on the wire.
        InsufficientScope, Forbidden: facts of the caller alone (403).
    """
    if type_name == "AuditEvent":
        return _audit_events(hub, token_digest, pairs, strict=strict)
    known = hub.store.kept_token(token_digest)
    for _ in range(TRIES):
        at_us = hub.clock()
        try:
            token = known or _token(hub, token_digest)
            asked = _prepared(hub, token, type_name, pairs, at_us, strict=strict)
            if own_only:
                asked = replace(asked, plan=replace(asked.plan, own_only=True))
        except HubError:
            if known is None:
                raise
            known = None  # what is remembered of a token may be out of date: it is read before a no
            continue
        counting = asked.query.summary == "count"
        page = hub.store.search(_counting(asked.plan) if counting else asked.plan)
        if known is not None and page.token != known:
            known = None
            continue
        caller = hub.identify(page.token, at_us)
        if counting:
            _record(hub, caller, (), at_us)
            return Found((), (), _bounded(page.total), "", asked.pairs)
        found = _page(hub, caller, asked, page, at_us)
        if found is not None:
            return found
    raise Busy("Her permissions are changing right now. Try again in a moment.")


def _page(hub: Hub, caller: Principal, asked: _Asked, page: SearchPage, at_us: int) -> Found | None:
    """Gives a page with what is sent along; None where a consent changed meanwhile."""
    query = asked.query
    with LazyLook(hub.store, partial(hub.gate.points_at, caller, page.rows, page.standings)) as look:
        matches = hub.gate.release_page(caller, page.rows, page.standings, look, at_us)
        along = Along(hub, caller, asked.plan, look, dict(page.standings))
        along.take(query, matches)
        if along.moved or look.moved_on(along.standings.values()):
            return None
    _record(hub, caller, [*matches, *along.found], at_us)
    total = None
    if query.total in ("accurate", "estimate"):
        total = _bounded(hub.store.search(_counting(asked.plan)).total)
    following = ""
    if page.more and page.last is not None:
        following = seal_cursor(
            hub.cursors, caller, asked.plan.type, asked.pairs, page.last, at_us, asked.asked_us
        )
    part = Part(query.summary, query.elements)
    return Found(
        matches=_parts(hub, matches, part),
        included=_parts(hub, along.found, Part(query.summary)),
        total=total,
        next=following,
        self_pairs=asked.pairs,
        more_included=along.full,
    )


def _parts(hub: Hub, found: Iterable[tuple[ResourceRow, Outcome]], part: Part) -> tuple[Released, ...]:
    if part.is_whole:
        return tuple([outcome.released for _, outcome in found])
    return tuple([hub.gate.release_part(outcome.released, part) for _, outcome in found])


def _bounded(total: int | None) -> int | None:
    return total if total is not None and total <= COUNT_BOUND else None


def _audit_events(hub: Hub, token_digest: bytes, pairs: Sequence[tuple[str, str]], *, strict: bool) -> Found:
    query = _query(hub, "AuditEvent", pairs, hub.clock(), strict=strict)
    events = tuple(search_events(hub, token_digest, query))
    counting = query.summary == "count"
    part = Part(query.summary, query.elements)
    if not counting and not part.is_whole:
        events = tuple(hub.gate.release_part(event, part) for event in events)
    return Found(() if counting else events, (), len(events), "", _understood(pairs, query))


def _token(hub: Hub, token_digest: bytes) -> TokenRow | None:
    with hub.store.snapshot() as snapshot:
        return snapshot.token(token_digest)


def _prepared(
    hub: Hub,
    token: TokenRow | None,
    type_name: str,
    pairs: Sequence[tuple[str, str]],
    at_us: int,
    *,
    strict: bool,
) -> _Asked:
    """Gives what is asked, read, and in the store's terms; the page brings the token again."""
    caller = hub.identify(token, at_us)
    hub.gate.allow(caller, type_name, "search")
    cursor = _cursor(hub, caller, type_name, pairs, at_us)
    asked_us = cursor.asked_us if cursor is not None else at_us
    asked = cursor.pairs if cursor is not None else tuple(pairs)
    query = _query(hub, type_name, asked, asked_us, strict=strict)
    for links in query.links:
        for link in links:
            hub.gate.allow(caller, link.type, "search")
    digest = token.digest if token is not None else b""
    plan = _plan(hub, caller, type_name, query, digest, at_us, cursor)
    return _Asked(_understood(asked, query), query, plan, asked_us)


def _understood(pairs: Sequence[tuple[str, str]], query: search_query.Query) -> tuple[tuple[str, str], ...]:
    """Gives the pairs that were understood: the self link says what was answered."""
    left_out = {*query.unknown, *_OF_THE_ANSWER}
    unreadable = "(unreadable name)" in left_out
    return tuple(
        (name, value)
        for name, value in pairs
        if name.partition(":")[0] not in left_out and not (unreadable and not name.isascii())
    )


def _cursor(
    hub: Hub, caller: Principal, type_name: str, pairs: Sequence[tuple[str, str]], at_us: int
) -> Cursor | None:
    sealed = [value for name, value in pairs if name == "_cursor"]
    if not sealed:
        return None
    if any(name not in ("_cursor", *_OF_THE_ANSWER) for name, _ in pairs) or len(sealed) > 1:
        raise InvalidParameter(
            "_cursor", "A page link is followed as it was given, without other parameters."
        )
    return open_cursor(hub.cursors, caller, type_name, sealed[0], at_us)


@cache
def possible_of(type_name: str) -> Possible:
    """Gives what a search of a type may say, by its declaration."""
    definition = DEFINITIONS[type_name]
    return Possible(
        declared=declared(type_name),
        includes=definition.includes,
        revincludes=definition.revincludes,
        sortable=sortable(type_name),
        iterated=iterated(),
        chains=definition.chains,
        has=definition.has,
        elsewhere=declared,
    )


@cache
def iterated() -> tuple[str, ...]:
    """Gives what ``:iterate`` may name: every include of every type."""
    named = (
        entry
        for definition in DEFINITIONS.values()
        for entry in (*definition.includes, *definition.revincludes)
    )
    return tuple(dict.fromkeys(named))


def _query(
    hub: Hub, type_name: str, pairs: Sequence[tuple[str, str]], at_us: int, *, strict: bool
) -> search_query.Query:
    query = read_query(pairs, possible_of(type_name), Surroundings(hub.own_bases, at_us))
    if strict:
        refuse_unknown(query, declared(type_name))
    return query


def _plan(
    hub: Hub,
    caller: Principal,
    type_name: str,
    query: search_query.Query,
    token_digest: bytes,
    at_us: int,
    cursor: Cursor | None,
) -> SearchPlan:
    sort, own_only = order_of(type_name, query.sort)
    return SearchPlan(
        type=type_name,
        organization=caller.organization_id,
        purpose=caller.purpose,
        refusal_targets=caller.refusal_targets,
        at_us=at_us,
        criteria=criteria_of(type_name, query),
        count=min(query.count or hub.limits.page_entries, hub.limits.max_page_entries),
        sort=sort,
        after=cursor.after if cursor is not None else None,
        own_only=own_only,
        token_digest=token_digest,
        reach=caller.reach,
        account=caller.account,
        binding=caller.binding,
        very_restricted=caller.opens_very_restricted,
    )


def plan_of(
    hub: Hub,
    caller: Principal,
    type_name: str,
    pairs: Sequence[tuple[str, str]],
    at_us: int,
    *,
    after: Keyset | None = None,
    count: int = 500,
) -> SearchPlan:
    """Gives search parameters of one type as a plan that walks all it finds, oldest first; for an export.

    Raises:
        NotSupportedParameter, InvalidParameter: 400 on the wire.
    """
    query = _query(hub, type_name, pairs, at_us, strict=True)
    plan = _plan(hub, caller, type_name, query, b"", at_us, None)
    return replace(plan, count=count, sort=OLDEST_FIRST, after=after, token_digest=None)


def _counting(plan: SearchPlan) -> SearchPlan:
    return replace(plan, after=None, count_only=True)


def _record(hub: Hub, caller: Principal, rows: Sequence[tuple[ResourceRow, Outcome]], at_us: int) -> None:
    """Leaves the line of the page, which names each person of it with what is hers."""
    foreign = any(not outcome.own and row.person is not None for row, outcome in rows)
    hub.store.spool(page_entries(caller, "search-type", rows, at_us), durable=foreign)
