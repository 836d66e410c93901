"""Every attack on tokens in one table: each is tried over HTTP, on both databases, and must come to nothing.

What lives here: the attacks. What does not: the checks one by one (``tests/unit/auth``), withdrawals against reads in
a race (``test_withdrawal_races``), attacks on the FHIR API that need no token of their own (``test_twin_worlds``).
"""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import pytest

from referral_hub.app import RandomIds, clock
from referral_hub.exchange.change import Change, Row
from tests import builders as b
from tests.api.network import Story, story
from tests.api.token_partner import JSON, Software, introspected, software
from tests.unit.auth.partner import DROP, b64, ec_key, rsa_key
from tests.unit.auth.prover import Prover
from tests.world import Caller, World


@dataclass
class Target:
    """A shelter that refers one person to a clinic, the clinic's software, and a stranger's."""

    world: World
    it: Story
    clinic: Software
    stranger: Software

    @property
    def referral(self) -> JSON:
        return {"referral": self.it.task}

    def bound(self, **details: Any) -> str:
        """A token bound to the referral's release."""
        return str(self.clinic.granted(details={**self.referral, **details})["access_token"])

    def refused(self, error: str, form: dict[str, str], **more: Any) -> None:
        """The token endpoint refuses with one error, and gives no token."""
        answer = self.clinic.post(form, **more)
        assert answer.status_code == 400, answer.get_data(as_text=True)
        assert answer.get_json()["error"] == error
        assert "access_token" not in answer.get_json()

    def shut(self, answer: Any, error: str = "") -> None:
        """The FHIR API refuses a token with a challenge."""
        assert answer.status_code == 401, answer.get_data(as_text=True)
        assert not error or f'error="{error}"' in answer.headers["WWW-Authenticate"]


Attack = Callable[[Target], None]
ATTACKS: dict[str, tuple[Attack, tuple[str, ...]]] = {}


def attack(name: str, *rows: str) -> Callable[[Attack], Attack]:
    """Puts an attack into the table, with the rows of ``tests.attack`` that it tries."""

    def named(found: Attack) -> Attack:
        assert name not in ATTACKS
        ATTACKS[name] = found, rows
        return found

    return named


def target(world: World) -> Target:
    """Sets the stage: the clinic accepted, and reads one Condition of the person."""
    it = story(world)
    it.sign(categories=("identity", "health"), very_restricted=True)
    it.refer()
    it.move("accepted")
    other = world.add_organization(f"stranger {clock()}", "legal-aid")
    return Target(world, it, software(world, it.clinic), software(world, other, name="stranger"))


# --- the assertion ---------------------------------------------------------------------------------------


@attack("an assertion used twice", "T-01")
def _(on: Target) -> None:
    form = on.clinic.form()
    assert on.clinic.post(form).status_code == 200
    on.refused("invalid_client", form)


@attack("an assertion that ends tomorrow", "T-02")
def _(on: Target) -> None:
    on.refused("invalid_client", on.clinic.form(claims={"exp": int(time.time()) + 86_400}))


@attack("an assertion signed with RS256", "T-03")
def _(on: Target) -> None:
    on.refused("invalid_client", on.clinic.form(header={"alg": "RS256"}, key=rsa_key("attacker")))


@attack("an assertion with alg none", "T-04")
def _(on: Target) -> None:
    on.refused("invalid_client", on.clinic.form(header={"alg": "none"}))


@attack("the kid of another client's key", "T-05")
def _(on: Target) -> None:
    stolen = on.stranger.partner
    on.refused("invalid_client", on.clinic.form(key=stolen.key))
    on.refused("invalid_client", on.clinic.form(header={"kid": stolen.client_id}, key=stolen.key))


@attack("the assertion of one client with the name of another", "T-06")
def _(on: Target) -> None:
    on.refused("invalid_client", {**on.stranger.form(), "client_id": on.clinic.partner.client_id})
    claims = {"iss": on.clinic.partner.client_id, "sub": on.clinic.partner.client_id}
    on.refused("invalid_client", on.stranger.form(claims=claims))


