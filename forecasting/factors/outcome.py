"""The counts whose rates are compared: one dataset's released figures by province and month or fiscal year."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pandas as pd

from contracts.code_lists import code_list, crosswalk
from contracts.errors import InvalidInput
from contracts.periods import BUDDHIST_ERA, window_of
from contracts.release import ReleaseBody
from forecasting.cells import ESTIMATE, SIGMA, YEAR, CellTable, cell_table
from forecasting.factors.season import MONTHS_IN_YEAR, days_of
from forecasting.panel import MONTH, Floats

AREA, GROUP, OFFENCE, ENFORCED = "province", "offence_group", "offence", "G4"
CASES, ARRESTS = "crimes_case", "crimes_arrest"
ROUND_OFF = 1e-6


@dataclass(frozen=True, slots=True)
class Question:
    """Which counts.

    Attributes:
        dataset: The identifier of a contract that offers counts by province.
        where: Only these labels. Of criminal cases all groups but those that count arrests, unless it names them.
        grain: ``month`` or ``fiscal_year``.
    """

    dataset: str = CASES
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    grain: str = MONTH

    @property
    def labels(self) -> dict[str, tuple[str, ...]]:
        """``where``, with the groups that are no enforcement if it names none."""
        if self.dataset != CASES or GROUP in self.where or OFFENCE in self.where:
            return dict(self.where)
        groups = tuple(code for code in code_list("offence_groups").titles if code != ENFORCED)
        return {**self.where, GROUP: groups}

    @property
    def is_enforcement(self) -> bool:
        """Whether it counts arrests, which follow the work of the police."""
        if self.dataset == ARRESTS:
            return True
        group_of = crosswalk("offences", "offence_groups")
        named = {*self.labels.get(GROUP, ()), *(group_of.get(each, "") for each in self.labels.get(OFFENCE, ()))}
        return ENFORCED in named


@dataclass(frozen=True, eq=False)
class Outcome:
    """Signed counts of areas x periods, with the standard deviation of the noise in each.

    ``months`` are all months that they cover; ``left_out`` are fiscal years of which months are missing.
    """

    areas: tuple[str, ...]
    periods: tuple[str, ...]
    figures: Floats
    sigmas: Floats
    months: tuple[str, ...]
    releases: tuple[str, ...]
    left_out: tuple[str, ...] = ()

    @property
    def by_month(self) -> bool:
        """Whether the periods are months."""
        return not self.periods[0].startswith("FY")

    @property
    def years(self) -> Floats:
        """The length of each period, in years of 365.25 days."""
        by_year: dict[str, float] = dict.fromkeys(self.periods, 0.0)
        for month, days in zip(self.months, days_of(self.months), strict=True):
            key = month if self.by_month else window_of(pd.Period(month).start_time.date())
            by_year[key] = by_year.get(key, 0.0) + float(days)
        return np.array([by_year[period] for period in self.periods]) / 365.25

    @property
    def middles(self) -> tuple[date, ...]:
        """The middle of each period."""
        return tuple(middle_of(period) for period in self.periods)


def middle_of(period: str) -> date:
    """The middle of a month, or of a fiscal year: 1 April."""
    if period.startswith("FY"):
        return date(int(period.removeprefix("FY")) - BUDDHIST_ERA, 4, 1)
    return date.fromisoformat(f"{period}-15")


def outcome_of(bodies: Sequence[ReleaseBody], question: Question) -> Outcome:
    """The counts that a question asks for, from releases.

    Raises:
        InvalidInput: ``release-not-a-series``, when no release tells them, or one of a province and period is missing;
            ``not-enough-history`` is no matter here: a single year can be compared between provinces.
    """
    table = cell_table(bodies, question.dataset, "count", [AREA, question.grain], question.labels)
    whole = _whole_years(table) if question.grain == YEAR else tuple(table.frame[MONTH].unique())
    periods = tuple(sorted(whole))
    if not periods:
        raise InvalidInput("release-not-a-series", why="no fiscal year has all its months")
    kept = table.frame[table.frame[question.grain].isin(periods)]
    figures, sigmas = (kept.pivot_table(values=name, index=AREA, columns=question.grain) for name in (ESTIMATE, SIGMA))
    areas = tuple(str(area) for area in figures.index)
    if bool(figures.isna().to_numpy().any()):
        raise InvalidInput("release-not-a-series", why="a cell is missing")
    every = {str(each) for each in table.frame[question.grain]}
    return Outcome(
        areas=areas,
        periods=periods,
        figures=figures[list(periods)].to_numpy(dtype=np.float64),
        sigmas=sigmas[list(periods)].to_numpy(dtype=np.float64),
        months=table.months,
        releases=table.releases,
        left_out=tuple(sorted(every - set(periods))),
    )


def _whole_years(table: CellTable) -> tuple[str, ...]:
    """The fiscal years of which all twelve months were released."""
    windows = [window_of(pd.Period(month).start_time.date()) for month in table.months]
    return tuple(each for each in dict.fromkeys(windows) if windows.count(each) == MONTHS_IN_YEAR)
