"""The authorization server on a real store: a partner registers, gets a token, uses it, and loses it."""

import threading
import time
from dataclasses import dataclass
from typing import Any

import pytest
from werkzeug.test import TestResponse

from referral_hub.app import clock
from referral_hub.auth.changes import client_switched, forgotten
from referral_hub.auth.clients import ClientKey, register
from referral_hub.auth.tokens import token_digest
from referral_hub.exchange.change import Change, Row
from referral_hub.resources.catalog import DEFINITIONS
from referral_hub.store.stored_oauth import StoredOAuthRows
from tests.unit.auth.partner import Partner, basic, ec_key, key_set, public_jwk, rsa_key
from tests.world import Caller, World

JSON = dict[str, Any]


@dataclass
class Registered:
    """One partner's software at a hub."""

    world: World
    partner: Partner
    organization: str

    def post(self, address: str, form: dict[str, str], **headers: str) -> TestResponse:
        return self.world.client.post(address, data=form, headers=headers)

    def form(self, scope: str = "system/Patient.crus system/Task.rs", **more: Any) -> dict[str, str]:
        return self.partner.form(time.time(), scope, **more)

    def token(self, **more: Any) -> str:
        answer = self.post("/oauth/token", self.form(**more))
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return str(answer.get_json()["access_token"])

    def caller(self, token: str) -> Caller:
        return Caller(self.organization, token, self.world.client)

    def rows(self) -> StoredOAuthRows:
        return StoredOAuthRows(self.world.parts.database, self.world.parts.store)

    def apply(self, change: Change) -> None:
        self.world.parts.store.apply(self.world.parts.gate.admit_token(change))


def registered(world: World, key: Any = None, alg: str = "ES384", **more: Any) -> Registered:
    key = key or ec_key("api")
    organization = world.add_organization(f"Invented {clock()}", "clinic")
    rows = StoredOAuthRows(world.parts.database, world.parts.store)
    registration = register(
        rows.organization(organization),
        "Invented software",
        ClientKey(jwks=key_set(public_jwk(key, "k1"))),
        "system/*.crus",
        types=frozenset(DEFINITIONS),
        at_us=clock(),
        **{"purposes": ["TREAT"], **more},
    )
    world.parts.store.apply(world.parts.gate.admit_token(registration.change))
    partner = Partner(registration.client_id, key, "k1", world.parts.addresses.token, alg=alg)
    return Registered(world, partner, organization)


def resource_server(world: World) -> str:
    """Registers a client of the network's own organisation and gives its Basic header."""
    hub = StoredOAuthRows(world.parts.database, world.parts.store).hub_organization()
    registration = register(
        hub, "Resource server", ClientKey(secret=True), "system/Task.rs", types={"Task"}, at_us=clock()
    )
    world.parts.store.apply(world.parts.gate.admit_token(registration.change))
    return basic(registration.client_id, registration.secret)


@pytest.mark.parametrize("alg", ["ES384", "RS384"])
def test_a_token_opens_the_fhir_api(world: World, alg: str) -> None:
    it = registered(world, rsa_key("api") if alg == "RS384" else None, alg)
    caller = it.caller(it.token())
    made = caller.create({"resourceType": "Patient", "name": [{"text": "Invented Person"}]})
    assert caller.read(f"Patient/{made['id']}")["id"] == made["id"]