@attack("an assertion made for another authorization server", "T-07")
def _(on: Target) -> None:
    on.refused("invalid_client", on.clinic.form(claims={"aud": "https://other.example/oauth/token"}))
    on.refused("invalid_client", on.clinic.form(claims={"aud": on.clinic.addresses.base_url}))


# --- proofs of possession --------------------------------------------------------------------------------


def key_bound(on: Target) -> str:
    """A token of the clinic that is bound to its key, and works."""
    given = on.clinic.granted(proved=True)
    assert given["token_type"] == "DPoP"
    token = str(given["access_token"])
    assert on.clinic.get(f"/{on.it.task}", token).status_code == 200
    return token


@attack("a token bound to a key, sent as Bearer without a proof", "T-08")
def _(on: Target) -> None:
    token = key_bound(on)
    on.shut(on.clinic.bearer(token).get(f"/{on.it.task}"), "invalid_token")
    assert on.clinic.bearer(token.partition(".")[0]).get(f"/{on.it.task}").status_code == 401
    assert on.clinic.bearer(token).ask("POST", "/Patient", b.patient()).status_code == 401


@attack("a token bound to a key, sent as Bearer with its proof", "T-08")
def _(on: Target) -> None:
    on.shut(on.clinic.get(f"/{on.it.task}", key_bound(on), scheme="Bearer"), "invalid_token")


@attack("a token bound to a key, without a proof", "T-08")
def _(on: Target) -> None:
    on.shut(on.clinic.get(f"/{on.it.task}", key_bound(on), proof=""), "invalid_dpop_proof")


@attack("a Bearer token sent as DPoP", "T-08")
def _(on: Target) -> None:
    token = str(on.clinic.granted()["access_token"])
    for text in (token, f"{token}.{on.clinic.prover.jkt}"):
        on.shut(on.clinic.get(f"/{on.it.task}", text), "invalid_token")


@attack("the proof of a thief's own key", "T-08")
def _(on: Target) -> None:
    token = key_bound(on)
    thief = Prover(key=ec_key("thief", "ES256"), nonce=on.clinic.prover.nonce)
    for text in (token, f"{token.partition('.')[0]}.{thief.jkt}"):
        url = f"{on.clinic.addresses.fhir}/{on.it.task}"
        proof = thief.proof("GET", url, time.time(), token=text)
        on.shut(on.clinic.get(f"/{on.it.task}", text, proof=proof), "invalid_token")


def changed(on: Target, error: str = "invalid_dpop_proof", **change: Any) -> None:
    """One proof with something changed, at the FHIR API."""
    token = key_bound(on)
    method, url = change.pop("method", "GET"), change.pop("url", f"{on.clinic.addresses.fhir}/{on.it.task}")
    proof = on.clinic.proof(method, url, token=change.pop("token", token), **change)
    on.shut(on.clinic.get(f"/{on.it.task}", token, proof=proof), error)


@attack("a proof for another address", "T-09")
def _(on: Target) -> None:
    changed(on, url=f"{on.clinic.addresses.fhir}/{on.it.person}")


@attack("a proof for the host the request claims to be sent to", "T-09")
def _(on: Target) -> None:
    # The test's requests go to "localhost"; the hub knows itself by another name, from its settings.
    changed(on, url=f"http://localhost/fhir/{on.it.task}")


@attack("a proof for another method", "T-09")
def _(on: Target) -> None:
    changed(on, method="PUT")


@attack("a proof that is too old", "T-10")
def _(on: Target) -> None:
    changed(on, claims={"iat": int(time.time()) - 300})


@attack("a proof of tomorrow", "T-10")
def _(on: Target) -> None:
    changed(on, claims={"iat": int(time.time()) + 86_400})


@attack("a proof for another token", "T-12")
def _(on: Target) -> None:
    changed(on, token="another-token")
    changed(on, claims={"ath": DROP})


@attack("a proof made beforehand, without a nonce of the hub", "T-10")
def _(on: Target) -> None:
    changed(on, "use_dpop_nonce", claims={"nonce": DROP})
    changed(on, "use_dpop_nonce", claims={"nonce": "A" * 30})


