"""How good an answer will be, before it is asked: the engine's own terms, applied to the figures that are expected.

Noise comes from ``privacy.plan``, what consistency gains from ``privacy.consistency``, and means, ratios, shares and
quantiles with their errors from ``privacy.derived``, as for a release: a preview that computed them again could drift.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from contracts.budget_plan import PlannedLine, Verdict
from contracts.cell_errors import cell_sigmas
from contracts.dataset import DatasetContract
from contracts.errors import InvalidInput
from contracts.grid import Grid, grid_of
from contracts.measures import BASE_KINDS, HISTOGRAM, measure_of
from contracts.query import Query
from contracts.release import Derived, Released
from contracts.standing_questions import ExpectedSize
from privacy.consistency import expected_table_sigmas
from privacy.derived import derived_of
from privacy.expected_figures import DAYS, assumed_even, expected_figures
from privacy.layout import Layout, bins_of, layout_of
from privacy.plan import Z_95, Plan, PlannedVector, plan, tables_of

Floats = npt.NDArray[np.float64]

USELESS: Final = 0.5
"""A 95 % error of more than this part of a figure: not even its order of size is known."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that fits its contract, and what is known of the dataset's size."""

    query: Query
    contract: DatasetContract
    size: ExpectedSize
    target: float

    @property
    def grid(self) -> Grid:
        """The question's own cells; of a daily counter one day, which stands for every day."""
        return Grid(axes=()) if self.query.counter else grid_of(self.query, self.contract)


@dataclass(frozen=True, slots=True)
class Figures:
    """A base measure over one table: the expected figure and the standard deviation of the noise of each cell."""

    vector: PlannedVector
    expected: Floats
    sigmas: Floats


@dataclass(frozen=True, slots=True)
class Table:
    """One table of an answer with its base measures."""

    layout: Layout
    figures: Mapping[str, Figures]


def expected_lines(asked: Asked, nano_rho: int) -> tuple[PlannedLine, ...]:
    """The error of every measure of every table, the table of all dimensions last.

    Args:
        asked: The question.
        nano_rho: Its price in each window.

    Raises:
        InvalidInput: The price is too small, or a size is missing.
    """
    terms = plan(asked.query, [asked.contract], nano_rho)
    whole = _table(asked, terms, asked.query.dimensions)
    coarser = [_table(asked, terms, table.by) for table in tables_of(asked.query) if _is_coarser(asked, table.by)]
    lines = [line for table in coarser for line in _base_lines(asked, table, asked.query.base_measures)]
    return (*lines, *_all_lines(asked, whole, asked.query.measures))


def reused_lines(asked: Asked, nano_rho: int, by: Sequence[str], measures: Sequence[str]) -> tuple[PlannedLine, ...]:
    """The error of figures that are read from the release of ``asked`` at that price, added up to the axes ``by``.

    Raises:
        InvalidInput: ``unknown-measure`` or ``family-axis-unknown``: the release does not hold these figures.
    """
    needed = {base for name in measures for base in measure_of(name).base}
    if not needed <= set(asked.query.base_measures):
        choices = ", ".join(asked.query.base_measures)
        lacking = ", ".join(sorted(needed - set(asked.query.base_measures)))
        raise InvalidInput("unknown-measure", contract=asked.contract.id, measure=lacking, choices=choices)
    terms = plan(asked.query, [asked.contract], nano_rho)
    return _all_lines(asked, _table(asked, terms, tuple(by)), measures)


def _is_coarser(asked: Asked, by: Sequence[str]) -> bool:
    return sorted(by) != sorted(asked.query.dimensions)


