"""The funnel: of what entered each agency in a fiscal year, how much has passed each step by the day of the release.

Every share is of one agency's own entries of one year: complaints of complaints, accused of accused. Between agencies
stand ratios alone, of different units and of different people, and they are never multiplied into a chance.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from contracts.code_lists import code_list
from contracts.release import ReleaseBody
from forecasting.flow.cohorts import MONTHS, YearCohort, year_cohorts
from forecasting.flow.ratios import Count, Ratio, ratio, share_of
from forecasting.flow.stages import Stage, Step, stages

AT_LEAST = "at-least"
YEAR_NOT_WHOLE = "year-not-whole"
STILL_OPEN = "cohort-still-open"
DIFFERENT_DAYS = "different-days"
DIFFERENT_UNITS = "different-units"

LONGEST_BETWEEN = timedelta(days=62)
"""Months of a year that were told further apart than this do not tell how far the year has come by one day."""

OPEN_SHARE = 0.05
"""A share still open above which the other shares of the year will change."""

NEIGHBOURS = (
    ("crimes_case", "oag_case"),
    ("oag_case", "coj_case"),
    ("coj_case", "doc_prisoner"),
    ("coj_case", "dop_case"),
)
"""Stages of which one hands on to the other. Complaints are not among them: they are cases too, and never added."""


@dataclass(frozen=True, slots=True)
class Passed:
    """How many of a year's entries passed one step: a count and its share of the entries."""

    stage: Stage
    cohort: YearCohort
    step: Step
    count: Count
    share: Ratio
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entered:
    """A year's entries of one stage, and how many of them are still open."""

    stage: Stage
    cohort: YearCohort
    entries: Count
    open: Count
    open_share: Ratio
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Beside:
    """Entries of one agency for each entry of another in the same year: never a share of the same people."""

    fiscal_year: str
    before: Stage
    after: Stage
    ratio: Ratio
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Funnel:
    """All that is known of all stages."""

    entered: tuple[Entered, ...]
    passed: tuple[Passed, ...]
    beside: tuple[Beside, ...]


def funnel(bodies: Sequence[ReleaseBody], level: int, data_as_of: date | None = None) -> Funnel:
    """The funnel of every stage that releases tell.

    Args:
        bodies: Valid releases of anything.
        level: Of the intervals, in per cent.
        data_as_of: The day up to which the data reach, if known to lie before the releases.

    Raises:
        Refused: ``data-day-too-early``.
    """
    entered: list[Entered] = []
    passed: list[Passed] = []
    for stage in stages().values():
        if not stage.in_funnel:
            continue
        for cohort in year_cohorts(bodies, stage.dataset, stage.axis, {}, data_as_of):
            if set(cohort.counts) != set(code_list(stage.code_list).values):
                continue
            entered.append(_entered(stage, cohort, level))
            passed.extend(_passed(stage, cohort, step, entered[-1].flags, level) for step in stage.step)
    return Funnel(tuple(entered), tuple(passed), tuple(_beside(entered, level)))


def _entered(stage: Stage, cohort: YearCohort, level: int) -> Entered:
    still, entries = cohort.total(stage.open), cohort.total()
    rest = cohort.total([code for code in cohort.counts if code not in stage.open])
    share = share_of(still, rest, level)
    flags = about_year(cohort, share)
    return Entered(stage, cohort, entries, still, share, flags)


def about_year(cohort: YearCohort, is_open: Ratio) -> tuple[str, ...]:
    """What to know about a year's shares: whether it is whole, told of one day, and nearly closed."""
    flags = [YEAR_NOT_WHOLE] if cohort.months < MONTHS else []
    if cohort.latest - cohort.as_of > LONGEST_BETWEEN:
        flags.append(DIFFERENT_DAYS)
    if is_open.value is not None and is_open.value > OPEN_SHARE:
        flags.append(STILL_OPEN)
    return tuple(flags)


def _passed(stage: Stage, cohort: YearCohort, step: Step, flags: tuple[str, ...], level: int) -> Passed:
    codes = [code for code in cohort.counts if step.is_passed_by(code)]
    count = cohort.total(codes)
    share = share_of(count, cohort.total([code for code in cohort.counts if code not in codes]), level)
    at_least = (AT_LEAST,) if step.at_least else ()
    return Passed(stage, cohort, step, count, share, tuple(dict.fromkeys((*at_least, *flags, *share.flags))))


def _beside(entered: Sequence[Entered], level: int) -> list[Beside]:
    by_stage = {(each.stage.dataset, each.cohort.fiscal_year): each for each in entered}
    found = []
    for first, second in NEIGHBOURS:
        for (dataset, year), before in by_stage.items():
            after = by_stage.get((second, year))
            if dataset != first or after is None:
                continue
            compared = ratio(after.entries, before.entries, 0.0, level)
            flags = [DIFFERENT_UNITS, *compared.flags]
            if before.cohort.months != after.cohort.months:
                flags.append(YEAR_NOT_WHOLE)
            found.append(Beside(year, before.stage, after.stage, compared, tuple(flags)))
    return found
