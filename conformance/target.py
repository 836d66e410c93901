"""Which server is looked at, and who we are to it: from flags or a TOML file.

What lives here: reading the configuration. What does not: asking (``conformance.lab``).

The file::

    base = "https://hub.example/fhir"
    claims = ["sdohcc"]              # roles the server is held to though its CapabilityStatement is silent
    callback_host = "127.0.0.1"      # where this machine can be reached by the server, for Subscriptions
    callback_port = 0                # a fixed port, where the server keeps a list of allowed endpoints

    [clients.author]                 # also: recipient, outsider, operator
    client_id = "…"
    key = "author.jwk"               # private JWK, beside this file
    scope = "system/*.cruds"
    organization = "…"               # id of its Organization on the server
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from joserfc.jwk import Key

from conformance.tokens import read_key

ROLES = ("author", "recipient", "outsider", "operator", "subscriber")
ROLES_CLAIMED = ("sdohcc", "referral-hub")


class BadConfiguration(Exception):
    """What was given cannot be used."""


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """One registered client."""

    client_id: str
    key: Key
    scope: str = "system/*.cruds"
    organization: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """The server and our clients at it.

    Args:
        base: its FHIR base URL, without a slash at the end.
        clients: by role.
        claims: what it is held to beside what it claims itself.
        token: a bearer token for all requests of the author, for servers with another way to get one.
        keep: what was created stays.
        callback_host: under which name the server reaches this machine.
        callback_port: where it is listened on; 0 takes a free port.
        export_group: the id of a Group that may be exported.
        wait_s: how long a notification is waited for.
    """

    base: str
    clients: Mapping[str, ClientSettings] = field(default_factory=dict)
    claims: frozenset[str] = frozenset()
    token: str = ""
    keep: bool = False
    callback_host: str = "127.0.0.1"
    callback_port: int = 0
    export_group: str = ""
    wait_s: float = 8.0


def from_file(path: Path) -> Target:
    """Gives the target a TOML file describes.

    Raises:
        BadConfiguration: with what is wrong.
    """
    try:
        told = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as fault:
        raise BadConfiguration(f"{path}: {fault}") from None
    known = {"base", "claims", "callback_host", "callback_port", "export_group", "clients"}
    if unknown := set(told) - known:
        raise BadConfiguration(f"{path}: unknown: {', '.join(sorted(unknown))}")
    clients = {}
    for role, one in told.get("clients", {}).items():
        if role not in ROLES:
            raise BadConfiguration(f"{path}: a client is one of {', '.join(ROLES)}, not {role}")
        clients[role] = client(
            one.get("client_id", ""),
            path.parent / one.get("key", ""),
            one.get("scope", ""),
            one.get("organization", ""),
        )
    return target(
        told.get("base", ""),
        clients,
        claims=frozenset(told.get("claims", ())),
        callback_host=told.get("callback_host", "127.0.0.1"),
        callback_port=told.get("callback_port", 0),
        export_group=told.get("export_group", ""),
    )


def client(client_id: str, key: Path, scope: str, organization: str) -> ClientSettings:
    """Gives one client.

    Raises:
        BadConfiguration: an id or a readable key is missing.
    """
    if not client_id:
        raise BadConfiguration("a client needs its client_id and the file of its private key")
    try:
        read = read_key(key)
    except (OSError, ValueError, KeyError) as fault:
        raise BadConfiguration(f"the private key of {client_id} cannot be read: {fault}") from None
    return ClientSettings(client_id, read, scope or "system/*.cruds", organization)


def target(
    base: str,
    clients: Mapping[str, ClientSettings],
    *,
    claims: frozenset[str] = frozenset(),
    token: str = "",
    keep: bool = False,
    callback_host: str = "127.0.0.1",
    callback_port: int = 0,
    export_group: str = "",
) -> Target:
    """Gives a target whose parts have been looked at.

    Raises:
        BadConfiguration: the base is no http address, or a claim is unknown.
    """
    if not base.startswith(("http://", "https://")):
        raise BadConfiguration("the base is an address such as https://hub.example/fhir")
    if unknown := claims - set(ROLES_CLAIMED):
        raise BadConfiguration(
            f"unknown claim {', '.join(sorted(unknown))}; known: {', '.join(ROLES_CLAIMED)}"
        )
    return Target(base.rstrip("/"), clients, claims, token, keep, callback_host, callback_port, export_group)
