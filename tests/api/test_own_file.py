"""The own file of an organisation that holds its key: on both databases."""

import base64
import dataclasses
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from referral_hub.app import Parts, clock, open_hub
from referral_hub.delivering import open_delivery
from referral_hub.errors import Conflict, InvalidParameter, NotFound
from referral_hub.exchange.withdrawing import withdraw_by_code
from referral_hub.keyring.own_file import make_own_key
from referral_hub.outbound.timers import TimerWork
from referral_hub.rekeying import erase, hold_own_file, own_file
from referral_hub.store.bodies import OWN, SEALED, SHARED
from referral_hub.store.own_file_keeping import OwnFileKeeper
from referral_hub.store.timers import Timers
from tests import builders
from tests.api.callers import assigned, names_of, signed_in
from tests.api.own_files import KeyedCaller, Operator, control, format_of, held, keyed, tables
from tests.postgres import PostgresServer
from tests.world import Caller, World, opened_world, parsed, texts

DAY_US = 86_400_000_000


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


@contextmanager
def beside(world: World) -> Iterator[Parts]:
    """Gives the hub as another process has it open, which has opened nothing yet."""
    other = open_hub(world.parts.settings, writer=world.parts.writer)
    try:
        yield other
    finally:
        other.spool.close()
        other.database.close()


def person(shelter: Caller, **more: object) -> str:
    return f"Patient/{shelter.create(builders.patient(**more))['id']}"  # type: ignore[arg-type]


def need(shelter: Caller, subject: str, category: str = "health") -> str:
    return f"Condition/{shelter.create(builders.condition(subject, category))['id']}"


def released(shelter: Caller, clinic: Caller, subject: str, *categories: str, days: float = 20) -> str:
    permit = builders.permit(clinic.organization, categories=categories or ("identity", "health"), days=days)
    return f"Consent/{shelter.create(builders.release(subject, shelter.organization, permit))['id']}"


def referred(shelter: Caller, clinic: Caller, subject: str) -> str:
    """Refers the person; the clinic accepts, so that what the release opens is open."""
    request = shelter.create(builders.service_request(subject, performer=clinic.organization))
    task = shelter.create(
        builders.task(subject, f"ServiceRequest/{request['id']}", owner=clinic.organization)
    )
    clinic.changed(f"Task/{task['id']}", status="accepted")
    return f"Task/{task['id']}"


def withdrawn(shelter: Caller, subject: str) -> None:
    answer = shelter.ask("POST", f"/{subject}/$withdraw", {"resourceType": "Parameters"})
    assert answer.status_code == 200, answer.get_data(as_text=True)


# ---- the operator's disk and the master key ----


def test_the_operators_disk_and_the_master_key_together_open_no_body_of_an_own_file(fresh: World) -> None:
    plain = fresh.caller("shelter")
    before = person(plain, name="Before")
    need(plain, before)
    assert (
        len(Operator(fresh).opened()) == 4
    )  # without a key of its own the operator reads all: twice two bodies
    secret, _ = held(fresh, "shelter")
    shelter = keyed(fresh, "shelter", secret)
    subject = person(shelter, name="Kestrel")
    condition = need(shelter, subject)
    note = shelter.create(builders.observation(subject))
    shelter.changed(condition, note=[{"text": "heron words"}])
    shelter.read(subject)
    shelter.get(f"/Condition?patient={subject}")
    shelter.get(f"/Condition?patient={subject}", X_Hub_Organization_Key="")
    fresh.parts.store.settle(clock())
    operator = Operator(fresh)
    assert len(list(operator.bodies())) == 11
    assert operator.opened() == []
    for words in (
        "Kestrel",
        "Before",
        "heron words",
        "cut on the hand",
        secret,
        secret.split(".")[1],
        note["id"] + '","',
    ):
        assert operator.holds(words) == [], words
    raw = base64.urlsafe_b64decode(secret.split(".")[1] + "=")
    assert [path for path, content in operator.files.items() if raw in content] == []


def test_the_attack_opens_such_a_body_with_the_organisations_key_and_only_with_it() -> None:
    made, person_key = make_own_key(), bytes(range(32))
    stored = control(made.public, person_key, "a/1")
    operator = Operator.__new__(Operator)
    operator.tables = {"own_key": []}
    operator.keys = [person_key]
    assert [one for one in operator._tried(stored, "a/1") if one is not None] == []
    operator.keys.append(base64.urlsafe_b64decode(made.secret.split(".")[1] + "="))
    assert {"resourceType": "Basic"} in list(operator._tried(stored, "a/1"))


