"""The control: a raw WSGI application under the same server, with answers of the same size.

What lives here: an application that does nothing but take a request and give so many bytes, with the headers the
hub sends. What does not: the hub.

``GET /1016`` gives 1,016 bytes; ``POST /594`` reads the body, whatever it is, and gives 594 bytes.
"""

import sys
from collections.abc import Callable, Iterable
from typing import Any

_MADE: dict[str, tuple[bytes, list[tuple[str, str]]]] = {}


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answers with as many bytes as the address says."""
    path = environ["PATH_INFO"]
    made = _MADE.get(path)
    if made is None:
        size = int(path[1:])
        made = _MADE[path] = (
            b"x" * size,
            [
                ("Content-Type", "application/fhir+json; charset=utf-8"),
                ("Content-Length", str(size)),
                ("Cache-Control", "no-store"),
                ("ETag", 'W/"0123456789abcdef"'),
                ("Last-Modified", "Tue, 24 Nov 2026 08:00:00 GMT"),
            ],
        )
    length = environ.get("CONTENT_LENGTH")
    if length:
        environ["wsgi.input"].read(int(length))
    start_response("200 OK", made[1])
    return [made[0]]


def main() -> None:
    """Serves on the port and with the workers of the command line, set as ``referral_hub.serving`` sets them."""
    from granian import Granian
    from granian.constants import HTTPModes, Interfaces
    from granian.log import LogLevels

    Granian(
        "tests.load.control:application",
        address="127.0.0.1",
        port=int(sys.argv[1]),
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        websockets=False,
        workers=int(sys.argv[2]),
        blocking_threads=1,  # it never waits: more threads would only make it slower
        backlog=1024,
        backpressure=1024,
        log_access=False,
        log_level=LogLevels.error,
    ).serve()


if __name__ == "__main__":
    main()
