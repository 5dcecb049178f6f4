"""All checks of what is about to be published, from the releases that it is made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from contracts.errors import InvalidInput, Unavailable
from contracts.release import ReleaseBody
from forecasting.enforcement import VICTIMISATION
from forecasting.fairness.loop import Loop, loop_of
from forecasting.fairness.reporting import SURVEY, Share, reported_shares
from forecasting.fairness.service import Past, Served, served
from forecasting.feed import series_panel
from forecasting.models.prediction import Model
from forecasting.panel import Floats, Panel
from forecasting.seasons import YEAR
from forecasting.warnings.chart import control_chart
from forecasting.warnings.limits import Watch

CRIMES: Final = "crimes_case"
PROVINCE, GROUP, ENFORCEMENT = "province", "offence_group", "G4"
LEVEL: Final = 0.80
HALF_WIDTHS: Final = 1.281552
MONTHS: Final = 12
"""Months of the past whose forecasts are looked at, and ahead that are compared with arrests."""


@dataclass(frozen=True, slots=True)
class Assessed:
    """What the checks found.

    Attributes:
        months: The months of the releases, oldest first.
        shares: Of the survey; empty without one.
        served: By class of area; empty with too little history.
        tested: Months whose forecasts were looked at.
        loop: Forecast changes against arrests.
        releases: The identifiers of the releases that were read.
    """

    months: tuple[str, ...]
    shares: tuple[Share, ...]
    served: tuple[Served, ...]
    tested: int
    loop: Loop
    releases: tuple[str, ...]


def assess(bodies: Sequence[ReleaseBody], model: Model) -> Assessed:
    """Check forecasts of cases by month, province and group, with the survey if a release of it is given.

    Raises:
        InvalidInput: ``release-not-a-series`` when no release tells cases by month, province and group.
    """
    panel = series_panel(bodies, CRIMES, (PROVINCE, GROUP))
    victims = _of_groups(panel, VICTIMISATION)
    past = _past(victims, model)
    return Assessed(
        months=tuple(str(month) for month in panel.months),
        shares=reported_shares(bodies),
        served=served(past) if past is not None else (),
        tested=past.actual.shape[1] if past is not None else 0,
        loop=loop_of(_forecast_change(victims, model), _enforcement_change(panel)),
        releases=tuple(body.id for body in bodies if _is_read(body)),
    )


def _is_read(body: ReleaseBody) -> bool:
    return bool({promise.contract.id for promise in body.promises} & {CRIMES, SURVEY})


def _of_groups(panel: Panel, groups: Sequence[str]) -> Panel:
    wanted = panel.counts.index.get_level_values(GROUP).isin(list(groups))
    if not wanted.any():
        raise InvalidInput("release-not-a-series", why=f"it has none of the groups {', '.join(groups)}")
    return Panel(panel.counts[wanted], panel.noise_variance, tuple(panel.noise[wanted, 0].tolist()))


def _past(panel: Panel, model: Model) -> Past | None:
    """What was forecast one month ahead, over the newest months; None with too little history."""
    try:
        none_broken = np.zeros(panel.figures.shape, dtype=np.bool_)
        (chart,) = control_chart(panel, model, Watch(windows=(1,)), none_broken)
    except Unavailable:
        return None
    told = np.isfinite(chart.variance) & np.isfinite(chart.figure)
    judged = np.flatnonzero(told.all(axis=0))[-MONTHS:]
    figure, expected = chart.figure[:, judged], chart.expected[:, judged]
    held = np.abs(figure - expected) <= HALF_WIDTHS * np.sqrt(chart.variance[:, judged])
    areas = tuple(str(labels[PROVINCE]) for labels in panel.labels())
    return Past(areas, figure, expected, held, LEVEL)


def _forecast_change(panel: Panel, model: Model) -> Mapping[str, float]:
    """By province how much more is forecast of the coming year than there was in the last, on the log scale."""
    if len(panel.months) < 2 * YEAR:
        return {}
    return _log_change(panel, model.predict(panel, MONTHS).mean.sum(axis=1), panel.figures[:, -YEAR:].sum(axis=1))


def _enforcement_change(panel: Panel) -> Mapping[str, float]:
    """By province how many more arrests there were in the last year than in the one before, on the log scale."""
    is_arrests = panel.counts.index.get_level_values(GROUP) == ENFORCEMENT
    if not is_arrests.any() or len(panel.months) < 2 * YEAR:
        return {}
    arrests = _of_groups(panel, (ENFORCEMENT,))
    figures = arrests.figures
    return _log_change(arrests, figures[:, -YEAR:].sum(axis=1), figures[:, -2 * YEAR : -YEAR].sum(axis=1))


def _log_change(panel: Panel, after: Floats, before: Floats) -> Mapping[str, float]:
    found: dict[str, list[float]] = {}
    for labels, late, early in zip(panel.labels(), after, before, strict=True):
        sums = found.setdefault(labels[PROVINCE], [0.0, 0.0])
        sums[0] += float(late)
        sums[1] += float(early)
    return {area: float(np.log(late / early)) for area, (late, early) in found.items() if late > 0 and early > 0}
