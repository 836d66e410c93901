"""Backend Services: a client proves itself with a key and gets a token, and every fault is refused."""

import base64
import json
import time
from typing import Any

from conformance.doors import Answer
from conformance.lab import Lab
from conformance.registry import check
from conformance.results import Omitted, Skipped, expect
from conformance.tokens import BackendClient, make_key


def _client(lab: Lab, role: str = "author") -> BackendClient:
    lab.claims.need_smart()
    found = lab.client(role)
    found.endpoint("token_endpoint")
    return found


def _refused(answer: Answer, *statuses: int) -> None:
    """Ends the check as failed unless no token was given, with an error of OAuth."""
    answer.must_be(*(statuses or (400, 401)))
    told = answer.json
    expect("access_token" not in told, "There is a token in the refusal.")
    expect(isinstance(told.get("error"), str), "The refusal has no error code.")


@check("smart.token.given", "SMART-BACK-1")
def given(lab: Lab) -> None:
    """A right request brings a token."""
    answer = _client(lab).ask()
    answer.must_be(200, 201)
    told = answer.json
    expect(isinstance(told.get("access_token"), str) and told["access_token"], "access_token is missing.")
    expect(str(told.get("token_type", "")).lower() == "bearer", f"token_type is {told.get('token_type')}.")
    expect(isinstance(told.get("expires_in"), int), f"expires_in is {told.get('expires_in')!r}, no number.")
    expect(isinstance(told.get("scope"), str) and told["scope"], "scope is missing.")


@check("smart.token.short", "SMART-BACK-2")
def short(lab: Lab) -> None:
    """A token lives for five minutes at most."""
    told = _client(lab).fetched()
    expect(told["expires_in"] <= 300, f"It lives for {told['expires_in']} s.")


@check("smart.token.no-refresh", "SMART-BACK-3")
def no_refresh(lab: Lab) -> None:
    """A backend gets no refresh token."""
    expect("refresh_token" not in _client(lab).fetched(), "There is a refresh token.")


@check("smart.token.not-kept", "SMART-BACK-4")
def not_kept(lab: Lab) -> None:
    """The answer with the token may not be kept on the way."""
    answer = _client(lab).ask().must_be(200, 201)
    expect("no-store" in answer.headers.get("Cache-Control", ""), "Cache-Control does not say no-store.")
    expect("no-cache" in answer.headers.get("Pragma", "no-cache"), "Pragma does not say no-cache.")


@check("smart.token.works", "SMART-BACK-5")
def works(lab: Lab) -> None:
    """A token opens what its scope names."""
    _client(lab)
    name = next((one for one in lab.claims.types if lab.claims.has(one, "search-type")), "")
    lab.author.get(f"/{name}?_count=1").must_be(200, 400)
    lab.anonymous.get(f"/{name}?_count=1").must_be(401)


@check("smart.token.scope", "SMART-BACK-6")
def no_more_than_asked(lab: Lab) -> None:
    """A token is granted no more than was asked for."""
    client = _client(lab)
    granted = set(client.fetched("system/Organization.rs")["scope"].split())
    expect(granted == {"system/Organization.rs"}, f"Granted was {' '.join(sorted(granted))}.")


@check("smart.token.narrow", "SMART-SCOPE-1")
def narrow(lab: Lab) -> None:
    """A token for one type does not open another."""
    client = _client(lab)
    if not (lab.claims.has("Organization", "search-type") and lab.claims.has("Patient", "search-type")):
        raise Omitted("The server does not have both types.")
    headers = {"Authorization": f"Bearer {client.fetched('system/Organization.rs')['access_token']}"}
    lab.anonymous.get("/Organization?_count=1", **headers).must_be(200)
    lab.anonymous.get("/Patient?_count=1", **headers).must_be(403)


@check("smart.token.letters", "SMART-SCOPE-2")
def letters(lab: Lab) -> None:
    """A token for reading does not create."""
    client = _client(lab)
    lab.claims.need("Patient", "create")
    headers = {"Authorization": f"Bearer {client.fetched('system/Patient.rs')['access_token']}"}
    body = {"resourceType": "Patient", "name": [{"family": f"Zq{lab.run}Nobody"}]}
    lab.created(lab.anonymous.ask("POST", "/Patient", body, **headers)).must_be(403)