@attack("a proof used twice", "T-11")
def _(on: Target) -> None:
    token = key_bound(on)
    proof = on.clinic.proof("GET", f"{on.clinic.addresses.fhir}/{on.it.task}", token=token)
    assert on.clinic.get(f"/{on.it.task}", token, proof=proof).status_code == 200
    on.shut(on.clinic.get(f"/{on.it.task}", token, proof=proof), "invalid_dpop_proof")


@attack("a proof of the token endpoint used twice", "T-11")
def _(on: Target) -> None:
    proof = on.clinic.proof("POST", on.clinic.addresses.token)
    assert on.clinic.post(on.clinic.form(), dpop=proof).status_code == 200
    on.refused("invalid_dpop_proof", on.clinic.form(), dpop=proof)


@attack("a proof with a symmetric or no algorithm", "T-04")
def _(on: Target) -> None:
    changed(on, header={"alg": "none"})
    changed(on, header={"alg": "HS256", "jwk": {"kty": "oct", "k": b64(b"secret")}}, key=b"secret")


@attack("a proof that carries a private key", "T-12")
def _(on: Target) -> None:
    changed(on, header={"jwk": {**on.clinic.prover.jwk, "d": b64(b"1" * 32)}})


@attack("a plain token for software that has to prove possession", "T-08")
def _(on: Target) -> None:
    strict = software(on.world, on.it.clinic, name="strict", require_dpop=True)
    assert strict.post(strict.form()).get_json()["error"] == "invalid_dpop_proof"
    assert strict.granted(proved=True)["token_type"] == "DPoP"


# --- scopes and purposes ---------------------------------------------------------------------------------


@attack("letters of a scope out of order", "T-13")
def _(on: Target) -> None:
    on.refused("invalid_scope", on.clinic.form("system/Task.sr"))


@attack("a scope for everything", "T-14")
def _(on: Target) -> None:
    few = software(on.world, on.it.clinic, name="few", scope="system/Task.rus system/Patient.rs")
    given = few.granted("system/*.cruds")
    assert given["scope"] == "system/Patient.rs system/Task.rus"
    assert few.bearer(given["access_token"]).get("/Condition").status_code == 403


@attack("another purpose than the registered one", "T-21")
def _(on: Target) -> None:
    asked = {"extensions": {"hl7-b2b": {"version": "1", "purpose_of_use": ["ETREAT"]}}}
    on.refused("invalid_request", on.clinic.form(claims=asked))
    details = {**on.referral, "purpose": [{"code": "ETREAT"}]}
    assert on.clinic.asked(details=details).get_json()["error"] == "invalid_authorization_details"


@attack("no purpose where several are registered", "T-21")
def _(on: Target) -> None:
    several = software(on.world, on.it.clinic, name="several", purposes=["TREAT", "safety-planning"])
    assert several.asked().get_json()["error"] == "invalid_request"
    assert several.asked(details=on.referral).get_json()["error"] == "invalid_request"


@attack("no purpose at all", "T-21")
def _(on: Target) -> None:
    none = software(on.world, on.it.clinic, name="none", purposes=[])
    token = none.granted()["access_token"]
    assert none.bearer(token).get(f"/{on.it.person}").status_code == 404
    assert none.asked(details=on.referral).get_json()["error"] == "invalid_authorization_details"


@attack("a purpose the release does not name", "T-21")
def _(on: Target) -> None:
    legal = software(on.world, on.it.clinic, name="legal", purposes=["legal-representation"])
    assert legal.bearer(legal.granted()["access_token"]).get(f"/{on.it.person}").status_code == 404
    assert legal.asked(details=on.referral).get_json()["error"] == "invalid_authorization_details"


@attack("a member of staff without a role", "T-22")
def _(on: Target) -> None:
    for role in ("", "invented"):
        caller = staff(on, role)
        for path in (f"/{on.it.task}", f"/{on.it.person}", "/Task"):
            assert caller.get(path).status_code in (403, 404)


