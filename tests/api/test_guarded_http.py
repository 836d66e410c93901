"""The guarded HTTP client against real servers on this machine: what it fetches, and what it gives up on."""

import contextlib
import datetime as dt
import gzip
import http.server
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from referral_hub.adapters.guarded_http import GuardedHttp
from referral_hub.errors import Unavailable

Respond = Callable[[http.server.BaseHTTPRequestHandler], None]


@contextlib.contextmanager
def serving(respond: Respond, tls: ssl.SSLContext | None = None) -> Iterator[tuple[int, list[Any]]]:
    seen: list[Any] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append((self.path, dict(self.headers)))
            with contextlib.suppress(OSError):
                respond(self)

        def do_POST(self) -> None:
            seen.append(self.rfile.read(int(self.headers["Content-Length"])))
            respond(self)

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing."""

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A caller that hangs up is what these tests are about."""

    server = Server(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server.server_address[1], seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def sending(body: bytes, http_status: int = 200, **headers: str) -> Respond:
    def respond(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(http_status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return respond


def loopback(host: str, port: int) -> list[tuple[Any, ...]]:
    """Every name is this machine, as a partner's name server may claim at any time."""
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]


def guard(port: int, scheme: str = "http", **more: Any) -> GuardedHttp:
    return GuardedHttp(
        inner_origins=frozenset({f"{scheme}://partner.example:{port}"}),
        resolve=loopback,
        **{"timeout_s": 5.0, **more},
    )


def test_a_document_with_its_life() -> None:
    with serving(sending(b'{"keys":[]}', Cache_Control="max-age=60")) as (port, seen):
        answer = guard(port).fetch(f"http://partner.example:{port}/keys?a=b")
    assert (answer.body, answer.max_age_s) == (b'{"keys":[]}', 60)
    ((path, headers),) = seen
    assert path == "/keys?a=b"
    assert headers["Host"] == f"partner.example:{port}"
    assert (headers["Accept"], headers["Connection"]) == ("application/json", "close")


def test_the_same_server_is_not_reached_without_permission() -> None:
    with serving(sending(b"{}")) as (port, seen):
        for allowed in (frozenset(), frozenset({f"http://other.example:{port}"})):
            with pytest.raises(Unavailable):
                GuardedHttp(inner_origins=allowed, resolve=loopback).fetch(f"http://partner.example:{port}/")
        with pytest.raises(Unavailable):
            GuardedHttp(resolve=loopback).fetch(f"https://partner.example:{port}/")
        with pytest.raises(Unavailable):
            GuardedHttp().fetch(f"https://127.0.0.1:{port}/")
    assert seen == []


def test_the_name_is_looked_up_once_and_the_checked_address_is_the_one_called() -> None:
    # A name server that answers the check with one address and the connection with another gains nothing.
    asked: list[str] = []

    def changing(host: str, port: int) -> list[tuple[Any, ...]]:
        asked.append(host)
        address = "127.0.0.1" if len(asked) == 1 else "169.254.169.254"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    with serving(sending(b"{}")) as (port, _):
        origin = f"http://partner.example:{port}"
        http_client = GuardedHttp(inner_origins=frozenset({origin}), resolve=changing, timeout_s=2)
        assert http_client.fetch(origin).body == b"{}"
        assert len(asked) == 1
        with pytest.raises(Unavailable):
            http_client.fetch(origin)
    assert len(asked) == 2


@pytest.mark.parametrize("http_status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(http_status: int) -> None:
    with (
        serving(sending(b"secret")) as (inner_port, inner_seen),
        serving(sending(b"", http_status, Location=f"http://127.0.0.1:{inner_port}/")) as (port, seen),
    ):
        with pytest.raises(Unavailable):
            guard(port).fetch(f"http://partner.example:{port}/")
        assert len(seen) == 1
        assert inner_seen == []


def test_a_redirect_to_the_same_partner_is_not_followed_either() -> None:
    with serving(sending(b"", 302, Location="/elsewhere")) as (port, seen):
        with pytest.raises(Unavailable):
            guard(port).fetch(f"http://partner.example:{port}/")
        assert [path for path, _ in seen] == ["/"]


@pytest.mark.parametrize("http_status", [204, 400, 404, 500])
def test_a_document_is_a_200(http_status: int) -> None:
    with serving(sending(b"", http_status)) as (port, _), pytest.raises(Unavailable):
        guard(port).fetch(f"http://partner.example:{port}/")


def test_a_call_gives_any_other_status_and_sends_a_body() -> None:
    with serving(sending(b"no", 422)) as (port, seen):
        url = f"http://partner.example:{port}/"
        answer = guard(port).request("POST", url, headers={"Content-Type": "text/plain"}, body=b"hello")
    assert (answer.http_status, answer.body, seen) == (422, b"no", [b"hello"])


def test_too_much_is_given_up_on() -> None:
    with serving(sending(b"x" * 2000)) as (port, _):
        url = f"http://partner.example:{port}/"
        assert len(guard(port, most_bytes=2000).fetch(url).body) == 2000
        with pytest.raises(Unavailable):
            guard(port, most_bytes=1999).fetch(url)


def test_too_much_after_decompression_is_given_up_on() -> None:
    packed = gzip.compress(b"x" * 20_000_000)
    with serving(sending(packed, Content_Encoding="gzip")) as (port, _), pytest.raises(Unavailable):
        guard(port, most_bytes=100_000).fetch(f"http://partner.example:{port}/")


def dripping_body(handler: http.server.BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(100):
        handler.wfile.write(b"x")
        handler.wfile.flush()
        time.sleep(0.05)


def dripping_headers(handler: http.server.BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for _ in range(100):
        handler.wfile.write(b"X-A: b\r\n")
        handler.wfile.flush()
        time.sleep(0.05)


def silent(handler: http.server.BaseHTTPRequestHandler) -> None:
    time.sleep(3)


@pytest.mark.parametrize("respond", [dripping_body, dripping_headers, silent])
def test_a_server_that_takes_its_time_is_given_up_on(respond: Respond) -> None:
    with serving(respond) as (port, _):
        began = time.monotonic()
        with pytest.raises(Unavailable, match=r"in time|cannot be reached"):
            guard(port, timeout_s=0.4).fetch(f"http://partner.example:{port}/")
        assert time.monotonic() - began < 2.0


def test_a_server_that_hangs_up_is_given_up_on() -> None:
    def short(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "100")
        handler.end_headers()
        handler.wfile.write(b"half")

    with serving(short) as (port, _), pytest.raises(Unavailable):
        guard(port).fetch(f"http://partner.example:{port}/")


def test_nothing_listens() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        with pytest.raises(Unavailable):
            guard(port, timeout_s=1).fetch(f"http://partner.example:{port}/")


def test_proxies_and_netrc_of_the_environment_are_not_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine partner.example login me password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with serving(sending(b"from the proxy")) as (proxy, proxy_seen), serving(sending(b"{}")) as (port, seen):
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy}")
        assert guard(port).fetch(f"http://partner.example:{port}/").body == b"{}"
    assert proxy_seen == []
    assert "Authorization" not in seen[0][1]


def test_cookies_are_not_kept() -> None:
    with serving(sending(b"{}", Set_Cookie="a=b")) as (port, seen):
        http_client = guard(port)
        for _ in range(2):
            http_client.fetch(f"http://partner.example:{port}/")
    assert all("Cookie" not in headers for _, headers in seen)


def test_many_threads_share_one_client() -> None:
    with serving(sending(b"{}")) as (port, seen):
        http_client, found = guard(port), []
        threads = [
            threading.Thread(
                target=lambda: found.append(http_client.fetch(f"http://partner.example:{port}/").body)
            )
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
    assert found == [b"{}"] * 8
    assert len(seen) == 8


# TLS


class _Authority:
    """An invented certificate authority and the files it makes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Invented authority")])
        self.ca_file = folder / "ca.pem"
        certificate = self._signed(
            self._name, self._key.public_key(), x509.BasicConstraints(ca=True, path_length=0)
        )
        self.ca_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def context(self, host: str) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        certificate = self._signed(name, key.public_key(), x509.SubjectAlternativeName([x509.DNSName(host)]))
        path = self._folder / f"{host}.pem"
        path.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def _signed(self, name: x509.Name, key: Any, extension: x509.ExtensionType) -> x509.Certificate:
        now = dt.datetime.now(dt.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
            )
        )
        if isinstance(extension, x509.BasicConstraints):
            usage = x509.KeyUsage(
                digital_signature=True,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=True,
                crl_sign=True,
                encipher_only=False,
                decipher_only=False,
            )
            builder = builder.add_extension(usage, critical=True)
        return builder.sign(self._key, hashes.SHA256())


def test_tls_verifies_the_name_and_not_the_address(tmp_path: Path) -> None:
    authority = _Authority(tmp_path)
    with serving(sending(b"{}"), authority.context("partner.example")) as (port, _):
        http_client = guard(port, "https", ca_file=str(authority.ca_file))
        assert http_client.fetch(f"https://partner.example:{port}/").body == b"{}"


def test_tls_refuses_a_certificate_for_another_name(tmp_path: Path) -> None:
    authority = _Authority(tmp_path)
    with (
        serving(sending(b"{}"), authority.context("other.example")) as (port, seen),
        pytest.raises(Unavailable),
    ):
        guard(port, "https", ca_file=str(authority.ca_file)).fetch(f"https://partner.example:{port}/")
    assert seen == []


def test_tls_refuses_an_unknown_authority(tmp_path: Path) -> None:
    authority = _Authority(tmp_path)
    with (
        serving(sending(b"{}"), authority.context("partner.example")) as (port, seen),
        pytest.raises(Unavailable),
    ):
        guard(port, "https").fetch(f"https://partner.example:{port}/")
    assert seen == []
