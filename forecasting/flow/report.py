"""The justice flow in words: the funnel of each agency, what is open, and what will be in four quarters."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from contracts.analysis import AnalysisKind, Figure, Report, Statement, Table
from contracts.dataset import Text
from contracts.errors import InvalidInput
from contracts.forecast import ModelCard
from contracts.periods import window_of
from contracts.release import ReleaseBody
from forecasting.flow.cohorts import month_of, snapshots
from forecasting.flow.completion import Curve
from forecasting.flow.funnel import Beside, Entered, Funnel, Passed, funnel
from forecasting.flow.inflow import entries_of
from forecasting.flow.outlook import Outlook, Part, outlook, quarter_ends
from forecasting.flow.ratios import Count, half_widths
from forecasting.flow.stages import Stage, stages
from forecasting.flow.wording import Words, marked, percent, shown, to_tenth
from forecasting.words import joined, period_words

LEVEL = 90
WORDS = Words(Path(__file__).with_name("words.toml"))
AGES = (1.0, 3.0, 6.0, 12.0, 24.0, 36.0)
MODELS = ("engine", "piecewise-exponential", "fieller")

ENTERED = (
    "stage",
    "fiscal_year",
    "months",
    "as_of",
    "entries",
    "error",
    "open",
    "open_error",
    "share:%",
    "low:%",
    "high:%",
    "flags",
)
PASSED = ("stage", "fiscal_year", "step", "step_th", "step_en", "count", "error", "share:%", "low:%", "high:%", "flags")
BESIDE = ("fiscal_year", "before", "after", "ratio", "low", "high", "flags")
BACKLOG = ("stage", "day", "quarter", "open", "low", "high", "signed", "flags")
CURVE = ("stage", "age:months", "share:%", "low:%", "high:%", "seen")
INFLOW = ("stage", "month", "entries", "low", "high", "flags")
STAGES = ("stage", "agency", "title_th", "title_en", "unit_th", "unit_en", "open_th", "open_en", "note_th", "note_en")


@dataclass(frozen=True, eq=False)
class _Found:
    """All that a report is made of."""

    funnel: Funnel
    outlooks: tuple[Outlook, ...]
    level: int

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages that releases tell, in their order."""
        told = {each.stage.dataset for each in self.funnel.entered}
        told |= {each.part.stage.dataset for each in self.outlooks}
        return tuple(each for name, each in stages().items() if name in told)


def flow_report(
    bodies: Sequence[ReleaseBody], rng: np.random.Generator, level: int = LEVEL, data_as_of: date | None = None
) -> Report:
    """The funnel, the open cases and their forecast at the end of each of the next four quarters, from releases.

    Args:
        bodies: Valid releases, of any datasets; those that tell a stage's entries by state are used.
        rng: Where the draws of the forecast's intervals come from; the same state gives the same report.
        level: Of all intervals, in per cent, 50 to 99.
        data_as_of: The day up to which the agencies' data reach, if known to lie before the releases.

    Raises:
        InvalidInput: ``release-not-a-series``, when no release tells entries by state.
        Refused: ``data-day-too-early``.
    """
    told = funnel(bodies, level, data_as_of)
    outlooks = [each for stage in stages().values() for each in _outlook(bodies, stage, level, rng, data_as_of)]
    if not told.entered and not outlooks:
        raise InvalidInput("release-not-a-series", why="no release tells the entries of a stage by their state")
    found_all = _Found(told, tuple(outlooks), level)
    return Report(
        kind=AnalysisKind.FLOW,
        title=WORDS.say("title-flow"),
        statements=tuple(_statements(found_all)),
        tables=tuple(_tables(found_all)),
        card=_card(found_all, bodies),
    )


