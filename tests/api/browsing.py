"""People at browsers, for tests: a hub whose clock is turned by hand, its pages, and an authenticator of our own.

What lives here: a browser with its cookies, an account that is ready to work, a software authenticator. What does
not: what is tested.
"""

import base64
import json
import re
import secrets
import struct
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from referral_hub.adapters.guarded_http import GuardedHttp
from referral_hub.app import clock, create_app
from referral_hub.auth.people.browser_sessions import Policy, SignedIn
from referral_hub.auth.people.passwords import Passwords
from referral_hub.auth.people.people import People, people_of
from referral_hub.exchange.accounts import TOTP as APP
from referral_hub.exchange.change import Change
from tests.world import World

PASSWORD = "lamp tomato quietly seven"
SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
DAY_US = 24 * 60 * MINUTE_US
_TOKEN = re.compile(r'name="form_token" value="([0-9a-f]+)"')
_TICKET = re.compile(r'name="ticket" value="([^"]+)"')
_SECRET = re.compile(r'<p class="codes">([A-Z2-7 ]+)</p>')


@dataclass
class Office:
    """A hub with cheap passwords and a clock turned by hand."""

    world: World
    people: People
    app: Flask
    at_us: int = 0

    def now(self) -> int:
        return self.at_us

    def later(self, *, seconds: float = 0, minutes: float = 0, days: float = 0) -> None:
        self.at_us += int(seconds * SECOND_US + minutes * MINUTE_US + days * DAY_US)

    def browser(self, address: str = "192.0.2.10") -> "Browser":
        return Browser(self, self.app.test_client(), address)

    def staff(self, role: str = "caseworker", organization: str = "", **how: Any) -> "Member":
        """Adds a member of staff who is trained, authorised, and has chosen her password; signed in nowhere."""
        organization = organization or self.world.add_organization(f"unit {secrets.token_hex(4)}", "shelter")
        login = f"{secrets.token_hex(6)}@unit.example"
        given = self.people.office.add(organization, role, login, self.at_us, **how)
        self.people.office.train(given.account, self.at_us + 400 * DAY_US, self.at_us)
        self.people.office.authorise(given.account, self._authority(), self.at_us, self._hub)
        member = Member(self, given.account, organization, login, given.one_time_password)
        browser = self.browser("198.51.100.1")
        answer = browser.sign_in(login, given.one_time_password)
        assert answer.status_code == 303, answer.get_data(as_text=True)
        answer = browser.post("/account/password", new=PASSWORD, again=PASSWORD)
        assert answer.status_code == 303, answer.get_data(as_text=True)
        member.password = PASSWORD
        member.secret = browser.add_app()
        self.later(seconds=60)
        browser.post("/sign-out", page="/account")
        return member

    @property
    def _hub(self) -> str:
        with self.world.parts.store.snapshot() as snapshot:
            found = snapshot.hub_organization()
        assert found is not None
        return found.facts.id

    def _authority(self) -> str:
        for account, _ in self.people.rows.accounts_of(self._hub):
            if account.role == "coordinator" and account.state == "active" and account.authorised_by:
                return account.id
        given = self.people.office.first(self._hub, f"{secrets.token_hex(6)}@network.example", self.at_us)
        assert given is not None
        return given.account


@dataclass
class Member:
    """Somebody with an account."""

    office: Office
    account: str
    organization: str
    login: str
    password: str
    secret: bytes = b""

    def digits(self) -> str:
        """Gives the six digits her app shows now."""
        return digits_of(self.secret, self.office.at_us)

    def at(self, browser: "Browser") -> "Browser":
        """Signs her in wholly."""
        self.office.later(seconds=60)  # so that the app shows digits that were not used yet
        answer = browser.sign_in(self.login, self.password)
        assert answer.headers["Location"].startswith("/sign-in/second"), answer.get_data(as_text=True)
        answer = browser.post("/sign-in/second", digits=self.digits())
        assert answer.status_code == 303, answer.get_data(as_text=True)
        assert browser.signed_in() is not None
        return browser


@dataclass
class Browser:
    """One browser: its cookies, and the address it comes from."""

    office: Office
    client: FlaskClient
    address: str
    headers: dict[str, str] = field(default_factory=dict)

    def get(self, address: str) -> TestResponse:
        return self.client.get(address, environ_overrides={"REMOTE_ADDR": self.address}, headers=self.headers)

    def post(self, address: str, page: str = "", **form: str) -> TestResponse:
        """Sends a form as a page of the hub would, with the token of ``page``."""
        shown = self.get(page or "/sign-in/code").get_data(as_text=True)
        token = _TOKEN.search(shown)
        assert token, shown
        return self.client.post(
            address,
            data={"form_token": token[1], **form},
            environ_overrides={"REMOTE_ADDR": self.address},
            headers=self.headers,
        )

    def sign_in(self, login: str, password: str, onward: str = "") -> TestResponse:
        return self.post("/sign-in", login=login, password=password, next=onward)

    def signed_in(self) -> SignedIn | None:
        return self.office.people.sessions.signed_in(self.cookie(), self.office.at_us)

    def cookie(self, name: str = "hub") -> str | None:
        found = self.client.get_cookie(name)
        return None if found is None else found.value

    def add_app(self) -> bytes:
        """Adds an authenticator app and gives its secret."""
        shown = self.get("/account/second").get_data(as_text=True)
        ticket, secret = _TICKET.search(shown), _SECRET.search(shown)
        assert ticket, shown
        assert secret, shown
        held = base64.b32decode(secret[1].replace(" ", ""))
        answer = self.post("/account/second", ticket=ticket[1], digits=digits_of(held, self.office.at_us))
        assert answer.status_code in (200, 303), answer.get_data(as_text=True)
        return held


