"""Two passes on a tree give what the dense estimator gives, for any tree, any noise, any gap."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.tree import tree_gls

pytestmark = pytest.mark.property


@st.composite
def trees(draw: st.DrawFn) -> tuple[list[int], list[np.ndarray], np.random.Generator]:
    sizes = [draw(st.integers(1, 3))]
    sizes.append(draw(st.integers(sizes[0], 6)))
    sizes.append(draw(st.integers(sizes[1], 12)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    parents = [
        np.concatenate([np.arange(above), rng.integers(0, above, below - above)]) for above, below in pairwise(sizes)
    ]
    return sizes, parents, rng


def summing(sizes: list[int], parents: list[np.ndarray]) -> np.ndarray:
    top, middle, leaves = sizes
    of_middle = parents[1]
    of_top = parents[0][of_middle]
    return np.vstack([np.eye(top)[of_top].T, np.eye(middle)[of_middle].T, np.eye(leaves)])


@given(made=trees(), gaps=st.sampled_from([0.0, 0.2, 0.5]))
def test_every_node_has_the_dense_estimate_and_its_exact_variance(
    made: tuple[list[int], list[np.ndarray], np.random.Generator], gaps: float
) -> None:
    sizes, parents, rng = made
    matrix = summing(sizes, parents)
    variance, figures = rng.uniform(0.1, 9.0, len(matrix)), rng.normal(0.0, 10.0, len(matrix))
    missing = rng.random(len(matrix)) < gaps
    cuts = np.cumsum(sizes)[:-1]
    seen = np.where(missing, np.nan, figures)

    found = tree_gls(
        [part[:, None] for part in np.split(seen, cuts)], [part[:, None] for part in np.split(variance, cuts)], parents
    )

    known, weight = matrix[~missing], 1.0 / variance[~missing]
    inverse = np.linalg.pinv(known.T @ (weight[:, None] * known))
    told = np.abs(matrix @ (np.eye(sizes[-1]) - inverse @ (known.T @ (weight[:, None] * known)))).max(axis=1) < 1e-8
    estimates, variances = np.vstack(found.estimates)[:, 0], np.vstack(found.variances)[:, 0]
    assert np.array_equal(np.isfinite(variances), told)
    assert np.array_equal(np.isfinite(estimates), told)
    dense = matrix @ inverse @ (known.T @ (weight * figures[~missing]))
    assert np.allclose(estimates[told], dense[told], atol=1e-7)
    assert np.allclose(variances[told], np.einsum("ij,jk,ik->i", matrix, inverse, matrix)[told], atol=1e-7)
