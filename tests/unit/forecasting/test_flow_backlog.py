import numpy as np
import pytest

from forecasting.flow.backlog import Inflow, Stock, levels, stock_of
from forecasting.flow.cohorts import Snapshot, number_of
from forecasting.flow.completion import EDGES, Curve, fitted, looks_of
from forecasting.panel import Floats

pytestmark = pytest.mark.unit

NOW = float(number_of("2025-10"))


def snapshot(
    stay: float,
    entries: float,
    sigma: float,
    months: int = 48,
    rng: np.random.Generator | None = None,
    as_of: float = NOW,
) -> Snapshot:
    """Cohorts that leave at one rate, exactly, with noise on top if there is any."""
    numbers = np.arange(as_of - months, as_of)
    share = np.exp(-(as_of - (numbers + 0.5)) / stay)
    off = np.zeros((2, months)) if rng is None else rng.standard_normal((2, months)) * sigma
    noise = np.full(months, max(sigma, 1e-3) ** 2)
    return Snapshot("r", as_of, numbers, entries * share + off[0], noise, entries * (1 - share) + off[1], noise)


def inflow(months: int, entries: float, dispersion: float = 0.0) -> Inflow:
    """Months to come with the same expected entries."""
    mean = np.full(months, entries)
    return Inflow(np.arange(NOW, NOW + months), mean, mean + dispersion * mean**2)


def open_of(stay: float, entries: float, now: float, first: float) -> float:
    """What is open at an instant, exactly."""
    months = np.arange(first, now)
    return float(entries * np.exp(-(now - (months + 0.5)) / stay).sum())


def test_the_curve_of_exact_cohorts_is_found() -> None:
    curve = fitted(looks_of([snapshot(6.0, 10_000.0, 0.0)]))

    ages = np.array([1.0, 3.0, 6.0, 12.0, 24.0])
    assert curve.open_at(ages) == pytest.approx(np.exp(-ages / 6.0), abs=0.01)


def test_the_curve_starts_where_all_are_open_and_never_rises_however_noisy_the_looks() -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        curve = fitted(looks_of([snapshot(6.0, 60.0, 25.0, rng=rng)]))
        shares = curve.open_at(np.linspace(0.0, 120.0, 200))

        assert shares[0] == 1.0
        assert (np.diff(shares) <= 0).all()
        assert (shares >= 0).all()


def test_noise_does_not_lift_the_share_open_of_old_cohorts() -> None:
    # Weighed by their own noisy totals, cohorts whose noise is high would count more: 33 % too many open ones.
    rng = np.random.default_rng(4)
    found = [
        float(fitted(looks_of([snapshot(6.0, 80.0, 15.0, rng=rng)])).open_at(np.array([12.0]))[0]) for _ in range(60)
    ]

    assert np.mean(found) == pytest.approx(np.exp(-2.0), abs=0.02)


def test_more_noise_makes_the_curve_less_sure() -> None:
    ages = np.array([6.0, 24.0])
    sure = fitted(looks_of([snapshot(6.0, 1000.0, 3.0, rng=np.random.default_rng(5))])).open_sigma(ages)
    unsure = fitted(looks_of([snapshot(6.0, 1000.0, 90.0, rng=np.random.default_rng(5))])).open_sigma(ages)

    assert (unsure > 2 * sure).all()


def test_cohorts_that_differ_beyond_chance_are_seen_to() -> None:
    rng = np.random.default_rng(6)
    base = snapshot(6.0, 10_000.0, 1.0)
    share = np.clip(base.open / 10_000 * (1 + 0.2 * rng.standard_normal(48)), 0, 1)
    mixed = Snapshot(
        "r", NOW, base.months, 10_000 * share, base.open_variance, 10_000 * (1 - share), base.closed_variance
    )

    assert fitted(looks_of([base])).beyond == pytest.approx(0.0, abs=1e-5)
    assert fitted(looks_of([mixed])).beyond > 1e-3


def test_of_two_snapshots_the_newer_tells_the_stock_and_both_tell_the_curve() -> None:
    early, late = snapshot(6.0, 500.0, 0.0, as_of=NOW - 6), snapshot(6.0, 500.0, 0.0)

    stock = stock_of([late, early])

    assert len(stock.months) == 54
    assert stock.ages[-1] == 0.5
    assert stock.ages[0] == pytest.approx(47.5)
    assert len(looks_of([early, late]).ages) == 96


def test_the_stock_runs_down_and_new_entries_come_in() -> None:
    told = [snapshot(6.0, 2000.0, 1.0)]
    curve, stock = fitted(looks_of(told)), stock_of(told)
    rng = np.random.default_rng(1)

    found = levels(stock, curve, inflow(12, 2000.0), [NOW, NOW + 3, NOW + 12], 90, rng)

    for each in found:
        assert each.mean == pytest.approx(open_of(6.0, 2000.0, each.instant, NOW - 48), rel=0.01)
        assert each.low <= each.mean <= each.high
    without = levels(stock, curve, inflow(12, 0.0), [NOW + 12], 90, rng)[0]
    assert without.mean == pytest.approx(open_of(6.0, 2000.0, NOW, NOW - 48) * np.exp(-2.0), rel=0.02)


def test_unsure_entries_widen_the_interval() -> None:
    told = [snapshot(6.0, 2000.0, 1.0)]
    curve, stock = fitted(looks_of(told)), stock_of(told)

    narrow = levels(stock, curve, inflow(12, 2000.0), [NOW + 12], 90, np.random.default_rng(1))[0]
    wide = levels(stock, curve, inflow(12, 2000.0, 0.01), [NOW + 12], 90, np.random.default_rng(1))[0]

    assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)


def test_noise_below_zero_is_kept_as_it_is_and_shown_as_nothing() -> None:
    stock = Stock(*(np.array([each]) for each in (NOW - 1, 0.5, -400.0, 100.0, 20.0, 100.0, 10.0)))
    curve = Curve(np.log(np.full(3, 0.2)), np.eye(3) * 1e-4, 0.0, 10.0)

    found = levels(stock, curve, inflow(1, 0.0), [NOW], 90, np.random.default_rng(1))[0]

    assert found.signed < 0
    assert (found.mean, found.low) == (0.0, 0.0)
    assert stock.counted.estimate == -400.0


def test_the_last_rate_goes_on_beyond_the_oldest_age() -> None:
    rates: Floats = np.log(np.array([0.5, 0.1]))
    curve = Curve(rates, np.eye(2), 0.0, 2.0)

    assert EDGES[1] == 1.0
    assert curve.open_at(np.array([1.0, 11.0])) == pytest.approx(np.exp([-0.5, -1.5]))
    assert curve.kept(np.array([1.0]), np.array([11.0])) == pytest.approx(np.exp([-1.0]))


def test_the_same_state_of_the_generator_gives_the_same_interval() -> None:
    told = [snapshot(6.0, 300.0, 8.0, rng=np.random.default_rng(2))]
    curve, stock = fitted(looks_of(told)), stock_of(told)

    first, second = (levels(stock, curve, inflow(6, 300.0), [NOW + 6], 90, np.random.default_rng(9)) for _ in range(2))

    assert first == second


def test_months_not_begun_and_entries_within_their_noise_are_not_looked_at() -> None:
    def given(entries: float, noise: float) -> Snapshot:
        half, variance = np.full(2, entries / 2), np.full(2, noise)
        return Snapshot("r", NOW, np.array([NOW - 2, NOW]), half, variance, half, variance)

    assert looks_of([given(100.0, 1.0)]).ages.tolist() == [1.5]
    assert looks_of([given(1.0, 400.0)]).ages.tolist() == []
