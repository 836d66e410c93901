"""The demo as somebody types it: the whole story, what it says when a step fails, and that nothing is left behind."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from joserfc.jwk import import_key

from referral_hub.demo.playing import STEPS
from referral_hub.demo.smart_partner import SmartPartner

pytestmark = pytest.mark.slow
LONGEST_S = 170
FIRST_STEP = """
import sys
from pathlib import Path
from referral_hub.demo.playing import STEPS, play
sys.exit(play(check=False, port=0, data_dir=Path(sys.argv[1]), steps=STEPS[:1]))
"""
FAILING = """
import sys
from referral_hub.demo.playing import STEPS, play
from referral_hub.demo.stage import Step

def wrong(story):
    story.prove.same("her file", "a name", "no name")
    return "never told"

def shapeless(story):
    return story.papers["what nobody wrote"]

steps = (STEPS[0], Step(2, "later", "the broken step", {"wrong": wrong, "shapeless": shapeless}[sys.argv[1]]), STEPS[1])
sys.exit(play(check=True, port=0, data_dir=None, steps=steps))
"""


@pytest.fixture
def tmp_path() -> Iterator[Path]:  # pytest's own is too long for a socket in it
    """An empty directory with a short name, gone after the test."""
    with tempfile.TemporaryDirectory(prefix="hub-") as name:
        yield Path(name)


def environment(tmp_path: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("REFERRAL_HUB_")}
    # Whatever the demo leaves in the temporary directory is seen.
    return {**kept, "TMPDIR": str(tmp_path), "COLUMNS": "100"}


def play(tmp_path: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def ports_of(told: str) -> list[int]:
    return [int(port) for port in re.findall(r"http://127\.0\.0\.1:(\d+)", told)]


def test_the_whole_story_is_told_and_verified(tmp_path: Path) -> None:
    done = play(tmp_path, "-m", "referral_hub", "demo", "--check", "--port", "0")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[-1] == "demo: 20 steps, 20 ok"
    numbers = [int(match.group(1)) for line in lines if (match := re.match(r" ?(\d+)  (night|day) ", line))]
    assert numbers == list(range(1, 21))
    assert max(map(len, lines)) <= 140
    assert "\x1b" not in done.stdout
    assert not re.search("traffick|victim|exploit", done.stdout, re.IGNORECASE)
    assert sum(line.endswith("  late") for line in lines) == 2  # the head of the column, and one referral
    assert not any(map(is_open, ports_of(done.stdout)))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("wrong", ("looked at her file", "expected  no name", "seen      a name")),
        ("shapeless", ("KeyError: 'what nobody wrote'",)),
    ],
)
def test_a_step_that_fails_ends_the_story_with_its_name(
    tmp_path: Path, fault: str, words: tuple[str, ...]
) -> None:
    done = play(tmp_path, "-c", FAILING, fault)
    assert done.returncode == 1
    assert " 2  FAILED: the broken step" in done.stdout
    assert all(word in done.stdout for word in words), done.stdout
    assert done.stdout.splitlines()[-1] == "demo: 3 steps, 1 ok"
    assert done.stderr == ""
    assert not any(map(is_open, ports_of(done.stdout)))
    assert list(tmp_path.iterdir()) == []


def test_a_port_that_is_taken_is_said_in_a_sentence(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen(1)
        port = other.getsockname()[1]
        done = play(tmp_path, "-m", "referral_hub", "demo", "--check", "--port", str(port))
    assert done.returncode == 1
    assert f"port {port}" in " ".join(done.stdout.split())
    assert done.stderr == ""


def test_a_directory_with_a_hub_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    kept = {**environment(tmp_path), "REFERRAL_HUB_DATA_DIR": str(tmp_path / "mine")}
    begin = [sys.executable, "-m", "referral_hub", "init"]
    subprocess.run(begin, env=kept, check=True, capture_output=True, timeout=LONGEST_S)
    before = (tmp_path / "mine" / "secret.key").read_bytes()
    done = play(
        tmp_path, "-m", "referral_hub", "demo", "--check", "--port", "0", "--data-dir", str(tmp_path / "mine")
    )
    assert done.returncode == 1
    assert "empty directory" in " ".join(done.stdout.split())
    assert (tmp_path / "mine" / "secret.key").read_bytes() == before


@contextmanager
def kept_serving(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-c", FIRST_STEP, str(tmp_path / "hub")]
    out = tmp_path / "told"
    with out.open("w") as told:
        process = subprocess.Popen(command, env=environment(tmp_path), stdout=told, stderr=told)
        try:
            until_s = time.monotonic() + LONGEST_S
            while "ends it." not in out.read_text():
                assert process.poll() is None, out.read_text()
                assert time.monotonic() < until_s, out.read_text()
                time.sleep(0.2)
            yield process, out.read_text()
        finally:
            process.kill()
            process.wait()


def test_it_keeps_serving_until_it_is_ended(tmp_path: Path) -> None:
    with kept_serving(tmp_path) as (process, told):
        hub, ehr = sorted(set(ports_of(told)), key=ports_of(told).index)
        base = f"http://127.0.0.1:{hub}/fhir"
        key = tmp_path / "hub" / "partners" / "shelter.jwk.json"
        client_id = re.search(r"^Linden Street Office +(c-\w+)", told, re.MULTILINE)
        assert client_id is not None
        asked = play(
            tmp_path,
            "-m",
            "referral_hub.demo.asking",
            base,
            client_id.group(1),
            str(key),
            "Patient",
        )
        status, _, body = asked.stdout.partition("\n")
        assert (status, len(json.loads(body)["entry"])) == ("200", 1)
        stranger = SmartPartner(
            base, client_id.group(1), import_key(json.loads(key.read_text())), "system/Patient.rs"
        )
        assert stranger.get("Patient").resource["entry"]
        stranger.close()
        assert requests.get(f"http://127.0.0.1:{ehr}/fhir/metadata", timeout=5).status_code == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        assert (tmp_path / "told").read_text().endswith("Ended.\n")
        assert not is_open(hub)
        assert not is_open(ehr)


def test_nothing_outlives_a_demo_that_was_killed(tmp_path: Path) -> None:
    with kept_serving(tmp_path) as (process, told):
        process.kill()
        process.wait()
        until_s = time.monotonic() + 40
        while any(map(is_open, set(ports_of(told)))) and time.monotonic() < until_s:
            time.sleep(0.1)
        assert not any(map(is_open, set(ports_of(told))))


def test_the_story_is_numbered_without_gaps() -> None:
    assert [step.number for step in STEPS] == list(range(1, 21))