def test_while_a_release_lasts_the_operator_reads_what_it_covers_and_nothing_more(fresh: World) -> None:
    secret, _ = held(fresh, "shelter")
    shelter, clinic = keyed(fresh, "shelter", secret), fresh.caller("clinic")
    subject = person(shelter)
    covered, not_covered = need(shelter, subject), need(shelter, subject, "legal-needs")
    other = person(shelter, name="Other")
    assert Operator(fresh).opened() == []
    released(shelter, clinic, subject)
    read = {f"{one['resourceType']}/{one['id']}" for one in Operator(fresh).opened()}
    assert read == {subject, covered}
    withdrawn(shelter, subject)
    assert Operator(fresh).opened() == []
    assert tables(fresh)["own_body"] == []
    for reference in (subject, covered, not_covered, other):
        assert format_of(fresh, reference) == OWN
        assert shelter.read(reference)["id"] == reference.partition("/")[2]


# ---- reading and writing with, without and with a wrong key ----


def test_an_organisation_reads_its_own_file_with_its_key_alone(fresh: World) -> None:
    secret, _ = held(fresh, "shelter")
    shelter, plain = keyed(fresh, "shelter", secret), fresh.caller("shelter")
    subject = person(plain)  # writing needs no key
    assert format_of(fresh, subject) == OWN
    assert shelter.read(subject)["name"][0]["family"] == "Larkson"
    other = make_own_key().secret
    for headers in ({}, {"X_Hub_Organization_Key": other}, {"X_Hub_Organization_Key": "nonsense"}):
        for path in (f"/{subject}", "/Patient", f"/{subject}/_history", f"/{subject}/$everything"):
            answer = plain.get(path, **headers)
            assert answer.status_code == 403, path
            assert "X-Hub-Organization-Key" in texts(answer)[0]
    assert parsed(plain.get("/Patient?_summary=count"))["total"] == 1
    shelter.changed(subject, gender="unknown")
    stored = shelter.read(subject)
    assert plain.update(stored).status_code == 403
    assert [
        entry["resource"]["gender"] for entry in parsed(shelter.get(f"/{subject}/_history"))["entry"]
    ] == [
        "unknown",
        "female",
    ]
    found = parsed(shelter.get("/Patient?family=Larkson"))
    assert [entry["resource"]["id"] for entry in found["entry"]] == [stored["id"]]


def test_the_key_of_one_organisation_opens_nothing_of_another(fresh: World) -> None:
    secret, _ = held(fresh, "shelter")
    shelter = keyed(fresh, "shelter", secret)
    subject = person(shelter)
    thief = keyed(fresh, "clinic", secret)
    absent = thief.get("/Patient/00000000-0000-4000-8000-000000000000")
    for reader in (thief, fresh.caller("clinic")):
        answer = reader.get(f"/{subject}")
        assert (answer.status_code, answer.get_data()) == (404, absent.get_data())
        assert "entry" not in parsed(reader.get("/Patient"))


def test_an_organisation_without_a_key_of_its_own_is_as_before(fresh: World) -> None:
    held(fresh, "shelter")
    clinic = fresh.caller("clinic")
    subject = person(clinic)
    assert format_of(fresh, subject) == SEALED
    assert clinic.read(subject)["id"] == subject.partition("/")[2]


def test_permissions_and_referrals_stay_readable_to_the_hub(fresh: World) -> None:
    secret, _ = held(fresh, "shelter")
    shelter, plain, clinic = keyed(fresh, "shelter", secret), fresh.caller("shelter"), fresh.caller("clinic")
    subject = person(shelter)
    consent = released(shelter, clinic, subject)
    task = referred(shelter, clinic, subject)
    for reference in (consent, task):
        assert format_of(fresh, reference) == SEALED
        assert plain.read(reference)["id"] == reference.partition("/")[2]


# ---- releases ----