def _table(asked: Asked, terms: Plan, by: tuple[str, ...]) -> Table:
    """One table, of the question or added up from what it releases."""
    layout = layout_of(asked.query, asked.contract, asked.grid, by)
    figures = {}
    for measure in asked.query.base_measures:
        leaves = expected_figures(asked.query, asked.contract, asked.size, asked.grid, measure)
        bins = len(bins_of(measure, asked.contract)) + 1
        expected = np.stack([_added_up(leaves[b::bins], layout) for b in range(bins)], axis=-1).ravel()
        vector, sigmas = _noise(asked, terms, layout, measure)
        figures[measure] = Figures(vector, expected, np.repeat(sigmas, bins))
    return Table(layout, figures)


def _added_up(leaves: Floats, layout: Layout) -> Floats:
    return np.bincount(layout.places, weights=leaves, minlength=layout.grid.size).astype(np.float64)


def _noise(asked: Asked, terms: Plan, layout: Layout, measure: str) -> tuple[PlannedVector, Floats]:
    """The vector that a table's figures come from, and the standard deviation of each of its cells.

    A table of a family has what consistency leaves. Any other is added up from the table that makes it best; the
    estimates from all tables together are no worse (Gauss-Markov).
    """
    if asked.query.family is None:
        vector = terms.vector(measure, asked.query.dimensions)
        return vector, np.sqrt(_added_up(_leaf_sigmas(vector, asked.grid) ** 2, layout))
    consistent = expected_table_sigmas(asked.query, asked.contract, terms)
    key = (measure, tuple(sorted(layout.by)))
    if key in consistent:
        return terms.vector(*key), np.full(layout.grid.size, consistent[key])
    vectors = [terms.vector(measure, table.by) for table in tables_of(asked.query)]
    sources = [(layout_of(asked.query, asked.contract, asked.grid, each.by), each) for each in vectors]
    made = [(each.sigma * math.sqrt(pooled), each) for source, each in sources if (pooled := _pooled(source, layout))]
    sigma, vector = min(made, key=lambda each: each[0])
    return vector, np.full(layout.grid.size, sigma)


def _pooled(source: Layout, layout: Layout) -> int:
    """How many cells of ``source`` make up one cell of ``layout``, at most; 0 when they do not add up to it."""
    pairs = np.unique(np.stack([source.places, layout.places]), axis=1)
    return int(np.bincount(pairs[1]).max()) if pairs.shape[1] == source.grid.size else 0


def _leaf_sigmas(vector: PlannedVector, grid: Grid) -> Floats:
    """The standard deviation in every cell of the question's own grid."""
    alike = _released(vector, np.zeros(grid.size), vector.sigma, vector.sigmas, vector.along)
    return np.asarray(cell_sigmas(alike, grid))


def _all_lines(asked: Asked, table: Table, measures: Sequence[str]) -> tuple[PlannedLine, ...]:
    derived = [name for name in measures if measure_of(name).kind not in BASE_KINDS]
    base = [name for name in measures if name not in derived]
    return (*_base_lines(asked, table, base), *(_derived_lines(asked, table, derived) if derived else ()))


def _base_lines(asked: Asked, table: Table, measures: Sequence[str]) -> list[PlannedLine]:
    lines = []
    for name in measures:
        figures = table.figures[name]
        errors = Z_95 * figures.sigmas
        judged = _Judged(figures.expected, errors, figures.expected > 0, float(errors.max()))
        lines.append(_line(asked, table, name, figures.vector.unit, judged))
    return lines


def _derived_lines(asked: Asked, table: Table, measures: Sequence[str]) -> list[PlannedLine]:
    """Lines of what follows from the figures, as ``privacy.derived`` makes it of a release of the expected figures."""
    grid = table.layout.grid
    released = [_expected_release(name, each, grid, asked.contract) for name, each in table.figures.items()]
    query = asked.query.model_copy(update={"measures": tuple(measures), "dimensions": table.layout.by})
    found = {each.measure: each for each in derived_of(released, grid, query, asked.contract)}
    lines = []
    for name in measures:
        if name not in found:
            raise InvalidInput("unknown-measure", contract=asked.contract.id, measure=name, choices=", ".join(found))
        cells, errors = _numbers(found[name])
        present = _present(table.figures[measure_of(name).base[0]], grid)
        meant = errors[present & np.isfinite(errors)]
        typical = float(np.median(meant)) if len(meant) else math.inf
        lines.append(_line(asked, table, name, found[name].unit, _Judged(cells, errors, present, typical)))
    return lines


