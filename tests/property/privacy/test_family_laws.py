"""Least squares over a family of tables, against brute force on small uneven trees."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from privacy.families.axes import Axis, Floats, Table, cells_of, roll_up_floats, roll_up_integers, shape_of
from privacy.families.family import consistent, expected_sigmas
from privacy.families.gls import Design, cell_variances
from privacy.families.integers import whole_numbers
from privacy.families.weights import Criterion, integer_weights, least_variance, mean_variances, optimal_shares
from tests.family_trees import all_tables, axes_strategy, family_strategy, leaf_of, matrix_of

pytestmark = pytest.mark.property

Family = tuple[list[Axis], list[Table], list[float | Floats]]


def spread_of(axes: list[Axis], table: Table, sigma: float | Floats) -> Floats:
    """The noise's standard deviation in every cell, flat."""
    return np.broadcast_to(np.asarray(sigma), shape_of(axes, table)).ravel()


@settings(max_examples=30, deadline=None)
@given(family=family_strategy())
def test_every_cells_variance_is_that_of_the_inverted_information_matrix(family: Family) -> None:
    """A'V^-1 A is R'R of the QR decomposition: inverted so, the brute force keeps its digits."""
    axes, tables, sigmas = family
    matrices = [matrix_of(axes, table) for table in tables]
    rows = [matrix / spread[:, None] for matrix, spread in zip(matrices, spreads_of(family), strict=True)]
    triangle = np.linalg.qr(np.vstack(rows)).R

    found = cell_variances(Design.of(axes, tables, sigmas))

    for matrix, variances in zip(matrices, found, strict=True):
        halves = np.linalg.solve(triangle.T, matrix.T)
        np.testing.assert_allclose(variances.ravel(), (halves**2).sum(axis=0), rtol=1e-8)


def spreads_of(family: Family) -> list[Floats]:
    """The noise's standard deviation in every cell of every table."""
    axes, tables, sigmas = family
    return [spread_of(axes, table, sigma) for table, sigma in zip(tables, sigmas, strict=True)]


@settings(max_examples=30, deadline=None)
@given(family=family_strategy(), data=st.data())
def test_the_estimates_are_those_of_least_squares(family: Family, data: st.DataObject) -> None:
    axes, tables, sigmas = family
    figures = [
        data.draw(arrays(np.float64, cells_of(axes, table), elements=st.floats(-1000, 1000, width=32)))
        for table in tables
    ]
    spreads = spreads_of(family)
    weighted = np.vstack([matrix_of(axes, t) / s[:, None] for t, s in zip(tables, spreads, strict=True)])
    seen = np.concatenate([cells / s for cells, s in zip(figures, spreads, strict=True)])
    best = np.linalg.lstsq(weighted, seen, rcond=None)[0]

    answers = consistent(axes, tables, figures, sigmas, integers=False)

    for table, answer in zip(tables, answers, strict=True):
        np.testing.assert_allclose(answer.estimates, matrix_of(axes, table) @ best, rtol=1e-8, atol=1e-6)


@settings(max_examples=30, deadline=None)
@given(family=family_strategy(), data=st.data())
def test_what_agrees_already_comes_back_and_whole_numbers_stay(family: Family, data: st.DataObject) -> None:
    """Unbiased: the estimates are linear, and right without noise."""
    axes, tables, sigmas = family
    leaves = data.draw(arrays(np.int64, shape_of(axes, leaf_of(axes)), elements=st.integers(0, 10**9)))
    exact = [roll_up_integers(axes, table, leaves).ravel() for table in tables]

    answers = consistent(axes, tables, [cells.astype(float) for cells in exact], sigmas, integers=True)

    for cells, answer in zip(exact, answers, strict=True):
        np.testing.assert_allclose(answer.estimates, cells, atol=1e-6, rtol=1e-12)
        assert answer.integers is not None
        np.testing.assert_array_equal(answer.integers, cells)


