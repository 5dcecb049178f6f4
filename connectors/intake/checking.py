"""Checking blocks of rows: each distinct text of a column is read once, all else is done for whole columns."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Final

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]  # ships no types
import pyarrow.compute as pc  # type: ignore[import-untyped]  # ships no types

from connectors.intake.blocks import Block
from connectors.intake.cells import Circumstances, Read, Reader, reader_of
from connectors.intake.heading import Heading
from connectors.intake.plain import Plainly, plain_reader_of
from connectors.intake.rules import DAY_FIRST, MONTH_FIRST, OUTSIDE_PILOT, ROW_SHAPE, told
from contracts.dataset import Pilot
from contracts.errors import InvalidInput
from contracts.odcs_columns import ColumnFacts, ColumnType

NUMBERS: Final = "saphan_row"
BETWEEN_ERRORS: Final = "\n"

ARROW_TYPES: Final[Mapping[ColumnType, pa.DataType]] = {
    ColumnType.STRING: pa.string(),
    ColumnType.INTEGER: pa.int64(),
    ColumnType.NUMBER: pa.float64(),
    ColumnType.BOOLEAN: pa.bool_(),
    ColumnType.DATE: pa.date32(),
    ColumnType.TIMESTAMP: pa.timestamp("us"),
}


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of a block.

    Attributes:
        accepted: A table of the contract's columns that the file has, and ``saphan_row``.
        rejected: The block's rows that break rules, as they stand in the file, and in ``rejections`` why.
        outside: The rows outside the pilot area.
    """

    accepted: pa.Table
    rejected: Block
    rejections: pa.Array
    outside: Block


@dataclass(slots=True)
class Tally:
    """How many cells broke which rule, and how many are noted, by column (none for whole rows) and rule."""

    broken: Counter[tuple[str | None, str]] = field(default_factory=Counter)
    noted: Counter[tuple[str | None, str]] = field(default_factory=Counter)


class Checker:
    """Checks the blocks of one file under one contract.

    Args:
        columns: The contract's columns.
        heading: Where they stand in the file.
        pilot: The area whose rows are imported; none for all.
        around: What reading a cell depends on.
    """

    def __init__(
        self, columns: Sequence[ColumnFacts], heading: Heading, pilot: Pilot | None, around: Circumstances
    ) -> None:
        self.tally = Tally()
        self._columns = [each for each in columns if each.name in heading.positions]
        self._places = heading.positions
        self._readers: dict[str, Reader] = {each.name: reader_of(each, around) for each in self._columns}
        self._plain = {each.name: plain_reader_of(each, around) for each in self._columns}
        self._pilot = pilot

    def check(self, block: Block) -> Checked:
        """Check the rows of a block."""
        inside, outside = self._split(block)
        read = [self._read(column, inside.cells[self._places[column.name]]) for column in self._columns]
        errors = [*(each for _, each in read), self._shapes(inside.misshapen)]
        bad = reduce(pc.or_, map(pc.is_valid, errors))
        accepted = pa.table(
            {column.name: values for column, (values, _) in zip(self._columns, read, strict=True)}
            | {NUMBERS: inside.numbers}
        )
        return Checked(accepted.filter(pc.invert(bad)), inside.kept(bad), _joined(errors, bad), outside)

    def require_one_order(self) -> None:
        """Refuse a file in one of whose columns some dates have the month first, while others could be either.

        Raises:
            InvalidInput: ``import-dates-unclear``.
        """
        for column in self._columns:
            if self.tally.broken[column.name, MONTH_FIRST] and self.tally.noted[column.name, DAY_FIRST]:
                raise InvalidInput("import-dates-unclear", column=f"{column.title} ({column.name})")

    def _split(self, block: Block) -> tuple[Block, Block]:
        """The rows inside and outside the pilot area; a row whose place cannot be read is inside, and told so."""
        if self._pilot is None or self._pilot.column not in self._places:
            return block, block.kept(pa.array([False] * len(block.numbers), pa.bool_()))
        texts = block.cells[self._places[self._pilot.column]].fill_null("").dictionary_encode()
        reader, codes = self._readers[self._pilot.column], set(self._pilot.codes)
        reads = [reader(text) for text in texts.dictionary.to_pylist()]
        inside = pa.array([read.rule is not None or read.value in codes for read in reads], pa.bool_())
        mask = inside.take(texts.indices)
        outside = block.kept(pc.invert(mask))
        self._count(self.tally.broken, self._pilot.column, {OUTSIDE_PILOT: len(outside.numbers)})
        return block.kept(mask), outside

    def _read(self, column: ColumnFacts, cells: pa.Array) -> tuple[pa.Array, pa.Array]:
        """The values of a column, and for each row what is wrong with its cell, none if nothing is."""
        texts = cells.fill_null("").dictionary_encode()
        plainly = self._read_plainly(column, texts.dictionary)
        other = pc.invert(plainly.known)
        reader = self._readers[column.name]
        reads: list[Read] = [reader(text) for text in texts.dictionary.filter(other).to_pylist()]
        times = np.bincount(texts.indices.to_numpy(zero_copy_only=False), minlength=len(texts.dictionary))
        for read, often in zip(reads, times[other.to_numpy(zero_copy_only=False)].tolist(), strict=True):
            if read.rule is not None:
                self.tally.broken[column.name, read.rule] += often
            elif read.note is not None:
                self.tally.noted[column.name, read.note] += often
        values = pa.array([read.value for read in reads], ARROW_TYPES[column.type])
        errors = pa.array([None if read.rule is None else told(read.rule, column) for read in reads], pa.string())
        return (
            pc.replace_with_mask(plainly.values, other, values).take(texts.indices),
            pc.replace_with_mask(pa.nulls(len(other), pa.string()), other, errors).take(texts.indices),
        )

    def _read_plainly(self, column: ColumnFacts, texts: pa.Array) -> Plainly:
        reader = self._plain[column.name]
        if reader is None:
            nothing = pa.array(np.zeros(len(texts), dtype=bool))
            return Plainly(nothing, pa.nulls(len(texts), ARROW_TYPES[column.type]))
        return reader(texts)

    def _shapes(self, misshapen: pa.Array) -> pa.Array:
        odd = misshapen.to_pylist() if misshapen.null_count < len(misshapen) else []
        self._count(self.tally.broken, None, {ROW_SHAPE: sum(each is not None for each in odd)})
        if not odd:
            return pa.nulls(len(misshapen), pa.string())
        says = [None if each is None else f"{told(ROW_SHAPE)}{f' : {each}' if each else ''}" for each in odd]
        return pa.array(says, pa.string())

    @staticmethod
    def _count(tally: Counter[tuple[str | None, str]], column: str | None, counts: Mapping[str, int]) -> None:
        for rule, times in counts.items():
            if times:
                tally[column, rule] += times


def _joined(errors: Sequence[pa.Array], bad: pa.Array) -> pa.Array:
    """What is wrong with each bad row. Arrow leaves out rows in which nothing is to be joined, so these go first."""
    some = [each.filter(bad) for each in errors]
    return pc.binary_join_element_wise(*some, BETWEEN_ERRORS, null_handling="skip")
