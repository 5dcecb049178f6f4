"""The factors beside the counts: what each is, how sure it is, and what had to be left out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import pandas as pd

from contracts.errors import InvalidInput
from contracts.periods import window_of
from contracts.release import ReleaseBody
from forecasting.cells import ESTIMATE, SIGMA, YEAR, cell_table
from forecasting.factors.covariate_file import NATION, CovariateFile
from forecasting.factors.estimation import Cells
from forecasting.factors.outcome import AREA, Outcome
from forecasting.factors.population import Population
from forecasting.factors.season import HOLIDAYS, calendar_of, trend_of
from forecasting.panel import MONTH, Floats

FEWEST_PERIODS, FEWEST_FOR_TREND = 12, 24
"""A factor that is the same everywhere is told by periods alone; with fewer, none can be told."""

FEWEST_KNOWN = 0.8
"""A factor that nobody loaded does not cost more than a fifth of the periods: it is left out instead."""

PEOPLE = 100_000.0
SMALLEST_SPREAD = 1e-9
PRISON: Mapping[str, str] = {"doc_release_cohort": "prison_releases", "doc_prisoner": "prison_admissions"}
"""Datasets of prisons and the factor that their count is, for each 100,000 people."""


@dataclass(frozen=True, eq=False)
class Factor:
    """One circumstance of every area in every period.

    Attributes:
        name: For machines; for a user's series the name of its column.
        figures: Areas x periods; NaN where it is not known.
        sigmas: The standard deviation of the known noise in each; zero where it is exact.
        step: The difference that the rate ratio is for, in the factor's unit; the standard deviation over all cells if
            none is given.
    """

    name: str
    figures: Floats
    sigmas: Floats
    step: float | None = None

    @property
    def nationwide(self) -> bool:
        """Whether it is the same in all areas in every period."""
        return bool(np.ptp(self.figures, axis=0).max() <= SMALLEST_SPREAD)

    @property
    def known(self) -> float:
        """The share of the periods in which it is known in every area."""
        return float((~np.isnan(self.figures).any(axis=0)).mean())

    @property
    def spread(self) -> float:
        """The standard deviation of the true figures: the noise's variance is taken off; 0 if it is all noise."""
        return float(np.sqrt(max(self.figures.var() - (self.sigmas**2).mean(), 0.0)))

    @property
    def reliability(self) -> float:
        """The share of the variance that is no noise, 0 to 1."""
        return float(self.spread**2 / self.figures.var())

    def kept(self, places: Sequence[int]) -> Self:
        """The factor in some of the periods."""
        return replace(self, figures=self.figures[:, places], sigmas=self.sigmas[:, places])


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A factor or a period that could not be used, with the key of the reason in ``words.toml``."""

    name: str
    why: str


@dataclass(frozen=True, eq=False)
class Design:
    """Counts, exposure and factors over the same areas and periods.

    ``people`` are the registered people of each area and period; a rate is for each 100,000 of them and year.
    """

    outcome: Outcome
    people: Floats
    factors: tuple[Factor, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def exposure(self) -> Floats:
        """100,000 people and years."""
        return np.asarray(self.people / PEOPLE * self.outcome.years, dtype=np.float64)

    def cells(self) -> Cells:
        """What the model is fitted to; every factor around its mean, in its standard deviations."""
        areas, periods = self.outcome.figures.shape
        scaled = [(each.figures - each.figures.mean()) / each.spread for each in self.factors]
        noise = [(each.sigmas / each.spread) ** 2 for each in self.factors]
        ones = np.ones((areas, periods))
        return Cells(
            figures=self.outcome.figures.ravel(),
            columns=np.stack([ones, *scaled], axis=-1).reshape(areas * periods, -1),
            offset=np.log(self.exposure).ravel(),
            noise=(self.outcome.sigmas**2).ravel(),
            column_noise=np.stack([0.0 * ones, *noise], axis=-1).reshape(areas * periods, -1),
            areas=np.repeat(np.arange(areas), periods),
            periods=np.tile(np.arange(periods), areas),
        )


def design_of(
    outcome: Outcome,
    population: Population,
    files: Sequence[CovariateFile] = (),
    bodies: Sequence[ReleaseBody] = (),
    without: Sequence[str] = (),
) -> Design:
    """Put the factors beside the counts: the calendar, the population, prisons, and the user's series.

    Periods that a factor does not cover, and factors that cannot be told, are left out and named.

    Args:
        outcome: The counts.
        population: Registered people, and their ages if it has them.
        files: The user's series.
        bodies: Releases; those of prisons become factors.
        without: Names of factors that are not wanted.

    Raises:
        InvalidInput: ``covariates-invalid`` when no factor or no period is left, or two files have the same factor.
    """
    people = population.at(population.totals, outcome.areas, outcome.middles)
    prisons = _prisons(outcome, bodies, people)
    covering = [each for each in prisons if each.known >= FEWEST_KNOWN]
    found = [
        *_calendar(outcome),
        *_structure(outcome, population),
        *covering,
        *(factor for file in files for factor in _loaded(outcome, file)),
    ]
    wanted = [each for each in found if each.name not in without]
    _check_names(wanted)
    places = _known(outcome, [people, *(each.figures for each in wanted)], files)
    kept, unusable = _usable([each.kept(places) for each in wanted])
    if not kept:
        raise InvalidInput("covariates-invalid", where="the factors", why="none of them can be used")
    missing = [*outcome.left_out, *(each for n, each in enumerate(outcome.periods) if n not in places)]
    return Design(
        outcome=_shortened(outcome, places),
        people=people[:, places],
        factors=tuple(kept),
        left_out=(
            *unusable,
            *(LeftOut(each.name, "short") for each in prisons if each.known < FEWEST_KNOWN),
            *(LeftOut(period, "period") for period in missing),
        ),
    )


def _calendar(outcome: Outcome) -> list[Factor]:
    if not outcome.by_month:
        return []
    shape = outcome.figures.shape
    steps = {"new_year_days": float(HOLIDAYS), "songkran_days": float(HOLIDAYS)}
    found = [
        Factor(name, np.broadcast_to(figures, shape), np.zeros(shape), steps.get(name, 1.0))
        for name, figures in calendar_of(outcome.periods).items()
    ]
    if len(outcome.periods) >= FEWEST_FOR_TREND:
        found.append(Factor("years", np.broadcast_to(trend_of(outcome.periods), shape), np.zeros(shape), 1.0))
    return found


def _structure(outcome: Outcome, population: Population) -> list[Factor]:
    return [
        Factor(name, population.at(table, outcome.areas, outcome.middles), np.zeros(outcome.figures.shape))
        for name, table in population.shares.items()
    ]


def _prisons(outcome: Outcome, bodies: Sequence[ReleaseBody], people: Floats) -> list[Factor]:
    found = (_prison(outcome, bodies, dataset, people) for dataset in PRISON)
    return [each for each in found if each is not None]


def _prison(outcome: Outcome, bodies: Sequence[ReleaseBody], dataset: str, people: Floats) -> Factor | None:
    """A prison dataset's count for each 100,000 people: by province if it was released so, else nationwide."""
    grain = MONTH if outcome.by_month else YEAR
    for by in ([AREA, grain], [grain]):
        try:
            frame = cell_table(bodies, dataset, "count", by).frame
        except InvalidInput:
            continue
        wide = [_spread_out(frame, by, name, outcome) for name in (ESTIMATE, SIGMA)]
        over = (people if AREA in by else people.sum(axis=0, keepdims=True)) / PEOPLE
        return Factor(PRISON[dataset], wide[0] / over, np.nan_to_num(wide[1] / over))
    return None


