"""The sets of ``benchmarks.forecast``: exact counts as hierarchies, each scored on the last windows of what is given.

Nothing here knows the years: a file of the same layout with other years is scored on *its* last 36 whole months.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from forecasting.evaluation import last_origins
from forecasting.exact_trees import AREA, EVERYWHERE, OFFENCE, exact_tree
from forecasting.hierarchy import Hierarchy
from forecasting.seasons import YEAR
from forecasting.synthetic_thai import LEVELS, Made, thai_set

STATE_FILE = Path("state_monthly") / "counts.parquet"
CITY_FILE = Path("city_incidents") / "incidents.parquet"
WEEKS = 52
SEED = 77_15


@dataclass(frozen=True, eq=False)
class TrialSet:
    """One set to forecast.

    Attributes:
        name: As figures begin.
        truth: Exact counts.
        levels: The names of its levels, the coarsest first.
        target: The level that targets are about: the analogue of a Thai province.
        horizon: Periods ahead.
        origins: How many windows are scored; they touch each other and end with the set.
        season: Periods of a year.
    """

    name: str
    truth: Hierarchy
    levels: tuple[str, ...]
    target: str
    horizon: int = 6
    origins: int = 6
    season: int = YEAR

    @property
    def window(self) -> tuple[int, tuple[int, ...], int]:
        """Horizon, origins and season."""
        return self.horizon, last_origins(len(self.truth.levels[-1].months), self.horizon, self.origins), self.season


def state_set(data: Path) -> TrialSet:
    """Recorded offences of a state by month: state, 7 regions, 39 commands, 126 police-station areas."""
    rows = pd.read_parquet(data / STATE_FILE)
    months = pd.PeriodIndex(rows["ds"], freq="M")
    leaves = _wide(rows["area"], rows["offence"], months, rows["y"])
    homes = rows.drop_duplicates("area").set_index("area")
    coarser = [dict.fromkeys(homes.index, EVERYWHERE), _mapping(homes["risp"]), _mapping(homes["aisp"])]
    return TrialSet("state", exact_tree(leaves, coarser), ("state", "risp", "aisp", "cisp"), "aisp")


def city_set(data: Path) -> TrialSet:
    """Incidents of a city by whole months: city, districts, police service areas."""
    rows = _incidents(data)
    months = pd.PeriodIndex(rows["date"], freq="M")
    whole = _whole(months, pd.DatetimeIndex(rows["date"]))
    leaves = _wide(rows["area"][whole], rows["offence"][whole], months[whole])
    return TrialSet("city", exact_tree(leaves, _districts(rows)), ("city", "district", "area"), "district")


def city_week_set(data: Path) -> TrialSet:
    """The same by whole weeks, Monday to Sunday, four weeks ahead: mostly small counts and zeros."""
    rows = _incidents(data)
    weeks = pd.PeriodIndex(rows["date"], freq="W-SUN")
    whole = _whole(weeks, pd.DatetimeIndex(rows["date"]))
    leaves = _wide(rows["area"][whole], rows["offence"][whole], weeks[whole])
    truth = exact_tree(leaves, _districts(rows))
    return TrialSet("city_week", truth, ("city", "district", "area"), "area", horizon=4, origins=8, season=WEEKS)


def thai_trial(made: Made | None = None, seed: int = SEED) -> TrialSet:
    """The made-up Thai set, drawn from a seed: the same counts in every run."""
    return TrialSet("thai", thai_set(np.random.default_rng(seed), made), LEVELS, "province")


def _incidents(data: Path) -> pd.DataFrame:
    rows = pd.read_parquet(data / CITY_FILE, columns=["area", "district", "offence", "date"])
    return rows.assign(date=pd.to_datetime(rows["date"]))


def _whole(periods: pd.PeriodIndex, dates: pd.DatetimeIndex) -> np.ndarray:
    """Which rows lie in a period that the data covers from its first day to its last."""
    first, last = dates.min().normalize(), dates.max().normalize()
    return np.asarray((periods.start_time >= first) & (periods.end_time.normalize() <= last))


def _wide(
    areas: pd.Series, offences: pd.Series, periods: pd.PeriodIndex, counts: pd.Series | None = None
) -> pd.DataFrame:
    """Every area x every offence, by consecutive periods; nothing recorded is a count of zero."""
    keys = [areas.to_numpy(), offences.to_numpy(), periods]
    values = pd.Series(np.ones(len(areas)) if counts is None else counts.to_numpy(dtype=np.float64))
    table = values.groupby(keys).sum().unstack(fill_value=0)  # noqa: PD010  # pivot() takes no series
    every = pd.MultiIndex.from_product([sorted(areas.unique()), sorted(offences.unique())], names=[AREA, OFFENCE])
    span = pd.period_range(periods.min(), periods.max(), freq=periods.freq)
    return table.rename_axis(index=[AREA, OFFENCE]).reindex(index=every, columns=span, fill_value=0.0)


def _districts(rows: pd.DataFrame) -> list[Mapping[str, str]]:
    homes = rows.drop_duplicates("area").set_index("area")
    return [dict.fromkeys(homes.index, EVERYWHERE), _mapping(homes["district"])]


def _mapping(column: pd.Series) -> dict[str, str]:
    return {str(area): str(parent) for area, parent in column.items()}
