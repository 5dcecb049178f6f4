"""Registers under the Personal Data Protection Act."""

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Bring the schema forward."""


def downgrade() -> None:
    """Take it back."""
