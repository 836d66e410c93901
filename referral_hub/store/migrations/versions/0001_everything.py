"""Creates every table of the first version.

Revision ID: 0001
Revises:
"""

from alembic import op

from referral_hub.store.schema import METADATA

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Creates the tables and their indexes."""
    METADATA.create_all(op.get_bind())
