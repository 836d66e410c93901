"""A whole hub in this process: a real database, real keys, real tokens, asked through its WSGI application.

What lives here: making a hub with organisations and tokens, and asking it as one of them. What does not: data
(``tests.builders``), servers and processes (``tests/api/test_serving*``).
"""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from referral_hub.access.principal import OrganizationFacts
from referral_hub.app import Parts, RandomIds, clock, create_app, open_hub
from referral_hub.exchange.change import Change, Row
from referral_hub.exchange.ports import OrganizationRow
from referral_hub.fhir import json_codec
from referral_hub.keyring.master import make_master_key
from referral_hub.keyring.ring import establish
from referral_hub.settings import Settings
from referral_hub.store.database import open_database
from referral_hub.store.key_rows import KeyRows
from referral_hub.store.migrate import upgrade
from referral_hub.store.organizations import organization_rows
from referral_hub.store.writing import open_writer
from tests import log_watch

ALL_SCOPES = "system/*.cruds"


@dataclass
class Caller:
    """One organisation's software with a token, asking the hub."""

    organization: str
    token: str
    client: FlaskClient

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        """Sends one request to the FHIR API; header names take ``_`` for ``-``."""
        sent = {"Authorization": f"Bearer {self.token}"}
        sent.update({name.replace("_", "-"): value for name, value in headers.items()})
        data = None
        log_watch.values_of(body)
        if body is not None:
            data = body if isinstance(body, bytes) else json_codec.encode(body)
            sent.setdefault("Content-Type", "application/fhir+json")
        return self.client.open(f"/fhir{path}", method=method, data=data, headers=sent)

    def get(self, path: str, **headers: str) -> TestResponse:
        """Sends a GET."""
        return self.ask("GET", path, **headers)

    def create(self, resource: dict[str, Any], **headers: str) -> dict[str, Any]:
        """Creates a resource and gives it as answered; fails the test where it is refused."""
        answer = self.ask("POST", f"/{resource['resourceType']}", resource, **headers)
        assert answer.status_code == 201, answer.get_data(as_text=True)
        return parsed(answer)

    def read(self, reference: str) -> dict[str, Any]:
        """Reads a resource; fails the test where it is absent."""
        answer = self.get(f"/{reference}")
        assert answer.status_code == 200, f"{reference}: {answer.get_data(as_text=True)}"
        return parsed(answer)

    def update(self, resource: dict[str, Any], **headers: str) -> TestResponse:
        """Updates a resource with the version it carries."""
        headers.setdefault("If_Match", f'W/"{resource["meta"]["versionId"]}"')
        return self.ask("PUT", f"/{resource['resourceType']}/{resource['id']}", resource, **headers)

    def changed(self, reference: str, **elements: Any) -> dict[str, Any]:
        """Reads, changes elements (None drops one), writes, and gives the answer; fails where refused."""
        resource = self.read(reference)
        for name, value in elements.items():
            element = name.rstrip("_")
            if value is None:
                resource.pop(element, None)
            else:
                resource[element] = value
        answer = self.update(resource)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return parsed(answer)


def parsed(answer: TestResponse) -> dict[str, Any]:
    """Gives the JSON of an answer, decimals exact."""
    found: dict[str, Any] = json_codec.decode_object(answer.get_data())
    return found


def texts(answer: TestResponse) -> list[str]:
    """Gives the texts of an OperationOutcome."""
    return [issue["details"]["text"] for issue in json.loads(answer.get_data())["issue"]]


