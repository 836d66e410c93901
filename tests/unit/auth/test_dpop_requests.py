"""Tokens bound to a key: what the token endpoint demands and gives, and what opens the FHIR API with one."""

from dataclasses import replace
from typing import Any

import pytest

from referral_hub.auth.dpop_requests import ProvenRequests
from referral_hub.auth.server import Answer
from referral_hub.auth.tokens import ProofNeeded, Proven, digest_of, new_token, token_digest
from referral_hub.errors import Busy, Unauthenticated
from tests.unit.auth.hub import ADDRESSES, NONCES, NOW_S, NOW_US, SECRET, Hub
from tests.unit.auth.partner import basic, ec_key
from tests.unit.auth.prover import Prover

READ = "https://hub.example/fhir/Task/t1"
PATH = b"/fhir/Task/t1"


def prover(**more: Any) -> Prover:
    return Prover(**{"nonce": NONCES.fresh(NOW_US), **more})


def asked(hub: Hub, it: Prover, **more: Any) -> Answer:
    return hub.token(hub.shelter.form(NOW_S), dpop=it.proof("POST", ADDRESSES.token, NOW_S, **more))


def given(hub: Hub, it: Prover | None = None) -> str:
    answer = asked(hub, it or prover())
    assert answer.http_status == 200, answer.body
    return str(answer.body["access_token"])


def opened(hub: Hub, token: str, proof: str, scheme: str = "DPoP") -> bytes:
    """What the FHIR API would look the token up by; raises where it is refused before that."""
    proven: ProvenRequests = hub.server.proven
    header, _ = proven.at_the_api(f"{scheme} {token}", proof, "GET", PATH, NOW_US)
    return digest_of(header)


def read(token: str, it: Prover | None = None, **more: Any) -> str:
    return (it or prover()).proof("GET", READ, NOW_S, token=token, **more)


def test_a_token_asked_for_with_a_proof_is_bound_to_its_key() -> None:
    hub, it = Hub(), prover()
    answer = asked(hub, it)
    assert (answer.http_status, answer.body["token_type"]) == (200, "DPoP")
    row = hub.rows.oauth_token(token_digest(answer.body["access_token"]))
    assert row is not None
    assert row.jkt == it.jkt
    assert opened(hub, answer.body["access_token"], read(answer.body["access_token"], it)) == row.digest


def test_a_token_asked_for_without_one_is_a_bearer_token() -> None:
    hub = Hub()
    token = hub.given(hub.shelter)
    row = hub.rows.oauth_token(digest_of(f"Bearer {token}"))
    assert row is not None
    assert row.jkt == ""


def test_a_nonce_is_asked_for_before_anything_is_used_up() -> None:
    hub = Hub()
    form = hub.shelter.form(NOW_S)
    refused = hub.token(form, dpop=prover(nonce="").proof("POST", ADDRESSES.token, NOW_S))
    assert (refused.http_status, refused.body["error"]) == (400, "use_dpop_nonce")
    nonce = dict(refused.headers)["DPoP-Nonce"]
    again = hub.token(form, dpop=prover(nonce=nonce).proof("POST", ADDRESSES.token, NOW_S))
    assert again.http_status == 200
    assert "DPoP-Nonce" not in dict(again.headers)


def test_an_ageing_nonce_is_renewed_with_the_token() -> None:
    hub = Hub()
    answer = asked(hub, prover(nonce=NONCES.fresh(NOW_US - 200_000_000)))
    assert dict(answer.headers)["DPoP-Nonce"] == NONCES.fresh(NOW_US)


def test_a_proof_counts_once_at_the_token_endpoint() -> None:
    hub = Hub()
    proof = prover().proof("POST", ADDRESSES.token, NOW_S)
    answers = [hub.token(hub.shelter.form(NOW_S), dpop=proof) for _ in range(2)]
    assert [answer.http_status for answer in answers] == [200, 400]
    assert answers[1].body["error"] == "invalid_dpop_proof"
    assert len(hub.rows.tokens) == 1


def test_the_same_name_under_another_key_is_another_proof() -> None:
    hub, other = Hub(), prover(key=ec_key("another prover", "ES256"))
    named = {"claims": {"jti": "one name"}}
    assert asked(hub, prover(), **named).http_status == asked(hub, other, **named).http_status == 200


