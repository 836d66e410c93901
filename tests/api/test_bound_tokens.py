"""Tokens bound to a consent and to a key, end to end: what they open, what they leave closed, and what is told of them.

Attacks on them are in ``test_token_attacks``.
"""

import threading
from hashlib import sha256

import pytest

from referral_hub.access.scopes import ScopeSet
from referral_hub.app import RandomIds, clock
from referral_hub.auth.changes import token_given
from referral_hub.auth.purposes import Assertion
from referral_hub.auth.request import Decided
from referral_hub.errors import GuardFailed
from referral_hub.store.stored_oauth import StoredOAuthRows
from tests import builders as b
from tests.api.network import Story, story
from tests.api.token_partner import JSON, Software, introspected, software
from tests.world import World, parsed


def accepted(world: World, **release: object) -> tuple[Story, Software]:
    it = story(world)
    it.sign(**{"categories": ("identity", "health", "contact"), "very_restricted": True, **release})
    it.refer()
    it.move("accepted")
    return it, software(world, it.clinic)


def bound(it: Story, clinic: Software, **details: object) -> str:
    return str(clinic.granted(details={"referral": it.task, **details})["access_token"])


def ids(bundle: JSON) -> set[str]:
    return {f"{one['resource']['resourceType']}/{one['resource']['id']}" for one in bundle.get("entry", ())}


def test_a_bound_token_reads_what_the_release_of_its_referral_opens(world: World) -> None:
    it, clinic = accepted(world)
    health = f"Condition/{it.record('Condition', 'health')['id']}"
    it.record("Condition", "housing")
    caller = clinic.bearer(bound(it, clinic))
    assert "telecom" in caller.read(it.person)
    assert caller.read(it.request)["code"]
    assert ids(parsed(caller.get("/Condition"))) == {health}
    assert ids(parsed(caller.get("/Task"))) == {it.task}
    assert ids(parsed(caller.get("/Patient"))) == {it.person}


def test_a_bound_token_moves_its_referral(world: World) -> None:
    it, clinic = accepted(world)
    caller = clinic.bearer(bound(it, clinic))
    assert caller.changed(it.task, status="in-progress")["status"] == "in-progress"


def test_a_bound_token_can_be_for_reading_alone(world: World) -> None:
    it, clinic = accepted(world)
    given = clinic.granted(details={"referral": it.task, "actions": ["read"], "datatypes": ["Task"]})
    assert given["scope"] == "system/Task.r"
    caller = clinic.bearer(given["access_token"])
    task = caller.read(it.task)
    assert caller.get("/Task").status_code == 403
    assert caller.update({**task, "status": "in-progress"}).status_code == 403
    assert caller.get(f"/{it.person}").status_code == 403


def test_a_notice_opens_to_a_bound_token_as_to_a_standard_one(world: World) -> None:
    it = story(world)
    it.sign()
    it.refer()
    clinic = software(world, it.clinic)
    standard = clinic.bearer(clinic.granted()["access_token"])
    assert clinic.bearer(bound(it, clinic)).read(it.task) == standard.read(it.task)


def test_a_named_instance_opens_to_a_bound_token(world: World) -> None:
    it = story(world)
    named = it.record("Condition", "housing")
    other = it.record("Condition", "housing")
    permit = b.permit(it.clinic, categories=("identity",))
    single = b.permit(it.clinic, categories=(), instances=(f"Condition/{named['id']}",))
    it.s.create(b.release(it.person, it.shelter, permit, single))
    it.refer()
    it.move("accepted")
    clinic = software(world, it.clinic)
    caller = clinic.bearer(bound(it, clinic))
    assert caller.get(f"/Condition/{named['id']}").status_code == 200
    assert caller.get(f"/Condition/{other['id']}").status_code == 404


def test_the_handle_of_an_answer_is_as_good_as_the_referral(world: World) -> None:
    it, clinic = accepted(world)
    first = clinic.granted(details={"referral": f"{clinic.addresses.fhir}/{it.task}"})
    (told,) = first["authorization_details"]
    assert set(told) == {"type", "identifier", "actions", "datatypes"}
    again = clinic.granted(details={"identifier": told["identifier"]})
    assert again["authorization_details"] == first["authorization_details"]
    assert clinic.bearer(again["access_token"]).get(f"/{it.person}").status_code == 200


