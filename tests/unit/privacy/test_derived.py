"""Means, ratios, shares and quantiles from released figures: worked by hand, and honest under the real noise."""

import math
from collections.abc import Sequence

import numpy as np
import pytest

from contracts.cell_errors import bin_labels, cell_errors_95, cell_sigmas
from contracts.dataset import DatasetContract
from contracts.grid import Grid, grid_of
from contracts.query import Query
from contracts.release import Derived, Released
from privacy.derived import derived_of
from privacy.mechanisms import draw_gaussian, draw_laplace, laplace_error_95, laplace_sigma
from privacy.plan import Z_95, plan
from tests import factories as make

pytestmark = pytest.mark.unit

BINS = (10, 20, 30)
"""With the clamp 0..100: 0-9, 10-19, 20-29, 30-100."""

QUANTILES = ("sum", "mean", "histogram", "median", "p10", "p25", "p75", "p90")
DRAWS = 4_000
FALSE_ALARM = 5.0
"""So many standard deviations of a coverage that is 95 % at least: less than one false alarm in three million."""


def offering(**changes: object) -> DatasetContract:
    """A contract with one column of quantiles and two of which one is divided by the other."""
    return make.contract(
        measure_columns=(
            make.damage(kinds=QUANTILES, clamp=(0, 100), bins=BINS, **changes),
            make.damage(column="frozen", kinds=("sum",), per=("asked",)),
            make.damage(column="asked", kinds=("sum",)),
        )
    )


def released(measure: str, cells: Sequence[int], sigma: float, **changes: object) -> Released:
    fields = {"measure": measure, "unit": "case", "cells": tuple(cells), "sigma": sigma, **changes}
    return Released.model_validate({"expected_error_95": Z_95 * sigma, **fields})


def asked(measure: str, dimensions: tuple[str, ...] = ()) -> Query:
    return make.query(measures=(measure,), dimensions=dimensions)


def derived(
    measure: str, figures: Sequence[Released], dimensions: tuple[str, ...] = (), contract: DatasetContract | None = None
) -> Derived:
    offered, query = contract or offering(), asked(measure, dimensions)
    found = derived_of(figures, grid_of(query, offered), query, offered)
    return next(each for each in found if each.measure == measure)


def median_of(counts: Sequence[int], sigma: float, name: str = "median") -> Derived:
    histogram = released("damage_thb:histogram", counts, sigma, bins=BINS)
    return derived(f"damage_thb:{name}", [histogram])


# ------------------------------------------------------------ quotients, by hand


def test_a_ratio_and_its_error_are_those_of_fieller() -> None:
    ratio = derived("frozen:per:asked", [released("frozen:sum", [300], 10), released("asked:sum", [1000], 20)])

    # g = (z s_b / b)^2 = 0.0015366; centre 0.3 / (1 - g), half z / b sqrt(100 (1 - g) + 0.09 * 400) / (1 - g).
    g = (Z_95 * 20 / 1000) ** 2
    half = Z_95 / 1000 * math.sqrt(100 * (1 - g) + 0.09 * 400) / (1 - g)
    assert ratio.cells == (0.3,)
    assert ratio.errors_95 == (round(0.3 * g / (1 - g) + half, 4),)
    assert ratio.errors_95 == (0.0233,)
    assert ratio.unit == "1"


def test_a_mean_far_from_noise_has_the_error_of_the_delta_method() -> None:
    count, total = released("count", [10_000], 5), released("damage_thb:sum", [400_000], 500)

    mean = derived("damage_thb:mean", [count, total])

    assert mean.cells == (40.0,)
    assert mean.errors_95 == pytest.approx((Z_95 * math.hypot(500, 40 * 5) / 10_000,), rel=0.05)
    assert mean.unit == "THB"


def test_a_share_knows_that_its_own_noise_is_in_the_total() -> None:
    share = derived("case_type:share", [released("count", [600, 300, 100], 10)], ("case_type",))

    # Far from noise: sigma^2 ((1 - s)^2 + 2 s^2) / T^2.
    by_hand = [Z_95 * 10 * math.sqrt((1 - s) ** 2 + 2 * s**2) / 1000 for s in (0.6, 0.3, 0.1)]
    assert share.cells == (0.6, 0.3, 0.1)
    assert share.errors_95 == pytest.approx(by_hand, rel=0.02)


def test_shares_add_up_to_one_over_each_label_of_the_other_dimensions() -> None:
    cells = [10, 20, 70, 500, 250, 250, 0, 1000, 0]

    share = derived("case_type:share", [released("count", cells, 0.01)], ("province", "case_type"))

    assert share.cells == (0.1, 0.2, 0.7, 0.5, 0.25, 0.25, 0.0, 1.0, 0.0)


