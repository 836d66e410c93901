"""The writes of this room, as Changes: tokens given and revoked, assertions used, clients registered.

What lives here: which named statement gets which parameters, and the audit line beside it. What does not: the
SQL of the statements (``store.oauth_rows``).

Source: ``engine.md`` 1 and 3 (token grants are audited in their transaction).
"""

import json
import uuid
from typing import Protocol

from referral_hub.auth.bindings import binding_text
from referral_hub.auth.ports import OAuthClientRow
from referral_hub.auth.request import Decided, Verified
from referral_hub.exchange.change import AuditEntry, Change, EpochGuard, Row


def jti_row(verified: Verified) -> Row:
    """Gives the row that makes an assertion count once: it fails the Change where it exists already."""
    parameters: dict[str, int | str | bytes | None] = {
        "oauth_client": verified.client_id,
        "jti": verified.jti,
        "expires_us": verified.expires_us,
    }
    return Row("oauth_jti_insert", parameters, at_least_one=True)


def assertion_used(verified: Verified) -> Change:
    """Gives the Change of a request that writes nothing else, or was refused after its caller was known."""
    return Change(change_id=_change_id(), rows=(jti_row(verified),))


def proof_used(jkt: str, jti: bytes, expires_us: int) -> Change:
    """Gives the Change that makes a proof of possession count once: it fails where the proof was used before.

    Args:
        jkt: the thumbprint of its key; names are the key's own, as assertions' names are the client's.
        jti: SHA-256 of its name.
        expires_us: when the name may be forgotten, microseconds since 1970 UTC.
    """
    # No client id holds a colon, so no proof meets an assertion.
    named = Row(
        "oauth_jti_insert",
        {"oauth_client": f"dpop:{jkt}", "jti": jti, "expires_us": expires_us},
        at_least_one=True,
    )
    return Change(change_id=_change_id(), rows=(named,))


def token_given(
    client: OAuthClientRow,
    decided: Decided,
    digest: bytes,
    verified: Verified | None,
    *,
    jkt: str = "",
    at_us: int,
    expires_us: int,
) -> Change:
    """Gives the Change that makes a token exist: assertion, token and audit line together.

    ``jkt`` is the thumbprint of the key it is bound to. A token bound to a person's consents exists only while they
    are what it was decided on.
    """
    bound = decided.bound
    columns: dict[str, int | str | bytes | None] = {
        "context": "system",
        "account": "",
        "person": bound.person if bound is not None else None,
        "patient": bound.patient if bound is not None else "",
        "binding": binding_text(bound.binding if bound is not None else None),
        "jkt": jkt,
        "family": "",
    }
    token = Row(
        "oauth_token_insert_bound" if bound is not None or jkt else "oauth_token_insert",
        {
            "digest": digest,
            "oauth_client": client.client_id,
            "organization": client.organization,
            "scope": decided.scope,
            "purpose": decided.purpose,
            "role": decided.asserted.role,
            "user_id": decided.asserted.user,
            "issued_us": at_us,
            "expires_us": expires_us,
            "very_restricted": int(client.very_restricted),
            **(columns if bound is not None or jkt else {}),
        },
        at_least_one=True,
    )
    audit = AuditEntry(
        at_us=at_us,
        action="E",
        interaction="oauth-token",
        outcome=0,
        organization=client.organization,
        oauth_client=client.client_id,
        user=decided.asserted.user,
        purpose=decided.purpose,
        person=bound.person if bound is not None else None,
        consents=tuple("/".join(one) for one in bound.binding.consents) if bound is not None else (),
        detail=json.dumps({"scope": decided.scope, "token": digest.hex()[:16]}).encode("ascii"),
    )
    rows = (token,) if verified is None else (jti_row(verified), token)
    guards = (EpochGuard(bound.person, bound.epoch),) if bound is not None else ()
    return Change(change_id=_change_id(), guards=guards, rows=rows, audit=(audit,))


