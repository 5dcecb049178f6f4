"""Would an answer be more than noise? From the planned error and from releases of the past, never from the data."""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from contracts.cell_errors import bin_labels
from contracts.dataset import DatasetContract, Dimension, Grain
from contracts.errors import InvalidInput
from contracts.grid import Axis, grid_of, key_set
from contracts.measures import Kind, measure_of
from contracts.query import Query
from contracts.release import ReleaseBody
from contracts.rollup import coarser, parent, rolls_up
from contracts.views import Remedy, Suggestion
from privacy.consistency import expected_table_sigmas
from privacy.layout import bins_of, layout_of
from privacy.plan import Z_95, Plan, plan

Floats = npt.NDArray[np.float64]
TIME: Final = (Grain.YEAR, Grain.MONTH, Grain.WEEK)

HALF: Final = 0.5
"""A cell whose error exceeds half its expected size says little."""

MOSTLY_NOISE, GOOD, VERY_GOOD = 0.5, 0.25, 0.05
"""Shares of such cells: above the first something else is proposed, below the second a proposal is good enough, below
the third a cheaper price is tried."""

LONGEST_SEARCH: Final = 20


class Limits(NamedTuple):
    """What a proposal must keep within: the agreed dimensions, and the most that may be charged to each window."""

    dimensions: frozenset[str]
    nano_rho: int


def expected_errors(query: Query, contract: DatasetContract, terms: Plan) -> dict[tuple[str, tuple[str, ...]], float]:
    """The largest half-width of a cell's 95 % interval for each vector: of a family, once its tables agree."""
    if query.family is None:
        return {(each.measure, each.by): each.error_95 for each in terms.vectors}
    return {name: Z_95 * sigma for name, sigma in expected_table_sigmas(query, contract, terms).items()}


def noisy_share(
    query: Query, contract: DatasetContract, measure: str, by: Sequence[str], error: float, past: ReleaseBody
) -> float | None:
    """The share of a table's cells whose error exceeds half the size that a past release lets expect.

    None if that is unknown.
    """
    sizes = expected_cells(query, contract, measure, by, past)
    return None if sizes is None else float(np.mean(error > HALF * sizes))


def expected_cells(
    query: Query, contract: DatasetContract, measure: str, by: Sequence[str], past: ReleaseBody
) -> Floats | None:
    """The size that each cell of a table may be expected to have, in the table's order, from one past release.

    A histogram's bins run fastest.
    Time is brought to an average month and multiplied by the months of a cell. What the release does not tell apart is
    spread evenly. None if the release lacks the measure, has it in other bins, or was asked with a filter that the
    question has not.
    """
    released = next((each for each in past.released if each.measure == measure), None)
    narrower = any(query.where.get(name) != codes for name, codes in past.query.where.items())
    edges = bins_of(measure, contract)
    if released is None or released.bins != edges or narrower or query.counter:
        return None
    # The bins are one more axis, without a name: no dimension can be taken for it.
    bins = (Axis.model_construct(name="", values=bin_labels(edges)),) if edges else ()
    held = (*past.grid.axes, *bins)
    figures = np.asarray(released.cells, dtype=np.float64).reshape([len(axis.values) for axis in held])
    monthly, axes = _a_month(figures, held, past, contract)
    table = (*layout_of(query, contract, grid_of(query, contract), by).grid.axes, *bins)
    asked = [axis for axis in table if not _is_time(contract, axis.name)]
    sizes = _arranged(monthly, axes, asked, query, contract)
    return np.maximum(0.0, _over_time(sizes, asked, table, query, contract)).ravel()


def suggestion(
    query: Query,
    contracts: Sequence[DatasetContract],
    nano_rho: int,
    limits: Limits,
    past: ReleaseBody,
) -> Suggestion | None:
    """What to ask instead: something coarser or dearer when the answer would be noise, cheaper when it is very good.

    Args:
        query: A question that fits its contracts, without a family: a family's weights are agreed.
        contracts: Its contracts.
        nano_rho: Its price.
        limits: What a proposal must keep within.
        past: A release that tells the sizes to expect.

    Returns:
        Nothing when the question is as good as it is, or nothing is known of its size.
    """
    share = _worst(query, contracts, nano_rho, past)
    if share is None:
        return None
    if share > MOSTLY_NOISE:
        return _coarser(query, contracts, nano_rho, limits, past) or _dearer(query, contracts, nano_rho, limits, past)
    return _cheaper(query, contracts, nano_rho, past) if share <= VERY_GOOD else None


