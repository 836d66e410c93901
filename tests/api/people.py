"""Members of staff and the person herself, each with a token as the sign-in would give it."""

import secrets
from hashlib import sha256

from referral_hub.app import clock
from referral_hub.exchange.change import Row
from tests.world import Caller, World

STAFF_SCOPES = " ".join(
    f"user/{name}.cruds" for name in ("Patient", "Task", "Consent", "Condition", "Observation", "Procedure")
)
HER_SCOPES = " ".join(
    f"patient/{name}.rs" for name in ("Patient", "Task", "Consent", "Condition", "Observation")
)


def staff(
    world: World,
    organization: str,
    role: str = "caseworker",
    *,
    account: str = "",
    purpose: str = "TREAT",
    scope: str = STAFF_SCOPES,
) -> Caller:
    """Gives a signed-in member of staff of an organisation."""
    return _token(
        world, organization, "user", role, account or f"account-{secrets.token_hex(4)}", purpose, scope
    )


def herself(world: World, organization: str, person: str, *, account: str = "") -> Caller:
    """Gives the person, signed in to her own record; ``person`` is ``Patient/id``."""
    public_id = person.partition("/")[2]
    with world.parts.store.snapshot() as snapshot:
        row = snapshot.resource("Patient", public_id)
    assert row is not None
    return _token(
        world,
        organization,
        "patient",
        "",
        account or f"account-{public_id[:8]}",
        "PATRQT",
        HER_SCOPES,
        person=row.row_id,
        patient=public_id,
    )


def bound(world: World, organization: str, person: str, *, binding: str = "") -> Caller:
    """Gives software of an organisation with a token about one person."""
    public_id = person.partition("/")[2]
    with world.parts.store.snapshot() as snapshot:
        row = snapshot.resource("Patient", public_id)
    assert row is not None
    scope = STAFF_SCOPES.replace("user/", "system/")
    return _token(
        world,
        organization,
        "system",
        "",
        "",
        "TREAT",
        scope,
        person=row.row_id,
        patient=public_id,
        binding=binding,
    )


def _token(
    world: World,
    organization: str,
    context: str,
    role: str,
    account: str,
    purpose: str,
    scope: str,
    *,
    person: int | None = None,
    patient: str = "",
    binding: str = "",
) -> Caller:
    plain = world.caller(organization, purpose=purpose)
    with world.parts.store.snapshot() as snapshot:
        row = snapshot.token(sha256(plain.token.encode()).digest())
    assert row is not None
    token, at_us = secrets.token_urlsafe(32), clock()
    world._apply(
        (
            Row(
                "oauth_token_insert_bound",
                {
                    "digest": sha256(token.encode()).digest(),
                    "oauth_client": row.oauth_client,
                    "organization": row.organization,
                    "scope": scope,
                    "purpose": purpose,
                    "role": role,
                    "user_id": f"Practitioner/{account}" if context == "user" else "",
                    "issued_us": at_us,
                    "expires_us": at_us + 300_000_000,
                    "very_restricted": 1,
                    "context": context,
                    "account": account,
                    "person": person,
                    "patient": patient,
                    "binding": binding,
                    "jkt": "",
                    "family": "",
                },
            ),
        )
    )
    return Caller(row.organization, token, world.client)
