"""Suspensions of agencies and datasets, and the notices that connectors fetch."""

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Bring the schema forward."""


def downgrade() -> None:
    """Take it back."""
