"""HTTP to addresses that partners gave us, without being led to an address inside.

What lives here: the one HTTP client through which the hub calls partners (their keys, and later deliveries).
What does not: which addresses count as inside (``adapters.reach``), which are registered (``store``), and
what may be sent (``exchange.gate``).

A registered name can point anywhere, and tomorrow somewhere else. So the check is made on the very address
that is connected to: the name is looked up once, every answer has to be a public address, and the connection
goes to one of the addresses checked, while TLS still verifies the name. No redirects, no proxies of the
environment, no cookies, a limit on bytes after decompression, and one deadline for the whole exchange.

Source: ``consent.md`` O-07; OWASP Server-Side Request Forgery Prevention.
"""

import contextlib
import os
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from referral_hub.adapters.reach import in_url, may_reach, origin
from referral_hub.errors import Unavailable

Resolve = Callable[[str, int], list[tuple[Any, ...]]]

_MAX_AGE = re.compile(r"(?:^|[,\s])max-age\s*=\s*\"?(\d{1,9})", re.ASCII | re.IGNORECASE)
_NOT_KEPT = re.compile(r"(?:^|[,\s])no-(?:store|cache)(?:$|[,\s=])", re.ASCII | re.IGNORECASE)
_CHUNK = 16 * 1024


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came back: an HTTP status, headers by lower-case name, and the body."""

    http_status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def max_age_s(self) -> int | None:
        """Gives for how many seconds the owner allows keeping the body; None where it does not say.

        >>> Fetched(200, {"cache-control": "public, max-age=60"}, b"").max_age_s
        60
        >>> Fetched(200, {"cache-control": "no-store"}, b"").max_age_s
        0
        """
        control = self.headers.get("cache-control", "")
        if _NOT_KEPT.search(control):
            return 0
        match = _MAX_AGE.search(control)
        return int(match.group(1)) if match else None


class GuardedHttp:
    """Calls partners' addresses, guarded as the module says. Safe for threads.

    Args:
        inner_origins: origins (``http://127.0.0.1:8081``) that a setting allows to be inside; a demonstration
            on one machine needs it, and so does a partner in the same private network. ``http`` is for
            loopback only.
        timeout_s: seconds a whole exchange may take, and a single wait within it.
        most_bytes: bytes of an answer's body that are read at most, after decompression.
        ca_file: certificates to trust instead of the usual ones; None for the usual ones.
        resolve: looks a name up; the system's own by default.
    """

    def __init__(
        self,
        *,
        inner_origins: frozenset[str] = frozenset(),
        timeout_s: float = 5.0,
        most_bytes: int = 256 * 1024,
        ca_file: str | None = None,
        resolve: Resolve = socket.getaddrinfo,
    ) -> None:
        self._inner = inner_origins
        self._timeout_s = timeout_s
        self._most_bytes = most_bytes
        self._verify: bool | str = ca_file or True
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._session.mount("https://", _GuardedAdapter(self._connect))
        self._session.mount("http://", _GuardedAdapter(self._connect))
        self._resolve = resolve
        self._now = threading.local()

    def fetch(self, url: str) -> Fetched:
        """Gives the document at a registered address: a ``JwksFetcher`` of ``auth``.

        Args:
            url: an absolute ``https`` address (``http`` for allowed loopback origins).

        Raises:
            Unavailable: the address is refused, the partner does not answer in time, answers with too much,
                with a redirect, or with anything but 200.
        """
        answer = self.request("GET", url, headers={"Accept": "application/json"})
        if answer.http_status != 200:
            raise Unavailable(f"The partner's address answered with status {answer.http_status}.")
        return answer

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Fetched:
        """Makes one call and gives its answer, of whatever status but a redirect.

        Args:
            method: such as ``GET`` or ``POST``.
            url: an absolute ``https`` address (``http`` for allowed loopback origins).
            headers: to send, by name.
            body: to send.

        Raises:
            Unavailable: as for :meth:`fetch`; the text names no address.
        """
        self._check_url(url)
        with self._deadline() as deadline:
            try:
                response = self._session.request(
                    method,
                    url,
                    headers={"Accept-Encoding": "identity", **(headers or {})},
                    data=body,
                    timeout=self._timeout_s,
                    allow_redirects=False,
                    stream=True,
                    verify=self._verify,
                )
                with response:
                    answer = self._read(response)
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError):
                raise Unavailable(
                    "The partner's address did not answer in time."
                    if deadline.passed
                    else "The partner's address cannot be reached, or is not one the hub calls."
                ) from None
            if deadline.passed:
                raise Unavailable("The partner's address did not answer in time.")
        return answer

    def _check_url(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise Unavailable("The partner's address cannot be read.") from None
        is_plain = url.isascii() and url.isprintable() and " " not in url and "\\" not in url
        if not is_plain or not parts.hostname or parts.username is not None or parts.fragment or port == 0:
            raise Unavailable("The partner's address cannot be read.")
        if parts.scheme != "https" and not (parts.scheme == "http" and origin(url) in self._inner):
            raise Unavailable("The partner's address does not start with https.")

    def _connect(self, scheme: str, host: str, port: int, timeout_s: float) -> socket.socket:
        """Gives a connection to one of the addresses of this name, each of which was checked."""
        is_inner_allowed = f"{scheme}://{in_url(host)}:{port}" in self._inner
        found = self._resolve(host, port)
        targets = [(entry[0], entry[4]) for entry in found if entry[1] in (0, socket.SOCK_STREAM)]
        if not targets or not all(
            may_reach(str(to[0]), scheme, allowed=is_inner_allowed) for _, to in targets
        ):
            raise OSError("refused address")
        return self._deadline_now().watched(_open(targets, timeout_s))

    def _read(self, response: requests.Response) -> Fetched:
        # 304 is no redirect: it answers If-None-Match.
        if 300 <= response.status_code < 400 and response.status_code != 304:
            raise ValueError("redirect")
        body = bytearray()
        for chunk in response.iter_content(_CHUNK):
            body += chunk
            if len(body) > self._most_bytes:
                raise ValueError("too large")
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Fetched(response.status_code, headers, bytes(body))

    @contextlib.contextmanager
    def _deadline(self) -> Iterator["_Deadline"]:
        deadline = _Deadline(self._timeout_s)
        self._now.deadline = deadline
        try:
            yield deadline
        finally:
            deadline.end()
            self._now.deadline = None

    def _deadline_now(self) -> "_Deadline":
        deadline: _Deadline = self._now.deadline
        return deadline


class _Deadline:
    """Ends an exchange that drips: after the time, the connection is shut whatever it is doing."""

    def __init__(self, seconds: float) -> None:
        self.passed = False
        self._watched: list[socket.socket] = []
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._pass)
        self._timer.daemon = True
        self._timer.start()

    def watched(self, connection: socket.socket) -> socket.socket:
        """Gives the connection back, watched through a second handle that TLS does not take over."""
        twin = socket.socket(fileno=os.dup(connection.fileno()))
        with self._lock:
            self._watched.append(twin)
            if self.passed:
                _shut(twin)
        return connection

    def end(self) -> None:
        self._timer.cancel()
        with self._lock:
            for twin in self._watched:
                twin.close()
            self._watched.clear()

    def _pass(self) -> None:
        with self._lock:
            self.passed = True
            for twin in self._watched:
                _shut(twin)


Connect = Callable[[str, str, int, float], socket.socket]


class _GuardedAdapter(HTTPAdapter):
    """Makes connections through the guard, one for each call: a kept one would outlive its check."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _pools(self._connect)

    def add_headers(self, request: requests.PreparedRequest, **kwargs: Any) -> None:
        request.headers["Connection"] = "close"


def _pools(connect: Connect) -> dict[str, type[HTTPConnectionPool]]:
    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return connect("http", self.host, self.port or 80, _seconds(self.timeout))

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return connect("https", self.host, self.port or 443, _seconds(self.timeout))

    # A connection is used once: the next call checks its own address and has its own deadline, whatever the
    # partner's answer says about keeping this one open.

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

        def _put_conn(self, conn: Any) -> None:
            if conn is not None:
                conn.close()
            super()._put_conn(None)

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

        def _put_conn(self, conn: Any) -> None:
            if conn is not None:
                conn.close()
            super()._put_conn(None)

    return {"http": PlainPool, "https": SecurePool}


def _open(targets: list[tuple[Any, Any]], timeout_s: float) -> socket.socket:
    """Gives a connection to the first address that takes one, all tries together within the time."""
    last: OSError = OSError("no address")
    ends = time.monotonic() + timeout_s
    for family, address in targets:
        connection = socket.socket(family, socket.SOCK_STREAM)
        try:
            connection.settimeout(max(0.01, ends - time.monotonic()))
            connection.connect(address)
            connection.settimeout(timeout_s)
        except OSError as fault:
            connection.close()
            last = fault
        else:
            return connection
    raise last


def _seconds(timeout: object) -> float:
    return float(timeout) if isinstance(timeout, int | float) else 5.0


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
