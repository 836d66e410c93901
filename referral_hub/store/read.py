"""The read: token, resource and standing in one statement, so in one consistent state.

What lives here: the statement and the putting together of its answer. What does not: whether the caller may
have it (``exchange.gate``), several looks at one state (``store.snapshot``), searches
(``store.search_sql``).

The statement leaves out what this process knows already and what cannot have changed since: the facts of a
token of the same version, and the consent rows of the same epoch. The versions, the epoch and the
referral_access rows are read every time, and so are the versions of what the row pointed at when it was looked up.
Of a row that is kept (``store.kept_rows``) only the version is read, and where that is another, all of it.

Source: ``engine.md`` 2 (a read is one statement; there is no time-based cache of tokens or consents).
"""

from typing import Any

import sqlalchemy as sa

from referral_hub.exchange.ports import Beside, ReadAnswer, ResourceRow
from referral_hub.store import schema, standing_sql
from referral_hub.store.beside import NOTHING_BESIDE, PLACES, KeptBeside, states_column
from referral_hub.store.database import Database
from referral_hub.store.kept_rows import KeptRows
from referral_hub.store.reach_sql import assigned_column
from referral_hub.store.row_making import RESOURCE_WIDTH, resource_columns
from referral_hub.store.standings import UNKNOWN, ConsentTexts, Standings
from referral_hub.store.statements import Statement, octets, whole, words
from referral_hub.store.tokens import TOKEN, TOKEN_WIDTH, KnownToken, Tokens, token_columns, token_joins

NOBODY = ReadAnswer(None, None, None)
_NOT_KEPT = {"token_version": -1, "organization_version": -1}
_STANDING_WIDTH = 6
_BESIDES = 1024
"""Of how many rows it is kept what lies beside them."""


