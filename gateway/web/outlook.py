"""What a published forecast says about next month by province, and about a year for one group and place."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from contracts.forecast import Forecast, ForecastSeries
from gateway.web.counts import VICTIMISATION, Cells, grouped
from gateway.web.estimates import Estimate, Interval, total, total_interval, widest_interval

LEVELS = 5
WATCHED = 6
HISTORY_MONTHS = 36
EVERYTHING = "all"
"""The choice of every victimisation group, or of the whole country."""


@dataclass(frozen=True, slots=True)
class ProvinceOutlook:
    """One province next month: cases expected, what is usual there, and its fifth of the country.

    ``level`` runs from 1 (the fifth of provinces furthest below their own usual) to 5 (furthest above); ``difference``
    is in percent of the usual; ``clear`` says that the interval does not hold the usual.
    """

    code: str
    expected: Interval
    usual: float
    difference: float
    level: int
    clear: bool


@dataclass(frozen=True, slots=True)
class LevelBand:
    """A level of the map: the least and the greatest difference among its provinces, in percent."""

    level: int
    least: float
    greatest: float


@dataclass(frozen=True, slots=True)
class Outlook:
    """Next month, every province, the furthest above its usual first."""

    month: str
    interval_level: int
    provinces: tuple[ProvinceOutlook, ...]
    bands: tuple[LevelBand, ...]

    @property
    def watched(self) -> tuple[ProvinceOutlook, ...]:
        """The top fifth's most marked provinces: those clear of chance first, at most ``WATCHED``."""
        above = [each for each in self.provinces if each.level == LEVELS and each.difference > 0]
        return tuple(sorted(above, key=lambda each: (not each.clear, -each.difference))[:WATCHED])

    @property
    def clear(self) -> int:
        """How many provinces differ from their usual by more than the error."""
        return sum(each.clear for each in self.provinces)

    @property
    def national(self) -> Interval:
        """The country's expected cases."""
        return total_interval(each.expected for each in self.provinces)


@dataclass(frozen=True, slots=True)
class Choice:
    """What the reader asks the fan chart for: an offence group and a province, or ``EVERYTHING``."""

    group: str = EVERYTHING
    province: str = EVERYTHING

    @property
    def groups(self) -> tuple[str, ...]:
        """The offence groups that are meant; enforcement is never among them."""
        return VICTIMISATION if self.group == EVERYTHING else (self.group,)


@dataclass(frozen=True, slots=True)
class Fan:
    """A year ahead for one choice: released months, then expected months beside what is usual for each.

    ``expected`` takes the errors of the ``series`` that were added up as independent, ``outer`` as all alike.
    """

    choice: Choice
    history: tuple[tuple[str, Estimate], ...]
    months: tuple[str, ...]
    expected: tuple[Interval, ...]
    outer: tuple[Interval, ...]
    usual: tuple[float, ...]
    interval_level: int
    series: int


def outlook(forecast: Forecast) -> Outlook | None:
    """Next month by province over the victimisation groups; None where the forecast is not by province and group."""
    by_province: dict[str, list[ForecastSeries]] = {}
    for each in _victimisation(forecast):
        by_province.setdefault(each.labels["province"], []).append(each)
    if not by_province or not forecast.months:
        return None
    found = [_province(code, series) for code, series in by_province.items()]
    ranked = sorted(found, key=lambda each: (each.difference, each.code))
    provinces = tuple(_ranked(each, rank, len(ranked)) for rank, each in enumerate(ranked))
    bands = tuple(_band(level, provinces) for level in sorted({each.level for each in provinces}))
    return Outlook(forecast.months[0], forecast.level, provinces[::-1], bands)


def fan(forecast: Forecast, crimes: Cells, choice: Choice) -> Fan | None:
    """The year ahead for a choice; None where the forecast has no series for it.

    Args:
        forecast: The published forecast.
        crimes: Released counts by (month, province, offence group).
        choice: Group and province.
    """
    series = [each for each in _victimisation(forecast) if _is_chosen(choice, each.labels)]
    if not series or not forecast.months:
        return None
    steps = range(len(forecast.months))
    return Fan(
        choice=choice,
        history=_history(crimes, choice),
        months=forecast.months,
        expected=tuple(total_interval(_intervals(series, step)) for step in steps),
        outer=tuple(widest_interval(_intervals(series, step)) for step in steps),
        usual=tuple(sum(each.usual[step] for each in series) for step in steps),
        interval_level=forecast.level,
        series=len(series),
    )


def _victimisation(forecast: Forecast) -> tuple[ForecastSeries, ...]:
    named = (each for each in forecast.series if "province" in each.labels)
    return tuple(each for each in named if each.labels.get("offence_group") in VICTIMISATION)


def _is_chosen(choice: Choice, labels: dict[str, str]) -> bool:
    return labels["offence_group"] in choice.groups and choice.province in (EVERYTHING, labels["province"])


def _intervals(series: Sequence[ForecastSeries], step: int) -> Iterable[Interval]:
    return (Interval(each.mean[step], each.low[step], each.high[step]) for each in series)


def _province(code: str, series: Sequence[ForecastSeries]) -> ProvinceOutlook:
    expected = total_interval(_intervals(series, 0))
    usual = sum(each.usual[0] for each in series)
    difference = 100 * (expected.mean / usual - 1) if usual > 0 else 0.0
    return ProvinceOutlook(code, expected, usual, difference, level=1, clear=not expected.holds(usual))


def _ranked(each: ProvinceOutlook, rank: int, provinces: int) -> ProvinceOutlook:
    level = 1 + LEVELS * rank // provinces
    return ProvinceOutlook(each.code, each.expected, each.usual, each.difference, level, each.clear)


def _band(level: int, provinces: Sequence[ProvinceOutlook]) -> LevelBand:
    differences = [each.difference for each in provinces if each.level == level]
    return LevelBand(level, min(differences), max(differences))


def _history(crimes: Cells, choice: Choice) -> tuple[tuple[str, Estimate], ...]:
    def month(key: tuple[str, ...]) -> str | None:
        chosen = _is_chosen(choice, {"province": key[1], "offence_group": key[2]})
        return key[0] if chosen else None

    months = grouped(crimes, month)
    return tuple((name, total(figures)) for name, figures in months.items())[-HISTORY_MONTHS:]
