"""The writes of sign-in with software, as Changes: approvals, codes, tokens of people, and what ends them.

What lives here: which named statement gets which parameters, and the audit line beside it. What does not: the SQL of
the statements (``store.sign_in``), tokens of software alone (``auth.changes``).

The row of the family comes first wherever a token is given or ended, so that the two wait for each other.

Source: ``engine.md`` 1 and 3; ``consent.md`` D-32 and D-33; RFC 6749 4.1.2 and 10.4.
"""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from referral_hub.auth.changes import jti_row
from referral_hub.auth.request import Verified
from referral_hub.exchange.change import AuditEntry, Change, Row
from referral_hub.exchange.sign_in import CodeRow, FamilyRow, LaunchRow, PushedRow, RefreshRow


@dataclass(frozen=True, slots=True)
class GivenToken:
    """An access token that is about to be given in somebody's name, with the refresh token beside it.

    ``refresh`` is the digest of the refresh token, None where none is given.
    """

    digest: bytes
    scope: str
    expires_us: int
    jkt: str = ""
    refresh: bytes | None = None


def approved(
    family: FamilyRow, code: CodeRow, taken: Sequence[Row] = (), *, remembered: str, at_us: int
) -> Change:
    """Gives the Change of an approval: the family, its code, what it used up, and what need not be asked again.

    Args:
        family: what was allowed.
        code: the authorization code.
        taken: rows of what can be used once, such as a launch.
        remembered: the scope that the same account need not be asked for again; empty where it will be asked.
        at_us: now, microseconds since 1970 UTC.
    """
    rows = [
        *taken,
        Row("oauth_family_insert", _columns(family, "used_us", "revoked"), at_least_one=True),
        Row(
            "oauth_code_insert",
            {
                "digest": code.digest,
                "family": family.family,
                "redirect_uri": code.redirect_uri,
                "challenge": code.challenge,
                "nonce": code.nonce,
                "expires_us": code.expires_us,
            },
            at_least_one=True,
        ),
    ]
    approval = {"account": family.account, "oauth_client": family.oauth_client}
    rows.append(Row("oauth_approval_put", {**approval, "scope": remembered, "approved_us": at_us}))
    return Change(_change_id(), rows=tuple(rows), audit=(_audit(family, "oauth-approve", at_us),))


def exchanged(code: CodeRow, given: GivenToken, verified: Verified | None, *, at_us: int) -> Change:
    """Gives the Change that makes tokens of a code: it counts once, and only while its family is in force."""
    used = Row("oauth_code_use", {"digest": code.digest, "at_us": at_us}, at_least_one=True)
    return _given(code.family, used, given, verified, at_us)


def rotated(refresh: RefreshRow, given: GivenToken, verified: Verified | None, *, at_us: int) -> Change:
    """Gives the Change that puts new tokens in the place of a refresh token."""
    used = Row("oauth_refresh_use", {"digest": refresh.digest, "at_us": at_us}, at_least_one=True)
    return _given(refresh.family, used, given, verified, at_us)


def family_ended(family: FamilyRow, reason: str, verified: Verified | None = None, *, at_us: int) -> Change:
    """Gives the Change that ends an approval and every token that came of it, with its audit line.

    Args:
        family: the approval.
        reason: a short code for the audit, such as ``code-used-twice``.
        verified: the assertion of the request, where one is to be kept.
        at_us: now, microseconds since 1970 UTC.
    """
    rows = (
        Row("oauth_family_end", {"family": family.family}),
        Row("oauth_token_end_family", {"family": family.family}),
    )
    kept = () if verified is None else (jti_row(verified),)
    line = _audit(family, "oauth-revoke", at_us, reason=reason)
    return Change(_change_id(), rows=(*kept, *rows), audit=(line,))


def approval_ended(account: str, organization: str, oauth_client: str, *, at_us: int) -> Change:
    """Gives the Change by which somebody ends what a software was allowed: at once, and all of it."""
    named = {"account": account, "oauth_client": oauth_client}
    rows = (
        Row("oauth_family_end_approved", dict(named)),
        Row("oauth_token_end_approved", dict(named)),
        Row("oauth_approval_end", dict(named)),
    )
    line = AuditEntry(
        at_us,
        "E",
        "oauth-revoke",
        0,
        organization,
        oauth_client,
        account,
        "",
        None,
        reason="ended-by-account",
    )
    return Change(_change_id(), rows=rows, audit=(line,))


