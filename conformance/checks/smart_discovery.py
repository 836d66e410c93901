"""What can be found out about a server's tokens before there is one: SMART discovery."""

from typing import Any

from conformance.doors import ORIGIN, Answer
from conformance.lab import Lab
from conformance.registry import check
from conformance.results import Omitted, expect

_PLACE = "/.well-known/smart-configuration"
_LAUNCHES = ("launch-standalone", "launch-ehr")


def _configuration(lab: Lab, **headers: str) -> tuple[Answer, dict[str, Any]]:
    lab.claims.need_smart()
    answer = lab.anonymous.get(_PLACE, accept="application/json", **headers).must_be(200)
    found = answer.json
    expect(isinstance(found, dict), "It is no JSON object.")
    return answer, found


def _capabilities(found: dict[str, Any]) -> list[str]:
    told = found.get("capabilities")
    return told if isinstance(told, list) else []


@check("smart.discovery.there", "SMART-DISC-1", "SMART-DISC-2", needs=())
def there(lab: Lab) -> None:
    """The SMART configuration is below the FHIR base, open to all, as application/json."""
    answer, _ = _configuration(lab)
    expect(answer.media_type == "application/json", f"It came as {answer.media_type}.")


@check("smart.discovery.json", "SMART-DISC-3", needs=())
def json_whatever_is_asked(lab: Lab) -> None:
    """The SMART configuration is JSON whatever the Accept header says."""
    lab.claims.need_smart()
    answer = lab.anonymous.get(_PLACE, accept="application/fhir+xml").must_be(200)
    expect(answer.media_type == "application/json", f"It came as {answer.media_type}.")


@check("smart.discovery.whole", "SMART-DISC-4", needs=())
def whole(lab: Lab) -> None:
    """The configuration has token endpoint, grant types, capabilities and code challenge methods of the right form."""
    _, found = _configuration(lab)
    expect(
        isinstance(found.get("token_endpoint"), str) and found["token_endpoint"], "token_endpoint is missing."
    )
    for name in ("grant_types_supported", "capabilities", "code_challenge_methods_supported"):
        told = found.get(name)
        expect(isinstance(told, list) and told, f"{name} is missing or no list.")
        expect(all(isinstance(one, str) for one in told or []), f"{name} holds something else than texts.")


@check("smart.discovery.s256", "SMART-DISC-5", needs=())
def s256(lab: Lab) -> None:
    """The code challenge methods hold S256 and not plain."""
    _, found = _configuration(lab)
    methods = found.get("code_challenge_methods_supported", [])
    expect("S256" in methods, "S256 is not among them.")
    expect("plain" not in methods, "plain is among them.")


@check("smart.discovery.authorize", "SMART-DISC-6", needs=())
def authorize(lab: Lab) -> None:
    """A server that launches apps names its authorization endpoint and the grant authorization_code."""
    _, found = _configuration(lab)
    if not set(_capabilities(found)) & set(_LAUNCHES):
        raise Omitted("The server does not launch apps.")
    expect(isinstance(found.get("authorization_endpoint"), str), "authorization_endpoint is missing.")
    expect("authorization_code" in found.get("grant_types_supported", []), "authorization_code is missing.")


@check("smart.discovery.openid", "SMART-DISC-7", needs=())
def openid(lab: Lab) -> None:
    """A server with sso-openid-connect names issuer and jwks_uri."""
    _, found = _configuration(lab)
    if "sso-openid-connect" not in _capabilities(found):
        raise Omitted("The server does not claim sso-openid-connect.")
    for name in ("issuer", "jwks_uri"):
        expect(isinstance(found.get(name), str), f"{name} is missing.")


@check("smart.discovery.no-issuer", "SMART-DISC-8", needs=())
def no_issuer(lab: Lab) -> None:
    """A server without sso-openid-connect names no issuer."""
    _, found = _configuration(lab)
    if "sso-openid-connect" in _capabilities(found):
        raise Omitted("The server claims sso-openid-connect.")
    expect("issuer" not in found, "There is an issuer all the same.")


@check("smart.discovery.addresses", "SMART-DISC-9", needs=())
def addresses(lab: Lab) -> None:
    """Every address in the configuration is absolute."""
    _, found = _configuration(lab)
    for name, value in found.items():
        if name.endswith(("_endpoint", "_uri")) or name == "issuer":
            expect(str(value).startswith(("http://", "https://")), f"{name} is {value}.")


@check("smart.discovery.backend", "SMART-DISC-10", needs=())
def backend(lab: Lab) -> None:
    """A server for asymmetric clients names private_key_jwt, and RS384 or ES384 as algorithms."""
    _, found = _configuration(lab)
    if "client-confidential-asymmetric" not in _capabilities(found):
        raise Omitted("The server does not claim client-confidential-asymmetric.")
    methods = found.get("token_endpoint_auth_methods_supported", [])
    expect("private_key_jwt" in methods, f"token_endpoint_auth_methods_supported is {methods}.")
    algorithms = found.get("token_endpoint_auth_signing_alg_values_supported", [])
    expect({"RS384", "ES384"} & set(algorithms), f"The algorithms are {algorithms}.")


@check("smart.discovery.grant", "SMART-DISC-11", needs=())
def backend_grant(lab: Lab) -> None:
    """A server for backend services names the grant client_credentials."""
    _, found = _configuration(lab)
    if set(_capabilities(found)) & set(_LAUNCHES):
        raise Omitted("The server launches apps; whether it serves backends is not said.")
    expect("client_credentials" in found.get("grant_types_supported", []), "client_credentials is missing.")


@check("smart.discovery.recommended", "SMART-DISC-12", needs=())
def recommended(lab: Lab) -> None:
    """The configuration names scopes, introspection and revocation."""
    _, found = _configuration(lab)
    names = ("scopes_supported", "introspection_endpoint", "revocation_endpoint")
    missing = [name for name in names if not found.get(name)]
    expect(not missing, f"Missing: {', '.join(missing)}")


@check("smart.discovery.cors", "SMART-DISC-13", needs=())
def cors(lab: Lab) -> None:
    """A browser's app may read the configuration and the CapabilityStatement."""
    for place in (_PLACE, "/metadata"):
        lab.claims.need_smart()
        answer = lab.anonymous.get(place, accept="application/json", Origin=ORIGIN).must_be(200)
        told = answer.headers.get("Access-Control-Allow-Origin")
        expect(told in ("*", ORIGIN), f"{place}: Access-Control-Allow-Origin is {told}.")


@check("smart.discovery.capability-statement", "SMART-DISC-14", needs=())
def in_the_capability_statement(lab: Lab) -> None:
    """A server with a SMART configuration says SMART-on-FHIR in its CapabilityStatement."""
    if lab.anonymous.get(_PLACE, accept="application/json").http_status != 200:
        raise Omitted("There is no SMART configuration.")
    expect(lab.fresh_claims().smart, "rest.security.service does not say SMART-on-FHIR.")


@check("smart.discovery.endpoints", "SMART-DISC-15", needs=())
def endpoints_answer(lab: Lab) -> None:
    """Each endpoint that the configuration names is there."""
    _, found = _configuration(lab)
    for name in ("token_endpoint", "introspection_endpoint", "revocation_endpoint", "jwks_uri"):
        if name in found:
            method = "GET" if name == "jwks_uri" else "POST"
            body = None if method == "GET" else "x=y"
            answer = lab.anonymous.ask(
                method, found[name], body, content_type="application/x-www-form-urlencoded"
            )
            expect(answer.http_status != 404, f"{answer.line}: {name} is not there.")
            expect(answer.http_status < 500, f"{answer.line}: {name} broke.")
