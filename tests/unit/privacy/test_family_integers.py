"""Whole numbers that are not negative and add up."""

import numpy as np
import pytest

from privacy.families.axes import Axis, Floats, Level, roll_up_floats, shape_of
from privacy.families.family import consistent
from privacy.families.gls import Design, leaf_estimates
from privacy.families.integers import LARGEST_TOTAL, chain, whole_numbers
from privacy.families.nonnegative import nonnegative
from tests.family_trees import all_tables, months, provinces

pytestmark = pytest.mark.unit

ALL, GROUP, LEAF = Level.ALL, Level.GROUP, Level.LEAF
GROUPED = [Axis.of([1, 0, 1, 2, 1])]


@pytest.mark.parametrize(
    ("whole", "total"), [(-0.6, 0), (-1e300, 0), (0.4, 0), (0.6, 1), (2.5, 2), (3.5, 4), (1e300, 2**52)]
)
def test_the_whole_is_the_nearest_number_or_nothing(whole: float, total: int) -> None:
    assert whole_numbers(GROUPED, np.full(5, whole / 5), whole).sum() == total


@pytest.mark.parametrize("figure", [float("nan"), float("inf")])
def test_figures_are_finite(figure: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        whole_numbers(GROUPED, np.array([figure, 0, 0, 0, 0]), 0.0)
    with pytest.raises(ValueError, match="finite"):
        whole_numbers(GROUPED, np.zeros(5), figure)


def test_a_number_is_split_by_projection_and_ties_go_to_the_first() -> None:
    axes = [Axis.flat(4)]

    assert whole_numbers(axes, np.array([5.0, 5.0, 5.0, -9.0]), 17.0).tolist() == [6, 6, 5, 0]
    assert whole_numbers(axes, np.array([0.0, 0.0, 0.0, 0.0]), 2.0).tolist() == [1, 1, 0, 0]
    assert whole_numbers(axes, np.array([10.0, 1.0, 0.4, -4.0]), 7.0).tolist() == [7, 0, 0, 0]
    assert whole_numbers(axes, np.array([3.3, 2.3, 1.4, 0.0]), 7.0).tolist() == [3, 2, 2, 0]


def test_groups_are_split_before_their_leaves() -> None:
    """Group 1 has leaves 0, 2 and 4: its estimates add up to 3, so do its numbers."""
    estimates = np.array([1.3, 4.0, 0.3, 2.0, 1.4])

    numbers = whole_numbers(GROUPED, estimates, 9.0)

    assert numbers[[0, 2, 4]].sum() == 3
    assert numbers[[1, 3]].tolist() == [4, 2]


def test_estimates_far_beyond_their_total_lose_no_precision() -> None:
    assert whole_numbers([Axis.flat(3)], np.array([1e20, 1e20, -1e20]), 5.0).tolist() == [3, 2, 0]


def test_the_largest_totals_are_split_exactly() -> None:
    axes = [Axis.flat(999)]
    estimates = np.linspace(1, 2, 999) * 1e13 + 1 / 3

    numbers = whole_numbers(axes, estimates, float(LARGEST_TOTAL))

    assert numbers.min() >= 0
    assert int(numbers.sum()) == LARGEST_TOTAL


def test_axes_of_few_leaves_are_refined_first() -> None:
    axes = [Axis.of([0, 0, 1]), Axis.flat(2)]

    assert chain(axes) == ((ALL, ALL), (ALL, LEAF), (GROUP, LEAF), (LEAF, LEAF))


def test_figures_that_are_not_negative_are_the_most_likely_ones() -> None:
    axes = [Axis.flat(3)]
    estimates = np.array([0.0, 2.0, 3.0])

    assert nonnegative(Design.of(axes, [(LEAF,)], [1.0]), estimates) is estimates


def test_without_other_tables_the_nearest_leaves_are_the_cut_ones() -> None:
    axes = [Axis.flat(4)]

    found = nonnegative(Design.of(axes, [(LEAF,)], [1.0]), np.array([-2.0, 2.0, -0.5, 3.0]))

    np.testing.assert_allclose(found, [0, 2, 0, 3], atol=1e-3)


def test_the_most_likely_leaves_are_those_of_a_small_search() -> None:
    """Two leaves and their sum: on the edge x = 0 the best y solves one equation."""
    axes = [Axis.flat(2)]
    design = Design.of(axes, [(LEAF,), (ALL,)], [1.0, 0.5])
    estimates = leaf_estimates(design, [np.array([-4.0, 3.0]), np.array([0.5])])

    found = nonnegative(design, estimates)

    # (y - 3)^2 + 4 (y - 0.5)^2 is smallest at y = 1
    np.testing.assert_allclose(found, [0, 1], atol=0.05)


def test_sparse_cells_do_not_push_up_the_totals_of_provinces() -> None:
    """Nine cells in ten are empty: cutting off leaves would add hundreds to a province; its total keeps its error."""
    axes = [provinces(), months(2), Axis.flat(6)]
    tables, shape = all_tables(axes), (77, 24, 6)
    rng = np.random.default_rng(3)
    leaves: Floats = rng.poisson(5.0, shape).astype(np.float64) * (rng.random(shape) < 0.1)
    sigma = 10.0
    noisy = [(roll_up_floats(axes, t, leaves) + rng.normal(0, sigma, shape_of(axes, t))).ravel() for t in tables]

    answers = dict(zip(tables, consistent(axes, tables, noisy, [sigma] * len(tables), integers=True), strict=True))

    for table in ((LEAF, ALL, ALL), (GROUP, ALL, ALL), (ALL, LEAF, ALL), (LEAF, ALL, LEAF)):
        exact = roll_up_floats(axes, table, leaves).ravel()
        whole = answers[table].integers
        assert whole is not None
        assert np.sqrt(((whole - exact) ** 2).mean()) < 2.5 * np.sqrt((answers[table].sigmas ** 2).mean())
    finest = answers[LEAF, LEAF, LEAF]
    assert finest.integers is not None
    assert ((finest.integers - leaves.ravel()) ** 2).mean() < ((finest.estimates - leaves.ravel()) ** 2).mean()


@pytest.mark.parametrize("figure", [-1e6, 0.0, 1e15])
def test_whole_numbers_of_adversarial_tables_add_up(figure: float) -> None:
    axes = [Axis.of([0, 1, 1]), Axis.flat(4)]
    tables = all_tables(axes)
    noisy = [np.full(int(np.prod(shape_of(axes, table))), figure) for table in tables]

    answers = consistent(axes, tables, noisy, [1.0] * len(tables), integers=True)

    finest = answers[-1].integers
    assert finest is not None
    for table, answer in zip(tables, answers, strict=True):
        assert answer.integers is not None
        assert answer.integers.min() >= 0
        summed = roll_up_floats(axes, table, finest.reshape(3, 4).astype(float))
        np.testing.assert_array_equal(answer.integers, summed.ravel())
