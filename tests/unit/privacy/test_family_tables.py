"""Families of tables: what may be asked, the country's tree, and its errors against the yardsticks."""

import numpy as np
import pytest

from privacy.families.axes import Axis, Floats, Level, Table, cells_of, roll_up_floats, shape_of
from privacy.families.family import consistent, expected_sigmas
from privacy.families.gls import Design
from privacy.families.modes import symmetric_frame
from privacy.families.weights import (
    default_importance,
    integer_weights,
    least_variance,
    mean_variances,
    naive_variances,
    optimal_shares,
    oracle_variances,
)
from tests.family_trees import all_tables, country, matrix_of, months, provinces

pytestmark = pytest.mark.unit

ALL, GROUP, LEAF = Level.ALL, Level.GROUP, Level.LEAF
SMALL = [Axis.of([0, 1, 1, 0, 2]), Axis.flat(3)]


def weighted(axes: list[Axis], tables: list[Table]) -> list[float]:
    """The shares that a contract's weights buy."""
    weights = integer_weights(optimal_shares(axes, tables))
    return [weight / sum(weights) for weight in weights]


def test_the_country_has_ten_commands_of_one_to_twelve_provinces() -> None:
    assert sorted(provinces().sizes) == [1, 7, 7, 8, 8, 8, 8, 9, 9, 12]


def test_tables_add_up_leaves_wherever_they_stand() -> None:
    leaves = np.arange(15.0).reshape(5, 3)

    found = roll_up_floats(SMALL, (GROUP, ALL), leaves)

    np.testing.assert_array_equal(found.ravel(), [3 + 30, 12 + 21, 39])


@pytest.mark.parametrize("numbers", [[], [0, 2], [1, 1], [-1, 0], [[0, 1]], [0.5, 1.0]])
def test_groups_are_numbered_from_zero_without_holes(numbers: list[int]) -> None:
    with pytest.raises(ValueError, match="group"):
        Axis.of(numbers)


def test_an_axis_has_a_leaf() -> None:
    with pytest.raises(ValueError, match="leaf"):
        Axis.flat(0)


