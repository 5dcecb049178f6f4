"""The clock of one release: which hours carry how much, and one case in how many seconds, each with its error."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from contracts.errors import InvalidInput
from contracts.grid import Grid
from contracts.periods import Period
from contracts.release import ReleaseBody
from forecasting.panel import Floats

HOUR = "hour"
HALF_WIDTHS_95 = 1.959964
SECONDS_A_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Pace:
    """One case every ``seconds``; the exact figure lies between ``low`` and ``high`` 95 times in 100.

    ``high`` is infinite when the noise leaves open that there was no case at all.
    """

    seconds: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class HourProfile:
    """A day of 24 hours.

    Attributes:
        shares: Share of the cases in each hour, 0 to 1; noise below nothing is shown as nothing.
        errors_95: Half-width of the 95 % interval of each share.
        pace: How often a case comes, over all hours; none when noise hides every case.
    """

    shares: tuple[float, ...]
    errors_95: tuple[float, ...]
    pace: Pace | None


def hour_profiles(body: ReleaseBody) -> dict[tuple[str, ...], HourProfile]:
    """The profile of each combination of labels, and under ``()`` that of all cases together.

    Of a family it reads the unbiased estimates; that of all cases has the noise of the table by hour, if there is one.

    Raises:
        InvalidInput: ``release-not-a-series`` for a release without counts by hour.
    """
    released = next((each for each in body.released if each.measure == "count"), None)
    names = [axis.name for axis in body.grid.axes]
    if released is None or HOUR not in names:
        raise InvalidInput("release-not-a-series", why="it has no count by hour")
    finest = _counted(body, names)
    cells, sigma = (released.cells, released.sigma) if finest is None else finest
    rows, labels = _by_label(body.grid, np.asarray(cells, dtype=np.float64), names.index(HOUR))
    seconds = seconds_of(body.query.period)
    found = {label: profile(row, sigma**2, seconds) for label, row in zip(labels, rows, strict=True)}
    by_hour = _counted(body, [HOUR])
    variance = sigma**2 * len(rows) if by_hour is None else by_hour[1] ** 2
    return {**found, (): profile(rows.sum(axis=0), variance, seconds)}


def _counted(body: ReleaseBody, by: Sequence[str]) -> tuple[tuple[float, ...], float] | None:
    """The unbiased counts of a table of a family and their standard deviation, if the release has that table."""
    tables = (each for each in body.tables if each.measure == "count" and sorted(each.by) == sorted(by))
    return next(((each.estimates, float(np.sqrt(np.mean(np.square(each.sigmas))))) for each in tables), None)


def profile(hours: Floats, noise_variance: float, seconds: float) -> HourProfile:
    """The profile of one row of counts by hour.

    Args:
        hours: Signed noisy counts, one for each hour.
        noise_variance: Of each count, in cases squared.
        seconds: The length of the period counted.
    """
    total = float(hours.sum())
    if total <= 0:
        flat = 1.0 / len(hours)
        return HourProfile((flat,) * len(hours), (1.0,) * len(hours), None)
    shares = hours / total
    # Delta method: the share's own noise, less what it shares with the total, plus the total's.
    variance = noise_variance * (1.0 - 2.0 * shares + len(hours) * shares**2) / total**2
    errors = np.minimum(HALF_WIDTHS_95 * np.sqrt(variance), 1.0)
    return HourProfile(
        shares=tuple(float(each) for each in np.clip(shares, 0.0, 1.0)),
        errors_95=tuple(float(each) for each in errors),
        pace=pace_of(total, HALF_WIDTHS_95 * math.sqrt(noise_variance * len(hours)), seconds),
    )


def seconds_of(period: Period) -> float:
    """The length of a period; Bangkok has no summer time."""
    return float((period.until - period.start).days * SECONDS_A_DAY)


def pace_of(total: float, error_95: float, seconds: float) -> Pace:
    """How often a case comes.

    Args:
        total: Cases of the period, above 0.
        error_95: Half-width of their 95 % interval.
        seconds: The length of the period.
    """
    high = seconds / (total - error_95) if total > error_95 else math.inf
    return Pace(seconds=seconds / total, low=seconds / (total + error_95), high=high)


def _by_label(grid: Grid, cells: Floats, place: int) -> tuple[Floats, list[tuple[str, ...]]]:
    shaped = np.moveaxis(cells.reshape([len(axis.values) for axis in grid.axes]), place, -1)
    others = Grid(axes=tuple(axis for axis in grid.axes if axis.name != HOUR))
    return shaped.reshape(-1, shaped.shape[-1]), list(others.keys())
