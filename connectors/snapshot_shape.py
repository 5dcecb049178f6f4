"""Where a person's rows may fall: the shape of a contract, realised on the rows of one refresh.

A contract may bound the rows of one person in a fiscal year not only in all, but also in each *cell* of some of its
dimensions, such as a month and an offence group, and the number of these cells (``contracts.dataset.Shape``). For each
such list of dimensions the snapshot remembers two tables, to which rows are only ever added:

* ``cells_<dataset>_<digest>``: the keyed hash of a cell's labels, person, fiscal year, and the cell's *number* among
  that person's cells of the year, by first arrival.
* ``places_<dataset>_<digest>``: the keyed hash of a row's key, person, fiscal year, number of the cell, and the row's
  *place* among that person's rows in the cell, by first arrival.

Cells and rows that arrive together are ordered by the window rank that a row already has, if any, then by the keyed
hash of the row's key. A row *passes* if its cell's number is at most ``cells`` and its place there at most ``rows``.
Only a row that passes takes a rank in the window, unless it had one before, and only a row that passes and whose rank
is at most ``rows_per_window`` counts.

**Claim.** On every snapshot, at most ``rows_per_window`` rows of a person count in a fiscal year, at most ``rows`` of
them in one cell, in at most ``cells`` cells; and which of a person's rows count depends on that person's rows alone.

**Proof.** A row stands once in a refresh, so on one snapshot it has one person, one year and one cell. A number is
given to a cell of a person's year that has none, after all that were given there; so two cells of a year never have the
same number, and at most ``cells`` of them have one that passes. The same holds for places: two rows of one cell differ
in their place, so at most ``rows`` of them pass; and for ranks: two rows of a year differ in their rank, so at most
``rows_per_window`` have one that counts. Nothing of this needs that a row stays what it was: one that vanished keeps
its number, place and rank from being given again; one that moves to another cell takes a place there behind all that
ever were there, and finds its old place again when it comes back; its rank in the year stays. All tables are read and
written by person, and every order is one of a person's own rows: the rows of others, and how many there are, decide
nothing.

A new list of dimensions begins tables of its own, and an earlier list finds its own again; ranks in the window stay
whatever the shape. Wider ``rows`` or ``cells`` let rows pass that had a place before: they take ranks behind all
others. A label that is missing is a label of its own. The labels themselves are not kept, only their keyed hash.
"""

from string import Template
from typing import Final

import duckdb

from connectors import snapshot_schema as schema
from contracts.canonical import digest_of
from contracts.dataset import DatasetContract, Shape

DIGEST_LETTERS: Final = 12