def test_a_release_signed_with_the_key_opens_what_was_written_before_and_withdrawal_closes_it(
    fresh: World,
) -> None:
    secret, _ = held(fresh, "shelter")
    shelter, plain, clinic = keyed(fresh, "shelter", secret), fresh.caller("shelter"), fresh.caller("clinic")
    subject = person(shelter)
    before, legal = need(shelter, subject), need(shelter, subject, "legal-needs")
    released(shelter, clinic, subject)
    referred(shelter, clinic, subject)
    after = need(plain, subject)  # its copy needs no key: it is written in the clear at that moment
    assert {format_of(fresh, one) for one in (subject, before, after)} == {SHARED}
    assert format_of(fresh, legal) == OWN
    for reference in (subject, before, after):
        assert clinic.read(reference)["id"] == reference.partition("/")[2]
    assert clinic.get(f"/{legal}").status_code == 404
    found = parsed(clinic.get(f"/Condition?patient={subject}"))
    assert {entry["resource"]["id"] for entry in found["entry"]} == {
        before.partition("/")[2],
        after.partition("/")[2],
    }
    plain.changed(after, note=[{"text": "second version"}])  # covered, so its author needs no key either
    assert format_of(fresh, after) == SHARED
    assert clinic.get(f"/{after}").status_code == 200
    withdrawn(plain, subject)  # ending never needs a key
    for reference in (subject, before, after):
        assert clinic.get(f"/{reference}").status_code == 404
        assert format_of(fresh, reference) == OWN
    assert tables(fresh)["own_body"] == []
    assert {
        row["body_format"] for row in tables(fresh)["resource_version"] if row["type"] == "Condition"
    } == {OWN}
    assert shelter.read(after)["note"][0]["text"] == "second version"
    assert [e["resource"]["id"] for e in parsed(shelter.get(f"/{after}/_history"))["entry"]] == [
        after.partition("/")[2]
    ] * 2


def test_a_bundle_that_brings_her_file_and_its_release_is_shared_at_once_as_far_as_it_names(
    fresh: World,
) -> None:
    secret, _ = held(fresh, "shelter")
    shelter, clinic = keyed(fresh, "shelter", secret), fresh.caller("clinic")
    subject, permit = "urn:uuid:11111111-1111-4111-8111-111111111111", builders.permit(clinic.organization)
    sent = [
        {**builders.patient(), "fullUrl": subject},
        builders.condition(subject),
        builders.condition(subject, "legal-needs"),
        builders.release(subject, shelter.organization, permit),
    ]
    entries = [
        {
            "fullUrl": one.pop("fullUrl", f"urn:uuid:22222222-2222-4222-8222-22222222222{number}"),
            "resource": one,
            "request": {"method": "POST", "url": one["resourceType"]},
        }
        for number, one in enumerate(sent)
    ]
    answer = shelter.ask("POST", "", {"resourceType": "Bundle", "type": "transaction", "entry": entries})
    assert answer.status_code == 200, answer.get_data(as_text=True)
    made = [entry["response"]["location"].split("/fhir/")[-1] for entry in parsed(answer)["entry"]]
    formats = [format_of(fresh, "/".join(one.split("/")[:2])) for one in made]
    assert formats == [SHARED, SHARED, OWN, SEALED]


def test_a_narrowed_release_takes_back_the_copies_of_what_it_no_longer_covers(fresh: World) -> None:
    secret, _ = held(fresh, "shelter")
    shelter, clinic = keyed(fresh, "shelter", secret), fresh.caller("clinic")
    subject = person(shelter)
    health, legal = need(shelter, subject), need(shelter, subject, "legal-needs")
    released(shelter, clinic, subject, "identity", "health", "legal-needs")
    assert {format_of(fresh, one) for one in (subject, health, legal)} == {SHARED}
    answer = shelter.ask(
        "POST",
        f"/{subject}/$withdraw",
        {"resourceType": "Parameters", "parameter": [{"name": "category", "valueCode": "legal-needs"}]},
        X_Hub_Organization_Key="",
    )
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert {format_of(fresh, one) for one in (subject, health)} == {SHARED}
    assert format_of(fresh, legal) == OWN


