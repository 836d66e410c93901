"""Serving in real processes: a partner's software gets in, whatever is killed comes back, and nothing stays."""

import datetime as dt
import ipaddress
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.api.running_hub import Running, children, founded, is_alive, megabytes, running, soon
from tests.interop.served import Partner, Served, free_port
from tests.postgres import PostgresServer

SCOPE = "system/Patient.crus"

needs_proc = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="which process is whose child is read from /proc"
)


@dataclass
class Known:
    """A hub on one database, and the software of one partner."""

    hub: Served
    partner: Partner
    is_sqlite: bool


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def known(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Known]:
    with ExitStack() as stack:
        url = ""
        if request.param == "postgresql":
            server: PostgresServer = request.getfixturevalue("postgres")
            url = stack.enter_context(server.database())
        hub = founded(tmp_path_factory.mktemp(f"serving-{request.param}"), url)
        yield Known(hub, hub.partner("House", "shelter", scope=SCOPE), request.param == "sqlite")


def write(known: Known, token: str, number: str = "one") -> requests.Response:
    identifier = [{"system": "urn:example:file", "value": number}]
    return requests.post(
        f"{known.hub.base_url}/fhir/Patient",
        json={"resourceType": "Patient", "active": True, "identifier": identifier},
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/fhir+json"},
        timeout=60,
    )


def test_a_partner_gets_a_token_and_writes_and_reads(known: Known) -> None:
    with running(known.hub) as served:
        assert served.answers("/fhir/metadata")
        assert served.answers("/health/ready")
        token = known.partner.token()
        made = write(known, token)
        assert made.status_code == 201, made.text
        read = requests.get(
            made.headers["Location"].partition("/_history/")[0],
            headers={"Authorization": f"Bearer {token}"},
            timeout=10,
        )
        assert read.status_code == 200
        assert read.json()["id"] == made.json()["id"]
        assert write(known, "not-a-token").status_code == 401


@needs_proc
def test_who_is_killed_comes_back_and_the_next_write_works(known: Known) -> None:
    with running(known.hub) as served:
        token = known.partner.token()
        kinds = ["server", "delivery", *(["writer"] if known.is_sqlite else [])]
        for kind in kinds:
            before = served.child(kind)
            os.kill(before, signal.SIGKILL)
            soon(lambda gone=before: not is_alive(gone))
            soon(lambda: served.answers())
            made = write(known, token)
            assert made.status_code == 201, f"{kind}: {made.text}"
            soon(lambda kind=kind, gone=before: _other(served, kind, gone))
        worker = served.workers()[0]
        os.kill(worker, signal.SIGKILL)
        soon(lambda: len([pid for pid in served.workers() if pid != worker]) == 2)
        assert write(known, token).status_code == 201


def _other(served: Running, kind: str, before: int) -> bool:
    try:
        return served.child(kind) != before
    except (ValueError, OSError):
        return False


@needs_proc
def test_writes_that_meet_a_killed_writer_are_stored_once(known: Known) -> None:
    """The workers wait for the writer to come back, ask by the Change's id, and never guess."""
    if not known.is_sqlite:
        pytest.skip("PostgreSQL has no writer process")
    with running(known.hub) as served, ThreadPoolExecutor(8) as threads:
        token = known.partner.token()
        numbers = [f"met-{secrets.token_hex(4)}" for _ in range(40)]
        answers = [threads.submit(write, known, token, number) for number in numbers]
        soon(lambda: sum(answer.done() for answer in answers) >= 5)
        os.kill(served.child("writer"), signal.SIGKILL)
        assert {answer.result().status_code for answer in answers} == {201}
        for number in numbers:
            found = requests.get(
                f"{known.hub.base_url}/fhir/Patient?identifier=urn:example:file|{number}",
                headers={"Authorization": f"Bearer {token}"},
                timeout=40,
            )
            assert len(found.json()["entry"]) == 1


@needs_proc
@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_everything_in_order(known: Known, ending: signal.Signals) -> None:
    with running(known.hub) as served:
        everybody = served.everybody()
        assert len(everybody) == 4 + known.is_sqlite  # server, two workers, delivery, and the writer
        served.process.send_signal(ending)
        assert served.process.wait(timeout=40) == 0
        assert [pid for pid in everybody if is_alive(pid)] == []
        assert "Traceback" not in served.log.read_text()
        assert not (known.hub.folder / "hub" / "writer.sock").exists()


@needs_proc
def test_ending_answers_what_was_begun(known: Known) -> None:
    """A request whose body is still on its way when SIGTERM comes gets its answer."""
    with running(known.hub) as served:
        token = known.partner.token()
        with _slow_post(known, token) as (connection, rest):
            served.process.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            connection.sendall(rest)
            answer = connection.recv(65_536)
        assert answer.startswith(b"HTTP/1.1 201"), answer
        assert served.process.wait(timeout=40) == 0


