"""search-type: from a query string to one page of released bodies.

What lives here: translating the typed query into the store's terms, includes, and pages that continue. What
does not: the grammar (``fhir.search_grammar``), SQL (``store.search_sql``), what may leave (``exchange.gate``).

Everything is filtered in SQL before counts, pages and sorts exist, and each row passes the gate again.

Source: FHIR R4 search.html; ``views.md`` 5; ``consent.md`` 3.3 (S-07 to S-14).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from referral_hub.access.principal import Principal
from referral_hub.errors import Busy, HubError, InvalidParameter
from referral_hub.exchange.audit import read_entry
from referral_hub.exchange.audit_events import search_events
from referral_hub.exchange.building import body_of
from referral_hub.exchange.change import AuditEntry
from referral_hub.exchange.cursors import Cursor, open_cursor, seal_cursor
from referral_hub.exchange.gate import Outcome
from referral_hub.exchange.hub import Hub
from referral_hub.exchange.indexing import extractor, parameters
from referral_hub.exchange.looking import LazyLook
from referral_hub.exchange.ports import (
    Criterion,
    Released,
    ResourceRow,
    SearchPage,
    SearchPlan,
    Standing,
    TokenRow,
)
from referral_hub.fhir import search_query
from referral_hub.fhir.canonical import TASK_CODE
from referral_hub.fhir.index_values import ReferenceValue
from referral_hub.fhir.search_grammar import parse_query, refuse_unknown
from referral_hub.fhir.search_parameters import SearchParameter, official
from referral_hub.fhir.search_query import (
    DateTerm,
    Include,
    MissingTerm,
    ReferenceTerm,
    StringTerm,
    TokenTerm,
    UriTerm,
)
from referral_hub.resources.catalog import DEFINITIONS
from referral_hub.resources.definition import Searchable
from referral_hub.resources.task import TASK_CODES

TRIES = 5
COUNT_BOUND = 1_000
_TASK_CODE_SYSTEMS = (TASK_CODE, TASK_CODES)
_OF_EVERY_TYPE = ("_id", "_lastUpdated")


@dataclass(frozen=True, slots=True)
class Found:
    """One page of a search.

    ``matches`` and ``included`` are released bodies; ``total`` is None where it was not asked for or is above
    what is counted; ``next`` is the sealed text of the next page, empty on the last.
    """

    matches: tuple[Released, ...]
    included: tuple[Released, ...]
    total: int | None
    next: str
    self_pairs: tuple[tuple[str, str], ...]


def search(
    hub: Hub,
    token_digest: bytes,
    type_name: str,
    pairs: Sequence[tuple[str, str]],
    *,
    strict: bool = False,
) -> Found:
    """Gives one page of what this caller may see and asked for.

    Args:
        hub: store, gate and clock.
        token_digest: SHA-256 of the access token.
        type_name: a served type.
        pairs: decoded names and values, or the one pair of a page link.
        strict: refuse parameters that are not understood (``Prefer: handling=strict``).

    Raises:
        NotSupportedParameter, InvalidParameter: 400 on the wire.
        InsufficientScope, Forbidden: facts of the caller alone (403).
    """
    if type_name == "AuditEvent":
        query = _query(hub, type_name, tuple(pairs), hub.clock(), strict=strict)
        events = tuple(search_events(hub, token_digest, query))
        counting = query.summary == "count"
        return Found(() if counting else events, (), len(events), "", tuple(pairs))
    known = hub.store.kept_token(token_digest)
    for _ in range(TRIES):
        at_us = hub.clock()
        try:
            token = known or _token(hub, token_digest)
            asked, query, plan = _prepared(hub, token, type_name, pairs, at_us, strict=strict)
        except HubError:
            if known is None:
                raise
            known = None  # what is remembered of a token may be out of date: it is read before a no
            continue
        page = hub.store.search(plan)
        if known is not None and page.token != known:
            known = None
            continue
        caller = hub.identify(page.token, at_us)
        with LazyLook(hub.store, partial(hub.gate.points_at, caller, page.rows, page.standings)) as look:
            matches = hub.gate.release_page(caller, page.rows, page.standings, look, at_us)
            included = _included(hub, caller, query.includes, page, matches, look, at_us)
            if look.moved_on(page.standings.values()):
                continue
        _record(hub, caller, [*matches, *included], at_us)
        total = None
        if query.total in ("accurate", "estimate") or query.summary == "count":
            counted = hub.store.search(_counting(plan)).total
            total = counted if counted is not None and counted <= COUNT_BOUND else None
        following = ""
        if page.more and page.last is not None and query.summary != "count":
            following = seal_cursor(hub.cursors, caller, type_name, asked, page.last, at_us)
        counting = query.summary == "count"
        return Found(
            matches=() if counting else tuple(outcome.released for _, outcome in matches),
            included=() if counting else tuple(outcome.released for _, outcome in included),
            total=total,
            next=following,
            self_pairs=asked,
        )
    raise Busy("Her permissions are changing right now. Try again in a moment.")


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
) -> tuple[tuple[tuple[str, str], ...], search_query.Query, SearchPlan]:
    """Gives what is asked, read, and in the store's terms; the page brings the token again."""
    caller = hub.identify(token, at_us)
    hub.gate.allow(caller, type_name, "search")
    cursor = _cursor(hub, caller, type_name, pairs, at_us)
    asked = cursor.pairs if cursor is not None else tuple(pairs)
    query = _query(hub, type_name, asked, at_us, strict=strict)
    digest = token.digest if token is not None else b""
    return asked, query, _plan(hub, caller, type_name, query, digest, at_us, cursor)


