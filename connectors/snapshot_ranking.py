"""One refresh of one dataset: read the source, number the people, rank their rows, keep what may be asked.

The statements are templates: only names and expressions of ``connectors.snapshot_schema`` are put into them, which come
from the contract; the secret is bound, and the rows arrive as Arrow tables.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from string import Template
from typing import Final

import duckdb
import pyarrow as pa  # type: ignore[import-untyped]  # ships no types

from connectors import snapshot_schema as schema
from connectors import snapshot_series, snapshot_shape
from connectors.sources import Source
from contracts.dataset import DatasetContract
from contracts.errors import InvalidInput

_MAKE_CODES: Final = "CREATE OR REPLACE TEMP TABLE codes (dimension VARCHAR, value VARCHAR, label VARCHAR)"
_MAKE_INCOMING: Final = Template("""
CREATE OR REPLACE TEMP TABLE incoming (row_hash UUID, person_hash UUID, event_day DATE, fiscal_year SMALLINT, $columns)
""")
_READ_BATCH: Final = Template("""
INSERT INTO incoming
SELECT $row_hash, $person_hash, CAST($clock AS DATE) AS event_day,
    CAST($fiscal_year AS SMALLINT) AS fiscal_year, $answers
FROM batch$joins
WHERE $counts AND $in_pilot
""")
_MAKE_OUTSIDE: Final = "CREATE OR REPLACE TEMP TABLE outside (code VARCHAR, rows BIGINT)"
_COUNT_OUTSIDE: Final = Template("""
INSERT INTO outside SELECT $label AS code, count(*) FROM batch$joins WHERE $counts AND NOT $in_pilot GROUP BY code
""")
_KEEP_OUTSIDE: Final = Template("""
CREATE OR REPLACE TABLE $outside AS
SELECT code, CAST(sum(rows) AS BIGINT) AS rows FROM outside GROUP BY code
""")
_BAD_ROW_KEYS: Final = "SELECT count(*) - count(DISTINCT row_hash) FROM incoming"
_MAKE_MEMORY: Final = Template("""
CREATE TABLE IF NOT EXISTS $people (hash UUID, number INTEGER);
CREATE TABLE IF NOT EXISTS $ranks (row_hash UUID, person INTEGER, fiscal_year SMALLINT, rank INTEGER);
""")
_NUMBER_PEOPLE: Final = Template("""
INSERT INTO $people
SELECT hash, (SELECT coalesce(max(number), 0) FROM $people) + row_number() OVER (ORDER BY hash)
FROM (SELECT DISTINCT person_hash AS hash FROM incoming) AS arrived
WHERE NOT EXISTS (SELECT 1 FROM $people AS known WHERE known.hash = arrived.hash)
""")
_RANK_ROWS: Final = Template("""
INSERT INTO $ranks
SELECT i.row_hash, i.person, i.fiscal_year, coalesce(given.most, 0)
    + row_number() OVER (PARTITION BY i.person, i.fiscal_year ORDER BY i.row_hash)
FROM passing AS i
LEFT JOIN (SELECT person, fiscal_year, max(rank) AS most FROM $ranks GROUP BY person, fiscal_year) AS given
    ON given.person = i.person AND given.fiscal_year = i.fiscal_year
WHERE NOT EXISTS (
    SELECT 1 FROM $ranks AS r
    WHERE r.row_hash = i.row_hash AND r.person = i.person AND r.fiscal_year = i.fiscal_year)
""")
_MAKE_KEPT: Final = Template("""
CREATE OR REPLACE TEMP TABLE kept
(row_hash UUID, person INTEGER, fiscal_year SMALLINT, rank INTEGER, cell INTEGER, place INTEGER, event_day DATE,
$columns)
""")
_KEEP_RANKED: Final = Template("""
INSERT INTO kept
SELECT i.row_hash, q.person, i.fiscal_year, r.rank, q.cell, q.place, i.event_day, $names
FROM incoming AS i
JOIN passing AS q ON q.row_hash = i.row_hash
JOIN $ranks AS r ON r.row_hash = q.row_hash AND r.person = q.person AND r.fiscal_year = q.fiscal_year
WHERE r.rank <= $bound AND $stays
""")
_KEEP_ALL: Final = Template("""
INSERT INTO kept
SELECT i.row_hash, row_number() OVER (), fiscal_year, 1, 1, 1, event_day, $names FROM incoming AS i WHERE $stays
""")
_MAKE_LEFT_OUT: Final = "CREATE OR REPLACE TEMP TABLE left_out (hash UUID)"
_FILL_LEFT_OUT: Final = "INSERT INTO left_out SELECT CAST(unnest($hashes) AS UUID)"
_STAYS: Final = Template("""
i.event_day >= DATE '$kept_from' AND NOT EXISTS (SELECT 1 FROM left_out AS o WHERE o.hash = i.person_hash)
""")
_COUNTS: Final = Template("SELECT (SELECT count(*) FROM $rows), (SELECT $persons FROM incoming)")


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What is ranked and still not answered on: rows of these people, and of days before ``kept_from``."""

    people: Sequence[str]
    kept_from: date


