"""The statements a Change is made of: guards first, then rows.

What lives here: SQL of guards, resources, index rows, consents, referral_access, outbox, timers, audit and
ledger. What does not: the order in which a Change uses them (``store.apply``), statements of other rooms'
rows (``store.oauth_rows``, ``store.organizations``).

Guards lock on PostgreSQL: what the Change only stood on is locked shared, what it writes is locked whole.
SQLite needs no locks, since one holder writes.

Source: ``engine.md`` 1 and 5.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as upsert

from referral_hub.store import schema
from referral_hub.store.columns import INTEGER
from referral_hub.store.statements import WRITES, constant, each_row, many_rows, octets, whole, words

ONE = constant(1)


def insert_ignoring(table: sa.Table, *key: str) -> Any:
    """Gives an insert that does nothing where a row of this key is there."""
    return upsert(table).on_conflict_do_nothing(index_elements=list(key))


def insert_or_replace(table: sa.Table, *key: str, keep: tuple[str, ...] = ()) -> Any:
    """Gives an insert that overwrites every other column where a row of this key is there."""
    made = upsert(table)
    changed = {c.name: made.excluded[c.name] for c in table.c if c.name not in (*key, *keep)}
    return made.on_conflict_do_update(index_elements=list(key), set_=changed)


# --- the Change itself -----------------------------------------------------------------------------------

MARK = WRITES.add("change_mark", insert_ignoring(schema.applied_change, "change_id"))
WRITES.add(
    "change_prune",
    sa.delete(schema.applied_change).where(schema.applied_change.c.at_us < whole("before_us")),
)

# --- guards ----------------------------------------------------------------------------------------------

_version = sa.select(ONE).where(
    schema.resource.c.row_id == whole("row_id"),
    schema.resource.c.version == words("version"),
    schema.resource.c.deleted == constant(0),
)
WRITES.add("guard_version", _version.with_for_update(read=True))
WRITES.add("guard_version_written", _version.with_for_update())

_epoch = sa.select(ONE).where(
    schema.person.c.row_id == whole("person"), schema.person.c.epoch == whole("epoch")
)
WRITES.add("guard_epoch", _epoch.with_for_update(read=True))
WRITES.add("guard_epoch_written", _epoch.with_for_update())

WRITES.add(
    "guard_token",
    sa.select(ONE)
    .select_from(
        schema.oauth_token.join(
            schema.oauth_client, schema.oauth_client.c.client_id == schema.oauth_token.c.oauth_client
        )
    )
    .where(
        schema.oauth_token.c.digest == octets("digest"),
        schema.oauth_token.c.revoked == constant(0),
        schema.oauth_token.c.expires_us > whole("at_us"),
        schema.oauth_client.c.active == ONE,
    )
    .with_for_update(read=True),
)

WRITES.add(
    "guard_organization",
    sa.select(ONE)
    .where(
        schema.organization.c.id == words("organization"), schema.organization.c.version == whole("version")
    )
    .with_for_update(read=True),
)

_mutex = upsert(schema.conditional_key)
WRITES.add(
    "guard_absent_lock",
    {
        # One writer needs no mutex; the statement is there so that a plan is the same on both.
        "sqlite": sa.select(ONE).where(whole("digest").is_not(None)),
        "postgresql": _mutex.on_conflict_do_update(
            index_elements=["digest"], set_={"digest": _mutex.excluded.digest}
        ),
    },
)
WRITES.add(
    "guard_absent",
    sa.select(ONE)
    .select_from(
        schema.index_token.join(schema.resource, schema.resource.c.row_id == schema.index_token.c.row_id)
    )
    .where(
        schema.index_token.c.hash == whole("hash"),
        schema.resource.c.author == words("organization"),
        schema.resource.c.type == words("type"),
        schema.resource.c.deleted == constant(0),
    )
    .limit(ONE),
)

# --- persons and their keys ------------------------------------------------------------------------------

WRITES.add("person_insert", insert_ignoring(schema.person, "row_id"))
WRITES.add("wrapped_key_insert", sa.insert(schema.wrapped_key))
_raised = upsert(schema.person)
WRITES.add(
    "person_raise_epoch",
    _raised.on_conflict_do_update(
        index_elements=["row_id"], set_={"epoch": schema.person.c.epoch + constant(1)}
    ),
)

# --- resources -------------------------------------------------------------------------------------------

WRITES.add("resource_insert", many_rows(schema.resource))
_FIXED = ("row_id", "type", "id", "author")
WRITES.add(
    "resource_update",
    sa.update(schema.resource)
    .where(
        schema.resource.c.row_id == whole("row_id"),
        schema.resource.c.type == words("type"),
        schema.resource.c.id == words("id"),
        schema.resource.c.author == words("author"),
        schema.resource.c.number == whole("before"),
        schema.resource.c.deleted == constant(0),
    )
    .values({c.name: sa.bindparam(c.name, type_=c.type) for c in schema.resource.c if c.name not in _FIXED}),
)
_copied = [c.name for c in schema.resource_version.c]


def _copy(which: Any) -> Any:
    found = sa.select(*(schema.resource.c[name] for name in _copied)).where(which)
    return sa.insert(schema.resource_version).from_select(_copied, found)


WRITES.add("resource_version_copy", each_row(_copy, schema.resource.c.row_id))
for _table in (
    schema.index_token,
    schema.index_date,
    schema.index_string,
    schema.index_number,
    schema.index_link,
):
    WRITES.add(f"{_table.name}_insert", many_rows(_table))
    WRITES.add(f"{_table.name}_clear", each_row(sa.delete(_table).where, _table.c.row_id))

# --- what referrals open and consents compile to ---------------------------------------------------------

WRITES.add("referral_access_put", insert_or_replace(schema.referral_access, "task", "organization", "back"))
for _table in (schema.consent_grant, schema.refusal, schema.refusal_exception):
    WRITES.add(f"{_table.name}_insert", many_rows(_table))
    WRITES.add(f"{_table.name}_clear", sa.delete(_table).where(_table.c.consent == whole("consent")))

# --- what leaves later -----------------------------------------------------------------------------------

_waiting = {
    "state": constant(schema.OUTBOX_WAITING),
    "attempts": constant(0),
    "lease": constant(""),
    "lease_until_us": constant(0),
    "reason": constant(""),
    "queued_us": whole("not_before_us"),
}
_queued = ("key", "destination", "kind", "resource", "person", "not_before_us", "detail_format", "detail")
WRITES.add(
    "outbox_insert",
    upsert(schema.outbox)
    .values({**{name: sa.bindparam(name, type_=schema.outbox.c[name].type) for name in _queued}, **_waiting})
    .on_conflict_do_nothing(index_elements=["key"]),
)
WRITES.add(
    "outbox_drop",
    sa.update(schema.outbox)
    .where(
        schema.outbox.c.person == whole("person"),
        schema.outbox.c.destination == words("destination"),
        sa.or_(
            schema.outbox.c.state == constant(schema.OUTBOX_WAITING),
            schema.outbox.c.state == constant(schema.OUTBOX_DEAD),
        ),
        schema.outbox.c.kind != constant("recall"),
        schema.outbox.c.kind != constant("task-update"),
    )
    .values(state=constant(schema.OUTBOX_CANCELLED), detail_format=constant(0), detail=octets("nothing")),
)

_timer = upsert(schema.due).values(
    {
        **{n: sa.bindparam(n, type_=schema.due.c[n].type) for n in ("key", "kind", "resource", "at_us")},
        "detail_format": whole("detail_format"),
        "detail": octets("detail"),
        "attempts": constant(0),
        "lease": constant(""),
        "lease_until_us": constant(0),
    }
)
WRITES.add(
    "due_put",
    _timer.on_conflict_do_update(
        index_elements=["key"],
        set_={c.name: _timer.excluded[c.name] for c in schema.due.c if c.name != "key"},
    ),
)

# --- audit -----------------------------------------------------------------------------------------------

WRITES.add("audit_insert", many_rows(schema.audit, "id"))
_subjects = {
    "sqlite": sa.select(
        sa.func.json_each(words("persons")).table_valued("value", name="given").c.value,
        sa.func.last_insert_rowid(),
    ),
    "postgresql": sa.select(
        sa.cast(
            sa.func.json_array_elements_text(sa.cast(words("persons"), sa.JSON())).column_valued("given"),
            INTEGER,
        ),
        sa.func.lastval(),
    ),
}
WRITES.add(
    "audit_subject_insert",
    {
        dialect: sa.insert(schema.audit_subject).from_select(["person", "audit"], chosen)
        for dialect, chosen in _subjects.items()
    },
)
"""Names the persons of the audit row that was inserted last; ``persons`` is a JSON list."""
_ledger = upsert(schema.ledger).values({c.name: sa.bindparam(c.name, type_=c.type) for c in schema.ledger.c})
WRITES.add(
    "ledger_fold",
    _ledger.on_conflict_do_update(
        index_elements=["person", "recipient", "user_id", "purpose", "consent", "hour_us"],
        set_={
            "count": schema.ledger.c.count + _ledger.excluded.count,
            "first_us": sa.case(
                (_ledger.excluded.first_us < schema.ledger.c.first_us, _ledger.excluded.first_us),
                else_=schema.ledger.c.first_us,
            ),
            "last_us": sa.case(
                (_ledger.excluded.last_us > schema.ledger.c.last_us, _ledger.excluded.last_us),
                else_=schema.ledger.c.last_us,
            ),
        },
    ),
)