def _outlook(
    bodies: Sequence[ReleaseBody], stage: Stage, level: int, rng: np.random.Generator, data_as_of: date | None
) -> Iterator[Outlook]:
    seen = snapshots(bodies, stage, {}, data_as_of) if stage.in_funnel else ()
    if seen:
        ends = quarter_ends(seen[-1].as_of)
        entries = entries_of(bodies, stage.dataset, "", ends[-1], level).get("all")
        yield outlook(Part(stage), seen, entries, ends, level, rng)


def backlog_rows(name: str, found: Outlook) -> list[tuple[Figure, ...]]:
    """What was open on the newest release's day, and at each instant."""
    flags = marked(found.flags)
    now = found.now
    figures = (
        (None,) * 4 if now is None else tuple(to_tenth(each) for each in (now.mean, now.low, now.high, now.signed))
    )
    rows: list[tuple[Figure, ...]] = [(name, "now", "", *figures, flags)]
    for each in found.levels:
        last = month_of(int(each.instant) - 1)
        figures = (to_tenth(each.mean), to_tenth(each.low), to_tenth(each.high), to_tenth(each.signed))
        rows.append((name, last, quarter_of(last), *figures, flags))
    return rows


def quarter_of(month: str) -> str:
    """The Thai fiscal quarter of a month: FY2569Q2 is January to March 2026."""
    day = date.fromisoformat(f"{month}-01")
    return f"{window_of(day)}Q{((day.month + 2) % 12) // 3 + 1}"


def curve_rows(name: str, curve: Curve, level: int) -> list[tuple[Figure, ...]]:
    """The share still open at round ages, and whether cohorts of that age were seen."""
    ages = np.array(AGES)
    shares, half = curve.open_at(ages), half_widths(level) * curve.open_sigma(ages)
    rows = zip(AGES, shares, np.clip(shares - half, 0.0, 1.0), np.clip(shares + half, 0.0, 1.0), strict=True)
    return [
        (name, int(age), percent(share), percent(low), percent(high), age <= curve.oldest)
        for age, share, low, high in rows
    ]


def inflow_rows(name: str, found: Outlook) -> list[tuple[Figure, ...]]:
    """The coming months of entry."""
    if found.entries is None or found.entries.ahead is None:
        return []
    ahead, flags = found.entries.ahead, marked(found.entries.flags)
    rows = zip(ahead.months, ahead.mean, ahead.low, ahead.high, strict=True)
    return [(name, month, to_tenth(mean), to_tenth(low), to_tenth(high), flags) for month, mean, low, high in rows]


def _tables(found: _Found) -> list[Table]:
    tables = [
        WORDS.table("stages", STAGES, [_stage_row(each) for each in found.stages]),
        WORDS.table("entered", ENTERED, [_entered_row(each, found.level) for each in found.funnel.entered]),
        WORDS.table("funnel", PASSED, [_passed_row(each, found.level) for each in found.funnel.passed]),
        WORDS.table("between_agencies", BESIDE, [_beside_row(each) for each in found.funnel.beside]),
    ]
    outlooks = [(each.part.stage.dataset, each) for each in found.outlooks]
    curves = [(name, each.curve) for name, each in outlooks if each.curve is not None]
    tables += [
        WORDS.table("backlog", BACKLOG, [row for name, each in outlooks for row in backlog_rows(name, each)]),
        WORDS.table("open_share", CURVE, [row for name, each in curves for row in curve_rows(name, each, found.level)]),
        WORDS.table("inflow", INFLOW, [row for name, each in outlooks for row in inflow_rows(name, each)]),
    ]
    return [each for each in tables if each.rows]


def _stage_row(stage: Stage) -> tuple[Figure, ...]:
    texts = (stage.title, stage.unit, stage.waiting, stage.note)
    return (stage.dataset, stage.agency, *(part for text in texts for part in (text.th, text.en)))


def _counted(count: Count, level: int) -> tuple[Figure, Figure]:
    return to_tenth(count.estimate), to_tenth(half_widths(level) * count.sigma)


