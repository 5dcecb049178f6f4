"""The tree estimator: exact figures, nodes without children, levels that do not fit."""

import numpy as np
import pytest

from forecasting.tree import tree_gls

pytestmark = pytest.mark.unit

TOP, LEAVES = np.array([[10.0]]), np.array([[4.0], [8.0]])
PARENT = np.array([0, 0])


def test_equal_noise_shares_the_gap_evenly() -> None:
    found = tree_gls([TOP, LEAVES], [1.0, 1.0], [PARENT])

    assert found.estimates[0][0, 0] == pytest.approx(32 / 3)
    assert found.estimates[1][:, 0] == pytest.approx([10 / 3, 22 / 3])
    assert found.variances[0][0, 0] == pytest.approx(2 / 3)


def test_an_exact_parent_is_kept_and_its_children_follow() -> None:
    found = tree_gls([TOP, LEAVES], [0.0, 4.0], [PARENT])

    assert found.estimates[0].tolist() == [[10.0]]
    assert found.estimates[1][:, 0].tolist() == [3.0, 7.0]
    assert found.variances[0].tolist() == [[0.0]]


def test_exact_figures_that_contradict_each_other_are_averaged() -> None:
    found = tree_gls([TOP, LEAVES], [0.0, 0.0], [PARENT])

    assert found.estimates[0][0, 0] == 11.0
    assert found.estimates[1].sum() == 11.0


def test_a_node_without_children_stands_for_itself() -> None:
    found = tree_gls([np.array([[10.0], [5.0]]), LEAVES], [1.0, 1.0], [PARENT])

    assert found.estimates[0][1, 0] == 5.0
    assert found.variances[0][1, 0] == 1.0


def test_one_missing_child_is_what_its_siblings_leave_and_two_are_unknown() -> None:
    one = tree_gls([TOP, np.array([[4.0], [np.nan]])], [1.0, 2.0], [PARENT])
    two = tree_gls([TOP, np.array([[np.nan], [np.nan]])], [1.0, 2.0], [PARENT])

    assert one.estimates[1][:, 0].tolist() == [4.0, 6.0]
    assert one.variances[1][:, 0].tolist() == [2.0, 3.0]
    assert np.isnan(two.estimates[1]).all()
    assert np.isinf(two.variances[1]).all()


@pytest.mark.parametrize(
    ("noisy", "variances", "parents"),
    [
        ([], [], []),
        ([TOP, LEAVES], [1.0], [PARENT]),
        ([TOP, LEAVES], [1.0, 1.0], []),
        ([TOP, LEAVES], [1.0, 1.0], [np.array([0])]),
        ([TOP, LEAVES], [1.0, 1.0], [np.array([0, 1])]),
        ([TOP, LEAVES], [-1.0, 1.0], [PARENT]),
        ([TOP, LEAVES], [np.nan, 1.0], [PARENT]),
    ],
)
def test_levels_that_do_not_fit_are_refused(
    noisy: list[np.ndarray], variances: list[float], parents: list[np.ndarray]
) -> None:
    with pytest.raises(ValueError, match=r"level|variance"):
        tree_gls(noisy, variances, parents)
