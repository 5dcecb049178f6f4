"""Cohorts: what entered a stage in a month or a fiscal year, and what had become of it on the day of a release.

A dataset has one row for each entry, counted in the month of entry, under the state that it had reached when the
release was made. So each release is a snapshot, and each month in it a cohort of a known age. Snapshots of different
days are kept apart: the state of January's entries as of February says nothing of today.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date

import numpy as np
import pandas as pd

from contracts.code_lists import code_list
from contracts.errors import InvalidInput, Refused
from contracts.release import ReleaseBody
from contracts.schedule import BANGKOK
from forecasting.cells import ESTIMATE, SIGMA, YEAR, cell_table
from forecasting.flow.ratios import NONE, Count
from forecasting.flow.stages import Stage
from forecasting.panel import MONTH, Floats

COUNT = "count"
MONTHS = 12
UNREADABLE = "release-not-a-series"


@dataclass(frozen=True, eq=False)
class Snapshot:
    """What one release tells of entries by month.

    Attributes:
        release: Its identifier.
        as_of: When it was made, in months since the year 0 (``instant``).
        months: The months of entry, each as a number (``number_of``), oldest first.
        open: For each month the entries that were still open: signed and noisy.
        open_variance: Of the noise in each.
        closed: The entries that were not.
        closed_variance: Of the noise in each.
    """

    release: str
    as_of: float
    months: Floats
    open: Floats
    open_variance: Floats
    closed: Floats
    closed_variance: Floats

    @property
    def ages(self) -> Floats:
        """For each cohort its age in months, counted from the middle of the month of entry."""
        return np.asarray(self.as_of - (self.months + 0.5), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class YearCohort:
    """What entered in one fiscal year, by the state that it had reached.

    Attributes:
        fiscal_year: Such as ``FY2568``.
        counts: By code of the stage's axis, or by what else was asked.
        as_of: The oldest day on which one of its months was told.
        latest: The newest.
        months: How many months of the year they cover, 1 to 12.
        releases: Their identifiers.
    """

    fiscal_year: str
    counts: Mapping[str, Count]
    as_of: date
    latest: date
    months: int
    releases: tuple[str, ...]

    def total(self, codes: Sequence[str] | None = None) -> Count:
        """The entries under these codes; under all if none are named."""
        named = self.counts if codes is None else codes
        return sum((self.counts[code] for code in named), NONE)


def number_of(month: str) -> int:
    """A month ``YYYY-MM`` as months since the year 0."""
    return int(month[:4]) * MONTHS + int(month[5:7]) - 1


def month_of(number: int) -> str:
    """The month of a number."""
    return f"{number // MONTHS:04d}-{number % MONTHS + 1:02d}"


def instant(day: date) -> float:
    """A day as months since the year 0: the first of a month is whole."""
    month = pd.Period(day, freq="M")
    return number_of(str(month)) + (day.day - 1) / month.days_in_month


def data_day(body: ReleaseBody, data_as_of: date | None) -> date:
    """The day up to which a release's data can reach: when it was made, or the day given if that is earlier.

    Raises:
        Refused: ``data-day-too-early``, when the day given lies before the end of the months that the release counts.
    """
    made = (body.created.astimezone(UTC) + BANGKOK).date()
    if data_as_of is None or data_as_of >= made:
        return made
    if data_as_of < body.query.period.until:
        raise Refused("data-day-too-early", day=data_as_of, release=body.id, until=body.query.period.until)
    return data_as_of


def snapshots(
    bodies: Sequence[ReleaseBody], stage: Stage, where: Mapping[str, Sequence[str]], data_as_of: date | None
) -> tuple[Snapshot, ...]:
    """Every release that tells a stage's entries by month and state, the oldest first.

    Args:
        bodies: Valid releases of anything.
        stage: The stage.
        where: Only the entries with these labels.
        data_as_of: The day up to which the agency's data reach, if it is known to lie before the releases.

    Raises:
        Refused: ``data-day-too-early``.
    """
    found = []
    for body, frame in _answers(bodies, stage.dataset, (MONTH, stage.axis), where):
        if set(frame[stage.axis]) != _codes(stage):
            continue
        is_open = frame[stage.axis].isin(stage.open)
        still, done = _by_month(frame[is_open]), _by_month(frame[~is_open])
        found.append(
            Snapshot(
                release=body.id,
                as_of=instant(data_day(body, data_as_of)),
                months=np.array([number_of(month) for month in still.index], dtype=np.float64),
                open=still[ESTIMATE].to_numpy(dtype=np.float64),
                open_variance=still[SIGMA].to_numpy(dtype=np.float64),
                closed=done[ESTIMATE].to_numpy(dtype=np.float64),
                closed_variance=done[SIGMA].to_numpy(dtype=np.float64),
            )
        )
    return tuple(sorted(found, key=lambda each: each.as_of))


def year_cohorts(
    bodies: Sequence[ReleaseBody],
    dataset: str,
    axis: str,
    where: Mapping[str, Sequence[str]],
    data_as_of: date | None = None,
) -> tuple[YearCohort, ...]:
    """What entered in each fiscal year by the labels of one axis, the oldest first.

    Of a year that is told by months, by quarters or as a whole, what covers most months counts, then the newest.

    Raises:
        Refused: ``data-day-too-early``.
    """
    told = [
        *_years_of_months(bodies, dataset, axis, where, data_as_of),
        *_whole_years(bodies, dataset, axis, where, data_as_of),
    ]
    best: dict[str, YearCohort] = {}
    for cohort in sorted(told, key=lambda each: (each.months, each.as_of)):
        best[cohort.fiscal_year] = cohort
    return tuple(best[year] for year in sorted(best))


def _answers(
    bodies: Sequence[ReleaseBody], dataset: str, by: Sequence[str], where: Mapping[str, Sequence[str]]
) -> Iterator[tuple[ReleaseBody, pd.DataFrame]]:
    """Each release that tells this, on its own."""
    for body in bodies:
        try:
            yield body, cell_table([body], dataset, COUNT, by, where).frame
        except InvalidInput as error:
            if error.code != UNREADABLE:
                raise


def _codes(stage: Stage) -> set[str]:
    return set(code_list(stage.code_list).values)


def _by_month(frame: pd.DataFrame) -> pd.DataFrame:
    """Sums by month; ``sigma`` then holds the variance."""
    squared = frame.assign(**{SIGMA: frame[SIGMA] ** 2})
    return squared.groupby(MONTH)[[ESTIMATE, SIGMA]].sum().sort_index()


def _years_of_months(
    bodies: Sequence[ReleaseBody],
    dataset: str,
    axis: str,
    where: Mapping[str, Sequence[str]],
    data_as_of: date | None,
) -> Iterator[YearCohort]:
    by_month = [body for body, _ in _answers(bodies, dataset, (MONTH, axis), where)]
    if not by_month:
        return
    table = cell_table(by_month, dataset, COUNT, (YEAR, MONTH, axis), where)
    days: dict[str, date] = {}
    for body in by_month:
        day = data_day(body, data_as_of)
        days.update({month: max(day, days.get(month, day)) for month in body.query.period.months()})
    for year, frame in table.frame.groupby(YEAR, sort=True):
        told = [days[month] for month in frame[MONTH].unique()]
        yield YearCohort(str(year), _counts(frame, axis), min(told), max(told), len(told), table.releases)


def _whole_years(
    bodies: Sequence[ReleaseBody],
    dataset: str,
    axis: str,
    where: Mapping[str, Sequence[str]],
    data_as_of: date | None,
) -> Iterator[YearCohort]:
    inside = [body for body in bodies if len(body.query.period.windows()) == 1]
    for body, frame in _answers(inside, dataset, (axis,), where):
        period = body.query.period
        yield YearCohort(
            period.windows()[0],
            _counts(frame, axis),
            data_day(body, data_as_of),
            data_day(body, data_as_of),
            len(period.months()),
            (body.id,),
        )


def _counts(frame: pd.DataFrame, axis: str) -> dict[str, Count]:
    squared = frame.assign(**{SIGMA: frame[SIGMA] ** 2})
    summed = squared.groupby(axis, sort=False)[[ESTIMATE, SIGMA]].sum()
    return {str(code): Count(float(row[ESTIMATE]), float(row[SIGMA])) for code, row in summed.iterrows()}
