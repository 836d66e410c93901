"""Changes no table: since here a Consent is found by its form, for which an older database is indexed anew.

Revision ID: 0010
Revises: 0009
"""

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Leaves every table as it is; ``referral_hub.founding`` makes the index rows anew afterwards."""
