"""``python -m saphan`` and the ``saphan`` command."""


def main() -> None:
    """Run the command line."""
    raise SystemExit(2)