def test_a_release_without_the_key_shows_nothing_until_the_key_comes(fresh: World) -> None:
    secret, _ = held(fresh, "shelter")
    shelter, plain, clinic = keyed(fresh, "shelter", secret), fresh.caller("shelter"), fresh.caller("clinic")
    subject = person(plain)
    condition = need(plain, subject)
    permit = builders.permit(clinic.organization)
    answer = plain.ask("POST", "/Consent", builders.release(subject, plain.organization, permit))
    assert answer.status_code == 403  # what is signed is judged beside her record
    consent = builders.release(subject, plain.organization, permit, status="draft")
    consent = shelter.create(consent)
    with beside(fresh) as other:
        # The release begins in a Change that brings no key, as it does where a copy could not be made.
        fresh.parts.keyring.own_files.is_given = lambda: False  # type: ignore[method-assign]
        try:
            shelter.changed(f"Consent/{consent['id']}", status="active")
            referred(shelter, clinic, subject)
        finally:
            del fresh.parts.keyring.own_files.is_given
        assert own_file(other, plain.organization).waiting == 2
    assert format_of(fresh, condition) == OWN
    assert clinic.get(f"/{condition}").status_code == 404
    assert clinic.get(f"/{subject}").status_code == 404
    assert "entry" not in parsed(clinic.get(f"/Condition?patient={subject}"))
    need(shelter, subject)  # the next thing its software writes about her brings the key
    assert clinic.get(f"/{condition}").status_code == 200
    assert clinic.get(f"/{subject}").status_code == 200
    assert own_file(fresh.parts, plain.organization).waiting == 0


