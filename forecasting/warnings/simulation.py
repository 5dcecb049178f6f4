"""How many false alarms a year really come: made-up series in which nothing happens, through the very same chart.

The counts are negative binomial around a level of each area with the shape of a year, and the noise of a release is on
top. Every warning that is raised is false, so their number a year is the false-alarm rate, dispersion, season and
levels estimated as in earnest.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecasting.models.prediction import Model
from forecasting.panel import Floats, Panel
from forecasting.warnings.alarms import above_floor, alarms
from forecasting.warnings.chart import control_chart
from forecasting.warnings.limits import MONTHS_A_YEAR, Watch

JUMPING = 10
"""One area in so many has the planted jump."""

_SEASON = 0.15


@dataclass(frozen=True, slots=True)
class World:
    """What is made up.

    Attributes:
        series: How many areas, all of one group.
        months: Of history and watching together.
        smallest: Cases a month of the smallest area.
        largest: Of the largest; those between are spread evenly over orders of magnitude.
        dispersion: Of the negative binomial counts: variance = mean + dispersion x mean squared.
        sigma: Standard deviation of the noise in each released figure.
        drift: Standard deviation of a month's step of each level, on the log scale; 0 if levels stay.
        jump: Factor of a jump planted in every tenth area; 1 for none.
        jump_months: How many months before the end it begins.
    """

    series: int = 261
    months: int = 60
    smallest: float = 5.0
    largest: float = 300.0
    dispersion: float = 0.03
    sigma: float = 5.0
    drift: float = 0.0
    jump: float = 1.0
    jump_months: int = 0


@dataclass(frozen=True, slots=True)
class Alarmed:
    """What a simulation found.

    Attributes:
        alarms: False alarms in all.
        years: Years of watching, of all series together.
        a_year: ``alarms`` over ``years``.
        standard_error: Of ``a_year``: alarms come as independent events.
        stated: The rate that the limits promise.
    """

    alarms: int
    years: float
    a_year: float
    standard_error: float
    stated: float


def false_alarms(draw: np.random.Generator, model: Model, watch: Watch, world: World, runs: int) -> Alarmed:
    """Simulate ``runs`` countries in which nothing happens."""
    found, months = 0, 0
    for _ in range(runs):
        panel = made_up(draw, world)
        charts = control_chart(panel, model, watch, np.zeros(panel.figures.shape, dtype=np.bool_))
        judgeable = np.isfinite(charts[0].variance).any(axis=0)
        first = int(np.flatnonzero(judgeable)[0])
        raised = alarms(charts, above_floor(charts, watch), watch.chance(world.series), first)
        found += len(raised)
        months += world.months - first
    years = months / MONTHS_A_YEAR
    return Alarmed(found, years, found / years, float(np.sqrt(max(found, 1))) / years, watch.rate)


def found_within(draw: np.random.Generator, model: Model, watch: Watch, world: World) -> float:
    """The share of the areas above the floor with a planted jump in which it raises an alarm before the series ends."""
    panel = made_up(draw, world)
    charts = control_chart(panel, model, watch, np.zeros(panel.figures.shape, dtype=np.bool_))
    judged = above_floor(charts, watch)
    start = world.months - world.jump_months
    raised = alarms(charts, judged, watch.chance(world.series), start)
    watched = np.any([may[:, start:].any(axis=1) for may in judged], axis=0) & (np.arange(world.series) % JUMPING == 0)
    rows = {each.row for each in raised if each.raised >= start and bool(watched[each.row])}
    return len(rows) / max(int(watched.sum()), 1)


def made_up(draw: np.random.Generator, world: World) -> Panel:
    """A panel of counts with noise, in cases; see ``World``."""
    level = np.geomspace(world.smallest, world.largest, world.series)[:, None]
    season = 1.0 + _SEASON * np.sin(2 * np.pi * np.arange(world.months) / MONTHS_A_YEAR)
    steps = draw.normal(0.0, world.drift, (world.series, world.months)) if world.drift else 0.0
    mean = level * season * np.exp(np.cumsum(steps, axis=1) if world.drift else 0.0)
    if world.jump_months:
        mean[::JUMPING, -world.jump_months :] *= world.jump
    rate = _gamma(draw, mean, world.dispersion)
    figures = draw.poisson(rate) + np.rint(draw.normal(0.0, world.sigma, mean.shape))
    index = pd.Index([f"{number:04}" for number in range(world.series)], name="province")
    columns = pd.period_range("2020-01", periods=world.months, freq="M")
    return Panel(pd.DataFrame(figures.astype(np.float64), index=index, columns=columns), world.sigma**2)


def _gamma(draw: np.random.Generator, mean: Floats, dispersion: float) -> Floats:
    if dispersion <= 0:
        return mean
    return np.asarray(mean * draw.gamma(1.0 / dispersion, dispersion, mean.shape), dtype=np.float64)
