"""The commands in real processes on both databases: a hub is made, partners come in, it is looked at."""

import io
import json
import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from flask import Flask, Response

from referral_hub.access.principal import refusal_targets
from referral_hub.app import create_app
from referral_hub.checks import examine, open_doors
from referral_hub.cli import run
from referral_hub.exchange.building import body_of
from referral_hub.founding import opened_hub
from referral_hub.settings import Settings
from tests.api.running_hub import founded
from tests.interop.served import Served, free_port
from tests.postgres import PostgresServer
from tests.unit.auth.partner import ec_key, key_set, public_jwk


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def hub(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with ExitStack() as stack:
        url = ""
        if request.param == "postgresql":
            server: PostgresServer = request.getfixturevalue("postgres")
            url = stack.enter_context(server.database())
        yield founded(tmp_path_factory.mktemp(f"commands-{request.param}"), url)


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    returncode: int
    stdout: str
    stderr: str


def command(hub: Served, *words: str, **environment: str) -> Done:
    """Runs a command in this process, which has imported everything already."""
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.dict(os.environ, {**hub.environment, **environment}, clear=True),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        code = run(words)
    return Done(code, out.getvalue(), err.getvalue())


def told(hub: Served, *words: str) -> dict[str, Any]:
    """Runs a command that has to work and gives the object on its last line."""
    done = command(hub, *words, "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def refused(hub: Served, *words: str, **environment: str) -> str:
    """Runs a command that has to fail with one sentence, and gives the sentence."""
    done = command(hub, *words, **environment)
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def add(hub: Served, name: str, kind: str, *words: str) -> dict[str, Any]:
    return told(hub, "organization", "add", "--name", name, "--type", kind, *words)


def settings(hub: Served) -> Settings:
    return Settings.from_environment(hub.environment)


# ---- init and migrate ----


def test_init_makes_what_only_its_owner_may_read_and_can_be_run_again(hub: Served) -> None:
    again = told(hub, "init")
    assert again["created"] is False
    assert told(hub, "init")["id"] == again["id"]
    home = Path(again["data_dir"])
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    for path in home.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    done = command(hub, "init")
    assert done.returncode == 0
    assert "was there already" in done.stdout


def test_the_networks_own_organisation_is_there_once(hub: Served) -> None:
    hub_id = told(hub, "init")["id"]
    with opened_hub(settings(hub)) as parts, parts.store.snapshot() as snapshot:
        row = snapshot.hub_organization()
        resource = snapshot.resource("Organization", hub_id)
    assert row is not None
    assert (row.facts.id, row.facts.kind, row.is_hub) == (hub_id, "coordinator", True)
    assert resource is not None
    assert resource.author == hub_id
    assert resource.row_id == row.row_id


def test_migrate_has_nothing_to_do_after_init(hub: Served) -> None:
    found = told(hub, "migrate")
    assert found["before"] == found["after"] != ""


def test_a_lost_master_key_is_not_papered_over(hub: Served, tmp_path: Path) -> None:
    elsewhere = str(tmp_path / "other.key")
    text = refused(hub, "init", REFERRAL_HUB_SECRET_KEY_FILE=elsewhere)
    assert "master key file is gone" in text
    assert not Path(elsewhere).exists()


def test_without_init_every_command_says_so(tmp_path: Path, hub: Served) -> None:
    data_dir = str(tmp_path / "nothing")
    url = f"sqlite:///{tmp_path / 'none.db'}"
    for words in (
        ["serve"],
        ["deliver"],
        ["verify-audit"],
        ["organization", "add", "--name", "A", "--type", "clinic"],
    ):
        text = refused(hub, *words, REFERRAL_HUB_DATA_DIR=data_dir, REFERRAL_HUB_DATABASE_URL=url)
        assert "referral-hub init" in text
    assert not Path(data_dir).exists()
    assert not (tmp_path / "none.db").exists()


def test_a_server_that_is_not_there_is_one_sentence(hub: Served) -> None:
    url = f"postgresql://nobody:word@127.0.0.1:{free_port()}/hub"
    text = refused(hub, "serve", REFERRAL_HUB_DATABASE_URL=url)
    assert "The database server cannot be used" in text
    assert "word" not in text


# ---- organisations ----


def test_an_organisation_is_a_row_and_a_resource_of_one_change(hub: Served) -> None:
    made = add(hub, "River House", "shelter", "--neutral-name", "House 3", "--country", "PL")
    with opened_hub(settings(hub)) as parts, parts.store.snapshot() as snapshot:
        row = snapshot.organization(made["id"])
        resource = snapshot.resource("Organization", made["id"])
        own = snapshot.hub_organization()
    assert row is not None
    assert resource is not None
    assert own is not None
    assert (row.name, row.neutral_name, row.facts.kind, row.facts.country) == (
        "River House", "House 3", "shelter", "PL"
    )  # fmt: skip
    assert row.row_id == resource.row_id
    assert (resource.kind, resource.directory, resource.author) == ("shelter", True, own.facts.id)
    body = body_of(resource)
    assert (body["name"], body["active"]) == ("River House", True)
    assert "House 3" not in json.dumps(body)


def test_units_of_a_government_office_are_governmental_all_the_way_down(hub: Served) -> None:
    office = add(hub, "Office", "immigration", "--governmental", "--country", "PL")["id"]
    unit = add(hub, "Unit", "immigration", "--part-of", office)
    desk = add(hub, "Desk", "interpreter", "--part-of", unit["id"])
    assert (desk["governmental"], desk["country"]) == (True, "PL")
    with opened_hub(settings(hub)) as parts, parts.store.snapshot() as snapshot:
        row = snapshot.organization(desk["id"])
    assert row is not None
    assert row.facts.ancestors == (unit["id"], office)
    assert set(refusal_targets(row.facts)) == {
        "*", "kind:interpreter", "kind:governmental", "gov:PL",
        f"org:{desk['id']}", f"org:{unit['id']}", f"org:{office}",
    }  # fmt: skip


def test_the_police_are_always_governmental(hub: Served) -> None:
    assert add(hub, "Police", "law-enforcement", "--country", "PL")["governmental"] is True


def test_an_independent_adviser_is_not(hub: Served) -> None:
    assert add(hub, "Adviser", "immigration", "--country", "PL")["governmental"] is False


def test_an_endpoint_becomes_a_registered_base(hub: Served) -> None:
    words = ("--fhir-endpoint", "https://ehr.example/fhir/", "--poll-seconds", "60")
    made = add(hub, "Clinic", "clinic", *words)
    with opened_hub(settings(hub)) as parts, parts.store.snapshot() as snapshot:
        row = snapshot.organization(made["id"])
        bases = snapshot.registered_bases(made["id"])
    assert row is not None
    assert (row.fhir_endpoint, row.poll_seconds) == ("https://ehr.example/fhir", 60)
    assert bases == ["https://ehr.example/fhir"]


def test_a_parent_that_is_not_there_is_refused(hub: Served) -> None:
    words = ("organization", "add", "--name", "A", "--type", "clinic", "--part-of", "nobody")
    assert "no organisation with the id" in refused(hub, *words)


# ---- software ----


def test_a_secret_is_printed_once_and_kept_nowhere(hub: Served) -> None:
    clinic = add(hub, "Secret clinic", "clinic")["id"]
    words = ("oauth-client", "add", "--organization", clinic, "--name", "EHR", "--scope", "system/Task.rs")
    made = told(hub, *words, "--secret", "--purpose", "TREAT")
    assert set(made) == {"client_id", "client_secret"}
    home = Path(hub.environment["REFERRAL_HUB_DATA_DIR"])
    for path in home.rglob("*"):
        if path.is_file():
            assert made["client_secret"].encode() not in path.read_bytes()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--scope", "system/Task.sr"), "scope"),
        (("--scope", "system/Spaceship.rs"), "does not serve Spaceship"),
        (("--scope", "system/Task.rs", "--purpose", "two words"), "no purpose of use"),
    ],
)
def test_a_registration_that_cannot_hold_is_refused(hub: Served, words: tuple[str, ...], said: str) -> None:
    clinic = told(hub, "init")["id"]
    text = refused(hub, "oauth-client", "add", "--organization", clinic, "--name", "EHR", "--secret", *words)
    assert said in text


