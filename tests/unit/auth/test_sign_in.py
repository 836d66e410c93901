"""From a code to tokens and on, on rows in memory: what holds, what ends it, and what happens when a write fails."""

import base64
import hashlib
from dataclasses import replace
from typing import Any

import pytest

from referral_hub.auth.approving import Answered, sent_to
from referral_hub.auth.authorization_requests import SentBack, Stopped
from referral_hub.auth.request import OAuthRequest
from referral_hub.auth.server import Answer
from referral_hub.auth.sign_in_grants import handle_digest, is_verified
from referral_hub.auth.tokens import token_digest
from referral_hub.errors import Busy
from tests.unit.auth.hub import ADDRESSES, NONCES, NOW_US, SECOND, Hub
from tests.unit.auth.partner import JWT_BEARER, Partner, ec_key, key_set, public_jwk
from tests.unit.auth.prover import Prover
from tests.unit.auth.sign_in_memory import Person, SignInMemory, with_people

BACK = "https://app.example/back"
VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
SCOPE = "user/Task.rus user/Patient.rs patient/Patient.rs launch/patient openid fhirUser offline_access"


class Walk:
    """One app and one person, walking through the authorization server without HTTP."""

    def __init__(self, kind: str = "public", **client: Any) -> None:
        self.hub = Hub()
        self.partner = Partner("c-app", ec_key("app"), "a1", ADDRESSES.token)
        keys = key_set(public_jwk(self.partner.key, "a1")) if kind == "jwks" else ""
        self.hub.add(
            "c-app", "shelter", kind, SCOPE, redirect_uris=(BACK,), purposes=("TREAT",), jwks=keys, **client
        )
        self.approvals = with_people(self.hub)
        self.who = Person()

    @property
    def rows(self) -> SignInMemory:
        assert isinstance(self.hub.rows, SignInMemory)
        return self.hub.rows

    def register(self, **change: Any) -> None:
        self.rows.clients["c-app"] = replace(self.rows.clients["c-app"], **change)

    def parameters(self, **more: str) -> dict[str, str]:
        return {
            "response_type": "code",
            "client_id": "c-app",
            "redirect_uri": BACK,
            "scope": SCOPE,
            "state": "s",
            "aud": ADDRESSES.fhir,
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **more,
        }

    def code(self, at_us: int = NOW_US, **more: str) -> str:
        ticket = self.approvals.opened(self.approvals.asked(self.parameters(**more).items(), at_us), at_us)
        question = self.approvals.question(ticket, self.who, at_us)
        ticked = [line.text for line in question.offer.lines]
        address = self.approvals.approve(question, self.who, Answered(ticked, "p-7"), at_us)
        return address.partition("code=")[2].partition("&")[0]

    def form(self, code: str, **more: str) -> dict[str, str]:
        found = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": BACK,
            "code_verifier": VERIFIER,
            "client_id": "c-app",
        }
        return {**found, **self.proof(), **more}

    def proof(self) -> dict[str, str]:
        if self.rows.clients["c-app"].kind != "jwks":
            return {}
        return {
            "client_assertion_type": JWT_BEARER,
            "client_assertion": self.partner.assertion(NOW_US / SECOND),
        }

    def refreshed(self, token: str, at_us: int = NOW_US, **more: str) -> Answer:
        form = {"grant_type": "refresh_token", "refresh_token": token, "client_id": "c-app", **self.proof()}
        return self.hub.token({**form, **more}, at_us=at_us)


LASTING = {"scope": "user/Task.rus openid fhirUser offline_access"}


def test_a_token_of_people_says_whose_it_is() -> None:
    walk = Walk()
    given = walk.hub.token(walk.form(walk.code(nonce="n-1"))).body
    row = walk.rows.oauth_token(token_digest(given["access_token"]))
    assert row is not None
    assert (row.context, row.account, row.person, row.patient) == ("user", "a-1", 7, "p-7")
    assert (row.role, row.purpose, row.organization) == ("supervisor", "TREAT", "shelter")
    assert row.family in walk.rows.families
    assert given["patient"] == "p-7"
    assert "offline_access" not in given["scope"]  # about one person who is not who signed in
    assert "('nonce', 'n-1')" in given["id_token"]
    assert "https://hub.example/fhir/Practitioner/x" in given["id_token"]