@pytest.mark.parametrize("header", [None, "Bearer invented", "Basic abc", "DPoP abc", "Bearer"])
def test_nothing_else_opens_it(world: World, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    assert world.client.get("/fhir/Patient/x", headers=headers).status_code == 401


def test_a_scope_that_was_not_asked_for_is_not_given(world: World) -> None:
    it = registered(world)
    caller = it.caller(it.token(scope="system/Task.rs"))
    answer = caller.ask("POST", "/Patient", {"resourceType": "Patient"})
    assert answer.status_code == 403


def test_an_assertion_counts_once(world: World) -> None:
    it = registered(world)
    form = it.form()
    assert [it.post("/oauth/token", form).status_code for _ in range(3)] == [200, 400, 400]


def test_an_assertion_counts_once_also_when_sent_many_times_at_the_same_moment(world: World) -> None:
    it = registered(world)
    form = it.form()
    barrier, statuses = threading.Barrier(4), []

    def ask() -> None:
        client = world.client.application.test_client()
        barrier.wait()
        statuses.append(client.post("/oauth/token", data=form).status_code)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(statuses) == [200, 400, 400, 400]


def test_a_type_beyond_the_floor_comes_with_the_first_own_record(world: World) -> None:
    it = registered(world)
    asked = "system/CarePlan.crs system/Patient.crus"
    before = it.post("/oauth/token", it.form(asked)).get_json()
    assert before["scope"] == "system/CarePlan.c system/Patient.crs"
    caller = it.caller(before["access_token"])
    person = caller.create({"resourceType": "Patient", "name": [{"text": "Invented Person"}]})
    after = it.post("/oauth/token", it.form(asked)).get_json()
    assert after["scope"] == "system/CarePlan.c system/Patient.crus"
    assert person["id"]


def test_a_revoked_token_opens_nothing_at_once(world: World) -> None:
    it = registered(world)
    token = it.token()
    assert it.caller(token).get("/Patient").status_code == 200
    assert it.post("/oauth/revoke", {**it.form(), "token": token}).status_code == 200
    assert it.caller(token).get("/Patient").status_code == 401
    assert it.caller(token).ask("POST", "/Patient", {"resourceType": "Patient"}).status_code == 401


def test_a_client_switched_off_opens_nothing_at_once(world: World) -> None:
    it = registered(world)
    token = it.token()
    assert it.caller(token).get("/Patient").status_code == 200
    row = it.rows().oauth_client(it.partner.client_id)
    assert row is not None
    it.apply(client_switched(row, active=False, at_us=clock()))
    assert it.caller(token).get("/Patient").status_code == 401
    assert it.post("/oauth/token", it.form()).get_json()["error"] == "invalid_client"


def test_a_suspended_organisation_opens_nothing_at_once(world: World) -> None:
    it = registered(world)
    token = it.token()
    assert it.caller(token).get("/Patient").status_code == 200
    suspend = Row("organization_set_active", {"organization": it.organization, "active": 0})
    it.apply(Change(f"suspend-{clock()}", rows=(suspend,)))
    assert it.caller(token).get("/Patient").status_code == 403
    assert it.post("/oauth/token", it.form()).get_json()["error"] == "invalid_client"


def test_introspection_follows_the_life_of_a_token(world: World) -> None:
    it, headers = registered(world), {"Authorization": resource_server(world)}
    given: JSON = it.post("/oauth/token", it.form()).get_json()
    question = {"token": given["access_token"]}
    live = it.post("/oauth/introspect", question, **headers).get_json()
    assert (live["active"], live["client_id"]) == (True, it.partner.client_id)
    assert live["scope"] == given["scope"]
    assert abs(live["exp"] - time.time() - 300) < 10
    other = registered(world)
    assert it.post("/oauth/introspect", {**other.form(), **question}).get_json() == {"active": False}
    assert it.post("/oauth/revoke", {**other.form(), **question}).get_json()["error"] == "invalid_grant"
    it.post("/oauth/revoke", {**it.form(), **question})
    assert it.post("/oauth/introspect", question, **headers).get_json() == {"active": False}


def test_forgetting_leaves_what_still_counts(world: World) -> None:
    it = registered(world)
    form, token = it.form(), it.token()
    assert it.post("/oauth/token", form).status_code == 200
    it.apply(forgotten(clock()))
    assert it.post("/oauth/token", form).status_code == 400
    assert it.caller(token).get("/Patient").status_code == 200


def test_role_and_purpose_of_the_assertion_are_the_tokens(world: World) -> None:
    it = registered(world, purposes=["TREAT", "safety-planning"])
    b2b = {
        "version": "1",
        "purpose_of_use": ["safety-planning"],
        "subject_role": "nurse",
        "subject_id": "u-17",
    }
    assert it.post("/oauth/token", it.form()).get_json()["error"] == "invalid_request"
    token = it.token(claims={"extensions": {"hl7-b2b": b2b}})
    row = it.rows().oauth_token(token_digest(token))
    assert row is not None
    assert (row.purpose, row.role, row.user) == ("safety-planning", "nurse", "u-17")