def token_revoked(client: OAuthClientRow, digest: bytes, verified: Verified | None, *, at_us: int) -> Change:
    """Gives the Change that ends a token of this client, with its audit line."""
    revoked = Row("oauth_token_revoke", {"digest": digest, "oauth_client": client.client_id})
    audit = AuditEntry(
        at_us=at_us,
        action="E",
        interaction="oauth-revoke",
        outcome=0,
        organization=client.organization,
        oauth_client=client.client_id,
        user="",
        purpose="",
        person=None,
        detail=json.dumps({"token": digest.hex()[:16]}).encode("ascii"),
    )
    rows = (revoked,) if verified is None else (jti_row(verified), revoked)
    return Change(change_id=_change_id(), rows=rows, audit=(audit,))


def client_registered(parameters: dict[str, int | str | bytes | None], *, at_us: int, by: str = "") -> Change:
    """Gives the Change that registers a client, with its audit line.

    Args:
        parameters: the columns of ``oauth_client_insert`` but ``created_us``.
        at_us: the moment, microseconds since 1970 UTC.
        by: the account that does it; empty for the command line.
    """
    row = Row("oauth_client_insert", {**parameters, "created_us": at_us}, at_least_one=True)
    return Change(
        change_id=_change_id(),
        rows=(row,),
        audit=(_client_audit(str(parameters["organization"]), str(parameters["client_id"]), "C", at_us, by),),
    )


class ChangedClient(Protocol):
    """Software whose registration is changed, as it was read."""

    @property
    def client_id(self) -> str:
        """Gives its public name."""

    @property
    def organization(self) -> str:
        """Gives the organisation it acts for."""


class VersionedClient(ChangedClient, Protocol):
    """The same, where the change stands on what was read."""

    @property
    def version(self) -> int:
        """Gives how often it was changed."""


def client_switched(client: ChangedClient, *, active: bool, at_us: int, by: str = "") -> Change:
    """Gives the Change that switches a client off, with all its tokens, or on again."""
    switched = Row(
        "oauth_client_set_active", {"client_id": client.client_id, "active": int(active)}, at_least_one=True
    )
    return _changed(client, [switched], at_us, by, ends=not active)


def client_rotated(
    client: VersionedClient, columns: dict[str, int | str | bytes | None], *, at_us: int, by: str
) -> Change:
    """Gives the Change that gives software other keys; all it had with the old ones ends."""
    return _changed(client, [_seen("oauth_client_rotate", client, columns)], at_us, by, ends=True)


def client_allowed(
    client: VersionedClient, columns: dict[str, int | str | bytes | None], *, at_us: int, by: str
) -> Change:
    """Gives the Change of what software may ask for; tokens of the old measure end."""
    return _changed(client, [_seen("oauth_client_allow", client, columns)], at_us, by, ends=True)


def _seen(name: str, client: VersionedClient, columns: dict[str, int | str | bytes | None]) -> Row:
    named: dict[str, int | str | bytes | None] = {
        "client_id": client.client_id,
        "seen_version": client.version,
    }
    return Row(name, {**named, **columns}, at_least_one=True)


def _changed(client: ChangedClient, rows: list[Row], at_us: int, by: str, *, ends: bool) -> Change:
    if ends:
        rows.append(Row("oauth_family_end_client", {"oauth_client": client.client_id}))
        rows.append(Row("oauth_client_revoke_tokens", {"oauth_client": client.client_id}))
    audit = _client_audit(client.organization, client.client_id, "U", at_us, by)
    return Change(change_id=_change_id(), rows=tuple(rows), audit=(audit,))


def forgotten(before_us: int) -> Change:
    """Gives the Change that forgets assertions and tokens that ended before this moment.

    Args:
        before_us: microseconds since 1970 UTC; nothing that a request could still name may be older.
    """
    return Change(
        change_id=_change_id(),
        rows=(
            Row("oauth_jti_prune", {"before_us": before_us}),
            Row("oauth_token_prune", {"before_us": before_us}),
        ),
    )


def _client_audit(organization: str, client_id: str, action: str, at_us: int, by: str = "") -> AuditEntry:
    return AuditEntry(
        at_us=at_us,
        action=action,
        interaction="oauth-client",
        outcome=0,
        organization=organization,
        oauth_client=client_id,
        user=by,
        purpose="",
        person=None,
    )


def _change_id() -> str:
    return str(uuid.uuid4())
