"""Released counts as one series for each area: provinces, or pilot stations beside what is left of their provinces."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from contracts.code_lists import code_list
from contracts.errors import InvalidInput
from contracts.release import ReleaseBody
from forecasting.breaks import Declared, declared
from forecasting.cells import ESTIMATE, SIGMA, CellTable, cell_table
from forecasting.enforcement import VICTIMISATION, refuse_enforcement
from forecasting.panel import MONTH, Panel, panel_of_table, with_cell_noise

COUNT, AREA = "count", "area"
PROVINCE, STATION, GROUP = "province", "ssz_station", "offence_group"
KINDS = {"tpo_complaint": "tech_case_types", "dop_case": "probation_case_types"}
"""The code list of what a dataset counts, where nothing is filtered."""

REST = "-rest"
"""What follows a province's code where its pilot stations are counted apart."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Which cases: of what dataset, and with which labels.

    ``where`` filters; of a dataset with offence groups it names them, for those that count arrests are never evaluated.
    """

    dataset: str = "crimes_case"
    where: Mapping[str, Sequence[str]] = field(default_factory=lambda: {GROUP: VICTIMISATION})

    def checked(self, use: str) -> None:
        """Refuse what counts enforcement.

        Raises:
            InvalidInput: ``enforcement-is-not-risk``.
        """
        refuse_enforcement(use, self.dataset, self.where)

    def breaks(self, months: Sequence[str]) -> tuple[Declared, ...]:
        """The declared changes of what is counted, or how, after the first of these months and up to the last."""
        listed = code_list(KINDS[self.dataset]).titles if self.dataset in KINDS else ()
        codes = {code for labels in self.where.values() for code in labels} or set(listed)
        return tuple(each for each in declared() if each.codes & codes and months[0] < each.month <= months[-1])


def areas_of(bodies: Sequence[ReleaseBody], counted: Counted, area: str) -> tuple[Panel, tuple[str, ...]]:
    """The series of each code of a dimension, and the releases that they came from.

    Raises:
        InvalidInput: ``release-not-a-series`` where a month is missing, or nothing tells it.
    """
    table = cell_table(bodies, counted.dataset, COUNT, (area, MONTH), counted.where)
    return panel_of_cell_table(table, area), table.releases


def panel_of_cell_table(table: CellTable, area: str) -> Panel:
    """A table by area and month as a panel; of an area's months the mean variance is kept.

    Raises:
        InvalidInput: ``release-not-a-series``.
    """
    named = table.frame.rename(columns={area: AREA})
    figures = panel_of_table(named[[AREA, MONTH, ESTIMATE]], ESTIMATE, 0.0)
    return with_cell_noise(figures, panel_of_table(named[[AREA, MONTH, SIGMA]], SIGMA, 0.0).figures)


def zones_of(bodies: Sequence[ReleaseBody], counted: Counted) -> tuple[Panel, tuple[str, ...]]:
    """The pilot stations, what is left of their provinces, and the other provinces.

    The noise of what is left is that of the province and of its stations together.

    Raises:
        InvalidInput: ``release-not-a-series`` without a count by station and one by province of the same months.
    """
    stations, told = areas_of(bodies, counted, STATION)
    provinces, others = areas_of(bodies, counted, PROVINCE)
    months = stations.counts.columns.intersection(provinces.counts.columns)
    if len(months) == 0:
        raise InvalidInput("release-not-a-series", why="stations and provinces have no month in common")
    inside = code_list("ssz_stations").facts["provinces"]
    series, noise = {}, {}
    for province, figures in provinces.counts[months].iterrows():
        own = [each for each in stations.counts.index if inside.get(str(each)) == province]
        name = f"{province}{REST}" if own else str(province)
        series[name] = figures - stations.counts.loc[own, months].sum()
        noise[name] = _noise(provinces, [str(province)]) + _noise(stations, own)
    for station, figures in stations.counts[months].iterrows():
        series[str(station)], noise[str(station)] = figures, _noise(stations, [str(station)])
    counts = pd.DataFrame(series).T.rename_axis(AREA)
    counts.columns = pd.PeriodIndex(months, freq="M")
    variances = tuple(float(each) for each in noise.values())
    return Panel(counts, max(variances), variances), tuple(dict.fromkeys((*told, *others)))


def rests_beside() -> Mapping[str, frozenset[str]]:
    """For each pilot station what is left of its province: where displaced crime would show first."""
    inside = code_list("ssz_stations").facts["provinces"]
    return {station: frozenset({f"{province}{REST}"}) for station, province in inside.items()}


def _noise(panel: Panel, areas: Sequence[str]) -> float:
    """The variance of the noise of the sum of these areas."""
    return float(panel.noise[np.isin(panel.counts.index, list(areas)), 0].sum())
