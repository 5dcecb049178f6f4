"""Backlog and reoffending intervals hold the truth about as often as they say, through the noise of releases.

A hundred and fifty worlds each; at a level of 90 the share held has a standard deviation of 2.4 points by chance alone.
"""

import numpy as np
import pytest

from forecasting.flow.backlog import Inflow, levels, stock_of
from forecasting.flow.cohorts import Snapshot, number_of
from forecasting.flow.completion import fitted, looks_of
from forecasting.flow.ratios import Count
from forecasting.panel import Floats
from forecasting.reoffending.followup import Cohort
from forecasting.reoffending.lifetable import curve

pytestmark = pytest.mark.property

LEVEL, WORLDS = 90, 150
NOW = number_of("2025-10")
MONTHS, AHEAD = 36, 12


def opened(rng: np.random.Generator, entries: float, stay: float, never: float) -> tuple[Floats, Floats]:
    """When entries of three years and one to come began, and ended; a share of them never ends."""
    counts = rng.poisson(entries, MONTHS + AHEAD)
    began = np.repeat(np.arange(NOW - MONTHS, NOW + AHEAD), counts) + rng.random(int(counts.sum()))
    lasts = np.where(rng.random(len(began)) < never, np.inf, rng.exponential(stay, len(began)))
    return began, began + lasts


def seen(rng: np.random.Generator, began: Floats, ended: Floats, sigma: float) -> Snapshot:
    """What a release tells of them today."""
    months = np.arange(NOW - MONTHS, NOW, dtype=np.float64)
    known = began < NOW
    place = (np.floor(began[known]) - months[0]).astype(int)
    total = np.bincount(place, minlength=MONTHS).astype(np.float64)
    still = np.bincount(place, ended[known] > NOW, minlength=MONTHS)
    noise = np.full(MONTHS, sigma**2)
    off = rng.standard_normal((2, MONTHS)) * sigma
    return Snapshot("r", float(NOW), months, still + off[0], noise, total - still + off[1], noise)


@pytest.mark.parametrize(
    ("entries", "stay", "never", "sigma"), [(300.0, 6.0, 0.0, 10.0), (60.0, 8.0, 0.0, 15.0), (300.0, 4.0, 0.1, 10.0)]
)
def test_the_interval_of_the_backlog_holds_what_comes(entries: float, stay: float, never: float, sigma: float) -> None:
    rng = np.random.default_rng(17)
    instants = (NOW + 3.0, NOW + 12.0)
    mean = np.full(AHEAD, entries)
    inflow = Inflow(np.arange(NOW, NOW + AHEAD, dtype=np.float64), mean, mean)
    held = np.zeros(2)
    for _ in range(WORLDS):
        began, ended = opened(rng, entries, stay, never)
        told = [seen(rng, began, ended, sigma)]
        found = levels(stock_of(told), fitted(looks_of(told)), inflow, instants, LEVEL, rng)
        truth = [int(((began <= now) & (ended > now)).sum()) for now in instants]
        held += [each.low <= count <= each.high for each, count in zip(found, truth, strict=True)]

    assert (held / WORLDS >= 0.84).all()
    assert (held / WORLDS <= 0.97).all()


@pytest.mark.parametrize(("people", "sigma", "other_is_all"), [(3000, 5.0, False), (150, 5.0, False), (300, 5.0, True)])
def test_the_interval_of_reoffending_holds_the_chance(people: int, sigma: float, other_is_all: bool) -> None:  # noqa: FBT001  # a case
    rng = np.random.default_rng(18)
    upto, hazard = (12, 24, 36), 0.012
    held = np.zeros(3)
    for _ in range(WORLDS):
        cohorts = []
        for number in range(5):
            released = int(rng.poisson(people))
            months = rng.geometric(hazard, released) - 1
            returned = np.histogram(months, [-0.5, 12.5, 24.5, 36.5])[0].astype(np.float64)
            other = released if other_is_all else released - returned.sum()
            cells = np.stack([returned + sigma * rng.standard_normal(3), np.full(3, sigma**2)], axis=1)
            noisy = Count(float(other + sigma * rng.standard_normal()), sigma**2)
            cohorts.append(Cohort(f"FY256{number}", 13.5 + 12 * (4 - number), upto, cells, noisy, other_is_all))
        truth = [1 - (1 - hazard) ** (month + 1) for month in upto]
        found = curve(cohorts, LEVEL, rng)
        held += [(each.low or 0.0) <= chance <= (each.high or 0.0) for each, chance in zip(found, truth, strict=True)]

    assert (held / WORLDS >= 0.85).all()
    assert (held / WORLDS <= 0.96).all()