def _entered_row(each: Entered, level: int) -> tuple[Figure, ...]:
    share = each.open_share
    return (
        each.stage.dataset,
        each.cohort.fiscal_year,
        each.cohort.months,
        each.cohort.as_of.isoformat(),
        *_counted(each.entries, level),
        *_counted(each.open, level),
        *(percent(figure) for figure in (share.value, share.low, share.high)),
        marked((*each.flags, *share.flags)),
    )


def _passed_row(each: Passed, level: int) -> tuple[Figure, ...]:
    return (
        each.stage.dataset,
        each.cohort.fiscal_year,
        each.step.name,
        each.step.title.th,
        each.step.title.en,
        *_counted(each.count, level),
        *(percent(figure) for figure in (each.share.value, each.share.low, each.share.high)),
        marked(each.flags),
    )


def _beside_row(each: Beside) -> tuple[Figure, ...]:
    figures = (each.ratio.value, each.ratio.low, each.ratio.high)
    rounded = (None if figure is None else round(figure, 4) for figure in figures)
    return (each.fiscal_year, each.before.dataset, each.after.dataset, *rounded, marked(each.flags))


def _statements(found: _Found) -> list[Statement]:
    names = joined([each.title for each in found.stages])
    said = [
        Statement(text=WORDS.say("basis", stages=names)),
        Statement(text=WORDS.say("units"), flags=("different-units",)),
    ]
    if any(each.stage.dataset == "tpo_complaint" for each in found.funnel.entered):
        said.append(Statement(text=WORDS.say("complaints"), flags=("different-units",)))
    for stage in found.stages:
        text = WORDS.say("defined", stage=stage.title, waiting=stage.waiting, unit=stage.unit)
        said.append(Statement(text=text, flags=("enforcement",) if stage.enforcement else ()))
        said.extend(_of_year(each) for each in [e for e in found.funnel.entered if e.stage == stage][-1:])
        said.extend(backlog_statement(each, stage.title) for each in found.outlooks if each.part.stage == stage)
    return said


def _of_year(each: Entered) -> Statement:
    share = each.open_share
    key = "still-open" if share.value is not None else "still-open-unknown"
    text = WORDS.say(
        key,
        stage=each.stage.title,
        year=period_words(each.cohort.fiscal_year),
        share=f"{100 * (share.value or 0):.1f}",
        low=f"{100 * (share.low or 0):.1f}",
        high=f"{100 * (share.high or 0):.1f}",
        entries=shown(each.entries.estimate),
    )
    return Statement(text=text, flags=tuple(dict.fromkeys((*each.flags, *share.flags))))


def backlog_statement(found: Outlook, title: Text) -> Statement:
    """What is open and what will be, or that it cannot be told."""
    now = found.now
    details: dict[str, object] = {
        "stage": title,
        "first": period_words(found.first),
        "last": period_words(found.last),
    }
    if now is None:
        return Statement(text=WORDS.say("no-stock", **details), flags=found.flags)
    details |= {"now": shown(now.mean), "now_low": shown(now.low), "now_high": shown(now.high)}
    if not found.levels:
        return Statement(text=WORDS.say("no-backlog", **details), flags=found.flags)
    end = found.levels[-1]
    details |= {
        "end": period_words(month_of(int(end.instant) - 1)),
        "mean": shown(end.mean),
        "low": shown(end.low),
        "high": shown(end.high),
    }
    return Statement(text=WORDS.say("backlog", **details), flags=found.flags)


def _card(found: _Found, bodies: Sequence[ReleaseBody]) -> ModelCard:
    names = ", ".join(each.dataset for each in found.stages)
    used = [body for body in bodies if {each.contract.id for each in body.promises} & set(names.split(", "))]
    months = sorted(month for body in used for month in body.query.period.months())
    return ModelCard(
        data=WORDS.say("card-data", datasets=names, releases=len(used)),
        method=WORDS.say("card-method", level=found.level),
        limits=WORDS.say("card-limits"),
        first=months[0],
        last=months[-1],
        models=MODELS,
    )