def staff(on: Target, role: str) -> Caller:
    """A token of somebody who signed in at the clinic, with this role and nobody assigned."""
    token, at_us = secrets.token_urlsafe(32), clock()
    columns: dict[str, int | str | bytes | None] = {
        "digest": sha256(token.encode()).digest(),
        "oauth_client": on.clinic.partner.client_id,
        "organization": on.it.clinic,
        "scope": "user/Task.rus user/Patient.rs user/Condition.rs",
        "purpose": "TREAT",
        "role": role,
        "user_id": "an-account",
        "issued_us": at_us,
        "expires_us": at_us + 300_000_000,
        "very_restricted": 1,
        "context": "user",
        "account": "an-account",
        "person": None,
        "patient": "",
        "binding": "",
        "jkt": "",
        "family": "",
    }
    change = Change(RandomIds().public_id(), rows=(Row("oauth_token_insert_bound", columns),))
    on.world.parts.store.apply(on.world.parts.gate.admit_token(change))
    return Caller(on.it.clinic, token, on.world.client)


# --- tokens bound to a consent ---------------------------------------------------------------------------


def no_such_grant(on: Target) -> tuple[int, bytes]:
    """What is answered for a referral that never was."""
    never = on.clinic.asked(details={"referral": f"Task/{RandomIds().public_id()}"})
    assert never.status_code == 400
    assert never.get_json()["error"] == "invalid_authorization_details"
    return never.status_code, never.get_data()


def same_no(on: Target, who: Software | None = None, **details: Any) -> None:
    answer = (who or on.clinic).asked(details=details)
    assert (answer.status_code, answer.get_data()) == no_such_grant(on)


@attack("a grant of another organisation", "T-15", "S-36")
def _(on: Target) -> None:
    handle = on.clinic.granted(details=on.referral)["authorization_details"][0]["identifier"]
    same_no(on, on.stranger, identifier=handle)
    same_no(on, on.stranger, referral=on.it.task)
    colleague = software(on.world, on.it.clinic, name="colleague")
    same_no(on, colleague, identifier=handle)
    same_no(on, software(on.world, on.it.shelter, name="sender"), referral=on.it.task)


@attack("a grant handle that never was", "T-15", "S-36")
def _(on: Target) -> None:
    for text in ("grant:AAAA", f"Consent/{on.it.release['id']}", on.it.release["id"], on.it.task):
        same_no(on, identifier=text)


@attack("more categories than the release names", "T-16", "S-36")
def _(on: Target) -> None:
    same_no(on, **on.referral, categories=["health", "immigration"])


@attack("very restricted content the release does not name", "T-16", "S-36")
def _(on: Target) -> None:
    other = target(on.world)
    other.it.revoke()
    other.it.sign()
    same_no(other, **other.referral, max_confidentiality="V")
    assert other.clinic.asked(details=other.referral).status_code == 200


@attack("types beyond the scope and beyond persons", "T-16", "S-36")
def _(on: Target) -> None:
    few = software(on.world, on.it.clinic, name="few", scope="system/Task.rus")
    same_no(on, few, **on.referral, datatypes=["Condition"])
    asked = on.clinic.asked(details={**on.referral, "datatypes": ["Consent"]})
    assert asked.get_json()["error"] == "invalid_authorization_details"
    given = on.clinic.granted(details=on.referral)
    assert not {"Consent", "AuditEvent", "Organization"} & set(given["authorization_details"][0]["datatypes"])


@attack("a referral that was only drafted, refused or has no release", "T-15", "S-36")
def _(on: Target) -> None:
    fresh = story(on.world)
    asker = software(on.world, fresh.clinic)
    fresh.sign()
    drafted = fresh.refer(status="draft")
    same_no(on, asker, referral=drafted)
    declined = fresh.refer()
    fresh.move("rejected", "at-capacity")
    same_no(on, asker, referral=declined)


