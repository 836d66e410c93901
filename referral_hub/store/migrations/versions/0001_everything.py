"""Creates every table of the first version.

Revision ID: 0001
Revises:
"""

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


def _resources() -> None:
    op.create_table(
        "resource",
        sa.Column("row_id", INTEGER, primary_key=True, autoincrement=False, nullable=False),
        sa.Column("type", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("version", TEXT, nullable=False),
        sa.Column("number", INTEGER, nullable=False),
        sa.Column("updated_us", INTEGER, nullable=False),
        sa.Column("author", TEXT, nullable=False),
        sa.Column("written_by", TEXT, nullable=False),
        sa.Column("method", TEXT, nullable=False),
        sa.Column("custodian", TEXT, nullable=False),
        sa.Column("person", INTEGER),
        sa.Column("category", TEXT, nullable=False),
        sa.Column("confidentiality", TEXT, nullable=False),
        sa.Column("sensitivities", TEXT, nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("owner", TEXT),
        sa.Column("requester", TEXT),
        sa.Column("focus", INTEGER),
        sa.Column("based_on", INTEGER),
        sa.Column("data_from_us", INTEGER),
        sa.Column("data_until_us", INTEGER),
        sa.Column("directory", INTEGER, nullable=False),
        sa.Column("never_release", INTEGER, nullable=False),
        sa.Column("foreign_elements", INTEGER, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("deleted", INTEGER, nullable=False),
        sa.Column("body_format", INTEGER, nullable=False),
        sa.Column("body", BLOB, nullable=False),
    )
    op.create_index("resource_authored", "resource", ["type", "author", "updated_us", "row_id"])
    op.create_index(
        "resource_based_on",
        "resource",
        ["based_on", "type"],
        sqlite_where=sa.text("based_on IS NOT NULL"),
        postgresql_where=sa.text("based_on IS NOT NULL"),
    )
    op.create_index(
        "resource_directory",
        "resource",
        ["type", "updated_us", "row_id"],
        sqlite_where=sa.text("directory = 1"),
        postgresql_where=sa.text("directory = 1"),
    )
    op.create_index(
        "resource_focus",
        "resource",
        ["focus"],
        sqlite_where=sa.text("focus IS NOT NULL"),
        postgresql_where=sa.text("focus IS NOT NULL"),
    )
    op.create_index("resource_id", "resource", ["id"], unique=True)
    op.create_index(
        "resource_inbox",
        "resource",
        ["type", "owner", "status", "updated_us", "row_id"],
        sqlite_where=sa.text("owner IS NOT NULL"),
        postgresql_where=sa.text("owner IS NOT NULL"),
    )
    op.create_index(
        "resource_kept",
        "resource",
        ["custodian", "type", "updated_us", "row_id"],
        sqlite_where=sa.text("custodian != ''"),
        postgresql_where=sa.text("custodian != ''"),
    )
    op.create_index(
        "resource_owned",
        "resource",
        ["type", "owner", "updated_us", "row_id", "status"],
        sqlite_where=sa.text("owner IS NOT NULL"),
        postgresql_where=sa.text("owner IS NOT NULL"),
    )
    op.create_index(
        "resource_requested",
        "resource",
        ["type", "requester", "updated_us", "row_id"],
        sqlite_where=sa.text("requester IS NOT NULL"),
        postgresql_where=sa.text("requester IS NOT NULL"),
    )
    op.create_index(
        "resource_timeline",
        "resource",
        ["person", "type", "updated_us", "row_id"],
        sqlite_where=sa.text("person IS NOT NULL"),
        postgresql_where=sa.text("person IS NOT NULL"),
    )
    op.create_table(
        "resource_version",
        sa.Column("row_id", INTEGER, nullable=False),
        sa.Column("type", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("version", TEXT, nullable=False),
        sa.Column("number", INTEGER, nullable=False),
        sa.Column("updated_us", INTEGER, nullable=False),
        sa.Column("author", TEXT, nullable=False),
        sa.Column("written_by", TEXT, nullable=False),
        sa.Column("method", TEXT, nullable=False),
        sa.Column("custodian", TEXT, nullable=False),
        sa.Column("person", INTEGER),
        sa.Column("category", TEXT, nullable=False),
        sa.Column("confidentiality", TEXT, nullable=False),
        sa.Column("sensitivities", TEXT, nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("owner", TEXT),
        sa.Column("requester", TEXT),
        sa.Column("focus", INTEGER),
        sa.Column("based_on", INTEGER),
        sa.Column("data_from_us", INTEGER),
        sa.Column("data_until_us", INTEGER),
        sa.Column("directory", INTEGER, nullable=False),
        sa.Column("never_release", INTEGER, nullable=False),
        sa.Column("foreign_elements", INTEGER, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("deleted", INTEGER, nullable=False),
        sa.Column("body_format", INTEGER, nullable=False),
        sa.Column("body", BLOB, nullable=False),
    )
    op.create_index(
        "resource_version_authored", "resource_version", ["type", "author", "updated_us", "row_id"]
    )
    op.create_index("resource_version_number", "resource_version", ["row_id", "number"], unique=True)
    op.create_table(
        "index_token",
        sa.Column("hash", INTEGER, primary_key=True, autoincrement=False, nullable=False),
        sa.Column("row_id", INTEGER, primary_key=True, autoincrement=False, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("index_token_row", "index_token", ["row_id"])
    op.create_table(
        "index_date",
        sa.Column("parameter", INTEGER, primary_key=True, autoincrement=False, nullable=False),
        sa.Column("low_us", INTEGER, primary_key=True, autoincrement=False, nullable=False),
        sa.Column("high_us", INTEGER, primary_key=True, autoincrement=False, nullable=False),
        sa.Column("row_id", INTEGER, primary_key=True, autoincrement=False, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("index_date_row", "index_date", ["row_id", "parameter"])
    op.create_table(
        "index_string",
        sa.Column("parameter", INTEGER, primary_key=True, autoincrement=False, nullable=False),
        sa.Column("text", TEXT, primary_key=True, nullable=False),
        sa.Column("row_id", INTEGER, primary_key=True, autoincrement=False, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("index_string_row", "index_string", ["row_id", "parameter"])
    op.create_table(
        "conditional_key",
        sa.Column("digest", INTEGER, primary_key=True, autoincrement=False, nullable=False),
    )


def _consents() -> None:
    op.create_table(
        "person",
        sa.Column("row_id", INTEGER, primary_key=True, autoincrement=False, nullable=False),
        sa.Column("epoch", INTEGER, nullable=False),
        sa.Column("key", TEXT),
    )
    op.create_table(
        "referral_access",
        sa.Column("task", INTEGER, primary_key=True, autoincrement=False, nullable=False),
        sa.Column("organization", TEXT, primary_key=True, nullable=False),
        sa.Column("back", INTEGER, primary_key=True, autoincrement=False, nullable=False),
        sa.Column("person", INTEGER),
        sa.Column("service_request", INTEGER),
        sa.Column("level", TEXT, nullable=False),
        sa.Column("until_us", INTEGER),
        sa.Column("nameless", INTEGER, nullable=False),
        sa.Column("accepted", INTEGER, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "referral_access_organization", "referral_access", ["organization", "person", "service_request"]
    )
    op.create_index(
        "referral_access_person",
        "referral_access",
        ["person"],
        sqlite_where=sa.text("person IS NOT NULL"),
        postgresql_where=sa.text("person IS NOT NULL"),
    )
    op.create_index(
        "referral_access_request",
        "referral_access",
        ["service_request", "organization"],
        sqlite_where=sa.text("service_request IS NOT NULL"),
        postgresql_where=sa.text("service_request IS NOT NULL"),
    )
    op.create_table(
        "consent_grant",
        sa.Column("organization", TEXT, primary_key=True, nullable=False),
        sa.Column("person", INTEGER, primary_key=True, autoincrement=False, nullable=False),
        sa.Column("purpose", TEXT, primary_key=True, nullable=False),
        sa.Column("category", TEXT, primary_key=True, nullable=False),
        sa.Column("resource", TEXT, primary_key=True, nullable=False),
        sa.Column("consent", INTEGER, primary_key=True, autoincrement=False, nullable=False),
        sa.Column("position", INTEGER, primary_key=True, autoincrement=False, nullable=False),
        sa.Column("consent_id", TEXT, nullable=False),
        sa.Column("consent_version", TEXT, nullable=False),
        sa.Column("very_restricted", INTEGER, nullable=False),
        sa.Column("valid_from_us", INTEGER, nullable=False),
        sa.Column("valid_until_us", INTEGER, nullable=False),
        sa.Column("data_from_us", INTEGER),
        sa.Column("data_until_us", INTEGER),
        sqlite_with_rowid=False,
    )
    op.create_index("consent_grant_consent", "consent_grant", ["consent"])
    op.create_index("consent_grant_person", "consent_grant", ["person"])
    op.create_table(
        "refusal",
        sa.Column("person", INTEGER, primary_key=True, autoincrement=False, nullable=False),
        sa.Column("target", TEXT, primary_key=True, nullable=False),
        sa.Column("consent", INTEGER, primary_key=True, autoincrement=False, nullable=False),
        sa.Column("position", INTEGER, primary_key=True, autoincrement=False, nullable=False),
        sa.Column("purpose", TEXT, nullable=False),
        sa.Column("category", TEXT, nullable=False),
        sa.Column("resource", TEXT, nullable=False),
        sa.Column("at_least", TEXT, nullable=False),
        sa.Column("valid_from_us", INTEGER),
        sa.Column("valid_until_us", INTEGER),
        sqlite_with_rowid=False,
    )
    op.create_index("refusal_consent", "refusal", ["consent"])
    op.create_table(
        "refusal_exception",
        sa.Column("person", INTEGER, primary_key=True, autoincrement=False, nullable=False),
        sa.Column("organization", TEXT, primary_key=True, nullable=False),
        sa.Column("consent", INTEGER, primary_key=True, autoincrement=False, nullable=False),
        sa.Column("position", INTEGER, primary_key=True, autoincrement=False, nullable=False),
        sa.Column("purpose", TEXT, nullable=False),
        sa.Column("resource", TEXT, nullable=False),
        sa.Column("valid_from_us", INTEGER),
        sa.Column("valid_until_us", INTEGER),
        sqlite_with_rowid=False,
    )
    op.create_index("refusal_exception_consent", "refusal_exception", ["consent"])


def _organizations() -> None:
    op.create_table(
        "organization",
        sa.Column("id", TEXT, primary_key=True, nullable=False),
        sa.Column("version", INTEGER, nullable=False),
        sa.Column("part_of", TEXT, nullable=False),
        sa.Column("ancestors", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("governmental", INTEGER, nullable=False),
        sa.Column("country", TEXT, nullable=False),
        sa.Column("active", INTEGER, nullable=False),
        sa.Column("neutral_name", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("fhir_endpoint", TEXT, nullable=False),
        sa.Column("poll_seconds", INTEGER, nullable=False),
        sa.Column("is_hub", INTEGER, nullable=False),
        sa.Column("row_id", INTEGER, nullable=False),
    )
    op.create_index("organization_part_of", "organization", ["part_of"])
    op.create_table(
        "organization_base",
        sa.Column("organization", TEXT, primary_key=True, nullable=False),
        sa.Column("base_url", TEXT, primary_key=True, nullable=False),
    )
    op.create_table(
        "oauth_client",
        sa.Column("client_id", TEXT, primary_key=True, nullable=False),
        sa.Column("version", INTEGER, nullable=False),
        sa.Column("organization", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("jwks", TEXT, nullable=False),
        sa.Column("jwks_url", TEXT, nullable=False),
        sa.Column("secret_hash", TEXT, nullable=False),
        sa.Column("scope", TEXT, nullable=False),
        sa.Column("purposes", TEXT, nullable=False),
        sa.Column("redirect_uris", TEXT, nullable=False),
        sa.Column("require_dpop", INTEGER, nullable=False),
        sa.Column("very_restricted", INTEGER, nullable=False),
        sa.Column("active", INTEGER, nullable=False),
        sa.Column("created_us", INTEGER, nullable=False),
    )
    op.create_table(
        "oauth_token",
        sa.Column("digest", BLOB, primary_key=True, nullable=False),
        sa.Column("version", INTEGER, nullable=False),
        sa.Column("oauth_client", TEXT, nullable=False),
        sa.Column("organization", TEXT, nullable=False),
        sa.Column("scope", TEXT, nullable=False),
        sa.Column("purpose", TEXT, nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("user_id", TEXT, nullable=False),
        sa.Column("issued_us", INTEGER, nullable=False),
        sa.Column("expires_us", INTEGER, nullable=False),
        sa.Column("revoked", INTEGER, nullable=False),
        sa.Column("very_restricted", INTEGER, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("oauth_token_client", "oauth_token", ["oauth_client"])
    op.create_index("oauth_token_expires", "oauth_token", ["expires_us"])
    op.create_table(
        "oauth_jti",
        sa.Column("oauth_client", TEXT, primary_key=True, nullable=False),
        sa.Column("jti", BLOB, primary_key=True, nullable=False),
        sa.Column("expires_us", INTEGER, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("oauth_jti_expires", "oauth_jti", ["expires_us"])


def _deliveries() -> None:
    op.create_table(
        "outbox",
        sa.Column("sequence", INTEGER, sa.Identity(always=False), primary_key=True, nullable=False),
        sa.Column("key", TEXT, unique=True, nullable=False),
        sa.Column("destination", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("resource", INTEGER, nullable=False),
        sa.Column("person", INTEGER),
        sa.Column("not_before_us", INTEGER, nullable=False),
        sa.Column("detail_format", INTEGER, nullable=False),
        sa.Column("detail", BLOB, nullable=False),
        sa.Column("state", INTEGER, nullable=False),
        sa.Column("attempts", INTEGER, nullable=False),
        sa.Column("lease", TEXT, nullable=False),
        sa.Column("lease_until_us", INTEGER, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "outbox_head",
        "outbox",
        ["destination", "sequence"],
        sqlite_where=sa.text("state = 0"),
        postgresql_where=sa.text("state = 0"),
    )
    op.create_index(
        "outbox_person",
        "outbox",
        ["person", "destination"],
        sqlite_where=sa.text("person IS NOT NULL"),
        postgresql_where=sa.text("person IS NOT NULL"),
    )
    op.create_table(
        "due",
        sa.Column("key", TEXT, primary_key=True, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("resource", INTEGER, nullable=False),
        sa.Column("at_us", INTEGER, nullable=False),
        sa.Column("detail_format", INTEGER, nullable=False),
        sa.Column("detail", BLOB, nullable=False),
        sa.Column("attempts", INTEGER, nullable=False),
        sa.Column("lease", TEXT, nullable=False),
        sa.Column("lease_until_us", INTEGER, nullable=False),
    )
    op.create_index("due_at", "due", ["at_us"])
    op.create_table(
        "partner_copy",
        sa.Column("resource", INTEGER, primary_key=True, autoincrement=False, nullable=False),
        sa.Column("organization", TEXT, primary_key=True, nullable=False),
        sa.Column("url", TEXT, nullable=False),
        sa.Column("etag", TEXT, nullable=False),
        sa.Column("next_poll_us", INTEGER, nullable=False),
    )
    op.create_index("partner_copy_poll", "partner_copy", ["next_poll_us"])


def _audits() -> None:
    op.create_table(
        "audit",
        sa.Column("id", INTEGER, sa.Identity(always=False), primary_key=True, nullable=False),
        sa.Column("at_us", INTEGER, nullable=False),
        sa.Column("action", TEXT, nullable=False),
        sa.Column("interaction", TEXT, nullable=False),
        sa.Column("outcome", INTEGER, nullable=False),
        sa.Column("organization", TEXT, nullable=False),
        sa.Column("oauth_client", TEXT, nullable=False),
        sa.Column("user_id", TEXT, nullable=False),
        sa.Column("purpose", TEXT, nullable=False),
        sa.Column("person", INTEGER),
        sa.Column("recipient", TEXT, nullable=False),
        sa.Column("entities", TEXT, nullable=False),
        sa.Column("consents", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("detail_format", INTEGER, nullable=False),
        sa.Column("detail", BLOB, nullable=False),
        sa.Column("origin", TEXT, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "audit_person",
        "audit",
        ["person", "at_us"],
        sqlite_where=sa.text("person IS NOT NULL"),
        postgresql_where=sa.text("person IS NOT NULL"),
    )
    op.create_table(
        "audit_seal",
        sa.Column("seq", INTEGER, primary_key=True, autoincrement=False, nullable=False),
        sa.Column("audit", INTEGER, unique=True, nullable=False),
        sa.Column("previous", BLOB, nullable=False),
        sa.Column("hash", BLOB, nullable=False),
    )
    op.create_table(
        "audit_segment_line",
        sa.Column("segment", TEXT, primary_key=True, nullable=False),
        sa.Column("offset", INTEGER, nullable=False),
        sa.Column("digest", BLOB, nullable=False),
    )
    op.create_table(
        "chain",
        sa.Column("name", TEXT, primary_key=True, nullable=False),
        sa.Column("seq", INTEGER, nullable=False),
        sa.Column("hash", BLOB, nullable=False),
        sa.Column("horizon", INTEGER, nullable=False),
    )
    op.create_table(
        "lease",
        sa.Column("name", TEXT, primary_key=True, nullable=False),
        sa.Column("holder", TEXT, nullable=False),
        sa.Column("until_us", INTEGER, nullable=False),
    )
    op.create_table(
        "checkpoint",
        sa.Column("seq", INTEGER, primary_key=True, autoincrement=False, nullable=False),
        sa.Column("hash", BLOB, nullable=False),
        sa.Column("at_us", INTEGER, nullable=False),
        sa.Column("signature", BLOB, nullable=False),
    )
    op.create_table(
        "ledger",
        sa.Column("person", INTEGER, primary_key=True, autoincrement=False, nullable=False),
        sa.Column("recipient", TEXT, primary_key=True, nullable=False),
        sa.Column("user_id", TEXT, primary_key=True, nullable=False),
        sa.Column("purpose", TEXT, primary_key=True, nullable=False),
        sa.Column("consent", TEXT, primary_key=True, nullable=False),
        sa.Column("hour_us", INTEGER, primary_key=True, autoincrement=False, nullable=False),
        sa.Column("count", INTEGER, nullable=False),
        sa.Column("first_us", INTEGER, nullable=False),
        sa.Column("last_us", INTEGER, nullable=False),
        sqlite_with_rowid=False,
    )


def _own() -> None:
    op.create_table(
        "applied_change",
        sa.Column("change_id", TEXT, primary_key=True, nullable=False),
        sa.Column("at_us", INTEGER, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("applied_change_at", "applied_change", ["at_us"])
    op.create_table(
        "wrapped_key",
        sa.Column("name", TEXT, primary_key=True, nullable=False),
        sa.Column("wrapped", BLOB),
        sa.Column("master", TEXT, nullable=False),
        sa.Column("created_us", INTEGER, nullable=False),
        sa.Column("destroyed_us", INTEGER),
    )
