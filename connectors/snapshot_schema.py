"""What a snapshot looks like inside: its tables, and the expressions that turn a source's columns into theirs.

Every identifier comes from a dataset contract, whose names follow a closed pattern, and is quoted all the same; labels
come from the contract's code lists. Whatever comes from a data row is bound or stays inside the engine.

The answer table of a dataset, ``rows_<dataset>``:

    person       INTEGER   the agency's own running number of the protected person
    fiscal_year  SMALLINT  the window: the Thai fiscal year (Buddhist era) of the event's Bangkok day
    rank         INTEGER   the row's place within (person, fiscal year), by first arrival
    cell         INTEGER   number of the row's cell of the contract's shape within (person, fiscal year); 1 without one
    place        INTEGER   the row's place within (person, fiscal year, cell), by first arrival; 1 without a shape
    event_day    DATE      the Bangkok day of the event
    d_<name>     ENUM      a dimension's label, none when the source's value has no label
    m_<column>   BIGINT    a measure column: whole units, clamped by the clamp of the row's own code if it has one;
                           none where the source has no finite number
    series_day   DATE      the day as which the row was first kept; see ``connectors.snapshot_series``

Only rows of the pilot stand in it, if the contract has one; ``outside_<dataset>`` says how many others the source had:

    code         VARCHAR   the public code of the pilot's column that they hold, none for values that are in no list
    rows         BIGINT
"""

import hmac
from typing import Final

import pyarrow as pa  # type: ignore[import-untyped]  # ships no types

from contracts.canonical import digest_of
from contracts.clamps import clamping_dimension
from contracts.code_lists import Bands, Lookup, code_list, derivation
from contracts.dataset import DatasetContract, Dimension, Grain, MeasureColumn
from contracts.errors import InvalidInput
from contracts.grid import HOURS, WEEKDAYS, key_set
from contracts.periods import BUDDHIST_ERA, FISCAL_YEAR_STARTS_IN, Period, next_month
from contracts.query import Query
from contracts.remembered import remembered

FORMAT: Final = 2
WITHOUT_SHAPES: Final = 1
"""The format before shapes. Its people and ranks are those of today's, so a refresh goes on with them: nobody gets a
second set of ranks within a window. Its answer table has neither cells nor places, so it is asked no more."""

BANGKOK_MICROSECONDS: Final = 7 * 3600 * 1_000_000
"""Bangkok is seven hours ahead of UTC, all year, since 1920."""

_OFFSET: Final = r"(Z|[+-]\d\d(?::?\d\d(?::?\d\d)?)?)"
"""How a text writes its offset in figures; a space may stand before it, which the engine itself does not read."""

META_TABLE: Final = """
CREATE TABLE IF NOT EXISTS saphan_snapshot (
    dataset VARCHAR PRIMARY KEY, format INTEGER, layout VARCHAR, key_check VARCHAR, data_version INTEGER,
    rows BIGINT, kept_rows BIGINT, persons BIGINT, refreshed_at VARCHAR)
"""


def rows_table(dataset: str) -> str:
    """The table that answers are computed on."""
    return f"rows_{dataset}"


def outside_table(dataset: str) -> str:
    """The table that says how many rows the pilot leaves out."""
    return f"outside_{dataset}"


def dimension_column(name: str) -> str:
    """The column of a dimension's labels."""
    return f"d_{name}"


def measure_column(column: str) -> str:
    """The column of a clamped measure."""
    return f"m_{column}"


@remembered
def layout_of(contract: DatasetContract) -> str:
    """Digest of all that a contract says about the snapshot: its columns, labels, clamps, pilot, bound and months.

    A snapshot that was built under another layout is never asked: an older, wider clamp would break the promise.
    """
    return digest_of(
        {
            "table": contract.table,
            "row_key": contract.row_key,
            "event_time": contract.event_time,
            "person": contract.unit.column,
            "rows_per_window": contract.unit.rows_per_window,
            "shape": None if contract.unit.shape is None else contract.unit.shape.model_dump(mode="json"),
            "dimensions": [each.model_dump(mode="json", exclude={"title"}) for each in contract.dimensions],
            "measures": [each.model_dump(mode="json", exclude={"title"}) for each in contract.measure_columns],
            "no_number": "none",
            "pilot": None if contract.pilot is None else contract.pilot.model_dump(mode="json"),
            "months": [contract.first_month, contract.last_month],
            "code_lists": {name: code_list(name).digest for name in _lists(contract)},
        }
    )


def source_columns(contract: DatasetContract) -> tuple[str, ...]:
    """The columns that are read from the source, each once: what the contract needs and nothing else."""
    person = () if contract.unit.column is None else (contract.unit.column,)
    dimensions = (each.column for each in contract.dimensions)
    measures = (each.column for each in contract.measure_columns)
    return tuple(dict.fromkeys((contract.row_key, *person, contract.event_time, *dimensions, *measures)))