@dataclass(frozen=True, slots=True)
class Ranked:
    """Figures of one refresh; see ``connectors.snapshot.SnapshotInfo``."""

    rows: int
    kept_rows: int
    persons: int


class Ranking:
    """One refresh of one dataset on a writable connection.

    Args:
        connection: To the snapshot's copy.
        contract: What is kept.
        secret: What the keys of the hashes are derived from.
        left_out: Whose rows, and which days, are left out of the answer table.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, contract: DatasetContract, secret: bytes, left_out: LeftOut
    ) -> None:
        self._connection = connection
        self._contract = contract
        self._secret = secret
        self._left_out = left_out
        self._keys = {"row_key": schema.key_of(secret, f"row {contract.id}")}
        if contract.unit.column is not None:
            self._keys["person_key"] = schema.key_of(secret, f"person {contract.id}")
        answer = schema.answer_columns(contract)
        self._names = {
            "people": schema.quoted(f"people_{contract.id}"),
            "ranks": schema.quoted(f"ranks_{contract.id}"),
            "rows": schema.quoted(schema.rows_table(contract.id)),
            "outside": schema.quoted(schema.outside_table(contract.id)),
            "columns": ", ".join(f"{schema.quoted(name)} {kind}" for name, kind in answer),
            "names": ", ".join(f"i.{schema.quoted(name)}" for name, _ in answer),
            "bound": str(contract.unit.rows_per_window),
            "stays": _STAYS.substitute(kept_from=left_out.kept_from.isoformat()),
            "persons": "count(*)" if contract.unit.column is None else "count(DISTINCT person_hash)",
        }

    def run(self, source: Source) -> Ranked:
        """Read, number, rank, keep.

        Raises:
            InvalidInput: ``source-mismatch``.
            Unavailable: ``source-unreachable``.
        """
        rows = self._read(source)
        if self._figures(_BAD_ROW_KEYS) != (0,):
            raise InvalidInput("source-mismatch", where=f"{self._contract.row_key} is not a key")
        self._connection.execute(_MAKE_LEFT_OUT)
        self._connection.execute(_FILL_LEFT_OUT, {"hashes": list(self._left_out.people)})
        if self._contract.unit.column is None:
            self._run(_MAKE_KEPT, _KEEP_ALL)
        else:
            self._run(_MAKE_MEMORY, _NUMBER_PEOPLE)
            snapshot_shape.passing_rows(self._connection, self._contract, self._secret)
            self._run(_RANK_ROWS, _MAKE_KEPT, _KEEP_RANKED)
        snapshot_series.keep(self._connection, self._contract)
        self._run(_KEEP_OUTSIDE)
        kept, persons = self._figures(_COUNTS.substitute(self._names))
        return Ranked(rows=rows, kept_rows=kept, persons=persons)

    def _read(self, source: Source) -> int:
        """Bring the pilot's rows in, with hashes for keys and labels for codes; gives the number of all rows.

        Of a row outside the pilot nothing is kept but that there was one more with its public code: no hash, no rank.
        """
        self._run(_MAKE_INCOMING)
        self._connection.execute(_MAKE_CODES)
        self._connection.execute(_MAKE_OUTSIDE)
        self._put("codes_read", schema.code_rows(self._contract), "INSERT INTO codes SELECT * FROM codes_read")
        rows = 0
        for batch in source.batches(self._contract.table, schema.source_columns(self._contract)):
            rows += batch.num_rows
            terms = self._batch_terms(batch.schema)
            self._put("batch", batch, _READ_BATCH.substitute(terms), self._keys)
            if self._contract.pilot is not None:
                self._put("batch", batch, _COUNT_OUTSIDE.substitute(terms))
        return rows

    def _put(self, name: str, table: pa.Table, statement: str, parameters: Mapping[str, str] | None = None) -> None:
        """Run a statement that reads an Arrow table under that name."""
        self._connection.register(name, table)
        self._connection.execute(statement, parameters)
        self._connection.unregister(name)

    def _batch_terms(self, columns: pa.Schema) -> Mapping[str, str]:
        contract = self._contract
        person = contract.unit.column
        period = schema.span(contract)
        clock = schema.wall_clock(contract.event_time, columns)
        label = schema.pilot_label(contract, columns)
        return {
            "row_hash": schema.keyed(f"batch.{schema.quoted(contract.row_key)}", "row_key"),
            "person_hash": "NULL" if person is None else schema.keyed(f"batch.{schema.quoted(person)}", "person_key"),
            "clock": clock,
            "fiscal_year": schema.fiscal_year(clock),
            "answers": ", ".join(schema.answer_expressions(contract, columns)),
            "joins": schema.joins(contract),
            "label": label,
            "in_pilot": schema.in_pilot(contract, label),
            "counts": f"CAST({clock} AS DATE) >= DATE '{period.start.isoformat()}'"
            f" AND CAST({clock} AS DATE) < DATE '{period.until.isoformat()}'"
            + ("" if person is None else f" AND batch.{schema.quoted(person)} IS NOT NULL"),
        }

    def _run(self, *statements: Template) -> None:
        for statement in statements:
            self._connection.execute(statement.substitute(self._names))

    def _figures(self, statement: str) -> tuple[int, ...]:
        (figures,) = self._connection.execute(statement).fetchall()
        return tuple(figures)
