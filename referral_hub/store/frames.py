"""How a worker and the writer process speak: a header, then a plan, a change id or a sentence.

What lives here: the header and its kinds. What does not: the two ends (``store.sqlite_client``,
``store.sqlite_writer``), the encoding of a plan (``store.plan``).
"""

import struct

HEADER = struct.Struct(">IB")
"""The length of what follows, and what it is."""
LARGEST = 128 * 1024 * 1024
"""Bytes of the largest frame: a 32 MiB message, sealed and encoded, with room to spare."""

ASK, APPLY = b"?"[0], b"!"[0]
"""Requests: was this change id applied; apply this plan."""
APPLIED, STALE, WRONG, FAILED, UNKNOWN = b"a"[0], b"g"[0], b"w"[0], b"f"[0], b"u"[0]
"""Answers: it is applied; a guard failed; a row was refused; the disk failed; never heard of it."""


def frame(kind: int, body: bytes) -> bytes:
    """Gives one message as it goes over the socket."""
    return HEADER.pack(len(body), kind) + body