def _spread_out(frame: pd.DataFrame, by: Sequence[str], name: str, outcome: Outcome) -> Floats:
    rows: dict[tuple[str, ...], float] = {
        tuple(str(row[each]) for each in by): float(row[name]) for row in frame.to_dict("records")
    }
    areas = outcome.areas if AREA in by else ("",)
    keys = [[((area, period) if AREA in by else (period,)) for period in outcome.periods] for area in areas]
    figures = np.array([[rows.get(key, np.nan) for key in line] for line in keys])
    return np.broadcast_to(figures, outcome.figures.shape)


def _loaded(outcome: Outcome, file: CovariateFile) -> list[Factor]:
    """A file's factors. A year's figure stands for each of its months; a year has the mean of its twelve months."""
    found = []
    for place, name in enumerate(file.factors):
        figures = [[_figure(file, area, period, place) for period in outcome.periods] for area in outcome.areas]
        found.append(Factor(name, np.array(figures), np.zeros(outcome.figures.shape)))
    return found


def _figure(file: CovariateFile, area: str, period: str, place: int) -> float:
    where = NATION if file.nationwide else area
    keys = _keys(file.grain, period)
    figures = [file.rows[where, key][place] for key in keys if (where, key) in file.rows]
    return float(np.mean(figures)) if len(figures) == len(keys) else np.nan


def _keys(grain: str, period: str) -> tuple[str, ...]:
    """The file's periods that an outcome's period needs."""
    if grain == MONTH and period.startswith("FY"):
        ends = pd.Period(f"{int(period.removeprefix('FY')) - 543}-09", freq="M")
        return tuple(str(ends - back) for back in range(12))
    if grain == YEAR and not period.startswith("FY"):
        return (window_of(pd.Period(period).start_time.date()),)
    return (period,)


def _check_names(factors: Sequence[Factor]) -> None:
    names = [each.name for each in factors]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InvalidInput("covariates-invalid", where="the factors", why=f"{', '.join(twice)} stands in two places")


def _known(outcome: Outcome, tables: Sequence[Floats], files: Sequence[CovariateFile]) -> list[int]:
    """The periods in which everything is known in every area."""
    whole = np.all([~np.isnan(table).any(axis=0) for table in tables], axis=0)
    places = [int(place) for place in np.flatnonzero(whole)]
    if places:
        return places
    unknown = np.any([np.isnan(table) for table in tables], axis=0)
    area, period = (int(place) for place in np.argwhere(unknown)[0])
    where = ", ".join(each.name for each in files) or "the population"
    first = f"province {outcome.areas[area]}, {outcome.periods[period]}"
    raise InvalidInput(
        "covariates-invalid", where=where, why=f"no period has a figure everywhere; one is missing: {first}"
    )


def _usable(factors: Sequence[Factor]) -> tuple[list[Factor], list[LeftOut]]:
    kept: list[Factor] = []
    left_out = []
    for factor in factors:
        why = _why_not(factor)
        if why is None:
            kept.append(factor)
        else:
            left_out.append(LeftOut(factor.name, why))
    return kept, left_out


def _why_not(factor: Factor) -> str | None:
    if factor.figures.std() <= SMALLEST_SPREAD * max(1.0, float(np.abs(factor.figures).max())):
        return "constant"
    if factor.nationwide and factor.figures.shape[1] < FEWEST_PERIODS:
        return "few-periods"
    return "noise" if factor.spread**2 <= (factor.sigmas**2).mean() else None


def _shortened(outcome: Outcome, places: Sequence[int]) -> Outcome:
    return replace(
        outcome,
        periods=tuple(outcome.periods[place] for place in places),
        figures=outcome.figures[:, places],
        sigmas=outcome.sigmas[:, places],
    )