def declared(type_name: str) -> dict[str, SearchParameter]:
    """Gives what a search of a type may say, by code."""
    found = {code: official(type_name)[code] for code in _OF_EVERY_TYPE}
    found.update({code: parameter for code, (_, parameter) in parameters(type_name).items()})
    return found


def _cursor(
    hub: Hub, caller: Principal, type_name: str, pairs: Sequence[tuple[str, str]], at_us: int
) -> Cursor | None:
    sealed = [value for name, value in pairs if name == "_cursor"]
    if not sealed:
        return None
    if len(pairs) != 1:
        raise InvalidParameter(
            "_cursor", "A page link is followed as it was given, without other parameters."
        )
    return open_cursor(hub.cursors, caller, type_name, sealed[0], at_us)


def _query(
    hub: Hub, type_name: str, pairs: Sequence[tuple[str, str]], at_us: int, *, strict: bool
) -> search_query.Query:
    definition = DEFINITIONS[type_name]
    query = parse_query(
        pairs,
        declared(type_name),
        includes=definition.includes,
        sortable=_sortable(type_name),
        base_urls=hub.own_bases,
        at_us=at_us,
    )
    if strict:
        refuse_unknown(query)
    return query


def _sortable(type_name: str) -> tuple[str, ...]:
    dates = [code for code, (_, parameter) in parameters(type_name).items() if parameter.type == "date"]
    return ("_lastUpdated", *dates)


def _plan(
    hub: Hub,
    caller: Principal,
    type_name: str,
    query: search_query.Query,
    token_digest: bytes,
    at_us: int,
    cursor: Cursor | None,
) -> SearchPlan:
    if len(query.sort) > 1:
        raise InvalidParameter("_sort", "One sort key is possible.")
    sort = ("_lastUpdated", True)
    own_only = False
    if query.sort:
        code = query.sort[0].parameter.code
        sort = (code, query.sort[0].descending)
        # A maskable element orders only what the caller's organisation wrote itself.
        own_only = code != "_lastUpdated"
    count = min(query.count or hub.limits.page_entries, hub.limits.max_page_entries)
    return SearchPlan(
        type=type_name,
        organization=caller.organization_id,
        purpose=caller.purpose,
        refusal_targets=caller.refusal_targets,
        at_us=at_us,
        criteria=tuple(_criterion(type_name, criterion) for criterion in query.criteria),
        count=count,
        sort=sort,
        after=cursor.after if cursor is not None else None,
        own_only=own_only,
        token_digest=token_digest,
    )


def _counting(plan: SearchPlan) -> SearchPlan:
    return SearchPlan(
        type=plan.type,
        organization=plan.organization,
        purpose=plan.purpose,
        refusal_targets=plan.refusal_targets,
        at_us=plan.at_us,
        criteria=plan.criteria,
        count=plan.count,
        sort=plan.sort,
        own_only=plan.own_only,
        count_only=True,
        token_digest=plan.token_digest,
    )


def _criterion(type_name: str, criterion: search_query.Criterion) -> Criterion:
    code = criterion.parameter.code
    searchable = parameters(type_name).get(code, (Searchable(code), criterion.parameter))[0]
    # Part of a text is found in own data only.
    visibility = "own" if criterion.modifier == "contains" else searchable.visibility
    if isinstance(criterion.terms[0], MissingTerm):
        wanted = "true" if criterion.terms[0].is_missing else "false"
        return Criterion(
            code, "missing", visibility, texts=(wanted,), parameter_type=criterion.parameter.type
        )
    if code == "_id":
        return Criterion(code, "id", "notice", texts=_texts(criterion))
    if code == "_lastUpdated":
        return Criterion(code, "updated", "notice", spans=_spans(criterion))
    if criterion.parameter.type == "date":
        return Criterion(code, "date", visibility, spans=_spans(criterion))
    if criterion.parameter.type == "string":
        return Criterion(
            code,
            "string",
            visibility,
            texts=_texts(criterion),
            modifier=criterion.modifier,
            identifying=searchable.identifying,
        )
    if type_name == "Task" and code == "code":
        return _task_code(criterion)
    name = f"{code}:identifier" if criterion.modifier == "identifier" else code
    return Criterion(name, "token", visibility, texts=_texts(criterion), negated=criterion.modifier == "not")


