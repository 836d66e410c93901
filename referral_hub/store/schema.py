"""Every table of the hub, once, for both databases.

What lives here: the names of all tables. What does not: their columns (``store.tables``), the steps that
bring a database here (``store/migrations``), statements (beside those who use them), column kinds
(``store.columns``).

Column names are the field names of the rows above (``exchange.change``, ``exchange.ports``,
``access.rows``). A ``user`` becomes ``user_id``, because PostgreSQL reads a bare ``user`` as the database
login. Truths are 0 and 1. Lists of ids, codes or references are one TEXT, joined by single spaces.
``*_format`` beside a BLOB: 0 plain, 1 sealed, 2 and 3 of organisations with a key of their own
(``store.bodies``). ``owner`` and ``requester`` are NULL where there is none: their indexes stay small.

Source: ``engine.md`` 2 to 6, ``performance.md`` 7 (a narrow typed projection per hot question, one hash
column for the long tail, current and history apart).
"""

from referral_hub.store.columns import METADATA
from referral_hub.store.tables.accounts import (
    account,
    account_factor,
    account_identity,
    browser_session,
    identity_provider,
    known_device,
    sign_in_attempts,
    sign_in_ticket,
)
from referral_hub.store.tables.assignments import case_assignment
from referral_hub.store.tables.audits import (
    audit,
    audit_gone,
    audit_removal,
    audit_seal,
    audit_segment_line,
    audit_subject,
    chain,
    checkpoint,
    lease,
    ledger,
)
from referral_hub.store.tables.consents import (
    consent_grant,
    person,
    referral_access,
    refusal,
    refusal_exception,
)
from referral_hub.store.tables.deliveries import (
    OUTBOX_CANCELLED,
    OUTBOX_DEAD,
    OUTBOX_DONE,
    OUTBOX_WAITING,
    due,
    outbox,
    partner_copy,
)
from referral_hub.store.tables.exports import (
    EXPORT_CANCELLED,
    EXPORT_DONE,
    EXPORT_FAILED,
    EXPORT_RUNNING,
    export_entry,
    export_job,
)
from referral_hub.store.tables.organizations import (
    oauth_client,
    oauth_jti,
    oauth_token,
    organization,
    organization_base,
)
from referral_hub.store.tables.own import applied_change, own_body, own_key, wrapped_key
from referral_hub.store.tables.portal import portal_draft, portal_link
from referral_hub.store.tables.resources import (
    conditional_key,
    index_date,
    index_link,
    index_number,
    index_string,
    index_token,
    resource,
    resource_version,
)
from referral_hub.store.tables.sign_in import (
    oauth_app,
    oauth_approval,
    oauth_code,
    oauth_family,
    oauth_launch,
    oauth_pushed,
    oauth_refresh,
)
from referral_hub.store.tables.subscriptions import feed, subscription, subscription_event

__all__ = [
    "EXPORT_CANCELLED",
    "EXPORT_DONE",
    "EXPORT_FAILED",
    "EXPORT_RUNNING",
    "METADATA",
    "OUTBOX_CANCELLED",
    "OUTBOX_DEAD",
    "OUTBOX_DONE",
    "OUTBOX_WAITING",
    "account",
    "account_factor",
    "account_identity",
    "applied_change",
    "audit",
    "audit_gone",
    "audit_removal",
    "audit_seal",
    "audit_segment_line",
    "audit_subject",
    "browser_session",
    "case_assignment",
    "chain",
    "checkpoint",
    "conditional_key",
    "consent_grant",
    "due",
    "export_entry",
    "export_job",
    "feed",
    "identity_provider",
    "index_date",
    "index_link",
    "index_number",
    "index_string",
    "index_token",
    "known_device",
    "lease",
    "ledger",
    "oauth_app",
    "oauth_approval",
    "oauth_client",
    "oauth_code",
    "oauth_family",
    "oauth_jti",
    "oauth_launch",
    "oauth_pushed",
    "oauth_refresh",
    "oauth_token",
    "organization",
    "organization_base",
    "outbox",
    "own_body",
    "own_key",
    "partner_copy",
    "person",
    "portal_draft",
    "portal_link",
    "referral_access",
    "refusal",
    "refusal_exception",
    "resource",
    "resource_version",
    "sign_in_attempts",
    "sign_in_ticket",
    "subscription",
    "subscription_event",
    "wrapped_key",
]
