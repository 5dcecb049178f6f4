"""The law of exact cells, written again with pandas alone: who counts, which rows are within the bound, what they add.

Nothing of ``connectors`` is called. A row counts with a person and an instant inside the contract's months. Rows of one
person and fiscal year are ranked in the order in which they first arrived, those that arrived together by the keyed
hash of their key; a rank stays. Where the contract has a shape, cells of a person's year are numbered and rows in a
cell placed in the same way, rows that have a rank already before others, and only rows within both bounds take ranks.
What is answered adds up the rows whose rank is within the bound.
"""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from hashlib import sha256
from itertools import product
from math import isfinite
from typing import TypeVar

import pandas as pd

from contracts.code_lists import derivation
from contracts.dataset import DatasetContract, Dimension, Grain, Shape
from contracts.query import Query

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
OCTOBER = 10
NO_RANK = 10**9

Unit = tuple[str | None, int]
"""A person and a fiscal year."""

Row = tuple[str, Unit]
Labels = tuple[str | None, ...]
Memory = TypeVar("Memory", bound=tuple[object, ...])


@dataclass(frozen=True)
class Complaint:
    """One row as it is meant: ``seen`` and ``happened`` are Bangkok wall clocks, the rest what the source holds."""

    complaint_id: str
    victim_key: str | None
    event_time: datetime | None
    occurred_at: datetime | None
    province: str | None
    platform: str | None
    age: int | None
    damage_thb: float | None


