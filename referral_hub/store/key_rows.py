"""The rows of wrapped keys: what the keyring opens, and what destroys a person's data for good.

What lives here: finding, adding, wrapping anew and destroying. What does not: keys in the clear
(``keyring``).

Source: ``engine.md`` 4 (wrapped keys have a retention of their own, apart from the ordinary backup).
"""

from collections.abc import Iterator, Mapping, Sequence

import sqlalchemy as sa

from referral_hub.exchange.change import Row
from referral_hub.store import schema
from referral_hub.store.apply import PlanWriter
from referral_hub.store.database import Database
from referral_hub.store.own_file import LOCKED_COVERED, LOCKED_OF_CATEGORIES, UNDER_EARLIER
from referral_hub.store.plan import Rule, own_plan
from referral_hub.store.sealing import person_key_name
from referral_hub.store.statements import WRITES, Parameters, Statement, octets, one_of, whole, words
from referral_hub.store.write_statements import insert_ignoring, insert_or_replace

_KEY = schema.wrapped_key

FIND = Statement(
    "wrapped_key_find",
    sa.select(_KEY.c.name, _KEY.c.wrapped, _KEY.c.master).where(one_of(_KEY.c.name, "names")),
)
BELOW = Statement(
    "wrapped_key_below",
    sa.select(_KEY.c.name, _KEY.c.wrapped, _KEY.c.master)
    .where(_KEY.c.master != words("master"), _KEY.c.wrapped.is_not(None), _KEY.c.name > words("after"))
    .order_by(_KEY.c.name)
    .limit(whole("count")),
)
GENERATIONS = Statement(
    "wrapped_key_generations",
    sa.select(_KEY.c.name, _KEY.c.wrapped, _KEY.c.master, _KEY.c.created_us)
    .where(
        sa.or_(
            _KEY.c.name == words("family"),
            sa.and_(_KEY.c.name > words("after"), _KEY.c.name < words("before")),
        ),
        _KEY.c.wrapped.is_not(None),
    )
    .order_by(_KEY.c.created_us.desc(), _KEY.c.name.desc()),
)
MASTERS = Statement(
    "wrapped_key_masters", sa.select(_KEY.c.master).where(_KEY.c.wrapped.is_not(None)).distinct()
)
WRITES.add("wrapped_key_add", insert_ignoring(_KEY, "name"))
WRITES.add(
    "wrapped_key_rewrap",
    sa.update(_KEY)
    .where(_KEY.c.name == words("name"), _KEY.c.master == words("before"), _KEY.c.wrapped.is_not(None))
    .values(wrapped=octets("wrapped"), master=words("master")),
)
WRITES.add(
    "wrapped_key_destroy",
    sa.update(_KEY)
    .where(_KEY.c.name == words("name"), _KEY.c.wrapped.is_not(None))
    .values(wrapped=sa.null(), destroyed_us=whole("at_us")),
)
WRITES.add(
    "person_key_gone",
    sa.update(schema.person).where(schema.person.c.row_id == whole("person")).values(key=sa.null()),
)


_OWN = schema.own_key
OWN_KEYS = Statement(
    "own_keys", sa.select(_OWN.c.organization, _OWN.c.public).where(_OWN.c.ended_us.is_(None))
)
WRITES.add("own_key_put", insert_or_replace(_OWN, "organization", "id"))
WRITES.add(
    "own_key_end",
    sa.update(_OWN)
    .where(_OWN.c.organization == words("organization"), _OWN.c.ended_us.is_(None))
    .values(ended_us=whole("at_us")),
)


