"""Agreements move by signed acts."""

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Bring the schema forward."""


def downgrade() -> None:
    """Take it back."""
