"""Bulk exports: what was asked for, how far it is, and which rows each file lists.

What lives here: tables and their indexes. What does not: how a row is claimed (``store.exports``), column kinds
(``store.columns``). No file holds a resource: what it shows is decided when it is fetched.
"""

import sqlalchemy as sa

from referral_hub.store.columns import CLUSTERED, METADATA, blob, index, number, text

EXPORT_RUNNING, EXPORT_DONE, EXPORT_FAILED, EXPORT_CANCELLED = 0, 1, 2, 3

export_job = sa.Table(
    "export_job",
    METADATA,
    text("id", primary_key=True),
    text("organization"),
    text("oauth_client"),
    text("user_id"),
    text("role"),
    text("purpose"),
    text("scope"),
    number("very_restricted"),
    number("asked_format"),
    blob("asked"),
    text("position"),
    number("state"),
    text("reason"),
    number("files"),
    number("created_us"),
    number("ended_us"),
    number("attempts"),
    text("lease"),
    number("lease_until_us"),
)
"""``position`` is the walk's own note of how far it came; ``asked`` is sealed under the key of the hub."""
index("export_job_open", export_job.c.created_us, where=export_job.c.state == sa.literal_column("0"))
index("export_job_client", export_job.c.oauth_client)

export_entry = sa.Table(
    "export_entry",
    METADATA,
    text("job", primary_key=True),
    number("resource", primary_key=True, autoincrement=False),
    text("type"),
    number("file"),
    **CLUSTERED,
)
index("export_entry_file", export_entry.c.job, export_entry.c.file)
