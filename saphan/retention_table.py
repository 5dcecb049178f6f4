"""What retention deleted, as a table for people."""

from collections.abc import Sequence

from rich.table import Table

from contracts.retention import RetentionCertificate
from saphan.output import table_of


def certificates_table(listed: Sequence[RetentionCertificate]) -> Table:
    """One rule of one run a line."""
    table = table_of("run", "at", "rule", "deleted", "left", "root")
    for each in listed:
        for outcome in each.outcomes:
            figures = (str(outcome.count), str(outcome.left), outcome.root[:16])
            table.add_row(each.id, f"{each.at:%Y-%m-%d %H:%M}", outcome.rule.value, *figures)
    return table