def digits_of(secret: bytes, at_us: int) -> str:
    return TOTP(secret, 6, SHA1(), 30).generate(at_us // SECOND_US).decode()


def office_of(
    world: World,
    *,
    policy: Policy | None = None,
    base_url: str = "",
    http: GuardedHttp | None = None,
    passwords: Passwords | None = None,
) -> Office:
    """Opens the pages of a hub on a clock of its own, one day ahead of the real one."""
    parts = world.parts

    def apply(change: Change) -> None:
        parts.store.apply(parts.gate.admit_token(change))

    people = people_of(
        parts.accounts,
        apply,
        policy or Policy(),
        http or parts.http,
        base_url or parts.settings.base_url,
        passwords or Passwords(memory_kib=8, passes=1, lanes=1),
    )
    office = Office(world, people, Flask("none"), clock())
    settings = replace(parts.settings, base_url=base_url or parts.settings.base_url)
    hub = replace(parts.hub, clock=office.now)
    office.app = create_app(
        replace(parts, people=people, sessions=people.sessions, hub=hub, settings=settings)
    )
    office.app.testing = True
    return office


# --- an authenticator --------------------------------------------------------------------------------------


@dataclass
class Authenticator:
    """A software authenticator with one key, made of ``cryptography`` alone.

    ``verifies``: whether it looks at its user. ``counts``: whether its signature count grows.
    """

    origin: str
    verifies: bool = True
    counts: bool = True
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    user: bytes = b""
    count: int = 0

    def make(self, options: dict[str, Any]) -> dict[str, Any]:
        """Answers ``navigator.credentials.create``."""
        asked = options["publicKey"]
        self.user = _bytes(asked["user"]["id"])
        client = self._client("webauthn.create", asked["challenge"])
        numbers = self.key.public_key().public_numbers()
        public = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        attested = bytes(16) + struct.pack(">H", len(self.credential_id)) + self.credential_id + cbor(public)
        data = self._data(asked["rp"]["id"], 0x40) + attested
        attestation = cbor({"fmt": "none", "attStmt": {}, "authData": data})
        return self._answer({"clientDataJSON": _text(client), "attestationObject": _text(attestation)})

    def use(self, options: dict[str, Any], **changed: Any) -> dict[str, Any]:
        """Answers ``navigator.credentials.get``."""
        asked = options["publicKey"]
        client = self._client(changed.get("type", "webauthn.get"), asked["challenge"])
        data = self._data(changed.get("rp", asked["rpId"]), 0)
        signature = self.key.sign(data + sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer(
            {
                "clientDataJSON": _text(client),
                "authenticatorData": _text(data),
                "signature": _text(signature),
                "userHandle": _text(changed.get("user", self.user)),
            }
        )

    def _client(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin}).encode()

    def _data(self, party: str, flags: int) -> bytes:
        self.count += self.counts
        present = 0x01 | (0x04 if self.verifies else 0) | flags
        return sha256(party.encode()).digest() + bytes([present]) + struct.pack(">I", self.count)

    def _answer(self, response: dict[str, str]) -> dict[str, Any]:
        name = _text(self.credential_id)
        return {"id": name, "rawId": name, "type": "public-key", "response": response}


def cbor(value: Any) -> bytes:
    """Gives a value in CBOR (RFC 8949): numbers, bytes, texts and maps are enough here."""
    if isinstance(value, int):
        return _head(0, value) if value >= 0 else _head(1, -1 - value)
    if isinstance(value, bytes):
        return _head(2, len(value)) + value
    if isinstance(value, str):
        return _head(3, len(value.encode())) + value.encode()
    assert isinstance(value, dict)
    return _head(5, len(value)) + b"".join(cbor(name) + cbor(held) for name, held in value.items())


def _head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes([major << 5 | number])
    if number < 256:
        return bytes([major << 5 | 24, number])
    return bytes([major << 5 | 25]) + struct.pack(">H", number)


def _text(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


__all__ = ["APP", "PASSWORD", "Authenticator", "Browser", "Member", "Office", "digits_of", "office_of"]