def test_weak_keys_and_strangers_are_refused(hub: Served, tmp_path: Path) -> None:
    weak = tmp_path / "weak.json"
    weak.write_text(key_set(public_jwk(ec_key("weak", "ES256"), "k1", alg="ES256")))
    own = told(hub, "init")["id"]
    words = ("oauth-client", "add", "--name", "EHR", "--scope", "system/Task.rs", "--jwks", str(weak))
    assert "Key 1 of the set" in refused(hub, *words, "--organization", own)
    strong = tmp_path / "strong.json"
    strong.write_text(key_set(public_jwk(ec_key("strong"), "k1")))
    words = (*words[:-1], str(strong))
    assert "no such organisation" in refused(hub, *words, "--organization", "nobody")
    assert told(hub, *words, "--organization", own)["client_id"].startswith("c-")


# ---- looking ----


def test_the_audit_of_all_this_holds(hub: Served) -> None:
    add(hub, "Audited", "clinic")
    first = told(hub, "verify-audit")
    assert first["holds"] is True
    assert first["links"] > 0
    assert "The audit holds" in command(hub, "verify-audit").stdout


def test_a_changed_audit_row_is_named(tmp_path: Path) -> None:
    hub = founded(tmp_path)
    told(hub, "verify-audit")
    with sqlite3.connect(tmp_path / "hub" / "hub.db") as connection:
        connection.execute("UPDATE audit SET organization = 'somebody else'")
    done = command(hub, "verify-audit", "--json")
    assert done.returncode == 1
    verdict = json.loads(done.stdout.splitlines()[-1])
    assert verdict["holds"] is False
    assert "was changed" in verdict["broken"]