@contextmanager
def _slow_post(known: Known, token: str) -> Iterator[tuple[socket.socket, bytes]]:
    address = urlsplit(known.hub.base_url)
    body = b'{"resourceType": "Patient", "active": true}'
    head = (
        f"POST /fhir/Patient HTTP/1.1\r\nHost: {address.netloc}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/fhir+json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode()
    with socket.create_connection((address.hostname, address.port), timeout=30) as connection:
        connection.sendall(head + body[:10])
        time.sleep(0.5)
        yield connection, body[10:]


@needs_proc
def test_a_killed_parent_takes_everybody_with_it(known: Known) -> None:
    with running(known.hub) as served:
        everybody = served.everybody()
        served.process.kill()
        served.process.wait()
        soon(lambda: not [pid for pid in everybody if is_alive(pid)])


@needs_proc
def test_a_killed_server_leaves_no_worker_behind(known: Known) -> None:
    with running(known.hub) as served:
        server, workers = served.child("server"), served.workers()
        assert len(workers) == 2
        os.kill(server, signal.SIGKILL)
        soon(lambda: not [pid for pid in workers if is_alive(pid)])
        soon(lambda: _other(served, "server", server) and len(served.workers()) == 2)


def test_two_hubs_do_not_share_a_port(known: Known) -> None:
    with running(known.hub):
        second = subprocess.run(
            [sys.executable, "-m", "referral_hub", "serve"],
            env=known.hub.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert second.returncode == 1
        assert second.stderr.startswith("Nothing can be served at 127.0.0.1 port ")
        assert second.stderr.count("\n") == 1


def test_an_embedded_database_is_served_once(known: Known) -> None:
    if not known.is_sqlite:
        pytest.skip("several may serve one PostgreSQL database")
    with running(known.hub):
        second = subprocess.run(
            [sys.executable, "-m", "referral_hub", "serve", "--port", str(free_port())],
            env=known.hub.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert second.returncode == 1
    assert "Another process writes to this database" in second.stderr
    assert "Traceback" not in second.stderr


@needs_proc
@pytest.mark.parametrize("beside", [True, False], ids=["beside serve", "alone"])
def test_the_delivery_process_runs_by_itself_too(known: Known, *, beside: bool) -> None:
    with ExitStack() as stack:
        if beside:
            stack.enter_context(running(known.hub))
        delivering = subprocess.Popen(
            [sys.executable, "-m", "referral_hub", "deliver"],
            env=known.hub.environment,
            stderr=subprocess.PIPE,
        )
        stack.callback(delivering.kill)
        soon(lambda: delivering.poll() is not None or len(os.listdir(f"/proc/{delivering.pid}/task")) > 4)
        assert delivering.poll() is None
        delivering.terminate()
        _, said = delivering.communicate(timeout=40)
        assert (delivering.returncode, said) == (0, b"")


@needs_proc
def test_memory_with_two_workers_stays_within_its_budget(known: Known) -> None:
    """Source: ``performance.md`` 2a."""
    with running(known.hub) as served:
        token = known.partner.token()
        assert {write(known, token).status_code for _ in range(50)} == {201}
        server = [served.child("server"), *served.workers()]
        assert megabytes(server) <= 200
        assert megabytes([served.process.pid, *served.everybody()]) <= 300


@needs_proc
def test_idle_connections_do_not_close_the_door(known: Known) -> None:
    """More open connections than threads: a partner's idle pool must not keep others out."""
    with running(known.hub, workers=1) as served, ExitStack() as stack:
        host, _, port = known.hub.base_url.removeprefix("http://").partition(":")
        for _ in range(80):
            idle = stack.enter_context(socket.create_connection((host, int(port)), timeout=10))
            idle.sendall(b"GET /health/live HTTP/1.1\r\nHost: hub\r\n\r\n")
            assert idle.recv(12) == b"HTTP/1.1 200"
        assert served.answers()
        assert children(served.child("server"))


def test_the_hub_speaks_tls_itself(tmp_path: Path) -> None:
    hub = founded(tmp_path)
    port = free_port()
    hub.environment["REFERRAL_HUB_BASE_URL"] = hub.base_url = f"https://127.0.0.1:{port}"
    certificate, key = _certificate(tmp_path)
    with running(hub, "--tls-cert", str(certificate), "--tls-key", str(key), workers=1):
        answer = requests.get(f"{hub.base_url}/fhir/metadata", verify=str(certificate), timeout=10)
        assert answer.status_code == 200
        assert answer.json()["implementation"]["url"] == f"{hub.base_url}/fhir"


def _certificate(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "hub.example")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    paths = folder / "cert.pem", folder / "key.pem"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return paths