@dataclass
class World:
    """A hub with the invented network."""

    parts: Parts
    client: FlaskClient
    organizations: dict[str, str] = field(default_factory=dict)

    def add_organization(
        self,
        name: str,
        kind: str,
        *,
        part_of: str = "",
        governmental: bool = False,
        country: str = "",
        fhir_endpoint: str = "",
        is_hub: bool = False,
        bases: tuple[str, ...] = (),
    ) -> str:
        """Adds an organisation row (without its FHIR resource) and gives its id."""
        row = OrganizationRow(
            facts=OrganizationFacts(RandomIds().public_id(), (), kind, governmental, country),
            version=0,
            part_of=part_of,
            neutral_name="House" if kind == "shelter" else "",
            name=name,
            fhir_endpoint=fhir_endpoint,
            poll_seconds=900,
            is_hub=is_hub,
            row_id=RandomIds().row_id(clock()),
        )
        rows = organization_rows(self.parts.database, row, bases)
        self._apply(rows)
        self._add_resource(row)
        self.organizations[name] = row.facts.id
        return row.facts.id

    def _add_resource(self, row: OrganizationRow) -> None:
        from referral_hub.exchange.building import Draft
        from referral_hub.exchange.columns import columns_of
        from referral_hub.exchange.interactions import hub_write
        from referral_hub.resources.catalog import DEFINITIONS

        body = {"resourceType": "Organization", "active": True, "name": row.name}

        def decide(draft: Draft) -> bool:
            columns, _ = columns_of(
                DEFINITIONS["Organization"], body, {}, own_row=row.row_id, author_kind=row.facts.kind
            )
            hub = draft.working.hub_organization()
            draft.create(
                body,
                columns,
                row_id=row.row_id,
                public_id=row.facts.id,
                author=hub.facts.id if hub is not None else row.facts.id,
            )
            return True

        assert hub_write(self.parts.hub, decide)

    def caller(
        self,
        organization: str,
        *,
        purpose: str = "TREAT",
        scope: str = "",
        life_s: int = 300,
        very_restricted: bool = True,
    ) -> Caller:
        """Gives a caller of an organisation (by name or id) with a fresh token."""
        found = self.organizations.get(organization, organization)
        token = secrets.token_urlsafe(32)
        at_us = clock()
        client_id = f"c-{secrets.token_hex(8)}"
        from referral_hub.resources.catalog import DEFINITIONS

        scope = scope or " ".join(f"system/{name}.cruds" for name in sorted(DEFINITIONS))
        self._apply(
            (
                Row(
                    "oauth_client_insert",
                    {
                        "client_id": client_id,
                        "organization": found,
                        "name": "test software",
                        "kind": "jwks",
                        "jwks": "",
                        "jwks_url": "",
                        "secret_hash": "",
                        "scope": scope,
                        "purposes": purpose,
                        "redirect_uris": "",
                        "require_dpop": 0,
                        "very_restricted": int(very_restricted),
                        "created_us": at_us,
                    },
                ),
                Row(
                    "oauth_token_insert",
                    {
                        "digest": sha256(token.encode()).digest(),
                        "oauth_client": client_id,
                        "organization": found,
                        "scope": scope,
                        "purpose": purpose,
                        "role": "",
                        "user_id": "",
                        "issued_us": at_us,
                        "expires_us": at_us + life_s * 1_000_000,
                        "very_restricted": int(very_restricted),
                    },
                ),
            )
        )
        return Caller(found, token, self.client)

    def _apply(self, rows: tuple[Row, ...]) -> None:
        self.parts.store.apply(self.parts.gate.admit_token(Change(RandomIds().public_id(), rows=rows)))


@contextmanager
def opened_world(database_url: str, data_dir: Path, **variables: str) -> Iterator[World]:
    """Opens a hub on an empty database, with its own organisation, and closes it afterwards.

    ``variables`` are settings beyond the defaults, without their prefix.
    """
    settings = Settings.from_environment(
        {
            "REFERRAL_HUB_DATA_DIR": str(data_dir),
            "REFERRAL_HUB_DATABASE_URL": database_url,
            "REFERRAL_HUB_ABSENCE_BEAT_MS": "0",  # tests/attack/test_timing has it on
            **{f"REFERRAL_HUB_{name}": value for name, value in variables.items()},
        }
    )
    data_dir.mkdir(parents=True, exist_ok=True)
    upgrade(database_url)
    master = make_master_key(settings.secret_key_file)
    database = open_database(database_url)
    writer = open_writer(database, socket=settings.writer_socket)
    establish(master, KeyRows(database, writer), clock())
    writer.close()
    database.close()
    parts = open_hub(settings, master=master)
    try:
        app = create_app(parts)
        app.testing = True
        world = World(parts, app.test_client())
        world.add_organization("network", "coordinator", is_hub=True)
        yield world
    finally:
        parts.close()