@pytest.mark.parametrize(
    ("tables", "says"),
    [
        ([(ALL, ALL)], "table of all leaves"),
        ([], "table of all leaves"),
        ([(LEAF, LEAF), (LEAF, LEAF)], "twice"),
        ([(LEAF, LEAF), (LEAF,)], "one level on each axis"),
        ([(LEAF, LEAF), (LEAF, GROUP)], "has none"),
    ],
)
def test_tables_that_do_not_fit_are_refused(tables: list[Table], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Design.of(SMALL, tables, [1.0] * len(tables))


def test_a_family_has_an_axis() -> None:
    with pytest.raises(ValueError, match="at least one axis"):
        Design.of([], [()], [1.0])


@pytest.mark.parametrize(
    ("sigmas", "says"),
    [
        ([1.0], "every table"),
        ([1.0, 0.0], "positive"),
        ([1.0, -1.0], "positive"),
        ([1.0, float("nan")], "positive"),
        ([1.0, float("inf")], "positive"),
        ([1.0, np.ones(3)], "array axes"),
        ([1.0, np.ones((1, 2))], "array axes"),
        ([1.0, np.ones((5, 3))], "one axis at most"),
        ([np.ones((5, 1)), np.ones((1, 3))], "one axis at most"),
    ],
)
def test_noise_that_does_not_fit_is_refused(sigmas: list[float | Floats], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Design.of(SMALL, [(LEAF, ALL), (LEAF, LEAF)], sigmas)


@pytest.mark.parametrize("cells", [np.zeros(14), np.full(15, np.nan), np.full(15, np.inf)])
def test_figures_that_do_not_fit_are_refused(cells: Floats) -> None:
    with pytest.raises(ValueError, match="figure"):
        consistent(SMALL, [(LEAF, LEAF)], [cells], [1.0], integers=False)


def test_every_table_has_its_figures() -> None:
    with pytest.raises(ValueError, match="figure"):
        consistent(SMALL, [(LEAF, LEAF), (ALL, ALL)], [np.zeros(15)], [1.0, 1.0], integers=False)


def test_a_single_table_comes_back_with_its_own_error() -> None:
    cells = np.arange(15.0) - 7

    (only,) = consistent(SMALL, [(LEAF, LEAF)], [cells], [2.5], integers=False)

    np.testing.assert_allclose(only.estimates, cells)
    np.testing.assert_allclose(only.sigmas, 2.5)
    assert only.integers is None


def test_two_measurements_of_one_figure_are_weighted_by_their_precision() -> None:
    axes = [Axis.flat(1)]

    leaf, whole = consistent(axes, [(LEAF,), (ALL,)], [np.array([10.0]), np.array([20.0])], [1.0, 2.0], integers=True)

    assert leaf.estimates[0] == pytest.approx(12)
    assert leaf.sigmas[0] == whole.sigmas[0] == pytest.approx(np.sqrt(0.8))
    assert leaf.integers == whole.integers == 12


def test_noisy_tables_of_the_country_agree_after_least_squares() -> None:
    axes = [provinces(), months(2), Axis.flat(6)]
    tables = all_tables(axes)
    rng = np.random.default_rng(7)
    leaves = rng.poisson(3.0, (77, 24, 6)).astype(float)
    noisy = [roll_up_floats(axes, t, leaves) + rng.normal(0, 10, shape_of(axes, t)) for t in tables]

    answers = consistent(axes, tables, [cells.ravel() for cells in noisy], [10.0] * 18, integers=True)

    estimates = answers[-1].estimates.reshape(77, 24, 6)
    for table, answer in zip(tables, answers, strict=True):
        assert answer.estimates.shape == answer.sigmas.shape == (cells_of(axes, table),)
        np.testing.assert_allclose(answer.estimates, roll_up_floats(axes, table, estimates).ravel(), atol=1e-6)
        assert answer.integers is not None
        assert answer.integers.min() >= 0
        assert answer.integers.sum() == max(0, round(answers[0].estimates[0]))


def test_the_errors_that_were_expected_are_those_that_come() -> None:
    axes, tables = country()
    sigmas = [float(number) for number in range(1, 19)]
    zeros = [np.zeros(cells_of(axes, table)) for table in tables]

    expected = expected_sigmas(axes, tables, sigmas)
    answers = consistent(axes, tables, zeros, sigmas, integers=False)

    for told, answer in zip(expected, answers, strict=True):
        assert told.worst == pytest.approx(answer.sigmas.max())
        assert told.root_mean == pytest.approx(np.sqrt((answer.sigmas**2).mean()))


def test_the_only_province_of_a_command_is_known_better_than_others() -> None:
    """Bangkok is a command of its own, measured twice."""
    axes, tables = country()

    answers = consistent(axes, tables, [np.zeros(cells_of(axes, t)) for t in tables], [1.0] * 18, integers=False)

    by_province = answers[-1].sigmas.reshape(77, -1)
    assert (by_province[0] < by_province[1:].min(axis=0)).all()


def test_the_blocks_of_the_country_stay_small() -> None:
    """Five sizes of command, one of year: what is inverted is five by five, whatever the number of cells."""
    axes, _ = country()

    assert [frame.modes[0].grams[LEAF].shape[0] for frame in map(symmetric_frame, axes)] == [5, 1, 1]


def test_on_the_country_the_weights_are_within_three_and_a_half_percent_of_the_oracle() -> None:
    axes, tables = country()

    ours = mean_variances(axes, tables, weighted(axes, tables))

    assert np.sqrt(ours.mean() / oracle_variances(axes, tables).mean()) <= 1.035
    assert np.sqrt(ours[-1] / naive_variances(tables)[-1]) <= 0.5


def test_on_the_tree_of_nine_regions_the_figures_of_the_trial_are_met() -> None:
    axes = [Axis.of(np.repeat(np.arange(9), [9] * 5 + [8] * 4)), months(5), Axis.flat(20)]
    tables = all_tables(axes)

    ours = mean_variances(axes, tables, weighted(axes, tables))

    assert np.sqrt(ours.mean()) <= 3.64
    assert np.sqrt(ours[-1]) <= 2.1


def test_the_oracle_gives_the_figures_of_the_closed_form() -> None:
    """As printed for 77 provinces in 9 equal regions; groups of 8 and 9 differ by less than a hundredth."""
    axes = [Axis.of(np.repeat(np.arange(9), [9] * 5 + [8] * 4)), months(5), Axis.flat(20)]
    tables = all_tables(axes)

    found = dict(zip(tables, np.sqrt(oracle_variances(axes, tables)), strict=True))

    assert found[ALL, ALL, ALL] == pytest.approx(3.81, abs=0.01)
    assert found[GROUP, GROUP, LEAF] == pytest.approx(3.26, abs=0.01)
    assert found[LEAF, LEAF, ALL] == pytest.approx(3.50, abs=0.01)
    assert found[LEAF, LEAF, LEAF] == pytest.approx(3.42, abs=0.01)
    assert np.sqrt(np.mean(np.square(list(found.values())))) == pytest.approx(3.508, abs=0.001)


def test_on_a_tree_of_equal_groups_oracle_optimum_and_limit_are_one() -> None:
    axes = [Axis.of(np.repeat(np.arange(7), 11)), months(5), Axis.flat(20)]
    tables = all_tables(axes)

    optimum = mean_variances(axes, tables, optimal_shares(axes, tables, [1.0] * len(tables))).mean()

    assert optimum == pytest.approx(oracle_variances(axes, tables).mean(), rel=2e-4)
    assert optimum == pytest.approx(least_variance(axes, tables), rel=2e-4)


def test_a_table_that_is_dear_for_what_the_others_say_anyway_is_hardly_bought() -> None:
    """A person who moves the whole three times as far makes it nine times as dear; it is nearly said by its parts."""
    axes, tables = SMALL, all_tables(SMALL)

    shares = optimal_shares(axes, tables, l2=[3.0] + [1.0] * (len(tables) - 1))

    assert 1e-7 < shares[0] < 0.01 < optimal_shares(axes, tables)[0]
    assert integer_weights(shares)[0] == 1


def test_only_the_relation_of_the_distances_matters() -> None:
    axes, tables = SMALL, all_tables(SMALL)

    np.testing.assert_allclose(optimal_shares(axes, tables, l2=[5.0] * 6), optimal_shares(axes, tables))


def test_the_leaf_table_is_the_important_one() -> None:
    assert default_importance([(ALL, LEAF), (LEAF, LEAF)]) == (1.0, 9.75)


@pytest.mark.parametrize("bad", [[1.0], [1.0, 0.0], [1.0, float("nan")]])
def test_importances_and_distances_are_positive_numbers(bad: list[float]) -> None:
    tables = [(ALL, ALL), (LEAF, LEAF)]
    with pytest.raises(ValueError, match="positive"):
        optimal_shares(SMALL, tables, bad)
    with pytest.raises(ValueError, match="positive"):
        optimal_shares(SMALL, tables, None, bad)


def test_the_smallest_weight_is_one() -> None:
    assert integer_weights([1.0]) == (1000,)
    assert integer_weights([1e-9, 1 - 1e-9]) == (1, 1000)
    assert integer_weights([1 / 3, 1 / 3, 1 / 3]) == (334, 333, 333)


def test_precisions_a_million_times_apart_cost_no_digits_that_count() -> None:
    """Coarse tables far more precise than leaves: the worst that weights and distances can ask for."""
    axes = [Axis.of([0, 0, 0, 1, 1, 2]), Axis.of([0, 0, 0, 0, 1])]
    tables = all_tables(axes)
    sigmas = [0.1 if ALL in table else 1.0 if GROUP in table else 100.0 for table in tables]
    rng = np.random.default_rng(5)
    noisy = [rng.normal(0, sigma, cells_of(axes, table)) for table, sigma in zip(tables, sigmas, strict=True)]
    matrices = [matrix_of(axes, table) for table in tables]
    weighted_rows = np.vstack([matrix / sigma for matrix, sigma in zip(matrices, sigmas, strict=True)])
    seen = np.concatenate([cells / sigma for cells, sigma in zip(noisy, sigmas, strict=True)])
    orthogonal, triangle = np.linalg.qr(weighted_rows)
    best = np.linalg.solve(triangle, orthogonal.T @ seen)

    answers = consistent(axes, tables, noisy, sigmas, integers=False)

    halves = np.linalg.solve(triangle.T, np.hstack([matrix.T for matrix in matrices]))
    np.testing.assert_allclose(np.concatenate([a.sigmas for a in answers]), np.sqrt((halves**2).sum(axis=0)), rtol=1e-7)
    for matrix, answer in zip(matrices, answers, strict=True):
        assert (np.abs(answer.estimates - matrix @ best) < 1e-5 * answer.sigmas).all()
