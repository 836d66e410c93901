"""The store's own: which Changes were applied, wrapped keys, and what organisations seal with keys they hold.

What lives here: tables and their indexes. What does not: the keys in the clear, which are nowhere on disk
(``keyring``), column kinds (``store.columns``).
"""

import sqlalchemy as sa

from referral_hub.store.columns import (
    CLUSTERED,
    METADATA,
    blob,
    blob_or_none,
    index,
    number,
    number_or_none,
    text,
)

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

own_key = sa.Table(
    "own_key",
    METADATA,
    text("organization", primary_key=True),
    text("id", primary_key=True),
    blob("public"),
    number("made_us"),
    number_or_none("ended_us"),
)
"""Public keys that organisations hold the secrets of; of each one at most is in force (``ended_us`` is NULL)."""

own_body = sa.Table(
    "own_body",
    METADATA,
    number("row_id", primary_key=True, autoincrement=False),
    text("version", primary_key=True),
    blob("body"),
)
"""A version as it is sealed to its author's own key, while a network copy stands in its place."""
