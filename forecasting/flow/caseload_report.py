"""Probation's coming year in words."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np

from contracts.analysis import AnalysisKind, Figure, Report, Statement, Table
from contracts.code_lists import code_list
from contracts.dataset import Text
from contracts.errors import InvalidInput
from contracts.forecast import ModelCard
from contracts.release import ReleaseBody
from forecasting.flow.breaks import Break
from forecasting.flow.caseload import AXES, CASES, DEVICES, Caseload, Peak, Series, caseload
from forecasting.flow.outlook import Outlook
from forecasting.flow.ratios import Ratio, half_widths
from forecasting.flow.report import BACKLOG, CURVE, LEVEL, backlog_rows, backlog_statement, curve_rows
from forecasting.flow.stages import stages
from forecasting.flow.wording import Words, marked, shown, to_tenth
from forecasting.words import period_words

WORDS = Words(Path(__file__).with_name("words.toml"))

SERIES = (
    "stage",
    "code",
    "last_year",
    "error",
    "learnt_from",
    "learnt_months",
    "next_year",
    "low",
    "high",
    "flags",
)
ENTRIES = ("stage", "code", "month", "entries", "low", "high", "flags")
PEAKS = (
    "code",
    "holiday",
    "years",
    "uplift",
    "uplift_low",
    "uplift_high",
    "month",
    "entries",
    "low",
    "high",
    "flags",
)
ALERTS = ("code", "alert", "rate", "low", "high", "flags")
BREAKS = ("stage", "code", "kind", "day", "title_th", "title_en", "source")


def caseload_report(
    bodies: Sequence[ReleaseBody], rng: np.random.Generator, level: int = LEVEL, data_as_of: date | None = None
) -> Report:
    """Probation cases and electronic monitoring in the coming twelve months, from releases.

    Args:
        bodies: Valid releases, of any datasets; those of ``dop_case`` and ``dop_em`` are used.
        rng: Where the draws of the intervals of open cases come from.
        level: Of all intervals, in per cent, 50 to 99.
        data_as_of: The day up to which the data reach, if known to lie before the releases.

    Raises:
        InvalidInput: ``release-not-a-series``, when no release tells entries by month.
        Refused: ``data-day-too-early``.
    """
    found = caseload(bodies, level, rng, data_as_of)
    if not found.series and not found.open:
        raise InvalidInput("release-not-a-series", why="no release tells probation cases or devices by month")
    return Report(
        kind=AnalysisKind.CASELOAD,
        title=WORDS.say("title-caseload"),
        statements=tuple(_statements(found)),
        tables=tuple(_tables(found, level)),
        card=_card(bodies, level),
    )


def _name(dataset: str, code: str) -> Text:
    titles = code_list(AXES[dataset][1]).titles
    return titles.get(code) or stages()[dataset].title


def _open_name(found: Outlook) -> Text:
    return _name(found.part.stage.dataset, found.part.code)


def _tables(found: Caseload, level: int) -> list[Table]:
    open_rows = [row for each in found.open for row in backlog_rows(_label(each), each)]
    curves = [(_label(each), each.curve) for each in found.open if each.curve is not None]
    tables = [
        WORDS.table("series", SERIES, [_series_row(each, level) for each in found.series]),
        WORDS.table("entries", ENTRIES, [row for each in found.series for row in _entries_rows(each)]),
        WORDS.table("caseload", BACKLOG, open_rows),
        WORDS.table("open_share", CURVE, [row for name, curve in curves for row in curve_rows(name, curve, level)]),
        WORDS.table("holidays", PEAKS, [_peak_row(each) for each in found.peaks]),
        WORDS.table("alerts", ALERTS, [_alert_row(each.basis, each.kind, each.rate) for each in found.alerts]),
        WORDS.table("breaks", BREAKS, [_break_row(each) for each in _breaks(found)]),
    ]
    return [each for each in tables if each.rows]


def _label(found: Outlook) -> str:
    return f"{found.part.stage.dataset}/{found.part.code or 'all'}"


def _series_row(each: Series, level: int) -> tuple[Figure, ...]:
    return (
        each.dataset,
        each.code,
        to_tenth(each.last_year.estimate),
        to_tenth(half_widths(level) * each.last_year.sigma),
        each.entries.months[0],
        len(each.entries.months),
        *(to_tenth(figure) for figure in (each.next_year, each.low, each.high)),
        marked(each.flags),
    )


def _entries_rows(each: Series) -> list[tuple[Figure, ...]]:
    ahead = each.entries.ahead
    if ahead is None:
        return []
    rows = zip(ahead.months[:12], ahead.mean, ahead.low, ahead.high, strict=False)
    figures = ((month, to_tenth(mean), to_tenth(low), to_tenth(high)) for month, mean, low, high in rows)
    return [(each.dataset, each.code, *row, marked(each.flags)) for row in figures]


def _peak_row(each: Peak) -> tuple[Figure, ...]:
    uplift = (each.uplift.value, each.uplift.low, each.uplift.high)
    rounded = (None if figure is None else round(figure, 3) for figure in uplift)
    coming = (to_tenth(figure) for figure in (each.mean, each.low, each.high))
    return (each.code, each.holiday, each.years, *rounded, each.coming, *coming, marked(each.uplift.flags))


def _alert_row(basis: str, kind: str, rate: Ratio) -> tuple[Figure, ...]:
    figures = (None if figure is None else round(figure, 3) for figure in (rate.value, rate.low, rate.high))
    return (basis, kind, *figures, marked(rate.flags))


def _breaks(found: Caseload) -> list[Break]:
    return [each.entries.parted for each in found.series if each.entries.parted is not None]


def _break_row(each: Break) -> tuple[Figure, ...]:
    return (
        each.dataset,
        each.code or "all",
        each.kind.value,
        each.day.isoformat(),
        each.title.th,
        each.title.en,
        each.source,
    )


def _statements(found: Caseload) -> list[Statement]:
    said = [Statement(text=WORDS.say("basis-caseload"))]
    said.extend(_ahead(each) for each in found.series)
    said.extend(_peak(each) for each in found.peaks if each.uplift.low is not None and each.uplift.low > 1)
    for dataset in (CASES, DEVICES):
        stage = stages()[dataset]
        outlooks = [each for each in found.open if each.part.stage == stage]
        if outlooks:
            said.append(Statement(text=WORDS.say("defined", stage=stage.title, waiting=stage.waiting, unit=stage.unit)))
            said.extend(backlog_statement(each, _open_name(each)) for each in outlooks)
        elif any(each.dataset == dataset for each in found.series):
            said.append(Statement(text=WORDS.say(f"open-unknown-{dataset}")))
    if found.alerts:
        said.append(Statement(text=WORDS.say("alerts")))
    return said


def _ahead(each: Series) -> Statement:
    details: dict[str, object] = {
        "title": _name(each.dataset, each.code),
        "unit": stages()[each.dataset].unit,
        "last": shown(each.last_year.estimate),
        "until": period_words(each.entries.months[-1]),
        "months": min(len(each.entries.months), 12),
        "why": each.entries.parted.title if each.entries.parted else "",
    }
    if each.next_year is None or each.low is None or each.high is None:
        return Statement(text=WORDS.say("not-ahead", **details), flags=each.flags)
    details |= {"next": shown(each.next_year), "low": shown(each.low), "high": shown(each.high)}
    return Statement(text=WORDS.say("ahead", **details), flags=each.flags)


def _peak(each: Peak) -> Statement:
    text = WORDS.say(
        "peak",
        title=_name(CASES, each.code),
        holiday=WORDS.say(f"holiday-{each.holiday}"),
        uplift=f"{each.uplift.value or 0:.2f}",
        low=f"{each.uplift.low or 0:.2f}",
        high=f"{each.uplift.high or 0:.2f}",
        years=each.years,
    )
    return Statement(text=text, flags=each.uplift.flags)


def _card(bodies: Sequence[ReleaseBody], level: int) -> ModelCard:
    used = [body for body in bodies if {each.contract.id for each in body.promises} & set(AXES)]
    months = sorted(month for body in used for month in body.query.period.months())
    return ModelCard(
        data=WORDS.say("card-data", datasets=", ".join(AXES), releases=len(used)),
        method=WORDS.say("card-method-caseload", level=level),
        limits=WORDS.say("card-limits-caseload"),
        first=months[0],
        last=months[-1],
        models=("engine", "piecewise-exponential", "fieller"),
    )
