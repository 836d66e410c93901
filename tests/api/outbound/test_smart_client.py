"""The hub as a client of a partner's OAuth server, on real HTTP: one token, kept while it lives."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from referral_hub.access.principal import OrganizationFacts
from referral_hub.adapters.fhir_rest import FhirRestChannel
from referral_hub.adapters.guarded_http import GuardedHttp
from referral_hub.adapters.smart_client import Registration, SmartTokens
from referral_hub.errors import DeliveryFailed
from referral_hub.exchange.ports import OrganizationRow
from referral_hub.outbound.ports import TokenRefused, TryLater
from tests.api.outbound.partner_server import Answer, PartnerServer, Request, as_json, serving
from tests.api.outbound.test_fhir_rest import HUB, released, task

SCOPE = "system/Task.cru"


@dataclass
class TokenServer:
    """A partner's token endpoint: it verifies the assertion as SMART asks, and counts what it gave."""

    key: Any
    life_s: Any = 300
    given: int = 0
    requests: list[Request] = field(default_factory=list)
    jti: set[str] = field(default_factory=set)
    base: str = ""
    token_endpoint: str = ""
    answer: Callable[[], Answer] | None = None
    now_s: Callable[[], float] = time.time

    def __call__(self, request: Request) -> Answer:
        self.requests.append(request)
        if request.path != "/token":
            return Answer(200, as_json({"token_endpoint": self.token_endpoint}))
        if self.answer is not None:
            return self.answer()
        form = {name: values[0] for name, values in request.form.items()}
        assert form["grant_type"] == "client_credentials"
        assert form["scope"] == SCOPE
        assert form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        found = jwt.decode(form["client_assertion"], self.key, algorithms=["RS384", "ES384"])
        claims = found.claims
        assert found.header["kid"] == self.key.kid
        assert claims["iss"] == claims["sub"] == "the-hub"
        assert claims["aud"] == self.token_endpoint
        assert self.now_s() < claims["exp"] <= self.now_s() + 300
        assert claims["iat"] <= self.now_s()
        assert claims["jti"] not in self.jti
        self.jti.add(claims["jti"])
        self.given += 1
        said = {"access_token": f"t-{self.given}", "token_type": "bearer", "expires_in": self.life_s}
        return Answer(200, as_json(said))


@dataclass
class Setting:
    """A partner with a token endpoint, and the hub's tokens at it."""

    partner: PartnerServer
    tokens: TokenServer
    smart: SmartTokens
    http: GuardedHttp
    now_us: int

    @property
    def destination(self) -> OrganizationRow:
        facts = OrganizationFacts("clinic", (), "clinic")
        return OrganizationRow(facts, 1, "", "", "", self.partner.base, 0, False, 1)


@contextmanager
def opened(key: Any, *, discovered: bool = False) -> Iterator[Setting]:
    tokens = TokenServer(key)
    with serving(token_endpoint=tokens) as partner:
        origin = partner.base.removesuffix("/fhir")
        tokens.token_endpoint = f"{origin}/token"
        http = GuardedHttp(inner_origins=frozenset({origin}), timeout_s=2.0)
        url = "" if discovered else tokens.token_endpoint
        registration = Registration("the-hub", SCOPE, key, url)
        setting = Setting(partner, tokens, None, http, time.time_ns() // 1000)  # type: ignore[arg-type]
        tokens.now_s = lambda: setting.now_us / 1e6
        setting.smart = SmartTokens(http, {"clinic": registration}.get, lambda: setting.now_us)
        yield setting


@pytest.fixture(scope="module", params=["RS384", "ES384"])
def key(request: pytest.FixtureRequest) -> Any:
    if request.param == "RS384":
        return RSAKey.generate_key(2048, {"kid": "hub-rsa"})
    return ECKey.generate_key("P-384", {"kid": "hub-ec"})


@pytest.fixture(scope="module")
def ec_key() -> Any:
    return ECKey.generate_key("P-384", {"kid": "hub-ec"})


@pytest.mark.parametrize("discovered", [False, True])
def test_a_token_is_fetched_with_a_signed_assertion_and_kept_while_it_lives(key: Any, discovered: bool):
    with opened(key, discovered=discovered) as setting:
        assert setting.smart.of(setting.destination) == "t-1"
        assert setting.smart.of(setting.destination) == "t-1"
        setting.now_us += 271_000_000
        assert setting.smart.of(setting.destination) == "t-2"
        setting.smart.forget(setting.destination)
        assert setting.smart.of(setting.destination) == "t-3"


def test_a_partner_without_a_registration_is_called_without_a_token(ec_key: Any):
    with opened(ec_key) as setting:
        assert SmartTokens(setting.http, lambda name: None, lambda: 0).of(setting.destination) == ""
        assert setting.tokens.requests == []


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(400, as_json({"error": "invalid_client"})), TokenRefused),
        (Answer(401), TokenRefused),
        (Answer(500), TryLater),
        (Answer(429), TryLater),
        (Answer(200, b"<html>"), TryLater),
        (Answer(200, as_json({"access_token": "a b", "token_type": "bearer"})), TokenRefused),
        (Answer(200, as_json({"access_token": "a\r\nX: y", "token_type": "bearer"})), TokenRefused),
        (Answer(200, as_json({"access_token": "a", "token_type": "mac"})), TokenRefused),
        (Answer(200, as_json({"token_type": "bearer"})), TokenRefused),
        (
            Answer(200, as_json({"access_token": "a", "token_type": "bearer", "expires_in": "1"})),
            TokenRefused,
        ),
    ],
)
def test_without_a_usable_token_the_message_waits(ec_key: Any, answer: Answer, kind: type[DeliveryFailed]):
    with opened(ec_key) as setting:
        setting.tokens.answer = lambda: answer
        with pytest.raises(DeliveryFailed) as caught:
            setting.smart.of(setting.destination)
        assert type(caught.value) is kind
        assert not caught.value.permanent


@pytest.mark.parametrize("url", [None, 7, ""])
def test_a_configuration_without_a_token_endpoint_is_no_way(ec_key: Any, url: Any):
    with opened(ec_key, discovered=True) as setting:
        setting.tokens.token_endpoint = url
        with pytest.raises(DeliveryFailed):
            setting.smart.of(setting.destination)


@pytest.mark.parametrize("life_s", [0, 10, 30])
def test_a_token_that_ends_at_once_is_used_once(ec_key: Any, life_s: int):
    with opened(ec_key) as setting:
        setting.tokens.life_s = life_s
        assert setting.smart.of(setting.destination) == "t-1"
        assert setting.smart.of(setting.destination) == "t-2"


def test_a_message_goes_with_its_token(ec_key: Any):
    with opened(ec_key) as setting:
        setting.partner.token = "t-1"
        sends = FhirRestChannel(setting.http, HUB, lambda: setting.now_us, setting.smart)
        sends.ready(setting.destination)
        assert sends.send(setting.destination, released(task()), key="k-1")
        setting.partner.token = "t-2"
        with pytest.raises(TokenRefused):
            sends.send(setting.destination, released(task()), key="k-1")
        sends.ready(setting.destination)
        assert sends.send(setting.destination, released(task()), key="k-1")
        assert setting.partner.faults == []
