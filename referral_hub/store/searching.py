"""Running a search: one statement for the page, and what the page needs beside it.

What lives here: the running, the opening of bodies, the standings of the persons of a page, the token. What
does not: the statement (``store.search_sql``), the second line of defence on each row (``exchange.gate``).

The page's statement brings the version of each row, its person's epoch and the referral_access rows. Rows that are not
kept, and consent rows of an epoch this process has not seen, are fetched by a second statement, which brings the
version or the epoch too: if one moved in between, the whole search is made again inside one state, so a page never
mixes two. The token is looked at last: a token that is live after the page was read was live before, since versions
and revocations only move forward.

Source: ``engine.md`` 2; ``consent.md`` D-20 to D-23.
"""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

import sqlalchemy as sa

from referral_hub.exchange.ports import ResourceRow, SearchPage, Standing, TokenRow
from referral_hub.exchange.search_plan import Order, SearchPlan
from referral_hub.store import schema, standing_sql
from referral_hub.store.bodies import Bodies
from referral_hub.store.database import Connection, Database
from referral_hub.store.index_rows import Digests
from referral_hub.store.kept_rows import KeptRows
from referral_hub.store.row_making import resource_row
from referral_hub.store.search_sql import VERSIONS, statement_of
from referral_hub.store.standings import ConsentTexts, Standings, merged
from referral_hub.store.statements import Statement, one_of, words
from referral_hub.store.tokens import TOKEN_READ, Tokens
from referral_hub.store.view_queries import ROWS

_EPOCH, _ACCESSES, _ROW_ID, _VERSION, _AUTHOR, _PERSON, _WHOLE = range(7)
"""Where a row's columns stand, behind the keys of its order (``search_sql.NAMED``)."""

_person = schema.person
STANDINGS_READ = Statement(
    "standings_read",
    sa.select(
        _person.c.row_id,
        _person.c.epoch,
        standing_sql.grants_column(_person.c.row_id, words("organization")),
        standing_sql.refusals_column(_person.c.row_id),
        standing_sql.exceptions_column(_person.c.row_id, words("organization")),
    ).where(one_of(_person.c.row_id, "persons")),
)
"""The consent rows of several persons towards one organisation, each with the person's epoch."""


class _Moved(Exception):
    """A consent or a row changed between the page and what was read beside it."""