def ended_with_account(account: str) -> tuple[Row, ...]:
    """Gives the rows that end everything an account allowed: for the Change that removes, pauses or secures it."""
    named: dict[str, int | str | bytes | None] = {"account": account}
    statements = (
        "oauth_family_end_account",
        "oauth_token_end_account",
        "oauth_approval_end_account",
        "oauth_launch_end_account",
    )
    return tuple(Row(statement, dict(named)) for statement in statements)


def ended_with_session(account: str) -> tuple[Row, ...]:
    """Gives the rows that end what holds only while somebody is signed in: for the Change that signs out."""
    return (
        Row("oauth_family_end_session", {"account": account}),
        Row("oauth_token_end_session", {"account": account}),
        Row("oauth_launch_end_account", {"account": account}),
    )


def request_pushed(pushed: PushedRow, verified: Verified | None) -> Change:
    """Gives the Change that keeps a request sent ahead."""
    kept = Row("oauth_pushed_insert", _columns(pushed), at_least_one=True)
    return Change(_change_id(), rows=(kept,) if verified is None else (jti_row(verified), kept))


def request_taken(digest: bytes, *, at_us: int) -> Change:
    """Gives the Change that uses up a request sent ahead; it fails where that was done, or its time is over."""
    row = Row("oauth_pushed_take", {"digest": digest, "at_us": at_us}, at_least_one=True)
    return Change(_change_id(), rows=(row,))


def launch_made(launch: LaunchRow, *, at_us: int) -> Change:
    """Gives the Change that lets a software be started out of the hub, with its audit line."""
    line = AuditEntry(
        at_us,
        "E",
        "oauth-launch",
        0,
        launch.organization,
        launch.oauth_client,
        launch.account,
        "",
        launch.person,
    )
    return Change(
        _change_id(), rows=(Row("oauth_launch_insert", _columns(launch), at_least_one=True),), audit=(line,)
    )


def launch_taken(digest: bytes, *, at_us: int) -> Row:
    """Gives the row that uses up a launch."""
    return Row("oauth_launch_take", {"digest": digest, "at_us": at_us}, at_least_one=True)


def _given(family: FamilyRow, used: Row, given: GivenToken, verified: Verified | None, at_us: int) -> Change:
    rows = [
        Row(
            "oauth_family_use",
            {"family": family.family, "at_us": at_us, "jkt": family.jkt},
            at_least_one=True,
        ),
        used,
        Row(
            "oauth_token_insert_bound",
            {
                "digest": given.digest,
                "oauth_client": family.oauth_client,
                "organization": family.organization,
                "scope": given.scope,
                "purpose": family.purpose,
                "role": family.role,
                "user_id": family.account,
                "issued_us": at_us,
                "expires_us": given.expires_us,
                "very_restricted": int(family.very_restricted),
                "context": family.context,
                "account": family.account,
                "person": family.person,
                "patient": family.patient,
                "binding": "",
                "jkt": given.jkt,
                "family": family.family,
            },
            at_least_one=True,
        ),
    ]
    if given.refresh is not None:
        fresh: dict[str, int | str | bytes | None] = {"digest": given.refresh, "family": family.family}
        fresh |= {"issued_us": at_us, "expires_us": family.ends_us}
        rows.append(Row("oauth_refresh_insert", fresh, at_least_one=True))
    if verified is not None:
        rows.insert(0, jti_row(verified))
    detail = json.dumps({"scope": given.scope, "token": given.digest.hex()[:16]}).encode("ascii")
    return Change(
        _change_id(), rows=tuple(rows), audit=(_audit(family, "oauth-token", at_us, detail=detail),)
    )


def _audit(
    family: FamilyRow, interaction: str, at_us: int, *, reason: str = "", detail: bytes = b""
) -> AuditEntry:
    return AuditEntry(
        at_us=at_us,
        action="E",
        interaction=interaction,
        outcome=0,
        organization=family.organization,
        oauth_client=family.oauth_client,
        user=family.account,
        purpose=family.purpose,
        person=family.person,
        reason=reason,
        detail=detail or json.dumps({"scope": family.scope}).encode("ascii"),
    )


def _columns(row: FamilyRow | PushedRow | LaunchRow, *left_out: str) -> dict[str, int | str | bytes | None]:
    found: dict[str, int | str | bytes | None] = {}
    for name in row.__dataclass_fields__:
        if name not in left_out:
            value = getattr(row, name)
            found[name] = int(value) if isinstance(value, bool) else value
    return found


def _change_id() -> str:
    return str(uuid.uuid4())