@settings(max_examples=30, deadline=None)
@given(family=family_strategy())
def test_no_estimate_is_worse_than_its_own_measurement(family: Family) -> None:
    axes, tables, sigmas = family
    expected = expected_sigmas(axes, tables, sigmas)

    for own, variances, told in zip(
        spreads_of(family), cell_variances(Design.of(axes, tables, sigmas)), expected, strict=True
    ):
        assert (np.sqrt(variances).ravel() <= own * (1 + 1e-9)).all()
        assert told.root_mean <= told.worst * (1 + 1e-12)


HARSH = st.one_of(
    st.floats(-1e6, 1e6), st.floats(-1e-6, 1e-6), st.just(0.0), st.floats(2.0**50, 2.0**60), st.floats(-(2.0**60), -1.0)
)


@settings(max_examples=25, deadline=None)
@given(axes=axes_strategy(), data=st.data())
def test_whole_numbers_are_not_negative_and_add_up_whatever_the_estimates(
    axes: list[Axis], data: st.DataObject
) -> None:
    estimates = data.draw(arrays(np.float64, shape_of(axes, leaf_of(axes)), elements=HARSH))
    whole = float(estimates.sum())

    numbers = whole_numbers(axes, estimates, whole)

    assert numbers.min() >= 0
    assert int(numbers.sum()) == round(min(max(whole, 0), 2**52))


@settings(max_examples=25, deadline=None)
@given(axes=axes_strategy(), data=st.data())
def test_no_other_sharing_of_the_budget_is_better_than_the_optimum(axes: list[Axis], data: st.DataObject) -> None:
    tables = all_tables(axes)
    count = len(tables)
    importance = data.draw(st.lists(st.floats(0.5, 20), min_size=count, max_size=count))
    l2 = data.draw(st.lists(st.floats(1, 3), min_size=count, max_size=count))
    other = np.array(data.draw(st.lists(st.floats(0.01, 1), min_size=count, max_size=count)))
    per_share = 1 / np.array(l2) ** 2
    criterion = Criterion.of(axes, tables)

    best = np.array(optimal_shares(axes, tables, importance, l2))

    assert best.sum() == pytest.approx(1)
    found = importance @ criterion.mean_variances(best * per_share)
    assert found <= importance @ criterion.mean_variances(other / other.sum() * per_share) * 1.001


@settings(max_examples=30, deadline=None)
@given(axes=axes_strategy(), data=st.data())
def test_mean_variances_are_those_of_the_cells_and_above_the_limit(axes: list[Axis], data: st.DataObject) -> None:
    tables = all_tables(axes)
    shares = np.array(data.draw(st.lists(st.floats(0.05, 1), min_size=len(tables), max_size=len(tables))))
    shares /= shares.sum()

    found = mean_variances(axes, tables, list(shares))

    cells = cell_variances(Design.of(axes, tables, list(1 / np.sqrt(shares))))
    np.testing.assert_allclose(found, [each.mean() for each in cells], rtol=1e-8)
    assert found.mean() >= least_variance(axes, tables) * (1 - 1e-9)


@given(st.lists(st.floats(1e-6, 1), min_size=1, max_size=64))
def test_weights_are_whole_positive_and_near_a_thousand(shares: list[float]) -> None:
    weights = integer_weights(shares)

    assert all(1 <= weight <= 1000 for weight in weights)
    assert 1000 <= sum(weights) < 1000 + len(shares)
    exact = 1000 * np.array(shares) / sum(shares)
    assert np.abs(np.array(weights) - exact).max() <= 1


@given(axes=axes_strategy(), data=st.data())
def test_adding_up_never_depends_on_the_order_of_leaves(axes: list[Axis], data: st.DataObject) -> None:
    """A table's cells are where their group says, wherever in the axis the group's leaves stand."""
    leaves = data.draw(arrays(np.float64, shape_of(axes, leaf_of(axes)), elements=st.integers(-9, 9).map(float)))
    order = np.array(data.draw(st.permutations(range(leaves.shape[0]))))
    moved = Axis(axes[0].group_of_leaf[order], grouped=axes[0].grouped)

    for table in all_tables(axes):
        if table[0].name != "LEAF":
            np.testing.assert_array_equal(
                roll_up_floats([moved, *axes[1:]], table, leaves[order]), roll_up_floats(axes, table, leaves)
            )
