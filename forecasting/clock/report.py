"""The clocks in Thai and English."""

import math
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Final

from contracts.analysis import AnalysisKind, Column, Figure, Report, Statement, Table
from contracts.code_lists import code_list
from contracts.dataset import Text
from contracts.forecast import ModelCard
from contracts.grid import WEEKDAYS
from forecasting.clock.day import Pace
from forecasting.clock.week import EVERYWHERE, Clock, Clocks
from forecasting.words import filled, joined, period_words, words_of

WORDS: Final = Path(__file__).with_name("words.toml")
MINUTE: Final = 60
HOUR: Final = 3600
CHANGES_UNIT_AT: Final = 100
MOST_SPANS: Final = 4
"""Spans of hours that a sentence names: the riskiest; all of them stand in the table."""


def report_of(found: Clocks) -> Report:
    """The report of the clocks."""
    clocks = (*found.nation, *found.regions)
    return Report(
        kind=AnalysisKind.CLOCK,
        title=_say("title", first=period_words(found.months[0]), last=period_words(found.months[-1])),
        statements=(
            *_together(found),
            *(_paced(each) for each in found.nation),
            *(_careful(each) for each in found.nation),
        ),
        tables=(_pace_table(clocks), _risk_table(clocks), _sources(found)),
        card=ModelCard(
            data=_say("card_data", releases=", ".join(found.releases)),
            method=_word("card_method"),
            limits=_word("card_limits"),
            first=found.months[0],
            last=found.months[-1],
            models=("partially-pooled-clock",),
        ),
    )


def _together(found: Clocks) -> tuple[Statement, ...]:
    if found.together is None:
        return ()
    groups = ", ".join(each.group for each in found.nation)
    return (Statement(text=_say("together", groups=groups, **_spans(found.together))),)


def _paced(clock: Clock) -> Statement:
    if clock.pace is None:
        return Statement(text=_say("no_pace", group=_group(clock.group)), flags=("below-noise",))
    flags = ("below-noise",) if math.isinf(clock.pace.high) else ()
    return Statement(text=_say("pace", group=_group(clock.group), **_spans(clock.pace)), flags=flags)


def _spans(pace: Pace) -> dict[str, Text]:
    return {"value": _span(pace.seconds), "low": _span(pace.low), "high": _span(pace.high)}


def _span(seconds: float) -> Text:
    """A span in the unit in which it is read."""
    if math.isinf(seconds):
        return _word("open")
    units = (("seconds", 1), ("minutes", MINUTE), ("hours_unit", HOUR))
    unit, size = next((each for each in units if seconds < CHANGES_UNIT_AT * each[1]), units[-1])
    return _say(unit, value=f"{seconds / size:,.1f}")


def _careful(clock: Clock) -> Statement:
    spans = _above(clock)
    if not spans:
        return Statement(text=_say("none_above", group=_group(clock.group)))
    riskiest = sorted(sorted(spans, key=_risk_of(clock), reverse=True)[:MOST_SPANS])
    hours = joined(_every_day(clock, spans) or [_named(clock, start, end) for start, end in riskiest])
    most = f"{max(clock.risk.risk):.1f}"
    return Statement(text=_say("above", group=_group(clock.group), hours=hours, most=most))


def _above(clock: Clock) -> list[tuple[int, int]]:
    """Spans of cells, both ends inside, that are above the average hour for sure; none runs over midnight."""
    marked = [
        (place, (day, place - int(hour))) for place, (day, hour) in enumerate(clock.cells) if clock.risk.above[place]
    ]
    found = []
    for _, run in groupby(enumerate(marked), key=lambda each: (each[1][0] - each[0], each[1][1])):
        places = [place for _, (place, _) in run]
        found.append((places[0], places[-1]))
    return found


def _every_day(clock: Clock, spans: Sequence[tuple[int, int]]) -> list[Text]:
    """The spans where they are the same on every weekday; none otherwise."""
    hours = [(clock.cells[start][1], _until(clock, end)) for start, end in spans]
    days = {clock.cells[start][0] for start, _ in spans}
    same = dict.fromkeys(hours)
    if len(days) < len(WEEKDAYS) or len(hours) != len(same) * len(WEEKDAYS):
        return []
    return [_say("span_every_day", start=f"{start}:00", until=until) for start, until in same]


def _until(clock: Clock, end: int) -> str:
    return f"{int(clock.cells[end][1]) + 1:02}:00"


def _risk_of(clock: Clock) -> Callable[[tuple[int, int]], float]:
    return lambda span: float(clock.risk.risk[span[0] : span[1] + 1].mean())


def _named(clock: Clock, start: int, end: int) -> Text:
    day, first = clock.cells[start]
    until = _until(clock, end)
    if day == EVERYWHERE:
        return _say("span", start=f"{first}:00", until=until)
    return _say("span_days", day=code_list("weekdays").titles[day], start=f"{first}:00", until=until)


def _pace_table(clocks: Sequence[Clock]) -> Table:
    return Table(
        name="pace",
        title=_word("table_pace"),
        columns=(
            _column("region"),
            _column("group"),
            _column("cases", "cases"),
            _column("error_95", "cases"),
            _column("every_minutes", "minutes"),
            _column("low", "minutes"),
            _column("high", "minutes"),
        ),
        rows=tuple(_pace_row(each) for each in clocks),
    )


def _pace_row(clock: Clock) -> tuple[Figure, ...]:
    pace = clock.pace
    minutes = (pace.seconds, pace.low, pace.high) if pace else (math.inf, math.inf, math.inf)
    figures = (None if math.isinf(each) else round(each / MINUTE, 3) for each in minutes)
    return (clock.region, clock.group, round(clock.cases, 1), round(clock.error_95, 1), *figures)


def _risk_table(clocks: Sequence[Clock]) -> Table:
    labels = (_column("region"), _column("group"), _column("weekday"), _column("hour"))
    times = (_column(name, "times the average hour") for name in ("risk", "low", "high"))
    return Table(
        name="risk",
        title=_word("table_risk"),
        columns=(*labels, *times, _column("surely_above")),
        rows=tuple(row for each in clocks for row in _risk_rows(each)),
    )


def _risk_rows(clock: Clock) -> list[tuple[Figure, ...]]:
    risk = clock.risk
    figures = zip(risk.risk, risk.low, risk.high, risk.above, strict=True)
    return [
        (clock.region, clock.group, day, hour, *(round(float(each), 3) for each in (value, low, high)), bool(above))
        for (day, hour), (value, low, high, above) in zip(clock.cells, figures, strict=True)
    ]


def _sources(found: Clocks) -> Table:
    rows = tuple((each,) for each in found.releases)
    return Table(name="sources", title=_word("table_sources"), columns=(_column("release"),), rows=rows)


def _group(code: str) -> Text:
    return code_list("offence_groups").titles[code]


def _column(name: str, unit: str = "") -> Column:
    return Column(name=name, title=_word(name), unit=unit)


def _word(key: str) -> Text:
    return words_of(WORDS)[key]


def _say(key: str, **details: object) -> Text:
    return filled(_word(key), **details)