def test_a_share_of_a_dimension_that_is_no_axis_is_not_made() -> None:
    offered, query = offering(), asked("hour:share", ("province",))
    found = derived_of([released("count", [9, 9, 9], 0.1)], grid_of(query, offered), query, offered)
    assert [each.measure for each in found] == []


def test_what_is_divided_by_noise_has_no_meaning() -> None:
    over = released("frozen:sum", [1, 1, 1], 1)
    under = released("asked:sum", [25, 26, -400], 10)

    ratio = derived("frozen:per:asked", [over, under], ("province",))

    assert (ratio.cells[0], ratio.cells[2]) == (None, None)
    assert ratio.cells[1] is not None
    assert [error is None for error in ratio.errors_95] == [True, False, True]


def test_where_sums_carry_each_code_s_noise_a_mean_is_as_wrong_as_its_own_code() -> None:
    codes = {"romance_scam": 1000.0, "shopping_scam": 10.0, "call_center": 100.0}
    total = released("damage_thb:sum", [50_000] * 3, 1000, along="case_type", sigmas=codes)

    mean = derived("damage_thb:mean", [released("count", [10_000] * 3, 0.001), total], ("case_type",))

    assert mean.errors_95 == pytest.approx([0.2, 0.0, 0.02], abs=0.005)


# ------------------------------------------------------------ quantiles, by hand


def test_a_median_is_interpolated_in_its_bin_and_reaches_to_the_ends_of_the_bins_that_may_hold_it() -> None:
    median = median_of([100, 100, 200, 100], 0.001)

    # Half of 500 rows lie below the 50th of the 200 in 20..29: 20 + 9 * 50 / 200.
    assert median.cells == (22.25,)
    assert median.errors_95 == (29 - 22.25,)
    assert median.unit == "THB"


def test_an_uncertain_median_may_lie_in_the_next_bin() -> None:
    # 250 of 500 is met in 10-19 at 245..255; the distance at the edge 20 has the deviation sigma: 5 is inside 1.96 * 3.
    near, far = median_of([100, 155, 145, 100], 3), median_of([100, 155, 145, 100], 2)

    assert near.cells == far.cells == (round(10 + 9 * 150 / 155, 2),)
    assert near.errors_95 == pytest.approx((29 - 18.71,))
    assert far.errors_95 == pytest.approx((18.71 - 10,))


def test_quantiles_of_other_parts_are_found_in_the_same_histogram() -> None:
    counts = [100, 100, 200, 100]

    assert [median_of(counts, 0.001, name).cells[0] for name in ("p10", "p25", "p75", "p90")] == [
        4.5, 12.25, 27.88, 65.0,
    ]  # fmt: skip


def test_noise_that_makes_cumulated_counts_fall_does_not_make_a_quantile_jump() -> None:
    assert median_of([100, -30, 30, 100], 20).cells == pytest.approx((20,), abs=10)


def test_a_histogram_that_is_noise_has_no_median() -> None:
    assert median_of([3, -4, 5, 9], 3).cells == (None,)
    assert median_of([3, -4, 5, 9], 3).errors_95 == (None,)
    assert median_of([0, 0, 0, 0], 3).cells == (None,)


def test_each_cell_has_its_own_median() -> None:
    histogram = released("damage_thb:histogram", [90, 0, 0, 0, 0, 0, 0, 90, 0, 0, 0, 0], 0.5, bins=BINS)

    median = derived("damage_thb:median", [histogram], ("province",))

    assert median.cells == (4.5, 65.0, None)


def test_a_quantile_never_leaves_the_clamp() -> None:
    assert median_of([90, 0, 0, 0], 0.5, "p10").cells[0] == pytest.approx(0.9)
    assert median_of([0, 0, 0, 90], 0.5, "p90").cells[0] == pytest.approx(93.0)
    assert median_of([-90, 0, 0, 300], 0.5, "p90").cells[0] == pytest.approx(90, abs=10)


# ------------------------------------------------------------ honest under the real noise


def coverage_of(hits: int, draws: int) -> bool:
    """Whether so many hits are no evidence against 95 %."""
    return hits >= 0.95 * draws - FALSE_ALARM * math.sqrt(0.95 * 0.05 * draws)


def hits(found: Derived, truth: float) -> int:
    pairs = zip(found.cells, found.errors_95, strict=True)
    return sum(1 for cell, error in pairs if cell is None or error is None or abs(cell - truth) <= error + 0.01)


def wide(cells: int) -> tuple[DatasetContract, tuple[str, ...]]:
    """A contract whose grid has so many alike cells: one release is that many draws."""
    return (
        make.contract(
            dimensions=(make.dimension("area", [f"a{n}" for n in range(cells)]),),
            measure_columns=offering().measure_columns,
        ),
        ("area",),
    )