@check("smart.token.insufficient-scope", "SMART-SCOPE-3")
def insufficient_scope(lab: Lab) -> None:
    """A refusal for want of scope says so in WWW-Authenticate."""
    client = _client(lab)
    headers = {"Authorization": f"Bearer {client.fetched('system/Organization.rs')['access_token']}"}
    answer = lab.anonymous.get("/Patient?_count=1", **headers).must_be(403)
    told = answer.headers.get("WWW-Authenticate", "")
    expect("insufficient_scope" in told, f"WWW-Authenticate is {told or 'missing'}.")


@check("smart.token.wildcard", "SMART-SCOPE-4")
def wildcard(lab: Lab) -> None:
    """A token for system/*.rs reads what the client may read."""
    client = _client(lab)
    headers = {"Authorization": f"Bearer {client.fetched('system/*.rs')['access_token']}"}
    lab.anonymous.get("/Patient?_count=1", **headers).must_be(200)


@check("smart.token.v1", "SMART-SCOPE-5")
def first_version(lab: Lab) -> None:
    """A server with permission-v1 takes scopes of the first version."""
    client = _client(lab)
    if "permission-v1" not in client.configuration.get("capabilities", []):
        raise Omitted("The server does not claim permission-v1.")
    headers = {"Authorization": f"Bearer {client.fetched('system/Patient.read')['access_token']}"}
    lab.anonymous.get("/Patient?_count=1", **headers).must_be(200)


@check("smart.token.order", "SMART-SCOPE-6")
def letters_out_of_order(lab: Lab) -> None:
    """Letters out of order are refused, or grant nothing."""
    answer = _client(lab).ask(scope="system/Patient.sr")
    if answer.http_status == 200:
        expect("Patient" not in answer.json.get("scope", ""), "They were granted.")
    else:
        _refused(answer)


@check("smart.token.unknown-scope", "SMART-SCOPE-7")
def unknown_scope(lab: Lab) -> None:
    """A scope that means nothing brings no token."""
    _refused(_client(lab).ask(scope="system/NoSuchType.banana"))


@check("smart.token.bad-grant", "SMART-BACK-7")
def bad_grant(lab: Lab) -> None:
    """Another grant type is 400 with unsupported_grant_type or another error."""
    _refused(_client(lab).ask(grant_type="not_a_grant_type"), 400)


@check("smart.token.bad-assertion-type", "SMART-BACK-8")
def bad_assertion_type(lab: Lab) -> None:
    """Another kind of assertion is refused."""
    _refused(_client(lab).ask(client_assertion_type="not_an_assertion_type"))


@check("smart.token.no-assertion", "SMART-BACK-9")
def no_assertion(lab: Lab) -> None:
    """A request without a proof is refused."""
    client = _client(lab)
    _refused(client.ask(client_assertion=None, client_assertion_type=None))
    _refused(client.ask(client_assertion="not.a.jwt"))


@check("smart.token.other-signature", "SMART-BACK-10")
def other_signature(lab: Lab) -> None:
    """An assertion that another key signed is refused."""
    client = _client(lab)
    _refused(client.ask(client_assertion=client.assertion(key=make_key("ES384", str(client.key.kid)))))


@check("smart.token.other-client", "SMART-BACK-11", needs=("author", "recipient"))
def other_client(lab: Lab) -> None:
    """An assertion in one client's name that another client signed is refused."""
    one, other = _client(lab), _client(lab, "recipient")
    forged = other.assertion(iss=one.client_id, sub=one.client_id)
    _refused(one.ask(client_assertion=forged))


@check("smart.token.no-signature", "SMART-BACK-12")
def no_signature(lab: Lab) -> None:
    """An assertion with alg none is refused."""
    client = _client(lab)
    parts = [{"alg": "none", "kid": client.key.kid, "typ": "JWT"}, client.claims()]
    _refused(client.ask(client_assertion=".".join([*(_part(one) for one in parts), ""])))


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@check("smart.token.weak-algorithm", "SMART-BACK-13")
def weak_algorithm(lab: Lab) -> None:
    """An assertion signed with an algorithm that the server does not name is refused."""
    client = _client(lab)
    named = client.configuration.get("token_endpoint_auth_signing_alg_values_supported", [])
    weak = "RS256" if client.key.key_type == "RSA" else "ES256"
    if weak in named:
        raise Omitted(f"The server names {weak}.")
    if client.key.key_type != "RSA":
        _refused(client.ask(client_assertion=client.assertion(key=make_key("ES256", str(client.key.kid)))))
    else:
        _refused(client.ask(client_assertion=client.assertion(header={"alg": weak})))