def span(contract: DatasetContract) -> Period:
    """The days from the contract's first month to its last."""
    first = Period.model_validate({"from": f"{contract.first_month}-01", "until": f"{contract.last_month}-02"})
    return Period.model_validate({"from": first.start, "until": next_month(first.until)})


def labels_of(dimension: Dimension, contract: DatasetContract) -> tuple[str, ...]:
    """Every label that a dimension may have in this snapshot."""
    return key_set(dimension, Query(measures=("count",), dimensions=(), period=span(contract)))


def answer_columns(contract: DatasetContract) -> tuple[tuple[str, str], ...]:
    """Name and type of each dimension's and measure's column in the answer table."""
    dimensions = (
        (dimension_column(each.name), f"ENUM({', '.join(_text(v) for v in labels_of(each, contract))})")
        for each in contract.dimensions
    )
    return (*dimensions, *((measure_column(each.column), "BIGINT") for each in contract.measure_columns))


def answer_expressions(contract: DatasetContract, schema: pa.Schema) -> tuple[str, ...]:
    """How each of ``answer_columns`` is computed from a batch with that schema."""
    dimensions = (_label(each, contract, schema) for each in contract.dimensions)
    return (*dimensions, *(_clamped(each, contract, schema) for each in contract.measure_columns))


def pilot_dimension(contract: DatasetContract) -> Dimension | None:
    """The dimension whose labels say whether a row lies in the pilot; None when the whole country takes part.

    Raises:
        InvalidInput: ``pilot-without-codes``, when the contract offers no dimension of that column with all the pilot's
            codes. A contract that was read from its document never does.
    """
    pilot = contract.pilot
    if pilot is None:
        return None
    for each in contract.dimensions:
        if each.column == pilot.column and set(pilot.codes) <= set(each.values):
            return each
    raise InvalidInput("pilot-without-codes", contract=contract.id, column=pilot.column)


def pilot_label(contract: DatasetContract, schema: pa.Schema) -> str:
    """The row's label of the pilot's dimension as text, none where it has no label; NULL without a pilot."""
    dimension = pilot_dimension(contract)
    return "CAST(NULL AS VARCHAR)" if dimension is None else _label_text(dimension, schema)


def in_pilot(contract: DatasetContract, label: str) -> str:
    """Whether a row with that ``pilot_label`` is imported; a row without a label lies outside."""
    if contract.pilot is None:
        return "true"
    return f"coalesce({label} IN ({', '.join(_text(code) for code in contract.pilot.codes)}), false)"


def code_rows(contract: DatasetContract) -> pa.Table:
    """Dimension, source value and label: what the temporary table ``codes`` holds while rows are read."""
    rows = [
        {"dimension": dimension.name, "value": value, "label": label}
        for dimension in contract.dimensions
        if isinstance(derived := derivation(dimension), Lookup)
        for value, label in derived.mapping.items()
    ]
    return pa.Table.from_pylist(rows, pa.schema([(name, pa.string()) for name in ("dimension", "value", "label")]))


def joins(contract: DatasetContract) -> str:
    """The joins that bring in the labels, one per dimension whose values are looked up."""
    return "".join(
        f" LEFT JOIN codes AS {_alias(each)} ON {_alias(each)}.dimension = {_text(each.name)}"
        f" AND {_alias(each)}.value = CAST(batch.{quoted(each.column)} AS VARCHAR)"
        for each in contract.dimensions
        if isinstance(derivation(each), Lookup)
    )


def wall_clock(column: str, schema: pa.Schema) -> str:
    """The Bangkok wall clock of a column of instants, none where it holds no instant.

    An instant with an offset is converted. A plain timestamp, a date and a text without an offset are what a clock on
    the wall in Bangkok showed: that is how Thai systems write them.

    Raises:
        InvalidInput: ``source-mismatch``, for a column that holds no instants.
    """
    name, kind = f"batch.{quoted(column)}", schema.field(column).type
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        return _shifted(name)
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind) or pa.types.is_null(kind):
        return f"CAST({name} AS TIMESTAMP)"
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        has_offset = rf"regexp_matches({name}, ':\d\d(\.\d+)?\s*({_OFFSET}| UTC| GMT)\s*$')"
        joined = rf"regexp_replace(trim({name}), '\s+{_OFFSET}$', '\1')"
        aware = _shifted(f"TRY_CAST({joined} AS TIMESTAMPTZ)")
        return f"CASE WHEN {has_offset} THEN {aware} ELSE TRY_CAST({name} AS TIMESTAMP) END"
    raise InvalidInput("source-mismatch", where=f"{column} holds no times")