def test_nothing_that_opens_something_is_kept_in_the_clear() -> None:
    walk = Walk()
    code = walk.code(**LASTING)
    given = walk.hub.token(walk.form(code)).body
    kept = repr((walk.rows.codes, walk.rows.refreshes, walk.rows.tokens, walk.rows.families, walk.rows.audit))
    for secret in (code, given["access_token"], given["refresh_token"], VERIFIER):
        assert secret not in kept
    assert [line.interaction for line in walk.rows.audit] == ["oauth-approve", "oauth-token"]
    assert all(line.user == "a-1" for line in walk.rows.audit)


@pytest.mark.parametrize("kind", ["public", "jwks"])
def test_while_the_store_cannot_write_a_code_is_not_used_up(kind: str) -> None:
    walk = Walk(kind)
    form = walk.form(walk.code())
    walk.rows.failure = Busy("The writer is busy.")
    assert walk.hub.token(form).http_status == 503
    walk.rows.failure = None
    assert walk.hub.token(form).http_status == 200


def test_an_answer_of_the_writer_that_is_lost_is_no_second_use() -> None:
    walk = Walk()
    form = walk.form(walk.code())
    walk.rows.lost_answers = 1
    assert walk.hub.token(form).http_status == 200


def test_an_assertion_counts_once_here_too() -> None:
    walk = Walk("jwks")
    first, second = walk.form(walk.code()), walk.form(walk.code())
    assert walk.hub.token(first).http_status == 200
    replayed = {**second, "client_assertion": first["client_assertion"]}
    assert walk.hub.token(replayed).body["error"] == "invalid_client"
    assert walk.hub.token(second).http_status == 200


def test_a_code_that_comes_twice_ends_its_family_also_with_a_used_assertion() -> None:
    walk = Walk("jwks")
    form = walk.form(walk.code())
    given = walk.hub.token(form).body
    assert walk.hub.token(form).http_status == 400
    row = walk.rows.oauth_token(token_digest(given["access_token"]))
    assert row is not None
    assert row.revoked


@pytest.mark.parametrize(("later_s", "http_status"), [(59, 200), (60, 400), (-1, 200)])
def test_a_code_lives_sixty_seconds(later_s: int, http_status: int) -> None:
    walk = Walk()
    answer = walk.hub.token(walk.form(walk.code()), at_us=NOW_US + later_s * SECOND)
    assert answer.http_status == http_status


@pytest.mark.parametrize(("later_s", "works"), [(599, True), (600, False), (-1, False)])
def test_a_ticket_lives_ten_minutes(later_s: int, works: bool) -> None:
    walk = Walk()
    ticket = walk.approvals.asked(walk.parameters().items(), NOW_US)
    if works:
        assert walk.approvals.opened(ticket, NOW_US + later_s * SECOND)
        return
    with pytest.raises(Stopped):
        walk.approvals.opened(ticket, NOW_US + later_s * SECOND)


@pytest.mark.parametrize(
    "forged", ["null", "[]", '["other",{},1,false]', "{}", "x", '["authorize",{},0,false]']
)
def test_a_ticket_in_another_form(forged: str) -> None:
    walk = Walk()
    with pytest.raises(Stopped):
        walk.approvals.opened(base64.urlsafe_b64encode(forged.encode()).decode(), NOW_US)


def test_refresh_tokens_end_with_the_time_set_whatever_is_done() -> None:
    walk = Walk()
    token = walk.hub.token(walk.form(walk.code(**LASTING))).body["refresh_token"]
    day_us = 24 * 3600 * SECOND
    for day in range(1, 30):
        answer = walk.refreshed(token, at_us=NOW_US + day * day_us)
        assert answer.http_status == 200
        token = answer.body["refresh_token"]
    last = walk.refreshed(token, at_us=NOW_US + 30 * day_us - 10 * SECOND)
    assert last.body["expires_in"] == 10
    assert walk.refreshed(last.body["refresh_token"], at_us=NOW_US + 30 * day_us).http_status == 400


