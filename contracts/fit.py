"""Does a question fit the contracts that it is put to?"""

from collections.abc import Sequence
from datetime import date

from contracts.dataset import DatasetContract
from contracts.errors import InvalidInput
from contracts.grid import MAX_CELLS, Grid, grid_of, key_set
from contracts.measures import Kind, measure_of
from contracts.query import Query


def check_question(query: Query, contracts: Sequence[DatasetContract], closed_until: date) -> Grid:
    """Check a question against each of its contracts and give the cells of its answer.

    Args:
        query: The question.
        contracts: At least one; several must offer the same shape, each of another source.
        closed_until: The first Bangkok day that is not closed yet.

    Raises:
        InvalidInput: Naming the measure, dimension, filter or period that does not fit; ``source-asked-twice`` when two
            contracts are about one physical source, in which the same person would be counted, and answered for, twice.
    """
    _check_sources(contracts)
    for contract in contracts:
        _check_names(query, contract)
        _check_filters(query, contract)
        _check_period(query, contract, closed_until)
    grids = [grid_of(query, contract) for contract in contracts]
    _check_bins(query, contracts[0], grids[0])
    for contract, grid in zip(contracts[1:], grids[1:], strict=True):
        if grid != grids[0] or _measured(query, contract) != _measured(query, contracts[0]):
            raise InvalidInput("contracts-differ", where=contract.id)
    return grids[0]


def _check_sources(contracts: Sequence[DatasetContract]) -> None:
    seen: set[str] = set()
    for contract in contracts:
        if contract.source in seen:
            raise InvalidInput("source-asked-twice", contract=contract.id, source=contract.source)
        seen.add(contract.source)


def _check_names(query: Query, contract: DatasetContract) -> None:
    for measure in query.measures:
        if not contract.offers(measure):
            raise InvalidInput(
                "unknown-measure", contract=contract.id, measure=measure, choices=", ".join(contract.measures)
            )
    for name in (*query.dimensions, *query.where):
        if contract.dimension(name) is None:
            choices = ", ".join(each.name for each in contract.dimensions)
            raise InvalidInput("unknown-dimension", contract=contract.id, dimension=name, choices=choices)
    asked = len(set(query.dimensions) | set(query.where))
    if asked > contract.max_dimensions:
        raise InvalidInput("too-many-dimensions", contract=contract.id, asked=asked, allowed=contract.max_dimensions)


def _check_filters(query: Query, contract: DatasetContract) -> None:
    for name, wanted in query.where.items():
        dimension = contract.dimension(name)
        if dimension is None or not set(wanted) <= set(key_set(dimension, query)):
            raise InvalidInput("unknown-filter-value", contract=contract.id, dimension=name)


def _check_period(query: Query, contract: DatasetContract, closed_until: date) -> None:
    months = query.period.months()
    if not query.period.is_whole_months:
        raise InvalidInput("period-not-whole-months")
    if months[0] < contract.first_month or months[-1] > contract.last_month:
        raise InvalidInput(
            "period-outside-contract", contract=contract.id, first=contract.first_month, last=contract.last_month
        )
    if query.period.until > closed_until:
        raise InvalidInput("period-not-closed", closed=closed_until)


def closed_until(today: date) -> date:
    """The first Bangkok day that is not closed: a month is closed when it has ended."""
    return today.replace(day=1)


def _check_bins(query: Query, contract: DatasetContract, grid: Grid) -> None:
    """A histogram has as many figures as cells and bins together; these have the limit of the cells."""
    columns = (measure_of(name).column for name in query.base_measures if measure_of(name).kind is Kind.HISTOGRAM)
    measured = (contract.measure_column(name) for name in columns)
    figures = max((grid.size * (len(each.bins) + 1) for each in measured if each), default=0)
    if figures > MAX_CELLS:
        raise InvalidInput("too-many-cells", cells=figures, limit=MAX_CELLS)


def _measured(query: Query, contract: DatasetContract) -> tuple[object, ...]:
    columns = sorted({column for name in query.measures for column in measure_of(name).columns})
    return tuple(contract.measure_column(column) for column in columns)
