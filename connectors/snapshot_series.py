"""What the snapshot remembers for standing series: the day as which each row was first kept.

``series_<dataset>`` has for each row that was ever kept in the answer table, person and fiscal year the day of its
event as it was then; it is given once. The answer table has that day as ``series_day``: an answer of a series counts a
row only where its day is still of that month (for a daily counter: that very day). So no row counts in two months of
one series, whatever was corrected, deleted or added between them. A row that moves to another person or year is new
there, as its rank is.

No second bound is needed here. Under one unit of a contract (a new one begins a new series) a person has at most
``most_rows`` rows that can ever be kept in a fiscal year, over all snapshots together: ranks, numbers of cells and
places are given once and never again, so at most ``rows_per_window`` rows have a rank that counts, and at most ``rows``
rows have a place that counts in each of at most ``cells`` cells, whatever other units the contract had in between. See
``privacy.series`` for what follows.

A dataset in which each row is a person needs the same memory: without it a row whose date is corrected would count
twice. It costs 16 bytes for the hash and 10 for the rest of each row that was ever kept, before compression.
"""

from string import Template
from typing import Final

import duckdb

from connectors import snapshot_schema as schema
from contracts.dataset import DatasetContract

_MAKE: Final = Template("""
CREATE TABLE IF NOT EXISTS $series (row_hash UUID, person INTEGER, fiscal_year SMALLINT, day DATE);
""")
_REMEMBER: Final = Template("""
INSERT INTO $series (row_hash, person, fiscal_year, day)
SELECT k.row_hash, $person, k.fiscal_year, k.event_day
FROM kept AS k
WHERE NOT EXISTS (
    SELECT 1 FROM $series AS s
    WHERE s.row_hash = k.row_hash AND s.person = $person AND s.fiscal_year = k.fiscal_year)
""")
_KEEP: Final = Template("""
CREATE OR REPLACE TABLE $rows AS
SELECT k.* EXCLUDE (row_hash), s.day AS series_day
FROM kept AS k
LEFT JOIN $series AS s
    ON s.row_hash = k.row_hash AND s.person = $person AND s.fiscal_year = k.fiscal_year
""")


def keep(connection: duckdb.DuckDBPyConnection, contract: DatasetContract) -> None:
    """Make the answer table of the temporary table ``kept``, and remember the rows that are new there."""
    names = {
        "series": schema.quoted(f"series_{contract.id}"),
        "rows": schema.quoted(schema.rows_table(contract.id)),
        "person": "0" if contract.unit.column is None else "k.person",
    }
    for statement in (_MAKE, _REMEMBER, _KEEP):
        connection.execute(statement.substitute(names))