@pytest.mark.parametrize("total", [60, 150, 2000])
@pytest.mark.parametrize("draw", ["gaussian", "laplace"])
def test_quotients_hold_the_truth_at_least_95_times_in_100(total: int, draw: str) -> None:
    contract, by = wide(DRAWS)
    scale = 20.0
    drawn = draw_gaussian if draw == "gaussian" else draw_laplace
    sigma, error = (scale, Z_95 * scale) if draw == "gaussian" else (laplace_sigma(scale), laplace_error_95(scale))
    frozen, whole = (
        released(name, drawn([exact] * DRAWS, scale), sigma, expected_error_95=error)
        for name, exact in (("frozen:sum", total // 3), ("asked:sum", total))
    )

    ratio = derived("frozen:per:asked", [frozen, whole], by, contract)

    assert coverage_of(hits(ratio, (total // 3) / total), DRAWS)


@pytest.mark.parametrize(
    "counts", [(100, 100, 200, 100), (40, 30, 0, 10), (1000, 0, 0, 999), (5, 5, 5, 5), (0, 0, 300, 0), (250, 0, 0, 250)]
)
def test_quantiles_hold_the_truth_at_least_95_times_in_100(counts: tuple[int, ...]) -> None:
    contract, by = wide(DRAWS)
    sigma = 12.0
    noisy = draw_gaussian(list(counts) * DRAWS, sigma)
    histogram = released("damage_thb:histogram", noisy, sigma, bins=BINS)
    starts, ends = (0, 10, 20, 30), (9, 19, 29, 100)

    for name, part in (("p10", 0.1), ("median", 0.5), ("p90", 0.9)):
        found = derived(f"damage_thb:{name}", [histogram], by, contract)
        below = np.cumsum((0, *counts))
        # Rows may lie anywhere in the bin that the quantile falls into: both of its ends must be held.
        bin_of = next(k for k in range(4) if below[k] <= part * below[-1] <= below[k + 1] and counts[k])
        for truth in (starts[bin_of], ends[bin_of]):
            assert coverage_of(hits(found, truth), DRAWS), (name, truth)


def test_a_hundred_thousand_cells_of_quantiles_need_no_loop_over_cells() -> None:
    contract, by = wide(100_000)
    histogram = released("damage_thb:histogram", (100, 100, 200, 100) * 100_000, 0.001, bins=BINS)

    found = derived("damage_thb:median", [histogram], by, contract)

    assert set(found.cells) == {22.25}


# ------------------------------------------------------------ each code's own noise


def test_a_sum_by_type_of_case_has_noise_in_proportion_to_its_clamp_at_the_price_of_the_largest() -> None:
    clamps = {"romance_scam": (0, 100_000), "shopping_scam": (0, 1_000), "call_center": (-50_000, 10_000)}
    clamped = make.contract(measure_columns=(make.damage(clamp_by="case_type", clamps=clamps, clamp=(-50_000, 10**5)),))
    plain = make.contract(measure_columns=(make.damage(clamp=(-50_000, 10**5)),))
    query = asked("damage_thb:sum", ("case_type",))

    own, alike = (plan(query, [each], 10_000_000) for each in (clamped, plain))

    (vector,), (even,) = own.vectors, alike.vectors
    assert vector.along == "case_type"
    assert vector.sigmas["shopping_scam"] == pytest.approx(vector.sigmas["romance_scam"] / 100, rel=1e-6)
    assert vector.sigmas["call_center"] == pytest.approx(vector.sigmas["romance_scam"] / 2, rel=1e-6)
    assert vector.sigma == pytest.approx(even.sigma)
    assert own.charges[0].nano_rho == alike.charges[0].nano_rho


def test_each_figure_has_its_own_code_s_error_wherever_the_dimension_stands() -> None:
    codes = {"romance_scam": 1.0, "shopping_scam": 2.0, "call_center": 3.0}
    total = released("damage_thb:sum", [0] * 9, 3.0, along="case_type", sigmas=codes, expected_error_95=6.0)
    inner, outer = (_grid("province", "case_type"), _grid("case_type", "province"))

    assert cell_sigmas(total, inner) == (1.0, 2.0, 3.0) * 3
    assert cell_sigmas(total, outer) == (1.0,) * 3 + (2.0,) * 3 + (3.0,) * 3
    assert cell_errors_95(total, inner) == (2.0, 4.0, 6.0) * 3


def test_a_histogram_s_bins_have_one_error_and_names_that_part_them() -> None:
    histogram = released("damage_thb:histogram", [0] * 4, 3.0, bins=BINS)

    assert cell_errors_95(histogram, Grid(axes=())) == pytest.approx((Z_95 * 3,) * 4)
    assert bin_labels(BINS) == ("<10", "10-19", "20-29", ">=30")
    assert bin_labels((0, 1, 3)) == ("<0", "0", "1-2", ">=3")


def _grid(*dimensions: str) -> Grid:
    return grid_of(asked("count", dimensions), offering())