def test_a_stranger_fills_no_table_with_names() -> None:
    hub = Hub()
    form = {**hub.shelter.form(NOW_S), "client_assertion": "a.b.c"}
    answer = hub.token(form, dpop=prover().proof("POST", ADDRESSES.token, NOW_S))
    assert answer.body["error"] == "invalid_client"
    with pytest.raises(ProofNeeded):
        opened(hub, new_token(prover().jkt)[0], read(new_token(prover().jkt)[0]))
    assert not hub.rows.jti


@pytest.mark.parametrize("change", [{"htu": READ}, {"htm": "GET"}, {"iat": 1}, {"jti": ""}])
def test_a_proof_that_does_not_hold_gives_no_token(change: dict[str, Any]) -> None:
    hub = Hub()
    answer = asked(hub, prover(), claims=change)
    assert (answer.http_status, answer.body["error"]) == (400, "invalid_dpop_proof")
    assert not hub.rows.tokens


def test_a_client_that_has_to_prove_possession_gets_a_token_with_a_proof() -> None:
    hub = Hub()
    hub.rows.clients["c-shelter"] = replace(hub.rows.clients["c-shelter"], require_dpop=True)
    assert hub.token(hub.shelter.form(NOW_S)).body["error"] == "invalid_dpop_proof"
    assert asked(hub, prover()).body["token_type"] == "DPoP"


def test_a_bound_token_as_bearer_is_a_token_nobody_knows() -> None:
    hub = Hub()
    token = given(hub)
    for scheme in ("Bearer", "bearer", "DPoP"):
        with pytest.raises(ProofNeeded):
            digest_of(f"{scheme} {token}")
    stem = token.partition(".")[0]
    assert hub.rows.oauth_token(digest_of(f"Bearer {stem}")) is None


def test_a_bearer_token_with_a_proof_is_refused() -> None:
    hub = Hub()
    token = hub.given(hub.shelter)
    for text in (token, f"{token}.{prover().jkt}"):
        with pytest.raises(ProofNeeded) as refused:
            opened(hub, text, read(text))
        assert refused.value.error == "invalid_token"


def test_the_proof_of_another_key_opens_nothing() -> None:
    hub, thief = Hub(), prover(key=ec_key("thief", "ES256"))
    token = given(hub)
    swapped = f"{token.partition('.')[0]}.{thief.jkt}"
    for text in (token, swapped):
        with pytest.raises(ProofNeeded) as refused:
            opened(hub, text, read(text, thief))
        assert refused.value.error == "invalid_token"


def test_a_proof_counts_once_at_the_api() -> None:
    hub = Hub()
    token = given(hub)
    proof = read(token)
    assert opened(hub, token, proof)
    with pytest.raises(ProofNeeded) as refused:
        opened(hub, token, proof)
    assert refused.value.error == "invalid_dpop_proof"


@pytest.mark.parametrize("scheme", ["dpop", "DPOP"])
def test_the_name_of_the_scheme_has_no_case(scheme: str) -> None:
    hub = Hub()
    token = given(hub)
    assert opened(hub, token, read(token), scheme) == token_digest(token)


def test_what_was_proved_cannot_be_written_in_a_header() -> None:
    token, digest = new_token(prover().jkt)
    made = Proven(f"DPoP {token}")
    made.digest = digest
    assert digest_of(made) == digest
    with pytest.raises(Unauthenticated):
        digest_of(str(f"DPoP {token}"))


def test_a_store_that_cannot_write_opens_nothing() -> None:
    hub = Hub()
    token = given(hub)
    hub.rows.failure = Busy("busy")
    with pytest.raises(Busy):
        opened(hub, token, read(token))


def test_introspection_names_the_key_and_revocation_ends_the_token() -> None:
    hub, it = Hub(), prover()
    token = given(hub, it)
    server = basic("c-network", SECRET)
    told = hub.introspect({"token": token}, authorization=server).body
    assert (told["active"], told["token_type"], told["cnf"]) == (True, "DPoP", {"jkt": it.jkt})
    assert hub.revoke({**hub.shelter.form(NOW_S), "token": token}).http_status == 200
    assert hub.introspect({"token": token}, authorization=server).body == {"active": False}
    with pytest.raises(ProofNeeded):
        opened(hub, token, read(token, it))


def test_a_bound_token_as_bearer_proves_nobody_at_introspection() -> None:
    hub = Hub()
    token = given(hub)
    answer = hub.introspect({"token": token}, authorization=f"Bearer {token}")
    assert answer.http_status == 401
