"""The table of a backtest: its lines say what they say they say."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest

from forecasting.evaluation import last_origins, score
from forecasting.exact_trees import exact_tree
from forecasting.hierarchy import Hierarchy, single_level
from forecasting.panel import Floats
from forecasting.predictive import ClippedNormal, NegativeBinomial, Predictive
from forecasting.yardsticks import NaiveYardstick
from tests.forecast_panels import panel

pytestmark = pytest.mark.unit

MONTHS = pd.period_range("2020-01", periods=48, freq="M")


def tree_of(values: Floats) -> Hierarchy:
    index = pd.MultiIndex.from_product([["a", "b"], ["x"]], names=["area", "offence"])
    return exact_tree(pd.DataFrame(values, index=index, columns=MONTHS), [{"a": "all", "b": "all"}])


@dataclass
class Constant:
    """Says the same of every series of every level, and keeps what it was asked."""

    figure: float
    spread: float = 1.0
    make: Callable[[Floats, int], Predictive] | None = None
    asked: list[tuple[int, tuple[int, ...]]] = field(default_factory=list)
    name: str = "constant"

    def rolling(self, hierarchy: Hierarchy, horizon: int, origins: Sequence[int]) -> list[list[Predictive]]:
        self.asked.append((horizon, tuple(origins)))
        return [
            [self._said(len(each.figures), horizon, number) for number, each in enumerate(hierarchy.levels)]
            for _ in origins
        ]

    def _said(self, series: int, horizon: int, level: int) -> Predictive:
        shape = np.ones((series, horizon))
        if self.make is not None:
            return self.make(shape, level)
        return ClippedNormal(shape * self.figure * (2.0 if level == 0 else 1.0), shape * self.spread)


def test_windows_touch_each_other_and_end_with_the_months() -> None:
    assert last_origins(48, 6, 3) == (30, 36, 42)


def test_every_level_is_scored_on_what_came_after_each_origin() -> None:
    values = np.tile(np.arange(48.0), (2, 1))
    constant = Constant(40.0)

    top, leaves = score(constant, tree_of(values), tree_of(values), ("all", "area"), (2, (44, 46), 12))

    assert constant.asked == [(2, (44, 46))]
    # The four months had 44, 45, 46, 47: errors 4, 5, 6, 7, and twice that for both together.
    assert leaves.wape == pytest.approx(22 / 182)
    assert top.wape == pytest.approx(22 / 182)
    assert leaves.mase == pytest.approx(5.5 / 12)
    assert top.mase == pytest.approx(11 / 24)
    assert (leaves.series, top.series) == (2, 1)
    assert (leaves.level, leaves.model) == ("area", "constant")
    assert leaves.coverage95 == 0.0
    assert top.coherence == 0.0


def test_levels_that_do_not_add_up_are_told() -> None:
    values = np.tile(np.arange(48.0), (2, 1))

    incoherent = Constant(40.0, make=lambda shape, _: ClippedNormal(shape * 40.0, shape))

    top, _ = score(incoherent, tree_of(values), tree_of(values), ("all", "area"), (2, (44, 46), 12))

    assert top.coherence == pytest.approx(40.0)


def test_a_right_forecast_covers_exact_counts() -> None:
    generator = np.random.default_rng(4)
    values = generator.negative_binomial(5, 5 / (5 + 12.0), (600, 48)).astype(np.float64)

    right = Constant(12.0, make=lambda shape, _: NegativeBinomial(shape * 12.0, shape * (12.0 + 144.0 / 5)))

    truth = single_level(panel(values, sigma=0.0))
    [line] = score(right, truth, truth, ("all",), (6, (36, 42), 12))

    assert line.coverage80 == pytest.approx(0.8, abs=0.012)
    assert line.coverage95 == pytest.approx(0.95, abs=0.008)
    assert line.noise_wape == 0.0
    assert line.deviance is not None


def test_the_noise_of_released_figures_is_taken_into_account() -> None:
    generator = np.random.default_rng(4)
    values = generator.normal(50.0, 5.0, (400, 48)) + generator.normal(0.0, 12.0, (400, 48))
    noisy, exact = single_level(panel(values, sigma=12.0)), single_level(panel(values, sigma=0.0))
    right = Constant(25.0, spread=5.0)  # level 0 says twice that

    [told] = score(right, noisy, noisy, ("all",), (6, (36, 42), 12))
    [untold] = score(right, noisy, exact, ("all",), (6, (36, 42), 12))

    assert told.coverage80 == pytest.approx(0.8, abs=0.015)
    assert untold.coverage80 is not None
    assert untold.coverage80 < 0.5
    assert told.scaled_crps is not None
    assert untold.scaled_crps is not None
    assert told.scaled_crps < untold.scaled_crps
    assert told.deviance is None
    # Most of the error is the noise in the figures compared with: 12 x 0.798 of 50.
    assert told.noise_wape == pytest.approx(12 * 0.798 / 50, rel=0.01)
    assert told.wape is not None
    assert told.noise_wape < told.wape < 1.15 * told.noise_wape


def test_all_zeros_have_no_relative_error_and_no_warning() -> None:
    truth = tree_of(np.zeros((2, 48)))

    lines = score(NaiveYardstick(), truth, truth, ("all", "area"), (6, (36, 42), 12))

    assert [(line.mase, line.wape, line.scaled_crps) for line in lines] == [(None, None, None)] * 2


def test_negative_totals_have_no_relative_error() -> None:
    noisy = single_level(panel(np.tile([[-3.0, 1.0]], (2, 24)), sigma=4.0))

    [line] = score(NaiveYardstick(), noisy, noisy, ("all",), (6, (36, 42), 12))

    assert line.wape is None
    assert line.noise_wape == 0.0
    assert line.mase is None
