"""A partner's software as it would be written outside: SMART Backend Services and FHIR over HTTP, by the book.

What lives here: a key pair, the token, and the few interactions a partner needs. What does not: anything of the
hub. This module knows the standards and the hub's address, and imports nothing else of this package, so that
what works for it works for a stranger.

Source: SMART App Launch 2.2 Backend Services; RFC 7523 2.2; HL7 FHIR R4 ``http.html``.
"""

import json
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import requests
from joserfc import jwt
from joserfc.jwk import ECKey, Key, KeyParameters, RSAKey

FHIR_JSON = "application/fhir+json"
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_LIFE_S = 120
TIMEOUT_S = 30
_EARLY_S = 10
"""A token is replaced so many seconds before it ends."""

Resource = dict[str, Any]


class PartnerFault(Exception):
    """The other side did not answer as the standards say, or refused."""


def make_key(algorithm: str, name: str) -> Key:
    """Gives a fresh private key for signing.

    Args:
        algorithm: ``ES384`` or ``RS384``.
        name: its ``kid``.
    """
    named: KeyParameters = {"kid": name, "alg": algorithm, "use": "sig"}
    if algorithm == "RS384":
        return RSAKey.generate_key(2048, named)
    return ECKey.generate_key("P-384", named)


def public_keys(*keys: Key) -> dict[str, Any]:
    """Gives the public halves as a JWK Set.

    >>> public_keys(make_key("ES384", "one"))["keys"][0]["kid"]
    'one'
    """
    return {"keys": [dict(key.as_dict(private=False)) for key in keys]}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the HTTP status, headers by lower-case name, and the bytes."""

    http_status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def resource(self) -> Resource:
        """Gives the body as a FHIR resource; an empty one where there is none."""
        try:
            found = json.loads(self.body or b"{}")
        except ValueError:
            raise PartnerFault(f"status {self.http_status} with a body that is no JSON") from None
        return found if isinstance(found, dict) else {}

    @property
    def texts(self) -> list[str]:
        """Gives the sentences of an OperationOutcome."""
        return [
            str(issue.get("details", {}).get("text") or issue.get("diagnostics") or issue.get("code"))
            for issue in self.resource.get("issue", [])
        ]


class SmartPartner:
    """One partner's registered software. Safe for threads.

    Args:
        fhir_base: the hub's FHIR base URL; everything else is discovered from it.
        client_id: as the hub's operator gave it.
        key: the private key whose public half is registered.
        scope: what is asked for, in SMART v2 spelling.
    """

    def __init__(self, fhir_base: str, client_id: str, key: Key, scope: str) -> None:
        self.fhir_base = fhir_base.rstrip("/")
        self.client_id = client_id
        self._key = key
        self._scope = scope
        self._http = requests.Session()
        self._http.trust_env = False
        self._lock = threading.Lock()
        self._token_endpoint = ""
        self._token = ""
        self._ends_s = 0.0
        self.granted = ""

    def close(self) -> None:
        """Gives back the connections."""
        self._http.close()

    # --- tokens ----------------------------------------------------------------------------------------

    def token(self) -> str:
        """Gives a live access token, a fresh one where the last has ended or was given up."""
        with self._lock:
            if not self._token or time.monotonic() >= self._ends_s:
                self._fetch_token()
            return self._token

    def give_up_token(self) -> None:
        """Forgets the token, so that the next request brings a fresh one with the scopes of that moment."""
        with self._lock:
            self._token = ""

    def _fetch_token(self) -> None:
        if not self._token_endpoint:
            self._token_endpoint = self._discover()
        form = {
            "grant_type": "client_credentials",
            "scope": self._scope,
            "client_assertion_type": JWT_BEARER,
            "client_assertion": self._assertion(self._token_endpoint),
        }
        try:
            answer = self._http.post(
                self._token_endpoint, data=form, timeout=TIMEOUT_S, allow_redirects=False
            )
            told = answer.json()
        except (requests.RequestException, ValueError) as fault:
            raise PartnerFault(f"the token endpoint did not answer: {type(fault).__name__}") from None
        if answer.status_code != 200:
            raise PartnerFault(f"no token: {told.get('error')}: {told.get('error_description', '')}")
        if str(told.get("token_type", "")).lower() != "bearer" or not told.get("access_token"):
            raise PartnerFault("the token endpoint answered without a bearer token")
        self._token = str(told["access_token"])
        self._ends_s = time.monotonic() + float(told["expires_in"]) - _EARLY_S
        self.granted = str(told.get("scope", ""))

    def _discover(self) -> str:
        """Reads where tokens are given, and that this kind of client and key is welcome.

        Source: SMART App Launch 2.2 Conformance, ``.well-known/smart-configuration``.
        """
        try:
            answer = self._http.get(
                f"{self.fhir_base}/.well-known/smart-configuration",
                headers={"Accept": "application/json"},
                timeout=TIMEOUT_S,
            )
            told = answer.json()
        except (requests.RequestException, ValueError) as fault:
            raise PartnerFault(f"no SMART configuration: {type(fault).__name__}") from None
        algorithm = self._key.as_dict(private=False)["alg"]
        for name, wanted in (
            ("grant_types_supported", "client_credentials"),
            ("token_endpoint_auth_methods_supported", "private_key_jwt"),
            ("token_endpoint_auth_signing_alg_values_supported", algorithm),
        ):
            if wanted not in told.get(name, ()):
                raise PartnerFault(f"the SMART configuration does not offer {wanted}")
        return str(told["token_endpoint"])

    def _assertion(self, audience: str) -> str:
        named = self._key.as_dict(private=False)
        header = {"alg": named["alg"], "kid": named["kid"], "typ": "JWT"}
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": audience,
            "exp": int(time.time()) + ASSERTION_LIFE_S,
            "jti": secrets.token_urlsafe(24),
        }
        return jwt.encode(header, claims, self._key, algorithms=[str(named["alg"])])

    # --- FHIR ------------------------------------------------------------------------------------------

    def ask(self, method: str, path: str, body: Resource | None = None, **headers: str) -> Answer:
        """Sends one request; header names take ``_`` for ``-``.

        A token that has ended, or whose scope lacks what was since backed, is replaced once.

        Args:
            method: such as ``GET``.
            path: below the FHIR base, or an absolute URL under it.
            body: a resource to send.
            headers: to send beside the usual ones.

        Raises:
            PartnerFault: there is no answer or no token, or the address is not the hub's.
        """
        answer = self._once(method, path, body, headers)
        if answer.http_status in (401, 403):
            self.give_up_token()
            answer = self._once(method, path, body, headers)
        return answer

    def _once(self, method: str, path: str, body: Resource | None, headers: Mapping[str, str]) -> Answer:
        sent = {"Accept": FHIR_JSON, "Authorization": f"Bearer {self.token()}"}
        sent.update({name.replace("_", "-"): value for name, value in headers.items()})
        data = None
        if body is not None:
            data = json.dumps(body, ensure_ascii=False).encode()
            sent.setdefault("Content-Type", FHIR_JSON)
        try:
            answer = self._http.request(
                method,
                self.address_of(path),
                data=data,
                headers=sent,
                timeout=TIMEOUT_S,
                allow_redirects=False,
            )
        except requests.RequestException as fault:
            raise PartnerFault(f"the hub did not answer: {type(fault).__name__}") from None
        found = {name.lower(): value for name, value in answer.headers.items()}
        return Answer(answer.status_code, found, answer.content)

    def address_of(self, path: str) -> str:
        """Gives the absolute address of a path; the token never goes anywhere but to the hub.

        Raises:
            PartnerFault: it is an address elsewhere.
        """
        if not path.startswith(("https://", "http://")):
            return f"{self.fhir_base}/{path.lstrip('/')}"
        if not path.startswith(f"{self.fhir_base}/"):
            raise PartnerFault("an address that is not the hub's")
        return path

    def get(self, path: str, **headers: str) -> Answer:
        """Sends a GET."""
        return self.ask("GET", path, None, **headers)

    def create(self, resource: Resource) -> Answer:
        """Sends a create."""
        return self.ask("POST", str(resource["resourceType"]), resource)

    def update(self, resource: Resource) -> Answer:
        """Sends an update that names the version it was made from."""
        path = f"{resource['resourceType']}/{resource['id']}"
        return self.ask("PUT", path, resource, If_Match=f'W/"{resource["meta"]["versionId"]}"')

    def search(self, type_name: str, **criteria: str) -> Iterator[Resource]:
        """Gives what a search finds, page by page; parameter names take ``_`` in front as they are.

        Raises:
            PartnerFault: the search was refused.
        """
        path = f"{type_name}?{urlencode(criteria)}" if criteria else type_name
        while path:
            answer = self.get(path)
            if answer.http_status != 200:
                raise PartnerFault(f"a search of {type_name} was answered with status {answer.http_status}")
            bundle = answer.resource
            for entry in bundle.get("entry", []):
                if entry.get("search", {}).get("mode", "match") == "match":
                    yield entry["resource"]
            path = next_page(bundle)


def next_page(bundle: Resource) -> str:
    """Gives the address of the page after this one, or an empty text.

    >>> next_page({"link": [{"relation": "next", "url": "https://hub.example/fhir/Task?page=2"}]})
    'https://hub.example/fhir/Task?page=2'
    """
    return next((str(link["url"]) for link in bundle.get("link", []) if link["relation"] == "next"), "")