def test_a_refresh_gives_what_is_still_registered() -> None:
    walk = Walk()
    token = walk.hub.token(walk.form(walk.code(**LASTING))).body["refresh_token"]
    walk.register(scope="user/Task.rs openid offline_access")
    assert walk.refreshed(token).body["scope"] == "user/Task.rs offline_access openid"


@pytest.mark.parametrize("roles", [{}, {"a-1": "caseworker"}])
def test_another_role_or_none_has_to_approve_anew(roles: dict[str, str]) -> None:
    walk = Walk()
    code, given = walk.code(), walk.hub.token(walk.form(walk.code(**LASTING))).body
    walk.hub.accounts.roles = roles  # type: ignore[attr-defined]
    assert walk.hub.token(walk.form(code)).body["error"] == "invalid_grant"
    assert walk.refreshed(given["refresh_token"]).body["error"] == "invalid_grant"


def test_a_person_who_is_not_seen_any_more_ends_the_way_to_tokens_about_her() -> None:
    walk = Walk()
    code = walk.code()
    walk.hub.accounts.seen = []  # type: ignore[attr-defined]
    assert walk.hub.token(walk.form(code)).body["error"] == "invalid_grant"


@pytest.mark.parametrize("kind", ["public", "jwks"])
def test_a_key_that_was_proved_stays_with_a_public_app(kind: str) -> None:
    walk = Walk(kind)
    mine, other = prover("mine"), prover("other")
    first = walk.hub.token(walk.form(walk.code(**LASTING)), dpop=proof_of(mine)).body
    assert first["token_type"] == "DPoP"
    token = first["refresh_token"]
    form = {"grant_type": "refresh_token", "refresh_token": token, "client_id": "c-app"}
    for proof in ("", proof_of(other)):
        if kind == "public":
            assert walk.hub.token({**form, **walk.proof()}, dpop=proof).body["error"] == "invalid_grant"
    answer = walk.hub.token({**form, **walk.proof()}, dpop=proof_of(mine if kind == "public" else other))
    assert answer.http_status == 200


def test_a_code_can_be_bound_to_a_key_before_it_is_given() -> None:
    walk = Walk("jwks")
    mine, other = prover("mine"), prover("other")
    code = walk.code(dpop_jkt=mine.jkt)
    for proof in ("", proof_of(other)):
        assert walk.hub.token(walk.form(code), dpop=proof).body["error"] == "invalid_grant"
    assert walk.hub.token(walk.form(code), dpop=proof_of(mine)).http_status == 200


def test_software_that_has_to_prove_a_key_cannot_leave_it_out() -> None:
    walk = Walk(require_dpop=True)
    assert walk.hub.token(walk.form(walk.code())).body["error"] == "invalid_dpop_proof"


def test_software_with_several_purposes_is_not_for_people() -> None:
    walk = Walk()
    walk.register(purposes=("TREAT", "ETREAT"))
    with pytest.raises(SentBack) as refused:
        walk.code()
    assert refused.value.error == "invalid_request"


def test_a_code_of_software_that_lost_its_address() -> None:
    walk = Walk()
    code = walk.code()
    walk.register(redirect_uris=())
    assert walk.hub.token(walk.form(code)).body["error"] == "unauthorized_client"


def test_without_people_there_is_no_grant_for_them() -> None:
    hub = Hub()
    for grant in ("authorization_code", "refresh_token"):
        assert hub.token({"grant_type": grant, "code": "x"}).body["error"] == "unsupported_grant_type"


def test_an_assertion_for_a_request_sent_ahead_may_name_what_the_standard_lets_it_name() -> None:
    walk = Walk("jwks")
    for audience, http_status in (
        (ADDRESSES.token, 201),
        (ADDRESSES.pushed, 201),
        (ADDRESSES.base_url, 201),
        (ADDRESSES.introspection, 400),
        ("https://other.example", 400),
    ):
        claims = {"aud": audience}
        assertion = walk.partner.assertion(NOW_US / SECOND, claims=claims)
        form = {**walk.parameters(), "client_assertion_type": JWT_BEARER, "client_assertion": assertion}
        request = OAuthRequest(ADDRESSES.pushed, form.items(), None, NOW_US)
        assert walk.hub.server.pushed(request).http_status == http_status, audience
    wrong = walk.form(walk.code()) | {
        "client_assertion": walk.partner.assertion(NOW_US / SECOND, claims={"aud": ADDRESSES.pushed})
    }
    assert walk.hub.token(wrong).body["error"] == "invalid_client"


