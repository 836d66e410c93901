"""Entity tags: which version the caller's copy was made from.

Source: FHIR R4 http.html#concurrency; ``views.md`` 5 (If-Match compares the version part).
"""

from typing import Any


def etag_version(header: Any) -> str:
    """Gives the version part of an ETag as If-Match carries it; empty where there is none.

    >>> etag_version('W/"a1-9f"'), etag_version('"a1"'), etag_version(None)
    ('a1', 'a1', '')
    """
    if not isinstance(header, str):
        return ""
    text = header.strip().removeprefix("W/").strip('"')
    return text.partition("-")[0]