@check("smart.token.other-audience", "SMART-BACK-14")
def other_audience(lab: Lab) -> None:
    """An assertion for another server is refused."""
    client = _client(lab)
    _refused(client.ask(client_assertion=client.assertion(aud="https://elsewhere.example/token")))


@check("smart.token.expired", "SMART-BACK-15")
def expired(lab: Lab) -> None:
    """An assertion whose time is over is refused."""
    client = _client(lab)
    _refused(client.ask(client_assertion=client.assertion(exp=int(time.time()) - 600)))


@check("smart.token.too-long", "SMART-BACK-16")
def too_long(lab: Lab) -> None:
    """An assertion that lives longer than five minutes is refused."""
    client = _client(lab)
    _refused(client.ask(client_assertion=client.assertion(exp=int(time.time()) + 86_400)))


@check("smart.token.no-exp", "SMART-BACK-17")
def no_end(lab: Lab) -> None:
    """An assertion without an end is refused."""
    client = _client(lab)
    _refused(client.ask(client_assertion=client.assertion(exp=None)))


@check("smart.token.twice", "SMART-BACK-18")
def twice(lab: Lab) -> None:
    """An assertion is taken once: its jti may not come again."""
    client = _client(lab)
    assertion = client.assertion()
    client.ask(client_assertion=assertion).must_be(200, 201)
    _refused(client.ask(client_assertion=assertion))


@check("smart.token.no-jti", "SMART-BACK-19")
def no_jti(lab: Lab) -> None:
    """An assertion without a jti is refused."""
    client = _client(lab)
    _refused(client.ask(client_assertion=client.assertion(jti=None)))


@check("smart.token.issuer", "SMART-BACK-20")
def issuer_is_not_the_subject(lab: Lab) -> None:
    """An assertion whose issuer is not its subject is refused."""
    client = _client(lab)
    _refused(client.ask(client_assertion=client.assertion(iss="somebody-else")))


@check("smart.token.unknown-client", "SMART-BACK-21")
def unknown_client(lab: Lab) -> None:
    """An assertion of a client that is not registered is refused."""
    client = _client(lab)
    _refused(client.ask(client_assertion=client.assertion(iss="no-such-client", sub="no-such-client")))


@check("smart.token.unknown-kid", "SMART-BACK-22")
def unknown_kid(lab: Lab) -> None:
    """An assertion that names an unknown key is refused."""
    client = _client(lab)
    _refused(client.ask(client_assertion=client.assertion(header={"kid": "no-such-key"})))


@check("smart.token.no-kid", "SMART-BACK-23")
def no_kid(lab: Lab) -> None:
    """An assertion that names no key is refused."""
    client = _client(lab)
    _refused(client.ask(client_assertion=client.assertion(header={"kid": None})))


@check("smart.token.no-iat", "SMART-BACK-24")
def without_iat(lab: Lab) -> None:
    """An assertion needs neither iat nor nbf."""
    client = _client(lab)
    expect("iat" not in client.claims(), "The suite sends one.")
    client.ask().must_be(200, 201)


@check("smart.token.foreign-jku", "SMART-BACK-25")
def foreign_jku(lab: Lab) -> None:
    """An assertion whose header points to keys elsewhere is refused."""
    client = _client(lab)
    other = make_key("ES384", str(client.key.kid))
    header = {"jku": "https://elsewhere.example/jwks.json"}
    _refused(client.ask(client_assertion=client.assertion(key=other, header=header)))


@check("smart.token.both-algorithms", "SMART-BACK-26", needs=("author", "recipient"))
def both_algorithms(lab: Lab) -> None:
    """Clients with RS384 and with ES384 keys are both served where both are named."""
    clients = [_client(lab), _client(lab, "recipient")]
    if len({str(one.key.key_type) for one in clients}) < 2:
        raise Skipped("Both clients have keys of one kind.")
    for one in clients:
        one.ask().must_be(200, 201)
