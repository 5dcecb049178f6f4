"""Reoffending in words: the definition first, then the curve, the cohorts it rests on, and what stands beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from contracts.analysis import AnalysisKind, Figure, Report, Statement, Table
from contracts.code_lists import code_list
from contracts.dataset import Text
from contracts.errors import InvalidInput, Refused
from contracts.forecast import ModelCard
from contracts.release import ReleaseBody
from forecasting.flow.ratios import Count, Ratio, half_widths
from forecasting.flow.wording import Words, marked, percent, shown, to_tenth
from forecasting.reoffending.followup import DATASET, Cohort, cohorts, data_day
from forecasting.reoffending.lifetable import HORIZONS, Point, curve
from forecasting.reoffending.supervision import CASES, Completed, Reoffended, completed, reoffended
from forecasting.words import period_words

LEVEL = 90
WORDS = Words(Path(__file__).with_name("words.toml"))
GROUPS = {"offence_group": "offence_groups", "age_band": "age_bands", "sex": "sex_codes"}

CURVE = (
    "by",
    "code",
    "months:months",
    "returned:%",
    "low:%",
    "high:%",
    "not_returned:%",
    "released",
    "cohorts",
    "flags",
)
COHORTS = ("cohort", "months:months", "followed:months", "released", "error", "returned:%", "low:%", "high:%", "flags")
PROBATION = (
    "fiscal_year",
    "by",
    "code",
    "cases",
    "error",
    "reoffended:%",
    "low:%",
    "high:%",
    "unknown:%",
    "lowest:%",
    "highest:%",
    "flags",
)
COMPLETION = ("fiscal_year", "cases", "error", "open:%", "result", "share:%", "low:%", "high:%", "flags")


@dataclass(frozen=True, slots=True)
class Group:
    """The curve of all people released, or of those with one label."""

    by: str
    code: str
    points: tuple[Point, ...]


@dataclass(frozen=True, eq=False)
class _Found:
    groups: tuple[Group, ...]
    cohorts: tuple[tuple[Cohort, tuple[Point, ...]], ...]
    probation: tuple[Reoffended, ...]
    completion: tuple[Completed, ...]
    reached: date | None
    level: int


def reoffending_report(
    bodies: Sequence[ReleaseBody], rng: np.random.Generator, level: int = LEVEL, data_as_of: date | None = None
) -> Report:
    """Shares imprisoned again by 12, 24 and 36 months after release, and reoffended after probation, from releases.

    Args:
        bodies: Valid releases, of any datasets; those of ``doc_release_cohort`` and ``dop_case`` are used.
        rng: Where the draws of the intervals come from; the same state gives the same report.
        level: Of all intervals, in per cent, 50 to 99.
        data_as_of: The day up to which the agencies' data reach; without it, that of prisons is taken to lie a year
            before each release, since they bring it up to date once a year.

    Raises:
        InvalidInput: ``release-not-a-series``, when no release tells who returned or reoffended.
        Refused: ``cohorts-too-young``, when no cohort was followed for twelve months and nothing is told of probation;
            ``data-day-too-early``.
    """
    told = cohorts(bodies, {}, data_as_of)
    days = [data_day(body, data_as_of) for body in bodies if DATASET in {each.contract.id for each in body.promises}]
    probation, ended = reoffended(bodies, level, data_as_of), completed(bodies, level, data_as_of)
    groups = _groups(bodies, level, rng, data_as_of)
    if not told and not groups and not probation:
        raise InvalidInput("release-not-a-series", why="no release tells who returned to prison or reoffended")
    if not probation and not any(point.share is not None for group in groups for point in group.points):
        raise Refused("cohorts-too-young", day=max(days))
    single = tuple((each, curve([each], level, rng)) for each in told)
    found = _Found(groups, single, probation, ended, max(days, default=None), level)
    return Report(
        kind=AnalysisKind.REOFFENDING,
        title=WORDS.say("title"),
        statements=tuple(_statements(found)),
        tables=tuple(_tables(found)),
        card=_card(found, bodies),
    )


def _groups(
    bodies: Sequence[ReleaseBody], level: int, rng: np.random.Generator, data_as_of: date | None
) -> tuple[Group, ...]:
    wanted = [("", "all"), *((by, code) for by, name in GROUPS.items() for code in code_list(name).values)]
    found = []
    for by, code in wanted:
        told = cohorts(bodies, {by: (code,)} if by else {}, data_as_of)
        if told:
            found.append(Group(by or "all", code, curve(told, level, rng)))
    return tuple(found)


def _tables(found: _Found) -> list[Table]:
    by_cohort = [_cohort_row(each, point, found.level) for each, points in found.cohorts for point in points]
    tables = [
        WORDS.table("curve", CURVE, [_point_row(g, each) for g in found.groups for each in g.points]),
        WORDS.table("cohorts", COHORTS, by_cohort),
        WORDS.table("probation", PROBATION, [_probation_row(each, found.level) for each in found.probation]),
        WORDS.table("completion", COMPLETION, [r for each in found.completion for r in _ended_rows(each, found.level)]),
    ]
    return [each for each in tables if each.rows]


def _counted(count: Count, level: int) -> tuple[Figure, Figure]:
    return to_tenth(count.estimate), to_tenth(half_widths(level) * count.sigma)


def _ratio(given: Ratio) -> tuple[Figure, ...]:
    return tuple(percent(figure) for figure in (given.value, given.low, given.high))


def _point_row(group: Group, point: Point) -> tuple[Figure, ...]:
    return (
        group.by,
        group.code,
        point.months,
        *(percent(figure) for figure in (point.share, point.low, point.high)),
        None if point.share is None else percent(1.0 - point.share),
        to_tenth(point.released.estimate),
        len(point.cohorts),
        marked(point.flags),
    )


def _cohort_row(cohort: Cohort, point: Point, level: int) -> tuple[Figure, ...]:
    return (
        cohort.name,
        point.months,
        round(max(cohort.followed, 0.0), 1),
        *_counted(cohort.released, level),
        *(percent(figure) for figure in (point.share, point.low, point.high)),
        marked(point.flags),
    )


def _probation_row(each: Reoffended, level: int) -> tuple[Figure, ...]:
    beside = (percent(ratio.value) for ratio in (each.unknown, each.lowest, each.highest))
    return (
        each.fiscal_year,
        each.axis or "all",
        each.code or "all",
        *_counted(each.cases, level),
        *_ratio(each.share),
        *beside,
        marked(each.flags),
    )


def _ended_rows(each: Completed, level: int) -> list[tuple[Figure, ...]]:
    head = (each.fiscal_year, *_counted(each.cases, level), percent(each.open.value))
    return [(*head, code, *_ratio(share), marked((*each.flags, *share.flags))) for code, share in each.shares.items()]


def _statements(found: _Found) -> list[Statement]:
    said = []
    if found.groups:
        said.append(Statement(text=WORDS.say("definition")))
        said.append(Statement(text=WORDS.say("followed", day=found.reached.isoformat() if found.reached else "-")))
        said.extend(_at_horizon(each) for each in _wanted(found))
        if len(found.groups) > 1:
            said.append(Statement(text=WORDS.say("groups"), flags=("group-rates",)))
    if found.probation:
        said.append(Statement(text=WORDS.say("definition-probation")))
        newest = [each for each in found.probation if not each.axis and "outcome-unknown" not in each.flags]
        said.extend(_after_probation(each) for each in newest[-1:])
    if found.completion:
        said.extend(_completion(each) for each in found.completion if "cohort-still-open" not in each.flags)
    return said


def _wanted(found: _Found) -> list[Point]:
    everybody = next((each.points for each in found.groups if each.by == "all"), ())
    return [point for point in everybody if point.months in HORIZONS]


def _at_horizon(point: Point) -> Statement:
    if point.share is None or point.low is None or point.high is None:
        return Statement(text=WORDS.say("no-point", months=point.months), flags=point.flags)
    text = WORDS.say(
        "point",
        months=point.months,
        share=f"{100 * point.share:.1f}",
        low=f"{100 * point.low:.1f}",
        high=f"{100 * point.high:.1f}",
        rest=f"{100 * (1 - point.share):.1f}",
        released=shown(point.released.estimate),
        first=_year(point.cohorts[0]),
        last=_year(point.cohorts[-1]),
    )
    return Statement(text=text, flags=point.flags)


def _year(name: str) -> Text:
    return period_words(name)


def _after_probation(each: Reoffended) -> Statement:
    text = WORDS.say(
        "point-probation",
        year=period_words(each.fiscal_year),
        share=f"{100 * (each.share.value or 0):.1f}",
        low=f"{100 * (each.share.low or 0):.1f}",
        high=f"{100 * (each.share.high or 0):.1f}",
        unknown=f"{100 * (each.unknown.value or 0):.1f}",
    )
    return Statement(text=text, flags=each.flags)


def _completion(each: Completed) -> Statement:
    complied = each.shares["COMPLIED"]
    text = WORDS.say(
        "completed",
        year=period_words(each.fiscal_year),
        share=f"{100 * (complied.value or 0):.1f}",
        low=f"{100 * (complied.low or 0):.1f}",
        high=f"{100 * (complied.high or 0):.1f}",
    )
    return Statement(text=text, flags=each.flags)


def _card(found: _Found, bodies: Sequence[ReleaseBody]) -> ModelCard:
    used = [body for body in bodies if {each.contract.id for each in body.promises} & {DATASET, CASES}]
    months = sorted(month for body in used for month in body.query.period.months())
    return ModelCard(
        data=WORDS.say("card-data", releases=len(used)),
        method=WORDS.say("card-method", level=found.level),
        limits=WORDS.say("card-limits"),
        first=months[0],
        last=months[-1],
        models=("life-table", "fieller"),
    )