def test_the_doctor_finds_a_fresh_hub_well(hub: Served) -> None:
    findings = json.loads(command(hub, "doctor", "--json").stdout)["findings"]
    well = {finding["what"] for finding in findings if finding["ok"]}
    assert {finding["what"] for finding in findings if not finding["ok"]} <= {"endpoint"}
    assert {
        *("configuration", "data directory", "database", "migrations", "master key"),
        *("key hub", "key index", "key checkpoint", "gate", "clock", "audit spool"),
    } <= well


def test_the_doctor_says_what_is_bad(tmp_path: Path) -> None:
    hub = founded(tmp_path)
    assert command(hub, "doctor").returncode == 0
    add(hub, "Silent", "clinic", "--fhir-endpoint", f"http://127.0.0.1:{free_port()}/fhir")
    key = tmp_path / "hub" / "secret.key"
    (tmp_path / "hub").chmod(0o755)
    bad = {finding.what for finding in examine(hub.environment) if not finding.good}
    assert bad == {"endpoint", "data directory"}
    key.chmod(0o644)
    bad = {finding.what for finding in examine(hub.environment) if not finding.good}
    assert "master key" in bad
    assert command(hub, "doctor").returncode == 1


def test_every_route_of_the_hub_refuses_a_stranger_and_an_open_one_would_be_found(hub: Served) -> None:
    with opened_hub(settings(hub)) as parts:
        app: Flask = create_app(parts)
        assert len(list(app.url_map.iter_rules())) > 20
        assert open_doors(app) == []
        app = create_app(parts)
        app.add_url_rule("/everybody", "open", lambda: Response("all of them"))
        assert open_doors(app) == ["GET /everybody: 200"]


# ---- keys ----


def test_keys_are_renewed_by_command_and_the_doctor_says_how_old_they_are(tmp_path: Path) -> None:
    hub = founded(tmp_path)
    for family in ("checkpoint", "links", "signing"):
        assert told(hub, "keys", "rotate", family)["id"]
    before = (tmp_path / "hub" / "secret.key").read_text()
    rotated = told(hub, "keys", "rotate", "master")
    assert rotated["wrapped"] >= 6
    assert "Try again in" in refused(hub, "keys", "retire")
    retired = told(hub, "keys", "retire", "--now")
    assert (retired["master"], retired["retired"]) == (rotated["master"], 1)
    after = (tmp_path / "hub" / "secret.key").read_text()
    assert len(after.splitlines()) == 1
    assert after not in before
    assert told(hub, "verify-audit")["holds"] is True
    text = command(hub, "doctor").stdout
    assert rotated["master"] in text
    assert "key links" in text
    assert ", 1 before it" in text


def test_the_master_key_can_come_from_a_program(tmp_path: Path) -> None:
    hub = founded(tmp_path)
    held = tmp_path / "held.key"
    (tmp_path / "hub" / "secret.key").rename(held)
    assert "is not there" in refused(hub, "verify-audit")
    words = {"REFERRAL_HUB_SECRET_KEY_COMMAND": f"cat {held}"}
    assert command(hub, "verify-audit", **words).returncode == 0
    assert "from the command" in command(hub, "doctor", **words).stdout
    assert command(hub, "verify-audit", REFERRAL_HUB_SECRET_KEY=held.read_text()).returncode == 0


def test_an_unknown_person_is_not_erased(hub: Served) -> None:
    own = told(hub, "init")["id"]
    nobody = "0c6a2d0e-0000-4000-8000-000000000000"
    words = ("erase", nobody, "--organization", own, "--reason", "asked", "--yes")
    assert "keeps no record" in refused(hub, *words)


# ---- the door and the start ----


def test_without_https_only_this_machine_is_served(hub: Served) -> None:
    assert "Without https" in refused(hub, "serve", "--host", "0.0.0.0")


def test_a_certificate_that_is_none_is_refused(hub: Served, tmp_path: Path) -> None:
    file = tmp_path / "no.pem"
    file.write_text("not a certificate")
    text = refused(hub, "serve", "--tls-cert", str(file), "--tls-key", str(file))
    assert "certificate and key cannot be used" in text


def test_a_worker_carries_no_alembic_and_no_resource_models(hub: Served) -> None:
    """What only commands need costs a worker no memory: shown in a process that does what a worker does."""
    script = (
        "import os, sys\n"
        "import referral_hub.serving\n"
        "from referral_hub.app import create_app, open_served, preload\n"
        "from referral_hub.settings import Settings\n"
        "preload()\n"
        "app = create_app(open_served(Settings.from_environment(os.environ)))\n"
        "assert app.test_client().get('/fhir/metadata').status_code == 200\n"
        "unwanted = ('alembic', 'fhir', 'pydantic', 'granian', 'reportlab', 'babel', 'argon2', 'fido2')\n"
        "unwanted += ('referral_hub.outbound.loop',)\n"
        "unwanted += ('psycopg',) if sys.argv[1] == 'sqlite' else ()\n"
        "print([name for name in unwanted if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "sqlite" if settings(hub).sqlite_file else "postgresql"],
        env={**hub.environment, "PYTHONPATH": os.getcwd()},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"
