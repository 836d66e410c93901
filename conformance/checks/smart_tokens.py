"""What a token is worth: bearing it, giving it back, asking about it.

Source: RFC 6750, RFC 7009, RFC 7662; SMART App Launch 2.2, token introspection.
"""

import time
from typing import Any

from conformance.lab import Lab
from conformance.registry import check
from conformance.results import expect
from conformance.tokens import BackendClient


def _client(lab: Lab, role: str = "author") -> BackendClient:
    lab.claims.need_smart()
    found = lab.client(role)
    found.endpoint("token_endpoint")
    return found


@check("smart.bearer.none", "SMART-BEARER-1")
def no_token(lab: Lab) -> None:
    """A request without a token is 401."""
    _client(lab)
    name = next(one for one in lab.claims.types if lab.claims.has(one, "search-type"))
    answer = lab.anonymous.get(f"/{name}?_count=1").must_be(401)
    expect(answer.headers.get("WWW-Authenticate"), "WWW-Authenticate is missing.")


@check("smart.bearer.wrong", "SMART-BEARER-2")
def wrong_token(lab: Lab) -> None:
    """A token that is none is 401."""
    _client(lab)
    lab.anonymous.get("/Patient?_count=1", Authorization="Bearer not-a-token").must_be(401)


@check("smart.bearer.query", "SMART-BEARER-3")
def token_in_the_address(lab: Lab) -> None:
    """A token in the address opens nothing."""
    token = _client(lab).token()
    answer = lab.anonymous.get(f"/Patient?_count=1&access_token={token}")
    expect(
        answer.http_status == 401, f"{answer.method} with the token in the address is {answer.http_status}."
    )


@check("smart.revocation", "SMART-BEARER-4")
def revocation(lab: Lab) -> None:
    """A revoked token opens nothing any more."""
    client = _client(lab)
    client.endpoint("revocation_endpoint")
    token = str(client.fetched()["access_token"])
    headers = {"Authorization": f"Bearer {token}"}
    lab.anonymous.get("/Patient?_count=1", **headers).must_be(200)
    client.post("revocation_endpoint", {"token": token, **client.proof()}).must_be(200)
    lab.anonymous.get("/Patient?_count=1", **headers).must_be(401)


def _introspected(client: BackendClient, token: str, **headers: str) -> dict[str, Any]:
    client.endpoint("introspection_endpoint")
    answer = client.post("introspection_endpoint", {"token": token, **client.proof()}, **headers)
    found: dict[str, Any] = answer.must_be(200).json
    return found


@check("smart.introspection.active", "SMART-INTRO-1", "SMART-INTRO-2")
def active(lab: Lab) -> None:
    """A live token is told as active, with its scope, its client and its end."""
    client = _client(lab)
    told = client.fetched()
    found = _introspected(client, told["access_token"])
    expect(found.get("active") is True, f"active is {found.get('active')}.")
    expect(found.get("client_id") == client.client_id, f"client_id is {found.get('client_id')}.")
    expect(
        set(found.get("scope", "").split()) == set(told["scope"].split()), "scope is not what was granted."
    )
    expect(
        isinstance(found.get("exp"), int) and found["exp"] > time.time() - 60, f"exp is {found.get('exp')}."
    )


@check("smart.introspection.inactive", "SMART-INTRO-3")
def inactive(lab: Lab) -> None:
    """A token that is none is told as not active, and nothing else."""
    found = _introspected(_client(lab), "invalid_token_value")
    expect(found == {"active": False}, f"It told {', '.join(found)}.")


@check("smart.introspection.anonymous", "SMART-INTRO-4")
def anonymous(lab: Lab) -> None:
    """Nobody is told about a token without saying who asks."""
    client = _client(lab)
    client.endpoint("introspection_endpoint")
    answer = client.post("introspection_endpoint", {"token": str(client.fetched()["access_token"])})
    answer.must_be(400, 401, 403)


@check("smart.introspection.other", "SMART-INTRO-5", needs=("author", "outsider"))
def other(lab: Lab) -> None:
    """A client is told nothing about another client's token."""
    one, stranger = _client(lab), _client(lab, "outsider")
    answer = stranger.post(
        "introspection_endpoint", {"token": str(one.fetched()["access_token"]), **stranger.proof()}
    )
    if answer.http_status == 200:
        expect(answer.json == {"active": False}, "It was told.")
    else:
        answer.must_be(400, 401, 403)


@check("smart.introspection.revoked", "SMART-INTRO-6")
def revoked(lab: Lab) -> None:
    """A revoked token is told as not active."""
    client = _client(lab)
    client.endpoint("revocation_endpoint")
    token = str(client.fetched()["access_token"])
    client.post("revocation_endpoint", {"token": token, **client.proof()}).must_be(200)
    expect(_introspected(client, token).get("active") is False, "It is told as active.")
