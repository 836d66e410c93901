"""What one Change leaves behind: rows, history and index rows, sealed, all of it or nothing."""

import sqlite3

import psycopg
import pytest

from referral_hub.errors import GuardFailed, HubError, Unavailable
from referral_hub.exchange.change import (
    AbsentGuard,
    ConsentRows,
    DateIndex,
    EpochGuard,
    OrganizationGuard,
    Row,
    StringIndex,
    TokenGuard,
    TokenIndex,
    VersionGuard,
)
from referral_hub.store import schema
from referral_hub.store.audit_rows import entry_of
from referral_hub.store.bodies import body_label
from referral_hub.store.key_rows import destroy_rows
from tests.api.store.hubs import NOW, SECOND, Hub, entry, next_version, patient, write


def test_a_create_leaves_one_current_row_and_one_version(hub: Hub):
    made = write(owner="clinic", status="requested", sensitivities=("A", "B"), directory=False)
    hub.apply(resources=(made,))
    current, version = hub.one(schema.resource), hub.one(schema.resource_version)
    assert current == version
    assert current["id"] == made.id
    assert current["owner"] == "clinic"
    assert current["requester"] is None
    assert current["sensitivities"] == "A B"
    assert (current["deleted"], current["directory"]) == (0, 0)


@pytest.mark.parametrize("about_somebody", [True, False])
def test_no_body_lies_readable_and_each_opens_under_its_own_name(hub: Hub, about_somebody: bool):
    made = patient() if about_somebody else write("Organization", directory=True)
    hub.apply(resources=(made,))
    for table in (schema.resource, schema.resource_version):
        row = hub.one(table)
        assert b"resourceType" not in row["body"]
        assert row["body_format"] == 1
        label = body_label(row["id"], row["version"])
        assert hub.bodies.open(row["body"], row["body_format"], row["person"], label) == made.body
        with pytest.raises(Unavailable):
            hub.bodies.open(row["body"], row["body_format"], row["person"], body_label(row["id"], "other"))


def test_an_update_replaces_the_row_and_its_index_rows_and_keeps_the_version_before(hub: Hub):
    first = write(status="requested", tokens=(TokenIndex("status", "|requested"),))
    second = next_version(first, status="accepted", tokens=(TokenIndex("status", "|accepted"),))
    hub.apply(resources=(first,))
    hub.apply(resources=(second,), guards=(VersionGuard(first.row_id, first.version),))
    assert hub.one(schema.resource)["status"] == "accepted"
    assert [row["status"] for row in hub.rows(schema.resource_version)] == ["requested", "accepted"]
    token = hub.keys.digests.token
    found = {row["hash"] for row in hub.rows(schema.index_token)}
    assert found == {token("Task", "status", text) for text in ("", "|accepted", "accepted")}


def test_a_delete_leaves_an_empty_marked_row_without_index_rows(hub: Hub):
    first = write(
        tokens=(TokenIndex("identifier", "urn:x|1"),),
        dates=(DateIndex("authored-on", NOW, NOW + SECOND),),
        strings=(StringIndex("name", "north house"),),
    )
    hub.apply(resources=(first,))
    hub.apply(resources=(next_version(first, interaction="delete", body=b"", method="DELETE"),))
    row = hub.one(schema.resource)
    assert (row["deleted"], row["body"], row["method"]) == (1, b"", "DELETE")
    for table in (schema.index_token, schema.index_date, schema.index_string):
        assert hub.rows(table) == []
    with pytest.raises(GuardFailed):
        hub.apply(resources=(next_version(first, number=3),))


def test_a_name_is_indexed_as_digests_of_the_whole_and_of_each_word(hub: Hub):
    made = patient(
        strings=(StringIndex("name", "anna maria example", identifying=True), StringIndex("x", "plain"))
    )
    hub.apply(resources=(made,))
    word, parameter = hub.keys.digests.word, hub.keys.digests.parameter
    found = {(row["parameter"], row["text"]) for row in hub.rows(schema.index_string)}
    named = {word("Patient", "name", text) for text in ("anna maria example", "anna", "maria", "example")}
    assert found == {(parameter("Patient", "name"), text) for text in named} | {
        (parameter("Patient", "x"), "plain")
    }


def test_a_resource_written_twice_in_one_change_keeps_both_versions_and_the_last_index_rows(hub: Hub):
    first = write(tokens=(TokenIndex("status", "|draft"),))
    second = next_version(first, tokens=(TokenIndex("status", "|requested"),))
    hub.apply(resources=(first, second))
    assert [row["number"] for row in hub.rows(schema.resource_version)] == [1, 2]
    assert hub.keys.digests.token("Task", "status", "|draft") not in {
        row["hash"] for row in hub.rows(schema.index_token)
    }


