"""Lines of the audit about accounts and sign-in, and the Changes they stand in.

What lives here: what such a line says. What does not: when one is written.

A line names an account by its id. It never holds a login, a code, an address of a browser, or a name.

Source: ``engine.md`` 3 (sign-in is audited in its transaction); OWASP ASVS 5.0, V16.
"""

import json
import secrets
from collections.abc import Iterable

from referral_hub.exchange.accounts import Account
from referral_hub.exchange.change import AuditEntry, Change, Row

DONE, REFUSED = 0, 4


def line(
    interaction: str,
    account: Account | None,
    at_us: int,
    *,
    outcome: int = DONE,
    by: str = "",
    how: str = "",
) -> AuditEntry:
    """Gives a line about an account.

    Args:
        interaction: ``sign-in``, ``sign-out``, ``second-factor`` or ``account``.
        account: whose; None where nobody has what was tried.
        at_us: the moment, microseconds UTC.
        outcome: 0 for done, 4 for refused.
        by: id of the account that did it, where it is another one.
        how: what was done or tried, in one word.
    """
    return AuditEntry(
        at_us=at_us,
        action="E" if interaction != "account" else "U",
        interaction=interaction,
        outcome=outcome,
        organization="" if account is None else account.organization,
        oauth_client="",
        user=by or ("" if account is None else account.id),
        purpose="",
        person=None,
        detail=json.dumps({"how": how, **({"account": account.id} if by and account else {})}).encode(
            "ascii"
        ),
    )


def change(rows: Iterable[Row], *lines: AuditEntry) -> Change:
    """Gives a Change of these rows, in this order, with its lines of the audit."""
    return Change(secrets.token_hex(16), rows=tuple(rows), audit=lines)


def unchanged(account: Account) -> Row:
    """Gives the row that makes a Change fail where the account was changed or removed since it was read."""
    return Row("account_unchanged", {"id": account.id, "seen_version": account.version}, at_least_one=True)


def put(account: Account) -> Row:
    """Gives the row that writes an account as it is given, if nobody changed it since it was read."""
    return Row(
        "account_put",
        {
            "id": account.id,
            "seen_version": account.version,
            "organization": account.organization,
            "role": account.role,
            "practitioner": account.practitioner,
            "state": account.state,
            "password_hash": account.password_hash,
            "password_us": account.password_us,
            "one_time": int(account.one_time),
            "one_time_until_us": account.one_time_until_us,
            "trained_until_us": account.trained_until_us,
            "authorised_by": account.authorised_by,
            "on_call_from_us": account.on_call_from_us,
            "on_call_until_us": account.on_call_until_us,
            "unlocked_until_us": account.unlocked_until_us,
            "my_set_up_us": account.my_set_up_us,
            "removed_us": account.removed_us,
            "given_by": account.given_by,
        },
        at_least_one=True,
    )