_WITHOUT_SHAPE: Final = Template("""
CREATE OR REPLACE TEMP VIEW passing AS
SELECT i.row_hash, p.number AS person, i.fiscal_year, 1 AS cell, 1 AS place
FROM incoming AS i JOIN $people AS p ON p.hash = i.person_hash
""")
_MAKE_MEMORY: Final = Template("""
CREATE TABLE IF NOT EXISTS $cells (hash UUID, person INTEGER, fiscal_year SMALLINT, number INTEGER);
CREATE TABLE IF NOT EXISTS $places (row_hash UUID, person INTEGER, fiscal_year SMALLINT, cell INTEGER, place INTEGER);
""")
_LABEL_ROWS: Final = Template("""
CREATE OR REPLACE TEMP TABLE labelled AS
SELECT i.row_hash, p.number AS person, i.fiscal_year, $labels AS labels, r.rank
FROM incoming AS i
JOIN $people AS p ON p.hash = i.person_hash
LEFT JOIN $ranks AS r ON r.row_hash = i.row_hash AND r.person = p.number AND r.fiscal_year = i.fiscal_year
""")
_HASH_LABELS: Final = Template("""
CREATE OR REPLACE TEMP TABLE hashed AS
SELECT labels, $cell_hash AS hash FROM (SELECT DISTINCT labels FROM labelled) AS distinct_labels
""")
_NUMBER_CELLS: Final = Template("""
INSERT INTO $cells
SELECT a.hash, a.person, a.fiscal_year, coalesce(given.most, 0) + row_number() OVER (
    PARTITION BY a.person, a.fiscal_year ORDER BY a.first_rank NULLS LAST, a.first_row)
FROM (
    SELECT h.hash, l.person, l.fiscal_year, min(l.rank) AS first_rank, min(l.row_hash) AS first_row
    FROM labelled AS l JOIN hashed AS h ON h.labels = l.labels
    GROUP BY h.hash, l.person, l.fiscal_year) AS a
LEFT JOIN (SELECT person, fiscal_year, max(number) AS most FROM $cells GROUP BY person, fiscal_year) AS given
    ON given.person = a.person AND given.fiscal_year = a.fiscal_year
WHERE NOT EXISTS (
    SELECT 1 FROM $cells AS c WHERE c.hash = a.hash AND c.person = a.person AND c.fiscal_year = a.fiscal_year)
""")
_FIND_CELLS: Final = Template("""
CREATE OR REPLACE TEMP TABLE arrived AS
SELECT l.row_hash, l.person, l.fiscal_year, l.rank, c.number AS cell
FROM labelled AS l
JOIN hashed AS h ON h.labels = l.labels
JOIN $cells AS c ON c.hash = h.hash AND c.person = l.person AND c.fiscal_year = l.fiscal_year
""")
_PLACE_ROWS: Final = Template("""
INSERT INTO $places
SELECT a.row_hash, a.person, a.fiscal_year, a.cell, coalesce(given.most, 0) + row_number() OVER (
    PARTITION BY a.person, a.fiscal_year, a.cell ORDER BY a.rank NULLS LAST, a.row_hash)
FROM arrived AS a
LEFT JOIN (
    SELECT person, fiscal_year, cell, max(place) AS most FROM $places GROUP BY person, fiscal_year, cell) AS given
    ON given.person = a.person AND given.fiscal_year = a.fiscal_year AND given.cell = a.cell
WHERE NOT EXISTS (
    SELECT 1 FROM $places AS q WHERE q.row_hash = a.row_hash
        AND q.person = a.person AND q.fiscal_year = a.fiscal_year AND q.cell = a.cell)
""")
_PASSING: Final = Template("""
CREATE OR REPLACE TEMP VIEW passing AS
SELECT a.row_hash, a.person, a.fiscal_year, a.cell, q.place
FROM arrived AS a
JOIN $places AS q ON q.row_hash = a.row_hash
    AND q.person = a.person AND q.fiscal_year = a.fiscal_year AND q.cell = a.cell
WHERE q.place <= $most_rows AND a.cell <= $most_cells
""")


def passing_rows(connection: duckdb.DuckDBPyConnection, contract: DatasetContract, secret: bytes) -> None:
    """Make ``passing``: the rows of the temporary table ``incoming`` that the shape lets count, each with its place.

    Numbers and places of what is new are given and remembered. Without a shape every row passes, in one cell.

    Args:
        connection: To the snapshot's copy, in which people have their numbers and the table of ranks stands.
        contract: One with a column for people.
        secret: What the key of the cells' hashes is derived from.
    """
    shape = contract.unit.shape
    names = {"people": schema.quoted(f"people_{contract.id}"), "ranks": schema.quoted(f"ranks_{contract.id}")}
    if shape is None:
        connection.execute(_WITHOUT_SHAPE.substitute(names))
        return
    memory = f"{contract.id}_{_digest(shape)}"
    names |= {
        "cells": schema.quoted(f"cells_{memory}"),
        "places": schema.quoted(f"places_{memory}"),
        "labels": _labels(shape),
        "cell_hash": schema.keyed("labels", "cell_key"),
        "most_rows": str(shape.rows),
        "most_cells": str(shape.cells),
    }
    for statement in (_MAKE_MEMORY, _LABEL_ROWS):
        connection.execute(statement.substitute(names))
    key = schema.key_of(secret, f"cell {contract.id}")
    connection.execute(_HASH_LABELS.substitute(names), {"cell_key": key})
    for statement in (_NUMBER_CELLS, _FIND_CELLS, _PLACE_ROWS, _PASSING):
        connection.execute(statement.substitute(names))


def _digest(shape: Shape) -> str:
    """Names the memory of a list of dimensions, whose order carries no meaning."""
    return digest_of(sorted(shape.by)).removeprefix("sha-256:")[:DIGEST_LETTERS]


def _labels(shape: Shape) -> str:
    """A row's labels as one text; no label contains a bar, and one that is missing equals no other."""
    columns = (schema.quoted(schema.dimension_column(name)) for name in sorted(shape.by))
    return "concat_ws('|', " + ", ".join(f"coalesce('=' || CAST(i.{each} AS VARCHAR), '-')" for each in columns) + ")"
