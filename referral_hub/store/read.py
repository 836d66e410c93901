"""The read: token, resource and standing in one statement, so in one consistent state.

What lives here: the statement and the putting together of its answer. What does not: whether the caller may
have it (``exchange.gate``), several looks at one state (``store.snapshot``), searches
(``store.search_sql``).

The statement leaves out what this process knows already and what cannot have changed since: the facts of a
token of the same version, and the consent rows of the same epoch. The versions, the epoch and the
referral_access rows are read every time, and so are the versions of what the row pointed at when it was looked up.

Source: ``engine.md`` 2 (a read is one statement; there is no time-based cache of tokens or consents).
"""

from typing import Any

import sqlalchemy as sa

from referral_hub.exchange.ports import Beside, ReadAnswer, ResourceRow
from referral_hub.store import schema, standing_sql
from referral_hub.store.beside import NOTHING_BESIDE, PLACES, KeptBeside, states_column
from referral_hub.store.bodies import Bodies
from referral_hub.store.database import Database
from referral_hub.store.row_making import resource_columns, resource_row
from referral_hub.store.standings import UNKNOWN, ConsentTexts, Standings
from referral_hub.store.statements import Statement, octets, whole, words
from referral_hub.store.tokens import TOKEN, TOKEN_WIDTH, Tokens, token_columns, token_joins

NOBODY = ReadAnswer(None, None, None)
_NOT_KEPT = {"token_version": -1, "organization_version": -1}
_STANDING_WIDTH = 6
_BESIDES = 1024
"""Of how many rows it is kept what lies beside them."""


def _statement() -> Statement:
    r = schema.resource
    person = schema.person
    organization = TOKEN.c.organization
    theirs = r.c.author != organization
    unknown = sa.and_(theirs, sa.func.coalesce(person.c.epoch, sa.literal_column("0")) != whole("epoch"))

    def unless(condition: sa.ColumnElement[bool], column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        return sa.case((condition, column), else_=sa.null())

    return Statement(
        "read",
        sa.select(
            *token_columns(),
            person.c.epoch,
            unless(theirs, standing_sql.accesses_beside(r, organization)),
            unless(unknown, standing_sql.grants_column(r.c.person, organization)),
            unless(unknown, standing_sql.refusals_column(r.c.person)),
            unless(unknown, standing_sql.exceptions_column(r.c.person, organization)),
            unless(theirs, states_column()),
            *resource_columns(r),
        )
        .select_from(
            token_joins()
            .outerjoin(r, sa.and_(r.c.id == words("id"), r.c.type == words("type")))
            .outerjoin(person, person.c.row_id == r.c.person)
        )
        .where(TOKEN.c.digest == octets("digest")),
    )


READ = _statement()


class Reader:
    """Reads one resource for one token.

    Args:
        database: where it is read from.
        bodies: opens what lies sealed.
        tokens: what is kept of tokens.
        standings: what is kept of standings.
        size: of how many resources it is kept whom they are about.
    """

    def __init__(
        self, database: Database, bodies: Bodies, tokens: Tokens, standings: Standings, size: int = 16384
    ) -> None:
        self._database = database
        self._bodies = bodies
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
        beside = self._besides.get((type_name, public_id))
        parameters: dict[str, Any] = {
            "digest": token_digest,
            "id": public_id,
            "type": type_name,
            **(NOTHING_BESIDE if beside is None else beside.parameters),
        }
        kept = self._tokens.kept(token_digest)
        if kept is None:
            parameters.update(_NOT_KEPT)
            parameters["epoch"] = UNKNOWN
        else:
            parameters["token_version"] = kept.token.version
            parameters["organization_version"] = kept.token.organization_version
            parameters["epoch"] = self._standings.epoch(
                self._persons.get((type_name, public_id)), kept.token.organization
            )
        answer = self._answer(type_name, public_id, token_digest, parameters, beside)
        if answer is None:  # what was left out is not what is kept: ask for all of it
            parameters.update(_NOT_KEPT)
            parameters["epoch"] = UNKNOWN
            answer = self._answer(type_name, public_id, token_digest, parameters, beside)
        return NOBODY if answer is None else answer

    def _answer(
        self,
        type_name: str,
        public_id: str,
        token_digest: bytes,
        parameters: dict[str, Any],
        beside: KeptBeside | None,
    ) -> ReadAnswer | None:
        found = self._database.first(READ, parameters)
        if found is None:
            return NOBODY
        known = self._tokens.known(token_digest, found[:TOKEN_WIDTH])
        if known is None:
            return None
        token = known.token
        start = TOKEN_WIDTH + _STANDING_WIDTH
        if found[start] is None:
            return ReadAnswer(token, None, None)
        row = resource_row(found[start:], self._bodies)
        person = row.person
        if person is None or row.author == token.organization:
            return ReadAnswer(token, row, None)
        epoch, accesses, grants, refusals, exceptions, states = found[TOKEN_WIDTH:start]
        epoch = epoch or 0
        given = ConsentTexts(grants, refusals, exceptions) if epoch != parameters["epoch"] else None
        standing = self._standings.standing(person, token.organization, known.targets, epoch, accesses, given)
        if standing is None:
            return None
        self._remember(type_name, public_id, person)
        still = beside.beside if beside is not None and beside.holds(row, states) else None
        return ReadAnswer(token, row, standing, still)

    def keep_beside(self, row: ResourceRow, beside: Beside) -> None:
        """Keeps what was looked up beside a row, for as long as its next reads say that nothing changed."""
        if len(beside.asked) <= len(PLACES):
            if len(self._besides) >= _BESIDES:
                self._besides.clear()
            self._besides[(row.type, row.id)] = KeptBeside(row, beside)

    def _remember(self, type_name: str, public_id: str, person: int) -> None:
        key = (type_name, public_id)
        if self._persons.get(key) != person:
            if len(self._persons) >= self._size:
                self._persons.clear()
            self._persons[key] = person