def key_of(secret: bytes, what: str) -> str:
    """The key that hashes one kind of values: 128 bits, as hexadecimal, so that a short value makes one SHA block."""
    return hmac.digest(secret, b"saphan snapshot " + what.encode(), "sha256")[:16].hex()


def keyed(value: str, key: str) -> str:
    """The keyed hash (128 bits) of an expression: the hash of the key and of the hash of the key and the value.

    ``key`` names the bound parameter that holds a ``key_of``. Hashing twice keeps a hash from being extended.
    """
    return f"CAST(substr(sha256(${key} || sha256(${key} || CAST({value} AS VARCHAR))), 1, 32) AS UUID)"


def quoted(identifier: str) -> str:
    """An identifier as SQL writes it."""
    return '"' + identifier.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _shifted(instant: str) -> str:
    return f"make_timestamp(epoch_us({instant}) + {BANGKOK_MICROSECONDS})"


def _label(dimension: Dimension, contract: DatasetContract, schema: pa.Schema) -> str:
    kind = f"ENUM({', '.join(_text(value) for value in labels_of(dimension, contract))})"
    return f"TRY_CAST({_label_text(dimension, schema)} AS {kind})"


def _label_text(dimension: Dimension, schema: pa.Schema) -> str:
    derived = derivation(dimension)
    if isinstance(derived, Lookup):
        return f"coalesce({_alias(dimension)}.label, {_optional(derived.otherwise)})"
    if isinstance(derived, Bands):
        return _banded(derived, f"TRY_CAST(CAST(batch.{quoted(dimension.column)} AS VARCHAR) AS BIGINT)")
    clock = wall_clock(dimension.column, schema)
    return _part_of_time(dimension.grain, clock)


def fiscal_year(clock: str) -> str:
    """The Buddhist year in which the fiscal year of an instant ends; it begins on the first day of October."""
    begun = f"CASE WHEN month({clock}) >= {FISCAL_YEAR_STARTS_IN} THEN 1 ELSE 0 END"
    return f"year({clock}) + {begun} + {BUDDHIST_ERA}"


def _part_of_time(grain: Grain | None, clock: str) -> str:
    match grain:
        case Grain.YEAR:
            return f"'FY' || CAST({fiscal_year(clock)} AS VARCHAR)"
        case Grain.MONTH:
            return f"strftime({clock}, '%Y-%m')"
        case Grain.WEEK:
            return f"strftime({clock}, '%G-W%V')"
        case Grain.HOUR:
            return f"{_list(HOURS)}[hour({clock}) + 1]"
        case _:
            return f"{_list(WEEKDAYS)}[isodow({clock})]"


def _banded(derived: Bands, number: str) -> str:
    whens = (
        f" WHEN {number} >= {band.low}{'' if band.high is None else f' AND {number} <= {band.high}'}"
        f" THEN {_text(band.code)}"
        for band in derived.bands
    )
    return f"CASE{''.join(whens)} ELSE {_optional(derived.otherwise)} END"


def _alias(dimension: Dimension) -> str:
    return quoted(f"of_{dimension.name}")


def _optional(label: str | None) -> str:
    return "NULL" if label is None else _text(label)


def _lists(contract: DatasetContract) -> list[str]:
    named = (name for each in contract.dimensions for name in (each.code_list, each.via) if name is not None)
    return sorted(set(named))


def _list(labels: tuple[str, ...]) -> str:
    return f"[{', '.join(_text(label) for label in labels)}]"


def _clamped(measure: MeasureColumn, contract: DatasetContract, schema: pa.Schema) -> str:
    """Whole units, halves away from zero, inside the clamp of the row's own code, else inside the common one.

    What is no finite number (none, NaN, infinities, text) has no amount: a case that has not ended took not 0 days. It
    adds nothing to a sum and stands in no bin, so it moves an answer by less than any amount inside the clamp may.
    """
    number = f"TRY_CAST(batch.{quoted(measure.column)} AS DOUBLE)"
    low, high = (_bound(end, measure, contract, schema) for end in (0, 1))
    return (
        f"CASE WHEN {number} IS NULL OR NOT isfinite({number}) THEN NULL"
        f" ELSE CAST(round(greatest(least({number}, {high}), {low})) AS BIGINT) END"
    )


def _bound(end: int, measure: MeasureColumn, contract: DatasetContract, schema: pa.Schema) -> str:
    """The lower (0) or upper (1) end of a row's clamp."""
    common = str(measure.clamp[end])
    dimension = clamping_dimension(contract, measure)
    if dimension is None:
        return common
    whens = (f" WHEN {_text(code)} THEN {clamp[end]}" for code, clamp in sorted(measure.clamps.items()))
    return f"CASE {_label_text(dimension, schema)}{''.join(whens)} ELSE {common} END"