def test_a_resource_server_of_the_network_is_told_all_of_it(world: World) -> None:
    it, clinic = accepted(world)
    found = introspected(world, bound(it, clinic, categories=["health"], max_confidentiality="R"))
    (told,) = found["authorization_details"]
    body = it.s.get(f"/Consent/{it.release['id']}").get_data()
    assert (told["consent"], told["consent_version"]) == (
        f"Consent/{it.release['id']}",
        it.release["meta"]["versionId"],
    )
    assert told["consent_sha256"] == sha256(body).hexdigest()
    assert told["policy"] == "https://network.example/policy/release/v1"
    assert (told["categories"], told["max_confidentiality"]) == (["health"], "R")
    assert told["recipient"] == {"organization": f"Organization/{it.clinic}"}
    assert told["referral"] == it.task
    assert found["patient"] == it.person.partition("/")[2]
    pcf = found["extensions"]["ihe_pcf"]
    assert pcf["doc_id"] == [f"Consent/{it.release['id']}/_history/{it.release['meta']['versionId']}"]
    assert pcf["residual"][0]["type"] == "forbid"
    assert found["extensions"]["ihe_iua"]["purpose_of_use"][0]["code"] == "TREAT"


def test_a_token_ends_with_its_permit(world: World) -> None:
    it, clinic = accepted(world)
    given = clinic.granted(details={"referral": it.task})
    assert given["expires_in"] == 300
    it.revoke()
    it.sign(days=150 / 86_400)
    short = clinic.granted(details={"referral": it.task})
    assert 100 < short["expires_in"] <= 150


def test_she_can_see_who_asked_for_her_record_and_was_refused(world: World) -> None:
    it, clinic = accepted(world)
    stranger = software(world, world.add_organization(f"stranger {clock()}", "legal-aid"))
    assert stranger.asked(details={"referral": it.task}).status_code == 400
    it.revoke()
    assert clinic.asked(details={"referral": it.task}).status_code == 400
    ledger = parsed(it.s.get(f"/{it.person}/$disclosures"))
    refused = [
        {part["name"]: next(v for k, v in part.items() if k.startswith("value")) for part in one["part"]}
        for one in ledger["parameter"]
        if one["name"] == "disclosure"
    ]
    who = {
        one["recipient"]["reference"]
        for one in refused
        if (one["what"], one["outcome"]) == ("oauth-token", "refused")
    }
    assert who == {f"Organization/{stranger.organization}", f"Organization/{it.clinic}"}


def test_a_withdrawal_between_decision_and_token_leaves_no_token(world: World) -> None:
    it, clinic = accepted(world)
    oauth, rows = world.parts.oauth, StoredOAuthRows(world.parts.database, world.parts.store)
    client = rows.oauth_client(clinic.partner.client_id)
    assert client is not None
    text = f'[{{"type": "{clinic.details_type}", "referral": "{it.task}"}}]'
    at_us = clock()
    scope, found = oauth.rich_requests.bound(
        client,
        text,
        ScopeSet.parse("system/Patient.rs"),
        "TREAT",
        Assertion(),
        at_us=at_us,
        expires_us=at_us + 300_000_000,
    )
    it.revoke()
    digest = sha256(RandomIds().public_id().encode()).digest()
    decided = Decided(scope.text(), "TREAT", Assertion(), found)
    change = token_given(client, decided, digest, None, at_us=at_us, expires_us=at_us + 300_000_000)
    with pytest.raises(GuardFailed):
        rows.apply(world.parts.gate.admit_token(change))
    assert rows.oauth_token(digest) is None


def test_a_token_bound_to_both_needs_both(world: World) -> None:
    it, clinic = accepted(world)
    given = clinic.granted(details={"referral": it.task}, proved=True)
    token = given["access_token"]
    assert given["token_type"] == "DPoP"
    assert clinic.get(f"/{it.person}", token).status_code == 200
    assert clinic.bearer(token).get(f"/{it.person}").status_code == 401
    told = introspected(world, token)
    assert told["cnf"] == {"jkt": clinic.prover.jkt}
    assert told["authorization_details"]
    it.revoke()
    assert clinic.get(f"/{it.person}", token).status_code == 401


