"""Creates every table of the first version.

Revision ID: 0001
Revises:
"""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

from referral_hub.store.columns import BLOB, INTEGER, TEXT

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Creates the tables and their indexes."""
    _resources()
    _consents()
    _organizations()
    _deliveries()
    _audits()
    _own()


def _keys(kind: Any, *names: str) -> "Iterator[sa.Column[Any]]":
    for name in names:
        yield sa.Column(name, kind, primary_key=True, autoincrement=False, nullable=False)


def _counted(name: str) -> "sa.Column[Any]":
    return sa.Column(name, INTEGER, sa.Identity(always=False), primary_key=True, nullable=False)


def _filled(kind: Any, *names: str) -> "Iterator[sa.Column[Any]]":
    for name in names:
        yield sa.Column(name, kind, nullable=False)


def _unique(kind: Any, name: str) -> "sa.Column[Any]":
    return sa.Column(name, kind, nullable=False, unique=True)


def _open(kind: Any, *names: str) -> "Iterator[sa.Column[Any]]":
    for name in names:
        yield sa.Column(name, kind)


def _index(name: str, table: str, *columns: str, unique: bool = False, where: str = "") -> None:
    condition = sa.text(where) if where else None
    op.create_index(name, table, columns, unique=unique, sqlite_where=condition, postgresql_where=condition)


def _decided() -> "tuple[sa.Column[Any], ...]":
    """What a resource and each of its versions hold."""
    return (
        *_filled(TEXT, "type", "id", "version"),
        *_filled(INTEGER, "number", "updated_us"),
        *_filled(TEXT, "author", "written_by", "method", "custodian"),
        *_open(INTEGER, "person"),
        *_filled(TEXT, "category", "confidentiality", "sensitivities", "status"),
        *_open(TEXT, "owner", "requester"),
        *_open(INTEGER, "focus", "based_on", "data_from_us", "data_until_us"),
        *_filled(INTEGER, "directory", "never_release", "foreign_elements"),
        *_filled(TEXT, "kind"),
        *_filled(INTEGER, "deleted", "body_format"),
        *_filled(BLOB, "body"),
    )


def _resources() -> None:
    op.create_table("resource", *_keys(INTEGER, "row_id"), *_decided())
    _index("resource_authored", "resource", "type", "author", "updated_us", "row_id")
    _index("resource_based_on", "resource", "based_on", "type", where="based_on IS NOT NULL")
    _index("resource_directory", "resource", "type", "updated_us", "row_id", where="directory = 1")
    _index("resource_focus", "resource", "focus", where="focus IS NOT NULL")
    _index("resource_id", "resource", "id", unique=True)
    _index(
        "resource_inbox",
        "resource",
        "type",
        "owner",
        "status",
        "updated_us",
        "row_id",
        where="owner IS NOT NULL",
    )
    _index("resource_kept", "resource", "custodian", "type", "updated_us", "row_id", where="custodian != ''")
    _index(
        "resource_owned",
        "resource",
        "type",
        "owner",
        "updated_us",
        "row_id",
        "status",
        where="owner IS NOT NULL",
    )
    _index(
        "resource_requested",
        "resource",
        "type",
        "requester",
        "updated_us",
        "row_id",
        where="requester IS NOT NULL",
    )
    _index(
        "resource_timeline", "resource", "person", "type", "updated_us", "row_id", where="person IS NOT NULL"
    )
    op.create_table("resource_version", *_filled(INTEGER, "row_id"), *_decided())
    _index("resource_version_authored", "resource_version", "type", "author", "updated_us", "row_id")
    _index("resource_version_number", "resource_version", "row_id", "number", unique=True)
    op.create_table("index_token", *_keys(INTEGER, "hash", "row_id"), sqlite_with_rowid=False)
    _index("index_token_row", "index_token", "row_id")
    op.create_table(
        "index_date", *_keys(INTEGER, "parameter", "low_us", "high_us", "row_id"), sqlite_with_rowid=False
    )
    _index("index_date_row", "index_date", "row_id", "parameter")
    op.create_table(
        "index_string",
        *_keys(INTEGER, "parameter"),
        *_keys(TEXT, "text"),
        *_keys(INTEGER, "row_id"),
        sqlite_with_rowid=False,
    )
    _index("index_string_row", "index_string", "row_id", "parameter")
    op.create_table("conditional_key", *_keys(INTEGER, "digest"))


def _consents() -> None:
    op.create_table("person", *_keys(INTEGER, "row_id"), *_filled(INTEGER, "epoch"), *_open(TEXT, "key"))
    op.create_table(
        "referral_access",
        *_keys(INTEGER, "task"),
        *_keys(TEXT, "organization"),
        *_keys(INTEGER, "back"),
        *_open(INTEGER, "person", "service_request"),
        *_filled(TEXT, "level"),
        *_open(INTEGER, "until_us"),
        *_filled(INTEGER, "nameless", "accepted"),
        sqlite_with_rowid=False,
    )
    _index("referral_access_organization", "referral_access", "organization", "person", "service_request")
    _index("referral_access_person", "referral_access", "person", where="person IS NOT NULL")
    _index(
        "referral_access_request",
        "referral_access",
        "service_request",
        "organization",
        where="service_request IS NOT NULL",
    )
    op.create_table(
        "consent_grant",
        *_keys(TEXT, "organization"),
        *_keys(INTEGER, "person"),
        *_keys(TEXT, "purpose", "category", "resource"),
        *_keys(INTEGER, "consent", "position"),
        *_filled(TEXT, "consent_id", "consent_version"),
        *_filled(INTEGER, "very_restricted", "valid_from_us", "valid_until_us"),
        *_open(INTEGER, "data_from_us", "data_until_us"),
        sqlite_with_rowid=False,
    )
    _index("consent_grant_consent", "consent_grant", "consent")
    _index("consent_grant_person", "consent_grant", "person")
    op.create_table(
        "refusal",
        *_keys(INTEGER, "person"),
        *_keys(TEXT, "target"),
        *_keys(INTEGER, "consent", "position"),
        *_filled(TEXT, "purpose", "category", "resource", "at_least"),
        *_open(INTEGER, "valid_from_us", "valid_until_us"),
        sqlite_with_rowid=False,
    )
    _index("refusal_consent", "refusal", "consent")
    op.create_table(
        "refusal_exception",
        *_keys(INTEGER, "person"),
        *_keys(TEXT, "organization"),
        *_keys(INTEGER, "consent", "position"),
        *_filled(TEXT, "purpose", "resource"),
        *_open(INTEGER, "valid_from_us", "valid_until_us"),
        sqlite_with_rowid=False,
    )
    _index("refusal_exception_consent", "refusal_exception", "consent")


def _organizations() -> None:
    op.create_table(
        "organization",
        *_keys(TEXT, "id"),
        *_filled(INTEGER, "version"),
        *_filled(TEXT, "part_of", "ancestors", "kind"),
        *_filled(INTEGER, "governmental"),
        *_filled(TEXT, "country"),
        *_filled(INTEGER, "active"),
        *_filled(TEXT, "neutral_name", "name", "fhir_endpoint"),
        *_filled(INTEGER, "poll_seconds", "is_hub", "row_id"),
    )
    _index("organization_part_of", "organization", "part_of")
    op.create_table("organization_base", *_keys(TEXT, "organization", "base_url"))
    op.create_table(
        "oauth_client",
        *_keys(TEXT, "client_id"),
        *_filled(INTEGER, "version"),
        *_filled(
            TEXT,
            "organization",
            "name",
            "kind",
            "jwks",
            "jwks_url",
            "secret_hash",
            "scope",
            "purposes",
            "redirect_uris",
        ),
        *_filled(INTEGER, "require_dpop", "very_restricted", "active", "created_us"),
    )
    op.create_table(
        "oauth_token",
        *_keys(BLOB, "digest"),
        *_filled(INTEGER, "version"),
        *_filled(TEXT, "oauth_client", "organization", "scope", "purpose", "role", "user_id"),
        *_filled(INTEGER, "issued_us", "expires_us", "revoked", "very_restricted"),
        sqlite_with_rowid=False,
    )
    _index("oauth_token_client", "oauth_token", "oauth_client")
    _index("oauth_token_expires", "oauth_token", "expires_us")
    op.create_table(
        "oauth_jti",
        *_keys(TEXT, "oauth_client"),
        *_keys(BLOB, "jti"),
        *_filled(INTEGER, "expires_us"),
        sqlite_with_rowid=False,
    )
    _index("oauth_jti_expires", "oauth_jti", "expires_us")


def _deliveries() -> None:
    op.create_table(
        "outbox",
        _counted("sequence"),
        _unique(TEXT, "key"),
        *_filled(TEXT, "destination", "kind"),
        *_filled(INTEGER, "resource"),
        *_open(INTEGER, "person"),
        *_filled(INTEGER, "not_before_us", "detail_format"),
        *_filled(BLOB, "detail"),
        *_filled(INTEGER, "state", "attempts"),
        *_filled(TEXT, "lease"),
        *_filled(INTEGER, "lease_until_us"),
        *_filled(TEXT, "reason"),
        sqlite_autoincrement=True,
    )
    _index("outbox_head", "outbox", "destination", "sequence", where="state = 0")
    _index("outbox_person", "outbox", "person", "destination", where="person IS NOT NULL")
    op.create_table(
        "due",
        *_keys(TEXT, "key"),
        *_filled(TEXT, "kind"),
        *_filled(INTEGER, "resource", "at_us", "detail_format"),
        *_filled(BLOB, "detail"),
        *_filled(INTEGER, "attempts"),
        *_filled(TEXT, "lease"),
        *_filled(INTEGER, "lease_until_us"),
    )
    _index("due_at", "due", "at_us")
    op.create_table(
        "partner_copy",
        *_keys(INTEGER, "resource"),
        *_keys(TEXT, "organization"),
        *_filled(TEXT, "url", "etag"),
        *_filled(INTEGER, "next_poll_us"),
    )
    _index("partner_copy_poll", "partner_copy", "next_poll_us")


def _audits() -> None:
    op.create_table(
        "audit",
        _counted("id"),
        *_filled(INTEGER, "at_us"),
        *_filled(TEXT, "action", "interaction"),
        *_filled(INTEGER, "outcome"),
        *_filled(TEXT, "organization", "oauth_client", "user_id", "purpose"),
        *_open(INTEGER, "person"),
        *_filled(TEXT, "recipient", "entities", "consents", "reason"),
        *_filled(INTEGER, "detail_format"),
        *_filled(BLOB, "detail"),
        *_filled(TEXT, "origin"),
        sqlite_autoincrement=True,
    )
    _index("audit_person", "audit", "person", "at_us", where="person IS NOT NULL")
    op.create_table(
        "audit_seal", *_keys(INTEGER, "seq"), _unique(INTEGER, "audit"), *_filled(BLOB, "previous", "hash")
    )
    op.create_table(
        "audit_segment_line", *_keys(TEXT, "segment"), *_filled(INTEGER, "offset"), *_filled(BLOB, "digest")
    )
    op.create_table(
        "chain",
        *_keys(TEXT, "name"),
        *_filled(INTEGER, "seq"),
        *_filled(BLOB, "hash"),
        *_filled(INTEGER, "horizon"),
    )
    op.create_table("lease", *_keys(TEXT, "name"), *_filled(TEXT, "holder"), *_filled(INTEGER, "until_us"))
    op.create_table(
        "checkpoint",
        *_keys(INTEGER, "seq"),
        *_filled(BLOB, "hash"),
        *_filled(INTEGER, "at_us"),
        *_filled(BLOB, "signature"),
    )
    op.create_table(
        "ledger",
        *_keys(INTEGER, "person"),
        *_keys(TEXT, "recipient", "user_id", "purpose", "consent"),
        *_keys(INTEGER, "hour_us"),
        *_filled(INTEGER, "count", "first_us", "last_us"),
        sqlite_with_rowid=False,
    )


def _own() -> None:
    op.create_table(
        "applied_change", *_keys(TEXT, "change_id"), *_filled(INTEGER, "at_us"), sqlite_with_rowid=False
    )
    _index("applied_change_at", "applied_change", "at_us")
    op.create_table(
        "wrapped_key",
        *_keys(TEXT, "name"),
        *_open(BLOB, "wrapped"),
        *_filled(TEXT, "master"),
        *_filled(INTEGER, "created_us"),
        *_open(INTEGER, "destroyed_us"),
    )