def _task_code(criterion: search_query.Criterion) -> Criterion:
    """Gives the criterion on Task.code: other organisations see, and so find, codes of the two task lists only."""
    texts: list[str] = []
    for text in _texts(criterion):
        texts.extend([text] if "|" in text else [f"{system}|{text}" for system in _TASK_CODE_SYSTEMS])
    shown = all(text.startswith(_TASK_CODE_SYSTEMS) for text in texts)
    return Criterion(
        "code",
        "token",
        "notice" if shown else "own",
        texts=tuple(texts),
        negated=criterion.modifier == "not",
    )


def _texts(criterion: search_query.Criterion) -> tuple[str, ...]:
    found: list[str] = []
    for term in criterion.terms:
        if isinstance(term, TokenTerm):
            found.append(term.text)
        elif isinstance(term, ReferenceTerm):
            found.extend(_reference_texts(term, criterion.parameter))
        elif isinstance(term, StringTerm):
            found.append(term.folded)
        elif isinstance(term, UriTerm):
            found.append(term.uri)
    return tuple(found)


def _reference_texts(term: ReferenceTerm, parameter: SearchParameter) -> list[str]:
    if term.url or term.type:
        return [term.text]
    targets = parameter.targets or tuple(DEFINITIONS)
    return [f"{target}/{term.id}" for target in targets]


def _spans(criterion: search_query.Criterion) -> tuple[tuple[str, int, int], ...]:
    return tuple(
        (term.prefix, term.low_us, term.high_us) for term in criterion.terms if isinstance(term, DateTerm)
    )


def _included(
    hub: Hub,
    caller: Principal,
    includes: Sequence[Include],
    page: SearchPage,
    matches: Sequence[tuple[ResourceRow, Outcome]],
    look: LazyLook,
    at_us: int,
) -> list[tuple[ResourceRow, Outcome]]:
    """Gives what the matches point at, as far as this caller may see it; the hidden is left out silently."""
    if not includes:
        return []
    wanted: dict[str, None] = {}
    for row, _ in matches:
        for include in includes:
            for text in _targets(include, row):
                if not include.target or text.startswith(f"{include.target}/"):
                    wanted[text] = None
    have = {f"{row.type}/{row.id}" for row, _ in matches}
    rows = look.resources([text for text in wanted if text not in have])
    found = []
    standings: dict[int, Standing] = dict(page.standings)
    for text in wanted:
        target = rows.get(text)
        if target is None:
            continue
        person = target.person
        if person is not None and person not in standings:
            standings[person] = look.standing(person, caller.organization_id, caller.refusal_targets)
        standing = standings.get(person) if person is not None else None
        outcome = hub.gate.release(caller, target, standing, look, at_us)
        if outcome is not None:
            found.append((target, outcome))
    return found


def _targets(include: Include, row: ResourceRow) -> list[str]:
    if include.source != row.type:
        return []
    extract = extractor(row.type, include.parameter)
    if extract is None:
        return []
    values = extract(body_of(row))
    return [value.text for value in values if isinstance(value, ReferenceValue) and value.id]


def _record(hub: Hub, caller: Principal, rows: Sequence[tuple[ResourceRow, Outcome]], at_us: int) -> None:
    """Leaves one audit line per person of the page."""
    by_person: dict[int | None, list[tuple[ResourceRow, Outcome]]] = {}
    for row, outcome in rows:
        by_person.setdefault(row.person, []).append((row, outcome))
    entries: list[AuditEntry] = [
        read_entry(
            caller,
            "search-type",
            person,
            [f"{row.type}/{row.id}/{row.version}" for row, _ in group],
            dict.fromkeys(consent for _, outcome in group for consent in outcome.consents),
            at_us,
            own=not any(outcome.discloses for _, outcome in group),
        )
        for person, group in by_person.items()
    ] or [read_entry(caller, "search-type", None, (), (), at_us)]
    foreign = any(not outcome.own and row.person is not None for row, outcome in rows)
    hub.store.spool(entries, durable=foreign)