def _worst(query: Query, contracts: Sequence[DatasetContract], nano_rho: int, past: ReleaseBody) -> float | None:
    """Of the measure with most noise; bins that only a quantile is read from may be noise, and it be good."""
    terms = plan(query, contracts, nano_rho)
    judged = [each for each in terms.vectors if each.measure in query.measures or not _is_histogram(each.measure)]
    shares = [noisy_share(query, contracts[0], each.measure, each.by, each.error_95, past) for each in judged]
    known = [share for share in shares if share is not None]
    return max(known) if known else None


def _is_histogram(measure: str) -> bool:
    return measure_of(measure).kind is Kind.HISTOGRAM


def _coarser(
    query: Query, contracts: Sequence[DatasetContract], nano_rho: int, limits: Limits, past: ReleaseBody
) -> Suggestion | None:
    """The proposal with the fewest cells of noise; of those that are good enough the one with the most cells."""
    found: list[tuple[float, int, Query]] = []
    for each in _coarser_forms(query, contracts[0], limits):
        share = _worst(each, contracts, nano_rho, past)
        if share is not None and share < MOSTLY_NOISE:
            found.append((max(share, GOOD), -grid_of(each, contracts[0]).size, each))
    if not found:
        return None
    best = min(found, key=lambda each: each[:2])[2]
    left = _worst(best, contracts, nano_rho, past)
    return Suggestion(remedy=Remedy.COARSER, dimensions=best.dimensions, nano_rho=nano_rho, noisy_share=left or 0.0)


def _coarser_forms(query: Query, contract: DatasetContract, limits: Limits) -> list[Query]:
    """The question with one dimension led on to a coarser one, or left out; then with two."""
    once = list(_one_step(query, contract, limits))
    return once + [each for first in once for each in _one_step(first, contract, limits)]


def _one_step(query: Query, contract: DatasetContract, limits: Limits) -> list[Query]:
    forms = []
    for place, name in enumerate(query.dimensions):
        dimension, others = contract.dimension(name), query.dimensions[:place] + query.dimensions[place + 1 :]
        wider = () if dimension is None else coarser(contract, dimension)
        names = [each.name for each in wider if each.name in limits.dimensions and each.name not in others]
        forms += [(*query.dimensions[:place], each, *query.dimensions[place + 1 :]) for each in names]
        forms.append(others)
    return [query.model_copy(update={"dimensions": dimensions}) for dimensions in forms]


def _dearer(
    query: Query, contracts: Sequence[DatasetContract], nano_rho: int, limits: Limits, past: ReleaseBody
) -> Suggestion:
    price = nano_rho
    for _ in range(LONGEST_SEARCH):
        price = min(price * 2, limits.nano_rho)
        share = _worst(query, contracts, price, past) if price > nano_rho else None
        if share is not None and share <= MOSTLY_NOISE:
            return Suggestion(remedy=Remedy.DEARER, dimensions=query.dimensions, nano_rho=price, noisy_share=share)
        if price >= limits.nano_rho:
            break
    return Suggestion(remedy=Remedy.NONE, dimensions=query.dimensions, nano_rho=nano_rho, noisy_share=1.0)


def _cheaper(query: Query, contracts: Sequence[DatasetContract], nano_rho: int, past: ReleaseBody) -> Suggestion | None:
    price, best = nano_rho, None
    for _ in range(LONGEST_SEARCH):
        price //= 2
        try:
            share = _worst(query, contracts, price, past)
        except InvalidInput:
            break
        if share is None or share > VERY_GOOD:
            break
        best = Suggestion(remedy=Remedy.CHEAPER, dimensions=query.dimensions, nano_rho=price, noisy_share=share)
    return best