@attack("a bound token after the withdrawal", "T-17", "S-36")
def _(on: Target) -> None:
    token, standard = on.bound(), str(on.clinic.granted()["access_token"])
    assert introspected(on.world, token)["active"] is True
    assert on.clinic.bearer(token).get(f"/{on.it.person}").status_code == 200
    handle = introspected(on.world, token)["authorization_details"][0]["identifier"]
    on.it.revoke()
    on.shut(on.clinic.bearer(token).get(f"/{on.it.person}"))
    assert introspected(on.world, token) == {"active": False}
    assert on.clinic.bearer(standard).get(f"/{on.it.person}").status_code == 404
    assert introspected(on.world, standard)["active"] is True
    same_no(on, **on.referral)
    same_no(on, identifier=handle)


@attack("a bound token after a refusal", "T-17", "S-36")
def _(on: Target) -> None:
    token = on.bound()
    on.it.s.create(
        b.refusal(on.it.person, on.it.shelter, actor={"reference": f"Organization/{on.it.clinic}"})
    )
    assert on.clinic.bearer(token).get(f"/{on.it.person}").status_code in (401, 404)
    assert introspected(on.world, token) == {"active": False}
    same_no(on, **on.referral)


@attack("an old bound token after she permitted more", "T-20")
def _(on: Target) -> None:
    housing = on.it.record("Condition", "housing")
    token = on.bound()
    on.it.sign(categories=("identity", "health", "housing"))
    assert on.clinic.bearer(token).get(f"/Condition/{housing['id']}").status_code == 404
    standard = str(on.clinic.granted()["access_token"])
    assert on.clinic.bearer(standard).get(f"/Condition/{housing['id']}").status_code == 200
    fresh = on.clinic.bearer(on.bound())
    assert fresh.get(f"/Condition/{housing['id']}").status_code == 200


@attack("an old bound token after its consent got a wider version", "T-20")
def _(on: Target) -> None:
    housing = on.it.record("Condition", "housing")
    token = on.bound()
    permit = b.permit(on.it.clinic, categories=("identity", "health", "housing"), very_restricted=True)
    wider = {
        **on.it.s.read(f"Consent/{on.it.release['id']}"),
        "provision": {"type": "deny", "provision": [permit]},
    }
    # Whether what was signed may be changed at all is another rule; a token must not grow in either case.
    assert on.it.s.update(wider).status_code in (200, 422)
    assert on.clinic.bearer(token).get(f"/Condition/{housing['id']}").status_code == 404
    left = introspected(on.world, token)
    assert "housing" not in left["authorization_details"][0]["categories"]


@attack("a bound token for another category of the same person", "T-16")
def _(on: Target) -> None:
    health = on.it.record("Condition", "health")
    token = on.bound(categories=["identity"])
    assert on.clinic.bearer(token).get(f"/Condition/{health['id']}").status_code == 404
    assert on.clinic.bearer(on.bound()).get(f"/Condition/{health['id']}").status_code == 200


@attack("every way of reading with a bound token of another category", "T-16")
def _(on: Target) -> None:
    hidden = str(on.it.record("Condition", "health")["id"])
    it, standard = on.it, on.clinic.bearer(on.clinic.granted()["access_token"])
    caller = on.clinic.bearer(on.bound(categories=["identity"]))
    person = it.person.partition("/")[2]
    ways = (
        f"/Condition/{hidden}",
        f"/Condition/{hidden}/_history",
        "/Condition",
        "/Condition?_summary=count",
        f"/Condition?patient={person}",
        f"/Condition?_id={hidden}",
        f"/Patient?_id={person}&_revinclude=Condition:patient",
        f"/{it.person}/$everything",
    )
    for way in ways:
        answer = caller.get(way)
        assert hidden not in answer.get_data(as_text=True).replace(way, ""), way
        assert answer.status_code in (200, 404), way
    assert caller.get("/Condition?_summary=count").get_json()["total"] == 0
    # The same ways show it to a token that is not narrowed, or nothing was tried here.
    seen = [way for way in ways if hidden in standard.get(way).get_data(as_text=True).replace(way, "")]
    assert len(seen) >= 6


