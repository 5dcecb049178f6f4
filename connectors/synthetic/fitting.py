"""Made-up rows for any contract: every column has plausible values of its own kind, and fits what the contract says.

Nothing is planted and nothing is calibrated here but the number of rows; three datasets are made with more care in
``connectors.synthetic.tables``.
"""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]  # ships no types
import pyarrow.compute as pc  # type: ignore[import-untyped]  # ships no types

from connectors.synthetic.draws import choose, coded, digits, scattered, text_of_digits
from connectors.synthetic.figures import Booleans, Floats, Integers, columns, figures, hour_profile
from connectors.synthetic.people import ages, assign, citizen_numbers, sexes
from connectors.synthetic.sketch import Kind, Sketch, TableSketch
from contracts.code_lists import code_list
from contracts.periods import BUDDHIST_ERA, FISCAL_YEAR_STARTS_IN, window_of

BATCH_ROWS = 200_000
DAY = 86_400
WIDE = 100
"""A span of whole numbers above this is no scale of marks: most values lie near its lower end."""

EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Fit:
    """What is made up.

    Attributes:
        rng: What to draw with.
        table: The columns.
        months: The months that rows fall in, their first days, oldest first.
        rows: How many rows.
        first_person: The number of the first person.
    """

    rng: np.random.Generator
    table: TableSketch
    months: tuple[date, ...]
    rows: int
    first_person: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows, in the order of their events.

    Attributes:
        fit: What is made up.
        first_row: How many rows the batches before have.
        person: The number of each row's person.
        seconds: The instant of each row's event on a clock in Bangkok, as seconds since 1970.
        drawn: For each column of codes, the index of each row's code.
        amounts: For each column of amounts so far, each row's amount.
    """

    fit: Fit
    first_row: int
    person: Integers
    seconds: Integers
    drawn: dict[str, Integers] = field(default_factory=dict)
    amounts: dict[str, Floats] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """How many rows."""
        return len(self.seconds)

    @property
    def rng(self) -> np.random.Generator:
        """What to draw with."""
        return self.fit.rng

    def index(self, weights: Floats) -> Integers:
        """One index per row, by weights."""
        return choose(weights[None, :], np.zeros(self.size, np.int64), self.rng.random(self.size))

    def known(self, column: Sketch, share: float) -> Booleans:
        """Which rows have a value: all of them where it is required."""
        known: Booleans = self.rng.random(self.size) < (1.0 if column.required else share)
        return known


def fitting_rows(fit: Fit) -> Iterator[pa.Table]:
    """The rows, so many at a time that memory does not grow with their number."""
    first_person = fit.first_person
    for first_row in range(0, fit.rows, BATCH_ROWS):
        size = min(BATCH_ROWS, fit.rows - first_row)
        person, seconds = _people_and_times(fit, size, first_person)
        first_person = int(person.max()) + 1
        yield _table(Batch(fit, first_row, person, seconds))


def _table(batch: Batch) -> pa.Table:
    table = batch.fit.table
    for column in table.of(Kind.CODE):
        batch.drawn[column.name] = _code_index(batch, column)
    times = _times(batch)
    arrays = [times[each.name] if each.name in times else _DRAWERS[each.kind](batch, each) for each in table.columns]
    fields = [
        pa.field(each.name, array.type, nullable=not each.required)
        for each, array in zip(table.columns, arrays, strict=True)
    ]
    return pa.table(arrays, schema=pa.schema(fields))


def _people_and_times(fit: Fit, size: int, first_person: int) -> tuple[Integers, Integers]:
    """Whose row it is and when: most people have few, some have more in one fiscal year than the contract counts."""
    bound = fit.table.contract.unit.rows_per_window
    month = choose(_month_weights(fit)[None, :], np.zeros(size, np.int64), fit.rng.random(size))
    if fit.table.contract.unit.column is None:
        person: Integers = first_person + np.arange(size)
    else:
        person, crowded = _people(fit, size, first_person, bound)
        month = _inside_one_window(fit, person, month, crowded)
    seconds = _seconds(fit, month)
    order = np.argsort(seconds, kind="stable")
    return person[order], seconds[order]


def _people(fit: Fit, size: int, first_person: int, bound: int) -> tuple[Integers, Booleans]:
    """The person of each row, and whether all of that person's rows fall into one fiscal year, beyond the bound."""
    share = float(figures()["fitting"]["crowded"])
    crowds = min(max(1, int(size * share / (bound + 1))), size // (bound + 1))
    crowded = np.repeat(np.arange(crowds), fit.rng.integers(bound + 1, 2 * bound + 2, crowds))[:size]
    rest = assign(fit.rng, size - len(crowded), first_person + crowds)
    person: Integers = np.concatenate([first_person + crowded, rest])
    return person, np.arange(size) < len(crowded)


def _inside_one_window(fit: Fit, person: Integers, month: Integers, crowded: Booleans) -> Integers:
    """Brings the rows of each crowded person into the fiscal year of the first of them."""
    windows = [window_of(each) for each in fit.months]
    same = np.array([[float(one == other) for other in windows] for one in windows])
    _, first, back = np.unique(person, return_index=True, return_inverse=True)
    anchor = month[first][back]
    moved: Integers = np.where(crowded, choose(same, anchor, fit.rng.random(len(month))), month)
    return moved


def _month_weights(fit: Fit) -> Floats:
    """Longer months have more rows, and each year has a little more than the one before."""
    rise = float(figures()["fitting"]["rise"])
    months = fit.months
    return np.array([monthrange(m.year, m.month)[1] * (1 + rise) ** (n / 12) for n, m in enumerate(months)])


def _seconds(fit: Fit, month: Integers) -> Integers:
    starts = np.array([(each - EPOCH).days for each in fit.months], dtype=np.int64)
    lengths = np.array([monthrange(each.year, each.month)[1] for each in fit.months])
    day = starts[month] + (fit.rng.random(len(month)) * lengths[month]).astype(np.int64)
    hour = choose(hour_profile("complaint")[None, :], np.zeros(len(month), np.int64), fit.rng.random(len(month)))
    seconds: Integers = day * DAY + hour * 3600 + fit.rng.integers(0, 3600, len(month))
    return seconds


def _times(batch: Batch) -> dict[str, pa.Array]:
    """The times of a row follow each other in the document's order; what would lie after the data has not happened."""
    table = batch.fit.table.of(Kind.TIME)
    event = [each.name for each in table].index(batch.fit.table.contract.event_time)
    last = batch.fit.months[-1]
    end = ((last - EPOCH).days + monthrange(last.year, last.month)[1]) * DAY
    before, (own, *after) = table[:event], table[event:]
    found = {own.name: _time(own, batch.seconds, batch.known(own, 1.0))}
    for direction, others in ((-1, before[::-1]), (1, after)):
        seconds = batch.seconds
        for column in others:
            days = batch.rng.exponential(float(figures()["fitting"]["days_between"]), batch.size)
            seconds = seconds + direction * (days * DAY).astype(np.int64)
            happened = batch.known(column, 0.95) & ((seconds < end) | column.required)
            found[column.name] = _time(column, np.minimum(seconds, end - 1), happened)
    return found


def _time(column: Sketch, seconds: Integers, known: Booleans) -> pa.Array:
    if column.type == "timestamp":
        return pa.array(seconds, mask=~known).cast(pa.timestamp("s"))
    days = seconds // DAY
    if column.name == "month":
        days = days.astype("datetime64[D]").astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    return pa.array(days.astype(np.int32), mask=~known).cast(pa.date32())


def _code_index(batch: Batch, column: Sketch) -> Integers:
    if column.code_list == "sex_codes":
        found = sexes(batch.person, float(figures()["people"]["female"]))
    else:
        found = batch.index(_code_weights(batch, column))
    index: Integers = np.where(batch.known(column, float(figures()["fitting"]["known"])), found, -1)
    return index


def _code_weights(batch: Batch, column: Sketch) -> Floats:
    """Fixed weights: people for provinces, else falling along the list; the code for the rest is rare."""
    if column.code_list == "provinces":
        people = dict(zip(columns("provinces").codes, columns("provinces").numbers("population"), strict=True))
        raw = np.array([people[code] for code in column.codes])
    else:
        raw = 1 / (np.arange(len(column.codes)) + 2.0) ** 0.8
    rare = code_list(column.code_list).otherwise if column.code_list else None
    weights: Floats = raw / raw.sum()
    weights[[code == rare for code in column.codes]] = 0.02
    pilot = batch.fit.table.contract.pilot
    if pilot is not None and pilot.column == column.name:
        weights = weights * np.where([code in pilot.codes for code in column.codes], 10.0, 1.0)
    return weights


def _codes(batch: Batch, column: Sketch) -> pa.Array:
    index = batch.drawn[column.name]
    if column.type in ("integer", "number"):
        numbers = np.array([int(code) for code in column.codes])
        return pa.array(numbers[index], mask=index < 0)
    pilot = batch.fit.table.contract.pilot
    if pilot is None or pilot.column != column.name:
        return coded(index, column.codes)
    # A place that takes no part yet and stands in no list: what a refresh leaves out and counts.
    elsewhere = batch.rng.random(batch.size) < float(figures()["fitting"]["outside_pilot"])
    return coded(np.where(elsewhere, len(column.codes), index), (*column.codes, "NOT_IN_PILOT"))


def _bands(batch: Batch, column: Sketch) -> pa.Array:
    """A band by its place in the list, then any number inside it; ages are the person's own."""
    known = batch.known(column, float(figures()["fitting"]["known"]))
    low = np.array([band.low for band in column.bands])
    ends = zip(column.bands, low, strict=True)
    high = np.array([band.high if band.high is not None else start + max(10, start // 4) for band, start in ends])
    if "age" in column.name.split("_"):
        number = ages(batch.person, np.zeros(batch.size, np.int64))
    else:
        band = batch.index(1 / (np.arange(len(low)) + 2.0))
        number = low[band] + (batch.rng.random(batch.size) * (high - low + 1)[band]).astype(np.int64)
    if column.span is not None:
        number = np.clip(number, int(column.span[0]), int(column.span[1]))
    return pa.array(number, mask=~known)


def _years(batch: Batch, column: Sketch) -> pa.Array:
    """The Thai fiscal year of the event."""
    months = (batch.seconds // DAY).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    year = 1970 + (months + 13 - FISCAL_YEAR_STARTS_IN) // 12 + BUDDHIST_ERA
    return pa.array(year, mask=~batch.known(column, 1.0))


def _amounts(batch: Batch, column: Sketch) -> pa.Array:
    """Log-normal, three in a hundred beyond their clamp; a second amount with the same clamps is part of the first."""
    top = _top_of(batch, column)
    amount = np.exp(np.log(np.maximum(top, 1)) + 1.3 * (batch.rng.standard_normal(batch.size) - 1.88))
    first = next((name for name in batch.amounts if _same_clamps(batch, name, column)), None)
    if first is not None:
        some = batch.rng.random(batch.size) < float(figures()["fitting"]["part"])
        amount = batch.amounts[first] * np.where(some, batch.rng.random(batch.size), 0.0)
    batch.amounts[column.name] = amount
    known = batch.known(column, float(figures()["fitting"]["known"]))
    return pa.array(np.round(amount).astype(np.int64) if column.type == "integer" else np.round(amount, 2), mask=~known)


def _top_of(batch: Batch, column: Sketch) -> Floats:
    """Where each row's clamp ends: that of its own code, else the common one."""
    measured = column.measured
    if measured is None:
        return np.full(batch.size, float(figures()["fitting"]["amount"]))
    common = float(measured.clamp[1])
    by = next((each for each in batch.fit.table.of(Kind.CODE) if each.name == measured.clamp_by), None)
    if by is None:
        return np.full(batch.size, common)
    tops = np.array([*(float(measured.clamps.get(code, measured.clamp)[1]) for code in by.codes), common])
    return tops[batch.drawn[by.name]]


def _same_clamps(batch: Batch, name: str, column: Sketch) -> bool:
    one, other = batch.fit.table.contract.measure_column(name), column.measured
    return one is not None and other is not None and bool(one.clamps) and one.clamps == other.clamps


def _scores(batch: Batch, column: Sketch) -> pa.Array:
    """Numbers in the middle of what is allowed."""
    low, high = column.span or (0.0, 1.0)
    known = batch.known(column, float(figures()["fitting"]["known"]))
    if column.type == "integer" and high - low > WIDE:
        return pa.array((low + batch.rng.beta(1.2, 12, batch.size) * (high - low)).astype(np.int64), mask=~known)
    if column.type == "integer":
        return pa.array(int(low) + batch.rng.binomial(int(high - low), 0.5, batch.size), mask=~known)
    return pa.array(np.round(low + batch.rng.beta(4, 4, batch.size) * (high - low), 2), mask=~known)


def _flags(batch: Batch, column: Sketch) -> pa.Array:
    known = batch.known(column, float(figures()["fitting"]["known"]))
    return pa.array(batch.rng.random(batch.size) < float(figures()["fitting"]["yes"]), mask=~known)


def _row_keys(batch: Batch, column: Sketch) -> pa.Array:
    number = np.arange(batch.first_row, batch.first_row + batch.size, dtype=np.int64)
    if column.type in ("integer", "number"):
        return pa.array(number + 1)
    return text_of_digits(digits(number, 9), column.name[0].upper())


def _persons(batch: Batch, column: Sketch) -> pa.Array:
    """A citizen number that can be nobody's: see ``citizen_numbers``."""
    if column.type in ("integer", "number"):
        return pa.array(batch.person)
    return citizen_numbers(batch.person)


def _identifiers(batch: Batch, column: Sketch) -> pa.Array:
    """A pseudonym that repeats now and then; 12 digits after a letter are no citizen number and no account."""
    number = scattered(batch.rng.integers(0, max(batch.fit.rows // 2, 1), batch.size), len(column.name))
    text = text_of_digits(digits(number % 10**12, 12), column.name[0].upper())
    return pc.if_else(pa.array(batch.known(column, 0.6)), text, None)


def _places(batch: Batch, column: Sketch) -> pa.Array:
    """A bank, court, office or station without a public list: a few of them have most of the rows."""
    number = (batch.rng.random(batch.size) ** 2 * 60).astype(np.int64) + 1
    text = text_of_digits(digits(number, 3), column.name[:4].upper().replace("_", "X"))
    return pc.if_else(pa.array(batch.known(column, float(figures()["fitting"]["known"]))), text, None)


_DRAWERS = {
    Kind.ROW_KEY: _row_keys,
    Kind.PERSON: _persons,
    Kind.CODE: _codes,
    Kind.BAND: _bands,
    Kind.YEAR: _years,
    Kind.AMOUNT: _amounts,
    Kind.SCORE: _scores,
    Kind.FLAG: _flags,
    Kind.IDENTIFIER: _identifiers,
    Kind.PLACE: _places,
}