@dataclass
class ByHand:
    """One dataset and the ranks that it gave so far."""

    contract: DatasetContract
    secret: bytes
    ranks: dict[Row, int] = field(default_factory=dict)
    numbers: dict[tuple[Labels, Unit], int] = field(default_factory=dict)
    """The number of each cell of the shape among those of a person's year."""

    places: dict[tuple[str, Labels, Unit], int] = field(default_factory=dict)
    counted: pd.DataFrame = field(default_factory=pd.DataFrame)

    def refresh(self, rows: Sequence[Complaint]) -> None:
        """Take the rows that the source holds now."""
        kept = sorted((each for each in rows if self._counts(each)), key=lambda each: self._hash(each.complaint_id))
        if self.contract.unit.column is not None:
            passing = self._passing(kept)
            for each in passing:
                _next(self.ranks, (each.complaint_id, self._unit(each)))
            kept = [each for each in passing if self.ranks[each.complaint_id, self._unit(each)] <= self._bound]
        # As they are: of its own accord pandas writes a missing whole number among others as the float NaN.
        self.counted = pd.DataFrame([self._record(each) for each in kept], dtype=object)

    @property
    def _bound(self) -> int:
        return self.contract.unit.rows_per_window

    def _passing(self, kept: Sequence[Complaint]) -> Sequence[Complaint]:
        """The rows within the shape, in the order of ``kept``."""
        shape = self.contract.unit.shape
        if shape is None:
            return kept
        # Rows that had a rank come first, by rank; the sort is stable, so the others stay in the order of their hashes.
        known = [self.ranks.get((each.complaint_id, self._unit(each)), NO_RANK) for each in kept]
        for _, each in sorted(zip(known, kept, strict=True), key=lambda pair: pair[0]):
            labels, unit = tuple(_label(self._dimension(name), each) for name in shape.by), self._unit(each)
            _next(self.numbers, (labels, unit))
            _next(self.places, (each.complaint_id, labels, unit))
        return [each for each in kept if self._is_within(shape, each)]

    def _is_within(self, shape: Shape, row: Complaint) -> bool:
        labels, unit = tuple(_label(self._dimension(name), row) for name in shape.by), self._unit(row)
        return self.numbers[labels, unit] <= shape.cells and self.places[row.complaint_id, labels, unit] <= shape.rows

    def cells(self, query: Query) -> dict[str, list[int]]:
        """Every base measure over the full grid, the last dimension running fastest and bins faster still."""
        found = self.counted
        if not found.empty:
            found = found[(found["day"] >= query.period.start) & (found["day"] < query.period.until)]
        for name, wanted in query.where.items():
            found = found[found[name].isin(wanted)] if not found.empty else found
        axes = [self._labels(name, query) for name in query.dimensions]
        cells = [_within(found, dict(zip(query.dimensions, key, strict=True))) for key in product(*axes)]
        return {name: [each for cell in cells for each in self._figures(name, cell)] for name in query.base_measures}

    def _figures(self, measure: str, cell: pd.DataFrame) -> list[int]:
        amounts = [] if cell.empty else [each for each in cell["amount"] if each is not None]
        match measure:
            case "count":
                return [len(cell)]
            case "people":
                return [0 if cell.empty else int(cell["person"].nunique())]
            case "damage_thb:sum":
                return [sum(amounts)]
            case _:
                edges = self.contract.measure_columns[0].bins
                places = [sum(amount >= edge for edge in edges) for amount in amounts]
                return [places.count(place) for place in range(len(edges) + 1)]

    def _counts(self, row: Complaint) -> bool:
        if row.event_time is None or (self.contract.unit.column is not None and row.victim_key is None):
            return False
        inside = self.contract.first_month <= f"{row.event_time:%Y-%m}" <= self.contract.last_month
        pilot = self.contract.pilot
        return inside and (pilot is None or _looked_up(self._dimension("province"), row.province) in pilot.codes)

    def _unit(self, row: Complaint) -> Unit:
        assert row.event_time is not None
        person = None if self.contract.unit.column is None else row.victim_key
        return person, row.event_time.year + 543 + (row.event_time.month >= OCTOBER)

    def _hash(self, value: str) -> str:
        """32 hexadecimal digits sort like the 128 bits that they are."""
        key = hmac.digest(self.secret, f"saphan snapshot row {self.contract.id}".encode(), "sha256")[:16].hex()
        return _sha256(key + _sha256(key + value))[:32]

    def _record(self, row: Complaint) -> dict[str, object]:
        assert row.event_time is not None
        labels = {each.name: _label(each, row) for each in self.contract.dimensions}
        return {"person": row.victim_key, "day": row.event_time.date(), "amount": self._amount(row), **labels}

    def _amount(self, row: Complaint) -> int | None:
        """Whole units, halves away from zero, inside the clamp of the row's own code; none without a finite number."""
        (measured,) = self.contract.measure_columns
        if row.damage_thb is None or not isfinite(row.damage_thb):
            return None
        code = _label(self._dimension(measured.clamp_by), row) if measured.clamp_by else None
        low, high = measured.clamps.get(code or "", measured.clamp)
        clamped = min(max(Decimal(row.damage_thb), Decimal(low)), Decimal(high))
        return int(clamped.quantize(Decimal(1), ROUND_HALF_UP))

    def _dimension(self, name: str) -> Dimension:
        found = self.contract.dimension(name)
        assert found is not None
        return found

    def _labels(self, name: str, query: Query) -> list[str]:
        dimension, wanted = self._dimension(name), query.where.get(name)
        of_time = {
            Grain.MONTH: query.period.months(),
            Grain.HOUR: tuple(f"{hour:02d}" for hour in range(24)),
            Grain.WEEKDAY: WEEKDAYS,
        }
        labels = of_time[dimension.grain] if dimension.grain else tuple(dimension.model_dump()["values"])
        return [each for each in labels if wanted is None or each in wanted]


def _next(memory: dict[Memory, int], key: Memory) -> None:
    """Give what is new the number after all that were ever given to the same, which is all of the key but its first."""
    if key not in memory:
        memory[key] = 1 + sum(known[1:] == key[1:] for known in memory)


def _within(rows: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    for name, label in labels.items():
        rows = rows if rows.empty else rows[rows[name] == label]
    return rows


def _label(dimension: Dimension, row: Complaint) -> str | None:
    value = getattr(row, dimension.column)
    if dimension.grain is None:
        code = _looked_up(dimension, value)
        return code if code in dimension.model_dump()["values"] else None
    if value is None:
        return None
    words = {Grain.MONTH: f"{value:%Y-%m}", Grain.HOUR: f"{value:%H}", Grain.WEEKDAY: WEEKDAYS[value.weekday()]}
    return words[dimension.grain]


def _looked_up(dimension: Dimension, value: object) -> str | None:
    """The code of a list that the contract names; the lists themselves are the federation's, as in the product."""
    derived = derivation(dimension)
    assert derived is not None
    return derived.code_of(value)


def _sha256(text: str) -> str:
    return sha256(text.encode()).hexdigest()