def test_a_request_sent_ahead_ends_after_a_minute() -> None:
    walk = Walk()
    request = OAuthRequest(ADDRESSES.pushed, walk.parameters().items(), None, NOW_US)
    sent = {"client_id": "c-app", "request_uri": walk.hub.server.pushed(request).body["request_uri"]}
    with pytest.raises(Stopped):
        walk.approvals.asked(sent.items(), NOW_US + 60 * SECOND)
    assert walk.approvals.asked(sent.items(), NOW_US + 59 * SECOND)
    with pytest.raises(Stopped):
        walk.approvals.asked(sent.items(), NOW_US + 59 * SECOND)


def test_what_is_sent_ahead_cannot_be_added_to_in_the_browser() -> None:
    walk = Walk()
    request = OAuthRequest(ADDRESSES.pushed, walk.parameters(scope="user/Task.rs").items(), None, NOW_US)
    uri = walk.hub.server.pushed(request).body["request_uri"]
    sent = {"client_id": "c-app", "request_uri": uri, "scope": SCOPE, "redirect_uri": "https://evil.example"}
    ticket = walk.approvals.opened(walk.approvals.asked(sent.items(), NOW_US), NOW_US)
    assert ticket.request.scopes.text() == "user/Task.rs"
    assert ticket.request.redirect_uri == BACK


@pytest.mark.parametrize(
    ("verifier", "challenge", "holds"),
    [
        (VERIFIER, CHALLENGE, True),
        (CHALLENGE, CHALLENGE, False),
        ("v" * 63, CHALLENGE, False),
        ("v" * 42, CHALLENGE, False),
        ("v" * 129, CHALLENGE, False),
        ("", CHALLENGE, False),
        ("é" * 64, CHALLENGE, False),
    ],
)
def test_a_verifier(verifier: str, challenge: str, holds: bool) -> None:
    assert is_verified(verifier, challenge) is holds


def test_digests_of_handles_are_no_digests_of_tokens() -> None:
    assert handle_digest("x") != token_digest("x")


@pytest.mark.parametrize("value", ["a&b=c", "a#b", "a b", "é", "%41", "\r\nX: y"])
def test_a_value_cannot_leave_its_place_in_an_address(value: str) -> None:
    from urllib.parse import parse_qs, urlsplit

    parts = urlsplit(sent_to("https://app.example/back?own=1", state=value, code="c"))
    assert (parts.netloc, parts.path, parts.fragment) == ("app.example", "/back", "")
    assert parse_qs(parts.query) == {"own": ["1"], "state": [value], "code": ["c"]}


def prover(name: str) -> Prover:
    return Prover(ec_key(f"prover of {name}", "ES256"), nonce=NONCES.fresh(NOW_US))


def proof_of(key: Prover) -> str:
    return key.proof("POST", ADDRESSES.token, NOW_US / SECOND)


@pytest.mark.parametrize(
    ("more", "confirmed_s", "fresh"),
    [
        ({}, -3600, True),
        ({"prompt": "login"}, -60, False),
        ({"prompt": "login"}, 0, True),
        ({"max_age": "30"}, -60, False),
        ({"max_age": "60"}, -60, True),
        ({"max_age": "0"}, -1, False),
        ({"max_age": "0"}, 0, True),
        ({"prompt": "login", "max_age": "600"}, -60, False),
    ],
)
def test_a_request_says_how_fresh_the_sign_in_has_to_be(
    more: dict[str, str], confirmed_s: int, fresh: bool
) -> None:
    walk = Walk()
    ticket = walk.approvals.opened(walk.approvals.asked(walk.parameters(**more).items(), NOW_US), NOW_US)
    who = Person(signed_in_us=NOW_US - 7200 * SECOND, confirmed_us=NOW_US + confirmed_s * SECOND)
    assert ticket.is_fresh(who, NOW_US) is fresh