def test_an_update_of_a_number_that_is_not_the_next_one_fails(hub: Hub):
    first = write()
    hub.apply(resources=(first,))
    for number in (1, 3):
        with pytest.raises(GuardFailed):
            hub.apply(resources=(next_version(first, number=number),))
    assert len(hub.rows(schema.resource_version)) == 1


@pytest.mark.parametrize("same", ["row_id", "id"])
def test_a_taken_row_id_or_public_id_is_decided_again(hub: Hub, same: str):
    first = write()
    hub.apply(resources=(first,))
    with pytest.raises(GuardFailed):
        hub.apply(resources=(write(**{same: getattr(first, same)}),))
    assert len(hub.rows(schema.resource)) == 1


def test_a_change_applied_twice_is_applied_once(hub: Hub):
    made = write()
    for _ in range(2):
        hub.apply(change_id="again", resources=(made,), audit=())
    assert len(hub.rows(schema.resource)) == 1
    # Even where the second one would be refused by now.
    hub.apply(change_id="again", resources=(made,), guards=(VersionGuard(made.row_id, "another"),))


GUARDS = {
    "version": lambda hub, row: VersionGuard(row.row_id, "another"),
    "version of nothing": lambda hub, row: VersionGuard(1, row.version),
    "epoch": lambda hub, row: EpochGuard(row.row_id, 1),
    "epoch of nobody": lambda hub, row: EpochGuard(2, 0),
    "token": lambda hub, row: TokenGuard(b"unknown", NOW),
    "organization": lambda hub, row: OrganizationGuard("nowhere", 1),
    "absent": lambda hub, row: AbsentGuard("shelter", "Patient", "identifier", "urn:x|1"),
}


@pytest.mark.parametrize("name", GUARDS)
def test_a_failed_guard_leaves_nothing_behind(hub: Hub, name: str):
    there = patient(tokens=(TokenIndex("identifier", "urn:x|1"),))
    hub.apply(resources=(there,))
    with pytest.raises(GuardFailed):
        hub.apply(change_id="stale", resources=(write(),), guards=(GUARDS[name](hub, there),))
    assert len(hub.rows(schema.resource)) == 1
    assert (
        hub.rows(schema.applied_change, schema.applied_change.c.change_id == "stale") == [] if False else True
    )
    assert "stale" not in {row["change_id"] for row in hub.rows(schema.applied_change)}


def test_guards_that_hold_let_the_change_through(hub: Hub):
    there = patient()
    organization = {
        "id": "shelter",
        "part_of": "",
        "ancestors": "",
        "kind": "shelter",
        "governmental": 0,
        "country": "PL",
        "active": 1,
        "neutral_name": "",
        "name": "North House",
        "fhir_endpoint": "",
        "poll_seconds": 0,
        "is_hub": 0,
        "row_id": 5,
    }
    client = {
        "client_id": "app",
        "organization": "shelter",
        "name": "App",
        "kind": "public",
        "jwks": "",
        "jwks_url": "",
        "secret_hash": "",
        "scope": "",
        "purposes": "",
        "redirect_uris": "",
        "require_dpop": 0,
        "very_restricted": 1,
        "created_us": NOW,
    }
    token = {
        "digest": b"d" * 32,
        "oauth_client": "app",
        "organization": "shelter",
        "scope": "",
        "purpose": "TREAT",
        "role": "",
        "user_id": "",
        "issued_us": NOW,
        "expires_us": NOW + SECOND,
        "very_restricted": 1,
    }
    hub.apply(
        resources=(there,),
        rows=(
            Row("organization_put", organization),
            Row("oauth_client_insert", client),
            Row("oauth_token_insert", token),
        ),
    )
    live = TokenGuard(b"d" * 32, NOW)
    hub.apply(
        resources=(write(),),
        guards=(
            VersionGuard(there.row_id, there.version),
            EpochGuard(there.row_id, 0),
            live,
            OrganizationGuard("shelter", 1),
            AbsentGuard("shelter", "Patient", "identifier", "urn:x|1"),
        ),
    )
    for stale in (
        Row("oauth_client_set_active", {"client_id": "app", "active": 0}),
        Row("oauth_client_set_active", {"client_id": "app", "active": 1}),
        Row("oauth_token_revoke", {"digest": b"d" * 32, "oauth_client": "app"}),
    ):
        hub.apply(rows=(stale,))
        if stale.parameters.get("active") == 1:
            hub.apply(guards=(live,))
            continue
        with pytest.raises(GuardFailed):
            hub.apply(guards=(live,))
    with pytest.raises(GuardFailed):
        hub.apply(guards=(TokenGuard(b"d" * 32, NOW + SECOND),))


def test_a_row_that_touches_nothing_fails_where_it_must_not(hub: Hub):
    revoke = {"digest": b"none", "oauth_client": "app"}
    hub.apply(rows=(Row("oauth_token_revoke", revoke),))
    with pytest.raises(GuardFailed):
        hub.apply(resources=(write(),), rows=(Row("oauth_token_revoke", revoke, at_least_one=True),))
    assert hub.rows(schema.resource) == []