class KeyRows:
    """Wrapped keys as they are stored, and the public keys of organisations that hold their own.

    Args:
        database: where they are found.
        writer: who adds and replaces them; None where keys are only opened.
    """

    def __init__(self, database: Database, writer: PlanWriter | None = None) -> None:
        self._database = database
        self._writer = writer

    def find(self, names: Sequence[str]) -> Mapping[str, tuple[bytes, str] | None]:
        """Gives (wrapped key, fingerprint of its master) by name; None where one was destroyed."""
        rows = self._database.run(FIND, {"names": list(names)})
        return {name: None if wrapped is None else (bytes(wrapped), master) for name, wrapped, master in rows}

    def generations(self, family: str) -> Sequence[tuple[str, bytes, str, int]]:
        """Gives the keys of a family, newest first: name, wrapped key, its master's fingerprint, when made (us)."""
        span = {"family": family, "after": f"{family}:", "before": f"{family};"}
        rows = self._database.run(GENERATIONS, span)
        return [(name, bytes(wrapped), master, made_us) for name, wrapped, master, made_us in rows]

    def own_keys(self) -> Sequence[tuple[str, bytes]]:
        """Gives (organisation id, public key) of every organisation that holds its key."""
        return [(organization, bytes(public)) for organization, public in self._database.run(OWN_KEYS)]

    def own_locked(
        self, person: int, categories: Sequence[str], names: Sequence[str], at_us: int
    ) -> Sequence[tuple[int, str, str, bytes]]:
        """Gives (row id, public id, version, body) of a person's rows that lie sealed and a release may cover.

        Args:
            person: her row id.
            categories: information categories of a release that is being written.
            names: ``Type/id`` it names.
            at_us: now, microseconds UTC.
        """
        found = list(self._database.run(LOCKED_COVERED, {"person": person, "at_us": at_us}))
        if categories or names:
            asked: Parameters = {"person": person, "categories": list(categories), "names": list(names)}
            found += self._database.run(LOCKED_OF_CATEGORIES, asked)
        return [(row_id, public_id, version, bytes(body)) for row_id, public_id, version, body in found]

    def own_earlier(
        self, person: int, organization: str, key: bytes
    ) -> Sequence[tuple[int, str, str, bytes, bool]]:
        """Gives (row id, public id, version, body, in place) of what lies under other keys of an organisation."""
        asked: Parameters = {"person": person, "organization": organization, "key": key}
        found = self._database.run(UNDER_EARLIER, asked)
        return [
            (row_id, name, version, bytes(body), bool(here)) for row_id, name, version, body, here in found
        ]

    def masters(self) -> frozenset[str]:
        """Gives the fingerprints of the master keys under which something lies."""
        return frozenset(master for (master,) in self._database.run(MASTERS))

    def destroy(self, name: str, at_us: int) -> None:
        """Destroys a key: what it sealed cannot be opened any more."""
        self._apply(at_us, "wrapped_key_destroy", {"name": name, "at_us": at_us})

    def add(self, name: str, wrapped: bytes, master: str, at_us: int) -> None:
        """Keeps a wrapped key unless there is one of this name already."""
        self._apply(
            at_us,
            "wrapped_key_add",
            {"name": name, "wrapped": wrapped, "master": master, "created_us": at_us, "destroyed_us": None},
        )

    def below_other_masters(self, master: str, *, count: int = 500) -> Iterator[tuple[str, bytes, str]]:
        """Gives every key that another master key wraps: (name, wrapped, its master's fingerprint)."""
        after = ""
        while rows := self._database.run(BELOW, {"master": master, "after": after, "count": count}):
            for name, wrapped, before in rows:
                yield name, bytes(wrapped), before
            after = rows[-1][0]

    def replace(self, name: str, wrapped: bytes, master: str, before: str, at_us: int) -> None:
        """Puts a key wrapped under the master key in force in the place of the same key wrapped before."""
        self._apply(
            at_us,
            "wrapped_key_rewrap",
            {"name": name, "wrapped": wrapped, "master": master, "before": before},
        )

    def _apply(self, at_us: int, name: str, parameters: Mapping[str, int | str | bytes | None]) -> None:
        if self._writer is None:
            raise RuntimeError("these keys are opened for reading only")
        self._writer.apply(own_plan(at_us, (name, Rule.ANY, parameters)))


def destroy_rows(person: int, at_us: int) -> tuple[Row, Row]:
    """Gives the rows of a Change that destroys a person's key: what it sealed can never be opened again.

    The keyring of every process forgets it with ``Keyring.forget`` or when it ends.
    """
    return (
        Row("wrapped_key_destroy", {"name": person_key_name(person), "at_us": at_us}, at_least_one=True),
        Row("person_key_gone", {"person": person}),
    )


def own_key_rows(organization: str, name: str, public: bytes, at_us: int) -> tuple[Row, Row]:
    """Gives the rows of a Change that puts a public key of an organisation in force; the one before ends."""
    return (
        Row("own_key_end", {"organization": organization, "at_us": at_us}),
        Row(
            "own_key_put",
            {"organization": organization, "id": name, "public": public, "made_us": at_us, "ended_us": None},
        ),
    )
