"""The forecast of the coming weeks as a report. Read this first.

    weekly releases -> levels that add up -> engine -> means and intervals of what befell somebody -> report

The engine sees every group, so that levels add up; what counts arrests is left out of what is told.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from contracts.analysis import AnalysisKind, Column, Figure, Report, Statement, Table
from contracts.code_lists import code_list
from contracts.dataset import Text
from contracts.forecast import ModelCard
from contracts.release import ReleaseBody
from forecasting.enforcement import VICTIMISATION, refuse_enforcement
from forecasting.engine import EngineSettings, Outcome, forecast
from forecasting.models.level_filter import NAME as FILTER
from forecasting.models.theta import NAME as THETA
from forecasting.panel import WEEKS_A_YEAR, Panel
from forecasting.released_levels import Levels, released_levels
from forecasting.words import filled, words_of

WORDS: Final = Path(__file__).with_name("words.toml")
HORIZON: Final = 8
"""Weeks ahead."""

BANDS: Final = (80, 95)
REGION, GROUP, NATION = "police_region", "offence_group", "nation"
DECIMALS: Final = 2
BELOW_NOISE: Final = "below-noise"
COLUMNS: Final = (
    *("level", REGION, GROUP, "week"),
    *("mean", "low_80", "high_80", "low_95", "high_95", "below_noise"),
)
FIGURES: Final = frozenset(COLUMNS[4:9])


@dataclass(frozen=True, slots=True)
class Coming:
    """What is coming for one series.

    Attributes:
        labels: Of the series; without a police region it is the whole country.
        weeks: The coming weeks, such as ``2026-W05``.
        figures: Weeks x (mean, low and high of 80 per cent, low and high of 95), in cases.
        usual: Mean of its last 52 weeks, in cases a week.
        noisy: Whether it does not stand out of its noise.
    """

    labels: dict[str, str]
    weeks: tuple[str, ...]
    figures: tuple[tuple[float, ...], ...]
    usual: float
    noisy: bool


def weekly_report(bodies: Sequence[ReleaseBody], settings: EngineSettings | None = None) -> Report:
    """The report on the coming eight weeks.

    Args:
        bodies: Releases of crimes by week and offence group, 104 whole weeks or more.
        settings: How the engine runs.

    Raises:
        InvalidInput: ``release-not-a-series`` without a count by week, or with a gap; ``enforcement-is-not-risk`` where
            nothing tells what befell somebody from arrests.
        Unavailable: ``not-enough-weeks``.
    """
    levels = released_levels(bodies, weekly=True)
    outcome = forecast(levels.hierarchy, HORIZON, settings)
    told = _told(levels, outcome)
    if not told:
        refuse_enforcement("weekly-forecast", bodies[0].promises[0].contract.id, {})
    nation = [each for each in told if REGION not in each.labels]
    noisy = sum(each.noisy for each in told)
    return Report(
        kind=AnalysisKind.WEEKLY,
        title=_say("title"),
        statements=(
            *(_coming(each) for each in nation),
            *((Statement(text=_say("noisy", noisy=noisy, all=len(told)), flags=(BELOW_NOISE,)),) if noisy else ()),
        ),
        tables=(_table(told), _sources(bodies)),
        card=_card(levels, outcome),
    )


def _told(levels: Levels, outcome: Outcome) -> list[Coming]:
    """The series that count no arrests, the coarsest first."""
    found: list[Coming] = []
    quantiles = outcome.quantiles([0.5 + side * band / 200 for band in BANDS for side in (-1, 1)])
    parts = zip(levels.hierarchy.levels, outcome.mean, quantiles, outcome.filter_only, strict=True)
    for panel, mean, ends, noisy in parts:
        weeks, usual = _coming_weeks(panel), np.nanmean(panel.figures[:, -WEEKS_A_YEAR:], axis=1)
        low, high = np.minimum(ends[..., 0::2], mean[..., None]), np.maximum(ends[..., 1::2], mean[..., None])
        told = np.dstack([mean, low[..., 0], high[..., 0], low[..., 1], high[..., 1]]).round(DECIMALS)
        found += [
            Coming(labels, weeks, tuple(map(tuple, told[row].tolist())), float(usual[row]), bool(noisy[row]))
            for row, labels in enumerate(panel.labels())
            if labels.get(GROUP) in VICTIMISATION
        ]
    return found


def _coming_weeks(panel: Panel) -> tuple[str, ...]:
    return tuple(_name(panel.months[-1] + ahead) for ahead in range(1, HORIZON + 1))


def _name(week: pd.Period) -> str:
    """``2026-W05``, as releases call it."""
    year, number, _ = week.start_time.isocalendar()
    return f"{year}-W{number:02d}"


def _coming(each: Coming) -> Statement:
    mean, low, high, *_ = each.figures[0]
    details = {"mean": mean, "low": low, "high": high, "usual": each.usual}
    rounded = {name: f"{figure:,.0f}" for name, figure in details.items()}
    group = code_list("offence_groups").titles[each.labels[GROUP]]
    flags = (BELOW_NOISE,) if each.noisy else ()
    return Statement(text=_say("coming", group=group, week=each.weeks[0], **rounded), flags=flags)


def _table(told: Sequence[Coming]) -> Table:
    rows: list[tuple[Figure, ...]] = []
    for each in told:
        level = REGION if REGION in each.labels else NATION
        labels = (level, each.labels.get(REGION, ""), each.labels[GROUP])
        rows += [(*labels, week, *figures, each.noisy) for week, figures in zip(each.weeks, each.figures, strict=True)]
    columns = tuple(_column(name, "cases" if name in FIGURES else "") for name in COLUMNS)
    return Table(name="coming", title=_say("table_coming"), columns=columns, rows=tuple(rows))


def _sources(bodies: Sequence[ReleaseBody]) -> Table:
    rows = tuple((each.id,) for each in bodies)
    return Table(name="sources", title=_say("table_sources"), columns=(_column("release"),), rows=rows)


def _column(name: str, unit: str = "") -> Column:
    return Column(name=name, title=_say(f"column_{name}"), unit=unit)


def _card(levels: Levels, outcome: Outcome) -> ModelCard:
    hierarchy = levels.hierarchy
    weeks = hierarchy.levels[-1].months
    return ModelCard(
        data=_say("card_data", weeks=len(weeks), series=hierarchy.nodes, leaves=hierarchy.leaves),
        method=_say("card_method", learnt=outcome.learnt_from),
        limits=_say("card_limits"),
        first=f"{weeks[0].start_time:%Y-%m}",
        last=f"{weeks[-1].end_time:%Y-%m}",
        models=(THETA, FILTER),
    )


def _say(key: str, **details: object) -> Text:
    return filled(words_of(WORDS)[key], **details)