def _is_time(contract: DatasetContract, name: str) -> bool:
    dimension = contract.dimension(name)
    return dimension is not None and dimension.grain in TIME and dimension.column == contract.event_time


def _a_month(
    figures: Floats, axes: Sequence[Axis], past: ReleaseBody, contract: DatasetContract
) -> tuple[Floats, list[Axis]]:
    """A release's figures in an average month, and their axes but for time."""
    months = len(past.query.period.months())
    kept = []
    for place in range(figures.ndim - 1, -1, -1):
        if _is_time(contract, axes[place].name):
            figures = figures.sum(axis=place)
        else:
            kept.append(axes[place])
    return figures / months, kept[::-1]


def _arranged(
    figures: Floats, axes: list[Axis], asked: Sequence[Axis], query: Query, contract: DatasetContract
) -> Floats:
    """The figures with the asked axes in their order: axes that were not asked added up, unknown ones spread evenly."""
    source: list[int | None] = []
    for axis in asked:
        found = (n for n, each in enumerate(axes) if n not in source and _leads(contract, each.name, axis.name))
        place = next(found, None)
        source.append(place)
        if place is not None:
            figures = _relabelled(figures, place, axes[place], axis, contract)
    for place in sorted(set(range(len(axes))) - {each for each in source if each is not None}, reverse=True):
        figures = _restricted(figures, place, axes[place], query).sum(axis=place)
    known = [place for place in source if place is not None]
    figures = np.transpose(figures, np.argsort(np.argsort(known))) if known else figures
    for place, axis in enumerate(asked):
        if source[place] is None:
            figures = np.stack([figures / _labels(contract, axis.name, query)] * len(axis.values), axis=place)
    spread = [name for name in query.where if name not in {axis.name for axis in (*axes, *asked)}]
    part = math.prod(len(query.where[name]) / _labels(contract, name, query) for name in spread)
    return figures * part


def _leads(contract: DatasetContract, fine: str, coarse: str) -> bool:
    first, second = contract.dimension(fine), contract.dimension(coarse)
    return fine == coarse or (first is not None and second is not None and rolls_up(first, second))


def _relabelled(figures: Floats, place: int, axis: Axis, asked: Axis, contract: DatasetContract) -> Floats:
    fine, coarse = contract.dimension(axis.name), contract.dimension(asked.name)
    found = np.zeros([len(asked.values) if n == place else size for n, size in enumerate(figures.shape)])
    number = {label: n for n, label in enumerate(asked.values)}
    for n, label in enumerate(axis.values):
        to = label if axis.name == asked.name else _parent(fine, coarse, label)
        if to in number:
            index = [slice(None)] * figures.ndim
            index[place] = slice(number[to], number[to] + 1)
            found[tuple(index)] += np.take(figures, [n], axis=place)
    return found


def _parent(fine: Dimension | None, coarse: Dimension | None, label: str) -> str | None:
    return None if fine is None or coarse is None else parent(fine, coarse, label)


def _restricted(figures: Floats, place: int, axis: Axis, query: Query) -> Floats:
    """Only the labels that the question's filter leaves."""
    wanted = query.where.get(axis.name)
    if wanted is None:
        return figures
    return np.take(figures, [n for n, label in enumerate(axis.values) if label in wanted], axis=place)


def _labels(contract: DatasetContract, name: str, query: Query) -> int:
    dimension = contract.dimension(name)
    return 1 if dimension is None else max(1, len(key_set(dimension, query)))


def _over_time(
    sizes: Floats, asked: Sequence[Axis], table: Sequence[Axis], query: Query, contract: DatasetContract
) -> Floats:
    """Sizes of a month as sizes of the table's cells, its time axes among the others."""
    months = query.period.months()
    result = sizes
    timed = [axis for axis in table if _is_time(contract, axis.name)]
    if not timed:
        return result * len(months)
    for place, axis in enumerate(table):
        if axis not in asked:
            in_cell = [1.0 if axis.values == months else len(months) / len(axis.values)] * len(axis.values)
            result = np.stack([result * each for each in in_cell], axis=place)
    return result
