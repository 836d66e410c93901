"""Keys renewed under a hub that runs, and a person erased: on both databases."""

import itertools
import json
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from referral_hub import checks
from referral_hub.app import Parts, clock, open_hub
from referral_hub.checks import check_audit
from referral_hub.errors import Conflict, NotFound, Unavailable
from referral_hub.keyring.master import keys_of_file
from referral_hub.rekeying import erase, retire_master, rotate_family, rotate_master
from referral_hub.store import erasing, schema
from referral_hub.store.columns import METADATA
from referral_hub.store.key_rows import KeyRows
from tests import builders
from tests.postgres import PostgresServer
from tests.world import Caller, World, opened_world


@pytest.fixture(params=["sqlite", "postgresql"])
def fresh(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    with ExitStack() as stack:
        if request.param == "postgresql":
            server: PostgresServer = request.getfixturevalue("postgres")
            url = stack.enter_context(server.database())
        else:
            url = f"sqlite:///{tmp_path / 'hub.db'}"
        world = stack.enter_context(opened_world(url, tmp_path / "data"))
        world.add_organization("shelter", "shelter")
        world.add_organization("clinic", "clinic")
        yield world


@pytest.fixture(autouse=True)
def _later_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look at the audit is a minute after the one before, when its sealing lease has ended."""
    later = itertools.count(1)
    monkeypatch.setattr("referral_hub.keyring.ring.FAMILY_PAUSE_S", 0.0)
    monkeypatch.setattr(checks, "clock", lambda: clock() + next(later) * 60_000_000)


@contextmanager
def beside(world: World) -> Iterator[Parts]:
    """Gives the hub as another process has it open; both write through the one writer."""
    other = open_hub(world.parts.settings, writer=world.parts.writer)
    try:
        yield other
    finally:
        other.spool.close()
        other.database.close()


def everything(world: World) -> dict[str, list[tuple[object, ...]]]:
    """Gives every row of every table, as plain values."""
    engine = sa.create_engine(
        world.parts.settings.database_url.replace("postgresql://", "postgresql+psycopg://", 1)
    )
    with closing(engine.connect()) as connection:
        found = {
            table.name: [tuple(row) for row in connection.execute(sa.select(table))]
            for table in METADATA.sorted_tables
        }
    engine.dispose()
    return found


# ---- renewing ----


def test_a_hub_that_runs_goes_on_while_its_master_key_is_renewed_and_the_old_one_retired(
    fresh: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelter = fresh.caller("shelter")
    before = shelter.create(builders.patient())
    with beside(fresh) as operator:
        done = rotate_master(operator)
        assert done.wrapped >= 5
        between = shelter.create(builders.patient())  # the running hub still wraps under the key before
        assert shelter.read(f"Patient/{before['id']}")["id"] == before["id"]
        with pytest.raises(Conflict, match="minutes"):
            retire_master(operator)
        monkeypatch.setattr("referral_hub.keyring.master.WRAPPING_S", 0.0)
        retired = retire_master(operator, now=True)
        assert retired.retired == 1
        assert retired.wrapped == 1
        assert len(keys_of_file(fresh.parts.settings.secret_key_file)) == 1
        assert KeyRows(fresh.parts.database).masters() == {done.master}
        after = shelter.create(builders.patient())
    with beside(fresh) as restarted, restarted.store.snapshot() as snapshot:
        for person in (before, between, after):
            row = snapshot.resource("Patient", person["id"])
            assert row is not None
            assert json.loads(row.body)["id"] == person["id"]


def test_the_audit_holds_over_a_renewal_of_what_signs_it(fresh: World) -> None:
    assert check_audit(fresh.parts).holds
    fresh.caller("shelter").create(builders.patient())
    assert check_audit(fresh.parts).holds
    name = rotate_family(fresh.parts, "checkpoint")
    fresh.caller("shelter").create(builders.patient())
    verdict = check_audit(fresh.parts)
    assert verdict.holds, verdict
    with beside(fresh) as other:
        assert check_audit(other).holds
    KeyRows(fresh.parts.database, fresh.parts.writer).destroy(name, clock())
    with beside(fresh) as without:
        assert not check_audit(without).holds  # a checkpoint nobody can prove is a break


def test_a_page_link_given_before_a_renewal_still_leads_on(fresh: World) -> None:
    shelter = fresh.caller("shelter")
    for _ in range(3):
        shelter.create(builders.patient())
    page = json.loads(shelter.get("/Patient?_count=2").get_data())
    link = next(found["url"] for found in page["link"] if found["relation"] == "next")
    rotate_family(fresh.parts, "links")
    answer = shelter.get(link.partition("/fhir")[2])
    assert answer.status_code == 200
    assert len(json.loads(answer.get_data())["entry"]) == 1


# ---- erasing ----


def story(world: World) -> tuple[Caller, dict[str, object], list[str]]:
    """A person with a referral that was accepted, so that rows about her lie in as many tables as can be."""
    shelter, clinic = world.caller("shelter"), world.caller("clinic")
    patient = shelter.create(builders.patient())
    subject = f"Patient/{patient['id']}"
    release = shelter.create(
        builders.release(subject, shelter.organization, builders.permit(clinic.organization))
    )
    condition = shelter.create(builders.condition(subject))
    request = shelter.create(builders.service_request(subject, performer=clinic.organization))
    task = shelter.create(
        builders.task(subject, f"ServiceRequest/{request['id']}", owner=clinic.organization)
    )
    shelter.get(f"/Task?patient={subject}")
    clinic.read(f"Task/{task['id']}")
    references = [subject] + [
        f"{found['resourceType']}/{found['id']}" for found in (release, condition, request, task)
    ]
    return shelter, patient, references


def withdraw(shelter: Caller, reference: str) -> None:
    assert shelter.ask("POST", f"/{reference}/$revoke", {"resourceType": "Parameters"}).status_code == 200


@pytest.mark.attack("S-43", "S-02")
def test_an_erased_person_was_never_there_and_the_chain_still_holds(fresh: World) -> None:
    shelter, patient, references = story(fresh)
    other = shelter.create(builders.patient())
    with pytest.raises(Conflict, match="Withdraw"):
        erase(fresh.parts, str(patient["id"]), shelter.organization, "asked")
    withdraw(shelter, references[1])
    held = check_audit(fresh.parts)
    assert held.holds
    erase(fresh.parts, str(patient["id"]), shelter.organization, "asked")

    for reference in references:
        answer = shelter.get(f"/{reference}")
        nothing = shelter.get(f"/{reference.partition('/')[0]}/00000000-0000-4000-8000-000000000000")
        assert (answer.status_code, answer.get_data()) == (404, nothing.get_data()), reference
    assert shelter.read(f"Patient/{other['id']}")["id"] == other["id"]
    verdict = check_audit(fresh.parts)
    assert verdict.holds, verdict
    assert verdict.links > held.links


@pytest.mark.attack("S-43")
def test_nothing_that_says_who_she_was_is_left_in_any_table(fresh: World) -> None:
    shelter, patient, references = story(fresh)
    withdraw(shelter, references[1])
    with fresh.parts.store.snapshot() as snapshot:
        row = snapshot.resource("Patient", str(patient["id"]))
    assert row is not None
    erase(fresh.parts, str(patient["id"]), shelter.organization, "asked")
    ids = {reference.partition("/")[2] for reference in references}
    left = {
        name: rows
        for name, found in everything(fresh).items()
        if name not in {*erasing.KEPT, "applied_change", "wrapped_key"}
        and (
            rows := [
                found_row for found_row in found if row.row_id in found_row or ids & set(map(str, found_row))
            ]
        )
    }
    # What asks recipients to delete their copies goes on: it holds ids they were given, and nothing else of her.
    assert not left, left
    assert KeyRows(fresh.parts.database).find([f"person:{row.row_id}"]) == {f"person:{row.row_id}": None}


@pytest.mark.attack("S-43")
def test_a_copy_of_the_rows_opens_no_more(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    url = f"sqlite:///{tmp_path / 'hub.db'}"
    with opened_world(url, folder) as world:
        world.add_organization("shelter", "shelter")
        shelter = world.caller("shelter")
        patient = shelter.create(builders.patient())
        with closing(sqlite3.connect(tmp_path / "hub.db")) as live:
            with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
                live.backup(copy)
            erase(world.parts, patient["id"], shelter.organization, "retention")
            # Keys have a life of their own (ADR 0019): a restored copy gets the rows of keys as they are now.
            keys = live.execute(
                "SELECT name, wrapped, master, created_us, destroyed_us FROM wrapped_key"
            ).fetchall()
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy, copy:
        copy.execute("DELETE FROM wrapped_key")
        copy.executemany("INSERT INTO wrapped_key VALUES (?, ?, ?, ?, ?)", keys)
    (tmp_path / "hub.db").unlink()
    (tmp_path / "copy.db").rename(tmp_path / "hub.db")
    for beside in ("hub.db-wal", "hub.db-shm"):
        (tmp_path / beside).unlink(missing_ok=True)
    restored = open_hub(world.parts.settings)
    try:
        with restored.store.snapshot() as snapshot, pytest.raises(Unavailable):
            snapshot.resource("Patient", patient["id"])
    finally:
        restored.close()


def test_only_the_organisation_that_keeps_the_record_can_have_it_erased(fresh: World) -> None:
    shelter = fresh.caller("shelter")
    patient = shelter.create(builders.patient())
    for patient_id, organization in (
        (patient["id"], fresh.organizations["clinic"]),
        ("00000000-0000-4000-8000-000000000000", shelter.organization),
    ):
        with pytest.raises(NotFound):
            erase(fresh.parts, patient_id, organization, "asked")
    assert shelter.read(f"Patient/{patient['id']}")["id"] == patient["id"]


def test_every_table_that_knows_a_person_says_what_becomes_of_it() -> None:
    handled = {table.name for table in erasing.BY_PERSON} | erasing.KEPT
    of_resources = {table.name for table, _ in erasing.BY_RESOURCE}
    of_accounts = {table.name for table in erasing.BY_ACCOUNT}
    told = handled | of_resources | of_accounts
    beside = {"organization", "subscription"}  # their rows hang on resources that are about nobody
    for table in METADATA.sorted_tables:
        columns = set(table.c.keys())
        if "person" in columns:
            assert table.name in handled, table.name
        elif columns & {"row_id", "resource"} and table.name not in beside:
            assert table.name in told, table.name
        elif "account" in columns and "oauth_client" not in columns:
            assert table.name in told | {"sign_in_attempts"}, table.name
    assert {table.name for table in (schema.resource, schema.resource_version)} <= handled