def test_one_proof_sent_many_times_at_the_same_moment_counts_once(world: World) -> None:
    it, clinic = accepted(world)
    token = clinic.granted(proved=True)["access_token"]
    proof = clinic.proof("GET", f"{clinic.addresses.fhir}/{it.task}", token=token)
    barrier, statuses = threading.Barrier(4), []

    def ask() -> None:
        client = world.client.application.test_client()
        headers = {"Authorization": f"DPoP {token}", "DPoP": proof}
        barrier.wait()
        statuses.append(client.get(f"/fhir/{it.task}", headers=headers).status_code)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(statuses) == [200, 401, 401, 401]


@pytest.mark.parametrize("method", ["POST", "PUT", "HEAD", "DELETE"])
def test_every_method_is_proved_for_itself(world: World, method: str) -> None:
    it, clinic = accepted(world)
    token = clinic.granted(proved=True)["access_token"]
    path = f"/{it.task}" if method != "POST" else "/Patient"
    url = f"{clinic.addresses.fhir}{path}"
    headers = {"Authorization": f"DPoP {token}", "Content-Type": "application/fhir+json"}

    def sent(proof: str) -> int:
        return world.client.open(
            f"/fhir{path}", method=method, data=b"{}", headers={**headers, "DPoP": proof}
        ).status_code

    assert sent(clinic.proof("GET", url, token=token)) == 401
    assert sent(clinic.proof(method, url, token=token)) != 401


def test_a_search_and_a_bundle_with_a_token_bound_to_a_key(world: World) -> None:
    it, clinic = accepted(world)
    token = clinic.granted(proved=True)["access_token"]
    proof = clinic.proof("GET", f"{clinic.addresses.fhir}/Task", token=token)
    headers = {"Authorization": f"DPoP {token}", "DPoP": proof}
    found = world.client.get("/fhir/Task?status=accepted", headers=headers)
    assert ids(parsed(found)) == {it.task}
    entries = [
        {"request": {"method": "GET", "url": it.task}},
        {"request": {"method": "GET", "url": it.person}},
    ]
    headers["DPoP"] = clinic.proof("POST", clinic.addresses.fhir, token=token)
    answer = world.client.post(
        "/fhir",
        json={"resourceType": "Bundle", "type": "batch", "entry": entries},
        headers={**headers, "Content-Type": "application/fhir+json"},
    )
    assert [one["response"]["status"][:3] for one in answer.get_json()["entry"]] == ["200", "200"]


def test_a_refusal_has_the_form_that_was_asked_for_and_names_both_ways(world: World) -> None:
    it, clinic = accepted(world)
    token = clinic.granted(proved=True)["access_token"]
    headers = {"Authorization": f"DPoP {token}", "DPoP": "x", "Accept": "application/fhir+xml"}
    answer = world.client.get(f"/fhir/{it.task}", headers=headers)
    assert answer.status_code == 401
    assert answer.get_data().startswith(b"<")
    assert answer.headers["DPoP-Nonce"]
    bare = world.client.get(f"/fhir/{it.task}")
    challenges = bare.headers.getlist("WWW-Authenticate")
    assert [one.partition(" ")[0] for one in challenges] == ["Bearer", "DPoP"]


def test_a_proof_beside_a_bearer_token_is_passed_over(world: World) -> None:
    it, clinic = accepted(world)
    token = clinic.granted()["access_token"]
    headers = {"Authorization": f"Bearer {token}", "DPoP": "x"}
    assert world.client.get(f"/fhir/{it.task}", headers=headers).status_code == 200


def test_discovery_names_what_works(world: World) -> None:
    found = world.client.get("/.well-known/smart-configuration").get_json()
    assert "ES256" in found["dpop_signing_alg_values_supported"]
    assert "none" not in found["dpop_signing_alg_values_supported"]
    assert found["authorization_details_types_supported"] == [
        f"{world.parts.addresses.base_url}/rar/consent-grant"
    ]
