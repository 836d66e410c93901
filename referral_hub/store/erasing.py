"""Erasing a person: her rows go, and her key with them, so that copies of the rows elsewhere open no more.

What lives here: the statements, and the rows of the Change that runs them. What does not: whether she may be erased
(``rekeying``).

The audit stays whole: its rows hold ids, and what they tell of her lies sealed under the key that is destroyed. A link
of the chain covers the sealed bytes, so the chain verifies as before.

Source: ``engine.md`` 3 and 4; ``consent.md`` F-31.
"""

import sqlalchemy as sa

from referral_hub.exchange.change import Row
from referral_hub.store import schema
from referral_hub.store.key_rows import destroy_rows
from referral_hub.store.statements import WRITES, whole

_ACCOUNTS = sa.select(schema.account.c.id).where(schema.account.c.person == whole("person"))
_HERS = sa.select(schema.resource.c.row_id).where(schema.resource.c.person == whole("person"))

BY_RESOURCE: tuple[tuple[sa.Table, str], ...] = (
    (schema.index_token, "row_id"),
    (schema.index_date, "row_id"),
    (schema.index_string, "row_id"),
    (schema.index_number, "row_id"),
    (schema.index_link, "row_id"),
    (schema.export_entry, "resource"),
    (schema.subscription_event, "resource"),
    (schema.feed, "resource"),
    (schema.due, "resource"),
    (schema.partner_copy, "resource"),
    (schema.own_body, "row_id"),
)
"""Tables whose rows hang on a resource of hers, and the column that says on which."""

BY_ACCOUNT: tuple[sa.Table, ...] = (
    schema.account_factor,
    schema.account_identity,
    schema.browser_session,
    schema.known_device,
    schema.oauth_approval,
)
"""Tables whose rows hang on the account with which she signs in."""

BY_PERSON: tuple[sa.Table, ...] = (
    schema.consent_grant,
    schema.refusal,
    schema.refusal_exception,
    schema.referral_access,
    schema.outbox,
    schema.oauth_token,
    schema.oauth_family,
    schema.oauth_launch,
    schema.case_assignment,
    schema.portal_draft,
    schema.portal_link,
    schema.account,
    schema.resource_version,
    schema.resource,
)
"""Tables whose rows name her; the resources are the last, because the others are found by them."""

KEPT: frozenset[str] = frozenset({"audit", "audit_subject", "ledger", "person"})
"""Tables that keep her number: what shows that nothing was hidden. None of them says who she was."""

for _table, _column in BY_RESOURCE:
    WRITES.add(f"erase_{_table.name}", sa.delete(_table).where(_table.c[_column].in_(_HERS)))
for _table in BY_ACCOUNT:
    WRITES.add(f"erase_{_table.name}", sa.delete(_table).where(_table.c.account.in_(_ACCOUNTS)))
for _table in BY_PERSON:
    WRITES.add(f"erase_{_table.name}", sa.delete(_table).where(_table.c.person == whole("person")))
WRITES.add(
    "erase_epoch",
    sa.update(schema.person)
    .where(schema.person.c.row_id == whole("person"))
    .values(epoch=schema.person.c.epoch + sa.literal_column("1")),
)


def erasing_rows(person: int, at_us: int) -> tuple[Row, ...]:
    """Gives the rows of a Change that erases a person.

    Args:
        person: the row id of her Patient.
        at_us: now, microseconds UTC.
    """
    names = [f"erase_{table.name}" for table, _ in BY_RESOURCE]
    names += [f"erase_{table.name}" for table in (*BY_ACCOUNT, *BY_PERSON)]
    erased = tuple(Row(name, {"person": person}) for name in ("erase_epoch", *names))
    return (*erased, *destroy_rows(person, at_us))
