"""What the watch found, in Thai and English."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from contracts.analysis import AnalysisKind, Column, Figure, Report, Statement, Table
from contracts.code_lists import code_list
from contracts.dataset import Text
from contracts.forecast import ModelCard
from forecasting.warnings.breaks import PROVINCE
from forecasting.warnings.find import BELOW_FLOOR, BROKEN, Unjudged, Warned, Watched
from forecasting.warnings.simulation import Alarmed
from forecasting.words import filled, joined, period_words, words_of

WORDS: Final = Path(__file__).with_name("words.toml")
HALF_WIDTHS_95: Final = 1.959964
MOST_YEARS: Final = 100
"""The tail of a distribution that was fitted to a few thousand months is not known further out."""

FEW_YEARS: Final = 10

MISSING: Final = "month-missing"
WIDESPREAD: Final = 0.25
"""Where so many of the areas of a group rise at once, the recording is asked about before the areas are."""


def report_of(found: Watched, simulated: Alarmed | None = None) -> Report:
    """The report of a watch, and of a simulation of its false alarms if there was one."""
    widespread = _widespread(found)
    return Report(
        kind=AnalysisKind.WARNINGS,
        title=_say("title", month=period_words(found.months[-1])),
        statements=(
            *(_warning(found, each, widespread) for each in found.now),
            *(() if found.now else (Statement(text=_say("none")),)),
            *(_many(group, found) for group in widespread),
            *_about(found, simulated),
        ),
        tables=(
            _warnings_table("warnings", found.now, found),
            _warnings_table("ended", found.past, found),
            _unjudged_table(found.unjudged),
            _limits_table(found, simulated),
            Table(
                name="sources",
                title=_word("table_sources"),
                columns=(_column("release"),),
                rows=tuple((each,) for each in found.releases),
            ),
        ),
        card=_card(found),
    )


def area_title(kind: str, area: str) -> Text:
    """What an area is called."""
    titles = code_list("provinces" if kind == PROVINCE else "police_commands").titles
    return titles.get(area, Text(th=area, en=area))


def once_in_years(found: Watched, warned: Warned) -> float:
    """In how many years chance alone makes so surprising a figure once, among all areas and groups; 100 at most."""
    a_year = warned.alarm.chance * found.watch.looks_a_year(found.series)
    return min(1.0 / a_year, float(MOST_YEARS)) if a_year > 0 else float(MOST_YEARS)


def _warning(found: Watched, each: Warned, widespread: Sequence[str]) -> Statement:
    alarm = each.alarm
    last = period_words(each.last)
    years = once_in_years(found, each)
    text = _say(
        "warning",
        area=area_title(each.kind, each.area),
        group=_group(each.group),
        since=period_words(each.since),
        window=_say("month_one", last=last) if alarm.window == 1 else _say("month_many", count=alarm.window, last=last),
        figure=f"{alarm.figure:,.0f}",
        error=f"{np.ceil(HALF_WIDTHS_95 * alarm.noise):,.0f}",
        expected=f"{alarm.expected:,.0f}",
        low=f"{max(alarm.low, 0.0):,.0f}",
        high=f"{alarm.high:,.0f}",
        percent=f"{_percent(each):,.0f}",
        once=_say("once_rare" if years >= MOST_YEARS else "once_years", years=_years(years)),
        advice=_word(f"advice_{each.group}"),
    )
    return Statement(text=text, flags=("widespread",) if each.group in widespread else ())


def _about(found: Watched, simulated: Alarmed | None) -> tuple[Statement, ...]:
    """How often the limits are wrong, what is not judged, and what is not used."""
    watch = found.watch
    below = sum(each.flag == BELOW_FLOOR for each in found.unjudged)
    broken = sum(each.flag == BROKEN for each in found.unjudged)
    said = [Statement(text=_say("rate", rate=f"{watch.rate:g}", series=found.series))]
    if simulated is not None:
        figures = {"a_year": f"{simulated.a_year:.2f}", "error": f"{simulated.standard_error:.2f}"}
        said.append(Statement(text=_say("simulated", years=f"{simulated.years:,.0f}", **figures)))
    if below:
        floors = {"cases": f"{watch.expected_floor:g}", "noise": f"{watch.noise_floor:g}"}
        text = _say("unjudged", count=below, people=f"{watch.population_floor:,}", **floors)
        said.append(Statement(text=text, flags=(BELOW_FLOOR,)))
    if broken:
        said.append(Statement(text=_say("broken", count=broken), flags=(BROKEN,)))
    if found.missing:
        missing = joined([period_words(month) for month in found.missing])
        said.append(Statement(text=_say("missing", months=missing), flags=(MISSING,)))
    if found.breaks:
        months = joined([period_words(month) for month in sorted({each.month for each in found.breaks})])
        said.append(Statement(text=_say("breaks", months=months), flags=(BROKEN,)))
    return (*said, Statement(text=_word("enforcement"), flags=("enforcement",)))


def _widespread(found: Watched) -> tuple[str, ...]:
    """The groups in which so many provinces rose at once that it is hardly about the provinces."""
    judged = len(code_list("provinces").values)
    groups = dict.fromkeys(each.group for each in found.now)
    return tuple(group for group in groups if len(_provinces(found, group)) >= WIDESPREAD * judged)


def _many(group: str, found: Watched) -> Statement:
    count, watched = len(_provinces(found, group)), len(code_list("provinces").values)
    return Statement(text=_say("widespread", group=_group(group), count=count, watched=watched), flags=("widespread",))


def _provinces(found: Watched, group: str) -> list[Warned]:
    return [each for each in found.now if each.kind == PROVINCE and each.group == group]


def _warnings_table(name: str, warned: Sequence[Warned], found: Watched) -> Table:
    labels = ("kind", "area", "area_th", "area_en", "group", "since", "raised", "last", "window")
    figures = (("figure", "cases"), ("error_95", "cases"), ("expected", "cases"), ("low", "cases"), ("high", "cases"))
    return Table(
        name=name,
        title=_word(f"table_{name}"),
        columns=(
            *(_column(each) for each in labels),
            *(_column(each, unit) for each, unit in figures),
            _column("percent", "%"),
            _column("once_in_years", "years"),
        ),
        rows=tuple(_row(each, found) for each in warned),
    )


def _row(each: Warned, found: Watched) -> tuple[Figure, ...]:
    alarm, title = each.alarm, area_title(each.kind, each.area)
    labels = (each.kind, each.area, title.th, title.en, each.group, each.since, each.raised, each.last, alarm.window)
    figures = (alarm.figure, HALF_WIDTHS_95 * alarm.noise, alarm.expected, max(alarm.low, 0.0), alarm.high)
    return (
        *labels,
        *(round(figure, 1) for figure in figures),
        round(_percent(each), 1),
        round(once_in_years(found, each), 1),
    )


def _years(years: float) -> str:
    return f"{years:.0f}" if years >= FEW_YEARS else f"{years:.1f}"


def _percent(each: Warned) -> float:
    return 100.0 * (each.alarm.figure / each.alarm.expected - 1.0)


def _unjudged_table(unjudged: Sequence[Unjudged]) -> Table:
    return Table(
        name="not_judged",
        title=_word("table_not_judged"),
        columns=tuple(_column(name) for name in ("kind", "area", "group", "flag")),
        rows=tuple((each.kind, each.area, each.group, each.flag) for each in unjudged),
    )


def _limits_table(found: Watched, simulated: Alarmed | None) -> Table:
    watch = found.watch
    rows: list[tuple[Figure, ...]] = [
        ("false_alarms_a_year", watch.rate),
        ("series", found.series),
        ("chance_of_one_look", found.chance),
        ("expected_floor_cases", watch.expected_floor),
        ("noise_floor_sigmas", watch.noise_floor),
        ("population_floor", watch.population_floor),
    ]
    if simulated is not None:
        rows += [
            ("simulated_false_alarms_a_year", round(simulated.a_year, 3)),
            ("simulated_standard_error", round(simulated.standard_error, 3)),
            ("simulated_years", simulated.years),
        ]
    columns = (_column("name"), _column("value"))
    return Table(name="limits", title=_word("table_limits"), columns=columns, rows=tuple(rows))


def _card(found: Watched) -> ModelCard:
    windows = ", ".join(str(each) for each in found.watch.windows if each > 1)
    return ModelCard(
        data=_say("card_data", releases=", ".join(found.releases)),
        method=_say("card_method", windows=windows or "1"),
        limits=_word("card_limits"),
        first=found.months[0],
        last=found.months[-1],
        models=(found.model, "control-limits"),
    )


def _group(code: str) -> Text:
    return code_list("offence_groups").titles[code]


def _column(name: str, unit: str = "") -> Column:
    return Column(name=name, title=_word(name), unit=unit)


def _word(key: str) -> Text:
    return words_of(WORDS)[key]


def _say(key: str, **details: object) -> Text:
    return filled(_word(key), **details)