def _statement(name: str, *more: sa.ColumnElement[Any]) -> Statement:
    r = schema.resource
    person = schema.person
    organization = TOKEN.c.organization
    theirs = r.c.author != organization
    unknown = sa.and_(theirs, sa.func.coalesce(person.c.epoch, sa.literal_column("0")) != whole("epoch"))

    def unless(condition: sa.ColumnElement[bool], column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        return sa.case((condition, column), else_=sa.null())

    return Statement(
        name,
        sa.select(
            *token_columns(),
            person.c.epoch,
            unless(theirs, standing_sql.accesses_beside(r, organization)),
            unless(unknown, standing_sql.grants_column(r.c.person, organization)),
            unless(unknown, standing_sql.refusals_column(r.c.person)),
            unless(unknown, standing_sql.exceptions_column(r.c.person, organization)),
            unless(theirs, states_column()),
            *resource_columns(r),
            *more,
        )
        .select_from(
            token_joins()
            .outerjoin(r, sa.and_(r.c.id == words("id"), r.c.type == words("type")))
            .outerjoin(person, person.c.row_id == r.c.person)
        )
        .where(TOKEN.c.digest == octets("digest")),
    )


READ = _statement("read")
READ_ASSIGNED = _statement("read_assigned", assigned_column(schema.resource.c.person, TOKEN.c.account))
"""The same, with whether the person is assigned to the token's account: the last column."""


def _again(name: str, *more: sa.ColumnElement[Any]) -> Statement:
    """Gives the statement that reads a row anew which is kept: its version, and what a version does not fix."""
    r, person = schema.resource, schema.person
    return Statement(
        name,
        sa.select(*token_columns(), r.c.version, *more)
        .select_from(
            token_joins()
            .outerjoin(r, r.c.row_id == whole("row"))
            .outerjoin(person, person.c.row_id == r.c.person)
        )
        .where(TOKEN.c.digest == octets("digest")),
    )


_STANDING = (
    schema.person.c.epoch,
    standing_sql.accesses_beside(schema.resource, TOKEN.c.organization),
    states_column(),
)
_ASSIGNED = assigned_column(schema.resource.c.person, TOKEN.c.account)
AGAIN = {
    (False, False): _again("read_again"),
    (False, True): _again("read_again_assigned", _ASSIGNED),
    (True, False): _again("read_again_standing", *_STANDING),
    (True, True): _again("read_again_standing_assigned", *_STANDING, _ASSIGNED),
}
"""By whether another organisation wrote it, and whether the token has an account, which the last column is about."""


class Reader:
    """Reads one resource for one token.

    Args:
        database: where it is read from.
        kept: what is kept of rows; it opens the others.
        tokens: what is kept of tokens.
        standings: what is kept of standings.
        size: of how many resources it is kept whom they are about.
    """

    def __init__(
        self, database: Database, kept: KeptRows, tokens: Tokens, standings: Standings, size: int = 16384
    ) -> None:
        self._database = database
        self._kept = kept
        self._tokens = tokens
        self._standings = standings
        self._size = size
        self._persons: dict[tuple[str, str], int] = {}
        self._besides: dict[tuple[str, str], KeptBeside] = {}

    def read(self, type_name: str, public_id: str, token_digest: bytes) -> ReadAnswer:
        """Gives token, resource and standing of one consistent state.

        The standing is None for the caller's own rows (it reads them without consent), for rows about nobody
        and for rows that are not there. Without a token row everything is None. A deleted resource is given
        as such.

        Args:
            type_name: the FHIR type.
            public_id: its public id.
            token_digest: SHA-256 of the token.

        Raises:
            Unavailable: where the body cannot be opened or the database does not answer: 503 on the wire.
        """
        known = self._tokens.kept(token_digest)
        if known is not None:
            row = self._kept.named(type_name, public_id)
            if row is not None:
                answer = self._again(row, known, token_digest)
                if answer is not None:
                    return answer
        beside = self._besides.get((type_name, public_id))
        parameters: dict[str, Any] = {
            "digest": token_digest,
            "id": public_id,
            "type": type_name,
            **(NOTHING_BESIDE if beside is None else beside.parameters),
        }
        if known is None:
            parameters.update(_NOT_KEPT)
            parameters["epoch"] = UNKNOWN
        else:
            parameters["token_version"] = known.token.version
            parameters["organization_version"] = known.token.organization_version
            parameters["epoch"] = self._standings.epoch(
                self._persons.get((type_name, public_id)), known.token.organization
            )
        plain = known is not None and not known.token.account
        answer = self._answer(
            type_name, public_id, token_digest, parameters, beside, READ if plain else READ_ASSIGNED
        )
        if answer is None:  # what was left out is not what is kept: ask for all of it
            parameters.update(_NOT_KEPT)
            parameters["epoch"] = UNKNOWN
            answer = self._answer(type_name, public_id, token_digest, parameters, beside)
        return NOBODY if answer is None else answer

    def _again(self, row: ResourceRow, known: KnownToken, token_digest: bytes) -> ReadAnswer | None:
        """Gives what is kept where it is of the versions and the epoch of now; None where all must be read."""
        token = known.token
        is_own = row.person is None or row.author == token.organization
        beside = None if is_own else self._besides.get((row.type, row.id))
        parameters: dict[str, Any] = {
            "digest": token_digest,
            "token_version": token.version,
            "organization_version": token.organization_version,
            "row": row.row_id,
        }
        if not is_own:
            parameters.update(NOTHING_BESIDE if beside is None else beside.parameters)
        found = self._database.first(AGAIN[not is_own, bool(token.account)], parameters)
        if found is None or self._tokens.known(token_digest, found[:TOKEN_WIDTH]) is not known:
            return None
        version = found[TOKEN_WIDTH]
        if version is None or self._kept.of(row.row_id, version) is not row:
            return None
        assigned = bool(token.account) and found[-1] == 1
        if row.person is None or is_own:
            return ReadAnswer(token, row, None, assigned=assigned)
        epoch, accesses, states = found[TOKEN_WIDTH + 1 : TOKEN_WIDTH + 4]
        standing = self._standings.standing(
            row.person, token.organization, known.targets, epoch or 0, accesses, None
        )
        if standing is None:
            return None
        still = beside.beside if beside is not None and beside.holds(row, states) else None
        return ReadAnswer(token, row, standing, still, assigned)

    def _answer(
        self,
        type_name: str,
        public_id: str,
        token_digest: bytes,
        parameters: dict[str, Any],
        beside: KeptBeside | None,
        statement: Statement = READ_ASSIGNED,
    ) -> ReadAnswer | None:
        found = self._database.first(statement, parameters)
        if found is None:
            return NOBODY
        known = self._tokens.known(token_digest, found[:TOKEN_WIDTH])
        if known is None:
            return None
        token = known.token
        start = TOKEN_WIDTH + _STANDING_WIDTH
        if found[start] is None:
            return ReadAnswer(token, None, None)
        row = self._kept.opened(found[start : start + RESOURCE_WIDTH])
        assigned = statement is READ_ASSIGNED and found[start + RESOURCE_WIDTH] == 1
        person = row.person
        if person is None or row.author == token.organization:
            return ReadAnswer(token, row, None, assigned=assigned)
        epoch, accesses, grants, refusals, exceptions, states = found[TOKEN_WIDTH:start]
        epoch = epoch or 0
        given = ConsentTexts(grants, refusals, exceptions) if epoch != parameters["epoch"] else None
        standing = self._standings.standing(person, token.organization, known.targets, epoch, accesses, given)
        if standing is None:
            return None
        self._remember(type_name, public_id, person)
        still = beside.beside if beside is not None and beside.holds(row, states) else None
        return ReadAnswer(token, row, standing, still, assigned)

    def keep_beside(self, row: ResourceRow, beside: Beside) -> None:
        """Keeps what was looked up beside a row, for as long as its next reads say that nothing changed."""
        if len(beside.asked) <= len(PLACES) and not any(one.own_file for one in beside.rows.values()):
            if len(self._besides) >= _BESIDES:
                self._besides.clear()
            self._besides[(row.type, row.id)] = KeptBeside(row, beside)

    def _remember(self, type_name: str, public_id: str, person: int) -> None:
        key = (type_name, public_id)
        if self._persons.get(key) != person:
            if len(self._persons) >= self._size:
                self._persons.clear()
            self._persons[key] = person
