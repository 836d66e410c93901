"""Rows of organisations: their place in the tree, their kind, and the FHIR bases they may point at.

What lives here: the statements and rows that add, change and move an organisation. What does not: its FHIR
resource (a ``ResourceWrite``), reading it (``store.view_queries``).

Every change raises the organisation's version, and so does a move of anything above it: who holds a
Principal or a guard on the old version decides again.

Source: ``views.md`` 9 (a refusal reaches every unit below), ``consent.md`` D-10.
"""

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as upsert

from referral_hub.errors import Conflict
from referral_hub.exchange.change import Row
from referral_hub.exchange.ports import OrganizationRow
from referral_hub.store import schema
from referral_hub.store.database import Connection, Database
from referral_hub.store.statements import WRITES, Statement, constant, whole, words
from referral_hub.store.write_statements import insert_ignoring

_ORG, _BASE = schema.organization, schema.organization_base

_put = upsert(_ORG).values(
    {**{c.name: sa.bindparam(c.name, type_=c.type) for c in _ORG.c}, "version": constant(1)}
)
WRITES.add(
    "organization_put",
    _put.on_conflict_do_update(
        index_elements=["id"],
        set_={
            **{c.name: _put.excluded[c.name] for c in _ORG.c if c.name not in ("id", "version")},
            "version": _ORG.c.version + constant(1),
        },
    ),
)
WRITES.add(
    "organization_moved",
    sa.update(_ORG)
    .where(_ORG.c.id == words("organization"))
    .values(ancestors=words("ancestors"), version=_ORG.c.version + constant(1)),
)
WRITES.add(
    "organization_set_active",
    sa.update(_ORG)
    .where(_ORG.c.id == words("organization"))
    .values(active=whole("active"), version=_ORG.c.version + constant(1)),
)
WRITES.add("organization_base_add", insert_ignoring(_BASE, "organization", "base_url"))
WRITES.add("organization_base_clear", sa.delete(_BASE).where(_BASE.c.organization == words("organization")))

_above = _ORG.alias("above")
_ANCESTORS = Statement(
    "organization_ancestors", sa.select(_ORG.c.ancestors).where(_ORG.c.id == words("organization"))
)
_tree = (
    sa.select(_ORG.c.id, _ORG.c.part_of)
    .where(_ORG.c.part_of == words("organization"))
    .cte("tree", recursive=True)
)
_tree = _tree.union(sa.select(_ORG.c.id, _ORG.c.part_of).where(_ORG.c.part_of == _tree.c.id))
_BELOW = Statement("organization_below", sa.select(_tree.c.id, _tree.c.part_of))


_NAMED = Statement(
    "organization_named",
    sa.select(_ORG.c.id)
    .where(_ORG.c.part_of == words("part_of"), _ORG.c.name == words("name"))
    .limit(constant(1)),
)


def is_named(source: Database | Connection, part_of: str, name: str) -> bool:
    """Tells whether a body has a unit of this name; an empty id asks for bodies of their own."""
    return source.first(_NAMED, {"part_of": part_of, "name": name}) is not None


def organization_rows(
    source: Database | Connection, row: OrganizationRow, bases: Iterable[str] | None = None
) -> tuple[Row, ...]:
    """Gives the rows of a Change that adds an organisation or replaces what the hub knows of it.

    Its ancestors are read from its parent, whatever ``row.facts.ancestors`` says; everything below it gets
    its new ancestors too.

    Args:
        source: the state the Change is decided on.
        row: the organisation as it is to be; its version is counted by the database.
        bases: the FHIR base URLs registered for it; None leaves them as they are.

    Raises:
        Conflict: where it would become part of itself (409 on the wire).
    """
    facts = row.facts
    ancestors = _ancestors_of(source, row.part_of)
    if facts.id in ancestors:
        raise Conflict("An organisation cannot be part of itself or of one of its own units.")
    rows = [
        Row(
            "organization_put",
            {
                "id": facts.id,
                "part_of": row.part_of,
                "ancestors": " ".join(ancestors),
                "kind": facts.kind,
                "governmental": int(facts.governmental),
                "country": facts.country,
                "active": int(facts.active),
                "neutral_name": row.neutral_name,
                "name": row.name,
                "fhir_endpoint": row.fhir_endpoint,
                "poll_seconds": row.poll_seconds,
                "is_hub": int(row.is_hub),
                "row_id": row.row_id,
            },
            at_least_one=True,
        )
    ]
    rows += _moved(source, facts.id, ancestors)
    if bases is not None:
        rows.append(Row("organization_base_clear", {"organization": facts.id}))
        rows += [
            Row("organization_base_add", {"organization": facts.id, "base_url": base})
            for base in dict.fromkeys(bases)
        ]
    return tuple(rows)


def below(source: Database | Connection, organization: str) -> list[str]:
    """Gives the ids of every unit below an organisation."""
    return [found for found, _ in source.run(_BELOW, {"organization": organization})]


def _ancestors_of(source: Database | Connection, part_of: str) -> tuple[str, ...]:
    if not part_of:
        return ()
    found = source.first(_ANCESTORS, {"organization": part_of})
    return (part_of, *(found[0].split() if found else ()))


def _moved(source: Database | Connection, moved: str, ancestors: tuple[str, ...]) -> list[Row]:
    parents: dict[str, str] = dict(source.run(_BELOW, {"organization": moved}))
    rows = []
    for below in sorted(parents):
        path: list[str] = []
        parent = parents[below]
        while parent != moved and parent not in path:
            path.append(parent)
            parent = parents[parent]
        line = " ".join((*path, moved, *ancestors))
        rows.append(Row("organization_moved", {"organization": below, "ancestors": line}))
    return rows
