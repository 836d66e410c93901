"""Resources as they are now, every version they had, and the index rows that searches find them by.

What lives here: tables and their indexes. What does not: who may see them (``tables.consents``), column kinds
(``store.columns``).
"""

from typing import Any

import sqlalchemy as sa

from referral_hub.store.columns import (
    CLUSTERED,
    METADATA,
    blob,
    index,
    number,
    number_or_none,
    row_key,
    text,
    text_or_none,
)


def _decided_columns() -> "tuple[sa.Column[Any], ...]":
    """The columns a resource and each of its versions share."""
    return (
        text("type"),
        text("id"),
        text("version"),
        number("number"),
        number("updated_us"),
        text("author"),
        text("written_by"),
        text("method"),
        text("custodian"),
        number_or_none("person"),
        text("category"),
        text("confidentiality"),
        text("sensitivities"),
        text("status"),
        text_or_none("owner"),
        text_or_none("requester"),
        number_or_none("focus"),
        number_or_none("based_on"),
        number_or_none("data_from_us"),
        number_or_none("data_until_us"),
        number("directory"),
        number("never_release"),
        number("foreign_elements"),
        text("kind"),
        number("deleted"),
        number("body_format"),
        blob("body"),
    )


resource = sa.Table("resource", METADATA, row_key(), *_decided_columns())
index("resource_id", resource.c.id, unique=True)
index(
    "resource_inbox",
    resource.c.type,
    resource.c.owner,
    resource.c.status,
    resource.c.updated_us,
    resource.c.row_id,
    where=resource.c.owner.is_not(None),
)
index(
    "resource_owned",
    resource.c.type,
    resource.c.owner,
    resource.c.updated_us,
    resource.c.row_id,
    resource.c.status,
    where=resource.c.owner.is_not(None),
)
index(
    "resource_requested",
    resource.c.type,
    resource.c.requester,
    resource.c.updated_us,
    resource.c.row_id,
    where=resource.c.requester.is_not(None),
)
index("resource_authored", resource.c.type, resource.c.author, resource.c.updated_us, resource.c.row_id)
index(
    "resource_authored_status",
    resource.c.type,
    resource.c.author,
    resource.c.status,
    resource.c.updated_us,
    resource.c.row_id,
    resource.c.deleted,
    resource.c.focus,
    where=resource.c.status != sa.literal_column("''"),
)
"""What an organisation wrote of one status, in the order of a page: few are open, however many are closed.

A statement that is to use it says ``status != ''`` as well (``store.search_sql``). The last two columns are there so
that rows are counted, and told by what they are about, without being read.
"""
index(
    "resource_timeline",
    resource.c.person,
    resource.c.type,
    resource.c.updated_us,
    resource.c.row_id,
    where=resource.c.person.is_not(None),
)
index(
    "resource_kept",
    resource.c.custodian,
    resource.c.type,
    resource.c.updated_us,
    resource.c.row_id,
    where=resource.c.custodian != sa.literal_column("''"),
)
index("resource_focus", resource.c.focus, where=resource.c.focus.is_not(None))
index("resource_based_on", resource.c.based_on, resource.c.type, where=resource.c.based_on.is_not(None))
index(
    "resource_directory",
    resource.c.type,
    resource.c.updated_us,
    resource.c.row_id,
    where=resource.c.directory == sa.literal_column("1"),
)
index(
    "resource_desk",
    resource.c.kind,
    resource.c.author,
    resource.c.owner,
    resource.c.status,
    where=resource.c.kind != sa.literal_column("''"),
)
"""It does not say ``type = 'Task'``: SQLite compares the condition of such an index with each value that is bound for
``type``, and so prepares every statement that asks for a type anew each time it runs (0.5 ms instead of 30 us).
"""

resource_version = sa.Table("resource_version", METADATA, number("row_id"), *_decided_columns())
index("resource_version_number", resource_version.c.row_id, resource_version.c.number, unique=True)
index(
    "resource_version_authored",
    resource_version.c.type,
    resource_version.c.author,
    resource_version.c.updated_us,
    resource_version.c.row_id,
)

index_token = sa.Table(
    "index_token",
    METADATA,
    number("hash", primary_key=True, autoincrement=False),
    number("row_id", primary_key=True, autoincrement=False),
    **CLUSTERED,
)
index("index_token_row", index_token.c.row_id)

index_date = sa.Table(
    "index_date",
    METADATA,
    number("parameter", primary_key=True, autoincrement=False),
    number("low_us", primary_key=True, autoincrement=False),
    number("high_us", primary_key=True, autoincrement=False),
    number("row_id", primary_key=True, autoincrement=False),
    **CLUSTERED,
)
index("index_date_row", index_date.c.row_id, index_date.c.parameter)

index_string = sa.Table(
    "index_string",
    METADATA,
    number("parameter", primary_key=True, autoincrement=False),
    text("text", primary_key=True),
    number("row_id", primary_key=True, autoincrement=False),
    **CLUSTERED,
)
index("index_string_row", index_string.c.row_id, index_string.c.parameter)

index_number = sa.Table(
    "index_number",
    METADATA,
    number("parameter", primary_key=True, autoincrement=False),
    text("low", primary_key=True),
    text("high", primary_key=True),
    number("row_id", primary_key=True, autoincrement=False),
    **CLUSTERED,
)
"""Numbers as texts that sort as they do; the parameter's digest holds the unit."""
index("index_number_row", index_number.c.row_id, index_number.c.parameter)

index_link = sa.Table(
    "index_link",
    METADATA,
    number("parameter", primary_key=True, autoincrement=False),
    text("target", primary_key=True),
    number("row_id", primary_key=True, autoincrement=False),
    **CLUSTERED,
)
"""References that chains and ``_has`` follow, to public ids; the parameter's digest holds the target's type."""
index("index_link_row", index_link.c.row_id, index_link.c.parameter)

conditional_key = sa.Table(
    "conditional_key", METADATA, number("digest", primary_key=True, autoincrement=False)
)
"""Only a mutex of conditional creates on PostgreSQL: the row decides nothing."""