def _present(figures: Figures, grid: Grid) -> npt.NDArray[np.bool_]:
    """The cells of the grid in which rows are expected at all."""
    return np.asarray(figures.expected.reshape(grid.size, -1).sum(axis=1) > 0)


def _numbers(derived: Derived) -> tuple[Floats, Floats]:
    """Figures and errors; a figure without meaning is 0 with an endless error."""
    cells = [0.0 if each is None else each for each in derived.cells]
    errors = [math.inf if each is None else each for each in derived.errors_95]
    return np.asarray(cells, dtype=np.float64), np.asarray(errors, dtype=np.float64)


def _expected_release(name: str, figures: Figures, grid: Grid, contract: DatasetContract) -> Released:
    """A release that happened to be without noise."""
    vector, along = figures.vector, figures.vector.along
    axes = {axis.name: axis for axis in grid.axes}
    sigmas: dict[str, float] = {}
    if along in axes:
        shaped = figures.sigmas.reshape([len(axis.values) for axis in grid.axes])
        others = tuple(number for number, axis in enumerate(grid.axes) if axis.name != along)
        by_label = shaped.max(axis=others) if others else shaped
        sigmas = {label: float(sigma) for label, sigma in zip(axes[along].values, by_label, strict=True)}
    largest = float(figures.sigmas.max())
    bins = bins_of(name, contract) if name.endswith(HISTOGRAM) else ()
    return _released(vector, figures.expected, largest, sigmas, along if along in axes else None, bins)


def _released(
    vector: PlannedVector,
    cells: Floats,
    sigma: float,
    sigmas: Mapping[str, float],
    along: str | None,
    bins: tuple[int, ...] = (),
) -> Released:
    return Released(
        measure=vector.measure,
        unit=vector.unit,
        cells=tuple(round(float(cell)) for cell in cells),
        sigma=sigma,
        expected_error_95=Z_95 * sigma,
        along=along,
        sigmas=dict(sigmas),
        bins=bins,
    )


@dataclass(frozen=True, slots=True)
class _Judged:
    """Figures, each with its error; which of them are expected to be there at all; the error that stands for all."""

    cells: Floats
    errors: Floats
    present: npt.NDArray[np.bool_]
    shown: float


def _line(asked: Asked, table: Table, measure: str, unit: str, judged: _Judged) -> PlannedLine:
    cells, errors = np.abs(judged.cells[judged.present]), judged.errors[judged.present]
    relative = np.divide(errors, cells, out=np.full(len(cells), np.inf), where=cells > 0)
    typical = float(np.median(relative)) if len(relative) else math.inf
    known = cells[np.isfinite(errors)]
    return PlannedLine(
        measure=measure,
        by=table.layout.by,
        unit=unit,
        cells=DAYS if asked.query.counter else len(judged.cells),
        expected_cell=float(np.median(known)) if len(known) else None,
        error_95=judged.shown if math.isfinite(judged.shown) else None,
        relative_error=typical if math.isfinite(typical) else None,
        noisy_cells=float(np.mean(relative > USELESS)) if len(relative) else 1.0,
        assumed_even=assumed_even(asked.contract, asked.size, table.layout.by),
        verdict=judge(typical, asked.target),
    )


def judge(relative_error: float, target: float) -> Verdict:
    """The verdict on a typical figure with that error, as a part of the figure."""
    if relative_error > USELESS:
        return Verdict.UNANSWERED
    return Verdict.ANSWERED if relative_error <= target else Verdict.COARSE
