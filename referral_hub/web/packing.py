"""Compression of answers: only where nobody could learn from the size of what was compressed.

What lives here: which answers are packed, and the packing. What does not: whose words an answer holds, which the
gate says (``exchange.gate``).

Whoever can put text into an answer beside a secret, and see how long the packed answer is on the wire, can guess the
secret letter by letter (BREACH). Here one organisation's note may stand beside another's record. So only an answer in
one voice is packed: all of it written by the caller's own organisation, or all of it public. A page of both, a
recipient's view, and every error are sent as they are.

Source: RFC 9110 section 8.4.1; ``consent.md`` S-33; ADR of this decision in ``docs/adr``.
"""

import gzip
from functools import lru_cache

from referral_hub.web.wire import Asked, Reply

SMALLEST = 4_096
"""Bytes below which packing costs more than it saves."""

_LEVEL = 4


def packed(asked: Asked, reply: Reply) -> Reply:
    """Gives an answer in one voice packed with gzip, where the caller takes that; it is large enough to pay.

    Args:
        asked: the request.
        reply: the answer, of one voice.
    """
    if len(reply.body) < SMALLEST:
        return reply
    reply.headers.append(("Vary", "Accept-Encoding"))
    if not takes_gzip(asked.header("HTTP_ACCEPT_ENCODING")):
        return reply
    # mtime: the same answer is the same bytes, whenever it is asked for.
    body = gzip.compress(reply.body, _LEVEL, mtime=0)
    return Reply(reply.http_status, body, [*reply.headers, ("Content-Encoding", "gzip")])


@lru_cache(maxsize=64)
def takes_gzip(accept_encoding: str) -> bool:
    """Tells whether an ``Accept-Encoding`` header takes gzip.

    >>> takes_gzip("gzip, deflate"), takes_gzip("gzip;q=0"), takes_gzip(""), takes_gzip("*")
    (True, False, False, True)
    """
    liked: dict[str, bool] = {}
    for part in accept_encoding[:1_000].split(","):
        name, _, parameters = part.strip().lower().partition(";")
        weight = parameters.strip().removeprefix("q=").strip()
        liked[name.strip()] = not weight or weight.strip("0.") != ""
    return liked.get("gzip", liked.get("*", False))
