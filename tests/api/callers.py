"""Callers beside an organisation's own software: staff in a role, the person herself, tokens about one person or bound.

What lives here: putting such a token straight into the database, and assigning. What does not: how people sign in and
are given one (``tests/api/people.py``).
"""

import json
import secrets
from hashlib import sha256
from typing import Any

from referral_hub.access.principal import Binding
from referral_hub.app import clock
from referral_hub.auth.bindings import binding_text
from referral_hub.exchange.change import Row
from referral_hub.resources.catalog import DEFINITIONS
from tests.world import Caller, World


def row_id_of(world: World, person: str) -> int:
    """Gives the row id of ``Patient/id``."""
    with world.parts.store.snapshot() as snapshot:
        row = snapshot.resource("Patient", person.partition("/")[2])
    assert row is not None
    return row.row_id


def signed_in(
    world: World,
    organization: str,
    context: str = "user",
    *,
    role: str = "",
    account: str = "",
    person: str = "",
    binding: Binding | None = None,
    purpose: str = "TREAT",
    scope: str = "",
    very_restricted: bool = True,
    user: str = "",
) -> Caller:
    """Gives a caller with a fresh token of this context; ``person`` is ``Patient/id``."""
    token = secrets.token_urlsafe(32)
    plain = world.caller(organization, purpose=purpose)
    at_us = clock()
    columns: dict[str, Any] = {
        "digest": sha256(token.encode()).digest(),
        "oauth_client": _client_of(world, plain),
        "organization": plain.organization,
        "scope": scope or " ".join(f"{context}/{name}.cruds" for name in sorted(DEFINITIONS)),
        "purpose": purpose,
        "role": role,
        "user_id": user,
        "issued_us": at_us,
        "expires_us": at_us + 300_000_000,
        "very_restricted": int(very_restricted),
        "context": context,
        "account": account,
        "person": row_id_of(world, person) if person else None,
        "patient": person.partition("/")[2],
        "binding": binding_text(binding),
        "jkt": "",
        "family": "",
    }
    world._apply((Row("oauth_token_insert_bound", columns),))
    return Caller(plain.organization, token, world.client)


def _client_of(world: World, caller: Caller) -> str:
    with world.parts.store.snapshot() as snapshot:
        found = snapshot.token(sha256(caller.token.encode()).digest())
    assert found is not None
    return found.oauth_client


def assigned(
    world: World, account: str, person: str, *, state: str = "active", organization: str = ""
) -> None:
    """Puts an assignment straight into the database; ``person`` is ``Patient/id``."""
    world._apply(
        (
            Row(
                "assignment_insert",
                {
                    "account": account,
                    "person": row_id_of(world, person),
                    "organization": organization,
                    "state": state,
                    "version": 0,
                    "asked_by": account,
                    "asked_us": 0,
                    "confirmed_by": "",
                    "changed_us": 0,
                },
            ),
        )
    )


def bound_to(release: dict[str, Any], *categories: str, very: bool = False) -> Binding:
    """Gives what a token is bound to: one release as it is now, and some of its categories."""
    return Binding(
        handle=secrets.token_hex(8),
        referral="",
        consents=((release["id"], release["meta"]["versionId"]),),
        categories=frozenset(categories),
        confidentiality="V" if very else "R",
        not_after_us=clock() + 3_600_000_000,
    )


def names_of(caller: Caller, path: str) -> set[str]:
    """Gives ``Type/id`` of everything a search finds; fails the test where it is refused."""
    answer = caller.get(path)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    entries = json.loads(answer.get_data()).get("entry", [])
    return {f"{one['resource']['resourceType']}/{one['resource']['id']}" for one in entries}
