"""The store's own: which Changes were applied, and wrapped keys.

What lives here: tables and their indexes. What does not: the keys in the clear, which are nowhere on disk
(``keyring``), column kinds (``store.columns``).
"""

import sqlalchemy as sa

from referral_hub.store.columns import CLUSTERED, METADATA, blob_or_none, index, number, number_or_none, text

applied_change = sa.Table(
    "applied_change", METADATA, text("change_id", primary_key=True), number("at_us"), **CLUSTERED
)
index("applied_change_at", applied_change.c.at_us)

wrapped_key = sa.Table(
    "wrapped_key",
    METADATA,
    text("name", primary_key=True),
    blob_or_none("wrapped"),
    text("master"),
    number("created_us"),
    number_or_none("destroyed_us"),
)
"""Data keys, wrapped by the master key of this fingerprint; ``wrapped`` is NULL once one was destroyed."""