@pytest.mark.parametrize(
    "row",
    [
        Row("drop_everything", {}),
        Row("oauth_token_revoke", {"digest": b""}),
        Row("change_prune", {"x": 1}),
        Row("index_token_insert", {"hash": 1, "row_id": 1}),
    ],
)
def test_a_row_nobody_declared_is_refused(hub: Hub, row: Row):
    with pytest.raises(ValueError, match=row.statement):
        hub.apply(rows=(row,))


@pytest.mark.parametrize("jti", [None, "a text where octets belong"])
def test_a_row_the_database_refuses_is_no_matter_of_deciding_again(hub: Hub, jti: str | None):
    wrong = Row("oauth_jti_insert", {"oauth_client": None, "jti": jti, "expires_us": NOW})
    with pytest.raises(HubError) as refused:
        hub.apply(resources=(write(),), rows=(wrong,))
    assert type(refused.value) is HubError
    assert "octets" not in refused.value.text
    assert hub.rows(schema.resource) == []


def test_texts_and_octets_of_every_kind_come_back_as_they_were(hub: Hub):
    odd = "quote ' double \" back \\ new\nline \t ä 漢 \U0001f600 \u2028 %s :name {}"
    made = write(kind=odd, status="", body=bytes(range(256)), updated_us=2**63 - 1, data_from_us=-(2**63))
    hub.apply(resources=(made,), audit=(entry(reason=odd, detail=bytes(range(256))),))
    row, told = hub.one(schema.resource), hub.one(schema.audit)
    assert (row["kind"], row["updated_us"], row["data_from_us"]) == (odd, 2**63 - 1, -(2**63))
    assert hub.bodies.open(row["body"], 1, None, body_label(row["id"], row["version"])) == bytes(range(256))
    assert entry_of(hub.bodies, tuple(told.values())) == entry(reason=odd, detail=bytes(range(256)))


def test_two_absent_guards_look_at_the_own_organisation_only(hub: Hub):
    there = patient(author="clinic", tokens=(TokenIndex("identifier", "urn:x|1"),))
    hub.apply(resources=(there,))
    hub.apply(
        resources=(patient(tokens=(TokenIndex("identifier", "urn:x|1"),)),),
        guards=(AbsentGuard("shelter", "Patient", "identifier", "urn:x|1"),),
    )
    assert len(hub.rows(schema.resource)) == 2


def test_each_consent_raises_the_epoch_and_a_person_begins_at_none(hub: Hub):
    her = patient()
    hub.apply(resources=(her,))
    assert hub.one(schema.person)["epoch"] == 0
    for epoch in (1, 2):
        hub.apply(consents=(ConsentRows(9, her.row_id),), guards=(EpochGuard(her.row_id, epoch - 1),))
        assert hub.one(schema.person)["epoch"] == epoch


def test_each_person_has_a_key_of_her_own_and_a_destroyed_one_opens_nothing(hub: Hub):
    one, other = patient(), patient()
    hub.apply(resources=(one, other))
    names = [row["name"] for row in hub.rows(schema.wrapped_key) if row["name"].startswith("person:")]
    assert sorted(names) == sorted(f"person:{row.row_id}" for row in (one, other))
    hub.apply(rows=destroy_rows(one.row_id, NOW))
    hub.keys.forget(one.row_id)
    found = {row["row_id"]: row for row in hub.rows(schema.resource)}

    def opened(row: dict) -> bytes:
        label = body_label(row["id"], row["version"])
        return hub.bodies.open(row["body"], row["body_format"], row["person"], label)

    assert opened(found[other.row_id]) == other.body
    with pytest.raises(Unavailable):
        opened(found[one.row_id])
    with pytest.raises(Unavailable):
        hub.apply(resources=(write(person=one.row_id),))
    key = hub.one(schema.wrapped_key, schema.wrapped_key.c.destroyed_us.is_not(None))
    assert key["wrapped"] is None


def test_a_resource_about_a_person_without_a_record_gets_her_a_key(hub: Hub):
    made = write(person=77)
    hub.apply(resources=(made,))
    assert hub.one(schema.person) == {"row_id": 77, "epoch": 0, "key": "person:77"}
    hub.apply(resources=(write(person=77),))
    keys = [row for row in hub.rows(schema.wrapped_key) if row["name"] == "person:77"]
    assert len(keys) == 1


def test_readers_of_an_embedded_database_cannot_write(hub: Hub):
    with hub.database.reading() as connection:
        refused = (
            sqlite3.OperationalError
            if hub.database.dialect == "sqlite"
            else psycopg.errors.ReadOnlySqlTransaction
        )
        with pytest.raises(refused):
            connection.driver.execute("DELETE FROM resource")  # type: ignore[attr-defined]
