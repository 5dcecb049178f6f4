"""Answers that are kept to be given again."""

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Bring the schema forward."""


def downgrade() -> None:
    """Take it back."""
