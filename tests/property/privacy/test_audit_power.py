"""What the audit catches and what it lets pass, on draws of OpenDP's exact samplers at a true scale and a claimed one.

The sample sizes are chosen such that a right verdict fails less than once in a million runs; the probabilities beside
them are exact binomial sums over the chosen event, weighted by how often each event is chosen.
"""

import math
from typing import Any

import numpy as np
import opendp.prelude as dp
import pytest

from contracts.query import Mechanism
from privacy.audit import FALSE_ALARM, MISS, Answers, Claim, Worlds, epsilon_bound, examine, rho_bound

pytestmark = pytest.mark.property

ROWS = 3
EXACT = 1
AT_99 = 20_000
"""Of a true epsilon of 1.2 the bound at 99 % stays below 1.0 with probability 2e-8."""

FOR_A_VERDICT = 44_352
"""The bound at 1 - 1e-6 stays below 1.0 with probability 6e-9; the default of ``saphan privacy audit``."""

dp.enable_features("contrib")
CELLS = dp.vector_domain(dp.atom_domain(T="i64"))


def drawn(mechanism: Any, exact: int, answers: int) -> Answers:  # noqa: ANN401  # a measurement of OpenDP
    return np.array(mechanism([exact] * answers), dtype=np.int64)


def worlds(mechanism: Any, answers: int) -> Worlds:  # noqa: ANN401
    """A person with three rows in each cell, and none."""
    absent, present = drawn(mechanism, EXACT, answers), drawn(mechanism, EXACT + ROWS, answers)
    return Worlds(absent, present, EXACT, EXACT + ROWS)


def laplace(epsilon: float, answers: int) -> Worlds:
    return worlds(dp.m.make_laplace(CELLS, dp.l1_distance(T="i64"), scale=ROWS / epsilon), answers)


def gaussian(sigma: float, answers: int) -> Worlds:
    return worlds(dp.m.make_gaussian(CELLS, dp.l2_distance(T=float), scale=sigma), answers)


def sold_as_epsilon(epsilon: float) -> Claim:
    q = math.exp(-epsilon / ROWS)
    return Claim(Mechanism.LAPLACE, math.sqrt(2 * q) / (1 - q), epsilon, delta=0.0, rho=None)


def sold_as_rho(rho: float) -> Claim:
    epsilon = rho + 2 * math.sqrt(rho * math.log(1e7))
    return Claim(Mechanism.GAUSSIAN, ROWS / math.sqrt(2 * rho), epsilon, delta=1e-7, rho=rho)


def test_a_true_epsilon_of_1_2_sold_as_1_0_is_caught() -> None:
    found = examine(laplace(1.2, FOR_A_VERDICT), sold_as_epsilon(1.0))

    assert found.epsilon_bound > found.epsilon_claimed
    assert {"epsilon", "fit"} <= set(found.failed)


def test_the_bound_alone_catches_it_in_twenty_thousand_answers() -> None:
    assert 1.0 < epsilon_bound(laplace(1.2, AT_99), 0.0, MISS) < 1.3


def test_a_true_epsilon_of_1_0_sold_as_1_0_holds() -> None:
    found = examine(laplace(1.0, AT_99), sold_as_epsilon(1.0))

    assert found.failed == ()
    assert 0.75 < found.epsilon_bound < 1.05


def test_a_gaussian_sold_at_a_smaller_rho_is_caught() -> None:
    pair = gaussian(ROWS / math.sqrt(2 * 0.72), AT_99)
    found = examine(pair, sold_as_rho(0.5))

    assert rho_bound(pair, FALSE_ALARM) > 0.5
    assert {"rho", "fit"} <= set(found.failed)


def test_a_gaussian_sold_at_its_rho_holds() -> None:
    found = examine(gaussian(ROWS, AT_99), sold_as_rho(0.5))

    assert found.failed == ()
    assert found.rho_bound is not None
    assert 0.4 < found.rho_bound < 0.55


def test_a_sigma_a_little_too_small_fails_the_fit_before_it_shows_in_any_bound() -> None:
    honest = sold_as_rho(0.02)
    found = examine(gaussian(honest.sigma / 1.06, AT_99), honest)
    assert found.failed == ("fit",)


def test_two_releases_that_share_their_noise_are_caught() -> None:
    pair = gaussian(ROWS, AT_99)
    shared = Worlds(pair.absent, pair.absent + ROWS, EXACT, EXACT + ROWS)
    assert "independence" in examine(shared, sold_as_rho(0.5)).failed