def test_a_release_that_runs_out_takes_its_copies_with_it(
    fresh: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret, _ = held(fresh, "shelter")
    shelter, clinic = keyed(fresh, "shelter", secret), fresh.caller("clinic")
    subject = person(shelter)
    condition = need(shelter, subject)
    released(shelter, clinic, subject, days=5)
    keeper = OwnFileKeeper(fresh.parts.database, fresh.parts.writer, fresh.parts.bodies)
    assert keeper.keep(clock()) == 0
    assert format_of(fresh, condition) == SHARED
    assert keeper.keep(clock() + 6 * DAY_US) == 1
    assert {format_of(fresh, one) for one in (subject, condition)} == {OWN}
    assert keeper.keep(clock() + 6 * DAY_US) == 0
    loop = open_delivery(fresh.parts)
    monkeypatch.setattr(loop, "_clock", lambda: clock() + 6 * DAY_US)
    assert loop._keep_own_files() is False


def test_a_deleted_record_leaves_its_versions_to_its_author_alone(fresh: World) -> None:
    secret, _ = held(fresh, "shelter")
    shelter, plain = keyed(fresh, "shelter", secret), fresh.caller("shelter")
    clinic = fresh.caller("clinic")
    subject = person(shelter)
    released(shelter, clinic, subject, "identity", "plan")
    draft = {
        "resourceType": "CarePlan",
        "status": "draft",
        "intent": "plan",
        "subject": {"reference": subject},
        "category": builders.of_category("plan"),
    }
    plan = f"CarePlan/{shelter.create(draft)['id']}"
    assert plain.ask("DELETE", f"/{plan}").status_code == 204
    left = [row for row in tables(fresh)["resource_version"] if row["type"] == "CarePlan" and row["body"]]
    assert [row["body_format"] for row in left] == [OWN]
    assert parsed(shelter.get(f"/{plan}/_history"))["total"] == 2
    assert plain.get(f"/{plan}/_history").status_code == 403


def test_she_takes_everything_back_with_her_code_alone(fresh: World) -> None:
    secret, _ = held(fresh, "shelter")
    shelter, clinic = keyed(fresh, "shelter", secret), fresh.caller("clinic")
    subject = person(shelter)
    condition = need(shelter, subject)
    released(shelter, clinic, subject)
    with beside(fresh) as other:
        with other.store.snapshot() as snapshot:
            row = snapshot.resource(*subject.split("/"))
        assert row is not None
        assert row.person is not None
        withdraw_by_code(other.hub, row.person)
    assert {format_of(fresh, one) for one in (subject, condition)} == {OWN}


def test_she_herself_sees_what_is_not_locked_and_stops_it_without_any_key(fresh: World) -> None:
    secret, _ = held(fresh, "shelter")
    shelter, clinic = keyed(fresh, "shelter", secret), fresh.caller("clinic")
    subject = person(shelter)
    covered, legal = need(shelter, subject), need(shelter, subject, "legal-needs")
    she = signed_in(fresh, "shelter", "patient", account="p", person=subject)
    assert names_of(she, f"/Condition?patient={subject}") == set()
    assert she.get(f"/{subject}").status_code == 404
    fresh.parts.keyring.own_files.is_given = lambda: False  # type: ignore[method-assign]
    try:
        released(shelter, clinic, subject)  # it begins, and no copy is made
    finally:
        del fresh.parts.keyring.own_files.is_given
    withdrawn(she, subject)
    released(shelter, clinic, subject)
    assert names_of(she, f"/Condition?patient={subject}") == {covered}
    assert she.read(subject)["id"]
    assert she.get(f"/{legal}").status_code == 404
    withdrawn(she, subject)
    assert {format_of(fresh, one) for one in (subject, covered, legal)} == {OWN}


def test_staff_read_with_the_key_what_they_are_assigned_to_and_nothing_else(fresh: World) -> None:
    secret, _ = held(fresh, "shelter")
    shelter = keyed(fresh, "shelter", secret)
    hers, other = person(shelter), person(shelter, name="Other")
    worker = signed_in(fresh, "shelter", role="caseworker", account="w")
    assigned(fresh, "w", hers, organization=worker.organization)
    with_key = KeyedCaller(worker.organization, worker.token, worker.client, secret)
    assert with_key.read(hers)["id"]
    assert worker.get(f"/{hers}").status_code == 403
    assert with_key.get(f"/{other}").status_code == 404
    assert worker.get(f"/{other}").status_code == 404
    assert names_of(with_key, "/Patient") == {hers}


# ---- the life of a key ----


def test_a_file_that_is_there_is_sealed_when_the_organisation_takes_its_key(fresh: World) -> None:
    plain, clinic = fresh.caller("shelter"), fresh.caller("clinic")
    shared, closed = person(plain, name="Shared"), person(plain, name="Closed")
    condition = need(plain, shared)
    released(plain, clinic, shared)
    referred(plain, clinic, shared)
    closed_need = need(plain, closed)
    made = make_own_key()
    done = hold_own_file(fresh.parts, plain.organization, made.public, pause=lambda _: None)
    assert (done.sealed, done.shared, done.waiting) == (4, 2, 0)
    assert {format_of(fresh, one) for one in (shared, condition)} == {SHARED}
    assert {format_of(fresh, one) for one in (closed, closed_need)} == {OWN}
    assert clinic.read(condition)["id"]
    with beside(fresh) as restarted, restarted.store.snapshot() as snapshot:
        row = snapshot.resource(*closed_need.split("/"))
        assert row is not None
        assert (row.locked, row.body) == (True, b"")
    assert keyed(fresh, "shelter", made.secret).read(closed)["name"][0]["family"] == "Closedson"


def test_after_a_rotation_both_keys_open_and_what_is_written_about_her_is_sealed_anew(fresh: World) -> None:
    first, _ = held(fresh, "shelter")
    old = keyed(fresh, "shelter", first)
    subject, other = person(old), person(old, name="Other")
    condition = need(old, subject)
    clinic = fresh.caller("clinic")
    second, _ = held(fresh, "shelter")
    new, both = keyed(fresh, "shelter", second), keyed(fresh, "shelter", f"{second}, {first}")
    assert new.get(f"/{condition}").status_code == 403
    assert both.read(condition)["id"]
    released(both, clinic, subject)  # opens what lies under the earlier key, and seals it anew
    assert new.read(condition)["id"]
    withdrawn(new, subject)
    assert new.read(condition)["id"]
    assert old.get(f"/{condition}").status_code == 403
    assert old.read(other)["id"]
    assert new.get(f"/{other}").status_code == 403


def test_a_key_is_taken_by_an_organisation_only_and_a_secret_is_refused(fresh: World) -> None:
    made = make_own_key()
    with pytest.raises(InvalidParameter) as refused:
        hold_own_file(fresh.parts, fresh.organizations["shelter"], made.secret)
    assert made.secret not in refused.value.text
    with pytest.raises(NotFound):
        hold_own_file(fresh.parts, "nobody", made.public)
    with pytest.raises(Conflict):
        hold_own_file(fresh.parts, fresh.organizations["network"], made.public)
    with pytest.raises(NotFound):
        own_file(fresh.parts, fresh.organizations["shelter"])


def test_another_process_seals_within_a_second_and_what_slipped_in_open_is_sealed(
    fresh: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = fresh.caller("shelter")
    made = make_own_key()
    with beside(fresh) as operator:
        own_files = fresh.parts.keyring.own_files
        own_files.holders()
        monkeypatch.setattr("referral_hub.keyring.own_file.LOOK_AGAIN_S", 3600.0)
        hold_own_file(operator, plain.organization, made.public, pause=lambda _: None)
        slipped = person(plain)  # this process has not looked again yet
        assert format_of(fresh, slipped) == SEALED
        monkeypatch.setattr("referral_hub.keyring.own_file.LOOK_AGAIN_S", 0.0)
        assert format_of(fresh, person(plain)) == OWN
        OwnFileKeeper(operator.database, operator.writer, operator.bodies).keep(clock())
    assert format_of(fresh, slipped) == OWN


def test_an_erased_person_leaves_nothing_that_her_organisations_key_opens(fresh: World) -> None:
    secret, _ = held(fresh, "shelter")
    shelter, clinic = keyed(fresh, "shelter", secret), fresh.caller("clinic")
    subject = person(shelter)
    need(shelter, subject)
    released(shelter, clinic, subject)
    copy = tables(fresh)
    withdrawn(shelter, subject)
    erase(fresh.parts, subject.partition("/")[2], shelter.organization, "asked")
    left = tables(fresh)
    assert left["own_body"] == []
    assert [row for row in left["resource"] if row["person"] is not None] == []
    assert copy["own_body"]
    operator = Operator(fresh)
    operator.tables = {**copy, "own_key": left["own_key"]}  # a copy of before, with the keys of now
    operator.keys.append(base64.urlsafe_b64decode(secret.split(".")[1] + "="))
    assert operator.opened() == []


# ---- what goes on by itself ----


def test_an_export_lists_the_own_file_and_opens_it_when_it_is_fetched_with_the_key(fresh: World) -> None:
    secret, _ = held(fresh, "shelter")
    shelter, plain = keyed(fresh, "shelter", secret), fresh.caller("shelter")
    subject = person(shelter)
    plain = Caller(shelter.organization, shelter.token, shelter.client)
    begun = plain.get("/Patient/$export?_type=Patient", Prefer="respond-async")
    assert begun.status_code == 202, begun.get_data(as_text=True)
    job = begun.headers["Content-Location"].partition("/fhir")[2]
    loop = open_delivery(fresh.parts)
    while loop._exports.walk_one(clock()):
        pass
    manifest = json.loads(plain.get(job).get_data())
    assert [file["count"] for file in manifest["output"]] == [1]
    file = manifest["output"][0]["url"].partition("/fhir")[2]
    assert plain.get(file).status_code == 403
    answer = shelter.get(file)
    assert [json.loads(line)["id"] for line in answer.get_data().splitlines()] == [subject.partition("/")[2]]


def test_timers_messages_and_notices_go_on_without_a_key(fresh: World) -> None:
    secret, _ = held(fresh, "shelter")
    shelter, clinic = keyed(fresh, "shelter", secret), fresh.caller("clinic")
    subject = person(shelter)
    need(shelter, subject)
    released(shelter, clinic, subject, days=5)
    task = referred(shelter, clinic, subject)
    fired: dict[str, int] = {}
    with beside(fresh) as other:  # a process that opened nothing before
        for days in range(0, 40, 2):
            later = dataclasses.replace(other.hub, clock=lambda days=days: clock() + days * DAY_US)
            work = TimerWork(later, Timers(other.database, other.writer, other.bodies))
            while work.fire_one(later.clock()):
                OwnFileKeeper(other.database, other.writer, other.bodies).keep(later.clock())
            for name, count in work.tally.read().items():
                fired[name] = fired.get(name, 0) + count
        loop = open_delivery(other)
        while loop._matching.match_one(clock()):
            pass
        claimed = 0
        while (delivery := loop._delivery.claim(clock())) is not None and claimed < 20:
            loop._delivery.deliver(delivery)
            claimed += 1
    assert "timer-put-off" not in fired
    assert fired["consent-ended"] == 1
    assert shelter.read(task)["businessStatus"]["coding"][0]["code"] == "sharing-ended"
    assert format_of(fresh, subject) == OWN


def test_two_keys_are_enough_and_a_header_of_many_does_no_harm(fresh: World) -> None:
    secret, _ = held(fresh, "shelter")
    shelter = keyed(fresh, "shelter", secret)
    subject = person(shelter)
    many = ", ".join([*(make_own_key().secret for _ in range(3)), secret])
    assert KeyedCaller(shelter.organization, shelter.token, shelter.client, many).read(subject)["id"]
    late = ", ".join([*(make_own_key().secret for _ in range(4)), secret])
    assert keyed(fresh, "shelter", late).get(f"/{subject}").status_code == 403
    assert shelter.get(f"/{subject}", X_Hub_Organization_Key="").status_code == 403
