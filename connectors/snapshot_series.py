"""What the snapshot remembers for standing series: the day on which each row was first kept, and in which place.

``series_<dataset>`` has for each row that was ever kept in the answer table, person and fiscal year the day of its
event as it was then, and its place among that person's rows of the year, by first arrival in the table; both are given
once.
The answer table has that day as ``series_day``, and none for rows beyond the person's bound: an answer of a series
counts a row only where its day is still of that month (for a daily counter: that very day). So no row counts in two
months of one series, and no person with more rows than the bound over all its answers, whatever was corrected, deleted
or added between them: see ``privacy.series``. A row that moves to another person or year is new there, as its rank is.

A dataset in which each row is a person needs the same memory: without it a row whose date is corrected would count
twice. It costs 16 bytes for the hash and 10 for the rest of each row that was ever kept, before compression.
"""

from string import Template
from typing import Final

import duckdb

from connectors import snapshot_schema as schema
from contracts.dataset import DatasetContract

_MAKE: Final = Template("""
CREATE TABLE IF NOT EXISTS $series (row_hash UUID, person INTEGER, fiscal_year SMALLINT, day DATE, place INTEGER);
CREATE TABLE IF NOT EXISTS saphan_series (dataset VARCHAR PRIMARY KEY, memory VARCHAR);
INSERT OR IGNORE INTO saphan_series VALUES ('$dataset', CAST(uuid() AS VARCHAR));
""")
_REMEMBER: Final = Template("""
INSERT INTO $series
SELECT k.row_hash, $person, k.fiscal_year, k.event_day, coalesce(given.most, 0) + $order
FROM kept AS k
LEFT JOIN (SELECT person, fiscal_year, max(place) AS most FROM $series GROUP BY person, fiscal_year) AS given
    ON given.person = $person AND given.fiscal_year = k.fiscal_year AND $by_person
WHERE NOT EXISTS (
    SELECT 1 FROM $series AS s
    WHERE s.row_hash = k.row_hash AND s.person = $person AND s.fiscal_year = k.fiscal_year)
""")
_KEEP: Final = Template("""
CREATE OR REPLACE TABLE $rows AS
SELECT k.* EXCLUDE (row_hash), s.day AS series_day
FROM kept AS k
LEFT JOIN $series AS s
    ON s.row_hash = k.row_hash AND s.person = $person AND s.fiscal_year = k.fiscal_year AND s.place <= $bound
""")


def keep(connection: duckdb.DuckDBPyConnection, contract: DatasetContract) -> None:
    """Make the answer table of the temporary table ``kept``, and remember the rows that are new there."""
    by_person = contract.unit.column is not None
    names = {
        "dataset": contract.id,
        "series": schema.quoted(f"series_{contract.id}"),
        "rows": schema.quoted(schema.rows_table(contract.id)),
        "person": "k.person" if by_person else "0",
        "order": "row_number() OVER (PARTITION BY k.person, k.fiscal_year ORDER BY k.rank, k.row_hash)"
        if by_person
        else "1",
        "by_person": "true" if by_person else "false",
        "bound": str(contract.unit.most_rows) if by_person else "1",
    }
    for statement in (_MAKE, _REMEMBER, _KEEP):
        connection.execute(statement.substitute(names))