class Searcher:
    """Answers searches.

    Args:
        database: where they are answered from.
        bodies: opens what lies sealed.
        kept: what is kept of rows.
        tokens: what is kept of tokens.
        standings: what is kept of standings.
        digests: keyed digests of what is searched for.
    """

    def __init__(
        self,
        database: Database,
        bodies: Bodies,
        kept: KeptRows,
        tokens: Tokens,
        standings: Standings,
        digests: Digests,
    ) -> None:
        self._database = database
        self._bodies = bodies
        self._kept = kept
        self._tokens = tokens
        self._standings = standings
        self._digests = digests

    def search(self, plan: SearchPlan) -> SearchPage:
        """Gives one page of what the caller may see, or with ``count_only`` how many rows that are.

        The total stops at 1,001. A plan without refusal targets finds the caller's own rows only, since no
        refusal could be seen to reach it.

        Raises:
            Unavailable: where a body cannot be opened or the database does not answer: 503 on the wire.
        """
        statement, parameters = statement_of(plan, self._digests, self._database.dialect)
        if plan.count_only:
            found = self._database.first(statement, parameters)
            token = self._token(self._database, plan.token_digest)
            return SearchPage(token, (), {}, more=False, total=found[0] if found else 0)
        try:
            return self._page(plan, statement, parameters, self._database)
        except _Moved:
            with self._database.reading() as connection:
                return self._page(plan, statement, parameters, connection)

    def _page(
        self, plan: SearchPlan, statement: Statement, parameters: dict[str, Any], connection: Connection
    ) -> SearchPage:
        found = connection.run(statement, parameters)
        keys = len(plan.sort)
        _arrange(found, plan.sort)
        more = len(found) > plan.count
        del found[plan.count :]
        last = (*found[-1][:keys], found[-1][keys + _ROW_ID]) if found else None
        found = [row[keys:] for row in found]
        standings = self._standings_of(plan, found, connection)
        token = self._token(connection, plan.token_digest)
        if plan.sort[0].kind == VERSIONS:
            rows = [resource_row(row[_WHOLE:], self._bodies) for row in found]
        else:
            rows = self._rows_of(found, connection)
        return SearchPage(token, tuple(rows), standings, more, last=last)

    def _rows_of(self, found: Sequence[Any], connection: Connection) -> list[ResourceRow]:
        """Gives the rows a page names, of the versions it names; only those that are not kept are read."""
        kept = self._kept
        rows = [kept.of(row[_ROW_ID], row[_VERSION]) for row in found]
        there = [row for row in rows if row is not None]
        if len(there) == len(rows):
            return there
        missing = [one[_ROW_ID] for one, row in zip(found, rows, strict=True) if row is None]
        read = {row.row_id: row for row in kept.all_opened(connection.run(ROWS, {"rows": missing}))}
        for one, row in zip(found, rows, strict=True):
            if row is None and (one[_ROW_ID] not in read or read[one[_ROW_ID]].version != one[_VERSION]):
                raise _Moved
        return [read[one[_ROW_ID]] if row is None else row for one, row in zip(found, rows, strict=True)]

    def _standings_of(
        self, plan: SearchPlan, found: Sequence[Any], connection: Connection
    ) -> dict[int, Standing]:
        """Gives the standing towards each person of rows that others wrote."""
        epochs: dict[int, int] = {}
        accesses: dict[int, dict[str | None, None]] = {}
        for row in found:
            person = row[_PERSON]
            if person is not None and row[_AUTHOR] != plan.organization:
                epochs[person] = row[_EPOCH] or 0
                accesses.setdefault(person, {})[row[_ACCESSES]] = None
        texts: dict[int, ConsentTexts] = {}
        unknown = [
            person
            for person, epoch in epochs.items()
            if self._standings.epoch(person, plan.organization) != epoch
        ]
        if unknown:
            texts = self._consents_of(plan.organization, unknown, epochs, connection)
        made: dict[int, Standing] = {}
        for person, epoch in epochs.items():
            first, *others = accesses[person]
            standing = self._standings.standing(
                person, plan.organization, plan.refusal_targets, epoch, first, texts.get(person)
            )
            if standing is None:  # thrown out by another thread's reads
                texts.update(self._consents_of(plan.organization, [person], epochs, connection))
                standing = self._standings.standing(
                    person, plan.organization, plan.refusal_targets, epoch, first, texts[person]
                )
            if standing is None:
                raise _Moved
            for other in others:
                standing = merged(standing, standing_sql.accesses(other))
            made[person] = standing
        return made

    def _consents_of(
        self, organization: str, persons: list[int], epochs: dict[int, int], connection: Connection
    ) -> dict[int, ConsentTexts]:
        texts = {person: ConsentTexts(None, None, None) for person in persons if epochs[person] == 0}
        for person, epoch, *columns in connection.run(
            STANDINGS_READ, {"organization": organization, "persons": persons}
        ):
            if epoch != epochs[person]:
                raise _Moved
            texts[person] = ConsentTexts(*columns)
        if len(texts) != len(persons):
            raise _Moved
        return texts

    def _token(self, connection: Connection | Database, digest: bytes | None) -> TokenRow | None:
        return None if digest is None else read_token(connection, self._tokens, digest)


def _arrange(found: list[Any], sort: Sequence[Order]) -> None:
    """Puts rows in the order asked for; equal ones by their number, in the direction of the last key."""
    keys = len(sort)
    if len({order.descending for order in sort}) == 1:
        found.sort(key=itemgetter(*range(keys), keys + _ROW_ID), reverse=sort[0].descending)
        return
    found.sort(key=itemgetter(keys - 1, keys + _ROW_ID), reverse=sort[-1].descending)
    for place in reversed(range(keys - 1)):
        found.sort(key=itemgetter(place), reverse=sort[place].descending)


def read_token(connection: Connection | Database, tokens: Tokens, digest: bytes) -> TokenRow | None:
    """Gives the token row of this SHA-256 digest, live or not."""
    kept = tokens.kept(digest)
    versions = (-1, -1) if kept is None else (kept.token.version, kept.token.organization_version)
    for token_version, organization_version in (versions, (-1, -1)):
        found = connection.first(
            TOKEN_READ,
            {"digest": digest, "token_version": token_version, "organization_version": organization_version},
        )
        if found is None:
            return None
        known = tokens.known(digest, found)
        if known is not None:
            return known.token
    return None
