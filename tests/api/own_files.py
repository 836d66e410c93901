"""An organisation that holds the key of its own file, for tests; and an operator with all that lies on the disk.

What lives here: callers that bring a key, and the attack. What does not: the tests themselves.
"""

import base64
import json
import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from werkzeug.test import TestResponse

from referral_hub.keyring.master import read_master_key
from referral_hub.keyring.own_file import (
    OwnFileKeys,
    OwnKey,
    given,
    key_id,
    make_own_key,
    public_of,
    read_public,
    seal_to,
)
from referral_hub.rekeying import hold_own_file
from referral_hub.store.bodies import body_label
from referral_hub.store.columns import METADATA
from referral_hub.store.own_file import TYPES
from tests.unit.store.memory_keys import NobodyHolds
from tests.world import Caller, World


@dataclass
class KeyedCaller(Caller):
    """An organisation's software that brings the key of its own file with each request."""

    secret: str = ""

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        """Sends one request, with the key unless another is given."""
        headers.setdefault("X_Hub_Organization_Key", self.secret)
        return super().ask(method, path, body, **headers)


def held(world: World, name: str) -> OwnKey:
    """Gives an organisation a key of its own file."""
    made = make_own_key()
    hold_own_file(world.parts, world.organizations[name], made.public, pause=lambda _: None)
    return made


def keyed(world: World, name: str, secret: str) -> KeyedCaller:
    """Gives a caller of an organisation that brings a key."""
    plain = world.caller(name)
    return KeyedCaller(plain.organization, plain.token, plain.client, secret)


def tables(world: World) -> dict[str, list[dict[str, Any]]]:
    """Gives every row of every table."""
    engine = sa.create_engine(
        world.parts.settings.database_url.replace("postgresql://", "postgresql+psycopg://", 1)
    )
    with closing(engine.connect()) as connection:
        found = {
            table.name: [dict(row._mapping) for row in connection.execute(sa.select(table))]
            for table in METADATA.sorted_tables
        }
    engine.dispose()
    return found


class Operator:
    """Whoever has the disk and the master key: every key there is, tried on every stored body in every way.

    Args:
        world: whose disk it is. The hub in memory is not asked for anything it has opened.
    """

    def __init__(self, world: World) -> None:
        self.tables = tables(world)
        settings = world.parts.settings
        self.files = {
            path: path.read_bytes() for path in sorted(settings.data_dir.rglob("*")) if path.is_file()
        }
        if settings.sqlite_file is not None:
            beside = settings.sqlite_file.parent.glob(f"{settings.sqlite_file.name}*")
            self.files |= {path: path.read_bytes() for path in beside if path.is_file()}
        master = read_master_key(settings.secret_key_file)
        self.keys = [
            master.unwrap(row["name"], bytes(row["wrapped"]), row["master"])
            for row in self.tables["wrapped_key"]
            if row["wrapped"] is not None
        ]
        assert len(self.keys) >= 4

    def bodies(self) -> Iterator[tuple[str, str, bytes]]:
        """Gives (type, label, stored bytes) of everything of an own file, wherever a body of it lies."""
        versions = {(row["row_id"], row["version"]): row for row in self.tables["resource_version"]}
        for table in ("resource", "resource_version"):
            for row in self.tables[table]:
                if row["type"] in TYPES and row["body"] and row["person"] is not None:
                    yield row["type"], body_label(row["id"], row["version"]), bytes(row["body"])
        for row in self.tables["own_body"]:
            found = versions[row["row_id"], row["version"]]
            yield found["type"], body_label(found["id"], found["version"]), bytes(row["body"])

    def opened(self) -> list[dict[str, Any]]:
        """Gives what it reads: each key as a cipher, as a private key of its own making, and every token as a key."""
        found = []
        for _, label, stored in self.bodies():
            found += [one for one in self._tried(stored, label) if one is not None]
        return found

    def _tried(self, stored: bytes, label: str) -> Iterator[dict[str, Any] | None]:
        layers = [stored]
        # As if a key of the hub were the organisation's: what comes out is tried again as a body.
        for seed in [*self.keys, *(bytes(row["public"]) for row in self.tables["own_key"])]:
            layers += _as_private(seed, stored, label)
        for layer in layers:
            for key in self.keys:
                for start in {0, 8, 40, len(layer) % 16}:
                    yield _decrypted(key, layer[start:], label)

    def holds(self, words: str) -> list[str]:
        """Gives the files and tables in which some words lie readable."""
        plain = words.encode()
        found = [str(path) for path, content in self.files.items() if plain in content]
        for name, rows in self.tables.items():
            if any(plain in _bytes_of(value) for row in rows for value in row.values()):
                found.append(name)
        return found


def _bytes_of(value: Any) -> bytes:
    return bytes(value) if isinstance(value, (bytes, memoryview)) else str(value).encode()


def _decrypted(key: bytes, stored: bytes, label: str) -> dict[str, Any] | None:
    for name in (label.encode(), None):
        try:
            opened = AESGCM(key).decrypt(stored[:12], stored[12:], name)
        except (InvalidTag, ValueError):
            continue
        return dict(json.loads(opened))
    return None


def _as_private(seed: bytes, stored: bytes, label: str) -> list[bytes]:
    """Gives what opens with this secret as an organisation's key, whatever name stands in front."""
    secret = "hub-own-secret-1." + base64.urlsafe_b64encode(seed[:32]).decode().rstrip("=")
    renamed = key_id(public_of(secret)) + stored[8:]
    with given(secret):
        keys = OwnFileKeys(NobodyHolds())
        return [one for one in (keys.open(stored, label), keys.open(renamed, label)) if one is not None]


def control(public: str, person_key: bytes, label: str) -> bytes:
    """Gives a body sealed as an own file's is, to show that the attack would open it with the right keys."""
    nonce = os.urandom(12)
    inner = nonce + AESGCM(person_key).encrypt(nonce, b'{"resourceType": "Basic"}', label.encode())
    return seal_to(read_public(public), inner, label)


def format_of(world: World, reference: str) -> int:
    """Gives the format in which the current body of a resource lies."""
    _, _, public_id = reference.partition("/")
    rows = [row for row in tables(world)["resource"] if row["id"] == public_id]
    return int(rows[0]["body_format"])