@attack("a bound token for another person", "T-16")
def _(on: Target) -> None:
    token = on.bound()
    second = target(on.world)
    other = Story(on.world, second.it.shelter, on.it.clinic, second.it.s, on.it.c, second.it.person)
    other.sign()
    other.refer()
    other.move("accepted")
    standard = str(on.clinic.granted()["access_token"])
    assert on.clinic.bearer(standard).get(f"/{other.person}").status_code == 200
    caller = on.clinic.bearer(token)
    assert caller.get(f"/{other.person}").status_code == 404
    assert caller.get(f"/{other.task}").status_code == 404
    found = caller.get("/Task").get_json()
    assert [entry["resource"]["id"] for entry in found.get("entry", [])] == [on.it.task.partition("/")[2]]


@attack("very restricted content with a standard token", "T-16")
def _(on: Target) -> None:
    on.it.revoke()
    on.it.sign(categories=("identity", "health", "contact"), very_restricted=True)
    assert "telecom" in on.clinic.bearer(on.bound()).read(on.it.person)
    plain = on.clinic.bearer(on.clinic.granted()["access_token"])
    assert not {"telecom", "address"} & plain.read(on.it.person).keys()
    listed = plain.get("/Patient").get_json()["entry"]
    assert not [entry for entry in listed if {"telecom", "address"} & entry["resource"].keys()]
    less = on.clinic.bearer(on.bound(max_confidentiality="R"))
    assert "telecom" not in less.read(on.it.person)
    trusted = software(on.world, on.it.clinic, name="trusted", very_restricted=True)
    assert "telecom" in trusted.bearer(trusted.granted()["access_token"]).read(on.it.person)


@attack("a consent named in the assertion instead of the request", "T-15")
def _(on: Target) -> None:
    consent = f"{on.clinic.addresses.fhir}/Consent/{on.it.release['id']}"
    b2b = {"version": "1", "purpose_of_use": ["TREAT"], "consent_reference": [consent]}
    given = on.clinic.granted(claims={"extensions": {"hl7-b2b": b2b}})
    assert "authorization_details" not in given
    same = on.stranger.granted(claims={"extensions": {"hl7-b2b": b2b}})
    assert on.stranger.bearer(same["access_token"]).get(f"/{on.it.person}").status_code == 404


@attack("what a token is bound to, asked by its own client", "S-36")
def _(on: Target) -> None:
    token = on.bound()
    answer = on.world.client.post("/oauth/introspect", data={**on.clinic.form(), "token": token})
    told = answer.get_data(as_text=True)
    assert answer.get_json()["active"] is True
    assert on.it.release["id"] not in told
    assert on.it.person.partition("/")[2] not in told


@attack("a bound token that stays behind in an export or a subscription", "T-17")
def _(on: Target) -> None:
    caller = on.clinic.bearer(on.bound())
    assert caller.ask("GET", "/Patient/$export", Prefer="respond-async").status_code == 403


@attack("the next page of a search after the withdrawal", "T-19")
def _(on: Target) -> None:
    for _ in range(3):
        on.it.record("Condition", "health")
    token, standard = on.bound(), str(on.clinic.granted()["access_token"])

    def begun(given: str) -> str:
        page = on.clinic.bearer(given).get("/Condition?_count=1").get_json()
        assert len(page["entry"]) == 1
        following = next(link["url"] for link in page["link"] if link["relation"] == "next")
        return str(following).removeprefix(on.clinic.addresses.fhir)

    bound_next, standard_next = begun(token), begun(standard)
    on.it.revoke()
    on.shut(on.clinic.bearer(token).get(bound_next))
    left = on.clinic.bearer(standard).get(standard_next)
    assert left.status_code == 200
    assert "entry" not in left.get_json()


TABLE = [
    pytest.param(found, id=name, marks=pytest.mark.attack(*rows)) for name, (found, rows) in ATTACKS.items()
]


@pytest.mark.parametrize("tried", TABLE)
def test_an_attack_on_tokens_comes_to_nothing(world: World, tried: Attack) -> None:
    tried(target(world))
