"""Which clamp holds for which row of a measure column, and how large a row's amount can be in a question.

The connector clamps each row by its own code's clamp, where the contract gives one, else by the common clamp. The
sensitivity of a sum may then be taken from the codes that a question asks for: a question about small amounts gets the
small error that belongs to them.
"""

from contracts.code_lists import derivation
from contracts.dataset import DatasetContract, Dimension, MeasureColumn
from contracts.errors import InvalidInput
from contracts.query import Query


def clamping_dimension(contract: DatasetContract, measured: MeasureColumn) -> Dimension | None:
    """The dimension whose label decides a row's clamp: that of the column ``clamp_by`` itself, not led on by ``via``.

    None when the column has one clamp for all rows.

    Raises:
        InvalidInput: ``clamp-without-codes``, when the contract offers no such dimension with all the clamps' codes. A
            contract that was read from its document never does.
    """
    if not measured.clamps:
        return None
    for each in contract.dimensions:
        if each.column == measured.clamp_by and each.via is None and set(measured.clamps) <= set(each.values):
            return each
    raise InvalidInput("clamp-without-codes", contract=contract.id, column=measured.column)


def largest_amount(contract: DatasetContract, measured: MeasureColumn, query: Query) -> int:
    """The largest amount, either way, that one row can add to a cell of the question; whole units, at least 1.

    Every row has a label of the clamping dimension, or none when its list has no code for the rest. The labels that a
    row can have in the question are those of its filter on that very dimension, else all of them. A row without a label
    is in no cell of a question that filters or groups by the dimension; in any other it counts, with the common clamp.
    """
    dimension = clamping_dimension(contract, measured)
    if dimension is None:
        return _size(measured.clamp)
    asked = query.where.get(dimension.name)
    clamps = [measured.clamps.get(code, measured.clamp) for code in (dimension.values if asked is None else asked)]
    if asked is None and dimension.name not in query.dimensions and not _labels_every_row(dimension):
        clamps.append(measured.clamp)
    return max(_size(each) for each in clamps)


def _labels_every_row(dimension: Dimension) -> bool:
    derived = derivation(dimension)
    return derived is not None and derived.otherwise is not None


def _size(clamp: tuple[int, int]) -> int:
    return max(1, abs(clamp[0]), abs(clamp[1]))
