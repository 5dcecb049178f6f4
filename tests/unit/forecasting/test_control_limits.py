"""Control limits, the spread of figures around forecasts, and how alarms begin and end."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import nbinom

from forecasting.panel import Panel
from forecasting.warnings.alarms import alarms
from forecasting.warnings.breaks import Break, break_marks
from forecasting.warnings.chart import Windows
from forecasting.warnings.limits import THRESHOLD, Watch, calibrated, chance_of, limit_of
from forecasting.warnings.spread import spread_of

pytestmark = pytest.mark.unit


def test_the_stated_rate_is_shared_by_every_look_of_a_year() -> None:
    watch = Watch(rate=2.0, windows=(1, 3))

    assert watch.looks_a_year(100) == 2400
    assert watch.chance(100) == pytest.approx(2.0 / 2400)
    assert Watch(rate=1e9).chance(1) == 1.0


def test_the_tail_of_a_count_with_noise_is_that_of_many_draws() -> None:
    draw, mean, dispersion, sigma = np.random.default_rng(4), 60.0, 0.05, 6.0
    counts = draw.poisson(draw.gamma(1 / dispersion, dispersion * mean, 400_000)) + draw.normal(0, sigma, 400_000)
    variance = np.array(mean + dispersion * mean**2 + sigma**2)
    third = np.array(mean + 3 * dispersion * mean**2 + 2 * dispersion**2 * mean**3)

    for figure in (90.0, 110.0, 125.0):
        told = float(chance_of(np.array(figure), np.array(mean), variance, third))
        assert told == pytest.approx(float((counts >= figure).mean()), rel=0.25)


def test_a_limit_is_the_figure_that_is_as_unlikely_as_said() -> None:
    given = np.array([50.0]), np.array([120.0]), np.array([900.0])

    limit = limit_of(1e-4, *given)

    assert chance_of(limit, *given) == pytest.approx(1e-4, rel=1e-6)


def test_a_tail_that_is_as_promised_is_left_as_it_is() -> None:
    past = np.random.default_rng(1).uniform(size=50_000)

    assert calibrated(past, np.array([1e-4, 0.5])) == pytest.approx([1e-4, 0.5], rel=0.6)
    assert calibrated(np.array([]), np.array([1e-4, 0.5])) == pytest.approx([1e-4, 0.5])


def test_a_tail_that_turned_out_fatter_makes_the_same_figure_less_surprising() -> None:
    past = np.random.default_rng(1).uniform(size=50_000) ** 2

    found = calibrated(past, np.array([1e-4]))

    # U squared is below p with probability root p.
    assert found[0] == pytest.approx(1e-2, rel=0.3)


def test_a_thinner_tail_is_never_believed() -> None:
    past = np.random.default_rng(1).uniform(THRESHOLD, 1.0, size=5_000)

    assert calibrated(past, np.array([1e-5]))[0] >= 1e-5


def test_spread_is_learnt_beyond_known_noise_and_real_changes_are_left_out() -> None:
    draw, shape, sigma, dispersion = np.random.default_rng(2), (200, 40), 8.0, 0.04
    means = np.repeat(np.geomspace(10, 400, 200)[:, None], 40, axis=1)
    counts = nbinom.rvs(1 / dispersion, 1 / (1 + dispersion * means), random_state=draw)
    errors = counts + draw.normal(0, sigma, shape) - means
    errors[:5, 3] += 5000.0

    found = spread_of(errors, means, np.full(shape, sigma**2))

    assert found.dispersion == pytest.approx(dispersion, rel=0.1)
    assert found.chance == pytest.approx(1.0, abs=0.3)
    assert np.asarray(found.own)[5:].max() < 1.6


def test_an_area_that_strays_further_than_its_group_has_a_spread_of_its_own() -> None:
    draw = np.random.default_rng(3)
    errors = draw.normal(0, 10.0, (50, 40))
    errors[7] *= 3.0

    found = spread_of(errors, np.full((50, 40), 100.0), np.zeros((50, 40)))

    assert np.asarray(found.own)[7, 0] > 3.0
    assert np.median(np.asarray(found.own)) < 1.2


def test_nothing_to_learn_from_is_plain_chance() -> None:
    found = spread_of(np.full((2, 3), np.nan), np.ones((2, 3)), np.ones((2, 3)))

    assert (found.chance, found.dispersion) == (1.0, 0.0)


def chart(length: int, chances: list[float], scores: list[float] | None = None) -> Windows:
    """The windows of one series that is expected to have 100 cases, variance 100."""
    told = np.array([chances])
    expected = np.full(told.shape, 100.0)
    figure = expected + 10.0 * np.array([scores or [0.0] * len(chances)])
    return Windows(length, figure, expected, expected.copy(), expected * 0, told, expected * 0)


def test_an_alarm_lasts_while_a_window_is_loud_and_short_pauses_belong_to_it() -> None:
    single = chart(1, [1, 1e-9, 1, 1, 1e-9, 1, 1, 1, 1, 1e-9])

    found = alarms([single], [np.isfinite(single.figure)], 1e-6, 0)

    assert [(each.raised, each.last) for each in found] == [(1, 4), (9, 9)]


def test_an_alarm_of_a_long_window_began_with_the_month_from_which_it_was_unusual() -> None:
    single = chart(1, [1.0] * 6, [0, 0, 0, 0, 3, 3])
    triple = chart(3, [1, 1, 1, 1, 1, 1e-9])

    (found,) = alarms([single, triple], [np.isfinite(single.figure)] * 2, 1e-6, 0)

    assert (found.since, found.raised, found.window) == (4, 5, 3)


def test_a_window_that_may_not_be_judged_raises_nothing_and_old_alarms_are_left_out() -> None:
    single = chart(1, [1e-9, 1.0, 1.0])

    assert alarms([single], [np.zeros((1, 3), dtype=np.bool_)], 1e-6, 0) == ()
    assert alarms([single], [np.isfinite(single.figure)], 1e-6, 1) == ()


def regions(kind: str, *areas: str) -> Panel:
    index = pd.MultiIndex.from_product([areas, ["G1", "G2"]], names=[kind, "offence_group"])
    months = pd.period_range("2026-01", periods=3, freq="M")
    return Panel(pd.DataFrame(np.zeros((len(index), 3)), index=index, columns=months), 1.0)


def test_a_break_of_a_region_touches_its_provinces_and_that_of_a_province_its_region() -> None:
    provinces, police = regions("province", "10", "20"), regions("police_region", "BMB", "P2")

    of_region = break_marks(provinces, [Break("2026-02", ("G1",), ("P2",))])
    of_province = break_marks(police, [Break("2026-02", ("G1",), ("20",))])
    everywhere = break_marks(police, [Break("2026-03"), Break("1999-01")])

    assert np.argwhere(of_region).tolist() == [[2, 1]]
    assert np.argwhere(of_province).tolist() == [[2, 1]]
    assert everywhere.sum() == 4
    assert everywhere[:, 2].all()
